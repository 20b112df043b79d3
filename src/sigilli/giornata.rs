//! The document with which a day is closed: what is signed and kept outside of the store. Its text is its bytes: whoever
//! has two of them compares files.

use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::{Impronta, merkle};
use crate::domanda::Ambiente;

/// A daily register that there was when the day was closed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UltimoGiornaliero {
    /// Of which register.
    pub registro: String,
    /// Of which day.
    pub giorno: Date,
    /// Its SHA-256.
    pub sha256: Impronta,
}

/// What a day was.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Giornata {
    /// Of the form of this document.
    pub versione: u8,
    /// Of which ambiente.
    pub ambiente: String,
    /// When the store was laid down: tells two stores of one ambiente apart.
    pub archivio: String,
    /// The day, in Europe/Rome.
    pub giorno: Date,
    /// When it was closed.
    pub chiuso_il: Timestamp,
    /// How many blocks it has; of an empty day, none.
    pub blocchi: usize,
    /// Number of its last block, or of the last one of before it.
    pub ultimo_blocco: u64,
    /// How many rows were sealed in them.
    pub righe: u64,
    /// Root over the seals of its blocks.
    pub radice: Impronta,
    /// Seal of its last block; `None` of an empty day.
    pub ultimo_sigillo: Option<Impronta>,
    /// The newest daily register of each register, when the day was closed.
    pub registri_giornalieri: Vec<UltimoGiornaliero>,
    /// SHA-256 of the document of the day before; zeroes on the first day.
    pub precedente_sha256: Impronta,
}

/// The blocks of a day, as its document sees them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Blocchi {
    /// Their seals, in order.
    pub sigilli: Vec<Impronta>,
    /// How many rows they have together.
    pub righe: u64,
}

/// The version of the document.
pub const VERSIONE: u8 = 1;

impl Giornata {
    /// The document of a day with these blocks.
    #[must_use]
    pub fn new(
        ambiente: Ambiente,
        archivio: &str,
        giorno: Date,
        chiuso_il: Timestamp,
        blocchi: &Blocchi,
    ) -> Self {
        Self {
            versione: VERSIONE,
            ambiente: ambiente.as_str().to_owned(),
            archivio: archivio.to_owned(),
            giorno,
            chiuso_il,
            blocchi: blocchi.sigilli.len(),
            ultimo_blocco: 0,
            righe: blocchi.righe,
            radice: merkle::radice(&blocchi.sigilli),
            ultimo_sigillo: blocchi.sigilli.last().copied(),
            registri_giornalieri: Vec::new(),
            precedente_sha256: Impronta::NESSUNA,
        }
    }

    /// Its bytes.
    #[must_use]
    pub fn documento(&self) -> String {
        let mut testo = serde_json::to_string_pretty(self).unwrap_or_default();
        testo.push('\n');
        testo
    }

    /// The one that has these bytes; `None` for any that we cannot have written.
    #[must_use]
    pub fn read(documento: &str) -> Option<Self> {
        let giornata: Self = serde_json::from_str(documento).ok()?;
        (giornata.versione == VERSIONE && giornata.documento() == documento).then_some(giornata)
    }

    /// What of these blocks is not as the document says, in one sentence.
    #[must_use]
    pub fn contradiction(&self, blocchi: &Blocchi, ultimo_blocco: u64) -> Option<&'static str> {
        if self.blocchi != blocchi.sigilli.len() || self.ultimo_blocco != ultimo_blocco {
            return Some("i blocchi non sono quelli che la chiusura del giorno conta");
        }
        if self.righe != blocchi.righe {
            return Some("le righe non sono quante ne conta la chiusura del giorno");
        }
        (self.radice != merkle::radice(&blocchi.sigilli)
            || self.ultimo_sigillo != blocchi.sigilli.last().copied())
        .then_some("i sigilli dei blocchi non portano alla radice della chiusura del giorno")
    }

    /// What the file of a day is called.
    #[must_use]
    pub fn nome_file(giorno: Date) -> String {
        format!("{PREFISSO}{giorno}{ESTENSIONE}")
    }

    /// The day that a file is called after.
    #[must_use]
    pub fn giorno_di(nome_file: &str) -> Option<Date> {
        let giorno = nome_file.strip_prefix(PREFISSO)?.strip_suffix(ESTENSIONE)?;
        giorno.parse().ok()
    }
}

const PREFISSO: &str = "prova-";
const ESTENSIONE: &str = ".json";
/// What is added to the name of a file for the name of its signature.
pub const FIRMA: &str = ".sig";
