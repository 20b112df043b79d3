//! A gateway without its sockets: intake, writer, trace, anchors and a clock of its own, over the simulated store. When
//! it dies, all that it had in memory is gone: what waited for the writer, keys in flight, messages on their way.

use std::net::{IpAddr, Ipv4Addr};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::time::Duration;

use arc_swap::ArcSwap;
use bytes::Bytes;
use futures_util::StreamExt as _;
use jiff::{SignedDuration, Timestamp};
use tokio::sync::{Notify, Semaphore};
use tokio::time::Instant;
use uuid::Uuid;

use super::archivio::ArchivioSimulato;
use super::scena::Scena;
use crate::access::{Access, Tentativi};
use crate::adesione::{Adesioni, Certificato, Peer};
use crate::clock::{Clock, CountedIds};
use crate::domanda::Ambiente;
use crate::domanda::allegato::ALLEGATO_BYTES_MAX;
use crate::intake::corpo::{Corpo, CorpoLimits};
use crate::intake::lotto::lavoro::Lavoro;
use crate::intake::lotto::{Lotti, LottiConfig};
use crate::intake::porta::{Accettazione, Numeri, PddConfig, Porta};
use crate::intake::scadenza::Scadenza;
use crate::intake::{Diario, Incoming, Indirizzo, Intake, Reply};
use crate::manutenzione::{Custode, ManutenzioneConfig};
use crate::prestazione::Prestazione;
use crate::schema::Schema;
use crate::soap::SoapVersion;
use crate::spazio::{Sentinella, SpazioConfig};
use crate::store::SharedStore;
use crate::store::ancore::{Ancore, AncoreConfig, Archivio};
use crate::store::writer::{Handle, Writer, WriterConfig};
use crate::trace::Traccia;
use crate::trace::writer::{Tracciati, TraceConfig};
use crate::xml;

/// The clock of a node: the run's time, from where the run begins, and so far off.
#[derive(Debug)]
pub(super) struct Orologio {
    principio: Timestamp,
    inizio: Instant,
    scarto_ms: AtomicI64,
}

impl Orologio {
    /// One that goes right.
    pub(super) fn new(principio: Timestamp) -> Self {
        Self {
            principio,
            inizio: Instant::now(),
            scarto_ms: AtomicI64::new(0),
        }
    }

    /// From now on it is so far off.
    pub(super) fn jump(&self, scarto_ms: i64) {
        self.scarto_ms.store(scarto_ms, Ordering::Relaxed);
    }
}

impl Clock for Orologio {
    fn wall(&self) -> Timestamp {
        let passati = i64::try_from(self.inizio.elapsed().as_millis()).unwrap_or(i64::MAX);
        self.principio + SignedDuration::from_millis(passati + self.scarto_ms.load(Ordering::Relaxed))
    }

    fn business(&self) -> Timestamp {
        self.wall()
    }
}

/// A node that lives.
#[derive(Debug)]
pub(super) struct Nodo {
    intake: Intake,
    writer: Handle,
    tracce: Tracciati,
    accettazione: Accettazione,
    morto: AtomicBool,
    /// Whoever waits for it hears of its death, in one order.
    morte: Notify,
    clock: Arc<Orologio>,
}

impl Nodo {
    /// Starts a node: with the database and the anchors as they are, and nothing else.
    pub(super) fn start(scena: &Arc<Scena>, nome: &str, schema: &Schema, clock: &Arc<Orologio>) -> Self {
        let config = AncoreConfig {
            cartella: scena.cartella.clone(),
            nodo: nome.to_owned(),
            ..AncoreConfig::default()
        };
        let archivio = Archivio::new(Ambiente::Sandbox, Some("simulato".to_owned()));
        let ancore = Ancore::open_unsynced(&config, archivio).unwrap();
        let store: SharedStore = Arc::new(ArchivioSimulato::new(scena, nome, ancore));
        let orologio: Arc<dyn Clock> = Arc::clone(clock) as _;
        // A short queue, so that it is sometimes full; small batches, so that there are many.
        let coda = WriterConfig {
            coda: 8,
            lotto_massimo: 4,
            ..WriterConfig::default()
        };
        let writer = Writer::spawn(Arc::clone(&store), Arc::clone(&orologio), coda);
        let tracce = Tracciati::spawn(Arc::clone(&store), TraceConfig::default());
        let accettazione =
            Accettazione::spawn(Arc::clone(&store), Arc::clone(&orologio), &PddConfig::default());
        let porta = Porta::new(&PddConfig::default(), Numeri::default(), accettazione.clone()).unwrap();
        let intake = Intake {
            access: Access::new(
                Arc::new(ArcSwap::from_pointee(adesioni())),
                false,
                Arc::clone(&store),
            ),
            schema: schema.clone(),
            store,
            writer: writer.clone(),
            clock: Arc::clone(&orologio),
            ambiente: Ambiente::Sandbox,
            limits: xml::Limits::default(),
            limiti: Vec::new(),
            tentativi: Tentativi::new(10),
            allegato_bytes_max: ALLEGATO_BYTES_MAX,
            lotti: Lotti {
                config: LottiConfig::default(),
                lavoro: Lavoro::nobody(),
                ids: Arc::new(CountedIds::default()),
            },
            porta,
            spazio: Sentinella::idle(SpazioConfig::default()),
            custode: Custode::idle(orologio, ManutenzioneConfig::default()),
            retry_after: Duration::from_secs(5),
        };
        Self {
            intake,
            writer,
            tracce,
            accettazione,
            morto: AtomicBool::new(false),
            morte: Notify::new(),
            clock: Arc::clone(clock),
        }
    }

    /// Dies: nothing of it goes on.
    pub(super) async fn die(&self) {
        self.morto.store(true, Ordering::Relaxed);
        self.morte.notify_waiters();
        self.writer.kill();
        self.tracce.kill();
        self.accettazione.close().await;
    }

    /// Sends a message and waits for its answer: none, when the node dies or the sender's patience ends.
    pub(super) async fn answer(
        &self,
        messaggio: &Messaggio,
        message_id: Uuid,
        pazienza: Duration,
    ) -> Option<Reply> {
        if self.morto.load(Ordering::Relaxed) {
            return None;
        }
        tokio::select! {
            biased;
            () = self.morte.notified() => None,
            () = tokio::time::sleep(pazienza) => None,
            reply = Box::pin(self.take_in(messaggio, message_id)) => Some(reply),
        }
    }

    async fn take_in(&self, messaggio: &Messaggio, message_id: Uuid) -> Reply {
        let traccia = Traccia {
            message_id,
            ricevuto_il: self.clock.wall(),
            ..Traccia::default()
        };
        let Ok(guardia) = self.tracce.begin(traccia) else {
            return crate::intake::plain(503, &[]);
        };
        let limits = CorpoLimits {
            messaggio_bytes_max: 1 << 20,
            memoria: Arc::new(Semaphore::new(1 << 20)),
        };
        let bytes = messaggio.bytes.clone();
        let corpo = futures_util::stream::once(async move { Ok(bytes) }).boxed_local();
        let incoming = Incoming {
            message_id,
            peer: Arc::new(peer(&messaggio.ente)),
            still_welcome: Ok(()),
            canale: "MODI",
            indirizzo: Indirizzo::Servizio(messaggio.prestazione),
            versione_attesa: SoapVersion::V12,
            scadenza: Scadenza::after(Instant::now(), Duration::from_secs(15)),
            corpo: Corpo::new(corpo, limits),
        };
        self.intake.answer(incoming, Diario::new(guardia)).await
    }
}

/// A message as its sender has it: sent again it is the same, byte for byte.
#[derive(Debug, Clone)]
pub(super) struct Messaggio {
    pub(super) ente: String,
    pub(super) prestazione: &'static Prestazione,
    pub(super) chiave: String,
    pub(super) bytes: Bytes,
}

/// Who sends.
pub(super) const ENTI: [&str; 3] = ["PAT01", "PAT02", "PAT03"];

fn peer(ente: &str) -> Peer {
    Peer {
        certificato: Certificato {
            soggetto: format!("CN={ente}"),
            emittente: "CN=CA".to_owned(),
            seriale: "01".to_owned(),
            sha256: impronta(ente),
            scadenza: Timestamp::MAX,
        },
        indirizzo: IpAddr::V4(Ipv4Addr::LOCALHOST),
        tls_versione: "TLSv1.3".to_owned(),
        tls_suite: String::new(),
        sni: None,
        tls_ripresa: false,
    }
}

/// Any sixty-four digits, of each ente its own.
fn impronta(ente: &str) -> String {
    ente.trim_start_matches("PAT").repeat(32)
}

fn adesioni() -> Adesioni {
    let ente = |ente: &str| {
        let sha256 = impronta(ente);
        format!(
            "[[ente]]\ncodice = \"{ente}\"\ndenominazione = \"Patronato {ente}\"\ncodice_fiscale = \"80078750587\"\n\
             certificati = [{{ sha256 = \"{sha256}\" }}]\nuffici = [\"001\"]\n\
             servizi = {{ AssegnoTemporaneo = [\"*\"], AssegnoUnicoUniversale = [\"*\"] }}\n"
        )
    };
    Adesioni::parse(&ENTI.map(ente).concat(), Path::new("adesioni.toml")).unwrap()
}
