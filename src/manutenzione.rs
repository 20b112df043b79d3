//! Maintenance mode: while an order of whoever runs the gateway is in force ([`Custode`]), no new domanda, act or lot is taken,
//! by any gateway of the store; a retry of what was registered, look-ups, the feed and the work of lots go on. It is given by
//! `varco maintenance`, kept in the store, and ends when somebody ends it or its end has come.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use arc_swap::ArcSwapOption;
use jiff::Timestamp;
use tokio::task::JoinHandle;

use crate::clock::Clock;
use crate::metriche::{MANUTENZIONE, MANUTENZIONE_FINE, Testo};
use crate::rifiuto::Guasto;
use crate::store::manutenzione::{Cartello, Disposizione};
use crate::store::{SharedStore, StoreError};

/// Section `manutenzione`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ManutenzioneConfig {
    /// How long after a look at the orders comes the next one.
    pub intervallo: Duration,
    /// What a sender is told to wait while no end is known.
    pub riprova: Duration,
}

impl Default for ManutenzioneConfig {
    fn default() -> Self {
        Self {
            intervallo: Duration::from_secs(1),
            riprova: Duration::from_mins(1),
        }
    }
}

/// Who knows the order in force. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Custode(Arc<Dentro>);

#[derive(Debug)]
struct Dentro {
    config: ManutenzioneConfig,
    clock: Arc<dyn Clock>,
    disposizione: ArcSwapOption<Disposizione>,
    /// Whether the order was in force at the last look: its end comes without another order.
    in_vigore: AtomicBool,
    lavoro: Mutex<Option<JoinHandle<()>>>,
}

impl Custode {
    /// Asks the store once, so that a gateway that starts takes nothing it should not, and from then on again and again, on the
    /// runtime of the caller.
    pub async fn spawn(
        store: SharedStore,
        clock: Arc<dyn Clock>,
        config: ManutenzioneConfig,
    ) -> Result<Self, StoreError> {
        let custode = Self::idle(clock, config);
        custode.note(store.disposizione().await?);
        let suo = custode.clone();
        let lavoro = tokio::spawn(async move {
            loop {
                tokio::time::sleep(suo.0.config.intervallo).await;
                match store.disposizione().await {
                    Ok(disposizione) => suo.note(disposizione),
                    // What it knew last holds: that the store is away is for others to say.
                    Err(errore) => tracing::debug!("whether there is maintenance is not known now: {errore}"),
                }
            }
        });
        *custode.0.lavoro.lock().unwrap_or_else(PoisonError::into_inner) = Some(lavoro);
        Ok(custode)
    }

    /// One that does not ask: there is no maintenance.
    #[must_use]
    pub fn idle(clock: Arc<dyn Clock>, config: ManutenzioneConfig) -> Self {
        Self(Arc::new(Dentro {
            config,
            clock,
            disposizione: ArcSwapOption::empty(),
            in_vigore: AtomicBool::new(false),
            lavoro: Mutex::default(),
        }))
    }

    /// What senders are told now; `None` = nothing, there is no maintenance.
    #[must_use]
    pub fn cartello(&self) -> Option<Cartello> {
        let disposizione = self.0.disposizione.load();
        disposizione
            .as_ref()
            .and_then(|disposizione| disposizione.in_force(self.0.clock.wall()))
            .cloned()
    }

    /// Lets something new in, unless there is maintenance.
    pub fn admit(&self) -> Result<(), Guasto> {
        let Some(cartello) = self.cartello() else {
            return Ok(());
        };
        Err(Guasto::Manutenzione {
            riprova_fra_s: self.wait_s(cartello.fino_a),
            messaggio: cartello.messaggio,
        })
    }

    /// Until the end, rounded up: whoever comes back then is taken.
    fn wait_s(&self, fino_a: Option<Timestamp>) -> u64 {
        let Some(fine) = fino_a else {
            return self.0.config.riprova.as_secs().max(1);
        };
        let mancano_ms = fine.duration_since(self.0.clock.wall()).as_millis();
        u64::try_from(mancano_ms).unwrap_or(0).div_ceil(1000).max(1)
    }

    /// Takes an order over. A new one is told in the log, once; so is the end of one whose time has come.
    fn note(&self, disposizione: Option<Disposizione>) {
        let ora = self.0.clock.wall();
        let in_vigore = disposizione
            .as_ref()
            .is_some_and(|disposizione| disposizione.in_force(ora).is_some());
        let era_in_vigore = self.0.in_vigore.swap(in_vigore, Ordering::Relaxed);
        let prima = self.0.disposizione.load_full();
        if prima.as_deref() == disposizione.as_ref() {
            if era_in_vigore && !in_vigore {
                tracing::info!("maintenance is over, its end has come: everything is taken");
            }
            return;
        }
        if let Some(nuova) = &disposizione {
            let operatore = &nuova.operatore;
            match nuova.in_force(ora).map(|cartello| cartello.fino_a) {
                Some(Some(fine)) => {
                    tracing::warn!(%operatore, "maintenance until {fine}: nothing new is taken, retries and look-ups go on");
                }
                Some(None) => {
                    tracing::warn!(%operatore, "maintenance: nothing new is taken, retries and look-ups go on");
                }
                None if era_in_vigore => {
                    tracing::info!(%operatore, "maintenance is over: everything is taken");
                }
                None => {}
            }
        }
        self.0.disposizione.store(disposizione.map(Arc::new));
    }

    /// What is known, as text.
    pub fn tell(&self, testo: &mut Testo) {
        let cartello = self.cartello();
        testo.one(&MANUTENZIONE, u8::from(cartello.is_some()));
        let fine = cartello.and_then(|cartello| cartello.fino_a);
        testo
            .of(&MANUTENZIONE_FINE)
            .tell_some(&[], fine.map(Timestamp::as_second));
    }

    /// Ends the asking.
    pub fn close(&self) {
        let lavoro = self
            .0
            .lavoro
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        if let Some(lavoro) = lavoro {
            lavoro.abort();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::HandClock;
    use crate::telemetry::tests::Quaderno;

    #[test]
    fn the_end_of_a_maintenance_is_told_once_whichever_way_it_came() {
        let al = |secondi| Timestamp::from_second(secondi).unwrap();
        let clock = Arc::new(HandClock::at(al(100)));
        let custode = Custode::idle(
            Arc::clone(&clock) as Arc<dyn Clock>,
            ManutenzioneConfig::default(),
        );
        let fino_a_200 = Disposizione {
            istante: al(100),
            operatore: "m.verdi".to_owned(),
            cartello: Some(Cartello {
                messaggio: String::new(),
                fino_a: Some(al(200)),
            }),
        };
        let finita = Disposizione {
            istante: al(250),
            cartello: None,
            ..fino_a_200.clone()
        };
        let quaderno = Quaderno::default();
        let uscita = quaderno.clone();
        let righe = tracing_subscriber::fmt()
            .with_writer(move || uscita.clone())
            .finish();
        let over = || quaderno.text().matches("maintenance is over").count();
        tracing::subscriber::with_default(righe, || {
            custode.note(Some(fino_a_200.clone()));
            assert_eq!(over(), 0);
            clock.set(al(200));
            for _ in 0..3 {
                custode.note(Some(fino_a_200.clone()));
                assert_eq!(over(), 1);
            }
            // Somebody ends what has ended.
            custode.note(Some(finita));
            assert_eq!(over(), 1);
        });
    }
}
