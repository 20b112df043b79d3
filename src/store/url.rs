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

/// What cannot be the nodes of a database.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub(super) struct NodiErrati(&'static str);

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

    /// The same, with relative names of certificate files taken from a folder.
    #[must_use]
    pub fn with_files_from(&self, cartella: &Path) -> Self {
        let Some((prima, query)) = self.0.split_once('?') else {
            return self.clone();
        };
        let parametri: Vec<_> = query
            .split('&')
            .map(|parametro| match parametro.split_once('=') {
                // What is absolute, or the certificate itself, is no name in that folder.
                Some((nome, file)) if FILE.contains(&nome) && !file.starts_with(['/', '-', '%']) => {
                    let cartella = percent(cartella.as_os_str().as_bytes()).replace("%2F", "/");
                    let separatore = if cartella.is_empty() || cartella.ends_with('/') {
                        ""
                    } else {
                        "/"
                    };
                    format!("{nome}={cartella}{separatore}{file}")
                }
                _ => parametro.to_owned(),
            })
            .collect();
        Self(format!("{prima}?{}", parametri.join("&")))
    }

    /// One URL for each node: `postgres://gw@db1:5432,db2:5433/varco?target_session_attrs=read-write` names two, as the
    /// tools of PostgreSQL write it (or `host=…,…&port=…,…` among the parameters).
    pub(super) fn nodes(&self) -> Result<Vec<Self>, NodiErrati> {
        let (dove, query) = self.0.split_once('?').unwrap_or((&self.0, ""));
        let (schema, resto) = dove.split_once("://").unwrap_or(("postgres", dove));
        let (chi, resto) = match resto.rsplit_once('@') {
            Some((chi, resto)) => (format!("{chi}@"), resto),
            None => (String::new(), resto),
        };
        let (hosts, database) = match resto.split_once('/') {
            Some((hosts, database)) => (hosts, format!("/{database}")),
            None => (resto, String::new()),
        };
        let valore = |nome: &str| {
            self.parameters()
                .find(|(altro, _)| *altro == nome)
                .map(|(_, valore)| valore)
        };
        if let Some(attributi) = valore(ATTRIBUTI)
            && !["read-write", "primary"].contains(&attributi)
        {
            return Err(NodiErrati(
                "target_session_attrs must be read-write: it is the primary that registers",
            ));
        }
        let (in_query, porte) = (valore("host"), valore("port"));
        let nodi: Vec<&str> = in_query.unwrap_or(hosts).split(',').collect();
        let porte: Vec<&str> = porte.map_or_else(Vec::new, |porte| porte.split(',').collect());
        if porte.len() > 1 && porte.len() != nodi.len() {
            return Err(NodiErrati("it has not as many ports as hosts"));
        }
        if nodi.len() > 1 && nodi.iter().any(|nodo| nodo.is_empty()) {
            return Err(NodiErrati("one of its hosts is empty"));
        }
        let resto: Vec<_> = query
            .split('&')
            .filter(|parametro| {
                let nome = parametro.split_once('=').map_or(*parametro, |(nome, _)| nome);
                !parametro.is_empty() && ![ATTRIBUTI, "host", "port"].contains(&nome)
            })
            .collect();
        let nodo = |posto: usize, nodo: &str| {
            let mut parametri: Vec<String> = resto.iter().map(|parametro| (*parametro).to_owned()).collect();
            if in_query.is_some() {
                parametri.push(format!("host={nodo}"));
            }
            if let Some(porta) = porte.get(posto).or_else(|| porte.first()) {
                parametri.push(format!("port={porta}"));
            }
            let host = if in_query.is_some() { hosts } else { nodo };
            let separatore = if parametri.is_empty() { "" } else { "?" };
            Self(format!(
                "{schema}://{chi}{host}{database}{separatore}{}",
                parametri.join("&")
            ))
        };
        Ok(nodi
            .iter()
            .enumerate()
            .map(|(posto, host)| nodo(posto, host))
            .collect())
    }

    /// Whether it has a parameter that the driver would pass over: a misspelt `sslmode` must not.
    pub(super) fn has_unknown_parameter(&self) -> bool {
        self.parameters()
            .any(|(nome, _)| !MOSTRATI.contains(&nome) && nome != "password")
    }

    /// Whether the URL itself says how TLS is to be.
    pub(super) fn tells_sslmode(&self) -> bool {
        self.parameters()
            .any(|(nome, _)| nome == "sslmode" || nome == "ssl-mode")
    }

    fn parameters(&self) -> impl Iterator<Item = (&str, &str)> {
        let query = self.0.split_once('?').map_or("", |(_, query)| query);
        query
            .split('&')
            .filter(|parametro| !parametro.is_empty())
            .map(|parametro| parametro.split_once('=').unwrap_or((parametro, "")))
    }

    /// The URL as it was written, its password included.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for PostgresUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (schema, resto) = self.0.split_once("://").unwrap_or(("", &self.0));
        let (dove, query) = resto.split_once('?').unwrap_or((resto, ""));
        if query.contains('@') && !dove.contains('@') || self.0.contains('#') {
            // Perhaps a password that nobody encoded, with a `?` or a `#` in it.
            return write!(f, "{schema}://***");
        }
        match dove.rsplit_once('@') {
            Some((chi, dove)) => {
                let (utente, password) = chi.split_once(':').unwrap_or((chi, ""));
                let velo = if password.is_empty() { "" } else { ":***" };
                write!(f, "{schema}://{utente}{velo}@{dove}")?;
            }
            None => write!(f, "{schema}://{dove}")?,
        }
        let mut separatore = '?';
        for (nome, valore) in self.parameters() {
            if MOSTRATI.contains(&nome) {
                write!(f, "{separatore}{nome}={valore}")?;
            } else if nome == "password" {
                write!(f, "{separatore}password=***")?;
            } else {
                // Perhaps a misspelt `password`, or a piece of one.
                write!(f, "{separatore}***")?;
            }
            separatore = '&';
        }
        Ok(())
    }
}

/// Which node of several is meant.
const ATTRIBUTI: &str = "target_session_attrs";

/// The parameters that may be shown: with `password` all that the driver knows, and one that is ours to follow.
const MOSTRATI: [&str; 18] = [
    ATTRIBUTI,
    "sslmode",
    "ssl-mode",
    "sslrootcert",
    "ssl-root-cert",
    "ssl-ca",
    "sslcert",
    "ssl-cert",
    "sslkey",
    "ssl-key",
    "statement-cache-capacity",
    "host",
    "hostaddr",
    "port",
    "dbname",
    "user",
    "application_name",
    "options",
];

/// The parameters that name a file.
const FILE: [&str; 7] = [
    "sslrootcert",
    "ssl-root-cert",
    "ssl-ca",
    "sslcert",
    "ssl-cert",
    "sslkey",
    "ssl-key",
];

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
    fn certificate_files_are_found_from_a_folder() {
        let url: PostgresUrl =
            "postgres://gw@db/varco?sslmode=verify-full&sslrootcert=ca.pem&sslkey=/etc/gw.key"
                .parse()
                .unwrap();
        assert_eq!(
            url.with_files_from(Path::new("/srv/la prova")).as_str(),
            "postgres://gw@db/varco?sslmode=verify-full&sslrootcert=/srv/la%20prova/ca.pem&sslkey=/etc/gw.key"
        );
        assert_eq!(url.with_files_from(Path::new("")), url);
        let altro: PostgresUrl = "postgres://gw@db/varco?sslmod=disable&password=x"
            .parse()
            .unwrap();
        assert!(altro.has_unknown_parameter() && !altro.tells_sslmode());
        assert!(url.tells_sslmode() && !url.has_unknown_parameter());
    }

    #[test]
    fn a_url_may_name_several_nodes() {
        let nodi = |url: &str| -> Result<Vec<String>, String> {
            let url: PostgresUrl = url.parse().unwrap();
            url.nodes()
                .map(|nodi| nodi.into_iter().map(|nodo| nodo.0).collect())
                .map_err(|errore| errore.to_string())
        };
        assert_eq!(
            nodi("postgres://gw:p%2Cq@db1:5433,[::1]:5434/varco?target_session_attrs=read-write&sslmode=require").unwrap(),
            [
                "postgres://gw:p%2Cq@db1:5433/varco?sslmode=require",
                "postgres://gw:p%2Cq@[::1]:5434/varco?sslmode=require"
            ]
        );
        assert_eq!(
            nodi("postgres:///varco?host=/run/a,/run/b&port=5433,5434&user=gw").unwrap(),
            [
                "postgres:///varco?user=gw&host=/run/a&port=5433",
                "postgres:///varco?user=gw&host=/run/b&port=5434"
            ]
        );
        assert_eq!(
            nodi("postgres:///varco?host=/run/a,/run/b&port=5433").unwrap(),
            [
                "postgres:///varco?host=/run/a&port=5433",
                "postgres:///varco?host=/run/b&port=5433"
            ]
        );
        assert_eq!(nodi("postgres://gw@db").unwrap(), ["postgres://gw@db"]);
        for (url, causa) in [
            (
                "postgres://gw@db1,db2/varco?target_session_attrs=any",
                "target_session_attrs must be read-write: it is the primary that registers",
            ),
            (
                "postgres:///varco?host=a,b,c&port=1,2",
                "it has not as many ports as hosts",
            ),
            ("postgres://gw@db1,/varco", "one of its hosts is empty"),
        ] {
            assert_eq!(nodi(url).unwrap_err(), causa);
        }
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
            // A name that is not known is perhaps a slip of the pen, and its value a password.
            (
                "postgres://gw@db/varco?pasword=segreto",
                "postgres://gw@db/varco?***",
            ),
            // Characters that should have been encoded.
            ("postgres://gw:segreto?a@db/varco", "postgres://***"),
            ("postgres://gw:segreto#a@db/varco", "postgres://***"),
            ("postgres://gw:a/segreto@db/varco", "postgres://gw:***@db/varco"),
            ("postgres://gw:a@segreto@db/varco", "postgres://gw:***@db/varco"),
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
