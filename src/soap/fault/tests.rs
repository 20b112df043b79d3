use super::*;
use crate::domanda::Posizione;
use crate::soap::prova::{estratto, valida};
use crate::xml::{Limits, Reader, Token};

fn violazione() -> Violazione {
    Violazione::at(
        Codice::Idn002,
        "/env:Envelope/env:Header/inps:Identity/CodiceUfficio",
    )
    .with("campo", "CodiceUfficio")
    .with("difetto", "assente")
    .placed(Posizione { riga: 3, colonna: 5 })
}

fn scrivi(versione: SoapVersion, violazioni: &[Violazione], non_compresi: &[NonCompreso]) -> String {
    let fault = Fault {
        versione,
        violazioni,
        message_id: Uuid::from_u128(1),
        non_compresi,
    };
    let scritto = String::from_utf8(fault.write()).unwrap();
    let mut reader = Reader::new(scritto.as_bytes(), &Limits::default());
    while !matches!(reader.next().unwrap(), Token::Eof) {}
    if scritto.contains("<coop:Errori>") {
        let errori = estratto(&scritto, "coop:Errori").replacen(
            "<coop:Errori",
            "<coop:Errori xmlns:coop='http://inps.it/cooperazione/v1'",
            1,
        );
        valida("cooperazione-v1.xsd", &errori);
    }
    scritto
}

#[test]
fn a_fault_of_soap_12_has_the_shape_that_clients_read() {
    assert_eq!(
        scrivi(SoapVersion::V12, &[violazione()], &[]),
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
         <env:Envelope xmlns:env=\"http://www.w3.org/2003/05/soap-envelope\"><env:Body><env:Fault>\
         <env:Code><env:Value>env:Sender</env:Value><env:Subcode>\
         <env:Value xmlns:varco=\"http://inps.it/varco/fault\">varco:InvalidRequestContent</env:Value>\
         </env:Subcode></env:Code>\
         <env:Reason><env:Text xml:lang=\"it\">header Identity: CodiceUfficio assente</env:Text></env:Reason>\
         <env:Role>http://inps.it/varco</env:Role>\
         <env:Detail xmlns:coop=\"http://inps.it/cooperazione/v1\"><coop:Errori>\
         <coop:IdMessaggio>00000000-0000-0000-0000-000000000001</coop:IdMessaggio>\
         <coop:Errore><coop:Codice>IDN-002</coop:Codice>\
         <coop:Testo>header Identity: CodiceUfficio assente</coop:Testo>\
         <coop:TestoInglese>header Identity: CodiceUfficio missing or blank</coop:TestoInglese>\
         <coop:Suggerimento>UserId e CodiceUfficio sono sempre obbligatori e non vuoti; chi non ha uffici invia \
         CodiceUfficio 001.</coop:Suggerimento>\
         <coop:Percorso>/env:Envelope/env:Header/inps:Identity/CodiceUfficio</coop:Percorso>\
         <coop:Riga>3</coop:Riga><coop:Colonna>5</coop:Colonna><coop:Ripetere>false</coop:Ripetere>\
         <coop:Documentazione>docs/errori.md#idn-002</coop:Documentazione></coop:Errore></coop:Errori>\
         <problem xmlns=\"urn:ietf:rfc:7807\"><type>docs/errori.md#idn-002</type>\
         <title>InvalidRequestContent</title><status>400</status>\
         <detail>header Identity: CodiceUfficio assente</detail>\
         <varco_id>00000000-0000-0000-0000-000000000001</varco_id></problem>\
         </env:Detail></env:Fault></env:Body></env:Envelope>"
    );
}

#[test]
fn a_fault_of_soap_11_is_unqualified_inside() {
    let scritto = scrivi(SoapVersion::V11, &[violazione()], &[]);
    let fault = estratto(&scritto, "env:Fault");
    assert!(
        fault.starts_with(
            "<env:Fault><faultcode>env:Client</faultcode>\
             <faultstring>header Identity: CodiceUfficio assente</faultstring>\
             <faultactor>http://inps.it/varco</faultactor>\
             <detail xmlns:coop=\"http://inps.it/cooperazione/v1\"><coop:Errori>"
        ),
        "{fault}"
    );
    assert!(fault.ends_with("</problem></detail></env:Fault>"));
    assert!(scritto.contains("xmlns:env=\"http://schemas.xmlsoap.org/soap/envelope/\""));
}

#[test]
fn who_must_act_is_told_by_code_and_status() {
    for (codice, v12, v11, status, problem) in [
        (Codice::Env002, "env:Sender", "env:Client", 500, 400),
        (Codice::Env025, "env:Sender", "env:Client", 500, 413),
        (Codice::Rpl001, "env:Sender", "env:Client", 500, 409),
        (Codice::Env052, "env:Sender", "env:Client", 500, 404),
        (
            Codice::Env040,
            "env:VersionMismatch",
            "env:VersionMismatch",
            500,
            400,
        ),
        (
            Codice::Env049,
            "env:MustUnderstand",
            "env:MustUnderstand",
            500,
            400,
        ),
        (Codice::Sto001, "env:Receiver", "env:Server", 503, 503),
        (Codice::Idn101, "env:Sender", "env:Client", 500, 400),
    ] {
        let violazioni = [Violazione::at(codice, "")];
        for (versione, colpa) in [(SoapVersion::V12, v12), (SoapVersion::V11, v11)] {
            let fault = Fault {
                versione,
                violazioni: &violazioni,
                message_id: Uuid::from_u128(1),
                non_compresi: &[],
            };
            assert_eq!(fault.http_status(), status);
            let scritto = scrivi(versione, &violazioni, &[]);
            assert!(scritto.contains(&format!(">{colpa}</")), "{scritto}");
            assert!(
                scritto.contains(&format!("<status>{problem}</status>")),
                "{scritto}"
            );
            // No path was known: then there is no empty one.
            assert!(!scritto.contains("Percorso"), "{scritto}");
        }
    }
    let ripetere = scrivi(SoapVersion::V12, &[Violazione::at(Codice::Sto001, "")], &[]);
    assert!(ripetere.contains("<coop:Ripetere>true</coop:Ripetere>"));
}

#[test]
fn the_header_of_a_fault_names_what_we_speak_and_what_we_did_not_understand() {
    let scritto = scrivi(SoapVersion::V12, &[Violazione::at(Codice::Env040, "")], &[]);
    assert!(
        scritto.contains(
            "<env:Header><env:Upgrade>\
             <env:SupportedEnvelope qname=\"v:Envelope\" xmlns:v=\"http://www.w3.org/2003/05/soap-envelope\"></env:SupportedEnvelope>\
             <env:SupportedEnvelope qname=\"v:Envelope\" xmlns:v=\"http://schemas.xmlsoap.org/soap/envelope/\"></env:SupportedEnvelope>\
             </env:Upgrade></env:Header><env:Body>"
        ),
        "{scritto}"
    );
    let ignoti = [
        NonCompreso {
            namespace: "urn:\"x".to_owned(),
            locale: "a".to_owned(),
        },
        NonCompreso {
            namespace: String::new(),
            locale: "b".to_owned(),
        },
    ];
    let scritto = scrivi(SoapVersion::V12, &[Violazione::at(Codice::Env049, "")], &ignoti);
    assert!(
        scritto.contains(
            "<env:Header><env:NotUnderstood qname=\"n:a\" xmlns:n=\"urn:&quot;x\"></env:NotUnderstood>\
             <env:NotUnderstood qname=\"b\"></env:NotUnderstood></env:Header>"
        ),
        "{scritto}"
    );
    let scritto = scrivi(SoapVersion::V11, &[Violazione::at(Codice::Env049, "")], &ignoti);
    assert!(!scritto.contains("NotUnderstood"));
}

#[test]
fn several_errors_are_one_sentence_and_a_bounded_list() {
    let conta = |quanti: usize| {
        let violazioni = vec![violazione(); quanti];
        let scritto = scrivi(SoapVersion::V12, &violazioni, &[]);
        let ragione = estratto(&scritto, "env:Reason").to_owned();
        (ragione, scritto.matches("<coop:Errore>").count())
    };
    let frase = |coda: &str| {
        format!(
            "<env:Reason><env:Text xml:lang=\"it\">header Identity: CodiceUfficio assente{coda}</env:Text></env:Reason>"
        )
    };
    assert_eq!(conta(2), (frase(" (e un altro errore)"), 2));
    assert_eq!(conta(5), (frase(" (e altri 4 errori)"), 5));
    assert_eq!(conta(120), (frase(" (e altri 119 errori)"), 100));
    // A fault without a cause is ours.
    let (ragione, errori) = conta(0);
    assert!(ragione.contains("servizio momentaneamente non disponibile"));
    assert_eq!(errori, 0);
}

#[test]
fn nothing_of_a_message_gets_into_the_markup() {
    let ostile = Violazione::at(Codice::Env041, "/a[\"<\u{1}]")
        .with("atteso", "x")
        .with("trovato", "</env:Text><b>&\u{0}\u{FFFF}]]>\r\n");
    let scritto = scrivi(SoapVersion::V12, &[ostile], &[]);
    assert!(
        scritto.contains("&lt;/env:Text&gt;&lt;b&gt;&amp;\u{FFFD}\u{FFFD}]]&gt;&#13;"),
        "{scritto}"
    );
}
