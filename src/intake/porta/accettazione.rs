//! Uses up the Identificativi of messages that register nothing: what waits goes in together, one transaction at a time,
//! and each is answered after its commit. Beside it, old ones are forgotten.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt as _;
use jiff::SignedDuration;
use tokio::sync::{Mutex, mpsc, oneshot};
use tokio::task::JoinHandle;
use tokio::time::{MissedTickBehavior, interval};

use super::PddConfig;
use crate::clock::Clock;
use crate::protocollo::data_a_roma;
use crate::store::egov::ScambioDi;
use crate::store::{SharedStore, StoreError};

/// Where exchanges are handed in. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Accettazione {
    coda: mpsc::Sender<InAttesa>,
    lavoro: Arc<Mutex<Option<JoinHandle<()>>>>,
}

#[derive(Debug)]
struct InAttesa {
    scambio: ScambioDi,
    chi: oneshot::Sender<Result<bool, StoreError>>,
}

/// How many may wait; one more is answered [`StoreError::Full`].
const CODA: usize = 1024;
/// How many one transaction takes.
const INSIEME: usize = 64;
/// How often old Identificativi are forgotten, and how many at a time.
const PULIZIA: Duration = Duration::from_mins(10);
const DIMENTICATI: u32 = 1000;

impl Accettazione {
    /// Starts the work, on the runtime of the caller.
    #[must_use]
    pub fn spawn(store: SharedStore, clock: Arc<dyn Clock>, config: &PddConfig) -> Self {
        let (coda, in_attesa) = mpsc::channel(CODA);
        let finestra = i64::try_from(config.finestra_minuti).unwrap_or(i64::MAX / 60);
        // A day more than the window: an Identificatore tells a minute, we forget by days.
        let memoria = SignedDuration::from_mins(finestra) + SignedDuration::from_hours(24);
        let lavoro = tokio::spawn(work(store, clock, memoria, in_attesa));
        Self {
            coda,
            lavoro: Arc::new(Mutex::new(Some(lavoro))),
        }
    }

    /// Whether the Identificatore was new; tells once that is durable.
    pub(super) async fn accept(&self, scambio: ScambioDi) -> Result<bool, StoreError> {
        let (chi, risposta) = oneshot::channel();
        self.coda
            .try_send(InAttesa { scambio, chi })
            .map_err(|errore| match errore {
                mpsc::error::TrySendError::Full(_) => {
                    StoreError::Full(format!("{CODA} buste wait to be accepted"))
                }
                mpsc::error::TrySendError::Closed(_) => closed(),
            })?;
        risposta.await.unwrap_or_else(|_| Err(closed()))
    }

    /// Ends the work. By then the door is shut: nobody waits.
    pub async fn close(&self) {
        if let Some(lavoro) = self.lavoro.lock().await.take() {
            lavoro.abort();
            let _ = lavoro.await;
        }
    }
}

fn closed() -> StoreError {
    StoreError::unavailable("no more buste are accepted")
}

async fn work(
    store: SharedStore,
    clock: Arc<dyn Clock>,
    memoria: SignedDuration,
    mut in_attesa: mpsc::Receiver<InAttesa>,
) {
    let mut pulizia = interval(PULIZIA);
    pulizia.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut insieme = Vec::with_capacity(INSIEME);
    loop {
        tokio::select! {
            biased;
            quanti = in_attesa.recv_many(&mut insieme, INSIEME) => {
                if quanti == 0 {
                    return;
                }
                accept(&store, &mut insieme).await;
            }
            _ = pulizia.tick() => {
                let prima = data_a_roma(clock.wall() - memoria);
                // The rest of a long absence is forgotten at the next turns: nobody waits for it.
                if let Err(errore) = store.forget_buste(prima, DIMENTICATI * 10).await {
                    tracing::warn!("old buste are not forgotten: {errore}");
                }
            }
        }
    }
}

/// One transaction, and an answer for each. A panic in it is an error of its batch.
async fn accept(store: &SharedStore, insieme: &mut Vec<InAttesa>) {
    let (scambi, attese): (Vec<_>, Vec<_>) = insieme
        .drain(..)
        .map(|atteso| (atteso.scambio, atteso.chi))
        .unzip();
    let esiti = AssertUnwindSafe(store.accept_buste(&scambi))
        .catch_unwind()
        .await
        .unwrap_or_else(|_| Err(StoreError::unavailable("the acceptance panicked")));
    let mut nuove = esiti.as_ref().map(|nuove| nuove.iter().copied());
    for chi in attese {
        let esito = match &mut nuove {
            Ok(nuove) => nuove.next().ok_or_else(closed),
            Err(errore) => Err((*errore).clone()),
        };
        // Whoever hung up gets no answer.
        let _ = chi.send(esito);
    }
}
