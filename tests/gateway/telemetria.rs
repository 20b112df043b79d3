//! What a collector of OpenTelemetry is told: a span for the message and one for each step, in the caller's own trace where it
//! has one, and nothing of anybody.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::trace::v1::Span;
use prost::Message as _;
use varco::domanda::sha256::hex;

use crate::helpers::{Archivio, Gateway, Setting, on_both_stores};

on_both_stores! {
    a_message_is_a_span_and_so_is_each_of_its_steps,
    a_caller_finds_the_message_in_its_own_trace,
}

const DOMANDA: &[u8] = include_bytes!("../messages/domanda-registered/request.xml");

/// Somebody who takes spans, as a collector does.
struct Collettore {
    dove: SocketAddr,
    arrivate: Receiver<ExportTraceServiceRequest>,
}

impl Collettore {
    fn new() -> Self {
        let ascolto = TcpListener::bind("127.0.0.1:0").unwrap();
        let dove = ascolto.local_addr().unwrap();
        let (arriva, arrivate) = channel();
        std::thread::spawn(move || {
            for connessione in ascolto.incoming() {
                let mut lettore = BufReader::new(connessione.unwrap());
                loop {
                    let mut testata = Vec::new();
                    loop {
                        let mut riga = String::new();
                        if lettore.read_line(&mut riga).unwrap_or(0) == 0 || riga == "\r\n" {
                            break;
                        }
                        testata.push(riga.to_ascii_lowercase());
                    }
                    let Some(richiesta) = testata.first() else { break };
                    assert_eq!(richiesta, "post /v1/traces http/1.1\r\n");
                    let campo = |nome: &str| {
                        testata
                            .iter()
                            .find_map(|riga| Some(riga.strip_prefix(nome)?.trim().to_owned()))
                    };
                    assert_eq!(campo("content-type:").as_deref(), Some("application/x-protobuf"));
                    let mut corpo = vec![0; campo("content-length:").unwrap().parse().unwrap()];
                    lettore.read_exact(&mut corpo).unwrap();
                    let letta = ExportTraceServiceRequest::decode(&corpo[..]).unwrap();
                    lettore
                        .get_mut()
                        .write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n")
                        .unwrap();
                    if arriva.send(letta).is_err() {
                        return;
                    }
                }
            }
        });
        Self { dove, arrivate }
    }

    fn gateway(&self, archivio: Archivio, resto: &str) -> Gateway {
        Gateway::spawn(&Setting {
            salute: Some(format!(
                "[telemetria]\ncollettore = \"http://{}\"\nritardo_s = 0.05\n{resto}",
                self.dove
            )),
            ..Setting::on(archivio)
        })
    }

    /// The spans of the next messages, the one of the message behind those of its steps; and of what resource.
    fn spans(&self, messaggi: usize) -> (Vec<(String, String)>, Vec<Span>) {
        let (mut risorsa, mut spans) = (Vec::new(), Vec::<Span>::new());
        while spans.iter().filter(|span| span.kind == SERVER).count() < messaggi {
            let letta = self.arrivate.recv_timeout(Duration::from_secs(20)).unwrap();
            for di_una in letta.resource_spans {
                risorsa = texts(&di_una.resource.unwrap().attributes);
                spans.extend(di_una.scope_spans.into_iter().flat_map(|ambito| ambito.spans));
            }
        }
        (risorsa, spans)
    }
}

const SERVER: i32 = 2;

fn texts(attributi: &[opentelemetry_proto::tonic::common::v1::KeyValue]) -> Vec<(String, String)> {
    let text = |valore: &Value| match valore {
        Value::StringValue(testo) => testo.clone(),
        Value::IntValue(numero) => numero.to_string(),
        altro => panic!("{altro:?}"),
    };
    attributi
        .iter()
        .map(|attributo| {
            let valore = attributo.value.as_ref().and_then(|valore| valore.value.as_ref());
            (attributo.key.clone(), text(valore.unwrap()))
        })
        .collect()
}

fn a_message_is_a_span_and_so_is_each_of_its_steps(archivio: Archivio) {
    let collettore = Collettore::new();
    let gateway = collettore.gateway(archivio, "");
    let reply = gateway.client("pat01").post(DOMANDA);
    assert_eq!(
        reply.value("Esito").as_deref(),
        Some("REGISTRATA"),
        "{}",
        reply.text()
    );
    let (risorsa, spans) = collettore.spans(1);
    for (nome, valore) in [
        ("service.name", "varco"),
        ("service.instance.id", "varco"),
        ("deployment.environment.name", "sandbox"),
    ] {
        assert!(
            risorsa.contains(&(nome.to_owned(), valore.to_owned())),
            "{risorsa:?}"
        );
    }
    let messaggio = spans.iter().find(|span| span.kind == SERVER).unwrap();
    assert_eq!(messaggio.name, "AssegnoTemporaneo/InviaDomanda");
    assert!(messaggio.parent_span_id.is_empty());
    let attributi = texts(&messaggio.attributes);
    let attributo = |nome: &str| {
        let trovato = attributi.iter().find(|(altro, _)| altro == nome);
        trovato.map(|(_, valore)| valore.clone()).unwrap_or_default()
    };
    // Whoever has the receipt has the trace.
    let id = attributo("varco.message_id");
    assert_eq!(reply.header("Varco-Message-ID"), Some(id.as_str()));
    assert_eq!(hex(&messaggio.trace_id), id.replace('-', ""));
    assert_eq!(attributo("varco.esito"), "REGISTRATA");
    assert_eq!(attributo("varco.ente"), "PAT01");
    assert_eq!(attributo("http.response.status_code"), "200");
    assert_eq!(attributo("http.request.body.size"), DOMANDA.len().to_string());

    let passi: Vec<&Span> = spans
        .iter()
        .filter(|span| span.parent_span_id == messaggio.span_id)
        .collect();
    let nomi: Vec<_> = passi.iter().map(|passo| passo.name.as_str()).collect();
    assert_eq!(nomi.len() + 1, spans.len(), "{nomi:?}");
    assert!(
        nomi.contains(&"regole") && nomi.contains(&"registrazione"),
        "{nomi:?}"
    );
    let mut da = messaggio.start_time_unix_nano;
    for passo in &passi {
        assert_eq!(
            (&passo.trace_id, passo.start_time_unix_nano),
            (&messaggio.trace_id, da)
        );
        da = passo.end_time_unix_nano;
    }
    let tutto = format!("{spans:?}");
    for dato in ["RSSMRA80A01H501U", "op.rossi", "MARIO", "K-1"] {
        assert!(!tutto.contains(dato), "{dato}");
    }
}

fn a_caller_finds_the_message_in_its_own_trace(archivio: Archivio) {
    const TRACCIA: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
    let collettore = Collettore::new();
    // Of those who say nothing hardly any is told; of those who do, what they say.
    let gateway = collettore.gateway(archivio, "campione = 4000000000\n");
    let client = gateway.client("pat01");
    let ancora = |chiave: &str| String::from_utf8_lossy(DOMANDA).replace(">K-1<", &format!(">{chiave}<"));
    client.post(DOMANDA);
    client.post_with(
        ancora("K-2").as_bytes(),
        "traceparent",
        &format!("00-{TRACCIA}-00f067aa0ba902b7-00"),
    );
    client.post_with(ancora("K-3").as_bytes(), "traceparent", "00-non-una-traccia");
    let rifiutata = client.post_with(
        ancora("K-4").as_bytes(),
        "traceparent",
        &format!("00-{TRACCIA}-00f067aa0ba902b7-01"),
    );
    assert_eq!(
        rifiutata.values("Codice"),
        ["AT-006", "AT-006"],
        "{}",
        rifiutata.text()
    );
    let (_, spans) = collettore.spans(1);
    let messaggi: Vec<_> = spans.iter().filter(|span| span.kind == SERVER).collect();
    assert_eq!(messaggi.len(), 1);
    let messaggio = messaggi[0];
    assert_eq!(hex(&messaggio.trace_id), TRACCIA);
    assert_eq!(hex(&messaggio.parent_span_id), "00f067aa0ba902b7");
    assert!(texts(&messaggio.attributes).contains(&("varco.codici".to_owned(), "AT-006 AT-006".to_owned())));
    assert!(spans.iter().all(|span| hex(&span.trace_id) == TRACCIA));
}
