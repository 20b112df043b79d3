//! What goes back, byte by byte, and valid.

use uuid::Uuid;

use super::*;
use crate::catalogo::Codice;
use crate::domanda::Violazione;
use crate::soap::SoapVersion;
use crate::soap::fault::Fault;

fn dominio() -> Dominio {
    Dominio::new("INPS", "INPSSPCoopIT").unwrap()
}

/// The header of the answer to a message, as text.
fn risponde(xml: &str, regole: RegoleBusta, eccezioni: &[Eccezione]) -> String {
    let dominio = dominio();
    let ora = "2021-07-05T08:31:08.999Z".parse().unwrap();
    let scritta = IntestazioneRisposta {
        dominio: &dominio,
        identificatore: &Identificatore::mint(&dominio, 917, ora),
        ora,
        richiesta: &leggi(xml).unwrap().intestazione,
        regole,
        eccezioni,
    }
    .write();
    String::from_utf8(scritta).unwrap()
}

const RISPOSTA: &str = concat!(
    r#"<eGov_IT:Intestazione xmlns:eGov_IT="http://www.cnipa.it/schemas/2003/eGovIT/Busta1_0/" xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/" soapenv:actor="http://www.cnipa.it/eGov_it/portadominio" soapenv:mustUnderstand="1">"#,
    r#"<eGov_IT:IntestazioneMessaggio>"#,
    r#"<eGov_IT:Mittente><eGov_IT:IdentificativoParte tipo="SPC">INPS</eGov_IT:IdentificativoParte></eGov_IT:Mittente>"#,
    r#"<eGov_IT:Destinatario><eGov_IT:IdentificativoParte tipo="SPC">PatronatoEsempio</eGov_IT:IdentificativoParte></eGov_IT:Destinatario>"#,
    r#"<eGov_IT:ProfiloCollaborazione>EGOV_IT_ServizioSincrono</eGov_IT:ProfiloCollaborazione>"#,
    r#"<eGov_IT:Servizio tipo="SPC">DomandaAssegno</eGov_IT:Servizio>"#,
    r#"<eGov_IT:Azione>InviaDomanda</eGov_IT:Azione>"#,
    r#"<eGov_IT:Messaggio>"#,
    r#"<eGov_IT:Identificatore>INPS_INPSSPCoopIT_0000917_2021-07-05_10:31</eGov_IT:Identificatore>"#,
    r#"<eGov_IT:OraRegistrazione tempo="EGOV_IT_SPC">2021-07-05T10:31:08</eGov_IT:OraRegistrazione>"#,
    r#"<eGov_IT:RiferimentoMessaggio>PatronatoEsempio_PatronatoEsempioSPCoopIT_0000042_2021-07-05_10:31</eGov_IT:RiferimentoMessaggio>"#,
    r#"</eGov_IT:Messaggio>"#,
    r#"<eGov_IT:ProfiloTrasmissione inoltro="EGOV_IT_ALPIUUNAVOLTA" confermaRicezione="false"></eGov_IT:ProfiloTrasmissione>"#,
    r#"</eGov_IT:IntestazioneMessaggio></eGov_IT:Intestazione>"#,
);

#[test]
fn the_answer_swaps_the_parties_echoes_the_service_and_refers_to_the_request() {
    let scritta = risponde(RICHIESTA, RegoleBusta::LineeGuida11, &[]);
    assert_eq!(scritta, RISPOSTA);
    valida(costanti::EGOV, "busta-egov.xsd", &scritta);
}

#[test]
fn a_list_of_exceptions_stands_behind_the_message_and_is_valid_with_every_code() {
    let eccezioni: Vec<Eccezione> = CodiceEgov::TUTTI
        .iter()
        .map(|codice| Eccezione::grave(*codice, "Azione"))
        .chain([
            Eccezione::info(CodiceEgov::E401, "Sequenza"),
            Eccezione::doppione(),
            Eccezione::non_autorizzato("certificato \"altro\" <&>"),
        ])
        .collect();
    let scritta = risponde(RICHIESTA, RegoleBusta::LineeGuida11, &eccezioni);
    let (prima, dopo) = scritta.split_once("<eGov_IT:ListaEccezioni>").unwrap();
    assert_eq!(prima, RISPOSTA.strip_suffix("</eGov_IT:Intestazione>").unwrap());
    assert_eq!(dopo.matches("<eGov_IT:Eccezione ").count(), 36);
    assert!(
        dopo.contains(
            "codiceEccezione=\"EGOV_IT_110\" rilevanza=\"GRAVE\" posizione=\"Messaggio/Identificatore\""
        ),
        "{dopo}"
    );
    valida(costanti::EGOV, "busta-egov.xsd", &scritta);
}

#[test]
fn collaboration_is_echoed_to_plain_buste_alone() {
    let id = "PatronatoEsempio_PatronatoEsempioSPCoopIT_0000007_2021-07-05_10:31";
    let xml = con(
        "<eGov_IT:Servizio",
        &format!("<eGov_IT:Collaborazione>{id}</eGov_IT:Collaborazione><eGov_IT:Servizio"),
    );
    let egov = risponde(&xml, RegoleBusta::Egov11, &[]);
    assert!(egov.contains(&format!("<eGov_IT:Collaborazione>{id}</eGov_IT:Collaborazione>")));
    valida(costanti::EGOV, "busta-egov.xsd", &egov);
    assert_eq!(risponde(&xml, RegoleBusta::LineeGuida11, &[]), RISPOSTA);
}

#[test]
fn wrong_values_go_back_as_they_came_and_break_nothing() {
    let xml = con(">EGOV_IT_ServizioSincrono<", ">Profilo&lt;Errato><")
        .replace(">InviaDomanda<", "><![CDATA[</a>&]]><")
        .replace("0000042", "42")
        .replace(
            "tipo=\"SPC\">PatronatoEsempio",
            "tipo=\"SPC&quot;X\">PatronatoEsempio",
        );
    let scritta = risponde(&xml, RegoleBusta::LineeGuida11, &[]);
    for atteso in [
        ">Profilo&lt;Errato&gt;<",
        "<eGov_IT:Azione>&lt;/a&gt;&amp;</eGov_IT:Azione>",
        "PatronatoEsempio_PatronatoEsempioSPCoopIT_42_2021-07-05_10:31</eGov_IT:RiferimentoMessaggio>",
        "tipo=\"SPC&quot;X\">PatronatoEsempio<",
    ] {
        assert!(scritta.contains(atteso), "{atteso}\n{scritta}");
    }
}

#[test]
fn who_cannot_be_read_is_answered_to_as_unknown_and_always_by_us() {
    let da = RICHIESTA.find("<eGov_IT:IntestazioneMessaggio>").unwrap();
    let a = RICHIESTA.find(DOPO).unwrap() + DOPO.len();
    for xml in [
        format!("{}{}", &RICHIESTA[..da], &RICHIESTA[a..]),
        con("tipo=\"SPC\">PatronatoEsempio", "tipo=\"\">"),
    ] {
        let scritta = risponde(&xml.replace(">INPS<", ">INAIL<"), RegoleBusta::LineeGuida11, &[]);
        for atteso in [
            "<eGov_IT:Mittente><eGov_IT:IdentificativoParte tipo=\"SPC\">INPS<",
            "<eGov_IT:Destinatario><eGov_IT:IdentificativoParte tipo=\"SPC\">Sconosciuto<",
        ] {
            assert!(scritta.contains(atteso), "{atteso}\n{scritta}");
        }
        valida(costanti::EGOV, "busta-egov.xsd", &scritta);
    }
}

const CLIENT: &str = concat!(
    r#"<soapenv:Body><soapenv:Fault><faultcode xmlns:soap="http://schemas.xmlsoap.org/soap/envelope/">soap:Client</faultcode>"#,
    r#"<faultstring>EGOV_IT_001 - Formato Busta non corretto</faultstring></soapenv:Fault></soapenv:Body></soapenv:Envelope>"#,
);
const ENVELOPE: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<soapenv:Envelope xmlns:soapenv=\"http://schemas.xmlsoap.org/soap/envelope/\">";

#[test]
fn shape_a_has_no_header_and_nothing_else_to_say() {
    let scritta = String::from_utf8(errore_di_formato()).unwrap();
    assert_eq!(scritta, format!("{ENVELOPE}{CLIENT}"));
}

#[test]
fn shape_b_has_the_header_and_no_detail() {
    let scritta = String::from_utf8(errore_di_validazione(RISPOSTA.as_bytes())).unwrap();
    assert_eq!(
        scritta,
        format!("{ENVELOPE}<soapenv:Header>{RISPOSTA}</soapenv:Header>{CLIENT}")
    );
}

#[test]
fn shape_c_says_server_with_or_without_header_and_detail() {
    let server = concat!(
        r#"<soapenv:Body><soapenv:Fault><faultcode xmlns:soap="http://schemas.xmlsoap.org/soap/envelope/">soap:Server</faultcode>"#,
        r#"<faultstring>EGOV_IT_300 - Errore nel processamento del messaggio SPCoop</faultstring>"#,
    );
    let fine = "</soapenv:Fault></soapenv:Body></soapenv:Envelope>";
    let scritta = |header, dettaglio| String::from_utf8(errore_di_processamento(header, dettaglio)).unwrap();
    assert_eq!(scritta(None, None), format!("{ENVELOPE}{server}{fine}"));
    let dettaglio = Dettaglio {
        codice: "STO-001",
        testo: "servizio momentaneamente non disponibile",
    };
    assert_eq!(
        scritta(Some(RISPOSTA.as_bytes()), Some(dettaglio)),
        format!(
            "{ENVELOPE}<soapenv:Header>{RISPOSTA}</soapenv:Header>{server}<detail>\
             <varco:Errore xmlns:varco=\"http://inps.it/varco/fault\"><varco:Codice>STO-001</varco:Codice>\
             <varco:Testo>servizio momentaneamente non disponibile</varco:Testo></varco:Errore></detail>{fine}"
        )
    );
}

#[test]
fn what_we_write_is_read_back_as_a_busta_of_ours() {
    let info = [Eccezione::info(CodiceEgov::E401, "Sequenza")];
    let header = risponde(RICHIESTA, RegoleBusta::LineeGuida11, &info);
    let scritta = errore_di_validazione(header.as_bytes());
    let letta = Busta::read(&scritta, &Limits::default()).unwrap();
    assert_eq!(letta.rilievi, []);
    let intestazione = letta.intestazione;
    assert_eq!(intestazione.mittente, Some(Parte::spc("INPS")));
    assert_eq!(intestazione.destinatario, Some(Parte::spc("PatronatoEsempio")));
    assert_eq!(
        intestazione.riferimento.as_deref(),
        Some("PatronatoEsempio_PatronatoEsempioSPCoopIT_0000042_2021-07-05_10:31")
    );
    assert_eq!(intestazione.eccezioni, info);
}

#[test]
fn the_header_goes_before_whatever_the_envelope_says() {
    let con = |envelope: &str| String::from_utf8(con_intestazione(envelope.as_bytes(), b"<H/>")).unwrap();
    assert_eq!(
        con("<env:Envelope><env:Body><a>&lt;env:Header></a></env:Body></env:Envelope>"),
        "<env:Envelope><env:Header><H/></env:Header><env:Body><a>&lt;env:Header></a></env:Body></env:Envelope>"
    );
    assert_eq!(
        con("<env:Envelope><env:Header><b/></env:Header><env:Body><env:Header></env:Body></env:Envelope>"),
        "<env:Envelope><env:Header><H/><b/></env:Header><env:Body><env:Header></env:Body></env:Envelope>"
    );
    assert_eq!(
        con("<env:Envelope><env:Body><env:Header></env:Header></env:Body></env:Envelope>"),
        "<env:Envelope><env:Header><H/></env:Header><env:Body><env:Header></env:Header></env:Body></env:Envelope>"
    );
}

#[test]
fn a_fault_of_the_service_travels_in_a_busta_and_never_says_what_only_a_porta_may() {
    let violazioni = [Violazione::at(Codice::Acc003, "")];
    let fault = Fault {
        versione: SoapVersion::V11,
        violazioni: &violazioni,
        message_id: Uuid::nil(),
        non_compresi: &[],
    }
    .write();
    let insieme = con_intestazione(&fault, RISPOSTA.as_bytes());
    let letta = Busta::read(&insieme, &Limits::default()).unwrap();
    assert_eq!((letta.rilievi.len(), letta.intestazione.eccezioni.len()), (0, 0));
    let testo = String::from_utf8(insieme).unwrap();
    assert!(!testo.contains("EGOV_IT_001") && !testo.contains("EGOV_IT_300"));
    // No fault of ours has a reserved sentence.
    for codice in crate::catalogo::CODICI {
        let voce = codice.voce();
        assert!(
            !voce.it.contains("EGOV_IT_") && !voce.en.contains("EGOV_IT_"),
            "{codice}"
        );
    }
}
