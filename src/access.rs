//! access (stub).
