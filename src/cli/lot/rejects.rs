//! `varco lot rejects`: what was refused, cut out of the sender's own file by its places: the items' bytes as they were, in a
//! lot in which every prefix means what it meant.

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::PathBuf;

use anyhow::{Context as _, Result, bail};
use uuid::Uuid;

use super::Foglio;
use super::dialogo::{Chi, ended};
use super::file::{Cesoia, Origine, Passo};
use super::outcome::SOLO_RIFIUTATE;
use super::spoglio::{Spoglio, Voce};
use crate::cli::Uscita;
use crate::cli::send::busta::{Operatore, Sguardo};
use crate::cli::send::risposta::{Errore, Esito};
use crate::domanda::Posizione;

/// Bytes of one item, whatever the gateway's own bound.
pub(super) const ELEMENTO_BYTES_MAX: usize = 64 * 1024 * 1024;

/// Which lot, out of which file.
#[derive(Debug, clap::Args)]
pub(super) struct Rejects {
    /// Identificativo del lotto, come nella risposta di InviaLotto
    #[arg(value_name = "ID")]
    id: Uuid,
    /// Il file che è stato inviato, com'era
    #[arg(long, value_name = "LOTTO")]
    file: PathBuf,
    /// File in cui scrivere il lotto degli scarti
    #[arg(short = 'o', value_name = "SCARTI")]
    output: PathBuf,
    #[command(flatten)]
    chi: Chi,
}

impl Rejects {
    pub(super) fn run(self) -> Result<Uscita> {
        let origine = Origine::of(&self.file)?;
        let mut cesoia = match Cesoia::open(&origine, self.chi.servizio, ELEMENTO_BYTES_MAX)? {
            Ok(cesoia) => cesoia,
            Err(violazione) => return Ok(ended(&Esito::refused(&[*violazione]))),
        };
        let mut passo = cesoia.prossimo()?;
        let mut operatore = Operatore::default();
        if let Passo::Elemento(_, elemento) = &passo
            && let Ok(sguardo) = Sguardo::over(&cesoia.involucro.around(cesoia.slice(elemento)))
        {
            (operatore.user_id, operatore.ufficio) = (sguardo.operatore, sguardo.ufficio);
        }
        let dialogo = self.chi.open(Some(cesoia.prestazione), operatore)?;
        let corpo = match dialogo.esito(self.id, SOLO_RIFIUTATE)? {
            Ok(corpo) => corpo,
            Err(esito) => return Ok(ended(&esito)),
        };
        let mut spoglio = Spoglio::open(corpo)?;
        let quadro = spoglio.quadro.clone();

        // The lot of one begins and ends as the lot of many.
        let apre = cesoia.involucro.dopo().offset();
        let vuoto = cesoia.involucro.around(b"");
        let mut foglio = Foglio::create(Some(&self.output))?;
        foglio.write_all(b"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n")?;
        foglio.write_all(&vuoto[..apre])?;
        foglio.write_all(b"\n")?;
        let (mut rifiutate, mut non_lette) = (0_u64, 0_u64);
        let mut attesa = next_refused(&mut spoglio)?;
        let guasto = loop {
            let (posto, elemento) = match &passo {
                Passo::Elemento(posto, elemento) => (*posto, elemento),
                Passo::Fine => break None,
                Passo::Guasto(violazione) => break Some(violazione.clone()),
            };
            let commento = match &attesa {
                Some(voce) if voce.posto == posto => {
                    same_place(voce, elemento.luogo, &origine)?;
                    rifiutate += 1;
                    Some(reasons(voce))
                }
                _ if posto > quadro.lavorati => {
                    non_lette += 1;
                    Some(format!("posto {posto}, riga {}: NON LETTA", elemento.luogo.riga))
                }
                _ => None,
            };
            if let Some(commento) = commento {
                writeln!(foglio, "<!-- {} -->", comment(&commento))?;
                foglio.write_all(cesoia.slice(elemento))?;
                foglio.write_all(b"\n")?;
                if posto <= quadro.lavorati {
                    attesa = next_refused(&mut spoglio)?;
                }
            }
            passo = cesoia.prossimo()?;
        };
        if let Some(voce) = attesa {
            bail!(
                "{} non è il file del lotto {}: non ha la domanda al posto {}",
                origine.nome(),
                self.id,
                voce.posto
            );
        }
        let scritte = rifiutate + non_lette;
        if scritte > 0 {
            foglio.write_all(&vuoto[apre..])?;
            foglio.write_all(b"\n")?;
            foglio.finish()?;
            outln!(
                "{rifiutate} rifiutate e {non_lette} non lette in {}",
                self.output.display()
            );
        } else if guasto.is_none() {
            outln!("nessuna domanda rifiutata: niente da scrivere");
        }
        Ok(match guasto {
            None => Uscita::Fatto,
            Some(violazione) => {
                eprintln!(
                    "varco: {}: da qui in poi il file non si può leggere, e ciò che segue non è negli scarti:",
                    origine.nome()
                );
                eprintln!("{}", Errore::from(&*violazione));
                Uscita::Rifiutato
            }
        })
    }
}

fn next_refused<R: std::io::Read>(spoglio: &mut Spoglio<R>) -> Result<Option<Voce>> {
    spoglio
        .prossima()
        .context("gli esiti del lotto non arrivano per intero")
}

/// The gateway saw the item where the file has it; on the first line of a lot in the body an envelope may stand before it.
fn same_place(voce: &Voce, luogo: Posizione, origine: &Origine) -> Result<()> {
    if voce.riga == luogo.riga && (voce.colonna == luogo.colonna || voce.riga == 1) {
        return Ok(());
    }
    bail!(
        "{} non è il file inviato: al posto {} il varco ha letto una domanda a {}:{}, nel file è a {}:{}",
        origine.nome(),
        voce.posto,
        voce.riga,
        voce.colonna,
        luogo.riga,
        luogo.colonna
    )
}

fn reasons(voce: &Voce) -> String {
    let mut testo = format!("posto {}, riga {}:", voce.posto, voce.riga);
    for errore in &voce.errori {
        let _ = write!(testo, "\n  {errore}");
    }
    testo
}

/// A text as a comment can hold it.
fn comment(testo: &str) -> String {
    let mut fuori = String::with_capacity(testo.len());
    for c in testo.chars() {
        if c == '-' && fuori.ends_with('-') {
            fuori.push(' ');
        }
        fuori.push(c);
    }
    fuori
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_text_ends_a_comment() {
        assert_eq!(comment("a--b---c-"), "a- -b- - -c-");
    }
}
