use jiff::civil::date;

use super::*;
use crate::domanda::atto::rinuncia::tests::{CONTESTO, domanda};
use crate::domanda::stato::StatoDomanda;
use crate::prestazione::assegno_temporaneo::PRESTAZIONE;
use crate::protocollo::NumeroDomanda;

/// Asks for these sheets. The context is that of 2021-07-15.
fn riesame(schede: &[u32]) -> Riesame {
    Riesame {
        prestazione: &PRESTAZIONE,
        riferimento: Riferimento::NumeroDomanda(NumeroDomanda(371)),
        assistenza: Assistenza {
            data_pratica: None,
            codice_patronato: "PAT01".to_owned(),
            codice_ufficio: "001".to_owned(),
            operatore: "op.rossi".to_owned(),
            mandato_numero: "M-1".to_owned(),
            mandato_data: date(2021, 7, 1),
        },
        schede: schede.to_vec(),
        motivo: Motivo::RequisitoPosseduto,
        motivazione: "residenza nel Comune".to_owned(),
        allegati: Vec::new(),
    }
}

fn trovate(riesame: &Riesame, attuale: &DomandaConsultata) -> Vec<(&'static str, String)> {
    let esame = riesame.esamina(&CONTESTO, Some(attuale));
    let violazioni = esame.violazioni.into_iter();
    violazioni.map(|una| (una.codice.as_str(), una.dove)).collect()
}

fn scheda(numero: u32) -> String {
    format!("/at:Riesame/at:Schede/at:Scheda[{numero}]")
}

#[test]
fn what_was_decided_can_be_looked_at_again_and_nothing_else() {
    use StatoDomanda::{Accolta, Decaduta, Respinta, Revocata};
    for stato in StatoDomanda::TUTTI {
        let decisa = matches!(stato, Accolta | Respinta | Decaduta | Revocata);
        let attese = if decisa {
            Vec::new()
        } else {
            vec![("STA-001", scheda(1))]
        };
        assert_eq!(
            trovate(&riesame(&[1]), &domanda(&[*stato])),
            attese,
            "{}",
            stato.as_str()
        );
    }
}

#[test]
fn the_last_day_is_a_day_and_the_one_after_it_is_too_late() {
    let mut attuale = domanda(&[StatoDomanda::Respinta]);
    // Ninety days before the context's day, and one more: days are those of Rome.
    for (decisa, tardi) in [
        ("2021-04-16T10:00:00Z", false),
        ("2021-04-15T22:30:00Z", false),
        ("2021-04-15T21:30:00Z", true),
    ] {
        attuale.schede[0].stato_dal = decisa.parse().unwrap();
        let violazioni = riesame(&[1]).esamina(&CONTESTO, Some(&attuale)).violazioni;
        assert_eq!(violazioni.len(), usize::from(tardi), "{decisa}");
        if let Some(violazione) = violazioni.first() {
            assert_eq!(
                (violazione.codice, &violazione.dove),
                (Codice::Rie001, &scheda(1))
            );
            assert!(
                violazione.testo().contains("2021-07-14"),
                "{}",
                violazione.testo()
            );
        }
    }
    assert_eq!(ultimo_giorno(&[], date(2021, 7, 1)), None);
    let termini = [
        Termine {
            dal: date(2021, 1, 1),
            giorni: 30,
            fonte: "",
        },
        Termine {
            dal: date(2022, 1, 1),
            giorni: 60,
            fonte: "",
        },
    ];
    assert_eq!(
        ultimo_giorno(&termini, date(2021, 12, 31)),
        Some((30, date(2022, 1, 30)))
    );
    assert_eq!(
        ultimo_giorno(&termini, date(2022, 1, 1)),
        Some((60, date(2022, 3, 2)))
    );
    assert_eq!(ultimo_giorno(&termini, date(2020, 1, 1)), None);
}

#[test]
fn there_is_one_open_look_a_sheet_and_all_that_is_wrong_is_told() {
    let mut attuale = domanda(&[
        StatoDomanda::Respinta,
        StatoDomanda::Presentata,
        StatoDomanda::Respinta,
    ]);
    for (stato, aperto) in [
        (StatoRiesame::Presentato, true),
        (StatoRiesame::InEsame, true),
        (StatoRiesame::Accolto, false),
        (StatoRiesame::Respinto, false),
    ] {
        attuale.schede[0].riesame = Some(stato);
        let attese = if aperto {
            vec![("RIE-002", scheda(1))]
        } else {
            Vec::new()
        };
        assert_eq!(trovate(&riesame(&[1]), &attuale), attese, "{}", stato.as_str());
    }
    attuale.schede[0].riesame = Some(StatoRiesame::InEsame);
    attuale.schede[2].stato_dal = "2020-01-01T00:00:00Z".parse().unwrap();
    let mut errato = riesame(&[1, 2, 3, 9]);
    errato.assistenza.mandato_data = date(2021, 7, 16);
    assert_eq!(
        trovate(&errato, &attuale),
        [
            ("PAT-004", "/at:Riesame/coop:Mandato/coop:Data".to_owned()),
            ("RIE-002", scheda(1)),
            ("STA-001", scheda(2)),
            ("RIE-001", scheda(3)),
            ("STA-002", scheda(4)),
        ]
    );
}

#[test]
fn the_subject_tells_no_reason_and_the_sheets_stand_in_the_receipt() {
    let attuale = domanda(&[StatoDomanda::Respinta, StatoDomanda::Decaduta]);
    let seguito = riesame(&[2, 1, 2]).seguito(&CONTESTO, &attuale);
    assert!(
        seguito
            .oggetto
            .ends_with("richiesta di riesame della domanda n. 371 - 2 schede")
    );
    let posti: Vec<_> = seguito.schede.iter().map(|scheda| scheda.posto).collect();
    assert_eq!(posti, [1, 2]);
    assert_eq!(seguito.schede_dei_documenti(), Some(&[1, 2][..]));
}
