//! Lots and outcomes between columns and values, whatever the store.

use bytes::Bytes;
use jiff::Timestamp;
use sqlx::{ColumnIndex, Decode, Row, Type};

use super::{Avanzamento, Conteggi, EsitoElemento, Lotto, SorteElemento, StatoLotto};
use crate::domanda::Posizione;
use crate::patronato::{ChiaveInvio, CodiceEnte};
use crate::prestazione;
use crate::protocollo::{NumeroDomanda, NumeroProtocollo};
use crate::store::valori::Riga;
use crate::store::{Chiave, Inconsistency};

/// A lot from the columns that each store names alike: instants as milliseconds (`…_ms`), ids as text.
pub(in crate::store) fn lotto_from<R: Row>(row: &R) -> Result<Lotto, Inconsistency>
where
    &'static str: ColumnIndex<R>,
    String: for<'d> Decode<'d, R::Database> + Type<R::Database>,
    Vec<u8>: for<'d> Decode<'d, R::Database> + Type<R::Database>,
    i64: for<'d> Decode<'d, R::Database> + Type<R::Database>,
    bool: for<'d> Decode<'d, R::Database> + Type<R::Database>,
{
    let riga = lotti(row);
    let istante = |colonna| riga.parse_option(colonna, Timestamp::from_millisecond);
    let prestazione = riga.parse("servizio", |servizio: String| {
        prestazione::by_servizio(&servizio).ok_or("unknown service")
    })?;
    let luogo = match (
        riga.parse_option("fatto_riga", |riga: i64| u32::try_from(riga))?,
        riga.parse_option("fatto_colonna", |colonna: i64| u32::try_from(colonna))?,
    ) {
        (Some(riga), Some(colonna)) => Some(Posizione { riga, colonna }),
        _ => None,
    };
    Ok(Lotto {
        id: riga.parse("id", |id: String| id.parse())?,
        chiave: Chiave {
            ente: riga.parse("ente", |ente: String| ente.parse::<CodiceEnte>())?,
            servizio: prestazione.servizio,
            chiave: riga.parse("chiave_invio", |chiave: String| chiave.parse::<ChiaveInvio>())?,
        },
        prestazione,
        digest: riga.digest("digest")?,
        ente_denominazione: riga.get("ente_denominazione")?,
        codice_ufficio: riga.parse("codice_ufficio", |testo: String| testo.parse())?,
        user_id: riga.parse("user_id", |testo: String| testo.parse())?,
        certificato_sha256: riga.get("certificato_sha256")?,
        message_id: riga.parse("message_id", |id: String| id.parse())?,
        presentato_il: riga.parse("presentato_ms", Timestamp::from_millisecond)?,
        byte: riga.count("byte")?,
        elementi: riga.parse_option("elementi", |elementi: i64| u64::try_from(elementi))?,
        stato: riga.parse("stato", |stato: String| {
            StatoLotto::by_str(&stato).ok_or("unknown state")
        })?,
        sospeso: riga.get("sospeso")?,
        preso: riga
            .get::<Option<String>>("preso_da")?
            .zip(istante("preso_fino_a_ms")?),
        fatto: Avanzamento {
            elementi: riga.count("fatto_elementi")?,
            byte: riga.count("fatto_byte")?,
            luogo,
        },
        conteggi: Conteggi {
            registrate: riga.count("registrate")?,
            ripetute: riga.count("ripetute")?,
            rifiutate: riga.count("rifiutate")?,
            non_lette: riga.count("non_lette")?,
        },
        iniziato_il: istante("iniziato_ms")?,
        avanzato_il: istante("avanzato_ms")?,
        concluso_il: istante("concluso_ms")?,
        interruzione: riga.get::<Option<Vec<u8>>>("interruzione")?.map(Bytes::from),
    })
}

/// The outcome of an item: its row, and of its registration what is told.
pub(in crate::store) fn esito_from<R: Row>(row: &R) -> Result<EsitoElemento, Inconsistency>
where
    &'static str: ColumnIndex<R>,
    String: for<'d> Decode<'d, R::Database> + Type<R::Database>,
    Vec<u8>: for<'d> Decode<'d, R::Database> + Type<R::Database>,
    i64: for<'d> Decode<'d, R::Database> + Type<R::Database>,
    bool: for<'d> Decode<'d, R::Database> + Type<R::Database>,
{
    let riga = Riga {
        table: "lotti_esiti",
        row,
    };
    let errori = riga.bytes_option(["errori_codec", "errori_len", "errori"])?;
    let sorte = match errori {
        Some(errori) => SorteElemento::Rifiutata(errori),
        // Joined from the left: a registration that is not there shows here, and hides no item.
        None => SorteElemento::Registrata {
            protocollo: riga.parse("protocollo", |testo: String| testo.parse::<NumeroProtocollo>())?,
            numero_domanda: NumeroDomanda(riga.count("numero_domanda")?),
            registrata_il: riga.parse("registrata_ms", Timestamp::from_millisecond)?,
            ripetizione: riga.get("ripetizione")?,
        },
    };
    Ok(EsitoElemento {
        posto: riga.count("posto")?,
        chiave: riga.parse_option("chiave_invio", |testo: String| testo.parse::<ChiaveInvio>())?,
        luogo: Posizione {
            riga: riga.parse("riga", |riga: i64| u32::try_from(riga))?,
            colonna: riga.parse("colonna", |colonna: i64| u32::try_from(colonna))?,
        },
        sorte,
    })
}

pub(in crate::store) fn lotti<R>(row: &R) -> Riga<'_, R> {
    Riga { table: "lotti", row }
}
