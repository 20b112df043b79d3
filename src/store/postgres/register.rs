//! The registration of a batch: one transaction. Keys, then children, are claimed with ON CONFLICT DO NOTHING, between
//! them whose domanda lives alone is locked; each in one order for all gateways, so that two of them wait for each other
//! but never for ever; then the domande that acts are about are locked. Only then the register's row is locked, numbers are drawn, and everything is written: who has
//! the row has it from the draw to the commit, and no longer. What did not take leaves nothing: an act whose children are
//! not free gives its key back by taking the whole claim back, and the others claim again. Order of the promises:
//! design.md §2.7 (keys), §2.8 (numbers), §2.9 (batches).

use std::collections::{BTreeSet, HashMap, HashSet};

use jiff::Timestamp;
use sqlx::postgres::PgConnection;
use tokio::sync::MutexGuard;

use super::aventi::lock_aventi;
use super::documenti::settle_sheets;
use super::egov::claim_buste;
use super::insert::{move_sheets, take_places, write_all};
use super::modifiche::change_values;
use super::row::{Istante, guasto};
use super::{PostgresStore, Presa, Scrittura, lotti, query};
use crate::domanda::Scheda;
use crate::protocollo::{NumeroDomanda, data_a_roma};
use crate::store::registro::{
    Attuale, Numeri, Nuova, Richiesta, Scritte, Sorte, Visto, Vive, decide, misura, outcomes, pack_richieste,
    registri, were_written,
};
use crate::store::valori::intero;
use crate::store::{Atto, Chiave, Inconsistency, Registrazione, StoreError};

/// Registers a batch: see [`crate::store::Store::register`].
pub(super) async fn register(
    store: &PostgresStore,
    atti: &[Atto],
    adesso: Timestamp,
) -> Result<Vec<Registrazione>, StoreError> {
    if atti.is_empty() {
        return Ok(Vec::new());
    }
    let atti: Vec<&Atto> = atti.iter().collect();
    let richieste = pack_richieste(&atti).await;
    prepare(store, &atti, adesso).await?;

    let mut presa = store.take().await?;
    store.within(presa.settle()).await?;
    let scritto = store
        .within(transaction(store, &mut presa, &atti, richieste, adesso))
        .await;
    let (esiti, tratti) = match scritto {
        Ok(Scritto::Qualcosa(scritte)) => (scritte.esiti, scritte.tratti),
        // Only looked: what was claimed and not used is taken back.
        Ok(Scritto::Nulla(esiti)) => {
            store.within(presa.rollback()).await?;
            return Ok(esiti);
        }
        Err(errore) => {
            presa.discard().await;
            return Err(errore);
        }
    };
    let esiti = match presa.commit(store).await {
        Ok(()) => esiti,
        Err((scrittura, causa)) => {
            store
                .within(read_back(store, scrittura, &atti, esiti, causa))
                .await?
        }
    };
    store.ancore.tell(tratti.as_ref(), adesso);
    Ok(esiti)
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

/// What a transaction did.
enum Scritto {
    /// There is something to commit.
    Qualcosa(Scritte),
    /// No act was new.
    Nulla(Vec<Registrazione>),
}

/// All that the transaction does up to COMMIT.
async fn transaction(
    store: &PostgresStore,
    presa: &mut Presa<'_>,
    atti: &[&Atto],
    richieste: Vec<Richiesta>,
    adesso: Timestamp,
) -> Result<Scritto, StoreError> {
    let pretese = claim(presa, atti).await?;
    let nulla = pretese.ids.is_empty();
    let scritte = write(store, &mut presa.connessione, atti, pretese, richieste, adesso).await?;
    Ok(if nulla {
        Scritto::Nulla(scritte.esiti)
    } else {
        Scritto::Qualcosa(scritte)
    })
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
    let mut nuove = Vec::with_capacity(ids.len());
    for ((atto, sorte), richiesta) in atti.iter().zip(&sorti).zip(richieste) {
        if matches!(sorte, Sorte::Accolto) {
            let id = *ids.get(&atto.chiave).ok_or_else(misura)?;
            nuove.push(Nuova::compose(
                store.ambiente,
                id,
                atto,
                richiesta,
                &visto,
                &mut numeri,
            )?);
        }
    }
    move_sheets(connessione, &nuove).await?;
    change_values(connessione, &nuove).await?;
    settle_sheets(connessione, &nuove).await?;
    write_all(connessione, &nuove, &numeri, &mut cursore).await?;
    take_places(connessione, &nuove).await?;
    Ok(outcomes(atti, sorti, &nuove)?.drawn(&numeri, nuove.len()))
}

/// What the acts of a batch got hold of.
pub(super) struct Pretese {
    pub(super) sorti: Vec<Sorte>,
    /// The new id of each key that was claimed: that of every accepted act, and of no other.
    ids: HashMap<Chiave, i64>,
    pub(super) visto: Visto,
}

/// How often a batch claims anew. A second time is needed when a child was not free, a third when another gateway
/// came in between.
pub(super) const PRETESE_MAX: usize = 16;

/// Begins the transaction and claims keys and children, until exactly those that are needed are claimed.
async fn claim(presa: &mut Presa<'_>, atti: &[&Atto]) -> Result<Pretese, StoreError> {
    let mut gara = Gara::default();
    for _ in 0..PRETESE_MAX {
        presa.begin().await?;
        let pretese = gara.attempt(&mut presa.connessione, atti).await?;
        match pretese {
            Tentativo::Riuscito(pretese) => return Ok(*pretese),
            Tentativo::Mancato(_) => presa.take_back().await?,
        }
    }
    Err(contested())
}

pub(super) fn contested() -> StoreError {
    StoreError::unavailable("keys and children of this batch are fought for by other gateways")
}

/// What a batch has found so far, from attempt to attempt.
#[derive(Default)]
pub(super) struct Gara {
    visto: Visto,
    /// An act that was refused once is not asked again: what it found was true then.
    rifiutati: BTreeSet<usize>,
}

/// How an attempt to claim ended.
pub(super) enum Tentativo {
    /// What is needed is claimed, and nothing else.
    Riuscito(Box<Pretese>),
    /// It is to be taken back, and made again; so much is known.
    Mancato(Vec<Sorte>),
}

impl Gara {
    pub(super) fn visto(&self) -> &Visto {
        &self.visto
    }

    /// Claims keys and children once, in a transaction that has claimed none yet.
    pub(super) async fn attempt(
        &mut self,
        connessione: &mut PgConnection,
        atti: &[&Atto],
    ) -> Result<Tentativo, StoreError> {
        let Self { visto, rifiutati } = self;
        // Of several acts with one key the first is asked; what it gets, the others are told.
        let mut chiavi = HashSet::new();
        let in_gara: Vec<&Atto> = atti
            .iter()
            .enumerate()
            .filter(|(posto, atto)| {
                !rifiutati.contains(posto)
                    && !visto.gia_registrate.contains_key(&atto.chiave)
                    && !visto.di_lotti.contains_key(&atto.chiave)
                    && !is_used_up(atto, visto)
                    && chiavi.insert(&atto.chiave)
            })
            .map(|(_, atto)| *atto)
            .collect();
        let ids = claim_keys(connessione, &in_gara).await?;
        let prese: Vec<&Chiave> = in_gara
            .iter()
            .map(|atto| &atto.chiave)
            .filter(|chiave| !ids.contains_key(*chiave))
            .collect();
        let registrate = query::registrate(connessione, prese.iter().copied()).await?;
        if registrate.len() < prese.len() {
            visto.di_lotti.extend(lotti::keys(connessione, &prese).await?);
        }
        visto.gia_registrate.extend(registrate);
        let buste = claim_buste(connessione, &in_gara, &ids).await?;
        let con_chiave = in_gara.iter().filter(|atto| ids.contains_key(&atto.chiave));
        let usate = con_chiave
            .filter_map(|atto| atto.busta())
            .filter(|(_, busta)| !buste.contains(*busta));
        visto.buste.extend(usate.map(|(_, busta)| busta.to_owned()));
        visto
            .aperte
            .extend(lock_aventi(connessione, &in_gara, &ids).await?);
        let libere = claim_sheets(connessione, &in_gara, &ids).await?;
        visto
            .vive
            .extend(taken_sheets(connessione, &in_gara, &ids, &libere).await?);
        visto
            .attuali
            .extend(lock_domande(connessione, &in_gara, &ids).await?);

        let sorti = decide(atti, visto);
        let accolti = || {
            let coppie = atti.iter().zip(&sorti);
            coppie.filter_map(|(atto, sorte)| matches!(sorte, Sorte::Accolto).then_some(*atto))
        };
        let liberati: HashSet<Minore<'_>> = accolti()
            .filter_map(|atto| Some((atto.chiave.servizio, atto.contenuto.seguito()?)))
            .flat_map(|(servizio, seguito)| seguito.liberati().map(move |minore| (servizio, minore.as_str())))
            .collect();
        let is_held = |atto| {
            is_held(atto, &ids, |minore, scheda: &Scheda| {
                libere.contains(&minore)
                    || liberati.contains(&minore)
                    || visto
                        .vive
                        .get(&(minore.0, minore.1.to_owned()))
                        .is_some_and(|viva| scheda.takes_place_of(viva))
            })
        };
        if accolti().count() == ids.len() && accolti().all(is_held) {
            return Ok(Tentativo::Riuscito(Box::new(Pretese {
                sorti,
                ids,
                visto: std::mem::take(visto),
            })));
        }
        for (posto, sorte) in sorti.iter().enumerate() {
            match sorte {
                Sorte::SchedaViva(_) | Sorte::DomandaViva(..) | Sorte::BustaDoppia => rifiutati.insert(posto),
                Sorte::Superata => rifiutati.insert(posto) | visto.superati.insert(posto),
                Sorte::Accolto | Sorte::GiaRegistrato(_) | Sorte::CopiaDi(_) | Sorte::ChiaveDiLotto(_) => {
                    continue;
                }
            };
        }
        Ok(Tentativo::Mancato(sorti))
    }
}

/// Whether the busta that an act came in was used up before.
fn is_used_up(atto: &Atto, visto: &Visto) -> bool {
    atto.busta().is_some_and(|(_, busta)| visto.buste.contains(busta))
}

/// Whether an act has its key and each of its children: a free one, one that an act of the batch frees, or a live one
/// whose place it takes.
fn is_held<'a>(
    atto: &'a Atto,
    ids: &HashMap<Chiave, i64>,
    sua: impl Fn(Minore<'a>, &'a Scheda) -> bool,
) -> bool {
    ids.contains_key(&atto.chiave)
        && atto
            .contenuto
            .schede()
            .all(|scheda| sua((atto.chiave.servizio, scheda.codice_fiscale.as_str()), scheda))
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

/// A child of a service.
type Minore<'a> = (&'static str, &'a str);

/// Claims the children of the acts that have their key; answers those that were free.
async fn claim_sheets<'a>(
    connessione: &mut PgConnection,
    atti: &[&'a Atto],
    ids: &HashMap<Chiave, i64>,
) -> Result<BTreeSet<Minore<'a>>, StoreError> {
    // The first act of the batch that names a child claims it.
    let mut minori: HashMap<Minore<'a>, i64> = HashMap::new();
    for atto in atti {
        if let Some(id) = ids.get(&atto.chiave) {
            for scheda in atto.contenuto.schede() {
                minori
                    .entry((atto.chiave.servizio, scheda.codice_fiscale.as_str()))
                    .or_insert(*id);
            }
        }
    }
    if minori.is_empty() {
        return Ok(BTreeSet::new());
    }
    let (mut servizi, mut codici, mut registrazioni) = (Vec::new(), Vec::new(), Vec::new());
    for ((servizio, codice), id) in &minori {
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
        .into_keys()
        .filter(|(servizio, codice)| libere.contains(&((*servizio).to_owned(), (*codice).to_owned())))
        .collect())
}

/// The state of the sheets that were not free.
async fn taken_sheets(
    connessione: &mut PgConnection,
    atti: &[&Atto],
    ids: &HashMap<Chiave, i64>,
    libere: &BTreeSet<Minore<'_>>,
) -> Result<Vive, StoreError> {
    let mut prese: HashMap<&'static str, Vec<_>> = HashMap::new();
    for atto in atti.iter().filter(|atto| ids.contains_key(&atto.chiave)) {
        let servizio = atto.chiave.servizio;
        for scheda in atto.contenuto.schede() {
            if !libere.contains(&(servizio, scheda.codice_fiscale.as_str())) {
                prese
                    .entry(servizio)
                    .or_default()
                    .push(scheda.codice_fiscale.clone());
            }
        }
    }
    let mut vive = Vive::new();
    for (servizio, minori) in prese {
        for viva in query::schede_vive(connessione, servizio, &minori).await? {
            vive.insert((servizio, viva.codice_fiscale.as_str().to_owned()), viva);
        }
    }
    Ok(vive)
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

/// COMMIT did not say yes: what became of it? On a new connection every key is read back. With every new registration
/// found, all was told true. Not found is not "not there": the old connection may be committing still. The caller is
/// told that it is our fault, and a retry waits for that commit at its key.
async fn read_back(
    store: &PostgresStore,
    scrittura: MutexGuard<'_, Scrittura>,
    atti: &[&Atto],
    esiti: Vec<Registrazione>,
    causa: StoreError,
) -> Result<Vec<Registrazione>, StoreError> {
    tracing::warn!("commit failed, reading the keys back: {causa}");
    let Some(mut presa) = store.take_settled(scrittura).await else {
        return Err(causa);
    };
    let chiavi = atti.iter().map(|atto| &atto.chiave);
    let trovate = query::registrate(&mut presa.connessione, chiavi).await?;
    presa.give_back();
    if were_written(atti, &esiti, &trovate) {
        Ok(esiti)
    } else {
        Err(causa)
    }
}
