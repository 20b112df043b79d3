//! `varco register assign`: classification and office, the only data of a registration that may change. What was there
//! before stays readable beside it.

use anyhow::Result;

use super::{open, una_riga};
use crate::cli::{DoveConfig, Uscita};
use crate::protocollo::NumeroProtocollo;
use crate::registro::a_roma;
use crate::store::legale::{EsitoAssegnazione, RichiestaAssegnazione};

/// What to set.
#[derive(Debug, clap::Args)]
#[command(group = clap::ArgGroup::new("che").args(["classifica", "ufficio"]).required(true).multiple(true))]
pub(super) struct Assign {
    /// Numero di protocollo, come INPS-AUF-2021-000000010797
    #[arg(value_name = "PROTOCOLLO")]
    protocollo: NumeroProtocollo,
    /// Voce del titolario di classificazione
    #[arg(long, value_name = "VOCE", value_parser = una_riga)]
    classifica: Option<String>,
    /// L'ufficio che la lavora
    #[arg(long, value_name = "UFFICIO", value_parser = una_riga)]
    ufficio: Option<String>,
    /// Chi opera
    #[arg(long, value_name = "UTENTE", value_parser = una_riga)]
    operatore: String,
    #[command(flatten)]
    dove: DoveConfig,
}

impl Assign {
    pub(super) async fn run(self) -> Result<Uscita> {
        let (store, adesso) = open(&self.dove).await?;
        let protocollo = &self.protocollo;
        let richiesta = RichiestaAssegnazione {
            protocollo,
            operatore: &self.operatore,
            classifica: self.classifica.as_deref(),
            assegnazione: self.ufficio.as_deref(),
        };
        let esito = store.assegna(&richiesta, adesso).await?;
        store.close().await;
        let rifiuto = match esito {
            EsitoAssegnazione::Assegnata(dal) => {
                outln!("{protocollo}: in vigore dal {}", a_roma(dal));
                return Ok(Uscita::Fatto);
            }
            EsitoAssegnazione::Immutata => {
                outln!("{protocollo}: è già così");
                return Ok(Uscita::Fatto);
            }
            EsitoAssegnazione::Sconosciuta => "nessuna registrazione ha questo numero".to_owned(),
            EsitoAssegnazione::Annullata(quando) => format!("ANNULLATA il {}", a_roma(quando)),
        };
        eprintln!("varco: {protocollo}: {rifiuto}");
        Ok(Uscita::Rifiutato)
    }
}
