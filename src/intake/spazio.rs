//! What is still taken when room runs out: the retry of what was registered, and every look-up.

use crate::catalogo::Codice;
use crate::ricevuta::Registrata;
use crate::rifiuto::{Failure, Guasto};
use crate::spazio::Stato;
use crate::store::Chiave;

use super::passi::Ammessa;
use super::{Intake, giudizio};

impl Intake {
    /// Whether there is room for one more registration: `None` = there is. Else its key decides: what has a number already is
    /// told it, all else is refused.
    pub(super) async fn room_for(&self, ammessa: &Ammessa) -> Result<Option<Registrata>, Failure> {
        if self.spazio.stato() < Stato::Critico {
            return Ok(None);
        }
        let letta = &ammessa.valida.letta;
        if let Some(chiave) = letta.chiave() {
            let chiave = Chiave {
                ente: letta.authorized.ente().codice.clone(),
                servizio: letta.authorized.message().prestazione.servizio,
                chiave: chiave.clone(),
            };
            let digest = letta.authorized.message().digest;
            if let Some(registrata) = giudizio::before(&*self.store, &chiave, digest).await?? {
                return Ok(Some(registrata));
            }
        }
        self.spazio.admit_atto()?;
        Ok(None)
    }
}

/// The Identificatore of a busta that registered nothing could not be used up. On a full disk the answer goes out all the same:
/// a copy of that busta will get it again, and not `EGOV_IT_110`; it would register nothing twice.
pub(super) fn may_go_on_without(failure: Failure) -> Result<(), Failure> {
    match failure {
        Failure::Guasto(Guasto::Store {
            codice: Codice::Sto002,
            causa,
        }) => {
            tracing::warn!("a busta is answered without its Identificatore being used up: {causa}");
            Ok(())
        }
        altra => Err(altra),
    }
}
