//! From the text of a field to its value, for the readers of all prestazioni: the lexical forms that the XSD lets
//! in, no more. A text that the XSD refuses gives `None` and is never seen by the rules.

use base64::Engine as _;
use base64::engine::{GeneralPurpose, GeneralPurposeConfig};
use bytes::Bytes;
use jiff::civil::Date;

/// An `xs:boolean`: `true`, `false`, `1`, `0`.
#[must_use]
pub fn booleano(testo: &str) -> Option<bool> {
    match testo {
        "true" | "1" => Some(true),
        "false" | "0" => Some(false),
        _ => None,
    }
}

/// An `xs:date`. A zone (`1980-01-01Z`, `1980-01-01+01:00`) is taken and means nothing: the day is the one written.
/// A year of more than four digits, which `xs:date` allows, becomes the first or last day of the calendar: no rule
/// takes such a date for a good one.
#[must_use]
pub fn data(testo: &str) -> Option<Date> {
    let (resto, giorno) = senza_zona(testo).rsplit_once('-')?;
    let (anno, mese) = resto.rsplit_once('-')?;
    let (giorno, mese) = (due_cifre(giorno)?, due_cifre(mese)?);
    let (segno, cifre) = anno.strip_prefix('-').map_or((1, anno), |cifre| (-1, cifre));
    if cifre.len() < 4 || !cifre.bytes().all(|cifra| cifra.is_ascii_digit()) {
        return None;
    }
    match cifre.parse::<i16>() {
        Ok(anno) if anno <= 9999 => Date::new(anno * segno, mese, giorno).ok(),
        _ if segno < 0 => Some(Date::MIN),
        _ => Some(Date::MAX),
    }
}

/// An `xs:gYear` of four digits. A zone is taken and means nothing.
#[must_use]
pub fn anno(testo: &str) -> Option<i16> {
    let cifre = testo
        .get(..4)
        .filter(|cifre| cifre.bytes().all(|cifra| cifra.is_ascii_digit()))?;
    let e_un_giorno = data(&format!("{cifre}-01-01{}", &testo[4..])).is_some();
    e_un_giorno.then(|| cifre.parse().ok()).flatten()
}

/// An `xs:base64Binary`: it pads, and lets spaces stand anywhere; the bits that padding leaves over mean nothing. Decoded
/// run by run, so that a document is held once as text and once as bytes, and never a third time.
#[must_use]
pub fn base64(testo: &str) -> Option<Bytes> {
    let mut decodifica = Decodifica::with_capacity(testo.len().div_ceil(4) * 3);
    decodifica.push(testo.as_bytes())?;
    decodifica.finish().map(Bytes::from)
}

/// An `xs:base64Binary` that is decoded while it comes.
#[derive(Debug, Default)]
pub struct Decodifica {
    byte: Vec<u8>,
    /// A group of four that a space, or the end of what has come, parts.
    gruppo: Vec<u8>,
    /// Padding was seen: it ends the document.
    finita: bool,
}

impl Decodifica {
    /// Of so many bytes, once decoded.
    #[must_use]
    pub fn with_capacity(byte: usize) -> Self {
        Self {
            byte: Vec::with_capacity(byte),
            gruppo: Vec::with_capacity(4),
            finita: false,
        }
    }

    /// More of its text, cut anywhere; `None` where it is none.
    pub fn push(&mut self, testo: &[u8]) -> Option<()> {
        for tratto in testo
            .split(u8::is_ascii_whitespace)
            .filter(|tratto| !tratto.is_empty())
        {
            let mut tratto = tratto;
            if !self.gruppo.is_empty() {
                let (primi, altri) = tratto.split_at(tratto.len().min(4 - self.gruppo.len()));
                self.gruppo.extend_from_slice(primi);
                tratto = altri;
                if self.gruppo.len() < 4 {
                    continue;
                }
                let gruppo = std::mem::take(&mut self.gruppo);
                self.groups(&gruppo)?;
            }
            let (interi, resto) = tratto.split_at(tratto.len() / 4 * 4);
            self.groups(interi)?;
            self.gruppo.extend_from_slice(resto);
        }
        Some(())
    }

    /// What was decoded since it was last asked for.
    pub fn take(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.byte)
    }

    /// The end of the text: what was decoded and not asked for; `None` where it is cut.
    #[must_use]
    pub fn finish(self) -> Option<Vec<u8>> {
        self.gruppo.is_empty().then_some(self.byte)
    }

    /// Whole groups of four.
    fn groups(&mut self, gruppi: &[u8]) -> Option<()> {
        if gruppi.is_empty() {
            return Some(());
        }
        if self.finita {
            return None;
        }
        self.finita = gruppi.ends_with(b"=");
        BASE64.decode_vec(gruppi, &mut self.byte).ok()
    }
}

const BASE64: GeneralPurpose = GeneralPurpose::new(
    &base64::alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_allow_trailing_bits(true),
);

fn senza_zona(testo: &str) -> &str {
    if let Some(data) = testo.strip_suffix('Z') {
        return data;
    }
    match testo
        .len()
        .checked_sub(6)
        .and_then(|inizio| testo.split_at_checked(inizio))
    {
        Some((data, zona)) if zona.starts_with(['+', '-']) && zona.as_bytes()[3] == b':' => data,
        _ => testo,
    }
}

fn due_cifre(testo: &str) -> Option<i8> {
    (testo.len() == 2 && testo.bytes().all(|cifra| cifra.is_ascii_digit()))
        .then(|| testo.parse().ok())
        .flatten()
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    #[test]
    fn a_date_may_carry_a_zone() {
        for testo in [
            "1980-01-01",
            "1980-01-01Z",
            "1980-01-01+02:00",
            "1980-01-01-14:00",
        ] {
            assert_eq!(data(testo), Some(date(1980, 1, 1)), "{testo}");
        }
        assert_eq!(data("-0044-03-15"), Some(date(-44, 3, 15)));
        assert_eq!(data("12021-03-15"), Some(Date::MAX));
        assert_eq!(data("-123456789-03-15"), Some(Date::MIN));
        for errata in [
            "",
            "Z",
            "1980",
            "80-01-01",
            "1980-1-1",
            "1981-02-29",
            "1980-01-01+2:00",
            "à980-01-01",
            "1980-01-àà:00",
        ] {
            assert_eq!(data(errata), None, "{errata}");
        }
    }

    #[test]
    fn base64_lets_spaces_stand_and_pads_once() {
        for (testo, atteso) in [
            ("YWJj", Some(&b"abc"[..])),
            ("YWJj ZGU=", Some(b"abcde")),
            ("Y Q = =", Some(b"a")),
            ("YR==", Some(b"a")),
            ("Y\nWJjZ\r\nGVmZw=\t=", Some(b"abcdefg")),
            ("", Some(b"")),
            ("YWJ", None),
            ("YQ==YQ==", None),
            ("YQ== YQ==", None),
            ("YQ= =YQ==", None),
            ("Y*==", None),
            ("=", None),
            ("YWJj=", None),
        ] {
            assert_eq!(base64(testo).as_deref(), atteso, "{testo}");
        }
    }

    #[test]
    fn a_document_is_the_same_in_lines_of_any_length() {
        use ::base64::engine::general_purpose::STANDARD;
        for bytes_len in [0, 1, 2, 3, 100, 5000] {
            let byte: Vec<u8> = (0..=250).cycle().take(bytes_len).collect();
            let testo = STANDARD.encode(&byte);
            for riga in [1, 2, 3, 4, 5, 76, 10_000] {
                let righe: Vec<_> = testo
                    .as_bytes()
                    .chunks(riga)
                    .map(|riga| std::str::from_utf8(riga).unwrap())
                    .collect();
                assert_eq!(
                    base64(&righe.join("\r\n")).as_deref(),
                    Some(&byte[..]),
                    "{bytes_len} {riga}"
                );
            }
        }
    }

    #[test]
    fn a_year_has_four_digits() {
        let letti = ["2022", "2022Z", "2022+01:00", "022", "20222", "-2022", "", "è022"].map(anno);
        let attesi = [Some(2022), Some(2022), Some(2022), None, None, None, None, None];
        assert_eq!(letti, attesi);
    }

    #[test]
    fn a_boolean_has_four_spellings() {
        let letti = ["true", "1", "false", "0", "TRUE", "", "si"].map(booleano);
        let attesi = [Some(true), Some(true), Some(false), Some(false), None, None, None];
        assert_eq!(letti, attesi);
    }
}
