//! `varco trace egov`: what was exchanged with portas, as the authority asks for it: one XML document of `Tracciamento`
//! records, each with the Intestazione byte by byte as it was on the wire. It is read and written a page at a time.

use std::io::Write as _;
use std::path::PathBuf;

use anyhow::{Context as _, Result};
use jiff::Timestamp;

use super::lot::Foglio;
use crate::egov::{Diagnostico, Severita, TipoMessaggio, Traccia, esportazione};
use crate::store::Store;
use crate::store::egov::{RicercaScambi, ScambioDi};

/// Which records.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Il nome SPCoop del Mittente delle richieste
    #[arg(long, value_name = "NOME")]
    parte: Option<String>,
    /// Identificatore della richiesta o della risposta: si scrivono tutte e due
    #[arg(long, value_name = "IDENTIFICATORE")]
    id: Option<String>,
    /// Solo le risposte che hanno questo RiferimentoMessaggio
    #[arg(long, value_name = "IDENTIFICATORE", conflicts_with = "id")]
    riferimento: Option<String>,
    /// Da questo istante in poi: 2021-07-15 (ora di Roma) o 2021-07-15T10:00:00Z
    #[arg(long, value_name = "ISTANTE", value_parser = super::trace::istante)]
    dal: Option<Timestamp>,
    /// Prima di questo istante
    #[arg(long, value_name = "ISTANTE", value_parser = super::trace::istante)]
    al: Option<Timestamp>,
    /// File in cui scrivere (predefinito: lo standard output)
    #[arg(short = 'o', value_name = "FILE")]
    output: Option<PathBuf>,
}

/// Exchanges of one page.
const PAGINA: u32 = 500;

impl Args {
    /// Writes the document.
    pub(super) async fn run(&self, store: &dyn Store) -> Result<()> {
        let mut foglio = Foglio::create(self.output.as_deref())?;
        let mut ricerca = RicercaScambi {
            dal: self.dal,
            al: self.al,
            controparte: self.parte.clone(),
            identificatore: self.id.clone(),
            riferimento: self.riferimento.clone(),
            dopo: None,
            limite: PAGINA,
        };
        let (mut tracce, mut diagnostici) = (0_u64, 0_u64);
        foglio.write_all(esportazione::INIZIO.as_bytes())?;
        loop {
            let pagina = store.scambi(&ricerca).await?;
            let Some(ultimo) = pagina.last() else { break };
            ricerca.dopo = Some((ultimo.istante, ultimo.message_id));
            for uno in &pagina {
                for record in self.records(uno) {
                    foglio.write_all(&record)?;
                    foglio.write_all(esportazione::SEPARATORE.as_bytes())?;
                    tracce += 1;
                }
                if let Some(diagnostico) = diagnostic(uno) {
                    foglio.write_all(&diagnostico)?;
                    foglio.write_all(esportazione::SEPARATORE.as_bytes())?;
                    diagnostici += 1;
                }
            }
        }
        foglio.write_all(esportazione::FINE.as_bytes())?;
        foglio.finish().context("impossibile scrivere le tracce")?;
        if let Some(file) = &self.output {
            outln!(
                "{tracce} tracce e {diagnostici} diagnostici in {}",
                file.display()
            );
        }
        Ok(())
    }

    /// The records of an exchange: what came, what went back.
    fn records(&self, uno: &ScambioDi) -> Vec<Vec<u8>> {
        let scambio = &uno.scambio;
        let richiesta = scambio.richiesta.as_ref().filter(|_| self.riferimento.is_none());
        let richiesta = richiesta.map(|intestazione| Traccia {
            gdo: uno.istante,
            porta: &scambio.porta,
            tipo: TipoMessaggio::Richiesta,
            intestazione,
            legami: &scambio.legami,
        });
        let risposta = scambio.risposta.as_ref().map(|inviata| Traccia {
            gdo: inviata.istante,
            porta: &scambio.porta,
            tipo: TipoMessaggio::Risposta,
            intestazione: &inviata.intestazione,
            legami: "",
        });
        richiesta.iter().chain(&risposta).map(Traccia::write).collect()
    }
}

/// What is told of a message without Intestazione.
fn diagnostic(uno: &ScambioDi) -> Option<Vec<u8>> {
    let diagnostico = uno.scambio.diagnostico.as_ref()?;
    let severita = Severita::parse(&diagnostico.livello.to_string()).unwrap_or(Severita::ErroreProtocollo);
    let diagnostico = Diagnostico {
        ora: uno.istante,
        porta: &uno.scambio.porta,
        funzione: "RicezioneBusta",
        severita,
        testo: &diagnostico.testo,
    };
    Some(diagnostico.write())
}
