//! The spools of lots: a file each, beside the store, for its user alone. They are written without a sync and synced once,
//! before the lot has its row. The threads that serve connections never wait for the disk.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, ErrorKind};
use std::os::unix::fs::{DirBuilderExt as _, FileExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use bytes::Bytes;
use jiff::Timestamp;
use uuid::Uuid;

use super::SqliteStore;
use super::lotti::find;
use super::row::guasto;
use crate::store::lotti::PEZZO_BYTES;
use crate::store::{Inconsistency, StoreError};

/// Where the spools of a store are.
pub(super) fn folder(store: &Path) -> PathBuf {
    let mut nome = store.as_os_str().to_owned();
    nome.push(".lotti");
    PathBuf::from(nome)
}

/// The spool of a lot.
fn file(store: &Path, lotto: Uuid) -> PathBuf {
    folder(store).join(lotto.to_string())
}

/// Adds a piece. The same piece once more changes nothing.
pub(super) async fn append(
    store: &SqliteStore,
    lotto: Uuid,
    pezzo: u32,
    byte: Bytes,
) -> Result<(), StoreError> {
    let path = store.path.clone();
    aside(move || {
        if pezzo == 0 {
            make_folder(&path)?;
        }
        let spool = OpenOptions::new()
            .write(true)
            // A spool that was taken away while it was written does not begin anew in its middle.
            .create(pezzo == 0)
            .mode(0o600)
            .open(file(&path, lotto))?;
        spool.write_all_at(&byte, u64::from(pezzo) * PEZZO_BYTES as u64)
    })
    .await
}

fn make_folder(store: &Path) -> io::Result<()> {
    match DirBuilder::new().mode(0o700).create(folder(store)) {
        Err(errore) if errore.kind() == ErrorKind::AlreadyExists => Ok(()),
        esito => esito,
    }
}

fn parent(path: &Path) -> &Path {
    match path.parent() {
        Some(cartella) if !cartella.as_os_str().is_empty() => cartella,
        _ => Path::new("."),
    }
}

fn sync_folder(cartella: &Path) -> io::Result<()> {
    File::open(cartella)?.sync_all()
}

/// Reads from an offset on; none at its end.
pub(super) async fn read(
    store: &SqliteStore,
    lotto: Uuid,
    da: u64,
    quanti: usize,
) -> Result<Bytes, StoreError> {
    let path = store.path.clone();
    aside(move || {
        let spool = File::open(file(&path, lotto))?;
        let resto = usize::try_from(spool.metadata()?.len().saturating_sub(da)).unwrap_or(usize::MAX);
        let mut byte = vec![0; quanti.min(resto)];
        spool.read_exact_at(&mut byte, da)?;
        Ok(Bytes::from(byte))
    })
    .await
}

/// Brings a spool to the disk, with its name.
pub(super) async fn sync(store: &SqliteStore, lotto: Uuid, byte: u64) -> Result<(), StoreError> {
    let path = store.path.clone();
    aside(move || {
        let spool = whole(&path, lotto, byte)?;
        spool.sync_all()?;
        // Its name, and that of the folder, which may be as new.
        sync_folder(&folder(&path))?;
        sync_folder(parent(&path))
    })
    .await
}

/// Whether a spool is there, and as long as it is said to be.
pub(super) async fn look(store: &SqliteStore, lotto: Uuid, byte: u64) -> Result<(), StoreError> {
    let path = store.path.clone();
    aside(move || whole(&path, lotto, byte).map(drop)).await
}

pub(super) fn whole(store: &Path, lotto: Uuid, byte: u64) -> io::Result<File> {
    let spool = File::open(file(store, lotto))?;
    if spool.metadata()?.len() == byte {
        Ok(spool)
    } else {
        Err(ErrorKind::UnexpectedEof.into())
    }
}

/// Forgets the spool of a lot, unless it was taken in after all.
pub(super) async fn discard(store: &SqliteStore, lotto: Uuid) -> Result<(), StoreError> {
    // Under the lock of whoever takes lots in.
    let mut presa = store.take().await?;
    let accettato = find(&mut presa.connessione, lotto).await;
    let esito = match accettato {
        Ok(Some(_)) => Ok(()),
        Ok(None) => {
            let path = file(&store.path, lotto);
            aside(move || remove(&path)).await
        }
        Err(errore) => Err(errore),
    };
    presa.give_back();
    esito
}

fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(errore) if errore.kind() == ErrorKind::NotFound => Ok(()),
        altro => altro,
    }
}

/// So many spools go at a time: a disk that gives back gigabytes keeps nobody waiting for long.
const SPAZZATI_MAX: usize = 16;

/// Forgets the spools that are no longer wanted.
pub(super) async fn sweep(
    store: &SqliteStore,
    conclusi_prima: Timestamp,
    abbandonati_prima: Timestamp,
) -> Result<u64, StoreError> {
    let path = store.path.clone();
    let mut tolti = 0;
    for (lotto, scritto_il) in aside(move || list(&path)).await? {
        let mut lettore = store.lettori.acquire().await.map_err(guasto)?;
        let via = match find(&mut lettore, lotto).await? {
            Some(accettato) => accettato.concluso_il.is_some_and(|il| il < conclusi_prima),
            None => scritto_il < abbandonati_prima,
        };
        drop(lettore);
        if via {
            let path = file(&store.path, lotto);
            // Under the lock of whoever takes lots in: one that has ended is not opened again, and one that nobody took
            // in is looked for once more.
            let mut presa = store.take().await?;
            let ancora = find(&mut presa.connessione, lotto).await;
            let esito = match ancora {
                Ok(Some(accettato)) if accettato.concluso_il.is_none() => Ok(0),
                Ok(_) => aside(move || remove(&path)).await.map(|()| 1),
                Err(errore) => Err(errore),
            };
            presa.give_back();
            tolti += esito?;
        }
        if tolti >= SPAZZATI_MAX as u64 {
            break;
        }
    }
    Ok(tolti)
}

/// Bytes of all spools.
pub(super) async fn size(store: &SqliteStore) -> Result<u64, StoreError> {
    let path = store.path.clone();
    aside(move || match fs::read_dir(folder(&path)) {
        Ok(mut voci) => voci.try_fold(0, |somma, voce| Ok(somma + voce?.metadata()?.len())),
        Err(errore) if errore.kind() == ErrorKind::NotFound => Ok(0),
        Err(errore) => Err(errore),
    })
    .await
}

/// The spools that are there, and when each was written to.
fn list(store: &Path) -> io::Result<Vec<(Uuid, Timestamp)>> {
    let voci = match fs::read_dir(folder(store)) {
        Ok(voci) => voci,
        Err(errore) if errore.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        Err(errore) => return Err(errore),
    };
    let mut spool = Vec::new();
    for voce in voci {
        let voce = voce?;
        // What is not ours is left alone.
        let Some(lotto) = voce.file_name().to_str().and_then(|nome| nome.parse().ok()) else {
            continue;
        };
        let scritto_il = match voce.metadata().and_then(|dati| dati.modified()) {
            Ok(scritto_il) => scritto_il,
            // Somebody was faster.
            Err(errore) if errore.kind() == ErrorKind::NotFound => continue,
            Err(errore) => return Err(errore),
        };
        spool.push((lotto, Timestamp::try_from(scritto_il).map_err(io::Error::other)?));
    }
    Ok(spool)
}

/// Reads a piece for whoever moves the store elsewhere.
pub(super) fn piece(store: &Path, lotto: Uuid, pezzo: u64, byte: u64) -> io::Result<Vec<u8>> {
    let spool = whole(store, lotto, byte)?;
    let da = pezzo * PEZZO_BYTES as u64;
    let quanti = usize::try_from(byte.saturating_sub(da)).unwrap_or(usize::MAX);
    let mut letti = vec![0; quanti.min(PEZZO_BYTES)];
    spool.read_exact_at(&mut letti, da)?;
    Ok(letti)
}

/// Work on files, on a thread that may wait for them.
async fn aside<T: Send + 'static>(
    lavoro: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> Result<T, StoreError> {
    match tokio::task::spawn_blocking(lavoro).await {
        Ok(esito) => esito.map_err(|errore| failed(&errore)),
        Err(errore) => Err(StoreError::unavailable(errore)),
    }
}

/// What the file system says, in our words.
pub(super) fn failed(errore: &io::Error) -> StoreError {
    match errore.kind() {
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded | ErrorKind::FileTooLarge => StoreError::Full(
            "no room left for the lots beside the store (disk or quota); free some, nothing else is needed"
                .to_owned(),
        ),
        ErrorKind::NotFound | ErrorKind::UnexpectedEof => {
            Inconsistency::new("lotti", "byte", "its spool is not there, or not whole").into()
        }
        _ => StoreError::unavailable(format!("the spool of a lot: {errore}")),
    }
}
