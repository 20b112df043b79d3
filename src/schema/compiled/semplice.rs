//! Simple types as checks on the bytes of a value. A check says that a value is valid or that it does not know; every
//! form that it does not read to the end (a year of five digits, a number of thirty) is one it does not know.

use xsd_schema::parser::frames::SimpleTypeVariety;
use xsd_schema::types::facets::{FacetSet, WhitespaceMode};
use xsd_schema::{SchemaSet, SimpleTypeKey, TypeKey, XmlTypeCode};

use super::pattern::Automa;
use crate::domanda::lettura::data;

/// A simple type, whole.
#[derive(Debug)]
pub(in crate::schema) struct Semplice {
    pub(super) genere: Genere,
    spazi: WhitespaceMode,
    /// Characters of a string.
    pub(super) lunghezza_min: u64,
    pub(super) lunghezza_max: u64,
    /// One of each step of the derivation: a value is of all of them.
    pub(super) pattern: Vec<Automa>,
    /// One of each step that lists values, each in order.
    pub(super) valori: Vec<Vec<Box<str>>>,
    /// Bounds of an integer.
    pub(super) minimo: i128,
    pub(super) massimo: i128,
}

/// The built-in type that a type comes from, as far as its values are checked in the same way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Genere {
    Testo,
    Booleano,
    Intero,
    Data,
    Istante,
    Anno,
    AnnoMese,
    Byte,
}

impl Semplice {
    /// Reads a type off the authority's set; says which part of it is not known here.
    pub(super) fn compile(set: &SchemaSet, chiave: SimpleTypeKey) -> Result<Self, &'static str> {
        let mut semplice = Self {
            genere: Genere::Testo,
            spazi: WhitespaceMode::Preserve,
            lunghezza_min: 0,
            lunghezza_max: u64::MAX,
            pattern: Vec::new(),
            valori: Vec::new(),
            minimo: i128::MIN,
            massimo: i128::MAX,
        };
        let mut gradini = Vec::new();
        let mut qui = chiave;
        let codice = loop {
            if let Some(codice) = set.get_type_code(qui) {
                break codice;
            }
            let dati = &set.arenas.simple_types[qui];
            if dati.variety != SimpleTypeVariety::Atomic {
                return Err("list or union");
            }
            gradini.push(&dati.facets);
            match dati.resolved_base_type {
                Some(TypeKey::Simple(base)) if gradini.len() < GRADINI_MAX => qui = base,
                _ => return Err("simple type without a base"),
            }
        };
        semplice.base(codice)?;
        // From the built-in type down, so that the last white space facet is the one in force.
        for facets in gradini.iter().rev() {
            semplice.narrow(facets)?;
        }
        Ok(semplice)
    }

    fn base(&mut self, codice: XmlTypeCode) -> Result<(), &'static str> {
        self.spazi = match codice {
            XmlTypeCode::String => WhitespaceMode::Preserve,
            XmlTypeCode::NormalizedString => WhitespaceMode::Replace,
            _ => WhitespaceMode::Collapse,
        };
        self.genere = match codice {
            XmlTypeCode::String | XmlTypeCode::NormalizedString | XmlTypeCode::Token => Genere::Testo,
            XmlTypeCode::Boolean => Genere::Booleano,
            XmlTypeCode::Date => Genere::Data,
            XmlTypeCode::DateTime => Genere::Istante,
            XmlTypeCode::GYear => Genere::Anno,
            XmlTypeCode::GYearMonth => Genere::AnnoMese,
            XmlTypeCode::Base64Binary => Genere::Byte,
            _ => Genere::Intero,
        };
        if self.genere == Genere::Intero {
            (self.minimo, self.massimo) = match codice {
                XmlTypeCode::Integer => (i128::MIN, i128::MAX),
                XmlTypeCode::NonNegativeInteger => (0, i128::MAX),
                XmlTypeCode::PositiveInteger => (1, i128::MAX),
                XmlTypeCode::Long => (i64::MIN.into(), i64::MAX.into()),
                XmlTypeCode::Int => (i32::MIN.into(), i32::MAX.into()),
                XmlTypeCode::Short => (i16::MIN.into(), i16::MAX.into()),
                XmlTypeCode::Byte => (i8::MIN.into(), i8::MAX.into()),
                XmlTypeCode::UnsignedLong => (0, u64::MAX.into()),
                XmlTypeCode::UnsignedInt => (0, u32::MAX.into()),
                XmlTypeCode::UnsignedShort => (0, u16::MAX.into()),
                XmlTypeCode::UnsignedByte => (0, u8::MAX.into()),
                _ => return Err("built-in type"),
            };
        }
        Ok(())
    }

    /// Takes up the facets of one step of the derivation.
    fn narrow(&mut self, facets: &FacetSet) -> Result<(), &'static str> {
        let FacetSet {
            length,
            min_length,
            max_length,
            patterns,
            enumeration,
            whitespace,
            min_inclusive,
            max_inclusive,
            min_exclusive,
            max_exclusive,
            total_digits,
            fraction_digits,
            assertions,
            explicit_timezone,
        } = facets;
        if min_exclusive.is_some()
            || max_exclusive.is_some()
            || total_digits.is_some()
            || fraction_digits.is_some()
            || !assertions.is_empty()
            || explicit_timezone.is_some()
        {
            return Err("exclusive bound, digits, assertion or zone facet");
        }
        let testo = self.genere == Genere::Testo;
        if !testo && (length.is_some() || min_length.is_some() || max_length.is_some()) {
            return Err("length of what is no string");
        }
        if let Some(esatta) = length {
            self.lunghezza_min = self.lunghezza_min.max(esatta.value);
            self.lunghezza_max = self.lunghezza_max.min(esatta.value);
        }
        if let Some(minima) = min_length {
            self.lunghezza_min = self.lunghezza_min.max(minima.value);
        }
        if let Some(massima) = max_length {
            self.lunghezza_max = self.lunghezza_max.min(massima.value);
        }
        if self.genere != Genere::Intero && (min_inclusive.is_some() || max_inclusive.is_some()) {
            return Err("bounds of what is no integer");
        }
        if let Some(minimo) = min_inclusive {
            self.minimo = self.minimo.max(intero(&minimo.value).ok_or("bound")?);
        }
        if let Some(massimo) = max_inclusive {
            self.massimo = self.massimo.min(intero(&massimo.value).ok_or("bound")?);
        }
        if let Some(spazi) = whitespace {
            if !testo && spazi.value != WhitespaceMode::Collapse {
                return Err("white space of what is no string");
            }
            self.spazi = spazi.value;
        }
        for gradino in patterns.iter().filter(|gradino| !gradino.is_empty()) {
            let gradino: Vec<&str> = gradino.iter().map(|pattern| pattern.value.as_str()).collect();
            self.pattern.push(Automa::new(&gradino).map_err(|_| "pattern")?);
        }
        if let Some(enumerazione) = enumeration {
            if !testo {
                return Err("enumeration of what is no string");
            }
            let mut valori: Vec<Box<str>> = enumerazione
                .values
                .iter()
                .map(|valore| valore.as_str().into())
                .collect();
            valori.sort_unstable();
            self.valori.push(valori);
        }
        Ok(())
    }

    /// Whether a text is valid beyond doubt. `liscio` is the same text collapsed.
    pub(in crate::schema) fn takes(&self, testo: &str, liscio: &str) -> bool {
        let valore = match self.spazi {
            WhitespaceMode::Collapse => liscio,
            // Text that white space rules leave as it is, is the value; what they change is not looked at.
            WhitespaceMode::Preserve => testo,
            WhitespaceMode::Replace if !testo.contains(['\t', '\r', '\n']) => testo,
            WhitespaceMode::Replace => return false,
        };
        let giusto = match self.genere {
            Genere::Testo => {
                (self.lunghezza_max >= valore.len() as u64 && self.lunghezza_min == 0)
                    || (self.lunghezza_min..=self.lunghezza_max).contains(&(valore.chars().count() as u64))
            }
            Genere::Booleano => matches!(valore, "true" | "false" | "1" | "0"),
            Genere::Intero => intero(valore).is_some_and(|n| (self.minimo..=self.massimo).contains(&n)),
            Genere::Data => is_data(valore),
            Genere::Istante => is_istante(valore),
            Genere::Anno => is_data_di(valore, 4, "-01-01"),
            Genere::AnnoMese => is_data_di(valore, 7, "-01"),
            // Who needs the bytes decodes them, once and strictly: `Giudice::bytes`.
            Genere::Byte => true,
        };
        // The patterns of what is no string are held against the text as it came: they are asked only about a text
        // that is the same both ways.
        giusto
            && (self.genere == Genere::Testo || self.pattern.is_empty() || testo.len() == valore.len())
            && self.pattern.iter().all(|automa| automa.takes(valore))
            && self
                .valori
                .iter()
                .all(|valori| valori.binary_search_by(|noto| (**noto).cmp(valore)).is_ok())
    }

    /// Whether two values are the same exactly when their collapsed texts are.
    pub(super) fn is_testo(&self) -> bool {
        self.genere == Genere::Testo && self.spazi == WhitespaceMode::Collapse
    }

    /// Whether its text is base64.
    pub(in crate::schema) fn is_byte(&self) -> bool {
        self.genere == Genere::Byte
    }
}

/// Steps of a derivation.
const GRADINI_MAX: usize = 64;

/// An integer of at most 28 digits; `-0` is left to the authority.
fn intero(testo: &str) -> Option<i128> {
    const CIFRE_MAX: usize = 28;
    let cifre = testo.strip_prefix(['+', '-']).unwrap_or(testo);
    let buone = (1..=CIFRE_MAX).contains(&cifre.len()) && cifre.bytes().all(|cifra| cifra.is_ascii_digit());
    let numero: i128 = buone.then(|| testo.parse().ok()).flatten()?;
    (numero != 0 || !testo.starts_with('-')).then_some(numero)
}

/// A day of the years 0001 to 9999, with or without a zone.
fn is_data(testo: &str) -> bool {
    let byte = testo.as_bytes();
    let forma = byte.len() >= 10
        && byte[..4].iter().all(u8::is_ascii_digit)
        && &byte[..4] != b"0000"
        && byte[4] == b'-'
        && byte[7] == b'-';
    forma && is_zona(&byte[10..]) && data(&testo[..10]).is_some()
}

/// The first `quanti` characters of a day, which `resto` makes a whole one.
fn is_data_di(testo: &str, quanti: usize, resto: &str) -> bool {
    let (Some(inizio), Some(zona)) = (testo.get(..quanti), testo.get(quanti..)) else {
        return false;
    };
    is_data(&[inizio, resto, zona].concat())
}

fn is_istante(testo: &str) -> bool {
    let (Some(giorno), Some(ora)) = (testo.get(..10), testo.as_bytes().get(10..)) else {
        return false;
    };
    let [b'T', h1, h2, b':', m1, m2, b':', s1, s2, resto @ ..] = ora else {
        return false;
    };
    let entro = |decine: &u8, unita: &u8, massimo: u8| {
        decine.is_ascii_digit() && unita.is_ascii_digit() && (decine - b'0') * 10 + (unita - b'0') <= massimo
    };
    let zona = match resto {
        [b'.', frazione @ ..] => {
            let cifre = frazione.iter().take_while(|cifra| cifra.is_ascii_digit()).count();
            if !(1..=9).contains(&cifre) {
                return false;
            }
            &frazione[cifre..]
        }
        zona => zona,
    };
    // Midnight as 24:00:00 is the authority's.
    is_data(giorno) && entro(h1, h2, 23) && entro(m1, m2, 59) && entro(s1, s2, 59) && is_zona(zona)
}

/// Nothing, `Z`, or an offset short of fourteen hours.
fn is_zona(zona: &[u8]) -> bool {
    match zona {
        [] | [b'Z'] => true,
        [
            b'+' | b'-',
            h1 @ b'0'..=b'1',
            h2 @ b'0'..=b'9',
            b':',
            b'0'..=b'5',
            b'0'..=b'9',
        ] => (h1 - b'0') * 10 + (h2 - b'0') < 14,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_and_numbers_are_read_to_the_end_or_not_at_all() {
        for giusta in [
            "2021-02-28",
            "0001-01-01Z",
            "2024-02-29+13:59",
            "1980-12-31-01:00",
        ] {
            assert!(is_data(giusta), "{giusta}");
        }
        for ignota in [
            "0000-01-01",
            "2021-02-29",
            "12021-01-01",
            "-2021-01-01",
            "2021-1-1",
            "2021-01-01+14:00",
            "2021-01-01z",
            "2021-01-01+1:00",
            "2021-01-01 ",
            "2021-13-01",
            "+021-01-01",
            "",
            "2021-01-0à",
        ] {
            assert!(!is_data(ignota), "{ignota}");
        }
        assert!(is_istante("2021-07-01T23:59:59.123Z") && is_istante("2021-07-01T00:00:00"));
        for ignoto in [
            "2021-07-01T24:00:00",
            "2021-07-01T23:59:60",
            "2021-07-01",
            "2021-07-01T1:00:00",
            "2021-07-01T00:00:00.",
        ] {
            assert!(!is_istante(ignoto), "{ignoto}");
        }
        let letti = [
            "7",
            "+007",
            "-7",
            "-0",
            "",
            "+",
            "1e2",
            "12345678901234567890123456789",
        ]
        .map(intero);
        let attesi = [Some(7), Some(7), Some(-7), None, None, None, None, None];
        assert_eq!(letti, attesi);
    }
}
