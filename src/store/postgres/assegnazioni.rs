//! Classification and office of a registration: the only data of it that may change, each change a fact of its own
//! (spec/domain.md §2.2).

use jiff::Timestamp;
use sqlx::AssertSqlSafe;
use sqlx::postgres::{PgConnection, PgPool, PgRow};

use super::legale::lock_and_look;
use super::row::{Istante, guasto};
use crate::registro::Assegnazione;
use crate::store::legale::{EsitoAssegnazione, RichiestaAssegnazione, assegnazione_from};
use crate::store::valori::{Riga, intero};
use crate::store::{Inconsistency, StoreError};

/// How a registration was classified and assigned, in order.
pub(super) async fn of(lettori: &PgPool, registrazione: i64) -> Result<Vec<Assegnazione>, StoreError> {
    let mut lettore = lettori.acquire().await.map_err(guasto)?;
    read(&mut lettore, registrazione).await
}

async fn read(connessione: &mut PgConnection, registrazione: i64) -> Result<Vec<Assegnazione>, StoreError> {
    let righe = sqlx::query(AssertSqlSafe(format!(
        "{ASSEGNAZIONI} WHERE a.registrazione = $1 ORDER BY a.dal, a.id"
    )))
    .bind(registrazione)
    .fetch_all(connessione)
    .await
    .map_err(guasto)?;
    Ok(from(&righe)?)
}

/// What was set between two instants.
pub(super) async fn between(
    lettore: &mut PgConnection,
    registro: &str,
    dal: Timestamp,
    al: Timestamp,
) -> Result<Vec<Assegnazione>, StoreError> {
    let righe = sqlx::query(AssertSqlSafe(format!(
        "{ASSEGNAZIONI} WHERE r.registro = $1 AND a.dal >= $2 AND a.dal < $3 ORDER BY a.dal, a.id"
    )))
    .bind(registro)
    .bind(Istante(dal))
    .bind(Istante(al))
    .fetch_all(lettore)
    .await
    .map_err(guasto)?;
    Ok(from(&righe)?)
}

fn from(righe: &[PgRow]) -> Result<Vec<Assegnazione>, Inconsistency> {
    righe.iter().map(assegnazione_from).collect()
}

/// All that the setting does up to COMMIT.
pub(super) async fn assign(
    connessione: &mut PgConnection,
    richiesta: &RichiestaAssegnazione<'_>,
    adesso: Timestamp,
) -> Result<EsitoAssegnazione, StoreError> {
    let adesso = lock_and_look(connessione, richiesta.protocollo.registro(), adesso).await?;
    let row = sqlx::query(
        "SELECT r.id,
             (SELECT min(a.annullata_il) FROM annullamenti a
              WHERE a.registrazione = r.id AND a.campo IS NULL) AS annullata_il
         FROM registrazioni r
         WHERE r.registro = $1 AND r.anno = $2 AND r.numero = $3",
    )
    .bind(richiesta.protocollo.registro())
    .bind(richiesta.protocollo.anno())
    .bind(intero(richiesta.protocollo.numero()))
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
    if let Some(Istante(annullata_il)) = riga.get("annullata_il")? {
        return Ok(EsitoAssegnazione::Annullata(annullata_il));
    }
    let registrazione: i64 = riga.get("id")?;
    if !richiesta.changes(&read(connessione, registrazione).await?) {
        return Ok(EsitoAssegnazione::Immutata);
    }
    sqlx::query(
        "INSERT INTO assegnazioni (registrazione, dal, operatore, classifica, assegnazione)
         VALUES ($1, $2, $3, $4, $5)",
    )
    .bind(registrazione)
    .bind(Istante(adesso))
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
    a.id, r.protocollo, (extract(epoch FROM a.dal) * 1000)::bigint AS dal_ms, a.operatore, a.classifica, a.assegnazione
FROM assegnazioni a
JOIN registrazioni r ON r.id = a.registrazione";
