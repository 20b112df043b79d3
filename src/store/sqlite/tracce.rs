//! The message trace and the door log: written in batches, found by any of their names.

use std::net::IpAddr;

use jiff::Timestamp;
use sqlx::sqlite::{SqliteConnection, SqlitePool, SqliteRow};
use uuid::Uuid;

use super::batch::{Tabella, Valori, insert};
use super::row::{begin, guasto};
use super::{Presa, SqliteStore, egov, query};
use crate::store::codec::Conservata;
use crate::store::indizi::indizi_di;
use crate::store::valori::{Riga, intero, json, json_or_null, known, lunghezza};
use crate::store::{Inconsistency, StoreError};
use crate::trace::{RifiutoAllaPorta, Traccia};

/// Writes traces in a transaction of their own.
pub(super) async fn write_tracce(store: &SqliteStore, tracce: &[Traccia]) -> Result<(), StoreError> {
    if tracce.is_empty() {
        return Ok(());
    }
    let conservate: Vec<_> = tracce.iter().map(Conservata::pack).collect();
    let indizi = indizi_di(tracce, store.chiave_ricerca.as_ref());
    let mut presa = store.take().await?;
    let connessione = &mut presa.connessione;
    let esito = async {
        begin(connessione).await?;
        insert(connessione, TRACCE, &conservate, bind_traccia).await?;
        insert(connessione, INDIZI, &indizi, bind_indizio).await?;
        egov::insert_with_tracce(connessione, tracce).await
    };
    let esito = esito.await;
    finish(presa, esito).await
}

/// Writes refusals at the door in a transaction of their own.
pub(super) async fn write_porta(store: &SqliteStore, rifiuti: &[RifiutoAllaPorta]) -> Result<(), StoreError> {
    if rifiuti.is_empty() {
        return Ok(());
    }
    let mut presa = store.take().await?;
    let esito = match begin(&mut presa.connessione).await {
        Ok(()) => insert(&mut presa.connessione, PORTA, rifiuti, bind_rifiuto).await,
        Err(errore) => Err(errore),
    };
    finish(presa, esito).await
}

pub(super) async fn finish(presa: Presa<'_>, esito: Result<(), StoreError>) -> Result<(), StoreError> {
    match esito {
        Ok(()) => presa.commit().await.map_err(|(_, causa)| causa),
        Err(errore) => {
            presa.discard().await;
            Err(errore)
        }
    }
}

macro_rules! tracce {
    ($testa:literal, $coda:literal) => {
        Tabella {
            testa: concat!(
                $testa,
                " INTO tracce (message_id, ricevuto_il, canale, indirizzo, certificato_soggetto, \
                 certificato_seriale, tls, ente, user_id, codice_ufficio, identity_forma, uri, servizio, \
                 operazione, id_mittente, id_transazione, chiave_invio, digest, impronta, richiesta_len, \
                 risposta_len, http_status, esito, codice, codici, protocollo, numero_domanda, tempi_us, note, \
                 richiesta_codec, richiesta_bytes_len, richiesta, risposta_codec, risposta_bytes_len, risposta)"
            ),
            riga: "(?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)",
            coda: $coda,
        }
    };
}

/// Traces of messages that have none; the one that is there stays.
const TRACCE: Tabella = tracce!("INSERT", " ON CONFLICT (message_id) DO NOTHING");

/// Traces that take the place of the one that is there.
pub(super) const TRACCE_CHE_SOSTITUISCONO: Tabella = tracce!("INSERT OR REPLACE", "");

pub(super) fn bind_traccia(valori: &mut Valori, conservata: &Conservata<'_>) {
    let traccia = conservata.traccia;
    valori
        .told(traccia.message_id)
        .push(traccia.ricevuto_il.as_millisecond())
        .text(&traccia.canale)
        .told_option(traccia.indirizzo)
        .text(&traccia.certificato_soggetto)
        .text(&traccia.certificato_seriale)
        .text(&traccia.tls)
        .text_option(traccia.ente.as_deref())
        .text_option(traccia.user_id.as_deref())
        .text_option(traccia.codice_ufficio.as_deref())
        .text_option(traccia.identity_forma.as_deref())
        .text(&traccia.uri)
        .text_option(traccia.servizio.as_deref())
        .text_option(traccia.operazione.as_deref())
        .text_option(traccia.id_mittente.as_deref())
        .text_option(traccia.id_transazione.as_deref())
        .text_option(traccia.chiave_invio.as_deref())
        .text_option(traccia.digest.as_deref())
        .text_option(traccia.impronta.as_deref())
        .push(intero(traccia.richiesta_len))
        .push(intero(traccia.risposta_len))
        .push(traccia.http_status)
        .text(&traccia.esito)
        .text_option(traccia.codice.as_deref())
        .push(json_or_null(&traccia.codici))
        .text_option(traccia.protocollo.as_deref())
        .push(traccia.numero_domanda.map(intero))
        .push(json(&traccia.tempi_us))
        .push(json_or_null(&traccia.note));
    for conservati in [&conservata.richiesta, &conservata.risposta] {
        valori.text_option(conservati.as_ref().map(|conservati| conservati.codec.as_str()));
        valori.push(
            conservati
                .as_ref()
                .map(|conservati| lunghezza(conservati.bytes_len)),
        );
        valori.push(conservati.as_ref().map(|conservati| conservati.bytes.as_slice()));
    }
}

/// What finds traces beside their columns; the trace may have been there before.
const INDIZI: Tabella = Tabella {
    testa: "INSERT INTO tracce_indizi (indizio, ricevuto_il, traccia)",
    riga: "(?, ?, (SELECT id FROM tracce WHERE message_id = ?))",
    coda: " ON CONFLICT DO NOTHING",
};

fn bind_indizio(valori: &mut Valori, (traccia, indizio): &(&Traccia, Vec<u8>)) {
    valori
        .bytes(indizio)
        .push(traccia.ricevuto_il.as_millisecond())
        .told(traccia.message_id);
}

const PORTA: Tabella = Tabella {
    testa: "INSERT INTO porta (istante, indirizzo, soggetto, seriale, sni, codice, causa, rimedio)",
    riga: "(?,?,?,?,?,?,?,?)",
    coda: "",
};

fn bind_rifiuto(valori: &mut Valori, rifiuto: &RifiutoAllaPorta) {
    valori
        .push(rifiuto.istante.as_millisecond())
        .told_option(rifiuto.indirizzo)
        .text_option(rifiuto.soggetto.as_deref())
        .text_option(rifiuto.seriale.as_deref())
        .text_option(rifiuto.sni.as_deref())
        .text(&rifiuto.codice)
        .text(&rifiuto.causa)
        .text(&rifiuto.rimedio);
}

/// What the registration holds for the trace is told as if it stood here: the receipt of the number that was told,
/// and the request of the message that was registered.
pub(super) async fn fill_from_registration(
    connessione: &mut SqliteConnection,
    traccia: &mut Traccia,
) -> Result<(), StoreError> {
    let Some(protocollo) = traccia.protocollo.as_deref() else {
        return Ok(());
    };
    if traccia.richiesta.is_none() {
        let message_id = traccia.message_id.to_string();
        traccia.richiesta = query::bytes_of(connessione, "payload", protocollo, Some(&message_id)).await?;
    }
    if traccia.risposta.is_none() && matches!(traccia.esito.as_str(), "REGISTRATA" | "RIPETUTA") {
        traccia.risposta = query::bytes_of(connessione, "ricevute", protocollo, None).await?;
    }
    Ok(())
}

/// The door log, newest first.
pub(super) async fn porta(
    pool: &SqlitePool,
    dal: Option<Timestamp>,
    limite: u32,
) -> Result<Vec<RifiutoAllaPorta>, StoreError> {
    let righe = sqlx::query(
        "SELECT istante, indirizzo, soggetto, seriale, sni, codice, causa, rimedio
         FROM porta
         WHERE istante >= ?
         ORDER BY istante DESC, id DESC
         LIMIT ?",
    )
    .bind(dal.map_or(i64::MIN, Timestamp::as_millisecond))
    .bind(limite)
    .fetch_all(pool)
    .await
    .map_err(guasto)?;
    righe
        .iter()
        .map(|row| {
            let riga = Riga { table: "porta", row };
            Ok(RifiutoAllaPorta {
                istante: riga.istante("istante")?,
                indirizzo: indirizzo(&riga)?,
                soggetto: riga.get("soggetto")?,
                seriale: riga.get("seriale")?,
                sni: riga.get("sni")?,
                codice: riga.get("codice")?,
                causa: riga.get("causa")?,
                rimedio: riga.get("rimedio")?,
            })
        })
        .collect()
}

/// All columns but the bytes, in the order of [`Traccia`].
pub(super) const COLONNE: &str = "message_id, ricevuto_il, canale, indirizzo, certificato_soggetto, certificato_seriale, tls, \
    ente, user_id, codice_ufficio, identity_forma, uri, servizio, operazione, id_mittente, id_transazione, \
    chiave_invio, digest, impronta, richiesta_len, risposta_len, http_status, esito, codice, codici, protocollo, \
    numero_domanda, tempi_us, note";

pub(super) fn traccia_from(row: &SqliteRow) -> Result<Traccia, Inconsistency> {
    let riga = Riga { table: "tracce", row };
    let parole = |testo: String| serde_json::from_str::<Vec<String>>(&testo);
    let tempi: Vec<(String, u64)> = riga.parse("tempi_us", |testo: String| serde_json::from_str(&testo))?;
    Ok(Traccia {
        azione: None,
        chiamante: None,
        message_id: riga.parse("message_id", |testo: String| testo.parse::<Uuid>())?,
        ricevuto_il: riga.istante("ricevuto_il")?,
        canale: riga.get("canale")?,
        indirizzo: indirizzo(&riga)?,
        certificato_soggetto: riga.get("certificato_soggetto")?,
        certificato_seriale: riga.get("certificato_seriale")?,
        tls: riga.get("tls")?,
        ente: riga.get("ente")?,
        user_id: riga.get("user_id")?,
        codice_ufficio: riga.get("codice_ufficio")?,
        identity_forma: riga.get("identity_forma")?,
        uri: riga.get("uri")?,
        servizio: riga.get("servizio")?,
        operazione: riga.get("operazione")?,
        id_mittente: riga.get("id_mittente")?,
        id_transazione: riga.get("id_transazione")?,
        chiave_invio: riga.get("chiave_invio")?,
        digest: riga.get("digest")?,
        impronta: riga.get("impronta")?,
        richiesta_len: riga.count("richiesta_len")?,
        risposta_len: riga.count("risposta_len")?,
        http_status: riga.get("http_status")?,
        esito: riga.get("esito")?,
        codice: riga.get("codice")?,
        codici: riga.parse_option("codici", parole)?.unwrap_or_default(),
        protocollo: riga.get("protocollo")?,
        numero_domanda: riga.parse_option("numero_domanda", |numero: i64| u64::try_from(numero))?,
        tempi_us: tempi.into_iter().map(|(passo, us)| (known(&passo), us)).collect(),
        note: riga.parse_option("note", parole)?.unwrap_or_default(),
        interessato: None,
        richiesta: None,
        risposta: None,
        egov: None,
    })
}

fn indirizzo(riga: &Riga<'_, SqliteRow>) -> Result<Option<IpAddr>, Inconsistency> {
    riga.parse_option("indirizzo", |testo: String| testo.parse::<IpAddr>())
}
