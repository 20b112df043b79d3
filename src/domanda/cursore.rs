//! Where a list was left: what an operation that answers by pages gives out, and takes back as it was.
//!
//! `V1-000000000000002a-5f0c…`: the list and the version of this form, the position, and a sum over all that the cursor
//! is bound to. What another ente, another service or another search was given is no cursor here, and is told so by its
//! form alone, before the store is asked. The sum guards against mistakes, not against people: whatever a cursor says,
//! a list holds only what is the asker's.

use std::fmt::Write as _;

use super::sha256::Sha256;

/// Which list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Elenco {
    /// `ElencoVariazioni`.
    Variazioni,
    /// `RicercaDomande`.
    Ricerca,
    /// The search in the message trace: nobody's list, and of no service.
    Tracce,
}

impl Elenco {
    fn lettera(self) -> char {
        match self {
            Self::Variazioni => 'V',
            Self::Ricerca => 'R',
            Self::Tracce => 'T',
        }
    }
}

/// What a cursor is bound to.
#[derive(Debug, Clone, Copy)]
pub struct Legame<'a> {
    /// The list.
    pub elenco: Elenco,
    /// Whose: the code of the ente.
    pub ente: &'a str,
    /// Of which service.
    pub servizio: &'a str,
    /// What was searched for, in words that are equal for equal searches; empty where nothing can be.
    pub ricerca: &'a str,
}

impl Legame<'_> {
    /// The cursor of a position: the numbers by which the list is ordered.
    #[must_use]
    pub fn cursore<const N: usize>(&self, posizione: [u64; N]) -> String {
        let mut principio = format!("{}{VERSIONE}-", self.elenco.lettera());
        for numero in posizione {
            // Writing to a String cannot fail.
            let _ = write!(principio, "{numero:016x}");
        }
        let somma = self.somma(&principio);
        format!("{principio}-{somma:016x}")
    }

    /// The position of a cursor; `None` for whatever was not given out for this very list.
    #[must_use]
    pub fn posizione<const N: usize>(&self, cursore: &str) -> Option<[u64; N]> {
        let cifre = cursore.split('-').nth(1)?;
        let mut posizione = [0; N];
        for (numero, cifre) in posizione.iter_mut().zip(cifre.as_bytes().chunks(16)) {
            *numero = u64::from_str_radix(std::str::from_utf8(cifre).ok()?, 16).ok()?;
        }
        // One position, one spelling: the rest is held by writing it again.
        (self.cursore(posizione) == cursore).then_some(posizione)
    }

    /// Over parts that cannot run into each other: each with its length before it.
    fn somma(&self, principio: &str) -> u64 {
        let mut hash = Sha256::new();
        for parte in [principio, self.ente, self.servizio, self.ricerca] {
            hash.update(&(parte.len() as u64).to_be_bytes());
            hash.update(parte.as_bytes());
        }
        let primi = hash.finish().into_iter().take(8);
        primi.fold(0, |somma, byte| somma << 8 | u64::from(byte))
    }
}

/// The version of this form.
const VERSIONE: u8 = 1;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn legame(ente: &str) -> Legame<'_> {
        Legame {
            elenco: Elenco::Variazioni,
            ente,
            servizio: "AssegnoTemporaneo",
            ricerca: "",
        }
    }

    #[test]
    fn a_cursor_is_good_for_the_list_that_gave_it_out() {
        let (nostro, altro) = ("PAT01", "PAT02");
        let legame = legame(nostro);
        let cursore = legame.cursore([42]);
        assert!(cursore.starts_with("V1-000000000000002a-"), "{cursore}");
        assert_eq!(legame.posizione(&cursore), Some([42]));
        let altrui = [
            Legame {
                ente: altro,
                ..legame
            },
            Legame {
                servizio: "AssegnoUnicoUniversale",
                ..legame
            },
            Legame {
                ricerca: "stato=ACCOLTA",
                ..legame
            },
        ];
        for altrui in altrui {
            assert_eq!(altrui.posizione::<1>(&cursore), None, "{altrui:?}");
        }
        assert_eq!(legame.posizione::<2>(&cursore), None, "a list of another order");
    }

    #[test]
    fn a_cursor_has_one_spelling() {
        let nostro = "PAT01";
        let legame = legame(nostro);
        let cursore = legame.cursore([0xabcd]);
        for errato in [
            String::new(),
            "V1".to_owned(),
            "--".to_owned(),
            cursore.to_uppercase(),
            cursore.replace("V1", "V2"),
            cursore.replace("V1", "R1"),
            cursore.replacen('0', "+", 1),
            format!("{cursore} "),
            format!("{cursore}-"),
            cursore[..cursore.len() - 1].to_owned(),
        ] {
            assert_eq!(legame.posizione::<1>(&errato), None, "{errato}");
        }
    }

    proptest! {
        #[test]
        fn whatever_the_text_it_is_answered_and_taken_only_as_given_out(
            testo in "\\PC{0,80}|[VR][0-9]-[0-9a-f]{0,40}-[0-9a-f]{0,20}|V1-[0-9a-f]{16}-[0-9a-f]{16}"
        ) {
            let nostro = "PAT01";
            let legame = legame(nostro);
            if let Some(posizione) = legame.posizione::<1>(&testo) {
                prop_assert_eq!(legame.cursore(posizione), testo.clone());
            }
            if let Some(posizione) = legame.posizione::<2>(&testo) {
                prop_assert_eq!(legame.cursore(posizione), testo);
            }
        }

        #[test]
        fn one_digit_changed_is_another_text(numero: u64, posto in 0_usize..36, cifra in "[0-9a-f]") {
            let nostro = "PAT01";
            let legame = legame(nostro);
            let cursore = legame.cursore([numero]);
            prop_assert_eq!(legame.posizione(&cursore), Some([numero]));
            let mut altro = cursore.clone();
            altro.replace_range(posto..=posto, &cifra);
            prop_assert_eq!(legame.posizione::<1>(&altro).is_some(), altro == cursore);
        }
    }
}
