//! A copy of a file while a gateway works on it: one statement, of one moment, that stops nobody. It is a store like any
//! other; whoever opens it looks it over.

use std::fs::File;
use std::path::Path;

use sqlx::Connection as _;

use super::open::{connect, connect_options};
use super::row::guasto;
use super::spool::folder;
use crate::store::{Inconsistency, OpenOptions, StoreError};

/// Copies the file `da` to `a`, which must not be there yet, and the lots' bytes beside it; all is on the disk when this
/// returns. The bytes come after the rows: every lot that the copy knows has its bytes.
pub async fn backup(da: &Path, a: &Path, options: &OpenOptions) -> Result<(), StoreError> {
    super::open::look_at_file(da, false)?;
    let options = connect_options(da, options, false);
    let mut connessione = connect(&options, da).await?;
    let copiato = sqlx::query("VACUUM INTO ?")
        .bind(a.to_string_lossy().into_owned())
        .execute(&mut connessione)
        .await
        .map_err(guasto);
    let chiusa = connessione.close().await;
    copiato?;
    chiusa.map_err(guasto)?;
    let (da, a) = (da.to_owned(), a.to_owned());
    tokio::task::spawn_blocking(move || copy_spool(&da, &a))
        .await
        .map_err(StoreError::unavailable)?
        .map_err(StoreError::unavailable)
}

/// The lots' bytes, then everything to the disk.
fn copy_spool(da: &Path, a: &Path) -> std::io::Result<()> {
    File::open(a)?.sync_all()?;
    let (da_cartella, a_cartella) = (folder(da), folder(a));
    if da_cartella.is_dir() {
        std::fs::create_dir(&a_cartella)?;
        for voce in std::fs::read_dir(&da_cartella)? {
            let voce = voce?;
            let copia = a_cartella.join(voce.file_name());
            match std::fs::copy(voce.path(), &copia) {
                Ok(_) => File::open(&copia)?.sync_all()?,
                // A lot that was over in the meantime: the copy's row will find it gone, as the store's own would.
                Err(errore) if errore.kind() == std::io::ErrorKind::NotFound => {}
                Err(errore) => return Err(errore),
            }
        }
        File::open(&a_cartella)?.sync_all()?;
    }
    if let Some(cartella) = a.parent() {
        File::open(cartella)?.sync_all()?;
    }
    Ok(())
}

/// Looks whether SQLite finds the file whole: every page, every index.
pub async fn check(path: &Path, options: &OpenOptions) -> Result<(), StoreError> {
    let options = connect_options(path, options, false);
    let mut connessione = connect(&options, path).await?;
    let detto: Vec<String> = sqlx::query_scalar("PRAGMA integrity_check")
        .fetch_all(&mut connessione)
        .await
        .map_err(guasto)?;
    connessione.close().await.map_err(guasto)?;
    if detto == ["ok"] {
        Ok(())
    } else {
        Err(Inconsistency::new("integrity_check", "*", detto.join("; ")).into())
    }
}
