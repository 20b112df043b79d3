use bytes::Bytes;

use super::*;
use crate::domanda::atto::Effetto;
use crate::domanda::atto::rinuncia::tests;
use crate::domanda::lettura::base64;

/// What a reader makes of these fields; `Contenuto` is base64.
fn leggi(schede: &[&str], contenuto: &str) -> Option<Istanza> {
    let mut lettore = Box::new(LettoreDocumento::new("at", "Assegno temporaneo"));
    let mut racconta = |padre: &str, campi: &[(&str, &str)]| {
        lettore.apri(padre);
        for (campo, testo) in campi {
            lettore.apri(campo);
            match *campo {
                "Contenuto" => lettore.byte(campo, Originale::of(base64(testo).unwrap())),
                _ => lettore.valore(campo, testo),
            }
            lettore.chiudi(campo);
        }
        lettore.chiudi(padre);
    };
    racconta("Riferimento", &[("NumeroDomanda", "371")]);
    racconta("Patronato", &[("Codice", "PAT01"), ("Ufficio", "001")]);
    racconta("", &[("Operatore", "op.rossi")]);
    racconta("Mandato", &[("Numero", "M-1"), ("Data", "2021-07-01")]);
    let schede: Vec<_> = schede.iter().map(|posto| ("Scheda", *posto)).collect();
    racconta("Schede", &schede);
    racconta(
        "Allegato",
        &[
            ("Tipo", "ALTRO"),
            ("NomeFile", "uno.pdf"),
            ("TipoMime", "application/pdf"),
            ("Contenuto", contenuto),
        ],
    );
    lettore.istanza()
}

#[test]
fn a_reader_takes_the_fields_of_the_document_apart_from_those_of_the_act() {
    let Some(Istanza::Atto(atto)) = leggi(&["2", "1"], "YWJj") else {
        panic!("no act")
    };
    let mostrato = format!("{atto:?}");
    for parte in [
        "numero: 371",
        "schede: [2, 1]",
        "Originale(3 byte)",
        "mandato_numero: \"M-1\"",
        "nome_file: \"uno.pdf\"",
    ] {
        let parte = parte.replace("numero: 371", "NumeroDomanda(371)");
        assert!(mostrato.contains(&parte), "{parte} in {mostrato}");
    }
    assert!(leggi(&["due"], "YWJj").is_none());
}

#[test]
fn disorder_does_no_harm() {
    let mut lettore = LettoreDocumento::new("at", "");
    for campo in ["Allegato", "Scheda", "", "Mandato", "Contenuto"] {
        lettore.chiudi(campo);
        lettore.byte(campo, Originale::of(Bytes::from_static(b"x")));
        lettore.valore(campo, "x");
        lettore.apri(campo);
    }
    assert!(Box::new(lettore).istanza().is_none());
}

#[test]
fn an_effect_of_a_document_shows_none_of_its_bytes() {
    let Some(Istanza::Atto(atto)) = leggi(&[], "JVBERi0xLjQKJSVFT0YK") else {
        panic!("no act")
    };
    let attuale = tests::domanda(&[crate::domanda::stato::StatoDomanda::Presentata]);
    let seguito = atto.seguito(&tests::CONTESTO, &attuale);
    assert!(matches!(
        &seguito.effetti[..],
        [Effetto::Documento { schede, attese }] if schede == &[1] && attese.is_empty()
    ));
    assert_eq!(
        seguito.oggetto,
        "Assegno temporaneo - documento per la domanda n. 371"
    );
    assert!(!format!("{seguito:?}").contains("PDF-1"), "bytes in a log line");
}
