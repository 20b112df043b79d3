//! What the file takes up.

use async_trait::async_trait;

use super::SqliteStore;
use super::row::guasto;
use crate::store::StoreError;
use crate::store::spazio::ArchivioSpazio;

#[async_trait]
impl ArchivioSpazio for SqliteStore {
    async fn byte_occupati(&self) -> Result<u64, StoreError> {
        let byte: i64 = sqlx::query_scalar(
            "SELECT (c.page_count - l.freelist_count) * s.page_size
             FROM pragma_page_count c, pragma_freelist_count l, pragma_page_size s",
        )
        .fetch_one(&self.lettori)
        .await
        .map_err(guasto)?;
        Ok(u64::try_from(byte).unwrap_or(0))
    }
}
