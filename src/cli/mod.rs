//! The command line: what it is for, how it ends. Every command tells in its help what it does and shows an example;
//! it prints in Italian, because people of a patronato and of its software house read it, and ends with an exit code
//! that a script can act on: 0 done, 64 usage or configuration, 65 message refused, 75 try again (sysexits).
//!
//! `anyhow` is spoken here and nowhere below: an error that reaches this place is told to a person, with its cause.
#![expect(
    clippy::doc_markdown,
    reason = "helps are doc comments, and a terminal shows their backticks"
)]

/// Prints a line; see [`say`].
macro_rules! outln {
    ($($parte:tt)*) => { $crate::cli::say(&format!("{}\n", format_args!($($parte)*))) };
}
/// Prints; see [`say`].
macro_rules! out {
    ($($parte:tt)*) => { $crate::cli::say(&format!($($parte)*)) };
}

mod a_meta;
pub mod adesione;
pub mod backup;
pub mod check;
mod chiave;
pub mod cluster;
pub mod demo;
pub mod dev_certs;
pub mod dev_postgres;
pub mod diagnose;
pub mod engine;
pub mod interessato;
mod italiano;
pub mod kit;
pub mod lot;
pub mod maintenance;
pub mod operator;
pub mod porta;
pub mod register;
pub mod sample;
pub mod send;
pub mod serve;
pub mod space;
pub mod store;
pub mod trace;
mod trace_egov;
mod trace_prova;
pub mod validate;
mod zip;

use std::io::{IsTerminal as _, Write as _};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context as _;
use clap::{Parser, Subcommand};
use indicatif::{ProgressBar, ProgressStyle};

use self::dev_certs::Chiavi;
use crate::clock::{Clock as _, WallClock};
use crate::config::{Config, Effective, Processo};
use crate::store::{OpenOptions, SharedStore, StoreError, open};
use crate::trace::persona::ChiaveRicerca;

/// How a command ended, as a script sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Uscita {
    /// Done.
    Fatto,
    /// The command line or the configuration is wrong.
    Uso,
    /// At least one message was refused: correct it.
    Rifiutato,
    /// Not now: the same command may succeed later.
    Riprovare,
}

impl From<Uscita> for ExitCode {
    fn from(uscita: Uscita) -> Self {
        match uscita {
            Uscita::Fatto => Self::SUCCESS,
            Uscita::Uso => Self::from(64),
            Uscita::Rifiutato => Self::from(65),
            Uscita::Riprovare => Self::from(75),
        }
    }
}

/// Prints on stdout. Whoever closes the other end (`… | head`) has seen enough: then there is nothing left to do, and
/// nothing went wrong.
fn say(testo: &str) {
    let mut stdout = std::io::stdout().lock();
    if stdout
        .write_all(testo.as_bytes())
        .and_then(|()| stdout.flush())
        .is_err()
    {
        std::process::exit(0);
    }
}

/// Parses the command line, does what it says and answers with the exit code.
#[must_use]
pub fn main() -> ExitCode {
    let matches = match italiano::command::<Cli>().try_get_matches() {
        Ok(matches) => matches,
        Err(error) => return italiano::tell(&error).into(),
    };
    let esito = <Cli as clap::FromArgMatches>::from_arg_matches(&matches)
        .map_err(anyhow::Error::from)
        .and_then(Cli::run);
    match esito {
        Ok(uscita) => uscita.into(),
        Err(error) => {
            eprintln!("varco: {error:#}");
            outcome(&error).into()
        }
    }
}

/// Which exit code an error has: the store may be back later, all else is for the caller to mend.
fn outcome(error: &anyhow::Error) -> Uscita {
    match error.downcast_ref::<StoreError>() {
        Some(
            StoreError::Unavailable(_)
            | StoreError::Full(_)
            | StoreError::Emergenza(_)
            | StoreError::Indietro(_),
        ) => Uscita::Riprovare,
        Some(StoreError::Inconsistency(_) | StoreError::Refused(_)) | None => Uscita::Uso,
    }
}

/// Varco: la porta di cooperazione attraverso la quale i patronati presentano le domande.
///
/// Per provarlo in un minuto: `varco demo` prepara certificati e archivio, avvia il varco, invia una domanda di
/// prova e mostra la ricevuta con il numero di protocollo.
///
/// Codici di uscita: 0 fatto, 64 uso o configurazione errati, 65 messaggio rifiutato, 75 riprovare più tardi.
#[derive(Debug, Parser)]
#[command(name = "varco", version, max_term_width = 110)]
pub struct Cli {
    #[command(subcommand)]
    comando: Comando,
}

#[derive(Debug, Subcommand)]
enum Comando {
    /// Prova tutto in un minuto: certificati, archivio, varco in ascolto, una domanda inviata due volte.
    ///
    /// La seconda volta la stessa domanda riceve lo stesso numero (Ripetizione=true). Poi il varco resta in ascolto.
    ///
    /// Esempio: varco demo --dir prova --listen 127.0.0.1:9443
    ///
    /// Esempio: varco demo --dir prova-pg --store postgres
    Demo(demo::Args),
    /// Avvia il varco con la configurazione indicata e resta in ascolto fino a Ctrl-C o SIGTERM.
    ///
    /// Con SIGHUP rilegge certificati, CRL, adesioni e log.livello senza chiudere le connessioni.
    ///
    /// Esempio: varco serve --config /etc/varco/varco.toml
    Serve(DoveConfig),
    /// Apre certificati, adesioni, schemi e archivio senza mettersi in ascolto, e dice che cosa non va.
    ///
    /// Mostra la configurazione effettiva con l'origine di ogni valore e i certificati prossimi alla scadenza.
    ///
    /// Esempio: varco check --config /etc/varco/varco.toml
    Check(DoveConfig),
    /// Adesioni: il modulo da compilare, la sua verifica, che cosa cambierebbe, la registrazione.
    ///
    /// Un modulo è giudicato per intero, con i controlli della porta; ogni modifica resta annotata in adesioni.log.
    ///
    /// Esempio: varco adesione form > pat99.toml
    ///
    /// Esempio: varco adesione check --config varco.toml pat99.toml
    Adesione(adesione::Args),
    /// Porta l'archivio alla versione di questo programma.
    ///
    /// Va eseguito a ogni aggiornamento; se l'archivio è già aggiornato non fa nulla.
    ///
    /// Esempio: varco migrate --config /etc/varco/varco.toml
    Migrate(DoveConfig),
    /// Invia una domanda, o tutte quelle di una cartella, a un varco in ascolto.
    ///
    /// Il file è una busta SOAP, un elemento InviaDomanda o una Domanda. Ripetere l'invio è sempre sicuro: la stessa
    /// chiave riceve lo stesso numero. Per una cartella scrive esiti.csv: una riga per file, o per errore.
    ///
    /// Esempio: varco send --config demo/varco.toml domanda.xml
    ///
    /// Esempio: varco send --config demo/varco.toml --jobs 8 lotto/
    Send(send::Args),
    /// Lotti: molte domande in un file, inviate insieme, ciascuna con il proprio esito.
    ///
    /// Per chi invia: build, send, status, watch, outcome, rejects. Per chi gestisce il varco: queue, pause, resume,
    /// cancel. Inviare di nuovo lo stesso file è sempre sicuro: è lo stesso lotto, con gli stessi numeri.
    ///
    /// Esempio: varco lot send --config demo/varco.toml lotto.xml --watch
    ///
    /// Esempio: varco lot queue --config demo/varco.toml
    Lot(lot::Args),
    /// Scrive un messaggio di esempio valido, con dati nuovi a ogni esecuzione.
    ///
    /// I codici fiscali sono inventati ma corretti. Con --seme lo stesso seme dà lo stesso messaggio.
    ///
    /// Esempio: varco sample -o domanda.xml
    ///
    /// Esempio: varco sample ConsultaDomanda --soap11
    ///
    /// Esempio: varco sample --quanti 1000 --dir lotto
    ///
    /// Esempio: varco sample --lotto 40000 -o lotto.xml
    Sample(sample::Args),
    /// Verifica dei file senza inviarli: stessi codici e stessi testi del varco.
    ///
    /// Dice tutti gli errori di forma e di regola con riga e colonna, e quali controlli richiedono il varco.
    ///
    /// Esempio: varco validate domanda.xml --ambiente produzione --data 2021-07-15
    Validate(validate::Args),
    /// Cerca nelle tracce dei messaggi e dei rifiuti alla porta.
    ///
    /// Una riga per messaggio, il più recente per primo; `varco trace show ID` ne mostra uno per intero.
    ///
    /// Esempio: varco trace --config demo/varco.toml --ente PAT01 --esito FAULT
    ///
    /// Esempio: varco trace --config demo/varco.toml show 0197a3c1-0000-7000-8000-000000000001
    ///
    /// Esempio: varco trace --config demo/varco.toml --porta
    Trace(Box<trace::Args>),
    /// Chi può usare la console: add, list, passwd, disable, enable.
    ///
    /// Esempio: varco operator add anna.bianchi --ruolo lettore --config varco.toml
    Operator(operator::Args),
    /// Che cosa si conserva di una persona e chi l'ha guardato, in un file ZIP: per rispondere a chi lo chiede (GDPR art. 15).
    ///
    /// Lo fa un operatore indagatore o gestore, con un motivo scritto; resta nella traccia. I dati delle altre persone della stessa
    /// domanda sono coperti. Il codice fiscale si scrive all'ingresso (-): nella storia dei comandi resterebbe.
    ///
    /// Esempio: varco interessato - --motivo "istanza prot. 123/2026" --operatore m.verdi -o accesso.zip --config varco.toml
    Interessato(interessato::Args),
    /// Elenca o verifica il registro di protocollo.
    ///
    /// `list` scrive protocollo, ente e ChiaveInvio separati da tabulazione; `verify` cerca buchi e doppioni.
    ///
    /// Esempio: varco register list --config demo/varco.toml
    Register(register::Args),
    /// Lo spazio: che cosa occupa l'archivio, quanto cresce, fra quanti giorni è pieno; che cosa si scarta a fine termine.
    ///
    /// Senza altro dice com'è. `purge` scarta ciò che è oltre i termini (`--prova`: dice soltanto che cosa), `hold` e
    /// `release` vincolano e liberano una domanda, `holds` e `log` elencano vincoli e pulizie.
    ///
    /// Esempio: varco space --config demo/varco.toml
    ///
    /// Esempio: varco space purge --prova --config demo/varco.toml
    Space(space::Args),
    /// Manutenzione: per un poco nulla di nuovo è accolto, e i mittenti sanno perché e fino a quando: on, off, status.
    ///
    /// Vale per tutti i varchi dell'archivio entro manutenzione.intervallo_s secondi. Chi ripete un invio già registrato riceve
    /// la sua ricevuta, le consultazioni rispondono, i lotti già accolti vanno avanti.
    ///
    /// Esempio: varco maintenance on --messaggio "aggiornamento del database" --operatore m.verdi
    ///
    /// Esempio: varco maintenance off --operatore m.verdi
    Maintenance(maintenance::Args),
    /// Raccoglie in un file ciò che serve a chi deve aiutare: versione, configurazione, archivio, porta, stato. Senza dati personali.
    ///
    /// Ciò che non si può raccogliere è detto nel file (LEGGIMI.txt), e non ferma il resto: funziona anche con l'archivio fermo. Su
    /// SQLite conta le righe di ogni tabella: con molti milioni può durare minuti.
    ///
    /// Esempio: varco diagnose --config /etc/varco/varco.toml
    Diagnose(diagnose::Args),
    /// Lavora su un archivio intero: il trasferimento a PostgreSQL.
    ///
    /// Esempio: varco store copy sqlite:/var/lib/varco/store.db postgres://varco_owner@db.esempio.it/varco
    Store(store::Args),
    /// Copia l'archivio mentre il varco lavora, e verifica la copia prima di darle un nome.
    ///
    /// Archivio incorporato: il file e i lotti in lavorazione, di uno stesso momento; poi ogni pagina e ogni registrazione
    /// della copia sono riguardate. PostgreSQL: l'intero cluster con pg_basebackup, e pg_verifybackup; serve --replica. La
    /// copia contiene dati personali. Una copia interrotta o con anomalie non resta.
    ///
    /// Esempio: varco backup /var/backups/varco --config varco.toml
    Backup(backup::Args),
    /// Avvia il motore di prova: lavora le domande dell'archivio come farebbe un motore vero, per contratto.
    ///
    /// È un processo a sé: legge e scrive solo con le viste di docs/contratto-motore.md, dove stanno anche le sue regole
    /// (quali dati portano a quale esito). Più motori insieme non lavorano mai la stessa domanda. Una riga per decisione.
    ///
    /// Esce con 75 se l'archivio non risponde. SIGTERM o Ctrl-C: finisce la domanda che ha in mano e lascia le altre.
    ///
    /// Esempio: varco engine sqlite:demo/store.db --una-volta
    ///
    /// Esempio: varco engine postgres://varco_motore@db.esempio.it/varco --nome motore-1 --adesso 2021-08-01T09:00:00Z
    Engine(engine::Args),
    /// Scrive in una cartella tutto ciò che serve a chi integra: WSDL, XSD, messaggi di esempio, codici di errore.
    ///
    /// I nomi dei file sono relativi: il WSDL si carica anche senza rete.
    ///
    /// Esempio: varco kit kit-varco
    Kit(kit::Args),
    /// Strumenti per chi sviluppa: certificati di prova, un PostgreSQL di prova.
    ///
    /// Esempio: varco dev certs --dir certs-dev
    Dev(Dev),
}

/// Where the configuration is.
#[derive(Debug, clap::Args)]
pub struct DoveConfig {
    /// File di configurazione (predefinito: varco.toml nella cartella corrente)
    #[arg(long, value_name = "FILE", default_value = "varco.toml")]
    pub config: PathBuf,
}

impl DoveConfig {
    /// The configuration, every value with its source.
    pub fn read(&self) -> anyhow::Result<Config> {
        read_config(&self.config)
    }
}

#[derive(Debug, clap::Args)]
struct Dev {
    #[command(subcommand)]
    comando: DevComando,
}

#[derive(Debug, Subcommand)]
enum DevComando {
    /// Crea una CA di prova e i certificati di server e patronati, uno revocato e uno scaduto.
    ///
    /// Le chiavi restano sulla macchina: non vanno mai messe in un deposito di sorgenti.
    ///
    /// Esempio: varco dev certs --dir certs-dev
    Certs {
        /// Cartella in cui scrivere (predefinita: certs-dev)
        #[arg(long, value_name = "CARTELLA", default_value = "certs-dev")]
        dir: PathBuf,
        /// Nome o indirizzo del server, oltre a localhost, 127.0.0.1 e ::1 (si può ripetere)
        #[arg(long = "nome", value_name = "NOME")]
        nomi: Vec<String>,
        /// Chiavi RSA a 2048 bit, per i client che non conoscono ECDSA
        #[arg(long)]
        rsa: bool,
        /// Password delle copie PKCS#12 (predefinita: varco)
        #[arg(long, value_name = "TESTO", default_value = dev_certs::PASSWORD)]
        password: String,
        /// Rifà tutto, anche ciò che c'è già
        #[arg(long)]
        force: bool,
    },
    /// Avvia un server PostgreSQL tutto suo, dai programmi installati, e lo ferma con Ctrl-C o SIGTERM.
    ///
    /// Non usa e non tocca server già in funzione. Ascolta solo su un socket nella sua cartella, senza password: per
    /// prove, mai per la produzione. Se l'ingresso è una pipe, si ferma anche quando questa si chiude.
    ///
    /// Esempio: varco dev postgres --dir /var/tmp/varco-pg
    Postgres(dev_postgres::Args),
}

impl Cli {
    fn run(self) -> anyhow::Result<Uscita> {
        match self.comando {
            Comando::Adesione(args) => args.run(),
            Comando::Send(args) => args.run(),
            Comando::Lot(args) => args.run(),
            Comando::Sample(args) => args.run(),
            Comando::Validate(args) => args.run(),
            Comando::Kit(args) => args.run(),
            Comando::Dev(Dev { comando }) => comando.run(),
            Comando::Serve(dove) => {
                let config = dove.read()?;
                runtime()?.block_on(serve::run(config, || dove.read()))?;
                Ok(Uscita::Fatto)
            }
            Comando::Demo(args) => runtime()?.block_on(args.run()),
            Comando::Check(dove) => runtime()?.block_on(check::check(&dove)),
            Comando::Migrate(dove) => runtime()?.block_on(check::migrate(&dove)),
            Comando::Trace(args) => runtime()?.block_on(args.run()),
            Comando::Operator(args) => runtime()?.block_on(args.run()),
            Comando::Interessato(args) => runtime()?.block_on(args.run()),
            Comando::Register(args) => runtime()?.block_on(args.run()),
            Comando::Space(args) => runtime()?.block_on(args.run()),
            Comando::Maintenance(args) => runtime()?.block_on(args.run()),
            Comando::Diagnose(args) => runtime()?.block_on(args.run()),
            Comando::Store(args) => runtime()?.block_on(args.run()),
            Comando::Backup(args) => runtime()?.block_on(args.run()),
            Comando::Engine(args) => runtime()?.block_on(args.run()),
        }
    }
}

impl DevComando {
    fn run(self) -> anyhow::Result<Uscita> {
        let (dir, nomi, rsa, password, force) = match self {
            Self::Postgres(args) => return runtime()?.block_on(args.run()),
            Self::Certs {
                dir,
                nomi,
                rsa,
                password,
                force,
            } => (dir, nomi, rsa, password, force),
        };
        let opzioni = dev_certs::Opzioni {
            nomi,
            force,
            password,
            chiavi: if rsa { Chiavi::Rsa2048 } else { Chiavi::P256 },
            ..dev_certs::Opzioni::at(WallClock::default().wall())
        };
        let fatti = dev_certs::make(&dir, &opzioni)?;
        outln!(
            "{}: {} file scritti, {} già presenti e lasciati com'erano",
            dir.display(),
            fatti.scritti.len(),
            fatti.tenuti.len()
        );
        Ok(Uscita::Fatto)
    }
}

fn runtime() -> anyhow::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .context("il sistema non concede i thread necessari")
}

/// A configuration file, with the environment over it and the source of every value.
fn read_effective(file: &Path) -> anyhow::Result<Effective> {
    Ok(Config::load(file, &Processo)?)
}

/// The same, when only the values count.
fn read_config(file: &Path) -> anyhow::Result<Config> {
    Ok(read_effective(file)?.config)
}

/// How a configuration opens its store, whichever command does.
fn store_options(config: &Config) -> OpenOptions {
    OpenOptions::new(config.ambiente, WallClock::default().wall()).with(config.database)
}

/// The store as it is, for a look: nothing is created, migrated or set. One that was moved elsewhere can be looked at
/// as long as it lies there.
async fn open_store(config: &Config) -> anyhow::Result<SharedStore> {
    open_store_with(config, None).await
}

/// The same, to find persons in its trace.
async fn open_store_with(
    config: &Config,
    chiave_ricerca: Option<ChiaveRicerca>,
) -> anyhow::Result<SharedStore> {
    let options = OpenOptions {
        migrate: false,
        anche_trasferito: true,
        chiave_ricerca,
        ..store_options(config)
    };
    Ok(open(&config.store, &options).await?.0)
}

/// A progress bar where somebody looks at the terminal, and none elsewhere.
fn progress_bar(quanti: u64, modello: &str) -> ProgressBar {
    if !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let barra = ProgressBar::new(quanti);
    if let Ok(stile) = ProgressStyle::with_template(modello) {
        barra.set_style(stile);
    }
    barra
}

/// A bar that counts things.
const BARRA: &str = "{bar:40} {pos}/{len}  {per_sec}  mancano {eta}";
/// A bar that counts bytes.
const BARRA_BYTE: &str = "{bar:40} {bytes}/{total_bytes}  {bytes_per_sec}  mancano {eta}";

/// The address of a gateway for a client on the same machine: one that listens everywhere also listens here.
fn reachable(indirizzo: SocketAddr) -> String {
    let ip = match indirizzo.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    format!("https://{}", SocketAddr::new(ip, indirizzo.port()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_on_this_machine_reaches_what_listens_everywhere() {
        let url = |testo: &str| reachable(testo.parse().unwrap());
        assert_eq!(url("0.0.0.0:8443"), "https://127.0.0.1:8443");
        assert_eq!(url("[::]:8443"), "https://[::1]:8443");
        assert_eq!(url("192.0.2.7:443"), "https://192.0.2.7:443");
    }

    #[test]
    fn a_store_that_is_away_asks_to_try_again() {
        let via = anyhow::Error::new(StoreError::unavailable("disk gone")).context("archivio");
        assert_eq!(outcome(&via), Uscita::Riprovare);
        let altro = anyhow::Error::new(StoreError::Refused("other ambiente".to_owned()));
        assert_eq!(outcome(&altro), Uscita::Uso);
        assert_eq!(outcome(&anyhow::anyhow!("x")), Uscita::Uso);
    }
}
