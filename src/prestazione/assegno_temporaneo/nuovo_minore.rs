//! `AggiungiMinore`: one child more for a domanda that is there (AT-7). It keeps the rules of one child, as if it came
//! with the domanda, on the day on which it is added: that day governs window, age and decorrenza.

use super::domanda::{Minore, Qualita};
use super::lettore::LettoreAssegnoTemporaneo;
use super::regole::{self, Caso};
use super::{PRESTAZIONE, dati};
use crate::catalogo::Codice;
use crate::domanda::Originale;
use crate::domanda::atto::bozza::BozzaAtto;
use crate::domanda::atto::{AttoSuDomanda, Seguito, aggiunta, percorso};
use crate::domanda::consultazione::{DomandaConsultata, Riferimento};
use crate::domanda::dettagli::Valore;
use crate::domanda::regole as comuni;
use crate::domanda::{Assistenza, CodiceFiscale, Contesto, Esame, Istanza, Lettore, SchedaViva, Violazione};
use crate::prestazione::Operazione;

/// One child more, as it was sent.
pub struct NuovoMinore {
    /// Which domanda.
    pub riferimento: Riferimento,
    /// Who hands in, on which mandate.
    pub assistenza: Assistenza,
    /// The child.
    pub minore: Minore,
}

impl AttoSuDomanda for NuovoMinore {
    fn riferimento(&self) -> &Riferimento {
        &self.riferimento
    }

    fn wants_quadro(&self) -> bool {
        true
    }

    fn minori(&self) -> Vec<CodiceFiscale> {
        self.minore.codice_fiscale.iter().cloned().collect()
    }

    fn scheda_viva(&self, viva: &SchedaViva) -> Option<Violazione> {
        Some(regole::gia_viva(viva, al_minore("CodiceFiscale")))
    }

    fn esamina(&self, contesto: &Contesto<'_>, attuale: Option<&DomandaConsultata>) -> Esame {
        let oggi = contesto.oggi();
        let al = |campi: &[&str]| percorso(PRESTAZIONE.prefisso, ELEMENTO, campi);
        let mut trovate = comuni::assistenza_al(&self.assistenza, al, contesto, oggi);
        trovate.extend(dati::FINESTRA.esamina_al(|| al(&[]), contesto));
        if let Some(attuale) = attuale {
            trovate.extend(aggiunta::takes_one_more(
                attuale,
                Operazione::AggiungiMinore,
                &al(&[]),
            ));
            trovate.extend(self.conto_del_tutore(attuale));
        }
        let richiedente = attuale.map(|attuale| Ok(attuale.richiedente.codice_fiscale.clone()));
        let tutelato = attuale.and_then(aggiunta::genitore_tutelato);
        let caso = Caso {
            minore: &self.minore,
            richiedente: richiedente.as_ref(),
            tutelato: tutelato.as_ref(),
            primo: None,
            dove: format!("{}/{}:Minore", al(&[]), PRESTAZIONE.prefisso),
        };
        trovate.extend(regole::del_minore(&caso, contesto));
        comuni::pesa(trovate, oggi, dati::vigenza, dati::CAMPI)
    }

    fn seguito(&self, contesto: &Contesto<'_>, attuale: &DomandaConsultata) -> Seguito {
        let scheda = self.minore.scheda(aggiunta::posto(attuale), contesto.oggi());
        aggiunta::seguito(&PRESTAZIONE, attuale, &self.assistenza, scheda)
    }
}

impl NuovoMinore {
    /// AT-3 → IBN-008: an account that is not the richiedente's may be named only by a tutor who asks for wards alone, and
    /// this child would be none.
    fn conto_del_tutore(&self, attuale: &DomandaConsultata) -> Option<Violazione> {
        let quadro = attuale.quadro.as_ref()?;
        let altrui = quadro.domanda.get("intestato_richiedente") == Some(&Valore::Booleano(false));
        (altrui && self.minore.qualita != Qualita::TutoreMinore)
            .then(|| Violazione::at(Codice::Ibn008, al_minore("Qualita")))
    }
}

impl std::fmt::Debug for NuovoMinore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("NuovoMinore")
            .field("riferimento", &self.riferimento)
            .finish_non_exhaustive()
    }
}

/// The content of the operation.
const ELEMENTO: &str = "NuovoMinore";

/// The path of a field of the child.
fn al_minore(campo: &str) -> String {
    let prefisso = PRESTAZIONE.prefisso;
    let minore = percorso(prefisso, ELEMENTO, &[]);
    format!("{minore}/{prefisso}:Minore/{prefisso}:{campo}")
}

/// Builds a [`NuovoMinore`] field by field: the child with the reader of the domanda, the rest as any act.
#[derive(Default)]
pub struct LettoreNuovoMinore {
    atto: BozzaAtto,
    minore: LettoreAssegnoTemporaneo,
    dentro: bool,
}

impl Lettore for LettoreNuovoMinore {
    fn apri(&mut self, campo: &str) {
        self.dentro |= campo == MINORE;
        if self.dentro {
            self.minore.apri(campo);
        } else {
            self.atto.apri(campo);
        }
    }

    fn valore(&mut self, campo: &str, testo: &str) {
        if self.dentro {
            self.minore.valore(campo, testo);
        } else {
            self.atto.valore(campo, testo);
        }
    }

    fn byte(&mut self, _campo: &str, _byte: Originale) {}

    fn chiudi(&mut self, campo: &str) {
        if self.dentro {
            self.minore.chiudi(campo);
        } else {
            self.atto.chiudi(campo);
        }
        self.dentro &= campo != MINORE;
    }

    fn istanza(self: Box<Self>) -> Option<Istanza> {
        let (riferimento, assistenza) = self.atto.atto()?;
        Some(Istanza::Atto(Box::new(NuovoMinore {
            riferimento,
            assistenza,
            minore: self.minore.minore()?,
        })))
    }
}

const MINORE: &str = "Minore";

#[cfg(test)]
mod tests;
