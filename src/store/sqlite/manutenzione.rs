//! Orders of maintenance.

use async_trait::async_trait;
use jiff::Timestamp;

use super::SqliteStore;
use super::row::guasto;
use crate::store::StoreError;
use crate::store::manutenzione::{ArchivioManutenzioni, Cartello, Disposizione};
use crate::store::valori::Riga;

#[async_trait]
impl ArchivioManutenzioni for SqliteStore {
    async fn dispose(&self, disposizione: &Disposizione) -> Result<(), StoreError> {
        let cartello = disposizione.cartello.as_ref();
        let fino_a = cartello.and_then(|cartello| cartello.fino_a);
        let mut presa = self.take().await?;
        let scritta = sqlx::query(
            "INSERT INTO manutenzioni (istante, operatore, messaggio, fino_a)
             VALUES (?, ?, ?, ?)",
        )
        .bind(disposizione.istante.as_millisecond())
        .bind(&disposizione.operatore)
        .bind(cartello.map(|cartello| &cartello.messaggio))
        .bind(fino_a.map(Timestamp::as_millisecond))
        .execute(&mut presa.connessione)
        .await;
        presa.give_back();
        scritta.map(drop).map_err(guasto)
    }

    async fn disposizione(&self) -> Result<Option<Disposizione>, StoreError> {
        let ultima = sqlx::query(
            "SELECT istante, operatore, messaggio, fino_a
             FROM manutenzioni
             ORDER BY id DESC
             LIMIT 1",
        )
        .fetch_optional(&self.lettori)
        .await
        .map_err(guasto)?;
        let Some(row) = ultima else { return Ok(None) };
        let riga = Riga {
            table: "manutenzioni",
            row: &row,
        };
        let fino_a = riga.parse_option("fino_a", Timestamp::from_millisecond)?;
        let messaggio: Option<String> = riga.get("messaggio")?;
        Ok(Some(Disposizione {
            istante: riga.istante("istante")?,
            operatore: riga.get("operatore")?,
            cartello: messaggio.map(|messaggio| Cartello { messaggio, fino_a }),
        }))
    }
}
