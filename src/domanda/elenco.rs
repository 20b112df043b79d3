//! What is told by pages: a page, and the rows of the feed of changes.

use jiff::Timestamp;

use super::stato::{AzioneRichiesta, StatoDomanda};
use crate::protocollo::{NumeroDomanda, NumeroProtocollo};

/// How many rows a page has at most, whatever is asked for.
pub const RIGHE_MAX: u32 = 100;

/// Some rows of a list, in its order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pagina<R, P> {
    /// The rows.
    pub righe: Vec<R>,
    /// Where the next page goes on.
    pub posizione: P,
    /// Whether there is more by now.
    pub altre: bool,
}

/// From where the feed is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Inizio {
    /// What comes after a position; after 0, all.
    Dopo(u64),
    /// From the first change at or after an instant on.
    Dal(Timestamp),
}

/// One change of a domanda.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Variazione {
    /// Its place in the feed.
    pub cursore: u64,
    /// When.
    pub istante: Timestamp,
    /// Which kind: `REGISTRATA`, `ATTO`, `STATO`…
    pub tipo: String,
    /// Which domanda.
    pub numero_domanda: NumeroDomanda,
    /// Its protocol number.
    pub protocollo: NumeroProtocollo,
    /// The registration that is the cause, where one is.
    pub causa: Option<NumeroProtocollo>,
    /// Which sheet; none: the domanda as a whole.
    pub posto: Option<u32>,
    /// The new state.
    pub stato: Option<StatoDomanda>,
    /// What is asked of the sender from then on.
    pub azione_richiesta: Option<AzioneRichiesta>,
}
