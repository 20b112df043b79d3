//! Two prestazioni on one gateway: each knows its own keys and its own children; the register, which is one, numbers both
//! without a gap.

use crate::helpers::{Client, Gateway, Reply, Setting};

const AT: &str = include_str!("../messages/domanda-registered/request.xml");
const AU: &str = include_str!("../messages/au-payment-b/request.xml");
const AU_PER_SE: &str = include_str!("../messages/au-adult-child/request.xml");

/// Both services, on a day on which the one takes domande and the other (in sandbox) warns.
fn both(gateway: &Gateway) -> [Client; 2] {
    ["AssegnoTemporaneo", "AssegnoUnicoUniversale"].map(|servizio| gateway.client_of(servizio, "pat01"))
}

fn spawn() -> Gateway {
    Gateway::spawn(&Setting {
        orologio: Some("2022-03-15T10:00:00Z".into()),
        ..Setting::default()
    })
}

fn numbers(reply: &Reply) -> (Option<String>, Option<String>) {
    (reply.value("Protocollo"), reply.value("NumeroDomanda"))
}

#[test]
fn one_register_numbers_both_and_a_key_is_unique_for_its_service() {
    let gateway = spawn();
    let [at, au] = both(&gateway);
    // The same key and the same child in both: neither knows of the other.
    assert!(AT.contains(">K-1<") && AU.contains(">K-1<"));
    assert!(AT.contains("BBBRRR14A01A001X") && AU.contains("BBBRRR14A01A001X"));
    let atteso = |n: u64| (Some(format!("INPS-AUF-2022-{n:012}")), Some(n.to_string()));
    assert_eq!(numbers(&at.post(AT.as_bytes())), atteso(1));
    assert_eq!(numbers(&au.post(AU.as_bytes())), atteso(2));
    // And each repeats its own.
    for (client, richiesta, n) in [(&at, AT, 1), (&au, AU, 2)] {
        let ancora = client.post(richiesta.as_bytes());
        assert_eq!(ancora.value("Ripetizione").as_deref(), Some("true"));
        assert_eq!(numbers(&ancora), atteso(n));
    }
    let verifica = gateway.block_on(gateway.store().verify()).unwrap();
    assert_eq!((verifica.registrazioni, verifica.anomalie), (2, Vec::new()));
}

#[test]
fn a_domanda_is_found_by_its_own_service_alone() {
    let gateway = spawn();
    let [at, au] = both(&gateway);
    let inviata = au.post(AU.as_bytes());
    let protocollo = inviata.value("Protocollo").unwrap();
    let consulta = |prefisso: &str, servizio: &str| {
        include_str!("../messages/consulta-by-chiave/request.xml")
            .replace(
                "http://inps.it/AssegnoTemporaneo/v1",
                &format!("http://inps.it/{servizio}/v1"),
            )
            .replace("xmlns:at", &format!("xmlns:{prefisso}"))
            .replace("at:Consulta", &format!("{prefisso}:Consulta"))
            .replace("at:Riferimento", &format!("{prefisso}:Riferimento"))
            .replace(">K-1<", &format!(">{protocollo}<"))
            .replace("coop:ChiaveInvio", "coop:Protocollo")
    };
    let trovata = au.post(consulta("au", "AssegnoUnicoUniversale").as_bytes());
    assert_eq!(
        trovata.value("Stato").as_deref(),
        Some("PRESENTATA"),
        "{}",
        trovata.text()
    );
    let ignota = at.post(consulta("at", "AssegnoTemporaneo").as_bytes());
    assert_eq!(
        ignota.value("Codice").as_deref(),
        Some("PRO-101"),
        "{}",
        ignota.text()
    );
    // A domanda sent to the other one's address is told so.
    let altrove = at.post(AU.as_bytes());
    assert_eq!(
        altrove.value("Codice").as_deref(),
        Some("ENV-051"),
        "{}",
        altrove.text()
    );
}

#[test]
fn of_many_copies_at_once_an_adult_child_has_one_number_and_closes_the_parents_sheet_once() {
    let gateway = spawn();
    let [_, au] = both(&gateway);
    let genitore = include_str!("../messages/au-payment-a/request.xml").replace(">K-1<", ">K-0<");
    assert_eq!(
        au.post(genitore.as_bytes()).value("Esito").as_deref(),
        Some("REGISTRATA")
    );
    let numeri: Vec<_> = std::thread::scope(|scope| {
        let mittenti: Vec<_> = (0..8)
            .map(|_| {
                scope.spawn(|| {
                    let [_, au] = both(&gateway);
                    au.post(AU_PER_SE.as_bytes()).value("Protocollo").unwrap()
                })
            })
            .collect();
        mittenti
            .into_iter()
            .map(|mittente| mittente.join().unwrap())
            .collect()
    });
    assert_eq!(numeri, vec!["INPS-AUF-2022-000000000002"; 8]);
    // The parent may not take it back.
    let ancora = genitore.replace(">K-0<", ">K-9<");
    let rifiutata = au.post(ancora.as_bytes());
    assert_eq!(
        rifiutata.values("Codice"),
        ["AU-008", "AU-005"],
        "{}",
        rifiutata.text()
    );
}
