//! `varco diagnose`: what is in the file, what is never in it, and that it is written whatever is broken.

use std::collections::BTreeMap;
use std::io::Read as _;
use std::path::Path;
use std::process::Command;

use flate2::read::DeflateDecoder;
use varco::domanda::Ambiente;
use varco::protocollo::NumeroDomanda;
use varco::store::legale::open_registro;
use varco::store::manutenzione::Disposizione;
use varco::store::operatori::{NuovoOperatore, Ruolo};
use varco::store::spazio::Perche;
use varco::store::{OpenOptions, Ricerca, StoreUrl};

use crate::helpers::{Archivio, Gateway, Setting, on_both_stores};
use crate::salute::{give_back, take_away};

on_both_stores! {
    a_diagnosis_tells_of_everything_and_of_nobody,
    what_cannot_be_gathered_is_told_and_stops_nothing,
}

/// The entries of a ZIP by their names.
fn unzip(file: &Path) -> BTreeMap<String, String> {
    let byte = std::fs::read(file).unwrap();
    let u16_at = |dove: usize| usize::from(u16::from_le_bytes([byte[dove], byte[dove + 1]]));
    let u32_at = |dove: usize| u16_at(dove) | u16_at(dove + 2) << 16;
    let fine = byte.len() - 22;
    let mut qui = u32_at(fine + 16);
    let mut voci = BTreeMap::new();
    for _ in 0..u16_at(fine + 10) {
        let (compressi, nome_len, locale) = (u32_at(qui + 20), u16_at(qui + 28), u32_at(qui + 42));
        let nome = String::from_utf8(byte[qui + 46..qui + 46 + nome_len].to_vec()).unwrap();
        let dal = locale + 30 + nome_len;
        let mut testo = String::new();
        DeflateDecoder::new(&byte[dal..dal + compressi])
            .read_to_string(&mut testo)
            .unwrap();
        voci.insert(nome, testo);
        qui += 46 + nome_len;
    }
    voci
}

/// Gathers by the command; what it said, and what the file holds.
fn diagnose(gateway: &Gateway, nome: &str) -> (String, BTreeMap<String, String>) {
    let uscita = Command::new(env!("CARGO_BIN_EXE_varco"))
        .args(["diagnose", nome])
        .current_dir(gateway.dir.path())
        .output()
        .unwrap();
    let detto = String::from_utf8_lossy(&uscita.stdout).into_owned();
    let errori = String::from_utf8_lossy(&uscita.stderr);
    assert_eq!(uscita.status.code(), Some(0), "{detto}{errori}");
    (detto, unzip(&gateway.dir.path().join(nome)))
}

/// The texts of all elements of this name.
fn texts(messaggio: &str, elemento: &str) -> Vec<String> {
    let fine = format!("{elemento}>");
    let pezzi = messaggio.split(&fine).skip(1).step_by(2);
    pezzi
        .map(|pezzo| pezzo.split('<').next().unwrap().to_owned())
        .filter(|testo| !testo.is_empty())
        .collect()
}

fn spawn(archivio: Archivio) -> Gateway {
    let porta = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    Gateway::spawn(&Setting {
        // The command must know where to ask.
        salute: Some(format!(
            "[salute]\nindirizzo = \"{porta}\"\n[database]\nattesa_s = 1\n"
        )),
        ..Setting::on(archivio)
    })
}

fn a_diagnosis_tells_of_everything_and_of_nobody(archivio: Archivio) {
    const DOMANDA: &str = include_str!("../messages/domanda-registered/request.xml");
    let gateway = spawn(archivio);
    let client = gateway.client("pat01");
    let registrata = client.post(DOMANDA.as_bytes());
    assert_eq!(registrata.value("Esito").as_deref(), Some("REGISTRATA"));
    // Refused, so that the trace holds what no registration does; and somebody whom the door sends away.
    client.post(
        DOMANDA
            .replace(">K-1<", ">K-2<")
            .replace(">GENITORE<", ">ZIO<")
            .as_bytes(),
    );
    let adesso = gateway.clock_now();
    let operatore = NuovoOperatore {
        nome: "maria.bianchi".to_owned(),
        ruolo: Ruolo::Lettore,
        password: Some("$argon2id$segretissimo".to_owned()),
        certificato_sha256: Some("ab".repeat(32)),
    };
    gateway.block_on(async {
        assert!(gateway.store().add_operatore(&operatore, adesso).await.unwrap());
        let ordine = Disposizione {
            istante: adesso,
            operatore: "luca.neri".to_owned(),
            cartello: None,
        };
        gateway.store().dispose(&ordine).await.unwrap();
        let url = match archivio {
            Archivio::Sqlite => StoreUrl::Sqlite(gateway.dir.path().join("store.db")),
            Archivio::Postgres => std::fs::read_to_string(gateway.dir.path().join("store.txt"))
                .unwrap()
                .parse()
                .unwrap(),
        };
        let (registro, _) = open_registro(&url, &OpenOptions::new(Ambiente::Sandbox, adesso))
            .await
            .unwrap();
        let perche = Perche {
            operatore: "piero.gialli",
            motivo: "causa di Ugo Verdi",
        };
        registro.vincola(NumeroDomanda(1), &perche, adesso).await.unwrap();
        registro.close().await;
    });
    let (detto, voci) = diagnose(&gateway, "prima.zip");
    assert!(detto.ends_with("prima.zip: 14 parti\n"), "{detto}");
    let nomi: Vec<&str> = voci.keys().map(String::as_str).collect();
    assert_eq!(
        nomi,
        [
            "LEGGIMI.txt",
            "adesioni.json",
            "archivio.json",
            "certificati.json",
            "configurazione.txt",
            "impostazioni.json",
            "metriche.txt",
            "porta.json",
            "pulizie.json",
            "salute.json",
            "sigilli.json",
            "sistema.json",
            "spazio.json",
            "tabelle.json",
            "versione.json",
        ]
    );
    // It is about this gateway…
    let tabelle: serde_json::Value = serde_json::from_str(&voci["tabelle.json"]).unwrap();
    let registrazioni = tabelle
        .as_array()
        .unwrap()
        .iter()
        .find(|tabella| tabella["nome"] == "registrazioni")
        .unwrap();
    assert!(registrazioni["byte"].as_u64().unwrap() > 0, "{registrazioni}");
    if archivio == Archivio::Sqlite {
        assert_eq!(registrazioni["righe"], 1);
    }
    let (motore, sincronia) = match archivio {
        Archivio::Sqlite => ("SQLite", "\"synchronous\": \"2\""),
        Archivio::Postgres => ("PostgreSQL", "\"synchronous_commit\": \"on\""),
    };
    assert!(
        voci["archivio.json"].contains(motore),
        "{}",
        voci["archivio.json"]
    );
    assert!(
        voci["impostazioni.json"].contains(sincronia),
        "{}",
        voci["impostazioni.json"]
    );
    assert!(voci["adesioni.json"].contains("\"PAT01\""));
    assert!(voci["certificati.json"].contains("\"giorni\""));
    assert!(voci["metriche.txt"].contains("varco_writer_queue 0"));
    assert!(voci["sistema.json"].contains("Max open files"));
    assert!(voci["configurazione.txt"].contains("ambiente = \"sandbox\""));
    // …and about nobody.
    let mut persone: Vec<String> = [
        "CodiceFiscale",
        "Cognome",
        "Nome",
        "Iban",
        "UserId",
        "Indirizzo",
        "Email",
        "Telefono",
    ]
    .iter()
    .flat_map(|nome| texts(DOMANDA, nome))
    .filter(|testo| testo.len() > 3)
    .collect();
    assert!(persone.len() > 5, "{persone:?}");
    let trovate = gateway.block_on(gateway.store().tracce(&Ricerca {
        limite: 10,
        ..Ricerca::default()
    }));
    for traccia in trovate.unwrap().righe {
        persone.push(traccia.certificato_seriale);
        persone.extend(traccia.user_id);
    }
    persone.extend(
        [
            "maria.bianchi",
            "segretissimo",
            "luca.neri",
            "piero.gialli",
            "Ugo Verdi",
        ]
        .map(str::to_owned),
    );
    persone.push("ab".repeat(32));
    let tutto: String = voci.values().cloned().collect();
    for persona in &persone {
        assert!(!tutto.contains(persona.as_str()), "{persona}");
    }
}

fn what_cannot_be_gathered_is_told_and_stops_nothing(archivio: Archivio) {
    let gateway = spawn(archivio);
    std::fs::write(gateway.dir.path().join("adesioni.toml"), "[[ente").unwrap();
    let impedimento = match archivio {
        // A file that is locked can still be read: the database alone goes away.
        Archivio::Sqlite => None,
        Archivio::Postgres => Some(take_away(&gateway, archivio)),
    };
    let (detto, voci) = diagnose(&gateway, "guasto.zip");
    assert!(detto.contains("NON RACCOLTO"), "{detto}");
    let indice = &voci["LEGGIMI.txt"];
    assert!(
        indice.contains("certificati.json") && indice.contains("NON RACCOLTO: "),
        "{indice}"
    );
    assert!(!voci.contains_key("certificati.json") && voci.contains_key("sistema.json"));
    assert_eq!(
        voci.contains_key("archivio.json"),
        archivio == Archivio::Sqlite,
        "{indice}"
    );
    assert!(voci.contains_key("metriche.txt"), "{indice}");
    if let Some(impedimento) = impedimento {
        give_back(&gateway, impedimento);
    }
    // No configuration at all.
    std::fs::write(gateway.dir.path().join("varco.toml"), "ambiente = \"luna\"\n").unwrap();
    let (detto, voci) = diagnose(&gateway, "senza.zip");
    assert!(detto.contains("configurazione.txt   NON RACCOLTO"), "{detto}");
    assert_eq!(voci.len(), 3, "{:?}", voci.keys());
    // What is there is not written over.
    let ancora = Command::new(env!("CARGO_BIN_EXE_varco"))
        .args(["diagnose", "senza.zip"])
        .current_dir(gateway.dir.path())
        .output()
        .unwrap();
    assert_eq!(ancora.status.code(), Some(64));
}
