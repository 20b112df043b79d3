//! `varco serve`: puts the stages together, opens the door, and closes it in order.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use tokio::sync::Semaphore;
use tokio::task::JoinHandle;

use super::{check, chiave};
use crate::access::{Access, Tentativi};
use crate::channel::{self, Channels};
use crate::clock::{Clock, Ids, RandomIds, WallClock};
use crate::config::{Config, IdentityMode};
use crate::domanda::elenco::RIGHE_MAX;
use crate::intake::corpo::CorpoLimits;
use crate::intake::lotto::Lotti;
use crate::intake::lotto::esame::Banco;
use crate::intake::lotto::lavoro::Lavoro;
use crate::intake::porta::{Accettazione, Numeri};
use crate::intake::{self, Intake};
use crate::listener::console::{self, ConsoleAperta};
use crate::listener::metriche::Fonti;
use crate::listener::prova::{self, ProvaAperta};
use crate::listener::salute::{self, Salute};
use crate::listener::scadenze::Sorveglianza;
use crate::listener::{self, Porta, Ricarica, Serving, Spegnimento};
use crate::manutenzione::Custode;
use crate::schema::Schema;
use crate::soap::answer::Limite;
use crate::spazio::Sentinella;
use crate::spazio::conservazione::Conservazione;
use crate::store::writer::{Handle, Writer};
use crate::store::{OpenOptions, SharedStore};
use crate::telemetry;
use crate::trace::otlp::{Esportatore, Identita};
use crate::trace::sigillatore::{Bacheca, Sigillatore};
use crate::trace::writer::Tracciati;

/// What a test hands in; in earnest both are the machine's own.
#[derive(Debug, Default)]
pub struct Parts {
    /// The clock; `None` = the machine's, with the business clock where the store says.
    pub clock: Option<Arc<dyn Clock>>,
    /// Ids; `None` = random.
    pub ids: Option<Arc<dyn Ids>>,
}

/// Seconds that a caller is told to wait when we are the cause.
const RETRY_AFTER: Duration = Duration::from_secs(5);

/// A gateway whose stages are ready and whose address is taken; it serves once it is run.
#[derive(Debug)]
struct Gateway {
    serving: Serving,
    rear: Rear,
}

/// What works behind the door, and is closed after it.
#[derive(Debug)]
struct Rear {
    salute: Option<Salute>,
    porta: Arc<Porta>,
    sorveglianza: Sorveglianza,
    console: Option<ConsoleAperta>,
    prova: Option<ProvaAperta>,
    store: SharedStore,
    spazio: Sentinella,
    custode: Custode,
    conservazione: Conservazione,
    lavoro: Lavoro,
    accettazione: Accettazione,
    writer: Handle,
    tracce: Tracciati,
    sigillatore: Sigillatore,
}

/// A gateway that serves in this process.
#[derive(Debug)]
pub struct Running {
    local_addr: SocketAddr,
    spegnimento: Spegnimento,
    serving: JoinHandle<std::io::Result<()>>,
    rear: Rear,
}

/// Serves until SIGTERM or SIGINT; SIGHUP reads certificates, CRL and adesioni again, and from the configuration, which `read`
/// reads anew, the level of the log: all else in it needs a restart.
pub async fn run(config: Config, read: impl Fn() -> anyhow::Result<Config>) -> anyhow::Result<()> {
    telemetry::init(&config.log);
    let Gateway { serving, rear } = build(config, Parts::default()).await?;
    tracing::info!(indirizzo = %serving.local_addr(), "serving");
    if let Some(console) = &rear.console {
        tracing::info!(url = console.url(), "the console is open");
    }
    if let Some(prova) = &rear.prova {
        tracing::info!(indirizzo = %prova.local_addr(), "the trial door is open");
    }
    let congedo = async {
        if let Some(salute) = &rear.salute {
            tracing::info!("stopping: readiness is red, the door is still open");
            salute.take_leave().await;
        }
    };
    let ricarica = || {
        let mut esito = rear.reload();
        let livello = read()
            .map_err(|errore| format!("log.livello: {errore:#}"))
            .and_then(|config| telemetry::set_level(&config.log.livello));
        esito.note(livello, "log.livello");
        esito
    };
    serving
        .run_until_signal(congedo, ricarica)
        .await
        .context("il servizio si è interrotto")?;
    rear.close().await;
    Ok(())
}

/// Starts a gateway and comes back while it serves.
pub async fn start(config: Config, parts: Parts) -> anyhow::Result<Running> {
    let Gateway { serving, rear } = build(config, parts).await?;
    Ok(Running {
        local_addr: serving.local_addr(),
        spegnimento: serving.spegnimento(),
        serving: tokio::spawn(serving.run()),
        rear,
    })
}

impl Running {
    /// Where it listens: with port 0, the port that was free.
    #[must_use]
    pub fn local_addr(&self) -> SocketAddr {
        self.local_addr
    }

    /// Where it tells its health, if it does.
    #[must_use]
    pub fn salute(&self) -> Option<&Salute> {
        self.rear.salute.as_ref()
    }

    /// What SIGHUP does to a process: certificates, CA, CRL and adesioni are read again.
    #[must_use]
    pub fn reload(&self) -> Ricarica {
        self.rear.reload()
    }

    /// Where its console is, if it has one.
    #[must_use]
    pub fn console(&self) -> Option<&ConsoleAperta> {
        self.rear.console.as_ref()
    }

    /// Where its trial door is, if it has one.
    #[must_use]
    pub fn prova(&self) -> Option<&ProvaAperta> {
        self.rear.prova.as_ref()
    }

    /// Its store.
    #[must_use]
    pub fn store(&self) -> &SharedStore {
        &self.rear.store
    }

    /// Stops accepting, lets answers in flight end, writes what is left to write.
    pub async fn stop(self) {
        self.spegnimento.drain().await;
        if let Err(errore) = self.serving.await {
            tracing::error!("the service ended badly: {errore}");
        }
        self.rear.close().await;
    }
}

impl Rear {
    /// Reads again what may change while it serves.
    fn reload(&self) -> Ricarica {
        let mut esito = self.porta.reload();
        if let Some(console) = &self.console {
            console.reload(&mut esito);
        }
        esito
    }

    /// In order: first nothing comes any more (the door is shut), the lots stop where they are, then what waits is
    /// registered, then the trace; what was written is sealed.
    async fn close(self) {
        self.conservazione.close().await;
        self.sorveglianza.close();
        if let Some(console) = self.console {
            console.close().await;
        }
        if let Some(prova) = self.prova {
            prova.close().await;
        }
        self.lavoro.close().await;
        self.accettazione.close().await;
        self.writer.close().await;
        self.tracce.close().await;
        self.sigillatore.close().await;
        self.spazio.close();
        self.custode.close();
        if let Some(salute) = self.salute {
            salute.close().await;
        }
        self.store.close().await;
    }
}

/// Opens the store of a configuration, laid down where there is none, and tells its business clock.
async fn open_store(config: &Config) -> anyhow::Result<(SharedStore, WallClock)> {
    let options = OpenOptions {
        create: true,
        orologio_inizio: config.orologio.inizio,
        ancore: Some(config.registro.ancore.clone()),
        ..super::store_options(config)
    };
    let (store, offset) = chiave::open(config, options).await?;
    Ok((store, WallClock::with_offset(offset)))
}

/// Puts the stages together, from the store up to the door.
async fn build(config: Config, parts: Parts) -> anyhow::Result<Gateway> {
    // The address first: a port that is taken should be said before a store is touched.
    let bound = listener::bind(&config.listener).await?;
    let salute = salute::bind(&config.salute).context("non si può ascoltare su salute.indirizzo")?;
    let console = console::bind(&config.console)?;
    let prova =
        prova::bind(&config.porta_di_prova).context("non si può ascoltare su porta_di_prova.indirizzo")?;
    let porta_tcp = bound.local_addr().port();
    let (store, clock) = open_store(&config).await?;
    if let Some(avviso) = check::too_strong(config.ambiente, &store.identikit().await?) {
        tracing::warn!("{avviso}");
    }
    let clock = parts.clock.unwrap_or_else(|| Arc::new(clock));
    let ids = parts.ids.unwrap_or_else(|| Arc::new(RandomIds));
    let writer = Writer::spawn(Arc::clone(&store), Arc::clone(&clock), config.writer);
    let identita = Identita {
        nodo: config.registro.ancore.nodo.clone(),
        ambiente: config.ambiente.as_str(),
    };
    let collettore = Esportatore::open(&config.telemetria, identita)?;
    let tracce = Tracciati::spawn(Arc::clone(&store), config.trace).telling(collettore);
    let sigillatore = Sigillatore::spawn(
        Arc::clone(&store),
        Arc::clone(&clock),
        config.trace,
        bacheca(&config)?,
    );
    let door_log = {
        let tracce = tracce.clone();
        Arc::new(move |rifiuto| tracce.porta(rifiuto))
    };
    let conservazione = Conservazione::spawn(
        Arc::clone(&store),
        Arc::clone(&clock),
        writer.clone(),
        config.conservazione,
    );
    let porta = Porta::open(
        config.tls.clone(),
        config.adesioni.clone(),
        Arc::clone(&clock),
        door_log,
    )?;
    if config.tls.crl.is_none() {
        tracing::warn!("tls.crl is not set: certificates are not looked up in any revocation list");
    }
    let sorveglianza = Sorveglianza::spawn(Arc::clone(&porta), Arc::clone(&clock));
    let schema = Schema::load()?;
    let banco = Banco {
        schema: schema.clone(),
        store: Arc::clone(&store),
        ambiente: config.ambiente,
        limits: config.limits.xml.clone(),
        allegato_bytes_max: config.limits.allegato_bytes_max as u64,
        ids: Arc::clone(&ids),
        clock: Arc::clone(&clock),
    };
    // By which gateway a lot is worked is asked by people; that no two workers have one name, by the store.
    let chi = format!("{} {}", config.registro.ancore.nodo, RandomIds.next());
    let spazio = Sentinella::spawn(
        Arc::clone(&store),
        Arc::clone(&clock),
        config.spazio.clone(),
        config.registro.ancore.cartella.clone(),
    )
    .await;
    let custode = Custode::spawn(Arc::clone(&store), Arc::clone(&clock), config.manutenzione).await?;
    let lavoro = Lavoro::spawn(&chi, banco, writer.clone(), config.lotti, spazio.clone())?;
    let accettazione = Accettazione::spawn(Arc::clone(&store), Arc::clone(&clock), &config.pdd);
    let intake = Arc::new(Intake {
        access: Access::new(
            porta.adesioni(),
            config.identity.mode == IdentityMode::Strict,
            Arc::clone(&store),
        ),
        schema,
        store: Arc::clone(&store),
        writer: writer.clone(),
        clock: Arc::clone(&clock),
        ambiente: config.ambiente,
        limits: config.limits.xml.clone(),
        limiti: limiti(&config),
        tentativi: Tentativi::new(config.limits.secondo_genitore_errori_max),
        allegato_bytes_max: config.limits.allegato_bytes_max as u64,
        lotti: Lotti {
            config: config.lotti,
            lavoro: lavoro.clone(),
            ids: Arc::clone(&ids),
        },
        porta: intake::porta::Porta::new(&config.pdd, Numeri::default(), accettazione.clone())
            .context("sezione [pdd]")?,
        spazio: spazio.clone(),
        custode: custode.clone(),
        retry_after: RETRY_AFTER,
    });
    let memoria = config
        .limits
        .messaggi_in_memoria_bytes_max
        .div_ceil(1024)
        .min(Semaphore::MAX_PERMITS);
    let channels = Arc::new(Channels {
        intake,
        tracce: tracce.clone(),
        clock,
        ids,
        corpo: CorpoLimits {
            messaggio_bytes_max: config.limits.messaggio_bytes_max,
            memoria: Arc::new(Semaphore::new(memoria)),
        },
        mtom: config.limits.mtom,
        richiesta_attesa: config.limits.porta.richiesta,
        indirizzo_pubblico: pubblico(&config.listener.indirizzo_pubblico, porta_tcp),
    });
    let prova = prova.map(|prova| {
        let pubblico = channels.indirizzo_pubblico.clone();
        prova.serve(Arc::clone(&porta), Arc::clone(&channels.ids), pubblico)
    });
    let fonti = Fonti {
        tracce: tracce.clone(),
        sigillatore: sigillatore.clone(),
        writer: writer.clone(),
        lavoro: lavoro.clone(),
        spazio: spazio.clone(),
        custode: custode.clone(),
        conservazione: conservazione.clone(),
        porta: Arc::clone(&porta),
        store: Arc::clone(&store),
        clock: Arc::clone(&channels.clock),
        connessioni_max: config.limits.porta.connessioni_max,
        fermo_dopo: config.lotti.fermo_dopo,
    };
    let pagine = crate::console::Fonti {
        tracce: tracce.clone(),
        writer: writer.clone(),
        porta: Arc::clone(&porta),
        store: Arc::clone(&store),
        clock: Arc::clone(&channels.clock),
        ids: Arc::clone(&channels.ids),
        ambiente: config.ambiente,
        fermo_dopo: config.lotti.fermo_dopo,
        custode: custode.clone(),
    };
    let serving = listener::serve(
        bound,
        Arc::clone(&porta),
        &config.limits.porta,
        channel::routes(channels),
    )?;
    Ok(Gateway {
        serving,
        rear: Rear {
            salute: salute.map(|salute| salute.serve(fonti)).transpose()?,
            porta,
            sorveglianza,
            prova: prova.transpose()?,
            console: console.map(|console| console.serve(pagine)).transpose()?,
            store,
            spazio,
            custode,
            conservazione,
            lavoro,
            accettazione,
            writer,
            tracce,
            sigillatore,
        },
    })
}

/// Where the documents of days go, and the key that signs them.
fn bacheca(config: &Config) -> anyhow::Result<Bacheca> {
    let firma = match &config.registro.firma {
        Some(file) => Some(super::trace_prova::read_firma(file)?),
        None => None,
    };
    Ok(Bacheca {
        cartella: config.registro.ancore.cartella.clone(),
        nodo: config.registro.ancore.nodo.clone(),
        firma,
    })
}

/// The public address: one that says port 0 means the port that was free.
fn pubblico(indirizzo: &str, porta: u16) -> String {
    match indirizzo.strip_suffix(":0") {
        Some(nome) => format!("{nome}:{porta}"),
        None => indirizzo.to_owned(),
    }
}

/// The limits in force, as the operation `Limiti` tells them.
fn limiti(config: &Config) -> Vec<Limite> {
    let limite = |nome, valore: usize, unita, descrizione| Limite {
        nome,
        valore: valore as u64,
        unita,
        descrizione,
    };
    let secondi = |nome, durata: Duration, descrizione| Limite {
        nome,
        valore: durata.as_secs(),
        unita: "secondi",
        descrizione,
    };
    let (bounds, xml) = (&config.limits.porta, &config.limits.xml);
    vec![
        limite(
            "messaggio_bytes_max",
            config.limits.messaggio_bytes_max,
            "byte",
            "Un messaggio, allegati compresi.",
        ),
        limite(
            "allegato_bytes_max",
            config.limits.allegato_bytes_max,
            "byte",
            "Un documento, decodificato.",
        ),
        limite(
            "parti_max",
            config.limits.mtom.parti_max,
            "parti",
            "Parti di un messaggio MTOM, compresa la busta.",
        ),
        limite(
            "parte_testata_bytes_max",
            config.limits.mtom.parte_testata_bytes_max,
            "byte",
            "Intestazioni di una parte MTOM.",
        ),
        limite(
            "testata_bytes_max",
            bounds.testata_bytes_max,
            "byte",
            "Riga di richiesta e intestazioni HTTP.",
        ),
        limite(
            "testata_campi_max",
            bounds.testata_campi_max,
            "campi",
            "Intestazioni HTTP di una richiesta.",
        ),
        limite(
            "envelope_head_bytes_max",
            xml.envelope_head_bytes_max,
            "byte",
            "Dall'inizio del messaggio al tag dell'operazione.",
        ),
        limite(
            "header_blocks_max",
            xml.header_blocks_max,
            "blocchi",
            "Blocchi dell'Header SOAP.",
        ),
        limite(
            "depth_max",
            xml.depth_max,
            "livelli",
            "Elementi uno dentro l'altro.",
        ),
        limite(
            "elements_max",
            xml.elements_max,
            "elementi",
            "Elementi di un messaggio.",
        ),
        limite(
            "attributes_max",
            xml.attributes_max,
            "attributi",
            "Attributi di un elemento, dichiarazioni di namespace comprese.",
        ),
        limite(
            "text_bytes_max",
            xml.text_bytes_max,
            "byte",
            "Testo di un elemento (il contenuto di un allegato è limitato dal messaggio).",
        ),
        limite(
            "lotto_bytes_max",
            config.lotti.byte_max,
            "byte",
            "Un lotto, decodificato e decompresso.",
        ),
        limite(
            "lotto_elementi_max",
            config.lotti.elementi_max,
            "domande",
            "Domande di un lotto.",
        ),
        limite(
            "lotto_elemento_bytes_max",
            config.lotti.elemento_bytes_max,
            "byte",
            "Una domanda di un lotto, allegati compresi.",
        ),
        limite(
            "lotti_aperti_max",
            config.lotti.aperti_max,
            "lotti",
            "Lotti dell'Ente non ancora conclusi.",
        ),
        limite(
            "lotto_gzip_rapporto_max",
            config.lotti.gzip_rapporto_max,
            "volte",
            "Quanto si può espandere un lotto compresso con gzip.",
        ),
        limite(
            "lotto_byte_al_secondo_min",
            config.lotti.byte_al_secondo_min,
            "byte al secondo",
            "Quanto in fretta deve arrivare almeno un lotto.",
        ),
        limite("minori_max", 20, "schede", "Minori di una domanda."),
        limite("errori_max", 100, "errori", "Errori detti in una risposta."),
        limite(
            "elenco_righe_max",
            RIGHE_MAX as usize,
            "righe",
            "Righe di una pagina di un elenco.",
        ),
        limite(
            "secondo_genitore_errori_max",
            config.limits.secondo_genitore_errori_max,
            "richieste",
            "CompletaSecondoGenitore senza corrispondenza, in un'ora.",
        ),
        limite(
            "connessioni_per_certificato_max",
            bounds.connessioni_per_certificato_max,
            "connessioni",
            "Connessioni aperte insieme con lo stesso certificato.",
        ),
        secondi(
            "handshake_attesa",
            bounds.handshake,
            "Tempo per completare l'handshake TLS.",
        ),
        secondi(
            "testata_attesa",
            bounds.testata,
            "Tempo per inviare le intestazioni HTTP.",
        ),
        secondi(
            "richiesta_attesa",
            bounds.richiesta,
            "Tempo per inviare il messaggio intero.",
        ),
        secondi(
            "keep_alive_attesa",
            bounds.keep_alive,
            "Quanto resta aperta una connessione fra due richieste.",
        ),
    ]
}
