//! The client: SOAP over HTTP/1.1 over mutual TLS, kept alive, patient. It sends again by itself only where that is
//! safe and useful: no connection, 503, 429. A refusal by the door (a certificate that is not taken) is told at once,
//! because sending again changes nothing.

use std::io::{self, Read};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result};
use ureq::http::{Response, StatusCode, header};
use ureq::tls::{Certificate, ClientCert, PemItem, PrivateKey, RootCerts, TlsConfig, parse_pem};
use ureq::typestate::WithBody;
use ureq::{Agent, Body, RequestBuilder, SendBody};

use super::porta::{Porta, rustls_of, sentence};
use crate::soap::SoapVersion;

/// Pauses between attempts when nobody says how long to wait.
const PAUSE: &[Duration] = &[
    Duration::from_millis(500),
    Duration::from_secs(1),
    Duration::from_secs(2),
    Duration::from_secs(5),
];

/// The longest `Retry-After` that is waited for; a longer one ends the attempt.
const ATTESA_MASSIMA: Duration = Duration::from_mins(1);

/// An answer larger than this is not ours.
const RISPOSTA_BYTES_MAX: u64 = 64 * 1024 * 1024;

/// How long the bytes of a lot may travel, or those of its outcome.
const LUNGA: Duration = Duration::from_hours(1);

/// Who we are and whom we trust.
#[derive(Debug, Clone, Copy)]
pub struct Credenziali<'a> {
    /// Client certificate with its chain, PEM.
    pub cert: &'a Path,
    /// Its private key, PEM.
    pub key: &'a Path,
    /// The CA of the gateway's certificate, PEM.
    pub ca: &'a Path,
}

/// A client of one gateway; clones share its connections.
#[derive(Debug, Clone)]
pub struct Cliente {
    agent: Agent,
    porta: Porta,
    tentativi: u32,
}

/// What came back from the gateway, whatever it was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ricevuto {
    /// HTTP status.
    pub status: u16,
    /// The body.
    pub corpo: Vec<u8>,
}

/// An answer that may be long.
#[expect(
    missing_debug_implementations,
    reason = "a reader of a connection shows nothing"
)]
pub enum Aperta {
    /// It is what was asked for (HTTP 200): the body is still to be read.
    DaLeggere(Box<dyn Read>),
    /// Anything else.
    Intera(Ricevuto),
}

/// Why nothing came back.
#[derive(Debug, thiserror::Error)]
pub enum Mancato {
    /// The handshake failed for good.
    #[error("{0}")]
    Porta(String),
    /// It cannot be reached, or not in time.
    #[error("il varco non risponde: {0}")]
    Rete(String),
    /// It asks to come back later than we wait.
    #[error("il varco chiede di riprovare più tardi (HTTP {0})")]
    PiuTardi(u16),
}

impl Cliente {
    /// A client of the gateway at `url` (`https://host:port`, or the whole address of a service).
    pub fn new(url: &str, credenziali: Credenziali<'_>, connessioni: usize, tentativi: u32) -> Result<Self> {
        anyhow::ensure!(url.starts_with("https://"), "--url: serve un indirizzo https://");
        let tls = TlsConfig::builder()
            .client_cert(Some(ClientCert::new_with_certs(
                &certificates(credenziali.cert)?,
                private_key(credenziali.key)?,
            )))
            .root_certs(RootCerts::new_with_certs(&certificates(credenziali.ca)?))
            .unversioned_rustls_crypto_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .build();
        let agent = Agent::config_builder()
            .tls_config(tls)
            .http_status_as_error(false)
            .max_redirects(0)
            .proxy(None)
            .user_agent(concat!("varco/", env!("CARGO_PKG_VERSION")))
            .timeout_connect(Some(Duration::from_secs(10)))
            .timeout_per_call(Some(Duration::from_secs(90)))
            .max_idle_connections_per_host(connessioni)
            .max_idle_connections(connessioni)
            .build()
            .new_agent();
        Ok(Self {
            agent,
            porta: Porta {
                url: url.to_owned(),
                cert: credenziali.cert.to_owned(),
                key: credenziali.key.to_owned(),
                ca: credenziali.ca.to_owned(),
            },
            tentativi: tentativi.max(1),
        })
    }

    /// Sends an envelope to a service; sends again, a bounded number of times, while the gateway is not there.
    pub fn post(&self, servizio: &str, versione: SoapVersion, busta: &[u8]) -> Result<Ricevuto, Mancato> {
        let url = address(&self.porta.url, servizio);
        self.patiently(|| whole(self.request(&url, versione).send(busta)?))
    }

    /// Sends a busta e-Gov; `busta` makes the one of each attempt.
    pub fn post_busta(&self, mut busta: impl FnMut() -> Vec<u8>) -> Result<Ricevuto, Mancato> {
        let url = pdd_address(&self.porta.url);
        self.patiently(|| whole(self.request(&url, SoapVersion::V11).send(&busta()[..])?))
    }

    /// Sends a body that is read while it goes; `corpo` begins it anew for each attempt. Its length is told, or it
    /// goes in chunks.
    pub fn post_stream<R: Read>(
        &self,
        servizio: &str,
        content_type: &str,
        lunghezza: Option<u64>,
        mut corpo: impl FnMut() -> io::Result<R>,
    ) -> Result<Ricevuto, Mancato> {
        let url = address(&self.porta.url, servizio);
        self.patiently(|| {
            let mut corpo = corpo()?;
            let mut richiesta = self
                .agent
                .post(&url)
                .config()
                .timeout_per_call(None)
                .timeout_send_body(Some(LUNGA))
                .timeout_recv_response(Some(LUNGA))
                .build()
                .header(header::CONTENT_TYPE, content_type);
            if let Some(lunghezza) = lunghezza {
                richiesta = richiesta.header(header::CONTENT_LENGTH, lunghezza);
            }
            whole(richiesta.send(SendBody::from_reader(&mut corpo))?)
        })
    }

    /// Sends an envelope to a service whose answer may be long: it is still to be read.
    pub fn open(&self, servizio: &str, versione: SoapVersion, busta: &[u8]) -> Result<Aperta, Mancato> {
        let url = address(&self.porta.url, servizio);
        self.patiently(|| {
            let risposta = self
                .request(&url, versione)
                .config()
                .timeout_per_call(None)
                .timeout_recv_response(Some(LUNGA))
                .timeout_recv_body(Some(LUNGA))
                .build()
                .send(busta)?;
            if risposta.status() != StatusCode::OK {
                let intera = whole(risposta)?;
                return Ok(Tentato {
                    cosa: Aperta::Intera(intera.cosa),
                    status: intera.status,
                    attesa: intera.attesa,
                });
            }
            let corpo = risposta.into_body().into_with_config().limit(u64::MAX).reader();
            Ok(Tentato {
                cosa: Aperta::DaLeggere(Box::new(corpo)),
                status: StatusCode::OK.as_u16(),
                attesa: None,
            })
        })
    }

    /// Tries until something came back that is worth telling.
    fn patiently<T>(
        &self,
        mut attempt: impl FnMut() -> Result<Tentato<T>, ureq::Error>,
    ) -> Result<T, Mancato> {
        let mut tentativo = 0;
        loop {
            tentativo += 1;
            let ultimo = tentativo >= self.tentativi;
            let attesa = match attempt() {
                Ok(tentato) if matches!(tentato.status, 429 | 503) => match tentato.attesa {
                    // The last answer is handed over as it is: it says in its own words why.
                    _ if ultimo => return Ok(tentato.cosa),
                    Some(attesa) if attesa > ATTESA_MASSIMA => {
                        return Err(Mancato::PiuTardi(tentato.status));
                    }
                    Some(attesa) => attesa,
                    None => pause(tentativo),
                },
                Ok(tentato) => return Ok(tentato.cosa),
                Err(error) => match self.classify(&error, tentativo == 1) {
                    Mancato::Rete(_) if !ultimo => pause(tentativo),
                    mancato => return Err(mancato),
                },
            };
            std::thread::sleep(attesa);
        }
    }

    /// Whether it is worth sending again. A TLS error is final: the other side has looked at us, or we at it, and
    /// declined. A connection that broke may hide one, so the first time we go and listen.
    fn classify(&self, error: &ureq::Error, prima_volta: bool) -> Mancato {
        let tls = match error {
            ureq::Error::Rustls(error) => Some(error.clone()),
            ureq::Error::Io(io) => rustls_of(io)
                .cloned()
                .or_else(|| (prima_volta && is_broken(io)).then(|| self.porta.refusal())?),
            _ => None,
        };
        match tls {
            Some(tls) => Mancato::Porta(sentence(&tls)),
            None => Mancato::Rete(error.to_string()),
        }
    }

    fn request(&self, url: &str, versione: SoapVersion) -> RequestBuilder<WithBody> {
        let richiesta = self
            .agent
            .post(url)
            .header(header::CONTENT_TYPE, versione.content_type());
        match versione {
            SoapVersion::V11 => richiesta.header("SOAPAction", "\"\""),
            SoapVersion::V12 => richiesta,
        }
    }
}

/// What came of one attempt.
struct Tentato<T> {
    cosa: T,
    status: u16,
    attesa: Option<Duration>,
}

/// Reads an answer to its end.
fn whole(mut risposta: Response<Body>) -> Result<Tentato<Ricevuto>, ureq::Error> {
    let attesa = retry_after(&risposta);
    let corpo = risposta
        .body_mut()
        .with_config()
        .limit(RISPOSTA_BYTES_MAX)
        .read_to_vec()?;
    let status = risposta.status().as_u16();
    Ok(Tentato {
        cosa: Ricevuto { status, corpo },
        status,
        attesa,
    })
}

/// The address of a service: what was given if it has a path, else the documented path on that host.
fn address(base: &str, servizio: &str) -> String {
    let dopo_schema = base.strip_prefix("https://").unwrap_or(base);
    if dopo_schema.trim_end_matches('/').contains('/') {
        base.to_owned()
    } else {
        format!("{}/modi/soap/{servizio}/v1/", base.trim_end_matches('/'))
    }
}

/// The address of the porta di dominio: what was given if it has a path, else `/PD` on that host.
fn pdd_address(base: &str) -> String {
    let dopo_schema = base.strip_prefix("https://").unwrap_or(base);
    if dopo_schema.trim_end_matches('/').contains('/') {
        base.to_owned()
    } else {
        format!("{}/PD", base.trim_end_matches('/'))
    }
}

fn pause(tentativo: u32) -> Duration {
    let posto = usize::try_from(tentativo.saturating_sub(1)).unwrap_or(usize::MAX);
    PAUSE[posto.min(PAUSE.len() - 1)]
}

/// Whether the other side was there and went away in the middle.
fn is_broken(error: &io::Error) -> bool {
    use io::ErrorKind::{BrokenPipe, ConnectionAborted, ConnectionReset, UnexpectedEof};
    matches!(
        error.kind(),
        BrokenPipe | ConnectionAborted | ConnectionReset | UnexpectedEof
    )
}

/// `Retry-After` in seconds, the only form that the gateway writes.
fn retry_after<B>(risposta: &Response<B>) -> Option<Duration> {
    let secondi = risposta.headers().get(header::RETRY_AFTER)?.to_str().ok()?;
    secondi.trim().parse().ok().map(Duration::from_secs)
}

fn certificates(file: &Path) -> Result<Vec<Certificate<'static>>> {
    let pem = read(file)?;
    let certificati = parse_pem(&pem)
        .filter_map(|voce| match voce {
            Ok(PemItem::Certificate(certificato)) => Some(Ok(certificato)),
            Ok(_) => None,
            Err(error) => Some(Err(error)),
        })
        .collect::<Result<Vec<_>, _>>()
        .with_context(|| format!("{}: PEM non leggibile", file.display()))?;
    anyhow::ensure!(
        !certificati.is_empty(),
        "{}: nessun certificato nel file",
        file.display()
    );
    Ok(certificati)
}

fn private_key(file: &Path) -> Result<PrivateKey<'static>> {
    PrivateKey::from_pem(&read(file)?)
        .with_context(|| format!("{}: nessuna chiave privata nel file", file.display()))
}

fn read(file: &Path) -> Result<Vec<u8>> {
    std::fs::read(file).with_context(|| format!("impossibile leggere {}", file.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bare_host_gets_the_path_of_the_service() {
        assert_eq!(
            address("https://127.0.0.1:8443", "AssegnoTemporaneo"),
            "https://127.0.0.1:8443/modi/soap/AssegnoTemporaneo/v1/"
        );
        assert_eq!(
            address("https://varco.example/", "AssegnoTemporaneo"),
            "https://varco.example/modi/soap/AssegnoTemporaneo/v1/"
        );
        assert_eq!(
            address("https://varco.example/altro/percorso", "AssegnoTemporaneo"),
            "https://varco.example/altro/percorso"
        );
    }

    #[test]
    fn a_porta_is_at_pd() {
        assert_eq!(pdd_address("https://127.0.0.1:8443"), "https://127.0.0.1:8443/PD");
        assert_eq!(
            pdd_address("https://varco.example/altro"),
            "https://varco.example/altro"
        );
    }

    #[test]
    fn pauses_grow_and_then_stay() {
        assert_eq!(pause(1), PAUSE[0]);
        assert_eq!(pause(4), PAUSE[3]);
        assert_eq!(pause(99), PAUSE[3]);
    }
}
