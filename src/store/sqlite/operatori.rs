//! Operators and sessions of the console: see [`crate::store::operatori`].

use async_trait::async_trait;
use jiff::Timestamp;
use sqlx::AssertSqlSafe;
use sqlx::sqlite::SqliteRow;

use super::SqliteStore;
use super::row::{begin, guasto};
use super::tracce::finish;
use crate::store::operatori::{
    ArchivioOperatori, CANALI_DI_MESSAGGI, Chi, NuovoOperatore, Operatore, Sessione, Volume,
};
use crate::store::valori::{Riga, parola};
use crate::store::{Inconsistency, StoreError};

#[async_trait]
impl ArchivioOperatori for SqliteStore {
    async fn volumi(&self, dal: Timestamp, righe_max: u32) -> Result<Vec<Volume>, StoreError> {
        let sql = format!(
            "SELECT ente, esito, count(*) AS quanti
             FROM (SELECT ente, esito FROM tracce
                   WHERE ricevuto_il >= ? AND canale IN {CANALI_DI_MESSAGGI}
                   ORDER BY ricevuto_il DESC LIMIT ?)
             GROUP BY ente, esito ORDER BY ente, esito"
        );
        let righe = sqlx::query(AssertSqlSafe(sql))
            .bind(dal.as_millisecond())
            .bind(righe_max)
            .fetch_all(&self.lettori)
            .await
            .map_err(guasto)?;
        Ok(righe.iter().map(volume_from).collect::<Result<_, _>>()?)
    }

    async fn add_operatore(&self, nuovo: &NuovoOperatore, adesso: Timestamp) -> Result<bool, StoreError> {
        let mut presa = self.take().await?;
        let esito = sqlx::query(
            "INSERT INTO operatori (nome, ruolo, password, certificato_sha256, creato_il)
             VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
        )
        .bind(&nuovo.nome)
        .bind(nuovo.ruolo.as_str())
        .bind(nuovo.password.as_deref())
        .bind(nuovo.certificato_sha256.as_deref())
        .bind(adesso.as_millisecond())
        .execute(&mut presa.connessione)
        .await;
        presa.give_back();
        Ok(esito.map_err(guasto)?.rows_affected() == 1)
    }

    async fn operatori(&self) -> Result<Vec<Operatore>, StoreError> {
        let righe = sqlx::query(AssertSqlSafe(format!(
            "SELECT {COLONNE} FROM operatori o ORDER BY o.nome"
        )))
        .fetch_all(&self.lettori)
        .await
        .map_err(guasto)?;
        Ok(righe.iter().map(operatore_from).collect::<Result<_, _>>()?)
    }

    async fn operatore(&self, chi: Chi<'_>) -> Result<Option<(Operatore, Option<String>)>, StoreError> {
        let (colonna, valore) = match chi {
            Chi::Nome(nome) => ("nome", nome),
            Chi::Certificato(sha256) => ("certificato_sha256", sha256),
        };
        let riga = sqlx::query(AssertSqlSafe(format!(
            "SELECT {COLONNE}, o.password FROM operatori o WHERE o.{colonna} = ? AND o.disabilitato_il IS NULL"
        )))
        .bind(valore)
        .fetch_optional(&self.lettori)
        .await
        .map_err(guasto)?;
        let Some(row) = riga else { return Ok(None) };
        let riga = Riga {
            table: "operatori",
            row: &row,
        };
        Ok(Some((operatore_from(&row)?, riga.get("password")?)))
    }

    async fn set_password(&self, nome: &str, password: &str) -> Result<bool, StoreError> {
        let sql = "UPDATE operatori SET password = ? WHERE nome = ?";
        self.change_operatore(sqlx::query(sql).bind(password).bind(nome), nome)
            .await
    }

    async fn set_disabilitato(&self, nome: &str, dal: Option<Timestamp>) -> Result<bool, StoreError> {
        let sql = "UPDATE operatori SET disabilitato_il = ? WHERE nome = ?";
        let dal = dal.map(Timestamp::as_millisecond);
        self.change_operatore(sqlx::query(sql).bind(dal).bind(nome), nome)
            .await
    }

    async fn open_sessione(
        &self,
        impronta: &[u8; 32],
        operatore: i64,
        adesso: Timestamp,
        ferme_dal: Timestamp,
    ) -> Result<(), StoreError> {
        let mut presa = self.take().await?;
        let esito = async {
            begin(&mut presa.connessione).await?;
            sqlx::query("DELETE FROM sessioni WHERE vista_il < ?")
                .bind(ferme_dal.as_millisecond())
                .execute(&mut presa.connessione)
                .await
                .map_err(guasto)?;
            sqlx::query(
                "INSERT INTO sessioni (impronta, operatore, creata_il, vista_il) VALUES (?, ?, ?3, ?3)",
            )
            .bind(&impronta[..])
            .bind(operatore)
            .bind(adesso.as_millisecond())
            .execute(&mut presa.connessione)
            .await
            .map_err(guasto)?;
            Ok(())
        };
        let esito = esito.await;
        finish(presa, esito).await
    }

    async fn sessione(&self, impronta: &[u8; 32]) -> Result<Option<Sessione>, StoreError> {
        let riga = sqlx::query(AssertSqlSafe(format!(
            "SELECT {COLONNE}, s.creata_il, s.vista_il FROM sessioni s JOIN operatori o ON o.id = s.operatore
             WHERE s.impronta = ? AND o.disabilitato_il IS NULL"
        )))
        .bind(&impronta[..])
        .fetch_optional(&self.lettori)
        .await
        .map_err(guasto)?;
        let Some(row) = riga else { return Ok(None) };
        let riga = Riga {
            table: "sessioni",
            row: &row,
        };
        Ok(Some(Sessione {
            operatore: operatore_from(&row)?,
            creata_il: riga.istante("creata_il")?,
            vista_il: riga.istante("vista_il")?,
        }))
    }

    async fn touch_sessione(&self, impronta: &[u8; 32], adesso: Timestamp) -> Result<(), StoreError> {
        let mut presa = self.take().await?;
        let esito = sqlx::query("UPDATE sessioni SET vista_il = max(vista_il, ?) WHERE impronta = ?")
            .bind(adesso.as_millisecond())
            .bind(&impronta[..])
            .execute(&mut presa.connessione)
            .await;
        presa.give_back();
        esito.map(drop).map_err(guasto)
    }

    async fn close_sessione(&self, impronta: &[u8; 32]) -> Result<(), StoreError> {
        let mut presa = self.take().await?;
        let esito = sqlx::query("DELETE FROM sessioni WHERE impronta = ?")
            .bind(&impronta[..])
            .execute(&mut presa.connessione)
            .await;
        presa.give_back();
        esito.map(drop).map_err(guasto)
    }
}

impl SqliteStore {
    /// Changes one operator and ends their sessions; whether there is one.
    async fn change_operatore(
        &self,
        cambio: sqlx::query::Query<'_, sqlx::Sqlite, sqlx::sqlite::SqliteArguments>,
        nome: &str,
    ) -> Result<bool, StoreError> {
        let mut presa = self.take().await?;
        let esito = async {
            begin(&mut presa.connessione).await?;
            let cambiati = cambio
                .execute(&mut presa.connessione)
                .await
                .map_err(guasto)?
                .rows_affected();
            sqlx::query("DELETE FROM sessioni WHERE operatore IN (SELECT id FROM operatori WHERE nome = ?)")
                .bind(nome)
                .execute(&mut presa.connessione)
                .await
                .map_err(guasto)?;
            Ok(cambiati == 1)
        };
        match esito.await {
            Ok(cambiato) => finish(presa, Ok(())).await.map(|()| cambiato),
            Err(errore) => finish(presa, Err(errore)).await.map(|()| false),
        }
    }
}

fn operatore_from(row: &SqliteRow) -> Result<Operatore, Inconsistency> {
    let riga = Riga {
        table: "operatori",
        row,
    };
    Ok(Operatore {
        id: riga.get("id")?,
        nome: riga.get("nome")?,
        ruolo: riga.parse("ruolo", |testo: String| parola(&testo))?,
        con_certificato: riga.get("con_certificato")?,
        con_password: riga.get("con_password")?,
        creato_il: riga.istante("creato_il")?,
        disabilitato_il: riga.parse_option("disabilitato_il", Timestamp::from_millisecond)?,
    })
}

fn volume_from(row: &SqliteRow) -> Result<Volume, Inconsistency> {
    let riga = Riga { table: "tracce", row };
    Ok(Volume {
        ente: riga.get("ente")?,
        esito: riga.get("esito")?,
        quanti: riga.count("quanti")?,
    })
}

/// The columns of an operator, as [`operatore_from`] reads them.
const COLONNE: &str = "o.id, o.nome, o.ruolo, o.certificato_sha256 IS NOT NULL AS con_certificato, \
    o.password IS NOT NULL AS con_password, o.creato_il, o.disabilitato_il";
