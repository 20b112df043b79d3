//! One trip to the store for all who ask at once. Who asks while a trip is under way waits; then the first of those who
//! wait asks for all of them. There is no delay by design: a question that is alone goes alone.
//!
//! A trip costs what its hops cost (to the driver's thread or the server and back, waking whoever waits), and then a
//! little for each question: under load it is the hops that count.

use std::fmt;
use std::sync::PoisonError;

use tokio::sync::oneshot::error::TryRecvError;
use tokio::sync::{Mutex, oneshot};
use tokio::task::yield_now;

use super::StoreError;

/// Where questions of one kind are taken to.
pub(super) trait Viaggio: Send + Sync {
    /// What is asked.
    type Domanda: Clone + Send + Sync;
    /// What is told of it.
    type Risposta: Send;

    /// Takes the questions there, at most [`DOMANDE_MAX`], and brings an answer to each, in their order.
    fn go(
        &self,
        domande: &[Self::Domanda],
    ) -> impl Future<Output = Result<Vec<Self::Risposta>, StoreError>> + Send;
}

/// How many questions one trip takes.
pub(super) const DOMANDE_MAX: usize = 32;

/// Where they are handed in.
pub(super) struct Sportello<V: Viaggio> {
    viaggio: V,
    fila: std::sync::Mutex<Vec<Attesa<V>>>,
    /// Held by the one who asks for all.
    turno: Mutex<()>,
}

/// Somebody who waits: the question, and where its answer goes.
struct Attesa<V: Viaggio> {
    domanda: V::Domanda,
    risposta: oneshot::Sender<Result<V::Risposta, StoreError>>,
}

impl<V: Viaggio> Sportello<V> {
    /// Where questions go by this way.
    pub(super) fn new(viaggio: V) -> Self {
        Self {
            viaggio,
            fila: std::sync::Mutex::default(),
            turno: Mutex::new(()),
        }
    }

    /// The way that they go.
    pub(super) fn viaggio(&self) -> &V {
        &self.viaggio
    }

    /// The answer to one question.
    pub(super) async fn ask(&self, domanda: &V::Domanda) -> Result<V::Risposta, StoreError> {
        loop {
            let (risposta, mut detta) = oneshot::channel();
            self.fila().push(Attesa {
                domanda: domanda.clone(),
                risposta,
            });
            let detta = tokio::select! {
                biased;
                detta = &mut detta => detta.ok(),
                _turno = self.turno.lock() => {
                    // Whoever is about to ask in this very moment comes along.
                    yield_now().await;
                    loop {
                        self.ask_for_all().await;
                        match detta.try_recv() {
                            Ok(detta) => break Some(detta),
                            // More than one trip takes stood before us.
                            Err(TryRecvError::Empty) => {}
                            Err(TryRecvError::Closed) => break None,
                        }
                    }
                }
            };
            // No word at all: who asked for us has gone away in the middle of it. So we ask again.
            if let Some(detta) = detta {
                return detta;
            }
        }
    }

    async fn ask_for_all(&self) {
        let attese: Vec<_> = {
            let mut fila = self.fila();
            let quante = fila.len().min(DOMANDE_MAX);
            fila.drain(..quante).collect()
        };
        let (domande, mittenti): (Vec<_>, Vec<_>) = attese
            .into_iter()
            // Some have gone away since.
            .filter(|attesa| !attesa.risposta.is_closed())
            .map(|attesa| (attesa.domanda, attesa.risposta))
            .unzip();
        if domande.is_empty() {
            return;
        }
        let risposte: Vec<_> = match self.viaggio.go(&domande).await {
            Ok(risposte) => risposte.into_iter().map(Ok).collect(),
            Err(errore) => mittenti.iter().map(|_| Err(errore.clone())).collect(),
        };
        for (mittente, risposta) in mittenti.into_iter().zip(risposte) {
            // Who is not there any more does not want it.
            let _ = mittente.send(risposta);
        }
    }

    fn fila(&self) -> std::sync::MutexGuard<'_, Vec<Attesa<V>>> {
        // A panic cannot leave half a question in the queue.
        self.fila.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<V: Viaggio> fmt::Debug for Sportello<V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sportello").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, Ordering};

    use futures_util::future::{join_all, poll_immediate};

    use super::*;

    /// Tells each number its double, and remembers how many went together.
    #[derive(Default)]
    struct Doppi {
        viaggi: std::sync::Mutex<Vec<usize>>,
        fermo: AtomicBool,
        guasto: AtomicBool,
    }

    impl Viaggio for Arc<Doppi> {
        type Domanda = u32;
        type Risposta = u32;

        async fn go(&self, domande: &[u32]) -> Result<Vec<u32>, StoreError> {
            self.viaggi.lock().unwrap().push(domande.len());
            if self.fermo.load(Ordering::Relaxed) {
                std::future::pending::<()>().await;
            }
            if self.guasto.load(Ordering::Relaxed) {
                return Err(StoreError::unavailable("away"));
            }
            Ok(domande.iter().map(|domanda| domanda * 2).collect())
        }
    }

    #[tokio::test]
    async fn who_asks_at_once_is_told_by_one_trip() {
        let doppi = Arc::new(Doppi::default());
        let sportello = Sportello::new(Arc::clone(&doppi));
        assert_eq!(sportello.ask(&4).await.unwrap(), 8);
        let tutte: Vec<u32> = (0..70).collect();
        let risposte = join_all(tutte.iter().map(|domanda| sportello.ask(domanda))).await;
        let risposte: Vec<u32> = risposte.into_iter().map(Result::unwrap).collect();
        assert_eq!(
            risposte,
            tutte.iter().map(|domanda| domanda * 2).collect::<Vec<_>>()
        );
        assert_eq!(*doppi.viaggi.lock().unwrap(), [1, 32, 32, 6]);
    }

    #[tokio::test]
    async fn a_failed_trip_is_told_to_all_of_it() {
        let doppi = Arc::new(Doppi::default());
        doppi.guasto.store(true, Ordering::Relaxed);
        let sportello = Sportello::new(Arc::clone(&doppi));
        let risposte = join_all([1, 2].iter().map(|domanda| sportello.ask(domanda))).await;
        assert!(
            risposte
                .iter()
                .all(|risposta| matches!(risposta, Err(StoreError::Unavailable(_))))
        );
        assert_eq!(*doppi.viaggi.lock().unwrap(), [2]);
    }

    #[tokio::test]
    async fn when_the_one_who_asked_for_all_goes_away_the_others_ask_again() {
        let doppi = Arc::new(Doppi::default());
        doppi.fermo.store(true, Ordering::Relaxed);
        let sportello = Sportello::new(Arc::clone(&doppi));
        let mut primo = Box::pin(sportello.ask(&1));
        let mut secondo = Box::pin(sportello.ask(&2));
        assert!(poll_immediate(&mut primo).await.is_none());
        assert!(poll_immediate(&mut secondo).await.is_none());
        // Now both are asked for, and no answer comes.
        assert!(poll_immediate(&mut primo).await.is_none());
        assert_eq!(*doppi.viaggi.lock().unwrap(), [2]);
        drop(primo);
        doppi.fermo.store(false, Ordering::Relaxed);
        assert_eq!(secondo.await.unwrap(), 4);
        assert_eq!(*doppi.viaggi.lock().unwrap(), [2, 1]);
    }
}
