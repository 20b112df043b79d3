//! The channel (stub).
