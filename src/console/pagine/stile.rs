//! The one style sheet, under a path that is named after what is in it: it may be kept for ever. And the sign of the page.

use std::sync::LazyLock;

use actix_web::http::header::{CACHE_CONTROL, CONTENT_TYPE, ETAG, IF_NONE_MATCH};
use actix_web::{HttpRequest, HttpResponse};

use crate::domanda::sha256::{Sha256, hex};

const FOGLIO: &str = include_str!("../../../templates/stile.css");
const ICONA: &str = include_str!("../../../templates/icona.svg");

static PERCORSO: LazyLock<String> =
    LazyLock::new(|| format!("/stile-{}.css", &hex(&Sha256::of(FOGLIO.as_bytes()))[..12]));

pub(in crate::console) fn percorso() -> &'static str {
    &PERCORSO
}

pub(super) fn sheet(richiesta: &HttpRequest) -> HttpResponse {
    let etag = format!("\"{}\"", &PERCORSO[1..]);
    let gia = richiesta.headers().get(IF_NONE_MATCH);
    if gia.is_some_and(|gia| gia.as_bytes() == etag.as_bytes()) {
        return HttpResponse::NotModified().finish();
    }
    HttpResponse::Ok()
        .insert_header((CONTENT_TYPE, "text/css; charset=utf-8"))
        .insert_header((CACHE_CONTROL, "public, max-age=31536000, immutable"))
        .insert_header((ETAG, etag))
        .body(FOGLIO)
}

pub(super) fn icon() -> HttpResponse {
    HttpResponse::Ok()
        .insert_header((CONTENT_TYPE, "image/svg+xml"))
        .insert_header((CACHE_CONTROL, "public, max-age=86400"))
        .body(ICONA)
}
