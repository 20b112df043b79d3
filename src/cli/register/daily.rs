//! `varco register daily`: closes a day and hands out its register.

use std::fs::OpenOptions;
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use jiff::civil::Date;

use super::open;
use crate::cli::trace_prova::read_firma;
use crate::cli::{DoveConfig, Uscita};
use crate::domanda::sha256::hex;
use crate::registro::Giornaliero;
use crate::sigilli::firma::Firma;
use crate::store::giornaliero::{GiornoNegato, giornaliero};
use crate::trace::sigillatore::signature_of;

/// Which day.
#[derive(Debug, clap::Args)]
pub(super) struct Daily {
    /// Il giorno, come 2021-07-01: da mezzanotte a mezzanotte, ora di Roma
    #[arg(value_name = "GIORNO")]
    giorno: Date,
    /// Scrive il documento in questo file, e accanto FILE.sha256 (predefinito: sullo standard output)
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Firma il documento con questa chiave privata Ed25519 (PEM, come la scrive varco trace key): FILE.sig
    #[arg(long, value_name = "CHIAVE", requires = "out")]
    firma: Option<PathBuf>,
    /// Quale registro (predefinito: AUF)
    #[arg(long, value_name = "REGISTRO", default_value = "AUF")]
    registro: String,
    #[command(flatten)]
    dove: DoveConfig,
}

impl Daily {
    pub(super) async fn run(self) -> Result<Uscita> {
        let firma = self.firma.as_deref().map(read_firma).transpose()?;
        let (store, adesso) = open(&self.dove).await?;
        let esito = giornaliero(&*store, &self.registro, self.giorno, adesso).await;
        store.close().await;
        let composto = match esito {
            Ok(composto) => composto,
            Err(GiornoNegato::Store(errore)) => return Err(errore.into()),
            Err(negato) => {
                eprintln!("varco: {negato}");
                return Ok(Uscita::Rifiutato);
            }
        };
        match &self.out {
            Some(file) => {
                write_beside(file, &composto, firma.as_ref())?;
                outln!(
                    "{} {}: {} registrazioni, SHA-256 {}",
                    composto.registro,
                    composto.giorno,
                    Giornaliero::righe(&composto.documento).count(),
                    hex(&composto.sha256)
                );
            }
            None => out!("{}", String::from_utf8_lossy(&composto.documento)),
        }
        Ok(Uscita::Fatto)
    }
}

/// The document, its imprint as `sha256sum -c` reads it, and its signature.
fn write_beside(file: &Path, composto: &Giornaliero, firma: Option<&Firma>) -> Result<()> {
    write_private(file, &composto.documento)?;
    let nome = file.file_name().unwrap_or_default().to_string_lossy();
    let mut impronta = file.as_os_str().to_owned();
    impronta.push(".sha256");
    write_private(
        Path::new(&impronta),
        format!("{}  {nome}\n", hex(&composto.sha256)).as_bytes(),
    )?;
    match firma {
        Some(firma) => write_private(&signature_of(file), &firma.sign(&composto.documento)),
        None => Ok(()),
    }
}

/// A register names people: nobody else on the machine reads the file.
fn write_private(file: &Path, bytes: &[u8]) -> Result<()> {
    OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(file)
        .and_then(|mut aperto| aperto.write_all(bytes))
        .with_context(|| format!("{}: non si può scrivere", file.display()))
}
