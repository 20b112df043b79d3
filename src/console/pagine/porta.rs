//! The door log: who was not let in, why, and what to do about it.

use actix_web::HttpResponse;
use askama::Template;

use super::{Cornice, instant, plain, plain_option};
use crate::catalogo::Codice;
use crate::console::{Domanda, Fallo};
use crate::trace::RifiutoAllaPorta;
use crate::trace::redact::mask;

/// Rows that are read, and rows that are shown.
const LETTE: u32 = 2000;
const MOSTRATE: usize = 200;

#[derive(Template)]
#[template(path = "porta.html")]
struct Porta {
    c: Cornice,
    codice: String,
    cerca: String,
    codici: Vec<(&'static str, &'static str, bool)>,
    righe: Vec<Riga>,
    altre: bool,
}

struct Riga {
    istante: String,
    codice: String,
    titolo: &'static str,
    indirizzo: String,
    soggetto: String,
    seriale: String,
    sni: String,
    causa: String,
    rimedio: String,
}

pub(super) async fn page(domanda: &Domanda<'_>) -> Result<HttpResponse, Fallo> {
    let c = domanda.frame("porta")?;
    let codice = domanda.modulo.get("codice").unwrap_or_default().to_uppercase();
    let cerca = domanda.modulo.get("cerca").unwrap_or_default().to_lowercase();
    let rifiuti = domanda.console.store.porta(None, LETTE).await?;
    let mut presenti: Vec<Codice> = rifiuti
        .iter()
        .filter_map(|rifiuto| Codice::parse(&rifiuto.codice))
        .collect();
    presenti.sort_unstable();
    presenti.dedup();
    let mut trovate = rifiuti.iter().filter(|rifiuto| found(rifiuto, &codice, &cerca));
    let righe = trovate
        .by_ref()
        .take(MOSTRATE)
        .map(|rifiuto| row(rifiuto, domanda))
        .collect();
    let porta = Porta {
        codici: presenti
            .into_iter()
            .map(|presente| {
                let voce = presente.voce();
                (
                    voce.codice,
                    domanda.lingua.of(voce.it, voce.en),
                    voce.codice == codice,
                )
            })
            .collect(),
        codice: plain(&codice),
        cerca: plain(domanda.modulo.get("cerca").unwrap_or_default()),
        altre: trovate.next().is_some(),
        righe,
        c,
    };
    super::ok(&porta)
}

fn found(rifiuto: &RifiutoAllaPorta, codice: &str, cerca: &str) -> bool {
    let contiene = |testo: Option<&str>| testo.is_some_and(|testo| testo.to_lowercase().contains(cerca));
    let indirizzo = rifiuto.indirizzo.map(|indirizzo| indirizzo.to_string());
    (codice.is_empty() || rifiuto.codice == codice)
        && (cerca.is_empty()
            || contiene(indirizzo.as_deref())
            || contiene(rifiuto.soggetto.as_deref())
            || contiene(rifiuto.seriale.as_deref())
            || contiene(rifiuto.sni.as_deref()))
}

fn row(rifiuto: &RifiutoAllaPorta, domanda: &Domanda<'_>) -> Riga {
    Riga {
        istante: instant(rifiuto.istante),
        codice: plain(&rifiuto.codice),
        titolo: Codice::parse(&rifiuto.codice).map_or("", |codice| {
            let voce = codice.voce();
            domanda.lingua.of(voce.it, voce.en)
        }),
        indirizzo: rifiuto
            .indirizzo
            .map(|indirizzo| indirizzo.to_string())
            .unwrap_or_default(),
        soggetto: plain_option(rifiuto.soggetto.as_ref()),
        seriale: plain_option(rifiuto.seriale.as_ref()),
        sni: plain_option(rifiuto.sni.as_ref()),
        causa: plain(&mask(&rifiuto.causa)),
        rimedio: plain(&mask(&rifiuto.rimedio)),
    }
}
