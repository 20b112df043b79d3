//! The register as the law asks (DPR 445/2000 art. 53-55, 61, 63): what only its keeper does, by the command line. The
//! intake never comes here; on PostgreSQL its role could not.

use std::sync::Arc;

use async_trait::async_trait;
use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};
use sqlx::{ColumnIndex, Decode, Row, Type};

use super::codec::unpack;
use super::valori::Riga;
use super::{Inconsistency, OpenOptions, Store, StoreError, StoreUrl, postgres, sqlite};
use crate::domanda::Ambiente;
use crate::protocollo::NumeroProtocollo;
use crate::registro::{
    Annullamento, Assegnazione, Campo, Emergenza, Fatti, Giornaliero, Iscrizione, Provvedimento,
};

/// The store as who keeps the register sees it. Two implementations, each with its own SQL.
#[async_trait]
pub trait RegistroLegale: Store {
    /// Annuls a registration, or one field of it: a new fact beside it. Where the whole of a registration that opened a
    /// domanda is annulled, its sheets are too, and its children are free; the feed tells it. One transaction, under the
    /// lock of the register.
    async fn annulla(&self, richiesta: &Annullo<'_>, adesso: Timestamp) -> Result<EsitoAnnullo, StoreError>;

    /// One registration with all its data.
    async fn iscrizione(&self, protocollo: &NumeroProtocollo) -> Result<Option<Iscrizione>, StoreError>;

    /// What was annulled of a registration, in order.
    async fn annullamenti(&self, iscrizione: &Iscrizione) -> Result<Vec<Annullamento>, StoreError>;

    /// The ambiente of the store.
    fn ambiente(&self) -> Ambiente;

    /// The registers that were ever drawn from.
    async fn registri(&self) -> Result<Vec<StatoRegistro>, StoreError>;

    /// A page of a register, in order, after a number (year and number).
    async fn iscrizioni(
        &self,
        registro: &str,
        dopo: (i16, u64),
        limite: u32,
    ) -> Result<Vec<Iscrizione>, StoreError>;

    /// What was written beside the registrations of a register from one instant up to and without another, in order; as
    /// it stood at the end.
    async fn fatti(&self, registro: &str, dal: Timestamp, al: Timestamp) -> Result<Fatti, StoreError>;

    /// Closes a register up to an instant: under its lock, so that no registration of before is still on its way, and
    /// none can come. A register that is closed further stays so.
    async fn chiudi(&self, registro: &str, fino_a: Timestamp) -> Result<(), StoreError>;

    /// The daily register of a day.
    async fn giornaliero(&self, registro: &str, giorno: Date) -> Result<Option<Giornaliero>, StoreError>;

    /// The newest daily register.
    async fn ultimo_giornaliero(&self, registro: &str) -> Result<Option<Giornaliero>, StoreError>;

    /// Keeps a daily register, unless its day has one: what is there stays.
    async fn conserva(&self, giornaliero: &Giornaliero) -> Result<(), StoreError>;
}

/// A register as its counter shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StatoRegistro {
    /// The register: `AUF`.
    pub registro: String,
    /// Its first instant: of its first registration, or of an emergency before it; `None` = there is neither.
    pub primo: Option<Timestamp>,
    /// Days before this instant are closed.
    pub chiuso_fino_a: Timestamp,
    /// How many registrations it has.
    pub quante: u64,
}

/// A store that is shared by who keeps the register.
pub type SharedRegistro = Arc<dyn RegistroLegale>;

/// Opens a store for who keeps the register; on PostgreSQL as the role `varco_registro` where the user is a member of it.
/// See [`super::open`].
pub async fn open_registro(
    url: &StoreUrl,
    options: &OpenOptions,
) -> Result<(SharedRegistro, SignedDuration), StoreError> {
    super::check_clock(options)?;
    Ok(match url {
        StoreUrl::Sqlite(path) => {
            let (store, offset) = sqlite::SqliteStore::open(path, options).await?;
            (Arc::new(store), offset)
        }
        StoreUrl::Postgres(url) => {
            let (store, offset) = postgres::PostgresStore::open_for_register(url, options).await?;
            (Arc::new(store), offset)
        }
    })
}

/// What to annul, and on whose authority.
#[derive(Debug, Clone, Copy)]
pub struct Annullo<'a> {
    /// Which registration.
    pub protocollo: &'a NumeroProtocollo,
    /// Only this field; `None` = the whole.
    pub campo: Option<Campo>,
    /// By whom.
    pub operatore: &'a str,
    /// Why.
    pub motivo: &'a str,
    /// The provision that authorises it.
    pub provvedimento: &'a Provvedimento,
}

/// How an annulment ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EsitoAnnullo {
    /// Annulled.
    Annullata {
        /// When.
        annullata_il: Timestamp,
        /// How many sheets were annulled with it.
        schede: u64,
    },
    /// There is no such registration.
    Sconosciuta,
    /// It was annulled before, then: the whole, or that field.
    GiaAnnullata(Timestamp),
}

/// What the columns of a registration are called, as [`iscrizione_from`] reads them: texts and numbers, whatever types
/// the store has.
pub(super) fn iscrizione_from<R: Row>(row: &R) -> Result<Iscrizione, Inconsistency>
where
    &'static str: ColumnIndex<R>,
    String: for<'d> Decode<'d, R::Database> + Type<R::Database>,
    i64: for<'d> Decode<'d, R::Database> + Type<R::Database>,
{
    let riga = Riga {
        table: "registrazioni",
        row,
    };
    let testo = |colonna| riga.get::<String>(colonna);
    let se = |colonna| riga.get::<Option<String>>(colonna);
    Ok(Iscrizione {
        id: riga.get("id")?,
        anno: riga.parse("anno", |anno: i64| i16::try_from(anno))?,
        numero: riga.count("numero")?,
        protocollo: testo("protocollo")?,
        registrata_il: millesimo(&riga, "registrata_ms")?,
        presentata_il: millesimo(&riga, "presentata_ms")?,
        oggetto: testo("oggetto")?,
        servizio: testo("servizio")?,
        operazione: testo("operazione")?,
        ente: testo("ente")?,
        ente_denominazione: testo("ente_denominazione")?,
        codice_ufficio: testo("codice_ufficio")?,
        user_id: testo("user_id")?,
        richiedente: testo("richiedente")?,
        destinatario: testo("destinatario")?,
        chiave_invio: testo("chiave_invio")?,
        data_pratica: se("data_pratica")?,
        numero_domanda: riga.count("numero_domanda")?,
        collegato_a: se("collegato")?,
        digest: testo("digest")?,
        digest_versione: riga.get("digest_versione")?,
        impronta: testo("impronta")?,
        impronta_algoritmo: testo("impronta_algoritmo")?,
        allegati: se("allegati")?
            .map(|impronte| impronte.split(' ').map(str::to_owned).collect())
            .unwrap_or_default(),
        canale: testo("canale")?,
        message_id: testo("message_id")?,
        certificato_sha256: testo("certificato_sha256")?,
        ricevuta_sha256: se("ricevuta_sha256")?,
        richiesta_sha256: se("richiesta_sha256")?,
        emergenza: riga.parse_option("emergenza", |numero: i64| u64::try_from(numero))?,
    })
}

/// The columns of an annulment, likewise.
pub(super) fn annullamento_from<R: Row>(row: &R) -> Result<Annullamento, Inconsistency>
where
    &'static str: ColumnIndex<R>,
    String: for<'d> Decode<'d, R::Database> + Type<R::Database>,
    i64: for<'d> Decode<'d, R::Database> + Type<R::Database>,
{
    let riga = Riga {
        table: "annullamenti",
        row,
    };
    Ok(Annullamento {
        id: riga.get("id")?,
        protocollo: riga.get("protocollo")?,
        campo: riga.get("campo")?,
        annullata_il: millesimo(&riga, "annullata_ms")?,
        operatore: riga.get("operatore")?,
        motivo: riga.get("motivo")?,
        provvedimento_numero: riga.get("provvedimento_numero")?,
        provvedimento_data: riga.get("provvedimento_data")?,
    })
}

/// The columns of a change of assignment, likewise.
pub(super) fn assegnazione_from<R: Row>(row: &R) -> Result<Assegnazione, Inconsistency>
where
    &'static str: ColumnIndex<R>,
    String: for<'d> Decode<'d, R::Database> + Type<R::Database>,
    i64: for<'d> Decode<'d, R::Database> + Type<R::Database>,
{
    let riga = Riga {
        table: "assegnazioni",
        row,
    };
    Ok(Assegnazione {
        id: riga.get("id")?,
        protocollo: riga.get("protocollo")?,
        dal: millesimo(&riga, "dal_ms")?,
        operatore: riga.get("operatore")?,
        classifica: riga.get("classifica")?,
        assegnazione: riga.get("assegnazione")?,
    })
}

/// The columns of an interruption, likewise.
pub(super) fn emergenza_from<R: Row>(row: &R) -> Result<Emergenza, Inconsistency>
where
    &'static str: ColumnIndex<R>,
    String: for<'d> Decode<'d, R::Database> + Type<R::Database>,
    i64: for<'d> Decode<'d, R::Database> + Type<R::Database>,
{
    let riga = Riga {
        table: "emergenze",
        row,
    };
    Ok(Emergenza {
        id: riga.get("id")?,
        registro: riga.get("registro")?,
        aperta_il: millesimo(&riga, "aperta_ms")?,
        causa: riga.get("causa")?,
        operatore: riga.get("operatore")?,
        provvedimento_numero: riga.get("provvedimento_numero")?,
        provvedimento_data: riga.get("provvedimento_data")?,
        chiusa_il: riga.parse_option("chiusa_ms", Timestamp::from_millisecond)?,
        chiusa_da: riga.get("chiusa_da")?,
    })
}

/// An interruption as it stood at an instant: one that ended later was open then.
pub(super) fn as_of(mut emergenza: Emergenza, al: Timestamp) -> Emergenza {
    if emergenza.chiusa_il.is_some_and(|chiusa| chiusa >= al) {
        emergenza.chiusa_il = None;
        emergenza.chiusa_da = None;
    }
    emergenza
}

/// The columns of a register's counter, likewise.
pub(super) fn stato_from<R: Row>(row: &R) -> Result<StatoRegistro, Inconsistency>
where
    &'static str: ColumnIndex<R>,
    String: for<'d> Decode<'d, R::Database> + Type<R::Database>,
    i64: for<'d> Decode<'d, R::Database> + Type<R::Database>,
{
    let riga = Riga {
        table: "registro",
        row,
    };
    Ok(StatoRegistro {
        registro: riga.get("registro")?,
        primo: riga.parse_option("primo_ms", Timestamp::from_millisecond)?,
        chiuso_fino_a: millesimo(&riga, "chiuso_ms")?,
        quante: riga.count("quante")?,
    })
}

/// The columns of a daily register, likewise.
pub(super) fn giornaliero_from<R: Row>(row: &R) -> Result<Giornaliero, Inconsistency>
where
    &'static str: ColumnIndex<R>,
    String: for<'d> Decode<'d, R::Database> + Type<R::Database>,
    i64: for<'d> Decode<'d, R::Database> + Type<R::Database>,
    Vec<u8>: for<'d> Decode<'d, R::Database> + Type<R::Database>,
{
    const TABLE: &str = "registri_giornalieri";
    let riga = Riga { table: TABLE, row };
    let documento = unpack(
        TABLE,
        &riga.get::<String>("codec")?,
        riga.get::<Option<String>>("chiave_id")?.as_deref(),
        riga.parse("bytes_len", |len: i64| usize::try_from(len))?,
        riga.get("bytes")?,
    )?;
    Ok(Giornaliero {
        registro: riga.get("registro")?,
        giorno: riga.parse("giorno", |giorno: String| giorno.parse::<Date>())?,
        composto_il: millesimo(&riga, "composto_ms")?,
        fino_a: (
            riga.parse("fino_anno", |anno: i64| i16::try_from(anno))?,
            riga.count("fino_numero")?,
        ),
        precedente: riga.digest("precedente")?,
        sha256: riga.digest("sha256")?,
        documento: documento.into(),
    })
}

/// An instant of a column in milliseconds.
pub(super) fn millesimo<R: Row>(riga: &Riga<'_, R>, colonna: &'static str) -> Result<Timestamp, Inconsistency>
where
    &'static str: ColumnIndex<R>,
    i64: for<'d> Decode<'d, R::Database> + Type<R::Database>,
{
    riga.parse(colonna, Timestamp::from_millisecond)
}
