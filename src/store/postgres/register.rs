//! The registration of a batch: one transaction. Keys, then children, are claimed with ON CONFLICT DO NOTHING, between
//! them whose domanda lives alone is locked; then the domande that acts are about are locked (`gara` says when they are
//! claimed anew). Only then the register's row is locked, numbers are drawn, and everything is written: who has the row
//! has it from the draw to the commit, and no longer. Order of the promises: design.md §2.7 (keys), §2.8 (numbers), §2.9
//! (batches).

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use jiff::Timestamp;
use sqlx::postgres::PgConnection;
use tokio::sync::MutexGuard;
use uuid::Uuid;

use super::aventi::lock_aventi;
use super::documenti::settle_sheets;
use super::egov::claim_buste;
use super::insert::{move_sheets, take_places, write_all};
use super::modifiche::change_values;
use super::row::{Istante, guasto};
use super::{PostgresStore, Presa, Scrittura, execute, lotti, query};
use crate::domanda::{CodiceFiscale, SchedaViva};
use crate::protocollo::{NumeroDomanda, data_a_roma};
use crate::ricevuta::Registrata;
use crate::store::ancore::Ancore;
use crate::store::gara::{Contesa, Minore, Pretese, claim};
use crate::store::registro::{
    Aperte, Attuale, Numeri, Richiesta, Scritte, compose, misura, outcomes, registri,
};
use crate::store::transazione::Registrante;
use crate::store::valori::intero;
use crate::store::{Atto, Chiave, Inconsistency, StoreError};

impl Registrante for PostgresStore {
    type Presa<'s> = Presa<'s>;
    type Sospesa<'s> = MutexGuard<'s, Scrittura>;

    async fn take_for<'s>(&'s self, atti: &[&Atto], adesso: Timestamp) -> Result<Presa<'s>, StoreError> {
        prepare(self, atti, adesso).await?;
        let mut presa = self.take().await?;
        self.within(presa.settle()).await?;
        Ok(presa)
    }

    async fn transact<'s>(
        &'s self,
        presa: &mut Presa<'s>,
        atti: &[&Atto],
        richieste: Vec<Richiesta>,
        adesso: Timestamp,
    ) -> Result<Scritte, StoreError> {
        self.within(async {
            let connessione = &mut presa.connessione;
            let pretese = claim(connessione, atti).await?;
            write(self, connessione, atti, pretese, richieste, adesso).await
        })
        .await
    }

    async fn leave<'s>(&'s self, presa: Presa<'s>) -> Result<(), StoreError> {
        self.within(presa.rollback()).await
    }

    async fn discard<'s>(&'s self, presa: Presa<'s>) {
        presa.discard().await;
    }

    async fn commit<'s>(&'s self, presa: Presa<'s>) -> Result<(), (MutexGuard<'s, Scrittura>, StoreError)> {
        presa.commit(self).await
    }

    /// Not found is not "not there": the old connection may be committing still.
    async fn read_back<'s>(
        &'s self,
        sospesa: MutexGuard<'s, Scrittura>,
        atti: &[&Atto],
    ) -> Result<Option<HashMap<Chiave, Registrata>>, StoreError> {
        self.within(async {
            let Some(mut presa) = self.take_settled(sospesa).await else {
                return Ok(None);
            };
            let chiavi = atti.iter().map(|atto| &atto.chiave);
            let trovate = query::registrate(&mut presa.connessione, chiavi).await?;
            presa.give_back();
            Ok(Some(trovate))
        })
        .await
    }

    fn ancore(&self) -> &Ancore {
        &self.ancore
    }
}

/// Makes the partitions that these acts may need, outside of their transaction.
pub(super) async fn prepare(
    store: &PostgresStore,
    atti: &[&Atto],
    adesso: Timestamp,
) -> Result<(), StoreError> {
    let mut anni: BTreeSet<i16> = atti
        .iter()
        .map(|atto| super::anni::anno(atto.traccia.ricevuto_il))
        .collect();
    let oggi = data_a_roma(adesso);
    anni.extend([super::anni::anno(adesso), oggi.year()]);
    if oggi.month() == 12 {
        // Nobody waits for new tables at midnight.
        anni.insert(oggi.year() + 1);
    }
    store.within(store.prepare_years(anni)).await
}

/// All that the transaction does once it has what it claims.
pub(super) async fn write(
    store: &PostgresStore,
    connessione: &mut PgConnection,
    atti: &[&Atto],
    Pretese { sorti, ids, visto }: Pretese,
    richieste: Vec<Richiesta>,
    adesso: Timestamp,
) -> Result<Scritte, StoreError> {
    if ids.is_empty() {
        return outcomes(atti, sorti, &[]);
    }
    let (mut numeri, mut cursore) = lock_counters(store, connessione, atti, adesso).await?;
    for (_, contatore) in numeri.registri() {
        store
            .prepare_years([contatore.anno, super::anni::anno(contatore.istante)])
            .await?;
    }
    let id = |atto: &Atto| ids.get(&atto.chiave).copied().ok_or_else(misura);
    let nuove = compose(store.ambiente, atti, &sorti, richieste, &visto, &mut numeri, id)?;
    move_sheets(connessione, &nuove).await?;
    change_values(connessione, &nuove).await?;
    settle_sheets(connessione, &nuove).await?;
    write_all(connessione, &nuove, &numeri, &mut cursore).await?;
    take_places(connessione, &nuove).await?;
    Ok(outcomes(atti, sorti, &nuove)?.drawn(&numeri, nuove.len()))
}

impl Contesa for PgConnection {
    async fn begin(&mut self) -> Result<(), StoreError> {
        execute(self, "BEGIN").await
    }

    async fn take_back(&mut self) -> Result<(), StoreError> {
        execute(self, "ROLLBACK").await
    }

    async fn claim_keys(&mut self, atti: &[&Atto]) -> Result<HashMap<Chiave, i64>, StoreError> {
        claim_keys(self, atti).await
    }

    async fn registrate(&mut self, chiavi: &[&Chiave]) -> Result<HashMap<Chiave, Registrata>, StoreError> {
        query::registrate(self, chiavi.iter().copied()).await
    }

    async fn keys_of_lots(&mut self, chiavi: &[&Chiave]) -> Result<HashMap<Chiave, Uuid>, StoreError> {
        lotti::keys(self, chiavi).await
    }

    async fn claim_buste(
        &mut self,
        atti: &[&Atto],
        ids: &HashMap<Chiave, i64>,
    ) -> Result<HashSet<String>, StoreError> {
        claim_buste(self, atti, ids).await
    }

    async fn lock_aventi(
        &mut self,
        atti: &[&Atto],
        ids: &HashMap<Chiave, i64>,
    ) -> Result<Aperte, StoreError> {
        lock_aventi(self, atti, ids).await
    }

    async fn claim_sheets<'a>(
        &mut self,
        minori: &BTreeMap<Minore<'a>, i64>,
    ) -> Result<BTreeSet<Minore<'a>>, StoreError> {
        claim_sheets(self, minori).await
    }

    async fn schede_vive(
        &mut self,
        servizio: &'static str,
        minori: &[CodiceFiscale],
    ) -> Result<Vec<SchedaViva>, StoreError> {
        query::schede_vive(self, servizio, minori).await
    }

    async fn lock_domande(
        &mut self,
        atti: &[&Atto],
        ids: &HashMap<Chiave, i64>,
    ) -> Result<HashMap<NumeroDomanda, Attuale>, StoreError> {
        lock_domande(self, atti, ids).await
    }
}

/// Locks the domande that acts are about, and those whose sheets somebody takes the place of, with their sheets, and
/// tells how they stand. First the sheets, then the domanda, each in one order: as whoever moves a sheet does, whose
/// domanda changes with it.
async fn lock_domande(
    connessione: &mut PgConnection,
    atti: &[&Atto],
    ids: &HashMap<Chiave, i64>,
) -> Result<HashMap<NumeroDomanda, Attuale>, StoreError> {
    let (mut numeri, mut servizi, mut codici) = (Vec::new(), Vec::new(), Vec::new());
    for atto in atti.iter().filter(|atto| ids.contains_key(&atto.chiave)) {
        numeri.extend(
            atto.contenuto
                .seguito()
                .map(|seguito| intero(seguito.numero_domanda.0)),
        );
        for scheda in atto.contenuto.schede().filter(|scheda| scheda.subentra) {
            servizi.push(atto.chiave.servizio);
            codici.push(scheda.codice_fiscale.as_str());
        }
    }
    if !codici.is_empty() {
        let sostituite: Vec<i64> = sqlx::query_scalar(
            "SELECT r.numero_domanda
             FROM UNNEST($1, $2) AS u (servizio, codice_fiscale)
             JOIN schede_vive v USING (servizio, codice_fiscale)
             JOIN registrazioni r ON r.id = v.registrazione",
        )
        .bind(servizi)
        .bind(codici)
        .fetch_all(&mut *connessione)
        .await
        .map_err(guasto)?;
        numeri.extend(sostituite);
    }
    if numeri.is_empty() {
        return Ok(HashMap::new());
    }
    sqlx::query(
        "SELECT 1 FROM schede WHERE numero_domanda = ANY($1) ORDER BY numero_domanda, posto FOR UPDATE",
    )
    .bind(&numeri)
    .fetch_all(&mut *connessione)
    .await
    .map_err(guasto)?;
    let righe: Vec<(i64, i64, i64)> = sqlx::query_as(
        "SELECT numero, versione, registrazione FROM domande WHERE numero = ANY($1) ORDER BY numero FOR UPDATE",
    )
    .bind(&numeri)
    .fetch_all(connessione)
    .await
    .map_err(guasto)?;
    righe
        .into_iter()
        .map(|(numero, versione, registrazione)| {
            let count = |colonna, valore: i64| {
                u64::try_from(valore).map_err(|source| Inconsistency::new("domande", colonna, source))
            };
            let attuale = Attuale {
                versione: count("versione", versione)?,
                registrazione,
            };
            Ok((NumeroDomanda(count("numero", numero)?), attuale))
        })
        .collect()
}

/// Claims the keys that are free; waits for whoever is just claiming the same one.
async fn claim_keys(
    connessione: &mut PgConnection,
    atti: &[&Atto],
) -> Result<HashMap<Chiave, i64>, StoreError> {
    let chiavi: HashMap<(&str, &str, &str), &Chiave> = atti
        .iter()
        .map(|atto| {
            let chiave = &atto.chiave;
            (
                (chiave.chiave.as_str(), chiave.ente.as_str(), chiave.servizio),
                chiave,
            )
        })
        .collect();
    if chiavi.is_empty() {
        return Ok(HashMap::new());
    }
    let (mut invii, mut enti, mut servizi) = (Vec::new(), Vec::new(), Vec::new());
    for (invio, ente, servizio) in chiavi.keys() {
        invii.push(*invio);
        enti.push(*ente);
        servizi.push(*servizio);
    }
    // In one order for all: who waits for a key has none that comes after it.
    let righe: Vec<(String, String, String, i64)> = sqlx::query_as(
        "INSERT INTO chiavi (chiave_invio, ente, servizio)
         SELECT u.chiave_invio, u.ente, u.servizio
         FROM UNNEST($1, $2, $3) AS u (chiave_invio, ente, servizio)
         ORDER BY u.chiave_invio COLLATE \"C\", u.ente COLLATE \"C\", u.servizio COLLATE \"C\"
         ON CONFLICT DO NOTHING
         RETURNING chiave_invio, ente, servizio, id",
    )
    .bind(invii)
    .bind(enti)
    .bind(servizi)
    .fetch_all(connessione)
    .await
    .map_err(guasto)?;
    righe
        .iter()
        .map(|(invio, ente, servizio, id)| {
            let chiave = chiavi
                .get(&(invio.as_str(), ente.as_str(), servizio.as_str()))
                .ok_or_else(misura)?;
            Ok(((*chiave).clone(), *id))
        })
        .collect()
}

/// Claims these children, each for its registration.
async fn claim_sheets<'a>(
    connessione: &mut PgConnection,
    minori: &BTreeMap<Minore<'a>, i64>,
) -> Result<BTreeSet<Minore<'a>>, StoreError> {
    let (mut servizi, mut codici, mut registrazioni) = (Vec::new(), Vec::new(), Vec::new());
    for ((servizio, codice), id) in minori {
        servizi.push(*servizio);
        codici.push(*codice);
        registrazioni.push(*id);
    }
    let righe: Vec<(String, String)> = sqlx::query_as(
        "INSERT INTO schede_vive (servizio, codice_fiscale, registrazione)
         SELECT u.servizio, u.codice_fiscale, u.registrazione
         FROM UNNEST($1, $2, $3) AS u (servizio, codice_fiscale, registrazione)
         ORDER BY u.servizio COLLATE \"C\", u.codice_fiscale COLLATE \"C\"
         ON CONFLICT DO NOTHING
         RETURNING servizio, codice_fiscale",
    )
    .bind(servizi)
    .bind(codici)
    .bind(registrazioni)
    .fetch_all(connessione)
    .await
    .map_err(guasto)?;
    let libere: BTreeSet<(String, String)> = righe.into_iter().collect();
    Ok(minori
        .keys()
        .filter(|(servizio, codice)| libere.contains(&((*servizio).to_owned(), (*codice).to_owned())))
        .copied()
        .collect())
}

/// Locks the registers of these acts, then the counters under them, and tells where they stand: numbers, and the last
/// cursor of the feed.
async fn lock_counters(
    store: &PostgresStore,
    connessione: &mut PgConnection,
    atti: &[&Atto],
    adesso: Timestamp,
) -> Result<(Numeri, i64), StoreError> {
    let registri: Vec<&'static str> = registri(atti).into_iter().collect();
    let mut righe = lock_registers(connessione, &registri).await?;
    if righe.len() < registri.len() {
        // The first registration of a register: its row, which says that nothing was drawn, to be locked like another.
        sqlx::query(
            "INSERT INTO registro (registro, anno, ultimo, ultimo_istante)
             SELECT r, 1000, 0, 'epoch' FROM UNNEST($1) AS r ORDER BY r
             ON CONFLICT DO NOTHING",
        )
        .bind(&registri)
        .execute(&mut *connessione)
        .await
        .map_err(guasto)?;
        righe = lock_registers(connessione, &registri).await?;
    }
    let contatori: Vec<(String, i64)> = sqlx::query_as(
        "SELECT nome, ultimo FROM contatori WHERE nome IN ('domanda', 'variazione') ORDER BY nome FOR UPDATE",
    )
    .fetch_all(connessione)
    .await
    .map_err(guasto)?;
    let ultimo = |cercato: &str| {
        contatori
            .iter()
            .find(|(nome, _)| nome == cercato)
            .map(|(_, ultimo)| *ultimo)
            .ok_or_else(|| Inconsistency::new("contatori", "nome", "a counter is missing"))
    };
    let ultima_domanda = u64::try_from(ultimo("domanda")?)
        .map_err(|source| Inconsistency::new("contatori", "ultimo", source))?;
    let mut numeri = Numeri::after(ultima_domanda, &store.ancore)?;
    for registro in registri {
        let riga = righe.iter().find(|riga| riga.0 == registro).map(
            |(_, anno, ultimo, istante, chiuso, emergenza)| {
                (
                    *anno,
                    *ultimo,
                    istante.0.as_millisecond(),
                    chiuso.0.as_millisecond(),
                    *emergenza,
                )
            },
        );
        numeri.insert(registro, adesso, riga, &store.ancore)?;
    }
    Ok((numeri, ultimo("variazione")?))
}

type RigaRegistro = (String, i16, i64, Istante, Istante, Option<i64>);

async fn lock_registers(
    connessione: &mut PgConnection,
    registri: &[&'static str],
) -> Result<Vec<RigaRegistro>, StoreError> {
    sqlx::query_as(
        "SELECT registro, anno, ultimo, ultimo_istante, chiuso_fino_a, emergenza
         FROM registro
         WHERE registro = ANY($1)
         ORDER BY registro
         FOR UPDATE",
    )
    .bind(registri)
    .fetch_all(connessione)
    .await
    .map_err(guasto)
}
