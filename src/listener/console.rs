//! Where the console listens: an address of its own, on loopback in plain HTTP, anywhere else by TLS alone. One thread, few
//! connections: who asks are people with a browser.

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use actix_tls::accept::rustls_0_23::TlsStream;
use actix_web::dev::{Server, ServerHandle};
use actix_web::rt::net::TcpStream;
use actix_web::{App, HttpRequest, HttpServer, web};
use arc_swap::ArcSwap;
use rustls::server::danger::ClientCertVerifier;
use rustls::server::{ClientHello, ResolvesServerCert, WebPkiClientVerifier};
use rustls::sign::CertifiedKey;
use rustls::{RootCertStore, ServerConfig};
use tokio::task::JoinHandle;

use super::tls::{Ricarica, certificates, provider, server_identity, told};
use crate::adesione::Certificato;
use crate::console::{Campioni, Console, ConsoleConfig, Fonti, Mostrato};

/// An address that is ours, and what connections to it are taken in with.
#[derive(Debug)]
pub struct ConsoleInAscolto {
    socket: TcpListener,
    config: ConsoleConfig,
    tls: Option<(Arc<ServerConfig>, Arc<Targa>)>,
}

/// The certificate that the console shows, and where it is read again from.
#[derive(Debug)]
struct Targa {
    certificato: PathBuf,
    chiave: PathBuf,
    in_vigore: ArcSwap<CertifiedKey>,
}

impl ResolvesServerCert for Targa {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.in_vigore.load_full())
    }
}

/// Why there is no console.
#[derive(Debug, thiserror::Error)]
pub enum ConsoleErrata {
    /// The address cannot be taken.
    #[error("non si può ascoltare su console.indirizzo ({0})")]
    Indirizzo(#[from] io::Error),
    /// Its certificate, key or CA.
    #[error("sezione [console]: {0}")]
    Tls(String),
}

/// Opens the files of TLS and takes the address, where there is one to take.
pub fn bind(config: &ConsoleConfig) -> Result<Option<ConsoleInAscolto>, ConsoleErrata> {
    let Some(indirizzo) = config.indirizzo else {
        return Ok(None);
    };
    let tls = open(config)?.map(|(tls, targa, _)| (tls, targa));
    Ok(Some(ConsoleInAscolto {
        socket: TcpListener::bind(indirizzo)?,
        config: config.clone(),
        tls,
    }))
}

/// What `varco check` says of it, with nothing bound.
pub fn check(config: &ConsoleConfig) -> Result<String, ConsoleErrata> {
    let Some(indirizzo) = config.indirizzo else {
        return Ok("non attiva (console.indirizzo)".to_owned());
    };
    Ok(match open(config)? {
        None => format!("http://{indirizzo} (solo da questa macchina)"),
        Some((_, _, certificato)) => format!(
            "https://{indirizzo}, certificato {}, scade il {:.0}",
            certificato.soggetto, certificato.scadenza
        ),
    })
}

type Aperta = (Arc<ServerConfig>, Arc<Targa>, Certificato);

fn open(config: &ConsoleConfig) -> Result<Option<Aperta>, ConsoleErrata> {
    let (Some(file), Some(chiave)) = (&config.certificato, &config.chiave) else {
        return Ok(None);
    };
    let tls = || {
        let (identita, certificato) = server_identity(file, chiave)?;
        let targa = Arc::new(Targa {
            certificato: file.clone(),
            chiave: chiave.clone(),
            in_vigore: ArcSwap::new(identita),
        });
        let builder = ServerConfig::builder_with_provider(provider())
            .with_safe_default_protocol_versions()
            .map_err(|causa| causa.to_string())?;
        let builder = match &config.ca {
            Some(ca) => builder.with_client_cert_verifier(operators(ca)?),
            None => builder.with_no_client_auth(),
        };
        let mut tls = builder.with_cert_resolver(Arc::<Targa>::clone(&targa));
        tls.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok((Arc::new(tls), targa, certificato))
    };
    tls().map(Some).map_err(ConsoleErrata::Tls)
}

/// Who shows no certificate signs in with a password.
fn operators(ca: &Path) -> Result<Arc<dyn ClientCertVerifier>, String> {
    let mut radici = RootCertStore::empty();
    for certificato in certificates(ca)? {
        radici.add(certificato).map_err(|causa| told(ca, causa))?;
    }
    let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(radici), provider())
        .allow_unauthenticated()
        .build();
    verifier.map_err(|causa| told(ca, causa))
}

/// The console at work.
#[derive(Debug)]
pub struct ConsoleAperta {
    local_addr: SocketAddr,
    targa: Option<Arc<Targa>>,
    campioni: JoinHandle<()>,
    server: ServerHandle,
}

impl ConsoleInAscolto {
    /// Starts to count and to answer, on the runtime of the caller.
    pub fn serve(self, fonti: Fonti) -> io::Result<ConsoleAperta> {
        let local_addr = self.socket.local_addr()?;
        let targa = self.tls.as_ref().map(|(_, targa)| Arc::clone(targa));
        let campioni = Arc::new(Campioni::new(self.config.campione));
        let contatore = Arc::clone(&campioni).count(
            fonti.tracce.clone(),
            Arc::clone(&fonti.store),
            Arc::clone(&fonti.clock),
        );
        let config = self.config.clone();
        let console = Console::new(config, targa.is_some(), fonti, campioni).map_err(io::Error::other)?;
        let server = server(self, Arc::new(console))?;
        let handle = server.handle();
        tokio::spawn(async move {
            if let Err(errore) = server.await {
                tracing::error!("the console ended badly: {errore}");
            }
        });
        Ok(ConsoleAperta {
            local_addr,
            targa,
            campioni: tokio::spawn(contatore),
            server: handle,
        })
    }
}

impl ConsoleAperta {
    /// Where it listens.
    #[must_use]
    pub fn local_addr(&self) -> SocketAddr {
        self.local_addr
    }

    /// What a browser on this machine is told.
    #[must_use]
    pub fn url(&self) -> String {
        let schema = if self.targa.is_some() { "https" } else { "http" };
        format!("{schema}://{}", self.local_addr)
    }

    /// Reads certificate and key again, for the connections to come; of one that speaks no TLS there is nothing to read.
    pub fn reload(&self, esito: &mut Ricarica) {
        let Some(targa) = &self.targa else { return };
        let letta = server_identity(&targa.certificato, &targa.chiave);
        esito.note(
            letta.map(|(identita, _)| targa.in_vigore.store(identita)),
            "certificato della console",
        );
    }

    /// Ends it: pages under way are finished.
    pub async fn close(self) {
        self.campioni.abort();
        self.server.stop(true).await;
    }
}

fn server(ascolto: ConsoleInAscolto, console: Arc<Console>) -> io::Result<Server> {
    let ConsoleInAscolto { socket, config, tls } = ascolto;
    let server = HttpServer::new(move || {
        let console = Arc::clone(&console);
        App::new().default_service(web::to(move |richiesta: HttpRequest, corpo: web::Payload| {
            let console = Arc::clone(&console);
            async move { console.serve(richiesta, corpo).await }
        }))
    })
    .on_connect(|connessione, dati| {
        let tls = connessione.downcast_ref::<TlsStream<TcpStream>>();
        let mostrato = tls.and_then(|tls| tls.get_ref().1.peer_certificates()?.first());
        if let Some(Ok(certificato)) = mostrato.map(|der| Certificato::from_der(der)) {
            dati.insert(Mostrato(certificato.sha256));
        }
    })
    .workers(1)
    .max_connections(config.connessioni_max)
    .client_request_timeout(config.richiesta)
    .keep_alive(Duration::from_secs(30))
    .shutdown_timeout(5)
    .disable_signals();
    Ok(match tls {
        None => server.listen(socket)?,
        Some((tls, _)) => server.listen_rustls_0_23(socket, ServerConfig::clone(&tls))?,
    }
    .run())
}
