use proptest::collection::vec;
use proptest::prelude::*;

use super::*;
use crate::soap::SoapVersion;

const TIPO: &str = "multipart/related; type=\"application/xop+xml\"; start=\"<busta@prova>\"; \
                    start-info=\"application/soap+xml\"; boundary=\"uuid:1+id=1\"";
const DELIMITATORE: &str = "--uuid:1+id=1";
const TESTA: &str = "Content-Type: application/xop+xml; charset=UTF-8; type=\"application/soap+xml\"\r\n\
                     Content-Transfer-Encoding: binary\r\nContent-ID: <busta@prova>";
const ALLEGATO: &str =
    "Content-Type: application/pdf\r\nContent-Transfer-Encoding: binary\r\nContent-ID: <uno@prova>";
const BUSTA: &[u8] = b"<e/>";

fn tipo() -> Tipo {
    Tipo::parse(TIPO, Limits::default()).unwrap()
}

/// A multipart of heads and bodies, as a client would write it.
fn scrivi(parti: &[(&str, &[u8])]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for (testa, corpo) in parti {
        bytes.extend_from_slice(format!("{DELIMITATORE}\r\n{testa}\r\n\r\n").as_bytes());
        bytes.extend_from_slice(corpo);
        bytes.extend_from_slice(b"\r\n");
    }
    bytes.extend_from_slice(format!("{DELIMITATORE}--\r\n").as_bytes());
    bytes
}

fn codice(bytes: &[u8]) -> Option<&'static str> {
    let letto = tipo().parts(&Bytes::copy_from_slice(bytes));
    letto.err().map(|errore| errore.0.codice.as_str())
}

fn contenuti(messaggio: &Messaggio) -> Vec<(&str, &[u8])> {
    let parti = messaggio.parti.as_ref().unwrap();
    let parti = parti.0.iter();
    parti
        .map(|parte| (parte.content_id.as_str(), &parte.byte[..]))
        .collect()
}

#[test]
fn the_content_types_of_known_clients_are_read() {
    for (client, testo, versione, start, delimitatore) in [
        (
            "CXF",
            "multipart/related; type=\"application/xop+xml\"; boundary=\"uuid:3a1f-9c\"; \
             start=\"<root.message@cxf.apache.org>\"; start-info=\"application/soap+xml; action=\\\"urn:x\\\"\"",
            SoapVersion::V12,
            Some("root.message@cxf.apache.org"),
            "--uuid:3a1f-9c",
        ),
        (
            ".NET",
            "multipart/related; type=\"application/xop+xml\";start=\"<http://tempuri.org/0>\";\
             boundary=\"uuid:6b8e+id=1\";start-info=\"text/xml\"",
            SoapVersion::V11,
            Some("http://tempuri.org/0"),
            "--uuid:6b8e+id=1",
        ),
        (
            "SAAJ",
            "Multipart/Related; start-info=\"text/xml\"; type=\"application/xop+xml\"; boundary=\"----=_Part_0_1.2\"",
            SoapVersion::V11,
            None,
            "------=_Part_0_1.2",
        ),
        (
            "zeep's requests-toolbelt",
            "multipart/related; boundary=0123456789abcdef; type=application/xop+xml; \
             start=\"root@x\"; start-info=application/soap+xml;",
            SoapVersion::V12,
            Some("root@x"),
            "--0123456789abcdef",
        ),
    ] {
        let letto =
            Tipo::parse(testo, Limits::default()).unwrap_or_else(|errore| panic!("{client}: {errore:?}"));
        assert_eq!(letto.versione, versione, "{client}");
        assert_eq!(letto.start.as_deref(), start, "{client}");
        assert_eq!(letto.delimitatore, delimitatore.as_bytes(), "{client}");
    }
}

#[test]
fn a_content_type_that_is_none_of_mtom_is_told_apart_from_one_that_cannot_be_read() {
    for testo in [
        "multipart/related; boundary=x",
        "multipart/related; type=\"text/xml\"; boundary=x",
        "multipart/mixed; type=\"application/xop+xml\"; boundary=x",
        "multipart/related; type=\"application/xop+xml\"; start-info=\"text/html\"; boundary=x",
    ] {
        assert_eq!(
            Tipo::parse(testo, Limits::default()),
            Err(TipoErrato::NonAmmesso),
            "{testo}"
        );
    }
    let lungo = "x".repeat(71);
    for resto in [
        "",
        "; boundary=",
        "; boundary=\"\"",
        "; boundary=\"x",
        "; boundary=\"x\"y",
        "; boundary=x; boundary=x",
        "; boundary=\"x \"",
        "; boundary=\"x\\\"y\"",
        "; boundary=è",
        "; boundary",
        "; =x",
        &format!("; boundary={lungo}"),
    ] {
        let testo = format!("multipart/related; type=\"application/xop+xml\"{resto}");
        let Err(TipoErrato::Errato(errore)) = Tipo::parse(&testo, Limits::default()) else {
            panic!("{testo}")
        };
        assert_eq!(errore.0.codice, Codice::Mtm001, "{testo}");
    }
}

#[test]
fn a_message_is_parted_without_a_copy() {
    let corpo = b"%PDF\r\n--uuid\n-- \x00\xFF\r";
    let bytes = Bytes::from(scrivi(&[(TESTA, BUSTA), (ALLEGATO, corpo)]));
    let letto = tipo().parts(&bytes).unwrap();
    assert_eq!(letto.busta, BUSTA);
    assert_eq!(&bytes[letto.busta_da..][..BUSTA.len()], BUSTA);
    assert_eq!(contenuti(&letto), [("uno@prova", &corpo[..])]);
    let dentro = bytes.as_ptr_range();
    let parti = letto.parti.unwrap();
    assert!(
        dentro.contains(&parti.0[0].byte.as_ptr()),
        "the part is the message's own bytes"
    );
}

#[test]
fn the_envelope_is_found_again_by_a_place_inside_it() {
    for parti in [
        &[(TESTA, BUSTA), (ALLEGATO, b"abc")][..],
        &[(ALLEGATO, b"abc"), (TESTA, BUSTA)],
    ] {
        for bytes in [scrivi(parti), [b"\r\n", &scrivi(parti)[..]].concat()] {
            let letto = tipo().parts(&Bytes::from(bytes.clone())).unwrap();
            let trovata = envelope_around(&bytes, letto.busta_da + 1);
            assert_eq!(trovata.start, letto.busta_da);
            assert_eq!(bytes[trovata].trim_ascii_end(), BUSTA);
        }
    }
    assert_eq!(envelope_around(b"<a>\n<b/></a>", 4), 0..12);
    assert_eq!(envelope_around(b"<a/>", 1), 0..4);
    assert_eq!(envelope_around(b"", 7), 0..0);
    assert_eq!(envelope_around(b"--x\n", 99), 0..4);
}

#[test]
fn line_ends_may_be_bare_if_all_of_them_are() {
    let bytes = String::from_utf8(scrivi(&[(TESTA, BUSTA), (ALLEGATO, b"abc\r")])).unwrap();
    let nudi = bytes.replace("\r\n", "\n");
    let letto = tipo().parts(&Bytes::from(nudi.clone())).unwrap();
    assert_eq!(
        contenuti(&letto),
        [("uno@prova", &b"abc\r"[..])],
        "the CR is the document's"
    );
    let misti = bytes.replacen("\r\n--uuid", "\n--uuid", 1);
    assert_eq!(codice(misti.as_bytes()), Some("MTM-005"));
    // The other way round the CR could be the document's own: it is taken for that, as the first line end says.
    let letto = tipo()
        .parts(&Bytes::from(nudi.replacen("\n--uuid", "\r\n--uuid", 1)))
        .unwrap();
    assert_eq!(&letto.busta[..], b"<e/>\r");
}

#[test]
fn the_root_may_stand_anywhere_when_start_names_it() {
    let bytes = scrivi(&[(ALLEGATO, b"abc"), (TESTA, BUSTA)]);
    let letto = tipo().parts(&Bytes::from(bytes.clone())).unwrap();
    assert_eq!(
        (&letto.busta[..], contenuti(&letto)),
        (BUSTA, vec![("uno@prova", &b"abc"[..])])
    );
    let radice = tipo().radice(&bytes, true).unwrap().unwrap();
    assert_eq!((&bytes[radice.byte], radice.intera), (BUSTA, true));
    // Without start it is the first.
    let senza = Tipo {
        start: None,
        ..tipo()
    };
    let errore = senza.parts(&Bytes::from(bytes)).unwrap_err();
    assert_eq!(errore.0.codice, Codice::Mtm010);
}

#[test]
fn attachments_of_soap_1_1_stay_where_they_are() {
    let tipo = Tipo::with_attachments(
        "multipart/related; type=\"text/xml\"; boundary=\"ab\"",
        Limits::default(),
    )
    .unwrap();
    let bytes = Bytes::from(
        "--ab\r\nContent-Type: text/xml; charset=UTF-8\r\n\r\n<a/>\r\n--ab\r\nContent-Type: application/pdf\r\n\r\nPDF\r\n--ab--",
    );
    let letto = tipo.parts(&bytes).unwrap();
    assert_eq!((&letto.busta[..], letto.parti.is_none()), (&b"<a/>"[..], true));
    // What says that it is MTOM is none of these, and the other way round.
    let mtom = "multipart/related; type=\"application/xop+xml\"; boundary=\"ab\"";
    assert_eq!(
        Tipo::with_attachments(mtom, Limits::default()),
        Err(TipoErrato::NonAmmesso)
    );
    let altro = Bytes::from("--ab\r\nContent-Type: application/xop+xml\r\n\r\n<a/>\r\n--ab--");
    assert_eq!(tipo.parts(&altro).unwrap_err().0.codice, Codice::Mtm010);
}

#[test]
fn a_part_may_come_in_base64_and_its_head_be_folded() {
    let testa = "content-id:\r\n <uno@prova>\r\nX-Altro: 1\r\nCONTENT-TRANSFER-ENCODING: Base64";
    let bytes = scrivi(&[(TESTA, BUSTA), (testa, b"YWJj\r\nZGU=\r\n")]);
    let letto = tipo().parts(&Bytes::from(bytes)).unwrap();
    assert_eq!(contenuti(&letto), [("uno@prova", &b"abcde"[..])]);
    let vuota = scrivi(&[(TESTA, BUSTA), (ALLEGATO, b"")]);
    assert_eq!(
        contenuti(&tipo().parts(&Bytes::from(vuota)).unwrap()),
        [("uno@prova", &b""[..])]
    );
}

#[test]
fn what_mime_leaves_open_is_refused_by_name() {
    let radice = (TESTA, BUSTA);
    let uno = (ALLEGATO, &b"abc"[..]);
    let con = |testa: &str| scrivi(&[radice, (testa, b"abc")]);
    let busta_con = |da: &str, a: &str| scrivi(&[(&TESTA.replace(da, a), BUSTA), uno]);
    let intero = scrivi(&[radice, uno]);
    let troppe: Vec<String> = (0..32)
        .map(|i| ALLEGATO.replace("uno@", &format!("{i}@")))
        .collect();
    let troppe: Vec<_> = std::iter::once(radice)
        .chain(troppe.iter().map(|testa| (testa.as_str(), &b""[..])))
        .collect();
    for (bytes, atteso) in [
        (intero.clone(), None),
        ([b"\r\n", &intero[..]].concat(), None),
        ([b"ciao\r\n", &intero[..]].concat(), Some("MTM-002")),
        ([&[b' '; 100], &intero[..]].concat(), Some("MTM-002")),
        (b"<e/>".to_vec(), Some("MTM-002")),
        (Vec::new(), Some("MTM-003")),
        (intero[..intero.len() - 4].to_vec(), Some("MTM-003")),
        ([&intero[..], b"\r\n \r\n"].concat(), None),
        ([&intero[..], b"coda"].concat(), Some("MTM-004")),
        ([&intero[..], &intero].concat(), Some("MTM-004")),
        (
            scrivi(&[radice, (ALLEGATO, b"a\r\n--uuid:1+id=1234\r\nb")]),
            Some("MTM-005"),
        ),
        (
            con("Content-ID: <uno@prova>\r\nContent-ID: <due@prova>"),
            Some("MTM-006"),
        ),
        (con("senza due punti"), Some("MTM-006")),
        (con("Content-ID: uno@prova"), Some("MTM-006")),
        (con("Content-ID: <>"), Some("MTM-006")),
        (con(&format!("X: {}", "x".repeat(5000))), Some("MTM-007")),
        (scrivi(&troppe), Some("MTM-008")),
        (scrivi(&troppe[..32]), None),
        (scrivi(&[uno]), Some("MTM-009")),
        (scrivi(&[]), Some("MTM-009")),
        (busta_con("busta@prova", "altra@prova"), Some("MTM-009")),
        (busta_con("application/xop+xml", "text/xml"), Some("MTM-010")),
        (busta_con("UTF-8", "ISO-8859-1"), Some("MTM-010")),
        (busta_con("binary", "base64"), Some("MTM-010")),
        (
            con("Content-ID: <uno@prova>\r\nContent-Transfer-Encoding: quoted-printable"),
            Some("MTM-011"),
        ),
        (
            con("Content-ID: <uno@prova>\r\nContent-Transfer-Encoding: base64"),
            Some("MTM-012"),
        ),
        (
            con("Content-ID: <uno@prova>\r\nContent-Type: multipart/mixed; boundary=y"),
            Some("MTM-013"),
        ),
        (con("Content-Type: application/pdf"), Some("MTM-014")),
        (scrivi(&[radice, uno, uno]), Some("MTM-015")),
        (con("Content-ID: <busta@prova>"), Some("MTM-015")),
    ] {
        assert_eq!(codice(&bytes), atteso, "{}", bytes.escape_ascii());
    }
}

#[test]
fn a_part_is_named_with_and_without_escapes_and_once() {
    let testa = ALLEGATO.replace("uno@prova", "http://tempuri.org/1/à=%41");
    let bytes = scrivi(&[(TESTA, BUSTA), (ALLEGATO, b"uno"), (&testa, b"due")]);
    let parti = tipo().parts(&Bytes::from(bytes)).unwrap().parti.unwrap();
    for (href, atteso) in [
        ("cid:uno@prova", Ok(&b"uno"[..])),
        ("CID:uno%40prova", Ok(b"uno")),
        ("cid:http://tempuri.org/1/à=%41", Ok(b"due")),
        ("cid:http%3A%2F%2Ftempuri.org%2F1%2F%C3%A0%3D%2541", Ok(b"due")),
        ("cid:tre@prova", Err(Codice::Mtm016)),
        ("cid:", Err(Codice::Mtm016)),
        ("cid:uno%4", Err(Codice::Mtm019)),
        ("cid:uno%+4prova", Err(Codice::Mtm019)),
        ("http://esempio.example/uno", Err(Codice::Mtm019)),
        ("uno@prova", Err(Codice::Mtm019)),
        ("à", Err(Codice::Mtm019)),
        ("", Err(Codice::Mtm019)),
    ] {
        let mut parti = parti.clone();
        assert_eq!(
            parti.take(href).as_deref(),
            atteso.as_ref().map(|byte| *byte),
            "{href}"
        );
        if atteso.is_ok() {
            assert_eq!(parti.take(href), Err(Codice::Mtm017), "{href}");
            assert_eq!(parti.left_over().count(), 1);
        }
    }
    assert_eq!(parti.left_over().collect::<Vec<_>>(), [2, 3]);
}

#[test]
fn the_root_is_found_however_the_bytes_come() {
    let bytes = scrivi(&[(TESTA, b"<e>\r\n--uuid:1</e>"), (ALLEGATO, b"abc")]);
    let da = tipo().parts(&Bytes::from(bytes.clone())).unwrap().busta_da;
    let mut vista = false;
    for finora in 0..=bytes.len() {
        let Some(radice) = tipo().radice(&bytes[..finora], false).unwrap() else {
            assert!(!vista, "what was seen is not unseen");
            continue;
        };
        vista = true;
        assert!(radice.byte.start == da && radice.byte.end <= da + b"<e>\r\n--uuid:1</e>".len());
    }
    assert!(vista);
    let troncato = tipo().radice(&bytes[..da + 3], true).unwrap_err();
    assert_eq!(troncato.0.codice, Codice::Mtm003);
}

#[test]
fn content_that_looks_like_a_delimiter_costs_no_more_than_its_bytes() {
    // Quadratic, this would take hours.
    let corpo = "\r\n--uuid:1+id=".repeat(300_000);
    let bytes = scrivi(&[(TESTA, BUSTA), (ALLEGATO, corpo.as_bytes())]);
    let letto = tipo().parts(&Bytes::from(bytes)).unwrap();
    assert_eq!(contenuti(&letto)[0].1.len(), corpo.len());
    let a_capo = vec![b'\n'; 4_000_000];
    let errore = tipo().parts(&Bytes::from(a_capo)).unwrap_err();
    assert_eq!(errore.0.codice, Codice::Mtm002);
}

/// Bytes that like to be taken for something.
fn ostili() -> impl Strategy<Value = Vec<u8>> {
    let pezzo = prop_oneof![
        Just(b"\r\n".to_vec()),
        Just(b"\n".to_vec()),
        Just(b"\r".to_vec()),
        Just(b"--".to_vec()),
        Just(DELIMITATORE.as_bytes().to_vec()),
        Just(format!("{DELIMITATORE}--").into_bytes()),
        Just(TESTA.as_bytes().to_vec()),
        Just(ALLEGATO.as_bytes().to_vec()),
        Just(b"Content-ID: <x>\r\n\r\n".to_vec()),
        Just(b"Content-Transfer-Encoding: base64\r\n".to_vec()),
        Just(BUSTA.to_vec()),
        vec(any::<u8>(), 0..12),
    ];
    vec(pezzo, 0..24).prop_map(|pezzi| pezzi.concat())
}

proptest! {
    #[test]
    fn nothing_that_comes_makes_it_panic(bytes in ostili(), testo in "(?s).{0,200}") {
        let _ = tipo().parts(&Bytes::from(bytes.clone()));
        for finito in [true, false] {
            let _ = tipo().radice(&bytes, finito);
        }
        let _ = Tipo::parse(&testo, Limits::default());
        let _ = Tipo::parse(&format!("multipart/related; type=application/xop+xml;{testo}"), Limits::default());
        let _ = Parti::default().take(&testo);
    }

    #[test]
    fn what_is_written_is_read(corpi in vec(ostili(), 0..5)) {
        // A document may hold anything but its own delimiter.
        let nascosto = |corpo: &Vec<u8>| String::from_utf8_lossy(corpo).contains(DELIMITATORE);
        prop_assume!(!corpi.iter().any(nascosto));
        let teste: Vec<_> = (0..corpi.len()).map(|i| ALLEGATO.replace("uno@", &format!("{i}@"))).collect();
        let mut parti = vec![(TESTA, BUSTA)];
        parti.extend(teste.iter().zip(&corpi).map(|(testa, corpo)| (testa.as_str(), &corpo[..])));
        let letto = tipo().parts(&Bytes::from(scrivi(&parti))).unwrap();
        let letti: Vec<_> = contenuti(&letto).into_iter().map(|(_, corpo)| corpo.to_vec()).collect();
        prop_assert_eq!(letti, corpi);
    }

    #[test]
    fn no_beginning_of_a_message_is_a_message(taglio in any::<prop::sample::Index>(), corpo in ostili()) {
        prop_assume!(!String::from_utf8_lossy(&corpo).contains(DELIMITATORE));
        let bytes = scrivi(&[(TESTA, BUSTA), (ALLEGATO, &corpo)]);
        // Without its last line end it is whole.
        let taglio = taglio.index(bytes.len() - 2);
        prop_assert_eq!(codice(&bytes[..taglio]), Some("MTM-003"));
    }

    #[test]
    fn the_beginning_and_the_whole_agree_on_the_envelope(bytes in ostili()) {
        let intero = tipo().parts(&Bytes::from(bytes.clone()));
        if let (Ok(intero), Ok(Some(radice))) = (intero, tipo().radice(&bytes, true)) {
            prop_assert_eq!(radice.byte.start, intero.busta_da);
            prop_assert_eq!(&bytes[radice.byte], &intero.busta[..]);
        }
    }
}
