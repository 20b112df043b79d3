//! How an answer to a porta looks: in a busta, or in one of the three shapes of an error. The sentences and places of the
//! shapes are part of the protocol (`egov`); here is decided which one it is.

use bytes::Bytes;

use super::BustaLetta;
use crate::adesione::Peer;
use crate::catalogo::{Codice, Genere};
use crate::domanda::Violazione;
use crate::egov::{self, Dettaglio, Eccezione};
use crate::intake::{Diario, Incoming, Indirizzo, Intake, Reply};
use crate::rifiuto::{Failure, Rifiuto};
use crate::soap::SoapVersion;
use crate::soap::answer::Risposta;
use crate::trace::egov::{Diagnostico, Forma};

/// How a message is answered.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::intake) enum Veste {
    /// By the service itself: its answer or its fault.
    Propria,
    /// A: no busta can be trusted.
    SoloFault(Box<Violazione>),
    /// B: the busta is not taken.
    Eccezioni(Vec<Eccezione>),
    /// C: it could not be worked; the same busta may be sent again.
    Processamento(Box<Violazione>),
}

impl Veste {
    /// What an outcome looks like to a porta.
    pub(in crate::intake) fn of(esito: &Result<Risposta, Failure>) -> Self {
        let Err(failure) = esito else {
            return Self::Propria;
        };
        let prima = || {
            let prima = failure.violazioni().into_iter().next();
            Box::new(prima.unwrap_or_else(|| Violazione::at(Codice::Sys001, "")))
        };
        match failure {
            Failure::Guasto(_) | Failure::Rifiuto(Rifiuto::Http { .. } | Rifiuto::BloccoNonCompreso) => {
                Self::Processamento(prima())
            }
            // Over the quota: later the same busta is taken.
            Failure::Rifiuto(Rifiuto::Access(negato)) if negato.riprova_fra_s.is_some() => {
                Self::Processamento(prima())
            }
            Failure::Rifiuto(Rifiuto::Access(_)) => {
                Self::Eccezioni(vec![Eccezione::non_autorizzato("Mittente non abilitato")])
            }
            Failure::Rifiuto(Rifiuto::MittenteDiAltri { .. }) => {
                Self::Eccezioni(vec![Eccezione::non_autorizzato(
                    "Il certificato non è del Mittente",
                )])
            }
            Failure::Rifiuto(Rifiuto::BustaDoppia) => Self::Eccezioni(vec![Eccezione::doppione()]),
            Failure::Rifiuto(Rifiuto::Busta(eccezioni)) => Self::Eccezioni(eccezioni.clone()),
            Failure::Rifiuto(Rifiuto::Envelope(errore)) => match errore.violazione().codice.voce().genere {
                // Which operation it is, is the service's to say.
                Genere::UndefinedOperation => Self::Propria,
                Genere::SoapMustUnderstandUnknown => Self::Processamento(prima()),
                _ => Self::SoloFault(prima()),
            },
            Failure::Rifiuto(Rifiuto::SenzaBusta(_)) => Self::SoloFault(prima()),
            Failure::Rifiuto(Rifiuto::Lettura(violazione)) => match violazione.codice.voce().prefisso() {
                "ENV" | "MTM" => Self::SoloFault(prima()),
                _ => Self::Propria,
            },
            Failure::Rifiuto(
                Rifiuto::Identity(_)
                | Rifiuto::Conflitto { .. }
                | Rifiuto::ChiaveDiLotto { .. }
                | Rifiuto::Forma(_)
                | Rifiuto::Regole { .. }
                | Rifiuto::AltraAzione { .. }
                | Rifiuto::NonTrovata,
            ) => Self::Propria,
        }
    }

    /// Whether the message was taken, and its Identificatore with it.
    pub(in crate::intake) fn is_propria(&self) -> bool {
        *self == Self::Propria
    }
}

impl Intake {
    /// Shape C to what was not read, for what HTTP alone can tell; with a diagnostic, since there is no busta to record.
    pub fn not_processed(&self, violazione: &Violazione, peer: &Peer, diario: &mut Diario) -> Reply {
        diario.traccia().egov = Some(Box::new(self.porta.exchange(peer)));
        diario.diagnosed(diagnostico(1, violazione, peer));
        diario.answered(Forma::Processamento, None);
        diario.refused("FAULT", std::slice::from_ref(violazione));
        fault(processamento(None, violazione), None)
    }

    /// The reply as a porta gets it; to whoever is none, as it is.
    pub(in crate::intake) fn dress(
        &self,
        reply: Reply,
        veste: Veste,
        letta: Option<&BustaLetta>,
        incoming: &Incoming,
        diario: &mut Diario,
    ) -> Reply {
        if matches!(incoming.indirizzo, Indirizzo::Servizio(_)) {
            return reply;
        }
        let dominio = &self.porta.dominio;
        match (veste, letta) {
            (Veste::Propria, Some(letta)) => {
                let header = diario
                    .sent()
                    .unwrap_or_else(|| letta.header(dominio, &letta.avvisi));
                let bytes = egov::con_intestazione(&reply.bytes, &header.intestazione);
                diario.answered(Forma::Risposta, Some(header));
                Reply {
                    status: if reply.status == 200 { 200 } else { 500 },
                    bytes: bytes.into(),
                    genere: None,
                    ..reply
                }
            }
            (Veste::Eccezioni(eccezioni), Some(letta)) => {
                let header = letta.header(dominio, &eccezioni);
                let bytes = egov::errore_di_validazione(&header.intestazione);
                diario.answered(Forma::Eccezioni, Some(header));
                fault(bytes, None)
            }
            (Veste::Processamento(violazione), letta) => {
                // No list, not even of INFO findings.
                let header = letta.map(|letta| letta.header(dominio, &[]));
                let bytes = processamento(header.as_ref().map(|header| &header.intestazione), &violazione);
                if header.is_none() {
                    diario.diagnosed(diagnostico(2, &violazione, &incoming.peer));
                }
                diario.answered(Forma::Processamento, header);
                fault(bytes, reply.retry_after_s)
            }
            (Veste::SoloFault(violazione), _) => {
                diario.diagnosed(diagnostico(1, &violazione, &incoming.peer));
                diario.answered(Forma::SoloFault, None);
                fault(egov::errore_di_formato(), None)
            }
            // Nothing that needs a busta comes before one is read.
            (Veste::Propria | Veste::Eccezioni(_), None) => {
                let violazione = Violazione::at(Codice::Sys001, "");
                diario.answered(Forma::Processamento, None);
                fault(processamento(None, &violazione), None)
            }
        }
    }
}

/// Shape C, with one of our codes beside it.
fn processamento(intestazione: Option<&Bytes>, violazione: &Violazione) -> Vec<u8> {
    let (codice, testo) = (violazione.codice.as_str(), violazione.testo());
    let dettaglio = Dettaglio {
        codice,
        testo: &testo,
    };
    egov::errore_di_processamento(intestazione.map(|bytes| &bytes[..]), Some(dettaglio))
}

/// Every fault of a porta is a 500.
fn fault(bytes: Vec<u8>, retry_after_s: Option<u64>) -> Reply {
    Reply {
        status: 500,
        content_type: SoapVersion::V11.content_type(),
        bytes: bytes.into(),
        retry_after_s,
        quota: None,
        genere: None,
        flusso: None,
    }
}

fn diagnostico(livello: u8, violazione: &Violazione, peer: &Peer) -> Diagnostico {
    Diagnostico {
        livello,
        testo: format!(
            "{} {} (da {}, certificato {})",
            violazione.codice,
            violazione.testo(),
            peer.indirizzo,
            peer.certificato.soggetto
        ),
    }
}
