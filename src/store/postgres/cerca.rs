//! The search among the traces: what a name means here, which index a page goes along, and the page.

use std::collections::HashMap;

use sqlx::QueryBuilder;
use sqlx::postgres::{PgConnection, PgRow, Postgres};
use uuid::Uuid;

use super::row::{Istante, guasto};
use super::tracce::{COLONNE, fill_from_registration, traccia_from};
use crate::domanda::elenco::Pagina;
use crate::prestazione::PRESTAZIONI;
use crate::store::elenchi::pagina;
use crate::store::indizi::{indizio_domanda, indizio_persona};
use crate::store::ritmo::Ritmo;
use crate::store::tracce::{
    Cerca, Guida, Lingua, LottoCercato, Nomi, PUNTI_MAX, candidati, in_ordine_di_pagina, one_of, trovate,
};
use crate::store::valori::{Riga, intero};
use crate::store::{Inconsistency, PaginaTracce, StoreError};
use crate::trace::Traccia;
use crate::trace::persona::{ChiaveRicerca, Persona};
use crate::trace::ricerca::{Posto, Ricerca};

/// A page of traces, newest first.
pub(super) async fn find(
    connessione: &mut PgConnection,
    ricerca: &Ricerca,
    chiave: Option<&ChiaveRicerca>,
) -> Result<PaginaTracce, StoreError> {
    let nomi = look_up(connessione, ricerca, chiave).await?;
    if ricerca.lotto.is_some() && nomi.lotto.is_none() {
        return Ok(Pagina {
            righe: Vec::new(),
            posizione: ricerca.dopo,
            altre: false,
        });
    }
    let guida = choose(connessione, ricerca, &nomi).await?;
    let pagina = walk(connessione, ricerca, &nomi, guida).await?;
    Ok(Pagina {
        righe: read(connessione, &pagina.righe, ricerca.senza_byte).await?,
        posizione: pagina.posizione,
        altre: pagina.altre,
    })
}

/// Goes along the guide, until the page is full, its time is over, or there is no more.
async fn walk(
    connessione: &mut PgConnection,
    ricerca: &Ricerca,
    nomi: &Nomi<Uuid>,
    guida: Guida,
) -> Result<Pagina<Posto, Option<Posto>>, StoreError> {
    let mut ritmo = Ritmo::start(guida == Guida::Data);
    let mut righe: Vec<Posto> = Vec::new();
    let mut dopo = ricerca.dopo;
    loop {
        let cerca = Cerca {
            ricerca,
            nomi,
            guida,
            lingua: LINGUA,
            dopo,
            tratto: ritmo.tratto(),
        };
        let trovate_qui = cerca
            .trovate::<Postgres>()
            .build()
            .fetch_all(&mut *connessione)
            .await
            .map_err(guasto)?;
        righe.extend(trovate(ricerca, &trovate_qui, posto)?);
        if righe.len() > ricerca.righe_max() as usize {
            return Ok(pagina(righe, ricerca.righe_max(), dopo, |posto| Some(*posto)));
        }
        let ultima = cerca
            .ultima_scorsa::<Postgres>()
            .build()
            .fetch_optional(&mut *connessione)
            .await
            .map_err(guasto)?;
        let Some(ultima) = ultima else {
            // The walk came to its end.
            return Ok(pagina(righe, ricerca.righe_max(), dopo, |posto| Some(*posto)));
        };
        let table = "tracce";
        dopo = Some(posto(&Riga { table, row: &ultima })?);
        if !ritmo.goes_on() {
            return Ok(Pagina {
                righe,
                posizione: dopo,
                altre: true,
            });
        }
    }
}

// Our ids grow with time: they order what came within one millisecond.
const LINGUA: Lingua<Istante, Uuid> = Lingua {
    id: "message_id",
    traccia: "message_id",
    fonte: |_| "tracce",
    per_ordine: true,
    tra_i_codici: ("codici @> to_jsonb(", "::text)"),
    istante: Istante,
    chiave: Uuid::from_u128,
};

/// The guide that leaves the fewest entries, as far as a page looks; among equals the most telling.
async fn choose(
    connessione: &mut PgConnection,
    ricerca: &Ricerca,
    nomi: &Nomi<Uuid>,
) -> Result<Guida, StoreError> {
    let possibili = Guida::possibili(ricerca, nomi);
    let mut scelta = (possibili[0], i64::MAX);
    for guida in possibili.iter().copied().filter(|_| possibili.len() > 1) {
        let cerca = Cerca {
            ricerca,
            nomi,
            guida,
            lingua: LINGUA,
            dopo: ricerca.dopo,
            tratto: 0,
        };
        let quante: i64 = cerca
            .quante::<Postgres>()
            .build_query_scalar()
            .fetch_one(&mut *connessione)
            .await
            .map_err(guasto)?;
        if quante < scelta.1 {
            scelta = (guida, quante);
        }
    }
    Ok(scelta.0)
}

fn posto(riga: &Riga<'_, PgRow>) -> Result<Posto, Inconsistency> {
    Ok(Posto {
        ricevuto_il: riga.istante("ricevuto_il")?,
        id: riga.get::<Uuid>("message_id")?.as_u128(),
    })
}

/// What the names of a search mean.
async fn look_up(
    connessione: &mut PgConnection,
    ricerca: &Ricerca,
    chiave: Option<&ChiaveRicerca>,
) -> Result<Nomi<Uuid>, StoreError> {
    let mut nomi = Nomi::default();
    if let Some(cercato) = &ricerca.protocollo {
        let registri: Vec<(String, i64, i64)> = sqlx::query_as(
            "SELECT g.registro,
                    coalesce((SELECT min(r.anno) FROM registrazioni r WHERE r.registro = g.registro), g.anno)::bigint,
                    g.anno::bigint
             FROM registro g",
        )
        .fetch_all(&mut *connessione)
        .await
        .map_err(guasto)?;
        nomi.protocolli = candidati(cercato, &registri);
    }
    if let Some(persona) = &ricerca.persona {
        nomi.domande = domande_di(connessione, persona).await?;
        nomi.ombra = chiave.map(|chiave| indizio_persona(&chiave.ombra(persona)));
    }
    if let Some(id) = ricerca.lotto {
        nomi.lotto = sqlx::query(
            "SELECT l.ente, t.message_id AS consegna, t.ricevuto_il AS dal,
                    l.concluso_il + interval '1 millisecond' AS al
             FROM lotti l
             LEFT JOIN tracce t ON t.message_id = l.message_id
             WHERE l.id = $1
             LIMIT 1",
        )
        .bind(id)
        .fetch_optional(&mut *connessione)
        .await
        .map_err(guasto)?
        .map(|row| {
            let riga = Riga {
                table: "lotti",
                row: &row,
            };
            let istante = |colonna| {
                riga.get::<Option<Istante>>(colonna)
                    .map(|istante| istante.map(|Istante(istante)| istante))
            };
            Ok::<_, Inconsistency>(LottoCercato {
                ente: riga.get("ente")?,
                consegna: riga.get("consegna")?,
                dal: istante("dal")?,
                al: istante("al")?,
            })
        })
        .transpose()?;
    }
    for mut query in named(ricerca, &nomi) {
        query.push(" LIMIT ").push_bind(i64::from(PUNTI_MAX) + 1);
        let punti: Vec<Uuid> = query
            .build_query_scalar()
            .fetch_all(&mut *connessione)
            .await
            .map_err(guasto)?;
        if punti.len() <= PUNTI_MAX as usize {
            nomi.punti = Some(punti);
            break;
        }
    }
    Ok(nomi)
}

/// Where the traces that have a name are found, the most telling name first. The trace of a registered message is found
/// through its registration, so that it needs no second index of the same name; those that told the name later, or were
/// refused, are found by their own.
fn named(ricerca: &Ricerca, nomi: &Nomi<Uuid>) -> Vec<QueryBuilder<Postgres>> {
    let mut queries = Vec::new();
    if let Some(id) = ricerca.message_id {
        let mut query = QueryBuilder::new("SELECT message_id FROM tracce WHERE message_id = ");
        query.push_bind(id);
        queries.push(query);
    }
    // Whoever asks for the one that was registered is spared the thousand times that it was repeated.
    let altre = match ricerca.esito.as_deref() {
        Some("REGISTRATA") => "SELECT message_id FROM tracce t WHERE false",
        _ => "SELECT t.message_id FROM tracce t WHERE t.esito <> 'REGISTRATA'",
    };
    if ricerca.protocollo.is_some() {
        let mut query = QueryBuilder::new(altre);
        one_of(
            &mut query,
            "t.protocollo",
            nomi.protocolli.iter().map(ToString::to_string),
        );
        for protocollo in &nomi.protocolli {
            // A number is found by its parts, which have the index.
            query
                .push(" UNION ALL SELECT r.message_id FROM registrazioni r WHERE r.registro = ")
                .push_bind(protocollo.registro().to_owned())
                .push(" AND r.anno = ")
                .push_bind(protocollo.anno())
                .push(" AND r.numero = ")
                .push_bind(intero(protocollo.numero()));
        }
        queries.push(query);
    }
    if let Some(chiave) = &ricerca.chiave_invio {
        let mut query = QueryBuilder::new(altre);
        query
            .push(" AND t.chiave_invio = ")
            .push_bind(chiave.clone())
            .push(
                " UNION ALL SELECT r.message_id FROM chiavi k JOIN registrazioni r ON r.id = k.id WHERE k.chiave_invio = ",
            )
            .push_bind(chiave.clone());
        queries.push(query);
    }
    if let Some(numero) = ricerca.numero_domanda {
        queries.push(of_domande(&[intero(numero)], None));
    }
    if ricerca.persona.is_some() {
        queries.push(of_domande(&nomi.domande, nomi.ombra.clone()));
    }
    if let Some(id) = &ricerca.id_mittente {
        let mut query = QueryBuilder::new("SELECT message_id FROM tracce WHERE id_mittente = ");
        query
            .push_bind(id.clone())
            .push(" UNION ALL SELECT message_id FROM tracce WHERE id_transazione = ")
            .push_bind(id.clone())
            .push(" UNION ALL SELECT message_id FROM egov WHERE risposta_identificatore = ")
            .push_bind(id.clone());
        queries.push(query);
    }
    queries
}

/// The traces that are about these domande, and those that an entry names.
fn of_domande(domande: &[i64], indizio: Option<Vec<u8>>) -> QueryBuilder<Postgres> {
    let mut query =
        QueryBuilder::new("SELECT r.message_id FROM (SELECT registrazione, anno FROM domande WHERE 0 = 0");
    one_of(&mut query, "numero", domande.iter().copied());
    query.push(" UNION ALL SELECT registrazione, anno FROM atti WHERE 0 = 0");
    one_of(&mut query, "numero_domanda", domande.iter().copied());
    query.push(
        ") x JOIN registrazioni r ON r.id = x.registrazione AND r.anno = x.anno
         UNION ALL SELECT message_id FROM tracce_indizi WHERE 0 = 0",
    );
    let numeri = domande
        .iter()
        .map(|numero| indizio_domanda(numero.unsigned_abs()));
    one_of(&mut query, "indizio", numeri.chain(indizio));
    query
}

/// The domande in which somebody has a part: who asks, a child, a parent under tutelage.
async fn domande_di(connessione: &mut PgConnection, persona: &Persona) -> Result<Vec<i64>, StoreError> {
    let servizi: Vec<&str> = PRESTAZIONI
        .iter()
        .map(|prestazione| prestazione.servizio)
        .collect();
    // By person there is an index for each ente and service: few, and found by hopping from one to the next.
    sqlx::query_scalar(
        "WITH RECURSIVE enti (ente) AS (
             SELECT (SELECT ente FROM elenco WHERE posto = 1 OR richiedente IS NULL ORDER BY ente LIMIT 1)
             UNION ALL
             SELECT (SELECT e.ente FROM elenco e
                     WHERE (e.posto = 1 OR e.richiedente IS NULL) AND e.ente > enti.ente ORDER BY e.ente LIMIT 1)
             FROM enti
             WHERE enti.ente IS NOT NULL),
         liste (ente, servizio) AS (
             SELECT enti.ente, s.servizio FROM enti CROSS JOIN unnest($2::text[]) AS s (servizio)
             WHERE enti.ente IS NOT NULL)
         SELECT e.numero_domanda
         FROM liste l
         CROSS JOIN LATERAL (
             SELECT e.numero_domanda FROM elenco e
             WHERE e.ente = l.ente AND e.servizio = l.servizio AND e.richiedente = $1
               AND (e.posto = 1 OR e.richiedente IS NULL)
             LIMIT $3) e
         UNION
         SELECT e.numero_domanda
         FROM liste l
         CROSS JOIN LATERAL (
             SELECT e.numero_domanda FROM elenco e
             WHERE e.ente = l.ente AND e.servizio = l.servizio AND e.codice_fiscale = $1
             LIMIT $3) e
         UNION
         SELECT numero FROM domande
         WHERE servizio = 'AssegnoUnicoUniversale' AND coalesce(genitore_tutelato, richiedente) = $1
         LIMIT $3",
    )
    .bind(persona.as_str())
    .bind(servizi)
    .bind(i64::from(PUNTI_MAX))
    .fetch_all(connessione)
    .await
    .map_err(guasto)
}

/// These traces, in this order.
async fn read(
    connessione: &mut PgConnection,
    posti: &[Posto],
    senza_byte: bool,
) -> Result<Vec<Traccia>, StoreError> {
    // They come newest first; the time tells in which years they lie.
    let (Some(ultimo), Some(primo)) = (posti.first(), posti.last()) else {
        return Ok(Vec::new());
    };
    let byte = if senza_byte {
        ""
    } else {
        ", chiave_id, richiesta_codec, richiesta_bytes_len, richiesta, risposta_codec, risposta_bytes_len, risposta"
    };
    let mut query = QueryBuilder::<Postgres>::new(format!(
        "SELECT {COLONNE}{byte} FROM tracce WHERE ricevuto_il >= "
    ));
    query
        .push_bind(Istante(primo.ricevuto_il))
        .push(" AND ricevuto_il <= ")
        .push_bind(Istante(ultimo.ricevuto_il));
    one_of(
        &mut query,
        "message_id",
        posti.iter().map(|posto| Uuid::from_u128(posto.id)),
    );
    let righe = query.build().fetch_all(&mut *connessione).await.map_err(guasto)?;
    let mut tracce = HashMap::with_capacity(righe.len());
    for row in &righe {
        let riga = Riga { table: "tracce", row };
        let mut traccia = traccia_from(row)?;
        if !senza_byte {
            traccia.richiesta = riga.bytes_option(["richiesta_codec", "richiesta_bytes_len", "richiesta"])?;
            traccia.risposta = riga.bytes_option(["risposta_codec", "risposta_bytes_len", "risposta"])?;
            fill_from_registration(connessione, &mut traccia).await?;
        }
        tracce.insert(traccia.message_id, traccia);
    }
    Ok(in_ordine_di_pagina(posti, LINGUA.chiave, tracce))
}
