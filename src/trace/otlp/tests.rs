use std::time::Duration;

use super::*;
use crate::trace::Traccia;

fn config(collettore: &str) -> TelemetriaConfig {
    TelemetriaConfig {
        collettore: Some(collettore.to_owned()),
        ..TelemetriaConfig::default()
    }
}

fn identita() -> Identita {
    Identita {
        nodo: "varco".to_owned(),
        ambiente: "sandbox",
    }
}

#[test]
fn an_address_that_is_no_collectors_is_refused() {
    for collettore in [
        "https://collettore.example:4318",
        "127.0.0.1:4318",
        "http://",
        "http://127.0.0.1:4318/v1/traces",
        "http://chi:parola@127.0.0.1:4318",
        "http://127.0.0.1:4318?a=b",
    ] {
        let errore = Esportatore::open(&config(collettore), identita()).unwrap_err();
        assert!(
            matches!(errore, TelemetriaErrata::Indirizzo),
            "{collettore}: {errore}"
        );
    }
    assert!(
        Esportatore::open(&TelemetriaConfig::default(), identita())
            .unwrap()
            .is_none()
    );
}

#[test]
fn a_collector_that_is_not_there_costs_a_count() {
    // Nobody listens on the port of a listener that is gone.
    let libera = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let config = TelemetriaConfig {
        attesa: Duration::from_millis(500),
        ..config(&format!("http://{libera}"))
    };
    let esportatore = Esportatore::open(&config, identita()).unwrap().unwrap();
    esportatore.ended(&Traccia::default(), Duration::from_millis(1));
    esportatore.close();
    assert!(esportatore.falliti() >= 1);
}
