//! The strict reader (stub).

use crate::domanda::Posizione;

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

/// Why bytes are not read further.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct XmlError {
    /// Where.
    pub posizione: Posizione,
}
