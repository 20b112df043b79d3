//! The one line of the log that a message gets: who, what, how it ended, how long it took. No name that a sender chose is in
//! it, no person and no content; what it was about is found by its id (`varco trace`).

use std::time::Duration;

use tracing::info;

use super::Traccia;

/// Says that a message is over.
pub(super) fn tell(traccia: &Traccia, durata: Duration) {
    info!(
        message_id = %traccia.message_id,
        canale = traccia.canale,
        ente = traccia.ente,
        servizio = traccia.servizio,
        operazione = traccia.operazione,
        esito = traccia.esito,
        codici = (!traccia.codici.is_empty()).then(|| traccia.codici.join(" ")),
        status = traccia.http_status,
        ms = durata.as_secs_f64() * 1e3,
        byte_entrati = traccia.richiesta_len,
        byte_usciti = traccia.risposta_len,
        "message"
    );
}
