//! Who comes in.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use openssl::ssl::{SslConnector, SslMethod, SslVerifyMode};
use uuid::Uuid;
use varco::adesione::Certificato;
use varco::cli::dev_certs;
use varco::clock::{Clock as _, WallClock};
use varco::domanda::sha256::Sha256;
use varco::store::Ricerca;
use varco::store::operatori::{Chi, NuovoOperatore, Ruolo};
use varco::trace::Traccia;

use super::ospite::Ospite;
use super::{PASSWORD, add, spawn, spawn_with};
use crate::helpers::{Archivio, Gateway, agent, certs, on_both_stores};

on_both_stores! {
    who_signs_in_comes_in_and_who_signs_out_is_out,
    a_session_ends_by_itself,
    who_is_shut_out_is_out_at_once,
    what_is_done_is_written_down,
    an_operator_has_one_name_and_stays,
}

/// What the console wrote down of itself, oldest first.
pub(super) fn written(gateway: &Gateway) -> Vec<Traccia> {
    let ricerca = Ricerca {
        canale: Some("CONSOLE".to_owned()),
        limite: 100,
        ..Ricerca::default()
    };
    let mut trovate = gateway.block_on(gateway.store().tracce(&ricerca)).unwrap().righe;
    trovate.reverse();
    trovate
}

fn who_signs_in_comes_in_and_who_signs_out_is_out(archivio: Archivio) {
    let gateway = spawn(archivio);
    add(&gateway, "anna", Ruolo::Lettore);
    let mut anna = Ospite::new(&gateway);
    let fuori = anna.get("/messaggi?ente=PAT01");
    assert_eq!(fuori.status, 303);
    assert_eq!(
        fuori.header("location"),
        Some("/accesso?torna=%2fmessaggi%3fente%3dPAT01")
    );
    let dentro = anna.sign_in("anna", PASSWORD);
    assert_eq!(
        (dentro.status, dentro.header("location")),
        (303, Some("/traffico"))
    );
    let cookie = dentro.header("set-cookie").unwrap();
    assert!(
        cookie.starts_with("varco_sessione=") && cookie.ends_with("; Path=/; HttpOnly; SameSite=Strict"),
        "{cookie}"
    );
    assert!(
        anna.get("/traffico")
            .text()
            .contains("<bdi>anna</bdi> <span class=\"ruolo\">lettore</span>")
    );
    // Another session has another token, and the store has neither.
    let seconda = Ospite::come_in(&gateway, "anna");
    assert_ne!(seconda.cookie, anna.cookie);
    assert_eq!(anna.submit("/uscita", &[]).header("location"), Some("/accesso"));
    assert_eq!(anna.get("/traffico").status, 303);
    assert_eq!(seconda.get("/traffico").status, 200);
}

fn a_session_ends_by_itself(archivio: Archivio) {
    let gateway = spawn(archivio);
    add(&gateway, "anna", Ruolo::Lettore);
    let store = gateway.store();
    let (operatore, _) = gateway
        .block_on(store.operatore(Chi::Nome("anna")))
        .unwrap()
        .unwrap();
    let adesso = WallClock::default().wall();
    let ore = |quante| SignedDuration::from_hours(quante);
    let minuti = |quanti| SignedDuration::from_mins(quanti);
    // Begun, last used, and whether it still holds: eight hours in all, half an hour without a word.
    for (gettone, creata, vista, vale) in [
        ("fresca", minuti(5), minuti(5), true),
        ("ferma", minuti(35), minuti(31), false),
        ("attiva", ore(7), minuti(29), true),
        ("vecchia", ore(8), minuti(1), false),
    ] {
        let impronta = Sha256::of(gettone.as_bytes());
        gateway.block_on(async {
            let molto_fa = Timestamp::UNIX_EPOCH;
            store
                .open_sessione(&impronta, operatore.id, adesso - creata, molto_fa)
                .await
                .unwrap();
            store.touch_sessione(&impronta, adesso - vista).await.unwrap();
        });
        let mut ospite = Ospite::new(&gateway);
        ospite.cookie = Some(format!("varco_sessione={gettone}"));
        let status = ospite.get("/enti").status;
        assert_eq!(status, if vale { 200 } else { 303 }, "{gettone}");
        // What has ended is gone, not merely refused.
        let rimasta = gateway.block_on(store.sessione(&impronta)).unwrap();
        assert_eq!(rimasta.is_some(), vale, "{gettone}");
        if let Some(rimasta) = rimasta {
            let nota = rimasta.vista_il > adesso - SignedDuration::from_secs(30);
            assert!(nota, "{gettone}: that somebody was there was noted");
        }
    }
    // A page that refreshes itself is nobody.
    let impronta = Sha256::of(b"lavagna");
    gateway
        .block_on(store.open_sessione(
            &impronta,
            operatore.id,
            adesso - minuti(20),
            Timestamp::UNIX_EPOCH,
        ))
        .unwrap();
    let mut lavagna = Ospite::new(&gateway);
    lavagna.cookie = Some("varco_sessione=lavagna".to_owned());
    let pagina = lavagna.get("/traffico?ogni=5");
    assert!(
        pagina
            .text()
            .contains("<meta http-equiv=\"refresh\" content=\"5\">")
    );
    let sessione = gateway.block_on(store.sessione(&impronta)).unwrap().unwrap();
    assert!(sessione.vista_il < adesso - minuti(19));
}

fn who_is_shut_out_is_out_at_once(archivio: Archivio) {
    let gateway = spawn(archivio);
    add(&gateway, "anna", Ruolo::Gestore);
    let mut anna = Ospite::come_in(&gateway, "anna");
    let store = gateway.store();
    let ora = Timestamp::from_second(1_700_000_100).unwrap();
    assert!(
        gateway
            .block_on(store.set_disabilitato("anna", Some(ora)))
            .unwrap()
    );
    assert_eq!(anna.get("/traffico").status, 303);
    assert_eq!(anna.sign_in("anna", PASSWORD).status, 401);
    assert!(gateway.block_on(store.set_disabilitato("anna", None)).unwrap());
    assert_eq!(anna.get("/traffico").status, 303, "the old session stays ended");
    let anna = Ospite::come_in(&gateway, "anna");
    let altra = varco::console::password::keep("un'altra ben diversa", "anna").unwrap();
    assert!(gateway.block_on(store.set_password("anna", &altra)).unwrap());
    assert_eq!(anna.get("/traffico").status, 303);
    assert!(!gateway.block_on(store.set_password("nessuno", &altra)).unwrap());
}

fn what_is_done_is_written_down(archivio: Archivio) {
    let gateway = spawn(archivio);
    add(&gateway, "anna", Ruolo::Lettore);
    let mut anna = Ospite::new(&gateway);
    anna.sign_in("anna", "sbagliata del tutto");
    anna.sign_in("la mia password nel campo sbagliato", PASSWORD);
    anna.sign_in("anna", PASSWORD);
    anna.submit(&format!("/lotti/{}", Uuid::nil()), &[("comando", "sospendi")]);
    anna.post("/uscita", &[("csrf", "inventato")]);
    anna.submit("/uscita", &[]);
    let scritte: Vec<_> = written(&gateway)
        .into_iter()
        .map(|traccia| {
            let nota = traccia.note.join("; ");
            (traccia.operazione.unwrap(), traccia.user_id, traccia.esito, nota)
        })
        .collect();
    let anna = || Some("anna".to_owned());
    let riga =
        |che: &str, chi, esito: &str, nota: &str| (che.to_owned(), chi, esito.to_owned(), nota.to_owned());
    assert_eq!(
        scritte,
        [
            riga("console accesso", anna(), "RIFIUTATA", "password errata"),
            riga(
                "console accesso",
                None,
                "RIFIUTATA",
                "operatore sconosciuto, disabilitato o senza password"
            ),
            riga(
                "console accesso",
                anna(),
                "RISPOSTA",
                "con password, ruolo LETTORE"
            ),
            riga("console rifiuto", anna(), "RIFIUTATA", "serve il ruolo GESTORE"),
            riga(
                "console rifiuto",
                anna(),
                "RIFIUTATA",
                "richiesta senza il segno della sessione"
            ),
            riga("console uscita", anna(), "RISPOSTA", ""),
        ]
    );
}

fn an_operator_has_one_name_and_stays(archivio: Archivio) {
    let gateway = spawn(archivio);
    add(&gateway, "anna", Ruolo::Lettore);
    let ancora = NuovoOperatore {
        nome: "anna".to_owned(),
        ruolo: Ruolo::Gestore,
        password: Some("x".to_owned()),
        certificato_sha256: None,
    };
    let ora = Timestamp::from_second(1_700_000_100).unwrap();
    assert!(
        !gateway
            .block_on(gateway.store().add_operatore(&ancora, ora))
            .unwrap()
    );
    add(&gateway, "bruno", Ruolo::Gestore);
    let tutti = gateway.block_on(gateway.store().operatori()).unwrap();
    let nomi: Vec<_> = tutti
        .iter()
        .map(|operatore| (operatore.nome.as_str(), operatore.ruolo))
        .collect();
    assert_eq!(nomi, [("anna", Ruolo::Lettore), ("bruno", Ruolo::Gestore)]);
    assert!(
        !format!("{ancora:?}").contains("password"),
        "a password is in no log"
    );
}

#[test]
fn an_unknown_name_and_a_wrong_password_are_told_the_same() {
    let gateway = spawn(Archivio::Sqlite);
    add(&gateway, "anna", Ruolo::Lettore);
    let mut ospite = Ospite::new(&gateway);
    let sbagliata = ospite.sign_in("anna", "sbagliata del tutto");
    let ignoto = ospite.sign_in("nessuno", "sbagliata del tutto");
    assert_eq!((sbagliata.status, ignoto.status), (401, 401));
    assert_eq!(sbagliata.text(), ignoto.text());
    assert_eq!(sbagliata.header("set-cookie"), None);
    assert!(
        sbagliata
            .text()
            .contains("role=\"alert\">Nome o password errati.")
    );
}

#[test]
fn who_guesses_waits_whether_the_name_is_there_or_not() {
    let gateway = spawn_with(
        Archivio::Sqlite,
        "tentativi = 3\nblocco_s = 60\nblocco_massimo_s = 120",
    );
    add(&gateway, "anna", Ruolo::Lettore);
    let mut ospite = Ospite::new(&gateway);
    for nome in ["anna", "nessuno"] {
        let status: Vec<u16> = (0..5)
            .map(|_| ospite.sign_in(nome, "sbagliata del tutto").status)
            .collect();
        assert_eq!(status, [401, 401, 401, 429, 429], "{nome}");
        let giusta = ospite.sign_in(nome, PASSWORD);
        assert_eq!(giusta.status, 429, "not even with the right one");
        let attesa: u64 = giusta.header("retry-after").unwrap().parse().unwrap();
        assert!((1..=60).contains(&attesa), "{attesa}");
    }
    // What was held back was not tried, and is not written down.
    assert_eq!(written(&gateway).len(), 6);
}

#[test]
fn a_form_from_elsewhere_does_nothing() {
    let gateway = spawn(Archivio::Sqlite);
    add(&gateway, "anna", Ruolo::Gestore);
    let mut anna = Ospite::come_in(&gateway, "anna");
    let csrf = anna.csrf();
    let giusta = anna.origin.clone();
    for origine in [
        None,
        Some("null".to_owned()),
        Some("http://male.example".to_owned()),
        Some(format!("{}0", anna.url)),
    ] {
        anna.origin = origine.clone();
        assert_eq!(
            anna.post("/uscita", &[("csrf", &csrf)]).status,
            403,
            "{origine:?}"
        );
        assert_eq!(anna.sign_in("anna", PASSWORD).status, 403, "{origine:?}");
    }
    anna.origin = giusta;
    for csrf in ["", "x", &csrf[1..]] {
        assert_eq!(anna.post("/uscita", &[("csrf", csrf)]).status, 403, "{csrf}");
    }
    // The token of another session is no token of this one.
    let altra = Ospite::come_in(&gateway, "anna");
    assert_eq!(altra.post("/uscita", &[("csrf", &csrf)]).status, 403);
    assert_eq!(anna.get("/traffico").status, 200);
}

#[test]
fn a_name_that_points_here_is_nobodys() {
    let gateway = spawn_with(Archivio::Sqlite, "nome = \"console.esempio.it\"");
    let ospite = Ospite::new(&gateway);
    for (host, status) in [
        ("male.example", 421),
        ("male.example:8445", 421),
        ("127.0.0.1.male.example", 421),
        ("", 421),
        ("localhost:1", 200),
        ("[::1]:8445", 200),
        ("console.esempio.it", 200),
        ("CONSOLE.esempio.it:443", 200),
    ] {
        assert_eq!(
            ospite.get_with("/accesso", &[("Host", host)]).status,
            status,
            "{host}"
        );
    }
}

#[test]
fn after_signing_in_one_comes_to_our_own_pages_alone() {
    let gateway = spawn(Archivio::Sqlite);
    add(&gateway, "anna", Ruolo::Lettore);
    for (torna, meta) in [
        ("/porta?codice=TLS-001", "/porta?codice=TLS-001"),
        ("//male.example/", "/traffico"),
        ("https://male.example/", "/traffico"),
        ("/\\male.example", "/traffico"),
        ("/a\r\nSet-Cookie: x=y", "/traffico"),
    ] {
        let ospite = Ospite::new(&gateway);
        let dentro = ospite.post(
            "/accesso",
            &[("nome", "anna"), ("password", PASSWORD), ("torna", torna)],
        );
        assert_eq!(dentro.header("location"), Some(meta), "{torna}");
    }
}

#[test]
fn over_tls_a_certificate_signs_in_and_the_cookie_is_for_tls_alone() {
    let certificati = certs().display();
    let gateway = spawn_with(
        Archivio::Sqlite,
        &format!(
            "certificato = \"{certificati}/server.pem\"\nchiave = \"{certificati}/server.key\"\nca = \"{certificati}/ca.pem\""
        ),
    );
    assert!(gateway.console().starts_with("https://127.0.0.1:"));
    add(&gateway, "anna", Ruolo::Lettore);
    let pem = std::fs::read(certs().join("pat01.pem")).unwrap();
    let sha256 = Certificato::from_pem(&pem).unwrap()[0].sha256.clone();
    let bruno = NuovoOperatore {
        nome: "bruno".to_owned(),
        ruolo: Ruolo::Indagatore,
        password: None,
        certificato_sha256: Some(sha256),
    };
    let ora = Timestamp::from_second(1_700_000_100).unwrap();
    assert!(
        gateway
            .block_on(gateway.store().add_operatore(&bruno, ora))
            .unwrap()
    );
    let ospite = |certificato: Option<&str>| {
        let config = agent(certificato).config().clone();
        let config = ureq::config::Config::builder()
            .tls_config(config.tls_config().clone())
            .http_status_as_error(false)
            .max_redirects(0)
            .build();
        Ospite::with(config.into(), gateway.console())
    };

    let mut con = ospite(Some("pat01"));
    let dentro = con.post("/accesso/certificato", &[]);
    assert_eq!(dentro.header("location"), Some("/traffico"));
    let cookie = dentro.header("set-cookie").unwrap().to_owned();
    assert!(
        cookie.starts_with("__Host-varco_sessione=") && cookie.contains("; Secure"),
        "{cookie}"
    );
    con.keep_cookie(&dentro);
    let pagina = con.get("/traffico");
    assert!(pagina.text().contains("<bdi>bruno</bdi>"));
    assert_eq!(
        pagina.header("strict-transport-security"),
        Some("max-age=31536000")
    );

    // Another's certificate is nobody's here, and without one there is no such way in.
    assert_eq!(
        ospite(Some("pat02")).post("/accesso/certificato", &[]).status,
        401
    );
    assert_eq!(ospite(None).post("/accesso/certificato", &[]).status, 404);
    assert_eq!(ospite(None).sign_in("anna", PASSWORD).status, 303);
    // Who signs in with a certificate has no password to guess.
    assert_eq!(ospite(None).sign_in("bruno", PASSWORD).status, 401);
}

/// What the console shows to who connects now.
fn shown(gateway: &Gateway) -> Certificato {
    let indirizzo = gateway.console();
    let indirizzo = indirizzo.strip_prefix("https://").unwrap();
    let mut connettore = SslConnector::builder(SslMethod::tls_client()).unwrap();
    connettore.set_verify(SslVerifyMode::NONE);
    let tcp = std::net::TcpStream::connect(indirizzo).unwrap();
    let tls = connettore.build().connect("localhost", tcp).unwrap();
    let der = tls.ssl().peer_certificate().unwrap().to_der().unwrap();
    Certificato::from_der(&der).unwrap()
}

#[test]
fn its_certificate_is_read_again_and_a_bad_one_leaves_the_old_in_place() {
    let dir = tempfile::tempdir().unwrap();
    let (pem, key) = (dir.path().join("console.pem"), dir.path().join("console.key"));
    let put = |da: &std::path::Path| {
        std::fs::copy(da.join("server.pem"), &pem).unwrap();
        std::fs::copy(da.join("server.key"), &key).unwrap();
    };
    put(certs());
    let gateway = spawn_with(
        Archivio::Sqlite,
        &format!(
            "certificato = \"{}\"\nchiave = \"{}\"",
            pem.display(),
            key.display()
        ),
    );
    let primo = shown(&gateway);
    let altri = tempfile::tempdir().unwrap();
    dev_certs::make(altri.path(), &dev_certs::Opzioni::at(WallClock::default().wall())).unwrap();
    // A certificate without its key is none.
    std::fs::copy(altri.path().join("server.pem"), &pem).unwrap();
    let _ = gateway.reload();
    assert_eq!(shown(&gateway).sha256, primo.sha256);
    put(altri.path());
    assert_eq!(shown(&gateway).sha256, primo.sha256, "before it is told to");
    let _ = gateway.reload();
    let dopo = shown(&gateway);
    let atteso = std::fs::read(altri.path().join("server.pem")).unwrap();
    assert_eq!(dopo.sha256, Certificato::from_pem(&atteso).unwrap()[0].sha256);
}

#[test]
fn in_the_clear_it_is_on_this_machine_alone() {
    use varco::config::Config;
    let read = |testo: &str| Config::parse(testo, std::path::Path::new("varco.toml"), &Vec::new());
    let errore = read("[console]\nindirizzo = \"0.0.0.0:8445\"\n")
        .unwrap_err()
        .to_string();
    assert!(
        errore.contains("console.indirizzo") && errore.contains("solo con TLS"),
        "{errore}"
    );
    let meta = read("[console]\nindirizzo = \"127.0.0.1:1\"\ncertificato = \"c.pem\"\n")
        .unwrap_err()
        .to_string();
    assert!(meta.contains("vanno insieme"), "{meta}");
    let con = "[console]\nindirizzo = \"0.0.0.0:8445\"\ncertificato = \"c.pem\"\nchiave = \"c.key\"\n";
    let console = Arc::new(read(con).unwrap().config.console);
    assert_eq!(
        console.certificato.as_deref(),
        Some(std::path::Path::new("c.pem"))
    );
    read("[console]\nindirizzo = \"[::1]:8445\"\n").unwrap();
}
