//! Exchanges that were written before their headers were one compressed value (ADR 17, migration 15) are told byte by byte
//! by the program of today: on the embedded store the migration moved them, on PostgreSQL they stay where they are.

use std::path::Path;

use bytes::Bytes;
use jiff::Timestamp;
use sqlx::Connection as _;
use sqlx::sqlite::{SqliteAutoVacuum, SqliteConnectOptions, SqliteConnection, SqliteJournalMode};
use varco::domanda::sha256;
use varco::store::egov::{RicercaScambi, ScambioDi};
use varco::store::{self, SharedStore, StoreUrl};
use varco::trace::egov::{BustaInviata, Diagnostico, Forma, Scambio};

use crate::atti::{istante, options, traccia};
use crate::banco::{Banco, Raw};
use crate::comandi::{run, varco};
use crate::egov::letto;

/// What may lie in an old table: both headers, one of them, none.
fn before() -> Vec<ScambioDi> {
    let header = |nome: &str| {
        Bytes::from(format!(
            "<e:Intestazione xmlns:e=\"urn:e\">\r\n\t{nome} dell'unità&#13;</e:Intestazione>"
        ))
    };
    let inviata = |n: u32| BustaInviata {
        istante: istante("2021-07-01T08:00:00.123Z"),
        identificatore: format!("INPS_INPSSPCoopIT_{n:07}_2021-07-01_10:00"),
        intestazione: header(&format!("risposta {n}")),
    };
    let of = |n: u32, scambio: Scambio| ScambioDi {
        message_id: traccia(&format!("prima{n}")).message_id,
        istante: istante(&format!("2021-07-01T08:00:0{n}.456Z")),
        scambio: Scambio {
            porta: "INPSSPCoopIT".to_owned(),
            certificato_sha256: "ab".repeat(32),
            ..scambio
        },
    };
    vec![
        of(
            1,
            Scambio {
                controparte: Some("PatUno".to_owned()),
                identificatore: Some("PatUno_PatUnoSPCoopIT_0000001_2021-07-01_09:59".to_owned()),
                richiesta: Some(header("richiesta 1")),
                legami: " xmlns:x=\"urn:l'altro\"".to_owned(),
                forma: Some(Forma::Risposta),
                risposta: Some(inviata(1)),
                ..Scambio::default()
            },
        ),
        // Its sender hung up.
        of(
            2,
            Scambio {
                controparte: Some("PatUno".to_owned()),
                richiesta: Some(header("richiesta 2")),
                ..Scambio::default()
            },
        ),
        of(
            3,
            Scambio {
                forma: Some(Forma::Eccezioni),
                risposta: Some(inviata(3)),
                ..Scambio::default()
            },
        ),
        of(
            4,
            Scambio {
                forma: Some(Forma::SoloFault),
                diagnostico: Some(Diagnostico {
                    livello: 1,
                    testo: "nessuna busta nell'header".to_owned(),
                }),
                ..Scambio::default()
            },
        ),
    ]
}

/// How a kind of store writes what is not text.
struct Scrittura {
    byte: fn(&[u8]) -> String,
    istante: fn(Timestamp) -> String,
}

const SQLITE: Scrittura = Scrittura {
    byte: |byte| format!("X'{}'", sha256::hex(byte)),
    istante: |istante| istante.as_millisecond().to_string(),
};

const POSTGRES: Scrittura = Scrittura {
    byte: |byte| format!("'\\x{}'::bytea", sha256::hex(byte)),
    istante: |istante| format!("'{istante}'::timestamptz"),
};

impl Scrittura {
    /// The statement with which a program of before wrote an exchange.
    fn insert(&self, uno: &ScambioDi) -> String {
        let scambio = &uno.scambio;
        let inviata = scambio.risposta.as_ref();
        let diagnostico = scambio.diagnostico.as_ref();
        let legami = Some(scambio.legami.as_str()).filter(|legami| !legami.is_empty());
        let valori = [
            text(Some(&uno.message_id.to_string())),
            (self.istante)(uno.istante),
            text(Some(&scambio.porta)),
            text(scambio.controparte.as_deref()),
            text(scambio.identificatore.as_deref()),
            text(inviata.map(|inviata| inviata.identificatore.as_str())),
            or_null(inviata.map(|inviata| (self.istante)(inviata.istante))),
            text(Some(&scambio.certificato_sha256)),
            text(scambio.forma.map(Forma::as_str)),
            or_null(scambio.richiesta.as_deref().map(self.byte)),
            text(legami),
            or_null(inviata.map(|inviata| (self.byte)(&inviata.intestazione))),
            or_null(diagnostico.map(|diagnostico| diagnostico.livello.to_string())),
            text(diagnostico.map(|diagnostico| diagnostico.testo.as_str())),
        ];
        format!(
            "INSERT INTO egov (message_id, istante, porta, controparte, identificatore, risposta_identificatore, \
             risposta_istante, certificato_sha256, forma, richiesta, legami, risposta, livello, diagnostico) \
             VALUES ({})",
            valori.join(", ")
        )
    }
}

fn text(valore: Option<&str>) -> String {
    or_null(valore.map(|testo| format!("'{}'", testo.replace('\'', "''"))))
}

fn or_null(valore: Option<String>) -> String {
    valore.unwrap_or_else(|| "NULL".to_owned())
}

async fn all(store: &SharedStore) -> Vec<ScambioDi> {
    let ricerca = RicercaScambi {
        limite: 100,
        ..RicercaScambi::default()
    };
    store.scambi(&ricerca).await.unwrap()
}

/// Writes an exchange as the program of today does: all that is to be told then, together with those of before.
async fn written_now(store: &SharedStore) -> Vec<ScambioDi> {
    let mut nuovo = letto("dopo", 5);
    nuovo.istante = istante("2021-07-01T08:00:05Z");
    assert_eq!(
        store.accept_buste(std::slice::from_ref(&nuovo)).await.unwrap(),
        [true]
    );
    nuovo.scambio.giorno = None;
    [before(), vec![nuovo]].concat()
}

/// `varco trace egov` writes the headers of before as they were, each once.
fn check_export(url: &StoreUrl, cartella: &Path) {
    let config = cartella.join("varco.toml");
    std::fs::write(&config, "ambiente = \"collaudo\"\n").unwrap();
    let dove = match url {
        StoreUrl::Sqlite(path) => format!("sqlite:{}", path.display()),
        StoreUrl::Postgres(url) => url.as_str().to_owned(),
    };
    let argomenti = ["trace", "egov", "--config", config.to_str().unwrap()];
    let (codice, detto) = run(&mut varco(&argomenti, &dove));
    assert_eq!(codice, Some(0), "{detto}");
    for uno in before() {
        let inviata = uno.scambio.risposta.map(|inviata| inviata.intestazione);
        for header in [uno.scambio.richiesta, inviata].into_iter().flatten() {
            let header = std::str::from_utf8(&header).unwrap();
            assert_eq!(detto.matches(header).count(), 1, "{header:?} in {detto}");
        }
        if let Some(diagnostico) = uno.scambio.diagnostico {
            assert!(detto.contains(&diagnostico.testo), "{detto}");
        }
    }
}

#[tokio::test]
async fn the_embedded_store_moves_them_when_it_is_opened() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("store.db");
    let prima = SqliteConnectOptions::new()
        .filename(&path)
        .create_if_missing(true)
        .auto_vacuum(SqliteAutoVacuum::Incremental)
        .journal_mode(SqliteJournalMode::Wal);
    let mut connessione = SqliteConnection::connect_with(&prima).await.unwrap();
    sqlx::migrate!("migrations/sqlite")
        .run_to(14, &mut connessione)
        .await
        .unwrap();
    let mut raw = Raw::Sqlite(connessione);
    raw.execute(
        "INSERT INTO impostazioni (nome, valore) VALUES ('ambiente', 'collaudo'), ('creato_il', '2021-06-01T00:00:00Z')",
    )
    .await
    .unwrap();
    for uno in before() {
        raw.execute(&SQLITE.insert(&uno)).await.unwrap();
    }
    drop(raw);

    let url = StoreUrl::Sqlite(path);
    let (store, _) = store::open(&url, &options()).await.unwrap();
    let attesi = written_now(&store).await;
    assert_eq!(all(&store).await, attesi);
    check_export(&url, dir.path());
    let codec = Raw::open(&url)
        .await
        .rows("SELECT codec FROM egov ORDER BY istante")
        .await;
    let codec: Vec<_> = codec.iter().map(|riga| riga["codec"].as_str()).collect();
    let [identity, zstd] = [Some("IDENTITY"), Some("ZSTD_D3")];
    assert_eq!(codec, [identity, identity, identity, None, zstd]);
}

#[tokio::test]
async fn postgres_reads_them_where_a_gateway_of_before_still_writes_them() {
    let Some(banco) = Banco::postgres().await else {
        return;
    };
    let attesi = written_now(&banco.store).await;
    // Beside us, and with no more rights than a gateway has.
    let mut raw = banco.raw_as("varco_gateway").await;
    for uno in before() {
        raw.execute(&POSTGRES.insert(&uno)).await.unwrap();
    }
    assert_eq!(all(&banco.store).await, attesi);
    check_export(&banco.url(), tempfile::tempdir().unwrap().path());
    let mut raw = banco.raw().await;
    assert_eq!(
        raw.number("SELECT count(*) AS n FROM egov WHERE intestazioni IS NULL")
            .await,
        4
    );
}
