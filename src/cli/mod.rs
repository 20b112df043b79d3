//! The cli (stub).
