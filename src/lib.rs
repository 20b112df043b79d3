//! Varco: the SOAP cooperation gateway through which patronati hand in domande to a benefit engine.
//!
//! One message, one way, one page: [`intake`]. The modules stand in the order in which a message meets them;
//! use goes downwards only (docs/ARCHITECTURE.md, held by `tests/tidy.rs`).
#![warn(clippy::unwrap_used)]

// The shell: the command line and what it is told.
pub mod cli;
pub mod config;

// The door: TLS, certificates, limits; every refusal is in the door log.
pub mod listener;

// The console: pages for who runs the gateway, on a listener of their own.
pub mod console;

// The channels: HTTP in, `Incoming` out; and what the process says of itself.
pub mod channel;
pub mod telemetry;

// The way, whole; who may, and whether it came before; whether there is room, or maintenance.
pub mod access;
pub mod intake;
pub mod manutenzione;
pub mod spazio;

// Beside the way: the reference engine, which knows the store by its contract alone.
pub mod engine;

// The ports: what is kept, who has joined, what is remembered of each message.
pub mod adesione;
pub mod store;
pub mod trace;

// The verdict: refusals and faults, in one vocabulary.
pub mod rifiuto;

// The wire: bytes to values and back, and the contract that says how; the register as the law wants it told; the pages
// that people keep.
pub mod carte;
pub mod contratto;
pub mod egov;
pub mod registro;
pub mod schema;
pub mod sigilli;
pub mod soap;
pub mod xml;

// The domain: knows no XML, no HTTP, no SQL.
pub mod domanda;
pub mod patronato;
pub mod prestazione;
pub mod protocollo;
pub mod ricevuta;

// The base: the catalogue of errors, time and ids; what is counted.
pub mod catalogo;
pub mod clock;
pub mod metriche;
