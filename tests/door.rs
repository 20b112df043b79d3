//! The door, knocked at with real handshakes: who comes in, who does not, and what the door log says of it.
//! The clients are OpenSSL's, so that it is not rustls that answers for itself; only the one that resumes sessions
//! is rustls, because OpenSSL's way of doing that is unsafe.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use actix_web::{HttpRequest, HttpResponse, web};
use jiff::{SignedDuration, Timestamp};
use openssl::ssl::{SslConnector, SslFiletype, SslMethod, SslStream, SslVerifyMode, SslVersion};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use varco::cli::dev_certs::{self, Opzioni};
use varco::clock::{Clock as _, HandClock, WallClock};
use varco::listener::{
    self, Bounds, Connessione, ListenerConfig, NelDubbio, Porta, Spegnimento, TlsConfig, answer,
};
use varco::trace::RifiutoAllaPorta;

/// A gateway's door on a port of its own, with certificates of its own.
struct Door {
    certs: TempDir,
    porta: Arc<Porta>,
    indirizzo: SocketAddr,
    log: Arc<Mutex<Vec<RifiutoAllaPorta>>>,
    clock: Arc<HandClock>,
    spegnimento: Spegnimento,
    finito: tokio::task::JoinHandle<std::io::Result<()>>,
}

fn quick() -> Bounds {
    Bounds {
        handshake: Duration::from_millis(500),
        testata: Duration::from_millis(500),
        richiesta: Duration::from_millis(500),
        keep_alive: Duration::from_millis(700),
        ..Bounds::default()
    }
}

impl Door {
    async fn open() -> Self {
        Self::with(Bounds::default(), |_, _| {}).await
    }

    async fn with(bounds: Bounds, prepare: impl FnOnce(&Path, &mut TlsConfig)) -> Self {
        let certs = tempfile::tempdir().unwrap();
        let adesso = WallClock::default().wall();
        dev_certs::make(certs.path(), &Opzioni::at(adesso)).unwrap();
        std::fs::write(
            certs.path().join("adesioni.toml"),
            "[[ente]]\ncodice = \"PAT01\"\ndenominazione = \"Uno\"\ncodice_fiscale = \"97049620582\"\n\
             certificati = [{ file = \"pat01.pem\" }]\nuffici = [\"001\"]\nservizi = { AssegnoTemporaneo = [\"*\"] }\n",
        )
        .unwrap();
        let mut tls = TlsConfig {
            certificato: certs.path().join("server.pem"),
            chiave: certs.path().join("server.key"),
            ca: certs.path().join("ca.pem"),
            crl: Some(certs.path().join("crl.pem")),
            crl_scaduta: NelDubbio::Rifiuta,
            crl_assente: NelDubbio::Rifiuta,
            ..TlsConfig::default()
        };
        prepare(certs.path(), &mut tls);
        let log = Arc::new(Mutex::new(Vec::new()));
        let clock = Arc::new(HandClock::at(adesso));
        let scritto = Arc::clone(&log);
        let porta = Porta::open(
            tls,
            certs.path().join("adesioni.toml"),
            Arc::clone(&clock) as Arc<dyn varco::clock::Clock>,
            Arc::new(move |rifiuto| scritto.lock().unwrap().push(rifiuto)),
        )
        .unwrap();
        let config = ListenerConfig {
            indirizzo: "127.0.0.1:0".parse().unwrap(),
            workers: 1,
            ..ListenerConfig::default()
        };
        let bound = listener::bind(&config).await.unwrap();
        let serving = listener::serve(bound, Arc::clone(&porta), &bounds, app).unwrap();
        Self {
            certs,
            porta,
            indirizzo: serving.local_addr(),
            log,
            clock,
            spegnimento: serving.spegnimento(),
            finito: tokio::spawn(serving.run()),
        }
    }

    fn client(&self, nome: &str) -> Client {
        Client::of(self.certs.path(), nome, self.indirizzo)
    }

    /// The codes of the door log, once there are as many as expected.
    async fn codes(&self, attesi: &[&str]) -> Vec<RifiutoAllaPorta> {
        let entro = Instant::now() + Duration::from_secs(5);
        loop {
            let log = self.log.lock().unwrap().clone();
            if log.len() >= attesi.len() || Instant::now() > entro {
                let codici: Vec<&str> = log.iter().map(|rifiuto| rifiuto.codice.as_str()).collect();
                assert_eq!(codici, attesi, "{log:#?}");
                assert!(log.iter().all(|rifiuto| !rifiuto.rimedio.is_empty()));
                assert!(!log.iter().any(|rifiuto| rifiuto.causa.contains('{')), "{log:#?}");
                return log;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
}

fn app(config: &mut web::ServiceConfig) {
    config
        .route("/chi", web::get().to(chi))
        .route(
            "/corpo",
            web::post().to(|corpo: web::Bytes| async move { corpo.len().to_string() }),
        )
        .route(
            "/ignora",
            web::post().to(|| async { HttpResponse::Ok().body("non letto") }),
        )
        .route(
            "/lento",
            web::get().to(|| async {
                tokio::time::sleep(Duration::from_millis(800)).await;
                "fatto"
            }),
        )
        .route(
            "/grande",
            web::get().to(|| async { HttpResponse::Ok().body(vec![b'x'; 32 << 20]) }),
        );
}

async fn chi(richiesta: HttpRequest) -> HttpResponse {
    let connessione = Connessione::of(&richiesta).unwrap();
    match connessione.peer() {
        Ok(peer) => HttpResponse::Ok().body(format!(
            "{} {} {} ripresa={} sni={:?}",
            peer.certificato.soggetto, peer.tls_versione, peer.tls_suite, peer.tls_ripresa, peer.sni
        )),
        Err(violazione) => answer::refuse(&violazione),
    }
}

/// An OpenSSL client, on a thread where it may block.
#[derive(Clone)]
struct Client {
    connector: SslConnector,
    indirizzo: SocketAddr,
}

impl Client {
    fn of(certs: &Path, nome: &str, indirizzo: SocketAddr) -> Self {
        Self::set(indirizzo, |builder| {
            builder.set_ca_file(certs.join("ca.pem")).unwrap();
            if !nome.is_empty() {
                builder
                    .set_certificate_file(certs.join(format!("{nome}.pem")), SslFiletype::PEM)
                    .unwrap();
                builder
                    .set_private_key_file(certs.join(format!("{nome}.key")), SslFiletype::PEM)
                    .unwrap();
            }
        })
    }

    fn set(indirizzo: SocketAddr, set: impl FnOnce(&mut openssl::ssl::SslConnectorBuilder)) -> Self {
        let mut builder = SslConnector::builder(SslMethod::tls_client()).unwrap();
        set(&mut builder);
        Self {
            connector: builder.build(),
            indirizzo,
        }
    }

    fn connect(&self) -> Result<SslStream<TcpStream>, String> {
        let tcp = TcpStream::connect(self.indirizzo).map_err(|causa| causa.to_string())?;
        tcp.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
        let config = self.connector.configure().unwrap();
        config
            .connect("localhost", tcp)
            .map_err(|causa| causa.to_string())
    }

    async fn open(&self) -> SslStream<TcpStream> {
        let client = self.clone();
        tokio::task::spawn_blocking(move || client.connect().unwrap())
            .await
            .unwrap()
    }

    /// One request on a connection of its own.
    async fn get(&self, percorso: &'static str) -> Result<String, String> {
        let client = self.clone();
        tokio::task::spawn_blocking(move || {
            let mut tls = client.connect()?;
            exchange(&mut tls, &request(percorso)).map_err(|causa| causa.to_string())
        })
        .await
        .unwrap()
    }
}

/// A client that resumes its sessions.
struct Ricorda {
    connector: tokio_rustls::TlsConnector,
    indirizzo: SocketAddr,
}

impl Ricorda {
    fn of(certs: &Path, nome: &str, indirizzo: SocketAddr) -> Self {
        let mut radici = rustls::RootCertStore::empty();
        radici
            .add(CertificateDer::from_pem_file(certs.join("ca.pem")).unwrap())
            .unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = rustls::ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(radici)
            .with_client_auth_cert(
                vec![CertificateDer::from_pem_file(certs.join(format!("{nome}.pem"))).unwrap()],
                PrivateKeyDer::from_pem_file(certs.join(format!("{nome}.key"))).unwrap(),
            )
            .unwrap();
        Self {
            connector: Arc::new(config).into(),
            indirizzo,
        }
    }

    async fn get(&self, percorso: &str) -> std::io::Result<String> {
        let tcp = tokio::net::TcpStream::connect(self.indirizzo).await?;
        let mut tls = self
            .connector
            .connect("localhost".try_into().unwrap(), tcp)
            .await?;
        let richiesta = format!("GET {percorso} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
        tls.write_all(richiesta.as_bytes()).await?;
        let mut testo = String::new();
        tls.read_to_string(&mut testo).await?;
        Ok(testo)
    }
}

fn request(percorso: &str) -> String {
    format!("GET {percorso} HTTP/1.1\r\nHost: localhost\r\n\r\n")
}

/// Sends bytes and reads one answer: head, and as much body as it announces.
fn exchange(tls: &mut SslStream<TcpStream>, bytes: &str) -> std::io::Result<String> {
    tls.write_all(bytes.as_bytes())?;
    read_answer(tls)
}

fn read_answer(tls: &mut SslStream<TcpStream>) -> std::io::Result<String> {
    let mut letto = Vec::new();
    let mut pezzo = [0; 4096];
    loop {
        let testo = String::from_utf8_lossy(&letto);
        if let Some((testa, corpo)) = testo.split_once("\r\n\r\n") {
            let lunghezza = testa.lines().find_map(|riga| {
                riga.to_ascii_lowercase()
                    .strip_prefix("content-length: ")?
                    .parse::<usize>()
                    .ok()
            });
            if corpo.len() >= lunghezza.unwrap_or(0) {
                return Ok(testo.into_owned());
            }
        }
        match tls.read(&mut pezzo)? {
            0 => return Err(std::io::Error::other(format!("chiusa dopo {testo:?}"))),
            quanti => letto.extend_from_slice(&pezzo[..quanti]),
        }
    }
}

/// Runs what blocks, away from the runtime.
async fn blocking<T: Send + 'static>(f: impl FnOnce() -> T + Send + 'static) -> T {
    tokio::task::spawn_blocking(f).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_patronato_comes_in_and_is_known() {
    let door = Door::open().await;
    let risposta = door.client("pat01").get("/chi").await.unwrap();
    assert!(risposta.starts_with("HTTP/1.1 200 OK"), "{risposta}");
    assert!(risposta.ends_with(
        "CN=pat01,O=Varco\\, solo per prove,C=IT TLSv1.3 TLS_AES_256_GCM_SHA384 ripresa=false sni=Some(\"localhost\")"
    ), "{risposta}");
    door.codes(&[]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn tls_1_2_is_spoken_too() {
    let door = Door::open().await;
    let certs = door.certs.path().to_owned();
    let client = Client::set(door.indirizzo, |builder| {
        builder.set_ca_file(certs.join("ca.pem")).unwrap();
        builder
            .set_certificate_file(certs.join("pat01.pem"), SslFiletype::PEM)
            .unwrap();
        builder
            .set_private_key_file(certs.join("pat01.key"), SslFiletype::PEM)
            .unwrap();
        builder.set_max_proto_version(Some(SslVersion::TLS1_2)).unwrap();
    });
    let risposta = client.get("/chi").await.unwrap();
    assert!(risposta.contains("TLSv1.2 TLS_ECDHE_ECDSA_WITH_"), "{risposta}");
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_certificate_nobody_comes_in() {
    let door = Door::open().await;
    let errore = door.client("").get("/chi").await.unwrap_err();
    assert!(errore.contains("certificate required"), "{errore}");
    let log = door.codes(&["TLS-001"]).await;
    assert_eq!(log[0].indirizzo, Some("127.0.0.1".parse().unwrap()));
    assert_eq!(log[0].sni.as_deref(), Some("localhost"));
    assert_eq!(log[0].soggetto, None);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_of_another_ca_is_named_in_the_log() {
    let door = Door::open().await;
    let altrove = tempfile::tempdir().unwrap();
    dev_certs::make(altrove.path(), &Opzioni::at(door.clock.wall())).unwrap();
    std::fs::copy(door.certs.path().join("ca.pem"), altrove.path().join("ca.pem")).unwrap();
    let errore = Client::of(altrove.path(), "pat01", door.indirizzo)
        .get("/chi")
        .await
        .unwrap_err();
    assert!(errore.contains("unknown ca"), "{errore}");
    let log = door.codes(&["TLS-002"]).await;
    assert_eq!(
        log[0].soggetto.as_deref(),
        Some("CN=pat01,O=Varco\\, solo per prove,C=IT")
    );
    assert!(log[0].seriale.is_some());
}

#[tokio::test(flavor = "multi_thread")]
async fn expired_and_revoked_are_told_apart() {
    let door = Door::open().await;
    let errore = door.client("expired").get("/chi").await.unwrap_err();
    assert!(errore.contains("certificate expired"), "{errore}");
    let errore = door.client("revoked").get("/chi").await.unwrap_err();
    assert!(errore.contains("certificate revoked"), "{errore}");
    door.codes(&["TLS-003", "TLS-005"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_revocation_closes_open_connections_and_old_sessions() {
    let door = Door::open().await;
    let mut aperta = door.client("pat02").open().await;
    let mut aperta = blocking(move || {
        assert!(
            exchange(&mut aperta, &request("/chi"))
                .unwrap()
                .contains("CN=pat02")
        );
        aperta
    })
    .await;
    let ricorda = Ricorda::of(door.certs.path(), "pat02", door.indirizzo);
    assert!(ricorda.get("/chi").await.unwrap().contains("ripresa=false"));
    assert!(ricorda.get("/chi").await.unwrap().contains("ripresa=true"));

    dev_certs::revoke(door.certs.path(), &["revoked", "pat02"], door.clock.wall()).unwrap();
    let ricarica = door.porta.reload();
    assert_eq!(ricarica.errori, Vec::<String>::new());

    let risposta = blocking(move || exchange(&mut aperta, &request("/chi")).unwrap()).await;
    assert!(risposta.starts_with("HTTP/1.1 403"), "{risposta}");
    assert!(
        risposta.contains("ACC-008") && risposta.contains("revocato"),
        "{risposta}"
    );
    let errore = ricorda.get("/chi").await.unwrap_err().to_string();
    assert!(errore.contains("CertificateRevoked"), "{errore}");
    door.codes(&["ACC-008", "TLS-005"]).await;
    assert!(door.client("pat01").get("/chi").await.unwrap().contains("200 OK"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_that_ends_during_a_connection_ends_its_welcome() {
    let door = Door::open().await;
    let mut aperta = door.client("pat01").open().await;
    let mut aperta = blocking(move || {
        assert!(
            exchange(&mut aperta, &request("/chi"))
                .unwrap()
                .contains("200 OK")
        );
        aperta
    })
    .await;
    door.clock
        .set(door.clock.wall() + SignedDuration::from_hours(24 * 3660));
    let risposta = blocking(move || exchange(&mut aperta, &request("/chi")).unwrap()).await;
    assert!(
        risposta.contains("ACC-008") && risposta.contains("scaduto"),
        "{risposta}"
    );
    door.codes(&["ACC-008"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_crl_past_its_day_refuses_unless_told_otherwise() {
    let ieri = |certs: &Path| {
        let dieci_anni_fa = WallClock::default().wall() - SignedDuration::from_hours(24 * 3700);
        dev_certs::revoke(certs, &["revoked"], dieci_anni_fa).unwrap();
    };
    let door = Door::with(Bounds::default(), |certs, _| ieri(certs)).await;
    door.client("pat01").get("/chi").await.unwrap_err();
    door.codes(&["TLS-007"]).await;
    assert!(
        door.porta
            .avvisi()
            .iter()
            .any(|avviso| avviso.contains("CRL di CN=Varco CA di prova"))
    );

    let door = Door::with(Bounds::default(), |certs, tls| {
        ieri(certs);
        tls.crl_scaduta = NelDubbio::Accetta;
    })
    .await;
    assert!(door.client("pat01").get("/chi").await.unwrap().contains("200 OK"));
    door.client("revoked").get("/chi").await.unwrap_err();
    door.codes(&["TLS-005"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bad_file_keeps_the_old_and_says_why() {
    let door = Door::open().await;
    std::fs::write(door.certs.path().join("crl.pem"), "non è una CRL").unwrap();
    std::fs::write(door.certs.path().join("adesioni.toml"), "[[ente]]\n").unwrap();
    std::fs::copy(
        door.certs.path().join("pat01.key"),
        door.certs.path().join("server.key"),
    )
    .unwrap();
    let ricarica = door.porta.reload();
    assert_eq!(ricarica.prese, Vec::<&str>::new());
    let [certificato, crl, adesioni] = &ricarica.errori[..] else {
        panic!("{ricarica:?}");
    };
    assert!(
        certificato.contains("server.key: non è la chiave del certificato"),
        "{certificato}"
    );
    assert!(crl.contains("crl.pem: il file non contiene"), "{crl}");
    assert!(adesioni.contains("adesioni.toml:1: manca «codice»"), "{adesioni}");
    assert!(door.client("pat01").get("/chi").await.unwrap().contains("200 OK"));
    door.client("revoked").get("/chi").await.unwrap_err();
    door.codes(&["TLS-005"]).await;
    assert_eq!(door.porta.adesioni().load().enti().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn tls_1_1_is_too_old() {
    let door = Door::open().await;
    let client = Client::set(door.indirizzo, |builder| {
        builder.set_verify(SslVerifyMode::NONE);
        builder.set_cipher_list("ALL:@SECLEVEL=0").unwrap();
        builder.set_min_proto_version(None).unwrap();
        builder.set_max_proto_version(Some(SslVersion::TLS1_1)).unwrap();
    });
    let errore = client.get("/chi").await.unwrap_err();
    door.codes(&["TLS-009"]).await;
    assert!(errore.contains("protocol version"), "{errore}");
}

#[tokio::test(flavor = "multi_thread")]
async fn cbc_suites_are_not_shared() {
    let door = Door::open().await;
    let client = Client::set(door.indirizzo, |builder| {
        builder.set_verify(SslVerifyMode::NONE);
        builder
            .set_cipher_list("ECDHE-ECDSA-AES128-SHA:AES128-SHA:@SECLEVEL=0")
            .unwrap();
        builder.set_max_proto_version(Some(SslVersion::TLS1_2)).unwrap();
    });
    client.get("/chi").await.unwrap_err();
    door.codes(&["TLS-010"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_does_not_know_our_ca_is_told_apart() {
    let door = Door::open().await;
    let altrove = tempfile::tempdir().unwrap();
    dev_certs::make(altrove.path(), &Opzioni::at(door.clock.wall())).unwrap();
    Client::of(altrove.path(), "pat01", door.indirizzo)
        .get("/chi")
        .await
        .unwrap_err();
    let log = door.codes(&["TLS-014"]).await;
    assert!(
        log[0].causa.starts_with("il client ha rifiutato il server"),
        "{}",
        log[0].causa
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn plain_http_is_answered_so_that_it_understands() {
    let door = Door::open().await;
    let indirizzo = door.indirizzo;
    let risposta = blocking(move || {
        let mut tcp = TcpStream::connect(indirizzo).unwrap();
        tcp.write_all(b"POST /modi/soap/ HTTP/1.1\r\nHost: localhost\r\n\r\n")
            .unwrap();
        let mut testo = String::new();
        tcp.read_to_string(&mut testo).unwrap();
        testo
    })
    .await;
    assert!(risposta.starts_with("HTTP/1.1 400 Bad Request\r\n"), "{risposta}");
    assert!(
        risposta.contains("TLS-011 la connessione non parla TLS: è HTTP in chiaro"),
        "{risposta}"
    );
    door.codes(&["TLS-011"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn noise_silence_and_a_quick_goodbye_are_three_things() {
    let door = Door::with(quick(), |_, _| {}).await;
    let indirizzo = door.indirizzo;
    blocking(move || {
        let mut tcp = TcpStream::connect(indirizzo).unwrap();
        tcp.write_all(&[0, 1, 2, 3, 4, 5]).unwrap();
        let _ = tcp.read(&mut [0; 16]);
    })
    .await;
    door.codes(&["TLS-011"]).await;
    drop(blocking(move || TcpStream::connect(indirizzo).unwrap()).await);
    door.codes(&["TLS-011", "TLS-013"]).await;
    let muto = blocking(move || TcpStream::connect(indirizzo).unwrap()).await;
    door.codes(&["TLS-011", "TLS-013", "TLS-012"]).await;
    drop(muto);
}

#[tokio::test(flavor = "multi_thread")]
async fn connections_are_counted_in_all_and_by_certificate() {
    let bounds = Bounds {
        connessioni_max: 3,
        connessioni_per_certificato_max: 2,
        ..Bounds::default()
    };
    let door = Door::with(bounds, |_, _| {}).await;
    let mut aperte = Vec::new();
    for _ in 0..2 {
        aperte.push(door.client("pat01").open().await);
    }
    let mut terza = door.client("pat01").open().await;
    let risposta = blocking(move || read_answer(&mut terza).unwrap()).await;
    assert!(risposta.starts_with("HTTP/1.1 503"), "{risposta}");
    assert!(risposta.contains("TLS-016 troppe connessioni aperte con lo stesso certificato (limite 2)"));
    door.codes(&["TLS-016"]).await;
    // Its place is given back a moment after its last word.
    let mut altra = None;
    for _ in 0..50 {
        if let Ok(tls) = blocking({
            let client = door.client("pat02");
            move || client.connect()
        })
        .await
        {
            altra = Some(tls);
            break;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert!(altra.is_some());
    door.client("pat02").get("/chi").await.unwrap_err();
    let log = door.log.lock().unwrap().clone();
    assert_eq!(log.last().map(|rifiuto| rifiuto.codice.as_str()), Some("TLS-015"));
}

#[tokio::test(flavor = "multi_thread")]
async fn every_head_has_a_deadline_not_only_the_first() {
    let door = Door::with(quick(), |_, _| {}).await;
    let mut tls = door.client("pat01").open().await;
    let risposta = blocking(move || {
        exchange(&mut tls, &request("/chi")).unwrap();
        exchange(&mut tls, "GET /chi HTTP/1.1\r\nHost: loc").unwrap()
    })
    .await;
    assert!(
        risposta.starts_with("HTTP/1.1 408 Request Timeout\r\n"),
        "{risposta}"
    );
    assert!(risposta.contains("HTP-004"), "{risposta}");
    door.codes(&["HTP-004"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_idle_connection_is_closed() {
    let door = Door::with(quick(), |_, _| {}).await;
    let mut tls = door.client("pat01").open().await;
    let inizio = Instant::now();
    blocking(move || {
        exchange(&mut tls, &request("/chi")).unwrap();
        assert_eq!(tls.read(&mut [0; 16]).unwrap(), 0);
    })
    .await;
    let durata = inizio.elapsed();
    assert!(
        (Duration::from_millis(650)..Duration::from_secs(2)).contains(&durata),
        "{durata:?}"
    );
    door.codes(&[]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_sent_together_are_answered_in_order_and_half_a_one_is_cut() {
    let door = Door::with(quick(), |_, _| {}).await;
    let mut tls = door.client("pat01").open().await;
    let inizio = Instant::now();
    let tutto = blocking(move || {
        let corpo = "POST /corpo HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\n\r\nabc";
        let mezza = "GET /chi HTTP/1.1\r\nHo";
        tls.write_all(format!("{corpo}{}{mezza}", request("/chi")).as_bytes())
            .unwrap();
        let mut tutto = String::new();
        tls.read_to_string(&mut tutto).unwrap();
        tutto
    })
    .await;
    assert!(
        inizio.elapsed() < Duration::from_secs(3),
        "{:?}",
        inizio.elapsed()
    );
    assert_eq!(tutto.matches("HTTP/1.1 200 OK").count(), 2, "{tutto}");
    assert!(tutto.find("\r\n\r\n3HTTP").unwrap() < tutto.find("CN=pat01").unwrap());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slow_body_is_cut_and_a_whole_one_is_not() {
    let door = Door::with(quick(), |_, _| {}).await;
    let mut tls = door.client("pat01").open().await;
    let (intero, mezzo) = blocking(move || {
        let testa = "POST /corpo HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\n";
        let intero = exchange(&mut tls, &format!("{testa}0123456789")).unwrap();
        let mezzo = exchange(&mut tls, &format!("{testa}01234")).unwrap();
        (intero, mezzo)
    })
    .await;
    assert!(intero.ends_with("\r\n\r\n10"), "{intero}");
    assert!(
        !intero.to_ascii_lowercase().contains("connection: close"),
        "{intero}"
    );
    assert!(
        mezzo.starts_with("HTTP/1.1 408") && mezzo.contains("HTP-004"),
        "{mezzo}"
    );
    door.codes(&["HTP-004"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_before_the_whole_body_closes_the_connection() {
    let door = Door::open().await;
    let mut tls = door.client("pat01").open().await;
    let risposta = blocking(move || {
        let risposta = exchange(
            &mut tls,
            "POST /ignora HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nabcde\r\n",
        )
        .unwrap();
        assert_eq!(tls.read(&mut [0; 16]).unwrap(), 0);
        risposta
    })
    .await;
    assert!(
        risposta.to_ascii_lowercase().contains("connection: close"),
        "{risposta}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn heads_are_bounded_and_bodies_are_not_compressed() {
    let door = Door::open().await;
    let molti = "X: a\r\n".repeat(65);
    let grande = format!("X: {}\r\n", "a".repeat(17 * 1024));
    let casi = [
        (format!("GET /chi HTTP/1.1\r\nHost: localhost\r\n{molti}\r\n"), "431", "HTP-007"),
        (format!("GET /chi HTTP/1.1\r\nHost: localhost\r\n{grande}\r\n"), "431", "HTP-007"),
        (
            "POST /corpo HTTP/1.1\r\nHost: localhost\r\nContent-Encoding: gzip\r\nContent-Length: 2\r\n\r\nab".to_owned(),
            "415",
            "HTP-006",
        ),
        ("non è HTTP\r\n\r\n".to_owned(), "400", ""),
    ];
    for (richiesta, status, codice) in casi {
        let mut tls = door.client("pat01").open().await;
        let risposta = blocking(move || exchange(&mut tls, &richiesta).unwrap()).await;
        assert!(risposta.starts_with(&format!("HTTP/1.1 {status} ")), "{risposta}");
        assert!(risposta.contains(codice), "{risposta}");
    }
    door.codes(&["HTP-007", "HTP-007", "HTP-006", "HTP-001"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_nobody_reads_is_given_up() {
    let bounds = Bounds {
        scrittura: Duration::from_millis(400),
        ..Bounds::default()
    };
    let door = Door::with(bounds, |_, _| {}).await;
    let mut tls = door.client("pat01").open().await;
    let tls = blocking(move || {
        tls.write_all(request("/grande").as_bytes()).unwrap();
        tls
    })
    .await;
    door.codes(&["HTP-009"]).await;
    drop(tls);
}

#[tokio::test(flavor = "multi_thread")]
async fn drain_ends_idle_connections_at_once_and_lets_answers_finish() {
    let door = Door::open().await;
    let mut ferma = door.client("pat01").open().await;
    let mut lavora = door.client("pat01").open().await;
    let ferma = tokio::task::spawn_blocking(move || {
        exchange(&mut ferma, &request("/chi")).unwrap();
        let inizio = Instant::now();
        assert_eq!(ferma.read(&mut [0; 16]).unwrap(), 0);
        inizio.elapsed()
    });
    let lavora = tokio::task::spawn_blocking(move || {
        let risposta = exchange(&mut lavora, &request("/lento")).unwrap();
        assert_eq!(lavora.read(&mut [0; 16]).unwrap(), 0);
        risposta
    });
    tokio::time::sleep(Duration::from_millis(200)).await;
    door.spegnimento.drain().await;
    assert!(ferma.await.unwrap() < Duration::from_millis(600));
    let risposta = lavora.await.unwrap();
    assert!(
        risposta.starts_with("HTTP/1.1 200") && risposta.ends_with("fatto"),
        "{risposta}"
    );
    assert!(
        risposta.to_ascii_lowercase().contains("connection: close"),
        "{risposta}"
    );
    door.finito.await.unwrap().unwrap();
    let indirizzo = door.indirizzo;
    assert!(blocking(move || TcpStream::connect(indirizzo).is_err()).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_busy_port_is_said_with_the_flag_that_changes_it() {
    let door = Door::open().await;
    let config = ListenerConfig {
        indirizzo: door.indirizzo,
        ..ListenerConfig::default()
    };
    let errore = listener::bind(&config).await.unwrap_err().to_string();
    assert!(
        errore.contains(&door.indirizzo.to_string()) && errore.contains("--listen"),
        "{errore}"
    );
}

#[tokio::test]
async fn a_door_with_bad_files_says_all_of_them() {
    let dir = tempfile::tempdir().unwrap();
    let tls = TlsConfig {
        certificato: dir.path().join("server.pem"),
        chiave: dir.path().join("server.key"),
        ca: dir.path().join("ca.pem"),
        ..TlsConfig::default()
    };
    let clock = Arc::new(HandClock::at(Timestamp::UNIX_EPOCH));
    let errata = Porta::open(tls, dir.path().join("adesioni.toml"), clock, Arc::new(|_| {})).unwrap_err();
    assert_eq!(errata.0.len(), 3, "{errata}");
}
