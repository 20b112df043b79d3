//! The checklist of a receiving porta (docs/spcoop.md), as far as it can only be seen over the wire. What the header alone
//! decides is held by the tests of `egov`; the qualification's cases are in `qualificazione`. By statement:
//!
//! | | |
//! |---|---|
//! | 1, 2, 37, 39, 41, 43 | [`super`] |
//! | 3, 5, 11-17, 47, 50 | `qualificazione` |
//! | 4, 6 | `what_cannot_be_read_calls_nothing` |
//! | 7, 8 | `what_http_and_soap_ask_for_is_asked_for_in_shape_c` |
//! | 9, 28, 32 | `buste_of_other_portas_are_understood` |
//! | 10 | `the_header_is_told_by_its_namespace_and_its_actor` |
//! | 36 | `a_busta_that_brings_an_error_calls_nothing` |
//! | 38 | `our_identifiers_never_come_twice_not_even_after_a_restart` |
//! | 42, 49 | `what_could_not_be_worked_may_be_sent_again_in_the_same_busta` |
//! | 44, 45 | `a_porta_speaks_for_its_own_ente_alone` |

use std::collections::BTreeSet;
use std::thread;

use super::busta::{Busta, Forma, b, envelope, forma, identificatore};
use super::scambi;
use crate::helpers::{Archivio, FINE_DEI_TEMPI, Gateway, Setting, on_both_stores};

on_both_stores! {
    what_cannot_be_read_calls_nothing,
    what_http_and_soap_ask_for_is_asked_for_in_shape_c,
    buste_of_other_portas_are_understood,
    the_header_is_told_by_its_namespace_and_its_actor,
    a_busta_that_brings_an_error_calls_nothing,
    our_identifiers_never_come_twice_not_even_after_a_restart,
    what_could_not_be_worked_may_be_sent_again_in_the_same_busta,
    a_porta_speaks_for_its_own_ente_alone,
    who_operates_is_told_by_identity_or_by_the_adesione,
    the_body_asks_for_what_the_busta_says,
    a_manifest_of_attachments_is_refused_and_registers_nothing,
    plain_rules_are_those_of_the_partner,
    a_lot_comes_once_in_a_busta,
}

const SERVITA: Forma = Forma::Risposta(Vec::new());

fn registrate(gateway: &Gateway) -> u64 {
    gateway.block_on(gateway.store().verify()).unwrap().registrazioni
}

fn what_cannot_be_read_calls_nothing(archivio: Archivio) {
    let gateway = Gateway::spawn(&Setting::on(archivio));
    let porta = gateway.porta("pat01");
    let buona = Busta::domanda(1, "K-1").testo();
    let in_testa = buona.find("<eGov_IT:Servizio").unwrap();
    let in_fondo = buona.len() - "</soapenv:Body></soapenv:Envelope>".len();
    let con_dtd = format!("<!DOCTYPE x [<!ENTITY e \"x\">]>{buona}");
    let doppio = buona.replacen("<at:Minori>", "<at:Minori x=\"1\" x=\"2\">", 1);
    for rotta in [
        &buona[..in_testa],
        &buona[..in_fondo],
        &buona[..buona.len() - 3],
        "",
        &con_dtd,
        &doppio,
    ] {
        assert_eq!(
            forma(&porta.post_busta(rotta.as_bytes())),
            Forma::A,
            "{}",
            rotta.len()
        );
    }
    // Also where its Intestazione is wrong, or somebody else's.
    let di_altra_porta = doppio.replace("SPCoopIT_", "AltraIT_");
    assert_ne!(di_altra_porta, doppio);
    assert_eq!(forma(&porta.post_busta(di_altra_porta.as_bytes())), Forma::A);
    let altrui = gateway.porta("pat02");
    assert_eq!(forma(&altrui.post_busta(doppio.as_bytes())), Forma::A);
    let dopo = format!("{buona}<altro/>");
    assert_eq!(forma(&porta.post_busta(dopo.as_bytes())), Forma::A);
    assert_eq!(registrate(&gateway), 0);
    for uno in scambi(&gateway, 9) {
        assert!(uno.scambio.richiesta.is_none() && uno.scambio.diagnostico.is_some());
    }
    // None of them has used up the busta.
    assert_eq!(forma(&porta.post_busta(buona.as_bytes())), SERVITA);
}

fn what_http_and_soap_ask_for_is_asked_for_in_shape_c(archivio: Archivio) {
    let gateway = Gateway::spawn(&Setting::on(archivio));
    let porta = gateway.porta("pat01");
    let echo = Busta::echo(1);
    let bst005 = || Forma::C("BST-005".to_owned(), false);
    for tipo in [
        "application/soap+xml; charset=utf-8",
        "application/xml",
        "text/xml; charset=ISO-8859-1",
        "multipart/related; type=\"application/xop+xml\"; boundary=ab",
    ] {
        assert_eq!(
            forma(&porta.post_busta_as(&echo.bytes(), tipo)),
            bst005(),
            "{tipo}"
        );
    }
    assert_eq!(forma(&porta.post_as(&echo.bytes(), "text/xml")), bst005());
    let blocco = "<x:Altro xmlns:x=\"urn:x\" soapenv:mustUnderstand=\"1\"/>";
    let non_compreso = envelope(&format!("{}{blocco}", echo.blocco()), &echo.corpo);
    assert_eq!(
        forma(&porta.post_busta(non_compreso.as_bytes())),
        Forma::C("ENV-049".to_owned(), true)
    );
    let per_le_porte = blocco.replace(
        "soapenv:must",
        "soapenv:actor=\"http://www.cnipa.it/eGov_it/portadominio\" soapenv:must",
    );
    let non_compreso = envelope(&format!("{per_le_porte}{}", echo.blocco()), &echo.corpo);
    assert_eq!(
        forma(&porta.post_busta(non_compreso.as_bytes())),
        Forma::C("BST-006".to_owned(), true)
    );
    // An empty SOAPAction is one; and none of the above has used up the busta.
    assert_eq!(forma(&porta.post_with_action(&echo.bytes(), "\"\"")), SERVITA);
    assert_eq!(porta.put().status, 405);
    assert_eq!(porta.put().header("allow"), Some("POST"));
    assert_eq!(
        scambi(&gateway, 8)
            .iter()
            .filter(|uno| uno.scambio.diagnostico.is_some())
            .count(),
        5
    );
}

fn buste_of_other_portas_are_understood(archivio: Archivio) {
    let gateway = Gateway::spawn(&Setting::on(archivio));
    let porta = gateway.porta("pat01");
    let senza_prefisso = |busta: &Busta| {
        busta
            .testo()
            .replace("xmlns:eGov_IT=", "xmlns=")
            .replace("eGov_IT:", "")
    };
    let uno = Busta::domanda(1, "K-1");
    // OpenSPCoop: the default namespace, other prefixes for SOAP, blocks of its own that ask for nothing, no milliseconds.
    let openspcoop = senza_prefisso(&uno)
        .replace("soapenv:", "S:")
        .replace("xmlns:soapenv", "xmlns:S")
        .replacen("<S:Header>", "<S:Header><i:Integrazione xmlns:i=\"http://www.openspcoop.org/i\" S:mustUnderstand=\"0\" S:actor=\"http://www.openspcoop.org/i\"/>", 1);
    let reply = porta.post_busta(openspcoop.as_bytes());
    assert_eq!(forma(&reply), SERVITA, "{}", reply.text());
    assert_eq!(reply.value("Ripetizione").as_deref(), Some("false"));
    // GovWay: milliseconds; a prefix bound at the envelope; no ProfiloTrasmissione.
    let due = Busta::domanda(2, "K-1")
        .with("</eGov_IT:OraRegistrazione>", ".123</eGov_IT:OraRegistrazione>")
        .with(
            "<eGov_IT:ProfiloTrasmissione inoltro=\"EGOV_IT_ALPIUUNAVOLTA\" confermaRicezione=\"false\"/>",
            "",
        )
        .testo();
    let legame = " xmlns:eGov_IT=\"http://www.cnipa.it/schemas/2003/eGovIT/Busta1_0/\"";
    let govway =
        due.replacen(legame, "", 1)
            .replacen("<soapenv:Envelope", &format!("<soapenv:Envelope{legame}"), 1);
    let reply = porta.post_busta(govway.as_bytes());
    assert_eq!(forma(&reply), SERVITA, "{}", reply.text());
    assert_eq!(reply.value("Ripetizione").as_deref(), Some("true"));
    // SOAP with attachments, which nothing refers to.
    let tre = Busta::domanda(3, "K-1").testo();
    let parti = format!(
        "--ab\r\nContent-Type: text/xml; charset=UTF-8\r\nContent-ID: <busta>\r\n\r\n{tre}\r\n--ab\r\nContent-Type: application/pdf\r\n\
         Content-ID: <uno>\r\nContent-Transfer-Encoding: binary\r\n\r\n%PDF-1.4\r\n--ab--\r\n"
    );
    let tipo = "multipart/related; type=\"text/xml\"; start=\"<busta>\"; boundary=\"ab\"";
    let reply = porta.post_busta_as(parti.as_bytes(), tipo);
    assert_eq!(forma(&reply), SERVITA, "{}", reply.text());
    assert_eq!(reply.value("Ripetizione").as_deref(), Some("true"));
    // What the message bound outside its header is kept beside it.
    let kept = scambi(&gateway, 3);
    assert!(
        kept[1].scambio.legami.contains(legame),
        "{}",
        kept[1].scambio.legami
    );
    assert!(
        !kept[1]
            .scambio
            .richiesta
            .as_ref()
            .unwrap()
            .starts_with(legame.as_bytes())
    );
    assert_eq!(registrate(&gateway), 1);
}

fn the_header_is_told_by_its_namespace_and_its_actor(archivio: Archivio) {
    let gateway = Gateway::spawn(&Setting::on(archivio));
    let porta = gateway.porta("pat01");
    let echo = Busta::echo(1);
    let altro_spazio = echo.testo().replace("/eGovIT/", "/egovIT/");
    assert_eq!(
        forma(&porta.post_busta(altro_spazio.as_bytes())),
        b(2, "Intestazione/namespace")
    );
    let altro_attore = altro_spazio.replace("/portadominio", "/altro");
    assert_eq!(forma(&porta.post_busta(altro_attore.as_bytes())), Forma::A);
    let due = envelope(&echo.blocco().repeat(2), &echo.corpo);
    assert_eq!(forma(&porta.post_busta(due.as_bytes())), Forma::A);
    let senza_attore = echo
        .testo()
        .replace("soapenv:actor=\"http://www.cnipa.it/eGov_it/portadominio\" ", "");
    assert_eq!(
        forma(&porta.post_busta(senza_attore.as_bytes())),
        b(2, "Intestazione/actor")
    );
    assert_eq!(forma(&porta.post_busta(&echo.bytes())), SERVITA);
}

fn a_busta_that_brings_an_error_calls_nothing(archivio: Archivio) {
    let gateway = Gateway::spawn(&Setting::on(archivio));
    let porta = gateway.porta("pat01");
    let grave = "<eGov_IT:ListaEccezioni><eGov_IT:Eccezione contestoCodifica=\"ErroreIntestazioneMessaggioSPCoop\" \
                 codiceEccezione=\"EGOV_IT_101\" rilevanza=\"GRAVE\" posizione=\"Mittente\"/></eGov_IT:ListaEccezioni>";
    let reply = porta.post_busta(&Busta::domanda(1, "K-1").and(grave).bytes());
    let Forma::B(eccezioni) = forma(&reply) else {
        panic!("{}", reply.text())
    };
    assert_eq!(eccezioni, ["EGOV_IT_003 GRAVE ListaEccezioni/SOAPFault"]);
    assert_eq!(registrate(&gateway), 0);
    assert!(scambi(&gateway, 1)[0].scambio.richiesta.is_some());
}

fn our_identifiers_never_come_twice_not_even_after_a_restart(archivio: Archivio) {
    let mut visti = BTreeSet::new();
    let mut gateway = Gateway::spawn(&Setting::on(archivio));
    for giro in 0..3_u32 {
        let nostri: Vec<String> = thread::scope(|scope| {
            let gateway = &gateway;
            let mittenti: Vec<_> = (0..5_u32)
                .map(|filo| {
                    scope.spawn(move || {
                        let porta = gateway.porta("pat01");
                        (0..4_u32)
                            .map(|n| {
                                let echo = Busta::echo(giro * 100 + filo * 10 + n + 1);
                                porta.post_busta(&echo.bytes()).value("Identificatore").unwrap()
                            })
                            .collect::<Vec<_>>()
                    })
                })
                .collect();
            mittenti.into_iter().flat_map(|uno| uno.join().unwrap()).collect()
        });
        for nostro in nostri {
            let numero = nostro.strip_prefix("INPS_INPSSPCoopIT_").unwrap()[..7].to_owned();
            // Not even in another minute: it is the counter that holds, not the clock.
            assert!(visti.insert(numero), "{nostro} came twice");
        }
        gateway = Gateway::spawn_in(gateway.stop(), &Setting::on(archivio));
    }
    assert_eq!(visti.len(), 60);
}

fn what_could_not_be_worked_may_be_sent_again_in_the_same_busta(archivio: Archivio) {
    let gateway = Gateway::spawn(&Setting::on(archivio));
    let porta = gateway.porta("pat01");
    let busta = Busta::domanda(1, "K-1");
    let ora = gateway.clock_now();
    gateway.clock.set(FINE_DEI_TEMPI.parse().unwrap());
    let reply = porta.post_busta(&busta.bytes());
    assert_eq!(
        forma(&reply),
        Forma::C("SYS-001".to_owned(), true),
        "{}",
        reply.text()
    );
    assert_eq!(registrate(&gateway), 0);
    gateway.clock.set(ora);
    let reply = porta.post_busta(&busta.bytes());
    assert_eq!(forma(&reply), SERVITA, "{}", reply.text());
    assert_eq!(
        reply.value("Protocollo").as_deref(),
        Some("INPS-AUF-2021-000000000001")
    );
    let forme: Vec<_> = scambi(&gateway, 2)
        .into_iter()
        .map(|uno| uno.scambio.forma.unwrap().as_str())
        .collect();
    assert_eq!(forme, ["C", "RISPOSTA"]);
}

fn a_porta_speaks_for_its_own_ente_alone(archivio: Archivio) {
    let setting = Setting {
        operazioni: Some("echo".to_owned()),
        ..Setting::on(archivio)
    };
    let gateway = Gateway::spawn(&setting);
    let domanda = Busta::domanda(1, "K-1");
    let altrui = gateway.porta("pat02").post_busta(&domanda.bytes());
    assert_eq!(forma(&altrui), b(201, "Il certificato non è del Mittente"));
    let non_concessa = gateway.porta("pat01").post_busta(&domanda.bytes());
    assert_eq!(forma(&non_concessa), b(201, "Mittente non abilitato"));
    let ignoto = Busta::echo(2).with("\"SPC\">PatronatoUno", "\"SPC\">PatronatoTre");
    assert_eq!(
        forma(&gateway.porta("pat01").post_busta(&ignoto.bytes())),
        b(101, "Mittente/IdentificativoParte")
    );
    assert_eq!(registrate(&gateway), 0);
    for uno in scambi(&gateway, 3) {
        assert!(uno.scambio.richiesta.is_some() && uno.scambio.risposta.is_some());
    }
    assert_eq!(
        forma(&gateway.porta("pat01").post_busta(&Busta::echo(1).bytes())),
        SERVITA
    );
}

fn who_operates_is_told_by_identity_or_by_the_adesione(archivio: Archivio) {
    let identity = |ufficio: &str| {
        format!(
            "<inps:Identity xmlns:inps=\"http://inps.it/\"><UserId>op.rossi</UserId><CodiceUfficio>{ufficio}</CodiceUfficio></inps:Identity>"
        )
    };
    let gateway = Gateway::spawn(&Setting {
        pdd: Some(String::new()),
        ..Setting::on(archivio)
    });
    let porta = gateway.porta("pat01");
    let uno = Busta::domanda(1, "K-1");
    let reply = porta.post_busta(&uno.bytes());
    assert_eq!(forma(&reply), Forma::FaultApplicativo("IDN-001".to_owned()));
    let due = Busta::domanda(2, "K-1");
    let con_identity = envelope(&format!("{}{}", due.blocco(), identity("001")), &due.corpo);
    let reply = porta.post_busta(con_identity.as_bytes());
    assert_eq!(forma(&reply), SERVITA, "{}", reply.text());
    assert_eq!(reply.value("UserId").as_deref(), Some("op.rossi"));
    // An ufficio that is not the ente's is no busta of its: 201, and the Identificatore is still good.
    let tre = Busta::domanda(3, "K-3");
    let altrove = envelope(&format!("{}{}", tre.blocco(), identity("999")), &tre.corpo);
    assert_eq!(
        forma(&porta.post_busta(altrove.as_bytes())),
        b(201, "Mittente non abilitato")
    );
    let tracce = gateway
        .block_on(gateway.store().tracce(&varco::store::Ricerca::default()))
        .unwrap()
        .righe;
    let presa = tracce
        .iter()
        .find(|traccia| traccia.esito == "REGISTRATA")
        .unwrap();
    assert_eq!(presa.canale, "PDD");
    assert_eq!(presa.identity_forma.as_deref(), Some("CANONICA"));
    assert_eq!(presa.id_mittente, Some(identificatore(2)));
}

fn the_body_asks_for_what_the_busta_says(archivio: Archivio) {
    let gateway = Gateway::spawn(&Setting::on(archivio));
    let porta = gateway.porta("pat01");
    let altra = Busta::echo(1).with(">echo<", ">InviaDomanda<");
    assert_eq!(
        forma(&porta.post_busta(&altra.bytes())),
        Forma::FaultApplicativo("BST-007".to_owned())
    );
    let mut ignota = Busta::echo(2);
    ignota.corpo = ignota.corpo.replace("at:echo", "at:eco");
    assert_eq!(
        forma(&porta.post_busta(&ignota.bytes())),
        Forma::FaultApplicativo("ENV-052".to_owned())
    );
}

/// The domanda in an attachment, and in the Body the manifest that says so: what docs/spcoop.md says of it.
fn a_manifest_of_attachments_is_refused_and_registers_nothing(archivio: Archivio) {
    let gateway = Gateway::spawn(&Setting::on(archivio));
    let porta = gateway.porta("pat01");
    let mut con_manifesto = Busta::domanda(1, "K-1");
    let manifesto = "<e:Descrizione xmlns:e=\"http://www.cnipa.it/schemas/2003/eGovIT/Busta1_0/\"><e:DescrizioneMessaggio>\
         <e:Riferimento href=\"cid:domanda\" role=\"Richiesta\" e:id=\"uno\"><e:Schema posizione=\"AssegnoTemporaneo.xsd\"/>\
         <e:Titolo>Domanda</e:Titolo></e:Riferimento></e:DescrizioneMessaggio></e:Descrizione>";
    let domanda = std::mem::replace(&mut con_manifesto.corpo, manifesto.to_owned());
    let busta = con_manifesto.testo();
    let parti = format!(
        "--ab\r\nContent-Type: text/xml; charset=UTF-8\r\nContent-ID: <busta>\r\n\r\n{busta}\r\n--ab\r\nContent-Type: text/xml\r\n\
         Content-ID: <domanda>\r\n\r\n{domanda}\r\n--ab--\r\n"
    );
    let tipo = "multipart/related; type=\"text/xml\"; start=\"<busta>\"; boundary=\"ab\"";
    let reply = porta.post_busta_as(parti.as_bytes(), tipo);
    assert_eq!(
        forma(&reply),
        Forma::FaultApplicativo("ENV-052".to_owned()),
        "{}",
        reply.text()
    );
    assert_eq!(registrate(&gateway), 0);
    // The domanda itself in the Body, under the same key: nothing of the refusal is left.
    let senza = porta.post_busta(&Busta::domanda(2, "K-1").bytes());
    assert_eq!(forma(&senza), SERVITA, "{}", senza.text());
    assert_eq!(senza.value("Ripetizione").as_deref(), Some("false"));
    assert_eq!(registrate(&gateway), 1);
}

fn plain_rules_are_those_of_the_partner(archivio: Archivio) {
    let pdd = "user_id = \"pdd\"\ncodice_ufficio = \"001\"\nregole = \"1.1\"\n";
    let gateway = Gateway::spawn(&Setting {
        pdd: Some(pdd.to_owned()),
        ..Setting::on(archivio)
    });
    let porta = gateway.porta("pat01");
    // Whoever does not ask for a filter has none: it is the key that keeps the number one.
    let busta = Busta::domanda(1, "K-1")
        .with("EGOV_IT_ALPIUUNAVOLTA", "EGOV_IT_PIUDIUNAVOLTA")
        .with("EGOV_IT_SPC\"", "EGOV_IT_Locale\"");
    assert_eq!(forma(&porta.post_busta(&busta.bytes())), SERVITA);
    let ancora = porta.post_busta(&busta.bytes());
    assert_eq!(forma(&ancora), SERVITA);
    assert_eq!(ancora.value("Ripetizione").as_deref(), Some("true"));
    assert_eq!(scambi(&gateway, 2).len(), 2);
    assert_eq!(registrate(&gateway), 1);
}

fn a_lot_comes_once_in_a_busta(archivio: Archivio) {
    let gateway = Gateway::spawn(&Setting::on(archivio));
    let porta = gateway.porta("pat01");
    let una = super::busta::domanda("L-1-1");
    let (_, domanda) = una.split_once("<at:Domanda>").unwrap();
    let (domanda, _) = domanda.split_once("</at:Domanda>").unwrap();
    let lotto = |chiave: &str| {
        format!(
            "<at:InviaLotto xmlns:at=\"http://inps.it/AssegnoTemporaneo/v1\"><at:ChiaveInvio>{chiave}</at:ChiaveInvio>\
             <at:Lotto><at:InviaDomanda><at:ChiaveInvio>{chiave}-1</at:ChiaveInvio><at:Domanda>{domanda}</at:Domanda></at:InviaDomanda></at:Lotto></at:InviaLotto>"
        )
    };
    let busta = Busta::new(1, "InviaLotto", &lotto("L-1"));
    let reply = porta.post_busta(&busta.bytes());
    assert_eq!(forma(&reply), SERVITA, "{}", reply.text());
    // Another lot in the same busta is not taken in.
    let altro = Busta {
        corpo: lotto("L-2"),
        ..busta
    };
    assert_eq!(
        forma(&porta.post_busta(&altro.bytes())),
        b(110, "Messaggio/Identificatore")
    );
    let forme: Vec<_> = scambi(&gateway, 2)
        .into_iter()
        .map(|uno| uno.scambio.forma.unwrap().as_str())
        .collect();
    assert_eq!(forme, ["RISPOSTA", "B"]);
    let nuova = porta.post_busta(&Busta::new(2, "InviaLotto", &lotto("L-2")).bytes());
    assert_eq!(
        nuova.value("Ripetizione").as_deref(),
        Some("false"),
        "{}",
        nuova.text()
    );
}
