//! Lots: tens of thousands of domande in one message (ModI, `NONBLOCK_PULL_SOAP`). A lot is taken in by
//! [`ricezione`], which answers when it is durable; it is worked item by item by [`lavoro`], through the same reading,
//! rules and registration as a single domanda; what became of each item is asked for later.
//!
//! | stage | module | promises |
//! |---|---|---|
//! | bytes in | [`ricezione`], `ingresso` | bounded memory; a lot is taken in whole or not at all |
//! | cut | [`taglio`] | one item at a time, each with its line in the sender's file |
//! | judged | [`esame`] | what a single domanda would be told, at the instant at which the lot came |
//! | worked | [`lavoro`] | enti share; nothing twice, nothing lost, whatever happens between two groups |

pub mod esame;
mod ingresso;
pub mod lavoro;
mod operazioni;
pub mod ricezione;
pub mod taglio;
#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::Duration;

use crate::clock::Ids;
use lavoro::Lavoro;

pub(super) use operazioni::correlazione;

/// What the way needs for lots.
#[derive(Debug)]
pub struct Lotti {
    /// Bounds.
    pub config: LottiConfig,
    /// Who works them.
    pub lavoro: Lavoro,
    /// Their ids.
    pub ids: Arc<dyn Ids>,
}

/// Section `lotti`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LottiConfig {
    /// Bytes of a lot, decoded.
    pub byte_max: usize,
    /// Items of a lot.
    pub elementi_max: usize,
    /// Bytes of one item, and of what stands before it.
    pub elemento_bytes_max: usize,
    /// Lots of one ente that have not ended.
    pub aperti_max: usize,
    /// So many bytes may come out of one of gzip.
    pub gzip_rapporto_max: usize,
    /// Beside the time of any request, a lot may take a second for each so many bytes.
    pub byte_al_secondo_min: usize,
    /// Items of a group: what one transaction registers.
    pub gruppo: usize,
    /// Enti whose lots are worked by turns.
    pub enti_insieme: usize,
    /// How many days the bytes of an ended lot are kept.
    pub conservazione_giorni: usize,
    /// A lot that is open, not held back and has not moved for so long is stuck, and said to be.
    pub fermo_dopo: Duration,
}

impl Default for LottiConfig {
    fn default() -> Self {
        Self {
            byte_max: 256 * 1024 * 1024,
            elementi_max: 100_000,
            elemento_bytes_max: 8 * 1024 * 1024,
            aperti_max: 16,
            gzip_rapporto_max: 250,
            byte_al_secondo_min: 32 * 1024,
            gruppo: 128,
            enti_insieme: 8,
            conservazione_giorni: 30,
            fermo_dopo: Duration::from_mins(5),
        }
    }
}

impl LottiConfig {
    /// Bytes of a message that brings a lot: in base64 four stand for three, and there is an envelope around it.
    #[must_use]
    pub fn messaggio_bytes_max(&self) -> u64 {
        (self.byte_max as u64).saturating_mul(3) / 2
    }
}
