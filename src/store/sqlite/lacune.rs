//! Declared holes: see [`crate::store::lacune`].

use jiff::Timestamp;
use sqlx::AssertSqlSafe;
use sqlx::sqlite::SqliteConnection;

use super::row::guasto;
use crate::registro::{Lacuna, RecuperoFatto};
use crate::store::lacune::{Dichiarazione, Vuoto, lacuna_from, nothing_to_declare, recupero_from, vuoti};
use crate::store::valori::intero;
use crate::store::{Inconsistency, StoreError};

/// Declares what is missing: all that the transaction does up to COMMIT.
pub(super) async fn declare(
    connessione: &mut SqliteConnection,
    dichiarazione: &Dichiarazione<'_>,
    adesso: Timestamp,
) -> Result<Vec<Lacuna>, StoreError> {
    let contatori: Vec<(String, i16, i64)> = sqlx::query_as("SELECT registro, anno, ultimo FROM registro")
        .fetch_all(&mut *connessione)
        .await
        .map_err(guasto)?;
    let ultima: i64 = sqlx::query_scalar("SELECT ultimo FROM contatori WHERE nome = 'domanda'")
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
    connessione: &mut SqliteConnection,
    vuoto: &Vuoto,
    dichiarazione: &Dichiarazione<'_>,
    adesso: Timestamp,
) -> Result<(), StoreError> {
    // A register that was never drawn from here has no row yet; any other one keeps the instant of its last registration.
    let quando: i64 = sqlx::query_scalar(
        "INSERT INTO registro (registro, anno, ultimo, ultimo_istante) VALUES (?, ?, ?, ?)
         ON CONFLICT (registro) DO UPDATE SET anno = excluded.anno, ultimo = excluded.ultimo
         RETURNING max(ultimo_istante, chiuso_fino_a)",
    )
    .bind(&vuoto.registro)
    .bind(vuoto.anno)
    .bind(intero(vuoto.a))
    .bind(adesso.as_millisecond())
    .fetch_one(&mut *connessione)
    .await
    .map_err(guasto)?;
    if let Some((_, a)) = vuoto.domande {
        sqlx::query("UPDATE contatori SET ultimo = ? WHERE nome = 'domanda'")
            .bind(intero(a))
            .execute(&mut *connessione)
            .await
            .map_err(guasto)?;
    }
    sqlx::query(
        "INSERT INTO lacune (registro, anno, da, a, domanda_da, domanda_a, dichiarata_il, operatore, motivo,
             provvedimento_numero, provvedimento_data)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
    )
    .bind(&vuoto.registro)
    .bind(vuoto.anno)
    .bind(intero(vuoto.da))
    .bind(intero(vuoto.a))
    .bind(vuoto.domande.map(|(da, _)| intero(da)))
    .bind(vuoto.domande.map(|(_, a)| intero(a)))
    .bind(quando.max(adesso.as_millisecond()))
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
pub(super) async fn read(connessione: &mut SqliteConnection) -> Result<Vec<Lacuna>, StoreError> {
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
pub(super) async fn read_recuperi(
    connessione: &mut SqliteConnection,
) -> Result<Vec<RecuperoFatto>, StoreError> {
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
    id, registro, anno, da, a, domanda_da, domanda_a, dichiarata_il AS dichiarata_ms, operatore, motivo,
    provvedimento_numero, provvedimento_data
FROM lacune";

/// A recovery, as [`recupero_from`] reads it.
const RECUPERI: &str = "SELECT
    id, registro, anno, da, a, quante, archivio, recuperate_il AS recuperate_ms, operatore, motivo,
    provvedimento_numero, provvedimento_data
FROM recuperi ORDER BY id";
