//! As much of HTTP/1.1 over TLS as the tool needs: one request, one answer with Content-Length, kept alive.

use std::io::{Error, ErrorKind, Result};
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use anyhow::Context as _;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

/// Where to, and as whom.
pub(crate) struct Bersaglio {
    indirizzo: SocketAddr,
    nome: ServerName<'static>,
    autorita: String,
    percorso: String,
    /// The Content-Type, and what follows it.
    tipo: &'static str,
    connector: TlsConnector,
}

impl Bersaglio {
    /// The service of the gateway at `url`, called with the certificate `nome` of the directory `certs`.
    pub(crate) fn new(
        url: &str,
        servizio: &str,
        certs: &Path,
        nome: &str,
        senza_ripresa: bool,
        pdd: bool,
    ) -> anyhow::Result<Self> {
        let resto = url
            .strip_prefix("https://")
            .context("--url: only https:// is spoken")?;
        let (autorita, percorso) = resto.split_once('/').unwrap_or((resto, ""));
        let percorso = match percorso {
            "" if pdd => "PD".to_owned(),
            "" => format!("modi/soap/{servizio}/v1/"),
            dato => dato.to_owned(),
        };
        let (host, porta) = autorita.rsplit_once(':').unwrap_or((autorita, "443"));
        let porta: u16 = porta.parse().context("--url: the port is no number")?;
        let indirizzo = std::net::ToSocketAddrs::to_socket_addrs(&(host.trim_matches(['[', ']']), porta))
            .with_context(|| format!("--url: {host} is unknown"))?
            .next()
            .context("--url: no address")?;

        let mut radici = rustls::RootCertStore::empty();
        radici.add(CertificateDer::from_pem_file(certs.join("ca.pem")).context("ca.pem cannot be read")?)?;
        let catena = CertificateDer::pem_file_iter(certs.join(format!("{nome}.pem")))
            .and_then(Iterator::collect::<std::result::Result<Vec<_>, _>>)
            .with_context(|| format!("{nome}.pem cannot be read"))?;
        let chiave = PrivateKeyDer::from_pem_file(certs.join(format!("{nome}.key")))
            .with_context(|| format!("{nome}.key cannot be read"))?;
        let mut config =
            rustls::ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
                .with_safe_default_protocol_versions()?
                .with_root_certificates(radici)
                .with_client_auth_cert(catena, chiave)?;
        if senza_ripresa {
            config.resumption = rustls::client::Resumption::disabled();
        }
        Ok(Self {
            indirizzo,
            nome: ServerName::try_from(host.trim_matches(['[', ']']).to_owned())?,
            autorita: autorita.to_owned(),
            percorso: format!("/{percorso}"),
            tipo: if pdd {
                "text/xml; charset=utf-8\r\nSOAPAction: \"\""
            } else {
                "application/soap+xml; charset=utf-8"
            },
            connector: TlsConnector::from(Arc::new(config)),
        })
    }

    /// Connects and shakes hands.
    pub(crate) async fn connect(&self) -> Result<Connessione> {
        let tcp = TcpStream::connect(self.indirizzo).await?;
        tcp.set_nodelay(true)?;
        let tls = self.connector.connect(self.nome.clone(), tcp).await?;
        Ok(Connessione {
            tls,
            buffer: Vec::with_capacity(16 * 1024),
            viva: true,
        })
    }

    /// Writes the whole request into `richiesta`: head and body leave in one record.
    pub(crate) fn post(&self, corpo: &[u8], richiesta: &mut Vec<u8>) {
        richiesta.clear();
        richiesta.extend_from_slice(
            format!(
                "POST {} HTTP/1.1\r\nHost: {}\r\nContent-Type: {}\r\nContent-Length: {}\r\n\r\n",
                self.percorso,
                self.autorita,
                self.tipo,
                corpo.len()
            )
            .as_bytes(),
        );
        richiesta.extend_from_slice(corpo);
    }
}

/// One connection, kept alive.
pub(crate) struct Connessione {
    tls: TlsStream<TcpStream>,
    buffer: Vec<u8>,
    viva: bool,
}

impl Connessione {
    /// Whether the other side has not said that it closes.
    pub(crate) fn is_alive(&self) -> bool {
        self.viva
    }

    /// One request, one answer.
    pub(crate) async fn exchange(&mut self, richiesta: &[u8]) -> Result<Risposta<'_>> {
        self.tls.write_all(richiesta).await?;
        self.tls.flush().await?;
        self.buffer.clear();
        let testa = loop {
            if let Some(fine) = find(&self.buffer, b"\r\n\r\n") {
                break fine + 4;
            }
            self.read_some().await?;
        };
        let (status, lunghezza, chiude) = head(&self.buffer[..testa])?;
        while self.buffer.len() < testa + lunghezza {
            self.read_some().await?;
        }
        self.viva = !chiude;
        Ok(Risposta {
            status,
            corpo: &self.buffer[testa..testa + lunghezza],
        })
    }

    async fn read_some(&mut self) -> Result<()> {
        match self.tls.read_buf(&mut self.buffer).await? {
            0 => Err(Error::new(
                ErrorKind::UnexpectedEof,
                "connection closed before the answer",
            )),
            _ => Ok(()),
        }
    }
}

/// What came back.
#[derive(Debug)]
pub(crate) struct Risposta<'c> {
    /// HTTP status.
    pub(crate) status: u16,
    corpo: &'c [u8],
}

impl Risposta<'_> {
    /// The number, when the domanda was registered.
    pub(crate) fn protocollo(&self) -> Option<&str> {
        const LUNGHEZZA: usize = "INPS-AUF-2021-000000000001".len();
        find(self.corpo, b"Esito>REGISTRATA<").or_else(|| find(self.corpo, b":ConsultaDomandaResponse "))?;
        let inizio = find(self.corpo, b"INPS-AUF-")?;
        std::str::from_utf8(self.corpo.get(inizio..inizio + LUNGHEZZA)?).ok()
    }

    /// Whether it had been registered before.
    pub(crate) fn is_ripetizione(&self) -> bool {
        find(self.corpo, b"Ripetizione>true<").is_some()
    }

    /// An answer without a number, in a few words: status and the first error code.
    pub(crate) fn summary(&self) -> String {
        let testo = String::from_utf8_lossy(self.corpo);
        let codice = testo
            .split_once("Codice>")
            .and_then(|(_, resto)| resto.split_once('<'))
            .map_or("no code", |(codice, _)| codice);
        format!("HTTP {} {codice}", self.status)
    }
}

/// Status, Content-Length and whether the connection ends here.
fn head(testa: &[u8]) -> Result<(u16, usize, bool)> {
    let strano = || {
        Error::new(
            ErrorKind::InvalidData,
            "not an HTTP/1.1 answer with Content-Length",
        )
    };
    let righe = std::str::from_utf8(testa).map_err(|_| strano())?;
    let mut righe = righe.split("\r\n");
    let status = righe
        .next()
        .and_then(|riga| riga.split(' ').nth(1))
        .and_then(|status| status.parse().ok())
        .ok_or_else(strano)?;
    let (mut lunghezza, mut chiude) = (None, false);
    for (nome, valore) in righe.filter_map(|riga| riga.split_once(':')) {
        if nome.eq_ignore_ascii_case("content-length") {
            lunghezza = valore.trim().parse().ok();
        } else if nome.eq_ignore_ascii_case("connection") {
            chiude = valore.trim().eq_ignore_ascii_case("close");
        }
    }
    Ok((status, lunghezza.ok_or_else(strano)?, chiude))
}

fn find(dove: &[u8], cosa: &[u8]) -> Option<usize> {
    dove.windows(cosa.len()).position(|finestra| finestra == cosa)
}
