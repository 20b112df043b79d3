//! The gateway as a black box: real mutual TLS on port 0, a fresh SQLite store a test, clients that know only the wire.

mod alike;
mod beside;
mod contract;
mod door;
mod helpers;
mod hostile;
mod messages;
mod replay;
mod trace;
