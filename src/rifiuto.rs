//! rifiuto (stub).
