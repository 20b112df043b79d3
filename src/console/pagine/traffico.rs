//! Live traffic: messages a second by outcome, how long they took, from whom, and what refused them.

use std::collections::BTreeMap;
use std::time::Duration;

use actix_web::HttpResponse;
use askama::Template;
use jiff::Timestamp;

use super::{Cornice, plain};
use crate::console::campioni::{Finestra, GRUPPI, group_of};
use crate::console::disegno::{Grafico, Tratto, areas, lines, number, share};
use crate::console::modulo::query;
use crate::console::sessione::durata;
use crate::console::testi::{Lingua, Testi};
use crate::console::{Domanda, Fallo};
use crate::protocollo::roma;
use crate::store::operatori::Volume;

/// The windows that may be looked at, in minutes.
const FINESTRE: [u64; 3] = [5, 15, 60];
/// The page comes anew after so many seconds; 0 = never.
const RITMI: [u64; 4] = [0, 5, 15, 60];
/// Of so many messages it is counted from whom they came.
const VOLUMI_MAX: u32 = 20_000;
/// Codes that are shown.
const CODICI_MOSTRATI: usize = 12;
/// Words below a chart.
const ORE: usize = 6;

/// How each group is drawn.
const CLASSI: [&str; GRUPPI] = ["s-accolte", "s-altre", "s-rifiutate", "s-interrotte"];

#[derive(Template)]
#[template(path = "traffico.html")]
struct Traffico {
    c: Cornice,
    finestra: u64,
    finestre: Vec<Scelta>,
    ogni: u64,
    ritmi: Vec<Scelta>,
    gruppi: Vec<Gruppo>,
    totale: u64,
    al_secondo: String,
    percentili: Option<[String; 3]>,
    richieste: Grafico,
    latenze: Grafico,
    righe: Vec<RigaTempo>,
    enti: Vec<RigaEnte>,
    codici: Vec<RigaCodice>,
    in_corso: usize,
    parziale: bool,
}

struct Scelta {
    testo: String,
    meta: String,
    attuale: bool,
}

struct Gruppo {
    classe: &'static str,
    nome: &'static str,
    quanti: u64,
}

struct RigaTempo {
    quando: String,
    al_secondo: [String; GRUPPI],
    percentili: [String; 3],
}

struct RigaEnte {
    ente: String,
    meta: String,
    quanti: [u64; GRUPPI],
    totale: u64,
    barra: Vec<(&'static str, String, String)>,
}

struct RigaCodice {
    codice: &'static str,
    testo: String,
    quanti: u64,
    meta: String,
    lunga: String,
}

pub(super) async fn page(domanda: &Domanda<'_>) -> Result<HttpResponse, Fallo> {
    let mut c = domanda.frame("traffico")?;
    let scelto = |nome: &str, ammessi: &[u64], solito: u64| {
        let detto = domanda.modulo.number(nome);
        detto.filter(|detto| ammessi.contains(detto)).unwrap_or(solito)
    };
    let finestra = scelto("minuti", &FINESTRE, 15);
    let ogni = scelto("ogni", &RITMI, 0);
    c.aggiorna = Some(ogni).filter(|ogni| *ogni > 0);
    let console = domanda.console;
    let adesso = console.clock.wall();
    let lunga = Duration::from_mins(finestra);
    let vista = console.campioni.window(lunga, adesso);
    let volumi = console.store.volumi(adesso - durata(lunga), VOLUMI_MAX).await?;
    let contati: u64 = volumi.iter().map(|volume| volume.quanti).sum();
    let t = c.t;
    let mut traffico = Traffico {
        finestra,
        finestre: choices(&FINESTRE, finestra, |minuti| {
            (format!("{minuti} min"), (minuti, ogni))
        }),
        ogni,
        ritmi: choices(&RITMI, ogni, |secondi| {
            let testo = if secondi == 0 {
                t.traffico_fermo.to_owned()
            } else {
                format!("{secondi} s")
            };
            (testo, (finestra, secondi))
        }),
        gruppi: (0..GRUPPI)
            .map(|gruppo| Gruppo {
                classe: CLASSI[gruppo],
                nome: names(t)[gruppo],
                quanti: vista.totali[gruppo],
            })
            .collect(),
        totale: vista.totali.iter().sum(),
        al_secondo: rate(&vista),
        percentili: vista.percentili.map(|valori| valori.map(number)),
        richieste: requests(&vista),
        latenze: latencies(&vista),
        righe: vista.punti.iter().rev().map(row).collect(),
        enti: enti(&volumi, domanda.lingua),
        codici: codes(&vista, domanda.lingua),
        in_corso: console.fonti.tracce.coda(),
        parziale: contati >= u64::from(VOLUMI_MAX),
        c,
    };
    t.traffico_richieste_descrizione
        .clone_into(&mut traffico.richieste.descrizione);
    t.traffico_latenze_descrizione
        .clone_into(&mut traffico.latenze.descrizione);
    super::ok(&traffico)
}

fn names(t: &Testi) -> [&'static str; GRUPPI] {
    [
        t.gruppo_accolte,
        t.gruppo_altre,
        t.gruppo_rifiutate,
        t.gruppo_interrotte,
    ]
}

fn choices(ammessi: &[u64], attuale: u64, of: impl Fn(u64) -> (String, (u64, u64))) -> Vec<Scelta> {
    let scelta = |valore: &u64| {
        let (testo, (minuti, ogni)) = of(*valore);
        let (minuti, ogni) = (minuti.to_string(), ogni.to_string());
        let ogni = if ogni == "0" { "" } else { &ogni };
        Scelta {
            testo,
            meta: format!(
                "/traffico{}",
                query([("minuti", minuti.as_str()), ("ogni", ogni)])
            ),
            attuale: *valore == attuale,
        }
    };
    ammessi.iter().map(scelta).collect()
}

fn rate(vista: &Finestra) -> String {
    let totale: u64 = vista.totali.iter().sum();
    number(crate::console::campioni::float(totale) / vista.secondi.max(1.0))
}

fn hour(istante: Timestamp) -> String {
    istante.to_zoned(roma()).strftime("%H:%M:%S").to_string()
}

/// Some of the instants, evenly.
fn hours(vista: &Finestra) -> Vec<String> {
    let quanti = vista.punti.len();
    let scelti = ORE.min(quanti);
    (0..scelti)
        .map(|posto| posto * quanti.saturating_sub(1) / scelti.saturating_sub(1).max(1))
        .map(|posto| hour(vista.punti[posto].quando))
        .collect()
}

fn requests(vista: &Finestra) -> Grafico {
    let serie: Vec<_> = (0..GRUPPI)
        .map(|gruppo| {
            let valori = vista.punti.iter().map(|punto| punto.al_secondo[gruppo]);
            (CLASSI[gruppo], valori.collect())
        })
        .collect();
    areas(&serie, hours(vista))
}

fn latencies(vista: &Finestra) -> Grafico {
    let serie: Vec<_> = ["s-p50", "s-p95", "s-p99"]
        .into_iter()
        .enumerate()
        .map(|(quale, classe)| {
            let valori = vista
                .punti
                .iter()
                .map(|punto| punto.percentili.map(|valori| valori[quale]));
            (classe, valori.collect())
        })
        .collect();
    lines(&serie, hours(vista))
}

fn row(punto: &crate::console::campioni::Punto) -> RigaTempo {
    let trattino = || "–".to_owned();
    RigaTempo {
        quando: hour(punto.quando),
        al_secondo: punto.al_secondo.map(number),
        percentili: match punto.percentili {
            Some(valori) => valori.map(number),
            None => [trattino(), trattino(), trattino()],
        },
    }
}

fn enti(volumi: &[Volume], lingua: Lingua) -> Vec<RigaEnte> {
    let mut per_ente: BTreeMap<Option<&str>, [u64; GRUPPI]> = BTreeMap::new();
    for volume in volumi {
        per_ente.entry(volume.ente.as_deref()).or_default()[group_of(&volume.esito)] += volume.quanti;
    }
    let massimo = per_ente
        .values()
        .map(|quanti| quanti.iter().sum())
        .max()
        .unwrap_or(0);
    let mut righe: Vec<RigaEnte> = per_ente
        .into_iter()
        .map(|(ente, quanti)| {
            let mut da = 0;
            let barra = (0..GRUPPI)
                .filter(|gruppo| quanti[*gruppo] > 0)
                .map(|gruppo| {
                    let pezzo = (CLASSI[gruppo], share(da, massimo), share(quanti[gruppo], massimo));
                    da += quanti[gruppo];
                    pezzo
                })
                .collect();
            RigaEnte {
                ente: ente.map_or_else(|| lingua.testi().traffico_ente_ignoto.to_owned(), plain),
                meta: ente.map_or_else(String::new, |ente| {
                    format!("/messaggi{}", query([("ente", ente)]))
                }),
                totale: quanti.iter().sum(),
                quanti,
                barra,
            }
        })
        .collect();
    righe.sort_by_key(|riga| std::cmp::Reverse(riga.totale));
    righe
}

fn codes(vista: &Finestra, lingua: Lingua) -> Vec<RigaCodice> {
    let massimo = vista.codici.first().map_or(0, |(_, quanti)| *quanti);
    let righe = vista
        .codici
        .iter()
        .take(CODICI_MOSTRATI)
        .map(|(codice, quanti)| RigaCodice {
            codice: codice.as_str(),
            testo: without_places(lingua.of(codice.voce().it, codice.voce().en)),
            quanti: *quanti,
            meta: format!("/messaggi{}", query([("codice", codice.as_str())])),
            lunga: share(*quanti, massimo),
        });
    righe.collect()
}

/// A text of the catalogue without what each message fills in.
fn without_places(testo: &str) -> String {
    let mut corto = String::with_capacity(testo.len());
    let mut resto = testo;
    while let Some((prima, dentro)) = resto.split_once('{')
        && let Some((_, dopo)) = dentro.split_once('}')
    {
        // Two in a row are one.
        if !(prima.trim().is_empty() && corto.ends_with('…')) {
            corto.push_str(prima);
            corto.push('…');
        }
        resto = dopo;
    }
    corto.push_str(resto);
    corto
}
