//! `varco trace`: answers "where is my domanda?" and "why was I not let in?". Values of persons are masked; seeing a
//! message in clear needs a written reason, and that somebody looked is itself a trace (design.md §2.13).

use std::fmt::Write as _;

use anyhow::{Context as _, Result};
use jiff::Timestamp;
use serde_json::{Value, json};
use uuid::Uuid;

use super::{DoveConfig, Uscita};
use crate::clock::{Clock as _, Ids as _, RandomIds, WallClock};
use crate::config::Config;
use crate::protocollo::NumeroCercato;
use crate::store::{Ricerca, Store};
use crate::trace::{RifiutoAllaPorta, Traccia, redact, ricerca};

/// What to look for.
#[derive(Debug, clap::Args)]
#[command(args_conflicts_with_subcommands = false)]
pub struct Args {
    #[command(subcommand)]
    comando: Option<Comando>,
    /// File di configurazione (predefinito: varco.toml nella cartella corrente)
    #[arg(long, value_name = "FILE", default_value = "varco.toml", global = true)]
    config: std::path::PathBuf,
    /// Numero di protocollo, anche in parte: il progressivo (0001234), con o senza anno (2026-0001234)
    #[arg(long, value_name = "NUMERO")]
    protocollo: Option<NumeroCercato>,
    /// Identificativo del messaggio, quello indicato nelle risposte come IdMessaggio
    #[arg(long, value_name = "UUID")]
    message_id: Option<Uuid>,
    /// Identificativo dato dal mittente: wsa:MessageID, GovWay-Message-ID o GovWay-Transaction-ID
    #[arg(long, value_name = "TESTO")]
    id_mittente: Option<String>,
    /// ChiaveInvio
    #[arg(long, value_name = "CHIAVE")]
    chiave: Option<String>,
    /// Codice dell'ente
    #[arg(long, value_name = "CODICE")]
    ente: Option<String>,
    /// Esito: REGISTRATA, RIPETUTA, RIFIUTATA, AMMISSIBILE, RISPOSTA, FAULT, INTERROTTA
    #[arg(long, value_name = "ESITO")]
    esito: Option<String>,
    /// Codice di errore, come CF-002
    #[arg(long, value_name = "CODICE")]
    codice: Option<String>,
    /// Operazione, come InviaDomanda
    #[arg(long, value_name = "NOME")]
    operazione: Option<String>,
    /// Da questo istante in poi: 2021-07-15 (ora di Roma) o 2021-07-15T10:00:00Z
    #[arg(long, value_name = "ISTANTE", value_parser = istante)]
    dal: Option<Timestamp>,
    /// Prima di questo istante
    #[arg(long, value_name = "ISTANTE", value_parser = istante)]
    al: Option<Timestamp>,
    /// Quante righe al più (predefinito: 50)
    #[arg(long, value_name = "N", default_value_t = 50, global = true)]
    limite: u32,
    /// Scrive JSON: un oggetto per riga
    #[arg(long, global = true)]
    json: bool,
    /// Mostra il registro della porta: chi non è stato fatto entrare, perché, e che cosa fare
    #[arg(long)]
    porta: bool,
}

#[derive(Debug, clap::Subcommand)]
enum Comando {
    /// Mostra per intero un messaggio: passi e tempi, identità, dimensioni, codici, richiesta e risposta.
    ///
    /// I dati personali sono mascherati; con --in-chiaro serve un motivo, che resta nella traccia.
    ///
    /// Esempio: varco trace show 0197a3c1-0000-7000-8000-000000000001 --config demo/varco.toml
    Show {
        /// Identificativo del messaggio (IdMessaggio) o numero di protocollo
        #[arg(value_name = "ID")]
        id: String,
        /// Mostra richiesta e risposta senza mascherare i dati personali
        #[arg(long, requires = "motivo")]
        in_chiaro: bool,
        /// Perché servono i dati in chiaro: resta nella traccia
        #[arg(long, value_name = "TESTO")]
        motivo: Option<String>,
    },
    /// Scrive in XML le tracce delle buste e-Gov scambiate con le porte di dominio, in entrata e in uscita.
    ///
    /// Ogni record Tracciamento contiene l'Intestazione byte per byte; un messaggio senza busta ha un MessaggioDiagnostico.
    ///
    /// Esempio: varco trace egov --parte PatronatoUno --dal 2021-07-15 -o tracce.xml --config demo/varco.toml
    Egov(super::trace_egov::Args),
}

pub(super) fn istante(testo: &str) -> Result<Timestamp, String> {
    ricerca::istante(testo)
        .ok_or_else(|| "serve una data (2021-07-15) o un istante (2021-07-15T10:00:00Z)".to_owned())
}

impl Args {
    /// Searches and prints.
    pub async fn run(self) -> Result<Uscita> {
        let dove = DoveConfig {
            config: self.config.clone(),
        };
        let config: Config = dove.read()?;
        let store = super::open_store(&config).await?;
        match &self.comando {
            Some(Comando::Show {
                id,
                in_chiaro,
                motivo,
            }) => {
                let traccia = find(store.as_ref(), id).await?;
                if *in_chiaro {
                    record_look(store.as_ref(), &traccia, motivo.as_deref().unwrap_or_default()).await?;
                }
                if self.json {
                    outln!("{}", whole_json(&traccia, *in_chiaro));
                } else {
                    out!("{}", whole(&traccia, *in_chiaro));
                }
            }
            Some(Comando::Egov(egov)) => egov.run(store.as_ref()).await?,
            None if self.porta => {
                for rifiuto in store.porta(self.dal, self.limite).await? {
                    if self.json {
                        outln!("{}", door_json(&rifiuto));
                    } else {
                        out!("{}", door(&rifiuto));
                    }
                }
            }
            None => {
                let tracce = store.tracce(&self.ricerca()).await?.righe;
                if !self.json {
                    outln!("{}", row(&INTESTAZIONE));
                }
                for traccia in &tracce {
                    if self.json {
                        outln!("{}", brief_json(traccia));
                    } else {
                        outln!("{}", row(&columns(traccia)));
                    }
                }
            }
        }
        Ok(Uscita::Fatto)
    }

    fn ricerca(&self) -> Ricerca {
        Ricerca {
            protocollo: self.protocollo.clone(),
            message_id: self.message_id,
            id_mittente: self.id_mittente.clone(),
            chiave_invio: self.chiave.clone(),
            ente: self.ente.clone(),
            esito: self.esito.as_ref().map(|esito| esito.to_uppercase()),
            codice: self.codice.as_ref().map(|codice| codice.to_uppercase()),
            operazione: self.operazione.clone(),
            dal: self.dal,
            al: self.al,
            limite: self.limite,
            senza_byte: true,
            ..Ricerca::default()
        }
    }
}

async fn find(store: &dyn Store, id: &str) -> Result<Traccia> {
    let message_id: Option<Uuid> = id.parse().ok();
    let protocollo: Option<NumeroCercato> = id.parse().ok().filter(|_| message_id.is_none());
    anyhow::ensure!(
        message_id.is_some() || protocollo.is_some(),
        "{id} non è un identificativo di messaggio né un numero di protocollo"
    );
    let ricerca = Ricerca {
        protocollo,
        message_id,
        limite: 1,
        ..Ricerca::default()
    };
    // Of a number: the message that got it, before those that only named it.
    let registrata = Ricerca {
        esito: Some("REGISTRATA".to_owned()),
        ..ricerca.clone()
    };
    let mut trovate = store.tracce(&registrata).await?.righe;
    if trovate.is_empty() {
        trovate = store.tracce(&ricerca).await?.righe;
    }
    trovate
        .into_iter()
        .next()
        .with_context(|| format!("nessuna traccia con identificativo o protocollo {id}"))
}

/// That somebody looked, at what and why: a trace like any other, written before anything is shown.
async fn record_look(store: &dyn Store, vista: &Traccia, motivo: &str) -> Result<()> {
    let sguardo = Traccia {
        message_id: RandomIds.next(),
        ricevuto_il: WallClock::default().wall(),
        canale: "CLI".to_owned(),
        ente: vista.ente.clone(),
        uri: format!("varco trace show {} --in-chiaro", vista.message_id),
        operazione: Some("trace show".to_owned()),
        protocollo: vista.protocollo.clone(),
        esito: "RISPOSTA".to_owned(),
        note: vec![format!("motivo: {motivo}")],
        ..Traccia::default()
    };
    store.write_tracce(&[sguardo]).await?;
    Ok(())
}

const INTESTAZIONE: [&str; 8] = [
    "ricevuto il",
    "IdMessaggio",
    "ente",
    "operazione",
    "esito",
    "codice",
    "protocollo",
    "ms",
];

fn row(colonne: &[impl AsRef<str>; 8]) -> String {
    let [quando, id, ente, operazione, esito, codice, protocollo, ms] = colonne.each_ref().map(AsRef::as_ref);
    format!(
        "{quando:<24}  {id:<36}  {ente:<8}  {operazione:<16}  {esito:<11}  {codice:<8}  {protocollo:<26}  {ms:>8}"
    )
}

fn columns(traccia: &Traccia) -> [String; 8] {
    let or_dash = |valore: &Option<String>| valore.clone().unwrap_or_else(|| "-".to_owned());
    [
        when(traccia.ricevuto_il),
        traccia.message_id.to_string(),
        or_dash(&traccia.ente),
        or_dash(&traccia.operazione),
        traccia.esito.clone(),
        or_dash(&traccia.codice),
        or_dash(&traccia.protocollo),
        millis(traccia.tempi_us.iter().map(|(_, us)| us).sum()),
    ]
}

fn when(istante: Timestamp) -> String {
    format!("{istante:.3}")
}

fn millis(us: u64) -> String {
    format!("{}.{:03}", us / 1000, us % 1000)
}

fn whole(traccia: &Traccia, in_chiaro: bool) -> String {
    let mut testo = String::new();
    let mut line = |nome: &str, valore: &str| {
        if !valore.is_empty() {
            let _ = writeln!(testo, "{nome:<18}{valore}");
        }
    };
    let text = |valore: &Option<String>| valore.clone().unwrap_or_default();
    line("IdMessaggio", &traccia.message_id.to_string());
    line("ricevuto il", &when(traccia.ricevuto_il));
    line(
        "esito",
        &format!("{} (HTTP {})", traccia.esito, traccia.http_status),
    );
    line("protocollo", &text(&traccia.protocollo));
    line(
        "numero domanda",
        &traccia
            .numero_domanda
            .map(|numero| numero.to_string())
            .unwrap_or_default(),
    );
    line("codici", &traccia.codici.join(" "));
    line("canale", &traccia.canale);
    line("richiesta a", &traccia.uri);
    line("servizio", &text(&traccia.servizio));
    line("operazione", &text(&traccia.operazione));
    line("ente", &text(&traccia.ente));
    line("CodiceUfficio", &text(&traccia.codice_ufficio));
    line("UserId", &shown_user(traccia, in_chiaro));
    line("Identity", &text(&traccia.identity_forma));
    line(
        "indirizzo",
        &traccia
            .indirizzo
            .map(|indirizzo| indirizzo.to_string())
            .unwrap_or_default(),
    );
    line("certificato", &traccia.certificato_soggetto);
    line("seriale", &traccia.certificato_seriale);
    line("TLS", &traccia.tls);
    line("id del mittente", &text(&traccia.id_mittente));
    line("id transazione", &text(&traccia.id_transazione));
    line("ChiaveInvio", &text(&traccia.chiave_invio));
    line("digest", &text(&traccia.digest));
    line("impronta", &text(&traccia.impronta));
    line("byte ricevuti", &traccia.richiesta_len.to_string());
    line("byte inviati", &traccia.risposta_len.to_string());
    for (passo, us) in &traccia.tempi_us {
        line(&format!("  {passo}"), &format!("{:>10} ms", millis(*us)));
    }
    for nota in &traccia.note {
        line("nota", nota);
    }
    for (nome, bytes) in [("richiesta", &traccia.richiesta), ("risposta", &traccia.risposta)] {
        match bytes {
            Some(bytes) => writeln!(testo, "\n── {nome} ──\n{}", shown(bytes, in_chiaro)),
            None => writeln!(testo, "\n── {nome}: non conservata ──"),
        }
        .unwrap_or_default();
    }
    testo
}

/// Bytes of a message, masked unless a reason was given.
fn shown(bytes: &[u8], in_chiaro: bool) -> String {
    let testo = redact::text_of(bytes);
    if in_chiaro {
        testo.into_owned()
    } else {
        redact::mask(&testo)
    }
}

fn shown_user(traccia: &Traccia, in_chiaro: bool) -> String {
    // An operator's UserId may be their codice fiscale.
    traccia
        .user_id
        .as_deref()
        .map(|user_id| shown(user_id.as_bytes(), in_chiaro))
        .unwrap_or_default()
}

fn brief_json(traccia: &Traccia) -> Value {
    json!({
        "message_id": traccia.message_id.to_string(),
        "ricevuto_il": traccia.ricevuto_il.to_string(),
        "ente": traccia.ente,
        "codice_ufficio": traccia.codice_ufficio,
        "servizio": traccia.servizio,
        "operazione": traccia.operazione,
        "chiave_invio": traccia.chiave_invio,
        "esito": traccia.esito,
        "http_status": traccia.http_status,
        "codice": traccia.codice,
        "codici": traccia.codici,
        "protocollo": traccia.protocollo,
        "numero_domanda": traccia.numero_domanda,
        "tempo_us": traccia.tempi_us.iter().map(|(_, us)| us).sum::<u64>(),
    })
}

fn whole_json(traccia: &Traccia, in_chiaro: bool) -> Value {
    let mut tutto = brief_json(traccia);
    let resto = json!({
        "canale": traccia.canale,
        "indirizzo": traccia.indirizzo.map(|indirizzo| indirizzo.to_string()),
        "certificato_soggetto": traccia.certificato_soggetto,
        "certificato_seriale": traccia.certificato_seriale,
        "tls": traccia.tls,
        "user_id": traccia.user_id.as_ref().map(|_| shown_user(traccia, in_chiaro)),
        "identity_forma": traccia.identity_forma,
        "uri": traccia.uri,
        "id_mittente": traccia.id_mittente,
        "id_transazione": traccia.id_transazione,
        "digest": traccia.digest,
        "impronta": traccia.impronta,
        "richiesta_len": traccia.richiesta_len,
        "risposta_len": traccia.risposta_len,
        "tempi_us": traccia.tempi_us.iter().map(|(passo, us)| json!([passo, us])).collect::<Vec<_>>(),
        "note": traccia.note,
        "richiesta": traccia.richiesta.as_ref().map(|bytes| shown(bytes, in_chiaro)),
        "risposta": traccia.risposta.as_ref().map(|bytes| shown(bytes, in_chiaro)),
    });
    if let (Value::Object(tutto), Value::Object(resto)) = (&mut tutto, resto) {
        tutto.extend(resto);
    }
    tutto
}

fn door(rifiuto: &RifiutoAllaPorta) -> String {
    let dash = || "-".to_owned();
    format!(
        "{}  {}  {}  {}  seriale {}{}\n    {}\n    → {}\n",
        when(rifiuto.istante),
        rifiuto.codice,
        rifiuto
            .indirizzo
            .map_or_else(dash, |indirizzo| indirizzo.to_string()),
        rifiuto
            .soggetto
            .clone()
            .unwrap_or_else(|| "senza certificato".to_owned()),
        rifiuto.seriale.clone().unwrap_or_else(dash),
        rifiuto
            .sni
            .as_ref()
            .map(|sni| format!("  SNI {sni}"))
            .unwrap_or_default(),
        rifiuto.causa,
        rifiuto.rimedio,
    )
}

fn door_json(rifiuto: &RifiutoAllaPorta) -> Value {
    json!({
        "istante": rifiuto.istante.to_string(),
        "codice": rifiuto.codice,
        "indirizzo": rifiuto.indirizzo.map(|indirizzo| indirizzo.to_string()),
        "soggetto": rifiuto.soggetto,
        "seriale": rifiuto.seriale,
        "sni": rifiuto.sni,
        "causa": rifiuto.causa,
        "rimedio": rifiuto.rimedio,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn traccia() -> Traccia {
        Traccia {
            message_id: Uuid::from_u128(7),
            esito: "RIFIUTATA".to_owned(),
            codice: Some("CF-002".to_owned()),
            ente: Some("PAT01".to_owned()),
            user_id: Some("RSSMRA80A01H501U".to_owned()),
            tempi_us: vec![("busta", 1200), ("forma", 345)],
            richiesta: Some(bytes::Bytes::from_static(
                b"<CodiceFiscale>RSSMRA80A01H501U</CodiceFiscale>",
            )),
            ..Traccia::default()
        }
    }

    #[test]
    fn a_trace_in_full_shows_its_steps_and_hides_its_persons() {
        let testo = whole(&traccia(), false);
        assert!(testo.contains("  busta                1.200 ms"), "{testo}");
        assert!(!testo.contains("RSSMRA80A01H501U"), "{testo}");
        assert!(whole(&traccia(), true).contains("RSSMRA80A01H501U"));
        assert!(
            !whole_json(&traccia(), false)
                .to_string()
                .contains("RSSMRA80A01H501U")
        );
    }

    #[test]
    fn the_table_has_one_line_a_trace() {
        let riga = row(&columns(&traccia()));
        assert!(riga.contains("00000000-0000-0000-0000-000000000007"));
        assert!(riga.contains("CF-002") && riga.ends_with("1.545"), "{riga}");
    }
}
