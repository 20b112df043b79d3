//! A domanda that is asked for again: by which name, and what is told of it.

use jiff::Timestamp;

use super::atto::riesame::StatoRiesame;
use super::quadro::Quadro;
use super::stato::{AzioneRichiesta, StatoDomanda};
use super::{CodiceFiscale, Mese, Richiedente};
use crate::patronato::ChiaveInvio;
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
