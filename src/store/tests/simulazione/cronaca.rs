//! What happened in a run, step by step, and what of it must not have happened.

use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::time::Instant;

/// The trace of a run.
#[derive(Debug)]
pub(super) struct Cronaca {
    inizio: Instant,
    dentro: Mutex<Dentro>,
}

#[derive(Debug, Default)]
struct Dentro {
    passi: Vec<String>,
    violazioni: Vec<String>,
    conto: Conto,
}

/// How much of it all there was.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Conto {
    /// Steps of the database.
    pub(super) passi: u64,
    /// Steps that failed, before or after they had their effect.
    pub(super) guasti: u64,
    /// Commits whose answer was lost.
    pub(super) commit_muti: u64,
    /// Nodes that died.
    pub(super) cadute: u64,
    /// Jumps of a clock.
    pub(super) salti: u64,
    /// Messages sent.
    pub(super) messaggi: u64,
    /// Answers that the senders got.
    pub(super) risposte: u64,
    /// Faults of ours among them.
    pub(super) receiver: u64,
    /// Receipts that were told again.
    pub(super) ripetizioni: u64,
    /// Conflicts of content that were told.
    pub(super) conflitti: u64,
    /// Domande and acts that rules refused.
    pub(super) rifiutate: u64,
    /// Registrations that were there at the end.
    pub(super) registrazioni: u64,
    /// Stores put back from a copy of before.
    pub(super) ripristini: u64,
    /// Draws that were refused because the store stood before its anchors.
    pub(super) indietro: u64,
}

impl Cronaca {
    /// Nothing yet; the clock of the run begins now.
    pub(super) fn new() -> Self {
        Self {
            inizio: Instant::now(),
            dentro: Mutex::default(),
        }
    }

    /// Notes a step.
    pub(super) fn note(&self, passo: fmt::Arguments<'_>) {
        let ms = self.inizio.elapsed().as_millis();
        self.dentro().passi.push(format!("{ms:>7} {passo}"));
    }

    /// Notes what must not be.
    pub(super) fn violate(&self, violazione: fmt::Arguments<'_>) {
        self.note(format_args!("!! {violazione}"));
        self.dentro().violazioni.push(violazione.to_string());
    }

    /// Counts.
    pub(super) fn count(&self, conta: impl FnOnce(&mut Conto)) {
        conta(&mut self.dentro().conto);
    }

    /// All of it.
    pub(super) fn told(&self) -> Svolto {
        let Dentro {
            passi,
            violazioni,
            conto,
        } = std::mem::take(&mut *self.dentro());
        Svolto {
            passi,
            violazioni,
            conto,
        }
    }

    fn dentro(&self) -> MutexGuard<'_, Dentro> {
        self.dentro.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A run that is over.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Svolto {
    /// Each step, in order.
    pub(super) passi: Vec<String>,
    /// What was not as promised.
    pub(super) violazioni: Vec<String>,
    /// How much there was.
    pub(super) conto: Conto,
}

impl Conto {
    /// The sum of both.
    pub(super) fn add(&mut self, altro: Self) {
        for (mio, suo) in self.all().into_iter().zip({ altro }.all()) {
            *mio += *suo;
        }
    }

    fn all(&mut self) -> [&mut u64; 14] {
        let Self {
            passi,
            guasti,
            commit_muti,
            cadute,
            salti,
            messaggi,
            risposte,
            receiver,
            ripetizioni,
            conflitti,
            rifiutate,
            registrazioni,
            ripristini,
            indietro,
        } = self;
        [
            passi,
            guasti,
            commit_muti,
            cadute,
            salti,
            messaggi,
            risposte,
            receiver,
            ripetizioni,
            conflitti,
            rifiutate,
            registrazioni,
            ripristini,
            indietro,
        ]
    }
}
