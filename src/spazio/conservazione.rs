//! What goes when its time is over, while the gateway serves: by steps that are short, where nobody waits for the register, and
//! with pauses between them. All that must survive stands in the store: killed at any moment, it goes on where it was.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use jiff::{Timestamp, ToSpan as _};
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::clock::Clock;
use crate::metriche::{CONSERVAZIONE_BYTE, CONSERVAZIONE_RIGHE, Conti, Testo};
use crate::protocollo::data_a_roma;
use crate::registro::inizio_del_giorno;
use crate::store::spazio::{Pulizia, Regola};
use crate::store::writer::Handle;
use crate::store::{SharedStore, StoreError};

/// Section `conservazione`: how long what is kept; 0 = for ever.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ConservazioneConfig {
    /// Years from the end of the procedure for requests, documents and summaries.
    pub richieste_anni: usize,
    /// Days for the bytes of traces.
    pub tracce_byte_giorni: usize,
    /// Days for traces.
    pub tracce_giorni: usize,
    /// Days for the door log.
    pub porta_giorni: usize,
    /// Days for the feed.
    pub variazioni_giorni: usize,
    /// How long one step may take: it becomes smaller where it takes longer.
    pub passo: Duration,
    /// How long at least between two steps.
    pub pausa: Duration,
    /// How often it is looked whether something is due.
    pub intervallo: Duration,
}

impl Default for ConservazioneConfig {
    fn default() -> Self {
        Self {
            richieste_anni: 5,
            tracce_byte_giorni: 90,
            tracce_giorni: 730,
            porta_giorni: 180,
            variazioni_giorni: 730,
            passo: Duration::from_millis(50),
            pausa: Duration::from_millis(250),
            intervallo: Duration::from_mins(10),
        }
    }
}

impl ConservazioneConfig {
    /// What is of before this instant goes by a rule; `None` = nothing ever does.
    #[must_use]
    pub fn limite(&self, regola: Regola, clock: &dyn Clock) -> Option<Timestamp> {
        let oggi = data_a_roma(if regola.is_business() {
            clock.business()
        } else {
            clock.wall()
        });
        let termine = self.termine(regola);
        let termine = i64::try_from(termine).ok().filter(|termine| *termine > 0)?;
        let fa = match regola {
            Regola::Richieste => i16::try_from(termine).ok()?.years(),
            _ => i32::try_from(termine).ok()?.days(),
        };
        Some(inizio_del_giorno(oggi.checked_sub(fa).ok()?))
    }

    /// The term of a rule: years of requests, days of all else.
    #[must_use]
    pub fn termine(&self, regola: Regola) -> usize {
        match regola {
            Regola::Richieste => self.richieste_anni,
            Regola::TracceByte => self.tracce_byte_giorni,
            Regola::Tracce => self.tracce_giorni,
            Regola::Porta => self.porta_giorni,
            Regola::Variazioni => self.variazioni_giorni,
        }
    }

    /// The shortest term that the store takes, beside 0.
    #[must_use]
    pub fn termine_minimo(regola: Regola) -> usize {
        match regola {
            Regola::Richieste => 1,
            // The days of a store and of Rome do not begin together.
            Regola::TracceByte | Regola::Porta => 8,
            Regola::Tracce | Regola::Variazioni => 31,
        }
    }
}

/// Who does it, as the rest of the gateway sees it. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Conservazione {
    conti: Arc<Contati>,
    chiusura: watch::Sender<bool>,
    lavoro: Arc<Mutex<Option<JoinHandle<()>>>>,
}

#[derive(Debug)]
struct Contati {
    righe: Conti,
    byte: Conti,
}

impl Conservazione {
    /// Starts it, on the runtime of the caller.
    #[must_use]
    pub fn spawn(
        store: SharedStore,
        clock: Arc<dyn Clock>,
        writer: Handle,
        config: ConservazioneConfig,
    ) -> Self {
        let conti = Arc::new(Contati {
            righe: Conti::new(Regola::TUTTE.len()),
            byte: Conti::new(Regola::TUTTE.len()),
        });
        let (chiusura, mut chiusa) = watch::channel(false);
        let potatore = Potatore {
            store,
            clock,
            config,
            writer: Some(writer),
        };
        let suoi = Arc::clone(&conti);
        let lavoro = tokio::spawn(async move {
            while !*chiusa.borrow() {
                let dopo = |regola: Regola, passo: &Pulizia| suoi.add(regola, passo);
                if let Err(errore) = potatore.all(&chiusa, dopo).await {
                    tracing::warn!("what is due to go stays for now: {errore}");
                }
                tokio::select! {
                    () = tokio::time::sleep(config.intervallo) => {}
                    _ = chiusa.wait_for(|chiusa| *chiusa) => {}
                }
            }
        });
        Self {
            conti,
            chiusura,
            lavoro: Arc::new(Mutex::new(Some(lavoro))),
        }
    }

    /// What was counted, as text.
    pub fn tell(&self, testo: &mut Testo) {
        for (metrica, conti) in [
            (&CONSERVAZIONE_RIGHE, &self.conti.righe),
            (&CONSERVAZIONE_BYTE, &self.conti.byte),
        ] {
            let mut famiglia = testo.of(metrica);
            for (posto, regola) in Regola::TUTTE.into_iter().enumerate() {
                famiglia.tell(&[regola.as_str()], conti.sum(posto));
            }
        }
    }

    /// Lets the step end that is under way, and stops.
    pub async fn close(&self) {
        self.chiusura.send_replace(true);
        let lavoro = self.lavoro.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(lavoro) = lavoro
            && let Err(errore) = lavoro.await
        {
            tracing::error!("the retention ended badly: {errore}");
        }
    }
}

impl Contati {
    fn add(&self, regola: Regola, pulizia: &Pulizia) {
        if let Some(posto) = Regola::TUTTE.iter().position(|altra| *altra == regola) {
            self.righe.add(posto, pulizia.righe);
            self.byte.add(posto, pulizia.byte);
        }
    }
}

/// Whoever purges: the gateway beside its work, or a command.
pub struct Potatore {
    /// Where.
    pub store: SharedStore,
    /// By which time.
    pub clock: Arc<dyn Clock>,
    /// By which terms.
    pub config: ConservazioneConfig,
    /// Who registers here and goes first; `None` = nobody.
    pub writer: Option<Handle>,
}

impl std::fmt::Debug for Potatore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Potatore")
            .field("config", &self.config)
            .finish_non_exhaustive()
    }
}

impl Potatore {
    /// All that is due, rule by rule; ends early when it is told to stop. One rule that fails keeps no other from its turn;
    /// the first error is told in the end. `dopo` hears of each purge that did something here: its counts are what was done
    /// here.
    pub async fn all(
        &self,
        chiusa: &watch::Receiver<bool>,
        dopo: impl Fn(Regola, &Pulizia),
    ) -> Result<(), StoreError> {
        let mut fatto = false;
        let mut esito = Ok(());
        for regola in Regola::TUTTE {
            let suo = self
                .rule(regola, chiusa, |regola, fatta| {
                    fatto |= fatta.righe > 0;
                    dopo(regola, fatta);
                })
                .await;
            esito = esito.and(suo);
        }
        while fatto && !*chiusa.borrow() && self.store.give_back().await? {
            tokio::time::sleep(self.config.pausa).await;
        }
        esito
    }

    /// All that is due by one rule.
    async fn rule(
        &self,
        regola: Regola,
        chiusa: &watch::Receiver<bool>,
        mut dopo: impl FnMut(Regola, &Pulizia),
    ) -> Result<(), StoreError> {
        let Some(limite) = self.config.limite(regola, &*self.clock) else {
            return Ok(());
        };
        while !*chiusa.borrow()
            && let Some(pulizia) = self
                .store
                .begin_pulizia(regola, limite, self.clock.wall())
                .await?
        {
            let Some(fatta) = self.one(pulizia, chiusa).await? else {
                // Another gateway is at it.
                break;
            };
            dopo(regola, &fatta);
        }
        Ok(())
    }

    /// One purge to its end; `None` where another is at it. As many rows a step as its time allows.
    async fn one(
        &self,
        pulizia: Pulizia,
        chiusa: &watch::Receiver<bool>,
    ) -> Result<Option<Pulizia>, StoreError> {
        let mut righe = PASSO_RIGHE;
        let mut fatta = Pulizia {
            righe: 0,
            byte: 0,
            ..pulizia
        };
        while !*chiusa.borrow() {
            self.wait_for_quiet().await;
            let dal = Instant::now();
            let (ora, adesso) = (self.clock.wall(), self.clock.business());
            let passo = self.store.step_pulizia(pulizia.regola, righe, ora, adesso).await;
            let durata = dal.elapsed();
            let passo = match passo {
                Ok(Some(passo)) => passo,
                Ok(None) => return Ok(None),
                // Most of all a step that takes longer than a store lets a statement take: half of it may not.
                Err(StoreError::Unavailable(_)) if righe > 1 => {
                    righe /= 2;
                    tokio::time::sleep(self.config.pausa.max(durata)).await;
                    continue;
                }
                Err(errore) => return Err(errore),
            };
            righe = next_size(righe, durata, self.config.passo);
            fatta.righe += passo.righe;
            fatta.byte += passo.byte;
            if passo.finita {
                fatta.conclusa_il = Some(ora);
                tell_end(&fatta);
                return Ok(Some(fatta));
            }
            // At most a fifth of the time, however slow the disk is.
            tokio::time::sleep(self.config.pausa.max(durata * 4)).await;
        }
        Ok(Some(fatta))
    }

    /// A moment in which nothing waits for the register; under a load that never ends it is not waited for.
    async fn wait_for_quiet(&self) {
        let Some(writer) = &self.writer else { return };
        let fine = Instant::now() + QUIETE;
        while writer.coda() > 0 && Instant::now() < fine {
            tokio::time::sleep(RESPIRO).await;
        }
    }
}

fn tell_end(fatta: &Pulizia) {
    if fatta.righe > 0 {
        tracing::info!(
            regola = fatta.regola.as_str(),
            righe = fatta.righe,
            byte = fatta.byte,
            "what was kept until {} is gone, its time is over",
            fatta.fino_a
        );
    }
}

/// Half as many rows where a step took too long, twice as many where it took less than half of its time.
fn next_size(righe: u32, durata: Duration, passo: Duration) -> u32 {
    if durata > passo {
        (righe / 2).max(1)
    } else if durata < passo / 2 {
        righe.saturating_mul(2).min(PASSO_RIGHE_MAX)
    } else {
        righe
    }
}

/// Rows of the first step, and of any.
const PASSO_RIGHE: u32 = 32;
const PASSO_RIGHE_MAX: u32 = 2048;
/// How long a purge waits for the register to be quiet, and how it looks.
const QUIETE: Duration = Duration::from_secs(5);
const RESPIRO: Duration = Duration::from_millis(10);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::HandClock;

    #[test]
    fn a_step_finds_its_size() {
        let passo = Duration::from_millis(50);
        assert_eq!(next_size(32, Duration::from_millis(51), passo), 16);
        assert_eq!(next_size(1, Duration::from_secs(1), passo), 1);
        assert_eq!(next_size(32, Duration::from_millis(24), passo), 64);
        assert_eq!(next_size(32, Duration::from_millis(30), passo), 32);
        assert_eq!(next_size(2048, Duration::ZERO, passo), 2048);
    }

    #[test]
    fn a_term_ends_at_midnight_in_rome_and_none_never_does() {
        let clock = HandClock::business_at("2026-07-15T22:30:00Z".parse().unwrap());
        let config = ConservazioneConfig {
            porta_giorni: 0,
            ..ConservazioneConfig::default()
        };
        // In Rome it is the 16th already.
        assert_eq!(
            config.limite(Regola::Richieste, &clock),
            Some("2021-07-15T22:00:00Z".parse().unwrap())
        );
        assert_eq!(config.limite(Regola::Porta, &clock), None);
    }
}
