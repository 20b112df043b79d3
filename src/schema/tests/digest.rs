//! The digest: equal for equal content, whatever its spelling; and the bytes that it is made of, which must never
//! change.

use sha2::{Digest as _, Sha256};

use super::*;
use crate::schema::digest::{Digester, XSI};

fn esadecimale(digest: Digest) -> String {
    digest
        .0
        .iter()
        .fold(String::new(), |testo, byte| testo + &format!("{byte:02x}"))
}

/// The tokens of the module's table, written out by hand.
fn a_mano(parti: &[&[u8]]) -> String {
    let mut sha = Sha256::new();
    for parte in parti {
        sha.update(parte);
    }
    esadecimale(Digest(sha.finalize().into()))
}

#[test]
fn the_bytes_of_version_1_are_these() {
    let mut digester = Digester::new();
    digester.start(
        "urn:a",
        "D",
        &[("", "z", "1"), (XSI, "schemaLocation", "x"), ("", "b", "è")],
    );
    digester.text(" \n");
    digester.start("urn:a", "Allegato", &[]);
    digester.start("urn:a", "Contenuto", &[]);
    digester.end(" YWJj\n");
    digester.end("");
    digester.text("\t uno  due ");
    digester.start("", "e", &[]);
    digester.end("");
    digester.end("");
    let n = |lungo: u64| lungo.to_be_bytes();
    let abc: [u8; 32] = Sha256::digest("abc").into();
    let atteso = a_mano(&[
        b"S",
        &n(5),
        b"urn:a",
        &n(1),
        b"D",
        &n(2),
        &n(0),
        &n(1),
        b"b",
        &n(2),
        "è".as_bytes(),
        &n(0),
        &n(1),
        b"z",
        &n(1),
        b"1",
        b"S",
        &n(5),
        b"urn:a",
        &n(8),
        b"Allegato",
        &n(0),
        b"S",
        &n(5),
        b"urn:a",
        &n(9),
        b"Contenuto",
        &n(0),
        b"B",
        &abc,
        b"E",
        b"E",
        b"T",
        &n(8),
        b"uno  due",
        b"S",
        &n(0),
        &n(1),
        b"e",
        &n(0),
        b"E",
        b"E",
    ]);
    assert_eq!(esadecimale(digester.finish()), atteso);
    assert_eq!(
        atteso,
        "099efecf8ca3729b54a4fa73dbff7cbdd9582137b15bb0d2be96aa4bf812596a"
    );
    assert_eq!(
        esadecimale(leggi(VALIDA).digest),
        "0ee526b1eb331101befc78a1f71e58c196ec6644020660d6b62d66cb994ef164"
    );
}

#[test]
fn equal_content_has_an_equal_digest_however_it_is_spelt() {
    let atteso = leggi(VALIDA).digest;
    let bare = {
        let (inizio, fine) = leggi(VALIDA).contenuto_in_richiesta;
        VALIDA[inizio..fine].replacen(
            "<at:Domanda>",
            "<at:Domanda xmlns:at='http://inps.it/AssegnoTemporaneo/v1'>",
            1,
        )
    };
    let uguali = [
        VALIDA.replace("at:", "q:").replace("xmlns:at=", "xmlns:q="),
        VALIDA
            .replace("xmlns:at=", "xmlns=")
            .replace("<at:", "<")
            .replace("</at:", "</"),
        VALIDA.replace('\n', "").replace("  ", ""),
        VALIDA.replace('\n', "\r\n"),
        con("MARIA", "<!-- prima -->MA<!-- in mezzo -->RIA<!-- dopo -->"),
        con("MARIA", " \n\tMARIA  "),
        con("MARIA", "<![CDATA[MA]]>R<![CDATA[IA]]>"),
        con("MARIA", "M&#65;R&#x49;A"),
        con(
            "<at:Domanda>",
            "<at:Domanda xmlns:x='urn:x' xmlns:xsi='http://www.w3.org/2001/XMLSchema-instance' xsi:schemaLocation='a b'>",
        ),
        con("2021/07-000123", "altra-chiave"),
        con("JVBERi0xLjQ=", "JVBE\n  Ri0x\nLjQ="),
        VALIDA.replace("InviaDomanda", "VerificaDomanda"),
        bare,
    ];
    for testo in uguali {
        assert!(leggi(&testo).digest == atteso, "{testo}");
    }
}

#[test]
fn other_content_has_another_digest() {
    let atteso = leggi(VALIDA).digest;
    let diversi = [
        con("MARIA", "MARIO"),
        con("MARIA", "MA RIA"),
        con("MARIA", ""),
        con("<at:Nome>MARIA</at:Nome>", "<at:Nome n='1'>MARIA</at:Nome>"),
        con("<at:Nome>MARIA</at:Nome>", "<Nome>MARIA</Nome>"),
        con("<at:Nome>MARIA</at:Nome>", "<at:Nome>MARIA<at:x/></at:Nome>"),
        con("      <at:Nome>MARIA</at:Nome>\n", ""),
        con("JVBERi0xLjQ=", "JVBERi0xLjU="),
        con("JVBERi0xLjQ=", "JVBERi0xLjQ"),
        con("</at:Domanda>", "</at:Domanda><at:Domanda/>"),
        con("<at:Mandato>", "<at:Mandato>x"),
    ];
    let mut visti = vec![atteso];
    for testo in diversi {
        let digest = leggi(&testo).digest;
        assert!(!visti.contains(&digest), "{testo}");
        visti.push(digest);
    }
}

#[test]
fn an_attachment_is_its_bytes_in_blocks_of_any_length() {
    use base64::Engine;
    use base64::engine::general_purpose::STANDARD;
    for lungo in [0, 1, 2, 3, 3071, 3072, 3073, 6144, 10_000] {
        let documento: Vec<u8> = (0..lungo).map(|i: u32| i.to_le_bytes()[0]).collect();
        let base64 = STANDARD.encode(&documento);
        let digest = |testo: &str| {
            let mut digester = Digester::new();
            digester.start("u", "Allegato", &[]);
            digester.start("u", "Contenuto", &[]);
            digester.end(testo);
            digester.end("");
            esadecimale(digester.finish())
        };
        let n = |lungo: u64| lungo.to_be_bytes();
        let impronta: [u8; 32] = Sha256::digest(&documento).into();
        let inizio: &[&[u8]] = &[
            b"S",
            &n(1),
            b"u",
            &n(8),
            b"Allegato",
            &n(0),
            b"S",
            &n(1),
            b"u",
            &n(9),
            b"Contenuto",
            &n(0),
        ];
        let atteso = [inizio, &[b"B", &impronta, b"E", b"E"]].concat();
        assert_eq!(digest(&base64), a_mano(&atteso), "{lungo}");
        let a_capo = base64
            .as_bytes()
            .chunks(76)
            .map(|riga| std::str::from_utf8(riga).unwrap())
            .collect::<Vec<_>>()
            .join("\r\n");
        assert_eq!(digest(&a_capo), a_mano(&atteso), "{lungo}");
        // What is no base64 is text.
        let rotto = format!("{base64}=AAA");
        let lunghezza = n(rotto.len() as u64);
        let testo: &[&[u8]] = &[b"T", &lunghezza, rotto.as_bytes(), b"E", b"E"];
        assert_eq!(digest(&rotto), a_mano(&[inizio, testo].concat()), "{lungo}");
    }
}
