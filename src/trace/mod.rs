//! One `Traccia` per message: who, what, when, how long each step took, how it ended. It begins in memory at the door,
//! in a guard that closes it whatever happens, and is written once (design.md §1).

pub mod conti;
pub mod csv;
pub mod egov;
pub mod otlp;
pub mod persona;
pub mod redact;
pub mod ricerca;
mod riga;
pub mod sigillatore;
pub mod writer;

use std::net::IpAddr;

use jiff::Timestamp;
use uuid::Uuid;

use self::egov::Scambio;
use self::otlp::Chiamante;

/// The record of one message. No personal value stands in a field of it; bytes are kept compressed beside it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Traccia {
    /// The id that we gave to the message.
    pub message_id: Uuid,
    /// First byte seen, true clock.
    pub ricevuto_il: Timestamp,
    /// `MODI`, `PDD`, `LOTTO`.
    pub canale: String,
    /// Where from.
    pub indirizzo: Option<IpAddr>,
    /// Subject of the certificate.
    pub certificato_soggetto: String,
    /// Serial of the certificate.
    pub certificato_seriale: String,
    /// TLS version and suite.
    pub tls: String,
    /// The ente, once known.
    pub ente: Option<String>,
    /// From Identity.
    pub user_id: Option<String>,
    /// From Identity.
    pub codice_ufficio: Option<String>,
    /// Which form Identity had.
    pub identity_forma: Option<String>,
    /// HTTP method and path, without query.
    pub uri: String,
    /// The service.
    pub servizio: Option<String>,
    /// The operation.
    pub operazione: Option<String>,
    /// The action that the sender named, in the Content-Type or in `SOAPAction`; it decides nothing.
    pub azione: Option<String>,
    /// The sender's own message id: wsa:MessageID, `GovWay-Message-ID`, e-Gov Identificatore.
    pub id_mittente: Option<String>,
    /// `GovWay-Transaction-ID`.
    pub id_transazione: Option<String>,
    /// Its place in the caller's own trace (`traceparent`), for the collector alone.
    pub chiamante: Option<Chiamante>,
    /// The sender's key.
    pub chiave_invio: Option<String>,
    /// Digest v1 of the content, hex.
    pub digest: Option<String>,
    /// SHA-256 of the element as received, hex.
    pub impronta: Option<String>,
    /// Size of the request, bytes.
    pub richiesta_len: u64,
    /// Size of the answer, bytes.
    pub risposta_len: u64,
    /// HTTP status of the answer.
    pub http_status: u16,
    /// `REGISTRATA`, `RIPETUTA`, `RIFIUTATA`, `AMMISSIBILE`, `RISPOSTA`, `FAULT`, `INTERROTTA`.
    pub esito: String,
    /// The first error code.
    pub codice: Option<String>,
    /// Every error code, in order.
    pub codici: Vec<String>,
    /// The number, if there is one.
    pub protocollo: Option<String>,
    /// The domanda, if there is one.
    pub numero_domanda: Option<u64>,
    /// Step name and its time in microseconds, in order.
    pub tempi_us: Vec<(&'static str, u64)>,
    /// Notes that are no errors: `azione diversa dall'operazione`, `identity: attributi`.
    pub note: Vec<String>,
    /// Who it is about, where that is no domanda's: of an export of what is held on a person.
    pub interessato: Option<persona::Ombra>,
    /// The request as received; `None` when a registration holds it.
    pub richiesta: Option<bytes::Bytes>,
    /// The answer as sent; `None` when a registration holds the receipt it was made of.
    pub risposta: Option<bytes::Bytes>,
    /// What was exchanged with a porta di dominio, where it came by one and that was not written yet.
    pub egov: Option<Box<Scambio>>,
}

/// A refusal at the door, before there was a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RifiutoAllaPorta {
    /// When, true clock.
    pub istante: Timestamp,
    /// From where.
    pub indirizzo: Option<IpAddr>,
    /// Subject of the certificate, when one was shown.
    pub soggetto: Option<String>,
    /// Serial of the certificate, when one was shown.
    pub seriale: Option<String>,
    /// The name asked for by SNI.
    pub sni: Option<String>,
    /// The catalogue's code: `TLS-003`.
    pub codice: String,
    /// The cause, one sentence in Italian.
    pub causa: String,
    /// What to do about it, in Italian.
    pub rimedio: String,
}

/// As the log is told of a message that took no time: for tests of the log.
#[cfg(test)]
pub(crate) fn tell(traccia: &Traccia) {
    riga::tell(traccia, std::time::Duration::ZERO);
}
