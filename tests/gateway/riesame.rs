//! Riesame, from the patronato's asking to the engine's end of it.

use std::collections::BTreeSet;
use std::thread;

use crate::atti::Motore;
use crate::helpers::{Archivio, Gateway, Reply, Setting, on_both_stores};

on_both_stores! {
    a_refused_sheet_is_looked_at_again_and_opened,
    a_riesame_that_is_refused_leaves_the_sheet_and_the_next_may_be_asked_for,
    two_hundred_copies_of_a_riesame_at_once_get_one_number,
    the_last_day_is_in_time_and_the_next_is_not,
    no_move_but_those_of_the_table_and_none_without_the_claim,
    a_child_that_was_sent_again_keeps_its_new_sheet,
}

const DOMANDA: &str = include_str!("../messages/domanda-registered/request.xml");
/// Of sheet 2.
const RIESAME: &str = include_str!("../messages/riesame-not-granted/request.xml");
const GETTONE: &str = "gettone-di-prova-0001";

/// A gateway with one domanda whose second sheet was refused.
fn with_refused_sheet(archivio: Archivio) -> Gateway {
    let gateway = Gateway::spawn(&Setting::on(archivio));
    assert_eq!(gateway.client("pat01").post(DOMANDA.as_bytes()).status, 200);
    engine(&gateway, archivio, async |motore| {
        assert!(motore.moves(1, 2, "IN_ISTRUTTORIA").await && motore.moves(1, 2, "RESPINTA").await);
        // Decisions go by the business clock of the store, which a test's own clock does not move.
        let dal = match archivio {
            Archivio::Sqlite => "1625824800000",
            Archivio::Postgres => "'2021-07-09T10:00:00Z'",
        };
        motore
            .execute(&format!("UPDATE schede SET stato_dal = {dal}"))
            .await;
    });
    gateway
}

fn engine<T>(gateway: &Gateway, archivio: Archivio, work: impl AsyncFnOnce(&mut Motore) -> T) -> T {
    gateway.block_on(async {
        let mut motore = Motore::connect(gateway, archivio).await;
        work(&mut motore).await
    })
}

async fn claim(motore: &mut Motore) {
    motore
        .execute(&format!(
            "INSERT INTO motore_prese_v1 (numero_domanda, motore, gettone, durata_s) VALUES (1, 'prova', '{GETTONE}', 600)"
        ))
        .await;
}

/// A move of the riesame of sheet 2, as an engine writes it.
fn mossa(da: &str, a: &str, motivo: Option<&str>) -> String {
    let motivo = motivo.map_or_else(|| "NULL".to_owned(), |motivo| format!("'{motivo}'"));
    format!(
        "INSERT INTO motore_riesami_v1 (numero_domanda, posto, gettone, versione, da, a, esito_motivo)
         SELECT 1, 2, '{GETTONE}', versione, '{da}', '{a}', {motivo} FROM domande WHERE numero = 1"
    )
}

fn ask(gateway: &Gateway, chiave: &str) -> Reply {
    let messaggio = RIESAME.replace(">RI-1<", &format!(">{chiave}<"));
    gateway.client("pat01").post(messaggio.as_bytes())
}

/// State and riesame of each sheet, as `ConsultaDomanda` tells them.
fn consulta(gateway: &Gateway) -> (Vec<String>, Vec<String>) {
    let reply = gateway
        .client("pat01")
        .post(include_bytes!("../messages/consulta-by-chiave/request.xml"));
    (reply.values("Stato"), reply.values("Riesame"))
}

fn a_refused_sheet_is_looked_at_again_and_opened(archivio: Archivio) {
    let gateway = with_refused_sheet(archivio);
    let chiesto = ask(&gateway, "RI-1");
    assert_eq!(
        (chiesto.value("Protocollo").as_deref(), chiesto.values("Posto")),
        (Some("INPS-AUF-2021-000000000002"), vec!["2".to_owned()]),
        "{}",
        chiesto.text()
    );
    assert_eq!(
        consulta(&gateway),
        (
            vec!["PRESENTATA".to_owned(), "RESPINTA".to_owned()],
            vec!["PRESENTATO".to_owned()]
        )
    );
    let ancora = ask(&gateway, "RI-2");
    assert_eq!(
        (
            ancora.value("Codice").as_deref(),
            ancora.value("Percorso").as_deref()
        ),
        (Some("RIE-002"), Some("/at:Riesame/at:Schede/at:Scheda[1]"))
    );
    assert_eq!(
        ask(&gateway, "RI-1").value("Ripetizione").as_deref(),
        Some("true")
    );
    engine(&gateway, archivio, async |motore| {
        let letti: Vec<String> = motore
            .column("SELECT protocollo || ' ' || motivo || ' ' || motivazione || ' ' || stato FROM motore_riesami_v1")
            .await;
        assert_eq!(
            letti,
            ["INPS-AUF-2021-000000000002 REQUISITO_POSSEDUTO Residente nel Comune dalla nascita. PRESENTATO"]
        );
        claim(motore).await;
        motore.execute(&mossa("PRESENTATO", "IN_ESAME", None)).await;
        motore
            .execute(&mossa("IN_ESAME", "ACCOLTO", Some("il requisito c era")))
            .await;
        let feed: Vec<String> = motore
            .column(
                "SELECT tipo || ' ' || coalesce(stato, '-') || ' ' || coalesce(motivo, '-') FROM variazioni
                 WHERE posto = 2 ORDER BY cursore",
            )
            .await;
        assert_eq!(
            feed,
            [
                "RIESAME - -",
                "RIESAME RESPINTA IN_ESAME",
                "STATO IN_ISTRUTTORIA il requisito c era",
                "RIESAME IN_ISTRUTTORIA ACCOLTO: il requisito c era",
            ]
        );
    });
    assert_eq!(
        consulta(&gateway),
        (
            vec!["PRESENTATA".to_owned(), "IN_ISTRUTTORIA".to_owned()],
            vec!["ACCOLTO".to_owned()]
        )
    );
}

fn a_riesame_that_is_refused_leaves_the_sheet_and_the_next_may_be_asked_for(archivio: Archivio) {
    let gateway = with_refused_sheet(archivio);
    assert_eq!(
        ask(&gateway, "RI-1").value("Esito").as_deref(),
        Some("REGISTRATA")
    );
    engine(&gateway, archivio, async |motore| {
        claim(motore).await;
        motore.execute(&mossa("PRESENTATO", "IN_ESAME", None)).await;
        motore
            .execute(&mossa("IN_ESAME", "RESPINTO", Some("nulla di nuovo")))
            .await;
    });
    assert_eq!(consulta(&gateway).1, ["RESPINTO"]);
    assert_eq!(consulta(&gateway).0[1], "RESPINTA");
    let altro = ask(&gateway, "RI-2");
    assert_eq!(
        altro.value("Esito").as_deref(),
        Some("REGISTRATA"),
        "{}",
        altro.text()
    );
    assert_eq!(consulta(&gateway).1, ["PRESENTATO"]);
}

fn two_hundred_copies_of_a_riesame_at_once_get_one_number(archivio: Archivio) {
    let gateway = with_refused_sheet(archivio);
    let replies: Vec<_> = thread::scope(|scope| {
        let senders: Vec<_> = (0..20)
            .map(|_| {
                scope.spawn(|| {
                    let client = gateway.client("pat01");
                    (0..10)
                        .map(|_| {
                            let reply = client.post(RIESAME.as_bytes());
                            (reply.value("Protocollo"), reply.value("Ripetizione"))
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
    let numeri: BTreeSet<_> = replies.iter().map(|(numero, _)| numero.as_deref()).collect();
    assert_eq!(numeri, BTreeSet::from([Some("INPS-AUF-2021-000000000002")]));
    let prime = replies
        .iter()
        .filter(|(_, ripetizione)| ripetizione.as_deref() == Some("false"));
    assert_eq!((replies.len(), prime.count()), (200, 1));
    let riesami: Vec<i64> = engine(&gateway, archivio, async |motore| {
        motore.column("SELECT count(*) FROM riesami").await
    });
    assert_eq!(riesami, [1]);
}

fn the_last_day_is_in_time_and_the_next_is_not(archivio: Archivio) {
    let gateway = with_refused_sheet(archivio);
    // Decided on 9 July; ninety days later it is 7 October, in Rome.
    gateway.clock.set("2021-10-07T22:30:00Z".parse().unwrap());
    let tardi = ask(&gateway, "RI-1");
    assert_eq!(
        tardi.value("Codice").as_deref(),
        Some("RIE-001"),
        "{}",
        tardi.text()
    );
    assert!(
        tardi.value("Testo").unwrap().ends_with("fino al 2021-10-07"),
        "{}",
        tardi.text()
    );
    gateway.clock.set("2021-10-07T21:30:00Z".parse().unwrap());
    let in_tempo = ask(&gateway, "RI-1");
    assert_eq!(
        in_tempo.value("Esito").as_deref(),
        Some("REGISTRATA"),
        "{}",
        in_tempo.text()
    );
}

fn no_move_but_those_of_the_table_and_none_without_the_claim(archivio: Archivio) {
    let gateway = with_refused_sheet(archivio);
    assert_eq!(
        ask(&gateway, "RI-1").value("Esito").as_deref(),
        Some("REGISTRATA")
    );
    engine(&gateway, archivio, async |motore| {
        let senza = motore.refused(&mossa("PRESENTATO", "IN_ESAME", None)).await;
        assert!(senza.contains("MOT-001"), "{senza}");
        claim(motore).await;
        for (mossa, codice) in [
            (mossa("IN_ESAME", "RESPINTO", Some("no")), "MOT-018"),
            (mossa("PRESENTATO", "ACCOLTO", Some("si")), "MOT-019"),
            (mossa("PRESENTATO", "PRESENTATO", None), "MOT-019"),
            (mossa("PRESENTATO", "IN_ESAME", Some("perche")), "MOT-020"),
            (
                mossa("PRESENTATO", "IN_ESAME", None).replace("', versione,", "', versione - 1,"),
                "MOT-002",
            ),
            ("UPDATE riesami SET stato = 'ACCOLTO'".to_owned(), "mosse_riesame"),
            (
                "UPDATE riesami SET motivazione = 'altro', stato = 'IN_ESAME'".to_owned(),
                "mosse_riesame",
            ),
            ("DELETE FROM riesami".to_owned(), "un riesame resta"),
        ] {
            let detto = motore.refused(&mossa).await;
            assert!(detto.contains(codice), "{codice}: {detto}");
        }
        motore.execute(&mossa("PRESENTATO", "IN_ESAME", None)).await;
        let senza = motore.refused(&mossa("IN_ESAME", "ACCOLTO", None)).await;
        assert!(senza.contains("MOT-020"), "{senza}");
    });
    assert_eq!(consulta(&gateway).1, ["IN_ESAME"]);
}

fn a_child_that_was_sent_again_keeps_its_new_sheet(archivio: Archivio) {
    let gateway = with_refused_sheet(archivio);
    assert_eq!(
        ask(&gateway, "RI-1").value("Esito").as_deref(),
        Some("REGISTRATA")
    );
    // The first child is still live: the second one alone is sent again.
    let (prima, resto) = DOMANDA.split_once("<at:Minore>").unwrap();
    let (_, dopo) = resto.split_once("</at:Minore>").unwrap();
    let altra = format!("{prima}{}", dopo.trim_start()).replace(">K-1<", ">K-2<");
    let nuova = gateway.client("pat01").post(altra.as_bytes());
    assert_eq!(
        nuova.value("Esito").as_deref(),
        Some("REGISTRATA"),
        "{}",
        nuova.text()
    );
    engine(&gateway, archivio, async |motore| {
        claim(motore).await;
        motore.execute(&mossa("PRESENTATO", "IN_ESAME", None)).await;
        let detto = motore
            .refused(&mossa("IN_ESAME", "ACCOLTO", Some("aveva ragione")))
            .await;
        assert!(detto.contains("MOT-008"), "{detto}");
        let stato: Vec<String> = motore.column("SELECT stato FROM motore_riesami_v1").await;
        assert_eq!(stato, ["IN_ESAME"], "nothing of the refused statement stays");
        motore
            .execute(&mossa(
                "IN_ESAME",
                "RESPINTO",
                Some("il figlio ha un altra domanda"),
            ))
            .await;
    });
    assert_eq!(consulta(&gateway).0[1], "RESPINTA");
}
