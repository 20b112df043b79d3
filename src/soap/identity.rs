//! SOAP identity (stub).
