//! Messages as OpenTelemetry spans, for a collector (OTLP over HTTP): one for the message, in it one for each of its steps.
//! What a span tells is what the message's line in the log tells: no person, no content, no name that a sender chose. A
//! caller that sends `traceparent` (W3C Trace Context) finds our spans in its own trace; else the trace has the message's
//! id (`IdMessaggio`), so that whoever holds a receipt finds it.
//!
//! Nothing waits for the collector: spans go into a bounded queue, and what finds no place in it is lost.

mod chiamante;
mod posta;

use std::time::{Duration, SystemTime};

use opentelemetry::trace::{SpanContext, SpanId, SpanKind, Status, TraceFlags, TraceId, TraceState};
use opentelemetry::{InstrumentationScope, KeyValue};
use opentelemetry_otlp::{SpanExporter, WithExportConfig as _, WithHttpConfig as _};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::{
    BatchConfigBuilder, BatchSpanProcessor, SpanData, SpanEvents, SpanLinks, SpanProcessor,
};

pub use self::chiamante::Chiamante;
use self::posta::Posta;
use super::Traccia;

/// Section `telemetria`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TelemetriaConfig {
    /// Where the collector is, without `/v1/traces`: `http://127.0.0.1:4318`; `None` = spans go nowhere.
    pub collettore: Option<String>,
    /// One message of so many is told, of those whose caller does not say.
    pub campione: usize,
    /// How many spans may wait for the collector; beyond them they are lost.
    pub coda: usize,
    /// How long spans wait for others.
    pub ritardo: Duration,
    /// How long the collector may take.
    pub attesa: Duration,
}

impl Default for TelemetriaConfig {
    fn default() -> Self {
        Self {
            collettore: None,
            campione: 1,
            coda: 8192,
            ritardo: Duration::from_secs(2),
            attesa: Duration::from_secs(5),
        }
    }
}

/// Whose spans they are.
#[derive(Debug, Clone)]
pub struct Identita {
    /// Name of the gateway: `service.instance.id`.
    pub nodo: String,
    /// The ambiente: `deployment.environment.name`.
    pub ambiente: &'static str,
}

/// Why spans cannot be sent.
#[derive(Debug, thiserror::Error)]
pub enum TelemetriaErrata {
    /// The address is none of a collector.
    #[error(
        "telemetria.collettore: serve l'indirizzo http:// di un collettore OTLP, senza percorso, come http://127.0.0.1:4318"
    )]
    Indirizzo,
    /// The library refuses what we asked of it.
    #[error("telemetria: {0}")]
    Libreria(String),
}

/// Where spans go.
#[derive(Debug)]
pub struct Esportatore {
    processore: BatchSpanProcessor,
    posta: Posta,
    ambito: InstrumentationScope,
    campione: u64,
    attesa: Duration,
}

impl Esportatore {
    /// Begins to send, on a thread of its own; `None` where there is no collector.
    pub fn open(config: &TelemetriaConfig, identita: Identita) -> Result<Option<Self>, TelemetriaErrata> {
        let Some(collettore) = &config.collettore else {
            return Ok(None);
        };
        let nome = collettore
            .strip_prefix("http://")
            .ok_or(TelemetriaErrata::Indirizzo)?;
        if nome.is_empty() || nome.contains(['/', '?', '#', '@']) {
            return Err(TelemetriaErrata::Indirizzo);
        }
        let posta = Posta::new(config.attesa);
        let esportatore = SpanExporter::builder()
            .with_http()
            .with_http_client(posta.clone())
            .with_endpoint(format!("{collettore}/v1/traces"))
            .with_timeout(config.attesa)
            .build()
            .map_err(|errore| TelemetriaErrata::Libreria(errore.to_string()))?;
        let gruppi = BatchConfigBuilder::default()
            .with_max_queue_size(config.coda)
            .with_max_export_batch_size(config.coda.clamp(1, GRUPPO_MAX))
            .with_scheduled_delay(config.ritardo)
            .build();
        let mut processore = BatchSpanProcessor::builder(esportatore)
            .with_batch_config(gruppi)
            .build();
        let risorsa = Resource::builder_empty()
            .with_attributes([
                KeyValue::new("service.name", "varco"),
                KeyValue::new("service.version", env!("CARGO_PKG_VERSION")),
                KeyValue::new("service.instance.id", identita.nodo),
                KeyValue::new("deployment.environment.name", identita.ambiente),
            ])
            .build();
        processore.set_resource(&risorsa);
        Ok(Some(Self {
            processore,
            posta,
            ambito: InstrumentationScope::builder("varco").build(),
            campione: u64::try_from(config.campione.max(1)).unwrap_or(u64::MAX),
            attesa: config.attesa,
        }))
    }

    /// A message is over, after so long.
    pub(super) fn ended(&self, traccia: &Traccia, durata: Duration) {
        let (_, basso) = traccia.message_id.as_u64_pair();
        let detto = traccia.chiamante.map(|chiamante| chiamante.campionato);
        if !detto.unwrap_or(basso % self.campione == 0) {
            return;
        }
        let (trace_id, padre) = match traccia.chiamante {
            Some(chiamante) => (chiamante.trace_id, chiamante.span_id),
            None => (TraceId::from(traccia.message_id.as_u128()), SpanId::INVALID),
        };
        let inizio = SystemTime::from(traccia.ricevuto_il);
        // The random half of the message's id: another for every message, whosever trace it is in.
        let messaggio = self.span(trace_id, basso, padre, inizio, durata);
        let suo = messaggio.span_context.span_id();
        let mut passo_da = inizio;
        for (posto, (nome, us)) in (1..).zip(&traccia.tempi_us) {
            let durata = Duration::from_micros(*us);
            let passo = self.span(trace_id, basso.wrapping_add(posto), suo, passo_da, durata);
            passo_da = passo.end_time;
            self.processore.on_end(SpanData {
                name: (*nome).into(),
                ..passo
            });
        }
        self.processore.on_end(SpanData {
            parent_span_is_remote: padre != SpanId::INVALID,
            span_kind: SpanKind::Server,
            name: name_of(traccia).into(),
            attributes: attributes(traccia),
            status: status(traccia),
            ..messaggio
        });
    }

    fn span(
        &self,
        trace_id: TraceId,
        id: u64,
        padre: SpanId,
        inizio: SystemTime,
        durata: Duration,
    ) -> SpanData {
        SpanData {
            span_context: SpanContext::new(
                trace_id,
                SpanId::from(id.max(1)),
                TraceFlags::SAMPLED,
                false,
                TraceState::NONE,
            ),
            parent_span_id: padre,
            parent_span_is_remote: false,
            span_kind: SpanKind::Internal,
            name: "".into(),
            start_time: inizio,
            end_time: inizio.checked_add(durata).unwrap_or(inizio),
            attributes: Vec::new(),
            dropped_attributes_count: 0,
            events: SpanEvents::default(),
            links: SpanLinks::default(),
            status: Status::Unset,
            instrumentation_scope: self.ambito.clone(),
        }
    }

    /// How many requests did not reach the collector, or were refused by it.
    pub(super) fn falliti(&self) -> u64 {
        self.posta.falliti()
    }

    /// Sends what waits, for so long as the collector may take, and ends. Blocks.
    pub(super) fn close(&self) {
        if let Err(errore) = self.processore.shutdown_with_timeout(self.attesa) {
            tracing::warn!("the last spans did not reach the collector: {errore}");
        }
    }
}

/// What kind of message it is: of few values, as names of spans must be.
fn name_of(traccia: &Traccia) -> String {
    match (&traccia.servizio, &traccia.operazione) {
        (Some(servizio), Some(operazione)) => format!("{servizio}/{operazione}"),
        (Some(servizio), None) => servizio.clone(),
        (None, _) => "messaggio".to_owned(),
    }
}

fn attributes(traccia: &Traccia) -> Vec<KeyValue> {
    let size = |len: u64| i64::try_from(len).unwrap_or(i64::MAX);
    let mut attributi = vec![
        KeyValue::new("varco.message_id", traccia.message_id.to_string()),
        KeyValue::new("varco.canale", traccia.canale.clone()),
        KeyValue::new("varco.esito", traccia.esito.clone()),
        KeyValue::new("http.response.status_code", i64::from(traccia.http_status)),
        KeyValue::new("http.request.body.size", size(traccia.richiesta_len)),
        KeyValue::new("http.response.body.size", size(traccia.risposta_len)),
    ];
    if let Some(ente) = &traccia.ente {
        attributi.push(KeyValue::new("varco.ente", ente.clone()));
    }
    if !traccia.codici.is_empty() {
        attributi.push(KeyValue::new("varco.codici", traccia.codici.join(" ")));
    }
    attributi
}

/// A refusal is an answer like another; an error is what we could not do, or nobody was told of.
fn status(traccia: &Traccia) -> Status {
    if traccia.http_status >= 500 || traccia.esito == "INTERROTTA" {
        Status::error(traccia.codice.clone().unwrap_or_default())
    } else {
        Status::Unset
    }
}

/// Spans of one request to the collector.
const GRUPPO_MAX: usize = 512;

#[cfg(test)]
mod tests;
