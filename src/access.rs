//! Who may: certificate, address, ufficio, service, operation, quota. Refuses before anything of the message beyond
//! its first tags is read, so that a stranger learns nothing of the schemas (design.md §1).

mod quote;
mod tentativi;

use std::sync::Arc;

use arc_swap::ArcSwap;
use jiff::Timestamp;

use crate::adesione::{Adesioni, Ente, Peer, StatoEnte};
use crate::catalogo::Codice;
use crate::domanda::Violazione;
use crate::patronato::CodiceUfficio;
use crate::prestazione::{Operazione, Prestazione};
use crate::rifiuto::Negato;
use crate::soap::identity::Identity;
use crate::store::SharedStore;

pub use self::quote::Quota;
use self::quote::Quote;
pub use self::tentativi::Tentativi;

/// A message whose ente and ufficio may call this operation.
///
/// Only [`Access::authorize`] builds one, so whatever takes an `Authorized` need not ask again:
///
/// ```compile_fail,E0451
/// use varco::access::Authorized;
/// use varco::soap::identity::Identity;
/// fn forge<T>(ente: std::sync::Arc<varco::adesione::Ente>, identity: Identity, message: T) -> Authorized<T> {
///     Authorized { ente, identity, quota: None, message }
/// }
/// ```
#[derive(Debug)]
pub struct Authorized<T> {
    ente: Arc<Ente>,
    identity: Identity,
    quota: Option<Quota>,
    message: T,
}

impl<T> Authorized<T> {
    /// Whose certificate it is.
    pub fn ente(&self) -> &Ente {
        &self.ente
    }

    /// What the header Identity said.
    pub fn identity(&self) -> &Identity {
        &self.identity
    }

    /// What is left of the ente's quota, where it has one.
    pub fn quota(&self) -> Option<Quota> {
        self.quota
    }

    /// The message itself.
    pub fn message(&self) -> &T {
        &self.message
    }

    /// The message itself, to take out of it what the next step consumes.
    pub fn message_mut(&mut self) -> &mut T {
        &mut self.message
    }

    /// The same leave for what the message becomes by being read further.
    pub fn try_map<U, E>(self, further: impl FnOnce(T) -> Result<U, E>) -> Result<Authorized<U>, E> {
        Ok(Authorized {
            message: further(self.message)?,
            ente: self.ente,
            identity: self.identity,
            quota: self.quota,
        })
    }
}

/// The register of enti at work: swapped as a whole by a reload, asked for every request.
#[derive(Debug)]
pub struct Access {
    adesioni: Arc<ArcSwap<Adesioni>>,
    strict: bool,
    quote: Quote,
}

impl Access {
    /// Access by these adesioni; `strict` is the installation's mode for Identity, which an ente may override. Quotas are
    /// counted in the store, with the other gateways that work on it.
    #[must_use]
    pub fn new(adesioni: Arc<ArcSwap<Adesioni>>, strict: bool, store: SharedStore) -> Self {
        Self {
            adesioni,
            strict,
            quote: Quote::new(store),
        }
    }

    /// Whether this peer's Identity must be in the published form.
    #[must_use]
    pub fn identity_strict(&self, peer: &Peer) -> bool {
        self.adesioni
            .load()
            .ente(&peer.certificato)
            .and_then(|ente| ente.identity_strict)
            .unwrap_or(self.strict)
    }

    /// The register of enti as it is now.
    #[must_use]
    pub fn adesioni(&self) -> Arc<Adesioni> {
        self.adesioni.load_full()
    }

    /// The ente that a certificate speaks for, allowed or not: for the record of what is refused.
    #[must_use]
    pub fn ente(&self, peer: &Peer) -> Option<Arc<Ente>> {
        self.adesioni.load().ente(&peer.certificato).cloned()
    }

    /// The ente of a certificate that may come in at all: see [`admit`].
    pub fn admit(&self, peer: &Peer) -> Result<Arc<Ente>, Negato> {
        admit(&self.adesioni.load(), peer)
    }

    /// Lets a message in, or says what stands against it. Asks in this order: certificate, state, address, ufficio,
    /// service, operation, quota; what was refused does not count against the quota.
    pub async fn authorize<T>(
        &self,
        peer: &Peer,
        prestazione: &Prestazione,
        operazione: Operazione,
        identity: Identity,
        now: Timestamp,
        message: T,
    ) -> Result<Authorized<T>, Negato> {
        let ente = self.admit(peer)?;
        if !ente.uffici.contains(&identity.codice_ufficio) {
            return Err(ufficio_non_abilitato(&identity.codice_ufficio));
        }
        let Some((_, operazioni)) = ente
            .servizi
            .iter()
            .find(|(servizio, _)| servizio == prestazione.servizio)
        else {
            return Err(negato(
                Codice::Acc005,
                &[("servizio", &prestazione.servizio), ("ente", &ente.codice)],
            ));
        };
        if !operazioni
            .iter()
            .any(|nome| nome == "*" || nome == operazione.nome())
        {
            return Err(negato(
                Codice::Acc006,
                &[
                    ("operazione", &operazione.nome()),
                    ("servizio", &prestazione.servizio),
                    ("ente", &ente.codice),
                ],
            ));
        }
        let quota = self.quote.count(&ente, now).await?;
        Ok(Authorized {
            ente,
            identity,
            quota,
            message,
        })
    }
}

/// The ente of a certificate that may look at the contract (`?wsdl`): known and not suspended, from an address that is
/// allowed.
pub fn admit(adesioni: &Adesioni, peer: &Peer) -> Result<Arc<Ente>, Negato> {
    let Some(ente) = adesioni.ente(&peer.certificato) else {
        return Err(negato(
            Codice::Acc001,
            &[
                ("soggetto", &peer.certificato.soggetto),
                ("seriale", &peer.certificato.seriale),
            ],
        ));
    };
    if ente.stato == StatoEnte::Sospeso {
        return Err(negato(Codice::Acc002, &[("ente", &ente.codice)]));
    }
    let indirizzo = peer.indirizzo.to_canonical();
    if !ente.indirizzi.is_empty() && !ente.indirizzi.iter().any(|rete| rete.contains(&indirizzo)) {
        return Err(negato(
            Codice::Acc004,
            &[("indirizzo", &indirizzo), ("ente", &ente.codice)],
        ));
    }
    Ok(Arc::clone(ente))
}

fn ufficio_non_abilitato(ufficio: &CodiceUfficio) -> Negato {
    negato(Codice::Acc003, &[("ufficio", ufficio)])
}

fn negato(codice: Codice, argomenti: &[(&'static str, &dyn std::fmt::Display)]) -> Negato {
    let violazione = argomenti
        .iter()
        .fold(Violazione::at(codice, ""), |violazione, (nome, valore)| {
            violazione.with(nome, valore)
        });
    Negato {
        violazione,
        riprova_fra_s: None,
    }
}
