//! Errors and warnings as the contract spells them (`coop:Errore` of `xsd/cooperazione-v1.xsd`): in the detail of a
//! fault, in a refused domanda, beside a receipt.

use uuid::Uuid;

use super::scrittore::Scrittore;
use crate::domanda::Violazione;

/// The namespace of what all services share.
pub(super) const COOP: &str = "http://inps.it/cooperazione/v1";

/// So many errors are told at once.
const ERRORI_MAX: usize = 100;

/// `coop:Errori`: nothing for no errors. The prefix `coop` is bound by who calls.
pub(super) fn errori(w: &mut Scrittore, violazioni: &[Violazione], message_id: Uuid) {
    if violazioni.is_empty() {
        return;
    }
    w.elemento("coop:Errori", &[], |w| {
        w.campo("coop:IdMessaggio", message_id.to_string());
        for violazione in violazioni.iter().take(ERRORI_MAX) {
            w.elemento("coop:Errore", &[], |w| errore(w, violazione));
        }
    });
}

/// `coop:Errore` elements alone, as they are kept of an item of a lot. The prefix `coop` is bound by who tells them.
#[must_use]
pub fn elementi(violazioni: &[Violazione]) -> Vec<u8> {
    let mut w = Scrittore::new();
    for violazione in violazioni.iter().take(ERRORI_MAX) {
        w.elemento("coop:Errore", &[], |w| errore(w, violazione));
    }
    w.finish()
}

/// `coop:Avvisi`: nothing for no warnings.
pub(super) fn avvisi(w: &mut Scrittore, avvisi: &[Violazione]) {
    if avvisi.is_empty() {
        return;
    }
    w.elemento("coop:Avvisi", &[], |w| {
        for avviso in avvisi.iter().take(ERRORI_MAX) {
            w.elemento("coop:Avviso", &[], |w| errore(w, avviso));
        }
    });
}

fn errore(w: &mut Scrittore, violazione: &Violazione) {
    let voce = violazione.voce();
    w.campo("coop:Codice", voce.codice);
    w.campo("coop:Testo", violazione.testo());
    w.campo("coop:TestoInglese", violazione.testo_inglese());
    w.campo("coop:Suggerimento", violazione.suggerimento());
    w.campo_se(
        "coop:Percorso",
        Some(&violazione.dove).filter(|dove| !dove.is_empty()),
    );
    if let Some(posizione) = violazione.posizione {
        w.campo("coop:Riga", posizione.riga.max(1).to_string());
        w.campo("coop:Colonna", posizione.colonna.max(1).to_string());
    }
    w.campo("coop:Ripetere", if voce.ripetere { "true" } else { "false" });
    w.campo("coop:Documentazione", documentazione(voce.codice));
}

/// Where a code is explained: relative, since nobody knows where the documentation is read.
pub(super) fn documentazione(codice: &str) -> String {
    format!("docs/errori.md#{}", codice.to_ascii_lowercase())
}
