//! Who has joined: the register of enti. A certificate speaks for an ente; the ente has uffici, addresses, services
//! and operations granted, a quota and a state. The file is documented in docs/adesioni.sample.toml; a file with a
//! mistake never replaces a good one.

pub mod certificato;
mod credenziale;
pub mod differenze;
pub mod documento;
mod file;
pub mod modulo;
mod pdd;
pub mod scrittura;
#[cfg(test)]
mod tests;

use std::net::IpAddr;
use std::sync::Arc;

use arc_swap::ArcSwap;
use ipnet::IpNet;
use jiff::Timestamp;

use crate::egov::Parte;
use crate::patronato::{CodiceEnte, CodiceUfficio};

pub use pdd::PortaEnte;

/// The certificate that the handshake (or the command line) vouches for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Certificato {
    /// Subject, one line: `CN=pat01,O=…`.
    pub soggetto: String,
    /// Issuer, one line.
    pub emittente: String,
    /// Serial number, upper-case hex without separators or leading zeros.
    pub seriale: String,
    /// SHA-256 of the DER, lower-case hex.
    pub sha256: String,
    /// End of validity.
    pub scadenza: Timestamp,
}

/// Who is on the other end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Peer {
    /// The client certificate.
    pub certificato: Certificato,
    /// Where the connection comes from.
    pub indirizzo: IpAddr,
    /// `TLSv1.3`, `TLSv1.2`.
    pub tls_versione: String,
    /// The cipher suite.
    pub tls_suite: String,
    /// The name that the client asked for (SNI), when it asked for one.
    pub sni: Option<String>,
    /// Whether the session was resumed (then the verifier was skipped, and we look again).
    pub tls_ripresa: bool,
}

/// How a certificate is told in the file.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Riconoscimento {
    /// By the SHA-256 of the DER.
    Sha256(String),
    /// By issuer and serial.
    EmittenteSeriale {
        /// Issuer, one line as in [`Certificato::emittente`].
        emittente: String,
        /// Serial as in [`Certificato::seriale`].
        seriale: String,
    },
}

impl Riconoscimento {
    /// Whether it means this certificate.
    #[must_use]
    pub fn is(&self, certificato: &Certificato) -> bool {
        match self {
            Self::Sha256(sha256) => *sha256 == certificato.sha256,
            Self::EmittenteSeriale { emittente, seriale } => {
                *emittente == certificato.emittente && *seriale == certificato.seriale
            }
        }
    }
}

/// A certificate of an ente, as the file tells it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CertificatoEnte {
    /// By what it is known.
    pub riconoscimento: Riconoscimento,
    /// Its end, where the file tells it.
    pub scadenza: Option<Timestamp>,
    /// Itself and what follows it, as DER, where the file holds it.
    pub catena: Vec<Vec<u8>>,
    /// Its line in the file.
    pub riga: usize,
}

/// Whether an ente may send.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Deserialize, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum StatoEnte {
    /// It may.
    Attivo,
    /// Not for now.
    Sospeso,
}

/// One ente that has joined.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ente {
    /// Its code: `PAT01`.
    pub codice: CodiceEnte,
    /// Its name.
    pub denominazione: String,
    /// Its own codice fiscale (eleven digits).
    pub codice_fiscale: String,
    /// Whether it may send.
    pub stato: StatoEnte,
    /// Its certificates; several while one is rotated.
    pub certificati: Vec<CertificatoEnte>,
    /// Its uffici.
    pub uffici: Vec<CodiceUfficio>,
    /// From where it may connect; empty = from anywhere.
    pub indirizzi: Vec<IpNet>,
    /// Operations granted, by service: (`AssegnoTemporaneo`, [`InviaDomanda`, …]); `*` = all of them.
    pub servizi: Vec<(String, Vec<String>)>,
    /// Requests a minute; `None` = no quota.
    pub quota_al_minuto: Option<u32>,
    /// Whether lenient forms of Identity are taken from it: `None` = as configured for all.
    pub identity_strict: Option<bool>,
    /// Its porte di dominio; none = it does not send by SPCoop.
    pub pdd: Vec<PortaEnte>,
}

impl Ente {
    /// When the last of its certificates ends, as far as the file tells: from then on it has none.
    #[must_use]
    pub fn scadenza(&self) -> Option<Timestamp> {
        let scadenze = self.certificati.iter().filter_map(|voce| voce.scadenza);
        scadenze.max()
    }

    /// Its porta that sends under this name.
    #[must_use]
    pub fn porta(&self, mittente: &Parte) -> Option<&PortaEnte> {
        self.pdd.iter().find(|porta| porta.parte.is(mittente))
    }
}

/// The register in force, shared by all who ask it; a reload puts another in its place.
pub type AdesioniVive = Arc<ArcSwap<Adesioni>>;

/// All enti, looked up by certificate. Immutable: a reload makes a new one.
#[derive(Debug, Default)]
pub struct Adesioni {
    enti: Vec<Arc<Ente>>,
}

impl Adesioni {
    /// The register of these enti (already checked by [`Adesioni::parse`]).
    #[must_use]
    pub fn new(enti: Vec<Ente>) -> Self {
        Self {
            enti: enti.into_iter().map(Arc::new).collect(),
        }
    }

    /// Every ente, in the order of the file.
    #[must_use]
    pub fn enti(&self) -> &[Arc<Ente>] {
        &self.enti
    }

    /// The porta that sends under this name, whosever it is.
    #[must_use]
    pub fn porta(&self, mittente: &Parte) -> Option<&PortaEnte> {
        self.enti.iter().find_map(|ente| ente.porta(mittente))
    }

    /// The ente that a certificate speaks for.
    #[must_use]
    pub fn ente(&self, certificato: &Certificato) -> Option<&Arc<Ente>> {
        self.enti.iter().find(|ente| {
            ente.certificati
                .iter()
                .any(|voce| voce.riconoscimento.is(certificato))
        })
    }
}
