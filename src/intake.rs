//! intake (stub).
