//! What is told by pages: a page, the rows of the feed of changes, and those of the list of domande with what may be
//! searched for.

use jiff::Timestamp;

use super::codelista::codelista;
use super::stato::{AzioneRichiesta, StatoDomanda};
use super::{CodiceFiscale, Mese};
use crate::patronato::CodiceUfficio;
use crate::protocollo::{NumeroDomanda, NumeroProtocollo};

/// How many rows a page has at most, whatever is asked for.
pub const RIGHE_MAX: u32 = 100;

/// Some rows of a list, in its order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pagina<R, P> {
    /// The rows.
    pub righe: Vec<R>,
    /// Where the next page goes on.
    pub posizione: P,
    /// Whether there is more by now.
    pub altre: bool,
}

/// From where the feed is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Inizio {
    /// What comes after a position; after 0, all.
    Dopo(u64),
    /// From the first change at or after an instant on.
    Dal(Timestamp),
}

/// One change of a domanda.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Variazione {
    /// Its place in the feed.
    pub cursore: u64,
    /// When.
    pub istante: Timestamp,
    /// Which kind: `REGISTRATA`, `ATTO`, `STATO`…
    pub tipo: String,
    /// Which domanda.
    pub numero_domanda: NumeroDomanda,
    /// Its protocol number.
    pub protocollo: NumeroProtocollo,
    /// The registration that is the cause, where one is.
    pub causa: Option<NumeroProtocollo>,
    /// Which sheet; none: the domanda as a whole.
    pub posto: Option<u32>,
    /// The new state.
    pub stato: Option<StatoDomanda>,
    /// What is asked of the sender from then on.
    pub azione_richiesta: Option<AzioneRichiesta>,
    /// Why: a sentence for the patronato.
    pub motivo: Option<String>,
}

codelista! {
    /// Which end of the list comes first.
    Ordine {
        /// The newest.
        DallaPiuRecente = "DALLA_PIU_RECENTE",
        /// The oldest.
        DallaMenoRecente = "DALLA_MENO_RECENTE",
    }
}

/// What is searched for among the domande of an ente: all that is set must hold, what is of a sheet of one and the same.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Filtro {
    /// Who asks.
    pub richiedente: Option<CodiceFiscale>,
    /// The child.
    pub minore: Option<CodiceFiscale>,
    /// Presented from this instant on.
    pub dal: Option<Timestamp>,
    /// Presented before this instant.
    pub prima_di: Option<Timestamp>,
    /// The state.
    pub stato: Option<StatoDomanda>,
    /// What is asked of the sender.
    pub azione_richiesta: Option<AzioneRichiesta>,
    /// The ufficio that presented it.
    pub codice_ufficio: Option<CodiceUfficio>,
    /// Which end comes first.
    pub ordine: Ordine,
}

impl Default for Filtro {
    /// Everything, the newest first.
    fn default() -> Self {
        Self {
            richiedente: None,
            minore: None,
            dal: None,
            prima_di: None,
            stato: None,
            azione_richiesta: None,
            codice_ufficio: None,
            ordine: Ordine::DallaPiuRecente,
        }
    }
}

impl Filtro {
    /// The same for equal searches, another for others: what a cursor of this search is bound to.
    #[must_use]
    pub fn in_words(&self) -> String {
        let istante = |istante: Option<Timestamp>| istante.map(|istante| istante.to_string());
        let testo = |testo: Option<&str>| testo.map(str::to_owned);
        let criteri = [
            testo(self.richiedente.as_ref().map(CodiceFiscale::as_str)),
            testo(self.minore.as_ref().map(CodiceFiscale::as_str)),
            istante(self.dal),
            istante(self.prima_di),
            testo(self.stato.map(StatoDomanda::as_str)),
            testo(self.azione_richiesta.map(AzioneRichiesta::as_str)),
            testo(self.codice_ufficio.as_ref().map(CodiceUfficio::as_str)),
            testo(Some(self.ordine.as_str())),
        ];
        // No value has a line's end in it.
        criteri.map(Option::unwrap_or_default).join("\n")
    }
}

/// Where a list of domande was left: the last one told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PostoInElenco {
    /// When it was presented.
    pub presentata_il: Timestamp,
    /// Its number.
    pub numero_domanda: NumeroDomanda,
}

/// A domanda of the list (spec/domain.md §5.3).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DomandaElencata {
    /// Its number.
    pub numero_domanda: NumeroDomanda,
    /// The protocol number by which the ente knows it.
    pub protocollo: NumeroProtocollo,
    /// When the ente presented it.
    pub presentata_il: Timestamp,
    /// From which ufficio.
    pub codice_ufficio: String,
    /// Who asks, where the ente is to know.
    pub richiedente: Option<CodiceFiscale>,
    /// In which quality.
    pub presentata_da: Option<String>,
    /// Whether that registration was annulled.
    pub annullata: bool,
    /// The sheets that the ente is to know, in order.
    pub schede: Vec<SchedaElencata>,
}

/// A sheet of the list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SchedaElencata {
    /// Place in the domanda, from 1.
    pub posto: u32,
    /// The child.
    pub codice_fiscale: CodiceFiscale,
    /// The other parent.
    pub altro_genitore: Option<CodiceFiscale>,
    /// Expected first month.
    pub decorrenza_presunta: Option<Mese>,
    /// Its state.
    pub stato: StatoDomanda,
    /// What is asked of the sender.
    pub azione_richiesta: AzioneRichiesta,
}
