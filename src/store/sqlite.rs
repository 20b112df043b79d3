//! The sqlite (stub).
