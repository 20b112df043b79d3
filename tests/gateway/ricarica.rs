//! What is read again while messages come, and what a caller is told of his own certificate.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use varco::config::LogConfig;
use varco::telemetry;

use crate::helpers::{Gateway, Setting};

const LIMITI: &[u8] = include_bytes!("../messages/limiti/request.xml");
const DOMANDA: &[u8] = include_bytes!("../../docs/messaggi/InviaDomanda.xml");

#[test]
fn a_caller_whose_certificate_ends_soon_reads_it_in_every_answer() {
    let gateway = Gateway::spawn(&Setting {
        tls: Some("avviso_giorni = \"36500\"".to_owned()),
        ..Setting::default()
    });
    let client = gateway.client("pat01");
    for risposta in [
        client.post(LIMITI),
        client.post(b"<rotto"),
        client.get("?wsdl"),
        client.get_path("/altrove"),
    ] {
        let detto = risposta.header("varco-certificato-scade").unwrap();
        let giorno: jiff::civil::Date = detto.parse().unwrap();
        let fine = varco::adesione::Certificato::from_pem(
            &std::fs::read(crate::helpers::certs().join("pat01.pem")).unwrap(),
        )
        .unwrap()[0]
            .scadenza;
        assert_eq!(giorno, fine.to_zoned(jiff::tz::TimeZone::UTC).date());
    }
    let lontana = Gateway::spawn(&Setting::default());
    let risposta = lontana.client("pat01").post(LIMITI);
    assert_eq!(
        (risposta.status, risposta.header("varco-certificato-scade")),
        (200, None)
    );
}

/// Fifty reloads of everything that is reloaded, while two enti send on open connections and on new ones: not one request
/// is refused, cut or left without an answer.
#[test]
fn fifty_reloads_lose_no_request() {
    const RICARICHE: usize = 50;
    telemetry::init(&LogConfig {
        livello: "error".to_owned(),
        ..LogConfig::default()
    });
    let gateway = Gateway::spawn(&Setting::default());
    let file = gateway.dir().join("adesioni.toml");
    let adesioni = std::fs::read_to_string(&file).unwrap();
    let (fine, serviti) = (AtomicBool::new(false), AtomicUsize::new(0));
    std::thread::scope(|scope| {
        let mittenti = ["pat01", "pat02"].map(|certificato| {
            let (gateway, fine, serviti) = (&gateway, &fine, &serviti);
            scope.spawn(move || {
                let mut client = gateway.client(certificato);
                let mut giro = 0;
                while !fine.load(Ordering::Relaxed) {
                    giro += 1;
                    if giro % 8 == 0 {
                        client = gateway.client(certificato);
                    }
                    let richiesta = if giro % 2 == 0 { LIMITI } else { DOMANDA };
                    let risposta = client.post(richiesta);
                    assert_eq!(risposta.status, 200, "{}", risposta.text());
                    serviti.fetch_add(1, Ordering::Relaxed);
                }
            })
        });
        for giro in 0..RICARICHE {
            let da = serviti.load(Ordering::Relaxed);
            let nuovo = file.with_extension("nuovo");
            std::fs::write(&nuovo, format!("# {giro}\n{adesioni}")).unwrap();
            std::fs::rename(&nuovo, &file).unwrap();
            let ricarica = gateway.reload();
            assert!(ricarica.errori.is_empty(), "{:?}", ricarica.errori);
            assert_eq!(ricarica.prese, ["certificato del server", "CA e CRL", "adesioni"]);
            telemetry::set_level(["off", "error"][giro % 2]).unwrap();
            // Each reload is felt by somebody before the next one.
            while serviti.load(Ordering::Relaxed) == da {
                assert!(
                    mittenti.iter().any(|mittente| !mittente.is_finished()),
                    "a request was lost"
                );
                std::thread::yield_now();
            }
        }
        fine.store(true, Ordering::Relaxed);
    });
    assert!(serviti.into_inner() >= RICARICHE);
}
