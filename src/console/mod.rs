//! The console: pages for who runs the gateway, made on the server, read without a script. A listener of its own
//! ([`crate::listener::console`]), beside the way of a message and never on it.
//!
//! One request, one way: host, route, form, session, origin and token, role, page ([`Console::answer`]). It promises that what
//! a sender wrote is text and nothing else on every page, that a person's values are masked unless somebody with the right gave
//! a written reason, and that who signed in, was refused or looked is in the trace (ADR 20).

mod blocco;
mod campioni;
mod diario;
mod disegno;
mod modulo;
mod pagine;
pub mod password;
mod risposta;
pub mod rotte;
mod sessione;
mod testi;

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use actix_web::http::header::{HOST, ORIGIN};
use actix_web::http::{Method, StatusCode};
use actix_web::{HttpRequest, HttpResponse, web};

use self::blocco::{Blocco, Pazienza};
pub use self::campioni::Campioni;
use self::modulo::Modulo;
use self::password::{PasswordErrata, Setaccio};
use self::rotte::{Altrove, Rotta, Serve};
use self::sessione::Presente;
use self::testi::Lingua;
use crate::clock::{Clock, Ids};
use crate::domanda::Ambiente;
use crate::listener::Porta;
use crate::manutenzione::Custode;
use crate::store::writer::Handle;
use crate::store::{SharedStore, StoreError};
use crate::trace::writer::Tracciati;

/// Section `console` of the configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConsoleConfig {
    /// Where to listen; `None` = nowhere.
    pub indirizzo: Option<SocketAddr>,
    /// The name that browsers come by, where they come by a name.
    pub nome: Option<String>,
    /// Certificate of the server, PEM; without one it listens on loopback alone.
    pub certificato: Option<PathBuf>,
    /// Its private key, PEM.
    pub chiave: Option<PathBuf>,
    /// CAs whose certificates operators may sign in with, PEM.
    pub ca: Option<PathBuf>,
    /// How long a session holds, whatever is done.
    pub sessione: Duration,
    /// How long it holds while nothing is done.
    pub inattivita: Duration,
    /// Sign-ins that are free before one waits.
    pub tentativi: usize,
    /// The first wait; each next one is twice as long.
    pub blocco: Duration,
    /// The longest wait.
    pub blocco_massimo: Duration,
    /// Passwords that are tried at once.
    pub password_insieme: usize,
    /// Bytes of a form.
    pub modulo_bytes_max: usize,
    /// How long a request may take to come.
    pub richiesta: Duration,
    /// Connections at once.
    pub connessioni_max: usize,
    /// How often the counters are looked at for the charts.
    pub campione: Duration,
}

impl Default for ConsoleConfig {
    fn default() -> Self {
        Self {
            indirizzo: None,
            nome: None,
            certificato: None,
            chiave: None,
            ca: None,
            sessione: Duration::from_hours(8),
            inattivita: Duration::from_mins(30),
            tentativi: 5,
            blocco: Duration::from_secs(2),
            blocco_massimo: Duration::from_mins(5),
            password_insieme: 2,
            modulo_bytes_max: 64 * 1024,
            richiesta: Duration::from_secs(10),
            connessioni_max: 64,
            campione: Duration::from_secs(5),
        }
    }
}

/// What the pages tell of.
#[derive(Debug)]
pub struct Fonti {
    /// Messages.
    pub tracce: Tracciati,
    /// The register.
    pub writer: Handle,
    /// The door, with who has joined.
    pub porta: Arc<Porta>,
    /// The store.
    pub store: SharedStore,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Ids of what is written down.
    pub ids: Arc<dyn Ids>,
    /// Which ambiente.
    pub ambiente: Ambiente,
    /// After so long without moving a lot stands still.
    pub fermo_dopo: Duration,
    /// Whether there is maintenance.
    pub custode: Custode,
}

/// The console at work.
#[derive(Debug)]
pub struct Console {
    config: ConsoleConfig,
    /// Whether connections come by TLS.
    cifrata: bool,
    store: SharedStore,
    clock: Arc<dyn Clock>,
    ids: Arc<dyn Ids>,
    fonti: Fonti,
    setaccio: Setaccio,
    blocco: Blocco,
    campioni: Arc<Campioni>,
}

/// The certificate that a connection showed, by its SHA-256 in hex: the listener puts it beside the connection.
#[derive(Debug, Clone)]
pub struct Mostrato(pub String);

/// Why a request gets no page of its own.
#[derive(Debug)]
enum Fallo {
    /// There is nothing of that name.
    NonCe,
    /// Another method is meant.
    Metodo(&'static str),
    /// It was meant for another host.
    Ospite,
    /// It came from another page than ours, or from a session that is no more.
    Origine,
    /// Nobody is signed in.
    Sconosciuto,
    /// The role does not reach so far.
    Vietato,
    /// The form is too long, too slow, or none.
    Modulo(StatusCode),
    /// The store does not answer.
    Archivio(StoreError),
    /// Ours.
    Guasto(String),
}

impl Fallo {
    fn guasto(causa: &impl ToString) -> Self {
        Self::Guasto(causa.to_string())
    }
}

impl From<StoreError> for Fallo {
    fn from(errore: StoreError) -> Self {
        Self::Archivio(errore)
    }
}

/// A request that has come through: who asks, for what, with what.
struct Domanda<'r> {
    console: &'r Console,
    richiesta: &'r HttpRequest,
    lingua: Lingua,
    modulo: Modulo,
    presente: Option<Presente>,
}

impl Console {
    /// Puts it together; `cifrata` = connections come by TLS.
    pub fn new(
        config: ConsoleConfig,
        cifrata: bool,
        fonti: Fonti,
        campioni: Arc<Campioni>,
    ) -> Result<Self, PasswordErrata> {
        Ok(Self {
            cifrata,
            store: Arc::clone(&fonti.store),
            clock: Arc::clone(&fonti.clock),
            ids: Arc::clone(&fonti.ids),
            setaccio: Setaccio::new(config.password_insieme)?,
            blocco: Blocco::new(Pazienza {
                tentativi: u32::try_from(config.tentativi).unwrap_or(u32::MAX),
                primo: config.blocco,
                massimo: config.blocco_massimo,
            }),
            campioni,
            fonti,
            config,
        })
    }

    /// Answers a request, whatever it is.
    pub async fn serve(&self, richiesta: HttpRequest, corpo: web::Payload) -> HttpResponse {
        let lingua = Lingua::chosen(&richiesta);
        let risposta = match self.answer(&richiesta, corpo, lingua).await {
            Ok(risposta) => risposta,
            Err(fallo) => risposta::refuse(&richiesta, lingua, &fallo),
        };
        self.dress(risposta)
    }

    /// The way of a request, step by step.
    async fn answer(
        &self,
        richiesta: &HttpRequest,
        corpo: web::Payload,
        lingua: Lingua,
    ) -> Result<HttpResponse, Fallo> {
        let origine = self.host(richiesta)?;
        let rotta = Rotta::of(richiesta.method(), richiesta.path(), pagine::stile::percorso()).map_err(
            |altrove| match altrove {
                Altrove::NonCe => Fallo::NonCe,
                Altrove::Metodo(metodo) => Fallo::Metodo(metodo),
            },
        )?;
        let scrive = *richiesta.method() == Method::POST;
        if scrive {
            came_from(richiesta, &origine)?;
        }
        let modulo = if scrive {
            self.form(corpo).await?
        } else {
            Modulo::parse(richiesta.query_string())
        };
        let mut domanda = Domanda {
            console: self,
            richiesta,
            lingua,
            modulo,
            presente: None,
        };
        if let Serve::Ruolo(ruolo) = rotta.serve() {
            // A page that refreshes itself is no sign that somebody is there.
            let da_sola = rotta == Rotta::Traffico && domanda.modulo.get("ogni").is_some();
            let presente = self
                .present(richiesta, da_sola)
                .await?
                .ok_or(Fallo::Sconosciuto)?;
            let portato = !scrive || presente.gettone.brought(domanda.modulo.raw("csrf"));
            let arriva = presente.operatore.ruolo >= ruolo;
            domanda.presente = Some(presente);
            if !portato {
                domanda
                    .note_refusal("richiesta senza il segno della sessione")
                    .await?;
                return Err(Fallo::Origine);
            }
            if !arriva {
                domanda
                    .note_refusal(&format!("serve il ruolo {}", ruolo.as_str()))
                    .await?;
                return Err(Fallo::Vietato);
            }
        }
        pagine::show(&domanda, rotta).await
    }

    /// The origin that this request was meant for: an address, `localhost`, or our own name. A page elsewhere that has its
    /// name point here (DNS rebinding) comes by that name, and is nobody's.
    fn host(&self, richiesta: &HttpRequest) -> Result<String, Fallo> {
        let detto = richiesta
            .headers()
            .get(HOST)
            .and_then(|host| host.to_str().ok())
            .ok_or(Fallo::Ospite)?;
        let solo = match detto.rsplit_once(':') {
            Some((nome, porta)) if porta.bytes().all(|cifra| cifra.is_ascii_digit()) => nome,
            _ => detto,
        };
        let indirizzo = solo
            .trim_start_matches('[')
            .trim_end_matches(']')
            .parse::<IpAddr>()
            .is_ok();
        let nostro = self
            .config
            .nome
            .as_deref()
            .is_some_and(|nome| nome.eq_ignore_ascii_case(solo));
        if !indirizzo && !nostro && !solo.eq_ignore_ascii_case("localhost") {
            return Err(Fallo::Ospite);
        }
        let schema = if self.cifrata { "https" } else { "http" };
        Ok(format!("{schema}://{detto}"))
    }

    /// A form, whole and in time.
    async fn form(&self, corpo: web::Payload) -> Result<Modulo, Fallo> {
        let letto = corpo.to_bytes_limited(self.config.modulo_bytes_max);
        let letto = tokio::time::timeout(self.config.richiesta, letto)
            .await
            .map_err(|_| Fallo::Modulo(StatusCode::REQUEST_TIMEOUT))?
            .map_err(|_| Fallo::Modulo(StatusCode::PAYLOAD_TOO_LARGE))?
            .map_err(|_| Fallo::Modulo(StatusCode::BAD_REQUEST))?;
        let testo = std::str::from_utf8(&letto).map_err(|_| Fallo::Modulo(StatusCode::BAD_REQUEST))?;
        Ok(Modulo::parse(testo))
    }
}

/// What a browser sends from a page of ours alone. Every browser tells where a form was sent from; what does not is none, or
/// hides it.
fn came_from(richiesta: &HttpRequest, origine: &str) -> Result<(), Fallo> {
    let detta = richiesta
        .headers()
        .get(ORIGIN)
        .and_then(|origin| origin.to_str().ok());
    if detta.is_some_and(|detta| detta.eq_ignore_ascii_case(origine)) {
        Ok(())
    } else {
        Err(Fallo::Origine)
    }
}

impl Domanda<'_> {
    /// Where it comes from.
    fn indirizzo(&self) -> IpAddr {
        let noto = self.richiesta.peer_addr().map(|indirizzo| indirizzo.ip());
        noto.unwrap_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED))
    }

    /// Who asks. Routes that serve whoever comes do not ask.
    fn chi(&self) -> Result<&Presente, Fallo> {
        self.presente.as_ref().ok_or(Fallo::Sconosciuto)
    }
}
