//! Somebody with a browser that follows nothing by itself: cookies and forms by hand, so that each can be wrong.

use std::time::Duration;

use super::PASSWORD;
use crate::helpers::{Gateway, Reply, reply};

pub(super) struct Ospite {
    agent: ureq::Agent,
    pub(super) url: String,
    pub(super) cookie: Option<String>,
    pub(super) origin: Option<String>,
}

impl Ospite {
    /// Nobody yet.
    pub(super) fn new(gateway: &Gateway) -> Self {
        let agent = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .timeout_global(Some(Duration::from_mins(1)))
            .build();
        Self::with(agent.into(), gateway.console())
    }

    pub(super) fn with(agent: ureq::Agent, url: String) -> Self {
        Self {
            agent,
            origin: Some(url.clone()),
            url,
            cookie: None,
        }
    }

    /// Signed in.
    pub(super) fn come_in(gateway: &Gateway, nome: &str) -> Self {
        let mut ospite = Self::new(gateway);
        let risposta = ospite.sign_in(nome, PASSWORD);
        assert_eq!(
            (risposta.status, risposta.header("location")),
            (303, Some("/traffico"))
        );
        ospite
    }

    pub(super) fn sign_in(&mut self, nome: &str, password: &str) -> Reply {
        let risposta = self.post("/accesso", &[("nome", nome), ("password", password)]);
        self.keep_cookie(&risposta);
        risposta
    }

    pub(super) fn keep_cookie(&mut self, risposta: &Reply) {
        if let Some(cookie) = risposta.header("set-cookie") {
            self.cookie = cookie.split(';').next().map(str::to_owned);
        }
    }

    pub(super) fn get(&self, percorso: &str) -> Reply {
        self.get_with(percorso, &[])
    }

    pub(super) fn get_with(&self, percorso: &str, intestazioni: &[(&str, &str)]) -> Reply {
        let mut richiesta = self.agent.get(format!("{}{percorso}", self.url));
        if let Some(cookie) = &self.cookie {
            richiesta = richiesta.header("Cookie", cookie);
        }
        for (nome, valore) in intestazioni {
            richiesta = richiesta.header(*nome, *valore);
        }
        reply(richiesta.call().unwrap())
    }

    /// Posts a form as it is.
    pub(super) fn post(&self, percorso: &str, campi: &[(&str, &str)]) -> Reply {
        let mut richiesta = self.agent.post(format!("{}{percorso}", self.url));
        if let Some(cookie) = &self.cookie {
            richiesta = richiesta.header("Cookie", cookie);
        }
        if let Some(origin) = &self.origin {
            richiesta = richiesta.header("Origin", origin);
        }
        reply(richiesta.send_form(campi.iter().copied()).unwrap())
    }

    /// Posts a form with the token of the session, as the page has it.
    pub(super) fn submit(&self, percorso: &str, campi: &[(&str, &str)]) -> Reply {
        let csrf = self.csrf();
        let mut tutti = vec![("csrf", csrf.as_str())];
        tutti.extend(campi);
        self.post(percorso, &tutti)
    }

    pub(super) fn csrf(&self) -> String {
        let pagina = self.get("/enti").text();
        let dopo = pagina.split("name=\"csrf\" value=\"").nth(1).expect("a form");
        dopo.split('"').next().unwrap().to_owned()
    }
}
