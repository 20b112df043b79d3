//! `varco register recover`: the register of a store that was put back from a copy goes on behind what was told.

use std::path::PathBuf;

use anyhow::Result;

use super::{Autorita, open, una_riga};
use crate::cli::{DoveConfig, Uscita};
use crate::protocollo::NumeroProtocollo;
use crate::registro::{Lacuna, a_roma};
use crate::store::StoreError;
use crate::store::ancore::{Detti, Detto, told};
use crate::store::lacune::Dichiarazione;

/// What to declare.
#[derive(Debug, clap::Args)]
pub(super) struct Recover {
    /// Perché mancano dei numeri
    #[arg(long, value_name = "TESTO", value_parser = una_riga)]
    motivo: String,
    #[command(flatten)]
    autorita: Autorita,
    /// Altre cartelle di ancore, oltre a quella della configurazione: di altri varchi, o salvate da una macchina perduta
    #[arg(long, value_name = "CARTELLA")]
    ancore: Vec<PathBuf>,
    /// L'ultimo numero di cui si ha notizia (da una ricevuta, da un registro giornaliero), se è oltre le ancore
    #[arg(long, value_name = "PROTOCOLLO")]
    ultimo: Vec<NumeroProtocollo>,
    #[command(flatten)]
    dove: DoveConfig,
}

impl Recover {
    pub(super) async fn run(self) -> Result<Uscita> {
        let mut detti = told(&self.dove.read()?.registro.ancore.cartella)?;
        for cartella in &self.ancore {
            detti.join(&told(cartella)?);
        }
        for protocollo in &self.ultimo {
            detti.join(&known(protocollo));
        }
        let (store, adesso) = open(&self.dove).await?;
        let Some(provvedimento) = self.autorita.in_force(adesso) else {
            return Ok(Uscita::Rifiutato);
        };
        let dichiarazione = Dichiarazione {
            detti: &detti,
            operatore: &self.autorita.operatore,
            motivo: &self.motivo,
            provvedimento: &provvedimento,
        };
        let esito = store.dichiara(&dichiarazione, adesso).await;
        store.close().await;
        match esito {
            Ok(lacune) => {
                for lacuna in &lacune {
                    outln!("{}", shown(lacuna));
                }
                outln!("il registro riprende dopo questi numeri; controllarlo: varco register verify");
                Ok(Uscita::Fatto)
            }
            Err(StoreError::Refused(_)) => {
                eprintln!(
                    "varco: l'archivio conosce tutti i numeri che le ancore dicono: non c'è nulla da dichiarare"
                );
                Ok(Uscita::Rifiutato)
            }
            Err(errore) => Err(errore.into()),
        }
    }
}

/// A number that somebody has a receipt of.
fn known(protocollo: &NumeroProtocollo) -> Detti {
    let detto = Detto {
        numero: protocollo.numero(),
        picco: 0,
    };
    let mut detti = Detti::default();
    detti
        .registri
        .insert((protocollo.registro().to_owned(), protocollo.anno()), detto);
    detti
}

/// A hole for people.
fn shown(lacuna: &Lacuna) -> String {
    let numero = |numero| NumeroProtocollo::new(&lacuna.registro, lacuna.anno, numero);
    let estremi = numero(lacuna.da).zip(numero(lacuna.a));
    let estremi = estremi.map_or_else(String::new, |(da, a)| format!("{da} - {a}"));
    let domande = lacuna
        .domande
        .map_or_else(String::new, |(da, a)| format!("; numeri di domanda {da} - {a}"));
    format!(
        "lacuna {}: {estremi} ({} numeri){domande}; dichiarata il {} da {}",
        lacuna.id,
        lacuna.a - lacuna.da + 1,
        a_roma(lacuna.dichiarata_il),
        lacuna.operatore
    )
}
