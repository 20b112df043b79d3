//! Faults, in the shape that the clients of INPS's gateway (`GovWay`) already read: one Reason in Italian, a Subcode
//! with `GovWay`'s name, `problem` of RFC 7807 in the Detail. Before it stands what `GovWay` leaves out: `Errori`,
//! declared in the WSDL, with every error, its place and what to do. (design.md §2.5; SOAP 1.2 part 1, 5.4; SOAP 1.1, 4.4.)

use uuid::Uuid;

use super::SoapVersion;
use super::envelope::NonCompreso;
use super::errori::{COOP, documentazione, errori};
use super::scrittore::Scrittore;
use crate::catalogo::{Codice, Genere};
use crate::domanda::Violazione;

/// The namespace of our subcodes.
pub const FAULT: &str = "http://inps.it/varco/fault";
/// Who speaks: `Role`, `faultactor`.
pub const RUOLO: &str = "http://inps.it/varco";

/// A fault to be written.
#[derive(Debug, Clone)]
pub struct Fault<'a> {
    /// The version of the request.
    pub versione: SoapVersion,
    /// What was wrong; the first one decides code, subcode and reason. Never empty: if it is, it is our fault.
    pub violazioni: &'a [Violazione],
    /// The id that we gave to the message.
    pub message_id: Uuid,
    /// Header blocks that were not understood.
    pub non_compresi: &'a [NonCompreso],
}

impl Fault<'_> {
    /// The whole envelope.
    #[must_use]
    pub fn write(&self) -> Vec<u8> {
        let mut w = Scrittore::documento();
        w.elemento("env:Envelope", &[("xmlns:env", self.versione.namespace())], |w| {
            self.header(w);
            w.elemento("env:Body", &[], |w| {
                w.elemento("env:Fault", &[], |w| match self.versione {
                    SoapVersion::V12 => self.fault_12(w),
                    SoapVersion::V11 => self.fault_11(w),
                });
            });
        });
        w.finish()
    }

    /// The status of HTTP that goes with it: 500 for whatever is the caller's, as `ModI` orders.
    #[must_use]
    pub fn http_status(&self) -> u16 {
        match self.genere() {
            Genere::APIUnavailable => 503,
            Genere::LimitExceeded => 429,
            Genere::UnprocessableRequestContent
            | Genere::InvalidRequestContent
            | Genere::ContentTypeNotSupported
            | Genere::SoapMustUnderstandUnknown
            | Genere::SoapVersionMismatch
            | Genere::UndefinedOperation
            | Genere::NotFound
            | Genere::AuthorizationDeny
            | Genere::Conflict
            | Genere::RequestSizeExceeded
            | Genere::Regola
            | Genere::Avviso
            | Genere::Porta => 500,
        }
    }

    fn codice(&self) -> Codice {
        self.violazioni
            .first()
            .map_or(Codice::Sto001, |violazione| violazione.codice)
    }

    fn genere(&self) -> Genere {
        self.codice().voce().genere
    }

    /// The code of SOAP: who must do something about it.
    fn colpa(&self) -> &'static str {
        match (self.genere(), self.versione) {
            (Genere::SoapVersionMismatch, _) => "env:VersionMismatch",
            (Genere::SoapMustUnderstandUnknown, _) => "env:MustUnderstand",
            (Genere::APIUnavailable, SoapVersion::V12) => "env:Receiver",
            (Genere::APIUnavailable, SoapVersion::V11) => "env:Server",
            (_, SoapVersion::V12) => "env:Sender",
            (_, SoapVersion::V11) => "env:Client",
        }
    }

    /// One sentence.
    fn ragione(&self) -> String {
        let Some(prima) = self.violazioni.first() else {
            return self.codice().voce().it.to_owned();
        };
        match self.violazioni.len() - 1 {
            0 => prima.testo(),
            1 => format!("{} (e un altro errore)", prima.testo()),
            altri => format!("{} (e altri {altri} errori)", prima.testo()),
        }
    }

    /// SOAP 1.2 alone says how to name what was not understood and what we speak.
    fn header(&self, w: &mut Scrittore) {
        if self.versione == SoapVersion::V11 {
            return;
        }
        match self.genere() {
            Genere::SoapVersionMismatch => w.elemento("env:Header", &[], |w| {
                w.elemento("env:Upgrade", &[], |w| {
                    for versione in [SoapVersion::V12, SoapVersion::V11] {
                        let busta = [("qname", "v:Envelope"), ("xmlns:v", versione.namespace())];
                        w.elemento("env:SupportedEnvelope", &busta, |_| {});
                    }
                });
            }),
            Genere::SoapMustUnderstandUnknown if !self.non_compresi.is_empty() => {
                w.elemento("env:Header", &[], |w| {
                    for blocco in self.non_compresi {
                        if blocco.namespace.is_empty() {
                            w.elemento("env:NotUnderstood", &[("qname", &blocco.locale)], |_| {});
                        } else {
                            let qname = format!("n:{}", blocco.locale);
                            let nome = [("qname", qname.as_str()), ("xmlns:n", &blocco.namespace)];
                            w.elemento("env:NotUnderstood", &nome, |_| {});
                        }
                    }
                });
            }
            _ => {}
        }
    }

    fn fault_12(&self, w: &mut Scrittore) {
        w.elemento("env:Code", &[], |w| {
            w.campo("env:Value", self.colpa());
            w.elemento("env:Subcode", &[], |w| {
                // Bound here, as GovWay does: clients that cut the prefix off and those that resolve it both find it.
                w.elemento("env:Value", &[("xmlns:varco", FAULT)], |w| {
                    w.testo(&format!("varco:{}", self.genere().nome()));
                });
            });
        });
        w.elemento("env:Reason", &[], |w| {
            // One Text: two break gSOAP and node-soap.
            w.elemento("env:Text", &[("xml:lang", "it")], |w| w.testo(&self.ragione()));
        });
        w.campo("env:Role", RUOLO);
        w.elemento("env:Detail", &[("xmlns:coop", COOP)], |w| self.detail(w));
    }

    fn fault_11(&self, w: &mut Scrittore) {
        w.campo("faultcode", self.colpa());
        w.campo("faultstring", self.ragione());
        w.campo("faultactor", RUOLO);
        w.elemento("detail", &[("xmlns:coop", COOP)], |w| self.detail(w));
    }

    /// What is declared comes first: JAX-WS loses its typed exception when it does not.
    fn detail(&self, w: &mut Scrittore) {
        errori(w, self.violazioni, self.message_id);
        let genere = self.genere();
        // A rule's violation is no fault but for who asks for one: then it is the content that is wrong.
        let status = match genere.status() {
            0 => Genere::InvalidRequestContent.status(),
            status => status,
        };
        w.elemento("problem", &[("xmlns", "urn:ietf:rfc:7807")], |w| {
            w.campo("type", documentazione(self.codice().as_str()));
            w.campo("title", genere.nome());
            w.campo("status", status.to_string());
            w.campo("detail", self.ragione());
            w.campo("varco_id", self.message_id.to_string());
        });
    }
}

#[cfg(test)]
mod tests;
