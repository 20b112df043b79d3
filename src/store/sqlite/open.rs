//! Opening the file: what is looked at before a row of it is believed, and the business clock that it carries.

use std::path::Path;
use std::str::FromStr;
use std::sync::Arc;
use std::sync::atomic::AtomicU32;
use std::time::Duration;

use jiff::SignedDuration;
use sqlx::migrate::Migrator;
use sqlx::sqlite::{
    SqliteAutoVacuum, SqliteConnectOptions, SqliteConnection, SqliteJournalMode, SqlitePoolOptions,
    SqliteSynchronous,
};
use sqlx::{ConnectOptions, Connection, Executor};
use tokio::sync::{Mutex, Notify};

use super::consulta::Consulte;
use super::origine::Trasferimento;
use super::piega::{PAGINE_MAX, Piega};
use super::{Scrittura, SqliteStore, row};
use crate::domanda::Ambiente;
use crate::store::ancore::{Ancore, Archivio, Contatori};
use crate::store::indizi::{IMPRONTA_CHIAVE, same_key};
use crate::store::sportello::Sportello;
use crate::store::{Inconsistency, OpenOptions, StoreError};

impl SqliteStore {
    /// Opens the file, and tells how far its business clock is ahead of the true one: see [`crate::store::open`].
    pub async fn open(path: &Path, options: &OpenOptions) -> Result<(Self, SignedDuration), StoreError> {
        let nuovo = look_at_file(path, options.create)?;
        if !nuovo {
            check_owner(path, options).await?;
        }
        let connect_options = connect_options(path, options, nuovo);
        let mut connessione = connect(&connect_options, path).await?;
        // Opened again it is the same file, or none: a store that was moved away must not be followed by an empty one.
        let connect_options = self::connect_options(path, options, false);
        MIGRAZIONI
            .run(&mut connessione)
            .await
            .map_err(|errore| refused(path, format!("schema cannot be brought up to date: {errore}")))?;
        claim(&mut connessione, path, options).await?;
        let offset = clock_offset(&mut connessione, options).await?;
        let ancore = anchors(&mut connessione, options).await?;
        know_key(&mut connessione, path, options).await?;

        let lettori = {
            let path = path.to_owned();
            SqlitePoolOptions::new()
                .max_connections(options.lettori.max(1))
                .acquire_timeout(options.attesa)
                // They lie in this process: there is nothing that could have hung up.
                .test_before_acquire(false)
                .after_connect(move |connessione, _| {
                    let path = path.clone();
                    Box::pin(async move {
                        connessione.execute("PRAGMA query_only = ON").await?;
                        assert_promises(connessione, &path)
                            .await
                            .map_err(|errore| sqlx::Error::Configuration(errore.into()))
                    })
                })
                .connect_lazy_with(connect_options.clone())
        };
        let scritto = Arc::new(Notify::new());
        let scrittura = Arc::new(Mutex::new(Scrittura {
            connessione: None,
            sospetta: true,
            attesa: options.attesa,
            scritto: Arc::clone(&scritto),
        }));
        let store = Self {
            path: path.to_owned(),
            ambiente: options.ambiente,
            consulte: Sportello::new(Consulte::new(path, &connect_options)),
            piega: Piega::spawn(path, &connect_options, scritto, &scrittura),
            options: connect_options,
            max_page_count: AtomicU32::new(options.max_page_count),
            scrittura,
            lettori,
            ancore,
            chiave_ricerca: options.chiave_ricerca.clone(),
        };
        store.apply_limit(&mut connessione).await?;
        store.scrittura.lock().await.connessione = Some(connessione);
        Ok((store, offset))
    }
}

/// A connection that keeps its promises, or none.
pub(super) async fn connect(
    options: &SqliteConnectOptions,
    path: &Path,
) -> Result<SqliteConnection, StoreError> {
    let mut connessione = SqliteConnection::connect_with(options)
        .await
        .map_err(|errore| cannot_open(path, errore))?;
    assert_promises(&mut connessione, path).await?;
    Ok(connessione)
}

/// The file before SQLite sees it: its own words for these cases help nobody. True when it is to be laid down.
pub(super) fn look_at_file(path: &Path, create: bool) -> Result<bool, StoreError> {
    use std::io::{ErrorKind, Read};

    let cartella = match path.parent() {
        Some(cartella) if !cartella.as_os_str().is_empty() => cartella,
        _ => Path::new("."),
    };
    if !cartella.is_dir() {
        return Err(refused(
            path,
            format!(
                "its folder {} does not exist; create it first",
                cartella.display()
            ),
        ));
    }
    if path.is_dir() {
        return Err(refused(path, "it is a folder, not a file"));
    }
    let mut testa = Vec::with_capacity(INTESTAZIONE.len());
    match std::fs::File::open(path) {
        Ok(file) => {
            file.take(INTESTAZIONE.len() as u64)
                .read_to_end(&mut testa)
                .map_err(|errore| refused(path, format!("it cannot be read: {errore}")))?;
        }
        Err(errore) if errore.kind() == ErrorKind::NotFound => {}
        Err(errore) => return Err(refused(path, format!("it cannot be read: {errore}"))),
    }
    if testa.is_empty() {
        // An empty file is what a crash leaves between the creation and the first page.
        if create {
            return Ok(true);
        }
        return Err(refused(
            path,
            "there is no such store; `varco migrate` lays it down",
        ));
    }
    if testa == INTESTAZIONE {
        Ok(false)
    } else {
        Err(refused(path, "it is not an SQLite database"))
    }
}

const INTESTAZIONE: &[u8] = b"SQLite format 3\0";

pub(super) fn connect_options(path: &Path, options: &OpenOptions, nuovo: bool) -> SqliteConnectOptions {
    let nuove = SqliteConnectOptions::new();
    // Before the first table, or never: what a purge frees goes back to the disk. Said again by a later connection it would be
    // a write of its first page: no reader could be opened on a full disk, nor while somebody writes.
    let nuove = if nuovo {
        nuove.auto_vacuum(SqliteAutoVacuum::Incremental)
    } else {
        nuove
    };
    nuove
        .filename(path)
        .create_if_missing(nuovo)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .foreign_keys(true)
        .busy_timeout(options.attesa)
        // The registration's statements come in eighteen sizes each (`batch`).
        .statement_cache_capacity(192)
        // The driver's log would tell statements of thousands of characters; ours tells what failed.
        .disable_statement_logging()
        .pragma("temp_store", "MEMORY")
        .pragma("wal_autocheckpoint", PAGINE_MAX)
        // An hour of heavy traffic must not leave its log behind for ever.
        .pragma("journal_size_limit", "67108864")
}

/// What was set is set: a file system without shared memory keeps another journal without a word.
async fn assert_promises(connessione: &mut SqliteConnection, path: &Path) -> Result<(), StoreError> {
    let giornale: String = sqlx::query_scalar("PRAGMA journal_mode")
        .fetch_one(&mut *connessione)
        .await
        .map_err(|errore| cannot_open(path, errore))?;
    let sincrono = scalar(connessione, "PRAGMA synchronous").await?;
    let chiavi = scalar(connessione, "PRAGMA foreign_keys").await?;
    let vuoto = scalar(connessione, "PRAGMA auto_vacuum").await?;
    for (nome, valore, atteso) in [
        ("journal_mode", giornale, "wal"),
        ("synchronous", sincrono.to_string(), "2"),
        ("foreign_keys", chiavi.to_string(), "1"),
        ("auto_vacuum", vuoto.to_string(), "2"),
    ] {
        if valore != atteso {
            return Err(refused(
                path,
                format!(
                    "{nome} is {valore} where {atteso} was promised; is it on a local disk, and laid down by varco?"
                ),
            ));
        }
    }
    Ok(())
}

/// Ours, of this ambiente, and not newer than we are: looked at through a connection that cannot write, for even
/// our settings would change a file that is somebody else's.
async fn check_owner(path: &Path, options: &OpenOptions) -> Result<(), StoreError> {
    let mut connessione = connect_read_only(path, options.attesa).await?;
    let esito = check_rows(&mut connessione, path, options).await;
    super::close(connessione).await;
    esito
}

/// The ambiente of a file that is ours, before anything else is asked of it.
pub(super) async fn owner_of(path: &Path, attesa: Duration) -> Result<Ambiente, StoreError> {
    let mut connessione = connect_read_only(path, attesa).await?;
    let applicazione = scalar(&mut connessione, "PRAGMA application_id").await;
    let detto = match applicazione {
        Ok(APPLICAZIONE) => setting::<String>(&mut connessione, "ambiente").await,
        Ok(_) => Err(foreign(path)),
        Err(errore) => Err(errore),
    };
    super::close(connessione).await;
    let detto = detto?;
    [Ambiente::Sandbox, Ambiente::Collaudo, Ambiente::Produzione]
        .into_iter()
        .find(|ambiente| detto.as_deref() == Some(ambiente.as_str()))
        .ok_or_else(|| Inconsistency::new("impostazioni", "ambiente", "cannot be read").into())
}

async fn connect_read_only(path: &Path, attesa: Duration) -> Result<SqliteConnection, StoreError> {
    let options = SqliteConnectOptions::new()
        .filename(path)
        .read_only(true)
        .busy_timeout(attesa);
    SqliteConnection::connect_with(&options)
        .await
        .map_err(|errore| cannot_open(path, errore))
}

pub(super) async fn check_rows(
    connessione: &mut SqliteConnection,
    path: &Path,
    options: &OpenOptions,
) -> Result<(), StoreError> {
    let applicazione = scalar(connessione, "PRAGMA application_id").await?;
    let tabelle = scalar(
        connessione,
        "SELECT count(*) FROM sqlite_schema WHERE name NOT LIKE '\\_sqlx\\_%' ESCAPE '\\'
             AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'",
    )
    .await?;
    if tabelle == 0 {
        // Nothing in it yet: a file that we began to lay down before a crash. The first migration is one transaction.
        return if applicazione == 0 || applicazione == APPLICAZIONE {
            Ok(())
        } else {
            Err(foreign(path))
        };
    }
    if applicazione != APPLICAZIONE {
        return Err(foreign(path));
    }
    if let Some(ambiente) = setting::<String>(connessione, "ambiente").await?
        && ambiente != options.ambiente.as_str()
    {
        return Err(refused(
            path,
            format!(
                "it belongs to ambiente {ambiente}, but {} is configured; each ambiente has its own store",
                options.ambiente.as_str()
            ),
        ));
    }
    if !options.anche_trasferito
        && let Some(trasferimento) = Trasferimento::read(connessione).await?
    {
        return Err(moved(path, &trasferimento));
    }
    let schema = scalar(
        connessione,
        "SELECT coalesce(max(version), 0) FROM _sqlx_migrations",
    )
    .await?;
    let nostro = MIGRAZIONI
        .iter()
        .map(|migrazione| migrazione.version)
        .max()
        .unwrap_or(0);
    if schema > nostro {
        return Err(refused(
            path,
            format!(
                "its schema is version {schema}, and this varco knows {nostro}; use the newer varco that wrote it"
            ),
        ));
    }
    if schema < nostro && !options.migrate {
        return Err(refused(
            path,
            format!("its schema is version {schema}, and this varco needs {nostro}; run `varco migrate`"),
        ));
    }
    Ok(())
}

/// Writes into a new store whose it is.
async fn claim(
    connessione: &mut SqliteConnection,
    path: &Path,
    options: &OpenOptions,
) -> Result<(), StoreError> {
    sqlx::query("INSERT INTO impostazioni (nome, valore) VALUES ('ambiente', ?), ('creato_il', ?) ON CONFLICT DO NOTHING")
        .bind(options.ambiente.as_str())
        .bind(options.adesso.to_string())
        .execute(&mut *connessione)
        .await
        .map_err(row::guasto)?;
    // Two processes that lay down the same file at once: the first one's ambiente stands.
    match setting::<String>(connessione, "ambiente").await? {
        Some(ambiente) if ambiente == options.ambiente.as_str() => Ok(()),
        _ => Err(refused(path, "another process laid it down for another ambiente")),
    }
}

/// The key of the search: the first that comes is the store's, another one is refused.
async fn know_key(
    connessione: &mut SqliteConnection,
    path: &Path,
    options: &OpenOptions,
) -> Result<(), StoreError> {
    let Some(chiave) = &options.chiave_ricerca else {
        return Ok(());
    };
    sqlx::query("INSERT INTO impostazioni (nome, valore) VALUES (?, ?) ON CONFLICT DO NOTHING")
        .bind(IMPRONTA_CHIAVE)
        .bind(chiave.impronta())
        .execute(&mut *connessione)
        .await
        .map_err(row::guasto)?;
    let nota = setting::<String>(connessione, IMPRONTA_CHIAVE).await?;
    same_key(chiave, &nota.unwrap_or_default()).map_err(|causa| refused(path, causa))
}

/// The anchors of this store, where it has any; that it stands before them is said at once, and refused at every number.
async fn anchors(connessione: &mut SqliteConnection, options: &OpenOptions) -> Result<Ancore, StoreError> {
    let Some(config) = &options.ancore else {
        return Ok(Ancore::default());
    };
    let creato_il = setting::<String>(connessione, "creato_il").await?;
    let ancore = Ancore::open(config, Archivio::new(options.ambiente, creato_il))?;
    ancore.warn(&counters(connessione).await?);
    Ok(ancore)
}

/// Where the counters stand.
pub(super) async fn counters(connessione: &mut SqliteConnection) -> Result<Contatori, StoreError> {
    Ok(Contatori {
        registri: sqlx::query_as(Contatori::REGISTRI)
            .fetch_all(&mut *connessione)
            .await
            .map_err(row::guasto)?,
        domanda: sqlx::query_scalar(Contatori::DOMANDA)
            .fetch_one(connessione)
            .await
            .map_err(row::guasto)?,
    })
}

/// How far the business clock is ahead of the true one (spec of `orologio.inizio`: design.md §2.16).
async fn clock_offset(
    connessione: &mut SqliteConnection,
    options: &OpenOptions,
) -> Result<SignedDuration, StoreError> {
    let offset_ms: Option<i64> = setting(connessione, "offset_orologio_ms").await?;
    let inizio_ms: Option<i64> = setting(connessione, "orologio_inizio").await?;
    let Some(inizio) = options.orologio_inizio else {
        return Ok(SignedDuration::from_millis(offset_ms.unwrap_or(0)));
    };
    if let Some(offset_ms) = offset_ms
        && inizio_ms == Some(inizio.as_millisecond())
    {
        return Ok(SignedDuration::from_millis(offset_ms));
    }
    let offset_ms = inizio.as_millisecond() - options.adesso.as_millisecond();
    sqlx::query(
        "INSERT INTO impostazioni (nome, valore) VALUES ('orologio_inizio', ?), ('offset_orologio_ms', ?)
         ON CONFLICT (nome) DO UPDATE SET valore = excluded.valore",
    )
    .bind(inizio.as_millisecond().to_string())
    .bind(offset_ms.to_string())
    .execute(connessione)
    .await
    .map_err(row::guasto)?;
    Ok(SignedDuration::from_millis(offset_ms))
}

pub(super) async fn setting<T: FromStr>(
    connessione: &mut SqliteConnection,
    nome: &'static str,
) -> Result<Option<T>, StoreError> {
    let valore: Option<String> = sqlx::query_scalar("SELECT valore FROM impostazioni WHERE nome = ?")
        .bind(nome)
        .fetch_optional(connessione)
        .await
        .map_err(row::guasto)?;
    valore
        .map(|valore| {
            valore
                .parse()
                .map_err(|_| Inconsistency::new("impostazioni", nome, "cannot be read").into())
        })
        .transpose()
}

async fn scalar(connessione: &mut SqliteConnection, sql: &'static str) -> Result<i64, StoreError> {
    sqlx::query_scalar(sql)
        .fetch_one(connessione)
        .await
        .map_err(row::guasto)
}

/// No gateway draws a number where another store goes on with them.
fn moved(path: &Path, trasferimento: &Trasferimento) -> StoreError {
    let Trasferimento { a, il, .. } = trasferimento;
    match il {
        Some(il) => refused(
            path,
            format!(
                "it was moved to {a} on {il}, and takes no registration any more; set `store` to that database"
            ),
        ),
        None => refused(
            path,
            format!(
                "its move to {a} was begun, and how it ended is not known here; repeat `varco store copy`, which \
                 finishes it"
            ),
        ),
    }
}

fn foreign(path: &Path) -> StoreError {
    refused(path, "it is an SQLite database of another application")
}

fn refused(path: &Path, causa: impl std::fmt::Display) -> StoreError {
    StoreError::Refused(format!("{}: {causa}", path.display()))
}

/// SQLite's result codes for a file that cannot be opened, in words that say what to do.
fn cannot_open(path: &Path, errore: sqlx::Error) -> StoreError {
    let codice = match &errore {
        sqlx::Error::Database(database) => row::primary(database.code()),
        _ => None,
    };
    match codice {
        Some(row::SQLITE_CANTOPEN) => refused(
            path,
            "it cannot be opened; may this user read and write it and its folder?",
        ),
        Some(row::SQLITE_READONLY) => refused(
            path,
            "it cannot be written; may this user write it and its folder?",
        ),
        Some(row::SQLITE_NOTADB) => refused(path, "it is not an SQLite database"),
        _ => row::guasto(errore),
    }
}

/// `VARC`, as the first migration sets it.
const APPLICAZIONE: i64 = 0x5641_5243;

/// Writes [`APPLICAZIONE`] over itself.
pub(super) const STESSA_APPLICAZIONE: &str = "PRAGMA application_id = 1447121475";

/// The version of each migration, the oldest first.
pub(in crate::store) fn versioni() -> Vec<i64> {
    MIGRAZIONI.iter().map(|migrazione| migrazione.version).collect()
}

static MIGRAZIONI: Migrator = sqlx::migrate!("migrations/sqlite");
