use bytes::Bytes;
use jiff::Timestamp;

use super::*;
use crate::catalogo::Codice;
use crate::domanda::atto::Effetto;
use crate::domanda::consultazione::SchedaConsultata;
use crate::domanda::quadro::{Quadro, SchedaNelQuadro, Valori};
use crate::domanda::stato::{AzioneRichiesta, StatoDomanda};
use crate::domanda::{Ambiente, Fascicolo, Violazione};
use crate::prestazione::{PRESTAZIONI, assegno_temporaneo, assegno_unico};
use crate::protocollo::{NumeroDomanda, NumeroProtocollo};
use crate::ricevuta::{DIGEST_VERSIONE, Digest, Registrata};
use StatoDomanda::{Accolta, InEvidenzaCittadino, InIstruttoria, Presentata, Respinta, Rinunciata};

const LUGLIO: &str = "2021-07-15T10:00:00Z";
const OTTOBRE: &str = "2021-10-15T10:00:00Z";

fn contesto(istante: &str) -> Contesto<'static> {
    Contesto {
        presentata_il: istante.parse().unwrap(),
        ambiente: Ambiente::Sandbox,
        ente: None,
        codice_ufficio: None,
        user_id: None,
        schede_vive: &[],
        domande_vive: &[],
        allegato_bytes_max: crate::domanda::allegato::ALLEGATO_BYTES_MAX,
        pregresso: None,
    }
}

/// A prestazione with a domanda of two children that breaks no rule, and when it was presented.
struct Prova {
    prestazione: &'static Prestazione,
    valida: &'static str,
    presentata_il: &'static str,
}

const AT: Prova = Prova {
    prestazione: &assegno_temporaneo::PRESTAZIONE,
    valida: assegno_temporaneo::VALIDA,
    presentata_il: LUGLIO,
};

const AU: Prova = Prova {
    prestazione: &assegno_unico::PRESTAZIONE,
    valida: assegno_unico::VALIDA,
    presentata_il: "2022-02-10T10:00:00Z",
};

impl Prova {
    fn domanda(&self, cambi: &[(&str, &str)]) -> Box<dyn Domanda> {
        let testo = cambi.iter().fold(self.valida.to_owned(), |testo, (da, a)| {
            assert!(testo.contains(da), "{da}");
            testo.replacen(da, a, 1)
        });
        let mut lettore = (self.prestazione.lettore)();
        crate::prestazione::racconta(&mut *lettore, &testo);
        lettore.istanza().unwrap().domanda().unwrap()
    }

    /// The domanda as it is kept, its sheets in these states.
    fn attuale(&self, stati: &[(StatoDomanda, AzioneRichiesta)]) -> DomandaConsultata {
        let fascicolo = self
            .domanda(&[])
            .fascicolo(&contesto(self.presentata_il))
            .unwrap();
        kept(&fascicolo, self.presentata_il, stati)
    }

    fn modifica(&self, cambi: &[(&str, &str)]) -> Modifica {
        Modifica {
            prestazione: self.prestazione,
            riferimento: Riferimento::NumeroDomanda(NumeroDomanda(371)),
            domanda: self.domanda(cambi),
        }
    }

    /// Code and path under the Domanda of each violation.
    fn trovate(&self, cambi: &[(&str, &str)], attuale: &DomandaConsultata) -> Vec<(&'static str, String)> {
        let radice = format!("/{0}:Modifica/{0}:Domanda", self.prestazione.prefisso);
        let prefisso = format!("{}:", self.prestazione.prefisso);
        let esame = self
            .modifica(cambi)
            .esamina(&contesto(self.presentata_il), Some(attuale));
        esame
            .violazioni
            .iter()
            .map(|una| {
                let dove = una
                    .dove
                    .strip_prefix(&radice)
                    .unwrap_or_else(|| panic!("{}", una.dove));
                (
                    una.codice.as_str(),
                    dove.trim_start_matches('/').replace(&prefisso, ""),
                )
            })
            .collect()
    }

    fn seguito(&self, cambi: &[(&str, &str)], attuale: &DomandaConsultata) -> Seguito {
        assert_eq!(self.trovate(cambi, attuale), [], "{cambi:?}");
        self.modifica(cambi)
            .seguito(&contesto(self.presentata_il), attuale)
    }
}

fn kept(
    fascicolo: &Fascicolo,
    presentata_il: &str,
    stati: &[(StatoDomanda, AzioneRichiesta)],
) -> DomandaConsultata {
    let presentata_il: Timestamp = presentata_il.parse().unwrap();
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
            .map(|(scheda, (stato, azione_richiesta))| SchedaConsultata {
                stato_dal: "2021-07-01T08:00:00Z".parse().unwrap(),
                riesame: None,
                posto: scheda.posto,
                codice_fiscale: scheda.codice_fiscale.clone(),
                stato: *stato,
                azione_richiesta: *azione_richiesta,
                decorrenza_presunta: scheda.decorrenza_presunta,
            })
            .collect(),
        quadro: Some(Quadro {
            domanda: Valori::of_domanda(fascicolo),
            schede: schede
                .map(|scheda| SchedaNelQuadro {
                    posto: scheda.posto,
                    presentata_il,
                    completata: false,
                    valori: Valori::of_scheda(scheda),
                })
                .collect(),
            allegati: fascicolo
                .allegati
                .iter()
                .map(|allegato| allegato.impronta)
                .collect(),
        }),
    }
}

/// Sheets of which nothing is asked.
fn stati(stati: [StatoDomanda; 2]) -> [(StatoDomanda, AzioneRichiesta); 2] {
    stati.map(|stato| (stato, AzioneRichiesta::Nessuna))
}

/// The names of what changes.
fn campi(seguito: &Seguito) -> String {
    serde_json::to_string(seguito.dettagli.valore("campi").unwrap()).unwrap()
}

#[test]
fn the_domanda_as_it_is_is_no_modification() {
    for prova in [&AT, &AU] {
        let attuale = prova.attuale(&stati([Presentata, Presentata]));
        assert_eq!(prova.trovate(&[], &attuale), [("MOD-004", String::new())]);
    }
}

#[test]
fn every_value_that_differs_is_told_at_its_own_path() {
    let lavorata = AT.attuale(&stati([InIstruttoria, InIstruttoria]));
    let m1 = |campo: &str| format!("Minori/Minore[1]/{campo}");
    for (da, a, dove) in [
        ("Nome MARIO", "Nome MARIA", "Richiedente/Nome".to_owned()),
        (
            "Cognome ROSSI |",
            "Cognome ROSSI | Email a@b.it |",
            "Richiedente/Contatti/Email".to_owned(),
        ),
        ("Modalita CC", "Modalita CP", "Pagamento/Modalita".to_owned()),
        (
            "IT60X0542811101000000123456",
            "IT30O0760103200000012345678",
            "Pagamento/Iban".to_owned(),
        ),
        ("Scelta ITALIANO", "Scelta UE", "Dichiarazioni".to_owned()),
        (
            "Qualita GENITORE",
            "Qualita AFFIDATARIO_PREADOTTIVO",
            m1("Qualita"),
        ),
        ("Disabile false", "Disabile true", m1("Disabile")),
        (
            "AffidoCondiviso false",
            "AffidoCondiviso true",
            m1("AffidoCondiviso"),
        ),
        (
            "VRDLGU82B52F205E",
            "BNCLCU04M15H501H",
            m1("AltroGenitore/CodiceFiscale"),
        ),
    ] {
        assert_eq!(AT.trovate(&[(da, a)], &lavorata), [("LAV-001", dove)], "{a}");
    }
    let lavorata = AU.attuale(&stati([InIstruttoria, InIstruttoria]));
    let f1 = |campo: &str| format!("Figli/Figlio[1]/{campo}");
    for (da, a, dove) in [
        (
            "ProtocolloDSU INPS-ISEE-2022-01234567P-00",
            "ProtocolloDSU INPS-ISEE-2022-07654321P-00",
            "Isee/ProtocolloDSU".to_owned(),
        ),
        (
            "Strumento CC_BANCARIO",
            "Strumento CC_POSTALE",
            "PagamentoRichiedente/Conto/Strumento".to_owned(),
        ),
        // The grade alone, and whether there is one, are the same element.
        ("Disabilita GRAVE", "Disabilita NESSUNA", f1("Disabilita")),
        (
            "EntrambiRedditoLavoro true",
            "EntrambiRedditoLavoro false",
            f1("Maggiorazioni/EntrambiRedditoLavoro"),
        ),
        (
            "SituazioneGenitori CONIUGATI_CONVIVENTI",
            "SituazioneGenitori NON_CONIUGATI",
            f1("SituazioneGenitori"),
        ),
        (
            "Ruolo GENITORE",
            "Ruolo ESERCENTE_RESP_GENITORIALE",
            "Richiedente/Ruolo".to_owned(),
        ),
    ] {
        assert_eq!(AU.trovate(&[(da, a)], &lavorata), [("LAV-001", dove)], "{a}");
    }
}

#[test]
fn every_value_of_a_fascicolo_has_a_path_of_its_own() {
    for prova in [&AT, &AU] {
        let domanda = prova.domanda(&[]);
        let fascicolo = domanda.fascicolo(&contesto(prova.presentata_il)).unwrap();
        let valori = Valori::of_domanda(&fascicolo);
        for (nome, _) in valori.beside(&[]) {
            assert_ne!(domanda.dove(None, nome), domanda.dove(None, ""), "{nome}");
        }
        for scheda in &fascicolo.schede {
            let valori = Valori::of_scheda(scheda);
            for (nome, _) in valori.beside(&[]) {
                let dove = domanda.dove(Some(scheda.posto), nome);
                assert_ne!(dove, domanda.dove(Some(scheda.posto), ""), "{nome}");
            }
        }
    }
}

#[test]
fn a_sheet_goes_by_its_own_state() {
    let scheda = [("Disabile false", "Disabile true")];
    let al_minore = |codice| vec![(codice, "Minori/Minore[1]/Disabile".to_owned())];
    for (stato, attese) in [
        (Presentata, Vec::new()),
        (InIstruttoria, al_minore("LAV-001")),
        (Accolta, al_minore("LAV-001")),
        (Respinta, al_minore("LAV-001")),
        (InEvidenzaCittadino, al_minore("LAV-001")),
        (Rinunciata, al_minore("STA-001")),
    ] {
        let attuale = AT.attuale(&stati([stato, Presentata]));
        assert_eq!(AT.trovate(&scheda, &attuale), attese, "{}", stato.as_str());
    }
    // Another sheet's work is not this one's.
    let attuale = AT.attuale(&stati([Presentata, InIstruttoria]));
    assert_eq!(AT.trovate(&scheda, &attuale), []);
    let chiesto = AT.attuale(&[
        (InEvidenzaCittadino, AzioneRichiesta::AggiornareDatiFiglio),
        (Accolta, AzioneRichiesta::Nessuna),
    ]);
    let seguito = AT.seguito(&scheda, &chiesto);
    assert_eq!(campi(&seguito), r#"["1.disabile"]"#);
    assert!(
        matches!(
            seguito.effetti.as_slice(),
            [
                Effetto::Dati { posto: Some(1), .. },
                Effetto::Stato {
                    posto: 1,
                    stato: InEvidenzaCittadino,
                    azione: AzioneRichiesta::Nessuna,
                    libera: None
                }
            ]
        ),
        "{:?}",
        seguito.effetti
    );
}

#[test]
fn of_the_domanda_itself_the_sheets_decide_together() {
    let pagamento = ("IT60X0542811101000000123456", "IT30O0760103200000012345678");
    let contatto = ("Nome MARIO", "Nome MARIA");
    let dato = ("Scelta ITALIANO", "Scelta UE");
    let vietati = |stati: [StatoDomanda; 2]| {
        let attuale = AT.attuale(&self::stati(stati));
        let trovate = AT.trovate(&[pagamento, contatto, dato], &attuale);
        trovate
            .into_iter()
            .map(|(_, dove)| dove)
            .collect::<Vec<_>>()
            .join(" ")
    };
    for (stati, attesi) in [
        ([Presentata, Presentata], ""),
        ([Presentata, Rinunciata], ""),
        ([Presentata, InIstruttoria], "Dichiarazioni"),
        ([Presentata, Respinta], "Dichiarazioni"),
        ([Accolta, InIstruttoria], "Richiedente/Nome Dichiarazioni"),
        (
            [InIstruttoria, Respinta],
            "Richiedente/Nome Pagamento/Iban Dichiarazioni",
        ),
        (
            [Rinunciata, Rinunciata],
            "Richiedente/Nome Pagamento/Iban Dichiarazioni",
        ),
    ] {
        assert_eq!(vietati(stati), attesi, "{stati:?}");
    }
}

#[test]
fn a_wrong_iban_is_mended_whatever_the_other_sheets_wait_for() {
    let attuale = AU.attuale(&[
        (Accolta, AzioneRichiesta::AggiornareIban),
        (InEvidenzaCittadino, AzioneRichiesta::AllegareDocumenti),
    ]);
    let altro = (
        "Iban IT60X0542811101000000123456",
        "Iban IT30O0760103200000012345678",
    );
    let seguito = AU.seguito(&[altro], &attuale);
    assert_eq!(campi(&seguito), r#"["iban"]"#);
    // Documents are waited for still.
    assert!(
        matches!(
            seguito.effetti.as_slice(),
            [
                Effetto::Pagamento { .. },
                Effetto::Stato {
                    posto: 1,
                    stato: Accolta,
                    ..
                }
            ]
        ),
        "{:?}",
        seguito.effetti
    );
    assert_eq!(
        seguito.schede.len(),
        2,
        "the receipt lists what lives in the domanda"
    );
}

#[test]
fn a_document_more_is_a_modification_and_one_that_is_there_is_none() {
    let allegati = "Allegati { Allegato { Tipo CERT_DISABILITA | NomeFile a.pdf | TipoMime application/pdf | Contenuto JVBERi0xLjQKJSVFT0YK | } }";
    let con_documento = [("Dichiarazioni {", &*format!("{allegati}\n Dichiarazioni {{"))];
    let attuale = AT.attuale(&[
        (InEvidenzaCittadino, AzioneRichiesta::AllegareDocumenti),
        (InIstruttoria, AzioneRichiesta::Nessuna),
    ]);
    let seguito = AT.seguito(&con_documento, &attuale);
    assert_eq!(seguito.allegati.len(), 1);
    assert!(matches!(
        seguito.effetti.as_slice(),
        [Effetto::Stato { posto: 1, .. }]
    ));
    // It is there by now.
    let mut dopo = attuale;
    let impronta = seguito.allegati[0].impronta;
    dopo.quadro.as_mut().unwrap().allegati.insert(impronta);
    assert_eq!(AT.trovate(&con_documento, &dopo), [("MOD-004", String::new())]);
}

#[test]
fn the_people_stay_the_same() {
    let attuale = AT.attuale(&stati([Presentata, Rinunciata]));
    assert_eq!(
        AT.trovate(
            &[
                ("RSSMRA80A01H501U", "BNCLCU84M15H501Z"),
                ("BNCNNA10T45H501Y", "RSSGLI21E45H501E"),
            ],
            &attuale
        ),
        [
            ("MOD-003", "Richiedente/CodiceFiscale".to_owned()),
            ("MOD-002", "Minori".to_owned()),
            ("MOD-001", "Minori/Minore[2]/CodiceFiscale".to_owned()),
        ]
    );
    let esame = AT
        .modifica(&[("BNCNNA10T45H501Y", "RSSGLI21E45H501E")])
        .esamina(&contesto(LUGLIO), Some(&attuale));
    let rimedi: Vec<String> = esame.violazioni.iter().map(Violazione::suggerimento).collect();
    assert!(
        rimedi[0].contains("RinunciaDomanda") && rimedi[1].contains("AggiungiMinore"),
        "{rimedi:?}"
    );
}

#[test]
fn what_cannot_be_read_is_told_once_and_nothing_is_compared() {
    let attuale = AT.attuale(&stati([InIstruttoria, InIstruttoria]));
    let errate = [
        ("BBBRRR14A01A001X", "BBBRRR14A01A001Y"),
        ("Nome MARIO", "Nome MARIA"),
    ];
    assert_eq!(
        AT.trovate(&errate, &attuale),
        [("CF-002", "Minori/Minore[1]/CodiceFiscale".to_owned())]
    );
}

#[test]
fn the_rules_go_by_the_day_of_presentation_and_the_mandate_by_that_of_the_act() {
    // In October the window of produzione is open still, and the mandate is of that day.
    let attuale = AT.attuale(&stati([Presentata, Presentata]));
    let modifica = AT.modifica(&[
        ("Data 2021-06-30", "Data 2021-10-15"),
        ("Disabile false", "Disabile true"),
    ]);
    let esame = modifica.esamina(&contesto(OTTOBRE), Some(&attuale));
    assert_eq!(esame.violazioni, []);
    let seguito = modifica.seguito(&contesto(OTTOBRE), &attuale);
    assert_eq!(
        seguito.schede[0].decorrenza_presunta.unwrap().to_string(),
        "2021-07"
    );
    // After the window, too: it was asked once.
    let tardi = Contesto {
        ambiente: Ambiente::Produzione,
        ..contesto("2022-06-15T10:00:00Z")
    };
    assert_eq!(modifica.esamina(&tardi, Some(&attuale)), Esame::default());
    let domani = contesto("2021-10-14T10:00:00Z");
    let esame = modifica.esamina(&domani, Some(&attuale));
    assert_eq!(esame.violazioni[0].codice, Codice::Pat004);
}

#[test]
fn how_the_other_parent_is_paid_stays_while_it_is_not_told() {
    // Told by the other parent alone (C), which this Domanda cannot know.
    let senza = AU.valida.replacen("Ripartizione B", "Ripartizione C", 1);
    let righe = senza.lines();
    let senza = righe
        .filter(|riga| !riga.contains("PagamentoAltroGenitore"))
        .collect::<Vec<_>>()
        .join("\n");
    let prova = Prova {
        valida: Box::leak(senza.into_boxed_str()),
        ..AU
    };
    let mut attuale = prova.attuale(&stati([Presentata, Presentata]));
    let pagato = |valori: Valori| {
        valori
            .with("altro_genitore_modalita", "IBAN")
            .with("altro_genitore_iban", "IT30O0760103200000012345678")
            .with("pagamento_altro_genitore_strumento", "CC_POSTALE")
    };
    let scheda = &mut attuale.quadro.as_mut().unwrap().schede[0];
    scheda.valori = pagato(scheda.valori.clone());
    assert_eq!(prova.trovate(&[], &attuale), [("MOD-004", String::new())]);
    let altro = prova.seguito(&[("Disabilita GRAVE", "Disabilita MEDIA")], &attuale);
    let [Effetto::Dati { valori, .. }] = altro.effetti.as_slice() else {
        panic!("{:?}", altro.effetti);
    };
    assert_eq!(
        valori.testo("altro_genitore_iban"),
        Some("IT30O0760103200000012345678")
    );
    // Without a half there is nobody to pay.
    let intero = prova.seguito(&[("Ripartizione C", "Ripartizione A")], &attuale);
    let [Effetto::Dati { valori, .. }] = intero.effetti.as_slice() else {
        panic!("{:?}", intero.effetti);
    };
    assert_eq!(valori.testo("altro_genitore_iban"), None);
}

#[test]
fn offline_the_rules_are_asked_without_what_only_the_store_knows() {
    for prova in [&AT, &AU] {
        let esame = prova.modifica(&[]).esamina(&contesto(prova.presentata_il), None);
        assert_eq!(esame.violazioni, []);
    }
    assert_eq!(PRESTAZIONI.len(), 2, "each of them is tried here");
}
