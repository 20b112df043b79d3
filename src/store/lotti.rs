//! Lots, as they are kept: the bytes of each in a spool, its place in the queue, and the outcome of every item.
//!
//! A lot is worked by groups of items. A group is one transaction: the registrations that it makes, the outcomes of all
//! its items, and how far the lot has come. So a crash between two groups loses nothing, and one inside a group leaves
//! nothing: the work goes on at the item where it was, and no number is drawn twice.

pub(super) mod gruppo;
pub(super) mod righe;

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use jiff::Timestamp;
use uuid::Uuid;

use super::{Atto, Chiave, Registrazione, StoreError};
use crate::domanda::Posizione;
pub use crate::domanda::lotto::{Conteggi, EsitoElemento, EsitoLotto, SorteElemento, StatoLotto};
use crate::patronato::{ChiaveInvio, CodiceEnte, CodiceUfficio, UserId};
use crate::prestazione::Prestazione;
use crate::protocollo::NumeroProtocollo;
use crate::ricevuta::Registrata;

/// Bytes of a piece of a spool; the last one of a lot may be shorter.
pub const PEZZO_BYTES: usize = 1024 * 1024;

/// A lot whose bytes have all come, to be taken in.
#[derive(Debug, Clone)]
pub struct NuovoLotto {
    /// Its id: what the sender asks with, and the name of its spool.
    pub id: Uuid,
    /// Its key: unique together with those of domande and acts.
    pub chiave: Chiave,
    /// SHA-256 of its bytes, decoded: the element `Lotto`, or the file.
    pub digest: [u8; 32],
    /// The ente's name, for the receipts.
    pub ente_denominazione: String,
    /// The ufficio that sent it.
    pub codice_ufficio: CodiceUfficio,
    /// The operator.
    pub user_id: UserId,
    /// SHA-256 of the client certificate, hex.
    pub certificato_sha256: String,
    /// The message that brought it.
    pub message_id: Uuid,
    /// Bytes in the spool.
    pub byte: u64,
    /// How many items; `None` where nobody has read it yet.
    pub elementi: Option<u64>,
}

/// A lot as it stands.
#[derive(Debug, Clone)]
pub struct Lotto {
    /// Its id.
    pub id: Uuid,
    /// Its key.
    pub chiave: Chiave,
    /// Whose service it was handed to.
    pub prestazione: &'static Prestazione,
    /// SHA-256 of its bytes, decoded.
    pub digest: [u8; 32],
    /// The ente's name, for the receipts.
    pub ente_denominazione: String,
    /// The ufficio that sent it.
    pub codice_ufficio: CodiceUfficio,
    /// The operator.
    pub user_id: UserId,
    /// SHA-256 of the client certificate, hex.
    pub certificato_sha256: String,
    /// The message that brought it.
    pub message_id: Uuid,
    /// The instant, of the business clock, at which it was durable: every item counts as presented then.
    pub presentato_il: Timestamp,
    /// Bytes in the spool.
    pub byte: u64,
    /// How many items, once known.
    pub elementi: Option<u64>,
    /// Where it is in its life.
    pub stato: StatoLotto,
    /// Held back by who runs the gateway.
    pub sospeso: bool,
    /// Which worker it is with, and until when (true time) if that one is not heard of.
    pub preso: Option<(String, Timestamp)>,
    /// How far it was worked.
    pub fatto: Avanzamento,
    /// Outcomes so far.
    pub conteggi: Conteggi,
    /// When its first group was worked (true time).
    pub iniziato_il: Option<Timestamp>,
    /// When its last group was worked (true time): one that stands still shows it.
    pub avanzato_il: Option<Timestamp>,
    /// When it was ended (true time).
    pub concluso_il: Option<Timestamp>,
    /// Why it ended before its end: the `Errore` elements that the sender is told.
    pub interruzione: Option<Bytes>,
}

impl Lotto {
    /// How it ended; `None` while it has not.
    #[must_use]
    pub fn esito(&self) -> Option<EsitoLotto> {
        if self.stato != StatoLotto::Concluso {
            return None;
        }
        Some(if self.interruzione.is_some() {
            EsitoLotto::Interrotto
        } else if self.conteggi.rifiutate + self.conteggi.non_lette > 0 {
            EsitoLotto::Parziale
        } else {
            EsitoLotto::Completo
        })
    }
}

/// How far a lot was worked: what is before it has its outcome, what is after it has not been looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Avanzamento {
    /// Items.
    pub elementi: u64,
    /// Bytes of the spool.
    pub byte: u64,
    /// Line and column of the next byte in the sender's file; `None` before the first item.
    pub luogo: Option<Posizione>,
}

/// Some items of a lot, one after the other, with what is known of each.
#[derive(Debug, Clone)]
pub struct Gruppo {
    /// The lot.
    pub lotto: Uuid,
    /// Who works it.
    pub chi: Arc<str>,
    /// Until when it stays with who works it, if no further group comes (true time).
    pub fino_a: Timestamp,
    /// Where the lot must stand: else somebody else works it, or it was called off.
    pub da: Avanzamento,
    /// Where it stands then.
    pub a: Avanzamento,
    /// The items, in order.
    pub voci: Vec<Voce>,
    /// Set with the last group.
    pub fine: Option<Fine>,
}

/// One item of a group.
#[derive(Debug, Clone)]
pub struct Voce {
    /// Its key, where it could be read.
    pub chiave: Option<ChiaveInvio>,
    /// Where it begins in the sender's file.
    pub luogo: Posizione,
    /// What is to become of it.
    pub sorte: SorteVoce,
}

/// What is to become of an item.
#[derive(Debug, Clone)]
pub enum SorteVoce {
    /// It is to be registered.
    Atto(Box<Atto>),
    /// It was registered before.
    Ripetuta(Box<Registrata>),
    /// It was refused: the `Errore` elements that its sender is told.
    Rifiutata(Bytes),
}

/// How a lot ends.
#[derive(Debug, Clone)]
pub enum Fine {
    /// Read to its end.
    Letto,
    /// It cannot be read further: the `Errore` elements that its sender is told.
    Interrotto(Bytes),
}

/// What became of a group.
#[derive(Debug, Clone)]
pub enum Lavorazione {
    /// Written; the lot as it stands now.
    Fatta(Box<Lotto>),
    /// Nothing was written: these acts, by place in [`Gruppo::voci`], cannot be registered. Each but
    /// [`Registrazione::Superata`] is told for good, by what was there before the group: whoever works the lot words it as a
    /// refusal ([`SorteVoce::Rifiutata`]) and hands the group in again.
    ///
    /// `Superata` is an act whose domanda has changed since it was judged, or that hangs on another act of the same group:
    /// the same child, the same key with other content, the same domanda. What is before it is handed in first, as a group
    /// that ends there; then it is judged anew. (As the first of its group it has nothing to wait for: judged anew is all.)
    Respinta(Vec<(usize, Registrazione)>),
    /// Nothing was written: the lot is not where [`Gruppo::da`] says, or no longer with who works it, or held back, or
    /// called off.
    Persa,
}

/// What became of a lot that was handed in.
#[derive(Debug, Clone)]
pub enum Accettazione {
    /// New.
    Accettato(Box<Lotto>),
    /// The same key and bytes came before.
    Ripetuto(Box<Lotto>),
    /// The key belongs to a lot with other bytes.
    AltroLotto(Uuid),
    /// The key belongs to a registration.
    AltraRegistrazione(NumeroProtocollo),
    /// The ente has as many open lots as it may.
    Troppi,
}

impl Accettazione {
    /// What is said of a lot whose key an accepted one has.
    pub(super) fn of(nuovo: &NuovoLotto, gia: Lotto) -> Self {
        if gia.digest == nuovo.digest {
            Self::Ripetuto(Box::new(gia))
        } else {
            Self::AltroLotto(gia.id)
        }
    }
}

/// What who runs a gateway asks of a lot.
#[derive(Debug, Clone)]
pub enum Comando {
    /// Hold it back.
    Sospendi,
    /// Let it go on.
    Riprendi,
    /// End it where it is; the `Errore` elements that its sender is told.
    Annulla(Bytes),
}

/// Which lots.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Quali {
    /// Those that have not ended, oldest first.
    Aperti,
    /// All, newest first.
    Tutti,
}

/// Where lots are kept. Two implementations, each with its own SQL.
#[async_trait]
pub trait ArchivioLotti {
    /// Adds a piece to the spool of a lot that is coming in: all of [`PEZZO_BYTES`] but the last. Durable once
    /// [`Self::accept_lotto`] returns, not before.
    async fn spool_append(&self, lotto: Uuid, pezzo: u32, byte: Bytes) -> Result<(), StoreError>;

    /// Reads at most so many bytes of a spool from an offset on; fewer are no sign of its end, none are. That there is no
    /// spool (any more) is an error.
    async fn spool_read(&self, lotto: Uuid, da: u64, quanti: usize) -> Result<Bytes, StoreError>;

    /// Forgets the spool of a lot that was not taken in; that of one that was, stays. After an error of
    /// [`Self::accept_lotto`] it is not to be called: the lot may yet be taken in, and what is left over is swept.
    async fn spool_discard(&self, lotto: Uuid) -> Result<(), StoreError>;

    /// Forgets, a few at a time, the spools that are no longer wanted: of lots that ended before `conclusi_prima`, and
    /// those that nobody took in and nobody wrote to since `abbandonati_prima` (true time). How many went.
    async fn spool_sweep(
        &self,
        conclusi_prima: Timestamp,
        abbandonati_prima: Timestamp,
    ) -> Result<u64, StoreError>;

    /// Takes a lot in: its spool is made durable, then its row is written, all or nothing. `presentato_il` of the lot is
    /// `adesso` of the business clock; of a lot that came before nothing changes. The key is unique together with those
    /// of the registrations. At most `aperti_max` lots of an ente (over all its services) are open. A spool that is not as
    /// long as the lot is said to be is an error.
    async fn accept_lotto(
        &self,
        nuovo: &NuovoLotto,
        aperti_max: u64,
        adesso: Timestamp,
    ) -> Result<Accettazione, StoreError>;

    /// A lot of an ente, by its id.
    async fn lotto(
        &self,
        ente: &CodiceEnte,
        servizio: &'static str,
        id: Uuid,
    ) -> Result<Option<Lotto>, StoreError>;

    /// A lot by its key.
    async fn lotto_by_chiave(&self, chiave: &Chiave) -> Result<Option<Lotto>, StoreError>;

    /// The queue, for who runs the gateway.
    async fn lotti(&self, quali: Quali, limite: u32) -> Result<Vec<Lotto>, StoreError>;

    /// The oldest open lot of an ente that is not among `esclusi`, which nobody works and nobody holds back: it is with
    /// `chi` until `fino_a` (true time, like `adesso`). An ente that `chi` works a lot of already is passed over. `None` may
    /// also say that another was faster: whoever has time asks again.
    async fn claim_lotto(
        &self,
        chi: &str,
        esclusi: &[CodiceEnte],
        adesso: Timestamp,
        fino_a: Timestamp,
    ) -> Result<Option<Lotto>, StoreError>;

    /// Gives a lot back to the queue, where it is.
    async fn release_lotto(&self, lotto: Uuid, chi: &str) -> Result<(), StoreError>;

    /// Works a group in one transaction, at `adesso` of the business clock, `ora` of the true one. The acts are
    /// registered as [`super::Store::register`] does. An error speaks for the whole group, and handing it in again is safe.
    async fn work_gruppo(
        &self,
        gruppo: &Gruppo,
        adesso: Timestamp,
        ora: Timestamp,
    ) -> Result<Lavorazione, StoreError>;

    /// A page of the outcomes, in input order, after a place; of the refused alone when asked so.
    async fn esiti_lotto(
        &self,
        lotto: Uuid,
        dopo: u64,
        solo_rifiutate: bool,
        righe_max: u32,
    ) -> Result<Vec<EsitoElemento>, StoreError>;

    /// Does what who runs the gateway asks; `None` = there is no such lot, or it has ended.
    async fn command_lotto(
        &self,
        lotto: Uuid,
        comando: &Comando,
        ora: Timestamp,
    ) -> Result<Option<Lotto>, StoreError>;
}
