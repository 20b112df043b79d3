//! Operators and sessions of the console: see [`crate::store::operatori`].

use async_trait::async_trait;
use jiff::Timestamp;
use sqlx::AssertSqlSafe;
use sqlx::postgres::PgRow;

use super::PostgresStore;
use super::row::{Istante, guasto};
use crate::store::operatori::{
    ArchivioOperatori, CANALI_DI_MESSAGGI, Chi, NuovoOperatore, Operatore, Sessione, Volume,
};
use crate::store::valori::{Riga, parola};
use crate::store::{Inconsistency, StoreError};

#[async_trait]
impl ArchivioOperatori for PostgresStore {
    async fn volumi(&self, dal: Timestamp, righe_max: u32) -> Result<Vec<Volume>, StoreError> {
        self.within(async {
            let sql = format!(
                "SELECT ente, esito, count(*) AS quanti
                 FROM (SELECT ente, esito FROM tracce
                       WHERE ricevuto_il >= $1 AND canale IN {CANALI_DI_MESSAGGI}
                       ORDER BY ricevuto_il DESC LIMIT $2) AS ultime
                 GROUP BY ente, esito ORDER BY ente NULLS FIRST, esito"
            );
            let mut lettore = self.lettore().await?;
            let righe = sqlx::query(AssertSqlSafe(sql))
                .bind(Istante(dal))
                .bind(i64::from(righe_max))
                .fetch_all(&mut *lettore)
                .await
                .map_err(guasto)?;
            Ok(righe.iter().map(volume_from).collect::<Result<_, _>>()?)
        })
        .await
    }

    async fn add_operatore(&self, nuovo: &NuovoOperatore, adesso: Timestamp) -> Result<bool, StoreError> {
        self.within(async {
            let mut lettore = self.lettore().await?;
            let esito = sqlx::query(
                "INSERT INTO operatori (nome, ruolo, password, certificato_sha256, creato_il)
                 VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING",
            )
            .bind(&nuovo.nome)
            .bind(nuovo.ruolo.as_str())
            .bind(nuovo.password.as_deref())
            .bind(nuovo.certificato_sha256.as_deref())
            .bind(Istante(adesso))
            .execute(&mut *lettore)
            .await
            .map_err(guasto)?;
            Ok(esito.rows_affected() == 1)
        })
        .await
    }

    async fn operatori(&self) -> Result<Vec<Operatore>, StoreError> {
        self.within(async {
            let mut lettore = self.lettore().await?;
            let righe = sqlx::query(AssertSqlSafe(format!(
                "SELECT {COLONNE} FROM operatori o ORDER BY o.nome"
            )))
            .fetch_all(&mut *lettore)
            .await
            .map_err(guasto)?;
            Ok(righe.iter().map(operatore_from).collect::<Result<_, _>>()?)
        })
        .await
    }

    async fn operatore(&self, chi: Chi<'_>) -> Result<Option<(Operatore, Option<String>)>, StoreError> {
        let (colonna, valore) = match chi {
            Chi::Nome(nome) => ("nome", nome),
            Chi::Certificato(sha256) => ("certificato_sha256", sha256),
        };
        self.within(async {
            let mut lettore = self.lettore().await?;
            let riga = sqlx::query(AssertSqlSafe(format!(
                "SELECT {COLONNE}, o.password FROM operatori o
                 WHERE o.{colonna} = $1 AND o.disabilitato_il IS NULL"
            )))
            .bind(valore)
            .fetch_optional(&mut *lettore)
            .await
            .map_err(guasto)?;
            let Some(row) = riga else { return Ok(None) };
            let riga = Riga {
                table: "operatori",
                row: &row,
            };
            Ok(Some((operatore_from(&row)?, riga.get("password")?)))
        })
        .await
    }

    async fn set_password(&self, nome: &str, password: &str) -> Result<bool, StoreError> {
        let sql = cambio("password = $2");
        self.change_operatore(sqlx::query_scalar(AssertSqlSafe(sql)).bind(nome).bind(password))
            .await
    }

    async fn set_disabilitato(&self, nome: &str, dal: Option<Timestamp>) -> Result<bool, StoreError> {
        let sql = cambio("disabilitato_il = $2");
        self.change_operatore(
            sqlx::query_scalar(AssertSqlSafe(sql))
                .bind(nome)
                .bind(dal.map(Istante)),
        )
        .await
    }

    async fn open_sessione(
        &self,
        impronta: &[u8; 32],
        operatore: i64,
        adesso: Timestamp,
        ferme_dal: Timestamp,
    ) -> Result<(), StoreError> {
        self.within(async {
            let mut lettore = self.lettore().await?;
            sqlx::query(
                "WITH ferme AS (DELETE FROM sessioni WHERE vista_il < $4)
                 INSERT INTO sessioni (impronta, operatore, creata_il, vista_il) VALUES ($1, $2, $3, $3)",
            )
            .bind(&impronta[..])
            .bind(operatore)
            .bind(Istante(adesso))
            .bind(Istante(ferme_dal))
            .execute(&mut *lettore)
            .await
            .map_err(guasto)?;
            Ok(())
        })
        .await
    }

    async fn sessione(&self, impronta: &[u8; 32]) -> Result<Option<Sessione>, StoreError> {
        self.within(async {
            let mut lettore = self.lettore().await?;
            let riga = sqlx::query(AssertSqlSafe(format!(
                "SELECT {COLONNE}, s.creata_il, s.vista_il FROM sessioni s JOIN operatori o ON o.id = s.operatore
                 WHERE s.impronta = $1 AND o.disabilitato_il IS NULL"
            )))
            .bind(&impronta[..])
            .fetch_optional(&mut *lettore)
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
        })
        .await
    }

    async fn touch_sessione(&self, impronta: &[u8; 32], adesso: Timestamp) -> Result<(), StoreError> {
        self.within(async {
            let mut lettore = self.lettore().await?;
            sqlx::query("UPDATE sessioni SET vista_il = greatest(vista_il, $2) WHERE impronta = $1")
                .bind(&impronta[..])
                .bind(Istante(adesso))
                .execute(&mut *lettore)
                .await
                .map(drop)
                .map_err(guasto)
        })
        .await
    }

    async fn close_sessione(&self, impronta: &[u8; 32]) -> Result<(), StoreError> {
        self.within(async {
            let mut lettore = self.lettore().await?;
            sqlx::query("DELETE FROM sessioni WHERE impronta = $1")
                .bind(&impronta[..])
                .execute(&mut *lettore)
                .await
                .map(drop)
                .map_err(guasto)
        })
        .await
    }
}

impl PostgresStore {
    /// Changes one operator and ends their sessions; whether there is one.
    async fn change_operatore(
        &self,
        cambio: sqlx::query::QueryScalar<'_, sqlx::Postgres, i64, sqlx::postgres::PgArguments>,
    ) -> Result<bool, StoreError> {
        self.within(async {
            let mut lettore = self.lettore().await?;
            Ok(cambio.fetch_one(&mut *lettore).await.map_err(guasto)? == 1)
        })
        .await
    }
}

/// One statement: the operator of the name `$1` is changed, and their sessions end with it.
fn cambio(che: &str) -> String {
    format!(
        "WITH cambiati AS (UPDATE operatori SET {che} WHERE nome = $1 RETURNING id),
              chiuse AS (DELETE FROM sessioni WHERE operatore IN (SELECT id FROM cambiati))
         SELECT count(*) FROM cambiati"
    )
}

fn operatore_from(row: &PgRow) -> Result<Operatore, Inconsistency> {
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
        disabilitato_il: riga
            .get::<Option<Istante>>("disabilitato_il")?
            .map(|Istante(istante)| istante),
    })
}

fn volume_from(row: &PgRow) -> Result<Volume, Inconsistency> {
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
