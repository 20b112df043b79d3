//! Start tags: attributes and namespaces (Namespaces in XML 1.0, third edition), within the bounds.

use std::borrow::Cow;
use std::sync::Arc;

use super::lessico::{Guasto, check_caratteri, is_spazio, mostra, qname, valore_attributo};
use super::{Attributo, Limits, Nome};
use crate::catalogo::Codice;

const XML: &str = "http://www.w3.org/XML/1998/namespace";
const XMLNS: &str = "http://www.w3.org/2000/xmlns/";

/// A prefix and its namespace. The first two are always there: no prefix in no namespace, and `xml`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Legame {
    prefisso: Arc<str>,
    namespace: Arc<str>,
}

/// The bindings in scope, innermost last.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Legami(Vec<Legame>);

impl Legami {
    const PRIMI: usize = 2;

    pub(super) fn new() -> Self {
        let legame = |prefisso: &str, namespace: &str| Legame {
            prefisso: prefisso.into(),
            namespace: namespace.into(),
        };
        Self(vec![legame("", ""), legame("xml", XML)])
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// Called between every two tokens, and mostly there is nothing to forget.
    #[inline]
    pub(super) fn truncate(&mut self, len: usize) {
        if self.0.len() > len {
            self.0.truncate(len);
        }
    }

    /// The namespace of a binding by its place.
    pub(super) fn namespace(&self, posto: usize) -> &str {
        &self.0[posto].namespace
    }

    /// Where a prefix is bound, innermost first. At most `bindings_max` are looked at.
    pub(super) fn cerca(&self, prefisso: &str) -> Option<usize> {
        self.0.iter().rposition(|legame| *legame.prefisso == *prefisso)
    }

    /// Prefixes with their namespaces, each once.
    pub(super) fn in_vigore(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0
            .iter()
            .enumerate()
            .filter(|(posto, legame)| self.cerca(&legame.prefisso) == Some(*posto))
            .map(|(_, legame)| (&*legame.prefisso, &*legame.namespace))
    }
}

/// An attribute as the reader keeps it: the namespace by the place of its binding.
#[derive(Debug)]
pub(super) struct Grezzo<'a> {
    pub(super) legame: usize,
    pub(super) prefisso: &'a str,
    pub(super) locale: &'a str,
    pub(super) valore: Cow<'a, str>,
    pub(super) offset: usize,
}

impl Grezzo<'_> {
    /// Whether the two have one expanded name.
    pub(super) fn is_same(&self, altro: &Self, legami: &Legami) -> bool {
        self.locale == altro.locale && legami.namespace(self.legame) == legami.namespace(altro.legame)
    }
}

/// The attributes of a start tag, in document order, without the namespace declarations.
#[derive(Debug, Clone, Copy)]
pub struct Attributi<'r> {
    pub(super) grezzi: &'r [Grezzo<'r>],
    pub(super) legami: &'r Legami,
}

impl<'r> Attributi<'r> {
    /// Each of them.
    pub fn iter(&self) -> impl Iterator<Item = Attributo<'r>> + use<'r> {
        let legami = self.legami;
        self.grezzi.iter().map(move |grezzo| Attributo {
            nome: Nome {
                namespace: legami.namespace(grezzo.legame),
                locale: grezzo.locale,
            },
            valore: Cow::Borrowed(&grezzo.valore),
        })
    }

    /// The value of `{namespace}locale`.
    #[must_use]
    pub fn valore(&self, namespace: &str, locale: &str) -> Option<&'r str> {
        self.grezzi
            .iter()
            .find(|grezzo| grezzo.locale == locale && self.legami.namespace(grezzo.legame) == namespace)
            .map(|grezzo| &*grezzo.valore)
    }

    /// How many.
    #[must_use]
    pub fn len(&self) -> usize {
        self.grezzi.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.grezzi.is_empty()
    }

    /// The name that is meant by a value which is a qualified name (`xsi:type`), white space around it left out; `None` of what
    /// is no such name, or has a prefix that is not bound here.
    #[must_use]
    pub fn nome_detto<'v>(&self, valore: &'v str) -> Option<Nome<'v>>
    where
        'r: 'v,
    {
        let (prefisso, locale) = qname(valore.trim_matches([' ', '\t', '\r', '\n']))?;
        let posto = self.legami.cerca(prefisso)?;
        Some(Nome {
            namespace: self.legami.namespace(posto),
            locale,
        })
    }
}

/// What a start tag says.
#[derive(Debug, Clone, Copy)]
pub(super) struct Apertura<'a> {
    pub(super) qname: &'a str,
    pub(super) locale: &'a str,
    pub(super) legame: usize,
    pub(super) vuoto: bool,
}

/// Reads the start tag `tag` (`<` to `>`), which stands at `offset`: its bindings are pushed onto `legami`, its
/// attributes replace `attributi`.
pub(super) fn leggi<'a>(
    tag: &'a str,
    offset: usize,
    legami: &mut Legami,
    attributi: &mut Vec<Grezzo<'a>>,
    limiti: &Limits,
) -> Result<Apertura<'a>, Guasto> {
    attributi.clear();
    let vuoto = tag.ends_with("/>");
    let dentro = &tag[1..tag.len() - if vuoto { 2 } else { 1 }];
    // No `<` may stand in a tag, in or out of quotes: a forgotten quote is found where it hurts.
    if let Some(i) = dentro.find('<') {
        return Err(Guasto::new(Codice::Env015, offset + 1 + i).with("motivo", "carattere < dentro un tag"));
    }
    check_caratteri(dentro, offset + 1)?;

    let fine_nome = dentro.bytes().position(is_spazio).unwrap_or(dentro.len());
    let nome = &dentro[..fine_nome];
    let (prefisso, locale) = nome_qualificato(nome, offset + 1, limiti)?;

    let dichiarati = legami.len();
    let mut quanti = 0;
    let mut scansione = Scansione {
        testo: dentro,
        offset: offset + 1,
        qui: fine_nome,
    };
    while let Some((nome, grezzo, dove)) = scansione.attributo()? {
        quanti += 1;
        if quanti > limiti.attributes_max {
            return Err(Guasto::new(Codice::Env021, dove).with("limite", limiti.attributes_max));
        }
        let (prefisso, locale) = nome_qualificato(nome, dove, limiti)?;
        if grezzo.len() > limiti.attribute_value_bytes_max {
            return Err(Guasto::new(Codice::Env024, dove)
                .with("attributo", mostra(nome))
                .with("limite", limiti.attribute_value_bytes_max));
        }
        let valore = valore_attributo(grezzo, scansione.offset + scansione.qui - grezzo.len() - 1)?;
        match (prefisso, locale) {
            ("", "xmlns") => dichiara(legami, dichiarati, "", &valore, dove, limiti)?,
            ("xmlns", prefisso) => dichiara(legami, dichiarati, prefisso, &valore, dove, limiti)?,
            _ => {
                attributi.push(Grezzo {
                    legame: 0,
                    prefisso,
                    locale,
                    valore,
                    offset: dove,
                });
            }
        }
    }

    if prefisso == "xmlns" {
        return Err(vietato(
            "il prefisso xmlns non può qualificare un elemento",
            offset + 1,
        ));
    }
    // Prefixes are resolved once all is read: a declaration may stand after its use.
    let risolvi = |prefisso: &str, dove: usize| {
        legami
            .cerca(prefisso)
            .ok_or_else(|| Guasto::new(Codice::Env012, dove).with("prefisso", mostra(prefisso)))
    };
    let spazio = risolvi(prefisso, offset + 1)?;
    for attributo in attributi.iter_mut() {
        // An attribute without a prefix is in no namespace, whatever the default one is.
        if !attributo.prefisso.is_empty() {
            attributo.legame = risolvi(attributo.prefisso, attributo.offset)?;
        }
    }
    check_doppi(attributi, legami)?;
    Ok(Apertura {
        qname: nome,
        locale,
        legame: spazio,
        vuoto,
    })
}

fn nome_qualificato<'a>(nome: &'a str, offset: usize, limiti: &Limits) -> Result<(&'a str, &'a str), Guasto> {
    if nome.len() > limiti.name_bytes_max {
        return Err(Guasto::new(Codice::Env023, offset).with("limite", limiti.name_bytes_max));
    }
    qname(nome).ok_or_else(|| Guasto::new(Codice::Env011, offset).with("nome", mostra(nome)))
}

fn vietato(motivo: &str, offset: usize) -> Guasto {
    Guasto::new(Codice::Env013, offset).with("motivo", motivo)
}

/// Takes up `xmlns:prefisso="namespace"` of a tag whose own bindings begin at `dichiarati`.
fn dichiara(
    legami: &mut Legami,
    dichiarati: usize,
    prefisso: &str,
    namespace: &str,
    offset: usize,
    limiti: &Limits,
) -> Result<(), Guasto> {
    match (prefisso, namespace) {
        ("xmlns", _) => return Err(vietato("il prefisso xmlns non si dichiara", offset)),
        ("xml", XML) => return Ok(()),
        ("xml", _) => return Err(vietato("il prefisso xml non può cambiare namespace", offset)),
        (_, XML) => {
            return Err(vietato(
                "il namespace di xml non può avere altri prefissi",
                offset,
            ));
        }
        (_, XMLNS) => return Err(vietato("il namespace di xmlns non si dichiara", offset)),
        ("", _) => {}
        (_, "") => {
            return Err(vietato(
                "un prefisso non può essere legato al namespace vuoto",
                offset,
            ));
        }
        _ => {}
    }
    if legami.0[dichiarati..]
        .iter()
        .any(|legame| *legame.prefisso == *prefisso)
    {
        let nome = if prefisso.is_empty() {
            "xmlns".to_owned()
        } else {
            format!("xmlns:{prefisso}")
        };
        return Err(Guasto::new(Codice::Env014, offset).with("attributo", mostra(&nome)));
    }
    if legami.len() - Legami::PRIMI >= limiti.bindings_max {
        return Err(Guasto::new(Codice::Env022, offset).with("limite", limiti.bindings_max));
    }
    // Many declare on each element what is in scope anyway.
    let gia = legami
        .0
        .iter()
        .rfind(|legame| *legame.prefisso == *prefisso && *legame.namespace == *namespace);
    let legame = gia.cloned().unwrap_or_else(|| Legame {
        prefisso: prefisso.into(),
        namespace: namespace.into(),
    });
    legami.0.push(legame);
    Ok(())
}

/// Refuses one expanded name twice, through whatever prefixes. Sorted, so that many attributes cost no square.
fn check_doppi(attributi: &[Grezzo<'_>], legami: &Legami) -> Result<(), Guasto> {
    if attributi.len() < 2 {
        return Ok(());
    }
    let mut nomi: Vec<_> = attributi
        .iter()
        .map(|attributo| {
            (
                attributo.locale,
                legami.namespace(attributo.legame),
                attributo.offset,
            )
        })
        .collect();
    nomi.sort_unstable();
    match nomi
        .windows(2)
        .find(|coppia| coppia[0].0 == coppia[1].0 && coppia[0].1 == coppia[1].1)
    {
        None => Ok(()),
        Some(coppia) => Err(Guasto::new(Codice::Env014, coppia[1].2).with("attributo", mostra(coppia[1].0))),
    }
}

/// Walks over the attributes of a tag.
struct Scansione<'a> {
    testo: &'a str,
    offset: usize,
    qui: usize,
}

impl<'a> Scansione<'a> {
    /// The next attribute: name, raw value, offset of the name. Stands after the closing quote then.
    fn attributo(&mut self) -> Result<Option<(&'a str, &'a str, usize)>, Guasto> {
        let prima = self.qui;
        self.spazi();
        if self.qui == self.testo.len() {
            return Ok(None);
        }
        let inizio = self.qui;
        if inizio == prima {
            return Err(self.errato("manca lo spazio prima di un attributo", inizio));
        }
        let resto = &self.testo.as_bytes()[inizio..];
        let lungo = resto
            .iter()
            .position(|&b| b == b'=' || is_spazio(b) || matches!(b, b'"' | b'\''))
            .unwrap_or(resto.len());
        let nome = &self.testo[inizio..inizio + lungo];
        self.qui += lungo;
        self.spazi();
        if self.byte() != Some(b'=') {
            return Err(self.errato("attributo senza valore", inizio));
        }
        self.qui += 1;
        self.spazi();
        let Some(virgoletta @ (b'"' | b'\'')) = self.byte() else {
            return Err(self.errato("valore senza virgolette", inizio));
        };
        self.qui += 1;
        let da = self.qui;
        let Some(lungo) = self.testo.as_bytes()[da..].iter().position(|&b| b == virgoletta) else {
            return Err(self.errato("virgolette non chiuse", inizio));
        };
        self.qui = da + lungo + 1;
        Ok(Some((nome, &self.testo[da..da + lungo], self.offset + inizio)))
    }

    fn byte(&self) -> Option<u8> {
        self.testo.as_bytes().get(self.qui).copied()
    }

    fn spazi(&mut self) {
        while self.byte().is_some_and(is_spazio) {
            self.qui += 1;
        }
    }

    fn errato(&self, motivo: &str, qui: usize) -> Guasto {
        Guasto::new(Codice::Env015, self.offset + qui).with("motivo", motivo)
    }
}
