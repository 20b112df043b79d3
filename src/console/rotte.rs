//! What can be asked for, and by whom: one table, walked once for every request. A path that is none of these is nowhere.

use actix_web::http::Method;
use uuid::Uuid;

use super::testi::Lingua;
use crate::store::operatori::Ruolo;

/// What is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rotta {
    /// The one style sheet.
    Stile,
    /// The sign beside the page's title.
    Icona,
    /// Another language.
    Lingua(Lingua),
    /// Where one signs in.
    Accesso,
    /// Signs in with name and password.
    Entra,
    /// Signs in with the certificate that the connection showed.
    EntraConCertificato,
    /// Signs out.
    Esci,
    /// The first page.
    Inizio,
    /// Live traffic.
    Traffico,
    /// The messages, searched.
    Messaggi,
    /// What the form of the search asks for.
    Cerca,
    /// Keeps a search.
    SalvaRicerca,
    /// Forgets a search that was kept.
    TogliRicerca,
    /// Takes a list away.
    Esporta,
    /// One message.
    Messaggio(Uuid),
    /// The same in clear.
    InChiaro(Uuid),
    /// Its bytes.
    Scarica(Uuid),
    /// The door log.
    Porta,
    /// The lots.
    Lotti,
    /// Holds one back, lets it go on, calls it off.
    ComandaLotto(Uuid),
    /// Who has joined.
    Enti,
    /// How the store is.
    Archivio,
}

/// Who may.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Serve {
    /// Whoever comes.
    Nessuno,
    /// Who is signed in and has this role or one above it.
    Ruolo(Ruolo),
}

/// Why there is nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Altrove {
    /// No such path.
    NonCe,
    /// The path is there, the method is not; this one is.
    Metodo(&'static str),
}

impl Rotta {
    /// What a method and a path ask for; `stile` is the path of the style sheet, which is named after what is in it.
    pub fn of(metodo: &Method, percorso: &str, stile: &str) -> Result<Self, Altrove> {
        let (rotta, con) = Self::at(percorso, stile).ok_or(Altrove::NonCe)?;
        let suo = match con {
            "POST" => *metodo == Method::POST,
            _ => matches!(*metodo, Method::GET | Method::HEAD),
        };
        match (suo, rotta) {
            (true, rotta) => Ok(rotta),
            // One page, two methods.
            (false, Self::Accesso) if *metodo == Method::POST => Ok(Self::Entra),
            _ => Err(Altrove::Metodo(con)),
        }
    }

    fn at(percorso: &str, stile: &str) -> Option<(Self, &'static str)> {
        if percorso == stile {
            return Some((Self::Stile, "GET"));
        }
        let parti: Vec<&str> = percorso.strip_prefix('/')?.split('/').collect();
        let id = |testo: &str| testo.parse::<Uuid>().ok().filter(|id| id.to_string() == testo);
        Some(match parti[..] {
            [""] => (Self::Inizio, "GET"),
            ["icona.svg"] => (Self::Icona, "GET"),
            ["lingua", codice] => (Self::Lingua(Lingua::parse(codice)?), "GET"),
            ["accesso"] => (Self::Accesso, "GET"),
            ["accesso", "certificato"] => (Self::EntraConCertificato, "POST"),
            ["uscita"] => (Self::Esci, "POST"),
            ["traffico"] => (Self::Traffico, "GET"),
            ["messaggi"] => (Self::Messaggi, "GET"),
            ["messaggi", "cerca"] => (Self::Cerca, "POST"),
            ["messaggi", "ricerche"] => (Self::SalvaRicerca, "POST"),
            ["messaggi", "ricerche", "togli"] => (Self::TogliRicerca, "POST"),
            ["messaggi", "esporta"] => (Self::Esporta, "POST"),
            ["messaggi", quale] => (Self::Messaggio(id(quale)?), "GET"),
            ["messaggi", quale, "in-chiaro"] => (Self::InChiaro(id(quale)?), "POST"),
            ["messaggi", quale, "scarica"] => (Self::Scarica(id(quale)?), "POST"),
            ["porta"] => (Self::Porta, "GET"),
            ["lotti"] => (Self::Lotti, "GET"),
            ["lotti", quale] => (Self::ComandaLotto(id(quale)?), "POST"),
            ["enti"] => (Self::Enti, "GET"),
            ["archivio"] => (Self::Archivio, "GET"),
            _ => return None,
        })
    }

    /// Who may ask for it.
    #[must_use]
    pub fn serve(self) -> Serve {
        match self {
            Self::Stile
            | Self::Icona
            | Self::Lingua(_)
            | Self::Accesso
            | Self::Entra
            | Self::EntraConCertificato => Serve::Nessuno,
            Self::Esci
            | Self::Inizio
            | Self::Traffico
            | Self::Messaggi
            | Self::Cerca
            | Self::SalvaRicerca
            | Self::TogliRicerca
            | Self::Messaggio(_)
            | Self::Porta
            | Self::Lotti
            | Self::Enti
            | Self::Archivio => Serve::Ruolo(Ruolo::Lettore),
            Self::InChiaro(_) | Self::Scarica(_) | Self::Esporta => Serve::Ruolo(Ruolo::Indagatore),
            Self::ComandaLotto(_) => Serve::Ruolo(Ruolo::Gestore),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_has_one_spelling_and_one_method() {
        let of = |metodo: Method, percorso: &str| Rotta::of(&metodo, percorso, "/stile-1.css");
        let id = Uuid::from_u128(7);
        assert_eq!(of(Method::GET, "/"), Ok(Rotta::Inizio));
        assert_eq!(of(Method::HEAD, "/traffico"), Ok(Rotta::Traffico));
        assert_eq!(of(Method::GET, "/accesso"), Ok(Rotta::Accesso));
        assert_eq!(of(Method::POST, "/accesso"), Ok(Rotta::Entra));
        assert_eq!(
            of(Method::GET, &format!("/messaggi/{id}")),
            Ok(Rotta::Messaggio(id))
        );
        assert_eq!(of(Method::POST, "/traffico"), Err(Altrove::Metodo("GET")));
        assert_eq!(of(Method::GET, "/uscita"), Err(Altrove::Metodo("POST")));
        for percorso in [
            "/messaggi/x",
            "/traffico/",
            "//traffico",
            "",
            "/lingua/fr",
            &format!("/messaggi/{}", id.simple()),
        ] {
            assert_eq!(of(Method::GET, percorso), Err(Altrove::NonCe), "{percorso}");
        }
    }
}
