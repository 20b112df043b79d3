//! What a restored store lacks comes back out of the one that was set aside: whole, with its own numbers, once.

use varco::domanda::consultazione::Riferimento;
use varco::domanda::sha256::Sha256;
use varco::prestazione::assegno_temporaneo::PRESTAZIONE;
use varco::protocollo::NumeroDomanda;
use varco::registro::Provvedimento;
use varco::store::ancore::{Detti, Detto};
use varco::store::esame::esamina;
use varco::store::lacune::Dichiarazione;
use varco::store::legale::open_registro;
use varco::store::recupero::{Recuperate, Recupero, Tratto, recover};
use varco::store::{Atto, PostgresUrl, Registrazione, SharedStore, StoreError, StoreUrl};

use crate::atti::{LUGLIO, atto, istante, options, protocollo, registrata, rinuncia, ripetuta};
use crate::banco::{Banco, Raw};
use crate::comando::{AUTORITA, config_of, register, set_clock};
use crate::daily::{daily, valida};
use crate::tell;

tell! {
    what_was_registered_after_the_copy_comes_back_whole,
    what_the_other_store_lacks_too_becomes_a_hole,
    what_came_back_stands_in_the_register_of_its_day,
    an_emergency_comes_back_with_the_periods_it_was_authorised_for,
    a_trial_changes_nothing,
    a_number_that_was_given_again_stops_it,
    a_store_that_is_not_the_same_one_is_refused,
}

const DOPO: &str = "2021-07-02T09:30:00Z";

/// An act whose imprint is that of its bytes, as those that came by a message.
fn vero(mut atto: Atto) -> Atto {
    let (da, a) = atto.contenuto_in_richiesta;
    atto.impronta = Sha256::of(&atto.richiesta[da..a]);
    atto
}

fn domanda(n: u64) -> Atto {
    vero(atto(&format!("k{n}"), u8::try_from(n).unwrap(), &[n]))
}

/// The bench's store as it was and the store that it was copied to, both to be opened.
pub(crate) struct Copia {
    _cartella: tempfile::TempDir,
    pub(crate) url: StoreUrl,
}

/// Puts a copy of the bench's store, as it is now, beside it.
async fn copy(banco: &Banco) -> Copia {
    banco.store.close().await;
    copy_of(&banco.url()).await
}

/// Puts a copy of a store that nobody has open beside it.
pub(crate) async fn copy_of(url: &StoreUrl) -> Copia {
    let cartella = tempfile::tempdir().unwrap();
    let url = match url {
        StoreUrl::Sqlite(_) => {
            let copia = cartella.path().join("store.db");
            let mut raw = Raw::open(url).await;
            raw.execute(&format!("VACUUM INTO '{}'", copia.display()))
                .await
                .unwrap();
            StoreUrl::Sqlite(copia)
        }
        StoreUrl::Postgres(url) => StoreUrl::Postgres(template(url).await),
    };
    Copia {
        _cartella: cartella,
        url,
    }
}

/// A database of the same cluster made of this one.
async fn template(url: &PostgresUrl) -> PostgresUrl {
    let mut raw = Raw::open(&StoreUrl::Postgres(url.clone())).await;
    let nome = raw.rows("SELECT current_database()::text AS nome").await;
    let nome = nome[0]["nome"].as_str().unwrap().to_owned();
    drop(raw);
    let altrove: PostgresUrl = url.as_str().replace(&nome, "postgres").parse().unwrap();
    let copia = format!("{nome}_copia");
    let mut raw = Raw::open(&StoreUrl::Postgres(altrove)).await;
    raw.execute(&format!(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{nome}'"
    ))
    .await
    .unwrap();
    raw.execute(&format!("CREATE DATABASE {copia} TEMPLATE {nome}"))
        .await
        .unwrap();
    url.as_str().replace(&nome, &copia).parse().unwrap()
}

async fn open(url: &StoreUrl) -> SharedStore {
    varco::store::open(url, &options()).await.unwrap().0
}

/// Twenty domande, a copy, ten more and an act about the first.
async fn story(banco: &Banco) -> (Copia, Vec<(Atto, Registrazione)>) {
    for n in 1..=20 {
        banco.one(domanda(n), LUGLIO).await;
    }
    let copia = copy(banco).await;
    let store = open(&banco.url()).await;
    let mut dopo = Vec::new();
    for n in 21..=30 {
        let atto = domanda(n);
        dopo.push((atto.clone(), first(store.register(&[atto], istante(DOPO)).await)));
    }
    let ente = "PAT01".parse().unwrap();
    let vista = store
        .domanda(
            &ente,
            PRESTAZIONE.servizio,
            &Riferimento::NumeroDomanda(NumeroDomanda(1)),
        )
        .await
        .unwrap()
        .unwrap();
    let atto = vero(rinuncia("rinuncia-1", 99, &vista, &[1]));
    dopo.push((atto.clone(), first(store.register(&[atto], istante(DOPO)).await)));
    store.close().await;
    (copia, dopo)
}

fn first(esiti: Result<Vec<Registrazione>, StoreError>) -> Registrazione {
    esiti.unwrap().remove(0)
}

/// Brings back into `qui` what `da` knows; told was as far as `ultimo`.
pub(crate) async fn bring_back(
    qui: &StoreUrl,
    da: &StoreUrl,
    ultimo: u64,
    prova: bool,
) -> Result<Recuperate, String> {
    let mut detti = Detti::default();
    let detto = Detto {
        numero: ultimo,
        picco: 2,
    };
    detti.registri.insert(("AUF".to_owned(), 2021), detto);
    let recupero = Recupero {
        qui,
        da,
        options: &options(),
        dichiarazione: &Dichiarazione {
            detti: &detti,
            operatore: "m.verdi",
            motivo: "ripristino",
            provvedimento: &Provvedimento {
                numero: "12/2021".to_owned(),
                data: "2021-07-01".parse().unwrap(),
            },
        },
        adesso: istante(DOPO),
        prova,
    };
    recover(&recupero, &mut |_| ())
        .await
        .map_err(|errore| errore.to_string())
}

fn tratto(da: u64, a: u64) -> Tratto {
    Tratto {
        registro: "AUF".to_owned(),
        anno: 2021,
        da,
        a,
        quante: a - da + 1,
    }
}

fn nulla() -> Recuperate {
    Recuperate {
        tornate: Vec::new(),
        lacune: Vec::new(),
        gia_lacuna: 0,
    }
}

pub(crate) async fn all_is_well(url: &StoreUrl, registrazioni: u64) {
    let (registro, _) = open_registro(url, &options()).await.unwrap();
    let verifica = esamina(&*registro, &|_, _| ()).await.unwrap();
    assert_eq!(verifica.anomalie, Vec::<String>::new());
    assert_eq!(verifica.registrazioni, registrazioni);
    registro.close().await;
}

/// The rows of a query, here and there.
async fn both(qui: &StoreUrl, da: &StoreUrl, sql: &str) -> (Vec<serde_json::Value>, Vec<serde_json::Value>) {
    (
        Raw::open(qui).await.rows(sql).await,
        Raw::open(da).await.rows(sql).await,
    )
}

async fn what_was_registered_after_the_copy_comes_back_whole(banco: &Banco) {
    let (copia, dopo) = story(banco).await;
    let fatte = bring_back(&copia.url, &banco.url(), 31, false).await.unwrap();
    assert_eq!(
        fatte,
        Recuperate {
            tornate: vec![tratto(21, 31)],
            ..nulla()
        }
    );
    all_is_well(&copia.url, 31).await;

    for sql in [
        "SELECT numero, registrazione, versione FROM domande ORDER BY numero",
        "SELECT numero_domanda, posto, stato, codice_fiscale FROM schede ORDER BY numero_domanda, posto",
        "SELECT ente, numero_domanda, posto, stato FROM elenco ORDER BY numero_domanda, posto",
        "SELECT cursore, tipo, numero_domanda, posto, registrazione, stato FROM variazioni ORDER BY cursore",
        "SELECT registrazione, bytes_len, codec FROM payload ORDER BY registrazione",
        "SELECT registrazione, posto, nome_file FROM allegati ORDER BY registrazione, posto",
        "SELECT registrazione, numero_domanda, operazione FROM atti ORDER BY registrazione",
        "SELECT CAST(message_id AS text) AS id, chiave_invio, protocollo, esito FROM tracce ORDER BY 1",
        "SELECT registro, anno, ultimo FROM registro",
        "SELECT nome, ultimo FROM contatori ORDER BY nome",
    ] {
        let (qui, altrove) = both(&copia.url, &banco.url(), sql).await;
        assert_eq!(qui, altrove, "{sql}");
    }
    let sql = "SELECT da, a, quante, operatore, motivo FROM recuperi";
    let annotato = Raw::open(&copia.url).await.rows(sql).await;
    assert_eq!(
        annotato,
        [
            serde_json::json!({"da": 21, "a": 31, "quante": 11, "operatore": "m.verdi", "motivo": "ripristino"})
        ]
    );

    // Who asks again is told what it was told; who comes next gets the next number.
    let store = open(&copia.url).await;
    for (atto, prima) in &dopo {
        let ancora = first(store.register(std::slice::from_ref(atto), istante(DOPO)).await);
        assert_eq!(ripetuta(&ancora).ricevuta, registrata(prima).ricevuta);
        assert_eq!(ripetuta(&ancora).protocollo, registrata(prima).protocollo);
    }
    let nuova = first(store.register(&[domanda(40)], istante(DOPO)).await);
    assert_eq!(protocollo(&nuova), "INPS-AUF-2021-000000000032");
    assert_eq!(registrata(&nuova).numero_domanda.0, 31);
    store.close().await;
    all_is_well(&copia.url, 32).await;

    // What came back is there: the second time there is nothing.
    assert_eq!(bring_back(&copia.url, &banco.url(), 31, false).await, Ok(nulla()));
    let mut raw = Raw::open(&copia.url).await;
    assert!(
        raw.refused("DELETE FROM recuperi")
            .await
            .contains("un recupero non si cancella")
    );
    // And what guards the register is on its guard again.
    assert!(
        raw.refused("UPDATE registrazioni SET numero = 99 WHERE numero = 25")
            .await
            .contains("non si modifica")
    );
}

async fn what_the_other_store_lacks_too_becomes_a_hole(banco: &Banco) {
    let (copia, _) = story(banco).await;
    // 33 were told, two within a second: four more can have been.
    let fatte = bring_back(&copia.url, &banco.url(), 33, false).await.unwrap();
    assert_eq!(
        fatte,
        Recuperate {
            tornate: vec![tratto(21, 31)],
            lacune: vec![tratto(32, 37)],
            ..nulla()
        }
    );
    let store = open(&copia.url).await;
    let nuova = first(store.register(&[domanda(40)], istante(DOPO)).await);
    assert_eq!(protocollo(&nuova), "INPS-AUF-2021-000000000038");
    store.close().await;
    all_is_well(&copia.url, 32).await;
}

async fn what_came_back_stands_in_the_register_of_its_day(banco: &Banco) {
    let (copia, _) = story(banco).await;
    let altra = copy_of(&copia.url).await;
    bring_back(&copia.url, &banco.url(), 31, false).await.unwrap();
    let (registro, _) = open_registro(&copia.url, &options()).await.unwrap();
    let giornaliero = daily(&*registro, "2021-07-02", "2021-07-03T05:00:00Z").await;
    valida(&giornaliero.documento);
    let testo = std::str::from_utf8(&giornaliero.documento).unwrap();
    let (prima, dopo) = testo.split_once("<Archivio>").unwrap();
    let (_, dopo) = dopo.split_once("</Archivio>").unwrap();
    assert!(
        prima.ends_with(
            "<Recuperi>\n<Recupero progressivo=\"1\"><Anno>2021</Anno><Da>21</Da><A>31</A><Quante>11</Quante>"
        ),
        "{prima}"
    );
    assert!(
        dopo.starts_with(
            "<RecuperateIl>2021-07-02T11:30:00.000+02:00</RecuperateIl><Operatore>m.verdi</Operatore>\
             <Motivo>ripristino</Motivo><Provvedimento><Numero>12/2021</Numero><Data>2021-07-01</Data></Provvedimento>\
             </Recupero>\n</Recuperi>\n"
        ),
        "{dopo}"
    );
    registro.close().await;
    all_is_well(&copia.url, 31).await;

    // The recovered store is lost in its turn: with its closed day comes what that day tells.
    bring_back(&altra.url, &copia.url, 31, false).await.unwrap();
    all_is_well(&altra.url, 31).await;
    let (registro, _) = open_registro(&altra.url, &options()).await.unwrap();
    let fatti: Vec<_> = registro
        .recuperi()
        .await
        .unwrap()
        .into_iter()
        .map(|fatto| (fatto.id, fatto.da, fatto.a, fatto.recuperate_il.to_string()))
        .collect();
    let giorno_dopo = "2021-07-02T22:00:00Z";
    assert_eq!(
        fatti,
        [(1, 21, 31, DOPO.to_owned()), (2, 21, 31, giorno_dopo.to_owned())]
    );
    registro.close().await;
}

async fn an_emergency_comes_back_with_the_periods_it_was_authorised_for(banco: &Banco) {
    let (copia, _) = story(banco).await;
    set_clock(banco, DOPO).await;
    let cartella = config_of(banco);
    let config = cartella.path().join("varco.toml");
    let autorita = [&AUTORITA[..], &["--operatore", "m.verdi"]].concat();
    for argomenti in [
        &["emergency", "open", "--causa", "guasto"][..],
        &["emergency", "extend", "--fino", "2021-07-09T12:00:00+02:00"],
    ] {
        let detto = register(&config, &[argomenti, &autorita].concat());
        assert_eq!(detto.codice, 0, "{}", detto.errori);
    }
    let detto = register(&config, &["emergency", "close", "--operatore", "m.verdi"]);
    assert_eq!(detto.codice, 0, "{}", detto.errori);
    bring_back(&copia.url, &banco.url(), 31, false).await.unwrap();
    for sql in [
        "SELECT id, registro, operatore FROM emergenze",
        "SELECT id, emergenza, operatore, provvedimento_numero FROM proroghe",
    ] {
        let (qui, altrove) = both(&copia.url, &banco.url(), sql).await;
        assert_eq!((qui.len(), &qui), (1, &altrove), "{sql}");
    }
    all_is_well(&copia.url, 31).await;
}

async fn a_trial_changes_nothing(banco: &Banco) {
    let (copia, _) = story(banco).await;
    let prova = bring_back(&copia.url, &banco.url(), 33, true).await.unwrap();
    all_is_well(&copia.url, 20).await;
    let mut raw = Raw::open(&copia.url).await;
    let righe = raw
        .rows("SELECT count(*) AS n FROM lacune UNION ALL SELECT count(*) FROM recuperi")
        .await;
    assert_eq!(righe, [serde_json::json!({"n": 0}), serde_json::json!({"n": 0})]);
    drop(raw);
    assert_eq!(bring_back(&copia.url, &banco.url(), 33, false).await, Ok(prova));
}

async fn a_number_that_was_given_again_stops_it(banco: &Banco) {
    let (copia, _) = story(banco).await;
    let store = open(&copia.url).await;
    first(store.register(&[domanda(50)], istante(DOPO)).await);
    store.close().await;
    let errore = bring_back(&copia.url, &banco.url(), 31, false).await.unwrap_err();
    assert_eq!(
        errore,
        "store refused: nothing comes back from that store: INPS-AUF-2021-000000000021 is another registration there: \
         ChiaveInvio, digest, impronta, ricevuta differ"
    );
    all_is_well(&copia.url, 21).await;
}

async fn a_store_that_is_not_the_same_one_is_refused(banco: &Banco) {
    let (copia, _) = story(banco).await;
    let errore = bring_back(&copia.url, &copia.url, 31, false).await.unwrap_err();
    assert!(errore.ends_with("it is this very store"), "{errore}");

    // As if it had been laid down on another day.
    let mut raw = Raw::open(&copia.url).await;
    if matches!(copia.url, StoreUrl::Postgres(_)) {
        raw.execute("ALTER TABLE impostazioni DISABLE TRIGGER USER")
            .await
            .unwrap();
    }
    raw.execute("UPDATE impostazioni SET valore = 'un altro giorno' WHERE nome = 'creato_il'")
        .await
        .unwrap();
    drop(raw);
    let errore = bring_back(&copia.url, &banco.url(), 31, false).await.unwrap_err();
    assert!(
        errore.ends_with("it is the store of another installation"),
        "{errore}"
    );
}
