//! Maintenance mode as it is kept: every order stays, the newest is in force. No SQL.

use async_trait::async_trait;
use jiff::Timestamp;

use super::StoreError;

/// What senders are told while nothing new is taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cartello {
    /// The sentence, at most [`MESSAGGIO_MAX`] characters.
    pub messaggio: String,
    /// When it ends by itself (true time); `None` = when somebody ends it.
    pub fino_a: Option<Timestamp>,
}

/// One order: maintenance begins, is told otherwise, or ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Disposizione {
    /// When it was given (true time).
    pub istante: Timestamp,
    /// By whom.
    pub operatore: String,
    /// What is told from then on; `None` = maintenance ends.
    pub cartello: Option<Cartello>,
}

impl Disposizione {
    /// What senders are told now: nothing once its end has come.
    #[must_use]
    pub fn in_force(&self, adesso: Timestamp) -> Option<&Cartello> {
        let finita = |cartello: &&Cartello| cartello.fino_a.is_none_or(|fine| adesso < fine);
        self.cartello.as_ref().filter(finita)
    }
}

/// The store's part in maintenance mode. Two implementations, each with its own SQL.
#[async_trait]
pub trait ArchivioManutenzioni {
    /// Gives an order: from now on it is in force, for every gateway of this store.
    async fn dispose(&self, disposizione: &Disposizione) -> Result<(), StoreError>;

    /// The order in force: the newest; `None` where none was ever given.
    async fn disposizione(&self) -> Result<Option<Disposizione>, StoreError>;
}

/// Characters of what senders are told; the schema holds it, too.
pub const MESSAGGIO_MAX: usize = 300;

#[cfg(test)]
mod tests {
    use super::*;

    fn al(secondi: i64) -> Timestamp {
        Timestamp::from_second(secondi).unwrap()
    }

    #[test]
    fn an_order_ends_by_itself_at_its_end_and_not_before() {
        let mut disposizione = Disposizione {
            istante: al(100),
            operatore: "m.verdi".to_owned(),
            cartello: Some(Cartello {
                messaggio: "si torna alle 10".to_owned(),
                fino_a: Some(al(200)),
            }),
        };
        assert!(disposizione.in_force(al(199)).is_some());
        assert!(disposizione.in_force(al(200)).is_none());
        disposizione.cartello = None;
        assert!(disposizione.in_force(al(150)).is_none());
    }
}
