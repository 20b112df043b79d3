//! MTOM: the same messages with their bytes beside the envelope, over real mutual TLS.

use std::collections::BTreeSet;
use std::thread;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest as _, Sha256};
use varco::store::Ricerca;

use crate::atti::Motore;
use crate::helpers::{Archivio, Gateway, Reply, Setting, on_both_stores};

on_both_stores! {
    inline_and_beside_the_envelope_it_is_the_same_document,
    two_hundred_copies_in_both_ways_get_one_number,
    a_domanda_brings_its_documents_beside_it,
    what_hangs_on_nothing_is_refused_by_name,
    a_message_in_parts_is_kept_as_it_came,
}

const DOMANDA: &str = include_str!("../messages/domanda-registered/request.xml");
const DOCUMENTO: &str = include_str!("../messages/allega-documento/request.xml");
/// In that message, and its bytes.
const CONTENUTO: &str = "JVBERi0xLjQKJSVFT0YK";
const PDF: &[u8] = b"%PDF-1.4\n%%EOF\n";

const MTOM: &str = "multipart/related; type=\"application/xop+xml\"; start=\"<busta@prova>\"; \
                    start-info=\"application/soap+xml\"; boundary=\"uuid:1+id=1\"";
const SOAP_11: &str = "http://schemas.xmlsoap.org/soap/envelope/";

fn include(href: &str) -> String {
    format!("<xop:Include xmlns:xop=\"http://www.w3.org/2004/08/xop/include\" href=\"{href}\"/>")
}

/// An envelope with documents beside it.
fn parti(busta: &str, documenti: &[(&str, &[u8])]) -> Vec<u8> {
    let mut bytes = format!(
        "--uuid:1+id=1\r\nContent-Type: application/xop+xml; charset=UTF-8; type=\"application/soap+xml\"\r\n\
         Content-Transfer-Encoding: binary\r\nContent-ID: <busta@prova>\r\n\r\n{busta}\r\n"
    )
    .into_bytes();
    for (id, documento) in documenti {
        bytes.extend_from_slice(
            format!(
                "--uuid:1+id=1\r\nContent-Type: application/pdf\r\nContent-Transfer-Encoding: binary\r\n\
                 Content-ID: <{id}>\r\n\r\n"
            )
            .as_bytes(),
        );
        bytes.extend_from_slice(documento);
        bytes.extend_from_slice(b"\r\n");
    }
    bytes.extend_from_slice(b"--uuid:1+id=1--\r\n");
    bytes
}

/// The sample with its document beside it.
fn documento(chiave: &str) -> Vec<u8> {
    let busta = DOCUMENTO
        .replace(">D-1<", &format!(">{chiave}<"))
        .replace(CONTENUTO, &include("cid:uno%40prova"));
    parti(&busta, &[("uno@prova", PDF)])
}

fn with_domanda(archivio: Archivio) -> Gateway {
    let gateway = Gateway::spawn(&Setting::on(archivio));
    assert_eq!(gateway.client("pat01").post(DOMANDA.as_bytes()).status, 200);
    gateway
}

fn told(reply: &Reply) -> (Option<String>, Option<String>) {
    (reply.value("Protocollo"), reply.value("Ripetizione"))
}

fn numero(numero: u32, ripetizione: bool) -> (Option<String>, Option<String>) {
    (
        Some(format!("INPS-AUF-2021-{numero:012}")),
        Some(ripetizione.to_string()),
    )
}

fn inline_and_beside_the_envelope_it_is_the_same_document(archivio: Archivio) {
    let gateway = with_domanda(archivio);
    let client = gateway.client("pat01");
    assert_eq!(told(&client.post(DOCUMENTO.as_bytes())), numero(2, false));
    let beside = client.post_as(&documento("D-1"), MTOM);
    assert_eq!(told(&beside), numero(2, true), "{}", beside.text());
    assert_eq!(
        beside.content_type, "application/soap+xml; charset=utf-8",
        "answers are plain"
    );
    // The other way round, and in SOAP 1.1.
    let soap_11 = String::from_utf8(documento("D-2"))
        .unwrap()
        .replace("http://www.w3.org/2003/05/soap-envelope", SOAP_11)
        .replace("application/soap+xml", "text/xml");
    let mtom_11 = MTOM.replace("application/soap+xml", "text/xml");
    let primo = client.post_as(soap_11.as_bytes(), &mtom_11);
    assert_eq!(told(&primo), numero(3, false), "{}", primo.text());
    assert_eq!(primo.content_type, "text/xml; charset=utf-8");
    let inline = client.post(DOCUMENTO.replace(">D-1<", ">D-2<").as_bytes());
    assert_eq!(told(&inline), numero(3, true), "{}", inline.text());
    // Another document under the same key is other content.
    let altro = parti(
        &DOCUMENTO.replace(CONTENUTO, &include("cid:uno@prova")),
        &[("uno@prova", b"%PDF-1.5\n%%EOF\n")],
    );
    let conflitto = client.post_as(&altro, MTOM);
    assert_eq!(
        conflitto.value("Codice").as_deref(),
        Some("RPL-001"),
        "{}",
        conflitto.text()
    );
    gateway.block_on(async {
        let mut motore = Motore::connect(&gateway, archivio).await;
        let letti: Vec<Vec<u8>> = motore.column("SELECT bytes FROM motore_documenti_v1").await;
        assert_eq!(letti, [PDF, PDF]);
    });
}

fn two_hundred_copies_in_both_ways_get_one_number(archivio: Archivio) {
    let gateway = with_domanda(archivio);
    let replies: Vec<_> = thread::scope(|scope| {
        let senders: Vec<_> = (0..20)
            .map(|sender| {
                let gateway = &gateway;
                scope.spawn(move || {
                    let client = gateway.client("pat01");
                    let copia = || match sender % 2 {
                        0 => client.post(DOCUMENTO.as_bytes()),
                        _ => client.post_as(&documento("D-1"), MTOM),
                    };
                    (0..10).map(|_| told(&copia())).collect::<Vec<_>>()
                })
            })
            .collect();
        senders
            .into_iter()
            .flat_map(|sender| sender.join().unwrap())
            .collect()
    });
    assert_eq!(replies.len(), 200);
    let diverse: BTreeSet<_> = replies.iter().cloned().collect();
    assert_eq!(diverse, BTreeSet::from([numero(2, false), numero(2, true)]));
    assert_eq!(
        replies.iter().filter(|told| **told == numero(2, false)).count(),
        1
    );
}

fn a_domanda_brings_its_documents_beside_it(archivio: Archivio) {
    let gateway = Gateway::spawn(&Setting::on(archivio));
    let client = gateway.client("pat01");
    let allegato = |nome: &str, contenuto: &str| {
        format!(
            "<at:Allegato><at:Tipo>ALTRO</at:Tipo><at:NomeFile>{nome}</at:NomeFile>\
             <at:TipoMime>application/pdf</at:TipoMime><at:Contenuto>{contenuto}</at:Contenuto></at:Allegato>"
        )
    };
    let domanda = |primo: &str, secondo: &str| {
        let allegati = format!(
            "<at:Allegati>{}{}</at:Allegati></at:Domanda>",
            allegato("uno.pdf", primo),
            allegato("due.pdf", secondo)
        );
        DOMANDA.replace("</at:Domanda>", &allegati)
    };
    // One beside, one inline; white space around the Include, as an indenting writer leaves it.
    let busta = domanda(&format!("\n  {}\n  ", include("cid:uno")), CONTENUTO);
    let verifica = busta.replace("at:InviaDomanda", "at:VerificaDomanda");
    let verificata = client.post_as(&parti(&verifica, &[("uno", PDF)]), MTOM);
    assert_eq!(
        verificata.value("Esito").as_deref(),
        Some("AMMISSIBILE"),
        "{}",
        verificata.text()
    );
    let inviata = client.post_as(&parti(&busta, &[("uno", PDF)]), MTOM);
    assert_eq!(told(&inviata), numero(1, false), "{}", inviata.text());
    assert_eq!(
        told(&client.post(domanda(CONTENUTO, CONTENUTO).as_bytes())),
        numero(1, true)
    );
    // What the bytes of a part are is looked at like any other's.
    let bugia = domanda(&include("cid:uno"), CONTENUTO).replace(">K-1<", ">K-2<");
    let rifiutata = client.post_as(&parti(&bugia, &[("uno", b"MZ")]), MTOM);
    // (Its children have live sheets by now: the last of the findings is the document's.)
    assert_eq!(
        (
            rifiutata.values("Codice").last().map(String::as_str),
            rifiutata.values("Percorso").last().map(String::as_str)
        ),
        (
            Some("ALL-004"),
            Some("/at:Domanda/at:Allegati/at:Allegato[1]/at:Contenuto")
        )
    );
}

fn what_hangs_on_nothing_is_refused_by_name(archivio: Archivio) {
    let gateway = with_domanda(archivio);
    let client = gateway.client("pat01");
    let uno = [("uno@prova", PDF)];
    let con = |contenuto: &str| DOCUMENTO.replace(CONTENUTO, contenuto);
    let giusto = con(&include("cid:uno@prova"));
    let dentro = "/at:Documento/at:Allegato/at:Contenuto";
    let mtom = |body: &[u8]| {
        let reply = client.post_as(body, MTOM);
        assert_eq!(reply.status, 500, "{}", reply.text());
        (
            reply.values("Codice"),
            reply.value("Percorso"),
            reply.value("Riga"),
        )
    };
    for (busta, parte, codici, percorso) in [
        (
            con(&include("cid:due@prova")),
            &uno[..],
            &["MTM-016", "MTM-018"][..],
            Some(dentro),
        ),
        (
            con(&include("cid:uno@prova").repeat(2)),
            &uno,
            &["MTM-020"],
            Some(dentro),
        ),
        (
            con(&format!("JVBE{}", include("cid:uno@prova"))),
            &uno,
            &["MTM-020", "MTM-018"],
            Some(dentro),
        ),
        (
            con(&format!("{}JVBE", include("cid:uno@prova"))),
            &uno,
            &["MTM-020"],
            Some(dentro),
        ),
        (
            con(&include("cid:uno@prova").replace("/>", "><a/></xop:Include>")),
            &uno,
            &["MTM-020"],
            Some(dentro),
        ),
        (
            con(&include("https://esempio.example/uno.pdf")),
            &[],
            &["MTM-019"],
            Some(dentro),
        ),
        (
            con(&include("cid:uno@prova").replace(" href", " nome")),
            &[],
            &["MTM-019"],
            Some(dentro),
        ),
        (con(CONTENUTO), &uno, &["MTM-018"], None),
    ] {
        let (trovati, dove, _) = mtom(&parti(&busta, parte));
        assert_eq!(
            (&trovati[..], dove.as_deref()),
            (
                &codici.iter().map(|c| (*c).to_owned()).collect::<Vec<_>>()[..],
                percorso
            ),
            "{busta}"
        );
    }
    // Where the XSD says no bytes it is an element that does not belong there; in a message of one part, everywhere.
    let altrove = DOCUMENTO.replace(
        "<at:NomeFile>certificato.pdf",
        &format!("<at:NomeFile>{}", include("cid:uno@prova")),
    );
    let (codici, dove, _) = mtom(&parti(&altrove, &uno));
    assert_eq!(codici.last().map(String::as_str), Some("MTM-018"));
    assert!(
        codici[0].starts_with("XSD-") && dove.unwrap().starts_with("/at:Documento/at:Allegato/at:NomeFile")
    );
    let solo = client.post(giusto.as_bytes());
    assert!(
        solo.value("Codice").unwrap().starts_with("XSD-"),
        "{}",
        solo.text()
    );
    // The multipart itself; line and column are the envelope's.
    let intero = parti(&giusto, &uno);
    let codice = |body: &[u8]| mtom(body).0;
    assert_eq!(codice(&intero[..intero.len() - 5]), ["MTM-003"]);
    assert_eq!(codice(&intero[..300]), ["MTM-003"]);
    assert_eq!(codice(b"ciao"), ["MTM-002"]);
    let riga = giusto.replace("<at:Tipo>CERT_FREQUENZA", "<at:Tipo>CARTOLINA");
    let attesa = riga.lines().position(|riga| riga.contains("CARTOLINA")).unwrap() + 1;
    assert_eq!(mtom(&parti(&riga, &uno)).2, Some(attesa.to_string()));
    // HTTP alone refuses what is not MTOM.
    for (tipo, codice) in [
        ("multipart/related; type=\"text/xml\"; boundary=x", "HTP-008"),
        ("multipart/form-data; boundary=x", "HTP-008"),
        ("multipart/related; type=\"application/xop+xml\"", "MTM-001"),
    ] {
        let reply = client.post_as(&intero, tipo);
        assert_eq!(reply.status, 415, "{tipo}");
        assert!(reply.text().starts_with(codice), "{}", reply.text());
    }
    // Nothing of all this was registered, and the key is free.
    assert_eq!(told(&client.post_as(&intero, MTOM)), numero(2, false));
}

fn a_message_in_parts_is_kept_as_it_came(archivio: Archivio) {
    let gateway = with_domanda(archivio);
    let client = gateway.client("pat01");
    let intero = documento("D-1");
    let reply = client.post_as(&intero, MTOM);
    assert_eq!(told(&reply), numero(2, false), "{}", reply.text());
    let ricerca = Ricerca {
        protocollo: "INPS-AUF-2021-000000000002".parse().ok(),
        ..Ricerca::default()
    };
    let tracce = gateway.block_on(gateway.store().tracce(&ricerca)).unwrap().righe;
    assert_eq!(
        tracce[0].richiesta.as_deref(),
        Some(&intero[..]),
        "the evidence is the whole message"
    );
    // The imprint is of the element's bytes in the root part, its Include in it.
    let testo = String::from_utf8(intero).unwrap();
    let da = testo.find("<at:Documento>").unwrap();
    let a = testo.find("</at:Documento>").unwrap() + "</at:Documento>".len();
    let impronta = format!("{:x}", Sha256::digest(&testo[da..a]));
    assert_eq!(reply.value("Impronta"), Some(impronta));
    let verifica = gateway.block_on(gateway.store().verify()).unwrap();
    assert_eq!(verifica.anomalie, Vec::<String>::new());
    // What was refused is kept, too.
    let rotto = &documento("D-9")[..400];
    let reply = client.post_as(rotto, MTOM);
    let ricerca = Ricerca {
        codice: Some("MTM-003".to_owned()),
        ..Ricerca::default()
    };
    assert_eq!(reply.value("Codice").as_deref(), Some("MTM-003"));
    let presto = std::time::Instant::now();
    let tracce = loop {
        let tracce = gateway.block_on(gateway.store().tracce(&ricerca)).unwrap().righe;
        if !tracce.is_empty() || presto.elapsed().as_secs() > 10 {
            break tracce;
        }
        thread::sleep(std::time::Duration::from_millis(20));
    };
    assert_eq!(tracce[0].richiesta.as_deref(), Some(rotto));
    assert_eq!(STANDARD.encode(PDF), CONTENUTO);
}
