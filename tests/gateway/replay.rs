//! Retry-safe: what was told once is told again, and never another number.

use std::collections::BTreeSet;
use std::thread;

use crate::helpers::{Archivio, Gateway, Setting, on_both_stores};

on_both_stores! {
    two_hundred_copies_at_once_get_one_number,
    a_refusal_does_not_burn_its_key_and_consumes_no_number,
    a_retry_after_a_restart_and_after_the_window_closed_gets_its_number,
    two_enti_may_use_the_same_key,
    the_year_of_a_number_turns_at_midnight_in_rome,
}

/// The good domanda of tests/messages, under another key and with other children.
fn domanda(chiave: &str) -> String {
    include_str!("../messages/domanda-registered/request.xml").replace(">K-1<", &format!(">{chiave}<"))
}

fn two_hundred_copies_at_once_get_one_number(archivio: Archivio) {
    let gateway = Gateway::spawn(&Setting::on(archivio));
    let request = domanda("K-200");
    let replies: Vec<(String, Option<String>, String)> = thread::scope(|scope| {
        let senders: Vec<_> = (0..20)
            .map(|_| {
                scope.spawn(|| {
                    let client = gateway.client("pat01");
                    (0..10)
                        .map(|_| {
                            let reply = client.post(request.as_bytes());
                            assert_eq!(reply.status, 200, "{}", reply.text());
                            let testo = reply.text();
                            let ricevuta =
                                &testo[testo.find("<Ricevuta").unwrap()..testo.find("</Ricevuta>").unwrap()];
                            (
                                reply.value("Protocollo").unwrap(),
                                reply.value("Ripetizione"),
                                ricevuta.to_owned(),
                            )
                        })
                        .collect::<Vec<_>>()
                })
            })
            .collect();
        senders
            .into_iter()
            .flat_map(|sender| sender.join().unwrap())
            .collect()
    });
    assert_eq!(replies.len(), 200);
    let numeri: BTreeSet<_> = replies.iter().map(|(protocollo, ..)| protocollo).collect();
    assert_eq!(
        numeri.into_iter().collect::<Vec<_>>(),
        ["INPS-AUF-2021-000000000001"]
    );
    let ricevute: BTreeSet<_> = replies.iter().map(|(_, _, ricevuta)| ricevuta).collect();
    assert_eq!(
        ricevute.len(),
        1,
        "the receipt's bytes are equal at every repetition"
    );
    let prime = replies
        .iter()
        .filter(|(_, ripetizione, _)| ripetizione.as_deref() != Some("true"))
        .count();
    assert_eq!(prime, 1, "one is the first, 199 are repetitions");
}

fn a_refusal_does_not_burn_its_key_and_consumes_no_number(archivio: Archivio) {
    let gateway = Gateway::spawn(&Setting::on(archivio));
    let client = gateway.client("pat01");
    let buona = domanda("K-9");
    let senza_affido = buona.replacen("<at:AffidoCondiviso>true", "<at:AffidoCondiviso>false", 1);
    let senza_operatore = buona.replace("<at:Operatore>op.rossi</at:Operatore>", "");
    let rifiutata = client.post(senza_affido.as_bytes());
    assert_eq!(
        (rifiutata.status, rifiutata.value("Esito").as_deref()),
        (200, Some("RIFIUTATA"))
    );
    assert_eq!(rifiutata.value("Codice").as_deref(), Some("AT-001"));
    assert_eq!(client.post(senza_operatore.as_bytes()).status, 500);
    let presa = client.post(buona.as_bytes());
    assert_eq!(
        presa.value("Protocollo").as_deref(),
        Some("INPS-AUF-2021-000000000001")
    );
    assert_eq!(presa.value("Ripetizione").as_deref().unwrap_or("false"), "false");
}

fn a_retry_after_a_restart_and_after_the_window_closed_gets_its_number(archivio: Archivio) {
    let gateway = Gateway::spawn(&Setting {
        ambiente: Some("produzione".into()),
        ..Setting::on(archivio)
    });
    let request = domanda("K-7");
    let prima = gateway.client("pat01").post(request.as_bytes());
    let protocollo = prima.value("Protocollo").unwrap();
    let dir = gateway.stop();
    let dopo = Setting {
        ambiente: Some("produzione".into()),
        orologio: Some("2022-03-01T10:00:00Z".into()),
        ..Setting::on(archivio)
    };
    let gateway = Gateway::spawn_in(dir, &dopo);
    let ancora = gateway.client("pat01").post(request.as_bytes());
    assert_eq!(ancora.value("Protocollo"), Some(protocollo));
    assert_eq!(ancora.value("Ripetizione").as_deref(), Some("true"));
    let altra = gateway.client("pat01").post(domanda("K-8").as_bytes());
    assert_eq!(altra.value("Esito").as_deref(), Some("RIFIUTATA"));
    assert!(
        altra.values("Codice").contains(&"FIN-001".to_owned()),
        "{}",
        altra.text()
    );
}

fn two_enti_may_use_the_same_key(archivio: Archivio) {
    let gateway = Gateway::spawn(&Setting::on(archivio));
    let prima = gateway.client("pat01").post(domanda("K-1").as_bytes());
    assert_eq!(
        prima.value("Protocollo").as_deref(),
        Some("INPS-AUF-2021-000000000001")
    );
    let altra = domanda("K-1")
        .replace("<at:Codice>PAT01", "<at:Codice>PAT02")
        .replace("BBBRRR14A01A001X", "BNCGLI22C55F205L")
        .replace("BNCNNA10T45H501Y", "BNCLCU04M15H501H");
    let seconda = gateway.client("pat02").post(altra.as_bytes());
    assert_ne!(
        seconda.value("Codice").as_deref(),
        Some("RPL-001"),
        "{}",
        seconda.text()
    );
}

fn the_year_of_a_number_turns_at_midnight_in_rome(archivio: Archivio) {
    let setting = Setting {
        orologio: Some("2021-12-31T22:59:59Z".into()),
        ..Setting::on(archivio)
    };
    let gateway = Gateway::spawn(&setting);
    let client = gateway.client("pat01");
    let vecchio = client.post(domanda("K-1").as_bytes());
    assert_eq!(
        vecchio.value("Protocollo").as_deref(),
        Some("INPS-AUF-2021-000000000001")
    );
    gateway.clock.set("2021-12-31T23:00:00Z".parse().unwrap());
    let altra = domanda("K-2")
        .replace("BBBRRR14A01A001X", "MTTGLI15A01H501R")
        .replace("BNCNNA10T45H501Y", "MTTLNA16B41H501I");
    let nuovo = client.post(altra.as_bytes());
    assert_eq!(nuovo.value("NumeroDomanda").as_deref(), Some("2"));
    assert_eq!(
        nuovo.value("Protocollo").as_deref(),
        Some("INPS-AUF-2022-000000000001")
    );
}
