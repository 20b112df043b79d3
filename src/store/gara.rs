//! How a batch gets hold of what it needs where several gateways write at once: keys, aventi and children are claimed or
//! locked in one order for all, so that two batches wait for each other but never for ever. What did not take leaves
//! nothing: an act whose children are not free gives its key back by taking the whole claim back, and the others claim
//! again. No SQL: what a database is asked stands in [`Contesa`].

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use uuid::Uuid;

use super::registro::{Aperte, Attuale, Sorte, Visto, Vive, decide};
use super::{Atto, Chiave, StoreError};
use crate::domanda::{CodiceFiscale, Scheda, SchedaViva};
use crate::protocollo::NumeroDomanda;
use crate::ricevuta::Registrata;

/// A child of a service.
pub(super) type Minore<'a> = (&'static str, &'a str);

/// A transaction in which others claim too. What is claimed or locked is held until it ends; who finds somebody else at
/// it waits until that one's transaction has ended, and sees what it left.
pub(super) trait Contesa: Send {
    /// Begins a transaction.
    fn begin(&mut self) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// Takes back all that the transaction did so far, and ends it.
    fn take_back(&mut self) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// Claims the keys of these acts that are free, in one order for all: each with the id of its registration.
    fn claim_keys(
        &mut self,
        atti: &[&Atto],
    ) -> impl Future<Output = Result<HashMap<Chiave, i64>, StoreError>> + Send;

    /// What is registered under these keys.
    fn registrate(
        &mut self,
        chiavi: &[&Chiave],
    ) -> impl Future<Output = Result<HashMap<Chiave, Registrata>, StoreError>> + Send;

    /// Which of these keys lots have.
    fn keys_of_lots(
        &mut self,
        chiavi: &[&Chiave],
    ) -> impl Future<Output = Result<HashMap<Chiave, Uuid>, StoreError>> + Send;

    /// Uses up the buste of the acts that have their key (`ids`); answers those that were not used up.
    fn claim_buste(
        &mut self,
        atti: &[&Atto],
        ids: &HashMap<Chiave, i64>,
    ) -> impl Future<Output = Result<HashSet<String>, StoreError>> + Send;

    /// Locks whose domande the acts open that have their key, in one order for all; tells which live domande these have.
    fn lock_aventi(
        &mut self,
        atti: &[&Atto],
        ids: &HashMap<Chiave, i64>,
    ) -> impl Future<Output = Result<Aperte, StoreError>> + Send;

    /// Claims these children for these registrations, in one order for all; answers those that were free.
    fn claim_sheets<'a>(
        &mut self,
        minori: &BTreeMap<Minore<'a>, i64>,
    ) -> impl Future<Output = Result<BTreeSet<Minore<'a>>, StoreError>> + Send;

    /// The live sheets that these children have.
    fn schede_vive(
        &mut self,
        servizio: &'static str,
        minori: &[CodiceFiscale],
    ) -> impl Future<Output = Result<Vec<SchedaViva>, StoreError>> + Send;

    /// Locks the domande that the acts are about that have their key, and those whose sheets somebody takes the place of,
    /// in one order for all; tells how they stand.
    fn lock_domande(
        &mut self,
        atti: &[&Atto],
        ids: &HashMap<Chiave, i64>,
    ) -> impl Future<Output = Result<HashMap<NumeroDomanda, Attuale>, StoreError>> + Send;
}

/// What the acts of a batch got hold of.
pub(super) struct Pretese {
    pub(super) sorti: Vec<Sorte>,
    /// The new id of each key that was claimed: that of every accepted act, and of no other.
    pub(super) ids: HashMap<Chiave, i64>,
    pub(super) visto: Visto,
}

/// How often a batch claims anew. A second time is needed when a child was not free, a third when another gateway
/// came in between.
pub(super) const PRETESE_MAX: usize = 16;

/// Begins the transaction and claims keys and children, until exactly those that are needed are claimed.
pub(super) async fn claim(contesa: &mut impl Contesa, atti: &[&Atto]) -> Result<Pretese, StoreError> {
    let mut gara = Gara::default();
    for _ in 0..PRETESE_MAX {
        contesa.begin().await?;
        match gara.attempt(contesa, atti).await? {
            Tentativo::Riuscito(pretese) => return Ok(*pretese),
            Tentativo::Mancato(_) => contesa.take_back().await?,
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
    /// Acts that were refused: they claim no key any more, and are answered by what is known at the end.
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
        contesa: &mut impl Contesa,
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
        let ids = contesa.claim_keys(&in_gara).await?;
        let prese: Vec<&Chiave> = in_gara
            .iter()
            .map(|atto| &atto.chiave)
            .filter(|chiave| !ids.contains_key(*chiave))
            .collect();
        let registrate = contesa.registrate(&prese).await?;
        if registrate.len() < prese.len() {
            visto.di_lotti.extend(contesa.keys_of_lots(&prese).await?);
        }
        visto.gia_registrate.extend(registrate);
        let buste = contesa.claim_buste(&in_gara, &ids).await?;
        let con_chiave = in_gara.iter().filter(|atto| ids.contains_key(&atto.chiave));
        let usate = con_chiave
            .filter_map(|atto| atto.busta())
            .filter(|(_, busta)| !buste.contains(*busta));
        visto.buste.extend(usate.map(|(_, busta)| busta.to_owned()));
        visto.aperte.extend(contesa.lock_aventi(&in_gara, &ids).await?);
        let libere = claim_sheets(contesa, &in_gara, &ids).await?;
        visto
            .vive
            .extend(taken_sheets(contesa, &in_gara, &ids, &libere).await?);
        visto.attuali.extend(contesa.lock_domande(&in_gara, &ids).await?);

        // Who was refused holds no key: meanwhile another gateway may have registered the same message.
        let rifiutate: Vec<&Chiave> = rifiutati.iter().map(|posto| &atti[*posto].chiave).collect();
        if !rifiutate.is_empty() {
            visto.gia_registrate.extend(contesa.registrate(&rifiutate).await?);
        }

        let sorti = decide(atti, visto);
        // Who was refused for the sake of another act of this batch, which is refused in its turn, is asked again.
        rifiutati.retain(|posto| !matches!(sorti[*posto], Sorte::Accolto));
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

/// Claims the children of the acts that have their key; answers those that were free.
async fn claim_sheets<'a>(
    contesa: &mut impl Contesa,
    atti: &[&'a Atto],
    ids: &HashMap<Chiave, i64>,
) -> Result<BTreeSet<Minore<'a>>, StoreError> {
    // The first act of the batch that names a child claims it.
    let mut minori: BTreeMap<Minore<'a>, i64> = BTreeMap::new();
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
    contesa.claim_sheets(&minori).await
}

/// The state of the sheets that were not free.
async fn taken_sheets(
    contesa: &mut impl Contesa,
    atti: &[&Atto],
    ids: &HashMap<Chiave, i64>,
    libere: &BTreeSet<Minore<'_>>,
) -> Result<Vive, StoreError> {
    let mut prese: BTreeMap<&'static str, Vec<_>> = BTreeMap::new();
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
        for viva in contesa.schede_vive(servizio, &minori).await? {
            vive.insert((servizio, viva.codice_fiscale.as_str().to_owned()), viva);
        }
    }
    Ok(vive)
}
