//! From the fields of a message to an [`AssegnoTemporaneo`], while the message is read. It follows the XSD's names
//! and nothing of its rules: a field that is not readable is a field that is not there, and a domanda that lacks one
//! is no domanda. On a message with findings of form it may be told anything, in any order.

use bytes::Bytes;
use jiff::civil::Date;

use super::domanda::{
    AssegnoTemporaneo, CodiceDichiarazione, Minore, PresentataDa, Qualita, Ripartizione, Scelta,
};
use crate::domanda::Originale;
use crate::domanda::bozza::{BozzaAllegato, BozzaAssistenza, BozzaDichiarazione, BozzaRichiedente};
use crate::domanda::lettura::{booleano, data};
use crate::domanda::pagamento::{IbanErrato, Modalita, PagamentoInviato};
use crate::domanda::persona::{AltroGenitore, CodiceInviato, MotivoAssenza};
use crate::domanda::{Iban, Istanza, Lettore};

/// Builds a domanda field by field.
#[derive(Default)]
pub struct LettoreAssegnoTemporaneo {
    /// The sections that are open, outermost first.
    aperte: Vec<Sezione>,
    letta: Bozza,
}

/// An element with children: the same name means another field in another section.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Sezione {
    Domanda,
    Patronato,
    Mandato,
    Richiedente,
    GenitoreTutelato,
    Minore,
    AltroGenitore,
    Pagamento,
    Dichiarazione,
    Allegato,
}

/// What was read so far.
#[derive(Default)]
struct Bozza {
    assistenza: BozzaAssistenza,
    richiedente: BozzaRichiedente,
    presentata_da: Option<PresentataDa>,
    genitore_tutelato: Option<CodiceInviato>,
    minori: Vec<BozzaMinore>,
    modalita: Option<Modalita>,
    iban: Option<Result<Iban, IbanErrato>>,
    intestato_richiedente: Option<bool>,
    dichiarazioni: Vec<BozzaDichiarazione<CodiceDichiarazione, Scelta>>,
    allegati: Vec<BozzaAllegato>,
}

#[derive(Default)]
struct BozzaMinore {
    qualita: Option<Qualita>,
    codice_fiscale: Option<CodiceInviato>,
    data_nascita: Option<Date>,
    disabile: Option<bool>,
    affido_condiviso: Option<bool>,
    altro_genitore: Option<AltroGenitore>,
    ripartizione: Option<Ripartizione>,
}

impl Sezione {
    /// The section that an element opens; `Minori` and the like only gather, and open none.
    fn by_campo(campo: &str) -> Option<Self> {
        Some(match campo {
            "Domanda" => Self::Domanda,
            "Patronato" => Self::Patronato,
            "Mandato" => Self::Mandato,
            "Richiedente" => Self::Richiedente,
            "GenitoreTutelato" => Self::GenitoreTutelato,
            "Minore" => Self::Minore,
            "AltroGenitore" => Self::AltroGenitore,
            "Pagamento" => Self::Pagamento,
            "Dichiarazione" => Self::Dichiarazione,
            "Allegato" => Self::Allegato,
            _ => return None,
        })
    }
}

impl Lettore for LettoreAssegnoTemporaneo {
    fn apri(&mut self, campo: &str) {
        let Some(sezione) = Sezione::by_campo(campo) else {
            // An empty document is a document, whether or not its empty text is told: ALL-003 speaks of it.
            if campo == "Contenuto" {
                self.byte(campo, Originale::of(Bytes::new()));
            }
            return;
        };
        self.aperte.push(sezione);
        match sezione {
            Sezione::Minore => self.letta.minori.push(BozzaMinore::default()),
            Sezione::Dichiarazione => self.letta.dichiarazioni.push(BozzaDichiarazione::default()),
            Sezione::Allegato => self.letta.allegati.push(BozzaAllegato::default()),
            _ => {}
        }
    }

    fn valore(&mut self, campo: &str, testo: &str) {
        let letta = &mut self.letta;
        let minore = letta.minori.last_mut();
        let dichiarazione = letta.dichiarazioni.last_mut();
        let allegato = letta.allegati.last_mut();
        match (self.aperte.last().copied().unwrap_or(Sezione::Domanda), campo) {
            (Sezione::Domanda, "PresentataDa") => letta.presentata_da = PresentataDa::parse(testo),
            (Sezione::Domanda, _) => letta.assistenza.valore(campo, testo),
            (Sezione::Patronato, _) => letta.assistenza.patronato(campo, testo),
            (Sezione::Mandato, _) => letta.assistenza.mandato(campo, testo),
            (Sezione::Richiedente, _) => letta.richiedente.valore(campo, testo),

            (Sezione::GenitoreTutelato, "CodiceFiscale") => letta.genitore_tutelato = Some(testo.parse()),

            (Sezione::Minore, _) => {
                if let Some(minore) = minore {
                    minore.valore(campo, testo);
                }
            }
            (Sezione::AltroGenitore, "CodiceFiscale") => {
                if let Some(minore) = minore {
                    minore.altro_genitore = Some(AltroGenitore::Presente(testo.parse()));
                }
            }

            (Sezione::Pagamento, "Modalita") => letta.modalita = Modalita::parse(testo),
            (Sezione::Pagamento, "Iban") => letta.iban = Some(testo.parse()),
            (Sezione::Pagamento, "IntestatoRichiedente") => letta.intestato_richiedente = booleano(testo),

            (Sezione::Dichiarazione, _) => {
                if let Some(dichiarazione) = dichiarazione {
                    dichiarazione.valore(campo, testo);
                }
            }
            (Sezione::Allegato, _) => {
                if let Some(allegato) = allegato {
                    allegato.valore(campo, testo);
                }
            }
            // Not a field of ours: the form has its finding.
            _ => {}
        }
    }

    fn byte(&mut self, campo: &str, byte: Originale) {
        if let (Some(Sezione::Allegato), Some(allegato)) =
            (self.aperte.last(), self.letta.allegati.last_mut())
        {
            allegato.byte(campo, byte);
        }
    }

    fn chiudi(&mut self, campo: &str) {
        if let Some(sezione) = Sezione::by_campo(campo)
            && self.aperte.last() == Some(&sezione)
        {
            self.aperte.pop();
        }
    }

    fn istanza(self: Box<Self>) -> Option<Istanza> {
        Some(Istanza::Domanda(Box::new(self.assegno()?)))
    }
}

impl LettoreAssegnoTemporaneo {
    /// The domanda by its own type.
    pub(super) fn assegno(self) -> Option<AssegnoTemporaneo> {
        self.letta.domanda()
    }

    /// The child that was read last, where it came without a domanda.
    pub(super) fn minore(mut self) -> Option<Minore> {
        self.letta.minori.pop()?.minore()
    }

    /// The payment, where it came without a domanda.
    pub(super) fn pagamento(self) -> Option<PagamentoInviato> {
        self.letta.pagamento()
    }
}

impl Bozza {
    fn pagamento(self) -> Option<PagamentoInviato> {
        Some(PagamentoInviato {
            modalita: self.modalita?,
            iban: self.iban,
            intestato_richiedente: self.intestato_richiedente,
        })
    }

    fn domanda(self) -> Option<AssegnoTemporaneo> {
        Some(AssegnoTemporaneo {
            assistenza: self.assistenza.assistenza()?,
            richiedente: self.richiedente.richiedente()?,
            presentata_da: self.presentata_da?,
            genitore_tutelato: self.genitore_tutelato,
            minori: self
                .minori
                .into_iter()
                .map(BozzaMinore::minore)
                .collect::<Option<_>>()?,
            pagamento: PagamentoInviato {
                modalita: self.modalita?,
                iban: self.iban,
                intestato_richiedente: self.intestato_richiedente,
            },
            dichiarazioni: self
                .dichiarazioni
                .into_iter()
                .map(BozzaDichiarazione::dichiarazione)
                .collect::<Option<_>>()?,
            allegati: self
                .allegati
                .into_iter()
                .map(BozzaAllegato::allegato)
                .collect::<Option<_>>()?,
        })
    }
}

impl BozzaMinore {
    fn valore(&mut self, campo: &str, testo: &str) {
        match campo {
            "Qualita" => self.qualita = Qualita::parse(testo),
            "CodiceFiscale" => self.codice_fiscale = Some(testo.parse()),
            "DataNascita" => self.data_nascita = data(testo),
            "Disabile" => self.disabile = booleano(testo),
            "AffidoCondiviso" => self.affido_condiviso = booleano(testo),
            "AltroGenitoreAssente" => {
                self.altro_genitore = MotivoAssenza::parse(testo).map(AltroGenitore::Assente);
            }
            "Ripartizione" => self.ripartizione = Ripartizione::parse(testo),
            _ => {}
        }
    }

    fn minore(self) -> Option<Minore> {
        Some(Minore {
            qualita: self.qualita?,
            codice_fiscale: self.codice_fiscale?,
            data_nascita: self.data_nascita,
            disabile: self.disabile?,
            affido_condiviso: self.affido_condiviso?,
            altro_genitore: self.altro_genitore?,
            ripartizione: self.ripartizione?,
        })
    }
}

#[cfg(test)]
mod tests;
