//! The protocol number: `INPS-AUF-2021-000000010797` = administration, register, year, twelve digits
//! (DPR 445/2000 art. 57: progressive, at least seven digits, renewed each calendar year).

use std::fmt;
use std::str::FromStr;
use std::sync::LazyLock;

use jiff::Timestamp;
use jiff::tz::TimeZone;

/// A number of a register in a year. It has one spelling.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct NumeroProtocollo {
    registro: String,
    anno: i16,
    numero: u64,
}

/// The number of a domanda: it stays for life, whatever is registered about it later.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct NumeroDomanda(pub u64);

/// A text that is no protocol number, or not its one spelling.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("numero di protocollo di forma errata")]
pub struct ProtocolloErrato;

impl NumeroProtocollo {
    /// Number `numero` of `registro` (such as `AUF`) in `anno`; `None` past twelve digits, at zero, or for a
    /// register that is not two to eight capital letters.
    #[must_use]
    pub fn new(registro: &str, anno: i16, numero: u64) -> Option<Self> {
        let registro_ok =
            (2..=8).contains(&registro.len()) && registro.bytes().all(|b| b.is_ascii_uppercase());
        let numero_ok = (1..=999_999_999_999).contains(&numero) && (1000..=9999).contains(&anno);
        (registro_ok && numero_ok).then(|| Self {
            registro: registro.to_owned(),
            anno,
            numero,
        })
    }

    /// The register: `AUF`.
    #[must_use]
    pub fn registro(&self) -> &str {
        &self.registro
    }

    /// The year of registration in Europe/Rome.
    #[must_use]
    pub fn anno(&self) -> i16 {
        self.anno
    }

    /// The number within the year, from 1.
    #[must_use]
    pub fn numero(&self) -> u64 {
        self.numero
    }
}

impl fmt::Display for NumeroProtocollo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "INPS-{}-{:04}-{:012}", self.registro, self.anno, self.numero)
    }
}

impl FromStr for NumeroProtocollo {
    type Err = ProtocolloErrato;

    fn from_str(text: &str) -> Result<Self, ProtocolloErrato> {
        let mut parti = text.strip_prefix("INPS-").ok_or(ProtocolloErrato)?.split('-');
        let (Some(registro), Some(anno), Some(numero), None) =
            (parti.next(), parti.next(), parti.next(), parti.next())
        else {
            return Err(ProtocolloErrato);
        };
        let anno = anno.parse().map_err(|_| ProtocolloErrato)?;
        let numero = numero.parse().map_err(|_| ProtocolloErrato)?;
        let letto = Self::new(registro, anno, numero).ok_or(ProtocolloErrato)?;
        // One number, one spelling: `+7` and `007` parse as integers too.
        if letto.to_string() == text {
            Ok(letto)
        } else {
            Err(ProtocolloErrato)
        }
    }
}

/// A number as somebody remembers it: the whole, or the progressive alone (`0001234`), with or without year and register
/// (`2026-1234`, `1234/2026`, `AUF-2026-1234`).
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct NumeroCercato {
    registro: Option<String>,
    anno: Option<i16>,
    numero: u64,
}

impl NumeroCercato {
    /// The numbers that are meant, in registers of which the first and the last year are known.
    #[must_use]
    pub fn candidati<'a>(
        &self,
        registri: impl IntoIterator<Item = (&'a str, i16, i16)>,
    ) -> Vec<NumeroProtocollo> {
        let cercato = |registro: &str| self.registro.as_deref().is_none_or(|cercato| cercato == registro);
        registri
            .into_iter()
            .filter(|(registro, ..)| cercato(registro))
            .flat_map(|(registro, dal, al)| {
                (dal..=al)
                    .filter(|anno| self.anno.is_none_or(|cercato| cercato == *anno))
                    .filter_map(|anno| NumeroProtocollo::new(registro, anno, self.numero))
            })
            .collect()
    }
}

impl From<&NumeroProtocollo> for NumeroCercato {
    fn from(intero: &NumeroProtocollo) -> Self {
        Self {
            registro: Some(intero.registro.clone()),
            anno: Some(intero.anno),
            numero: intero.numero,
        }
    }
}

impl fmt::Display for NumeroCercato {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(registro) = &self.registro {
            write!(f, "{registro}-")?;
        }
        if let Some(anno) = self.anno {
            write!(f, "{anno:04}-")?;
        }
        write!(f, "{:07}", self.numero)
    }
}

impl FromStr for NumeroCercato {
    type Err = ProtocolloErrato;

    fn from_str(text: &str) -> Result<Self, ProtocolloErrato> {
        let mut cercato = (None, Vec::new());
        for parte in text
            .split(|c: char| !c.is_ascii_alphanumeric())
            .filter(|parte| !parte.is_empty())
        {
            let maiuscola = parte.to_ascii_uppercase();
            if parte.bytes().all(|b| b.is_ascii_digit()) {
                cercato.1.push(parte);
            } else if maiuscola.bytes().all(|b| b.is_ascii_uppercase()) && cercato.1.is_empty() {
                // The administration comes before the register, and is always the same.
                if maiuscola != "INPS" {
                    cercato
                        .0
                        .replace(maiuscola)
                        .map_or(Ok(()), |_| Err(ProtocolloErrato))?;
                }
            } else {
                return Err(ProtocolloErrato);
            }
        }
        let (anno, numero) = match cercato.1[..] {
            [numero] => (None, numero),
            // `2026-1234` as it is written, `1234/2026` as it is said.
            [anno, numero] if is_anno(anno) => (Some(anno), numero),
            [numero, anno] if is_anno(anno) => (Some(anno), numero),
            [anno, numero] if anno.len() == 4 => (Some(anno), numero),
            _ => return Err(ProtocolloErrato),
        };
        let numero: u64 = numero.parse().map_err(|_| ProtocolloErrato)?;
        let anno = anno.map(str::parse).transpose().map_err(|_| ProtocolloErrato)?;
        let registro = cercato.0;
        // Whatever a number must be, whichever register and year it is of.
        NumeroProtocollo::new(registro.as_deref().unwrap_or("AUF"), anno.unwrap_or(2021), numero)
            .map(|_| Self {
                registro,
                anno,
                numero,
            })
            .ok_or(ProtocolloErrato)
    }
}

/// A year as this century writes it: so `1234/2026` is read as it is meant.
fn is_anno(testo: &str) -> bool {
    testo.len() == 4 && testo.starts_with("20")
}

/// The time zone of the register: the year turns at midnight in Rome.
#[must_use]
pub fn roma() -> TimeZone {
    ROMA.clone()
}

// The zone is compiled in (jiff's bundled database), so the lookup cannot fail; UTC would show in every test.
static ROMA: LazyLock<TimeZone> = LazyLock::new(|| TimeZone::get("Europe/Rome").unwrap_or(TimeZone::UTC));

/// The calendar date of an instant in Rome.
#[must_use]
pub fn data_a_roma(istante: Timestamp) -> jiff::civil::Date {
    ROMA.to_datetime(istante).date()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_has_one_spelling() {
        let scritto = "INPS-AUF-2021-000000010797";
        let letto: NumeroProtocollo = scritto.parse().unwrap();
        assert_eq!(
            (letto.registro(), letto.anno(), letto.numero()),
            ("AUF", 2021, 10797)
        );
        assert_eq!(letto.to_string(), scritto);
        for errato in [
            "INPS-AUF-2021-10797",
            "INPS-AUF-2021-+00000010797",
            "INPS-AUF-2021-000000000000",
            "INPS-auf-2021-000000010797",
            "INPS-AUF-21-000000010797",
            "INPS-AUF-2021-000000010797 ",
            "INPS-AUF-2021-0000000107970",
        ] {
            assert_eq!(
                errato.parse::<NumeroProtocollo>(),
                Err(ProtocolloErrato),
                "{errato}"
            );
        }
    }

    #[test]
    fn a_number_is_found_by_what_somebody_remembers_of_it() {
        let registri = [("AUF", 2021, 2022), ("ATF", 2022, 2022)];
        let candidati = |testo: &str| {
            let cercato: NumeroCercato = testo.parse().unwrap();
            assert_eq!(cercato.to_string().parse(), Ok(cercato.clone()), "{testo}");
            cercato
                .candidati(registri)
                .iter()
                .map(ToString::to_string)
                .collect::<Vec<_>>()
        };
        for testo in ["0001234", "1234", "000000001234"] {
            assert_eq!(
                candidati(testo),
                [
                    "INPS-AUF-2021-000000001234",
                    "INPS-AUF-2022-000000001234",
                    "INPS-ATF-2022-000000001234"
                ]
            );
        }
        for testo in [
            "INPS-AUF-2021-000000001234",
            "inps.auf.2021.0001234",
            "AUF 2021/1234",
            "AUF-1234/2021",
        ] {
            assert_eq!(candidati(testo), ["INPS-AUF-2021-000000001234"], "{testo}");
        }
        assert_eq!(candidati("1234/2022").len(), 2);
        assert!(candidati("XYZ-1234").is_empty() && candidati("2019-1234").is_empty());
        for errato in [
            "",
            "0",
            "AUF",
            "1-2-3",
            "12a",
            "AUF-ATF-1",
            "2021-AUF-1",
            "1234567890123",
            "1;DROP",
        ] {
            assert_eq!(errato.parse::<NumeroCercato>(), Err(ProtocolloErrato), "{errato}");
        }
    }

    #[test]
    fn the_year_turns_at_midnight_in_rome() {
        let prima: Timestamp = "2021-12-31T22:59:59Z".parse().unwrap();
        let dopo: Timestamp = "2021-12-31T23:00:00Z".parse().unwrap();
        assert_eq!(
            (data_a_roma(prima).year(), data_a_roma(dopo).year()),
            (2021, 2022)
        );
    }
}
