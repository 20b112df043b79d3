//! The emergency register (DPR 445/2000 art. 63): interruptions, the further periods for which they are authorised, the
//! ordinary numbers of what was registered meanwhile.

use jiff::Timestamp;
use sqlx::AssertSqlSafe;
use sqlx::postgres::{PgConnection, PgPool};

use super::legale::lock_and_look;
use super::row::{Istante, guasto};
use crate::registro::{Correlazione, Emergenza, Proroga};
use crate::store::StoreError;
use crate::store::legale::{
    Apertura, EsitoApertura, EsitoProroga, RichiestaProroga, as_of, correlazione_from, emergenza_from,
    proroga_from,
};

/// Every interruption, oldest first.
pub(super) async fn all(lettori: &PgPool) -> Result<Vec<Emergenza>, StoreError> {
    let righe = sqlx::query(AssertSqlSafe(format!("{EMERGENZE} ORDER BY e.aperta_il, e.id")))
        .fetch_all(lettori)
        .await
        .map_err(guasto)?;
    Ok(righe.iter().map(emergenza_from).collect::<Result<_, _>>()?)
}

/// Those that began or ended between two instants, as they stood at the second.
pub(super) async fn between(
    lettore: &mut PgConnection,
    registro: &str,
    dal: Timestamp,
    al: Timestamp,
) -> Result<Vec<Emergenza>, StoreError> {
    let righe = sqlx::query(AssertSqlSafe(format!(
        "{EMERGENZE} WHERE e.registro = $1 AND ((e.aperta_il >= $2 AND e.aperta_il < $3)
             OR (e.chiusa_il >= $2 AND e.chiusa_il < $3))
         ORDER BY e.aperta_il, e.id"
    )))
    .bind(registro)
    .bind(Istante(dal))
    .bind(Istante(al))
    .fetch_all(lettore)
    .await
    .map_err(guasto)?;
    let as_then = righe
        .iter()
        .map(|row| emergenza_from(row).map(|emergenza| as_of(emergenza, al)));
    Ok(as_then.collect::<Result<_, _>>()?)
}

/// The ordinary registrations of an interruption, by emergency number.
pub(super) async fn correlations(lettori: &PgPool, emergenza: i64) -> Result<Vec<Correlazione>, StoreError> {
    let righe = sqlx::query(
        "SELECT c.numero, (extract(epoch FROM c.istante) * 1000)::bigint AS istante_ms, r.protocollo
         FROM emergenza_registrazioni c
         JOIN registrazioni r ON r.id = c.registrazione
         WHERE c.emergenza = $1
         ORDER BY c.numero",
    )
    .bind(emergenza)
    .fetch_all(lettori)
    .await
    .map_err(guasto)?;
    Ok(righe.iter().map(correlazione_from).collect::<Result<_, _>>()?)
}

/// The further periods of every interruption, in their order.
pub(super) async fn extensions(lettori: &PgPool) -> Result<Vec<Proroga>, StoreError> {
    let righe = sqlx::query(AssertSqlSafe(format!("{PROROGHE} ORDER BY p.emergenza, p.dal")))
        .fetch_all(lettori)
        .await
        .map_err(guasto)?;
    Ok(righe.iter().map(proroga_from).collect::<Result<_, _>>()?)
}

/// Those that were written down between two instants.
pub(super) async fn extensions_between(
    lettore: &mut PgConnection,
    registro: &str,
    dal: Timestamp,
    al: Timestamp,
) -> Result<Vec<Proroga>, StoreError> {
    let righe = sqlx::query(AssertSqlSafe(format!(
        "{PROROGHE} JOIN emergenze e ON e.id = p.emergenza
         WHERE e.registro = $1 AND p.concessa_il >= $2 AND p.concessa_il < $3
         ORDER BY p.concessa_il, p.id"
    )))
    .bind(registro)
    .bind(Istante(dal))
    .bind(Istante(al))
    .fetch_all(lettore)
    .await
    .map_err(guasto)?;
    Ok(righe.iter().map(proroga_from).collect::<Result<_, _>>()?)
}

/// All that the opening does up to COMMIT.
pub(super) async fn open(
    connessione: &mut PgConnection,
    apertura: &Apertura<'_>,
    adesso: Timestamp,
) -> Result<EsitoApertura, StoreError> {
    // A register may stand still before its first number: its row, which says that nothing was drawn.
    sqlx::query(
        "INSERT INTO registro (registro, anno, ultimo, ultimo_istante) VALUES ($1, 1000, 0, 'epoch')
         ON CONFLICT DO NOTHING",
    )
    .bind(apertura.registro)
    .execute(&mut *connessione)
    .await
    .map_err(guasto)?;
    let aperta_il = lock_and_look(connessione, apertura.registro, adesso).await?;
    if let Some(aperta) = open_emergency(connessione, apertura.registro).await? {
        return Ok(EsitoApertura::GiaAperta(aperta.aperta_il));
    }
    sqlx::query(
        "WITH nuova AS (
             INSERT INTO emergenze (registro, aperta_il, causa, operatore, provvedimento_numero, provvedimento_data)
             VALUES ($1, $2, $3, $4, $5, $6::date)
             RETURNING id
         )
         UPDATE registro SET emergenza = nuova.id FROM nuova WHERE registro.registro = $1",
    )
    .bind(apertura.registro)
    .bind(Istante(aperta_il))
    .bind(apertura.causa)
    .bind(apertura.operatore)
    .bind(&apertura.provvedimento.numero)
    .bind(apertura.provvedimento.data.to_string())
    .execute(connessione)
    .await
    .map_err(guasto)?;
    Ok(EsitoApertura::Aperta(aperta_il))
}

/// All that the closing does up to COMMIT.
pub(super) async fn close(
    connessione: &mut PgConnection,
    registro: &str,
    operatore: &str,
    adesso: Timestamp,
) -> Result<Option<Emergenza>, StoreError> {
    let chiusa_il = lock_and_look(connessione, registro, adesso).await?;
    let Some(mut emergenza) = open_emergency(connessione, registro).await? else {
        return Ok(None);
    };
    let chiusa_il = chiusa_il.max(emergenza.aperta_il);
    sqlx::query("UPDATE emergenze SET chiusa_il = $1, chiusa_da = $2 WHERE id = $3")
        .bind(Istante(chiusa_il))
        .bind(operatore)
        .bind(emergenza.id)
        .execute(&mut *connessione)
        .await
        .map_err(guasto)?;
    sqlx::query("UPDATE registro SET emergenza = NULL WHERE registro = $1")
        .bind(registro)
        .execute(connessione)
        .await
        .map_err(guasto)?;
    emergenza.chiusa_il = Some(chiusa_il);
    emergenza.chiusa_da = Some(operatore.to_owned());
    Ok(Some(emergenza))
}

async fn open_emergency(
    connessione: &mut PgConnection,
    registro: &str,
) -> Result<Option<Emergenza>, StoreError> {
    let row = sqlx::query(AssertSqlSafe(format!(
        "{EMERGENZE} WHERE e.registro = $1 AND e.chiusa_il IS NULL"
    )))
    .bind(registro)
    .fetch_optional(connessione)
    .await
    .map_err(guasto)?;
    Ok(row.as_ref().map(emergenza_from).transpose()?)
}

/// All that an extension does up to COMMIT.
pub(super) async fn extend(
    connessione: &mut PgConnection,
    richiesta: &RichiestaProroga<'_>,
    adesso: Timestamp,
) -> Result<EsitoProroga, StoreError> {
    let adesso = lock_and_look(connessione, richiesta.registro, adesso).await?;
    let Some(emergenza) = open_emergency(connessione, richiesta.registro).await? else {
        return Ok(EsitoProroga::NonAperta);
    };
    let righe = sqlx::query(AssertSqlSafe(format!(
        "{PROROGHE} WHERE p.emergenza = $1 ORDER BY p.dal"
    )))
    .bind(emergenza.id)
    .fetch_all(&mut *connessione)
    .await
    .map_err(guasto)?;
    let finora: Vec<Proroga> = righe.iter().map(proroga_from).collect::<Result<_, _>>()?;
    let dal = match richiesta.period(&emergenza, &finora) {
        Ok(dal) => dal,
        Err(esito) => return Ok(esito),
    };
    sqlx::query(
        "INSERT INTO proroghe
             (emergenza, dal, al, concessa_il, operatore, provvedimento_numero, provvedimento_data)
         VALUES ($1, $2, $3, $4, $5, $6, $7::date)",
    )
    .bind(emergenza.id)
    .bind(Istante(dal))
    .bind(Istante(richiesta.fino_a))
    .bind(Istante(adesso))
    .bind(richiesta.operatore)
    .bind(&richiesta.provvedimento.numero)
    .bind(richiesta.provvedimento.data.to_string())
    .execute(connessione)
    .await
    .map_err(guasto)?;
    Ok(EsitoProroga::Concessa(dal, richiesta.fino_a))
}

/// An interruption, as [`emergenza_from`] reads it.
const EMERGENZE: &str = "SELECT
    e.id, e.registro, (extract(epoch FROM e.aperta_il) * 1000)::bigint AS aperta_ms, e.causa, e.operatore,
    e.provvedimento_numero, to_char(e.provvedimento_data, 'YYYY-MM-DD') AS provvedimento_data,
    (extract(epoch FROM e.chiusa_il) * 1000)::bigint AS chiusa_ms, e.chiusa_da
FROM emergenze e";

/// A further period, as [`proroga_from`] reads it.
const PROROGHE: &str = "SELECT
    p.id, p.emergenza, (extract(epoch FROM p.dal) * 1000)::bigint AS dal_ms, (extract(epoch FROM p.al) * 1000)::bigint AS al_ms,
    (extract(epoch FROM p.concessa_il) * 1000)::bigint AS concessa_ms, p.operatore, p.provvedimento_numero,
    to_char(p.provvedimento_data, 'YYYY-MM-DD') AS provvedimento_data
FROM proroghe p";
