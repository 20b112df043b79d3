//! Acts about a domanda that is there: what they all share, whatever the prestazione. An act names its domanda, is held
//! by the rules against the domanda as it is now, and says what it changes. It knows no XML and no SQL: the store applies
//! what it says, and only while the domanda is still the one that the rules saw.

pub mod bozza;
pub mod rinuncia;

use jiff::civil::Date;

use super::consultazione::{DomandaConsultata, Riferimento, SchedaConsultata};
use super::regole::percorso_di;
use super::stato::{Azione, AzioneRichiesta, StatoDomanda};
use super::{Assistenza, CodiceFiscale, Contesto, Dettagli, Esame, Richiedente, Violazione};
use crate::catalogo::Codice;
use crate::prestazione::Operazione;
use crate::protocollo::NumeroDomanda;
use crate::ricevuta::SchedaRicevuta;

/// An act that has been read: well-formed and valid against its XSD, not yet looked at by the rules.
pub trait AttoSuDomanda: Send + Sync + std::fmt::Debug {
    /// Which domanda it is about.
    fn riferimento(&self) -> &Riferimento;

    /// All rules, all findings at once, against the domanda as it is now. Offline (`varco validate`) there is none, and
    /// the checks that need it are left out.
    fn esamina(&self, contesto: &Contesto<'_>, attuale: Option<&DomandaConsultata>) -> Esame;

    /// The plain values to register: after an `esamina` without violations, with the same domanda and context.
    fn seguito(&self, contesto: &Contesto<'_>, attuale: &DomandaConsultata) -> Seguito;
}

/// What the store writes of an act: plain values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seguito {
    /// The domanda.
    pub numero_domanda: NumeroDomanda,
    /// The state of it that the rules saw: in any other the act is not registered.
    pub versione: u64,
    /// Date of the sender's own file, if told.
    pub data_pratica: Option<Date>,
    /// Number of the mandate of assistance.
    pub mandato_numero: String,
    /// Date of the mandate.
    pub mandato_data: Date,
    /// Who asked for the domanda.
    pub richiedente: Richiedente,
    /// The subject of the registration (DPR 445/2000 art. 53 d): no health data, no codice fiscale.
    pub oggetto: String,
    /// What changes, in the order in which the feed tells it.
    pub effetti: Vec<Effetto>,
    /// The sheets that it touches, as the receipt lists them.
    pub schede: Vec<SchedaRicevuta>,
    /// What the receipt says about the next steps.
    pub prossimi_passi: &'static str,
    /// What the engine reads of the act.
    pub dettagli: Dettagli,
}

/// One change that an act makes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Effetto {
    /// A sheet moves to a state.
    Stato {
        /// Which.
        posto: u32,
        /// To where. The database knows the moves that are allowed, and refuses any other.
        stato: StatoDomanda,
        /// What is then asked of the sender.
        azione: AzioneRichiesta,
        /// Its child, where that is free for another domanda from then on.
        libera: Option<CodiceFiscale>,
    },
}

impl Seguito {
    /// An act that changes nothing yet.
    #[must_use]
    pub fn of(
        attuale: &DomandaConsultata,
        assistenza: &Assistenza,
        oggetto: String,
        prossimi_passi: &'static str,
    ) -> Self {
        Self {
            numero_domanda: attuale.registrata.numero_domanda,
            versione: attuale.versione,
            data_pratica: assistenza.data_pratica,
            mandato_numero: assistenza.mandato_numero.clone(),
            mandato_data: assistenza.mandato_data,
            richiedente: attuale.richiedente.clone(),
            oggetto,
            effetti: Vec::new(),
            schede: Vec::new(),
            prossimi_passi,
            dettagli: Dettagli::default(),
        }
    }

    /// The same with a sheet that moves, and stands in the receipt.
    #[must_use]
    pub fn moving(mut self, scheda: &SchedaConsultata, stato: StatoDomanda, azione: AzioneRichiesta) -> Self {
        let libera = scheda.stato.is_live() && !stato.is_live();
        self.effetti.push(Effetto::Stato {
            posto: scheda.posto,
            stato,
            azione,
            libera: libera.then(|| scheda.codice_fiscale.clone()),
        });
        self.schede.push(SchedaRicevuta {
            posto: scheda.posto,
            codice_fiscale: scheda.codice_fiscale.clone(),
            decorrenza_presunta: scheda.decorrenza_presunta.filter(|_| stato.is_live()),
        });
        self
    }

    /// The children that are free from then on.
    pub fn liberati(&self) -> impl Iterator<Item = &CodiceFiscale> {
        self.effetti.iter().filter_map(|effetto| match effetto {
            Effetto::Stato { libera, .. } => libera.as_ref(),
        })
    }
}

/// STA-001, STA-002: the sheet at a place, where there is one and its state allows this; else why not. `dove` is the path
/// that names the place.
pub fn scheda_che_ammette(
    attuale: &DomandaConsultata,
    posto: u32,
    operazione: Operazione,
    azione: Azione,
    dove: String,
) -> Result<&SchedaConsultata, Violazione> {
    let scheda = attuale
        .schede
        .iter()
        .find(|scheda| scheda.posto == posto)
        .ok_or_else(|| Violazione::at(Codice::Sta002, &dove).with("posto", posto))?;
    if scheda.stato.allows(azione) {
        return Ok(scheda);
    }
    Err(Violazione::at(Codice::Sta001, dove)
        .with("posto", posto)
        .with("stato", scheda.stato.as_str())
        .with("operazione", operazione.nome())
        .with("ammesse", ammesse(scheda.stato)))
}

/// What this contract offers for a sheet in a state, by the names of its operations.
fn ammesse(stato: StatoDomanda) -> String {
    let mut nomi: Vec<&str> = stato.azioni().iter().map(|azione| azione.operazione()).collect();
    nomi.retain(|nome| Operazione::by_nome(nome).is_some());
    nomi.dedup();
    nomi.push(Operazione::ConsultaDomanda.nome());
    nomi.join(", ")
}

/// The path of a field of an act, whose element is the service's and whose fields are everybody's:
/// `percorso("at", "Rinuncia", &["Schede", "Scheda[2]"])` is `/at:Rinuncia/coop:Schede/coop:Scheda[2]`.
#[must_use]
pub fn percorso(prefisso: &str, elemento: &str, campi: &[&str]) -> String {
    percorso_di(&format!("{prefisso}:{elemento}"), "coop", campi)
}
