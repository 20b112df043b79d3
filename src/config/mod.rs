//! The config (stub).
