//! Assegno temporaneo per i figli minori (DL 79/2021, conv. L. 112/2021).

use super::Prestazione;

/// The prestazione's line of the catalogue.
pub const PRESTAZIONE: Prestazione = Prestazione {
    servizio: "AssegnoTemporaneo",
    namespace: "http://inps.it/AssegnoTemporaneo/v1",
    prefisso: "at",
    registro: "AUF",
    titolo: "Assegno temporaneo per i figli minori",
    xsd: "assegno-temporaneo-v1.xsd",
    prossimi_passi: "",
    lettore: || todo!(),
};
