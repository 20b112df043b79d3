//! `varco lot status` and `varco lot watch`: how far a lot is, once or until it has ended.

use std::time::Duration;

use anyhow::Result;
use uuid::Uuid;

use super::dialogo::{Andamento, Chi, Dialogo, ended};
use crate::cli::{BARRA, BARRA_BYTE, Uscita, progress_bar};

/// Which lot.
#[derive(Debug, clap::Args)]
pub(super) struct Status {
    /// Identificativo del lotto, come nella risposta di InviaLotto
    #[arg(value_name = "ID")]
    id: Uuid,
    #[command(flatten)]
    chi: Chi,
}

/// Which lot.
#[derive(Debug, clap::Args)]
pub(super) struct Watch {
    /// Identificativo del lotto, come nella risposta di InviaLotto
    #[arg(value_name = "ID")]
    id: Uuid,
    #[command(flatten)]
    chi: Chi,
}

impl Status {
    pub(super) fn run(self) -> Result<Uscita> {
        Ok(match self.chi.find(self.id)? {
            Ok((_, stato)) => {
                out!("{stato}");
                Uscita::Fatto
            }
            Err(esito) => ended(&esito),
        })
    }
}

impl Watch {
    pub(super) fn run(self) -> Result<Uscita> {
        match self.chi.find(self.id)? {
            Ok((dialogo, stato)) => follow(&dialogo, self.id, stato),
            Err(esito) => Ok(ended(&esito)),
        }
    }
}

/// Asks as often as the gateway advises, until the lot has ended, and prints how.
pub(super) fn follow(dialogo: &Dialogo, id: Uuid, mut stato: Andamento) -> Result<Uscita> {
    // How many items a file has is not known before its end: then the bytes tell how far it is.
    let a_elementi = stato.elementi.is_some();
    let barra = if a_elementi {
        progress_bar(0, &format!("{BARRA}  {{msg}}"))
    } else {
        progress_bar(0, &format!("{BARRA_BYTE}  {{msg}}"))
    };
    while stato.esito.is_empty() {
        let (fatti, tutti) = if a_elementi {
            (stato.lavorati, stato.elementi.unwrap_or(stato.lavorati))
        } else {
            (stato.byte_lavorati, stato.byte)
        };
        barra.set_length(tutti);
        barra.set_position(fatti);
        barra.set_message(message(&stato));
        std::thread::sleep(Duration::from_secs(
            stato.chiedere_fra_s.unwrap_or(2).clamp(1, 60),
        ));
        stato = match dialogo.stato(id)? {
            Ok(stato) => stato,
            Err(esito) => {
                barra.finish_and_clear();
                return Ok(ended(&esito));
            }
        };
    }
    barra.finish_and_clear();
    out!("{stato}");
    Ok(stato.uscita())
}

fn message(stato: &Andamento) -> String {
    match (stato.sospeso, stato.stato.as_str()) {
        (true, _) => "sospeso da chi gestisce il varco".to_owned(),
        (false, "accepted") => "in coda".to_owned(),
        (false, _) => stato.somma(),
    }
}
