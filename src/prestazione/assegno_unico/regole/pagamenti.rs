//! The rules about payments (circ. INPS 23/2022 §7; codelist PAG-AUU of spec/domain.md §4): an account has an IBAN that
//! payments reach and belongs to who is paid; cash needs none. Whose an account really is, the INPS asks the bank.

use super::percorso;
use crate::catalogo::Codice;
use crate::domanda::allegato::TipoAllegato;
use crate::domanda::persona::CodiceInviato;
use crate::domanda::regole::{self as comuni, same};
use crate::domanda::{Contesto, Violazione};
use crate::prestazione::assegno_unico::domanda::{AssegnoUnico, Ripartizione, Ruolo};
use crate::prestazione::assegno_unico::pagamento::{
    Conto, Modalita, PagamentoAltroInviato, PagamentoInviato, QualitaIntestatario,
};

/// AU-024, AU-029, IBN-001 to IBN-006, CF-001 to CF-003: the payment of who asks. The account is theirs; of the parent
/// under tutelage where a tutor asks in their place; of another of the tutors or custodians.
pub(super) fn richiedente(domanda: &AssegnoUnico, contesto: &Contesto<'_>) -> Vec<Violazione> {
    let dove = |campi: &[&str]| percorso(&[&["PagamentoRichiedente"], campi].concat());
    let mut trovate = Vec::from_iter(modalita_e_conto(&domanda.pagamento, contesto, dove));
    if let Some(conto) = domanda.pagamento.conto_da_usare() {
        let titolare = match (conto.intestatario, domanda.ruolo) {
            (QualitaIntestatario::Richiedente, _) => Titolare::Persona(&domanda.richiedente.codice_fiscale),
            (QualitaIntestatario::GenitoreTutelato, Ruolo::TutoreGenitore) => domanda
                .genitore_tutelato
                .as_ref()
                .map_or(Titolare::Chiunque, Titolare::Persona),
            (QualitaIntestatario::AltroTutoreAffidatario, Ruolo::Tutore | Ruolo::Affidatario) => {
                Titolare::Chiunque
            }
            _ => Titolare::Nessuno,
        };
        trovate.extend(intestatario(conto, titolare, dove));
    }
    trovate
}

/// AU-1 → AU-021, AU-022, AU-024, AU-029, IBN-001 to IBN-006, CF-001 to CF-003: one payment for each other parent who is
/// to have half with B, and for nobody else; the account is that parent's.
pub(super) fn altri_genitori(domanda: &AssegnoUnico, contesto: &Contesto<'_>) -> Vec<Violazione> {
    let mut trovate = Vec::new();
    for (indice, altro) in domanda.pagamenti_altri.iter().enumerate() {
        let passo = passo(indice);
        let dove = |campi: &[&str]| percorso(&[&[passo.as_str()], campi].concat());
        let al_codice = dove(&["CodiceFiscale"]);
        let prima = &domanda.pagamenti_altri[..indice];
        let atteso = domanda
            .figli
            .iter()
            .filter(|figlio| figlio.ripartizione == Ripartizione::MetaConAltroGenitore)
            .filter_map(|figlio| figlio.altro_codice());
        if altro.codice_fiscale.is_err() {
            trovate.extend(comuni::codice_illeggibile(&altro.codice_fiscale, al_codice));
        } else if prima
            .iter()
            .any(|primo| same(&primo.codice_fiscale, &altro.codice_fiscale))
        {
            trovate.push(Violazione::at(Codice::Au022, al_codice));
        } else if !atteso
            .into_iter()
            // An other parent that could not be read might be this one.
            .any(|codice| codice.is_err() || same(codice, &altro.codice_fiscale))
        {
            trovate.push(Violazione::at(Codice::Au021, al_codice));
        }
        trovate.extend(altro_genitore(altro, contesto, dove));
    }
    trovate
}

/// AU-024, AU-029, IBN-001 to IBN-006, CF-001 to CF-003: the payment of one other parent, below a path; the account is
/// that parent's.
pub(in crate::prestazione::assegno_unico) fn altro_genitore(
    altro: &PagamentoAltroInviato,
    contesto: &Contesto<'_>,
    dove: impl Fn(&[&str]) -> String,
) -> Vec<Violazione> {
    let mut trovate = Vec::from_iter(modalita_e_conto(&altro.pagamento, contesto, &dove));
    if let Some(conto) = altro.pagamento.conto_da_usare() {
        let titolare = match conto.intestatario {
            QualitaIntestatario::AltroGenitore => Titolare::Persona(&altro.codice_fiscale),
            _ => Titolare::Nessuno,
        };
        trovate.extend(intestatario(conto, titolare, &dove));
    }
    trovate
}

/// AU-023: of two parents who have half each, one alone may be paid in cash.
pub(super) fn contante_per_uno(domanda: &AssegnoUnico, _: &Contesto<'_>) -> Vec<Violazione> {
    if domanda.pagamento.modalita != Modalita::ContantePoste {
        return Vec::new();
    }
    domanda
        .pagamenti_altri
        .iter()
        .enumerate()
        .filter(|(_, altro)| altro.pagamento.modalita == Modalita::ContantePoste)
        .map(|(indice, _)| Violazione::at(Codice::Au023, percorso(&[&passo(indice), "Modalita"])))
        .collect()
}

/// ALL-101: an account outside Italy asks for the bank's form; without it the domanda is taken, and will wait in evidenza
/// until it comes.
pub(super) fn conti_esteri(domanda: &AssegnoUnico, contesto: &Contesto<'_>) -> Vec<Violazione> {
    let allegato = domanda
        .allegati
        .iter()
        .any(|allegato| allegato.tipo == TipoAllegato::FinancialIdentificationSepa);
    if allegato {
        return Vec::new();
    }
    let altri = domanda
        .pagamenti_altri
        .iter()
        .enumerate()
        .map(|(indice, altro)| (passo(indice), &altro.pagamento));
    [("PagamentoRichiedente".to_owned(), &domanda.pagamento)]
        .into_iter()
        .chain(altri)
        .filter_map(|(passo, pagamento)| {
            conto_estero(pagamento, percorso(&[&passo, "Conto", "Iban"]), contesto)
        })
        .collect()
}

/// ALL-101 for one payment, without that form.
pub(in crate::prestazione::assegno_unico) fn conto_estero(
    pagamento: &PagamentoInviato,
    dove: String,
    contesto: &Contesto<'_>,
) -> Option<Violazione> {
    let iban = pagamento.conto_da_usare()?.iban.as_ref().ok()?;
    // An account that no payment reaches is told as that (IBN-004).
    (!iban.is_italiano() && iban.in_sepa(contesto.oggi_di_chi_invia()))
        .then(|| Violazione::at(Codice::All101, dove).with("paese", iban.paese()))
}

/// Who may hold an account.
#[derive(Clone, Copy)]
enum Titolare<'a> {
    /// This person.
    Persona(&'a CodiceInviato),
    /// Somebody whom the domanda does not name elsewhere.
    Chiunque,
    /// Nobody in that quality.
    Nessuno,
}

/// AU-024, IBN-005, IBN-006, IBN-001 to IBN-004: the account goes with the modality, and payments reach it.
fn modalita_e_conto(
    pagamento: &PagamentoInviato,
    contesto: &Contesto<'_>,
    dove: impl Fn(&[&str]) -> String,
) -> Option<Violazione> {
    let modalita = pagamento.modalita;
    let con_modalita = |codice, dove| Violazione::at(codice, dove).with("modalita", modalita.as_str());
    match (modalita, &pagamento.conto) {
        (Modalita::CartaRdc, _) => Some(Violazione::at(Codice::Au024, dove(&["Modalita"]))),
        (Modalita::ContantePoste, Some(_)) => Some(con_modalita(Codice::Ibn005, dove(&["Conto"]))),
        (Modalita::ContantePoste, None) => None,
        (Modalita::Iban, None) => Some(con_modalita(Codice::Ibn006, dove(&[]))),
        (Modalita::Iban, Some(conto)) => comuni::iban_raggiungibile(
            &conto.iban,
            || dove(&["Conto", "Iban"]),
            contesto.oggi_di_chi_invia(),
        ),
    }
}

/// AU-029: the account belongs to who is paid. A codice fiscale that cannot be read is told as that.
fn intestatario(
    conto: &Conto,
    titolare: Titolare<'_>,
    dove: impl Fn(&[&str]) -> String,
) -> Option<Violazione> {
    let al_codice = dove(&["Conto", "Intestatario", "CodiceFiscale"]);
    let altrui = match titolare {
        Titolare::Nessuno => Some(dove(&["Conto", "Intestatario", "Qualita"])),
        Titolare::Persona(persona) => match (persona, &conto.intestatario_codice) {
            (Ok(persona), Ok(codice)) if persona != codice => Some(al_codice.clone()),
            _ => None,
        },
        Titolare::Chiunque => None,
    };
    altrui
        .map(|dove| Violazione::at(Codice::Au029, dove))
        .or_else(|| comuni::codice_illeggibile(&conto.intestatario_codice, al_codice))
}

fn passo(indice: usize) -> String {
    format!("PagamentoAltroGenitore[{}]", indice + 1)
}
