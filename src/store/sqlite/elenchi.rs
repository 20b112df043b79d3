//! What is asked for a page at a time. Each page is a walk along one index, from where the last one ended.

use std::collections::HashMap;

use sqlx::QueryBuilder;
use sqlx::sqlite::{Sqlite, SqliteConnection, SqlitePool, SqliteRow};

use super::row::guasto;
use crate::domanda::elenco::{DomandaElencata, Filtro, Inizio, Pagina, PostoInElenco, Variazione};
use crate::patronato::CodiceEnte;
use crate::protocollo::NumeroDomanda;
use crate::store::StoreError;
use crate::store::elenchi::{
    Cerca, Guida, PRIME_RIGHE, con_le_schede, elencata, in_ordine_di_pagina, pagina, variazione,
};
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
        "SELECT v.cursore, v.istante, v.tipo, v.numero_domanda, v.posto, v.stato, v.azione_richiesta, v.motivo,
                coalesce(p.protocollo, r.protocollo) AS protocollo, c.protocollo AS causa
         FROM variazioni v
         CROSS JOIN domande d ON d.numero = v.numero_domanda
         CROSS JOIN registrazioni r ON r.id = d.registrazione
         LEFT JOIN registrazioni c ON c.id = v.registrazione
         LEFT JOIN deleghe g ON g.numero_domanda = v.numero_domanda AND g.posto = v.posto AND g.ente = v.ente
         LEFT JOIN registrazioni p ON p.id = g.registrazione
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

/// A page of the list of domande.
pub(super) async fn ricerca(
    connessione: &mut SqliteConnection,
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
        fonte,
        istante: |istante| istante.as_millisecond(),
    };
    let trovate: Vec<PostoInElenco> = cerca
        .trovate::<Sqlite>(righe_max)
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
            .ultima_scorsa::<Sqlite>()
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

/// The index is told: the statistics that would choose one are never gathered.
fn fonte(guida: Guida) -> &'static str {
    match guida {
        Guida::Minore => "elenco_per_minore",
        Guida::Richiedente => "elenco INDEXED BY elenco_richiedente",
        Guida::Azione => "elenco INDEXED BY elenco_azione",
        Guida::Stato => "elenco INDEXED BY elenco_stato",
        Guida::Ufficio => "elenco INDEXED BY elenco_ufficio",
        Guida::Data => "elenco INDEXED BY elenco_data",
    }
}

fn posto_in_elenco(row: &SqliteRow) -> Result<PostoInElenco, StoreError> {
    let riga = Riga { table: "elenco", row };
    Ok(PostoInElenco {
        presentata_il: riga.istante("presentata_il")?,
        numero_domanda: NumeroDomanda(riga.count("numero_domanda")?),
    })
}

/// These domande, with the sheets that the ente finds.
async fn domande_elencate(
    connessione: &mut SqliteConnection,
    ente: &CodiceEnte,
    trovate: &[PostoInElenco],
) -> Result<HashMap<NumeroDomanda, DomandaElencata>, StoreError> {
    if trovate.is_empty() {
        return Ok(HashMap::new());
    }
    let mut query = QueryBuilder::<Sqlite>::new("WITH trovate (numero) AS (");
    query.push_values(trovate, |mut riga, trovata| {
        riga.push_bind(intero(trovata.numero_domanda.0));
    });
    // CROSS JOIN keeps the order: a look into a key for each domanda and each of its sheets.
    query
        .push(
            ") SELECT e.numero_domanda, e.posto, e.presentata_il, e.codice_ufficio, e.richiedente, e.codice_fiscale,
                  e.stato, e.azione_richiesta, r.protocollo, s.altro_genitore, s.decorrenza_presunta,
                  CASE WHEN e.richiedente IS NOT NULL THEN d.presentata_da END AS presentata_da,
                  EXISTS (SELECT 1 FROM annullamenti a WHERE a.registrazione = r.id AND a.campo IS NULL) AS annullata
              FROM trovate t
              CROSS JOIN elenco e ON e.numero_domanda = t.numero
              CROSS JOIN schede s ON s.numero_domanda = e.numero_domanda AND s.posto = e.posto
              CROSS JOIN domande d ON d.numero = e.numero_domanda
              CROSS JOIN registrazioni r ON r.id = e.registrazione
              WHERE e.ente = ",
        )
        .push_bind(ente.as_str());
    let righe = query.build().fetch_all(connessione).await.map_err(guasto)?;
    con_le_schede(righe.iter().map(|row| {
        let riga = Riga { table: "elenco", row };
        Ok(elencata(row, riga.istante("presentata_il")?)?)
    }))
}

#[cfg(test)]
mod tests {
    use sqlx::{AssertSqlSafe, Row as _};

    use super::*;
    use crate::domanda::Ambiente;
    use crate::domanda::elenco::Ordine;
    use crate::domanda::stato::{AzioneRichiesta, StatoDomanda};
    use crate::store::OpenOptions;
    use crate::store::sqlite::SqliteStore;

    async fn piano(store: &SqliteStore, sql: &str) -> Vec<String> {
        sqlx::query(AssertSqlSafe(format!("EXPLAIN QUERY PLAN {sql}")))
            .fetch_all(&store.lettori)
            .await
            .unwrap()
            .iter()
            .map(|passo| passo.get::<String, _>("detail"))
            .collect()
    }

    #[tokio::test]
    async fn whatever_is_searched_for_a_page_is_a_walk_along_one_index() {
        let cartella = tempfile::tempdir().unwrap();
        let options = OpenOptions {
            create: true,
            ..OpenOptions::new(Ambiente::Sandbox, "2021-07-01T08:00:00Z".parse().unwrap())
        };
        let (store, _) = SqliteStore::open(&cartella.path().join("store.db"), &options)
            .await
            .unwrap();
        let chi = || Some("RSSMRA80A01H501U".parse().unwrap());
        let di = Filtro::default;
        let giorno = "2021-07-02T00:00:00Z".parse().unwrap();
        let istante = Some(giorno);
        let filtri = [
            ("elenco_data", di()),
            (
                "elenco_data",
                Filtro {
                    dal: istante,
                    prima_di: istante,
                    ..di()
                },
            ),
            (
                "elenco_data",
                Filtro {
                    azione_richiesta: Some(AzioneRichiesta::Nessuna),
                    ..di()
                },
            ),
            (
                "elenco_data",
                Filtro {
                    stato: Some(StatoDomanda::Presentata),
                    ..di()
                },
            ),
            (
                "elenco_richiedente",
                Filtro {
                    richiedente: chi(),
                    dal: istante,
                    ..di()
                },
            ),
            (
                "elenco_azione",
                Filtro {
                    azione_richiesta: Some(AzioneRichiesta::AggiornareIban),
                    ..di()
                },
            ),
            (
                "elenco_stato",
                Filtro {
                    stato: Some(StatoDomanda::Accolta),
                    prima_di: istante,
                    ..di()
                },
            ),
            (
                "elenco_ufficio",
                Filtro {
                    codice_ufficio: Some("001".parse().unwrap()),
                    ..di()
                },
            ),
        ];
        for (indice, filtro) in filtri {
            for piano in piani(&store, &filtro).await {
                // The two columns that begin each index, at least; and in its order: what is sorted are the few
                // entries that the walk took.
                let prima = piano
                    .iter()
                    .position(|passo| passo.contains(" USING "))
                    .unwrap_or_else(|| panic!("{piano:?}"));
                let atteso = format!("SEARCH elenco USING INDEX {indice} (ente=? AND servizio=?");
                assert!(piano[prima].starts_with(&atteso), "{piano:?}");
                let ordinata = piano
                    .iter()
                    .position(|passo| passo.contains("TEMP B-TREE FOR ORDER BY"));
                assert!(ordinata.is_none_or(|posto| posto > prima), "{piano:?}");
                // The sheets of a domanda, if any are looked at, by their key.
                for passo in piano[prima + 1..]
                    .iter()
                    .filter(|passo| passo.contains(" USING "))
                {
                    assert_eq!(
                        passo, "SEARCH e EXISTS USING PRIMARY KEY (numero_domanda=?)",
                        "{piano:?}"
                    );
                }
            }
        }
        // A child's sheets are few: the live one, and those that are closed.
        let di_un_minore = Filtro {
            minore: chi(),
            richiedente: chi(),
            ..di()
        };
        for piano in piani(&store, &di_un_minore).await {
            let cammini: Vec<_> = piano.iter().filter(|passo| passo.contains(" USING ")).collect();
            let del_minore =
                |indice| format!("SEARCH s USING INDEX {indice} (servizio=? AND codice_fiscale=?)");
            let in_elenco = "SEARCH e USING PRIMARY KEY (numero_domanda=? AND posto=? AND ente=?)";
            assert_eq!(
                cammini,
                [
                    &del_minore("schede_vive"),
                    in_elenco,
                    &del_minore("schede_chiuse"),
                    in_elenco
                ],
                "{piano:?}"
            );
        }
    }

    /// How what this search asks is found, in either order.
    async fn piani(store: &SqliteStore, filtro: &Filtro) -> Vec<Vec<String>> {
        let giorno = "2021-07-02T00:00:00Z".parse().unwrap();
        let mut piani = Vec::new();
        for ordine in Ordine::TUTTI {
            let filtro = Filtro {
                ordine: *ordine,
                ..filtro.clone()
            };
            let cerca = Cerca {
                ente: &"PAT01".parse().unwrap(),
                servizio: "AssegnoTemporaneo",
                filtro: &filtro,
                dopo: Some(PostoInElenco {
                    presentata_il: giorno,
                    numero_domanda: NumeroDomanda(7),
                }),
                fonte,
                istante: |istante| istante.as_millisecond(),
            };
            for query in [cerca.trovate::<Sqlite>(100), cerca.ultima_scorsa::<Sqlite>()] {
                piani.push(piano(store, query.sql().as_str()).await);
            }
        }
        piani
    }
}
