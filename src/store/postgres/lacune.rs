//! Declared holes: see [`crate::store::lacune`].

use jiff::Timestamp;
use sqlx::AssertSqlSafe;
use sqlx::postgres::PgConnection;

use super::row::{Istante, guasto};
use crate::registro::{Lacuna, RecuperoFatto};
use crate::store::lacune::{Dichiarazione, Vuoto, lacuna_from, nothing_to_declare, recupero_from, vuoti};
use crate::store::valori::{al_millesimo, intero};
use crate::store::{Inconsistency, StoreError};

/// Declares what is missing: all that the transaction does up to COMMIT. Registers and counters are locked in the order
/// in which a registration locks them.
pub(super) async fn declare(
    connessione: &mut PgConnection,
    dichiarazione: &Dichiarazione<'_>,
    adesso: Timestamp,
) -> Result<Vec<Lacuna>, StoreError> {
    let contatori: Vec<(String, i16, i64)> =
        sqlx::query_as("SELECT registro, anno, ultimo FROM registro ORDER BY registro FOR UPDATE")
            .fetch_all(&mut *connessione)
            .await
            .map_err(guasto)?;
    let ultima: i64 = sqlx::query_scalar("SELECT ultimo FROM contatori WHERE nome = 'domanda' FOR UPDATE")
        .fetch_one(&mut *connessione)
        .await
        .map_err(guasto)?;
    let vuoti = vuoti(dichiarazione.detti, contatori, ultima)?;
    if vuoti.is_empty() {
        return Err(nothing_to_declare());
    }
    for vuoto in &vuoti {
        write(connessione, vuoto, dichiarazione, adesso).await?;
    }
    let tutte = read(connessione).await?;
    Ok(tutte[tutte.len() - vuoti.len()..].to_vec())
}

/// Writes a hole, and moves the counters behind it.
pub(super) async fn write(
    connessione: &mut PgConnection,
    vuoto: &Vuoto,
    dichiarazione: &Dichiarazione<'_>,
    adesso: Timestamp,
) -> Result<(), StoreError> {
    let adesso = al_millesimo(adesso);
    // A register that was never drawn from here has no row yet; any other one keeps the instant of its last registration.
    let Istante(quando) = sqlx::query_scalar(
        "INSERT INTO registro AS r (registro, anno, ultimo, ultimo_istante) VALUES ($1, $2, $3, $4)
         ON CONFLICT (registro) DO UPDATE SET anno = excluded.anno, ultimo = excluded.ultimo
         RETURNING greatest(r.ultimo_istante, r.chiuso_fino_a)",
    )
    .bind(&vuoto.registro)
    .bind(vuoto.anno)
    .bind(intero(vuoto.a))
    .bind(Istante(adesso))
    .fetch_one(&mut *connessione)
    .await
    .map_err(guasto)?;
    if let Some((_, a)) = vuoto.domande {
        sqlx::query("UPDATE contatori SET ultimo = $1 WHERE nome = 'domanda'")
            .bind(intero(a))
            .execute(&mut *connessione)
            .await
            .map_err(guasto)?;
    }
    sqlx::query(
        "INSERT INTO lacune (registro, anno, da, a, domanda_da, domanda_a, dichiarata_il, operatore, motivo,
             provvedimento_numero, provvedimento_data)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11::date)",
    )
    .bind(&vuoto.registro)
    .bind(vuoto.anno)
    .bind(intero(vuoto.da))
    .bind(intero(vuoto.a))
    .bind(vuoto.domande.map(|(da, _)| intero(da)))
    .bind(vuoto.domande.map(|(_, a)| intero(a)))
    .bind(Istante(adesso.max(quando)))
    .bind(dichiarazione.operatore)
    .bind(dichiarazione.motivo)
    .bind(&dichiarazione.provvedimento.numero)
    .bind(dichiarazione.provvedimento.data.to_string())
    .execute(connessione)
    .await
    .map_err(guasto)?;
    Ok(())
}

/// Every hole, oldest first.
pub(super) async fn read(connessione: &mut PgConnection) -> Result<Vec<Lacuna>, StoreError> {
    let righe = sqlx::query(AssertSqlSafe(format!("{LACUNE} ORDER BY id")))
        .fetch_all(connessione)
        .await
        .map_err(guasto)?;
    Ok(righe
        .iter()
        .map(lacuna_from)
        .collect::<Result<_, Inconsistency>>()?)
}

/// Every recovery, oldest first.
pub(super) async fn read_recuperi(connessione: &mut PgConnection) -> Result<Vec<RecuperoFatto>, StoreError> {
    let righe = sqlx::query(RECUPERI)
        .fetch_all(connessione)
        .await
        .map_err(guasto)?;
    Ok(righe
        .iter()
        .map(recupero_from)
        .collect::<Result<_, Inconsistency>>()?)
}

/// A hole, as [`lacuna_from`] reads it.
const LACUNE: &str = "SELECT
    id, registro, anno::bigint AS anno, da, a, domanda_da, domanda_a,
    (extract(epoch FROM dichiarata_il) * 1000)::bigint AS dichiarata_ms, operatore, motivo, provvedimento_numero,
    to_char(provvedimento_data, 'YYYY-MM-DD') AS provvedimento_data
FROM lacune";

/// A recovery, as [`recupero_from`] reads it.
const RECUPERI: &str = "SELECT
    id, registro, anno::bigint AS anno, da, a, quante, archivio,
    (extract(epoch FROM recuperate_il) * 1000)::bigint AS recuperate_ms, operatore, motivo, provvedimento_numero,
    to_char(provvedimento_data, 'YYYY-MM-DD') AS provvedimento_data
FROM recuperi ORDER BY id";
