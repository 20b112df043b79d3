//! What a sender is told of a lot: where it is in its life, what became of each of its items.

use bytes::Bytes;
use jiff::Timestamp;

use super::Posizione;
use crate::patronato::ChiaveInvio;
use crate::protocollo::{NumeroDomanda, NumeroProtocollo};

/// Where a lot is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StatoLotto {
    /// In the queue; no item was worked.
    Accettato,
    /// Some items were worked.
    InLavorazione,
    /// Ended: its outcome does not change any more.
    Concluso,
}

impl StatoLotto {
    /// As it is stored, and as the pull pattern of ModI tells it (spec/modi.md).
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Accettato => "accepted",
            Self::InLavorazione => "processing",
            Self::Concluso => "done",
        }
    }

    /// The state of that name.
    #[must_use]
    pub fn by_str(testo: &str) -> Option<Self> {
        [Self::Accettato, Self::InLavorazione, Self::Concluso]
            .into_iter()
            .find(|stato| stato.as_str() == testo)
    }
}

/// How a lot ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EsitoLotto {
    /// Every item has its number.
    Completo,
    /// Read to its end; some items were refused.
    Parziale,
    /// It could not be read to its end, or was called off; what was done stays.
    Interrotto,
}

impl EsitoLotto {
    /// As it is told (design.md §2.3).
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Completo => "COMPLETO",
            Self::Parziale => "PARZIALE",
            Self::Interrotto => "INTERROTTO",
        }
    }
}

/// Outcomes of a lot.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Conteggi {
    /// Registered by this lot.
    pub registrate: u64,
    /// Registered before: the item has the number that it had.
    pub ripetute: u64,
    /// Refused.
    pub rifiutate: u64,
    /// Not read: the lot ended before them.
    pub non_lette: u64,
}

/// The outcome of one item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EsitoElemento {
    /// Its place in the lot, from 1.
    pub posto: u64,
    /// Its key, where it could be read.
    pub chiave: Option<ChiaveInvio>,
    /// Where it began in the sender's file.
    pub luogo: Posizione,
    /// What became of it.
    pub sorte: SorteElemento,
}

/// What became of an item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SorteElemento {
    /// It has a number.
    Registrata {
        /// The number.
        protocollo: NumeroProtocollo,
        /// The domanda.
        numero_domanda: NumeroDomanda,
        /// When the number was drawn.
        registrata_il: Timestamp,
        /// It had it before this lot.
        ripetizione: bool,
    },
    /// It was refused: the `Errore` elements that its sender is told.
    Rifiutata(Bytes),
}
