//! SOAP fault (stub).
