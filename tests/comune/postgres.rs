//! The PostgreSQL of the tests: throw-away clusters from the server binaries of this machine. Without binaries such tests say so, aloud, and pass, except where
//! nobody would read it: with `CI=true` or `VARCO_TEST_POSTGRES=1` they fail.

use std::io::Write as _;
use std::sync::OnceLock;

use varco::cli::cluster::{Binaries, Cluster, Opzioni};

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
