//! Rows as the databases hand them out, made into what is sealed, and into the chain itself: one reading for both stores.

use std::collections::HashMap;

use jiff::civil::Date;
use sqlx::{ColumnIndex, Decode, Row, Type};

use super::{BloccoConservato, Coda, ScartoConservato};
use crate::sigilli::giornata::{Blocchi, Giornata, UltimoGiornaliero};
use crate::sigilli::{Corpi, Genere, Impronta, Riga, Testata, Voce, impegno, push_campo};
use crate::store::Inconsistency;
use crate::store::codec::unpack;
use crate::store::egov::Intestazioni;
use crate::store::valori::Riga as Colonne;

/// What a block keeps of the bytes of its traces, by message id.
pub(in crate::store) type Noti<'b> = HashMap<&'b str, Corpi>;

/// Of the entries of a block.
pub(in crate::store) fn noti(voci: &[Voce]) -> Noti<'_> {
    voci.iter().map(|voce| (&*voce.chiave, voce.corpi)).collect()
}

/// The columns of a trace, as [`super::colonne::Scelte::tracce`] selects them. Bytes that were purged are told by what is
/// known of them.
pub(in crate::store) fn traccia_from<R: Row>(
    row: &R,
    sale: &[u8; 32],
    noti: &Noti<'_>,
) -> Result<Riga, Inconsistency>
where
    &'static str: ColumnIndex<R>,
    i64: for<'d> Decode<'d, R::Database> + Type<R::Database>,
    Vec<u8>: for<'d> Decode<'d, R::Database> + Type<R::Database>,
{
    let riga = Colonne { table: "tracce", row };
    let byte = |colonna| riga.get::<Option<Vec<u8>>>(colonna);
    let chiave = text(&riga.get::<Vec<u8>>("chiave")?);
    let prima = noti.get(&*chiave).copied().unwrap_or_default();
    let mut corpi: Corpi = [None; 2];
    for (corpo, (prima, [codec, len, bytes])) in corpi.iter_mut().zip(prima.into_iter().zip([
        ["richiesta_codec", "richiesta_bytes_len", "richiesta"],
        ["risposta_codec", "risposta_bytes_len", "risposta"],
    ])) {
        *corpo = match byte(bytes)? {
            None => prima,
            Some(conservati) => Some(body(
                &byte(codec)?.unwrap_or_default(),
                byte("chiave_id")?.as_deref(),
                riga.get(len)?,
                conservati,
            )),
        };
    }
    let mut testo: Vec<u8> = riga.get("testo")?;
    for colonna in ["codici", "tempi_us", "note"] {
        push_campo(&mut testo, colonna, byte(colonna)?.map(plain_json).as_deref());
    }
    push_impegno(&mut testo, sale, &chiave, "user_id", byte("user_id")?);
    for (nome, corpo) in ["richiesta_sha256", "risposta_sha256"].into_iter().zip(corpi) {
        push_impronta(&mut testo, nome, corpo);
    }
    push_campo(&mut testo, "egov", egov(&riga)?.as_deref());
    let registrata = riga.get::<Vec<u8>>("esito")? == b"REGISTRATA";
    Ok(Riga {
        genere: if registrata {
            Genere::TracciaRegistrata
        } else {
            Genere::Traccia
        },
        chiave,
        testo,
        corpi,
    })
}

/// The exchange that belongs to a trace.
fn egov<R: Row>(riga: &Colonne<'_, R>) -> Result<Option<Vec<u8>>, Inconsistency>
where
    &'static str: ColumnIndex<R>,
    i64: for<'d> Decode<'d, R::Database> + Type<R::Database>,
    Vec<u8>: for<'d> Decode<'d, R::Database> + Type<R::Database>,
{
    let Some(mut testo) = riga.get::<Option<Vec<u8>>>("e_testo")? else {
        return Ok(None);
    };
    let byte = |colonna| riga.get::<Option<Vec<u8>>>(colonna);
    let (richiesta, risposta) = match byte("e_intestazioni")? {
        None => (byte("e_richiesta")?, byte("e_risposta")?),
        Some(insieme) => {
            let codec = text(&byte("e_codec")?.unwrap_or_default());
            let (richiesta_len, risposta_len) = (riga.get("e_richiesta_len")?, riga.get("e_risposta_len")?);
            match Intestazioni::unpack(&codec, richiesta_len, risposta_len, insieme) {
                Ok((richiesta, risposta)) => (richiesta.map(Into::into), risposta.map(Into::into)),
                // Whatever it is, it is not what was sealed.
                Err(_) => (Some(ILLEGGIBILE.to_vec()), None),
            }
        }
    };
    for (nome, intestazione) in [("richiesta_sha256", richiesta), ("risposta_sha256", risposta)] {
        push_impronta(&mut testo, nome, intestazione.as_deref().map(Impronta::of));
    }
    Ok(Some(testo))
}

/// The columns of a registration.
pub(in crate::store) fn registrazione_from<R: Row>(row: &R, sale: &[u8; 32]) -> Result<Riga, Inconsistency>
where
    &'static str: ColumnIndex<R>,
    Vec<u8>: for<'d> Decode<'d, R::Database> + Type<R::Database>,
{
    let riga = Colonne {
        table: "registrazioni",
        row,
    };
    let chiave = text(&riga.get::<Vec<u8>>("chiave")?);
    let mut testo: Vec<u8> = riga.get("testo")?;
    for colonna in ["user_id", "richiedente"] {
        push_impegno(&mut testo, sale, &chiave, colonna, riga.get(colonna)?);
    }
    Ok(Riga {
        genere: Genere::Registrazione,
        chiave,
        testo,
        corpi: [None; 2],
    })
}

/// The columns of what has nothing personal and no bytes.
pub(in crate::store) fn riga_from<R: Row>(row: &R, genere: Genere) -> Result<Riga, Inconsistency>
where
    &'static str: ColumnIndex<R>,
    Vec<u8>: for<'d> Decode<'d, R::Database> + Type<R::Database>,
{
    let riga = Colonne {
        table: genere.tabella(),
        row,
    };
    Ok(Riga {
        genere,
        chiave: text(&riga.get::<Vec<u8>>("chiave")?),
        testo: riga.get("testo")?,
        corpi: [None; 2],
    })
}

/// A purge, and whether it waits to be sealed.
pub(in crate::store) fn scarto_from<R: Row>(row: &R) -> Result<ScartoConservato, Inconsistency>
where
    &'static str: ColumnIndex<R>,
    bool: for<'d> Decode<'d, R::Database> + Type<R::Database>,
    Vec<u8>: for<'d> Decode<'d, R::Database> + Type<R::Database>,
{
    let riga = riga_from(row, Genere::Pulizia)?;
    let colonne = Colonne {
        table: "pulizie",
        row,
    };
    let in_attesa = colonne.get::<Option<bool>>("in_attesa")?.unwrap_or(false);
    Ok(ScartoConservato { riga, in_attesa })
}

/// The end of the chain: the last block, and the document of the last day.
pub(in crate::store) fn coda_from<R: Row>(
    ultimo: Option<&R>,
    chiusura: Option<&str>,
) -> Result<Coda, Inconsistency>
where
    &'static str: ColumnIndex<R>,
    String: for<'d> Decode<'d, R::Database> + Type<R::Database>,
    Vec<u8>: for<'d> Decode<'d, R::Database> + Type<R::Database>,
{
    let ultimo = ultimo.map(|row| {
        let riga = Colonne {
            table: "sigilli",
            row,
        };
        let testata = riga.parse("testata", |json: String| serde_json::from_str::<Testata>(&json))?;
        Ok::<_, Inconsistency>((testata, Impronta(riga.digest("sigillo")?)))
    });
    let illeggibile = || Inconsistency::new("sigilli_giorni", "documento", "not a document of ours");
    Ok(Coda {
        ultimo: ultimo.transpose()?,
        chiusura: chiusura
            .map(|documento| Giornata::read(documento).ok_or_else(illeggibile))
            .transpose()?,
    })
}

/// A block, whatever somebody made of it.
pub(in crate::store) fn blocco_from<R: Row>(row: &R) -> Result<BloccoConservato, Inconsistency>
where
    &'static str: ColumnIndex<R>,
    i64: for<'d> Decode<'d, R::Database> + Type<R::Database>,
    String: for<'d> Decode<'d, R::Database> + Type<R::Database>,
    Vec<u8>: for<'d> Decode<'d, R::Database> + Type<R::Database>,
{
    let riga = Colonne {
        table: "sigilli",
        row,
    };
    Ok(BloccoConservato {
        numero: riga.count("numero")?,
        giorno: riga.parse("giorno", |giorno: String| giorno.parse::<Date>())?,
        testata: text(&riga.get::<Vec<u8>>("testata")?),
        sale: riga.get("sale")?,
        voci: riga.get("voci")?,
        sigillo: riga.get("sigillo")?,
    })
}

/// The seals of a day, and how many rows they are of.
pub(in crate::store) fn sigilli_from<R: Row>(righe: &[R]) -> Result<Blocchi, Inconsistency>
where
    &'static str: ColumnIndex<R>,
    i64: for<'d> Decode<'d, R::Database> + Type<R::Database>,
    Vec<u8>: for<'d> Decode<'d, R::Database> + Type<R::Database>,
{
    let mut blocchi = Blocchi::default();
    for row in righe {
        let riga = Colonne {
            table: "sigilli",
            row,
        };
        blocchi.sigilli.push(Impronta(riga.digest("sigillo")?));
        blocchi.righe += riga.count("righe")?;
    }
    Ok(blocchi)
}

/// A day and its document.
pub(in crate::store) fn giornata_from<R: Row>(row: &R) -> Result<(Date, String), Inconsistency>
where
    &'static str: ColumnIndex<R>,
    String: for<'d> Decode<'d, R::Database> + Type<R::Database>,
    Vec<u8>: for<'d> Decode<'d, R::Database> + Type<R::Database>,
{
    let riga = Colonne {
        table: "sigilli_giorni",
        row,
    };
    let giorno = riga.parse("giorno", |giorno: String| giorno.parse::<Date>())?;
    Ok((giorno, text(&riga.get::<Vec<u8>>("documento")?)))
}

/// A daily register, as a day's document names it.
pub(in crate::store) fn giornaliero_from<R: Row>(row: &R) -> Result<UltimoGiornaliero, Inconsistency>
where
    &'static str: ColumnIndex<R>,
    String: for<'d> Decode<'d, R::Database> + Type<R::Database>,
    Vec<u8>: for<'d> Decode<'d, R::Database> + Type<R::Database>,
{
    let riga = Colonne {
        table: "registri_giornalieri",
        row,
    };
    Ok(UltimoGiornaliero {
        registro: riga.get("registro")?,
        giorno: riga.parse("giorno", |giorno: String| giorno.parse::<Date>())?,
        sha256: Impronta(riga.digest("sha256")?),
    })
}

fn push_impegno(
    testo: &mut Vec<u8>,
    sale: &[u8; 32],
    chiave: &str,
    colonna: &'static str,
    valore: Option<Vec<u8>>,
) {
    let impegno = valore.map(|valore| impegno(sale, chiave, colonna, &valore));
    push_impronta(testo, colonna, impegno);
}

fn push_impronta(testo: &mut Vec<u8>, colonna: &str, impronta: Option<Impronta>) {
    let impronta = impronta.map(|impronta| impronta.to_string());
    push_campo(testo, colonna, impronta.as_deref().map(str::as_bytes));
}

/// SHA-256 of bytes before compression: compressed otherwise, they are the same.
fn body(codec: &[u8], chiave_id: Option<&[u8]>, len: Option<i64>, conservati: Vec<u8>) -> Impronta {
    let len = len.and_then(|len| usize::try_from(len).ok()).unwrap_or(0);
    let chiave_id = chiave_id.map(text);
    let letti = unpack("tracce", &text(codec), chiave_id.as_deref(), len, conservati);
    Impronta::of(letti.as_deref().unwrap_or(ILLEGGIBILE))
}

/// Stands for bytes that cannot be unpacked: no message of ours.
const ILLEGGIBILE: &[u8] = b"\0illeggibile";

/// JSON in one spelling: databases have several of the same value.
fn plain_json(bytes: Vec<u8>) -> Vec<u8> {
    serde_json::from_slice::<serde_json::Value>(&bytes)
        .map_or(bytes, |valore| valore.to_string().into_bytes())
}

/// What is no text any more is told apart all the same.
fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
