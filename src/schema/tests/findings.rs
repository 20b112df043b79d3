//! What is said of each fault: exactly one finding, at its line.

use std::fmt::Write;

use super::*;

#[test]
fn each_small_fault_is_one_finding_at_its_place() {
    let d = "/at:Domanda";
    let r = "/at:Domanda/at:Richiedente";
    let m = "/at:Domanda/at:Minori/at:Minore[1]";
    #[rustfmt::skip]
    let casi: &[(&str, &str, &str, String, u32)] = &[
        // missing
        ("      <at:Cognome>ROSSI</at:Cognome>\n", "", "XSD-001", format!("{r}/at:Cognome"), 18),
        ("      <at:CodiceFiscale>RSSMRA80A01H501U</at:CodiceFiscale>\n", "", "XSD-001", format!("{r}/at:CodiceFiscale"), 16),
        ("    <at:Operatore>op.uno</at:Operatore>\n", "", "XSD-001", format!("{d}/at:Operatore"), 10),
        ("      <at:Data>2021-06-30</at:Data>\n", "", "XSD-001", format!("{d}/at:Mandato/at:Data"), 13),
        ("        <at:Ripartizione>INTERO_RICHIEDENTE</at:Ripartizione>\n", "", "XSD-001", format!("{m}/at:Ripartizione"), 33),
        ("  <at:ChiaveInvio>2021/07-000123</at:ChiaveInvio>\n", "", "XSD-001", "/at:InviaDomanda/at:ChiaveInvio".to_owned(), 3),
        // unknown, misspelt, of another namespace
        ("<at:Operatore>op.uno</at:Operatore>", "<at:Operatore>op.uno</at:Operatore><at:Nuovo><at:Data/></at:Nuovo>", "XSD-002", format!("{d}/at:Nuovo"), 10),
        ("<at:Operatore>op.uno</at:Operatore>", "<at:Operator>op.uno</at:Operator>", "XSD-002", format!("{d}/at:Operator"), 10),
        ("<at:Operatore>op.uno</at:Operatore>", "<at:operatore>op.uno</at:operatore>", "XSD-002", format!("{d}/at:operatore"), 10),
        ("<at:Operatore>op.uno</at:Operatore>", "<Operatore>op.uno</Operatore>", "XSD-003", format!("{d}/Operatore"), 10),
        ("<at:Operatore>op.uno</at:Operatore>", "<Operatore xmlns='urn:x'>op.uno</Operatore>", "XSD-003", format!("{d}/Q{{urn:x}}Operatore"), 10),
        // out of place
        ("      <at:Nome>MARIA</at:Nome>\n      <at:Cognome>ROSSI</at:Cognome>", "      <at:Cognome>ROSSI</at:Cognome>\n      <at:Nome>MARIA</at:Nome>", "XSD-004", format!("{r}/at:Nome"), 18),
        ("    <at:PresentataDa>GENITORE</at:PresentataDa>\n", "<at:GenitoreTutelato><at:CodiceFiscale>12345678903</at:CodiceFiscale></at:GenitoreTutelato>\n<at:PresentataDa>GENITORE</at:PresentataDa>\n", "XSD-004", format!("{d}/at:PresentataDa"), 24),
        ("<at:Data>2021-06-30</at:Data>\n    </at:Mandato>\n", "<at:Data>2021-06-30</at:Data>\n    </at:Mandato>\n<at:DataPratica>2021-07-01</at:DataPratica>", "XSD-005", format!("{d}/at:DataPratica"), 15),
        // too many
        ("<at:Nome>MARIA</at:Nome>", "<at:Nome>MARIA</at:Nome>\n<at:Nome>MARIA</at:Nome><at:Nome>MARIA</at:Nome>", "XSD-005", format!("{r}/at:Nome"), 18),
        // a choice with none, with both
        ("        <at:AltroGenitoreAssente>DECEDUTO</at:AltroGenitoreAssente>\n", "", "XSD-006", "/at:Domanda/at:Minori/at:Minore[2]".to_owned(), 41),
        ("        <at:AltroGenitoreAssente>DECEDUTO</at:AltroGenitoreAssente>\n", "<at:AltroGenitoreAssente>DECEDUTO</at:AltroGenitoreAssente>\n<at:AltroGenitore><at:CodiceFiscale>x</at:CodiceFiscale></at:AltroGenitore>", "XSD-007", "/at:Domanda/at:Minori/at:Minore[2]/at:AltroGenitore".to_owned(), 42),
        // values
        ("RSSMRA80A01H501U", "rssmra80a01h501u", "XSD-010", format!("{r}/at:CodiceFiscale"), 16),
        ("2021/07-000123", "chiave con spazi", "XSD-010", "/at:InviaDomanda/at:ChiaveInvio".to_owned(), 3),
        ("IT60X0542811101000000123456", "IT60 X054 2811 1010 0000 0123 456", "XSD-010", format!("{d}/at:Pagamento/at:Iban"), 47),
        ("<at:Modalita>CC<", "<at:Modalita>XX<", "XSD-011", format!("{d}/at:Pagamento/at:Modalita"), 46),
        ("<at:Operatore>op.uno<", "<at:Operatore>12345678901234567890123456789012345678901234567890123456789012345<", "XSD-012", format!("{d}/at:Operatore"), 10),
        ("<at:Data>2021-06-30<", "<at:Data>2021-02-30<", "XSD-016", format!("{d}/at:Mandato/at:Data"), 13),
        ("<at:Disabile>false<", "<at:Disabile>no<", "XSD-016", format!("{m}/at:Disabile"), 28),
        ("JVBERi0xLjQ=", "@@@", "XSD-016", "/at:Domanda/at:Allegati/at:Allegato[1]/at:Contenuto".to_owned(), 66),
        ("<at:Operatore>op.uno</at:Operatore>", "<at:Operatore/>", "XSD-017", format!("{d}/at:Operatore"), 10),
        ("<at:Nome>MARIA<", "<at:Nome> \n <", "XSD-017", format!("{r}/at:Nome"), 17),
        ("<at:Disabile>false<", "<at:Disabile><", "XSD-017", format!("{m}/at:Disabile"), 28),
        // text and children where there are none
        ("<at:Mandato>\n", "<at:Mandato>\n  ciao\n", "XSD-020", format!("{d}/at:Mandato"), 12),
        ("<at:Nome>MARIA<", "<at:Nome>MA<b>RI</b>A<c/><", "XSD-021", format!("{r}/at:Nome/b"), 17),
        // attributes
        ("<at:Pagamento>", "<at:Pagamento tipo='x'>", "XSD-030", format!("{d}/at:Pagamento/@tipo"), 45),
        ("<at:Modalita>", "<at:Modalita at:x='1'>", "XSD-030", format!("{d}/at:Pagamento/at:Modalita/@at:x"), 46),
        ("<at:Contatti>", "<at:Contatti xmlns:xsi='http://www.w3.org/2001/XMLSchema-instance' xsi:schemaLocation='uno'>", "XSD-032", format!("{r}/at:Contatti/@xsi:schemaLocation"), 19),
        ("<at:Operatore>op.uno</at:Operatore>", "<at:Operatore xmlns:xsi='http://www.w3.org/2001/XMLSchema-instance' xsi:nil='true'/>", "XSD-033", format!("{d}/at:Operatore/@xsi:nil"), 10),
        ("<at:Pagamento>", "<at:Pagamento xmlns:xsi='http://www.w3.org/2001/XMLSchema-instance' xsi:type='Mai'>", "XSD-033", format!("{d}/at:Pagamento/@xsi:type"), 45),
        // a duplicate
        ("<at:Codice>D4<", "<at:Codice>D1<", "XSD-040", "/at:Domanda/at:Dichiarazioni/at:Dichiarazione[2]".to_owned(), 55),
    ];
    for (cerca, metti, codice, percorso, riga) in casi {
        let trovati: Vec<_> = rilievi(&con(cerca, metti))
            .into_iter()
            .map(|(codice, dove, riga, _)| (codice, dove, riga))
            .collect();
        assert_eq!(
            trovati,
            [(*codice, percorso.clone(), *riga)],
            "{cerca} -> {metti}"
        );
    }
}

#[test]
fn five_different_faults_are_five_findings() {
    let testo = con("      <at:Cognome>ROSSI</at:Cognome>\n", "")
        .replacen("<at:Modalita>CC<", "<at:Modalita>XX<", 1)
        .replacen("<at:Data>2021-06-30<", "<at:Data>ieri<", 1)
        .replacen("<at:Codice>D4<", "<at:Codice>D1<", 1)
        .replacen("<at:Operatore>op.uno<", "<at:Operatore> <", 1);
    let trovati: Vec<_> = rilievi(&testo)
        .into_iter()
        .map(|(codice, dove, riga, colonna)| (codice, dove, (riga, colonna)))
        .collect();
    let atteso = |codice, dove: &str, dove_in| (codice, format!("/at:Domanda/{dove}"), dove_in);
    assert_eq!(
        trovati,
        [
            atteso("XSD-017", "at:Operatore", (10, 5)),
            atteso("XSD-016", "at:Mandato/at:Data", (13, 7)),
            atteso("XSD-001", "at:Richiedente/at:Cognome", (18, 7)),
            atteso("XSD-011", "at:Pagamento/at:Modalita", (45, 7)),
            atteso("XSD-040", "at:Dichiarazioni/at:Dichiarazione[2]", (54, 7)),
        ]
    );
}

#[test]
fn what_is_missing_is_told_once_each_and_nothing_else_is() {
    let senza = |tolti: &[&str]| {
        let testo = tolti.iter().fold(VALIDA.to_owned(), |testo, tolto| {
            assert!(testo.contains(tolto), "{tolto}");
            testo.replacen(tolto, "", 1)
        });
        rilievi(&testo)
            .into_iter()
            .map(|(codice, dove, riga, _)| format!("{codice} {dove} {riga}"))
            .collect::<Vec<_>>()
    };
    assert_eq!(
        senza(&[
            "      <at:Nome>MARIA</at:Nome>\n",
            "      <at:Cognome>ROSSI</at:Cognome>\n"
        ]),
        [
            "XSD-001 /at:Domanda/at:Richiedente/at:Nome 17",
            "XSD-001 /at:Domanda/at:Richiedente/at:Cognome 17",
        ]
    );
    // The last ones of an element: expected at its end tag.
    assert_eq!(
        senza(&[
            "      <at:Codice>PAT01</at:Codice>\n",
            "      <at:Ufficio>001</at:Ufficio>\n"
        ]),
        [
            "XSD-001 /at:Domanda/at:Patronato/at:Codice 7",
            "XSD-001 /at:Domanda/at:Patronato/at:Ufficio 7",
        ]
    );
    // An empty element ends where it begins.
    let (inizio, fine) = (
        VALIDA.find("<at:Dichiarazioni>").unwrap(),
        VALIDA.find("    <at:Allegati>").unwrap(),
    );
    let vuota = format!("{}<at:Dichiarazioni/>\n{}", &VALIDA[..inizio], &VALIDA[fine..]);
    assert_eq!(
        rilievi(&vuota),
        [(
            "XSD-001",
            "/at:Domanda/at:Dichiarazioni/at:Dichiarazione[1]".to_owned(),
            50,
            5
        )]
    );
    assert_eq!(
        rilievi("<at:InviaDomanda xmlns:at='http://inps.it/AssegnoTemporaneo/v1'/>"),
        [
            ("XSD-001", "/at:InviaDomanda/at:ChiaveInvio".to_owned(), 1, 1),
            ("XSD-001", "/at:Domanda".to_owned(), 1, 1),
        ]
    );
}

#[test]
fn the_twenty_first_minore_is_one_too_many() {
    let (inizio, fine) = (
        VALIDA.find("      <at:Minore>").unwrap(),
        VALIDA.find("    </at:Minori>").unwrap(),
    );
    let minori = &VALIDA[inizio..fine];
    let testo = format!("{}{}{}", &VALIDA[..inizio], minori.repeat(12), &VALIDA[fine..]);
    assert_eq!(
        rilievi(&testo),
        [(
            "XSD-005",
            "/at:Domanda/at:Minori/at:Minore[21]".to_owned(),
            215,
            7
        )]
    );
}

#[test]
fn text_is_placed_where_it_begins() {
    let testo = con(
        "<at:Mandato>\n",
        "<at:Mandato>\n <!-- x --> \n  ciao &amp; altro\n",
    );
    assert_eq!(
        rilievi(&testo),
        [("XSD-020", "/at:Domanda/at:Mandato".to_owned(), 13, 3)]
    );
    let limiti = |dentro: &str| {
        rilievi(&format!(
            "<at:Limiti xmlns:at='http://inps.it/AssegnoTemporaneo/v1'>{dentro}</at:Limiti>"
        ))
    };
    assert_eq!(limiti("\n"), []);
    assert_eq!(limiti("\n x"), [("XSD-020", "/at:Limiti".to_owned(), 2, 2)]);
}

#[test]
fn a_type_that_is_the_declared_one_may_be_named() {
    let xsi = "xmlns:xsi='http://www.w3.org/2001/XMLSchema-instance'";
    let con_tipo = |tipo: &str| {
        rilievi(&con(
            "<at:Pagamento>",
            &format!("<at:Pagamento {xsi} xsi:type='{tipo}'>"),
        ))
        .into_iter()
        .map(|(codice, dove, ..)| (codice, dove))
        .collect::<Vec<_>>()
    };
    assert_eq!(con_tipo("at:Pagamento"), []);
    let rifiutato = [("XSD-033", "/at:Domanda/at:Pagamento/@xsi:type".to_owned())];
    for tipo in [
        "at:Minore",
        "x:Pagamento",
        "Pagamento",
        ":Pagamento",
        "at:NonEsiste",
        ":",
        "",
        "at:Pagamento x",
    ] {
        assert_eq!(con_tipo(tipo), rifiutato, "{tipo}");
    }
    // Where names without a prefix are of that namespace, an empty prefix is still none.
    let con_predefinito = |tipo: &str| {
        con_tipo(&format!(
            "{tipo}' xmlns='http://inps.it/AssegnoTemporaneo/v1' xml:lang='it"
        ))
    };
    let lingua = ("XSD-030", "/at:Domanda/at:Pagamento/@xml:lang".to_owned());
    assert_eq!(con_predefinito("Pagamento"), std::slice::from_ref(&lingua));
    assert_eq!(con_predefinito(":Pagamento"), [rifiutato[0].clone(), lingua]);
}

#[test]
fn sentences_say_what_was_expected_and_nobodys_data() {
    let frase = |cerca: &str, metti: &str| {
        let lettura = leggi(&con(cerca, metti));
        let [rilievo] = lettura.rilievi.as_slice() else {
            panic!("{:?}", lettura.rilievi);
        };
        for testo in [rilievo.testo(), rilievo.testo_inglese(), rilievo.suggerimento()] {
            assert!(!testo.contains('{'), "{testo}");
        }
        rilievo.testo()
    };
    assert_eq!(
        frase("<at:Modalita>CC<", "<at:Modalita>XX<"),
        "il valore di at:Modalita non è tra quelli ammessi: uno tra BD, CC, CP, ES, LP, trovato «XX»"
    );
    assert_eq!(
        frase("<at:Modalita>CC<", "<at:Modalita>RSSMRA80A01H501U<"),
        "il valore di at:Modalita non è tra quelli ammessi: uno tra BD, CC, CP, ES, LP"
    );
    assert_eq!(
        frase("<at:Data>2021-06-30<", "<at:Data>30/06/2021<"),
        "il valore di at:Data non è del tipo richiesto: una data esistente nella forma AAAA-MM-GG, trovato «30/06/2021»"
    );
    assert_eq!(
        frase("<at:DataNascita>2019-02-28<", "<at:DataNascita>2019-02-29<"),
        "il valore di at:DataNascita non è del tipo richiesto: una data esistente nella forma AAAA-MM-GG"
    );
    assert_eq!(
        frase(
            "<at:Operatore>op.uno<",
            &format!("<at:Operatore>{}<", "à".repeat(70))
        ),
        "il valore di at:Operatore è troppo lungo: 70 caratteri, al più 64"
    );
    assert_eq!(
        frase("<at:Nome>MARIA<", "<at:Nome>Maria<"),
        "il valore di at:Nome non ha la forma richiesta: da 1 a 64 lettere maiuscole, anche accentate \
         (À È É Ì Ò Ù), con spazio, apostrofo e trattino"
    );
    assert_eq!(
        frase("      <at:Cognome>ROSSI</at:Cognome>\n", ""),
        "manca l'elemento obbligatorio at:Cognome, prima di at:Contatti"
    );
    assert_eq!(
        frase(
            "<at:Operatore>op.uno</at:Operatore>",
            "<Operatore>op.uno</Operatore>"
        ),
        "l'elemento Operatore è nel namespace «»; atteso at:Operatore, nel namespace \
         «http://inps.it/AssegnoTemporaneo/v1»"
    );
    assert_eq!(
        frase(
            "      <at:Cognome>ROSSI</at:Cognome>\n",
            "<at:Cognom>ROSSI</at:Cognom>"
        ),
        "l'elemento at:Cognom non è previsto qui; atteso: at:Cognome"
    );
}

#[test]
fn a_hostile_message_is_read_in_linear_time_and_told_a_hundred_findings() {
    let mut testo = String::from("<at:InviaDomanda xmlns:at='http://inps.it/AssegnoTemporaneo/v1'>");
    for numero in 0..40_000 {
        write!(testo, "<at:x{numero} y{numero}='1'/>&#32;t&#32;").unwrap();
    }
    testo.push_str("<at:Domanda>");
    for _ in 0..10_000 {
        testo.push_str("<at:Operatore xml:lang='it'>x<at:Nome/></at:Operatore>");
    }
    testo.push_str("</at:Domanda></at:InviaDomanda>");
    let prima = std::time::Instant::now();
    let lettura = leggi(&testo);
    assert_eq!(lettura.rilievi.len(), form::RILIEVI_MAX);
    // Generous for an unoptimised build on a busy machine; a quadratic reading would take minutes.
    assert!(prima.elapsed().as_secs() < 20, "{:?}", prima.elapsed());
}

#[test]
fn names_that_no_schema_knows_are_not_kept() {
    fn contati(authority: &authority::Authority<'_>) -> usize {
        authority.nomi_noti()
    }
    let nomi = || with_authority(&SCHEMA.outline, contati).unwrap();
    // Once, so that what the authority interns for itself is there.
    leggi(VALIDA);
    let prima = nomi();
    leggi(&con(
        "<at:Pagamento>",
        "<at:Mai1/><x:Mai2 xmlns:x='urn:mai3'/><at:Pagamento at:mai4='mai5' xmlns:xsi='http://www.w3.org/2001/XMLSchema-instance' \
         xmlns:mai6='urn:mai7' xsi:type='mai6:Mai8' xsi:mai9='mai10' xsi:nil='mai11' \
         xsi:schemaLocation='urn:mai12 mai13 urn:mai14 mai15' xsi:noNamespaceSchemaLocation='mai16'>",
    ));
    assert_eq!(nomi(), prima);
}
