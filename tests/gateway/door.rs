//! Who is not let in, and whether the door log says why.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use crate::helpers::{Archivio, Gateway, Setting, agent, agent_with, on_both_stores};

on_both_stores! {
    every_refused_handshake_is_in_the_door_log_with_its_cause,
    a_certificate_made_by_its_own_hand_comes_from_no_recognised_ca,
}

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

fn every_refused_handshake_is_in_the_door_log_with_its_cause(archivio: Archivio) {
    let gateway = Gateway::spawn(&Setting::on(archivio));
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

/// A certificate that vouches for itself, with its key, in PEM.
pub(crate) fn self_made() -> (Vec<u8>, Vec<u8>) {
    use openssl::asn1::Asn1Time;
    use openssl::ec::{EcGroup, EcKey};
    use openssl::nid::Nid;
    use openssl::pkey::PKey;
    use openssl::x509::extension::BasicConstraints;
    use openssl::x509::{X509, X509Name};

    let group = EcGroup::from_curve_name(Nid::X9_62_PRIME256V1).unwrap();
    let key = PKey::from_ec_key(EcKey::generate(&group).unwrap()).unwrap();
    let mut name = X509Name::builder().unwrap();
    name.append_entry_by_text("CN", "altra").unwrap();
    let name = name.build();
    let mut builder = X509::builder().unwrap();
    builder.set_version(2).unwrap();
    builder.set_subject_name(&name).unwrap();
    builder.set_issuer_name(&name).unwrap();
    builder.set_pubkey(&key).unwrap();
    builder
        .set_not_before(&Asn1Time::days_from_now(0).unwrap())
        .unwrap();
    builder
        .set_not_after(&Asn1Time::days_from_now(30).unwrap())
        .unwrap();
    builder
        .append_extension(BasicConstraints::new().critical().ca().build().unwrap())
        .unwrap();
    builder
        .sign(&key, openssl::hash::MessageDigest::sha256())
        .unwrap();
    let pem = builder.build().to_pem().unwrap();
    (pem, key.private_key_to_pem_pkcs8().unwrap())
}

fn a_certificate_made_by_its_own_hand_comes_from_no_recognised_ca(archivio: Archivio) {
    let gateway = Gateway::spawn(&Setting::on(archivio));
    let url = format!("https://localhost:{}/", gateway.addr().port());
    let (pem, key) = self_made();
    agent_with(Some((&pem, &key)))
        .get(&url)
        .call()
        .expect_err("the door must stay shut");
    assert_eq!(door_log(&gateway, 1), ["TLS-002"]);
}
