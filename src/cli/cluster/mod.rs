//! A throw-away PostgreSQL cluster from the server binaries of this machine: for a look (`varco demo --store postgres`)
//! for `varco dev postgres` and for the tests, never one that happens to run. It speaks on a Unix socket in its own folder, to whoever may enter
//! it; over TCP only when asked, with TLS and a password.
//!
//! It dies with its owner, kill -9 included: a guard (`guardia.sh`) holds the server, and hears our commands on a pipe
//! that closes when we are gone.

mod utente;

use std::ffi::OsStr;
use std::fs::{self, DirBuilder};
use std::io::{BufRead as _, BufReader, ErrorKind, Write as _};
use std::net::{Ipv4Addr, TcpListener};
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::DirBuilderExt as _;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, anyhow, bail, ensure};

use self::utente::Utente;
use crate::store::PostgresUrl;

/// The server's own programs, all of one folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Binaries {
    cartella: PathBuf,
}

/// How the cluster is to be.
#[derive(Debug, Clone)]
pub struct Opzioni {
    /// Where it lies, laid down when nothing is there yet. `None` = a temporary folder, which goes with the cluster.
    pub cartella: Option<PathBuf>,
    /// How it can be reached.
    pub rete: Rete,
    /// Settings of postgresql.conf that go before ours: name and value.
    pub impostazioni: Vec<(String, String)>,
    /// How long to wait until it accepts connections.
    pub attesa: Duration,
}

/// How a cluster can be reached, beside its socket.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Rete {
    /// Not at all.
    #[default]
    Socket,
    /// On a free port of 127.0.0.1, with a password, without TLS.
    Tcp {
        /// The superuser's.
        password: String,
    },
    /// On a free port of 127.0.0.1, with a password, with TLS alone.
    Tls {
        /// The superuser's.
        password: String,
        /// The server's certificate, PEM.
        certificato: PathBuf,
        /// Its key, PEM.
        chiave: PathBuf,
    },
}

/// A cluster of our own. Dropping it stops it.
#[derive(Debug)]
pub struct Cluster {
    binaries: Binaries,
    cartella: PathBuf,
    socket: PathBuf,
    porta: u16,
    rete: Rete,
    attesa: Duration,
    /// What the guard removes at the end: the whole folder, or a socket that could not lie in it.
    _temporanea: Option<Temporanea>,
    guardia: Child,
    comandi: Option<ChildStdin>,
    risposte: BufReader<ChildStdout>,
}

impl Default for Opzioni {
    fn default() -> Self {
        Self {
            cartella: None,
            rete: Rete::Socket,
            impostazioni: Vec::new(),
            attesa: Duration::from_mins(1),
        }
    }
}

impl Binaries {
    /// Those of this machine: on the `PATH`, where `pg_config` says, else the newest that Debian's packages put down.
    #[must_use]
    pub fn find() -> Option<Self> {
        let percorso = std::env::var_os("PATH").unwrap_or_default();
        std::env::split_paths(&percorso)
            .chain(told_by_pg_config())
            .chain(packaged(Path::new("/usr/lib/postgresql")))
            .find(|cartella| NECESSARI.iter().all(|nome| cartella.join(nome).is_file()))
            .map(|cartella| Self { cartella })
    }

    /// The same, or what to install.
    pub fn require() -> Result<Self> {
        Self::find().context(
            "mancano i programmi del server PostgreSQL (initdb, postgres, psql): installarli, per esempio con \
             apt-get install postgresql",
        )
    }

    /// Where they are.
    #[must_use]
    pub fn cartella(&self) -> &Path {
        &self.cartella
    }

    fn command(&self, nome: &str) -> Command {
        let mut comando = Command::new(self.cartella.join(nome));
        without_settings(&mut comando).current_dir("/");
        comando
    }
}

const NECESSARI: [&str; 3] = ["initdb", "postgres", "psql"];

fn told_by_pg_config() -> Option<PathBuf> {
    let detto = Command::new("pg_config").arg("--bindir").output().ok()?;
    let cartella = OsStr::from_bytes(detto.stdout.trim_ascii());
    (!cartella.is_empty()).then(|| cartella.into())
}

/// `…/15/bin` of every version there, newest first.
fn packaged(sotto: &Path) -> Vec<PathBuf> {
    let mut versioni: Vec<(u32, PathBuf)> = fs::read_dir(sotto)
        .into_iter()
        .flatten()
        .filter_map(|voce| {
            let voce = voce.ok()?;
            Some((voce.file_name().to_str()?.parse().ok()?, voce.path().join("bin")))
        })
        .collect();
    versioni.sort_unstable_by(|prima, dopo| dopo.cmp(prima));
    versioni.into_iter().map(|(_, cartella)| cartella).collect()
}

/// Nothing that somebody set for another cluster (`PGDATA`, `PGHOST`, …) shall speak here; messages in English.
fn without_settings(comando: &mut Command) -> &mut Command {
    for (nome, _) in std::env::vars_os() {
        if nome.as_bytes().starts_with(b"PG") {
            comando.env_remove(nome);
        }
    }
    comando.env("LC_ALL", "C")
}

impl Cluster {
    /// Lays a cluster down where there is none, starts it, and comes back when it accepts connections.
    pub fn start(binaries: &Binaries, opzioni: &Opzioni) -> Result<Self> {
        let utente = Utente::choose(opzioni.cartella.as_ref().map(|cartella| cartella.join(DATI)))?;
        let mut temporanea = None;
        let cartella = if let Some(cartella) = &opzioni.cartella {
            let cartella = fs::create_dir_all(cartella)
                .and_then(|()| cartella.canonicalize())
                .with_context(|| format!("impossibile creare {}", cartella.display()))?;
            utente.check_way(&cartella)?;
            cartella
        } else {
            temporanea.insert(Temporanea::new(utente)?).0.clone()
        };
        utente.give(&cartella, 0o700)?;
        let socket = if socket_len(&cartella) <= SOCKET_MAX {
            cartella.clone()
        } else {
            temporanea.insert(Temporanea::new(utente)?).0.clone()
        };
        let porta = match opzioni.rete {
            Rete::Socket => PORTA,
            Rete::Tcp { .. } | Rete::Tls { .. } => free_port()?,
        };
        let dati = cartella.join(DATI);
        if !dati.exists() {
            lay_down(binaries, utente, &dati, opzioni.cartella.is_none())?;
        }
        fs::write(dati.join("pg_hba.conf"), opzioni.rete.who_may())
            .with_context(|| format!("impossibile scrivere in {}", dati.display()))?;
        let mut impostazioni = opzioni.rete.settings(utente, &dati)?;
        impostazioni.extend(opzioni.impostazioni.iter().cloned());
        let mut guardia = guard(binaries, utente, &cartella, temporanea.as_ref());
        guardia.arg("-D").arg(&dati).args(["-p", &porta.to_string()]);
        guardia.arg("-k").arg(&socket);
        for (nome, valore) in &impostazioni {
            guardia.arg("-c").arg(format!("{nome}={valore}"));
        }
        let mut guardia = guardia
            .spawn()
            .context("la guardia del cluster (sh) non si avvia")?;
        let comandi = guardia.stdin.take();
        let risposte = guardia
            .stdout
            .take()
            .context("la guardia del cluster non risponde")?;
        let mut cluster = Self {
            binaries: binaries.clone(),
            cartella,
            socket,
            porta,
            rete: opzioni.rete.clone(),
            attesa: opzioni.attesa,
            _temporanea: temporanea,
            guardia,
            comandi,
            risposte: BufReader::new(risposte),
        };
        cluster.start_again()?;
        if let Rete::Tcp { password } | Rete::Tls { password, .. } = &cluster.rete {
            let password = password.replace('\'', "''");
            cluster.sql(
                "postgres",
                &format!("ALTER ROLE {SUPERUTENTE} PASSWORD '{password}'"),
            )?;
        }
        Ok(cluster)
    }

    /// Starts the server again, after [`Self::stop`] or [`Self::crash`], on the same data.
    pub fn start_again(&mut self) -> Result<()> {
        let pid = self.tell("avvia")?;
        self.wait_until_ready(&pid)
    }

    /// Stops the server in order: who is connected is sent away, what was committed is folded up.
    pub fn stop(&mut self) -> Result<()> {
        self.tell("INT").map(drop)
    }

    /// Stops the server as a crash would: at once, and the next start recovers from the log.
    pub fn crash(&mut self) -> Result<()> {
        self.tell("QUIT").map(drop)
    }

    /// Freezes every process of the server: it is there and does not answer. Linux only.
    pub fn pause(&mut self) -> Result<()> {
        self.tell("STOP").map(drop)
    }

    /// Ends a [`Self::pause`].
    pub fn resume(&mut self) -> Result<()> {
        self.tell("CONT").map(drop)
    }

    /// Where it lies: the data, the log, and, where its name is short enough, the socket.
    #[must_use]
    pub fn cartella(&self) -> &Path {
        &self.cartella
    }

    /// A database of it, for its superuser, over the socket.
    #[must_use]
    pub fn url(&self, database: &str) -> PostgresUrl {
        self.url_as(SUPERUTENTE, database)
    }

    /// A database of it, for another user, over the socket.
    #[must_use]
    pub fn url_as(&self, utente: &str, database: &str) -> PostgresUrl {
        PostgresUrl::on_socket(&self.socket, self.porta, utente, database)
    }

    /// A database of it, for its superuser, over TCP; `parametri` as in `sslmode=verify-full&sslrootcert=ca.pem`.
    /// `None` when it listens on its socket alone.
    #[must_use]
    pub fn url_tcp(&self, database: &str, parametri: &str) -> Option<PostgresUrl> {
        match &self.rete {
            Rete::Socket => None,
            Rete::Tcp { password } | Rete::Tls { password, .. } => Some(PostgresUrl::on_host(
                ("localhost", self.porta),
                (SUPERUTENTE, password),
                database,
                parametri,
            )),
        }
    }

    /// The command line with which a user looks into a database of it, as a shell takes it.
    #[must_use]
    pub fn psql(&self, utente: &str, database: &str) -> String {
        let psql = self.binaries.cartella.join("psql");
        format!("{} '{}'", psql.display(), self.url_as(utente, database).as_str())
    }

    /// Creates a database where there is none of this name.
    pub fn ensure_database(&self, nome: &str) -> Result<()> {
        let (comando, testo) = (
            format!("CREATE DATABASE {}", quoted(nome)),
            nome.replace('\'', "''"),
        );
        let comando = comando.replace('\'', "''");
        self.sql(
            "postgres",
            &format!(
                "SELECT '{comando}' WHERE NOT EXISTS (SELECT 1 FROM pg_database WHERE datname = '{testo}') \\gexec\n"
            ),
        )
    }

    /// Creates a database.
    pub fn create_database(&self, nome: &str) -> Result<()> {
        self.sql("postgres", &format!("CREATE DATABASE {}", quoted(nome)))
    }

    /// Creates a database that begins as another one stands. Nobody may be connected to that one.
    pub fn copy_database(&self, modello: &str, nome: &str) -> Result<()> {
        let sql = format!("CREATE DATABASE {} TEMPLATE {}", quoted(nome), quoted(modello));
        self.sql("postgres", &sql)
    }

    /// Executes SQL as the superuser.
    pub fn sql(&self, database: &str, sql: &str) -> Result<()> {
        let mut psql = self
            .binaries
            .command("psql")
            .args(["-X", "-q", "-v", "ON_ERROR_STOP=1", "-U", SUPERUTENTE, "-p"])
            .arg(self.porta.to_string())
            .arg("-h")
            .arg(&self.socket)
            .args(["-d", database])
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .context("psql non si avvia")?;
        if let Some(mut ingresso) = psql.stdin.take() {
            ingresso.write_all(sql.as_bytes()).context("psql non ascolta")?;
        }
        let esito = psql.wait_with_output().context("psql non termina")?;
        ensure!(
            esito.status.success(),
            "PostgreSQL rifiuta: {}",
            String::from_utf8_lossy(&esito.stderr).trim()
        );
        Ok(())
    }

    /// Says a word to the guard and waits until it is done; answers the server's process id, if it runs.
    fn tell(&mut self, comando: &str) -> Result<String> {
        let dire = |comandi: &mut ChildStdin, risposte: &mut BufReader<ChildStdout>| {
            writeln!(comandi, "{comando}")?;
            let mut risposta = String::new();
            risposte.read_line(&mut risposta).map(|_| risposta)
        };
        let comandi = self.comandi.as_mut().context("il cluster è chiuso")?;
        let risposta = dire(comandi, &mut self.risposte).context("la guardia del cluster non risponde")?;
        match risposta.trim().split_once(' ') {
            Some((_, pid)) => Ok(pid.to_owned()),
            None if risposta.is_empty() => bail!("la guardia del cluster non c'è più"),
            None => Ok(String::new()),
        }
    }

    /// Waits until the server says in its pid file that it accepts connections.
    fn wait_until_ready(&mut self, pid: &str) -> Result<()> {
        let inizio = Instant::now();
        let mut nato = false;
        loop {
            match self.state(pid).as_deref() {
                Some("ready") => return Ok(()),
                Some(_) => nato = true,
                // It takes its file away when it ends, and has it almost at once when it begins.
                None if nato || inizio.elapsed() > NASCITA => break,
                None => {}
            }
            if inizio.elapsed() > self.attesa {
                break;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        // Nobody shall find it half alive.
        let _ = self.crash();
        bail!(
            "il server PostgreSQL in {} non si avvia; il suo giornale finisce così:\n{}",
            self.cartella.display(),
            self.log_tail()
        )
    }

    /// What the server with this process id says of itself: `starting`, `ready`, `stopping`.
    fn state(&self, pid: &str) -> Option<String> {
        let file = fs::read_to_string(self.cartella.join(DATI).join("postmaster.pid")).ok()?;
        let mut righe = file.lines();
        if righe.next()? != pid {
            return None;
        }
        Some(righe.nth(6).unwrap_or("starting").trim().to_owned())
    }

    fn log_tail(&self) -> String {
        let log = fs::read(self.cartella.join(GIORNALE)).unwrap_or_default();
        let log = String::from_utf8_lossy(&log);
        let righe: Vec<&str> = log.lines().collect();
        righe[righe.len().saturating_sub(GIORNALE_RIGHE)..].join("\n")
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        // The guard does all that is to do when the pipe closes; waiting for it, nothing is left when we are through.
        drop(self.comandi.take());
        let _ = self.guardia.wait();
    }
}

impl Rete {
    /// pg_hba.conf.
    fn who_may(&self) -> String {
        let socket = "local all all trust\n";
        match self {
            Self::Socket => socket.to_owned(),
            Self::Tcp { .. } => format!("{socket}host all all 127.0.0.1/32 scram-sha-256\n"),
            Self::Tls { .. } => format!("{socket}hostssl all all 127.0.0.1/32 scram-sha-256\n"),
        }
    }

    /// The settings of the server, with certificate and key where it may read them.
    fn settings(&self, utente: Utente, dati: &Path) -> Result<Vec<(String, String)>> {
        let ascolta = if *self == Self::Socket { "" } else { "127.0.0.1" };
        let mut impostazioni = vec![("listen_addresses", ascolta)];
        impostazioni.extend(IMPOSTAZIONI);
        if let Self::Tls {
            certificato, chiave, ..
        } = self
        {
            for (da, a) in [(certificato, "server.crt"), (chiave, "server.key")] {
                let a = dati.join(a);
                fs::copy(da, &a).with_context(|| format!("impossibile copiare {}", da.display()))?;
                utente.give(&a, 0o600)?;
            }
            impostazioni.push(("ssl", "on"));
        }
        let testi = |(nome, valore): (&str, &str)| (nome.to_owned(), valore.to_owned());
        Ok(impostazioni.into_iter().map(testi).collect())
    }
}

/// Small, since many of them may run; as safe as any other: what is promised is tried out here.
const IMPOSTAZIONI: [(&str, &str); 6] = [
    ("shared_buffers", "32MB"),
    ("max_connections", "200"),
    ("fsync", "on"),
    ("synchronous_commit", "on"),
    // A refused row is told without its values: they may be somebody's codice fiscale.
    ("log_error_verbosity", "terse"),
    ("log_line_prefix", "%m [%p] %q%u@%d "),
];

const SUPERUTENTE: &str = "varco";
const DATI: &str = "data";
const GIORNALE: &str = "postgres.log";
const GIORNALE_RIGHE: usize = 12;
const PORTA: u16 = 5432;

/// A server that has not written its pid file by then is not coming.
const NASCITA: Duration = Duration::from_secs(10);

/// `sun_path` holds 108 bytes on Linux, its end mark included.
const SOCKET_MAX: usize = 107;

fn socket_len(cartella: &Path) -> usize {
    cartella.as_os_str().len() + "/.s.PGSQL.65535".len()
}

/// A folder that goes when it is dropped.
#[derive(Debug)]
struct Temporanea(PathBuf);

impl Temporanea {
    /// A new folder for this user, in the first place that allows one with a short name.
    fn new(utente: Utente) -> Result<Self> {
        let mut causa = anyhow!("ogni nome è troppo lungo");
        for sotto in [std::env::temp_dir(), "/tmp".into(), "/var/tmp".into()] {
            let nuova = new_folder(&sotto).and_then(|nuova| {
                utente.check_way(&nuova.0)?;
                utente.give(&nuova.0, 0o700)?;
                Ok(nuova)
            });
            match nuova {
                Ok(nuova) if socket_len(&nuova.0) <= SOCKET_MAX => return Ok(nuova),
                Ok(_) => {}
                Err(errore) => causa = errore,
            }
        }
        Err(causa.context("nessuna cartella temporanea per il cluster PostgreSQL"))
    }
}

impl Drop for Temporanea {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn new_folder(sotto: &Path) -> Result<Temporanea> {
    // No name twice: a folder is removed by its guard and by us, and in between it is nobody's.
    static ULTIMA: AtomicU32 = AtomicU32::new(0);
    let sotto = sotto
        .canonicalize()
        .with_context(|| format!("impossibile vedere {}", sotto.display()))?;
    loop {
        let numero = ULTIMA.fetch_add(1, Ordering::Relaxed);
        let cartella = sotto.join(format!("varco-pg-{}-{numero}", std::process::id()));
        match DirBuilder::new().mode(0o700).create(&cartella) {
            Err(errore) if errore.kind() == ErrorKind::AlreadyExists => {}
            altro => {
                altro.with_context(|| format!("impossibile creare {}", cartella.display()))?;
                return Ok(Temporanea(cartella));
            }
        }
    }
}

fn free_port() -> Result<u16> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
        .and_then(|porta| porta.local_addr())
        .map(|indirizzo| indirizzo.port())
        .context("nessuna porta libera su 127.0.0.1")
}

/// initdb beside the final place, then moved there: a cluster is there whole or not at all.
fn lay_down(binaries: &Binaries, utente: Utente, dati: &Path, di_passaggio: bool) -> Result<()> {
    let nuovi = dati.with_extension("new");
    let _ = fs::remove_dir_all(&nuovi);
    let mut initdb = binaries.command("initdb");
    initdb
        .arg("-D")
        .arg(&nuovi)
        .args(["-U", SUPERUTENTE, "--auth=trust", "--encoding=UTF8", "--locale=C"]);
    if di_passaggio {
        // What no crash shall survive need not be on the disk before the first start.
        initdb.arg("--no-sync");
    }
    let esito = utente
        .run_as(&mut initdb)
        .output()
        .with_context(|| format!("{} non si avvia", binaries.cartella.join("initdb").display()))?;
    ensure!(
        esito.status.success(),
        "initdb non riesce in {}:\n{}",
        dati.display(),
        String::from_utf8_lossy(&esito.stderr).trim()
    );
    fs::rename(&nuovi, dati).with_context(|| format!("impossibile creare {}", dati.display()))
}

/// The guard, told all but the arguments of the server. A process group of its own: Ctrl-C is for us, not for it.
fn guard(binaries: &Binaries, utente: Utente, cartella: &Path, temporanea: Option<&Temporanea>) -> Command {
    let mut guardia = Command::new("sh");
    without_settings(&mut guardia)
        .args(["-c", include_str!("guardia.sh"), "guardia"])
        .arg(temporanea.map_or_else(PathBuf::new, |temporanea| temporanea.0.clone()))
        .arg(cartella.join(GIORNALE))
        .arg(binaries.cartella.join("postgres"))
        .current_dir("/")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .process_group(0);
    utente.run_as(&mut guardia);
    guardia
}

/// A name as SQL writes it.
fn quoted(nome: &str) -> String {
    format!("\"{}\"", nome.replace('"', "\"\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_of_any_kind_stands_in_sql() {
        assert_eq!(quoted("no\"me"), "\"no\"\"me\"");
    }

    #[test]
    fn the_newest_packaged_version_comes_first() {
        let sotto = tempfile::tempdir().unwrap();
        for nome in ["9", "15", "16", "comune"] {
            fs::create_dir(sotto.path().join(nome)).unwrap();
        }
        let versioni: Vec<_> = packaged(sotto.path())
            .iter()
            .map(|bin| {
                bin.strip_prefix(sotto.path())
                    .unwrap()
                    .to_str()
                    .unwrap()
                    .to_owned()
            })
            .collect();
        assert_eq!(versioni, ["16/bin", "15/bin", "9/bin"]);
        assert_eq!(packaged(&sotto.path().join("manca")), Vec::<PathBuf>::new());
    }
}
