//! Lots: many domande in one message, in the body, in base64 or beside the envelope, each with its own outcome.

use std::io::Write as _;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use flate2::Compression;
use flate2::write::GzEncoder;
use varco::cli::sample::with_domanda;
use varco::domanda::campione::{Ampiezza, Mittente, Spunto};
use varco::prestazione::{Operazione, PRESTAZIONI};

use crate::helpers::{Archivio, Client, Gateway, Reply, Setting, on_both_stores};

const AT: &str = "http://inps.it/AssegnoTemporaneo/v1";
const COOP: &str = "http://inps.it/cooperazione/v1";

on_both_stores! {
    a_lot_in_the_body_is_worked_item_by_item,
    a_file_is_the_same_lot_however_it_comes,
    a_repeated_lot_has_its_old_id_and_its_items_their_old_numbers,
    items_that_hang_on_each_other_are_judged_in_their_order,
    a_lot_that_cannot_be_read_to_its_end_keeps_what_was_done,
    nothing_is_kept_of_a_lot_that_is_not_well_formed,
    a_lot_of_another_ente_is_unknown,
    an_item_counts_as_presented_when_its_lot_was_durable,
    the_limits_of_lots_hold,
    an_item_on_which_we_break_is_refused_alone,
}

/// An item with a key of its own and people of its own.
pub(crate) fn elemento(seme: u64) -> String {
    elemento_di(0, "2021-06-30", seme)
}

fn elemento_di(prestazione: usize, presentazione: &str, seme: u64) -> String {
    let spunto = Spunto {
        contatore: seme,
        presentazione: presentazione.parse().unwrap(),
        mittente: Mittente {
            ente: "PAT01",
            ufficio: "001",
            user_id: "op.rossi",
        },
        ampiezza: Ampiezza::Minima,
    };
    with_domanda(
        PRESTAZIONI[prestazione],
        Operazione::InviaDomanda,
        &spunto,
        &format!("elemento-{seme}"),
    )
}

/// A file with these items.
pub(crate) fn file(elementi: &[String]) -> String {
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<at:Lotto xmlns:at=\"{AT}\">\n{}</at:Lotto>\n",
        elementi.concat()
    )
}

pub(crate) fn busta(intestazione: &str, corpo: &str) -> String {
    format!(
        "<env:Envelope xmlns:env=\"http://www.w3.org/2003/05/soap-envelope\"><env:Header>{intestazione}\
         <inps:Identity xmlns:inps=\"http://inps.it/\"><UserId>op.rossi</UserId><CodiceUfficio>001</CodiceUfficio>\
         </inps:Identity></env:Header><env:Body>{corpo}</env:Body></env:Envelope>"
    )
}

/// `InviaLotto` with what stands in it.
fn invia(chiave: &str, contenuto: &str) -> String {
    busta(
        "",
        &format!(
            "<at:InviaLotto xmlns:at=\"{AT}\"><at:ChiaveInvio>{chiave}</at:ChiaveInvio>{contenuto}</at:InviaLotto>"
        ),
    )
}

pub(crate) fn in_linea(chiave: &str, elementi: &[String]) -> String {
    invia(chiave, &format!("<at:Lotto>\n{}</at:Lotto>", elementi.concat()))
}

pub(crate) fn chiedi(client: &Client, operazione: &str, id: &str, dentro: &str) -> Reply {
    let intestazione = format!("<at:X-Correlation-ID xmlns:at=\"{AT}\">{id}</at:X-Correlation-ID>");
    let corpo = format!(
        "<at:{operazione} xmlns:at=\"{AT}\" xmlns:coop=\"http://inps.it/cooperazione/v1\">{dentro}</at:{operazione}>"
    );
    client.post(busta(&intestazione, &corpo).as_bytes())
}

/// Asks until the lot has ended.
pub(crate) fn concluso(client: &Client, id: &str) -> Reply {
    let inizio = Instant::now();
    loop {
        let stato = chiedi(client, "StatoLotto", id, "");
        assert_eq!(stato.status, 200, "{}", stato.text());
        if stato.value("Stato").as_deref() == Some("done") {
            return stato;
        }
        assert!(inizio.elapsed() < Duration::from_mins(1), "{}", stato.text());
        std::thread::sleep(Duration::from_millis(50));
    }
}

pub(crate) fn accolto(risposta: &Reply) -> String {
    assert_eq!(risposta.status, 200, "{}", risposta.text());
    let id = risposta.value("IdLotto").unwrap();
    assert_eq!(
        risposta.value("X-Correlation-ID").as_ref(),
        Some(&id),
        "the header ties the operations together"
    );
    id
}

fn conteggi(stato: &Reply) -> [u64; 4] {
    ["Registrati", "Ripetuti", "Rifiutati", "NonLetti"]
        .map(|nome| stato.value(nome).unwrap().parse().unwrap())
}

fn gzip(testo: &[u8]) -> Vec<u8> {
    let mut gzip = GzEncoder::new(Vec::new(), Compression::default());
    gzip.write_all(testo).unwrap();
    gzip.finish().unwrap()
}

/// `InviaLotto` with a file beside it.
fn accanto(client: &Client, chiave: &str, file: &[u8]) -> Reply {
    let busta = invia(
        chiave,
        "<at:File><xop:Include xmlns:xop=\"http://www.w3.org/2004/08/xop/include\" href=\"cid:lotto@pat01\"/></at:File>",
    );
    let mut corpo = format!(
        "--confine\r\nContent-Type: application/xop+xml; charset=UTF-8; type=\"application/soap+xml\"\r\n\
         Content-Transfer-Encoding: 8bit\r\nContent-ID: <busta@pat01>\r\n\r\n{busta}\r\n--confine\r\n\
         Content-Type: application/octet-stream\r\nContent-Transfer-Encoding: binary\r\n\
         Content-ID: <lotto@pat01>\r\n\r\n"
    )
    .into_bytes();
    corpo.extend_from_slice(file);
    corpo.extend_from_slice(b"\r\n--confine--\r\n");
    client.post_as(
        &corpo,
        "multipart/related; type=\"application/xop+xml\"; start=\"<busta@pat01>\"; \
         start-info=\"application/soap+xml\"; boundary=\"confine\"",
    )
}

fn a_lot_in_the_body_is_worked_item_by_item(archivio: Archivio) {
    let gateway = Gateway::spawn(&Setting::on(archivio));
    let client = gateway.client("pat01");
    let mut elementi: Vec<_> = (1..=5).map(elemento).collect();
    elementi[1] = elementi[1].replace("GENITORE</at:PresentataDa>", "ZIO</at:PresentataDa>");
    elementi[3] = elementi[3].replace("<at:Codice>PAT01</at:Codice>", "<at:Codice>PAT02</at:Codice>");
    let messaggio = in_linea("lotto-1", &elementi);
    let id = accolto(&client.post(messaggio.as_bytes()));

    let stato = concluso(&client, &id);
    assert_eq!(
        stato.value("Esito").as_deref(),
        Some("PARZIALE"),
        "{}",
        stato.text()
    );
    assert_eq!(conteggi(&stato), [3, 0, 2, 0]);
    assert_eq!(stato.value("ChiaveInvio").as_deref(), Some("lotto-1"));

    let esito = chiedi(&client, "EsitoLotto", &id, "");
    assert_eq!(esito.status, 200, "{}", esito.text());
    assert_eq!(esito.values("Posto"), ["1", "2", "3", "4", "5"]);
    assert_eq!(
        esito.values("Protocollo"),
        [1, 2, 3].map(|numero| format!("INPS-AUF-2021-{numero:012}"))
    );
    let riga = |cerca: &str| {
        let qui = messaggio.lines().position(|riga| riga.contains(cerca)).unwrap() + 1;
        qui.to_string()
    };
    let rifiutate = chiedi(&client, "EsitoLotto", &id, "<coop:Solo>RIFIUTATA</coop:Solo>");
    assert_eq!(rifiutate.values("ChiaveInvio")[1..], ["elemento-2", "elemento-4"]);
    assert_eq!(
        rifiutate.values("Codice"),
        ["XSD-011", "PAT-001"],
        "{}",
        rifiutate.text()
    );
    assert_eq!(
        rifiutate.values("Percorso"),
        [
            "/at:Lotto/at:InviaDomanda[2]/at:Domanda/at:PresentataDa",
            "/at:Lotto/at:InviaDomanda[4]/at:Domanda/at:Patronato/at:Codice"
        ]
    );
    // Where the item begins, then where it hurts.
    let righe = rifiutate.values("Riga");
    assert_eq!([&righe[1], &righe[3]], [&riga(">ZIO<"), &riga(">PAT02<")]);
    assert_eq!(
        [&righe[0], &righe[2]],
        [&riga("elemento-2<"), &riga("elemento-4<")]
            .map(|riga| { (riga.parse::<u32>().unwrap() - 1).to_string() })
            .each_ref()
    );

    let csv = chiedi(&client, "EsitoLotto", &id, "<coop:Formato>CSV</coop:Formato>");
    let testo = csv.value("Csv").unwrap();
    let righe: Vec<_> = testo.lines().collect();
    assert_eq!(righe.len(), 6);
    assert!(
        righe[2].contains(";elemento-2;RIFIUTATA;;;;;XSD-011;"),
        "{}",
        righe[2]
    );
    assert!(
        righe[1].contains(";elemento-1;REGISTRATA;INPS-AUF-2021-000000000001;1;"),
        "{}",
        righe[1]
    );

    // Each of them is a domanda like any other.
    let consulta = busta(
        "",
        &format!(
            "<at:ConsultaDomanda xmlns:at=\"{AT}\"><at:Riferimento><c:ChiaveInvio \
             xmlns:c=\"http://inps.it/cooperazione/v1\">elemento-5</c:ChiaveInvio></at:Riferimento></at:ConsultaDomanda>"
        ),
    );
    let consultata = client.post(consulta.as_bytes());
    assert_eq!(
        consultata.value("Protocollo").as_deref(),
        Some("INPS-AUF-2021-000000000003"),
        "{}",
        consultata.text()
    );
    let riepilogo = client.post(consulta.replace("ConsultaDomanda", "ScaricaRiepilogo").as_bytes());
    assert_eq!(riepilogo.status, 200, "{}", riepilogo.text());
}

fn a_file_is_the_same_lot_however_it_comes(archivio: Archivio) {
    use base64::Engine as _;
    let gateway = Gateway::spawn(&Setting::on(archivio));
    let client = gateway.client("pat01");
    let file = file(&[elemento(1), elemento(2)]);
    let primo = accanto(&client, "lotto-1", file.as_bytes());
    let id = accolto(&primo);
    assert_eq!(primo.value("Ripetizione").as_deref(), Some("false"));
    assert_eq!(primo.value("Byte"), Some(file.len().to_string()));

    let in_base64 = base64::engine::general_purpose::STANDARD.encode(&file);
    let in_righe: Vec<_> = in_base64
        .as_bytes()
        .chunks(76)
        .map(|riga| std::str::from_utf8(riga).unwrap())
        .collect();
    let in_righe = in_righe.join("&#13;\n");
    let altri_modi = [
        accanto(&client, "lotto-1", &gzip(file.as_bytes())),
        client.post(invia("lotto-1", &format!("<at:File>{in_righe}</at:File>")).as_bytes()),
        client.post(invia("lotto-1", &format!("<at:File><![CDATA[{in_base64}]]></at:File>")).as_bytes()),
        client.post(
            invia(
                "lotto-1",
                &format!(
                    "<at:File>{}</at:File>",
                    base64::engine::general_purpose::STANDARD.encode(gzip(file.as_bytes()))
                ),
            )
            .as_bytes(),
        ),
    ];
    for risposta in &altri_modi {
        assert_eq!(accolto(risposta), id);
        assert_eq!(risposta.value("Ripetizione").as_deref(), Some("true"));
    }
    let stato = concluso(&client, &id);
    assert_eq!(
        stato.value("Esito").as_deref(),
        Some("COMPLETO"),
        "{}",
        stato.text()
    );
    assert_eq!(conteggi(&stato), [2, 0, 0, 0]);
    assert_eq!(
        stato.value("Elementi").as_deref(),
        Some("2"),
        "known once it was read"
    );
}

fn a_repeated_lot_has_its_old_id_and_its_items_their_old_numbers(archivio: Archivio) {
    let gateway = Gateway::spawn(&Setting::on(archivio));
    let client = gateway.client("pat01");
    let elementi: Vec<_> = (1..=3).map(elemento).collect();
    let id = accolto(&client.post(in_linea("lotto-1", &elementi).as_bytes()));
    concluso(&client, &id);
    let ancora = client.post(in_linea("lotto-1", &elementi).as_bytes());
    assert_eq!(accolto(&ancora), id);
    assert_eq!(
        (
            ancora.value("Ripetizione").as_deref(),
            ancora.value("Stato").as_deref()
        ),
        (Some("true"), Some("done"))
    );

    let altro = client.post(in_linea("lotto-1", &elementi[..2]).as_bytes());
    assert_eq!(
        (altro.status, altro.value("Codice").as_deref()),
        (500, Some("RPL-002"))
    );
    assert!(altro.text().contains(&id), "{}", altro.text());
    let chiave_presa = client.post(in_linea("elemento-1", &[elemento(9)]).as_bytes());
    assert_eq!(chiave_presa.value("Codice").as_deref(), Some("RPL-001"));
    let domanda = elemento(8).replace("elemento-8", "lotto-1");
    let domanda = client.post(busta("", &domanda).as_bytes());
    assert_eq!(
        domanda.value("Codice").as_deref(),
        Some("RPL-002"),
        "{}",
        domanda.text()
    );

    let mut di_nuovo = vec![elemento(4)];
    di_nuovo.extend_from_slice(&elementi);
    let secondo = accolto(&client.post(in_linea("lotto-2", &di_nuovo).as_bytes()));
    let stato = concluso(&client, &secondo);
    assert_eq!(conteggi(&stato), [1, 3, 0, 0]);
    let esito = chiedi(&client, "EsitoLotto", &secondo, "");
    assert_eq!(
        esito.values("Protocollo"),
        [4, 1, 2, 3].map(|numero| format!("INPS-AUF-2021-{numero:012}"))
    );
    assert_eq!(esito.values("Ripetizione"), ["false", "true", "true", "true"]);
}

fn items_that_hang_on_each_other_are_judged_in_their_order(archivio: Archivio) {
    let gateway = Gateway::spawn(&Setting::on(archivio));
    let client = gateway.client("pat01");
    let (primo, secondo) = (elemento(1), elemento(2));
    let stesso_figlio = primo.replace("elemento-1", "elemento-1-bis");
    let altro_contenuto = secondo.replace("elemento-2", "elemento-1");
    let elementi = [
        primo.clone(),
        primo,
        stesso_figlio.clone(),
        altro_contenuto,
        secondo.clone(),
        secondo,
        stesso_figlio,
        elemento(3),
    ];
    let id = accolto(&client.post(in_linea("lotto-1", &elementi).as_bytes()));
    let stato = concluso(&client, &id);
    assert_eq!(conteggi(&stato), [3, 2, 3, 0], "{}", stato.text());
    let esito = chiedi(&client, "EsitoLotto", &id, "");
    assert_eq!(
        esito.values("Protocollo"),
        [1, 1, 2, 2, 3].map(|numero| format!("INPS-AUF-2021-{numero:012}"))
    );
    assert_eq!(
        esito.values("Codice"),
        ["AT-006", "RPL-001", "AT-006"],
        "{}",
        esito.text()
    );
}

fn a_lot_that_cannot_be_read_to_its_end_keeps_what_was_done(archivio: Archivio) {
    let gateway = Gateway::spawn(&Setting::on(archivio));
    let client = gateway.client("pat01");
    let intero = file(&[elemento(1), elemento(2), elemento(3)]);
    let fine = intero.find("elemento-3").unwrap();
    let id = accolto(&accanto(&client, "lotto-1", &intero.as_bytes()[..fine]));
    let stato = concluso(&client, &id);
    assert_eq!(stato.value("Esito").as_deref(), Some("INTERROTTO"));
    assert_eq!(conteggi(&stato)[..2], [2, 0], "{}", stato.text());
    assert_eq!(
        stato.value("Codice").as_deref(),
        Some("ENV-002"),
        "{}",
        stato.text()
    );
    let riga = intero
        .lines()
        .position(|riga| riga.contains("elemento-3"))
        .unwrap()
        + 1;
    assert_eq!(stato.value("Riga"), Some(riga.to_string()));

    for (chiave, contenuto, codice) in [
        ("radice", format!("<at:Altro xmlns:at=\"{AT}\"/>"), "LOT-014"),
        ("vuoto", file(&[]), "LOT-010"),
        (
            "coda",
            format!("{}<!-- fine --><altro/>", file(&[elemento(7)])),
            "ENV-019",
        ),
        (
            "testo",
            file(&[elemento(5), "qualcosa".into(), elemento(6)]),
            "XSD-020",
        ),
    ] {
        let id = accolto(&accanto(&client, chiave, contenuto.as_bytes()));
        let stato = concluso(&client, &id);
        assert_eq!(
            (stato.value("Esito").as_deref(), stato.value("Codice").as_deref()),
            (Some("INTERROTTO"), Some(codice)),
            "{}",
            stato.text()
        );
    }
    let straniero = file(&[
        elemento(10),
        format!("<at:Limiti xmlns:at=\"{AT}\"/>"),
        elemento(11),
    ]);
    let id = accolto(&accanto(&client, "straniero", straniero.as_bytes()));
    assert_eq!(conteggi(&concluso(&client, &id)), [2, 0, 1, 0]);
    let esito = chiedi(&client, "EsitoLotto", &id, "");
    assert_eq!(
        esito.value("Codice").as_deref(),
        Some("LOT-013"),
        "{}",
        esito.text()
    );
}

fn nothing_is_kept_of_a_lot_that_is_not_well_formed(archivio: Archivio) {
    let gateway = Gateway::spawn(&Setting::on(archivio));
    let client = gateway.client("pat01");
    let buono = in_linea("lotto-1", &[elemento(1), elemento(2)]);
    for (errato, codice) in [
        (buono.replace("</at:Lotto>", ""), "ENV-010"),
        (buono.replacen("</at:Domanda>", "</at:Domnda>", 1), "ENV-010"),
        (buono[..buono.len() - 20].to_owned(), "ENV-002"),
        (buono.replace("</at:Lotto>", "</at:Lotto><at:Altro/>"), "XSD-002"),
        (buono.replace("</env:Body>", "</env:Body><env:Body/>"), "ENV-048"),
        (in_linea("lotto-1", &[]), "LOT-010"),
        (in_linea("lotto 1", &[elemento(1)]), "XSD-010"),
        (invia("lotto-1", ""), "XSD-006"),
        (invia("lotto-1", "<at:File>*</at:File>"), "XSD-010"),
        (buono.replace("<at:Lotto>", "<at:Lotto a=\"b\">"), "XSD-030"),
    ] {
        let risposta = client.post(errato.as_bytes());
        assert_eq!(
            (risposta.status, risposta.value("Codice").as_deref()),
            (500, Some(codice)),
            "{}",
            risposta.text()
        );
    }
    let tronco = &gzip(file(&[elemento(1)]).as_bytes())[..100];
    assert_eq!(
        accanto(&client, "lotto-1", tronco).value("Codice").as_deref(),
        Some("LOT-011")
    );
    let lotti = gateway.block_on(gateway.store().lotti(varco::store::lotti::Quali::Tutti, 10));
    assert_eq!(lotti.unwrap().len(), 0);
    // The key is free.
    accolto(&client.post(buono.as_bytes()));
}

fn a_lot_of_another_ente_is_unknown(archivio: Archivio) {
    let gateway = Gateway::spawn(&Setting::on(archivio));
    let client = gateway.client("pat01");
    let id = accolto(&client.post(in_linea("lotto-1", &[elemento(1)]).as_bytes()));
    concluso(&client, &id);
    let altrui = gateway.client("pat02");
    let ignoto = "0192f0c1-7c2a-7b3e-9d51-3f2a6c1d8e90";
    for operazione in ["StatoLotto", "EsitoLotto"] {
        let suo = chiedi(&altrui, operazione, &id, "");
        assert_eq!(
            (suo.status, suo.value("Codice").as_deref()),
            (500, Some("LOT-004"))
        );
        assert_eq!(
            chiedi(&client, operazione, ignoto, "").value("Codice").as_deref(),
            Some("LOT-004")
        );
        let storto = chiedi(&client, operazione, &id.to_uppercase().replace('0', "O"), "");
        assert_eq!(storto.value("Codice").as_deref(), Some("LOT-002"));
        let due = chiedi(
            &client,
            operazione,
            ignoto,
            &format!("<coop:IdLotto>{id}</coop:IdLotto>"),
        );
        assert_eq!(due.value("Codice").as_deref(), Some("LOT-003"));
        let senza = busta("", &format!("<at:{operazione} xmlns:at=\"{AT}\"/>"));
        let senza = client.post(senza.as_bytes());
        assert_eq!(senza.value("Codice").as_deref(), Some("LOT-001"));
        assert!(senza.text().contains("at:X-Correlation-ID"));
        let nel_corpo = busta(
            "",
            &format!(
                "<at:{operazione} xmlns:at=\"{AT}\"><c:IdLotto xmlns:c=\"http://inps.it/cooperazione/v1\">{id}\
                 </c:IdLotto></at:{operazione}>"
            ),
        );
        assert_eq!(client.post(nel_corpo.as_bytes()).status, 200);
    }
}

/// Queueing a lot costs nobody a month: by 30 June from March, by the year's end from January (AU-3).
fn an_item_counts_as_presented_when_its_lot_was_durable(archivio: Archivio) {
    for (durevole, lavorato, decorrenza, anno) in [
        (
            "2022-06-30T21:59:50.000Z",
            "2022-06-30T22:00:10.000Z",
            "2022-03",
            2022,
        ),
        (
            "2022-12-31T22:59:50.000Z",
            "2022-12-31T23:00:10.000Z",
            "2023-01",
            2023,
        ),
    ] {
        let gateway = Gateway::spawn(&Setting {
            orologio: Some(durevole.to_owned()),
            ..Setting::on(archivio)
        });
        let servizio = PRESTAZIONI[1].servizio;
        let client = gateway.client_of(servizio, "pat01");
        // An ente's lots are worked one after the other: this one keeps the next waiting until the clock was moved.
        let primi: Vec<_> = (1000..2000).map(elemento).collect();
        let primo = gateway
            .client("pat01")
            .post(in_linea("lotto-0", &primi).as_bytes());
        accolto(&primo);
        let messaggio = {
            let elementi: Vec<_> = (1..=5).map(|seme| elemento_di(1, "2022-06-30", seme)).collect();
            in_linea("lotto-1", &elementi).replace(AT, PRESTAZIONI[1].namespace)
        };
        let risposta = client.post(messaggio.as_bytes());
        let id = accolto(&risposta);
        assert_eq!(risposta.value("PresentatoIl").as_deref(), Some(durevole));
        gateway.clock.set(lavorato.parse().unwrap());
        let namespace = PRESTAZIONI[1].namespace;
        let chiedi = |operazione: &str, dentro: &str| {
            let corpo = format!(
                "<a:{operazione} xmlns:a=\"{namespace}\" xmlns:c=\"{COOP}\">{dentro}</a:{operazione}>"
            );
            client.post(busta("", &corpo).as_bytes())
        };
        let inizio = Instant::now();
        while chiedi("StatoLotto", &format!("<c:IdLotto>{id}</c:IdLotto>"))
            .value("Stato")
            .as_deref()
            != Some("done")
        {
            assert!(inizio.elapsed() < Duration::from_mins(1));
            std::thread::sleep(Duration::from_millis(50));
        }
        for seme in [1, 5] {
            let riferimento =
                format!("<a:Riferimento><c:ChiaveInvio>elemento-{seme}</c:ChiaveInvio></a:Riferimento>");
            let ricevuta = chiedi("ScaricaRicevuta", &riferimento);
            let detto = ["Canale", "PresentataIl", "RegistrataIl", "DecorrenzaPresunta"].map(|nome| {
                ricevuta
                    .value(nome)
                    .unwrap_or_else(|| panic!("{nome}: {}", ricevuta.text()))
            });
            assert_eq!(detto, ["LOTTO", durevole, lavorato, decorrenza]);
            let protocollo = ricevuta.value("Protocollo").unwrap();
            assert!(
                protocollo.starts_with(&format!("INPS-AUF-{anno}-")),
                "{protocollo}"
            );
        }
    }
}

fn the_limits_of_lots_hold(archivio: Archivio) {
    let gateway = Gateway::spawn(&Setting {
        lotti: Some("byte_max = 20000\nelementi_max = 3\nelemento_bytes_max = 6000".into()),
        ..Setting::on(archivio)
    });
    let client = gateway.client("pat01");
    let codice = |risposta: &Reply| {
        assert_eq!(risposta.status, 500, "{}", risposta.text());
        risposta.value("Codice").unwrap()
    };
    let quattro: Vec<_> = (1..=4).map(elemento).collect();
    assert_eq!(
        codice(&client.post(in_linea("a", &quattro).as_bytes())),
        "LOT-008"
    );
    let lungo = elemento(1).replace(
        "<at:Domanda>",
        &format!("<at:Domanda><!--{}-->", "x".repeat(7000)),
    );
    assert_eq!(
        codice(&client.post(in_linea("b", &[lungo]).as_bytes())),
        "LOT-009"
    );
    let troppo = file(&(1..=10).map(elemento).collect::<Vec<_>>());
    assert_eq!(codice(&accanto(&client, "c", troppo.as_bytes())), "LOT-007");
    let bomba = gzip(&vec![b' '; 8 << 20]);
    let con_bomba = accanto(&client, "d", &bomba);
    assert!(["LOT-007", "LOT-012"].contains(&codice(&con_bomba).as_str()));
    let id = accolto(&accanto(&client, "e", file(&quattro).as_bytes()));
    let stato = concluso(&client, &id);
    assert_eq!(
        (stato.value("Esito").as_deref(), stato.value("Codice").as_deref()),
        (Some("INTERROTTO"), Some("LOT-008"))
    );
    assert_eq!(conteggi(&stato)[0], 3);
}

fn an_item_on_which_we_break_is_refused_alone(archivio: Archivio) {
    let gateway = Gateway::spawn(&Setting::on(archivio));
    let client = gateway.client("pat01");
    let elementi: Vec<_> = (1..=5).map(elemento).collect();
    // The third one that is to be registered.
    gateway.ids_dei_lotti.store(3, Ordering::Relaxed);
    let id = accolto(&client.post(in_linea("L-1", &elementi).as_bytes()));
    let stato = concluso(&client, &id);
    assert_eq!(conteggi(&stato), [4, 0, 1, 0], "{}", stato.text());
    let esito = chiedi(&client, "EsitoLotto", &id, "");
    assert_eq!(esito.values("Codice"), ["SYS-001"], "{}", esito.text());
    assert_eq!(
        esito.value("Percorso").as_deref(),
        Some("/at:Lotto/at:InviaDomanda[3]"),
        "{}",
        esito.text()
    );

    // Alone it is as good as the others; and the worker works on.
    let id = accolto(&client.post(in_linea("L-2", &elementi[2..3]).as_bytes()));
    assert_eq!(conteggi(&concluso(&client, &id)), [1, 0, 0, 0]);
}
