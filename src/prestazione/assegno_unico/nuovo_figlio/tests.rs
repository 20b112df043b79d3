use bytes::Bytes;
use std::collections::BTreeSet;

use super::*;
use crate::domanda::atto::Effetto;
use crate::domanda::consultazione::SchedaConsultata;
use crate::domanda::quadro::{Quadro, SchedaNelQuadro, Valori};
use crate::domanda::stato::{AzioneRichiesta, StatoDomanda};
use crate::domanda::{Ambiente, Domanda as _};
use crate::prestazione::assegno_unico::prova::racconta;
use crate::protocollo::{NumeroDomanda, NumeroProtocollo};
use crate::ricevuta::{DIGEST_VERSIONE, Digest, Registrata};
use StatoDomanda::Presentata;

const PRESENTATA_IL: &str = "2022-02-10T10:00:00Z";
const MARZO: &str = "2022-03-15T10:00:00Z";

const BUONA: &str = "
    Riferimento { NumeroDomanda 371 | }
    Patronato { Codice PAT01 | Ufficio 001 | }
    Operatore operatore1
    Mandato { Numero 2022/373 | Data 2022-03-10 | }
    Figlio { CodiceFiscale RSSLNE22B60H501D
      AltroGenitore { CodiceFiscale VRDLGU82B52F205E | }
      SituazioneGenitori CONIUGATI_CONVIVENTI | Ripartizione B | Disabilita NESSUNA | ACarico true | }
";

/// How another parent than those of the domanda is paid.
const ALTRO: &str = "PagamentoAltroGenitore { CodiceFiscale BNCLCU84M15H501Z | Modalita CONTANTE_POSTE | }";

fn valida() -> super::super::domanda::AssegnoUnico {
    super::super::prova::leggi(super::super::prova::VALIDA).unwrap()
}

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

fn leggi(campi: &str) -> NuovoFiglio {
    let mut lettore = LettoreNuovoFiglio::default();
    racconta(&mut lettore, campi);
    let (riferimento, assistenza) = lettore.atto.atto().unwrap();
    let (figlio, pagamento_altro) = lettore.figlio.figlio().unwrap();
    NuovoFiglio {
        riferimento,
        assistenza,
        figlio,
        pagamento_altro,
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
                .strip_prefix("/au:NuovoFiglio")
                .unwrap_or_else(|| panic!("{}", una.dove));
            (una.codice.as_str(), dove.to_owned())
        })
        .collect()
}

fn scheda(campi: &str, istante: &str, attuale: &DomandaConsultata) -> crate::domanda::Scheda {
    let quando = contesto(istante, &[]);
    assert_eq!(trovate(campi, &quando, attuale), []);
    let seguito = leggi(campi).seguito(&quando, attuale);
    match seguito.effetti.as_slice() {
        [Effetto::Scheda(scheda)] => (**scheda).clone(),
        altri => panic!("{altri:?}"),
    }
}

#[test]
fn the_other_parent_is_paid_as_on_the_sheets_that_are_there() {
    let attuale = attuale([Presentata, Presentata], della_domanda());
    let nuova = scheda(BUONA, MARZO, &attuale);
    assert_eq!(nuova.pagamento_altro_genitore.unwrap().modalita, "CONTANTE_POSTE");
    assert_eq!((nuova.posto, nuova.qualita), (3, "GENITORE"));
}

#[test]
fn another_parent_is_paid_as_the_act_tells() {
    let attuale = attuale([Presentata, Presentata], della_domanda());
    let di_un_altro = BUONA.replace("VRDLGU82B52F205E", "BNCLCU84M15H501Z");
    let marzo = contesto(MARZO, &[]);
    assert_eq!(
        trovate(&di_un_altro, &marzo, &attuale),
        [("AU-028", "/au:Figlio/au:Ripartizione".to_owned())]
    );
    let detto = format!("{di_un_altro}{ALTRO}");
    assert!(scheda(&detto, MARZO, &attuale).pagamento_altro_genitore.is_some());
    // A payment of somebody else is none of this child's.
    let codice = "/au:PagamentoAltroGenitore/au:CodiceFiscale".to_owned();
    assert_eq!(
        trovate(&format!("{BUONA}{ALTRO}"), &marzo, &attuale),
        [("AU-021", codice.clone())]
    );
    // Nor is one of who is paid already: the same answer for the very same way and for any other.
    let altrimenti = "PagamentoAltroGenitore { CodiceFiscale VRDLGU82B52F205E | Modalita IBAN
        Conto { Strumento CC_POSTALE | Iban IT30O0760103200000012345678
          Intestatario { Qualita ALTRO_GENITORE | CodiceFiscale VRDLGU82B52F205E | } } }";
    let proprio_quello =
        "PagamentoAltroGenitore { CodiceFiscale VRDLGU82B52F205E | Modalita CONTANTE_POSTE | }";
    for pagamento in [altrimenti, proprio_quello] {
        assert_eq!(
            trovate(&format!("{BUONA}{pagamento}"), &marzo, &attuale),
            [("AU-022", codice.clone())]
        );
    }
    let contante = della_domanda().with("modalita", "CONTANTE_POSTE");
    let attuale = self::attuale([Presentata, Presentata], contante);
    assert_eq!(
        trovate(&detto, &marzo, &attuale),
        [("AU-023", "/au:PagamentoAltroGenitore/au:Modalita".to_owned())]
    );
}

#[test]
fn a_birth_counts_from_the_seventh_month_when_it_is_told_within_its_days() {
    let attuale = attuale([Presentata, Presentata], della_domanda());
    let nata = BUONA.replace("AltroGenitore {", "NuovaNascita true\n AltroGenitore {");
    let quando = |istante| {
        let mese = scheda(&nata, istante, &attuale).decorrenza_presunta;
        mese.unwrap().to_string()
    };
    // Born on 20 February 2022; the measure begins in March.
    assert_eq!(quando(MARZO), "2022-03");
    assert_eq!(quando("2022-06-20T10:00:00Z"), "2022-03");
    assert_eq!(quando("2022-07-20T10:00:00Z"), "2022-08");
}

#[test]
fn an_adult_child_who_asks_for_itself_adds_nobody() {
    let per_se = della_domanda().with("presentata_da", "FIGLIO_MAGGIORENNE");
    let attuale = attuale([Presentata, Presentata], per_se);
    let intero = BUONA.replace("Ripartizione B", "Ripartizione A");
    assert_eq!(
        trovate(&intero, &contesto(MARZO, &[]), &attuale),
        [("AU-012", "/au:Figlio".to_owned())]
    );
}
