//! The channel of the porte di dominio, over the wire: what docs/spcoop.md promises, statement by statement of the checklist
//! (the table there says which test holds which).

pub(crate) mod busta;
mod comandi;
mod elenco;
mod qualificazione;

use std::thread;
use std::time::Duration;

use varco::store::egov::{RicercaScambi, ScambioDi};

use self::busta::{Busta, Forma, b, forma};
use crate::helpers::{Archivio, Gateway, Setting, on_both_stores};

on_both_stores! {
    a_domanda_in_a_busta_gets_its_number_in_a_busta,
    the_same_domanda_by_modi_and_by_porta_has_one_number,
    two_hundred_copies_of_one_busta_are_one_domanda,
    what_registers_nothing_uses_up_its_busta_too,
}

/// The exchanges that are kept, in the order in which they came, once there are so many.
fn scambi(gateway: &Gateway, quanti: usize) -> Vec<ScambioDi> {
    for _ in 0..100 {
        let kept = kept(gateway);
        if kept.len() >= quanti {
            assert_eq!(kept.len(), quanti);
            return kept;
        }
        thread::sleep(Duration::from_millis(100));
    }
    panic!("the exchanges are not written");
}

fn kept(gateway: &Gateway) -> Vec<ScambioDi> {
    let ricerca = RicercaScambi {
        limite: 1000,
        ..RicercaScambi::default()
    };
    gateway.block_on(gateway.store().scambi(&ricerca)).unwrap()
}

fn a_domanda_in_a_busta_gets_its_number_in_a_busta(archivio: Archivio) {
    let gateway = Gateway::spawn(&Setting::on(archivio));
    let porta = gateway.porta("pat01");
    let busta = Busta::domanda(1, "K-1");
    let reply = porta.post_busta(&busta.bytes());
    assert_eq!(forma(&reply), Forma::Risposta(Vec::new()), "{}", reply.text());
    assert_eq!(
        reply.value("Protocollo").as_deref(),
        Some("INPS-AUF-2021-000000000001")
    );
    assert_eq!(reply.value("Canale").as_deref(), Some("PDD"));
    assert_eq!(reply.value("UserId").as_deref(), Some("pdd"));
    assert_eq!(reply.values("IdentificativoParte"), ["INPS", "PatronatoUno"]);
    assert_eq!(reply.value("Servizio").as_deref(), Some("AssegnoTemporaneo"));
    assert_eq!(reply.value("Azione").as_deref(), Some("InviaDomanda"));
    assert_eq!(
        reply.value("RiferimentoMessaggio"),
        Some(busta::identificatore(1))
    );
    let nostro = reply.value("Identificatore").unwrap();
    assert!(nostro.starts_with("INPS_INPSSPCoopIT_0000001_"), "{nostro}");

    // The same busta again: nothing is registered, nothing is told of the domanda.
    let doppia = porta.post_busta(&busta.bytes());
    assert_eq!(forma(&doppia), b(110, "Messaggio/Identificatore"));
    // A new busta with the same domanda: the receipt of then.
    let ancora = porta.post_busta(&Busta::domanda(2, "K-1").bytes());
    assert_eq!(forma(&ancora), Forma::Risposta(Vec::new()));
    assert_eq!(ancora.value("Ripetizione").as_deref(), Some("true"));
    assert_eq!(ancora.value("Protocollo"), reply.value("Protocollo"));

    let kept = scambi(&gateway, 3);
    let forme: Vec<_> = kept
        .iter()
        .map(|uno| uno.scambio.forma.map(varco::trace::egov::Forma::as_str))
        .collect();
    assert_eq!(forme, [Some("RISPOSTA"), Some("B"), Some("RISPOSTA")]);
    let primo = &kept[0].scambio;
    assert_eq!(primo.richiesta.as_deref(), Some(busta.blocco().as_bytes()));
    let risposta = primo.risposta.as_ref().unwrap();
    assert_eq!(risposta.identificatore, nostro);
    assert!(
        reply
            .text()
            .contains(std::str::from_utf8(&risposta.intestazione).unwrap())
    );
}

fn the_same_domanda_by_modi_and_by_porta_has_one_number(archivio: Archivio) {
    let gateway = Gateway::spawn(&Setting::on(archivio));
    let modi = include_str!("../../messages/domanda-registered/request.xml");
    let prima = gateway.client("pat01").post(modi.as_bytes());
    assert_eq!(prima.status, 200, "{}", prima.text());
    let dopo = gateway
        .porta("pat01")
        .post_busta(&Busta::domanda(1, "K-1").bytes());
    assert_eq!(forma(&dopo), Forma::Risposta(Vec::new()), "{}", dopo.text());
    assert_eq!(dopo.value("Ripetizione").as_deref(), Some("true"));
    let ricevuta = |testo: String| {
        let (da, a) = (
            testo.find("<Ricevuta").unwrap(),
            testo.find("</Ricevuta>").unwrap(),
        );
        testo[da..a].to_owned()
    };
    assert_eq!(ricevuta(prima.text()), ricevuta(dopo.text()));
}

fn two_hundred_copies_of_one_busta_are_one_domanda(archivio: Archivio) {
    let gateway = Gateway::spawn(&Setting::on(archivio));
    let busta = Busta::domanda(1, "K-1").bytes();
    let forme: Vec<(Forma, Option<String>)> = thread::scope(|scope| {
        let mittenti: Vec<_> = (0..20)
            .map(|_| {
                scope.spawn(|| {
                    let porta = gateway.porta("pat01");
                    (0..10)
                        .map(|_| {
                            let reply = porta.post_busta(&busta);
                            (forma(&reply), reply.value("Protocollo"))
                        })
                        .collect::<Vec<_>>()
                })
            })
            .collect();
        mittenti.into_iter().flat_map(|uno| uno.join().unwrap()).collect()
    });
    let accolte: Vec<_> = forme
        .iter()
        .filter(|(forma, _)| *forma == Forma::Risposta(Vec::new()))
        .collect();
    assert_eq!(accolte.len(), 1);
    assert_eq!(accolte[0].1.as_deref(), Some("INPS-AUF-2021-000000000001"));
    let doppie = forme
        .iter()
        .filter(|(forma, _)| *forma == b(110, "Messaggio/Identificatore"));
    assert_eq!(doppie.count(), 199);
    let verifica = gateway.block_on(gateway.store().verify()).unwrap();
    assert_eq!(verifica.registrazioni, 1);
    // Lost the answer? A new busta with the same key brings the receipt of then.
    let ancora = gateway
        .porta("pat01")
        .post_busta(&Busta::domanda(2, "K-1").bytes());
    assert_eq!(ancora.value("Ripetizione").as_deref(), Some("true"));
}

fn what_registers_nothing_uses_up_its_busta_too(archivio: Archivio) {
    let gateway = Gateway::spawn(&Setting::on(archivio));
    let porta = gateway.porta("pat01");
    let echo = Busta::echo(1);
    assert_eq!(
        forma(&porta.post_busta(&echo.bytes())),
        Forma::Risposta(Vec::new())
    );
    assert_eq!(
        forma(&porta.post_busta(&echo.bytes())),
        b(110, "Messaggio/Identificatore")
    );
    // A domanda that breaks a rule is answered by the service, in a busta; so is one that breaks the XSD.
    let mut errata = Busta::domanda(2, "K-2");
    errata.corpo = errata
        .corpo
        .replacen("<at:AffidoCondiviso>true", "<at:AffidoCondiviso>false", 1);
    let reply = porta.post_busta(&errata.bytes());
    assert_eq!(forma(&reply), Forma::Risposta(Vec::new()));
    assert_eq!(reply.value("Esito").as_deref(), Some("RIFIUTATA"));
    assert_eq!(
        forma(&porta.post_busta(&errata.bytes())),
        b(110, "Messaggio/Identificatore")
    );
    let mut invalida = Busta::domanda(3, "K-3");
    invalida.corpo = invalida
        .corpo
        .replacen("<at:Operatore>op.rossi</at:Operatore>", "", 1);
    let reply = porta.post_busta(&invalida.bytes());
    assert!(
        matches!(forma(&reply), Forma::FaultApplicativo(codice) if codice.starts_with("XSD-")),
        "{}",
        reply.text()
    );
    // What stands against the busta itself uses up nothing.
    let mut corretta = Busta::echo(4).with("EGOV_IT_ServizioSincrono", "EGOV_IT_MessaggioSingoloOneWay");
    assert_eq!(
        forma(&porta.post_busta(&corretta.bytes())),
        b(103, "ProfiloCollaborazione")
    );
    corretta = Busta::echo(4);
    assert_eq!(
        forma(&porta.post_busta(&corretta.bytes())),
        Forma::Risposta(Vec::new())
    );
    assert_eq!(
        gateway.block_on(gateway.store().verify()).unwrap().registrazioni,
        0
    );
}
