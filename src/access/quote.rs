//! How many requests a minute an ente makes, counted for all gateways of the store together: each takes slices of the minute
//! from the store, and counts by itself within its slice.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jiff::Timestamp;

use super::negato;
use crate::adesione::Ente;
use crate::catalogo::Codice;
use crate::patronato::CodiceEnte;
use crate::rifiuto::Negato;
use crate::store::SharedStore;
use crate::store::quote::{Fetta, MINUTO_S};

/// A quota as it stands after a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quota {
    /// Requests granted a minute.
    pub concesse: u32,
    /// Requests left in this minute, as far as this gateway knows: others may have used some since it asked.
    pub rimaste: u32,
    /// Seconds until the minute is over.
    pub rinnovo_s: u32,
}

/// Who counts.
#[derive(Debug)]
pub(super) struct Quote {
    store: SharedStore,
    minuti: Mutex<HashMap<CodiceEnte, MinutoDi>>,
}

/// One asks the store for a slice, and whoever comes meanwhile waits for it.
type MinutoDi = Arc<tokio::sync::Mutex<Minuto>>;

#[derive(Debug, Default)]
struct Minuto {
    /// Under which quota it began: another one begins another minute.
    concesse: u32,
    inizio_s: i64,
    /// What all gateways had taken when this one last asked.
    prese: u64,
    /// What is left of this gateway's slices.
    mie: u64,
}

impl Minuto {
    /// Whether it runs. A clock may go back, and the gateway that began it may be a little ahead.
    fn runs(&self, concesse: u32, now_s: i64) -> bool {
        self.concesse == concesse && (now_s - self.inizio_s).abs() < MINUTO_S
    }

    /// Whether there may be another slice.
    fn open(&self) -> bool {
        self.prese < u64::from(self.concesse)
    }

    fn take(&mut self, fetta: Fetta) {
        self.inizio_s = fetta.inizio_s;
        self.prese = fetta.prese;
        self.mie = fetta.mie;
    }

    fn quota(&self, now_s: i64) -> Quota {
        let concesse = u64::from(self.concesse);
        let rimaste = concesse.saturating_sub(self.prese) + self.mie;
        Quota {
            concesse: self.concesse,
            rimaste: u32::try_from(rimaste.min(concesse)).unwrap_or(u32::MAX),
            rinnovo_s: u32::try_from((self.inizio_s + MINUTO_S - now_s).clamp(1, MINUTO_S)).unwrap_or(1),
        }
    }
}

impl Quote {
    pub(super) fn new(store: SharedStore) -> Self {
        Self {
            store,
            minuti: Mutex::default(),
        }
    }

    /// Counts one request against the ente's minute; ACC-007 where none is left of it.
    pub(super) async fn count(&self, ente: &Ente, now: Timestamp) -> Result<Option<Quota>, Negato> {
        let Some(concesse) = ente.quota_al_minuto else {
            return Ok(None);
        };
        let now_s = now.as_second();
        let minuto = self.minuto(&ente.codice);
        let mut minuto = minuto.lock().await;
        if !minuto.runs(concesse, now_s) {
            *minuto = Minuto {
                concesse,
                inizio_s: now_s,
                ..Minuto::default()
            };
        }
        if minuto.mie == 0 && minuto.open() {
            minuto.take(self.slice(&ente.codice, concesse, now).await);
        }
        let Some(mie) = minuto.mie.checked_sub(1) else {
            let mut negato = negato(Codice::Acc007, &[("quota", &concesse), ("ente", &ente.codice)]);
            negato.riprova_fra_s = Some(u64::from(minuto.quota(now_s).rinnovo_s));
            return Err(negato);
        };
        minuto.mie = mie;
        Ok(Some(minuto.quota(now_s)))
    }

    fn minuto(&self, ente: &CodiceEnte) -> MinutoDi {
        // A panic elsewhere cannot leave it half written: each entry is one pointer.
        let mut minuti = self.minuti.lock().unwrap_or_else(PoisonError::into_inner);
        match minuti.get(ente) {
            Some(minuto) => Arc::clone(minuto),
            None => Arc::clone(minuti.entry(ente.clone()).or_default()),
        }
    }

    /// Another slice. While the store does not answer each gateway counts for itself: a quota keeps an ente from crowding out
    /// the others, and is no reason to refuse one.
    async fn slice(&self, ente: &CodiceEnte, concesse: u32, now: Timestamp) -> Fetta {
        let errore = match tokio::time::timeout(ATTESA, self.store.take_fetta(ente, concesse, now)).await {
            Ok(Ok(fetta)) => return fetta,
            Ok(Err(errore)) => errore.to_string(),
            Err(_) => format!("no answer within {} s", ATTESA.as_secs_f64()),
        };
        tracing::debug!(%ente, "its quota is counted by this gateway alone for a minute: {errore}");
        Fetta {
            inizio_s: now.as_second(),
            prese: u64::from(concesse),
            mie: u64::from(concesse),
        }
    }
}

/// How long a request waits for the store to say what is left of a quota.
const ATTESA: Duration = Duration::from_secs(1);
