//! The numbers of our own Identificativi: taken from the store by blocks, so that no message waits for one. A number comes
//! round after ten million others, and not within its minute: a block is used for a few minutes only, then what is left
//! of it is let go.

use jiff::{SignedDuration, Timestamp};
use tokio::sync::Mutex;

use crate::store::{Store, StoreError};

/// Numbers of this process.
#[derive(Debug, Default)]
pub struct Numeri {
    blocco: Mutex<Blocco>,
}

#[derive(Debug, Default)]
struct Blocco {
    prossimo: u64,
    ultimo: u64,
    preso_il: Option<Timestamp>,
}

/// How many numbers one trip to the store brings.
const QUANTI: u32 = 1000;
/// For so long a block is used: even at ten thousand messages a second nobody comes round meanwhile.
const DURATA: SignedDuration = SignedDuration::from_mins(10);

impl Numeri {
    /// The next number; of another block when this one is used up or old.
    pub(super) async fn next(&self, store: &dyn Store, adesso: Timestamp) -> Result<u64, StoreError> {
        let mut blocco = self.blocco.lock().await;
        let fresco = blocco
            .preso_il
            .is_some_and(|preso_il| adesso.duration_since(preso_il).abs() < DURATA);
        if !fresco || blocco.prossimo > blocco.ultimo {
            let prima = store.reserve_identificativi(QUANTI).await?;
            *blocco = Blocco {
                prossimo: prima + 1,
                ultimo: prima + u64::from(QUANTI),
                preso_il: Some(adesso),
            };
        }
        let numero = blocco.prossimo;
        blocco.prossimo += 1;
        Ok(numero)
    }
}
