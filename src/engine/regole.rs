//! The rules of thumb of the reference engine: what is read of a domanda and a day go in, the next decision comes out.
//! No real engine decides like this; but whoever tries a patronato's software gets every outcome by the data that it
//! sends. The table in docs/contratto-motore.md is this file in words.

use jiff::ToSpan as _;
use jiff::civil::Date;

use super::caso::{Beneficiario, Caso, Decisione, Pagato, Passo, SchedaVista};
use crate::domanda::atto::riesame::StatoRiesame;
use crate::domanda::stato::{AzioneRichiesta, StatoDomanda};
use crate::domanda::{Iban, Mese};
use crate::prestazione::{assegno_temporaneo, assegno_unico};

/// The document that a foreign account needs (circ. INPS 23/2022 §7).
const MODULO_SEPA: &str = "FINANCIAL_IDENTIFICATION_SEPA";

/// An account that ends like this is nobody's.
const IBAN_DI_NESSUNO: &str = "99";

const MANCA_IL_MODULO: &str = "conto estero: allegare il modulo Financial Identification SEPA";
const MANCA_LA_CONDIZIONE: &str =
    "figlio maggiorenne: indicare la condizione (studio, tirocinio, lavoro, disoccupazione, servizio civile)";
const IBAN_NON_ABBINATO: &str =
    "IBAN_NON_ABBINATO: il conto non risulta intestato a chi deve essere pagato; indicare un altro IBAN";
const MANCA_L_ALTRO: &str = "importo diviso a metà: mancano i dati di pagamento dell'altro genitore";
const FUORI_ETA: &str = "il figlio ha raggiunto l'età in cui l'assegno non spetta più";
const NON_A_CARICO: &str = "il figlio non risulta nel nucleo del richiedente";
const RIESAME_DOCUMENTATO: &str = "i documenti allegati alla richiesta di riesame sono stati valutati";
const RIESAME_SENZA_DOCUMENTI: &str =
    "la richiesta di riesame non porta documenti nuovi: la decisione è confermata";
const VERIFICA_DI_SEDE: &str = "la sede verifica la composizione del nucleo";

/// The next decision about the first sheet that needs one; `None` = nothing is to be done on that day.
#[must_use]
pub fn decidi(caso: &Caso, oggi: Date) -> Option<Decisione> {
    caso.schede.iter().find_map(|scheda| {
        let al_lavoro = || match scheda.stato {
            StatoDomanda::Presentata => Some((to(StatoDomanda::InIstruttoria), None)),
            StatoDomanda::InIstruttoria => Some(examine(caso, scheda, oggi)),
            StatoDomanda::InEvidenzaCittadino => answered(caso, scheda, oggi),
            StatoDomanda::Accolta => keep(caso, scheda, oggi),
            // An office must act, or it is over; a riesame that is accepted opens it again.
            StatoDomanda::InEvidenzaSede
            | StatoDomanda::Sospesa
            | StatoDomanda::Respinta
            | StatoDomanda::Decaduta
            | StatoDomanda::Revocata
            | StatoDomanda::Rinunciata
            | StatoDomanda::Sostituita
            | StatoDomanda::Annullata => None,
        };
        let (passo, motivo) = looked_at_again(scheda).or_else(al_lavoro)?;
        Some(Decisione {
            posto: scheda.posto,
            da: scheda.stato,
            passo,
            motivo,
        })
    })
}

/// A step, and why it is taken where no action says it.
type Esito = (Passo, Option<&'static str>);

fn to(a: StatoDomanda) -> Passo {
    Passo::Stato { a, azione: None }
}

fn ask(a: StatoDomanda, azione: (AzioneRichiesta, &'static str)) -> Passo {
    Passo::Stato {
        a,
        azione: Some(azione),
    }
}

/// A riesame that is open: taken up, then decided by whether it brought documents.
fn looked_at_again(scheda: &SchedaVista) -> Option<Esito> {
    let riesame = scheda.riesame?;
    let (a, motivo) = match (riesame.stato, riesame.documentato) {
        (StatoRiesame::Presentato, _) => (StatoRiesame::InEsame, None),
        (StatoRiesame::InEsame, true) => (StatoRiesame::Accolto, Some(RIESAME_DOCUMENTATO)),
        (StatoRiesame::InEsame, false) => (StatoRiesame::Respinto, Some(RIESAME_SENZA_DOCUMENTI)),
        (StatoRiesame::Accolto | StatoRiesame::Respinto, _) => return None,
    };
    let da = riesame.stato;
    Some((Passo::Riesame { da, a }, motivo))
}

/// The checks.
fn examine(caso: &Caso, scheda: &SchedaVista, oggi: Date) -> Esito {
    if is_too_old(caso, scheda, oggi) {
        return (to(StatoDomanda::Respinta), Some(FUORI_ETA));
    }
    if let Some(azione) = missing(caso, scheda, oggi) {
        return (ask(StatoDomanda::InEvidenzaCittadino, azione), None);
    }
    match scheda.codice_fiscale.as_str().chars().next_back() {
        // What a riesame has cleared is not held against the child again.
        Some('Z') if !is_cleared(scheda) => (to(StatoDomanda::Respinta), Some(NON_A_CARICO)),
        Some('Y') => (to(StatoDomanda::InEvidenzaSede), Some(VERIFICA_DI_SEDE)),
        _ => (
            Passo::Stato {
                a: StatoDomanda::Accolta,
                azione: flag(caso, scheda),
            },
            None,
        ),
    }
}

fn is_cleared(scheda: &SchedaVista) -> bool {
    scheda
        .riesame
        .is_some_and(|riesame| riesame.stato == StatoRiesame::Accolto)
}

/// What was asked for is there: back to the checks.
fn answered(caso: &Caso, scheda: &SchedaVista, oggi: Date) -> Option<Esito> {
    missing(caso, scheda, oggi)
        .is_none()
        .then_some((to(StatoDomanda::InIstruttoria), None))
}

/// What an accepted sheet needs: an end, another year, a word to the patronato, a month's payment.
fn keep(caso: &Caso, scheda: &SchedaVista, oggi: Date) -> Option<Esito> {
    if is_too_old(caso, scheda, oggi) {
        return Some((to(StatoDomanda::Decaduta), Some(FUORI_ETA)));
    }
    if let Some(azione) = missing(caso, scheda, oggi) {
        return Some((ask(StatoDomanda::InEvidenzaCittadino, azione), None));
    }
    if let Some(anno) = last_year(caso, scheda)
        && oggi.year() > anno
    {
        return Some((Passo::Rinnovo { anno: anno + 1 }, None));
    }
    let azione = flag(caso, scheda);
    if azione.map_or(AzioneRichiesta::Nessuna, |(azione, _)| azione) != scheda.azione
        || azione.map(|(_, motivo)| motivo) != scheda.azione_motivo.as_deref()
    {
        let a = scheda.stato;
        return Some((Passo::Stato { a, azione }, None));
    }
    due(caso, scheda, oggi).map(|pagato| (Passo::Pagamento(pagato), None))
}

/// What the citizen must bring before the sheet can be judged.
fn missing(caso: &Caso, scheda: &SchedaVista, oggi: Date) -> Option<(AzioneRichiesta, &'static str)> {
    let estero = caso.iban.as_ref().is_some_and(|iban| !iban.is_italiano());
    if estero && !caso.documenti.iter().any(|tipo| tipo == MODULO_SEPA) {
        return Some((AzioneRichiesta::AllegareDocumenti, MANCA_IL_MODULO));
    }
    let maggiorenne = is_unico(caso) && has_reached(scheda, 18, oggi);
    (maggiorenne && !scheda.disabile && scheda.condizione_maggiorenne.is_none())
        .then_some((AzioneRichiesta::AggiornareDatiFiglio, MANCA_LA_CONDIZIONE))
}

/// What an accepted sheet waits for; it stays accepted meanwhile.
fn flag(caso: &Caso, scheda: &SchedaVista) -> Option<(AzioneRichiesta, &'static str)> {
    let di_nessuno = |iban: Option<&Iban>| iban.is_some_and(|iban| iban.as_str().ends_with(IBAN_DI_NESSUNO));
    let altro = scheda.altro_genitore.as_ref().filter(|_| scheda.divisa);
    if di_nessuno(caso.iban.as_ref()) || altro.is_some_and(|iban| di_nessuno(iban.as_ref())) {
        Some((AzioneRichiesta::AggiornareIban, IBAN_NON_ABBINATO))
    } else if scheda.divisa && altro.is_none() {
        Some((AzioneRichiesta::IntegrareAltroGenitore, MANCA_L_ALTRO))
    } else {
        None
    }
}

/// The first month that is over and not yet paid, to whom it is owed.
fn due(caso: &Caso, scheda: &SchedaVista, oggi: Date) -> Option<Pagato> {
    if scheda.azione == AzioneRichiesta::AggiornareIban {
        return None;
    }
    let ultimo = last_month(caso, scheda).min(before(Mese {
        anno: oggi.year(),
        mese: oggi.month(),
    }));
    let mut mese = scheda.decorrenza?;
    while mese <= ultimo {
        let intero = amount(caso, scheda, mese);
        let quota = if scheda.divisa { intero / 2 } else { intero };
        let del_mese = || scheda.pagati.iter().filter(move |pagato| pagato.mese == mese);
        let pagato: i64 = del_mese().map(|pagato| pagato.importo_cent).sum();
        for beneficiario in [Beneficiario::Richiedente, Beneficiario::AltroGenitore] {
            let spetta = beneficiario == Beneficiario::Richiedente
                || (scheda.divisa && scheda.altro_genitore.is_some());
            // A month that went to one parent whole, before the split was asked for, is paid.
            if spetta
                && pagato + quota <= intero
                && !del_mese().any(|pagato| pagato.beneficiario == beneficiario)
            {
                return Some(Pagato {
                    mese,
                    beneficiario,
                    importo_cent: quota,
                });
            }
        }
        mese = after(mese);
    }
    None
}

/// The amounts of the sources' tables for the lowest ISEE, without majorations (spec/domain.md §8.3).
fn amount(caso: &Caso, scheda: &SchedaVista, mese: Mese) -> i64 {
    if is_unico(caso) {
        let primo = Date::new(mese.anno, mese.mese, 1).unwrap_or(Date::MAX);
        return if has_reached(scheda, 18, primo) {
            8_500
        } else {
            17_500
        };
    }
    let figli = caso.schede.iter().filter(|scheda| scheda.stato.is_live());
    if figli.count() >= 3 { 21_780 } else { 16_750 }
}

/// The last month for which the sheet is paid: the measure's last one, or February after its last year.
fn last_month(caso: &Caso, scheda: &SchedaVista) -> Mese {
    match last_year(caso, scheda) {
        Some(anno) => Mese {
            anno: anno + 1,
            mese: 2,
        },
        None => Mese { anno: 2022, mese: 2 },
    }
}

/// The last year that was asked for or renewed; `None` where the prestazione has no years.
fn last_year(caso: &Caso, scheda: &SchedaVista) -> Option<i16> {
    caso.anno_competenza
        .into_iter()
        .chain(scheda.rinnovi.iter().copied())
        .max()
        .filter(|_| is_unico(caso))
}

/// The birthday has come: the 18th for the assegno temporaneo, the 21st for the assegno unico of who is not disabled.
fn is_too_old(caso: &Caso, scheda: &SchedaVista, oggi: Date) -> bool {
    if caso.servizio == assegno_temporaneo::PRESTAZIONE.servizio {
        has_reached(scheda, 18, oggi)
    } else {
        !scheda.disabile && has_reached(scheda, 21, oggi)
    }
}

fn has_reached(scheda: &SchedaVista, anni: i32, il: Date) -> bool {
    scheda
        .data_nascita
        .is_some_and(|nascita| nascita.saturating_add(anni.years()) <= il)
}

fn is_unico(caso: &Caso) -> bool {
    caso.servizio == assegno_unico::PRESTAZIONE.servizio
}

fn after(mese: Mese) -> Mese {
    match mese.mese {
        12 => Mese {
            anno: mese.anno + 1,
            mese: 1,
        },
        _ => Mese {
            mese: mese.mese + 1,
            ..mese
        },
    }
}

fn before(mese: Mese) -> Mese {
    match mese.mese {
        1 => Mese {
            anno: mese.anno - 1,
            mese: 12,
        },
        _ => Mese {
            mese: mese.mese - 1,
            ..mese
        },
    }
}

#[cfg(test)]
mod tests;
