//! SOAP answer (stub).
