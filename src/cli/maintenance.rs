//! `varco maintenance`: nothing new is taken for a while, by any gateway of the store, and senders are told why and until when.

use anyhow::{Result, bail};
use jiff::Timestamp;

use super::{DoveConfig, Uscita};
use crate::clock::{Clock as _, WallClock};
use crate::registro::a_roma;
use crate::store::manutenzione::{Cartello, Disposizione, MESSAGGIO_MAX};
use crate::trace::redact::mask;

/// What to do about maintenance.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    comando: Comando,
}

#[derive(Debug, clap::Subcommand)]
enum Comando {
    /// Comincia una manutenzione, o cambia messaggio e fine di quella in corso.
    ///
    /// Il messaggio è detto a ogni mittente rifiutato: niente dati personali. Con --fino-a finisce da sé.
    ///
    /// Esempio: varco maintenance on --messaggio "aggiornamento del database" --fino-a 2021-07-15T22:00:00+02:00
    /// --operatore m.verdi
    On {
        /// Che cosa si dice ai mittenti, su una riga
        #[arg(long, alias = "message", value_name = "TESTO", value_parser = messaggio)]
        messaggio: String,
        /// Quando finisce da sé: un istante futuro; senza, finisce con `off`
        #[arg(long, alias = "until", value_name = "ISTANTE", value_parser = super::trace::istante)]
        fino_a: Option<Timestamp>,
        #[command(flatten)]
        chi: Chi,
    },
    /// Finisce la manutenzione in corso.
    ///
    /// Esempio: varco maintenance off --operatore m.verdi
    Off(Chi),
    /// Dice se c'è una manutenzione, di chi, da quando e fino a quando.
    ///
    /// Esempio: varco maintenance status --config /etc/varco/varco.toml
    Status(DoveConfig),
}

#[derive(Debug, clap::Args)]
struct Chi {
    /// Chi opera
    #[arg(long, alias = "who", value_name = "UTENTE", value_parser = super::register::una_riga)]
    operatore: String,
    #[command(flatten)]
    dove: DoveConfig,
}

/// One line without anything that looks like somebody's: it goes to every sender, and into their logs.
fn messaggio(testo: &str) -> Result<String, String> {
    let testo = super::register::una_riga(testo)?;
    if testo.chars().count() > MESSAGGIO_MAX {
        return Err(format!("al massimo {MESSAGGIO_MAX} caratteri"));
    }
    if mask(&testo) != testo {
        return Err("contiene un codice fiscale o un IBAN: lo leggerebbero tutti i mittenti".to_owned());
    }
    Ok(testo)
}

impl Args {
    /// Does it.
    pub async fn run(self) -> Result<Uscita> {
        match self.comando {
            Comando::On {
                messaggio,
                fino_a,
                chi,
            } => chi.begin(Cartello { messaggio, fino_a }).await,
            Comando::Off(chi) => chi.end().await,
            Comando::Status(dove) => status(&dove).await,
        }
    }
}

impl Chi {
    async fn begin(self, cartello: Cartello) -> Result<Uscita> {
        let adesso = WallClock::default().wall();
        if cartello.fino_a.is_some_and(|fine| fine <= adesso) {
            bail!(
                "--fino-a: {} è già passato",
                cartello.fino_a.map(a_roma).unwrap_or_default()
            );
        }
        let disposizione = Disposizione {
            istante: adesso,
            operatore: self.operatore,
            cartello: Some(cartello),
        };
        let store = super::open_store(&self.dove.read()?).await?;
        store.dispose(&disposizione).await?;
        store.close().await;
        outln!("{}", sentence(Some(&disposizione), adesso));
        Ok(Uscita::Fatto)
    }

    async fn end(self) -> Result<Uscita> {
        let adesso = WallClock::default().wall();
        let store = super::open_store(&self.dove.read()?).await?;
        let prima = store.disposizione().await?;
        let in_corso = prima.is_some_and(|prima| prima.in_force(adesso).is_some());
        if in_corso {
            let fine = Disposizione {
                istante: adesso,
                operatore: self.operatore,
                cartello: None,
            };
            store.dispose(&fine).await?;
        }
        store.close().await;
        outln!(
            "{}",
            if in_corso {
                "manutenzione finita: tutto è di nuovo accolto"
            } else {
                "nessuna manutenzione in corso"
            }
        );
        Ok(Uscita::Fatto)
    }
}

async fn status(dove: &DoveConfig) -> Result<Uscita> {
    let store = super::open_store(&dove.read()?).await?;
    let disposizione = store.disposizione().await?;
    store.close().await;
    outln!("{}", sentence(disposizione.as_ref(), WallClock::default().wall()));
    Ok(Uscita::Fatto)
}

/// What there is to say of an order.
fn sentence(disposizione: Option<&Disposizione>, adesso: Timestamp) -> String {
    let in_corso = disposizione.and_then(|data| Some((data, data.in_force(adesso)?)));
    let Some((disposizione, cartello)) = in_corso else {
        return "nessuna manutenzione in corso".to_owned();
    };
    let fine = match cartello.fino_a {
        Some(fine) => format!("fino al {}", a_roma(fine)),
        None => "finché qualcuno non la toglie".to_owned(),
    };
    format!(
        "IN MANUTENZIONE dal {} ({}), {fine}: {}",
        a_roma(disposizione.istante),
        disposizione.operatore,
        cartello.messaggio
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_senders_are_told_is_one_short_line_about_nobody() {
        assert_eq!(messaggio(" si torna alle 10 ").unwrap(), "si torna alle 10");
        for brutto in [
            "",
            "due\nrighe",
            &"x".repeat(MESSAGGIO_MAX + 1),
            "per RSSMRA85T10A562S",
            "IT60X0542811101000000123456",
        ] {
            assert!(messaggio(brutto).is_err(), "{brutto}");
        }
    }
}
