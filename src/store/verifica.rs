//! What is promised of a register (DPR 445/2000 art. 53, 57), whatever the store: 1..max of each year without gap or
//! repeat, instants that do not go back and lie in their year, counters that agree, a receipt and a domanda each. The
//! stores read the rows, page by page, and show them here.

use jiff::Timestamp;

use super::lacune::Lacune;
use super::valori::intero;
use super::{StoreError, Verifica};
use crate::protocollo::{NumeroProtocollo, data_a_roma};

/// A register as its counter and its rows show it, all of one moment.
pub(super) struct Stato {
    pub(super) registro: String,
    pub(super) anno: i64,
    pub(super) ultimo: u64,
    /// Milliseconds.
    pub(super) ultimo_istante: i64,
    /// Of the rows; `None` = there are none.
    pub(super) anno_massimo: Option<i64>,
    /// Of the rows of that year.
    pub(super) massimo: Option<i64>,
    /// Of the last row.
    pub(super) istante: Option<i64>,
    /// The declared holes: year, first and last number, in order.
    pub(super) lacune: Vec<(i64, u64, u64)>,
}

/// One registration, as it is passed by.
pub(super) struct Passo {
    pub(super) anno: i64,
    pub(super) numero: u64,
    pub(super) protocollo: String,
    /// Milliseconds.
    pub(super) istante: i64,
    pub(super) ricevuta: bool,
    pub(super) domanda: bool,
}

/// Rows a statement: some milliseconds each.
pub(super) const PAGINA: u32 = 2_000;

/// So many anomalies are told; who has more has one cause.
const ANOMALIE_MAX: usize = 1_000;

impl Verifica {
    /// A counter beside what it counts.
    pub(super) fn compare(&mut self, stato: &Stato) {
        let Stato { registro, .. } = stato;
        if stato.ultimo == 0 && stato.anno_massimo.is_none() {
            // Never drawn from: an emergency came before its first number.
            return;
        }
        let ultima = stato.anno_massimo.map(|anno| {
            (
                anno,
                if anno == stato.anno {
                    stato.massimo.unwrap_or(0)
                } else {
                    0
                },
            )
        });
        let ultima = ultima.max(stato.lacune.last().map(|(anno, _, a)| (*anno, intero(*a))));
        if ultima != Some((stato.anno, intero(stato.ultimo))) {
            self.anomalie.push(format!(
                "register {registro}: the counter stands at {}/{}, the last registration at {}/{}",
                stato.anno,
                stato.ultimo,
                stato.anno_massimo.unwrap_or(0),
                stato.massimo.unwrap_or(0),
            ));
        }
        // Of a register whose every registration was lost the instant is that of its hole.
        if stato
            .istante
            .is_some_and(|istante| istante != stato.ultimo_istante)
            || (stato.istante.is_none() && stato.lacune.is_empty())
        {
            self.anomalie.push(format!(
                "register {registro}: the counter's instant is not that of the last registration"
            ));
        }
    }

    /// The counter of domande beside what it counts.
    pub(super) fn compare_domande(&mut self, ultimo: u64, massimo: u64, quante: u64, lacune: (u64, u64)) {
        let (massimo, quante) = (massimo.max(lacune.0), quante + lacune.1);
        if ultimo != massimo || ultimo != quante {
            self.anomalie.push(format!(
                "numero domanda: the counter says {ultimo}, the highest is {massimo}, domande are {quante}"
            ));
        }
    }

    /// The end of the look.
    pub(super) fn finish(mut self) -> Self {
        if self.anomalie.len() > ANOMALIE_MAX {
            let altre = self.anomalie.len() - ANOMALIE_MAX;
            self.anomalie.truncate(ANOMALIE_MAX);
            self.anomalie.push(format!("… and {altre} more"));
        }
        self
    }
}

/// A walk along one register, from its first number to where its counter stood when the look began: what is registered
/// meanwhile is not our business.
pub(super) struct Cammino<'v> {
    fino_a: &'v Stato,
    verifica: &'v mut Verifica,
    ultimo: (i64, u64),
    ultimo_istante: i64,
}

impl<'v> Cammino<'v> {
    pub(super) fn new(fino_a: &'v Stato, verifica: &'v mut Verifica) -> Self {
        Self {
            fino_a,
            verifica,
            ultimo: (0, 0),
            ultimo_istante: i64::MIN,
        }
    }

    /// The last number passed, year and number: the next page begins after it.
    pub(super) fn ultimo(&self) -> (i64, i64) {
        (self.ultimo.0, intero(self.ultimo.1))
    }

    /// Looks at the next registration; `false` when the walk has come to its end.
    pub(super) fn pass(&mut self, passo: &Passo) -> bool {
        let Passo {
            anno,
            numero,
            protocollo,
            istante,
            ..
        } = passo;
        let (anno, numero) = (*anno, *numero);
        let registro = &self.fino_a.registro;
        if (anno, numero) > (self.fino_a.anno, self.fino_a.ultimo) {
            return false;
        }
        let mut anomalie = Vec::new();
        let mut atteso = if anno == self.ultimo.0 {
            self.ultimo.1 + 1
        } else {
            1
        };
        for (di, da, a) in &self.fino_a.lacune {
            if (*di, *da) == (anno, atteso) {
                atteso = a + 1;
            }
        }
        if numero != atteso {
            anomalie.push(format!(
                "register {registro} of {anno}: {atteso} is missing, the next number is {numero}"
            ));
        }
        let detto = i16::try_from(anno)
            .ok()
            .and_then(|anno| NumeroProtocollo::new(registro, anno, numero));
        if detto.is_none_or(|detto| detto.to_string() != *protocollo) {
            anomalie.push(format!(
                "register {registro} of {anno}: number {numero} is told as another"
            ));
        }
        if *istante < self.ultimo_istante {
            anomalie.push(format!("{protocollo}: registered before the number before it"));
        }
        let anno_a_roma = Timestamp::from_millisecond(*istante)
            .map(|istante| i64::from(data_a_roma(istante).year()))
            .ok();
        if anno_a_roma != Some(anno) {
            anomalie.push(format!("{protocollo}: its instant is of another year in Rome"));
        }
        if !passo.ricevuta {
            anomalie.push(format!("{protocollo}: no receipt"));
        }
        if !passo.domanda {
            anomalie.push(format!("{protocollo}: no domanda"));
        }
        self.verifica.anomalie.extend(anomalie);
        self.verifica.registrazioni += 1;
        self.ultimo = (anno, numero);
        self.ultimo_istante = *istante;
        true
    }
}

/// The short look before numbers are drawn: a register whose counter, highest number and count disagree is not written
/// to. `da` is the first number that was counted; declared holes count like registrations.
pub(super) fn agree(
    lacune: &Lacune,
    registro: &str,
    anno: i64,
    ultimo: u64,
    (massimo, quante): (u64, u64),
    da: u64,
) -> Result<(), StoreError> {
    let mancanti = lacune.tra(registro, anno, da);
    let (massimo, quante) = (massimo.max(mancanti.0), quante + mancanti.1);
    if ultimo == massimo && quante == (ultimo + 1).saturating_sub(da) {
        return Ok(());
    }
    let da = if da == 1 {
        String::new()
    } else {
        format!(" from {da} on")
    };
    Err(StoreError::Refused(format!(
        "register {registro} of {anno}: the counter says {ultimo}, the highest number is {massimo}, \
         registrations{da} are {quante}; no number is drawn until this is cleared up (`varco register verify`)"
    )))
}
