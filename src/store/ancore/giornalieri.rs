//! Daily registers as anchors: the document of a day, kept outside the store, says how far the register had come on it. Read
//! once, when the anchors are opened: of each register and year the newest document that tells a number. The two newest years are
//! enough, as in an anchor.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use jiff::civil::Date;

use super::{Detti, Detto};
use crate::domanda::Ambiente;
use crate::domanda::sha256::{Sha256, hex};
use crate::registro::Estremo;
use crate::sigilli::firma::Pubblica;
use crate::store::StoreError;
use crate::trace::sigillatore::signature_of;

/// Section `registro`, as far as it speaks of the daily registers that are kept outside the store.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct GiornalieriConfig {
    /// Where their documents lie, as `varco register daily --out` writes them; `None` = nowhere that we know of.
    pub cartella: Option<PathBuf>,
    /// The public key by which they are signed; `None` = their imprint is enough.
    pub chiave: Option<PathBuf>,
}

impl GiornalieriConfig {
    /// How far the newest documents of the folder go, each register in its two newest years.
    pub fn told(&self, ambiente: Ambiente) -> Result<Detti, StoreError> {
        let Some(cartella) = &self.cartella else {
            return Ok(Detti::default());
        };
        let mut detti = Detti::default();
        for anni in by_registro(cartella, ambiente)?.values() {
            for giorni in anni.values().rev().take(ANNI) {
                for path in giorni.values().rev() {
                    let letti = self.told_by(path, ambiente)?;
                    detti.join(&letti);
                    if !letti.registri.is_empty() {
                        break;
                    }
                }
            }
        }
        Ok(detti)
    }

    /// How far one document goes. One that is not as it was written is refused: whoever put it there relies on it.
    pub fn told_by(&self, path: &Path, ambiente: Ambiente) -> Result<Detti, StoreError> {
        let documento = fs::read(path).map_err(|errore| unusable(path, errore))?;
        check_imprint(path, &documento)?;
        if let Some(chiave) = &self.chiave {
            check_signature(path, &documento, chiave)?;
        }
        let estremo = Estremo::of(&documento)
            .filter(|estremo| estremo.ambiente == ambiente.as_str())
            .ok_or_else(|| {
                unusable(
                    path,
                    format!("it is no daily register of ambiente {}", ambiente.as_str()),
                )
            })?;
        let detto = |(anno, numero)| ((estremo.registro.clone(), anno), Detto { numero, picco: 0 });
        Ok(Detti {
            registri: estremo.ultimo.map(detto).into_iter().collect(),
            domanda: estremo.domanda,
        })
    }
}

/// Documents by year and day.
type Anni = BTreeMap<i16, BTreeMap<Date, PathBuf>>;

/// The documents of a folder by register, year and day. What is none of this ambiente is passed over.
fn by_registro(cartella: &Path, ambiente: Ambiente) -> Result<BTreeMap<String, Anni>, StoreError> {
    let mut trovati: BTreeMap<String, Anni> = BTreeMap::new();
    for voce in fs::read_dir(cartella).map_err(|errore| unusable(cartella, errore))? {
        let path = voce.map_err(|errore| unusable(cartella, errore))?.path();
        if path.extension().is_none_or(|estensione| estensione != "xml") {
            continue;
        }
        let testa = read_head(&path).map_err(|errore| unusable(&path, errore))?;
        if let Some(estremo) = Estremo::of_head(&testa)
            && estremo.ambiente == ambiente.as_str()
        {
            trovati
                .entry(estremo.registro)
                .or_default()
                .entry(estremo.giorno.year())
                .or_default()
                .insert(estremo.giorno, path);
        }
    }
    Ok(trovati)
}

fn read_head(path: &Path) -> io::Result<Vec<u8>> {
    let mut testa = Vec::with_capacity(TESTA);
    File::open(path)?.take(TESTA as u64).read_to_end(&mut testa)?;
    Ok(testa)
}

/// The imprint beside it, as `sha256sum` writes it.
fn check_imprint(path: &Path, documento: &[u8]) -> Result<(), StoreError> {
    let mut sua = path.as_os_str().to_owned();
    sua.push(".sha256");
    let sua = PathBuf::from(sua);
    let detta = fs::read_to_string(&sua).map_err(|errore| unusable(&sua, errore))?;
    if detta.split_whitespace().next() == Some(&*hex(&Sha256::of(documento))) {
        Ok(())
    } else {
        Err(unusable(path, "it is not the document of its .sha256"))
    }
}

fn check_signature(path: &Path, documento: &[u8], chiave: &Path) -> Result<(), StoreError> {
    let pem = fs::read_to_string(chiave).map_err(|errore| unusable(chiave, errore))?;
    let pubblica = Pubblica::from_pem(&pem).map_err(|errore| unusable(chiave, errore))?;
    let sua = signature_of(path);
    let firma = fs::read(&sua).map_err(|errore| unusable(&sua, errore))?;
    if pubblica.verify(documento, &firma) {
        Ok(())
    } else {
        Err(unusable(
            path,
            "its signature is not of the key in registro.giornalieri_chiave",
        ))
    }
}

fn unusable(path: &Path, causa: impl std::fmt::Display) -> StoreError {
    StoreError::Refused(format!(
        "{}: a daily register cannot be used as an anchor: {causa}",
        path.display()
    ))
}

/// Years of a register whose last numbers are read.
const ANNI: usize = 2;
/// Bytes in which a document says what it is of.
const TESTA: usize = 4096;
