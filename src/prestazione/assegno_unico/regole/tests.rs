//! Every rule, by the vectors of spec/domain.md §4, §7 and §8.

use jiff::civil::{Date, date};

use super::*;
use crate::domanda::{Ambiente, CodiceFiscale, Domanda as _, DomandaViva};
use crate::patronato::CodiceEnte;
use crate::prestazione::assegno_unico::prova::{PER_SE, VALIDA, contesto, leggi};
use crate::protocollo::NumeroDomanda;

const FEBBRAIO: Date = date(2022, 2, 1);
/// A fortnight after the eighteenth birthday of BNCLCU04M15H501H.
const SETTEMBRE: Date = date(2022, 9, 1);

/// What is found in a domanda with some of its text changed, presented in produzione on a day.
fn presentata(domanda: &str, cambi: &[(&str, &str)], giorno: Date) -> Esame {
    let testo = cambi.iter().fold(domanda.to_owned(), |testo, (da, a)| {
        assert!(testo.contains(da), "{da}");
        testo.replacen(da, a, 1)
    });
    esamina(
        &leggi(&testo).unwrap_or_else(|| panic!("incomplete: {cambi:?}")),
        &contesto(Ambiente::Produzione, giorno),
    )
}

fn cambiata(cambi: &[(&str, &str)]) -> Esame {
    presentata(VALIDA, cambi, FEBBRAIO)
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
fn assert_una(esame: &Esame, codice: &str, dove: &str) {
    assert_eq!(trovate(&esame.violazioni), [(codice, dove)]);
    assert_eq!(trovate(&esame.avvisi), []);
}

fn al(campo: &str) -> String {
    campo.split('/').fold("/au:Domanda".to_owned(), |dove, passo| {
        format!("{dove}/au:{passo}")
    })
}

fn f1(campo: &str) -> String {
    al(format!("Figli/Figlio[1]/{campo}").trim_end_matches('/'))
}

fn f2(campo: &str) -> String {
    al(format!("Figli/Figlio[2]/{campo}").trim_end_matches('/'))
}

/// A codice fiscale of that day, with its check character.
fn nato_il(giorno: &str) -> String {
    let quindici = format!("BNCLCU{giorno}H501");
    let controllo = crate::domanda::codice_fiscale::carattere_di_controllo(&quindici).unwrap();
    format!("{quindici}{controllo}")
}

#[test]
fn good_domande_have_no_finding() {
    assert_eq!(cambiata(&[]), Esame::default());
    assert_eq!(presentata(PER_SE, &[], SETTEMBRE), Esame::default());
}

#[test]
fn five_broken_rules_give_exactly_those_five_in_the_order_of_the_domanda() {
    let esame = cambiata(&[
        ("AnnoCompetenza 2022", "AnnoCompetenza 2021"),
        ("RSSMRA80A01H501U | Nome", "RSSMRA80A01H501A | Nome"),
        (
            "NON_CONIUGATI | Affidamento NESSUNO | Ripartizione A",
            "NON_CONIUGATI | Ripartizione C",
        ),
        ("Codice U6 | Valore true", "Codice U6 | Valore false"),
        ("IT60X0542811101000000123456", "IT40S0542811101000000123456"),
    ]);
    assert_eq!(
        trovate(&esame.violazioni),
        [
            ("AU-010", al("AnnoCompetenza").as_str()),
            ("CF-002", al("Richiedente/CodiceFiscale").as_str()),
            ("AU-001", f2("Ripartizione").as_str()),
            ("IBN-003", al("PagamentoRichiedente/Conto/Iban").as_str()),
            ("DIC-001", al("Dichiarazioni/Dichiarazione[6]/Valore").as_str()),
        ]
    );
    assert_eq!(esame.avvisi, []);
}

#[test]
fn the_window_opens_once_and_does_not_close() {
    for (ambiente, giorno, atteso) in [
        (Ambiente::Produzione, date(2021, 12, 31), Some("FIN-001")),
        (Ambiente::Produzione, date(2022, 1, 1), None),
        (Ambiente::Produzione, date(2031, 6, 1), None),
        (Ambiente::Sandbox, date(2021, 12, 31), Some("FIN-101")),
    ] {
        let domanda = leggi(PER_SE).unwrap();
        let esame = esamina(&domanda, &contesto(ambiente, giorno));
        let finestra: Vec<_> = trovate(&esame.violazioni)
            .into_iter()
            .chain(trovate(&esame.avvisi))
            .filter(|(codice, _)| codice.starts_with("FIN"))
            .collect();
        let attese: Vec<_> = atteso.map(|codice| (codice, "/au:Domanda")).into_iter().collect();
        assert_eq!(finestra, attese, "{ambiente:?} {giorno}");
    }
}

#[test]
fn the_year_is_that_of_the_presentation() {
    let con = |anno: &str, giorno| presentata(VALIDA, &[("AnnoCompetenza 2022", anno)], giorno);
    assert_eq!(con("AnnoCompetenza 2022", FEBBRAIO), Esame::default());
    assert_eq!(con("", FEBBRAIO), Esame::default());
    assert_una(
        &con("AnnoCompetenza 2023", FEBBRAIO),
        "AU-010",
        &al("AnnoCompetenza"),
    );
    // From January on the next year is asked for.
    let gennaio = con("AnnoCompetenza 2022", date(2023, 1, 1));
    assert!(trovate(&gennaio.violazioni).contains(&("AU-010", al("AnnoCompetenza").as_str())));
}

// ── AU-1, AU-2, AU-3: the three choices ──

#[test]
fn half_each_needs_another_parent_and_with_b_how_to_pay_them() {
    let senza_pagamento = [(
        "PagamentoAltroGenitore { CodiceFiscale VRDLGU82B52F205E | Modalita CONTANTE_POSTE | }",
        "",
    )];
    assert_una(&cambiata(&senza_pagamento), "AU-028", &f1("Ripartizione"));
    // C needs none, and may have none.
    let c = ("Ripartizione B", "Ripartizione C");
    assert_eq!(cambiata(&[senza_pagamento[0], c]), Esame::default());
    assert_una(
        &cambiata(&[c]),
        "AU-021",
        &al("PagamentoAltroGenitore[1]/CodiceFiscale"),
    );
    // Nor may A.
    let a = ("Ripartizione B", "Ripartizione A");
    assert_eq!(cambiata(&[senza_pagamento[0], a]), Esame::default());
    assert_una(
        &cambiata(&[a]),
        "AU-021",
        &al("PagamentoAltroGenitore[1]/CodiceFiscale"),
    );
    // Without another parent there is nobody to have the other half.
    for scelta in ["B", "C"] {
        let ripartizione = format!("NESSUNO | Ripartizione {scelta}");
        let esame = cambiata(&[("NESSUNO | Ripartizione A", &ripartizione)]);
        assert_una(&esame, "AU-001", &f2("Ripartizione"));
    }
}

#[test]
fn married_parents_and_shared_custody_may_choose_freely() {
    let senza_pagamento =
        "PagamentoAltroGenitore { CodiceFiscale VRDLGU82B52F205E | Modalita CONTANTE_POSTE | }";
    for affidamento in ["CONDIVISO", "CONDIVISO_COLLOCATO_RICHIEDENTE", "NESSUNO"] {
        for situazione in ["CONIUGATI_CONVIVENTI", "SEPARATI_DIVORZIATI", "NON_CONIUGATI"] {
            for scelta in ["A", "B", "C"] {
                let a = format!("{situazione} | Affidamento {affidamento} | Ripartizione {scelta}");
                let mut cambi = vec![("CONIUGATI_CONVIVENTI | Ripartizione B", a.as_str())];
                cambi.extend((scelta != "B").then_some((senza_pagamento, "")));
                assert_eq!(cambiata(&cambi), Esame::default(), "{a}");
            }
        }
    }
}

#[test]
fn who_is_alone_has_the_whole_sum() {
    for a in [
        "SEPARATI_DIVORZIATI | Affidamento ESCLUSIVO | Ripartizione B",
        "NON_CONIUGATI | Affidamento TUTORE_AFFIDATARIO | Ripartizione B",
        "GENITORE_UNICO | Ripartizione B",
        "ORFANO_ENTRAMBI | Ripartizione B",
    ] {
        let esame = cambiata(&[("CONIUGATI_CONVIVENTI | Ripartizione B", a)]);
        assert_una(&esame, "AU-002", &f1("Ripartizione"));
    }
    for ruolo in ["TUTORE", "AFFIDATARIO"] {
        let esame = cambiata(&[("Ruolo GENITORE", &format!("Ruolo {ruolo}"))]);
        assert_una(&esame, "AU-002", &f1("Ripartizione"));
    }
    let esame = presentata(PER_SE, &[("Ripartizione A", "Ripartizione C")], SETTEMBRE);
    assert_una(&esame, "AU-002", &f1("Ripartizione"));
    let responsabile = cambiata(&[("Ruolo GENITORE", "Ruolo ESERCENTE_RESP_GENITORIALE")]);
    assert_eq!(responsabile, Esame::default());
}

// ── AU-5, AU-8: one live sheet a child ──

#[test]
fn a_child_with_a_live_sheet_is_refused_but_an_adult_child_takes_its_place() {
    let figlio = "BNCLCU04M15H501H".parse::<CodiceFiscale>().unwrap();
    let del_genitore = SchedaViva {
        codice_fiscale: figlio.clone(),
        stato: "IN_ISTRUTTORIA".to_owned(),
        subentrata: false,
    };
    let del_figlio = SchedaViva {
        subentrata: true,
        ..del_genitore.clone()
    };
    for (domanda, viva, attesa) in [
        (VALIDA, &del_genitore, Some(("AU-008", f2("CodiceFiscale")))),
        (VALIDA, &del_figlio, Some(("AU-005", f2("CodiceFiscale")))),
        (PER_SE, &del_genitore, None),
        (PER_SE, &del_figlio, Some(("AU-005", f1("CodiceFiscale")))),
    ] {
        let giorno = if domanda == VALIDA { FEBBRAIO } else { SETTEMBRE };
        let note = [viva.clone()];
        let mut contesto = contesto(Ambiente::Produzione, giorno);
        contesto.schede_vive = &note;
        let esame = esamina(&leggi(domanda).unwrap(), &contesto);
        let attese: Vec<_> = attesa
            .iter()
            .map(|(codice, dove)| (*codice, dove.as_str()))
            .collect();
        assert_eq!(trovate(&esame.violazioni), attese);
        for violazione in &esame.violazioni {
            assert!(violazione.testo().ends_with("in stato IN_ISTRUTTORIA"));
        }
    }
}

// ── AU-7: one domanda a parent ──

fn viva(numero: u64, ente: &str) -> DomandaViva {
    DomandaViva {
        numero: NumeroDomanda(numero),
        ente: ente.parse().unwrap(),
    }
}

#[test]
fn a_parent_with_a_live_domanda_is_told_where_its_children_go() {
    let ente: CodiceEnte = "PAT01".parse().unwrap();
    let domanda = leggi(VALIDA).unwrap();
    let richiedente = al("Richiedente/CodiceFiscale");
    for (vive, attesa, testo) in [
        (vec![], None, ""),
        (vec![viva(7, "PAT01")], Some("AU-007"), "la n. 7"),
        (
            vec![viva(7, "PAT02")],
            Some("AU-030"),
            "non è del proprio patronato",
        ),
        (
            vec![viva(7, "PAT02"), viva(9, "PAT01")],
            Some("AU-007"),
            "la n. 9",
        ),
    ] {
        let contesto = Contesto {
            ente: Some(&ente),
            domande_vive: &vive,
            ..contesto(Ambiente::Produzione, FEBBRAIO)
        };
        let esame = esamina(&domanda, &contesto);
        let attese: Vec<_> = attesa
            .iter()
            .map(|codice| (*codice, richiedente.as_str()))
            .collect();
        assert_eq!(trovate(&esame.violazioni), attese);
        for violazione in &esame.violazioni {
            assert!(violazione.testo().contains(testo), "{}", violazione.testo());
            let detto = format!("{}{}", violazione.testo(), violazione.suggerimento());
            assert_eq!(
                detto.contains('7'),
                testo == "la n. 7",
                "another's number: {detto}"
            );
        }
    }
}

#[test]
fn where_every_child_has_a_live_sheet_that_is_all_that_is_told() {
    let domanda = leggi(VALIDA).unwrap();
    let note: Vec<SchedaViva> = domanda
        .minori()
        .into_iter()
        .map(|codice_fiscale| SchedaViva {
            codice_fiscale,
            stato: "ACCOLTA".to_owned(),
            subentrata: false,
        })
        .collect();
    let vive = [viva(7, "PAT02")];
    let mut contesto = contesto(Ambiente::Produzione, FEBBRAIO);
    contesto.domande_vive = &vive;
    let codici = |note: &[SchedaViva]| {
        let contesto = Contesto {
            schede_vive: note,
            ..contesto.clone()
        };
        let esame = esamina(&domanda, &contesto);
        esame
            .violazioni
            .iter()
            .map(|violazione| violazione.codice.as_str())
            .collect::<Vec<_>>()
    };
    assert_eq!(codici(&note), ["AU-008", "AU-008"]);
    assert_eq!(codici(&note[1..]), ["AU-030", "AU-008"]);
    assert_eq!(codici(&[]), ["AU-030"]);
}

#[test]
fn only_a_parent_is_counted_and_under_tutelage_the_parent_not_the_tutor() {
    let di_chi = |ruolo: &str| {
        let testo = VALIDA.replacen("Ruolo GENITORE", ruolo, 1);
        leggi(&testo)
            .unwrap()
            .avente()
            .map(|avente| (avente.codice_fiscale.as_str().to_owned(), avente.qualita))
    };
    let qualita: &[&str] = &["GENITORE", "ESERCENTE_RESP_GENITORIALE", "TUTORE_GENITORE"];
    let richiedente = Some(("RSSMRA80A01H501U".to_owned(), qualita));
    assert_eq!(di_chi("Ruolo GENITORE"), richiedente);
    assert_eq!(di_chi("Ruolo ESERCENTE_RESP_GENITORIALE"), richiedente);
    assert_eq!(di_chi("Ruolo TUTORE"), None);
    assert_eq!(di_chi("Ruolo AFFIDATARIO"), None);
    assert_eq!(leggi(PER_SE).unwrap().avente(), None);
    let mut tutelato = leggi(VALIDA).unwrap();
    tutelato.ruolo = Ruolo::TutoreGenitore;
    tutelato.genitore_tutelato = Some("VRDLGU82B52F205E".parse());
    assert_eq!(
        tutelato
            .avente()
            .map(|avente| avente.codice_fiscale.as_str().to_owned()),
        Some("VRDLGU82B52F205E".to_owned())
    );
    let vive = [viva(7, "PAT02")];
    let trovata = avente::gia_viva(&tutelato, &vive[0], None);
    assert_eq!(
        (trovata.codice.as_str(), trovata.dove),
        ("AU-030", al("GenitoreTutelato/CodiceFiscale"))
    );
}

// ── AU-6: ages and conditions ──

#[test]
fn the_age_decides_what_is_asked_of_a_child() {
    let adulto = |condizione: &str| format!("Disabilita NESSUNA | {condizione}");
    let scuola = adulto("CondizioneMaggiorenne FORMAZIONE_SCOLASTICA_PROFESSIONALE");
    let nessuna = adulto("");
    let disabile = "Disabilita MEDIA".to_owned();
    // BNCLCU04M15H501H is 18 on 15 August 2022 and 21 on 15 August 2025.
    for (giorno, disabilita, attesa) in [
        (date(2022, 8, 14), &nessuna, None),
        (
            date(2022, 8, 14),
            &scuola,
            Some(("AU-017", "CondizioneMaggiorenne")),
        ),
        (date(2022, 8, 15), &nessuna, Some(("AU-016", ""))),
        (date(2022, 8, 15), &scuola, None),
        (date(2022, 8, 15), &disabile, None),
        (date(2025, 8, 14), &scuola, None),
        (date(2025, 8, 15), &scuola, Some(("AU-006", "CodiceFiscale"))),
        (date(2025, 8, 15), &nessuna, Some(("AU-006", "CodiceFiscale"))),
        (date(2025, 8, 15), &disabile, None),
    ] {
        let esame = presentata(
            VALIDA,
            &[("Disabilita NESSUNA", disabilita), ("AnnoCompetenza 2022", "")],
            giorno,
        );
        let attese: Vec<_> = attesa
            .iter()
            .map(|(codice, campo)| (*codice, f2(campo)))
            .collect();
        let attese: Vec<_> = attese
            .iter()
            .map(|(codice, dove)| (*codice, dove.as_str()))
            .collect();
        assert_eq!(trovate(&esame.violazioni), attese, "{giorno} {disabilita}");
    }
    // Born on 29 February, one is 18 on the last day of February.
    let bisestile = nato_il("04B29");
    for (giorno, attese) in [(date(2022, 2, 27), 0), (date(2022, 2, 28), 1)] {
        let esame = presentata(VALIDA, &[("BNCLCU04M15H501H", &bisestile)], giorno);
        assert_eq!(esame.violazioni.len(), attese, "{giorno}");
    }
}

#[test]
fn every_condition_is_taken_and_those_with_income_say_so() {
    let con = |condizione: &str| {
        let disabilita = format!("Disabilita NESSUNA | {condizione}");
        presentata(VALIDA, &[("Disabilita NESSUNA", &disabilita)], SETTEMBRE)
    };
    for condizione in [
        "CondizioneMaggiorenne FORMAZIONE_SCOLASTICA_PROFESSIONALE",
        "CondizioneMaggiorenne CORSO_LAUREA",
        "CondizioneMaggiorenne TIROCINIO | RedditoSottoSoglia true",
        "CondizioneMaggiorenne LAVORO | RedditoSottoSoglia true",
        "CondizioneMaggiorenne DISOCCUPATO_REGISTRATO",
        "CondizioneMaggiorenne SERVIZIO_CIVILE_UNIVERSALE",
    ] {
        assert_eq!(con(condizione), Esame::default(), "{condizione}");
    }
    for (condizione, campo) in [
        ("CondizioneMaggiorenne TIROCINIO", "CondizioneMaggiorenne"),
        (
            "CondizioneMaggiorenne LAVORO | RedditoSottoSoglia false",
            "RedditoSottoSoglia",
        ),
        (
            "CondizioneMaggiorenne CORSO_LAUREA | RedditoSottoSoglia true",
            "RedditoSottoSoglia",
        ),
    ] {
        assert_una(&con(condizione), "AU-018", &f2(campo));
    }
    assert_una(
        &cambiata(&[("Disabilita GRAVE", "Disabilita GRAVE | RedditoSottoSoglia true")]),
        "AU-018",
        &f1("RedditoSottoSoglia"),
    );
}

#[test]
fn an_adult_child_asks_for_itself_alone() {
    let giorno = SETTEMBRE;
    let altro = [(
        "Figlio { CodiceFiscale BNCLCU04M15H501H",
        "Figlio { CodiceFiscale RSSMRA80A01H501U",
    )];
    let esame = presentata(PER_SE, &altro, giorno);
    assert_una(&esame, "AU-012", &f1("CodiceFiscale"));
    let due = [(
        "Figli {",
        "Figli { Figlio { CodiceFiscale BBBRRR14A01A001X | AltroGenitoreAssente IGNOTO
          SituazioneGenitori GENITORE_UNICO | Ripartizione A | Disabilita NESSUNA | ACarico true | }",
    )];
    let esame = presentata(PER_SE, &due, giorno);
    assert_una(&esame, "AU-012", &al("Figli"));
    // The day before the eighteenth birthday.
    let minorenne = presentata(
        PER_SE,
        &[
            ("CondizioneMaggiorenne LAVORO | RedditoSottoSoglia true |", ""),
            ("Data 2022-08-31", "Data 2022-08-01"),
        ],
        date(2022, 8, 14),
    );
    assert_una(&minorenne, "AU-027", &f1("CodiceFiscale"));
    // Not an orphan: one of the parents is named, or why there is none.
    let figlio_di_qualcuno = ("ORFANO_ENTRAMBI", "NON_CONIUGATI");
    assert_una(
        &presentata(PER_SE, &[figlio_di_qualcuno], giorno),
        "AU-020",
        &f1(""),
    );
    let con_genitore = (
        "SituazioneGenitori ORFANO_ENTRAMBI",
        "AltroGenitore { CodiceFiscale VRDLGU82B52F205E | } SituazioneGenitori NON_CONIUGATI",
    );
    assert_eq!(presentata(PER_SE, &[con_genitore], giorno), Esame::default());
    // And a parent never leaves both out, orphan or not.
    assert_una(
        &cambiata(&[("AltroGenitoreAssente DECEDUTO\n", "")]),
        "AU-020",
        &f2(""),
    );
}

// ── AU-9 and its kin: nobody twice ──

#[test]
fn nobody_stands_in_two_roles() {
    assert_una(
        &cambiata(&[("BNCLCU04M15H501H", "RSSMRA80A01H501U")]),
        "AU-009",
        &f2("CodiceFiscale"),
    );
    let altro = (
        "AltroGenitoreAssente DECEDUTO",
        "AltroGenitore { CodiceFiscale RSSMRA80A01H501U | }",
    );
    assert_una(&cambiata(&[altro]), "AU-009", &f2("AltroGenitore/CodiceFiscale"));
    let se_stesso = (
        "AltroGenitoreAssente DECEDUTO",
        "AltroGenitore { CodiceFiscale BNCLCU04M15H501H | }",
    );
    assert_una(
        &cambiata(&[se_stesso]),
        "AU-013",
        &f2("AltroGenitore/CodiceFiscale"),
    );
    assert_una(
        &cambiata(&[("BNCLCU04M15H501H", "BBBRRR14A01A001X")]),
        "AU-011",
        &f2("CodiceFiscale"),
    );
    // Two omocodes are two persons.
    let omocodo = (
        "AltroGenitoreAssente DECEDUTO",
        "AltroGenitore { CodiceFiscale RSSMRA80A01H50MM | }",
    );
    assert_eq!(cambiata(&[omocodo]), Esame::default());
}

#[test]
fn the_tutor_of_a_parent_says_of_whom() {
    let tutore = ("Ruolo GENITORE", "Ruolo TUTORE_GENITORE");
    let tutelato = |codice: &str| format!("Figli {{ GenitoreTutelato {{ CodiceFiscale {codice} | }}");
    assert_una(&cambiata(&[tutore]), "AU-014", &al("Richiedente/Ruolo"));
    assert_eq!(
        cambiata(&[tutore, ("Figli {", &tutelato("MRSMSR81D60Z611H"))]),
        Esame::default()
    );
    assert_una(
        &cambiata(&[("Figli {", &tutelato("MRSMSR81D60Z611H"))]),
        "AU-014",
        &al("GenitoreTutelato"),
    );
    assert_una(
        &cambiata(&[tutore, ("Figli {", &tutelato("RSSMRA80A01H501U"))]),
        "AU-015",
        &al("GenitoreTutelato/CodiceFiscale"),
    );
    // The parent under tutelage is no child and no other parent.
    assert_una(
        &cambiata(&[tutore, ("Figli {", &tutelato("VRDLGU82B52F205E"))]),
        "AU-009",
        &f1("AltroGenitore/CodiceFiscale"),
    );
}

// ── Births, dependants, ISEE ──

#[test]
fn a_birth_told_late_is_told_so() {
    let neonata = ("BBBRRR14A01A001X", "BNCGLI22C55F205L | NuovaNascita true");
    let (giugno, luglio) = (date(2022, 7, 13), date(2022, 7, 14));
    assert_eq!(presentata(VALIDA, &[neonata], giugno), Esame::default());
    let tardi = presentata(VALIDA, &[neonata], luglio);
    assert_eq!(tardi.violazioni, []);
    assert_eq!(trovate(&tardi.avvisi), [("AU-101", f1("NuovaNascita").as_str())]);
    // A provisional codice fiscale needs the birth beside it; none may be to come.
    let provvisorio = |nascita: &str| format!("80000000002 | {nascita}");
    for (nascita, attesa) in [
        ("", Some(("CF-004", "CodiceFiscale"))),
        ("DataNascita 2022-02-01", None),
        ("DataNascita 2022-02-02", Some(("CF-006", "DataNascita"))),
    ] {
        let esame = cambiata(&[("BBBRRR14A01A001X", &provvisorio(nascita))]);
        let attese: Vec<_> = attesa
            .iter()
            .map(|(codice, campo)| (*codice, f1(campo)))
            .collect();
        let attese: Vec<_> = attese
            .iter()
            .map(|(codice, dove)| (*codice, dove.as_str()))
            .collect();
        assert_eq!(trovate(&esame.violazioni), attese, "{nascita}");
        assert_eq!(trovate(&esame.avvisi), [("CF-101", f1("CodiceFiscale").as_str())]);
    }
    let smentita = cambiata(&[("BBBRRR14A01A001X", "BBBRRR14A01A001X | DataNascita 2014-01-02")]);
    assert_una(&smentita, "CF-005", &f1("DataNascita"));
}

#[test]
fn children_are_dependent() {
    let esame = cambiata(&[(
        "Disabilita GRAVE | ACarico true",
        "Disabilita GRAVE | ACarico false",
    )]);
    assert_una(&esame, "AU-019", &f1("ACarico"));
}

#[test]
fn the_nucleus_is_declared_only_where_there_is_no_isee() {
    let isee = "Isee { Presente true | ProtocolloDSU INPS-ISEE-2022-01234567P-00 | }";
    let nucleo = "Nucleo { Componente { CodiceFiscale RSSMRA80A01H501U | } }";
    assert_una(
        &cambiata(&[(isee, &format!("{isee} {nucleo}"))]),
        "AU-025",
        &al("Nucleo"),
    );
    for senza in ["", "Isee { Presente false | }"] {
        assert_eq!(
            cambiata(&[(isee, &format!("{senza} {nucleo}"))]),
            Esame::default()
        );
        assert_eq!(cambiata(&[(isee, senza)]), Esame::default());
    }
    assert_una(
        &cambiata(&[("Presente true", "Presente false")]),
        "AU-026",
        &al("Isee/ProtocolloDSU"),
    );
    let componente = nucleo.replace("RSSMRA80A01H501U", "RSSMRA80A01H501A");
    assert_una(
        &cambiata(&[(isee, &componente)]),
        "CF-002",
        &al("Nucleo/Componente[1]/CodiceFiscale"),
    );
    let anf = |prima: &str| format!("{prima} | Anf2021Percepito true");
    assert_eq!(cambiata(&[(isee, &anf(isee))]), Esame::default());
    let senza = cambiata(&[(isee, &anf(""))]);
    assert_eq!(senza.violazioni, []);
    assert_eq!(
        trovate(&senza.avvisi),
        [("AU-102", al("Anf2021Percepito").as_str())]
    );
}

// ── Payments ──

const CONTO: &str = "Modalita IBAN
      Conto { Strumento CC_BANCARIO | Iban IT60X0542811101000000123456
        Intestatario { Qualita RICHIEDENTE | CodiceFiscale RSSMRA80A01H501U | } }";

#[test]
fn an_account_goes_with_the_modality() {
    let conto = |modalita: &str| CONTO.replace("Modalita IBAN", modalita);
    let richiedente = |campo: &str| al(format!("PagamentoRichiedente/{campo}").trim_end_matches('/'));
    // The other parent has an account then: two in cash are another fault.
    let altro_su_conto = (
        "VRDLGU82B52F205E | Modalita CONTANTE_POSTE",
        "VRDLGU82B52F205E | Modalita IBAN
           Conto { Strumento CC_POSTALE | Iban IT30O0760103200000012345678
             Intestatario { Qualita ALTRO_GENITORE | CodiceFiscale VRDLGU82B52F205E | } }",
    );
    assert_eq!(cambiata(&[altro_su_conto]), Esame::default());
    assert_eq!(
        cambiata(&[altro_su_conto, (CONTO, "Modalita CONTANTE_POSTE |")]),
        Esame::default()
    );
    for (a, codice, campo) in [
        ("Modalita IBAN |".to_owned(), "IBN-006", ""),
        (conto("Modalita CONTANTE_POSTE"), "IBN-005", "Conto"),
        ("Modalita CARTA_RDC |".to_owned(), "AU-024", "Modalita"),
        (conto("Modalita CARTA_RDC"), "AU-024", "Modalita"),
    ] {
        assert_una(
            &cambiata(&[altro_su_conto, (CONTO, &a)]),
            codice,
            &richiedente(campo),
        );
    }
    for (iban, codice) in [
        ("IT60X054281110100000012345", "IBN-001"),
        ("IT02L1234512345123456789012", "IBN-002"),
        ("IT40S0542811101000000123456", "IBN-003"),
        ("TR330006100519786457841326", "IBN-004"),
    ] {
        assert_una(
            &cambiata(&[("IT60X0542811101000000123456", iban)]),
            codice,
            &richiedente("Conto/Iban"),
        );
    }
}

#[test]
fn any_sepa_account_may_be_paid_and_a_foreign_one_asks_for_its_form() {
    let iban = ("IT60X0542811101000000123456", "DE89370400440532013000");
    let senza = cambiata(&[iban]);
    assert_eq!(senza.violazioni, []);
    assert_eq!(
        trovate(&senza.avvisi),
        [("ALL-101", al("PagamentoRichiedente/Conto/Iban").as_str())]
    );
    let modulo = (
        "Codice U7 | Valore true | }\n    }",
        "Codice U7 | Valore true | } }
         Allegati { Allegato { Tipo FINANCIAL_IDENTIFICATION_SEPA | NomeFile fid.pdf | TipoMime application/pdf
           Contenuto JVBERi0xLjQKJSVFT0YK | } }",
    );
    assert_eq!(cambiata(&[iban, modulo]), Esame::default());
    for strumento in ["CC_POSTALE", "CARTA_CREDITO_DEBITO", "LIBRETTO_RISPARMIO"] {
        assert_eq!(
            cambiata(&[("CC_BANCARIO", strumento)]),
            Esame::default(),
            "{strumento}"
        );
    }
}

#[test]
fn an_account_belongs_to_who_is_paid() {
    let qualita = al("PagamentoRichiedente/Conto/Intestatario/Qualita");
    let codice = al("PagamentoRichiedente/Conto/Intestatario/CodiceFiscale");
    let intestatario = "Qualita RICHIEDENTE | CodiceFiscale RSSMRA80A01H501U";
    for (a, codice_errore, dove) in [
        (
            "Qualita RICHIEDENTE | CodiceFiscale VRDLGU82B52F205E",
            "AU-029",
            &codice,
        ),
        (
            "Qualita ALTRO_GENITORE | CodiceFiscale VRDLGU82B52F205E",
            "AU-029",
            &qualita,
        ),
        (
            "Qualita GENITORE_TUTELATO | CodiceFiscale VRDLGU82B52F205E",
            "AU-029",
            &qualita,
        ),
        (
            "Qualita ALTRO_TUTORE_AFFIDATARIO | CodiceFiscale VRDLGU82B52F205E",
            "AU-029",
            &qualita,
        ),
        (
            "Qualita RICHIEDENTE | CodiceFiscale RSSMRA80A01H501A",
            "CF-002",
            &codice,
        ),
    ] {
        assert_una(&cambiata(&[(intestatario, a)]), codice_errore, dove);
    }
    // A tutor in the place of a parent: theirs or the parent's.
    let tutela = [
        ("Ruolo GENITORE", "Ruolo TUTORE_GENITORE"),
        (
            "Figli {",
            "Figli { GenitoreTutelato { CodiceFiscale MRSMSR81D60Z611H | }",
        ),
    ];
    let del_tutelato = |codice: &str| format!("Qualita GENITORE_TUTELATO | CodiceFiscale {codice}");
    let con = |a: &str| cambiata(&[tutela[0], tutela[1], (intestatario, a)]);
    assert_eq!(con(&del_tutelato("MRSMSR81D60Z611H")), Esame::default());
    assert_una(&con(&del_tutelato("VRDLGU82B52F205E")), "AU-029", &codice);
    // Tutors and custodians: one of them.
    for ruolo in ["TUTORE", "AFFIDATARIO"] {
        let esame = cambiata(&[
            ("Ruolo GENITORE", &format!("Ruolo {ruolo}")),
            ("Ripartizione B", "Ripartizione A"),
            (
                "PagamentoAltroGenitore { CodiceFiscale VRDLGU82B52F205E | Modalita CONTANTE_POSTE | }",
                "",
            ),
            (
                intestatario,
                "Qualita ALTRO_TUTORE_AFFIDATARIO | CodiceFiscale MRSMSR81D60Z611H",
            ),
        ]);
        assert_eq!(esame, Esame::default());
    }
    // An adult child: its own.
    let proprio = CONTO.replace("RSSMRA80A01H501U", "BNCLCU04M15H501H");
    assert_eq!(
        presentata(PER_SE, &[("Modalita CONTANTE_POSTE", &proprio)], SETTEMBRE),
        Esame::default()
    );
}

#[test]
fn each_other_parent_is_paid_once() {
    let altro = |campo: &str| al(&format!("PagamentoAltroGenitore[1]/{campo}"));
    let pagamento = "PagamentoAltroGenitore { CodiceFiscale VRDLGU82B52F205E | Modalita CONTANTE_POSTE | }";
    assert_una(
        &cambiata(&[(CONTO, "Modalita CONTANTE_POSTE |")]),
        "AU-023",
        &altro("Modalita"),
    );
    assert_una(
        &cambiata(&[(pagamento, &format!("{pagamento} {pagamento}"))]),
        "AU-022",
        &al("PagamentoAltroGenitore[2]/CodiceFiscale"),
    );
    let estraneo = pagamento.replace("VRDLGU82B52F205E", "MRSMSR81D60Z611H");
    assert_una(
        &cambiata(&[(pagamento, &format!("{pagamento} {estraneo}"))]),
        "AU-021",
        &al("PagamentoAltroGenitore[2]/CodiceFiscale"),
    );
    // A codice fiscale that cannot be read is that fault at each of its places, and no other.
    let esame = cambiata(&[(
        pagamento,
        &pagamento.replace("VRDLGU82B52F205E", "VRDLGU82B52F205A"),
    )]);
    assert_eq!(
        trovate(&esame.violazioni),
        [
            ("AU-028", f1("Ripartizione").as_str()),
            ("CF-002", altro("CodiceFiscale").as_str())
        ]
    );
    let esame = cambiata(&[("VRDLGU82B52F205E", "VRDLGU82B52F205A")]);
    assert_una(&esame, "CF-002", &f1("AltroGenitore/CodiceFiscale"));
    let conto_della_richiedente = pagamento.replace("Modalita CONTANTE_POSTE |", CONTO);
    assert_una(
        &cambiata(&[(pagamento, &conto_della_richiedente)]),
        "AU-029",
        &altro("Conto/Intestatario/Qualita"),
    );
}

// ── Declarations, documents ──

#[test]
fn every_declaration_is_made_by_a_title_that_fits() {
    assert_una(
        &cambiata(&[("Dichiarazione { Codice U2 | Valore true | }", "")]),
        "DIC-001",
        &al("Dichiarazioni"),
    );
    let esame = cambiata(&[("Scelta RESIDENZA", "Scelta UE")]);
    assert_una(&esame, "DIC-002", &al("Dichiarazioni/Dichiarazione[4]/Scelta"));
    assert!(
        esame.violazioni[0]
            .suggerimento()
            .contains("U4: RESIDENZA, CONTRATTO")
    );
    for scelta in [
        "UE",
        "FAMILIARE_UE",
        "EXTRA_UE_LUNGO_PERIODO",
        "PERMESSO_UNICO_LAVORO",
        "PERMESSO_RICERCA",
    ] {
        assert_eq!(
            cambiata(&[("Scelta ITALIANO", &format!("Scelta {scelta}"))]),
            Esame::default(),
            "{scelta}"
        );
    }
}

#[test]
fn a_document_is_what_it_says() {
    let esame = cambiata(&[(
        "Codice U7 | Valore true | }\n    }",
        "Codice U7 | Valore true | } }
         Allegati { Allegato { Tipo CERT_FREQUENZA | NomeFile a.pdf | TipoMime application/pdf | Contenuto
           | } }",
    )]);
    assert_una(&esame, "ALL-003", &al("Allegati/Allegato[1]/Contenuto"));
}

#[test]
fn the_mandate_is_older_than_what_is_done_with_it() {
    assert_una(
        &cambiata(&[("Data 2022-01-31", "Data 2022-02-02")]),
        "PAT-004",
        &al("Mandato/Data"),
    );
}
