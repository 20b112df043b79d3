//! Records that the authority may ask for: valid, and with the header as it was.

use super::*;

fn gdo() -> Timestamp {
    "2021-07-05T08:31:07.412Z".parse().unwrap()
}

fn traccia(xml: &str) -> String {
    let busta = leggi(xml).unwrap();
    let scritta = Traccia {
        gdo: gdo(),
        porta: "INPSSPCoopIT",
        tipo: TipoMessaggio::Richiesta,
        intestazione: &xml.as_bytes()[busta.byte],
        legami: &busta.legami,
    }
    .write();
    String::from_utf8(scritta).unwrap()
}

#[test]
fn a_record_holds_the_header_as_it_was_on_the_wire() {
    let scritta = traccia(RICHIESTA);
    let da = RICHIESTA.find("<eGov_IT:Intestazione").unwrap();
    let a = RICHIESTA.find("</eGov_IT:Intestazione>").unwrap() + "</eGov_IT:Intestazione>".len();
    assert_eq!(
        scritta,
        format!(
            "<t:traccia xmlns:t=\"http://www.cnipa.it/schemas/2003/eGovIT/Tracciamento1_0/\" \
             xmlns:soapenv=\"http://schemas.xmlsoap.org/soap/envelope/\"><t:GDO>2021-07-05T10:31:07.412</t:GDO>\
             <t:IdentificativoPorta>INPSSPCoopIT</t:IdentificativoPorta><t:TipoMessaggio>Richiesta</t:TipoMessaggio>\
             {}</t:traccia>",
            &RICHIESTA[da..a]
        )
    );
    valida(costanti::TRACCIAMENTO, "tracciamento-egov.xsd", &scritta);
}

#[test]
fn prefixes_bound_outside_of_the_header_are_bound_around_the_record() {
    let fuori = |prefisso: &str| {
        let xml = RICHIESTA.replace(
            " xmlns:eGov_IT=\"http://www.cnipa.it/schemas/2003/eGovIT/Busta1_0/\"",
            "",
        );
        let (usato, legame) = match prefisso {
            "" => (String::new(), "xmlns".to_owned()),
            prefisso => (format!("{prefisso}:"), format!("xmlns:{prefisso}")),
        };
        xml.replace("eGov_IT:", &usato).replace(
            "<soapenv:Envelope ",
            &format!("<soapenv:Envelope {legame}='http://www.cnipa.it/schemas/2003/eGovIT/Busta1_0/' "),
        )
    };
    for (prefisso, proprio) in [("e", "t"), ("", "t"), ("t", "tt"), ("tt", "t")] {
        let xml = fuori(prefisso);
        assert_eq!(esito(&xml), "servita", "{prefisso}");
        let scritta = traccia(&xml);
        assert!(scritta.starts_with(&format!("<{proprio}:traccia ")), "{scritta}");
        valida(costanti::TRACCIAMENTO, "tracciamento-egov.xsd", &scritta);
    }
}

#[test]
fn our_own_header_makes_a_valid_record_by_itself() {
    let dominio = Dominio::new("INPS", "INPSSPCoopIT").unwrap();
    let intestazione = IntestazioneRisposta {
        dominio: &dominio,
        identificatore: &Identificatore::mint(&dominio, 917, gdo()),
        ora: gdo(),
        richiesta: &leggi(RICHIESTA).unwrap().intestazione,
        regole: RegoleBusta::LineeGuida11,
        eccezioni: &[Eccezione::doppione()],
    }
    .write();
    let scritta = Traccia {
        gdo: gdo(),
        porta: dominio.porta(),
        tipo: TipoMessaggio::Risposta,
        intestazione: &intestazione,
        legami: "",
    }
    .write();
    valida(
        costanti::TRACCIAMENTO,
        "tracciamento-egov.xsd",
        std::str::from_utf8(&scritta).unwrap(),
    );
}

#[test]
fn what_had_no_header_leaves_a_valid_diagnostic() {
    let illeggibile = leggi("<a>").unwrap_err();
    let scritta = Diagnostico {
        ora: gdo(),
        porta: "INPSSPCoopIT",
        funzione: "RicezioneBusta",
        severita: Severita::ErroreProtocollo,
        testo: &illeggibile.testo(),
    }
    .write();
    let scritta = String::from_utf8(scritta).unwrap();
    assert!(scritta.starts_with("<d:MessaggioDiagnostico xmlns:d=\"http://www.ctrupa.it/"));
    assert!(scritta.contains("<d:LivelloDiSeverita>1</d:LivelloDiSeverita>"));
    valida(costanti::DIAGNOSTICA, "diagnostica-egov.xsd", &scritta);
}

#[test]
fn an_export_of_records_and_diagnostics_is_one_valid_document() {
    let diagnostico = Diagnostico {
        ora: gdo(),
        porta: "INPSSPCoopIT",
        funzione: "RicezioneBusta",
        severita: Severita::ErroreProtocollo,
        testo: "senza busta & <senza> nome",
    }
    .write();
    let mut insieme = esportazione::INIZIO.to_owned();
    for record in [traccia(RICHIESTA), String::from_utf8(diagnostico).unwrap()] {
        insieme.push_str(&record);
        insieme.push_str(esportazione::SEPARATORE);
    }
    insieme.push_str(esportazione::FINE);
    valida("http://inps.it/varco/egov/v1", "tracce-egov-v1.xsd", &insieme);
    let vuota = format!("{}{}", esportazione::INIZIO, esportazione::FINE);
    valida("http://inps.it/varco/egov/v1", "tracce-egov-v1.xsd", &vuota);
}
