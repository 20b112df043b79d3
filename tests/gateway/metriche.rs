//! What Prometheus is told: each message counted once under its own name, each refusal at the door by its code, and nothing of
//! anybody.

#![expect(
    clippy::float_cmp,
    clippy::cast_precision_loss,
    reason = "samples are floats that hold whole numbers"
)]

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use varco::clock::{Clock as _, WallClock};
use varco::metriche::METRICHE;

use crate::helpers::{Archivio, Gateway, Setting, agent, on_both_stores};
use crate::salute::{ask_with, give_back, take_away};

on_both_stores! {
    a_message_is_counted_once_under_its_own_name,
    the_door_counts_whom_it_refused_and_why,
    every_metric_of_the_table_is_told,
    a_hostile_message_makes_no_label,
    a_store_that_is_gone_is_told_without_waiting,
}

fn spawn(archivio: Archivio) -> Gateway {
    Gateway::spawn(&Setting {
        salute: Some(
            "[salute]\nindirizzo = \"127.0.0.1:0\"\nintervallo_s = 0.05\nattesa_s = 0.5\n[database]\nattesa_s = 1\n".to_owned(),
        ),
        ..Setting::on(archivio)
    })
}

/// Every sample: its name with its labels, and its value.
fn scrape(gateway: &Gateway) -> BTreeMap<String, f64> {
    let (status, testo) = ask_with(gateway.salute(), "GET", "/metrics", "");
    assert_eq!(status, 200, "{testo}");
    let righe = testo.lines().filter(|riga| !riga.starts_with('#'));
    righe
        .map(|riga| {
            let (nome, valore) = riga.rsplit_once(' ').unwrap();
            (nome.to_owned(), valore.parse().unwrap())
        })
        .collect()
}

/// Asks until a sample has this value.
pub(crate) fn until(gateway: &Gateway, nome: &str, valore: f64) -> BTreeMap<String, f64> {
    let fine = Instant::now() + Duration::from_secs(20);
    loop {
        let visto = scrape(gateway);
        if visto.get(nome) == Some(&valore) {
            return visto;
        }
        assert!(Instant::now() < fine, "{nome}: {:?}", visto.get(nome));
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn messaggi(operazione: &str, esito: &str) -> String {
    format!(
        "varco_messages_total{{canale=\"MODI\",servizio=\"AssegnoTemporaneo\",operazione=\"{operazione}\",esito=\"{esito}\"}}"
    )
}

const DOMANDA: &str = include_str!("../messages/domanda-registered/request.xml");

fn a_message_is_counted_once_under_its_own_name(archivio: Archivio) {
    let gateway = spawn(archivio);
    let client = gateway.client("pat01");
    let risposta = client.post(DOMANDA.as_bytes());
    assert_eq!(
        risposta.value("Protocollo").as_deref(),
        Some("INPS-AUF-2021-000000000001")
    );
    client.post(DOMANDA.as_bytes());
    let rifiutata = DOMANDA.replace(">K-1<", ">K-2<").replacen(
        "<at:AffidoCondiviso>true",
        "<at:AffidoCondiviso>false",
        1,
    );
    assert_eq!(
        client.post(rifiutata.as_bytes()).value("Esito").as_deref(),
        Some("RIFIUTATA")
    );
    let senza_identity = include_str!("../messages/identity-missing/request.xml");
    assert_eq!(client.post(senza_identity.as_bytes()).status, 500);
    assert_eq!(client.put().status, 405);

    let visto = until(&gateway, "varco_messages_in_flight", 0.0);
    let conta = |nome: &str| visto.get(nome).copied();
    assert_eq!(conta(&messaggi("InviaDomanda", "REGISTRATA")), Some(1.0));
    assert_eq!(conta(&messaggi("InviaDomanda", "RIPETUTA")), Some(1.0));
    assert_eq!(conta(&messaggi("InviaDomanda", "RIFIUTATA")), Some(1.0));
    assert_eq!(conta(&messaggi("nessuno", "FAULT")), Some(1.0));
    let tutti: f64 = visto
        .iter()
        .filter(|(nome, _)| nome.starts_with("varco_messages_total"))
        .map(|(_, valore)| valore)
        .sum();
    assert!((tutti - 5.0).abs() < f64::EPSILON, "{visto:#?}");
    assert_eq!(conta("varco_refusals_total{codice=\"IDN-001\"}"), Some(1.0));
    assert_eq!(conta("varco_refusals_total{codice=\"HTP-003\"}"), Some(1.0));
    let di_regole: f64 = visto
        .iter()
        .filter(|(nome, _)| nome.starts_with("varco_refusals_total{codice=\"AT-"))
        .map(|(_, valore)| valore)
        .sum();
    assert!((di_regole - 1.0).abs() < f64::EPSILON, "{visto:#?}");
    assert_eq!(
        conta("varco_message_seconds_count{operazione=\"InviaDomanda\"}"),
        Some(3.0)
    );
    // The first two were handed to the writer: one transaction each.
    assert_eq!(
        conta("varco_step_seconds_count{passo=\"registrazione\"}"),
        Some(1.0)
    );
    assert_eq!(conta("varco_commit_seconds_count{tipo=\"atti\"}"), Some(2.0));
    assert_eq!(conta("varco_commit_acts_sum{tipo=\"atti\"}"), Some(2.0));
    assert_eq!(conta("varco_writer_queue"), Some(0.0));
    // All that was read is counted; of what was refused on its way, as far as it had come.
    let interi = (2 * DOMANDA.len() + rifiutata.len()) as f64;
    let letti = conta("varco_request_bytes_total{canale=\"MODI\"}").unwrap();
    assert!(
        (interi..interi + senza_identity.len() as f64 + 2.0).contains(&letti),
        "{letti} {interi}"
    );
}

fn the_door_counts_whom_it_refused_and_why(archivio: Archivio) {
    let gateway = spawn(archivio);
    let url = format!(
        "https://localhost:{}/modi/soap/AssegnoTemporaneo/v1/",
        gateway.addr().port()
    );
    for _ in 0..3 {
        assert!(agent(None).get(&url).call().is_err());
    }
    assert_eq!(gateway.client("pat01").get("?wsdl").status, 200);
    let visto = until(&gateway, "varco_door_refused_total{codice=\"TLS-001\"}", 3.0);
    assert_eq!(
        visto["varco_door_accepted_total{ripresa=\"no\"}"]
            + visto["varco_door_accepted_total{ripresa=\"si\"}"],
        1.0
    );
    assert_eq!(visto[&messaggi("nessuno", "RISPOSTA")], 1.0);
    assert_eq!(visto["varco_connections_max"], 1024.0);
    let scade = visto["varco_certificate_expiry_timestamp_seconds{di=\"ente\",ente=\"PAT01\"}"];
    let server = visto["varco_certificate_expiry_timestamp_seconds{di=\"server\",ente=\"\"}"];
    let ca = visto["varco_certificate_expiry_timestamp_seconds{di=\"ca\",ente=\"\"}"];
    let ora = WallClock::default().wall().as_second() as f64;
    assert!(
        scade > ora && server > ora && ca >= server,
        "{scade} {server} {ca}"
    );
}

/// Two looks at what may change between them agree soon.
fn until_equal(uno: impl Fn() -> f64, altro: impl Fn() -> f64) {
    for _ in 0..200 {
        if uno() == altro() {
            return;
        }
        std::thread::sleep(Duration::from_millis(25));
    }
    assert_eq!(uno(), altro());
}

fn every_metric_of_the_table_is_told(archivio: Archivio) {
    let gateway = spawn(archivio);
    until(&gateway, "varco_ready", 1.0);
    for accept in ["", "Accept: application/openmetrics-text\r\n"] {
        let (_, testo) = ask_with(gateway.salute(), "GET", "/metrics", accept);
        for metrica in METRICHE {
            // What only a file has is not told of a database.
            let di_file = metrica.aiuto.starts_with("SQLite");
            let nome = match accept {
                "" => metrica.nome,
                _ => metrica.nome.trim_end_matches("_total"),
            };
            let riga = format!("# TYPE {nome} {}\n", metrica.tipo.as_str());
            let attesa = usize::from(!di_file || archivio == Archivio::Sqlite);
            assert_eq!(testo.matches(&riga).count(), attesa, "{riga}{testo}");
        }
        assert_eq!(testo.ends_with("# EOF\n"), !accept.is_empty());
        let dette = testo.lines().filter(|riga| riga.starts_with("# TYPE")).count();
        assert!(dette <= METRICHE.len(), "{testo}");
    }
    let visto = scrape(&gateway);
    assert_eq!(visto["varco_store_reachable"], 1.0);
    assert_eq!(visto["varco_store_fault{codice=\"STO-004\"}"], 0.0);
    assert!(visto["varco_store_schema_version"] >= 1.0);
    assert_eq!(visto["varco_lots{stato=\"in_attesa\"}"], 0.0);
    assert!(visto["process_resident_memory_bytes"] > 1e6);
    assert!(visto["process_open_fds"] > 3.0 && visto["process_cpu_seconds_total"] > 0.0);
    let avvio = WallClock::default().wall().as_second() as f64 - visto["process_start_time_seconds"];
    assert!((-2.0..3600.0).contains(&avvio), "{avvio}");
    if archivio == Archivio::Sqlite {
        // The log is folded into the file after a while, perhaps between the two looks.
        let file = gateway.dir.path().join("store.db");
        until_equal(
            || scrape(&gateway)["varco_store_file_bytes{file=\"archivio\"}"],
            || std::fs::metadata(&file).unwrap().len() as f64,
        );
        assert!(visto["varco_store_disk_bytes"] >= visto["varco_store_disk_free_bytes"]);
    }
    assert_eq!(ask_with(gateway.salute(), "POST", "/metrics", "").0, 405);
}

fn a_hostile_message_makes_no_label(archivio: Archivio) {
    let gateway = spawn(archivio);
    let client = gateway.client("pat01");
    // As a known and an unknown operation, by every name that a sender chooses, with a person in it.
    for veleno in ["RSSMRA80A01H501U", "x\"} 1\nvarco_ready 0"] {
        let busta = DOMANDA.replace("InviaDomanda", &veleno.replace(['"', '}', ' ', '\n'], ""));
        assert_eq!(client.post(busta.as_bytes()).status, 500);
        let testata = veleno.replace('\n', " ");
        client.post_with(
            DOMANDA.replace(">K-1<", ">RSSMRA80A01H501U<").as_bytes(),
            "GovWay-Message-ID",
            &testata,
        );
        let tipo = format!(
            "application/soap+xml; action=\"urn:{}\"",
            veleno.replace(['"', '\n'], "")
        );
        client.post_as(DOMANDA.as_bytes(), &tipo);
        assert_eq!(
            client
                .get_path(&format!("/modi/soap/{}/v1/", veleno.split('"').next().unwrap()))
                .status,
            404
        );
    }
    let visto = until(&gateway, "varco_messages_in_flight", 0.0);
    let testo = format!("{visto:?}");
    assert!(
        !testo.contains("RSSMRA") && !testo.contains("127.0.0.1") && !testo.contains("op.rossi"),
        "{testo}"
    );
    let messaggi = visto
        .keys()
        .filter(|nome| nome.starts_with("varco_messages_total"));
    assert_eq!(messaggi.count(), 5, "{visto:#?}");
}

fn a_store_that_is_gone_is_told_without_waiting(archivio: Archivio) {
    let gateway = spawn(archivio);
    until(&gateway, "varco_store_reachable", 1.0);
    let impedimento = take_away(&gateway, archivio);
    let visto = until(&gateway, "varco_store_fault{codice=\"STO-001\"}", 1.0);
    assert_eq!((visto["varco_ready"], visto["varco_store_reachable"]), (0.0, 0.0));
    let prima = Instant::now();
    scrape(&gateway);
    assert!(
        prima.elapsed() < Duration::from_millis(1500),
        "{:?}",
        prima.elapsed()
    );
    give_back(&gateway, impedimento);
    until(&gateway, "varco_ready", 1.0);
}
