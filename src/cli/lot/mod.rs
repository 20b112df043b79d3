//! `varco lot`: lots from both sides of the gateway. Who sends builds a file, sends it, watches it, reads what became of
//! each domanda and cuts out what was refused; who runs the gateway sees the queue and holds a lot back, lets it go on or
//! ends it. It promises that sending the same file again is the same lot, and that a lot of any size takes no more memory
//! than one of its items.

mod build;
mod dialogo;
pub(super) mod file;
mod outcome;
mod queue;
mod rejects;
mod send;
mod spoglio;
mod watch;

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};

use super::Uscita;

/// What to do with lots.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    comando: Comando,
}

#[derive(Debug, clap::Subcommand)]
enum Comando {
    /// Compone un lotto da messaggi singoli: buste SOAP, elementi InviaDomanda o Domanda.
    ///
    /// Una Domanda senza richiesta prende la chiave dal nome del file, come con `varco send`.
    ///
    /// Esempio: varco lot build messaggi/ -o lotto.xml
    Build(build::Build),
    /// Invia un lotto: un file con radice Lotto, anche compresso con gzip.
    ///
    /// Il file parte accanto alla busta (MTOM) mentre viene letto, di qualunque dimensione sia. La chiave del lotto viene dal
    /// contenuto: inviare di nuovo lo stesso file, anche dopo una risposta perduta, dà lo stesso identificativo.
    ///
    /// Esce con 0 se il lotto è accolto (con --watch: se ogni domanda ha il suo numero), 65 se è rifiutato, 75 se conviene
    /// ripetere il comando.
    ///
    /// Esempio: varco lot send --config demo/varco.toml lotto.xml --watch
    ///
    /// Esempio: varco sample --lotto 1000 | varco lot send --config demo/varco.toml -
    Send(send::Send),
    /// Dice a che punto è un lotto.
    ///
    /// Esempio: varco lot status --config demo/varco.toml 0197a3c1-0000-7000-8000-000000000001
    Status(watch::Status),
    /// Segue un lotto fino alla fine, con una barra di avanzamento, e ne dice gli esiti.
    ///
    /// Esce con 0 se ogni domanda ha il suo numero, 65 se qualcuna è rifiutata o il lotto si è interrotto.
    ///
    /// Esempio: varco lot watch --config demo/varco.toml 0197a3c1-0000-7000-8000-000000000001
    Watch(watch::Watch),
    /// Scrive l'esito di ogni domanda di un lotto concluso, nell'ordine del file.
    ///
    /// Una riga per domanda: posto, riga:colonna nel file, ChiaveInvio, esito, protocollo; sotto, gli errori. Il riepilogo va
    /// sullo standard error. Esce come `varco lot watch`; con 75 se il lotto non è ancora concluso.
    ///
    /// Esempio: varco lot outcome --config demo/varco.toml 0197a3c1-0000-7000-8000-000000000001 --csv -o esiti.csv
    Outcome(outcome::Outcome),
    /// Ritaglia dal file inviato le domande rifiutate e quelle non lette: un lotto nuovo, da correggere e inviare.
    ///
    /// Davanti a ogni domanda un commento dice codici, righe e frasi. Le chiavi delle domande rifiutate sono libere: si
    /// corregge il contenuto e si lasciano le chiavi.
    ///
    /// Esempio: varco lot rejects --config demo/varco.toml 0197a3c1-0000-7000-8000-000000000001 --file lotto.xml -o scarti.xml
    Rejects(rejects::Rejects),
    /// Elenca i lotti dell'archivio di una configurazione: quelli aperti, o con --tutti anche i conclusi.
    ///
    /// Esempio: varco lot queue --config /etc/varco/varco.toml
    Queue(queue::Queue),
    /// Sospende un lotto: finisce il gruppo di domande in corso, poi aspetta. Nessuna domanda perde la sua data.
    ///
    /// Esempio: varco lot pause --config /etc/varco/varco.toml 0197a3c1-0000-7000-8000-000000000001
    Pause(queue::Pause),
    /// Fa riprendere un lotto sospeso da dove era.
    ///
    /// Esempio: varco lot resume --config /etc/varco/varco.toml 0197a3c1-0000-7000-8000-000000000001
    Resume(queue::Resume),
    /// Chiude per sempre un lotto dov'è: ciò che è registrato resta, il resto non sarà letto (LOT-015).
    ///
    /// Chi lo ha inviato rimanda le altre domande, con le stesse chiavi, in un lotto nuovo. Contano allora come presentate
    /// quando arriva il lotto nuovo: per fermarlo soltanto per ora c'è `varco lot pause`.
    ///
    /// Esempio: varco lot cancel --config /etc/varco/varco.toml 0197a3c1-0000-7000-8000-000000000001 --conferma
    Cancel(queue::Cancel),
}

impl Args {
    /// Does it.
    pub fn run(self) -> Result<Uscita> {
        match self.comando {
            Comando::Build(build) => build.run(),
            Comando::Send(send) => send.run(),
            Comando::Status(status) => status.run(),
            Comando::Watch(watch) => watch.run(),
            Comando::Outcome(outcome) => outcome.run(),
            Comando::Rejects(rejects) => rejects.run(),
            Comando::Queue(queue) => super::runtime()?.block_on(queue.run()),
            Comando::Pause(pause) => super::runtime()?.block_on(pause.run()),
            Comando::Resume(resume) => super::runtime()?.block_on(resume.run()),
            Comando::Cancel(cancel) => super::runtime()?.block_on(cancel.run()),
        }
    }
}

/// A long output: a file that is there whole or not at all, or stdout.
pub(super) struct Foglio {
    scrittore: BufWriter<Box<dyn Write>>,
    /// Where it is written, and what it is called once it is whole.
    nomi: Option<(PathBuf, PathBuf)>,
}

impl Foglio {
    /// Begins it; without a file it is stdout.
    pub(super) fn create(file: Option<&Path>) -> Result<Self> {
        let Some(file) = file else {
            return Ok(Self {
                scrittore: BufWriter::new(Box::new(io::stdout())),
                nomi: None,
            });
        };
        let mut parziale = file.as_os_str().to_owned();
        parziale.push(".parziale");
        let parziale = PathBuf::from(parziale);
        let aperto = File::create(&parziale)
            .with_context(|| format!("impossibile scrivere {}", parziale.display()))?;
        Ok(Self {
            scrittore: BufWriter::with_capacity(1 << 18, Box::new(aperto)),
            nomi: Some((parziale, file.to_owned())),
        })
    }

    /// It is whole.
    pub(super) fn finish(mut self) -> Result<()> {
        self.flush()?;
        if let Some((parziale, file)) = self.nomi.take() {
            std::fs::rename(&parziale, &file)
                .with_context(|| format!("impossibile scrivere {}", file.display()))?;
        }
        Ok(())
    }

    /// Whoever closes the other end of stdout has seen enough.
    fn seen_enough(&self, errore: io::Error) -> io::Error {
        if self.nomi.is_none() && errore.kind() == io::ErrorKind::BrokenPipe {
            std::process::exit(0);
        }
        errore
    }
}

impl Write for Foglio {
    fn write(&mut self, byte: &[u8]) -> io::Result<usize> {
        self.scrittore
            .write(byte)
            .map_err(|errore| self.seen_enough(errore))
    }

    fn flush(&mut self) -> io::Result<()> {
        self.scrittore.flush().map_err(|errore| self.seen_enough(errore))
    }
}

/// What was not finished is not left behind.
impl Drop for Foglio {
    fn drop(&mut self) {
        if let Some((parziale, _)) = &self.nomi {
            let _ = std::fs::remove_file(parziale);
        }
    }
}
