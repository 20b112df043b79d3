//! What is kept for the porte di dominio: the Identificativi that were used up, the exchanges byte by byte, the numbers of
//! our own Identificativi. No SQL.

use async_trait::async_trait;
use bytes::Bytes;
use jiff::Timestamp;
use jiff::civil::Date;
use uuid::Uuid;

use super::codec::{Conservati, pack_busta, unpack};
use super::{Inconsistency, StoreError};
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

/// The headers of an exchange as they are kept: one behind the other, because the one that goes back says again most of the
/// one that came (ADR 17).
pub(super) struct Intestazioni {
    pub(super) conservate: Conservati,
    /// Length of the one that came.
    pub(super) richiesta_len: Option<usize>,
    /// Length of the one that went back.
    pub(super) risposta_len: Option<usize>,
}

impl Intestazioni {
    /// Those of an exchange; `None` where nothing was exchanged.
    pub(super) fn pack(scambio: &Scambio) -> Option<Self> {
        let richiesta = scambio.richiesta.as_deref();
        let risposta = scambio.risposta.as_ref().map(|inviata| &*inviata.intestazione);
        if richiesta.is_none() && risposta.is_none() {
            return None;
        }
        let insieme = [richiesta.unwrap_or_default(), risposta.unwrap_or_default()].concat();
        Some(Self {
            conservate: pack_busta(&insieme),
            richiesta_len: richiesta.map(<[u8]>::len),
            risposta_len: risposta.map(<[u8]>::len),
        })
    }

    /// What came and what went back, from the columns that hold them.
    pub(super) fn unpack(
        codec: &str,
        richiesta_len: Option<i64>,
        risposta_len: Option<i64>,
        bytes: Vec<u8>,
    ) -> Result<(Option<Bytes>, Option<Bytes>), Inconsistency> {
        let len = |colonna, valore: Option<i64>| {
            valore
                .map(usize::try_from)
                .transpose()
                .map_err(|source| Inconsistency::new("egov", colonna, source))
        };
        let (richiesta, risposta) = (
            len("richiesta_len", richiesta_len)?,
            len("risposta_len", risposta_len)?,
        );
        let prima = richiesta.unwrap_or(0);
        let in_tutto = prima.saturating_add(risposta.unwrap_or(0));
        let insieme = unpack("egov", codec, None, in_tutto, bytes)?;
        Ok((
            richiesta.map(|len| insieme.slice(..len)),
            risposta.map(|_| insieme.slice(prima..)),
        ))
    }
}
