//! How far a daily register goes, read back from the document as it is kept outside the store: the last number that it
//! says was given.

use jiff::civil::Date;

use super::giornaliero::NAMESPACE;
use crate::protocollo::NumeroProtocollo;
use crate::xml::{Limits, Reader, Token};

/// Of which register and day a document is, and how far it goes.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Estremo {
    /// The ambiente of the store that made it.
    pub ambiente: String,
    /// The register.
    pub registro: String,
    /// The day.
    pub giorno: Date,
    /// Year and last number, the holes declared on the day included; `None` on a day that has neither.
    pub ultimo: Option<(i16, u64)>,
    /// The last number of a domanda; 0 where there is none.
    pub domanda: u64,
}

impl Estremo {
    /// Reads a document up to `giorno` only: of which register and day it is. `None` when it is no daily register.
    #[must_use]
    pub fn of_head(documento: &[u8]) -> Option<Self> {
        read(documento, true)
    }

    /// Reads a whole document.
    #[must_use]
    pub fn of(documento: &[u8]) -> Option<Self> {
        read(documento, false)
    }
}

/// One pass over the document; a hole's year comes before its numbers.
fn read(documento: &[u8], solo_testa: bool) -> Option<Estremo> {
    // The document of a day is ours and as long as the day was busy.
    let limits = Limits {
        elements_max: usize::MAX,
        ..Limits::default()
    };
    let mut reader = Reader::new(documento, &limits);
    let mut letto = Estremo::default();
    let mut dentro: Vec<Campo> = Vec::with_capacity(8);
    let mut testo = String::new();
    let mut anno = 0;
    loop {
        match reader.next().ok()? {
            Token::Start { nome, .. } => {
                if nome.namespace != NAMESPACE {
                    return None;
                }
                let campo = Campo::of(dentro.last().copied(), nome.locale);
                if dentro.is_empty() && campo != Campo::Radice {
                    return None;
                }
                dentro.push(campo);
                testo.clear();
            }
            Token::Text(pezzo) => testo.push_str(&pezzo),
            Token::End { .. } => {
                let valore = testo.trim();
                match dentro.pop()? {
                    Campo::Ambiente => valore.clone_into(&mut letto.ambiente),
                    Campo::Registro => valore.clone_into(&mut letto.registro),
                    Campo::Giorno => {
                        letto.giorno = valore.parse().ok()?;
                        if solo_testa {
                            return Some(letto);
                        }
                    }
                    Campo::Protocollo => {
                        let numero: NumeroProtocollo = valore.parse().ok()?;
                        letto.ultimo = letto.ultimo.max(Some((numero.anno(), numero.numero())));
                    }
                    Campo::Anno => anno = valore.parse().ok()?,
                    Campo::Fino => letto.ultimo = letto.ultimo.max(Some((anno, valore.parse().ok()?))),
                    Campo::Domanda => letto.domanda = letto.domanda.max(valore.parse().ok()?),
                    Campo::Radice
                    | Campo::Intestazione
                    | Campo::Registrazione
                    | Campo::Lacuna
                    | Campo::Altro => {}
                }
                testo.clear();
            }
            Token::Eof => return Some(letto),
        }
    }
}

/// The elements that tell how far it goes, each in its own place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Campo {
    Radice,
    Intestazione,
    Ambiente,
    Registro,
    Giorno,
    Registrazione,
    Protocollo,
    Lacuna,
    Anno,
    Fino,
    Domanda,
    Altro,
}

impl Campo {
    fn of(padre: Option<Self>, nome: &str) -> Self {
        match (padre, nome) {
            (None, "RegistroGiornaliero") => Self::Radice,
            (Some(Self::Radice), "Intestazione") => Self::Intestazione,
            (Some(Self::Intestazione), "Ambiente") => Self::Ambiente,
            (Some(Self::Intestazione), "Registro") => Self::Registro,
            (Some(Self::Intestazione), "Giorno") => Self::Giorno,
            (Some(_), "Registrazione") => Self::Registrazione,
            (Some(Self::Registrazione), "Protocollo") => Self::Protocollo,
            (Some(_), "Lacuna") => Self::Lacuna,
            (Some(Self::Lacuna), "Anno") => Self::Anno,
            (Some(Self::Lacuna), "A") => Self::Fino,
            (Some(Self::Registrazione), "NumeroDomanda") | (Some(Self::Lacuna), "DomandaA") => Self::Domanda,
            _ => Self::Altro,
        }
    }
}
