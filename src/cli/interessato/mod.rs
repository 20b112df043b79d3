//! `varco interessato`: what is held on one person and who has looked at it, in one file to answer them with (GDPR art. 15, and
//! 20 for the part that machines read). Who asks is an operator that may see people in clear and says why; that it was done is
//! a trace, found by the person it is about, and written before the file has its name (ADR 25).

mod accessi;
mod leggimi;
mod parte;
mod raccolta;

use std::io::{BufRead as _, IsTerminal as _, Write as _};
use std::path::PathBuf;

use anyhow::{Context as _, Result, bail, ensure};
use jiff::Timestamp;

use self::raccolta::Raccolta;
use super::a_meta::AMeta;
use super::zip::Zip;
use super::{DoveConfig, Uscita, chiave, open_store_with};
use crate::clock::{Clock as _, Ids as _, RandomIds, WallClock};
use crate::domanda::CodiceFiscale;
use crate::store::Store;
use crate::store::operatori::Ruolo;
use crate::trace::persona::{ChiaveRicerca, Persona};
use crate::trace::{Traccia, redact};

/// How a record of it is found: `--operazione interessato`.
pub(super) const OPERAZIONE: &str = "interessato";

/// A reason has so many characters: as in the console.
const MOTIVO: std::ops::RangeInclusive<usize> = 10..=500;

/// Whom, why, where to.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Di chi: un codice fiscale; con - si legge dall'ingresso, e non resta nella storia dei comandi
    #[arg(value_name = "CODICE_FISCALE", default_value = "-", hide_default_value = true)]
    chi: String,
    /// Perché: la richiesta a cui si risponde, senza dati personali (da 10 a 500 caratteri). Resta nella traccia
    #[arg(long, value_name = "TESTO")]
    motivo: String,
    /// Chi lo chiede: un operatore (varco operator list) indagatore o gestore
    #[arg(long, value_name = "NOME")]
    operatore: String,
    /// Il file ZIP da scrivere: leggibile solo da chi esegue il comando, mai sovrascritto
    #[arg(short = 'o', long = "output", value_name = "FILE")]
    file: PathBuf,
    /// Anche i documenti che la persona ha consegnato, non solo l'elenco
    #[arg(long)]
    documenti: bool,
    #[command(flatten)]
    dove: DoveConfig,
}

impl Args {
    /// Gathers it, records it, writes it.
    pub async fn run(self) -> Result<Uscita> {
        let motivo = self.motivo.trim().to_owned();
        ensure!(
            MOTIVO.contains(&motivo.chars().count()) && !motivo.chars().any(char::is_control),
            "--motivo: da 10 a 500 caratteri, in una riga"
        );
        let persona = whom(&self.chi)?;
        let config = self.dove.read()?;
        let chiave = chiave::read(&config)?;
        let store = open_store_with(&config, chiave.clone()).await?;
        if let Some(perche) = refusal(store.as_ref(), &self.operatore).await? {
            store.close().await;
            eprintln!("varco: {perche}");
            return Ok(Uscita::Rifiutato);
        }
        if chiave.is_none() {
            eprintln!(
                "nota: manca la chiave di ricerca (trace.chiave_ricerca): non trovo la persona nei messaggi non registrati"
            );
        }
        let adesso = WallClock::default().wall();
        let (a_meta, aperto) = AMeta::create(&self.file)?;
        let mut raccolta = Raccolta::new(store.as_ref(), &persona, Zip::new(aperto, adesso), adesso);
        raccolta.gather(self.documenti).await?;
        raccolta.add_leggimi(&config.conservazione, chiave.is_some(), self.documenti)?;
        let conti = raccolta.conti();
        let sguardo = Sguardo {
            motivo: &motivo,
            operatore: &self.operatore,
            persona: &persona,
            chiave: chiave.as_ref(),
            conti: &conti,
        };
        store.write_tracce(&[sguardo.traccia(adesso)]).await?;
        a_meta.finish(raccolta.finish()?)?;
        store.close().await;
        outln!("{}: {conti}", self.file.display());
        Ok(Uscita::Fatto)
    }
}

/// The person, from the command line or from where no shell remembers it. What was typed is in no error.
fn whom(chi: &str) -> Result<Persona> {
    let testo = if chi == "-" { ask()? } else { chi.to_owned() };
    let codice: CodiceFiscale = testo
        .trim()
        .to_ascii_uppercase()
        .parse()
        .map_err(|_| anyhow::anyhow!("il codice fiscale non è corretto: controllarne i caratteri"))?;
    Ok(codice.as_str().parse()?)
}

fn ask() -> Result<String> {
    let ingresso = std::io::stdin();
    if ingresso.is_terminal() {
        let mut errori = std::io::stderr();
        // A prompt that cannot be shown keeps nobody from answering it.
        let _ = write!(errori, "codice fiscale: ").and_then(|()| errori.flush());
    }
    let mut riga = String::new();
    if ingresso
        .lock()
        .read_line(&mut riga)
        .context("impossibile leggere il codice fiscale dall'ingresso")?
        == 0
    {
        bail!("dall'ingresso non è arrivato alcun codice fiscale");
    }
    Ok(riga)
}

/// Why this operator may not; `None` = they may.
async fn refusal(store: &dyn Store, nome: &str) -> Result<Option<String>> {
    let operatori = store.operatori().await?;
    let Some(operatore) = operatori.iter().find(|operatore| operatore.nome == nome) else {
        return Ok(Some(format!(
            "{nome}: nessun operatore ha questo nome (varco operator list)"
        )));
    };
    if operatore.disabilitato_il.is_some() {
        return Ok(Some(format!("{nome}: operatore disabilitato")));
    }
    Ok(match operatore.ruolo {
        Ruolo::Lettore => Some(format!(
            "{nome}: un lettore non vede dati in chiaro; serve un indagatore o un gestore"
        )),
        Ruolo::Indagatore | Ruolo::Gestore => None,
    })
}

/// That the data of somebody was taken away.
struct Sguardo<'a> {
    motivo: &'a str,
    operatore: &'a str,
    persona: &'a Persona,
    chiave: Option<&'a ChiaveRicerca>,
    conti: &'a str,
}

impl Sguardo<'_> {
    fn traccia(&self, adesso: Timestamp) -> Traccia {
        Traccia {
            message_id: RandomIds.next(),
            ricevuto_il: adesso,
            canale: "CLI".to_owned(),
            user_id: Some(self.operatore.to_owned()),
            uri: "varco interessato".to_owned(),
            operazione: Some(OPERAZIONE.to_owned()),
            esito: "RISPOSTA".to_owned(),
            note: vec![
                format!("motivo: {}", redact::mask(self.motivo)),
                format!("esportati: {}", self.conti),
            ],
            interessato: self.chiave.map(|chiave| chiave.ombra(self.persona)),
            ..Traccia::default()
        }
    }
}
