//! Looking up what was registered: each question is one short statement, or two.

use std::collections::HashMap;

use sqlx::QueryBuilder;
use sqlx::postgres::{PgConnection, PgRow, Postgres};
use uuid::Uuid;

use super::row::guasto;
use crate::domanda::consultazione::{DomandaConsultata, Riferimento, SchedaConsultata};
use crate::domanda::{CodiceFiscale, SchedaViva};
use crate::patronato::{ChiaveInvio, CodiceEnte};
use crate::prestazione;
use crate::protocollo::{NumeroDomanda, NumeroProtocollo};
use crate::ricevuta::{Digest, Registrata};
use crate::store::valori::{Riga, intero, mese, parola, richiedente_from};
use crate::store::{Chiave, Inconsistency, RigaRegistro, StoreError};

/// What is registered under these keys.
pub(super) async fn registrate<'a>(
    connessione: &mut PgConnection,
    cercate: impl IntoIterator<Item = &'a Chiave>,
) -> Result<HashMap<Chiave, Registrata>, StoreError> {
    let (mut invii, mut enti, mut servizi) = (Vec::new(), Vec::new(), Vec::new());
    for chiave in cercate {
        invii.push(chiave.chiave.as_str());
        enti.push(chiave.ente.as_str());
        servizi.push(chiave.servizio);
    }
    if invii.is_empty() {
        return Ok(HashMap::new());
    }
    let righe = sqlx::query(concat!(
        "SELECT c.ente, c.servizio, ",
        registrata!(),
        " FROM UNNEST($1, $2, $3) AS u (chiave_invio, ente, servizio)
          JOIN chiavi c USING (chiave_invio, ente, servizio)
          JOIN registrazioni r ON r.id = c.id
          JOIN ricevute v ON v.numero_domanda = r.numero_domanda AND v.registrazione = r.id AND v.anno = r.anno"
    ))
    .bind(invii)
    .bind(enti)
    .bind(servizi)
    .fetch_all(connessione)
    .await
    .map_err(guasto)?;
    let mut trovate = HashMap::with_capacity(righe.len());
    for row in &righe {
        let riga = registrazioni(row);
        let registrata = registrata_from(row)?;
        let chiave = Chiave {
            ente: riga.parse("ente", |ente: String| ente.parse::<CodiceEnte>())?,
            servizio: riga.parse("servizio", |servizio: String| {
                prestazione::by_servizio(&servizio)
                    .map(|prestazione| prestazione.servizio)
                    .ok_or("unknown service")
            })?,
            chiave: registrata.chiave.clone(),
        };
        trovate.insert(chiave, registrata);
    }
    Ok(trovate)
}

/// The live sheets that these children have.
pub(super) async fn schede_vive(
    connessione: &mut PgConnection,
    servizio: &'static str,
    minori: &[CodiceFiscale],
) -> Result<Vec<SchedaViva>, StoreError> {
    if minori.is_empty() {
        return Ok(Vec::new());
    }
    let minori: Vec<&str> = minori.iter().map(CodiceFiscale::as_str).collect();
    let righe = sqlx::query(
        "SELECT s.codice_fiscale, s.stato, s.subentra
         FROM schede_vive v
         JOIN registrazioni r ON r.id = v.registrazione
         JOIN schede s ON s.numero_domanda = r.numero_domanda AND s.codice_fiscale = v.codice_fiscale
         WHERE v.servizio = $1 AND v.codice_fiscale = ANY($2) AND varco_stato_vivo(s.stato)",
    )
    .bind(servizio)
    .bind(minori)
    .fetch_all(connessione)
    .await
    .map_err(guasto)?;
    righe
        .iter()
        .map(|row| {
            let riga = Riga { table: "schede", row };
            Ok(SchedaViva {
                codice_fiscale: riga
                    .parse("codice_fiscale", |testo: String| testo.parse::<CodiceFiscale>())?,
                stato: riga.get("stato")?,
                subentrata: riga.get("subentra")?,
            })
        })
        .collect()
}

/// A domanda of an ente, by any of its names. An act about a domanda leads to the domanda; of several domande with the
/// same imprint, the newest is told.
pub(super) async fn domanda(
    connessione: &mut PgConnection,
    ente: &CodiceEnte,
    servizio: &'static str,
    riferimento: &Riferimento,
) -> Result<Option<DomandaConsultata>, StoreError> {
    let mut query = QueryBuilder::<Postgres>::new(concat!(
        "SELECT r.presentata_il, r.registrata_il, r.codice_ufficio, r.impronta, d.ente, d.versione, d.richiedente,
             d.richiedente_nome, d.richiedente_cognome, d.richiedente_email, d.richiedente_cellulare,
             d.richiedente_indirizzo, ",
        registrata!(),
        " FROM registrazioni n
          JOIN domande d ON d.numero = n.numero_domanda AND d.ente = n.ente
          JOIN registrazioni r ON r.id = d.registrazione AND r.anno = d.anno
          JOIN ricevute v ON v.numero_domanda = r.numero_domanda AND v.registrazione = r.id AND v.anno = r.anno
          WHERE "
    ));
    push_named(&mut query, ente, servizio, riferimento);

    let Some(row) = query
        .build()
        .fetch_optional(&mut *connessione)
        .await
        .map_err(guasto)?
    else {
        return Ok(None);
    };
    let registrata = registrata_from(&row)?;
    let schede = schede(connessione, registrata.numero_domanda).await?;
    let riga = registrazioni(&row);
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
    query: &mut QueryBuilder<Postgres>,
    ente: &CodiceEnte,
    servizio: &'static str,
    riferimento: &Riferimento,
) {
    match riferimento {
        Riferimento::Protocollo(protocollo) => query
            .push("n.registro = ")
            .push_bind(protocollo.registro().to_owned())
            .push(" AND n.anno = ")
            .push_bind(protocollo.anno())
            .push(" AND n.numero = ")
            .push_bind(intero(protocollo.numero())),
        Riferimento::NumeroDomanda(NumeroDomanda(numero)) => query
            .push("n.id = d.registrazione AND n.anno = d.anno AND d.numero = ")
            .push_bind(intero(*numero)),
        Riferimento::ChiaveInvio(chiave) => query
            .push("n.id = (SELECT id FROM chiavi WHERE chiave_invio = ")
            .push_bind(chiave.as_str().to_owned())
            .push(" AND ente = ")
            .push_bind(ente.as_str().to_owned())
            .push(" AND servizio = ")
            .push_bind(servizio)
            .push(")"),
        Riferimento::Impronta(impronta) => query.push("n.impronta = ").push_bind(impronta.to_vec()),
    };
    query.push(" AND n.ente = ").push_bind(ente.as_str().to_owned());
    query.push(" AND n.servizio = ").push_bind(servizio);
    query.push(" ORDER BY n.registrata_il DESC, n.numero DESC LIMIT 1");
}

/// The sheets of a domanda, in order.
async fn schede(
    connessione: &mut PgConnection,
    numero: NumeroDomanda,
) -> Result<Vec<SchedaConsultata>, StoreError> {
    let righe = sqlx::query(
        "SELECT s.posto, s.codice_fiscale, s.stato, s.stato_dal, s.azione_richiesta, s.decorrenza_presunta,
                (SELECT i.stato FROM riesami i
                 WHERE i.numero_domanda = s.numero_domanda AND i.posto = s.posto
                 ORDER BY i.registrazione DESC LIMIT 1) AS riesame
         FROM schede s
         WHERE s.numero_domanda = $1
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
                posto: riga.parse("posto", |posto: i32| u32::try_from(posto))?,
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

/// A page of the register, register by register, in the order of the numbers.
pub(super) async fn registro(
    connessione: &mut PgConnection,
    dopo: Option<&NumeroProtocollo>,
    limite: u32,
) -> Result<Vec<RigaRegistro>, StoreError> {
    let righe = sqlx::query(
        "SELECT protocollo, ente, chiave_invio, registrata_il
         FROM registrazioni
         WHERE (registro, anno, numero) > ($1, $2, $3)
         ORDER BY registro, anno, numero
         LIMIT $4",
    )
    .bind(dopo.map_or("", NumeroProtocollo::registro))
    .bind(dopo.map_or(0, NumeroProtocollo::anno))
    .bind(dopo.map_or(0, |dopo| intero(dopo.numero())))
    .bind(i64::from(limite))
    .fetch_all(connessione)
    .await
    .map_err(guasto)?;
    righe
        .iter()
        .map(|row| {
            let riga = registrazioni(row);
            Ok(RigaRegistro {
                protocollo: riga.parse("protocollo", |testo: String| testo.parse::<NumeroProtocollo>())?,
                ente: riga.get("ente")?,
                chiave_invio: riga.get("chiave_invio")?,
                registrata_il: riga.istante("registrata_il")?,
            })
        })
        .collect()
}

/// What a [`Registrata`] is read from: `r` is `registrazioni`, `v` is `ricevute`.
macro_rules! registrata {
    () => {
        "r.protocollo, r.numero_domanda, r.chiave_invio, r.digest, r.digest_versione, \
         v.bytes_len, v.codec, v.chiave_id, v.bytes, \
         EXISTS (SELECT 1 FROM annullamenti a WHERE a.registrazione = r.id AND a.campo IS NULL) AS annullata"
    };
}
pub(super) use registrata;

fn registrazioni(row: &PgRow) -> Riga<'_, PgRow> {
    Riga {
        table: "registrazioni",
        row,
    }
}

pub(super) fn registrata_from(row: &PgRow) -> Result<Registrata, Inconsistency> {
    let riga = registrazioni(row);
    Ok(Registrata {
        protocollo: riga.parse("protocollo", |testo: String| testo.parse::<NumeroProtocollo>())?,
        numero_domanda: NumeroDomanda(riga.count("numero_domanda")?),
        chiave: riga.parse("chiave_invio", |testo: String| testo.parse::<ChiaveInvio>())?,
        digest: Digest(riga.digest("digest")?),
        digest_versione: riga.parse("digest_versione", |versione: i16| u8::try_from(versione))?,
        ricevuta: Riga {
            table: "ricevute",
            row,
        }
        .bytes()?,
        annullata: riga.get("annullata")?,
    })
}

/// The receipt of a number.
pub(super) async fn ricevuta(
    connessione: &mut PgConnection,
    protocollo: &NumeroProtocollo,
) -> Result<Option<bytes::Bytes>, StoreError> {
    let row = sqlx::query(
        "SELECT b.bytes_len, b.codec, b.chiave_id, b.bytes
         FROM registrazioni r
         JOIN ricevute b ON b.numero_domanda = r.numero_domanda AND b.registrazione = r.id AND b.anno = r.anno
         WHERE r.registro = $1 AND r.anno = $2 AND r.numero = $3",
    )
    .bind(protocollo.registro())
    .bind(protocollo.anno())
    .bind(intero(protocollo.numero()))
    .fetch_optional(connessione)
    .await
    .map_err(guasto)?;
    Ok(row
        .map(|row| {
            Riga {
                table: "ricevute",
                row: &row,
            }
            .bytes()
        })
        .transpose()?)
}

/// The request of a number, where it is the message that was registered.
pub(super) async fn richiesta(
    connessione: &mut PgConnection,
    protocollo: &NumeroProtocollo,
    message_id: Uuid,
) -> Result<Option<bytes::Bytes>, StoreError> {
    let row = sqlx::query(
        "SELECT b.bytes_len, b.codec, b.chiave_id, b.bytes
         FROM registrazioni r
         JOIN payload b ON b.numero_domanda = r.numero_domanda AND b.registrazione = r.id AND b.anno = r.anno
         WHERE r.registro = $1 AND r.anno = $2 AND r.numero = $3 AND r.message_id = $4",
    )
    .bind(protocollo.registro())
    .bind(protocollo.anno())
    .bind(intero(protocollo.numero()))
    .bind(message_id)
    .fetch_optional(connessione)
    .await
    .map_err(guasto)?;
    Ok(row
        .map(|row| {
            Riga {
                table: "payload",
                row: &row,
            }
            .bytes()
        })
        .transpose()?)
}
