//! One message: who, what, when, how it ended and why; its way step by step; what came before and after it; the request and the
//! answer, masked. In clear, or taken away, only for a written reason, which is written down before anything is shown.

use actix_web::HttpResponse;
use actix_web::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use askama::Template;
use uuid::Uuid;

use super::bella::{Riga, lay_out};
use super::errori::{self, Errore};
use super::{Cornice, bytes, instant, instant_ms, millis, plain, plain_option};
use crate::console::campioni::float;
use crate::console::diario::Fatto;
use crate::console::{Domanda, Fallo};
use crate::prestazione::PRESTAZIONI;
use crate::store::{Chiave, Ricerca, SharedStore};
use crate::trace::Traccia;
use crate::trace::redact::{mask, text_of};

/// Others of the same key or domanda that are shown.
const VICINI_MAX: u32 = 50;
/// Characters of a reason, at least and at most.
const MOTIVO_MIN: usize = 10;
const MOTIVO_MAX: usize = 500;
/// Bytes that are laid out of a request or an answer.
const MOSTRATI_MAX: usize = 512 * 1024;

#[derive(Template)]
#[template(path = "messaggio.html")]
struct Messaggio {
    c: Cornice,
    id: String,
    esito: String,
    segno: &'static str,
    protocollo: String,
    numero_domanda: String,
    quando: String,
    dati: Vec<(&'static str, String)>,
    passi: Vec<Passo>,
    totale: String,
    errori: Vec<Errore>,
    note: Vec<String>,
    stessa_chiave: Vec<Vicino>,
    stessa_domanda: Vec<Vicino>,
    lotto: Option<String>,
    parti: Vec<Parte>,
    in_chiaro: bool,
    motivo: String,
    errore_motivo: bool,
}

impl Messaggio {
    /// What came before and after it.
    fn gruppi(&self) -> [(&'static str, &[Vicino]); 2] {
        [
            (self.c.t.msg_stessa_chiave, &self.stessa_chiave),
            (self.c.t.msg_stessa_domanda, &self.stessa_domanda),
        ]
    }
}

struct Passo {
    nome: String,
    inizio: String,
    durata: String,
    /// Where it begins and how long it is, of a hundred.
    da: String,
    lunga: String,
}

/// Another message.
struct Vicino {
    id: String,
    quando: String,
    operazione: String,
    esito: String,
    segno: &'static str,
    codici: String,
    protocollo: String,
    questo: bool,
}

/// The request, or the answer.
struct Parte {
    nome: &'static str,
    chiave: &'static str,
    byte: String,
    conservata: bool,
    righe: Vec<Riga>,
    tagliata: bool,
}

pub(super) async fn page(domanda: &Domanda<'_>, id: Uuid) -> Result<HttpResponse, Fallo> {
    let traccia = find(&domanda.console.store, id).await?;
    show(domanda, &traccia, false, false).await
}

pub(super) async fn in_clear(domanda: &Domanda<'_>, id: Uuid) -> Result<HttpResponse, Fallo> {
    let traccia = find(&domanda.console.store, id).await?;
    if !note_look(domanda, &traccia, "console in chiaro").await? {
        return show(domanda, &traccia, false, true).await;
    }
    show(domanda, &traccia, true, false).await
}

pub(super) async fn download(domanda: &Domanda<'_>, id: Uuid) -> Result<HttpResponse, Fallo> {
    let traccia = find(&domanda.console.store, id).await?;
    let (parte, bytes) = match domanda.modulo.get("parte") {
        Some("richiesta") => ("richiesta", traccia.richiesta.clone()),
        Some("risposta") => ("risposta", traccia.risposta.clone()),
        _ => return Err(Fallo::NonCe),
    };
    let bytes = bytes.ok_or(Fallo::NonCe)?;
    if !note_look(domanda, &traccia, "console scarica").await? {
        return show(domanda, &traccia, false, true).await;
    }
    let nome = format!("attachment; filename=\"{parte}-{id}.xml\"");
    Ok(HttpResponse::Ok()
        // Nothing that a browser would open by itself.
        .insert_header((CONTENT_TYPE, "application/octet-stream"))
        .insert_header((CONTENT_DISPOSITION, nome))
        .body(bytes))
}

/// Writes down who looks and why; `false` where no reason is given.
async fn note_look(domanda: &Domanda<'_>, traccia: &Traccia, che: &'static str) -> Result<bool, Fallo> {
    let motivo = domanda.modulo.get("motivo").unwrap_or_default();
    if !(MOTIVO_MIN..=MOTIVO_MAX).contains(&motivo.chars().count()) {
        return Ok(false);
    }
    let parte = domanda
        .modulo
        .get("parte")
        .map(|parte| format!("parte: {}", plain(parte)));
    let note = [
        format!("di {}", traccia.message_id),
        format!("motivo: {}", mask(motivo)),
    ];
    domanda
        .note(Fatto {
            che,
            di: Some(traccia),
            note: note.into_iter().chain(parte).collect(),
            ..Fatto::default()
        })
        .await?;
    Ok(true)
}

async fn find(store: &SharedStore, id: Uuid) -> Result<Traccia, Fallo> {
    let ricerca = Ricerca {
        message_id: Some(id),
        limite: 1,
        ..Ricerca::default()
    };
    search(store, &ricerca)
        .await?
        .into_iter()
        .next()
        .ok_or(Fallo::NonCe)
}

async fn search(store: &SharedStore, ricerca: &Ricerca) -> Result<Vec<Traccia>, Fallo> {
    Ok(store.tracce(ricerca).await?.righe)
}

async fn show(
    domanda: &Domanda<'_>,
    traccia: &Traccia,
    in_chiaro: bool,
    errore_motivo: bool,
) -> Result<HttpResponse, Fallo> {
    let c = domanda.frame("messaggi")?;
    let store = &domanda.console.store;
    let errori = errori::told(traccia, domanda.lingua);
    let luoghi: Vec<_> = errori.iter().filter_map(|errore| errore.luogo).collect();
    let mut stessa_chiave = Vec::new();
    if let (Some(chiave), Some(ente)) = (&traccia.chiave_invio, &traccia.ente) {
        let ricerca = Ricerca {
            chiave_invio: Some(chiave.clone()),
            ente: Some(ente.clone()),
            limite: VICINI_MAX,
            senza_byte: true,
            ..Ricerca::default()
        };
        stessa_chiave = neighbours(search(store, &ricerca).await?, traccia);
    }
    let mut stessa_domanda = Vec::new();
    if let Some(numero) = traccia.numero_domanda {
        let ricerca = Ricerca {
            numero_domanda: Some(numero),
            limite: VICINI_MAX,
            senza_byte: true,
            ..Ricerca::default()
        };
        stessa_domanda = neighbours(search(store, &ricerca).await?, traccia);
    }
    let t = c.t;
    let (passi, totale) = steps(traccia);
    let parte = |nome, chiave, byte: Option<&bytes::Bytes>, len, segnati: &[(usize, usize)]| {
        part(nome, chiave, byte.map(|byte| &byte[..]), len, segnati, in_chiaro)
    };
    let pagina = Messaggio {
        id: traccia.message_id.to_string(),
        segno: sign(&traccia.esito),
        esito: plain(&traccia.esito),
        protocollo: plain_option(traccia.protocollo.as_ref()),
        numero_domanda: traccia
            .numero_domanda
            .map(|numero| numero.to_string())
            .unwrap_or_default(),
        quando: instant_ms(traccia.ricevuto_il),
        dati: data(traccia, &c, in_chiaro),
        passi,
        totale: millis(totale),
        errori,
        note: traccia.note.iter().map(|nota| plain(nota)).collect(),
        stessa_chiave,
        stessa_domanda,
        lotto: lot_of(store, traccia).await?,
        parti: vec![
            parte(
                t.msg_richiesta,
                "richiesta",
                traccia.richiesta.as_ref(),
                traccia.richiesta_len,
                &luoghi,
            ),
            parte(
                t.msg_risposta,
                "risposta",
                traccia.risposta.as_ref(),
                traccia.risposta_len,
                &[],
            ),
        ],
        in_chiaro,
        motivo: plain(domanda.modulo.get("motivo").unwrap_or_default()),
        errore_motivo,
        c,
    };
    super::ok(&pagina)
}

/// What is known of it, in the order in which it was learnt; what is not known is left out.
fn data(traccia: &Traccia, c: &Cornice, in_chiaro: bool) -> Vec<(&'static str, String)> {
    let t = c.t;
    let text = |valore: &Option<String>| plain_option(valore.as_ref());
    let user_id = traccia.user_id.as_deref().map(|user_id| {
        // An operator's UserId may be their codice fiscale.
        plain(&if in_chiaro {
            user_id.to_owned()
        } else {
            mask(user_id)
        })
    });
    let byte = format!(
        "{} → {}",
        bytes(traccia.richiesta_len),
        bytes(traccia.risposta_len)
    );
    let dati = [
        (t.msg_canale, plain(&traccia.canale)),
        (t.msg_servizio, text(&traccia.servizio)),
        (t.msg_operazione, text(&traccia.operazione)),
        (t.msg_ente, text(&traccia.ente)),
        (t.msg_ufficio, text(&traccia.codice_ufficio)),
        (t.msg_utente, user_id.unwrap_or_default()),
        (t.msg_identity, text(&traccia.identity_forma)),
        (t.msg_chiave, text(&traccia.chiave_invio)),
        (
            t.msg_indirizzo,
            traccia
                .indirizzo
                .map(|indirizzo| indirizzo.to_string())
                .unwrap_or_default(),
        ),
        (t.msg_certificato, plain(&traccia.certificato_soggetto)),
        (t.msg_seriale, plain(&traccia.certificato_seriale)),
        ("TLS", plain(&traccia.tls)),
        (t.msg_richiesta_a, plain(&traccia.uri)),
        ("HTTP", traccia.http_status.to_string()),
        (t.msg_byte, byte),
        (t.msg_id_mittente, text(&traccia.id_mittente)),
        (t.msg_id_transazione, text(&traccia.id_transazione)),
        ("digest", text(&traccia.digest)),
        (t.msg_impronta, text(&traccia.impronta)),
    ];
    dati.into_iter()
        .filter(|(_, valore)| !valore.is_empty())
        .collect()
}

/// The steps one after the other, and how long they took together.
fn steps(traccia: &Traccia) -> (Vec<Passo>, u64) {
    let totale: u64 = traccia.tempi_us.iter().map(|(_, us)| us).sum();
    let parte = |us: u64| float(us) * 100.0 / float(totale.max(1));
    let mut da = 0;
    let passi = traccia
        .tempi_us
        .iter()
        .map(|(nome, us)| {
            let passo = Passo {
                nome: plain(nome),
                inizio: millis(da),
                durata: millis(*us),
                da: format!("{:.2}", parte(da)),
                // The shortest is still seen.
                lunga: format!("{:.2}", parte(*us).max(0.4)),
            };
            da += us;
            passo
        })
        .collect();
    (passi, totale)
}

/// The others, oldest first, this one among them.
fn neighbours(mut tracce: Vec<Traccia>, questa: &Traccia) -> Vec<Vicino> {
    if tracce.len() < 2 {
        return Vec::new();
    }
    tracce.sort_by_key(|traccia| (traccia.ricevuto_il, traccia.message_id));
    tracce
        .iter()
        .map(|traccia| Vicino {
            id: traccia.message_id.to_string(),
            quando: instant(traccia.ricevuto_il),
            operazione: plain_option(traccia.operazione.as_ref()),
            esito: plain(&traccia.esito),
            segno: sign(&traccia.esito),
            codici: codes(traccia),
            protocollo: plain_option(traccia.protocollo.as_ref()),
            questo: traccia.message_id == questa.message_id,
        })
        .collect()
}

/// The lot that it brought or was an item of.
async fn lot_of(store: &SharedStore, traccia: &Traccia) -> Result<Option<String>, Fallo> {
    if let Some(elemento) = traccia.uri.strip_prefix("LOTTO ") {
        let id = elemento.split('#').next().unwrap_or_default();
        return Ok(id.parse::<Uuid>().ok().map(|id| id.to_string()));
    }
    let Some(chiave) = key_of(traccia).filter(|_| traccia.operazione.as_deref() == Some("InviaLotto")) else {
        return Ok(None);
    };
    Ok(store
        .lotto_by_chiave(&chiave)
        .await?
        .map(|lotto| lotto.id.to_string()))
}

fn key_of(traccia: &Traccia) -> Option<Chiave> {
    let servizio = traccia.servizio.as_deref()?;
    Some(Chiave {
        ente: traccia.ente.as_deref()?.parse().ok()?,
        servizio: PRESTAZIONI
            .iter()
            .find(|prestazione| prestazione.servizio == servizio)?
            .servizio,
        chiave: traccia.chiave_invio.as_deref()?.parse().ok()?,
    })
}

fn part(
    nome: &'static str,
    chiave: &'static str,
    byte: Option<&[u8]>,
    len: u64,
    segnati: &[(usize, usize)],
    in_chiaro: bool,
) -> Parte {
    let mut parte = Parte {
        nome,
        chiave,
        byte: bytes(len),
        conservata: byte.is_some(),
        righe: Vec::new(),
        tagliata: false,
    };
    if let Some(byte) = byte {
        let testo = text_of(byte);
        let intero = if in_chiaro {
            testo.into_owned()
        } else {
            mask(&testo)
        };
        let (mostrato, troppo) = match intero.char_indices().nth(MOSTRATI_MAX) {
            Some((fine, _)) => (&intero[..fine], true),
            None => (intero.as_str(), false),
        };
        let (righe, tagliata) = lay_out(mostrato, segnati);
        parte.righe = righe;
        parte.tagliata = tagliata || troppo;
    }
    parte
}

/// The sign that stands beside an outcome's word.
pub(super) fn sign(esito: &str) -> &'static str {
    match esito {
        "REGISTRATA" | "RIPETUTA" | "ACCOLTO" | "AMMISSIBILE" => "ok",
        "RISPOSTA" => "neutro",
        "RIFIUTATA" | "RIFIUTATA_HTTP" => "attenzione",
        _ => "male",
    }
}

/// The codes of a message, each once with how often it came.
pub(super) fn codes(traccia: &Traccia) -> String {
    let mut contati: Vec<(&str, usize)> = Vec::new();
    for codice in &traccia.codici {
        match contati.iter_mut().find(|(altro, _)| altro == codice) {
            Some((_, volte)) => *volte += 1,
            None => contati.push((codice, 1)),
        }
    }
    let detti = contati.iter().map(|(codice, volte)| match volte {
        1 => plain(codice),
        _ => format!("{} ×{volte}", plain(codice)),
    });
    detti.collect::<Vec<_>>().join(" ")
}
