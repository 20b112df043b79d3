//! The one writer of the process: registrations wait in a bounded queue, the writer takes what waits, registers it in
//! one transaction, and answers each caller only after the commit (design.md §2.9). No artificial delay: while one
//! batch is synced the next one gathers. A queued act belongs to the writer: a caller that hangs up cancels nothing.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use futures_util::FutureExt;
use tokio::sync::{Mutex, mpsc, oneshot, watch};
use tokio::task::JoinHandle;

use super::{Atto, Registrazione, SharedStore, StoreError};
use crate::clock::Clock;

/// The limits of the writer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WriterConfig {
    /// How many acts may wait; one more is answered [`StoreError::Full`].
    pub coda: usize,
    /// How many acts one transaction takes at most.
    pub lotto_massimo: usize,
    /// After so long without an act the store gets its upkeep.
    pub quiete: Duration,
}

impl Default for WriterConfig {
    fn default() -> Self {
        Self {
            coda: 1024,
            lotto_massimo: 64,
            quiete: Duration::from_secs(5),
        }
    }
}

/// Starts the writer.
#[derive(Debug)]
pub struct Writer;

/// Where acts are handed in. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Handle {
    coda: mpsc::Sender<InAttesa>,
    capienza: usize,
    ultimo_lotto: Arc<AtomicUsize>,
    chiusura: watch::Sender<bool>,
    lavoro: Arc<Mutex<Option<JoinHandle<()>>>>,
}

/// An act and whoever waits for it.
#[derive(Debug)]
struct InAttesa {
    atto: Atto,
    chi: oneshot::Sender<Result<Registrazione, StoreError>>,
}

impl Writer {
    /// Starts the writer of a store, on the runtime of the caller.
    #[must_use]
    pub fn spawn(store: SharedStore, clock: Arc<dyn Clock>, config: WriterConfig) -> Handle {
        let capienza = config.coda.max(1);
        let (coda, in_attesa) = mpsc::channel(capienza);
        let (chiusura, chiusa) = watch::channel(false);
        let ultimo_lotto = Arc::new(AtomicUsize::new(0));
        let lavoro = tokio::spawn(work(Lavoro {
            store,
            clock,
            config,
            in_attesa,
            chiusa,
            ultimo_lotto: Arc::clone(&ultimo_lotto),
        }));
        Handle {
            coda,
            capienza,
            ultimo_lotto,
            chiusura,
            lavoro: Arc::new(Mutex::new(Some(lavoro))),
        }
    }
}

impl Handle {
    /// Registers an act and tells how it ended, once that is durable. From the first poll on the act is the writer's:
    /// dropping the future loses the answer, not the registration.
    pub async fn register(&self, atto: Atto) -> Result<Registrazione, StoreError> {
        let (chi, risposta) = oneshot::channel();
        self.coda
            .try_send(InAttesa { atto, chi })
            .map_err(|errore| match errore {
                mpsc::error::TrySendError::Full(_) => {
                    StoreError::Full(format!("{} acts wait for the register", self.capienza))
                }
                mpsc::error::TrySendError::Closed(_) => closed(),
            })?;
        risposta.await.unwrap_or_else(|_| Err(closed()))
    }

    /// How many acts wait now.
    #[must_use]
    pub fn coda(&self) -> usize {
        self.capienza - self.coda.capacity()
    }

    /// How many acts the last transaction took.
    #[must_use]
    pub fn ultimo_lotto(&self) -> usize {
        self.ultimo_lotto.load(Ordering::Relaxed)
    }

    /// Takes no more acts, works off what waits, and returns when all of it was answered.
    pub async fn close(&self) {
        self.chiusura.send_replace(true);
        if let Some(lavoro) = self.lavoro.lock().await.take()
            && let Err(errore) = lavoro.await
        {
            tracing::error!("the writer ended badly: {errore}");
        }
    }
}

fn closed() -> StoreError {
    StoreError::unavailable("the writer is closed")
}

struct Lavoro {
    store: SharedStore,
    clock: Arc<dyn Clock>,
    config: WriterConfig,
    in_attesa: mpsc::Receiver<InAttesa>,
    chiusa: watch::Receiver<bool>,
    ultimo_lotto: Arc<AtomicUsize>,
}

/// The writer's life: a batch, its answers, the next batch.
async fn work(mut lavoro: Lavoro) {
    let massimo = lavoro.config.lotto_massimo.max(1);
    let mut lotto = Vec::with_capacity(massimo);
    // Upkeep once after work, not again and again through a quiet night.
    let mut da_riordinare = false;
    loop {
        tokio::select! {
            biased;
            quanti = lavoro.in_attesa.recv_many(&mut lotto, massimo) => {
                if quanti == 0 {
                    return;
                }
            }
            // Closed by its handle, or every handle is gone: what waits is still worked off.
            () = until_closed(&mut lavoro.chiusa), if !lavoro.in_attesa.is_closed() => {
                lavoro.in_attesa.close();
                continue;
            }
            () = tokio::time::sleep(lavoro.config.quiete), if da_riordinare => {
                da_riordinare = false;
                if let Err(errore) = lavoro.store.tidy().await {
                    tracing::warn!("upkeep of the store failed: {errore}");
                }
                continue;
            }
        }
        da_riordinare = true;
        lavoro.ultimo_lotto.store(lotto.len(), Ordering::Relaxed);
        let (atti, attese): (Vec<_>, Vec<_>) =
            lotto.drain(..).map(|atteso| (atteso.atto, atteso.chi)).unzip();
        let esiti = register(&lavoro, &atti).await;
        for (chi, esito) in attese.into_iter().zip(esiti) {
            // Whoever hung up gets no answer; what was registered is registered.
            let _ = chi.send(esito);
        }
    }
}

async fn until_closed(chiusa: &mut watch::Receiver<bool>) {
    // An error says that every handle is gone: closed as well.
    let _ = chiusa.wait_for(|chiusa| *chiusa).await;
}

/// One batch: an answer for each act, whatever happens.
async fn register(lavoro: &Lavoro, atti: &[Atto]) -> Vec<Result<Registrazione, StoreError>> {
    match attempt(lavoro, atti).await {
        Ok(esiti) => esiti.into_iter().map(Ok).collect(),
        // Nothing was written, and the cause lies in one of the acts: the others shall not suffer for it. A register that
        // stands still is no cause for a repetition, nor for another register.
        Err(errore @ (StoreError::Inconsistency(_) | StoreError::Emergenza(_))) if atti.len() > 1 => {
            tracing::error!("a batch was refused by the store, its acts are registered one by one: {errore}");
            let mut esiti = Vec::with_capacity(atti.len());
            for atto in atti {
                let uno = attempt(lavoro, std::slice::from_ref(atto)).await;
                esiti.push(uno.and_then(|mut esiti| esiti.pop().ok_or_else(short)));
            }
            esiti
        }
        Err(errore) => atti.iter().map(|_| Err(errore.clone())).collect(),
    }
}

/// One transaction. A panic in it is an error of its batch, not the end of the writer.
async fn attempt(lavoro: &Lavoro, atti: &[Atto]) -> Result<Vec<Registrazione>, StoreError> {
    let adesso = lavoro.clock.business();
    let esiti = AssertUnwindSafe(lavoro.store.register(atti, adesso))
        .catch_unwind()
        .await
        .unwrap_or_else(|_| Err(StoreError::unavailable("the registration panicked")))?;
    if esiti.len() == atti.len() {
        Ok(esiti)
    } else {
        Err(short())
    }
}

fn short() -> StoreError {
    StoreError::unavailable("the store did not answer for every act")
}
