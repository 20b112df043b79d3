//! Age, registry and the two sets of rules. Names say what is protected; the checklist of spec/spcoop.md §6 is mapped to
//! them in docs/spcoop.md.

use super::*;

const ID: &str = "PatronatoEsempio_PatronatoEsempioSPCoopIT_0000042_2021-07-05_10:31";

#[track_caller]
fn tavola_egov(casi: &[(&str, &str, &str)]) {
    for (da, a, atteso) in casi {
        assert_eq!(
            esito_per(&con(da, a), RegoleBusta::Egov11, &tempi()),
            *atteso,
            "{da} → {a}"
        );
    }
}

#[test]
fn a_busta_as_published_is_served_without_a_word() {
    let busta = leggi(RICHIESTA).unwrap();
    let anagrafe = Prova {
        regole: RegoleBusta::LineeGuida11,
    };
    let accolta = esamina(&busta, &tempi(), &anagrafe).unwrap();
    assert_eq!(
        (
            accolta.mittente(),
            accolta.servizio().nome.as_str(),
            accolta.azione(),
            accolta.identificatore().to_string().as_str(),
            accolta.regole(),
            accolta.filtra_doppioni(),
            accolta.avvisi(),
        ),
        (
            &Parte::spc("PatronatoEsempio"),
            "DomandaAssegno",
            "InviaDomanda",
            ID,
            RegoleBusta::LineeGuida11,
            true,
            &[][..],
        )
    );
}

#[test]
fn two_wrong_fields_are_told_in_one_answer() {
    let xml = con(">InviaDomanda<", ">AltraAzione<").replace(">INPS<", ">ALTRI<");
    assert_eq!(
        esito(&xml),
        "B 102 GRAVE Destinatario/IdentificativoParte, 106 GRAVE Azione"
    );
}

#[test]
fn an_unknown_sender_and_a_destination_that_is_not_us_are_told() {
    assert_eq!(
        esito(&RICHIESTA.replace("PatronatoEsempio", "Sconosciuti")),
        "B 101 GRAVE Mittente/IdentificativoParte"
    );
    assert_eq!(
        esito(&con(">INPS<", ">INAIL<")),
        "B 102 GRAVE Destinatario/IdentificativoParte"
    );
}

#[test]
fn only_the_profile_of_the_service_will_do() {
    let profilo = ">EGOV_IT_ServizioSincrono<";
    let senza = "<eGov_IT:ProfiloCollaborazione>EGOV_IT_ServizioSincrono</eGov_IT:ProfiloCollaborazione>";
    tavola(&[
        (
            profilo,
            ">EGOV_IT_MessaggioSingoloOneWay<",
            "B 103 GRAVE ProfiloCollaborazione",
        ),
        (
            profilo,
            ">EGOV_IT_ServizioAsincronoSimmetrico<",
            "B 103 GRAVE ProfiloCollaborazione",
        ),
        (senza, "", "B 103 GRAVE ProfiloCollaborazione"),
        (
            "ProfiloCollaborazione>EGOV",
            "ProfiloCollaborazione servizioCorrelato='X'>EGOV",
            "B 103 GRAVE ProfiloCollaborazione/servizioCorrelato",
        ),
    ]);
    // Under plain 1.1 who names no profile means that of the service.
    tavola_egov(&[
        (senza, "", "servita"),
        (
            profilo,
            ">EGOV_IT_MessaggioSingoloOneWay<",
            "B 103 GRAVE ProfiloCollaborazione",
        ),
    ]);
}

#[test]
fn a_service_or_an_action_that_is_absent_is_told_under_both_rules() {
    let servizio = "<eGov_IT:Servizio tipo=\"SPC\">DomandaAssegno</eGov_IT:Servizio>";
    let azione = "<eGov_IT:Azione>InviaDomanda</eGov_IT:Azione>";
    let casi = [
        (servizio, "", "B 105 GRAVE Servizio"),
        (azione, "", "B 106 GRAVE Azione"),
    ];
    tavola(&casi);
    tavola_egov(&casi);
}

#[test]
fn an_identifier_belongs_to_its_sender_and_its_porta() {
    tavola(&[
        (
            ID,
            "INPS_PatronatoEsempioSPCoopIT_0000042_2021-07-05_10:31",
            "B 110 GRAVE Messaggio/Identificatore",
        ),
        (
            ID,
            "patronatoesempio_PatronatoEsempioSPCoopIT_0000042_2021-07-05_10:31",
            "B 110 GRAVE Messaggio/Identificatore",
        ),
        (
            ID,
            "PatronatoEsempio_AltraPorta_0000042_2021-07-05_10:31",
            "B 110 GRAVE Messaggio/Identificatore",
        ),
        (
            ID,
            "Patronato_Esempio_PatronatoEsempioSPCoopIT_0000042_2021-07-05_10:31",
            "B 110 GRAVE Messaggio/Identificatore",
        ),
        (
            ID,
            "PatronatoEsempio_PatronatoEsempioSPCoopIT_0000042_2021-13-05_10:31",
            "B 110 GRAVE Messaggio/Identificatore",
        ),
    ]);
}

#[test]
fn the_code_of_a_porta_is_compared_whatever_its_case() {
    tavola(&[(
        ID,
        "PatronatoEsempio_patronatoesempiospcoopit_0000042_2021-07-05_10:31",
        "servita",
    )]);
}

#[test]
fn a_reference_names_one_of_our_messages() {
    let scadenza = "<eGov_IT:Scadenza>2021-07-05T10:36:07</eGov_IT:Scadenza>";
    let riferimento = |id: &str| format!("<eGov_IT:RiferimentoMessaggio>{id}</eGov_IT:RiferimentoMessaggio>");
    tavola(&[
        (
            scadenza,
            &riferimento("INPS_INPSSPCoopIT_0000917_2021-07-05_10:31"),
            "servita",
        ),
        (
            scadenza,
            &riferimento(ID),
            "B 111 GRAVE Messaggio/RiferimentoMessaggio",
        ),
        (
            scadenza,
            &riferimento("1234"),
            "B 111 GRAVE Messaggio/RiferimentoMessaggio",
        ),
    ]);
}

#[test]
fn a_message_past_its_own_end_is_told_so_and_one_before_it_is_served() {
    let scadenza = "2021-07-05T10:36:07";
    tavola(&[
        (scadenza, "2021-07-05T10:31:07", "B 301 GRAVE Messaggio/Scadenza"),
        (scadenza, "2021-07-05T10:31:08", "servita"),
        (scadenza, "2021-07-05T08:31:09Z", "servita"),
        (
            scadenza,
            "2021-07-05T08:31:07.999Z",
            "B 301 GRAVE Messaggio/Scadenza",
        ),
        (scadenza, "2031-07-05T10:31:07.000", "servita"),
    ]);
}

#[test]
fn a_message_older_than_the_window_is_told_so_once() {
    tavola(&[
        ("2021-07-05T10:31:07", "2021-06-30T10:31:08", "servita"),
        (
            "2021-07-05T10:31:07",
            "2021-06-30T10:31:07",
            "B 301 GRAVE Messaggio/Scadenza",
        ),
        (
            "0000042_2021-07-05_10:31",
            "0000042_2021-06-30_10:31",
            "B 301 GRAVE Messaggio/Scadenza",
        ),
        ("0000042_2021-07-05_10:31", "0000042_2021-06-30_10:32", "servita"),
    ]);
    let vecchio = RICHIESTA.replace("2021-07-05", "2011-07-05");
    assert_eq!(esito(&vecchio), "B 301 GRAVE Messaggio/Scadenza");
}

#[test]
fn a_message_from_the_future_is_served_unless_a_tolerance_is_set() {
    let domani = con("2021-07-05T10:31:07", "2021-07-06T10:31:07").replace("_2021-07-05_", "_2021-07-06_");
    assert_eq!(esito(&domani), "servita");
    let stretti = Tempi {
        anticipo: Some(SignedDuration::from_mins(5)),
        ..tempi()
    };
    assert_eq!(
        esito_per(&domani, RegoleBusta::LineeGuida11, &stretti),
        "B 108 GRAVE Messaggio/OraRegistrazione, 110 GRAVE Messaggio/Identificatore"
    );
    assert_eq!(
        esito_per(RICHIESTA, RegoleBusta::LineeGuida11, &stretti),
        "servita"
    );
}

#[test]
fn instants_with_and_without_milliseconds_or_zone_are_taken() {
    let ora = "2021-07-05T10:31:07";
    tavola(&[
        (ora, "2021-07-05T10:31:07.412", "servita"),
        (ora, "2021-07-05T10:31:07+02:00", "servita"),
        (ora, "2021-07-05T08:31:07.412Z", "servita"),
        (ora, "2021-07-05", "B 108 GRAVE Messaggio/OraRegistrazione"),
    ]);
}

#[test]
fn local_time_is_for_plain_buste_alone() {
    let caso = ("\"EGOV_IT_SPC\"", "\"EGOV_IT_Locale\"");
    tavola(&[(caso.0, caso.1, "B 108 GRAVE Messaggio/OraRegistrazione/tempo")]);
    tavola_egov(&[(caso.0, caso.1, "servita")]);
}

#[test]
fn what_may_be_handed_on_twice_is_for_plain_buste_alone() {
    let profilo =
        "<eGov_IT:ProfiloTrasmissione inoltro=\"EGOV_IT_ALPIUUNAVOLTA\" confermaRicezione=\"false\"/>";
    let altri = [
        (profilo, "", "servita"),
        (
            profilo,
            "<eGov_IT:ProfiloTrasmissione/>",
            "B 113 GRAVE ProfiloTrasmissione/inoltro",
        ),
        (
            "EGOV_IT_ALPIUUNAVOLTA",
            "FORSE",
            "B 113 GRAVE ProfiloTrasmissione/inoltro",
        ),
        (
            "confermaRicezione=\"false\"",
            "confermaRicezione=\"0\"",
            "B 113 GRAVE ProfiloTrasmissione/confermaRicezione",
        ),
        (" confermaRicezione=\"false\"", "", "servita"),
    ];
    tavola(&altri);
    tavola_egov(&[
        (profilo, "", "servita"),
        (profilo, "<eGov_IT:ProfiloTrasmissione/>", "servita"),
        ("EGOV_IT_ALPIUUNAVOLTA", "EGOV_IT_PIUDIUNAVOLTA", "servita"),
        (
            "EGOV_IT_ALPIUUNAVOLTA",
            "FORSE",
            "B 113 GRAVE ProfiloTrasmissione/inoltro",
        ),
        (
            "confermaRicezione=\"false\"",
            "confermaRicezione=\"true\"",
            "servita",
        ),
    ]);
}

#[test]
fn duplicates_are_filtered_always_or_when_a_plain_busta_asks() {
    let filtra = |xml: &str, regole| {
        let anagrafe = Prova { regole };
        esamina(&leggi(xml).unwrap(), &tempi(), &anagrafe)
            .unwrap()
            .filtra_doppioni()
    };
    let profilo =
        "<eGov_IT:ProfiloTrasmissione inoltro=\"EGOV_IT_ALPIUUNAVOLTA\" confermaRicezione=\"false\"/>";
    let senza = con(profilo, "");
    assert!(filtra(&senza, RegoleBusta::LineeGuida11));
    assert!(!filtra(&senza, RegoleBusta::Egov11));
    assert!(filtra(RICHIESTA, RegoleBusta::Egov11));
    let piu = con("EGOV_IT_ALPIUUNAVOLTA", "EGOV_IT_PIUDIUNAVOLTA");
    assert!(!filtra(&piu, RegoleBusta::Egov11));
}

#[test]
fn what_the_guidelines_deprecate_is_told_and_served() {
    let collaborazione = format!("<eGov_IT:Collaborazione>{ID}</eGov_IT:Collaborazione>{DOPO}");
    let indirizzo = |nome: &str| format!("tipo=\"SPC\" indirizzoTelematico=\"https://a.it/PD\">{nome}");
    tavola(&[
        (DOPO, &collaborazione, "servita 104 INFO Collaborazione"),
        (
            "tipo=\"SPC\">INPS",
            &indirizzo("INPS"),
            "servita 102 INFO Destinatario/IdentificativoParte/indirizzoTelematico",
        ),
        (
            "tipo=\"SPC\">PatronatoEsempio",
            &indirizzo("PatronatoEsempio"),
            "servita 101 INFO Mittente/IdentificativoParte/indirizzoTelematico",
        ),
    ]);
    // What it lists is told as well, unless its own rules found something grave.
    let xml = con("tipo=\"SPC\">INPS", &indirizzo("INPS"))
        .replace("EGOV_IT_ALPIUUNAVOLTA", "EGOV_IT_PIUDIUNAVOLTA");
    assert_eq!(esito(&xml), "B 113 GRAVE ProfiloTrasmissione/inoltro");
}

#[test]
fn a_hop_that_tells_where_it_can_be_reached_is_told_and_served() {
    let hop = |indirizzo: &str| {
        con_lista(&format!(
            "<eGov_IT:ListaTrasmissioni><eGov_IT:Trasmissione><eGov_IT:Origine><eGov_IT:IdentificativoParte tipo='SPC'{indirizzo}>PatronatoEsempio</eGov_IT:IdentificativoParte></eGov_IT:Origine><eGov_IT:Destinazione><eGov_IT:IdentificativoParte tipo='SPC'>INPS</eGov_IT:IdentificativoParte></eGov_IT:Destinazione><eGov_IT:OraRegistrazione tempo='EGOV_IT_SPC'>2021-07-05T10:31:07</eGov_IT:OraRegistrazione></eGov_IT:Trasmissione></eGov_IT:ListaTrasmissioni>"
        ))
    };
    assert_eq!(esito(&hop("")), "servita");
    assert_eq!(
        esito(&hop(" indirizzoTelematico='https://a.it/PD'")),
        "servita 116 INFO ListaTrasmissioni/Trasmissione/Origine/IdentificativoParte/indirizzoTelematico"
    );
}

#[test]
fn a_collaboration_of_neither_party_is_told() {
    let di = |id: &str| format!("<eGov_IT:Collaborazione>{id}</eGov_IT:Collaborazione>{DOPO}");
    tavola(&[
        (
            DOPO,
            &di("ALTRI_ALTRISPCoopIT_0000917_2021-07-05_10:31"),
            "B 104 INFO Collaborazione, 104 GRAVE Collaborazione",
        ),
        (
            DOPO,
            &di("1234"),
            "B 104 INFO Collaborazione, 104 GRAVE Collaborazione",
        ),
    ]);
    tavola_egov(&[
        (DOPO, &di(ID), "servita"),
        (DOPO, &di("1234"), "B 104 GRAVE Collaborazione"),
    ]);
}

#[test]
fn plain_buste_may_name_other_lists_of_parties_and_services() {
    let mittente = ("\"SPC\">PatronatoEsempio", "\"TEST\">PatronatoEsempio");
    let servizio = ("Servizio tipo=\"SPC\"", "Servizio tipo=\"TEST\"");
    tavola(&[
        (
            mittente.0,
            mittente.1,
            "B 101 GRAVE Mittente/IdentificativoParte/tipo",
        ),
        (servizio.0, servizio.1, "B 105 GRAVE Servizio/tipo"),
    ]);
    tavola_egov(&[
        (mittente.0, mittente.1, "servita"),
        (servizio.0, servizio.1, "servita"),
        (servizio.0, "Servizio tipo=\"SPCX\"", "B 105 GRAVE Servizio/tipo"),
    ]);
}

#[test]
fn plain_buste_know_no_remarks_an_address_is_right_or_wrong() {
    let indirizzo = |uri: &str| format!("tipo=\"SPC\" indirizzoTelematico=\"{uri}\">PatronatoEsempio");
    tavola_egov(&[
        (
            "tipo=\"SPC\">PatronatoEsempio",
            &indirizzo("https://a.it/PD"),
            "servita",
        ),
        (
            "tipo=\"SPC\">PatronatoEsempio",
            &indirizzo("http://"),
            "B 101 GRAVE Mittente/IdentificativoParte/indirizzoTelematico",
        ),
        (
            DOPO,
            &format!("<eGov_IT:Sequenza numeroProgressivo=\"0000001\"/>{DOPO}"),
            "B 401 GRAVE Sequenza",
        ),
    ]);
    for numero in ["0000000", "1", "00000001", "000000x", "+000001"] {
        tavola(&[(
            DOPO,
            &format!("<eGov_IT:Sequenza numeroProgressivo=\"{numero}\"/>{DOPO}"),
            "B 401 INFO Sequenza, 114 GRAVE Sequenza/numeroProgressivo",
        )]);
    }
}
