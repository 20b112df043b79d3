//! Payment, declarations, documents, patronato, window.

use super::*;
use crate::domanda::allegato::{ALLEGATO_BYTES_MAX, TipoMime};
use crate::domanda::formato::Formato;
use crate::patronato::{CodiceEnte, CodiceUfficio, UserId};

#[test]
fn the_iban_fits_the_modality() {
    let iban = "/at:Domanda/at:Pagamento/at:Iban";
    let intestato = "/at:Domanda/at:Pagamento/at:IntestatoRichiedente";
    let pagamento = "/at:Domanda/at:Pagamento";
    let da = "Modalita CC | Iban IT60X0542811101000000123456 | IntestatoRichiedente true";
    for (a, attese) in [
        (
            "Modalita CC | Iban IT02L1234512345123456789012 | IntestatoRichiedente true",
            vec![("IBN-002", iban)],
        ),
        (
            "Modalita CC | Iban IT40S0542811101000000123456 | IntestatoRichiedente true",
            vec![("IBN-003", iban)],
        ),
        (
            "Modalita CC | Iban IT60X054281110100000012345 | IntestatoRichiedente true",
            vec![("IBN-001", iban)],
        ),
        (
            "Modalita CC | Iban XX | IntestatoRichiedente true",
            vec![("IBN-001", iban)],
        ),
        (
            "Modalita ES | Iban TR330006100519786457841326 | IntestatoRichiedente true",
            vec![("IBN-004", iban)],
        ),
        (
            "Modalita CC | Iban TR330006100519786457841326 | IntestatoRichiedente true",
            vec![("IBN-004", iban)],
        ),
        (
            "Modalita ES | Iban AL47212110090000000235698741 | IntestatoRichiedente true",
            vec![("IBN-004", iban)],
        ),
        (
            "Modalita ES | Iban DE89370400440532013000 | IntestatoRichiedente true",
            vec![],
        ),
        (
            "Modalita ES | Iban SM86U0322509800000000270100 | IntestatoRichiedente true",
            vec![],
        ),
        (
            "Modalita ES | Iban IT60X0542811101000000123456 | IntestatoRichiedente true",
            vec![("IBN-005", iban)],
        ),
        (
            "Modalita CC | Iban SM86U0322509800000000270100 | IntestatoRichiedente true",
            vec![("IBN-005", iban)],
        ),
        (
            "Modalita CP | Iban DE89370400440532013000 | IntestatoRichiedente true",
            vec![("IBN-005", iban)],
        ),
        (
            "Modalita CP | Iban IT43P3608105138200000000017 | IntestatoRichiedente true",
            vec![],
        ),
        (
            "Modalita LP | Iban IT30O0760103200000012345678 | IntestatoRichiedente true",
            vec![],
        ),
        (
            "Modalita LP | Iban IT60X0542811101000000123456 | IntestatoRichiedente true",
            vec![("IBN-101", iban)],
        ),
        ("Modalita BD", vec![]),
        (
            "Modalita BD | Iban IT60X0542811101000000123456 | IntestatoRichiedente true",
            vec![("IBN-005", iban)],
        ),
        ("Modalita BD | Iban XX", vec![("IBN-005", iban)]),
        (
            "Modalita BD | IntestatoRichiedente true",
            vec![("IBN-009", intestato)],
        ),
        ("Modalita CC", vec![("IBN-006", pagamento)]),
        (
            "Modalita CC | IntestatoRichiedente true",
            vec![("IBN-006", pagamento)],
        ),
        (
            "Modalita CC | Iban IT60X0542811101000000123456",
            vec![("IBN-007", pagamento)],
        ),
        (
            "Modalita CC | Iban IT60X0542811101000000123456 | IntestatoRichiedente 0",
            vec![("IBN-008", intestato)],
        ),
        (
            "Modalita CC | Iban IT02L1234512345123456789012 | IntestatoRichiedente 0",
            vec![("IBN-002", iban), ("IBN-008", intestato)],
        ),
    ] {
        let esame = cambiata(&[(da, a)]);
        let trovata = [trovate(&esame.violazioni), trovate(&esame.avvisi)].concat();
        assert_eq!(trovata, attese, "{a}");
        assert!(esame.avvisi.iter().all(|avviso| avviso.codice == Codice::Ibn101));
    }
}

#[test]
fn only_a_tutor_of_all_may_name_another_s_account() {
    let tutore = ("Qualita GENITORE", "Qualita TUTORE_MINORE");
    let altrui = ("IntestatoRichiedente true", "IntestatoRichiedente false");
    let mut testo = VALIDA
        .replacen(altrui.0, altrui.1, 1)
        .replacen(tutore.0, tutore.1, 1);
    let contesto = contesto(Ambiente::Produzione, OTTOBRE);
    let esame = esamina(&leggi(&testo).unwrap(), &contesto);
    assert_eq!(
        esame.violazioni[0].codice,
        Codice::Ibn008,
        "one of the two children is their own"
    );
    testo = testo
        .replace(tutore.0, tutore.1)
        .replace("AffidoCondiviso true", "AffidoCondiviso false")
        .replace("META_ENTRAMBI", "INTERO_RICHIEDENTE");
    assert_eq!(esamina(&leggi(&testo).unwrap(), &contesto), Esame::default());
}

#[test]
fn each_declaration_that_is_not_made_is_told_with_its_text() {
    let esame = cambiata(&[
        ("Codice D1 | Valore true", "Codice D1 | Valore 0"),
        ("Dichiarazione { Codice D5 | Valore true | }", ""),
        ("Dichiarazione { Codice D8 | Valore true | }", ""),
    ]);
    let elenco = "/at:Domanda/at:Dichiarazioni";
    let prima = format!("{elenco}/at:Dichiarazione[1]/at:Valore");
    assert_eq!(
        trovate(&esame.violazioni),
        [
            ("DIC-001", elenco),
            ("DIC-001", elenco),
            ("DIC-001", prima.as_str())
        ]
    );
    assert_eq!(
        esame.violazioni[0].testo(),
        "dichiarazione D5 mancante o non resa: «soggetto al pagamento dell'imposta sul reddito in Italia»"
    );
    let senza_rdc = &esame.violazioni[2];
    assert!(senza_rdc.testo().contains("D1") && senza_rdc.testo().contains("Reddito di cittadinanza"));
    assert!(
        senza_rdc.suggerimento().contains("la domanda non è dovuta"),
        "{}",
        senza_rdc.suggerimento()
    );
}

#[test]
fn a_choice_fits_its_declaration() {
    let dove = |posto| format!("/at:Domanda/at:Dichiarazioni/at:Dichiarazione[{posto}]/at:Scelta");
    assert_una(&[("Scelta ITALIANO", "Scelta RESIDENZA")], "DIC-002", &dove(4));
    assert_una(&[("Scelta RESIDENZA", "Scelta UE")], "DIC-002", &dove(7));
    assert_una(
        &[("Codice D2 | Valore true", "Codice D2 | Valore true | Scelta UE")],
        "DIC-002",
        &dove(2),
    );
    assert_eq!(
        cambiata(&[("Scelta ITALIANO", ""), ("Scelta RESIDENZA", "Scelta CONTRATTO")]),
        Esame::default()
    );
}

/// Two documents with a beginning and an end.
const PDF: &str = "JVBERi0xLjQKJSVFT0YK";
const ALTRO_PDF: &str = "JVBERi0xLjUKJSVFT0YK";

#[test]
fn a_document_is_what_its_imprint_and_its_type_say() {
    let con = |impronta: &str, contenuto: &str| {
        let mut domanda = leggi(&format!(
            "{VALIDA} Allegato {{ Tipo ALTRO | NomeFile uno.pdf | TipoMime application/pdf | {impronta}
             Contenuto {contenuto} | }}"
        ))
        .unwrap();
        domanda.allegati.insert(0, domanda.allegati[0].clone());
        domanda.allegati[0].impronta_dichiarata = None;
        domanda.allegati[0].bytes_len = ALLEGATO_BYTES_MAX;
        domanda.allegati[0].formato = Formato::Intero(TipoMime::Pdf);
        domanda
    };
    let contesto = contesto(Ambiente::Produzione, OTTOBRE);
    let dove = |campo| format!("/at:Domanda/at:Allegati/at:Allegato[2]/at:{campo}");
    let giusta = "Impronta 14bcd090baf31edba64e9cbd8cdfc15f943344aa72cb3675ad8e91bfcbce03ad |";
    assert_eq!(esamina(&con(giusta, PDF), &contesto), Esame::default());
    assert_eq!(esamina(&con("", PDF), &contesto), Esame::default());
    let esame = esamina(&con(giusta, ALTRO_PDF), &contesto);
    assert_eq!(
        trovate(&esame.violazioni),
        [("ALL-001", dove("Impronta").as_str())]
    );
    let esame = esamina(&con("", ""), &contesto);
    assert_eq!(
        trovate(&esame.violazioni),
        [("ALL-003", dove("Contenuto").as_str())]
    );
    let bugia = esamina(&con("", "YWJj"), &contesto);
    assert_eq!(
        trovate(&bugia.violazioni),
        [("ALL-004", dove("Contenuto").as_str())]
    );
    assert_eq!(
        bugia.violazioni[0].testo(),
        "il documento è dichiarato application/pdf, ma i suoi byte sono di un formato che il varco non conosce"
    );
    // All that is wrong with one document, at once.
    let mut cattivo = con(giusta, "TVo=");
    cattivo.allegati[1].nome_file = "uno.pdf.exe".to_owned();
    assert_eq!(
        trovate(&esamina(&cattivo, &contesto).violazioni),
        [
            ("ALL-005", dove("NomeFile").as_str()),
            ("ALL-001", dove("Impronta").as_str()),
            ("ALL-004", dove("Contenuto").as_str()),
        ]
    );
    let mut grande = con("", ALTRO_PDF);
    grande.allegati[1].bytes_len += ALLEGATO_BYTES_MAX;
    let esame = esamina(&grande, &contesto);
    assert_eq!(
        trovate(&esame.violazioni),
        [("ALL-002", dove("Contenuto").as_str())]
    );
}

#[test]
fn the_patronato_s_block_says_what_certificate_and_identity_say() {
    let ente: CodiceEnte = "PAT02".parse().unwrap();
    let ufficio: CodiceUfficio = "0001".parse().unwrap();
    let user_id: UserId = "Operatore1".parse().unwrap();
    let mut altrui = contesto(Ambiente::Produzione, OTTOBRE);
    altrui.ente = Some(&ente);
    altrui.codice_ufficio = Some(&ufficio);
    altrui.user_id = Some(&user_id);
    let esame = esamina(&valida(), &altrui);
    assert_eq!(
        trovate(&esame.violazioni),
        [
            ("PAT-001", "/at:Domanda/at:Patronato/at:Codice"),
            ("PAT-002", "/at:Domanda/at:Patronato/at:Ufficio"),
            ("PAT-003", "/at:Domanda/at:Operatore"),
        ]
    );
    let (ente, ufficio) = ("PAT01".parse().unwrap(), "001".parse().unwrap());
    let user_id = "operatore1".parse().unwrap();
    let mut proprio = contesto(Ambiente::Produzione, OTTOBRE);
    (proprio.ente, proprio.codice_ufficio, proprio.user_id) = (Some(&ente), Some(&ufficio), Some(&user_id));
    assert_eq!(esamina(&valida(), &proprio), Esame::default());
}

#[test]
fn a_mandate_is_older_than_what_is_done_with_it() {
    let data = "/at:Domanda/at:Mandato/at:Data";
    assert_eq!(
        cambiata(&[("Data 2021-06-30", "Data 2021-10-15")]),
        Esame::default()
    );
    assert_una(&[("Data 2021-06-30", "Data 2021-10-16")], "PAT-004", data);
    assert_una(&[("Data 2021-06-30", "Data 0021-06-30")], "PAT-005", data);
    assert_una(&[("Data 2021-06-30", "Data 20211-06-30")], "PAT-005", data);
    let pratica = "DataPratica 1021-06-30 | Operatore operatore1";
    assert_una(
        &[("Operatore operatore1", pratica)],
        "PAT-005",
        "/at:Domanda/at:DataPratica",
    );
}

#[test]
fn the_window_refuses_in_produzione_and_warns_elsewhere() {
    use Ambiente::{Collaudo, Produzione, Sandbox};
    for (ambiente, giorno, atteso) in [
        (Produzione, date(2021, 7, 1), None),
        (Produzione, date(2021, 12, 31), None),
        (Sandbox, date(2021, 12, 31), None),
        (Produzione, date(2021, 6, 30), Some("FIN-001")),
        (Produzione, date(2022, 1, 1), Some("FIN-001")),
        (Produzione, date(2026, 1, 1), Some("FIN-001")),
        (Collaudo, date(2021, 6, 30), Some("FIN-101")),
        (Sandbox, date(2022, 2, 28), Some("FIN-101")),
        (Sandbox, date(2022, 3, 1), Some("FIN-102")),
        (Collaudo, date(2026, 1, 1), Some("FIN-102")),
    ] {
        let mut domanda = valida();
        domanda.assistenza.mandato_data = date(2021, 6, 18);
        let esame = esamina(&domanda, &contesto(ambiente, giorno));
        let (rifiutano, avvisano) = (trovate(&esame.violazioni), trovate(&esame.avvisi));
        let atteso: Vec<_> = atteso.map(|codice| (codice, "/at:Domanda")).into_iter().collect();
        if ambiente == Produzione {
            assert_eq!((rifiutano, avvisano), (atteso, vec![]), "{giorno}");
        } else {
            assert_eq!((rifiutano, avvisano), (vec![], atteso), "{giorno}");
        }
    }
    // The window opens and closes at midnight in Rome.
    let mut orlo = contesto(Produzione, OTTOBRE);
    for (istante, aperta) in [
        ("2021-06-30T21:59:59Z", false),
        ("2021-06-30T22:00:00Z", true),
        ("2021-12-31T22:59:59Z", true),
        ("2021-12-31T23:00:00Z", false),
    ] {
        orlo.presentata_il = istante.parse().unwrap();
        assert_eq!(finestra_aperta(&valida(), &orlo).is_empty(), aperta, "{istante}");
    }
}
