//! Schemas that nobody wrote: types of every kind, content models of every shape, now and then something that the tables do
//! not know. Not all of them are schemas: which are is the authority's to say.

use std::fmt::Write as _;

use super::caso::Dado;

/// The namespace of all of them.
const NAMESPACE: &str = "urn:inventato";
/// Few, so that they meet again in one content model and in types that extend each other.
const NOMI: [&str; 5] = ["a", "b", "c", "d", "e"];
/// Occurrences of an element.
const VOLTE: [&str; 10] = [
    "",
    "",
    "",
    " minOccurs='0'",
    " minOccurs='0'",
    " maxOccurs='unbounded'",
    " minOccurs='0' maxOccurs='unbounded'",
    " minOccurs='2' maxOccurs='3'",
    " minOccurs='0' maxOccurs='2'",
    " minOccurs='0' maxOccurs='0'",
];
/// Simple types: base and facets.
const SEMPLICI: [(&str, &str); 16] = [
    ("token", ""),
    ("string", "<xs:maxLength value='3'/>"),
    (
        "string",
        "<xs:whiteSpace value='collapse'/><xs:minLength value='1'/>",
    ),
    ("normalizedString", "<xs:length value='2'/>"),
    (
        "token",
        "<xs:pattern value='[a-c]{1,2}'/><xs:pattern value='x?'/>",
    ),
    ("token", "<xs:pattern value='(ab|a)+'/>"),
    (
        "token",
        "<xs:enumeration value='UNO'/><xs:enumeration value='DUE VOLTE'/>",
    ),
    ("boolean", ""),
    ("int", "<xs:minInclusive value='-2'/>"),
    ("unsignedByte", "<xs:maxInclusive value='99'/>"),
    ("integer", "<xs:pattern value='[0-9]*'/>"),
    ("date", ""),
    ("dateTime", ""),
    ("gYear", ""),
    ("base64Binary", ""),
    // Not in the tables.
    ("decimal", "<xs:fractionDigits value='2'/>"),
];

/// The text of one; its messages begin with an element `r`.
pub(super) fn schema(dado: &mut Dado) -> String {
    let forma = dado.uno(&["qualified", "qualified", "unqualified"]);
    let mut xsd = format!(
        "<xs:schema xmlns:xs='http://www.w3.org/2001/XMLSchema' xmlns:t='{NAMESPACE}' targetNamespace='{NAMESPACE}' \
         elementFormDefault='{forma}'>"
    );
    for (quale, (base, facce)) in SEMPLICI.iter().enumerate() {
        let _ = write!(
            xsd,
            "<xs:simpleType name='S{quale}'><xs:restriction base='xs:{base}'>{facce}</xs:restriction></xs:simpleType>"
        );
    }
    let _ = write!(xsd, "<xs:element name='g' type='{}'/>", tipo_semplice(dado));
    let complessi = 1 + dado.sotto(4);
    for quale in 0..complessi {
        let _ = write!(xsd, "<xs:complexType name='T{quale}'{}>", misto(dado));
        if quale > 0 && dado.capita(35) {
            let base = dado.sotto(quale);
            let _ = write!(xsd, "<xs:complexContent><xs:extension base='t:T{base}'>");
            contenuto(&mut xsd, quale, dado);
            xsd.push_str("</xs:extension></xs:complexContent>");
        } else {
            contenuto(&mut xsd, quale, dado);
        }
        xsd.push_str("</xs:complexType>");
    }
    let _ = write!(xsd, "<xs:element name='r' type='t:T{}'>", complessi - 1);
    if dado.capita(15) {
        let genere = dado.uno(&["unique", "key"]);
        let (figlio, campo) = (dado.uno(&NOMI), dado.uno(&NOMI));
        let _ = write!(
            xsd,
            "<xs:{genere} name='u'><xs:selector xpath='t:{figlio}'/><xs:field xpath='t:{campo}'/></xs:{genere}>"
        );
    }
    xsd.push_str("</xs:element></xs:schema>");
    xsd
}

fn misto(dado: &mut Dado) -> &'static str {
    if dado.capita(2) { " mixed='true'" } else { "" }
}

/// Children and attributes of the type of this number: it may hold those before it.
fn contenuto(xsd: &mut String, quale: usize, dado: &mut Dado) {
    if dado.capita(90) {
        gruppo(xsd, quale, 0, dado);
    }
    let uso = |dado: &mut Dado| *dado.uno(&["", " use='required'", " form='qualified'", " default='1'"]);
    for nome in ["x", "y"] {
        if dado.capita(12) {
            let tipo = tipo_semplice(dado);
            // A name of its own in each step of a derivation.
            let _ = write!(
                xsd,
                "<xs:attribute name='{nome}{quale}' type='{tipo}'{}/>",
                uso(dado)
            );
        }
    }
}

/// A sequence or a choice of elements and of further ones.
fn gruppo(xsd: &mut String, quale: usize, profondita: usize, dado: &mut Dado) {
    let genere = dado.uno(&["sequence", "sequence", "choice"]);
    // Once, or not at all; twice is not in the tables.
    let volte = match dado.sotto(20) {
        0 => " maxOccurs='2'",
        1..6 => " minOccurs='0'",
        _ => "",
    };
    let _ = write!(xsd, "<xs:{genere}{volte}>");
    for _ in 0..dado.sotto(4) + usize::from(*genere == "choice") {
        match dado.sotto(10) {
            0..3 if profondita < 3 => gruppo(xsd, quale, profondita + 1, dado),
            3 => {
                let _ = write!(xsd, "<xs:element ref='t:g'{}/>", dado.uno(&VOLTE));
            }
            4 if dado.capita(5) => xsd.push_str("<xs:any namespace='##other' processContents='skip'/>"),
            _ => {
                let tipo = if quale > 0 && dado.capita(40) {
                    format!("t:T{}", dado.sotto(quale))
                } else {
                    tipo_semplice(dado)
                };
                let (nome, volte) = (dado.uno(&NOMI), dado.uno(&VOLTE));
                let _ = write!(xsd, "<xs:element name='{nome}' type='{tipo}'{volte}/>");
            }
        }
    }
    let _ = write!(xsd, "</xs:{genere}>");
}

fn tipo_semplice(dado: &mut Dado) -> String {
    format!("t:S{}", dado.sotto(SEMPLICI.len()))
}
