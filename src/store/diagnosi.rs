//! What a store tells whoever is asked for help with it: sizes, settings, counts. Nothing of what anybody sent. No SQL.

use async_trait::async_trait;
use jiff::Timestamp;

use super::StoreError;

/// What a table takes up.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Tabella {
    /// Its name; partitions are told under their table's.
    pub nome: String,
    /// Its rows: counted where the store is a file, as the statistics have it on PostgreSQL.
    pub righe: u64,
    /// Its bytes.
    pub byte: u64,
    /// Those of its indexes.
    pub byte_indici: u64,
}

/// How often the door refused with one code.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct RifiutiPerCodice {
    /// The code.
    pub codice: String,
    /// How often.
    pub quanti: u64,
    /// When last.
    pub ultimo: Timestamp,
}

/// The store's part in a diagnosis. Two implementations, each with its own SQL.
#[async_trait]
pub trait ArchivioDiagnosi {
    /// Every table, the largest first. Walks the whole store where it is a file.
    async fn tabelle(&self) -> Result<Vec<Tabella>, StoreError>;

    /// What is set in the engine, as the connection that asks sees it.
    async fn impostazioni(&self) -> Result<Vec<(String, String)>, StoreError>;

    /// What time the server has; `None` where the store is a file.
    async fn ora_del_server(&self) -> Result<Option<Timestamp>, StoreError>;

    /// Refusals at the door since an instant, by code.
    async fn porta_per_codice(&self, dal: Timestamp) -> Result<Vec<RifiutiPerCodice>, StoreError>;
}
