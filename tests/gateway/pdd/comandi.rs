//! The commands that go with the channel, over a gateway at work: what `varco sample --pdd` writes is taken, what `varco
//! send --pdd` sends is told, and `varco trace egov` writes XML that a schema takes.

use std::path::Path;
use std::process::Command;

use super::busta::{Busta, Forma, envelope, forma, identificatore};
use super::scambi;
use crate::helpers::{Archivio, Gateway, Setting, certs, on_both_stores};

on_both_stores! {
    what_the_commands_write_is_taken_and_told,
    the_trace_is_xml_whatever_a_message_bound_outside_its_header,
}

fn varco(args: &[&str]) -> (i32, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_varco"))
        .args(args)
        .output()
        .unwrap();
    let detto = [output.stdout, output.stderr].concat();
    (output.status.code().unwrap(), String::from_utf8(detto).unwrap())
}

fn what_the_commands_write_is_taken_and_told(archivio: Archivio) {
    let gateway = Gateway::spawn(&Setting::on(archivio));
    let file = |nome: &str| gateway.dir.path().join(nome).display().to_string();
    let (busta, nuda) = (file("busta.xml"), file("nuda.xml"));
    let giorno = ["--data", "2021-07-10", "--semplice"];
    let (codice, detto) = varco(&[&["sample", "--pdd", "--seme", "7", "-o", &busta][..], &giorno].concat());
    assert_eq!(codice, 0, "{detto}");
    let (codice, detto) = varco(
        &[
            &["sample", "--senza-busta", "--seme", "8", "-o", &nuda][..],
            &giorno,
        ]
        .concat(),
    );
    assert_eq!(codice, 0, "{detto}");
    let reply = gateway.porta("pat01").post_busta(&std::fs::read(&busta).unwrap());
    assert_eq!(forma(&reply), Forma::Risposta(Vec::new()), "{}", reply.text());
    assert_eq!(
        reply.value("Esito").as_deref(),
        Some("REGISTRATA"),
        "{}",
        reply.text()
    );

    let url = format!("https://localhost:{}", gateway.addr().port());
    let (cert, ca) = (certs().join("pat01.pem"), certs().join("ca.pem"));
    let come = [
        "--url",
        &url,
        "--cert",
        cert.to_str().unwrap(),
        "--ca",
        ca.to_str().unwrap(),
    ];
    let send = |file: &str| varco(&[&["send", file, "--pdd"][..], &come].concat());
    let (codice, detto) = send(&nuda);
    assert_eq!(codice, 0, "{detto}");
    assert!(detto.contains("INPS-AUF-2021-000000000002"), "{detto}");
    // Sent again it is in another busta: the same number. The whole busta goes as it is: a duplicate, which is told.
    let (codice, detto) = send(&nuda);
    assert_eq!(codice, 0, "{detto}");
    assert!(detto.contains("INPS-AUF-2021-000000000002"), "{detto}");
    let (codice, detto) = send(&busta);
    assert_eq!(codice, 65, "{detto}");
    assert!(
        detto.contains("EGOV_IT_110 Messaggio/Identificatore (GRAVE)"),
        "{detto}"
    );
}

fn the_trace_is_xml_whatever_a_message_bound_outside_its_header(archivio: Archivio) {
    let gateway = Gateway::spawn(&Setting::on(archivio));
    let porta = gateway.porta("pat01");
    // The header's prefix is bound at the envelope, and `t` to something else.
    let legame = " xmlns:eGov_IT=\"http://www.cnipa.it/schemas/2003/eGovIT/Busta1_0/\"";
    let fuori = Busta::echo(1).testo().replacen(legame, "", 1).replacen(
        "<soapenv:Envelope",
        &format!("<soapenv:Envelope xmlns:t=\"urn:t\"{legame}"),
        1,
    );
    assert_eq!(
        forma(&porta.post_busta(fuori.as_bytes())),
        Forma::Risposta(Vec::new())
    );
    assert_eq!(
        forma(&porta.post_busta(&Busta::echo(2).bytes())),
        Forma::Risposta(Vec::new())
    );
    assert_eq!(
        forma(&porta.post_busta(envelope("", "<a/>").as_bytes())),
        Forma::A
    );
    scambi(&gateway, 3);
    let dir = gateway.stop();
    let config = dir.path().join("varco.toml").display().to_string();
    let xml = dir.path().join("tracce.xml");
    let egov = |altro: &[&str]| {
        let comuni = ["trace", "egov", "-o", xml.to_str().unwrap(), "--config", &config];
        let (codice, detto) = varco(&[&comuni[..], altro].concat());
        assert_eq!(codice, 0, "{detto}");
        let testo = std::fs::read_to_string(&xml).unwrap();
        check(&xml);
        let quanti = |nome: &str| testo.matches(nome).count();
        (
            quanti(":TipoMessaggio>Richiesta<"),
            quanti(":TipoMessaggio>Risposta<"),
            quanti("<d:MessaggioDiagnostico"),
        )
    };
    assert_eq!(egov(&[]), (2, 2, 1));
    assert_eq!(egov(&["--parte", "PatronatoUno"]), (2, 2, 0));
    assert_eq!(egov(&["--parte", "PatronatoDue"]), (0, 0, 0));
    assert_eq!(egov(&["--id", &identificatore(2)]), (1, 1, 0));
    assert_eq!(egov(&["--riferimento", &identificatore(2)]), (0, 1, 0));
    assert_eq!(egov(&["--al", "2021-01-01"]), (0, 0, 0));
    assert_eq!(egov(&["--dal", "2021-01-01"]), (2, 2, 1));
}

/// Whether a document is well-formed with all its prefixes bound, by a reader that is not ours; where there is none, says so.
fn check(xml: &Path) {
    match Command::new("xmllint").arg("--noout").arg(xml).output() {
        Ok(output) => assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        ),
        Err(errore) => eprintln!("xmllint is missing ({errore}): the export was not looked at by it"),
    }
    let limits = varco::xml::Limits {
        elements_max: usize::MAX,
        ..varco::xml::Limits::default()
    };
    let bytes = std::fs::read(xml).unwrap();
    let mut reader = varco::xml::Reader::new(&bytes, &limits);
    while !matches!(reader.next().unwrap(), varco::xml::Token::Eof) {}
}
