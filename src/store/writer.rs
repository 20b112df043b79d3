//! The writer (stub).
