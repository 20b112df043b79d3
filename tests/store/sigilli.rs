//! The chain of proof: what was written is sealed once, in order, whoever seals; and what somebody changes behind our back
//! is found, and named.

use std::collections::BTreeSet;
use std::io::Cursor;
use std::time::Duration;

use bytes::Bytes;
use jiff::Timestamp;
use jiff::civil::Date;
use uuid::Uuid;
use varco::sigilli::catena::{Anomalia, Che};
use varco::sigilli::giornata::Giornata;
use varco::sigilli::verifica::{self, verifica};
use varco::sigilli::{Genere, Impronta};
use varco::store::copy::{CopyOptions, Esito as EsitoCopia, copy};
use varco::store::sigilli::{Esaminata, Esterne, Giro, Nuovo, Provata, esamina, esporta, prova_di, sigilla};
use varco::store::{self, Store, StoreUrl};
use varco::trace::egov::Scambio;
use varco::trace::{RifiutoAllaPorta, Traccia};

use crate::atti::{LUGLIO, atto, istante, options, protocollo, registrata, traccia};
use crate::banco::{Banco, Raw};
use crate::postgres_comune::{cluster, fresh_name};

macro_rules! stories {
    ($banco:path) => {
        $crate::tell! { sigilli, $banco:
            what_was_written_is_sealed_once_and_found_as_it_was,
            a_trace_gives_way_to_that_of_its_registration,
            bytes_that_are_purged_or_packed_otherwise_are_no_tampering,
            of_many_who_seal_at_once_each_row_is_sealed_by_one,
            a_block_that_follows_another_end_is_not_kept,
            days_are_closed_in_order_empty_ones_and_those_of_23_and_25_hours_too,
            a_day_is_exported_and_checked_without_the_store,
            a_registration_is_proved_once_its_day_is_closed,
            a_seal_cannot_be_changed_or_deleted,
        }
    };
}

mod sqlite {
    stories!(crate::banco::Banco::sqlite);
}

mod postgres {
    stories!(crate::banco::Banco::postgres);
}

pub(crate) const SALE: [u8; 32] = [5; 32];

pub(crate) async fn seal(banco: &Banco, adesso: &str) -> Giro {
    seal_of(banco.store.as_ref(), &mut banco.raw().await, adesso).await
}

async fn seal_of(store: &dyn Store, raw: &mut Raw, adesso: &str) -> Giro {
    settle(raw).await;
    sigilla(store, istante(adesso), SALE, 100).await.unwrap()
}

/// Waits until all that is there may be sealed: other tests share the cluster, and a transaction that still runs in any
/// database of it is one that rows wait for.
async fn settle(raw: &mut Raw) {
    if matches!(raw, Raw::Postgres(_)) {
        let ferme = "SELECT count(*) AS n FROM (SELECT transazione FROM tracce UNION ALL SELECT transazione FROM porta \
                     UNION ALL SELECT posto FROM pulizie) t \
                     WHERE transazione >= pg_snapshot_xmin(pg_current_snapshot())::text::bigint";
        while raw.number(ferme).await > 0 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
}

pub(crate) async fn examine(store: &dyn Store) -> Result<Esaminata, Anomalia> {
    esamina(store, &Esterne::default(), &|_, _| {}).await.unwrap()
}

pub(crate) async fn in_order(store: &dyn Store) -> Esaminata {
    examine(store)
        .await
        .unwrap_or_else(|anomalia| panic!("{anomalia}"))
}

pub(crate) fn refused(nome: &str) -> Traccia {
    Traccia {
        esito: "RIFIUTATA".to_owned(),
        codice: Some("AT-006".to_owned()),
        codici: vec!["AT-006".to_owned(), "AT-001".to_owned()],
        note: vec!["nota \"à\"".to_owned()],
        user_id: Some("RSSMRA80A01H501U".to_owned()),
        richiesta: Some(Bytes::from("<Envelope>domanda</Envelope>".repeat(30))),
        risposta: Some(Bytes::from_static(b"no")),
        ..traccia(nome)
    }
}

pub(crate) fn at_the_door(causa: &str) -> RifiutoAllaPorta {
    RifiutoAllaPorta {
        istante: istante(LUGLIO),
        indirizzo: Some("192.0.2.1".parse().unwrap()),
        soggetto: None,
        seriale: Some("0a".to_owned()),
        sni: None,
        codice: "TLS-003".to_owned(),
        causa: causa.to_owned(),
        rimedio: "rinnovare".to_owned(),
    }
}

/// Three registrations, three messages that were none, one with a busta, two refusals at the door: eleven rows.
pub(crate) async fn fill(banco: &Banco) {
    for n in 1..=3_u8 {
        banco
            .one(atto(&format!("k{n}"), n, &[u64::from(n)]), LUGLIO)
            .await;
    }
    let con_busta = Traccia {
        egov: Some(Box::new(Scambio {
            porta: "INPSSPCoopIT".to_owned(),
            certificato_sha256: "ab".repeat(32),
            richiesta: Some(Bytes::from_static(b"<e:Intestazione/>")),
            ..Scambio::default()
        })),
        ..refused("busta")
    };
    let tracce = [refused("uno"), refused("due"), con_busta];
    banco.store.write_tracce(&tracce).await.unwrap();
    let porta = [at_the_door("scaduto"), at_the_door("revocato")];
    banco.store.write_porta(&porta).await.unwrap();
}

/// A connection that no guard of the database stops.
pub(crate) async fn unguarded(banco: &Banco) -> Raw {
    let mut raw = banco.raw().await;
    if banco.says(true, false) {
        for riga in raw
            .rows("SELECT name FROM sqlite_schema WHERE type = 'trigger'")
            .await
        {
            let nome = riga["name"].as_str().unwrap().to_owned();
            raw.execute(&format!("DROP TRIGGER {nome}")).await.unwrap();
        }
        raw.execute("PRAGMA foreign_keys = OFF").await.unwrap();
    } else {
        raw.execute("SET session_replication_role = replica")
            .await
            .unwrap();
    }
    raw
}

pub(crate) async fn what_was_written_is_sealed_once_and_found_as_it_was(banco: &Banco) {
    let store = banco.store.as_ref();
    assert_eq!(seal(banco, LUGLIO).await, Giro::default());
    fill(banco).await;
    let giro = seal(banco, LUGLIO).await;
    assert_eq!((giro.righe, giro.giorni, giro.ancora), (11, 0, false));
    assert_eq!(seal(banco, LUGLIO).await, Giro::default());
    assert_eq!(
        in_order(store).await,
        Esaminata {
            blocchi: 1,
            righe: 11,
            ..Esaminata::default()
        }
    );
    // In small blocks as in large ones.
    let nuove: Vec<Traccia> = (0..25).map(|n| refused(&format!("t{n}"))).collect();
    store.write_tracce(&nuove).await.unwrap();
    assert_eq!(in_order(store).await.in_attesa, Some(nuove[0].ricevuto_il));
    settle(&mut banco.raw().await).await;
    for righe in [10, 10, 5, 0] {
        let giro = sigilla(store, istante(LUGLIO), SALE, 10).await.unwrap();
        assert_eq!((giro.righe, giro.ancora), (righe, righe == 10));
    }
    let tutte = in_order(banco.another().await.as_ref()).await;
    assert_eq!((tutte.blocchi, tutte.righe, tutte.in_attesa), (4, 36, None));
}

pub(crate) async fn a_trace_gives_way_to_that_of_its_registration(banco: &Banco) {
    let store = banco.store.as_ref();
    let interrotta = Traccia {
        esito: "INTERROTTA".to_owned(),
        ..traccia("k1")
    };
    store
        .write_tracce(std::slice::from_ref(&interrotta))
        .await
        .unwrap();
    assert_eq!(seal(banco, LUGLIO).await.righe, 1);
    let esito = banco.one(atto("k1", 1, &[1]), LUGLIO).await;
    // Before it is sealed and after.
    assert_eq!(in_order(store).await.sostituite, 1);
    assert_eq!(seal(banco, LUGLIO).await.righe, 2);
    let esaminata = in_order(store).await;
    assert_eq!(
        (esaminata.righe, esaminata.sostituite, esaminata.in_attesa),
        (3, 1, None)
    );
    let file = export(store, "2021-07-01").await;
    let sua = format!("sostituita {} 2\n", interrotta.message_id);
    assert!(file.contains(&sua), "{file}");
    assert_eq!(check(&file).unwrap().sostituite_altrove, Vec::<String>::new());
    // What was registered is said for good, even by who has all rights but not the guards.
    let sql = banco.says(
        "UPDATE sigilli SET giorno = giorno".to_owned(),
        format!(
            "UPDATE tracce SET esito = 'FAULT' WHERE message_id = '{}'",
            interrotta.message_id
        ),
    );
    let parole = banco.raw().await.refused(&sql).await;
    assert!(
        parole.contains(banco.says("un sigillo non si modifica", "si sostituisce soltanto")),
        "{parole}"
    );
    registrata(&esito);
}

pub(crate) async fn bytes_that_are_purged_or_packed_otherwise_are_no_tampering(banco: &Banco) {
    let store = banco.store.as_ref();
    fill(banco).await;
    seal(banco, LUGLIO).await;
    let mut raw = unguarded(banco).await;
    let richiesta = "<Envelope>domanda</Envelope>".repeat(30);
    raw.execute(&banco.says(
        format!(
            "UPDATE tracce SET richiesta = CAST('{richiesta}' AS BLOB), richiesta_codec = 'IDENTITY' WHERE richiesta IS NOT NULL"
        ),
        format!(
            "UPDATE tracce SET richiesta = convert_to('{richiesta}', 'UTF8'), richiesta_codec = 'IDENTITY' WHERE richiesta IS NOT NULL"
        ),
    ))
    .await
    .unwrap();
    in_order(store).await;
    for parte in ["richiesta", "risposta"] {
        raw.execute(&format!(
            "UPDATE tracce SET {parte} = NULL, {parte}_codec = NULL, {parte}_bytes_len = NULL"
        ))
        .await
        .unwrap();
    }
    assert_eq!(in_order(store).await.righe, 11);
    assert_eq!(
        check(&export(store, "2021-07-01").await).unwrap().quanto.righe,
        11
    );
}

pub(crate) async fn of_many_who_seal_at_once_each_row_is_sealed_by_one(banco: &Banco) {
    let scrittore = banco.another().await;
    let scrive = tokio::spawn(async move {
        for n in 0..30 {
            let tracce: Vec<_> = (0..4).map(|m| refused(&format!("s{n}x{m}"))).collect();
            scrittore.write_tracce(&tracce).await.unwrap();
            tokio::task::yield_now().await;
        }
        scrittore.close().await;
    });
    let mut lavori = Vec::new();
    for _ in 0..4 {
        let store = banco.another().await;
        lavori.push(tokio::spawn(async move {
            for _ in 0..20 {
                // Who is beaten to it finds the store busy, or comes to nothing; never to a row twice.
                let _ = sigilla(store.as_ref(), istante(LUGLIO), SALE, 7).await;
            }
            store.close().await;
        }));
    }
    scrive.await.unwrap();
    for lavoro in lavori {
        lavoro.await.unwrap();
    }
    while seal(banco, LUGLIO).await.righe > 0 {}
    let esaminata = in_order(banco.store.as_ref()).await;
    assert_eq!((esaminata.righe, esaminata.in_attesa), (120, None));
}

pub(crate) async fn a_block_that_follows_another_end_is_not_kept(banco: &Banco) {
    let store = banco.store.as_ref();
    store.write_tracce(&[refused("a")]).await.unwrap();
    let prima = store.coda().await.unwrap();
    seal(banco, LUGLIO).await;
    // Killed between reading and keeping, and slower than another: what it would keep is behind an end that is none.
    let blocco = store.blocchi(0, 1).await.unwrap().remove(0).read().unwrap();
    assert!(!store.keep_sigillo(&prima, &Nuovo::Blocco(blocco)).await.unwrap());
    assert_eq!(in_order(store).await.blocchi, 1);
}

pub(crate) async fn days_are_closed_in_order_empty_ones_and_those_of_23_and_25_hours_too(banco: &Banco) {
    let store = banco.store.as_ref();
    let mut scritte = 0;
    let mut step = async |adesso: &str, giorni: u64| {
        scritte += 1;
        store
            .write_tracce(&[refused(&format!("g{scritte}"))])
            .await
            .unwrap();
        let giro = seal(banco, adesso).await;
        assert_eq!((giro.righe, giro.giorni), (1, giorni), "{adesso}");
    };
    // 23 hours: 28 March 2021 ends at 22:00Z and begins at 23:00Z of the day before.
    step("2021-03-27T22:59:59.999Z", 0).await;
    step("2021-03-27T23:00:00Z", 1).await;
    step("2021-03-28T21:59:59.999Z", 0).await;
    step("2021-03-28T22:00:00Z", 1).await;
    // A clock that was set back, by a day: the chain stays where it was.
    step("2021-03-27T12:00:00Z", 0).await;
    // Half a year without a message, and the day of 25 hours.
    step("2021-10-30T22:30:00Z", 216).await;
    step("2021-10-31T22:59:59Z", 0).await;
    step("2021-10-31T23:00:00Z", 1).await;
    let esaminata = in_order(store).await;
    assert_eq!((esaminata.giorni, esaminata.righe), (219, 8));
    let giornate = store.giornate(None, 1000).await.unwrap();
    let giorni: Vec<Date> = giornate.iter().map(|(giorno, _)| *giorno).collect();
    let attesi: Vec<Date> = std::iter::successors(Some("2021-03-27".parse().unwrap()), |giorno: &Date| {
        giorno.tomorrow().ok()
    })
    .take(219)
    .collect();
    assert_eq!(giorni, attesi);
    let letta = |n: usize| Giornata::read(&giornate[n].1).unwrap();
    assert_eq!(
        (
            letta(0).blocchi,
            letta(1).blocchi,
            letta(2).blocchi,
            letta(3).blocchi
        ),
        (1, 2, 2, 0)
    );
    assert_eq!(letta(3).precedente_sha256, Impronta::of(giornate[2].1.as_bytes()));
    assert_eq!((letta(3).ultimo_blocco, letta(3).ultimo_sigillo), (5, None));
    // The instant of a block never goes back.
    let istanti: Vec<Timestamp> = (0..8)
        .zip(store.blocchi(0, 8).await.unwrap())
        .map(|(_, blocco)| blocco.read().unwrap().testata.sigillato_il)
        .collect();
    assert!(istanti.is_sorted());
    assert_eq!(istanti[4], istanti[3]);
    // An empty day is exported, too.
    assert_eq!(check(&export(store, "2021-05-01").await).unwrap().quanto.righe, 0);
    // A document that is changed, or taken away, is named by its day.
    let mut raw = unguarded(banco).await;
    for sql in [
        "UPDATE sigilli_giorni SET documento = replace(documento, '\"righe\": 2', '\"righe\": 1') WHERE giorno = '2021-03-28'",
        "DELETE FROM sigilli_giorni WHERE giorno = '2021-03-28'",
    ] {
        raw.execute(sql).await.unwrap();
        let anomalia = examine(store).await.unwrap_err();
        assert!(
            anomalia.giorno == giorni[1] || anomalia.giorno == giorni[2],
            "{anomalia}"
        );
    }
}

pub(crate) async fn export(store: &dyn Store, giorno: &str) -> String {
    let mut file = String::new();
    let fine = esporta(
        store,
        giorno.parse().unwrap(),
        &mut |linea| {
            file.push_str(&linea.write());
            Ok(())
        },
        &|_, _| {},
    )
    .await
    .unwrap();
    fine.expect("nothing was sealed").unwrap();
    file
}

pub(crate) fn check(file: &str) -> Result<verifica::Esito, Anomalia> {
    verifica(&mut Cursor::new(file.as_bytes()), None, &|_| {}).unwrap()
}

pub(crate) async fn a_day_is_exported_and_checked_without_the_store(banco: &Banco) {
    let store = banco.store.as_ref();
    fill(banco).await;
    seal(banco, LUGLIO).await;
    store.write_tracce(&[refused("dopo")]).await.unwrap();
    seal(banco, LUGLIO).await;
    let aperto = check(&export(store, "2021-07-01").await).unwrap();
    assert_eq!(
        (aperto.quanto.righe, aperto.quanto.blocchi, aperto.chiusura),
        (12, 2, None)
    );
    store.write_tracce(&[refused("domani")]).await.unwrap();
    seal(banco, "2021-07-02T08:00:00Z").await;
    let file = export(store, "2021-07-01").await;
    let documento = store.giornate(None, 1).await.unwrap().remove(0).1;
    assert_eq!(
        check(&file).unwrap().chiusura,
        Some(Impronta::of(documento.as_bytes()))
    );
    assert_eq!(check(&export(store, "2021-07-02").await).unwrap().quanto.righe, 1);
    // Nobody's name, nobody's request.
    for segreto in ["RSSMRA80A01H501U", "op.uno", "<Envelope>", "<e:Intestazione"] {
        assert!(!file.contains(segreto), "{segreto}");
    }
    // What was changed in the store shows in the file.
    let mut raw = unguarded(banco).await;
    let due = traccia("due").message_id.to_string();
    raw.execute(&format!(
        "UPDATE tracce SET esito = 'AMMISSIBILE' WHERE message_id = '{due}'"
    ))
    .await
    .unwrap();
    let anomalia = check(&export(store, "2021-07-01").await).unwrap_err();
    assert_eq!(
        (anomalia.riga, anomalia.che),
        (Some((Genere::Traccia, due.clone())), Che::Alterata)
    );
    raw.execute(&format!("DELETE FROM tracce WHERE message_id = '{due}'"))
        .await
        .unwrap();
    let anomalia = check(&export(store, "2021-07-01").await).unwrap_err();
    assert_eq!(
        (anomalia.riga, anomalia.che),
        (Some((Genere::Traccia, due)), Che::Rimossa)
    );
    let mut mai = |_: &_| Ok(());
    assert!(
        esporta(store, "2021-06-30".parse().unwrap(), &mut mai, &|_, _| {})
            .await
            .unwrap()
            .is_none()
    );
}

pub(crate) async fn a_registration_is_proved_once_its_day_is_closed(banco: &Banco) {
    let store = banco.store.as_ref();
    let mut ricevute = Vec::new();
    for n in 1..=9_u8 {
        let esito = banco
            .one(atto(&format!("k{n}"), n, &[u64::from(n)]), LUGLIO)
            .await;
        ricevute.push((protocollo(&esito), registrata(&esito).ricevuta.clone()));
        if n % 3 == 0 {
            seal(banco, LUGLIO).await;
        }
    }
    let numero = ricevute[4].0.parse().unwrap();
    let aperta = prova_di(store, &numero).await.unwrap();
    assert_eq!(aperta, Provata::GiornoAperto("2021-07-01".parse().unwrap()));
    seal(banco, "2021-07-02T08:00:00Z").await;
    let giornata = Giornata::read(&store.giornate(None, 1).await.unwrap().remove(0).1).unwrap();
    let mut viste = BTreeSet::new();
    for (protocollo, ricevuta) in &ricevute {
        let Provata::Prova(prova) = prova_di(store, &protocollo.parse().unwrap()).await.unwrap() else {
            panic!("{protocollo}: no proof");
        };
        prova.verify(&giornata, Some(ricevuta)).unwrap();
        assert!(prova.verify(&giornata, Some(b"un'altra")).is_err());
        assert!(!prova.riga.contains("RSSMRA80A01H501U"));
        viste.insert((prova.blocco.numero, prova.posto));
    }
    assert_eq!(viste.len(), 9);
    let mai = "INPS-AUF-2021-000000000099".parse().unwrap();
    assert_eq!(prova_di(store, &mai).await.unwrap(), Provata::NonSigillata);
}

pub(crate) async fn a_seal_cannot_be_changed_or_deleted(banco: &Banco) {
    let store = banco.store.as_ref();
    store.write_tracce(&[refused("a")]).await.unwrap();
    seal(banco, LUGLIO).await;
    seal(banco, "2021-07-02T08:00:00Z").await;
    let mut raw = banco.raw().await;
    for sql in [
        "UPDATE sigilli SET numero = 7",
        "DELETE FROM sigilli",
        "UPDATE sigilli_giorni SET documento = ''",
        "DELETE FROM sigilli_giorni",
    ] {
        assert!(raw.refused(sql).await.contains("non si"), "{sql}");
    }
    in_order(store).await;
}

/// What a transaction that still runs has written may come to stand before what is committed already: nothing is sealed past
/// it.
#[tokio::test]
async fn nothing_is_sealed_past_a_transaction_that_still_runs() {
    let Some(banco) = Banco::postgres().await else {
        return;
    };
    let store = banco.store.as_ref();
    store.write_tracce(&[refused("prima")]).await.unwrap();
    seal(&banco, LUGLIO).await;
    let mut lenta = banco.raw().await;
    lenta.execute("BEGIN").await.unwrap();
    lenta
        .execute(&format!(
            "INSERT INTO tracce (message_id, ricevuto_il, canale, certificato_soggetto, certificato_seriale, tls, uri, \
             richiesta_len, risposta_len, http_status, esito, tempi_us) \
             SELECT '{}', ricevuto_il, canale, '', '', '', '', 0, 0, 200, 'RISPOSTA', '[]' FROM tracce LIMIT 1",
            Uuid::from_u128(42)
        ))
        .await
        .unwrap();
    store.write_tracce(&[refused("dopo")]).await.unwrap();
    let giro = sigilla(store, istante(LUGLIO), SALE, 100).await.unwrap();
    assert_eq!(giro.righe, 0);
    assert!(in_order(store).await.in_attesa.is_some());
    lenta.execute("COMMIT").await.unwrap();
    assert_eq!(seal(&banco, LUGLIO).await.righe, 2);
    assert_eq!(in_order(store).await.righe, 3);
}

/// The auditor's role reads the chain; the gateway's adds to it, and can do no more.
#[tokio::test]
async fn roles_add_to_the_chain_and_change_nothing_of_it() {
    let Some(banco) = Banco::postgres().await else {
        return;
    };
    let store = banco.store.as_ref();
    store.write_tracce(&[refused("a")]).await.unwrap();
    seal(&banco, LUGLIO).await;
    let mut gateway = banco.raw_as("varco_gateway").await;
    for sql in [
        "UPDATE sigilli SET numero = 7",
        "DELETE FROM sigilli",
        "TRUNCATE sigilli_giorni",
    ] {
        assert!(gateway.refused(sql).await.contains("permission denied"), "{sql}");
    }
    let mut audit = banco.raw_as("varco_audit").await;
    assert_eq!(audit.number("SELECT count(numero) AS n FROM sigilli").await, 1);
    assert!(
        audit
            .refused("SELECT sale FROM sigilli")
            .await
            .contains("permission denied")
    );
}

/// Moved to PostgreSQL, a chain goes on where it was, over the rows that came with it.
#[tokio::test]
async fn a_chain_that_was_moved_goes_on_in_the_database() {
    let Some(cluster) = cluster() else { return };
    let banco = Banco::sqlite().await.unwrap();
    fill(&banco).await;
    seal(&banco, LUGLIO).await;
    seal(&banco, "2021-07-02T08:00:00Z").await;
    // Not sealed yet when it is moved.
    banco.store.write_tracce(&[refused("resto")]).await.unwrap();
    banco.one(atto("k9", 9, &[9]), "2021-07-02T08:00:00Z").await;
    banco.store.close().await;
    let database = fresh_name();
    cluster.create_database(&database).unwrap();
    let StoreUrl::Sqlite(da) = banco.url() else {
        unreachable!()
    };
    let url = cluster.url(&database);
    let esito = copy(
        &da,
        &url,
        &CopyOptions::new(istante("2021-07-02T09:00:00Z"), Uuid::from_u128(1)),
        &mut |_| (),
    )
    .await
    .unwrap();
    assert!(matches!(esito, EsitoCopia::Fatta(_)), "{esito:?}");
    let url = StoreUrl::Postgres(url);
    let (store, _) = store::open(&url, &options()).await.unwrap();
    let store = store.as_ref();
    let mut raw = Raw::open(&url).await;
    assert_eq!(in_order(store).await.righe, 11);
    assert_eq!(seal_of(store, &mut raw, "2021-07-02T09:00:10Z").await.righe, 3);
    store.write_tracce(&[refused("nuova")]).await.unwrap();
    assert_eq!(seal_of(store, &mut raw, "2021-07-02T09:00:20Z").await.righe, 1);
    let esaminata = in_order(store).await;
    assert_eq!(
        (esaminata.righe, esaminata.giorni, esaminata.in_attesa),
        (15, 1, None)
    );
    assert_eq!(
        check(&export(store, "2021-07-01").await).unwrap().quanto.righe,
        11
    );
    assert_eq!(check(&export(store, "2021-07-02").await).unwrap().quanto.righe, 4);
}
