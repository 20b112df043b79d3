//! The receipt of a registration as a file: the very bytes that `ScaricaRicevuta` gives.

use std::path::Path;

use anyhow::{Context as _, Result};
use jiff::Timestamp;

use crate::carte::{Formato, Quale};
use crate::cli::{DoveConfig, open_store};
use crate::domanda::consultazione::Riferimento;
use crate::intake::emessa;
use crate::prestazione::by_servizio;
use crate::registro::Iscrizione;

/// Writes it, and makes it where it was never asked for.
pub(super) async fn write_ricevuta(
    dove: &DoveConfig,
    iscrizione: &Iscrizione,
    file: &Path,
    adesso: Timestamp,
) -> Result<()> {
    let prestazione = by_servizio(&iscrizione.servizio)
        .with_context(|| format!("il servizio {} non è di questa versione", iscrizione.servizio))?;
    let store = open_store(&dove.read()?).await?;
    let trovata = store
        .registrazione(
            &iscrizione.ente.parse()?,
            prestazione.servizio,
            &Riferimento::Protocollo(iscrizione.protocollo.parse()?),
        )
        .await?
        .context("la registrazione non ha ricevuta")?;
    let carta = emessa(
        &*store,
        prestazione,
        &trovata,
        Quale::Ricevuta,
        Formato::Pdf,
        adesso,
    )
    .await?
    .context("la registrazione non ha ricevuta")?;
    store.close().await;
    std::fs::write(file, &carta.bytes).with_context(|| format!("{} non si scrive", file.display()))
}
