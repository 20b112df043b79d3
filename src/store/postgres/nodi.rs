//! Where the database is. A URL may name several nodes of one cluster, of which one takes registrations: all are asked at
//! once, and the one that is no standby is taken; of two that both say so, the one of the newer timeline. A primary of an older timeline than one that was seen is a primary of
//! yesterday, which came back after another took its place: it is never taken.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering};
use std::time::Duration;

use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use sqlx::Connection as _;
use sqlx::postgres::{PgConnectOptions, PgConnection};

use super::open::refused;
use super::row::{guasto, sqlstate};
use crate::store::StoreError;

/// How long the other nodes are waited for once one has answered that it is the primary.
const GRAZIA: Duration = Duration::from_millis(300);

/// The nodes, and what is known of them. Cheap to clone; all clones know the same.
#[derive(Clone)]
pub(super) struct Nodi {
    /// The URL without its password, for errors.
    nome: Arc<str>,
    tutti: Arc<[PgConnectOptions]>,
    attesa: Duration,
    /// Which of them was the primary when it was last looked for.
    primo: Arc<AtomicUsize>,
    /// The newest timeline that was seen.
    linea: Arc<AtomicU32>,
}

impl Nodi {
    /// One node at least.
    pub(super) fn new(nome: Arc<str>, nodi: Vec<PgConnectOptions>, attesa: Duration) -> Self {
        Self {
            nome,
            tutti: nodi.into(),
            attesa,
            primo: Arc::new(AtomicUsize::new(0)),
            linea: Arc::new(AtomicU32::new(0)),
        }
    }

    /// The URL without its password.
    pub(super) fn nome(&self) -> &str {
        &self.nome
    }

    /// How to come to the node that was last found to be the primary, and which one it is.
    pub(super) fn primo(&self) -> (usize, &PgConnectOptions) {
        let primo = self.primo.load(Ordering::Relaxed);
        (primo, &self.tutti[primo])
    }

    /// Whether there is more than one place to look.
    pub(super) fn several(&self) -> bool {
        self.tutti.len() > 1
    }

    /// A connection to the primary, as whoever the URL says.
    pub(super) async fn reach(&self) -> Result<PgConnection, StoreError> {
        match tokio::time::timeout(self.attesa, self.first()).await {
            Ok(esito) => esito,
            Err(_) => Err(self.no_answer(self.attesa)),
        }
    }

    async fn first(&self) -> Result<PgConnection, StoreError> {
        if let [solo] = &*self.tutti {
            return self.connect(solo).await;
        }
        let mut tentativi: FuturesUnordered<_> = self
            .tutti
            .iter()
            .enumerate()
            .map(|(posto, nodo)| async move {
                let mut connessione = self.connect(nodo).await?;
                let linea = self.look(&mut connessione).await?;
                Ok((linea, posto, connessione))
            })
            .collect();
        let mut trovato: Option<(u32, usize, PgConnection)> = None;
        let mut causa = None;
        loop {
            // Once there is one, the others have a moment to say that it was replaced by them.
            let attesa = if trovato.is_some() { GRAZIA } else { self.attesa };
            let Ok(Some(tentativo)) = tokio::time::timeout(attesa, tentativi.next()).await else {
                break;
            };
            match tentativo {
                Ok(nuovo) if trovato.as_ref().is_none_or(|(linea, ..)| nuovo.0 > *linea) => {
                    trovato = Some(nuovo);
                }
                Ok(_) => {}
                // A node that is gone or waits passes by; what somebody has to mend is told first.
                Err(errore) => {
                    tracing::debug!("a node of the store: {errore}");
                    if causa.is_none() || matches!(errore, StoreError::Refused(_)) {
                        causa = Some(errore);
                    }
                }
            }
        }
        let Some((_, posto, connessione)) = trovato else {
            return Err(causa.unwrap_or_else(|| self.no_answer(self.attesa)));
        };
        if self.primo.swap(posto, Ordering::Relaxed) != posto {
            tracing::warn!(nodo = posto + 1, "the primary is now another node of the URL");
        }
        Ok(connessione)
    }

    async fn connect(&self, nodo: &PgConnectOptions) -> Result<PgConnection, StoreError> {
        PgConnection::connect_with(nodo)
            .await
            .map_err(|errore| self.cannot_connect(nodo, errore))
    }

    /// Whether this is a node that takes registrations: the primary, and of the newest timeline, which is told.
    pub(super) async fn look(&self, connessione: &mut PgConnection) -> Result<u32, StoreError> {
        let linea: Option<String> = sqlx::query_scalar(
            "SELECT CASE WHEN NOT pg_is_in_recovery() THEN substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8) END",
        )
        .fetch_one(connessione)
        .await
        .map_err(guasto)?;
        let Some(linea) = linea else {
            return Err(StoreError::unavailable(format!(
                "{}: it is a standby, which takes no registration; is the primary elsewhere?",
                self.nome
            )));
        };
        let linea = u32::from_str_radix(&linea, 16)
            .map_err(|_| StoreError::unavailable(format!("{}: its timeline cannot be read", self.nome)))?;
        let vista = self.linea.fetch_max(linea, Ordering::Relaxed);
        if linea < vista {
            return Err(StoreError::unavailable(format!(
                "{}: a primary of timeline {linea}, but one of timeline {vista} was seen: it was replaced, and must not take \
                 registrations (where this was meant, restart the gateway)",
                self.nome
            )));
        }
        Ok(linea)
    }

    pub(super) fn no_answer(&self, attesa: Duration) -> StoreError {
        StoreError::unavailable(format!(
            "{}: no answer within {} s",
            self.nome,
            attesa.as_secs_f64()
        ))
    }

    fn without_tls(&self, causa: impl fmt::Display) -> StoreError {
        refused(
            &self.nome,
            format_args!(
                "no TLS as asked for ({causa}); does the server speak TLS, is its certificate of the CA in \
                 sslrootcert, and is the host the one it is made out to?"
            ),
        )
    }

    /// Why there is no connection, in words that say what to do.
    fn cannot_connect(&self, nodo: &PgConnectOptions, errore: sqlx::Error) -> StoreError {
        let sqlx::Error::Database(database) = &errore else {
            return match errore {
                sqlx::Error::Tls(causa) => self.without_tls(causa),
                // The handshake's own refusals come as input that is not valid.
                sqlx::Error::Io(causa) if causa.kind() == std::io::ErrorKind::InvalidData => {
                    self.without_tls(causa)
                }
                sqlx::Error::Configuration(causa) => refused(&self.nome, causa),
                altro => StoreError::unavailable(format!("{}: it cannot be reached: {altro}", self.nome)),
            };
        };
        match sqlstate(database.as_ref()).as_str() {
            "28000" | "28P01" => refused(
                &self.nome,
                format_args!(
                    "user {} may not log in ({}); is the password right, and does pg_hba.conf admit this host?",
                    nodo.get_username(),
                    database.message()
                ),
            ),
            "3D000" => refused(
                &self.nome,
                "there is no such database; create it (`createdb -E UTF8 …`), then run `varco migrate` as its owner",
            ),
            "42501" => refused(
                &self.nome,
                format_args!(
                    "user {0} may not connect to it; its administrator says: GRANT varco_gateway TO \"{0}\"",
                    nodo.get_username()
                ),
            ),
            codice => StoreError::unavailable(format!(
                "{}: SQLSTATE {codice}: {}",
                self.nome,
                database.message()
            )),
        }
    }
}
