//! `varco register proof`: the proof that one registration stands in the chain, and its check, without the store.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context as _, Result, bail};

use super::open;
use crate::cli::trace_prova::{read, read_bytes, read_pubblica};
use crate::cli::{DoveConfig, Uscita};
use crate::protocollo::NumeroProtocollo;
use crate::sigilli::giornata::Giornata;
use crate::sigilli::inclusione::Inclusione;
use crate::store::sigilli::{Provata, prova_di};
use crate::trace::sigillatore::signature_of;

/// Which registration, or which proof.
#[derive(Debug, clap::Args)]
pub(super) struct Proof {
    /// Numero di protocollo di cui scrivere la prova
    #[arg(value_name = "NUMERO", required_unless_present = "verify")]
    numero: Option<NumeroProtocollo>,
    /// File in cui scriverla (predefinito: sullo standard output)
    #[arg(short, long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Verifica una prova, senza archivio: serve l'ancora del suo giorno
    #[arg(long, value_name = "FILE", conflicts_with = "numero", requires = "ancora")]
    verify: Option<PathBuf>,
    /// La chiusura del giorno: prova-AAAA-MM-GG.json
    #[arg(long, value_name = "FILE")]
    ancora: Option<PathBuf>,
    /// La chiave pubblica con cui verificare la firma dell'ancora (.sig accanto ad essa)
    #[arg(long, value_name = "FILE")]
    chiave: Option<PathBuf>,
    /// La ricevuta, byte per byte: che sia quella di questa registrazione
    #[arg(long, value_name = "FILE")]
    ricevuta: Option<PathBuf>,
    #[command(flatten)]
    dove: DoveConfig,
}

impl Proof {
    pub(super) async fn run(self) -> Result<Uscita> {
        match (&self.verify, &self.numero) {
            (Some(file), _) => self.verify(&read(file)?),
            (None, Some(numero)) => self.prove(numero).await,
            (None, None) => bail!("indicare un numero di protocollo"),
        }
    }

    async fn prove(&self, numero: &NumeroProtocollo) -> Result<Uscita> {
        let (store, _) = open(&self.dove).await?;
        let provata = prova_di(&*store, numero).await;
        store.close().await;
        let prova = match provata? {
            Provata::Prova(prova) => prova,
            Provata::NonSigillata => {
                eprintln!("varco: {numero}: non è nella catena; una registrazione vi entra in pochi secondi");
                return Ok(Uscita::Rifiutato);
            }
            Provata::GiornoAperto(giorno) => {
                eprintln!(
                    "varco: {numero}: la prova si può scrivere quando il {giorno} sarà chiuso, dopo mezzanotte"
                );
                return Ok(Uscita::Riprovare);
            }
        };
        match &self.out {
            Some(file) => {
                fs::write(file, prova.documento())
                    .with_context(|| format!("{}: non si può scrivere", file.display()))?;
                outln!(
                    "{numero}: sta nel blocco {} del {}; si verifica con {}",
                    prova.blocco.numero,
                    prova.blocco.giorno,
                    Giornata::nome_file(prova.blocco.giorno)
                );
            }
            None => out!("{}", prova.documento()),
        }
        Ok(Uscita::Fatto)
    }

    fn verify(&self, prova: &str) -> Result<Uscita> {
        let Some(ancora) = &self.ancora else {
            bail!("serve l'ancora del giorno: --ancora prova-AAAA-MM-GG.json");
        };
        let documento = read(ancora)?;
        if let Some(chiave) = &self.chiave
            && !read_pubblica(chiave)?.verify(documento.as_bytes(), &read_bytes(&signature_of(ancora))?)
        {
            outln!("la firma dell'ancora non è di questa chiave, o l'ancora è alterata");
            return Ok(Uscita::Rifiutato);
        }
        let Some(giornata) = Giornata::read(&documento) else {
            outln!(
                "{}: non è la chiusura di un giorno, o è alterata",
                ancora.display()
            );
            return Ok(Uscita::Rifiutato);
        };
        let ricevuta = match &self.ricevuta {
            Some(file) => Some(read_bytes(file)?),
            None => None,
        };
        let esito = Inclusione::read(prova).and_then(|prova| {
            prova.verify(&giornata, ricevuta.as_deref())?;
            Ok(prova)
        });
        match esito {
            Ok(prova) => {
                outln!(
                    "{}: registrata come la prova dice, nel blocco {} del {}{}",
                    prova.protocollo,
                    prova.blocco.numero,
                    giornata.giorno,
                    if ricevuta.is_some() {
                        "; la ricevuta è la sua"
                    } else {
                        ""
                    }
                );
                Ok(Uscita::Fatto)
            }
            Err(non_prova) => {
                outln!("{non_prova}");
                Ok(Uscita::Rifiutato)
            }
        }
    }
}
