//! What was exchanged with a porta di dominio, byte by byte: the Intestazione that came and the one that went back. Of it
//! the records `Tracciamento1_0` are made; of a message without Intestazione, a diagnostic.

use bytes::Bytes;
use jiff::Timestamp;
use jiff::civil::Date;

/// One exchange. No personal value stands in it: an Intestazione names parties, services and messages.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Scambio {
    /// Our porta: `IdentificativoPorta` of the records.
    pub porta: String,
    /// Who the busta says that it is from.
    pub controparte: Option<String>,
    /// Its Identificatore, as it was told.
    pub identificatore: Option<String>,
    /// The day that the Identificatore tells, of one that is good: what it is used up under.
    pub giorno: Option<Date>,
    /// Fingerprint of the client certificate, hex.
    pub certificato_sha256: String,
    /// The Intestazione as received.
    pub richiesta: Option<Bytes>,
    /// The prefixes that the message bound around it, as attributes: ` xmlns:e="urn:e"`.
    pub legami: String,
    /// How it was answered; `None`: it was not.
    pub forma: Option<Forma>,
    /// The Intestazione that went back.
    pub risposta: Option<BustaInviata>,
    /// What is known of a message without Intestazione.
    pub diagnostico: Option<Diagnostico>,
}

/// An Intestazione of ours.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BustaInviata {
    /// When it was made, true clock.
    pub istante: Timestamp,
    /// Its Identificatore.
    pub identificatore: String,
    /// Its bytes.
    pub intestazione: Bytes,
}

/// What is told of a message that leaves no record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostico {
    /// `LivelloDiSeverita`: 0 the worst, 7 the least.
    pub livello: u8,
    /// One sentence.
    pub testo: String,
}

/// How an exchange was answered (spec/spcoop.md, the three shapes).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Forma {
    /// By the service, in a busta.
    Risposta,
    /// A: a Fault alone, no busta could be read.
    SoloFault,
    /// B: the busta is wrong.
    Eccezioni,
    /// C: it could not be processed.
    Processamento,
}

impl Forma {
    /// As it is kept.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Risposta => "RISPOSTA",
            Self::SoloFault => "A",
            Self::Eccezioni => "B",
            Self::Processamento => "C",
        }
    }

    /// The one that is kept so.
    #[must_use]
    pub fn parse(testo: &str) -> Option<Self> {
        [
            Self::Risposta,
            Self::SoloFault,
            Self::Eccezioni,
            Self::Processamento,
        ]
        .into_iter()
        .find(|forma| forma.as_str() == testo)
    }
}

impl Scambio {
    /// What the busta uses up when it is taken in.
    #[must_use]
    pub fn busta(&self) -> Option<(Date, &str)> {
        Some((self.giorno?, self.identificatore.as_deref()?))
    }
}
