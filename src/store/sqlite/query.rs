//! Looking up what was registered. Each question is one short statement, or two: a reader that stays would keep the
//! log from being folded up.

use std::collections::HashMap;

use sqlx::sqlite::{Sqlite, SqliteConnection, SqlitePool, SqliteRow};
use sqlx::{AssertSqlSafe, QueryBuilder};

use super::giro::{Giro, Posto};
use super::row::guasto;
use crate::domanda::consultazione::{DomandaConsultata, Riferimento, SchedaConsultata};
use crate::domanda::{Avente, CodiceFiscale, SchedaViva};
use crate::patronato::{ChiaveInvio, CodiceEnte};
use crate::prestazione;
use crate::protocollo::{NumeroDomanda, NumeroProtocollo};
use crate::ricevuta::{Digest, Registrata};
use crate::store::registro::{Aperte, Attuale, cercati};
use crate::store::valori::{Riga, insert_aperte, intero, json, mese, parola, richiedente_from};
use crate::store::{Atto, Chiave, Inconsistency, RigaRegistro, StoreError};

/// What is registered under a key.
pub(super) async fn registrata(pool: &SqlitePool, chiave: &Chiave) -> Result<Option<Registrata>, StoreError> {
    let mut lettore = pool.acquire().await.map_err(guasto)?;
    Ok(registrate(&mut lettore, [chiave]).await?.remove(chiave))
}

/// What is registered under these keys.
pub(super) async fn registrate<'a>(
    connessione: &mut SqliteConnection,
    cercate: impl IntoIterator<Item = &'a Chiave>,
) -> Result<HashMap<Chiave, Registrata>, StoreError> {
    let mut giro = Giro::default();
    let posto = ask_registrate(&mut giro, cercate);
    Ok(registrate_from(giro.fetch(connessione).await?.of(posto))?)
}

/// The same, as one question of several.
pub(super) fn ask_registrate<'a>(giro: &mut Giro, cercate: impl IntoIterator<Item = &'a Chiave>) -> Posto {
    let cercate: Vec<_> = cercate.into_iter().collect();
    // CROSS JOIN keeps the order: a look into the index a key, never a walk over the table.
    giro.ask_about(
        "ente, servizio, chiave_invio",
        &cercate,
        |valori, chiave| {
            valori
                .text(chiave.ente.as_str())
                .text(chiave.servizio)
                .text(chiave.chiave.as_str());
        },
        &format!(
            "SELECT r.ente, r.servizio, {REGISTRATA}
             FROM cercate
             CROSS JOIN registrazioni r USING (ente, servizio, chiave_invio)
             CROSS JOIN ricevute v ON v.registrazione = r.id"
        ),
    )
}

pub(super) fn registrate_from(righe: &[SqliteRow]) -> Result<HashMap<Chiave, Registrata>, Inconsistency> {
    let mut trovate = HashMap::with_capacity(righe.len());
    for row in righe {
        let riga = Riga {
            table: "registrazioni",
            row,
        };
        let registrata = registrata_from(row)?;
        let chiave = Chiave {
            ente: riga.parse("ente", |ente: String| ente.parse::<CodiceEnte>())?,
            servizio: servizio_from(&riga)?,
            chiave: registrata.chiave.clone(),
        };
        trovate.insert(chiave, registrata);
    }
    Ok(trovate)
}

/// A service of ours, by the name that a row has.
fn servizio_from(riga: &Riga<'_, SqliteRow>) -> Result<&'static str, Inconsistency> {
    riga.parse("servizio", |servizio: String| {
        prestazione::by_servizio(&servizio)
            .map(|prestazione| prestazione.servizio)
            .ok_or("unknown service")
    })
}

/// The live sheets that these children have.
pub(super) async fn schede_vive(
    connessione: &mut SqliteConnection,
    servizio: &'static str,
    minori: &[CodiceFiscale],
) -> Result<Vec<SchedaViva>, StoreError> {
    let mut giro = Giro::default();
    let posto = ask_vive(&mut giro, minori.iter().map(|minore| (servizio, minore)));
    let vive = vive_from(giro.fetch(connessione).await?.of(posto))?;
    Ok(vive.into_iter().map(|(_, viva)| viva).collect())
}

/// The same of children of several services, as one question of several.
pub(super) fn ask_vive<'a>(
    giro: &mut Giro,
    minori: impl Iterator<Item = (&'static str, &'a CodiceFiscale)>,
) -> Posto {
    let minori: Vec<_> = minori.collect();
    // The condition of the index `schede_vive`, word by word: else SQLite would not use it.
    giro.ask_about(
        "servizio, codice_fiscale",
        &minori,
        |valori, (servizio, minore)| {
            valori.text(servizio).text(minore.as_str());
        },
        &format!(
            "SELECT s.servizio, s.codice_fiscale, s.stato, s.subentra
             FROM cercate
             CROSS JOIN schede s USING (servizio, codice_fiscale)
             WHERE s.stato IN ({VIVI})"
        ),
    )
}

pub(super) fn vive_from(righe: &[SqliteRow]) -> Result<Vec<(&'static str, SchedaViva)>, Inconsistency> {
    let viva = |row| {
        let riga = Riga { table: "schede", row };
        let viva = SchedaViva {
            codice_fiscale: riga.parse("codice_fiscale", |testo: String| testo.parse::<CodiceFiscale>())?,
            stato: riga.get("stato")?,
            subentrata: riga.get("subentra")?,
        };
        Ok((servizio_from(&riga)?, viva))
    };
    righe.iter().map(viva).collect()
}

/// The live domande of somebody.
pub(super) async fn domande_vive(
    connessione: &mut SqliteConnection,
    servizio: &'static str,
    avente: &Avente,
) -> Result<Aperte, StoreError> {
    let mut giro = Giro::default();
    let posto = ask_aperte(&mut giro, servizio, &[avente]);
    let mut aperte = Aperte::new();
    insert_aperte(&mut aperte, servizio, giro.fetch(connessione).await?.of(posto))?;
    Ok(aperte)
}

/// The live domande of these people, with the children who have a live sheet in each; nobody is nothing to ask.
pub(super) fn ask_aperte(giro: &mut Giro, servizio: &'static str, aventi: &[&Avente]) -> Posto {
    let Some((codici, qualita)) = cercati(aventi) else {
        return Posto::NESSUNO;
    };
    // The condition of the index `domande_avente` must stand there as it is: the name of a service is our own.
    giro.ask(
        &format!(
            "SELECT d.numero, d.ente, coalesce(d.genitore_tutelato, d.richiedente) AS avente, s.codice_fiscale
             FROM json_each(?) u
             CROSS JOIN domande d ON coalesce(d.genitore_tutelato, d.richiedente) = u.value
             CROSS JOIN schede s ON s.numero_domanda = d.numero
             WHERE d.servizio = '{servizio}' AND d.presentata_da IN (SELECT value FROM json_each(?))
               AND s.stato IN ({VIVI})
             ORDER BY d.numero, s.posto"
        ),
        |valori| _ = valori.push(json(&codici)).push(json(&qualita)),
    )
}

/// The domande that these acts are about, as they stand now.
pub(super) fn ask_attuali(giro: &mut Giro, atti: &[&Atto]) -> Posto {
    let seguiti = atti.iter().filter_map(|atto| atto.contenuto.seguito());
    let numeri: Vec<_> = seguiti.map(|seguito| intero(seguito.numero_domanda.0)).collect();
    giro.ask_about(
        "numero",
        &numeri,
        |valori, numero| _ = valori.push(*numero),
        "SELECT d.numero, d.versione, d.registrazione FROM cercate CROSS JOIN domande d USING (numero)",
    )
}

pub(super) fn attuali_from(righe: &[SqliteRow]) -> Result<HashMap<NumeroDomanda, Attuale>, Inconsistency> {
    let attuale = |row| {
        let riga = Riga {
            table: "domande",
            row,
        };
        let attuale = Attuale {
            versione: riga.count("versione")?,
            registrazione: riga.get("registrazione")?,
        };
        Ok((NumeroDomanda(riga.count("numero")?), attuale))
    };
    righe.iter().map(attuale).collect()
}

/// A domanda of an ente, by any of its names. An act about a domanda leads to the domanda; of several domande with the
/// same imprint, the newest is told.
pub(super) async fn domanda(
    pool: &SqlitePool,
    ente: &CodiceEnte,
    servizio: &'static str,
    riferimento: &Riferimento,
) -> Result<Option<DomandaConsultata>, StoreError> {
    let mut query = QueryBuilder::<Sqlite>::new(format!(
        "SELECT r.presentata_il, r.registrata_il, r.codice_ufficio, r.impronta, {DOMANDA}, {REGISTRATA}
         FROM registrazioni n
         JOIN domande d ON d.numero = n.numero_domanda AND d.ente = n.ente
         JOIN registrazioni r ON r.id = d.registrazione
         JOIN ricevute v ON v.registrazione = r.id
         WHERE "
    ));
    push_named(&mut query, ente, servizio, riferimento);

    let mut lettore = pool.acquire().await.map_err(guasto)?;
    let Some(row) = query
        .build()
        .fetch_optional(&mut *lettore)
        .await
        .map_err(guasto)?
    else {
        return Ok(None);
    };
    let registrata = registrata_from(&row)?;
    let schede = schede(&mut lettore, registrata.numero_domanda).await?;
    let riga = Riga {
        table: "registrazioni",
        row: &row,
    };
    Ok(Some(DomandaConsultata {
        presentata_il: riga.istante("presentata_il")?,
        registrata_il: riga.istante("registrata_il")?,
        codice_ufficio: riga.get("codice_ufficio")?,
        impronta: riga.digest("impronta")?,
        ente: riga.parse("ente", |ente: String| ente.parse::<CodiceEnte>())?,
        versione: riga.count("versione")?,
        richiedente: richiedente_from(&row)?,
        registrata,
        schede,
        quadro: None,
    }))
}

/// Of the registrations `n` of the domande `d`, the one that is meant.
pub(super) fn push_named(
    query: &mut QueryBuilder<Sqlite>,
    ente: &CodiceEnte,
    servizio: &'static str,
    riferimento: &Riferimento,
) {
    match riferimento {
        Riferimento::Protocollo(protocollo) => {
            query.push("n.protocollo = ").push_bind(protocollo.to_string())
        }
        Riferimento::NumeroDomanda(NumeroDomanda(numero)) => query
            .push("n.id = d.registrazione AND d.numero = ")
            .push_bind(intero(*numero)),
        Riferimento::ChiaveInvio(chiave) => query
            .push("n.chiave_invio = ")
            .push_bind(chiave.as_str().to_owned()),
        Riferimento::Impronta(impronta) => query.push("n.impronta = ").push_bind(impronta.to_vec()),
    };
    query.push(" AND n.ente = ").push_bind(ente.as_str().to_owned());
    query.push(" AND n.servizio = ").push_bind(servizio);
    query.push(" ORDER BY n.id DESC LIMIT 1");
}

/// The sheets of a domanda, in order.
async fn schede(
    connessione: &mut SqliteConnection,
    numero: NumeroDomanda,
) -> Result<Vec<SchedaConsultata>, StoreError> {
    let righe = sqlx::query(
        "SELECT s.posto, s.codice_fiscale, s.stato, s.stato_dal, s.azione_richiesta, s.decorrenza_presunta,
                (SELECT i.stato FROM riesami i
                 WHERE i.numero_domanda = s.numero_domanda AND i.posto = s.posto
                 ORDER BY i.registrazione DESC LIMIT 1) AS riesame
         FROM schede s
         WHERE s.numero_domanda = ?
         ORDER BY s.posto",
    )
    .bind(intero(numero.0))
    .fetch_all(connessione)
    .await
    .map_err(guasto)?;
    righe
        .iter()
        .map(|row| {
            let riga = Riga { table: "schede", row };
            Ok(SchedaConsultata {
                posto: riga.get("posto")?,
                codice_fiscale: riga
                    .parse("codice_fiscale", |testo: String| testo.parse::<CodiceFiscale>())?,
                stato: riga.parse("stato", |testo: String| parola(&testo))?,
                stato_dal: riga.istante("stato_dal")?,
                riesame: riga.parse_option("riesame", |testo: String| parola(&testo))?,
                azione_richiesta: riga.parse("azione_richiesta", |testo: String| parola(&testo))?,
                decorrenza_presunta: riga
                    .parse_option("decorrenza_presunta", |testo: String| mese(&testo))?,
            })
        })
        .collect()
}

/// A page of the register, in the order of registration.
pub(super) async fn registro(
    pool: &SqlitePool,
    dopo: Option<&NumeroProtocollo>,
    limite: u32,
) -> Result<Vec<RigaRegistro>, StoreError> {
    let righe = sqlx::query(
        "SELECT protocollo, ente, chiave_invio, registrata_il
         FROM registrazioni
         WHERE id > coalesce((SELECT id FROM registrazioni WHERE protocollo = ?), ?)
         ORDER BY id
         LIMIT ?",
    )
    .bind(dopo.map(ToString::to_string))
    // After a number that is not there nothing comes; without a number all does.
    .bind(if dopo.is_some() { i64::MAX } else { 0 })
    .bind(limite)
    .fetch_all(pool)
    .await
    .map_err(guasto)?;
    righe
        .iter()
        .map(|row| {
            let riga = Riga {
                table: "registrazioni",
                row,
            };
            Ok(RigaRegistro {
                protocollo: riga.parse("protocollo", |testo: String| testo.parse::<NumeroProtocollo>())?,
                ente: riga.get("ente")?,
                chiave_invio: riga.get("chiave_invio")?,
                registrata_il: riga.istante("registrata_il")?,
            })
        })
        .collect()
}

/// The states of a live sheet.
pub(super) const VIVI: &str =
    "'PRESENTATA', 'IN_ISTRUTTORIA', 'IN_EVIDENZA_CITTADINO', 'IN_EVIDENZA_SEDE', 'SOSPESA', 'ACCOLTA'";

/// What a [`DomandaConsultata`] tells of the domanda itself: `d` is `domande`.
const DOMANDA: &str = "d.ente, d.versione, d.richiedente, d.richiedente_nome, d.richiedente_cognome, d.richiedente_email, \
    d.richiedente_cellulare, d.richiedente_indirizzo";

/// What a [`Registrata`] is read from: `r` is `registrazioni`, `v` is `ricevute`.
pub(super) const REGISTRATA: &str = "r.protocollo, r.numero_domanda, r.chiave_invio, r.digest, r.digest_versione, \
    v.bytes_len, v.codec, v.chiave_id, v.bytes, \
    EXISTS (SELECT 1 FROM annullamenti a WHERE a.registrazione = r.id AND a.campo IS NULL) AS annullata";

pub(super) fn registrata_from(row: &SqliteRow) -> Result<Registrata, Inconsistency> {
    let riga = Riga {
        table: "registrazioni",
        row,
    };
    Ok(Registrata {
        protocollo: riga.parse("protocollo", |testo: String| testo.parse::<NumeroProtocollo>())?,
        numero_domanda: NumeroDomanda(riga.count("numero_domanda")?),
        chiave: riga.parse("chiave_invio", |testo: String| testo.parse::<ChiaveInvio>())?,
        digest: Digest(riga.digest("digest")?),
        digest_versione: riga.get("digest_versione")?,
        ricevuta: Riga {
            table: "ricevute",
            row,
        }
        .bytes()?,
        annullata: riga.get("annullata")?,
    })
}

/// The bytes that a registration holds for a trace: the receipt of that number, and the request where the message is
/// the one that was registered.
pub(super) async fn bytes_of(
    connessione: &mut SqliteConnection,
    table: &'static str,
    protocollo: &str,
    message_id: Option<&str>,
) -> Result<Option<bytes::Bytes>, StoreError> {
    // `table` is one of our own two words.
    let sql = format!(
        "SELECT b.bytes_len, b.codec, b.chiave_id, b.bytes
         FROM registrazioni r
         JOIN {table} b ON b.registrazione = r.id
         WHERE r.protocollo = ? AND (? IS NULL OR r.message_id = ?)"
    );
    let row = sqlx::query(AssertSqlSafe(sql))
        .bind(protocollo)
        .bind(message_id)
        .bind(message_id)
        .fetch_optional(connessione)
        .await
        .map_err(guasto)?;
    Ok(row.map(|row| Riga { table, row: &row }.bytes()).transpose()?)
}
