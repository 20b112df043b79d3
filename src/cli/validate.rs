//! `varco validate`: the gateway's own eyes, offline. It reads with the same schema and judges with the same rules, so
//! codes, sentences and lines are those that the gateway would tell; what needs the store, the certificate or the
//! header Identity it cannot know, and says so.

mod lotto;

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use jiff::Timestamp;
use jiff::civil::Date;
use serde_json::{Value, json};

use super::Uscita;
use super::send::risposta::Errore;
use crate::clock::{Clock as _, WallClock};
use crate::domanda::allegato::ALLEGATO_BYTES_MAX;
use crate::domanda::{Ambiente, Contesto, Istanza, Violazione};
use crate::protocollo::roma;
use crate::schema::{Lettura, LetturaError, Schema};
use crate::xml::Limits;

/// What is not looked at here, and where it is.
const NON_CONTROLLATO: &[&str] = &[
    "AT-006, AU-005, AU-008: se un figlio ha già una scheda viva (richiede l'archivio)",
    "STA-*, LAV-*, MOD-*: se la domanda a cui un atto si riferisce lo ammette (richiede l'archivio)",
    "di una ModificaDomanda: età e dichiarazioni al giorno di presentazione della domanda (richiede l'archivio)",
    "RPL-001, RPL-002: se la ChiaveInvio è già stata usata per un altro contenuto (richiede l'archivio)",
    "PAT-001: se Patronato/Codice è l'ente del certificato (richiede il certificato)",
    "PAT-002, PAT-003: se Ufficio e Operatore sono quelli di Identity (richiede l'intestazione)",
    "IDN-*: l'intestazione Identity (la legge il varco)",
    "ACC-*: certificato, ufficio, indirizzo, operazione e quota dell'ente (richiede il certificato)",
];

/// What to validate, and when and where it would be sent.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// File XML: buste SOAP, elementi InviaDomanda o Domanda, o di un atto (ModificaDomanda, Modifica, Rinuncia…); o file di
    /// lotto, anche gzip, di cui dice gli errori di ogni domanda
    #[arg(value_name = "FILE", required = true)]
    files: Vec<PathBuf>,
    /// Scrive JSON: un oggetto per file
    #[arg(long)]
    json: bool,
    /// Ambiente di cui valgono le regole: sandbox, collaudo, produzione (predefinito: sandbox)
    #[arg(long, value_name = "NOME", default_value = "sandbox", value_parser = ambiente)]
    ambiente: Ambiente,
    /// Giorno in cui la domanda sarebbe presentata, a mezzogiorno (predefinito: adesso)
    #[arg(long, value_name = "DATA")]
    data: Option<Date>,
}

fn ambiente(testo: &str) -> Result<Ambiente, String> {
    [Ambiente::Sandbox, Ambiente::Collaudo, Ambiente::Produzione]
        .into_iter()
        .find(|ambiente| ambiente.as_str() == testo)
        .ok_or_else(|| "serve sandbox, collaudo o produzione".to_owned())
}

/// What was found in one file.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Verdetto {
    /// Each of them refuses.
    pub errori: Vec<Errore>,
    /// None of them refuses.
    pub avvisi: Vec<Errore>,
}

impl Args {
    /// Validates each file and prints what was found.
    pub fn run(self) -> Result<Uscita> {
        let schema = Schema::load().context("gli schemi compilati in questo programma non si caricano")?;
        let presentata_il = match self.data {
            Some(data) => data
                .at(12, 0, 0, 0)
                .to_zoned(roma())
                .context("--data: giorno impossibile")?
                .timestamp(),
            None => WallClock::default().wall(),
        };
        let mut rifiutati = 0_usize;
        let giudice = Giudice {
            schema: &schema,
            ambiente: self.ambiente,
            presentata_il,
        };
        for file in &self.files {
            if let Some(cesoia) = lotto::open(file)? {
                rifiutati += usize::from(lotto::run(&giudice, file, cesoia, self.json)?);
                continue;
            }
            let bytes =
                std::fs::read(file).with_context(|| format!("impossibile leggere {}", file.display()))?;
            let verdetto = judge(&schema, &bytes, self.ambiente, presentata_il)
                .context("gli schemi compilati in questo programma non si caricano")?;
            rifiutati += usize::from(!verdetto.errori.is_empty());
            if self.json {
                outln!("{}", as_json(file, &verdetto));
            } else {
                out!("{}", as_text(file, &verdetto));
            }
        }
        if !self.json {
            outln!(
                "\n{} file, {rifiutati} rifiutati (ambiente {}, presentazione {presentata_il:.0})",
                self.files.len(),
                self.ambiente.as_str()
            );
            outln!("Non controllato qui:");
            for controllo in NON_CONTROLLATO {
                outln!("  {controllo}");
            }
        }
        Ok(if rifiutati == 0 {
            Uscita::Fatto
        } else {
            Uscita::Rifiutato
        })
    }
}

/// Judges the bytes of a file as the gateway would, as far as that is possible without it.
pub fn judge(
    schema: &Schema,
    bytes: &[u8],
    ambiente: Ambiente,
    presentata_il: Timestamp,
) -> Result<Verdetto, LetturaError> {
    let lettura = match schema.read_file(bytes, &Limits::default()) {
        Ok(lettura) => lettura,
        Err(error) => {
            return Ok(Verdetto {
                // A finding is the file's; an error without one is this program's.
                errori: vec![Errore::from(&error.violazione().ok_or(error)?)],
                avvisi: Vec::new(),
            });
        }
    };
    let giudice = Giudice {
        schema,
        ambiente,
        presentata_il,
    };
    let (violazioni, avvisi) = giudice.weigh(&lettura, bytes);
    Ok(Verdetto {
        errori: violazioni.iter().map(Errore::from).collect(),
        avvisi: avvisi.iter().map(Errore::from).collect(),
    })
}

/// What requests are judged by, without the gateway.
struct Giudice<'s> {
    schema: &'s Schema,
    ambiente: Ambiente,
    presentata_il: Timestamp,
}

impl Giudice<'_> {
    /// What is wrong with a request that was read from these bytes, and what is worth knowing.
    fn weigh(&self, lettura: &Lettura, bytes: &[u8]) -> (Vec<Violazione>, Vec<Violazione>) {
        let Some(istanza) = &lettura.istanza else {
            return (lettura.rilievi.clone(), Vec::new());
        };
        let contesto = Contesto {
            presentata_il: self.presentata_il,
            ambiente: self.ambiente,
            ente: None,
            codice_ufficio: None,
            user_id: None,
            schede_vive: &[],
            domande_vive: &[],
            allegato_bytes_max: ALLEGATO_BYTES_MAX,
            pregresso: None,
        };
        let mut esame = match istanza {
            Istanza::Domanda(domanda) => domanda.esamina(&contesto),
            Istanza::Atto(atto) => atto.esamina(&contesto, None),
        };
        lettura.posizioni.place(&mut esame.violazioni, bytes);
        lettura.posizioni.place(&mut esame.avvisi, bytes);
        (esame.violazioni, esame.avvisi)
    }
}

/// `file:12:7 CF-002 …`, which editors know how to jump to.
fn as_text(file: &Path, verdetto: &Verdetto) -> String {
    let mut testo = findings(file, verdetto);
    if verdetto.errori.is_empty() {
        let _ = writeln!(testo, "{}: valida", file.display());
    }
    testo
}

fn findings(file: &Path, verdetto: &Verdetto) -> String {
    let nome = file.display();
    let mut testo = String::new();
    for errore in &verdetto.errori {
        let _ = writeln!(testo, "{nome}:{errore}");
    }
    for avviso in &verdetto.avvisi {
        let _ = writeln!(testo, "{nome}: avviso {avviso}");
    }
    testo
}

fn as_json(file: &Path, verdetto: &Verdetto) -> Value {
    json!({
        "file": file.display().to_string(),
        "esito": if verdetto.errori.is_empty() { "VALIDA" } else { "RIFIUTATA" },
        "errori": errori_json(&verdetto.errori),
        "avvisi": errori_json(&verdetto.avvisi),
        "non_controllato": NON_CONTROLLATO,
    })
}

/// Errors as programs read them.
pub(super) fn errori_json(errori: &[Errore]) -> Vec<Value> {
    errori
        .iter()
        .map(|errore| {
            json!({
                "codice": errore.codice,
                "testo": errore.testo,
                "suggerimento": errore.suggerimento,
                "percorso": errore.percorso,
                "riga": errore.riga,
                "colonna": errore.colonna,
                "ripetere": errore.ripetere,
            })
        })
        .collect()
}
