//! The search among the traces: what a name means here, which index a page goes along, and the page.

use std::collections::HashMap;

use sqlx::QueryBuilder;
use sqlx::sqlite::{Sqlite, SqliteConnection, SqlitePool, SqliteRow};

use super::row::guasto;
use super::tracce::{COLONNE, fill_from_registration, traccia_from};
use crate::domanda::elenco::Pagina;
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
    pool: &SqlitePool,
    ricerca: &Ricerca,
    chiave: Option<&ChiaveRicerca>,
) -> Result<PaginaTracce, StoreError> {
    let mut lettore = pool.acquire().await.map_err(guasto)?;
    let nomi = look_up(&mut lettore, ricerca, chiave).await?;
    if ricerca.lotto.is_some() && nomi.lotto.is_none() {
        return Ok(Pagina {
            righe: Vec::new(),
            posizione: ricerca.dopo,
            altre: false,
        });
    }
    let guida = choose(&mut lettore, ricerca, &nomi).await?;
    let pagina = walk(&mut lettore, ricerca, &nomi, guida).await?;
    Ok(Pagina {
        righe: read(&mut lettore, &pagina.righe, ricerca.senza_byte).await?,
        posizione: pagina.posizione,
        altre: pagina.altre,
    })
}

/// Goes along the guide, until the page is full, its time is over, or there is no more.
async fn walk(
    connessione: &mut SqliteConnection,
    ricerca: &Ricerca,
    nomi: &Nomi<i64>,
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
            .trovate::<Sqlite>()
            .build()
            .fetch_all(&mut *connessione)
            .await
            .map_err(guasto)?;
        righe.extend(trovate(ricerca, &trovate_qui, posto)?);
        if righe.len() > ricerca.righe_max() as usize {
            return Ok(pagina(righe, ricerca.righe_max(), dopo, |posto| Some(*posto)));
        }
        let ultima = cerca
            .ultima_scorsa::<Sqlite>()
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

const LINGUA: Lingua<i64, i64> = Lingua {
    id: "id",
    traccia: "traccia",
    fonte,
    per_ordine: false,
    tra_i_codici: (
        "EXISTS (SELECT 1 FROM json_each(scorse.codici) WHERE value = ",
        ")",
    ),
    istante: |istante| istante.as_millisecond(),
    chiave: |id| i64::try_from(id).unwrap_or(i64::MAX),
};

/// The index is told: the statistics that would choose one are never gathered.
fn fonte(guida: Guida) -> &'static str {
    match guida {
        Guida::Punti => "tracce",
        Guida::Codice => "tracce INDEXED BY tracce_codice",
        Guida::Esito => "tracce INDEXED BY tracce_esito",
        Guida::Ente => "tracce INDEXED BY tracce_ente",
        Guida::Data => "tracce INDEXED BY tracce_ricevuto",
    }
}

/// The guide that leaves the fewest entries, as far as a page looks; among equals the most telling.
async fn choose(
    connessione: &mut SqliteConnection,
    ricerca: &Ricerca,
    nomi: &Nomi<i64>,
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
            .quante::<Sqlite>()
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

fn posto(riga: &Riga<'_, SqliteRow>) -> Result<Posto, Inconsistency> {
    Ok(Posto {
        ricevuto_il: riga.istante("ricevuto_il")?,
        id: riga.count("id")?.into(),
    })
}

/// What the names of a search mean.
async fn look_up(
    connessione: &mut SqliteConnection,
    ricerca: &Ricerca,
    chiave: Option<&ChiaveRicerca>,
) -> Result<Nomi<i64>, StoreError> {
    let mut nomi = Nomi::default();
    if let Some(cercato) = &ricerca.protocollo {
        let registri: Vec<(String, i64, i64)> = sqlx::query_as(
            "SELECT g.registro,
                    coalesce((SELECT min(r.anno) FROM registrazioni r WHERE r.registro = g.registro), g.anno),
                    g.anno
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
            "SELECT l.ente, t.id AS consegna, t.ricevuto_il AS dal, l.concluso_il + 1 AS al
             FROM lotti l
             LEFT JOIN tracce t ON t.message_id = l.message_id
             WHERE l.id = ?",
        )
        .bind(id.to_string())
        .fetch_optional(&mut *connessione)
        .await
        .map_err(guasto)?
        .map(|row| {
            let riga = Riga {
                table: "lotti",
                row: &row,
            };
            Ok::<_, Inconsistency>(LottoCercato {
                ente: riga.get("ente")?,
                consegna: riga.get("consegna")?,
                dal: riga.istante_option("dal")?,
                al: riga.istante_option("al")?,
            })
        })
        .transpose()?;
    }
    for mut query in named(ricerca, &nomi) {
        query.push(" LIMIT ").push_bind(PUNTI_MAX + 1);
        let punti: Vec<i64> = query
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
fn named(ricerca: &Ricerca, nomi: &Nomi<i64>) -> Vec<QueryBuilder<Sqlite>> {
    let mut queries = Vec::new();
    let registrate =
        "SELECT t.id FROM registrazioni r CROSS JOIN tracce t ON t.message_id = r.message_id WHERE 0 = 0";
    // The condition of the index, word by word: else SQLite would not use it.
    let altre = " UNION ALL SELECT id FROM tracce WHERE esito <> 'REGISTRATA'";
    // Whoever asks for the one that was registered is spared the thousand times that it was repeated.
    let sola = ricerca.esito.as_deref() == Some("REGISTRATA");
    if let Some(id) = ricerca.message_id {
        let mut query = QueryBuilder::new("SELECT id FROM tracce WHERE message_id = ");
        query.push_bind(id.to_string());
        queries.push(query);
    }
    if ricerca.protocollo.is_some() {
        let numeri = || nomi.protocolli.iter().map(ToString::to_string);
        let mut query = QueryBuilder::new(registrate);
        one_of(&mut query, "r.protocollo", numeri());
        if !sola {
            query.push(altre);
            one_of(&mut query, "protocollo", numeri());
        }
        queries.push(query);
    }
    if let Some(chiave) = &ricerca.chiave_invio {
        let mut query = QueryBuilder::new(registrate);
        query.push(" AND r.chiave_invio = ").push_bind(chiave.clone());
        if !sola {
            query
                .push(altre)
                .push(" AND chiave_invio = ")
                .push_bind(chiave.clone());
        }
        queries.push(query);
    }
    if let Some(numero) = ricerca.numero_domanda {
        queries.push(of_domande(&[intero(numero)], None));
    }
    if ricerca.persona.is_some() {
        queries.push(of_domande(&nomi.domande, nomi.ombra.clone()));
    }
    if let Some(id) = &ricerca.id_mittente {
        let mut query = QueryBuilder::new("SELECT id FROM tracce WHERE id_mittente = ");
        query
            .push_bind(id.clone())
            .push(" UNION ALL SELECT id FROM tracce WHERE id_transazione = ")
            .push_bind(id.clone())
            .push(
                " UNION ALL SELECT t.id FROM egov e CROSS JOIN tracce t ON t.message_id = e.message_id
                  WHERE e.risposta_identificatore = ",
            )
            .push_bind(id.clone());
        queries.push(query);
    }
    queries
}

/// The traces that are about these domande, and those that an entry names.
fn of_domande(domande: &[i64], indizio: Option<Vec<u8>>) -> QueryBuilder<Sqlite> {
    let mut query = QueryBuilder::new("SELECT t.id FROM (SELECT registrazione FROM domande WHERE 0 = 0");
    one_of(&mut query, "numero", domande.iter().copied());
    query.push(" UNION ALL SELECT registrazione FROM atti WHERE 0 = 0");
    one_of(&mut query, "numero_domanda", domande.iter().copied());
    query.push(
        ") x CROSS JOIN registrazioni r ON r.id = x.registrazione
             CROSS JOIN tracce t ON t.message_id = r.message_id
         UNION ALL SELECT traccia FROM tracce_indizi WHERE 0 = 0",
    );
    let numeri = domande
        .iter()
        .map(|numero| indizio_domanda(numero.unsigned_abs()));
    one_of(&mut query, "indizio", numeri.chain(indizio));
    query
}

/// The domande in which somebody has a part: who asks, a child, a parent under tutelage.
async fn domande_di(connessione: &mut SqliteConnection, persona: &Persona) -> Result<Vec<i64>, StoreError> {
    // By person there is an index for each ente and service: few, and found by hopping from one to the next.
    sqlx::query_scalar(
        "WITH RECURSIVE enti (ente) AS (
             SELECT (SELECT ente FROM elenco INDEXED BY elenco_data
                     WHERE posto = 1 OR richiedente IS NULL ORDER BY ente LIMIT 1)
             UNION ALL
             SELECT (SELECT e.ente FROM elenco e INDEXED BY elenco_data
                     WHERE (e.posto = 1 OR e.richiedente IS NULL) AND e.ente > enti.ente ORDER BY e.ente LIMIT 1)
             FROM enti
             WHERE enti.ente IS NOT NULL),
         servizi (servizio) AS (SELECT value FROM json_each(?2))
         SELECT e.numero_domanda
         FROM enti
         CROSS JOIN servizi s
         CROSS JOIN elenco e INDEXED BY elenco_richiedente
             ON e.ente = enti.ente AND e.servizio = s.servizio AND e.richiedente = ?1
             AND (e.posto = 1 OR e.richiedente IS NULL)
         UNION
         SELECT m.numero_domanda FROM servizi s CROSS JOIN elenco_per_minore m
             ON m.servizio = s.servizio AND m.codice_fiscale = ?1
         UNION
         SELECT numero FROM domande
         WHERE servizio = 'AssegnoUnicoUniversale' AND coalesce(genitore_tutelato, richiedente) = ?1
         LIMIT ?3",
    )
    .bind(persona.as_str())
    .bind(servizi())
    .bind(PUNTI_MAX)
    .fetch_all(connessione)
    .await
    .map_err(guasto)
}

/// The services, as a JSON array.
fn servizi() -> String {
    let servizi: Vec<_> = crate::prestazione::PRESTAZIONI
        .iter()
        .map(|prestazione| prestazione.servizio)
        .collect();
    crate::store::valori::json(&servizi)
}

/// These traces, in this order.
async fn read(
    connessione: &mut SqliteConnection,
    posti: &[Posto],
    senza_byte: bool,
) -> Result<Vec<Traccia>, StoreError> {
    let byte = if senza_byte {
        ""
    } else {
        ", chiave_id, richiesta_codec, richiesta_bytes_len, richiesta, risposta_codec, risposta_bytes_len, risposta"
    };
    let mut query =
        QueryBuilder::<Sqlite>::new(format!("SELECT id, {COLONNE}{byte} FROM tracce WHERE 0 = 0"));
    one_of(
        &mut query,
        "id",
        posti.iter().map(|posto| (LINGUA.chiave)(posto.id)),
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
        tracce.insert(riga.get::<i64>("id")?, traccia);
    }
    Ok(in_ordine_di_pagina(posti, LINGUA.chiave, tracce))
}

#[cfg(test)]
mod tests {
    use sqlx::{AssertSqlSafe, Row as _};

    use super::*;
    use crate::domanda::Ambiente;
    use crate::store::OpenOptions;
    use crate::store::sqlite::SqliteStore;

    #[tokio::test]
    async fn whatever_is_searched_for_a_page_is_a_walk_along_one_index_of_time() {
        let cartella = tempfile::tempdir().unwrap();
        let options = OpenOptions {
            create: true,
            ..OpenOptions::new(Ambiente::Sandbox, "2021-07-01T08:00:00Z".parse().unwrap())
        };
        let (store, _) = SqliteStore::open(&cartella.path().join("store.db"), &options)
            .await
            .unwrap();
        for (indice, criteri) in [
            ("tracce_ricevuto", &[][..]),
            ("tracce_ricevuto", &[("user_id", "x"), ("dal", "2021-07-01")]),
            ("tracce_ente", &[("ente", "PAT01"), ("codice_ufficio", "001")]),
            ("tracce_esito", &[("esito", "FAULT"), ("ente", "PAT01")]),
            ("tracce_codice", &[("codice", "CF-002"), ("al", "2021-07-02")]),
        ] {
            let mut ricerca = Ricerca {
                dopo: Some(Posto {
                    ricevuto_il: "2021-07-02T00:00:00Z".parse().unwrap(),
                    id: 7,
                }),
                ..Ricerca::default()
            };
            for (nome, valore) in criteri {
                ricerca.set(nome, valore).unwrap();
            }
            let nomi = Nomi::default();
            let cerca = Cerca {
                ricerca: &ricerca,
                nomi: &nomi,
                guida: Guida::possibili(&ricerca, &nomi)[0],
                lingua: LINGUA,
                dopo: ricerca.dopo,
                tratto: 100,
            };
            for query in [cerca.trovate::<Sqlite>(), cerca.ultima_scorsa(), cerca.quante()] {
                let sql = format!("EXPLAIN QUERY PLAN {}", query.sql().as_str());
                let piano: Vec<String> = sqlx::query(AssertSqlSafe(sql))
                    .fetch_all(&store.lettori)
                    .await
                    .unwrap()
                    .iter()
                    .map(|passo| passo.get("detail"))
                    .collect();
                let prima = piano.iter().position(|passo| passo.contains(" USING ")).unwrap();
                assert!(
                    piano[prima].starts_with("SEARCH tracce USING ") && piano[prima].contains(indice),
                    "{piano:?}"
                );
                // What is sorted are the entries that the walk took; the rest is found by its key.
                let ordinata = piano
                    .iter()
                    .position(|passo| passo.contains("TEMP B-TREE FOR ORDER BY"));
                assert!(ordinata.is_none_or(|posto| posto > prima), "{piano:?}");
                assert!(
                    !piano.iter().any(|passo| passo.starts_with("SCAN tracce")),
                    "{piano:?}"
                );
            }
        }
    }
}
