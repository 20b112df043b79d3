//! Many questions a trip to the connection's thread. Each trip wakes two threads, there and back: on one core that costs as
//! much as a short question does, so what a transaction wants to know before it decides is asked at once.

use futures_util::TryStreamExt as _;
use sqlx::sqlite::{SqliteConnection, SqliteRow};
use sqlx::{AssertSqlSafe, Either, Executor as _};

use super::batch::Valori;
use super::row::guasto;
use crate::store::StoreError;

/// Statements that are executed together, in the order in which they were added.
#[derive(Default)]
pub(super) struct Giro {
    sql: String,
    valori: Valori,
    quante: usize,
}

/// Where the rows of a question will be found; nowhere, if there was nothing to ask.
#[derive(Debug, Clone, Copy)]
#[must_use]
pub(super) struct Posto(Option<usize>);

impl Posto {
    /// Nothing to ask.
    pub(super) const NESSUNO: Self = Self(None);
}

impl Giro {
    /// One statement more, of our own text; `bind` gives its values, in the order of its `?`.
    pub(super) fn ask(&mut self, sql: &str, bind: impl FnOnce(&mut Valori)) -> Posto {
        self.sql.push_str(sql);
        bind(&mut self.valori);
        self.end()
    }

    /// One statement more about a list of rows, which it finds in the table `cercate`; no rows are no question. The list is
    /// made as long as the next power of two, by its last row again and again: whole trips are kept prepared, so their texts
    /// have to be few.
    pub(super) fn ask_about<T>(
        &mut self,
        colonne: &str,
        cercate: &[T],
        mut bind: impl FnMut(&mut Valori, &T),
        sql: &str,
    ) -> Posto {
        let Some(ultima) = cercate.last() else {
            return Posto::NESSUNO;
        };
        let riga = format!("({})", vec!["?"; colonne.split(',').count()].join(","));
        let quante = cercate.len().next_power_of_two();
        let righe = vec![riga.as_str(); quante].join(",");
        for parte in ["WITH cercate (", colonne, ") AS (VALUES ", &righe, ") ", sql] {
            self.sql.push_str(parte);
        }
        for cercata in cercate.iter().chain(std::iter::repeat(ultima)).take(quante) {
            bind(&mut self.valori, cercata);
        }
        self.end()
    }

    /// Begins a transaction that writes: whoever has it is the only one.
    pub(super) fn begin(&mut self) {
        let Posto(_) = self.ask("BEGIN IMMEDIATE", |_| {});
    }

    fn end(&mut self) -> Posto {
        self.sql.push(';');
        self.quante += 1;
        Posto(Some(self.quante - 1))
    }

    /// Asks, and takes the rows of each question apart.
    pub(super) async fn fetch(self, connessione: &mut SqliteConnection) -> Result<Risposte, StoreError> {
        let mut risposte = Vec::with_capacity(self.quante);
        if self.quante == 0 {
            return Ok(Risposte(risposte));
        }
        let valori = self.valori.all()?;
        let mut passi = connessione.fetch_many(sqlx::query_with(AssertSqlSafe(self.sql), valori));
        let mut righe = Vec::new();
        while let Some(passo) = passi.try_next().await.map_err(guasto)? {
            match passo {
                Either::Right(riga) => righe.push(riga),
                // Each statement ends with this, also one that found nothing.
                Either::Left(_) => risposte.push(std::mem::take(&mut righe)),
            }
        }
        // Else the rows of one question would be taken for those of another.
        if risposte.len() != self.quante {
            return Err(StoreError::unavailable("a trip ended before its last question"));
        }
        Ok(Risposte(risposte))
    }
}

/// What was found, question by question.
pub(super) struct Risposte(Vec<Vec<SqliteRow>>);

impl Risposte {
    /// The rows of one question.
    pub(super) fn of(&self, Posto(posto): Posto) -> &[SqliteRow] {
        posto
            .and_then(|posto| self.0.get(posto))
            .map_or(&[], Vec::as_slice)
    }
}

#[cfg(test)]
mod tests {
    use sqlx::{Connection as _, Row as _};

    use super::*;

    #[tokio::test]
    async fn the_rows_of_each_question_are_its_own() {
        let mut connessione = SqliteConnection::connect("sqlite::memory:").await.unwrap();
        let mut giro = Giro::default();
        giro.begin();
        // Three are asked about as four: the third twice.
        let tre = giro.ask_about(
            "a, b",
            &[(1, "x"), (2, "y"), (3, "z")],
            pair,
            "SELECT b FROM cercate",
        );
        let vuota = giro.ask("SELECT 'x' AS b WHERE ?", |valori| _ = valori.push(false));
        let nessuna = giro.ask_about("a, b", &[], pair, "SELECT b FROM cercate");
        let una = giro.ask("SELECT ? AS b", |valori| _ = valori.text("w"));

        let risposte = giro.fetch(&mut connessione).await.unwrap();
        let testi = |posto| -> Vec<String> { risposte.of(posto).iter().map(|riga| riga.get("b")).collect() };
        assert_eq!(testi(tre), ["x", "y", "z", "z"]);
        assert_eq!(testi(vuota), Vec::<String>::new());
        assert_eq!(testi(nessuna), Vec::<String>::new());
        assert_eq!(testi(una), ["w"]);
    }

    fn pair(valori: &mut Valori, (a, b): &(i64, &str)) {
        valori.push(*a).text(b);
    }
}
