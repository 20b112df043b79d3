//! SOAP: the envelope's beginning, the header Identity, faults and answers. Knows no HTTP and no SQL.

pub mod answer;
mod blocco;
pub mod envelope;
pub mod errori;
pub mod fault;
pub mod identity;
pub mod mtom;
#[cfg(test)]
pub(crate) mod prova;
pub(crate) mod scrittore;

pub(crate) use blocco::leggi_blocco;
pub use blocco::{Blocco, Elemento};

/// The SOAP version, told by the envelope alone and answered in kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SoapVersion {
    /// SOAP 1.2: `http://www.w3.org/2003/05/soap-envelope`.
    V12,
    /// SOAP 1.1: `http://schemas.xmlsoap.org/soap/envelope/`.
    V11,
}

impl SoapVersion {
    /// The namespace of the envelope.
    #[must_use]
    pub const fn namespace(self) -> &'static str {
        match self {
            Self::V12 => "http://www.w3.org/2003/05/soap-envelope",
            Self::V11 => "http://schemas.xmlsoap.org/soap/envelope/",
        }
    }

    /// As trace and Diagnosi spell it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::V12 => "1.2",
            Self::V11 => "1.1",
        }
    }

    /// The Content-Type of an answer.
    #[must_use]
    pub fn content_type(self) -> &'static str {
        match self {
            Self::V12 => "application/soap+xml; charset=utf-8",
            Self::V11 => "text/xml; charset=utf-8",
        }
    }
}
