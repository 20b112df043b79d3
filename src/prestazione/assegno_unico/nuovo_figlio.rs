//! `AggiungiFiglio`: one child more for a domanda that is there (AU-7). It keeps the rules of one child, as if it came
//! with the domanda, on the day on which it is added: that day governs age, decorrenza and the 120 days of a birth. Its
//! other parent is paid as on the sheets that this parent has already, or as the act tells.

use super::domanda::{Figlio, Ripartizione, Ruolo};
use super::lettore::LettoreAssegnoUnico;
use super::pagamento::{
    Conto, Modalita, PagamentoAltroInviato, PagamentoInviato, QualitaIntestatario, Strumento,
};
use super::regole::{self, Caso, pagamenti};
use super::{PRESTAZIONE, dati};
use crate::catalogo::Codice;
use crate::domanda::Originale;
use crate::domanda::atto::bozza::BozzaAtto;
use crate::domanda::atto::{AttoSuDomanda, Seguito, aggiunta, percorso};
use crate::domanda::consultazione::{DomandaConsultata, Riferimento};
use crate::domanda::regole::{self as comuni, percorso_di, same};
use crate::domanda::{Assistenza, CodiceFiscale, Contesto, Esame, Istanza, Lettore, SchedaViva, Violazione};
use crate::prestazione::Operazione;

/// One child more, as it was sent.
pub struct NuovoFiglio {
    /// Which domanda.
    pub riferimento: Riferimento,
    /// Who hands in, on which mandate.
    pub assistenza: Assistenza,
    /// The child.
    pub figlio: Figlio,
    /// How to pay its other parent.
    pub pagamento_altro: Option<PagamentoAltroInviato>,
}

impl AttoSuDomanda for NuovoFiglio {
    fn riferimento(&self) -> &Riferimento {
        &self.riferimento
    }

    fn wants_quadro(&self) -> bool {
        true
    }

    fn minori(&self) -> Vec<CodiceFiscale> {
        self.figlio.codice_fiscale.iter().cloned().collect()
    }

    fn scheda_viva(&self, viva: &SchedaViva) -> Option<Violazione> {
        Some(regole::gia_viva(viva, al(&["Figlio", "CodiceFiscale"])))
    }

    fn esamina(&self, contesto: &Contesto<'_>, attuale: Option<&DomandaConsultata>) -> Esame {
        let oggi = contesto.oggi();
        let dell_atto = |campi: &[&str]| percorso(PRESTAZIONE.prefisso, ELEMENTO, campi);
        let mut trovate = comuni::assistenza_al(&self.assistenza, dell_atto, contesto, oggi);
        trovate.extend(dati::FINESTRA.esamina_al(|| al(&[]), contesto));
        if let Some(attuale) = attuale {
            trovate.extend(aggiunta::takes_one_more(
                attuale,
                Operazione::AggiungiFiglio,
                &al(&[]),
            ));
        }
        // Offline the role is not known: a parent's forbids least.
        let ruolo = attuale.and_then(ruolo).unwrap_or(Ruolo::Genitore);
        if ruolo == Ruolo::FiglioMaggiorenne {
            trovate.push(Violazione::at(Codice::Au012, al(&["Figlio"])));
        }
        let noto = attuale.and_then(|attuale| self.pagamento_noto(attuale));
        trovate.extend(self.pagamento_dell_altro(contesto, attuale, noto.as_ref()));
        let richiedente = attuale.map(|attuale| Ok(attuale.richiedente.codice_fiscale.clone()));
        let tutelato = attuale.and_then(aggiunta::genitore_tutelato);
        let caso = Caso {
            figlio: &self.figlio,
            ruolo,
            richiedente: richiedente.as_ref(),
            tutelato: tutelato.as_ref(),
            primo: None,
            // Offline nothing is known of the other sheets, and the payment may be theirs.
            altro_pagato: attuale.is_none() || noto.is_some() || self.pays_its_other_parent(),
            dove: al(&["Figlio"]),
        };
        trovate.extend(regole::del_figlio(&caso, contesto));
        comuni::pesa(trovate, oggi, dati::vigenza, dati::CAMPI)
    }

    fn seguito(&self, contesto: &Contesto<'_>, attuale: &DomandaConsultata) -> Seguito {
        let noto = self.pagamento_noto(attuale);
        let inviato = self.pagamento_altro.as_ref().map(|altro| &altro.pagamento);
        let scheda = ruolo(attuale).and_then(|ruolo| {
            let posto = aggiunta::posto(attuale);
            self.figlio
                .scheda(posto, ruolo, inviato.or(noto.as_ref()), contesto.oggi())
        });
        aggiunta::seguito(&PRESTAZIONE, attuale, &self.assistenza, scheda)
    }
}

impl NuovoFiglio {
    /// AU-021, AU-022, AU-023 and those of an account: a payment is told for this child's other parent, with B, and for
    /// nobody who is paid already.
    fn pagamento_dell_altro(
        &self,
        contesto: &Contesto<'_>,
        attuale: Option<&DomandaConsultata>,
        noto: Option<&PagamentoInviato>,
    ) -> Vec<Violazione> {
        let Some(inviato) = &self.pagamento_altro else {
            return Vec::new();
        };
        let dove = |campi: &[&str]| al(&[&["PagamentoAltroGenitore"], campi].concat());
        let mut trovate = Vec::new();
        if inviato.codice_fiscale.is_err() {
            let illeggibile = comuni::codice_illeggibile(&inviato.codice_fiscale, dove(&["CodiceFiscale"]));
            trovate.extend(illeggibile);
        } else if !self.pays_its_other_parent() {
            trovate.push(Violazione::at(Codice::Au021, dove(&["CodiceFiscale"])));
        } else if noto.is_some() {
            // Whatever account is sent: that other parent may have told theirs by an act of their own, and who guesses
            // it must not learn that from the answer.
            trovate.push(Violazione::at(Codice::Au022, dove(&["CodiceFiscale"])));
        }
        trovate.extend(pagamenti::altro_genitore(inviato, contesto, dove));
        trovate.extend(pagamenti::conto_estero(
            &inviato.pagamento,
            dove(&["Conto", "Iban"]),
            contesto,
        ));
        let in_contante = attuale
            .and_then(|attuale| attuale.quadro.as_ref()?.domanda.testo("modalita"))
            .is_some_and(|modalita| modalita == Modalita::ContantePoste.as_str());
        if in_contante && inviato.pagamento.modalita == Modalita::ContantePoste {
            trovate.push(Violazione::at(Codice::Au023, dove(&["Modalita"])));
        }
        trovate
    }

    /// Whether the payment that it tells is that of this child's other parent, who is to have half with B.
    fn pays_its_other_parent(&self) -> bool {
        let altro = self
            .figlio
            .altro_codice()
            .filter(|_| self.figlio.ripartizione == Ripartizione::MetaConAltroGenitore);
        match (altro, &self.pagamento_altro) {
            // An other parent that could not be read might be this one.
            (Some(altro), Some(inviato)) => altro.is_err() || same(altro, &inviato.codice_fiscale),
            _ => false,
        }
    }

    /// How this child's other parent is paid on another sheet of the domanda.
    fn pagamento_noto(&self, attuale: &DomandaConsultata) -> Option<PagamentoInviato> {
        let altro = self.figlio.altro_codice()?.as_ref().ok()?;
        let quadro = attuale.quadro.as_ref()?;
        quadro.schede.iter().find_map(|scheda| {
            let valori = &scheda.valori;
            if valori.testo("altro_genitore") != Some(altro.as_str()) {
                return None;
            }
            let conto = valori.testo("altro_genitore_iban").and_then(|iban| {
                Some(Conto {
                    strumento: Strumento::parse(valori.testo("pagamento_altro_genitore_strumento")?)?,
                    iban: iban.parse(),
                    intestatario: QualitaIntestatario::AltroGenitore,
                    intestatario_codice: Ok(altro.clone()),
                })
            });
            Some(PagamentoInviato {
                modalita: Modalita::parse(valori.testo("altro_genitore_modalita")?)?,
                conto,
            })
        })
    }
}

impl std::fmt::Debug for NuovoFiglio {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("NuovoFiglio")
            .field("riferimento", &self.riferimento)
            .finish_non_exhaustive()
    }
}

/// In which role the domanda was presented.
fn ruolo(attuale: &DomandaConsultata) -> Option<Ruolo> {
    let quadro = attuale.quadro.as_ref()?;
    Ruolo::parse(quadro.domanda.testo("presentata_da")?)
}

/// The content of the operation.
const ELEMENTO: &str = "NuovoFiglio";

/// The path of what is this service's own.
fn al(campi: &[&str]) -> String {
    let prefisso = PRESTAZIONE.prefisso;
    percorso_di(&format!("{prefisso}:{ELEMENTO}"), prefisso, campi)
}

/// Builds a [`NuovoFiglio`] field by field: child and payment with the reader of the domanda, the rest as any act.
#[derive(Default)]
pub struct LettoreNuovoFiglio {
    atto: BozzaAtto,
    figlio: LettoreAssegnoUnico,
    dentro: bool,
}

/// What the reader of the domanda reads.
const DELLA_DOMANDA: [&str; 2] = ["Figlio", "PagamentoAltroGenitore"];

impl Lettore for LettoreNuovoFiglio {
    fn apri(&mut self, campo: &str) {
        self.dentro |= DELLA_DOMANDA.contains(&campo);
        if self.dentro {
            self.figlio.apri(campo);
        } else {
            self.atto.apri(campo);
        }
    }

    fn valore(&mut self, campo: &str, testo: &str) {
        if self.dentro {
            self.figlio.valore(campo, testo);
        } else {
            self.atto.valore(campo, testo);
        }
    }

    fn byte(&mut self, _campo: &str, _byte: Originale) {}

    fn chiudi(&mut self, campo: &str) {
        if self.dentro {
            self.figlio.chiudi(campo);
        } else {
            self.atto.chiudi(campo);
        }
        self.dentro &= !DELLA_DOMANDA.contains(&campo);
    }

    fn istanza(self: Box<Self>) -> Option<Istanza> {
        let (riferimento, assistenza) = self.atto.atto()?;
        let (figlio, pagamento_altro) = self.figlio.figlio()?;
        Some(Istanza::Atto(Box::new(NuovoFiglio {
            riferimento,
            assistenza,
            figlio,
            pagamento_altro,
        })))
    }
}

#[cfg(test)]
mod tests;
