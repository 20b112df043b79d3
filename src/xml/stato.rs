//! What must be remembered to go on reading later, in other bytes of the same message.

use super::luogo::Cursore;
use super::tag::Legami;
use crate::domanda::Posizione;

/// A place between two tokens from which reading may go on, in the same bytes or in more of the same message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkpoint {
    pub(super) offset: usize,
    pub(super) stato: Stato,
}

impl Checkpoint {
    /// Offset of the next token's first byte.
    #[must_use]
    pub fn offset(&self) -> usize {
        self.offset
    }

    /// The same place, in bytes of which only what is behind it counts: it has this line and column.
    #[must_use]
    pub fn at(&self, posizione: Posizione) -> Self {
        let mut altrove = self.clone();
        altrove.stato.cursore = Cursore::at(self.offset, posizione);
        altrove
    }

    /// Prefixes and namespaces in scope there, each prefix once; the empty prefix is the default namespace.
    pub fn namespaces(&self) -> impl Iterator<Item = (&str, &str)> {
        self.stato.legami.in_vigore()
    }

    /// How many elements are open there.
    #[must_use]
    pub fn depth(&self) -> usize {
        self.stato.aperti.len()
    }
}

/// What the reader knows between two tokens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Stato {
    pub(super) aperti: Vec<Aperto>,
    pub(super) legami: Legami,
    /// So many bindings are in scope after the last token; those of an element just ended go with the next one.
    pub(super) legami_in_vigore: usize,
    pub(super) elementi: usize,
    /// The last start tag was `<a/>`: its end is still to be told.
    pub(super) vuoto: bool,
    pub(super) cursore: Cursore,
}

impl Stato {
    /// Nothing read yet.
    pub(super) fn new() -> Self {
        let legami = Legami::new();
        Self {
            aperti: Vec::new(),
            legami_in_vigore: legami.len(),
            legami,
            elementi: 0,
            vuoto: false,
            cursore: Cursore::default(),
        }
    }
}

/// An open element; its name by its place in the message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Aperto {
    pub(super) nome: (usize, usize),
    pub(super) locale: usize,
    pub(super) legame: usize,
    pub(super) legami_prima: usize,
    pub(super) testo_bytes: usize,
    pub(super) testo_lungo: bool,
}
