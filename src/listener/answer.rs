//! What the door itself answers over HTTP, where there is no envelope to answer in: a status, and one page of text
//! with the code, the cause and the remedy.

use actix_http::body::{BoxBody, MessageBody as _};
use actix_http::{Response, StatusCode};
use actix_web::HttpResponse;
use actix_web::http::header;

use crate::catalogo::Codice;
use crate::domanda::Violazione;

const TESTO: &str = "text/plain; charset=utf-8";

/// The answer to a request that is refused without an envelope (404, 405, 408, 413, 415, 431, 400; 403 to a
/// stranger who asks for a contract).
#[must_use]
pub fn refuse(violazione: &Violazione) -> HttpResponse {
    HttpResponse::build(status(violazione.codice))
        .insert_header((header::CONTENT_TYPE, TESTO))
        .body(page(violazione))
}

/// The same below the application.
pub(super) fn plain(violazione: &Violazione) -> Response<BoxBody> {
    let mut risposta = Response::build(status(violazione.codice));
    risposta
        .insert_header((header::CONTENT_TYPE, TESTO))
        .force_close();
    risposta.body(page(violazione)).map_body(|_, corpo| corpo.boxed())
}

/// The same as bytes, where there is no dispatcher to write it; the connection ends after it.
pub(super) fn raw(violazione: &Violazione) -> Vec<u8> {
    let status = status(violazione.codice);
    let pagina = page(violazione);
    format!(
        "HTTP/1.1 {} {}\r\ncontent-type: {TESTO}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{pagina}",
        status.as_u16(),
        status.canonical_reason().unwrap_or_default(),
        pagina.len(),
    )
    .into_bytes()
}

fn page(violazione: &Violazione) -> String {
    format!(
        "{} {}\n{}\n",
        violazione.codice,
        violazione.testo(),
        violazione.suggerimento()
    )
}

/// The status of a refusal at the door.
#[must_use]
pub fn status(codice: Codice) -> StatusCode {
    match codice {
        Codice::Htp001 | Codice::Tls011 => StatusCode::BAD_REQUEST,
        Codice::Htp002 => StatusCode::NOT_FOUND,
        Codice::Htp003 => StatusCode::METHOD_NOT_ALLOWED,
        Codice::Htp004 => StatusCode::REQUEST_TIMEOUT,
        Codice::Htp005 => StatusCode::PAYLOAD_TOO_LARGE,
        Codice::Htp006 | Codice::Htp008 | Codice::Mtm001 => StatusCode::UNSUPPORTED_MEDIA_TYPE,
        Codice::Htp007 => StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE,
        Codice::Tls015 | Codice::Tls016 => StatusCode::SERVICE_UNAVAILABLE,
        altro => StatusCode::from_u16(altro.voce().genere.status()).unwrap_or(StatusCode::FORBIDDEN),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_of_the_door_has_its_status() {
        let attesi = [
            (Codice::Htp001, 400),
            (Codice::Htp002, 404),
            (Codice::Htp003, 405),
            (Codice::Htp004, 408),
            (Codice::Htp005, 413),
            (Codice::Htp006, 415),
            (Codice::Htp007, 431),
            (Codice::Htp008, 415),
            (Codice::Mtm001, 415),
            (Codice::Tls005, 403),
            (Codice::Tls016, 503),
            (Codice::Acc001, 403),
            (Codice::Acc009, 503),
        ];
        for (codice, atteso) in attesi {
            assert_eq!(status(codice).as_u16(), atteso, "{codice}");
        }
    }

    #[test]
    fn a_raw_answer_tells_its_own_length() {
        let bytes = raw(&Violazione::at(Codice::Htp007, "")
            .with("campi", 64)
            .with("byte", 16384));
        let tutto = String::from_utf8(bytes).unwrap();
        let (testa, corpo) = tutto.split_once("\r\n\r\n").unwrap();
        assert!(testa.starts_with("HTTP/1.1 431 Request Header Fields Too Large\r\n"));
        assert!(testa.contains(&format!("content-length: {}", corpo.len())));
        assert!(
            corpo.starts_with("HTP-007 intestazioni HTTP troppo grandi: al massimo 64 campi e 16384 byte")
        );
    }
}
