//! What was found as a file to hand on: one ZIP with an index, one text a message, and a list of what is in it with the
//! search it came from. Persons are masked throughout; that it was made is itself a trace.

use std::fs::File;
use std::io::BufWriter;
use std::path::Path;

use anyhow::Result;
use indicatif::ProgressBar;
use jiff::Timestamp;
use serde_json::json;

use super::vista;
use crate::cli::a_meta::AMeta;
use crate::cli::zip::Zip;
use crate::clock::{Clock as _, Ids as _, RandomIds, WallClock};
use crate::store::{Ricerca, Store};
use crate::trace::csv;
use crate::trace::{Traccia, redact};

/// Traces a page; the bytes of one message at a time are in memory.
const PAGINA: u32 = 200;

/// What a file has taken in.
pub(super) struct Esportata {
    /// How many messages.
    pub(super) messaggi: u64,
    /// Where the next file would go on, if there is more.
    pub(super) dopo: Option<String>,
}

/// Writes at most `limite` messages into a new file.
pub(super) async fn write(
    store: &dyn Store,
    ricerca: &Ricerca,
    limite: u32,
    file: &Path,
) -> Result<Esportata> {
    let adesso = WallClock::default().wall();
    // Half an export has another name, and is nobody's but ours.
    let (a_meta, aperto) = AMeta::create(file)?;
    let (scritto, esportata) = fill(store, ricerca, limite, aperto, adesso).await?;
    a_meta.finish(scritto)?;
    Ok(esportata)
}

async fn fill(
    store: &dyn Store,
    ricerca: &Ricerca,
    limite: u32,
    file: BufWriter<File>,
    adesso: Timestamp,
) -> Result<(BufWriter<File>, Esportata)> {
    record(store, ricerca, adesso).await?;
    let avanzamento = ProgressBar::new_spinner();
    let mut zip = Zip::new(file, adesso);
    let mut indice = csv::head();
    let mut pagina_di = Ricerca {
        // What comes meanwhile, the trace of this export first of all, is not in it.
        al: Some(ricerca.al.map_or(adesso, |al| al.min(adesso))),
        ..ricerca.clone()
    };
    let mut messaggi = 0_u64;
    let altre = 'pagine: loop {
        let mancano = u64::from(limite).saturating_sub(messaggi);
        pagina_di.limite = PAGINA.min(u32::try_from(mancano).unwrap_or(PAGINA)).max(1);
        pagina_di.senza_byte = true;
        let pagina = store.tracce(&pagina_di).await?;
        for (traccia, posto) in pagina.righe.iter().zip(1_u64..) {
            let testo = text_of(store, traccia).await?;
            if !zip.has_room(testo.len()) {
                anyhow::ensure!(
                    messaggi > 0,
                    "un solo messaggio supera quanto un file ZIP può contenere"
                );
                // The page before this trace is told whole: the next file begins with this page again, at this place.
                pagina_di.limite = u32::try_from(posto - 1).unwrap_or(PAGINA);
                if pagina_di.limite > 0 {
                    pagina_di.dopo = store.tracce(&pagina_di).await?.posizione;
                }
                break 'pagine true;
            }
            messaggi += 1;
            zip.add(
                &format!("messaggi/{messaggi:05}-{}.txt", traccia.message_id),
                testo.as_bytes(),
            )?;
            indice.push_str(&csv::line(traccia));
        }
        pagina_di.dopo = pagina.posizione;
        avanzamento.set_message(progress(messaggi, &pagina_di));
        avanzamento.tick();
        if !pagina.altre || messaggi >= u64::from(limite) {
            break pagina.altre;
        }
    };
    avanzamento.finish_and_clear();
    let dopo = pagina_di
        .dopo
        .filter(|_| altre)
        .map(|posto| ricerca.cursore(posto));
    zip.add("indice.csv", indice.as_bytes())?;
    let manifesto = manifest(&zip, ricerca, messaggi, dopo.as_deref(), adesso);
    zip.add("manifesto.json", manifesto.as_bytes())?;
    Ok((zip.finish()?, Esportata { messaggi, dopo }))
}

fn progress(messaggi: u64, ricerca: &Ricerca) -> String {
    let fino = ricerca
        .dopo
        .map(|posto| format!(", fino al {}", vista::when(posto.ricevuto_il)));
    format!("{messaggi} messaggi{}", fino.unwrap_or_default())
}

/// The whole of a message, masked.
async fn text_of(store: &dyn Store, traccia: &Traccia) -> Result<String> {
    let una = Ricerca {
        message_id: Some(traccia.message_id),
        limite: 1,
        ..Ricerca::default()
    };
    let intera = store.tracce(&una).await?.righe.pop();
    Ok(vista::whole(intera.as_ref().unwrap_or(traccia), false))
}

/// What is in the file, and where it came from.
fn manifest<W: std::io::Write>(
    zip: &Zip<W>,
    ricerca: &Ricerca,
    messaggi: u64,
    dopo: Option<&str>,
    adesso: Timestamp,
) -> String {
    let criteri: serde_json::Map<_, _> = ricerca
        .criteri()
        .into_iter()
        .map(|(nome, valore)| (nome.to_owned(), redact::mask(&valore).into()))
        .collect();
    let voci: Vec<_> = zip
        .voci()
        .iter()
        .map(|voce| json!({ "nome": voce.nome, "byte": voce.byte, "sha256": voce.sha256 }))
        .collect();
    let manifesto = json!({
        "esportato_il": adesso.to_string(),
        "varco": env!("CARGO_PKG_VERSION"),
        "criteri": criteri,
        "persona": ricerca.persona.is_some(),
        "messaggi": messaggi,
        "continua_da": dopo,
        "voci": voci,
    });
    format!("{manifesto:#}\n")
}

/// That somebody took traces away, and which: before anything is written.
async fn record(store: &dyn Store, ricerca: &Ricerca, adesso: Timestamp) -> Result<()> {
    let mut criteri: Vec<_> = ricerca
        .criteri()
        .iter()
        .map(|(nome, valore)| redact::mask(&format!("{nome}={valore}")))
        .collect();
    if ricerca.persona.is_some() {
        criteri.push("persona".to_owned());
    }
    let sguardo = Traccia {
        message_id: RandomIds.next(),
        ricevuto_il: adesso,
        canale: "CLI".to_owned(),
        ente: ricerca.ente.clone(),
        uri: "varco trace --esporta".to_owned(),
        operazione: Some("trace esporta".to_owned()),
        esito: "RISPOSTA".to_owned(),
        note: vec![format!("criteri: {}", criteri.join(" "))],
        ..Traccia::default()
    };
    store.write_tracce(&[sguardo]).await?;
    Ok(())
}
