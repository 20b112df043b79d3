//! What the database tells of itself.

use async_trait::async_trait;
use jiff::Timestamp;

use super::PostgresStore;
use super::row::{Istante, guasto};
use crate::store::diagnosi::{ArchivioDiagnosi, RifiutiPerCodice, Tabella};
use crate::store::valori::Riga;
use crate::store::{Inconsistency, StoreError};

#[async_trait]
impl ArchivioDiagnosi for PostgresStore {
    async fn tabelle(&self) -> Result<Vec<Tabella>, StoreError> {
        self.within(async {
            let mut lettore = self.lettore().await?;
            let misurate: Vec<(String, i64, i64, i64)> = sqlx::query_as(
                "SELECT coalesce(p.relname, c.relname)::text,
                        sum(greatest(pg_stat_get_live_tuples(c.oid), c.reltuples::bigint, 0))::bigint,
                        sum(pg_table_size(c.oid))::bigint,
                        sum(pg_indexes_size(c.oid))::bigint
                 FROM pg_class c
                 LEFT JOIN pg_inherits i ON i.inhrelid = c.oid
                 LEFT JOIN pg_class p ON p.oid = i.inhparent
                 WHERE c.relkind = 'r' AND c.relnamespace = 'public'::regnamespace
                 GROUP BY 1
                 ORDER BY 3 DESC, 1",
            )
            .fetch_all(&mut *lettore)
            .await
            .map_err(guasto)?;
            let tabelle = misurate
                .into_iter()
                .map(|(nome, righe, byte, byte_indici)| Tabella {
                    nome,
                    righe: righe.unsigned_abs(),
                    byte: byte.unsigned_abs(),
                    byte_indici: byte_indici.unsigned_abs(),
                });
            Ok(tabelle.collect())
        })
        .await
    }

    async fn impostazioni(&self) -> Result<Vec<(String, String)>, StoreError> {
        self.within(async {
            let mut lettore = self.lettore().await?;
            sqlx::query_as(
                "SELECT name, concat_ws(' ', setting, unit)
                 FROM pg_settings
                 WHERE name = ANY($1)
                 ORDER BY name",
            )
            .bind(NOMI)
            .fetch_all(&mut *lettore)
            .await
            .map_err(guasto)
        })
        .await
    }

    async fn ora_del_server(&self) -> Result<Option<Timestamp>, StoreError> {
        self.within(async {
            let mut lettore = self.lettore().await?;
            let Istante(ora) = sqlx::query_scalar("SELECT clock_timestamp()")
                .fetch_one(&mut *lettore)
                .await
                .map_err(guasto)?;
            Ok(Some(ora))
        })
        .await
    }

    async fn porta_per_codice(&self, dal: Timestamp) -> Result<Vec<RifiutiPerCodice>, StoreError> {
        self.within(async {
            let mut lettore = self.lettore().await?;
            let righe = sqlx::query(
                "SELECT codice, count(*) AS quanti, max(istante) AS ultimo
                 FROM porta
                 WHERE istante >= $1
                 GROUP BY codice
                 ORDER BY codice",
            )
            .bind(Istante(dal))
            .fetch_all(&mut *lettore)
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
        })
        .await
    }
}

/// The settings that are asked for: none of them names a file or a host.
const NOMI: &[&str] = &[
    "autovacuum",
    "checkpoint_timeout",
    "data_checksums",
    "default_transaction_isolation",
    "effective_cache_size",
    "fsync",
    "full_page_writes",
    "hot_standby",
    "idle_in_transaction_session_timeout",
    "lock_timeout",
    "maintenance_work_mem",
    "max_connections",
    "max_wal_size",
    "random_page_cost",
    "server_version",
    "shared_buffers",
    "ssl",
    "statement_timeout",
    "synchronous_commit",
    "TimeZone",
    "transaction_read_only",
    "wal_compression",
    "wal_level",
    "work_mem",
];
