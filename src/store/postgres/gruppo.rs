//! The work on a lot: a group of its items in one transaction, with the very registration that single acts have. The lot's
//! row is locked first, before any key: whoever has it alone works the lot.

use jiff::Timestamp;
use sqlx::AssertSqlSafe;
use sqlx::postgres::PgConnection;
use tokio::sync::MutexGuard;

use super::lotti::{LOTTO, find};
use super::register::{prepare, write};
use super::row::{Istante, guasto};
use super::statement::Istruzione;
use super::{PostgresStore, Presa, Scrittura};
use crate::patronato::ChiaveInvio;
use crate::protocollo::NumeroProtocollo;
use crate::store::gara::{Contesa as _, Gara, PRETESE_MAX, Tentativo, contested};
use crate::store::lotti::gruppo::{Dopo, Esiti, Preparato, was_written};
use crate::store::lotti::righe::{lotti, lotto_from};
use crate::store::lotti::{Gruppo, Lavorazione, Lotto};
use crate::store::registro::{Richiesta, Tratti, pack_richieste};
use crate::store::valori::{intero, lunghezza};
use crate::store::{Inconsistency, StoreError};

/// Works a group: see [`crate::store::lotti::ArchivioLotti::work_gruppo`].
pub(super) async fn work(
    store: &PostgresStore,
    gruppo: &Gruppo,
    adesso: Timestamp,
    ora: Timestamp,
) -> Result<Lavorazione, StoreError> {
    let preparato = Preparato::of(gruppo)?;
    let richieste = pack_richieste(&preparato.atti).await;
    prepare(store, &preparato.atti, adesso).await?;

    let mut presa = store.take().await?;
    store.within(presa.settle()).await?;
    let lavorato = store
        .within(transaction(store, &mut presa, preparato, richieste, adesso, ora))
        .await;
    match lavorato {
        Ok((Lavorazione::Fatta(lotto), tratti)) => {
            let fatta = match presa.commit(store).await {
                Ok(()) => Lavorazione::Fatta(lotto),
                Err((scrittura, causa)) => store.within(read_back(store, scrittura, gruppo, causa)).await?,
            };
            store.ancore.tell(tratti.as_ref(), adesso);
            Ok(fatta)
        }
        Ok((niente, _)) => {
            store.within(presa.rollback()).await?;
            Ok(niente)
        }
        Err(errore) => {
            presa.discard().await;
            Err(errore)
        }
    }
}

/// All that the transaction does from BEGIN up to COMMIT; what is not [`Lavorazione::Fatta`] is to be taken back.
async fn transaction(
    store: &PostgresStore,
    presa: &mut Presa<'_>,
    preparato: Preparato<'_>,
    richieste: Vec<Richiesta>,
    adesso: Timestamp,
    ora: Timestamp,
) -> Result<(Lavorazione, Option<Tratti>), StoreError> {
    let gruppo = preparato.gruppo;
    let atti = preparato.atti.clone();
    let mut gara = Gara::default();
    for _ in 0..PRETESE_MAX {
        let connessione = &mut presa.connessione;
        connessione.begin().await?;
        let Some((numero, elementi)) = lock_where_it_stands(connessione, gruppo).await? else {
            return Ok((Lavorazione::Persa, None));
        };
        let pretese = match gara.attempt(connessione, &atti).await? {
            Tentativo::Riuscito(pretese) => *pretese,
            Tentativo::Mancato(sorti) => {
                if let Some(respinta) = preparato.refusals(&sorti, gara.visto()) {
                    return Ok((respinta, None));
                }
                connessione.take_back().await?;
                continue;
            }
        };
        if let Some(respinta) = preparato.refusals(&pretese.sorti, &pretese.visto) {
            return Ok((respinta, None));
        }
        let mut scritte = write(store, connessione, &atti, pretese, richieste, adesso).await?;
        let tratti = scritte.tratti.take();
        let mut esiti = preparato.outcomes(scritte)?;
        let di_prima = ids_of(connessione, &esiti.of_before()).await?;
        esiti.know(di_prima);
        write_outcomes(connessione, numero, &esiti).await?;
        let lotto = advance(connessione, numero, gruppo, &esiti, elementi, ora).await?;
        return Ok((Lavorazione::Fatta(Box::new(lotto)), tratti));
    }
    Err(contested())
}

/// Locks the lot, where it stands as the group says, with who works it, and goes on: its number and how many items it has.
async fn lock_where_it_stands(
    connessione: &mut PgConnection,
    gruppo: &Gruppo,
) -> Result<Option<(i64, Option<u64>)>, StoreError> {
    let row = sqlx::query(
        "SELECT numero, elementi FROM lotti
         WHERE id = $1 AND stato <> 'done' AND NOT sospeso AND preso_da = $2 AND fatto_elementi = $3
         FOR UPDATE",
    )
    .bind(gruppo.lotto)
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
    connessione: &mut PgConnection,
    numeri: &[&NumeroProtocollo],
) -> Result<Vec<(NumeroProtocollo, i64)>, StoreError> {
    if numeri.is_empty() {
        return Ok(Vec::new());
    }
    let registri: Vec<&str> = numeri.iter().map(|numero| numero.registro()).collect();
    let anni: Vec<i16> = numeri.iter().map(|numero| numero.anno()).collect();
    let progressivi: Vec<i64> = numeri.iter().map(|numero| intero(numero.numero())).collect();
    let righe: Vec<(String, i64)> = sqlx::query_as(
        "SELECT r.protocollo, r.id
         FROM UNNEST($1, $2, $3) AS u (registro, anno, numero)
         JOIN registrazioni r USING (registro, anno, numero)",
    )
    .bind(registri)
    .bind(anni)
    .bind(progressivi)
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
    connessione: &mut PgConnection,
    lotto: i64,
    esiti: &Esiti<'_>,
) -> Result<(), StoreError> {
    let mut righe = Vec::with_capacity(esiti.righe.len());
    for riga in &esiti.righe {
        righe.push((riga, esiti.id(riga)?));
    }
    let mut istruzione = Istruzione::default();
    istruzione.insert("lotti_esiti", &righe, |colonne| {
        colonne
            .col("lotto", |_| lotto)
            .col("posto", |(riga, _)| intero(riga.posto))
            .col("registrazione", |(_, id)| *id)
            .col("riga", |(riga, _)| i64::from(riga.voce.luogo.riga))
            .col("colonna", |(riga, _)| i64::from(riga.voce.luogo.colonna))
            .col("anno", |(riga, _)| {
                riga.protocollo.as_ref().map(NumeroProtocollo::anno)
            })
            .col("ripetizione", |(riga, _)| riga.ripetizione)
            .text_option("chiave_invio", |(riga, _)| {
                riga.voce.chiave.as_ref().map(ChiaveInvio::as_str)
            })
            .col("errori_len", |(riga, _)| {
                riga.errori.as_ref().map(|errori| lunghezza(errori.bytes_len))
            })
            .text_option("errori_codec", |(riga, _)| {
                riga.errori.as_ref().map(|errori| errori.codec.as_str())
            })
            .bytes_option("errori", |(riga, _)| {
                riga.errori.as_ref().map(|errori| &errori.bytes[..])
            });
    });
    istruzione.execute(connessione).await
}

/// The lot after its group.
async fn advance(
    connessione: &mut PgConnection,
    numero: i64,
    gruppo: &Gruppo,
    esiti: &Esiti<'_>,
    elementi: Option<u64>,
    ora: Timestamp,
) -> Result<Lotto, StoreError> {
    let dopo = Dopo::of(gruppo, elementi, ora);
    let row = sqlx::query(AssertSqlSafe(format!(
        "UPDATE lotti
         SET stato = $2, elementi = $3, preso_da = $4, preso_fino_a = $5, fatto_elementi = $6, fatto_byte = $7,
             fatto_riga = $8, fatto_colonna = $9, registrate = registrate + $10, ripetute = ripetute + $11,
             rifiutate = rifiutate + $12, non_lette = $13, iniziato_il = coalesce(iniziato_il, $14), avanzato_il = $14,
             concluso_il = $15, interruzione = $16
         WHERE numero = $1
         RETURNING {LOTTO}"
    )))
    .bind(numero)
    .bind(dopo.stato.as_str())
    .bind(dopo.elementi.map(intero))
    .bind(dopo.preso.map(|(chi, _)| chi))
    .bind(dopo.preso.map(|(_, fino_a)| Istante(fino_a)))
    .bind(intero(gruppo.a.elementi))
    .bind(intero(gruppo.a.byte))
    .bind(gruppo.a.luogo.map(|luogo| i64::from(luogo.riga)))
    .bind(gruppo.a.luogo.map(|luogo| i64::from(luogo.colonna)))
    .bind(intero(esiti.registrate))
    .bind(intero(esiti.ripetute))
    .bind(intero(esiti.rifiutate))
    .bind(intero(dopo.non_lette))
    .bind(Istante(ora))
    .bind(dopo.concluso_il.map(Istante))
    .bind(dopo.interruzione)
    .fetch_one(connessione)
    .await
    .map_err(guasto)?;
    Ok(lotto_from(&row)?)
}

/// COMMIT did not say yes: the lot says what became of it. Where it stands as before, the old connection may be
/// committing still; whoever hands the group in again waits for that at the lot's row.
async fn read_back(
    store: &PostgresStore,
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
