//! What all domande share, whatever the prestazione: the folder of plain values that is registered, the context
//! in which rules look at it, and the reader through which a message becomes a domanda. Knows no XML and no SQL.

pub mod allegato;
pub mod atto;
pub mod bozza;
pub mod campione;
pub mod codelista;
pub mod codice_fiscale;
pub mod consultazione;
pub mod cursore;
pub mod dettagli;
pub mod dichiarazione;
pub mod elenco;
pub mod formato;
pub mod lettura;
pub mod lotto;
pub mod pagamento;
pub mod persona;
pub mod quadro;
pub mod regole;
pub mod sepa;
pub mod sha256;
pub mod stato;
pub mod violazione;

use jiff::Timestamp;
use jiff::civil::Date;

pub use allegato::Originale;
pub use atto::AttoSuDomanda;
pub use codice_fiscale::{CodiceFiscale, CodiceFiscaleErrato};
pub use dettagli::Dettagli;
pub use pagamento::{Iban, Pagamento};
pub use violazione::{Posizione, Violazione};

use self::persona::CodiceInviato;
use crate::patronato::{CodiceEnte, CodiceUfficio, UserId};
use crate::protocollo::{NumeroDomanda, data_a_roma};

/// The environment of an installation: each has its own store and its own numbers (design.md §2.16).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Ambiente {
    /// For trying: windows warn, the business clock can be moved.
    Sandbox,
    /// For qualification: windows warn, the business clock can be moved.
    Collaudo,
    /// For real: windows refuse, there is one clock.
    Produzione,
}

impl Ambiente {
    /// As configuration, receipts and the store spell it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Sandbox => "sandbox",
            Self::Collaudo => "collaudo",
            Self::Produzione => "produzione",
        }
    }
}

/// The patronato's block of a domanda, as it was sent: who hands in, and on which mandate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Assistenza {
    /// Date of the sender's own file, if told.
    pub data_pratica: Option<Date>,
    /// Code of the ente: should be the certificate's.
    pub codice_patronato: String,
    /// Code of the ufficio: should be Identity's.
    pub codice_ufficio: String,
    /// The operator: should be Identity's `UserId`.
    pub operatore: String,
    /// Number of the mandate of assistance.
    pub mandato_numero: String,
    /// Date of the mandate.
    pub mandato_data: Date,
}

/// The person who asks. Masked in `Debug`.
#[derive(Clone, PartialEq, Eq)]
pub struct Richiedente {
    /// Their codice fiscale.
    pub codice_fiscale: CodiceFiscale,
    /// Given name, as sent.
    pub nome: String,
    /// Family name, as sent.
    pub cognome: String,
    /// For notices.
    pub email: Option<String>,
    /// For notices.
    pub cellulare: Option<String>,
    /// For notices.
    pub indirizzo: Option<String>,
}

impl std::fmt::Debug for Richiedente {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Richiedente")
            .field("codice_fiscale", &self.codice_fiscale)
            .finish_non_exhaustive()
    }
}

/// A month of a year: `2021-07`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Mese {
    /// The year.
    pub anno: i16,
    /// 1 to 12.
    pub mese: i8,
}

impl std::fmt::Display for Mese {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:04}-{:02}", self.anno, self.mese)
    }
}

/// One child of a domanda: state and decorrenza are per sheet. The words are those of the XSD's codelists.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scheda {
    /// Place in the domanda, from 1.
    pub posto: u32,
    /// The child.
    pub codice_fiscale: CodiceFiscale,
    /// Date of birth, as sent (with a provisional codice fiscale) or as the codice fiscale tells.
    pub data_nascita: Option<Date>,
    /// In which quality the richiedente asks.
    pub qualita: &'static str,
    /// Whether the child is disabled.
    pub disabile: bool,
    /// Shared custody by a court.
    pub affido_condiviso: bool,
    /// The other parent, when there is one.
    pub altro_genitore: Option<CodiceFiscale>,
    /// Why there is none.
    pub altro_genitore_assente: Option<&'static str>,
    /// How the sum is split.
    pub ripartizione: &'static str,
    /// How to pay the other parent's half, where the domanda tells it.
    pub pagamento_altro_genitore: Option<PagamentoAltroGenitore>,
    /// The expected first month, where one can be told.
    pub decorrenza_presunta: Option<Mese>,
    /// The child asks for itself: the sheet takes the place of the live one that somebody else asked for, which
    /// becomes `SOSTITUITA` in the same transaction.
    pub subentra: bool,
    /// What only this prestazione knows of the sheet.
    pub dettagli: Dettagli,
}

/// How to pay the other parent's half of one sheet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PagamentoAltroGenitore {
    /// A word of the prestazione's codelist.
    pub modalita: &'static str,
    /// Where the modality has one.
    pub iban: Option<Iban>,
}

impl Scheda {
    /// Whether it takes the place of that live sheet of the same child.
    #[must_use]
    pub fn takes_place_of(&self, viva: &SchedaViva) -> bool {
        self.subentra && !viva.subentrata
    }
}

/// A declaration that was made (true, by then checked).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dichiarazione {
    /// `D1`…
    pub codice: &'static str,
    /// Version of its text in force when the domanda was presented.
    pub versione_testo: &'static str,
    /// The sub-choice, if sent.
    pub scelta: Option<&'static str>,
}

/// A document that came with a domanda or with an act.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Allegato {
    /// Its type, a word of the codelist.
    pub tipo: &'static str,
    /// The file name, as sent.
    pub nome_file: String,
    /// The MIME type, a word of the codelist.
    pub tipo_mime: &'static str,
    /// SHA-256 of the decoded bytes.
    pub impronta: [u8; 32],
    /// Length of the decoded bytes.
    pub bytes_len: u64,
    /// They themselves.
    pub originale: Originale,
}

/// What the store writes of a domanda: plain values, near to one struct a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fascicolo {
    /// Date of the sender's own file, if told.
    pub data_pratica: Option<Date>,
    /// Number of the mandate of assistance.
    pub mandato_numero: String,
    /// Date of the mandate.
    pub mandato_data: Date,
    /// Who asks.
    pub richiedente: Richiedente,
    /// In which quality: `GENITORE`, `TUTORE_DEL_GENITORE`, `FIGLIO_MAGGIORENNE`…
    pub presentata_da: &'static str,
    /// The parent under tutelage.
    pub genitore_tutelato: Option<CodiceFiscale>,
    /// How to pay.
    pub pagamento: Pagamento,
    /// One a child, in the order sent.
    pub schede: Vec<Scheda>,
    /// The declarations made.
    pub dichiarazioni: Vec<Dichiarazione>,
    /// The documents sent.
    pub allegati: Vec<Allegato>,
    /// What only this prestazione knows of the domanda.
    pub dettagli: Dettagli,
    /// Who may have no second live domanda beside it.
    pub avente: Option<Avente>,
    /// The subject of the registration (DPR 445/2000 art. 53 d): no health data, no codice fiscale.
    /// `{numero}` stands for the numero domanda, which is drawn with the registration.
    pub oggetto: String,
}

/// A child that already has a live sheet for the same prestazione.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SchedaViva {
    /// The child.
    pub codice_fiscale: CodiceFiscale,
    /// The state of that other sheet: all that may be told of it.
    pub stato: String,
    /// Whether the child itself asked for it ([`Scheda::subentra`]): nothing takes its place.
    pub subentrata: bool,
}

/// Of whom one domanda of a prestazione lives at a time, and in which qualities a domanda is theirs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Avente {
    /// The parent under tutelage, where the domanda names one; else who asks.
    pub codice_fiscale: CodiceFiscale,
    /// Words of `presentata_da`: domande in other qualities are not counted.
    pub qualita: &'static [&'static str],
}

/// A domanda of a [`Avente`] with at least one live sheet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DomandaViva {
    /// Which one: told to the ente that presented it, and to no other.
    pub numero: NumeroDomanda,
    /// Who presented it.
    pub ente: CodiceEnte,
}

/// All that rules may look at beside the domanda.
#[derive(Debug, Clone)]
pub struct Contesto<'a> {
    /// When the request had wholly come: governs windows, ages and decorrenza.
    pub presentata_il: Timestamp,
    /// Where we are.
    pub ambiente: Ambiente,
    /// Whose certificate it is. `None` offline (`varco validate`): the checks that need it are left out.
    pub ente: Option<&'a CodiceEnte>,
    /// From the header Identity; `None` offline.
    pub codice_ufficio: Option<&'a CodiceUfficio>,
    /// From the header Identity; `None` offline.
    pub user_id: Option<&'a UserId>,
    /// Live sheets of the children of this domanda; empty offline.
    pub schede_vive: &'a [SchedaViva],
    /// Live domande of its [`Avente`]; empty offline.
    pub domande_vive: &'a [DomandaViva],
    /// Bytes that one document may have.
    pub allegato_bytes_max: u64,
    /// Of a domanda that is there and is sent again as it shall be; `None` of a new one.
    pub pregresso: Option<&'a Pregresso>,
}

/// What a domanda that is there has behind it: `presentata_il` is then the day on which it was presented, not the day on
/// which it is sent again.
#[derive(Debug, Clone)]
pub struct Pregresso {
    /// When the request of now had wholly come: governs who sends and on which mandate, and which accounts are reached.
    pub trasmessa_il: Timestamp,
    /// The children who were added later, and when each was: that day governs their age and decorrenza.
    pub aggiunti: Vec<(CodiceFiscale, Timestamp)>,
}

impl Contesto<'_> {
    /// The day of presentation: the calendar's in Rome, whatever the hour in UTC.
    #[must_use]
    pub fn oggi(&self) -> Date {
        data_a_roma(self.presentata_il)
    }

    /// The day on which this very request came: another one than that of presentation when a domanda is sent again.
    #[must_use]
    pub fn oggi_di_chi_invia(&self) -> Date {
        self.pregresso
            .map_or_else(|| self.oggi(), |pregresso| data_a_roma(pregresso.trasmessa_il))
    }

    /// The day on which the sheet of a child was presented: the domanda's, or that on which the child was added.
    #[must_use]
    pub fn presentazione_di(&self, minore: &CodiceInviato) -> Date {
        self.pregresso
            .into_iter()
            .flat_map(|pregresso| &pregresso.aggiunti)
            .find(|(aggiunto, _)| minore.as_ref() == Ok(aggiunto))
            .map_or_else(|| self.oggi(), |(_, presentata_il)| data_a_roma(*presentata_il))
    }
}

/// What the rules said: all violations and all warnings, in the order of the domanda.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Esame {
    /// Each of them refuses.
    pub violazioni: Vec<Violazione>,
    /// None of them refuses.
    pub avvisi: Vec<Violazione>,
}

/// A domanda that has been read: well-formed and valid against its XSD, not yet looked at by the rules.
pub trait Domanda: Send + Sync + std::fmt::Debug {
    /// The children, for the look at live sheets.
    fn minori(&self) -> Vec<CodiceFiscale>;

    /// Who may have no second live domanda beside it, for the look at those; `None` where the prestazione knows no such
    /// rule, or it does not hold for this domanda.
    fn avente(&self) -> Option<Avente> {
        None
    }

    /// The finding for a live domanda of its [`Avente`], told to an ente: also when the store met it only while it
    /// registered.
    fn domanda_viva(&self, _viva: &DomandaViva, _ente: Option<&CodiceEnte>) -> Option<Violazione> {
        None
    }

    /// All rules of the prestazione, all findings at once.
    fn esamina(&self, contesto: &Contesto<'_>) -> Esame;

    /// The plain values to register, with the decorrenza of each sheet. `None` where an identifier cannot be read, which
    /// `esamina` refuses.
    fn fascicolo(&self, contesto: &Contesto<'_>) -> Option<Fascicolo>;

    /// Who hands in, on which mandate.
    fn assistenza(&self) -> &Assistenza;

    /// The path of a plain value of the fascicolo, by its name in [`quadro`]: of the domanda, or of its child at a place
    /// from 1.
    fn dove(&self, posto: Option<u32>, valore: &str) -> String;

    /// Its element names, brothers in the order of the XSD: the order in which findings are told.
    fn campi(&self) -> &'static [&'static str];
}

/// Builds what is handed in while the message is read. It is told of every element under the content element, in
/// document order, by local name, after whitespace was collapsed and references resolved; it knows no XML. On a message
/// with findings of form it may see anything, in any order, and must not panic; what it built is used only when there
/// are no findings of form.
pub trait Lettore: Send {
    /// An element began.
    fn apri(&mut self, campo: &str);
    /// An element with text content ended; called before [`Lettore::chiudi`], only for elements without children.
    fn valore(&mut self, campo: &str, testo: &str);
    /// An element whose content is bytes (`xs:base64Binary`) ended: they are decoded, however they came. Called in the
    /// place of [`Lettore::valore`].
    fn byte(&mut self, campo: &str, byte: Originale);
    /// An element ended.
    fn chiudi(&mut self, campo: &str);
    /// What was read, when all that the XSD demands was there.
    fn istanza(self: Box<Self>) -> Option<Istanza>;
}

/// What a patronato hands in, once it has been read.
#[derive(Debug)]
pub enum Istanza {
    /// A domanda.
    Domanda(Box<dyn Domanda>),
    /// An act about a domanda that is there.
    Atto(Box<dyn AttoSuDomanda>),
}

impl Istanza {
    /// The domanda, where it is one.
    #[must_use]
    pub fn domanda(self) -> Option<Box<dyn Domanda>> {
        match self {
            Self::Domanda(domanda) => Some(domanda),
            Self::Atto(_) => None,
        }
    }
}
