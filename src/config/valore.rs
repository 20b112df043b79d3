//! The types that a setting may have: how each is read from TOML or from a variable, and how it is shown.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use jiff::Timestamp;
use toml::de::DeValue;

use super::{IdentityMode, LogFormato};
use crate::domanda::Ambiente;
use crate::listener::NelDubbio;
use crate::listener::scadenze::Soglie;
use crate::store::StoreUrl;

/// A value as it was written.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Grezzo {
    Testo(String),
    /// A number, as its digits.
    Numero(String),
    Vero(bool),
    /// From the environment, where everything is text.
    Variabile(String),
    /// Something that no setting is.
    Altro,
}

impl Grezzo {
    pub(super) fn of(valore: &DeValue<'_>) -> Self {
        match valore {
            DeValue::String(testo) => Self::Testo(testo.to_string()),
            DeValue::Integer(numero) if numero.radix() == 10 => Self::Numero(numero.as_str().to_owned()),
            DeValue::Float(numero) => Self::Numero(numero.as_str().to_owned()),
            DeValue::Boolean(vero) => Self::Vero(*vero),
            // An instant may be written without quotes.
            DeValue::Datetime(istante) => Self::Testo(istante.to_string()),
            DeValue::Integer(_) | DeValue::Array(_) | DeValue::Table(_) => Self::Altro,
        }
    }

    fn text(&self) -> Option<&str> {
        match self {
            Self::Testo(testo) | Self::Variabile(testo) => Some(testo),
            Self::Numero(_) | Self::Vero(_) | Self::Altro => None,
        }
    }

    fn number(&self) -> Option<&str> {
        match self {
            Self::Numero(cifre) | Self::Variabile(cifre) => Some(cifre),
            Self::Testo(_) | Self::Vero(_) | Self::Altro => None,
        }
    }
}

/// A type of setting.
pub(super) trait Valore: Sized {
    /// What must be written, for the sentence «atteso …».
    const ATTESO: &'static str;

    fn read(grezzo: &Grezzo) -> Option<Self>;

    /// As TOML, with anything secret left out.
    fn show(&self) -> String;
}

/// A setting that is one of a few words.
macro_rules! parole {
    ($tipo:ty, $atteso:literal, $($variante:ident = $parola:literal),+) => {
        impl Valore for $tipo {
            const ATTESO: &'static str = $atteso;

            fn read(grezzo: &Grezzo) -> Option<Self> {
                match grezzo.text()? {
                    $($parola => Some(Self::$variante),)+
                    _ => None,
                }
            }

            fn show(&self) -> String {
                match self {
                    $(Self::$variante => format!("\"{}\"", $parola),)+
                }
            }
        }
    };
}

parole!(
    Ambiente,
    "\"sandbox\", \"collaudo\" o \"produzione\"",
    Sandbox = "sandbox",
    Collaudo = "collaudo",
    Produzione = "produzione"
);
parole!(
    NelDubbio,
    "\"rifiuta\" o \"accetta\"",
    Rifiuta = "rifiuta",
    Accetta = "accetta"
);
parole!(
    IdentityMode,
    "\"lenient\" o \"strict\"",
    Lenient = "lenient",
    Strict = "strict"
);
parole!(LogFormato, "\"testo\" o \"json\"", Testo = "testo", Json = "json");

impl Valore for StoreUrl {
    const ATTESO: &'static str =
        "\"sqlite:PERCORSO\" oppure \"postgres://UTENTE@HOST/DATABASE\", per esempio \"sqlite:store.db\"";

    fn read(grezzo: &Grezzo) -> Option<Self> {
        grezzo.text()?.parse().ok()
    }

    fn show(&self) -> String {
        format!("\"{self}\"")
    }
}

impl Valore for Soglie {
    const ATTESO: &'static str = "giorni fra 1 e 36500 separati da virgole, per esempio \"60,30,7\"";

    fn read(grezzo: &Grezzo) -> Option<Self> {
        Self::parse(grezzo.text()?)
    }

    fn show(&self) -> String {
        format!("\"{self}\"")
    }
}

impl Valore for PathBuf {
    const ATTESO: &'static str = "il percorso di un file, fra virgolette";

    fn read(grezzo: &Grezzo) -> Option<Self> {
        let testo = grezzo.text()?;
        (!testo.is_empty()).then(|| testo.into())
    }

    fn show(&self) -> String {
        format!("\"{}\"", self.display())
    }
}

/// A setting that may be left out; `""` says so.
impl<V: Valore> Valore for Option<V> {
    const ATTESO: &'static str = V::ATTESO;

    fn read(grezzo: &Grezzo) -> Option<Self> {
        if grezzo.text() == Some("") {
            Some(None)
        } else {
            V::read(grezzo).map(Some)
        }
    }

    fn show(&self) -> String {
        self.as_ref().map_or_else(|| "\"\"".to_owned(), Valore::show)
    }
}

impl Valore for SocketAddr {
    const ATTESO: &'static str = "\"indirizzo:porta\", per esempio \"127.0.0.1:8443\" o \"[::]:8443\"";

    fn read(grezzo: &Grezzo) -> Option<Self> {
        grezzo.text()?.parse().ok()
    }

    fn show(&self) -> String {
        format!("\"{self}\"")
    }
}

impl Valore for String {
    const ATTESO: &'static str = "un testo fra virgolette";

    fn read(grezzo: &Grezzo) -> Option<Self> {
        let testo = grezzo.text()?;
        (!testo.is_empty() && !testo.contains(char::is_control)).then(|| testo.to_owned())
    }

    fn show(&self) -> String {
        format!("\"{self}\"")
    }
}

impl Valore for bool {
    const ATTESO: &'static str = "true o false";

    fn read(grezzo: &Grezzo) -> Option<Self> {
        match grezzo {
            Grezzo::Vero(vero) => Some(*vero),
            Grezzo::Variabile(testo) => testo.parse().ok(),
            Grezzo::Testo(_) | Grezzo::Numero(_) | Grezzo::Altro => None,
        }
    }

    fn show(&self) -> String {
        self.to_string()
    }
}

/// A count. The largest is what 32 bits hold, so that sums of bounds never overflow.
impl Valore for usize {
    const ATTESO: &'static str = "un numero intero fra 0 e 4294967295, senza virgolette";

    fn read(grezzo: &Grezzo) -> Option<Self> {
        let numero: u32 = grezzo.number()?.replace('_', "").parse().ok()?;
        Self::try_from(numero).ok()
    }

    fn show(&self) -> String {
        self.to_string()
    }
}

/// Bytes of a disk, or of a database.
impl Valore for u64 {
    const ATTESO: &'static str = "un numero intero di byte fra 0 e 9223372036854775807, senza virgolette";

    fn read(grezzo: &Grezzo) -> Option<Self> {
        let numero: i64 = grezzo.number()?.replace('_', "").parse().ok()?;
        Self::try_from(numero).ok()
    }

    fn show(&self) -> String {
        self.to_string()
    }
}

/// A time, in seconds.
impl Valore for Duration {
    const ATTESO: &'static str = "un numero di secondi maggiore di 0 e non oltre 86400, senza virgolette";

    fn read(grezzo: &Grezzo) -> Option<Self> {
        let secondi: f64 = grezzo.number()?.replace('_', "").parse().ok()?;
        (secondi > 0.0 && secondi <= 86_400.0).then(|| Self::from_secs_f64(secondi))
    }

    fn show(&self) -> String {
        self.as_secs_f64().to_string()
    }
}

impl Valore for Timestamp {
    const ATTESO: &'static str = "un istante, per esempio \"2021-07-01T09:00:00+02:00\"";

    fn read(grezzo: &Grezzo) -> Option<Self> {
        grezzo.text()?.parse().ok()
    }

    fn show(&self) -> String {
        format!("\"{self}\"")
    }
}
