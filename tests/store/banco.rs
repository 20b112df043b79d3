//! The bench on which a story is told: a fresh store of one kind or the other, and the way another process comes to it.

use std::time::Duration;

use jiff::SignedDuration;
use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection, SqliteRow};
use sqlx::{AssertSqlSafe, Column, Connection, Executor, Row, ValueRef};
use tempfile::TempDir;
use varco::cli::cluster::Cluster;
use varco::domanda::Ambiente;
use varco::store::{self, OpenOptions, PostgresUrl, Registrazione, SharedStore, StoreError, StoreUrl};

use crate::atti::{istante, options};
use crate::postgres_comune::{cluster, fresh_database};

/// A store and where it is.
pub(crate) struct Banco {
    pub(crate) store: SharedStore,
    dove: Dove,
}

enum Dove {
    Sqlite(TempDir),
    Postgres {
        cluster: &'static Cluster,
        database: String,
    },
}

impl Banco {
    /// A fresh embedded store.
    pub(crate) async fn sqlite() -> Option<Self> {
        Some(Self::open_at(Dove::Sqlite(tempfile::tempdir().unwrap())).await)
    }

    /// A fresh database; `None` where there is no PostgreSQL.
    pub(crate) async fn postgres() -> Option<Self> {
        let cluster = cluster()?;
        let database = fresh_database(Ambiente::Collaudo)?;
        Some(Self::open_at(Dove::Postgres { cluster, database }).await)
    }

    async fn open_at(dove: Dove) -> Self {
        let (store, _) = store::open(&dove.url(), &options()).await.unwrap();
        Self { store, dove }
    }

    /// Opens it once more, as another gateway does, or the same one after a restart.
    pub(crate) async fn open(
        &self,
        options: &OpenOptions,
    ) -> Result<(SharedStore, SignedDuration), StoreError> {
        store::open(&self.url(), options).await
    }

    /// Another gateway on it.
    pub(crate) async fn another(&self) -> SharedStore {
        self.open(&options()).await.unwrap().0
    }

    pub(crate) fn url(&self) -> StoreUrl {
        self.dove.url()
    }

    /// The database as another of its users comes to it.
    pub(crate) fn url_as(&self, utente: &str) -> PostgresUrl {
        match &self.dove {
            Dove::Sqlite(cartella) => panic!("{} has no users", cartella.path().display()),
            Dove::Postgres { cluster, database } => cluster.url_as(utente, database),
        }
    }

    /// Of two ways to say a thing the one that this store understands.
    pub(crate) fn says<T>(&self, sqlite: T, postgres: T) -> T {
        match self.dove {
            Dove::Sqlite(_) => sqlite,
            Dove::Postgres { .. } => postgres,
        }
    }

    /// A connection of another process: with all rights, as who owns the store.
    pub(crate) async fn raw(&self) -> Raw {
        self.raw_as("varco").await
    }

    /// The same as a user of the database; the embedded store knows none.
    pub(crate) async fn raw_as(&self, utente: &str) -> Raw {
        match &self.dove {
            Dove::Sqlite(cartella) => {
                let options = SqliteConnectOptions::new()
                    .filename(cartella.path().join("store.db"))
                    .busy_timeout(Duration::from_secs(5));
                Raw::Sqlite(SqliteConnection::connect_with(&options).await.unwrap())
            }
            Dove::Postgres { .. } => Raw::Postgres(connect(&self.url_as(utente)).await.unwrap()),
        }
    }

    pub(crate) async fn register(&self, atti: &[store::Atto], adesso: &str) -> Vec<Registrazione> {
        self.store.register(atti, istante(adesso)).await.unwrap()
    }

    pub(crate) async fn one(&self, atto: store::Atto, adesso: &str) -> Registrazione {
        self.register(&[atto], adesso).await.remove(0)
    }

    pub(crate) async fn all_is_well(&self, registrazioni: u64) {
        let verifica = self.store.verify().await.unwrap();
        assert_eq!(verifica.anomalie, Vec::<String>::new());
        assert_eq!(verifica.registrazioni, registrazioni);
        self.store.ping().await.unwrap();
    }
}

impl Dove {
    fn url(&self) -> StoreUrl {
        match self {
            Self::Sqlite(cartella) => StoreUrl::Sqlite(cartella.path().join("store.db")),
            Self::Postgres { cluster, database } => StoreUrl::Postgres(cluster.url(database)),
        }
    }
}

/// A connection that goes round our store.
pub(crate) enum Raw {
    Sqlite(SqliteConnection),
    Postgres(PgConnection),
}

impl Raw {
    /// With all rights, as who owns the store.
    pub(crate) async fn open(url: &StoreUrl) -> Self {
        match url {
            StoreUrl::Sqlite(path) => {
                let options = SqliteConnectOptions::new()
                    .filename(path)
                    .busy_timeout(Duration::from_secs(5));
                Self::Sqlite(SqliteConnection::connect_with(&options).await.unwrap())
            }
            StoreUrl::Postgres(url) => Self::Postgres(connect(url).await.unwrap()),
        }
    }

    /// Executes statements, with a transaction of the caller's or one each.
    pub(crate) async fn execute(&mut self, sql: &str) -> Result<(), sqlx::Error> {
        let sql = sqlx::raw_sql(AssertSqlSafe(sql.to_owned()));
        match self {
            Self::Sqlite(connessione) => connessione.execute(sql).await.map(drop),
            Self::Postgres(connessione) => connessione.execute(sql).await.map(drop),
        }
    }

    /// The words with which it is refused.
    pub(crate) async fn refused(&mut self, sql: &str) -> String {
        match self.execute(sql).await {
            Err(errore) => errore.to_string(),
            Ok(()) => panic!("not refused: {sql}"),
        }
    }

    /// The rows of a query, each a JSON object: column → value.
    pub(crate) async fn rows(&mut self, sql: &str) -> Vec<serde_json::Value> {
        match self {
            Self::Sqlite(connessione) => {
                let sql = sqlx::raw_sql(AssertSqlSafe(sql.to_owned()));
                let righe = connessione.fetch_all(sql).await.unwrap();
                righe.iter().map(as_json).collect()
            }
            Self::Postgres(connessione) => {
                let sql = format!("SELECT to_jsonb(t)::text FROM ({sql}) t");
                let righe: Vec<String> = sqlx::query_scalar(AssertSqlSafe(sql))
                    .fetch_all(connessione)
                    .await
                    .unwrap();
                righe
                    .iter()
                    .map(|riga| serde_json::from_str(riga).unwrap())
                    .collect()
            }
        }
    }

    /// The one number that a query finds; its column is called `n`.
    pub(crate) async fn number(&mut self, sql: &str) -> i64 {
        self.rows(sql).await[0]["n"].as_i64().unwrap()
    }
}

fn as_json(riga: &SqliteRow) -> serde_json::Value {
    let mut oggetto = serde_json::Map::new();
    for colonna in riga.columns() {
        let posto = colonna.ordinal();
        let valore = if riga.try_get_raw(posto).unwrap().is_null() {
            serde_json::Value::Null
        } else if let Ok(numero) = riga.try_get::<i64, _>(posto) {
            numero.into()
        } else {
            riga.get::<String, _>(posto).into()
        };
        oggetto.insert(colonna.name().to_owned(), valore);
    }
    oggetto.into()
}

pub(crate) async fn connect(url: &PostgresUrl) -> Result<PgConnection, sqlx::Error> {
    PgConnection::connect_with(&url.as_str().parse::<PgConnectOptions>()?).await
}
