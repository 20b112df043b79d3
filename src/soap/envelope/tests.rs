use proptest::prelude::*;

use super::*;
use crate::prestazione::assegno_temporaneo::PRESTAZIONE;
use crate::soap::prova::{apri, busta};

const ECHO: &str = "<at:echo/>";

#[track_caller]
fn rifiutata(xml: &str, codice: &str, riga: u32, colonna: u32) -> EnvelopeError {
    let errore = apri(xml).expect_err(xml);
    check_violazione(&errore.violazione(), xml, codice, riga, colonna);
    errore
}

#[track_caller]
fn check_violazione(violazione: &Violazione, xml: &str, codice: &str, riga: u32, colonna: u32) {
    let posizione = violazione.posizione.unwrap();
    assert_eq!(
        (violazione.codice.as_str(), posizione.riga, posizione.colonna),
        (codice, riga, colonna),
        "{xml}"
    );
    for (testo, places) in [
        (violazione.testo(), violazione.voce().it),
        (violazione.testo_inglese(), violazione.voce().en),
        (violazione.suggerimento(), violazione.voce().suggerimento),
    ] {
        for nome in places
            .split('{')
            .skip(1)
            .filter_map(|resto| resto.split('}').next())
        {
            assert!(!testo.contains(&format!("{{{nome}}}")), "{testo}");
        }
    }
}

#[test]
fn the_envelope_alone_tells_the_version() {
    for versione in [SoapVersion::V12, SoapVersion::V11] {
        let xml = busta(versione, "", ECHO);
        let envelope = apri(&xml).unwrap();
        assert_eq!(envelope.versione, versione);
        assert_eq!(
            (envelope.namespace.as_str(), envelope.operazione.as_str()),
            (PRESTAZIONE.namespace, "echo")
        );
        assert_eq!(envelope.operazione_di(&PRESTAZIONE), Ok(Operazione::Echo));
        assert!(xml[envelope.corpo.offset()..].starts_with(ECHO));
    }
}

#[test]
fn prefixes_spaces_comments_and_a_missing_header_are_nobodys_fault() {
    for xml in [
        "<Envelope xmlns='http://www.w3.org/2003/05/soap-envelope'><Body><echo xmlns='http://inps.it/AssegnoTemporaneo/v1'/></Body></Envelope>",
        "\u{FEFF}<?xml version='1.0'?><!-- - --><x:Envelope xmlns:x='http://schemas.xmlsoap.org/soap/envelope/' x:encodingStyle=''>\n<!-- --> <x:Body a='1' wsu:Id='body' xmlns:wsu='urn:u'> <!-- x --> <q:echo xmlns:q='http://inps.it/AssegnoTemporaneo/v1'/></x:Body></x:Envelope>",
    ] {
        let envelope = apri(xml).unwrap();
        assert_eq!(
            envelope.operazione_di(&PRESTAZIONE),
            Ok(Operazione::Echo),
            "{xml}"
        );
        let mut reader = Reader::resume(xml.as_bytes(), &envelope.corpo, &Limits::default());
        let operazione = loop {
            match reader.next().unwrap() {
                Token::Start { nome, .. } => break nome.locale.to_owned(),
                Token::Text(testo) => assert_eq!(testo.trim(), ""),
                altro => panic!("{altro:?}"),
            }
        };
        assert_eq!(operazione, "echo");
        assert_eq!(reader.posizione(), envelope.posizione);
    }
}

#[test]
fn what_is_no_envelope_says_what_was_expected_and_what_came() {
    let errore = rifiutata(
        "<Envelope xmlns='http://www.w3.org/2001/12/soap-envelope'/>",
        "ENV-040",
        1,
        1,
    );
    assert_eq!(errore.versione(), None);
    let errore = rifiutata("<Envelope/>", "ENV-040", 1, 1);
    assert_eq!(
        errore.violazione().testo(),
        "versione SOAP sconosciuta: trovato {}Envelope"
    );
    let errore = rifiutata("<a:InviaDomanda xmlns:a='urn:a'/>", "ENV-041", 1, 1);
    assert_eq!(
        errore.violazione().testo(),
        "il messaggio non è una busta SOAP: atteso {http://www.w3.org/2003/05/soap-envelope}Envelope, \
         trovato {urn:a}InviaDomanda"
    );
    rifiutata("{}", "ENV-019", 1, 1);
    rifiutata("", "ENV-001", 1, 1);
}

#[test]
fn an_envelope_has_its_parts_once_and_in_order() {
    let env = "<e:Envelope xmlns:e='http://www.w3.org/2003/05/soap-envelope'>";
    for (resto, codice, colonna) in [
        ("<e:Header/><e:Header/><e:Body><a/></e:Body>", "ENV-042", 12),
        ("<e:Corpo/><e:Body><a/></e:Body>", "ENV-043", 1),
        (
            "<Body xmlns='http://schemas.xmlsoap.org/soap/envelope/'><a/></Body>",
            "ENV-043",
            1,
        ),
        ("<e:Header/>", "ENV-044", 12),
        ("<e:Body/>", "ENV-045", 10),
        ("<e:Body> <!-- x --></e:Body>", "ENV-045", 20),
        ("x<e:Body><a/></e:Body>", "ENV-046", 1),
        ("<e:Header>x</e:Header><e:Body><a/></e:Body>", "ENV-046", 11),
        ("<e:Body>x<a/></e:Body>", "ENV-046", 9),
        (
            "<e:Header><a e:mustUnderstand='forse'/></e:Header><e:Body><a/></e:Body>",
            "ENV-050",
            11,
        ),
    ] {
        let errore = rifiutata(&format!("{env}\n{resto}</e:Envelope>"), codice, 2, colonna);
        assert_eq!(errore.versione(), Some(SoapVersion::V12));
    }
    let errore = rifiutata(
        &format!("{env}\n<Body xmlns='http://schemas.xmlsoap.org/soap/envelope/'/></e:Envelope>"),
        "ENV-043",
        2,
        1,
    );
    assert_eq!(
        errore.violazione().testo(),
        "elemento inatteso nella busta: atteso {http://www.w3.org/2003/05/soap-envelope}Body, \
         trovato {http://schemas.xmlsoap.org/soap/envelope/}Body"
    );
}

#[test]
fn after_the_body_child_the_envelope_only_closes() {
    let env = "<e:Envelope xmlns:e='http://www.w3.org/2003/05/soap-envelope'><e:Body><a><b/></a>";
    for (resto, codice, colonna) in [
        ("</e:Body></e:Envelope>", None, 0),
        (" <!-- x --> </e:Body>\n</e:Envelope> <!-- -->\n", None, 0),
        ("<c/></e:Body></e:Envelope>", Some("ENV-047"), 1),
        ("x</e:Body></e:Envelope>", Some("ENV-046"), 1),
        ("</e:Body>x</e:Envelope>", Some("ENV-046"), 10),
        ("</e:Body><e:Body/></e:Envelope>", Some("ENV-048"), 10),
        ("</e:Body><c/></e:Envelope>", Some("ENV-048"), 10),
        ("</e:Body><e:Header/></e:Envelope>", Some("ENV-042"), 10),
        ("</e:Body></e:Envelope><e/>", Some("ENV-019"), 23),
        ("</e:Body></e:Envelope>x", Some("ENV-019"), 23),
        ("</e:Body>", Some("ENV-002"), 10),
        ("</e:Body></e:Header>", Some("ENV-010"), 10),
    ] {
        let xml = format!("{env}\n{resto}");
        let envelope = apri(&xml).unwrap();
        let mut reader = Reader::resume(xml.as_bytes(), &envelope.corpo, &Limits::default());
        let fuori = reader.depth();
        loop {
            if matches!(reader.next().unwrap(), Token::End { .. }) && reader.depth() == fuori {
                break;
            }
        }
        match (envelope.close(&mut reader), codice) {
            (Ok(()), None) => {}
            (Err(errore), Some(codice)) => check_violazione(&errore.violazione(), &xml, codice, 2, colonna),
            (esito, _) => panic!("{esito:?}\n{xml}"),
        }
    }
}

#[test]
fn what_must_be_understood_and_is_not_is_refused_by_name() {
    const WSSE: &str = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd";
    let wsa = format!("xmlns:w='{WSA}'");
    let reply = |dove: &str| {
        format!("<w:ReplyTo {wsa} env:mustUnderstand='1'><w:Address> {dove} </w:Address></w:ReplyTo>")
    };
    let compresi = [
        "<inps:Identity env:mustUnderstand='true'/>".to_owned(),
        "<UserId env:mustUnderstand='1'>x</UserId><inps:CodiceUfficio env:mustUnderstand='1'/>".to_owned(),
        format!(
            "<w:MessageID {wsa} env:mustUnderstand='1'>a</w:MessageID><w:To {wsa} env:mustUnderstand='1'/>"
        ),
        reply("http://www.w3.org/2005/08/addressing/anonymous"),
        format!("<s:Security xmlns:s='{WSSE}'/>"),
        format!("<s:Security xmlns:s='{WSSE}' env:mustUnderstand=' false '/>"),
        "<x:X xmlns:x='urn:x'/><x:X xmlns:x='urn:x' env:mustUnderstand='0' mustUnderstand='1'/>".to_owned(),
    ];
    for versione in [SoapVersion::V12, SoapVersion::V11] {
        for header in &compresi {
            assert!(apri(&busta(versione, header, ECHO)).is_ok(), "{header}");
        }
        for header in [
            "<x:X xmlns:x='urn:x' env:mustUnderstand='1'/>".to_owned(),
            "<x:X xmlns:x='urn:x' env:mustUnderstand='true'><env:Body/></x:X>".to_owned(),
            format!("<s:Security xmlns:s='{WSSE}' env:mustUnderstand='1'/>"),
            reply("http://altrove.example/"),
        ] {
            let errore = rifiutata(&busta(versione, &header, ECHO), "ENV-049", 2, 13);
            assert_eq!(errore.versione(), Some(versione));
            assert_eq!(errore.non_compresi().len(), 1);
        }
    }
    let due = "<a xmlns='urn:x' env:mustUnderstand='1'/><b env:mustUnderstand='1'/><a xmlns='urn:y'/>";
    let errore = rifiutata(&busta(SoapVersion::V12, due, ECHO), "ENV-049", 2, 13);
    assert_eq!(
        errore.violazione().testo(),
        "intestazioni con mustUnderstand non comprese: {urn:x}a, {}b"
    );
}

#[test]
fn blocks_for_others_are_not_ours_to_understand() {
    let blocco = |attributo: &str| format!("<x:X xmlns:x='urn:x' env:mustUnderstand='1' {attributo}/>");
    let v12 = "http://www.w3.org/2003/05/soap-envelope/role";
    for (versione, attributo, nostro) in [
        (SoapVersion::V12, format!("env:role='{v12}/none'"), false),
        (SoapVersion::V12, "env:role='urn:altro'".to_owned(), false),
        (SoapVersion::V12, format!("env:role='{v12}/next'"), true),
        (
            SoapVersion::V12,
            format!("env:role='{v12}/ultimateReceiver'"),
            true,
        ),
        (SoapVersion::V12, "env:actor='urn:altro'".to_owned(), true),
        (SoapVersion::V12, "role='urn:altro'".to_owned(), true),
        (SoapVersion::V11, "env:actor='urn:altro'".to_owned(), false),
        (
            SoapVersion::V11,
            "env:actor='http://schemas.xmlsoap.org/soap/actor/next'".to_owned(),
            true,
        ),
        (SoapVersion::V11, "env:actor=''".to_owned(), true),
        (SoapVersion::V11, "env:role='urn:altro'".to_owned(), true),
    ] {
        let esito = apri(&busta(versione, &blocco(&attributo), ECHO));
        assert_eq!(esito.is_err(), nostro, "{versione:?} {attributo}");
    }
}

#[test]
fn addressing_is_read_trimmed() {
    let header = format!(
        "<w:MessageID xmlns:w='{WSA}'>\n 8d7c </w:MessageID><w:Action xmlns:w='{WSA}'/><w:To xmlns:w='{WSA}'>a&amp;b</w:To>"
    );
    let envelope = apri(&busta(SoapVersion::V12, &header, ECHO)).unwrap();
    assert_eq!(envelope.wsa_message_id(), Some("8d7c"));
    assert_eq!(envelope.wsa_action(), None);
    assert_eq!(envelope.wsa_to(), Some("a&b"));
}

#[test]
fn an_operation_is_missed_with_both_names() {
    let envelope = apri(&busta(SoapVersion::V12, "", "<echo/>")).unwrap();
    let errore = envelope.operazione_di(&PRESTAZIONE).unwrap_err();
    check_violazione(&errore.violazione(), "", "ENV-051", 3, 11);
    assert_eq!(
        errore.violazione().testo(),
        "operazione nel namespace sbagliato: atteso {http://inps.it/AssegnoTemporaneo/v1}echo, trovato {}echo"
    );
    let envelope = apri(&busta(SoapVersion::V12, "", "<at:Invia/>")).unwrap();
    let errore = envelope.operazione_di(&PRESTAZIONE).unwrap_err();
    check_violazione(&errore.violazione(), "", "ENV-052", 3, 11);
    assert_eq!(errore.violazione().voce().genere.nome(), "UndefinedOperation");
}

#[test]
fn a_stream_is_opened_as_soon_as_the_body_child_begins_and_not_before() {
    let header = "<inps:Identity><UserId>à</UserId><CodiceUfficio>001</CodiceUfficio></inps:Identity>";
    let xml = busta(
        SoapVersion::V12,
        header,
        "<at:InviaDomanda at:x='>'><at:ChiaveInvio>1</at:ChiaveInvio></at:InviaDomanda>",
    );
    let fine_tag = xml.find("at:x='>'>").unwrap() + "at:x='>'>".len();
    let intera = apri(&xml).unwrap();
    for taglio in 0..xml.len() {
        let inizio = &xml.as_bytes()[..taglio];
        match Envelope::open(inizio, false, &Limits::default()).unwrap() {
            Apertura::ServeAltro => {
                assert!(taglio < fine_tag, "{taglio}");
                let errore = Envelope::open(inizio, true, &Limits::default()).unwrap_err();
                let atteso = if taglio == 0 {
                    Codice::Env001
                } else {
                    Codice::Env002
                };
                assert_eq!(errore.violazione().codice, atteso, "{taglio}");
            }
            Apertura::Aperta(envelope) => {
                assert!(taglio >= fine_tag, "{taglio}");
                assert_eq!(*envelope, intera);
            }
        }
    }
}

#[test]
fn the_head_is_bounded_whether_the_rest_has_come_or_not() {
    let limits = Limits {
        envelope_head_bytes_max: 1000,
        header_blocks_max: 2,
        ..Limits::default()
    };
    let lunga = busta(SoapVersion::V12, &format!("<a>{}</a>", "x".repeat(2000)), ECHO);
    for (bytes, finito) in [
        (lunga.as_bytes(), true),
        (lunga.as_bytes(), false),
        (&lunga.as_bytes()[..1001], false),
    ] {
        let errore = Envelope::open(bytes, finito, &limits).unwrap_err();
        assert_eq!(errore.violazione().codice, Codice::Env028);
        assert_eq!(errore.versione(), Some(SoapVersion::V12));
    }
    assert!(matches!(
        Envelope::open(&lunga.as_bytes()[..1000], false, &limits),
        Ok(Apertura::ServeAltro)
    ));
    let lungo_corpo = busta(
        SoapVersion::V12,
        "",
        &format!("<at:echo>{}</at:echo>", "x".repeat(2000)),
    );
    assert!(matches!(
        Envelope::open(lungo_corpo.as_bytes(), true, &limits),
        Ok(Apertura::Aperta(_))
    ));
    let tre = busta(SoapVersion::V12, "<a/><b/><c/>", ECHO);
    let errore = Envelope::open(tre.as_bytes(), true, &limits).unwrap_err();
    check_violazione(&errore.violazione(), &tre, "ENV-027", 2, 21);
}

#[test]
fn values_of_header_blocks_are_not_in_debug_output() {
    let header = "<inps:Identity><UserId>SEGRETO</UserId></inps:Identity>";
    let envelope = apri(&busta(SoapVersion::V12, header, ECHO)).unwrap();
    assert!(!format!("{envelope:?}").contains("SEGRETO"));
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn pieces_of_envelopes_in_any_order_never_panic(
        pezzi in proptest::collection::vec(
            proptest::sample::select(vec![
                "<env:Envelope xmlns:env='http://www.w3.org/2003/05/soap-envelope'>", "<env:Header>", "<env:Body>",
                "</env:Envelope>", "</env:Header>", "</env:Body>", "<env:Header/>", "<env:Body/>", "<a>", "</a>", "<a/>",
                "<b env:mustUnderstand='1'/>", "<b env:mustUnderstand='x'/>", "<Identity xmlns='http://inps.it/'/>", " ", "x",
                "<UserId>", "</UserId>",
            ]),
            0..16,
        ),
        finito: bool,
    ) {
        let xml: String = pezzi.concat();
        match Envelope::open(xml.as_bytes(), finito, &Limits::default()) {
            Ok(Apertura::Aperta(envelope)) => {
                let _ = crate::soap::identity::Identity::read(&envelope, true);
                let mut reader = Reader::resume(xml.as_bytes(), &envelope.corpo, &Limits::default());
                let _ = envelope.close(&mut reader);
            }
            Ok(Apertura::ServeAltro) => prop_assert!(!finito),
            Err(errore) => prop_assert!(errore.violazione().posizione.is_some()),
        }
    }
}
