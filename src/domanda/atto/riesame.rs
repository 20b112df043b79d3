//! `RichiediRiesame`: some sheets of a domanda are to be looked at again (spec/domain.md §5.2), within the days that run
//! from their decision, and not twice while one look is going on. What comes of it the engine says; an accepted one opens
//! the sheet again.

use jiff::ToSpan as _;
use jiff::civil::Date;

use super::bozza::BozzaAtto;
use super::{AttoSuDomanda, Effetto, Scelta, Seguito, percorso, percorso_del_servizio};
use crate::catalogo::Codice;
use crate::domanda::Originale;
use crate::domanda::allegato::AllegatoInviato;
use crate::domanda::bozza::BozzaAllegato;
use crate::domanda::codelista::codelista;
use crate::domanda::consultazione::{DomandaConsultata, Riferimento, SchedaConsultata};
use crate::domanda::regole::{self as comuni, Vigenza};
use crate::domanda::stato::Azione;
use crate::domanda::{Assistenza, Contesto, Esame, Istanza, Lettore, Violazione};
use crate::prestazione::{Operazione, Prestazione};
use crate::protocollo::data_a_roma;

codelista! {
    /// Why a sheet is to be looked at again.
    Motivo {
        /// What was decided upon is not how things are.
        DatiErrati = "DATI_ERRATI",
        /// A document was there, and was not looked at.
        DocumentoNonValutato = "DOCUMENTO_NON_VALUTATO",
        /// The requirement that was missed is there.
        RequisitoPosseduto = "REQUISITO_POSSEDUTO",
        /// The sum, or its beginning, is wrong.
        ImportoODecorrenza = "IMPORTO_O_DECORRENZA",
        /// Something else, said in words.
        Altro = "ALTRO",
    }
}

codelista! {
    /// How far a riesame is.
    StatoRiesame {
        /// Registered, not yet looked at.
        Presentato = "PRESENTATO",
        /// Being looked at.
        InEsame = "IN_ESAME",
        /// The sheet is open again.
        Accolto = "ACCOLTO",
        /// The decision stays.
        Respinto = "RESPINTO",
    }
}

impl StatoRiesame {
    /// Whether it still waits for its end: of one sheet there is one such.
    #[must_use]
    pub fn is_aperto(self) -> bool {
        matches!(self, Self::Presentato | Self::InEsame)
    }
}

/// How many days there are to ask, from the day of the decision on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Termine {
    /// For decisions from this day on.
    pub dal: Date,
    /// The days, that of the decision not counted.
    pub giorni: i32,
    /// Where that is written.
    pub fonte: &'static str,
}

/// The last day for a decision of that day; `None`: no term is known for it, and none runs.
fn ultimo_giorno(termini: &[Termine], decisa: Date) -> Option<(i32, Date)> {
    let termine = termini.iter().rev().find(|termine| termine.dal <= decisa)?;
    Some((termine.giorni, decisa.saturating_add(termine.giorni.days())))
}

/// An act that asks for a riesame, as it was sent.
#[derive(Debug)]
pub struct Riesame {
    prestazione: &'static Prestazione,
    /// Which domanda.
    pub riferimento: Riferimento,
    /// Who hands in, on which mandate.
    pub assistenza: Assistenza,
    /// The places of the sheets, in the order sent; never empty.
    pub schede: Vec<u32>,
    /// Why.
    pub motivo: Motivo,
    /// The same in words.
    pub motivazione: String,
    /// What supports it.
    pub allegati: Vec<AllegatoInviato>,
}

impl AttoSuDomanda for Riesame {
    fn riferimento(&self) -> &Riferimento {
        &self.riferimento
    }

    fn esamina(&self, contesto: &Contesto<'_>, attuale: Option<&DomandaConsultata>) -> Esame {
        let oggi: Date = contesto.oggi();
        let prefisso = self.prestazione.prefisso;
        let atto = |campi: &[&str]| percorso(prefisso, ELEMENTO, campi);
        let mut trovate = comuni::assistenza_al(&self.assistenza, atto, contesto, oggi);
        if let Some(attuale) = attuale {
            trovate.extend(self.in_domanda(attuale, oggi));
        }
        for (posto, allegato) in (1_usize..).zip(&self.allegati) {
            let quale = format!("Allegato[{posto}]");
            let dove = |campo: &str| percorso_del_servizio(prefisso, ELEMENTO, &["Allegati", &quale, campo]);
            trovate.extend(comuni::allegato(allegato, dove, contesto));
        }
        comuni::pesa(trovate, oggi, |_| Vigenza::SEMPRE, CAMPI)
    }

    fn seguito(&self, _: &Contesto<'_>, attuale: &DomandaConsultata) -> Seguito {
        // After an `esamina` without violations all are right.
        let scelte = self.scelta().in_domanda(attuale).unwrap_or_default();
        let quante = match scelte.len() {
            1 => "1 scheda".to_owned(),
            altre => format!("{altre} schede"),
        };
        let oggetto = format!(
            "{} - richiesta di riesame della domanda n. {} - {quante}",
            self.prestazione.titolo, attuale.registrata.numero_domanda.0
        );
        let mut seguito = Seguito::of(attuale, &self.assistenza, oggetto, PROSSIMI_PASSI);
        seguito.allegati = self.allegati.iter().map(AllegatoInviato::registrato).collect();
        seguito.effetti.push(Effetto::Riesame {
            schede: scelte.iter().map(|scheda| scheda.posto).collect(),
            motivo: self.motivo.as_str(),
            motivazione: self.motivazione.clone(),
        });
        scelte.into_iter().fold(seguito, Seguito::touching)
    }
}

impl Riesame {
    /// STA-001, STA-002; RIE-001, RIE-002 of each sheet whose state would allow it.
    fn in_domanda(&self, attuale: &DomandaConsultata, oggi: Date) -> Vec<Violazione> {
        let scelta = self.scelta();
        let mut trovate = scelta.in_domanda(attuale).err().unwrap_or_default();
        for (numero, posto) in (1..).zip(&self.schede) {
            let scheda = attuale.schede.iter().find(|scheda| scheda.posto == *posto);
            let scheda = scheda.filter(|scheda| scheda.stato.allows(Azione::ChiedereRiesame));
            trovate.extend(scheda.and_then(|scheda| self.intempestivo(scheda, oggi, scelta.dove(numero))));
        }
        trovate
    }

    /// Why a sheet's riesame comes too late, or too early.
    fn intempestivo(&self, scheda: &SchedaConsultata, oggi: Date, dove: String) -> Option<Violazione> {
        if let Some(riesame) = scheda.riesame.filter(|stato| stato.is_aperto()) {
            let aperto = Violazione::at(Codice::Rie002, dove).with("posto", scheda.posto);
            return Some(aperto.with("stato", riesame.as_str()));
        }
        let decisa = data_a_roma(scheda.stato_dal);
        let (giorni, ultimo) = ultimo_giorno(self.prestazione.termini_riesame, decisa)?;
        (oggi > ultimo).then(|| {
            Violazione::at(Codice::Rie001, dove)
                .with("posto", scheda.posto)
                .with("decisa", decisa)
                .with("giorni", giorni)
                .with("ultimo", ultimo)
        })
    }

    fn scelta(&self) -> Scelta<'_> {
        Scelta {
            posti: &self.schede,
            operazione: Operazione::RichiediRiesame,
            azione: Azione::ChiedereRiesame,
            elemento: percorso_del_servizio(self.prestazione.prefisso, ELEMENTO, &[]),
            prefisso: self.prestazione.prefisso,
        }
    }
}

const ELEMENTO: &str = "Riesame";

/// What the receipt says about the next steps.
const PROSSIMI_PASSI: &str = "La richiesta di riesame è acquisita per le schede elencate, il cui stato non cambia finché \
                              non è decisa. Se è accolta la scheda torna in istruttoria. A che punto è si legge con \
                              ConsultaDomanda.";

/// The elements of `Riesame`, brothers in the order of the XSD.
const CAMPI: &[&str] = &[
    "Riesame",
    "Riferimento",
    "DataPratica",
    "Patronato",
    "Codice",
    "Ufficio",
    "Operatore",
    "Mandato",
    "Numero",
    "Data",
    "Schede",
    "Scheda",
    "Motivo",
    "Motivazione",
    "Allegati",
    "Allegato",
    "Tipo",
    "NomeFile",
    "TipoMime",
    "Impronta",
    "Contenuto",
];

/// Builds a [`Riesame`] field by field.
#[derive(Debug)]
pub struct LettoreRiesame {
    prestazione: &'static Prestazione,
    atto: BozzaAtto,
    schede: Vec<Option<u32>>,
    motivo: Option<Motivo>,
    motivazione: Option<String>,
    /// From the first of them on: the fields that follow are of the last one.
    allegati: Vec<BozzaAllegato>,
}

impl LettoreRiesame {
    /// For a service.
    #[must_use]
    pub fn new(prestazione: &'static Prestazione) -> Self {
        Self {
            prestazione,
            atto: BozzaAtto::default(),
            schede: Vec::new(),
            motivo: None,
            motivazione: None,
            allegati: Vec::new(),
        }
    }
}

impl Lettore for LettoreRiesame {
    fn apri(&mut self, campo: &str) {
        match campo {
            "Allegato" => self.allegati.push(BozzaAllegato::default()),
            _ => self.atto.apri(campo),
        }
    }

    fn valore(&mut self, campo: &str, testo: &str) {
        match (self.allegati.last_mut(), campo) {
            (Some(allegato), _) => allegato.valore(campo, testo),
            (None, "Scheda") => self.schede.push(testo.parse().ok()),
            (None, "Motivo") => self.motivo = Motivo::parse(testo),
            (None, "Motivazione") => self.motivazione = Some(testo.to_owned()),
            (None, _) => self.atto.valore(campo, testo),
        }
    }

    fn byte(&mut self, campo: &str, byte: Originale) {
        if let Some(allegato) = self.allegati.last_mut() {
            allegato.byte(campo, byte);
        }
    }

    fn chiudi(&mut self, campo: &str) {
        self.atto.chiudi(campo);
    }

    fn istanza(self: Box<Self>) -> Option<Istanza> {
        let (riferimento, assistenza) = self.atto.atto()?;
        Some(Istanza::Atto(Box::new(Riesame {
            prestazione: self.prestazione,
            riferimento,
            assistenza,
            schede: self.schede.into_iter().collect::<Option<_>>()?,
            motivo: self.motivo?,
            motivazione: self.motivazione?,
            allegati: self
                .allegati
                .into_iter()
                .map(BozzaAllegato::allegato)
                .collect::<Option<_>>()?,
        })))
    }
}

#[cfg(test)]
mod tests;
