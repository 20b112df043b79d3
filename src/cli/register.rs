//! `varco register`: the register as a list that scripts can read, and a look over the whole of it.

use std::fmt::Write as _;

use anyhow::Result;

use super::{DoveConfig, Uscita};

/// Numbers fetched at once: the whole register is never in memory.
const PAGINA: u32 = 1000;

/// What to do with the register.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    comando: Comando,
}

#[derive(Debug, clap::Subcommand)]
enum Comando {
    /// Scrive una riga per registrazione: protocollo, ente, ChiaveInvio, separati da tabulazione.
    ///
    /// Le righe sono nell'ordine del registro, dalla prima all'ultima.
    ///
    /// Esempio: varco register list --config demo/varco.toml
    List(DoveConfig),
    /// Verifica tutto il registro: numeri da 1 all'ultimo senza buchi né doppioni, istanti che non tornano indietro.
    ///
    /// Esce con 65 se trova anche una sola anomalia.
    ///
    /// Esempio: varco register verify --config demo/varco.toml
    Verify(DoveConfig),
}

impl Args {
    /// Lists or verifies.
    pub async fn run(self) -> Result<Uscita> {
        match self.comando {
            Comando::List(dove) => list(&dove).await,
            Comando::Verify(dove) => verify(&dove).await,
        }
    }
}

async fn list(dove: &DoveConfig) -> Result<Uscita> {
    let store = super::open_store(&dove.read()?).await?;
    let mut dopo = None;
    loop {
        let righe = store.registro(dopo.as_ref(), PAGINA).await?;
        let Some(ultima) = righe.last() else {
            return Ok(Uscita::Fatto);
        };
        dopo = Some(ultima.protocollo.clone());
        let mut pagina = String::new();
        for riga in &righe {
            let _ = writeln!(
                pagina,
                "{}\t{}\t{}",
                riga.protocollo, riga.ente, riga.chiave_invio
            );
        }
        out!("{pagina}");
    }
}

async fn verify(dove: &DoveConfig) -> Result<Uscita> {
    let store = super::open_store(&dove.read()?).await?;
    let verifica = store.verify().await?;
    for anomalia in &verifica.anomalie {
        outln!("anomalia: {anomalia}");
    }
    outln!(
        "{} registrazioni, {} anomalie",
        verifica.registrazioni,
        verifica.anomalie.len()
    );
    Ok(if verifica.anomalie.is_empty() {
        Uscita::Fatto
    } else {
        Uscita::Rifiutato
    })
}
