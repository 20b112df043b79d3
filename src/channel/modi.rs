//! `POST /modi/soap/{servizio}/v1/`: SOAP 1.2 and 1.1 over mutual TLS, as ModI's `BLOCK_SOAP`; `GET …?wsdl` beside it.
//! What HTTP alone can refuse is refused here, by status line: all else has an envelope.

use actix_web::http::{Method, header};
use actix_web::{HttpRequest, HttpResponse, web};
use tokio::time::Instant;

use super::{Channels, SOAP_ACTION, respond, text_header, wsdl};
use crate::catalogo::Codice;
use crate::domanda::Violazione;
use crate::intake::scadenza::Scadenza;
use crate::intake::{Incoming, Indirizzo};
use crate::prestazione::Prestazione;
use crate::soap::SoapVersion;
use crate::soap::mtom::{self, TipoErrato};

/// One request to a service's address.
pub(super) async fn serve(
    prestazione: &'static Prestazione,
    request: HttpRequest,
    payload: web::Payload,
    channels: web::Data<Channels>,
) -> HttpResponse {
    let mut arrivo = match channels.arrive(&request) {
        Ok(arrivo) => arrivo,
        Err(response) => return *response,
    };
    let mut corpo = channels.body(payload);
    if request.method() == Method::GET {
        return wsdl::serve(&request, prestazione, &channels, arrivo, corpo);
    }
    if request.method() != Method::POST {
        return arrivo.not_allowed(&mut corpo, &request, AMMESSI);
    }
    let (versione_attesa, multiparte) = match content(&request, channels.mtom) {
        Ok(contenuto) => contenuto,
        Err(violazione) => return arrivo.refuse(&mut corpo, &violazione),
    };
    let annunciati = content_length(&request);
    corpo = corpo.in_parts(multiparte).announced(annunciati);
    // Longer than any lot; one that is only too long for a single domanda is told so once the operation is known.
    let limite = channels.intake.lotti.config.messaggio_bytes_max();
    if annunciati.is_some_and(|lunghezza| lunghezza > limite) {
        let violazione = Violazione::at(Codice::Htp005, "").with("limite", limite);
        return arrivo.refuse(&mut corpo, &violazione);
    }
    let Some(mut diario) = arrivo.diario.take() else {
        return HttpResponse::InternalServerError().finish();
    };
    diario.traccia().servizio = Some(prestazione.servizio.to_owned());
    diario.traccia().azione = azione(&request);
    let incoming = Incoming {
        message_id: arrivo.message_id,
        still_welcome: arrivo.still_welcome,
        peer: arrivo.peer,
        canale: "MODI",
        indirizzo: Indirizzo::Servizio(prestazione),
        versione_attesa,
        scadenza: Scadenza::after(Instant::now(), channels.richiesta_attesa),
        corpo,
    };
    let (message_id, scade) = (incoming.message_id, arrivo.scade);
    let reply = channels.intake.answer(incoming, diario).await;
    respond(reply, message_id, scade)
}

/// The methods of a service's address.
pub(super) const AMMESSI: &str = "POST, GET";

/// The SOAP version that the Content-Type speaks of, and the multipart that it announces; refuses media types that are no SOAP, other charsets than UTF-8
/// (UTF-16 is refused by the reader, which can say where).
fn content(
    request: &HttpRequest,
    limits: mtom::Limits,
) -> Result<(SoapVersion, Option<mtom::Tipo>), Violazione> {
    let refused =
        |trovato: &str| Err(Violazione::at(Codice::Htp008, "").with("tipo", super::clip(trovato, 80)));
    let Some(tipo) = request.headers().get(header::CONTENT_TYPE) else {
        return refused("nessun Content-Type");
    };
    let tipo = tipo.to_str().unwrap_or("?");
    let mut parti = tipo.split(';').map(str::trim);
    let versione = match parti.next().unwrap_or_default().to_ascii_lowercase().as_str() {
        "application/soap+xml" => SoapVersion::V12,
        "text/xml" => SoapVersion::V11,
        "multipart/related" => {
            return match mtom::Tipo::parse(tipo, limits) {
                Ok(multiparte) => Ok((multiparte.versione, Some(multiparte))),
                Err(TipoErrato::NonAmmesso) => refused(tipo),
                Err(TipoErrato::Errato(errore)) => Err(*errore.0),
            };
        }
        _ => return refused(tipo),
    };
    if !charset_ammesso(parti) {
        return refused(tipo);
    }
    Ok((versione, None))
}

/// Whether the parameters of a media type name no other charset than UTF-8.
pub(super) fn charset_ammesso<'t>(mut parametri: impl Iterator<Item = &'t str>) -> bool {
    parametri.all(|parametro| {
        parametro.split_once('=').is_none_or(|(nome, valore)| {
            !nome.trim().eq_ignore_ascii_case("charset")
                || ["utf-8", "utf8", "us-ascii"]
                    .contains(&valore.trim().trim_matches('"').to_ascii_lowercase().as_str())
        })
    })
}

pub(super) fn content_length(request: &HttpRequest) -> Option<u64> {
    request
        .headers()
        .get(header::CONTENT_LENGTH)?
        .to_str()
        .ok()?
        .parse()
        .ok()
}

/// The action that the sender names, if any: `action` of the Content-Type (RFC 3902) or `SOAPAction`. It decides
/// nothing, since stacks send what they like there.
fn azione(request: &HttpRequest) -> Option<String> {
    let tipo = text_header(request, &header::CONTENT_TYPE).unwrap_or_default();
    let in_tipo = tipo.split(';').find_map(|parte| {
        let (nome, valore) = parte.split_once('=')?;
        nome.trim()
            .eq_ignore_ascii_case("action")
            .then(|| valore.trim().trim_matches('"').to_owned())
    });
    in_tipo
        .or_else(|| text_header(request, &SOAP_ACTION).map(|azione| azione.trim_matches('"').to_owned()))
        .filter(|azione| !azione.is_empty() && azione != "None")
}
