//! `varco check` and `varco migrate`: is this installation right, before anybody depends on it? `check` opens all that
//! `serve` opens, changes nothing and binds nothing; it tells everything that is wrong, not the first thing alone.

use std::sync::Arc;

use anyhow::Result;

use super::{DoveConfig, Uscita, outcome};
use crate::clock::WallClock;
use crate::config::Effective;
use crate::domanda::Ambiente;
use crate::listener::{self, Porta};
use crate::schema::Schema;
use crate::store::{self, Identikit, OpenOptions};

/// Opens everything, tells the configuration and what is wrong with it.
pub async fn check(dove: &DoveConfig) -> Result<Uscita> {
    let effettiva = super::read_effective(&dove.config)?;
    outln!("configurazione di {}:", effettiva.file.display());
    for voce in &effettiva.voci {
        outln!("  {voce}");
    }
    outln!("");
    let esami = [
        door(&effettiva),
        schemas(),
        seals(&effettiva),
        console(&effettiva),
        store(&effettiva).await,
    ];
    let mut uscita = Uscita::Fatto;
    for esame in esami {
        match esame {
            Ok(frasi) => frasi.iter().for_each(|frase| outln!("{frase}")),
            Err(error) => {
                // What may pass by itself is said as such only when nothing else is wrong.
                uscita = match (uscita, outcome(&error)) {
                    (Uscita::Fatto | Uscita::Riprovare, Uscita::Riprovare) => Uscita::Riprovare,
                    _ => Uscita::Uso,
                };
                outln!("errore      {error:#}");
            }
        }
    }
    if uscita == Uscita::Fatto {
        outln!("tutto in ordine");
    }
    Ok(uscita)
}

/// Certificates, CRL and adesioni.
fn door(effettiva: &Effective) -> Result<Vec<String>> {
    let config = &effettiva.config;
    let porta = Porta::open(
        config.tls.clone(),
        config.adesioni.clone(),
        Arc::new(WallClock::default()),
        Arc::new(|_| ()),
    )?;
    let certificato = porta.certificato();
    let mut frasi = vec![
        format!(
            "certificato {}, scade il {:.0}",
            certificato.soggetto, certificato.scadenza
        ),
        format!("revoche     {} liste", porta.liste().len()),
        format!(
            "adesioni    {} enti in {}",
            porta.adesioni().load().enti().len(),
            config.adesioni.display()
        ),
    ];
    frasi.extend(
        porta
            .avvisi()
            .into_iter()
            .map(|avviso| format!("avviso      {avviso}")),
    );
    Ok(frasi)
}

fn schemas() -> Result<Vec<String>> {
    Schema::load()?;
    Ok(vec!["schemi      caricati".to_owned()])
}

/// The key that signs the end of a day.
fn seals(effettiva: &Effective) -> Result<Vec<String>> {
    let config = &effettiva.config;
    let mut frasi = Vec::new();
    match &config.registro.firma {
        Some(file) => {
            super::trace_prova::read_firma(file)?;
            frasi.push(format!("catena      firmata con {}", file.display()));
        }
        None if config.ambiente == Ambiente::Produzione => frasi.push(
            "avviso      le chiusure dei giorni della catena di prova restano senza firma (registro.firma, varco trace key)"
                .to_owned(),
        ),
        None => {}
    }
    if !config.trace.sigilli && config.ambiente == Ambiente::Produzione {
        frasi.push("avviso      nulla viene sigillato: trace.sigilli = false".to_owned());
    }
    Ok(frasi)
}

/// What listens beside the door.
fn console(effettiva: &Effective) -> Result<Vec<String>> {
    let detta = listener::console::check(&effettiva.config.console)?;
    let mut frasi = vec![format!("console     {detta}")];
    if let Some(indirizzo) = effettiva.config.porta_di_prova.indirizzo {
        frasi.push(format!("prova       https://{indirizzo} (porta di prova)"));
    }
    Ok(frasi)
}

async fn store(effettiva: &Effective) -> Result<Vec<String>> {
    let ambiente = effettiva.config.ambiente;
    // As a gateway would, so that a store that was moved is no store to serve.
    let options = OpenOptions {
        migrate: false,
        ..super::store_options(&effettiva.config)
    };
    let (store, _) = store::open(&effettiva.config.store, &options).await?;
    let identikit = store.identikit().await?;
    store.ping().await?;
    let mut frasi = vec![format!(
        "archivio    {} ({}), schema versione {}, {}, registro in ordine",
        identikit.motore,
        ambiente.as_str(),
        identikit.schema,
        identikit.sincronia
    )];
    if let Some(ingresso) = &identikit.ingresso {
        frasi.push(format!(
            "archivio    utente {}, ruolo {}, {}",
            ingresso.utente,
            ingresso.ruolo,
            ingresso.tls.as_deref().unwrap_or("senza TLS")
        ));
    }
    frasi.extend(super::space::look(&store, &effettiva.config).await?.1);
    frasi.extend(too_strong(ambiente, &identikit).map(|avviso| format!("avviso      {avviso}")));
    Ok(frasi)
}

/// In produzione the register is guarded by the rights of its gateway, not by its triggers alone.
pub(super) fn too_strong(ambiente: Ambiente, identikit: &Identikit) -> Option<String> {
    let ingresso = identikit.ingresso.as_ref()?;
    (ambiente == Ambiente::Produzione && ingresso.padrone).then(|| {
        format!(
            "l'utente {} è proprietario dell'archivio: chi ne ha le credenziali può toglierne le protezioni; in \
             produzione il varco si collega come varco_gateway",
            ingresso.utente
        )
    })
}

/// Lays down the store, or brings it up to this program.
pub async fn migrate(dove: &DoveConfig) -> Result<Uscita> {
    let config = dove.read()?;
    let options = OpenOptions {
        create: true,
        ..super::store_options(&config)
    };
    let (store, _) = store::open(&config.store, &options).await?;
    store.ping().await?;
    outln!("archivio aggiornato ({})", config.ambiente.as_str());
    Ok(Uscita::Fatto)
}
