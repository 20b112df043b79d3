//! Looking over the register (DPR 445/2000 art. 53, 57): 1..max of each year without gap or repeat, instants that do
//! not go back and lie in their year, counters that agree, a receipt each. The short look before numbers are drawn
//! again; the long one for `varco register verify`, page by page, so that no reader stays.

use std::collections::BTreeMap;

use jiff::Timestamp;
use sqlx::sqlite::{SqliteConnection, SqlitePool};

use super::row::guasto;
use crate::protocollo::{NumeroProtocollo, data_a_roma};
use crate::store::valori::{Riga, intero};
use crate::store::{StoreError, Verifica};

/// The short look: counter, maximum and count agree for the current year of each register. A register that does not
/// is not written to.
pub(super) async fn look_over(connessione: &mut SqliteConnection) -> Result<(), StoreError> {
    let righe = sqlx::query(
        "SELECT
             c.registro,
             c.anno,
             c.ultimo,
             coalesce(max(r.numero), 0) AS massimo,
             count(r.numero) AS quante
         FROM registro c
         LEFT JOIN registrazioni r ON r.registro = c.registro AND r.anno = c.anno
         GROUP BY c.registro",
    )
    .fetch_all(connessione)
    .await
    .map_err(guasto)?;
    for row in &righe {
        let riga = Riga {
            table: "registro",
            row,
        };
        let registro: String = riga.get("registro")?;
        let anno: i64 = riga.get("anno")?;
        let ultimo = riga.count("ultimo")?;
        let massimo = riga.count("massimo")?;
        let quante = riga.count("quante")?;
        if ultimo != massimo || ultimo != quante {
            return Err(StoreError::Refused(format!(
                "register {registro} of {anno}: the counter says {ultimo}, the highest number is {massimo}, \
                 registrations are {quante}; no number is drawn until this is cleared up (`varco register verify`)"
            )));
        }
    }
    Ok(())
}

/// The long look: every registration once.
pub(super) async fn verify(lettori: &SqlitePool) -> Result<Verifica, StoreError> {
    let mut verifica = Verifica::default();
    let contatori = counters(lettori, &mut verifica).await?;
    for (registro, contatore) in &contatori {
        walk(lettori, registro, contatore, &mut verifica).await?;
    }
    if verifica.anomalie.len() > ANOMALIE_MAX {
        let altre = verifica.anomalie.len() - ANOMALIE_MAX;
        verifica.anomalie.truncate(ANOMALIE_MAX);
        verifica.anomalie.push(format!("… and {altre} more"));
    }
    Ok(verifica)
}

/// Where a register stood when the look began: what is registered meanwhile is not our business.
struct Contatore {
    anno: i64,
    ultimo: u64,
}

/// The counters, compared in one statement with what they count.
async fn counters(
    lettori: &SqlitePool,
    verifica: &mut Verifica,
) -> Result<BTreeMap<String, Contatore>, StoreError> {
    let righe = sqlx::query(
        "SELECT
             c.registro,
             c.anno,
             c.ultimo,
             c.ultimo_istante,
             (SELECT max(anno) FROM registrazioni r WHERE r.registro = c.registro) AS anno_massimo,
             (SELECT max(numero) FROM registrazioni r WHERE r.registro = c.registro AND r.anno = c.anno) AS massimo,
             (SELECT r.registrata_il FROM registrazioni r WHERE r.registro = c.registro
              ORDER BY r.anno DESC, r.numero DESC LIMIT 1) AS istante
         FROM registro c",
    )
    .fetch_all(lettori)
    .await
    .map_err(guasto)?;
    let mut per_registro = BTreeMap::new();
    for row in &righe {
        let riga = Riga {
            table: "registro",
            row,
        };
        let registro: String = riga.get("registro")?;
        let contatore = Contatore {
            anno: riga.get("anno")?,
            ultimo: riga.count("ultimo")?,
        };
        let anno_massimo: Option<i64> = riga.get("anno_massimo")?;
        let massimo: Option<i64> = riga.get("massimo")?;
        let istante: Option<i64> = riga.get("istante")?;
        if anno_massimo != Some(contatore.anno) || massimo != Some(intero(contatore.ultimo)) {
            verifica.anomalie.push(format!(
                "register {registro}: the counter stands at {}/{}, the last registration at {}/{}",
                contatore.anno,
                contatore.ultimo,
                anno_massimo.unwrap_or(0),
                massimo.unwrap_or(0),
            ));
        }
        if istante != Some(riga.get("ultimo_istante")?) {
            verifica.anomalie.push(format!(
                "register {registro}: the counter's instant is not that of the last registration"
            ));
        }
        per_registro.insert(registro, contatore);
    }

    let row = sqlx::query(
        "SELECT
             (SELECT ultimo FROM contatori WHERE nome = 'domanda') AS ultimo,
             (SELECT coalesce(max(numero), 0) FROM domande) AS massimo,
             (SELECT count(*) FROM domande) AS quante",
    )
    .fetch_one(lettori)
    .await
    .map_err(guasto)?;
    let riga = Riga {
        table: "contatori",
        row: &row,
    };
    let (ultimo, massimo, quante) = (
        riga.count("ultimo")?,
        riga.count("massimo")?,
        riga.count("quante")?,
    );
    if ultimo != massimo || ultimo != quante {
        verifica.anomalie.push(format!(
            "numero domanda: the counter says {ultimo}, the highest is {massimo}, domande are {quante}"
        ));
    }
    Ok(per_registro)
}

/// One register from its first number to where its counter stood.
async fn walk(
    lettori: &SqlitePool,
    registro: &str,
    contatore: &Contatore,
    verifica: &mut Verifica,
) -> Result<(), StoreError> {
    let mut ultimo = (0_i64, 0_u64);
    let mut ultimo_istante = i64::MIN;
    loop {
        let righe = sqlx::query(
            "SELECT
                 r.anno,
                 r.numero,
                 r.protocollo,
                 r.registrata_il,
                 EXISTS (SELECT 1 FROM ricevute v WHERE v.registrazione = r.id) AS ricevuta,
                 EXISTS (SELECT 1 FROM domande d WHERE d.numero = r.numero_domanda) AS domanda
             FROM registrazioni r
             WHERE r.registro = ? AND (r.anno, r.numero) > (?, ?)
             ORDER BY r.anno, r.numero
             LIMIT ?",
        )
        .bind(registro)
        .bind(ultimo.0)
        .bind(intero(ultimo.1))
        .bind(PAGINA)
        .fetch_all(lettori)
        .await
        .map_err(guasto)?;
        for row in &righe {
            let riga = Riga {
                table: "registrazioni",
                row,
            };
            let anno: i64 = riga.get("anno")?;
            let numero = riga.count("numero")?;
            if (anno, numero) > (contatore.anno, contatore.ultimo) {
                return Ok(());
            }
            let atteso = if anno == ultimo.0 { ultimo.1 + 1 } else { 1 };
            if numero != atteso {
                verifica.anomalie.push(format!(
                    "register {registro} of {anno}: {atteso} is missing, the next number is {numero}"
                ));
            }
            let protocollo: String = riga.get("protocollo")?;
            let detto = i16::try_from(anno)
                .ok()
                .and_then(|anno| NumeroProtocollo::new(registro, anno, numero));
            if detto.is_none_or(|detto| detto.to_string() != protocollo) {
                verifica.anomalie.push(format!(
                    "register {registro} of {anno}: number {numero} is told as another"
                ));
            }
            let istante: i64 = riga.get("registrata_il")?;
            if istante < ultimo_istante {
                verifica
                    .anomalie
                    .push(format!("{protocollo}: registered before the number before it"));
            }
            let anno_a_roma = Timestamp::from_millisecond(istante)
                .map(|istante| i64::from(data_a_roma(istante).year()))
                .ok();
            if anno_a_roma != Some(anno) {
                verifica
                    .anomalie
                    .push(format!("{protocollo}: its instant is of another year in Rome"));
            }
            if !riga.get::<bool>("ricevuta")? {
                verifica.anomalie.push(format!("{protocollo}: no receipt"));
            }
            if !riga.get::<bool>("domanda")? {
                verifica.anomalie.push(format!("{protocollo}: no domanda"));
            }
            ultimo = (anno, numero);
            ultimo_istante = istante;
            verifica.registrazioni += 1;
        }
        if righe.len() < PAGINA as usize {
            return Ok(());
        }
    }
}

/// Rows a statement: some milliseconds each.
const PAGINA: u32 = 2_000;

/// So many anomalies are told; who has more has one cause.
const ANOMALIE_MAX: usize = 1_000;
