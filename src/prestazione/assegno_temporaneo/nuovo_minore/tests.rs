use bytes::Bytes;
use std::collections::BTreeSet;

use super::*;
use crate::domanda::atto::Effetto;
use crate::domanda::consultazione::SchedaConsultata;
use crate::domanda::quadro::{Quadro, SchedaNelQuadro, Valori};
use crate::domanda::stato::{AzioneRichiesta, StatoDomanda};
use crate::domanda::{Ambiente, Domanda as _};
use crate::prestazione::assegno_temporaneo::prova::{racconta, valida};
use crate::protocollo::{NumeroDomanda, NumeroProtocollo};
use crate::ricevuta::{DIGEST_VERSIONE, Digest, Registrata};
use StatoDomanda::{Presentata, Respinta, Rinunciata};

const PRESENTATA_IL: &str = "2021-07-15T10:00:00Z";
const NOVEMBRE: &str = "2021-11-10T10:00:00Z";

const BUONA: &str = "
    Riferimento { NumeroDomanda 371 | }
    Patronato { Codice PAT01 | Ufficio 001 | }
    Operatore operatore1
    Mandato { Numero 2021/372 | Data 2021-11-05 | }
    Minore { Qualita GENITORE | CodiceFiscale RSSGLI21L45H501Z | Disabile false | AffidoCondiviso false
      AltroGenitore { CodiceFiscale VRDLGU82B52F205E | }
      Ripartizione INTERO_RICHIEDENTE | }
";

fn contesto(istante: &str, vive: &'static [SchedaViva]) -> Contesto<'static> {
    Contesto {
        presentata_il: istante.parse().unwrap(),
        ambiente: Ambiente::Produzione,
        ente: None,
        codice_ufficio: None,
        user_id: None,
        schede_vive: vive,
        domande_vive: &[],
        allegato_bytes_max: crate::domanda::allegato::ALLEGATO_BYTES_MAX,
        pregresso: None,
    }
}

/// [`VALIDA`] as it is kept, its sheets in these states.
fn attuale(stati: [StatoDomanda; 2], quadro: Valori) -> DomandaConsultata {
    let presentata_il = PRESENTATA_IL.parse().unwrap();
    let fascicolo = valida().fascicolo(&contesto(PRESENTATA_IL, &[])).unwrap();
    let schede = fascicolo.schede.iter();
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
        richiedente: fascicolo.richiedente.clone(),
        presentata_il,
        registrata_il: presentata_il,
        codice_ufficio: "001".to_owned(),
        impronta: [0; 32],
        schede: schede
            .clone()
            .zip(stati)
            .map(|(scheda, stato)| SchedaConsultata {
                stato_dal: "2021-07-01T08:00:00Z".parse().unwrap(),
                riesame: None,
                posto: scheda.posto,
                codice_fiscale: scheda.codice_fiscale.clone(),
                stato,
                azione_richiesta: AzioneRichiesta::Nessuna,
                decorrenza_presunta: None,
            })
            .collect(),
        quadro: Some(Quadro {
            domanda: quadro,
            schede: schede
                .map(|scheda| SchedaNelQuadro {
                    posto: scheda.posto,
                    presentata_il,
                    completata: false,
                    valori: Valori::of_scheda(scheda),
                })
                .collect(),
            allegati: BTreeSet::new(),
        }),
    }
}

fn della_domanda() -> Valori {
    Valori::of_domanda(&valida().fascicolo(&contesto(PRESENTATA_IL, &[])).unwrap())
}

fn leggi(campi: &str) -> NuovoMinore {
    let mut lettore = LettoreNuovoMinore::default();
    racconta(&mut lettore, campi);
    let (riferimento, assistenza) = lettore.atto.atto().unwrap();
    NuovoMinore {
        riferimento,
        assistenza,
        minore: lettore.minore.minore().unwrap(),
    }
}

/// Code and path under the act of each violation.
fn trovate(campi: &str, contesto: &Contesto<'_>, attuale: &DomandaConsultata) -> Vec<(&'static str, String)> {
    let esame = leggi(campi).esamina(contesto, Some(attuale));
    esame
        .violazioni
        .iter()
        .map(|una| {
            let dove = una
                .dove
                .strip_prefix("/at:NuovoMinore")
                .unwrap_or_else(|| panic!("{}", una.dove));
            (una.codice.as_str(), dove.to_owned())
        })
        .collect()
}

#[test]
fn a_child_is_added_at_the_next_place_from_the_day_on_which_it_is() {
    let attuale = attuale([Respinta, Presentata], della_domanda());
    let novembre = contesto(NOVEMBRE, &[]);
    assert_eq!(trovate(BUONA, &novembre, &attuale), []);
    let seguito = leggi(BUONA).seguito(&novembre, &attuale);
    let [Effetto::Scheda(scheda)] = seguito.effetti.as_slice() else {
        panic!("{:?}", seguito.effetti);
    };
    assert_eq!(scheda.posto, 3);
    // The other children run from July; who comes in November runs from there.
    assert_eq!(scheda.decorrenza_presunta.unwrap().to_string(), "2021-11");
    assert_eq!(seguito.schede.len(), 1);
    assert_eq!(
        seguito.oggetto,
        "Assegno temporaneo per i figli minori - un figlio in più nella domanda n. 371"
    );
}

#[test]
fn the_rules_of_one_child_hold_at_the_paths_of_the_act() {
    let attuale = attuale([Presentata, Presentata], della_domanda());
    let errata = BUONA
        .replace("CodiceFiscale VRDLGU82B52F205E", "CodiceFiscale RSSMRA80A01H501U")
        .replace("INTERO_RICHIEDENTE", "META_ENTRAMBI")
        .replace("2021-11-05", "2021-11-11");
    assert_eq!(
        trovate(&errata, &contesto(NOVEMBRE, &[]), &attuale),
        [
            ("PAT-004", "/coop:Mandato/coop:Data".to_owned()),
            (
                "AT-014",
                "/at:Minore/at:AltroGenitore/at:CodiceFiscale".to_owned()
            ),
            ("AT-001", "/at:Minore/at:Ripartizione".to_owned()),
        ]
    );
}

#[test]
fn a_child_is_added_only_where_something_lives_and_while_the_window_is_open() {
    let finita = attuale([Respinta, Rinunciata], della_domanda());
    assert_eq!(
        trovate(BUONA, &contesto("2022-01-10T10:00:00Z", &[]), &finita),
        [("FIN-001", String::new()), ("STA-003", String::new())]
    );
    let mut piena = attuale([Presentata, Presentata], della_domanda());
    let modello = piena.schede[0].clone();
    piena.schede = vec![modello; aggiunta::SCHEDE_MAX];
    assert_eq!(
        trovate(BUONA, &contesto(NOVEMBRE, &[]), &piena),
        [("MOD-005", String::new())]
    );
}

#[test]
fn an_account_of_wards_takes_no_other_child() {
    let tutore = della_domanda().with("intestato_richiedente", false);
    let attuale = attuale([Presentata, Presentata], tutore);
    let novembre = contesto(NOVEMBRE, &[]);
    assert_eq!(
        trovate(BUONA, &novembre, &attuale),
        [("IBN-008", "/at:Minore/at:Qualita".to_owned())]
    );
    let tutelato = BUONA.replace("Qualita GENITORE", "Qualita TUTORE_MINORE");
    assert_eq!(trovate(&tutelato, &novembre, &attuale), []);
}

#[test]
fn a_live_sheet_is_told_in_the_words_of_the_prestazione() {
    let viva = SchedaViva {
        codice_fiscale: "RSSGLI21L45H501Z".parse().unwrap(),
        stato: "ACCOLTA".to_owned(),
        subentrata: false,
    };
    let vive: &'static [SchedaViva] = Box::leak(vec![viva.clone()].into_boxed_slice());
    let attuale = attuale([Presentata, Presentata], della_domanda());
    let dove = "/at:Minore/at:CodiceFiscale".to_owned();
    assert_eq!(
        trovate(BUONA, &contesto(NOVEMBRE, vive), &attuale),
        [("AT-006", dove)]
    );
    let in_gara = leggi(BUONA).scheda_viva(&viva).unwrap();
    assert_eq!(
        (in_gara.codice, in_gara.dove.as_str()),
        (Codice::At006, "/at:NuovoMinore/at:Minore/at:CodiceFiscale")
    );
}
