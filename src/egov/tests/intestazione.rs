//! What can be answered to and what cannot; what a wrong value is called.

use super::*;

const EGOV_DICHIARATO: &str = " xmlns:eGov_IT=\"http://www.cnipa.it/schemas/2003/eGovIT/Busta1_0/\"";
const ID: &str = "PatronatoEsempio_PatronatoEsempioSPCoopIT_0000042_2021-07-05_10:31";
const MITTENTE: &str = "<eGov_IT:Mittente><eGov_IT:IdentificativoParte tipo=\"SPC\">PatronatoEsempio</eGov_IT:IdentificativoParte></eGov_IT:Mittente>";
const DESTINATARIO: &str = "<eGov_IT:Destinatario><eGov_IT:IdentificativoParte tipo=\"SPC\">INPS</eGov_IT:IdentificativoParte></eGov_IT:Destinatario>";

/// The element that begins and ends with this name, as it stands in the published request.
fn elemento(nome: &str) -> &'static str {
    let da = RICHIESTA.find(&format!("<eGov_IT:{nome}")).unwrap();
    let chiusura = format!("</eGov_IT:{nome}>");
    let dopo = &RICHIESTA[da..];
    let a = match dopo.find(&chiusura) {
        Some(a) => a + chiusura.len(),
        None => dopo.find("/>").unwrap() + 2,
    };
    &dopo[..a]
}

#[test]
fn without_a_header_that_can_be_trusted_nothing_is_answered_to() {
    for xml in [
        "",
        "non è XML",
        "<a/>",
        "<!DOCTYPE a [<!ENTITY e 'x'>]><a>&e;</a>",
        "<soapenv:Envelope xmlns:soapenv=\"http://schemas.xmlsoap.org/soap/envelope/\"/>",
        "<soapenv:Envelope xmlns:soapenv=\"http://schemas.xmlsoap.org/soap/envelope/\"><soapenv:Body/></soapenv:Envelope>",
        "<soapenv:Envelope xmlns:soapenv=\"http://schemas.xmlsoap.org/soap/envelope/\"><soapenv:Header/><soapenv:Body/></soapenv:Envelope>",
        &RICHIESTA.replace(
            "http://schemas.xmlsoap.org/soap/envelope/",
            "http://www.w3.org/2003/05/soap-envelope",
        ),
        &format!("<!DOCTYPE x>{RICHIESTA}"),
        &RICHIESTA[..RICHIESTA.len() / 2],
    ] {
        assert_eq!(esito(xml), "A", "{xml}");
    }
}

#[test]
fn two_headers_are_never_served() {
    let intestazione = elemento("Intestazione");
    assert_eq!(esito(&con(intestazione, &intestazione.repeat(2))), "A");
    let di_altro = intestazione.replace("Busta1_0", "Busta2_0");
    assert_eq!(
        esito(&con(intestazione, &format!("{intestazione}{di_altro}"))),
        "A"
    );
}

#[test]
fn a_header_is_told_by_its_actor_or_by_its_namespace() {
    let namespace = "http://www.cnipa.it/schemas/2003/eGovIT/Busta1_0/";
    let altro = "http://www.cnipa.it/schemas/2003/egovIT/Busta1_0/";
    assert_eq!(
        esito(&con(namespace, altro)),
        "B 002 GRAVE Intestazione/namespace"
    );
    assert_eq!(
        esito(&con(namespace, altro).replace("/portadominio", "/altraporta")),
        "A"
    );
    assert_eq!(
        esito(&con("soapenv:mustUnderstand=\"1\"", "").replace("soapenv:actor=", "actor=")),
        "B 002 GRAVE Intestazione/actor, 002 GRAVE Intestazione/mustUnderstand"
    );
}

#[test]
fn an_actor_or_must_understand_that_is_wrong_or_absent_is_said() {
    let actor = "soapenv:actor=\"http://www.cnipa.it/eGov_it/portadominio\"";
    tavola(&[
        (actor, "", "B 002 GRAVE Intestazione/actor"),
        (
            actor,
            "actor=\"http://www.cnipa.it/eGov_it/portadominio\"",
            "B 002 GRAVE Intestazione/actor",
        ),
        (
            "soapenv:mustUnderstand=\"1\"",
            "",
            "B 002 GRAVE Intestazione/mustUnderstand",
        ),
        (
            "soapenv:mustUnderstand=\"1\"",
            "soapenv:mustUnderstand=\"2\"",
            "B 002 GRAVE Intestazione/mustUnderstand",
        ),
        (
            "soapenv:mustUnderstand=\"1\"",
            "soapenv:mustUnderstand=\"true\"",
            "B 002 GRAVE Intestazione/mustUnderstand",
        ),
    ]);
}

#[test]
fn what_identifies_and_is_missing_cannot_be_answered_to() {
    for da in [
        MITTENTE,
        DESTINATARIO,
        elemento("Messaggio>"),
        elemento("Identificatore"),
        "<eGov_IT:IdentificativoParte tipo=\"SPC\">INPS</eGov_IT:IdentificativoParte>",
        "<eGov_IT:IdentificativoParte tipo=\"SPC\">PatronatoEsempio</eGov_IT:IdentificativoParte>",
    ] {
        assert_eq!(esito(&con(da, "")), "A", "{da}");
    }
}

#[test]
fn whatever_stands_once_and_comes_twice_cannot_be_answered_to() {
    for da in [
        "IntestazioneMessaggio",
        "Mittente",
        "Destinatario",
        "ProfiloCollaborazione",
        "Servizio",
        "Azione",
        "Messaggio>",
        "Identificatore",
        "OraRegistrazione",
        "Scadenza",
        "ProfiloTrasmissione",
    ] {
        let uno = elemento(da);
        assert_eq!(esito(&con(uno, &uno.repeat(2))), "A", "{da}");
    }
    let nel_messaggio = format!("<eGov_IT:RiferimentoMessaggio>{ID}</eGov_IT:RiferimentoMessaggio>");
    let scadenza = elemento("Scadenza");
    assert_eq!(
        esito(&con(scadenza, &nel_messaggio.repeat(2))),
        "A",
        "RiferimentoMessaggio"
    );
    for lista in ["ListaRiscontri", "ListaTrasmissioni", "ListaEccezioni"] {
        let xml = con_lista(&format!("<eGov_IT:{lista}/>").repeat(2));
        assert_eq!(esito(&xml), "A", "{lista}");
    }
    for uno in [
        "<eGov_IT:Sequenza numeroProgressivo=\"0000001\"/>",
        &format!("<eGov_IT:Collaborazione>{ID}</eGov_IT:Collaborazione>"),
    ] {
        assert_eq!(
            esito(&con(DOPO, &format!("{}{DOPO}", uno.repeat(2)))),
            "A",
            "{uno}"
        );
    }
}

#[test]
fn a_header_without_its_message_is_answered_to_nobody_known() {
    let xml = con(elemento("IntestazioneMessaggio"), "");
    assert_eq!(esito(&xml), "B 002 GRAVE IntestazioneMessaggio");
    let dietro = con_lista("").replace(
        "<eGov_IT:IntestazioneMessaggio>",
        "<eGov_IT:ListaRiscontri/><eGov_IT:IntestazioneMessaggio>",
    );
    assert_eq!(
        esito(&dietro),
        "B 002 GRAVE IntestazioneMessaggio, 115 INFO ListaRiscontri, 115 GRAVE ListaRiscontri"
    );
}

#[test]
fn an_empty_value_is_said_where_it_stands() {
    tavola(&[
        (
            "tipo=\"SPC\">PatronatoEsempio",
            "tipo=\"\">PatronatoEsempio",
            "B 101 GRAVE Mittente/IdentificativoParte/tipo",
        ),
        (
            "tipo=\"SPC\">INPS",
            "tipo=\"\">INPS",
            "B 102 GRAVE Destinatario/IdentificativoParte/tipo",
        ),
        (ID, "", "B 107 GRAVE Messaggio/Identificatore"),
        (">DomandaAssegno<", "> <", "B 105 GRAVE Servizio"),
        (">InviaDomanda<", "><", "B 106 GRAVE Azione"),
        (
            ">EGOV_IT_ServizioSincrono<",
            "><",
            "B 103 GRAVE ProfiloCollaborazione",
        ),
        (
            "2021-07-05T10:31:07",
            "",
            "B 108 GRAVE Messaggio/OraRegistrazione",
        ),
        ("2021-07-05T10:36:07", "", "B 112 GRAVE Messaggio/Scadenza"),
        (
            "<eGov_IT:Scadenza>2021-07-05T10:36:07</eGov_IT:Scadenza>",
            "<eGov_IT:RiferimentoMessaggio/>",
            "B 109 GRAVE Messaggio/RiferimentoMessaggio",
        ),
    ]);
}

#[test]
fn an_instant_or_its_tempo_that_is_absent_is_said() {
    tavola(&[
        (
            elemento("OraRegistrazione"),
            "",
            "B 108 GRAVE Messaggio/OraRegistrazione",
        ),
        (
            "OraRegistrazione tempo=\"EGOV_IT_SPC\"",
            "OraRegistrazione",
            "B 108 GRAVE Messaggio/OraRegistrazione/tempo",
        ),
    ]);
}

#[test]
fn a_child_that_nobody_knows_is_said_where_it_stands() {
    let strano = "<eGov_IT:Strano/>";
    tavola(&[
        (DOPO, &format!("{DOPO}{strano}"), "B 002 GRAVE Intestazione"),
        (
            DOPO,
            &format!("{strano}{DOPO}"),
            "B 002 GRAVE IntestazioneMessaggio",
        ),
        (DOPO, &format!("testo{DOPO}"), "B 002 GRAVE IntestazioneMessaggio"),
        (
            "</eGov_IT:Messaggio>",
            &format!("{strano}</eGov_IT:Messaggio>"),
            "B 002 GRAVE Messaggio",
        ),
        (
            "</eGov_IT:Mittente>",
            &format!("{strano}</eGov_IT:Mittente>"),
            "B 101 GRAVE Mittente",
        ),
        (
            "InviaDomanda</eGov_IT:Azione>",
            &format!("InviaDomanda{strano}</eGov_IT:Azione>"),
            "B 106 GRAVE Azione",
        ),
        (
            "<eGov_IT:Azione>InviaDomanda</eGov_IT:Azione>",
            "<Azione>InviaDomanda</Azione>",
            "B 002 GRAVE IntestazioneMessaggio, 106 GRAVE Azione",
        ),
    ]);
}

#[test]
fn order_inside_the_message_white_space_and_unknown_attributes_are_nobodys_fault() {
    let azione = elemento("Azione");
    let servizio = elemento("Servizio");
    let scambiati = con(servizio, "§").replace(azione, servizio).replace('§', azione);
    assert_eq!(esito(&scambiati), "servita");
    tavola(&[
        (">INPS<", ">\n  INPS\n <", "servita"),
        (
            "Azione>InviaDomanda",
            "Azione xmlns:x='urn:x' x:nota='1' altra='2'>InviaDomanda",
            "servita",
        ),
        (
            "soapenv:mustUnderstand=\"1\">",
            "xmlns:wsu='urn:wsu' wsu:Id='busta' soapenv:mustUnderstand=\"1\">",
            "servita",
        ),
        (">InviaDomanda<", "><![CDATA[InviaDomanda]]><", "servita"),
        (">InviaDomanda<", "><!-- x -->InviaDoman&#100;a<", "servita"),
    ]);
}

#[test]
fn any_prefix_will_do_for_busta_and_envelope_the_default_one_too() {
    let predefinito = RICHIESTA
        .replace("xmlns:eGov_IT=", "xmlns=")
        .replace("eGov_IT:", "");
    assert_eq!(esito(&predefinito), "servita");
    let fuori = RICHIESTA.replace(EGOV_DICHIARATO, "").replace(
        "<soapenv:Envelope ",
        "<soapenv:Envelope xmlns:eGov_IT='http://www.cnipa.it/schemas/2003/eGovIT/Busta1_0/' ",
    );
    assert_eq!(esito(&fuori), "servita");
    let altri = RICHIESTA
        .replace("eGov_IT:", "q:")
        .replace(":eGov_IT", ":q")
        .replace("soapenv:", "S:")
        .replace(":soapenv", ":S");
    assert_eq!(esito(&altri), "servita");
}

/// Each child binds the prefix anew; two prefixes mean SOAP; the hop is told; instants have milliseconds or not.
#[test]
fn the_headers_that_porte_in_the_field_write_are_served() {
    let ad_ogni_figlio = RICHIESTA
        .replace(EGOV_DICHIARATO, "")
        .replace(
            "<soapenv:Envelope ",
            "<soapenv:Envelope xmlns:SOAP_ENV='http://schemas.xmlsoap.org/soap/envelope/' ",
        )
        .replace("soapenv:actor", "SOAP_ENV:actor");
    let ad_ogni_figlio: String = ad_ogni_figlio
        .split_inclusive('<')
        .map(|pezzo| match pezzo.strip_prefix("eGov_IT:") {
            Some(resto) => {
                let fine = resto.find([' ', '\n', '>', '/']).unwrap();
                format!("eGov_IT:{}{EGOV_DICHIARATO}{}", &resto[..fine], &resto[fine..])
            }
            None => pezzo.to_owned(),
        })
        .collect();
    assert_eq!(ad_ogni_figlio.matches(EGOV_DICHIARATO).count(), 14);
    assert_eq!(esito(&ad_ogni_figlio), "servita");
    let con_il_passaggio = con_lista(
        "<eGov_IT:ListaTrasmissioni><eGov_IT:Trasmissione><eGov_IT:Origine><eGov_IT:IdentificativoParte tipo=\"SPC\">PatronatoEsempio</eGov_IT:IdentificativoParte></eGov_IT:Origine><eGov_IT:Destinazione><eGov_IT:IdentificativoParte tipo=\"SPC\">INPS</eGov_IT:IdentificativoParte></eGov_IT:Destinazione><eGov_IT:OraRegistrazione tempo=\"EGOV_IT_SPC\">2021-07-05T10:31:07.412</eGov_IT:OraRegistrazione></eGov_IT:Trasmissione></eGov_IT:ListaTrasmissioni>",
    )
    .replace("2021-07-05T10:31:07<", "2021-07-05T10:31:07.412<");
    assert_eq!(esito(&con_il_passaggio), "servita");
}

#[test]
fn other_blocks_are_passed_over_unless_a_porta_must_understand_them() {
    let prima = "<soapenv:Header>";
    let blocco = |attributi: &str| {
        con(
            prima,
            &format!("{prima}<x:Sicurezza xmlns:x='urn:x' {attributi}><x:a><x:b/></x:a>t</x:Sicurezza>"),
        )
    };
    let porta = "soapenv:actor='http://www.cnipa.it/eGov_it/portadominio'";
    for (attributi, atteso) in [
        ("", false),
        ("soapenv:mustUnderstand='1'", false),
        (porta, false),
        (&format!("{porta} soapenv:mustUnderstand='0'"), false),
        (&format!("{porta} soapenv:mustUnderstand='1'"), true),
    ] {
        let xml = blocco(attributi);
        assert_eq!(esito(&xml), "servita", "{attributi}");
        assert_eq!(leggi(&xml).unwrap().non_compreso, atteso, "{attributi}");
    }
}

#[test]
fn riscontri_and_trasmissioni_without_what_identifies_them_cannot_be_answered_to() {
    let riscontro = |id: &str, ora: &str| {
        con_lista(&format!(
            "<eGov_IT:ListaRiscontri><eGov_IT:Riscontro>{id}{ora}</eGov_IT:Riscontro></eGov_IT:ListaRiscontri>"
        ))
    };
    let id = format!("<eGov_IT:Identificatore>{ID}</eGov_IT:Identificatore>");
    let ora = "<eGov_IT:OraRegistrazione tempo='EGOV_IT_SPC'>2021-07-05T10:31:07</eGov_IT:OraRegistrazione>";
    let parte = "<eGov_IT:IdentificativoParte tipo='SPC'>INPS</eGov_IT:IdentificativoParte>";
    let trasmissione = |origine: &str, destinazione: &str, ora: &str| {
        con_lista(&format!(
            "<eGov_IT:ListaTrasmissioni><eGov_IT:Trasmissione>{origine}{destinazione}{ora}</eGov_IT:Trasmissione></eGov_IT:ListaTrasmissioni>"
        ))
    };
    let origine = format!("<eGov_IT:Origine>{parte}</eGov_IT:Origine>");
    let destinazione = format!("<eGov_IT:Destinazione>{parte}</eGov_IT:Destinazione>");
    let senza_tempo = ora.replace(" tempo='EGOV_IT_SPC'", "");
    let senza_tipo = destinazione.replace(" tipo='SPC'", "");
    for (xml, atteso) in [
        (riscontro(&id, ora), "servita 115 INFO ListaRiscontri"),
        (riscontro("", ora), "A"),
        (riscontro(&id, ""), "A"),
        (riscontro(&id, &senza_tempo), "A"),
        (
            riscontro(&id, &ora.replace("2021-", "")),
            "B 115 INFO ListaRiscontri, 115 GRAVE ListaRiscontri/Riscontro/OraRegistrazione",
        ),
        (trasmissione(&origine, &destinazione, ora), "servita"),
        (trasmissione("", &destinazione, ora), "A"),
        (trasmissione(&origine, "", ora), "A"),
        (trasmissione(&origine, &destinazione, ""), "A"),
        (trasmissione(&origine, &senza_tipo, ora), "A"),
        (
            trasmissione(&origine, &destinazione, &senza_tempo),
            "B 116 GRAVE ListaTrasmissioni/Trasmissione/OraRegistrazione/tempo",
        ),
        (
            trasmissione(&origine.replace("INPS", ""), &destinazione, ora),
            "B 116 GRAVE ListaTrasmissioni/Trasmissione/Origine/IdentificativoParte",
        ),
        (
            con_lista("<eGov_IT:ListaRiscontri/>"),
            "B 115 INFO ListaRiscontri, 115 GRAVE ListaRiscontri",
        ),
        (
            con_lista("<eGov_IT:ListaTrasmissioni/>"),
            "B 116 GRAVE ListaTrasmissioni",
        ),
        (con(DOPO, &format!("<eGov_IT:Sequenza/>{DOPO}")), "A"),
    ] {
        assert_eq!(esito(&xml), atteso, "{xml}");
    }
    // A hundred wrong hops are one finding.
    let molte = trasmissione(&origine, &destinazione, &senza_tempo);
    let una = &molte
        [molte.find("<eGov_IT:Trasmissione>").unwrap()..molte.find("</eGov_IT:ListaTrasmissioni>").unwrap()];
    assert_eq!(
        esito(&molte.replace(una, &una.repeat(100))),
        "B 116 GRAVE ListaTrasmissioni/Trasmissione/OraRegistrazione/tempo"
    );
}

#[test]
fn a_busta_that_tells_of_grave_exceptions_is_never_served() {
    let eccezione = |rilevanza: &str| {
        format!(
            "<eGov_IT:ListaEccezioni><eGov_IT:Eccezione contestoCodifica='ErroreIntestazioneMessaggioSPCoop' codiceEccezione='EGOV_IT_106' rilevanza='{rilevanza}' posizione='Azione'/></eGov_IT:ListaEccezioni>"
        )
    };
    let fault = |codice: &str, frase: &str, resto: &str| {
        con_lista(&eccezione("GRAVE")).replace(
            "<d:InviaDomandaRequest xmlns:d=\"urn:esempio:domanda-assegno:v1\"/>",
            &format!("<soapenv:Fault><faultcode xmlns:soap='http://schemas.xmlsoap.org/soap/envelope/'>soap:{codice}</faultcode><faultstring>{frase}</faultstring>{resto}</soapenv:Fault>"),
        )
    };
    let giusta = "<![CDATA[ EGOV_IT_001 - Formato Busta non corretto ]]>";
    for (xml, atteso) in [
        (con_lista(&eccezione("INFO")), "servita"),
        (con_lista(&eccezione("LIEVE")), "servita"),
        (
            con_lista(&eccezione("GRAVE")),
            "B 003 GRAVE ListaEccezioni/SOAPFault",
        ),
        (fault("Client", giusta, ""), "B 002 GRAVE ListaEccezioni"),
        (fault("Client", giusta, "<detail/>"), "B 002 GRAVE ListaEccezioni"),
        (
            fault("Server", giusta, "<detail><a/></detail>"),
            "B 003 GRAVE ListaEccezioni/SOAPFault/FaultCode, 003 GRAVE ListaEccezioni/SOAPFault/Details, 002 GRAVE ListaEccezioni",
        ),
        (
            fault("Client", "altro", ""),
            "B 003 GRAVE ListaEccezioni/SOAPFault/FaultString, 002 GRAVE ListaEccezioni",
        ),
        (
            con_lista(&eccezione("BOH")),
            "B 002 GRAVE ListaEccezioni/Eccezione",
        ),
        (
            con_lista("<eGov_IT:ListaEccezioni/>"),
            "B 002 GRAVE ListaEccezioni",
        ),
        (
            con_lista("<eGov_IT:ListaEccezioni><eGov_IT:Eccezione/></eGov_IT:ListaEccezioni>"),
            "A",
        ),
    ] {
        assert_eq!(esito(&xml), atteso, "{xml}");
    }
}

#[test]
fn the_header_is_told_by_its_bytes_with_what_was_bound_around_it() {
    let xml = RICHIESTA
        .replace(
            "<soapenv:Header>",
            "<soapenv:Header xmlns='urn:&lt;d' xmlns:b='urn:b' xmlns:c='urn:c' xmlns:q='urn:q'>",
        )
        .replace("Azione>InviaDomanda", "Azione b:nota='q:nome'>InviaDomanda");
    let busta = leggi(&xml).unwrap();
    let (da, fine) = (
        xml.find("<eGov_IT:Intestazione").unwrap(),
        "</eGov_IT:Intestazione>",
    );
    let a = xml.find(fine).unwrap() + fine.len();
    assert_eq!(busta.byte, da..a);
    // `c` is bound, and nothing of the header can mean it.
    assert_eq!(
        busta.legami,
        " xmlns:soapenv=\"http://schemas.xmlsoap.org/soap/envelope/\" xmlns=\"urn:&lt;d\" xmlns:b=\"urn:b\" xmlns:q=\"urn:q\""
    );
}

#[test]
fn a_diagnostic_says_what_broke_and_nothing_of_what_was_sent() {
    let rotta = con("tipo=\"SPC\">INPS", "x<>INPS");
    let testo = leggi(&rotta).unwrap_err().testo();
    assert!(testo.contains("riga 7") && !testo.contains("INPS"), "{testo}");
    let senza = leggi(&con(MITTENTE, "")).unwrap_err();
    assert_eq!(senza.testo(), "struttura errata della busta: Mittente");
    assert_eq!(
        senza,
        Illeggibile::Struttura {
            posizione: "Mittente"
        }
    );
}
