//! What is still taken when nothing new is, for lack of room or during maintenance: the retry of what was registered, and every
//! look-up.

use crate::catalogo::Codice;
use crate::ricevuta::Registrata;
use crate::rifiuto::{Failure, Guasto};
use crate::store::Chiave;

use super::passi::Ammessa;
use super::{Intake, giudizio};

impl Intake {
    /// Whether one more registration is taken: `None` = it is. Else its key decides: what has a number already is told it, all
    /// else is refused.
    pub(super) async fn admit_new(&self, ammessa: &Ammessa) -> Result<Option<Registrata>, Failure> {
        let Err(guasto) = self.custode.admit().and_then(|()| self.spazio.admit_atto()) else {
            return Ok(None);
        };
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
        Err(guasto.into())
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
