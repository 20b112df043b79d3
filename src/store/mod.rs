//! The store: one trait, no SQL. Registrations go in by batches, each batch one transaction: number, domanda, key,
//! receipt, feed row and trace record together or not at all (design.md §2.8, §2.9).

pub mod ancore;
pub mod carte;
mod codec;
mod consulta;
pub mod copy;
pub mod diagnosi;
mod effetti;
pub mod egov;
mod elenchi;
pub mod esame;
mod fila;
pub mod filtri;
mod gara;
pub mod giornaliero;
mod indizi;
pub mod interessato;
pub mod lacune;
pub mod legale;
pub mod lotti;
pub mod manutenzione;
pub mod operatori;
pub mod postgres;
mod posti;
mod quadro;
pub mod quote;
pub mod recupero;
mod registro;
mod ritmo;
pub mod secondo;
pub mod sigilli;
pub mod spazio;
mod sportello;
pub mod sqlite;
#[cfg(test)]
mod tests;
mod tracce;
mod transazione;
mod url;
mod valori;
mod verifica;
pub mod writer;

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};
use uuid::Uuid;

use crate::carte::{Carta, Formato, Quale};
use crate::catalogo::Codice;
use crate::domanda::atto::Seguito;
use crate::domanda::consultazione::{
    Consultazione, Corrispondenza, DomandaConsultata, Riferimento, SchedaTrovata,
};
use crate::domanda::elenco::{DomandaElencata, Filtro, Inizio, Pagina, PostoInElenco, Variazione};
use crate::domanda::quadro::Quadro;
use crate::domanda::{Allegato, Ambiente, Avente, CodiceFiscale, DomandaViva, Fascicolo, Scheda, SchedaViva};
use crate::patronato::{ChiaveInvio, CodiceEnte, CodiceUfficio, UserId};
use crate::prestazione::{Operazione, Prestazione};
use crate::protocollo::{NumeroDomanda, NumeroProtocollo};
use crate::ricevuta::{Digest, Registrata, Ricevuta};
use crate::rifiuto::{Failure, Guasto};
use crate::trace::persona::ChiaveRicerca;
use crate::trace::{RifiutoAllaPorta, Traccia};

pub use crate::trace::ricerca::{PaginaTracce, Posto, Ricerca};
pub use carte::{RegistrazioneTrovata, Richiesta};
pub(crate) use postgres::connect_options as postgres_options;
pub use url::{NotAStoreUrl, PostgresUrl, StoreUrl};

/// How to open a store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenOptions {
    /// The ambiente that it must belong to.
    pub ambiente: Ambiente,
    /// Lay down a new store where there is none.
    pub create: bool,
    /// Bring an older schema up to ours; else it is refused.
    pub migrate: bool,
    /// Open one, too, that was moved to another store (`copy`), or whose move was begun: for a look at what it holds. It
    /// takes no registration, and a gateway never opens it so.
    pub anche_trasferito: bool,
    /// Where the business clock shall start (`orologio.inizio`); refused in produzione. `None` leaves the clock of
    /// the store as it runs.
    pub orologio_inizio: Option<Timestamp>,
    /// The true time, now.
    pub adesso: Timestamp,
    /// How many connections read (PostgreSQL: and write traces).
    pub lettori: u32,
    /// How long to wait for a connection, or for another process that writes.
    pub attesa: Duration,
    /// How long one statement of PostgreSQL may take.
    pub istruzione: Duration,
    /// Ceiling of the embedded store's file in pages of 4 KiB; 0 = none.
    pub max_page_count: u32,
    /// Where it is written which numbers were told; `None` = whoever opens it so tells none.
    pub ancore: Option<ancore::AncoreConfig>,
    /// By which the trace finds persons; `None` = it finds, and writes, none.
    pub chiave_ricerca: Option<ChiaveRicerca>,
}

impl OpenOptions {
    /// An existing store of this ambiente, brought up to date; `adesso` is the true time.
    #[must_use]
    pub fn new(ambiente: Ambiente, adesso: Timestamp) -> Self {
        Self {
            ambiente,
            create: false,
            migrate: true,
            anche_trasferito: false,
            orologio_inizio: None,
            adesso,
            lettori: 0,
            attesa: Duration::ZERO,
            istruzione: Duration::ZERO,
            max_page_count: 0,
            ancore: None,
            chiave_ricerca: None,
        }
        .with(DatabaseConfig::default())
    }

    /// The same, with the connections and patience that section `database` says.
    #[must_use]
    pub fn with(self, database: DatabaseConfig) -> Self {
        Self {
            lettori: u32::try_from(database.connessioni).unwrap_or(u32::MAX),
            attesa: database.attesa,
            istruzione: database.istruzione,
            ..self
        }
    }
}

/// Section `database`: how many connections the store may use, and how long it may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DatabaseConfig {
    /// Connections that read; on PostgreSQL they write traces too, and one more registers.
    pub connessioni: usize,
    /// How long to wait for a connection, or for another process that writes.
    pub attesa: Duration,
    /// How long one statement of PostgreSQL may take.
    pub istruzione: Duration,
}

impl Default for DatabaseConfig {
    fn default() -> Self {
        Self {
            connessioni: 4,
            attesa: Duration::from_secs(5),
            istruzione: Duration::from_secs(10),
        }
    }
}

/// Opens a store, and tells how far its business clock is ahead of the true one.
///
/// The clock: `orologio_inizio` sets it once, and it runs on from there, over restarts too; another `orologio_inizio`
/// sets it anew. The register itself never goes back, whatever the clock says.
///
/// A register that is not as promised does not keep the store from being read: it is looked over at the first
/// [`Store::ping`] or registration, and refused there.
pub async fn open(
    url: &StoreUrl,
    options: &OpenOptions,
) -> Result<(SharedStore, SignedDuration), StoreError> {
    check_clock(options)?;
    Ok(match url {
        StoreUrl::Sqlite(path) => {
            let (store, offset) = sqlite::SqliteStore::open(path, options).await?;
            (Arc::new(store), offset)
        }
        StoreUrl::Postgres(url) => {
            let (store, offset) = postgres::PostgresStore::open(url, options).await?;
            (Arc::new(store), offset)
        }
    })
}

/// The versions of the schema that this program knows, the oldest first; both kinds of store have the same.
#[must_use]
pub fn versioni() -> Vec<i64> {
    sqlite::versioni()
}

/// In produzione there is one clock.
fn check_clock(options: &OpenOptions) -> Result<(), StoreError> {
    if options.ambiente == Ambiente::Produzione && options.orologio_inizio.is_some() {
        return Err(StoreError::Refused(
            "orologio.inizio is set, but in produzione there is one clock; remove it".to_owned(),
        ));
    }
    Ok(())
}

/// A key as it is unique: per ente and service.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Chiave {
    /// Whose.
    pub ente: CodiceEnte,
    /// Of which service.
    pub servizio: &'static str,
    /// The key itself, compared byte by byte.
    pub chiave: ChiaveInvio,
}

/// One act to register: all but what the registration itself decides.
#[derive(Debug, Clone)]
pub struct Atto {
    /// Its key.
    pub chiave: Chiave,
    /// Which prestazione (and so which register).
    pub prestazione: &'static Prestazione,
    /// Its digest.
    pub digest: Digest,
    /// SHA-256 of the content's bytes as received.
    pub impronta: [u8; 32],
    /// When the request had wholly come.
    pub presentata_il: Timestamp,
    /// The ente's name, for the receipt.
    pub ente_denominazione: String,
    /// The ufficio.
    pub codice_ufficio: CodiceUfficio,
    /// The operator.
    pub user_id: UserId,
    /// SHA-256 of the client certificate, hex.
    pub certificato_sha256: String,
    /// `MODI`, `PDD`, `LOTTO`, `EMERGENZA`.
    pub canale: &'static str,
    /// Its number in the emergency register, if it was taken in there (DPR 445/2000 art. 63). Such an act draws its
    /// ordinary number while the emergency is open, when no other does, and at no other time.
    pub emergenza: Option<u64>,
    /// Which operation it came by.
    pub operazione: Operazione,
    /// What to write of it.
    pub contenuto: Contenuto,
    /// The whole request as received, stored once, compressed.
    pub richiesta: Bytes,
    /// Where the content element stands in `richiesta`: from, to.
    pub contenuto_in_richiesta: (usize, usize),
    /// The trace record, complete but for outcome, number and receipt. It is written with the registration, and only
    /// with it: of an act that ends otherwise the caller writes the trace (`trace::writer`). Its `richiesta` and
    /// `risposta` stay `None`: the registration holds them.
    pub traccia: Traccia,
    /// Writes the receipt's bytes: `soap::answer`'s, handed in so that the port knows no XML.
    pub stampa: fn(&Ricevuta) -> Vec<u8>,
}

impl Atto {
    /// What the busta that it came in uses up, with the day that it tells.
    #[must_use]
    pub fn busta(&self) -> Option<(Date, &str)> {
        self.traccia.egov.as_ref()?.busta()
    }
}

/// What an act brings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Contenuto {
    /// A domanda: it opens one, with a number of its own.
    Domanda(Fascicolo),
    /// A change of a domanda that is there.
    Seguito(Seguito),
}

impl Contenuto {
    /// The domanda that it opens, if it opens one.
    #[must_use]
    pub fn fascicolo(&self) -> Option<&Fascicolo> {
        match self {
            Self::Domanda(fascicolo) => Some(fascicolo),
            Self::Seguito(_) => None,
        }
    }

    /// The change that it makes, if it makes one.
    #[must_use]
    pub fn seguito(&self) -> Option<&Seguito> {
        match self {
            Self::Domanda(_) => None,
            Self::Seguito(seguito) => Some(seguito),
        }
    }

    /// The sheets that it brings: those of a domanda, or those that an act adds.
    pub fn schede(&self) -> impl Iterator<Item = &Scheda> {
        let della_domanda = self
            .fascicolo()
            .into_iter()
            .flat_map(|fascicolo| &fascicolo.schede);
        let aggiunte = self.seguito().into_iter().flat_map(Seguito::nuove_schede);
        della_domanda.chain(aggiunte)
    }

    /// The documents that it brings.
    #[must_use]
    pub fn allegati(&self) -> &[Allegato] {
        match self {
            Self::Domanda(fascicolo) => &fascicolo.allegati,
            Self::Seguito(seguito) => &seguito.allegati,
        }
    }

    /// Date of the sender's own file, if told.
    #[must_use]
    pub fn data_pratica(&self) -> Option<Date> {
        match self {
            Self::Domanda(fascicolo) => fascicolo.data_pratica,
            Self::Seguito(seguito) => seguito.data_pratica,
        }
    }
}

/// How one act of a batch ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Registrazione {
    /// New: it has its number.
    Registrata(Registrata),
    /// The same key and content came before.
    Ripetuta(Registrata),
    /// The same key came before with other content.
    Conflitto(Registrata),
    /// A child has a live sheet already: nothing was written, the key is free. (AT-6; the places count from 1.)
    /// Also the answer to a domanda that names the same child twice: the second place has the sheet of the first.
    SchedaViva(Vec<(u32, SchedaViva)>),
    /// Whose domanda it is has another live one: nothing was written, the key is free. (AU-7; with the live sheets that
    /// its children have, not all of them.)
    DomandaViva(DomandaViva, Vec<(u32, SchedaViva)>),
    /// The domanda that the act is about is no longer the one that the rules saw: nothing was written, the key is free.
    /// Whoever asks reads it again and asks the rules again.
    Superata,
    /// The key is that of a lot.
    ChiaveDiLotto(Uuid),
    /// The Identificatore of the busta that it came in was used up before: nothing was written, the key is free.
    BustaDoppia,
}

/// One line of the register.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RigaRegistro {
    /// The number.
    pub protocollo: NumeroProtocollo,
    /// Whose.
    pub ente: String,
    /// With which key.
    pub chiave_invio: String,
    /// When.
    pub registrata_il: Timestamp,
}

/// What a store says of itself, for whoever looks after it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identikit {
    /// Which engine: `SQLite 3.50.4`, `PostgreSQL 15.14`.
    pub motore: String,
    /// Version of its schema.
    pub schema: i64,
    /// What makes a commit durable, as it is in force: `synchronous=FULL`, `synchronous_commit=on`.
    pub sincronia: String,
    /// How we came to it, when others come to it too; the embedded store is a file.
    pub ingresso: Option<Ingresso>,
}

/// How we came to a database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ingresso {
    /// Who logged in.
    pub utente: String,
    /// In which role statements are executed.
    pub ruolo: String,
    /// Version of TLS; `None` = in the clear.
    pub tls: Option<String>,
    /// Whether this user could put the guards of the register aside: it owns them, or is a superuser.
    pub padrone: bool,
}

/// What a store takes up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Misure {
    /// Connections that read, at work now.
    pub in_uso: u32,
    /// Connections that read, idle.
    pub libere: u32,
    /// How many of them there may be.
    pub connessioni_max: u32,
    /// The embedded store's file, log and disk.
    pub file: Option<FileArchivio>,
}

/// The embedded store as the system sees it; `None` is what it did not say.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct FileArchivio {
    /// Bytes of the file.
    pub byte: Option<u64>,
    /// Bytes of its log.
    pub wal: Option<u64>,
    /// Bytes that we may still write on its disk.
    pub disco_libero: Option<u64>,
    /// Bytes of its disk.
    pub disco: Option<u64>,
}

impl Misure {
    /// The connections of a pool; no file.
    fn of<D: sqlx::Database>(lettori: &sqlx::Pool<D>) -> Self {
        let libere = u32::try_from(lettori.num_idle()).unwrap_or(u32::MAX);
        Self {
            in_uso: lettori.size().saturating_sub(libere),
            libere,
            connessioni_max: lettori.options().get_max_connections(),
            file: None,
        }
    }
}

/// What a look over the whole register found.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Verifica {
    /// How many registrations were seen.
    pub registrazioni: u64,
    /// Each thing that is not as promised (a gap, a repeat, a counter that lies); empty = all is well.
    pub anomalie: Vec<String>,
}

/// What can go wrong with the store. All of it is ours: the same message, sent again, may succeed. Cheap to clone,
/// because one failure answers every act of its batch.
#[derive(Debug, Clone, thiserror::Error)]
pub enum StoreError {
    /// It does not answer, or not in time, or it is not known whether it wrote.
    #[error("store unavailable: {0}")]
    Unavailable(#[source] Arc<dyn Error + Send + Sync>),
    /// It is known not to have been written because the queue or the disk is full.
    #[error("store full: {0}")]
    Full(String),
    /// A row says what our code cannot have written.
    #[error(transparent)]
    Inconsistency(#[from] Inconsistency),
    /// It stands before what was told: it was put back from a copy of before, and its numbers were given away (`ancore`).
    #[error("store behind: {0}")]
    Indietro(String),
    /// The emergency register is open: no number is drawn until it is closed (DPR 445/2000 art. 63).
    #[error("register {0} stands still: its emergency register is open")]
    Emergenza(String),
    /// Opened for another ambiente, by another version, or with settings that break a promise.
    #[error("store refused: {0}")]
    Refused(String),
}

impl StoreError {
    /// Every code that one of them is told by.
    pub const CODICI: &[Codice] = &[
        Codice::Sto001,
        Codice::Sto002,
        Codice::Sto003,
        Codice::Sto004,
        Codice::Pro001,
        Codice::Sys001,
    ];

    /// Unavailable, because of `cause`.
    pub fn unavailable(cause: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self::Unavailable(Arc::from(cause.into()))
    }

    /// What the sender is told: each of them may be repeated with the same key.
    #[must_use]
    pub fn codice(&self) -> Codice {
        match self {
            Self::Unavailable(_) => Codice::Sto001,
            Self::Full(_) => Codice::Sto002,
            Self::Emergenza(_) => Codice::Pro001,
            Self::Refused(_) => Codice::Sto003,
            Self::Indietro(_) => Codice::Sto004,
            Self::Inconsistency(_) => Codice::Sys001,
        }
    }
}

impl From<StoreError> for Failure {
    fn from(errore: StoreError) -> Self {
        Guasto::Store {
            codice: errore.codice(),
            causa: errore.to_string(),
        }
        .into()
    }
}

/// A row that our code cannot have written.
#[derive(Debug, Clone, thiserror::Error)]
#[error("inconsistent row in {table}.{column}: {source}")]
pub struct Inconsistency {
    /// The table.
    pub table: &'static str,
    /// The column.
    pub column: &'static str,
    /// What was wrong. Never the value.
    #[source]
    pub source: Arc<dyn Error + Send + Sync>,
}

impl Inconsistency {
    /// What is wrong in a column of a table.
    pub fn new(
        table: &'static str,
        column: &'static str,
        source: impl Into<Box<dyn Error + Send + Sync>>,
    ) -> Self {
        Self {
            table,
            column,
            source: Arc::from(source.into()),
        }
    }
}

/// What must be kept. Two implementations, each with its own SQL.
#[async_trait]
pub trait Store:
    lotti::ArchivioLotti
    + egov::ArchivioEgov
    + filtri::ArchivioFiltri
    + sigilli::ArchivioSigilli
    + spazio::ArchivioSpazio
    + operatori::ArchivioOperatori
    + manutenzione::ArchivioManutenzioni
    + diagnosi::ArchivioDiagnosi
    + interessato::ArchivioInteressati
    + quote::ArchivioQuote
    + Send
    + Sync
    + std::fmt::Debug
{
    /// What is registered under a key: the cheap look of `replay`.
    async fn registrata(&self, chiave: &Chiave) -> Result<Option<Registrata>, StoreError>;

    /// The live sheets that these children have for a service.
    async fn schede_vive(
        &self,
        servizio: &'static str,
        minori: &[CodiceFiscale],
    ) -> Result<Vec<SchedaViva>, StoreError>;

    /// The live domande that somebody has for a service.
    async fn domande_vive(
        &self,
        servizio: &'static str,
        avente: &Avente,
    ) -> Result<Vec<DomandaViva>, StoreError>;

    /// Registers a batch in one transaction, at `adesso` of the business clock; outcomes in the order of the acts.
    ///
    /// The trace record of an act is written in that same transaction when the act is registered. Of the others
    /// (`RIPETUTA`; `FAULT` with RPL-001; `RIFIUTATA` with AT-006 or by the rules that are asked again) the caller writes it, with [`Store::write_tracce`].
    ///
    /// An error speaks for the whole batch: nothing of it was registered, or it is not known; sending an act again
    /// with its key is always safe. Dropping the future is safe too.
    async fn register(&self, atti: &[Atto], adesso: Timestamp) -> Result<Vec<Registrazione>, StoreError>;

    /// What an ente is told of a domanda of its own, by any of its names: one trip. Of another's domanda it is told the
    /// sheets whose second parent it spoke for, and nothing of the others.
    async fn consulta(
        &self,
        ente: &CodiceEnte,
        servizio: &'static str,
        riferimento: &Riferimento,
    ) -> Result<Option<Consultazione>, StoreError>;

    /// The sheet that a second parent's act is about, whoever presented its domanda: the one where all matches.
    async fn scheda_di(
        &self,
        servizio: &'static str,
        corrispondenza: &Corrispondenza,
    ) -> Result<Option<SchedaTrovata>, StoreError>;

    /// A domanda with all its plain values.
    async fn quadro(&self, numero: NumeroDomanda) -> Result<Option<Quadro>, StoreError>;

    /// A domanda of an ente, by any of its names: what the rules of an act look at.
    async fn domanda(
        &self,
        ente: &CodiceEnte,
        servizio: &'static str,
        riferimento: &Riferimento,
    ) -> Result<Option<DomandaConsultata>, StoreError>;

    /// A page of what changed in an ente's domande, in the order in which it was committed: what is told once never gets
    /// an earlier neighbour.
    async fn variazioni(
        &self,
        ente: &CodiceEnte,
        servizio: &'static str,
        inizio: Inizio,
        righe_max: u32,
    ) -> Result<Pagina<Variazione, u64>, StoreError>;

    /// A registration of an ente, by any of its names; the number of a domanda names the one that opened it, an imprint
    /// the newest that has it.
    async fn registrazione(
        &self,
        ente: &CodiceEnte,
        servizio: &'static str,
        riferimento: &Riferimento,
    ) -> Result<Option<RegistrazioneTrovata>, StoreError>;

    /// A paper that was made of it once. A summary is there no longer than the request.
    async fn carta(
        &self,
        trovata: &RegistrazioneTrovata,
        quale: Quale,
        formato: Formato,
    ) -> Result<Option<Carta>, StoreError>;

    /// What a summary is made from; `None` once the request was purged.
    async fn richiesta(&self, trovata: &RegistrazioneTrovata) -> Result<Option<Richiesta>, StoreError>;

    /// Keeps a paper, unless one was kept before: that one stays. What comes back is what is kept; `None` for a summary
    /// whose request was purged meanwhile.
    async fn keep_carta(
        &self,
        trovata: &RegistrazioneTrovata,
        carta: &Carta,
        adesso: Timestamp,
    ) -> Result<Option<Carta>, StoreError>;

    /// A page of an ente's domande, in the order in which they were presented. What is searched for by several criteria
    /// at once may be rare in what each alone finds: then a page has few rows, or none, and yet goes on.
    async fn ricerca(
        &self,
        ente: &CodiceEnte,
        servizio: &'static str,
        filtro: &Filtro,
        dopo: Option<PostoInElenco>,
        righe_max: u32,
    ) -> Result<Pagina<DomandaElencata, Option<PostoInElenco>>, StoreError>;

    /// Writes trace records that no registration carried. A message that has its record already keeps it.
    async fn write_tracce(&self, tracce: &[Traccia]) -> Result<(), StoreError>;

    /// Writes refusals at the door.
    async fn write_porta(&self, rifiuti: &[RifiutoAllaPorta]) -> Result<(), StoreError>;

    /// A page of traces, newest first: the record (its bytes decompressed, those of the registration included).
    async fn tracce(&self, ricerca: &Ricerca) -> Result<PaginaTracce, StoreError>;

    /// Whether it finds whoever is named in a message that was not registered: else it was opened without a key.
    fn trova_persone(&self) -> bool;

    /// The door log, newest first.
    async fn porta(&self, dal: Option<Timestamp>, limite: u32) -> Result<Vec<RifiutoAllaPorta>, StoreError>;

    /// The register in order, a page after `dopo`.
    async fn registro(
        &self,
        dopo: Option<&NumeroProtocollo>,
        limite: u32,
    ) -> Result<Vec<RigaRegistro>, StoreError>;

    /// Looks over the whole register: 1..max without gap or repeat, instants that do not go back, a counter that agrees.
    async fn verify(&self) -> Result<Verifica, StoreError>;

    /// What it is, how durable, and with which rights we speak to it.
    async fn identikit(&self) -> Result<Identikit, StoreError>;

    /// Whether it would take a registration now; opens again what a failure closed.
    async fn ping(&self) -> Result<(), StoreError>;

    /// Whether a commit would be durable now: writes as a registration does, and leaves nothing. A readiness probe's look,
    /// every second or so: never two at a time.
    async fn probe(&self) -> Result<(), StoreError>;

    /// How much room it takes and has left: read from the system and from memory, not from the store.
    fn misure(&self) -> Misure;

    /// Upkeep for a moment in which nothing waits (a log to fold up, space to give back). Takes little time.
    async fn tidy(&self) -> Result<(), StoreError> {
        Ok(())
    }

    /// Closes every connection, in order. A store that is merely dropped loses nothing.
    async fn close(&self);
}

/// A store that is shared.
pub type SharedStore = Arc<dyn Store>;
