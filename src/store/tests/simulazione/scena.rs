//! What all tasks of a run share: the seed's numbers, the database, the weather that it lives in, the trace.

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::banca::Banca;
use super::caso::Caso;
use super::cronaca::Cronaca;
use super::promesse::Promesse;
use crate::store::StoreError;

/// A mistake put into the core on purpose, to see that the run finds it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mutazione {
    /// None: the core as it is.
    Nessuna,
    /// The key is committed in a transaction of its own, before that of the registration.
    ChiavePrima,
    /// The key is committed in a transaction of its own, after that of the registration.
    ChiaveDopo,
    /// The counters are committed when the number is drawn, and not with what has that number.
    NumeroAParte,
    /// COMMIT is said to be done before it is.
    DettoPrima,
    /// A COMMIT without an answer is taken for done.
    DubbioPerFatto,
    /// What is told is written into no anchor.
    SenzaAncora,
}

/// One run.
#[derive(Debug)]
pub(super) struct Scena {
    pub(super) caso: Caso,
    pub(super) cronaca: Cronaca,
    pub(super) banca: Banca,
    pub(super) promesse: Promesse,
    pub(super) mutazione: Mutazione,
    /// Where the anchors are: the one thing beside the database that outlives a node.
    pub(super) cartella: PathBuf,
    /// How often a step fails, and how often a COMMIT, of a thousand.
    guasti: u64,
    commit_guasti: u64,
    quiete: AtomicBool,
    fuori_fino_a: Mutex<Option<Instant>>,
}

impl Scena {
    /// The run of a seed.
    pub(super) fn new(seme: u64, mutazione: Mutazione, cartella: PathBuf) -> Self {
        let caso = Caso::new(seme);
        let guasti = *caso.pick(&[0, 4, 12, 30]);
        let commit_guasti = *caso.pick(&[0, 40, 150, 300]);
        Self {
            caso,
            cronaca: Cronaca::new(),
            banca: Banca::default(),
            promesse: Promesse::default(),
            mutazione,
            cartella,
            guasti,
            commit_guasti,
            quiete: AtomicBool::new(false),
            fuori_fino_a: Mutex::default(),
        }
    }

    /// From now on nothing fails.
    pub(super) fn calm(&self) {
        self.quiete.store(true, Ordering::Relaxed);
        *self.fuori_fino_a() = None;
        self.cronaca.note(format_args!("-- from now on nothing fails"));
    }

    /// The database answers nobody for a while.
    pub(super) fn stop_database(&self, quanto: Duration) {
        *self.fuori_fino_a() = Some(Instant::now() + quanto);
        let ms = quanto.as_millis();
        self.cronaca
            .note(format_args!("-- the database is away for {ms} ms"));
    }

    /// Whether a COMMIT goes wrong.
    pub(super) fn breaks_commit(&self) -> bool {
        !self.quiete.load(Ordering::Relaxed) && self.caso.happens(self.commit_guasti)
    }

    /// One trip to the database, which takes its time and may fail.
    pub(super) async fn travel(&self, chi: &str, cosa: &str) -> Result<(), StoreError> {
        self.cronaca.count(|conto| conto.passi += 1);
        self.cronaca.note(format_args!("{chi} {cosa}"));
        self.caso.hesitate().await;
        if self.quiete.load(Ordering::Relaxed) {
            return Ok(());
        }
        let fuori = self.fuori_fino_a().is_some_and(|fino_a| fino_a > Instant::now());
        if !fuori && !self.caso.happens(self.guasti) {
            return Ok(());
        }
        match self.caso.below(if fuori { 3 } else { 5 }) {
            // It says so, or nobody ever hears of it: whoever waits has a time-out.
            0 | 1 => {}
            2 => sleep(self.caso.ms(5_000, 25_000)).await,
            // It only takes long.
            _ => {
                sleep(self.caso.ms(50, 3_000)).await;
                return Ok(());
            }
        }
        self.cronaca.count(|conto| conto.guasti += 1);
        self.cronaca.note(format_args!("{chi} {cosa}: FAILED"));
        Err(if self.caso.happens(150) {
            StoreError::Full("no room left (simulated)".to_owned())
        } else {
            StoreError::unavailable("connection lost (simulated)")
        })
    }

    fn fuori_fino_a(&self) -> std::sync::MutexGuard<'_, Option<Instant>> {
        self.fuori_fino_a.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
