//! The strict reader. It promises that what it hands over is well-formed XML 1.0 with namespaces (both W3C
//! recommendations, whole), or an error with code, line and column; that every bound of [`Limits`] holds while
//! reading; that time is linear in the bytes. It refuses what a message needs not have and an attacker likes to
//! send: DOCTYPE (and with it every entity of one's own), processing instructions, encodings other than UTF-8.
//!
//! quick-xml finds where each piece of markup ends; all that it does not look at is looked at here.

mod albero;
mod corto;
mod lessico;
mod luogo;
mod reader;
mod stato;
mod tag;
#[cfg(test)]
mod tests;

pub use albero::Elemento;
pub use luogo::{Cursore, posizione};
pub use reader::Reader;
pub use stato::Checkpoint;
pub use tag::Attributi;

use std::borrow::Cow;
use std::fmt;

use crate::catalogo::Codice;
use crate::domanda::{Posizione, Violazione};

/// Bounds on what is read, each a named number of the configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Elements inside each other.
    pub depth_max: usize,
    /// Attributes of one element, namespace declarations included.
    pub attributes_max: usize,
    /// Namespace bindings in scope.
    pub bindings_max: usize,
    /// Bytes of a qualified name.
    pub name_bytes_max: usize,
    /// Bytes of an attribute's value.
    pub attribute_value_bytes_max: usize,
    /// Bytes of one element's text (base64 content of an attachment excepted, which the message bound holds).
    pub text_bytes_max: usize,
    /// Elements of a message.
    pub elements_max: usize,
    /// Header blocks.
    pub header_blocks_max: usize,
    /// Bytes up to the body child's start tag.
    pub envelope_head_bytes_max: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            depth_max: 64,
            attributes_max: 64,
            bindings_max: 128,
            name_bytes_max: 256,
            attribute_value_bytes_max: 8 * 1024,
            text_bytes_max: 1024 * 1024,
            elements_max: 200_000,
            header_blocks_max: 64,
            envelope_head_bytes_max: 64 * 1024,
        }
    }
}

/// An expanded name. An element or attribute in no namespace has the empty one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Nome<'r> {
    /// The namespace, empty when there is none.
    pub namespace: &'r str,
    /// The local name.
    pub locale: &'r str,
}

impl Nome<'_> {
    /// Whether this is `{namespace}locale`.
    #[must_use]
    pub fn is(&self, namespace: &str, locale: &str) -> bool {
        self.locale == locale && self.namespace == namespace
    }
}

impl fmt::Display for Nome<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{{{}}}{}", self.namespace, self.locale)
    }
}

/// An attribute with its value normalised and its references resolved. Namespace declarations are not among them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attributo<'r> {
    /// Its name; without a prefix it is in no namespace.
    pub nome: Nome<'r>,
    /// Its value.
    pub valore: Cow<'r, str>,
}

/// Whether a text is nothing but white space, as XML counts it: a no-break space is content.
#[must_use]
pub fn is_bianco(testo: &str) -> bool {
    testo.bytes().all(lessico::is_spazio)
}

/// What is read. Comments and the XML declaration are checked and left out.
#[derive(Debug)]
pub enum Token<'r> {
    /// An element begins. For `<a/>` an [`Token::End`] follows as well.
    Start {
        /// Its name.
        nome: Nome<'r>,
        /// Its attributes, in document order.
        attributi: Attributi<'r>,
        /// Whether it was written `<a/>`.
        vuoto: bool,
        /// Offset of its `<`: the same as [`Reader::offset`], at hand while the token is.
        inizio: usize,
    },
    /// An element ends.
    End {
        /// Its name.
        nome: Nome<'r>,
        /// Offset after its last byte: the same as [`Reader::end_offset`].
        fine: usize,
    },
    /// Text inside the current element, references resolved, CDATA included, line ends as `\n`. May come in pieces.
    Text(Cow<'r, str>),
    /// The document is whole. Comes again however often it is asked for.
    Eof,
}

/// Why bytes are not read further.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{codice} at line {}, column {}", posizione.riga, posizione.colonna)]
pub struct XmlError {
    /// Which rule of XML, or which bound.
    pub codice: Codice,
    /// Where.
    pub posizione: Posizione,
    /// What fills the sentence. Names and numbers, never content.
    pub argomenti: Vec<(&'static str, String)>,
    incompleto: bool,
}

impl XmlError {
    /// Whether the bytes are right so far and only end too early: with more of them reading may go on.
    #[must_use]
    pub fn is_incomplete(&self) -> bool {
        self.incompleto
    }

    /// The finding, placed.
    #[must_use]
    pub fn violazione(&self) -> Violazione {
        Violazione {
            codice: self.codice,
            dove: String::new(),
            posizione: Some(self.posizione),
            argomenti: self.argomenti.clone(),
        }
    }
}
