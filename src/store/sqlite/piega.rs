//! Folding the log into the file, beside the writer. SQLite folds inside the COMMIT that finds the log long enough: whoever waits for
//! that commit waits for two thousand pages and a sync more. Here a connection of its own copies most of them while the writer goes
//! on, and then, with the writer held up for a moment, the few that came meanwhile; so the next transaction begins the log anew.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use tokio::sync::{Mutex, Notify, oneshot};
use tokio::task::JoinHandle;

use super::row::guasto;
use super::{Scrittura, close, open};
use crate::store::StoreError;

/// The pages (4 KiB each) that the log has before it is folded here: what every batch writes anew is copied once, not four times.
const PAGINE: i64 = 2000;
/// Those with which a commit folds it itself, where nobody did in time: in a command, or when this task fails. 16 MiB: a log
/// that was ever so long keeps its place on the disk.
pub(super) const PAGINE_MAX: &str = "4000";
/// How soon after a commit the log is measured: the busiest writer fills some 32,000 pages a second, and goes on while it is folded.
const PASSO: Duration = Duration::from_millis(20);
/// How soon [`fold_all`] tries again.
const TRA_DUE_TENTATIVI: Duration = Duration::from_millis(10);

/// The task that folds; it ends with this handle.
#[derive(Debug)]
pub(super) struct Piega(Mutex<Option<(oneshot::Sender<()>, JoinHandle<()>)>>);

impl Piega {
    /// Starts it. `scritto` is told of every commit; `scrittura` is what every writer of this process holds while it writes.
    pub(super) fn spawn(
        path: &Path,
        options: &SqliteConnectOptions,
        scritto: Arc<Notify>,
        scrittura: &Arc<Mutex<Scrittura>>,
    ) -> Self {
        let (fine, finita) = oneshot::channel();
        let chi_piega = ChiPiega {
            path: path.to_owned(),
            options: options.clone(),
            scrittura: Arc::clone(scrittura),
            connessione: None,
            fallita: false,
        };
        let lavoro = tokio::spawn(chi_piega.work(scritto, finita));
        Self(Mutex::new(Some((fine, lavoro))))
    }

    /// Ends it, and waits until its connection is closed; whoever calls must not hold the writer up.
    pub(super) async fn close(&self) {
        if let Some((fine, lavoro)) = self.0.lock().await.take() {
            drop(fine);
            if let Err(errore) = lavoro.await {
                tracing::error!("who folds the log ended badly: {errore}");
            }
        }
    }
}

struct ChiPiega {
    path: PathBuf,
    options: SqliteConnectOptions,
    scrittura: Arc<Mutex<Scrittura>>,
    /// `None` before the first commit and after a failure.
    connessione: Option<SqliteConnection>,
    /// The last look failed, and that was told: a full disk would be told fifty times a second.
    fallita: bool,
}

impl ChiPiega {
    /// Until `finita`: some time after a commit, a look at the log.
    async fn work(mut self, scritto: Arc<Notify>, mut finita: oneshot::Receiver<()>) {
        loop {
            tokio::select! {
                biased;
                _ = &mut finita => break,
                () = scritto.notified() => {}
            }
            if tokio::time::timeout(PASSO, &mut finita).await.is_ok() {
                break;
            }
            let esito = self.look().await;
            if let Err(errore) = &esito
                && !self.fallita
            {
                tracing::warn!("the log is not folded beside the writer, commits do it: {errore}");
            }
            self.fallita = esito.is_err();
        }
        if let Some(connessione) = self.connessione {
            close(connessione).await;
        }
    }

    async fn look(&mut self) -> Result<(), StoreError> {
        let mut connessione = match self.connessione.take() {
            Some(connessione) => connessione,
            None => open::connect(&self.options, &self.path).await?,
        };
        let esito = fold(&mut connessione, &self.scrittura).await;
        if esito.is_ok() {
            self.connessione = Some(connessione);
        } else {
            close(connessione).await;
        }
        esito
    }
}

/// Folds the log, if it is long.
async fn fold(connessione: &mut SqliteConnection, scrittura: &Mutex<Scrittura>) -> Result<(), StoreError> {
    if checkpoint(connessione, Modo::Noop).await?.left() < PAGINE {
        return Ok(());
    }
    // What a reader still needs is left to the next time, and nobody is held up for it.
    if checkpoint(connessione, Modo::Passive).await?.left() > 0 {
        return Ok(());
    }
    let _fermo = scrittura.lock().await;
    checkpoint(connessione, Modo::Passive).await?;
    Ok(())
}

/// Folds what nobody is in the way of, and cuts the log to nothing where that was all of it.
pub(super) async fn fold_at_rest(connessione: &mut SqliteConnection) -> Result<(), StoreError> {
    let log = checkpoint(connessione, Modo::Passive).await?;
    if log.pagine > 0 && log.left() == 0 {
        checkpoint(connessione, Modo::Truncate).await?;
    }
    Ok(())
}

/// Folds the log into the file and cuts it to nothing; fails when somebody is in the way for longer than `attesa`.
pub(super) async fn fold_all(connessione: &mut SqliteConnection, attesa: Duration) -> Result<(), StoreError> {
    let fine = Instant::now() + attesa;
    while checkpoint(connessione, Modo::Truncate).await?.impedita {
        // SQLite waits for who reads or writes, but not for another connection that folds the same log.
        if Instant::now() >= fine {
            return Err(StoreError::unavailable(
                "the log cannot be folded up: a reader or another process is in the way",
            ));
        }
        tokio::time::sleep(TRA_DUE_TENTATIVI).await;
    }
    Ok(())
}

/// How the log is folded.
#[derive(Debug, Clone, Copy)]
enum Modo {
    /// Not at all: it is measured.
    Noop,
    /// As far as nobody is in the way; waits for nobody.
    Passive,
    /// Whole, and cut to nothing.
    Truncate,
}

/// The log, after that.
#[derive(Debug)]
struct Log {
    /// Somebody was in the way.
    impedita: bool,
    pagine: i64,
    /// How many of them are in the file.
    piegate: i64,
}

impl Log {
    /// How many pages are left to fold.
    fn left(&self) -> i64 {
        self.pagine - self.piegate
    }
}

async fn checkpoint(connessione: &mut SqliteConnection, modo: Modo) -> Result<Log, StoreError> {
    let pragma = match modo {
        Modo::Noop => "PRAGMA wal_checkpoint(NOOP)",
        Modo::Passive => "PRAGMA wal_checkpoint(PASSIVE)",
        Modo::Truncate => "PRAGMA wal_checkpoint(TRUNCATE)",
    };
    let (impedita, pagine, piegate) = sqlx::query_as(pragma)
        .fetch_one(connessione)
        .await
        .map_err(guasto)?;
    Ok(Log {
        impedita,
        pagine,
        piegate,
    })
}

#[cfg(test)]
mod tests {
    use sqlx::{AssertSqlSafe, Connection as _};

    use super::*;
    use crate::domanda::Ambiente;
    use crate::store::{OpenOptions, Store as _};

    /// A store without anybody who folds, two connections to it, and what its writers hold.
    async fn store(path: &Path) -> ([SqliteConnection; 2], Mutex<Scrittura>) {
        let options = OpenOptions {
            create: true,
            ..OpenOptions::new(Ambiente::Sandbox, jiff::Timestamp::UNIX_EPOCH)
        };
        let (store, _) = super::super::SqliteStore::open(path, &options).await.unwrap();
        store.close().await;
        drop(store);
        let options = open::connect_options(path, &options, false);
        let chi_scrive = SqliteConnection::connect_with(&options).await.unwrap();
        let chi_piega = SqliteConnection::connect_with(&options).await.unwrap();
        let scrittura = Scrittura {
            connessione: None,
            sospetta: false,
            attesa: Duration::from_secs(5),
            scritto: Arc::default(),
        };
        ([chi_scrive, chi_piega], Mutex::new(scrittura))
    }

    async fn write_pages(connessione: &mut SqliteConnection, pagine: i64) {
        let sql = format!(
            "CREATE TABLE IF NOT EXISTS prova (byte BLOB);
             INSERT INTO prova VALUES (zeroblob({}))",
            pagine * 4096
        );
        sqlx::raw_sql(AssertSqlSafe(sql))
            .execute(connessione)
            .await
            .unwrap();
    }

    async fn measured(connessione: &mut SqliteConnection) -> Log {
        checkpoint(connessione, Modo::Noop).await.unwrap()
    }

    #[tokio::test]
    async fn a_short_log_is_left_alone() {
        let cartella = tempfile::tempdir().unwrap();
        let ([mut chi_scrive, mut chi_piega], scrittura) = store(&cartella.path().join("store.db")).await;
        write_pages(&mut chi_scrive, PAGINE / 2).await;
        fold(&mut chi_piega, &scrittura).await.unwrap();
        let log = measured(&mut chi_scrive).await;
        assert!(log.pagine >= PAGINE / 2, "{log:?}");
        assert_eq!(log.piegate, 0);
    }

    #[tokio::test]
    async fn most_is_folded_while_the_writer_works_and_the_rest_when_it_pauses_so_that_the_log_begins_anew() {
        let cartella = tempfile::tempdir().unwrap();
        let ([mut chi_scrive, mut chi_piega], scrittura) = store(&cartella.path().join("store.db")).await;
        let scrittura = Arc::new(scrittura);
        write_pages(&mut chi_scrive, PAGINE).await;
        let al_lavoro = scrittura.lock().await;
        let sua = Arc::clone(&scrittura);
        let piega = tokio::spawn(async move { fold(&mut chi_piega, &sua).await });
        while measured(&mut chi_scrive).await.left() > 0 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        assert!(!piega.is_finished(), "it waits for the writer");
        drop(al_lavoro);
        piega.await.unwrap().unwrap();
        write_pages(&mut chi_scrive, 1).await;
        let log = measured(&mut chi_scrive).await;
        assert!(log.pagine < 10, "the log begins anew: {log:?}");
    }

    #[tokio::test]
    async fn what_a_reader_still_needs_is_left_and_no_writer_held_up_for_it() {
        let cartella = tempfile::tempdir().unwrap();
        let path = cartella.path().join("store.db");
        let ([mut chi_scrive, mut chi_piega], scrittura) = store(&path).await;
        write_pages(&mut chi_scrive, 1).await;
        let ([mut chi_legge, _], _) = store(&path).await;
        sqlx::raw_sql("BEGIN; SELECT count(*) FROM prova")
            .execute(&mut chi_legge)
            .await
            .unwrap();
        write_pages(&mut chi_scrive, PAGINE).await;
        // Held for the whole of it: a fold that asked for the writer would never end.
        let _al_lavoro = scrittura.lock().await;
        fold(&mut chi_piega, &scrittura).await.unwrap();
        assert!(measured(&mut chi_scrive).await.left() >= PAGINE);
        sqlx::raw_sql("COMMIT").execute(&mut chi_legge).await.unwrap();
    }
}
