//! Rows of lists as values, whatever the store, and what makes a page of them.

use jiff::Timestamp;
use sqlx::{ColumnIndex, Decode, Row, Type};

use super::Inconsistency;
use super::valori::{Riga, parola};
use crate::domanda::elenco::{Pagina, Variazione};
use crate::protocollo::{NumeroDomanda, NumeroProtocollo};

/// How many of the first rows from a date on are looked at for the one that stands first in the feed. The feed's order is
/// that of commits, whose clocks differ by seconds: far fewer rows than these lie between.
pub(super) const PRIME_RIGHE: u32 = 1000;

/// A page of at most `righe_max`, of rows of which one more was asked for.
pub(super) fn pagina<R, P>(
    mut righe: Vec<R>,
    righe_max: u32,
    altrimenti: P,
    posizione: impl FnOnce(&R) -> P,
) -> Pagina<R, P> {
    let righe_max = righe_max as usize;
    let altre = righe.len() > righe_max;
    righe.truncate(righe_max);
    Pagina {
        posizione: righe.last().map_or(altrimenti, posizione),
        righe,
        altre,
    }
}

/// A row of `variazioni`, with the protocol numbers beside it.
pub(super) fn variazione<R: Row>(row: &R, istante: Timestamp) -> Result<Variazione, Inconsistency>
where
    &'static str: ColumnIndex<R>,
    String: for<'d> Decode<'d, R::Database> + Type<R::Database>,
    Option<String>: for<'d> Decode<'d, R::Database> + Type<R::Database>,
    i64: for<'d> Decode<'d, R::Database> + Type<R::Database>,
    Option<i64>: for<'d> Decode<'d, R::Database> + Type<R::Database>,
{
    let riga = Riga {
        table: "variazioni",
        row,
    };
    let numero = |testo: String| testo.parse::<NumeroProtocollo>();
    Ok(Variazione {
        cursore: riga.count("cursore")?,
        istante,
        tipo: riga.get("tipo")?,
        numero_domanda: NumeroDomanda(riga.count("numero_domanda")?),
        protocollo: riga.parse("protocollo", numero)?,
        causa: riga.parse_option("causa", numero)?,
        posto: riga.parse_option("posto", |posto: i64| u32::try_from(posto))?,
        stato: riga.parse_option("stato", |testo: String| parola(&testo))?,
        azione_richiesta: riga.parse_option("azione_richiesta", |testo: String| parola(&testo))?,
    })
}
