//! What the tables know of our schemas and refuse of others, and that they are held to the authority.

mod altrui;
mod caso;
mod conto;
mod differenziale;
mod inventa;
mod penna;

use xsd_schema::validation::{ErrorOnlySink, SchemaValidator, ValidationFlags, drive_quick_xml};
use xsd_schema::{SchemaSet, parse_schema_only, process_loaded_schemas};

use super::tavole::Tipo;
use super::*;
use crate::domanda::lettura::base64;
use crate::schema::giudice::{Chiusa, Giudice};
use crate::schema::testo::Testo;
use crate::schema::tests::SCHEMA;
use crate::xml::{Limits, Reader, Token};

/// A schema set of one schema, whose target namespace is `urn:t`, prefix `t`.
fn set(dichiarazioni: &str) -> SchemaSet {
    let xsd = format!(
        "<xs:schema xmlns:xs='http://www.w3.org/2001/XMLSchema' xmlns:t='urn:t' targetNamespace='urn:t' elementFormDefault='qualified'>{dichiarazioni}</xs:schema>"
    );
    compila(&[&xsd])
}

/// The schema set of these documents.
fn compila(documenti: &[&str]) -> SchemaSet {
    prova_a_compilare(documenti).unwrap()
}

/// The same; `None` where the authority does not take them.
fn prova_a_compilare(documenti: &[&str]) -> Option<SchemaSet> {
    let mut set = SchemaSet::new();
    for (quale, documento) in documenti.iter().enumerate() {
        parse_schema_only(documento.as_bytes(), &format!("{quale}.xsd"), &mut set).ok()?;
    }
    process_loaded_schemas(&mut set).ok()?;
    Some(set)
}

/// The tables of its global element `a`.
fn tavole(set: &SchemaSet) -> Tavole {
    let nomi = &set.name_table;
    let a = set
        .lookup_element(Some(nomi.add("urn:t")), nomi.add("a"))
        .unwrap();
    Tavole::compile(set, std::iter::once(a), &[0])
}

/// Whether a message can be read to its end and the tables let it pass.
fn passa(tavole: &Tavole, xml: impl AsRef<[u8]>) -> bool {
    let mut corsa = Corsa::new(tavole);
    let mut testo = Testo::default();
    let mut reader = Reader::new(xml.as_ref(), &Limits::default());
    loop {
        let offset = reader.end_offset();
        let passo = match reader.next() {
            Ok(Token::Start {
                nome,
                attributi,
                inizio,
                ..
            }) => corsa.start(nome, &attributi, inizio, &testo).map(|_| ()),
            Ok(Token::Text(pezzo)) => {
                testo.push(&pezzo, offset);
                continue;
            }
            Ok(Token::End { fine, .. }) => corsa.end(&testo, fine).and_then(|chiusa| {
                if chiusa == Chiusa::Byte {
                    corsa.bytes(testo.trimmed(), base64(testo.trimmed()).is_some())?;
                }
                Ok(())
            }),
            Ok(Token::Eof) => return true,
            Err(_) => return false,
        };
        testo.clear();
        if passo.is_err() {
            return false;
        }
    }
}

/// Whether the authority finds nothing in it.
fn valido(set: &SchemaSet, xml: &str) -> bool {
    let mut errors = Vec::new();
    let validator = SchemaValidator::new(set, ValidationFlags::default());
    let mut run = validator.start_run(ErrorOnlySink { errors: &mut errors });
    drive_quick_xml(xml.as_bytes(), &mut run, set).unwrap();
    drop(run);
    errors.is_empty()
}

#[test]
fn nothing_in_our_schemas_is_unknown() {
    let tavole = SCHEMA.tavole.as_ref().unwrap();
    assert_eq!(tavole.ignoti(), Vec::<&str>::new());
    assert!(tavole.elementi.len() > 200 && tavole.mosse.len() > 200);
    assert!(tavole.elementi.iter().any(|elemento| !elemento.unici.is_empty()));
}

#[test]
fn what_the_tables_do_not_know_is_refused_by_name() {
    let elemento =
        |dentro: &str| format!("<xs:element name='a'><xs:complexType>{dentro}</xs:complexType></xs:element>");
    let fila = |dentro: &str| elemento(&format!("<xs:sequence>{dentro}</xs:sequence>"));
    let tipo =
        |dentro: &str| format!("<xs:element name='a'><xs:simpleType>{dentro}</xs:simpleType></xs:element>");
    let ristretto = |base: &str, dentro: &str| {
        tipo(&format!(
            "<xs:restriction base='xs:{base}'>{dentro}</xs:restriction>"
        ))
    };
    let b = "<xs:element name='b' type='xs:token'/>";
    let casi = [
        (fila("<xs:any/>"), "xs:any"),
        (
            elemento(&format!("<xs:all>{b}</xs:all>")),
            "xs:all or group reference",
        ),
        (
            fila(&format!("<xs:sequence maxOccurs='2'>{b}</xs:sequence>")),
            "repeated group",
        ),
        (
            fila(&format!("<xs:choice maxOccurs='unbounded'>{b}</xs:choice>")),
            "repeated group",
        ),
        (
            fila(&format!("<xs:choice minOccurs='0'/>{b}")),
            "choice between nothing",
        ),
        (
            format!(
                "<xs:group name='g'><xs:sequence>{b}</xs:sequence></xs:group>{}",
                fila("<xs:group ref='t:g'/>")
            ),
            "xs:all or group reference",
        ),
        (
            fila(
                "<xs:element name='b' type='xs:token' minOccurs='2' maxOccurs='2'/><xs:element name='b' type='xs:token'/>",
            ),
            "one name in two places of a content model",
        ),
        (
            "<xs:element name='a'><xs:complexType mixed='true'/></xs:element>".to_owned(),
            "mixed, open or abstract type",
        ),
        (
            elemento("<xs:simpleContent><xs:extension base='xs:token'/></xs:simpleContent>"),
            "restriction, or extension of a simple type",
        ),
        (elemento("<xs:anyAttribute/>"), "attribute wildcard or group"),
        (
            format!(
                "<xs:attributeGroup name='g'><xs:attribute name='x' type='xs:token'/></xs:attributeGroup>{}",
                elemento("<xs:attributeGroup ref='t:g'/>")
            ),
            "attribute wildcard or group",
        ),
        (
            elemento("<xs:attribute name='x' type='xs:token' default='y'/>"),
            "attribute by reference, prohibited, or with a value of its own",
        ),
        (
            elemento("<xs:attribute name='x' type='xs:token' fixed='y'/>"),
            "attribute by reference, prohibited, or with a value of its own",
        ),
        (
            format!(
                "<xs:attribute name='x' type='xs:token'/>{}",
                elemento("<xs:attribute ref='t:x'/>")
            ),
            "attribute by reference, prohibited, or with a value of its own",
        ),
        (
            elemento("<xs:attribute name='x' type='xs:base64Binary'/>"),
            "attribute of bytes",
        ),
        (
            elemento("<xs:attribute name='x' type='xs:float'/>"),
            "built-in type",
        ),
        (
            "<xs:element name='a' type='xs:token' default='x'/>".to_owned(),
            "default or fixed value",
        ),
        (
            "<xs:element name='a' type='xs:token' fixed='x'/>".to_owned(),
            "default or fixed value",
        ),
        (
            "<xs:element name='a' type='xs:token' abstract='true'/>".to_owned(),
            "abstract element",
        ),
        (
            format!(
                "<xs:complexType name='T'><xs:sequence>{b}</xs:sequence></xs:complexType>{}",
                elemento(&format!(
                    "<xs:complexContent><xs:restriction base='t:T'><xs:sequence>{b}</xs:sequence></xs:restriction></xs:complexContent>"
                ))
            ),
            "restriction, or extension of a simple type",
        ),
        (
            "<xs:complexType name='T' abstract='true'/><xs:element name='a' type='t:T'/>".to_owned(),
            "mixed, open or abstract type",
        ),
        (tipo("<xs:list itemType='xs:token'/>"), "list or union"),
        (
            tipo("<xs:union memberTypes='xs:date xs:token'/>"),
            "list or union",
        ),
        (ristretto("float", ""), "built-in type"),
        (ristretto("decimal", ""), "built-in type"),
        (ristretto("ID", ""), "built-in type"),
        (ristretto("QName", ""), "built-in type"),
        (ristretto("anyURI", ""), "built-in type"),
        (ristretto("time", ""), "built-in type"),
        (ristretto("hexBinary", ""), "built-in type"),
        (
            "<xs:element name='a' type='xs:anySimpleType'/>".to_owned(),
            "built-in type",
        ),
        (
            ristretto("date", "<xs:minInclusive value='2000-01-01'/>"),
            "bounds of what is no integer",
        ),
        (
            ristretto("date", "<xs:enumeration value='2000-01-01'/>"),
            "enumeration of what is no string",
        ),
        (
            ristretto("integer", "<xs:enumeration value='1'/>"),
            "enumeration of what is no string",
        ),
        (
            ristretto("integer", "<xs:totalDigits value='3'/>"),
            "exclusive bound, digits, assertion or zone facet",
        ),
        (
            ristretto("integer", "<xs:maxExclusive value='3'/>"),
            "exclusive bound, digits, assertion or zone facet",
        ),
        (
            ristretto(
                "integer",
                "<xs:maxInclusive value='12345678901234567890123456789'/>",
            ),
            "bound",
        ),
        (
            ristretto("base64Binary", "<xs:maxLength value='3'/>"),
            "length of what is no string",
        ),
        (ristretto("token", "<xs:pattern value='\\w+'/>"), "pattern"),
        (ristretto("token", "<xs:pattern value='[a-z-[x]]'/>"), "pattern"),
    ];
    for (xsd, atteso) in casi {
        let tavole = tavole(&set(&xsd));
        assert_eq!(tavole.ignoti(), [atteso], "{xsd}");
        let Tipo::Ignoto(_) = tavole.tipi[tavole.elementi[0].tipo] else {
            panic!("{xsd}");
        };
        assert!(!passa(&tavole, "<a xmlns='urn:t'/>") && !passa(&tavole, "<a xmlns='urn:t'>x</a>"));
    }
}

#[test]
fn identity_constraints_other_than_one_field_of_one_kind_of_child_are_refused() {
    let xsd = |vincolo: &str, campo: &str| {
        format!(
            "<xs:element name='a'><xs:complexType><xs:sequence>\
               <xs:element name='b' maxOccurs='9'><xs:complexType><xs:sequence>\
                 <xs:element name='c' type='xs:{campo}' minOccurs='0' maxOccurs='2'/><xs:element name='d' type='xs:token' minOccurs='0'/>\
               </xs:sequence><xs:attribute name='x' type='xs:token'/></xs:complexType></xs:element>\
             </xs:sequence></xs:complexType>{vincolo}</xs:element>"
        )
    };
    let unico = |selettore: &str, campi: &str| {
        format!("<xs:unique name='u'><xs:selector xpath='{selettore}'/>{campi}</xs:unique>")
    };
    let campo = "<xs:field xpath='t:c'/>";
    for (vincolo, tipo, noto) in [
        (unico("t:b", campo), "token", true),
        (unico("t:b", campo), "date", false),
        (unico("t:b", campo), "string", false),
        (unico(".//t:b", campo), "token", false),
        (unico("t:*", campo), "token", false),
        (unico("t:b|t:b", campo), "token", false),
        (unico("b", campo), "token", false),
        (unico("t:b", "<xs:field xpath='@x'/>"), "token", false),
        (
            unico("t:b", "<xs:field xpath='t:c'/><xs:field xpath='t:d'/>"),
            "token",
            false,
        ),
        (
            format!(
                "<xs:key name='k'><xs:selector xpath='t:b'/>{campo}</xs:key><xs:keyref name='r' refer='t:k'><xs:selector xpath='t:b'/><xs:field xpath='t:d'/></xs:keyref>"
            ),
            "token",
            false,
        ),
    ] {
        let tavole = tavole(&set(&xsd(&vincolo, tipo)));
        let attesi: &[&str] = if noto { &[] } else { &["identity constraint"] };
        assert_eq!(tavole.ignoti(), attesi, "{vincolo}");
    }
    let chiave = unico("t:b", campo).replace("unique", "key");
    for (vincolo, casi) in [
        (
            unico("t:b", campo),
            [
                ("<b/><b/>", true),
                ("<b><c>1</c></b><b><c> 2</c></b>", true),
                ("<b><c>1</c></b><b><c> 1 </c></b>", false),
                ("<b><c>1</c><c>2</c></b>", false),
            ],
        ),
        (
            chiave,
            [
                ("<b/>", false),
                ("<b><c>1</c></b><b><c>2</c></b>", true),
                ("<b><c>1</c></b><b><d>1</d></b>", false),
                ("<b><c>1</c></b><b><c>1</c></b>", false),
            ],
        ),
    ] {
        let set = set(&xsd(&vincolo, "token"));
        let tavole = tavole(&set);
        for (dentro, atteso) in casi {
            let xml = format!("<a xmlns='urn:t'>{dentro}</a>");
            assert_eq!(
                (passa(&tavole, &xml), valido(&set, &xml)),
                (atteso, atteso),
                "{vincolo} {xml}"
            );
        }
    }
}

#[test]
fn content_models_counters_and_attributes_are_as_the_authority_has_them() {
    let set = set(
        "<xs:complexType name='T'><xs:sequence><xs:element name='b' type='xs:token' minOccurs='2' maxOccurs='3'/></xs:sequence>\
           <xs:attribute name='x' type='xs:int' use='required'/></xs:complexType>\
         <xs:element name='a'><xs:complexType><xs:complexContent><xs:extension base='t:T'><xs:sequence minOccurs='0'>\
           <xs:choice><xs:element name='c' type='xs:token'/><xs:sequence><xs:element name='d' type='xs:string' minOccurs='0'/><xs:element name='e' type='xs:normalizedString'/></xs:sequence></xs:choice>\
           <xs:element name='b' type='xs:token' minOccurs='0' maxOccurs='unbounded'/><xs:element name='f' minOccurs='0'><xs:complexType/></xs:element>\
         </xs:sequence><xs:attribute name='y' type='xs:boolean' form='qualified'/></xs:extension></xs:complexContent></xs:complexType></xs:element>",
    );
    let tavole = tavole(&set);
    assert_eq!(tavole.ignoti(), Vec::<&str>::new());
    for (attributi, dentro, atteso) in [
        ("x='1'", "<b/><b/>", true),
        ("x='1'", "<b/>", false),
        ("x='1'", "<b/><b/><b/>", true),
        ("x='1'", "<b/><b/><b/><b/>", false),
        ("x='1'", "<b/><b/><c/><b/><b/><b/><b/>", true),
        ("x='1'", "<b/><b/><d/><e/>", true),
        ("x='1'", "<b/><b/><d/>", false),
        ("x='1'", "<b/><b/><e/><f/>", true),
        ("x='1'", "<b/><b/><e/><f> </f>", false),
        ("x='1'", "<b/><b/><c/><e/>", false),
        ("x='1'", "<b/><b/><f/>", false),
        ("x='1'", " <b/> <b/> ", true),
        ("x='1'", "<b/>-<b/>", false),
        ("x=' 2147483647 ' t:y='true' xmlns:t='urn:t'", "<b/><b/>", true),
        ("x='2147483648'", "<b/><b/>", false),
        ("x='1' y='true'", "<b/><b/>", false),
        ("t:y='true' xmlns:t='urn:t'", "<b/><b/>", false),
        ("", "<b/><b/>", false),
    ] {
        let xml = format!("<a xmlns='urn:t' {attributi}>{dentro}</a>");
        assert_eq!(
            (passa(&tavole, &xml), valido(&set, &xml)),
            (atteso, atteso),
            "{xml}"
        );
    }
}
