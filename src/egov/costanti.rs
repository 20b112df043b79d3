//! Names that the busta is made of. They are compared byte by byte: `egovIT` is another namespace than `eGovIT`.

use crate::domanda::codelista::codelista;

/// Namespace of the header block.
pub use crate::soap::envelope::EGOV;
/// Namespace of a record of the trace.
pub const TRACCIAMENTO: &str = "http://www.cnipa.it/schemas/2003/eGovIT/Tracciamento1_0/";
/// Namespace of a diagnostic. It says `ctrupa`, and always did.
pub const DIAGNOSTICA: &str = "http://www.ctrupa.it/schemas/2003/eGovIT/Diag1_0/";
/// Whom the header block is for: `soapenv:actor`.
pub const PORTA_DOMINIO: &str = "http://www.cnipa.it/eGov_it/portadominio";
/// Namespace of the only SOAP that SPCoop speaks.
pub const SOAP: &str = crate::soap::SoapVersion::V11.namespace();

/// The faultstring of shapes A and B. Compared by others as a string.
pub const FORMATO_NON_CORRETTO: &str = "EGOV_IT_001 - Formato Busta non corretto";
/// The faultstring of shape C. Compared by others as a string: no fault of a service may say the same.
pub const ERRORE_NEL_PROCESSAMENTO: &str = "EGOV_IT_300 - Errore nel processamento del messaggio SPCoop";

/// The type of a party and of a service under the Linee guida.
pub const SPC: &str = "SPC";
/// Types of a service outside the Linee guida.
pub const TIPI_SERVIZIO: &[&str] = &[SPC, "TEST", "URL", "WSDL", "LDAP", "UDDI", "ebXMLRegistry"];
/// Name of a sender that could not be read, where the answer needs one.
pub const SCONOSCIUTO: &str = "Sconosciuto";

/// Value of `tempo`: the sender's own clock.
pub const TEMPO_LOCALE: &str = "EGOV_IT_Locale";
/// Value of `tempo`: the clock of the network.
pub const TEMPO_SPC: &str = "EGOV_IT_SPC";
/// Value of `inoltro`: duplicates are filtered.
pub const ALPIUUNAVOLTA: &str = "EGOV_IT_ALPIUUNAVOLTA";
/// Value of `inoltro`: duplicates may come; what the attribute means when it is absent.
pub const PIUDIUNAVOLTA: &str = "EGOV_IT_PIUDIUNAVOLTA";

codelista! {
    /// How two parties exchange messages.
    Profilo {
        /// A message without an answer.
        OneWay = "EGOV_IT_MessaggioSingoloOneWay",
        /// A request and its answer on one connection: what our services are.
        Sincrono = "EGOV_IT_ServizioSincrono",
        /// Two connections, one each way.
        AsincronoSimmetrico = "EGOV_IT_ServizioAsincronoSimmetrico",
        /// Two connections, both from the client.
        AsincronoAsimmetrico = "EGOV_IT_ServizioAsincronoAsimmetrico",
    }
}
