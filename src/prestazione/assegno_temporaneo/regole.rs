//! The rules of the assegno temporaneo (DL 79/2021, conv. L. 112/2021; spec/domain.md §3), one function each, in the
//! order of the domanda. What they share with other prestazioni is in [`crate::domanda::regole`].
//!
//! Each says which paragraph it serves and which code it gives; the days from which that code warns and refuses
//! stand in [`dati::VIGENZE`]. A rule that needs what could not be read is silent: that fault is told once, by the
//! rule that reads it. AT-2 allows (shared custody may go with the whole sum) and AT-5 is the XSD's (one payment a
//! domanda), so neither has a code; AT-4 and AT-7 are about later acts.

use jiff::ToSpan;

use super::dati;
use super::domanda::{AssegnoTemporaneo, Minore, PresentataDa, Qualita, Ripartizione};
use crate::catalogo::Codice;
use crate::domanda::codice_fiscale::entro_adulto;
use crate::domanda::persona::AltroGenitore;
use crate::domanda::regole::{self as comuni, same};
use crate::domanda::{Contesto, Esame, SchedaViva, Violazione, dichiarazione};

/// A rule: from the domanda and all that it may look at beside it, to what is wrong.
type Regola = fn(&AssegnoTemporaneo, &Contesto<'_>) -> Vec<Violazione>;

/// Every rule of the prestazione.
const REGOLE: &[Regola] = &[
    finestra_aperta,
    patronato_e_mandato,
    codici_fiscali,
    date_di_nascita,
    minori_di_diciotto_anni,
    persone_distinte,
    genitore_tutelato,
    meta_solo_in_affido_condiviso,
    tutore_del_minore_per_intero,
    una_scheda_viva_per_minore,
    pagamento,
    dichiarazioni_rese,
    scelte_delle_dichiarazioni,
    allegati,
];

/// All rules, all findings, each weighed by the day of presentation.
#[must_use]
pub fn esamina(domanda: &AssegnoTemporaneo, contesto: &Contesto<'_>) -> Esame {
    let trovate = REGOLE
        .iter()
        .flat_map(|regola| regola(domanda, contesto))
        .collect();
    comuni::pesa(trovate, contesto.oggi(), dati::vigenza, dati::CAMPI)
}

/// AT-8 → FIN-001: domande are taken from 1 July to 31 December 2021 (DL 79/2021 art. 3, INPS msg. 2371/2021).
/// Outside produzione the window only warns, so that it can be tried on any day: FIN-101, and FIN-102 once the
/// measure itself is over and no decorrenza can be told.
fn finestra_aperta(_: &AssegnoTemporaneo, contesto: &Contesto<'_>) -> Vec<Violazione> {
    dati::FINESTRA.esamina(PREFISSO, contesto).into_iter().collect()
}

/// PAT-001 to PAT-005: the patronato is the certificate's, the mandate is older than the domanda.
fn patronato_e_mandato(domanda: &AssegnoTemporaneo, contesto: &Contesto<'_>) -> Vec<Violazione> {
    comuni::assistenza(&domanda.assistenza, PREFISSO, contesto, contesto.oggi())
}

/// CF-001, CF-002, CF-003, CF-101: every codice fiscale of the domanda, each at its own path (DM 23/12/1976).
fn codici_fiscali(domanda: &AssegnoTemporaneo, contesto: &Contesto<'_>) -> Vec<Violazione> {
    let oggi = contesto.oggi();
    let adulto = entro_adulto(oggi);
    let mut trovate = Vec::new();
    trovate.extend(comuni::codice_fiscale(
        &domanda.richiedente.codice_fiscale,
        percorso(&["Richiedente", "CodiceFiscale"]),
        adulto,
    ));
    if let Some(tutelato) = &domanda.genitore_tutelato {
        trovate.extend(comuni::codice_fiscale(
            tutelato,
            percorso(&["GenitoreTutelato", "CodiceFiscale"]),
            adulto,
        ));
    }
    for (posto, minore) in schede(domanda) {
        trovate.extend(comuni::codice_fiscale(
            &minore.codice_fiscale,
            al_minore(posto, "CodiceFiscale"),
            oggi,
        ));
        if let Some(altro) = minore.altro_genitore.codice_fiscale() {
            trovate.extend(comuni::codice_fiscale(altro, all_altro_genitore(posto), adulto));
        }
    }
    trovate
}

/// CF-004, CF-005, CF-006: a provisional codice fiscale does not tell the child's birth, so `DataNascita` must; beside
/// one of sixteen characters it may only repeat it; nobody is born after the presentation (spec/domain.md §7.1).
fn date_di_nascita(domanda: &AssegnoTemporaneo, contesto: &Contesto<'_>) -> Vec<Violazione> {
    let oggi = contesto.oggi();
    schede(domanda)
        .filter_map(|(posto, minore)| {
            comuni::data_di_nascita(&minore.codice_fiscale, minore.data_nascita, oggi, |campo| {
                al_minore(posto, campo)
            })
        })
        .collect()
}

/// DL 79/2021 art. 1 → AT-010: a minor on the day of presentation. Born on 29 February, one comes of age on the last
/// day of February (art. 2963 c.c.).
fn minori_di_diciotto_anni(domanda: &AssegnoTemporaneo, contesto: &Contesto<'_>) -> Vec<Violazione> {
    let oggi = contesto.oggi();
    schede(domanda)
        // Whose birth is in doubt, or who stands elsewhere as an adult, has that fault and not this one too.
        .filter(|(_, minore)| {
            !comuni::is_smentita(&minore.codice_fiscale, minore.data_nascita, oggi)
                && !is_adulto(minore, domanda)
        })
        .filter(|(_, minore)| {
            minore
                .nascita(oggi)
                .is_some_and(|nascita| nascita.saturating_add(dati::MAGGIORE_ETA_ANNI.years()) <= oggi)
        })
        .map(|(posto, _)| Violazione::at(Codice::At010, al_minore(posto, "CodiceFiscale")))
        .collect()
}

/// AT-011 to AT-014: a child once in the domanda, and nobody in two roles ("La domanda deve essere inoltrata una sola
/// volta per ciascun figlio"). Two omocodes are two persons.
fn persone_distinte(domanda: &AssegnoTemporaneo, _: &Contesto<'_>) -> Vec<Violazione> {
    let richiedente = &domanda.richiedente.codice_fiscale;
    let tutelato = domanda.genitore_tutelato.as_ref();
    let mut trovate = Vec::new();
    for (posto, minore) in schede(domanda) {
        let figlio = &minore.codice_fiscale;
        if let Some(primo) = primo_posto(domanda, posto) {
            let dove = al_minore(posto, "CodiceFiscale");
            trovate.push(Violazione::at(Codice::At011, dove).with("primo", primo));
        }
        if same(figlio, richiedente) || tutelato.is_some_and(|tutelato| same(figlio, tutelato)) {
            trovate.push(Violazione::at(Codice::At012, al_minore(posto, "CodiceFiscale")));
        }
        if let Some(altro) = minore.altro_genitore.codice_fiscale() {
            if same(altro, figlio) {
                trovate.push(Violazione::at(Codice::At013, all_altro_genitore(posto)));
            } else if same(altro, richiedente) || tutelato.is_some_and(|tutelato| same(altro, tutelato)) {
                trovate.push(Violazione::at(Codice::At014, all_altro_genitore(posto)));
            }
        }
    }
    trovate
}

/// AT-015, AT-016: whoever presents "come tutore del genitore" says which parent, and is somebody else; nobody else
/// names one (button "Nuova domanda come tutore del genitore" of the on-line form).
fn genitore_tutelato(domanda: &AssegnoTemporaneo, _: &Contesto<'_>) -> Vec<Violazione> {
    let trovata = match (domanda.presentata_da, &domanda.genitore_tutelato) {
        (PresentataDa::Genitore, None) => None,
        (PresentataDa::Genitore, Some(_)) => {
            Some(Violazione::at(Codice::At015, percorso(&["GenitoreTutelato"])))
        }
        (PresentataDa::TutoreDelGenitore, None) => {
            Some(Violazione::at(Codice::At015, percorso(&["PresentataDa"])))
        }
        (PresentataDa::TutoreDelGenitore, Some(tutelato)) => {
            same(tutelato, &domanda.richiedente.codice_fiscale)
                .then(|| Violazione::at(Codice::At016, percorso(&["GenitoreTutelato", "CodiceFiscale"])))
        }
    };
    trovata.into_iter().collect()
}

/// AT-1 → AT-001: half to each parent only where a court gave shared custody, and only to a parent who is named
/// (DL 79/2021 art. 3 c. 2).
fn meta_solo_in_affido_condiviso(domanda: &AssegnoTemporaneo, _: &Contesto<'_>) -> Vec<Violazione> {
    schede(domanda)
        .filter(|(_, minore)| minore.qualita != Qualita::TutoreMinore && is_a_meta(minore))
        .filter(|(_, minore)| {
            !minore.affido_condiviso || matches!(minore.altro_genitore, AltroGenitore::Assente(_))
        })
        .map(|(posto, _)| Violazione::at(Codice::At001, al_minore(posto, "Ripartizione")))
        .collect()
}

/// AT-3 → AT-003: the tutor of a minor shares neither custody nor sum with anybody (spec/domain.md §3).
fn tutore_del_minore_per_intero(domanda: &AssegnoTemporaneo, _: &Contesto<'_>) -> Vec<Violazione> {
    schede(domanda)
        .filter(|(_, minore)| minore.qualita == Qualita::TutoreMinore)
        .flat_map(|(posto, minore)| {
            [
                (minore.affido_condiviso, "AffidoCondiviso"),
                (is_a_meta(minore), "Ripartizione"),
            ]
            .into_iter()
            .filter(|(violata, _)| *violata)
            .map(move |(_, campo)| Violazione::at(Codice::At003, al_minore(posto, campo)))
        })
        .collect()
}

/// AT-6 → AT-006: one live sheet a child, in whatever domanda. Of the other sheet the sentence tells the state alone:
/// whose it is, and under which number, is not the sender's to know.
fn una_scheda_viva_per_minore(domanda: &AssegnoTemporaneo, contesto: &Contesto<'_>) -> Vec<Violazione> {
    (1..)
        .zip(&domanda.minori)
        .filter_map(|(posto, minore)| {
            let codice = minore.codice_fiscale.as_ref().ok()?;
            let viva = contesto
                .schede_vive
                .iter()
                .find(|viva| viva.codice_fiscale == *codice)?;
            // The same child twice is AT-011 at its second place.
            primo_posto(domanda, posto as usize)
                .is_none()
                .then(|| scheda_viva(posto, viva))
        })
        .collect()
}

/// AT-006 for the child at a place: also when the store finds the live sheet only while it registers.
#[must_use]
pub fn scheda_viva(posto: u32, viva: &SchedaViva) -> Violazione {
    let dove = al_minore(posto as usize, "CodiceFiscale");
    Violazione::at(Codice::At006, dove).with("stato", &viva.stato)
}

/// IBN-001 to IBN-009, IBN-101 (codelist PAG-AT; spec/domain.md §7.2). The account is the richiedente's; a tutor who
/// asks for his wards alone may name theirs (AT-3).
fn pagamento(domanda: &AssegnoTemporaneo, contesto: &Contesto<'_>) -> Vec<Violazione> {
    let solo_tutelati = domanda
        .minori
        .iter()
        .all(|minore| minore.qualita == Qualita::TutoreMinore);
    comuni::pagamento(&domanda.pagamento, PREFISSO, solo_tutelati, contesto.oggi())
}

/// AT-9 → DIC-001: D1 to D8, each made and true; one finding for each that is not, with its text (DPR 445/2000
/// art. 46 and 47). Without D1 the domanda is not due: nuclei with Reddito di cittadinanza are paid without asking
/// (DL 79/2021 art. 4).
fn dichiarazioni_rese(domanda: &AssegnoTemporaneo, contesto: &Contesto<'_>) -> Vec<Violazione> {
    dichiarazione::rese(
        &domanda.dichiarazioni,
        dati::DICHIARAZIONI,
        PREFISSO,
        contesto.oggi(),
    )
}

/// DIC-002: `Scelta` says by which title D4 or D7 is made, and fits that declaration alone (spec/domain.md §3).
fn scelte_delle_dichiarazioni(domanda: &AssegnoTemporaneo, contesto: &Contesto<'_>) -> Vec<Violazione> {
    dichiarazione::scelte(
        &domanda.dichiarazioni,
        dati::DICHIARAZIONI,
        PREFISSO,
        contesto.oggi(),
    )
}

/// ALL-001, ALL-002, ALL-003: a document is what its imprint says, not empty, and not over the limit.
fn allegati(domanda: &AssegnoTemporaneo, contesto: &Contesto<'_>) -> Vec<Violazione> {
    comuni::allegati(&domanda.allegati, PREFISSO, contesto)
}

// What the rules speak of.

fn schede(domanda: &AssegnoTemporaneo) -> impl Iterator<Item = (usize, &Minore)> {
    (1..).zip(&domanda.minori)
}

/// The place before `posto` at which the same child stands, if there is one.
fn primo_posto(domanda: &AssegnoTemporaneo, posto: usize) -> Option<usize> {
    let (_, minore) = schede(domanda).nth(posto - 1)?;
    schede(domanda)
        .take(posto - 1)
        .find(|(_, primo)| same(&primo.codice_fiscale, &minore.codice_fiscale))
        .map(|(primo, _)| primo)
}

/// Whether the child's codice fiscale is also that of an adult of the domanda.
fn is_adulto(minore: &Minore, domanda: &AssegnoTemporaneo) -> bool {
    [
        Some(&domanda.richiedente.codice_fiscale),
        domanda.genitore_tutelato.as_ref(),
    ]
    .into_iter()
    .flatten()
    .chain(minore.altro_genitore.codice_fiscale())
    .any(|adulto| same(adulto, &minore.codice_fiscale))
}

fn is_a_meta(minore: &Minore) -> bool {
    minore.ripartizione == Ripartizione::MetaEntrambi
}

// Where things stand in the domanda.

const PREFISSO: &str = super::PRESTAZIONE.prefisso;

fn percorso(campi: &[&str]) -> String {
    comuni::percorso(PREFISSO, campi)
}

fn al_minore(posto: usize, campo: &str) -> String {
    percorso(&["Minori", &format!("Minore[{posto}]"), campo])
}

fn all_altro_genitore(posto: usize) -> String {
    percorso(&[
        "Minori",
        &format!("Minore[{posto}]"),
        "AltroGenitore",
        "CodiceFiscale",
    ])
}

#[cfg(test)]
mod tests;
