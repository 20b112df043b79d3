use bytes::Bytes;
use lopdf::Document;

use super::caratteri::Cassa;
use super::foglio::{Foglio, MARGINE, PAGINA, Segno};
use super::riepilogo::{AllegatoElencato, Originale};
use super::*;
use crate::domanda::{Ambiente, Mese};
use crate::prestazione::PRESTAZIONI;

/// A receipt of people that do not exist.
fn dati(ambiente: Ambiente, schede: usize) -> RicevutaDati {
    RicevutaDati {
        operazione: "InviaDomanda".to_owned(),
        intestazione: "INPS - Istituto Nazionale della Previdenza Sociale".to_owned(),
        prestazione: "Assegno temporaneo per i figli minori".to_owned(),
        ambiente,
        avvertenza: (ambiente != Ambiente::Produzione).then(|| "SENZA ALCUN VALORE".to_owned()),
        protocollo: "INPS-AUF-2021-000000010797".to_owned(),
        numero_domanda: "371".to_owned(),
        chiave: "2021/PRAT-000371".to_owned(),
        presentata_il: "2021-06-18T10:30:05.123Z".parse().unwrap(),
        registrata_il: "2021-06-18T22:30:06.140Z".parse().unwrap(),
        oggetto: "Assegno Temporaneo DL 79/2021 - domanda n. 371 - 2 minori".to_owned(),
        ente: "PAT01".to_owned(),
        ente_denominazione: "Patronato di prova PAT01".to_owned(),
        codice_ufficio: "001".to_owned(),
        user_id: "op.rossi".to_owned(),
        richiedente_codice_fiscale: "RSSMRA80A01H501U".to_owned(),
        richiedente_nome: "MARIA GIOVANNA".to_owned(),
        richiedente_cognome: "D'ALÒ-ROSSI".to_owned(),
        canale: "MODI".to_owned(),
        impronta: "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad".to_owned(),
        schede: (1..=schede)
            .map(|posto| SchedaDati {
                posto: posto.to_string(),
                codice_fiscale: "BBBRRR14A01A001X".to_owned(),
                decorrenza_presunta: (posto != 2).then_some(Mese { anno: 2021, mese: 7 }),
            })
            .collect(),
        prossimi_passi: PRESTAZIONI[0].prossimi_passi.to_owned(),
    }
}

/// The summary of a request of docs/messaggi.
fn riepilogo(quale: usize, richiesta: &'static str) -> Riepilogo {
    let prestazione = PRESTAZIONI[quale];
    let ricevuta = format!(
        "<Ricevuta><Ambiente>produzione</Ambiente><Protocollo>INPS-AUF-2022-000000000007</Protocollo>\
         <NumeroDomanda>7</NumeroDomanda><PresentataIl>2022-03-15T10:00:00.000Z</PresentataIl>\
         <RegistrataIl>2022-03-15T10:00:00.000Z</RegistrataIl><Impronta>{}</Impronta></Ricevuta>",
        "0".repeat(64)
    );
    let contenuto = format!("<{}:Domanda>", prestazione.prefisso);
    let originale = Originale {
        ricevuta: ricevuta.into(),
        operazione: "InviaDomanda".to_owned(),
        richiesta: Bytes::from_static(richiesta.as_bytes()),
        contenuto_da: richiesta.find(&contenuto).unwrap(),
        allegati: vec![AllegatoElencato {
            tipo: "TITOLO_SOGGIORNO".to_owned(),
            nome_file: format!("{}.pdf", "permesso_".repeat(27)),
            tipo_mime: "application/pdf".to_owned(),
            impronta: [171; 32],
            bytes_len: 1_148_213,
        }],
    };
    Riepilogo::read(&originale, prestazione.testo_firmato).unwrap()
}

const INVIA_AT: &str = include_str!("../../docs/messaggi/InviaDomanda.xml");
const INVIA_AU: &str = include_str!("../../docs/messaggi/AssegnoUnicoUniversale/InviaDomanda.xml");

/// The text of each page, as another reader finds it; where it sees spaces is its own affair.
fn testo(pdf: &[u8]) -> Vec<String> {
    let documento = Document::load_mem(pdf).unwrap();
    let pagine = documento.get_pages();
    pagine
        .keys()
        .map(|numero| senza_spazi(&documento.extract_text(&[*numero]).unwrap()))
        .collect()
}

fn senza_spazi(testo: &str) -> String {
    testo.split_whitespace().collect()
}

fn says(testo: &str, frase: &str) -> bool {
    testo.contains(&senza_spazi(frase))
}

/// Nothing that is drawn leaves the page's margins.
fn within_margins(foglio: &Foglio<'_>) {
    let cassa = Cassa::open().unwrap();
    for segno in foglio.pagine.iter().flatten() {
        if let Segno::Testo { x, y, tratto, .. } = segno {
            let destra = x + cassa.larghezza(tratto.stile, tratto.testo.trim_end());
            assert!(
                *x >= MARGINE && destra <= PAGINA.0 - MARGINE + 0.1,
                "{}",
                tratto.testo
            );
            assert!(*y > 30.0 && *y < PAGINA.1 - 60.0, "{}", tratto.testo);
        }
    }
}

#[test]
fn a_receipt_says_what_the_source_has_it_say() {
    let pagine = testo(&pdf::ricevuta(&dati(Ambiente::Produzione, 2)).unwrap());
    assert_eq!(pagine.len(), 1);
    for frase in [
        "La domanda per il soggetto MARIA GIOVANNA D'ALÒ-ROSSI è stata registrata con numero domanda 371 e numero \
         protocollo INPS-AUF-2021-000000010797.",
        "18 giugno 2021, ore 12:30:05",
        // Two hours later it is the next day in Rome.
        "19 giugno 2021, ore 00:30:06",
        "Assegno temporaneo per i figli minori",
        "RSSMRA80A01H501U",
        "Patronato di prova PAT01 (PAT01)",
        "op.rossi",
        "2021/PRAT-000371",
        "luglio 2021",
        "Cooperazione applicativa (ModI)",
        "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
        "La domanda passa all'istruttoria dell'INPS",
        "Pagina 1 di 1",
    ] {
        assert!(says(&pagine[0], frase), "{frase}: {}", pagine[0]);
    }
}

#[test]
fn only_outside_produzione_is_it_marked_on_every_page() {
    for (ambiente, parola) in [(Ambiente::Sandbox, "PROVA"), (Ambiente::Collaudo, "COLLAUDO")] {
        let pagine = testo(&pdf::ricevuta(&dati(ambiente, 20)).unwrap());
        assert!(pagine.len() > 1);
        for pagina in &pagine {
            assert!(pagina.starts_with(parola), "{pagina}");
            assert!(says(pagina, "documento senza valore"), "{pagina}");
        }
    }
    for pagina in testo(&pdf::ricevuta(&dati(Ambiente::Produzione, 20)).unwrap()) {
        for parola in ["PROVA", "COLLAUDO", "senza valore", "SENZA ALCUN VALORE"] {
            assert!(!says(&pagina, parola), "{pagina}");
        }
    }
}

#[test]
fn the_square_code_is_read_back_as_number_and_imprint() {
    let dati = dati(Ambiente::Produzione, 1);
    let foglio = pdf::pagine_della_ricevuta(&dati).unwrap();
    let codice = foglio
        .pagine
        .iter()
        .flatten()
        .find_map(|segno| match segno {
            Segno::Codice { codice, .. } => Some(codice),
            Segno::Testo { .. } | Segno::Fondo { .. } => None,
        })
        .unwrap();
    // As a camera sees it: black on white, with the quiet zone.
    let (margine, passo) = (4, 4);
    let lato = (usize::try_from(codice.size()).unwrap() + 2 * margine) * passo;
    let modulo = |pixel: usize| i32::try_from(pixel / passo).unwrap() - 4;
    let mut immagine = rqrr::PreparedImage::prepare_from_greyscale(lato, lato, |x, y| {
        if codice.get_module(modulo(x), modulo(y)) {
            0
        } else {
            255
        }
    });
    let griglie = immagine.detect_grids();
    assert_eq!(griglie.len(), 1);
    let (_, letto) = griglie[0].decode().unwrap();
    assert_eq!(letto, format!("{} {}", dati.protocollo, dati.impronta));
}

#[test]
fn the_same_values_give_the_same_bytes() {
    let dati = dati(Ambiente::Collaudo, 5);
    assert_eq!(pdf::ricevuta(&dati).unwrap(), pdf::ricevuta(&dati).unwrap());
    let letto = riepilogo(0, INVIA_AT);
    assert_eq!(pdf::riepilogo(&letto).unwrap(), pdf::riepilogo(&letto).unwrap());
}

#[test]
fn long_names_and_twenty_sheets_stay_within_the_margins() {
    let mut lunga = dati(Ambiente::Sandbox, 20);
    lunga.richiedente_nome = "MARIA ".repeat(10).trim_end().to_owned();
    lunga.richiedente_cognome = "W".repeat(64);
    lunga.ente_denominazione = format!("Patronato {} Ж", "è".repeat(300));
    lunga.chiave = "/".repeat(64);
    lunga.numero_domanda = "999999999999".to_owned();
    lunga.prossimi_passi = "Si attende. ".repeat(600);
    let foglio = pdf::pagine_della_ricevuta(&lunga).unwrap();
    within_margins(&foglio);
    assert!(foglio.pagine.len() > 2);
    let pagine = testo(&pdf::ricevuta(&lunga).unwrap());
    let tutte = pagine.concat();
    assert_eq!(tutte.matches("BBBRRR14A01A001X").count(), 20);
    assert!(tutte.contains("‹U+0416›"));
    assert!(tutte.contains(&"W".repeat(64)));
    let quante = pagine.len();
    for (numero, pagina) in (1..).zip(&pagine) {
        assert!(says(pagina, &format!("Pagina {numero} di {quante}")), "{pagina}");
        assert!(pagina.contains("INPS-AUF-2021-000000010797"), "{pagina}");
    }
}

#[test]
fn a_summary_tells_every_field_that_was_sent() {
    for (quale, richiesta) in [(0, INVIA_AT), (1, INVIA_AU)] {
        let letto = riepilogo(quale, richiesta);
        within_margins(&pdf::pagine_del_riepilogo(&letto).unwrap());
        // Of the request itself: the text of every element of the Domanda that has one.
        let domanda = richiesta.split(":Domanda>").nth(1).unwrap();
        let dette: Vec<&str> = letto
            .sezioni
            .iter()
            .flat_map(|sezione| &sezione.voci)
            .map(|voce| voce.valore.as_str())
            .chain(letto.dichiarazioni.iter().map(|resa| resa.codice.as_str()))
            .chain(
                letto
                    .dichiarazioni
                    .iter()
                    .filter_map(|resa| resa.scelta.as_deref()),
            )
            .collect();
        let mandate: Vec<&str> = domanda
            .split('<')
            .filter_map(|pezzo| pezzo.split_once('>'))
            .filter(|(tag, testo)| {
                !tag.starts_with(['/', '!']) && !testo.trim().is_empty() && !tag.contains("Valore")
            })
            .map(|(_, testo)| testo)
            .collect();
        assert!(mandate.len() > 25);
        for testo in &mandate {
            assert!(dette.contains(testo), "{testo}");
        }
        assert_eq!(dette.len(), mandate.len());
    }
}

#[test]
fn a_summary_has_words_for_people_and_the_iban_whole() {
    let pagine = testo(&pdf::riepilogo(&riepilogo(1, INVIA_AU)).unwrap()).concat();
    for frase in [
        "Riepilogo della domanda",
        "accredito su un conto (IBAN)",
        "IT30 O076 0103 2000 0001 2345 678",
        "frequenta un corso di laurea (CORSO_LAUREA)",
        "U1 (testo 2022-01)",
        "permesso unico di lavoro per più di sei mesi",
        "cittadinanza italiana",
        "titolo di soggiorno",
        "1.148.213 byte",
        &"ab".repeat(32),
        "Figlio 3",
    ] {
        assert!(says(&pagine, frase), "{frase}: {pagine}");
    }
}

#[test]
fn what_is_kept_and_no_receipt_is_told_so() {
    for falsa in ["", "<Ricevuta/>", "<Ricevuta>", "<Altro>1</Altro>"] {
        assert!(
            RicevutaDati::read(falsa.as_bytes(), "InviaDomanda").is_err(),
            "{falsa}"
        );
    }
}

/// An element of an XSD.
#[derive(Debug, Default, Clone)]
struct Nodo {
    tag: String,
    attributi: std::collections::BTreeMap<String, String>,
    figli: Vec<Self>,
}

impl Nodo {
    fn read(xsd: &str) -> Self {
        use quick_xml::events::Event;
        let mut reader = quick_xml::Reader::from_str(xsd);
        let mut aperti = vec![Self::default()];
        loop {
            let evento = reader.read_event().unwrap();
            match &evento {
                Event::Start(inizio) | Event::Empty(inizio) => {
                    let attributi = inizio.attributes().map(|attributo| {
                        let attributo = attributo.unwrap();
                        let testo = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
                        (testo(attributo.key.as_ref()), testo(&attributo.value))
                    });
                    aperti.push(Self {
                        tag: String::from_utf8(inizio.local_name().as_ref().to_vec()).unwrap(),
                        attributi: attributi.collect(),
                        figli: Vec::new(),
                    });
                    if matches!(evento, Event::Empty(_)) {
                        let vuoto = aperti.pop().unwrap();
                        aperti.last_mut().unwrap().figli.push(vuoto);
                    }
                }
                Event::End(_) => {
                    let chiuso = aperti.pop().unwrap();
                    aperti.last_mut().unwrap().figli.push(chiuso);
                }
                Event::Eof => return aperti.remove(0).figli.remove(0),
                _ => {}
            }
        }
    }

    /// A name that it tells.
    fn nome(&self, attributo: &str) -> Option<&str> {
        self.attributi.get(attributo).map(String::as_str)
    }
}

/// The schema of one service, and the one of all.
struct Schemi {
    servizio: Nodo,
    comune: Nodo,
}

impl Schemi {
    fn globale(&self, tag: &[&str], nome: &str) -> Option<&Nodo> {
        let (schema, locale) = match nome.split_once(':') {
            Some(("coop", locale)) => (&self.comune, locale),
            Some((_, locale)) => (&self.servizio, locale),
            None => (&self.servizio, nome),
        };
        schema
            .figli
            .iter()
            .filter(|nodo| tag.contains(&nodo.tag.as_str()))
            .find(|nodo| nodo.nome("name") == Some(locale))
    }

    /// Every field below an element: its parent, its name, the words that it may hold.
    fn campi(&self, padre: &str, elemento: &Nodo, trovati: &mut Vec<(String, String, Vec<String>)>) {
        if let Some(nome) = elemento.nome("ref") {
            return self.campi(padre, self.globale(&["element"], nome).unwrap(), trovati);
        }
        let nome = elemento.nome("name").unwrap();
        let tipo = elemento
            .nome("type")
            .and_then(|tipo| self.globale(&["complexType", "simpleType"], tipo))
            .or_else(|| elemento.figli.iter().find(|figlio| figlio.tag.ends_with("Type")));
        let Some(tipo) = tipo else {
            return trovati.push((padre.to_owned(), nome.to_owned(), Vec::new()));
        };
        if tipo.tag == "simpleType" {
            let parole = tipo.figli.iter().flat_map(|figlio| &figlio.figli);
            let parole = parole
                .filter(|parola| parola.tag == "enumeration")
                .map(|parola| parola.attributi["value"].clone());
            return trovati.push((padre.to_owned(), nome.to_owned(), parole.collect()));
        }
        self.contenuto(nome, tipo, trovati);
    }

    fn contenuto(&self, padre: &str, nodo: &Nodo, trovati: &mut Vec<(String, String, Vec<String>)>) {
        if nodo.tag == "extension" {
            let base = self.globale(&["complexType"], nodo.nome("base").unwrap());
            self.contenuto(padre, base.unwrap(), trovati);
        }
        for figlio in &nodo.figli {
            match figlio.tag.as_str() {
                "element" => self.campi(padre, figlio, trovati),
                "annotation" | "unique" | "attribute" => {}
                _ => self.contenuto(padre, figlio, trovati),
            }
        }
    }
}

#[test]
fn every_field_and_every_word_of_what_is_registered_has_its_words_for_people() {
    let comune = include_str!("../../xsd/cooperazione-v1.xsd");
    let mut senza = Vec::new();
    for (prestazione, xsd) in PRESTAZIONI.iter().zip([
        include_str!("../../xsd/assegno-temporaneo-v1.xsd"),
        include_str!("../../xsd/assegno-unico-v1.xsd"),
    ]) {
        let schemi = Schemi {
            servizio: Nodo::read(xsd),
            comune: Nodo::read(comune),
        };
        let mut campi = Vec::new();
        for operazione in crate::prestazione::Operazione::TUTTE {
            let contenuto = operazione
                .elemento()
                .and_then(|elemento| schemi.globale(&["element"], elemento));
            if let Some(contenuto) = contenuto {
                schemi.campi("", contenuto, &mut campi);
                let sezione = contenuto.nome("name").unwrap();
                if !parole::SEZIONI.iter().any(|(nome, _)| *nome == sezione) {
                    senza.push(format!("section {sezione}"));
                }
            }
        }
        assert!(campi.len() > 50, "{}", prestazione.servizio);
        for (padre, nome, possibili) in campi {
            // A document's bytes are not told; a declaration is told by its text.
            if nome == "Contenuto" || (padre == "Dichiarazione" && nome != "Scelta") {
                continue;
            }
            let noto = parole::CAMPI
                .iter()
                .any(|(campo, ..)| *campo == nome || *campo == format!("{padre}/{nome}"));
            if !noto && nome != "Scelta" {
                senza.push(format!("field {padre}/{nome}"));
            }
            let mute = possibili
                .iter()
                .filter(|parola| parole::significato(&nome, parola).is_none());
            senza.extend(mute.map(|parola| format!("word {nome} {parola}")));
        }
    }
    assert_eq!(senza, Vec::<String>::new());
}
