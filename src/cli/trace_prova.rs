//! `varco trace export`, `verify`, `key`: the chain of proof (ADR 21), with a store and without.

use std::fs::{self, File};
use std::io::{BufReader, BufWriter, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use jiff::civil::Date;

use super::{Uscita, read_config};
use crate::sigilli::catena::Anomalia;
use crate::sigilli::firma::{Firma, Pubblica};
use crate::sigilli::giornata::Giornata;
use crate::sigilli::verifica::{Ancora, verifica};
use crate::store::Store;
use crate::store::sigilli::{esamina, esporta};
use crate::trace::sigillatore::{outside, signature_of};

/// Which day, and where to.
#[derive(Debug, clap::Args)]
pub(super) struct Export {
    /// Il giorno, come 2021-07-01 (ora di Roma): quello in cui le righe furono sigillate
    #[arg(long, value_name = "GIORNO")]
    giorno: Date,
    /// File in cui scrivere
    #[arg(short, long, value_name = "FILE")]
    out: PathBuf,
}

/// What to verify.
#[derive(Debug, clap::Args)]
pub(super) struct Verify {
    /// Un file scritto da varco trace export; senza, si verifica l'archivio della configurazione
    #[arg(value_name = "FILE")]
    file: Option<PathBuf>,
    /// La chiusura del giorno, prova-AAAA-MM-GG.json: ciò che è fuori dall'archivio
    #[arg(long, value_name = "FILE", requires = "file")]
    ancora: Option<PathBuf>,
    /// La chiave pubblica con cui verificare la firma delle chiusure (.sig accanto a ciascuna)
    #[arg(long, value_name = "FILE")]
    chiave: Option<PathBuf>,
}

/// Where the key goes.
#[derive(Debug, clap::Args)]
pub(super) struct Key {
    /// File della chiave privata; la pubblica è scritta accanto, in FILE.pub
    #[arg(short, long, value_name = "FILE", default_value = "firma.pem")]
    out: PathBuf,
}

impl Export {
    pub(super) async fn run(&self, store: &dyn Store) -> Result<Uscita> {
        let non_si_scrive = || format!("{}: non si può scrivere", self.out.display());
        let file = fs::OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o600)
            .open(&self.out)
            .with_context(non_si_scrive)?;
        let mut file = BufWriter::new(file);
        let barra = super::progress_bar(0, super::BARRA);
        let esito = esporta(
            store,
            self.giorno,
            &mut |linea| file.write_all(linea.write().as_bytes()),
            &|fatti, tutti| {
                barra.set_length(tutti);
                barra.set_position(fatti);
            },
        )
        .await?;
        barra.finish_and_clear();
        let Some(fine) = esito else {
            drop(file);
            fs::remove_file(&self.out).with_context(non_si_scrive)?;
            eprintln!("varco: {}: nulla è stato sigillato in quel giorno", self.giorno);
            return Ok(Uscita::Rifiutato);
        };
        let fine = fine.with_context(non_si_scrive)?;
        file.flush().with_context(non_si_scrive)?;
        outln!(
            "{}: {} righe in {} blocchi",
            self.giorno,
            fine.righe,
            fine.blocchi
        );
        Ok(Uscita::Fatto)
    }
}

impl Verify {
    pub(super) async fn run(&self, config: &Path) -> Result<Uscita> {
        match &self.file {
            Some(file) => self.offline(file),
            None => self.online(config).await,
        }
    }

    /// Without a store: a file, and perhaps its anchor.
    fn offline(&self, file: &Path) -> Result<Uscita> {
        if self.chiave.is_some() && self.ancora.is_none() {
            bail!("--chiave verifica la firma di un'ancora: indicarla con --ancora");
        }
        let ancora = match &self.ancora {
            Some(path) => Some(Ancora {
                documento: read(path)?,
                firma: self.signature(path)?,
            }),
            None => None,
        };
        let aperto = File::open(file).with_context(|| format!("{}: non si può leggere", file.display()))?;
        let barra = super::progress_bar(aperto.metadata()?.len(), super::BARRA_BYTE);
        let esito = verifica(&mut BufReader::new(aperto), ancora.as_ref(), &|letti| {
            barra.set_position(letti);
        });
        barra.finish_and_clear();
        let esito = match esito.with_context(|| format!("{}: non si può leggere", file.display()))? {
            Err(anomalia) => return Ok(tell(&anomalia)),
            Ok(esito) => esito,
        };
        for chiave in &esito.sostituite_altrove {
            outln!(
                "nota: la traccia {chiave} è stata sostituita da quella della registrazione, sigillata in un altro giorno"
            );
        }
        for scartate in &esito.scartate {
            let dove = match scartate.blocco {
                Some(blocco) => {
                    format!("sigillata nel blocco {blocco}: la prova è nell'esportazione del suo giorno")
                }
                None => "non ancora sigillata".to_owned(),
            };
            outln!(
                "nota: {} righe scartate dalla conservazione, pulizia {}, {dove}",
                scartate.righe,
                scartate.pulizia
            );
        }
        let chiusura = match (esito.chiusura, &ancora) {
            (None, _) => "giorno ancora aperto".to_owned(),
            (Some(sha256), Some(Ancora { firma: Some(_), .. })) => {
                format!("chiusura {sha256}, quella dell'ancora, con la sua firma")
            }
            (Some(sha256), Some(_)) => format!("chiusura {sha256}, quella dell'ancora"),
            (Some(sha256), None) => format!("chiusura {sha256}, da confrontare con l'ancora (--ancora)"),
        };
        outln!(
            "{}: {} righe in {} blocchi, {} come furono sigillate; {chiusura}",
            esito.giorno,
            esito.quanto.righe,
            esito.quanto.blocchi,
            tutte(esito.scartate.is_empty())
        );
        Ok(Uscita::Fatto)
    }

    /// The store, row by row, against its chain and its anchors.
    async fn online(&self, config: &Path) -> Result<Uscita> {
        let config = read_config(config)?;
        let cartella = &config.registro.ancore.cartella;
        let store = super::open_store(&config).await?;
        let (ambiente, archivio) = store.identita().await?;
        let esterne = outside(cartella, ambiente, &archivio)
            .with_context(|| format!("{}: non si può leggere", cartella.display()))?;
        let pubblica = match (&self.chiave, &config.registro.firma) {
            (Some(file), _) => Some(read_pubblica(file)?),
            (None, Some(file)) => Some(read_firma(file)?.pubblica()),
            (None, None) => None,
        };
        if let Some(pubblica) = &pubblica {
            for (giorno, documento) in &esterne.giornate {
                let path = signature_of(&cartella.join(Giornata::nome_file(*giorno)));
                let firmata =
                    fs::read(&path).is_ok_and(|firma| pubblica.verify(documento.as_bytes(), &firma));
                if !firmata {
                    outln!("anomalia: {giorno}: la chiusura fra le ancore non ha la firma di questa chiave");
                    return Ok(Uscita::Rifiutato);
                }
            }
        }
        let barra = super::progress_bar(0, super::BARRA);
        let esito = esamina(store.as_ref(), &esterne, &|visti, tutti| {
            barra.set_length(tutti);
            barra.set_position(visti);
        })
        .await?;
        barra.finish_and_clear();
        store.close().await;
        let esaminata = match esito {
            Err(anomalia) => return Ok(tell(&anomalia)),
            Ok(esaminata) => esaminata,
        };
        outln!(
            "{} righe in {} blocchi, {} come furono sigillate; {} giorni chiusi, {} chiusure fra le ancore{}",
            esaminata.righe,
            esaminata.blocchi,
            tutte(esaminata.scartate.is_empty()),
            esaminata.giorni,
            esterne.giornate.len(),
            if pubblica.is_some() { ", firmate" } else { "" }
        );
        for (regola, righe) in &esaminata.scartate {
            outln!("{righe} scartate dalla conservazione, regola {regola}");
        }
        if esaminata.pulizie_in_attesa > 0 {
            outln!(
                "non ancora sigillate {} pulizie concluse: ciò che scartarono non è provato",
                esaminata.pulizie_in_attesa
            );
        }
        if let Some(dal) = esaminata.in_attesa {
            outln!("non ancora sigillate le tracce dal {dal:.3}");
        }
        Ok(Uscita::Fatto)
    }

    fn signature(&self, ancora: &Path) -> Result<Option<(Vec<u8>, Pubblica)>> {
        let Some(file) = &self.chiave else {
            return Ok(None);
        };
        Ok(Some((read_bytes(&signature_of(ancora))?, read_pubblica(file)?)))
    }
}

impl Key {
    pub(super) fn run(&self) -> Result<Uscita> {
        let pubblica = make_key(&self.out)?;
        outln!(
            "chiave privata: {}\nchiave pubblica: {}",
            self.out.display(),
            public_of(&self.out).display()
        );
        out!("{}", pubblica.to_pem());
        Ok(Uscita::Fatto)
    }
}

/// Makes a key: the private one in this file, the public one beside it. A key that signed something is never written over.
pub(super) fn make_key(file: &Path) -> Result<Pubblica> {
    let privata = Firma::generate()?;
    let pubblica = Firma::from_pem(&privata)?.pubblica();
    fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(file)
        .and_then(|mut aperto| aperto.write_all(privata.as_bytes()))
        .with_context(|| format!("{}: non si può scrivere, o c'è già", file.display()))?;
    let accanto = public_of(file);
    fs::write(&accanto, pubblica.to_pem())
        .with_context(|| format!("{}: non si può scrivere", accanto.display()))?;
    Ok(pubblica)
}

fn public_of(file: &Path) -> PathBuf {
    let mut accanto = file.as_os_str().to_owned();
    accanto.push(".pub");
    accanto.into()
}

fn tutte(nessuna_scartata: bool) -> &'static str {
    if nessuna_scartata {
        "tutte"
    } else {
        "quelle che ci sono"
    }
}

fn tell(anomalia: &Anomalia) -> Uscita {
    outln!("anomalia: {anomalia}");
    Uscita::Rifiutato
}

/// The private key of a file.
pub(super) fn read_firma(file: &Path) -> Result<Firma> {
    Firma::from_pem(&read(file)?).with_context(|| file.display().to_string())
}

/// The public key of a file.
pub(super) fn read_pubblica(file: &Path) -> Result<Pubblica> {
    Pubblica::from_pem(&read(file)?).with_context(|| file.display().to_string())
}

/// A file that is text.
pub(super) fn read(file: &Path) -> Result<String> {
    fs::read_to_string(file).with_context(|| format!("{}: non si può leggere", file.display()))
}

/// A file.
pub(super) fn read_bytes(file: &Path) -> Result<Vec<u8>> {
    fs::read(file).with_context(|| format!("{}: non si può leggere", file.display()))
}
