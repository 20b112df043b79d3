//! The parts of a diagnosis, one file each, in the order in which they are read.

use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::{Raccolta, sistema};
use crate::cli::DoveConfig;
use crate::clock::{Clock as _, WallClock};
use crate::config::{Config, Effective};
use crate::listener::Porta;
use crate::spazio::{self, previsione::Previsione};
use crate::store::{self, OpenOptions, SharedStore};

/// Gathers them all. An error is one of the file that is written; every other is told in it.
pub(super) async fn gather(raccolta: &mut Raccolta, dove: &DoveConfig, adesso: Timestamp) -> Result<()> {
    raccolta.keep(
        "versione.json",
        "programma e schema che porta",
        Ok(version(adesso)),
    )?;
    raccolta.keep(
        "sistema.json",
        "macchina e limiti del processo",
        Ok(pretty(&sistema::machine())),
    )?;
    let effettiva = match crate::cli::read_effective(&dove.config) {
        Ok(effettiva) => effettiva,
        Err(errore) => return raccolta.keep("configurazione.txt", "valori in vigore", Err(errore)),
    };
    raccolta.keep(
        "configurazione.txt",
        "valori in vigore, con l'origine",
        Ok(configuration(&effettiva)),
    )?;
    let config = &effettiva.config;
    door(raccolta, config, adesso)?;
    health(raccolta, config).await?;
    let options = OpenOptions {
        migrate: false,
        anche_trasferito: true,
        ..crate::cli::store_options(config)
    };
    match store::open(&config.store, &options).await {
        Ok((store, offset)) => {
            let esito = stored(raccolta, &store, config, offset).await;
            store.close().await;
            esito
        }
        Err(errore) => raccolta.keep("archivio.json", "archivio", Err(errore.into())),
    }
}

fn version(adesso: Timestamp) -> String {
    pretty(&json!({
        "varco": env!("CARGO_PKG_VERSION"),
        "revisione": option_env!("VARCO_REVISION"),
        "compilazione": if cfg!(debug_assertions) { "debug" } else { "release" },
        "schemi_del_programma": store::versioni(),
        "raccolta_il": adesso.to_string(),
    }))
}

fn configuration(effettiva: &Effective) -> String {
    let mut testo = String::new();
    for voce in &effettiva.voci {
        // Writing to a String cannot fail.
        let _ = writeln!(testo, "{voce}");
    }
    testo
}

/// Certificates and adesioni: what ends when, who has joined; no name but of our own and of authorities.
fn door(raccolta: &mut Raccolta, config: &Config, adesso: Timestamp) -> Result<()> {
    let porta = Porta::open(
        config.tls.clone(),
        config.adesioni.clone(),
        Arc::new(WallClock::default()),
        Arc::new(|_| ()),
    );
    let porta = match porta {
        Ok(porta) => porta,
        Err(errore) => {
            return raccolta.keep("certificati.json", "certificati e adesioni", Err(errore.into()));
        }
    };
    let days = |fine: Timestamp| fine.duration_since(adesso).as_hours().div_euclid(24);
    let scadenze: Vec<_> = porta
        .scadenze()
        .into_iter()
        .map(|scadenza| {
            json!({ "cosa": scadenza.cosa, "scade_il": scadenza.fine.to_string(), "giorni": days(scadenza.fine) })
        })
        .collect();
    let certificati = json!({
        "server": porta.certificato().soggetto,
        "scadenze": scadenze,
        "liste_di_revoca": porta.liste().len(),
    });
    raccolta.keep(
        "certificati.json",
        "certificati, autorità e liste di revoca",
        Ok(pretty(&certificati)),
    )?;
    let adesioni = porta.adesioni().load_full();
    let enti: Vec<_> = adesioni
        .enti()
        .iter()
        .map(|ente| {
            json!({
                "codice": ente.codice.as_str(),
                "stato": ente.stato,
                "certificati": ente.certificati.len(),
                "ultimo_scade_fra_giorni": ente.scadenza().map(days),
                "uffici": ente.uffici.len(),
                "reti": ente.indirizzi.len(),
                "servizi": ente.servizi.len(),
                "quota_al_minuto": ente.quota_al_minuto,
                "porte_di_dominio": ente.pdd.len(),
            })
        })
        .collect();
    raccolta.keep("adesioni.json", "enti per codice", Ok(pretty(&json!(enti))))
}

/// What a gateway that runs says of itself, where it has a listener for it.
async fn health(raccolta: &mut Raccolta, config: &Config) -> Result<()> {
    const CHE: &str = "varco in funzione";
    let Some(indirizzo) = config.salute.indirizzo else {
        let assente = anyhow::anyhow!("salute.indirizzo non è impostato: code e contatori non si sanno");
        return raccolta.keep("metriche.txt", CHE, Err(assente));
    };
    for (nome, percorso) in [("salute.json", "health/ready"), ("metriche.txt", "metrics")] {
        let url = format!("http://{indirizzo}/{percorso}");
        let risposta = tokio::task::spawn_blocking(move || ask(&url)).await?;
        raccolta.keep(nome, CHE, risposta)?;
    }
    Ok(())
}

/// Whatever the status says, the body is what is asked for.
fn ask(url: &str) -> Result<String> {
    let agente: ureq::Agent = ureq::Agent::config_builder()
        .timeout_global(Some(ATTESA))
        .http_status_as_error(false)
        .build()
        .into();
    let mut risposta = agente.get(url).call().with_context(|| url.to_owned())?;
    let corpo = risposta.body_mut().with_config().limit(RISPOSTA_BYTES_MAX);
    corpo.read_to_string().with_context(|| url.to_owned())
}

/// Everything that the store is asked.
async fn stored(
    raccolta: &mut Raccolta,
    store: &SharedStore,
    config: &Config,
    offset: SignedDuration,
) -> Result<()> {
    let parte = identity(store, offset).await;
    raccolta.keep(
        "archivio.json",
        "motore, schema, diritti, orologi, manutenzione",
        parte,
    )?;
    let parte = store.impostazioni().await.map(|lette| {
        let lette = lette.into_iter().map(|(nome, valore)| (nome, valore.into()));
        pretty(&Value::Object(lette.collect()))
    });
    raccolta.keep(
        "impostazioni.json",
        "impostazioni del motore",
        parte.map_err(Into::into),
    )?;
    let parte = store.tabelle().await.map(|tabelle| pretty(&json!(tabelle)));
    raccolta.keep(
        "tabelle.json",
        "righe e byte per tabella",
        parte.map_err(Into::into),
    )?;
    raccolta.keep(
        "spazio.json",
        "dischi, soglie, crescita",
        room(store, config).await,
    )?;
    let parte = purges(store).await;
    raccolta.keep("pulizie.json", "ultime pulizie", parte)?;
    let parte = seals(store).await;
    raccolta.keep("sigilli.json", "catena di prova", parte)?;
    let dal = WallClock::default().wall() - PORTA_DA;
    let parte = store
        .porta_per_codice(dal)
        .await
        .map(|rifiuti| pretty(&json!(rifiuti)));
    raccolta.keep(
        "porta.json",
        "rifiuti alla porta degli ultimi sette giorni, per codice",
        parte.map_err(Into::into),
    )
}

async fn identity(store: &SharedStore, offset: SignedDuration) -> Result<String> {
    let identikit = store.identikit().await?;
    let prima = WallClock::default().wall();
    let server = store.ora_del_server().await?;
    let avanti_ms = server.map(|server| server.duration_since(prima).as_millis());
    let adesso = WallClock::default().wall();
    let manutenzione = store.disposizione().await?;
    Ok(pretty(&json!({
        "motore": identikit.motore,
        "sincronia": identikit.sincronia,
        "schema": identikit.schema,
        "ingresso": identikit.ingresso.map(|ingresso| json!({
            "ruolo": ingresso.ruolo,
            "tls": ingresso.tls,
            "proprietario": ingresso.padrone,
        })),
        "orologio_delle_regole_avanti_s": offset.as_secs(),
        "orologio_del_server_avanti_ms": avanti_ms.map(|ms| i64::try_from(ms).unwrap_or(i64::MAX)),
        "connessioni_max": store.misure().connessioni_max,
        "in_manutenzione": manutenzione.is_some_and(|data| data.in_force(adesso).is_some()),
    })))
}

async fn room(store: &SharedStore, config: &Config) -> Result<String> {
    let posti = spazio::places(store, &config.spazio, &config.registro.ancore.cartella).await?;
    let soglia = spazio::least(&posti, &config.spazio).map_or(0, |(_, soglia)| soglia);
    let campioni = store.campioni().await?;
    let previsione = Previsione::of(&campioni, soglia);
    let posti: Vec<_> = posti
        .iter()
        .map(|(posto, stato)| {
            json!({
                "posto": posto.nome,
                "liberi": posto.liberi,
                "capienza": posto.capienza,
                "stato": stato.as_str(),
            })
        })
        .collect();
    Ok(pretty(&json!({
        "occupati": store.byte_occupati().await?,
        "posti": posti,
        "campioni": campioni.len(),
        "byte_al_giorno": previsione.byte_al_giorno,
        "giorni": previsione.giorni,
    })))
}

async fn purges(store: &SharedStore) -> Result<String> {
    let pulizie = store.pulizie(PULIZIE_MAX).await?;
    let righe: Vec<_> = pulizie
        .iter()
        .map(|pulizia| {
            json!({
                "regola": pulizia.regola.as_str(),
                "fino_a": pulizia.fino_a.to_string(),
                "iniziata_il": pulizia.iniziata_il.to_string(),
                "conclusa_il": pulizia.conclusa_il.map(|quando| quando.to_string()),
                "righe": pulizia.righe,
                "byte": pulizia.byte,
            })
        })
        .collect();
    Ok(pretty(&json!(righe)))
}

async fn seals(store: &SharedStore) -> Result<String> {
    let coda = store.coda().await?;
    let attesa = store.attesa(&coda.segni()).await?;
    let sigillato_il = coda
        .ultimo
        .as_ref()
        .map(|(testata, _)| testata.sigillato_il.to_string());
    Ok(pretty(&json!({
        "ultimo_blocco": coda.numero(),
        "sigillato_il": sigillato_il,
        "ultimo_giorno_chiuso": coda.chiuso().map(|giorno| giorno.to_string()),
        "la_traccia_piu_vecchia_in_attesa_e_del": attesa.map(|quando| quando.to_string()),
    })))
}

fn pretty(valore: &Value) -> String {
    format!("{valore:#}\n")
}

/// How long a gateway may take to answer.
const ATTESA: Duration = Duration::from_secs(10);
/// What it may answer.
const RISPOSTA_BYTES_MAX: u64 = 8 << 20;
/// How far back the door is looked at.
const PORTA_DA: SignedDuration = SignedDuration::from_hours(7 * 24);
/// Purges that are told.
const PULIZIE_MAX: u32 = 50;
