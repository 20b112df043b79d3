//! What goes back: an envelope in the version it came in, or one sentence where there is none.

use std::fmt::{self, Write as _};
use std::sync::Arc;

use bytes::Bytes;
use futures_util::stream::{self, Stream, StreamExt as _};
use tracing::error;
use uuid::Uuid;

use super::{Esito, Incoming, Intake};
use crate::access::Quota;
use crate::catalogo::Genere;
use crate::domanda::Violazione;
use crate::prestazione::{Operazione, PRESTAZIONI};
use crate::rifiuto::{Failure, Guasto, Rifiuto};
use crate::soap::answer::{self, FormatoEsito, Risposta};
use crate::soap::fault::Fault;
use crate::store::{SharedStore, StoreError};

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
    /// What follows the bytes, read from the store while it is sent.
    pub flusso: Option<Flusso>,
}

/// The outcome of a lot while it is told: a page at a time, so that neither memory nor a reading transaction lasts.
pub struct Flusso {
    store: SharedStore,
    lotto: Uuid,
    solo_rifiutate: bool,
    formato: FormatoEsito,
    chiusura: Bytes,
}

impl fmt::Debug for Flusso {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Flusso")
            .field("lotto", &self.lotto)
            .finish_non_exhaustive()
    }
}

impl Flusso {
    /// First these bytes, then the pages, then the end. A page that cannot be read breaks the answer off: it is then not
    /// well-formed, and nobody takes a part for the whole.
    pub fn after(self, apertura: Bytes) -> impl Stream<Item = Result<Bytes, StoreError>> + 'static {
        let principio = stream::once(async move { Ok(apertura) });
        let pagine = stream::try_unfold((self, Some(0)), |(flusso, dopo)| async move {
            let Some(dopo) = dopo else {
                return Ok(None);
            };
            let (byte, dopo) = flusso.page(dopo).await?;
            Ok(Some((byte, (flusso, dopo))))
        });
        principio.chain(pagine)
    }

    /// A page behind a place, and the place behind it; the last one has none, and ends the answer.
    async fn page(&self, dopo: u64) -> Result<(Bytes, Option<u64>), StoreError> {
        let esiti = self
            .store
            .esiti_lotto(self.lotto, dopo, self.solo_rifiutate, PAGINA)
            .await?;
        Ok(match esiti.last() {
            None => (self.chiusura.clone(), None),
            Some(ultimo) => (
                answer::lotti::pagina(self.formato, &esiti).into(),
                Some(ultimo.posto),
            ),
        })
    }
}

/// Outcomes of a page.
const PAGINA: u32 = 500;

impl Reply {
    /// The same, followed by what is too long to be held.
    #[must_use]
    pub(super) fn followed_by(mut self, risposta: Risposta, store: &SharedStore) -> Self {
        if let Risposta::EsitoLotto {
            lotto,
            solo_rifiutate,
            formato,
        } = risposta
        {
            let (apertura, chiusura) = answer::lotti::parted(self.bytes);
            self.bytes = apertura;
            self.flusso = Some(Flusso {
                store: Arc::clone(store),
                lotto: lotto.id,
                solo_rifiutate,
                formato,
                chiusura,
            });
        }
        self
    }
}

impl Intake {
    /// The Fault of a refusal, or one sentence where HTTP refuses.
    pub(super) fn fault_of(&self, failure: &Failure, incoming: &Incoming, esito: &Esito) -> Reply {
        let violazioni = failure.violazioni();
        let genere = violazioni.first().map(|violazione| violazione.voce().genere);
        let retry_after_s = match failure {
            // The log has it once, not once a message; the message's own line has its code.
            Failure::Guasto(
                Guasto::Spazio { riprova_fra_s, .. } | Guasto::Manutenzione { riprova_fra_s, .. },
            ) => Some(*riprova_fra_s),
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
            flusso: None,
        }
    }
}

/// The envelope of an answer.
pub(super) fn envelope_of(risposta: &Risposta, incoming: &Incoming, esito: &Esito) -> Reply {
    // What is answered was called.
    let prestazione = esito.prestazione.unwrap_or(PRESTAZIONI[0]);
    let operazione = esito.operazione.unwrap_or(Operazione::Echo);
    let bytes = answer::write(
        esito.versione,
        prestazione,
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
        flusso: None,
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
        flusso: None,
    }
}
