//! Whatever arrives is answered with an envelope, nothing of it is stored that is no domanda, and the server lives on.

use varco::store::Ricerca;

use crate::helpers::{Archivio, FINE_DEI_TEMPI, Gateway, Setting, on_both_stores};
use crate::trace::tracce;

on_both_stores! {
    a_wounded_message_gets_an_envelope_and_the_server_lives_on,
    a_panic_on_the_way_is_answered_and_traced_as_our_own_fault,
}

const BUONA: &[u8] = include_bytes!("../messages/domanda-registered/request.xml");

/// A small generator of our own: the same bytes in every run, so that a failure can be looked at.
struct Dado(u64);

impl Dado {
    fn below(&mut self, n: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        usize::try_from((self.0 >> 33) % n as u64).unwrap()
    }
}

/// One to four small wounds: a byte changed, a piece cut out, doubled, or moved.
fn wounded(dado: &mut Dado) -> Vec<u8> {
    let mut bytes = BUONA.to_vec();
    for _ in 0..=dado.below(4) {
        let at = dado.below(bytes.len());
        let end = (at + 1 + dado.below(40)).min(bytes.len());
        match dado.below(4) {
            0 => bytes[at] = u8::try_from(dado.below(256)).unwrap(),
            1 => drop(bytes.drain(at..end)),
            2 => {
                let piece = bytes[at..end].to_vec();
                bytes.splice(at..at, piece);
            }
            _ => {
                let piece: Vec<u8> = bytes.drain(at..end).collect();
                let to = dado.below(bytes.len());
                bytes.splice(to..to, piece);
            }
        }
    }
    bytes
}

fn a_wounded_message_gets_an_envelope_and_the_server_lives_on(archivio: Archivio) {
    let gateway = Gateway::spawn(&Setting::on(archivio));
    let client = gateway.client("pat01");
    let mut dado = Dado(20_261_122);
    let mut registrate = 0;
    for giro in 0..400 {
        let message = wounded(&mut dado);
        let reply = client.post(&message);
        let testo = reply.text();
        assert!(
            matches!(reply.status, 200 | 500) && testo.contains("Envelope>"),
            "round {giro}: {} {testo}\n{}",
            reply.status,
            String::from_utf8_lossy(&message)
        );
        if reply.status == 500 {
            assert!(
                !reply.values("Codice").is_empty(),
                "round {giro}: a fault names its code: {testo}"
            );
            assert!(
                !testo.contains("XSD-099") && !testo.contains("SYS-"),
                "round {giro}: {testo}"
            );
        }
        registrate += u64::from(reply.value("Ripetizione").as_deref() == Some("false"));
    }
    let verifica = gateway.block_on(gateway.store().verify()).unwrap();
    assert_eq!(
        (verifica.registrazioni, verifica.anomalie),
        (registrate, Vec::new())
    );
    assert_eq!(client.get("?wsdl").status, 200);
}

#[test]
fn what_grows_without_end_is_cut_at_its_named_limit() {
    let gateway = Gateway::spawn(&Setting::default());
    let client = gateway.client("pat01");
    let testo = String::from_utf8(BUONA.to_vec()).unwrap();
    let inside = |piece: String| testo.replace("<at:Operatore>", &format!("{piece}<at:Operatore>"));
    let deep = inside(format!("{}{}", "<at:x>".repeat(100), "</at:x>".repeat(100)));
    let wide = inside(format!(
        "<at:x {}/>",
        (0..100)
            .map(|n| format!("a{n}=\"\""))
            .collect::<Vec<_>>()
            .join(" ")
    ));
    let header = testo.replace(
        "<env:Header>",
        &format!("<env:Header>{}", "<a xmlns=\"urn:a\"/>".repeat(100)),
    );
    let head = testo.replace(
        "<env:Header>",
        &format!("<env:Header><!--{}-->", "x".repeat(70_000)),
    );
    for (message, cosa) in [
        (deep, "depth"),
        (wide, "attributes"),
        (header, "header blocks"),
        (head, "head bytes"),
    ] {
        let reply = client.post(message.as_bytes());
        assert_eq!(reply.status, 500, "{cosa}: {}", reply.text());
        let codice = reply.value("Codice").unwrap();
        assert!(codice.starts_with("ENV-"), "{cosa}: {codice}");
    }
}

fn a_panic_on_the_way_is_answered_and_traced_as_our_own_fault(archivio: Archivio) {
    let gateway = Gateway::spawn(&Setting::on(archivio));
    let client = gateway.client("pat01");
    gateway.clock.set(FINE_DEI_TEMPI.parse().unwrap());
    let reply = client.post(BUONA);
    assert_eq!(reply.status, 503, "{}", reply.text());
    assert_eq!(
        reply.value("Codice").as_deref(),
        Some("SYS-001"),
        "{}",
        reply.text()
    );

    // The same key is free, and the next message finds everything in order.
    gateway.clock.set("2021-07-15T10:00:00Z".parse().unwrap());
    let reply = client.post(BUONA);
    assert_eq!(
        reply.value("Protocollo").as_deref(),
        Some("INPS-AUF-2021-000000000001"),
        "{}",
        reply.text()
    );
    let tracce = tracce(&gateway, &Ricerca::default(), 2);
    let esiti: Vec<_> = tracce.iter().map(|traccia| traccia.esito.as_str()).collect();
    assert_eq!(esiti, ["REGISTRATA", "FAULT"]);
}
