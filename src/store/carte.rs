//! Papers, whatever the store: the registration that they are of, what they are made of, and what was made once.

use sqlx::{ColumnIndex, Decode, Row, Type};

use super::Inconsistency;
use super::valori::{Riga, parola};
use crate::carte::Carta;
use crate::carte::riepilogo::AllegatoElencato;
use crate::domanda::sha256::Sha256;
use crate::ricevuta::Registrata;

/// A registration, with what leads to its papers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RegistrazioneTrovata {
    /// The store's own name of it.
    pub(super) id: i64,
    /// Year of its number.
    pub(super) anno: i16,
    /// As it was told.
    pub registrata: Registrata,
    /// By which operation.
    pub operazione: String,
}

/// What a summary is made from, beside the receipt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Richiesta {
    /// The whole request as it was received.
    pub bytes: bytes::Bytes,
    /// Where its content begins.
    pub contenuto_da: usize,
    /// The documents that came with it.
    pub allegati: Vec<AllegatoElencato>,
}

/// A row of `carte`: bytes that are not those of their imprint are nobody's paper.
pub(super) fn carta<R: Row>(row: &R) -> Result<Carta, Inconsistency>
where
    &'static str: ColumnIndex<R>,
    String: for<'d> Decode<'d, R::Database> + Type<R::Database>,
    Option<String>: for<'d> Decode<'d, R::Database> + Type<R::Database>,
    Option<Vec<u8>>: for<'d> Decode<'d, R::Database> + Type<R::Database>,
    Vec<u8>: for<'d> Decode<'d, R::Database> + Type<R::Database>,
    i16: for<'d> Decode<'d, R::Database> + Type<R::Database>,
    i64: for<'d> Decode<'d, R::Database> + Type<R::Database>,
{
    let riga = Riga { table: "carte", row };
    let carta = Carta {
        quale: riga.parse("documento", |testo: String| parola(&testo))?,
        formato: riga.parse("formato", |testo: String| parola(&testo))?,
        impaginazione: riga.parse("impaginazione", |numero: i16| u16::try_from(numero))?,
        impronta: riga.digest("impronta")?,
        bytes: riga.bytes()?,
    };
    if Sha256::of(&carta.bytes) == carta.impronta {
        Ok(carta)
    } else {
        Err(Inconsistency::new(
            "carte",
            "impronta",
            "not the imprint of the bytes",
        ))
    }
}

/// A row of `allegati`.
pub(super) fn allegato<R: Row>(row: &R) -> Result<AllegatoElencato, Inconsistency>
where
    &'static str: ColumnIndex<R>,
    String: for<'d> Decode<'d, R::Database> + Type<R::Database>,
    Vec<u8>: for<'d> Decode<'d, R::Database> + Type<R::Database>,
    i64: for<'d> Decode<'d, R::Database> + Type<R::Database>,
{
    let riga = Riga {
        table: "allegati",
        row,
    };
    Ok(AllegatoElencato {
        tipo: riga.get("tipo")?,
        nome_file: riga.get("nome_file")?,
        tipo_mime: riga.get("tipo_mime")?,
        impronta: riga.digest("impronta")?,
        bytes_len: riga.count("bytes_len")?,
    })
}
