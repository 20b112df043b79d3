//! The codice fiscale: sixteen characters with a verified check character, or eleven digits (provisional, as the
//! Agenzia delle Entrate gives it before the final one). DM 23/12/1976; spec/domain.md §7.1.
//!
//! Promises shape, check character and a day that exists; says nothing of existence, which only the Anagrafe
//! tributaria knows. Refuses lower case and spaces: the XSD lets one spelling in, so the domain knows one spelling.
//!
//! Omocodia: where two persons would have the same codice, digits are replaced by letters. The two are different
//! persons, so equality is that of the characters, always; letters are read as digits only to learn day and place.

use std::fmt;
use std::str::FromStr;

use jiff::ToSpan;
use jiff::civil::Date;

/// A codice fiscale whose shape and check character were verified. Masked in `Debug`.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct CodiceFiscale(String);

/// As the codice fiscale tells it: 40 is added to a woman's day of birth.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Sesso {
    /// F.
    Femmina,
    /// M.
    Maschio,
}

/// Why a text is no codice fiscale.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CodiceFiscaleErrato {
    /// Not sixteen characters of the right kinds, nor eleven digits.
    #[error("forma errata")]
    Forma,
    /// The check character is another.
    #[error("carattere di controllo errato")]
    Controllo,
    /// There is no such day.
    #[error("data di nascita impossibile")]
    Data,
}

/// Nobody asks, or is a parent, before this age: it decides the century of an adult's year of birth (§7.1).
const ETA_MINIMA_ADULTO: i32 = 12;

impl CodiceFiscale {
    /// The sixteen characters or eleven digits, upper case.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Eleven digits: nothing of the person can be read from it.
    #[must_use]
    pub fn is_provvisorio(&self) -> bool {
        self.0.len() == 11
    }

    /// Whether a digit was replaced by a letter because somebody else had the same codice.
    #[must_use]
    pub fn is_omocodico(&self) -> bool {
        !self.is_provvisorio()
            && CIFRE
                .iter()
                .any(|posto| self.0.as_bytes()[*posto].is_ascii_alphabetic())
    }

    /// The date of birth, in the latest century that is not after `entro`: the day of presentation for a child,
    /// [`entro_adulto`] for richiedente and other parent. `None` when provisional.
    ///
    /// The century is resolved first, then the day must exist in it: 29 February of 1900 is
    /// [`CodiceFiscaleErrato::Data`].
    pub fn data_nascita(&self, entro: Date) -> Result<Option<Date>, CodiceFiscaleErrato> {
        if self.is_provvisorio() {
            return Ok(None);
        }
        let (anno, mese, giorno) = giorno_di_nascita(self.0.as_bytes())?;
        let secolo = entro.year() - entro.year().rem_euclid(100);
        let dopo = (secolo + anno, mese, giorno) > (entro.year(), entro.month(), entro.day());
        let anno = if dopo { secolo + anno - 100 } else { secolo + anno };
        Date::new(anno, mese, giorno)
            .map(Some)
            .map_err(|_| CodiceFiscaleErrato::Data)
    }

    /// The sex; `None` when provisional.
    #[must_use]
    pub fn sesso(&self) -> Option<Sesso> {
        if self.is_provvisorio() {
            return None;
        }
        Some(if numero(&self.0.as_bytes()[9..11]) > 40 {
            Sesso::Femmina
        } else {
            Sesso::Maschio
        })
    }

    /// The place of birth as the cadastral code (`H501`; `Z` and three digits abroad), omocodia undone; `None`
    /// when provisional.
    #[must_use]
    pub fn luogo_nascita(&self) -> Option<String> {
        if self.is_provvisorio() {
            return None;
        }
        let lettera = char::from(self.0.as_bytes()[11]);
        Some(format!("{lettera}{:03}", numero(&self.0.as_bytes()[12..15])))
    }

    /// Composes the codice of a person from name, birth and cadastral code of the place (DM 23/12/1976): what
    /// samples and tests are made with. `None` when name or place cannot be spelt in it.
    #[must_use]
    pub fn compose(cognome: &str, nome: &str, nascita: Date, sesso: Sesso, luogo: &str) -> Option<Self> {
        let giorno = match sesso {
            Sesso::Maschio => nascita.day(),
            Sesso::Femmina => nascita.day() + 40,
        };
        let mese = char::from(MESI[usize::try_from(nascita.month() - 1).ok()?]);
        let mut codice = format!(
            "{}{}{:02}{mese}{giorno:02}{luogo}",
            lettere(cognome, false)?,
            lettere(nome, true)?,
            nascita.year().rem_euclid(100),
        );
        codice.push(carattere_di_controllo(&codice)?);
        codice.parse().ok()
    }
}

/// The latest day on which an adult who acts on `presentazione` may be born.
#[must_use]
pub fn entro_adulto(presentazione: Date) -> Date {
    presentazione.saturating_sub(ETA_MINIMA_ADULTO.years())
}

impl FromStr for CodiceFiscale {
    type Err = CodiceFiscaleErrato;

    fn from_str(text: &str) -> Result<Self, CodiceFiscaleErrato> {
        let caratteri = text.as_bytes();
        if caratteri.len() == 11 && caratteri.iter().all(u8::is_ascii_digit) {
            if cifra_di_controllo(&caratteri[..10]) != caratteri[10] {
                return Err(CodiceFiscaleErrato::Controllo);
            }
            return Ok(Self(text.to_owned()));
        }
        if !has_forma(caratteri) {
            return Err(CodiceFiscaleErrato::Forma);
        }
        // The check character goes before the day: when both are wrong, one character was mistyped.
        if carattere_di_controllo(&text[..15]) != Some(char::from(caratteri[15])) {
            return Err(CodiceFiscaleErrato::Controllo);
        }
        giorno_di_nascita(caratteri)?;
        Ok(Self(text.to_owned()))
    }
}

impl fmt::Debug for CodiceFiscale {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CodiceFiscale({}…)", self.0.get(..3).unwrap_or_default())
    }
}

/// The check character of the first fifteen; `None` if they are not fifteen letters and digits, upper case.
#[must_use]
pub fn carattere_di_controllo(quindici: &str) -> Option<char> {
    if quindici.len() != 15 {
        return None;
    }
    lettera_di_controllo(quindici.as_bytes())
}

/// The letter that sums up capital letters and digits, those at odd places (from 1) by [`DISPARI`]. The CIN of
/// Italian and Sammarinese IBANs is drawn in the same way.
pub(super) fn lettera_di_controllo(caratteri: &[u8]) -> Option<char> {
    let mut somma = 0;
    for (indice, carattere) in caratteri.iter().enumerate() {
        let valore = match carattere {
            b'0'..=b'9' => carattere - b'0',
            b'A'..=b'Z' => carattere - b'A',
            _ => return None,
        };
        let dispari = indice % 2 == 0;
        somma += u32::from(if dispari {
            DISPARI[usize::from(valore)]
        } else {
            valore
        });
    }
    char::from_u32(u32::from(b'A') + somma % 26)
}

/// What a letter (A = 0) or a digit counts at an odd place. `0` and `A` count alike, and so on to `9` and `J`.
const DISPARI: [u8; 26] = [
    1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24, 23,
];

/// The letters of the months, January first.
const MESI: &[u8; 12] = b"ABCDEHLMPRST";

/// Where the digits stand, which omocodia may replace.
const CIFRE: [usize; 7] = [6, 7, 9, 10, 12, 13, 14];

/// What omocodia writes for 0 to 9.
const OMOCODIA: &[u8; 10] = b"LMNPQRSTUV";

/// The check digit of a provisional codice: that of a partita IVA, without its rule on the office's digits.
fn cifra_di_controllo(dieci: &[u8]) -> u8 {
    let somma: u32 = dieci
        .iter()
        .enumerate()
        .map(|(indice, cifra)| {
            let valore = u32::from(cifra - b'0');
            match indice % 2 {
                0 => valore,
                _ if valore > 4 => valore * 2 - 9,
                _ => valore * 2,
            }
        })
        .sum();
    b"0987654321"[(somma % 10) as usize]
}

/// Letters, digits (or what omocodia writes for them) and a month, each at its place.
fn has_forma(caratteri: &[u8]) -> bool {
    caratteri.len() == 16
        && caratteri
            .iter()
            .enumerate()
            .all(|(posto, carattere)| match posto {
                8 => MESI.contains(carattere),
                _ if CIFRE.contains(&posto) => carattere.is_ascii_digit() || OMOCODIA.contains(carattere),
                _ => carattere.is_ascii_uppercase(),
            })
}

/// The number that digits spell, omocodia undone. Called only after [`has_forma`].
fn numero(caratteri: &[u8]) -> i16 {
    caratteri.iter().fold(0, |numero, carattere| {
        let cifra = OMOCODIA
            .iter()
            .zip(0..)
            .find(|(lettera, _)| *lettera == carattere)
            .map_or_else(|| i16::from(carattere.saturating_sub(b'0')), |(_, cifra)| cifra);
        numero * 10 + cifra
    })
}

/// Year of the century, month and day of birth. The day exists in some year: which, the century decides.
fn giorno_di_nascita(caratteri: &[u8]) -> Result<(i16, i8, i8), CodiceFiscaleErrato> {
    let anno = numero(&caratteri[6..8]);
    let mese = MESI
        .iter()
        .zip(1..)
        .find(|(lettera, _)| **lettera == caratteri[8])
        .map(|(_, mese)| mese)
        .ok_or(CodiceFiscaleErrato::Forma)?;
    let giorno = match numero(&caratteri[9..11]) {
        giorno @ 1..=31 => giorno,
        giorno @ 41..=71 => giorno - 40,
        _ => return Err(CodiceFiscaleErrato::Data),
    };
    // 2000 is a leap year: 29 February passes here and is looked at again with its century.
    let giorno = i8::try_from(giorno).map_err(|_| CodiceFiscaleErrato::Data)?;
    Date::new(2000, mese, giorno).map_err(|_| CodiceFiscaleErrato::Data)?;
    Ok((anno, mese, giorno))
}

/// The three letters of a family name or a given name: consonants, then vowels, then `X`. Of a given name with
/// four consonants or more the second is left out. `None` when there is no letter, or one outside A to Z.
fn lettere(nome: &str, proprio: bool) -> Option<String> {
    let mut consonanti = Vec::new();
    let mut vocali = Vec::new();
    for lettera in nome.chars().filter(|lettera| !" '-".contains(*lettera)) {
        match lettera {
            'A' | 'E' | 'I' | 'O' | 'U' => vocali.push(lettera),
            'À' => vocali.push('A'),
            'È' | 'É' => vocali.push('E'),
            'Ì' => vocali.push('I'),
            'Ò' => vocali.push('O'),
            'Ù' => vocali.push('U'),
            'A'..='Z' => consonanti.push(lettera),
            _ => return None,
        }
    }
    if consonanti.is_empty() && vocali.is_empty() {
        return None;
    }
    if proprio && consonanti.len() >= 4 {
        consonanti.remove(1);
    }
    Some(
        consonanti
            .into_iter()
            .chain(vocali)
            .chain(['X'; 3])
            .take(3)
            .collect(),
    )
}

#[cfg(test)]
mod tests;
