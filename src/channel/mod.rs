//! The channels: HTTP in, `Incoming` out. They differ only in how they make an `Incoming` and wrap the answer.

mod modi;
mod pdd;
mod wsdl;

use std::sync::Arc;
use std::time::Duration;

use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderName, HeaderValue};
use actix_web::{HttpRequest, HttpResponse, web};
use jiff::Timestamp;
use uuid::Uuid;

use crate::adesione::Peer;
use crate::catalogo::Codice;
use crate::clock::{Clock, Ids};
use crate::domanda::Violazione;
use crate::intake::corpo::{Corpo, CorpoLimits};
use crate::intake::{Diario, Intake, Reply, plain};
use crate::listener::{self, Connessione};
use crate::prestazione::PRESTAZIONI;
use crate::rifiuto::Negato;
use crate::soap::mtom;
use crate::trace::Traccia;
use crate::trace::otlp::Chiamante;
use crate::trace::writer::Tracciati;

/// What the channels share.
#[derive(Debug)]
pub struct Channels {
    /// The way.
    pub intake: Arc<Intake>,
    /// Where trace records go.
    pub tracce: Tracciati,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Ids.
    pub ids: Arc<dyn Ids>,
    /// Bounds on the body.
    pub corpo: CorpoLimits,
    /// Bounds on a body that is a multipart.
    pub mtom: mtom::Limits,
    /// From the head to the answer.
    pub richiesta_attesa: Duration,
    /// The address that clients know, without a trailing slash: `https://localhost:8443`.
    pub indirizzo_pubblico: String,
}

/// The routes, for every worker of the listener.
pub fn routes(channels: Arc<Channels>) -> impl Fn(&mut web::ServiceConfig) + Clone + Send + 'static {
    move |config| {
        config.app_data(web::Data::from(Arc::clone(&channels)));
        // This runs once in each worker's own thread, which is where the schemas are wanted.
        if let Err(errore) = channels.intake.schema.warm() {
            tracing::error!("the schemas were not loaded ahead: {errore}");
        }
        // Addresses without a variable part are compared, not matched.
        for prestazione in PRESTAZIONI.iter().copied() {
            for fine in ["", "/"] {
                let indirizzo = format!("/modi/soap/{}/v1{fine}", prestazione.servizio);
                let serve =
                    move |request, payload, channels| modi::serve(prestazione, request, payload, channels);
                config.route(&indirizzo, web::route().to(serve));
            }
        }
        for fine in ["", "/"] {
            config.route(&format!("{}{fine}", pdd::INDIRIZZO), web::route().to(pdd::serve));
        }
        config.default_service(web::route().to(nowhere));
    }
}

/// Any other path.
async fn nowhere(request: HttpRequest, channels: web::Data<Channels>) -> HttpResponse {
    let mut arrivo = match channels.arrive(&request) {
        Ok(arrivo) => arrivo,
        Err(response) => return *response,
    };
    let mut corpo = Corpo::empty(channels.corpo.clone());
    arrivo.refuse(&mut corpo, &not_here(&request))
}

/// The sentence of an address where there is nothing.
fn not_here(request: &HttpRequest) -> Violazione {
    Violazione::at(Codice::Htp002, "").with("percorso", clip(request.path(), 256))
}

/// A request that has come: its id, who sends it, and the record that was begun for it.
struct Arrivo {
    message_id: Uuid,
    peer: Arc<Peer>,
    still_welcome: Result<(), Negato>,
    /// When the caller's certificate ends, where that is soon.
    scade: Option<Timestamp>,
    diario: Option<Diario>,
}

impl Channels {
    /// Begins the record of a request. Without room for its record a message is not taken: 503.
    fn arrive(&self, request: &HttpRequest) -> Result<Arrivo, Box<HttpResponse>> {
        let message_id = self.ids.next();
        let Some(connessione) = Connessione::of(request) else {
            // The listener puts one on every connection it lets in.
            return Err(Box::new(HttpResponse::InternalServerError().finish()));
        };
        let peer = Arc::clone(connessione.presentato());
        let still_welcome = connessione.peer().map(drop).map_err(|violazione| Negato {
            violazione,
            riprova_fra_s: None,
        });
        let traccia = Traccia {
            message_id,
            ricevuto_il: self.clock.wall(),
            canale: "MODI".to_owned(),
            indirizzo: Some(peer.indirizzo),
            certificato_soggetto: peer.certificato.soggetto.clone(),
            certificato_seriale: peer.certificato.seriale.clone(),
            tls: format!("{} {}", peer.tls_versione, peer.tls_suite),
            uri: format!("{} {}", request.method(), clip(request.path(), 256)),
            id_mittente: text_header(request, &ID_MITTENTE),
            id_transazione: text_header(request, &ID_TRANSAZIONE),
            chiamante: text_header(request, &CHIAMANTE)
                .as_deref()
                .and_then(Chiamante::parse),
            ..Traccia::default()
        };
        let Ok(guardia) = self.tracce.begin(traccia) else {
            tracing::info!(message_id = %message_id, codice = %Codice::Sys002, "not taken: the trace queue is full");
            let mut reply = plain(503, &[Violazione::at(Codice::Sys002, "")]);
            reply.retry_after_s = Some(self.intake.retry_after.as_secs());
            return Err(Box::new(respond(reply, message_id, connessione.ends_soon())));
        };
        Ok(Arrivo {
            message_id,
            peer,
            still_welcome,
            scade: connessione.ends_soon(),
            diario: Some(Diario::new(guardia)),
        })
    }

    /// The body that a payload brings, within our limits.
    fn body(&self, payload: web::Payload) -> Corpo {
        use futures_util::StreamExt;
        let stream = payload.map(|chunk| chunk.map_err(|_| crate::intake::corpo::CorpoInterrotto));
        Corpo::new(stream.boxed_local(), self.corpo.clone())
    }
}

impl Arrivo {
    /// Refuses what has no envelope: a status, one sentence, and the record.
    fn refuse(&mut self, corpo: &mut Corpo, violazione: &Violazione) -> HttpResponse {
        let violazioni = std::slice::from_ref(violazione);
        let reply = plain(listener::answer::status(violazione.codice).as_u16(), violazioni);
        if let Some(mut diario) = self.diario.take() {
            diario.refused("RIFIUTATA_HTTP", violazioni);
            diario.close(corpo, &reply);
        }
        respond(reply, self.message_id, self.scade)
    }

    /// Refuses a method that is not among those of the address: 405 says which they are.
    fn not_allowed(
        &mut self,
        corpo: &mut Corpo,
        request: &HttpRequest,
        ammessi: &'static str,
    ) -> HttpResponse {
        let violazione = Violazione::at(Codice::Htp003, "")
            .with("metodo", clip(request.method().as_str(), 16))
            .with("ammessi", ammessi);
        let mut response = self.refuse(corpo, &violazione);
        let ammessi = HeaderValue::from_static(ammessi);
        response.headers_mut().insert(header::ALLOW, ammessi);
        response
    }
}

// Names of headers that HTTP does not know, ready made: what is sent for every message is not parsed for every message.
static ID_MITTENTE: HeaderName = HeaderName::from_static("govway-message-id");
static ID_TRANSAZIONE: HeaderName = HeaderName::from_static("govway-transaction-id");
static CHIAMANTE: HeaderName = HeaderName::from_static("traceparent");
static SOAP_ACTION: HeaderName = HeaderName::from_static("soapaction");
const ID_MESSAGGIO: HeaderName = HeaderName::from_static("varco-message-id");
const QUOTA_CONCESSE: HeaderName = HeaderName::from_static("x-ratelimit-limit");
const QUOTA_RIMASTE: HeaderName = HeaderName::from_static("x-ratelimit-remaining");
const QUOTA_RINNOVO: HeaderName = HeaderName::from_static("x-ratelimit-reset");
const CERTIFICATO_SCADE: HeaderName = HeaderName::from_static("varco-certificato-scade");
const GENERE: HeaderName = HeaderName::from_static("govway-transaction-errortype");

/// The reply as HTTP. Nothing of it may be kept by a cache or guessed at by a browser.
fn respond(reply: Reply, message_id: Uuid, scade: Option<Timestamp>) -> HttpResponse {
    let status = StatusCode::from_u16(reply.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut response = HttpResponse::build(status);
    response
        .insert_header((header::CONTENT_TYPE, reply.content_type))
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .insert_header((header::X_CONTENT_TYPE_OPTIONS, "nosniff"))
        .insert_header((ID_MESSAGGIO, message_id.to_string()));
    if let Some(scade) = scade {
        response.insert_header((CERTIFICATO_SCADE, scade.strftime("%F").to_string()));
    }
    if let Some(secondi) = reply.retry_after_s {
        response.insert_header((header::RETRY_AFTER, secondi));
    }
    if let Some(quota) = reply.quota {
        response
            .insert_header((QUOTA_CONCESSE, quota.concesse))
            .insert_header((QUOTA_RIMASTE, quota.rimaste))
            .insert_header((QUOTA_RINNOVO, quota.rinnovo_s));
    }
    if let Some(genere) = reply.genere {
        response.insert_header((GENERE, genere));
    }
    match reply.flusso {
        None => response.body(reply.bytes),
        // Its length is not known ahead: it is written while the store is read.
        Some(flusso) => response.streaming(flusso.after(reply.bytes)),
    }
}

/// A header's text, when it is plain ASCII and short enough to keep.
fn text_header(request: &HttpRequest, nome: &HeaderName) -> Option<String> {
    let testo = request.headers().get(nome).map(HeaderValue::to_str)?.ok()?;
    Some(clip(testo.trim(), 256).to_owned())
}

/// At most `max` bytes, cut between characters.
fn clip(testo: &str, max: usize) -> &str {
    let mut fine = testo.len().min(max);
    while !testo.is_char_boundary(fine) {
        fine -= 1;
    }
    &testo[..fine]
}
