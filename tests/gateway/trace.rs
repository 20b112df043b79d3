//! A row for every message and every refusal.

use std::time::{Duration, Instant};

use varco::store::Ricerca;
use varco::trace::Traccia;

use crate::helpers::{Archivio, Gateway, Setting, on_both_stores};

on_both_stores! {
    every_message_leaves_a_row_and_its_bytes,
    a_suspended_ente_is_found_by_its_code,
    a_fault_names_the_message_that_the_trace_knows,
}

pub(crate) fn tracce(gateway: &Gateway, ricerca: &Ricerca, quante: usize) -> Vec<Traccia> {
    let until = Instant::now() + Duration::from_secs(10);
    loop {
        let found = gateway.block_on(gateway.store().tracce(ricerca)).unwrap().righe;
        if found.len() >= quante || Instant::now() > until {
            return found;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn every_message_leaves_a_row_and_its_bytes(archivio: Archivio) {
    let gateway = Gateway::spawn(&Setting::on(archivio));
    let client = gateway.client("pat01");
    let buona = include_bytes!("../messages/domanda-registered/request.xml");
    let rotta = include_str!("../messages/five-faults-of-form/request.xml").replace(">K-1<", ">K-5<");
    let rotta = rotta.as_bytes();
    let registrata = client.post(buona);
    client.post(buona);
    client.post(rotta);
    client.get("?wsdl");
    client.put();
    let all = tracce(
        &gateway,
        &Ricerca {
            limite: 100,
            ..Ricerca::default()
        },
        5,
    );
    assert_eq!(all.len(), 5);
    let esiti: Vec<&str> = all.iter().rev().map(|traccia| traccia.esito.as_str()).collect();
    assert_eq!(
        esiti,
        ["REGISTRATA", "RIPETUTA", "FAULT", "RISPOSTA", "RIFIUTATA_HTTP"]
    );

    let protocollo = registrata.value("Protocollo").unwrap();
    let ricerca = Ricerca {
        protocollo: protocollo.parse().ok(),
        limite: 100,
        ..Ricerca::default()
    };
    let of_number = tracce(&gateway, &ricerca, 2);
    assert_eq!(of_number.len(), 2, "the registration and its repetition");
    let prima = of_number.last().unwrap();
    assert_eq!(
        prima.richiesta.as_deref(),
        Some(&buona[..]),
        "the payload lies with the registration"
    );
    assert_eq!(
        (prima.ente.as_deref(), prima.user_id.as_deref()),
        (Some("PAT01"), Some("op.rossi"))
    );
    assert_eq!(prima.codice_ufficio.as_deref(), Some("001"));
    let passi: Vec<&str> = prima.tempi_us.iter().map(|(passo, _)| *passo).collect();
    assert!(
        passi.starts_with(&["busta", "accesso", "ricezione", "lettura"]),
        "{passi:?}"
    );

    let ricerca = Ricerca {
        codice: Some("XSD-001".into()),
        limite: 100,
        ..Ricerca::default()
    };
    let rifiutate = tracce(&gateway, &ricerca, 1);
    assert_eq!(rifiutate.len(), 1);
    assert_eq!(rifiutate[0].richiesta.as_deref(), Some(rotta));
    assert_eq!(rifiutate[0].codici.len(), 5);
}

fn a_suspended_ente_is_found_by_its_code(archivio: Archivio) {
    let gateway = Gateway::spawn(&Setting {
        stato: Some("sospeso".into()),
        ..Setting::on(archivio)
    });
    gateway
        .client("pat01")
        .post(include_bytes!("../messages/limiti/request.xml"));
    let ricerca = Ricerca {
        ente: Some("PAT01".into()),
        limite: 10,
        ..Ricerca::default()
    };
    let found = tracce(&gateway, &ricerca, 1);
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].codice.as_deref(), Some("ACC-002"));
}

fn a_fault_names_the_message_that_the_trace_knows(archivio: Archivio) {
    let gateway = Gateway::spawn(&Setting::on(archivio));
    let reply = gateway
        .client("pat01")
        .post(include_bytes!("../messages/identity-missing/request.xml"));
    let id = reply.value("IdMessaggio").unwrap();
    assert_eq!(reply.header("varco-message-id"), Some(id.as_str()));
    let ricerca = Ricerca {
        message_id: id.parse().ok(),
        limite: 10,
        ..Ricerca::default()
    };
    let found = tracce(&gateway, &ricerca, 1);
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].codice.as_deref(), Some("IDN-001"));
}
