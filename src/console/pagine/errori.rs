//! The errors that a sender was told, out of the answer: each with its place, its words in the reader's language and what to do.

use std::collections::BTreeMap;

use super::plain;
use crate::catalogo::Codice;
use crate::console::testi::Lingua;
use crate::trace::Traccia;
use crate::trace::redact::{mask, text_of};
use crate::xml::{Elemento, Limits};

/// Errors that are shown: as many as an answer tells.
const MOSTRATI: usize = 100;

/// One of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Errore {
    pub(super) codice: String,
    pub(super) testo: String,
    pub(super) suggerimento: String,
    pub(super) percorso: String,
    /// Line and column in the request as received.
    pub(super) luogo: Option<(usize, usize)>,
}

/// What the answer told; where it is not kept, what the trace has of it: codes, and what they mean.
pub(super) fn told(traccia: &Traccia, lingua: Lingua) -> Vec<Errore> {
    let detti = traccia
        .risposta
        .as_deref()
        .map(|risposta| read(risposta, lingua))
        .unwrap_or_default();
    if !detti.is_empty() {
        return detti;
    }
    let mut visti = BTreeMap::new();
    for codice in traccia.codici.iter().chain(&traccia.codice) {
        visti
            .entry(codice.clone())
            .or_insert_with(|| known(codice, lingua));
    }
    visti.into_values().take(MOSTRATI).collect()
}

fn known(codice: &str, lingua: Lingua) -> Errore {
    let voce = Codice::parse(codice).map(Codice::voce);
    Errore {
        codice: plain(codice),
        testo: voce.map_or_else(String::new, |voce| lingua.of(voce.it, voce.en).to_owned()),
        suggerimento: voce.map_or_else(String::new, |voce| voce.suggerimento.to_owned()),
        percorso: String::new(),
        luogo: None,
    }
}

fn read(risposta: &[u8], lingua: Lingua) -> Vec<Errore> {
    let testo = text_of(risposta);
    // Past the declaration, where there is one.
    let inizio = testo
        .char_indices()
        .zip(testo.chars().skip(1))
        .find(|((_, segno), dopo)| *segno == '<' && *dopo != '?');
    let Some(((inizio, _), _)) = inizio else {
        return Vec::new();
    };
    let Ok(Some(radice)) = Elemento::at(testo.as_bytes(), inizio, "Contenuto", &Limits::default()) else {
        return Vec::new();
    };
    let mut trovati = Vec::new();
    gather(&radice, lingua, &mut trovati);
    trovati
}

fn gather(elemento: &Elemento, lingua: Lingua, trovati: &mut Vec<Errore>) {
    if trovati.len() >= MOSTRATI {
        return;
    }
    if matches!(elemento.nome.as_str(), "Errore" | "Avviso") {
        let valore = |nome: &str| plain(&mask(elemento.testo_di(&[nome])));
        let numero = |nome: &str| elemento.testo_di(&[nome]).parse::<usize>().ok();
        trovati.push(Errore {
            codice: valore("Codice"),
            testo: valore(lingua.of("Testo", "TestoInglese")),
            suggerimento: valore("Suggerimento"),
            percorso: valore("Percorso"),
            luogo: numero("Riga").zip(numero("Colonna")),
        });
        return;
    }
    for figlio in &elemento.figli {
        gather(figlio, lingua, trovati);
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;

    #[test]
    fn the_errors_of_an_answer_are_read_with_their_places() {
        let risposta = "<?xml version=\"1.0\"?><e:Envelope xmlns:e=\"urn:e\"><e:Errori><e:Errore><e:Codice>XSD-004</e:Codice>\
            <e:Testo>manca RSSMRA80A01H501U</e:Testo><e:TestoInglese>missing</e:TestoInglese><e:Suggerimento>Metterlo.</e:Suggerimento>\
            <e:Percorso>/D/M[1]</e:Percorso><e:Riga>12</e:Riga><e:Colonna>7</e:Colonna></e:Errore></e:Errori></e:Envelope>";
        let traccia = Traccia {
            risposta: Some(Bytes::from_static(risposta.as_bytes())),
            ..Traccia::default()
        };
        let detti = told(&traccia, Lingua::Italiano);
        assert_eq!(detti.len(), 1);
        assert_eq!(detti[0].codice, "XSD-004");
        assert_eq!(detti[0].testo, "manca RSS*************");
        assert_eq!(detti[0].luogo, Some((12, 7)));
        assert_eq!(told(&traccia, Lingua::Inglese)[0].testo, "missing");
    }

    #[test]
    fn where_the_answer_is_not_kept_the_codes_tell() {
        let traccia = Traccia {
            codice: Some("ACC-001".to_owned()),
            codici: vec!["ACC-001".to_owned(), "<b>".to_owned()],
            risposta: Some(Bytes::from_static(b"<no")),
            ..Traccia::default()
        };
        let detti = told(&traccia, Lingua::Italiano);
        assert_eq!(
            detti
                .iter()
                .map(|errore| errore.codice.as_str())
                .collect::<Vec<_>>(),
            ["<b>", "ACC-001"]
        );
        assert_eq!(detti[1].testo, Codice::Acc001.voce().it);
    }
}
