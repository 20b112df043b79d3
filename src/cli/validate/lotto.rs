//! A lot file, item by item: each is judged as a single request is, and told at its lines in the file.

use std::path::Path;

use anyhow::{Context as _, Result};

use super::{Giudice, Verdetto, as_json, findings};
use crate::cli::lot::file::{Cesoia, Origine, Passo};
use crate::cli::send::risposta::Errore;
use crate::domanda::Violazione;
use crate::intake::lotto::LottiConfig;
use crate::intake::lotto::esame::{placed, straniero};
use crate::intake::lotto::taglio::Elemento;
use crate::prestazione::Operazione;
use crate::xml::Limits;

/// A reader of items.
type Lotto = Cesoia<Box<dyn std::io::Read>>;

/// The lot that a file is; `None` when it is something else.
pub(super) fn open(file: &Path) -> Result<Option<Lotto>> {
    let massimo = LottiConfig::default().elemento_bytes_max;
    let aperta = Cesoia::open(&Origine::of(file)?, None, massimo)?;
    Ok(aperta.ok().filter(|cesoia| !cesoia.in_message()))
}

/// Judges every item and prints what was found, as it is found; whether anything refuses.
pub(super) fn run(giudice: &Giudice<'_>, file: &Path, mut cesoia: Lotto, json: bool) -> Result<bool> {
    let mut rifiutate = 0_u64;
    let mut tutto = Verdetto::default();
    let guasto = loop {
        match cesoia
            .prossimo()
            .with_context(|| format!("impossibile leggere {}", file.display()))?
        {
            Passo::Elemento(posto, elemento) => {
                let mut verdetto = judge(giudice, &cesoia, posto, &elemento)?;
                rifiutate += u64::from(!verdetto.errori.is_empty());
                if json {
                    tutto.errori.append(&mut verdetto.errori);
                    tutto.avvisi.append(&mut verdetto.avvisi);
                } else {
                    out!("{}", findings(file, &verdetto));
                }
            }
            Passo::Fine => break None,
            Passo::Guasto(violazione) => break Some(Errore::from(&*violazione)),
        }
    };
    let rifiutato = rifiutate > 0 || guasto.is_some();
    if json {
        tutto.errori.extend(guasto);
        outln!("{}", as_json(file, &tutto));
    } else {
        let interrotto = if guasto.is_some() { ", poi INTERROTTO" } else { "" };
        tutto.errori.extend(guasto);
        out!("{}", findings(file, &tutto));
        outln!(
            "{}: lotto di {} domande, {rifiutate} rifiutate{interrotto}",
            file.display(),
            cesoia.posto
        );
    }
    Ok(rifiutato)
}

fn judge(giudice: &Giudice<'_>, cesoia: &Lotto, posto: u64, elemento: &Elemento) -> Result<Verdetto> {
    let (prestazione, involucro) = (cesoia.prestazione, &cesoia.involucro);
    let told = |violazioni: Vec<Violazione>| -> Vec<Errore> {
        let spostamento = involucro.shift(elemento.luogo);
        placed(prestazione, posto, elemento.luogo, spostamento, violazioni)
            .iter()
            .map(Errore::from)
            .collect()
    };
    if let Some(trovato) = &elemento.straniero {
        return Ok(Verdetto {
            errori: told(vec![straniero(prestazione, trovato)]),
            avvisi: Vec::new(),
        });
    }
    let bytes = involucro.around(cesoia.slice(elemento));
    let richiesta = (prestazione, Operazione::InviaDomanda);
    let (violazioni, avvisi) =
        match giudice
            .schema
            .read_element(richiesta, involucro.dopo(), &bytes, &Limits::default())
        {
            Ok(lettura) => giudice.weigh(&lettura, &bytes),
            // A finding is the file's; an error without one is this program's.
            Err(errore) => match errore.violazione() {
                Some(violazione) => (vec![violazione], Vec::new()),
                None => {
                    return Err(errore).context("gli schemi compilati in questo programma non si caricano");
                }
            },
        };
    Ok(Verdetto {
        errori: told(violazioni),
        avvisi: told(avvisi),
    })
}
