//! The throw-away cluster itself: it is there when it says so, keeps what it was given, and never outlives its owner.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::{Connection, Executor};
use varco::cli::cluster::{Cluster, Opzioni, Rete};
use varco::cli::dev_certs;
use varco::store::PostgresUrl;

use crate::postgres_comune::binaries;

async fn connect(url: &PostgresUrl) -> Result<PgConnection, sqlx::Error> {
    PgConnection::connect_with(&url.as_str().parse::<PgConnectOptions>().unwrap()).await
}

async fn number(connessione: &mut PgConnection, sql: &'static str) -> i64 {
    sqlx::query_scalar(sql).fetch_one(connessione).await.unwrap()
}

#[tokio::test]
async fn what_was_committed_is_there_after_a_stop_and_after_a_crash() {
    let Some(binaries) = binaries() else { return };
    let mut cluster = Cluster::start(binaries, &Opzioni::default()).unwrap();
    cluster.create_database("la prova").unwrap();
    let url = cluster.url("la prova");
    let mut connessione = connect(&url).await.unwrap();
    connessione.execute("CREATE TABLE t (n bigint)").await.unwrap();
    connessione.execute("INSERT INTO t VALUES (1)").await.unwrap();
    for (impostazione, valore) in [
        ("fsync", "on"),
        ("synchronous_commit", "on"),
        ("listen_addresses", ""),
    ] {
        let detto: String = sqlx::query_scalar("SELECT current_setting($1)")
            .bind(impostazione)
            .fetch_one(&mut connessione)
            .await
            .unwrap();
        assert_eq!(detto, valore, "{impostazione}");
    }
    cluster.stop().unwrap();
    connessione.execute("SELECT 1").await.unwrap_err();
    cluster.start_again().unwrap();
    let mut connessione = connect(&url).await.unwrap();
    connessione.execute("INSERT INTO t VALUES (2)").await.unwrap();
    cluster.crash().unwrap();
    connect(&url).await.unwrap_err();
    cluster.start_again().unwrap();
    let mut connessione = connect(&url).await.unwrap();
    assert_eq!(number(&mut connessione, "SELECT count(*) FROM t").await, 2);

    cluster.copy_database("postgres", "copia").unwrap();
    connect(&cluster.url("copia")).await.unwrap();
    let errore = cluster.create_database("copia").unwrap_err().to_string();
    assert!(errore.contains("database \"copia\" already exists"), "{errore}");
    let cartella = cluster.cartella().to_owned();
    drop(cluster);
    assert!(!cartella.exists(), "a temporary cluster leaves nothing behind");
}

#[tokio::test]
async fn a_server_that_is_paused_does_not_answer_until_it_goes_on() {
    let Some(binaries) = binaries() else { return };
    let mut cluster = Cluster::start(binaries, &Opzioni::default()).unwrap();
    let mut connessione = connect(&cluster.url("postgres")).await.unwrap();
    cluster.pause().unwrap();
    let domanda = number(&mut connessione, "SELECT 1::bigint");
    tokio::pin!(domanda);
    tokio::time::timeout(Duration::from_millis(200), &mut domanda)
        .await
        .expect_err("nobody is there to answer");
    cluster.resume().unwrap();
    assert_eq!(domanda.await, 1);
    // And one that is stopped while it is paused ends all the same.
    cluster.pause().unwrap();
    cluster.stop().unwrap();
}

#[test]
fn a_server_that_does_not_start_says_why() {
    let Some(binaries) = binaries() else { return };
    let opzioni = Opzioni {
        impostazioni: vec![("shared_buffers".to_owned(), "molti".to_owned())],
        attesa: Duration::from_secs(1),
        ..Opzioni::default()
    };
    let errore = Cluster::start(binaries, &opzioni).unwrap_err().to_string();
    assert!(
        errore.contains("non si avvia")
            && errore.contains("invalid value for parameter \"shared_buffers\": \"molti\""),
        "{errore}"
    );
}

#[tokio::test]
async fn a_folder_of_ones_own_is_kept_however_long_its_name() {
    let Some(binaries) = binaries() else { return };
    let sopra = tempfile::tempdir().unwrap();
    open_to_all(sopra.path());
    let cartella = sopra.path().join("una-cartella-dal-nome-lungo-".repeat(5));
    let opzioni = Opzioni {
        cartella: Some(cartella.clone()),
        ..Opzioni::default()
    };
    let cluster = Cluster::start(binaries, &opzioni).unwrap();
    cluster.create_database("prova").unwrap();
    drop(cluster);
    assert!(cartella.join("data/PG_VERSION").is_file());
    let cluster = Cluster::start(binaries, &opzioni).unwrap();
    connect(&cluster.url("prova")).await.unwrap();
    assert!(cluster.url_tcp("prova", "sslmode=require").is_none());
}

#[tokio::test]
async fn over_the_network_it_speaks_tls_alone_and_asks_for_the_password() {
    let Some(binaries) = binaries() else { return };
    let certs = tempfile::tempdir().unwrap();
    dev_certs::make(
        certs.path(),
        &dev_certs::Opzioni::at("2026-11-22T00:00:00Z".parse().unwrap()),
    )
    .unwrap();
    let opzioni = Opzioni {
        rete: Rete::Tls {
            password: "se'g/reto".to_owned(),
            certificato: certs.path().join("server.pem"),
            chiave: certs.path().join("server.key"),
        },
        ..Opzioni::default()
    };
    let cluster = Cluster::start(binaries, &opzioni).unwrap();
    let ca = certs.path().join("ca.pem");
    let verificato = format!("sslmode=verify-full&sslrootcert={}", ca.display());
    let url = cluster.url_tcp("postgres", &verificato).unwrap();
    let mut connessione = connect(&url).await.unwrap();
    let cifrata: bool = sqlx::query_scalar("SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()")
        .fetch_one(&mut connessione)
        .await
        .unwrap();
    assert!(cifrata);
    let in_chiaro = cluster.url_tcp("postgres", "sslmode=disable").unwrap();
    let errore = connect(&in_chiaro).await.unwrap_err().to_string();
    assert!(errore.contains("no encryption"), "{errore}");
    let altra: PostgresUrl = url.as_str().replace("se%27g", "se%27x").parse().unwrap();
    let errore = connect(&altra).await.unwrap_err().to_string();
    assert!(errore.contains("password authentication failed"), "{errore}");
}

/// Not a test: the owner that the next one kills. It is this binary, told by the environment to have a cluster.
#[test]
#[ignore = "run by a_cluster_dies_with_its_owner_however_that_dies"]
fn an_owner() {
    let binaries = binaries().unwrap();
    let cluster = Cluster::start(binaries, &Opzioni::default()).unwrap();
    println!("\ncluster {}", cluster.cartella().display());
    std::thread::sleep(Duration::from_mins(2));
}

#[test]
fn a_cluster_dies_with_its_owner_however_that_dies() {
    if binaries().is_none() {
        return;
    }
    let mut owner = Command::new(std::env::current_exe().unwrap())
        .args(["--ignored", "--exact", "cluster::an_owner", "--nocapture"])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let cartella: PathBuf = BufReader::new(owner.stdout.take().unwrap())
        .lines()
        .find_map(|riga| riga.unwrap().strip_prefix("cluster ").map(PathBuf::from))
        .unwrap();
    let pid_file = std::fs::read_to_string(cartella.join("data/postmaster.pid")).unwrap();
    let server = PathBuf::from("/proc").join(pid_file.lines().next().unwrap());
    assert!(server.exists());
    owner.kill().unwrap();
    owner.wait().unwrap();
    let fino_a = Instant::now() + Duration::from_secs(20);
    while cartella.exists() || server.exists() {
        assert!(Instant::now() < fino_a, "server or folder outlive their owner");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// As root the server is another user, which must be able to come to its folder.
fn open_to_all(cartella: &Path) {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::set_permissions(cartella, std::fs::Permissions::from_mode(0o755)).unwrap();
}
