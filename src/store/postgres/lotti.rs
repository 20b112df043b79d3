//! Lots in the database: the queue, and the outcomes page by page. Their bytes are `spool`'s, their work `gruppo`'s.

use std::collections::HashMap;

use async_trait::async_trait;
use bytes::Bytes;
use jiff::Timestamp;
use sqlx::postgres::{PgArguments, PgConnection, Postgres};
use sqlx::{AssertSqlSafe, QueryBuilder};
use uuid::Uuid;

use super::row::{Istante, guasto};
use super::{PostgresStore, gruppo, query, spool};
use crate::patronato::CodiceEnte;
use crate::store::lotti::righe::{esito_from, lotti, lotto_from};
use crate::store::lotti::{
    Accettazione, ArchivioLotti, Comando, EsitoElemento, Gruppo, Lavorazione, Lotto, NuovoLotto, Quali,
};
use crate::store::valori::intero;
use crate::store::{Chiave, Inconsistency, StoreError};

#[async_trait]
impl ArchivioLotti for PostgresStore {
    async fn spool_append(&self, lotto: Uuid, pezzo: u32, byte: Bytes) -> Result<(), StoreError> {
        self.within(spool::append(self, lotto, pezzo, byte)).await
    }

    async fn spool_read(&self, lotto: Uuid, da: u64, quanti: usize) -> Result<Bytes, StoreError> {
        self.within(spool::read(self, lotto, da, quanti)).await
    }

    async fn spool_discard(&self, lotto: Uuid) -> Result<(), StoreError> {
        self.within(spool::discard(self, lotto)).await
    }

    async fn spool_sweep(
        &self,
        conclusi_prima: Timestamp,
        abbandonati_prima: Timestamp,
    ) -> Result<u64, StoreError> {
        self.within(spool::sweep(self, conclusi_prima, abbandonati_prima))
            .await
    }

    async fn accept_lotto(
        &self,
        nuovo: &NuovoLotto,
        aperti_max: u64,
        adesso: Timestamp,
    ) -> Result<Accettazione, StoreError> {
        self.within(accept(self, nuovo, aperti_max, adesso)).await
    }

    async fn lotto(
        &self,
        ente: &CodiceEnte,
        servizio: &'static str,
        id: Uuid,
    ) -> Result<Option<Lotto>, StoreError> {
        self.within(async {
            let lotto = find(&mut *self.lettore().await?, id).await?;
            Ok(lotto.filter(|lotto| lotto.chiave.ente == *ente && lotto.chiave.servizio == servizio))
        })
        .await
    }

    async fn lotto_by_chiave(&self, chiave: &Chiave) -> Result<Option<Lotto>, StoreError> {
        self.within(async { by_key(&mut *self.lettore().await?, chiave).await })
            .await
    }

    async fn lotti(&self, quali: Quali, limite: u32) -> Result<Vec<Lotto>, StoreError> {
        let coda = match quali {
            Quali::Aperti => "WHERE stato <> 'done' ORDER BY numero LIMIT $1",
            Quali::Tutti => "ORDER BY numero DESC LIMIT $1",
        };
        self.within(async {
            let righe = sqlx::query(AssertSqlSafe(format!("SELECT {LOTTO} FROM lotti {coda}")))
                .bind(i64::from(limite))
                .fetch_all(&mut *self.lettore().await?)
                .await
                .map_err(guasto)?;
            Ok(righe.iter().map(lotto_from).collect::<Result<_, _>>()?)
        })
        .await
    }

    async fn claim_lotto(
        &self,
        chi: &str,
        esclusi: &[CodiceEnte],
        adesso: Timestamp,
        fino_a: Timestamp,
    ) -> Result<Option<Lotto>, StoreError> {
        let esclusi: Vec<&str> = esclusi.iter().map(CodiceEnte::as_str).collect();
        // Who is at work on a lot has it locked: it is passed over, and nobody waits.
        let sql = format!(
            "UPDATE lotti SET preso_da = $1, preso_fino_a = $2
             WHERE numero = (
                 SELECT l.numero FROM lotti l
                 WHERE l.stato <> 'done' AND NOT l.sospeso AND (l.preso_fino_a IS NULL OR l.preso_fino_a <= $3)
                     AND l.ente <> ALL ($4)
                     AND NOT EXISTS (SELECT 1 FROM lotti p
                                     WHERE p.stato <> 'done' AND p.ente = l.ente AND p.preso_da = $1
                                         AND p.preso_fino_a > $3)
                 ORDER BY l.numero
                 LIMIT 1
                 FOR UPDATE SKIP LOCKED)
             RETURNING {LOTTO}"
        );
        let cambio = sqlx::query(AssertSqlSafe(sql))
            .bind(chi)
            .bind(Istante(fino_a))
            .bind(Istante(adesso))
            .bind(esclusi);
        self.change(cambio).await
    }

    async fn release_lotto(&self, lotto: Uuid, chi: &str) -> Result<(), StoreError> {
        let sql = format!(
            "UPDATE lotti SET preso_da = NULL, preso_fino_a = NULL
             WHERE id = $1 AND stato <> 'done' AND preso_da = $2
             RETURNING {LOTTO}"
        );
        let cambio = sqlx::query(AssertSqlSafe(sql)).bind(lotto).bind(chi);
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
        self.within(async {
            let righe = sqlx::query(AssertSqlSafe(format!(
                "SELECT e.posto, e.chiave_invio, e.riga, e.colonna, e.ripetizione, e.errori_len, e.errori_codec, e.errori,
                        NULL::text AS chiave_id, r.protocollo, r.numero_domanda,
                        (extract(epoch FROM r.registrata_il) * 1000)::bigint AS registrata_ms
                 FROM lotti_esiti e
                 LEFT JOIN registrazioni r ON r.id = e.registrazione AND r.anno = e.anno
                 WHERE e.lotto = (SELECT numero FROM lotti WHERE id = $1) AND e.posto > $2 {quali}
                 ORDER BY e.posto
                 LIMIT $3"
            )))
            .bind(lotto)
            .bind(intero(dopo))
            .bind(i64::from(righe_max))
            .fetch_all(&mut *self.lettore().await?)
            .await
            .map_err(guasto)?;
            Ok(righe.iter().map(esito_from).collect::<Result<_, _>>()?)
        })
        .await
    }

    async fn command_lotto(
        &self,
        lotto: Uuid,
        comando: &Comando,
        ora: Timestamp,
    ) -> Result<Option<Lotto>, StoreError> {
        let mut cambio = QueryBuilder::<Postgres>::new("UPDATE lotti SET ");
        match comando {
            Comando::Sospendi => cambio.push("sospeso = true, preso_da = NULL, preso_fino_a = NULL"),
            Comando::Riprendi => cambio.push("sospeso = false"),
            Comando::Annulla(errori) => cambio
                .push("stato = 'done', preso_da = NULL, preso_fino_a = NULL, non_lette = ")
                .push("greatest(coalesce(elementi, 0) - fatto_elementi, 0), interruzione = ")
                .push_bind(errori.to_vec())
                .push(", concluso_il = ")
                .push_bind(Istante(ora)),
        };
        cambio
            .push(" WHERE id = ")
            .push_bind(lotto)
            .push(format_args!(" AND stato <> 'done' RETURNING {LOTTO}"));
        self.change(cambio.build()).await
    }
}

impl PostgresStore {
    /// One change of one lot, and the lot after it; `None` = there was none to change.
    async fn change(
        &self,
        cambio: sqlx::query::Query<'_, Postgres, PgArguments>,
    ) -> Result<Option<Lotto>, StoreError> {
        self.within(async {
            let row = cambio
                .fetch_optional(&mut *self.lettore().await?)
                .await
                .map_err(guasto)?;
            Ok(row.as_ref().map(lotto_from).transpose()?)
        })
        .await
    }
}

/// Takes a lot in. Its key is claimed like that of a registration, so that neither of two gateways can give one key to
/// both; then, under a lock of all lots, it is counted, its spool looked at, and its row written.
async fn accept(
    store: &PostgresStore,
    nuovo: &NuovoLotto,
    aperti_max: u64,
    adesso: Timestamp,
) -> Result<Accettazione, StoreError> {
    let mut transazione = store.lettori.begin().await.map_err(guasto)?;
    let connessione = &mut *transazione;
    if let Some(gia) = taken(connessione, nuovo).await? {
        return Ok(gia);
    }
    let presa = sqlx::query(
        "INSERT INTO chiavi (ente, servizio, chiave_invio, id) VALUES ($1, $2, $3, 0) ON CONFLICT DO NOTHING",
    )
    .bind(nuovo.chiave.ente.as_str())
    .bind(nuovo.chiave.servizio)
    .bind(nuovo.chiave.chiave.as_str())
    .execute(&mut *connessione)
    .await
    .map_err(guasto)?;
    if presa.rows_affected() == 0 {
        // Somebody else had it in hand, and has committed.
        let di_altri = Inconsistency::new("chiavi", "chiave_invio", "a key that nothing has");
        return taken(connessione, nuovo).await?.ok_or_else(|| di_altri.into());
    }
    lock(connessione).await?;
    let (aperti, byte): (i64, i64) = sqlx::query_as(
        "SELECT
             (SELECT count(*) FROM lotti WHERE ente = $1 AND stato <> 'done'),
             (SELECT coalesce(sum(octet_length(byte)), 0) FROM lotti_pezzi WHERE lotto = $2)",
    )
    .bind(nuovo.chiave.ente.as_str())
    .bind(nuovo.id)
    .fetch_one(&mut *connessione)
    .await
    .map_err(guasto)?;
    if aperti >= intero(aperti_max) {
        return Ok(Accettazione::Troppi);
    }
    if byte != intero(nuovo.byte) {
        return Err(spool::not_whole());
    }
    let row = sqlx::query(AssertSqlSafe(format!(
        "INSERT INTO lotti (id, chiave_invio, ente, servizio, digest, ente_denominazione, codice_ufficio, user_id,
                            certificato_sha256, message_id, presentato_il, byte, elementi)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
         RETURNING {LOTTO}"
    )))
    .bind(nuovo.id)
    .bind(nuovo.chiave.chiave.as_str())
    .bind(nuovo.chiave.ente.as_str())
    .bind(nuovo.chiave.servizio)
    .bind(&nuovo.digest[..])
    .bind(&nuovo.ente_denominazione)
    .bind(nuovo.codice_ufficio.as_str())
    .bind(nuovo.user_id.as_str())
    .bind(&nuovo.certificato_sha256)
    .bind(nuovo.message_id)
    .bind(Istante(adesso))
    .bind(intero(nuovo.byte))
    .bind(nuovo.elementi.map(intero))
    .fetch_one(connessione)
    .await
    .map_err(guasto)?;
    let accettato = Accettazione::Accettato(Box::new(lotto_from(&row)?));
    match transazione.commit().await.map_err(guasto) {
        Ok(()) => Ok(accettato),
        // What became of it? The row says so; where it is not there it may yet come, and the sender sends again.
        Err(causa) => {
            tracing::warn!("commit failed, reading the lot back: {causa}");
            let trovato = find(&mut *store.lettore().await?, nuovo.id).await?;
            trovato.map(|_| accettato).ok_or(causa)
        }
    }
}

/// Holds whoever takes a lot in, or spools away, until the end of the transaction.
pub(super) async fn lock(connessione: &mut PgConnection) -> Result<(), StoreError> {
    sqlx::query("SELECT pg_advisory_xact_lock(hashtext('varco_lotti'))")
        .execute(connessione)
        .await
        .map_err(guasto)?;
    Ok(())
}

/// What the key of a lot already belongs to.
async fn taken(
    connessione: &mut PgConnection,
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

/// A lot by its id.
pub(super) async fn find(connessione: &mut PgConnection, id: Uuid) -> Result<Option<Lotto>, StoreError> {
    let row = sqlx::query(AssertSqlSafe(format!("SELECT {LOTTO} FROM lotti WHERE id = $1")))
        .bind(id)
        .fetch_optional(connessione)
        .await
        .map_err(guasto)?;
    Ok(row.as_ref().map(lotto_from).transpose()?)
}

async fn by_key(connessione: &mut PgConnection, chiave: &Chiave) -> Result<Option<Lotto>, StoreError> {
    let row = sqlx::query(AssertSqlSafe(format!(
        "SELECT {LOTTO} FROM lotti WHERE chiave_invio = $1 AND ente = $2 AND servizio = $3"
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
pub(super) async fn keys(
    connessione: &mut PgConnection,
    cercate: &[&Chiave],
) -> Result<HashMap<Chiave, Uuid>, StoreError> {
    let invii: Vec<&str> = cercate.iter().map(|chiave| chiave.chiave.as_str()).collect();
    let enti: Vec<&str> = cercate.iter().map(|chiave| chiave.ente.as_str()).collect();
    let servizi: Vec<&str> = cercate.iter().map(|chiave| chiave.servizio).collect();
    let righe = sqlx::query(
        "SELECT l.id, u.posto
         FROM UNNEST($1, $2, $3) WITH ORDINALITY AS u (chiave_invio, ente, servizio, posto)
         JOIN lotti l USING (chiave_invio, ente, servizio)",
    )
    .bind(invii)
    .bind(enti)
    .bind(servizi)
    .fetch_all(connessione)
    .await
    .map_err(guasto)?;
    let mut trovate = HashMap::with_capacity(righe.len());
    for row in &righe {
        let riga = lotti(row);
        let posto = riga.parse("posto", |posto: i64| usize::try_from(posto - 1))?;
        if let Some(chiave) = cercate.get(posto) {
            trovate.insert((*chiave).clone(), riga.get("id")?);
        }
    }
    Ok(trovate)
}

/// What a [`Lotto`] is read from.
pub(super) const LOTTO: &str = "id::text AS id, chiave_invio, ente, servizio, digest, ente_denominazione, codice_ufficio, \
    user_id, certificato_sha256, message_id::text AS message_id, \
    (extract(epoch FROM presentato_il) * 1000)::bigint AS presentato_ms, byte, elementi, stato, sospeso, preso_da, \
    (extract(epoch FROM preso_fino_a) * 1000)::bigint AS preso_fino_a_ms, fatto_elementi, \
    fatto_byte, fatto_riga, fatto_colonna, registrate, ripetute, rifiutate, non_lette, \
    (extract(epoch FROM iniziato_il) * 1000)::bigint AS iniziato_ms, \
    (extract(epoch FROM avanzato_il) * 1000)::bigint AS avanzato_ms, \
    (extract(epoch FROM concluso_il) * 1000)::bigint AS concluso_ms, interruzione";
