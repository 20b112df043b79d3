//! The trial door: whoever is refused at the door hears why, in the form they asked for, and nobody gets past it.

use std::process::Command;

use varco::config::Config;

use crate::door::self_made;
use crate::helpers::{
    Archivio, Gateway, Reply, SOAP_12, Setting, agent, agent_with, certs, on_both_stores, reply,
};
use crate::salute::ask_with;

on_both_stores! {
    whoever_the_door_refuses_is_told_why,
    whoever_has_not_joined_or_may_not_is_told_so,
    nothing_that_is_sent_here_reaches_the_intake,
}

const SEZIONE: &str = "[porta_di_prova]\nindirizzo = \"127.0.0.1:0\"\ncorpo_bytes_max = 100000\n";
const DOMANDA: &[u8] = include_bytes!("../messages/domanda-registered/request.xml");

fn setting(archivio: Archivio) -> Setting {
    Setting {
        salute: Some(SEZIONE.to_owned()),
        ..Setting::on(archivio)
    }
}

fn url(gateway: &Gateway) -> String {
    format!("https://localhost:{}/qualunque/cosa", gateway.prova().port())
}

/// Asks as a person does.
fn ask(gateway: &Gateway, agent: &ureq::Agent) -> Reply {
    reply(agent.get(url(gateway)).call().unwrap())
}

fn refused(reply: &Reply, codice: &str) {
    let testo = reply.text();
    assert_eq!(reply.status, 403, "{testo}");
    assert!(testo.starts_with(&format!("RIFIUTATO {codice}: ")), "{testo}");
    assert!(
        testo.contains(&format!("\nRefused, {codice}: ")) && testo.contains("\nChe cosa fare: "),
        "{testo}"
    );
    assert!(!testo.contains('{'), "{testo}");
}

fn whoever_the_door_refuses_is_told_why(archivio: Archivio) {
    let gateway = Gateway::spawn(&setting(archivio));
    for (certificato, codice) in [
        (None, "TLS-001"),
        (Some("expired"), "TLS-003"),
        (Some("revoked"), "TLS-005"),
    ] {
        refused(&ask(&gateway, &agent(certificato)), codice);
    }
    let (pem, key) = self_made();
    let ignoto = ask(&gateway, &agent_with(Some((&pem, &key))));
    refused(&ignoto, "TLS-002");
    assert!(
        ignoto.text().contains("certificato  CN=altra\n"),
        "{}",
        ignoto.text()
    );

    let ammesso = ask(&gateway, &agent(Some("pat01")));
    assert_eq!(ammesso.status, 200, "{}", ammesso.text());
    assert!(
        ammesso.text().starts_with("AMMESSO come PAT01: ")
            && ammesso.text().contains("You would be admitted as PAT01.")
            && ammesso.text().contains("certificato  CN=pat01,"),
        "{}",
        ammesso.text()
    );
    // A reload is obeyed: the door and its trial never say two things.
    let file = gateway.dir().join("adesioni.toml");
    let adesioni = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, adesioni.replacen("\"attivo\"", "\"sospeso\"", 1)).unwrap();
    gateway.reload();
    refused(&ask(&gateway, &agent(Some("pat01"))), "ACC-002");
    curl_hears_it(&gateway);
}

/// What most people have at hand.
fn curl_hears_it(gateway: &Gateway) {
    let uscita = Command::new("curl")
        .args(["-sS", "--cacert"])
        .arg(certs().join("ca.pem"))
        .arg(url(gateway))
        .output();
    let Ok(uscita) = uscita else {
        return; // No curl here.
    };
    let detto = String::from_utf8_lossy(&uscita.stdout);
    assert!(
        detto.starts_with("RIFIUTATO TLS-001: nessun certificato client presentato.\n"),
        "{detto}{}",
        String::from_utf8_lossy(&uscita.stderr)
    );
}

#[test]
fn visits_are_counted_by_what_they_were_told() {
    let gateway = Gateway::spawn(&Setting {
        salute: Some(format!("{SEZIONE}[salute]\nindirizzo = \"127.0.0.1:0\"\n")),
        ..Setting::default()
    });
    refused(&ask(&gateway, &agent(None)), "TLS-001");
    for _ in 0..2 {
        refused(&ask(&gateway, &agent(Some("revoked"))), "TLS-005");
    }
    assert_eq!(ask(&gateway, &agent(Some("pat01"))).status, 200);
    let (_, testo) = ask_with(gateway.salute(), "GET", "/metrics", "");
    let contate: Vec<&str> = testo
        .lines()
        .filter_map(|riga| riga.strip_prefix("varco_trial_door_total"))
        .collect();
    assert_eq!(
        contate,
        [
            "{codice=\"\"} 1",
            "{codice=\"TLS-001\"} 1",
            "{codice=\"TLS-005\"} 2"
        ]
    );
    // It is not the door: nobody was refused there.
    assert!(!testo.contains("varco_door_refused_total{"), "{testo}");
}

fn whoever_has_not_joined_or_may_not_is_told_so(archivio: Archivio) {
    let casi: [(&str, &str, Setting); 3] = [
        (
            "pat02",
            "ACC-001",
            Setting {
                solo: Some("pat01".to_owned()),
                ..setting(archivio)
            },
        ),
        (
            "pat01",
            "ACC-002",
            Setting {
                stato: Some("sospeso".to_owned()),
                ..setting(archivio)
            },
        ),
        (
            "pat01",
            "ACC-004",
            Setting {
                indirizzi: Some("192.0.2.0/24".to_owned()),
                ..setting(archivio)
            },
        ),
    ];
    for (certificato, codice, setting) in casi {
        let gateway = Gateway::spawn(&setting);
        refused(&ask(&gateway, &agent(Some(certificato))), codice);
        let json = agent(Some(certificato))
            .get(url(&gateway))
            .header("Accept", "application/json")
            .call()
            .unwrap();
        let json: serde_json::Value = serde_json::from_str(&reply(json).text()).unwrap();
        assert_eq!(json["ammesso"], false);
        assert_eq!(json["errore"]["codice"], codice);
        assert_eq!(json["indirizzo"], "127.0.0.1");
        assert_eq!(json["tls"], "TLSv1.3");
        assert!(
            json["certificato"]["soggetto"]
                .as_str()
                .unwrap()
                .contains(certificato)
        );
    }
}

fn nothing_that_is_sent_here_reaches_the_intake(archivio: Archivio) {
    let gateway = Gateway::spawn(&setting(archivio));
    let post = |certificato: Option<&str>, tipo: &str, corpo: &[u8]| {
        let inviata = agent(certificato)
            .post(url(&gateway))
            .header("Content-Type", tipo)
            .send(corpo);
        reply(inviata.unwrap())
    };
    // A SOAP client is told by a fault, in its own version, even that all is well.
    let ammesso = post(Some("pat01"), SOAP_12, DOMANDA);
    assert_eq!(ammesso.status, 500, "{}", ammesso.text());
    assert_eq!(ammesso.values("Codice"), ["TLS-019"]);
    assert!(ammesso.text().contains("env:Sender") && ammesso.text().contains("PAT01 sarebbe ammesso"));
    let senza = post(None, "text/xml; charset=UTF-8", DOMANDA);
    assert_eq!(senza.values("Codice"), ["TLS-001"]);
    assert!(senza.text().contains("faultcode"), "{}", senza.text());
    assert!(
        senza.content_type.starts_with("text/xml"),
        "{}",
        senza.content_type
    );
    let lungo = post(Some("pat01"), SOAP_12, &vec![b'x'; 100_001]);
    assert_eq!(lungo.status, 413, "{}", lungo.text());
    // No registration, and the same key is new at the door.
    let verifica = gateway.block_on(gateway.store().verify()).unwrap();
    assert_eq!((verifica.registrazioni, verifica.anomalie), (0, Vec::new()));
    let vera = gateway.client("pat01").post(DOMANDA);
    assert_eq!(
        vera.value("Ripetizione").as_deref(),
        Some("false"),
        "{}",
        vera.text()
    );
}

#[test]
fn in_produzione_there_is_none() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("varco.toml");
    for (ambiente, va) in [("collaudo", true), ("produzione", false)] {
        let testo = format!("ambiente = \"{ambiente}\"\n[porta_di_prova]\nindirizzo = \"127.0.0.1:0\"\n");
        std::fs::write(&file, testo).unwrap();
        let letto = Config::load(&file, &Vec::new());
        assert_eq!(letto.is_ok(), va, "{ambiente}");
        if let Err(errore) = letto {
            assert!(
                errore
                    .to_string()
                    .contains("in produzione non c'è porta di prova"),
                "{errore}"
            );
        }
    }
}
