//! Buste e-Gov: the Identificativi that were used up, and what was exchanged.

use std::collections::{HashMap, HashSet};

use async_trait::async_trait;
use bytes::Bytes;
use jiff::Timestamp;
use jiff::civil::Date;
use sqlx::QueryBuilder;
use sqlx::postgres::{PgConnection, PgRow, Postgres};
use uuid::Uuid;

use super::PostgresStore;
use super::anni::anno;
use super::row::{Istante, guasto};
use super::statement::Istruzione;
use crate::store::egov::{ArchivioEgov, Intestazioni, RicercaScambi, ScambioDi};
use crate::store::registro::Nuova;
use crate::store::valori::{Riga, lunghezza};
use crate::store::{Atto, Chiave, Inconsistency, StoreError};
use crate::trace::Traccia;
use crate::trace::egov::{BustaInviata, Diagnostico, Forma, Scambio};

#[async_trait]
impl ArchivioEgov for PostgresStore {
    async fn accept_buste(&self, scambi: &[ScambioDi]) -> Result<Vec<bool>, StoreError> {
        self.within(async {
            self.prepare_years(scambi.iter().map(|uno| anno(uno.istante)))
                .await?;
            let mut transazione = self.lettori.begin().await.map_err(guasto)?;
            let nuove = accept(&mut transazione, scambi).await?;
            transazione.commit().await.map_err(guasto)?;
            Ok(nuove)
        })
        .await
    }

    async fn reserve_identificativi(&self, quanti: u32) -> Result<u64, StoreError> {
        self.within(async {
            let mut lettore = self.lettore().await?;
            let ultimo: i64 = sqlx::query_scalar(
                "UPDATE contatori SET ultimo = ultimo + $1 WHERE nome = 'egov' RETURNING ultimo",
            )
            .bind(i64::from(quanti))
            .fetch_one(&mut *lettore)
            .await
            .map_err(guasto)?;
            u64::try_from(ultimo - i64::from(quanti))
                .map_err(|source| Inconsistency::new("contatori", "ultimo", source).into())
        })
        .await
    }

    async fn forget_buste(&self, prima: Date, al_massimo: u32) -> Result<u64, StoreError> {
        self.within(async {
            let mut lettore = self.lettore().await?;
            let dimenticate: i64 = sqlx::query_scalar("SELECT varco_dimentica_buste($1::date, $2)")
                .bind(prima.to_string())
                .bind(i64::from(al_massimo))
                .fetch_one(&mut *lettore)
                .await
                .map_err(guasto)?;
            Ok(dimenticate.unsigned_abs())
        })
        .await
    }

    async fn scambi(&self, ricerca: &RicercaScambi) -> Result<Vec<ScambioDi>, StoreError> {
        self.within(async {
            let mut lettore = self.lettore().await?;
            find(&mut lettore, ricerca).await
        })
        .await
    }
}

async fn accept(connessione: &mut PgConnection, scambi: &[ScambioDi]) -> Result<Vec<bool>, StoreError> {
    let mut nuove = claim(connessione, scambi.iter().filter_map(|uno| uno.scambio.busta())).await?;
    // Of several with one Identificatore the first has it.
    let esiti: Vec<bool> = scambi
        .iter()
        .map(|uno| {
            let busta = uno.scambio.busta();
            busta.is_none_or(|(_, identificatore)| nuove.remove(identificatore))
        })
        .collect();
    let accolti: Vec<_> = scambi
        .iter()
        .zip(&esiti)
        .filter(|(_, nuova)| **nuova)
        .map(|(uno, _)| (uno.message_id, uno.istante, &uno.scambio))
        .collect();
    let mut istruzione = Istruzione::default();
    insert(&mut istruzione, accolti);
    istruzione.execute(connessione).await?;
    Ok(esiti)
}

/// Uses up those Identificativi that were not, and tells which; waits for whoever is just using up the same one. In one
/// order for all.
async fn claim(
    connessione: &mut PgConnection,
    buste: impl Iterator<Item = (Date, &str)>,
) -> Result<HashSet<String>, StoreError> {
    let (giorni, identificativi): (Vec<String>, Vec<&str>) = buste
        .map(|(giorno, identificatore)| (giorno.to_string(), identificatore))
        .unzip();
    if giorni.is_empty() {
        return Ok(HashSet::new());
    }
    let nuove: Vec<String> = sqlx::query_scalar(
        "INSERT INTO buste (giorno, identificatore)
         SELECT u.giorno::date, u.identificatore
         FROM UNNEST($1, $2) AS u (giorno, identificatore)
         ORDER BY u.giorno, u.identificatore COLLATE \"C\"
         ON CONFLICT DO NOTHING
         RETURNING identificatore",
    )
    .bind(giorni)
    .bind(identificativi)
    .fetch_all(connessione)
    .await
    .map_err(guasto)?;
    Ok(nuove.into_iter().collect())
}

/// The same for the buste of acts that have their key.
pub(super) async fn claim_buste(
    connessione: &mut PgConnection,
    atti: &[&Atto],
    ids: &HashMap<Chiave, i64>,
) -> Result<HashSet<String>, StoreError> {
    let con_chiave = atti.iter().filter(|atto| ids.contains_key(&atto.chiave));
    claim(connessione, con_chiave.filter_map(|atto| atto.busta())).await
}

/// What was exchanged about new registrations.
pub(super) fn insert_with_registrations(istruzione: &mut Istruzione, nuove: &[Nuova<'_>]) {
    let scambi: Vec<_> = nuove
        .iter()
        .filter_map(|nuova| of_traccia(&nuova.traccia))
        .collect();
    insert(istruzione, scambi);
}

/// What was exchanged about messages that are recorded.
pub(super) fn insert_with_tracce(istruzione: &mut Istruzione, tracce: &[Traccia]) {
    let scambi: Vec<_> = tracce.iter().filter_map(of_traccia).collect();
    insert(istruzione, scambi);
}

type Voce<'a> = (Uuid, Timestamp, &'a Scambio);

fn of_traccia(traccia: &Traccia) -> Option<Voce<'_>> {
    Some((traccia.message_id, traccia.ricevuto_il, traccia.egov.as_deref()?))
}

/// What was written once of a message stays: a sender that hung up got no answer, whatever became of the message.
fn insert(istruzione: &mut Istruzione, scambi: Vec<Voce<'_>>) {
    let righe: Vec<_> = scambi
        .into_iter()
        .map(|(message_id, istante, scambio)| (message_id, istante, scambio, Intestazioni::pack(scambio)))
        .collect();
    let coda = " ON CONFLICT (message_id, istante) DO NOTHING";
    istruzione.insert_or("egov", &righe, coda, |colonne| {
        colonne
            .col("message_id", |(message_id, ..)| *message_id)
            .col("istante", |(_, istante, ..)| Istante(*istante))
            .text("porta", |(_, _, scambio, _)| &scambio.porta)
            .text_option("controparte", |(_, _, scambio, _)| scambio.controparte.as_deref())
            .text_option("identificatore", |(_, _, scambio, _)| {
                scambio.identificatore.as_deref()
            })
            .text_option("risposta_identificatore", |(_, _, scambio, _)| {
                let risposta = scambio.risposta.as_ref();
                risposta.map(|risposta| risposta.identificatore.as_str())
            })
            .col("risposta_istante", |(_, _, scambio, _)| {
                scambio
                    .risposta
                    .as_ref()
                    .map(|risposta| Istante(risposta.istante))
            })
            .text("certificato_sha256", |(_, _, scambio, _)| {
                &scambio.certificato_sha256
            })
            .text_option("forma", |(_, _, scambio, _)| scambio.forma.map(Forma::as_str))
            .text_option("codec", |(.., intestazioni)| {
                let intestazioni = intestazioni.as_ref();
                intestazioni.map(|intestazioni| intestazioni.conservate.codec.as_str())
            })
            .col("richiesta_len", |(.., intestazioni)| {
                let intestazioni = intestazioni.as_ref();
                intestazioni.and_then(|intestazioni| intestazioni.richiesta_len.map(lunghezza))
            })
            .col("risposta_len", |(.., intestazioni)| {
                let intestazioni = intestazioni.as_ref();
                intestazioni.and_then(|intestazioni| intestazioni.risposta_len.map(lunghezza))
            })
            .bytes_option("intestazioni", |(.., intestazioni)| {
                let intestazioni = intestazioni.as_ref();
                intestazioni.map(|intestazioni| &*intestazioni.conservate.bytes)
            })
            .text_option("legami", |(_, _, scambio, _)| {
                Some(scambio.legami.as_str()).filter(|legami| !legami.is_empty())
            })
            .col("livello", |(_, _, scambio, _)| {
                scambio
                    .diagnostico
                    .as_ref()
                    .map(|diagnostico| i16::from(diagnostico.livello))
            })
            .text_option("diagnostico", |(_, _, scambio, _)| {
                let diagnostico = scambio.diagnostico.as_ref();
                diagnostico.map(|diagnostico| diagnostico.testo.as_str())
            });
    });
}

async fn find(connessione: &mut PgConnection, ricerca: &RicercaScambi) -> Result<Vec<ScambioDi>, StoreError> {
    let mut query = QueryBuilder::<Postgres>::new(
        "SELECT message_id, istante, porta, controparte, identificatore, risposta_identificatore, \
         risposta_istante, certificato_sha256, forma, richiesta, risposta, codec, richiesta_len, risposta_len, \
         intestazioni, legami, livello, diagnostico \
         FROM egov WHERE true",
    );
    if let Some(dal) = ricerca.dal {
        query.push(" AND istante >= ").push_bind(Istante(dal));
    }
    if let Some(al) = ricerca.al {
        query.push(" AND istante < ").push_bind(Istante(al));
    }
    if let Some(controparte) = &ricerca.controparte {
        query.push(" AND controparte = ").push_bind(controparte);
    }
    if let Some(identificatore) = &ricerca.identificatore {
        query.push(" AND (identificatore = ").push_bind(identificatore);
        query
            .push(" OR risposta_identificatore = ")
            .push_bind(identificatore)
            .push(")");
    }
    if let Some(riferimento) = &ricerca.riferimento {
        query.push(" AND identificatore = ").push_bind(riferimento);
        query.push(" AND risposta_identificatore IS NOT NULL");
    }
    if let Some((istante, message_id)) = ricerca.dopo {
        query
            .push(" AND (istante, message_id) > (")
            .push_bind(Istante(istante));
        query.push(", ").push_bind(message_id).push(")");
    }
    query
        .push(" ORDER BY istante, message_id LIMIT ")
        .push_bind(i64::from(ricerca.limite));
    let righe = query.build().fetch_all(connessione).await.map_err(guasto)?;
    Ok(righe.iter().map(scambio_from).collect::<Result<_, _>>()?)
}

fn scambio_from(row: &PgRow) -> Result<ScambioDi, Inconsistency> {
    let riga = Riga { table: "egov", row };
    let byte = |colonna| {
        riga.get::<Option<Vec<u8>>>(colonna)
            .map(|byte| byte.map(Bytes::from))
    };
    // What was written before ADR 17 lies in columns of its own.
    let (richiesta, inviata) = match riga.get::<Option<Vec<u8>>>("intestazioni")? {
        Some(bytes) => Intestazioni::unpack(
            &riga.get::<String>("codec")?,
            riga.get("richiesta_len")?,
            riga.get("risposta_len")?,
            bytes,
        )?,
        None => (byte("richiesta")?, byte("risposta")?),
    };
    let risposta = match (
        riga.get("risposta_identificatore")?,
        riga.get::<Option<Istante>>("risposta_istante")?,
        inviata,
    ) {
        (Some(identificatore), Some(Istante(istante)), Some(intestazione)) => Some(BustaInviata {
            istante,
            identificatore,
            intestazione,
        }),
        _ => None,
    };
    let livello = riga.parse_option("livello", |livello: i16| u8::try_from(livello))?;
    Ok(ScambioDi {
        message_id: riga.get("message_id")?,
        istante: riga.istante("istante")?,
        scambio: Scambio {
            porta: riga.get("porta")?,
            controparte: riga.get("controparte")?,
            identificatore: riga.get("identificatore")?,
            giorno: None,
            certificato_sha256: riga.get("certificato_sha256")?,
            richiesta,
            legami: riga.get::<Option<String>>("legami")?.unwrap_or_default(),
            forma: riga.parse_option("forma", |testo: String| Forma::parse(&testo).ok_or("no shape"))?,
            risposta,
            diagnostico: match (livello, riga.get("diagnostico")?) {
                (Some(livello), Some(testo)) => Some(Diagnostico { livello, testo }),
                _ => None,
            },
        },
    })
}
