//! Searches with a name.

use async_trait::async_trait;

use super::PostgresStore;
use super::row::{Istante, guasto};
use crate::store::StoreError;
use crate::store::filtri::{ArchivioFiltri, FILTRI_MAX, FiltroSalvato};
use crate::store::valori::Riga;

#[async_trait]
impl ArchivioFiltri for PostgresStore {
    async fn filtri(&self, di: Option<&str>) -> Result<Vec<FiltroSalvato>, StoreError> {
        self.within(async {
            let mut lettore = self.lettore().await?;
            let righe = sqlx::query(
                "SELECT nome, proprietario, criteri::text AS criteri, salvato_il
                 FROM tracce_filtri
                 WHERE proprietario IN ('', $1)
                 ORDER BY nome, proprietario
                 LIMIT $2",
            )
            .bind(di.unwrap_or_default())
            .bind(i64::from(FILTRI_MAX))
            .fetch_all(&mut *lettore)
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
        })
        .await
    }

    async fn keep_filtro(&self, filtro: &FiltroSalvato) -> Result<(), StoreError> {
        self.within(async {
            let mut lettore = self.lettore().await?;
            sqlx::query(
                "INSERT INTO tracce_filtri (proprietario, nome, criteri, salvato_il)
                 VALUES ($1, $2, $3::jsonb, $4)
                 ON CONFLICT (proprietario, nome)
                 DO UPDATE SET criteri = excluded.criteri, salvato_il = excluded.salvato_il",
            )
            .bind(filtro.proprietario().unwrap_or_default())
            .bind(filtro.nome())
            .bind(filtro.json())
            .bind(Istante(filtro.salvato_il()))
            .execute(&mut *lettore)
            .await
            .map_err(guasto)?;
            Ok(())
        })
        .await
    }

    async fn forget_filtro(&self, di: Option<&str>, nome: &str) -> Result<bool, StoreError> {
        self.within(async {
            let mut lettore = self.lettore().await?;
            let esito = sqlx::query("DELETE FROM tracce_filtri WHERE proprietario = $1 AND nome = $2")
                .bind(di.unwrap_or_default())
                .bind(nome)
                .execute(&mut *lettore)
                .await
                .map_err(guasto)?;
            Ok(esito.rows_affected() > 0)
        })
        .await
    }
}
