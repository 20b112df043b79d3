//! Where a store is: `sqlite:store.db`, or `postgres://varco_gateway@db.example/varco?sslmode=verify-full`.

use std::fmt;
use std::path::PathBuf;
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

#[cfg(test)]
mod tests {
    use super::*;

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
