//! The countries of SEPA: since when a payment reaches them, and the shape of their IBANs. Data that changes by
//! decision of the European Payments Council, not by code: a country that joins is one line here, with its day.
//!
//! Structures: SWIFT IBAN registry, release 101. Days: EPC, list of the countries in the schemes' geographical
//! scope (EPC409-09); for those who joined since 2024, the day of operational readiness, from which a payment can
//! really arrive. For the founders any day before the first prestazione serves alike.

use jiff::civil::{Date, date};

/// A country of SEPA.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Paese {
    /// ISO 3166-1, as an IBAN begins.
    pub codice: &'static str,
    /// What follows the four first characters, as the SWIFT registry writes it: `1!a5!n5!n12!c` = one letter,
    /// five digits, five digits, twelve letters or digits.
    pub bban: &'static str,
    /// First day on which payments reach its accounts.
    pub sepa_dal: Date,
}

impl Paese {
    /// The country that an IBAN begins with, if it is one of these.
    #[must_use]
    pub fn by_codice(codice: &str) -> Option<&'static Self> {
        PAESI.iter().find(|paese| paese.codice == codice)
    }

    /// The length of the whole IBAN.
    #[must_use]
    pub fn lunghezza(&self) -> usize {
        4 + self.parti().map(|(quanti, _)| quanti).sum::<usize>()
    }

    /// Whether what follows the four first characters has the country's structure.
    #[must_use]
    pub fn has_struttura(&self, bban: &str) -> bool {
        let mut resto = bban.as_bytes();
        for (quanti, tipo) in self.parti() {
            let Some((parte, dopo)) = resto.split_at_checked(quanti) else {
                return false;
            };
            let ammesso: fn(&u8) -> bool = match tipo {
                'n' => u8::is_ascii_digit,
                'a' => u8::is_ascii_uppercase,
                _ => |carattere| carattere.is_ascii_digit() || carattere.is_ascii_uppercase(),
            };
            if !parte.iter().all(ammesso) {
                return false;
            }
            resto = dopo;
        }
        resto.is_empty()
    }

    /// The structure's parts: how many, of which kind (`n` digits, `a` letters, `c` either).
    fn parti(&self) -> impl Iterator<Item = (usize, char)> {
        self.bban.split_inclusive(['n', 'a', 'c']).filter_map(|parte| {
            let (quanti, tipo) = parte.split_once('!')?;
            Some((quanti.parse().ok()?, tipo.chars().next()?))
        })
    }
}

/// The start of the SEPA credit transfer.
const AVVIO: Date = date(2008, 1, 28);

/// Andorra and the Vatican: EPC, 30 November 2018.
const MICROSTATI: Date = date(2019, 3, 1);

/// Albania, Moldova, Montenegro, North Macedonia: EPC, 21 November 2024 and 6 March 2025.
const BALCANI: Date = date(2025, 10, 5);

const fn paese(codice: &'static str, bban: &'static str, sepa_dal: Date) -> Paese {
    Paese {
        codice,
        bban,
        sepa_dal,
    }
}

/// Every country, in alphabetical order.
pub const PAESI: &[Paese] = &[
    paese("AD", "4!n4!n12!c", MICROSTATI),
    paese("AL", "8!n16!c", BALCANI),
    paese("AT", "5!n11!n", AVVIO),
    paese("BE", "3!n7!n2!n", AVVIO),
    paese("BG", "4!a4!n2!n8!c", AVVIO),
    paese("CH", "5!n12!c", AVVIO),
    paese("CY", "3!n5!n16!c", AVVIO),
    paese("CZ", "4!n6!n10!n", AVVIO),
    paese("DE", "8!n10!n", AVVIO),
    paese("DK", "4!n9!n1!n", AVVIO),
    paese("EE", "2!n2!n11!n1!n", AVVIO),
    paese("ES", "4!n4!n1!n1!n10!n", AVVIO),
    paese("FI", "3!n11!n", AVVIO),
    paese("FR", "5!n5!n11!c2!n", AVVIO),
    paese("GB", "4!a6!n8!n", AVVIO),
    // Gibraltar: in the scope with the United Kingdom.
    paese("GI", "4!a15!c", AVVIO),
    paese("GR", "3!n4!n16!c", AVVIO),
    // Croatia: with its accession to the Union.
    paese("HR", "7!n10!n", date(2013, 7, 1)),
    paese("HU", "3!n4!n1!n15!n1!n", AVVIO),
    paese("IE", "4!a6!n8!n", AVVIO),
    paese("IS", "4!n2!n6!n10!n", AVVIO),
    paese("IT", "1!a5!n5!n12!c", AVVIO),
    paese("LI", "5!n12!c", AVVIO),
    paese("LT", "5!n11!n", AVVIO),
    paese("LU", "3!n13!c", AVVIO),
    paese("LV", "4!a13!c", AVVIO),
    paese("MC", "5!n5!n11!c2!n", AVVIO),
    paese("MD", "2!c18!c", BALCANI),
    paese("ME", "3!n13!n2!n", BALCANI),
    paese("MK", "3!n10!c2!n", BALCANI),
    paese("MT", "4!a5!n18!c", AVVIO),
    paese("NL", "4!a10!n", AVVIO),
    paese("NO", "4!n6!n1!n", AVVIO),
    paese("PL", "8!n16!n", AVVIO),
    paese("PT", "4!n4!n11!n2!n", AVVIO),
    paese("RO", "4!a16!c", AVVIO),
    // Serbia: EPC, 22 May 2025, readiness "May 2026".
    paese("RS", "3!n13!n2!n", date(2026, 5, 1)),
    paese("SE", "3!n16!n1!n", AVVIO),
    paese("SI", "5!n8!n2!n", AVVIO),
    paese("SK", "4!n6!n10!n", AVVIO),
    paese("SM", "1!a5!n5!n12!c", date(2014, 2, 1)),
    paese("VA", "3!n15!n", MICROSTATI),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lengths_are_those_of_the_registry() {
        let lunghezze = "AD24 AT20 BE16 BG22 CH21 CY28 CZ24 DE22 DK18 EE20 ES24 FI18 FR27 GB22 GI23 GR27 HR21 \
             HU28 IE22 IS26 IT27 LI21 LT20 LU20 LV21 MC27 MT31 NL18 NO15 PL28 PT25 RO24 SE24 SI19 SK24 SM27 \
             VA22 AL28 ME22 MD24 MK19 RS22";
        for attesa in lunghezze.split_whitespace() {
            let (codice, attesa) = attesa.split_at(2);
            let paese = Paese::by_codice(codice).unwrap();
            assert_eq!(paese.lunghezza().to_string(), attesa, "{codice}");
        }
        assert_eq!(lunghezze.split_whitespace().count(), PAESI.len());
        assert!(PAESI.is_sorted_by_key(|paese| paese.codice));
    }

    #[test]
    fn in_2021_sepa_had_thirty_six_countries_and_gibraltar() {
        let inizio = date(2021, 7, 1);
        assert_eq!(PAESI.iter().filter(|paese| paese.sepa_dal <= inizio).count(), 37);
    }
}
