//! `varco check` and `varco migrate`: is this installation right, before anybody depends on it? `check` opens all that
//! `serve` opens, changes nothing and binds nothing; it tells everything that is wrong, not the first thing alone.

use std::sync::Arc;

use anyhow::Result;

use super::{DoveConfig, Uscita, outcome};
use crate::clock::WallClock;
use crate::config::Effective;
use crate::listener::Porta;
use crate::schema::Schema;
use crate::store::{self, OpenOptions};

/// Opens everything, tells the configuration and what is wrong with it.
pub async fn check(dove: &DoveConfig) -> Result<Uscita> {
    let effettiva = super::read_effective(&dove.config)?;
    outln!("configurazione di {}:", effettiva.file.display());
    for voce in &effettiva.voci {
        outln!("  {voce}");
    }
    outln!("");
    let esami = [door(&effettiva), schemas(), store(&effettiva).await];
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

async fn store(effettiva: &Effective) -> Result<Vec<String>> {
    let store = super::open_store(&effettiva.config).await?;
    store.ping().await?;
    Ok(vec![format!(
        "archivio    aperto ({}), registro in ordine",
        effettiva.config.ambiente.as_str()
    )])
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
