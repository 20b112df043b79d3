//! `CompletaSecondoGenitore`: the other parent of one child says how the sum is split and how to pay their half, now or
//! again later (spec/domain.md §3 AT-4, §4 AU-3, AU-4, §5.2). Any patronato with that parent's mandate may send it. It
//! names domanda, child and parent; all three must match one sheet, else the answer is that for an unknown domanda,
//! whichever of them was wrong.

use std::fmt;

use jiff::civil::Date;

use super::bozza::BozzaAtto;
use super::{AttoSuDomanda, Effetto, Seguito, percorso, scheda_che_ammette};
use crate::catalogo::Codice;
use crate::domanda::Originale;
use crate::domanda::consultazione::{Corrispondenza, DomandaConsultata, Riferimento, SchedaConsultata};
use crate::domanda::persona::CodiceInviato;
use crate::domanda::quadro::Quadro;
use crate::domanda::regole::{self as comuni, Vigenza, letto, percorso_di};
use crate::domanda::stato::{Azione, AzioneRichiesta};
use crate::domanda::{
    Assistenza, Contesto, Dettagli, Esame, Istanza, Lettore, Mese, PagamentoAltroGenitore, Richiedente,
    Violazione,
};
use crate::prestazione::Operazione;
use crate::ricevuta::SchedaRicevuta;

/// The split and the payment of the half, in the words of one prestazione.
pub trait Meta: Send + Sync {
    /// How the sum is split.
    fn ripartizione(&self) -> &'static str;

    /// Whether that gives half to the second parent.
    fn is_divisa(&self) -> bool;

    /// Whether the sheet is split so already, by its own word.
    fn was_divisa(&self, ripartizione: &str) -> bool;

    /// How the half is paid, to register; `None` where it is not told, or cannot be read.
    fn pagamento(&self) -> Option<PagamentoAltroGenitore>;

    /// What only this prestazione knows of it.
    fn dettagli(&self) -> Dettagli;

    /// The rules of the prestazione: those of the payment, and with the sheet at that place of the domanda what it lets.
    /// `dove` makes the path of a field of the service.
    fn esamina(
        &self,
        secondo: &CodiceInviato,
        scheda: Option<(&Quadro, u32)>,
        contesto: &Contesto<'_>,
        dove: &dyn Fn(&[&str]) -> String,
    ) -> Vec<Violazione>;
}

/// Builds a [`Meta`] field by field: it is told of `Ripartizione`, and of all that stands in the element of the payment.
pub trait LettoreMeta: Send {
    /// An element began.
    fn apri(&mut self, campo: &str);
    /// A field ended.
    fn valore(&mut self, campo: &str, testo: &str);
    /// An element ended.
    fn chiudi(&mut self, campo: &str);
    /// What was read, when all that the XSD demands was there.
    fn meta(self: Box<Self>) -> Option<Box<dyn Meta>>;
}

/// The reader of a prestazione whose payment is read by the reader `L` of its domanda.
pub struct LettoreConPagamento<L> {
    ripartizione: String,
    pagamento: Option<L>,
    letta: Letta<L>,
}

/// Makes the half of the split as sent, and of the payment where there is one.
type Letta<L> = fn(&str, Option<L>) -> Option<Box<dyn Meta>>;

impl<L> LettoreConPagamento<L> {
    /// A fresh one.
    #[must_use]
    pub fn new(letta: Letta<L>) -> Self {
        Self {
            ripartizione: String::new(),
            pagamento: None,
            letta,
        }
    }
}

impl<L: Lettore + Default> LettoreMeta for LettoreConPagamento<L> {
    fn apri(&mut self, campo: &str) {
        self.pagamento.get_or_insert_default().apri(campo);
    }

    fn valore(&mut self, campo: &str, testo: &str) {
        match &mut self.pagamento {
            Some(pagamento) => pagamento.valore(campo, testo),
            None if campo == "Ripartizione" => testo.clone_into(&mut self.ripartizione),
            None => {}
        }
    }

    fn chiudi(&mut self, campo: &str) {
        if let Some(pagamento) = &mut self.pagamento {
            pagamento.chiudi(campo);
        }
    }

    fn meta(self: Box<Self>) -> Option<Box<dyn Meta>> {
        (self.letta)(&self.ripartizione, self.pagamento)
    }
}

/// The second parent, as sent.
struct SecondoGenitore {
    codice_fiscale: CodiceInviato,
    nome: String,
    cognome: String,
}

/// The act, as it was sent.
pub struct Completamento {
    /// The documented prefix of the service.
    prefisso: &'static str,
    /// The prestazione's name for people.
    titolo: &'static str,
    riferimento: Riferimento,
    assistenza: Assistenza,
    figlio: CodiceInviato,
    secondo: SecondoGenitore,
    meta: Box<dyn Meta>,
}

impl AttoSuDomanda for Completamento {
    fn riferimento(&self) -> &Riferimento {
        &self.riferimento
    }

    fn by_second_parent(&self) -> Option<Option<Corrispondenza>> {
        let corrispondenza = letto(&self.figlio).zip(letto(&self.secondo.codice_fiscale));
        Some(corrispondenza.map(|(figlio, secondo_genitore)| Corrispondenza {
            riferimento: self.riferimento.clone(),
            figlio,
            secondo_genitore,
        }))
    }

    fn esamina(&self, contesto: &Contesto<'_>, attuale: Option<&DomandaConsultata>) -> Esame {
        let oggi: Date = contesto.oggi();
        let al = |campi: &[&str]| percorso(self.prefisso, ELEMENTO, campi);
        let del_servizio = |campi: &[&str]| {
            let elemento = format!("{}:{ELEMENTO}", self.prefisso);
            percorso_di(&elemento, self.prefisso, campi)
        };
        let mut trovate = comuni::assistenza_al(&self.assistenza, al, contesto, oggi);
        trovate.extend(comuni::codice_fiscale(&self.figlio, || al(&["Figlio"]), oggi));
        let al_secondo = || al(&["SecondoGenitore", "CodiceFiscale"]);
        let codice = &self.secondo.codice_fiscale;
        trovate.extend(comuni::codice_fiscale(codice, al_secondo, oggi));

        let scheda = attuale.and_then(|attuale| attuale.schede.first());
        if let (Some(attuale), Some(scheda)) = (attuale, scheda) {
            let (operazione, azione) = (
                Operazione::CompletaSecondoGenitore,
                Azione::CompletareSecondoGenitore,
            );
            let ammessa = scheda_che_ammette(attuale, scheda.posto, operazione, azione, al(&["Figlio"]));
            trovate.extend(ammessa.err());
        }
        let quadro = attuale
            .and_then(|attuale| attuale.quadro.as_ref())
            .zip(scheda.map(|scheda| scheda.posto));
        trovate.extend(self.meta.esamina(codice, quadro, contesto, &del_servizio));
        comuni::pesa(trovate, oggi, |_| Vigenza::SEMPRE, CAMPI)
    }

    fn seguito(&self, contesto: &Contesto<'_>, attuale: &DomandaConsultata) -> Seguito {
        let oggetto = format!(
            "{} - secondo genitore di una scheda della domanda n. {}",
            self.titolo, attuale.registrata.numero_domanda.0
        );
        let mut seguito = Seguito::of(attuale, &self.assistenza, oggetto, PROSSIMI_PASSI);
        // Who is assisted is the second parent: of the richiedente this registration tells nothing.
        if let Some(codice_fiscale) = letto(&self.secondo.codice_fiscale) {
            seguito.richiedente = Richiedente {
                codice_fiscale,
                nome: self.secondo.nome.clone(),
                cognome: self.secondo.cognome.clone(),
                email: None,
                cellulare: None,
                indirizzo: None,
            };
        }
        let Some(scheda) = attuale.schede.first() else {
            return seguito;
        };
        let dal = self.dal(contesto, attuale, scheda);
        seguito.dettagli = self
            .meta
            .dettagli()
            .with("posto", i64::from(scheda.posto))
            .with("ripartizione", self.meta.ripartizione())
            .with_option("dal", dal.map(|mese| mese.to_string()));
        seguito.schede.push(SchedaRicevuta {
            posto: scheda.posto,
            codice_fiscale: scheda.codice_fiscale.clone(),
            decorrenza_presunta: dal,
        });
        seguito.effetti.push(Effetto::Ripartizione {
            posto: scheda.posto,
            ripartizione: self.meta.ripartizione(),
            pagamento: self.meta.pagamento(),
            dal,
            azione: match scheda.azione_richiesta {
                AzioneRichiesta::IntegrareAltroGenitore => AzioneRichiesta::Nessuna,
                altra => altra,
            },
        });
        seguito
    }
}

impl Completamento {
    /// AU-4: what changes runs from the month after it was told. A half that was there, and is only paid otherwise, goes
    /// on as it ran.
    fn dal(
        &self,
        contesto: &Contesto<'_>,
        attuale: &DomandaConsultata,
        scheda: &SchedaConsultata,
    ) -> Option<Mese> {
        let valori = attuale
            .quadro
            .as_ref()
            .and_then(|quadro| quadro.scheda(scheda.posto))
            .map(|scheda| &scheda.valori);
        let era_divisa = valori
            .and_then(|valori| valori.testo("ripartizione"))
            .is_some_and(|ripartizione| self.meta.was_divisa(ripartizione));
        let era_pagata = valori.is_some_and(|valori| valori.testo("altro_genitore_modalita").is_some());
        let resta = era_divisa == self.meta.is_divisa() && (era_pagata || !era_divisa);
        (!resta).then(|| mese_dopo(contesto.oggi()))
    }
}

fn mese_dopo(giorno: Date) -> Mese {
    match giorno.month() {
        12 => Mese {
            anno: giorno.year() + 1,
            mese: 1,
        },
        mese => Mese {
            anno: giorno.year(),
            mese: mese + 1,
        },
    }
}

impl fmt::Debug for Completamento {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Completamento")
            .field("riferimento", &self.riferimento)
            .finish_non_exhaustive()
    }
}

/// SEC-001, SEC-002: the payment of the half goes with a half, and with nothing else.
#[must_use]
pub fn pagamento_con_la_meta(
    is_divisa: bool,
    pagamento: bool,
    ripartizione: &'static str,
    alla_ripartizione: String,
    al_pagamento: String,
) -> Option<Violazione> {
    match (is_divisa, pagamento) {
        (true, false) => {
            Some(Violazione::at(Codice::Sec001, alla_ripartizione).with("ripartizione", ripartizione))
        }
        (false, true) => {
            Some(Violazione::at(Codice::Sec002, al_pagamento).with("ripartizione", ripartizione))
        }
        (true, true) | (false, false) => None,
    }
}

/// The content of the operation.
const ELEMENTO: &str = "Completamento";

/// What the receipt says about the next steps.
const PROSSIMI_PASSI: &str = "La ripartizione e il pagamento della quota del secondo genitore sono registrati: ciò che cambia \
                              vale dal mese seguente a questa comunicazione. Lo stato della scheda e i pagamenti della \
                              quota si leggono con ConsultaDomanda e con ElencoVariazioni; la scelta si può cambiare in \
                              ogni momento con un altro CompletaSecondoGenitore.";

/// The elements of `Completamento` in both services, brothers in the order of the XSD.
const CAMPI: &[&str] = &[
    "Completamento",
    "Riferimento",
    "DataPratica",
    "Patronato",
    "Codice",
    "Ufficio",
    "Operatore",
    "Mandato",
    "Numero",
    "Data",
    "Figlio",
    "SecondoGenitore",
    "Ripartizione",
    "Pagamento",
    "PagamentoAltroGenitore",
    "CodiceFiscale",
    "Modalita",
    "Iban",
    "IntestatoRichiedente",
    "Conto",
    "Strumento",
    "Intestatario",
    "Qualita",
];

/// Builds a [`Completamento`] field by field.
pub struct LettoreCompletamento {
    prefisso: &'static str,
    titolo: &'static str,
    dentro: Option<Sezione>,
    atto: BozzaAtto,
    figlio: Option<CodiceInviato>,
    codice_fiscale: Option<CodiceInviato>,
    nome: Option<String>,
    cognome: Option<String>,
    meta: Box<dyn LettoreMeta>,
}

/// An element with children whose fields are not those of every act.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sezione {
    SecondoGenitore,
    Pagamento,
}

impl Sezione {
    fn by_campo(campo: &str) -> Option<Self> {
        match campo {
            "SecondoGenitore" => Some(Self::SecondoGenitore),
            "Pagamento" | "PagamentoAltroGenitore" => Some(Self::Pagamento),
            _ => None,
        }
    }
}

impl LettoreCompletamento {
    /// For a service with this prefix and this name for people, whose own fields `meta` reads.
    #[must_use]
    pub fn new(prefisso: &'static str, titolo: &'static str, meta: Box<dyn LettoreMeta>) -> Self {
        Self {
            prefisso,
            titolo,
            dentro: None,
            atto: BozzaAtto::default(),
            figlio: None,
            codice_fiscale: None,
            nome: None,
            cognome: None,
            meta,
        }
    }
}

impl Lettore for LettoreCompletamento {
    fn apri(&mut self, campo: &str) {
        self.dentro = self.dentro.or_else(|| Sezione::by_campo(campo));
        match self.dentro {
            None => self.atto.apri(campo),
            Some(Sezione::SecondoGenitore) => {}
            Some(Sezione::Pagamento) => self.meta.apri(campo),
        }
    }

    fn valore(&mut self, campo: &str, testo: &str) {
        match (self.dentro, campo) {
            (None, "Figlio") => self.figlio = Some(testo.parse()),
            (None, "Ripartizione") | (Some(Sezione::Pagamento), _) => self.meta.valore(campo, testo),
            (None, _) => self.atto.valore(campo, testo),
            (Some(Sezione::SecondoGenitore), "CodiceFiscale") => self.codice_fiscale = Some(testo.parse()),
            (Some(Sezione::SecondoGenitore), "Nome") => self.nome = Some(testo.to_owned()),
            (Some(Sezione::SecondoGenitore), "Cognome") => self.cognome = Some(testo.to_owned()),
            // Not a field of ours: the form has its finding.
            (Some(Sezione::SecondoGenitore), _) => {}
        }
    }

    fn byte(&mut self, _campo: &str, _byte: Originale) {}

    fn chiudi(&mut self, campo: &str) {
        match self.dentro {
            None => self.atto.chiudi(campo),
            Some(Sezione::SecondoGenitore) => {}
            Some(Sezione::Pagamento) => self.meta.chiudi(campo),
        }
        if self.dentro.is_some() && self.dentro == Sezione::by_campo(campo) {
            self.dentro = None;
        }
    }

    fn istanza(self: Box<Self>) -> Option<Istanza> {
        let (riferimento, assistenza) = self.atto.atto()?;
        Some(Istanza::Atto(Box::new(Completamento {
            prefisso: self.prefisso,
            titolo: self.titolo,
            riferimento,
            assistenza,
            figlio: self.figlio?,
            secondo: SecondoGenitore {
                codice_fiscale: self.codice_fiscale?,
                nome: self.nome?,
                cognome: self.cognome?,
            },
            meta: self.meta.meta()?,
        })))
    }
}
