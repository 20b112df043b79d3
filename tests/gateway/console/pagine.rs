//! What the pages show, and to whom.

use std::time::{Duration, Instant};

use uuid::Uuid;
use varco::store::Ricerca;
use varco::store::operatori::Ruolo;
use varco::trace::Traccia;

use super::accesso::written;
use super::ospite::Ospite;
use super::{add, spawn, spawn_with};
use crate::helpers::{Archivio, Gateway, on_both_stores};
use crate::manutenzione::order;

on_both_stores! {
    a_refusal_its_retry_and_the_number_are_three_clicks_apart,
    in_clear_only_for_a_reason_that_is_written_down_first,
    a_search_is_kept_for_who_kept_it,
    traffic_is_counted_by_ente,
    maintenance_stands_on_every_page,
}

const BUONA: &str = include_str!("../../messages/domanda-registered/request.xml");

/// Refused for its form, then corrected under the same key; both traces, oldest first.
pub(super) fn refused_then_registered(gateway: &Gateway) -> Vec<Traccia> {
    let client = gateway.client("pat01");
    let rotta = BUONA.replacen("<at:Disabile>false<", "<at:Disabile>forse<", 1);
    assert_ne!(rotta, BUONA);
    assert!(client.post(rotta.as_bytes()).text().contains("XSD-016"));
    assert!(
        client
            .post(BUONA.as_bytes())
            .text()
            .contains("INPS-AUF-2021-000000000001")
    );
    let ricerca = Ricerca {
        chiave_invio: Some("K-1".to_owned()),
        limite: 10,
        ..Ricerca::default()
    };
    let fine = Instant::now() + Duration::from_secs(10);
    loop {
        let mut trovate = gateway.block_on(gateway.store().tracce(&ricerca)).unwrap().righe;
        if trovate.len() == 2 {
            trovate.reverse();
            return trovate;
        }
        assert!(Instant::now() < fine);
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Who may ask for what: each route by each role, signed in or not.
/// Method, path and form; the status that nobody gets, and each role.
type Riga<'t> = (&'t str, &'t str, &'t [(&'t str, &'t str)], [u16; 4]);

#[test]
fn every_route_asks_for_its_role() {
    let gateway = spawn(Archivio::Sqlite);
    for (nome, ruolo) in [
        ("letta", Ruolo::Lettore),
        ("indro", Ruolo::Indagatore),
        ("gino", Ruolo::Gestore),
    ] {
        add(&gateway, nome, ruolo);
    }
    let id = refused_then_registered(&gateway)[0].message_id;
    let nessuno = Ospite::new(&gateway);
    let ospiti = ["letta", "indro", "gino"].map(|nome| Ospite::come_in(&gateway, nome));
    let messaggio = format!("/messaggi/{id}");
    let (chiaro, scarica) = (format!("{messaggio}/in-chiaro"), format!("{messaggio}/scarica"));
    let lotto = format!("/lotti/{}", Uuid::nil());
    let motivo = ("motivo", "richiesta del patronato n. 7");
    // Method, path, form; nobody, lettore, indagatore, gestore.
    let tabella: &[Riga<'_>] = &[
        ("GET", "/accesso", &[], [200, 200, 200, 200]),
        ("GET", "/icona.svg", &[], [200, 200, 200, 200]),
        ("GET", "/lingua/en", &[], [303, 303, 303, 303]),
        ("GET", "/", &[], [303, 303, 303, 303]),
        ("GET", "/traffico", &[], [303, 200, 200, 200]),
        ("GET", "/messaggi", &[], [303, 200, 200, 200]),
        ("GET", &messaggio, &[], [303, 200, 200, 200]),
        ("GET", "/porta", &[], [303, 200, 200, 200]),
        ("GET", "/lotti", &[], [303, 200, 200, 200]),
        ("GET", "/enti", &[], [303, 200, 200, 200]),
        ("GET", "/archivio", &[], [303, 200, 200, 200]),
        (
            "POST",
            "/messaggi/cerca",
            &[("ente", "PAT01")],
            [303, 303, 303, 303],
        ),
        (
            "POST",
            "/messaggi/ricerche",
            &[("ente", "PAT01"), ("nome", "mia")],
            [303, 303, 303, 303],
        ),
        (
            "POST",
            "/messaggi/ricerche/togli",
            &[("nome", "mia")],
            [303, 303, 303, 303],
        ),
        ("POST", &chiaro, &[motivo], [303, 403, 200, 200]),
        (
            "POST",
            &scarica,
            &[motivo, ("parte", "richiesta")],
            [303, 403, 200, 200],
        ),
        (
            "POST",
            "/messaggi/esporta",
            &[("ente", "PAT01")],
            [303, 403, 200, 200],
        ),
        ("POST", &lotto, &[("comando", "sospendi")], [303, 403, 403, 303]),
        ("GET", "/nulla", &[], [404, 404, 404, 404]),
        ("POST", "/traffico", &[], [405, 405, 405, 405]),
        ("GET", "/uscita", &[], [405, 405, 405, 405]),
        ("POST", "/uscita", &[], [303, 303, 303, 303]),
    ];
    for (metodo, percorso, campi, attesi) in tabella {
        let tutti = [&nessuno, &ospiti[0], &ospiti[1], &ospiti[2]];
        let status = tutti.map(|ospite| match (*metodo, ospite.cookie.is_some()) {
            ("GET", _) => ospite.get(percorso).status,
            (_, true) => ospite.submit(percorso, campi).status,
            (_, false) => ospite.post(percorso, campi).status,
        });
        assert_eq!(status, *attesi, "{metodo} {percorso}");
    }
}

#[test]
fn every_answer_wears_the_same_headers() {
    let gateway = spawn(Archivio::Sqlite);
    add(&gateway, "anna", Ruolo::Lettore);
    let id = refused_then_registered(&gateway)[0].message_id;
    let anna = Ospite::come_in(&gateway, "anna");
    let traffico = anna.get("/traffico").text();
    let stile = traffico
        .split("rel=\"stylesheet\" href=\"")
        .nth(1)
        .unwrap()
        .split('"')
        .next()
        .unwrap();
    let messaggio = format!("/messaggi/{id}");
    for percorso in [
        "/traffico",
        "/messaggi",
        &messaggio,
        "/porta",
        "/lotti",
        "/enti",
        "/archivio",
        "/accesso",
        "/nulla",
        stile,
    ] {
        let risposta = anna.get(percorso);
        assert_eq!(
            risposta.header("content-security-policy"),
            Some(
                "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
            ),
            "{percorso}"
        );
        for (nome, valore) in [
            ("x-content-type-options", "nosniff"),
            ("referrer-policy", "same-origin"),
            ("cross-origin-opener-policy", "same-origin"),
        ] {
            assert_eq!(risposta.header(nome), Some(valore), "{percorso}");
        }
        if percorso == stile {
            assert_eq!(
                risposta.header("cache-control"),
                Some("public, max-age=31536000, immutable")
            );
            let etag = risposta.header("etag").unwrap();
            assert_eq!(anna.get_with(stile, &[("If-None-Match", etag)]).status, 304);
        } else {
            assert_eq!(risposta.header("cache-control"), Some("no-store"), "{percorso}");
            assert_eq!(risposta.content_type, "text/html; charset=utf-8");
            let pagina = risposta.text();
            assert!(
                pagina.contains("<html lang=\"it\">") && pagina.contains("href=\"#contenuto\""),
                "{percorso}"
            );
            assert!(
                !pagina.contains("<script") && !pagina.contains(" style="),
                "{percorso}"
            );
        }
    }
}

#[test]
fn english_is_a_choice_that_is_remembered() {
    let gateway = spawn(Archivio::Sqlite);
    let mut ospite = Ospite::new(&gateway);
    let scelta = ospite.get("/lingua/en?torna=%2Faccesso");
    assert_eq!(
        (scelta.status, scelta.header("location")),
        (303, Some("/accesso"))
    );
    assert_eq!(
        scelta.header("set-cookie"),
        Some("varco_lingua=en; Path=/; HttpOnly; SameSite=Strict; Max-Age=31536000")
    );
    ospite.keep_cookie(&scelta);
    let pagina = ospite.get("/accesso").text();
    assert!(pagina.contains("<html lang=\"en\">") && pagina.contains("<h1>Sign in</h1>"));
}

#[test]
fn a_form_has_an_end() {
    let gateway = spawn(Archivio::Sqlite);
    let lungo = "x".repeat(65 * 1024);
    assert_eq!(Ospite::new(&gateway).sign_in("anna", &lungo).status, 413);
}

fn a_refusal_its_retry_and_the_number_are_three_clicks_apart(archivio: Archivio) {
    let gateway = spawn(archivio);
    add(&gateway, "anna", Ruolo::Lettore);
    let tracce = refused_then_registered(&gateway);
    let anna = Ospite::come_in(&gateway, "anna");
    // «…il numero finiva per uno, mi pare del 2021»
    let cercato = anna.submit("/messaggi/cerca", &[("protocollo", "2021-1")]);
    assert_eq!(cercato.header("location"), Some("/messaggi?protocollo=2021-1"));
    let elenco = anna.get("/messaggi?protocollo=2021-1").text();
    let [rifiutata, registrata] =
        [&tracce[0], &tracce[1]].map(|traccia| format!("href=\"/messaggi/{}\"", traccia.message_id));
    assert!(
        elenco.contains(&registrata) && !elenco.contains(&rifiutata),
        "{elenco}"
    );
    let messaggio = anna.get(&format!("/messaggi/{}", tracce[1].message_id)).text();
    assert!(messaggio.contains("<bdi>INPS-AUF-2021-000000000001</bdi>"));
    assert!(
        messaggio.contains(&rifiutata),
        "the refused attempt under the same key"
    );
    let rifiuto = anna.get(&format!("/messaggi/{}", tracce[0].message_id)).text();
    assert!(
        rifiuto.contains("XSD-016") && rifiuto.contains("riga <strong>") && rifiuto.contains(&registrata)
    );
    assert!(
        rifiuto.contains("class=\"segnata\""),
        "the line is marked in the request"
    );
    assert!(
        rifiuto.contains("&lt;at:Disabile&gt;forse&lt;/at:Disabile&gt;")
            || rifiuto.contains("&#60;at:Disabile&#62;forse")
    );
    for privato in ["RSSMRA80A01H501U", "mario.rossi", "MARIO"] {
        assert!(
            !rifiuto.contains(privato) && !messaggio.contains(privato),
            "{privato}"
        );
    }
}

fn in_clear_only_for_a_reason_that_is_written_down_first(archivio: Archivio) {
    let gateway = spawn(archivio);
    add(&gateway, "indro", Ruolo::Indagatore);
    let traccia = refused_then_registered(&gateway).remove(1);
    let indro = Ospite::come_in(&gateway, "indro");
    let chiaro = format!("/messaggi/{}/in-chiaro", traccia.message_id);
    let scarica = format!("/messaggi/{}/scarica", traccia.message_id);
    let prima = written(&gateway).len();
    for motivo in ["", "corto", &"x".repeat(501)] {
        let risposta = indro.submit(&chiaro, &[("motivo", motivo)]).text();
        assert!(risposta.contains("Serve un motivo") && !risposta.contains("RSSMRA80A01H501U"));
        let bytes = indro.submit(&scarica, &[("motivo", motivo), ("parte", "richiesta")]);
        assert!(!bytes.text().contains("RSSMRA80A01H501U"));
    }
    assert_eq!(
        written(&gateway).len(),
        prima,
        "nothing was shown, nothing was looked at"
    );
    let motivo = ("motivo", "reclamo 2021/7 di RSSMRA80A01H501U");
    assert!(
        indro
            .submit(&chiaro, &[motivo])
            .text()
            .contains("RSSMRA80A01H501U")
    );
    let bytes = indro.submit(&scarica, &[motivo, ("parte", "richiesta")]);
    assert_eq!(bytes.body, BUONA.as_bytes());
    assert_eq!(bytes.content_type, "application/octet-stream");
    let nome = format!("attachment; filename=\"richiesta-{}.xml\"", traccia.message_id);
    assert_eq!(bytes.header("content-disposition"), Some(nome.as_str()));
    let scritte = written(&gateway);
    let guardate: Vec<_> = scritte[prima..]
        .iter()
        .map(|scritta| {
            (
                scritta.operazione.as_deref().unwrap(),
                scritta.user_id.as_deref(),
                scritta.protocollo.as_deref(),
            )
        })
        .collect();
    let numero = Some("INPS-AUF-2021-000000000001");
    assert_eq!(
        guardate,
        [
            ("console in chiaro", Some("indro"), numero),
            ("console scarica", Some("indro"), numero)
        ]
    );
    assert_eq!(
        scritte[prima].note,
        [
            format!("di {}", traccia.message_id),
            "motivo: reclamo 2021/7 di RSS*************".to_owned()
        ]
    );
    // And a look is found as every message is.
    let elenco = indro.get("/messaggi?canale=CONSOLE&user_id=indro").text();
    assert!(elenco.contains("console in chiaro") && elenco.contains("console scarica"));
}

fn a_search_is_kept_for_who_kept_it(archivio: Archivio) {
    let gateway = spawn(archivio);
    add(&gateway, "anna", Ruolo::Lettore);
    add(&gateway, "bruno", Ruolo::Lettore);
    let anna = Ospite::come_in(&gateway, "anna");
    anna.submit(
        "/messaggi/ricerche",
        &[
            ("nome", "rifiuti di PAT01"),
            ("ente", "PAT01"),
            ("esito", "FAULT"),
        ],
    );
    let sua = anna.get("/messaggi").text();
    assert!(
        sua.contains("<a href=\"/messaggi?ente=PAT01&#38;esito=FAULT\"><bdi>rifiuti di PAT01</bdi></a>"),
        "{sua}"
    );
    assert!(
        !Ospite::come_in(&gateway, "bruno")
            .get("/messaggi")
            .text()
            .contains("rifiuti di PAT01")
    );
    anna.submit("/messaggi/ricerche/togli", &[("nome", "rifiuti di PAT01")]);
    assert!(!anna.get("/messaggi").text().contains("rifiuti di PAT01"));
}

#[test]
fn no_address_holds_a_codice_fiscale() {
    let gateway = spawn(Archivio::Sqlite);
    add(&gateway, "anna", Ruolo::Lettore);
    refused_then_registered(&gateway);
    let anna = Ospite::come_in(&gateway, "anna");
    for campo in ["persona", "user_id", "chiave_invio"] {
        let trovato = anna.submit("/messaggi/cerca", &[(campo, "RSSMRA80A01H501U")]);
        assert_eq!(
            (trovato.status, trovato.header("location")),
            (200, None),
            "{campo}"
        );
    }
    let suoi = anna
        .submit("/messaggi/cerca", &[("persona", "RSSMRA80A01H501U")])
        .text();
    assert!(suoi.contains("INPS-AUF-2021-000000000001"), "{suoi}");
    let altrui = anna
        .submit("/messaggi/cerca", &[("persona", "VRDLGU70A01F205X")])
        .text();
    assert!(!altrui.contains("href=\"/messaggi/0"), "{altrui}");
    // Nor does one that is typed into the address find anybody.
    let indirizzo = anna.get("/messaggi?persona=RSSMRA80A01H501U").text();
    assert!(!indirizzo.contains("RSSMRA80A01H501U"));
}

fn traffic_is_counted_by_ente(archivio: Archivio) {
    let gateway = spawn(archivio);
    add(&gateway, "anna", Ruolo::Lettore);
    refused_then_registered(&gateway);
    let anna = Ospite::come_in(&gateway, "anna");
    let pagina = anna.get("/traffico?minuti=5").text();
    let riga = pagina
        .split("<bdi>PAT01</bdi>")
        .nth(1)
        .unwrap()
        .split("</tr>")
        .next()
        .unwrap();
    // Registered, other, refused, cut off, all; what the console writes down is no traffic.
    let numeri: Vec<&str> = riga
        .split("<td class=\"n\">")
        .skip(1)
        .map(|cella| cella.split("</td>").next().unwrap())
        .collect();
    assert_eq!(numeri, ["1", "0", "1", "0", "<strong>2</strong>"]);
    assert!(pagina.contains("role=\"img\" aria-label=\"Messaggi al secondo"));
}

#[test]
fn a_lot_is_held_back_and_let_go_on_from_its_row() {
    let gateway = spawn(Archivio::Sqlite);
    add(&gateway, "gestore", Ruolo::Gestore);
    let gestore = Ospite::come_in(&gateway, "gestore");
    let nessuno = format!("/lotti/{}", Uuid::from_u128(7));
    let fatto = gestore.submit(&nessuno, &[("comando", "sospendi")]);
    assert_eq!(fatto.header("location"), Some("/lotti?fatto=no"));
    assert!(
        gestore
            .get("/lotti?fatto=no")
            .text()
            .contains("Il lotto non è più aperto")
    );
    // Closed for good only where the box was ticked.
    let senza = gestore.submit(&nessuno, &[("comando", "annulla")]);
    assert_eq!(senza.header("location"), Some("/lotti"));
    let note: Vec<_> = written(&gateway)
        .into_iter()
        .flat_map(|traccia| traccia.note)
        .collect();
    assert_eq!(note.last(), Some(&format!("sospendi {}", Uuid::from_u128(7))));
}

#[test]
fn partners_are_told_with_the_days_that_their_certificates_have_left() {
    let gateway = spawn(Archivio::Sqlite);
    add(&gateway, "anna", Ruolo::Lettore);
    let pagina = Ospite::come_in(&gateway, "anna").get("/enti").text();
    assert!(pagina.contains("<bdi>PAT01</bdi>") && pagina.contains("Certificati di questo varco"));
    let archivio = Ospite::come_in(&gateway, "anna").get("/archivio").text();
    assert!(archivio.contains("prenderebbe una registrazione adesso") && archivio.contains("SQLite 3."));
}

fn maintenance_stands_on_every_page(archivio: Archivio) {
    let gateway = spawn_with(archivio, "[manutenzione]\nintervallo_s = 0.05");
    add(&gateway, "anna", Ruolo::Lettore);
    let anna = Ospite::come_in(&gateway, "anna");
    assert!(!anna.get("/lotti").text().contains("In manutenzione"));
    order(&gateway, gateway.clock_now(), Some(("si torna <presto>", None)));
    let fine = Instant::now() + Duration::from_secs(10);
    while !anna.get("/lotti").text().contains("In manutenzione") {
        assert!(Instant::now() < fine);
        std::thread::sleep(Duration::from_millis(20));
    }
    for pagina in ["/traffico", "/messaggi", "/porta", "/enti", "/archivio"] {
        let testo = anna.get(pagina).text();
        assert!(testo.contains("In manutenzione"), "{pagina}: {testo}");
        assert!(testo.contains("si torna &#60;presto&#62;"), "{pagina}: {testo}");
    }
}
