//! How a batch is registered, whatever the store: one transaction, its commit, a look at what became of a commit that did
//! not say yes, the anchor, and only then the answers. The order of [`register`]'s lines is what keeps a number that was
//! told from ever being lost or told again (design.md §2.9, ADR 13).

use std::collections::HashMap;

use jiff::Timestamp;

use super::ancore::Ancore;
use super::registro::{Richiesta, Scritte, pack_richieste, were_written};
use super::{Atto, Chiave, Registrazione, StoreError};
use crate::protocollo::{NumeroDomanda, NumeroProtocollo};
use crate::ricevuta::Registrata;

/// A store that registers batches.
pub(super) trait Registrante: Send + Sync {
    /// The connection that registers, taken out: nobody else here registers meanwhile. Whoever drops it has closed it, and
    /// what was open is rolled back.
    type Presa<'s>: Send
    where
        Self: 's;

    /// What is left of it after a COMMIT that did not say yes: still nobody else registers.
    type Sospesa<'s>: Send
    where
        Self: 's;

    /// Takes the connection out, settled, for these acts.
    fn take_for<'s>(
        &'s self,
        atti: &[&Atto],
        adesso: Timestamp,
    ) -> impl Future<Output = Result<Self::Presa<'s>, StoreError>> + Send;

    /// All that the transaction does, from its beginning up to COMMIT.
    fn transact<'s>(
        &'s self,
        presa: &mut Self::Presa<'s>,
        atti: &[&Atto],
        richieste: Vec<Richiesta>,
        adesso: Timestamp,
    ) -> impl Future<Output = Result<Scritte, StoreError>> + Send;

    /// Ends a transaction that has only looked, and puts the connection back.
    fn leave<'s>(&'s self, presa: Self::Presa<'s>) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// Closes the connection; what was open is rolled back.
    fn discard<'s>(&'s self, presa: Self::Presa<'s>) -> impl Future<Output = ()> + Send;

    /// Commits and puts the connection back.
    fn commit<'s>(
        &'s self,
        presa: Self::Presa<'s>,
    ) -> impl Future<Output = Result<(), (Self::Sospesa<'s>, StoreError)>> + Send;

    /// What is registered under the keys of these acts, on a new and settled connection; `None` where that cannot be had.
    fn read_back<'s>(
        &'s self,
        sospesa: Self::Sospesa<'s>,
        atti: &[&Atto],
    ) -> impl Future<Output = Result<Option<HashMap<Chiave, Registrata>>, StoreError>> + Send;

    /// Where it is written which numbers were told.
    fn ancore(&self) -> &Ancore;
}

/// Registers a batch: see [`super::Store::register`].
pub(super) async fn register(
    store: &impl Registrante,
    atti: &[Atto],
    adesso: Timestamp,
) -> Result<Vec<Registrazione>, StoreError> {
    if atti.is_empty() {
        return Ok(Vec::new());
    }
    let atti: Vec<&Atto> = atti.iter().collect();
    // Before any lock, because others may wait for it.
    let richieste = pack_richieste(&atti).await;

    let mut presa = store.take_for(&atti, adesso).await?;
    let Scritte { esiti, tratti, .. } = match store.transact(&mut presa, &atti, richieste, adesso).await {
        Ok(scritte) => scritte,
        Err(errore) => {
            store.discard(presa).await;
            return Err(errore);
        }
    };
    if tratti.is_none() {
        store.leave(presa).await?;
        store.ancore().tell_again(of_before(&esiti));
        return Ok(esiti);
    }
    if let Err((sospesa, causa)) = store.commit(presa).await {
        tracing::warn!("commit failed, reading the keys back: {causa}");
        // With every new registration found, all was told true. Not found may yet be "not there yet": the caller is told
        // that it is our fault, and its retry waits for that commit at its key.
        let trovate = store.read_back(sospesa, &atti).await?;
        if !trovate.is_some_and(|trovate| were_written(&atti, &esiti, &trovate)) {
            return Err(causa);
        }
    }
    store.ancore().tell(tratti.as_ref(), adesso);
    store.ancore().tell_again(of_before(&esiti));
    Ok(esiti)
}

/// The numbers of before that these outcomes tell.
fn of_before(esiti: &[Registrazione]) -> impl Iterator<Item = (&NumeroProtocollo, NumeroDomanda)> {
    esiti.iter().filter_map(|esito| match esito {
        Registrazione::Ripetuta(registrata) | Registrazione::Conflitto(registrata) => {
            Some(registrata.numeri())
        }
        _ => None,
    })
}
