//! How to pay: the modality and the IBAN.

use std::fmt;

/// An IBAN, upper case and without spaces, whose shape was verified. Masked in `Debug`.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Iban(String);

impl Iban {
    /// The whole IBAN.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Iban {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Iban({}…)", self.0.get(..4).unwrap_or_default())
    }
}

/// How to pay a domanda.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pagamento {
    /// A word of the codelist: `CC`, `BD`, `LP`, `ES`, `CP`.
    pub modalita: &'static str,
    /// Where the modality has one.
    pub iban: Option<Iban>,
    /// Whether the account is the richiedente's.
    pub intestato_richiedente: Option<bool>,
}
