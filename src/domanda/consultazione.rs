//! A domanda that is asked for again: by which name, and what is told of it.

use jiff::Timestamp;

use super::{CodiceFiscale, Mese};
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

/// A domanda and the state of its sheets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DomandaConsultata {
    /// The registration.
    pub registrata: Registrata,
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
}

/// The state of one sheet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SchedaConsultata {
    /// Place in the domanda, from 1.
    pub posto: u32,
    /// The child.
    pub codice_fiscale: CodiceFiscale,
    /// `PRESENTATA`…
    pub stato: String,
    /// `NESSUNA`…
    pub azione_richiesta: String,
    /// Expected first month.
    pub decorrenza_presunta: Option<Mese>,
}
