//! How spans travel: HTTP in the clear to a collector nearby, from the thread that gathers them. A collector that does not
//! answer is told once, and counted.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use opentelemetry_http::{Bytes, HttpClient, HttpError, Request, Response};
use ureq::Agent;

/// The client. Cheap to clone.
#[derive(Debug, Clone)]
pub(super) struct Posta {
    agente: Agent,
    falliti: Arc<AtomicU64>,
}

impl Posta {
    pub(super) fn new(attesa: Duration) -> Self {
        let config = Agent::config_builder()
            .timeout_global(Some(attesa))
            .max_redirects(0)
            .http_status_as_error(false)
            .proxy(None)
            .build();
        Self {
            agente: config.into(),
            falliti: Arc::default(),
        }
    }

    /// How many requests did not reach the collector, or were refused by it.
    pub(super) fn falliti(&self) -> u64 {
        self.falliti.load(Ordering::Relaxed)
    }

    fn deliver(&self, richiesta: Request<Bytes>) -> Result<Response<Bytes>, ureq::Error> {
        let (parti, corpo) = richiesta.into_parts();
        let risposta = self.agente.run(Request::from_parts(parti, corpo.to_vec()))?;
        let (parti, corpo) = risposta.into_parts();
        let corpo = corpo.into_with_config().limit(RISPOSTA_MAX).read_to_vec()?;
        Ok(Response::from_parts(parti, corpo.into()))
    }
}

#[async_trait]
impl HttpClient for Posta {
    /// Blocks, which its thread is there for.
    async fn send_bytes(&self, richiesta: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let esito = self.deliver(richiesta);
        let perche = match &esito {
            Ok(risposta) if risposta.status().is_success() => return Ok(esito?),
            Ok(risposta) => risposta.status().to_string(),
            Err(errore) => errore.to_string(),
        };
        if self.falliti.fetch_add(1, Ordering::Relaxed) == 0 {
            tracing::warn!("spans do not reach the collector ({perche}); from here on that is only counted");
        }
        Ok(esito?)
    }
}

/// Bytes of a collector's answer that are looked at.
const RISPOSTA_MAX: u64 = 64 * 1024;
