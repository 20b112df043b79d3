//! What goes back: an envelope in the version it came in, or one sentence where there is none.

use std::fmt::Write as _;

use bytes::Bytes;
use tracing::error;

use super::{Esito, Incoming, Intake};
use crate::access::Quota;
use crate::catalogo::Genere;
use crate::domanda::Violazione;
use crate::prestazione::Operazione;
use crate::rifiuto::{Failure, Rifiuto};
use crate::soap::answer::{self, Risposta};
use crate::soap::fault::Fault;

/// What goes back: always an envelope, but for what HTTP itself refuses.
#[derive(Debug)]
pub struct Reply {
    /// HTTP status.
    pub status: u16,
    /// Content-Type of the bytes.
    pub content_type: &'static str,
    /// The envelope, or one sentence of text for what has none.
    pub bytes: Bytes,
    /// Seconds for `Retry-After`.
    pub retry_after_s: Option<u64>,
    /// For `X-RateLimit-*`.
    pub quota: Option<Quota>,
    /// The kind of fault, for `GovWay-Transaction-ErrorType`.
    pub genere: Option<&'static str>,
}

impl Intake {
    /// The Fault of a refusal, or one sentence where HTTP refuses.
    pub(super) fn fault_of(&self, failure: &Failure, incoming: &Incoming, esito: &Esito) -> Reply {
        let violazioni = failure.violazioni();
        let genere = violazioni.first().map(|violazione| violazione.voce().genere);
        let retry_after_s = match failure {
            Failure::Guasto(guasto) => {
                error!(message_id = %incoming.message_id, codice = %guasto.codice(), "message not taken: {guasto}");
                Some(self.retry_after.as_secs())
            }
            Failure::Rifiuto(Rifiuto::Access(negato)) => negato.riprova_fra_s,
            Failure::Rifiuto(Rifiuto::Http { status, .. }) => return plain(*status, &violazioni),
            Failure::Rifiuto(_) => None,
        };
        let (versione, non_compresi) = match failure {
            Failure::Rifiuto(Rifiuto::Envelope(errore)) => {
                (errore.versione().unwrap_or(esito.versione), errore.non_compresi())
            }
            _ => (esito.versione, &[][..]),
        };
        let fault = Fault {
            versione,
            violazioni: &violazioni,
            message_id: incoming.message_id,
            non_compresi,
        };
        Reply {
            status: fault.http_status(),
            content_type: versione.content_type(),
            bytes: fault.write().into(),
            retry_after_s,
            quota: esito.quota,
            genere: genere.map(Genere::nome),
        }
    }
}

/// The envelope of an answer.
pub(super) fn envelope_of(risposta: &Risposta, incoming: &Incoming, esito: &Esito) -> Reply {
    let operazione = esito.operazione.unwrap_or(Operazione::Echo);
    let bytes = answer::write(
        esito.versione,
        incoming.prestazione,
        operazione,
        risposta,
        incoming.message_id,
    );
    Reply {
        status: 200,
        content_type: esito.versione.content_type(),
        bytes: bytes.into(),
        retry_after_s: None,
        quota: esito.quota,
        genere: None,
    }
}

/// One sentence for what has no envelope.
#[must_use]
pub fn plain(status: u16, violazioni: &[Violazione]) -> Reply {
    let mut testo = String::new();
    for violazione in violazioni {
        let (frase, rimedio) = (violazione.testo(), violazione.suggerimento());
        // Writing to a String cannot fail.
        let _ = writeln!(testo, "{} {frase}. {rimedio}", violazione.codice);
    }
    Reply {
        status,
        content_type: "text/plain; charset=utf-8",
        bytes: testo.into(),
        retry_after_s: None,
        quota: None,
        genere: None,
    }
}
