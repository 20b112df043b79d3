//! The official set of wrong buste ("Modalità di qualificazione della Porta di Dominio v1.0", synchronous test), rebuilt
//! with our own names: numbers are theirs.

use super::*;

const RISCONTRO: &str = r#"<eGov_IT:ListaRiscontri><eGov_IT:Riscontro><eGov_IT:Identificatore>1234567890</eGov_IT:Identificatore><eGov_IT:OraRegistrazione tempo="EGOV_IT_SPC">2021-07-05T10:31:07</eGov_IT:OraRegistrazione></eGov_IT:Riscontro></eGov_IT:ListaRiscontri>"#;

const MITTENTE: &str = r#"<eGov_IT:Mittente><eGov_IT:IdentificativoParte tipo="SPC">PatronatoEsempio</eGov_IT:IdentificativoParte></eGov_IT:Mittente>"#;

fn trasmissione(origine: &str, tempo: &str) -> String {
    format!(
        r#"<eGov_IT:ListaTrasmissioni><eGov_IT:Trasmissione><eGov_IT:Origine>{origine}</eGov_IT:Origine><eGov_IT:Destinazione><eGov_IT:IdentificativoParte tipo="SPC">INPS</eGov_IT:IdentificativoParte></eGov_IT:Destinazione><eGov_IT:OraRegistrazione tempo="{tempo}">2021-07-05T10:31:07</eGov_IT:OraRegistrazione></eGov_IT:Trasmissione></eGov_IT:ListaTrasmissioni>"#
    )
}

const PARTE: &str =
    r#"<eGov_IT:IdentificativoParte tipo="SPC">PatronatoEsempio</eGov_IT:IdentificativoParte>"#;

/// The request whose destination is nobody, too.
fn due_parti_e_destinatario_ignoto() -> String {
    con(PARTE, &PARTE.repeat(2)).replace(">INPS<", ">Nessuno<")
}

fn senza_busta() -> String {
    let da = RICHIESTA.find(" <soapenv:Header>").unwrap();
    let a = RICHIESTA.find(" <soapenv:Body>").unwrap();
    format!("{}{}", &RICHIESTA[..da], &RICHIESTA[a..])
}

#[test]
fn the_thirty_two_wrong_buste_of_the_qualification_get_the_stated_answers() {
    let casi: Vec<(&str, String, &str)> = vec![
        (
            "02",
            con_lista(RISCONTRO),
            "B 115 INFO ListaRiscontri, 115 GRAVE ListaRiscontri/Riscontro/Identificatore",
        ),
        (
            "03",
            con("\"SPC\">INPS", "\"SPCX\">INPS"),
            "B 102 GRAVE Destinatario/IdentificativoParte/tipo",
        ),
        (
            "04",
            con("\"SPC\">PatronatoEsempio", "\"SPCX\">PatronatoEsempio"),
            "B 101 GRAVE Mittente/IdentificativoParte/tipo",
        ),
        (
            "05",
            con("\"EGOV_IT_SPC\"", "\"EGOV_IT_SPCX\""),
            "B 108 GRAVE Messaggio/OraRegistrazione/tempo",
        ),
        (
            "06",
            con("EGOV_IT_ALPIUUNAVOLTA", "EGOV_IT_PIUDIUNAVOLTA"),
            "B 113 GRAVE ProfiloTrasmissione/inoltro",
        ),
        (
            "07",
            con("Servizio tipo=\"SPC\"", "Servizio tipo=\"SPCX\""),
            "B 105 GRAVE Servizio/tipo",
        ),
        (
            "08",
            con(
                "ProfiloCollaborazione>EGOV",
                "ProfiloCollaborazione tipo=\"SPCX\">EGOV",
            ),
            "B 103 GRAVE ProfiloCollaborazione/tipo",
        ),
        ("09", con(PARTE, &PARTE.replace(" tipo=\"SPC\"", "")), "A"),
        (
            "10",
            due_parti_e_destinatario_ignoto(),
            "B 101 GRAVE Mittente/IdentificativoParte, 102 GRAVE Destinatario/IdentificativoParte",
        ),
        ("11", con(MITTENTE, &MITTENTE.repeat(2)), "A"),
        (
            "12",
            con("mustUnderstand=\"1\"", "mustUnderstand=\"0\""),
            "B 002 GRAVE Intestazione/mustUnderstand",
        ),
        (
            "13",
            con("/portadominio\"", "/altraporta\""),
            "B 002 GRAVE Intestazione/actor",
        ),
        (
            "14",
            con("\"SPC\">PatronatoEsempio", "\"SPC\">"),
            "B 101 GRAVE Mittente/IdentificativoParte",
        ),
        ("15", con("</eGov_IT:Azione>", ""), "A"),
        (
            "16",
            con(
                "<eGov_IT:Identificatore>PatronatoEsempio_PatronatoEsempioSPCoopIT_0000042_2021-07-05_10:31</eGov_IT:Identificatore>",
                "",
            ),
            "A",
        ),
        (
            "17",
            con("Servizio tipo=\"SPC\"", "Servizio tipo=\"SPC\" tipo=\"SPC\""),
            "A",
        ),
        (
            "18",
            con(
                "tipo=\"SPC\">PatronatoEsempio",
                "tipo=\"SPC\" indirizzoTelematico=\"http://\">PatronatoEsempio",
            ),
            "servita 101 INFO Mittente/IdentificativoParte/indirizzoTelematico",
        ),
        (
            "19",
            con_lista(&trasmissione(PARTE, "EGOV_IT_SPCX")),
            "B 116 GRAVE ListaTrasmissioni/Trasmissione/OraRegistrazione/tempo",
        ),
        ("20", con("Servizio tipo=\"SPC\"", "Servizio"), "A"),
        (
            "21",
            con(">DomandaAssegno<", ">AltroServizio<"),
            "B 105 GRAVE Servizio",
        ),
        (
            "22",
            con("2021-07-05T10:36:07", "2006-10-10T10:36:07"),
            "B 301 GRAVE Messaggio/Scadenza",
        ),
        ("23", con(">InviaDomanda<", ">AltraAzione<"), "B 106 GRAVE Azione"),
        (
            "24",
            con(
                "</eGov_IT:IntestazioneMessaggio>",
                "<eGov_IT:Sequenza numeroProgressivo=\"0000001\"/></eGov_IT:IntestazioneMessaggio>",
            ),
            "servita 401 INFO Sequenza",
        ),
        ("25", con("tipo=\"SPC\">INPS", ">INPS"), "A"),
        (
            "26",
            con(
                "PatronatoEsempio_PatronatoEsempioSPCoopIT_0000042_2021-07-05_10:31",
                "PAGenerica",
            ),
            "B 110 GRAVE Messaggio/Identificatore",
        ),
        (
            "27",
            con("confermaRicezione=\"false\"", "confermaRicezione=\"true\""),
            "B 113 GRAVE ProfiloTrasmissione/confermaRicezione",
        ),
        (
            "28",
            con(">INPS<", "><"),
            "B 102 GRAVE Destinatario/IdentificativoParte",
        ),
        (
            "29",
            con(">EGOV_IT_ServizioSincrono<", ">ProfiloErrato<"),
            "B 103 GRAVE ProfiloCollaborazione",
        ),
        ("30", con_lista(&trasmissione("", "EGOV_IT_SPC")), "A"),
        (
            "31",
            con("2021-07-05T10:31:07", "non è una data"),
            "B 108 GRAVE Messaggio/OraRegistrazione",
        ),
        ("32", senza_busta(), "A"),
        (
            "33",
            con("2021-07-05T10:36:07", "2006-10-10"),
            "B 112 GRAVE Messaggio/Scadenza",
        ),
    ];
    assert_eq!(casi.len(), 32);
    for (numero, xml, atteso) in casi {
        assert_eq!(esito(&xml), atteso, "case {numero}");
    }
}

/// Number 100 is an action that exists, but not for who asks: the registry does not know it here.
#[test]
fn an_action_that_is_not_registered_for_this_use_is_unknown() {
    assert_eq!(
        esito(&con(">InviaDomanda<", ">InviaLotto<")),
        "B 106 GRAVE Azione"
    );
}

/// What a whole exchange shows: the wrong value goes back in the header that says what is wrong with it.
#[test]
fn every_answer_of_shape_b_lists_what_was_found_and_refers_to_the_request() {
    let xml = con(">InviaDomanda<", ">AltraAzione<");
    let busta = leggi(&xml).unwrap();
    let anagrafe = Prova {
        regole: RegoleBusta::LineeGuida11,
    };
    let respinta = esamina(&busta, &tempi(), &anagrafe).unwrap_err();
    let dominio = Dominio::new("INPS", "INPSSPCoopIT").unwrap();
    let identificatore = Identificatore::mint(&dominio, 917, tempi().adesso);
    let intestazione = IntestazioneRisposta {
        dominio: &dominio,
        identificatore: &identificatore,
        ora: tempi().adesso,
        richiesta: &busta.intestazione,
        regole: respinta.regole,
        eccezioni: &respinta.eccezioni,
    }
    .write();
    let scritta = String::from_utf8(errore_di_validazione(&intestazione)).unwrap();
    assert!(
        scritta.contains("<eGov_IT:Azione>AltraAzione</eGov_IT:Azione>"),
        "{scritta}"
    );
    assert!(
        scritta.contains(
            "<eGov_IT:Eccezione contestoCodifica=\"ErroreIntestazioneMessaggioSPCoop\" \
             codiceEccezione=\"EGOV_IT_106\" rilevanza=\"GRAVE\" posizione=\"Azione\"></eGov_IT:Eccezione>"
        ),
        "{scritta}"
    );
}
