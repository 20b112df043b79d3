//! Between rows and values: errors of the driver as ours, columns that cannot hold what they hold, instants.

use std::borrow::Cow;
use std::error::Error;

use jiff::Timestamp;
use sqlx::sqlite::{Sqlite, SqliteConnection, SqliteRow};
use sqlx::{Decode, Row, Type};

use crate::domanda::Dettagli;
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

pub(super) const SQLITE_READONLY: u32 = 8;
const SQLITE_CORRUPT: u32 = 11;
const SQLITE_FULL: u32 = 13;
pub(super) const SQLITE_CANTOPEN: u32 = 14;
const SQLITE_CONSTRAINT: u32 = 19;
pub(super) const SQLITE_NOTADB: u32 = 26;

/// A row of a table, read column by column; what does not fit names table and column.
pub(super) struct Riga<'r> {
    pub(super) table: &'static str,
    pub(super) row: &'r SqliteRow,
}

impl Riga<'_> {
    /// A column as the driver reads it.
    pub(super) fn get<T>(&self, column: &'static str) -> Result<T, Inconsistency>
    where
        T: for<'d> Decode<'d, Sqlite> + Type<Sqlite>,
    {
        self.row
            .try_get(column)
            .map_err(|source| Inconsistency::new(self.table, column, source))
    }

    /// A column that `parse` makes a value of.
    pub(super) fn parse<T, V, E>(
        &self,
        column: &'static str,
        parse: impl FnOnce(T) -> Result<V, E>,
    ) -> Result<V, Inconsistency>
    where
        T: for<'d> Decode<'d, Sqlite> + Type<Sqlite>,
        E: Into<Box<dyn Error + Send + Sync>>,
    {
        parse(self.get(column)?).map_err(|source| Inconsistency::new(self.table, column, source))
    }

    /// A column that may be empty.
    pub(super) fn parse_option<T, V, E>(
        &self,
        column: &'static str,
        parse: impl FnOnce(T) -> Result<V, E>,
    ) -> Result<Option<V>, Inconsistency>
    where
        T: for<'d> Decode<'d, Sqlite> + Type<Sqlite>,
        E: Into<Box<dyn Error + Send + Sync>>,
    {
        self.get::<Option<T>>(column)?
            .map(parse)
            .transpose()
            .map_err(|source| Inconsistency::new(self.table, column, source))
    }

    /// A count: not negative.
    pub(super) fn count(&self, column: &'static str) -> Result<u64, Inconsistency> {
        self.parse(column, |valore: i64| u64::try_from(valore))
    }

    /// An instant.
    pub(super) fn istante(&self, column: &'static str) -> Result<Timestamp, Inconsistency> {
        self.parse(column, Timestamp::from_millisecond)
    }

    /// Thirty-two bytes.
    pub(super) fn digest(&self, column: &'static str) -> Result<[u8; 32], Inconsistency> {
        self.parse(column, |bytes: Vec<u8>| {
            <[u8; 32]>::try_from(bytes).map_err(|_| "not 32 bytes")
        })
    }
}

/// A count as the column holds it. Nothing that we count comes near to the end of i64.
pub(super) fn intero(valore: u64) -> i64 {
    i64::try_from(valore).unwrap_or(i64::MAX)
}

/// A length as the column holds it.
pub(super) fn lunghezza(valore: usize) -> i64 {
    i64::try_from(valore).unwrap_or(i64::MAX)
}

/// An instant as the columns hold it, and as receipts tell it: to the millisecond.
pub(super) fn al_millesimo(istante: Timestamp) -> Timestamp {
    // Only an instant at the edge of what jiff can hold fails to come back.
    Timestamp::from_millisecond(istante.as_millisecond()).unwrap_or(istante)
}

/// A list as a JSON array. Strings and numbers alone stand in it: that cannot fail.
pub(super) fn json(valori: &impl serde::Serialize) -> String {
    serde_json::to_string(valori).unwrap_or_else(|_| "[]".to_owned())
}

/// What a prestazione alone knows, as a JSON object; nothing where there is nothing.
pub(super) fn json_object(dettagli: &Dettagli) -> Option<String> {
    (!dettagli.is_empty()).then(|| serde_json::to_string(dettagli).unwrap_or_else(|_| "{}".to_owned()))
}

/// Begins a transaction that writes: whoever has it is the only one.
pub(super) async fn begin(connessione: &mut SqliteConnection) -> Result<(), StoreError> {
    sqlx::query("BEGIN IMMEDIATE")
        .execute(connessione)
        .await
        .map_err(guasto)?;
    Ok(())
}
