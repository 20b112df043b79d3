//! Quotas: one row an ente, which all gateways share. The table is unlogged, so that a slice waits for no disk and no standby.

use async_trait::async_trait;
use jiff::Timestamp;

use super::PostgresStore;
use super::row::guasto;
use crate::patronato::CodiceEnte;
use crate::store::StoreError;
use crate::store::quote::{ArchivioQuote, Fetta, MINUTO_S};
use crate::store::valori::Riga;

#[async_trait]
impl ArchivioQuote for PostgresStore {
    async fn take_fetta(
        &self,
        ente: &CodiceEnte,
        concesse: u32,
        adesso: Timestamp,
    ) -> Result<Fetta, StoreError> {
        self.within(async {
            let mut lettore = self.lettore().await?;
            // A gateway whose clock is a little behind takes part in the minute that another began.
            let row = sqlx::query(
                "INSERT INTO quote AS q (ente, inizio_s, prese, fetta)
                 VALUES ($1, $2, greatest(1, $3 / 20), greatest(1, $3 / 20))
                 ON CONFLICT (ente) DO UPDATE
                 SET (inizio_s, prese, fetta) = (
                     SELECT m.inizio_s, m.prese + f.fetta, f.fetta
                     FROM (SELECT CASE WHEN v.corre THEN q.inizio_s ELSE $2 END AS inizio_s,
                                  CASE WHEN v.corre THEN q.prese ELSE 0 END AS prese
                           FROM (SELECT $2 > q.inizio_s - $4 AND $2 < q.inizio_s + $4 AS corre) v) m,
                          LATERAL (SELECT CASE WHEN m.prese >= $3 THEN 0
                                               ELSE greatest(1, least($3 / 20, ($3 - m.prese) / 4)) END AS fetta) f)
                 RETURNING inizio_s, prese, fetta",
            )
            .bind(ente.as_str())
            .bind(adesso.as_second())
            .bind(i64::from(concesse))
            .bind(MINUTO_S)
            .fetch_one(&mut *lettore)
            .await
            .map_err(guasto)?;
            let riga = Riga {
                table: "quote",
                row: &row,
            };
            Ok(Fetta {
                inizio_s: riga.get("inizio_s")?,
                prese: riga.count("prese")?,
                mie: riga.count("fetta")?,
            })
        })
        .await
    }
}
