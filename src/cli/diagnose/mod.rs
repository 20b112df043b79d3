//! `varco diagnose`: one file to hand to whoever is asked for help. What cannot be gathered is told in it, and keeps nothing else
//! from being gathered; every byte goes through one gate ([`velo::veil`]) that lets no person by.

mod parti;
mod sistema;
mod velo;

use std::fmt::Write as _;
use std::fs::File;
use std::io::BufWriter;
use std::path::PathBuf;

use anyhow::Result;
use jiff::Timestamp;

use super::a_meta::AMeta;
use super::zip::Zip;
use super::{DoveConfig, Uscita};
use crate::clock::{Clock as _, WallClock};

/// Where the diagnosis goes.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// File ZIP da scrivere, che non deve esserci (predefinito: varco-diagnosi-ISTANTE.zip nella cartella corrente)
    #[arg(value_name = "FILE")]
    file: Option<PathBuf>,
    #[command(flatten)]
    dove: DoveConfig,
}

/// The file while it is filled.
struct Raccolta {
    zip: Zip<BufWriter<File>>,
    indice: String,
    raccolte: usize,
    mancate: usize,
}

impl Args {
    /// Gathers, and tells how far it has come.
    pub async fn run(self) -> Result<Uscita> {
        let adesso = WallClock::default().wall();
        let file = self.file.unwrap_or_else(|| name_at(adesso).into());
        let (a_meta, aperto) = AMeta::create(&file)?;
        let mut raccolta = Raccolta::new(aperto, adesso);
        parti::gather(&mut raccolta, &self.dove, adesso).await?;
        match raccolta.finish(a_meta)? {
            (raccolte, 0) => outln!("{}: {raccolte} parti", file.display()),
            (raccolte, mancate) => outln!(
                "{}: {raccolte} parti; {mancate} non raccolte, il perché è in {INDICE}",
                file.display()
            ),
        }
        Ok(Uscita::Fatto)
    }
}

impl Raccolta {
    fn new(file: BufWriter<File>, adesso: Timestamp) -> Self {
        Self {
            zip: Zip::new(file, adesso),
            indice: format!(
                "Diagnosi di varco {}, {adesso}. Senza dati personali: niente messaggi, tracce, operatori, indirizzi.\n\n",
                env!("CARGO_PKG_VERSION")
            ),
            raccolte: 0,
            mancate: 0,
        }
    }

    /// Takes a part in, or why it is missing.
    fn keep(&mut self, nome: &str, che: &str, parte: Result<String>) -> Result<()> {
        let esito = match &parte {
            Ok(_) => "raccolto".to_owned(),
            Err(errore) => format!("NON RACCOLTO: {}", velo::veil(&format!("{errore:#}"))),
        };
        outln!("{nome:<20} {esito}");
        // Writing to a String cannot fail.
        let _ = writeln!(self.indice, "{nome:<20} {che}: {esito}");
        match parte {
            Ok(testo) => {
                self.raccolte += 1;
                self.zip.add(nome, velo::veil(&testo).as_bytes())?;
            }
            Err(_) => self.mancate += 1,
        }
        Ok(())
    }

    /// Closes the file and gives it its name: how many parts it has, and lacks.
    fn finish(mut self, a_meta: AMeta) -> Result<(usize, usize)> {
        self.zip.add(INDICE, self.indice.as_bytes())?;
        a_meta.finish(self.zip.finish()?)?;
        Ok((self.raccolte, self.mancate))
    }
}

fn name_at(adesso: Timestamp) -> String {
    format!("varco-diagnosi-{}.zip", adesso.strftime("%Y%m%dT%H%M%SZ"))
}

/// What is in the file, and what is not.
const INDICE: &str = "LEGGIMI.txt";
