//! Many rows a statement, and many statements a trip to the connection's thread. A small batch goes in as it is, in one
//! trip; a large one by 64, 32 and 16 and then the rest, so that the texts are few and stay prepared.

use std::sync::Arc;

use sqlx::error::BoxDynError;
use sqlx::sqlite::{Sqlite, SqliteArguments, SqliteConnection};
use sqlx::{Arguments, AssertSqlSafe, Encode, Type};

use super::row::guasto;
use crate::store::StoreError;
use crate::store::valori::lunghezza;

/// How rows go into a table. Its texts are ours alone: values are always bound.
#[derive(Debug, Clone, Copy)]
pub(super) struct Tabella {
    /// `INSERT INTO t (columns)`.
    pub(super) testa: &'static str,
    /// One row, `?` for each value: `(?, 'INPS', ?)`.
    pub(super) riga: &'static str,
    /// What follows the rows: ` ON CONFLICT …`.
    pub(super) coda: &'static str,
}

/// Statements and their values, executed together.
#[derive(Default)]
pub(super) struct Inserimento {
    sql: String,
    valori: Valori,
}

impl Inserimento {
    /// One statement more: these rows into that table; none is nothing. `bind` gives the values of a row, in the order of its `?`.
    pub(super) fn rows<T>(&mut self, tabella: Tabella, righe: &[T], mut bind: impl FnMut(&mut Valori, &T)) {
        if righe.is_empty() {
            return;
        }
        self.sql.push_str(tabella.testa);
        self.sql.push_str(" VALUES ");
        for (posto, riga) in righe.iter().enumerate() {
            if posto > 0 {
                self.sql.push(',');
            }
            self.sql.push_str(tabella.riga);
            bind(&mut self.valori, riga);
        }
        self.sql.push_str(tabella.coda);
        self.sql.push(';');
    }

    /// Executes the statements, in the order in which they were added.
    pub(super) async fn execute(self, connessione: &mut SqliteConnection) -> Result<(), StoreError> {
        if self.sql.is_empty() {
            return Ok(());
        }
        sqlx::query_with(AssertSqlSafe(self.sql), self.valori.all()?)
            .execute(connessione)
            .await
            .map_err(guasto)?;
        Ok(())
    }
}

/// Rows of one table alone, however many.
pub(super) async fn insert<T>(
    connessione: &mut SqliteConnection,
    tabella: Tabella,
    righe: &[T],
    mut bind: impl FnMut(&mut Valori, &T),
) -> Result<(), StoreError> {
    for parte in parti(righe) {
        let mut inserimento = Inserimento::default();
        inserimento.rows(tabella, parte, &mut bind);
        inserimento.execute(connessione).await?;
    }
    Ok(())
}

/// The rows in parts of 64, 32 and 16, and the rest as it is: each part costs the threads on both sides of a trip their
/// turns. The widest table has 35 columns: far from SQLite's 32,766 values a statement.
pub(super) fn parti<T>(righe: &[T]) -> impl Iterator<Item = &[T]> {
    let mut resto = righe;
    std::iter::from_fn(move || {
        let intera = PARTI.into_iter().find(|quante| *quante <= resto.len());
        let (parte, dopo) = resto.split_at(intera.unwrap_or(resto.len()));
        resto = dopo;
        (!parte.is_empty()).then_some(parte)
    })
}

const PARTI: [usize; 3] = [64, 32, 16];

/// The values of some statements.
#[derive(Default)]
pub(super) struct Valori {
    valori: SqliteArguments,
    errore: Option<BoxDynError>,
}

impl Valori {
    /// All of them, unless one could not be taken.
    pub(super) fn all(self) -> Result<SqliteArguments, StoreError> {
        match self.errore {
            Some(errore) => Err(StoreError::unavailable(errore)),
            None => Ok(self.valori),
        }
    }

    /// A text.
    pub(super) fn text(&mut self, testo: &str) -> &mut Self {
        // One allocation where the driver's own `&str` takes two.
        self.push(Arc::<str>::from(testo))
    }

    /// A text, or none.
    pub(super) fn text_option(&mut self, testo: Option<&str>) -> &mut Self {
        match testo {
            Some(testo) => self.text(testo),
            None => self.push(None::<i64>),
        }
    }

    /// Something that is kept as it is told.
    pub(super) fn told(&mut self, valore: impl std::fmt::Display) -> &mut Self {
        self.push(valore.to_string())
    }

    /// Something that is kept as it is told, or nothing.
    pub(super) fn told_option(&mut self, valore: Option<impl std::fmt::Display>) -> &mut Self {
        match valore {
            Some(valore) => self.told(valore),
            None => self.push(None::<i64>),
        }
    }

    /// A length.
    pub(super) fn len(&mut self, valore: usize) -> &mut Self {
        self.push(lunghezza(valore))
    }

    /// Bytes.
    pub(super) fn bytes(&mut self, bytes: &[u8]) -> &mut Self {
        self.push(bytes.to_vec())
    }

    /// A number, a truth value, or the lack of one.
    pub(super) fn push<'t, T>(&mut self, valore: T) -> &mut Self
    where
        T: Encode<'t, Sqlite> + Type<Sqlite>,
    {
        // A value that is left out would shift those after it: remembered, and told before anything is executed.
        if let Err(errore) = self.valori.add(valore) {
            self.errore.get_or_insert(errore);
        }
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_number_of_rows_goes_in_by_few_texts() {
        let lunghezze = |quante: usize| {
            let righe = vec![(); quante];
            parti(&righe).map(<[()]>::len).collect::<Vec<_>>()
        };
        assert!(lunghezze(0).is_empty());
        assert_eq!(lunghezze(1), [1]);
        assert_eq!(lunghezze(13), [13]);
        assert_eq!(lunghezze(63), [32, 16, 15]);
        assert_eq!(lunghezze(208), [64, 64, 64, 16]);
    }
}
