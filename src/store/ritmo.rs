//! How far a page of the search among the traces goes.

use std::time::{Duration, Instant};

/// How far one page goes: in stretches, longer as long as they are quickly gone, until it has been under way for
/// [`TEMPO`] or has passed [`SCORSE_MAX`] entries. What lies in memory is passed by the ten thousand, what must be read
/// from a disk by the hundred; the page takes no longer either way.
pub(super) struct Ritmo {
    inizio: Instant,
    ultimo: Instant,
    tratto: u32,
    tratto_max: u32,
    scorse: u32,
}

/// How long a page walks; its last stretch, the look-ups and the rows come on top.
const TEMPO: Duration = Duration::from_millis(60);
/// The longest walk of one page: what one question may cost a database.
const SCORSE_MAX: u32 = 20_000;
/// The first stretch.
const TRATTO_MIN: u32 = 250;
/// The longest, where the rows of neighbouring entries are neighbours, too; and where each may have to be read for itself.
const VICINE_MAX: u32 = 2000;
const SPARSE_MAX: u32 = 500;
/// A stretch that took less is followed by one twice as long, one that took three times as long by half of it.
const BREVE: Duration = Duration::from_millis(8);

impl Ritmo {
    /// Begins to walk. `vicine`: the rows lie in the order of the walk.
    pub(super) fn start(vicine: bool) -> Self {
        let inizio = Instant::now();
        Self {
            inizio,
            ultimo: inizio,
            tratto: TRATTO_MIN,
            tratto_max: if vicine { VICINE_MAX } else { SPARSE_MAX },
            scorse: 0,
        }
    }

    /// Entries of the next stretch.
    pub(super) fn tratto(&self) -> u32 {
        self.tratto
    }

    /// A stretch is done: whether another one follows.
    pub(super) fn goes_on(&mut self) -> bool {
        self.scorse += self.tratto;
        let speso = self.ultimo.elapsed();
        if speso < BREVE {
            self.tratto = (self.tratto * 2).min(self.tratto_max);
        } else if speso > BREVE * 3 {
            self.tratto = (self.tratto / 2).max(TRATTO_MIN);
        }
        self.ultimo = Instant::now();
        self.scorse < SCORSE_MAX && self.inizio.elapsed() < TEMPO
    }
}
