//! The contract as it is served: to enti alone, with the public address put into it.

use varco::prestazione::PRESTAZIONI;

use crate::atti::Motore;
use crate::helpers::{Archivio, Gateway, Reply, SOAP_12, Setting, on_both_stores};

on_both_stores! {
    every_sample_of_the_docs_is_answered_as_it_is_shown,
}

#[test]
fn the_wsdl_names_the_public_address_and_its_schemas_can_be_fetched() {
    let config = "[listener]\nindirizzo = \"127.0.0.1:0\"\nworkers = 1\nindirizzo_pubblico = \"https://coop.example:9443\"\n";
    let gateway = Gateway::spawn(&Setting {
        listener: Some(config.into()),
        ..Setting::default()
    });
    let client = gateway.client("pat01");
    let wsdl = client.get("?wsdl");
    assert_eq!(
        (wsdl.status, wsdl.content_type.as_str()),
        (200, "text/xml; charset=utf-8")
    );
    let testo = wsdl.text();
    assert!(testo.contains("location=\"https://coop.example:9443/modi/soap/AssegnoTemporaneo/v1/\""));
    assert!(!testo.contains("localhost:8443"));
    for prestazione in PRESTAZIONI {
        let client = gateway.client_of(prestazione.servizio, "pat01");
        let testo = client.get("?wsdl").text();
        assert!(testo.contains(&format!("/modi/soap/{}/v1/\"", prestazione.servizio)));
        for xsd in [prestazione.xsd, "cooperazione-v1.xsd", "identity.xsd"] {
            assert!(testo.contains(&format!("?xsd={xsd}\"")), "{xsd}");
            let schema = client.get(&format!("?xsd={xsd}"));
            assert_eq!(schema.status, 200, "{xsd}");
            assert!(schema.text().contains("<xs:schema"), "{xsd}");
        }
    }
    assert_eq!(client.get("?xsd=altro.xsd").status, 404);
    let errori = client.get("?errori");
    assert_eq!(errori.status, 200);
    assert!(errori.text().contains("AT-001"));
}

#[test]
fn a_stranger_gets_no_wsdl() {
    let gateway = Gateway::spawn(&Setting {
        solo: Some("pat01".into()),
        ..Setting::default()
    });
    let reply = gateway.client("pat02").get("?wsdl");
    assert_eq!(reply.status, 403);
    assert!(reply.text().starts_with("ACC-001 "), "{}", reply.text());
}

#[test]
fn what_http_alone_can_refuse_has_a_status_and_a_code() {
    let gateway = Gateway::spawn(&Setting::default());
    let client = gateway.client("pat01");
    let body = b"<x/>";
    let put = client.put();
    assert_eq!((put.status, put.header("allow")), (405, Some("POST, GET")));
    assert!(put.text().starts_with("HTP-003 "));
    assert_eq!(client.get("").status, 405);
    let json = client.post_as(body, "application/json");
    assert_eq!((json.status, &json.text()[..8]), (415, "HTP-008 "));
    let latin = client.post_as(body, "application/soap+xml; charset=ISO-8859-1");
    assert_eq!((latin.status, &latin.text()[..8]), (415, "HTP-008 "));
    let gzip = client.post_with(body, "Content-Encoding", "gzip");
    assert_eq!((gzip.status, &gzip.text()[..8]), (415, "HTP-006 "));
    let testata = client.post_with(body, "X-Lunga", &"x".repeat(17_000));
    assert_eq!((testata.status, &testata.text()[..8]), (431, "HTP-007 "));
    // A lot may be longer, so it is the operation that decides.
    let mut grande = include_bytes!("../../docs/messaggi/echo.xml").to_vec();
    grande.resize(10 * 1024 * 1024 + 1, b' ');
    let grande = client.post_as(&grande, SOAP_12);
    assert_eq!((grande.status, &grande.text()[..8]), (413, "HTP-005 "));
    let vuoto = client.post_as(&vec![b' '; 10 * 1024 * 1024 + 1], SOAP_12);
    assert_eq!(
        (vuoto.status, vuoto.value("Codice").as_deref()),
        (500, Some("ENV-028"))
    );
    assert_eq!(client.get("?wsdl").status, 200, "and the server lives on");
}

#[test]
fn the_same_path_with_and_without_its_last_slash() {
    let gateway = Gateway::spawn(&Setting::default());
    let client = gateway.client("pat01");
    assert_eq!(
        client.get_path("/modi/soap/AssegnoTemporaneo/v1?wsdl").status,
        200
    );
    assert_eq!(
        client.get_path("/modi/soap/AssegnoTemporaneo/v1/?wsdl").status,
        200
    );
    assert_eq!(client.get_path("/modi/soap/Altro/v1/?wsdl").status, 404);
    assert_eq!(client.get_path("/").status, 404);
}

#[test]
fn a_quota_is_told_before_and_when_it_is_used_up() {
    let gateway = Gateway::spawn(&Setting {
        quota: Some(2),
        ..Setting::default()
    });
    let client = gateway.client("pat01");
    let limiti = include_bytes!("../messages/limiti/request.xml");
    let primo = client.post(limiti);
    assert_eq!(
        (primo.status, primo.header("x-ratelimit-remaining")),
        (200, Some("1"))
    );
    assert_eq!(client.post(limiti).header("x-ratelimit-remaining"), Some("0"));
    let terzo = client.post(limiti);
    assert_eq!((terzo.status, terzo.header("retry-after")), (429, Some("60")));
    assert_eq!(terzo.value("Codice").as_deref(), Some("ACC-007"));
    assert_eq!(
        gateway.client("pat02").post(limiti).status,
        200,
        "the quota is the ente's own"
    );
}

#[test]
fn a_quota_is_one_for_all_gateways_of_a_store() {
    if crate::postgres::binaries().is_none() {
        return;
    }
    let setting = Setting {
        quota: Some(45),
        ..Setting::on(Archivio::Postgres)
    };
    let primo = Gateway::spawn(&setting);
    let secondo = primo.beside(&setting);
    let client = [primo.client("pat01"), secondo.client("pat01")];
    let limiti = include_bytes!("../messages/limiti/request.xml");
    // Two for the one, one for the other, until both refuse.
    let giro = [0, 0, 1];
    let risposte: Vec<Reply> = (0..60).map(|n| client[giro[n % 3]].post(limiti)).collect();
    let ammesse = risposte.iter().filter(|risposta| risposta.status == 200).count();
    assert_eq!(ammesse, 45);
    for risposta in risposte.iter().filter(|risposta| risposta.status != 200) {
        assert_eq!(risposta.status, 429);
        assert_eq!(risposta.value("Codice").as_deref(), Some("ACC-007"));
        let attesa: u32 = risposta.header("retry-after").unwrap().parse().unwrap();
        assert!((1..=60).contains(&attesa), "{attesa}");
    }
}

fn every_sample_of_the_docs_is_answered_as_it_is_shown(archivio: Archivio) {
    let gateway = Gateway::spawn(&Setting::on(archivio));
    let client = gateway.client("pat01");
    let samples = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/messaggi");
    let read = |nome: &str| std::fs::read(samples.join(format!("{nome}.xml"))).unwrap();
    assert_eq!(
        client.post(&read("VerificaDomanda")).value("Esito").as_deref(),
        Some("AMMISSIBILE")
    );
    let inviata = client.post(&read("InviaDomanda"));
    assert_eq!(
        inviata.value("Protocollo").as_deref(),
        Some("INPS-AUF-2021-000000000001")
    );
    let soap_11 = client.post_as(&read("InviaDomanda-soap11"), "text/xml; charset=utf-8");
    assert_eq!(soap_11.content_type, "text/xml; charset=utf-8");
    assert_eq!(
        soap_11.value("Ripetizione").as_deref(),
        Some("true"),
        "{}",
        soap_11.text()
    );
    let modificata = client.post(&read("ModificaDomanda"));
    assert_eq!(
        (
            modificata.value("Protocollo").as_deref(),
            modificata.values("Posto")
        ),
        (
            Some("INPS-AUF-2021-000000000002"),
            vec!["1".to_owned(), "2".to_owned()]
        ),
        "{}",
        modificata.text()
    );
    let aggiunto = client.post(&read("AggiungiMinore"));
    assert_eq!(
        (aggiunto.value("Protocollo").as_deref(), aggiunto.values("Posto")),
        (Some("INPS-AUF-2021-000000000003"), vec!["3".to_owned()]),
        "{}",
        aggiunto.text()
    );
    let rinuncia = client.post(&read("RinunciaDomanda"));
    assert_eq!(
        (rinuncia.value("Protocollo").as_deref(), rinuncia.values("Posto")),
        (Some("INPS-AUF-2021-000000000004"), vec!["2".to_owned()]),
        "{}",
        rinuncia.text()
    );
    let documento = client.post(&read("AllegaDocumento"));
    assert_eq!(
        (
            documento.value("Protocollo").as_deref(),
            documento.values("Posto")
        ),
        (Some("INPS-AUF-2021-000000000005"), vec!["1".to_owned()]),
        "{}",
        documento.text()
    );
    // The second parent's, by another patronato; the domanda of the sample has another number here.
    let completamento = String::from_utf8(read("CompletaSecondoGenitore")).unwrap();
    let completata = gateway
        .client("pat02")
        .post(completamento.replace(">371<", ">1<").as_bytes());
    assert_eq!(
        completata.value("Esito").as_deref(),
        Some("REGISTRATA"),
        "{}",
        completata.text()
    );
    refuse(&gateway, archivio);
    let riesame = client.post(&read("RichiediRiesame"));
    assert_eq!(
        (riesame.value("Protocollo").as_deref(), riesame.values("Posto")),
        (Some("INPS-AUF-2021-000000000007"), vec!["1".to_owned()]),
        "{}",
        riesame.text()
    );
    for nome in ["ConsultaDomanda", "ScaricaRicevuta"] {
        let reply = client.post(&read(nome));
        assert_eq!(reply.status, 200, "{nome}: {}", reply.text());
        assert_eq!(
            reply.value("Protocollo").as_deref(),
            Some("INPS-AUF-2021-000000000001"),
            "{nome}"
        );
    }
    for nome in [
        "echo",
        "RicercaDomande",
        "ElencoVariazioni",
        "ScaricaRiepilogo",
        "Limiti",
        "Diagnosi",
    ] {
        let reply = client.post(&read(nome));
        assert_eq!(reply.status, 200, "{nome}: {}", reply.text());
    }
    let lotto = client.post(&read("InviaLotto"));
    assert_eq!(
        lotto.value("Stato").as_deref(),
        Some("accepted"),
        "{}",
        lotto.text()
    );
    for nome in ["StatoLotto", "EsitoLotto"] {
        let reply = client.post(&read(nome));
        assert_eq!(
            reply.value("Codice").as_deref(),
            Some("LOT-004"),
            "{nome}: its id is of no lot here"
        );
    }
    let mut files = 0;
    for entry in std::fs::read_dir(&samples).unwrap() {
        files += usize::from(
            entry
                .unwrap()
                .path()
                .extension()
                .is_some_and(|extension| extension == "xml"),
        );
    }
    assert_eq!(files, 20, "a sample that no line above sends");
}

/// The engine refuses the first sheet of the first domanda.
fn refuse(gateway: &Gateway, archivio: Archivio) {
    gateway.block_on(async {
        let mut motore = Motore::connect(gateway, archivio).await;
        assert!(motore.moves(1, 1, "IN_ISTRUTTORIA").await && motore.moves(1, 1, "RESPINTA").await);
    });
}

#[test]
fn every_sample_of_the_assegno_unico_is_answered_as_it_is_shown() {
    let gateway = Gateway::spawn(&Setting {
        orologio: Some("2022-03-15T10:00:00Z".into()),
        ..Setting::default()
    });
    let client = gateway.client_of("AssegnoUnicoUniversale", "pat01");
    let samples =
        std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/messaggi/AssegnoUnicoUniversale");
    let read = |nome: &str| std::fs::read(samples.join(format!("{nome}.xml"))).unwrap();
    assert_eq!(
        client.post(&read("VerificaDomanda")).value("Esito").as_deref(),
        Some("AMMISSIBILE")
    );
    let numero = |numero: u64| Some(format!("INPS-AUF-2022-{numero:012}"));
    assert_eq!(client.post(&read("InviaDomanda")).value("Protocollo"), numero(1));
    let soap_11 = client.post_as(&read("InviaDomanda-soap11"), "text/xml; charset=utf-8");
    assert_eq!(soap_11.value("Ripetizione").as_deref(), Some("true"));
    let modificata = client.post(&read("ModificaDomanda"));
    assert_eq!(
        (modificata.value("Protocollo"), modificata.values("Posto").len()),
        (numero(2), 3),
        "{}",
        modificata.text()
    );
    // The newborn has the fourth sheet, from the seventh month of pregnancy on.
    let aggiunto = client.post(&read("AggiungiFiglio"));
    assert_eq!(
        (
            aggiunto.value("Protocollo"),
            aggiunto.value("Posto").as_deref(),
            aggiunto.value("DecorrenzaPresunta").as_deref()
        ),
        (numero(3), Some("4"), Some("2022-03")),
        "{}",
        aggiunto.text()
    );
    // The daughter asks for herself: the sheet that her father asked for is closed, its sisters' are not.
    assert_eq!(
        client
            .post(&read("InviaDomanda-figlio-maggiorenne"))
            .value("Protocollo"),
        numero(4)
    );
    let consultata = client.post(&read("ConsultaDomanda"));
    assert_eq!(consultata.value("Protocollo"), numero(1));
    assert_eq!(
        consultata.values("Stato"),
        ["PRESENTATA", "SOSTITUITA", "PRESENTATA", "PRESENTATA"]
    );
    let rinuncia = client.post(&read("RinunciaDomanda"));
    assert_eq!(rinuncia.value("Protocollo"), numero(5), "{}", rinuncia.text());
    assert_eq!(
        client.post(&read("ConsultaDomanda")).values("Stato"),
        ["PRESENTATA", "SOSTITUITA", "RINUNCIATA", "PRESENTATA"]
    );
    let documento = client.post(&read("AllegaDocumento"));
    assert_eq!(documento.value("Protocollo"), numero(6), "{}", documento.text());
    // The second parent's, by another patronato; the domanda of the sample has another number here.
    let completamento = String::from_utf8(read("CompletaSecondoGenitore")).unwrap();
    let completata = gateway
        .client_of("AssegnoUnicoUniversale", "pat02")
        .post(completamento.replace(">371<", ">1<").as_bytes());
    assert_eq!(
        completata.value("Esito").as_deref(),
        Some("REGISTRATA"),
        "{}",
        completata.text()
    );
    refuse(&gateway, Archivio::Sqlite);
    let riesame = client.post(&read("RichiediRiesame"));
    assert_eq!(riesame.value("Protocollo"), numero(8), "{}", riesame.text());
    assert_eq!(
        client.post(&read("ScaricaRicevuta")).value("Protocollo"),
        numero(1)
    );
    for nome in [
        "echo",
        "RicercaDomande",
        "ElencoVariazioni",
        "ScaricaRiepilogo",
        "Limiti",
        "Diagnosi",
    ] {
        let reply = client.post(&read(nome));
        assert_eq!(reply.status, 200, "{nome}: {}", reply.text());
    }
    let lotto = client.post(&read("InviaLotto"));
    assert_eq!(
        lotto.value("Stato").as_deref(),
        Some("accepted"),
        "{}",
        lotto.text()
    );
    for nome in ["StatoLotto", "EsitoLotto"] {
        let reply = client.post(&read(nome));
        assert_eq!(
            reply.value("Codice").as_deref(),
            Some("LOT-004"),
            "{nome}: its id is of no lot here"
        );
    }
    assert_eq!(
        std::fs::read_dir(&samples).unwrap().count(),
        21,
        "a sample that no line above sends"
    );
}
