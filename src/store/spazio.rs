//! What a store takes up.

use async_trait::async_trait;

use super::StoreError;

/// The store's part in keeping room. Two implementations, each with its own SQL.
#[async_trait]
pub trait ArchivioSpazio {
    /// Bytes that what is kept takes up. What was freed inside and waits to be used again does not count where the store can
    /// tell it.
    async fn byte_occupati(&self) -> Result<u64, StoreError>;
}
