//! What a load balancer is told: red while the store would not take a registration, green again by itself.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use sqlx::{Connection as _, Executor as _};

use crate::helpers::{Archivio, Gateway, Setting, on_both_stores};
use crate::postgres::cluster;

on_both_stores! {
    readiness_follows_the_store_and_liveness_does_not,
    a_gateway_on_its_way_out_is_red_at_once,
    what_is_not_asked_for_is_not_there,
}

const VERDE: &str = r#"{"cause":[],"stato":"verde"}"#;

fn spawn(archivio: Archivio) -> Gateway {
    Gateway::spawn(&Setting {
        salute: Some(
            "[salute]\nindirizzo = \"127.0.0.1:0\"\nintervallo_s = 0.05\nattesa_s = 0.5\n[database]\nattesa_s = 1\n"
                .to_owned(),
        ),
        ..Setting::on(archivio)
    })
}

/// Status and body of one question, on a connection of its own.
fn ask(indirizzo: SocketAddr, metodo: &str, percorso: &str) -> (u16, String) {
    ask_with(indirizzo, metodo, percorso, "")
}

/// The same, with header lines.
pub(crate) fn ask_with(indirizzo: SocketAddr, metodo: &str, percorso: &str, testata: &str) -> (u16, String) {
    let mut tcp = TcpStream::connect(indirizzo).unwrap();
    tcp.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
    write!(
        tcp,
        "{metodo} {percorso} HTTP/1.1\r\nHost: x\r\n{testata}Connection: close\r\n\r\n"
    )
    .unwrap();
    let mut risposta = String::new();
    tcp.read_to_string(&mut risposta).unwrap();
    let (testa, corpo) = risposta.split_once("\r\n\r\n").unwrap();
    let status = testa.split(' ').nth(1).unwrap().parse().unwrap();
    (status, corpo.to_owned())
}

/// Asks until the status is this one; its body.
fn until(indirizzo: SocketAddr, status: u16) -> String {
    let fine = Instant::now() + Duration::from_secs(20);
    loop {
        let (detto, corpo) = ask(indirizzo, "GET", "/health/ready");
        if detto == status {
            return corpo;
        }
        assert!(Instant::now() < fine, "{detto} {corpo}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Somebody who keeps the gateway from its store for as long as he lives.
pub(crate) enum Impedimento {
    /// The file is locked for writing.
    Blocco(sqlx::SqliteConnection),
    /// The database takes nobody in, and sends away who is in.
    Chiuso(String),
}

pub(crate) fn take_away(gateway: &Gateway, archivio: Archivio) -> Impedimento {
    let store = std::fs::read_to_string(gateway.dir.path().join("store.txt")).unwrap();
    match archivio {
        Archivio::Sqlite => gateway.block_on(async {
            let file = gateway.dir.path().join("store.db");
            let url = format!("sqlite:{}", file.display());
            let mut altro = sqlx::SqliteConnection::connect(&url).await.unwrap();
            altro.execute("BEGIN IMMEDIATE").await.unwrap();
            Impedimento::Blocco(altro)
        }),
        Archivio::Postgres => {
            let (_, resto) = store.split_once(":///").unwrap();
            let database = resto.split('?').next().unwrap().to_owned();
            for sql in [
                format!("ALTER DATABASE {database} ALLOW_CONNECTIONS false"),
                format!(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{database}'"
                ),
            ] {
                cluster().unwrap().sql("postgres", &sql).unwrap();
            }
            Impedimento::Chiuso(database)
        }
    }
}

/// Executes statements in the gateway's store, as who owns it.
pub(crate) fn raw(gateway: &Gateway, archivio: Archivio, sql: &str) {
    let sql = sqlx::AssertSqlSafe(sql.to_owned());
    match archivio {
        Archivio::Sqlite => gateway.block_on(async {
            let url = format!("sqlite:{}", gateway.dir.path().join("store.db").display());
            let mut altro = sqlx::SqliteConnection::connect(&url).await.unwrap();
            altro.execute(sqlx::raw_sql(sql)).await.unwrap();
            altro.close().await.unwrap();
        }),
        Archivio::Postgres => gateway.block_on(async {
            let store = std::fs::read_to_string(gateway.dir.path().join("store.txt")).unwrap();
            let mut altro = sqlx::PgConnection::connect(&store).await.unwrap();
            altro.execute(sqlx::raw_sql(sql)).await.unwrap();
            altro.close().await.unwrap();
        }),
    }
}

pub(crate) fn give_back(gateway: &Gateway, impedimento: Impedimento) {
    match impedimento {
        Impedimento::Blocco(altro) => gateway.block_on(altro.close()).unwrap(),
        Impedimento::Chiuso(database) => {
            let sql = format!("ALTER DATABASE {database} ALLOW_CONNECTIONS true");
            cluster().unwrap().sql("postgres", &sql).unwrap();
        }
    }
}

fn readiness_follows_the_store_and_liveness_does_not(archivio: Archivio) {
    let gateway = spawn(archivio);
    let indirizzo = gateway.salute();
    assert_eq!(until(indirizzo, 200), VERDE);
    assert_eq!(ask(indirizzo, "GET", "/health/live"), (200, VERDE.to_owned()));
    let impedimento = take_away(&gateway, archivio);
    assert_eq!(
        until(indirizzo, 503),
        r#"{"cause":[{"che":"archivio","codice":"STO-001","perche":"servizio momentaneamente non disponibile"}],"stato":"rosso"}"#
    );
    // It is the store that is gone, not the process: nobody shall start it again for that.
    assert_eq!(ask(indirizzo, "GET", "/health/live"), (200, VERDE.to_owned()));
    give_back(&gateway, impedimento);
    assert_eq!(until(indirizzo, 200), VERDE);
    // What the probe wrote is nowhere.
    let verifica = gateway.block_on(gateway.store().verify()).unwrap();
    assert_eq!((verifica.registrazioni, verifica.anomalie), (0, Vec::new()));
}

fn a_gateway_on_its_way_out_is_red_at_once(archivio: Archivio) {
    let gateway = spawn(archivio);
    let indirizzo = gateway.salute();
    until(indirizzo, 200);
    gateway.leave();
    assert_eq!(
        ask(indirizzo, "GET", "/health/ready"),
        (
            503,
            r#"{"cause":[{"che":"servizio","perche":"si sta fermando"}],"stato":"rosso"}"#.to_owned()
        )
    );
    assert_eq!(ask(indirizzo, "GET", "/health/live"), (200, VERDE.to_owned()));
}

fn what_is_not_asked_for_is_not_there(archivio: Archivio) {
    let gateway = spawn(archivio);
    let indirizzo = gateway.salute();
    until(indirizzo, 200);
    assert_eq!(ask(indirizzo, "HEAD", "/health/ready"), (200, String::new()));
    assert_eq!(ask(indirizzo, "POST", "/health/ready").0, 405);
    assert_eq!(ask(indirizzo, "GET", "/").0, 404);
    // And none where no address is set.
    let altro = Gateway::spawn(&Setting::on(archivio));
    assert!(!altro.tells_its_health());
}
