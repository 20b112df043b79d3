use jiff::civil::date;

use super::*;
use crate::domanda::{Ambiente, Domanda as _};
use crate::prestazione::assegno_unico::prova::{PER_SE, VALIDA, contesto, leggi, racconta};

#[test]
fn every_field_finds_its_place() {
    let tutto = VALIDA
        .replace("Operatore operatore1", "DataPratica 2022-01-29 | Operatore operatore1")
        .replace("Ruolo GENITORE", "Ruolo TUTORE_GENITORE | Contatti { Email a@b.it | }")
        .replace("Figli {", "GenitoreTutelato { CodiceFiscale MRSMSR81D60Z611H | }\nFigli {")
        .replace(
            "BBBRRR14A01A001X",
            "80000000002 | DataNascita 2022-01-01Z | NuovaNascita true",
        )
        .replace("EntrambiRedditoLavoro true", "MadreUnder21 true | EntrambiRedditoLavoro false")
        .replace(
            "Ripartizione A | Disabilita NESSUNA",
            "Ripartizione C | Disabilita MEDIA | CondizioneMaggiorenne TIROCINIO | RedditoSottoSoglia true",
        )
        .replace(
            "Isee { Presente true | ProtocolloDSU INPS-ISEE-2022-01234567P-00 | }",
            "Isee { Presente false | }
             Nucleo { Componente { CodiceFiscale RSSMRA80A01H501U | } Componente { CodiceFiscale BBBRRR14A01A001X | } }
             Anf2021Percepito true",
        )
        .replace(
            "VRDLGU82B52F205E | Modalita CONTANTE_POSTE",
            "VRDLGU82B52F205E | Modalita IBAN
               Conto { Strumento LIBRETTO_RISPARMIO | Iban DE89370400440532013000
                 Intestatario { Qualita ALTRO_GENITORE | CodiceFiscale VRDLGU82B52F205E | } }",
        );
    let letta = leggi(&tutto).unwrap();
    assert_eq!(letta.assistenza.data_pratica, Some(date(2022, 1, 29)));
    assert_eq!(letta.assistenza.codice_patronato, "PAT01");
    assert_eq!(letta.assistenza.mandato_numero, "2022/371");
    assert_eq!(letta.anno_competenza, Some(2022));
    assert_eq!(letta.richiedente.codice_fiscale, "RSSMRA80A01H501U".parse());
    assert_eq!(letta.richiedente.email.as_deref(), Some("a@b.it"));
    assert_eq!(letta.ruolo, Ruolo::TutoreGenitore);
    assert_eq!(letta.genitore_tutelato, Some("MRSMSR81D60Z611H".parse()));
    let [primo, secondo] = letta.figli.as_slice() else {
        panic!("two children")
    };
    assert_eq!(primo.codice_fiscale, "80000000002".parse());
    assert_eq!(primo.data_nascita, Some(date(2022, 1, 1)));
    assert_eq!(primo.nuova_nascita, Some(true));
    assert!(primo.altro_genitore == Some(AltroGenitore::Presente("VRDLGU82B52F205E".parse())));
    assert_eq!(primo.situazione_genitori, SituazioneGenitori::ConiugatiConviventi);
    assert_eq!(primo.affidamento, None);
    assert_eq!(primo.ripartizione, Ripartizione::MetaConAltroGenitore);
    assert_eq!(primo.disabilita, Disabilita::Grave);
    assert_eq!(
        (primo.madre_under_21, primo.entrambi_reddito_lavoro),
        (Some(true), Some(false))
    );
    assert!(secondo.altro_genitore == Some(AltroGenitore::Assente(MotivoAssenza::Deceduto)));
    assert_eq!(secondo.affidamento, Some(Affidamento::Nessuno));
    assert_eq!(secondo.ripartizione, Ripartizione::MetaSenzaAccordo);
    assert_eq!(
        secondo.condizione_maggiorenne,
        Some(CondizioneMaggiorenne::Tirocinio)
    );
    assert_eq!(
        (secondo.reddito_sotto_soglia, secondo.a_carico),
        (Some(true), true)
    );
    let isee = letta.isee.unwrap();
    assert_eq!((isee.presente, isee.protocollo_dsu), (false, None));
    assert_eq!(letta.nucleo.len(), 2);
    assert_eq!(letta.anf_2021_percepito, Some(true));
    // Two accounts, each with its own payment.
    let conto = letta.pagamento.conto.unwrap();
    assert_eq!(
        (letta.pagamento.modalita, conto.strumento),
        (Modalita::Iban, Strumento::CcBancario)
    );
    assert_eq!(conto.iban, "IT60X0542811101000000123456".parse());
    assert_eq!(conto.intestatario, QualitaIntestatario::Richiedente);
    assert_eq!(conto.intestatario_codice, "RSSMRA80A01H501U".parse());
    let altro = &letta.pagamenti_altri[0];
    assert_eq!(altro.codice_fiscale, "VRDLGU82B52F205E".parse());
    let conto = altro.pagamento.conto.as_ref().unwrap();
    assert_eq!(conto.strumento, Strumento::LibrettoRisparmio);
    assert_eq!(conto.iban, "DE89370400440532013000".parse());
    assert_eq!(conto.intestatario, QualitaIntestatario::AltroGenitore);
    assert_eq!(letta.dichiarazioni.len(), 7);
    assert_eq!(letta.dichiarazioni[3].scelta, Some(Scelta::Residenza));
}

#[test]
fn a_domanda_that_lacks_a_field_is_no_domanda() {
    for manca in [
        "Operatore operatore1",
        "Data 2022-01-31",
        "Ruolo GENITORE",
        "SituazioneGenitori CONIUGATI_CONVIVENTI",
        "Disabilita GRAVE",
        "ACarico true",
        "Presente true",
        "Modalita IBAN",
        "Strumento CC_BANCARIO",
        "Qualita RICHIEDENTE",
        "PagamentoAltroGenitore { CodiceFiscale VRDLGU82B52F205E",
        "Codice U7",
    ] {
        let senza = manca
            .rsplit_once('{')
            .map_or(String::new(), |(prima, _)| format!("{prima}{{"));
        assert!(leggi(&VALIDA.replacen(manca, &senza, 1)).is_none(), "{manca}");
    }
    assert!(leggi(&VALIDA.replace("Valore 1", "Valore forse")).is_none());
}

#[test]
fn disorder_does_no_harm() {
    let mut lettore = LettoreAssegnoUnico::default();
    for campo in ["Figlio", "Domanda", "", "Conto", "Intestatario", "CodiceFiscale"] {
        lettore.chiudi(campo);
        lettore.valore(campo, "x");
        lettore.byte("Contenuto", Originale::of(Bytes::from_static(b"x")));
        lettore.apri(campo);
        lettore.valore("Iban", "è");
        lettore.valore("AnnoCompetenza", "è022");
    }
    racconta(
        &mut lettore,
        "} } PagamentoAltroGenitore { Conto { Conto { } Valore x",
    );
    assert!(Box::new(lettore).istanza().is_none());
    // The wrapper may be told or not: it changes nothing.
    let mut lettore = LettoreAssegnoUnico::default();
    racconta(&mut lettore, &format!("Domanda {{ {VALIDA} }}"));
    assert!(lettore.assegno() == leggi(VALIDA));
}

#[test]
fn what_is_registered_are_plain_values() {
    let febbraio = contesto(Ambiente::Produzione, date(2022, 2, 1));
    let fascicolo = leggi(VALIDA).unwrap().fascicolo(&febbraio).unwrap();
    assert_eq!(
        fascicolo.oggetto,
        "Assegno Unico e Universale D.lgs 230/2021 - domanda n. {numero} - 2 figli"
    );
    assert_eq!(fascicolo.presentata_da, "GENITORE");
    assert_eq!(fascicolo.pagamento.modalita, "IBAN");
    assert_eq!(fascicolo.pagamento.intestato_richiedente, Some(true));
    let json = |dettagli| serde_json::to_string(dettagli).unwrap();
    assert_eq!(
        json(&fascicolo.dettagli),
        r#"{"anno_competenza":2022,"isee_presente":true,"protocollo_dsu":"INPS-ISEE-2022-01234567P-00","pagamento_strumento":"CC_BANCARIO","pagamento_intestatario":"RICHIEDENTE","pagamento_intestatario_codice_fiscale":"RSSMRA80A01H501U"}"#
    );
    let [primo, secondo] = fascicolo.schede.as_slice() else {
        panic!("two sheets")
    };
    assert_eq!(
        (primo.qualita, primo.ripartizione, primo.disabile),
        ("GENITORE", "B", true)
    );
    let altra_meta = primo.pagamento_altro_genitore.as_ref().unwrap();
    assert_eq!((altra_meta.modalita, &altra_meta.iban), ("CONTANTE_POSTE", &None));
    assert_eq!(primo.decorrenza_presunta.unwrap().to_string(), "2022-03");
    assert_eq!(
        json(&primo.dettagli),
        r#"{"situazione_genitori":"CONIUGATI_CONVIVENTI","disabilita":"GRAVE","entrambi_reddito_lavoro":true}"#
    );
    assert_eq!(secondo.altro_genitore_assente, Some("DECEDUTO"));
    assert!(secondo.pagamento_altro_genitore.is_none() && !secondo.subentra && !secondo.disabile);

    let settembre = contesto(Ambiente::Produzione, date(2022, 9, 1));
    let fascicolo = leggi(PER_SE).unwrap().fascicolo(&settembre).unwrap();
    assert_eq!(
        fascicolo.oggetto,
        "Assegno Unico e Universale D.lgs 230/2021 - domanda n. {numero} - 1 figlio"
    );
    // The year of presentation where none is told.
    assert_eq!(json(&fascicolo.dettagli), r#"{"anno_competenza":2022}"#);
    assert_eq!(fascicolo.pagamento.intestato_richiedente, None);
    let scheda = &fascicolo.schede[0];
    assert!(scheda.subentra && scheda.altro_genitore.is_none() && scheda.altro_genitore_assente.is_none());
    assert_eq!(scheda.decorrenza_presunta.unwrap().to_string(), "2022-10");
    assert_eq!(
        json(&scheda.dettagli),
        r#"{"situazione_genitori":"ORFANO_ENTRAMBI","disabilita":"NESSUNA","condizione_maggiorenne":"LAVORO","condizione_gruppo":2}"#
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
    let au = include_str!("../../../../xsd/assegno-unico-v1.xsd");
    macro_rules! confronta {
        ($($tipo:ident $nome:literal;)+) => {$({
            let nostre: Vec<_> = $tipo::TUTTI.iter().map(|parola| parola.as_str()).collect();
            assert_eq!(nostre, parole(au, $nome), stringify!($tipo));
        })+};
    }
    confronta! {
        Ruolo "<xs:simpleType name=\"Ruolo\">";
        SituazioneGenitori "<xs:simpleType name=\"SituazioneGenitori\">";
        Affidamento "<xs:simpleType name=\"Affidamento\">";
        Ripartizione "<xs:simpleType name=\"Ripartizione\">";
        Disabilita "<xs:simpleType name=\"Disabilita\">";
        CondizioneMaggiorenne "<xs:simpleType name=\"CondizioneMaggiorenne\">";
        Modalita "<xs:simpleType name=\"Modalita\">";
        Strumento "<xs:element name=\"Strumento\">";
        QualitaIntestatario "<xs:simpleType name=\"QualitaIntestatario\">";
        CodiceDichiarazione "<xs:complexType name=\"Dichiarazione\">";
        Scelta "<xs:element name=\"Scelta\"";
    }
}

#[test]
fn nobody_reads_people_in_a_log() {
    assert_eq!(
        format!("{:?}", leggi(VALIDA).unwrap()),
        "AssegnoUnico { ruolo: Genitore, figli: 2, pagamento: Iban, .. }"
    );
}
