//! The messages that are about a person, and who has looked at them: both are traces, and told apart by their channel.

use std::collections::BTreeSet;

use anyhow::Result;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::store::{Ricerca, Store};
use crate::trace::Traccia;
use crate::trace::redact;

/// Traces a page.
pub(super) const PAGINA: u32 = 200;

/// The looks that show a message in clear: what is written of them names the message.
const SGUARDI: [&str; 3] = ["trace show", "console in chiaro", "console scarica"];

/// The traces of a search, page by page.
pub(super) struct Pagine<'a> {
    store: &'a dyn Store,
    ricerca: Ricerca,
    finita: bool,
}

impl<'a> Pagine<'a> {
    pub(super) fn of(store: &'a dyn Store, ricerca: Ricerca) -> Self {
        Self {
            store,
            ricerca: Ricerca {
                limite: PAGINA,
                senza_byte: true,
                ..ricerca
            },
            finita: false,
        }
    }

    pub(super) async fn next(&mut self) -> Result<Option<Vec<Traccia>>> {
        if self.finita {
            return Ok(None);
        }
        let pagina = self.store.tracce(&self.ricerca).await?;
        self.ricerca.dopo = pagina.posizione;
        self.finita = !pagina.altre;
        Ok(Some(pagina.righe))
    }
}

/// Whether a trace is of somebody who looked, and not of a message.
pub(super) fn is_look(traccia: &Traccia) -> bool {
    matches!(traccia.canale.as_str(), "CLI" | "CONSOLE")
}

/// The looks at messages that have no domanda, by the ids of those: what is written of them has no other tie.
pub(super) async fn looks_at(store: &dyn Store, messaggi: &BTreeSet<Uuid>) -> Result<Vec<Traccia>> {
    let mut trovati = Vec::new();
    if messaggi.is_empty() {
        return Ok(trovati);
    }
    for operazione in SGUARDI {
        let ricerca = Ricerca {
            operazione: Some(operazione.to_owned()),
            ..Ricerca::default()
        };
        let mut pagine = Pagine::of(store, ricerca);
        while let Some(pagina) = pagine.next().await? {
            trovati.extend(pagina.into_iter().filter(|sguardo| names_one(sguardo, messaggi)));
        }
    }
    Ok(trovati)
}

fn names_one(sguardo: &Traccia, messaggi: &BTreeSet<Uuid>) -> bool {
    let note = sguardo.note.iter().filter_map(|nota| nota.strip_prefix("di "));
    sguardo
        .uri
        .split_whitespace()
        .chain(note)
        .filter_map(|parola| parola.parse::<Uuid>().ok())
        .any(|id| messaggi.contains(&id))
}

/// A message, as it is told: not who at the patronato sent it, who is another person.
pub(super) fn messaggio(traccia: &Traccia) -> Value {
    json!({
        "ricevuto_il": traccia.ricevuto_il.to_string(),
        "message_id": traccia.message_id.to_string(),
        "canale": traccia.canale,
        "ente": traccia.ente,
        "servizio": traccia.servizio,
        "operazione": traccia.operazione,
        "esito": traccia.esito,
        "codici": traccia.codici,
        "protocollo": traccia.protocollo,
        "numero_domanda": traccia.numero_domanda,
        "richiesta_byte": traccia.richiesta_len,
    })
}

/// A look, as it is told.
pub(super) fn accesso(traccia: &Traccia) -> Value {
    let note: Vec<_> = traccia.note.iter().map(|nota| redact::mask(nota)).collect();
    json!({
        "quando": traccia.ricevuto_il.to_string(),
        "id": traccia.message_id.to_string(),
        "operatore": traccia.user_id,
        "da": traccia.canale,
        "che_cosa": traccia.operazione,
        "protocollo": traccia.protocollo,
        "numero_domanda": traccia.numero_domanda,
        "note": note,
    })
}
