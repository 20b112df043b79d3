//! The catalogue of errors: one table. Every code that Varco tells anybody stands here with its Italian and
//! English text, its suggestion, its kind and whether the same message may succeed later. `docs/errori.md`, the
//! served catalogue and the tests come from this table; codes are never reused and never renumbered.
//!
//! Texts are templates: `{nome}` is filled from the arguments of the violation. No argument ever holds a codice
//! fiscale, an IBAN or a name.

/// What a client is shown for a kind of refusal: the names that `GovWay`'s clients already parse.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Genere {
    /// The bytes are no XML, or XML that we refuse to read.
    UnprocessableRequestContent,
    /// Read, but not what the contract says (envelope, Identity, XSD).
    InvalidRequestContent,
    /// The Content-Type is not one of ours.
    ContentTypeNotSupported,
    /// A header block that must be understood is not.
    SoapMustUnderstandUnknown,
    /// An envelope of no SOAP version that we speak.
    SoapVersionMismatch,
    /// No such operation.
    UndefinedOperation,
    /// What was asked for is not there (for this ente).
    NotFound,
    /// Known, but not allowed.
    AuthorizationDeny,
    /// The same key with other content.
    Conflict,
    /// Over a limit of size.
    RequestSizeExceeded,
    /// Over the ente's quota.
    LimitExceeded,
    /// Ours: not now.
    APIUnavailable,
    /// A rule of the prestazione: no fault, the outcome `RIFIUTATA`.
    Regola,
    /// A warning beside the outcome.
    Avviso,
    /// Refused before there was an envelope (TLS, HTTP): door log and status line only.
    Porta,
}

impl Genere {
    /// The status told inside `problem`, as `GovWay` numbers it. 0 where there is no fault.
    #[must_use]
    pub fn status(self) -> u16 {
        match self {
            Self::UnprocessableRequestContent
            | Self::InvalidRequestContent
            | Self::ContentTypeNotSupported
            | Self::SoapMustUnderstandUnknown
            | Self::SoapVersionMismatch => 400,
            Self::AuthorizationDeny => 403,
            Self::UndefinedOperation | Self::NotFound => 404,
            Self::Conflict => 409,
            Self::RequestSizeExceeded => 413,
            Self::LimitExceeded => 429,
            Self::APIUnavailable => 503,
            Self::Regola | Self::Avviso | Self::Porta => 0,
        }
    }

    /// The subcode: the variant's own name.
    #[must_use]
    pub fn nome(self) -> &'static str {
        match self {
            Self::UnprocessableRequestContent => "UnprocessableRequestContent",
            Self::InvalidRequestContent => "InvalidRequestContent",
            Self::ContentTypeNotSupported => "ContentTypeNotSupported",
            Self::SoapMustUnderstandUnknown => "SoapMustUnderstandUnknown",
            Self::SoapVersionMismatch => "SoapVersionMismatch",
            Self::UndefinedOperation => "UndefinedOperation",
            Self::NotFound => "NotFound",
            Self::AuthorizationDeny => "AuthorizationDeny",
            Self::Conflict => "Conflict",
            Self::RequestSizeExceeded => "RequestSizeExceeded",
            Self::LimitExceeded => "LimitExceeded",
            Self::APIUnavailable => "APIUnavailable",
            Self::Regola => "Regola",
            Self::Avviso => "Avviso",
            Self::Porta => "Porta",
        }
    }
}

/// One line of the catalogue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Voce {
    /// The stable code: `XSD-004`.
    pub codice: &'static str,
    /// The kind of refusal.
    pub genere: Genere,
    /// Whether the same message, sent again later, may succeed.
    pub ripetere: bool,
    /// The Italian sentence, a template.
    pub it: &'static str,
    /// The English sentence, a template with the same arguments.
    pub en: &'static str,
    /// What to do, in Italian: a template with the same arguments.
    pub suggerimento: &'static str,
}

macro_rules! catalogo {
    ($($nome:ident $codice:literal $genere:ident $ripetere:ident {
        $it:literal
        $en:literal
        $suggerimento:literal
    })*) => {
        /// A code of the catalogue.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[expect(missing_docs, reason = "the table below is the documentation of each code")]
        pub enum Codice {
            $($nome,)*
        }

        /// Every code, in the order of the table.
        pub const CODICI: &[Codice] = &[$(Codice::$nome,)*];

        impl Codice {
            /// The code's line of the catalogue.
            #[must_use]
            pub fn voce(self) -> &'static Voce {
                match self {
                    $(Self::$nome => &Voce {
                        codice: $codice,
                        genere: Genere::$genere,
                        ripetere: catalogo!(@ $ripetere),
                        it: $it,
                        en: $en,
                        suggerimento: $suggerimento,
                    },)*
                }
            }
        }
    };
    (@ ripetere) => { true };
    (@ correggere) => { false };
}

impl Codice {
    /// The code as it is told: `XSD-004`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        self.voce().codice
    }

    /// The code spelt `text`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        CODICI.iter().copied().find(|codice| codice.as_str() == text)
    }
}

impl std::fmt::Display for Codice {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Fills the `{nome}` places of a template; a place without an argument stays as it is (a test holds that none does).
#[must_use]
pub fn fill(template: &str, argomenti: &[(&'static str, String)]) -> String {
    let mut testo = template.to_owned();
    for (nome, valore) in argomenti {
        testo = testo.replace(&format!("{{{nome}}}"), valore);
    }
    testo
}

// Three texts a code: Italian, English, suggestion. Kept in groups by prefix, each in order of number.
catalogo! {
    // ── TLS: the handshake (door log only: a failed handshake has no envelope) ──
    // ── HTP: HTTP before an envelope ──
    // ── ENV: XML and envelope ──
    // ── IDN: Identity ──
    // ── ACC: access ──
    // ── RPL: replay ──
    Rpl001 "RPL-001" Conflict correggere {
        "la ChiaveInvio è già stata usata per un altro contenuto, registrato con protocollo {protocollo}"
        "this ChiaveInvio was already used for other content, registered as {protocollo}"
        "Per una domanda diversa usare una ChiaveInvio nuova; per rivedere la prima chiedere la ricevuta con ConsultaDomanda o ScaricaRicevuta."
    }
    // ── XSD: form ──
    // ── CF, IBN: identifiers ──
    // ── FIN: windows · DIC: declarations · ALL: attachments ──
    // ── AT: Assegno Temporaneo ──
    // ── STA, PRO: state and register ──
    // ── STO, SYS: ours ──
    Sto001 "STO-001" APIUnavailable ripetere {
        "servizio momentaneamente non disponibile"
        "service temporarily unavailable"
        "Riprovare con la stessa ChiaveInvio dopo i secondi di Retry-After: se la domanda era già registrata si riceve la sua ricevuta."
    }
    // ── end ──
}
