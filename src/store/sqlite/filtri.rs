//! Searches with a name.

use async_trait::async_trait;

use super::SqliteStore;
use super::row::{begin, guasto};
use super::tracce::finish;
use crate::store::StoreError;
use crate::store::filtri::{ArchivioFiltri, FILTRI_MAX, FiltroSalvato};
use crate::store::valori::Riga;

#[async_trait]
impl ArchivioFiltri for SqliteStore {
    async fn filtri(&self, di: Option<&str>) -> Result<Vec<FiltroSalvato>, StoreError> {
        let righe = sqlx::query(
            "SELECT nome, proprietario, criteri, salvato_il
             FROM tracce_filtri
             WHERE proprietario IN ('', ?)
             ORDER BY nome, proprietario
             LIMIT ?",
        )
        .bind(di.unwrap_or_default())
        .bind(FILTRI_MAX)
        .fetch_all(&self.lettori)
        .await
        .map_err(guasto)?;
        righe
            .iter()
            .map(|row| {
                let riga = Riga {
                    table: "tracce_filtri",
                    row,
                };
                Ok(FiltroSalvato::from_row(
                    riga.get("nome")?,
                    riga.get("proprietario")?,
                    &riga.get::<String>("criteri")?,
                    riga.istante("salvato_il")?,
                )?)
            })
            .collect()
    }

    async fn keep_filtro(&self, filtro: &FiltroSalvato) -> Result<(), StoreError> {
        let mut presa = self.take().await?;
        let esito = async {
            begin(&mut presa.connessione).await?;
            sqlx::query(
                "INSERT INTO tracce_filtri (proprietario, nome, criteri, salvato_il)
                 VALUES (?, ?, ?, ?)
                 ON CONFLICT DO UPDATE SET criteri = excluded.criteri, salvato_il = excluded.salvato_il",
            )
            .bind(filtro.proprietario().unwrap_or_default())
            .bind(filtro.nome())
            .bind(filtro.json())
            .bind(filtro.salvato_il().as_millisecond())
            .execute(&mut presa.connessione)
            .await
            .map_err(guasto)?;
            Ok(())
        };
        let esito = esito.await;
        finish(presa, esito).await
    }

    async fn forget_filtro(&self, di: Option<&str>, nome: &str) -> Result<bool, StoreError> {
        let mut presa = self.take().await?;
        let mut quanti = 0;
        let esito = async {
            begin(&mut presa.connessione).await?;
            quanti = sqlx::query("DELETE FROM tracce_filtri WHERE proprietario = ? AND nome = ?")
                .bind(di.unwrap_or_default())
                .bind(nome)
                .execute(&mut presa.connessione)
                .await
                .map_err(guasto)?
                .rows_affected();
            Ok(())
        };
        let esito = esito.await;
        finish(presa, esito).await?;
        Ok(quanti > 0)
    }
}
