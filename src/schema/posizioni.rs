//! Where things stood in the message: line and column are worked out only when somebody asks, since most messages
//! are valid.

use std::sync::Arc;

use super::outline::Outline;
use crate::domanda::{Posizione, Violazione};
use crate::xml::{self, Cursore};

/// Where each element of the content began, by the path that is told to people.
#[derive(Debug, Clone)]
pub struct Posizioni {
    outline: Arc<Outline>,
    nodi: Vec<Nodo>,
}

/// An element that was read, in document order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Nodo {
    padre: usize,
    /// Its declaration in the outline.
    elemento: usize,
    /// Its number among its like, from 1.
    numero: u32,
    inizio: usize,
}

impl PartialEq for Posizioni {
    /// Whether the same elements of the same schemas were read at the same places.
    fn eq(&self, altre: &Self) -> bool {
        Arc::ptr_eq(&self.outline, &altre.outline) && self.nodi == altre.nodi
    }
}

/// Elements of a content as most are.
const NODI_SOLITI: usize = 96;

impl Posizioni {
    pub(super) fn new(outline: Arc<Outline>) -> Self {
        Self {
            outline,
            nodi: Vec::with_capacity(NODI_SOLITI),
        }
    }

    /// Notes an element; returns its index, the `padre` of its children. The first one is its own parent.
    pub(super) fn push(
        &mut self,
        padre: Option<usize>,
        elemento: usize,
        numero: u32,
        inizio: usize,
    ) -> usize {
        let indice = self.nodi.len();
        self.nodi.push(Nodo {
            padre: padre.unwrap_or(indice),
            elemento,
            numero,
            inizio,
        });
        indice
    }

    /// How many elements were read.
    #[must_use]
    pub fn len(&self) -> usize {
        self.nodi.len()
    }

    /// Whether no content was read.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.nodi.is_empty()
    }

    /// Line and column of the element at `percorso` (`/at:Domanda/at:Minori/at:Minore[2]`), or, when there is none,
    /// of the nearest one above it that was read: that is where a missing one would go. `bytes` is the message.
    #[must_use]
    pub fn posizione(&self, percorso: &str, bytes: &[u8]) -> Option<Posizione> {
        self.inizio(percorso).map(|inizio| xml::posizione(bytes, inizio))
    }

    /// Gives every finding that has a path and no place its line and column. `bytes` is the message.
    pub fn place(&self, violazioni: &mut [Violazione], bytes: &[u8]) {
        let mut da_porre: Vec<(usize, &mut Violazione)> = violazioni
            .iter_mut()
            .filter(|violazione| violazione.posizione.is_none())
            .filter_map(|violazione| Some((self.inizio(&violazione.dove)?, violazione)))
            .collect();
        da_porre.sort_by_key(|(inizio, _)| *inizio);
        let mut cursore = Cursore::default();
        for (inizio, violazione) in da_porre {
            violazione.posizione = Some(cursore.posizione(bytes, inizio));
        }
    }

    fn inizio(&self, percorso: &str) -> Option<usize> {
        let mut passi = percorso.strip_prefix('/')?.split('/');
        let radice = self.nodi.first()?;
        if passi.next()? != self.outline.elementi[radice.elemento].etichetta {
            return None;
        }
        let mut qui = 0;
        for passo in passi {
            let (nome, numero) = match passo.strip_suffix(']').and_then(|testo| testo.split_once('[')) {
                Some((nome, numero)) => (nome, numero.parse().ok()?),
                None => (passo, 1),
            };
            let trovato = self.nodi[qui + 1..].iter().position(|nodo| {
                nodo.padre == qui
                    && nodo.numero == numero
                    && self.outline.elementi[nodo.elemento].etichetta == nome
            });
            match trovato {
                Some(dopo) => qui += 1 + dopo,
                None => break,
            }
        }
        Some(self.nodi[qui].inizio)
    }
}
