//! The story on the embedded store, and what is promised of its file.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use sqlx::Connection;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use varco::catalogo::Codice;
use varco::domanda::Ambiente;
use varco::domanda::consultazione::Riferimento;
use varco::metriche::{Formato, Testo};
use varco::store::sqlite::SqliteStore;
use varco::store::{OpenOptions, Ricerca, Store, StoreError, StoreUrl};
use varco::trace::writer::{Tracciati, TraceConfig};

use crate::atti::{LUGLIO, atto, chiave, istante, options, protocollo, ripetuta, traccia};
use crate::banco::Banco;

crate::story::stories!(Banco::sqlite);

/// A fresh store and its file.
async fn store_and_file() -> (Banco, PathBuf) {
    let banco = Banco::sqlite().await.unwrap();
    match banco.url() {
        StoreUrl::Sqlite(path) => (banco, path),
        StoreUrl::Postgres(url) => panic!("{url} is no file"),
    }
}

/// Bytes that need their room.
fn incomprimibile() -> Bytes {
    (0..400_000_u32)
        .flat_map(|n| n.wrapping_mul(2_654_435_761).to_le_bytes())
        .collect::<Vec<u8>>()
        .into()
}

/// A new SQLite database that is not ours.
async fn foreign(path: &Path) -> SqliteConnection {
    let options = SqliteConnectOptions::new().filename(path).create_if_missing(true);
    SqliteConnection::connect_with(&options).await.unwrap()
}

#[tokio::test]
async fn a_file_that_is_not_this_store_is_refused_with_its_cause() {
    let (banco, path) = store_and_file().await;
    let cartella = path.parent().unwrap();
    let refuse = async |path: &Path, options: OpenOptions| match SqliteStore::open(path, &options).await {
        Err(StoreError::Refused(causa)) => causa.replace(&cartella.display().to_string(), "DIR"),
        altro => panic!("{altro:?}"),
    };
    let sandbox = OpenOptions {
        ambiente: Ambiente::Sandbox,
        ..options()
    };
    assert_eq!(
        refuse(&path, sandbox).await,
        "DIR/store.db: it belongs to ambiente collaudo, but sandbox is configured; each ambiente has its own store"
    );

    let piu_nuovo = "INSERT INTO _sqlx_migrations SELECT 9999, description, installed_on, success, checksum, execution_time
         FROM _sqlx_migrations LIMIT 1";
    banco.raw().await.execute(piu_nuovo).await.unwrap();
    let causa = refuse(&path, options()).await;
    assert!(
        causa.starts_with("DIR/store.db: its schema is version 9999, and this varco knows "),
        "{causa}"
    );

    let altro = cartella.join("altro.db");
    let mut di_altri = foreign(&altro).await;
    sqlx::query("CREATE TABLE cose (x)")
        .execute(&mut di_altri)
        .await
        .unwrap();
    assert_eq!(
        refuse(&altro, options()).await,
        "DIR/altro.db: it is an SQLite database of another application"
    );
    // Nothing of it was changed on the way.
    let giornale: String = sqlx::query_scalar("PRAGMA journal_mode")
        .fetch_one(&mut di_altri)
        .await
        .unwrap();
    assert_eq!(giornale, "delete");

    std::fs::write(cartella.join("nota.txt"), "this is a letter to the office").unwrap();
    assert_eq!(
        refuse(&cartella.join("nota.txt"), options()).await,
        "DIR/nota.txt: it is not an SQLite database"
    );
    assert_eq!(
        refuse(&cartella.join("manca/store.db"), options()).await,
        "DIR/manca/store.db: its folder DIR/manca does not exist; create it first"
    );
    assert_eq!(
        refuse(cartella, options()).await,
        "DIR: it is a folder, not a file"
    );
    let senza_creare = OpenOptions {
        create: false,
        ..options()
    };
    assert_eq!(
        refuse(&cartella.join("nuovo.db"), senza_creare).await,
        "DIR/nuovo.db: there is no such store; `varco migrate` lays it down"
    );
    assert!(!cartella.join("nuovo.db").exists());
}

#[tokio::test]
async fn the_file_keeps_its_promises() {
    let (banco, path) = store_and_file().await;
    let mut raw = banco.raw().await;
    for (pragma, atteso) in [("auto_vacuum", 2), ("application_id", 0x5641_5243)] {
        let righe = raw.rows(&format!("PRAGMA {pragma}")).await;
        assert_eq!(righe[0][pragma], atteso, "{pragma}");
    }
    // A file whose space cannot be given back is not one that we laid down.
    let altro = path.parent().unwrap().join("senza.db");
    let mut senza = foreign(&altro).await;
    sqlx::query("PRAGMA user_version = 1")
        .execute(&mut senza)
        .await
        .unwrap();
    let errore = SqliteStore::open(&altro, &options()).await.unwrap_err();
    assert!(
        errore
            .to_string()
            .contains("auto_vacuum is 0 where 2 was promised"),
        "{errore}"
    );
}

#[tokio::test]
async fn a_full_store_says_so_and_recovers_without_a_restart() {
    let (banco, path) = store_and_file().await;
    banco.one(atto("a", 1, &[1]), LUGLIO).await;
    let pagine = banco.raw().await.rows("PRAGMA page_count").await[0]["page_count"].as_u64();
    let (store, _) = SqliteStore::open(&path, &options()).await.unwrap();
    store
        .limit_pages(u32::try_from(pagine.unwrap()).unwrap() + 2)
        .await
        .unwrap();
    let mut grande = atto("grande", 1, &[2]);
    grande.richiesta = incomprimibile();
    let atti = [atto("b", 1, &[3]), grande];
    let errore = store.register(&atti, istante(LUGLIO)).await.unwrap_err();
    assert!(matches!(errore, StoreError::Full(_)), "{errore}");
    assert_eq!(errore.codice(), Codice::Sto002);
    // Nothing half done; what was registered is still told.
    assert_eq!(store.registrata(&chiave("b")).await.unwrap(), None);
    let ancora = store
        .register(&[atto("a", 1, &[1])], istante(LUGLIO))
        .await
        .unwrap();
    ripetuta(&ancora[0]);
    banco.all_is_well(1).await;

    store.limit_pages(0).await.unwrap();
    let esiti = store.register(&atti, istante(LUGLIO)).await.unwrap();
    assert_eq!(protocollo(&esiti[1]), "INPS-AUF-2021-000000000003");
    banco.all_is_well(3).await;
}

/// On a full disk too: to open a reader writes nothing.
#[tokio::test]
async fn the_first_look_needs_nobodys_leave_to_write() {
    let (banco, path) = store_and_file().await;
    let esito = banco.one(atto("a", 1, &[1]), LUGLIO).await;
    let numero = protocollo(&esito).parse().unwrap();
    let (store, _) = SqliteStore::open(&path, &options()).await.unwrap();
    let mut altro = foreign(&path).await;
    sqlx::raw_sql("BEGIN IMMEDIATE")
        .execute(&mut altro)
        .await
        .unwrap();
    let a = chiave("a");
    let vista = store
        .consulta(&a.ente, a.servizio, &Riferimento::Protocollo(numero))
        .await
        .unwrap();
    assert!(vista.is_some());
    assert!(store.registrata(&a).await.unwrap().is_some());
    let errore = store
        .register(&[atto("b", 1, &[2])], istante(LUGLIO))
        .await
        .unwrap_err();
    assert_eq!(errore.codice(), Codice::Sto001);
}

#[tokio::test]
async fn in_a_full_store_records_give_way_and_the_door_stays_open() {
    let (banco, path) = store_and_file().await;
    let pagine = banco.raw().await.rows("PRAGMA page_count").await[0]["page_count"].as_u64();
    let (store, _) = SqliteStore::open(&path, &options()).await.unwrap();
    store
        .limit_pages(u32::try_from(pagine.unwrap()).unwrap())
        .await
        .unwrap();
    let store = Arc::new(store);
    let config = TraceConfig {
        coda: 8,
        lotto_massimo: 2,
        ritardo: Duration::from_millis(1),
        riprova: Duration::from_millis(1),
        ..TraceConfig::default()
    };
    let tracciati = Tracciati::spawn(store.clone(), config);
    // Many more than the queue holds, each with an answer that has no room.
    let risposta = incomprimibile();
    for n in 0..100 {
        let guardia = loop {
            match tracciati.begin(traccia(&format!("t{n}"))) {
                Ok(guardia) => break guardia,
                Err(_) => tokio::time::sleep(Duration::from_millis(1)).await,
            }
        };
        let mut guardia = guardia;
        guardia.risposta = Some(risposta.clone());
        guardia.close();
    }
    let mut testo = Testo::new(Formato::Prometheus);
    tracciati.tell(&mut testo);
    let testo = testo.finish();
    let cedute: u64 = testo
        .lines()
        .find_map(|riga| riga.strip_prefix("varco_trace_given_up_total "))
        .unwrap()
        .parse()
        .unwrap();
    assert!(cedute > 0, "{testo}");
    // With room again they are kept.
    store.limit_pages(0).await.unwrap();
    loop {
        if let Ok(guardia) = tracciati.begin(traccia("ultima")) {
            guardia.close();
            break;
        }
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    tracciati.close().await;
    let ultima = Ricerca {
        chiave_invio: Some("ultima".to_owned()),
        ..Ricerca::default()
    };
    assert_eq!(banco.store.tracce(&ultima).await.unwrap().righe.len(), 1);
}

#[tokio::test]
async fn a_store_that_vanishes_without_a_word_is_found_whole() {
    let (banco, path) = store_and_file().await;
    let numeri: Vec<_> = banco
        .register(&[atto("a", 1, &[1]), atto("b", 1, &[2])], LUGLIO)
        .await
        .iter()
        .map(protocollo)
        .collect();
    // What a kill leaves: file and log as they are, copied under the running store.
    let altrove = tempfile::tempdir().unwrap();
    for nome in ["store.db", "store.db-wal"] {
        std::fs::copy(path.parent().unwrap().join(nome), altrove.path().join(nome)).unwrap();
    }
    let (store, _) = SqliteStore::open(&altrove.path().join("store.db"), &options())
        .await
        .unwrap();
    let esiti = store
        .register(&[atto("b", 1, &[2]), atto("c", 1, &[3])], istante(LUGLIO))
        .await
        .unwrap();
    assert_eq!(ripetuta(&esiti[0]).protocollo.to_string(), numeri[1]);
    assert_eq!(protocollo(&esiti[1]), "INPS-AUF-2021-000000000003");
}

#[tokio::test]
async fn upkeep_folds_the_log_into_the_file() {
    let (banco, path) = store_and_file().await;
    banco.one(atto("a", 1, &[1]), LUGLIO).await;
    let log = || {
        let log = path.with_extension("db-wal");
        std::fs::metadata(log).unwrap().len()
    };
    assert!(log() > 0);
    banco.store.tidy().await.unwrap();
    assert_eq!(log(), 0);
    banco.one(atto("b", 1, &[2]), LUGLIO).await;
    banco.all_is_well(2).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_processes_that_look_the_store_over_at_once_wait_for_each_other() {
    for _ in 0..20 {
        let (banco, _) = store_and_file().await;
        let altro = banco.another().await;
        // Each has just opened it, and folds the log before it answers.
        let (uno, due) = tokio::join!(banco.store.ping(), altro.ping());
        uno.unwrap();
        due.unwrap();
    }
}

#[tokio::test]
async fn the_bytes_of_lots_lie_beside_the_file_for_its_user_alone() {
    use std::os::unix::fs::PermissionsExt as _;

    let (banco, path) = store_and_file().await;
    let lotto = uuid::Uuid::from_u128(7);
    banco
        .store
        .spool_append(lotto, 0, Bytes::from_static(b"byte"))
        .await
        .unwrap();
    let cartella = path.with_file_name("store.db.lotti");
    let spool = cartella.join("00000000-0000-0000-0000-000000000007");
    let modo = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!((modo(&cartella), modo(&spool)), (0o700, 0o600));
    // A file that is not ours is left alone.
    let altro = cartella.join("LEGGIMI");
    std::fs::write(&altro, "x").unwrap();
    let poi = istante("2099-01-01T00:00:00Z");
    assert_eq!(banco.store.spool_sweep(poi, poi).await.unwrap(), 1);
    assert!(altro.exists() && !spool.exists());
    // What was taken away does not begin anew in its middle.
    banco
        .store
        .spool_append(lotto, 1, Bytes::from_static(b"byte"))
        .await
        .unwrap_err();
}
