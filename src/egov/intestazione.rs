//! The header block Intestazione as it was received: its values, its bytes, and what is wrong with its syntax. It promises
//! that every field was looked at before anything is told, and that a busta whose parts cannot be told from each other
//! is [`Illeggibile`]: an identifying element or attribute is missing, or one that stands once stands twice. A wrong
//! value is a finding. Values are kept as they came (without the white space around them): an answer echoes them.

use std::ops::Range;

use memchr::memmem;

use super::costanti::{EGOV, PORTA_DOMINIO, SOAP, SPC};
use super::eccezione::{CodiceEgov, Eccezione};
use super::lettura::{self, Campi};
use crate::soap::envelope::Envelope;
use crate::soap::scrittore::Scrittore;
use crate::soap::{Elemento, SoapVersion, leggi_blocco};
use crate::xml::{Limits, Reader, Token, XmlError, is_bianco};

/// What was read of a message: its header block, and where that lies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Busta {
    /// The fields.
    pub intestazione: Intestazione,
    /// Findings of syntax, in document order, each once.
    pub rilievi: Vec<Eccezione>,
    /// Where the header block lies in the message: what a trace keeps.
    pub byte: Range<usize>,
    /// What the message bound outside of the header block and the block may mean, as text of attributes
    /// (` xmlns:a="urn:a"`): with it the block is XML also by itself.
    pub legami: String,
    /// Another block is for a porta di dominio, must be understood, and is not: shape C.
    pub non_compreso: bool,
}

/// The fields of an Intestazione. What is absent is `None`; what is there and empty is the empty text.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Intestazione {
    /// Who sends.
    pub mittente: Option<Parte>,
    /// Whom it is for.
    pub destinatario: Option<Parte>,
    /// `ProfiloCollaborazione`, as written.
    pub profilo: Option<String>,
    /// `servizioCorrelato` or `tipo` of the profile is there.
    pub profilo_correlato: bool,
    /// `Collaborazione`.
    pub collaborazione: Option<String>,
    /// Which service.
    pub servizio: Option<Servizio>,
    /// Which of its actions.
    pub azione: Option<String>,
    /// `Messaggio/Identificatore`, as written: the key of the duplicate filter.
    pub identificatore: Option<String>,
    /// `Messaggio/OraRegistrazione`, as written.
    pub ora_registrazione: Option<String>,
    /// Its `tempo`.
    pub tempo: Option<String>,
    /// `Messaggio/RiferimentoMessaggio`.
    pub riferimento: Option<String>,
    /// `Messaggio/Scadenza`, as written.
    pub scadenza: Option<String>,
    /// `ProfiloTrasmissione`.
    pub trasmissione: Option<ProfiloTrasmissione>,
    /// `Sequenza/@numeroProgressivo`.
    pub sequenza: Option<String>,
    /// `ListaRiscontri` is there.
    pub riscontri: bool,
    /// `ListaTrasmissioni`.
    pub trasmissioni: Vec<Trasmissione>,
    /// `ListaEccezioni`: what the sender tells of one of our messages.
    pub eccezioni: Vec<Eccezione>,
}

/// A party.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct Parte {
    /// Of which list the name is: `SPC`.
    pub tipo: String,
    /// Its name.
    pub nome: String,
    /// `indirizzoTelematico`, which nobody uses any more.
    pub indirizzo: Option<String>,
}

impl Parte {
    /// A party of type SPC.
    #[must_use]
    pub fn spc(nome: &str) -> Self {
        Self {
            tipo: SPC.to_owned(),
            nome: nome.to_owned(),
            indirizzo: None,
        }
    }

    /// Whether this is the same party, wherever it can be reached.
    #[must_use]
    pub fn is(&self, altra: &Self) -> bool {
        self.tipo == altra.tipo && self.nome == altra.nome
    }
}

/// A service.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct Servizio {
    /// Of which list the name is: `SPC`.
    pub tipo: String,
    /// Its name.
    pub nome: String,
}

/// How a message may be handed on.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ProfiloTrasmissione {
    /// `inoltro`.
    pub inoltro: Option<String>,
    /// `confermaRicezione`.
    pub conferma: Option<String>,
}

/// One hop of `ListaTrasmissioni`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trasmissione {
    /// From whom.
    pub origine: Parte,
    /// To whom.
    pub destinazione: Parte,
    /// Its `tempo`.
    pub tempo: Option<String>,
}

/// No e-Gov header can be trusted: shape A, and a diagnostic instead of a trace.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Illeggibile {
    /// Not well-formed, or over a bound.
    #[error(transparent)]
    Xml(#[from] XmlError),
    /// No envelope of SOAP 1.1.
    #[error("no SOAP 1.1 envelope")]
    Envelope,
    /// No header block Intestazione.
    #[error("no Intestazione")]
    SenzaIntestazione,
    /// More than one.
    #[error("more than one Intestazione")]
    PiuIntestazioni,
    /// What identifies is missing, or a single element is repeated.
    #[error("structure broken at {posizione}")]
    Struttura {
        /// Which element or attribute.
        posizione: &'static str,
    },
}

impl Illeggibile {
    /// One sentence for the diagnostic. Names and numbers, never content.
    #[must_use]
    pub fn testo(&self) -> String {
        match self {
            Self::Xml(errore) => {
                let violazione = errore.violazione();
                let posto = violazione.posizione.unwrap_or_default();
                format!(
                    "{}, riga {}, colonna {}: {}",
                    violazione.codice,
                    posto.riga,
                    posto.colonna,
                    violazione.testo()
                )
            }
            Self::Envelope => "il messaggio non è un envelope SOAP 1.1".to_owned(),
            Self::SenzaIntestazione => "manca l'Intestazione di e-Gov".to_owned(),
            Self::PiuIntestazioni => "l'Intestazione di e-Gov è presente più volte".to_owned(),
            Self::Struttura { posizione } => format!("struttura errata della busta: {posizione}"),
        }
    }
}

impl Busta {
    /// The header block of a message whose envelope was opened: the same as [`Busta::read`] makes of these bytes, without
    /// reading them again.
    pub fn of(envelope: &Envelope, bytes: &[u8], limits: &Limits) -> Result<Self, Illeggibile> {
        if envelope.versione != SoapVersion::V11 {
            return Err(Illeggibile::Envelope);
        }
        let mut blocchi = envelope
            .blocchi
            .iter()
            .filter(|blocco| is_intestazione(&blocco.elemento));
        let blocco = blocchi.next().ok_or(Illeggibile::SenzaIntestazione)?;
        if blocchi.next().is_some() {
            return Err(Illeggibile::PiuIntestazioni);
        }
        let mut campi = Campi::new(&blocco.elemento);
        let intestazione = campi.intestazione()?;
        if intestazione.eccezioni.iter().any(Eccezione::is_grave) {
            // What the fault of such a message says is in the Body.
            return Self::read(bytes, limits);
        }
        let Some(ambito) = &envelope.ambito else {
            return Err(Illeggibile::Envelope);
        };
        Ok(Self {
            intestazione,
            rilievi: campi.finish(),
            legami: legami(ambito.namespaces(), &bytes[blocco.byte.clone()]),
            byte: blocco.byte.clone(),
            non_compreso: envelope
                .blocchi
                .iter()
                .any(|altro| !is_intestazione(&altro.elemento) && is_non_compreso(&altro.elemento)),
        })
    }

    /// Reads the header block of a message. `bytes` are the envelope from its first byte, at least up to the start tag
    /// of its Body; of a busta that carries grave exceptions the Body's fault is looked at as well.
    pub fn read(bytes: &[u8], limits: &Limits) -> Result<Self, Illeggibile> {
        let testa = &bytes[..bytes.len().min(limits.envelope_head_bytes_max)];
        let mut reader = Reader::new(testa, limits);
        let mut header = Testata::default();
        if !is_envelope(&mut reader)? {
            return Err(Illeggibile::Envelope);
        }
        let mut visto = false;
        loop {
            let figlio = match reader.next()? {
                Token::Start { nome, .. } if nome.is(SOAP, "Body") => break,
                Token::Start { nome, .. } => nome.is(SOAP, "Header") && !visto,
                Token::Text(testo) if is_bianco(&testo) => continue,
                Token::Text(_) | Token::End { .. } | Token::Eof => return Err(Illeggibile::Envelope),
            };
            if !figlio {
                return Err(Illeggibile::Envelope);
            }
            visto = true;
            header = Testata::read(&mut reader, testa, limits)?;
        }
        let Some((elemento, byte)) = header.intestazione else {
            return Err(Illeggibile::SenzaIntestazione);
        };
        let mut campi = Campi::new(&elemento);
        let intestazione = campi.intestazione()?;
        if intestazione.eccezioni.iter().any(Eccezione::is_grave) {
            lettura::check_fault(&mut reader, &mut campi)?;
        }
        Ok(Self {
            intestazione,
            rilievi: campi.finish(),
            byte,
            legami: header.legami,
            non_compreso: header.non_compreso,
        })
    }
}

/// Reads the root's start tag.
fn is_envelope(reader: &mut Reader<'_>) -> Result<bool, XmlError> {
    loop {
        if let Token::Start { nome, .. } = reader.next()? {
            return Ok(nome.is(SOAP, "Envelope"));
        }
    }
}

/// The Header, of which one block counts.
#[derive(Default)]
struct Testata {
    intestazione: Option<(Elemento, Range<usize>)>,
    legami: String,
    non_compreso: bool,
}

/// Whether a block is the header of a busta. It is told by its actor, or by its namespace: with both wrong it is none.
fn is_intestazione(blocco: &Elemento) -> bool {
    blocco.locale == "Intestazione" && (is_per_la_porta(blocco) || blocco.namespace == EGOV)
}

/// Whether a block that is no Intestazione is for a porta, and must be understood.
fn is_non_compreso(blocco: &Elemento) -> bool {
    let richiesto = blocco
        .attributo(SOAP, "mustUnderstand")
        .is_some_and(|valore| matches!(valore.trim(), "1" | "true"));
    richiesto && is_per_la_porta(blocco)
}

fn is_per_la_porta(blocco: &Elemento) -> bool {
    blocco
        .attributo(SOAP, "actor")
        .is_some_and(|actor| actor.trim() == PORTA_DOMINIO)
}

impl Testata {
    /// The blocks of the Header whose start tag was just read.
    fn read(reader: &mut Reader<'_>, testa: &[u8], limits: &Limits) -> Result<Self, Illeggibile> {
        let mut testata = Self::default();
        let ambito = reader.checkpoint();
        let dentro = reader.depth();
        let mut blocchi = 0;
        loop {
            let blocco = match reader.next()? {
                Token::Start { nome, attributi, .. } => Elemento::new(nome, attributi),
                Token::Text(testo) if is_bianco(&testo) => continue,
                Token::Text(_) => return Err(Illeggibile::Envelope),
                Token::End { .. } | Token::Eof => return Ok(testata),
            };
            blocchi += 1;
            if blocchi > limits.header_blocks_max {
                return Err(Illeggibile::Envelope);
            }
            if !is_intestazione(&blocco) {
                testata.non_compreso |= is_non_compreso(&blocco);
                while reader.depth() > dentro {
                    reader.next()?;
                }
                continue;
            }
            if testata.intestazione.is_some() {
                return Err(Illeggibile::PiuIntestazioni);
            }
            let inizio = reader.offset();
            let elemento = leggi_blocco(reader, blocco)?;
            let byte = inizio..reader.end_offset();
            testata.legami = legami(ambito.namespaces(), &testa[byte.clone()]);
            testata.intestazione = Some((elemento, byte));
        }
    }
}

/// The bindings that a block may mean, as attributes: those whose prefix stands in it before a colon, in a name or in a
/// value, and the default one. `xml` is bound always.
fn legami<'n>(namespaces: impl Iterator<Item = (&'n str, &'n str)>, blocco: &[u8]) -> String {
    let mut w = Scrittore::new();
    for (prefisso, namespace) in namespaces {
        match prefisso {
            "xml" => {}
            "" if namespace.is_empty() => {}
            "" => w.attributo("xmlns", namespace),
            prefisso if memmem::find(blocco, format!("{prefisso}:").as_bytes()).is_some() => {
                w.attributo(&format!("xmlns:{prefisso}"), namespace);
            }
            _ => {}
        }
    }
    w.into_string()
}

/// The places of a party's fields.
pub(super) struct Posti {
    pub(super) codice: CodiceEgov,
    pub(super) radice: &'static str,
    pub(super) parte: &'static str,
    pub(super) tipo: &'static str,
    pub(super) indirizzo: &'static str,
}

macro_rules! posti {
    ($($nome:ident $codice:ident $radice:literal)+) => {
        $(pub(super) const $nome: Posti = Posti {
            codice: CodiceEgov::$codice,
            radice: $radice,
            parte: concat!($radice, "/IdentificativoParte"),
            tipo: concat!($radice, "/IdentificativoParte/tipo"),
            indirizzo: concat!($radice, "/IdentificativoParte/indirizzoTelematico"),
        };)+
    };
}

posti! {
    MITTENTE E101 "Mittente"
    DESTINATARIO E102 "Destinatario"
    ORIGINE E116 "ListaTrasmissioni/Trasmissione/Origine"
    DESTINAZIONE E116 "ListaTrasmissioni/Trasmissione/Destinazione"
}
