//! Who is not let in, and whether the door log says why.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use crate::helpers::{Gateway, Setting, agent};

/// The codes of the door log, newest first, once there are `quanti`.
fn door_log(gateway: &Gateway, quanti: usize) -> Vec<String> {
    let until = Instant::now() + Duration::from_secs(10);
    loop {
        let rows = gateway.block_on(gateway.store().porta(None, 100)).unwrap();
        if rows.len() >= quanti || Instant::now() > until {
            assert!(rows.iter().all(|row| !row.rimedio.is_empty()), "{rows:?}");
            return rows.into_iter().map(|row| row.codice).collect();
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}

const LIMITI: &[u8] = include_bytes!("../messages/limiti/request.xml");

#[test]
fn every_refused_handshake_is_in_the_door_log_with_its_cause() {
    let gateway = Gateway::spawn(&Setting::default());
    let url = format!("https://localhost:{}/", gateway.addr().port());
    for (certificato, codice) in [
        (None, "TLS-001"),
        (Some("expired"), "TLS-003"),
        (Some("revoked"), "TLS-005"),
    ] {
        let prima = gateway.block_on(gateway.store().porta(None, 100)).unwrap().len();
        agent(certificato)
            .get(&url)
            .call()
            .expect_err("the door must stay shut");
        let codici = door_log(&gateway, prima + 1);
        assert_eq!(
            codici.first().map(String::as_str),
            Some(codice),
            "{certificato:?}"
        );
    }
    let mut plain = TcpStream::connect(gateway.addr()).unwrap();
    plain.write_all(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n").unwrap();
    let mut answer = Vec::new();
    let _ = plain.read_to_end(&mut answer);
    let codici = door_log(&gateway, 4);
    assert_eq!(codici.len(), 4, "{codici:?}");
    assert_eq!(
        gateway.client("pat01").post(LIMITI).status,
        200,
        "and the door still opens for who may"
    );
}

#[test]
fn a_stranger_learns_nothing_about_the_schema() {
    let gateway = Gateway::spawn(&Setting {
        solo: Some("pat01".into()),
        ..Setting::default()
    });
    let rotta =
        include_str!("../messages/domanda-registered/request.xml").replace("at:Operatore>", "at:Boh>");
    let reply = gateway.client("pat02").post(rotta.as_bytes());
    assert_eq!(reply.values("Codice"), ["ACC-001"]);
    assert!(
        !reply.text().contains("Boh") && !reply.text().contains("XSD-"),
        "{}",
        reply.text()
    );
}
