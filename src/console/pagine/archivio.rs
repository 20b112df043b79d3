//! How the store is: what it is, whether it would take a registration now, what waits for it, how full its disk is and when it
//! will be full.

use std::time::Duration;

use actix_web::HttpResponse;
use askama::Template;

use super::{Cornice, bytes, plain};
use crate::console::campioni::Previsione;
use crate::console::disegno::{number, share};
use crate::console::{Domanda, Fallo};

/// How long the store is waited for.
const ATTESA: Duration = Duration::from_secs(2);

#[derive(Template)]
#[template(path = "archivio.html")]
struct Archivio {
    c: Cornice,
    pronto: bool,
    causa: Option<(&'static str, &'static str, &'static str)>,
    motore: String,
    schema: String,
    sincronia: String,
    ingresso: String,
    code: Vec<Coda>,
    file: Option<File>,
    /// In how many days the disk is full, where that is known.
    giorni: Option<String>,
    previsione: &'static str,
}

/// Something that is filled and emptied.
struct Coda {
    nome: &'static str,
    adesso: u64,
    massimo: u64,
    parte: String,
}

struct File {
    byte: String,
    wal: String,
    libero: String,
    disco: String,
    usato: String,
}

pub(super) async fn page(domanda: &Domanda<'_>) -> Result<HttpResponse, Fallo> {
    let c = domanda.frame("archivio")?;
    let store = &domanda.console.store;
    let guasto = match tokio::time::timeout(ATTESA, store.ping()).await {
        Ok(Ok(())) => None,
        Ok(Err(errore)) => Some(errore.codice()),
        Err(_) => Some(crate::catalogo::Codice::Sto001),
    };
    // A store that is gone is not asked what it is.
    let identikit = match guasto {
        None => store.identikit().await.ok(),
        Some(_) => None,
    };
    let misure = store.misure();
    let fonti = &domanda.console.fonti;
    let t = c.t;
    let coda = |nome, adesso: usize, massimo: usize| Coda {
        nome,
        adesso: adesso as u64,
        massimo: massimo as u64,
        parte: share(adesso as u64, massimo as u64),
    };
    let file = misure.file.map(|file| {
        let usato = file
            .disco
            .zip(file.disco_libero)
            .map(|(disco, libero)| disco.saturating_sub(libero));
        File {
            byte: file.byte.map(bytes).unwrap_or_default(),
            wal: file.wal.map(bytes).unwrap_or_default(),
            libero: file.disco_libero.map(bytes).unwrap_or_default(),
            disco: file.disco.map(bytes).unwrap_or_default(),
            usato: share(usato.unwrap_or(0), file.disco.unwrap_or(0)),
        }
    });
    let previsione = file.as_ref().map(|_| domanda.console.campioni.forecast());
    let pagina = Archivio {
        pronto: guasto.is_none(),
        causa: guasto.map(|codice| {
            let voce = codice.voce();
            (
                voce.codice,
                domanda.lingua.of(voce.it, voce.en),
                voce.suggerimento,
            )
        }),
        motore: identikit
            .as_ref()
            .map(|identikit| plain(&identikit.motore))
            .unwrap_or_default(),
        schema: identikit
            .as_ref()
            .map(|identikit| identikit.schema.to_string())
            .unwrap_or_default(),
        sincronia: identikit
            .as_ref()
            .map(|identikit| plain(&identikit.sincronia))
            .unwrap_or_default(),
        ingresso: identikit
            .and_then(|identikit| identikit.ingresso)
            .map(|ingresso| {
                let tls = ingresso.tls.unwrap_or_else(|| t.archivio_senza_tls.to_owned());
                plain(&format!("{} → {}, {tls}", ingresso.utente, ingresso.ruolo))
            })
            .unwrap_or_default(),
        code: vec![
            coda(
                t.archivio_coda_registro,
                fonti.writer.coda(),
                fonti.writer.capienza(),
            ),
            coda(
                t.archivio_coda_tracce,
                fonti.tracce.coda(),
                fonti.tracce.capienza(),
            ),
            coda(
                t.archivio_connessioni,
                misure.in_uso as usize,
                misure.connessioni_max as usize,
            ),
        ],
        previsione: match previsione {
            // Its disk is not ours to see.
            None => t.previsione_altrove,
            Some(Previsione::Presto) => t.previsione_presto,
            Some(Previsione::Mai) => t.previsione_mai,
            Some(Previsione::Giorni(_)) => t.previsione_giorni,
        },
        giorni: match previsione {
            Some(Previsione::Giorni(giorni)) => Some(number(giorni)),
            _ => None,
        },
        file,
        c,
    };
    super::ok(&pagina)
}
