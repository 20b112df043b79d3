//! What the engine sees of a domanda, and what it may decide: data, as the contract has them.

use crate::domanda::atto::riesame::StatoRiesame;
use crate::domanda::codelista::codelista;
use crate::domanda::stato::{AzioneRichiesta, StatoDomanda};
use crate::domanda::{CodiceFiscale, Iban, Mese};

/// A domanda as it was read, with the version that every decision about it names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caso {
    /// Its number.
    pub numero_domanda: i64,
    /// Its version when it was read.
    pub versione: i64,
    /// Its service.
    pub servizio: String,
    /// Where to pay the richiedente; `None` = in cash.
    pub iban: Option<Iban>,
    /// The year that it was asked for, where the prestazione has years.
    pub anno_competenza: Option<i16>,
    /// The kinds of the documents that were sent.
    pub documenti: Vec<String>,
    /// Its sheets, by posto.
    pub schede: Vec<SchedaVista>,
}

/// One sheet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SchedaVista {
    /// Its place in the domanda.
    pub posto: i64,
    /// The child.
    pub codice_fiscale: CodiceFiscale,
    /// Date of birth.
    pub data_nascita: Option<jiff::civil::Date>,
    /// Whether the child is disabled, whatever the grade.
    pub disabile: bool,
    /// The condition of an adult child, as sent.
    pub condizione_maggiorenne: Option<String>,
    /// Whether the sum is split with the other parent.
    pub divisa: bool,
    /// How to pay the other parent, once it is known: the IBAN, or nothing where it is cash.
    pub altro_genitore: Option<Option<Iban>>,
    /// The expected first month.
    pub decorrenza: Option<Mese>,
    /// State.
    pub stato: StatoDomanda,
    /// What is asked of the sender.
    pub azione: AzioneRichiesta,
    /// Why.
    pub azione_motivo: Option<String>,
    /// The last riesame that was asked for.
    pub riesame: Option<RiesameVisto>,
    /// What was paid and did not come back.
    pub pagati: Vec<Pagato>,
    /// The years for which it was renewed.
    pub rinnovi: Vec<i16>,
}

/// A riesame of a sheet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RiesameVisto {
    /// How far it is.
    pub stato: StatoRiesame,
    /// Whether documents came with it.
    pub documentato: bool,
}

/// A payment that stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pagato {
    /// For which month.
    pub mese: Mese,
    /// To whom.
    pub beneficiario: Beneficiario,
    /// How much, in cents of a euro.
    pub importo_cent: i64,
}

codelista! {
    /// Who is paid.
    Beneficiario {
        /// Who asks.
        Richiedente = "RICHIEDENTE",
        /// The other parent.
        AltroGenitore = "ALTRO_GENITORE",
    }
}

/// A decision about one sheet, as `motore_decisioni_v1` takes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decisione {
    /// Which sheet.
    pub posto: i64,
    /// In which state it was seen.
    pub da: StatoDomanda,
    /// What is decided.
    pub passo: Passo,
    /// Why: a sentence for the patronato.
    pub motivo: Option<&'static str>,
}

/// What is decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Passo {
    /// The state, or only what is asked of the sender.
    Stato {
        /// To this state; that of before = only the action changes.
        a: StatoDomanda,
        /// What is asked of the sender, and why.
        azione: Option<(AzioneRichiesta, &'static str)>,
    },
    /// A month is paid.
    Pagamento(Pagato),
    /// The sheet goes on in another year.
    Rinnovo {
        /// Which one.
        anno: i16,
    },
    /// The riesame of the sheet moves; accepted, it opens the sheet again.
    Riesame {
        /// From this state.
        da: StatoRiesame,
        /// To this one.
        a: StatoRiesame,
    },
}

impl Caso {
    /// Does to what was read what the contract does to the store: the next decision needs no reading.
    pub fn apply(&mut self, decisione: &Decisione) {
        let Some(scheda) = self
            .schede
            .iter_mut()
            .find(|scheda| scheda.posto == decisione.posto)
        else {
            return;
        };
        match decisione.passo {
            Passo::Stato { a, azione } => {
                scheda.stato = a;
                scheda.azione = azione.map_or(AzioneRichiesta::Nessuna, |(azione, _)| azione);
                scheda.azione_motivo = azione.map(|(_, motivo)| motivo.to_owned());
                self.versione += 1;
            }
            Passo::Pagamento(pagato) => scheda.pagati.push(pagato),
            Passo::Rinnovo { anno } => scheda.rinnovi.push(anno),
            Passo::Riesame { a, .. } => {
                if let Some(riesame) = &mut scheda.riesame {
                    riesame.stato = a;
                }
                self.versione += 1;
                if a == StatoRiesame::Accolto {
                    scheda.stato = StatoDomanda::InIstruttoria;
                    scheda.azione = AzioneRichiesta::Nessuna;
                    scheda.azione_motivo = None;
                    // The riesame moved, and the sheet.
                    self.versione += 1;
                }
            }
        }
    }
}

impl std::fmt::Display for Decisione {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "scheda {}: ", self.posto)?;
        match self.passo {
            Passo::Stato { a, azione } => {
                if a != self.da {
                    write!(f, "{} -> {}", self.da.as_str(), a.as_str())?;
                }
                match azione {
                    Some((azione, perche)) => {
                        let prima = if a == self.da { "" } else { ", " };
                        write!(f, "{prima}{} ({perche})", azione.as_str())?;
                    }
                    None if a == self.da => write!(f, "nessuna azione richiesta")?,
                    None => {}
                }
            }
            Passo::Pagamento(Pagato {
                mese,
                beneficiario,
                importo_cent,
            }) => write!(
                f,
                "PAGATO {mese} {} {},{:02} euro",
                beneficiario.as_str(),
                importo_cent / 100,
                importo_cent % 100
            )?,
            Passo::Rinnovo { anno } => write!(f, "rinnovata per il {anno}")?,
            Passo::Riesame { da, a } => write!(f, "riesame {} -> {}", da.as_str(), a.as_str())?,
        }
        match self.motivo {
            Some(motivo) => write!(f, " ({motivo})"),
            None => Ok(()),
        }
    }
}
