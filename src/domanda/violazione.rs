//! What is wrong with a domanda: which rule, where, with which arguments. The schema and the rules both speak it;
//! the sentence comes from the catalogue.

use crate::catalogo::{Codice, Voce, fill};

/// A place in the message as received: line and column count from 1, columns in characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Posizione {
    /// Line, from 1.
    pub riga: u32,
    /// Column in characters, from 1.
    pub colonna: u32,
}

/// One finding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violazione {
    /// Which rule.
    pub codice: Codice,
    /// `XPath` with the documented prefixes; empty when the message as a whole is meant.
    pub dove: String,
    /// Line and column, once known: rules give only the path, the reader knows where that was.
    pub posizione: Option<Posizione>,
    /// What fills the templates of the catalogue. Never a personal value.
    pub argomenti: Vec<(&'static str, String)>,
}

impl Violazione {
    /// A finding at a path, without arguments and without a line yet.
    #[must_use]
    pub fn at(codice: Codice, dove: impl Into<String>) -> Self {
        Self {
            codice,
            dove: dove.into(),
            posizione: None,
            argomenti: Vec::new(),
        }
    }

    /// The same finding with one more argument for its sentence.
    #[must_use]
    #[expect(
        clippy::needless_pass_by_value,
        reason = "callers hand in texts and numbers as they have them"
    )]
    pub fn with(mut self, nome: &'static str, valore: impl ToString) -> Self {
        self.argomenti.push((nome, valore.to_string()));
        self
    }

    /// The same finding, placed.
    #[must_use]
    pub fn placed(mut self, posizione: Posizione) -> Self {
        self.posizione = Some(posizione);
        self
    }

    /// Its line of the catalogue.
    #[must_use]
    pub fn voce(&self) -> &'static Voce {
        self.codice.voce()
    }

    /// The Italian sentence.
    #[must_use]
    pub fn testo(&self) -> String {
        fill(self.voce().it, &self.argomenti)
    }

    /// The English sentence.
    #[must_use]
    pub fn testo_inglese(&self) -> String {
        fill(self.voce().en, &self.argomenti)
    }

    /// What to do.
    #[must_use]
    pub fn suggerimento(&self) -> String {
        fill(self.voce().suggerimento, &self.argomenti)
    }
}
