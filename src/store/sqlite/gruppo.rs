//! The work on a lot: a group of its items in one transaction, with the very registration that single acts have.

use jiff::Timestamp;
use sqlx::AssertSqlSafe;
use sqlx::sqlite::SqliteConnection;
use tokio::sync::MutexGuard;

use super::batch::{Tabella, insert};
use super::giro::Giro;
use super::lotti::{LOTTO, find};
use super::register::{look, write};
use super::row::guasto;
use super::{Scrittura, SqliteStore};
use crate::protocollo::NumeroProtocollo;
use crate::store::lotti::gruppo::{Dopo, Esiti, Preparato, was_written};
use crate::store::lotti::righe::{lotti, lotto_from};
use crate::store::lotti::{Gruppo, Lavorazione, Lotto};
use crate::store::registro::{Richiesta, Tratti, pack_richieste};
use crate::store::valori::{intero, json};
use crate::store::{Inconsistency, StoreError};

/// Works a group: see [`crate::store::lotti::ArchivioLotti::work_gruppo`].
pub(super) async fn work(
    store: &SqliteStore,
    gruppo: &Gruppo,
    adesso: Timestamp,
    ora: Timestamp,
) -> Result<Lavorazione, StoreError> {
    let preparato = Preparato::of(gruppo)?;
    let richieste = pack_richieste(&preparato.atti).await;

    let mut presa = store.open_transaction().await?;
    let lavorato = transaction(store, &mut presa.connessione, preparato, richieste, adesso, ora).await;
    match lavorato {
        Ok((Lavorazione::Fatta(lotto), tratti)) => {
            let fatta = match presa.commit().await {
                Ok(()) => Lavorazione::Fatta(lotto),
                Err((scrittura, causa)) => read_back(store, scrittura, gruppo, causa).await?,
            };
            store.ancore.tell(tratti.as_ref(), adesso);
            Ok(fatta)
        }
        Ok((niente, _)) => {
            super::row::rollback(&mut presa.connessione).await?;
            presa.give_back();
            Ok(niente)
        }
        Err(errore) => {
            presa.discard().await;
            Err(errore)
        }
    }
}

/// All that the transaction does between BEGIN and COMMIT; what is not [`Lavorazione::Fatta`] is to be taken back.
async fn transaction(
    store: &SqliteStore,
    connessione: &mut SqliteConnection,
    preparato: Preparato<'_>,
    richieste: Vec<Richiesta>,
    adesso: Timestamp,
    ora: Timestamp,
) -> Result<(Lavorazione, Option<Tratti>), StoreError> {
    let gruppo = preparato.gruppo;
    let Some((numero, elementi)) = stands(connessione, gruppo).await? else {
        return Ok((Lavorazione::Persa, None));
    };
    let atti = preparato.atti.clone();
    let guardati = look(connessione, Giro::default(), &atti).await?;
    if let Some(respinta) = preparato.refusals(&guardati.sorti, &guardati.visto) {
        return Ok((respinta, None));
    }
    let mut scritte = write(store, connessione, &atti, guardati, richieste, adesso).await?;
    let tratti = scritte.tratti.take();
    let mut esiti = preparato.outcomes(scritte)?;
    let di_prima = ids_of(connessione, &esiti.of_before()).await?;
    esiti.know(di_prima);
    write_outcomes(connessione, numero, &esiti).await?;
    let lotto = advance(connessione, numero, gruppo, &esiti, elementi, ora).await?;
    Ok((Lavorazione::Fatta(Box::new(lotto)), tratti))
}

/// The lot, where it stands as the group says, with who works it, and goes on: its number and how many items it has.
async fn stands(
    connessione: &mut SqliteConnection,
    gruppo: &Gruppo,
) -> Result<Option<(i64, Option<u64>)>, StoreError> {
    let row = sqlx::query(
        "SELECT numero, elementi FROM lotti
         WHERE id = ? AND stato <> 'done' AND sospeso = 0 AND preso_da = ? AND fatto_elementi = ?",
    )
    .bind(gruppo.lotto.to_string())
    .bind(&*gruppo.chi)
    .bind(intero(gruppo.da.elementi))
    .fetch_optional(connessione)
    .await
    .map_err(guasto)?;
    let Some(row) = row else { return Ok(None) };
    let riga = lotti(&row);
    let elementi = riga.parse_option("elementi", |elementi: i64| u64::try_from(elementi))?;
    Ok(Some((riga.get("numero")?, elementi)))
}

/// The ids of these numbers.
async fn ids_of(
    connessione: &mut SqliteConnection,
    numeri: &[&NumeroProtocollo],
) -> Result<Vec<(NumeroProtocollo, i64)>, StoreError> {
    if numeri.is_empty() {
        return Ok(Vec::new());
    }
    let numeri: Vec<String> = numeri.iter().map(ToString::to_string).collect();
    let righe: Vec<(String, i64)> = sqlx::query_as(
        "SELECT r.protocollo, r.id
         FROM json_each(?) u CROSS JOIN registrazioni r ON r.protocollo = u.value",
    )
    .bind(json(&numeri))
    .fetch_all(connessione)
    .await
    .map_err(guasto)?;
    righe
        .into_iter()
        .map(|(protocollo, id)| {
            let protocollo = protocollo
                .parse()
                .map_err(|errore| Inconsistency::new("registrazioni", "protocollo", errore))?;
            Ok((protocollo, id))
        })
        .collect()
}

async fn write_outcomes(
    connessione: &mut SqliteConnection,
    lotto: i64,
    esiti: &Esiti<'_>,
) -> Result<(), StoreError> {
    let mut righe = Vec::with_capacity(esiti.righe.len());
    for riga in &esiti.righe {
        righe.push((riga, esiti.id(riga)?));
    }
    insert(connessione, ESITI, &righe, |valori, (riga, id)| {
        let errori = riga.errori.as_ref();
        valori
            .push(lotto)
            .push(intero(riga.posto))
            .text_option(
                riga.voce
                    .chiave
                    .as_ref()
                    .map(crate::patronato::ChiaveInvio::as_str),
            )
            .push(riga.voce.luogo.riga)
            .push(riga.voce.luogo.colonna)
            .push(*id)
            .push(riga.ripetizione)
            .push(errori.map(|errori| crate::store::valori::lunghezza(errori.bytes_len)))
            .text_option(errori.map(|errori| errori.codec.as_str()))
            .push(errori.map(|errori| errori.bytes.clone()));
    })
    .await
}

const ESITI: Tabella = Tabella {
    testa: "INSERT INTO lotti_esiti (lotto, posto, chiave_invio, riga, colonna, registrazione, ripetizione, errori_len,
                                     errori_codec, errori)",
    riga: "(?,?,?,?,?,?,?,?,?,?)",
    coda: "",
};

/// The lot after its group.
async fn advance(
    connessione: &mut SqliteConnection,
    numero: i64,
    gruppo: &Gruppo,
    esiti: &Esiti<'_>,
    elementi: Option<u64>,
    ora: Timestamp,
) -> Result<Lotto, StoreError> {
    let dopo = Dopo::of(gruppo, elementi, ora);
    let row = sqlx::query(AssertSqlSafe(format!(
        "UPDATE lotti
         SET stato = ?, elementi = ?, preso_da = ?, preso_fino_a = ?, fatto_elementi = ?, fatto_byte = ?, fatto_riga = ?,
             fatto_colonna = ?, registrate = registrate + ?, ripetute = ripetute + ?, rifiutate = rifiutate + ?,
             non_lette = ?, iniziato_il = coalesce(iniziato_il, ?), avanzato_il = ?, concluso_il = ?, interruzione = ?
         WHERE numero = ?
         RETURNING {LOTTO}"
    )))
    .bind(dopo.stato.as_str())
    .bind(dopo.elementi.map(intero))
    .bind(dopo.preso.map(|(chi, _)| chi))
    .bind(dopo.preso.map(|(_, fino_a)| fino_a.as_millisecond()))
    .bind(intero(gruppo.a.elementi))
    .bind(intero(gruppo.a.byte))
    .bind(gruppo.a.luogo.map(|luogo| luogo.riga))
    .bind(gruppo.a.luogo.map(|luogo| luogo.colonna))
    .bind(intero(esiti.registrate))
    .bind(intero(esiti.ripetute))
    .bind(intero(esiti.rifiutate))
    .bind(intero(dopo.non_lette))
    .bind(ora.as_millisecond())
    .bind(ora.as_millisecond())
    .bind(dopo.concluso_il.map(Timestamp::as_millisecond))
    .bind(dopo.interruzione)
    .bind(numero)
    .fetch_one(connessione)
    .await
    .map_err(guasto)?;
    Ok(lotto_from(&row)?)
}

/// COMMIT did not say yes: the lot says what became of it. A transaction is there whole or not at all.
async fn read_back(
    store: &SqliteStore,
    scrittura: MutexGuard<'_, Scrittura>,
    gruppo: &Gruppo,
    causa: StoreError,
) -> Result<Lavorazione, StoreError> {
    tracing::warn!("commit failed, reading the lot back: {causa}");
    let Some(mut presa) = store.take_settled(scrittura).await else {
        return Err(causa);
    };
    let trovato = find(&mut presa.connessione, gruppo.lotto).await?;
    presa.give_back();
    match trovato {
        Some(lotto) if was_written(gruppo, &lotto) => Ok(Lavorazione::Fatta(Box::new(lotto))),
        Some(_) | None => Err(causa),
    }
}
