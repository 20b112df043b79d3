//! The one writer of the process: registrations wait in a bounded queue, the writer takes what waits, registers it in
//! one transaction, and answers each caller only after the commit (design.md §2.9). No artificial delay: while one
//! batch is synced the next one gathers. A queued act belongs to the writer: a caller that hangs up cancels nothing. What waits
//! is taken by turns of enti ([`Fila`]), and one ente may have a share of the places at most ([`Posti`]): its flood neither delays
//! nor keeps out another's single domanda.
//!
//! Whoever works lots hands its groups in here, too: one waits at a time. Single acts come first, and after each batch of
//! them a group that waits has its turn; so neither waits for more than one transaction of the other.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use futures_util::FutureExt;
use tokio::sync::{Mutex, mpsc, oneshot, watch};
use tokio::task::JoinHandle;

use super::fila::{Accodato, Fila};
use super::lotti::{Gruppo, Lavorazione};
use super::posti::{Posti, Posto};
use super::{Atto, Registrazione, SharedStore, StoreError};
use crate::catalogo::CODICI;
use crate::clock::Clock;
use crate::metriche::{
    CODA, CODA_MASSIMA, COMMIT_FALLITI, COMMIT_SECONDS, Conti, Istogrammi, LOTTO_ATTI, QUANTITA, TEMPI_US,
    Testo,
};

/// The limits of the writer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WriterConfig {
    /// How many acts may wait; one more is answered [`StoreError::Full`].
    pub coda: usize,
    /// How many of them one ente may have.
    pub coda_ente: usize,
    /// How many acts one transaction takes at most.
    pub lotto_massimo: usize,
    /// After so long without an act the store gets its upkeep.
    pub quiete: Duration,
}

impl Default for WriterConfig {
    fn default() -> Self {
        Self {
            coda: 1024,
            coda_ente: 512,
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
    coda: mpsc::UnboundedSender<InAttesa>,
    /// The places of the queue: an act gives its own back when a transaction takes it.
    posti: Arc<Posti>,
    gruppi: mpsc::Sender<GruppoInAttesa>,
    ultimo_lotto: Arc<AtomicUsize>,
    conti: Arc<ContiRegistro>,
    chiusura: watch::Sender<bool>,
    lavoro: Arc<Mutex<Option<JoinHandle<()>>>>,
}

/// An act and whoever waits for it.
#[derive(Debug)]
struct InAttesa {
    atto: Atto,
    chi: oneshot::Sender<Result<Registrazione, StoreError>>,
    _posto: Posto,
}

impl Accodato for InAttesa {
    fn ente(&self) -> &str {
        self.atto.chiave.ente.as_str()
    }
}

/// A group of a lot and whoever waits for it.
#[derive(Debug)]
struct GruppoInAttesa {
    gruppo: Arc<Gruppo>,
    chi: oneshot::Sender<Result<Lavorazione, StoreError>>,
}

impl Writer {
    /// Starts the writer of a store, on the runtime of the caller.
    #[must_use]
    pub fn spawn(store: SharedStore, clock: Arc<dyn Clock>, config: WriterConfig) -> Handle {
        let (coda, in_attesa) = mpsc::unbounded_channel();
        let (gruppi, gruppi_in_attesa) = mpsc::channel(1);
        let (chiusura, chiusa) = watch::channel(false);
        let ultimo_lotto = Arc::new(AtomicUsize::new(0));
        let conti = Arc::new(ContiRegistro::default());
        let lavoro = Lavoro {
            store,
            clock,
            ultimo_lotto: Arc::clone(&ultimo_lotto),
            conti: Arc::clone(&conti),
        };
        let turni = Turni::new(in_attesa, gruppi_in_attesa, chiusa, config);
        let lavoro = tokio::spawn(work(lavoro, turni));
        Handle {
            coda,
            posti: Posti::new(config.coda, config.coda_ente),
            gruppi,
            ultimo_lotto,
            conti,
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
        let posto = self.posti.take(&atto.chiave.ente)?;
        let in_attesa = InAttesa {
            atto,
            chi,
            _posto: posto,
        };
        self.coda.send(in_attesa).map_err(|_| closed())?;
        risposta.await.unwrap_or_else(|_| Err(closed()))
    }

    /// Works a group of a lot and tells what became of it, once that is durable. Waits for its turn while another group
    /// does; from then on it is the writer's, like an act.
    pub async fn work(&self, gruppo: impl Into<Arc<Gruppo>> + Send) -> Result<Lavorazione, StoreError> {
        let (chi, risposta) = oneshot::channel();
        let gruppo = gruppo.into();
        self.gruppi
            .send(GruppoInAttesa { gruppo, chi })
            .await
            .map_err(|_| closed())?;
        risposta.await.unwrap_or_else(|_| Err(closed()))
    }

    /// How many acts wait now.
    #[must_use]
    pub fn coda(&self) -> usize {
        self.posti.presi()
    }

    /// How many acts may wait.
    #[must_use]
    pub fn capienza(&self) -> usize {
        self.posti.tutti()
    }

    /// How many acts the last transaction took.
    #[must_use]
    pub fn ultimo_lotto(&self) -> usize {
        self.ultimo_lotto.load(Ordering::Relaxed)
    }

    /// What was counted, as text.
    pub fn tell(&self, testo: &mut Testo) {
        testo.one(&CODA, self.coda());
        testo.one(&CODA_MASSIMA, self.capienza());
        self.conti.tell(testo);
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

#[cfg(test)]
impl Handle {
    /// Ends the writer where it stands, as the death of its process does.
    pub(crate) fn kill(&self) {
        if let Ok(mut lavoro) = self.lavoro.try_lock()
            && let Some(lavoro) = lavoro.take()
        {
            lavoro.abort();
        }
    }
}

fn closed() -> StoreError {
    StoreError::unavailable("the writer is closed")
}

struct Lavoro {
    store: SharedStore,
    clock: Arc<dyn Clock>,
    ultimo_lotto: Arc<AtomicUsize>,
    conti: Arc<ContiRegistro>,
}

/// What is counted of the transactions that register.
#[derive(Debug)]
struct ContiRegistro {
    quanti: Istogrammi,
    tempi: Istogrammi,
    falliti: Conti,
}

/// What a transaction registers: batches of acts, groups of a lot.
const TIPI: [&str; 2] = ["atti", "gruppo"];
const ATTI: usize = 0;
const GRUPPO: usize = 1;

impl Default for ContiRegistro {
    fn default() -> Self {
        Self {
            quanti: Istogrammi::new(TIPI.len(), QUANTITA),
            tempi: Istogrammi::new(TIPI.len(), TEMPI_US),
            falliti: Conti::new(CODICI.len()),
        }
    }
}

impl ContiRegistro {
    /// A transaction is over.
    fn ended<T>(&self, tipo: usize, quanti: usize, dal: Instant, esito: &Result<T, StoreError>) {
        self.tempi.observe_time(tipo, dal.elapsed());
        match esito {
            Ok(_) => self.quanti.observe(tipo, quanti as u64),
            Err(errore) => self.falliti.add(errore.codice() as usize, 1),
        }
    }

    fn tell(&self, testo: &mut Testo) {
        for (metrica, istogrammi, unita) in [
            (&LOTTO_ATTI, &self.quanti, 1.0),
            (&COMMIT_SECONDS, &self.tempi, 1e6),
        ] {
            let mut famiglia = testo.of(metrica);
            for (posto, tipo) in TIPI.iter().enumerate() {
                if let Some(istogramma) = istogrammi.at(posto) {
                    famiglia.histogram(&[tipo], &istogramma, unita);
                }
            }
        }
        let mut falliti = testo.of(&COMMIT_FALLITI);
        for codice in StoreError::CODICI {
            falliti.tell(&[codice.as_str()], self.falliti.sum(*codice as usize));
        }
    }
}

/// The writer's life: a batch or a group, the answers, the next one.
async fn work(lavoro: Lavoro, mut turni: Turni<InAttesa, GruppoInAttesa>) {
    let mut lotto = Vec::with_capacity(turni.massimo);
    loop {
        match turni.next(&mut lotto).await {
            Turno::Atti => {
                lavoro.ultimo_lotto.store(lotto.len(), Ordering::Relaxed);
                let (atti, attese): (Vec<_>, Vec<_>) =
                    lotto.drain(..).map(|atteso| (atteso.atto, atteso.chi)).unzip();
                let esiti = register(&lavoro, &atti).await;
                for (chi, esito) in attese.into_iter().zip(esiti) {
                    // Whoever hung up gets no answer; what was registered is registered.
                    let _ = chi.send(esito);
                }
            }
            Turno::Gruppo(gruppo) => lavoro.work_one(gruppo).await,
            Turno::Quiete => {
                if let Err(errore) = lavoro.store.tidy().await {
                    tracing::warn!("upkeep of the store failed: {errore}");
                }
            }
            Turno::Chiuso => return,
        }
    }
}

/// What waits for the writer: single acts, and groups of lots.
struct Turni<A, G> {
    atti: mpsc::UnboundedReceiver<A>,
    /// The acts that came, by ente.
    fila: Fila<A>,
    gruppi: mpsc::Receiver<G>,
    chiusa: watch::Receiver<bool>,
    massimo: usize,
    quiete: Duration,
    /// Upkeep once after work, not again and again through a quiet night.
    da_riordinare: bool,
    /// The last turn was a batch's: a group that waits is next.
    tocca_a_un_gruppo: bool,
}

/// Whose turn it is.
#[derive(Debug, PartialEq, Eq)]
enum Turno<G> {
    /// A batch of acts.
    Atti,
    /// A group.
    Gruppo(G),
    /// Nobody's, for a while.
    Quiete,
    /// Nobody's any more.
    Chiuso,
}

impl<A: Accodato, G> Turni<A, G> {
    fn new(
        atti: mpsc::UnboundedReceiver<A>,
        gruppi: mpsc::Receiver<G>,
        chiusa: watch::Receiver<bool>,
        config: WriterConfig,
    ) -> Self {
        Self {
            atti,
            fila: Fila::default(),
            gruppi,
            chiusa,
            massimo: config.lotto_massimo.max(1),
            quiete: config.quiete,
            da_riordinare: false,
            tocca_a_un_gruppo: false,
        }
    }

    /// Waits for the next turn; a batch is put into `lotto`.
    async fn next(&mut self, lotto: &mut Vec<A>) -> Turno<G> {
        let turno = self.wait(lotto).await;
        self.tocca_a_un_gruppo = matches!(turno, Turno::Atti);
        self.da_riordinare = matches!(turno, Turno::Atti | Turno::Gruppo(_));
        turno
    }

    async fn wait(&mut self, lotto: &mut Vec<A>) -> Turno<G> {
        if self.tocca_a_un_gruppo
            && let Ok(gruppo) = self.gruppi.try_recv()
        {
            return Turno::Gruppo(gruppo);
        }
        loop {
            while let Ok(atto) = self.atti.try_recv() {
                self.fila.push(atto);
            }
            if !self.fila.is_empty() {
                self.fila.draw(self.massimo, lotto);
                return Turno::Atti;
            }
            tokio::select! {
                biased;
                atto = self.atti.recv() => match atto {
                    Some(atto) => self.fila.push(atto),
                    // Closed, and no act is left.
                    None => return self.gruppi.recv().await.map_or(Turno::Chiuso, Turno::Gruppo),
                },
                Some(gruppo) = self.gruppi.recv() => return Turno::Gruppo(gruppo),
                // Closed by its handle, or every handle is gone: what waits is still worked off.
                () = until_closed(&mut self.chiusa), if !self.atti.is_closed() => {
                    self.atti.close();
                    self.gruppi.close();
                }
                () = tokio::time::sleep(self.quiete), if self.da_riordinare => return Turno::Quiete,
            }
        }
    }
}

impl Lavoro {
    /// One group, in a transaction of its own. A panic in it is an error of that group, not the end of the writer.
    async fn work_one(&self, GruppoInAttesa { gruppo, chi }: GruppoInAttesa) {
        let (adesso, ora) = (self.clock.business(), self.clock.wall());
        let dal = Instant::now();
        let esito = AssertUnwindSafe(self.store.work_gruppo(&gruppo, adesso, ora))
            .catch_unwind()
            .await
            .unwrap_or_else(|_| Err(StoreError::unavailable("the work on a lot panicked")));
        self.conti.ended(GRUPPO, gruppo.voci.len(), dal, &esito);
        // Who works the lot may change the group and hand it in again: by then it is theirs alone.
        drop(gruppo);
        let _ = chi.send(esito);
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
    let dal = Instant::now();
    let esiti = AssertUnwindSafe(lavoro.store.register(atti, adesso))
        .catch_unwind()
        .await
        .unwrap_or_else(|_| Err(StoreError::unavailable("the registration panicked")));
    lavoro.conti.ended(ATTI, atti.len(), dal, &esiti);
    let esiti = esiti?;
    if esiti.len() == atti.len() {
        Ok(esiti)
    } else {
        Err(short())
    }
}

fn short() -> StoreError {
    StoreError::unavailable("the store did not answer for every act")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Acts of one ente below a hundred, of another up to two hundred.
    impl Accodato for u32 {
        fn ente(&self) -> &str {
            if *self < 100 { "PAT01" } else { "PAT02" }
        }
    }

    type Code = (
        mpsc::UnboundedSender<u32>,
        mpsc::Sender<&'static str>,
        watch::Sender<bool>,
    );

    /// Turns of batches of at most two, and the ends where work is handed in.
    fn turni() -> (Turni<u32, &'static str>, Code) {
        let (atti, atti_in_attesa) = mpsc::unbounded_channel();
        let (gruppi, gruppi_in_attesa) = mpsc::channel(100);
        let (chiusura, chiusa) = watch::channel(false);
        let config = WriterConfig {
            lotto_massimo: 2,
            quiete: Duration::from_millis(5),
            ..WriterConfig::default()
        };
        let turni = Turni::new(atti_in_attesa, gruppi_in_attesa, chiusa, config);
        (turni, (atti, gruppi, chiusura))
    }

    /// The next turns in words, up to the first of quiet or end.
    async fn told(turni: &mut Turni<u32, &'static str>) -> Vec<String> {
        let mut detti = Vec::new();
        loop {
            let mut lotto = Vec::new();
            let detto = match turni.next(&mut lotto).await {
                Turno::Atti => format!("{lotto:?}"),
                Turno::Gruppo(gruppo) => gruppo.to_owned(),
                ultimo @ (Turno::Quiete | Turno::Chiuso) => {
                    detti.push(format!("{ultimo:?}"));
                    return detti;
                }
            };
            detti.push(detto);
        }
    }

    #[tokio::test]
    async fn acts_come_first_and_groups_in_between() {
        let (mut turni, (atti, gruppi, _chiusura)) = turni();
        for gruppo in ["a", "b", "c", "d"] {
            gruppi.send(gruppo).await.unwrap();
        }
        for atto in 1..=5 {
            atti.send(atto).unwrap();
        }
        assert_eq!(
            told(&mut turni).await,
            ["[1, 2]", "a", "[3, 4]", "b", "[5]", "c", "d", "Quiete"]
        );
        // Acts alone, or groups alone, wait for nobody.
        for atto in 6..=9 {
            atti.send(atto).unwrap();
        }
        assert_eq!(told(&mut turni).await, ["[6, 7]", "[8, 9]", "Quiete"]);
        gruppi.send("e").await.unwrap();
        assert_eq!(told(&mut turni).await, ["e", "Quiete"]);
    }

    #[tokio::test]
    async fn one_entes_flood_does_not_delay_anothers_single_act() {
        let (mut turni, (atti, gruppi, _chiusura)) = turni();
        for atto in [1, 2, 3, 4, 5, 101, 6, 102] {
            atti.send(atto).unwrap();
        }
        gruppi.send("a").await.unwrap();
        assert_eq!(
            told(&mut turni).await,
            ["[1, 101]", "a", "[2, 102]", "[3, 4]", "[5, 6]", "Quiete"]
        );
    }

    #[tokio::test]
    async fn what_waits_at_the_end_is_worked_off() {
        let (mut turni, (atti, gruppi, chiusura)) = turni();
        for (atto, gruppo) in [(1, "a"), (2, "b"), (3, "c")] {
            atti.send(atto).unwrap();
            gruppi.send(gruppo).await.unwrap();
        }
        chiusura.send_replace(true);
        assert_eq!(told(&mut turni).await, ["[1, 2]", "a", "[3]", "b", "c", "Chiuso"]);
        gruppi.send("d").await.unwrap_err();
        atti.send(4).unwrap_err();
    }
}
