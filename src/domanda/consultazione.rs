//! A domanda that is asked for again: by which name, what the rules of an act look at ([`DomandaConsultata`]), and what is
//! told to an ente that asks ([`Consultazione`]).

use jiff::Timestamp;

use super::atto::riesame::StatoRiesame;
use super::quadro::Quadro;
use super::stato::{AzioneRichiesta, StatoDomanda};
use super::{CodiceFiscale, Mese, Richiedente};
use crate::patronato::{ChiaveInvio, CodiceEnte};
use crate::protocollo::{NumeroDomanda, NumeroProtocollo};
use crate::ricevuta::Registrata;

/// How a domanda is named by who asks for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Riferimento {
    /// By its protocol number.
    Protocollo(NumeroProtocollo),
    /// By its own number.
    NumeroDomanda(NumeroDomanda),
    /// By the sender's key.
    ChiaveInvio(ChiaveInvio),
    /// By the imprint of its bytes.
    Impronta([u8; 32]),
}

impl Riferimento {
    /// The one of these names that a field of `coop:Riferimento` tells.
    #[must_use]
    pub fn parse(campo: &str, testo: &str) -> Option<Self> {
        match campo {
            "Protocollo" => testo.parse().ok().map(Self::Protocollo),
            "NumeroDomanda" => testo
                .parse()
                .ok()
                .map(|numero| Self::NumeroDomanda(NumeroDomanda(numero))),
            "ChiaveInvio" => testo.parse().ok().map(Self::ChiaveInvio),
            "Impronta" => impronta(testo).map(Self::Impronta),
            _ => None,
        }
    }
}

fn impronta(testo: &str) -> Option<[u8; 32]> {
    let mut bytes = [0; 32];
    for (byte, cifre) in bytes.iter_mut().zip(testo.as_bytes().chunks(2)) {
        *byte = u8::from_str_radix(std::str::from_utf8(cifre).ok()?, 16).ok()?;
    }
    (testo.len() == 64).then_some(bytes)
}

/// A domanda and the state of its sheets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DomandaConsultata {
    /// The registration.
    pub registrata: Registrata,
    /// The ente that presented it.
    pub ente: CodiceEnte,
    /// Which of its states this is: grows with every change, whoever makes it.
    pub versione: u64,
    /// Who asked.
    pub richiedente: Richiedente,
    /// Request wholly received.
    pub presentata_il: Timestamp,
    /// Instant of the registration.
    pub registrata_il: Timestamp,
    /// The ufficio that sent.
    pub codice_ufficio: String,
    /// Imprint of its bytes.
    pub impronta: [u8; 32],
    /// Its sheets, in order.
    pub schede: Vec<SchedaConsultata>,
    /// All its plain values, where who asks needs them.
    pub quadro: Option<Quadro>,
}

/// The state of one sheet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SchedaConsultata {
    /// Place in the domanda, from 1.
    pub posto: u32,
    /// The child.
    pub codice_fiscale: CodiceFiscale,
    /// Its state.
    pub stato: StatoDomanda,
    /// Since when.
    pub stato_dal: Timestamp,
    /// How far the last riesame of it is, if one was asked for.
    pub riesame: Option<StatoRiesame>,
    /// What is asked of the sender.
    pub azione_richiesta: AzioneRichiesta,
    /// Expected first month.
    pub decorrenza_presunta: Option<Mese>,
}

/// What the act of a second parent names: all of it must match one sheet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Corrispondenza {
    /// The domanda, by its protocol number or its own.
    pub riferimento: Riferimento,
    /// The child.
    pub figlio: CodiceFiscale,
    /// The second parent.
    pub secondo_genitore: CodiceFiscale,
}

/// The sheet that matches.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SchedaTrovata {
    /// The ente that presented the domanda.
    pub ente: CodiceEnte,
    /// The domanda.
    pub numero_domanda: NumeroDomanda,
    /// Which of its sheets.
    pub posto: u32,
}

/// What an ente is told of a domanda.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Consultazione {
    /// The protocol number by which the ente knows the domanda.
    pub protocollo: NumeroProtocollo,
    /// The domanda.
    pub numero_domanda: NumeroDomanda,
    /// The key of that registration.
    pub chiave: ChiaveInvio,
    /// When its request had wholly come.
    pub presentata_il: Timestamp,
    /// When it was registered.
    pub registrata_il: Timestamp,
    /// The ufficio that sent it.
    pub codice_ufficio: String,
    /// Imprint of its bytes.
    pub impronta: [u8; 32],
    /// Whether it was annulled since.
    pub annullata: bool,
    /// The sheets that the ente is to know, in order.
    pub schede: Vec<SchedaDetta>,
    /// The acts about the domanda, in the order of their registration.
    pub atti: Vec<AttoDetto>,
}

impl Consultazione {
    /// Every protocol number that it tells, with that of the domanda.
    pub fn numeri(&self) -> impl Iterator<Item = (&NumeroProtocollo, NumeroDomanda)> {
        let atti = self.atti.iter().map(|atto| &atto.protocollo);
        std::iter::once(&self.protocollo)
            .chain(atti)
            .map(|protocollo| (protocollo, self.numero_domanda))
    }
}

/// One sheet, as it is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SchedaDetta {
    /// Place in the domanda, from 1.
    pub posto: u32,
    /// The child.
    pub codice_fiscale: CodiceFiscale,
    /// Its state.
    pub stato: StatoDomanda,
    /// Since when.
    pub stato_dal: Timestamp,
    /// What is asked of the sender.
    pub azione_richiesta: AzioneRichiesta,
    /// Expected first month.
    pub decorrenza_presunta: Option<Mese>,
    /// How the sum is split, a word of the prestazione.
    pub ripartizione: String,
    /// Why the action is asked for.
    pub azione_motivo: Option<String>,
    /// Month by month what was paid, came back or is to be recovered, in the order of the decisions.
    pub pagamenti: Vec<PagamentoDelMese>,
    /// The half of the second parent, told to whoever completed it and to nobody else.
    pub seconda_meta: Option<SecondaMeta>,
    /// How far its last riesame is, if one was asked for.
    pub riesame: Option<StatoRiesame>,
}

/// The half of the second parent, as their own patronato is told of it. Masked in `Debug`.
#[derive(Clone, PartialEq, Eq)]
pub struct SecondaMeta {
    /// How it is paid, a word of the prestazione.
    pub modalita: Option<String>,
    /// The last four characters of the IBAN.
    pub iban_finale: Option<String>,
    /// From which month.
    pub dal: Option<Mese>,
}

impl std::fmt::Debug for SecondaMeta {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SecondaMeta")
            .field("dal", &self.dal)
            .finish_non_exhaustive()
    }
}

/// What became of one month of a sheet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PagamentoDelMese {
    /// The month.
    pub mese: Mese,
    /// To whom: `RICHIEDENTE`, `ALTRO_GENITORE`.
    pub beneficiario: String,
    /// `PAGATO`, `RESTITUITO`, `DA_RECUPERARE`.
    pub tipo: String,
    /// How much, in cents of a euro.
    pub importo_cent: u64,
    /// When.
    pub istante: Timestamp,
    /// Why.
    pub motivo: Option<String>,
}

/// One act about a domanda, as it is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AttoDetto {
    /// Its protocol number.
    pub protocollo: NumeroProtocollo,
    /// Which operation it came by.
    pub operazione: String,
    /// When its request had wholly come.
    pub presentata_il: Timestamp,
    /// When it was registered.
    pub registrata_il: Timestamp,
    /// Whether it was annulled since.
    pub annullata: bool,
}
