//! The identifier of a busta: `amministrazione_porta_progressivo_yyyy-MM-dd_HH:mm`. One identifier, one spelling: what
//! was read is written back byte by byte, so that its text is the key of the duplicate filter.

use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use jiff::civil::DateTime;

use super::costanti::SPC;
use super::intestazione::Parte;
use super::ora;

/// A well-formed identifier.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Identificatore {
    testo: String,
    /// How long the names in it are that stand first.
    amministrazione_len: usize,
    porta_len: usize,
    progressivo: u32,
    minuto: DateTime,
}

/// A text is no identifier.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not an identifier of a busta")]
pub struct IdentificatoreErrato;

impl Identificatore {
    /// The last number of a minute.
    pub const PROGRESSIVO_MAX: u32 = 9_999_999;

    /// An identifier of ours. Numbers go round: 9,999,999 is followed by 1, and no minute has so many.
    #[must_use]
    pub fn mint(dominio: &Dominio, numero: u64, adesso: Timestamp) -> Self {
        let giro = u64::from(Self::PROGRESSIVO_MAX);
        let posto = (numero.max(1) - 1) % giro + 1;
        let locale = ora::locale(adesso);
        let minuto = locale.date().at(locale.hour(), locale.minute(), 0, 0);
        let (amministrazione, porta) = (&dominio.parte.nome, &dominio.porta);
        // One of 1 to 9,999,999.
        let progressivo = u32::try_from(posto).unwrap_or(Self::PROGRESSIVO_MAX);
        let testo = format!(
            "{amministrazione}_{porta}_{progressivo:07}_{:04}-{:02}-{:02}_{:02}:{:02}",
            minuto.year(),
            minuto.month(),
            minuto.day(),
            minuto.hour(),
            minuto.minute()
        );
        Self {
            testo,
            amministrazione_len: amministrazione.len(),
            porta_len: porta.len(),
            progressivo,
            minuto,
        }
    }

    /// The whole text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.testo
    }

    /// The name of the party that made it.
    #[must_use]
    pub fn amministrazione(&self) -> &str {
        &self.testo[..self.amministrazione_len]
    }

    /// The porta of that party.
    #[must_use]
    pub fn porta(&self) -> &str {
        let inizio = self.amministrazione_len + 1;
        &self.testo[inizio..inizio + self.porta_len]
    }

    /// Its number within the minute.
    #[must_use]
    pub fn progressivo(&self) -> u32 {
        self.progressivo
    }

    /// The minute in which it was made.
    #[must_use]
    pub fn minuto(&self) -> Option<Timestamp> {
        ora::a_roma(self.minuto)
    }

    /// Whether it was made by that party, and by that porta where one is known. A porta is compared whatever its case:
    /// official samples write `CNIPAspcoopit` and `CNIPASPCoopIT` for the same.
    #[must_use]
    pub fn is_of(&self, nome: &str, porta: Option<&str>) -> bool {
        self.amministrazione() == nome && porta.is_none_or(|porta| self.porta().eq_ignore_ascii_case(porta))
    }
}

impl FromStr for Identificatore {
    type Err = IdentificatoreErrato;

    fn from_str(testo: &str) -> Result<Self, IdentificatoreErrato> {
        let mut parti = testo.split('_');
        let mut parte = || parti.next().ok_or(IdentificatoreErrato);
        let (amministrazione, porta, progressivo, giorno, minuto) =
            (parte()?, parte()?, parte()?, parte()?, parte()?);
        let cifre = progressivo.len() == 7 && progressivo.bytes().all(|byte| byte.is_ascii_digit());
        if parti.next().is_some() || !is_nome(amministrazione) || !is_nome(porta) || !cifre {
            return Err(IdentificatoreErrato);
        }
        Ok(Self {
            testo: testo.to_owned(),
            amministrazione_len: amministrazione.len(),
            porta_len: porta.len(),
            progressivo: progressivo.parse().map_err(|_| IdentificatoreErrato)?,
            minuto: ora::minuto_locale(giorno, minuto).ok_or(IdentificatoreErrato)?,
        })
    }
}

impl fmt::Display for Identificatore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.testo)
    }
}

/// Who we are on SPCoop: our party and the code of our porta.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dominio {
    parte: Parte,
    porta: String,
}

/// A name or a code cannot stand in an identifier.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{campo} must be letters and digits alone")]
pub struct DominioErrato {
    /// Which of them.
    pub campo: &'static str,
}

impl Dominio {
    /// A party of type SPC and its porta, both letters and digits alone: they are parts of every identifier.
    pub fn new(nome: &str, porta: &str) -> Result<Self, DominioErrato> {
        for (campo, valore) in [("nome", nome), ("porta", porta)] {
            if !is_nome(valore) {
                return Err(DominioErrato { campo });
            }
        }
        Ok(Self {
            parte: Parte::spc(nome),
            porta: porta.to_owned(),
        })
    }

    /// Our party.
    #[must_use]
    pub fn parte(&self) -> &Parte {
        &self.parte
    }

    /// The code of our porta.
    #[must_use]
    pub fn porta(&self) -> &str {
        &self.porta
    }
}

/// The code that a party's porta usually has.
#[must_use]
pub fn porta_solita(parte: &Parte) -> String {
    match parte.tipo.as_str() {
        SPC => format!("{}SPCoopIT", parte.nome),
        "AOO" => format!("PDD{}", parte.nome),
        _ => parte.nome.clone(),
    }
}

/// XSD's `\w` without the underscore, which parts an identifier (and which Rust's `\w` would let in).
fn is_nome(testo: &str) -> bool {
    !testo.is_empty() && testo.bytes().all(|byte| byte.is_ascii_alphanumeric())
}
