//! The contract as compiled in: the WSDLs and the XSDs, by the names with which they import each other. What the gateway
//! validates by, what it serves (`?wsdl`, `?xsd=`) and what `varco kit` writes are these same texts.

/// A document of the contract: its file name and its text.
pub type Documento = (&'static str, &'static str);

/// The header block Identity.
pub const IDENTITY: Documento = ("identity.xsd", include_str!("../xsd/identity.xsd"));

/// What all services share.
pub const COOPERAZIONE: Documento = ("cooperazione-v1.xsd", include_str!("../xsd/cooperazione-v1.xsd"));

/// Assegno Temporaneo.
pub const ASSEGNO_TEMPORANEO: Documento = (
    "assegno-temporaneo-v1.xsd",
    include_str!("../xsd/assegno-temporaneo-v1.xsd"),
);

/// Assegno Unico e Universale.
pub const ASSEGNO_UNICO: Documento = (
    "assegno-unico-v1.xsd",
    include_str!("../xsd/assegno-unico-v1.xsd"),
);

/// The XSDs of requests and answers: what a message is held against.
pub const XSDS_DEL_CORPO: &[Documento] = &[COOPERAZIONE, ASSEGNO_TEMPORANEO, ASSEGNO_UNICO];

/// The XSDs of the PDD channel: the busta, its trace and its diagnostics, and the export of both.
pub const XSDS_DELLA_BUSTA: &[Documento] = &[
    (
        "soap-11-attributi.xsd",
        include_str!("../xsd/soap-11-attributi.xsd"),
    ),
    ("busta-egov.xsd", include_str!("../xsd/busta-egov.xsd")),
    (
        "tracciamento-egov.xsd",
        include_str!("../xsd/tracciamento-egov.xsd"),
    ),
    (
        "diagnostica-egov.xsd",
        include_str!("../xsd/diagnostica-egov.xsd"),
    ),
    ("tracce-egov-v1.xsd", include_str!("../xsd/tracce-egov-v1.xsd")),
];

/// Every XSD that the WSDLs lead to.
pub const XSDS: &[Documento] = &[IDENTITY, COOPERAZIONE, ASSEGNO_TEMPORANEO, ASSEGNO_UNICO];

/// Every WSDL, by the name of its service.
pub const WSDLS: &[Documento] = &[
    (
        "AssegnoTemporaneo",
        include_str!("../wsdl/AssegnoTemporaneo.wsdl"),
    ),
    (
        "AssegnoUnicoUniversale",
        include_str!("../wsdl/AssegnoUnicoUniversale.wsdl"),
    ),
];

/// The document of a name.
#[must_use]
pub fn by_name(documenti: &[Documento], nome: &str) -> Option<&'static str> {
    documenti
        .iter()
        .find(|(uno, _)| *uno == nome)
        .map(|(_, testo)| *testo)
}
