//! AU-7: one domanda a parent. Whoever asks for another is told where the child goes, and learns nothing of another ente's.

use std::thread;

use varco::domanda::CodiceFiscale;
use varco::prestazione::assegno_unico::PRESTAZIONE;

use crate::atti::Motore;
use crate::helpers::{Archivio, Client, Gateway, Reply, Setting, on_both_stores};

on_both_stores! {
    who_asks_twice_is_told_where_the_child_goes,
    of_two_hundred_by_two_enti_at_once_one_is_registered,
    a_domanda_that_goes_on_in_a_new_year_is_still_the_one,
    what_was_given_up_or_annulled_makes_room,
    a_young_mother_asks_for_herself_and_for_her_child,
    a_tutors_domanda_becomes_a_parents_only_beside_no_other,
    of_two_that_become_the_same_parents_at_once_one_does,
}

const DOMANDA: &str = include_str!("../messages/au-second-domanda/request.xml");
const FIGLIO: &str = include_str!("../messages/au-aggiungi/request.xml");
const MARZO: &str = "2022-03-15T10:00:00Z";

fn gateway(archivio: Archivio) -> Gateway {
    Gateway::spawn(&Setting {
        orologio: Some(MARZO.to_owned()),
        ..Setting::on(archivio)
    })
}

fn client(gateway: &Gateway, certificato: &str) -> Client {
    gateway.client_of(PRESTAZIONE.servizio, certificato)
}

/// The `n`th child: a minor with a codice fiscale of its own.
fn figlio(n: usize) -> String {
    let quindici = format!(
        "BNCLCU{:02}A{:02}H{:03}",
        8 + n / 20 % 10,
        1 + n % 20,
        501 + n / 200
    );
    ('A'..='Z')
        .map(|lettera| format!("{quindici}{lettera}"))
        .find(|codice| codice.parse::<CodiceFiscale>().is_ok())
        .unwrap()
}

/// Mario's domanda for one child, by an ente.
fn domanda(chiave: &str, certificato: &str, figlio: &str) -> String {
    let domanda = DOMANDA
        .replace(">K-2<", &format!(">{chiave}<"))
        .replace(">BNCNNA10T45H501Y<", &format!(">{figlio}<"));
    match certificato {
        "pat01" => domanda,
        _ => domanda.replace("PAT01", "PAT02"),
    }
}

fn send(gateway: &Gateway, certificato: &str, messaggio: &str) -> Reply {
    client(gateway, certificato).post(messaggio.as_bytes())
}

/// The codes that refuse; none of what was registered.
fn codici(reply: &Reply) -> Vec<String> {
    reply.values("Codice")
}

#[track_caller]
fn assert_registrata(reply: &Reply, numero: &str) {
    assert_eq!(
        (
            reply.value("Esito").as_deref(),
            reply.value("NumeroDomanda").as_deref()
        ),
        (Some("REGISTRATA"), Some(numero)),
        "{}",
        reply.text()
    );
}

fn who_asks_twice_is_told_where_the_child_goes(archivio: Archivio) {
    let gateway = gateway(archivio);
    let (primo, secondo) = (figlio(1), figlio(2));
    assert_registrata(&send(&gateway, "pat01", &domanda("K-1", "pat01", &primo)), "1");

    let ancora = domanda("K-2", "pat01", &secondo);
    for operazione in ["VerificaDomanda", "InviaDomanda"] {
        let reply = send(&gateway, "pat01", &ancora.replace("InviaDomanda", operazione));
        assert_eq!(codici(&reply), ["AU-007"], "{operazione}: {}", reply.text());
        assert!(reply.value("Suggerimento").unwrap().contains("NumeroDomanda 1"));
        assert_eq!(
            reply.value("Percorso").as_deref(),
            Some("/au:Domanda/au:Richiedente/au:CodiceFiscale")
        );
    }
    let altrove = domanda("K-2", "pat02", &secondo);
    for operazione in ["VerificaDomanda", "InviaDomanda"] {
        let reply = send(&gateway, "pat02", &altrove.replace("InviaDomanda", operazione));
        assert_eq!(codici(&reply), ["AU-030"], "{operazione}: {}", reply.text());
        assert_eq!(reply.value("NumeroDomanda"), None);
        assert!(!reply.text().contains("PAT01"), "{}", reply.text());
    }
    // A child who has a sheet there is told beside it; with other faults all are told at once.
    let con_il_primo = ancora.replace(
        "        </au:Figli>",
        &format!(
            "<au:Figlio><au:CodiceFiscale>{primo}</au:CodiceFiscale><au:AltroGenitoreAssente>DECEDUTO</au:AltroGenitoreAssente><au:SituazioneGenitori>GENITORE_UNICO</au:SituazioneGenitori><au:Ripartizione>A</au:Ripartizione><au:Disabilita>NESSUNA</au:Disabilita><au:ACarico>true</au:ACarico></au:Figlio></au:Figli>"
        ),
    );
    assert_eq!(
        codici(&send(&gateway, "pat01", &con_il_primo)),
        ["AU-007", "AU-008"]
    );
    let e_altro = con_il_primo.replace("<au:AnnoCompetenza>2022<", "<au:AnnoCompetenza>2021<");
    assert_eq!(
        codici(&send(&gateway, "pat01", &e_altro)),
        ["AU-010", "AU-007", "AU-008"]
    );

    // So it goes.
    let aggiunta = FIGLIO
        .replace(
            "<coop:ChiaveInvio>2022-004512-1</coop:ChiaveInvio>",
            "<coop:NumeroDomanda>1</coop:NumeroDomanda>",
        )
        .replace("<au:Ripartizione>B<", "<au:Ripartizione>A<");
    assert_registrata(&send(&gateway, "pat01", &aggiunta), "1");
}

fn of_two_hundred_by_two_enti_at_once_one_is_registered(archivio: Archivio) {
    let gateway = gateway(archivio);
    let replies: Vec<Reply> = thread::scope(|scope| {
        let senders: Vec<_> = (0..20)
            .map(|n| {
                let gateway = &gateway;
                scope.spawn(move || {
                    let certificato = ["pat01", "pat02"][n % 2];
                    let client = client(gateway, certificato);
                    (0..10)
                        .map(|m| {
                            let chiave = format!("K-{n}-{m}");
                            let messaggio = domanda(&chiave, certificato, &figlio(n * 10 + m));
                            client.post(messaggio.as_bytes())
                        })
                        .collect::<Vec<_>>()
                })
            })
            .collect();
        let senders = senders.into_iter();
        senders.flat_map(|sender| sender.join().unwrap()).collect()
    });
    let registrate = replies
        .iter()
        .filter(|reply| reply.value("Esito").as_deref() == Some("REGISTRATA"));
    assert_eq!(registrate.count(), 1);
    let count = |codice: &str| {
        let detti = replies.iter().filter(|reply| codici(reply) == [codice]);
        detti.count()
    };
    let (proprie, altrui) = (count("AU-007"), count("AU-030"));
    assert_eq!(
        (proprie, altrui),
        (99, 100),
        "each ente is told its own, or that there is one"
    );
}

fn a_domanda_that_goes_on_in_a_new_year_is_still_the_one(archivio: Archivio) {
    let gateway = gateway(archivio);
    assert_registrata(
        &send(&gateway, "pat01", &domanda("K-1", "pat01", &figlio(1))),
        "1",
    );
    let nuova =
        domanda("K-2", "pat01", &figlio(2)).replace("<au:AnnoCompetenza>2022</au:AnnoCompetenza>", "");
    let told = || codici(&send(&gateway, "pat01", &nuova));
    // The year that opens in January, before anybody has renewed anything; then renewed d'ufficio.
    gateway.clock.set("2023-01-20T10:00:00Z".parse().unwrap());
    assert_eq!(told(), ["AU-007"]);
    gateway.block_on(async {
        let mut motore = Motore::connect(&gateway, archivio).await;
        assert!(motore.moves(1, 1, "IN_ISTRUTTORIA").await && motore.moves(1, 1, "ACCOLTA").await);
        let gettone = "un-gettone-di-prova-0001";
        motore
            .execute(&format!(
                "INSERT INTO motore_prese_v1 (numero_domanda, motore, gettone, durata_s) VALUES (1, 'prova', '{gettone}', 60)"
            ))
            .await;
        motore
            .execute(&format!(
                "INSERT INTO motore_decisioni_v1 (tipo, numero_domanda, posto, gettone, versione, anno)
                 SELECT 'RINNOVO', 1, 1, '{gettone}', versione, 2023 FROM motore_stati_v1 WHERE numero_domanda = 1"
            ))
            .await;
    });
    gateway.clock.set("2023-04-20T10:00:00Z".parse().unwrap());
    assert_eq!(told(), ["AU-007"]);
    // The right is lost: a new domanda is the way back.
    gateway.block_on(async {
        let mut motore = Motore::connect(&gateway, archivio).await;
        assert!(motore.moves(1, 1, "DECADUTA").await);
    });
    assert_registrata(&send(&gateway, "pat01", &nuova), "2");
}

fn what_was_given_up_or_annulled_makes_room(archivio: Archivio) {
    let gateway = gateway(archivio);
    assert_registrata(
        &send(&gateway, "pat01", &domanda("K-1", "pat01", &figlio(1))),
        "1",
    );
    let altrove = domanda("K-1", "pat02", &figlio(2));
    assert_eq!(codici(&send(&gateway, "pat02", &altrove)), ["AU-030"]);
    let rinuncia = include_str!("../messages/rinuncia/request.xml")
        .replace(
            "http://inps.it/AssegnoTemporaneo/v1",
            "http://inps.it/AssegnoUnicoUniversale/v1",
        )
        .replace("<coop:Scheda>2</coop:Scheda>", "<coop:Scheda>1</coop:Scheda>");
    assert_registrata(&send(&gateway, "pat01", &rinuncia), "1");
    // The key was not burnt by the refusal.
    assert_registrata(&send(&gateway, "pat02", &altrove), "2");

    // The office takes the second one back, by its own command.
    let annulla = std::process::Command::new(env!("CARGO_BIN_EXE_varco"))
        .args(["register", "annul", "INPS-AUF-2022-000000000003"])
        .args([
            "--operatore",
            "resp.protocollo",
            "--motivo",
            "registrata per errore",
        ])
        .args(["--provvedimento", "DET-1", "--provvedimento-data", "2022-03-15"])
        .current_dir(gateway.dir.path())
        .output()
        .unwrap();
    let errori = String::from_utf8_lossy(&annulla.stderr).into_owned();
    assert_eq!(annulla.status.code(), Some(0), "{errori}");
    assert_registrata(
        &send(&gateway, "pat01", &domanda("K-9", "pat01", &figlio(3))),
        "3",
    );
}

fn a_young_mother_asks_for_herself_and_for_her_child(archivio: Archivio) {
    let gateway = gateway(archivio);
    let per_se = include_str!("../messages/au-adult-child-in-a-parents-place/request.xml");
    assert_registrata(&send(&gateway, "pat01", per_se), "1");
    let da_madre = domanda("K-3", "pat02", &figlio(7)).replace("RSSMRA80A01H501U", "RSSCHR03C41H501D");
    assert_registrata(&send(&gateway, "pat02", &da_madre), "2");
    let ancora = domanda("K-4", "pat02", &figlio(8)).replace("RSSMRA80A01H501U", "RSSCHR03C41H501D");
    assert_eq!(codici(&send(&gateway, "pat02", &ancora)), ["AU-007"]);
}

/// The same domanda, asked for as a tutor, who may have many.
fn da_tutore(domanda: &str) -> String {
    domanda.replace("<au:Ruolo>GENITORE<", "<au:Ruolo>TUTORE<")
}

/// The domanda of that number as it shall be.
fn modifica(chiave: &str, numero: u32, come: &str) -> String {
    let (prima, resto) = come.split_once("<au:InviaDomanda>").unwrap();
    let (_, resto) = resto.split_once("<au:Domanda>").unwrap();
    let (domanda, dopo) = resto.split_once("</au:InviaDomanda>").unwrap();
    let riferimento = format!(
        "<au:Riferimento><coop:NumeroDomanda xmlns:coop=\"http://inps.it/cooperazione/v1\">{numero}</coop:NumeroDomanda></au:Riferimento>"
    );
    format!(
        "{prima}<au:ModificaDomanda><au:ChiaveInvio>{chiave}</au:ChiaveInvio><au:Modifica>{riferimento}<au:Domanda>{domanda}</au:Modifica></au:ModificaDomanda>{dopo}"
    )
}

fn a_tutors_domanda_becomes_a_parents_only_beside_no_other(archivio: Archivio) {
    let gateway = gateway(archivio);
    let (pupillo, proprio) = (
        domanda("K-1", "pat01", &figlio(1)),
        domanda("K-2", "pat02", &figlio(2)),
    );
    assert_registrata(&send(&gateway, "pat01", &da_tutore(&pupillo)), "1");
    assert_registrata(&send(&gateway, "pat02", &proprio), "2");

    // Its ente learns that there is another one, and not whose.
    let da_genitore = modifica("M-1", 1, &pupillo);
    let reply = send(&gateway, "pat01", &da_genitore);
    assert_eq!(codici(&reply), ["AU-030"], "{}", reply.text());
    assert_eq!(
        reply.value("Percorso").as_deref(),
        Some("/au:Modifica/au:Domanda/au:Richiedente/au:CodiceFiscale")
    );
    // Still a tutor's: nothing of it was written, and another of a tutor's stands in nobody's way.
    let altro_conto = da_tutore(&pupillo).replace(
        "<au:Cognome>ROSSI</au:Cognome>",
        "<au:Cognome>ROSSI BIANCHI</au:Cognome>",
    );
    assert_registrata(&send(&gateway, "pat01", &modifica("M-2", 1, &altro_conto)), "1");

    // The parent's own may be changed while it lives, and given up; then there is room.
    let di_nuovo = proprio.replace(
        "<au:Cognome>ROSSI</au:Cognome>",
        "<au:Cognome>ROSSI VERDI</au:Cognome>",
    );
    assert_registrata(&send(&gateway, "pat02", &modifica("M-3", 2, &di_nuovo)), "2");
    assert_registrata(
        &send(&gateway, "pat02", &modifica("M-4", 2, &da_tutore(&di_nuovo))),
        "2",
    );
    assert_registrata(&send(&gateway, "pat01", &da_genitore), "1");
    // From then on it is the one.
    let terza = domanda("K-3", "pat01", &figlio(3));
    let reply = send(&gateway, "pat01", &terza);
    assert_eq!(codici(&reply), ["AU-007"], "{}", reply.text());
    assert!(reply.value("Suggerimento").unwrap().contains("NumeroDomanda 1"));
    let indietro = send(&gateway, "pat02", &modifica("M-5", 2, &di_nuovo));
    assert_eq!(codici(&indietro), ["AU-030"], "{}", indietro.text());
}

fn of_two_that_become_the_same_parents_at_once_one_does(archivio: Archivio) {
    const TUTTE: u32 = 24;
    let gateway = gateway(archivio);
    let quale = |n: u32| {
        let certificato = ["pat01", "pat02"][n as usize % 2];
        (
            certificato,
            domanda(&format!("K-{n}"), certificato, &figlio(n as usize)),
        )
    };
    for n in 1..=TUTTE {
        let (certificato, domanda) = quale(n);
        assert_registrata(&send(&gateway, certificato, &da_tutore(&domanda)), &n.to_string());
    }
    let replies: Vec<Reply> = thread::scope(|scope| {
        let senders: Vec<_> = (1..=TUTTE)
            .map(|n| {
                let (gateway, (certificato, domanda)) = (&gateway, quale(n));
                scope.spawn(move || send(gateway, certificato, &modifica(&format!("M-{n}"), n, &domanda)))
            })
            .collect();
        let senders = senders.into_iter();
        senders.map(|sender| sender.join().unwrap()).collect()
    });
    let esiti = |esito: &str| {
        let detti = replies
            .iter()
            .filter(|reply| reply.value("Esito").as_deref() == Some(esito));
        detti.count()
    };
    assert_eq!((esiti("REGISTRATA"), esiti("RIFIUTATA")), (1, 23));
    for rifiutata in replies
        .iter()
        .filter(|reply| reply.value("Esito").as_deref() == Some("RIFIUTATA"))
    {
        let codici = codici(rifiutata);
        assert!(
            codici == ["AU-007"] || codici == ["AU-030"],
            "{}",
            rifiutata.text()
        );
    }
}
