use std::fmt::Write as _;

use proptest::prelude::*;

use super::*;

/// The whole of a document in short: `<{ns}name @{ns}name=value`, `>name`, text as it is, pieces joined.
fn leggi_con(bytes: &[u8], limiti: &Limits) -> Result<String, XmlError> {
    racconta(&mut Reader::new(bytes, limiti))
}

fn racconta(reader: &mut Reader<'_>) -> Result<String, XmlError> {
    let mut letto = String::new();
    loop {
        match reader.next()? {
            Token::Start { nome, attributi, .. } => {
                write!(letto, "<{nome}").unwrap();
                for attributo in attributi.iter() {
                    write!(letto, " @{}={:?}", attributo.nome, attributo.valore).unwrap();
                }
                letto.push('|');
            }
            Token::End { nome, .. } => write!(letto, ">{}|", nome.locale).unwrap(),
            Token::Text(testo) => letto.push_str(&testo),
            Token::Eof => return Ok(letto),
        }
    }
}

fn leggi(xml: &str) -> Result<String, XmlError> {
    leggi_con(xml.as_bytes(), &Limits::default())
}

#[track_caller]
fn rifiutato(bytes: &[u8], limiti: &Limits, codice: &str, riga: u32, colonna: u32) -> XmlError {
    let mostrato = String::from_utf8_lossy(bytes).into_owned();
    let errore = leggi_con(bytes, limiti).expect_err(&mostrato);
    assert_eq!(
        (
            errore.codice.as_str(),
            errore.posizione.riga,
            errore.posizione.colonna
        ),
        (codice, riga, colonna),
        "{mostrato}"
    );
    let violazione = errore.violazione();
    for testo in [
        violazione.testo(),
        violazione.testo_inglese(),
        violazione.suggerimento(),
    ] {
        assert!(!testo.contains('{'), "{testo}");
    }
    errore
}

#[test]
fn a_document_is_read_as_the_recommendations_say() {
    for (xml, letto) in [
        ("<a/>", "<{}a|>a|"),
        (
            "\u{FEFF}<?xml version='1.0' encoding=\"utf-8\" standalone = 'yes' ?>\n<!-- c -->\n<a></a>\n<!----> ",
            "<{}a|>a|",
        ),
        (
            "<p:a xmlns:p='urn:p' xmlns='urn:d' b='1' p:b='2' xml:lang='it'/>",
            "<{urn:p}a @{}b=\"1\" @{urn:p}b=\"2\" @{http://www.w3.org/XML/1998/namespace}lang=\"it\"|>a|",
        ),
        (
            "<a xmlns='urn:d'><b xmlns=''><c/></b><d/></a>",
            "<{urn:d}a|<{}b|<{}c|>c|>b|<{urn:d}d|>d|>a|",
        ),
        (
            "<p:a p:b='1' xmlns:p='urn:p'><p:c xmlns:p='urn:q'/><p:d/></p:a >",
            "<{urn:p}a @{urn:p}b=\"1\"|<{urn:q}c|>c|<{urn:p}d|>d|>a|",
        ),
        (
            "<a b='x&#10;y\n\t\r\nz&lt;&amp;&quot;&apos;&gt;>'/>",
            "<{}a @{}b=\"x\\ny   z<&\\\"'>>\"|>a|",
        ),
        (
            "<a>r\rs\r\nt\nu&#13;&#x1F600;&#0000065;</a>",
            "<{}a|r\ns\nt\nu\r😀A>a|",
        ),
        (
            "<a>x<![CDATA[<&>\r\n]]]]><![CDATA[>]]>y<!-- - -->z]]&gt;</a>",
            "<{}a|x<&>\n]]>yz]]>>a|",
        ),
        ("<a\n b = \"1\"\tc='\"' />", "<{}a @{}b=\"1\" @{}c=\"\\\"\"|>a|"),
        (
            "<a>\u{FEFF}<b/>\u{FEFF}x\u{7F}\u{85}</a>",
            "<{}a|\u{FEFF}<{}b|>b|\u{FEFF}x\u{7F}\u{85}>a|",
        ),
        ("<é·.-1 xmlns:è='u'/>", "<{}é·.-1|>é·.-1|"),
    ] {
        assert_eq!(leggi(xml).as_deref(), Ok(letto), "{xml}");
    }
}

#[test]
fn what_is_not_well_formed_is_refused_at_its_place() {
    for (xml, codice, riga, colonna) in [
        ("", "ENV-001", 1, 1),
        (" \n ", "ENV-001", 2, 2),
        ("<!-- c -->", "ENV-001", 1, 11),
        ("<a>", "ENV-002", 1, 4),
        ("<a>\n<b>x", "ENV-002", 2, 5),
        ("<a><b", "ENV-002", 1, 6),
        ("<a b='", "ENV-002", 1, 7),
        ("<a><!-- ", "ENV-002", 1, 9),
        ("<a>&am", "ENV-002", 1, 7),
        ("<a>\u{1}</a>", "ENV-005", 1, 4),
        ("<a>x\u{FFFE}</a>", "ENV-005", 1, 5),
        ("<a b='\u{1B}'/>", "ENV-005", 1, 7),
        ("<a><!--\u{0}--></a>", "ENV-005", 1, 8),
        ("<a><![CDATA[à\u{8}]]></a>", "ENV-005", 1, 14),
        ("<!DOCTYPE a><a/>", "ENV-006", 1, 1),
        ("<!doctype a><a/>", "ENV-006", 1, 1),
        ("<!DOCTYPE a [<!ENTITY b \"c\">", "ENV-006", 1, 1),
        ("<a><!DOCTYPE", "ENV-006", 1, 4),
        ("<?xml-stylesheet href='x'?><a/>", "ENV-007", 1, 1),
        ("<a><?php ?></a>", "ENV-007", 1, 4),
        ("<a/><?x?>", "ENV-007", 1, 5),
        ("<a><?xm", "ENV-007", 1, 4),
        ("<?XML version='1.0'?><a/>", "ENV-007", 1, 1),
        ("<?xml?><a/>", "ENV-008", 1, 1),
        ("<?xml encoding='UTF-8'?><a/>", "ENV-008", 1, 1),
        ("<?xml version='1.1'?><a/>", "ENV-008", 1, 1),
        ("<?xml version='1.0'encoding='UTF-8'?><a/>", "ENV-008", 1, 1),
        ("<?xml version='1.0' standalone='si'?><a/>", "ENV-008", 1, 1),
        (
            "<?xml version='1.0' standalone='no' encoding='UTF-8'?><a/>",
            "ENV-008",
            1,
            1,
        ),
        ("<?xml version=1.0?><a/>", "ENV-008", 1, 1),
        (" <?xml version='1.0'?><a/>", "ENV-008", 1, 2),
        ("<?xml version='1.0'?><?xml version='1.0'?><a/>", "ENV-008", 1, 22),
        ("<a><?xml version='1.0'?></a>", "ENV-008", 1, 4),
        ("<?xml version='1.0' encoding='ISO-8859-1'?><a/>", "ENV-003", 1, 1),
        ("<a>1 < 2</a>", "ENV-009", 1, 6),
        ("<a><></a>", "ENV-009", 1, 4),
        ("<1a/>", "ENV-009", 1, 1),
        ("<a><!x></a>", "ENV-009", 1, 4),
        ("<a>\r\n<b></a>", "ENV-010", 2, 4),
        ("<a></ a>", "ENV-010", 1, 4),
        ("<a></a b='1'>", "ENV-010", 1, 4),
        ("<a></A>", "ENV-010", 1, 4),
        ("<p:a xmlns:p='u' xmlns:q='u'></q:a>", "ENV-010", 1, 30),
        ("<a:/>", "ENV-011", 1, 2),
        ("<:a/>", "ENV-011", 1, 2),
        ("<a:b:c xmlns:a='u'/>", "ENV-011", 1, 2),
        ("<a 1b='x'/>", "ENV-011", 1, 4),
        ("<a b:='x'/>", "ENV-011", 1, 4),
        ("<a xmlns:='u'/>", "ENV-011", 1, 4),
        ("<a,b/>", "ENV-011", 1, 2),
        ("<p:a/>", "ENV-012", 1, 2),
        ("<a p:b='x'/>", "ENV-012", 1, 4),
        ("<a><p:b xmlns:p='u'/><p:c/></a>", "ENV-012", 1, 23),
        ("<a xmlns:p=''/>", "ENV-013", 1, 4),
        ("<a xmlns:xml='urn:x'/>", "ENV-013", 1, 4),
        (
            "<a xmlns:x='http://www.w3.org/XML/1998/namespace'/>",
            "ENV-013",
            1,
            4,
        ),
        (
            "<a xmlns='http://www.w3.org/XML/1998/namespace'/>",
            "ENV-013",
            1,
            4,
        ),
        ("<a xmlns:xmlns='u'/>", "ENV-013", 1, 4),
        ("<a xmlns='http://www.w3.org/2000/xmlns/'/>", "ENV-013", 1, 4),
        ("<xmlns:a/>", "ENV-013", 1, 2),
        ("<a b='1' c='2' b='3'/>", "ENV-014", 1, 16),
        ("<a xmlns:p='u' xmlns:q='u' p:b='1' q:b='2'/>", "ENV-014", 1, 36),
        ("<a xmlns:p='u' xmlns:p='v'/>", "ENV-014", 1, 16),
        ("<a xmlns='u' xmlns='u'/>", "ENV-014", 1, 14),
        ("<a b='<'/>", "ENV-015", 1, 7),
        ("<a b='1'c='2'/>", "ENV-015", 1, 9),
        ("<a b/>", "ENV-015", 1, 4),
        ("<a b=1/>", "ENV-015", 1, 4),
        ("<a / >", "ENV-015", 1, 4),
        ("<a b='1>x</a>", "ENV-015", 1, 10),
        ("<a b='1>\n<c/></a><d e='f'/>", "ENV-015", 2, 1),
        ("<a <b/>", "ENV-015", 1, 4),
        ("<a>x & y</a>", "ENV-016", 1, 6),
        ("<a>&nbsp;</a>", "ENV-016", 1, 4),
        ("<a>&#0;</a>", "ENV-016", 1, 4),
        ("<a>&#xD800;</a>", "ENV-016", 1, 4),
        ("<a>&#+65;</a>", "ENV-016", 1, 4),
        ("<a>&#X41;</a>", "ENV-016", 1, 4),
        ("<a>&#99999999999;</a>", "ENV-016", 1, 4),
        ("<a>&;</a>", "ENV-016", 1, 4),
        ("<a>x &y z", "ENV-016", 1, 6),
        ("<a b='à&x;'/>", "ENV-016", 1, 8),
        ("<a b = 'x\r\ny&z'/>", "ENV-016", 2, 2),
        ("<a>x]]>y</a>", "ENV-017", 1, 5),
        ("<a><!-- x -- y --></a>", "ENV-018", 1, 11),
        ("<a><!-- x ---></a>", "ENV-018", 1, 11),
        ("<a/><b/>", "ENV-019", 1, 5),
        ("<a/>x", "ENV-019", 1, 5),
        ("x<a/>", "ENV-019", 1, 1),
        ("{\"a\": 1}", "ENV-019", 1, 1),
        ("&amp;<a/>", "ENV-019", 1, 1),
        ("<a/><![CDATA[ ]]>", "ENV-019", 1, 5),
        ("</a>", "ENV-019", 1, 1),
        ("<a/></a>", "ENV-019", 1, 5),
        ("\u{FEFF}\u{FEFF}<a/>", "ENV-019", 1, 1),
    ] {
        rifiutato(xml.as_bytes(), &Limits::default(), codice, riga, colonna);
    }
}

#[test]
fn another_encoding_is_refused_by_name() {
    let utf16 = |bom: &[u8], unita: fn(u16) -> [u8; 2]| {
        let mut bytes = bom.to_vec();
        bytes.extend(
            "<?xml version='1.0' encoding='UTF-16'?><a/>"
                .encode_utf16()
                .flat_map(unita),
        );
        bytes
    };
    for bytes in [
        utf16(b"\xFE\xFF", u16::to_be_bytes),
        utf16(b"\xFF\xFE", u16::to_le_bytes),
        utf16(b"", u16::to_be_bytes),
        utf16(b"", u16::to_le_bytes),
    ] {
        let errore = rifiutato(&bytes, &Limits::default(), "ENV-003", 1, 1);
        assert_eq!(
            errore.violazione().testo(),
            "codifica UTF-16 non ammessa: solo UTF-8"
        );
    }
    rifiutato(
        b"\x00\x00\xFE\xFF\x00\x00\x00<",
        &Limits::default(),
        "ENV-003",
        1,
        1,
    );
    let errore = rifiutato(b"<a>\nPerch\xE9 no</a>", &Limits::default(), "ENV-004", 2, 6);
    assert_eq!(errore.violazione().testo(), "byte E9 non valido in UTF-8");
    rifiutato(b"<a b='\xFF'/>", &Limits::default(), "ENV-004", 1, 7);
    rifiutato(b"<a/>\xFF", &Limits::default(), "ENV-004", 1, 5);
    // Surrogates and overlong forms are no UTF-8.
    rifiutato(b"<a>\xED\xA0\x80</a>", &Limits::default(), "ENV-004", 1, 4);
    rifiutato(b"<a>\xC0\xBC</a>", &Limits::default(), "ENV-004", 1, 4);
}

#[test]
fn every_bound_has_its_code_and_says_its_number() {
    let stretti = Limits {
        depth_max: 3,
        attributes_max: 2,
        bindings_max: 2,
        name_bytes_max: 7,
        attribute_value_bytes_max: 4,
        text_bytes_max: 6,
        elements_max: 5,
        header_blocks_max: 1,
        envelope_head_bytes_max: 100,
    };
    for (xml, codice, colonna, limite) in [
        ("<a><b><c><d/></c></b></a>", "ENV-020", 10, "3"),
        ("<a b='' c='' d=''/>", "ENV-021", 14, "2"),
        (
            "<a xmlns='1' xmlns:b='2'><c xmlns:d='3'/></a>",
            "ENV-022",
            29,
            "2",
        ),
        ("<abcdefgh/>", "ENV-023", 2, "7"),
        ("<a bcdefghi='1'/>", "ENV-023", 4, "7"),
        ("<a b='12345'/>", "ENV-024", 4, "4"),
        ("<a>1234567</a>", "ENV-025", 4, "6"),
        ("<a>123<b/>45<![CDATA[67]]></a>", "ENV-025", 13, "6"),
        ("<a>12&amp;</a>", "ENV-025", 6, "6"),
        ("<a><b/><b/><b/><b/><b/></a>", "ENV-026", 20, "5"),
    ] {
        let errore = rifiutato(xml.as_bytes(), &stretti, codice, 1, colonna);
        let testo = errore.violazione().testo();
        assert!(testo.contains(&format!(" {limite} ")), "{testo}");
        assert!(testo.contains("_max)"), "{testo}");
    }
    for xml in [
        "<a><b><c/></b></a>",
        "<a b='' c=''/>",
        "<a xmlns='1' xmlns:b='2'/>",
        "<a><b xmlns='1' xmlns:b='2'/><c xmlns='3'/></a>",
        "<abcde b='1234'>123456<b>123456</b></abcde>",
        "<a><b/><b/><b/><b/></a>",
    ] {
        assert!(leggi_con(xml.as_bytes(), &stretti).is_ok(), "{xml}");
    }
}

#[test]
fn the_bound_of_text_can_be_lifted_for_one_element() {
    let limiti = Limits {
        text_bytes_max: 3,
        ..Limits::default()
    };
    let mut reader = Reader::new(b"<a><b>12345&amp;</b><c>1234</c></a>", &limiti);
    let mut testo = String::new();
    let errore = loop {
        let lungo = match reader.next() {
            Ok(Token::Start { nome, .. }) => nome.is("", "b"),
            Ok(Token::Text(pezzo)) => {
                testo.push_str(&pezzo);
                false
            }
            Ok(Token::End { .. } | Token::Eof) => false,
            Err(errore) => break errore,
        };
        if lungo {
            reader.lift_text_bound();
        }
    };
    assert_eq!(testo, "12345&");
    assert_eq!(
        (errore.codice, errore.posizione.colonna),
        (Codice::Env025, 23 + 1)
    );
}

#[test]
fn tokens_tell_where_they_stand() {
    let xml = b"<a>\n <b c='\n'>x</b>\r<d/></a>";
    let mut reader = Reader::new(xml, &Limits::default());
    let mut visti = Vec::new();
    loop {
        let nome = match reader.next().unwrap() {
            Token::Start { nome, .. } => format!("<{}", nome.locale),
            Token::End { nome, .. } => format!(">{}", nome.locale),
            Token::Text(_) => continue,
            Token::Eof => break,
        };
        let Posizione { riga, colonna } = reader.posizione();
        visti.push((nome, &xml[reader.offset()..reader.end_offset()], riga, colonna));
    }
    let attesi: Vec<(String, &[u8], u32, u32)> = vec![
        ("<a".into(), b"<a>", 1, 1),
        ("<b".into(), b"<b c='\n'>", 2, 2),
        (">b".into(), b"</b>", 3, 4),
        ("<d".into(), b"<d/>", 4, 1),
        (">d".into(), b"", 4, 5),
        (">a".into(), b"</a>", 4, 5),
    ];
    assert_eq!(visti, attesi);
}

#[test]
fn reading_goes_on_in_a_longer_buffer_from_any_place_between_tokens() {
    for xml in [MESSAGGIO, "<a>\u{FEFF}<b/>\u{FEFF}x&amp;\u{FEFF}</a>"] {
        let intero = leggi(xml).unwrap();
        let mut lettore = Reader::new(xml.as_bytes(), &Limits::default());
        let mut prima = String::new();
        loop {
            let checkpoint = lettore.checkpoint();
            let mut altro = Reader::resume(xml.as_bytes(), &checkpoint, &Limits::default());
            assert_eq!(format!("{prima}{}", racconta(&mut altro).unwrap()), intero);
            // The same from the shortest buffer that held the checkpoint.
            let corto = Reader::resume(
                &xml.as_bytes()[..checkpoint.offset()],
                &checkpoint,
                &Limits::default(),
            );
            assert_eq!(corto.checkpoint(), checkpoint);
            match lettore.next().unwrap() {
                Token::Start { nome, attributi, .. } => {
                    write!(prima, "<{nome}").unwrap();
                    for attributo in attributi.iter() {
                        write!(prima, " @{}={:?}", attributo.nome, attributo.valore).unwrap();
                    }
                    prima.push('|');
                }
                Token::End { nome, .. } => write!(prima, ">{}|", nome.locale).unwrap(),
                Token::Text(testo) => prima.push_str(&testo),
                Token::Eof => break,
            }
        }
    }
}

#[test]
fn a_checkpoint_knows_its_namespaces() {
    let mut reader = Reader::new(
        b"<a xmlns='1' xmlns:p='2'><b xmlns:p='3'/><c/></a>",
        &Limits::default(),
    );
    for _ in 0..3 {
        reader.next().unwrap();
    }
    let checkpoint = reader.checkpoint();
    let mut legami: Vec<_> = checkpoint.namespaces().collect();
    legami.sort_unstable();
    assert_eq!(
        legami,
        [
            ("", "1"),
            ("p", "2"),
            ("xml", "http://www.w3.org/XML/1998/namespace")
        ]
    );
    assert_eq!(checkpoint.depth(), 1);
}

#[test]
fn hostile_shapes_take_linear_time() {
    // Each would take minutes if anything in it were quadratic.
    let larghi = Limits {
        attributes_max: 200_000,
        bindings_max: 64,
        ..Limits::default()
    };
    let mut attributi = String::from("<a");
    for i in 0..100_000 {
        write!(attributi, " a{i}=''").unwrap();
    }
    attributi.push_str("/>");
    assert!(leggi_con(attributi.as_bytes(), &larghi).is_ok());
    let commento = format!("<a><!--{}", "- ".repeat(500_000));
    assert!(leggi(&commento).unwrap_err().is_incomplete());
    let riferimenti = format!("<a>{}</a>", "&amp;".repeat(100_000));
    assert!(leggi(&riferimenti).is_ok());
    let valore = format!("<a b='{}'/>", "&".repeat(8_000));
    assert_eq!(leggi(&valore).unwrap_err().codice, Codice::Env016);
    let maggiori = format!("<a>{}</a>", "]]".repeat(250_000));
    assert!(leggi(&maggiori).is_ok());
}

const MESSAGGIO: &str = "\u{FEFF}<?xml version=\"1.0\" encoding=\"UTF-8\"?>\r\n<!-- prova -->\n\
    <env:Envelope xmlns:env=\"http://www.w3.org/2003/05/soap-envelope\">\n <env:Header>\n  \
    <inps:Identity xmlns:inps='http://inps.it/'><UserId>a&#x62;c</UserId><CodiceUfficio>001</CodiceUfficio>\
    </inps:Identity></env:Header>\r\n <env:Body><at:InviaDomanda xmlns:at=\"http://inps.it/AssegnoTemporaneo/v1\" \
    at:x='1 > 0'><at:Nome>NICCOL\u{d2} D&apos;AVAR\u{c8}</at:Nome><!-- fra - due --><at:Vuoto/><![CDATA[ <x>]] ]]>\
    </at:InviaDomanda></env:Body></env:Envelope\n>\n<!-- fine -->\n";

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 2048, ..ProptestConfig::default() })]

    #[test]
    fn arbitrary_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _ = leggi_con(&bytes, &Limits::default());
    }

    #[test]
    fn pieces_of_xml_in_any_order_never_panic(pezzi in proptest::collection::vec(
        proptest::sample::select(vec![
            "<", ">", "</", "/>", "<a", "<a>", "</a>", "<a/>", "<p:a", " b='1'", " xmlns:p='u'", " xmlns='u'", "=", "'",
            "\"", "&", "&amp;", "&#x41;", ";", "<!--", "--", "-->", "<![CDATA[", "]]>", "]]", "<?xml version='1.0'?>",
            " b=\"1\"", " p:b=\"a>b]]>\"", " q:b=\"1\"", " c=\"é\t\"", " c = \"1\"", "  d=\"&lt;\"", "<p:b b=\"\" p:b=\"\"", "<?", "?>",
            "<!DOCTYPE", "\u{FEFF}", "\u{FEFF}\u{FEFF}", "x", "à", " ", "\r", "\n", "\u{1}", ":", "-",
        ]), 0..24), prima in proptest::sample::select(vec![
            "", "<a>", "<a><a/>", "<a xmlns:p='u' xmlns:q='u'>",
        ]))
    {
        let xml = format!("{prima}{}", pezzi.concat());
        let letto = leggi(&xml);
        // The same by the long way alone, and an error never stands outside the message.
        let lento = racconta(&mut Reader::new(xml.as_bytes(), &Limits::default()).lento());
        prop_assert_eq!(&letto, &lento);
        if let Err(errore) = letto {
            let fine = posizione(xml.as_bytes(), xml.len());
            prop_assert!(errore.posizione <= fine, "{:?} after {:?}", errore, fine);
            if !errore.is_incomplete() {
                // What is refused stays refused, whatever follows.
                let seguito = leggi(&format!("{xml}<a>x</a>"));
                prop_assert!(seguito.is_err());
            }
        }
    }
}

#[test]
fn every_strict_prefix_of_a_message_is_incomplete() {
    let bytes = MESSAGGIO.as_bytes();
    let fine = MESSAGGIO.rfind("\n>\n").unwrap() + 2;
    for taglio in 0..fine {
        let errore = leggi_con(&bytes[..taglio], &Limits::default()).unwrap_err();
        assert!(errore.is_incomplete(), "cut at {taglio}: {errore:?}");
    }
    assert!(leggi_con(&bytes[..fine], &Limits::default()).is_ok());
}

#[test]
fn byte_order_marks_in_a_row_are_text_like_any_other() {
    for testo in [
        "\u{FEFF}\u{FEFF}",
        "\u{FEFF}\u{FEFF}\u{FEFF}\u{e0}",
        "\u{FEFF}\u{FEFF}=\u{FEFF}\u{FEFF} ",
    ] {
        for (prima, dopo) in [
            ("<a>", "</a>"),
            ("<a><b/>", "<b/></a>"),
            ("<a><b>", "&lt;</b></a>"),
        ] {
            let letto = leggi(&format!("{prima}{testo}{dopo}")).unwrap();
            assert_eq!(
                letto,
                leggi(&format!("{prima}?{dopo}")).unwrap().replace('?', testo)
            );
        }
    }
    // Outside the root they are as little allowed as other text; the first of all is no text.
    rifiutato(
        "\u{FEFF}\u{FEFF}<a/>".as_bytes(),
        &Limits::default(),
        "ENV-019",
        1,
        1,
    );
}
