//! The spools of lots: pieces in a table, so that whichever gateway works a lot has its bytes.

use bytes::Bytes;
use jiff::Timestamp;
use uuid::Uuid;

use super::PostgresStore;
use super::lotti::lock;
use super::row::{Istante, guasto};
use crate::store::lotti::PEZZO_BYTES;
use crate::store::{Inconsistency, StoreError};

/// Adds a piece. The same piece once more changes nothing.
pub(super) async fn append(
    store: &PostgresStore,
    lotto: Uuid,
    pezzo: u32,
    byte: Bytes,
) -> Result<(), StoreError> {
    // Not synced by itself: the log is written in its order, so that with the lot's own COMMIT its pieces are on the
    // disk, too. The setting holds for this statement's transaction alone.
    sqlx::query(
        "INSERT INTO lotti_pezzi (lotto, pezzo, byte)
         SELECT $1, $2, $3 FROM set_config('synchronous_commit', 'off', true)
         ON CONFLICT DO NOTHING",
    )
    .bind(lotto)
    .bind(i32::try_from(pezzo).unwrap_or(i32::MAX))
    .bind(&byte[..])
    .execute(&mut *store.lettore().await?)
    .await
    .map_err(guasto)?;
    Ok(())
}

/// Reads from an offset on, never beyond the piece that it is in; none at the end.
pub(super) async fn read(
    store: &PostgresStore,
    lotto: Uuid,
    da: u64,
    quanti: usize,
) -> Result<Bytes, StoreError> {
    let pezzo = i32::try_from(da / PEZZO_BYTES as u64).unwrap_or(i32::MAX);
    let nel_pezzo = i32::try_from(da % PEZZO_BYTES as u64).unwrap_or(i32::MAX - 1);
    // Stored as it is, a piece is not read whole for a part of it.
    let byte: Option<Vec<u8>> = sqlx::query_scalar(
        "SELECT substring(byte FROM $3 + 1 FOR $4) FROM lotti_pezzi WHERE lotto = $1 AND pezzo = $2",
    )
    .bind(lotto)
    .bind(pezzo)
    .bind(nel_pezzo)
    .bind(i32::try_from(quanti.min(PEZZO_BYTES)).unwrap_or(i32::MAX))
    .fetch_optional(&mut *store.lettore().await?)
    .await
    .map_err(guasto)?;
    match byte {
        Some(byte) => Ok(Bytes::from(byte)),
        None if da == 0 => Err(not_whole()),
        None => Ok(Bytes::new()),
    }
}

/// Forgets the spool of a lot, unless it was taken in after all.
pub(super) async fn discard(store: &PostgresStore, lotto: Uuid) -> Result<(), StoreError> {
    let mut transazione = store.lettori.begin().await.map_err(guasto)?;
    // Whoever is just taking it in has this lock until that is committed, or not.
    lock(&mut transazione).await?;
    sqlx::query(
        "DELETE FROM lotti_pezzi WHERE lotto = $1 AND NOT EXISTS (SELECT 1 FROM lotti WHERE id = $1)",
    )
    .bind(lotto)
    .execute(&mut *transazione)
    .await
    .map_err(guasto)?;
    transazione.commit().await.map_err(guasto)
}

/// So many spools go at a time: gigabytes that are given back keep nobody waiting for long.
const SPAZZATI_MAX: i64 = 4;

/// Forgets the spools that are no longer wanted.
pub(super) async fn sweep(
    store: &PostgresStore,
    conclusi_prima: Timestamp,
    abbandonati_prima: Timestamp,
) -> Result<u64, StoreError> {
    let mut transazione = store.lettori.begin().await.map_err(guasto)?;
    lock(&mut transazione).await?;
    let via: Vec<Uuid> = sqlx::query_scalar(
        "SELECT p.lotto
         FROM lotti_pezzi p
         LEFT JOIN lotti l ON l.id = p.lotto
         WHERE p.pezzo = 0
             AND (l.concluso_il < $1
                  OR (l.id IS NULL
                      AND NOT EXISTS (SELECT 1 FROM lotti_pezzi q WHERE q.lotto = p.lotto AND q.scritto_il >= $2)))
         LIMIT $3",
    )
    .bind(Istante(conclusi_prima))
    .bind(Istante(abbandonati_prima))
    .bind(SPAZZATI_MAX)
    .fetch_all(&mut *transazione)
    .await
    .map_err(guasto)?;
    if via.is_empty() {
        return Ok(0);
    }
    sqlx::query("DELETE FROM lotti_pezzi WHERE lotto = ANY ($1)")
        .bind(&via)
        .execute(&mut *transazione)
        .await
        .map_err(guasto)?;
    transazione.commit().await.map_err(guasto)?;
    Ok(via.len() as u64)
}

/// The bytes that a lot is said to have are not all there.
pub(super) fn not_whole() -> StoreError {
    Inconsistency::new("lotti", "byte", "its spool is not there, or not whole").into()
}
