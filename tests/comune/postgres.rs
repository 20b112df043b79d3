//! The PostgreSQL of a test binary: one throw-away cluster from the server binaries of this machine, made by the first
//! test that asks and gone when the process ends; each test has a database of its own in it. Without binaries such tests say so, aloud, and pass, except where
//! nobody would read it: with `CI=true` or `VARCO_TEST_POSTGRES=1` they fail.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError};

use varco::cli::cluster::{Binaries, Cluster, Opzioni};
use varco::clock::{Clock as _, WallClock};
use varco::domanda::Ambiente;
use varco::store::{self, OpenOptions, StoreUrl};

/// The server binaries; `None`, said aloud, where there are none and none are asked for.
pub(crate) fn binaries() -> Option<&'static Binaries> {
    static BINARIES: OnceLock<Option<Binaries>> = OnceLock::new();
    let binaries = BINARIES.get_or_init(Binaries::find).as_ref();
    if binaries.is_none() {
        let set_to = |nome: &str, valore: &str| std::env::var_os(nome).is_some_and(|detto| detto == valore);
        assert!(
            !set_to("CI", "true") && !set_to("VARCO_TEST_POSTGRES", "1"),
            "no PostgreSQL server binaries on this machine, and the tests are to run on them"
        );
        // Not with a macro: its words would be kept from whoever runs the tests.
        let test = std::thread::current().name().unwrap_or("a test").to_owned();
        let _ = writeln!(
            std::io::stderr(),
            "NOT RUN: {test}: no PostgreSQL server binaries here (apt-get install postgresql)"
        );
    }
    binaries
}

/// The cluster that the tests of this binary share. A test that stops it or sets it up otherwise makes its own.
pub(crate) fn cluster() -> Option<&'static Cluster> {
    static CLUSTER: OnceLock<Cluster> = OnceLock::new();
    let binaries = binaries()?;
    Some(CLUSTER.get_or_init(|| Cluster::start(binaries, &Opzioni::default()).unwrap()))
}

/// A fresh store of an ambiente in that cluster, by the name of its database; `None` where there is no PostgreSQL.
pub(crate) fn fresh_database(ambiente: Ambiente) -> Option<String> {
    static MODELLI: Mutex<BTreeMap<&str, String>> = Mutex::new(BTreeMap::new());
    let cluster = cluster()?;
    let modello = MODELLI
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .entry(ambiente.as_str())
        .or_insert_with(|| model(cluster, ambiente))
        .clone();
    let nome = fresh_name();
    cluster.copy_database(&modello, &nome).unwrap();
    Some(nome)
}

/// A name that nothing of this run has.
pub(crate) fn fresh_name() -> String {
    static ULTIMO: AtomicU32 = AtomicU32::new(0);
    format!("banco{}", ULTIMO.fetch_add(1, Ordering::Relaxed))
}

/// A database that is laid down once, for the others to begin as.
fn model(cluster: &Cluster, ambiente: Ambiente) -> String {
    let nome = format!("modello_{}", ambiente.as_str());
    cluster.create_database(&nome).unwrap();
    let url = StoreUrl::Postgres(cluster.url(&nome));
    let options = OpenOptions {
        create: true,
        ..OpenOptions::new(ambiente, WallClock::default().wall())
    };
    // A thread of its own: the one that asks may have a runtime already.
    let thread = std::thread::spawn(move || {
        let lay_down = async {
            let (store, _) = store::open(&url, &options).await.unwrap();
            store.close().await;
        };
        tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap()
            .block_on(lay_down);
    });
    thread.join().unwrap();
    nome
}
