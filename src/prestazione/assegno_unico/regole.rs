//! The rules of the assegno unico (D.lgs 230/2021; circ. INPS 23/2022; spec/domain.md §4), one function each, in the
//! order of the domanda; those about payments are in [`pagamenti`]. What they share with other prestazioni is in
//! [`crate::domanda::regole`].
//!
//! Each says which paragraph it serves and which code it gives. A rule that needs what could not be read is silent:
//! that fault is told once, by the rule that reads it. AU-3 allows (shared custody may go with A, B or C), so it has no
//! code; AU-4, the other parent's choice, is about a later act. AU-7 is in [`super::avente`]; the child who is added
//! later asks the rules of one child ([`REGOLE_DEL_FIGLIO`]) and of its other parent's payment, and no others:
//! [`super::nuovo_figlio`].

pub(super) mod pagamenti;

use jiff::ToSpan;
use jiff::civil::Date;

use super::avente;
use super::dati;
use super::decorrenza::is_comunicata_in_tempo;
use super::domanda::{
    Affidamento, AssegnoUnico, CondizioneMaggiorenne, Disabilita, Figlio, Ripartizione, Ruolo,
    SituazioneGenitori,
};
use crate::catalogo::Codice;
use crate::domanda::codice_fiscale::entro_adulto;
use crate::domanda::persona::CodiceInviato;
use crate::domanda::regole::{self as comuni, same};
use crate::domanda::{Contesto, Esame, SchedaViva, Violazione, dichiarazione};

/// A rule: from the domanda and all that it may look at beside it, to what is wrong.
type Regola = fn(&AssegnoUnico, &Contesto<'_>) -> Vec<Violazione>;

/// A rule of one child: from the child among the persons of its domanda to what is wrong.
type RegolaDelFiglio = fn(&Caso<'_>, &Contesto<'_>) -> Vec<Violazione>;

/// The rules of the domanda as a whole.
const REGOLE: &[Regola] = &[
    finestra_aperta,
    patronato_e_mandato,
    anno_in_corso,
    codici_fiscali_degli_altri,
    figlio_maggiorenne_per_se,
    genitore_tutelato,
    avente::una_domanda_viva,
    isee_o_nucleo,
    pagamenti::richiedente,
    pagamenti::altri_genitori,
    pagamenti::contante_per_uno,
    pagamenti::conti_esteri,
    dichiarazioni_rese,
    scelte_delle_dichiarazioni,
    allegati,
];

/// The rules of each child.
const REGOLE_DEL_FIGLIO: &[RegolaDelFiglio] = &[
    codici_fiscali,
    data_di_nascita,
    eta_e_condizione,
    persone_distinte,
    altro_genitore_indicato,
    ripartizione,
    figlio_a_carico,
    nuova_nascita,
    una_scheda_viva_per_figlio,
];

/// A child among the persons of its domanda.
pub(super) struct Caso<'a> {
    pub(super) figlio: &'a Figlio,
    /// In which role it is asked for.
    pub(super) ruolo: Ruolo,
    /// Who asks; `None` where that is not known (an act, offline).
    pub(super) richiedente: Option<&'a CodiceInviato>,
    pub(super) tutelato: Option<&'a CodiceInviato>,
    /// The place before it at which the same child stands in the same message.
    pub(super) primo: Option<usize>,
    /// Whether it is told how to pay its other parent.
    pub(super) altro_pagato: bool,
    /// The path of the child.
    pub(super) dove: String,
}

impl Caso<'_> {
    /// The path of one of its fields; of the child itself where a field is missing (`campo` empty).
    fn al(&self, campo: &str) -> String {
        match campo {
            "" => self.dove.clone(),
            campo => format!("{}/{PREFISSO}:{campo}", self.dove),
        }
    }

    fn all_altro_genitore(&self) -> String {
        format!("{}/{PREFISSO}:CodiceFiscale", self.al("AltroGenitore"))
    }

    /// The day on which its sheet was presented.
    fn oggi(&self, contesto: &Contesto<'_>) -> Date {
        contesto.presentazione_di(&self.figlio.codice_fiscale)
    }

    /// Those who ask, in whichever way.
    fn chi_chiede(&self) -> impl Iterator<Item = &CodiceInviato> {
        self.richiedente.into_iter().chain(self.tutelato)
    }

    /// Whether it is the child that asks for itself.
    fn is_per_se(&self) -> bool {
        let richiedente = self.richiedente;
        self.ruolo == Ruolo::FiglioMaggiorenne
            && richiedente.is_some_and(|richiedente| same(&self.figlio.codice_fiscale, richiedente))
    }
}

/// All rules, all findings, each weighed by the day of presentation.
#[must_use]
pub fn esamina(domanda: &AssegnoUnico, contesto: &Contesto<'_>) -> Esame {
    let dell_insieme = REGOLE.iter().flat_map(|regola| regola(domanda, contesto));
    let dei_figli = casi(domanda).flat_map(|caso| del_figlio(&caso, contesto));
    let trovate = dell_insieme.chain(dei_figli).collect();
    comuni::pesa(trovate, contesto.oggi(), dati::vigenza, dati::CAMPI)
}

/// The rules of one child.
pub(super) fn del_figlio(caso: &Caso<'_>, contesto: &Contesto<'_>) -> Vec<Violazione> {
    REGOLE_DEL_FIGLIO
        .iter()
        .flat_map(|regola| regola(caso, contesto))
        .collect()
}

/// FIN-001, FIN-101: domande are taken from 1 January 2022 on (D.lgs 230/2021 art. 6 c. 1).
fn finestra_aperta(_: &AssegnoUnico, contesto: &Contesto<'_>) -> Vec<Violazione> {
    dati::FINESTRA.esamina(PREFISSO, contesto).into_iter().collect()
}

/// PAT-001 to PAT-005: the patronato is the certificate's, the mandate is older than the domanda.
fn patronato_e_mandato(domanda: &AssegnoUnico, contesto: &Contesto<'_>) -> Vec<Violazione> {
    comuni::assistenza(
        &domanda.assistenza,
        PREFISSO,
        contesto,
        contesto.oggi_di_chi_invia(),
    )
}

/// AU-010: the year, where it is told, is the one that takes domande on that day: each runs from March to February, and
/// from January on it is the next one that is asked for (spec/domain.md §8.2).
fn anno_in_corso(domanda: &AssegnoUnico, contesto: &Contesto<'_>) -> Vec<Violazione> {
    let aperto = dati::anno_aperto(contesto.oggi());
    domanda
        .anno_competenza
        .filter(|anno| *anno != aperto)
        .map(|_| Violazione::at(Codice::Au010, percorso(&["AnnoCompetenza"])).with("anno", aperto))
        .into_iter()
        .collect()
}

/// CF-001, CF-002, CF-003, CF-101: the codici fiscali of who asks and of the nucleus, each at its own path (DM
/// 23/12/1976). Those of the payments are told with the payments.
fn codici_fiscali_degli_altri(domanda: &AssegnoUnico, contesto: &Contesto<'_>) -> Vec<Violazione> {
    let oggi = contesto.oggi();
    let adulto = entro_adulto(oggi);
    let mut trovate = Vec::new();
    let mut look = |codice: &CodiceInviato, passi: &[&str], entro: Date| {
        let al_codice = || percorso(&[passi, &["CodiceFiscale"]].concat());
        trovate.extend(comuni::codice_fiscale(codice, al_codice, entro));
    };
    look(&domanda.richiedente.codice_fiscale, &["Richiedente"], adulto);
    if let Some(tutelato) = &domanda.genitore_tutelato {
        look(tutelato, &["GenitoreTutelato"], adulto);
    }
    for (posto, componente) in (1..).zip(&domanda.nucleo) {
        let passo = format!("Componente[{posto}]");
        look(componente, &["Nucleo", &passo], oggi);
    }
    trovate
}

/// The same codes, for a child and its other parent.
fn codici_fiscali(caso: &Caso<'_>, contesto: &Contesto<'_>) -> Vec<Violazione> {
    let oggi = caso.oggi(contesto);
    let al_codice = || caso.al("CodiceFiscale");
    let del_figlio = comuni::codice_fiscale(&caso.figlio.codice_fiscale, al_codice, oggi);
    let dell_altro = caso
        .figlio
        .altro_codice()
        .and_then(|altro| comuni::codice_fiscale(altro, || caso.all_altro_genitore(), entro_adulto(oggi)));
    del_figlio.into_iter().chain(dell_altro).collect()
}

/// CF-004, CF-005, CF-006: `DataNascita` goes with a provisional codice fiscale, and contradicts no other
/// (spec/domain.md §7.1). Of a child to come nobody asks before the birth (C21).
fn data_di_nascita(caso: &Caso<'_>, contesto: &Contesto<'_>) -> Vec<Violazione> {
    let Figlio {
        codice_fiscale,
        data_nascita,
        ..
    } = caso.figlio;
    let trovata = comuni::data_di_nascita(codice_fiscale, *data_nascita, caso.oggi(contesto), |campo| {
        caso.al(campo)
    });
    Vec::from_iter(trovata)
}

/// AU-6 → AU-006, AU-016, AU-017, AU-018: a minor needs no condition and has none; from 18 to 20 one of those of the law,
/// unless disabled; from 21 on only the disabled (D.lgs 230/2021 art. 2 c. 1). Traineeship and work go with an income
/// below 8.000 euro. One finding a child: what the age forbids is not also incomplete.
fn eta_e_condizione(caso: &Caso<'_>, contesto: &Contesto<'_>) -> Vec<Violazione> {
    let (figlio, oggi) = (caso.figlio, caso.oggi(contesto));
    // Whose birth is in doubt, or who stands elsewhere as an adult, or beside an adult child who asks for itself, has
    // that fault and not this one too.
    let altrimenti = is_smentito(figlio, oggi)
        || is_altro(caso)
        || (caso.ruolo == Ruolo::FiglioMaggiorenne && !caso.is_per_se());
    let Some(eta) = Eta::of(figlio, oggi).filter(|_| !altrimenti) else {
        return Vec::new();
    };
    let trovata = match (eta, figlio.disabilita, figlio.condizione_maggiorenne) {
        (Eta::Minore, _, Some(_)) => Some((Codice::Au017, "CondizioneMaggiorenne")),
        (Eta::Minore, _, None) if caso.is_per_se() => Some((Codice::Au027, "CodiceFiscale")),
        (Eta::Adulto, Disabilita::Nessuna, _) => Some((Codice::Au006, "CodiceFiscale")),
        (Eta::Giovane, Disabilita::Nessuna, None) => Some((Codice::Au016, "")),
        _ => reddito_fuori_posto(figlio).then_some((Codice::Au018, campo_del_reddito(figlio))),
    };
    let trovata = trovata.map(|(codice, campo)| Violazione::at(codice, caso.al(campo)));
    Vec::from_iter(trovata)
}

/// Income below the threshold is told, and true, for traineeship and work and for nothing else.
fn reddito_fuori_posto(figlio: &Figlio) -> bool {
    let vuole_reddito = matches!(
        figlio.condizione_maggiorenne,
        Some(CondizioneMaggiorenne::Tirocinio | CondizioneMaggiorenne::Lavoro)
    );
    match figlio.reddito_sotto_soglia {
        Some(true) => !vuole_reddito,
        Some(false) => true,
        None => vuole_reddito,
    }
}

fn campo_del_reddito(figlio: &Figlio) -> &'static str {
    if figlio.reddito_sotto_soglia.is_some() {
        "RedditoSottoSoglia"
    } else {
        "CondizioneMaggiorenne"
    }
}

/// AU-9 → AU-009, AU-011, AU-013: nobody stands in two roles, but for the adult child who asks for itself; a child once
/// in the domanda. Two omocodes are two persons.
fn persone_distinte(caso: &Caso<'_>, _: &Contesto<'_>) -> Vec<Violazione> {
    let codice = &caso.figlio.codice_fiscale;
    let mut trovate = Vec::new();
    if let Some(primo) = caso.primo {
        trovate.push(Violazione::at(Codice::Au011, caso.al("CodiceFiscale")).with("primo", primo));
    } else if !caso.is_per_se() && caso.chi_chiede().any(|adulto| same(codice, adulto)) {
        trovate.push(Violazione::at(Codice::Au009, caso.al("CodiceFiscale")));
    }
    if let Some(altro) = caso.figlio.altro_codice() {
        if same(altro, codice) {
            trovate.push(Violazione::at(Codice::Au013, caso.all_altro_genitore()));
        } else if caso.chi_chiede().any(|adulto| same(altro, adulto)) {
            trovate.push(Violazione::at(Codice::Au009, caso.all_altro_genitore()));
        }
    }
    trovate
}

/// AU-012: an adult child asks for itself alone: one sheet, with its own codice fiscale (circ. INPS 23/2022 §2).
fn figlio_maggiorenne_per_se(domanda: &AssegnoUnico, _: &Contesto<'_>) -> Vec<Violazione> {
    if domanda.ruolo != Ruolo::FiglioMaggiorenne {
        return Vec::new();
    }
    let dove = match domanda.figli.as_slice() {
        [figlio] => match (&figlio.codice_fiscale, &domanda.richiedente.codice_fiscale) {
            (Ok(figlio), Ok(richiedente)) if figlio != richiedente => {
                percorso(&["Figli", "Figlio[1]", "CodiceFiscale"])
            }
            _ => return Vec::new(),
        },
        _ => percorso(&["Figli"]),
    };
    vec![Violazione::at(Codice::Au012, dove)]
}

/// AU-014, AU-015: the tutor of a parent says of which one, and is somebody else; nobody else names one.
fn genitore_tutelato(domanda: &AssegnoUnico, _: &Contesto<'_>) -> Vec<Violazione> {
    let tutore = domanda.ruolo == Ruolo::TutoreGenitore;
    let trovata = match &domanda.genitore_tutelato {
        None if tutore => Some((Codice::Au014, percorso(&["Richiedente", "Ruolo"]))),
        Some(_) if !tutore => Some((Codice::Au014, percorso(&["GenitoreTutelato"]))),
        Some(tutelato) if same(tutelato, &domanda.richiedente.codice_fiscale) => {
            Some((Codice::Au015, percorso(&["GenitoreTutelato", "CodiceFiscale"])))
        }
        _ => None,
    };
    trovata
        .map(|(codice, dove)| Violazione::at(codice, dove))
        .into_iter()
        .collect()
}

/// AU-020: the other parent is named, or why there is none: only an orphan who asks for itself may leave both out.
fn altro_genitore_indicato(caso: &Caso<'_>, _: &Contesto<'_>) -> Vec<Violazione> {
    let orfano = caso.ruolo == Ruolo::FiglioMaggiorenne
        && caso.figlio.situazione_genitori == SituazioneGenitori::OrfanoEntrambi;
    let manca = caso.figlio.altro_genitore.is_none() && !orfano;
    Vec::from_iter(manca.then(|| Violazione::at(Codice::Au020, caso.al(""))))
}

/// AU-1, AU-2 → AU-001, AU-002, AU-028: half each only where there is another parent to have it, and with B the way to
/// pay them. Exclusive custody, tutors and custodians, an only parent and the adult child have the whole sum.
fn ripartizione(caso: &Caso<'_>, _: &Contesto<'_>) -> Vec<Violazione> {
    let figlio = caso.figlio;
    let codice = match (figlio.ripartizione, figlio.altro_codice()) {
        (Ripartizione::Intero, _) => return Vec::new(),
        _ if is_per_intero(caso.ruolo, figlio) => Codice::Au002,
        (_, None) => Codice::Au001,
        (Ripartizione::MetaConAltroGenitore, Some(Ok(_))) if !caso.altro_pagato => Codice::Au028,
        (_, Some(_)) => return Vec::new(),
    };
    let violazione = Violazione::at(codice, caso.al("Ripartizione"));
    vec![violazione.with("ripartizione", figlio.ripartizione.as_str())]
}

/// Whether nobody shares the sum of this sheet with the richiedente (circ. INPS 23/2022 §7).
fn is_per_intero(ruolo: Ruolo, figlio: &Figlio) -> bool {
    let da_solo = match ruolo {
        Ruolo::Tutore | Ruolo::Affidatario | Ruolo::FiglioMaggiorenne => true,
        Ruolo::Genitore | Ruolo::EsercenteRespGenitoriale | Ruolo::TutoreGenitore => false,
    };
    let affidato = matches!(
        figlio.affidamento,
        Some(Affidamento::Esclusivo | Affidamento::TutoreAffidatario)
    );
    let senza_altro = matches!(
        figlio.situazione_genitori,
        SituazioneGenitori::GenitoreUnico | SituazioneGenitori::OrfanoEntrambi
    );
    da_solo || affidato || senza_altro
}

/// AU-019: the children are dependent (D.lgs 230/2021 art. 2).
fn figlio_a_carico(caso: &Caso<'_>, _: &Contesto<'_>) -> Vec<Violazione> {
    Vec::from_iter((!caso.figlio.a_carico).then(|| Violazione::at(Codice::Au019, caso.al("ACarico"))))
}

/// AU-101: a birth told after 120 days does not count from the seventh month; the domanda is good all the same.
fn nuova_nascita(caso: &Caso<'_>, contesto: &Contesto<'_>) -> Vec<Violazione> {
    let oggi = caso.oggi(contesto);
    let tardi = caso.figlio.nuova_nascita == Some(true)
        && caso
            .figlio
            .nascita(oggi)
            .is_some_and(|nascita| !is_comunicata_in_tempo(nascita, oggi));
    let trovata = tardi.then(|| {
        Violazione::at(Codice::Au101, caso.al("NuovaNascita")).with("giorni", dati::NASCITA_COMUNICATA_GIORNI)
    });
    Vec::from_iter(trovata)
}

/// AU-5, AU-8 → AU-005, AU-008: one live sheet a child, in whatever domanda and for whatever year, since a live domanda
/// goes on by itself (circ. INPS 132/2022). An adult child takes the place of a parent's sheet; nobody that of an adult
/// child's. Of the other sheet the sentence tells the state alone: whose it is, and under which number, is not the
/// sender's to know.
fn una_scheda_viva_per_figlio(caso: &Caso<'_>, contesto: &Contesto<'_>) -> Vec<Violazione> {
    let per_se = caso.ruolo == Ruolo::FiglioMaggiorenne;
    let viva = contesto
        .schede_vive
        .iter()
        .find(|viva| caso.figlio.codice_fiscale.as_ref() == Ok(&viva.codice_fiscale))
        // The same child twice is AU-011 at its second place.
        .filter(|viva| caso.primo.is_none() && (!per_se || viva.subentrata))
        .map(|viva| gia_viva(viva, caso.al("CodiceFiscale")));
    Vec::from_iter(viva)
}

/// AU-005 or AU-008 for the child at a place: also when the store finds the live sheet only while it registers.
#[must_use]
pub fn scheda_viva(posto: u32, viva: &SchedaViva) -> Violazione {
    gia_viva(
        viva,
        percorso(&["Figli", &format!("Figlio[{posto}]"), "CodiceFiscale"]),
    )
}

/// AU-005 or AU-008 at a path.
pub(super) fn gia_viva(viva: &SchedaViva, dove: String) -> Violazione {
    let codice = if viva.subentrata {
        Codice::Au005
    } else {
        Codice::Au008
    };
    Violazione::at(codice, dove).with("stato", &viva.stato)
}

/// AU-025, AU-026, AU-102: the nucleus is self-declared only where there is no ISEE; a DSU is that of an ISEE; the
/// majoration for who had the ANF depends on an ISEE up to 25.000 euro (D.lgs 230/2021 art. 5).
fn isee_o_nucleo(domanda: &AssegnoUnico, _: &Contesto<'_>) -> Vec<Violazione> {
    let presente = domanda.isee.as_ref().is_some_and(|isee| isee.presente);
    let dsu = domanda
        .isee
        .as_ref()
        .is_some_and(|isee| isee.protocollo_dsu.is_some());
    let anf = domanda.anf_2021_percepito == Some(true);
    [
        (
            presente && !domanda.nucleo.is_empty(),
            Codice::Au025,
            percorso(&["Nucleo"]),
        ),
        (
            !presente && dsu,
            Codice::Au026,
            percorso(&["Isee", "ProtocolloDSU"]),
        ),
        (!presente && anf, Codice::Au102, percorso(&["Anf2021Percepito"])),
    ]
    .into_iter()
    .filter(|(violata, ..)| *violata)
    .map(|(_, codice, dove)| Violazione::at(codice, dove))
    .collect()
}

/// DIC-001: U1 to U7, each made and true (DPR 445/2000 art. 46 and 47).
fn dichiarazioni_rese(domanda: &AssegnoUnico, contesto: &Contesto<'_>) -> Vec<Violazione> {
    dichiarazione::rese(
        &domanda.dichiarazioni,
        dati::DICHIARAZIONI,
        PREFISSO,
        contesto.oggi(),
    )
}

/// DIC-002: `Scelta` says by which title U1 or U4 is made, and fits that declaration alone.
fn scelte_delle_dichiarazioni(domanda: &AssegnoUnico, contesto: &Contesto<'_>) -> Vec<Violazione> {
    dichiarazione::scelte(
        &domanda.dichiarazioni,
        dati::DICHIARAZIONI,
        PREFISSO,
        contesto.oggi(),
    )
}

/// ALL-001, ALL-002, ALL-003: a document is what its imprint says, not empty, and not over the limit.
fn allegati(domanda: &AssegnoUnico, contesto: &Contesto<'_>) -> Vec<Violazione> {
    comuni::allegati(&domanda.allegati, PREFISSO, contesto)
}

// What the rules speak of.

/// How old a child is, as far as the right goes. Born on 29 February, one comes of age on the last day of February
/// (art. 2963 c.c.).
#[derive(Clone, Copy, PartialEq, Eq)]
enum Eta {
    /// Below 18.
    Minore,
    /// From 18 to 20.
    Giovane,
    /// From 21 on.
    Adulto,
}

impl Eta {
    /// `None` when nothing tells the birth.
    fn of(figlio: &Figlio, oggi: Date) -> Option<Self> {
        let nascita = figlio.nascita(oggi)?;
        let compiuti = |anni: i32| nascita.saturating_add(anni.years()) <= oggi;
        Some(if compiuti(dati::ETA_MASSIMA_ANNI) {
            Self::Adulto
        } else if compiuti(dati::MAGGIORE_ETA_ANNI) {
            Self::Giovane
        } else {
            Self::Minore
        })
    }
}

/// The children of a domanda, each among its persons.
fn casi(domanda: &AssegnoUnico) -> impl Iterator<Item = Caso<'_>> {
    (1..).zip(&domanda.figli).map(|(posto, figlio)| Caso {
        figlio,
        ruolo: domanda.ruolo,
        richiedente: Some(&domanda.richiedente.codice_fiscale),
        tutelato: domanda.genitore_tutelato.as_ref(),
        primo: domanda.figli[..posto - 1]
            .iter()
            .position(|primo| same(&primo.codice_fiscale, &figlio.codice_fiscale))
            .map(|prima| prima + 1),
        altro_pagato: domanda.pagamento_altro(figlio).is_some(),
        dove: percorso(&["Figli", &format!("Figlio[{posto}]")]),
    })
}

/// Whether the child's codice fiscale is also that of another person of the domanda, and so told by AU-9.
fn is_altro(caso: &Caso<'_>) -> bool {
    let richiedente = caso
        .richiedente
        .filter(|_| caso.ruolo != Ruolo::FiglioMaggiorenne);
    richiedente
        .into_iter()
        .chain(caso.tutelato)
        .chain(caso.figlio.altro_codice())
        .any(|adulto| same(adulto, &caso.figlio.codice_fiscale))
}

fn is_smentito(figlio: &Figlio, oggi: Date) -> bool {
    comuni::is_smentita(&figlio.codice_fiscale, figlio.data_nascita, oggi)
}

// Where things stand in the domanda.

const PREFISSO: &str = super::PRESTAZIONE.prefisso;

fn percorso(campi: &[&str]) -> String {
    comuni::percorso(PREFISSO, campi)
}

#[cfg(test)]
mod tests;
