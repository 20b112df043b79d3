//! Who may use the console, and who is signed in to it. No SQL.
//!
//! A session is known here by the SHA-256 of its token alone: who reads the store cannot sign in with what stands there.

use async_trait::async_trait;
use jiff::Timestamp;

use super::StoreError;
use crate::domanda::codelista::codelista;

codelista! {
    /// What an operator may do; each may what those before it may.
    Ruolo {
        /// Looks, with personal values masked.
        Lettore = "LETTORE",
        /// Sees a message in clear and takes its bytes away, for a written reason.
        Indagatore = "INDAGATORE",
        /// Holds lots back, lets them go on, calls them off.
        Gestore = "GESTORE",
    }
}

/// An operator to be added.
#[derive(Clone, PartialEq, Eq)]
pub struct NuovoOperatore {
    /// What they sign in as.
    pub nome: String,
    /// What they may do.
    pub ruolo: Ruolo,
    /// Their password as argon2id left it, in PHC form.
    pub password: Option<String>,
    /// SHA-256 of their client certificate, hex.
    pub certificato_sha256: Option<String>,
}

impl std::fmt::Debug for NuovoOperatore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("NuovoOperatore")
            .field("nome", &self.nome)
            .field("ruolo", &self.ruolo)
            .finish_non_exhaustive()
    }
}

/// An operator.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Operatore {
    /// Its number in the store.
    pub id: i64,
    /// What they sign in as.
    pub nome: String,
    /// What they may do.
    pub ruolo: Ruolo,
    /// Whether they sign in with a certificate.
    pub con_certificato: bool,
    /// Whether they sign in with a password.
    pub con_password: bool,
    /// When they were added.
    pub creato_il: Timestamp,
    /// Since when they are shut out.
    pub disabilitato_il: Option<Timestamp>,
}

/// By what an operator is looked for at sign-in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Chi<'a> {
    /// Their name.
    Nome(&'a str),
    /// SHA-256 of the certificate that was shown, hex.
    Certificato(&'a str),
}

/// Somebody who is signed in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sessione {
    /// Who. Never one that is shut out.
    pub operatore: Operatore,
    /// When they signed in.
    pub creata_il: Timestamp,
    /// When they last did something.
    pub vista_il: Timestamp,
}

/// Messages of an ente that ended the same way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Volume {
    /// Whose; `None` = they did not come to say it.
    pub ente: Option<String>,
    /// How they ended.
    pub esito: String,
    /// How many.
    pub quanti: u64,
}

/// The store's part for the console. Two implementations, each with its own SQL.
#[async_trait]
pub trait ArchivioOperatori {
    /// How many messages each ente sent since an instant, by outcome: of the newest `righe_max` alone, so that a look at a
    /// busy hour costs what a look at a quiet one does.
    async fn volumi(&self, dal: Timestamp, righe_max: u32) -> Result<Vec<Volume>, StoreError>;

    /// Adds an operator; `false` = the name or the certificate is another's.
    async fn add_operatore(&self, nuovo: &NuovoOperatore, adesso: Timestamp) -> Result<bool, StoreError>;

    /// All of them, by name.
    async fn operatori(&self) -> Result<Vec<Operatore>, StoreError>;

    /// One that may sign in, with what their password left; `None` also of one that is shut out.
    async fn operatore(&self, chi: Chi<'_>) -> Result<Option<(Operatore, Option<String>)>, StoreError>;

    /// Gives an operator another password (as argon2id left it) and ends their sessions; `false` = there is none of that
    /// name.
    async fn set_password(&self, nome: &str, password: &str) -> Result<bool, StoreError>;

    /// Shuts an operator out from an instant on and ends their sessions, or lets them in again (`None`); `false` = there
    /// is none of that name.
    async fn set_disabilitato(&self, nome: &str, dal: Option<Timestamp>) -> Result<bool, StoreError>;

    /// Begins a session, and forgets those that nobody used since `ferme_dal`.
    async fn open_sessione(
        &self,
        impronta: &[u8; 32],
        operatore: i64,
        adesso: Timestamp,
        ferme_dal: Timestamp,
    ) -> Result<(), StoreError>;

    /// A session of an operator that is not shut out.
    async fn sessione(&self, impronta: &[u8; 32]) -> Result<Option<Sessione>, StoreError>;

    /// Notes that something was done in a session.
    async fn touch_sessione(&self, impronta: &[u8; 32], adesso: Timestamp) -> Result<(), StoreError>;

    /// Ends a session.
    async fn close_sessione(&self, impronta: &[u8; 32]) -> Result<(), StoreError>;
}

/// The channels by which messages come: what is written of looks and sign-ins is no traffic.
pub(super) const CANALI_DI_MESSAGGI: &str = "('MODI', 'PDD', 'LOTTO')";
