use bytes::Bytes;
use jiff::Timestamp;
use jiff::civil::date;

use super::*;
use crate::domanda::{Ambiente, Richiedente};
use crate::protocollo::{NumeroDomanda, NumeroProtocollo};
use crate::ricevuta::{DIGEST_VERSIONE, Digest, Registrata};

/// A domanda whose sheets are in these states.
pub(in crate::domanda::atto) fn domanda(stati: &[StatoDomanda]) -> DomandaConsultata {
    let codice_fiscale = || "BBBRRR14A01A001X".parse().unwrap();
    DomandaConsultata {
        ente: "PAT01".parse().unwrap(),
        registrata: Registrata {
            protocollo: NumeroProtocollo::new("AUF", 2021, 7).unwrap(),
            numero_domanda: NumeroDomanda(371),
            chiave: "K-1".parse().unwrap(),
            digest: Digest([0; 32]),
            digest_versione: DIGEST_VERSIONE,
            ricevuta: Bytes::new(),
            annullata: false,
        },
        versione: 4,
        richiedente: Richiedente {
            codice_fiscale: codice_fiscale(),
            nome: "MARIO".to_owned(),
            cognome: "ROSSI".to_owned(),
            email: None,
            cellulare: None,
            indirizzo: None,
        },
        presentata_il: "2021-07-01T08:00:00Z".parse().unwrap(),
        registrata_il: "2021-07-01T08:00:00Z".parse().unwrap(),
        codice_ufficio: "001".to_owned(),
        impronta: [0; 32],
        quadro: None,
        schede: (1..)
            .zip(stati)
            .map(|(posto, stato)| SchedaConsultata {
                posto,
                codice_fiscale: codice_fiscale(),
                stato: *stato,
                stato_dal: "2021-07-01T08:00:00Z".parse().unwrap(),
                riesame: None,
                azione_richiesta: AzioneRichiesta::Nessuna,
                decorrenza_presunta: None,
            })
            .collect(),
    }
}

fn rinuncia(schede: &[u32]) -> Rinuncia {
    Rinuncia {
        prefisso: "at",
        titolo: "Assegno temporaneo",
        riferimento: Riferimento::NumeroDomanda(NumeroDomanda(371)),
        assistenza: Assistenza {
            data_pratica: None,
            codice_patronato: "PAT01".to_owned(),
            codice_ufficio: "001".to_owned(),
            operatore: "op.rossi".to_owned(),
            mandato_numero: "M-1".to_owned(),
            mandato_data: date(2021, 7, 1),
        },
        motivo: Motivo::ErroreCompilazione,
        schede: schede.to_vec(),
    }
}

/// 2021-07-15T10:00:00Z in produzione; offline.
pub(in crate::domanda::atto) const CONTESTO: Contesto<'_> = Contesto {
    presentata_il: Timestamp::constant(1_626_343_200, 0),
    ambiente: Ambiente::Produzione,
    ente: None,
    codice_ufficio: None,
    user_id: None,
    schede_vive: &[],
    domande_vive: &[],
    pregresso: None,
    allegato_bytes_max: crate::domanda::allegato::ALLEGATO_BYTES_MAX,
};

fn esamina(rinuncia: &Rinuncia, attuale: Option<&DomandaConsultata>) -> Vec<(&'static str, String)> {
    let esame = rinuncia.esamina(&CONTESTO, attuale);
    let violazioni = esame.violazioni.into_iter();
    violazioni.map(|una| (una.codice.as_str(), una.dove)).collect()
}

#[test]
fn every_state_that_allows_it_can_be_given_up_and_no_other() {
    for stato in StatoDomanda::TUTTI {
        let trovate = esamina(&rinuncia(&[1]), Some(&domanda(&[*stato])));
        // What is live is held by the applicant, who may let it go.
        let attese = if stato.is_live() {
            Vec::new()
        } else {
            vec![("STA-001", "/at:Rinuncia/coop:Schede/coop:Scheda[1]".to_owned())]
        };
        assert_eq!(trovate, attese, "{}", stato.as_str());
        assert_eq!(stato.is_live(), stato.may_become(StatoDomanda::Rinunciata));
    }
}

#[test]
fn all_that_is_wrong_is_told_at_once_in_the_order_of_the_act() {
    let mut errata = rinuncia(&[9, 1, 2]);
    errata.assistenza.mandato_data = date(2021, 7, 16);
    let attuale = domanda(&[StatoDomanda::Presentata, StatoDomanda::Respinta]);
    let al = |campi: &str| format!("/at:Rinuncia/coop:{campi}");
    assert_eq!(
        esamina(&errata, Some(&attuale)),
        [
            ("PAT-004", al("Mandato/coop:Data")),
            ("STA-002", al("Schede/coop:Scheda[1]")),
            ("STA-001", al("Schede/coop:Scheda[3]")),
        ]
    );
    // Offline nothing is known of the domanda.
    assert_eq!(esamina(&errata, None).len(), 1);
}

#[test]
fn the_sentence_tells_what_may_be_done_instead() {
    let attuale = domanda(&[StatoDomanda::Respinta]);
    let trovate = rinuncia(&[1]).scelte(&attuale).unwrap_err();
    assert_eq!(
        trovate[0].testo(),
        "la scheda 1 è in stato RESPINTA, che non ammette RinunciaDomanda"
    );
    assert!(
        trovate[0]
            .suggerimento()
            .contains("InviaDomanda, ConsultaDomanda."),
        "{}",
        trovate[0].suggerimento()
    );
}

#[test]
fn without_sheets_all_that_can_be_given_up_are() {
    let attuale = domanda(&[
        StatoDomanda::Accolta,
        StatoDomanda::Decaduta,
        StatoDomanda::Presentata,
    ]);
    assert_eq!(esamina(&rinuncia(&[]), Some(&attuale)), []);
    let seguito = rinuncia(&[]).seguito(&CONTESTO, &attuale);
    assert_eq!(
        seguito
            .schede
            .iter()
            .map(|scheda| scheda.posto)
            .collect::<Vec<_>>(),
        [1, 3]
    );
    assert_eq!((seguito.versione, seguito.liberati().count()), (4, 2));
    assert_eq!(
        seguito.oggetto,
        "Assegno temporaneo - rinuncia alla domanda n. 371 - 2 schede"
    );
    let nessuna = domanda(&[StatoDomanda::Rinunciata]);
    assert_eq!(
        esamina(&rinuncia(&[]), Some(&nessuna)),
        [("STA-003", "/at:Rinuncia".to_owned())]
    );
}

#[test]
fn a_sheet_named_twice_is_given_up_once() {
    let attuale = domanda(&[StatoDomanda::Presentata, StatoDomanda::Presentata]);
    assert_eq!(rinuncia(&[2, 1, 2]).seguito(&CONTESTO, &attuale).effetti.len(), 2);
}
