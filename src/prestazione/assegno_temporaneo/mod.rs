//! Assegno temporaneo per i figli minori (DL 79/2021, conv. L. 112/2021): its domanda, how it is read, its rules, and
//! the data that decrees change.

pub mod campione;
pub mod dati;
pub mod decorrenza;
pub mod domanda;
pub mod lettore;
pub mod meta;
pub mod nuovo_minore;
#[cfg(test)]
mod prova;
pub mod regole;

#[cfg(test)]
pub(crate) use prova::VALIDA;

use super::{Operazione, Prestazione};
use crate::domanda::dichiarazione::firmato;

/// The prestazione's line of the catalogue.
pub const PRESTAZIONE: Prestazione = Prestazione {
    servizio: "AssegnoTemporaneo",
    versione: "1.0.0",
    namespace: "http://inps.it/AssegnoTemporaneo/v1",
    prefisso: "at",
    registro: "AUF",
    titolo: "Assegno temporaneo per i figli minori",
    xsd: "assegno-temporaneo-v1.xsd",
    prossimi_passi: "La domanda passa all'istruttoria dell'INPS, che decide per ciascun minore e versa l'assegno con la \
                     modalità indicata. Lo stato di ogni scheda e le azioni richieste si leggono con ConsultaDomanda; la \
                     ricevuta si riottiene in ogni momento con ScaricaRicevuta. La decorrenza indicata è presunta.",
    lettore: || Box::new(lettore::LettoreAssegnoTemporaneo::default()),
    scheda_viva: regole::scheda_viva,
    testo_firmato: |codice, il| firmato(dati::DICHIARAZIONI, codice, il),
    termini_riesame: dati::TERMINI_RIESAME,
    finestra: &dati::FINESTRA,
    campione: campione::domanda,
    aggiungi: Operazione::AggiungiMinore,
    lettore_aggiunta: || Box::new(nuovo_minore::LettoreNuovoMinore::default()),
    lettore_meta: meta::lettore,
};
