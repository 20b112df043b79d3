//! What the database takes up.

use async_trait::async_trait;

use super::{PostgresStore, row};
use crate::store::StoreError;
use crate::store::spazio::ArchivioSpazio;

#[async_trait]
impl ArchivioSpazio for PostgresStore {
    async fn byte_occupati(&self) -> Result<u64, StoreError> {
        self.within(async {
            let mut lettore = self.lettore().await?;
            let byte: i64 = sqlx::query_scalar("SELECT pg_database_size(current_database())")
                .fetch_one(&mut *lettore)
                .await
                .map_err(row::guasto)?;
            Ok(u64::try_from(byte).unwrap_or(0))
        })
        .await
    }
}
