//! SOAP envelope (stub).
