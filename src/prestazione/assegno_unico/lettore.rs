//! From the fields of a message to an [`AssegnoUnico`], while the message is read. It follows the XSD's names and nothing
//! of its rules: a field that is not readable is a field that is not there, and a domanda that lacks one is no domanda.
//! On a message with findings of form it may be told anything, in any order.

use super::domanda::{
    Affidamento, AssegnoUnico, CodiceDichiarazione, CondizioneMaggiorenne, Disabilita, Figlio, Isee,
    Ripartizione, Ruolo, Scelta, SituazioneGenitori,
};
use super::pagamento::{
    Conto, Modalita, PagamentoAltroInviato, PagamentoInviato, QualitaIntestatario, Strumento,
};
use crate::domanda::Originale;
use crate::domanda::bozza::{BozzaAllegato, BozzaAssistenza, BozzaDichiarazione, BozzaRichiedente};
use crate::domanda::lettura::{anno, booleano, data};
use crate::domanda::pagamento::IbanErrato;
use crate::domanda::persona::{AltroGenitore, CodiceInviato, MotivoAssenza};
use crate::domanda::{Iban, Istanza, Lettore};
use bytes::Bytes;
use jiff::civil::Date;

/// Builds a domanda field by field.
#[derive(Default)]
pub struct LettoreAssegnoUnico {
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
    Figlio,
    AltroGenitore,
    Isee,
    Componente,
    PagamentoRichiedente,
    PagamentoAltroGenitore,
    Conto,
    Intestatario,
    Dichiarazione,
    Allegato,
}

/// What was read so far.
#[derive(Default)]
struct Bozza {
    assistenza: BozzaAssistenza,
    anno_competenza: Option<i16>,
    richiedente: BozzaRichiedente,
    ruolo: Option<Ruolo>,
    genitore_tutelato: Option<CodiceInviato>,
    figli: Vec<BozzaFiglio>,
    isee: Option<BozzaIsee>,
    nucleo: Vec<CodiceInviato>,
    anf_2021_percepito: Option<bool>,
    pagamento: BozzaPagamento,
    pagamenti_altri: Vec<BozzaPagamento>,
    dichiarazioni: Vec<BozzaDichiarazione<CodiceDichiarazione, Scelta>>,
    allegati: Vec<BozzaAllegato>,
}

#[derive(Default)]
struct BozzaFiglio {
    codice_fiscale: Option<CodiceInviato>,
    data_nascita: Option<Date>,
    nuova_nascita: Option<bool>,
    altro_genitore: Option<AltroGenitore>,
    situazione_genitori: Option<SituazioneGenitori>,
    affidamento: Option<Affidamento>,
    ripartizione: Option<Ripartizione>,
    disabilita: Option<Disabilita>,
    condizione_maggiorenne: Option<CondizioneMaggiorenne>,
    reddito_sotto_soglia: Option<bool>,
    a_carico: Option<bool>,
    madre_under_21: Option<bool>,
    entrambi_reddito_lavoro: Option<bool>,
}

#[derive(Default)]
struct BozzaIsee {
    presente: Option<bool>,
    protocollo_dsu: Option<String>,
}

/// A payment, of whomever: `codice_fiscale` is that of the other parent.
#[derive(Default)]
struct BozzaPagamento {
    codice_fiscale: Option<CodiceInviato>,
    modalita: Option<Modalita>,
    conto: Option<BozzaConto>,
}

#[derive(Default)]
struct BozzaConto {
    strumento: Option<Strumento>,
    iban: Option<Result<Iban, IbanErrato>>,
    intestatario: Option<QualitaIntestatario>,
    intestatario_codice: Option<CodiceInviato>,
}

impl Sezione {
    /// The section that an element opens; `Figli`, `Contatti` and the like only gather, and open none.
    fn by_campo(campo: &str) -> Option<Self> {
        Some(match campo {
            "Domanda" => Self::Domanda,
            "Patronato" => Self::Patronato,
            "Mandato" => Self::Mandato,
            "Richiedente" => Self::Richiedente,
            "GenitoreTutelato" => Self::GenitoreTutelato,
            "Figlio" => Self::Figlio,
            "AltroGenitore" => Self::AltroGenitore,
            "Isee" => Self::Isee,
            "Componente" => Self::Componente,
            "PagamentoRichiedente" => Self::PagamentoRichiedente,
            "PagamentoAltroGenitore" => Self::PagamentoAltroGenitore,
            "Conto" => Self::Conto,
            "Intestatario" => Self::Intestatario,
            "Dichiarazione" => Self::Dichiarazione,
            "Allegato" => Self::Allegato,
            _ => return None,
        })
    }
}

impl Lettore for LettoreAssegnoUnico {
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
            Sezione::Figlio => self.letta.figli.push(BozzaFiglio::default()),
            Sezione::Isee => self.letta.isee = Some(BozzaIsee::default()),
            Sezione::PagamentoAltroGenitore => self.letta.pagamenti_altri.push(BozzaPagamento::default()),
            Sezione::Conto => {
                if let Some(pagamento) = self.pagamento() {
                    pagamento.conto = Some(BozzaConto::default());
                }
            }
            Sezione::Dichiarazione => self.letta.dichiarazioni.push(BozzaDichiarazione::default()),
            Sezione::Allegato => self.letta.allegati.push(BozzaAllegato::default()),
            _ => {}
        }
    }

    fn valore(&mut self, campo: &str, testo: &str) {
        let sezione = self.aperte.last().copied().unwrap_or(Sezione::Domanda);
        if matches!(
            sezione,
            Sezione::PagamentoRichiedente
                | Sezione::PagamentoAltroGenitore
                | Sezione::Conto
                | Sezione::Intestatario
        ) {
            if let Some(pagamento) = self.pagamento() {
                pagamento.valore(sezione, campo, testo);
            }
            return;
        }
        let letta = &mut self.letta;
        match (sezione, campo) {
            (Sezione::Domanda, "AnnoCompetenza") => letta.anno_competenza = anno(testo),
            (Sezione::Domanda, "Anf2021Percepito") => letta.anf_2021_percepito = booleano(testo),
            (Sezione::Domanda, _) => letta.assistenza.valore(campo, testo),
            (Sezione::Patronato, _) => letta.assistenza.patronato(campo, testo),
            (Sezione::Mandato, _) => letta.assistenza.mandato(campo, testo),
            (Sezione::Richiedente, "Ruolo") => letta.ruolo = Ruolo::parse(testo),
            (Sezione::Richiedente, _) => letta.richiedente.valore(campo, testo),
            (Sezione::GenitoreTutelato, "CodiceFiscale") => letta.genitore_tutelato = Some(testo.parse()),
            (Sezione::Figlio, _) => {
                if let Some(figlio) = letta.figli.last_mut() {
                    figlio.valore(campo, testo);
                }
            }
            (Sezione::AltroGenitore, "CodiceFiscale") => {
                if let Some(figlio) = letta.figli.last_mut() {
                    figlio.altro_genitore = Some(AltroGenitore::Presente(testo.parse()));
                }
            }
            (Sezione::Isee, _) => {
                if let Some(isee) = &mut letta.isee {
                    isee.valore(campo, testo);
                }
            }
            (Sezione::Componente, "CodiceFiscale") => letta.nucleo.push(testo.parse()),
            (Sezione::Dichiarazione, _) => {
                if let Some(dichiarazione) = letta.dichiarazioni.last_mut() {
                    dichiarazione.valore(campo, testo);
                }
            }
            (Sezione::Allegato, _) => {
                if let Some(allegato) = letta.allegati.last_mut() {
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

impl LettoreAssegnoUnico {
    /// The domanda by its own type.
    pub(super) fn assegno(self) -> Option<AssegnoUnico> {
        self.letta.domanda()
    }

    /// The child that was read last, where it came without a domanda, and the payment of its other parent; `None` where
    /// one of them is not whole.
    pub(super) fn figlio(mut self) -> Option<(Figlio, Option<PagamentoAltroInviato>)> {
        let figlio = self.letta.figli.pop()?.figlio()?;
        let pagamento = match self.letta.pagamenti_altri.pop() {
            Some(pagamento) => Some(pagamento.pagamento_altro()?),
            None => None,
        };
        Some((figlio, pagamento))
    }

    /// The payment of an other parent, where it came without a domanda.
    pub(super) fn altra_meta(mut self) -> Option<PagamentoAltroInviato> {
        self.letta.pagamenti_altri.pop()?.pagamento_altro()
    }

    /// The payment that is being read: the last other parent's inside of one, else the richiedente's.
    fn pagamento(&mut self) -> Option<&mut BozzaPagamento> {
        if self.aperte.contains(&Sezione::PagamentoAltroGenitore) {
            self.letta.pagamenti_altri.last_mut()
        } else {
            Some(&mut self.letta.pagamento)
        }
    }
}

impl Bozza {
    fn domanda(self) -> Option<AssegnoUnico> {
        Some(AssegnoUnico {
            assistenza: self.assistenza.assistenza()?,
            anno_competenza: self.anno_competenza,
            richiedente: self.richiedente.richiedente()?,
            ruolo: self.ruolo?,
            genitore_tutelato: self.genitore_tutelato,
            figli: self
                .figli
                .into_iter()
                .map(BozzaFiglio::figlio)
                .collect::<Option<_>>()?,
            isee: match self.isee {
                Some(isee) => Some(isee.isee()?),
                None => None,
            },
            nucleo: self.nucleo,
            anf_2021_percepito: self.anf_2021_percepito,
            pagamento: self.pagamento.pagamento()?,
            pagamenti_altri: self
                .pagamenti_altri
                .into_iter()
                .map(BozzaPagamento::pagamento_altro)
                .collect::<Option<_>>()?,
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

impl BozzaFiglio {
    fn valore(&mut self, campo: &str, testo: &str) {
        match campo {
            "CodiceFiscale" => self.codice_fiscale = Some(testo.parse()),
            "DataNascita" => self.data_nascita = data(testo),
            "NuovaNascita" => self.nuova_nascita = booleano(testo),
            "AltroGenitoreAssente" => {
                self.altro_genitore = MotivoAssenza::parse(testo).map(AltroGenitore::Assente);
            }
            "SituazioneGenitori" => self.situazione_genitori = SituazioneGenitori::parse(testo),
            "Affidamento" => self.affidamento = Affidamento::parse(testo),
            "Ripartizione" => self.ripartizione = Ripartizione::parse(testo),
            "Disabilita" => self.disabilita = Disabilita::parse(testo),
            "CondizioneMaggiorenne" => self.condizione_maggiorenne = CondizioneMaggiorenne::parse(testo),
            "RedditoSottoSoglia" => self.reddito_sotto_soglia = booleano(testo),
            "ACarico" => self.a_carico = booleano(testo),
            "MadreUnder21" => self.madre_under_21 = booleano(testo),
            "EntrambiRedditoLavoro" => self.entrambi_reddito_lavoro = booleano(testo),
            _ => {}
        }
    }

    fn figlio(self) -> Option<Figlio> {
        Some(Figlio {
            codice_fiscale: self.codice_fiscale?,
            data_nascita: self.data_nascita,
            nuova_nascita: self.nuova_nascita,
            altro_genitore: self.altro_genitore,
            situazione_genitori: self.situazione_genitori?,
            affidamento: self.affidamento,
            ripartizione: self.ripartizione?,
            disabilita: self.disabilita?,
            condizione_maggiorenne: self.condizione_maggiorenne,
            reddito_sotto_soglia: self.reddito_sotto_soglia,
            a_carico: self.a_carico?,
            madre_under_21: self.madre_under_21,
            entrambi_reddito_lavoro: self.entrambi_reddito_lavoro,
        })
    }
}

impl BozzaIsee {
    fn valore(&mut self, campo: &str, testo: &str) {
        match campo {
            "Presente" => self.presente = booleano(testo),
            "ProtocolloDSU" => self.protocollo_dsu = Some(testo.to_owned()),
            _ => {}
        }
    }

    fn isee(self) -> Option<Isee> {
        Some(Isee {
            presente: self.presente?,
            protocollo_dsu: self.protocollo_dsu,
        })
    }
}

impl BozzaPagamento {
    fn valore(&mut self, sezione: Sezione, campo: &str, testo: &str) {
        match (sezione, campo, &mut self.conto) {
            (Sezione::PagamentoAltroGenitore, "CodiceFiscale", _) => {
                self.codice_fiscale = Some(testo.parse());
            }
            (Sezione::PagamentoRichiedente | Sezione::PagamentoAltroGenitore, "Modalita", _) => {
                self.modalita = Modalita::parse(testo);
            }
            (Sezione::Conto, "Strumento", Some(conto)) => conto.strumento = Strumento::parse(testo),
            (Sezione::Conto, "Iban", Some(conto)) => conto.iban = Some(testo.parse()),
            (Sezione::Intestatario, "Qualita", Some(conto)) => {
                conto.intestatario = QualitaIntestatario::parse(testo);
            }
            (Sezione::Intestatario, "CodiceFiscale", Some(conto)) => {
                conto.intestatario_codice = Some(testo.parse());
            }
            _ => {}
        }
    }

    fn pagamento(self) -> Option<PagamentoInviato> {
        Some(PagamentoInviato {
            modalita: self.modalita?,
            conto: match self.conto {
                Some(conto) => Some(conto.conto()?),
                None => None,
            },
        })
    }

    fn pagamento_altro(mut self) -> Option<PagamentoAltroInviato> {
        Some(PagamentoAltroInviato {
            codice_fiscale: self.codice_fiscale.take()?,
            pagamento: self.pagamento()?,
        })
    }
}

impl BozzaConto {
    fn conto(self) -> Option<Conto> {
        Some(Conto {
            strumento: self.strumento?,
            iban: self.iban?,
            intestatario: self.intestatario?,
            intestatario_codice: self.intestatario_codice?,
        })
    }
}

#[cfg(test)]
mod tests;
