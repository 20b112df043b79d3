//! The whole life of one domanda of each prestazione: what the patronati send (`NN-….xml`, in this order), what the
//! reference engine makes of it, what the domanda then says of itself, and the feed that told it all in order. Real
//! mutual TLS; the engine is a process of its own; both kinds of store.
#![allow(missing_docs)]

#[path = "../gateway/helpers.rs"]
#[expect(dead_code, reason = "shared with tests/gateway, which uses all of it")]
mod helpers;
#[path = "../comune/postgres.rs"]
mod postgres;

mod assegno_temporaneo;
mod assegno_unico;

use std::fmt::Write as _;
use std::path::PathBuf;
use std::process::Command;

use jiff::Timestamp;
use varco::prestazione::Prestazione;

use helpers::{Archivio, Gateway, Reply, Setting};

/// A gateway and an engine on one store, and the folder of what is sent.
struct Vita {
    gateway: Gateway,
    archivio: Archivio,
    prestazione: &'static Prestazione,
    cartella: PathBuf,
}

impl Vita {
    /// Nothing was sent yet.
    fn begin(prestazione: &'static Prestazione, cartella: &str, archivio: Archivio) -> Self {
        let gateway = Gateway::spawn(&Setting::on(archivio));
        Self {
            gateway,
            archivio,
            prestazione,
            cartella: [env!("CARGO_MANIFEST_DIR"), "tests/vita", cartella]
                .iter()
                .collect(),
        }
    }

    /// On a day, at ten in Rome (in summer: noon), an ente sends a message; it is registered.
    fn sends(&self, giorno: &str, ente: &str, file: &str) -> Reply {
        self.gateway.clock.set(alle_dieci(giorno));
        let richiesta = std::fs::read_to_string(self.cartella.join(format!("{file}.xml"))).unwrap();
        let risposta = self.asks(ente, &richiesta);
        assert_eq!(
            risposta.value("Esito").as_deref(),
            Some("REGISTRATA"),
            "{file}: {}",
            risposta.text()
        );
        risposta
    }

    /// An ente asks.
    fn asks(&self, ente: &str, richiesta: &str) -> Reply {
        let Prestazione {
            prefisso, namespace, ..
        } = self.prestazione;
        let busta = format!(
            r#"<env:Envelope xmlns:env="http://www.w3.org/2003/05/soap-envelope" xmlns:inps="http://inps.it/" xmlns:{prefisso}="{namespace}" xmlns:coop="http://inps.it/cooperazione/v1">
  <env:Header><inps:Identity><UserId>op.rossi</UserId><CodiceUfficio>001</CodiceUfficio></inps:Identity></env:Header>
  <env:Body>
{richiesta}
  </env:Body>
</env:Envelope>"#
        );
        let client = self
            .gateway
            .client_of(self.prestazione.servizio, &ente.to_lowercase());
        client.post(busta.as_bytes())
    }

    /// On a day, the engine works what there is.
    fn engine(&self, giorno: &str) {
        let store = match self.archivio {
            Archivio::Sqlite => format!("sqlite:{}", self.gateway.dir.path().join("store.db").display()),
            Archivio::Postgres => std::fs::read_to_string(self.gateway.dir.path().join("store.txt")).unwrap(),
        };
        let adesso = alle_dieci(giorno).to_string();
        let esito = Command::new(env!("CARGO_BIN_EXE_varco"))
            .args(["engine", store.trim(), "--una-volta", "--adesso", &adesso])
            .output()
            .unwrap();
        assert_eq!(
            esito.status.code(),
            Some(0),
            "{}{}",
            String::from_utf8_lossy(&esito.stdout),
            String::from_utf8_lossy(&esito.stderr)
        );
    }

    /// What the first domanda says of itself, a line a sheet: `1 ACCOLTA`, `1 ACCOLTA AGGIORNARE_IBAN`.
    #[track_caller]
    fn stands(&self, ente: &str, attese: &[&str]) {
        let prefisso = self.prestazione.prefisso;
        let risposta = self.asks(
            ente,
            &format!(
                "<{prefisso}:ConsultaDomanda><{prefisso}:Riferimento><coop:NumeroDomanda>1</coop:NumeroDomanda>\
                 </{prefisso}:Riferimento></{prefisso}:ConsultaDomanda>"
            ),
        );
        let testo = risposta.text();
        let schede: Vec<String> = testo
            .split("<coop:Scheda>")
            .skip(1)
            .map(|scheda| {
                let campo = |nome: &str| {
                    let (_, dopo) = scheda.split_once(&format!("<coop:{nome}>")).unwrap();
                    dopo.split('<').next().unwrap()
                };
                let azione = match campo("AzioneRichiesta") {
                    "NESSUNA" => String::new(),
                    altra => format!(" {altra}"),
                };
                format!("{} {}{azione}", campo("Posto"), campo("Stato"))
            })
            .collect();
        assert_eq!(schede, attese, "{testo}");
    }

    /// The whole feed of an ente, by pages of seven, is that of the file: a line a row.
    #[track_caller]
    fn fed(&self, ente: &str, file: &str) {
        let prefisso = self.prestazione.prefisso;
        let (mut cursore, mut racconto) = (String::new(), String::new());
        loop {
            let risposta = self.asks(
                ente,
                &format!(
                    "<{prefisso}:ElencoVariazioni>{cursore}<coop:RigheMax>7</coop:RigheMax>\
                     </{prefisso}:ElencoVariazioni>"
                ),
            );
            let testo = risposta.text();
            assert_eq!(risposta.status, 200, "{testo}");
            for riga in testo.split("<coop:Variazione>").skip(1) {
                let campo = |nome: &str| {
                    let (_, dopo) = riga.split_once(&format!("<coop:{nome}>"))?;
                    dopo.split('<').next().map(str::to_owned)
                };
                let giorno = campo("Istante").unwrap().split('T').next().unwrap().to_owned();
                let _ = write!(racconto, "{giorno} {}", campo("Tipo").unwrap());
                for nome in ["NumeroDomanda", "Posto", "Stato", "AzioneRichiesta", "Motivo"] {
                    if let Some(valore) = campo(nome).filter(|valore| valore != "NESSUNA") {
                        let _ = write!(racconto, " · {nome} {valore}");
                    }
                }
                racconto.push('\n');
            }
            cursore = format!(
                "<coop:Cursore>{}</coop:Cursore>",
                risposta.value("Cursore").unwrap()
            );
            if risposta.value("Altre").as_deref() == Some("false") {
                break;
            }
        }
        let file = self.cartella.join(file);
        if std::env::var_os("BLESS").is_some() {
            std::fs::write(&file, &racconto).unwrap();
        }
        assert_eq!(
            racconto,
            std::fs::read_to_string(&file).unwrap_or_default(),
            "{}: BLESS=1 writes it anew",
            file.display()
        );
    }
}

/// Eight in UTC: ten in Rome in summer.
fn alle_dieci(giorno: &str) -> Timestamp {
    format!("{giorno}T08:00:00Z").parse().unwrap()
}
