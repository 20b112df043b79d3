//! Why the door did not open. With TLS 1.3 a refusal comes after our first bytes have left, and often only as a broken
//! connection: then we shake hands once more, say nothing, and listen for the alert.

use std::io::{self, Read as _};
use std::net::{TcpStream, ToSocketAddrs as _};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{AlertDescription, CertificateError, ClientConfig, ClientConnection, RootCertStore};

/// How long the other side may take to say why.
const ATTESA: Duration = Duration::from_secs(3);

/// Where to knock, and with which files.
#[derive(Debug, Clone)]
pub(super) struct Porta {
    /// `https://host:port/…`
    pub(super) url: String,
    /// Client certificate, PEM.
    pub(super) cert: PathBuf,
    /// Its key, PEM.
    pub(super) key: PathBuf,
    /// CA of the server's certificate, PEM.
    pub(super) ca: PathBuf,
}

impl Porta {
    /// The TLS error with which the door refuses us; `None` when it does not, or says nothing.
    pub(super) fn refusal(&self) -> Option<rustls::Error> {
        let autorita = self.url.strip_prefix("https://")?.split('/').next()?;
        let (host, porta) = match autorita.rsplit_once(':') {
            Some((host, porta)) if !porta.ends_with(']') => (host, porta.parse().ok()?),
            _ => (autorita, 443),
        };
        let host = host.trim_matches(['[', ']']);
        let indirizzo = (host, porta).to_socket_addrs().ok()?.next()?;
        let mut tcp = TcpStream::connect_timeout(&indirizzo, ATTESA).ok()?;
        tcp.set_read_timeout(Some(ATTESA)).ok()?;
        tcp.set_write_timeout(Some(ATTESA)).ok()?;
        let nome = ServerName::try_from(host.to_owned()).ok()?;
        let mut tls = ClientConnection::new(Arc::new(self.config()?), nome).ok()?;
        let mut stream = rustls::Stream::new(&mut tls, &mut tcp);
        rustls_of(&stream.read(&mut [0]).err()?).cloned()
    }

    fn config(&self) -> Option<ClientConfig> {
        let mut radici = RootCertStore::empty();
        for radice in CertificateDer::pem_file_iter(&self.ca).ok()? {
            radici.add(radice.ok()?).ok()?;
        }
        let catena = CertificateDer::pem_file_iter(&self.cert)
            .ok()?
            .collect::<Result<_, _>>()
            .ok()?;
        ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .with_safe_default_protocol_versions()
            .ok()?
            .with_root_certificates(radici)
            .with_client_auth_cert(catena, PrivateKeyDer::from_pem_file(&self.key).ok()?)
            .ok()
    }
}

/// The TLS error inside an I/O error.
pub(super) fn rustls_of(error: &io::Error) -> Option<&rustls::Error> {
    error.get_ref()?.downcast_ref()
}

/// What a TLS error means for who sends, in Italian.
pub(super) fn sentence(error: &rustls::Error) -> String {
    match error {
        rustls::Error::AlertReceived(alert) => {
            let causa = match alert {
                AlertDescription::CertificateExpired => "il certificato del client è scaduto",
                AlertDescription::CertificateRevoked => "il certificato del client è revocato",
                AlertDescription::CertificateRequired | AlertDescription::NoCertificate => {
                    "manca il certificato del client"
                }
                AlertDescription::UnknownCA => {
                    "il certificato del client è di una CA che il varco non riconosce"
                }
                AlertDescription::BadCertificate
                | AlertDescription::UnsupportedCertificate
                | AlertDescription::CertificateUnknown
                | AlertDescription::DecryptError => "il certificato del client non è valido",
                AlertDescription::AccessDenied => "il certificato del client non è ammesso",
                AlertDescription::HandshakeFailure | AlertDescription::ProtocolVersion => {
                    "nessuna versione o cifratura TLS in comune"
                }
                _ => "la stretta di mano TLS è fallita",
            };
            format!(
                "il varco ha rifiutato la connessione: {causa} (TLS {alert:?}). Chi gestisce il varco vede la causa con: varco trace --porta"
            )
        }
        rustls::Error::InvalidCertificate(
            CertificateError::UnknownIssuer | CertificateError::BadSignature,
        ) => "il certificato del varco non è firmato dalla CA indicata: controllare --ca".to_owned(),
        rustls::Error::InvalidCertificate(
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. },
        ) => "il certificato del varco non vale per il nome in --url".to_owned(),
        altro => format!("la stretta di mano TLS è fallita: {altro}"),
    }
}
