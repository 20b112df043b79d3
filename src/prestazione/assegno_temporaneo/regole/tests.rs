//! The helpers, and the rules about people and sheets; those about all that stands around them are in `contorno`.

use jiff::civil::{Date, date};

use super::*;
use crate::domanda::{Ambiente, CodiceFiscale};
use crate::prestazione::assegno_temporaneo::prova::{VALIDA, contesto, leggi, valida};

mod contorno;

const OTTOBRE: Date = date(2021, 10, 15);

/// What is found in [`VALIDA`] with some of its text changed, presented in produzione in October 2021.
fn cambiata(cambi: &[(&str, &str)]) -> Esame {
    let testo = cambi.iter().fold(VALIDA.to_owned(), |testo, (da, a)| {
        assert!(testo.contains(da), "{da}");
        testo.replacen(da, a, 1)
    });
    esamina(
        &leggi(&testo).expect("complete"),
        &contesto(Ambiente::Produzione, OTTOBRE),
    )
}

/// Code and place of each finding; every sentence must be complete.
fn trovate(elenco: &[Violazione]) -> Vec<(&'static str, &str)> {
    for violazione in elenco {
        for frase in [
            violazione.testo(),
            violazione.testo_inglese(),
            violazione.suggerimento(),
        ] {
            assert!(!frase.contains(['{', '}']) && !frase.is_empty(), "{frase}");
        }
    }
    elenco
        .iter()
        .map(|violazione| (violazione.codice.as_str(), violazione.dove.as_str()))
        .collect()
}

/// The one violation, and no warning.
#[track_caller]
fn assert_una(cambi: &[(&str, &str)], codice: &str, dove: &str) {
    let esame = cambiata(cambi);
    assert_eq!(trovate(&esame.violazioni), [(codice, dove)], "{cambi:?}");
    assert_eq!(trovate(&esame.avvisi), [], "{cambi:?}");
}

const MINORE_1: &str = "/at:Domanda/at:Minori/at:Minore[1]/at:";
const MINORE_2: &str = "/at:Domanda/at:Minori/at:Minore[2]/at:";

fn m1(campo: &str) -> String {
    format!("{MINORE_1}{campo}")
}

fn m2(campo: &str) -> String {
    format!("{MINORE_2}{campo}")
}

#[test]
fn a_good_domanda_has_no_finding() {
    assert_eq!(cambiata(&[]), Esame::default());
}

#[test]
fn five_broken_rules_give_exactly_those_five() {
    let esame = cambiata(&[
        ("RSSMRA80A01H501U", "RSSMRA80A01H501A"),
        ("Qualita GENITORE", "Qualita TUTORE_MINORE"),
        ("AffidoCondiviso false", "AffidoCondiviso true"),
        ("BNCNNA10T45H501Y", "MRSMSR81D60Z611H"),
        ("IT60X0542811101000000123456", "IT40S0542811101000000123456"),
        ("Codice D6 | Valore true", "Codice D6 | Valore false"),
    ]);
    assert_eq!(
        trovate(&esame.violazioni),
        [
            ("CF-002", "/at:Domanda/at:Richiedente/at:CodiceFiscale"),
            ("AT-003", m1("AffidoCondiviso").as_str()),
            ("AT-010", m2("CodiceFiscale").as_str()),
            ("IBN-003", "/at:Domanda/at:Pagamento/at:Iban"),
            (
                "DIC-001",
                "/at:Domanda/at:Dichiarazioni/at:Dichiarazione[6]/at:Valore"
            ),
        ]
    );
    assert_eq!(esame.avvisi, []);
}

#[test]
fn a_codice_fiscale_that_cannot_be_read_is_one_finding() {
    for (errato, codice) in [
        ("BBBRRR14A01A001A", "CF-002"),
        ("BBBRRR14A01A001", "CF-001"),
        ("CNTCHR83T32D969H", "CF-003"),
        ("00743110158", "CF-002"),
    ] {
        assert_una(&[("BBBRRR14A01A001X", errato)], codice, &m1("CodiceFiscale"));
    }
    // A day that its century did not have: 29 February 1923, since 2023 is yet to come.
    let quindici = "BBBRRR23B29A001";
    let mai = format!(
        "{quindici}{}",
        crate::domanda::codice_fiscale::carattere_di_controllo(quindici).unwrap()
    );
    assert_una(&[("BBBRRR14A01A001X", &mai)], "CF-003", &m1("CodiceFiscale"));
    assert_una(
        &[("VRDLGU82B52F205E", "VRDLGU82B52F205A")],
        "CF-002",
        &m1("AltroGenitore/at:CodiceFiscale"),
    );
    assert_una(
        &[(
            "PresentataDa GENITORE",
            "PresentataDa TUTORE_DEL_GENITORE | GenitoreTutelato { CodiceFiscale MRSMSR81D60Z611A | }",
        )],
        "CF-002",
        "/at:Domanda/at:GenitoreTutelato/at:CodiceFiscale",
    );
}

#[test]
fn a_provisional_codice_asks_for_the_birth_and_warns() {
    let esame = cambiata(&[("BBBRRR14A01A001X", "80000000002")]);
    assert_eq!(
        trovate(&esame.violazioni),
        [("CF-004", m1("CodiceFiscale").as_str())]
    );
    assert_eq!(trovate(&esame.avvisi), [("CF-101", m1("CodiceFiscale").as_str())]);

    for (nascita, violazioni) in [
        ("2014-01-01Z", vec![]),
        ("2021-10-15", vec![]),
        ("2021-10-16", vec![("CF-006", m1("DataNascita"))]),
        ("2003-10-16", vec![]),
        ("2003-10-15", vec![("AT-010", m1("CodiceFiscale"))]),
    ] {
        let codice = format!("80000000002 | DataNascita {nascita}");
        let esame = cambiata(&[("BBBRRR14A01A001X", &codice)]);
        let attese: Vec<_> = violazioni
            .iter()
            .map(|(codice, dove)| (*codice, dove.as_str()))
            .collect();
        assert_eq!(trovate(&esame.violazioni), attese, "{nascita}");
    }
    // Of an adult nothing depends on the birth.
    let esame = cambiata(&[("RSSMRA80A01H501U", "12345670009")]);
    assert_eq!(esame.violazioni, []);
    assert_eq!(
        trovate(&esame.avvisi),
        [("CF-101", "/at:Domanda/at:Richiedente/at:CodiceFiscale")]
    );
}

#[test]
fn a_birth_that_contradicts_the_codice_is_told_once() {
    let con = |nascita: &str| format!("BBBRRR14A01A001X | DataNascita {nascita}");
    assert_eq!(
        cambiata(&[("BBBRRR14A01A001X", &con("2014-01-01+01:00"))]),
        Esame::default()
    );
    for nascita in [
        "2014-01-02",
        "1914-01-01",
        "1990-01-01",
        "2021-12-31",
        "12014-01-01",
    ] {
        assert_una(
            &[("BBBRRR14A01A001X", &con(nascita))],
            "CF-005",
            &m1("DataNascita"),
        );
    }
    let adulto = "MRSMSR81D60Z611H | DataNascita 2014-01-01";
    assert_una(&[("BBBRRR14A01A001X", adulto)], "CF-005", &m1("DataNascita"));
}

#[test]
fn one_is_a_minor_until_the_day_before_the_eighteenth_birthday() {
    // BNCLCU04M15H501H is of 15 August 2004, RSSMRA04B29H501? of 29 February 2004.
    let quindici = "RSSMRA04B29H501";
    let bisestile = format!(
        "{quindici}{}",
        crate::domanda::codice_fiscale::carattere_di_controllo(quindici).unwrap()
    );
    for (codice, giorno, attese) in [
        ("BNCLCU04M15H501H", date(2022, 8, 14), 0),
        ("BNCLCU04M15H501H", date(2022, 8, 15), 1),
        (&bisestile, date(2022, 2, 27), 0),
        (&bisestile, date(2022, 2, 28), 1),
    ] {
        let domanda = leggi(&VALIDA.replace("BBBRRR14A01A001X", codice)).unwrap();
        let esame = esamina(&domanda, &contesto(Ambiente::Sandbox, giorno));
        let eta: Vec<_> = esame
            .violazioni
            .iter()
            .map(|violazione| violazione.codice)
            .collect();
        assert_eq!(eta, vec![Codice::At010; attese], "{codice} {giorno}");
    }
}

#[test]
fn nobody_stands_in_two_roles() {
    assert_una(
        &[("BNCNNA10T45H501Y", "BBBRRR14A01A001X")],
        "AT-011",
        &m2("CodiceFiscale"),
    );
    assert_una(
        &[("BBBRRR14A01A001X", "RSSMRA80A01H501U")],
        "AT-012",
        &m1("CodiceFiscale"),
    );
    assert_una(
        &[("VRDLGU82B52F205E", "BBBRRR14A01A001X")],
        "AT-013",
        &m1("AltroGenitore/at:CodiceFiscale"),
    );
    assert_una(
        &[("VRDLGU82B52F205E", "RSSMRA80A01H501U")],
        "AT-014",
        &m1("AltroGenitore/at:CodiceFiscale"),
    );
    // Two omocodes are two persons.
    assert_eq!(
        cambiata(&[("VRDLGU82B52F205E", "RSSMRA80A01H50MM")]),
        Esame::default()
    );
}

#[test]
fn a_tutor_says_of_whom() {
    let tutore = "PresentataDa TUTORE_DEL_GENITORE";
    let con = |chi: &str, codice: &str| format!("{chi} | GenitoreTutelato {{ CodiceFiscale {codice} | }}");
    let cambia = |a: &str| vec![("PresentataDa GENITORE", a.to_owned())];
    for (a, codice, dove) in [
        (tutore.to_owned(), "AT-015", "PresentataDa"),
        (
            con("PresentataDa GENITORE", "MRSMSR81D60Z611H"),
            "AT-015",
            "GenitoreTutelato",
        ),
        (
            con(tutore, "RSSMRA80A01H501U"),
            "AT-016",
            "GenitoreTutelato/at:CodiceFiscale",
        ),
    ] {
        let cambi = cambia(&a);
        let cambi: Vec<_> = cambi.iter().map(|(da, a)| (*da, a.as_str())).collect();
        assert_una(&cambi, codice, &format!("/at:Domanda/at:{dove}"));
    }
    let bene = con(tutore, "MRSMSR81D60Z611H");
    assert_eq!(cambiata(&[("PresentataDa GENITORE", &bene)]), Esame::default());
    let figlio = con(tutore, "BBBRRR14A01A001X");
    assert_una(
        &[("PresentataDa GENITORE", &figlio)],
        "AT-012",
        &m1("CodiceFiscale"),
    );
}

#[test]
fn half_each_only_in_shared_custody_and_with_a_named_parent() {
    let ripartizione = m1("Ripartizione");
    assert_una(
        &[("INTERO_RICHIEDENTE", "META_ENTRAMBI")],
        "AT-001",
        &ripartizione,
    );
    let meta = ("INTERO_RICHIEDENTE", "META_ENTRAMBI");
    let affido = ("AffidoCondiviso false", "AffidoCondiviso true");
    let assente = (
        "AltroGenitore { CodiceFiscale VRDLGU82B52F205E | }",
        "AltroGenitoreAssente DECEDUTO",
    );
    assert_una(&[meta, affido, assente], "AT-001", &ripartizione);
    assert_una(&[meta, assente], "AT-001", &ripartizione);
    // Shared custody allows both (AT-2).
    assert_eq!(cambiata(&[affido]), Esame::default());
    assert_eq!(cambiata(&[meta, affido]), Esame::default());
}

#[test]
fn a_tutor_of_a_minor_shares_nothing() {
    let tutore = ("Qualita GENITORE", "Qualita TUTORE_MINORE");
    assert_eq!(cambiata(&[tutore]), Esame::default());
    assert_una(
        &[tutore, ("INTERO_RICHIEDENTE", "META_ENTRAMBI")],
        "AT-003",
        &m1("Ripartizione"),
    );
    assert_una(
        &[tutore, ("AffidoCondiviso false", "AffidoCondiviso 1")],
        "AT-003",
        &m1("AffidoCondiviso"),
    );
}

#[test]
fn of_another_live_sheet_only_the_state_is_told() {
    let viva = SchedaViva {
        codice_fiscale: "BNCNNA10T45H501Y".parse::<CodiceFiscale>().unwrap(),
        stato: "IN_ISTRUTTORIA".to_owned(),
        subentrata: false,
    };
    let note = [viva.clone()];
    let mut contesto = contesto(Ambiente::Produzione, OTTOBRE);
    contesto.schede_vive = &note;
    let esame = esamina(&valida(), &contesto);
    assert_eq!(
        trovate(&esame.violazioni),
        [("AT-006", m2("CodiceFiscale").as_str())]
    );
    assert_eq!(
        esame.violazioni[0].argomenti,
        [("stato", "IN_ISTRUTTORIA".to_owned())]
    );
    assert_eq!(
        esame.violazioni[0].testo(),
        "per il minore c'è già una scheda in stato IN_ISTRUTTORIA"
    );
    // The store, when it loses a race, says the same.
    let prestazione = &crate::prestazione::assegno_temporaneo::PRESTAZIONE;
    assert_eq!((prestazione.scheda_viva)(2, &viva), esame.violazioni[0]);
    // Sent twice in the same domanda, it is told at its first place and as a copy at the second.
    let doppia = leggi(&VALIDA.replace("BBBRRR14A01A001X", "BNCNNA10T45H501Y")).unwrap();
    let esame = esamina(&doppia, &contesto);
    assert_eq!(
        trovate(&esame.violazioni),
        [
            ("AT-006", m1("CodiceFiscale").as_str()),
            ("AT-011", m2("CodiceFiscale").as_str())
        ]
    );
}
