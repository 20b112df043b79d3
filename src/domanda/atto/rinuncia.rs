//! `RinunciaDomanda`: the applicant gives up some sheets of a domanda, or all that can be given up (spec/domain.md §5).
//! The sheets become `RINUNCIATA`; their children are free for another domanda (AT-6).

use jiff::civil::Date;

use super::bozza::BozzaAtto;
use super::{AttoSuDomanda, Scelta, Seguito, percorso};
use crate::domanda::Originale;
use crate::domanda::codelista::codelista;
use crate::domanda::consultazione::{DomandaConsultata, Riferimento, SchedaConsultata};
use crate::domanda::regole::{self as comuni, Vigenza};
use crate::domanda::stato::{Azione, AzioneRichiesta, StatoDomanda};
use crate::domanda::{Assistenza, Contesto, Dettagli, Esame, Istanza, Lettore, Violazione};
use crate::prestazione::Operazione;

codelista! {
    /// Why the domanda is given up.
    Motivo {
        /// It was filled in wrongly, and will be sent anew.
        ErroreCompilazione = "ERRORE_COMPILAZIONE",
        /// The applicant no longer wants the benefit.
        RinunciaPrestazione = "RINUNCIA_PRESTAZIONE",
    }
}

/// An act of renunciation, as it was sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rinuncia {
    /// The documented prefix of the service.
    prefisso: &'static str,
    /// The prestazione's name for people.
    titolo: &'static str,
    /// Which domanda.
    pub riferimento: Riferimento,
    /// Who hands in, on which mandate.
    pub assistenza: Assistenza,
    /// Why.
    pub motivo: Motivo,
    /// The places of the sheets, in the order sent; none means every sheet that can be given up.
    pub schede: Vec<u32>,
}

impl AttoSuDomanda for Rinuncia {
    fn riferimento(&self) -> &Riferimento {
        &self.riferimento
    }

    fn esamina(&self, contesto: &Contesto<'_>, attuale: Option<&DomandaConsultata>) -> Esame {
        let oggi: Date = contesto.oggi();
        let mut trovate = comuni::assistenza_al(&self.assistenza, |campi| self.al(campi), contesto, oggi);
        if let Some(attuale) = attuale {
            trovate.extend(self.scelte(attuale).err().unwrap_or_default());
        }
        comuni::pesa(trovate, oggi, |_| Vigenza::SEMPRE, CAMPI)
    }

    fn seguito(&self, _: &Contesto<'_>, attuale: &DomandaConsultata) -> Seguito {
        // After an `esamina` without violations all are right.
        let scelte = self.scelte(attuale).unwrap_or_default();
        let quante = match scelte.len() {
            1 => "1 scheda".to_owned(),
            altre => format!("{altre} schede"),
        };
        let oggetto = format!(
            "{} - rinuncia alla domanda n. {} - {quante}",
            self.titolo, attuale.registrata.numero_domanda.0
        );
        let mut seguito = Seguito::of(attuale, &self.assistenza, oggetto, PROSSIMI_PASSI);
        seguito.dettagli = Dettagli::default().with("motivo", self.motivo.as_str());
        scelte.into_iter().fold(seguito, |seguito, scheda| {
            seguito.moving(scheda, StatoDomanda::Rinunciata, AzioneRichiesta::Nessuna)
        })
    }
}

impl Rinuncia {
    /// The sheets that are given up.
    fn scelte<'a>(
        &self,
        attuale: &'a DomandaConsultata,
    ) -> Result<Vec<&'a SchedaConsultata>, Vec<Violazione>> {
        let scelta = Scelta {
            posti: &self.schede,
            operazione: Operazione::RinunciaDomanda,
            azione: Azione::Rinunciare,
            elemento: self.al(&[]),
            prefisso: "coop",
        };
        scelta.in_domanda(attuale)
    }

    fn al(&self, campi: &[&str]) -> String {
        percorso(self.prefisso, "Rinuncia", campi)
    }
}

/// What the receipt says about the next steps.
const PROSSIMI_PASSI: &str = "Le schede elencate sono rinunciate: non saranno più lavorate, e per i loro figli si può \
                              presentare un'altra domanda con InviaDomanda. Le altre schede della domanda proseguono. Lo \
                              stato di ogni scheda si legge con ConsultaDomanda.";

/// The elements of `coop:Rinuncia`, brothers in the order of the XSD.
const CAMPI: &[&str] = &[
    "Rinuncia",
    "Riferimento",
    "DataPratica",
    "Patronato",
    "Codice",
    "Ufficio",
    "Operatore",
    "Mandato",
    "Numero",
    "Data",
    "Motivo",
    "Schede",
    "Scheda",
];

/// Builds a [`Rinuncia`] field by field.
#[derive(Debug)]
pub struct LettoreRinuncia {
    prefisso: &'static str,
    titolo: &'static str,
    atto: BozzaAtto,
    motivo: Option<Motivo>,
    schede: Vec<Option<u32>>,
}

impl LettoreRinuncia {
    /// For a service with this prefix and this name for people.
    #[must_use]
    pub fn new(prefisso: &'static str, titolo: &'static str) -> Self {
        Self {
            prefisso,
            titolo,
            atto: BozzaAtto::default(),
            motivo: None,
            schede: Vec::new(),
        }
    }
}

impl Lettore for LettoreRinuncia {
    fn apri(&mut self, campo: &str) {
        self.atto.apri(campo);
    }

    fn valore(&mut self, campo: &str, testo: &str) {
        match campo {
            "Motivo" => self.motivo = Motivo::parse(testo),
            "Scheda" => self.schede.push(testo.parse().ok()),
            _ => self.atto.valore(campo, testo),
        }
    }

    fn byte(&mut self, _campo: &str, _byte: Originale) {}

    fn chiudi(&mut self, campo: &str) {
        self.atto.chiudi(campo);
    }

    fn istanza(self: Box<Self>) -> Option<Istanza> {
        let (riferimento, assistenza) = self.atto.atto()?;
        Some(Istanza::Atto(Box::new(Rinuncia {
            prefisso: self.prefisso,
            titolo: self.titolo,
            riferimento,
            assistenza,
            motivo: self.motivo?,
            schede: self.schede.into_iter().collect::<Option<_>>()?,
        })))
    }
}

#[cfg(test)]
pub(super) mod tests;
