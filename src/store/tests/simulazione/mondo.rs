//! A run: two nodes, a database, senders, and what befalls them; then calm, in which every sender must get its answer;
//! then a look at everything, and a store that is put back from a copy of before.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};
use tokio::task::LocalSet;
use tokio::time::{Instant, sleep, timeout};
use uuid::Uuid;

use super::banca::Stato;
use super::clienti::{Risposta, domanda, pratica, send};
use super::cronaca::Svolto;
use super::nodo::{ENTI, Nodo, Orologio};
use super::scena::{Mutazione, Scena};
use crate::prestazione::PRESTAZIONI;
use crate::protocollo::data_a_roma;
use crate::schema::Schema;

/// A run under way.
#[derive(Debug)]
pub(super) struct Mondo {
    pub(super) scena: Arc<Scena>,
    schema: Schema,
    principio: Timestamp,
    orologi: [Arc<Orologio>; 2],
    nodi: Mutex<[Option<Arc<Nodo>>; 2]>,
    messaggi: AtomicU64,
    copia: Mutex<Option<Stato>>,
    ripristinato: AtomicBool,
}

/// What nodes are called.
const NOMI: [&str; 2] = ["A", "B"];

/// When runs begin: in summer, just before midnight in Rome, just before the year turns there, and before clocks change.
const PRINCIPI: [&str; 5] = [
    "2022-07-15T10:00:00Z",
    "2022-10-05T21:59:40Z",
    "2022-12-31T22:59:45Z",
    "2022-12-31T22:59:55Z",
    "2022-10-30T00:59:50Z",
];

/// How long things go wrong.
const TEMPESTA: Duration = Duration::from_secs(40);
/// By then every sender has its answer, once nothing fails any more.
const PAZIENZA: Duration = Duration::from_mins(10);

/// Runs a seed, and tells what happened.
pub(super) fn run(seme: u64, mutazione: Mutazione, schema: &Schema, cartella: &Path) -> Svolto {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .unwrap();
    let insieme = LocalSet::new();
    let svolto = insieme.block_on(&runtime, async {
        let mondo = Arc::new(Mondo::new(seme, mutazione, schema, cartella));
        mondo.live().await;
        mondo.scena.cronaca.told()
    });
    // Whoever still waits for something is dropped here, before the anchors' folder goes.
    drop(insieme);
    drop(runtime);
    svolto
}

impl Mondo {
    fn new(seme: u64, mutazione: Mutazione, schema: &Schema, cartella: &Path) -> Self {
        let scena = Arc::new(Scena::new(seme, mutazione, cartella.to_owned()));
        let principio: Timestamp = scena.caso.pick(&PRINCIPI).parse().unwrap();
        let orologio = || Arc::new(Orologio::new(principio));
        Self {
            scena,
            schema: schema.clone(),
            principio,
            orologi: [orologio(), orologio()],
            nodi: Mutex::default(),
            messaggi: AtomicU64::new(0),
            copia: Mutex::default(),
            ripristinato: AtomicBool::new(false),
        }
    }

    /// The whole of it.
    async fn live(self: &Arc<Self>) {
        let scena = &self.scena;
        for quale in 0..2 {
            self.start(quale);
        }
        let pratiche = 3 + scena.caso.below(6);
        let mittenti: Vec<_> = (0..pratiche)
            .map(|numero| tokio::task::spawn_local(pratica(Arc::clone(self), numero)))
            .collect();
        self.befall().await;
        scena.calm();
        let tutti = async {
            for mittente in mittenti {
                mittente.await.unwrap();
            }
        };
        if timeout(PAZIENZA, tutti).await.is_err() {
            let minuti = PAZIENZA.as_secs() / 60;
            let cosa = format_args!("a sender has no answer after {minuti} minutes in which nothing failed");
            scena.cronaca.violate(cosa);
        }
        scena.promesse.hold(scena);
        let copia = self.copia().take();
        if let Some(copia) = copia {
            self.restore(copia).await;
        }
        for quale in 0..2 {
            self.kill(quale).await;
        }
    }

    /// What befalls them, until the storm is over: then both nodes are there.
    async fn befall(&self) {
        let scena = &self.scena;
        let fine = Instant::now() + TEMPESTA;
        while Instant::now() < fine {
            sleep(scena.caso.ms(200, 6_000)).await;
            let quale = usize::from(scena.caso.happens(500));
            match scena.caso.below(8) {
                0..=2 => {
                    self.kill(quale).await;
                    sleep(scena.caso.ms(1, 4_000)).await;
                    self.start(quale);
                }
                3 | 4 => self.jump(quale),
                5 => scena.stop_database(scena.caso.ms(100, 15_000)),
                6 => {
                    let stato = scena.banca.look(Stato::clone);
                    let quante = stato.registrazioni.len();
                    scena.cronaca.note(format_args!(
                        "-- a copy of the store is made: {quante} registrations"
                    ));
                    *self.copia() = Some(stato);
                }
                _ => {}
            }
        }
    }

    fn start(&self, quale: usize) {
        let nodo = Nodo::start(&self.scena, NOMI[quale], &self.schema, &self.orologi[quale]);
        self.nodi()[quale] = Some(Arc::new(nodo));
        self.scena.cronaca.note(format_args!("-- {} starts", NOMI[quale]));
    }

    async fn kill(&self, quale: usize) {
        let nodo = self.nodi()[quale].take();
        if let Some(nodo) = nodo {
            self.scena.cronaca.count(|conto| conto.cadute += 1);
            self.scena.cronaca.note(format_args!("-- {} dies", NOMI[quale]));
            nodo.die().await;
        }
    }

    /// The clock of a node jumps: by seconds, by hours, by days, forward and back.
    fn jump(&self, quale: usize) {
        let caso = &self.scena.caso;
        let passo = *caso.pick(&[1_000, 60_000, 3_600_000, 86_400_000]);
        let quanto = i64::try_from(caso.below(10 * passo)).unwrap() - i64::try_from(5 * passo).unwrap();
        self.orologi[quale].jump(quanto);
        self.scena.cronaca.count(|conto| conto.salti += 1);
        let nome = NOMI[quale];
        self.scena
            .cronaca
            .note(format_args!("-- the clock of {nome} is {quanto} ms off"));
    }

    /// The store is put back from a copy of before, and both nodes start anew: what was told since is drawn by nobody.
    async fn restore(&self, copia: Stato) {
        let scena = &self.scena;
        for quale in 0..2 {
            self.kill(quale).await;
        }
        scena.cronaca.count(|conto| conto.ripristini += 1);
        scena
            .cronaca
            .note(format_args!("-- the store is put back from its copy"));
        let indietro: Vec<bool> = PRESTAZIONI
            .iter()
            .map(|prestazione| scena.promesse.beyond(&copia, prestazione.registro))
            .collect();
        scena.banca.restore(copia);
        self.ripristinato.store(true, Ordering::Relaxed);
        for quale in 0..2 {
            self.start(quale);
        }
        for (posto, (prestazione, indietro)) in (0..).zip(PRESTAZIONI.iter().zip(indietro)) {
            let persone = 1000 + posto;
            let messaggio = domanda(
                prestazione,
                &self.spunto(ENTI[0], persone),
                &format!("c{persone}.0"),
            );
            for _ in 0..3 {
                match send(self, &messaggio).await {
                    Some(Risposta::Nostra(_)) | None => {}
                    Some(Risposta::Registrata(detta)) if indietro => scena.cronaca.violate(format_args!(
                        "{} was drawn from a store that knows less than what was told",
                        detta.protocollo
                    )),
                    Some(_) => break,
                }
            }
        }
    }

    /// A node that is there, if there is one.
    pub(super) fn any_node(&self) -> Option<(&'static str, Arc<Nodo>)> {
        let quale = usize::from(self.scena.caso.happens(500));
        let nodo = self.nodi()[quale].clone()?;
        Some((NOMI[quale], nodo))
    }

    /// The id of the next message.
    pub(super) fn next_id(&self) -> Uuid {
        Uuid::from_u128(u128::from(self.messaggi.fetch_add(1, Ordering::Relaxed) + 1))
    }

    /// The day to which people and mandates are fitted: early enough for a clock that goes back.
    pub(super) fn presentazione(&self) -> Date {
        data_a_roma(self.principio - SignedDuration::from_hours(24 * 10))
    }

    /// Whether the store was put back.
    pub(super) fn is_restored(&self) -> bool {
        self.ripristinato.load(Ordering::Relaxed)
    }

    fn nodi(&self) -> MutexGuard<'_, [Option<Arc<Nodo>>; 2]> {
        self.nodi.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn copia(&self) -> MutexGuard<'_, Option<Stato>> {
        self.copia.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
