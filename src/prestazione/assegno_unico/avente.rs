//! AU-7 → AU-007, AU-030: one domanda a parent, with all its children; a child who comes later is added to it
//! (spec/domain.md §4).
//!
//! Counted is a domanda with at least one live sheet, whoever presented it: one that was wholly renounced, refused, lapsed,
//! revoked, replaced or annulled stands in nobody's way. The year is not asked: a domanda is for the year that is open when
//! it is presented (AU-010), and while it lives it goes on by itself in every later one, renewed d'ufficio (AU-8; circ. INPS
//! 132/2022).
//!
//! Counted by parent: the parent under tutelage, where a tutor asks in their place, since one tutor may speak for several.
//! Who asks for other people's children (`TUTORE`, `AFFIDATARIO`) may have those of several families, each with its own
//! nucleus and account; an adult child who asks for itself has one sheet, which AU-5 guards. Neither is counted, nor keeps
//! the same person from the domanda for their own children.

use super::domanda::{AssegnoUnico, Ruolo};
use crate::catalogo::Codice;
use crate::domanda::{Avente, Contesto, Domanda as _, DomandaViva, Violazione};
use crate::patronato::CodiceEnte;

/// In which a parent asks for their own children, or a tutor for the parent.
const DA_GENITORE: &[Ruolo] = &[
    Ruolo::Genitore,
    Ruolo::EsercenteRespGenitoriale,
    Ruolo::TutoreGenitore,
];

/// The same as words.
const QUALITA: &[&str] = &[
    DA_GENITORE[0].as_str(),
    DA_GENITORE[1].as_str(),
    DA_GENITORE[2].as_str(),
];

/// The parent who may have no second live domanda; `None` where nobody is counted, or whose codice fiscale cannot be read.
#[must_use]
pub fn avente(domanda: &AssegnoUnico) -> Option<Avente> {
    let genitore = domanda
        .genitore_tutelato
        .as_ref()
        .unwrap_or(&domanda.richiedente.codice_fiscale);
    let codice_fiscale = genitore
        .as_ref()
        .ok()
        .filter(|_| DA_GENITORE.contains(&domanda.ruolo))?;
    Some(Avente {
        codice_fiscale: codice_fiscale.clone(),
        qualita: QUALITA,
    })
}

/// The rule. Where every child has a live sheet, AU-008 says all there is to say: nobody is left to be added.
pub(super) fn una_domanda_viva(domanda: &AssegnoUnico, contesto: &Contesto<'_>) -> Vec<Violazione> {
    let is_vivo = |figlio: &_| {
        let mut vive = contesto.schede_vive.iter();
        vive.any(|viva| viva.codice_fiscale == *figlio)
    };
    if avente(domanda).is_none() || domanda.minori().iter().all(is_vivo) {
        return Vec::new();
    }
    let vive = contesto.domande_vive;
    // Of several (a riesame may open an old one again) the ente is told its own.
    let propria = vive.iter().find(|viva| Some(&viva.ente) == contesto.ente);
    propria
        .or_else(|| vive.first())
        .map(|viva| gia_viva(domanda, viva, contesto.ente))
        .into_iter()
        .collect()
}

/// AU-007 to the ente that presented the other one, with its number; AU-030 to any other, which is told that there is one
/// and nothing else.
#[must_use]
pub fn gia_viva(domanda: &AssegnoUnico, viva: &DomandaViva, ente: Option<&CodiceEnte>) -> Violazione {
    let chi = match domanda.genitore_tutelato {
        Some(_) => "genitore_tutelato",
        None => "richiedente",
    };
    let dove = domanda.dove(None, chi);
    if Some(&viva.ente) == ente {
        Violazione::at(Codice::Au007, dove).with("numero", viva.numero.0)
    } else {
        Violazione::at(Codice::Au030, dove)
    }
}
