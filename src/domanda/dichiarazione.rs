//! Declarations: the sentences that the richiedente signs, each with its code, the version of its text and the titles
//! (sub-choices) by which it may be made. Which ones there are is the prestazione's; how they are held is the same.

use jiff::civil::Date;

use super::codelista::Parola;
use super::regole::percorso;
use super::{Dichiarazione, Violazione};
use crate::catalogo::Codice;

/// A declaration, as sent: `C` is the prestazione's list of codes, `S` its list of sub-choices.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Inviata<C, S> {
    /// Which.
    pub codice: C,
    /// Whether it is made.
    pub valore: bool,
    /// The sub-choice.
    pub scelta: Option<S>,
}

/// The text that the richiedente signs for a declaration, in the version that is in force from a day on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Testo<C: 'static, S: 'static> {
    /// Which declaration.
    pub codice: C,
    /// What the store keeps of the text.
    pub versione: &'static str,
    /// First day of presentation for which it holds; the first version also holds before.
    pub dal: Date,
    /// The text.
    pub testo: &'static str,
    /// The sub-choices that may go with it.
    pub scelte: &'static [S],
    /// What to tell whoever does not make it.
    pub se_non_resa: &'static str,
}

/// A text that was signed, for whoever tells it again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TestoFirmato {
    /// Its version.
    pub versione: &'static str,
    /// The text.
    pub testo: &'static str,
}

/// The text of a declaration, by its code, for a domanda presented on that day.
#[must_use]
pub fn firmato<C: Parola, S>(testi: &'static [Testo<C, S>], codice: &str, il: Date) -> Option<TestoFirmato> {
    let testo = in_vigore(testi, C::parse(codice)?, il);
    Some(TestoFirmato {
        versione: testo.versione,
        testo: testo.testo,
    })
}

/// What to tell whoever does not make a declaration that has no remedy of its own.
pub const SE_NON_RESA: &str = "Inviare la dichiarazione con Valore true se il richiedente la rende; senza di essa la \
                               domanda non può essere presentata.";

/// The text in force for a domanda presented on that day. A test of each prestazione holds that every declaration has
/// one; the first line of the table stands in for none.
#[must_use]
pub fn in_vigore<C: Parola, S>(testi: &'static [Testo<C, S>], codice: C, il: Date) -> &'static Testo<C, S> {
    let mut versioni = testi.iter().filter(|testo| testo.codice == codice);
    let prima = versioni.next().unwrap_or(&testi[0]);
    versioni.rfind(|testo| testo.dal <= il).unwrap_or(prima)
}

/// DIC-001: every declaration is there and true; one finding for each that is not, with its text (DPR 445/2000
/// art. 46 and 47).
#[must_use]
pub fn rese<C: Parola, S>(
    inviate: &[Inviata<C, S>],
    testi: &'static [Testo<C, S>],
    prefisso: &str,
    oggi: Date,
) -> Vec<Violazione> {
    C::TUTTI
        .iter()
        .filter_map(|codice| {
            let inviata = (1..).zip(inviate).find(|(_, inviata)| inviata.codice == *codice);
            let dove = match inviata {
                Some((_, inviata)) if inviata.valore => return None,
                Some((posto, _)) => alla_dichiarazione(prefisso, posto, "Valore"),
                None => percorso(prefisso, &["Dichiarazioni"]),
            };
            let testo = in_vigore(testi, *codice, oggi);
            Some(
                Violazione::at(Codice::Dic001, dove)
                    .with("codice", codice.as_str())
                    .with("testo", testo.testo)
                    .with("rimedio", testo.se_non_resa),
            )
        })
        .collect()
}

/// DIC-002: `Scelta` says by which title a declaration is made, and fits that declaration alone.
#[must_use]
pub fn scelte<C: Parola, S: Parola>(
    inviate: &[Inviata<C, S>],
    testi: &'static [Testo<C, S>],
    prefisso: &str,
    oggi: Date,
) -> Vec<Violazione> {
    (1..)
        .zip(inviate)
        .filter_map(|(posto, inviata)| {
            let scelta = inviata.scelta?;
            if in_vigore(testi, inviata.codice, oggi).scelte.contains(&scelta) {
                return None;
            }
            Some(
                Violazione::at(Codice::Dic002, alla_dichiarazione(prefisso, posto, "Scelta"))
                    .with("scelta", scelta.as_str())
                    .with("codice", inviata.codice.as_str())
                    .with("ammesse", ammesse(testi, oggi)),
            )
        })
        .collect()
}

/// The values to register: every declaration that was made, with the version of its text on that day.
#[must_use]
pub fn registrate<C: Parola, S: Parola>(
    inviate: &[Inviata<C, S>],
    testi: &'static [Testo<C, S>],
    oggi: Date,
) -> Vec<Dichiarazione> {
    inviate
        .iter()
        .map(|inviata| Dichiarazione {
            codice: inviata.codice.as_str(),
            versione_testo: in_vigore(testi, inviata.codice, oggi).versione,
            scelta: inviata.scelta.map(S::as_str),
        })
        .collect()
}

/// `D4: ITALIANO, UE; D7: RESIDENZA, CONTRATTO`.
fn ammesse<C: Parola, S: Parola>(testi: &'static [Testo<C, S>], oggi: Date) -> String {
    C::TUTTI
        .iter()
        .map(|codice| in_vigore(testi, *codice, oggi))
        .filter(|testo| !testo.scelte.is_empty())
        .map(|testo| {
            let parole: Vec<&str> = testo.scelte.iter().map(|scelta| scelta.as_str()).collect();
            format!("{}: {}", testo.codice.as_str(), parole.join(", "))
        })
        .collect::<Vec<_>>()
        .join("; ")
}

fn alla_dichiarazione(prefisso: &str, posto: usize, campo: &str) -> String {
    percorso(
        prefisso,
        &["Dichiarazioni", &format!("Dichiarazione[{posto}]"), campo],
    )
}
