//! The text between two tags, which may come in pieces.

use super::is_spazio;

/// Text since the last tag.
#[derive(Debug, Default)]
pub(super) struct Testo {
    tutto: String,
    inizio: usize,
    /// Its part without the white space at both ends: empty when there is nothing else.
    pieno: std::ops::Range<usize>,
}

impl Testo {
    /// A further piece, of a token that began at `inizio`.
    pub(super) fn push(&mut self, pezzo: &str, inizio: usize) {
        let prima = self.tutto.len();
        self.tutto.push_str(pezzo);
        if self.is_bianco() {
            // The piece in which the text begins to matter.
            self.inizio = inizio;
        }
        let is_pieno = |byte: &u8| !is_spazio(char::from(*byte));
        let Some(ultimo) = pezzo.bytes().rposition(|byte| is_pieno(&byte)) else {
            return;
        };
        if self.is_bianco() {
            self.pieno.start = prima + pezzo.bytes().position(|byte| is_pieno(&byte)).unwrap_or(0);
        }
        self.pieno.end = prima + ultimo + 1;
    }

    pub(super) fn clear(&mut self) {
        self.tutto.clear();
        self.pieno = 0..0;
    }

    /// All of it.
    pub(super) fn as_str(&self) -> &str {
        &self.tutto
    }

    /// Without the white space at both ends.
    pub(super) fn trimmed(&self) -> &str {
        &self.tutto[self.pieno.clone()]
    }

    /// Whether there is nothing but white space.
    pub(super) fn is_bianco(&self) -> bool {
        self.pieno.is_empty()
    }

    /// Where the piece began in which the text begins to matter.
    pub(super) fn inizio(&self) -> usize {
        self.inizio
    }
}
