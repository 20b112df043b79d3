//! The client against a gateway that only plays its lines: mutual TLS and HTTP are real, the answers are a script.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;

use super::*;
use crate::cli::dev_certs::{self, Opzioni};
use crate::clock::WallClock;

/// One answer of the script: status, further header lines, body.
type Battuta = (u16, &'static str, String);

struct Scena {
    indirizzo: SocketAddr,
    certs: tempfile::TempDir,
    /// What was asked, body by body.
    richieste: Arc<Mutex<Vec<String>>>,
    connessioni: Arc<AtomicUsize>,
}

impl Scena {
    /// Serves one connection after the other; past the script's end its last line is said again.
    fn new(copione: Vec<Battuta>) -> Self {
        let certs = tempfile::tempdir().unwrap();
        dev_certs::make(certs.path(), &Opzioni::at(WallClock::default().wall())).unwrap();
        let tls = Arc::new(server_config(certs.path()));
        let ascolto = TcpListener::bind("127.0.0.1:0").unwrap();
        let indirizzo = ascolto.local_addr().unwrap();
        let richieste: Arc<Mutex<Vec<String>>> = Arc::default();
        let connessioni: Arc<AtomicUsize> = Arc::default();
        let (viste, aperte) = (Arc::clone(&richieste), Arc::clone(&connessioni));
        std::thread::spawn(move || {
            for tcp in ascolto.incoming() {
                aperte.fetch_add(1, Ordering::Relaxed);
                let stream = rustls::StreamOwned::new(
                    rustls::ServerConnection::new(Arc::clone(&tls)).unwrap(),
                    tcp.unwrap(),
                );
                // A client that leaves, or is not let in, ends its connection and not the scene.
                let _ = serve(stream, &copione, &viste);
            }
        });
        Self {
            indirizzo,
            certs,
            richieste,
            connessioni,
        }
    }

    fn client(&self, nome: &str, tentativi: u32) -> Cliente {
        let file = |nome: String| self.certs.path().join(nome);
        let credenziali = Credenziali {
            cert: &file(format!("{nome}.pem")),
            key: &file(format!("{nome}.key")),
            ca: &file("ca.pem".to_owned()),
        };
        Cliente::new(&format!("https://{}", self.indirizzo), credenziali, 2, tentativi).unwrap()
    }
}

fn serve(
    stream: rustls::StreamOwned<rustls::ServerConnection, std::net::TcpStream>,
    copione: &[Battuta],
    viste: &Mutex<Vec<String>>,
) -> std::io::Result<()> {
    let mut stream = BufReader::new(stream);
    loop {
        let mut lunghezza = 0;
        loop {
            let mut riga = String::new();
            if stream.read_line(&mut riga)? == 0 {
                return Ok(());
            }
            if let Some(valore) = riga.to_lowercase().strip_prefix("content-length:") {
                lunghezza = valore.trim().parse().unwrap();
            }
            if riga == "\r\n" {
                break;
            }
        }
        let mut corpo = vec![0; lunghezza];
        stream.read_exact(&mut corpo)?;
        let posto = {
            let mut viste = viste.lock().unwrap();
            viste.push(String::from_utf8(corpo).unwrap());
            viste.len() - 1
        };
        let (status, campi, risposta) = &copione[posto.min(copione.len() - 1)];
        let testo = format!(
            "HTTP/1.1 {status} x\r\n{campi}Content-Type: application/soap+xml\r\nContent-Length: {}\r\n\r\n{risposta}",
            risposta.len()
        );
        stream.get_mut().write_all(testo.as_bytes())?;
        stream.get_mut().flush()?;
    }
}

fn server_config(certs: &Path) -> rustls::ServerConfig {
    let ring = Arc::new(rustls::crypto::ring::default_provider());
    let mut radici = rustls::RootCertStore::empty();
    radici
        .add(CertificateDer::from_pem_file(certs.join("ca.pem")).unwrap())
        .unwrap();
    let verifica = WebPkiClientVerifier::builder_with_provider(Arc::new(radici), Arc::clone(&ring))
        .build()
        .unwrap();
    rustls::ServerConfig::builder_with_provider(ring)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_client_cert_verifier(verifica)
        .with_single_cert(
            vec![CertificateDer::from_pem_file(certs.join("server.pem")).unwrap()],
            PrivateKeyDer::from_pem_file(certs.join("server.key")).unwrap(),
        )
        .unwrap()
}

fn envelope(corpo: &str) -> String {
    format!(
        r#"<e:Envelope xmlns:e="http://www.w3.org/2003/05/soap-envelope"><e:Body>{corpo}</e:Body></e:Envelope>"#
    )
}

fn registered(numero: u32) -> Battuta {
    let corpo = format!(
        "<r><Esito>REGISTRATA</Esito><Ricevuta><Protocollo>INPS-AUF-2021-{numero:012}</Protocollo></Ricevuta></r>"
    );
    (200, "", envelope(&corpo))
}

fn busy(campi: &'static str) -> Battuta {
    (
        503,
        campi,
        envelope("<e:Fault><Code><Value>e:Receiver</Value></Code></e:Fault>"),
    )
}

const DOMANDA: &str = "<at:Domanda xmlns:at=\"http://inps.it/AssegnoTemporaneo/v1\"><at:Patronato><at:Ufficio>001</at:Ufficio></at:Patronato><at:Operatore>anna</at:Operatore></at:Domanda>";

fn busta(nome: &str) -> Busta {
    Busta::of(DOMANDA.as_bytes(), Path::new(nome), None, &Operatore::default()).unwrap()
}

#[test]
fn a_busy_gateway_is_asked_again_with_the_same_bytes_on_the_same_connection() {
    let scena = Scena::new(vec![
        busy("Retry-After: 0\r\n"),
        busy("Retry-After: 0\r\n"),
        registered(7),
    ]);
    let esito = send_envelope(&scena.client("pat01", 5), &busta("a.xml")).unwrap();
    let Esito::Registrata(registrata) = esito else {
        panic!("{esito:?}");
    };
    assert_eq!(
        registrata.ricevuta.testo("Protocollo"),
        "INPS-AUF-2021-000000000007"
    );
    let richieste = scena.richieste.lock().unwrap();
    assert_eq!(richieste.len(), 3);
    assert!(richieste.iter().all(|richiesta| *richiesta == richieste[0]));
    assert_eq!(scena.connessioni.load(Ordering::Relaxed), 1);
}

#[test]
fn patience_has_an_end_and_the_last_answer_is_told() {
    let scena = Scena::new(vec![busy("Retry-After: 0\r\n")]);
    let esito = send_envelope(&scena.client("pat01", 2), &busta("a.xml")).unwrap();
    assert!(matches!(esito, Esito::Sospesa { .. }), "{esito:?}");
    assert_eq!(scena.richieste.lock().unwrap().len(), 2);
}

#[test]
fn who_asks_for_an_hour_is_not_waited_for() {
    let scena = Scena::new(vec![busy("Retry-After: 3600\r\n")]);
    let mancato = scena
        .client("pat01", 5)
        .post("AssegnoTemporaneo", crate::soap::SoapVersion::V12, b"<x/>")
        .unwrap_err();
    assert!(matches!(mancato, Mancato::PiuTardi(503)), "{mancato}");
}

#[test]
fn a_body_that_is_read_while_it_goes_begins_anew_at_each_attempt() {
    let scena = Scena::new(vec![busy("Retry-After: 0\r\n"), registered(7)]);
    let mut lette = 0;
    let ricevuto = scena
        .client("pat01", 3)
        .post_stream("AssegnoTemporaneo", "text/xml", Some(4), || {
            lette += 1;
            Ok(&b"<x/>"[..])
        })
        .unwrap();
    assert_eq!((ricevuto.status, lette), (200, 2));
    assert_eq!(*scena.richieste.lock().unwrap(), ["<x/>", "<x/>"]);
}

#[test]
fn a_certificate_that_is_not_taken_is_told_at_once() {
    let scena = Scena::new(vec![registered(1)]);
    let mancato = scena
        .client("expired", 5)
        .post("AssegnoTemporaneo", crate::soap::SoapVersion::V12, b"<x/>")
        .unwrap_err();
    assert!(
        matches!(&mancato, Mancato::Porta(causa) if causa.contains("il certificato del client è scaduto")),
        "{mancato}"
    );
    assert!(scena.richieste.lock().unwrap().is_empty());
}

#[test]
fn a_folder_leaves_one_row_a_file_in_the_order_of_names() {
    let rifiuto = envelope(
        "<e:Fault><e:Detail><Errori><Errore><Codice>XSD-003</Codice><Testo>manca</Testo><Riga>1</Riga><Ripetere>false</Ripetere></Errore></Errori></e:Detail></e:Fault>",
    );
    let scena = Scena::new(vec![registered(1), (500, "", rifiuto), registered(2)]);
    let lotto = tempfile::tempdir().unwrap();
    for nome in ["a.xml", "b.xml", "c.xml"] {
        std::fs::write(lotto.path().join(nome), DOMANDA).unwrap();
    }
    std::fs::write(lotto.path().join("d.xml"), "non xml").unwrap();
    let args = Args {
        percorso: lotto.path().to_owned(),
        dove: Dove {
            config: None,
            url: Some(format!("https://{}", scena.indirizzo)),
            cert: Some(scena.certs.path().join("pat01.pem")),
            key: None,
            ca: Some(scena.certs.path().join("ca.pem")),
        },
        servizio: None,
        pdd: false,
        nomi: Nomi {
            mittente: "PatronatoUno".to_owned(),
            destinatario: "INPS".to_owned(),
        },
        user_id: None,
        ufficio: None,
        jobs: 1,
        tentativi: 1,
        esiti: None,
    };
    assert_eq!(args.run().unwrap(), Uscita::Rifiutato);
    let csv = std::fs::read_to_string(lotto.path().join("esiti.csv")).unwrap();
    let righe: Vec<&str> = csv.lines().skip(1).collect();
    assert_eq!(
        righe[0],
        "a.xml;a;REGISTRATA;INPS-AUF-2021-000000000001;false;;;;;"
    );
    assert_eq!(righe[1], "b.xml;b;RIFIUTATA;;;XSD-003;;;;manca");
    assert_eq!(
        righe[2],
        "c.xml;c;REGISTRATA;INPS-AUF-2021-000000000002;false;;;;;"
    );
    assert!(righe[3].starts_with("d.xml;;RIFIUTATA;;;ENV-"), "{}", righe[3]);
    assert_eq!(righe.len(), 4);
}

#[test]
fn a_folder_is_summed_up_in_one_line() {
    let mut somma = Somma::default();
    let registrata = |ripetizione| {
        Esito::Registrata(Box::new(risposta::Registrata {
            ripetizione,
            ..risposta::Registrata::default()
        }))
    };
    let rifiutata = Esito::Rifiutata { errori: Vec::new() };
    (0..980).for_each(|_| somma.add(&registrata(false)));
    (0..20).for_each(|_| somma.add(&rifiutata));
    assert_eq!(somma.to_string(), "980 registrate, 20 rifiutate");
    assert_eq!(somma.uscita(), Uscita::Rifiutato);
    somma.add(&registrata(true));
    somma.add(&Esito::NonInviata { causa: String::new() });
    assert_eq!(
        somma.to_string(),
        "981 registrate, 20 rifiutate, 1 non inviate: ripetere il comando (1 già registrate in precedenza)"
    );
    assert_eq!(somma.uscita(), Uscita::Riprovare);
}

#[test]
fn the_files_of_a_folder_come_in_the_order_of_their_names() {
    let cartella = tempfile::tempdir().unwrap();
    for nome in ["b.xml", "a.XML", "esiti.csv", "c.xml"] {
        std::fs::write(cartella.path().join(nome), "").unwrap();
    }
    let nomi: Vec<_> = xml_files(cartella.path())
        .unwrap()
        .iter()
        .map(|file| file_name(file))
        .collect();
    assert_eq!(nomi, ["a.XML", "b.xml", "c.xml"]);
}

#[test]
fn a_gateway_that_cannot_be_trusted_and_one_that_is_not_there_are_told_apart() {
    let scena = Scena::new(vec![registered(1)]);
    let altra = Scena::new(vec![registered(1)]);
    let file = |nome: &str| scena.certs.path().join(nome);
    let credenziali = Credenziali {
        cert: &file("pat01.pem"),
        key: &file("pat01.key"),
        ca: &altra.certs.path().join("ca.pem"),
    };
    let post = |url: &str| {
        Cliente::new(url, credenziali, 1, 1)
            .unwrap()
            .post("AssegnoTemporaneo", crate::soap::SoapVersion::V12, b"<x/>")
            .unwrap_err()
    };
    let straniero = post(&format!("https://{}", scena.indirizzo));
    assert!(
        matches!(&straniero, Mancato::Porta(causa) if causa.contains("--ca")),
        "{straniero}"
    );
    let assente = post("https://127.0.0.1:1");
    assert!(matches!(assente, Mancato::Rete(_)), "{assente}");
}
