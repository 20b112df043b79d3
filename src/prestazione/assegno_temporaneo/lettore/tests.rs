use jiff::civil::date;

use super::*;
use crate::domanda::allegato::{TipoAllegato, TipoMime};
use crate::domanda::{Ambiente, CodiceFiscaleErrato, Domanda};
use crate::prestazione::assegno_temporaneo::domanda::DichiarazioneInviata;
use crate::prestazione::assegno_temporaneo::prova::{VALIDA, contesto, leggi, racconta, valida};

/// An attachment with a content as the message brings it.
fn con_allegato(contenuto: &str) -> Option<AssegnoTemporaneo> {
    leggi(&format!(
        "{VALIDA} Allegati {{ Allegato {{ Tipo ALTRO | NomeFile uno.pdf | TipoMime application/pdf
          Contenuto {contenuto} | }} | }}"
    ))
}

#[test]
fn every_field_finds_its_place() {
    let tutto = VALIDA
        .replace("MARIO | Cognome ROSSI", "MARIO | Cognome ROSSI | Contatti { Email a@b.it | Cellulare 333123456 | Indirizzo Via Roma 1 | }")
        .replace("Operatore operatore1", "DataPratica 2021-06-29+02:00 | Operatore operatore1")
        .replace("PresentataDa GENITORE", "PresentataDa TUTORE_DEL_GENITORE | GenitoreTutelato { CodiceFiscale MRSMSR81D60Z611H | }")
        .replace("BBBRRR14A01A001X", "80000000002 | DataNascita 2014-01-01Z");
    let letta = leggi(&tutto).unwrap();
    assert_eq!(letta.assistenza.data_pratica, Some(date(2021, 6, 29)));
    assert_eq!(letta.assistenza.codice_patronato, "PAT01");
    assert_eq!(letta.assistenza.codice_ufficio, "001");
    assert_eq!(letta.assistenza.operatore, "operatore1");
    assert_eq!(letta.assistenza.mandato_numero, "2021/371");
    assert_eq!(letta.assistenza.mandato_data, date(2021, 6, 30));
    assert_eq!(letta.richiedente.codice_fiscale, "RSSMRA80A01H501U".parse());
    assert_eq!(
        (
            letta.richiedente.nome.as_str(),
            letta.richiedente.cognome.as_str()
        ),
        ("MARIO", "ROSSI")
    );
    assert_eq!(letta.richiedente.email.as_deref(), Some("a@b.it"));
    assert_eq!(letta.richiedente.cellulare.as_deref(), Some("333123456"));
    assert_eq!(letta.richiedente.indirizzo.as_deref(), Some("Via Roma 1"));
    assert_eq!(letta.presentata_da, PresentataDa::TutoreDelGenitore);
    assert_eq!(letta.genitore_tutelato, Some("MRSMSR81D60Z611H".parse()));
    let [primo, secondo] = letta.minori.as_slice() else {
        panic!("two children")
    };
    assert_eq!(primo.codice_fiscale, "80000000002".parse());
    assert_eq!(primo.data_nascita, Some(date(2014, 1, 1)));
    assert_eq!((primo.disabile, primo.affido_condiviso), (false, false));
    assert_eq!(primo.ripartizione, Ripartizione::InteroRichiedente);
    assert_eq!((secondo.disabile, secondo.affido_condiviso), (true, true));
    assert_eq!(secondo.ripartizione, Ripartizione::MetaEntrambi);
    assert!(secondo.altro_genitore == AltroGenitore::Presente("VRDLGU82B52F205E".parse()));
    assert_eq!(letta.pagamento.modalita, Modalita::ContoCorrente);
    assert_eq!(letta.pagamento.iban, Some("IT60X0542811101000000123456".parse()));
    assert_eq!(letta.pagamento.intestato_richiedente, Some(true));
    assert_eq!(letta.dichiarazioni.len(), 8);
    assert_eq!(
        letta.dichiarazioni[3],
        DichiarazioneInviata {
            codice: CodiceDichiarazione::D4,
            valore: true,
            scelta: Some(Scelta::Italiano)
        }
    );
    let senza = leggi(&VALIDA.replace(
        "AltroGenitore { CodiceFiscale VRDLGU82B52F205E | }",
        "AltroGenitoreAssente IGNOTO",
    ))
    .unwrap();
    assert!(senza.minori[0].altro_genitore == AltroGenitore::Assente(MotivoAssenza::Ignoto));
}

#[test]
fn what_the_rules_will_refuse_is_read_all_the_same() {
    let letta = leggi(
        &VALIDA
            .replace("RSSMRA80A01H501U", "RSSMRA80A01H501A")
            .replace("BBBRRR14A01A001X", "BBBRRR14A32A001X")
            .replace("IT60X0542811101000000123456", "IT02L1234512345123456789012"),
    )
    .unwrap();
    assert_eq!(
        letta.richiedente.codice_fiscale,
        Err(CodiceFiscaleErrato::Controllo)
    );
    assert!(letta.minori[0].codice_fiscale.is_err());
    assert_eq!(letta.pagamento.iban, Some(Err(IbanErrato::Controllo)));
    let minori: Vec<_> = Domanda::minori(&letta);
    assert_eq!(
        minori,
        ["BNCNNA10T45H501Y".parse().unwrap()],
        "only those that can be read"
    );
}

#[test]
fn a_domanda_that_lacks_a_field_is_no_domanda() {
    for manca in [
        "Operatore operatore1",
        "Data 2021-06-30",
        "CodiceFiscale RSSMRA80A01H501U",
        "Disabile false",
        "Ripartizione META_ENTRAMBI",
        "Modalita CC",
        "Codice D8",
        "AltroGenitore { CodiceFiscale VRDLGU82B52F205E | }",
    ] {
        assert!(leggi(&VALIDA.replace(manca, "")).is_none(), "{manca}");
    }
    assert!(leggi(&VALIDA.replace("Valore 1", "Valore forse")).is_none());
}

#[test]
fn disorder_does_no_harm() {
    let mut lettore = LettoreAssegnoTemporaneo::default();
    for campo in ["Minore", "Domanda", "", "Allegato", "CodiceFiscale"] {
        lettore.chiudi(campo);
        lettore.valore(campo, "x");
        lettore.byte("Contenuto", Originale::of(Bytes::from_static(b"x")));
        lettore.apri(campo);
        lettore.valore("Iban", "è");
        lettore.valore("Codice", "");
    }
    racconta(&mut lettore, "} } Minore { Minore { } Valore x");
    assert!(Box::new(lettore).istanza().is_none());
    // The wrapper may be told or not: it changes nothing.
    let mut lettore = LettoreAssegnoTemporaneo::default();
    racconta(&mut lettore, &format!("Domanda {{ {VALIDA} }}"));
    assert_eq!(lettore.assegno(), Some(valida()));
}

#[test]
fn a_document_is_known_by_the_imprint_of_its_bytes() {
    let allegato = con_allegato("YWJj").unwrap().allegati.remove(0);
    assert_eq!(
        (allegato.tipo, allegato.tipo_mime),
        (TipoAllegato::Altro, TipoMime::Pdf)
    );
    assert_eq!(allegato.bytes_len, 3);
    assert_eq!(allegato.impronta[..4], [0xba, 0x78, 0x16, 0xbf], "SHA-256 of abc");
}

#[test]
fn what_is_registered_are_plain_values() {
    let mut inviata = valida();
    inviata.minori.truncate(1);
    let fascicolo = inviata
        .fascicolo(&contesto(Ambiente::Produzione, date(2021, 11, 1)))
        .unwrap();
    assert_eq!(
        fascicolo.oggetto,
        "Assegno Temporaneo DL 79/2021 - domanda n. {numero} - 1 minore"
    );
    let scheda = &fascicolo.schede[0];
    assert_eq!((scheda.posto, scheda.data_nascita), (1, Some(date(2014, 1, 1))));
    assert_eq!(scheda.decorrenza_presunta.unwrap().to_string(), "2021-11");
    assert_eq!(
        (scheda.qualita, scheda.ripartizione),
        ("GENITORE", "INTERO_RICHIEDENTE")
    );
    assert_eq!(fascicolo.pagamento.modalita, "CC");
    assert_eq!(fascicolo.presentata_da, "GENITORE");
    assert_eq!(fascicolo.dichiarazioni[6].scelta, Some("RESIDENZA"));
    assert_eq!(fascicolo.dichiarazioni[6].versione_testo, "2021-06");
    let due = valida()
        .fascicolo(&contesto(Ambiente::Sandbox, date(2022, 3, 1)))
        .unwrap();
    assert_eq!(
        due.oggetto,
        "Assegno Temporaneo DL 79/2021 - domanda n. {numero} - 2 minori"
    );
    assert!(
        due.schede
            .iter()
            .all(|scheda| scheda.decorrenza_presunta.is_none())
    );
}

/// The words of the first enumeration after a mark of the XSD.
fn parole(xsd: &str, nome: &str) -> Vec<String> {
    let (_, dopo) = xsd.split_once(nome).unwrap();
    let (dentro, _) = dopo.split_once("</xs:restriction>").unwrap();
    let parola = |resto: &str| resto.split_once('"').map(|(parola, _)| parola.to_owned());
    dentro
        .split("<xs:enumeration value=\"")
        .skip(1)
        .filter_map(parola)
        .collect()
}

#[test]
fn the_codelists_are_those_of_the_xsd() {
    let at = include_str!("../../../../xsd/assegno-temporaneo-v1.xsd");
    let coop = include_str!("../../../../xsd/cooperazione-v1.xsd");
    macro_rules! confronta {
        ($($tipo:ident in $xsd:ident $nome:literal;)+) => {$({
            let nostre: Vec<_> = $tipo::TUTTI.iter().map(|parola| parola.as_str()).collect();
            assert_eq!(nostre, parole($xsd, $nome), stringify!($tipo));
        })+};
    }
    confronta! {
        PresentataDa in at "<xs:simpleType name=\"PresentataDa\">";
        Qualita in at "<xs:element name=\"Qualita\">";
        MotivoAssenza in coop "<xs:simpleType name=\"MotivoAssenza\">";
        Ripartizione in at "<xs:element name=\"Ripartizione\">";
        Modalita in at "<xs:element name=\"Modalita\">";
        CodiceDichiarazione in at "<xs:complexType name=\"Dichiarazione\">";
        Scelta in at "<xs:element name=\"Scelta\"";
        TipoAllegato in coop "<xs:simpleType name=\"TipoAllegato\">";
        TipoMime in coop "<xs:simpleType name=\"TipoMime\">";
    }
}

#[test]
fn nobody_reads_people_in_a_log() {
    let scritta = format!("{:?}", valida());
    assert_eq!(
        scritta,
        "AssegnoTemporaneo { presentata_da: Genitore, minori: 2, pagamento: ContoCorrente, .. }"
    );
}
