//! Between columns and values, whatever the store: columns that cannot hold what they hold, lists as JSON, months.

use std::collections::BTreeSet;
use std::error::Error;
use std::sync::{Mutex, PoisonError};

use bytes::Bytes;
use jiff::Timestamp;
use sqlx::{ColumnIndex, Decode, Row, Type};

use super::Inconsistency;
use super::codec::unpack;
use super::registro::{Aperta, Aperte, Chi};
use crate::domanda::codelista::Parola;
use crate::domanda::{CodiceFiscale, Dettagli, DomandaViva, Mese, Richiedente};
use crate::patronato::CodiceEnte;
use crate::protocollo::NumeroDomanda;

/// A row of a table, read column by column; what does not fit names table and column.
pub(super) struct Riga<'r, R> {
    pub(super) table: &'static str,
    pub(super) row: &'r R,
}

impl<R: Row> Riga<'_, R>
where
    &'static str: ColumnIndex<R>,
{
    /// A column as the driver reads it.
    pub(super) fn get<T>(&self, column: &'static str) -> Result<T, Inconsistency>
    where
        T: for<'d> Decode<'d, R::Database> + Type<R::Database>,
    {
        self.row
            .try_get(column)
            .map_err(|source| Inconsistency::new(self.table, column, source))
    }

    /// A column that `parse` makes a value of.
    pub(super) fn parse<T, V, E>(
        &self,
        column: &'static str,
        parse: impl FnOnce(T) -> Result<V, E>,
    ) -> Result<V, Inconsistency>
    where
        T: for<'d> Decode<'d, R::Database> + Type<R::Database>,
        E: Into<Box<dyn Error + Send + Sync>>,
    {
        parse(self.get(column)?).map_err(|source| Inconsistency::new(self.table, column, source))
    }

    /// A column that may be empty.
    pub(super) fn parse_option<T, V, E>(
        &self,
        column: &'static str,
        parse: impl FnOnce(T) -> Result<V, E>,
    ) -> Result<Option<V>, Inconsistency>
    where
        T: for<'d> Decode<'d, R::Database> + Type<R::Database>,
        E: Into<Box<dyn Error + Send + Sync>>,
    {
        self.get::<Option<T>>(column)?
            .map(parse)
            .transpose()
            .map_err(|source| Inconsistency::new(self.table, column, source))
    }

    /// A count: not negative.
    pub(super) fn count(&self, column: &'static str) -> Result<u64, Inconsistency>
    where
        i64: for<'d> Decode<'d, R::Database> + Type<R::Database>,
    {
        self.parse(column, |valore: i64| u64::try_from(valore))
    }

    /// Thirty-two bytes.
    pub(super) fn digest(&self, column: &'static str) -> Result<[u8; 32], Inconsistency>
    where
        Vec<u8>: for<'d> Decode<'d, R::Database> + Type<R::Database>,
    {
        self.parse(column, |bytes: Vec<u8>| {
            <[u8; 32]>::try_from(bytes).map_err(|_| "not 32 bytes")
        })
    }
}

/// Adds the live domande of these rows: `numero`, `ente`, `avente`, and the `codice_fiscale` of one of its live sheets, in
/// the order of `numero`.
pub(super) fn insert_aperte<R: Row>(
    aperte: &mut Aperte,
    servizio: &'static str,
    righe: &[R],
) -> Result<(), Inconsistency>
where
    &'static str: ColumnIndex<R>,
    String: for<'d> Decode<'d, R::Database> + Type<R::Database>,
    i64: for<'d> Decode<'d, R::Database> + Type<R::Database>,
{
    for row in righe {
        let riga = Riga {
            table: "domande",
            row,
        };
        let codice = |colonna| riga.parse(colonna, |testo: String| testo.parse::<CodiceFiscale>());
        let viva = DomandaViva {
            numero: NumeroDomanda(riga.count("numero")?),
            ente: riga.parse("ente", |ente: String| ente.parse::<CodiceEnte>())?,
        };
        let minore = codice("codice_fiscale")?;
        let sue = aperte.entry((servizio, codice("avente")?)).or_default();
        match sue.last_mut() {
            Some(ultima) if matches!(&ultima.chi, Chi::Nota(altra) if altra.numero == viva.numero) => {
                ultima.minori.insert(minore);
            }
            _ => sue.push(Aperta {
                chi: Chi::Nota(viva),
                minori: BTreeSet::from([minore]),
            }),
        }
    }
    Ok(())
}

/// Kept bytes, in the three columns that hold them beside the key of their row.
impl<R: Row> Riga<'_, R>
where
    &'static str: ColumnIndex<R>,
    String: for<'d> Decode<'d, R::Database> + Type<R::Database>,
    Option<String>: for<'d> Decode<'d, R::Database> + Type<R::Database>,
    Option<Vec<u8>>: for<'d> Decode<'d, R::Database> + Type<R::Database>,
    Vec<u8>: for<'d> Decode<'d, R::Database> + Type<R::Database>,
    i64: for<'d> Decode<'d, R::Database> + Type<R::Database>,
{
    /// The bytes of `ricevute`, `payload` and their like.
    pub(super) fn bytes(&self) -> Result<Bytes, Inconsistency> {
        self.unpacked("codec", "bytes_len", self.get("bytes")?)
    }

    /// Bytes that may lack, by the names of codec, length and bytes.
    pub(super) fn bytes_option(
        &self,
        [codec, bytes_len, bytes]: [&'static str; 3],
    ) -> Result<Option<Bytes>, Inconsistency> {
        self.get::<Option<Vec<u8>>>(bytes)?
            .map(|conservati| self.unpacked(codec, bytes_len, conservati))
            .transpose()
    }

    fn unpacked(
        &self,
        codec: &'static str,
        bytes_len: &'static str,
        conservati: Vec<u8>,
    ) -> Result<Bytes, Inconsistency> {
        unpack(
            self.table,
            &self.get::<String>(codec)?,
            self.get::<Option<String>>("chiave_id")?.as_deref(),
            self.parse(bytes_len, |len: i64| usize::try_from(len))?,
            conservati,
        )
    }
}

/// A count as the column holds it. Nothing that we count comes near to the end of i64.
pub(super) fn intero(valore: u64) -> i64 {
    i64::try_from(valore).unwrap_or(i64::MAX)
}

/// A length as the column holds it.
pub(super) fn lunghezza(valore: usize) -> i64 {
    i64::try_from(valore).unwrap_or(i64::MAX)
}

/// An instant as the columns hold it, and as receipts tell it: to the millisecond.
pub(super) fn al_millesimo(istante: Timestamp) -> Timestamp {
    // Only an instant at the edge of what jiff can hold fails to come back.
    Timestamp::from_millisecond(istante.as_millisecond()).unwrap_or(istante)
}

/// A list as a JSON array. Strings and numbers alone stand in it: that cannot fail.
pub(super) fn json(valori: &impl serde::Serialize) -> String {
    serde_json::to_string(valori).unwrap_or_else(|_| "[]".to_owned())
}

/// What a prestazione alone knows, as a JSON object; nothing where there is nothing.
pub(super) fn json_object(dettagli: &Dettagli) -> Option<String> {
    (!dettagli.is_empty()).then(|| serde_json::to_string(dettagli).unwrap_or_else(|_| "{}".to_owned()))
}

/// A list, where an empty one is no value.
pub(super) fn json_or_null(valori: &Vec<String>) -> Option<String> {
    (!valori.is_empty()).then(|| json(valori))
}

/// A word of a codelist.
pub(super) fn parola<P: Parola>(testo: &str) -> Result<P, &'static str> {
    P::parse(testo).ok_or("a word that is in no codelist")
}

/// Who asked, from the columns of `domande`.
pub(super) fn richiedente_from<R: Row>(row: &R) -> Result<Richiedente, Inconsistency>
where
    &'static str: ColumnIndex<R>,
    String: for<'d> Decode<'d, R::Database> + Type<R::Database>,
    Option<String>: for<'d> Decode<'d, R::Database> + Type<R::Database>,
{
    let riga = Riga {
        table: "domande",
        row,
    };
    Ok(Richiedente {
        codice_fiscale: riga.parse("richiedente", |testo: String| testo.parse::<CodiceFiscale>())?,
        nome: riga.get("richiedente_nome")?,
        cognome: riga.get("richiedente_cognome")?,
        email: riga.get("richiedente_email")?,
        cellulare: riga.get("richiedente_cellulare")?,
        indirizzo: riga.get("richiedente_indirizzo")?,
    })
}

/// `2021-07`.
pub(super) fn mese(testo: &str) -> Result<Mese, &'static str> {
    let (anno, mese) = testo.split_once('-').ok_or("not a month")?;
    let anno = anno.parse().map_err(|_| "not a month")?;
    let mese = mese.parse().map_err(|_| "not a month")?;
    if (1..=12).contains(&mese) {
        Ok(Mese { anno, mese })
    } else {
        Err("not a month")
    }
}

/// The name of a step as a word of the program. The steps are named in our code, so they are few; a file that holds
/// others (another version's) adds at most [`PASSI_MAX`] of them to the memory.
pub(super) fn known(passo: &str) -> &'static str {
    let mut noti = PASSI.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(noto) = noti.get(passo) {
        return noto;
    }
    if noti.len() >= PASSI_MAX {
        return "altro";
    }
    let nuovo: &'static str = Box::leak(passo.to_owned().into_boxed_str());
    noti.insert(nuovo);
    nuovo
}

static PASSI: Mutex<BTreeSet<&'static str>> = Mutex::new(BTreeSet::new());

const PASSI_MAX: usize = 64;
