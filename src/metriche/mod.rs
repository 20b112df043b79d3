//! What is counted, and how it is told to Prometheus: counters and histograms that cost a message a few additions, the table
//! of every metric ([`tabella`]), and their text ([`testo`]).
//!
//! A counter is a place in a grid that is laid out at the start: one for each combination of values that our own enums have.
//! So nothing that a sender writes can make a new one, no label is spelt and no lock taken while a message is on its way;
//! and threads add in grids of their own, which are summed when somebody asks (ADR 18).

mod tabella;
mod testo;

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

pub use self::tabella::*;
pub use self::testo::{Formato, Testo};

/// Grids of a counter: threads that add at once seldom meet.
const SCHEGGE: usize = 8;

/// Counters that only grow, by place.
#[derive(Debug)]
pub struct Conti {
    schegge: Box<[Box<[AtomicU64]>]>,
}

impl Conti {
    /// So many of them, all zero.
    #[must_use]
    pub fn new(quanti: usize) -> Self {
        let scheggia = || (0..quanti).map(|_| AtomicU64::new(0)).collect();
        Self {
            schegge: (0..SCHEGGE).map(|_| scheggia()).collect(),
        }
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.schegge.first().map_or(0, |scheggia| scheggia.len())
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Adds to the counter at this place.
    pub fn add(&self, posto: usize, quanto: u64) {
        if let Some(conto) = self.schegge[scheggia()].get(posto) {
            conto.fetch_add(quanto, Ordering::Relaxed);
        }
    }

    /// What the counter at this place has come to.
    #[must_use]
    pub fn sum(&self, posto: usize) -> u64 {
        let di_ognuna = self.schegge.iter().filter_map(|scheggia| scheggia.get(posto));
        di_ognuna.map(|conto| conto.load(Ordering::Relaxed)).sum()
    }

    /// What all of them have come to.
    #[must_use]
    pub fn total(&self) -> u64 {
        let tutti = self.schegge.iter().flat_map(|scheggia| scheggia.iter());
        tutti.map(|conto| conto.load(Ordering::Relaxed)).sum()
    }
}

/// The grid of this thread.
fn scheggia() -> usize {
    static PROSSIMA: AtomicUsize = AtomicUsize::new(0);
    thread_local! {
        static MIA: usize = PROSSIMA.fetch_add(1, Ordering::Relaxed) % SCHEGGE;
    }
    MIA.with(|mia| *mia)
}

/// Histograms with the same bounds, by place. Values are whole numbers: microseconds, acts.
#[derive(Debug)]
pub struct Istogrammi {
    soglie: &'static [u64],
    conti: Conti,
}

/// One histogram as it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Istogramma {
    /// Bounds, and how many values are not above each of them.
    pub fino_a: Vec<(u64, u64)>,
    /// How many values there were.
    pub quanti: u64,
    /// Their sum.
    pub somma: u64,
}

impl Istogrammi {
    /// So many of them, with these bounds in rising order.
    #[must_use]
    pub fn new(quanti: usize, soglie: &'static [u64]) -> Self {
        Self {
            soglie,
            conti: Conti::new(quanti * (soglie.len() + 2)),
        }
    }

    /// Adds a value to the histogram at this place.
    pub fn observe(&self, posto: usize, valore: u64) {
        let dal = posto * (self.soglie.len() + 2);
        let cesto = self.soglie.partition_point(|soglia| *soglia < valore);
        self.conti.add(dal + cesto, 1);
        self.conti.add(dal + self.soglie.len() + 1, valore);
    }

    /// Adds a time, as microseconds.
    pub fn observe_time(&self, posto: usize, tempo: Duration) {
        self.observe(posto, u64::try_from(tempo.as_micros()).unwrap_or(u64::MAX));
    }

    /// The histogram at this place; `None` while it has no value.
    #[must_use]
    pub fn at(&self, posto: usize) -> Option<Istogramma> {
        let dal = posto * (self.soglie.len() + 2);
        let mut quanti = 0;
        let mut fino_a = Vec::with_capacity(self.soglie.len());
        for (cesto, soglia) in self.soglie.iter().enumerate() {
            quanti += self.conti.sum(dal + cesto);
            fino_a.push((*soglia, quanti));
        }
        quanti += self.conti.sum(dal + self.soglie.len());
        (quanti > 0).then(|| Istogramma {
            fino_a,
            quanti,
            somma: self.conti.sum(dal + self.soglie.len() + 1),
        })
    }
}

/// Bounds for the time of a message or of a step, in microseconds: from a look-up in memory to a caller's patience.
pub const TEMPI_US: &[u64] = &[
    100, 250, 500, 1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 100_000, 250_000, 500_000, 1_000_000,
    2_500_000, 10_000_000,
];
/// Bounds for how much one transaction takes.
pub const QUANTITA: &[u64] = &[1, 2, 4, 8, 16, 32, 64];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_threads_add_at_once_is_summed() {
        let conti = Conti::new(3);
        std::thread::scope(|scope| {
            for _ in 0..20 {
                scope.spawn(|| (0..1000).for_each(|_| conti.add(1, 2)));
            }
        });
        assert_eq!((conti.sum(0), conti.sum(1), conti.sum(2)), (0, 40_000, 0));
        assert_eq!(conti.total(), 40_000);
        // A place that is not there is nobody's.
        conti.add(3, 1);
        assert_eq!((conti.sum(3), conti.total()), (0, 40_000));
    }

    #[test]
    fn a_value_falls_in_the_first_bound_that_is_not_below_it() {
        let istogrammi = Istogrammi::new(2, &[10, 20]);
        for valore in [0, 10, 11, 20, 21, 500] {
            istogrammi.observe(1, valore);
        }
        assert_eq!(istogrammi.at(0), None);
        let istogramma = istogrammi.at(1).unwrap();
        assert_eq!(istogramma.fino_a, [(10, 2), (20, 4)]);
        assert_eq!((istogramma.quanti, istogramma.somma), (6, 562));
    }
}
