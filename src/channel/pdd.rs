//! `POST /PD`: SOAP 1.1 in a busta e-Gov, from a porta di dominio, over mutual TLS. What HTTP alone can refuse is refused
//! here, as a porta expects it: with a Fault (shape C) and status 500, whatever it is. Which service is called only the busta
//! says.

use actix_web::http::{Method, header};
use actix_web::{HttpRequest, HttpResponse, web};
use tokio::time::Instant;

use super::modi::{charset_ammesso, content_length};
use super::{Arrivo, Channels, SOAP_ACTION, clip, respond, text_header};
use crate::catalogo::Codice;
use crate::domanda::Violazione;
use crate::intake::corpo::Corpo;
use crate::intake::scadenza::Scadenza;
use crate::intake::{Incoming, Indirizzo};
use crate::soap::SoapVersion;
use crate::soap::mtom::{self, TipoErrato};

/// Where portas send to.
pub(super) const INDIRIZZO: &str = "/PD";

/// One request to our porta.
pub(super) async fn serve(
    request: HttpRequest,
    payload: web::Payload,
    channels: web::Data<Channels>,
) -> HttpResponse {
    let mut arrivo = match channels.arrive(&request) {
        Ok(arrivo) => arrivo,
        Err(response) => return *response,
    };
    let mut corpo = channels.body(payload);
    if request.method() != Method::POST {
        return arrivo.not_allowed(&mut corpo, &request, AMMESSI);
    }
    let multiparte = match content(&request, channels.mtom) {
        Ok(multiparte) => multiparte,
        Err(violazione) => return arrivo.not_processed(&channels, &mut corpo, &violazione),
    };
    let annunciati = content_length(&request);
    corpo = corpo.in_parts(multiparte).announced(annunciati);
    let limite = channels.intake.lotti.config.messaggio_bytes_max();
    if annunciati.is_some_and(|lunghezza| lunghezza > limite) {
        let violazione = Violazione::at(Codice::Htp005, "").with("limite", limite);
        return arrivo.not_processed(&channels, &mut corpo, &violazione);
    }
    let Some(mut diario) = arrivo.diario.take() else {
        return HttpResponse::InternalServerError().finish();
    };
    CANALE.clone_into(&mut diario.traccia().canale);
    let incoming = Incoming {
        message_id: arrivo.message_id,
        still_welcome: arrivo.still_welcome,
        peer: arrivo.peer,
        canale: CANALE,
        indirizzo: Indirizzo::PortaDiDominio,
        versione_attesa: SoapVersion::V11,
        scadenza: Scadenza::after(Instant::now(), channels.richiesta_attesa),
        corpo,
    };
    let (message_id, scade) = (incoming.message_id, arrivo.scade);
    let reply = channels.intake.answer(incoming, diario).await;
    respond(reply, message_id, scade)
}

const AMMESSI: &str = "POST";
const CANALE: &str = "PDD";

/// The multipart that the Content-Type announces; refuses what is no SOAP 1.1, and a request without `SOAPAction`. What it
/// says decides nothing.
fn content(request: &HttpRequest, limits: mtom::Limits) -> Result<Option<mtom::Tipo>, Violazione> {
    let refused = |motivo: String| Err(Violazione::at(Codice::Bst005, "").with("motivo", motivo));
    let tipo = text_header(request, &header::CONTENT_TYPE).unwrap_or_default();
    let mut parti = tipo.split(';').map(str::trim);
    let multiparte = match parti.next().unwrap_or_default().to_ascii_lowercase().as_str() {
        "text/xml" if charset_ammesso(parti) => None,
        "multipart/related" => match mtom::Tipo::with_attachments(&tipo, limits) {
            Ok(multiparte) => Some(multiparte),
            Err(TipoErrato::NonAmmesso) => return refused(format!("Content-Type {}", clip(&tipo, 80))),
            Err(TipoErrato::Errato(errore)) => return Err(*errore.0),
        },
        _ => return refused(format!("Content-Type {}", clip(&tipo, 80))),
    };
    if !request.headers().contains_key(&SOAP_ACTION) {
        return refused("SOAPAction non presente".to_owned());
    }
    Ok(multiparte)
}

impl Arrivo {
    /// Refuses in the way of portas what was not read.
    fn not_processed(
        &mut self,
        channels: &Channels,
        corpo: &mut Corpo,
        violazione: &Violazione,
    ) -> HttpResponse {
        let Some(mut diario) = self.diario.take() else {
            return HttpResponse::InternalServerError().finish();
        };
        CANALE.clone_into(&mut diario.traccia().canale);
        let reply = channels.intake.not_processed(violazione, &self.peer, &mut diario);
        diario.close(corpo, &reply);
        respond(reply, self.message_id, self.scade)
    }
}
