//! The papers that people keep: the receipt and the summary of a registration, as values and as PDF pages. It promises
//! that the same values give the same bytes, that what it gives is PDF/A (krilla refuses to write anything else), and
//! that no text runs over the edge of its page. It knows no SQL and no SOAP.
//!
//! What a paper says is fixed with its first download: the store keeps those bytes (`carte`), with the number of the
//! layout that made them, and a later release only carries them.

mod caratteri;
mod foglio;
pub mod italiano;
pub mod parole;
pub mod pdf;
mod ricevuta;
pub mod riepilogo;
mod stampa;
#[cfg(test)]
mod tests;

pub use ricevuta::{RicevutaDati, SchedaDati};
pub use riepilogo::Riepilogo;

use crate::domanda::codelista::codelista;
use crate::domanda::sha256::Sha256;

/// The layout of the papers that this release makes; it grows with every change of what they show.
pub const IMPAGINAZIONE: u16 = 1;

codelista! {
    /// Which paper of a registration.
    Quale {
        /// What the sender was told when it was registered.
        Ricevuta = "RICEVUTA",
        /// All that was sent, in words for people.
        Riepilogo = "RIEPILOGO",
    }
}

codelista! {
    /// In which form.
    Formato {
        /// For programs.
        Xml = "XML",
        /// For people.
        Pdf = "PDF",
    }
}

impl Formato {
    /// As MIME has it.
    #[must_use]
    pub fn tipo_mime(self) -> &'static str {
        match self {
            Self::Xml => "application/xml",
            Self::Pdf => "application/pdf",
        }
    }
}

/// A paper as it was made once.
#[derive(Clone, PartialEq, Eq)]
pub struct Carta {
    /// Which.
    pub quale: Quale,
    /// In which form.
    pub formato: Formato,
    /// The layout that made it.
    pub impaginazione: u16,
    /// SHA-256 of its bytes.
    pub impronta: [u8; 32],
    /// The bytes.
    pub bytes: bytes::Bytes,
}

impl Carta {
    /// One that was just made.
    #[must_use]
    pub fn new(quale: Quale, formato: Formato, bytes: Vec<u8>) -> Self {
        Self {
            quale,
            formato,
            impaginazione: IMPAGINAZIONE,
            impronta: Sha256::of(&bytes),
            bytes: bytes.into(),
        }
    }

    /// `ricevuta-INPS-AUF-2021-000000010797.pdf`: no file name tells whose it is.
    #[must_use]
    pub fn nome_file(&self, protocollo: &str) -> String {
        let (quale, formato) = (self.quale.as_str(), self.formato.as_str());
        format!("{quale}-{protocollo}.{formato}")
            .replace(quale, &quale.to_lowercase())
            .replace(formato, &formato.to_lowercase())
    }
}

impl std::fmt::Debug for Carta {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Carta")
            .field("quale", &self.quale)
            .field("formato", &self.formato)
            .field("bytes", &self.bytes.len())
            .finish_non_exhaustive()
    }
}

/// Why there is no paper. All of it is ours.
#[derive(Debug, thiserror::Error)]
pub enum CartaError {
    /// The typefaces that were compiled in are none.
    #[error("the typefaces cannot be read")]
    Caratteri,
    /// A page that is none.
    #[error("a page has no size")]
    Misura,
    /// The protocol and imprint do not fit into a square code.
    #[error("the square code is too long")]
    Codice,
    /// krilla does not write it: it would be no PDF/A.
    #[error("no PDF/A: {0}")]
    Pdf(String),
    /// What the store keeps of it cannot be read.
    #[error("{cosa} of the registration cannot be read")]
    Illeggibile {
        /// The receipt, or the request.
        cosa: &'static str,
    },
}
