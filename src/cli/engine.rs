//! `varco engine`: the reference engine as a process of its own. What it does stands in `engine`; here are its options,
//! its clock, its lines and its end.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::{Context as _, Result};
use jiff::{SignedDuration, Timestamp};
use tokio::sync::Notify;

use super::Uscita;
use super::demo::wait_for_signal;
use crate::clock::RandomIds;
use crate::engine::archivio::{Archivio, Errore};
use crate::engine::{Evento, Giro, Motore, Opzioni};
use crate::store::StoreUrl;

/// How the engine is to run.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Archivio: sqlite:FILE, oppure postgres://varco_motore@HOST/DATABASE (la password anche in PGPASSWORD)
    #[arg(value_name = "ARCHIVIO")]
    archivio: StoreUrl,
    /// Nome del motore, in prese e decisioni: diverso per ogni motore
    #[arg(long, value_name = "NOME", default_value = "motore-di-prova")]
    nome: String,
    /// L'orologio del motore parte da questo istante e prosegue (predefinito: quello dell'archivio). Non in produzione
    #[arg(long, value_name = "ISTANTE")]
    adesso: Option<Timestamp>,
    /// Lavora ciò che c'è e finisce
    #[arg(long)]
    una_volta: bool,
    /// Secondi fra uno sguardo e il seguente, quando non c'è più niente da lavorare
    #[arg(long, value_name = "SECONDI", default_value_t = 1, value_parser = clap::value_parser!(u64).range(1..=3600))]
    ogni: u64,
    /// Durata di una presa, in secondi: se il motore cade, dopo tanto un altro riprende le sue domande
    #[arg(long, value_name = "SECONDI", default_value_t = 60, value_parser = clap::value_parser!(u64).range(1..=3600))]
    durata_presa: u64,
    /// Quante domande prende insieme
    #[arg(long, value_name = "NUMERO", default_value_t = 16, value_parser = clap::value_parser!(u32).range(1..=1000))]
    blocco: u32,
}

/// A signal has come: the one flag that the engine reads, and the word that wakes it.
#[derive(Debug, Default)]
struct Fine {
    fermo: AtomicBool,
    sveglia: Notify,
}

impl Args {
    /// Works until there is no more, or until it is told to stop.
    pub async fn run(self) -> Result<Uscita> {
        let fine = Arc::new(Fine::default());
        let segnale = wait_for_signal()?;
        tokio::spawn({
            let fine = Arc::clone(&fine);
            async move {
                segnale.await;
                fine.fermo.store(true, Ordering::Relaxed);
                fine.sveglia.notify_one();
            }
        });
        let mut scarto = None;
        let mut totale = Giro::default();
        while !fine.fermo.load(Ordering::Relaxed) {
            match self.work(&fine, &mut scarto, &mut totale).await {
                Ok(()) => break,
                Err(errore @ Errore::Lontano(_)) if !self.una_volta => {
                    outln!("{errore}; si riprova fra {} s", self.ogni);
                    self.pause(&fine).await;
                }
                Err(errore @ Errore::Lontano(_)) => {
                    outln!("{errore}");
                    return Ok(Uscita::Riprovare);
                }
                Err(errore) => return Err(errore).with_context(|| format!("{}", self.archivio)),
            }
        }
        outln!(
            "{}: {} domande lavorate, {} decisioni",
            self.nome,
            totale.lavorate,
            totale.decisioni
        );
        Ok(Uscita::Fatto)
    }

    /// Works on one connection, until the end or until it breaks.
    async fn work(
        &self,
        fine: &Fine,
        scarto: &mut Option<SignedDuration>,
        totale: &mut Giro,
    ) -> Result<(), Errore> {
        let mut archivio = Archivio::open(&self.archivio).await?;
        if let (Some(adesso), None) = (self.adesso, *scarto) {
            let contratto = archivio.contratto().await?;
            if contratto.ambiente == "produzione" {
                return Err(Errore::Estraneo(
                    "in produzione l'orologio è quello dell'archivio: --adesso non si usa".to_owned(),
                ));
            }
            *scarto = Some(adesso.duration_since(contratto.adesso));
        }
        let opzioni = Opzioni {
            nome: self.nome.clone(),
            durata_presa: Duration::from_secs(self.durata_presa),
            blocco: self.blocco,
            scarto: *scarto,
        };
        let mut motore = Motore::new(archivio, opzioni, &RandomIds, &fine.fermo);
        loop {
            let giro = motore.giro(&mut |evento| tell(&self.nome, evento)).await?;
            totale.lavorate += giro.lavorate;
            totale.decisioni += giro.decisioni;
            if self.una_volta || fine.fermo.load(Ordering::Relaxed) {
                return Ok(());
            }
            self.pause(fine).await;
        }
    }

    async fn pause(&self, fine: &Fine) {
        tokio::select! {
            () = tokio::time::sleep(Duration::from_secs(self.ogni)) => {}
            () = fine.sveglia.notified() => {}
        }
    }
}

/// One line.
fn tell(nome: &str, evento: &Evento<'_>) {
    match evento {
        Evento::Decisa {
            istante,
            numero_domanda,
            decisione,
        } => outln!("{istante:.3} {nome} domanda {numero_domanda} {decisione}"),
        Evento::Cambiata { numero_domanda } => {
            outln!("{nome} domanda {numero_domanda} cambiata nel frattempo: si rilegge");
        }
        Evento::Persa { numero_domanda } => {
            outln!("{nome} domanda {numero_domanda} presa scaduta: la lavora un altro");
        }
    }
}
