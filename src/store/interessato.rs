//! What is held on one person, whatever their part in it: who asks, child, other parent, parent under tutelage. For the
//! answer that GDPR art. 15 gives them. No SQL.
//!
//! By the other parent there is no index, and there shall be none: every registration would pay for what is asked a few times
//! a month. The domande are walked by their number instead, so many at a time (ADR 25).

use async_trait::async_trait;
use bytes::Bytes;
use jiff::Timestamp;

use super::StoreError;
use crate::carte::riepilogo::AllegatoElencato;
use crate::protocollo::NumeroDomanda;
use crate::trace::persona::Persona;

/// The store's part in telling a person what is held on them. Two implementations, each with its own SQL.
#[async_trait]
pub trait ArchivioInteressati {
    /// The highest number of a domanda; 0 = there is none.
    async fn ultima_domanda(&self) -> Result<u64, StoreError>;

    /// Of the domande after `dopo` up to and with `fino_a` those in which somebody has a part, in order.
    async fn domande_con(
        &self,
        persona: &Persona,
        dopo: u64,
        fino_a: u64,
    ) -> Result<Vec<DomandaTenuta>, StoreError>;

    /// What was registered of a domanda, in order: what opened it, and the acts about it.
    async fn registrazioni_di(&self, numero: NumeroDomanda) -> Result<Vec<RegistrazioneTenuta>, StoreError>;

    /// The documents that came with a registration, in order, each with whether its bytes are still there.
    async fn documenti_di(
        &self,
        numero: NumeroDomanda,
        registrazione: i64,
    ) -> Result<Vec<DocumentoTenuto>, StoreError>;

    /// The bytes of one; `None` once they were purged.
    async fn byte_del_documento(
        &self,
        numero: NumeroDomanda,
        registrazione: i64,
        posto: u32,
    ) -> Result<Option<Bytes>, StoreError>;
}

/// A domanda in which somebody has a part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DomandaTenuta {
    /// Its number.
    pub numero: NumeroDomanda,
    /// Its service.
    pub servizio: String,
    /// The patronato that presented it.
    pub ente: String,
}

/// A registration, and what is left of its request.
#[derive(Clone, PartialEq, Eq)]
pub struct RegistrazioneTenuta {
    /// The store's own name of it.
    pub id: i64,
    /// Its protocol number.
    pub protocollo: String,
    /// By which operation.
    pub operazione: String,
    /// When its request had wholly come.
    pub presentata_il: Timestamp,
    /// When it was registered.
    pub registrata_il: Timestamp,
    /// The patronato that sent it.
    pub ente: String,
    /// `MODI`, `PDD`, `LOTTO`, `EMERGENZA`.
    pub canale: String,
    /// In whose name it was sent.
    pub richiedente: String,
    /// Imprint of its bytes.
    pub impronta: [u8; 32],
    /// Whether it was annulled since.
    pub annullata: bool,
    /// When its request and documents were discarded.
    pub scartata_il: Option<Timestamp>,
}

impl std::fmt::Debug for RegistrazioneTenuta {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RegistrazioneTenuta")
            .field("protocollo", &self.protocollo)
            .finish_non_exhaustive()
    }
}

/// A document that came with a registration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DocumentoTenuto {
    /// Place in the registration, from 1.
    pub posto: u32,
    /// What it is.
    pub allegato: AllegatoElencato,
    /// Whether its bytes are still there.
    pub tenuto: bool,
}
