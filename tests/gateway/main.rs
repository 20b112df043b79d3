//! The gateway as a black box: real mutual TLS on port 0, a fresh store a test, clients that know only the wire. What
//! depends on a store is told on both kinds: the name of a test says on which (`sqlite::…`, `postgres::…`).

mod alike;
mod atti;
mod beside;
mod carte;
mod console;
mod contract;
mod diagnosi;
mod documenti;
mod door;
mod helpers;
mod hostile;
mod lotti;
mod lotti_comando;
mod manutenzione;
mod messages;
mod metriche;
mod modifiche;
mod motore;
mod mtom;
mod pdd;
#[path = "../comune/postgres.rs"]
mod postgres;
mod prova;
mod replay;
mod ricarica;
mod riesame;
mod salute;
mod secondo;
mod spazio;
mod telemetria;
mod trace;
mod una_domanda;
