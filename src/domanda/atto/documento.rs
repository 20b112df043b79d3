//! `AllegaDocumento`: one document for some sheets of a domanda, or for all that take one (spec/domain.md §5.2). Where a
//! sheet waited for documents it waits no longer; whether the document is the right one, and what becomes of the sheet,
//! the engine says.

use jiff::civil::Date;

use super::bozza::BozzaAtto;
use super::{AttoSuDomanda, Effetto, Scelta, Seguito, percorso, percorso_del_servizio};
use crate::domanda::Originale;
use crate::domanda::allegato::AllegatoInviato;
use crate::domanda::bozza::BozzaAllegato;
use crate::domanda::consultazione::{DomandaConsultata, Riferimento};
use crate::domanda::regole::{self as comuni, Vigenza};
use crate::domanda::stato::{Azione, AzioneRichiesta};
use crate::domanda::{Assistenza, Contesto, Esame, Istanza, Lettore};
use crate::prestazione::Operazione;

/// An act that brings a document, as it was sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Documento {
    /// The documented prefix of the service.
    prefisso: &'static str,
    /// The prestazione's name for people.
    titolo: &'static str,
    /// Which domanda.
    pub riferimento: Riferimento,
    /// Who hands in, on which mandate.
    pub assistenza: Assistenza,
    /// The places of the sheets, in the order sent; none means every sheet that takes a document.
    pub schede: Vec<u32>,
    /// The document.
    pub allegato: AllegatoInviato,
}

impl AttoSuDomanda for Documento {
    fn riferimento(&self) -> &Riferimento {
        &self.riferimento
    }

    fn esamina(&self, contesto: &Contesto<'_>, attuale: Option<&DomandaConsultata>) -> Esame {
        let oggi: Date = contesto.oggi();
        let atto = |campi: &[&str]| percorso(self.prefisso, ELEMENTO, campi);
        let mut trovate = comuni::assistenza_al(&self.assistenza, atto, contesto, oggi);
        if let Some(attuale) = attuale {
            trovate.extend(self.scelta().in_domanda(attuale).err().unwrap_or_default());
        }
        let dove = |campo: &str| percorso_del_servizio(self.prefisso, ELEMENTO, &["Allegato", campo]);
        trovate.extend(comuni::allegato(&self.allegato, dove, contesto));
        comuni::pesa(trovate, oggi, |_| Vigenza::SEMPRE, CAMPI)
    }

    fn seguito(&self, _: &Contesto<'_>, attuale: &DomandaConsultata) -> Seguito {
        // After an `esamina` without violations all are right.
        let scelte = self.scelta().in_domanda(attuale).unwrap_or_default();
        // The type of a document may be health data: the subject of a registration is not (DPR 445/2000 art. 53 d).
        let oggetto = format!(
            "{} - documento per la domanda n. {}",
            self.titolo, attuale.registrata.numero_domanda.0
        );
        let mut seguito = Seguito::of(attuale, &self.assistenza, oggetto, PROSSIMI_PASSI);
        seguito.allegati = vec![self.allegato.registrato()];
        seguito.effetti.push(Effetto::Documento {
            schede: scelte.iter().map(|scheda| scheda.posto).collect(),
            attese: scelte
                .iter()
                .filter(|scheda| scheda.azione_richiesta == AzioneRichiesta::AllegareDocumenti)
                .map(|scheda| scheda.posto)
                .collect(),
        });
        scelte.into_iter().fold(seguito, Seguito::touching)
    }
}

impl Documento {
    fn scelta(&self) -> Scelta<'_> {
        Scelta {
            posti: &self.schede,
            operazione: Operazione::AllegaDocumento,
            azione: Azione::Allegare,
            elemento: percorso_del_servizio(self.prefisso, ELEMENTO, &[]),
            prefisso: self.prefisso,
        }
    }
}

const ELEMENTO: &str = "Documento";

/// What the receipt says about the next steps.
const PROSSIMI_PASSI: &str = "Il documento è acquisito per le schede elencate; dove era atteso, la scheda non chiede più \
                              documenti. L'esame prosegue: lo stato di ogni scheda si legge con ConsultaDomanda.";

/// The elements of `Documento`, brothers in the order of the XSD.
const CAMPI: &[&str] = &[
    "Documento",
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
    "Allegato",
    "Tipo",
    "NomeFile",
    "TipoMime",
    "Impronta",
    "Contenuto",
];

/// Builds a [`Documento`] field by field.
#[derive(Debug)]
pub struct LettoreDocumento {
    prefisso: &'static str,
    titolo: &'static str,
    atto: BozzaAtto,
    schede: Vec<Option<u32>>,
    /// While and after it is read: the fields inside it are its own.
    allegato: Option<BozzaAllegato>,
}

impl LettoreDocumento {
    /// For a service with this prefix and this name for people.
    #[must_use]
    pub fn new(prefisso: &'static str, titolo: &'static str) -> Self {
        Self {
            prefisso,
            titolo,
            atto: BozzaAtto::default(),
            schede: Vec::new(),
            allegato: None,
        }
    }
}

impl Lettore for LettoreDocumento {
    fn apri(&mut self, campo: &str) {
        match campo {
            "Allegato" => self.allegato = Some(BozzaAllegato::default()),
            _ => self.atto.apri(campo),
        }
    }

    fn valore(&mut self, campo: &str, testo: &str) {
        match (&mut self.allegato, campo) {
            (Some(allegato), _) => allegato.valore(campo, testo),
            (None, "Scheda") => self.schede.push(testo.parse().ok()),
            (None, _) => self.atto.valore(campo, testo),
        }
    }

    fn byte(&mut self, campo: &str, byte: Originale) {
        if let Some(allegato) = &mut self.allegato {
            allegato.byte(campo, byte);
        }
    }

    fn chiudi(&mut self, campo: &str) {
        self.atto.chiudi(campo);
    }

    fn istanza(self: Box<Self>) -> Option<Istanza> {
        let (riferimento, assistenza) = self.atto.atto()?;
        Some(Istanza::Atto(Box::new(Documento {
            prefisso: self.prefisso,
            titolo: self.titolo,
            riferimento,
            assistenza,
            schede: self.schede.into_iter().collect::<Option<_>>()?,
            allegato: self.allegato?.allegato()?,
        })))
    }
}

#[cfg(test)]
mod tests;
