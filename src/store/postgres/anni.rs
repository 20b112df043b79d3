//! The partitions of a year: made before anything is written into it, and remembered.

use std::collections::BTreeSet;
use std::sync::PoisonError;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::PostgresStore;
use super::row::guasto;
use crate::store::StoreError;

/// The year of an instant, as the partitions by instant count it: in UTC.
pub(super) fn anno(istante: Timestamp) -> i16 {
    istante.to_zoned(TimeZone::UTC).year()
}

impl PostgresStore {
    /// Makes the partitions of these years, where this store has not seen to them yet.
    pub(super) async fn prepare_years(&self, anni: impl IntoIterator<Item = i16>) -> Result<(), StoreError> {
        let mancano: BTreeSet<i16> = {
            let pronti = self.anni.lock().unwrap_or_else(PoisonError::into_inner);
            anni.into_iter().filter(|anno| !pronti.contains(anno)).collect()
        };
        for anno in mancano {
            // Not in the registration's own transaction: what it makes is for all.
            sqlx::query("SELECT varco_prepara_anno($1)")
                .bind(i32::from(anno))
                .execute(&self.lettori)
                .await
                .map_err(guasto)?;
            self.anni
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .insert(anno);
        }
        Ok(())
    }
}
