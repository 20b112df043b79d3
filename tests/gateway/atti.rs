//! Acts about a domanda that is there: retry-safe like a domanda, and never on a domanda that somebody changed meanwhile.

use std::collections::BTreeSet;
use std::thread;

use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{AssertSqlSafe, Connection as _, Executor as _};

use crate::helpers::{Archivio, Gateway, Reply, Setting, on_both_stores};

on_both_stores! {
    two_hundred_copies_of_an_act_at_once_get_one_number,
    an_act_and_the_engine_at_once_never_both_have_the_sheet,
    an_act_about_another_sheet_than_the_engines_goes_through,
    a_child_that_was_given_up_is_sent_again,
}

const DOMANDA: &str = include_str!("../messages/domanda-registered/request.xml");
const RINUNCIA: &str = include_str!("../messages/rinuncia/request.xml");

/// The engine, as a process of its own comes to the store.
pub(crate) enum Motore {
    Sqlite(SqliteConnection),
    Postgres(PgConnection),
}

impl Motore {
    pub(crate) async fn connect(gateway: &Gateway, archivio: Archivio) -> Self {
        match archivio {
            Archivio::Sqlite => {
                let options = SqliteConnectOptions::new()
                    .filename(gateway.dir.path().join("store.db"))
                    .busy_timeout(std::time::Duration::from_secs(10));
                Self::Sqlite(SqliteConnection::connect_with(&options).await.unwrap())
            }
            Archivio::Postgres => {
                let url = std::fs::read_to_string(gateway.dir.path().join("store.txt")).unwrap();
                let options: PgConnectOptions = url.parse().unwrap();
                Self::Postgres(PgConnection::connect_with(&options).await.unwrap())
            }
        }
    }

    /// Whether the database let it.
    pub(crate) async fn moves(&mut self, numero: u32, posto: u32, stato: &str) -> bool {
        let dove = format!("WHERE numero_domanda = {numero} AND posto = {posto}");
        self.executes(format!("UPDATE schede SET stato = '{stato}' {dove}"))
            .await
    }

    /// Whether the database let it.
    pub(crate) async fn executes(&mut self, sql: String) -> bool {
        let sql = sqlx::raw_sql(AssertSqlSafe(sql));
        match self {
            Self::Sqlite(connessione) => connessione.execute(sql).await.is_ok(),
            Self::Postgres(connessione) => connessione.execute(sql).await.is_ok(),
        }
    }

    /// Executes a statement that the database must refuse, and tells why.
    pub(crate) async fn refused(&mut self, sql: &str) -> String {
        let sql = sqlx::raw_sql(AssertSqlSafe(sql.to_owned()));
        match self {
            Self::Sqlite(connessione) => connessione.execute(sql).await.unwrap_err().to_string(),
            Self::Postgres(connessione) => connessione.execute(sql).await.unwrap_err().to_string(),
        }
    }

    /// Executes a statement that must go through.
    pub(crate) async fn execute(&mut self, sql: &str) {
        let sql = sqlx::raw_sql(AssertSqlSafe(sql.to_owned()));
        match self {
            Self::Sqlite(connessione) => drop(connessione.execute(sql).await.unwrap()),
            Self::Postgres(connessione) => drop(connessione.execute(sql).await.unwrap()),
        }
    }

    /// The one column of some rows.
    pub(crate) async fn column<T>(&mut self, sql: &str) -> Vec<T>
    where
        T: Send + Unpin,
        (T,): for<'r> sqlx::FromRow<'r, sqlx::sqlite::SqliteRow>
            + for<'r> sqlx::FromRow<'r, sqlx::postgres::PgRow>,
    {
        let sql = AssertSqlSafe(sql.to_owned());
        let righe: Vec<(T,)> = match self {
            Self::Sqlite(connessione) => sqlx::query_as(sql).fetch_all(connessione).await.unwrap(),
            Self::Postgres(connessione) => sqlx::query_as(sql).fetch_all(connessione).await.unwrap(),
        };
        righe.into_iter().map(|(valore,)| valore).collect()
    }
}

/// The states of the sheets of a domanda, in order.
pub(crate) fn stati(gateway: &Gateway, numero: u32) -> Vec<String> {
    consulta(gateway, numero).values("Stato")
}

/// What `ConsultaDomanda` tells of a domanda.
pub(crate) fn consulta(gateway: &Gateway, numero: u32) -> Reply {
    let consulta = format!(
        r#"<env:Envelope xmlns:env="http://www.w3.org/2003/05/soap-envelope" xmlns:inps="http://inps.it/" xmlns:at="http://inps.it/AssegnoTemporaneo/v1" xmlns:coop="http://inps.it/cooperazione/v1"><env:Header><inps:Identity><UserId>op.rossi</UserId><CodiceUfficio>001</CodiceUfficio></inps:Identity></env:Header><env:Body><at:ConsultaDomanda><at:Riferimento><coop:NumeroDomanda>{numero}</coop:NumeroDomanda></at:Riferimento></at:ConsultaDomanda></env:Body></env:Envelope>"#
    );
    gateway.client("pat01").post(consulta.as_bytes())
}

/// The one number that two hundred copies of an act get, sent by twenty at once; one of them is the first.
pub(crate) fn one_number_of_two_hundred_copies(gateway: &Gateway, messaggio: &str) -> String {
    one_number_of_copies_from(gateway, "pat01", messaggio)
}

/// The same for copies that this ente sends.
pub(crate) fn one_number_of_copies_from(gateway: &Gateway, certificato: &str, messaggio: &str) -> String {
    let replies: Vec<(Option<String>, Option<String>, String)> = thread::scope(|scope| {
        let senders: Vec<_> = (0..20)
            .map(|_| {
                scope.spawn(|| {
                    let client = gateway.client(certificato);
                    (0..10)
                        .map(|_| {
                            let reply = client.post(messaggio.as_bytes());
                            let testo = reply.text();
                            let ricevuta = testo.split("<Ricevuta").nth(1).unwrap_or(&testo);
                            let ricevuta = ricevuta.split("</Ricevuta>").next().unwrap().to_owned();
                            (reply.value("Protocollo"), reply.value("Ripetizione"), ricevuta)
                        })
                        .collect::<Vec<_>>()
                })
            })
            .collect();
        senders
            .into_iter()
            .flat_map(|sender| sender.join().unwrap())
            .collect()
    });
    assert_eq!(replies.len(), 200);
    let diverse: BTreeSet<_> = replies
        .iter()
        .map(|(numero, _, ricevuta)| (numero.as_deref(), ricevuta))
        .collect();
    assert_eq!(diverse.len(), 1, "{diverse:?}");
    let prime = replies
        .iter()
        .filter(|(_, ripetizione, _)| ripetizione.as_deref() == Some("false"))
        .count();
    assert_eq!(prime, 1, "one is the first, 199 are repetitions");
    replies[0].0.clone().unwrap()
}

fn two_hundred_copies_of_an_act_at_once_get_one_number(archivio: Archivio) {
    let gateway = Gateway::spawn(&Setting::on(archivio));
    assert_eq!(gateway.client("pat01").post(DOMANDA.as_bytes()).status, 200);
    let numero = one_number_of_two_hundred_copies(&gateway, RINUNCIA);
    assert_eq!(numero, "INPS-AUF-2021-000000000002");
    assert_eq!(stati(&gateway, 1), ["PRESENTATA", "RINUNCIATA"]);
}

fn an_act_and_the_engine_at_once_never_both_have_the_sheet(archivio: Archivio) {
    const GARE: u32 = 12;
    let gateway = Gateway::spawn(&Setting::on(archivio));
    for gara in 1..=GARE {
        // The children of one race are given up, or refused, before the next one.
        let chiave = format!("G-{gara}");
        let domanda = DOMANDA.replace(">K-1<", &format!(">{chiave}<"));
        let inviata = gateway.client("pat01").post(domanda.as_bytes());
        assert_eq!(
            inviata.value("Esito").as_deref(),
            Some("REGISTRATA"),
            "{}",
            inviata.text()
        );
        let rinuncia = RINUNCIA
            .replace(">K-1<", &format!(">{chiave}<"))
            .replace(">R-1<", &format!(">R-{gara}<"));
        let (risposta, lavorata) = thread::scope(|scope| {
            let patronato = scope.spawn(|| gateway.client("pat01").post(rinuncia.as_bytes()));
            let lavorata = gateway.block_on(async {
                let mut motore = Motore::connect(&gateway, archivio).await;
                motore.moves(gara, 2, "IN_ISTRUTTORIA").await && motore.moves(gara, 2, "RESPINTA").await
            });
            (patronato.join().unwrap(), lavorata)
        });
        let esito = risposta
            .value("Esito")
            .unwrap_or_else(|| panic!("{}", risposta.text()));
        let stato = &stati(&gateway, gara)[1];
        match (esito.as_str(), lavorata) {
            ("REGISTRATA", false) => assert_eq!(stato, "RINUNCIATA"),
            ("RIFIUTATA", true) => {
                assert_eq!(risposta.value("Codice").as_deref(), Some("STA-001"));
                assert_eq!(stato, "RESPINTA");
            }
            altro => panic!("{altro:?}, sheet {stato}"),
        }
        gateway.block_on(async {
            let mut motore = Motore::connect(&gateway, archivio).await;
            assert!(motore.moves(gara, 1, "IN_ISTRUTTORIA").await && motore.moves(gara, 1, "RESPINTA").await);
        });
    }
}

fn an_act_about_another_sheet_than_the_engines_goes_through(archivio: Archivio) {
    let gateway = Gateway::spawn(&Setting::on(archivio));
    assert_eq!(gateway.client("pat01").post(DOMANDA.as_bytes()).status, 200);
    let risposta = thread::scope(|scope| {
        let patronato = scope.spawn(|| gateway.client("pat01").post(RINUNCIA.as_bytes()));
        gateway.block_on(async {
            let mut motore = Motore::connect(&gateway, archivio).await;
            assert!(motore.moves(1, 1, "IN_ISTRUTTORIA").await);
            for stato in ["SOSPESA", "IN_ISTRUTTORIA", "ACCOLTA"] {
                assert!(motore.moves(1, 1, stato).await, "{stato}");
            }
        });
        patronato.join().unwrap()
    });
    assert_eq!(
        risposta.value("Protocollo").as_deref(),
        Some("INPS-AUF-2021-000000000002"),
        "{}",
        risposta.text()
    );
    assert_eq!(stati(&gateway, 1), ["ACCOLTA", "RINUNCIATA"]);
}

fn a_child_that_was_given_up_is_sent_again(archivio: Archivio) {
    let gateway = Gateway::spawn(&Setting::on(archivio));
    let client = gateway.client("pat01");
    assert_eq!(client.post(DOMANDA.as_bytes()).status, 200);
    // Both children: the sheets of this domanda are the same two.
    let tutte = RINUNCIA.replace(
        "<coop:Scheda>2</coop:Scheda>",
        "<coop:Scheda>1</coop:Scheda><coop:Scheda>2</coop:Scheda>",
    );
    let rinunciata = client.post(tutte.as_bytes());
    assert_eq!(
        rinunciata.value("Esito").as_deref(),
        Some("REGISTRATA"),
        "{}",
        rinunciata.text()
    );
    assert_eq!(rinunciata.values("Posto"), ["1", "2"]);
    let corretta = client.post(DOMANDA.replace(">K-1<", ">K-2<").as_bytes());
    assert_eq!(
        (
            corretta.value("NumeroDomanda").as_deref(),
            corretta.value("Protocollo").as_deref()
        ),
        (Some("2"), Some("INPS-AUF-2021-000000000003"))
    );
    assert_eq!(stati(&gateway, 1), ["RINUNCIATA", "RINUNCIATA"]);
    assert_eq!(stati(&gateway, 2), ["PRESENTATA", "PRESENTATA"]);
}
