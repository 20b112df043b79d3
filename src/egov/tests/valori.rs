//! Identifiers and instants: one spelling each, by the calendar.

use super::*;

#[test]
fn an_identifier_has_one_spelling() {
    let scritto = "PatronatoEsempio_PatronatoEsempioSPCoopIT_0000042_2021-07-05_10:31";
    let letto: Identificatore = scritto.parse().unwrap();
    assert_eq!(
        (letto.amministrazione(), letto.porta(), letto.progressivo()),
        ("PatronatoEsempio", "PatronatoEsempioSPCoopIT", 42)
    );
    assert_eq!(letto.to_string(), scritto);
    for errato in [
        "",
        "PAGenerica",
        "Patronato_Esempio_PatronatoSPCoopIT_0000042_2021-07-05_10:31",
        "P_Q_0000042_2021-07-05_10:31_",
        "P_Q_000042_2021-07-05_10:31",
        "P_Q_00000042_2021-07-05_10:31",
        "P_Q_+000042_2021-07-05_10:31",
        "P_Q_0000042_2021-7-05_10:31",
        "P_Q_0000042_2021-07-05_1:31",
        "P_Q_0000042_2021-07-05 10:31",
        "P-R_Q_0000042_2021-07-05_10:31",
        "_Q_0000042_2021-07-05_10:31",
        "P__0000042_2021-07-05_10:31",
        "Perù_Q_0000042_2021-07-05_10:31",
        " P_Q_0000042_2021-07-05_10:31",
    ] {
        assert_eq!(
            errato.parse::<Identificatore>(),
            Err(IdentificatoreErrato),
            "{errato}"
        );
    }
}

#[test]
fn an_identifier_of_no_day_or_hour_is_none() {
    for (quando, giusto) in [
        ("2021-13-05_10:31", false),
        ("2021-04-31_10:31", false),
        ("2021-02-29_10:31", false),
        ("2020-02-29_10:31", true),
        ("2021-07-05_24:00", false),
        ("2021-07-05_23:60", false),
        ("2021-07-05_23:59", true),
        ("2021-00-05_10:31", false),
        ("2021-01-00_10:31", false),
        ("0000-01-01_00:00", true),
    ] {
        let letto = format!("P_Q_0000042_{quando}").parse::<Identificatore>();
        assert_eq!(letto.is_ok(), giusto, "{quando}");
    }
}

#[test]
fn our_numbers_go_round_and_never_are_zero() {
    let dominio = Dominio::new("INPS", "INPSSPCoopIT").unwrap();
    let adesso = "2021-07-05T08:31:59.999Z".parse().unwrap();
    for (numero, progressivo) in [
        (0, 1),
        (1, 1),
        (917, 917),
        (9_999_999, 9_999_999),
        (10_000_000, 1),
        (u64::MAX, 4_143_453),
    ] {
        let minted = Identificatore::mint(&dominio, numero, adesso);
        assert_eq!(minted.progressivo(), progressivo, "{numero}");
        assert_eq!(minted.to_string().parse::<Identificatore>().unwrap(), minted);
    }
    assert_eq!(
        Identificatore::mint(&dominio, 917, adesso).to_string(),
        "INPS_INPSSPCoopIT_0000917_2021-07-05_10:31"
    );
}

#[test]
fn a_party_and_a_porta_that_cannot_stand_in_an_identifier_are_refused() {
    assert_eq!(
        Dominio::new("INPS_1", "INPSSPCoopIT"),
        Err(DominioErrato { campo: "nome" })
    );
    assert_eq!(Dominio::new("INPS", ""), Err(DominioErrato { campo: "porta" }));
    assert_eq!(porta_solita(&Parte::spc("INPS")), "INPSSPCoopIT");
    let aoo = Parte {
        tipo: "AOO".to_owned(),
        ..Parte::spc("c_h501")
    };
    assert_eq!(porta_solita(&aoo), "PDDc_h501");
}

#[test]
fn instants_are_read_with_and_without_milliseconds_or_zone() {
    for (testo, istante) in [
        ("2021-07-05T10:31:07", "2021-07-05T08:31:07Z"),
        ("2021-07-05T10:31:07.5", "2021-07-05T08:31:07.5Z"),
        ("2021-07-05T10:31:07.412", "2021-07-05T08:31:07.412Z"),
        ("2021-07-05T10:31:07.1234567891", "2021-07-05T08:31:07.123456789Z"),
        ("2021-01-05T10:31:07", "2021-01-05T09:31:07Z"),
        ("2021-07-05T10:31:07Z", "2021-07-05T10:31:07Z"),
        ("2021-07-05T10:31:07.000+02:00", "2021-07-05T08:31:07Z"),
        ("2021-07-05T10:31:07-05:30", "2021-07-05T16:01:07Z"),
        // The hour that comes twice, and the one that does not come: the later reading.
        ("2021-10-31T02:30:00", "2021-10-31T01:30:00Z"),
        ("2021-03-28T02:30:00", "2021-03-28T01:30:00Z"),
    ] {
        let atteso: Timestamp = istante.parse().unwrap();
        assert_eq!(ora::leggi(testo), Some(atteso), "{testo}");
    }
}

#[test]
fn what_is_no_instant_is_none() {
    for testo in [
        "",
        "2006-10-10",
        "non è una data",
        "2021-07-05 10:31:07",
        "2021-07-05T10:31",
        "2021-07-05T10:31:7",
        "2021-07-05T24:00:00",
        "2021-07-05T10:31:60",
        "2021-07-05T10:31:07.",
        "2021-07-05T10:31:07+2:00",
        "2021-07-05T10:31:07+15:00",
        "2021-07-05T10:31:07+02:60",
        "2021-07-05T10:31:07z",
        "2021-07-05T10:31:07 ",
        "2021-07-05T10:31:è7",
        "21-07-05T10:31:07",
        "2021-02-30T10:31:07",
        "-2021-07-05T10:31:07",
    ] {
        assert_eq!(ora::leggi(testo), None, "{testo}");
    }
}

#[test]
fn instants_are_written_in_the_time_of_rome() {
    let istante = "2021-12-31T23:30:00.4129Z".parse().unwrap();
    assert_eq!(ora::scrivi(istante), "2022-01-01T00:30:00");
    assert_eq!(ora::scrivi_ms(istante), "2022-01-01T00:30:00.412");
}
