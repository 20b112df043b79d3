//! The table of docs/contratto-motore.md, line by line.

use super::*;
use crate::engine::caso::RiesameVisto;

fn giorno(testo: &str) -> Date {
    testo.parse().unwrap()
}

/// An assegno temporaneo with one child, born in 2014, worked up to a state.
fn temporaneo(stato: StatoDomanda) -> Caso {
    Caso {
        numero_domanda: 1,
        versione: 1,
        servizio: assegno_temporaneo::PRESTAZIONE.servizio.to_owned(),
        iban: Some("IT60X0542811101000000123456".parse().unwrap()),
        anno_competenza: None,
        documenti: Vec::new(),
        schede: vec![SchedaVista {
            posto: 1,
            codice_fiscale: "BBBRRR14A01A001X".parse().unwrap(),
            data_nascita: Some(giorno("2014-01-01")),
            disabile: false,
            condizione_maggiorenne: None,
            divisa: false,
            altro_genitore: None,
            decorrenza: Some(Mese { anno: 2021, mese: 7 }),
            stato,
            azione: Nessuna,
            azione_motivo: None,
            pagati: Vec::new(),
            riesame: None,
            rinnovi: Vec::new(),
        }],
    }
}

fn unico(stato: StatoDomanda) -> Caso {
    let mut caso = temporaneo(stato);
    assegno_unico::PRESTAZIONE.servizio.clone_into(&mut caso.servizio);
    caso.anno_competenza = Some(2022);
    caso.schede[0].decorrenza = Some(Mese { anno: 2022, mese: 3 });
    caso
}

/// Everything that is decided on a day, one line each.
fn tutto(caso: &mut Caso, oggi: &str) -> Vec<String> {
    let mut decise = Vec::new();
    while let Some(decisione) = decidi(caso, giorno(oggi)) {
        decise.push(decisione.to_string());
        caso.apply(&decisione);
        assert!(decise.len() < 1000, "it never ends: {:?}", &decise[990..]);
    }
    decise
}

/// The state and the action after a day.
fn dopo(mut caso: Caso, oggi: &str) -> (StatoDomanda, AzioneRichiesta) {
    tutto(&mut caso, oggi);
    (caso.schede[0].stato, caso.schede[0].azione)
}

use AzioneRichiesta::{
    AggiornareDatiFiglio, AggiornareIban, AllegareDocumenti, IntegrareAltroGenitore, Nessuna,
};
use StatoDomanda::{
    Accolta, Decaduta, InEvidenzaCittadino, InEvidenzaSede, InIstruttoria, Presentata, Respinta, Rinunciata,
    Sospesa,
};

#[test]
fn nothing_amiss_is_accepted() {
    let mut caso = temporaneo(Presentata);
    assert_eq!(
        tutto(&mut caso, "2021-07-15"),
        [
            "scheda 1: PRESENTATA -> IN_ISTRUTTORIA",
            "scheda 1: IN_ISTRUTTORIA -> ACCOLTA"
        ]
    );
    assert_eq!(caso.versione, 3);
}

#[test]
fn a_foreign_account_waits_for_its_form() {
    let mut caso = temporaneo(Presentata);
    caso.iban = Some("DE89370400440532013000".parse().unwrap());
    tutto(&mut caso, "2021-07-15");
    assert_eq!(
        (caso.schede[0].stato, caso.schede[0].azione),
        (InEvidenzaCittadino, AllegareDocumenti)
    );
    caso.documenti = vec!["ALTRO".to_owned()];
    assert_eq!(tutto(&mut caso, "2021-07-16"), Vec::<String>::new());
    caso.documenti.push("FINANCIAL_IDENTIFICATION_SEPA".to_owned());
    assert_eq!(
        tutto(&mut caso, "2021-07-16"),
        [
            "scheda 1: IN_EVIDENZA_CITTADINO -> IN_ISTRUTTORIA",
            "scheda 1: IN_ISTRUTTORIA -> ACCOLTA"
        ]
    );
}

#[test]
fn the_last_letter_of_the_child_tells_who_judges() {
    for (codice, stato) in [
        ("BBBRRR14A01A001X", Accolta),
        ("BBBRRT14A01A001Z", Respinta),
        ("BBBRRS14A01A001Y", InEvidenzaSede),
    ] {
        let mut caso = temporaneo(InIstruttoria);
        caso.schede[0].codice_fiscale = codice.parse().unwrap();
        assert_eq!(dopo(caso, "2021-07-15"), (stato, Nessuna));
    }
}

#[test]
fn an_account_of_nobody_is_told_and_not_paid_until_it_is_another_one() {
    let mut caso = temporaneo(Presentata);
    caso.iban = Some(iban_99());
    let decise = tutto(&mut caso, "2021-09-01");
    assert_eq!(decise.len(), 2, "{decise:?}");
    assert_eq!(
        (caso.schede[0].stato, caso.schede[0].azione),
        (Accolta, AggiornareIban)
    );
    caso.iban = Some("IT60X0542811101000000123456".parse().unwrap());
    assert_eq!(
        tutto(&mut caso, "2021-09-01"),
        [
            "scheda 1: nessuna azione richiesta",
            "scheda 1: PAGATO 2021-07 RICHIEDENTE 167,50 euro",
            "scheda 1: PAGATO 2021-08 RICHIEDENTE 167,50 euro",
        ]
    );
}

fn iban_99() -> Iban {
    "IT03I0542811101000000123499".parse().unwrap()
}

#[test]
fn the_other_half_waits_for_the_other_parent() {
    let mut caso = temporaneo(Presentata);
    caso.schede[0].divisa = true;
    tutto(&mut caso, "2021-08-01");
    let scheda = &caso.schede[0];
    assert_eq!((scheda.stato, scheda.azione), (Accolta, IntegrareAltroGenitore));
    assert_eq!(scheda.pagati.len(), 1);
    assert_eq!(scheda.pagati[0].importo_cent, 8_375);
    // In cash, at the counter.
    caso.schede[0].altro_genitore = Some(None);
    assert_eq!(
        tutto(&mut caso, "2021-08-01"),
        [
            "scheda 1: nessuna azione richiesta",
            "scheda 1: PAGATO 2021-07 ALTRO_GENITORE 83,75 euro",
        ]
    );
    caso.schede[0].altro_genitore = Some(Some(iban_99()));
    assert_eq!(dopo(caso, "2021-08-02"), (Accolta, AggiornareIban));
}

#[test]
fn a_month_that_was_paid_whole_is_not_paid_again_by_halves() {
    let mut caso = temporaneo(Presentata);
    tutto(&mut caso, "2021-08-01");
    caso.schede[0].divisa = true;
    caso.schede[0].altro_genitore = Some(None);
    assert_eq!(
        tutto(&mut caso, "2021-09-01"),
        [
            "scheda 1: PAGATO 2021-08 RICHIEDENTE 83,75 euro",
            "scheda 1: PAGATO 2021-08 ALTRO_GENITORE 83,75 euro",
        ]
    );
}

#[test]
fn a_month_is_due_when_it_is_over_and_the_measure_has_an_end() {
    let mut caso = temporaneo(Accolta);
    assert!(decidi(&caso, giorno("2021-07-31")).is_none());
    assert_eq!(tutto(&mut caso, "2021-08-01").len(), 1);
    assert_eq!(tutto(&mut caso, "2030-01-01").len(), 7, "August to February 2022");
    let mut tre = temporaneo(Accolta);
    for posto in [2, 3] {
        let scheda = SchedaVista {
            posto,
            ..tre.schede[0].clone()
        };
        tre.schede.push(scheda);
    }
    assert!(
        tutto(&mut tre, "2021-08-01")
            .iter()
            .all(|decisa| decisa.ends_with("217,80 euro"))
    );
}

#[test]
fn the_birthday_ends_it() {
    let nato = |mut caso: Caso, nascita: &str| {
        caso.schede[0].data_nascita = Some(giorno(nascita));
        caso
    };
    for (caso, oggi, stato) in [
        (nato(temporaneo(Accolta), "2003-10-10"), "2021-10-09", Accolta),
        (nato(temporaneo(Accolta), "2003-10-10"), "2021-10-10", Decaduta),
        (nato(temporaneo(Presentata), "2003-07-01"), "2021-07-01", Respinta),
        (nato(unico(Accolta), "2001-05-20"), "2022-05-20", Decaduta),
    ] {
        assert_eq!(dopo(caso, oggi).0, stato);
    }
    let mut disabile = nato(unico(Accolta), "2001-05-20");
    disabile.schede[0].disabile = true;
    assert_eq!(dopo(disabile, "2022-05-20").0, Accolta);
}

#[test]
fn who_comes_of_age_says_what_it_does() {
    let mut caso = unico(Accolta);
    caso.schede[0].data_nascita = Some(giorno("2004-08-15"));
    caso.schede[0].decorrenza = Some(Mese { anno: 2022, mese: 7 });
    assert_eq!(
        tutto(&mut caso, "2022-08-14"),
        ["scheda 1: PAGATO 2022-07 RICHIEDENTE 175,00 euro"]
    );
    tutto(&mut caso, "2022-08-15");
    assert_eq!(
        (caso.schede[0].stato, caso.schede[0].azione),
        (InEvidenzaCittadino, AggiornareDatiFiglio)
    );
    caso.schede[0].condizione_maggiorenne = Some("CORSO_LAUREA".to_owned());
    let decise = tutto(&mut caso, "2022-10-01");
    assert_eq!(
        decise[2..],
        [
            "scheda 1: PAGATO 2022-08 RICHIEDENTE 175,00 euro",
            "scheda 1: PAGATO 2022-09 RICHIEDENTE 85,00 euro"
        ]
    );
}

#[test]
fn the_assegno_unico_goes_on_by_itself_each_january() {
    let mut caso = unico(Accolta);
    tutto(&mut caso, "2022-12-31");
    assert_eq!(caso.schede[0].rinnovi, Vec::<i16>::new());
    assert_eq!(
        tutto(&mut caso, "2023-01-01"),
        [
            "scheda 1: rinnovata per il 2023",
            "scheda 1: PAGATO 2022-12 RICHIEDENTE 175,00 euro"
        ]
    );
    tutto(&mut caso, "2025-06-01");
    assert_eq!(caso.schede[0].rinnovi, [2023, 2024, 2025]);
    // The assegno temporaneo has no years.
    let mut altro = temporaneo(Accolta);
    tutto(&mut altro, "2025-06-01");
    assert_eq!(altro.schede[0].rinnovi, Vec::<i16>::new());
}

#[test]
fn what_waits_for_an_office_or_is_over_is_left_alone() {
    for stato in [InEvidenzaSede, Sospesa, Respinta, Decaduta, Rinunciata] {
        assert_eq!(decidi(&temporaneo(stato), giorno("2021-12-01")), None);
    }
}

/// Whatever the data, what is decided is what the contract allows, and comes to an end.
#[test]
fn every_move_is_one_of_the_engines() {
    for mut caso in [temporaneo(Presentata), unico(Presentata)] {
        for iban in ["IT60X0542811101000000123456", "DE89370400440532013000"] {
            for divisa in [false, true] {
                caso.iban = Some(iban.parse().unwrap());
                caso.schede[0].divisa = divisa;
                let mut prova = caso.clone();
                for oggi in ["2021-07-15", "2022-08-01", "2033-01-01", "2040-01-01"] {
                    while let Some(decisione) = decidi(&prova, giorno(oggi)) {
                        if let Passo::Stato { a, .. } = decisione.passo {
                            assert!(a == decisione.da || decisione.da.may_become(a), "{decisione}");
                            assert_eq!(a.chi(), crate::domanda::stato::Lato::Motore);
                        }
                        prova.apply(&decisione);
                    }
                }
            }
        }
    }
}

#[test]
fn a_riesame_with_documents_reverses_a_refusal_and_one_without_confirms_it() {
    let con = |documentato| {
        let mut caso = temporaneo(Respinta);
        caso.schede[0].codice_fiscale = "BBBRRT14A01A001Z".parse().unwrap();
        caso.schede[0].riesame = Some(RiesameVisto {
            stato: StatoRiesame::Presentato,
            documentato,
        });
        caso
    };
    let mut accolto = con(true);
    assert_eq!(
        tutto(&mut accolto, "2021-07-20"),
        [
            "scheda 1: riesame PRESENTATO -> IN_ESAME",
            "scheda 1: riesame IN_ESAME -> ACCOLTO (i documenti allegati alla richiesta di riesame sono stati valutati)",
            "scheda 1: IN_ISTRUTTORIA -> ACCOLTA",
        ]
    );
    // The riesame twice, the sheet that it opens, the sheet that is accepted.
    assert_eq!(accolto.versione, 5);
    assert_eq!(
        tutto(&mut con(false), "2021-07-20"),
        [
            "scheda 1: riesame PRESENTATO -> IN_ESAME",
            "scheda 1: riesame IN_ESAME -> RESPINTO (la richiesta di riesame non porta documenti nuovi: la decisione è confermata)",
        ]
    );
}
