//! `varco lot outcome`: what became of each item, written while it comes.

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::PathBuf;

use anyhow::{Context as _, Result};
use serde_json::json;
use uuid::Uuid;

use super::Foglio;
use super::dialogo::{Chi, ended};
use super::spoglio::{Spoglio, Voce};
use crate::cli::validate::errori_json;
use crate::cli::{Uscita, say};

/// Which lot, in which form.
#[derive(Debug, clap::Args)]
pub(super) struct Outcome {
    /// Identificativo del lotto, come nella risposta di InviaLotto
    #[arg(value_name = "ID")]
    id: Uuid,
    /// Soltanto le domande rifiutate
    #[arg(long)]
    solo_rifiutate: bool,
    /// CSV con il punto e virgola, una riga per domanda, come lo dà EsitoLotto
    #[arg(long, conflicts_with = "json")]
    csv: bool,
    /// JSON: un oggetto per riga, uno per domanda
    #[arg(long)]
    json: bool,
    /// File in cui scrivere (predefinito: lo standard output)
    #[arg(short = 'o', value_name = "FILE")]
    output: Option<PathBuf>,
    #[command(flatten)]
    chi: Chi,
}

/// Only what was refused.
pub(super) const SOLO_RIFIUTATE: &str = "<coop:Solo>RIFIUTATA</coop:Solo>";

impl Outcome {
    pub(super) fn run(self) -> Result<Uscita> {
        let dialogo = match self.chi.find(self.id)? {
            Ok((dialogo, _)) => dialogo,
            Err(esito) => return Ok(ended(&esito)),
        };
        let mut dentro = String::new();
        if self.solo_rifiutate {
            dentro.push_str(SOLO_RIFIUTATE);
        }
        if self.csv {
            dentro.push_str("<coop:Formato>CSV</coop:Formato>");
        }
        let corpo = match dialogo.esito(self.id, &dentro)? {
            Ok(corpo) => corpo,
            Err(esito) => return Ok(ended(&esito)),
        };
        let mut spoglio = Spoglio::open(corpo)?;
        let quadro = spoglio.quadro.clone();
        let mut foglio = Foglio::create(self.output.as_deref())?;
        let cannot = "impossibile scrivere gli esiti";
        if self.csv {
            spoglio.copy_csv(&mut foglio)?;
        } else {
            while let Some(voce) = spoglio.prossima()? {
                let riga = if self.json { as_json(&voce) } else { as_text(&voce) };
                foglio.write_all(riga.as_bytes()).context(cannot)?;
            }
        }
        foglio.finish()?;
        eprint!("{quadro}");
        if let Some(file) = &self.output {
            say(&format!("esiti in {}\n", file.display()));
        }
        Ok(quadro.uscita())
    }
}

fn as_text(voce: &Voce) -> String {
    let chiave = if voce.chiave.is_empty() {
        "—"
    } else {
        &voce.chiave
    };
    let mut testo = format!(
        "{}\t{}:{}\t{chiave}\t{}",
        voce.posto, voce.riga, voce.colonna, voce.esito
    );
    if !voce.protocollo.is_empty() {
        testo.push('\t');
        testo.push_str(&voce.protocollo);
    }
    if voce.ripetizione {
        testo.push_str("\tRipetizione=true");
    }
    testo.push('\n');
    for errore in &voce.errori {
        let _ = writeln!(testo, "  {errore}");
    }
    testo
}

fn as_json(voce: &Voce) -> String {
    let detto = |testo: &str| (!testo.is_empty()).then(|| testo.to_owned());
    let oggetto = json!({
        "posto": voce.posto,
        "riga": voce.riga,
        "colonna": voce.colonna,
        "chiave": detto(&voce.chiave),
        "esito": voce.esito,
        "protocollo": detto(&voce.protocollo),
        "numero_domanda": detto(&voce.numero_domanda),
        "registrata_il": detto(&voce.registrata_il),
        "ripetizione": voce.ripetizione,
        "errori": errori_json(&voce.errori),
    });
    format!("{oggetto}\n")
}
