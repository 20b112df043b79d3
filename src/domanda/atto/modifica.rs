//! `ModificaDomanda`: the domanda as it shall be, sent whole (spec/domain.md §5.2). What differs from the domanda as it is
//! is found at the level of the plain values, whatever the prestazione; each difference is held against what the state of
//! the sheets lets change, at its own path.
//!
//! The rules are those of the prestazione. Ages, decorrenza and declarations go by the day on which the domanda was
//! presented (of a child who was added later: on which it was added); mandate, office and operator, and which accounts
//! payments reach, by the day of this act. What came once is let in: the window is not asked again, nor are live sheets,
//! since the children stay the same. A domanda that becomes somebody's who may have one alone ([`Avente`]) is held against
//! those that live beside it, as a new one is.

mod confronto;

use self::confronto::Confronto;
use super::{AttoSuDomanda, Seguito};
use crate::domanda::Originale;
use crate::domanda::consultazione::{DomandaConsultata, Riferimento};
use crate::domanda::regole as comuni;
use crate::domanda::{
    Avente, Contesto, Dettagli, Domanda, DomandaViva, Esame, Istanza, Lettore, Pregresso, Violazione,
};
use crate::patronato::CodiceEnte;
use crate::prestazione::Prestazione;

/// A domanda as it shall be, as it was sent.
#[derive(Debug)]
pub struct Modifica {
    /// Of which service.
    prestazione: &'static Prestazione,
    /// Which domanda.
    pub riferimento: Riferimento,
    /// As it shall be.
    pub domanda: Box<dyn Domanda>,
}

impl AttoSuDomanda for Modifica {
    fn riferimento(&self) -> &Riferimento {
        &self.riferimento
    }

    fn wants_quadro(&self) -> bool {
        true
    }

    fn nuovo_avente(&self, attuale: &DomandaConsultata) -> Option<Avente> {
        let avente = self.domanda.avente()?;
        let era_sua = attuale
            .quadro
            .as_ref()
            .is_some_and(|quadro| quadro.is_of(&avente));
        (!era_sua).then_some(avente)
    }

    fn domanda_viva(&self, viva: &DomandaViva, ente: Option<&CodiceEnte>) -> Option<Violazione> {
        let mut trovata = self.domanda.domanda_viva(viva, ente)?;
        self.place(&mut trovata);
        Some(trovata)
    }

    fn esamina(&self, contesto: &Contesto<'_>, attuale: Option<&DomandaConsultata>) -> Esame {
        let pregresso = pregresso(contesto, attuale);
        let allora = as_then(contesto, attuale, &pregresso);
        let mut esame = self.domanda.esamina(&allora);
        if let Some(confronto) = attuale.and_then(|attuale| self.confronto(&allora, attuale)) {
            esame.violazioni.extend(confronto.violazioni);
            esame.avvisi.extend(confronto.avvisi);
            comuni::ordina(&mut esame, self.domanda.campi());
        }
        for trovata in esame.violazioni.iter_mut().chain(&mut esame.avvisi) {
            self.place(trovata);
        }
        esame
    }

    fn seguito(&self, contesto: &Contesto<'_>, attuale: &DomandaConsultata) -> Seguito {
        let oggetto = format!(
            "{} - modifica della domanda n. {}",
            self.prestazione.titolo, attuale.registrata.numero_domanda.0
        );
        let seguito = Seguito::of(attuale, self.domanda.assistenza(), oggetto, PROSSIMI_PASSI);
        let pregresso = pregresso(contesto, Some(attuale));
        let allora = as_then(contesto, Some(attuale), &pregresso);
        // After an `esamina` without violations there is one.
        let Some(confronto) = self.confronto(&allora, attuale) else {
            return seguito;
        };
        Seguito {
            richiedente: confronto.richiedente,
            effetti: confronto.effetti,
            schede: confronto.schede,
            nuovo_avente: self.nuovo_avente(attuale),
            allegati: confronto.allegati,
            // By name alone: what they were stands in the registrations before this one.
            dettagli: Dettagli::default().with("campi", confronto.campi),
            ..seguito
        }
    }
}

impl Modifica {
    /// Its path in the Domanda becomes the path in the act.
    fn place(&self, trovata: &mut Violazione) {
        trovata.dove = format!("/{}:Modifica{}", self.prestazione.prefisso, trovata.dove);
    }

    /// What differs; `None` while something in the domanda cannot be read, which the rules tell.
    fn confronto(&self, allora: &Contesto<'_>, attuale: &DomandaConsultata) -> Option<Confronto> {
        let fascicolo = self.domanda.fascicolo(allora)?;
        let aggiungi = self.prestazione.aggiungi;
        Some(Confronto::of(&*self.domanda, &fascicolo, attuale, aggiungi))
    }
}

/// What the domanda has behind it.
fn pregresso(contesto: &Contesto<'_>, attuale: Option<&DomandaConsultata>) -> Pregresso {
    let mut aggiunti = Vec::new();
    if let Some(attuale) = attuale
        && let Some(quadro) = &attuale.quadro
    {
        // Of a child who has had two sheets the newer counts.
        for scheda in attuale.schede.iter().rev() {
            if let Some(nel_quadro) = quadro.scheda(scheda.posto) {
                aggiunti.push((scheda.codice_fiscale.clone(), nel_quadro.presentata_il));
            }
        }
    }
    Pregresso {
        trasmessa_il: contesto.presentata_il,
        aggiunti,
    }
}

/// The context on the day of presentation. Offline that day is not known, and today stands for it.
fn as_then<'a>(
    contesto: &Contesto<'a>,
    attuale: Option<&DomandaConsultata>,
    pregresso: &'a Pregresso,
) -> Contesto<'a> {
    Contesto {
        presentata_il: attuale.map_or(contesto.presentata_il, |attuale| attuale.presentata_il),
        schede_vive: &[],
        pregresso: Some(pregresso),
        ..contesto.clone()
    }
}

/// What the receipt says about the next steps.
const PROSSIMI_PASSI: &str = "La domanda vale da ora come modificata; il numero della domanda e il giorno di presentazione \
                              restano quelli. Dove era richiesta un'azione e il dato è arrivato, la scheda torna \
                              all'istruttoria dell'INPS. Lo stato di ogni scheda si legge con ConsultaDomanda.";

/// Builds a [`Modifica`] field by field, its Domanda with the reader of the service.
pub struct LettoreModifica {
    prestazione: &'static Prestazione,
    aperta: Option<Sezione>,
    riferimento: Option<Riferimento>,
    domanda: Box<dyn Lettore>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sezione {
    Riferimento,
    Domanda,
}

impl LettoreModifica {
    /// For a service.
    #[must_use]
    pub fn new(prestazione: &'static Prestazione) -> Self {
        Self {
            prestazione,
            aperta: None,
            riferimento: None,
            domanda: (prestazione.lettore)(),
        }
    }
}

impl Sezione {
    fn by_campo(campo: &str) -> Option<Self> {
        match campo {
            "Riferimento" => Some(Self::Riferimento),
            "Domanda" => Some(Self::Domanda),
            _ => None,
        }
    }
}

impl Lettore for LettoreModifica {
    fn apri(&mut self, campo: &str) {
        match self.aperta {
            Some(Sezione::Domanda) => self.domanda.apri(campo),
            Some(Sezione::Riferimento) => {}
            None => self.aperta = Sezione::by_campo(campo),
        }
    }

    fn valore(&mut self, campo: &str, testo: &str) {
        match self.aperta {
            Some(Sezione::Domanda) => self.domanda.valore(campo, testo),
            Some(Sezione::Riferimento) => self.riferimento = Riferimento::parse(campo, testo),
            None => {}
        }
    }

    fn byte(&mut self, campo: &str, byte: Originale) {
        if self.aperta == Some(Sezione::Domanda) {
            self.domanda.byte(campo, byte);
        }
    }

    fn chiudi(&mut self, campo: &str) {
        if self.aperta == Sezione::by_campo(campo) {
            self.aperta = None;
        } else if self.aperta == Some(Sezione::Domanda) {
            self.domanda.chiudi(campo);
        }
    }

    fn istanza(self: Box<Self>) -> Option<Istanza> {
        Some(Istanza::Atto(Box::new(Modifica {
            prestazione: self.prestazione,
            riferimento: self.riferimento?,
            domanda: self.domanda.istanza()?.domanda()?,
        })))
    }
}

#[cfg(test)]
mod tests;
