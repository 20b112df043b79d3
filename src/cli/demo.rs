//! `varco demo`: the main job in one minute, and a sandbox that stays. It lays down in a folder all that a gateway
//! needs, starts it in this process, sends a domanda of made-up people over real mutual TLS, and sends the same message
//! again: one number. What is already there is kept, so the next run gives the next number. With `--store postgres` the
//! store is a database of a throw-away cluster in the same folder, and the gateway speaks to it as it would in earnest:
//! laid down by its owner, used as `varco_gateway`.

use std::fmt::Write as _;
use std::fs::Permissions;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, anyhow};
use jiff::Timestamp;

use super::cluster::{self, Binaries, Cluster};
use super::dev_certs::{self, Opzioni};
use super::sample;
use super::send::busta::{Busta, Operatore};
use super::send::cliente::{Cliente, Credenziali};
use super::send::risposta::Esito;
use super::send::send_envelope;
use super::{Uscita, reachable, serve};
use crate::clock::{Clock as _, WallClock};
use crate::console::password;
use crate::domanda::campione::{Ampiezza, Mittente, Spunto};
use crate::prestazione::{PRESTAZIONI, Prestazione};
use crate::protocollo::data_a_roma;
use crate::soap::SoapVersion;
use crate::store::operatori::{NuovoOperatore, Ruolo};
use crate::store::{self, OpenOptions, PostgresUrl, StoreUrl};

/// Of the cluster that belongs to a sandbox.
const DATABASE: &str = "varco";
const GATEWAY: &str = "varco_gateway";

/// What to look at as the engine.
const LETTURA: &str = "SELECT protocollo, ente, presentata_il, numero_schede FROM motore_domande_v1";

const LISTEN: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 8443);

const CONSOLE: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 0);
/// Who looks at the sandbox.
const OPERATORE: &str = "demo";

const MITTENTE: Mittente<'_> = Mittente {
    ente: "PAT01",
    ufficio: "001",
    user_id: "operatore",
};

/// Where the sandbox lies and where it listens.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Cartella della prova: configurazione, certificati, archivio (predefinita: demo)
    #[arg(long, value_name = "CARTELLA", default_value = "demo")]
    dir: PathBuf,
    /// Indirizzo e porta su cui ascoltare (predefinito: 127.0.0.1:8443, o quello della prova precedente)
    #[arg(long, value_name = "INDIRIZZO:PORTA")]
    listen: Option<SocketAddr>,
    /// Da quale istante parte l'orologio di servizio, come 2021-07-15T10:00:00Z: governa finestre, età e anno del
    /// protocollo; da lì prosegue (predefinito: l'ora vera)
    #[arg(long, value_name = "ISTANTE")]
    orologio: Option<Timestamp>,
    /// Servizio a cui è destinata la domanda di prova (predefinito: AssegnoTemporaneo)
    #[arg(long, value_name = "NOME", default_value = PRESTAZIONI[0].servizio, value_parser = sample::servizio)]
    servizio: &'static Prestazione,
    /// L'archivio: sqlite (predefinito), postgres (un server tutto suo nella cartella della prova, dai programmi
    /// installati), o l'URL postgres://… di un database; senza, quello della prova precedente
    #[arg(long, value_name = "ARCHIVIO")]
    store: Option<String>,
}

/// Where the sandbox keeps its domande, as it is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Archivio {
    /// In a file.
    Sqlite,
    /// In a cluster of its own.
    Postgres,
    /// In a database that somebody else looks after.
    Altrove(PostgresUrl),
}

impl Archivio {
    /// Not by clap, which would repeat what was written, its password included.
    fn parse(testo: &str) -> Result<Self> {
        match testo {
            "sqlite" => Ok(Self::Sqlite),
            "postgres" => Ok(Self::Postgres),
            url => url.parse().map(Self::Altrove).map_err(|_| {
                anyhow!("--store: ammessi sqlite, postgres, o l'URL postgres://UTENTE@HOST/DATABASE di un database")
            }),
        }
    }
}

impl Args {
    /// Lays down, starts, sends twice, serves until Ctrl-C.
    pub async fn run(self) -> Result<Uscita> {
        let archivio = self.store.as_deref().map(Archivio::parse).transpose()?;
        let file = self.lay_down(archivio.as_ref())?;
        let cluster = self.cluster(&file, archivio.as_ref()).await?;
        let mut config = super::read_config(&file)?;
        // On a port that is free, unless the file says where.
        config.console.indirizzo.get_or_insert(CONSOLE);
        match &config.store {
            StoreUrl::Sqlite(store) => outln!("archivio      {} (sandbox)", store.display()),
            StoreUrl::Postgres(url) => outln!("archivio      {url} (sandbox)"),
        }
        // A clock that was moved has run on since its start, so a domanda of that day is never in its future.
        let inizio = config.orologio.inizio;
        let in_ascolto = serve::start(config, serve::Parts::default()).await?;
        let indirizzo = in_ascolto.local_addr();
        outln!("in ascolto    https://{indirizzo}");
        // With port 0 the file cannot know: what was free stands there from now on.
        set_address(&file, indirizzo)?;

        let dir = self.dir.clone();
        let presentazione = data_a_roma(inizio.unwrap_or_else(|| WallClock::default().wall()));
        let servizio = self.servizio;
        let invii =
            tokio::task::spawn_blocking(move || send_twice(&dir, servizio, indirizzo, presentazione)).await?;
        // Before the receipts are told: a script stops the demo as soon as it reads them.
        let fine = wait_for_signal()?;
        let registrate = match invii {
            Ok(esiti) => tell(&esiti),
            Err(error) => {
                in_ascolto.stop().await;
                return Err(error);
            }
        };
        if !registrate {
            in_ascolto.stop().await;
            return Ok(Uscita::Rifiutato);
        }
        tell_console(&in_ascolto).await?;
        self.tell_what_next(indirizzo, cluster.as_ref());
        fine.await;
        outln!("\nil varco si ferma");
        in_ascolto.stop().await;
        Ok(Uscita::Fatto)
    }

    /// The cluster of this sandbox, started, with a database that its owner laid down; `None` where it keeps its
    /// domande elsewhere.
    async fn cluster(&self, file: &Path, archivio: Option<&Archivio>) -> Result<Option<Cluster>> {
        let cartella = self.dir.join("postgres");
        let config = super::read_config(file)?;
        let suo = match archivio {
            Some(archivio) => *archivio == Archivio::Postgres,
            None => cartella.is_dir() && is_of_a_cluster(&config.store),
        };
        if !suo {
            return Ok(None);
        }
        let cluster = tokio::task::spawn_blocking(move || {
            let opzioni = cluster::Opzioni {
                cartella: Some(cartella),
                ..cluster::Opzioni::default()
            };
            let cluster = Cluster::start(&Binaries::require()?, &opzioni)?;
            cluster.ensure_database(DATABASE)?;
            anyhow::Ok(cluster)
        })
        .await??;
        outln!(
            "PostgreSQL    {} (un server della prova, che si ferma con essa)",
            cluster.cartella().display()
        );
        let options = OpenOptions {
            create: true,
            orologio_inizio: config.orologio.inizio,
            ..super::store_options(&config)
        };
        let (proprietario, _) = store::open(&StoreUrl::Postgres(cluster.url(DATABASE)), &options).await?;
        proprietario.close().await;
        set_store(file, cluster.url_as(GATEWAY, DATABASE).as_str())?;
        Ok(Some(cluster))
    }

    /// Certificates, adesioni and configuration; answers where the configuration is.
    fn lay_down(&self, archivio: Option<&Archivio>) -> Result<PathBuf> {
        let certs = self.dir.join("certs");
        let file = self.dir.join("varco.toml");
        let listen = self.listen.unwrap_or(LISTEN);
        let mut opzioni = Opzioni::at(WallClock::default().wall());
        if !listen.ip().is_loopback() && !listen.ip().is_unspecified() {
            opzioni.nomi.push(listen.ip().to_string());
        }
        let fatti = dev_certs::make(&certs, &opzioni)?;
        let nuovi = if fatti.scritti.is_empty() {
            "già presenti"
        } else {
            "creati ora"
        };
        outln!("certificati   {} ({nuovi})", certs.display());

        let firma = self.dir.join("firma.pem");
        if !firma.exists() {
            super::trace_prova::make_key(&firma)?;
        }
        write_new(&self.dir.join("adesioni.toml"), &adesioni())?;
        let scritta = write_new(&file, &configuration(listen, self.orologio))?;
        if !scritta {
            if let Some(listen) = self.listen {
                set_address(&file, listen)?;
            }
            if let Some(inizio) = self.orologio {
                set(&file, "inizio", &format!("\"{inizio}\""))?;
            }
        }
        match archivio {
            Some(Archivio::Sqlite) => set_store(&file, "sqlite:store.db")?,
            Some(Archivio::Altrove(url)) => {
                if url.to_string() != url.as_str() {
                    // It holds a password from now on.
                    std::fs::set_permissions(&file, Permissions::from_mode(0o600))
                        .with_context(|| format!("impossibile riservare {}", file.display()))?;
                }
                set_store(&file, url.as_str())?;
            }
            Some(Archivio::Postgres) | None => {}
        }
        Ok(file)
    }

    fn tell_what_next(&self, indirizzo: SocketAddr, cluster: Option<&Cluster>) {
        let varco = std::env::args().next().unwrap_or_else(|| "varco".to_owned());
        let dir = self.dir.display();
        let url = format!(
            "{}/modi/soap/{}/v1/?wsdl",
            reachable(indirizzo),
            self.servizio.servizio
        );
        outln!(
            "\nDa provare in un altro terminale:\n\
             \n  {varco} send --config {dir}/varco.toml {dir}/domanda.xml\
             \n  curl --cacert {dir}/certs/ca.pem --cert {dir}/certs/pat01.pem --key {dir}/certs/pat01.key '{url}'\
             \n  {varco} trace --config {dir}/varco.toml"
        );
        if let Some(cluster) = cluster {
            outln!("  {} -c '{LETTURA}'", cluster.psql("varco_motore", DATABASE));
        }
        outln!("\nIl varco resta in ascolto: Ctrl-C per fermarlo.");
    }
}

/// Where the console is, and who may sign in: an operator of the sandbox, with a password that is made when they are.
async fn tell_console(in_ascolto: &serve::Running) -> Result<()> {
    let Some(console) = in_ascolto.console() else {
        return Ok(());
    };
    let generata = password::generate()?;
    let nuovo = NuovoOperatore {
        nome: OPERATORE.to_owned(),
        ruolo: Ruolo::Gestore,
        password: Some(password::keep(&generata, OPERATORE)?),
        certificato_sha256: None,
    };
    let adesso = WallClock::default().wall();
    let con = if in_ascolto.store().add_operatore(&nuovo, adesso).await? {
        format!("nome {OPERATORE}, password {generata}")
    } else {
        format!("nome {OPERATORE}; un'altra password: varco operator passwd {OPERATORE} --genera")
    };
    outln!("\nconsole       {} ({con})", console.url());
    Ok(())
}

/// Sends a fresh sample, then the same bytes again; leaves another one in the folder for who wants to try.
fn send_twice(
    dir: &Path,
    servizio: &'static Prestazione,
    indirizzo: SocketAddr,
    presentazione: jiff::civil::Date,
) -> Result<[Esito; 2]> {
    let certs = dir.join("certs");
    let credenziali = Credenziali {
        cert: &certs.join("pat01.pem"),
        key: &certs.join("pat01.key"),
        ca: &certs.join("ca.pem"),
    };
    let cliente = Cliente::new(&reachable(indirizzo), credenziali, 1, 3)?;
    let message = || {
        let seme = sample::fresh_seed();
        let spunto = Spunto {
            contatore: seme,
            presentazione,
            mittente: MITTENTE,
            ampiezza: Ampiezza::Intera,
        };
        let chiave = sample::chiave(seme, presentazione);
        sample::envelope(servizio, &spunto, &chiave, SoapVersion::V12)
    };
    let da_provare = dir.join("domanda.xml");
    std::fs::write(&da_provare, message())
        .with_context(|| format!("impossibile scrivere {}", da_provare.display()))?;
    let testo = message();
    let busta = Busta::of(
        testo.as_bytes(),
        Path::new("demo.xml"),
        None,
        &Operatore::default(),
    )?;
    Ok([send_envelope(&cliente, &busta)?, send_envelope(&cliente, &busta)?])
}

/// Prints both outcomes; `true` when both are the same registration.
fn tell(esiti: &[Esito; 2]) -> bool {
    let [prima, seconda] = esiti;
    out!("\nDomanda inviata:\n{prima}");
    out!("\nLo stesso messaggio, di nuovo:\n{seconda}");
    match (prima, seconda) {
        (Esito::Registrata(prima), Esito::Registrata(seconda)) => {
            prima.ricevuta == seconda.ricevuta && seconda.ripetizione
        }
        _ => false,
    }
}

/// Waits for Ctrl-C or SIGTERM. It is listened for from the call on, not from the first look at the future: who sends one
/// when it has seen our last line, or the line before, is heard.
pub(super) fn wait_for_signal() -> Result<impl Future<Output = ()>> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut termine = signal(SignalKind::terminate()).context("SIGTERM non si può attendere")?;
    let mut interrotto = signal(SignalKind::interrupt()).context("Ctrl-C non si può attendere")?;
    Ok(async move {
        tokio::select! {
            _ = interrotto.recv() => {}
            _ = termine.recv() => {}
        }
    })
}

/// Writes a file that is not there yet; `true` when it did.
fn write_new(file: &Path, testo: &str) -> Result<bool> {
    use std::io::Write as _;
    match std::fs::File::create_new(file) {
        Ok(mut nuovo) => nuovo
            .write_all(testo.as_bytes())
            .with_context(|| format!("impossibile scrivere {}", file.display()))
            .map(|()| true),
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => Ok(false),
        Err(error) => Err(error).with_context(|| format!("impossibile scrivere {}", file.display())),
    }
}

/// Sets one key of the configuration that [`configuration`] wrote; all that people added to the file stays.
fn set(file: &Path, chiave: &str, valore: &str) -> Result<()> {
    let testo =
        std::fs::read_to_string(file).with_context(|| format!("impossibile leggere {}", file.display()))?;
    let nuovo = replaced(&testo, chiave, valore);
    if nuovo != testo {
        std::fs::write(file, nuovo).with_context(|| format!("impossibile scrivere {}", file.display()))?;
    }
    Ok(())
}

fn set_store(file: &Path, store: &str) -> Result<()> {
    set(file, "store", &toml::Value::from(store).to_string())
}

/// Whether a store is what [`Args::cluster`] wrote: a socket's, for the gateway's role.
fn is_of_a_cluster(store: &StoreUrl) -> bool {
    match store {
        StoreUrl::Postgres(url) => {
            url.as_str().starts_with("postgres:///") && url.as_str().contains(&format!("&user={GATEWAY}&"))
        }
        StoreUrl::Sqlite(_) => false,
    }
}

fn set_address(file: &Path, indirizzo: SocketAddr) -> Result<()> {
    set(file, "indirizzo", &format!("\"{indirizzo}\""))?;
    set(
        file,
        "indirizzo_pubblico",
        &format!("\"{}\"", reachable(indirizzo)),
    )
}

/// The text with the line of a key replaced.
fn replaced(testo: &str, chiave: &str, valore: &str) -> String {
    let mut nuovo = String::with_capacity(testo.len());
    for riga in testo.split_inclusive('\n') {
        match riga.trim_start().split_once('=') {
            Some((nome, _)) if nome.trim() == chiave => {
                let _ = writeln!(nuovo, "{chiave} = {valore}");
            }
            _ => nuovo.push_str(riga),
        }
    }
    nuovo
}

fn configuration(listen: SocketAddr, orologio: Option<Timestamp>) -> String {
    let pubblico = reachable(listen);
    let inizio = orologio.map(|inizio| inizio.to_string()).unwrap_or_default();
    format!(
        "# Il varco di prova che `varco demo` ha preparato. Ogni chiave è spiegata in docs/varco.sample.toml.\n\
         ambiente = \"sandbox\"\n\
         store = \"sqlite:store.db\"\n\
         adesioni = \"adesioni.toml\"\n\
         \n\
         [listener]\n\
         indirizzo = \"{listen}\"\n\
         indirizzo_pubblico = \"{pubblico}\"\n\
         \n\
         [tls]\n\
         certificato = \"certs/server.pem\"\n\
         chiave = \"certs/server.key\"\n\
         ca = \"certs/ca.pem\"\n\
         crl = \"certs/crl.pem\"\n\
         \n\
         [orologio]\n\
         # Da quale istante parte l'orologio di servizio, come \"2021-07-15T10:00:00Z\"; \"\" = l'ora vera.\n\
         inizio = \"{inizio}\"\n\
         \n\
         [registro]\n\
         # La chiave che firma la chiusura di ogni giorno della catena di prova (varco trace verify).\n\
         firma = \"firma.pem\"\n"
    )
}

/// The enti of the demonstration, each granted every service. PAT01 also owns the revoked and the expired certificate:
/// so their refusal is about the certificate alone.
fn adesioni() -> String {
    let servizi: Vec<String> = PRESTAZIONI
        .iter()
        .map(|prestazione| format!("{} = [\"*\"]", prestazione.servizio))
        .collect();
    ADESIONI.replace("{servizi}", &servizi.join(", "))
}

const ADESIONI: &str = "\
# Gli enti della prova. Ogni chiave è spiegata in docs/adesioni.sample.toml.

[[ente]]
codice = \"PAT01\"
denominazione = \"Patronato di prova uno\"
codice_fiscale = \"80078750587\"
certificati = [
  { file = \"certs/pat01.pem\" },
  { file = \"certs/revoked.pem\" },
  { file = \"certs/expired.pem\" },
]
uffici = [\"001\", \"002\"]
servizi = { {servizi} }

[[ente.pdd]]
mittente = \"PatronatoUno\"
porta = \"PatronatoUnoSPCoopIT\"
user_id = \"porta\"
codice_ufficio = \"001\"

[[ente]]
codice = \"PAT02\"
denominazione = \"Patronato di prova due\"
codice_fiscale = \"97049620582\"
certificati = [{ file = \"certs/pat02.pem\" }]
uffici = [\"001\"]
servizi = { {servizi} }

[[ente.pdd]]
mittente = \"PatronatoDue\"
porta = \"PatronatoDueSPCoopIT\"
user_id = \"porta\"
codice_ufficio = \"001\"
";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::adesione::Adesioni;
    use crate::cli::read_config;
    use crate::domanda::Ambiente;

    fn args(dir: &Path) -> Args {
        Args {
            dir: dir.to_owned(),
            listen: None,
            orologio: None,
            servizio: PRESTAZIONI[0],
            store: None,
        }
    }

    #[test]
    fn what_is_laid_down_stays_and_is_whole() {
        let dir = tempfile::tempdir().unwrap();
        args(dir.path()).lay_down(None).unwrap();
        let prima = std::fs::read(dir.path().join("certs/pat01.pem")).unwrap();
        let file = args(dir.path()).lay_down(None).unwrap();
        assert_eq!(std::fs::read(dir.path().join("certs/pat01.pem")).unwrap(), prima);
        let config = read_config(&file).unwrap();
        assert_eq!(config.listener.indirizzo, LISTEN);
        assert!(config.tls.crl.is_some_and(|crl| crl.is_file()));
        let adesioni = Adesioni::load(&dir.path().join("adesioni.toml")).unwrap();
        let codici: Vec<_> = adesioni.enti().iter().map(|ente| ente.codice.as_str()).collect();
        assert_eq!(codici, ["PAT01", "PAT02"]);
        assert_eq!(adesioni.enti()[0].certificati.len(), 3);
        for ente in adesioni.enti() {
            assert_eq!(ente.servizi.len(), PRESTAZIONI.len(), "{}", ente.codice);
        }
    }

    #[test]
    fn the_store_is_asked_for_by_a_word_or_a_url() {
        let url = "postgres://gw:se%22greto@db.example/varco";
        assert_eq!(Archivio::parse("sqlite").unwrap(), Archivio::Sqlite);
        assert_eq!(Archivio::parse("postgres").unwrap(), Archivio::Postgres);
        let altrove = Archivio::parse(url).unwrap();
        assert_eq!(altrove, Archivio::Altrove(url.parse().unwrap()));
        let errore = Archivio::parse("mysql://gw:segreto@db").unwrap_err().to_string();
        assert!(
            errore.starts_with("--store: ammessi sqlite, postgres"),
            "{errore}"
        );
        assert!(!errore.contains("segreto"));

        let dir = tempfile::tempdir().unwrap();
        let file = args(dir.path()).lay_down(Some(&altrove)).unwrap();
        assert_eq!(
            read_config(&file).unwrap().store,
            StoreUrl::Postgres(url.parse().unwrap())
        );
        let modo = std::fs::metadata(&file).unwrap().permissions().mode();
        assert_eq!(modo & 0o777, 0o600, "it holds a password");
        args(dir.path()).lay_down(None).unwrap();
        assert_eq!(
            read_config(&file).unwrap().store,
            StoreUrl::Postgres(url.parse().unwrap())
        );
        args(dir.path()).lay_down(Some(&Archivio::Sqlite)).unwrap();
        assert_eq!(
            read_config(&file).unwrap().store,
            StoreUrl::Sqlite(dir.path().join("store.db"))
        );
    }

    #[test]
    fn a_second_run_may_listen_elsewhere_and_at_another_time() {
        let dir = tempfile::tempdir().unwrap();
        let file = args(dir.path()).lay_down(None).unwrap();
        assert_eq!(read_config(&file).unwrap().orologio.inizio, None);
        let altrove = Args {
            listen: Some("127.0.0.1:9443".parse().unwrap()),
            orologio: Some("2021-07-15T10:00:00Z".parse().unwrap()),
            ..args(dir.path())
        };
        altrove.lay_down(None).unwrap();
        let config = read_config(&file).unwrap();
        assert_eq!(
            config.orologio.inizio,
            Some("2021-07-15T10:00:00Z".parse().unwrap())
        );
        assert_eq!(config.listener.indirizzo, "127.0.0.1:9443".parse().unwrap());
        assert_eq!(config.listener.indirizzo_pubblico, "https://127.0.0.1:9443");
        assert_eq!(config.ambiente, Ambiente::Sandbox);
    }
}
