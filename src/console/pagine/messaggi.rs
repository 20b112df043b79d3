//! The messages, searched by whatever is remembered of one. A form is posted and answered with an address that holds what was
//! asked for, so that a search can be kept, sent to a colleague and gone back to; one that names a person is answered at once,
//! and no address ever holds a codice fiscale.

use actix_web::HttpResponse;
use actix_web::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use askama::Template;

use super::messaggio::{codes, sign};
use super::{Cornice, instant, millis, plain, plain_option};
use crate::console::diario::Fatto;
use crate::console::modulo::{Modulo, query};
use crate::console::{Domanda, Fallo, risposta};
use crate::store::Ricerca;
use crate::store::filtri::FiltroSalvato;
use crate::trace::redact::mask;
use crate::trace::ricerca::CriterioErrato;
use crate::trace::{Traccia, csv};

/// Rows of a page.
const RIGHE: u32 = 50;
/// Rows that are taken away at once, and at most; who needs more has `varco trace`.
const ESPORTATE_ALLA_VOLTA: u32 = 500;
const ESPORTATE_MAX: usize = 10_000;

/// What can be asked for, in the order of the form; the first ones are always seen.
const CAMPI: [&str; 18] = [
    "protocollo",
    "chiave_invio",
    "ente",
    "esito",
    "codice",
    "dal",
    "al",
    "operazione",
    "servizio",
    "canale",
    "numero_domanda",
    "message_id",
    "id_mittente",
    "lotto",
    "codice_ufficio",
    "user_id",
    "certificato",
    "indirizzo",
];
const SEMPRE: usize = 7;
/// Who is looked for: never in an address.
const PERSONA: &str = "persona";

const ESITI: [&str; 9] = [
    "REGISTRATA",
    "RIPETUTA",
    "RIFIUTATA",
    "AMMISSIBILE",
    "ACCOLTO",
    "RISPOSTA",
    "FAULT",
    "RIFIUTATA_HTTP",
    "INTERROTTA",
];
const CANALI: [&str; 5] = ["MODI", "PDD", "LOTTO", "CLI", "CONSOLE"];

#[derive(Template)]
#[template(path = "messaggi.html")]
struct Messaggi {
    c: Cornice,
    campi: Vec<Campo>,
    altri: Vec<Campo>,
    persona: String,
    errori: Vec<String>,
    salvate: Vec<Salvata>,
    salvabile: bool,
    righe: Vec<Riga>,
    /// Where the next page is; of a search that names a person it is a form.
    seguito: Option<String>,
    seguito_modulo: Option<String>,
    senza_chiave: bool,
    cercato: bool,
}

impl Messaggi {
    /// Whether one of the further criteria is asked for.
    fn altri_aperti(&self) -> bool {
        self.altri.iter().any(|campo| !campo.valore.is_empty())
    }
}

/// One field of the form.
struct Campo {
    nome: &'static str,
    etichetta: &'static str,
    valore: String,
    scelte: &'static [&'static str],
    esempio: &'static str,
}

/// A search that somebody kept.
struct Salvata {
    nome: String,
    meta: String,
    propria: bool,
}

struct Riga {
    id: String,
    quando: String,
    canale: String,
    ente: String,
    operazione: String,
    esito: String,
    segno: &'static str,
    codici: String,
    protocollo: String,
    chiave: String,
    ms: String,
}

/// By the address.
pub(super) async fn page(domanda: &Domanda<'_>) -> Result<HttpResponse, Fallo> {
    show(domanda, false).await
}

/// By the form: an address is made of it, unless it names somebody.
pub(super) async fn search(domanda: &Domanda<'_>) -> Result<HttpResponse, Fallo> {
    if names_somebody(&domanda.modulo) {
        return show(domanda, true).await;
    }
    let criteri = CAMPI.map(|nome| (nome, domanda.modulo.get(nome).unwrap_or_default()));
    Ok(risposta::see(&format!("/messaggi{}", query(criteri))))
}

fn names_somebody(modulo: &Modulo) -> bool {
    modulo.get(PERSONA).is_some()
        || CAMPI
            .iter()
            .any(|nome| modulo.get(nome).is_some_and(|valore| mask(valore) != valore))
}

/// What the form or the address asks for, and what of it is no value.
fn asked(domanda: &Domanda<'_>, in_modulo: bool) -> (Ricerca, Vec<CriterioErrato>) {
    let mut ricerca = Ricerca {
        limite: RIGHE,
        senza_byte: true,
        ..Ricerca::default()
    };
    let mut errori = Vec::new();
    let persona = in_modulo.then_some(PERSONA);
    for nome in CAMPI.into_iter().chain(persona) {
        if let Some(valore) = domanda.modulo.get(nome)
            && let Err(errore) = ricerca.set(nome, valore)
        {
            errori.push(errore);
        }
    }
    if let Some(dopo) = domanda.modulo.get("dopo") {
        ricerca.dopo = ricerca.posto(dopo);
    }
    (ricerca, errori)
}

async fn show(domanda: &Domanda<'_>, in_modulo: bool) -> Result<HttpResponse, Fallo> {
    let c = domanda.frame("messaggi")?;
    let store = &domanda.console.store;
    let (ricerca, errori) = asked(domanda, in_modulo);
    let pagina = if errori.is_empty() {
        Some(store.tracce(&ricerca).await?)
    } else {
        None
    };
    let filtri = store.filtri(Some(&domanda.chi()?.operatore.nome)).await?;
    let cursore = pagina
        .as_ref()
        .filter(|pagina| pagina.altre)
        .and_then(|pagina| pagina.posizione)
        .map(|posto| ricerca.cursore(posto));
    let (campi, altri) = fields(domanda, &c);
    let messaggi = Messaggi {
        campi,
        altri,
        persona: plain(
            domanda
                .modulo
                .get(PERSONA)
                .filter(|_| in_modulo)
                .unwrap_or_default(),
        ),
        errori: errori
            .iter()
            .map(|errore| plain(&mask(&errore.to_string())))
            .collect(),
        salvate: filtri.iter().map(kept).collect(),
        salvabile: !in_modulo && errori.is_empty() && !ricerca.criteri().is_empty(),
        righe: pagina.iter().flat_map(|pagina| &pagina.righe).map(row).collect(),
        seguito: cursore.as_deref().filter(|_| !in_modulo).map(|cursore| {
            let criteri = CAMPI.map(|nome| (nome, domanda.modulo.get(nome).unwrap_or_default()));
            format!(
                "/messaggi{}",
                query(criteri.into_iter().chain([("dopo", cursore)]))
            )
        }),
        seguito_modulo: cursore.filter(|_| in_modulo),
        senza_chiave: ricerca.persona.is_some() && !store.trova_persone(),
        cercato: !ricerca.criteri().is_empty() || ricerca.persona.is_some(),
        c,
    };
    super::ok(&messaggi)
}

fn fields(domanda: &Domanda<'_>, c: &Cornice) -> (Vec<Campo>, Vec<Campo>) {
    let mut campi: Vec<Campo> = CAMPI
        .into_iter()
        .map(|nome| Campo {
            nome,
            etichetta: label(nome, c),
            valore: plain(domanda.modulo.get(nome).unwrap_or_default()),
            scelte: match nome {
                "esito" => &ESITI,
                "canale" => &CANALI,
                _ => &[],
            },
            esempio: match nome {
                "protocollo" => c.t.cerca_esempio_protocollo,
                "dal" | "al" => "2021-07-15",
                "codice" => "CF-002",
                _ => "",
            },
        })
        .collect();
    let altri = campi.split_off(SEMPRE);
    (campi, altri)
}

fn label(nome: &str, c: &Cornice) -> &'static str {
    let t = c.t;
    match nome {
        "protocollo" => t.cerca_protocollo,
        "chiave_invio" => t.msg_chiave,
        "ente" => t.msg_ente,
        "esito" => t.esito,
        "codice" => t.codice,
        "dal" => t.cerca_dal,
        "al" => t.cerca_al,
        "operazione" => t.msg_operazione,
        "servizio" => t.msg_servizio,
        "canale" => t.msg_canale,
        "numero_domanda" => t.msg_domanda,
        "message_id" => "IdMessaggio",
        "id_mittente" => t.msg_id_mittente,
        "lotto" => t.lotto,
        "codice_ufficio" => t.msg_ufficio,
        "user_id" => t.msg_utente,
        "certificato" => t.msg_certificato,
        _ => t.msg_indirizzo,
    }
}

fn row(traccia: &Traccia) -> Riga {
    Riga {
        id: traccia.message_id.to_string(),
        quando: instant(traccia.ricevuto_il),
        canale: plain(&traccia.canale),
        ente: plain_option(traccia.ente.as_ref()),
        operazione: plain_option(traccia.operazione.as_ref()),
        esito: plain(&traccia.esito),
        segno: sign(&traccia.esito),
        codici: codes(traccia),
        protocollo: plain_option(traccia.protocollo.as_ref()),
        chiave: plain_option(traccia.chiave_invio.as_ref()),
        ms: millis(traccia.tempi_us.iter().map(|(_, us)| us).sum()),
    }
}

fn kept(filtro: &FiltroSalvato) -> Salvata {
    let criteri = filtro.ricerca().criteri();
    let coppie = criteri.iter().map(|(nome, valore)| (*nome, valore.as_str()));
    Salvata {
        nome: plain(filtro.nome()),
        meta: format!("/messaggi{}", query(coppie)),
        propria: filtro.proprietario().is_some(),
    }
}

/// Keeps what is searched for under a name, for this operator alone.
pub(super) async fn keep(domanda: &Domanda<'_>) -> Result<HttpResponse, Fallo> {
    let (ricerca, errori) = asked(domanda, false);
    let nome = domanda.modulo.get("nome").unwrap_or_default();
    let chi = &domanda.chi()?.operatore.nome;
    let adesso = domanda.console.clock.wall();
    if errori.is_empty()
        && let Ok(filtro) = FiltroSalvato::new(nome, Some(chi), &ricerca, adesso)
    {
        domanda.console.store.keep_filtro(&filtro).await?;
    }
    let criteri = CAMPI.map(|nome| (nome, domanda.modulo.get(nome).unwrap_or_default()));
    Ok(risposta::see(&format!("/messaggi{}", query(criteri))))
}

pub(super) async fn forget(domanda: &Domanda<'_>) -> Result<HttpResponse, Fallo> {
    let nome = domanda.modulo.raw("nome");
    let chi = &domanda.chi()?.operatore.nome;
    domanda.console.store.forget_filtro(Some(chi), nome).await?;
    Ok(risposta::see("/messaggi"))
}

/// The list as a spreadsheet, persons masked; who takes it away, and what was searched for, is written down first.
pub(super) async fn export(domanda: &Domanda<'_>) -> Result<HttpResponse, Fallo> {
    let (mut ricerca, errori) = asked(domanda, true);
    if !errori.is_empty() {
        return show(domanda, true).await;
    }
    let criteri = ricerca.criteri();
    let detti = criteri
        .iter()
        .map(|(nome, valore)| format!("{nome}={}", mask(valore)));
    let persona = ricerca.persona.as_ref().map(|_| "persona".to_owned());
    domanda
        .note(Fatto {
            che: "console esporta",
            note: detti.chain(persona).collect(),
            ..Fatto::default()
        })
        .await?;
    ricerca.limite = ESPORTATE_ALLA_VOLTA;
    ricerca.dopo = None;
    let (mut testo, mut righe) = (csv::head(), 0);
    loop {
        let pagina = domanda.console.store.tracce(&ricerca).await?;
        for traccia in pagina.righe.iter().take(ESPORTATE_MAX - righe) {
            testo.push_str(&csv::line(traccia));
        }
        righe += pagina.righe.len();
        ricerca.dopo = pagina.posizione;
        if !pagina.altre || ricerca.dopo.is_none() || righe >= ESPORTATE_MAX {
            break;
        }
    }
    Ok(HttpResponse::Ok()
        .insert_header((CONTENT_TYPE, "text/csv; charset=utf-8"))
        .insert_header((CONTENT_DISPOSITION, "attachment; filename=\"messaggi.csv\""))
        .body(testo))
}
