//! `GET …?wsdl`, `?xsd=NAME`, `?errori`: the contract as it is compiled in, with the public address put into it. For enti
//! alone: a stranger learns nothing of the schemas (403).

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse};

use super::{Arrivo, Channels, modi};
use crate::catalogo;
use crate::contratto::{WSDLS, XSDS, by_name};
use crate::intake::Reply;
use crate::intake::corpo::Corpo;
use crate::prestazione::Prestazione;

/// The address that stands in the WSDL files, to be replaced by the public one.
const INDIRIZZO_NEL_FILE: &str = "https://localhost:8443";

/// Answers a GET on a service's address.
pub(super) fn serve(
    request: &HttpRequest,
    prestazione: &'static Prestazione,
    channels: &Channels,
    mut arrivo: Arrivo,
    mut corpo: Corpo,
) -> HttpResponse {
    if let Some(diario) = &mut arrivo.diario {
        diario.traccia().servizio = Some(prestazione.servizio.to_owned());
    }
    let welcome = arrivo
        .still_welcome
        .clone()
        .and_then(|()| channels.intake.access.admit(&arrivo.peer).map(drop));
    if let Err(negato) = welcome {
        return arrivo.refuse(&mut corpo, &negato.violazione);
    }
    match document(request.query_string(), prestazione, &channels.indirizzo_pubblico) {
        Asked::Document(content_type, testo) => arrivo.tell(content_type, testo),
        Asked::Unknown => arrivo.refuse(&mut corpo, &super::not_here(request)),
        Asked::Nothing => arrivo.not_allowed(&mut corpo, request, modi::AMMESSI),
    }
}

/// What the query asks for.
enum Asked {
    Document(&'static str, String),
    Unknown,
    Nothing,
}

fn document(query: &str, prestazione: &Prestazione, indirizzo: &str) -> Asked {
    let (nome, valore) = query.split_once('=').unwrap_or((query, ""));
    let found = match (nome.to_ascii_lowercase().as_str(), valore) {
        ("", _) => return Asked::Nothing,
        ("wsdl", _) => {
            by_name(WSDLS, prestazione.servizio).map(|wsdl| (XML, served_wsdl(wsdl, prestazione, indirizzo)))
        }
        ("xsd", nome) => by_name(XSDS, nome).map(|xsd| (XML, served_xsd(xsd))),
        ("errori", "md") => Some(("text/markdown; charset=utf-8", catalogo::markdown())),
        ("errori", _) => Some((XML, catalogo::xml())),
        _ => None,
    };
    found.map_or(Asked::Unknown, |(content_type, testo)| {
        Asked::Document(content_type, testo)
    })
}

const XML: &str = "text/xml; charset=utf-8";

/// The WSDL with its imports as `?xsd=` on the same address, and the public address of the service.
fn served_wsdl(wsdl: &str, prestazione: &Prestazione, indirizzo: &str) -> String {
    let base = format!("{indirizzo}/modi/soap/{}/v1/", prestazione.servizio);
    let mut testo = wsdl.replace(INDIRIZZO_NEL_FILE, indirizzo);
    for (nome, _) in XSDS {
        testo = testo
            .replace(
                &format!("schemaLocation=\"../xsd/{nome}\""),
                &format!("schemaLocation=\"{base}?xsd={nome}\""),
            )
            .replace(
                &format!("schemaLocation=\"{nome}\""),
                &format!("schemaLocation=\"{base}?xsd={nome}\""),
            );
    }
    testo
}

/// An XSD whose imports are relative to `?xsd=`.
fn served_xsd(xsd: &str) -> String {
    XSDS.iter().fold(xsd.to_owned(), |testo, (nome, _)| {
        testo.replace(
            &format!("schemaLocation=\"{nome}\""),
            &format!("schemaLocation=\"?xsd={nome}\""),
        )
    })
}

impl Arrivo {
    /// Answers with a document of the contract.
    fn tell(mut self, content_type: &'static str, testo: String) -> HttpResponse {
        let reply = Reply {
            status: StatusCode::OK.as_u16(),
            content_type,
            bytes: testo.into(),
            retry_after_s: None,
            quota: None,
            genere: None,
            flusso: None,
        };
        if let Some(mut diario) = self.diario.take() {
            diario.told();
            diario.close_without_bytes(&reply);
        }
        super::respond(reply, self.message_id, self.scade)
    }
}
