//! Who has joined, and when the certificates end: of each ente, of the server, of the CAs; the first to end comes first.

use actix_web::HttpResponse;
use askama::Template;
use jiff::Timestamp;

use super::{Cornice, day, plain};
use crate::adesione::StatoEnte;
use crate::console::modulo::query;
use crate::console::testi::Testi;
use crate::console::{Domanda, Fallo};

/// From so many days on a certificate's end is near; from so many on it is a matter of today.
const VICINA_GIORNI: i64 = 60;
const URGENTE_GIORNI: i64 = 15;

#[derive(Template)]
#[template(path = "enti.html")]
struct Enti {
    c: Cornice,
    nostri: Vec<Scadenza>,
    righe: Vec<Riga>,
}

/// When something ends.
struct Scadenza {
    cosa: String,
    quando: String,
    giorni: String,
    segno: &'static str,
    parola: &'static str,
}

struct Riga {
    codice: String,
    denominazione: String,
    attivo: bool,
    certificati: usize,
    scadenza: Scadenza,
    uffici: String,
    servizi: String,
    indirizzi: String,
    quota: Option<u32>,
    porte: usize,
    messaggi: String,
}

pub(super) fn page(domanda: &Domanda<'_>) -> Result<HttpResponse, Fallo> {
    let c = domanda.frame("enti")?;
    let adesso = domanda.console.clock.wall();
    let porta = &domanda.console.fonti.porta;
    let ends = |cosa: String, quando| ending(cosa, quando, adesso, c.t);
    let certificato = porta.certificato();
    let mut nostri = vec![ends(
        format!("{}: {}", c.t.enti_server, plain(&certificato.soggetto)),
        Some(certificato.scadenza),
    )];
    for ca in porta.autorita() {
        nostri.push(ends(format!("CA: {}", plain(&ca.soggetto)), Some(ca.scadenza)));
    }
    for lista in porta.liste() {
        nostri.push(ends(format!("CRL: {}", plain(&lista.emittente)), lista.prossima));
    }
    let adesioni = porta.adesioni().load_full();
    let mut enti: Vec<_> = adesioni.enti().iter().collect();
    enti.sort_by_key(|ente| {
        (
            ente.scadenza().is_none(),
            ente.scadenza(),
            ente.codice.as_str().to_owned(),
        )
    });
    let righe = enti
        .into_iter()
        .map(|ente| Riga {
            codice: plain(ente.codice.as_str()),
            denominazione: plain(&ente.denominazione),
            attivo: ente.stato == StatoEnte::Attivo,
            certificati: ente.certificati.len(),
            scadenza: ends(String::new(), ente.scadenza()),
            uffici: joined(ente.uffici.iter().map(ToString::to_string)),
            servizi: joined(ente.servizi.iter().map(|(servizio, _)| servizio.clone())),
            indirizzi: joined(ente.indirizzi.iter().map(ToString::to_string)),
            quota: ente.quota_al_minuto,
            porte: ente.pdd.len(),
            messaggi: format!("/messaggi{}", query([("ente", ente.codice.as_str())])),
        })
        .collect();
    super::ok(&Enti { c, nostri, righe })
}

fn joined(parti: impl Iterator<Item = String>) -> String {
    plain(&parti.collect::<Vec<_>>().join(", "))
}

fn ending(cosa: String, quando: Option<Timestamp>, adesso: Timestamp, t: &Testi) -> Scadenza {
    let giorni = quando.map(|quando| quando.duration_since(adesso).as_secs().div_euclid(86_400));
    let (segno, parola) = match giorni {
        None => ("neutro", t.scadenza_ignota),
        Some(giorni) if giorni < 0 => ("male", t.scadenza_passata),
        Some(giorni) if giorni < URGENTE_GIORNI => ("male", t.scadenza_urgente),
        Some(giorni) if giorni < VICINA_GIORNI => ("attenzione", t.scadenza_vicina),
        Some(_) => ("ok", t.scadenza_lontana),
    };
    Scadenza {
        cosa,
        quando: quando.map(day).unwrap_or_default(),
        giorni: giorni.map(|giorni| giorni.to_string()).unwrap_or_default(),
        segno,
        parola,
    }
}
