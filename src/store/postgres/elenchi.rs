//! What is asked for a page at a time. Each page is a walk along one index, from where the last one ended.

use std::collections::HashMap;

use sqlx::postgres::{PgConnection, PgRow, Postgres};

use super::row::{Istante, guasto};
use crate::domanda::elenco::{DomandaElencata, Filtro, Inizio, Pagina, PostoInElenco, Variazione};
use crate::patronato::CodiceEnte;
use crate::protocollo::NumeroDomanda;
use crate::store::StoreError;
use crate::store::elenchi::{
    Cerca, PRIME_RIGHE, con_le_schede, elencata, in_ordine_di_pagina, pagina, variazione,
};
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
                v.motivo,
                coalesce(p.protocollo, r.protocollo) AS protocollo, c.protocollo AS causa
         FROM (SELECT *
               FROM variazioni
               WHERE ente = $1 AND servizio = $2 AND cursore > $3
               ORDER BY cursore
               LIMIT $4) v
         JOIN domande d ON d.numero = v.numero_domanda
         JOIN registrazioni r ON r.id = d.registrazione AND r.anno = d.anno
         LEFT JOIN registrazioni c ON c.id = v.registrazione
              AND c.anno = EXTRACT(YEAR FROM coalesce(v.registrata_il, v.istante) AT TIME ZONE 'Europe/Rome')::smallint
         LEFT JOIN deleghe g ON g.numero_domanda = v.numero_domanda AND g.posto = v.posto AND g.ente = v.ente
         LEFT JOIN registrazioni p ON p.id = g.registrazione AND p.anno = g.anno
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

/// A page of the list of domande.
pub(super) async fn ricerca(
    connessione: &mut PgConnection,
    ente: &CodiceEnte,
    servizio: &'static str,
    filtro: &Filtro,
    dopo: Option<PostoInElenco>,
    righe_max: u32,
) -> Result<Pagina<DomandaElencata, Option<PostoInElenco>>, StoreError> {
    let cerca = Cerca {
        ente,
        servizio,
        filtro,
        dopo,
        fonte: |_| "elenco",
        istante: Istante,
    };
    let trovate: Vec<PostoInElenco> = cerca
        .trovate::<Postgres>(righe_max)
        .build()
        .fetch_all(&mut *connessione)
        .await
        .map_err(guasto)?
        .iter()
        .map(posto_in_elenco)
        .collect::<Result<_, _>>()?;
    let mut pagina = pagina(trovate, righe_max, dopo, |trovata| Some(*trovata));
    if !pagina.altre {
        let ultima = cerca
            .ultima_scorsa::<Postgres>()
            .build()
            .fetch_optional(&mut *connessione)
            .await
            .map_err(guasto)?;
        if let Some(row) = ultima {
            pagina.altre = true;
            pagina.posizione = Some(cerca.cut(&mut pagina.righe, posto_in_elenco(&row)?));
        }
    }
    let domande = domande_elencate(connessione, ente, &pagina.righe).await?;
    Ok(Pagina {
        righe: in_ordine_di_pagina(&pagina.righe, domande),
        posizione: pagina.posizione,
        altre: pagina.altre,
    })
}

fn posto_in_elenco(row: &PgRow) -> Result<PostoInElenco, StoreError> {
    let riga = Riga { table: "elenco", row };
    Ok(PostoInElenco {
        presentata_il: riga.istante("presentata_il")?,
        numero_domanda: NumeroDomanda(riga.count("numero_domanda")?),
    })
}

/// These domande, with the sheets that the ente finds.
async fn domande_elencate(
    connessione: &mut PgConnection,
    ente: &CodiceEnte,
    trovate: &[PostoInElenco],
) -> Result<HashMap<NumeroDomanda, DomandaElencata>, StoreError> {
    if trovate.is_empty() {
        return Ok(HashMap::new());
    }
    let numeri = trovate.iter().map(|trovata| intero(trovata.numero_domanda.0));
    let righe = sqlx::query(
        "SELECT e.numero_domanda, e.posto::bigint AS posto, e.presentata_il, e.codice_ufficio, e.richiedente,
                e.codice_fiscale, e.stato, e.azione_richiesta, r.protocollo, s.altro_genitore, s.decorrenza_presunta,
                CASE WHEN e.richiedente IS NOT NULL THEN d.presentata_da END AS presentata_da,
                EXISTS (SELECT 1 FROM annullamenti a WHERE a.registrazione = r.id AND a.campo IS NULL) AS annullata
         FROM elenco e
         JOIN schede s ON s.numero_domanda = e.numero_domanda AND s.posto = e.posto
         JOIN domande d ON d.numero = e.numero_domanda
         JOIN registrazioni r ON r.id = e.registrazione AND r.anno = e.anno
         WHERE e.numero_domanda = ANY($1) AND e.ente = $2
         ORDER BY e.numero_domanda, e.posto",
    )
    .bind(numeri.collect::<Vec<_>>())
    .bind(ente.as_str())
    .fetch_all(connessione)
    .await
    .map_err(guasto)?;
    con_le_schede(righe.iter().map(|row| {
        let riga = Riga { table: "elenco", row };
        Ok(elencata(row, riga.istante("presentata_il")?)?)
    }))
}
