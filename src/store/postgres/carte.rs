//! Papers: what they are made of, and what was made once.

use jiff::Timestamp;
use sqlx::QueryBuilder;
use sqlx::postgres::{PgConnection, Postgres};

use super::query::{push_named, registrata, registrata_from};
use super::row::{Istante, guasto};
use crate::carte::{Carta, Formato, Quale};
use crate::domanda::consultazione::Riferimento;
use crate::patronato::CodiceEnte;
use crate::store::StoreError;
use crate::store::carte::{RegistrazioneTrovata, Richiesta, allegato, carta};
use crate::store::codec::pack;
use crate::store::valori::{Riga, intero, lunghezza};

/// The registration that a name names; the number of a domanda names the one that opened it.
pub(super) async fn registrazione(
    connessione: &mut PgConnection,
    ente: &CodiceEnte,
    servizio: &'static str,
    riferimento: &Riferimento,
) -> Result<Option<RegistrazioneTrovata>, StoreError> {
    let mut query = QueryBuilder::<Postgres>::new(concat!(
        "SELECT r.id, r.anno, r.operazione, ",
        registrata!(),
        " FROM registrazioni n
          JOIN domande d ON d.numero = n.numero_domanda
          JOIN registrazioni r ON r.id = n.id AND r.anno = n.anno
          JOIN ricevute v ON v.numero_domanda = r.numero_domanda AND v.registrazione = r.id AND v.anno = r.anno
          WHERE "
    ));
    push_named(&mut query, ente, servizio, riferimento);
    let row = query.build().fetch_optional(connessione).await.map_err(guasto)?;
    let Some(row) = row else { return Ok(None) };
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
    connessione: &mut PgConnection,
    trovata: &RegistrazioneTrovata,
    quale: Quale,
    formato: Formato,
) -> Result<Option<Carta>, StoreError> {
    let row = sqlx::query(
        "SELECT documento, formato, impaginazione, impronta, bytes_len, codec, chiave_id, bytes
         FROM carte c
         WHERE numero_domanda = $1 AND registrazione = $2 AND documento = $3 AND formato = $4
           AND (documento = 'RICEVUTA' OR EXISTS (
               SELECT 1 FROM payload p
               WHERE p.numero_domanda = c.numero_domanda AND p.registrazione = c.registrazione AND p.anno = c.anno))",
    )
    .bind(intero(trovata.registrata.numero_domanda.0))
    .bind(trovata.id)
    .bind(quale.as_str())
    .bind(formato.as_str())
    .fetch_optional(connessione)
    .await
    .map_err(guasto)?;
    Ok(row.as_ref().map(carta).transpose()?)
}

/// What a summary is made from; `None` once the request was purged.
pub(super) async fn richiesta(
    connessione: &mut PgConnection,
    trovata: &RegistrazioneTrovata,
) -> Result<Option<Richiesta>, StoreError> {
    let numero = intero(trovata.registrata.numero_domanda.0);
    let row = sqlx::query(
        "SELECT bytes_len, domanda_da, codec, chiave_id, bytes
         FROM payload
         WHERE numero_domanda = $1 AND registrazione = $2 AND anno = $3",
    )
    .bind(numero)
    .bind(trovata.id)
    .bind(trovata.anno)
    .fetch_optional(&mut *connessione)
    .await
    .map_err(guasto)?;
    let Some(row) = row else { return Ok(None) };
    let allegati = sqlx::query(
        "SELECT tipo, nome_file, tipo_mime, impronta, bytes_len
         FROM allegati
         WHERE numero_domanda = $1 AND registrazione = $2
         ORDER BY posto",
    )
    .bind(numero)
    .bind(trovata.id)
    .fetch_all(connessione)
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
    connessione: &mut PgConnection,
    trovata: &RegistrazioneTrovata,
    nuova: &Carta,
    adesso: Timestamp,
) -> Result<Option<Carta>, StoreError> {
    let conservata = pack(&nuova.bytes);
    sqlx::query(
        "INSERT INTO carte (numero_domanda, registrazione, anno, documento, formato, impaginazione, composta_il,
                            impronta, bytes_len, codec, bytes)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
         ON CONFLICT DO NOTHING",
    )
    .bind(intero(trovata.registrata.numero_domanda.0))
    .bind(trovata.id)
    .bind(trovata.anno)
    .bind(nuova.quale.as_str())
    .bind(nuova.formato.as_str())
    .bind(i16::try_from(nuova.impaginazione).unwrap_or(i16::MAX))
    .bind(Istante(adesso))
    .bind(&nuova.impronta[..])
    .bind(lunghezza(conservata.bytes_len))
    .bind(conservata.codec.as_str())
    .bind(conservata.bytes)
    .execute(&mut *connessione)
    .await
    .map_err(guasto)?;
    find(connessione, trovata, nuova.quale, nuova.formato).await
}
