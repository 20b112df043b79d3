//! The story of a store: what is promised of numbers, keys, sheets and receipts, told on the embedded store.
#![allow(missing_docs)]

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use jiff::{SignedDuration, Timestamp};
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{AssertSqlSafe, Connection, Row};
use tempfile::TempDir;
use uuid::Uuid;
use varco::catalogo::Codice;
use varco::clock::{Clock, HandClock};
use varco::domanda::consultazione::Riferimento;
use varco::domanda::{
    Allegato, Ambiente, CodiceFiscale, Dettagli, Dichiarazione, Fascicolo, Mese, Pagamento,
    PagamentoAltroGenitore, Richiedente, Scheda,
};
use varco::patronato::CodiceEnte;
use varco::prestazione::assegno_temporaneo::PRESTAZIONE;
use varco::ricevuta::{Digest, Registrata, Ricevuta};
use varco::store::sqlite::SqliteStore;
use varco::store::writer::{Writer, WriterConfig};
use varco::store::{
    Atto, Chiave, OpenOptions, Registrazione, Ricerca, SharedStore, Store, StoreError, StoreUrl,
};
use varco::trace::writer::{Tracciati, TraceConfig};
use varco::trace::{RifiutoAllaPorta, Traccia};

// ── Helpers ──

const LUGLIO: &str = "2021-07-01T08:00:00Z";

fn istante(testo: &str) -> Timestamp {
    testo.parse().unwrap()
}

/// A provisional codice fiscale with its check digit: as many children as a test needs.
fn minore(n: u64) -> CodiceFiscale {
    let dieci = format!("{n:010}");
    let somma: u32 = dieci
        .chars()
        .enumerate()
        .map(|(posto, cifra)| {
            let cifra = cifra.to_digit(10).unwrap();
            match posto % 2 {
                0 => cifra,
                _ if cifra > 4 => cifra * 2 - 9,
                _ => cifra * 2,
            }
        })
        .sum();
    format!("{dieci}{}", (10 - somma % 10) % 10).parse().unwrap()
}

/// A receipt that says what a test wants to compare, and is no XML.
fn stampa(ricevuta: &Ricevuta) -> Vec<u8> {
    format!(
        "{} n. {} per {} presentata {} registrata {} [{}] {}",
        ricevuta.protocollo,
        ricevuta.numero_domanda.0,
        ricevuta.chiave,
        ricevuta.presentata_il,
        ricevuta.registrata_il,
        ricevuta.oggetto,
        ricevuta.ambiente.as_str(),
    )
    .into_bytes()
}

fn chiave(nome: &str) -> Chiave {
    Chiave {
        ente: "PAT01".parse().unwrap(),
        servizio: PRESTAZIONE.servizio,
        chiave: nome.parse().unwrap(),
    }
}

/// An act with this key, this content and these children.
fn atto(nome: &str, contenuto: u8, minori: &[u64]) -> Atto {
    let richiesta =
        Bytes::from(format!("<Envelope><Domanda>{nome} {contenuto}</Domanda></Envelope>").repeat(20));
    Atto {
        chiave: chiave(nome),
        prestazione: &PRESTAZIONE,
        digest: Digest([contenuto; 32]),
        impronta: [contenuto; 32],
        presentata_il: istante("2021-07-01T07:59:59.123456Z"),
        ente_denominazione: "Patronato Uno".to_owned(),
        codice_ufficio: "001".parse().unwrap(),
        user_id: "op.uno".parse().unwrap(),
        certificato_sha256: "ab".repeat(32),
        canale: "MODI",
        fascicolo: Fascicolo {
            data_pratica: Some("2021-06-30".parse().unwrap()),
            mandato_numero: "M-1".to_owned(),
            mandato_data: "2021-06-29".parse().unwrap(),
            richiedente: Richiedente {
                codice_fiscale: "RSSMRA80A01H501U".parse().unwrap(),
                nome: "MARIO".to_owned(),
                cognome: "ROSSI".to_owned(),
                email: None,
                cellulare: Some("3331234567".to_owned()),
                indirizzo: None,
            },
            presentata_da: "GENITORE",
            genitore_tutelato: None,
            pagamento: Pagamento {
                modalita: "BD",
                iban: None,
                intestato_richiedente: None,
            },
            schede: (1..)
                .zip(minori)
                .map(|(posto, n)| Scheda {
                    posto,
                    codice_fiscale: minore(*n),
                    data_nascita: Some("2014-01-01".parse().unwrap()),
                    qualita: "GENITORE",
                    disabile: false,
                    affido_condiviso: true,
                    altro_genitore: Some("VRDLGU82B52F205E".parse().unwrap()),
                    altro_genitore_assente: None,
                    ripartizione: "META_ENTRAMBI",
                    pagamento_altro_genitore: None,
                    decorrenza_presunta: Some(Mese { anno: 2021, mese: 7 }),
                    subentra: false,
                    dettagli: Dettagli::default(),
                })
                .collect(),
            dichiarazioni: ["D1", "D2", "D3", "D4", "D5", "D6", "D7", "D8"]
                .map(|codice| Dichiarazione {
                    codice,
                    versione_testo: "1",
                    scelta: None,
                })
                .to_vec(),
            allegati: vec![Allegato {
                tipo: "ALTRO",
                nome_file: "foglio.pdf".to_owned(),
                tipo_mime: "application/pdf",
                impronta: [9; 32],
                bytes_len: 1234,
            }],
            dettagli: Dettagli::default(),
            oggetto: "Assegno Temporaneo - domanda n. {numero}".to_owned(),
        },
        domanda_in_richiesta: (10, 10 + 30),
        richiesta,
        traccia: traccia(nome),
        stampa,
    }
}

fn traccia(nome: &str) -> Traccia {
    // A message id that follows from the key, so that a test can ask for it.
    let id = nome
        .bytes()
        .fold(1_u128, |id, byte| id.wrapping_mul(257) ^ u128::from(byte));
    Traccia {
        message_id: Uuid::from_u128(id),
        ricevuto_il: istante("2021-07-01T07:59:59Z"),
        canale: "MODI".to_owned(),
        ente: Some("PAT01".to_owned()),
        operazione: Some("InviaDomanda".to_owned()),
        chiave_invio: Some(nome.to_owned()),
        esito: "RISPOSTA".to_owned(),
        tempi_us: vec![("busta", 12), ("lettura", 345)],
        ..Traccia::default()
    }
}

fn options() -> OpenOptions {
    OpenOptions {
        create: true,
        ..OpenOptions::new(Ambiente::Collaudo, istante(LUGLIO))
    }
}

struct Banco {
    cartella: TempDir,
    store: Arc<SqliteStore>,
}

impl Banco {
    async fn new() -> Self {
        let cartella = tempfile::tempdir().unwrap();
        let (store, _) = SqliteStore::open(&cartella.path().join("store.db"), &options())
            .await
            .unwrap();
        Self {
            cartella,
            store: Arc::new(store),
        }
    }

    fn path(&self) -> std::path::PathBuf {
        self.cartella.path().join("store.db")
    }

    async fn register(&self, atti: &[Atto], adesso: &str) -> Vec<Registrazione> {
        self.store.register(atti, istante(adesso)).await.unwrap()
    }

    async fn one(&self, atto: Atto, adesso: &str) -> Registrazione {
        self.register(&[atto], adesso).await.remove(0)
    }

    /// A connection as another process would have it.
    async fn raw(&self) -> SqliteConnection {
        raw(&self.path()).await
    }

    async fn all_is_well(&self, registrazioni: u64) {
        let verifica = self.store.verify().await.unwrap();
        assert_eq!(verifica.anomalie, Vec::<String>::new());
        assert_eq!(verifica.registrazioni, registrazioni);
        self.store.ping().await.unwrap();
    }
}

async fn raw(path: &Path) -> SqliteConnection {
    SqliteConnection::connect_with(
        &SqliteConnectOptions::new()
            .filename(path)
            .busy_timeout(Duration::from_secs(5)),
    )
    .await
    .unwrap()
}

fn registrata(esito: &Registrazione) -> &Registrata {
    match esito {
        Registrazione::Registrata(registrata) => registrata,
        altro => panic!("not registered: {altro:?}"),
    }
}

fn ripetuta(esito: &Registrazione) -> &Registrata {
    match esito {
        Registrazione::Ripetuta(registrata) => registrata,
        altro => panic!("not repeated: {altro:?}"),
    }
}

fn protocollo(esito: &Registrazione) -> String {
    registrata(esito).protocollo.to_string()
}

// ── Numbers and keys ──

#[tokio::test]
async fn numbers_begin_at_one_and_have_no_gap() {
    let banco = Banco::new().await;
    assert_eq!(
        protocollo(&banco.one(atto("a", 1, &[1]), LUGLIO).await),
        "INPS-AUF-2021-000000000001"
    );
    let atti: Vec<_> = (2..=100)
        .map(|n| atto(&format!("k{n}"), 1, &[n * 10, n * 10 + 1]))
        .collect();
    let numeri: Vec<_> = banco
        .register(&atti, LUGLIO)
        .await
        .iter()
        .map(protocollo)
        .collect();
    let attesi: Vec<_> = (2..=100).map(|n| format!("INPS-AUF-2021-{n:012}")).collect();
    assert_eq!(numeri, attesi);
    banco.all_is_well(100).await;

    let righe = banco.store.registro(None, 3).await.unwrap();
    assert_eq!(
        righe
            .iter()
            .map(|riga| riga.chiave_invio.as_str())
            .collect::<Vec<_>>(),
        ["a", "k2", "k3"]
    );
    let dopo = banco
        .store
        .registro(Some(&righe[2].protocollo), 1000)
        .await
        .unwrap();
    assert_eq!((dopo.len(), dopo[0].chiave_invio.as_str()), (97, "k4"));
}

#[tokio::test]
async fn a_repeated_message_gets_the_same_receipt_byte_for_byte() {
    let banco = Banco::new().await;
    let prima = banco.one(atto("a", 1, &[1]), LUGLIO).await;
    let prima = registrata(&prima);
    assert_eq!(
        prima.ricevuta,
        "INPS-AUF-2021-000000000001 n. 1 per a presentata 2021-07-01T07:59:59.123Z \
         registrata 2021-07-01T08:00:00Z [Assegno Temporaneo - domanda n. 1] collaudo"
    );
    let seconda = banco.one(atto("a", 1, &[1]), "2021-08-01T08:00:00Z").await;
    assert_eq!(ripetuta(&seconda), prima);
    assert_eq!(
        banco.store.registrata(&chiave("a")).await.unwrap().as_ref(),
        Some(prima)
    );
    assert_eq!(banco.store.registrata(&chiave("b")).await.unwrap(), None);
    // Keys are compared byte by byte, and are each ente's own.
    assert_eq!(
        protocollo(&banco.one(atto("A", 1, &[2]), LUGLIO).await),
        "INPS-AUF-2021-000000000002"
    );
    let mut altrui = atto("a", 1, &[3]);
    altrui.chiave.ente = "PAT02".parse().unwrap();
    altrui.traccia.message_id = Uuid::from_u128(77);
    assert_eq!(
        protocollo(&banco.one(altrui, LUGLIO).await),
        "INPS-AUF-2021-000000000003"
    );
    banco.all_is_well(3).await;
}

#[tokio::test]
async fn the_same_key_with_other_content_names_the_original() {
    let banco = Banco::new().await;
    let prima = banco.one(atto("a", 1, &[1]), LUGLIO).await;
    let Registrazione::Conflitto(originale) = banco.one(atto("a", 2, &[2]), LUGLIO).await else {
        panic!("no conflict");
    };
    assert_eq!(&originale, registrata(&prima));
    // It left nothing: child 2 is free, number 2 is the next.
    assert_eq!(
        protocollo(&banco.one(atto("b", 2, &[2]), LUGLIO).await),
        "INPS-AUF-2021-000000000002"
    );
    banco.all_is_well(2).await;
}

#[tokio::test]
async fn two_hundred_copies_at_once_get_one_number() {
    let banco = Banco::new().await;
    let clock: Arc<dyn Clock> = Arc::new(HandClock::at(istante(LUGLIO)));
    let writer = Writer::spawn(banco.store.clone(), clock, WriterConfig::default());
    let copie = (0..200).map(|_| {
        let writer = writer.clone();
        tokio::spawn(async move { writer.register(atto("a", 1, &[1, 2])).await.unwrap() })
    });
    let (mut nuove, mut ricevute) = (0, BTreeSet::new());
    for copia in copie.collect::<Vec<_>>() {
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
    writer.close().await;
    banco.all_is_well(1).await;
}

#[tokio::test]
async fn each_act_of_a_batch_has_its_own_outcome() {
    let banco = Banco::new().await;
    banco.one(atto("prima", 1, &[1]), LUGLIO).await;
    let esiti = banco
        .register(
            &[
                atto("nuova", 2, &[10, 11]),   // 0: good
                atto("nuova", 2, &[10, 11]),   // 1: a copy of 0
                atto("nuova", 3, &[12]),       // 2: its key, other content
                atto("gemella", 4, &[12, 11]), // 3: child 11 is in 0
                atto("prima", 1, &[1]),        // 4: a copy of what was there before
                atto("viva", 5, &[1]),         // 5: child 1 was there before
                atto("gemella", 6, &[12]),     // 6: the key of 3 is free, child 12 too
                atto("doppia", 7, &[20, 20]),  // 7: the same child twice
                atto("ultima", 8, &[20]),      // 8: good: 7 left nothing
            ],
            LUGLIO,
        )
        .await;
    assert_eq!(protocollo(&esiti[0]), "INPS-AUF-2021-000000000002");
    assert_eq!(ripetuta(&esiti[1]), registrata(&esiti[0]));
    assert_eq!(esiti[2], Registrazione::Conflitto(registrata(&esiti[0]).clone()));
    let viva = |posto, n| {
        let viva = varco::domanda::SchedaViva {
            codice_fiscale: minore(n),
            stato: "PRESENTATA".to_owned(),
            subentrata: false,
        };
        Registrazione::SchedaViva(vec![(posto, viva)])
    };
    assert_eq!(esiti[3], viva(2, 11));
    assert_eq!(ripetuta(&esiti[4]).protocollo.numero(), 1);
    assert_eq!(esiti[5], viva(1, 1));
    assert_eq!(protocollo(&esiti[6]), "INPS-AUF-2021-000000000003");
    assert_eq!(esiti[7], viva(2, 20));
    assert_eq!(protocollo(&esiti[8]), "INPS-AUF-2021-000000000004");
    banco.all_is_well(4).await;
}

#[tokio::test]
async fn a_sheet_that_is_no_longer_live_leaves_its_child_free() {
    let banco = Banco::new().await;
    banco.one(atto("a", 1, &[1, 2]), LUGLIO).await;
    let vive = banco
        .store
        .schede_vive(PRESTAZIONE.servizio, &[minore(1), minore(3)])
        .await
        .unwrap();
    assert_eq!(
        vive.iter().map(|viva| &viva.codice_fiscale).collect::<Vec<_>>(),
        [&minore(1)]
    );

    let mut motore = banco.raw().await;
    sqlx::query("UPDATE schede SET stato = 'RESPINTA' WHERE numero_domanda = 1 AND posto = 1")
        .execute(&mut motore)
        .await
        .unwrap();
    assert_eq!(
        protocollo(&banco.one(atto("b", 2, &[1]), LUGLIO).await),
        "INPS-AUF-2021-000000000002"
    );
    // The database itself holds it, whoever writes.
    let errore = sqlx::query("UPDATE schede SET stato = 'ACCOLTA' WHERE numero_domanda = 1 AND posto = 1")
        .execute(&mut motore)
        .await
        .unwrap_err();
    assert!(
        errore
            .to_string()
            .contains("UNIQUE constraint failed: schede.servizio, schede.codice_fiscale")
    );
    let Registrazione::SchedaViva(vive) = banco.one(atto("c", 3, &[9, 2]), LUGLIO).await else {
        panic!("child 2 is live");
    };
    assert_eq!((vive.len(), vive[0].0), (1, 2));
}

/// The same act with its sheets asked for by the child itself.
fn per_se(mut atto: Atto) -> Atto {
    for scheda in &mut atto.fascicolo.schede {
        scheda.subentra = true;
    }
    atto
}

#[tokio::test]
async fn who_asks_for_itself_takes_the_place_of_the_sheet_that_another_asked_for() {
    let banco = Banco::new().await;
    let genitore = atto("genitore", 1, &[1, 2]);
    let figlio = per_se(atto("figlio", 2, &[1]));
    // The parent's first, then all of one batch: the second child replaces a sheet that is not written yet.
    banco.one(genitore, LUGLIO).await;
    let esiti = banco
        .register(
            &[
                figlio,
                atto("altro", 3, &[3]),
                per_se(atto("terzo", 4, &[3])),
                // Nothing takes the place of what a child asked for itself: neither itself again nor a parent.
                per_se(atto("ancora", 5, &[1])),
                atto("tardi", 6, &[3]),
            ],
            LUGLIO,
        )
        .await;
    for (esito, atteso) in esiti.iter().zip(2..=4) {
        assert_eq!(registrata(esito).protocollo.numero(), atteso);
    }
    for (esito, n) in esiti[3..].iter().zip([1, 3]) {
        let viva = varco::domanda::SchedaViva {
            codice_fiscale: minore(n),
            stato: "PRESENTATA".to_owned(),
            subentrata: true,
        };
        assert_eq!(*esito, Registrazione::SchedaViva(vec![(1, viva)]));
    }
    let mut motore = banco.raw().await;
    let schede: Vec<(i64, String, i64)> = sqlx::query_as(
        "SELECT numero_domanda, stato, subentra FROM motore_schede_v1 ORDER BY numero_domanda, posto",
    )
    .fetch_all(&mut motore)
    .await
    .unwrap();
    let attese = [
        (1, "SOSTITUITA", 0),
        (1, "PRESENTATA", 0),
        (2, "PRESENTATA", 1),
        (3, "SOSTITUITA", 0),
        (4, "PRESENTATA", 1),
    ];
    assert_eq!(
        schede,
        attese.map(|(numero, stato, subentra)| (numero, stato.to_owned(), subentra))
    );
    // The feed tells it to the patronato whose sheet it was, with the registration that is the cause.
    let variazioni: Vec<(i64, i64, String, i64)> = sqlx::query_as(
        "SELECT v.numero_domanda, v.posto, v.stato, r.numero_domanda
         FROM variazioni v JOIN registrazioni r ON r.id = v.registrazione
         WHERE v.tipo = 'STATO' ORDER BY v.cursore",
    )
    .fetch_all(&mut motore)
    .await
    .unwrap();
    assert_eq!(
        variazioni,
        [
            (1, 1, "SOSTITUITA".to_owned(), 2),
            (3, 1, "SOSTITUITA".to_owned(), 4)
        ]
    );
    banco.all_is_well(4).await;
}

#[tokio::test]
async fn what_only_one_prestazione_knows_is_read_by_the_engine() {
    let banco = Banco::new().await;
    let mut con_dettagli = atto("a", 1, &[1, 2]);
    let fascicolo = &mut con_dettagli.fascicolo;
    fascicolo.dettagli = Dettagli::default().with("anno_competenza", 2022);
    fascicolo.schede[0].dettagli = Dettagli::default().with("disabilita", "GRAVE");
    fascicolo.schede[0].pagamento_altro_genitore = Some(PagamentoAltroGenitore {
        modalita: "IBAN",
        iban: Some("IT60X0542811101000000123456".parse().unwrap()),
    });
    banco.one(con_dettagli, LUGLIO).await;
    let mut motore = banco.raw().await;
    let anno: i64 = sqlx::query_scalar("SELECT dettagli ->> 'anno_competenza' FROM motore_domande_v1")
        .fetch_one(&mut motore)
        .await
        .unwrap();
    assert_eq!(anno, 2022);
    let schede: Vec<(Option<String>, Option<String>, Option<String>)> = sqlx::query_as(
        "SELECT dettagli, pagamento_altro_genitore_modalita, pagamento_altro_genitore_iban
         FROM motore_schede_v1 ORDER BY posto",
    )
    .fetch_all(&mut motore)
    .await
    .unwrap();
    let piena = [r#"{"disabilita":"GRAVE"}"#, "IBAN", "IT60X0542811101000000123456"];
    let [primo, secondo, terzo] = piena.map(|testo| Some(testo.to_owned()));
    assert_eq!(schede, [(primo, secondo, terzo), (None, None, None)]);
}

// ── Time ──

#[tokio::test]
async fn the_year_turns_at_midnight_in_rome() {
    let banco = Banco::new().await;
    banco.one(atto("a", 1, &[1]), "2021-12-31T10:00:00Z").await;
    let prima = banco.one(atto("b", 1, &[2]), "2021-12-31T22:59:59.999Z").await;
    let dopo = banco.one(atto("c", 1, &[3]), "2021-12-31T23:00:00Z").await;
    assert_eq!(protocollo(&prima), "INPS-AUF-2021-000000000002");
    assert_eq!(protocollo(&dopo), "INPS-AUF-2022-000000000001");
    // The domanda's own number goes on.
    assert_eq!(registrata(&dopo).numero_domanda.0, 3);
    // A clock that goes back over the year's turn does not take the register with it.
    let indietro = banco.one(atto("d", 1, &[4]), "2021-12-31T22:00:00Z").await;
    assert_eq!(protocollo(&indietro), "INPS-AUF-2022-000000000002");
    banco.all_is_well(4).await;
}

#[tokio::test]
async fn a_clock_that_goes_back_and_a_closed_day_hold_the_instant() {
    let banco = Banco::new().await;
    banco.one(atto("a", 1, &[1]), "2021-07-02T08:00:00Z").await;
    banco.one(atto("b", 1, &[2]), "2021-07-01T08:00:00Z").await;
    let mut chiusura = banco.raw().await;
    sqlx::query("UPDATE registro SET chiuso_fino_a = unixepoch('2021-07-03T22:00:00Z') * 1000")
        .execute(&mut chiusura)
        .await
        .unwrap();
    banco.one(atto("c", 1, &[3]), "2021-07-03T12:00:00Z").await;
    let istanti: Vec<_> = banco
        .store
        .registro(None, 10)
        .await
        .unwrap()
        .iter()
        .map(|riga| riga.registrata_il.to_string())
        .collect();
    assert_eq!(
        istanti,
        [
            "2021-07-02T08:00:00Z",
            "2021-07-02T08:00:00Z",
            "2021-07-03T22:00:00Z"
        ]
    );
    banco.all_is_well(3).await;
}

#[tokio::test]
async fn the_business_clock_runs_on_from_where_it_was_set() {
    let cartella = tempfile::tempdir().unwrap();
    let path = cartella.path().join("store.db");
    let open = async |inizio: Option<&str>, adesso: &str| {
        let options = OpenOptions {
            orologio_inizio: inizio.map(istante),
            adesso: istante(adesso),
            ..options()
        };
        let (store, offset) = SqliteStore::open(&path, &options).await.unwrap();
        store.close().await;
        offset
    };
    let giorni = |giorni: i64| SignedDuration::from_hours(24 * giorni);
    assert_eq!(open(None, "2026-01-11T00:00:00Z").await, giorni(0));
    assert_eq!(
        open(Some("2026-01-01T00:00:00Z"), "2026-01-11T00:00:00Z").await,
        giorni(-10)
    );
    // Ten days later the same start is not a new one.
    assert_eq!(
        open(Some("2026-01-01T00:00:00Z"), "2026-01-21T00:00:00Z").await,
        giorni(-10)
    );
    assert_eq!(open(None, "2026-01-21T00:00:00Z").await, giorni(-10));
    assert_eq!(
        open(Some("2026-01-22T00:00:00Z"), "2026-01-21T00:00:00Z").await,
        giorni(1)
    );

    let produzione = OpenOptions {
        orologio_inizio: Some(istante(LUGLIO)),
        create: true,
        ..OpenOptions::new(Ambiente::Produzione, istante(LUGLIO))
    };
    let url = StoreUrl::Sqlite(cartella.path().join("produzione.db"));
    let errore = varco::store::open(&url, &produzione).await.unwrap_err();
    assert!(errore.to_string().contains("orologio.inizio"), "{errore}");
}

// ── What the database itself refuses ──

#[tokio::test]
async fn a_registration_cannot_be_changed_deleted_or_replaced() {
    let banco = Banco::new().await;
    banco.one(atto("a", 1, &[1]), LUGLIO).await;
    let mut raw = banco.raw().await;
    for (sql, causa) in [
        (
            "UPDATE registrazioni SET oggetto = 'altro'",
            "una registrazione non si modifica",
        ),
        ("DELETE FROM registrazioni", "una registrazione non si cancella"),
        (
            "INSERT OR REPLACE INTO registrazioni SELECT * FROM registrazioni",
            "gia registrati",
        ),
        (
            "UPDATE ricevute SET bytes = x'00'",
            "una ricevuta non si modifica",
        ),
        ("DELETE FROM ricevute", "una ricevuta non si cancella"),
        (
            "INSERT OR REPLACE INTO ricevute SELECT * FROM ricevute",
            "una ricevuta non si sostituisce",
        ),
        (
            "UPDATE registro SET ultimo = 0",
            "il contatore non torna indietro",
        ),
        ("DELETE FROM registro", "il contatore non si cancella"),
        (
            "UPDATE contatori SET ultimo = 0",
            "un contatore non torna indietro",
        ),
        ("UPDATE motore_domande_v1 SET ente = 'x'", "because it is a view"),
    ] {
        let errore = sqlx::query(sql).execute(&mut raw).await.unwrap_err().to_string();
        assert!(errore.contains(causa), "{sql}: {errore}");
    }
    // The payload may go when its time is over; receipt and registration stay.
    sqlx::query("DELETE FROM payload")
        .execute(&mut raw)
        .await
        .unwrap();
    ripetuta(&banco.one(atto("a", 1, &[1]), LUGLIO).await);
    banco.all_is_well(1).await;
}

#[tokio::test]
async fn an_annulment_stands_beside_the_registration() {
    let banco = Banco::new().await;
    banco.one(atto("a", 1, &[1]), LUGLIO).await;
    let mut raw = banco.raw().await;
    sqlx::query(
        "INSERT INTO annullamenti (registrazione, annullata_il, operatore, motivo, provvedimento_numero, provvedimento_data)
         VALUES (1, 0, 'protocollo', 'prova', '12', '2021-07-02')",
    )
    .execute(&mut raw)
    .await
    .unwrap();
    let ancora = banco.one(atto("a", 1, &[1]), LUGLIO).await;
    assert!(ripetuta(&ancora).annullata);
    let errore = sqlx::query("DELETE FROM annullamenti")
        .execute(&mut raw)
        .await
        .unwrap_err();
    assert!(errore.to_string().contains("un annullamento non si cancella"));
}

#[tokio::test]
async fn a_tampered_register_is_found_and_not_written_to() {
    let banco = Banco::new().await;
    for n in 1..=3 {
        banco.one(atto(&format!("k{n}"), 1, &[n]), LUGLIO).await;
    }
    let mut raw = banco.raw().await;
    // Whoever owns the file can take the guards away; the look over the register still sees it.
    for sql in [
        "PRAGMA foreign_keys = OFF",
        "DROP TRIGGER registrazioni_non_si_cancellano",
        "DELETE FROM registrazioni WHERE numero = 2",
        "UPDATE registro SET ultimo = 5",
    ] {
        sqlx::query(sql).execute(&mut raw).await.unwrap();
    }
    let verifica = banco.store.verify().await.unwrap();
    assert_eq!(
        verifica.anomalie,
        [
            "register AUF: the counter stands at 2021/5, the last registration at 2021/3",
            "register AUF of 2021: 2 is missing, the next number is 3",
        ]
    );
    // Opened again it can be read, but draws no number.
    banco.store.close().await;
    let (store, _) = SqliteStore::open(&banco.path(), &options()).await.unwrap();
    assert!(store.registrata(&chiave("k1")).await.unwrap().is_some());
    let errore = store
        .register(&[atto("k4", 1, &[4])], istante(LUGLIO))
        .await
        .unwrap_err();
    assert_eq!(
        errore.to_string(),
        "store refused: register AUF of 2021: the counter says 5, the highest number is 3, registrations are 2; \
         no number is drawn until this is cleared up (`varco register verify`)"
    );
    assert_eq!(errore.codice(), Codice::Sto003);
    assert!(store.ping().await.is_err());
}

// ── Opening ──

#[tokio::test]
async fn a_file_that_is_not_this_store_is_refused_with_its_cause() {
    let banco = Banco::new().await;
    let cartella = banco.cartella.path();
    let refuse = async |path: &Path, options: OpenOptions| match SqliteStore::open(path, &options).await {
        Err(StoreError::Refused(causa)) => causa.replace(&cartella.display().to_string(), "DIR"),
        altro => panic!("{altro:?}"),
    };
    let sandbox = OpenOptions {
        ambiente: Ambiente::Sandbox,
        ..options()
    };
    assert_eq!(
        refuse(&banco.path(), sandbox).await,
        "DIR/store.db: it belongs to ambiente collaudo, but sandbox is configured; each ambiente has its own store"
    );

    let mut raw_store = banco.raw().await;
    sqlx::query("INSERT INTO _sqlx_migrations SELECT 9999, description, installed_on, success, checksum, execution_time FROM _sqlx_migrations LIMIT 1")
        .execute(&mut raw_store)
        .await
        .unwrap();
    let causa = refuse(&banco.path(), options()).await;
    assert!(
        causa.starts_with("DIR/store.db: its schema is version 9999, and this varco knows "),
        "{causa}"
    );

    let altro = cartella.join("altro.db");
    let mut di_altri = SqliteConnection::connect_with(
        &SqliteConnectOptions::new()
            .filename(&altro)
            .create_if_missing(true),
    )
    .await
    .unwrap();
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
    let banco = Banco::new().await;
    let mut raw = banco.raw().await;
    for (pragma, atteso) in [("auto_vacuum", 2), ("application_id", 0x5641_5243)] {
        let valore: i64 = sqlx::query_scalar(AssertSqlSafe(format!("PRAGMA {pragma}")))
            .fetch_one(&mut raw)
            .await
            .unwrap();
        assert_eq!(valore, atteso, "{pragma}");
    }
    // A file whose space cannot be given back is not one that we laid down.
    let altro = banco.cartella.path().join("senza.db");
    let mut senza = SqliteConnection::connect_with(
        &SqliteConnectOptions::new()
            .filename(&altro)
            .create_if_missing(true),
    )
    .await
    .unwrap();
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

// ── Trouble ──

#[tokio::test]
async fn a_full_store_says_so_and_recovers_without_a_restart() {
    let banco = Banco::new().await;
    banco.one(atto("a", 1, &[1]), LUGLIO).await;
    let pagine: u32 = sqlx::query_scalar("PRAGMA page_count")
        .fetch_one(&mut banco.raw().await)
        .await
        .unwrap();
    banco.store.limit_pages(pagine + 2).await.unwrap();
    let mut grande = atto("grande", 1, &[2]);
    grande.richiesta = Bytes::from(
        (0..400_000_u32)
            .flat_map(|n| n.wrapping_mul(2_654_435_761).to_le_bytes())
            .collect::<Vec<u8>>(),
    );
    let errore = banco
        .store
        .register(&[atto("b", 1, &[3]), grande.clone()], istante(LUGLIO))
        .await
        .unwrap_err();
    assert!(matches!(errore, StoreError::Full(_)), "{errore}");
    assert_eq!(errore.codice(), Codice::Sto002);
    // Nothing half done; what was registered is still told.
    assert_eq!(banco.store.registrata(&chiave("b")).await.unwrap(), None);
    ripetuta(&banco.one(atto("a", 1, &[1]), LUGLIO).await);
    banco.all_is_well(1).await;

    banco.store.limit_pages(0).await.unwrap();
    let esiti = banco.register(&[atto("b", 1, &[3]), grande], LUGLIO).await;
    assert_eq!(protocollo(&esiti[1]), "INPS-AUF-2021-000000000003");
    banco.all_is_well(3).await;
}

#[tokio::test]
async fn a_commit_that_fails_leaves_nothing_and_the_next_one_goes_on() {
    let banco = Banco::new().await;
    banco.one(atto("a", 1, &[1]), LUGLIO).await;
    let mut raw = banco.raw().await;
    // A constraint that is looked at by COMMIT alone.
    for sql in [
        "CREATE TABLE guaio (x TEXT REFERENCES registro (registro) DEFERRABLE INITIALLY DEFERRED)",
        "CREATE TRIGGER guaio_al_commit AFTER INSERT ON variazioni BEGIN INSERT INTO guaio VALUES ('nessuno'); END",
    ] {
        sqlx::query(sql).execute(&mut raw).await.unwrap();
    }
    banco
        .store
        .register(&[atto("b", 1, &[2])], istante(LUGLIO))
        .await
        .unwrap_err();
    assert_eq!(banco.store.registrata(&chiave("b")).await.unwrap(), None);
    sqlx::query("DROP TRIGGER guaio_al_commit")
        .execute(&mut raw)
        .await
        .unwrap();
    assert_eq!(
        protocollo(&banco.one(atto("b", 1, &[2]), LUGLIO).await),
        "INPS-AUF-2021-000000000002"
    );
    banco.all_is_well(2).await;
}

#[tokio::test]
async fn a_reader_that_stays_holds_nobody_up() {
    let banco = Banco::new().await;
    banco.one(atto("a", 1, &[1]), LUGLIO).await;
    let mut lettore = banco.raw().await;
    let mut lettura = lettore.begin().await.unwrap();
    let quante: i64 = sqlx::query_scalar("SELECT count(*) FROM registrazioni")
        .fetch_one(&mut *lettura)
        .await
        .unwrap();
    // The reader sees what it saw, the register goes on, and upkeep waits for nobody.
    banco.one(atto("b", 1, &[2]), LUGLIO).await;
    banco.store.tidy().await.unwrap();
    let ancora: i64 = sqlx::query_scalar("SELECT count(*) FROM registrazioni")
        .fetch_one(&mut *lettura)
        .await
        .unwrap();
    assert_eq!((quante, ancora), (1, 1));
    lettura.rollback().await.unwrap();
    banco.all_is_well(2).await;
}

#[tokio::test]
async fn one_act_that_the_store_cannot_hold_does_not_take_the_others_with_it() {
    let banco = Banco::new().await;
    let mut raw = banco.raw().await;
    sqlx::query(
        "CREATE TRIGGER guasto BEFORE INSERT ON domande WHEN NEW.mandato_numero = 'GUASTO'
         BEGIN SELECT RAISE(ABORT, 'guasto'); END",
    )
    .execute(&mut raw)
    .await
    .unwrap();
    let clock: Arc<dyn Clock> = Arc::new(HandClock::at(istante(LUGLIO)));
    let writer = Writer::spawn(banco.store.clone(), clock, WriterConfig::default());
    let mut guasto = atto("guasto", 1, &[2]);
    guasto.fascicolo.mandato_numero = "GUASTO".to_owned();
    let (a, b, c) = tokio::join!(
        writer.register(atto("a", 1, &[1])),
        writer.register(guasto),
        writer.register(atto("c", 1, &[3])),
    );
    assert_eq!(b.unwrap_err().codice(), Codice::Sys001);
    let numeri = BTreeSet::from([a, c].map(|esito| protocollo(&esito.unwrap())));
    assert_eq!(numeri.len(), 2);
    banco.all_is_well(2).await;
}

#[tokio::test]
async fn work_that_is_dropped_midway_is_there_whole_or_not_at_all() {
    let banco = Banco::new().await;
    for giro in 0..60_u64 {
        let store = Arc::clone(&banco.store);
        let atti: Vec<_> = (0..4)
            .map(|n| atto(&format!("g{giro}-{n}"), 1, &[giro * 4 + n]))
            .collect();
        let lavoro = tokio::spawn(async move { store.register(&atti, istante(LUGLIO)).await });
        tokio::time::sleep(Duration::from_micros(giro * 300)).await;
        lavoro.abort();
        let _ = lavoro.await;
    }
    let verifica = banco.store.verify().await.unwrap();
    assert_eq!(verifica.anomalie, Vec::<String>::new());
    assert_eq!(verifica.registrazioni % 4, 0, "a batch is whole or not at all");
    // Whatever became of the first attempt, every retry gets its one number.
    let mut numeri = BTreeSet::new();
    for n in 0..240_u64 {
        let (giro, n) = (n / 4, n % 4);
        let esito = banco
            .one(atto(&format!("g{giro}-{n}"), 1, &[giro * 4 + n]), LUGLIO)
            .await;
        let (Registrazione::Registrata(registrata) | Registrazione::Ripetuta(registrata)) = esito else {
            panic!("{esito:?}");
        };
        numeri.insert(registrata.protocollo.numero());
    }
    assert_eq!(numeri, (1..=240).collect());
    banco.all_is_well(240).await;
}

#[tokio::test]
async fn a_store_that_vanishes_without_a_word_is_found_whole() {
    let banco = Banco::new().await;
    let numeri: Vec<_> = banco
        .register(&[atto("a", 1, &[1]), atto("b", 1, &[2])], LUGLIO)
        .await
        .iter()
        .map(protocollo)
        .collect();
    // What a kill leaves: file and log as they are, copied under the running store.
    let altrove = tempfile::tempdir().unwrap();
    for nome in ["store.db", "store.db-wal"] {
        std::fs::copy(banco.cartella.path().join(nome), altrove.path().join(nome)).unwrap();
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

// ── The writer ──

#[tokio::test]
async fn a_caller_that_hangs_up_cancels_nothing() {
    let banco = Banco::new().await;
    let clock: Arc<dyn Clock> = Arc::new(HandClock::at(istante(LUGLIO)));
    let writer = Writer::spawn(banco.store.clone(), clock, WriterConfig::default());
    let attesa = {
        let writer = writer.clone();
        tokio::spawn(async move { writer.register(atto("a", 1, &[1])).await })
    };
    while writer.coda() == 0 && writer.ultimo_lotto() == 0 {
        tokio::task::yield_now().await;
    }
    attesa.abort();
    writer.close().await;
    assert!(banco.store.registrata(&chiave("a")).await.unwrap().is_some());
    assert!(matches!(
        writer.register(atto("b", 1, &[2])).await,
        Err(StoreError::Unavailable(_))
    ));
}

#[tokio::test]
async fn a_full_queue_is_told_at_once_and_closing_works_off_what_waits() {
    let banco = Banco::new().await;
    let clock: Arc<dyn Clock> = Arc::new(HandClock::at(istante(LUGLIO)));
    let config = WriterConfig {
        coda: 8,
        ..WriterConfig::default()
    };
    let writer = Writer::spawn(banco.store.clone(), clock, config);
    let attese: Vec<_> = (0..20_u64)
        .map(|n| {
            let writer = writer.clone();
            Box::pin(async move { writer.register(atto(&format!("k{n}"), 1, &[n])).await })
        })
        .collect();
    // Polled in one go, before the writer has its turn: eight find a place.
    let tutte = futures_util::future::join_all(attese);
    let chiudi = async {
        tokio::task::yield_now().await;
        writer.close().await;
    };
    let (esiti, ()) = tokio::join!(tutte, chiudi);
    let (presi, rifiutati): (Vec<_>, Vec<_>) = esiti.into_iter().partition(Result::is_ok);
    assert_eq!((presi.len(), rifiutati.len()), (8, 12));
    for rifiutato in rifiutati {
        assert!(matches!(rifiutato, Err(StoreError::Full(_))));
    }
    assert_eq!(writer.ultimo_lotto(), 8);
    banco.all_is_well(8).await;
}

// ── Looking up ──

#[tokio::test]
async fn a_domanda_is_found_by_each_of_its_names_and_only_by_its_ente() {
    let banco = Banco::new().await;
    banco.one(atto("a", 1, &[1]), LUGLIO).await;
    let esito = banco.one(atto("b", 7, &[2, 3]), LUGLIO).await;
    let registrata = registrata(&esito);
    let pat01: CodiceEnte = "PAT01".parse().unwrap();
    for riferimento in [
        Riferimento::Protocollo(registrata.protocollo.clone()),
        Riferimento::NumeroDomanda(registrata.numero_domanda),
        Riferimento::ChiaveInvio(registrata.chiave.clone()),
        Riferimento::Impronta([7; 32]),
    ] {
        let domanda = banco
            .store
            .domanda(&pat01, PRESTAZIONE.servizio, &riferimento)
            .await
            .unwrap()
            .unwrap();
        assert_eq!(&domanda.registrata, registrata);
        assert_eq!(domanda.registrata_il, istante(LUGLIO));
        let schede: Vec<_> = domanda
            .schede
            .iter()
            .map(|scheda| {
                (
                    scheda.posto,
                    scheda.stato.as_str(),
                    scheda.azione_richiesta.as_str(),
                )
            })
            .collect();
        assert_eq!(
            schede,
            [(1, "PRESENTATA", "NESSUNA"), (2, "PRESENTATA", "NESSUNA")]
        );
        assert_eq!(
            domanda.schede[1].decorrenza_presunta,
            Some(Mese { anno: 2021, mese: 7 })
        );
        let pat02 = "PAT02".parse().unwrap();
        let altrui = banco
            .store
            .domanda(&pat02, PRESTAZIONE.servizio, &riferimento)
            .await
            .unwrap();
        assert_eq!(altrui, None);
    }
}

#[tokio::test]
async fn another_process_reads_the_views_field_by_field() {
    let banco = Banco::new().await;
    banco.one(atto("a", 1, &[1, 2]), LUGLIO).await;
    let mut motore = banco.raw().await;
    let riga = sqlx::query("SELECT * FROM motore_domande_v1")
        .fetch_one(&mut motore)
        .await
        .unwrap();
    for (colonna, atteso) in [
        ("protocollo", "INPS-AUF-2021-000000000001"),
        ("servizio", "AssegnoTemporaneo"),
        ("presentata_il", "2021-07-01T07:59:59.123Z"),
        ("registrata_il", "2021-07-01T08:00:00.000Z"),
        ("ente", "PAT01"),
        ("ufficio", "001"),
        ("operatore", "op.uno"),
        ("chiave_invio", "a"),
        ("richiedente_codice_fiscale", "RSSMRA80A01H501U"),
        ("richiedente_nome", "MARIO"),
        ("richiedente_cognome", "ROSSI"),
        ("pagamento_modalita", "BD"),
        ("oggetto", "Assegno Temporaneo - domanda n. 1"),
        ("data_pratica", "2021-06-30"),
    ] {
        assert_eq!(riga.get::<String, _>(colonna), atteso, "{colonna}");
    }
    assert_eq!(riga.get::<i64, _>("numero_domanda"), 1);
    assert_eq!(riga.get::<i64, _>("numero_schede"), 2);
    assert_eq!(riga.get::<Option<String>, _>("pagamento_iban"), None);
    assert!(!riga.get::<bool, _>("annullata"));
    let schede = sqlx::query("SELECT * FROM motore_schede_v1 ORDER BY posto")
        .fetch_all(&mut motore)
        .await
        .unwrap();
    assert_eq!(schede.len(), 2);
    for (colonna, atteso) in [
        ("codice_fiscale", minore(2).as_str()),
        ("qualita", "GENITORE"),
        ("altro_genitore", "VRDLGU82B52F205E"),
        ("ripartizione", "META_ENTRAMBI"),
        ("stato", "PRESENTATA"),
        ("stato_dal", "2021-07-01T08:00:00.000Z"),
        ("decorrenza_presunta", "2021-07"),
    ] {
        assert_eq!(schede[1].get::<String, _>(colonna), atteso, "{colonna}");
    }
    let feed: (i64, String, i64) = sqlx::query_as("SELECT cursore, tipo, numero_domanda FROM variazioni")
        .fetch_one(&mut motore)
        .await
        .unwrap();
    assert_eq!(feed, (1, "REGISTRATA".to_owned(), 1));
    let quante: (i64, i64) = sqlx::query_as(
        "SELECT (SELECT count(*) FROM motore_dichiarazioni_v1), (SELECT count(*) FROM motore_allegati_v1)",
    )
    .fetch_one(&mut motore)
    .await
    .unwrap();
    assert_eq!(quante, (8, 1));
}

// ── The trace ──

#[tokio::test]
async fn a_registered_message_has_its_trace_with_the_bytes_of_the_registration() {
    let banco = Banco::new().await;
    let invio = atto("a", 1, &[1]);
    let (richiesta, message_id) = (invio.richiesta.clone(), invio.traccia.message_id);
    let esito = banco.one(invio, LUGLIO).await;
    let ricerca = Ricerca {
        protocollo: Some(protocollo(&esito)),
        ..Ricerca::default()
    };
    let tracce = banco.store.tracce(&ricerca).await.unwrap();
    assert_eq!(tracce.len(), 1);
    let trovata = &tracce[0];
    assert_eq!(
        (trovata.message_id, trovata.esito.as_str()),
        (message_id, "REGISTRATA")
    );
    assert_eq!(trovata.numero_domanda, Some(1));
    assert_eq!(trovata.tempi_us, [("busta", 12), ("lettura", 345)]);
    assert_eq!(trovata.richiesta.as_ref(), Some(&richiesta));
    assert_eq!(trovata.risposta.as_ref(), Some(&registrata(&esito).ricevuta));
    let per_chiave = Ricerca {
        chiave_invio: Some("a".to_owned()),
        ..Ricerca::default()
    };
    assert_eq!(banco.store.tracce(&per_chiave).await.unwrap(), tracce);
    let elenco = Ricerca {
        senza_byte: true,
        ..ricerca
    };
    assert_eq!(banco.store.tracce(&elenco).await.unwrap()[0].richiesta, None);
}

#[tokio::test]
async fn traces_are_found_by_any_of_their_names_newest_first() {
    let banco = Banco::new().await;
    let mut rifiutata = traccia("r");
    rifiutata.ricevuto_il = istante("2021-07-02T00:00:00Z");
    rifiutata.esito = "FAULT".to_owned();
    rifiutata.codice = Some("XSD-001".to_owned());
    rifiutata.codici = vec!["XSD-001".to_owned(), "XSD-004".to_owned()];
    rifiutata.id_transazione = Some("gw-1".to_owned());
    rifiutata.indirizzo = Some("192.0.2.7".parse().unwrap());
    rifiutata.note = vec!["identity: attributi".to_owned()];
    rifiutata.http_status = 500;
    rifiutata.richiesta = Some(Bytes::from("<a/>".repeat(1000)));
    rifiutata.risposta = Some(Bytes::from_static(b"<Fault/>"));
    let mut eco = traccia("e");
    eco.operazione = Some("echo".to_owned());
    banco
        .store
        .write_tracce(&[rifiutata.clone(), eco.clone()])
        .await
        .unwrap();
    // Written twice (a commit whose answer was lost), there once.
    banco.store.write_tracce(&[rifiutata.clone()]).await.unwrap();

    let find = async |ricerca: Ricerca| banco.store.tracce(&ricerca).await.unwrap();
    assert_eq!(find(Ricerca::default()).await, [rifiutata.clone(), eco.clone()]);
    for ricerca in [
        Ricerca {
            codice: Some("XSD-004".to_owned()),
            ..Ricerca::default()
        },
        Ricerca {
            id_mittente: Some("gw-1".to_owned()),
            ..Ricerca::default()
        },
        Ricerca {
            esito: Some("FAULT".to_owned()),
            ..Ricerca::default()
        },
        Ricerca {
            message_id: Some(rifiutata.message_id),
            ..Ricerca::default()
        },
        Ricerca {
            chiave_invio: Some("r".to_owned()),
            ente: Some("PAT01".to_owned()),
            ..Ricerca::default()
        },
        Ricerca {
            dal: Some(istante("2021-07-02T00:00:00Z")),
            ..Ricerca::default()
        },
        Ricerca {
            limite: 1,
            ..Ricerca::default()
        },
    ] {
        assert_eq!(find(ricerca.clone()).await, [rifiutata.clone()], "{ricerca:?}");
    }
    let prima = Ricerca {
        al: Some(istante("2021-07-02T00:00:00Z")),
        ..Ricerca::default()
    };
    assert_eq!(find(prima).await, [eco]);
    let nessuna = Ricerca {
        ente: Some("PAT02".to_owned()),
        ..Ricerca::default()
    };
    assert_eq!(find(nessuna).await, []);
}

#[tokio::test]
async fn a_trace_is_closed_whatever_happens_and_written_once() {
    let banco = Banco::new().await;
    let store: SharedStore = banco.store.clone();
    let config = TraceConfig {
        coda: 3,
        ..TraceConfig::default()
    };
    let tracciati = Tracciati::spawn(store, config);
    let mut risposta = tracciati.begin(traccia("a")).unwrap();
    let interrotta = tracciati.begin(traccia("b")).unwrap();
    let registrata = tracciati.begin(traccia("c")).unwrap();
    assert!(
        tracciati.begin(traccia("d")).is_err(),
        "a full queue is known at the door"
    );
    assert_eq!(tracciati.coda(), 3);

    "RIFIUTATA".clone_into(&mut risposta.esito);
    risposta.close();
    drop(interrotta);
    banco.one(atto("c", 1, &[1]), LUGLIO).await;
    registrata.registered();
    tracciati.close().await;

    let mut esiti: Vec<_> = banco
        .store
        .tracce(&Ricerca::default())
        .await
        .unwrap()
        .into_iter()
        .map(|traccia| (traccia.chiave_invio.unwrap(), traccia.esito))
        .collect();
    esiti.sort();
    let attesi = [("a", "RIFIUTATA"), ("b", "INTERROTTA"), ("c", "REGISTRATA")];
    assert_eq!(
        esiti,
        attesi.map(|(chiave, esito)| (chiave.to_owned(), esito.to_owned()))
    );
}

#[tokio::test]
async fn what_was_registered_speaks_last_of_a_message_whose_sender_hung_up() {
    let banco = Banco::new().await;
    let mut interrotta = traccia("a");
    interrotta.esito = "INTERROTTA".to_owned();
    banco.store.write_tracce(&[interrotta.clone()]).await.unwrap();
    banco.one(atto("a", 1, &[1]), LUGLIO).await;
    banco.store.write_tracce(&[interrotta]).await.unwrap();
    let trovate = banco.store.tracce(&Ricerca::default()).await.unwrap();
    assert_eq!(
        trovate
            .iter()
            .map(|traccia| traccia.esito.as_str())
            .collect::<Vec<_>>(),
        ["REGISTRATA"]
    );
}

#[tokio::test]
async fn the_door_log_is_kept_newest_first() {
    let banco = Banco::new().await;
    let tracciati = Tracciati::spawn(banco.store.clone(), TraceConfig::default());
    let rifiuto = |giorno: &str, codice: &str| RifiutoAllaPorta {
        istante: istante(giorno),
        indirizzo: Some("2001:db8::1".parse().unwrap()),
        soggetto: Some("CN=pat01".to_owned()),
        seriale: None,
        sni: None,
        codice: codice.to_owned(),
        causa: "certificato revocato".to_owned(),
        rimedio: "chiedere un certificato nuovo".to_owned(),
    };
    let (uno, due) = (
        rifiuto("2021-07-01T00:00:00Z", "TLS-001"),
        rifiuto("2021-07-02T00:00:00Z", "TLS-002"),
    );
    tracciati.porta(uno.clone());
    tracciati.porta(due.clone());
    tracciati.close().await;
    assert_eq!(tracciati.persi(), 0);
    assert_eq!(banco.store.porta(None, 10).await.unwrap(), [due.clone(), uno]);
    let dal = Some(istante("2021-07-02T00:00:00Z"));
    assert_eq!(banco.store.porta(dal, 10).await.unwrap(), [due]);
}

#[tokio::test]
async fn upkeep_folds_the_log_into_the_file() {
    let banco = Banco::new().await;
    banco.one(atto("a", 1, &[1]), LUGLIO).await;
    let log = || {
        std::fs::metadata(banco.cartella.path().join("store.db-wal"))
            .unwrap()
            .len()
    };
    assert!(log() > 0);
    banco.store.tidy().await.unwrap();
    assert_eq!(log(), 0);
    banco.one(atto("b", 1, &[2]), LUGLIO).await;
    banco.all_is_well(2).await;
}
