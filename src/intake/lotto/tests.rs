use proptest::prelude::*;

use super::taglio::{Involucro, Prossimo, Taglio, Testa};
use crate::domanda::Posizione;
use crate::prestazione::PRESTAZIONI;
use crate::xml::{self, Limits};

const AT: &str = "http://inps.it/AssegnoTemporaneo/v1";

fn testa(file: &str) -> Testa {
    Testa::find(file.as_bytes(), true, PRESTAZIONI[0], &Limits::default())
        .unwrap()
        .unwrap()
}

/// Items as they were cut: their text and the place where each begins.
type Tagliati = Vec<(String, Posizione)>;

/// Cuts a lot that comes by pieces of these sizes, over and over.
fn cut(file: &str, pezzi: &[usize]) -> (Tagliati, Option<String>) {
    let testa = testa(file);
    let mut resto = &file.as_bytes()[testa.len()..];
    let mut taglio = Taglio::new(testa, &Limits::default(), 1 << 20).digesting();
    let mut tagliati = Vec::new();
    let mut misure = pezzi.iter().cycle();
    loop {
        match taglio.prossimo() {
            Ok(Prossimo::Elemento(elemento)) => {
                let testo = String::from_utf8(taglio.slice(&elemento).to_vec()).unwrap();
                tagliati.push((testo, elemento.luogo));
            }
            Ok(Prossimo::Fine) => {
                let da = file.find("<at:Lotto").unwrap();
                let a = file.find("</at:Lotto>").unwrap() + "</at:Lotto>".len();
                assert_eq!(
                    taglio.impronta().unwrap(),
                    crate::domanda::sha256::Sha256::of(&file.as_bytes()[da..a])
                );
                return (tagliati, None);
            }
            Ok(Prossimo::ServeAltro) if resto.is_empty() => taglio.finish(),
            Ok(Prossimo::ServeAltro) => {
                let quanti = resto.len().min(*misure.next().unwrap());
                taglio.push(&resto[..quanti]);
                resto = &resto[quanti..];
            }
            Err(violazione) => return (tagliati, Some(violazione.codice.to_string())),
        }
    }
}

fn file(elementi: &[String]) -> String {
    format!(
        "<?xml version=\"1.0\"?>\r\n<at:Lotto\n xmlns:at=\"{AT}\">{}</at:Lotto>\n<!-- fine -->",
        elementi.concat()
    )
}

proptest! {
    #[test]
    fn a_lot_is_cut_alike_however_it_comes(
        contenuti in prop::collection::vec("[a-zà-ü \n]{0,40}", 0..20),
        pezzi in prop::collection::vec(1_usize..200, 1..10),
    ) {
        let elementi: Vec<_> = contenuti
            .iter()
            .map(|contenuto| format!("\r\n  <!-- {contenuto} --><at:InviaDomanda><a>{contenuto}</a><b/></at:InviaDomanda>"))
            .collect();
        let file = file(&elementi);
        let (tagliati, errore) = cut(&file, &pezzi);
        prop_assert_eq!(errore, None);
        prop_assert_eq!(tagliati.len(), elementi.len());
        let mut da = 0;
        for (testo, luogo) in tagliati {
            let qui = da + file[da..].find("<at:InviaDomanda>").unwrap();
            prop_assert_eq!(luogo, xml::posizione(file.as_bytes(), qui));
            prop_assert!(file[qui..].starts_with(&testo) && testo.ends_with("</at:InviaDomanda>"));
            da = qui + testo.len();
        }
    }

    #[test]
    fn a_lot_that_is_cut_short_has_the_items_before_the_cut(
        quanti in 0_usize..600,
        pezzi in prop::collection::vec(1_usize..50, 1..5),
    ) {
        let elementi: Vec<_> = (0..8).map(|numero| format!("\n<at:InviaDomanda><n>{numero}</n></at:InviaDomanda>")).collect();
        let intero = file(&elementi);
        let testa = testa(&intero).len();
        let fine = (testa + quanti).min(intero.len());
        let interi = intero[testa..fine].matches("</at:InviaDomanda>").count();
        let (tagliati, errore) = cut(&intero[..fine], &pezzi);
        prop_assert_eq!(tagliati.len(), interi);
        let chiuso = intero[..fine].contains("</at:Lotto>");
        prop_assert_eq!(errore, (!chiuso).then(|| "ENV-002".to_owned()));
    }
}

#[test]
fn an_item_alone_means_what_it_meant_in_its_lot() {
    let file = format!(
        "<l:Lotto xmlns:l=\"{AT}\" xmlns=\"urn:d&amp;&quot;x\" xmlns:lotto=\"urn:altro\">\n <l:InviaDomanda xmlns:p=\"urn:p\"><a p:b=\"1\"/><lotto:c/></l:InviaDomanda></l:Lotto>"
    );
    let testa = testa(&file);
    let involucro = Involucro::of(&testa);
    let inizio = file.find("<l:Invia").unwrap();
    let fine = file.find("</l:Lotto>").unwrap();
    let solo = involucro.around(&file.as_bytes()[inizio..fine]);
    let nomi = |bytes: &[u8]| {
        let limits = Limits::default();
        let mut reader = xml::Reader::new(bytes, &limits);
        let mut nomi = Vec::new();
        loop {
            match reader.next().unwrap() {
                xml::Token::Start { nome, attributi, .. } => {
                    nomi.push(nome.to_string());
                    nomi.extend(attributi.iter().map(|attributo| attributo.nome.to_string()));
                }
                xml::Token::Eof => return nomi,
                xml::Token::End { .. } | xml::Token::Text(_) => {}
            }
        }
    };
    assert_eq!(nomi(&solo), nomi(file.as_bytes()));
    let luogo = xml::posizione(file.as_bytes(), inizio);
    let spostamento = involucro.shift(luogo);
    let qui = |bytes: &[u8], cerca: &str| {
        let testo = std::str::from_utf8(bytes).unwrap();
        xml::posizione(bytes, testo.find(cerca).unwrap())
    };
    for cerca in ["<l:Invia", "<a p:b", "<lotto:c/>"] {
        assert_eq!(
            spostamento.of(qui(&solo, cerca)),
            qui(file.as_bytes(), cerca),
            "{cerca}"
        );
    }
}

#[test]
fn an_item_that_does_not_end_is_given_up() {
    let lungo = format!("<at:InviaDomanda><!--{}", "x".repeat(2 << 20));
    let (tagliati, errore) = cut(&file(&[lungo]).replace("</at:Lotto>\n<!-- fine -->", ""), &[4096]);
    assert_eq!((tagliati.len(), errore.as_deref()), (0, Some("LOT-009")));
}

#[test]
fn what_is_no_lot_is_refused_at_its_root() {
    for (file, codice) in [
        ("<a/>", "LOT-014"),
        ("<Lotto/>", "LOT-014"),
        (
            "<env:Envelope xmlns:env=\"http://www.w3.org/2003/05/soap-envelope\"/>",
            "LOT-014",
        ),
        ("non xml", "ENV-019"),
        ("", "ENV-001"),
        ("<!DOCTYPE a><a/>", "ENV-006"),
    ] {
        let errore = Testa::find(file.as_bytes(), true, PRESTAZIONI[0], &Limits::default()).unwrap_err();
        assert_eq!(errore.codice.to_string(), codice, "{file}");
    }
}
