//! Signing in and out. A wrong name, a wrong password and an operator that is shut out are answered with the same words after
//! the same time.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::http::header::{LOCATION, RETRY_AFTER, SET_COOKIE};
use askama::Template;

use super::{Cornice, render};
use crate::console::blocco::Bloccato;
use crate::console::diario::Fatto;
use crate::console::{Domanda, Fallo, Mostrato, modulo};
use crate::store::operatori::{Chi, Operatore};

#[derive(Template)]
#[template(path = "accesso.html")]
struct Accesso {
    c: Cornice,
    torna: String,
    errore: Option<&'static str>,
    con_certificato: bool,
}

/// The form; with what was wrong, where something was.
pub(super) fn form(
    domanda: &Domanda<'_>,
    errore: Option<(StatusCode, &'static str)>,
) -> Result<HttpResponse, Fallo> {
    let accesso = Accesso {
        c: Cornice::bare(domanda.lingua),
        torna: going(domanda).to_owned(),
        errore: errore.map(|(_, testo)| testo),
        con_certificato: domanda.richiesta.conn_data::<Mostrato>().is_some(),
    };
    render(errore.map_or(StatusCode::OK, |(status, _)| status), &accesso)
}

/// With name and password.
pub(super) async fn enter(domanda: &Domanda<'_>) -> Result<HttpResponse, Fallo> {
    let t = domanda.lingua.testi();
    let console = domanda.console;
    let nome = domanda.modulo.get("nome").unwrap_or_default();
    let password = domanda.modulo.raw("password");
    let adesso = console.clock.wall();
    if let Err(Bloccato(fino_a)) = console.blocco.begin(nome, domanda.indirizzo(), adesso) {
        let secondi = fino_a.duration_since(adesso).as_secs().max(1);
        let mut risposta = form(domanda, Some((StatusCode::TOO_MANY_REQUESTS, t.accesso_troppi)))?;
        risposta.headers_mut().insert(RETRY_AFTER, secondi.into());
        return Ok(risposta);
    }
    let trovato = console.store.operatore(Chi::Nome(nome)).await?;
    let conservata = trovato.as_ref().and_then(|(_, password)| password.clone());
    let Ok(giusta) = console
        .setaccio
        .try_password(password.to_owned(), conservata)
        .await
    else {
        return form(domanda, Some((StatusCode::SERVICE_UNAVAILABLE, t.accesso_troppi)));
    };
    match trovato {
        Some((operatore, _)) if giusta => {
            console.blocco.succeeded(nome);
            come_in(domanda, &operatore, "password").await
        }
        noto => {
            // What was typed for a name may be a password: only a name that somebody has is written down.
            let operatore = noto.as_ref().map(|(operatore, _)| operatore.nome.as_str());
            domanda
                .note(Fatto {
                    che: "console accesso",
                    rifiutato: true,
                    operatore,
                    note: vec![match operatore {
                        Some(_) => "password errata".to_owned(),
                        None => "operatore sconosciuto, disabilitato o senza password".to_owned(),
                    }],
                    ..Fatto::default()
                })
                .await?;
            form(domanda, Some((StatusCode::UNAUTHORIZED, t.accesso_errato)))
        }
    }
}

/// With the certificate that the connection showed: TLS has looked at it.
pub(super) async fn enter_with_certificate(domanda: &Domanda<'_>) -> Result<HttpResponse, Fallo> {
    let mostrato = domanda.richiesta.conn_data::<Mostrato>().ok_or(Fallo::NonCe)?;
    let trovato = domanda
        .console
        .store
        .operatore(Chi::Certificato(&mostrato.0))
        .await?;
    if let Some((operatore, _)) = trovato {
        return come_in(domanda, &operatore, "certificato").await;
    }
    domanda
        .note(Fatto {
            che: "console accesso",
            rifiutato: true,
            note: vec![format!("nessun operatore ha il certificato {}", mostrato.0)],
            ..Fatto::default()
        })
        .await?;
    let t = domanda.lingua.testi();
    form(
        domanda,
        Some((StatusCode::UNAUTHORIZED, t.accesso_certificato_ignoto)),
    )
}

async fn come_in(domanda: &Domanda<'_>, operatore: &Operatore, con: &str) -> Result<HttpResponse, Fallo> {
    domanda
        .note(Fatto {
            che: "console accesso",
            operatore: Some(&operatore.nome),
            note: vec![format!("con {con}, ruolo {}", operatore.ruolo.as_str())],
            ..Fatto::default()
        })
        .await?;
    let cookie = domanda.console.sign_in(domanda.richiesta, operatore).await?;
    let meta = Some(going(domanda))
        .filter(|meta| !meta.is_empty())
        .unwrap_or("/traffico");
    Ok(HttpResponse::SeeOther()
        .insert_header((SET_COOKIE, cookie))
        .insert_header((LOCATION, meta))
        .finish())
}

pub(super) async fn leave(domanda: &Domanda<'_>) -> Result<HttpResponse, Fallo> {
    domanda
        .note(Fatto {
            che: "console uscita",
            ..Fatto::default()
        })
        .await?;
    let cookie = domanda.console.sign_out(domanda.chi()?).await?;
    Ok(HttpResponse::SeeOther()
        .insert_header((SET_COOKIE, cookie))
        .insert_header((LOCATION, "/accesso"))
        .finish())
}

/// Where they wanted to go.
fn going<'r>(domanda: &'r Domanda<'_>) -> &'r str {
    modulo::local_path(domanda.modulo.raw("torna")).unwrap_or_default()
}
