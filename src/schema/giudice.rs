//! Who says what becomes of a tag: the tables, which may doubt, or the authority, which never does.

use crate::catalogo::Codice;
use crate::domanda::Violazione;
use crate::schema::testo::Testo;
use crate::xml::{Attributi, Nome};

/// What became of a start tag.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Aperta {
    /// It has its place: its declaration, and its number among its like.
    Presa { elemento: usize, numero: u32 },
    /// It has none; a finding says so.
    Saltata,
}

/// What became of an end tag.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Chiusa {
    /// The element had its place and holds a value.
    Foglia,
    /// The element had its place and holds bytes.
    Byte,
    /// The element had its place and holds children.
    Ramo,
    Saltata,
}

/// One message before a judge, tag by tag.
pub(super) trait Giudice {
    /// What it says when it does not know.
    type Dubbio;

    /// A start tag that begins at `inizio`; `prima` is the text before it.
    fn start(
        &mut self,
        nome: Nome<'_>,
        attributi: &Attributi<'_>,
        inizio: usize,
        prima: &Testo,
    ) -> Result<Aperta, Self::Dubbio>;

    /// An end tag that ends before `fine`, with the text before it.
    fn end(&mut self, testo: &Testo, fine: usize) -> Result<Chiusa, Self::Dubbio>;

    /// The text of an element of bytes that just ended, and whether it could be decoded.
    fn bytes(&mut self, testo: &str, letti: bool) -> Result<(), Self::Dubbio>;

    /// Whether the innermost element holds bytes.
    fn in_byte(&self) -> bool;

    /// A finding of what a schema knows nothing of, in the innermost element.
    fn note(&mut self, inizio: usize, codice: Codice) -> Result<(), Self::Dubbio>;

    /// The start tag of a declared element in the digest, without attributes, where it is at hand.
    fn segno(&self, elemento: usize) -> Option<&[u8]>;

    /// The findings, placed, in document order.
    fn finish(self, radice: usize) -> Vec<Violazione>;
}
