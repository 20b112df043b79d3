//! What is kept of a busta, in the form in which the authority asks for it: a record of `Tracciamento` that holds the
//! header as it was on the wire, byte by byte; for what had no header, a diagnostic.

use jiff::Timestamp;

use super::costanti::{DIAGNOSTICA, TRACCIAMENTO};
use super::ora;
use crate::domanda::codelista::codelista;
use crate::soap::scrittore::Scrittore;

codelista! {
    /// Which way a busta went.
    TipoMessaggio {
        /// To us.
        Richiesta = "Richiesta",
        /// From us.
        Risposta = "Risposta",
    }
}

codelista! {
    /// `LivelloDiSeverita`: how bad, and whose.
    Severita {
        /// The porta does not work.
        Fatale = "0",
        /// The message breaks the protocol.
        ErroreProtocollo = "1",
        /// The application behind the porta does not work.
        ErroreIntegrazione = "2",
        /// Something to know of the protocol.
        InfoProtocollo = "3",
        /// Something to know of the application.
        InfoIntegrazione = "4",
    }
}

/// One record of the trace.
#[derive(Debug, Clone, Copy)]
pub struct Traccia<'a> {
    /// When we recorded it.
    pub gdo: Timestamp,
    /// The code of our porta.
    pub porta: &'a str,
    /// Which way.
    pub tipo: TipoMessaggio,
    /// The header block as it was on the wire.
    pub intestazione: &'a [u8],
    /// What the message bound outside of it ([`super::Busta::legami`]); nothing for our own.
    pub legami: &'a str,
}

impl Traccia<'_> {
    /// The record.
    #[must_use]
    pub fn write(&self) -> Vec<u8> {
        let prefisso = libero(self.legami);
        let nome = |locale: &str| format!("{prefisso}:{locale}");
        let mut w = Scrittore::new();
        let radice = nome("traccia");
        // Bindings are written as the text that they are kept as: they have been attributes all along.
        w.grezzo(&format!(
            "<{radice} xmlns:{prefisso}=\"{TRACCIAMENTO}\"{}>",
            self.legami
        ));
        w.campo(&nome("GDO"), ora::scrivi_ms(self.gdo));
        w.campo(&nome("IdentificativoPorta"), self.porta);
        w.campo(&nome("TipoMessaggio"), self.tipo.as_str());
        w.conservato(self.intestazione);
        w.grezzo(&format!("</{radice}>"));
        w.finish()
    }
}

/// A prefix that none of these bindings has.
fn libero(legami: &str) -> String {
    let preso = |prefisso: &str| legami.contains(&format!(" xmlns:{prefisso}="));
    let mut prefisso = "t".to_owned();
    while preso(&prefisso) {
        prefisso.push('t');
    }
    prefisso
}

/// A line of the diagnostics.
#[derive(Debug, Clone, Copy)]
pub struct Diagnostico<'a> {
    /// When.
    pub ora: Timestamp,
    /// The code of our porta.
    pub porta: &'a str,
    /// Which part of it.
    pub funzione: &'a str,
    /// How bad.
    pub severita: Severita,
    /// One sentence.
    pub testo: &'a str,
}

impl Diagnostico<'_> {
    /// The `MessaggioDiagnostico`.
    #[must_use]
    pub fn write(&self) -> Vec<u8> {
        let mut w = Scrittore::new();
        w.elemento("d:MessaggioDiagnostico", &[("xmlns:d", DIAGNOSTICA)], |w| {
            w.campo("d:OraRegistrazione", ora::scrivi_ms(self.ora));
            w.campo("d:IdentificativoPorta", self.porta);
            w.campo("d:IdentificativoFunzione", self.funzione);
            w.campo("d:LivelloDiSeverita", self.severita.as_str());
            w.campo("d:TestoDiagnostico", self.testo);
        });
        w.finish()
    }
}

/// What stands before and behind the records of an export, which may be told one after the other.
pub mod esportazione {
    /// Before the first one.
    pub const INIZIO: &str =
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Tracce xmlns=\"http://inps.it/varco/egov/v1\">\n";
    /// After each one.
    pub const SEPARATORE: &str = "\n";
    /// After the last one.
    pub const FINE: &str = "</Tracce>\n";
}
