//! Buste e-Gov: the Identificativi that were used up, and what was exchanged.

use std::collections::HashSet;

use async_trait::async_trait;
use jiff::Timestamp;
use jiff::civil::Date;
use sqlx::QueryBuilder;
use sqlx::sqlite::{Sqlite, SqliteConnection, SqliteRow};
use uuid::Uuid;

use super::SqliteStore;
use super::batch::{Inserimento, Tabella, Valori, insert};
use super::giro::{Giro, Posto};
use super::row::{begin, guasto};
use super::tracce::finish;
use crate::store::egov::{ArchivioEgov, Intestazioni, RicercaScambi, ScambioDi};
use crate::store::registro::Nuova;
use crate::store::valori::{Riga, lunghezza};
use crate::store::{Inconsistency, StoreError};
use crate::trace::Traccia;
use crate::trace::egov::{BustaInviata, Diagnostico, Forma, Scambio};

#[async_trait]
impl ArchivioEgov for SqliteStore {
    async fn accept_buste(&self, scambi: &[ScambioDi]) -> Result<Vec<bool>, StoreError> {
        let mut presa = self.take().await?;
        let esito = match begin(&mut presa.connessione).await {
            Ok(()) => accept(&mut presa.connessione, scambi).await,
            Err(errore) => Err(errore),
        };
        match esito {
            Ok(nuove) => finish(presa, Ok(())).await.map(|()| nuove),
            Err(errore) => finish(presa, Err(errore)).await.map(|()| Vec::new()),
        }
    }

    async fn reserve_identificativi(&self, quanti: u32) -> Result<u64, StoreError> {
        let mut presa = self.take().await?;
        let esito: Result<i64, _> = sqlx::query_scalar(
            "UPDATE contatori SET ultimo = ultimo + ? WHERE nome = 'egov' RETURNING ultimo",
        )
        .bind(i64::from(quanti))
        .fetch_one(&mut presa.connessione)
        .await;
        presa.give_back();
        before_block(esito.map_err(guasto)?, quanti)
    }

    async fn forget_buste(&self, prima: Date, al_massimo: u32) -> Result<u64, StoreError> {
        let mut presa = self.take().await?;
        let esito = sqlx::query(
            "DELETE FROM buste WHERE (giorno, identificatore) IN
                 (SELECT giorno, identificatore FROM buste WHERE giorno < ? ORDER BY giorno, identificatore LIMIT ?)",
        )
        .bind(prima.to_string())
        .bind(al_massimo)
        .execute(&mut presa.connessione)
        .await;
        presa.give_back();
        Ok(esito.map_err(guasto)?.rows_affected())
    }

    async fn scambi(&self, ricerca: &RicercaScambi) -> Result<Vec<ScambioDi>, StoreError> {
        let mut query = QueryBuilder::<Sqlite>::new(
            "SELECT message_id, istante, porta, controparte, identificatore, risposta_identificatore, \
             risposta_istante, certificato_sha256, forma, codec, richiesta_len, risposta_len, intestazioni, legami, livello, diagnostico \
             FROM egov WHERE 1 = 1",
        );
        if let Some(dal) = ricerca.dal {
            query.push(" AND istante >= ").push_bind(dal.as_millisecond());
        }
        if let Some(al) = ricerca.al {
            query.push(" AND istante < ").push_bind(al.as_millisecond());
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
                .push_bind(istante.as_millisecond());
            query.push(", ").push_bind(message_id.to_string()).push(")");
        }
        query
            .push(" ORDER BY istante, message_id LIMIT ")
            .push_bind(ricerca.limite);
        let righe = query.build().fetch_all(&self.lettori).await.map_err(guasto)?;
        Ok(righe.iter().map(scambio_from).collect::<Result<_, _>>()?)
    }
}

/// The number before the first of a block, from the last one after it was taken.
fn before_block(ultimo: i64, quanti: u32) -> Result<u64, StoreError> {
    u64::try_from(ultimo - i64::from(quanti))
        .map_err(|source| Inconsistency::new("contatori", "ultimo", source).into())
}

async fn accept(connessione: &mut SqliteConnection, scambi: &[ScambioDi]) -> Result<Vec<bool>, StoreError> {
    let mut giro = Giro::default();
    let posto = ask_known(&mut giro, scambi.iter().filter_map(|uno| uno.scambio.busta()));
    let mut note = known_from(giro.fetch(connessione).await?.of(posto))?;
    let mut accolti = Vec::with_capacity(scambi.len());
    let mut esiti = Vec::with_capacity(scambi.len());
    for uno in scambi {
        let busta = uno.scambio.busta();
        let nuova = busta.is_none_or(|(_, identificatore)| note.insert(identificatore.to_owned()));
        if nuova {
            accolti.push(uno);
        }
        esiti.push(nuova);
    }
    let buste: Vec<_> = accolti.iter().filter_map(|uno| uno.scambio.busta()).collect();
    insert(connessione, BUSTE, &buste, bind_busta).await?;
    let righe: Vec<_> = accolti
        .iter()
        .map(|uno| (uno.message_id, uno.istante, &uno.scambio))
        .collect();
    insert(connessione, EGOV, &righe, bind_scambio).await?;
    Ok(esiti)
}

/// Which of these Identificativi were used up before.
pub(super) fn ask_known<'a>(giro: &mut Giro, buste: impl Iterator<Item = (Date, &'a str)>) -> Posto {
    let cercate: Vec<_> = buste.collect();
    giro.ask_about(
        "giorno, identificatore",
        &cercate,
        bind_busta,
        "SELECT b.identificatore FROM cercate CROSS JOIN buste b USING (giorno, identificatore)",
    )
}

pub(super) fn known_from(righe: &[SqliteRow]) -> Result<HashSet<String>, Inconsistency> {
    let identificatore = |row| Riga { table: "buste", row }.get("identificatore");
    righe.iter().map(identificatore).collect()
}

/// The buste that new registrations came in, used up; and what was exchanged.
pub(super) fn insert_with_registrations(inserimento: &mut Inserimento, nuove: &[Nuova<'_>]) {
    let scambi: Vec<_> = nuove
        .iter()
        .filter_map(|nuova| of_traccia(&nuova.traccia))
        .collect();
    let buste: Vec<_> = scambi
        .iter()
        .filter_map(|(_, _, scambio)| scambio.busta())
        .collect();
    inserimento.rows(BUSTE, &buste, bind_busta);
    inserimento.rows(EGOV, &scambi, bind_scambio);
}

/// What was exchanged about messages that are recorded.
pub(super) async fn insert_with_tracce(
    connessione: &mut SqliteConnection,
    tracce: &[Traccia],
) -> Result<(), StoreError> {
    let scambi: Vec<_> = tracce.iter().filter_map(of_traccia).collect();
    insert(connessione, EGOV, &scambi, bind_scambio).await
}

type Voce<'a> = (Uuid, Timestamp, &'a Scambio);

fn of_traccia(traccia: &Traccia) -> Option<Voce<'_>> {
    Some((traccia.message_id, traccia.ricevuto_il, traccia.egov.as_deref()?))
}

const BUSTE: Tabella = Tabella {
    testa: "INSERT INTO buste (giorno, identificatore)",
    riga: "(?,?)",
    coda: "",
};

fn bind_busta(valori: &mut Valori, (giorno, identificatore): &(Date, &str)) {
    valori.told(giorno).text(identificatore);
}

/// What was written once of a message stays: a sender that hung up got no answer, whatever became of the message.
const EGOV: Tabella = Tabella {
    testa: "INSERT INTO egov (message_id, istante, porta, controparte, identificatore, risposta_identificatore, \
            risposta_istante, certificato_sha256, forma, codec, richiesta_len, risposta_len, intestazioni, legami, livello, \
            diagnostico)",
    riga: "(?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)",
    coda: " ON CONFLICT (istante, message_id) DO NOTHING",
};

fn bind_scambio(valori: &mut Valori, (message_id, istante, scambio): &Voce<'_>) {
    let risposta = scambio.risposta.as_ref();
    let diagnostico = scambio.diagnostico.as_ref();
    let intestazioni = Intestazioni::pack(scambio);
    let intestazioni = intestazioni.as_ref();
    let legami = Some(scambio.legami.as_str()).filter(|legami| !legami.is_empty());
    valori
        .told(message_id)
        .push(istante.as_millisecond())
        .text(&scambio.porta)
        .text_option(scambio.controparte.as_deref())
        .text_option(scambio.identificatore.as_deref())
        .text_option(risposta.map(|risposta| risposta.identificatore.as_str()))
        .push(risposta.map(|risposta| risposta.istante.as_millisecond()))
        .text(&scambio.certificato_sha256)
        .text_option(scambio.forma.map(Forma::as_str))
        .text_option(intestazioni.map(|intestazioni| intestazioni.conservate.codec.as_str()))
        .push(intestazioni.and_then(|intestazioni| intestazioni.richiesta_len.map(lunghezza)))
        .push(intestazioni.and_then(|intestazioni| intestazioni.risposta_len.map(lunghezza)))
        .push(intestazioni.map(|intestazioni| intestazioni.conservate.bytes.as_slice()))
        .text_option(legami)
        .push(diagnostico.map(|diagnostico| diagnostico.livello))
        .text_option(diagnostico.map(|diagnostico| diagnostico.testo.as_str()));
}

fn scambio_from(row: &SqliteRow) -> Result<ScambioDi, Inconsistency> {
    let riga = Riga { table: "egov", row };
    let (richiesta, inviata) = match riga.get::<Option<Vec<u8>>>("intestazioni")? {
        Some(bytes) => Intestazioni::unpack(
            &riga.get::<String>("codec")?,
            riga.get("richiesta_len")?,
            riga.get("risposta_len")?,
            bytes,
        )?,
        None => (None, None),
    };
    let risposta = match (
        riga.get("risposta_identificatore")?,
        riga.parse_option("risposta_istante", Timestamp::from_millisecond)?,
        inviata,
    ) {
        (Some(identificatore), Some(istante), Some(intestazione)) => Some(BustaInviata {
            istante,
            identificatore,
            intestazione,
        }),
        _ => None,
    };
    let livello = riga.parse_option("livello", |livello: i64| u8::try_from(livello))?;
    Ok(ScambioDi {
        message_id: riga.parse("message_id", |testo: String| testo.parse::<Uuid>())?,
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
