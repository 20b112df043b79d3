//! What is asked for a page at a time. Each page is a walk along one index, from where the last one ended.

use sqlx::postgres::{PgConnection, PgRow};

use super::row::{Istante, guasto};
use crate::domanda::elenco::{Inizio, Pagina, Variazione};
use crate::patronato::CodiceEnte;
use crate::store::StoreError;
use crate::store::elenchi::{PRIME_RIGHE, pagina, variazione};
use crate::store::valori::{Riga, intero};

/// A page of the feed.
pub(super) async fn variazioni(
    connessione: &mut PgConnection,
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
                        WHERE ente = $1 AND servizio = $2 AND istante >= $3
                        ORDER BY istante
                        LIMIT $4) AS prime),
                 (SELECT max(cursore) FROM variazioni WHERE ente = $1 AND servizio = $2),
                 0)",
        )
        .bind(ente.as_str())
        .bind(servizio)
        .bind(Istante(dal))
        .bind(i64::from(PRIME_RIGHE))
        .fetch_one(&mut *connessione)
        .await
        .map_err(guasto)?,
    };
    // The page first, then what stands beside its rows. A registration's year is that of its instant in Rome.
    let righe = sqlx::query(
        "SELECT v.cursore, v.istante, v.tipo, v.numero_domanda, v.posto::bigint AS posto, v.stato, v.azione_richiesta,
                r.protocollo, c.protocollo AS causa
         FROM (SELECT *
               FROM variazioni
               WHERE ente = $1 AND servizio = $2 AND cursore > $3
               ORDER BY cursore
               LIMIT $4) v
         JOIN domande d ON d.numero = v.numero_domanda
         JOIN registrazioni r ON r.id = d.registrazione AND r.anno = d.anno
         LEFT JOIN registrazioni c ON c.id = v.registrazione
              AND c.anno = EXTRACT(YEAR FROM coalesce(v.registrata_il, v.istante) AT TIME ZONE 'Europe/Rome')::smallint
         ORDER BY v.cursore",
    )
    .bind(ente.as_str())
    .bind(servizio)
    .bind(dopo)
    .bind(i64::from(righe_max) + 1)
    .fetch_all(connessione)
    .await
    .map_err(guasto)?;
    let righe: Vec<Variazione> = righe.iter().map(riga_del_feed).collect::<Result<_, _>>()?;
    Ok(pagina(righe, righe_max, dopo.unsigned_abs(), |riga| riga.cursore))
}

fn riga_del_feed(row: &PgRow) -> Result<Variazione, StoreError> {
    let riga = Riga {
        table: "variazioni",
        row,
    };
    Ok(variazione(row, riga.istante("istante")?)?)
}
