//! A gateway of its own for each test: real mutual TLS on port 0, a fresh store of one kind or the
//! other, a clock that stands still, ids that
//! count. The certificates are made once a run.

use std::fmt::Write as _;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use jiff::Timestamp;
use tempfile::TempDir;
use ureq::tls::{Certificate, ClientCert, PrivateKey, RootCerts, TlsConfig};
use uuid::Uuid;
use varco::cli::dev_certs;
use varco::cli::serve::{self, Parts, Running};
use varco::clock::{Clock, CountedIds, HandClock, Ids, WallClock};
use varco::config::Config;
use varco::domanda::Ambiente;
use varco::listener::Ricarica;
use varco::prestazione::PRESTAZIONI;
use varco::store::SharedStore;

use crate::postgres;

/// The Content-Type of SOAP 1.2.
pub(crate) const SOAP_12: &str = "application/soap+xml; charset=UTF-8";

/// What a gateway keeps its domande in.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Archivio {
    /// The embedded store.
    #[default]
    Sqlite,
    /// A database of the run's own PostgreSQL.
    Postgres,
}

impl Archivio {
    /// Where a fresh one is, as varco.toml says it.
    fn fresh(self, ambiente: &str) -> String {
        match self {
            Self::Sqlite => "sqlite:store.db".to_owned(),
            Self::Postgres => {
                let ambiente = [Ambiente::Sandbox, Ambiente::Collaudo, Ambiente::Produzione]
                    .into_iter()
                    .find(|altro| altro.as_str() == ambiente)
                    .unwrap();
                let database = postgres::fresh_database(ambiente).unwrap();
                postgres::cluster().unwrap().url(&database).as_str().to_owned()
            }
        }
    }
}

/// Makes two tests of each of these functions, one on each store: `sqlite::…` and `postgres::…`. Where there is no
/// PostgreSQL the second one passes, and says so.
macro_rules! on_both_stores {
    ($($test:ident,)+) => {
        mod sqlite {
            $(
                #[test]
                fn $test() {
                    super::$test($crate::helpers::Archivio::Sqlite);
                }
            )+
        }

        mod postgres {
            $(
                #[test]
                fn $test() {
                    if $crate::postgres::binaries().is_some() {
                        super::$test($crate::helpers::Archivio::Postgres);
                    }
                }
            )+
        }
    };
}
pub(crate) use on_both_stores;

/// How a gateway is set up; all of it has a usual value.
#[derive(Debug, Default, Clone, serde::Deserialize)]
#[serde(default)]
pub(crate) struct Setting {
    /// What the clock shows; a day within the window unless told.
    pub(crate) orologio: Option<String>,
    /// The environment; sandbox unless told.
    pub(crate) ambiente: Option<String>,
    /// `strict` or `lenient`.
    pub(crate) identity: Option<String>,
    /// The state of PAT01.
    pub(crate) stato: Option<String>,
    /// From where PAT01 may connect.
    pub(crate) indirizzi: Option<String>,
    /// What PAT01 was granted.
    pub(crate) operazioni: Option<String>,
    /// Only this ente has joined.
    pub(crate) solo: Option<String>,
    /// Requests a minute for PAT01.
    pub(crate) quota: Option<u32>,
    /// The listener's section of varco.toml; port 0 and one worker unless told.
    pub(crate) listener: Option<String>,
    /// The section of varco.toml about lots.
    pub(crate) lotti: Option<String>,
    /// What else the porta di dominio of PAT01 says; an operator unless told.
    pub(crate) pdd: Option<String>,
    /// More sections of varco.toml: where it tells its health.
    pub(crate) salute: Option<String>,
    /// More keys of section tls.
    pub(crate) tls: Option<String>,
    /// What it keeps its domande in.
    #[serde(skip)]
    pub(crate) archivio: Archivio,
}

impl Setting {
    /// The usual one, on this store.
    pub(crate) fn on(archivio: Archivio) -> Self {
        Self {
            archivio,
            ..Self::default()
        }
    }
}

/// A gateway at work.
pub(crate) struct Gateway {
    /// Its folder: varco.toml, adesioni.toml, and store.db where it has one.
    pub(crate) dir: TempDir,
    /// Its clock.
    pub(crate) clock: Arc<HandClock>,
    /// How many ids its worker of lots still gets: whoever asks for the last of them panics.
    pub(crate) ids_dei_lotti: Arc<AtomicU64>,
    running: Option<Running>,
    runtime: Option<tokio::runtime::Runtime>,
    addr: SocketAddr,
}

/// A patronato with its certificate.
pub(crate) struct Client {
    agent: ureq::Agent,
    url: String,
}

/// What came back.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) content_type: String,
    pub(crate) headers: ureq::http::HeaderMap,
    pub(crate) body: Vec<u8>,
}

impl Reply {
    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The text of the first element of this local name, whatever its prefix.
    pub(crate) fn value(&self, nome: &str) -> Option<String> {
        self.values(nome).into_iter().next()
    }

    /// The texts of all elements of this local name.
    pub(crate) fn values(&self, nome: &str) -> Vec<String> {
        let testo = self.text();
        let mut found = Vec::new();
        for parte in testo.split('<').skip(1) {
            let Some((tag, dopo)) = parte.split_once('>') else {
                continue;
            };
            let qname = tag.split([' ', '/']).next().unwrap_or_default();
            if !tag.starts_with('/') && qname.rsplit(':').next() == Some(nome) {
                found.push(dopo.to_owned());
            }
        }
        found
    }

    pub(crate) fn header(&self, nome: &str) -> Option<&str> {
        self.headers.get(nome).and_then(|valore| valore.to_str().ok())
    }
}

/// The folder of the run's certificates.
pub(crate) fn certs() -> &'static Path {
    static CERTS: OnceLock<(TempDir, PathBuf)> = OnceLock::new();
    let (_, path) = CERTS.get_or_init(|| {
        let dir = TempDir::new().unwrap();
        dev_certs::make(dir.path(), &dev_certs::Opzioni::at(WallClock::default().wall())).unwrap();
        let path = dir.path().to_owned();
        (dir, path)
    });
    path
}

/// A clock that breaks: whoever asks it for the time of rules after [`FINE_DEI_TEMPI`] panics.
#[derive(Debug)]
struct Fragile(Arc<HandClock>);

/// Later than any test but the one that breaks the clock.
pub(crate) const FINE_DEI_TEMPI: &str = "2090-01-01T00:00:00Z";

impl Clock for Fragile {
    fn wall(&self) -> Timestamp {
        self.0.wall()
    }

    fn business(&self) -> Timestamp {
        let ora = self.0.business();
        assert!(ora < FINE_DEI_TEMPI.parse().unwrap(), "the clock broke");
        ora
    }
}

/// Ids that come to an end for the worker of lots, once.
#[derive(Debug)]
struct Contati {
    ids: CountedIds,
    dei_lotti: Arc<AtomicU64>,
}

impl Ids for Contati {
    fn next(&self) -> Uuid {
        if std::thread::current().name() == Some("lotti") {
            assert_ne!(self.dei_lotti.fetch_sub(1, Ordering::Relaxed), 1, "no id is left");
        }
        self.ids.next()
    }
}

impl Gateway {
    /// A gateway in a fresh folder.
    pub(crate) fn spawn(setting: &Setting) -> Self {
        Self::spawn_in(TempDir::new().unwrap(), setting)
    }

    /// A gateway in a folder that may hold a store already.
    pub(crate) fn spawn_in(dir: TempDir, setting: &Setting) -> Self {
        write_files(dir.path(), setting);
        let now: Timestamp = setting
            .orologio
            .as_deref()
            .unwrap_or("2021-07-15T10:00:00Z")
            .parse()
            .unwrap();
        let clock = Arc::new(HandClock::business_at(now));
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .unwrap();
        let config = Config::load(&dir.path().join("varco.toml"), &Vec::new())
            .unwrap()
            .config;
        let ids_dei_lotti = Arc::new(AtomicU64::new(u64::MAX));
        let parts = Parts {
            clock: Some(Arc::new(Fragile(clock.clone()))),
            ids: Some(Arc::new(Contati {
                ids: CountedIds::default(),
                dei_lotti: Arc::clone(&ids_dei_lotti),
            })),
        };
        let running = runtime.block_on(serve::start(config, parts)).unwrap();
        let addr = running.local_addr();
        Self {
            dir,
            clock,
            ids_dei_lotti,
            running: Some(running),
            runtime: Some(runtime),
            addr,
        }
    }

    /// Another gateway on the store of this one.
    pub(crate) fn beside(&self, setting: &Setting) -> Self {
        let dir = TempDir::new().unwrap();
        std::fs::copy(self.dir.path().join("store.txt"), dir.path().join("store.txt")).unwrap();
        Self::spawn_in(dir, setting)
    }

    /// What its clock shows to the rules.
    pub(crate) fn clock_now(&self) -> Timestamp {
        self.clock.business()
    }

    pub(crate) fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// Where it tells its health.
    pub(crate) fn salute(&self) -> SocketAddr {
        self.running.as_ref().unwrap().salute().unwrap().local_addr()
    }

    /// Where its console is.
    pub(crate) fn console(&self) -> String {
        self.running.as_ref().unwrap().console().unwrap().url()
    }

    /// Where its trial door is.
    pub(crate) fn prova(&self) -> SocketAddr {
        self.running.as_ref().unwrap().prova().unwrap().local_addr()
    }

    pub(crate) fn tells_its_health(&self) -> bool {
        self.running.as_ref().unwrap().salute().is_some()
    }

    /// Says that it is about to stop.
    pub(crate) fn leave(&self) {
        self.running.as_ref().unwrap().salute().unwrap().leave();
    }

    /// Its store, to look into.
    /// What SIGHUP does to a process.
    pub(crate) fn reload(&self) -> Ricarica {
        self.running.as_ref().unwrap().reload()
    }

    /// Where its files are.
    pub(crate) fn dir(&self) -> &Path {
        self.dir.path()
    }

    pub(crate) fn store(&self) -> &SharedStore {
        self.running.as_ref().unwrap().store()
    }

    /// Runs a future to its end.
    pub(crate) fn block_on<F: Future>(&self, future: F) -> F::Output {
        self.runtime.as_ref().unwrap().block_on(future)
    }

    /// A client of the first service, with one of the run's certificates.
    pub(crate) fn client(&self, certificato: &str) -> Client {
        self.client_of(PRESTAZIONI[0].servizio, certificato)
    }

    /// A client of a service, with one of the run's certificates.
    pub(crate) fn client_of(&self, servizio: &str, certificato: &str) -> Client {
        Client {
            agent: agent(Some(certificato)),
            url: format!("https://localhost:{}/modi/soap/{servizio}/v1/", self.addr.port()),
        }
    }

    /// A porta di dominio, with one of the run's certificates.
    pub(crate) fn porta(&self, certificato: &str) -> Client {
        Client {
            agent: agent(Some(certificato)),
            url: format!("https://localhost:{}/PD", self.addr.port()),
        }
    }

    /// Stops serving and gives the folder back, for a gateway after it.
    pub(crate) fn stop(mut self) -> TempDir {
        self.halt();
        std::mem::replace(&mut self.dir, TempDir::new().unwrap())
    }

    fn halt(&mut self) {
        if let (Some(running), Some(runtime)) = (self.running.take(), self.runtime.take()) {
            runtime.block_on(running.stop());
            runtime.shutdown_timeout(Duration::from_secs(5));
        }
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        self.halt();
    }
}

impl Client {
    pub(crate) fn post(&self, body: &[u8]) -> Reply {
        self.post_as(body, SOAP_12)
    }

    pub(crate) fn post_as(&self, body: &[u8], content_type: &str) -> Reply {
        reply(
            self.agent
                .post(&self.url)
                .header("Content-Type", content_type)
                .send(body)
                .unwrap(),
        )
    }

    /// As a porta di dominio posts.
    pub(crate) fn post_busta(&self, body: &[u8]) -> Reply {
        self.post_busta_as(body, "text/xml; charset=UTF-8")
    }

    pub(crate) fn post_busta_as(&self, body: &[u8], content_type: &str) -> Reply {
        self.post_porta(body, content_type, "\"InviaDomanda\"")
    }

    pub(crate) fn post_with_action(&self, body: &[u8], azione: &str) -> Reply {
        self.post_porta(body, "text/xml; charset=UTF-8", azione)
    }

    fn post_porta(&self, body: &[u8], content_type: &str, azione: &str) -> Reply {
        let request = self
            .agent
            .post(&self.url)
            .header("Content-Type", content_type)
            .header("SOAPAction", azione);
        reply(request.send(body).unwrap())
    }

    pub(crate) fn get(&self, query: &str) -> Reply {
        reply(self.agent.get(format!("{}{query}", self.url)).call().unwrap())
    }

    pub(crate) fn get_path(&self, path: &str) -> Reply {
        let (base, _) = self.url.split_once("/modi").unwrap();
        reply(self.agent.get(format!("{base}{path}")).call().unwrap())
    }

    pub(crate) fn put(&self) -> Reply {
        reply(self.agent.put(&self.url).send(&b"x"[..]).unwrap())
    }

    /// A POST with one header more.
    pub(crate) fn post_with(&self, body: &[u8], nome: &str, valore: &str) -> Reply {
        let request = self
            .agent
            .post(&self.url)
            .header("Content-Type", SOAP_12)
            .header(nome, valore);
        reply(request.send(body).unwrap())
    }
}

pub(crate) fn reply(mut response: ureq::http::Response<ureq::Body>) -> Reply {
    let body = response
        .body_mut()
        .with_config()
        .limit(64 << 20)
        .read_to_vec()
        .unwrap();
    let content_type = response
        .headers()
        .get("content-type")
        .map(|value| value.to_str().unwrap().to_owned());
    Reply {
        status: response.status().as_u16(),
        content_type: content_type.unwrap_or_default(),
        headers: response.headers().clone(),
        body,
    }
}

/// An agent that trusts the run's CA and shows one of the run's certificates.
pub(crate) fn agent(certificato: Option<&str>) -> ureq::Agent {
    let read = |nome: String| std::fs::read(certs().join(nome)).unwrap();
    let pair = certificato.map(|nome| (read(format!("{nome}.pem")), read(format!("{nome}.key"))));
    agent_with(
        pair.as_ref()
            .map(|(certificato, chiave)| (&certificato[..], &chiave[..])),
    )
}

/// An agent that trusts the run's CA and shows this certificate, in PEM with its key.
pub(crate) fn agent_with(pair: Option<(&[u8], &[u8])>) -> ureq::Agent {
    let ca = Certificate::from_pem(&std::fs::read(certs().join("ca.pem")).unwrap()).unwrap();
    let client_cert = pair.map(|(certificato, chiave)| {
        let certificato = Certificate::from_pem(certificato).unwrap();
        ClientCert::new_with_certs(&[certificato], PrivateKey::from_pem(chiave).unwrap())
    });
    let tls = TlsConfig::builder()
        .client_cert(client_cert)
        .root_certs(RootCerts::new_with_certs(&[ca]))
        .unversioned_rustls_crypto_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .build();
    ureq::Agent::config_builder()
        .tls_config(tls)
        .http_status_as_error(false)
        .timeout_global(Some(Duration::from_mins(1)))
        .build()
        .into()
}

/// The porta di dominio of an ente.
fn porte(codice: &str, setting: &Setting) -> String {
    let nome = if codice == "PAT01" {
        "PatronatoUno"
    } else {
        "PatronatoDue"
    };
    let altre = setting.pdd.as_deref().filter(|_| codice == "PAT01");
    let altre = altre.unwrap_or("user_id = \"pdd\"\ncodice_ufficio = \"001\"\n");
    format!("[[ente.pdd]]\nmittente = \"{nome}\"\nporta = \"{nome}SPCoopIT\"\n{altre}")
}

fn write_files(dir: &Path, setting: &Setting) {
    let certs = certs().display();
    let ambiente = setting.ambiente.as_deref().unwrap_or("sandbox");
    let identity = setting.identity.as_deref().unwrap_or("lenient");
    // The store of a gateway that was here before is the store of the one after it.
    let store_txt = dir.join("store.txt");
    let store = std::fs::read_to_string(&store_txt).unwrap_or_else(|_| setting.archivio.fresh(ambiente));
    std::fs::write(store_txt, &store).unwrap();
    let listener = setting
        .listener
        .as_deref()
        .unwrap_or("[listener]\nindirizzo = \"127.0.0.1:0\"\nworkers = 1\n");
    let lotti = setting.lotti.as_deref().unwrap_or_default();
    let salute = setting.salute.as_deref().unwrap_or_default();
    let tls = setting.tls.as_deref().unwrap_or_default();
    std::fs::write(
        dir.join("varco.toml"),
        format!(
            r#"ambiente = "{ambiente}"
store = "{store}"
adesioni = "adesioni.toml"
{listener}
{salute}
[tls]
certificato = "{certs}/server.pem"
chiave = "{certs}/server.key"
ca = "{certs}/ca.pem"
crl = "{certs}/crl.pem"
{tls}
[identity]
mode = "{identity}"
[lotti]
{lotti}
"#
        ),
    )
    .unwrap();
    let mut enti = String::new();
    for (codice, certificato, uffici) in [
        ("PAT01", "pat01", "\"001\", \"002\""),
        ("PAT02", "pat02", "\"001\""),
    ] {
        if setting.solo.as_deref().is_some_and(|solo| solo != certificato) {
            continue;
        }
        let primo = codice == "PAT01";
        let stato = setting.stato.as_deref().filter(|_| primo).unwrap_or("attivo");
        let indirizzi = setting.indirizzi.as_deref().filter(|_| primo);
        let indirizzi = indirizzi.map_or_else(String::new, |rete| format!("\"{rete}\""));
        let operazioni = setting.operazioni.as_deref().filter(|_| primo).unwrap_or("*");
        let servizi: Vec<String> = PRESTAZIONI
            .iter()
            .map(|prestazione| format!("{} = [\"{operazioni}\"]", prestazione.servizio))
            .collect();
        let servizi = servizi.join(", ");
        let pdd = porte(codice, setting);
        let quota = setting
            .quota
            .filter(|_| primo)
            .map_or_else(String::new, |quota| format!("quota_al_minuto = {quota}\n"));
        let _ = write!(
            enti,
            r#"[[ente]]
codice = "{codice}"
denominazione = "Patronato di prova {codice}"
codice_fiscale = "00743110157"
stato = "{stato}"
certificati = [{{ file = "{certs}/{certificato}.pem" }}]
uffici = [{uffici}]
indirizzi = [{indirizzi}]
servizi = {{ {servizi} }}
{quota}
{pdd}
"#
        );
    }
    std::fs::write(dir.join("adesioni.toml"), enti).unwrap();
}
