//! The story on PostgreSQL, and what is promised of a database that gateways, engine and auditors share.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use jiff::SignedDuration;
use tokio::sync::{Mutex, MutexGuard};
use varco::catalogo::Codice;
use varco::cli::cluster::{Cluster, Opzioni, Rete};
use varco::cli::dev_certs;
use varco::clock::HandClock;
use varco::domanda::Ambiente;
use varco::store::writer::{Handle, Writer, WriterConfig};
use varco::store::{
    self, Atto, OpenOptions, PostgresUrl, Registrazione, Ricerca, SharedStore, StoreError, StoreUrl,
};

use crate::atti::{LUGLIO, atto, chiave, istante, options, protocollo, registrata, ripetuta, traccia};
use crate::banco::Banco;
use crate::lotti;
use crate::postgres_comune::{binaries, cluster, fresh_name};

crate::story::stories!(Banco::postgres);

/// The plan of a trigger's function stays with its session: made on an empty table, it would look at all of it for every batch.
#[tokio::test]
async fn a_batch_looks_at_no_more_domande_than_its_own_however_many_there_are() {
    let Some(banco) = Banco::postgres().await else {
        return;
    };
    for giro in 0..20_u64 {
        let atti: Vec<_> = (0..20)
            .map(|n| giro * 20 + n)
            .map(|n| atto(&format!("k{n}"), 1, &[n]))
            .collect();
        banco.register(&atti, LUGLIO).await;
    }
    // A session tells what it did when it ends.
    banco.store.close().await;
    let mut raw = banco.raw().await;
    let lette = loop {
        let righe = raw
            .rows("SELECT idx_scan, seq_tup_read FROM pg_stat_user_tables WHERE relname = 'domande'")
            .await;
        if righe[0]["idx_scan"].as_i64().unwrap_or(0) >= 400 {
            break righe[0]["seq_tup_read"].as_i64().unwrap();
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    };
    assert_eq!(lette, 0);
}

// ── Two gateways on one database ──

/// A gateway's writer, whose clock stands still.
fn gateway(store: &SharedStore, adesso: &str) -> Handle {
    let clock = Arc::new(HandClock::at(istante(adesso)));
    Writer::spawn(Arc::clone(store), clock, WriterConfig::default())
}

/// The writers of two gateways on one bench.
async fn two_gateways(banco: &Banco, adesso: [&str; 2]) -> [Handle; 2] {
    [
        gateway(&banco.store, adesso[0]),
        gateway(&banco.another().await, adesso[1]),
    ]
}

async fn close(gateway: [Handle; 2]) {
    for gateway in gateway {
        gateway.close().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn two_hundred_copies_at_once_through_two_gateways_get_one_number() {
    let Some(banco) = Banco::postgres().await else {
        return;
    };
    let gateway = two_gateways(&banco, [LUGLIO, LUGLIO]).await;
    let copie: Vec<_> = (0..200)
        .map(|n| {
            let gateway = gateway[n % 2].clone();
            tokio::spawn(async move { gateway.register(atto("a", 1, &[1, 2])).await.unwrap() })
        })
        .collect();
    let (mut nuove, mut ricevute) = (0, BTreeSet::new());
    for copia in copie {
        match copia.await.unwrap() {
            Registrazione::Registrata(registrata) => {
                nuove += 1;
                ricevute.insert(registrata.ricevuta);
            }
            Registrazione::Ripetuta(registrata) => {
                ricevute.insert(registrata.ricevuta);
            }
            altro => panic!("{altro:?}"),
        }
    }
    assert_eq!((nuove, ricevute.len()), (1, 1));
    close(gateway).await;
    banco.all_is_well(1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_thousand_domande_through_two_gateways_leave_no_gap() {
    let Some(banco) = Banco::postgres().await else {
        return;
    };
    let gateway = two_gateways(&banco, [LUGLIO, LUGLIO]).await;
    let invii: Vec<_> = (0..20_u64)
        .map(|fila| {
            let gateway = gateway[usize::from(fila % 2 == 0)].clone();
            tokio::spawn(async move {
                let mut numeri = Vec::new();
                for n in 0..100 {
                    let n = fila * 100 + n;
                    let esito = gateway.register(atto(&format!("k{n}"), 1, &[n])).await.unwrap();
                    numeri.push(registrata(&esito).protocollo.numero());
                }
                assert!(numeri.is_sorted(), "one sender's numbers grow");
                numeri
            })
        })
        .collect();
    let mut numeri = BTreeSet::new();
    for invio in invii {
        numeri.extend(invio.await.unwrap());
    }
    assert_eq!(numeri, (1..=2000).collect());
    close(gateway).await;
    banco.all_is_well(2000).await;
}

#[tokio::test]
async fn the_instants_of_the_register_do_not_go_back_when_two_clocks_are_an_hour_apart() {
    let Some(banco) = Banco::postgres().await else {
        return;
    };
    let avanti = "2021-07-01T09:00:00Z";
    let gateway = two_gateways(&banco, [LUGLIO, avanti]).await;
    for n in 0..20_u64 {
        let gateway = &gateway[usize::from(n % 3 == 1)];
        gateway.register(atto(&format!("k{n}"), 1, &[n])).await.unwrap();
    }
    let istanti: Vec<_> = banco
        .store
        .registro(None, 100)
        .await
        .unwrap()
        .iter()
        .map(|riga| riga.registrata_il)
        .collect();
    assert_eq!(istanti[0], istante(LUGLIO));
    assert_eq!(
        istanti[1..],
        [istante(avanti); 19],
        "the later clock holds the register"
    );
    close(gateway).await;
    banco.all_is_well(20).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_year_turns_once_whichever_gateway_sees_it_first() {
    let Some(banco) = Banco::postgres().await else {
        return;
    };
    let gateway = two_gateways(&banco, ["2021-12-31T22:59:59.999Z", "2021-12-31T23:00:00Z"]).await;
    let prima = gateway[0].register(atto("prima", 1, &[1])).await.unwrap();
    assert_eq!(protocollo(&prima), "INPS-AUF-2021-000000000001");
    let invii: Vec<_> = (2..62_u64)
        .map(|n| {
            let gateway = gateway[usize::from(n % 2 == 0)].clone();
            tokio::spawn(async move { gateway.register(atto(&format!("k{n}"), 1, &[n])).await.unwrap() })
        })
        .collect();
    let mut per_anno: BTreeMap<String, BTreeSet<u64>> = BTreeMap::new();
    for invio in invii {
        let numero = protocollo(&invio.await.unwrap());
        let (anno, numero) = numero.rsplit_once('-').unwrap();
        per_anno
            .entry(anno.to_owned())
            .or_default()
            .insert(numero.parse().unwrap());
    }
    let del_2022 = &per_anno["INPS-AUF-2022"];
    assert_eq!(del_2022, &(1..=del_2022.len() as u64).collect());
    // Whatever the late clock still says, the old year is over.
    let dopo = gateway[0].register(atto("dopo", 1, &[100])).await.unwrap();
    assert_eq!(registrata(&dopo).protocollo.numero(), del_2022.len() as u64 + 1);
    close(gateway).await;
    banco.all_is_well(62).await;
}

#[tokio::test]
async fn a_batch_meets_what_the_other_gateway_registered_a_moment_ago() {
    let Some(banco) = Banco::postgres().await else {
        return;
    };
    let altro = banco.another().await;
    let di_altri = altro
        .register(
            &[atto("copia", 1, &[1]), atto("conflitto", 1, &[2])],
            istante(LUGLIO),
        )
        .await
        .unwrap();
    let lotto = [
        atto("buona", 3, &[10]),
        atto("copia", 1, &[1]),
        atto("conflitto", 2, &[11]),
        atto("gemella", 4, &[12, 2]),
    ];
    let esiti = banco.register(&lotto, LUGLIO).await;
    assert_eq!(protocollo(&esiti[0]), "INPS-AUF-2021-000000000003");
    assert_eq!(ripetuta(&esiti[1]), registrata(&di_altri[0]));
    assert_eq!(
        esiti[2],
        Registrazione::Conflitto(registrata(&di_altri[1]).clone())
    );
    let Registrazione::SchedaViva(vive) = &esiti[3] else {
        panic!("{:?}", esiti[3]);
    };
    assert_eq!((vive.len(), vive[0].0), (1, 2));
    // What did not take left nothing: children 11 and 12 are free, the key of the twin too.
    let dopo = altro
        .register(&[atto("gemella", 5, &[11, 12])], istante(LUGLIO))
        .await;
    assert_eq!(protocollo(&dopo.unwrap()[0]), "INPS-AUF-2021-000000000004");
    banco.all_is_well(4).await;
}

/// A small generator of our own: the same batches in every run.
struct Dado(u64);

impl Dado {
    fn below(&mut self, n: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % n
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn overlapping_batches_of_three_gateways_never_wait_for_each_other_in_a_circle() {
    let Some(banco) = Banco::postgres().await else {
        return;
    };
    let inizio = Instant::now();
    let mut gateway = Vec::new();
    for seme in 1..=3 {
        let store = banco.another().await;
        gateway.push(tokio::spawn(async move {
            let mut dado = Dado(seme);
            let mut registrate = Vec::new();
            for _ in 0..60 {
                // Keys and children from few, in any order: copies, conflicts and twins of the others' all the time.
                let lotto: Vec<Atto> = (0..=dado.below(12))
                    .map(|_| {
                        let nome = format!("k{}", dado.below(400));
                        let minori = [dado.below(300), 300 + dado.below(300)];
                        let contenuto = u8::try_from(dado.below(2)).unwrap();
                        let quanti = usize::from(dado.below(2) == 0);
                        atto(&nome, contenuto, &minori[quanti..])
                    })
                    .collect();
                let esiti = store.register(&lotto, istante(LUGLIO)).await.unwrap();
                for (atto, esito) in lotto.into_iter().zip(esiti) {
                    if let Registrazione::Registrata(registrata) = esito {
                        registrate.push((atto.chiave.chiave.to_string(), registrata.protocollo.numero()));
                    }
                }
            }
            registrate
        }));
    }
    let mut registrate = Vec::new();
    for gateway in gateway {
        registrate.extend(gateway.await.unwrap());
    }
    let chiavi: BTreeSet<_> = registrate.iter().map(|(chiave, _)| chiave).collect();
    let numeri: BTreeSet<_> = registrate.iter().map(|(_, numero)| *numero).collect();
    let quante = registrate.len() as u64;
    assert!(quante > 100, "the batches must do something: {quante}");
    assert_eq!(chiavi.len() as u64, quante, "one number a key");
    assert_eq!(numeri, (1..=quante).collect());
    // A deadlock would cost PostgreSQL's own second each time, a lost wait ten.
    assert!(
        inizio.elapsed() < Duration::from_mins(1),
        "{:?}",
        inizio.elapsed()
    );
    banco.all_is_well(quante).await;
}

#[tokio::test]
async fn the_pieces_of_a_lot_stay_while_it_is_open() {
    let Some(banco) = Banco::postgres().await else {
        return;
    };
    lotti::begin_a_lot(&banco.store).await;
    for ruolo in ["varco", "varco_gateway"] {
        let mut raw = banco.raw_as(ruolo).await;
        let errore = raw.refused("DELETE FROM lotti_pezzi").await;
        assert!(
            errore.contains("lotti_pezzi: il lotto e aperto, i suoi byte restano"),
            "{ruolo}: {errore}"
        );
    }
    lotti::end_that_lot(&banco.store).await;
    let poi = istante("2099-01-01T00:00:00Z");
    assert_eq!(banco.store.spool_sweep(poi, istante(LUGLIO)).await.unwrap(), 2);
}

// ── Roles ──

#[tokio::test]
async fn each_role_is_refused_what_is_not_its_own() {
    let Some(banco) = Banco::postgres().await else {
        return;
    };
    banco.one(atto("a", 1, &[1]), LUGLIO).await;
    let negato = "permission denied";
    let tutti = [
        "UPDATE registrazioni SET oggetto = 'altro'",
        "DELETE FROM registrazioni",
        "DELETE FROM registrazioni_2021",
        "TRUNCATE registrazioni CASCADE",
        "UPDATE ricevute SET bytes = ''",
        "DELETE FROM ricevute",
        "TRUNCATE ricevute",
        "DELETE FROM registro",
        "TRUNCATE registro",
        "UPDATE registro SET chiuso_fino_a = now()",
        "DELETE FROM chiavi",
        "DELETE FROM annullamenti",
        "UPDATE annullamenti SET motivo = 'altro'",
        "INSERT INTO annullamenti (registrazione, annullata_il, operatore, motivo, provvedimento_numero, provvedimento_data)
         VALUES (1, now(), 'x', 'x', 'x', now())",
        "DELETE FROM tracce",
        "DELETE FROM lotti",
        "UPDATE lotti SET digest = ''",
        "UPDATE lotti_esiti SET riga = 1",
        "DELETE FROM lotti_esiti",
        "UPDATE lotti_pezzi SET byte = ''",
        "TRUNCATE lotti_pezzi",
        "CREATE TABLE cose (x integer)",
        "CREATE ROLE intruso",
        "SET session_replication_role = replica",
    ];
    let lettori = [
        "INSERT INTO registrazioni SELECT * FROM registrazioni",
        "INSERT INTO ricevute SELECT * FROM ricevute",
        "INSERT INTO registro SELECT * FROM registro",
        "UPDATE registro SET ultimo = 7",
        "UPDATE impostazioni SET valore = 'x'",
        "INSERT INTO porta (istante, codice, causa, rimedio) VALUES (now(), 'x', 'x', 'x')",
    ];
    for ruolo in ["varco_gateway", "varco_motore", "varco_audit"] {
        let mut raw = banco.raw_as(ruolo).await;
        for sql in tutti {
            let errore = raw.refused(sql).await;
            assert!(errore.contains(negato), "{ruolo}: {sql}: {errore}");
        }
        for sql in [
            "DROP TABLE registrazioni",
            "ALTER TABLE ricevute DISABLE TRIGGER ALL",
        ] {
            let errore = raw.refused(sql).await;
            assert!(
                errore.contains("must be owner of table"),
                "{ruolo}: {sql}: {errore}"
            );
        }
        if ruolo != "varco_gateway" {
            for sql in lettori {
                let errore = raw.refused(sql).await;
                assert!(errore.contains(negato), "{ruolo}: {sql}: {errore}");
            }
        }
    }
    // The engine reads its views, not the tables; the auditor the register, and nobody's request.
    let mut motore = banco.raw_as("varco_motore").await;
    for tabella in ["registrazioni", "domande", "payload", "tracce", "ricevute"] {
        let errore = motore.refused(&format!("SELECT * FROM {tabella}")).await;
        assert!(errore.contains(negato), "{tabella}: {errore}");
    }
    let mut audit = banco.raw_as("varco_audit").await;
    assert_eq!(audit.number("SELECT count(*) AS n FROM registrazioni").await, 1);
    assert_eq!(audit.number("SELECT count(protocollo) AS n FROM tracce").await, 1);
    for sql in [
        "SELECT byte FROM lotti_pezzi",
        "SELECT * FROM payload",
        "SELECT * FROM domande",
        "SELECT * FROM schede",
        "SELECT richiesta FROM tracce",
        "SELECT * FROM motore_domande_v1",
    ] {
        let errore = audit.refused(sql).await;
        assert!(errore.contains(negato), "{sql}: {errore}");
    }
    banco.all_is_well(1).await;
}

#[tokio::test]
async fn a_gateway_needs_no_more_than_its_role() {
    let Some(banco) = Banco::postgres().await else {
        return;
    };
    // A user of the administrator's own making, and the role itself.
    let mut padrone = banco.raw().await;
    let utente = fresh_name();
    padrone
        .execute(&format!("CREATE ROLE {utente} LOGIN IN ROLE varco_gateway"))
        .await
        .unwrap();
    for (n, utente) in (1..).zip([utente.as_str(), "varco_gateway"]) {
        let url = StoreUrl::Postgres(banco.url_as(utente));
        let adesso = options();
        let senza_creare = OpenOptions {
            create: false,
            ..adesso
        };
        let (store, _) = store::open(&url, &senza_creare).await.unwrap();
        // A year that nobody has prepared yet, too.
        let anno = 2030 + n;
        let esito = store
            .register(
                &[atto(&format!("k{n}"), 1, &[n])],
                istante(&format!("{anno}-01-01T12:00:00Z")),
            )
            .await
            .unwrap();
        assert_eq!(protocollo(&esito[0]), format!("INPS-AUF-{anno}-000000000001"));
        store.write_tracce(&[traccia("r"), traccia("r")]).await.unwrap();
        store.tidy().await.unwrap();
        store.ping().await.unwrap();
        assert_eq!(store.verify().await.unwrap().registrazioni, n);
        store.close().await;
    }
}

// ── Opening ──

/// Why it is not opened, with the URL left out.
async fn refused(url: &PostgresUrl, options: &OpenOptions) -> String {
    match store::open(&StoreUrl::Postgres(url.clone()), options).await {
        Err(StoreError::Refused(causa)) => causa.replace(&url.to_string(), "URL"),
        altro => panic!("{altro:?}"),
    }
}

#[tokio::test]
async fn a_database_that_is_not_this_store_is_refused_with_its_cause() {
    let (Some(banco), Some(cluster)) = (Banco::postgres().await, cluster()) else {
        return;
    };
    let url = banco.url_as("varco");
    let sandbox = OpenOptions {
        ambiente: Ambiente::Sandbox,
        ..options()
    };
    assert_eq!(
        refused(&url, &sandbox).await,
        "URL: it belongs to ambiente collaudo, but sandbox is configured; each ambiente has its own store"
    );
    // One that names no older program which may work on it.
    for sql in [
        "DELETE FROM impostazioni WHERE nome = 'schema_minimo'",
        "INSERT INTO _sqlx_migrations SELECT 9999, description, installed_on, success, checksum, execution_time
         FROM _sqlx_migrations LIMIT 1",
    ] {
        banco.raw().await.execute(sql).await.unwrap();
    }
    let causa = refused(&url, &options()).await;
    assert!(
        causa.starts_with("URL: its schema is version 9999, and this varco knows "),
        "{causa}"
    );

    let di_altri = fresh_name();
    cluster.create_database(&di_altri).unwrap();
    cluster.sql(&di_altri, "CREATE TABLE cose (x integer)").unwrap();
    assert_eq!(
        refused(&cluster.url(&di_altri), &options()).await,
        "URL: the database holds tables of another application"
    );

    let vuoto = fresh_name();
    cluster.create_database(&vuoto).unwrap();
    let vuota = "URL: the database is empty; run `varco migrate` as the owner of the database";
    for options in [
        OpenOptions {
            create: false,
            ..options()
        },
        OpenOptions {
            migrate: false,
            ..options()
        },
    ] {
        assert_eq!(refused(&cluster.url(&vuoto), &options).await, vuota);
    }
    // A gateway's user lays nothing down.
    assert_eq!(
        refused(&cluster.url_as("varco_gateway", &vuoto), &options()).await,
        vuota
    );

    assert_eq!(
        refused(&cluster.url("manca"), &options()).await,
        "URL: there is no such database; create it (`createdb -E UTF8 …`), then run `varco migrate` as its owner"
    );
}

#[tokio::test]
async fn a_user_without_rights_is_told_which_it_needs() {
    let (Some(banco), Some(cluster)) = (Banco::postgres().await, cluster()) else {
        return;
    };
    let utente = fresh_name();
    cluster
        .sql("postgres", &format!("CREATE ROLE {utente} LOGIN"))
        .unwrap();
    let url = banco.url_as(&utente);
    let rimedio = format!("its administrator says: GRANT varco_gateway TO \"{utente}\"");
    let mut padrone = banco.raw().await;
    let on_this_database =
        |sql: &str| format!("DO $$ BEGIN EXECUTE format('{sql}', current_database()); END $$");
    for (sql, causa) in [
        (
            "REVOKE CONNECT ON DATABASE %I FROM PUBLIC",
            "may not connect to it",
        ),
        ("GRANT CONNECT ON DATABASE %I TO PUBLIC", "has no rights on it"),
    ] {
        padrone.execute(&on_this_database(sql)).await.unwrap();
        assert_eq!(
            refused(&url, &options()).await,
            format!("URL: user {utente} {causa}; {rimedio}")
        );
    }
    padrone
        .execute(&format!("GRANT varco_gateway TO {utente}"))
        .await
        .unwrap();
    let (store, _) = store::open(&StoreUrl::Postgres(url), &options()).await.unwrap();
    store.ping().await.unwrap();
    let nessuno = cluster.url_as("nessuno", "postgres");
    let causa = refused(&nessuno, &options()).await;
    assert!(causa.starts_with("URL: user nessuno may not log in ("), "{causa}");
}

#[tokio::test]
async fn a_database_whose_commits_may_be_lost_is_refused() {
    let (Some(banco), Some(binaries)) = (Banco::postgres().await, binaries()) else {
        return;
    };
    let fragile = Opzioni {
        impostazioni: vec![("fsync".to_owned(), "off".to_owned())],
        ..Opzioni::default()
    };
    let senza_fsync = Cluster::start(binaries, &fragile).unwrap();
    senza_fsync.create_database("varco").unwrap();
    assert_eq!(
        refused(&senza_fsync.url("varco"), &options()).await,
        "URL: fsync is off: a number that was told could be lost; set it to on (postgresql.conf) and try again"
    );

    banco
        .raw()
        .await
        .execute("DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET synchronous_commit = off', current_database()); END $$")
        .await
        .unwrap();
    assert_eq!(
        refused(&banco.url_as("varco"), &options()).await,
        "URL: synchronous_commit is off: a number that was told could be lost; set it to on (postgresql.conf, ALTER \
         DATABASE or ALTER ROLE) and try again"
    );
}

#[tokio::test]
async fn tls_is_spoken_when_asked_for_and_verified_or_refused() {
    let Some(binaries) = binaries() else { return };
    let (nostri, di_altri) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    for certs in [&nostri, &di_altri] {
        dev_certs::make(
            certs.path(),
            &dev_certs::Opzioni::at(istante("2026-11-22T00:00:00Z")),
        )
        .unwrap();
    }
    let tls = Cluster::start(
        binaries,
        &Opzioni {
            rete: Rete::Tls {
                password: "segreto".to_owned(),
                certificato: nostri.path().join("server.pem"),
                chiave: nostri.path().join("server.key"),
            },
            ..Opzioni::default()
        },
    )
    .unwrap();
    tls.create_database("varco").unwrap();
    let verified_by = |certs: &Path| format!("sslmode=verify-full&sslrootcert={}/ca.pem", certs.display());
    let url = tls.url_tcp("varco", &verified_by(nostri.path())).unwrap();
    let (store, _) = store::open(&StoreUrl::Postgres(url.clone()), &options())
        .await
        .unwrap();
    let esito = store
        .register(&[atto("a", 1, &[1])], istante(LUGLIO))
        .await
        .unwrap();
    assert_eq!(protocollo(&esito[0]), "INPS-AUF-2021-000000000001");
    assert!(!format!("{store:?}").contains("segreto"), "{store:?}");
    store.close().await;

    let altra_ca = tls.url_tcp("varco", &verified_by(di_altri.path())).unwrap();
    let causa = refused(&altra_ca, &options()).await;
    assert!(causa.starts_with("URL: no TLS as asked for ("), "{causa}");
    let altra_password: PostgresUrl = url.as_str().replace(":segreto@", ":indovinato@").parse().unwrap();
    let causa = refused(&altra_password, &options()).await;
    assert!(causa.starts_with("URL: user varco may not log in ("), "{causa}");
    let errore = store::open(&StoreUrl::Postgres(altra_password), &options())
        .await
        .unwrap_err();
    assert!(errore.to_string().contains("varco:***@localhost"), "{errore}");
    assert!(!format!("{errore:?} {errore}").contains("indovinato"), "{errore}");
    drop(tls);

    let in_chiaro = Cluster::start(
        binaries,
        &Opzioni {
            rete: Rete::Tcp {
                password: "segreto".to_owned(),
            },
            ..Opzioni::default()
        },
    )
    .unwrap();
    in_chiaro.create_database("varco").unwrap();
    let causa = refused(
        &in_chiaro.url_tcp("varco", &verified_by(nostri.path())).unwrap(),
        &options(),
    )
    .await;
    assert!(causa.starts_with("URL: no TLS as asked for ("), "{causa}");
}

// ── Trouble ──

/// Waits until this query, as who owns the database, finds a number.
async fn until(raw: &mut crate::banco::Raw, sql: &str) -> i64 {
    let fino_a = Instant::now() + Duration::from_secs(20);
    loop {
        if let Some(riga) = raw.rows(sql).await.first() {
            return riga["n"].as_i64().unwrap();
        }
        assert!(Instant::now() < fino_a, "never true: {sql}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_killed_before_its_commit_leaves_nothing() {
    let Some(banco) = Banco::postgres().await else {
        return;
    };
    banco.one(atto("a", 1, &[1]), LUGLIO).await;
    let mut padrone = banco.raw().await;
    padrone
        .execute(
            "CREATE FUNCTION dormi() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_sleep(60); RETURN NULL; END $$;
             CREATE CONSTRAINT TRIGGER dormi AFTER INSERT ON domande DEFERRABLE INITIALLY DEFERRED
             FOR EACH ROW EXECUTE FUNCTION dormi()",
        )
        .await
        .unwrap();
    let store = Arc::clone(&banco.store);
    let invio = tokio::spawn(async move { store.register(&[atto("b", 1, &[2])], istante(LUGLIO)).await });
    let pid = until(
        &mut padrone,
        "SELECT pid AS n FROM pg_stat_activity
         WHERE datname = current_database() AND query = 'COMMIT' AND wait_event = 'PgSleep'",
    )
    .await;
    padrone
        .execute(&format!("SELECT pg_terminate_backend({pid})"))
        .await
        .unwrap();
    let errore = invio.await.unwrap().unwrap_err();
    assert!(matches!(errore, StoreError::Unavailable(_)), "{errore}");
    assert_eq!(errore.codice(), Codice::Sto001);
    padrone.execute("DROP TRIGGER dormi ON domande").await.unwrap();
    assert_eq!(banco.store.registrata(&chiave("b")).await.unwrap(), None);
    assert_eq!(
        protocollo(&banco.one(atto("b", 1, &[2]), LUGLIO).await),
        "INPS-AUF-2021-000000000002"
    );
    banco.all_is_well(2).await;
}

/// A cluster to stop, pause and crash, with a fresh store in it: for one test at a time.
async fn own_cluster() -> Option<(MutexGuard<'static, Cluster>, PostgresUrl, SharedStore)> {
    static CLUSTER: OnceLock<Mutex<Cluster>> = OnceLock::new();
    let binaries = binaries()?;
    let cluster = CLUSTER
        .get_or_init(|| Mutex::new(Cluster::start(binaries, &Opzioni::default()).unwrap()))
        .lock()
        .await;
    let database = fresh_name();
    cluster.create_database(&database).unwrap();
    let url = cluster.url(&database);
    let (store, _) = store::open(&StoreUrl::Postgres(url.clone()), &options())
        .await
        .unwrap();
    Some((cluster, url, store))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_killed_after_its_commit_gets_its_receipt_read_back() {
    let Some((cluster, url, store)) = own_cluster().await else {
        return;
    };
    store
        .register(&[atto("a", 1, &[1])], istante(LUGLIO))
        .await
        .unwrap();
    // A commit that is done here and waits for a standby that never comes: killed then, its answer is lost, not it.
    let wait_for = |standby: &str| {
        cluster
            .sql(
                "postgres",
                &format!("ALTER SYSTEM SET synchronous_standby_names = '{standby}'"),
            )
            .unwrap();
        cluster.sql("postgres", "SELECT pg_reload_conf()").unwrap();
    };
    wait_for("nessuno");
    let mut padrone = crate::banco::Raw::Postgres(crate::banco::connect(&url).await.unwrap());
    until(
        &mut padrone,
        "SELECT 1 AS n WHERE current_setting('synchronous_standby_names') = 'nessuno'",
    )
    .await;
    let invio = {
        let store = Arc::clone(&store);
        tokio::spawn(async move { store.register(&[atto("b", 1, &[2])], istante(LUGLIO)).await })
    };
    let pid = until(
        &mut padrone,
        "SELECT pid AS n FROM pg_stat_activity WHERE datname = current_database() AND wait_event = 'SyncRep'",
    )
    .await;
    padrone
        .execute(&format!("SELECT pg_terminate_backend({pid})"))
        .await
        .unwrap();
    // It is there, but no standby has it: nobody is told its number before one does, or is no longer asked for.
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert!(!invio.is_finished());
    wait_for("");
    let esiti = invio.await.unwrap().unwrap();
    assert_eq!(protocollo(&esiti[0]), "INPS-AUF-2021-000000000002");
    let ancora = store
        .register(&[atto("b", 1, &[2])], istante(LUGLIO))
        .await
        .unwrap();
    assert_eq!(ripetuta(&ancora[0]), registrata(&esiti[0]));
}

#[tokio::test]
async fn a_database_that_was_restarted_in_a_quiet_hour_costs_no_registration() {
    let Some((mut cluster, _, store)) = own_cluster().await else {
        return;
    };
    store
        .register(&[atto("a", 1, &[1])], istante(LUGLIO))
        .await
        .unwrap();
    cluster.stop().unwrap();
    cluster.start_again().unwrap();
    tokio::time::sleep(Duration::from_secs(1)).await;
    let esito = store
        .register(&[atto("b", 1, &[2])], istante(LUGLIO))
        .await
        .unwrap();
    assert_eq!(protocollo(&esito[0]), "INPS-AUF-2021-000000000002");
    assert!(store.registrata(&chiave("a")).await.unwrap().is_some());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_crashes_under_load_keeps_all_that_was_acknowledged() {
    let Some((mut cluster, url, store)) = own_cluster().await else {
        return;
    };
    let (altro, _) = store::open(&StoreUrl::Postgres(url), &options()).await.unwrap();
    let gateway = [gateway(&store, LUGLIO), gateway(&altro, LUGLIO)];
    let nome = |n: u64| format!("k{n}");
    let mut detti: BTreeMap<u64, u64> = BTreeMap::new();
    let mut fatti = 0;
    let mut guasti = 0;
    for giro in 0..3_u64 {
        let file: Vec<_> = (0..16_u64)
            .map(|fila| {
                let gateway = gateway[usize::from(fila % 2 == 0)].clone();
                tokio::spawn(async move {
                    let mut esiti = Vec::new();
                    for n in 0..2000 {
                        let n = (giro * 16 + fila) * 2000 + n;
                        let esito = gateway.register(atto(&nome(n), 1, &[n])).await;
                        let fine = esito.is_err();
                        esiti.push((n, esito));
                        if fine {
                            break;
                        }
                    }
                    esiti
                })
            })
            .collect();
        tokio::time::sleep(Duration::from_millis(300 + 170 * giro)).await;
        tokio::task::block_in_place(|| cluster.crash()).unwrap();
        for fila in file {
            for (n, esito) in fila.await.unwrap() {
                fatti += 1;
                match esito {
                    Ok(esito) => {
                        detti.insert(n, registrata(&esito).protocollo.numero());
                    }
                    Err(StoreError::Unavailable(_)) => guasti += 1,
                    Err(altro) => panic!("{altro}"),
                }
            }
        }
        tokio::task::block_in_place(|| cluster.start_again()).unwrap();
        // The gateways go on without a restart of their own: what was acknowledged is told again, what was not gets
        // its number, through either of them.
        for n in 0..5 {
            gateway[1]
                .register(atto(&format!("giro{giro}-{n}"), 1, &[1_000_000 + giro * 10 + n]))
                .await
                .unwrap();
        }
    }
    assert!(
        detti.len() > 50 && guasti >= 16,
        "{} told, {guasti} not, of {fatti}",
        detti.len()
    );
    let numeri: BTreeSet<_> = detti.values().collect();
    assert_eq!(numeri.len(), detti.len(), "no number twice");
    for (n, numero) in &detti {
        let esito = gateway[usize::from(n % 2 == 0)]
            .register(atto(&nome(*n), 1, &[*n]))
            .await
            .unwrap();
        assert_eq!(ripetuta(&esito).protocollo.numero(), *numero);
    }
    close(gateway).await;
    let verifica = store.verify().await.unwrap();
    assert_eq!(verifica.anomalie, Vec::<String>::new());
    assert!(verifica.registrazioni >= detti.len() as u64 + 15);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_does_not_answer_is_not_waited_for_without_end() {
    let Some((mut cluster, url, _)) = own_cluster().await else {
        return;
    };
    let impaziente = OpenOptions {
        attesa: Duration::from_millis(500),
        istruzione: Duration::from_millis(500),
        ..options()
    };
    let (store, _) = store::open(&StoreUrl::Postgres(url), &impaziente).await.unwrap();
    store
        .register(&[atto("a", 1, &[1])], istante(LUGLIO))
        .await
        .unwrap();
    cluster.pause().unwrap();
    let inizio = Instant::now();
    let errore = store
        .register(&[atto("b", 1, &[2])], istante(LUGLIO))
        .await
        .unwrap_err();
    assert!(matches!(errore, StoreError::Unavailable(_)), "{errore}");
    let errore = store.registrata(&chiave("a")).await.unwrap_err();
    assert!(matches!(errore, StoreError::Unavailable(_)), "{errore}");
    assert!(
        inizio.elapsed() < Duration::from_secs(10),
        "{:?}",
        inizio.elapsed()
    );
    cluster.resume().unwrap();
    // Whatever became of the first attempt, the retry has its one number.
    let (Registrazione::Registrata(registrata) | Registrazione::Ripetuta(registrata)) = store
        .register(&[atto("b", 1, &[2])], istante(LUGLIO))
        .await
        .unwrap()
        .remove(0)
    else {
        panic!("neither new nor repeated");
    };
    assert_eq!(registrata.protocollo.numero(), 2);
    assert_eq!(store.verify().await.unwrap().anomalie, Vec::<String>::new());
}

// ── The trace ──

#[tokio::test]
async fn a_text_with_a_null_character_is_kept_with_a_mark_in_its_place() {
    let Some(banco) = Banco::postgres().await else {
        return;
    };
    let mut strana = traccia("n");
    strana.certificato_soggetto = "CN=pat\0uno".to_owned();
    strana.note = vec!["a\0b".to_owned()];
    banco.store.write_tracce(&[strana.clone()]).await.unwrap();
    let trovate = banco.store.tracce(&Ricerca::default()).await.unwrap().righe;
    assert_eq!(trovate.len(), 1);
    assert_eq!(trovate[0].certificato_soggetto, "CN=pat\u{fffd}uno");
    assert_eq!(trovate[0].message_id, strana.message_id);
    assert!(!trovate[0].note[0].contains('\0'));
    // An act that brings one does not take its batch with it.
    let mut invio = atto("a", 1, &[1]);
    invio.traccia.certificato_soggetto = "CN=\0".to_owned();
    protocollo(&banco.one(invio, LUGLIO).await);
    banco.all_is_well(1).await;
}

#[tokio::test]
async fn the_business_clock_is_the_databases_and_so_the_same_for_all_gateways() {
    let Some(banco) = Banco::postgres().await else {
        return;
    };
    let spostato = OpenOptions {
        orologio_inizio: Some(istante("2021-07-11T08:00:00Z")),
        ..options()
    };
    let (_, offset) = banco.open(&spostato).await.unwrap();
    assert_eq!(offset, SignedDuration::from_hours(240));
    let (_, altrove) = banco.open(&options()).await.unwrap();
    assert_eq!(altrove, offset);
}
