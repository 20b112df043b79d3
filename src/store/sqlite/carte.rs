//! Papers: what they are made of, and what was made once.

use jiff::Timestamp;
use sqlx::QueryBuilder;
use sqlx::sqlite::{Sqlite, SqliteConnection, SqlitePool};

use super::SqliteStore;
use super::query::{REGISTRATA, push_named, registrata_from};
use super::row::guasto;
use crate::carte::{Carta, Formato, Quale};
use crate::domanda::consultazione::Riferimento;
use crate::patronato::CodiceEnte;
use crate::store::StoreError;
use crate::store::carte::{RegistrazioneTrovata, Richiesta, allegato, carta};
use crate::store::codec::pack;
use crate::store::valori::{Riga, lunghezza};

/// The registration that a name names; the number of a domanda names the one that opened it.
pub(super) async fn registrazione(
    pool: &SqlitePool,
    ente: &CodiceEnte,
    servizio: &'static str,
    riferimento: &Riferimento,
) -> Result<Option<RegistrazioneTrovata>, StoreError> {
    let mut query = QueryBuilder::<Sqlite>::new(format!(
        "SELECT r.id, r.anno, r.operazione, {REGISTRATA}
         FROM registrazioni n
         JOIN domande d ON d.numero = n.numero_domanda
         JOIN registrazioni r ON r.id = n.id
         JOIN ricevute v ON v.registrazione = r.id
         WHERE "
    ));
    push_named(&mut query, ente, servizio, riferimento);
    let Some(row) = query.build().fetch_optional(pool).await.map_err(guasto)? else {
        return Ok(None);
    };
    let riga = Riga {
        table: "registrazioni",
        row: &row,
    };
    Ok(Some(RegistrazioneTrovata {
        id: riga.get("id")?,
        anno: riga.get("anno")?,
        operazione: riga.get("operazione")?,
        registrata: registrata_from(&row)?,
    }))
}

/// A paper that was made once; a summary is there no longer than the request.
pub(super) async fn find(
    pool: &SqlitePool,
    trovata: &RegistrazioneTrovata,
    quale: Quale,
    formato: Formato,
) -> Result<Option<Carta>, StoreError> {
    let mut lettore = pool.acquire().await.map_err(guasto)?;
    select(&mut lettore, trovata, quale, formato).await
}

/// What a summary is made from; `None` once the request was purged.
pub(super) async fn richiesta(
    pool: &SqlitePool,
    trovata: &RegistrazioneTrovata,
) -> Result<Option<Richiesta>, StoreError> {
    let mut lettore = pool.acquire().await.map_err(guasto)?;
    let row = sqlx::query(
        "SELECT bytes_len, domanda_da, codec, chiave_id, bytes
         FROM payload
         WHERE registrazione = ?",
    )
    .bind(trovata.id)
    .fetch_optional(&mut *lettore)
    .await
    .map_err(guasto)?;
    let Some(row) = row else { return Ok(None) };
    let allegati = sqlx::query(
        "SELECT tipo, nome_file, tipo_mime, impronta, bytes_len
         FROM allegati
         WHERE registrazione = ?
         ORDER BY posto",
    )
    .bind(trovata.id)
    .fetch_all(&mut *lettore)
    .await
    .map_err(guasto)?;
    let riga = Riga {
        table: "payload",
        row: &row,
    };
    Ok(Some(Richiesta {
        bytes: riga.bytes()?,
        contenuto_da: riga.parse("domanda_da", |da: i64| usize::try_from(da))?,
        allegati: allegati.iter().map(allegato).collect::<Result<_, _>>()?,
    }))
}

/// Keeps a paper, unless one was kept before: that one stays, and is what comes back.
pub(super) async fn keep(
    store: &SqliteStore,
    trovata: &RegistrazioneTrovata,
    nuova: &Carta,
    adesso: Timestamp,
) -> Result<Option<Carta>, StoreError> {
    let conservata = pack(&nuova.bytes);
    let mut presa = store.take().await?;
    let esito = sqlx::query(
        "INSERT INTO carte (registrazione, documento, formato, impaginazione, composta_il, impronta, bytes_len, codec, bytes)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
    )
    .bind(trovata.id)
    .bind(nuova.quale.as_str())
    .bind(nuova.formato.as_str())
    .bind(nuova.impaginazione)
    .bind(adesso.as_millisecond())
    .bind(&nuova.impronta[..])
    .bind(lunghezza(conservata.bytes_len))
    .bind(conservata.codec.as_str())
    .bind(conservata.bytes)
    .execute(&mut presa.connessione)
    .await
    .map_err(guasto);
    if let Err(errore) = esito {
        presa.discard().await;
        return Err(errore);
    }
    let tenuta = select(&mut presa.connessione, trovata, nuova.quale, nuova.formato).await;
    presa.give_back();
    tenuta
}

async fn select(
    connessione: &mut SqliteConnection,
    trovata: &RegistrazioneTrovata,
    quale: Quale,
    formato: Formato,
) -> Result<Option<Carta>, StoreError> {
    let row = sqlx::query(
        "SELECT documento, formato, impaginazione, impronta, bytes_len, codec, chiave_id, bytes
         FROM carte c
         WHERE registrazione = ? AND documento = ? AND formato = ?
           AND (documento = 'RICEVUTA' OR EXISTS (SELECT 1 FROM payload p WHERE p.registrazione = c.registrazione))",
    )
    .bind(trovata.id)
    .bind(quale.as_str())
    .bind(formato.as_str())
    .fetch_optional(connessione)
    .await
    .map_err(guasto)?;
    Ok(row.as_ref().map(carta).transpose()?)
}
