//! The papers of a registration: receipt and summary, as XML and as pages, the same bytes for ever.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{AssertSqlSafe, Connection as _, Executor as _};
use varco::domanda::sha256::{Sha256, hex};

use crate::helpers::{Archivio, Client, Gateway, Reply, Setting, on_both_stores};

on_both_stores! {
    a_paper_is_the_same_bytes_at_every_download_and_from_every_gateway,
    an_act_has_papers_of_its_own,
    a_summary_goes_with_its_request_and_a_receipt_stays,
    no_other_ente_gets_a_paper,
    of_many_first_downloads_at_once_one_paper_is_kept,
}

const AT: &str = include_str!("../messages/domanda-registered/request.xml");
const AU: &str = include_str!("../messages/au-payment-b/request.xml");
const RINUNCIA: &str = include_str!("../messages/rinuncia/request.xml");

/// A request for a paper: `nome` of the domanda, and the form, if one is asked for.
fn richiesta(servizio: &str, operazione: &str, nome: &str, formato: Option<&str>) -> String {
    let formato = formato.map_or_else(String::new, |formato| format!("<s:Formato>{formato}</s:Formato>"));
    format!(
        r#"<env:Envelope xmlns:env="http://www.w3.org/2003/05/soap-envelope" xmlns:inps="http://inps.it/" xmlns:s="http://inps.it/{servizio}/v1" xmlns:coop="http://inps.it/cooperazione/v1"><env:Header><inps:Identity><UserId>op.rossi</UserId><CodiceUfficio>001</CodiceUfficio></inps:Identity></env:Header><env:Body><s:{operazione}><s:Riferimento>{nome}</s:Riferimento>{formato}</s:{operazione}></env:Body></env:Envelope>"#
    )
}

fn chiedi(client: &Client, operazione: &str, nome: &str, formato: Option<&str>) -> Reply {
    client.post(richiesta("AssegnoTemporaneo", operazione, nome, formato).as_bytes())
}

const LA_PRIMA: &str = "<coop:NumeroDomanda>1</coop:NumeroDomanda>";

/// The file of an answer, its imprint checked.
fn documento(reply: &Reply) -> Vec<u8> {
    let contenuto = reply
        .value("Contenuto")
        .unwrap_or_else(|| panic!("{}", reply.text()));
    let bytes = BASE64_STANDARD.decode(contenuto).unwrap();
    // The last one: the receipt beside it has an imprint of its own.
    assert_eq!(
        reply.values("Impronta").last(),
        Some(&hex(&Sha256::of(&bytes))),
        "{}",
        reply.text()
    );
    assert_eq!(reply.value("TipoMime").as_deref(), Some("application/pdf"));
    bytes
}

/// The text of a file, as another reader finds it; where it sees spaces is its own affair.
fn testo(pdf: &[u8]) -> String {
    let documento = lopdf::Document::load_mem(pdf).unwrap();
    let pagine: Vec<u32> = documento.get_pages().into_keys().collect();
    senza_spazi(&documento.extract_text(&pagine).unwrap())
}

fn senza_spazi(testo: &str) -> String {
    testo.split_whitespace().collect()
}

fn says(testo: &str, frase: &str) -> bool {
    testo.contains(&senza_spazi(frase))
}

/// What somebody with the rights to do so does to the store.
fn esegui(gateway: &Gateway, archivio: Archivio, sql: &str) -> bool {
    let sql = sqlx::raw_sql(AssertSqlSafe(sql.to_owned()));
    gateway.block_on(async {
        match archivio {
            Archivio::Sqlite => {
                let options = SqliteConnectOptions::new()
                    .filename(gateway.dir.path().join("store.db"))
                    .busy_timeout(std::time::Duration::from_secs(10));
                let mut connessione = SqliteConnection::connect_with(&options).await.unwrap();
                connessione.execute(sql).await.is_ok()
            }
            Archivio::Postgres => {
                let url = std::fs::read_to_string(gateway.dir.path().join("store.txt")).unwrap();
                let options: PgConnectOptions = url.parse().unwrap();
                let mut connessione = PgConnection::connect_with(&options).await.unwrap();
                connessione.execute(sql).await.is_ok()
            }
        }
    })
}

fn a_paper_is_the_same_bytes_at_every_download_and_from_every_gateway(archivio: Archivio) {
    let gateway = Gateway::spawn(&Setting::on(archivio));
    let client = gateway.client("pat01");
    let inviata = client.post(AT.as_bytes());
    let ricevuta = |reply: &Reply| {
        let testo = reply.text();
        let (_, dopo) = testo.split_once("<Ricevuta").unwrap();
        dopo.split_once("</Ricevuta>").unwrap().0.to_owned()
    };
    // As it has always been, and with the pages beside it.
    let xml = chiedi(&client, "ScaricaRicevuta", LA_PRIMA, None);
    assert_eq!(ricevuta(&xml), ricevuta(&inviata));
    assert!(!xml.text().contains("Documento"), "{}", xml.text());
    assert_eq!(
        xml.body,
        chiedi(&client, "ScaricaRicevuta", LA_PRIMA, Some("XML")).body
    );
    let pdf = chiedi(&client, "ScaricaRicevuta", LA_PRIMA, Some("PDF"));
    assert_eq!(ricevuta(&pdf), ricevuta(&inviata));
    assert_eq!(
        pdf.value("NomeFile").as_deref(),
        Some("ricevuta-INPS-AUF-2021-000000000001.pdf")
    );
    let letto = testo(&documento(&pdf));
    assert!(
        says(
            &letto,
            "è stata registrata con numero domanda 1 e numero protocollo INPS-AUF-2021-000000000001."
        ),
        "{letto}"
    );
    assert!(
        letto.starts_with("PROVA") && says(&letto, "15 luglio 2021, ore 12:00:00"),
        "{letto}"
    );

    let sommario = chiedi(&client, "ScaricaRiepilogo", LA_PRIMA, None);
    assert_eq!(ricevuta(&sommario), ricevuta(&inviata));
    assert!(
        sommario
            .values("VersioneTesto")
            .iter()
            .all(|versione| versione == "2021-06"),
        "{}",
        sommario.text()
    );
    let pagine = chiedi(&client, "ScaricaRiepilogo", LA_PRIMA, Some("PDF"));
    assert!(says(&testo(&documento(&pagine)), "Riepilogo della domanda"));

    // Another gateway on the same store, on another day.
    let dir = gateway.stop();
    let setting = Setting {
        orologio: Some("2021-11-02T10:00:00Z".to_owned()),
        ..Setting::on(archivio)
    };
    let altro = Gateway::spawn_in(dir, &setting);
    let client = altro.client("pat01");
    for (operazione, formato, prima) in [
        ("ScaricaRicevuta", Some("PDF"), &pdf),
        ("ScaricaRiepilogo", None, &sommario),
        ("ScaricaRiepilogo", Some("PDF"), &pagine),
    ] {
        let ancora = chiedi(&client, operazione, LA_PRIMA, formato);
        assert!(ancora.body == prima.body, "{operazione}");
    }
}

fn an_act_has_papers_of_its_own(archivio: Archivio) {
    let gateway = Gateway::spawn(&Setting::on(archivio));
    let client = gateway.client("pat01");
    client.post(AT.as_bytes());
    let rinuncia = client.post(RINUNCIA.as_bytes());
    let protocollo = rinuncia.value("Protocollo").unwrap();
    assert_eq!(protocollo, "INPS-AUF-2021-000000000002");
    for nome in [
        format!("<coop:Protocollo>{protocollo}</coop:Protocollo>"),
        "<coop:ChiaveInvio>R-1</coop:ChiaveInvio>".to_owned(),
    ] {
        let ricevuta = chiedi(&client, "ScaricaRicevuta", &nome, Some("PDF"));
        assert_eq!(ricevuta.value("Protocollo").as_ref(), Some(&protocollo));
        let letto = testo(&documento(&ricevuta));
        assert!(says(&letto, "Ricevuta della rinuncia"), "{letto}");
        assert!(
            says(
                &letto,
                "L'atto sulla domanda numero 1 per il soggetto MARIO ROSSI è stato registrato con numero protocollo INPS-AUF-2021-000000000002."
            ),
            "{letto}"
        );
        let riepilogo = chiedi(&client, "ScaricaRiepilogo", &nome, None);
        assert_eq!(riepilogo.value("Operazione").as_deref(), Some("RinunciaDomanda"));
        let parole = riepilogo.values("AVoce");
        assert!(
            parole.contains(&"errore di compilazione".to_owned()),
            "{parole:?}"
        );
    }
    // The number of the domanda names the registration that opened it.
    let domanda = chiedi(&client, "ScaricaRicevuta", LA_PRIMA, Some("PDF"));
    assert_eq!(
        domanda.value("Protocollo").as_deref(),
        Some("INPS-AUF-2021-000000000001")
    );
}

fn a_summary_goes_with_its_request_and_a_receipt_stays(archivio: Archivio) {
    let gateway = Gateway::spawn(&Setting::on(archivio));
    let client = gateway.client("pat01");
    client.post(AT.as_bytes());
    let prima = documento(&chiedi(&client, "ScaricaRicevuta", LA_PRIMA, Some("PDF")));
    assert_eq!(
        chiedi(&client, "ScaricaRiepilogo", LA_PRIMA, Some("PDF")).status,
        200
    );
    // What was made is neither changed nor put away while its request is there.
    for sql in [
        "DELETE FROM carte",
        "DELETE FROM carte WHERE documento = 'RIEPILOGO'",
        "UPDATE carte SET impaginazione = 9",
    ] {
        assert!(!esegui(&gateway, archivio, sql), "{sql}");
    }
    assert!(esegui(&gateway, archivio, "DELETE FROM payload"));
    for formato in [None, Some("PDF")] {
        let eliminata = chiedi(&client, "ScaricaRiepilogo", LA_PRIMA, formato);
        assert_eq!(eliminata.status, 500);
        assert_eq!(eliminata.value("Codice").as_deref(), Some("DOC-001"));
        assert_eq!(
            eliminata.value("Percorso").as_deref(),
            Some("/at:ScaricaRiepilogo/at:Riferimento")
        );
    }
    assert!(documento(&chiedi(&client, "ScaricaRicevuta", LA_PRIMA, Some("PDF"))) == prima);
    assert!(esegui(
        &gateway,
        archivio,
        "DELETE FROM carte WHERE documento = 'RIEPILOGO'"
    ));
    assert!(!esegui(&gateway, archivio, "DELETE FROM carte"));
}

fn no_other_ente_gets_a_paper(archivio: Archivio) {
    let gateway = Gateway::spawn(&Setting {
        orologio: Some("2022-03-15T10:00:00Z".to_owned()),
        ..Setting::on(archivio)
    });
    let au = gateway.client_of("AssegnoUnicoUniversale", "pat01");
    assert_eq!(
        au.post(AU.as_bytes()).value("Esito").as_deref(),
        Some("REGISTRATA")
    );
    let altrui = gateway.client_of("AssegnoUnicoUniversale", "pat02");
    for operazione in ["ScaricaRicevuta", "ScaricaRiepilogo"] {
        let domanda = richiesta("AssegnoUnicoUniversale", operazione, LA_PRIMA, Some("PDF"));
        let letto = testo(&documento(&au.post(domanda.as_bytes())));
        assert!(says(&letto, "Assegno unico e universale"), "{letto}");
        let negata = altrui.post(domanda.as_bytes());
        assert_eq!(negata.value("Codice").as_deref(), Some("PRO-101"), "{operazione}");
        // The other service does not know it either.
        let at = chiedi(&gateway.client("pat01"), operazione, LA_PRIMA, Some("PDF"));
        assert_eq!(at.value("Codice").as_deref(), Some("PRO-101"), "{operazione}");
        let formato = chiedi(&gateway.client("pat01"), operazione, LA_PRIMA, Some("DOC"));
        assert_eq!(formato.status, 500);
        assert_eq!(
            formato.value("Percorso").as_deref(),
            Some(format!("/at:{operazione}/at:Formato").as_str())
        );
    }
}

fn of_many_first_downloads_at_once_one_paper_is_kept(archivio: Archivio) {
    let gateway = Gateway::spawn(&Setting::on(archivio));
    gateway.client("pat01").post(AT.as_bytes());
    let risposte: Vec<Vec<u8>> = std::thread::scope(|scope| {
        let lettori: Vec<_> = (0..16)
            .map(|_| {
                scope.spawn(|| {
                    chiedi(
                        &gateway.client("pat01"),
                        "ScaricaRiepilogo",
                        LA_PRIMA,
                        Some("PDF"),
                    )
                    .body
                })
            })
            .collect();
        lettori
            .into_iter()
            .map(|lettore| lettore.join().unwrap())
            .collect()
    });
    assert!(risposte.iter().all(|risposta| *risposta == risposte[0]));
}

#[test]
fn only_a_trial_is_marked() {
    for (ambiente, parola) in [("collaudo", Some("COLLAUDO")), ("produzione", None)] {
        let gateway = Gateway::spawn(&Setting {
            ambiente: Some(ambiente.to_owned()),
            ..Setting::default()
        });
        let client = gateway.client("pat01");
        let inviata = client.post(AT.as_bytes());
        assert_eq!(
            inviata.value("Esito").as_deref(),
            Some("REGISTRATA"),
            "{}",
            inviata.text()
        );
        for operazione in ["ScaricaRicevuta", "ScaricaRiepilogo"] {
            let letto = testo(&documento(&chiedi(&client, operazione, LA_PRIMA, Some("PDF"))));
            // Across the page, before all that is written on it; and at its foot.
            assert!(letto.starts_with(parola.unwrap_or("INPSIstituto")), "{letto}");
            assert_eq!(
                says(&letto, "documento senza valore"),
                parola.is_some(),
                "{letto}"
            );
            assert_eq!(says(&letto, "SENZA ALCUN VALORE"), parola.is_some(), "{letto}");
        }
    }
}

#[test]
fn the_trace_does_not_keep_a_paper_again() {
    let gateway = Gateway::spawn(&Setting::default());
    let client = gateway.client("pat01");
    client.post(AT.as_bytes());
    assert_eq!(
        chiedi(&client, "ScaricaRiepilogo", LA_PRIMA, Some("PDF")).status,
        200
    );
    let dir = gateway.stop();
    let gateway = Gateway::spawn_in(dir, &Setting::default());
    let ricerca = varco::store::Ricerca {
        operazione: Some("ScaricaRiepilogo".to_owned()),
        ..varco::store::Ricerca::default()
    };
    let tracce = gateway.block_on(gateway.store().tracce(&ricerca)).unwrap().righe;
    assert_eq!(tracce.len(), 1);
    assert!(tracce[0].richiesta.is_some() && tracce[0].risposta.is_none());
    assert!(tracce[0].risposta_len > 10_000);
}
