//! `GET /metrics`: all that is counted, gathered when somebody asks. Who asks is a program inside the house, on the listener of
//! [`salute`](super::salute); what it is told names no person and no address.
//!
//! What must be read from the store (lots, schema) is asked for at most once in `salute.intervallo`, waited for no longer than
//! `salute.attesa`, and told as it was last seen; what is not known is left out.

use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use tokio::sync::Mutex;

use super::salute::SaluteConfig;
use super::tls::Porta;
use crate::catalogo::{CODICI, Codice};
use crate::clock::Clock;
use crate::intake::lotto::lavoro::Lavoro;
use crate::manutenzione::Custode;
use crate::metriche::{
    ACCOLTI, ARCHIVIO, ARCHIVIO_BYTE, ARCHIVIO_GUASTO, AVVIO, BUILD_INFO, CONNESSIONI_ARCHIVIO,
    CONNESSIONI_ARCHIVIO_MAX, CONNESSIONI_MAX, CPU, CRL_EMESSA, CRL_PROSSIMA, Conti, DISCO, DISCO_LIBERO, FD,
    FD_MAX, Formato, LOTTI, LOTTI_ETA, MEMORIA, PRONTO, PROVATI, RESPINTI, SCADENZE, SCHEMA, Testo,
};
use crate::spazio::Sentinella;
use crate::spazio::conservazione::Conservazione;
use crate::store::lotti::Quali;
use crate::store::writer::Handle;
use crate::store::{SharedStore, StoreError};
use crate::trace::sigillatore::Sigillatore;
use crate::trace::writer::Tracciati;

/// Everything that counts, and what else is looked at.
#[derive(Debug)]
pub struct Fonti {
    /// Messages.
    pub tracce: Tracciati,
    /// The chain of proof.
    pub sigillatore: Sigillatore,
    /// The register.
    pub writer: Handle,
    /// Lots.
    pub lavoro: Lavoro,
    /// Room.
    pub spazio: Sentinella,
    /// Maintenance.
    pub custode: Custode,
    /// What goes when its time is over.
    pub conservazione: Conservazione,
    /// The door.
    pub porta: Arc<Porta>,
    /// The store.
    pub store: SharedStore,
    /// Time, for the age of lots.
    pub clock: Arc<dyn Clock>,
    /// Connections that the door takes.
    pub connessioni_max: usize,
    /// After so long without moving a lot stands still.
    pub fermo_dopo: Duration,
}

/// What is told to whoever asks.
#[derive(Debug)]
pub(super) struct Racconto {
    fonti: Fonti,
    config: SaluteConfig,
    avvio: Timestamp,
    visto: Mutex<Visto>,
}

/// What the store said last.
#[derive(Debug, Default)]
struct Visto {
    quando: Option<Instant>,
    schema: Option<i64>,
    lotti: Option<Lotti>,
}

/// The lots that have not ended.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
struct Lotti {
    in_attesa: u64,
    in_lavorazione: u64,
    sospesi: u64,
    fermi: u64,
    eta_s: i64,
}

impl Racconto {
    pub(super) fn new(fonti: Fonti, config: SaluteConfig) -> Self {
        Self {
            fonti,
            config,
            avvio: process_start().unwrap_or(Timestamp::UNIX_EPOCH),
            visto: Mutex::default(),
        }
    }

    /// All of it; `archivio` is what the readiness probe saw.
    pub(super) async fn tell(&self, formato: Formato, pronto: bool, archivio: Option<Codice>) -> String {
        let mut testo = Testo::new(formato);
        let Fonti {
            tracce,
            sigillatore,
            writer,
            lavoro,
            spazio,
            custode,
            conservazione,
            porta,
            ..
        } = &self.fonti;
        tracce.tell(&mut testo);
        sigillatore.tell(&mut testo);
        writer.tell(&mut testo);
        testo.one(&PRONTO, u8::from(pronto));
        self.tell_store(&mut testo, archivio).await;
        spazio.tell(&mut testo);
        custode.tell(&mut testo);
        conservazione.tell(&mut testo);
        lavoro.tell(&mut testo);
        porta.tell(&mut testo);
        testo.one(&CONNESSIONI_MAX, self.fonti.connessioni_max);
        tell_certificates(&mut testo, porta);
        tell_process(&mut testo, self.avvio);
        testo.finish()
    }

    async fn tell_store(&self, testo: &mut Testo, archivio: Option<Codice>) {
        testo.one(&ARCHIVIO, u8::from(archivio.is_none()));
        let mut guasto = testo.of(&ARCHIVIO_GUASTO);
        for codice in StoreError::CODICI {
            guasto.tell(&[codice.as_str()], u8::from(archivio == Some(*codice)));
        }
        let misure = self.fonti.store.misure();
        let mut connessioni = testo.of(&CONNESSIONI_ARCHIVIO);
        connessioni.tell(&["in_uso"], misure.in_uso);
        connessioni.tell(&["libere"], misure.libere);
        testo.one(&CONNESSIONI_ARCHIVIO_MAX, misure.connessioni_max);
        if let Some(file) = misure.file {
            let mut byte = testo.of(&ARCHIVIO_BYTE);
            byte.tell_some(&["archivio"], file.byte);
            byte.tell_some(&["wal"], file.wal);
            testo.of(&DISCO_LIBERO).tell_some(&[], file.disco_libero);
            testo.of(&DISCO).tell_some(&[], file.disco);
        }
        let mut visto = self.visto.lock().await;
        let fresco = |quando: Instant| quando.elapsed() < self.config.intervallo;
        // A store that the probe has found gone is not waited for again.
        if archivio.is_none() && !visto.quando.is_some_and(fresco) {
            let guardato = tokio::time::timeout(self.config.attesa, self.look()).await;
            *visto = guardato.unwrap_or_default();
            visto.quando = Some(Instant::now());
        }
        testo.of(&SCHEMA).tell_some(&[], visto.schema);
        if let Some(lotti) = visto.lotti {
            let mut per_stato = testo.of(&LOTTI);
            per_stato.tell(&["in_attesa"], lotti.in_attesa);
            per_stato.tell(&["in_lavorazione"], lotti.in_lavorazione);
            per_stato.tell(&["sospesi"], lotti.sospesi);
            per_stato.tell(&["fermi"], lotti.fermi);
            testo.one(&LOTTI_ETA, lotti.eta_s);
        }
    }

    /// Asks the store.
    async fn look(&self) -> Visto {
        let store = &self.fonti.store;
        Visto {
            quando: None,
            schema: store.identikit().await.ok().map(|identikit| identikit.schema),
            lotti: self.look_at_lots().await.ok(),
        }
    }

    async fn look_at_lots(&self) -> Result<Lotti, StoreError> {
        let ora = self.fonti.clock.wall();
        let affari = self.fonti.clock.business();
        let fermo_dopo_s = i64::try_from(self.fonti.fermo_dopo.as_secs()).unwrap_or(i64::MAX);
        let mut lotti = Lotti::default();
        for lotto in self.fonti.store.lotti(Quali::Aperti, LOTTI_MAX).await? {
            if lotto.sospeso {
                lotti.sospesi += 1;
                continue;
            }
            let eta_s = affari.duration_since(lotto.presentato_il).as_secs();
            lotti.eta_s = lotti.eta_s.max(eta_s);
            if lotto.iniziato_il.is_some() {
                lotti.in_lavorazione += 1;
            } else {
                lotti.in_attesa += 1;
            }
            let fermo_s = lotto
                .avanzato_il
                .map_or(eta_s, |avanzato| ora.duration_since(avanzato).as_secs());
            lotti.fermi += u64::from(fermo_s > fermo_dopo_s);
        }
        Ok(lotti)
    }
}

/// What is counted at the door.
#[derive(Debug)]
pub(super) struct ContiPorta {
    pub(super) accolti: Conti,
    respinti: Conti,
    /// At the trial door; the last one: whoever would be let in.
    provati: Conti,
}

impl Default for ContiPorta {
    fn default() -> Self {
        Self {
            accolti: Conti::new(2),
            respinti: Conti::new(CODICI.len()),
            provati: Conti::new(CODICI.len() + 1),
        }
    }
}

impl ContiPorta {
    /// Somebody was refused with this code.
    pub(super) fn refused(&self, codice: &str) {
        if let Some(codice) = Codice::parse(codice) {
            self.respinti.add(codice as usize, 1);
        }
    }

    /// Somebody asked at the trial door, and was told this code; `None` = that the door would open.
    pub(super) fn tried(&self, codice: Option<Codice>) {
        self.provati
            .add(codice.map_or(CODICI.len(), |codice| codice as usize), 1);
    }

    pub(super) fn tell(&self, testo: &mut Testo) {
        let mut accolti = testo.of(&ACCOLTI);
        accolti.tell(&["no"], self.accolti.sum(0));
        accolti.tell(&["si"], self.accolti.sum(1));
        let mut respinti = testo.of(&RESPINTI);
        for codice in CODICI.iter().copied() {
            let quanti = self.respinti.sum(codice as usize);
            respinti.tell_some(&[codice.as_str()], (quanti > 0).then_some(quanti));
        }
        let mut provati = testo.of(&PROVATI);
        provati.tell(&[""], self.provati.sum(CODICI.len()));
        for codice in CODICI.iter().copied() {
            let quanti = self.provati.sum(codice as usize);
            provati.tell_some(&[codice.as_str()], (quanti > 0).then_some(quanti));
        }
    }
}

fn tell_certificates(testo: &mut Testo, porta: &Porta) {
    let adesioni = porta.adesioni().load_full();
    let mut scadenze = testo.of(&SCADENZE);
    scadenze.tell(&["server", ""], porta.certificato().scadenza.as_second());
    let ca = porta.autorita().iter().map(|ca| ca.scadenza).min();
    scadenze.tell_some(&["ca", ""], ca.map(Timestamp::as_second));
    for ente in adesioni.enti() {
        let scadenza = ente.scadenza().map(Timestamp::as_second);
        scadenze.tell_some(&["ente", ente.codice.as_str()], scadenza);
    }
    let liste = porta.liste();
    let numerate = || (1..).map(|numero: u32| numero.to_string()).zip(&liste);
    let mut emessa = testo.of(&CRL_EMESSA);
    for (numero, lista) in numerate() {
        emessa.tell(&[&numero], lista.emessa.as_second());
    }
    let mut prossima = testo.of(&CRL_PROSSIMA);
    for (numero, lista) in numerate() {
        prossima.tell_some(&[&numero], lista.prossima.map(Timestamp::as_second));
    }
}

/// As /proc tells it; what it does not tell is left out.
fn tell_process(testo: &mut Testo, avvio: Timestamp) {
    let revisione = option_env!("VARCO_REVISION").unwrap_or_default();
    testo
        .of(&BUILD_INFO)
        .tell(&[env!("CARGO_PKG_VERSION"), revisione], 1);
    testo.one(&AVVIO, avvio.as_second());
    let cpu = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    testo.one(&CPU, format!("{}.{:06}", cpu.tv_sec, cpu.tv_nsec / 1000));
    testo.of(&MEMORIA).tell_some(&[], resident_bytes());
    // Minus the one by which they are counted.
    let aperti = std::fs::read_dir("/proc/self/fd").map(|voci| voci.count().saturating_sub(1));
    testo.of(&FD).tell_some(&[], aperti.ok());
    testo.of(&FD_MAX).tell_some(&[], max_fds());
}

fn resident_bytes() -> Option<u64> {
    let stato = std::fs::read_to_string("/proc/self/status").ok()?;
    let riga = stato.lines().find_map(|riga| riga.strip_prefix("VmRSS:"))?;
    let kib: u64 = riga.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kib * 1024)
}

fn max_fds() -> Option<u64> {
    let limiti = std::fs::read_to_string("/proc/self/limits").ok()?;
    let riga = limiti
        .lines()
        .find_map(|riga| riga.strip_prefix("Max open files"))?;
    riga.split_whitespace().next()?.parse().ok()
}

/// When the process began: field 22 of its stat, in ticks of a hundredth of a second since the machine came up.
fn process_start() -> Option<Timestamp> {
    let stat = std::fs::read_to_string("/proc/self/stat").ok()?;
    // The name may hold anything, brackets too: fields are counted from behind it.
    let (_, campi) = stat.rsplit_once(')')?;
    let tick: i64 = campi.split_whitespace().nth(19)?.parse().ok()?;
    let acceso = std::fs::read_to_string("/proc/stat").ok()?;
    let acceso: i64 = acceso
        .lines()
        .find_map(|riga| riga.strip_prefix("btime "))?
        .trim()
        .parse()
        .ok()?;
    Timestamp::from_second(acceso + tick / 100).ok()
}

/// How many lots are looked at: beyond it there is more to mend than a number.
const LOTTI_MAX: u32 = 10_000;
