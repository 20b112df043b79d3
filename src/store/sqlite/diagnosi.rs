//! What the file tells of itself.

use async_trait::async_trait;
use jiff::Timestamp;
use sqlx::{AssertSqlSafe, Row as _};

use super::SqliteStore;
use super::row::guasto;
use crate::store::diagnosi::{ArchivioDiagnosi, RifiutiPerCodice, Tabella};
use crate::store::valori::Riga;
use crate::store::{Inconsistency, StoreError};

#[async_trait]
impl ArchivioDiagnosi for SqliteStore {
    async fn tabelle(&self) -> Result<Vec<Tabella>, StoreError> {
        let misurate: Vec<(String, i64, i64)> = sqlx::query_as(
            "SELECT m.tbl_name,
                    sum(CASE WHEN m.type = 'index' THEN 0 ELSE b.pgsize END),
                    sum(CASE WHEN m.type = 'index' THEN b.pgsize ELSE 0 END)
             FROM dbstat b
             JOIN sqlite_schema m ON m.name = b.name
             WHERE b.aggregate = TRUE AND m.tbl_name NOT LIKE 'sqlite_%'
             GROUP BY m.tbl_name
             ORDER BY sum(b.pgsize) DESC, m.tbl_name",
        )
        .fetch_all(&self.lettori)
        .await
        .map_err(guasto)?;
        let mut tabelle = Vec::with_capacity(misurate.len());
        for (nome, byte, byte_indici) in misurate {
            let conta = format!("SELECT count(*) FROM \"{nome}\"");
            let righe: i64 = sqlx::query_scalar(AssertSqlSafe(conta))
                .fetch_one(&self.lettori)
                .await
                .map_err(guasto)?;
            tabelle.push(Tabella {
                nome,
                righe: righe.unsigned_abs(),
                byte: byte.unsigned_abs(),
                byte_indici: byte_indici.unsigned_abs(),
            });
        }
        Ok(tabelle)
    }

    async fn impostazioni(&self) -> Result<Vec<(String, String)>, StoreError> {
        let mut lettore = self.lettori.acquire().await.map_err(guasto)?;
        let mut lette = Vec::with_capacity(PRAGMA.len());
        for nome in PRAGMA {
            let riga = sqlx::query(AssertSqlSafe(format!("PRAGMA {nome}")))
                .fetch_optional(&mut *lettore)
                .await
                .map_err(guasto)?;
            let numero = |riga: &sqlx::sqlite::SqliteRow| riga.try_get::<i64, _>(0).map(|n| n.to_string());
            let detto = riga.and_then(|riga| numero(&riga).or_else(|_| riga.try_get(0)).ok());
            lette.push(((*nome).to_owned(), detto.unwrap_or_default()));
        }
        Ok(lette)
    }

    async fn ora_del_server(&self) -> Result<Option<Timestamp>, StoreError> {
        Ok(None)
    }

    async fn porta_per_codice(&self, dal: Timestamp) -> Result<Vec<RifiutiPerCodice>, StoreError> {
        let righe = sqlx::query(
            "SELECT codice, count(*) AS quanti, max(istante) AS ultimo
             FROM porta
             WHERE istante >= ?
             GROUP BY codice
             ORDER BY codice",
        )
        .bind(dal.as_millisecond())
        .fetch_all(&self.lettori)
        .await
        .map_err(guasto)?;
        let rifiuti = righe.iter().map(|row| {
            let riga = Riga { table: "porta", row };
            Ok(RifiutiPerCodice {
                codice: riga.get("codice")?,
                quanti: riga.count("quanti")?,
                ultimo: riga.istante("ultimo")?,
            })
        });
        Ok(rifiuti.collect::<Result<_, Inconsistency>>()?)
    }
}

/// What is asked for, each as its pragma.
const PRAGMA: &[&str] = &[
    "application_id",
    "auto_vacuum",
    "busy_timeout",
    "cache_size",
    "encoding",
    "foreign_keys",
    "freelist_count",
    "journal_mode",
    "journal_size_limit",
    "max_page_count",
    "mmap_size",
    "page_count",
    "page_size",
    "synchronous",
    "user_version",
    "wal_autocheckpoint",
];
