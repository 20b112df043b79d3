//! How an answer leaves: the headers that every one has, and the page that says why there is no other.

use actix_web::http::StatusCode;
use actix_web::http::header::{
    ALLOW, CACHE_CONTROL, CONTENT_SECURITY_POLICY, HeaderName, HeaderValue, LOCATION, RETRY_AFTER,
};
use actix_web::{HttpRequest, HttpResponse};

use super::pagine::errore;
use super::testi::Lingua;
use super::{Console, Fallo, modulo};

/// No script, nothing from elsewhere, no frame around us, forms that go nowhere else.
const POLITICA: &str = "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; \
                        frame-ancestors 'none'; base-uri 'none'";

/// Headers of every answer. Where a link leads is told nobody (`same-origin`; with `no-referrer` browsers would hide from us,
/// too, where a form comes from, and send `Origin: null`).
const INTESTAZIONI: &[(&str, &str)] = &[
    ("x-content-type-options", "nosniff"),
    ("x-frame-options", "DENY"),
    ("referrer-policy", "same-origin"),
    ("cross-origin-opener-policy", "same-origin"),
    ("cross-origin-resource-policy", "same-origin"),
    (
        "permissions-policy",
        "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    ),
];

/// How long a caller waits when we are the cause.
const RIPROVARE_S: &str = "5";

impl Console {
    /// Puts on what every answer wears.
    pub(super) fn dress(&self, mut risposta: HttpResponse) -> HttpResponse {
        let intestazioni = risposta.headers_mut();
        intestazioni.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLITICA));
        for (nome, valore) in INTESTAZIONI {
            intestazioni.insert(HeaderName::from_static(nome), HeaderValue::from_static(valore));
        }
        if self.cifrata {
            intestazioni.insert(
                HeaderName::from_static("strict-transport-security"),
                HeaderValue::from_static("max-age=31536000"),
            );
        }
        if !intestazioni.contains_key(CACHE_CONTROL) {
            intestazioni.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        }
        risposta
    }
}

/// The page that says why there is no other.
pub(super) fn refuse(richiesta: &HttpRequest, lingua: Lingua, fallo: &Fallo) -> HttpResponse {
    let t = lingua.testi();
    let (status, testo) = match fallo {
        Fallo::Sconosciuto => return to_sign_in(richiesta),
        Fallo::NonCe => (StatusCode::NOT_FOUND, t.errore_non_ce),
        Fallo::Metodo(_) => (StatusCode::METHOD_NOT_ALLOWED, t.errore_metodo),
        Fallo::Ospite => (StatusCode::MISDIRECTED_REQUEST, t.errore_ospite),
        Fallo::Origine => (StatusCode::FORBIDDEN, t.errore_origine),
        Fallo::Vietato => (StatusCode::FORBIDDEN, t.errore_vietato),
        Fallo::Modulo(status) => (*status, t.errore_modulo),
        Fallo::Archivio(errore) => {
            tracing::warn!("a page of the console was not made: {errore}");
            (StatusCode::SERVICE_UNAVAILABLE, t.errore_archivio)
        }
        Fallo::Guasto(causa) => {
            tracing::error!("a page of the console failed: {causa}");
            (StatusCode::INTERNAL_SERVER_ERROR, t.errore_guasto)
        }
    };
    let mut risposta = errore::page(lingua, status, testo);
    if let Fallo::Metodo(metodo) = fallo {
        risposta
            .headers_mut()
            .insert(ALLOW, HeaderValue::from_static(metodo));
    }
    if status == StatusCode::SERVICE_UNAVAILABLE {
        risposta
            .headers_mut()
            .insert(RETRY_AFTER, HeaderValue::from_static(RIPROVARE_S));
    }
    risposta
}

/// Who is not signed in signs in first, and comes back to where they wanted to go.
fn to_sign_in(richiesta: &HttpRequest) -> HttpResponse {
    let meta = richiesta.uri().path_and_query().map_or("/", |meta| meta.as_str());
    let torna = if *richiesta.method() == actix_web::http::Method::GET && meta != "/" {
        modulo::local_path(meta).unwrap_or_default()
    } else {
        ""
    };
    see(&format!("/accesso{}", modulo::query([("torna", torna)])))
}

/// Sends on to a page of ours.
pub(super) fn see(percorso: &str) -> HttpResponse {
    HttpResponse::SeeOther()
        .insert_header((LOCATION, percorso))
        .finish()
}
