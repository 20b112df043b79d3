//! What retention took (ADR 22), as the chain sees it: a purge is a row that is sealed when it has ended, and says which rows
//! may be missing. What it says is not believed: it must be such as retention does it, and be sealed when that was due.

use std::collections::{BTreeMap, HashSet};

use jiff::civil::Date;
use jiff::{Timestamp, ToSpan as _};
use uuid::Uuid;

use super::{Genere, Riga, Voce, campo};
use crate::protocollo::data_a_roma;
use crate::registro::inizio_del_giorno;

/// A purge.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scarto {
    /// Its row.
    pub riga: Riga,
    /// By which rule.
    pub regola: String,
    da: Timestamp,
    fino_a: Timestamp,
    iniziata_il: Timestamp,
    arrivata_a: Option<Timestamp>,
    conclusa_il: Option<Timestamp>,
    fermata: bool,
    righe: u64,
}

/// What is wrong with a purge, in one sentence.
pub type Contraria = &'static str;

impl Scarto {
    /// The one of a row; `None` for a row that is none of ours.
    #[must_use]
    pub fn read(riga: Riga) -> Option<Self> {
        let testo = |nome| std::str::from_utf8(campo(&riga.testo, nome)?).ok();
        let istante = |nome| Timestamp::from_microsecond(testo(nome)?.parse().ok()?).ok();
        if riga.genere != Genere::Pulizia {
            return None;
        }
        Some(Self {
            regola: testo("regola")?.to_owned(),
            da: istante("da")?,
            fino_a: istante("fino_a")?,
            iniziata_il: istante("iniziata_il")?,
            arrivata_a: istante("arrivata_a"),
            conclusa_il: istante("conclusa_il"),
            fermata: testo("fermata_da").is_some(),
            righe: testo("righe")?.parse().ok()?,
            riga,
        })
    }

    /// Whether it has ended: then it is sealed, and changes no more.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.conclusa_il.is_some()
    }

    /// When it ended; `None` = it goes on.
    #[must_use]
    pub fn conclusa_il(&self) -> Option<Timestamp> {
        self.conclusa_il
    }

    /// The day of Rome that it is of.
    #[must_use]
    pub fn giorno(&self) -> Date {
        data_a_roma(self.da)
    }

    /// The days of Rome of which it is that may have taken what this entry is of.
    #[must_use]
    pub fn giorni_di(voce: &Voce, sigillata_il: Timestamp) -> [Date; 2] {
        match voce.istante.map(Timestamp::from_microsecond) {
            Some(Ok(istante)) => [data_a_roma(istante); 2],
            _ => [data_a_roma(sigillata_il), data_a_roma(sigillata_il - 24.hours())],
        }
    }

    /// Whether it took what this entry is of. One of before entries had an instant was sealed on its day, or on the next.
    #[must_use]
    pub fn took(&self, voce: &Voce, sigillata_il: Timestamp) -> bool {
        let sua = match voce.genere {
            Genere::Traccia | Genere::TracciaRegistrata => self.regola == TRACCE,
            Genere::Porta => self.regola == PORTA,
            Genere::Registrazione | Genere::Giornaliero | Genere::Pulizia => false,
        };
        let Some(arrivata_a) = self.arrivata_a.filter(|_| sua) else {
            return false;
        };
        let dentro = |istante: Timestamp| istante >= self.da && istante < arrivata_a;
        match voce.istante {
            Some(istante) => Timestamp::from_microsecond(istante).is_ok_and(dentro),
            None => [sigillata_il, sigillata_il - 24.hours()].into_iter().any(dentro),
        }
    }

    /// Whether it says that this row went, which was sealed before it began: then the row cannot be there.
    #[must_use]
    pub fn claims(&self, voce: &Voce, sigillata_il: Timestamp) -> bool {
        self.is_over()
            && sigillata_il < self.iniziata_il
            && voce.istante.is_some()
            && self.took(voce, sigillata_il)
    }

    /// Whether so many rows may be missing for it: more than it says went were taken by somebody else.
    #[must_use]
    pub fn admits(&self, mancano: u64) -> bool {
        mancano <= self.righe
    }

    /// What is not as retention does it, when the chain stood at this instant: whole days, and none that is too young.
    #[must_use]
    pub fn contradiction(&self, adesso: Timestamp) -> Option<Contraria> {
        let minimo: i64 = match &*self.regola {
            TRACCE => 30 * 24,
            PORTA => 7 * 24,
            _ => return None,
        };
        let giorno = self.giorno();
        let intero = self.da == inizio_del_giorno(giorno)
            && giorno
                .tomorrow()
                .is_ok_and(|domani| self.fino_a == inizio_del_giorno(domani));
        let dentro = self.arrivata_a.is_none_or(|arrivata_a| arrivata_a <= self.fino_a);
        if !intero || !dentro || (self.is_over() && !self.fermata && self.arrivata_a != Some(self.fino_a)) {
            return Some("la pulizia non è di un giorno intero, come la fa il varco");
        }
        // The minimum terms of the store are days of 24 hours.
        let a_termine = self.fino_a.checked_add(minimo.hours());
        (a_termine.is_ok_and(|a_termine| a_termine > adesso))
            .then_some("la pulizia è di ciò che era troppo giovane per essere scartato")
    }
}

/// How many rows are missing for each purge. A trace that gave way to that of its registration is one row, and was sealed twice.
#[derive(Debug, Default)]
pub struct Conto {
    quante: BTreeMap<String, u64>,
    /// Traces of the day of the chain that is walked and of the one before, that may have been sealed once more.
    viste: [HashSet<Uuid>; 2],
    giorno: Option<Date>,
}

impl Conto {
    /// Counts a row that a purge took, of a block of this day.
    pub fn add(&mut self, voce: &Voce, pulizia: &str, giorno: Date) {
        if self.giorno != Some(giorno) {
            self.giorno = Some(giorno);
            self.viste.swap(0, 1);
            self.viste[0].clear();
        }
        let id = voce.chiave.parse::<Uuid>().ok();
        match (voce.genere, id) {
            (Genere::Traccia, Some(id)) => {
                self.viste[0].insert(id);
            }
            (Genere::TracciaRegistrata, Some(id)) if self.viste.iter().any(|viste| viste.contains(&id)) => {
                return;
            }
            _ => {}
        }
        *self.quante.entry(pulizia.to_owned()).or_default() += 1;
    }

    /// By purge.
    pub fn iter(&self) -> impl Iterator<Item = (&str, u64)> {
        self.quante.iter().map(|(pulizia, quante)| (&**pulizia, *quante))
    }
}

/// What is said where a purge does not account for all that is missing.
pub const TROPPE: Contraria = "mancano più righe di quante la pulizia ne scartò";

const TRACCE: &str = "TRACCE";
const PORTA: &str = "PORTA";
