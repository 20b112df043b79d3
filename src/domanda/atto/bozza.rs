//! What every act begins with (`coop:Atto`), while it is read: which domanda, and the block of the patronato. The reader
//! of an act hands it every field and keeps the rest.

use crate::domanda::Assistenza;
use crate::domanda::bozza::BozzaAssistenza;
use crate::domanda::consultazione::Riferimento;

/// `Riferimento`, `DataPratica`, `Patronato`, `Operatore`, `Mandato`.
#[derive(Debug, Default)]
pub struct BozzaAtto {
    aperta: Option<Sezione>,
    riferimento: Option<Riferimento>,
    assistenza: BozzaAssistenza,
}

/// An element with children: the same name means another field in another section.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sezione {
    Riferimento,
    Patronato,
    Mandato,
}

impl Sezione {
    fn by_campo(campo: &str) -> Option<Self> {
        Some(match campo {
            "Riferimento" => Self::Riferimento,
            "Patronato" => Self::Patronato,
            "Mandato" => Self::Mandato,
            _ => return None,
        })
    }
}

impl BozzaAtto {
    /// An element began.
    pub fn apri(&mut self, campo: &str) {
        self.aperta = Sezione::by_campo(campo).or(self.aperta);
    }

    /// A field ended.
    pub fn valore(&mut self, campo: &str, testo: &str) {
        match self.aperta {
            None => self.assistenza.valore(campo, testo),
            Some(Sezione::Riferimento) => self.riferimento = Riferimento::parse(campo, testo),
            Some(Sezione::Patronato) => self.assistenza.patronato(campo, testo),
            Some(Sezione::Mandato) => self.assistenza.mandato(campo, testo),
        }
    }

    /// An element ended.
    pub fn chiudi(&mut self, campo: &str) {
        if self.aperta.is_some() && self.aperta == Sezione::by_campo(campo) {
            self.aperta = None;
        }
    }

    /// Both, once all that the XSD demands was there.
    #[must_use]
    pub fn atto(self) -> Option<(Riferimento, Assistenza)> {
        Some((self.riferimento?, self.assistenza.assistenza()?))
    }
}
