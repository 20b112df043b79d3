//! Where a store is: `sqlite:store.db`, or `postgres://varco_gateway@db.example/varco?sslmode=verify-full`.

use std::fmt::{self, Write as _};
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};
use std::str::FromStr;

/// Where a store is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StoreUrl {
    /// The embedded store: one file.
    Sqlite(PathBuf),
    /// A database of a PostgreSQL cluster.
    Postgres(PostgresUrl),
}

/// A connection URL of PostgreSQL, as its own tools write it. Shown without its password.
#[derive(Clone, PartialEq, Eq)]
pub struct PostgresUrl(String);

/// What cannot be a store's URL.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not `sqlite:PATH` or `postgres://…`")]
pub struct NotAStoreUrl;

impl FromStr for StoreUrl {
    type Err = NotAStoreUrl;

    fn from_str(testo: &str) -> Result<Self, NotAStoreUrl> {
        if let Some(percorso) = testo.strip_prefix("sqlite:") {
            return if percorso.is_empty() {
                Err(NotAStoreUrl)
            } else {
                Ok(Self::Sqlite(percorso.into()))
            };
        }
        testo.parse().map(Self::Postgres)
    }
}

impl fmt::Display for StoreUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sqlite(percorso) => write!(f, "sqlite:{}", percorso.display()),
            Self::Postgres(url) => url.fmt(f),
        }
    }
}

impl FromStr for PostgresUrl {
    type Err = NotAStoreUrl;

    fn from_str(testo: &str) -> Result<Self, NotAStoreUrl> {
        if testo.starts_with("postgres://") || testo.starts_with("postgresql://") {
            Ok(Self(testo.to_owned()))
        } else {
            Err(NotAStoreUrl)
        }
    }
}

impl PostgresUrl {
    /// A database of the server whose socket lies in a folder.
    #[must_use]
    pub fn on_socket(cartella: &Path, porta: u16, utente: &str, database: &str) -> Self {
        let cartella = percent(cartella.as_os_str().as_bytes()).replace("%2F", "/");
        let (utente, database) = (percent(utente.as_bytes()), percent(database.as_bytes()));
        Self(format!(
            "postgres:///{database}?host={cartella}&port={porta}&user={utente}&sslmode=disable"
        ))
    }

    /// A database of a server on the network; `parametri` as in `sslmode=verify-full&sslrootcert=ca.pem`.
    #[must_use]
    pub fn on_host(
        (host, porta): (&str, u16),
        (utente, password): (&str, &str),
        database: &str,
        parametri: &str,
    ) -> Self {
        let [utente, password, database] =
            [utente, password, database].map(|testo| percent(testo.as_bytes()));
        Self(format!(
            "postgres://{utente}:{password}@{host}:{porta}/{database}?{parametri}"
        ))
    }

    /// The URL as it was written, its password included.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for PostgresUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (prima, query) = self.0.split_once('?').unwrap_or((&self.0, ""));
        let (schema, resto) = prima.split_once("://").unwrap_or(("", prima));
        match resto.rsplit_once('@') {
            Some((chi, dove)) => {
                let (utente, password) = chi.split_once(':').unwrap_or((chi, ""));
                let velo = if password.is_empty() { "" } else { ":***" };
                write!(f, "{schema}://{utente}{velo}@{dove}")?;
            }
            None => write!(f, "{schema}://{resto}")?,
        }
        let mut separatore = '?';
        for parametro in query.split('&').filter(|parametro| !parametro.is_empty()) {
            let nome = parametro.split('=').next().unwrap_or(parametro);
            if nome.contains("password") {
                write!(f, "{separatore}{nome}=***")?;
            } else {
                write!(f, "{separatore}{parametro}")?;
            }
            separatore = '&';
        }
        Ok(())
    }
}

impl fmt::Debug for PostgresUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PostgresUrl({self})")
    }
}

/// Bytes as a URL holds them.
fn percent(bytes: &[u8]) -> String {
    let mut testo = String::with_capacity(bytes.len());
    for byte in bytes {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(byte) {
            testo.push(char::from(*byte));
        } else {
            // A String takes all that is written to it.
            let _ = write!(testo, "%{byte:02X}");
        }
    }
    testo
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_any_kind_stand_in_a_url() {
        assert_eq!(
            PostgresUrl::on_socket(Path::new("/tmp/la prova"), 5433, "varco", "à?").as_str(),
            "postgres:///%C3%A0%3F?host=/tmp/la%20prova&port=5433&user=varco&sslmode=disable"
        );
        let url = PostgresUrl::on_host(("db", 5432), ("gw", "se@greto/"), "varco", "sslmode=require");
        // A slash would end the password.
        assert_eq!(
            url.as_str(),
            "postgres://gw:se%40greto%2F@db:5432/varco?sslmode=require"
        );
        assert_eq!(url.to_string(), "postgres://gw:***@db:5432/varco?sslmode=require");
    }

    #[test]
    fn a_password_is_never_shown() {
        for (scritto, mostrato) in [
            (
                "postgres://gw:se%40greto@db:5432/varco",
                "postgres://gw:***@db:5432/varco",
            ),
            (
                "postgres://gw@db/varco?password=segreto&sslmode=verify-full",
                "postgres://gw@db/varco?password=***&sslmode=verify-full",
            ),
            (
                "postgresql:///varco?host=/run/postgresql",
                "postgresql:///varco?host=/run/postgresql",
            ),
            ("sqlite:dati/store.db", "sqlite:dati/store.db"),
        ] {
            let url: StoreUrl = scritto.parse().unwrap();
            assert_eq!(url.to_string(), mostrato);
            assert!(!format!("{url:?}").contains("segreto"));
        }
        for altro in ["", "sqlite:", "mysql://x", "store.db"] {
            assert_eq!(altro.parse::<StoreUrl>(), Err(NotAStoreUrl), "{altro}");
        }
    }
}
