//! Several gateways, several nodes, two versions of the program: what a PostgreSQL store is believed to be.

use varco::store::{self, PostgresUrl, StoreError, StoreUrl};

use crate::atti::{LUGLIO, atto, istante, options, protocollo};
use crate::banco::Banco;

/// A URL of the bench with other hosts before its own, on which nobody listens.
fn with_dead_nodes(url: &PostgresUrl) -> PostgresUrl {
    let testo = url.as_str();
    let (prima, dopo) = testo.split_once("host=").unwrap();
    format!("{prima}host=/nessuno,/nemmeno,{dopo}&target_session_attrs=read-write")
        .parse()
        .unwrap()
}

#[tokio::test]
async fn of_several_nodes_the_one_that_answers_is_taken_also_for_reading() {
    let Some(banco) = Banco::postgres().await else {
        return;
    };
    let url = with_dead_nodes(&banco.url_as("varco"));
    let (store, _) = store::open(&StoreUrl::Postgres(url), &options()).await.unwrap();
    let esiti = store
        .register(&[atto("a", 1, &[1])], istante(LUGLIO))
        .await
        .unwrap();
    assert_eq!(protocollo(&esiti[0]), "INPS-AUF-2021-000000000001");
    assert_eq!(store.registro(None, 10).await.unwrap().len(), 1);
    store.probe().await.unwrap();
    store.close().await;
}

#[tokio::test]
async fn a_newer_schema_is_worked_on_for_as_long_as_it_only_adds() {
    let Some(banco) = Banco::postgres().await else {
        return;
    };
    let url = StoreUrl::Postgres(banco.url_as("varco"));
    let mut raw = banco.raw().await;
    // What the migration of the next release would leave.
    raw.execute(
        "INSERT INTO _sqlx_migrations SELECT 9999, description, installed_on, success, checksum, execution_time
         FROM _sqlx_migrations LIMIT 1",
    )
    .await
    .unwrap();
    raw.execute("ALTER TABLE registrazioni ADD COLUMN di_domani text")
        .await
        .unwrap();
    let (store, _) = store::open(&url, &options()).await.unwrap();
    let esiti = store
        .register(&[atto("a", 1, &[1])], istante(LUGLIO))
        .await
        .unwrap();
    assert_eq!(protocollo(&esiti[0]), "INPS-AUF-2021-000000000001");
    store.probe().await.unwrap();
    assert_eq!(store.verify().await.unwrap().anomalie, Vec::<String>::new());
    // One that takes something away: red here, before anything fails, and no start.
    raw.execute("UPDATE impostazioni SET valore = '9999' WHERE nome = 'schema_minimo'")
        .await
        .unwrap();
    let causa = store.probe().await.unwrap_err();
    assert!(
        causa
            .to_string()
            .contains("its schema is version 9999, and this varco knows "),
        "{causa}"
    );
    assert!(matches!(causa, StoreError::Refused(_)));
    store.close().await;
    assert!(matches!(
        store::open(&url, &options()).await.unwrap_err(),
        StoreError::Refused(_)
    ));
}

#[tokio::test]
async fn a_probe_leaves_nothing_and_finds_what_a_registration_would() {
    let Some(banco) = Banco::postgres().await else {
        return;
    };
    for _ in 0..3 {
        banco.store.probe().await.unwrap();
    }
    let esiti = banco
        .store
        .register(&[atto("a", 1, &[1])], istante(LUGLIO))
        .await
        .unwrap();
    assert_eq!(protocollo(&esiti[0]), "INPS-AUF-2021-000000000001");
    banco.all_is_well(1).await;
}
