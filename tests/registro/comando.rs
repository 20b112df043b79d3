//! The command line on a store: `varco register …` as a process of its own.

use std::path::Path;
use std::process::Command;

use jiff::Timestamp;
use varco::clock::{Clock as _, WallClock};
use varco::store::legale::{SharedRegistro, open_registro};
use varco::store::{OpenOptions, StoreUrl};

use crate::atti::options;
use crate::banco::Banco;

/// What a command said, and how it ended.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Detto {
    pub(crate) codice: i32,
    pub(crate) fuori: String,
    pub(crate) errori: String,
}

/// On whose authority the register is touched.
pub(crate) const AUTORITA: [&str; 4] = ["--provvedimento", "12/2021", "--provvedimento-data", "2021-07-01"];

/// Runs `varco register recover` with these arguments besides reason and authority.
pub(crate) fn recover(config: &Path, altri: &[&str]) -> Detto {
    let perche = ["recover", "--motivo", "ripristino", "--operatore", "m.verdi"];
    register(config, &[&perche[..], &AUTORITA, altri].concat())
}

/// Runs `varco register` with these arguments and this configuration.
pub(crate) fn register(config: &Path, argomenti: &[&str]) -> Detto {
    let config = config.to_str().unwrap();
    run(&[&["register"], argomenti, &["--config", config]].concat())
}

/// Runs `varco` with these arguments.
pub(crate) fn run(argomenti: &[&str]) -> Detto {
    let output = Command::new(env!("CARGO_BIN_EXE_varco"))
        .args(argomenti)
        .output()
        .unwrap();
    Detto {
        codice: output.status.code().unwrap(),
        fuori: String::from_utf8(output.stdout).unwrap(),
        errori: String::from_utf8(output.stderr).unwrap(),
    }
}

/// A configuration for the bench's store, in a folder of its own.
pub(crate) fn config_of(banco: &Banco) -> tempfile::TempDir {
    let cartella = tempfile::tempdir().unwrap();
    let store = match banco.url() {
        StoreUrl::Sqlite(percorso) => format!("sqlite:{}", percorso.display()),
        StoreUrl::Postgres(url) => url.as_str().to_owned(),
    };
    std::fs::write(
        cartella.path().join("varco.toml"),
        format!("ambiente = \"collaudo\"\nstore = \"{store}\"\n"),
    )
    .unwrap();
    cartella
}

/// Sets the store's business clock: from now on it shows `inizio` and runs on.
pub(crate) async fn set_clock(banco: &Banco, inizio: &str) {
    let spostato = OpenOptions {
        orologio_inizio: Some(inizio.parse::<Timestamp>().unwrap()),
        adesso: WallClock::default().wall(),
        ..options()
    };
    banco.open(&spostato).await.unwrap();
}

/// The bench's store, as its keeper opens it.
pub(crate) async fn keeper(banco: &Banco) -> SharedRegistro {
    open_registro(&banco.url(), &options()).await.unwrap().0
}
