//! The register as the law asks (DPR 445/2000 art. 53-55, 61, 63): what only its keeper does, by the command line. The
//! intake never comes here; on PostgreSQL its role could not.

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};
use sqlx::{ColumnIndex, Decode, Row, Type};

use super::codec::unpack;
use super::lacune::Dichiarazione;
use super::valori::Riga;
use super::{Inconsistency, OpenOptions, Store, StoreError, StoreUrl, postgres, sqlite};
use crate::domanda::Ambiente;
use crate::protocollo::NumeroProtocollo;
use crate::registro::{
    Annullamento, Assegnazione, Campo, Correlazione, Emergenza, Fatti, Giornaliero, Iscrizione, Lacuna,
    PROROGA_MAX, Proroga, Provvedimento, RecuperoFatto,
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

    /// The days that have a daily register, in order.
    async fn giorni(&self, registro: &str) -> Result<Vec<Date>, StoreError>;

    /// What is kept beside the registrations of a page, the same as [`Self::iscrizioni`] gives.
    async fn conservati(
        &self,
        registro: &str,
        dopo: (i16, u64),
        limite: u32,
    ) -> Result<Vec<Conservato>, StoreError>;

    /// Declares the holes between the counters and what was told, and moves the counters behind them: one transaction,
    /// under the locks of the registers. Refused where there is none.
    async fn dichiara(
        &self,
        dichiarazione: &Dichiarazione<'_>,
        adesso: Timestamp,
    ) -> Result<Vec<Lacuna>, StoreError>;

    /// The declared holes, oldest first.
    async fn lacune(&self) -> Result<Vec<Lacuna>, StoreError>;

    /// What was brought back out of other stores, oldest first.
    async fn recuperi(&self) -> Result<Vec<RecuperoFatto>, StoreError>;

    /// What tables say of each other that cannot be: one sentence each.
    async fn contraddizioni(&self) -> Result<Vec<String>, StoreError>;

    /// Opens the emergency register: from the commit on, under the lock of the register, no act draws a number.
    async fn apri_emergenza(
        &self,
        apertura: &Apertura<'_>,
        adesso: Timestamp,
    ) -> Result<EsitoApertura, StoreError>;

    /// Closes it; `None` = it was not open.
    async fn chiudi_emergenza(
        &self,
        registro: &str,
        operatore: &str,
        adesso: Timestamp,
    ) -> Result<Option<Emergenza>, StoreError>;

    /// Writes down a further period of the interruption that is open, from where the one before it ends.
    async fn proroga_emergenza(
        &self,
        richiesta: &RichiestaProroga<'_>,
        adesso: Timestamp,
    ) -> Result<EsitoProroga, StoreError>;

    /// The further periods of every interruption, in their order.
    async fn proroghe(&self) -> Result<Vec<Proroga>, StoreError>;

    /// Sets classification or office of a registration, the only data of it that may change: a new fact beside those
    /// before. One transaction, under the lock of the register.
    async fn assegna(
        &self,
        richiesta: &RichiestaAssegnazione<'_>,
        adesso: Timestamp,
    ) -> Result<EsitoAssegnazione, StoreError>;

    /// How a registration was classified and assigned, in order.
    async fn assegnazioni(&self, iscrizione: &Iscrizione) -> Result<Vec<Assegnazione>, StoreError>;

    /// Every interruption, oldest first.
    async fn emergenze(&self) -> Result<Vec<Emergenza>, StoreError>;

    /// The ordinary registrations of an interruption, in the order of their emergency numbers.
    async fn correlazioni(&self, emergenza: i64) -> Result<Vec<Correlazione>, StoreError>;
}

/// What is kept of one registration beside its row.
#[derive(Debug)]
pub struct Conservato {
    /// Year and number.
    pub numero: (i16, u64),
    /// The receipt; `None` = there is none.
    pub ricevuta: Option<Result<Bytes, Inconsistency>>,
    /// The request; `None` = there is none.
    pub richiesta: Option<Result<Bytes, Inconsistency>>,
    /// Where the Domanda stands in the request: from, to.
    pub domanda_in_richiesta: (usize, usize),
    /// Whether the request was purged, its time being over.
    pub scartata: bool,
    /// Whether the key is claimed for this registration.
    pub chiave: bool,
}

/// On whose authority an emergency register is opened.
#[derive(Debug, Clone, Copy)]
pub struct Apertura<'a> {
    /// Which register stands still.
    pub registro: &'a str,
    /// Why.
    pub causa: &'a str,
    /// By whom.
    pub operatore: &'a str,
    /// The provision that authorises it.
    pub provvedimento: &'a Provvedimento,
}

/// How the opening ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EsitoApertura {
    /// It is open now.
    Aperta(Timestamp),
    /// It was open already, since then.
    GiaAperta(Timestamp),
}

/// For how much longer an emergency register may be used, and on whose authority.
#[derive(Debug, Clone, Copy)]
pub struct RichiestaProroga<'a> {
    /// Which register stands still.
    pub registro: &'a str,
    /// Up to when.
    pub fino_a: Timestamp,
    /// By whom.
    pub operatore: &'a str,
    /// The provision that authorises it.
    pub provvedimento: &'a Provvedimento,
}

/// How it ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EsitoProroga {
    /// Written down: from the first to the second.
    Concessa(Timestamp, Timestamp),
    /// No emergency register is open.
    NonAperta,
    /// The period begins there, and must end after that.
    NonDopo(Timestamp),
    /// The period begins at the first, and ends at the second at the latest.
    TroppoLunga(Timestamp, Timestamp),
}

impl RichiestaProroga<'_> {
    /// Where its period begins, if it is one that a provision may give.
    pub(super) fn period(
        &self,
        emergenza: &Emergenza,
        proroghe: &[Proroga],
    ) -> Result<Timestamp, EsitoProroga> {
        let dal = emergenza.autorizzata_fino_a(proroghe);
        let al_massimo = dal.saturating_add(PROROGA_MAX).unwrap_or(dal);
        if self.fino_a <= dal {
            return Err(EsitoProroga::NonDopo(dal));
        }
        if self.fino_a > al_massimo {
            return Err(EsitoProroga::TroppoLunga(dal, al_massimo));
        }
        Ok(dal)
    }
}

/// What to set, and by whom.
#[derive(Debug, Clone, Copy)]
pub struct RichiestaAssegnazione<'a> {
    /// Of which registration.
    pub protocollo: &'a NumeroProtocollo,
    /// By whom.
    pub operatore: &'a str,
    /// Entry of the classification scheme; `None` = as it is.
    pub classifica: Option<&'a str>,
    /// The office that works it; `None` = as it is.
    pub assegnazione: Option<&'a str>,
}

/// How it ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EsitoAssegnazione {
    /// Written down, and in force since then.
    Assegnata(Timestamp),
    /// There is no such registration.
    Sconosciuta,
    /// It was annulled then: nobody works it.
    Annullata(Timestamp),
    /// It is so already.
    Immutata,
}

impl RichiestaAssegnazione<'_> {
    /// Whether it differs from what is in force.
    pub(super) fn changes(&self, finora: &[Assegnazione]) -> bool {
        let in_force = |of: fn(&Assegnazione) -> Option<&str>| finora.iter().rev().find_map(of);
        let classifica = in_force(|una| una.classifica.as_deref());
        let assegnazione = in_force(|una| una.assegnazione.as_deref());
        self.classifica.is_some_and(|nuova| Some(nuova) != classifica)
            || self.assegnazione.is_some_and(|nuova| Some(nuova) != assegnazione)
    }
}

/// What tables say of each other that cannot be, in words that both databases understand.
pub(super) const CONTRADDIZIONI: &str = "
SELECT 'annulment ' || CAST(a.id AS text) || ': of a registration that is not there' AS anomalia
FROM annullamenti a
WHERE NOT EXISTS (SELECT 1 FROM registrazioni r WHERE r.id = a.registrazione)
UNION ALL
SELECT r.protocollo || ': annulled, and ' || CAST(count(*) AS text) || ' of its sheets are not'
FROM annullamenti a
JOIN registrazioni r ON r.id = a.registrazione
JOIN domande d ON d.numero = r.numero_domanda AND d.registrazione = r.id
JOIN schede s ON s.numero_domanda = d.numero
WHERE a.campo IS NULL AND s.stato <> 'ANNULLATA'
GROUP BY r.protocollo
UNION ALL
SELECT r.protocollo || ': ' || CAST(count(*) AS text) || ' of its sheets are annulled, and it is not'
FROM schede s
JOIN domande d ON d.numero = s.numero_domanda
JOIN registrazioni r ON r.id = d.registrazione
WHERE s.stato = 'ANNULLATA'
    AND NOT EXISTS (SELECT 1 FROM annullamenti a WHERE a.registrazione = r.id AND a.campo IS NULL)
GROUP BY r.protocollo
UNION ALL
SELECT 'register ' || g.registro || ': the emergency in its row is not the one that is open'
FROM registro g
WHERE coalesce(g.emergenza, 0) <> coalesce((SELECT e.id FROM emergenze e
                                            WHERE e.registro = g.registro AND e.chiusa_il IS NULL), 0)
UNION ALL
SELECT 'EMG-' || c.registro || '/' || CAST(c.numero AS text) || ': of a registration that is not there'
FROM emergenza_registrazioni c
WHERE NOT EXISTS (SELECT 1 FROM registrazioni r WHERE r.id = c.registrazione)
ORDER BY 1";

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
        allegati: riga.parse("allegati", |json: String| serde_json::from_str(&json))?,
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

/// The columns of a further period, likewise.
pub(super) fn proroga_from<R: Row>(row: &R) -> Result<Proroga, Inconsistency>
where
    &'static str: ColumnIndex<R>,
    String: for<'d> Decode<'d, R::Database> + Type<R::Database>,
    i64: for<'d> Decode<'d, R::Database> + Type<R::Database>,
{
    let riga = Riga {
        table: "proroghe",
        row,
    };
    Ok(Proroga {
        id: riga.get("id")?,
        emergenza: riga.get("emergenza")?,
        dal: millesimo(&riga, "dal_ms")?,
        al: millesimo(&riga, "al_ms")?,
        concessa_il: millesimo(&riga, "concessa_ms")?,
        operatore: riga.get("operatore")?,
        provvedimento_numero: riga.get("provvedimento_numero")?,
        provvedimento_data: riga.get("provvedimento_data")?,
    })
}

/// The columns of a correlation, likewise.
pub(super) fn correlazione_from<R: Row>(row: &R) -> Result<Correlazione, Inconsistency>
where
    &'static str: ColumnIndex<R>,
    String: for<'d> Decode<'d, R::Database> + Type<R::Database>,
    i64: for<'d> Decode<'d, R::Database> + Type<R::Database>,
{
    let riga = Riga {
        table: "emergenza_registrazioni",
        row,
    };
    Ok(Correlazione {
        numero: riga.count("numero")?,
        istante: millesimo(&riga, "istante_ms")?,
        protocollo: riga.get("protocollo")?,
    })
}

/// The columns of what is kept beside a registration: those of `ricevute` begin with `v_`, those of `payload` with `p_`.
pub(super) fn conservato_from<R: Row>(row: &R) -> Result<Conservato, Inconsistency>
where
    &'static str: ColumnIndex<R>,
    String: for<'d> Decode<'d, R::Database> + Type<R::Database>,
    i64: for<'d> Decode<'d, R::Database> + Type<R::Database>,
    bool: for<'d> Decode<'d, R::Database> + Type<R::Database>,
    Vec<u8>: for<'d> Decode<'d, R::Database> + Type<R::Database>,
{
    let riga = Riga {
        table: "registrazioni",
        row,
    };
    let bytes = |table: &'static str, [codec, chiave_id, bytes_len, bytes]: [&'static str; 4]| {
        let Some(conservati) = riga.get::<Option<Vec<u8>>>(bytes)? else {
            return Ok::<_, Inconsistency>(None);
        };
        let chiave_id: Option<String> = riga.get(chiave_id)?;
        let codec: String = riga.get(codec)?;
        let letti = riga
            .parse(bytes_len, |len: i64| usize::try_from(len))
            .and_then(|len| unpack(table, &codec, chiave_id.as_deref(), len, conservati));
        Ok(Some(letti))
    };
    let posto = |colonna| {
        riga.get::<Option<i64>>(colonna)
            .map(|posto| usize::try_from(posto.unwrap_or(0)).unwrap_or(usize::MAX))
    };
    let mut ricevuta = bytes("ricevute", ["v_codec", "v_chiave_id", "v_bytes_len", "v_bytes"])?;
    if ricevuta.is_some() && riga.get::<Option<String>>("v_formato")?.as_deref() != Some("XML") {
        ricevuta = Some(Err(Inconsistency::new("ricevute", "formato", "unknown format")));
    }
    Ok(Conservato {
        numero: (
            riga.parse("anno", |anno: i64| i16::try_from(anno))?,
            riga.count("numero")?,
        ),
        ricevuta,
        richiesta: bytes("payload", ["p_codec", "p_chiave_id", "p_bytes_len", "p_bytes"])?,
        domanda_in_richiesta: (posto("p_da")?, posto("p_a")?),
        scartata: riga.get("scartata")?,
        chiave: riga.get("chiave")?,
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

/// A day that has a daily register.
pub(super) fn giorno_from<R: Row>(row: &R) -> Result<Date, Inconsistency>
where
    &'static str: ColumnIndex<R>,
    String: for<'d> Decode<'d, R::Database> + Type<R::Database>,
{
    let riga = Riga {
        table: "registri_giornalieri",
        row,
    };
    riga.parse("giorno", |giorno: String| giorno.parse::<Date>())
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
