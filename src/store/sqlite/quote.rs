//! Quotas: one gateway alone works on an embedded store, so that it gets its minute whole and counts by itself.

use async_trait::async_trait;
use jiff::Timestamp;

use super::SqliteStore;
use crate::patronato::CodiceEnte;
use crate::store::StoreError;
use crate::store::quote::{ArchivioQuote, Fetta};

#[async_trait]
impl ArchivioQuote for SqliteStore {
    async fn take_fetta(
        &self,
        _: &CodiceEnte,
        concesse: u32,
        adesso: Timestamp,
    ) -> Result<Fetta, StoreError> {
        Ok(Fetta {
            inizio_s: adesso.as_second(),
            prese: u64::from(concesse),
            mie: u64::from(concesse),
        })
    }
}
