//! The engine as a process of its own beside the gateway: what it decides is what the patronato is told.

use std::process::Command;

use crate::helpers::{Archivio, Client, Gateway, Setting, on_both_stores};

on_both_stores! {
    what_the_engine_decides_the_patronato_is_told_in_order,
}

const DOMANDA: &str = include_str!("../messages/domanda-registered/request.xml");
const VARIAZIONI: &str = include_str!("../../docs/messaggi/ElencoVariazioni.xml");
const CONSULTA: &str = include_str!("../../docs/messaggi/ConsultaDomanda.xml");

/// Runs an engine on the gateway's store until there is nothing left to do.
fn work(gateway: &Gateway, adesso: &str) {
    let store = std::fs::read_to_string(gateway.dir.path().join("store.txt")).unwrap();
    let esito = Command::new(env!("CARGO_BIN_EXE_varco"))
        .args(["engine", &store, "--una-volta", "--adesso", adesso])
        .current_dir(gateway.dir.path())
        .output()
        .unwrap();
    let errori = String::from_utf8(esito.stderr).unwrap();
    assert_eq!(esito.status.code(), Some(0), "{errori}");
}

fn consulta(client: &Client, nomi: &[&str]) -> Vec<Vec<String>> {
    let domanda = CONSULTA.replace(
        "<coop:ChiaveInvio>2021-004512-1</coop:ChiaveInvio>",
        "<coop:NumeroDomanda>1</coop:NumeroDomanda>",
    );
    let risposta = client.post(domanda.as_bytes());
    assert_eq!(risposta.status, 200, "{}", risposta.text());
    nomi.iter().map(|nome| risposta.values(nome)).collect()
}

fn what_the_engine_decides_the_patronato_is_told_in_order(archivio: Archivio) {
    let gateway = Gateway::spawn(&Setting::on(archivio));
    let client = gateway.client("pat01");
    // An account of nobody: the rules of the reference engine stand in docs/contratto-motore.md.
    let domanda = DOMANDA.replace("IT60X0542811101000000123456", "IT03I0542811101000000123499");
    let inviata = client.post(domanda.as_bytes());
    assert_eq!(
        inviata.value("Esito").as_deref(),
        Some("REGISTRATA"),
        "{}",
        inviata.text()
    );
    work(&gateway, "2021-08-02T08:00:00Z");
    let motivo =
        "IBAN_NON_ABBINATO: il conto non risulta intestato a chi deve essere pagato; indicare un altro IBAN";
    assert_eq!(
        consulta(&client, &["Stato", "AzioneRichiesta", "MotivoAzione", "Mese"]),
        [
            vec!["ACCOLTA", "IN_EVIDENZA_SEDE"],
            vec!["AGGIORNARE_IBAN", "NESSUNA"],
            vec![motivo],
            Vec::<&str>::new()
        ]
    );
    let variazioni = client.post(VARIAZIONI.as_bytes());
    assert_eq!(
        variazioni.values("Stato"),
        [
            "PRESENTATA",
            "IN_ISTRUTTORIA",
            "ACCOLTA",
            "IN_ISTRUTTORIA",
            "IN_EVIDENZA_SEDE"
        ],
        "{}",
        variazioni.text()
    );
    assert_eq!(
        variazioni.values("Motivo"),
        [motivo, "la sede verifica la composizione del nucleo"]
    );
}
