//! The places of the writer's queue. One ente may have a share of them at most: whoever floods it fills its own share and is told
//! so, and for everybody else there is still a place.

use std::sync::{Arc, Mutex, PoisonError};

use super::StoreError;
use crate::patronato::CodiceEnte;

/// The places, and who has them.
#[derive(Debug)]
pub(super) struct Posti {
    tutti: usize,
    per_ente: usize,
    presi: Mutex<Presi>,
}

#[derive(Debug, Default)]
struct Presi {
    tutti: usize,
    /// By ente; who has none is not there. Few enti wait at once.
    enti: Vec<(CodiceEnte, usize)>,
}

/// A place; given back when it is dropped.
#[derive(Debug)]
pub(super) struct Posto {
    posti: Arc<Posti>,
    ente: CodiceEnte,
}

impl Posti {
    /// So many, of which one ente has `per_ente` at most.
    pub(super) fn new(tutti: usize, per_ente: usize) -> Arc<Self> {
        let tutti = tutti.max(1);
        Arc::new(Self {
            tutti,
            per_ente: per_ente.clamp(1, tutti),
            presi: Mutex::default(),
        })
    }

    /// A place for an act of this ente, if there is one.
    pub(super) fn take(self: &Arc<Self>, ente: &CodiceEnte) -> Result<Posto, StoreError> {
        let mut presi = self.presi.lock().unwrap_or_else(PoisonError::into_inner);
        if presi.tutti >= self.tutti {
            return Err(StoreError::Full(format!(
                "{} acts wait for the register (writer.coda)",
                self.tutti
            )));
        }
        match presi.enti.iter_mut().find(|(di, _)| di == ente) {
            Some((_, suoi)) if *suoi >= self.per_ente => {
                return Err(StoreError::Full(format!(
                    "{} acts of ente {ente} wait for the register (writer.coda_ente)",
                    self.per_ente
                )));
            }
            Some((_, suoi)) => *suoi += 1,
            None => presi.enti.push((ente.clone(), 1)),
        }
        presi.tutti += 1;
        Ok(Posto {
            posti: Arc::clone(self),
            ente: ente.clone(),
        })
    }

    /// How many are taken.
    pub(super) fn presi(&self) -> usize {
        self.presi.lock().unwrap_or_else(PoisonError::into_inner).tutti
    }

    /// How many there are.
    pub(super) fn tutti(&self) -> usize {
        self.tutti
    }
}

impl Drop for Posto {
    fn drop(&mut self) {
        let mut presi = self.posti.presi.lock().unwrap_or_else(PoisonError::into_inner);
        presi.tutti -= 1;
        if let Some(dove) = presi.enti.iter().position(|(di, _)| *di == self.ente) {
            presi.enti[dove].1 -= 1;
            if presi.enti[dove].1 == 0 {
                presi.enti.swap_remove(dove);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_ente_has_its_share_of_the_places_and_no_more() {
        let posti = Posti::new(5, 3);
        let [uno, due] = ["PAT01", "PAT02"].map(|codice| codice.parse::<CodiceEnte>().unwrap());
        let mut suoi: Vec<_> = (0..3).map(|_| posti.take(&uno).unwrap()).collect();
        let oltre = posti.take(&uno).unwrap_err().to_string();
        assert_eq!(
            oltre,
            "store full: 3 acts of ente PAT01 wait for the register (writer.coda_ente)"
        );
        let altrui = [posti.take(&due).unwrap(), posti.take(&due).unwrap()];
        let pieno = posti.take(&due).unwrap_err().to_string();
        assert_eq!(pieno, "store full: 5 acts wait for the register (writer.coda)");
        suoi.pop();
        assert_eq!(posti.presi(), 4);
        suoi.push(posti.take(&uno).unwrap());
        drop((suoi, altrui));
        assert_eq!(posti.presi(), 0);
        assert!(posti.presi.lock().unwrap().enti.is_empty());
    }

    #[test]
    fn a_share_of_more_than_all_is_all() {
        let posti = Posti::new(2, 1000);
        let ente = "PAT01".parse::<CodiceEnte>().unwrap();
        let presi = [posti.take(&ente).unwrap(), posti.take(&ente).unwrap()];
        let pieno = posti.take(&ente).unwrap_err().to_string();
        assert_eq!(pieno, "store full: 2 acts wait for the register (writer.coda)");
        drop(presi);
    }
}
