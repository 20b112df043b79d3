//! The trial door: a listener of its own that asks for a certificate, takes in whoever comes, and tells what the door itself would
//! say of them. A refused handshake is an alert that no client shows its user; here the same refusal is a sentence with a code and
//! a remedy, in the form that was asked for. It never reaches the intake, and in produzione there is none.

use std::io;
use std::net::{IpAddr, SocketAddr, TcpListener};
use std::sync::Arc;
use std::time::Duration;

use actix_tls::accept::rustls_0_23::TlsStream;
use actix_web::dev::{Server, ServerHandle};
use actix_web::http::header::{ACCEPT, CACHE_CONTROL, CONTENT_TYPE, HeaderValue, X_CONTENT_TYPE_OPTIONS};
use actix_web::http::{KeepAlive, Method, StatusCode};
use actix_web::rt::net::TcpStream;
use actix_web::{App, HttpRequest, HttpResponse, HttpServer, web};
use rustls::client::danger::HandshakeSignatureValid;
use rustls::crypto::{WebPkiSupportedAlgorithms, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, UnixTime};
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::server::{ClientHello, NoServerSessionStorage, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use rustls::{DigitallySignedStruct, DistinguishedName, ServerConfig, SignatureScheme};
use serde_json::json;

use super::handshake::versione;
use super::refusal::{of_tls, refusal};
use super::tls::{Porta, provider};
use crate::access;
use crate::adesione::{Certificato, Ente, Peer};
use crate::catalogo::Codice;
use crate::clock::Ids;
use crate::domanda::Violazione;
use crate::soap::SoapVersion;
use crate::soap::fault::Fault;

/// Section `porta_di_prova` of the configuration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ProvaConfig {
    /// Where to listen; `None` = nowhere.
    pub indirizzo: Option<SocketAddr>,
    /// Connections at once.
    pub connessioni_max: usize,
    /// How long handshake, head and body may take, each.
    pub richiesta: Duration,
    /// Bytes of a body: it is read and thrown away.
    pub corpo_bytes_max: usize,
}

impl Default for ProvaConfig {
    fn default() -> Self {
        Self {
            indirizzo: None,
            connessioni_max: 64,
            richiesta: Duration::from_secs(5),
            corpo_bytes_max: 1024 * 1024,
        }
    }
}

/// An address that is ours.
#[derive(Debug)]
pub struct ProvaInAscolto {
    socket: TcpListener,
    config: ProvaConfig,
}

/// Takes the address, where there is one to take.
pub fn bind(config: &ProvaConfig) -> io::Result<Option<ProvaInAscolto>> {
    let Some(indirizzo) = config.indirizzo else {
        return Ok(None);
    };
    Ok(Some(ProvaInAscolto {
        socket: TcpListener::bind(indirizzo)?,
        config: *config,
    }))
}

/// The trial door at work.
#[derive(Debug)]
pub struct ProvaAperta {
    local_addr: SocketAddr,
    server: ServerHandle,
}

impl ProvaAperta {
    /// Where it listens.
    #[must_use]
    pub fn local_addr(&self) -> SocketAddr {
        self.local_addr
    }

    /// Ends it.
    pub async fn close(self) {
        self.server.stop(false).await;
    }
}

/// What is answered by.
#[derive(Debug)]
struct Oracolo {
    porta: Arc<Porta>,
    ids: Arc<dyn Ids>,
    /// Where messages go that shall be taken.
    indirizzo_pubblico: String,
    config: ProvaConfig,
}

/// What a connection showed of itself.
#[derive(Debug, Clone)]
struct Mostrato {
    catena: Vec<CertificateDer<'static>>,
    tls_versione: String,
}

impl ProvaInAscolto {
    /// Starts to answer, on the runtime of the caller: by the files that the door has in force, whatever is reloaded.
    pub fn serve(
        self,
        porta: Arc<Porta>,
        ids: Arc<dyn Ids>,
        indirizzo_pubblico: String,
    ) -> io::Result<ProvaAperta> {
        let local_addr = self.socket.local_addr()?;
        let tls = server_config(&porta).map_err(io::Error::other)?;
        let oracolo = Oracolo {
            porta,
            ids,
            indirizzo_pubblico,
            config: self.config,
        };
        let server = server(self, tls, Arc::new(oracolo))?;
        let handle = server.handle();
        tokio::spawn(async move {
            if let Err(errore) = server.await {
                tracing::error!("the trial door ended badly: {errore}");
            }
        });
        Ok(ProvaAperta {
            local_addr,
            server: handle,
        })
    }
}

fn server(ascolto: ProvaInAscolto, tls: ServerConfig, oracolo: Arc<Oracolo>) -> io::Result<Server> {
    let ProvaInAscolto { socket, config } = ascolto;
    let server = HttpServer::new(move || {
        let oracolo = Arc::clone(&oracolo);
        App::new().default_service(web::to(move |richiesta: HttpRequest, corpo: web::Payload| {
            let oracolo = Arc::clone(&oracolo);
            async move { oracolo.answer(&richiesta, corpo).await }
        }))
    })
    .on_connect(|connessione, dati| {
        if let Some(tls) = connessione.downcast_ref::<TlsStream<TcpStream>>() {
            let sessione = tls.get_ref().1;
            dati.insert(Mostrato {
                catena: sessione.peer_certificates().unwrap_or_default().to_vec(),
                tls_versione: versione(sessione.protocol_version()),
            });
        }
    })
    .workers(1)
    .max_connections(config.connessioni_max)
    .tls_handshake_timeout(config.richiesta)
    .client_request_timeout(config.richiesta)
    .keep_alive(KeepAlive::Disabled)
    .shutdown_timeout(1)
    .disable_signals();
    Ok(server.listen_rustls_0_23(socket, tls)?.run())
}

/// As the door's own, but for who is let in; no session is resumed, so that each look is a look.
fn server_config(porta: &Arc<Porta>) -> Result<ServerConfig, rustls::Error> {
    let provider = provider();
    let verifier = Arc::new(Ospitale(provider.signature_verification_algorithms));
    let mut tls = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_client_cert_verifier(verifier)
        .with_cert_resolver(Arc::new(Attuale(Arc::clone(porta))));
    tls.alpn_protocols = vec![b"http/1.1".to_vec()];
    tls.session_storage = Arc::new(NoServerSessionStorage {});
    tls.send_tls13_tickets = 0;
    Ok(tls)
}

/// The certificate of the server that is in force now.
#[derive(Debug)]
struct Attuale(Arc<Porta>);

impl ResolvesServerCert for Attuale {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.0.materiale().server_key())
    }
}

/// Takes any certificate, or none; but whoever shows one must have its key.
#[derive(Debug)]
struct Ospitale(WebPkiSupportedAlgorithms);

impl ClientCertVerifier for Ospitale {
    fn client_auth_mandatory(&self) -> bool {
        false
    }

    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        // Told which CAs are recognised, many a client would hide the certificate that is wrong.
        &[]
    }

    fn verify_client_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: UnixTime,
    ) -> Result<ClientCertVerified, rustls::Error> {
        Ok(ClientCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, cert, dss, &self.0)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, cert, dss, &self.0)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.supported_schemes()
    }
}

/// Who asked, and what is said of them.
struct Responso {
    certificato: Option<Certificato>,
    indirizzo: IpAddr,
    tls_versione: String,
    verdetto: Result<Arc<Ente>, Violazione>,
}

impl Oracolo {
    /// Answers whatever is asked, wherever: it is always the same question.
    async fn answer(&self, richiesta: &HttpRequest, corpo: web::Payload) -> HttpResponse {
        let letto = corpo.to_bytes_limited(self.config.corpo_bytes_max);
        if !matches!(
            tokio::time::timeout(self.config.richiesta, letto).await,
            Ok(Ok(_))
        ) {
            return HttpResponse::build(StatusCode::PAYLOAD_TOO_LARGE)
                .content_type("text/plain; charset=utf-8")
                .force_close()
                .body("Troppo lungo, o troppo lento, per una porta di prova: basta una GET.\n");
        }
        let Some(responso) = self.judge(richiesta) else {
            return HttpResponse::InternalServerError().finish();
        };
        responso.note();
        self.porta.tried(
            responso
                .verdetto
                .as_ref()
                .err()
                .map(|violazione| violazione.codice),
        );
        let risposta = match soap_version(richiesta) {
            Some(versione) => self.fault(versione, &responso),
            None => self.say(richiesta, &responso),
        };
        Self::dress(risposta)
    }

    /// What the door would say, and who may after it.
    fn judge(&self, richiesta: &HttpRequest) -> Option<Responso> {
        let mostrato = richiesta.conn_data::<Mostrato>()?.clone();
        let indirizzo = richiesta.peer_addr()?.ip().to_canonical();
        let mut responso = Responso {
            certificato: None,
            indirizzo,
            tls_versione: mostrato.tls_versione,
            verdetto: Err(refusal(Codice::Tls001)),
        };
        if let Some(foglia) = mostrato.catena.first() {
            match Certificato::of_peer(foglia) {
                Ok(certificato) => {
                    responso.verdetto =
                        self.admit(&mostrato.catena, &certificato, indirizzo, &responso.tls_versione);
                    responso.certificato = Some(certificato);
                }
                Err(causa) => responso.verdetto = Err(refusal(Codice::Tls008).with("causa", causa)),
            }
        }
        Some(responso)
    }

    fn admit(
        &self,
        catena: &[CertificateDer<'_>],
        certificato: &Certificato,
        indirizzo: IpAddr,
        tls_versione: &str,
    ) -> Result<Arc<Ente>, Violazione> {
        let materiale = self.porta.materiale();
        materiale
            .verify(catena, self.porta.clock.wall())
            .map_err(|errore| of_tls(&errore, Some(certificato)))?;
        let peer = Peer {
            certificato: certificato.clone(),
            indirizzo,
            tls_versione: tls_versione.to_owned(),
            tls_suite: String::new(),
            sni: None,
            tls_ripresa: false,
        };
        access::admit(&self.porta.adesioni().load(), &peer).map_err(|negato| negato.violazione)
    }

    /// A SOAP client shows its user faults alone: an admission is told as one, too, lest it be taken for a receipt.
    fn fault(&self, versione: SoapVersion, responso: &Responso) -> HttpResponse {
        let violazione = match &responso.verdetto {
            Ok(ente) => refusal(Codice::Tls019)
                .with("ente", &ente.codice)
                .with("indirizzo", &self.indirizzo_pubblico),
            Err(violazione) => violazione.clone(),
        };
        let fault = Fault {
            versione,
            violazioni: &[violazione],
            message_id: self.ids.next(),
            non_compresi: &[],
        };
        HttpResponse::InternalServerError()
            .content_type(versione.content_type())
            .body(fault.write())
    }

    /// JSON for whoever asks for it, and plain sentences for everybody else.
    fn say(&self, richiesta: &HttpRequest, responso: &Responso) -> HttpResponse {
        let status = if responso.verdetto.is_ok() {
            StatusCode::OK
        } else {
            StatusCode::FORBIDDEN
        };
        let accept = richiesta
            .headers()
            .get(ACCEPT)
            .and_then(|accept| accept.to_str().ok());
        let mut risposta = HttpResponse::build(status);
        if accept.is_some_and(|accept| accept.contains("json")) {
            return risposta.json(responso.json());
        }
        risposta
            .content_type("text/plain; charset=utf-8")
            .body(responso.text(&self.indirizzo_pubblico))
    }

    fn dress(mut risposta: HttpResponse) -> HttpResponse {
        let intestazioni = risposta.headers_mut();
        intestazioni.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        intestazioni.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
        risposta
    }
}

impl Responso {
    /// One line of the log a visit. Nothing in it is the visitor's own words.
    fn note(&self) {
        let codice = self
            .verdetto
            .as_ref()
            .err()
            .map(|violazione| violazione.codice.as_str());
        let ente = self.verdetto.as_ref().ok().map(|ente| ente.codice.as_str());
        let certificato = self
            .certificato
            .as_ref()
            .map(|certificato| certificato.sha256.as_str());
        tracing::info!(
            indirizzo = %self.indirizzo,
            certificato,
            ente,
            codice,
            tls = self.tls_versione,
            "trial door"
        );
    }

    fn json(&self) -> serde_json::Value {
        let certificato = self.certificato.as_ref().map(|certificato| {
            json!({
                "soggetto": certificato.soggetto,
                "emittente": certificato.emittente,
                "seriale": certificato.seriale,
                "sha256": certificato.sha256,
                "scade_il": certificato.scadenza.to_string(),
            })
        });
        let errore = self.verdetto.as_ref().err().map(|violazione| {
            json!({
                "codice": violazione.codice.as_str(),
                "testo": violazione.testo(),
                "testo_inglese": violazione.testo_inglese(),
                "rimedio": violazione.suggerimento(),
            })
        });
        json!({
            "ammesso": self.verdetto.is_ok(),
            "ente": self.verdetto.as_ref().ok().map(|ente| ente.codice.as_str()),
            "errore": errore,
            "certificato": certificato,
            "indirizzo": self.indirizzo.to_string(),
            "tls": self.tls_versione,
        })
    }

    fn text(&self, indirizzo_pubblico: &str) -> String {
        let verdetto = match &self.verdetto {
            Ok(ente) => format!(
                "AMMESSO come {ente}: i messaggi vanno inviati a {indirizzo_pubblico}, qui nulla è accolto.\n\
                 You would be admitted as {ente}. Send messages to {indirizzo_pubblico}: nothing is taken here.\n",
                ente = ente.codice
            ),
            Err(violazione) => format!(
                "RIFIUTATO {codice}: {}.\nRefused, {codice}: {}.\nChe cosa fare: {}\n",
                violazione.testo(),
                violazione.testo_inglese(),
                violazione.suggerimento(),
                codice = violazione.codice,
            ),
        };
        let certificato = match &self.certificato {
            Some(certificato) => format!(
                "certificato  {}\nemittente    {}\nseriale      {}\nscade il     {:.0}\n",
                certificato.soggetto, certificato.emittente, certificato.seriale, certificato.scadenza
            ),
            None => "certificato  nessuno\n".to_owned(),
        };
        format!(
            "{verdetto}\n{certificato}indirizzo    {}\nTLS          {}\n",
            self.indirizzo, self.tls_versione
        )
    }
}

/// The version of SOAP that was posted, if it was.
fn soap_version(richiesta: &HttpRequest) -> Option<SoapVersion> {
    if *richiesta.method() != Method::POST {
        return None;
    }
    let tipo = richiesta
        .headers()
        .get(CONTENT_TYPE)?
        .to_str()
        .ok()?
        .to_ascii_lowercase();
    // MTOM names the envelope's type in a parameter.
    if tipo.contains("application/soap+xml") {
        Some(SoapVersion::V12)
    } else {
        tipo.contains("text/xml").then_some(SoapVersion::V11)
    }
}
