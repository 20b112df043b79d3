//! The console over real HTTP: who may come in, who may do what, what is written down, and that what a sender wrote is text.

mod accesso;
mod browser;
mod comando;
mod ospite;
mod ostili;
mod pagine;
mod webdriver;

use varco::console::password;
use varco::store::operatori::{NuovoOperatore, Ruolo};

use crate::helpers::{Archivio, Gateway, Setting};

pub(crate) const PASSWORD: &str = "corretta pila graffetta";

/// A gateway with a console.
pub(crate) fn spawn(archivio: Archivio) -> Gateway {
    spawn_with(archivio, "")
}

/// The same, with more lines in its section.
pub(crate) fn spawn_with(archivio: Archivio, righe: &str) -> Gateway {
    Gateway::spawn(&Setting {
        salute: Some(format!(
            "[console]\nindirizzo = \"127.0.0.1:0\"\ncampione_s = 1\n{righe}\n"
        )),
        ..Setting::on(archivio)
    })
}

/// Adds an operator whose password is [`PASSWORD`].
pub(crate) fn add(gateway: &Gateway, nome: &str, ruolo: Ruolo) {
    // One hash for all: it is slow on purpose.
    static CONSERVATA: std::sync::OnceLock<String> = std::sync::OnceLock::new();
    let conservata = CONSERVATA.get_or_init(|| password::keep(PASSWORD, "chiunque").unwrap());
    let nuovo = NuovoOperatore {
        nome: nome.to_owned(),
        ruolo,
        password: Some(conservata.clone()),
        certificato_sha256: None,
    };
    let adesso = jiff::Timestamp::from_second(1_700_000_000).unwrap();
    assert!(
        gateway
            .block_on(gateway.store().add_operatore(&nuovo, adesso))
            .unwrap()
    );
}
