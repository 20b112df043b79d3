//! The compiled schema: what the authority accepted, as flat tables, and one pass over a message that says "valid" or
//! "ask the authority". It is the way of nearly every message; docs/schema-compilato.md tells it at leisure.
//!
//! What it promises is one thing: a message that it lets pass is one in which the authority finds nothing. It words no
//! finding and refuses nothing. Where a schema uses what the tables do not know, where a value has a form that a check
//! does not read to the end, where the reader stops: always the same answer, [`corsa::Dubbio`], and the message is read again
//! from where it began, before the authority, as if the tables had not been.
//!
//! - [`tavole`]: from the schema set to content models, attributes, `xs:unique`; what is not known, by name.
//! - [`semplice`]: simple types as checks on a value; [`pattern`]: patterns as automata.
//! - [`corsa`]: a message past the tables.

mod corsa;
mod pattern;
mod semplice;
mod tavole;
#[cfg(test)]
mod tests;

pub(super) use corsa::Corsa;
pub(super) use tavole::Tavole;
