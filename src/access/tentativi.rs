//! How often an ente may name a sheet that is not there: few times an hour. `CompletaSecondoGenitore` is answered about
//! domande of whichever ente, so it must be no way to find them out. Who names the right one is never held up by it.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use jiff::Timestamp;

use super::negato;
use crate::catalogo::Codice;
use crate::patronato::CodiceEnte;
use crate::rifiuto::Negato;

/// The misses of each ente in its hour; each gateway counts its own.
#[derive(Debug)]
pub struct Tentativi {
    massimo: usize,
    ore: Mutex<HashMap<CodiceEnte, Ora>>,
}

#[derive(Debug, Clone, Copy, Default)]
struct Ora {
    inizio_s: i64,
    mancati: usize,
}

/// How long misses count, in seconds.
const FINESTRA_S: i64 = 3600;

impl Tentativi {
    /// At most so many misses an hour.
    #[must_use]
    pub fn new(massimo: usize) -> Self {
        Self {
            massimo,
            ore: Mutex::default(),
        }
    }

    /// Lets one more through, and counts it if it found nothing; SEC-003 for whoever has used them up, whatever this one
    /// would have found.
    pub fn weigh(&self, ente: &CodiceEnte, trovata: bool, now: Timestamp) -> Result<(), Negato> {
        let now_s = now.as_second();
        // A panic elsewhere cannot leave a count half written: it is one integer.
        let mut ore = self.ore.lock().unwrap_or_else(PoisonError::into_inner);
        let ora = ore.entry(ente.clone()).or_default();
        // The clock may go back: an hour that lies ahead is over too.
        if !(ora.inizio_s..ora.inizio_s + FINESTRA_S).contains(&now_s) {
            *ora = Ora {
                inizio_s: now_s,
                mancati: 0,
            };
        }
        if ora.mancati >= self.massimo {
            let mut negato = negato(Codice::Sec003, &[("massimo", &self.massimo), ("ente", ente)]);
            negato.riprova_fra_s = u64::try_from(ora.inizio_s + FINESTRA_S - now_s).ok();
            return Err(negato);
        }
        ora.mancati += usize::from(!trovata);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn misses_are_counted_and_hits_are_not() {
        let tentativi = Tentativi::new(2);
        let (uno, altro) = ("PAT01".parse().unwrap(), "PAT02".parse().unwrap());
        let alle = |s| Timestamp::from_second(s).unwrap();
        for _ in 0..10 {
            assert!(tentativi.weigh(&uno, true, alle(0)).is_ok());
        }
        assert!(tentativi.weigh(&uno, false, alle(0)).is_ok());
        assert!(tentativi.weigh(&uno, false, alle(1)).is_ok());
        let negato = tentativi.weigh(&uno, true, alle(10)).unwrap_err();
        assert_eq!(
            (negato.violazione.codice, negato.riprova_fra_s),
            (Codice::Sec003, Some(3590))
        );
        assert!(
            tentativi.weigh(&altro, false, alle(10)).is_ok(),
            "each ente has its own"
        );
        assert!(tentativi.weigh(&uno, false, alle(3600)).is_ok(), "the next hour");
    }
}
