//! What one prestazione knows and the others do not: named values beside the common columns, kept and handed to the
//! engine as one JSON object. The names are those of the XSD in the columns' spelling (`anno_competenza`), the words
//! those of its codelists; what is not there is left out.

use std::fmt;

use serde::ser::{Serialize, SerializeMap as _, Serializer};

/// Named values, in the order in which they were told. Masked in `Debug`: names alone.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Dettagli(Vec<(&'static str, Valore)>);

/// One value.
#[derive(Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(untagged)]
pub enum Valore {
    /// A word or a text.
    Testo(String),
    /// Yes or no.
    Booleano(bool),
    /// A count or a year.
    Numero(i64),
    /// Several texts.
    Elenco(Vec<String>),
}

impl Dettagli {
    /// The same with one more value.
    #[must_use]
    pub fn with(mut self, nome: &'static str, valore: impl Into<Valore>) -> Self {
        self.0.push((nome, valore.into()));
        self
    }

    /// The same with one more value, where there is one.
    #[must_use]
    pub fn with_option(self, nome: &'static str, valore: Option<impl Into<Valore>>) -> Self {
        match valore {
            Some(valore) => self.with(nome, valore),
            None => self,
        }
    }

    /// The value of a name.
    #[must_use]
    pub fn valore(&self, nome: &str) -> Option<&Valore> {
        self.0
            .iter()
            .find(|(altro, _)| *altro == nome)
            .map(|(_, valore)| valore)
    }

    /// All of them, in the order in which they were told.
    pub fn iter(&self) -> impl Iterator<Item = (&'static str, &Valore)> {
        self.0.iter().map(|(nome, valore)| (*nome, valore))
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl From<&str> for Valore {
    fn from(testo: &str) -> Self {
        Self::Testo(testo.to_owned())
    }
}

impl From<String> for Valore {
    fn from(testo: String) -> Self {
        Self::Testo(testo)
    }
}

impl From<bool> for Valore {
    fn from(valore: bool) -> Self {
        Self::Booleano(valore)
    }
}

impl From<i64> for Valore {
    fn from(valore: i64) -> Self {
        Self::Numero(valore)
    }
}

impl From<Vec<String>> for Valore {
    fn from(elenco: Vec<String>) -> Self {
        Self::Elenco(elenco)
    }
}

impl Serialize for Dettagli {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut oggetto = serializer.serialize_map(Some(self.0.len()))?;
        for (nome, valore) in &self.0 {
            oggetto.serialize_entry(nome, valore)?;
        }
        oggetto.end()
    }
}

impl fmt::Debug for Dettagli {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list()
            .entries(self.0.iter().map(|(nome, _)| nome))
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn they_are_one_object_in_the_order_told() {
        let dettagli = Dettagli::default()
            .with("disabilita", "GRAVE")
            .with_option("affidamento", None::<&str>)
            .with("a_carico", true)
            .with("anno_competenza", 2022)
            .with("nucleo", vec!["uno".to_owned(), "due".to_owned()]);
        assert_eq!(
            serde_json::to_string(&dettagli).unwrap(),
            r#"{"disabilita":"GRAVE","a_carico":true,"anno_competenza":2022,"nucleo":["uno","due"]}"#
        );
        assert!(dettagli.valore("a_carico") == Some(&Valore::Booleano(true)));
        assert!(dettagli.valore("affidamento").is_none());
        assert!(!dettagli.is_empty() && Dettagli::default().is_empty());
    }

    #[test]
    fn nobody_reads_people_in_a_log() {
        let dettagli = Dettagli::default().with("iban", "IT60X0542811101000000123456");
        assert_eq!(format!("{dettagli:?}"), r#"["iban"]"#);
    }
}
