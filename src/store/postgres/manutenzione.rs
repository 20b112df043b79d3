//! Orders of maintenance.

use async_trait::async_trait;

use super::PostgresStore;
use super::row::{Istante, guasto};
use crate::store::StoreError;
use crate::store::manutenzione::{ArchivioManutenzioni, Cartello, Disposizione};
use crate::store::valori::Riga;

#[async_trait]
impl ArchivioManutenzioni for PostgresStore {
    async fn dispose(&self, disposizione: &Disposizione) -> Result<(), StoreError> {
        let cartello = disposizione.cartello.as_ref();
        self.within(async {
            let mut lettore = self.lettore().await?;
            sqlx::query(
                "INSERT INTO manutenzioni (istante, operatore, messaggio, fino_a)
                 VALUES ($1, $2, $3, $4)",
            )
            .bind(Istante(disposizione.istante))
            .bind(&disposizione.operatore)
            .bind(cartello.map(|cartello| &cartello.messaggio))
            .bind(cartello.and_then(|cartello| cartello.fino_a).map(Istante))
            .execute(&mut *lettore)
            .await
            .map(drop)
            .map_err(guasto)
        })
        .await
    }

    async fn disposizione(&self) -> Result<Option<Disposizione>, StoreError> {
        self.within(async {
            let mut lettore = self.lettore().await?;
            let ultima = sqlx::query(
                "SELECT istante, operatore, messaggio, fino_a
                 FROM manutenzioni
                 ORDER BY id DESC
                 LIMIT 1",
            )
            .fetch_optional(&mut *lettore)
            .await
            .map_err(guasto)?;
            let Some(row) = ultima else { return Ok(None) };
            let riga = Riga {
                table: "manutenzioni",
                row: &row,
            };
            let fino_a = riga
                .get::<Option<Istante>>("fino_a")?
                .map(|Istante(istante)| istante);
            let messaggio: Option<String> = riga.get("messaggio")?;
            Ok(Some(Disposizione {
                istante: riga.istante("istante")?,
                operatore: riga.get("operatore")?,
                cartello: messaggio.map(|messaggio| Cartello { messaggio, fino_a }),
            }))
        })
        .await
    }
}
