//! Letters and replies: a valid message, small changes to it, and what exactly is said of each.

#[path = "../../../fuzz/confronto.rs"]
pub(in crate::schema) mod confronto;
mod digest;
mod findings;
mod verdict;

use std::sync::LazyLock;

use sha2::{Digest as _, Sha256};

use super::*;
use crate::prestazione::assegno_temporaneo::PRESTAZIONE;
use crate::{domanda, prestazione, schema, soap, xml};
use confronto::TACCUINO;

/// A valid request, one element a line.
pub(in crate::schema) const VALIDA: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
<at:InviaDomanda xmlns:at="http://inps.it/AssegnoTemporaneo/v1">
  <at:ChiaveInvio>2021/07-000123</at:ChiaveInvio>
  <at:Domanda>
    <at:DataPratica>2021-07-01</at:DataPratica>
    <at:Patronato>
      <at:Codice>PAT01</at:Codice>
      <at:Ufficio>001</at:Ufficio>
    </at:Patronato>
    <at:Operatore>op.uno</at:Operatore>
    <at:Mandato>
      <at:Numero>M-1</at:Numero>
      <at:Data>2021-06-30</at:Data>
    </at:Mandato>
    <at:Richiedente>
      <at:CodiceFiscale>RSSMRA80A01H501U</at:CodiceFiscale>
      <at:Nome>MARIA</at:Nome>
      <at:Cognome>ROSSI</at:Cognome>
      <at:Contatti>
        <at:Email>maria@example.it</at:Email>
      </at:Contatti>
    </at:Richiedente>
    <at:PresentataDa>GENITORE</at:PresentataDa>
    <at:Minori>
      <at:Minore>
        <at:Qualita>GENITORE</at:Qualita>
        <at:CodiceFiscale>RSSLCU15C10H501X</at:CodiceFiscale>
        <at:Disabile>false</at:Disabile>
        <at:AffidoCondiviso>false</at:AffidoCondiviso>
        <at:AltroGenitore>
          <at:CodiceFiscale>BNCLRA82B42F205H</at:CodiceFiscale>
        </at:AltroGenitore>
        <at:Ripartizione>INTERO_RICHIEDENTE</at:Ripartizione>
      </at:Minore>
      <at:Minore>
        <at:Qualita>GENITORE</at:Qualita>
        <at:CodiceFiscale>12345678903</at:CodiceFiscale>
        <at:DataNascita>2019-02-28</at:DataNascita>
        <at:Disabile>true</at:Disabile>
        <at:AffidoCondiviso>true</at:AffidoCondiviso>
        <at:AltroGenitoreAssente>DECEDUTO</at:AltroGenitoreAssente>
        <at:Ripartizione>META_ENTRAMBI</at:Ripartizione>
      </at:Minore>
    </at:Minori>
    <at:Pagamento>
      <at:Modalita>CC</at:Modalita>
      <at:Iban>IT60X0542811101000000123456</at:Iban>
      <at:IntestatoRichiedente>true</at:IntestatoRichiedente>
    </at:Pagamento>
    <at:Dichiarazioni>
      <at:Dichiarazione>
        <at:Codice>D1</at:Codice>
        <at:Valore>true</at:Valore>
      </at:Dichiarazione>
      <at:Dichiarazione>
        <at:Codice>D4</at:Codice>
        <at:Valore>true</at:Valore>
        <at:Scelta>ITALIANO</at:Scelta>
      </at:Dichiarazione>
    </at:Dichiarazioni>
    <at:Allegati>
      <at:Allegato>
        <at:Tipo>ALTRO</at:Tipo>
        <at:NomeFile>uno.pdf</at:NomeFile>
        <at:TipoMime>application/pdf</at:TipoMime>
        <at:Contenuto>JVBERi0xLjQ=</at:Contenuto>
      </at:Allegato>
    </at:Allegati>
  </at:Domanda>
</at:InviaDomanda>
"#;

pub(in crate::schema) static SCHEMA: LazyLock<Schema> = LazyLock::new(|| Schema::load().unwrap());

/// Reads a file as `read_file` does, for the prestazione of these tests.
pub(super) fn leggi(testo: &str) -> Lettura {
    prova(testo).unwrap()
}

pub(super) fn prova(testo: &str) -> Result<Lettura, LetturaError> {
    let bytes = testo.as_bytes();
    let limits = Limits::default();
    let mut reader = Reader::new(bytes, &limits);
    let principio = reader.checkpoint();
    let Token::Start { nome, .. } = reader.next()? else {
        unreachable!("a document begins with an element")
    };
    let Some(Radice::Richiesta(_, operazione)) = Radice::of(nome) else {
        unreachable!("the tests begin with a request")
    };
    let mut reader = Reader::resume(bytes, &principio, &limits);
    let lettura = SCHEMA.pass(
        (confronto::prova(&PRESTAZIONE), operazione),
        &principio,
        &mut reader,
        bytes,
        None,
    )?;
    reader.next()?;
    Ok(lettura)
}

/// The valid request with one piece replaced; the piece must be there.
pub(super) fn con(cerca: &str, metti: &str) -> String {
    assert!(VALIDA.contains(cerca), "{cerca} is not in the message");
    VALIDA.replacen(cerca, metti, 1)
}

/// Code, path, line and column of each finding.
pub(super) fn rilievi(testo: &str) -> Vec<(&'static str, String, u32, u32)> {
    leggi(testo)
        .rilievi
        .iter()
        .map(|rilievo| {
            let posizione = rilievo.posizione.unwrap();
            (
                rilievo.codice.as_str(),
                rilievo.dove.clone(),
                posizione.riga,
                posizione.colonna,
            )
        })
        .collect()
}

#[test]
fn a_valid_message_has_no_findings_and_all_its_values() {
    let lettura = leggi(VALIDA);
    assert_eq!(lettura.rilievi, []);
    assert_eq!(lettura.operazione, Operazione::InviaDomanda);
    assert_eq!(lettura.chiave.unwrap().as_str(), "2021/07-000123");
    let (inizio, fine) = lettura.contenuto_in_richiesta;
    let domanda = &VALIDA[inizio..fine];
    assert!(domanda.starts_with("<at:Domanda>") && domanda.ends_with("</at:Domanda>"));
    assert_eq!(lettura.impronta, <[u8; 32]>::from(Sha256::digest(domanda)));
    let visto = TACCUINO.take().join(" ");
    assert!(visto.starts_with("<DataPratica DataPratica=2021-07-01 DataPratica> <Patronato <Codice"));
    assert!(visto.contains(
        "<AltroGenitore <CodiceFiscale CodiceFiscale=BNCLRA82B42F205H CodiceFiscale> AltroGenitore>"
    ));
    assert!(visto.ends_with("Contenuto=%PDF-1.4 Contenuto> Allegato> Allegati>"));
}

#[test]
fn the_key_and_the_digest_are_there_whatever_is_wrong() {
    let lettura = leggi(&con("<at:Cognome>ROSSI</at:Cognome>", ""));
    assert_eq!(lettura.chiave.unwrap().as_str(), "2021/07-000123");
    assert_ne!(lettura.digest, leggi(VALIDA).digest);
    assert!(lettura.istanza.is_none());
    assert_eq!(leggi(&con("2021/07-000123", "2021 07")).chiave, None);
}

#[test]
fn a_place_in_the_message_is_known_by_its_path() {
    let lettura = leggi(VALIDA);
    let riga = |percorso: &str| {
        let posizione = lettura.posizioni.posizione(percorso, VALIDA.as_bytes()).unwrap();
        (posizione.riga, posizione.colonna)
    };
    assert_eq!(riga("/at:Domanda"), (4, 3));
    assert_eq!(
        riga("/at:Domanda/at:Minori/at:Minore[2]/at:Ripartizione"),
        (42, 9)
    );
    assert_eq!(
        riga("/at:Domanda/at:Dichiarazioni/at:Dichiarazione[2]/at:Codice"),
        (56, 9)
    );
    // What is not there would stand in the nearest element that is.
    assert_eq!(riga("/at:Domanda/at:Minori/at:Minore[1]/at:DataNascita"), (25, 7));
    assert_eq!(
        lettura.posizioni.posizione("/env:Envelope", VALIDA.as_bytes()),
        None
    );
    let mut violazioni = vec![
        Violazione::at(Codice::Xsd099, "/at:Domanda/at:Pagamento/at:Iban"),
        Violazione::at(Codice::Xsd099, "/at:Domanda/at:Operatore"),
        Violazione::at(Codice::Xsd099, ""),
    ];
    lettura.posizioni.place(&mut violazioni, VALIDA.as_bytes());
    let righe: Vec<_> = violazioni
        .iter()
        .map(|violazione| violazione.posizione.map(|posizione| posizione.riga))
        .collect();
    assert_eq!(righe, [Some(47), Some(10), None]);
}

#[test]
fn the_fields_of_a_simple_operation_are_at_hand() {
    let lettura = leggi(
        "<ConsultaDomanda xmlns='http://inps.it/AssegnoTemporaneo/v1'><Riferimento>\
         <c:Protocollo xmlns:c='http://inps.it/cooperazione/v1'> INPS-AUF-2021-000000000001\n</c:Protocollo>\
         </Riferimento></ConsultaDomanda>",
    );
    assert_eq!(lettura.rilievi, []);
    let campo = (
        "Riferimento/Protocollo".to_owned(),
        "INPS-AUF-2021-000000000001".to_owned(),
    );
    assert_eq!(lettura.campi, [campo]);
    assert!(lettura.istanza.is_none() && lettura.posizioni.is_empty());
    let lettura = leggi("<Limiti xmlns='http://inps.it/AssegnoTemporaneo/v1'/>");
    assert_eq!((lettura.rilievi, lettura.campi), (Vec::new(), Vec::new()));
}

#[test]
fn a_file_may_be_an_envelope_and_must_be_one_of_ours() {
    let limits = Limits::default();
    let busta = |corpo: &str| {
        format!(
            "<e:Envelope xmlns:e='http://www.w3.org/2003/05/soap-envelope'><e:Body>{corpo}</e:Body></e:Envelope>"
        )
    };
    let richiesta = "<Limiti xmlns='http://inps.it/AssegnoTemporaneo/v1'/>";
    let letta = SCHEMA.read_file(busta(richiesta).as_bytes(), &limits).unwrap();
    assert_eq!(letta.operazione, Operazione::Limiti);
    for (file, codice, riga) in [
        ("<x/>".to_owned(), "XSD-050", 1),
        ("<!-- x -->\n<x/>".to_owned(), "XSD-050", 2),
        (busta("\n<x/>"), "XSD-050", 2),
        (
            busta("<x xmlns='http://inps.it/AssegnoTemporaneo/v1'/>"),
            "ENV-052",
            1,
        ),
        (busta(&format!("{richiesta}<x/>")), "ENV-047", 1),
        (format!("{richiesta}<x/>"), "ENV-019", 1),
        (
            "<Limiti xmlns='http://inps.it/AssegnoTemporaneo/v1'>".to_owned(),
            "ENV-002",
            1,
        ),
    ] {
        let violazione = SCHEMA
            .read_file(file.as_bytes(), &limits)
            .unwrap_err()
            .violazione()
            .unwrap();
        let trovato = (violazione.codice.as_str(), violazione.posizione.unwrap().riga);
        assert_eq!(trovato, (codice, riga), "{file}");
    }
}
