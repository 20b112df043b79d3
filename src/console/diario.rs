//! What is written down of who uses the console: signing in and out, every refusal, every look at a message in clear, every
//! byte that was taken away, every command. A trace like any other, of the channel `CONSOLE`, found as all are, and written
//! before anything is shown.

use super::{Domanda, Fallo};
use crate::trace::Traccia;

/// The channel of what is written down here.
pub(super) const CANALE: &str = "CONSOLE";

/// What was done, and of what.
#[derive(Debug, Default)]
pub(super) struct Fatto<'a> {
    /// `console accesso`, `console in chiaro`…
    pub(super) che: &'static str,
    /// Whether it was allowed.
    pub(super) rifiutato: bool,
    /// By whom, where nobody is signed in yet.
    pub(super) operatore: Option<&'a str>,
    /// The message that it is about.
    pub(super) di: Option<&'a Traccia>,
    /// Why, and what else is to be known.
    pub(super) note: Vec<String>,
}

impl Domanda<'_> {
    /// Writes down what is about to be shown or was refused.
    pub(super) async fn note(&self, fatto: Fatto<'_>) -> Result<(), Fallo> {
        let presente = self
            .presente
            .as_ref()
            .map(|presente| presente.operatore.nome.as_str());
        let (esito, http_status) = if fatto.rifiutato {
            ("RIFIUTATA", 403)
        } else {
            ("RISPOSTA", 200)
        };
        let traccia = Traccia {
            message_id: self.console.ids.next(),
            ricevuto_il: self.console.clock.wall(),
            canale: CANALE.to_owned(),
            indirizzo: Some(self.indirizzo()),
            user_id: fatto.operatore.or(presente).map(str::to_owned),
            uri: format!("{} {}", self.richiesta.method(), self.richiesta.path()),
            operazione: Some(fatto.che.to_owned()),
            esito: esito.to_owned(),
            http_status,
            ente: fatto.di.and_then(|traccia| traccia.ente.clone()),
            protocollo: fatto.di.and_then(|traccia| traccia.protocollo.clone()),
            numero_domanda: fatto.di.and_then(|traccia| traccia.numero_domanda),
            note: fatto.note,
            ..Traccia::default()
        };
        self.console.store.write_tracce(&[traccia]).await?;
        Ok(())
    }

    /// Somebody who is signed in asked for what they may not.
    pub(super) async fn note_refusal(&self, perche: &str) -> Result<(), Fallo> {
        self.note(Fatto {
            che: "console rifiuto",
            rifiutato: true,
            note: vec![perche.to_owned()],
            ..Fatto::default()
        })
        .await
    }
}
