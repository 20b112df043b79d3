//! What is read out of rows that came as text, and how a difference is told.

use std::collections::BTreeMap;

use super::Voce;
use super::confronto::CONFRONTO;
use crate::protocollo::NumeroProtocollo;
use crate::store::{Inconsistency, StoreError};

pub(super) fn by_id(righe: Vec<Voce>) -> Result<BTreeMap<i64, Voce>, StoreError> {
    righe
        .into_iter()
        .map(|voce| Ok((number(&voce, 0)?, voce)))
        .collect()
}

pub(super) fn number<T: std::str::FromStr>(voce: &Voce, posto: usize) -> Result<T, StoreError> {
    let testo = voce.get(posto).and_then(Option::as_deref);
    testo
        .and_then(|testo| testo.parse().ok())
        .ok_or_else(|| Inconsistency::new("registro", "numero", "is no number").into())
}

pub(super) fn one<T: std::str::FromStr>(righe: &[Voce]) -> Result<T, StoreError> {
    righe.first().map_or_else(
        || Err(Inconsistency::new("contatori", "ultimo", "is missing").into()),
        |voce| number(voce, 0),
    )
}

pub(super) fn numero_of(voce: &Voce) -> Result<(String, i16, u64), StoreError> {
    let protocollo: NumeroProtocollo = voce[1]
        .as_deref()
        .and_then(|testo| testo.parse().ok())
        .ok_or_else(|| Inconsistency::new("registrazioni", "protocollo", "cannot be read"))?;
    Ok((
        protocollo.registro().to_owned(),
        protocollo.anno(),
        protocollo.numero(),
    ))
}

/// Names the number and what differs, and no value of it.
pub(super) fn differs(qui: &Voce, altra: &Voce) -> StoreError {
    let diverse: Vec<&str> = CONFRONTO
        .iter()
        .zip(qui[1..].iter().zip(&altra[1..]))
        .filter(|(_, (qui, altra))| qui != altra)
        .map(|(nome, _)| *nome)
        .collect();
    conflict(&format!(
        "{} is another registration there: {} differ",
        qui[1].as_deref().unwrap_or_default(),
        diverse.join(", ")
    ))
}

pub(super) fn conflict(causa: &str) -> StoreError {
    StoreError::Refused(format!("nothing comes back from that store: {causa}"))
}
