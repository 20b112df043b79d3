//! The authority's verdict and ours agree: the same bytes, once through our reading and once through `xsd-schema`
//! alone, with nothing of ours in between.

use std::process::{Command, Stdio};

use proptest::prelude::*;
use xsd_schema::SchemaSet;
use xsd_schema::validation::{ErrorOnlySink, SchemaValidator, ValidationFlags, drive_quick_xml};

use super::*;

/// What `xsd-schema` says by itself.
fn undisturbed(testo: &str) -> Vec<String> {
    thread_local! {
        static SET: &'static SchemaSet = Box::leak(Box::new(authority::load().unwrap()));
    }
    let set = SET.with(|set| *set);
    let mut errors = Vec::new();
    let validator = SchemaValidator::new(set, ValidationFlags::default());
    let mut run = validator.start_run(ErrorOnlySink { errors: &mut errors });
    drive_quick_xml(testo.as_bytes(), &mut run, set).unwrap();
    drop(run);
    errors.iter().map(ToString::to_string).collect()
}

fn agree(testo: &str) -> Result<(), TestCaseError> {
    let solo = undisturbed(testo);
    let lettura = leggi(testo);
    let nostri: Vec<String> = lettura
        .rilievi
        .iter()
        .map(|rilievo| format!("{} {}", rilievo.codice, rilievo.dove))
        .collect();
    prop_assert_eq!(
        solo.is_empty(),
        nostri.is_empty(),
        "xsd-schema: {:?}\nours: {:?}\n{}",
        solo,
        nostri,
        testo
    );
    for (prima, dopo) in lettura.rilievi.iter().zip(lettura.rilievi.iter().skip(1)) {
        prop_assert!(
            prima.posizione <= dopo.posizione,
            "not in document order:\n{}",
            testo
        );
    }
    prop_assert!(
        lettura
            .rilievi
            .iter()
            .all(|rilievo| rilievo.codice != Codice::Xsd099),
        "unexplained: {:?}\n{}",
        lettura.rilievi,
        testo
    );
    for rilievo in &lettura.rilievi {
        for frase in [rilievo.testo(), rilievo.testo_inglese(), rilievo.suggerimento()] {
            let vuoto = frase.split('{').skip(1).any(|dopo| {
                dopo.split_once('}')
                    .is_some_and(|(nome, _)| nome.chars().all(|c| c.is_ascii_lowercase() || c == '_'))
            });
            prop_assert!(!vuoto, "a place of the sentence is not filled: {}", frase);
        }
    }
    // With the reader of the prestazione itself: whatever it is told it does not panic, and of a valid message it
    // always makes a domanda.
    let vera = SCHEMA.read_file(testo.as_bytes(), &Limits::default()).unwrap();
    prop_assert_eq!(
        vera.istanza.is_some(),
        nostri.is_empty(),
        "no domanda of:\n{}",
        testo
    );
    Ok(())
}

/// A change to a message, as its lines are numbered: one element a line makes that simple.
#[derive(Debug, Clone)]
enum Colpo {
    Togli(usize),
    Raddoppia(usize),
    Scambia(usize, usize),
    Rinomina(usize, &'static str),
    Valore(usize, &'static str),
    Attributo(usize, &'static str),
    Inserisci(usize, &'static str),
}

/// The pieces of the message that may be changed without breaking XML: an element with all that it holds.
fn pezzi(testo: &str) -> Vec<(usize, usize)> {
    let bytes = testo.as_bytes();
    let limits = Limits::default();
    let mut reader = Reader::new(bytes, &limits);
    let mut aperti = Vec::new();
    let mut pezzi = Vec::new();
    loop {
        match reader.next().unwrap() {
            Token::Start { inizio, .. } => aperti.push(inizio),
            Token::End { fine, .. } => pezzi.push((aperti.pop().unwrap(), fine)),
            Token::Text(_) => {}
            Token::Eof => break,
        }
    }
    // Not the outermost: what may begin a document is another question.
    pezzi.pop();
    pezzi
}

fn applied(testo: &str, colpo: &Colpo) -> String {
    let elementi = pezzi(testo);
    if elementi.is_empty() {
        return testo.to_owned();
    }
    let di = |indice: usize| elementi[indice % elementi.len()];
    let tag_fine = |inizio: usize| inizio + testo[inizio..].find(['>', '/', ' ']).unwrap();
    match *colpo {
        Colpo::Togli(indice) => {
            let (inizio, fine) = di(indice);
            format!("{}{}", &testo[..inizio], &testo[fine..])
        }
        Colpo::Raddoppia(indice) => {
            let (inizio, fine) = di(indice);
            format!("{}{}", &testo[..fine], &testo[inizio..])
        }
        Colpo::Scambia(uno, altro) => {
            let (a, b) = (di(uno).min(di(altro)), di(uno).max(di(altro)));
            if a.1 > b.0 {
                return testo.to_owned();
            }
            [
                &testo[..a.0],
                &testo[b.0..b.1],
                &testo[a.1..b.0],
                &testo[a.0..a.1],
                &testo[b.1..],
            ]
            .concat()
        }
        Colpo::Rinomina(indice, nome) => {
            let (inizio, fine) = di(indice);
            let pezzo = &testo[inizio..fine];
            let vecchio = &testo[inizio + 1..tag_fine(inizio)];
            let dentro = pezzo.strip_prefix(&format!("<{vecchio}")).unwrap();
            let nuovo = match dentro.strip_suffix(&format!("</{vecchio}>")) {
                Some(dentro) => format!("<{nome}{dentro}</{nome}>"),
                None => format!("<{nome}{dentro}"),
            };
            format!("{}{nuovo}{}", &testo[..inizio], &testo[fine..])
        }
        Colpo::Valore(indice, valore) => {
            let (inizio, fine) = di(indice);
            let nome = &testo[inizio + 1..tag_fine(inizio)];
            format!("{}<{nome}>{valore}</{nome}>{}", &testo[..inizio], &testo[fine..])
        }
        Colpo::Attributo(indice, attributo) => {
            let fine = tag_fine(di(indice).0);
            if testo[fine..].starts_with(' ') {
                return testo.to_owned();
            }
            format!("{} {attributo}{}", &testo[..fine], &testo[fine..])
        }
        Colpo::Inserisci(indice, cosa) => {
            let (inizio, _) = di(indice);
            format!("{}{cosa}{}", &testo[..inizio], &testo[inizio..])
        }
    }
}

fn colpo() -> impl Strategy<Value = Colpo> {
    let dove = 0..500_usize;
    let nomi = prop::sample::select(vec![
        "at:Nome",
        "at:Minore",
        "at:CodiceFiscale",
        "at:Iban",
        "at:Boh",
        "Nome",
        "at:nome",
        "at:Domanda",
        "at:Codice",
        "at:AltroGenitore",
        "at:AltroGenitoreAssente",
        "at:Contatti",
        "at:Dichiarazione",
    ]);
    let valori = prop::sample::select(vec![
        "",
        " ",
        "true",
        "1",
        "GENITORE",
        "2021-02-30",
        "2021-07-01Z",
        "12345678901",
        "  D1 ",
        "D2",
        "MARIA ANNA",
        "x",
        "QUJD",
        "QUJ D",
        "@@",
        "<at:CodiceFiscale>12345678901</at:CodiceFiscale>",
        "<!-- c -->",
        "a<at:b/>c",
        "&#32;",
        "<![CDATA[CC]]>",
        "è",
        "maria@example.it",
    ]);
    let attributi = prop::sample::select(vec![
        "a='1'",
        "at:a='1'",
        "xml:lang='it'",
        "xmlns:xsi='http://www.w3.org/2001/XMLSchema-instance' xsi:nil='true'",
        "xmlns:xsi='http://www.w3.org/2001/XMLSchema-instance' xsi:nil='forse'",
        "xmlns:xsi='http://www.w3.org/2001/XMLSchema-instance' xsi:type='at:Minore'",
        "xmlns:xsi='http://www.w3.org/2001/XMLSchema-instance' xsi:type='at:Domanda'",
        "xmlns:xsi='http://www.w3.org/2001/XMLSchema-instance' xsi:type='boh:Domanda'",
        "xmlns:xsi='http://www.w3.org/2001/XMLSchema-instance' xsi:boh='1'",
        "xmlns:xsi='http://www.w3.org/2001/XMLSchema-instance' xsi:schemaLocation='a b'",
        "xmlns:xsi='http://www.w3.org/2001/XMLSchema-instance' xsi:schemaLocation='a'",
        "xmlns:xsi='http://www.w3.org/2001/XMLSchema-instance' xsi:noNamespaceSchemaLocation='a'",
    ]);
    let cose = prop::sample::select(vec![
        "testo",
        "<at:Boh/>",
        " ",
        "<Nome/>",
        "<at:Nome>MARIA</at:Nome>",
        "<!-- c -->",
        "<![CDATA[ ]]>",
    ]);
    prop_oneof![
        dove.clone().prop_map(Colpo::Togli),
        dove.clone().prop_map(Colpo::Raddoppia),
        (dove.clone(), dove.clone()).prop_map(|(uno, altro)| Colpo::Scambia(uno, altro)),
        (dove.clone(), nomi).prop_map(|(dove, nome)| Colpo::Rinomina(dove, nome)),
        (dove.clone(), valori).prop_map(|(dove, valore)| Colpo::Valore(dove, valore)),
        (dove.clone(), attributi).prop_map(|(dove, attributo)| Colpo::Attributo(dove, attributo)),
        (dove, cose).prop_map(|(dove, cosa)| Colpo::Inserisci(dove, cosa)),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn we_find_a_fault_exactly_when_the_authority_does(colpi in prop::collection::vec(colpo(), 1..5)) {
        let testo = colpi.iter().fold(VALIDA.to_owned(), |testo, colpo| applied(&testo, colpo));
        agree(&testo)?;
    }
}

#[test]
fn one_small_change_is_at_most_one_finding() {
    // Taking an element out, or writing its name or value wrong, is one fault wherever it happens.
    for indice in 0..pezzi(VALIDA).len() {
        for colpo in [
            Colpo::Togli(indice),
            Colpo::Rinomina(indice, "at:Boh"),
            Colpo::Attributo(indice, "a='1'"),
            Colpo::Inserisci(indice, "<at:Boh/>"),
        ] {
            let testo = applied(VALIDA, &colpo);
            agree(&testo).unwrap();
            let trovati = rilievi(&testo);
            assert!(trovati.len() <= 1, "{colpo:?}: {trovati:?}\n{testo}");
        }
    }
}

#[test]
fn xmllint_agrees() {
    if Command::new("xmllint")
        .arg("--version")
        .stderr(Stdio::null())
        .status()
        .is_err()
    {
        eprintln!("SKIPPED: xmllint is not installed (Debian: libxml2-utils); nothing was cross-checked");
        return;
    }
    let cartella = tempfile::tempdir().unwrap();
    let xsd = concat!(env!("CARGO_MANIFEST_DIR"), "/xsd/assegno-temporaneo-v1.xsd");
    let mut casi = vec![VALIDA.to_owned()];
    for indice in 0..pezzi(VALIDA).len() {
        casi.push(applied(VALIDA, &Colpo::Togli(indice)));
        casi.push(applied(VALIDA, &Colpo::Raddoppia(indice)));
        casi.push(applied(VALIDA, &Colpo::Valore(indice, "x")));
        casi.push(applied(VALIDA, &Colpo::Scambia(indice, indice + 1)));
    }
    let mut comando = Command::new("xmllint");
    comando.args(["--noout", "--nonet", "--schema", xsd]);
    for (numero, testo) in casi.iter().enumerate() {
        let file = cartella.path().join(format!("{numero}.xml"));
        std::fs::write(&file, testo).unwrap();
        comando.arg(file);
    }
    let detto = comando.output().unwrap();
    let detto = String::from_utf8(detto.stderr).unwrap();
    for (numero, testo) in casi.iter().enumerate() {
        let valido = detto
            .lines()
            .any(|riga| riga.ends_with(&format!("/{numero}.xml validates")));
        assert_eq!(valido, leggi(testo).rilievi.is_empty(), "{testo}");
    }
}
