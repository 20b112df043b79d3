//! Where the time of one message goes, stage by stage: envelope, validation, of single messages and of a lot's items, rules
//! (CPU time), register (by the clock). Reported, not asserted.
//!
//! `cargo bench --bench way`; one stage: `cargo bench --bench way -- rules`.
#![expect(missing_docs, reason = "criterion's macros make undocumented items")]
#![expect(clippy::unwrap_used, reason = "a bench may stop where it stands")]

mod comune;

use std::hint::black_box;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use comune::{MITTENTE, contesto, cut, lotto, message, open, read_item, read_opened};
use criterion::measurement::{Measurement, ValueFormatter, WallTime};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use varco::clock::{Clock, WallClock};
use varco::domanda::Ambiente;
use varco::domanda::sha256::Sha256;
use varco::prestazione::Operazione;
use varco::prestazione::assegno_temporaneo::PRESTAZIONE;
use varco::schema::{Lettura, Schema};
use varco::soap::answer;
use varco::soap::identity::Identity;
use varco::store::sqlite::SqliteStore;
use varco::store::writer::{Writer, WriterConfig};
use varco::store::{Atto, Chiave, Contenuto, OpenOptions, SharedStore};
use varco::trace::Traccia;
use varco::xml::{Limits, Reader, Token};

fn read(schema: &Schema, bytes: &[u8]) -> Lettura {
    read_opened(schema, &open(bytes), bytes)
}

/// CPU time of the thread (Linux): what else runs on the machine does not count.
struct Cpu;

impl Cpu {
    fn spesa() -> Duration {
        let stato = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap();
        Duration::from_nanos(stato.split(' ').next().unwrap().parse().unwrap())
    }
}

impl Measurement for Cpu {
    type Intermediate = Duration;
    type Value = Duration;

    fn start(&self) -> Duration {
        Self::spesa()
    }

    fn end(&self, prima: Duration) -> Duration {
        Self::spesa().saturating_sub(prima)
    }

    fn add(&self, uno: &Duration, altro: &Duration) -> Duration {
        *uno + *altro
    }

    fn zero(&self) -> Duration {
        Duration::ZERO
    }

    fn to_f64(&self, valore: &Duration) -> f64 {
        WallTime.to_f64(valore)
    }

    fn formatter(&self) -> &dyn ValueFormatter {
        WallTime.formatter()
    }
}

fn envelope(c: &mut Criterion<Cpu>) {
    let bytes = message(1);
    let mut group = c.benchmark_group("envelope");
    group.throughput(Throughput::Bytes(bytes.len() as u64));
    group.bench_function("open and identity", |b| {
        b.iter(|| {
            let envelope = open(black_box(&bytes));
            Identity::read(&envelope, false).unwrap()
        });
    });
    group.finish();
}

fn validation(c: &mut Criterion<Cpu>) {
    let schema = Schema::load().unwrap();
    let valida = message(1);
    let errata = String::from_utf8(valida.clone())
        .unwrap()
        .replace("<at:Disabile>false", "<at:Disabile>forse")
        .into_bytes();
    let autorita = schema.by_authority();
    let mut group = c.benchmark_group("validation");
    for (nome, schema, bytes) in [
        ("valid", &schema, &valida),
        ("valid, by the authority", &autorita, &valida),
        ("two findings", &schema, &errata),
    ] {
        let aperta = open(bytes);
        group.throughput(Throughput::Bytes(bytes.len() as u64));
        group.bench_function(nome, |b| {
            b.iter(|| read_opened(schema, &aperta, black_box(bytes)));
        });
    }
    // Two parts of it, to be taken off: the tokens, and the imprint (the digest hashes about twice as much).
    group.throughput(Throughput::Bytes(valida.len() as u64));
    group.bench_function("tokens alone", |b| {
        b.iter(|| {
            let mut reader = Reader::new(black_box(&valida), &Limits::default());
            let mut quanti = 0;
            while !matches!(reader.next().unwrap(), Token::Eof) {
                quanti += 1;
            }
            quanti
        });
    });
    group.bench_function("imprint alone", |b| b.iter(|| Sha256::of(black_box(&valida))));
    group.finish();
}

/// The same for a lot: its items one after the other, each read with what is around it; cutting them out by itself.
fn lots(c: &mut Criterion<Cpu>) {
    let schema = Schema::load().unwrap();
    let file = lotto(500);
    let voci = cut(&file);
    let autorita = schema.by_authority();
    let mut group = c.benchmark_group("lot of 500");
    group
        .throughput(Throughput::Bytes(file.len() as u64))
        .sample_size(20);
    for (nome, schema) in [
        ("items valid", &schema),
        ("items valid, by the authority", &autorita),
    ] {
        group.bench_function(nome, |b| {
            b.iter(|| {
                for voce in &voci.voci {
                    black_box(read_item(schema, &voci, black_box(voce)));
                }
            });
        });
    }
    group.bench_function("cutting", |b| b.iter(|| cut(black_box(&file))));
    group.finish();
}

fn rules(c: &mut Criterion<Cpu>) {
    let schema = Schema::load().unwrap();
    let lettura = read(&schema, &message(1));
    let domanda = lettura.istanza.unwrap().domanda().unwrap();
    let ente = MITTENTE.ente.parse().unwrap();
    let contesto = contesto(&ente);
    let mut group = c.benchmark_group("rules");
    group.bench_function("esamina", |b| b.iter(|| domanda.esamina(black_box(&contesto))));
    group.bench_function("fascicolo", |b| {
        b.iter(|| domanda.fascicolo(black_box(&contesto)));
    });
    group.finish();
}

/// Acts handed in sixteen at a time, as sixteen connections would; the store syncs as in earnest.
fn register(c: &mut Criterion) {
    const INSIEME: u64 = 16;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap();
    let dir = tempfile::tempdir().unwrap();
    let clock: Arc<dyn Clock> = Arc::new(WallClock::default());
    let schema = Schema::load().unwrap();
    let handle = runtime.block_on(async {
        let options = OpenOptions {
            create: true,
            ..OpenOptions::new(Ambiente::Sandbox, clock.wall())
        };
        let (store, _) = SqliteStore::open(&dir.path().join("store.db"), &options)
            .await
            .unwrap();
        let store: SharedStore = Arc::new(store);
        Writer::spawn(store, Arc::clone(&clock), WriterConfig::default())
    });
    let mut prossimo = 0;
    let mut group = c.benchmark_group("register");
    group.throughput(Throughput::Elements(1)).sample_size(20);
    group.bench_function("one act of sixteen that wait", |b| {
        b.iter_custom(|quanti| {
            let mut speso = Duration::ZERO;
            let mut mancano = quanti;
            while mancano > 0 {
                let ora = mancano.min(INSIEME);
                let atti: Vec<Atto> = (0..ora)
                    .map(|_| {
                        prossimo += 1;
                        act(&schema, prossimo)
                    })
                    .collect();
                let inizio = Instant::now();
                runtime.block_on(async {
                    let attese: Vec<_> = atti
                        .into_iter()
                        .map(|atto| {
                            let handle = handle.clone();
                            tokio::spawn(async move { handle.register(atto).await.unwrap() })
                        })
                        .collect();
                    for attesa in attese {
                        attesa.await.unwrap();
                    }
                });
                speso += inizio.elapsed();
                mancano -= ora;
            }
            speso
        });
    });
    group.finish();
    runtime.block_on(handle.close());
}

fn act(schema: &Schema, contatore: u64) -> Atto {
    let bytes = message(contatore);
    let lettura = read(schema, &bytes);
    let ente: varco::patronato::CodiceEnte = MITTENTE.ente.parse().unwrap();
    let domanda = lettura.istanza.unwrap().domanda().unwrap();
    let fascicolo = domanda.fascicolo(&contesto(&ente)).unwrap();
    Atto {
        chiave: Chiave {
            ente,
            servizio: PRESTAZIONE.servizio,
            chiave: lettura.chiave.unwrap(),
        },
        prestazione: &PRESTAZIONE,
        digest: lettura.digest,
        impronta: lettura.impronta,
        presentata_il: "2021-07-15T10:00:00Z".parse().unwrap(),
        ente_denominazione: "Patronato Uno".to_owned(),
        codice_ufficio: MITTENTE.ufficio.parse().unwrap(),
        user_id: MITTENTE.user_id.parse().unwrap(),
        certificato_sha256: "ab".repeat(32),
        canale: "MODI",
        emergenza: None,
        operazione: Operazione::InviaDomanda,
        contenuto: Contenuto::Domanda(fascicolo),
        richiesta: Bytes::from(bytes),
        contenuto_in_richiesta: lettura.contenuto_in_richiesta,
        traccia: Traccia {
            message_id: uuid::Uuid::from_u128(u128::from(contatore)),
            canale: "MODI".to_owned(),
            esito: "REGISTRATA".to_owned(),
            ..Traccia::default()
        },
        stampa: answer::ricevuta,
    }
}

criterion_group! {
    name = cpu;
    config = Criterion::default().with_measurement(Cpu);
    targets = envelope, validation, lots, rules
}
criterion_group!(wall, register);
criterion_main!(cpu, wall);
