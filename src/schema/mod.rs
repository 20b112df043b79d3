//! The XSD set (stub).
