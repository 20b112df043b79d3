//! The page that says why there is no other.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use askama::Template;

use super::{Cornice, render};
use crate::console::testi::Lingua;

#[derive(Template)]
#[template(path = "errore.html")]
struct Errore {
    c: Cornice,
    numero: u16,
    testo: &'static str,
}

pub(in crate::console) fn page(lingua: Lingua, status: StatusCode, testo: &'static str) -> HttpResponse {
    let errore = Errore {
        c: Cornice::bare(lingua),
        numero: status.as_u16(),
        testo,
    };
    render(status, &errore).unwrap_or_else(|_| HttpResponse::new(status))
}
