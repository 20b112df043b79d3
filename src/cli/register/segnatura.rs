//! `varco register segnatura`: the segnatura of a registration, in AgID's shape.

use anyhow::{Context as _, Result};

use super::open;
use crate::cli::{DoveConfig, Uscita};
use crate::protocollo::NumeroProtocollo;
use crate::registro::{Aoo, segnatura};

/// Of which registration.
#[derive(Debug, clap::Args)]
pub(super) struct Segnatura {
    /// Numero di protocollo, come INPS-AUF-2021-000000010797
    #[arg(value_name = "PROTOCOLLO")]
    protocollo: NumeroProtocollo,
    #[command(flatten)]
    dove: DoveConfig,
}

impl Segnatura {
    pub(super) async fn run(self) -> Result<Uscita> {
        let config = self.dove.read()?.registro;
        let told = |chiave: &str, valore: Option<String>| {
            valore.with_context(|| {
                format!("manca registro.{chiave} nella configurazione: la segnatura lo dice")
            })
        };
        let (store, _) = open(&self.dove).await?;
        let Some(iscrizione) = store.iscrizione(&self.protocollo).await? else {
            eprintln!(
                "varco: {}: nessuna registrazione ha questo numero",
                self.protocollo
            );
            return Ok(Uscita::Rifiutato);
        };
        let annullamenti = store.annullamenti(&iscrizione).await?;
        let assegnazioni = store.assegnazioni(&iscrizione).await?;
        store.close().await;
        let propria = assegnazioni.into_iter().rev().find_map(|una| una.classifica);
        let aoo = Aoo {
            codice_amministrazione: told("codice_amministrazione", config.codice_amministrazione)?,
            codice_aoo: told("codice_aoo", config.codice_aoo)?,
            classifica: told("classifica", propria.or(config.classifica))?,
        };
        if annullamenti
            .iter()
            .any(|annullamento| annullamento.campo.is_none())
        {
            eprintln!("varco: {}: ANNULLATA, non ha più segnatura", self.protocollo);
            return Ok(Uscita::Rifiutato);
        }
        let xml = segnatura(&iscrizione, &self.protocollo, &aoo);
        out!("{}", String::from_utf8_lossy(&xml));
        Ok(Uscita::Fatto)
    }
}
