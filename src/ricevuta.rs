//! What the patronato gets, and may ask for again: composed once, inside the registration, and stored as the bytes
//! that were told. Its XML is written by `soap::answer`; this is what it says.

use bytes::Bytes;
use jiff::Timestamp;

use crate::domanda::{Ambiente, CodiceFiscale, Mese, Richiedente, Scheda};
use crate::patronato::{ChiaveInvio, CodiceEnte, CodiceUfficio, UserId};
use crate::protocollo::{NumeroDomanda, NumeroProtocollo};

/// A receipt (DPR 445/2000 art. 53, 55; L. 241/1990 art. 18-bis).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ricevuta {
    /// The prestazione's name for people.
    pub prestazione: String,
    /// Outside produzione the receipt is watermarked.
    pub ambiente: Ambiente,
    /// The number.
    pub protocollo: NumeroProtocollo,
    /// The number of the domanda.
    pub numero_domanda: NumeroDomanda,
    /// The sender's key.
    pub chiave: ChiaveInvio,
    /// Request wholly received.
    pub presentata_il: Timestamp,
    /// Instant of the registration.
    pub registrata_il: Timestamp,
    /// Subject of the registration.
    pub oggetto: String,
    /// The ente's code.
    pub ente: CodiceEnte,
    /// The ente's name.
    pub ente_denominazione: String,
    /// The ufficio that sent.
    pub codice_ufficio: CodiceUfficio,
    /// The operator.
    pub user_id: UserId,
    /// Who asks.
    pub richiedente: Richiedente,
    /// By which channel: `ModI`, `PDD`, `LOTTO`.
    pub canale: &'static str,
    /// SHA-256 of the content's bytes as received.
    pub impronta: [u8; 32],
    /// The sheets that it opens, or touches.
    pub schede: Vec<SchedaRicevuta>,
    /// What happens next.
    pub prossimi_passi: String,
}

/// A sheet, as receipts list it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SchedaRicevuta {
    /// Place in the domanda, from 1.
    pub posto: u32,
    /// The child.
    pub codice_fiscale: CodiceFiscale,
    /// Expected first month, where one can be told.
    pub decorrenza_presunta: Option<Mese>,
}

impl From<&Scheda> for SchedaRicevuta {
    fn from(scheda: &Scheda) -> Self {
        Self {
            posto: scheda.posto,
            codice_fiscale: scheda.codice_fiscale.clone(),
            decorrenza_presunta: scheda.decorrenza_presunta,
        }
    }
}

/// Digest v1 of the content (design.md §2.7): equal for equal content, whatever its spelling.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Digest(pub [u8; 32]);

/// The version of [`Digest`] that is computed today; stored beside each.
pub const DIGEST_VERSIONE: u8 = 1;

/// A registration as it was told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Registrata {
    /// The number.
    pub protocollo: NumeroProtocollo,
    /// The domanda.
    pub numero_domanda: NumeroDomanda,
    /// The key it came with.
    pub chiave: ChiaveInvio,
    /// Digest of its content.
    pub digest: Digest,
    /// Version of that digest.
    pub digest_versione: u8,
    /// The receipt, byte for byte.
    pub ricevuta: Bytes,
    /// Whether the registration was annulled since.
    pub annullata: bool,
}

impl Registrata {
    /// Its two numbers: of the registration, and of the domanda.
    #[must_use]
    pub fn numeri(&self) -> (&NumeroProtocollo, NumeroDomanda) {
        (&self.protocollo, self.numero_domanda)
    }
}
