//! The message trace and the door log: written in batches, found by any of their names.

use std::net::IpAddr;

use jiff::Timestamp;
use sqlx::postgres::{PgConnection, PgRow};

use super::anni::anno;
use super::row::{Istante, guasto};
use super::statement::{Colonne, Istruzione, without_nul};
use super::{PostgresStore, egov, query};
use crate::protocollo::NumeroProtocollo;
use crate::store::codec::{Conservata, Conservati};
use crate::store::indizi::indizi_di;
use crate::store::valori::{Riga, intero, json, json_or_null, known, lunghezza};
use crate::store::{Inconsistency, StoreError};
use crate::trace::{RifiutoAllaPorta, Traccia};

/// Writes traces in a transaction of their own: one statement is one.
pub(super) async fn write_tracce(store: &PostgresStore, tracce: &[Traccia]) -> Result<(), StoreError> {
    if tracce.is_empty() {
        return Ok(());
    }
    store
        .prepare_years(tracce.iter().map(|traccia| anno(traccia.ricevuto_il)))
        .await?;
    let conservate: Vec<_> = tracce.iter().map(Conservata::pack).collect();
    let mut istruzione = Istruzione::default();
    // The trace that is there stays.
    istruzione.insert_or(
        "tracce",
        &conservate,
        " ON CONFLICT (message_id, ricevuto_il) DO NOTHING",
        columns_of_traccia,
    );
    let indizi = indizi_di(tracce, store.chiave_ricerca.as_ref());
    istruzione.insert_or("tracce_indizi", &indizi, " ON CONFLICT DO NOTHING", |colonne| {
        colonne
            .bytes_option("indizio", |(_, indizio)| Some(&indizio[..]))
            .col("ricevuto_il", |(traccia, _)| Istante(traccia.ricevuto_il))
            .col("message_id", |(traccia, _)| traccia.message_id);
    });
    egov::insert_with_tracce(&mut istruzione, tracce);
    let mut connessione = store.lettore().await?;
    istruzione.execute(&mut connessione).await
}

/// Writes refusals at the door in a transaction of their own.
pub(super) async fn write_porta(
    store: &PostgresStore,
    rifiuti: &[RifiutoAllaPorta],
) -> Result<(), StoreError> {
    if rifiuti.is_empty() {
        return Ok(());
    }
    store
        .prepare_years(rifiuti.iter().map(|rifiuto| anno(rifiuto.istante)))
        .await?;
    let mut istruzione = Istruzione::default();
    istruzione.insert("porta", rifiuti, |colonne| {
        colonne
            .col("istante", |rifiuto| Istante(rifiuto.istante))
            .told("indirizzo", "text", |rifiuto| {
                rifiuto.indirizzo.map(|indirizzo| indirizzo.to_string())
            })
            .text_option("soggetto", |rifiuto| rifiuto.soggetto.as_deref())
            .text_option("seriale", |rifiuto| rifiuto.seriale.as_deref())
            .text_option("sni", |rifiuto| rifiuto.sni.as_deref())
            .text("codice", |rifiuto| &rifiuto.codice)
            .text("causa", |rifiuto| &rifiuto.causa)
            .text("rimedio", |rifiuto| &rifiuto.rimedio);
    });
    let mut connessione = store.lettore().await?;
    istruzione.execute(&mut connessione).await
}

/// The columns of `tracce`, each beside its value.
pub(super) fn columns_of_traccia(colonne: &mut Colonne<'_, Conservata<'_>>) {
    colonne
        .col("message_id", |riga| riga.traccia.message_id)
        .col("ricevuto_il", |riga| Istante(riga.traccia.ricevuto_il))
        .text("canale", |riga| &riga.traccia.canale)
        .told("indirizzo", "text", |riga| {
            riga.traccia.indirizzo.map(|indirizzo| indirizzo.to_string())
        })
        .text("certificato_soggetto", |riga| &riga.traccia.certificato_soggetto)
        .text("certificato_seriale", |riga| &riga.traccia.certificato_seriale)
        .text("tls", |riga| &riga.traccia.tls)
        .text_option("ente", |riga| riga.traccia.ente.as_deref())
        .text_option("user_id", |riga| riga.traccia.user_id.as_deref())
        .text_option("codice_ufficio", |riga| riga.traccia.codice_ufficio.as_deref())
        .text_option("identity_forma", |riga| riga.traccia.identity_forma.as_deref())
        .text("uri", |riga| &riga.traccia.uri)
        .text_option("servizio", |riga| riga.traccia.servizio.as_deref())
        .text_option("operazione", |riga| riga.traccia.operazione.as_deref())
        .text_option("id_mittente", |riga| riga.traccia.id_mittente.as_deref())
        .text_option("id_transazione", |riga| riga.traccia.id_transazione.as_deref())
        .text_option("chiave_invio", |riga| riga.traccia.chiave_invio.as_deref())
        .text_option("digest", |riga| riga.traccia.digest.as_deref())
        .text_option("impronta", |riga| riga.traccia.impronta.as_deref())
        .col("richiesta_len", |riga| intero(riga.traccia.richiesta_len))
        .col("risposta_len", |riga| intero(riga.traccia.risposta_len))
        .col("http_status", |riga| i32::from(riga.traccia.http_status))
        .text("esito", |riga| &riga.traccia.esito)
        .text_option("codice", |riga| riga.traccia.codice.as_deref())
        .told("codici", "jsonb", |riga| json_or_null(&riga.traccia.codici))
        .text_option("protocollo", |riga| riga.traccia.protocollo.as_deref())
        .col("numero_domanda", |riga| riga.traccia.numero_domanda.map(intero))
        .told("tempi_us", "jsonb", |riga| Some(json(&riga.traccia.tempi_us)))
        .told("note", "jsonb", |riga| {
            let note: Vec<_> = riga
                .traccia
                .note
                .iter()
                .map(|nota| without_nul(nota).into_owned())
                .collect();
            json_or_null(&note)
        });
    bytes_columns(
        colonne,
        ["richiesta_codec", "richiesta_bytes_len", "richiesta"],
        |riga| riga.richiesta.as_ref(),
    );
    bytes_columns(
        colonne,
        ["risposta_codec", "risposta_bytes_len", "risposta"],
        |riga| riga.risposta.as_ref(),
    );
}

fn bytes_columns<'i, 'a>(
    colonne: &mut Colonne<'i, Conservata<'a>>,
    [codec, bytes_len, bytes]: [&'static str; 3],
    quali: impl Fn(&'i Conservata<'a>) -> Option<&'i Conservati> + Copy,
) {
    colonne
        .text_option(codec, move |riga| {
            quali(riga).map(|conservati| conservati.codec.as_str())
        })
        .col(bytes_len, move |riga| {
            quali(riga).map(|conservati| lunghezza(conservati.bytes_len))
        })
        .bytes_option(bytes, move |riga| {
            quali(riga).map(|conservati| &conservati.bytes[..])
        });
}

/// What the registration holds for the trace is told as if it stood here: the receipt of the number that was told,
/// and the request of the message that was registered.
pub(super) async fn fill_from_registration(
    connessione: &mut PgConnection,
    traccia: &mut Traccia,
) -> Result<(), StoreError> {
    let Some(protocollo) = &traccia.protocollo else {
        return Ok(());
    };
    let protocollo: NumeroProtocollo = protocollo
        .parse()
        .map_err(|source| Inconsistency::new("tracce", "protocollo", source))?;
    if traccia.richiesta.is_none() {
        traccia.richiesta = query::richiesta(connessione, &protocollo, traccia.message_id).await?;
    }
    if traccia.risposta.is_none() && matches!(traccia.esito.as_str(), "REGISTRATA" | "RIPETUTA") {
        traccia.risposta = query::ricevuta(connessione, &protocollo).await?;
    }
    Ok(())
}

/// The door log, newest first.
pub(super) async fn porta(
    connessione: &mut PgConnection,
    dal: Option<Timestamp>,
    limite: u32,
) -> Result<Vec<RifiutoAllaPorta>, StoreError> {
    let righe = sqlx::query(
        "SELECT istante, indirizzo, soggetto, seriale, sni, codice, causa, rimedio
         FROM porta
         WHERE istante >= coalesce($1, '-infinity')
         ORDER BY istante DESC, id DESC
         LIMIT $2",
    )
    .bind(dal.map(Istante))
    .bind(i64::from(limite))
    .fetch_all(connessione)
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
    chiave_invio, digest, impronta, richiesta_len, risposta_len, http_status, esito, codice, codici::text AS codici, \
    protocollo, numero_domanda, tempi_us::text AS tempi_us, note::text AS note";

pub(super) fn traccia_from(row: &PgRow) -> Result<Traccia, Inconsistency> {
    let riga = Riga { table: "tracce", row };
    let parole = |testo: String| serde_json::from_str::<Vec<String>>(&testo);
    let tempi: Vec<(String, u64)> = riga.parse("tempi_us", |testo: String| serde_json::from_str(&testo))?;
    Ok(Traccia {
        azione: None,
        chiamante: None,
        message_id: riga.get("message_id")?,
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
        http_status: riga.parse("http_status", |stato: i32| u16::try_from(stato))?,
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

fn indirizzo(riga: &Riga<'_, PgRow>) -> Result<Option<IpAddr>, Inconsistency> {
    riga.parse_option("indirizzo", |testo: String| testo.parse::<IpAddr>())
}
