//! The rules of the assegno temporaneo (DL 79/2021, conv. L. 112/2021; spec/domain.md §3), one function each, in the
//! order of the domanda. What they share with other prestazioni is in [`crate::domanda::regole`].
//!
//! Each says which paragraph it serves and which code it gives; the days from which that code warns and refuses
//! stand in [`dati::VIGENZE`]. A rule that needs what could not be read is silent: that fault is told once, by the
//! rule that reads it. AT-2 allows (shared custody may go with the whole sum) and AT-5 is the XSD's (one payment a
//! domanda), so neither has a code; AT-4 is about a later act. AT-7, the child who is added later, asks the rules of one
//! child ([`REGOLE_DEL_MINORE`]) and no others: [`super::nuovo_minore`].

use jiff::ToSpan;
use jiff::civil::Date;

use super::dati;
use super::domanda::{AssegnoTemporaneo, Minore, PresentataDa, Qualita, Ripartizione};
use crate::catalogo::Codice;
use crate::domanda::codice_fiscale::entro_adulto;
use crate::domanda::persona::{AltroGenitore, CodiceInviato};
use crate::domanda::regole::{self as comuni, same};
use crate::domanda::{Contesto, Esame, SchedaViva, Violazione, dichiarazione};

/// A rule: from the domanda and all that it may look at beside it, to what is wrong.
type Regola = fn(&AssegnoTemporaneo, &Contesto<'_>) -> Vec<Violazione>;

/// A rule of one child: from the child among the persons of its domanda to what is wrong.
type RegolaDelMinore = fn(&Caso<'_>, &Contesto<'_>) -> Vec<Violazione>;

/// The rules of the domanda as a whole.
const REGOLE: &[Regola] = &[
    finestra_aperta,
    patronato_e_mandato,
    codici_fiscali_degli_adulti,
    genitore_tutelato,
    pagamento,
    dichiarazioni_rese,
    scelte_delle_dichiarazioni,
    allegati,
];

/// The rules of each child.
const REGOLE_DEL_MINORE: &[RegolaDelMinore] = &[
    codici_fiscali,
    data_di_nascita,
    minore_di_diciotto_anni,
    persone_distinte,
    meta_solo_in_affido_condiviso,
    tutore_del_minore_per_intero,
    una_scheda_viva_per_minore,
];

/// A child among the persons of its domanda.
pub(super) struct Caso<'a> {
    pub(super) minore: &'a Minore,
    /// Who asks; `None` where that is not known (an act, offline).
    pub(super) richiedente: Option<&'a CodiceInviato>,
    pub(super) tutelato: Option<&'a CodiceInviato>,
    /// The place before it at which the same child stands in the same message.
    pub(super) primo: Option<usize>,
    /// The path of the child.
    pub(super) dove: String,
}

impl Caso<'_> {
    /// The path of one of its fields.
    fn al(&self, campi: &[&str]) -> String {
        comuni::below(self.dove.clone(), PREFISSO, campi)
    }

    /// The day on which its sheet was presented.
    fn oggi(&self, contesto: &Contesto<'_>) -> Date {
        contesto.presentazione_di(&self.minore.codice_fiscale)
    }

    /// Those who ask, in whichever way.
    fn chi_chiede(&self) -> impl Iterator<Item = &CodiceInviato> {
        self.richiedente.into_iter().chain(self.tutelato)
    }
}

/// All rules, all findings, each weighed by the day of presentation.
#[must_use]
pub fn esamina(domanda: &AssegnoTemporaneo, contesto: &Contesto<'_>) -> Esame {
    let dell_insieme = REGOLE.iter().flat_map(|regola| regola(domanda, contesto));
    let dei_minori = casi(domanda).flat_map(|caso| del_minore(&caso, contesto));
    let trovate = dell_insieme.chain(dei_minori).collect();
    comuni::pesa(trovate, contesto.oggi(), dati::vigenza, dati::CAMPI)
}

/// The rules of one child.
pub(super) fn del_minore(caso: &Caso<'_>, contesto: &Contesto<'_>) -> Vec<Violazione> {
    REGOLE_DEL_MINORE
        .iter()
        .flat_map(|regola| regola(caso, contesto))
        .collect()
}

/// AT-8 → FIN-001: domande are taken from 1 July to 31 December 2021 (DL 79/2021 art. 3, INPS msg. 2371/2021).
/// Outside produzione the window only warns, so that it can be tried on any day: FIN-101, and FIN-102 once the
/// measure itself is over and no decorrenza can be told.
fn finestra_aperta(_: &AssegnoTemporaneo, contesto: &Contesto<'_>) -> Vec<Violazione> {
    dati::FINESTRA.esamina(PREFISSO, contesto).into_iter().collect()
}

/// PAT-001 to PAT-005: the patronato is the certificate's, the mandate is older than the domanda.
fn patronato_e_mandato(domanda: &AssegnoTemporaneo, contesto: &Contesto<'_>) -> Vec<Violazione> {
    comuni::assistenza(
        &domanda.assistenza,
        PREFISSO,
        contesto,
        contesto.oggi_di_chi_invia(),
    )
}

/// CF-001, CF-002, CF-003, CF-101: the codici fiscali of those who ask, each at its own path (DM 23/12/1976).
fn codici_fiscali_degli_adulti(domanda: &AssegnoTemporaneo, contesto: &Contesto<'_>) -> Vec<Violazione> {
    let adulto = entro_adulto(contesto.oggi());
    let tutelato = domanda
        .genitore_tutelato
        .as_ref()
        .map(|tutelato| (tutelato, "GenitoreTutelato"));
    [(&domanda.richiedente.codice_fiscale, "Richiedente")]
        .into_iter()
        .chain(tutelato)
        .filter_map(|(codice, chi)| {
            comuni::codice_fiscale(codice, || percorso(&[chi, "CodiceFiscale"]), adulto)
        })
        .collect()
}

/// The same codes, for a child and its other parent.
fn codici_fiscali(caso: &Caso<'_>, contesto: &Contesto<'_>) -> Vec<Violazione> {
    let oggi = caso.oggi(contesto);
    let al_codice = || caso.al(&["CodiceFiscale"]);
    let del_minore = comuni::codice_fiscale(&caso.minore.codice_fiscale, al_codice, oggi);
    let altro = caso.minore.altro_genitore.codice_fiscale();
    let dell_altro =
        altro.and_then(|altro| comuni::codice_fiscale(altro, || caso.al(ALTRO_GENITORE), entro_adulto(oggi)));
    del_minore.into_iter().chain(dell_altro).collect()
}

/// CF-004, CF-005, CF-006: a provisional codice fiscale does not tell the child's birth, so `DataNascita` must; beside
/// one of sixteen characters it may only repeat it; nobody is born after the presentation (spec/domain.md §7.1).
fn data_di_nascita(caso: &Caso<'_>, contesto: &Contesto<'_>) -> Vec<Violazione> {
    let Minore {
        codice_fiscale,
        data_nascita,
        ..
    } = caso.minore;
    let trovata = comuni::data_di_nascita(codice_fiscale, *data_nascita, caso.oggi(contesto), |campo| {
        caso.al(&[campo])
    });
    Vec::from_iter(trovata)
}

/// DL 79/2021 art. 1 → AT-010: a minor on the day of presentation. Born on 29 February, one comes of age on the last
/// day of February (art. 2963 c.c.).
fn minore_di_diciotto_anni(caso: &Caso<'_>, contesto: &Contesto<'_>) -> Vec<Violazione> {
    let (minore, oggi) = (caso.minore, caso.oggi(contesto));
    // Whose birth is in doubt, or who stands elsewhere as an adult, has that fault and not this one too.
    if comuni::is_smentita(&minore.codice_fiscale, minore.data_nascita, oggi) || is_adulto(caso) {
        return Vec::new();
    }
    let maggiorenne = minore
        .nascita(oggi)
        .is_some_and(|nascita| nascita.saturating_add(dati::MAGGIORE_ETA_ANNI.years()) <= oggi);
    let trovata = maggiorenne.then(|| Violazione::at(Codice::At010, caso.al(&["CodiceFiscale"])));
    Vec::from_iter(trovata)
}

/// AT-011 to AT-014: a child once in the domanda, and nobody in two roles ("La domanda deve essere inoltrata una sola
/// volta per ciascun figlio"). Two omocodes are two persons.
fn persone_distinte(caso: &Caso<'_>, _: &Contesto<'_>) -> Vec<Violazione> {
    let figlio = &caso.minore.codice_fiscale;
    let mut trovate = Vec::new();
    if let Some(primo) = caso.primo {
        trovate.push(Violazione::at(Codice::At011, caso.al(&["CodiceFiscale"])).with("primo", primo));
    }
    if caso.chi_chiede().any(|adulto| same(figlio, adulto)) {
        trovate.push(Violazione::at(Codice::At012, caso.al(&["CodiceFiscale"])));
    }
    if let Some(altro) = caso.minore.altro_genitore.codice_fiscale() {
        if same(altro, figlio) {
            trovate.push(Violazione::at(Codice::At013, caso.al(ALTRO_GENITORE)));
        } else if caso.chi_chiede().any(|adulto| same(altro, adulto)) {
            trovate.push(Violazione::at(Codice::At014, caso.al(ALTRO_GENITORE)));
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
fn meta_solo_in_affido_condiviso(caso: &Caso<'_>, _: &Contesto<'_>) -> Vec<Violazione> {
    let minore = caso.minore;
    let senza_altro = matches!(minore.altro_genitore, AltroGenitore::Assente(_));
    let trovata = (minore.qualita != Qualita::TutoreMinore
        && is_a_meta(minore)
        && (!minore.affido_condiviso || senza_altro))
        .then(|| Violazione::at(Codice::At001, caso.al(&["Ripartizione"])));
    Vec::from_iter(trovata)
}

/// AT-3 → AT-003: the tutor of a minor shares neither custody nor sum with anybody (spec/domain.md §3).
fn tutore_del_minore_per_intero(caso: &Caso<'_>, _: &Contesto<'_>) -> Vec<Violazione> {
    let minore = caso.minore;
    if minore.qualita != Qualita::TutoreMinore {
        return Vec::new();
    }
    [
        (minore.affido_condiviso, "AffidoCondiviso"),
        (is_a_meta(minore), "Ripartizione"),
    ]
    .into_iter()
    .filter(|(violata, _)| *violata)
    .map(|(_, campo)| Violazione::at(Codice::At003, caso.al(&[campo])))
    .collect()
}

/// AT-6 → AT-006: one live sheet a child, in whatever domanda. Of the other sheet the sentence tells the state alone:
/// whose it is, and under which number, is not the sender's to know.
fn una_scheda_viva_per_minore(caso: &Caso<'_>, contesto: &Contesto<'_>) -> Vec<Violazione> {
    let viva = contesto
        .schede_vive
        .iter()
        .find(|viva| caso.minore.codice_fiscale.as_ref() == Ok(&viva.codice_fiscale))
        // The same child twice is AT-011 at its second place.
        .filter(|_| caso.primo.is_none())
        .map(|viva| gia_viva(viva, caso.al(&["CodiceFiscale"])));
    Vec::from_iter(viva)
}

/// AT-006 for the child at a place: also when the store finds the live sheet only while it registers.
#[must_use]
pub fn scheda_viva(posto: u32, viva: &SchedaViva) -> Violazione {
    gia_viva(
        viva,
        percorso(&["Minori", &format!("Minore[{posto}]"), "CodiceFiscale"]),
    )
}

/// AT-006 at a path.
pub(super) fn gia_viva(viva: &SchedaViva, dove: String) -> Violazione {
    Violazione::at(Codice::At006, dove).with("stato", &viva.stato)
}

/// IBN-001 to IBN-009, IBN-101 (codelist PAG-AT; spec/domain.md §7.2). The account is the richiedente's; a tutor who
/// asks for his wards alone may name theirs (AT-3).
fn pagamento(domanda: &AssegnoTemporaneo, contesto: &Contesto<'_>) -> Vec<Violazione> {
    let solo_tutelati = domanda
        .minori
        .iter()
        .all(|minore| minore.qualita == Qualita::TutoreMinore);
    comuni::pagamento(
        &domanda.pagamento,
        PREFISSO,
        solo_tutelati,
        contesto.oggi_di_chi_invia(),
    )
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

/// The children of a domanda, each among its persons.
fn casi(domanda: &AssegnoTemporaneo) -> impl Iterator<Item = Caso<'_>> {
    (1..).zip(&domanda.minori).map(|(posto, minore)| Caso {
        minore,
        richiedente: Some(&domanda.richiedente.codice_fiscale),
        tutelato: domanda.genitore_tutelato.as_ref(),
        primo: domanda.minori[..posto - 1]
            .iter()
            .position(|primo| same(&primo.codice_fiscale, &minore.codice_fiscale))
            .map(|prima| prima + 1),
        dove: percorso(&["Minori", &format!("Minore[{posto}]")]),
    })
}

/// Whether the child's codice fiscale is also that of an adult of the domanda.
fn is_adulto(caso: &Caso<'_>) -> bool {
    caso.chi_chiede()
        .chain(caso.minore.altro_genitore.codice_fiscale())
        .any(|adulto| same(adulto, &caso.minore.codice_fiscale))
}

fn is_a_meta(minore: &Minore) -> bool {
    minore.ripartizione == Ripartizione::MetaEntrambi
}

// Where things stand in the domanda.

const PREFISSO: &str = super::PRESTAZIONE.prefisso;

/// Below a child.
const ALTRO_GENITORE: &[&str] = &["AltroGenitore", "CodiceFiscale"];

fn percorso(campi: &[&str]) -> String {
    comuni::percorso(PREFISSO, campi)
}

#[cfg(test)]
mod tests;
