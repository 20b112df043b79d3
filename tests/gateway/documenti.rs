//! Documents for a domanda that is there: what the store keeps of them, what they change, and what they never touch.

use std::collections::BTreeSet;
use std::thread;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest as _, Sha256};

use crate::atti::Motore;
use crate::helpers::{Archivio, Gateway, Setting, on_both_stores};

on_both_stores! {
    two_hundred_copies_of_a_document_at_once_get_one_number,
    the_engine_reads_the_bytes_as_they_were_sent,
    a_sheet_that_waited_for_documents_waits_no_longer,
    a_document_and_the_engine_at_once_never_lose_what_the_other_wrote,
    no_sheet_takes_a_document_in_a_state_that_does_not_allow_it,
    a_document_may_have_the_bytes_of_the_limit_and_not_one_more,
}

const DOMANDA: &str = include_str!("../messages/domanda-registered/request.xml");
const DOCUMENTO: &str = include_str!("../messages/allega-documento/request.xml");
/// In that message: `%PDF-1.4`, and its end.
const CONTENUTO: &str = "JVBERi0xLjQKJSVFT0YK";

/// The message with another document: its key, its bytes.
fn documento(chiave: &str, byte: &[u8]) -> String {
    let impronta = format!("{:x}", Sha256::digest(STANDARD.decode(CONTENUTO).unwrap()));
    let altra = format!("{:x}", Sha256::digest(byte));
    assert!(
        DOCUMENTO.contains(&impronta),
        "the imprint of the sample is not that of its document"
    );
    DOCUMENTO
        .replace(">D-1<", &format!(">{chiave}<"))
        .replace(CONTENUTO, &STANDARD.encode(byte))
        .replace(&impronta, &altra)
}

/// A PDF of so many bytes.
fn pdf(bytes: usize) -> Vec<u8> {
    let mut byte = b"%PDF-1.7\n".to_vec();
    // Nothing that any compression makes small.
    let mut stato = 0x2545_F491_4F6C_DD1D_u64;
    while byte.len() + 6 < bytes {
        stato ^= stato << 13;
        stato ^= stato >> 7;
        stato ^= stato << 17;
        byte.push(stato.to_be_bytes()[0]);
    }
    byte.extend_from_slice(b"\n%%EOF");
    byte
}

/// A gateway with one domanda of two sheets.
fn with_domanda(archivio: Archivio) -> Gateway {
    let gateway = Gateway::spawn(&Setting::on(archivio));
    assert_eq!(gateway.client("pat01").post(DOMANDA.as_bytes()).status, 200);
    gateway
}

fn two_hundred_copies_of_a_document_at_once_get_one_number(archivio: Archivio) {
    let gateway = with_domanda(archivio);
    let replies: Vec<(Option<String>, Option<String>)> = thread::scope(|scope| {
        let senders: Vec<_> = (0..20)
            .map(|_| {
                scope.spawn(|| {
                    let client = gateway.client("pat01");
                    (0..10)
                        .map(|_| {
                            let reply = client.post(DOCUMENTO.as_bytes());
                            (reply.value("Protocollo"), reply.value("Ripetizione"))
                        })
                        .collect::<Vec<_>>()
                })
            })
            .collect();
        senders
            .into_iter()
            .flat_map(|sender| sender.join().unwrap())
            .collect()
    });
    let numeri: BTreeSet<_> = replies.iter().map(|(numero, _)| numero.as_deref()).collect();
    assert_eq!(numeri, BTreeSet::from([Some("INPS-AUF-2021-000000000002")]));
    let prime = replies
        .iter()
        .filter(|(_, ripetizione)| ripetizione.as_deref() == Some("false"));
    assert_eq!((replies.len(), prime.count()), (200, 1));
    gateway.block_on(async {
        let mut motore = Motore::connect(&gateway, archivio).await;
        let quanti: Vec<i64> = motore.column("SELECT count(*) FROM motore_documenti_v1").await;
        assert_eq!(quanti, [1]);
    });
}

fn the_engine_reads_the_bytes_as_they_were_sent(archivio: Archivio) {
    let gateway = with_domanda(archivio);
    let client = gateway.client("pat01");
    let byte = pdf(300_000);
    let inviato = client.post(documento("D-9", &byte).as_bytes());
    assert_eq!(
        inviato.value("Esito").as_deref(),
        Some("REGISTRATA"),
        "{}",
        inviato.text()
    );
    gateway.block_on(async {
        let mut motore = Motore::connect(&gateway, archivio).await;
        let letti: Vec<Vec<u8>> = motore.column("SELECT bytes FROM motore_documenti_v1").await;
        assert_eq!(letti, std::slice::from_ref(&byte));
        let detto: Vec<String> = motore
            .column(
                "SELECT protocollo || ' ' || operazione || ' ' || posto || ' ' || CAST(schede AS TEXT) || ' ' || tipo || ' '
                     || nome_file || ' ' || tipo_mime || ' ' || bytes_len || ' ' || codec || ' ' || impronta
                 FROM motore_documenti_v1 WHERE numero_domanda = 1",
            )
            .await;
        let impronta = format!("{:x}", Sha256::digest(&byte));
        assert_eq!(
            detto,
            [format!(
                "INPS-AUF-2021-000000000002 AllegaDocumento 1 [2] CERT_FREQUENZA certificato.pdf application/pdf 300000 \
                 IDENTITY {impronta}"
            )]
        );
    });
}

fn a_sheet_that_waited_for_documents_waits_no_longer(archivio: Archivio) {
    let gateway = with_domanda(archivio);
    let azioni = "SELECT stato || ' ' || azione_richiesta FROM schede ORDER BY posto";
    gateway.block_on(async {
        let mut motore = Motore::connect(&gateway, archivio).await;
        motore.execute("UPDATE schede SET stato = 'IN_ISTRUTTORIA'").await;
        motore
            .execute(
                "UPDATE schede SET stato = 'IN_EVIDENZA_CITTADINO', azione_richiesta = 'ALLEGARE_DOCUMENTI'",
            )
            .await;
    });
    let client = gateway.client("pat01");
    // A document that is refused changes nothing.
    let bugia = client.post(documento("D-0", b"MZ").as_bytes());
    assert_eq!(
        bugia.value("Codice").as_deref(),
        Some("ALL-004"),
        "{}",
        bugia.text()
    );
    let inviato = client.post(DOCUMENTO.as_bytes());
    assert_eq!(inviato.values("Posto"), ["2"], "{}", inviato.text());
    gateway.block_on(async {
        let mut motore = Motore::connect(&gateway, archivio).await;
        let schede: Vec<String> = motore.column(azioni).await;
        assert_eq!(
            schede,
            [
                "IN_EVIDENZA_CITTADINO ALLEGARE_DOCUMENTI",
                "IN_EVIDENZA_CITTADINO NESSUNA"
            ],
            "the state is the engine's, and the other sheet still waits"
        );
        let feed: Vec<String> = motore
            .column(
                "SELECT tipo || ' ' || coalesce(posto, 0) || ' ' || coalesce(stato, '-') || ' '
                     || coalesce(azione_richiesta, '-')
                 FROM variazioni ORDER BY cursore",
            )
            .await;
        assert_eq!(
            feed,
            [
                "REGISTRATA 0 PRESENTATA NESSUNA",
                "ATTO 0 - -",
                "DOCUMENTO 2 - NESSUNA"
            ]
        );
    });
    // The rest, for all sheets: the one that waited is settled, the other is only told.
    let tutte = DOCUMENTO
        .replace(">D-1<", ">D-2<")
        .replace("<at:Schede><at:Scheda>2</at:Scheda></at:Schede>", "");
    assert_eq!(client.post(tutte.as_bytes()).values("Posto"), ["1", "2"]);
    gateway.block_on(async {
        let mut motore = Motore::connect(&gateway, archivio).await;
        let schede: Vec<String> = motore.column(azioni).await;
        assert_eq!(
            schede,
            ["IN_EVIDENZA_CITTADINO NESSUNA", "IN_EVIDENZA_CITTADINO NESSUNA"]
        );
        let feed: Vec<String> = motore
            .column(
                "SELECT posto || ' ' || coalesce(azione_richiesta, '-') FROM variazioni
                 WHERE tipo = 'DOCUMENTO' ORDER BY cursore",
            )
            .await;
        assert_eq!(feed, ["2 NESSUNA", "1 NESSUNA", "2 -"]);
    });
}

fn a_document_and_the_engine_at_once_never_lose_what_the_other_wrote(archivio: Archivio) {
    const GARE: u32 = 10;
    let gateway = with_domanda(archivio);
    gateway.block_on(async {
        let mut motore = Motore::connect(&gateway, archivio).await;
        motore.execute("UPDATE schede SET stato = 'IN_ISTRUTTORIA'").await;
    });
    for gara in 1..=GARE {
        let risposta = thread::scope(|scope| {
            let patronato = scope.spawn(|| {
                let messaggio = DOCUMENTO.replace(">D-1<", &format!(">D-{gara}<"));
                gateway.client("pat01").post(messaggio.as_bytes())
            });
            gateway.block_on(async {
                let mut motore = Motore::connect(&gateway, archivio).await;
                motore
                    .execute(&format!(
                        "UPDATE schede SET decorrenza_presunta = '2021-{gara:02}' WHERE posto = 2"
                    ))
                    .await;
            });
            patronato.join().unwrap()
        });
        assert_eq!(
            risposta.value("Esito").as_deref(),
            Some("REGISTRATA"),
            "{}",
            risposta.text()
        );
    }
    gateway.block_on(async {
        let mut motore = Motore::connect(&gateway, archivio).await;
        let decorrenza: Vec<String> = motore
            .column("SELECT decorrenza_presunta FROM schede WHERE posto = 2")
            .await;
        let documenti: Vec<i64> = motore.column("SELECT count(*) FROM documenti").await;
        let versione: Vec<i64> = motore.column("SELECT versione FROM domande").await;
        assert_eq!(
            (decorrenza, documenti),
            (vec![format!("2021-{GARE:02}")], vec![i64::from(GARE)])
        );
        // The two sheets at first, then one change each by engine and patronato: none is lost, none is counted twice.
        assert_eq!(versione, [1 + 2 + 2 * i64::from(GARE)]);
    });
}

fn no_sheet_takes_a_document_in_a_state_that_does_not_allow_it(archivio: Archivio) {
    let gateway = with_domanda(archivio);
    let client = gateway.client("pat01");
    let esito = |chiave: &str| {
        let reply = client.post(DOCUMENTO.replace(">D-1<", &format!(">{chiave}<")).as_bytes());
        (
            reply.value("Esito"),
            reply.value("Codice"),
            reply.value("Percorso"),
        )
    };
    let registrata = (Some("REGISTRATA".to_owned()), Some("PAT01".to_owned()), None);
    let rifiutata = (
        Some("RIFIUTATA".to_owned()),
        Some("STA-001".to_owned()),
        Some("/at:Documento/at:Schede/at:Scheda[1]".to_owned()),
    );
    // (spec/domain.md §5.2)
    for (numero, (stato, ammessa)) in [
        ("IN_ISTRUTTORIA", true),
        ("IN_EVIDENZA_SEDE", true),
        ("SOSPESA", true),
        ("ACCOLTA", true),
        ("DECADUTA", false),
        ("IN_ISTRUTTORIA", true),
        ("RESPINTA", false),
        ("IN_ISTRUTTORIA", true),
        ("ACCOLTA", true),
        ("REVOCATA", false),
        ("ANNULLATA", false),
    ]
    .into_iter()
    .enumerate()
    {
        gateway.block_on(async {
            let mut motore = Motore::connect(&gateway, archivio).await;
            motore
                .execute(&format!("UPDATE schede SET stato = '{stato}' WHERE posto = 2"))
                .await;
        });
        let atteso = if ammessa { &registrata } else { &rifiutata };
        assert_eq!(&esito(&format!("S-{numero}")), atteso, "{stato}");
    }
}

fn a_document_may_have_the_bytes_of_the_limit_and_not_one_more(archivio: Archivio) {
    const MASSIMO: usize = 5 * 1024 * 1024;
    let gateway = with_domanda(archivio);
    let client = gateway.client("pat01");
    let limiti = client.post(include_bytes!("../messages/limiti/request.xml"));
    assert!(
        limiti
            .text()
            .contains("allegato_bytes_max</coop:Nome><coop:Valore>5242880<"),
        "{}",
        limiti.text()
    );
    let giusto = client.post(documento("D-5", &pdf(MASSIMO)).as_bytes());
    assert_eq!(
        giusto.value("Esito").as_deref(),
        Some("REGISTRATA"),
        "{}",
        giusto.text()
    );
    let troppo = client.post(documento("D-6", &pdf(MASSIMO + 1)).as_bytes());
    assert_eq!(
        (
            troppo.value("Codice").as_deref(),
            troppo.value("Percorso").as_deref()
        ),
        (Some("ALL-002"), Some("/at:Documento/at:Allegato/at:Contenuto"))
    );
}
