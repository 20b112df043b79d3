//! What is asked for a page at a time. Each page is a walk along one index, from where the last one ended.

use sqlx::sqlite::{SqlitePool, SqliteRow};

use super::row::guasto;
use crate::domanda::elenco::{Inizio, Pagina, Variazione};
use crate::patronato::CodiceEnte;
use crate::store::StoreError;
use crate::store::elenchi::{PRIME_RIGHE, pagina, variazione};
use crate::store::valori::{Riga, intero};

/// A page of the feed.
pub(super) async fn variazioni(
    pool: &SqlitePool,
    ente: &CodiceEnte,
    servizio: &'static str,
    inizio: Inizio,
    righe_max: u32,
) -> Result<Pagina<Variazione, u64>, StoreError> {
    let dopo = match inizio {
        Inizio::Dopo(dopo) => intero(dopo),
        // Where nothing is so late yet, what comes next is.
        Inizio::Dal(dal) => sqlx::query_scalar(
            "SELECT coalesce(
                 (SELECT min(cursore) - 1
                  FROM (SELECT cursore
                        FROM variazioni
                        WHERE ente = ?1 AND servizio = ?2 AND istante >= ?3
                        ORDER BY istante
                        LIMIT ?4)),
                 (SELECT max(cursore) FROM variazioni WHERE ente = ?1 AND servizio = ?2),
                 0)",
        )
        .bind(ente.as_str())
        .bind(servizio)
        .bind(dal.as_millisecond())
        .bind(PRIME_RIGHE)
        .fetch_one(pool)
        .await
        .map_err(guasto)?,
    };
    // CROSS JOIN keeps the order: along the feed, and from each row to its domanda.
    let righe = sqlx::query(
        "SELECT v.cursore, v.istante, v.tipo, v.numero_domanda, v.posto, v.stato, v.azione_richiesta,
                r.protocollo, c.protocollo AS causa
         FROM variazioni v
         CROSS JOIN domande d ON d.numero = v.numero_domanda
         CROSS JOIN registrazioni r ON r.id = d.registrazione
         LEFT JOIN registrazioni c ON c.id = v.registrazione
         WHERE v.ente = ? AND v.servizio = ? AND v.cursore > ?
         ORDER BY v.cursore
         LIMIT ?",
    )
    .bind(ente.as_str())
    .bind(servizio)
    .bind(dopo)
    .bind(righe_max + 1)
    .fetch_all(pool)
    .await
    .map_err(guasto)?;
    let righe: Vec<Variazione> = righe.iter().map(riga_del_feed).collect::<Result<_, _>>()?;
    Ok(pagina(righe, righe_max, dopo.unsigned_abs(), |riga| riga.cursore))
}

fn riga_del_feed(row: &SqliteRow) -> Result<Variazione, StoreError> {
    let riga = Riga {
        table: "variazioni",
        row,
    };
    Ok(variazione(row, riga.istante("istante")?)?)
}
