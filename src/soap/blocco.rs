//! Header blocks: kept whole, since they are small (the envelope's beginning is bounded) and read by several.

use std::borrow::Cow;
use std::ops::Range;

use super::SoapVersion;
use super::envelope::{EGOV, INPS, WSA};
use crate::domanda::Posizione;
use crate::xml::{Attributi, Nome, Reader, Token, XmlError};

/// A header block, and what SOAP says about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Blocco {
    /// The block itself.
    pub elemento: Elemento,
    /// Whether it must be understood by whom it is for.
    pub must_understand: bool,
    /// Whether it is for us: no role or actor, or that of the ultimate receiver or of the next one.
    pub per_noi: bool,
    /// Where it lies in the message.
    pub byte: Range<usize>,
}

/// An element with all that stands in it.
#[derive(Clone, PartialEq, Eq)]
pub struct Elemento {
    /// Its namespace, empty when there is none.
    pub namespace: Cow<'static, str>,
    /// Its local name.
    pub locale: String,
    /// Its attributes: namespace, local name, value.
    pub attributi: Vec<(String, String, String)>,
    /// Its own text, untrimmed.
    pub testo: String,
    /// Its children.
    pub figli: Vec<Self>,
    /// Where it begins.
    pub posizione: Posizione,
}

/// Only names: the values say who works where.
impl std::fmt::Debug for Elemento {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Elemento")
            .field("nome", &self.nome().to_string())
            .field("figli", &self.figli)
            .finish_non_exhaustive()
    }
}

impl Elemento {
    /// The element of a start tag, still empty and without its place.
    pub(crate) fn new(nome: Nome<'_>, attributi: Attributi<'_>) -> Self {
        Self {
            namespace: noto(nome.namespace),
            locale: nome.locale.to_owned(),
            attributi: attributi
                .iter()
                .map(|attributo| {
                    (
                        attributo.nome.namespace.to_owned(),
                        attributo.nome.locale.to_owned(),
                        attributo.valore.into_owned(),
                    )
                })
                .collect(),
            testo: String::new(),
            figli: Vec::new(),
            posizione: Posizione::default(),
        }
    }

    /// Its name.
    #[must_use]
    pub fn nome(&self) -> Nome<'_> {
        Nome {
            namespace: &self.namespace,
            locale: &self.locale,
        }
    }

    /// Whether this is `{namespace}locale`.
    #[must_use]
    pub fn is(&self, namespace: &str, locale: &str) -> bool {
        self.nome().is(namespace, locale)
    }

    /// The first child of a name.
    #[must_use]
    pub fn figlio(&self, namespace: &str, locale: &str) -> Option<&Self> {
        self.figli.iter().find(|figlio| figlio.is(namespace, locale))
    }

    /// The value of an attribute.
    #[must_use]
    pub fn attributo(&self, namespace: &str, locale: &str) -> Option<&str> {
        self.attributi
            .iter()
            .find(|(ns, nome, _)| ns == namespace && nome == locale)
            .map(|(_, _, valore)| valore.as_str())
    }
}

/// A namespace as it is kept: of all blocks that we understand there is one copy.
fn noto(namespace: &str) -> Cow<'static, str> {
    [EGOV, INPS, WSA]
        .into_iter()
        .find(|noto| *noto == namespace)
        .map_or_else(|| Cow::Owned(namespace.to_owned()), Cow::Borrowed)
}

/// A block whose `mustUnderstand` is no boolean.
pub(super) struct Errato {
    pub(super) elemento: Elemento,
    pub(super) valore: String,
}

impl Blocco {
    /// A header block of an envelope of this version.
    pub(super) fn of(
        elemento: Elemento,
        byte: Range<usize>,
        versione: SoapVersion,
    ) -> Result<Self, Box<Errato>> {
        let env = versione.namespace();
        let must_understand = match elemento.attributo(env, "mustUnderstand").map(str::trim) {
            None | Some("0" | "false") => false,
            Some("1" | "true") => true,
            Some(altro) => {
                let valore = altro.chars().filter(|c| !c.is_control()).take(32).collect();
                return Err(Box::new(Errato { elemento, valore }));
            }
        };
        let destinatario = match versione {
            SoapVersion::V12 => elemento.attributo(env, "role"),
            SoapVersion::V11 => elemento.attributo(env, "actor"),
        };
        let per_noi = matches!(
            destinatario.map(str::trim),
            None | Some(
                "" | "http://www.w3.org/2003/05/soap-envelope/role/ultimateReceiver"
                    | "http://www.w3.org/2003/05/soap-envelope/role/next"
                    | "http://schemas.xmlsoap.org/soap/actor/next"
            )
        );
        Ok(Self {
            elemento,
            must_understand,
            per_noi,
            byte,
        })
    }
}

/// Reads on to the end of `blocco`, whose start tag was just read. No recursion: depth is the sender's choice.
pub(crate) fn leggi_blocco(reader: &mut Reader<'_>, blocco: Elemento) -> Result<Elemento, XmlError> {
    let mut aperti: Vec<Elemento> = Vec::new();
    let mut corrente = blocco;
    loop {
        let nuovo = match reader.next()? {
            Token::Start { nome, attributi, .. } => Some(Elemento::new(nome, attributi)),
            Token::Text(testo) => {
                corrente.testo.push_str(&testo);
                continue;
            }
            Token::End { .. } | Token::Eof => None,
        };
        match (nuovo, aperti.pop()) {
            (Some(mut nuovo), padre) => {
                nuovo.posizione = reader.posizione();
                aperti.extend(padre);
                aperti.push(std::mem::replace(&mut corrente, nuovo));
            }
            (None, Some(mut padre)) => {
                padre.figli.push(corrente);
                corrente = padre;
            }
            (None, None) => return Ok(corrente),
        }
    }
}
