//! What a domanda says may change while nobody works it, then what was asked for; a child may be added while one of its
//! sheets lives. Each of the two races: against its own copies, against the engine, against another domanda.

use std::thread;

use crate::atti::{Motore, consulta, one_number_of_two_hundred_copies, stati};
use crate::helpers::{Archivio, Gateway, Reply, Setting, on_both_stores};

on_both_stores! {
    two_hundred_copies_of_a_modification_at_once_get_one_number,
    two_hundred_copies_of_a_child_more_at_once_get_one_number,
    a_modification_and_the_engine_at_once_say_who_was_first,
    what_was_asked_for_is_given_and_nothing_else,
    an_accepted_sheet_is_paid_elsewhere,
    a_child_who_is_added_to_two_domande_at_once_gets_one_sheet,
    a_child_more_and_a_domanda_for_it_at_once_get_one_sheet,
    no_act_comes_to_an_annulled_domanda,
}

const DOMANDA: &str = include_str!("../messages/domanda-registered/request.xml");
const MODIFICA: &str = include_str!("../messages/modifica/request.xml");
const NESSUNA_DIFFERENZA: &str = include_str!("../messages/modifica-without-difference/request.xml");
const AGGIUNGI: &str = include_str!("../messages/aggiungi/request.xml");
const RINUNCIA: &str = include_str!("../messages/rinuncia/request.xml");

/// Where the second child's data stand.
const DISABILE_2: &str = "/at:Modifica/at:Domanda/at:Minori/at:Minore[2]/at:Disabile";

fn with_domanda(archivio: Archivio) -> Gateway {
    let gateway = Gateway::spawn(&Setting::on(archivio));
    assert_eq!(gateway.client("pat01").post(DOMANDA.as_bytes()).status, 200);
    gateway
}

fn registrata(reply: &Reply) -> bool {
    let esito = reply.value("Esito");
    assert!(esito.is_some(), "{}", reply.text());
    esito.as_deref() == Some("REGISTRATA")
}

/// Code and path of every error.
fn errori(reply: &Reply) -> Vec<(String, String)> {
    reply
        .values("Codice")
        .into_iter()
        .zip(reply.values("Percorso"))
        .collect()
}

/// A domanda of other children, with another key.
fn of_others(chiave: &str) -> String {
    DOMANDA
        .replace(">K-1<", &format!(">{chiave}<"))
        .replace("BBBRRR14A01A001X", "00000000018")
        .replace("BNCNNA10T45H501Y", "00000000026")
        .replace(
            "<at:Disabile>",
            "<at:DataNascita>2015-01-01</at:DataNascita><at:Disabile>",
        )
}

fn two_hundred_copies_of_a_modification_at_once_get_one_number(archivio: Archivio) {
    let gateway = with_domanda(archivio);
    let numero = one_number_of_two_hundred_copies(&gateway, MODIFICA);
    assert_eq!(numero, "INPS-AUF-2021-000000000002");
}

fn two_hundred_copies_of_a_child_more_at_once_get_one_number(archivio: Archivio) {
    let gateway = with_domanda(archivio);
    let numero = one_number_of_two_hundred_copies(&gateway, AGGIUNGI);
    assert_eq!(numero, "INPS-AUF-2021-000000000002");
    assert_eq!(stati(&gateway, 1), ["PRESENTATA"; 3]);
}

fn a_modification_and_the_engine_at_once_say_who_was_first(archivio: Archivio) {
    const GARE: u32 = 12;
    let gateway = Gateway::spawn(&Setting::on(archivio));
    for gara in 1..=GARE {
        let chiave = format!("G-{gara}");
        let domanda = DOMANDA.replace(">K-1<", &format!(">{chiave}<"));
        assert!(registrata(&gateway.client("pat01").post(domanda.as_bytes())));
        let modifica = MODIFICA
            .replace(">K-1<", &format!(">{chiave}<"))
            .replace(">M-1<", &format!(">M-{gara}<"));
        let (risposta, lavorata) = thread::scope(|scope| {
            let patronato = scope.spawn(|| gateway.client("pat01").post(modifica.as_bytes()));
            let lavorata = gateway.block_on(async {
                let mut motore = Motore::connect(&gateway, archivio).await;
                motore.moves(gara, 2, "IN_ISTRUTTORIA").await
            });
            (patronato.join().unwrap(), lavorata)
        });
        // Work begins whatever was sent.
        assert!(lavorata);
        if !registrata(&risposta) {
            assert_eq!(errori(&risposta), [("LAV-001".to_owned(), DISABILE_2.to_owned())]);
        }
        // Whoever was first, the domanda is as the answer says: the same act under another key finds nothing to change, or
        // work that has begun.
        let ancora = gateway.client("pat01").post(
            modifica
                .replace(&format!(">M-{gara}<"), &format!(">N-{gara}<"))
                .as_bytes(),
        );
        let atteso = if registrata(&risposta) {
            "MOD-004"
        } else {
            "LAV-001"
        };
        assert_eq!(ancora.value("Codice").as_deref(), Some(atteso));
        gateway.block_on(async {
            let mut motore = Motore::connect(&gateway, archivio).await;
            assert!(motore.moves(gara, 1, "IN_ISTRUTTORIA").await);
            for posto in [1, 2] {
                assert!(motore.moves(gara, posto, "RESPINTA").await);
            }
        });
    }
}

/// The engine asks for something on a sheet.
fn ask(gateway: &Gateway, archivio: Archivio, posto: u32, azione: &str) {
    gateway.block_on(async {
        let mut motore = Motore::connect(gateway, archivio).await;
        assert!(motore.moves(1, posto, "IN_ISTRUTTORIA").await);
        let sql = format!(
            "UPDATE schede SET stato = 'IN_EVIDENZA_CITTADINO', azione_richiesta = '{azione}' WHERE numero_domanda = 1 AND posto = {posto}"
        );
        assert!(motore.executes(sql).await);
    });
}

fn what_was_asked_for_is_given_and_nothing_else(archivio: Archivio) {
    let gateway = with_domanda(archivio);
    let client = gateway.client("pat01");
    ask(&gateway, archivio, 2, "AGGIORNARE_DATI_FIGLIO");
    assert_eq!(
        consulta(&gateway, 1).values("AzioneRichiesta"),
        ["NESSUNA", "AGGIORNARE_DATI_FIGLIO"]
    );
    // Name and quality are judged on by now; what was asked for is not.
    let troppo = MODIFICA
        .replace("<at:Nome>MARIO<", "<at:Nome>MARIA<")
        .replace("<at:PresentataDa>GENITORE<", "<at:PresentataDa>TUTORE_DEL_GENITORE<")
        .replace(
            "<at:Minori>",
            "<at:GenitoreTutelato><at:CodiceFiscale>BNCLCU84M15H501Z</at:CodiceFiscale></at:GenitoreTutelato><at:Minori>",
        );
    let rifiutata = client.post(troppo.as_bytes());
    let al = |campi: &str| format!("/at:Modifica/at:Domanda/{campi}");
    assert_eq!(
        errori(&rifiutata),
        [
            ("LAV-001".to_owned(), al("at:PresentataDa")),
            ("LAV-001".to_owned(), al("at:GenitoreTutelato/at:CodiceFiscale")),
        ],
        "{}",
        rifiutata.text()
    );
    let data = client.post(MODIFICA.as_bytes());
    assert!(registrata(&data), "{}", data.text());
    let dopo = consulta(&gateway, 1);
    assert_eq!(dopo.values("AzioneRichiesta"), ["NESSUNA", "NESSUNA"]);
    // The engine goes on with what has arrived: the state is its own.
    assert_eq!(dopo.values("Stato"), ["PRESENTATA", "IN_EVIDENZA_CITTADINO"]);
    // It is asked no more, and so may change no more.
    let ancora = client.post(
        MODIFICA
            .replace(">M-1<", ">M-2<")
            .replace("<at:Disabile>true<", "<at:Disabile>false<")
            .as_bytes(),
    );
    assert_eq!(errori(&ancora), [("LAV-001".to_owned(), DISABILE_2.to_owned())]);
}

fn an_accepted_sheet_is_paid_elsewhere(archivio: Archivio) {
    let gateway = with_domanda(archivio);
    let client = gateway.client("pat01");
    gateway.block_on(async {
        let mut motore = Motore::connect(&gateway, archivio).await;
        for posto in [1, 2] {
            assert!(motore.moves(1, posto, "IN_ISTRUTTORIA").await);
        }
        assert!(motore.moves(1, 1, "ACCOLTA").await);
        let anomalia =
            "UPDATE schede SET azione_richiesta = 'AGGIORNARE_IBAN' WHERE numero_domanda = 1 AND posto = 1";
        assert!(motore.executes(anomalia.to_owned()).await);
    });
    let troppo = client.post(MODIFICA.as_bytes());
    assert_eq!(errori(&troppo), [("LAV-001".to_owned(), DISABILE_2.to_owned())]);
    assert!(troppo.text().contains("IN_ISTRUTTORIA"), "{}", troppo.text());
    let iban = MODIFICA.replace("<at:Disabile>true<", "<at:Disabile>false<");
    let pagata = client.post(iban.as_bytes());
    assert!(registrata(&pagata), "{}", pagata.text());
    assert_eq!(
        consulta(&gateway, 1).values("AzioneRichiesta"),
        ["NESSUNA", "NESSUNA"]
    );
    assert_eq!(stati(&gateway, 1), ["ACCOLTA", "IN_ISTRUTTORIA"]);
}

fn a_child_who_is_added_to_two_domande_at_once_gets_one_sheet(archivio: Archivio) {
    let gateway = with_domanda(archivio);
    let altra = gateway.client("pat01").post(of_others("K-2").as_bytes());
    assert!(registrata(&altra), "{}", altra.text());
    let seconda = AGGIUNGI.replace(">K-1<", ">K-2<").replace(">A-1<", ">A-2<");
    let risposte: Vec<Reply> = thread::scope(|scope| {
        let invii: Vec<_> = [AGGIUNGI, &seconda]
            .into_iter()
            .map(|atto| {
                let gateway = &gateway;
                scope.spawn(move || gateway.client("pat01").post(atto.as_bytes()))
            })
            .collect();
        invii.into_iter().map(|invio| invio.join().unwrap()).collect()
    });
    let rifiutate: Vec<&Reply> = risposte.iter().filter(|reply| !registrata(reply)).collect();
    let [rifiutata] = rifiutate.as_slice() else {
        panic!("one of two is refused: {}", rifiutate.len());
    };
    assert_eq!(
        errori(rifiutata),
        [(
            "AT-006".to_owned(),
            "/at:NuovoMinore/at:Minore/at:CodiceFiscale".to_owned()
        )]
    );
    let schede = [1, 2].map(|numero| stati(&gateway, numero).len());
    assert_eq!(schede.iter().sum::<usize>(), 5);
}

fn a_child_more_and_a_domanda_for_it_at_once_get_one_sheet(archivio: Archivio) {
    const GARE: u32 = 8;
    let gateway = with_domanda(archivio);
    let client = gateway.client("pat01");
    for gara in 1..=GARE {
        let aggiungi = AGGIUNGI.replace(">A-1<", &format!(">A-{gara}<"));
        let domanda = of_others(&format!("D-{gara}"))
            .replace("00000000018", "RSSGLI21L45H501Z")
            .replacen("<at:DataNascita>2015-01-01</at:DataNascita>", "", 1);
        let (aggiunto, inviata) = thread::scope(|scope| {
            let aggiunto = scope.spawn(|| gateway.client("pat01").post(aggiungi.as_bytes()));
            let inviata = client.post(domanda.as_bytes());
            (aggiunto.join().unwrap(), inviata)
        });
        assert!(registrata(&aggiunto) ^ registrata(&inviata), "{gara}");
        // Whoever won lets go, for the next race.
        let (chiave, posti) = if registrata(&aggiunto) {
            ("K-1".to_owned(), vec![aggiunto.value("Posto").unwrap()])
        } else {
            (format!("D-{gara}"), inviata.values("Posto"))
        };
        let schede: String = posti
            .iter()
            .flat_map(|posto| ["<coop:Scheda>", posto.as_str(), "</coop:Scheda>"])
            .collect();
        let rinuncia = RINUNCIA
            .replace(">K-1<", &format!(">{chiave}<"))
            .replace(">R-1<", &format!(">R-{gara}<"))
            .replace("<coop:Scheda>2</coop:Scheda>", &schede);
        let rinunciata = client.post(rinuncia.as_bytes());
        assert!(registrata(&rinunciata), "{}", rinunciata.text());
    }
}

fn no_act_comes_to_an_annulled_domanda(archivio: Archivio) {
    let gateway = with_domanda(archivio);
    gateway.block_on(async {
        let mut motore = Motore::connect(&gateway, archivio).await;
        let adesso = match archivio {
            Archivio::Sqlite => "0",
            Archivio::Postgres => "now()",
        };
        let annullamento = format!(
            "INSERT INTO annullamenti (registrazione, annullata_il, operatore, motivo, provvedimento_numero, provvedimento_data) \
             SELECT registrazione, {adesso}, 'op', 'prova', '1', '2021-07-15' FROM domande"
        );
        assert!(motore.executes(annullamento).await);
    });
    for (atto, radice) in [
        (MODIFICA, "/at:Modifica"),
        (NESSUNA_DIFFERENZA, "/at:Modifica"),
        (AGGIUNGI, "/at:NuovoMinore"),
        (RINUNCIA, "/at:Rinuncia"),
    ] {
        let reply = gateway.client("pat01").post(atto.as_bytes());
        assert_eq!(errori(&reply), [("STA-004".to_owned(), radice.to_owned())]);
    }
}
