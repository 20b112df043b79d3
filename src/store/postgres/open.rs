//! Opening the database: what is looked at before a row of it is believed, on every connection what makes a commit
//! durable, and the business clock that it carries.

use std::collections::BTreeSet;
use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;
use std::sync::Mutex as StdMutex;
use std::sync::atomic::AtomicUsize;
use std::time::{Duration, Instant};

use jiff::SignedDuration;
use sqlx::migrate::Migrator;
use sqlx::postgres::{PgConnectOptions, PgConnection, PgPoolOptions, PgSslMode};
use sqlx::{AssertSqlSafe, ConnectOptions};
use tokio::sync::Mutex;

use super::nodi::Nodi;
use super::row::{guasto, sqlstate};
use super::{PostgresStore, Scrittura, close};
use crate::domanda::Ambiente;
use crate::store::ancore::{Ancore, Archivio, Contatori};
use crate::store::indizi::{IMPRONTA_CHIAVE, same_key};
use crate::store::{Identikit, Inconsistency, Ingresso, OpenOptions, PostgresUrl, StoreError};

static MIGRAZIONI: Migrator = sqlx::migrate!("migrations/postgres");

/// The oldest program that may work on this program's schema, by the version of its own. A migration that only adds leaves
/// it where it is; one that takes away what older programs use raises it to its own version (ADR 15). `varco migrate`
/// writes it into the store, for programs that are older than that migration and cannot know. 14: who is older reads
/// neither the dictionary's rows nor declared holes.
const SCHEMA_MINIMO: i64 = 14;

/// The oldest server whose SQL we speak.
const SERVER_MINIMO: i32 = 140_000;

/// The role of who takes messages in.
const GATEWAY: &str = "varco_gateway";

/// The role of who keeps the register (DPR 445/2000 art. 61).
const REGISTRO: &str = "varco_registro";

/// How a connection is made: always the same way, and never without looking at what the commit depends on.
#[derive(Clone)]
pub(super) struct Accesso {
    /// The role to speak as, where the user may: a gateway cannot annul, whatever is sent to it.
    ruolo: &'static str,
    pub(super) nodi: Nodi,
    istruzione: Duration,
}

impl PostgresStore {
    /// Opens the database, and tells how far its business clock is ahead of the true one: see [`crate::store::open`].
    pub async fn open(
        url: &PostgresUrl,
        options: &OpenOptions,
    ) -> Result<(Self, SignedDuration), StoreError> {
        Self::open_as(GATEWAY, url, options).await
    }

    /// The same for who keeps the register: see [`crate::store::legale::open_registro`].
    pub async fn open_for_register(
        url: &PostgresUrl,
        options: &OpenOptions,
    ) -> Result<(Self, SignedDuration), StoreError> {
        Self::open_as(REGISTRO, url, options).await
    }

    async fn open_as(
        ruolo: &'static str,
        url: &PostgresUrl,
        options: &OpenOptions,
    ) -> Result<(Self, SignedDuration), StoreError> {
        let accesso = Accesso::new(ruolo, url, options)?;
        let mut connessione = accesso.nodi.reach().await?;
        let aperto = async {
            accesso.lay_down(&mut connessione, options).await?;
            // What a commit depends on is said at the start, not at the first registration.
            accesso.prepare(&mut connessione).await?;
            let offset = clock_offset(&mut connessione, options).await?;
            accesso.know_key(&mut connessione, options).await?;
            Ok::<_, StoreError>((offset, accesso.anchors(&mut connessione, options).await?))
        }
        .await;
        close(connessione).await;
        let (offset, ancore) = aperto?;

        let lettori = {
            let (accesso, connect) = (accesso.clone(), accesso.nodi.primo().1.clone());
            PgPoolOptions::new()
                .max_connections(options.lettori.max(1))
                .acquire_timeout(options.attesa)
                .after_connect(move |connessione, _| {
                    let accesso = accesso.clone();
                    Box::pin(async move {
                        accesso
                            .prepare(connessione)
                            .await
                            .map_err(|errore| sqlx::Error::Configuration(errore.into()))
                    })
                })
                .connect_lazy_with(connect)
        };
        let store = Self {
            ambiente: options.ambiente,
            limite: options.istruzione + options.attesa,
            accesso,
            scrittura: Mutex::new(Scrittura {
                connessione: None,
                dal: Instant::now(),
                sospetta: true,
            }),
            lettori,
            ancore,
            mirato: AtomicUsize::new(0),
            sonda: Mutex::new(None),
            chiave_ricerca: options.chiave_ricerca.clone(),
            anni: StdMutex::new(BTreeSet::new()),
        };
        Ok((store, offset))
    }
}

/// How anybody of ours comes to a database of one node: no parameter that would be passed over, and TLS wherever there is a network.
pub(crate) fn connect_options(url: &PostgresUrl) -> Result<PgConnectOptions, StoreError> {
    match nodes_of(url)?.as_slice() {
        [nodo] => Ok(nodo.clone()),
        _ => Err(refused(&url.to_string(), "one host is needed here, not several")),
    }
}

fn nodes_of(url: &PostgresUrl) -> Result<Vec<PgConnectOptions>, StoreError> {
    let nodi = url.nodes().map_err(|errore| refused(&url.to_string(), errore))?;
    nodi.iter().map(node_options).collect()
}

fn node_options(url: &PostgresUrl) -> Result<PgConnectOptions, StoreError> {
    let nome = url.to_string();
    if url.has_unknown_parameter() {
        return Err(refused(
            &nome,
            "one of its parameters (***) is not known: is it misspelt? (a `&` in a password is written %26)",
        ));
    }
    let options = PgConnectOptions::from_str(url.as_str())
        .map_err(|errore| refused(&nome, format_args!("it is no URL of PostgreSQL: {errore}")))?
        .application_name("varco")
        // The driver's log would tell statements of thousands of characters; ours tells what failed.
        .disable_statement_logging();
    Ok(if is_on_the_network(&options) && !url.tells_sslmode() {
        options.ssl_mode(PgSslMode::VerifyFull)
    } else {
        options
    })
}

fn is_on_the_network(options: &PgConnectOptions) -> bool {
    options.get_socket().is_none() && !is_here(options.get_host())
}

/// The driver's options would show the password.
impl fmt::Debug for Accesso {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Accesso({})", self.nome())
    }
}

impl Accesso {
    fn new(ruolo: &'static str, url: &PostgresUrl, options: &OpenOptions) -> Result<Self, StoreError> {
        let nome = url.to_string();
        let nodi = nodes_of(url)?;
        let scoperto = |nodo: &PgConnectOptions| {
            is_on_the_network(nodo)
                && !matches!(nodo.get_ssl_mode(), PgSslMode::VerifyFull | PgSslMode::VerifyCa)
        };
        if options.ambiente == Ambiente::Produzione && nodi.iter().any(scoperto) {
            return Err(refused(
                &nome,
                "in produzione a database over the network needs sslmode=verify-full (or verify-ca) and sslrootcert",
            ));
        }
        Ok(Self {
            ruolo,
            nodi: Nodi::new(nome.into(), nodi, options.attesa),
            istruzione: options.istruzione,
        })
    }

    /// The URL without its password.
    pub(super) fn nome(&self) -> &str {
        self.nodi.nome()
    }

    /// A connection that keeps its promises, or none.
    pub(super) async fn connect(&self) -> Result<PgConnection, StoreError> {
        let mut connessione = self.nodi.reach().await?;
        // The server's own time-outs are of no use when it was frozen in this moment.
        match tokio::time::timeout(self.istruzione, self.prepare(&mut connessione)).await {
            Ok(esito) => esito.map(|()| connessione),
            Err(_) => Err(self.nodi.no_answer(self.istruzione)),
        }
    }

    /// Sets up a session: its time-outs, its role, and a look at what its commits depend on.
    async fn prepare(&self, connessione: &mut PgConnection) -> Result<(), StoreError> {
        let istruzione = self.istruzione.as_millis();
        let pronto = format!(
            "SET statement_timeout = {istruzione};
             SET lock_timeout = {istruzione};
             SET idle_in_transaction_session_timeout = {};
             SET client_min_messages = warning;
             SET TimeZone = 'UTC';
             SET search_path = public;",
            2 * istruzione
        );
        sqlx::raw_sql(AssertSqlSafe(pronto))
            .execute(&mut *connessione)
            .await
            .map_err(guasto)?;
        self.nodi.look(connessione).await?;
        let (fsync, pagine, sincrono, membro): (String, String, String, bool) = sqlx::query_as(
            "SELECT
                 current_setting('fsync'),
                 current_setting('full_page_writes'),
                 current_setting('synchronous_commit'),
                 EXISTS (SELECT 1 FROM pg_roles
                         WHERE rolname = $1 AND pg_has_role(session_user, oid, 'MEMBER'))",
        )
        .bind(self.ruolo)
        .fetch_one(&mut *connessione)
        .await
        .map_err(guasto)?;
        for (nome, valore, buono, dove) in [
            ("fsync", &fsync, fsync == "on", "postgresql.conf"),
            ("full_page_writes", &pagine, pagine == "on", "postgresql.conf"),
            (
                "synchronous_commit",
                &sincrono,
                matches!(sincrono.as_str(), "on" | "remote_apply"),
                "postgresql.conf, ALTER DATABASE or ALTER ROLE",
            ),
        ] {
            if !buono {
                return Err(refused(
                    self.nome(),
                    format_args!(
                        "{nome} is {valore}: a number that was told could be lost; set it to on ({dove}) and try again"
                    ),
                ));
            }
        }
        // Held for the session, whatever is set later; and with the least rights that do.
        let resta = if membro {
            format!("SET synchronous_commit = {sincrono}; SET ROLE {};", self.ruolo)
        } else {
            format!("SET synchronous_commit = {sincrono};")
        };
        sqlx::raw_sql(AssertSqlSafe(resta))
            .execute(connessione)
            .await
            .map_err(guasto)?;
        Ok(())
    }

    /// What the database is, and how we come to it: see [`crate::store::Store::identikit`].
    pub(super) async fn identikit(&self) -> Result<Identikit, StoreError> {
        let mut connessione = self.nodi.reach().await?;
        // As who logged in: in another role it would be told nothing of its own connection.
        let (utente, tls): (String, Option<String>) = sqlx::query_as(
            "SELECT session_user::text, (SELECT version FROM pg_stat_ssl WHERE pid = pg_backend_pid() AND ssl)",
        )
        .fetch_one(&mut connessione)
        .await
        .map_err(guasto)?;
        self.prepare(&mut connessione).await?;
        let (versione, ruolo, padrone, schema, sincrono): (String, String, bool, i64, String) =
            sqlx::query_as(
                "SELECT
                 current_setting('server_version'),
                 current_user::text,
                 EXISTS (SELECT 1 FROM pg_class t
                         WHERE t.oid = 'public.registrazioni'::regclass
                             AND pg_has_role(session_user, t.relowner, 'MEMBER')),
                 (SELECT coalesce(max(version), 0) FROM _sqlx_migrations WHERE success),
                 current_setting('synchronous_commit')",
            )
            .fetch_one(&mut connessione)
            .await
            .map_err(|errore| self.without_rights(errore))?;
        close(connessione).await;
        Ok(Identikit {
            motore: format!("PostgreSQL {versione}"),
            schema,
            sincronia: format!("synchronous_commit={sincrono}"),
            ingresso: Some(Ingresso {
                utente,
                ruolo,
                tls,
                padrone,
            }),
        })
    }

    /// Looks whose database it is, brings it up to our schema where that is asked for, and writes into a new one whose it
    /// is from now on.
    async fn lay_down(
        &self,
        connessione: &mut PgConnection,
        options: &OpenOptions,
    ) -> Result<(), StoreError> {
        sqlx::raw_sql("SET search_path = public; SET client_min_messages = warning;")
            .execute(&mut *connessione)
            .await
            .map_err(guasto)?;
        let schema = self.check_owner(connessione, options).await?;
        if schema < ours() {
            let vecchio = if schema == 0 {
                "the database is empty".to_owned()
            } else {
                format!("its schema is version {schema}, and this varco needs {}", ours())
            };
            let puo: bool =
                sqlx::query_scalar("SELECT has_schema_privilege(current_user, 'public', 'CREATE')")
                    .fetch_one(&mut *connessione)
                    .await
                    .map_err(guasto)?;
            if !options.migrate || (schema == 0 && !options.create) || !puo {
                return Err(refused(
                    self.nome(),
                    format_args!("{vecchio}; run `varco migrate` as the owner of the database"),
                ));
            }
            MIGRAZIONI.run(&mut *connessione).await.map_err(|errore| {
                refused(
                    self.nome(),
                    format_args!("schema cannot be brought up to date: {errore}"),
                )
            })?;
            sqlx::query(
                "INSERT INTO impostazioni (nome, valore) VALUES ('schema_minimo', $1)
                 ON CONFLICT (nome) DO UPDATE SET valore = excluded.valore",
            )
            .bind(SCHEMA_MINIMO.to_string())
            .execute(&mut *connessione)
            .await
            .map_err(guasto)?;
            sqlx::raw_sql("GRANT SELECT ON _sqlx_migrations TO varco_gateway, varco_motore, varco_audit")
                .execute(&mut *connessione)
                .await
                .map_err(guasto)?;
        }
        self.claim(connessione, options).await
    }

    /// Ours, of this ambiente, and not newer than we are; answers the version of its schema, 0 = there is none.
    async fn check_owner(
        &self,
        connessione: &mut PgConnection,
        options: &OpenOptions,
    ) -> Result<i64, StoreError> {
        let (server, tabelle, nostre, versioni, codifica): (i32, i64, bool, bool, String) = sqlx::query_as(
            "SELECT
                 current_setting('server_version_num')::integer,
                 (SELECT count(*) FROM pg_class
                  WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p')
                      AND relname <> '_sqlx_migrations'),
                 to_regclass('public.impostazioni') IS NOT NULL,
                 to_regclass('public._sqlx_migrations') IS NOT NULL,
                 current_setting('server_encoding')",
        )
        .fetch_one(&mut *connessione)
        .await
        .map_err(|errore| self.without_rights(errore))?;
        if server < SERVER_MINIMO {
            return Err(refused(
                self.nome(),
                format_args!("PostgreSQL {} is too old; 14 or newer is needed", server / 10_000),
            ));
        }
        if codifica != "UTF8" {
            return Err(refused(
                self.nome(),
                format_args!("its encoding is {codifica}; create the database with ENCODING 'UTF8'"),
            ));
        }
        if tabelle == 0 {
            return Ok(0);
        }
        if !nostre || !versioni {
            return Err(refused(
                self.nome(),
                "the database holds tables of another application",
            ));
        }
        if self
            .setting::<String>(connessione, "applicazione")
            .await?
            .as_deref()
            != Some("varco")
        {
            return Err(refused(
                self.nome(),
                "the database holds tables of another application",
            ));
        }
        if let Some(ambiente) = self.setting::<String>(connessione, "ambiente").await?
            && ambiente != options.ambiente.as_str()
        {
            return Err(refused(
                self.nome(),
                format_args!(
                    "it belongs to ambiente {ambiente}, but {} is configured; each ambiente has its own store",
                    options.ambiente.as_str()
                ),
            ));
        }
        self.check_schema(connessione).await
    }

    /// The version of its schema, unless that is one on which this program may not work: looked at on opening, and by the
    /// readiness probe while others migrate.
    pub(super) async fn check_schema(&self, connessione: &mut PgConnection) -> Result<i64, StoreError> {
        let (schema, minimo): (i64, Option<String>) = sqlx::query_as(
            "SELECT
                 (SELECT coalesce(max(version), 0) FROM _sqlx_migrations WHERE success),
                 (SELECT valore FROM impostazioni WHERE nome = 'schema_minimo')",
        )
        .fetch_one(connessione)
        .await
        .map_err(|errore| self.without_rights(errore))?;
        let minimo = minimo
            .map(|minimo| minimo.parse::<i64>())
            .transpose()
            .map_err(|_| Inconsistency::new("impostazioni", "schema_minimo", "cannot be read"))?;
        // A store that names no oldest program takes none that is older than its schema.
        if schema > ours() && minimo.unwrap_or(schema) > ours() {
            return Err(refused(
                self.nome(),
                format_args!(
                    "its schema is version {schema}, and this varco knows {}; use the newer varco that wrote it",
                    ours()
                ),
            ));
        }
        Ok(schema)
    }

    /// Writes into a new store whose it is.
    async fn claim(&self, connessione: &mut PgConnection, options: &OpenOptions) -> Result<(), StoreError> {
        let mut ambiente = self.setting::<String>(connessione, "ambiente").await?;
        if ambiente.is_none() {
            sqlx::query("INSERT INTO impostazioni (nome, valore) VALUES ('ambiente', $1), ('creato_il', $2) ON CONFLICT DO NOTHING")
                .bind(options.ambiente.as_str())
                .bind(options.adesso.to_string())
                .execute(&mut *connessione)
                .await
                .map_err(|errore| self.without_rights(errore))?;
            // Two processes that lay down the same database at once: the first one's ambiente stands.
            ambiente = self.setting(connessione, "ambiente").await?;
        }
        match ambiente {
            Some(ambiente) if ambiente == options.ambiente.as_str() => Ok(()),
            _ => Err(refused(
                self.nome(),
                "another process laid it down for another ambiente",
            )),
        }
    }

    /// The key of the search: the first that comes is the store's, another one is refused.
    async fn know_key(
        &self,
        connessione: &mut PgConnection,
        options: &OpenOptions,
    ) -> Result<(), StoreError> {
        let Some(chiave) = &options.chiave_ricerca else {
            return Ok(());
        };
        let mut nota = self.setting::<String>(connessione, IMPRONTA_CHIAVE).await?;
        if nota.is_none() {
            sqlx::query("INSERT INTO impostazioni (nome, valore) VALUES ($1, $2) ON CONFLICT DO NOTHING")
                .bind(IMPRONTA_CHIAVE)
                .bind(chiave.impronta())
                .execute(&mut *connessione)
                .await
                .map_err(|errore| self.without_rights(errore))?;
            nota = self.setting(connessione, IMPRONTA_CHIAVE).await?;
        }
        same_key(chiave, &nota.unwrap_or_default()).map_err(|causa| refused(self.nome(), causa))
    }

    /// The anchors of this store, where it has any; that it stands before them is said at once, and refused at every number.
    async fn anchors(
        &self,
        connessione: &mut PgConnection,
        options: &OpenOptions,
    ) -> Result<Ancore, StoreError> {
        let Some(config) = &options.ancore else {
            return Ok(Ancore::default());
        };
        let creato_il = self.setting::<String>(connessione, "creato_il").await?;
        let ancore = Ancore::open(config, Archivio::new(options.ambiente, creato_il))?;
        let contatori = counters(connessione)
            .await
            .map_err(|errore| self.without_rights(errore))?;
        ancore.warn(&contatori);
        Ok(ancore)
    }

    async fn setting<T: FromStr>(
        &self,
        connessione: &mut PgConnection,
        nome: &'static str,
    ) -> Result<Option<T>, StoreError> {
        setting(connessione, nome)
            .await
            .map_err(|errore| self.without_rights(errore))?
            .map(|valore| {
                valore
                    .parse()
                    .map_err(|_| Inconsistency::new("impostazioni", nome, "cannot be read").into())
            })
            .transpose()
    }

    /// PostgreSQL's words for a role that may nothing here help nobody.
    fn without_rights(&self, errore: sqlx::Error) -> StoreError {
        if let sqlx::Error::Database(database) = &errore
            && sqlstate(database.as_ref()) == "42501"
        {
            return refused(
                self.nome(),
                format_args!(
                    "user {0} has no rights on it; its administrator says: GRANT varco_gateway TO \"{0}\"",
                    self.nodi.primo().1.get_username()
                ),
            );
        }
        guasto(errore)
    }
}

/// The version of our own schema.
fn ours() -> i64 {
    MIGRAZIONI
        .iter()
        .map(|migrazione| migrazione.version)
        .max()
        .unwrap_or(0)
}

/// Whether a host is this machine: what goes there does not go over a network.
fn is_here(host: &str) -> bool {
    host == "localhost"
        || host.starts_with('/')
        || host
            .trim_matches(['[', ']'])
            .parse::<IpAddr>()
            .is_ok_and(|indirizzo| indirizzo.is_loopback())
}

pub(super) async fn setting(
    connessione: &mut PgConnection,
    nome: &'static str,
) -> Result<Option<String>, sqlx::Error> {
    sqlx::query_scalar("SELECT valore FROM impostazioni WHERE nome = $1")
        .bind(nome)
        .fetch_optional(connessione)
        .await
}

/// Where the counters stand.
pub(super) async fn counters(connessione: &mut PgConnection) -> Result<Contatori, sqlx::Error> {
    Ok(Contatori {
        registri: sqlx::query_as(Contatori::REGISTRI)
            .fetch_all(&mut *connessione)
            .await?,
        domanda: sqlx::query_scalar(Contatori::DOMANDA)
            .fetch_one(connessione)
            .await?,
    })
}

/// How far the business clock is ahead of the true one (spec of `orologio.inizio`: design.md §2.16).
async fn clock_offset(
    connessione: &mut PgConnection,
    options: &OpenOptions,
) -> Result<SignedDuration, StoreError> {
    let numero = |nome, valore: Option<String>| {
        valore
            .map(|valore| valore.parse::<i64>())
            .transpose()
            .map_err(|_| Inconsistency::new("impostazioni", nome, "cannot be read"))
    };
    let offset_ms = setting(connessione, "offset_orologio_ms").await.map_err(guasto)?;
    let offset_ms = numero("offset_orologio_ms", offset_ms)?;
    let inizio_ms = setting(connessione, "orologio_inizio").await.map_err(guasto)?;
    let inizio_ms = numero("orologio_inizio", inizio_ms)?;
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
        "INSERT INTO impostazioni (nome, valore) VALUES ('orologio_inizio', $1), ('offset_orologio_ms', $2)
         ON CONFLICT (nome) DO UPDATE SET valore = excluded.valore",
    )
    .bind(inizio.as_millisecond().to_string())
    .bind(offset_ms.to_string())
    .execute(connessione)
    .await
    .map_err(guasto)?;
    Ok(SignedDuration::from_millis(offset_ms))
}

pub(super) fn refused(nome: &str, causa: impl fmt::Display) -> StoreError {
    StoreError::Refused(format!("{nome}: {causa}"))
}
