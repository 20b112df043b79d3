//! The file as the source of a move to PostgreSQL (`store::copy`): held by us alone from before its first row is read to
//! after the last mark is set, walked page by page, and marked as moved.

use std::path::{Path, PathBuf};

use futures_util::TryStreamExt as _;
use jiff::Timestamp;
use sqlx::sqlite::{SqliteArguments, SqliteConnection, SqliteLockingMode, SqliteRow};
use sqlx::{Arguments as _, AssertSqlSafe, Row as _};
use uuid::Uuid;

use super::open::{check_rows, connect, connect_options, look_at_file, owner_of, setting};
use super::row::guasto;
use super::{spool, verify};
use crate::domanda::Ambiente;
use crate::store::copy::Registro;
use crate::store::copy::tabelle::{Colonne, Riga, SPOOL, Tabella};
use crate::store::copy::valore::{Tipo, Valore};
use crate::store::lotti::PEZZO_BYTES;
use crate::store::valori::{intero, lunghezza};
use crate::store::{Inconsistency, OpenOptions, StoreError, Verifica};

/// A file that nobody else has open. Dropped, it is as it was, but for the marks that were set.
pub(in crate::store) struct Origine {
    ambiente: Ambiente,
    path: PathBuf,
    connessione: SqliteConnection,
}

/// What a file says of its own move, in three rows of `impostazioni`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::store) struct Trasferimento {
    /// The same in both stores: a database that has it is what the file became (`trasferimento`).
    pub(in crate::store) id: Uuid,
    /// Where to, without a password (`trasferito_a`).
    pub(in crate::store) a: String,
    /// Since when; `None` = it was begun, and how it ended is not written here (`trasferito_il`).
    pub(in crate::store) il: Option<Timestamp>,
}

impl Trasferimento {
    /// What the file says.
    pub(super) async fn read(connessione: &mut SqliteConnection) -> Result<Option<Self>, StoreError> {
        let Some(id) = setting(connessione, "trasferimento").await? else {
            return Ok(None);
        };
        let a = setting(connessione, "trasferito_a")
            .await?
            .ok_or_else(|| Inconsistency::new("impostazioni", "trasferito_a", "is missing"))?;
        let il = setting(connessione, "trasferito_il").await?;
        Ok(Some(Self { id, a, il }))
    }
}

impl Origine {
    /// The file, for us alone, and a transaction that writes. Who has it open, be it to look, is in the way.
    pub(in crate::store) async fn open(path: &Path, options: &OpenOptions) -> Result<Self, StoreError> {
        look_at_file(path, false)?;
        let ambiente = owner_of(path, options.attesa).await?;
        let sola = connect_options(path, options, false).locking_mode(SqliteLockingMode::Exclusive);
        let mut connessione = connect(&sola, path).await?;
        let attese = OpenOptions {
            ambiente,
            migrate: false,
            anche_trasferito: true,
            ..options.clone()
        };
        check_rows(&mut connessione, path, &attese).await?;
        let mut origine = Self {
            ambiente,
            path: path.to_owned(),
            connessione,
        };
        origine.execute("BEGIN IMMEDIATE").await?;
        Ok(origine)
    }

    pub(in crate::store) fn ambiente(&self) -> Ambiente {
        self.ambiente
    }

    pub(in crate::store) async fn trasferimento(&mut self) -> Result<Option<Trasferimento>, StoreError> {
        Trasferimento::read(&mut self.connessione).await
    }

    /// Every column of every table that is ours.
    pub(in crate::store) async fn columns(&mut self) -> Result<Colonne, StoreError> {
        let righe: Vec<(String, String)> = sqlx::query_as(
            "SELECT t.name, c.name
             FROM sqlite_schema t
             JOIN pragma_table_info(t.name) c
             WHERE t.type = 'table'
                 AND t.name NOT LIKE '\\_sqlx\\_%' ESCAPE '\\'
                 AND t.name NOT LIKE 'sqlite\\_%' ESCAPE '\\'",
        )
        .fetch_all(&mut self.connessione)
        .await
        .map_err(guasto)?;
        let mut colonne = Colonne::new();
        for (tabella, colonna) in righe {
            colonne.entry(tabella).or_default().insert(colonna);
        }
        Ok(colonne)
    }

    pub(in crate::store) async fn verify(&mut self) -> Result<Verifica, StoreError> {
        verify::verify(&mut self.connessione).await
    }

    /// The registers, as their counters stand.
    pub(in crate::store) async fn registri(&mut self) -> Result<Vec<Registro>, StoreError> {
        let righe: Vec<(String, i64, i64)> =
            sqlx::query_as("SELECT registro, anno, ultimo FROM registro ORDER BY registro")
                .fetch_all(&mut self.connessione)
                .await
                .map_err(guasto)?;
        Ok(righe.into_iter().map(Registro::from).collect())
    }

    /// How many rows a table will have.
    pub(in crate::store) async fn count(&mut self, tabella: &Tabella) -> Result<u64, StoreError> {
        if tabella.da == SPOOL {
            return self.count_pieces().await;
        }
        let sql = format!("SELECT count(*) {}", rows_of(tabella, false));
        let quante: i64 = sqlx::query_scalar(AssertSqlSafe(sql))
            .fetch_one(&mut self.connessione)
            .await
            .map_err(guasto)?;
        Ok(quante.unsigned_abs())
    }

    /// The next rows of a table on its way, after `dopo`; none = it was the end. As many as a page holds, by rows and by
    /// bytes.
    pub(in crate::store) async fn page(
        &mut self,
        tabella: &Tabella,
        dopo: Option<&[Valore]>,
    ) -> Result<Vec<Riga>, StoreError> {
        if tabella.da == SPOOL {
            return self.page_of_pieces(dopo).await;
        }
        let mut argomenti = SqliteArguments::default();
        for valore in dopo.unwrap_or_default() {
            match valore {
                Valore::Intero(intero) => argomenti.add(*intero),
                Valore::Testo(testo) => argomenti.add(testo.clone()),
                Valore::Byte(byte) => argomenti.add(byte.clone()),
                _ => Err("a way goes by numbers, texts and bytes".into()),
            }
            .map_err(StoreError::unavailable)?;
        }
        let sql = page_of(tabella, dopo.is_some());
        let mut lette = sqlx::query_with(AssertSqlSafe(sql), argomenti).fetch(&mut self.connessione);
        let mut righe = Vec::new();
        let mut peso = 0;
        while let Some(letta) = lette.try_next().await.map_err(guasto)? {
            let riga = row_of(tabella, &letta)?;
            peso += riga.valori.iter().map(Valore::peso).sum::<usize>();
            righe.push(riga);
            if peso >= PAGINA_BYTES_MAX {
                break;
            }
        }
        Ok(righe)
    }

    /// How many pieces the spools of the open lots have.
    async fn count_pieces(&mut self) -> Result<u64, StoreError> {
        let quanti: i64 = sqlx::query_scalar(
            "SELECT coalesce(sum((byte + ?1 - 1) / ?1), 0) FROM lotti WHERE stato <> 'done'",
        )
        .bind(lunghezza(PEZZO_BYTES))
        .fetch_one(&mut self.connessione)
        .await
        .map_err(guasto)?;
        Ok(quanti.unsigned_abs())
    }

    /// The next pieces of the spools of the open lots, after a lot and piece.
    async fn page_of_pieces(&mut self, dopo: Option<&[Valore]>) -> Result<Vec<Riga>, StoreError> {
        let (ultimo, ultimo_pezzo) = match dopo {
            Some([Valore::Testo(lotto), Valore::Intero(pezzo)]) => (lotto.as_str(), pezzo.unsigned_abs()),
            _ => ("", 0),
        };
        let lotti: Vec<(String, i64, i64)> = sqlx::query_as(
            "SELECT id, byte, presentato_il FROM lotti WHERE stato <> 'done' AND id >= ? ORDER BY id",
        )
        .bind(ultimo)
        .fetch_all(&mut self.connessione)
        .await
        .map_err(guasto)?;
        let mut righe = Vec::new();
        let mut peso = 0;
        for (lotto, byte, presentato_il) in lotti {
            let byte = byte.unsigned_abs();
            let id: Uuid = lotto
                .parse()
                .map_err(|source| Inconsistency::new("lotti", "id", source))?;
            let presentato_il = Timestamp::from_millisecond(presentato_il)
                .map_err(|source| Inconsistency::new("lotti", "presentato_il", source))?;
            let primo = if lotto == ultimo { ultimo_pezzo + 1 } else { 0 };
            for pezzo in primo..byte.div_ceil(PEZZO_BYTES as u64) {
                if peso >= PAGINA_BYTES_MAX {
                    return Ok(righe);
                }
                let letti =
                    spool::piece(&self.path, id, pezzo, byte).map_err(|errore| spool::failed(&errore))?;
                peso += letti.len();
                righe.push(Riga {
                    passo: vec![Valore::Testo(lotto.clone()), Valore::Intero(intero(pezzo))],
                    valori: vec![
                        Valore::Uuid(id),
                        Valore::Intero(intero(pezzo)),
                        Valore::Istante(presentato_il),
                        Valore::Byte(letti),
                    ],
                });
            }
        }
        Ok(righe)
    }

    /// Writes into the file, for good, that its move has begun. From now on it takes no registration, whoever asks, and
    /// no gateway opens it: what becomes of the database is not known here until [`Self::finish`] or [`Self::unmark`].
    pub(in crate::store) async fn mark(&mut self, id: Uuid, a: &str) -> Result<(), StoreError> {
        self.unmark_rows().await?;
        self.set("trasferimento", &id.to_string()).await?;
        self.set("trasferito_a", a).await?;
        self.execute(
            "CREATE TRIGGER registrazioni_trasferite BEFORE INSERT ON registrazioni
             BEGIN
                 SELECT RAISE(ABORT, 'registrazioni: l''archivio e stato trasferito');
             END",
        )
        .await?;
        self.commit().await
    }

    /// Writes into the file, for good, that it was moved.
    pub(in crate::store) async fn finish(&mut self, il: Timestamp) -> Result<(), StoreError> {
        self.set("trasferito_il", &il.to_string()).await?;
        self.commit().await
    }

    /// Takes the mark back, for good: the database is known not to hold what the file holds.
    pub(in crate::store) async fn unmark(&mut self) -> Result<(), StoreError> {
        self.unmark_rows().await?;
        self.commit().await
    }

    /// Lets the file go; what was not committed is taken back.
    pub(in crate::store) async fn close(self) {
        super::close(self.connessione).await;
    }

    async fn unmark_rows(&mut self) -> Result<(), StoreError> {
        self.execute("DROP TRIGGER IF EXISTS registrazioni_trasferite")
            .await?;
        self.execute(
            "DELETE FROM impostazioni WHERE nome IN ('trasferimento', 'trasferito_a', 'trasferito_il')",
        )
        .await
    }

    async fn set(&mut self, nome: &'static str, valore: &str) -> Result<(), StoreError> {
        sqlx::query("INSERT INTO impostazioni (nome, valore) VALUES (?, ?)")
            .bind(nome)
            .bind(valore)
            .execute(&mut self.connessione)
            .await
            .map_err(guasto)?;
        Ok(())
    }

    /// Commits, and goes on in a new transaction. The file stays ours alone meanwhile.
    async fn commit(&mut self) -> Result<(), StoreError> {
        self.execute("COMMIT").await?;
        self.execute("BEGIN IMMEDIATE").await
    }

    async fn execute(&mut self, sql: &'static str) -> Result<(), StoreError> {
        sqlx::query(sql)
            .execute(&mut self.connessione)
            .await
            .map_err(guasto)?;
        Ok(())
    }
}

/// A page: so many rows, or so many bytes of them and the row that went beyond.
const PAGINA_RIGHE: u32 = 500;
const PAGINA_BYTES_MAX: usize = 4 << 20;

/// `FROM` and `WHERE` of a table's rows; `dopo` = those after a place on the way.
fn rows_of(tabella: &Tabella, dopo: bool) -> String {
    let Tabella { da, unione, dove, .. } = tabella;
    let cammino = way_of(tabella);
    let posti = vec!["?"; tabella.cammino.len()].join(", ");
    let oltre = format!("({cammino}) > ({posti})");
    let condizioni: Vec<&str> = [(!dove.is_empty()).then_some(*dove), dopo.then_some(&*oltre)]
        .into_iter()
        .flatten()
        .collect();
    let where_ = if condizioni.is_empty() { "" } else { " WHERE " };
    format!("FROM {da} t {unione}{where_}{}", condizioni.join(" AND "))
}

/// `t.a, t.b`
fn way_of(tabella: &Tabella) -> String {
    let passi: Vec<_> = tabella
        .cammino
        .iter()
        .map(|(colonna, _)| format!("t.{colonna}"))
        .collect();
    passi.join(", ")
}

/// The statement that reads a page: the columns, then the way.
fn page_of(tabella: &Tabella, dopo: bool) -> String {
    let colonne: Vec<_> = tabella
        .colonne
        .iter()
        .map(|colonna| {
            colonna
                .da
                .map_or_else(|| format!("t.{}", colonna.nome), str::to_owned)
        })
        .collect();
    let cammino = way_of(tabella);
    format!(
        "SELECT {}, {cammino} {} ORDER BY {cammino} LIMIT {PAGINA_RIGHE}",
        colonne.join(", "),
        rows_of(tabella, dopo)
    )
}

fn row_of(tabella: &Tabella, letta: &SqliteRow) -> Result<Riga, StoreError> {
    let colonne = tabella.colonne.iter().map(|colonna| (colonna.nome, colonna.tipo));
    let mut valori = colonne
        .chain(tabella.cammino.iter().copied())
        .enumerate()
        .map(|(posto, (nome, tipo))| {
            value_of(letta, posto, tipo).map_err(|source| Inconsistency::new(tabella.nome, nome, source))
        })
        .collect::<Result<Vec<_>, _>>()?;
    let passo = valori.split_off(tabella.colonne.len());
    Ok(Riga { passo, valori })
}

/// A column as the file holds it. What does not fit is told without its value.
fn value_of(
    letta: &SqliteRow,
    posto: usize,
    tipo: Tipo,
) -> Result<Valore, Box<dyn std::error::Error + Send + Sync>> {
    let valore = match tipo {
        Tipo::Intero => letta.try_get::<Option<i64>, _>(posto)?.map(Valore::Intero),
        Tipo::Booleano => letta.try_get::<Option<bool>, _>(posto)?.map(Valore::Booleano),
        Tipo::Byte => letta.try_get::<Option<Vec<u8>>, _>(posto)?.map(Valore::Byte),
        Tipo::Istante => letta
            .try_get::<Option<i64>, _>(posto)?
            .map(|ms| Timestamp::from_millisecond(ms).map(Valore::Istante))
            .transpose()
            .map_err(|_| "no instant")?,
        Tipo::Testo | Tipo::Data => letta.try_get::<Option<String>, _>(posto)?.map(Valore::of_text),
        Tipo::Json => letta
            .try_get::<Option<&str>, _>(posto)?
            .map(Valore::of_json)
            .transpose()
            .map_err(|_| "no JSON")?,
        Tipo::Uuid => letta
            .try_get::<Option<&str>, _>(posto)?
            .map(|testo| testo.parse().map(Valore::Uuid))
            .transpose()
            .map_err(|_| "no id")?,
    };
    Ok(valore.unwrap_or(Valore::Nullo))
}

#[cfg(test)]
mod tests {
    use sqlx::Connection as _;
    use sqlx::sqlite::SqliteConnectOptions;

    use super::*;
    use crate::store::copy::tabelle::TABELLE;
    use crate::store::sqlite::SqliteStore;

    #[tokio::test]
    async fn every_table_is_walked_by_an_index() {
        let cartella = tempfile::tempdir().unwrap();
        let path = cartella.path().join("store.db");
        let options = OpenOptions {
            create: true,
            ..OpenOptions::new(Ambiente::Collaudo, Timestamp::UNIX_EPOCH)
        };
        SqliteStore::open(&path, &options).await.unwrap();
        let mut connessione = SqliteConnection::connect_with(&SqliteConnectOptions::new().filename(&path))
            .await
            .unwrap();
        for tabella in TABELLE.iter().filter(|tabella| tabella.da != SPOOL) {
            let sql = format!("EXPLAIN QUERY PLAN {}", page_of(tabella, true));
            let piano = sqlx::query(AssertSqlSafe(sql))
                .fetch_all(&mut connessione)
                .await
                .unwrap();
            for passo in piano {
                let passo: String = passo.get("detail");
                // sqlite_sequence has no index, and a row a counter.
                let tutta = passo.contains("SCAN") && tabella.da != "sqlite_sequence";
                assert!(
                    !passo.contains("TEMP B-TREE") && !tutta,
                    "{}: {passo}",
                    tabella.nome
                );
            }
        }
    }
}
