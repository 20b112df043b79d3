//! The writer of the trace and of the door log. A message's record is begun at the door, where its place in the queue
//! is reserved: a message that is let in can always be recorded, and with a full queue the door answers 503 before
//! it reads. Records are written in batches, at most [`TraceConfig::ritardo`] after they were closed; while the store
//! is away they wait in the queue.

use std::collections::VecDeque;
use std::ops::{Deref, DerefMut};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::sync::{Mutex, mpsc, watch};
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep, timeout_at};

use super::conti::{ContiMessaggi, QuadroMessaggi};
use super::otlp::Esportatore;
use super::{RifiutoAllaPorta, Traccia};
use crate::metriche::{Conti, OTLP_FALLITI, PORTA_PERSI, TRACCE_CEDUTE, TRACCIA_CODA, TRACCIA_PIENA, Testo};
use crate::store::{SharedStore, StoreError};

/// The limits of the trace writer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TraceConfig {
    /// How many messages may be under way or waiting to be recorded.
    pub coda: usize,
    /// How many refusals at the door may wait; beyond them they are counted and not kept.
    pub coda_porta: usize,
    /// How many records one transaction takes at most.
    pub lotto_massimo: usize,
    /// How long a closed record waits for others.
    pub ritardo: Duration,
    /// How long to wait before a failed store is tried again.
    pub riprova: Duration,
    /// Whether what was written is sealed (`trace::sigillatore`).
    pub sigilli: bool,
    /// How often.
    pub sigillo: Duration,
    /// How many rows of each table one block takes at most.
    pub sigillo_righe: usize,
}

impl Default for TraceConfig {
    fn default() -> Self {
        Self {
            coda: 4096,
            coda_porta: 1024,
            lotto_massimo: 256,
            ritardo: Duration::from_millis(200),
            riprova: Duration::from_secs(1),
            sigilli: true,
            sigillo: Duration::from_secs(10),
            sigillo_righe: 500,
        }
    }
}

/// Every place of the trace queue is taken: the message cannot be let in now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the trace queue is full")]
pub struct CodaPiena;

/// Where traces begin and refusals at the door are handed in. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Tracciati {
    tracce: mpsc::Sender<Traccia>,
    porta: mpsc::Sender<RifiutoAllaPorta>,
    persi: Arc<AtomicU64>,
    cedute: Arc<AtomicU64>,
    respinti: Arc<Conti>,
    conti: Arc<ContiMessaggi>,
    collettore: Option<Arc<Esportatore>>,
    capienza: usize,
    chiusura: watch::Sender<bool>,
    lavori: Arc<Mutex<Vec<JoinHandle<()>>>>,
}

impl Tracciati {
    /// Starts the writers of trace and door log of a store, on the runtime of the caller.
    #[must_use]
    pub fn spawn(store: SharedStore, config: TraceConfig) -> Self {
        let capienza = config.coda.max(1);
        let (tracce, da_scrivere) = mpsc::channel(capienza);
        let (porta, rifiuti) = mpsc::channel(config.coda_porta.max(1));
        let (chiusura, chiusa) = watch::channel(false);
        let (cedute, persi) = (Arc::<AtomicU64>::default(), Arc::<AtomicU64>::default());
        let lavori = vec![
            tokio::spawn(work(
                TracceVerso(Arc::clone(&store)),
                da_scrivere,
                chiusa.clone(),
                config,
                Arc::clone(&cedute),
            )),
            tokio::spawn(work(
                PortaVerso(store),
                rifiuti,
                chiusa,
                config,
                Arc::clone(&persi),
            )),
        ];
        Self {
            tracce,
            porta,
            persi,
            cedute,
            respinti: Arc::new(Conti::new(1)),
            conti: Arc::default(),
            collettore: None,
            capienza,
            chiusura,
            lavori: Arc::new(Mutex::new(lavori)),
        }
    }

    /// The same, telling a collector of every message that is over.
    #[must_use]
    pub fn telling(self, collettore: Option<Esportatore>) -> Self {
        Self {
            collettore: collettore.map(Arc::new),
            ..self
        }
    }

    /// Begins the record of a message, in a guard that closes it whatever happens.
    pub fn begin(&self, traccia: Traccia) -> Result<Guardia, CodaPiena> {
        let Ok(posto) = self.tracce.clone().try_reserve_owned() else {
            self.respinti.add(0, 1);
            return Err(CodaPiena);
        };
        self.conti.begun();
        Ok(Guardia {
            traccia,
            posto: Some(posto),
            inizio: Instant::now(),
            conti: Arc::clone(&self.conti),
            collettore: self.collettore.clone(),
        })
    }

    /// Notes a refusal at the door. A flood of them costs nothing but itself: what finds no place is counted.
    pub fn porta(&self, rifiuto: RifiutoAllaPorta) {
        if self.porta.try_send(rifiuto).is_err() && self.persi.fetch_add(1, Ordering::Relaxed) == 0 {
            tracing::warn!("the door log's queue is full: refusals are counted and not kept");
        }
    }

    /// How many refusals at the door found no place.
    #[must_use]
    pub fn persi(&self) -> u64 {
        self.persi.load(Ordering::Relaxed)
    }

    /// How many messages are under way or wait to be recorded.
    #[must_use]
    pub fn coda(&self) -> usize {
        self.capienza - self.tracce.capacity()
    }

    /// How many may be under way or wait to be recorded.
    #[must_use]
    pub fn capienza(&self) -> usize {
        self.capienza
    }

    /// How the counters of messages stand.
    #[must_use]
    pub fn quadro(&self) -> QuadroMessaggi {
        self.conti.quadro()
    }

    /// What was counted, as text.
    pub fn tell(&self, testo: &mut Testo) {
        self.conti.tell(testo);
        testo.one(&TRACCIA_CODA, self.coda());
        testo.one(&TRACCIA_PIENA, self.respinti.total());
        testo.one(&PORTA_PERSI, self.persi());
        testo.one(
            &OTLP_FALLITI,
            self.collettore.as_ref().map_or(0, |altri| altri.falliti()),
        );
        testo.one(&TRACCE_CEDUTE, self.cedute.load(Ordering::Relaxed));
    }

    /// Takes no more, writes what was closed, and returns. Guards that are still open are waited for; what the store
    /// does not take at the first attempt is then lost, with a line in the log.
    pub async fn close(&self) {
        self.chiusura.send_replace(true);
        for lavoro in self.lavori.lock().await.drain(..) {
            if let Err(errore) = lavoro.await {
                tracing::error!("a trace writer ended badly: {errore}");
            }
        }
        if let Some(collettore) = self.collettore.clone() {
            // It blocks while the collector takes the last spans; a panic of it would be a loss of nothing but them.
            let _ = tokio::task::spawn_blocking(move || collettore.close()).await;
        }
    }
}

#[cfg(test)]
impl Tracciati {
    /// Ends the writers where they stand, as the death of their process does.
    pub(crate) fn kill(&self) {
        for lavoro in self
            .lavori
            .try_lock()
            .iter_mut()
            .flat_map(|lavori| lavori.drain(..))
        {
            lavoro.abort();
        }
    }
}

/// The record of a message under way. Dropped without a word (a panic, a hang-up, a deadline) it is written as
/// `INTERROTTA`.
#[derive(Debug)]
pub struct Guardia {
    traccia: Traccia,
    /// `None` once the record was handed over.
    posto: Option<mpsc::OwnedPermit<Traccia>>,
    inizio: Instant,
    conti: Arc<ContiMessaggi>,
    collettore: Option<Arc<Esportatore>>,
}

impl Guardia {
    /// Closes the record as it is and hands it to the writer.
    pub fn close(mut self) {
        self.send();
    }

    /// The record was written with the registration: nothing is left to write.
    pub fn registered(mut self) {
        // The place is given back: it is free for another message.
        drop(self.end());
    }

    fn send(&mut self) {
        if let Some(posto) = self.end() {
            posto.send(std::mem::take(&mut self.traccia));
        }
    }

    /// The message is over, whoever writes it down: it is counted and told, once.
    fn end(&mut self) -> Option<mpsc::OwnedPermit<Traccia>> {
        let posto = self.posto.take()?;
        let durata = self.inizio.elapsed();
        self.conti.ended(&self.traccia, durata);
        super::riga::tell(&self.traccia, durata);
        if let Some(collettore) = &self.collettore {
            collettore.ended(&self.traccia, durata);
        }
        Some(posto)
    }
}

impl Drop for Guardia {
    fn drop(&mut self) {
        "INTERROTTA".clone_into(&mut self.traccia.esito);
        self.send();
    }
}

impl Deref for Guardia {
    type Target = Traccia;

    fn deref(&self) -> &Traccia {
        &self.traccia
    }
}

impl DerefMut for Guardia {
    fn deref_mut(&mut self) -> &mut Traccia {
        &mut self.traccia
    }
}

/// One of the two things that are written, and how.
trait Verso: Send + Sync + 'static {
    type Voce: Send + Sync + 'static;

    fn write(&self, voci: &[Self::Voce]) -> impl Future<Output = Result<(), StoreError>> + Send;
}

struct TracceVerso(SharedStore);

impl Verso for TracceVerso {
    type Voce = Traccia;

    async fn write(&self, voci: &[Traccia]) -> Result<(), StoreError> {
        self.0.write_tracce(voci).await
    }
}

struct PortaVerso(SharedStore);

impl Verso for PortaVerso {
    type Voce = RifiutoAllaPorta;

    async fn write(&self, voci: &[RifiutoAllaPorta]) -> Result<(), StoreError> {
        self.0.write_porta(voci).await
    }
}

/// A writer's life: gather, write, until closed and empty.
async fn work<V: Verso>(
    verso: V,
    mut da_scrivere: mpsc::Receiver<V::Voce>,
    mut chiusa: watch::Receiver<bool>,
    config: TraceConfig,
    ceduti: Arc<AtomicU64>,
) {
    let massimo = config.lotto_massimo.max(1);
    let mut lotto = Vec::with_capacity(massimo);
    loop {
        tokio::select! {
            biased;
            quanti = da_scrivere.recv_many(&mut lotto, massimo) => {
                if quanti == 0 {
                    return;
                }
            }
            () = until_closed(&mut chiusa), if !da_scrivere.is_closed() => {
                da_scrivere.close();
                continue;
            }
        }
        gather(&mut da_scrivere, &mut lotto, &mut chiusa, config).await;
        let crowded = || da_scrivere.capacity() < da_scrivere.max_capacity() / 2;
        write(&verso, &mut lotto, &mut chiusa, config, crowded, &ceduti).await;
        lotto.clear();
    }
}

/// Waits for more, until the batch is full, its delay is over, or the writer is being closed.
async fn gather<T>(
    da_scrivere: &mut mpsc::Receiver<T>,
    lotto: &mut Vec<T>,
    chiusa: &mut watch::Receiver<bool>,
    config: TraceConfig,
) {
    let scadenza = Instant::now() + config.ritardo;
    while lotto.len() < config.lotto_massimo && !*chiusa.borrow() {
        let manca = config.lotto_massimo - lotto.len();
        match timeout_at(scadenza, da_scrivere.recv_many(lotto, manca)).await {
            Ok(0) | Err(_) => return,
            Ok(_) => {}
        }
    }
}

/// Writes a batch, and tries again for as long as the store is away: the queue behind it is bounded, and with it the
/// door. A batch that the store will never take is written record by record, and the one at fault is given up.
///
/// While the store is away nobody can be answered, and a door that shuts is right. While it is only full it still answers
/// look-ups and retries, which must not be kept out because their records find no room: once half of the queue is taken,
/// records give way. What was registered has its record with it and is none of these.
async fn write<V: Verso>(
    verso: &V,
    lotto: &mut Vec<V::Voce>,
    chiusa: &mut watch::Receiver<bool>,
    config: TraceConfig,
    crowded: impl Fn() -> bool,
    ceduti: &AtomicU64,
) {
    let mut parti = VecDeque::from([std::mem::take(lotto)]);
    while let Some(parte) = parti.pop_front() {
        match verso.write(&parte).await {
            Ok(()) => {}
            Err(errore @ StoreError::Inconsistency(_)) if parte.len() == 1 => {
                tracing::error!("a record cannot be written and is given up: {errore}");
            }
            Err(StoreError::Inconsistency(_)) => {
                parti.extend(parte.into_iter().map(|voce| vec![voce]));
            }
            Err(StoreError::Full(causa)) if crowded() => {
                if ceduti.fetch_add(parte.len() as u64, Ordering::Relaxed) == 0 {
                    tracing::error!("records give way, the store is full: {causa}");
                }
            }
            Err(errore) => {
                if *chiusa.borrow() {
                    tracing::error!("{} records are lost at closing: {errore}", parte.len());
                    return;
                }
                tracing::warn!("records wait, the store does not take them: {errore}");
                parti.push_front(parte);
                tokio::select! {
                    () = sleep(config.riprova) => {}
                    () = until_closed(chiusa) => {}
                }
            }
        }
    }
}

async fn until_closed(chiusa: &mut watch::Receiver<bool>) {
    // An error says that every handle is gone: closed as well.
    let _ = chiusa.wait_for(|chiusa| *chiusa).await;
}
