//! What stands beside a trace to find it by (`tracce_indizi`, ADR 19): of messages that no registration holds the further codes,
//! the domanda, the persons. And the key without which a person is nobody.

use crate::trace::Traccia;
use crate::trace::persona::{ChiaveRicerca, Ombra};

/// The entries of `tracce_indizi` for messages that no registration holds, each beside its trace.
pub(super) fn indizi_di<'t>(
    tracce: &'t [Traccia],
    chiave: Option<&ChiaveRicerca>,
) -> Vec<(&'t Traccia, Vec<u8>)> {
    tracce
        .iter()
        .flat_map(|traccia| {
            indizi(traccia, chiave)
                .into_iter()
                .map(move |indizio| (traccia, indizio))
        })
        .collect()
}

/// Those of one message: each is a letter and a value.
fn indizi(traccia: &Traccia, chiave: Option<&ChiaveRicerca>) -> Vec<Vec<u8>> {
    let codici = traccia
        .codici
        .iter()
        .enumerate()
        // The first has a column of its own; none is written twice.
        .filter(|(posto, codice)| {
            traccia.codice.as_ref() != Some(codice) && !traccia.codici[..*posto].contains(codice)
        })
        .map(|(_, codice)| indizio_codice(codice));
    let persone = chiave
        .zip(traccia.richiesta.as_deref())
        .map(|(chiave, richiesta)| chiave.ombre(richiesta))
        .unwrap_or_default();
    codici
        .chain(traccia.numero_domanda.map(indizio_domanda))
        .chain(persone.iter().chain(&traccia.interessato).map(indizio_persona))
        .collect()
}

/// An error code that is not the first.
pub(super) fn indizio_codice(codice: &str) -> Vec<u8> {
    [b"C", codice.as_bytes()].concat()
}

/// A domanda that the message was about.
pub(super) fn indizio_domanda(numero: u64) -> Vec<u8> {
    format!("N{numero}").into_bytes()
}

/// Somebody who is named in the request.
pub(super) fn indizio_persona(ombra: &Ombra) -> Vec<u8> {
    [b"P", &ombra[..]].concat()
}

/// The name under which a store keeps the fingerprint of the key that its traces are written with.
pub(super) const IMPRONTA_CHIAVE: &str = "chiave_ricerca";

/// Whether a key is the one that the store knows: with another one neither would find what the other wrote.
pub(super) fn same_key(chiave: &ChiaveRicerca, nota: &str) -> Result<(), String> {
    if chiave.impronta() == nota {
        return Ok(());
    }
    Err(format!(
        "its traces are searched by another key (fingerprint {nota}, ours {}); copy the file trace.chiave_ricerca of the \
         gateway that works on it",
        chiave.impronta()
    ))
}
