//! What is kept for the porte di dominio: the Identificativi that were used up, the exchanges byte by byte, the numbers of
//! our own Identificativi. No SQL.

use async_trait::async_trait;
use jiff::Timestamp;
use jiff::civil::Date;
use uuid::Uuid;

use super::StoreError;
use crate::trace::egov::Scambio;

/// An exchange, and the message that it belongs to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScambioDi {
    /// The id that we gave to the message.
    pub message_id: Uuid,
    /// When it came, true clock.
    pub istante: Timestamp,
    /// What was exchanged.
    pub scambio: Scambio,
}

/// Which exchanges are asked for; every field that is set must match.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RicercaScambi {
    /// From this instant on.
    pub dal: Option<Timestamp>,
    /// Up to and without this instant.
    pub al: Option<Timestamp>,
    /// Who the busta was from.
    pub controparte: Option<String>,
    /// The Identificatore of the request or of the answer.
    pub identificatore: Option<String>,
    /// The Identificatore that an answer refers to.
    pub riferimento: Option<String>,
    /// After this one, in the order of instant and message.
    pub dopo: Option<(Timestamp, Uuid)>,
    /// At most so many.
    pub limite: u32,
}

/// The store's part for the porte di dominio.
#[async_trait]
pub trait ArchivioEgov {
    /// Uses up the Identificativi of messages that register nothing, and writes their exchanges, in one transaction: whether
    /// each was new, in their order. Of one that was not, nothing is written.
    async fn accept_buste(&self, scambi: &[ScambioDi]) -> Result<Vec<bool>, StoreError>;

    /// Reserves so many numbers for Identificativi of ours, and tells the one before the first. Nobody gets them twice.
    async fn reserve_identificativi(&self, quanti: u32) -> Result<u64, StoreError>;

    /// Forgets Identificativi of the days before one, at most so many; how many it were.
    async fn forget_buste(&self, prima: Date, al_massimo: u32) -> Result<u64, StoreError>;

    /// A page of exchanges, in the order in which they came.
    async fn scambi(&self, ricerca: &RicercaScambi) -> Result<Vec<ScambioDi>, StoreError>;
}
