//! Lots in the embedded store: the queue, and the outcomes page by page. Their bytes are `spool`'s, their work `gruppo`'s.

use async_trait::async_trait;
use bytes::Bytes;
use jiff::Timestamp;
use sqlx::sqlite::{Sqlite, SqliteConnection, SqliteRow};
use sqlx::{AssertSqlSafe, QueryBuilder};
use std::collections::HashMap;
use uuid::Uuid;

use super::giro::{Giro, Posto};
use super::row::{begin, guasto};
use super::{Presa, SqliteStore, gruppo, query, spool};
use crate::patronato::{ChiaveInvio, CodiceEnte};
use crate::store::lotti::righe::{esito_from, lotti, lotto_from};
use crate::store::lotti::{
    Accettazione, ArchivioLotti, Comando, EsitoElemento, Gruppo, Lavorazione, Lotto, NuovoLotto, Quali,
};
use crate::store::valori::{intero, json};
use crate::store::{Chiave, Inconsistency, StoreError};

#[async_trait]
impl ArchivioLotti for SqliteStore {
    async fn spool_append(&self, lotto: Uuid, pezzo: u32, byte: Bytes) -> Result<(), StoreError> {
        spool::append(self, lotto, pezzo, byte).await
    }

    async fn spool_read(&self, lotto: Uuid, da: u64, quanti: usize) -> Result<Bytes, StoreError> {
        spool::read(self, lotto, da, quanti).await
    }

    async fn spool_discard(&self, lotto: Uuid) -> Result<(), StoreError> {
        spool::discard(self, lotto).await
    }

    async fn spool_sweep(
        &self,
        conclusi_prima: Timestamp,
        abbandonati_prima: Timestamp,
    ) -> Result<u64, StoreError> {
        spool::sweep(self, conclusi_prima, abbandonati_prima).await
    }

    async fn accept_lotto(
        &self,
        nuovo: &NuovoLotto,
        aperti_max: u64,
        adesso: Timestamp,
    ) -> Result<Accettazione, StoreError> {
        // Before the disk is asked for anything: whoever sends again shall not pay for the syncing of bytes that are here.
        let mut lettore = self.lettori.acquire().await.map_err(guasto)?;
        if let Some(gia) = taken(&mut lettore, nuovo).await? {
            return Ok(gia);
        }
        drop(lettore);
        spool::sync(self, nuovo.id, nuovo.byte).await?;
        let mut presa = self.open_transaction().await?;
        let esito = accept(self, &mut presa.connessione, nuovo, aperti_max, adesso).await;
        let accettato = match esito {
            Ok(accettato) => accettato,
            Err(errore) => {
                presa.discard().await;
                return Err(errore);
            }
        };
        match presa.commit().await {
            Ok(()) => Ok(accettato),
            // What became of it? The row says so.
            Err((scrittura, causa)) => {
                tracing::warn!("commit failed, reading the lot back: {causa}");
                let Some(mut presa) = self.take_settled(scrittura).await else {
                    return Err(causa);
                };
                let trovato = find(&mut presa.connessione, nuovo.id).await?;
                presa.give_back();
                trovato.map(|_| accettato).ok_or(causa)
            }
        }
    }

    async fn lotto(
        &self,
        ente: &CodiceEnte,
        servizio: &'static str,
        id: Uuid,
    ) -> Result<Option<Lotto>, StoreError> {
        let mut lettore = self.lettori.acquire().await.map_err(guasto)?;
        let lotto = find(&mut lettore, id).await?;
        Ok(lotto.filter(|lotto| lotto.chiave.ente == *ente && lotto.chiave.servizio == servizio))
    }

    async fn lotto_by_chiave(&self, chiave: &Chiave) -> Result<Option<Lotto>, StoreError> {
        let mut lettore = self.lettori.acquire().await.map_err(guasto)?;
        by_key(&mut lettore, chiave).await
    }

    async fn lotti(&self, quali: Quali, limite: u32) -> Result<Vec<Lotto>, StoreError> {
        let coda = match quali {
            Quali::Aperti => "WHERE stato <> 'done' ORDER BY numero LIMIT ?",
            Quali::Tutti => "ORDER BY numero DESC LIMIT ?",
        };
        let righe = sqlx::query(AssertSqlSafe(format!("SELECT {LOTTO} FROM lotti {coda}")))
            .bind(limite)
            .fetch_all(&self.lettori)
            .await
            .map_err(guasto)?;
        Ok(righe.iter().map(lotto_from).collect::<Result<_, _>>()?)
    }

    async fn claim_lotto(
        &self,
        chi: &str,
        esclusi: &[CodiceEnte],
        adesso: Timestamp,
        fino_a: Timestamp,
    ) -> Result<Option<Lotto>, StoreError> {
        let esclusi: Vec<&str> = esclusi.iter().map(CodiceEnte::as_str).collect();
        let ora = adesso.as_millisecond();
        // Who finds nothing to do shall not ask for the one connection that writes.
        let libero: Option<i64> = sqlx::query_scalar(
            "SELECT numero FROM lotti l
             WHERE stato <> 'done' AND sospeso = 0 AND (preso_fino_a IS NULL OR preso_fino_a <= ?1)
                 AND ente NOT IN (SELECT value FROM json_each(?2))
                 AND NOT EXISTS (SELECT 1 FROM lotti p
                                 WHERE p.stato <> 'done' AND p.ente = l.ente AND p.preso_da = ?3 AND p.preso_fino_a > ?1)
             ORDER BY numero
             LIMIT 1",
        )
        .bind(ora)
        .bind(json(&esclusi))
        .bind(chi)
        .fetch_optional(&self.lettori)
        .await
        .map_err(guasto)?;
        let Some(numero) = libero else { return Ok(None) };
        let sql = format!(
            "UPDATE lotti SET preso_da = ?, preso_fino_a = ?
             WHERE numero = ? AND stato <> 'done' AND sospeso = 0 AND (preso_fino_a IS NULL OR preso_fino_a <= ?)
             RETURNING {LOTTO}"
        );
        let cambio = sqlx::query(AssertSqlSafe(sql))
            .bind(chi)
            .bind(fino_a.as_millisecond())
            .bind(numero)
            .bind(ora);
        self.change(cambio).await
    }

    async fn release_lotto(&self, lotto: Uuid, chi: &str) -> Result<(), StoreError> {
        let sql = format!(
            "UPDATE lotti SET preso_da = NULL, preso_fino_a = NULL
             WHERE id = ? AND stato <> 'done' AND preso_da = ?
             RETURNING {LOTTO}"
        );
        let cambio = sqlx::query(AssertSqlSafe(sql)).bind(lotto.to_string()).bind(chi);
        self.change(cambio).await.map(drop)
    }

    async fn work_gruppo(
        &self,
        gruppo: &Gruppo,
        adesso: Timestamp,
        ora: Timestamp,
    ) -> Result<Lavorazione, StoreError> {
        gruppo::work(self, gruppo, adesso, ora).await
    }

    async fn esiti_lotto(
        &self,
        lotto: Uuid,
        dopo: u64,
        solo_rifiutate: bool,
        righe_max: u32,
    ) -> Result<Vec<EsitoElemento>, StoreError> {
        let quali = if solo_rifiutate {
            "AND e.registrazione IS NULL"
        } else {
            ""
        };
        let righe = sqlx::query(AssertSqlSafe(format!(
            "SELECT e.posto, e.chiave_invio, e.riga, e.colonna, e.ripetizione, e.errori_len, e.errori_codec, e.errori,
                    NULL AS chiave_id, r.protocollo, r.numero_domanda, r.registrata_il AS registrata_ms
             FROM lotti_esiti e
             LEFT JOIN registrazioni r ON r.id = e.registrazione
             WHERE e.lotto = (SELECT numero FROM lotti WHERE id = ?) AND e.posto > ? {quali}
             ORDER BY e.posto
             LIMIT ?"
        )))
        .bind(lotto.to_string())
        .bind(intero(dopo))
        .bind(righe_max)
        .fetch_all(&self.lettori)
        .await
        .map_err(guasto)?;
        Ok(righe.iter().map(esito_from).collect::<Result<_, _>>()?)
    }

    async fn command_lotto(
        &self,
        lotto: Uuid,
        comando: &Comando,
        ora: Timestamp,
    ) -> Result<Option<Lotto>, StoreError> {
        let mut cambio = QueryBuilder::<Sqlite>::new("UPDATE lotti SET ");
        match comando {
            Comando::Sospendi => cambio.push("sospeso = 1, preso_da = NULL, preso_fino_a = NULL"),
            Comando::Riprendi => cambio.push("sospeso = 0"),
            Comando::Annulla(errori) => cambio
                .push("stato = 'done', preso_da = NULL, preso_fino_a = NULL, non_lette = ")
                .push("max(coalesce(elementi, 0) - fatto_elementi, 0), interruzione = ")
                .push_bind(errori.to_vec())
                .push(", concluso_il = ")
                .push_bind(ora.as_millisecond()),
        };
        cambio
            .push(" WHERE id = ")
            .push_bind(lotto.to_string())
            .push(format_args!(" AND stato <> 'done' RETURNING {LOTTO}"));
        self.change(cambio.build()).await
    }
}

impl SqliteStore {
    /// The write connection, in a transaction that writes.
    pub(super) async fn open_transaction(&self) -> Result<Presa<'_>, StoreError> {
        let mut presa = self.take().await?;
        presa.settle().await?;
        begin(&mut presa.connessione).await?;
        Ok(presa)
    }

    /// One change of one lot, and the lot after it; `None` = there was none to change.
    async fn change(
        &self,
        cambio: sqlx::query::Query<'_, Sqlite, sqlx::sqlite::SqliteArguments>,
    ) -> Result<Option<Lotto>, StoreError> {
        let mut presa = self.open_transaction().await?;
        let cambiato = cambio
            .fetch_optional(&mut presa.connessione)
            .await
            .map_err(guasto);
        match cambiato.and_then(|row| Ok(row.as_ref().map(lotto_from).transpose()?)) {
            Ok(lotto) => {
                presa.commit().await.map_err(|(_, causa)| causa)?;
                Ok(lotto)
            }
            Err(errore) => {
                presa.discard().await;
                Err(errore)
            }
        }
    }
}

/// What the key of a lot already belongs to.
async fn taken(
    connessione: &mut SqliteConnection,
    nuovo: &NuovoLotto,
) -> Result<Option<Accettazione>, StoreError> {
    if let Some(lotto) = by_key(connessione, &nuovo.chiave).await? {
        return Ok(Some(Accettazione::of(nuovo, lotto)));
    }
    let registrata = query::registrate(connessione, [&nuovo.chiave])
        .await?
        .remove(&nuovo.chiave);
    Ok(registrata.map(|registrata| Accettazione::AltraRegistrazione(registrata.protocollo)))
}

async fn accept(
    store: &SqliteStore,
    connessione: &mut SqliteConnection,
    nuovo: &NuovoLotto,
    aperti_max: u64,
    adesso: Timestamp,
) -> Result<Accettazione, StoreError> {
    if let Some(gia) = taken(connessione, nuovo).await? {
        return Ok(gia);
    }
    let aperti: i64 = sqlx::query_scalar("SELECT count(*) FROM lotti WHERE ente = ? AND stato <> 'done'")
        .bind(nuovo.chiave.ente.as_str())
        .fetch_one(&mut *connessione)
        .await
        .map_err(guasto)?;
    if aperti >= intero(aperti_max) {
        return Ok(Accettazione::Troppi);
    }
    // Once more under the lock: whoever sweeps spools has it too.
    spool::look(store, nuovo.id, nuovo.byte).await?;
    let row = sqlx::query(AssertSqlSafe(format!(
        "INSERT INTO lotti (id, chiave_invio, ente, servizio, digest, ente_denominazione, codice_ufficio, user_id,
                            certificato_sha256, message_id, presentato_il, byte, elementi)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
         RETURNING {LOTTO}"
    )))
    .bind(nuovo.id.to_string())
    .bind(nuovo.chiave.chiave.as_str())
    .bind(nuovo.chiave.ente.as_str())
    .bind(nuovo.chiave.servizio)
    .bind(&nuovo.digest[..])
    .bind(&nuovo.ente_denominazione)
    .bind(nuovo.codice_ufficio.as_str())
    .bind(nuovo.user_id.as_str())
    .bind(&nuovo.certificato_sha256)
    .bind(nuovo.message_id.to_string())
    .bind(adesso.as_millisecond())
    .bind(intero(nuovo.byte))
    .bind(nuovo.elementi.map(intero))
    .fetch_one(connessione)
    .await
    .map_err(guasto)?;
    Ok(Accettazione::Accettato(Box::new(lotto_from(&row)?)))
}

/// A lot by its id.
pub(super) async fn find(connessione: &mut SqliteConnection, id: Uuid) -> Result<Option<Lotto>, StoreError> {
    let row = sqlx::query(AssertSqlSafe(format!("SELECT {LOTTO} FROM lotti WHERE id = ?")))
        .bind(id.to_string())
        .fetch_optional(connessione)
        .await
        .map_err(guasto)?;
    Ok(row.as_ref().map(lotto_from).transpose()?)
}

async fn by_key(connessione: &mut SqliteConnection, chiave: &Chiave) -> Result<Option<Lotto>, StoreError> {
    let row = sqlx::query(AssertSqlSafe(format!(
        "SELECT {LOTTO} FROM lotti WHERE chiave_invio = ? AND ente = ? AND servizio = ?"
    )))
    .bind(chiave.chiave.as_str())
    .bind(chiave.ente.as_str())
    .bind(chiave.servizio)
    .fetch_optional(connessione)
    .await
    .map_err(guasto)?;
    Ok(row.as_ref().map(lotto_from).transpose()?)
}

/// Which of these keys lots have.
pub(super) fn ask_keys<'a>(giro: &mut Giro, cercate: impl Iterator<Item = &'a Chiave>) -> Posto {
    let invii: Vec<&str> = cercate.map(|chiave| chiave.chiave.as_str()).collect();
    // CROSS JOIN keeps the order: a look into the index a key.
    giro.ask_about(
        "chiave_invio",
        &invii,
        |valori, invio| _ = valori.text(invio),
        "SELECT l.id, l.chiave_invio, l.ente, l.servizio FROM cercate CROSS JOIN lotti l USING (chiave_invio)",
    )
}

pub(super) fn keys_from<'a>(
    righe: &[SqliteRow],
    cercate: &(impl Iterator<Item = &'a Chiave> + Clone),
) -> Result<HashMap<Chiave, Uuid>, Inconsistency> {
    let mut trovate = HashMap::new();
    for row in righe {
        let riga = lotti(row);
        let id = riga.parse("id", |id: String| id.parse::<Uuid>())?;
        let invio = riga.parse("chiave_invio", |chiave: String| chiave.parse::<ChiaveInvio>())?;
        let (ente, servizio): (String, String) = (riga.get("ente")?, riga.get("servizio")?);
        let sua = |chiave: &&Chiave| {
            chiave.chiave == invio && chiave.ente.as_str() == ente && chiave.servizio == servizio
        };
        if let Some(chiave) = cercate.clone().find(sua) {
            trovate.insert(chiave.clone(), id);
        }
    }
    Ok(trovate)
}

/// What a [`Lotto`] is read from.
pub(super) const LOTTO: &str = "id, chiave_invio, ente, servizio, digest, ente_denominazione, codice_ufficio, user_id, \
    certificato_sha256, message_id, presentato_il AS presentato_ms, byte, elementi, stato, sospeso, preso_da, \
    preso_fino_a AS preso_fino_a_ms, fatto_elementi, \
    fatto_byte, fatto_riga, fatto_colonna, registrate, ripetute, rifiutate, non_lette, iniziato_il AS iniziato_ms, \
    avanzato_il AS avanzato_ms, concluso_il AS concluso_ms, interruzione";
