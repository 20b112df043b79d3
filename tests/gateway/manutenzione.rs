//! Maintenance: what is refused and how, what goes on, that it ends by itself, and the command that orders it (its banner is in
//! `console`).

use std::process::{Command, Output};

use jiff::{SignedDuration, Timestamp};
use varco::clock::{Clock as _, WallClock};
use varco::store::manutenzione::{Cartello, Disposizione};

use crate::helpers::{Archivio, Gateway, Reply, Setting, on_both_stores};
use crate::lotti::{accolto, busta, chiedi, concluso, elemento, in_linea};
use crate::metriche::until;
use crate::pdd::busta::{Busta, Forma, forma};
use crate::salute::ask_with;

on_both_stores! {
    during_maintenance_nothing_new_is_taken_and_all_else_goes_on,
    a_gateway_that_starts_during_maintenance_knows_it_with_its_first_message,
    maintenance_ends_by_itself_at_its_end,
    whoever_runs_the_gateway_orders_it_by_a_command,
}

const SEZIONI: &str = "[salute]\nindirizzo = \"127.0.0.1:0\"\nintervallo_s = 0.05\n\
     [manutenzione]\nintervallo_s = 0.05\nriprova_s = 77\n";

fn setting(archivio: Archivio) -> Setting {
    Setting {
        salute: Some(SEZIONI.to_owned()),
        ..Setting::on(archivio)
    }
}

pub(crate) fn order(gateway: &Gateway, istante: Timestamp, cartello: Option<(&str, Option<Timestamp>)>) {
    let disposizione = Disposizione {
        istante,
        operatore: "m.verdi".to_owned(),
        cartello: cartello.map(|(messaggio, fino_a)| Cartello {
            messaggio: messaggio.to_owned(),
            fino_a,
        }),
    };
    gateway.block_on(gateway.store().dispose(&disposizione)).unwrap();
}

fn begin(gateway: &Gateway, messaggio: &str, fino_a: Option<Timestamp>) {
    order(gateway, WallClock::default().wall(), Some((messaggio, fino_a)));
    until(gateway, "varco_maintenance", 1.0);
}

fn end(gateway: &Gateway) {
    order(gateway, WallClock::default().wall(), None);
    until(gateway, "varco_maintenance", 0.0);
}

fn domanda(chiave: &str, seme: u64) -> String {
    let corpo = elemento(seme).replace(&format!("elemento-{seme}"), chiave);
    busta("", &corpo)
}

fn refused(reply: &Reply) {
    let testo = reply.text();
    assert_eq!(reply.status, 503, "{testo}");
    assert_eq!(reply.value("Codice").as_deref(), Some("SYS-004"), "{testo}");
    assert!(testo.contains("env:Receiver"), "{testo}");
}

fn registered(reply: &Reply, ripetizione: &str) {
    assert_eq!(reply.status, 200, "{}", reply.text());
    assert_eq!(
        reply.value("Ripetizione").as_deref(),
        Some(ripetizione),
        "{}",
        reply.text()
    );
}

fn during_maintenance_nothing_new_is_taken_and_all_else_goes_on(archivio: Archivio) {
    let gateway = Gateway::spawn(&setting(archivio));
    let (client, porta) = (gateway.client("pat01"), gateway.porta("pat01"));
    let prima = include_str!("../messages/domanda-registered/request.xml");
    let numero = client.post(prima.as_bytes()).value("Protocollo").unwrap();
    let lotto = in_linea("lotto-1", &[elemento(101), elemento(102)]);
    let id = accolto(&client.post(lotto.as_bytes()));

    begin(&gateway, "si torna <presto> & bene", None);
    let nuova = client.post(domanda("K-2", 2).as_bytes());
    refused(&nuova);
    assert_eq!(nuova.header("retry-after"), Some("77"));
    assert!(
        nuova.text().contains("si torna &lt;presto&gt; &amp; bene"),
        "{}",
        nuova.text()
    );
    let rinuncia = include_str!("../messages/rinuncia/request.xml");
    refused(&client.post(rinuncia.as_bytes()));
    let altro = in_linea("lotto-2", &[elemento(201)]);
    refused(&client.post(altro.as_bytes()));
    let in_busta = Busta::domanda(1, "K-PDD");
    let rifiutata = porta.post_busta(&in_busta.bytes());
    assert_eq!(forma(&rifiutata), Forma::C("SYS-004".to_owned(), true));
    assert_eq!(rifiutata.header("retry-after"), Some("77"));

    // What has a number is told it; the work goes on; whoever asks is answered.
    let ripetuta = client.post(prima.as_bytes());
    registered(&ripetuta, "true");
    assert_eq!(ripetuta.value("Protocollo"), Some(numero));
    assert_eq!(accolto(&client.post(lotto.as_bytes())), id);
    let stato = concluso(&client, &id);
    assert_eq!(
        stato.value("Registrati").as_deref(),
        Some("2"),
        "{}",
        stato.text()
    );
    assert_eq!(chiedi(&client, "EsitoLotto", &id, "").status, 200);
    for consulta in [
        include_str!("../messages/consulta-by-chiave/request.xml"),
        include_str!("../messages/variazioni/request.xml"),
    ] {
        let reply = client.post(consulta.as_bytes());
        assert_eq!(reply.status, 200, "{}", reply.text());
    }
    // Who is wrong is told that, as ever.
    let sbagliata = domanda("K-5", 5).replace(">GENITORE<", ">ZIO<");
    let sbagliata = client.post(sbagliata.as_bytes());
    assert_eq!(sbagliata.value("Codice").as_deref(), Some("XSD-011"));
    let (status, pronto) = ask_with(gateway.salute(), "GET", "/health/ready", "");
    assert_eq!(status, 200, "{pronto}");
    assert!(
        pronto.contains(r#""avvisi":[{"che":"manutenzione","codice":"SYS-004""#)
            && pronto.contains("si torna <presto> & bene"),
        "{pronto}"
    );

    end(&gateway);
    registered(&client.post(domanda("K-2", 2).as_bytes()), "false");
    assert_eq!(
        forma(&porta.post_busta(&in_busta.bytes())),
        Forma::Risposta(Vec::new())
    );
    concluso(&client, &accolto(&client.post(altro.as_bytes())));
    let (_, pronto) = ask_with(gateway.salute(), "GET", "/health/ready", "");
    assert!(!pronto.contains("avvisi"), "{pronto}");
}

fn a_gateway_that_starts_during_maintenance_knows_it_with_its_first_message(archivio: Archivio) {
    let gateway = Gateway::spawn(&setting(archivio));
    order(&gateway, WallClock::default().wall(), Some(("fermi", None)));
    // It does not look again for as long as this test lasts.
    let pigro = Setting {
        salute: Some("[manutenzione]\nintervallo_s = 86400\n".to_owned()),
        ..Setting::on(archivio)
    };
    let gateway = Gateway::spawn_in(gateway.stop(), &pigro);
    refused(&gateway.client("pat01").post(domanda("K-1", 1).as_bytes()));
}

fn maintenance_ends_by_itself_at_its_end(archivio: Archivio) {
    let gateway = Gateway::spawn(&setting(archivio));
    let client = gateway.client("pat01");
    let adesso = WallClock::default().wall();
    begin(&gateway, "un'ora", Some(adesso + SignedDuration::from_hours(1)));
    let rifiutata = client.post(domanda("K-1", 1).as_bytes());
    refused(&rifiutata);
    let attesa: u64 = rifiutata.header("retry-after").unwrap().parse().unwrap();
    assert!((3500..=3600).contains(&attesa), "{attesa}");
    // One whose hour has passed.
    let ieri = adesso - SignedDuration::from_hours(24);
    order(
        &gateway,
        ieri,
        Some(("ieri", Some(ieri + SignedDuration::from_hours(1)))),
    );
    until(&gateway, "varco_maintenance", 0.0);
    registered(&client.post(domanda("K-1", 1).as_bytes()), "false");
}

fn command(gateway: &Gateway, argomenti: &[&str]) -> (Option<i32>, String) {
    let Output {
        status,
        stdout,
        stderr,
    } = Command::new(env!("CARGO_BIN_EXE_varco"))
        .arg("maintenance")
        .args(argomenti)
        .current_dir(gateway.dir.path())
        .output()
        .unwrap();
    let detto = [stdout, stderr].concat();
    (status.code(), String::from_utf8_lossy(&detto).into_owned())
}

fn whoever_runs_the_gateway_orders_it_by_a_command(archivio: Archivio) {
    let gateway = Gateway::spawn(&setting(archivio));
    let nessuna = (Some(0), "nessuna manutenzione in corso\n".to_owned());
    assert_eq!(command(&gateway, &["status"]), nessuna);
    assert_eq!(command(&gateway, &["off", "--operatore", "m.verdi"]), nessuna);
    let on = ["on", "--messaggio", "aggiornamento", "--operatore", "m.verdi"];
    let (uscita, detto) = command(&gateway, &on);
    assert_eq!(uscita, Some(0), "{detto}");
    assert!(
        detto.starts_with("IN MANUTENZIONE dal ")
            && detto.ends_with(" (m.verdi), finché qualcuno non la toglie: aggiornamento\n"),
        "{detto}"
    );
    assert_eq!(command(&gateway, &["status"]), (Some(0), detto));
    until(&gateway, "varco_maintenance", 1.0);
    let con_fine = [&on[..], &["--fino-a", "2999-01-01T00:00:00Z"]].concat();
    let (_, detto) = command(&gateway, &con_fine);
    assert!(detto.contains("fino al 2999-01-01T01:00:00.000+01:00"), "{detto}");
    until(
        &gateway,
        "varco_maintenance_end_timestamp_seconds",
        32_472_144_000.0,
    );
    // Nobody means these.
    for (sbagliato, frase) in [
        ([&on[..], &["--fino-a", "2020-01-01"]].concat(), "già passato"),
        (
            vec!["on", "--messaggio", "per RSSMRA85T10A562S", "--operatore", "m"],
            "codice fiscale",
        ),
        (vec!["on", "--messaggio", "x"], "--operatore"),
    ] {
        let (uscita, detto) = command(&gateway, &sbagliato);
        assert_eq!(uscita, Some(64), "{detto}");
        assert!(detto.contains(frase), "{detto}");
    }
    let (uscita, detto) = command(&gateway, &["off", "--operatore", "m.verdi"]);
    assert_eq!(
        (uscita, detto.as_str()),
        (Some(0), "manutenzione finita: tutto è di nuovo accolto\n")
    );
    until(&gateway, "varco_maintenance", 0.0);
    assert_eq!(command(&gateway, &["status"]), nessuna);
}
