//! Classification and office of a registration: the only data of it that may change, each change a fact of its own
//! (spec/domain.md §2.2).

use jiff::Timestamp;
use sqlx::AssertSqlSafe;
use sqlx::sqlite::{SqliteConnection, SqlitePool, SqliteRow};

use super::legale::not_before_the_register;
use super::row::guasto;
use crate::registro::Assegnazione;
use crate::store::legale::{EsitoAssegnazione, RichiestaAssegnazione, assegnazione_from};
use crate::store::valori::Riga;
use crate::store::{Inconsistency, StoreError};

/// How a registration was classified and assigned, in order.
pub(super) async fn of(lettori: &SqlitePool, registrazione: i64) -> Result<Vec<Assegnazione>, StoreError> {
    let mut lettore = lettori.acquire().await.map_err(guasto)?;
    read(&mut lettore, registrazione).await
}

async fn read(
    connessione: &mut SqliteConnection,
    registrazione: i64,
) -> Result<Vec<Assegnazione>, StoreError> {
    let righe = sqlx::query(AssertSqlSafe(format!(
        "{ASSEGNAZIONI} WHERE a.registrazione = ?1 ORDER BY a.dal, a.id"
    )))
    .bind(registrazione)
    .fetch_all(connessione)
    .await
    .map_err(guasto)?;
    Ok(from(&righe)?)
}

/// What was set between two instants.
pub(super) async fn between(
    lettore: &mut SqliteConnection,
    registro: &str,
    dal: Timestamp,
    al: Timestamp,
) -> Result<Vec<Assegnazione>, StoreError> {
    let righe = sqlx::query(AssertSqlSafe(format!(
        "{ASSEGNAZIONI} WHERE r.registro = ?1 AND a.dal >= ?2 AND a.dal < ?3 ORDER BY a.dal, a.id"
    )))
    .bind(registro)
    .bind(dal.as_millisecond())
    .bind(al.as_millisecond())
    .fetch_all(lettore)
    .await
    .map_err(guasto)?;
    Ok(from(&righe)?)
}

fn from(righe: &[SqliteRow]) -> Result<Vec<Assegnazione>, Inconsistency> {
    righe.iter().map(assegnazione_from).collect()
}

/// All that the setting does up to COMMIT.
pub(super) async fn assign(
    connessione: &mut SqliteConnection,
    richiesta: &RichiestaAssegnazione<'_>,
    adesso: Timestamp,
) -> Result<EsitoAssegnazione, StoreError> {
    let row = sqlx::query(
        "SELECT r.id,
             (SELECT min(a.annullata_il) FROM annullamenti a
              WHERE a.registrazione = r.id AND a.campo IS NULL) AS annullata_il
         FROM registrazioni r
         WHERE r.protocollo = ?1",
    )
    .bind(richiesta.protocollo.to_string())
    .fetch_optional(&mut *connessione)
    .await
    .map_err(guasto)?;
    let Some(row) = row else {
        return Ok(EsitoAssegnazione::Sconosciuta);
    };
    let riga = Riga {
        table: "registrazioni",
        row: &row,
    };
    if let Some(annullata_il) = riga.parse_option("annullata_il", Timestamp::from_millisecond)? {
        return Ok(EsitoAssegnazione::Annullata(annullata_il));
    }
    let registrazione: i64 = riga.get("id")?;
    if !richiesta.changes(&read(connessione, registrazione).await?) {
        return Ok(EsitoAssegnazione::Immutata);
    }
    let adesso = not_before_the_register(connessione, richiesta.protocollo.registro(), adesso).await?;
    sqlx::query(
        "INSERT INTO assegnazioni (registrazione, dal, operatore, classifica, assegnazione)
         VALUES (?1, ?2, ?3, ?4, ?5)",
    )
    .bind(registrazione)
    .bind(adesso.as_millisecond())
    .bind(richiesta.operatore)
    .bind(richiesta.classifica)
    .bind(richiesta.assegnazione)
    .execute(connessione)
    .await
    .map_err(guasto)?;
    Ok(EsitoAssegnazione::Assegnata(adesso))
}

/// A change, as [`assegnazione_from`] reads it.
const ASSEGNAZIONI: &str = "SELECT
    a.id, r.protocollo, a.dal AS dal_ms, a.operatore, a.classifica, a.assegnazione
FROM assegnazioni a
JOIN registrazioni r ON r.id = a.registrazione";
