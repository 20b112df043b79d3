//! `varco send`: a real client over mutual TLS, for one file or for a folder of them. It promises that repeating it is
//! safe: keys come from the files, so what was registered before answers with its number and nothing is registered
//! twice. Every file of a folder has its outcome in `esiti.csv`, whatever happens to the others.

pub mod busta;
pub mod cliente;
pub mod esiti;
mod porta;
pub mod risposta;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;

use super::porta::{Nomi, Porta};
use super::{Uscita, sample};
use crate::clock::{Clock as _, WallClock};
use crate::prestazione::Prestazione;
use anyhow::{Context as _, Result};
use busta::{Busta, BustaErrata, BustaPerPorta, Operatore};
use cliente::{Cliente, Credenziali, Mancato};
use esiti::Esiti;
use risposta::{Errore, Esito};

/// What to send, where to, and as whom.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Un file XML, o una cartella: tutti i suoi *.xml in ordine di nome
    #[arg(value_name = "PERCORSO")]
    percorso: PathBuf,
    #[command(flatten)]
    dove: Dove,
    /// Servizio, se il file non lo dice (predefinito: AssegnoTemporaneo)
    #[arg(long, value_name = "NOME", value_parser = sample::servizio)]
    servizio: Option<&'static Prestazione>,
    /// Invia per SPCoop: ogni elemento in una busta e-Gov, a POST /PD; un file che è già una busta e-Gov parte com'è
    #[arg(long, conflicts_with_all = ["user_id", "ufficio"])]
    pdd: bool,
    #[command(flatten)]
    nomi: Nomi,
    /// UserId dell'intestazione Identity, per i file senza busta (predefinito: l'Operatore della Domanda)
    #[arg(long, value_name = "TESTO")]
    user_id: Option<String>,
    /// CodiceUfficio dell'intestazione Identity, per i file senza busta (predefinito: l'Ufficio della Domanda)
    #[arg(long, value_name = "CODICE")]
    ufficio: Option<String>,
    /// Connessioni contemporanee per una cartella (predefinito: 4)
    #[arg(long, value_name = "N", default_value_t = 4, value_parser = clap::value_parser!(u16).range(1..=256))]
    jobs: u16,
    /// Tentativi per messaggio se il varco non risponde o chiede di riprovare (predefinito: 5)
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=100))]
    tentativi: u32,
    /// Dove scrivere gli esiti di una cartella (predefinito: esiti.csv nella cartella)
    #[arg(long, value_name = "FILE")]
    esiti: Option<PathBuf>,
}

/// Which gateway, with which certificate.
#[derive(Debug, clap::Args)]
pub struct Dove {
    /// Configurazione del varco sulla stessa macchina: indirizzo, e certificati della cartella certs accanto
    #[arg(long, value_name = "FILE", required_unless_present = "url")]
    pub config: Option<PathBuf>,
    /// Indirizzo del varco
    #[arg(long, value_name = "https://NOME:PORTA")]
    pub url: Option<String>,
    /// Certificato del patronato, PEM (predefinito: certs/pat01.pem accanto alla configurazione)
    #[arg(long, value_name = "FILE")]
    pub cert: Option<PathBuf>,
    /// Chiave privata del certificato, PEM (predefinito: il file .key con lo stesso nome del certificato)
    #[arg(long, value_name = "FILE")]
    pub key: Option<PathBuf>,
    /// CA del certificato del varco, PEM (predefinito: certs/ca.pem accanto alla configurazione)
    #[arg(long, value_name = "FILE")]
    pub ca: Option<PathBuf>,
}

impl Dove {
    pub(in crate::cli) fn client(&self, connessioni: usize, tentativi: u32) -> Result<Cliente> {
        let url = match (&self.url, &self.config) {
            (Some(url), _) => url.clone(),
            (None, Some(config)) => super::reachable(super::read_config(config)?.listener.indirizzo),
            (None, None) => anyhow::bail!("indicare --config o --url"),
        };
        anyhow::ensure!(
            self.config.is_some() || (self.cert.is_some() && self.ca.is_some()),
            "con --url servono --cert e --ca (e --key, se non ha lo stesso nome del certificato)"
        );
        let certs = self
            .config
            .as_deref()
            .and_then(Path::parent)
            .unwrap_or_else(|| Path::new(""))
            .join("certs");
        let or_beside = |dato: &Option<PathBuf>, nome: &str| dato.clone().unwrap_or_else(|| certs.join(nome));
        // Without --key the key is the certificate's namesake.
        let cert = or_beside(&self.cert, "pat01.pem");
        let key = self.key.clone().unwrap_or_else(|| cert.with_extension("key"));
        let credenziali = Credenziali {
            cert: &cert,
            key: &key,
            ca: &or_beside(&self.ca, "ca.pem"),
        };
        Cliente::new(&url, credenziali, connessioni, tentativi)
    }
}

impl Args {
    /// Sends, prints, and says how it went.
    pub fn run(self) -> Result<Uscita> {
        if self.percorso.is_dir() {
            self.send_folder()
        } else {
            self.send_file()
        }
    }

    fn send_file(&self) -> Result<Uscita> {
        let cliente = self.dove.client(1, self.tentativi)?;
        let inviato = self.send(&cliente, &Porta::new(&self.nomi)?, &self.percorso)?;
        out!("{}", inviato.esito);
        Ok(uscita(&inviato.esito))
    }

    fn send_folder(&self) -> Result<Uscita> {
        let files = xml_files(&self.percorso)?;
        anyhow::ensure!(!files.is_empty(), "{}: nessun file .xml", self.percorso.display());
        let jobs = usize::from(self.jobs).min(files.len());
        let cliente = self.dove.client(jobs, self.tentativi)?;
        let csv = self
            .esiti
            .clone()
            .unwrap_or_else(|| self.percorso.join("esiti.csv"));
        let mut esiti =
            Esiti::create(&csv).with_context(|| format!("impossibile scrivere {}", csv.display()))?;

        let barra = crate::cli::progress_bar(files.len() as u64, crate::cli::BARRA);
        let mut somma = Somma::default();
        let prossimo = AtomicUsize::new(0);
        let porta = Porta::new(&self.nomi)?;
        std::thread::scope(|scope| -> Result<()> {
            // Bounded: nobody runs far ahead of the file of outcomes.
            let (manda, riceve) = mpsc::sync_channel(jobs * 2);
            for _ in 0..jobs {
                let (manda, cliente, files, prossimo) = (manda.clone(), cliente.clone(), &files, &prossimo);
                let porta = &porta;
                scope.spawn(move || {
                    while let Some((posto, file)) = take(files, prossimo) {
                        let inviato = self.send(&cliente, porta, file);
                        if manda.send((posto, inviato)).is_err() {
                            return;
                        }
                    }
                });
            }
            drop(manda);
            // Answers come in any order; rows are written in the order of the files.
            let mut in_attesa = BTreeMap::new();
            let mut atteso = 0;
            for (posto, inviato) in riceve {
                in_attesa.insert(posto, inviato?);
                while let Some(inviato) = in_attesa.remove(&atteso) {
                    esiti
                        .write(&file_name(&files[atteso]), &inviato.chiave, &inviato.esito)
                        .with_context(|| format!("impossibile scrivere {}", csv.display()))?;
                    somma.add(&inviato.esito);
                    barra.inc(1);
                    atteso += 1;
                }
            }
            Ok(())
        })?;
        barra.finish_and_clear();
        outln!("{somma}");
        outln!("esiti in {}", csv.display());
        Ok(somma.uscita())
    }

    /// Sends one file. An error is about this machine (a file that cannot be read, a certificate that is not taken);
    /// all else is an outcome.
    fn send(&self, cliente: &Cliente, porta: &Porta, file: &Path) -> Result<Inviato> {
        let contenuto =
            std::fs::read(file).with_context(|| format!("impossibile leggere {}", file.display()))?;
        if self.pdd {
            return self.send_busta(cliente, porta, &contenuto, file);
        }
        let operatore = Operatore {
            user_id: self.user_id.clone(),
            ufficio: self.ufficio.clone(),
        };
        let busta = match Busta::of(&contenuto, file, self.servizio, &operatore) {
            Ok(busta) => busta,
            Err(errata) => {
                return Ok(Inviato {
                    chiave: String::new(),
                    esito: not_an_envelope(&errata),
                });
            }
        };
        let esito = send_envelope(cliente, &busta)?;
        Ok(Inviato {
            chiave: busta.chiave,
            esito,
        })
    }
}

impl Args {
    /// Sends one file as a porta di dominio does. An attempt that got no answer is followed by another busta: the same one
    /// would be a duplicate, while the key tells the domanda.
    fn send_busta(&self, cliente: &Cliente, porta: &Porta, contenuto: &[u8], file: &Path) -> Result<Inviato> {
        let busta = match BustaPerPorta::of(contenuto, file, self.servizio) {
            Ok(busta) => busta,
            Err(errata) => {
                return Ok(Inviato {
                    chiave: String::new(),
                    esito: not_an_envelope(&errata),
                });
            }
        };
        let next = || {
            let adesso = WallClock::default().wall();
            busta.in_busta(|servizio, azione| porta.intestazione(servizio, azione, adesso))
        };
        Ok(Inviato {
            chiave: busta.chiave.clone(),
            esito: match cliente.post_busta(next) {
                Ok(ricevuto) => Esito::read(&ricevuto),
                Err(porta @ Mancato::Porta(_)) => return Err(porta.into()),
                Err(mancato) => Esito::NonInviata {
                    causa: mancato.to_string(),
                },
            },
        })
    }
}

/// Sends an envelope and reads its outcome, with lines as the file has them. A door that does not open is an error:
/// it is about the certificates, and the next message would fare no better.
pub fn send_envelope(cliente: &Cliente, busta: &Busta) -> Result<Esito> {
    let mut esito = match cliente.post(busta.servizio, busta.versione, &busta.bytes) {
        Ok(ricevuto) => Esito::read(&ricevuto),
        Err(porta @ Mancato::Porta(_)) => return Err(porta.into()),
        Err(mancato) => Esito::NonInviata {
            causa: mancato.to_string(),
        },
    };
    if let Esito::Rifiutata { errori } | Esito::Sospesa { errori } = &mut esito {
        for errore in errori {
            busta.place(errore);
        }
    }
    Ok(esito)
}

/// One file as it was sent.
#[derive(Debug)]
struct Inviato {
    chiave: String,
    esito: Esito,
}

fn not_an_envelope(errata: &BustaErrata) -> Esito {
    match errata {
        BustaErrata::Xml(violazione) => Esito::refused(std::slice::from_ref(violazione.as_ref())),
        altra => Esito::Rifiutata {
            errori: vec![Errore {
                testo: altra.to_string(),
                ..Errore::default()
            }],
        },
    }
}

fn take<'f>(files: &'f [PathBuf], prossimo: &AtomicUsize) -> Option<(usize, &'f Path)> {
    let posto = prossimo.fetch_add(1, Ordering::Relaxed);
    files.get(posto).map(|file| (posto, file.as_path()))
}

/// The messages of a folder, by name.
pub(in crate::cli) fn xml_files(cartella: &Path) -> Result<Vec<PathBuf>> {
    let mut files = std::fs::read_dir(cartella)
        .and_then(|voci| {
            voci.map(|voce| voce.map(|voce| voce.path()))
                .collect::<Result<Vec<_>, _>>()
        })
        .with_context(|| format!("impossibile leggere {}", cartella.display()))?;
    files.retain(|file| {
        file.is_file()
            && file
                .extension()
                .is_some_and(|estensione| estensione.eq_ignore_ascii_case("xml"))
    });
    files.sort();
    Ok(files)
}

fn file_name(file: &Path) -> String {
    file.file_name()
        .map(|nome| nome.to_string_lossy().into_owned())
        .unwrap_or_default()
}

/// How a folder went.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
struct Somma {
    registrate: u64,
    ripetizioni: u64,
    rifiutate: u64,
    ammissibili: u64,
    altre: u64,
    non_inviate: u64,
}

impl Somma {
    fn add(&mut self, esito: &Esito) {
        match esito {
            Esito::Registrata(registrata) => {
                self.registrate += 1;
                self.ripetizioni += u64::from(registrata.ripetizione);
            }
            Esito::Ammissibile { .. } => self.ammissibili += 1,
            Esito::Rifiutata { .. } => self.rifiutate += 1,
            Esito::Altro(_) => self.altre += 1,
            Esito::Sospesa { .. } | Esito::NonInviata { .. } => self.non_inviate += 1,
        }
    }

    fn uscita(&self) -> Uscita {
        match (self.non_inviate, self.rifiutate) {
            (0, 0) => Uscita::Fatto,
            (0, _) => Uscita::Rifiutato,
            // What was not sent comes first: repeat the command, then look at what was refused.
            (..) => Uscita::Riprovare,
        }
    }
}

/// `980 registrate, 20 rifiutate`, and more only where there is more.
impl std::fmt::Display for Somma {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} registrate, {} rifiutate", self.registrate, self.rifiutate)?;
        for (quante, che_cosa) in [
            (self.ammissibili, "ammissibili"),
            (self.altre, "altre risposte"),
            (self.non_inviate, "non inviate: ripetere il comando"),
        ] {
            if quante > 0 {
                write!(f, ", {quante} {che_cosa}")?;
            }
        }
        if self.ripetizioni > 0 {
            write!(f, " ({} già registrate in precedenza)", self.ripetizioni)?;
        }
        Ok(())
    }
}

/// The exit code of one outcome.
pub(in crate::cli) fn uscita(esito: &Esito) -> Uscita {
    let mut somma = Somma::default();
    somma.add(esito);
    somma.uscita()
}

#[cfg(test)]
mod tests;
