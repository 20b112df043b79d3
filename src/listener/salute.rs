//! What a load balancer asks: does this process live, and shall messages be sent to it? And what Prometheus asks: how is it
//! doing ([`metriche`](super::metriche))? A listener of its own, in plain
//! HTTP, since who asks has no certificate; on loopback or an inner network, and with nothing in its answers that belongs
//! to anybody. One probe looks at the store, never two at once; whoever asks is told what it saw last, at once.

use std::borrow::Cow;
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use actix_web::dev::{Server, ServerHandle};
use actix_web::http::StatusCode;
use actix_web::http::header::{ACCEPT, CACHE_CONTROL, CONTENT_TYPE};
use actix_web::{App, HttpRequest, HttpResponse, HttpServer, web};
use tokio::task::JoinHandle;

use super::metriche::{Fonti, Racconto};
use crate::catalogo::Codice;
use crate::domanda::Violazione;
use crate::manutenzione::Custode;
use crate::metriche::Formato;
use crate::spazio::{Sentinella, Stato};
use crate::store::{SharedStore, StoreError};

/// Section `salute` of the configuration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SaluteConfig {
    /// Where to listen; `None` = nowhere.
    pub indirizzo: Option<SocketAddr>,
    /// How long after a look at the store comes the next one.
    pub intervallo: Duration,
    /// A look that takes longer is a bad one.
    pub attesa: Duration,
    /// How long readiness is red before the door shuts, at SIGTERM: for a balancer to see it.
    pub preavviso: Duration,
}

impl Default for SaluteConfig {
    fn default() -> Self {
        Self {
            indirizzo: None,
            intervallo: Duration::from_secs(1),
            attesa: Duration::from_secs(2),
            preavviso: Duration::from_secs(3),
        }
    }
}

/// An address that is ours, before there is anything to tell.
#[derive(Debug)]
pub struct SaluteInAscolto {
    socket: TcpListener,
    config: SaluteConfig,
}

/// Takes the address, where there is one to take.
pub fn bind(config: &SaluteConfig) -> io::Result<Option<SaluteInAscolto>> {
    let Some(indirizzo) = config.indirizzo else {
        return Ok(None);
    };
    let socket = TcpListener::bind(indirizzo)?;
    Ok(Some(SaluteInAscolto {
        socket,
        config: *config,
    }))
}

/// The listener at work.
#[derive(Debug)]
pub struct Salute {
    local_addr: SocketAddr,
    preavviso: Duration,
    quadro: Arc<Quadro>,
    sonda: JoinHandle<()>,
    server: ServerHandle,
}

/// What is known of the process.
#[derive(Debug)]
struct Quadro {
    /// On its way out.
    congedo: AtomicBool,
    spazio: Sentinella,
    custode: Custode,
    archivio: Mutex<Archivio>,
}

/// What is known of the store.
#[derive(Debug)]
struct Archivio {
    /// `None` = well.
    male: Option<Male>,
    /// When the probe said so; also its pulse.
    visto: Instant,
}

/// What is wrong with the store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Male {
    /// Nobody has looked yet.
    Ignoto,
    /// As a sender would be told it.
    Codice(Codice),
}

impl SaluteInAscolto {
    /// Starts to look and to answer, on the runtime of the caller.
    pub fn serve(self, fonti: Fonti) -> io::Result<Salute> {
        let store = Arc::clone(&fonti.store);
        let local_addr = self.socket.local_addr()?;
        let quadro = Arc::new(Quadro {
            congedo: AtomicBool::new(false),
            spazio: fonti.spazio.clone(),
            custode: fonti.custode.clone(),
            archivio: Mutex::new(Archivio {
                male: Some(Male::Ignoto),
                visto: Instant::now(),
            }),
        });
        let racconto = Arc::new(Racconto::new(fonti, self.config));
        let server = server(self.socket, &quadro, &racconto, self.config)?;
        let handle = server.handle();
        tokio::spawn(async move {
            if let Err(errore) = server.await {
                tracing::error!("the health listener ended badly: {errore}");
            }
        });
        Ok(Salute {
            local_addr,
            preavviso: self.config.preavviso,
            sonda: tokio::spawn(probe(store, Arc::clone(&quadro), self.config)),
            quadro,
            server: handle,
        })
    }
}

impl Salute {
    /// Where it listens.
    #[must_use]
    pub fn local_addr(&self) -> SocketAddr {
        self.local_addr
    }

    /// Red from now on, whatever the store does: messages shall go elsewhere.
    pub fn leave(&self) {
        self.quadro.congedo.store(true, Ordering::Relaxed);
    }

    /// The same, and comes back when a balancer has seen it.
    pub async fn take_leave(&self) {
        self.leave();
        tokio::time::sleep(self.preavviso).await;
    }

    /// Ends it: nobody answers any more.
    pub async fn close(self) {
        self.sonda.abort();
        self.server.stop(false).await;
    }
}

/// Looks at the store again and again. A look that takes too long is told as a bad one, and still waited for: beside it no
/// second one is begun.
async fn probe(store: SharedStore, quadro: Arc<Quadro>, config: SaluteConfig) {
    loop {
        let mut sonda = std::pin::pin!(store.probe());
        let mut esito = tokio::time::timeout(config.attesa, &mut sonda).await;
        // It may answer yet, but too late to be called well: the next look decides.
        let tarda = esito.is_err();
        while esito.is_err() {
            let attesa = config.attesa.as_secs_f64();
            quadro.tell(Err(StoreError::unavailable(format!(
                "no answer within {attesa} s"
            ))));
            esito = tokio::time::timeout(config.intervallo, &mut sonda).await;
        }
        if tarda {
            continue;
        }
        let Ok(esito) = esito else { continue };
        quadro.tell(esito);
        tokio::time::sleep(config.intervallo).await;
    }
}

impl Quadro {
    /// Notes what a look saw; a change is told in the log, once.
    fn tell(&self, esito: Result<(), StoreError>) {
        let male = esito.as_ref().err().map(|errore| Male::Codice(errore.codice()));
        let prima = {
            let Ok(mut archivio) = self.archivio.lock() else {
                return;
            };
            archivio.visto = Instant::now();
            std::mem::replace(&mut archivio.male, male)
        };
        match (prima, esito) {
            (prima, Err(errore)) if prima != male => {
                tracing::error!("readiness is red: {errore}");
            }
            (Some(Male::Codice(_)), Ok(())) => tracing::info!("readiness is green again"),
            _ => {}
        }
    }

    /// What a sender may meet who comes all the same. That room runs out is no cause to send messages elsewhere: retries and
    /// look-ups are answered here, and the other gateways of a database are no better off. Neither is maintenance, which all of
    /// them obey.
    fn avvisi(&self) -> Vec<Causa> {
        let scarso = match self.spazio.stato() {
            Stato::Normale => None,
            Stato::Stretto => Some(Codice::Lot016),
            Stato::Critico => Some(Codice::Sto005),
        };
        let scarso = scarso.map(|codice| Causa {
            codice: Some(codice.as_str()),
            ..Causa::new("spazio", codice.voce().it)
        });
        let manutenzione = self.custode.cartello().map(|cartello| {
            let violazione = Violazione::at(Codice::Sys004, "").with("messaggio", cartello.messaggio);
            Causa {
                codice: Some(Codice::Sys004.as_str()),
                ..Causa::new("manutenzione", violazione.testo())
            }
        });
        manutenzione.into_iter().chain(scarso).collect()
    }

    /// What keeps messages away, each with its code where it has one.
    fn cause(&self, config: &SaluteConfig) -> Vec<Causa> {
        let mut cause = Vec::new();
        if self.congedo.load(Ordering::Relaxed) {
            cause.push(Causa::new("servizio", "si sta fermando"));
        }
        match self
            .archivio
            .lock()
            .map(|archivio| (archivio.male, archivio.visto))
        {
            Ok((Some(Male::Ignoto), _)) => cause.push(Causa::new("archivio", "non ancora guardato")),
            Ok((Some(Male::Codice(codice)), _)) => cause.push(Causa {
                codice: Some(codice.as_str()),
                ..Causa::new("archivio", codice.voce().it)
            }),
            Ok((_, visto)) if visto.elapsed() > vecchiaia(config) => {
                cause.push(Causa::new("archivio", "la sonda non si muove"));
            }
            Ok(_) => {}
            Err(_) => cause.push(Causa::new("archivio", "la sonda è caduta")),
        }
        cause
    }

    /// The code of what is wrong with the store; `None` = nothing, and nobody has looked = unavailable.
    fn archivio(&self) -> Option<Codice> {
        let male = self.archivio.lock().map(|archivio| archivio.male);
        match male.unwrap_or(Some(Male::Ignoto)) {
            Some(Male::Codice(codice)) => Some(codice),
            Some(Male::Ignoto) => Some(Codice::Sto001),
            None => None,
        }
    }

    /// Whether the process goes on: its own runtime has moved the probe lately.
    fn lives(&self, config: &SaluteConfig) -> bool {
        self.archivio
            .lock()
            .is_ok_and(|archivio| archivio.visto.elapsed() <= vecchiaia(config))
    }
}

/// A probe that has said nothing for so long does not run.
fn vecchiaia(config: &SaluteConfig) -> Duration {
    (config.intervallo + config.attesa) * 2 + Duration::from_secs(5)
}

/// Why it is red.
#[derive(Debug, serde::Serialize)]
struct Causa {
    che: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    codice: Option<&'static str>,
    perche: Cow<'static, str>,
}

impl Causa {
    fn new(che: &'static str, perche: impl Into<Cow<'static, str>>) -> Self {
        Self {
            che,
            codice: None,
            perche: perche.into(),
        }
    }
}

/// One thread, few connections: who asks are two balancers and a person with curl.
fn server(
    socket: TcpListener,
    quadro: &Arc<Quadro>,
    racconto: &Arc<Racconto>,
    config: SaluteConfig,
) -> io::Result<Server> {
    let (quadro, racconto) = (Arc::clone(quadro), Arc::clone(racconto));
    let server = HttpServer::new(move || {
        let (vive, pronto) = (Arc::clone(&quadro), Arc::clone(&quadro));
        let live = move || {
            let cause = if vive.lives(&config) {
                Vec::new()
            } else {
                vec![Causa::new("servizio", "il processo non avanza")]
            };
            async move { reply(&cause, &[]) }
        };
        let ready = move || {
            let (cause, avvisi) = (pronto.cause(&config), pronto.avvisi());
            async move { reply(&cause, &avvisi) }
        };
        let (misurato, racconto) = (Arc::clone(&quadro), Arc::clone(&racconto));
        let metrics = move |request: HttpRequest| {
            let (misurato, racconto) = (Arc::clone(&misurato), Arc::clone(&racconto));
            async move {
                let accept = request.headers().get(ACCEPT).map(|accept| accept.to_str());
                let formato = Formato::accepted(accept.and_then(Result::ok).unwrap_or_default());
                let pronto = misurato.cause(&config).is_empty();
                let testo = racconto.tell(formato, pronto, misurato.archivio()).await;
                HttpResponse::Ok()
                    .insert_header((CONTENT_TYPE, formato.content_type()))
                    .insert_header((CACHE_CONTROL, "no-store"))
                    .body(testo)
            }
        };
        App::new()
            .service(web::resource("/metrics").route(web::get().to(metrics)))
            .service(
                web::resource("/health/live")
                    .route(web::get().to(live.clone()))
                    .route(web::head().to(live)),
            )
            .service(
                web::resource("/health/ready")
                    .route(web::get().to(ready.clone()))
                    .route(web::head().to(ready)),
            )
    });
    Ok(server
        .workers(1)
        .max_connections(64)
        .disable_signals()
        .listen(socket)?
        .run())
}

fn reply(cause: &[Causa], avvisi: &[Causa]) -> HttpResponse {
    let (status, stato) = if cause.is_empty() {
        (StatusCode::OK, "verde")
    } else {
        (StatusCode::SERVICE_UNAVAILABLE, "rosso")
    };
    let mut detto = serde_json::json!({ "stato": stato, "cause": cause });
    if !avvisi.is_empty() {
        detto["avvisi"] = serde_json::json!(avvisi);
    }
    HttpResponse::build(status)
        .insert_header((CACHE_CONTROL, "no-store"))
        .json(detto)
}
