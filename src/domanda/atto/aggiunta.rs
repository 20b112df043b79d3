//! What adding a child to a domanda is for every prestazione: when the domanda takes one more, and what is then
//! registered. Which rules the child must keep is the prestazione's.

use super::{Effetto, Seguito};
use crate::catalogo::Codice;
use crate::domanda::consultazione::DomandaConsultata;
use crate::domanda::persona::CodiceInviato;
use crate::domanda::{Assistenza, Scheda, Violazione};
use crate::prestazione::{Operazione, Prestazione};
use crate::ricevuta::SchedaRicevuta;

/// Sheets of one domanda: what its XSD lets in.
pub const SCHEDE_MAX: usize = 20;

/// STA-003, MOD-005: a child is added to a domanda that lives and has room.
#[must_use]
pub fn takes_one_more(attuale: &DomandaConsultata, operazione: Operazione, dove: &str) -> Vec<Violazione> {
    let mut trovate = Vec::new();
    if !attuale.schede.iter().any(|scheda| scheda.stato.is_live()) {
        trovate.push(Violazione::at(Codice::Sta003, dove).with("operazione", operazione.nome()));
    }
    if attuale.schede.len() >= SCHEDE_MAX {
        trovate.push(Violazione::at(Codice::Mod005, dove).with("massimo", SCHEDE_MAX));
    }
    trovate
}

/// The place of the new sheet.
#[must_use]
pub fn posto(attuale: &DomandaConsultata) -> u32 {
    let posti = attuale.schede.iter().map(|scheda| scheda.posto);
    posti.max().unwrap_or(0) + 1
}

/// The parent under tutelage, where the domanda has one.
#[must_use]
pub fn genitore_tutelato(attuale: &DomandaConsultata) -> Option<CodiceInviato> {
    let quadro = attuale.quadro.as_ref()?;
    quadro.domanda.testo("genitore_tutelato").map(str::parse)
}

/// What is registered of it.
#[must_use]
pub fn seguito(
    prestazione: &Prestazione,
    attuale: &DomandaConsultata,
    assistenza: &Assistenza,
    scheda: Option<Scheda>,
) -> Seguito {
    let oggetto = format!(
        "{} - un figlio in più nella domanda n. {}",
        prestazione.titolo, attuale.registrata.numero_domanda.0
    );
    let mut seguito = Seguito::of(attuale, assistenza, oggetto, PROSSIMI_PASSI);
    seguito.schede = scheda.iter().map(SchedaRicevuta::from).collect();
    seguito.effetti = scheda
        .into_iter()
        .map(|scheda| Effetto::Scheda(Box::new(scheda)))
        .collect();
    seguito
}

/// What the receipt says about the next steps.
const PROSSIMI_PASSI: &str = "La scheda elencata si aggiunge a quelle della domanda, il cui numero resta, e passa all'istruttoria \
                              dell'INPS; la sua decorrenza presunta conta dal giorno in cui il figlio è stato aggiunto. Lo \
                              stato di ogni scheda si legge con ConsultaDomanda.";
