//! Assegno unico e universale per i figli a carico (D.lgs 230/2021; circ. INPS 23/2022): its domanda, how it is read,
//! its rules, and the data that decrees change.

pub mod avente;
pub mod campione;
pub mod dati;
pub mod decorrenza;
pub mod domanda;
pub mod lettore;
pub mod meta;
pub mod nuovo_figlio;
pub mod pagamento;
#[cfg(test)]
mod prova;
pub mod regole;

#[cfg(test)]
pub(crate) use prova::VALIDA;

use super::{Operazione, Prestazione};
use crate::domanda::dichiarazione::firmato;

/// The prestazione's line of the catalogue.
///
/// Its register is that of the assegni, as for the assegno temporaneo: no source tells another sigla
/// (spec/domain.md §2.1), and one register is one sequence of numbers for both.
pub const PRESTAZIONE: Prestazione = Prestazione {
    servizio: "AssegnoUnicoUniversale",
    versione: "1.0.0",
    namespace: "http://inps.it/AssegnoUnicoUniversale/v1",
    prefisso: "au",
    registro: "AUF",
    titolo: "Assegno unico e universale per i figli a carico",
    xsd: "assegno-unico-v1.xsd",
    prossimi_passi: "La domanda passa all'istruttoria dell'INPS, che decide per ciascun figlio e versa l'assegno a chi è \
                     indicato, con la modalità indicata. Vale anche per gli anni seguenti: finché non è respinta, \
                     revocata, decaduta o rinunciata non va ripresentata. Lo stato di ogni scheda e le azioni richieste \
                     si leggono con ConsultaDomanda; la ricevuta si riottiene in ogni momento con ScaricaRicevuta. La \
                     decorrenza indicata è presunta.",
    lettore: || Box::new(lettore::LettoreAssegnoUnico::default()),
    scheda_viva: regole::scheda_viva,
    testo_firmato: |codice, il| firmato(dati::DICHIARAZIONI, codice, il),
    termini_riesame: dati::TERMINI_RIESAME,
    finestra: &dati::FINESTRA,
    campione: campione::domanda,
    aggiungi: Operazione::AggiungiFiglio,
    lettore_aggiunta: || Box::new(nuovo_figlio::LettoreNuovoFiglio::default()),
    lettore_meta: meta::lettore,
};
