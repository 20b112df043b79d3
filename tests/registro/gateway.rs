//! What a patronato sees of it, over the wire.

use crate::comando::register;
use crate::helpers::{Gateway, Setting};

/// The good domanda of tests/messages.
const DOMANDA: &str = include_str!("../messages/domanda-registered/request.xml");

#[test]
fn a_retry_of_the_annulled_gets_the_receipt_of_then_and_is_told_so() {
    let gateway = Gateway::spawn(&Setting::default());
    let client = gateway.client("pat01");
    let prima = client.post(DOMANDA.as_bytes());
    let protocollo = prima.value("Protocollo").unwrap();
    assert_eq!(prima.value("Annullata").as_deref(), Some("false"));

    let annullata = register(
        &gateway.dir.path().join("varco.toml"),
        &[
            "annul",
            &protocollo,
            "--motivo",
            "inviata per errore",
            "--provvedimento",
            "12/2021",
            "--provvedimento-data",
            "2021-07-15",
            "--operatore",
            "m.verdi",
        ],
    );
    assert_eq!(annullata.codice, 0, "{}", annullata.errori);

    let ancora = client.post(DOMANDA.as_bytes());
    let ricevuta = |testo: &str| {
        let (_, dopo) = testo.split_once("<Ricevuta").unwrap();
        dopo.split_once("</Ricevuta>").unwrap().0.to_owned()
    };
    assert_eq!(ancora.status, 200);
    assert_eq!(ricevuta(&ancora.text()), ricevuta(&prima.text()));
    assert_eq!(
        (
            ancora.value("Ripetizione").as_deref(),
            ancora.value("Annullata").as_deref()
        ),
        (Some("true"), Some("true"))
    );
    // Its children may be asked for again, under another key and another number.
    let nuova = client.post(DOMANDA.replace(">K-1<", ">K-2<").as_bytes());
    assert_eq!(
        nuova.value("Protocollo").as_deref(),
        Some("INPS-AUF-2021-000000000002"),
        "{}",
        nuova.text()
    );
}

#[test]
fn while_the_emergency_register_is_open_a_new_domanda_is_told_to_come_back() {
    let gateway = Gateway::spawn(&Setting::default());
    let client = gateway.client("pat01");
    let config = gateway.dir.path().join("varco.toml");
    assert_eq!(client.post(DOMANDA.as_bytes()).status, 200);
    let aperta = register(
        &config,
        &[
            "emergency",
            "open",
            "--causa",
            "guasto",
            "--provvedimento",
            "7/2021",
            "--provvedimento-data",
            "2021-07-15",
            "--operatore",
            "m.verdi",
        ],
    );
    assert_eq!(aperta.codice, 0, "{}", aperta.errori);

    let nuova = DOMANDA
        .replace(">K-1<", ">K-2<")
        .replace("BBBRRR14A01A001X", "MTTGLI15A01H501R")
        .replace("BNCNNA10T45H501Y", "MTTLNA16B41H501I");
    let ferma = client.post(nuova.as_bytes());
    assert_eq!(ferma.status, 503, "{}", ferma.text());
    assert_eq!(
        ferma.value("Codice").as_deref(),
        Some("PRO-001"),
        "{}",
        ferma.text()
    );
    assert!(ferma.text().contains("Receiver"), "{}", ferma.text());
    assert!(ferma.header("retry-after").is_some());
    let ancora = client.post(DOMANDA.as_bytes());
    assert_eq!(
        (ancora.status, ancora.value("Ripetizione").as_deref()),
        (200, Some("true"))
    );

    let chiusa = register(&config, &["emergency", "close", "--operatore", "m.verdi"]);
    assert_eq!(chiusa.codice, 0, "{}", chiusa.errori);
    let presa = client.post(nuova.as_bytes());
    assert_eq!(
        presa.value("Protocollo").as_deref(),
        Some("INPS-AUF-2021-000000000002"),
        "{}",
        presa.text()
    );
}
