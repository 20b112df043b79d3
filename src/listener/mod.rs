//! The door: binds, shakes hands, serves, drains.
//!
//! It promises that whoever comes through has shown a certificate of a recognised CA that is neither expired nor
//! revoked, that whoever does not is in the door log with the reason and the remedy, and that nobody is slow at the
//! expense of others: handshake, head, body, answer and idle time all have a deadline, connections, heads and fields
//! a number. HTTP/1.1 only. What it lets through is a request with its [`Connessione`]; which ente that is, and what
//! it may do, is not decided here.
//!
//! The rules served: `ModI` `ID_AUTH_CHANNEL_02` (mutual TLS) and the TLS recommendation of `AgID`, Mozilla Intermediate.

pub mod answer;
pub mod console;
mod fiducia;
mod handshake;
mod limits;
pub mod metriche;
mod peer;
pub mod prova;
mod refusal;
pub mod salute;
pub mod scadenze;
mod stream;
mod tls;
mod watch;

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use actix_http::{HttpService, KeepAlive, Request};
use actix_server::{GracefulShutdownSignal, Server, ServerHandle};
use actix_service::{Service, ServiceFactory, apply_fn_factory, fn_factory, fn_service, map_config};
use actix_web::dev::AppConfig;
use actix_web::{App, web};
use tokio::net::{TcpSocket, TcpStream};
use tokio::signal::unix::{SignalKind, signal};

pub use fiducia::Fiducia;
pub use limits::Bounds;
pub use peer::Connessione;
pub use refusal::DoorLog;
pub use tls::{NelDubbio, Porta, PortaErrata, Ricarica, TlsConfig};

use handshake::Ingresso;
use stream::{COMMIATO, Flusso};

/// Section `listener` of the configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListenerConfig {
    /// Where to listen; port 0 = any that is free.
    pub indirizzo: SocketAddr,
    /// How clients see the service, in WSDL and schemas; no slash at the end.
    pub indirizzo_pubblico: String,
    /// Threads that serve; 0 = one per processor.
    pub workers: usize,
}

impl Default for ListenerConfig {
    fn default() -> Self {
        Self {
            indirizzo: SocketAddr::from(([127, 0, 0, 1], 8443)),
            indirizzo_pubblico: "https://localhost:8443".to_owned(),
            workers: 0,
        }
    }
}

/// Why the address could not be listened on.
#[derive(Debug, thiserror::Error)]
pub enum BindError {
    /// Somebody else has it.
    #[error(
        "l'indirizzo {0} è già in uso: fermare l'altro processo, o sceglierne un altro con --listen (in varco.toml: listener.indirizzo)"
    )]
    InUso(SocketAddr),
    /// This machine has no such address.
    #[error(
        "l'indirizzo {0} non è di questa macchina: sceglierne uno suo con --listen (in varco.toml: listener.indirizzo)"
    )]
    NonNostro(SocketAddr),
    /// The port is for the privileged.
    #[error(
        "per ascoltare su {0} servono privilegi: usare una porta da 1024 in su con --listen (in varco.toml: listener.indirizzo)"
    )]
    Privilegi(SocketAddr),
    /// Anything else.
    #[error(
        "non si può ascoltare su {0}: {1} (l'indirizzo si cambia con --listen; in varco.toml: listener.indirizzo)"
    )]
    Altro(SocketAddr, #[source] io::Error),
}

/// An address that is ours: connections queue there until [`serve`] takes them.
#[derive(Debug)]
pub struct Bound {
    socket: TcpListener,
    local_addr: SocketAddr,
    workers: usize,
}

/// Takes the address.
#[expect(
    clippy::unused_async,
    reason = "the socket needs the runtime: that it is async says so to the caller"
)]
pub async fn bind(config: &ListenerConfig) -> Result<Bound, BindError> {
    /// Handshakes may come in a burst after a restart: the queue holds more of them than all connections.
    const CODA: u32 = 2048;
    let indirizzo = config.indirizzo;
    let take = || {
        let socket = match indirizzo {
            SocketAddr::V4(_) => TcpSocket::new_v4()?,
            SocketAddr::V6(_) => TcpSocket::new_v6()?,
        };
        socket.set_reuseaddr(true)?;
        socket.bind(indirizzo)?;
        let socket = socket.listen(CODA)?.into_std()?;
        let local_addr = socket.local_addr()?;
        io::Result::Ok((socket, local_addr))
    };
    let (socket, local_addr) = take().map_err(|causa| match causa.kind() {
        io::ErrorKind::AddrInUse => BindError::InUso(indirizzo),
        io::ErrorKind::AddrNotAvailable => BindError::NonNostro(indirizzo),
        io::ErrorKind::PermissionDenied => BindError::Privilegi(indirizzo),
        _ => BindError::Altro(indirizzo, causa),
    })?;
    Ok(Bound {
        socket,
        local_addr,
        workers: config.workers,
    })
}

impl Bound {
    /// The address taken: with port 0, the one that was free.
    #[must_use]
    pub fn local_addr(&self) -> SocketAddr {
        self.local_addr
    }
}

/// Serves the application behind the door. `app` configures one worker's routes and data; a handler finds its
/// connection with [`Connessione::of`].
pub fn serve<F>(bound: Bound, porta: Arc<Porta>, bounds: &Bounds, app: F) -> io::Result<Serving>
where
    F: Fn(&mut web::ServiceConfig) + Clone + Send + 'static,
{
    let local_addr = bound.local_addr;
    let workers = match bound.workers {
        0 => std::thread::available_parallelism().map_or(1, usize::from),
        workers => workers,
    };
    let builder = Server::build()
        .workers(workers)
        .disable_signals()
        .shutdown_timeout(bounds.drain.as_secs())
        // We count connections ourselves, and refuse with a reason; the server would leave them waiting.
        .max_concurrent_connections(bounds.connessioni_max.saturating_mul(2).max(1024));
    let spegnimento = builder.graceful_shutdown_signal();
    let ingresso = Ingresso { porta };
    let bounds = bounds.clone();
    let factory = move || worker(&ingresso, &bounds, &spegnimento, app.clone());
    let server = builder.listen("varco", bound.socket, factory)?.run();
    Ok(Serving { server, local_addr })
}

/// What one worker does with a connection: handshake, then HTTP until its end.
fn worker<F>(
    ingresso: &Ingresso,
    bounds: &Bounds,
    spegnimento: &GracefulShutdownSignal,
    app: F,
) -> impl ServiceFactory<TcpStream, Config = (), Response = (), Error = (), InitError = ()> + use<F>
where
    F: Fn(&mut web::ServiceConfig) + Clone + Send + 'static,
{
    let ingresso = ingresso.clone();
    let bounds = Rc::new(bounds.clone());
    let spegnimento = spegnimento.clone();
    let guardia = Rc::clone(&bounds);
    let app = apply_fn_factory(
        map_config(App::new().configure(app), |()| AppConfig::default()),
        move |richiesta: Request, app| {
            let (guardia, richiesta) = watch::begin(richiesta, &guardia);
            guardia.finish(richiesta.map(|richiesta| Service::call(app, richiesta)))
        },
    );
    let http = HttpService::build()
        // Heads and idle connections are timed by the stream: every one of them, not only the first.
        .keep_alive(KeepAlive::Os)
        .client_request_timeout(Duration::ZERO)
        .client_disconnect_timeout(COMMIATO)
        .secure()
        .graceful_shutdown_signal(move || {
            let spegnimento = spegnimento.clone();
            async move { spegnimento.notified().await }
        })
        .on_connect_ext(|flusso: &Flusso, dati| {
            dati.insert(Rc::clone(flusso.connessione()));
        })
        .h1(app);
    fn_factory(move || {
        let http = http.new_service(());
        let ingresso = ingresso.clone();
        let bounds = Rc::clone(&bounds);
        async move {
            let http = Rc::new(http.await?);
            Ok(fn_service(move |tcp: TcpStream| {
                let http = Rc::clone(&http);
                let ingresso = ingresso.clone();
                let bounds = Rc::clone(&bounds);
                async move {
                    if let Some((flusso, indirizzo)) = ingresso.accept(tcp, &bounds).await
                        && let Err(errore) = http.call((flusso, Some(indirizzo))).await
                    {
                        tracing::debug!(%indirizzo, "connection ended: {errore}");
                    }
                    Ok(())
                }
            }))
        }
    })
}

/// The service at work: it serves from its own threads; this value is what ends it.
#[must_use = "it serves until it is dropped"]
pub struct Serving {
    server: Server,
    local_addr: SocketAddr,
}

/// Asks the service to end, from elsewhere.
#[derive(Debug, Clone)]
pub struct Spegnimento(ServerHandle);

impl Spegnimento {
    /// Stops accepting, closes idle connections, lets answers in flight end (at most `drain`); returns when done.
    pub async fn drain(&self) {
        self.0.stop(true).await;
    }
}

impl Serving {
    /// Where it listens.
    #[must_use]
    pub fn local_addr(&self) -> SocketAddr {
        self.local_addr
    }

    /// What ends it.
    #[must_use]
    pub fn spegnimento(&self) -> Spegnimento {
        Spegnimento(self.server.handle())
    }

    /// Serves until [`Spegnimento::drain`].
    pub async fn run(self) -> io::Result<()> {
        self.server.await
    }

    /// Serves until SIGTERM or SIGINT, then drains; a second signal does not wait for the answers in flight. Before it
    /// drains at SIGTERM it serves on while `congedo` lasts: so long whoever sends us connections is told to stop. At SIGHUP
    /// `ricarica` reads again what may change meanwhile, without touching a connection; what it did is told in the log.
    pub async fn run_until_signal(
        self,
        congedo: impl Future<Output = ()>,
        ricarica: impl Fn() -> Ricarica,
    ) -> io::Result<()> {
        let mut termina = signal(SignalKind::terminate())?;
        let mut interrompi = signal(SignalKind::interrupt())?;
        let mut rileggi = signal(SignalKind::hangup())?;
        let handle = self.server.handle();
        let mut server = std::pin::pin!(self.server);
        loop {
            tokio::select! {
                finito = &mut server => return finito,
                _ = rileggi.recv() => tell(&ricarica()),
                _ = termina.recv() => {
                    tokio::select! {
                        () = congedo => {}
                        _ = termina.recv() => {}
                        _ = interrompi.recv() => {}
                    }
                    break;
                }
                _ = interrompi.recv() => break,
            }
        }
        tracing::info!("stopping: answers in flight are finished first");
        let fermata = handle.stop(true);
        tokio::select! {
            finito = &mut server => finito,
            () = fermata => Ok(()),
            _ = termina.recv() => Ok(()),
            _ = interrompi.recv() => Ok(()),
        }
    }
}

impl std::fmt::Debug for Serving {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Serving")
            .field("local_addr", &self.local_addr)
            .finish_non_exhaustive()
    }
}

fn tell(ricarica: &Ricarica) {
    for presa in &ricarica.prese {
        tracing::info!("reloaded: {presa}");
    }
    for errore in &ricarica.errori {
        tracing::error!("not reloaded, the old one stays: {errore}");
    }
}
