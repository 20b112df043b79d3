//! Acts about a domanda that is there: what they all share, whatever the prestazione. An act names its domanda, is held
//! by the rules against the domanda as it is now, and says what it changes. It knows no XML and no SQL: the store applies
//! what it says, and only while the domanda is still the one that the rules saw.

pub mod aggiunta;
pub mod bozza;
pub mod completamento;
pub mod documento;
pub mod modifica;
pub mod riesame;
pub mod rinuncia;

use jiff::civil::Date;

use super::consultazione::{Corrispondenza, DomandaConsultata, Riferimento, SchedaConsultata};
use super::quadro::Valori;
use super::regole::percorso_di;
use super::stato::{Azione, AzioneRichiesta, StatoDomanda};
use super::{
    Allegato, Assistenza, Avente, CodiceFiscale, Contesto, Dettagli, DomandaViva, Esame, Mese,
    PagamentoAltroGenitore, Richiedente, Scheda, SchedaViva, Violazione,
};
use crate::catalogo::Codice;
use crate::patronato::CodiceEnte;
use crate::prestazione::Operazione;
use crate::protocollo::NumeroDomanda;
use crate::ricevuta::SchedaRicevuta;

/// An act that has been read: well-formed and valid against its XSD, not yet looked at by the rules.
pub trait AttoSuDomanda: Send + Sync + std::fmt::Debug {
    /// Which domanda it is about.
    fn riferimento(&self) -> &Riferimento;

    /// Whether it must see all the plain values of the domanda ([`DomandaConsultata::quadro`]), and not its state alone.
    fn wants_quadro(&self) -> bool {
        false
    }

    /// Of an act by the second parent: what must match one sheet, of whichever ente; nothing in it where a codice fiscale
    /// cannot be read. `None` = the act of the ente that presented the domanda.
    fn by_second_parent(&self) -> Option<Option<Corrispondenza>> {
        None
    }

    /// The children whom it brings, for the look at live sheets.
    fn minori(&self) -> Vec<CodiceFiscale> {
        Vec::new()
    }

    /// The finding for a child whom it brings, whose live sheet the store met only while it registered.
    fn scheda_viva(&self, _: &SchedaViva) -> Option<Violazione> {
        None
    }

    /// Whose domanda it makes this one, where it was not theirs before and one of them lives at a time.
    fn nuovo_avente(&self, _: &DomandaConsultata) -> Option<Avente> {
        None
    }

    /// The finding for another live domanda of theirs, told to an ente: for when the store met it only while it
    /// registered.
    fn domanda_viva(&self, _: &DomandaViva, _: Option<&CodiceEnte>) -> Option<Violazione> {
        None
    }

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
    /// The ente that presented it: whom the feed tells. Another one that sends the act sees its sheet from then on.
    pub ente: CodiceEnte,
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
    /// Whose domanda it becomes, where it was not theirs before: they may have no second live one beside it.
    pub nuovo_avente: Option<Avente>,
    /// What the receipt says about the next steps.
    pub prossimi_passi: &'static str,
    /// The documents that it brings.
    pub allegati: Vec<Allegato>,
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
    /// A sheet more. Its child must have no live one.
    Scheda(Box<Scheda>),
    /// Data of the domanda, or of one of its sheets.
    Dati {
        /// Which sheet; `None` = the domanda itself.
        posto: Option<u32>,
        /// All its plain values, as they shall be.
        valori: Valori,
        /// Of a sheet, the expected first month that follows from them.
        decorrenza_presunta: Option<Mese>,
    },
    /// The split of one sheet, and how the other parent's half is paid.
    Ripartizione {
        /// Which.
        posto: u32,
        /// A word of the prestazione.
        ripartizione: &'static str,
        /// How to pay the half; `None` = nobody has one.
        pagamento: Option<PagamentoAltroGenitore>,
        /// From which month that counts; `None` = since it counted.
        dal: Option<Mese>,
        /// What is asked of the sender from then on.
        azione: AzioneRichiesta,
    },
    /// How to pay the domanda.
    Pagamento {
        /// All its plain values, as they shall be.
        valori: Valori,
    },
    /// Name and contacts of who asks.
    Contatti {
        /// All its plain values, as they shall be.
        valori: Valori,
    },
    /// What the documents that it brings are for.
    Documento {
        /// The sheets that they are for.
        schede: Vec<u32>,
        /// Those among them that waited for documents, and do no longer.
        attese: Vec<u32>,
    },
    /// Sheets are to be looked at again.
    Riesame {
        /// Which.
        schede: Vec<u32>,
        /// Why, a word of the codelist.
        motivo: &'static str,
        /// The same in words.
        motivazione: String,
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
            ente: attuale.ente.clone(),
            versione: attuale.versione,
            data_pratica: assistenza.data_pratica,
            mandato_numero: assistenza.mandato_numero.clone(),
            mandato_data: assistenza.mandato_data,
            richiedente: attuale.richiedente.clone(),
            oggetto,
            effetti: Vec::new(),
            schede: Vec::new(),
            nuovo_avente: None,
            prossimi_passi,
            allegati: Vec::new(),
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
        self.listing(scheda, stato)
    }

    /// The same with a sheet that stands in the receipt and stays where it is.
    #[must_use]
    pub fn touching(self, scheda: &SchedaConsultata) -> Self {
        self.listing(scheda, scheda.stato)
    }

    fn listing(mut self, scheda: &SchedaConsultata, stato: StatoDomanda) -> Self {
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
            _ => None,
        })
    }

    /// The sheets that its documents are for; `None`: the domanda as a whole.
    #[must_use]
    pub fn schede_dei_documenti(&self) -> Option<&[u32]> {
        self.effetti.iter().find_map(|effetto| match effetto {
            Effetto::Documento { schede, .. } | Effetto::Riesame { schede, .. } => Some(&schede[..]),
            _ => None,
        })
    }

    /// The sheets that it brings.
    pub fn nuove_schede(&self) -> impl Iterator<Item = &Scheda> {
        self.effetti.iter().filter_map(|effetto| match effetto {
            Effetto::Scheda(scheda) => Some(&**scheda),
            _ => None,
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
    Err(non_ammette(scheda, operazione, dove))
}

/// The sheets that an act names in its `Schede`, or means by naming none: every one whose state allows it.
#[derive(Debug)]
pub struct Scelta<'a> {
    /// The places named, in the order sent.
    pub posti: &'a [u32],
    /// The operation of the act.
    pub operazione: Operazione,
    /// What it does to a sheet.
    pub azione: Azione,
    /// The path of the act's element.
    pub elemento: String,
    /// The prefix of its `Schede`.
    pub prefisso: &'a str,
}

impl Scelta<'_> {
    /// The sheets, each once, in their order; else STA-001, STA-002 for each that cannot be, or STA-003 where none was named
    /// and none can be.
    pub fn in_domanda<'d>(
        &self,
        attuale: &'d DomandaConsultata,
    ) -> Result<Vec<&'d SchedaConsultata>, Vec<Violazione>> {
        let (operazione, azione) = (self.operazione, self.azione);
        if self.posti.is_empty() {
            let schede = attuale.schede.iter();
            let scelte: Vec<_> = schede.filter(|scheda| scheda.stato.allows(azione)).collect();
            if scelte.is_empty() {
                let nessuna =
                    Violazione::at(Codice::Sta003, &self.elemento).with("operazione", operazione.nome());
                return Err(vec![nessuna]);
            }
            return Ok(scelte);
        }
        let (mut scelte, mut violazioni) = (Vec::new(), Vec::new());
        for (numero, posto) in (1..).zip(self.posti) {
            match scheda_che_ammette(attuale, *posto, operazione, azione, self.dove(numero)) {
                Ok(scheda) => scelte.push(scheda),
                Err(violazione) => violazioni.push(violazione),
            }
        }
        scelte.sort_by_key(|scheda| scheda.posto);
        scelte.dedup_by_key(|scheda| scheda.posto);
        if violazioni.is_empty() {
            Ok(scelte)
        } else {
            Err(violazioni)
        }
    }

    /// The path of the sheet that is named at a place of `Schede`, from 1.
    #[must_use]
    pub fn dove(&self, numero: usize) -> String {
        let (elemento, prefisso) = (&self.elemento, self.prefisso);
        format!("{elemento}/{prefisso}:Schede/{prefisso}:Scheda[{numero}]")
    }
}

/// STA-001: a sheet whose state does not allow this.
#[must_use]
pub fn non_ammette(scheda: &SchedaConsultata, operazione: Operazione, dove: String) -> Violazione {
    Violazione::at(Codice::Sta001, dove)
        .with("posto", scheda.posto)
        .with("stato", scheda.stato.as_str())
        .with("operazione", operazione.nome())
        .with("ammesse", ammesse(scheda.stato))
}

/// What this contract offers for a sheet in a state, by the names of its operations. A child more is no matter of a sheet
/// that is there.
fn ammesse(stato: StatoDomanda) -> String {
    let azioni = stato.azioni().iter();
    let mut nomi: Vec<&str> = azioni
        .filter(|azione| **azione != Azione::AggiungereMinore)
        .map(|azione| azione.operazione())
        .collect();
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

/// The path of a field that the service itself adds to an act: `percorso_del_servizio("at", "Documento", &["Allegato"])`
/// is `/at:Documento/at:Allegato`.
#[must_use]
pub fn percorso_del_servizio(prefisso: &str, elemento: &str, campi: &[&str]) -> String {
    percorso_di(&format!("{prefisso}:{elemento}"), prefisso, campi)
}
