//! The proof that nothing of what the gateway wrote down was changed since (ADR 21). What is durable is sealed, a few seconds
//! later, in blocks: the hash of each row, in order, under the hash of the block before. A day ends with a document that
//! says the root over its blocks and the document of the day before; signed, and kept outside of the store, it is what a
//! store that was tampered with is held against.
//!
//! Here are the values, their bytes and how they are checked, without a store: an export of a day is checked on any
//! machine, and so is the proof that one registration is in it.

pub mod catena;
pub mod esporta;
pub mod firma;
pub mod giornata;
pub mod inclusione;
pub mod merkle;
pub mod scarto;
pub mod verifica;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::domanda::sha256::{Sha256, hex};

/// A SHA-256. It has one spelling: 64 digits in lower case.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct Impronta(pub [u8; 32]);

impl Impronta {
    /// What stands before the first of a chain.
    pub const NESSUNA: Self = Self([0; 32]);

    /// That of these bytes.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Self {
        Self(Sha256::of(bytes))
    }
}

impl fmt::Display for Impronta {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex(&self.0))
    }
}

impl fmt::Debug for Impronta {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl From<Impronta> for String {
    fn from(impronta: Impronta) -> Self {
        impronta.to_string()
    }
}

impl TryFrom<String> for Impronta {
    type Error = ImprontaErrata;

    fn try_from(testo: String) -> Result<Self, ImprontaErrata> {
        testo.parse()
    }
}

impl FromStr for Impronta {
    type Err = ImprontaErrata;

    fn from_str(testo: &str) -> Result<Self, ImprontaErrata> {
        let cifra = |byte: u8| match byte {
            b'0'..=b'9' => Ok(byte - b'0'),
            b'a'..=b'f' => Ok(byte - b'a' + 10),
            _ => Err(ImprontaErrata),
        };
        let mut bytes = [0; 32];
        if testo.len() != 64 {
            return Err(ImprontaErrata);
        }
        for (byte, cifre) in bytes.iter_mut().zip(testo.as_bytes().chunks_exact(2)) {
            *byte = cifra(cifre[0])? << 4 | cifra(cifre[1])?;
        }
        Ok(Self(bytes))
    }
}

/// A text that is no SHA-256.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("non è uno SHA-256 di 64 cifre esadecimali minuscole")]
pub struct ImprontaErrata;

/// What kind of row was sealed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Genere {
    /// The trace of a message that was not registered. Of one whose sender hung up it may be sealed before the
    /// registration comes to pass: then a [`Genere::TracciaRegistrata`] of the same message takes its place.
    Traccia,
    /// The trace of a message that was registered: the last word about it.
    TracciaRegistrata,
    /// A registration.
    Registrazione,
    /// A refusal at the door.
    Porta,
    /// A daily register.
    Giornaliero,
    /// A purge that has ended: what retention took, and may therefore be missing ([`scarto`]).
    Pulizia,
}

impl Genere {
    const TUTTI: [Self; 6] = [
        Self::Traccia,
        Self::TracciaRegistrata,
        Self::Registrazione,
        Self::Porta,
        Self::Giornaliero,
        Self::Pulizia,
    ];

    /// The letter that stands for it.
    #[must_use]
    pub fn lettera(self) -> char {
        match self {
            Self::Traccia => 't',
            Self::TracciaRegistrata => 'T',
            Self::Registrazione => 'R',
            Self::Porta => 'P',
            Self::Giornaliero => 'G',
            Self::Pulizia => 'S',
        }
    }

    /// The one with this letter.
    #[must_use]
    pub fn parse(lettera: char) -> Option<Self> {
        Self::TUTTI.into_iter().find(|genere| genere.lettera() == lettera)
    }

    /// The table that it stands in.
    #[must_use]
    pub fn tabella(self) -> &'static str {
        match self {
            Self::Traccia | Self::TracciaRegistrata => "tracce",
            Self::Registrazione => "registrazioni",
            Self::Porta => "porta",
            Self::Giornaliero => "registri_giornalieri",
            Self::Pulizia => "pulizie",
        }
    }

    /// The column by which retention takes its rows; `None` where none of them ever go.
    fn colonna_istante(self) -> Option<&'static str> {
        match self {
            Self::Traccia | Self::TracciaRegistrata => Some("ricevuto_il"),
            Self::Porta => Some("istante"),
            Self::Registrazione | Self::Giornaliero | Self::Pulizia => None,
        }
    }
}

/// The SHA-256 of the request and of the answer that a trace holds; `None` where it holds none. They are kept with the seal,
/// so that a trace whose bytes were purged can still be checked.
pub type Corpi = [Option<Impronta>; 2];

/// A row as it is sealed: its columns as one text, without anybody's name (see [`impegno`]), without bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Riga {
    /// What it is.
    pub genere: Genere,
    /// What it is called: message id, protocol number, number at the door, register and day.
    pub chiave: String,
    /// Every column by name and length.
    pub testo: Vec<u8>,
    /// What it holds in bytes.
    pub corpi: Corpi,
}

impl Riga {
    /// Its entry.
    #[must_use]
    pub fn voce(&self) -> Voce {
        Voce {
            genere: self.genere,
            chiave: self.chiave.clone(),
            impronta: Impronta::of(&self.testo),
            corpi: self.corpi,
            istante: self.istante(),
        }
    }
}

impl Riga {
    /// When what it tells of was, in microseconds, where retention goes by that.
    fn istante(&self) -> Option<i64> {
        let colonna = campo(&self.testo, self.genere.colonna_istante()?)?;
        std::str::from_utf8(colonna).ok()?.parse().ok()
    }
}

/// What a block keeps of a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Voce {
    /// What it is.
    pub genere: Genere,
    /// What it is called.
    pub chiave: String,
    /// SHA-256 of its text.
    pub impronta: Impronta,
    /// What it held in bytes.
    pub corpi: Corpi,
    /// When what it tells of was, in microseconds: a row that went by its term is known by it. `None` where retention takes
    /// nothing, and in blocks of before retention was known here.
    pub istante: Option<i64>,
}

impl Voce {
    /// Its leaf in the tree of the block.
    #[must_use]
    pub fn foglia(&self) -> Impronta {
        let mut bytes = Vec::with_capacity(128);
        self.write(&mut bytes);
        merkle::foglia(&[&bytes])
    }

    fn write(&self, bytes: &mut Vec<u8>) {
        let lettera = u8::try_from(self.genere.lettera()).unwrap_or(b'?');
        let id: Option<Uuid> = self.chiave.parse().ok();
        let id = id.filter(|id| id.to_string() == self.chiave);
        let segni = u8::from(self.istante.is_some()) << 3
            | u8::from(id.is_some()) << 2
            | u8::from(self.corpi[1].is_some()) << 1
            | u8::from(self.corpi[0].is_some());
        bytes.extend([lettera, segni]);
        if let Some(id) = id {
            bytes.extend(id.as_bytes());
        } else {
            // No name of ours comes near to 255 bytes; one that does was made up, and does not come back the same.
            let lunga = u8::try_from(self.chiave.len()).unwrap_or(u8::MAX);
            bytes.push(lunga);
            bytes.extend(&self.chiave.as_bytes()[..usize::from(lunga)]);
        }
        bytes.extend(self.impronta.0);
        bytes.extend(self.corpi.iter().flatten().flat_map(|corpo| corpo.0));
        bytes.extend(self.istante.iter().flat_map(|istante| istante.to_be_bytes()));
    }

    fn read(bytes: &mut &[u8]) -> Option<Self> {
        let [lettera, segni] = take(bytes)?;
        let genere = Genere::parse(lettera.into())?;
        if segni > 15 {
            return None;
        }
        let chiave = if segni & 4 == 0 {
            let [lunga] = take(bytes)?;
            let (chiave, resto) = bytes.split_at_checked(lunga.into())?;
            *bytes = resto;
            String::from_utf8(chiave.to_vec()).ok()?
        } else {
            Uuid::from_bytes(take(bytes)?).to_string()
        };
        let impronta = Impronta(take(bytes)?);
        let mut corpo = |bit: u8| -> Option<Option<Impronta>> {
            if segni & bit == 0 {
                return Some(None);
            }
            take(bytes).map(|corpo| Some(Impronta(corpo)))
        };
        let corpi = [corpo(1)?, corpo(2)?];
        let istante = if segni & 8 == 0 {
            None
        } else {
            Some(i64::from_be_bytes(take(bytes)?))
        };
        Some(Self {
            genere,
            chiave,
            impronta,
            corpi,
            istante,
        })
    }
}

fn take<const N: usize>(bytes: &mut &[u8]) -> Option<[u8; N]> {
    let (presi, resto) = bytes.split_first_chunk::<N>()?;
    *bytes = resto;
    Some(*presi)
}

/// The entries of a block as they are kept.
#[must_use]
pub fn write_voci(voci: &[Voce]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(voci.len() * 64);
    for voce in voci {
        voce.write(&mut bytes);
    }
    bytes
}

/// The entries of a block; `None` for bytes that we cannot have written.
#[must_use]
pub fn read_voci(bytes: &[u8]) -> Option<Vec<Voce>> {
    let mut resto = bytes;
    let mut voci = Vec::new();
    while !resto.is_empty() {
        voci.push(Voce::read(&mut resto)?);
    }
    Some(voci)
}

/// How far a table was sealed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Posto {
    /// Place in the order in which rows became durable.
    pub posto: i64,
    /// Which row, among those of one place; `None` where a place has one.
    pub chiave: Option<String>,
}

/// How far everything was sealed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Segni {
    /// Traces.
    pub tracce: Option<Posto>,
    /// Refusals at the door.
    pub porta: Option<Posto>,
    /// Registrations: year and number, by register.
    pub registri: BTreeMap<String, (i16, u64)>,
    /// Daily registers: the day, by register.
    pub giornalieri: BTreeMap<String, Date>,
    /// Purges that have ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pulizie: Option<Posto>,
}

/// What a block says of itself. Its seal is the hash of exactly this, as JSON.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Testata {
    /// Its number, from 1 without gap.
    pub numero: u64,
    /// The day in whose chain it stands: the one on which it was sealed, in Europe/Rome.
    pub giorno: Date,
    /// When, true clock; never before the block before.
    pub sigillato_il: Timestamp,
    /// SHA-256 of the salt of its [`impegno`]s.
    pub sale_sha256: Impronta,
    /// How far everything was sealed with it.
    pub segni: Segni,
    /// How many rows.
    pub righe: usize,
    /// Root over their entries.
    pub radice: Impronta,
    /// Seal of the block before; of the first block of a day, SHA-256 of the document of the day that was closed before it.
    pub precedente: Impronta,
}

impl Testata {
    /// The seal.
    #[must_use]
    pub fn sigillo(&self) -> Impronta {
        let mut hash = Sha256::new();
        hash.update(b"varco sigillo 1\n");
        hash.update(to_json(self).as_bytes());
        Impronta(hash.finish())
    }
}

/// The root over entries.
#[must_use]
pub fn radice_di(voci: &[Voce]) -> Impronta {
    let foglie: Vec<Impronta> = voci.iter().map(Voce::foglia).collect();
    merkle::radice(&foglie)
}

/// A block as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Blocco {
    /// What it says of itself.
    pub testata: Testata,
    /// What its [`impegno`]s are made with; it never leaves the store.
    pub sale: [u8; 32],
    /// Its entries.
    pub voci: Vec<Voce>,
    /// Its seal.
    pub sigillo: Impronta,
}

/// What stands in a sealed text instead of a personal value: it binds to the value, and says nothing of it to whoever does
/// not have the salt of the block.
#[must_use]
pub fn impegno(sale: &[u8; 32], chiave: &str, colonna: &str, valore: &[u8]) -> Impronta {
    let mut hash = Sha256::new();
    for parte in [&sale[..], chiave.as_bytes(), colonna.as_bytes(), valore] {
        hash.update(&(parte.len() as u64).to_be_bytes());
        hash.update(parte);
    }
    Impronta(hash.finish())
}

/// Adds a column to a sealed text, as the databases write it: `nome=5:valore,`, or `nome=-,` where there is none.
pub fn push_campo(testo: &mut Vec<u8>, nome: &str, valore: Option<&[u8]>) {
    testo.extend(nome.as_bytes());
    match valore {
        None => testo.extend(b"=-,"),
        Some(valore) => {
            testo.extend(format!("={}:", valore.len()).as_bytes());
            testo.extend(valore);
            testo.push(b',');
        }
    }
}

/// The value of a column of a sealed text.
#[must_use]
pub fn campo<'t>(testo: &'t [u8], nome: &str) -> Option<&'t [u8]> {
    let mut resto = testo;
    loop {
        let fine = resto.iter().position(|byte| *byte == b'=')?;
        let (questo, dopo) = (&resto[..fine], &resto[fine + 1..]);
        if let Some(dopo) = dopo.strip_prefix(b"-,") {
            resto = dopo;
            continue;
        }
        let due_punti = dopo.iter().position(|byte| *byte == b':')?;
        let lungo: usize = std::str::from_utf8(&dopo[..due_punti]).ok()?.parse().ok()?;
        let (valore, dopo) = dopo[due_punti + 1..].split_at_checked(lungo)?;
        if questo == nome.as_bytes() {
            return Some(valore);
        }
        resto = dopo.strip_prefix(b",")?;
    }
}

/// JSON on one line. Our values are maps of texts and numbers: that cannot fail.
fn to_json(valore: &impl Serialize) -> String {
    serde_json::to_string(valore).unwrap_or_default()
}
