//! The lots: the queue with how far each has come; who may hold one back, lets it go on or calls it off.

use actix_web::HttpResponse;
use askama::Template;
use jiff::Timestamp;
use uuid::Uuid;

use super::{Cornice, bytes, instant, plain};
use crate::catalogo::Codice;
use crate::console::campioni::float;
use crate::console::diario::Fatto;
use crate::console::disegno::{number, share};
use crate::console::modulo::query;
use crate::console::testi::Testi;
use crate::console::{Domanda, Fallo, risposta};
use crate::domanda::Violazione;
use crate::soap::errori;
use crate::store::lotti::{Comando, EsitoLotto, Lotto, Quali, StatoLotto};

/// Lots that are shown.
const MOSTRATI: u32 = 200;

#[derive(Template)]
#[template(path = "lotti.html")]
struct Lotti {
    c: Cornice,
    tutti: bool,
    fatto: Option<&'static str>,
    righe: Vec<Riga>,
}

struct Riga {
    id: String,
    ente: String,
    servizio: &'static str,
    chiave: String,
    stato: &'static str,
    segno: &'static str,
    lavorate: u64,
    elementi: Option<u64>,
    percento: String,
    byte: String,
    registrate: u64,
    ripetute: u64,
    rifiutate: u64,
    passo: String,
    resta: String,
    presentato: String,
    messaggio: String,
    aperto: bool,
    sospeso: bool,
}

pub(super) async fn page(domanda: &Domanda<'_>) -> Result<HttpResponse, Fallo> {
    let c = domanda.frame("lotti")?;
    let tutti = domanda.modulo.get("tutti").is_some();
    let quali = if tutti { Quali::Tutti } else { Quali::Aperti };
    let lotti = domanda.console.store.lotti(quali, MOSTRATI).await?;
    let ora = domanda.console.clock.wall();
    let pagina = Lotti {
        tutti,
        fatto: match domanda.modulo.get("fatto") {
            Some("sospendi") => Some(c.t.lotto_sospeso_fatto),
            Some("riprendi") => Some(c.t.lotto_ripreso_fatto),
            Some("annulla") => Some(c.t.lotto_annullato_fatto),
            Some("no") => Some(c.t.lotto_non_piu_aperto),
            _ => None,
        },
        righe: lotti.iter().map(|lotto| row(lotto, ora, domanda)).collect(),
        c,
    };
    super::ok(&pagina)
}

/// Written down first, then done.
pub(super) async fn command(domanda: &Domanda<'_>, id: Uuid) -> Result<HttpResponse, Fallo> {
    let detto = domanda.modulo.get("comando").unwrap_or_default();
    let (nome, comando) = match detto {
        "sospendi" => ("sospendi", Comando::Sospendi),
        "riprendi" => ("riprendi", Comando::Riprendi),
        // A lot that was called off never goes on: the form asks for the word.
        "annulla" if domanda.modulo.get("conferma").is_some() => (
            "annulla",
            Comando::Annulla(errori::elementi(&[Violazione::at(Codice::Lot015, "")]).into()),
        ),
        _ => return Ok(risposta::see("/lotti")),
    };
    domanda
        .note(Fatto {
            che: "console lotto",
            note: vec![format!("{nome} {id}")],
            ..Fatto::default()
        })
        .await?;
    let ora = domanda.console.clock.wall();
    let fatto = domanda.console.store.command_lotto(id, &comando, ora).await?;
    let fatto = if fatto.is_some() { nome } else { "no" };
    Ok(risposta::see(&format!("/lotti{}", query([("fatto", fatto)]))))
}

fn row(lotto: &Lotto, ora: Timestamp, domanda: &Domanda<'_>) -> Riga {
    let (stato, segno) = state(lotto, stuck(lotto, ora, domanda), domanda.lingua.testi());
    let passo = pace(lotto);
    let mancano = lotto
        .elementi
        .map(|elementi| elementi.saturating_sub(lotto.fatto.elementi));
    let aperto = lotto.esito().is_none();
    Riga {
        id: lotto.id.to_string(),
        ente: plain(lotto.chiave.ente.as_str()),
        servizio: lotto.chiave.servizio,
        chiave: plain(&lotto.chiave.chiave.to_string()),
        stato,
        segno,
        lavorate: lotto.fatto.elementi,
        elementi: lotto.elementi,
        percento: match lotto.elementi {
            Some(elementi) => share(lotto.fatto.elementi, elementi),
            None => share(lotto.fatto.byte, lotto.byte),
        },
        byte: bytes(lotto.byte),
        registrate: lotto.conteggi.registrate,
        ripetute: lotto.conteggi.ripetute,
        rifiutate: lotto.conteggi.rifiutate + lotto.conteggi.non_lette,
        passo: passo.map(number).unwrap_or_default(),
        resta: match (mancano, passo) {
            (Some(mancano), Some(passo)) if aperto && passo > 0.0 => minutes(float(mancano) / passo),
            _ => String::new(),
        },
        presentato: instant(lotto.presentato_il),
        messaggio: lotto.message_id.to_string(),
        aperto,
        sospeso: lotto.sospeso,
    }
}

/// In words, and the sign beside them: no state is told by a colour alone.
fn state(lotto: &Lotto, fermo: bool, t: &'static Testi) -> (&'static str, &'static str) {
    match (lotto.stato, lotto.esito()) {
        (_, Some(EsitoLotto::Completo)) => (t.lotto_completo, "ok"),
        (_, Some(EsitoLotto::Parziale)) => (t.lotto_parziale, "attenzione"),
        (_, Some(EsitoLotto::Interrotto)) => (t.lotto_interrotto, "male"),
        _ if lotto.sospeso => (t.lotto_sospeso, "attenzione"),
        _ if fermo => (t.lotto_fermo, "male"),
        (StatoLotto::Accettato, None) => (t.lotto_in_coda, "neutro"),
        (_, None) => (t.lotto_in_lavorazione, "neutro"),
    }
}

fn stuck(lotto: &Lotto, ora: Timestamp, domanda: &Domanda<'_>) -> bool {
    let fermo_dopo = super::super::sessione::durata(domanda.console.fonti.fermo_dopo);
    lotto
        .avanzato_il
        .is_some_and(|avanzato| ora.duration_since(avanzato) > fermo_dopo)
}

/// Items a second, since the first was worked.
fn pace(lotto: &Lotto) -> Option<f64> {
    let (da, a) = (lotto.iniziato_il?, lotto.avanzato_il?);
    let secondi = a.duration_since(da).as_secs_f64().max(0.001);
    (lotto.fatto.elementi > 0).then(|| (float(lotto.fatto.elementi) / secondi * 10.0).round() / 10.0)
}

fn minutes(secondi: f64) -> String {
    if secondi < 90.0 {
        format!("{secondi:.0} s")
    } else {
        format!("{:.0} min", secondi / 60.0)
    }
}
