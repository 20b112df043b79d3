//! The file of the key by which the trace finds persons. The first gateway of a store makes it; another one on the same
//! store, which has no file or another key, is told so at its start: else each would search in vain for what the other wrote.

use std::fs::OpenOptions as File;
use std::io::{ErrorKind, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use anyhow::{Context as _, Result};
use jiff::SignedDuration;

use crate::config::Config;
use crate::store::{self, OpenOptions, SharedStore, StoreError};
use crate::trace::persona::ChiaveRicerca;

/// The key of a configuration; `None` where it names no file, or there is none yet.
pub(super) fn read(config: &Config) -> Result<Option<ChiaveRicerca>> {
    let Some(file) = &config.chiave_ricerca else {
        return Ok(None);
    };
    let testo = match std::fs::read_to_string(file) {
        Ok(testo) => testo,
        Err(causa) if causa.kind() == ErrorKind::NotFound => return Ok(None),
        Err(causa) => {
            return Err(causa)
                .with_context(|| format!("trace.chiave_ricerca: impossibile leggere {}", file.display()));
        }
    };
    let chiave = testo
        .parse()
        .with_context(|| format!("trace.chiave_ricerca: {} non è una chiave", file.display()))?;
    Ok(Some(chiave))
}

/// Opens the store of a gateway with its key, which is made where store and file are new.
pub(super) async fn open(config: &Config, options: OpenOptions) -> Result<(SharedStore, SignedDuration)> {
    let con = |chiave_ricerca| OpenOptions {
        chiave_ricerca,
        ..options.clone()
    };
    if let Some(chiave) = read(config)? {
        return Ok(store::open(&config.store, &con(Some(chiave))).await?);
    }
    let Some(file) = &config.chiave_ricerca else {
        return Ok(store::open(&config.store, &con(None)).await?);
    };
    let nuova = match make(file) {
        Ok(nuova) => nuova,
        Err(causa) => {
            tracing::warn!(
                "persons will not be found in the trace, the key of the search cannot be made: {causa:#}"
            );
            return Ok(store::open(&config.store, &con(None)).await?);
        }
    };
    match store::open(&config.store, &con(Some(nuova))).await {
        Err(StoreError::Refused(causa)) => {
            // Nothing was written with it.
            let _ = std::fs::remove_file(file);
            let aperto = store::open(&config.store, &con(None)).await?;
            tracing::warn!("persons will not be found in what this gateway traces: {causa}");
            Ok(aperto)
        }
        Err(errore) => {
            // Whether the store knows it by now is not known: the file stays.
            Err(errore.into())
        }
        Ok(aperto) => Ok(aperto),
    }
}

/// Makes the file: nobody else may read it.
fn make(file: &Path) -> Result<ChiaveRicerca> {
    let chiave = ChiaveRicerca::generate().context("il sistema non dà numeri casuali")?;
    let scritto = || format!("impossibile scrivere {}", file.display());
    let mut aperto = File::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(file)
        .with_context(scritto)?;
    aperto
        .write_all(chiave.text().as_bytes())
        .and_then(|()| aperto.sync_all())
        .with_context(scritto)?;
    Ok(chiave)
}
