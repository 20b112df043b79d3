//! When the whole of a request must have been answered: a moment that moves on for a body that may take long, as long as
//! it keeps coming.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::time::{Instant, sleep_until};

/// A deadline that can be put off.
#[derive(Debug, Clone)]
pub struct Scadenza {
    /// What every request may take.
    attesa: Duration,
    entro: Arc<Mutex<Instant>>,
}

impl Scadenza {
    /// So long after `adesso`.
    #[must_use]
    pub fn after(adesso: Instant, attesa: Duration) -> Self {
        Self {
            attesa,
            entro: Arc::new(Mutex::new(adesso + attesa)),
        }
    }

    /// Puts it off to so many seconds more than any request may take from `inizio`; never back.
    pub fn extend(&self, inizio: Instant, secondi: u64) {
        let entro = inizio + self.attesa + Duration::from_secs(secondi);
        let mut ora = self.entro.lock().unwrap_or_else(PoisonError::into_inner);
        *ora = entro.max(*ora);
    }

    /// What any request may take from now on: all has come, and is being made durable.
    pub fn renew(&self) {
        self.extend(Instant::now(), 0);
    }

    fn entro(&self) -> Instant {
        *self.entro.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Comes back when it is over.
    pub async fn over(&self) {
        loop {
            let entro = self.entro();
            sleep_until(entro).await;
            if self.entro() <= entro {
                return;
            }
        }
    }
}
