//! The listener (stub).
