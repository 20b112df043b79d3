//! What is SQLite's own between rows and values: errors of the driver as ours, instants, the write lock.

use std::borrow::Cow;

use jiff::Timestamp;
use sqlx::sqlite::{SqliteConnection, SqliteRow};

use crate::store::valori::Riga;
use crate::store::{Inconsistency, StoreError};

/// What the driver says, in our words.
pub(super) fn guasto(errore: sqlx::Error) -> StoreError {
    let sqlx::Error::Database(database) = &errore else {
        return StoreError::unavailable(errore);
    };
    // The low byte is the primary result code of SQLite (sqlite.org/rescode.html).
    match primary(database.code()) {
        Some(SQLITE_FULL) => StoreError::Full(
            "no room left for the store (disk, quota or configured ceiling); free some, nothing else is needed"
                .to_owned(),
        ),
        Some(SQLITE_CORRUPT | SQLITE_NOTADB) => {
            StoreError::Refused(format!("the file is damaged or no SQLite database: {database}"))
        }
        Some(SQLITE_BUSY) => StoreError::unavailable(
            "another process has the file (a gateway, a look, or a `varco store copy`); stop it or wait for its end",
        ),
        Some(SQLITE_CONSTRAINT) => {
            StoreError::Inconsistency(Inconsistency::new("store", "constraint", errore))
        }
        _ => StoreError::unavailable(errore),
    }
}

/// The primary result code, where the driver has one.
pub(super) fn primary(codice: Option<Cow<'_, str>>) -> Option<u32> {
    codice?.parse::<u32>().ok().map(|codice| codice & 0xff)
}

const SQLITE_BUSY: u32 = 5;
pub(super) const SQLITE_READONLY: u32 = 8;
const SQLITE_CORRUPT: u32 = 11;
const SQLITE_FULL: u32 = 13;
pub(super) const SQLITE_CANTOPEN: u32 = 14;
const SQLITE_CONSTRAINT: u32 = 19;
pub(super) const SQLITE_NOTADB: u32 = 26;

impl Riga<'_, SqliteRow> {
    /// An instant.
    pub(super) fn istante(&self, column: &'static str) -> Result<Timestamp, Inconsistency> {
        self.parse(column, Timestamp::from_millisecond)
    }

    /// An instant that may lack.
    pub(super) fn istante_option(&self, column: &'static str) -> Result<Option<Timestamp>, Inconsistency> {
        self.parse_option(column, Timestamp::from_millisecond)
    }
}

/// Begins a transaction that writes: whoever has it is the only one.
pub(super) async fn begin(connessione: &mut SqliteConnection) -> Result<(), StoreError> {
    sqlx::query("BEGIN IMMEDIATE")
        .execute(connessione)
        .await
        .map_err(guasto)?;
    Ok(())
}

/// Takes a transaction back; the connection can go on.
pub(super) async fn rollback(connessione: &mut SqliteConnection) -> Result<(), StoreError> {
    sqlx::query("ROLLBACK")
        .execute(connessione)
        .await
        .map_err(guasto)?;
    Ok(())
}
