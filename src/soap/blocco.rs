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
    pub locale: Cow<'static, str>,
    /// Its attributes: namespace, local name, value.
    pub attributi: Vec<[Cow<'static, str>; 3]>,
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
            namespace: parola(nome.namespace),
            locale: parola(nome.locale),
            attributi: attributi
                .iter()
                .map(|attributo| {
                    [attributo.nome.namespace, attributo.nome.locale, &attributo.valore].map(parola)
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
            .find(|[ns, nome, _]| nome == locale && ns == namespace)
            .map(|[_, _, valore]| &**valore)
    }
}

/// A name or a value of an attribute as it is kept: of the words that the blocks which we understand are made of there is one
/// copy, so that a header is mostly read without asking for memory.
fn parola(testo: &str) -> Cow<'static, str> {
    let lunghe_uguali = match PRIME.get(testo.len()..testo.len() + 2) {
        Some(&[prima, dopo]) => &PAROLE[prima..dopo],
        _ => &[],
    };
    match lunghe_uguali.iter().find(|nota| **nota == testo) {
        Some(nota) => Cow::Borrowed(nota),
        None => Cow::Owned(testo.to_owned()),
    }
}

/// Those words, the shorter first.
const PAROLE: &[&str] = &[
    "",
    "1",
    "To",
    "SPC",
    "INPS",
    "tipo",
    "actor",
    "false",
    "tempo",
    "Action",
    "Azione",
    "UserId",
    "inoltro",
    "Identity",
    "Mittente",
    "Servizio",
    "MessageID",
    "Messaggio",
    "EGOV_IT_SPC",
    "Destinatario",
    "Intestazione",
    "CodiceUfficio",
    "Collaborazione",
    "Identificatore",
    "mustUnderstand",
    INPS,
    "OraRegistrazione",
    "X-Correlation-ID",
    "confermaRicezione",
    "IdentificativoParte",
    "ProfiloTrasmissione",
    "EGOV_IT_ALPIUUNAVOLTA",
    "IntestazioneMessaggio",
    "ProfiloCollaborazione",
    WSA,
    V12,
    "http://www.cnipa.it/eGov_it/portadominio",
    V11,
    EGOV,
];

/// At which place the words of each length begin.
const PRIME: [usize; 64] = {
    let mut prime = [0; 64];
    let (mut lunga, mut posto) = (0, 0);
    while lunga < prime.len() {
        while posto < PAROLE.len() && PAROLE[posto].len() < lunga {
            posto += 1;
        }
        prime[lunga] = posto;
        lunga += 1;
    }
    prime
};

const V11: &str = SoapVersion::V11.namespace();
const V12: &str = SoapVersion::V12.namespace();

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_that_are_kept_once_stand_in_their_order() {
        assert!(PAROLE.is_sorted_by_key(|nota| nota.len()));
        for nota in PAROLE {
            assert!(matches!(parola(nota), Cow::Borrowed(stessa) if stessa == *nota));
        }
        for altra in [
            "PatronatoUno",
            "2",
            "SPA",
            "urn:a",
            &"u".repeat(62),
            &"u".repeat(63),
            &"u".repeat(1000),
        ] {
            assert!(matches!(parola(altra), Cow::Owned(stessa) if stessa == altra));
        }
    }
}
