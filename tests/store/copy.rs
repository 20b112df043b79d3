//! Moving an embedded store to PostgreSQL: all of it, with the next number, or nothing; and never two stores that draw
//! numbers, wherever the move is stopped.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use bytes::Bytes;
use jiff::SignedDuration;
use tempfile::TempDir;
use uuid::Uuid;
use varco::cli::cluster::{Cluster, Opzioni};
use varco::domanda::{Ambiente, Dettagli, PagamentoAltroGenitore};
use varco::prestazione::assegno_temporaneo::PRESTAZIONE;
use varco::store::copy::{Copia, CopyOptions, Esito, Passo, copy};
use varco::store::egov::RicercaScambi;
use varco::store::{
    self, OpenOptions, PostgresUrl, Registrazione, Ricerca, SharedStore, StoreError, StoreUrl,
};
use varco::trace::RifiutoAllaPorta;

use crate::atti::{
    LUGLIO, atto, chiave, fascicolo, istante, minore, options, protocollo, registrata, ripetuta, traccia,
};
use crate::banco::Raw;
use crate::egov::letto;
use crate::lotti;
use crate::postgres_comune::{binaries, cluster, fresh_name};

/// When the moves of these tests happen.
const TRASLOCO: &str = "2022-03-01T00:00:00Z";

/// A move: an embedded store with something in it, and an empty database.
struct Trasloco {
    _cartella: TempDir,
    da: PathBuf,
    a: PostgresUrl,
}

impl Trasloco {
    /// From a store with so many domande of every shape, to an empty database of this cluster.
    async fn of(domande: u64, cluster: &Cluster) -> Self {
        let database = fresh_name();
        cluster.create_database(&database).unwrap();
        let cartella = tempfile::tempdir().unwrap();
        let da = cartella.path().join("store.db");
        fill(&da, domande).await;
        Self {
            _cartella: cartella,
            da,
            a: cluster.url(&database),
        }
    }

    /// The same on the cluster that the tests share; `None` where there is no PostgreSQL.
    async fn new(domande: u64) -> Option<Self> {
        Some(Self::of(domande, cluster()?).await)
    }

    async fn copy(&self) -> Result<Esito, StoreError> {
        copy(&self.da, &self.a, &copy_options(), &mut |_| ()).await
    }

    async fn done(&self) -> Copia {
        match self.copy().await.unwrap() {
            Esito::Fatta(copia) => copia,
            altro @ Esito::Anomalie { .. } => panic!("{altro:?}"),
        }
    }

    async fn refused(&self) -> String {
        match self.copy().await {
            Err(StoreError::Refused(causa)) => self.without_places(&causa),
            altro => panic!("{altro:?}"),
        }
    }

    async fn anomalies(&self) -> Vec<String> {
        match self.copy().await.unwrap() {
            Esito::Anomalie { confermata, trovate } => {
                assert!(!confermata);
                trovate
            }
            Esito::Fatta(copia) => panic!("{copia:?}"),
        }
    }

    /// A move that is stopped dead at the first step of which `dove` says so.
    async fn stop_at(&self, dove: fn(Passo) -> bool) {
        let fermo = self.aside(move |passo| assert!(!dove(passo), "stopped as asked"));
        let fermo = tokio::task::spawn_blocking(move || fermo.join());
        assert!(fermo.await.unwrap().is_err(), "it was not stopped");
    }

    /// A move on a thread of its own, which is told of every step.
    fn aside(
        &self,
        mut avanza: impl FnMut(Passo) + Send + 'static,
    ) -> std::thread::JoinHandle<Result<Esito, StoreError>> {
        let (da, a) = (self.da.clone(), self.a.clone());
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .unwrap();
            runtime.block_on(copy(&da, &a, &copy_options(), &mut avanza))
        })
    }

    async fn source(&self) -> Result<SharedStore, StoreError> {
        open_when_free(&StoreUrl::Sqlite(self.da.clone()), &options()).await
    }

    /// What the source says to a gateway.
    async fn source_refuses(&self) -> String {
        match self.source().await {
            Err(StoreError::Refused(causa)) => self.without_places(&causa),
            altro => panic!("{altro:?}"),
        }
    }

    async fn target(&self) -> SharedStore {
        let url = StoreUrl::Postgres(self.a.clone());
        store::open(&url, &options()).await.unwrap().0
    }

    async fn raw_source(&self) -> Raw {
        Raw::open(&StoreUrl::Sqlite(self.da.clone())).await
    }

    async fn raw_target(&self) -> Raw {
        Raw::open(&StoreUrl::Postgres(self.a.clone())).await
    }

    /// Nothing of a move is there: the source registers, the target holds no row.
    async fn nothing_happened(&self, prossimo: &str) {
        let store = self.source().await.unwrap();
        store.ping().await.unwrap();
        let esito = store
            .register(&[atto(prossimo, 1, &[])], istante("2022-02-01T08:00:00Z"))
            .await
            .unwrap();
        registrata(&esito[0]);
        store.close().await;
        let mut raw = self.raw_target().await;
        let tabelle = "SELECT count(*) AS n FROM pg_class
             WHERE relnamespace = 'public'::regnamespace AND relname = 'registrazioni'";
        if raw.number(tabelle).await == 1 {
            for tabella in [
                "chiavi",
                "registrazioni",
                "domande",
                "tracce",
                "porta",
                "registro",
            ] {
                let sql = format!("SELECT count(*) AS n FROM {tabella}");
                assert_eq!(raw.number(&sql).await, 0, "{tabella}");
            }
        }
    }

    fn without_places(&self, testo: &str) -> String {
        testo
            .replace(&self.da.display().to_string(), "DA")
            .replace(&self.a.to_string(), "A")
    }
}

fn copy_options() -> CopyOptions {
    static ULTIMO: AtomicU32 = AtomicU32::new(1);
    CopyOptions {
        attesa: Duration::from_secs(2),
        ..CopyOptions::new(
            istante(TRASLOCO),
            Uuid::from_u128(ULTIMO.fetch_add(1, Ordering::Relaxed).into()),
        )
    }
}

/// Opens a store that somebody may just be letting go.
async fn open_when_free(url: &StoreUrl, options: &OpenOptions) -> Result<SharedStore, StoreError> {
    let inizio = Instant::now();
    loop {
        match store::open(url, options).await {
            Err(StoreError::Unavailable(_)) if inizio.elapsed() < Duration::from_secs(10) => {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            esito => return esito.map(|(store, _)| store),
        }
    }
}

/// Domande of every shape, in two years: some annulled, assigned, decided, long, bare; messages that were refused, with
/// their bytes; a door log; a business clock that was moved.
async fn fill(da: &Path, domande: u64) {
    let orologio = OpenOptions {
        orologio_inizio: Some(istante("2021-07-01T00:00:00Z")),
        ..options()
    };
    let (store, _) = store::open(&StoreUrl::Sqlite(da.to_owned()), &orologio)
        .await
        .unwrap();
    let atti: Vec<_> = (1..=domande).map(shaped).collect();
    let (prime, ultime) = atti.split_at(atti.len() / 2);
    for (parte, adesso) in [(prime, LUGLIO), (ultime, "2022-01-10T09:00:00.007Z")] {
        for lotto in parte.chunks(64) {
            for esito in store.register(lotto, istante(adesso)).await.unwrap() {
                registrata(&esito);
            }
        }
    }
    let mut tracce: Vec<_> = ["fault", "altra", "muta"].map(traccia).into();
    "FAULT".clone_into(&mut tracce[0].esito);
    tracce[0].codice = Some("XSD-001".to_owned());
    tracce[0].codici = vec!["XSD-001".to_owned(), "CF-001".to_owned()];
    tracce[0].note = vec!["Identity: attributi «antichi»".to_owned()];
    tracce[0].richiesta = Some(Bytes::from(vec![b'<'; 9000]));
    tracce[0].risposta = Some(Bytes::from_static(b"<Fault/>"));
    "CN=nul\0dentro".clone_into(&mut tracce[0].certificato_soggetto);
    tracce[1].ricevuto_il = istante("2020-12-31T23:59:59.999Z");
    tracce[1].ente = None;
    store.write_tracce(&tracce).await.unwrap();
    store
        .write_porta(&[
            RifiutoAllaPorta {
                istante: istante("2021-07-02T03:04:05.678Z"),
                indirizzo: Some("192.0.2.7".parse().unwrap()),
                soggetto: Some("CN=scaduto".to_owned()),
                seriale: None,
                sni: Some("varco.example".to_owned()),
                codice: "TLS-003".to_owned(),
                causa: "scaduto".to_owned(),
                rimedio: "rinnovare".to_owned(),
            },
            RifiutoAllaPorta {
                istante: istante("2022-01-02T03:04:05Z"),
                indirizzo: None,
                soggetto: None,
                seriale: None,
                sni: None,
                codice: "TLS-001".to_owned(),
                causa: "assente".to_owned(),
                rimedio: "presentarlo".to_owned(),
            },
        ])
        .await
        .unwrap();
    store.close().await;
    let mut raw = Raw::open(&StoreUrl::Sqlite(da.to_owned())).await;
    raw.execute(
        "INSERT INTO annullamenti (registrazione, campo, annullata_il, operatore, motivo, provvedimento_numero, provvedimento_data)
         SELECT id, CASE WHEN id % 2 = 0 THEN 'oggetto' END, 1641805200007, 'op.due', 'errore dell''operatore', 'P-' || id, '2022-01-10'
         FROM registrazioni WHERE id % 50 = 7;
         INSERT INTO assegnazioni (registrazione, dal, operatore, classifica, assegnazione)
         SELECT id, 1641805200000 + id, 'op.due', NULL, 'sede 3400' FROM registrazioni WHERE id % 40 = 3;
         INSERT INTO atti (registrazione, numero_domanda, operazione, mandato_numero, mandato_data, dettagli)
         SELECT id, numero_domanda, 'RinunciaDomanda', 'M-' || id, '2022-01-10', '{\"motivo\": \"ERRORE_COMPILAZIONE\"}'
         FROM registrazioni WHERE id % 70 = 9;
         UPDATE schede SET stato = 'IN_ISTRUTTORIA' WHERE numero_domanda % 10 = 9;
         UPDATE schede SET stato = 'RESPINTA', stato_dal = 1641805200000 WHERE numero_domanda % 10 = 9;
         UPDATE schede SET stato = 'IN_ISTRUTTORIA', azione_richiesta = 'ALLEGARE_DOCUMENTI' WHERE numero_domanda % 10 = 8;
         UPDATE schede SET registrazione = (SELECT a.registrazione FROM atti a WHERE a.numero_domanda = schede.numero_domanda)
         WHERE numero_domanda IN (SELECT numero_domanda FROM atti);
         DELETE FROM payload WHERE registrazione % 60 = 1;
         INSERT INTO motore_prese_v1 (numero_domanda, motore, gettone, durata_s)
         SELECT numero, 'm', 'gettone-di-prova-0001', 60 FROM domande WHERE numero % 100 = 5;
         INSERT INTO motore_decisioni_v1 (tipo, gettone, numero_domanda, posto, versione, istante, da, a, azione_richiesta)
         SELECT 'STATO', 'gettone-di-prova-0001', numero, 1, versione, '2022-01-11T08:00:00.007Z', 'PRESENTATA',
                'IN_ISTRUTTORIA', 'NESSUNA'
         FROM domande WHERE numero % 100 = 5;
         INSERT INTO motore_decisioni_v1 (tipo, gettone, numero_domanda, posto, versione, da, a, azione_richiesta, azione_motivo, motivo)
         SELECT 'STATO', 'gettone-di-prova-0001', numero, 1, versione, 'IN_ISTRUTTORIA', 'ACCOLTA', 'AGGIORNARE_IBAN',
                'perché', 'dunque'
         FROM domande WHERE numero % 100 = 5;
         INSERT INTO motore_decisioni_v1 (tipo, gettone, numero_domanda, posto, versione, pagamento, mese, beneficiario, importo_cent)
         SELECT 'PAGAMENTO', 'gettone-di-prova-0001', numero, 1, versione, 'PAGATO', '2021-07', 'RICHIEDENTE', 8375
         FROM domande WHERE numero % 100 = 5;
         INSERT INTO motore_decisioni_v1 (tipo, gettone, numero_domanda, posto, versione, anno)
         SELECT 'RINNOVO', 'gettone-di-prova-0001', numero, 1, versione, 2022 FROM domande WHERE numero % 100 = 5;
         UPDATE motore_prese_v1 SET lavorata = versione WHERE numero_domanda > 100;
         DELETE FROM motore_prese_v1 WHERE numero_domanda > 200;",
    )
    .await
    .unwrap();
}

/// The `n`th domanda.
fn shaped(n: u64) -> store::Atto {
    let minori: Vec<u64> = (0..n % 4).map(|posto| n * 10 + posto).collect();
    let mut atto = atto(&format!("k{n}"), u8::try_from(n % 200).unwrap(), &minori);
    atto.presentata_il = istante(LUGLIO) + SignedDuration::from_millis(i64::try_from(n).unwrap() * 1001);
    match n % 5 {
        0 => atto.chiave.ente = "PAT02".parse().unwrap(),
        1 => {
            fascicolo(&mut atto).data_pratica = None;
            fascicolo(&mut atto).allegati.clear();
            fascicolo(&mut atto).richiedente.email = Some("mario@example.org".to_owned());
        }
        2 => {
            fascicolo(&mut atto).presentata_da = "TUTORE_DEL_GENITORE";
            fascicolo(&mut atto).genitore_tutelato = Some(minore(n * 10 + 9));
            fascicolo(&mut atto).dichiarazioni.clear();
            fascicolo(&mut atto).pagamento.intestato_richiedente = Some(true);
        }
        3 => {
            fascicolo(&mut atto).richiedente.indirizzo = Some("via dell'Olmo \\ 1\t«bis»\n€".to_owned());
            fascicolo(&mut atto).pagamento.intestato_richiedente = Some(false);
            for scheda in &mut fascicolo(&mut atto).schede {
                scheda.data_nascita = None;
                scheda.disabile = true;
                scheda.decorrenza_presunta = None;
                scheda.altro_genitore = None;
                scheda.altro_genitore_assente = Some("DECEDUTO");
            }
        }
        _ => {
            fascicolo(&mut atto).dettagli = Dettagli::default().with("anno_competenza", 2022);
            for scheda in &mut fascicolo(&mut atto).schede {
                scheda.dettagli = Dettagli::default().with("disabilita", "GRAVE");
                scheda.pagamento_altro_genitore = Some(PagamentoAltroGenitore {
                    modalita: "CC",
                    iban: Some("IT60X0542811101000000123456".parse().unwrap()),
                });
            }
        }
    }
    if n == 254 {
        // A child that asks for itself.
        fascicolo(&mut atto).schede[0].codice_fiscale = minore(1700);
        fascicolo(&mut atto).schede[0].subentra = true;
    }
    if n == 111 {
        // Longer than a page.
        let a_caso = (0..1_200_000_u32).flat_map(|n| n.wrapping_mul(2_654_435_761).to_le_bytes());
        atto.richiesta = a_caso.collect();
    }
    atto
}

// ── All of it ──

#[tokio::test]
async fn everything_is_on_the_other_side_and_the_next_number_follows() {
    let Some(trasloco) = Trasloco::new(300).await else {
        return;
    };
    let prima = trasloco.source().await.unwrap();
    let ricerca = Ricerca {
        limite: 1000,
        ..Ricerca::default()
    };
    let (tracce, porta) = (
        prima.tracce(&ricerca).await.unwrap().righe,
        prima.porta(None, 10).await.unwrap(),
    );
    let registro = prima.registro(None, 1000).await.unwrap();
    let mut ricevute = Vec::new();
    for n in 1..=300 {
        ricevute.push(prima.registrata(&shaped(n).chiave).await.unwrap().unwrap());
    }
    assert!(ricevute.iter().any(|registrata| registrata.annullata));
    prima.close().await;

    let mut passi = Vec::new();
    let mut avanza = |passo| passi.push(passo);
    let esito = copy(&trasloco.da, &trasloco.a, &copy_options(), &mut avanza)
        .await
        .unwrap();
    let Esito::Fatta(copia) = esito else {
        panic!("{esito:?}")
    };
    assert_eq!((copia.ambiente, copia.gia_fatta), (Ambiente::Collaudo, false));
    assert_eq!(copia.origine, copia.destinazione);
    assert_eq!(copia.origine.registrazioni, 300);
    let [auf] = &copia.destinazione.registri[..] else {
        panic!("{copia:?}")
    };
    assert_eq!((auf.registro.as_str(), auf.anno, auf.ultimo), ("AUF", 2022, 150));
    let righe = |tabella| copia.tabelle.iter().find(|(nome, _)| *nome == tabella).unwrap().1;
    assert_eq!(
        [
            "chiavi",
            "registrazioni",
            "domande",
            "ricevute",
            "payload",
            "variazioni",
            "porta"
        ]
        .map(righe),
        [300, 300, 300, 300, 295, 313, 2]
    );
    assert_eq!(
        ["schede", "schede_vive", "tracce", "annullamenti", "assegnazioni"].map(righe),
        [450, 389, 303, 6, 8]
    );
    assert_eq!(
        ["prese", "decisioni", "pagamenti", "rinnovi"].map(righe),
        [3, 12, 3, 3]
    );
    let totale: u64 = copia.tabelle.iter().map(|(_, righe)| righe).sum();
    assert_eq!(passi.first(), Some(&Passo::Inizio { righe: 2 * totale }));
    assert_eq!(passi[passi.len() - 2..], [Passo::Segnata, Passo::Confermata]);

    // What the gateway asks for is what the file would have told; only U+0000 is a letter that PostgreSQL has not.
    let dopo = trasloco.target().await;
    assert_eq!(dopo.registro(None, 1000).await.unwrap(), registro);
    assert_eq!(dopo.porta(None, 10).await.unwrap(), porta);
    let mut attese = tracce;
    for traccia in &mut attese {
        traccia.certificato_soggetto = traccia.certificato_soggetto.replace('\0', "\u{fffd}");
    }
    let mut trovate = dopo.tracce(&ricerca).await.unwrap().righe;
    for tracce in [&mut attese, &mut trovate] {
        tracce.sort_by_key(|traccia| traccia.message_id);
    }
    assert_eq!(trovate, attese);
    for (n, registrata) in (1..).zip(&ricevute) {
        assert_eq!(
            dopo.registrata(&shaped(n).chiave).await.unwrap().as_ref(),
            Some(registrata)
        );
    }

    // It goes on: an old key gets its receipt, a live child is refused, one that is free again is not.
    let adesso = "2022-03-01T08:00:00Z";
    let esiti = dopo
        .register(
            &[
                shaped(17),
                atto("viva", 1, &[70]),
                atto("libera", 1, &[190]),
                atto("nuova", 1, &[9001]),
            ],
            istante(adesso),
        )
        .await
        .unwrap();
    assert_eq!(ripetuta(&esiti[0]), &ricevute[16]);
    let Registrazione::SchedaViva(vive) = &esiti[1] else {
        panic!("{:?}", esiti[1])
    };
    assert_eq!((vive[0].0, vive[0].1.stato.as_str()), (1, "PRESENTATA"));
    assert_eq!(protocollo(&esiti[2]), "INPS-AUF-2022-000000000151");
    assert_eq!(protocollo(&esiti[3]), "INPS-AUF-2022-000000000152");
    assert_eq!(registrata(&esiti[3]).numero_domanda.0, 302);
    let verifica = dopo.verify().await.unwrap();
    assert_eq!(
        (verifica.registrazioni, verifica.anomalie),
        (302, Vec::<String>::new())
    );
    let mut raw = trasloco.raw_target().await;
    assert_eq!(raw.number("SELECT max(cursore) AS n FROM variazioni").await, 315);
    assert_eq!(
        raw.number("SELECT valore::bigint AS n FROM impostazioni WHERE nome = 'orologio_inizio'")
            .await,
        istante("2021-07-01T00:00:00Z").as_millisecond()
    );
    // Ids that are made here go on after those that came.
    raw.execute("INSERT INTO assegnazioni (registrazione, dal, operatore) VALUES (1, now(), 'op')")
        .await
        .unwrap();
    assert_eq!(raw.number("SELECT max(id) AS n FROM assegnazioni").await, 9);
    // An engine goes on where it stood: what it held is held, what it decides is guarded again.
    let presa = "INSERT INTO motore_prese_v1 (numero_domanda, motore, gettone, durata_s)
         VALUES (205, 'm', 'gettone-di-prova-0002', 60)";
    raw.execute(presa).await.unwrap();
    let ancora = "INSERT INTO motore_decisioni_v1 (tipo, gettone, numero_domanda, posto, versione, pagamento, mese, beneficiario, importo_cent)
         SELECT 'PAGAMENTO', gettone, numero_domanda, 1, versione, 'PAGATO', 'MESE', 'RICHIEDENTE', 8375
         FROM motore_prese_v1 WHERE gettone = 'gettone-di-prova-0002'";
    let errore = raw.refused(&ancora.replace("MESE", "2021-07")).await;
    assert!(errore.contains("MOT-010 "), "{errore}");
    raw.execute(&ancora.replace("MESE", "2021-08")).await.unwrap();
    assert!(raw.number("SELECT max(id) AS n FROM decisioni").await > 12);
}

#[tokio::test]
async fn what_was_exchanged_with_portas_is_told_the_same_on_the_other_side() {
    let Some(trasloco) = Trasloco::new(1).await else {
        return;
    };
    let prima = trasloco.source().await.unwrap();
    let scambi: Vec<_> = (0..40).map(|n| letto(&format!("egov-{n}"), n)).collect();
    assert_eq!(prima.accept_buste(&scambi).await.unwrap(), [true; 40]);
    let tutti = RicercaScambi {
        limite: 1000,
        ..RicercaScambi::default()
    };
    let detti = prima.scambi(&tutti).await.unwrap();
    assert_eq!(detti.len(), 40);
    prima.close().await;
    trasloco.done().await;
    let dopo = trasloco.target().await;
    assert_eq!(dopo.scambi(&tutti).await.unwrap(), detti);
    // A busta that was used up there is used up here.
    let doppia = letto("egov-doppia", 7);
    assert_eq!(dopo.accept_buste(&[doppia]).await.unwrap(), [false]);
    dopo.close().await;
}

#[tokio::test]
async fn a_store_that_was_moved_can_be_looked_at_and_registers_nothing() {
    let Some(trasloco) = Trasloco::new(10).await else {
        return;
    };
    // A gateway of before, which has lost its connections and knows nothing of a move.
    let ignaro = trasloco.source().await.unwrap();
    ignaro.close().await;
    trasloco.done().await;

    assert_eq!(
        trasloco.source_refuses().await,
        "DA: it was moved to A on 2022-03-01T00:00:00Z, and takes no registration any more; set `store` to that \
         database"
    );
    let consultata = OpenOptions {
        migrate: false,
        create: false,
        anche_trasferito: true,
        ..options()
    };
    let url = StoreUrl::Sqlite(trasloco.da.clone());
    let (store, _) = store::open(&url, &consultata).await.unwrap();
    assert_eq!(store.registro(None, 100).await.unwrap().len(), 10);
    assert_eq!(store.verify().await.unwrap().anomalie, Vec::<String>::new());
    let atti = [atto("nuova", 1, &[9001])];
    let errore = store
        .register(&atti, istante("2022-03-02T08:00:00Z"))
        .await
        .unwrap_err();
    assert!(errore.to_string().contains("stato trasferito"), "{errore}");
    store.close().await;
    let errore = ignaro
        .register(&atti, istante("2022-03-02T08:00:00Z"))
        .await
        .unwrap_err();
    assert!(errore.to_string().contains("stato trasferito"), "{errore}");
    ignaro.close().await;
    // The command once more finds all in order, and changes nothing.
    let target = trasloco.target().await;
    let nuova = target
        .register(&atti, istante("2022-03-02T08:00:00Z"))
        .await
        .unwrap();
    assert_eq!(protocollo(&nuova[0]), "INPS-AUF-2022-000000000006");
    let copia = trasloco.done().await;
    assert!(copia.gia_fatta);
    assert_eq!(
        (copia.origine.registrazioni, copia.destinazione.registrazioni),
        (10, 11)
    );
    // And another database is not where it went.
    let altrove = Trasloco::new(0).await.unwrap();
    let altro = Trasloco {
        a: altrove.a.clone(),
        da: trasloco.da.clone(),
        _cartella: tempfile::tempdir().unwrap(),
    };
    assert_eq!(
        altro.refused().await.replace(&trasloco.a.to_string(), "PRIMA"),
        "DA: it was moved to PRIMA on 2022-03-01T00:00:00Z, and this is not that database"
    );
}

// ── What is not moved ──

#[tokio::test]
async fn a_target_that_is_not_empty_and_ours_is_refused() {
    let Some(trasloco) = Trasloco::new(5).await else {
        return;
    };
    let cluster = cluster().unwrap();
    let target = trasloco.target().await;
    target.write_tracce(&[traccia("prima")]).await.unwrap();
    assert_eq!(
        trasloco.refused().await,
        "A: the database holds rows already (tracce); a store is moved into an empty one"
    );
    let mut raw = trasloco.raw_target().await;
    raw.execute("DELETE FROM tracce").await.unwrap();

    let gateway = Trasloco {
        a: cluster.url_as("varco_gateway", database_of(&trasloco.a)),
        da: trasloco.da.clone(),
        _cartella: tempfile::tempdir().unwrap(),
    };
    assert_eq!(
        gateway.refused().await,
        "A: a store is moved into it by its owner, as `varco migrate`; the gateway's user may not"
    );

    let sandbox = Trasloco::new(0).await.unwrap();
    let url = StoreUrl::Postgres(sandbox.a.clone());
    let altro_ambiente = OpenOptions {
        ambiente: Ambiente::Sandbox,
        ..options()
    };
    store::open(&url, &altro_ambiente).await.unwrap();
    let altro = Trasloco {
        a: sandbox.a.clone(),
        da: trasloco.da.clone(),
        _cartella: tempfile::tempdir().unwrap(),
    };
    assert_eq!(
        altro.refused().await,
        "A: it belongs to ambiente sandbox, but collaudo is configured; each ambiente has its own store"
    );
    trasloco.nothing_happened("ancora").await;
    trasloco.done().await;
}

fn database_of(url: &PostgresUrl) -> &str {
    let testo = url.as_str().split('?').next().unwrap();
    testo.rsplit('/').next().unwrap()
}

#[tokio::test]
async fn a_source_that_somebody_has_open_is_left_alone() {
    let Some(trasloco) = Trasloco::new(5).await else {
        return;
    };
    let gateway = trasloco.source().await.unwrap();
    gateway.ping().await.unwrap();
    let errore = trasloco.copy().await.unwrap_err();
    assert!(matches!(errore, StoreError::Unavailable(_)), "{errore}");
    assert_eq!(
        errore.to_string(),
        "store unavailable: another process has the file (a gateway, a look, or a `varco store copy`); stop it or wait \
         for its end"
    );
    gateway.close().await;
    trasloco.nothing_happened("ancora").await;

    // And while it is moved nobody else gets at it.
    let (ferma, fermo) = std::sync::mpsc::channel::<()>();
    let (dice, ascolta) = tokio::sync::oneshot::channel();
    let mut dice = Some(dice);
    let in_corso = trasloco.aside(move |passo| {
        if matches!(passo, Passo::Scritte { .. })
            && let Some(dice) = dice.take()
        {
            dice.send(()).unwrap();
            fermo.recv().unwrap();
        }
    });
    ascolta.await.unwrap();
    let impaziente = OpenOptions {
        attesa: Duration::from_millis(100),
        ..options()
    };
    let errore = store::open(&StoreUrl::Sqlite(trasloco.da.clone()), &impaziente)
        .await
        .unwrap_err();
    assert!(
        errore.to_string().contains("another process has the file"),
        "{errore}"
    );
    ferma.send(()).unwrap();
    assert!(matches!(in_corso.join().unwrap(), Ok(Esito::Fatta(_))));
}

#[tokio::test]
async fn what_the_copy_does_not_know_is_not_lost_without_a_word() {
    let Some(trasloco) = Trasloco::new(5).await else {
        return;
    };
    for (aggiunta, tolta, dove) in [
        (
            "ALTER TABLE porta ADD COLUMN nuova TEXT",
            "ALTER TABLE porta DROP COLUMN nuova",
            "column porta.nuova of the embedded store",
        ),
        (
            "CREATE TABLE nuova (x TEXT)",
            "DROP TABLE nuova",
            "table nuova of the embedded store",
        ),
    ] {
        trasloco.raw_source().await.execute(aggiunta).await.unwrap();
        let causa = trasloco.refused().await;
        assert!(causa.starts_with(dove), "{causa}");
        trasloco.raw_source().await.execute(tolta).await.unwrap();
    }
    let mut raw = trasloco.raw_target().await;
    raw.execute("ALTER TABLE domande ADD COLUMN nuova text")
        .await
        .unwrap();
    let causa = trasloco.refused().await;
    assert!(causa.starts_with("column domande.nuova of PostgreSQL"), "{causa}");
    raw.execute("ALTER TABLE domande DROP COLUMN nuova")
        .await
        .unwrap();
    trasloco.nothing_happened("ancora").await;
}

#[tokio::test]
async fn a_register_that_is_not_whole_is_not_moved() {
    let Some(trasloco) = Trasloco::new(5).await else {
        return;
    };
    trasloco
        .raw_source()
        .await
        .execute("DROP TRIGGER ricevute_non_si_cancellano; DELETE FROM ricevute WHERE registrazione = 2;")
        .await
        .unwrap();
    assert_eq!(
        trasloco.anomalies().await,
        ["INPS-AUF-2021-000000000002: no receipt"]
    );
    trasloco.nothing_happened("ancora").await;
}

#[tokio::test]
async fn a_row_that_arrives_otherwise_is_told_and_nothing_is_moved() {
    let Some(trasloco) = Trasloco::new(5).await else {
        return;
    };
    trasloco.target().await.close().await;
    let mut raw = trasloco.raw_target().await;
    raw.execute(
        "CREATE FUNCTION altera() RETURNS trigger LANGUAGE plpgsql AS $$
         BEGIN
             IF NEW.numero = 3 THEN NEW.iban := 'X'; NEW.modalita := 'Y'; END IF;
             IF NEW.numero = 4 THEN RETURN NULL; END IF;
             RETURN NEW;
         END $$;
         CREATE TRIGGER altera BEFORE INSERT ON domande FOR EACH ROW EXECUTE FUNCTION altera();
         ALTER TABLE schede DROP CONSTRAINT schede_numero_domanda_fkey;
         ALTER TABLE allegati DROP CONSTRAINT allegati_numero_domanda_fkey;
         ALTER TABLE domande ENABLE ALWAYS TRIGGER altera;",
    )
    .await
    .unwrap();
    assert_eq!(
        trasloco.anomalies().await,
        [
            "domande (3): other modalita, iban",
            "domande (4): it is not there",
            "domande: 5 rows here, 4 there",
            "numero domanda: the counter says 5, the highest is 5, domande are 4",
            "INPS-AUF-2022-000000000002: no domanda",
        ]
    );
    trasloco.nothing_happened("ancora").await;
    // What the database does by itself at a row that comes in, was done when it came into the file: it is not asked to.
    raw.execute("ALTER TABLE domande ENABLE TRIGGER altera")
        .await
        .unwrap();
    trasloco.done().await;
    let attivi = "SELECT count(*) AS n FROM pg_trigger WHERE tgname = 'altera' AND tgenabled = 'O'";
    assert_eq!(raw.number(attivi).await, 1);
}

// ── Stopped ──

#[tokio::test]
async fn a_move_that_is_stopped_before_its_end_left_nothing() {
    let Some(trasloco) = Trasloco::new(60).await else {
        return;
    };
    let luoghi: [fn(Passo) -> bool; 4] = [
        |passo| matches!(passo, Passo::Inizio { .. }),
        |passo| {
            matches!(
                passo,
                Passo::Scritte {
                    tabella: "schede",
                    ..
                }
            )
        },
        |passo| matches!(passo, Passo::Scritte { tabella: "porta", .. }),
        |passo| matches!(passo, Passo::Confrontate { tabella: "porta", .. }),
    ];
    for (n, dove) in luoghi.into_iter().enumerate() {
        trasloco.stop_at(dove).await;
        trasloco.nothing_happened(&format!("dopo{n}")).await;
    }
    // A future that is dropped in the middle is no other thing.
    let (dice, mut ascolta) = tokio::sync::mpsc::unbounded_channel();
    let mut avanza = |passo| dice.send(passo).unwrap();
    let options = copy_options();
    {
        let in_corso = copy(&trasloco.da, &trasloco.a, &options, &mut avanza);
        tokio::pin!(in_corso);
        loop {
            tokio::select! {
                biased;
                passo = ascolta.recv() => {
                    if matches!(passo, Some(Passo::Confrontate { .. })) {
                        break;
                    }
                }
                esito = &mut in_corso => panic!("{esito:?}"),
            }
        }
    }
    trasloco.nothing_happened("caduta").await;
    assert_eq!(trasloco.done().await.destinazione.registrazioni, 65);
}

#[tokio::test]
async fn a_move_that_is_stopped_before_its_commit_begins_anew_and_nobody_registers_meanwhile() {
    let Some(trasloco) = Trasloco::new(20).await else {
        return;
    };
    trasloco.stop_at(|passo| passo == Passo::Segnata).await;
    assert_eq!(
        trasloco.source_refuses().await,
        "DA: its move to A was begun, and how it ended is not known here; repeat `varco store copy`, which finishes it"
    );
    let altrove = Trasloco::new(0).await.unwrap();
    let altro = Trasloco {
        a: altrove.a.clone(),
        da: trasloco.da.clone(),
        _cartella: tempfile::tempdir().unwrap(),
    };
    let causa = altro.refused().await.replace(&trasloco.a.to_string(), "PRIMA");
    assert_eq!(
        causa,
        "DA: its move to PRIMA was begun, and how it ended is not known here; repeat the command with that database"
    );
    let copia = trasloco.done().await;
    assert_eq!((copia.gia_fatta, copia.destinazione.registrazioni), (false, 20));
}

#[tokio::test]
async fn a_move_that_is_stopped_after_its_commit_is_found_and_finished() {
    let Some(trasloco) = Trasloco::new(20).await else {
        return;
    };
    trasloco.stop_at(|passo| passo == Passo::Confermata).await;
    let causa = trasloco.source_refuses().await;
    assert!(causa.starts_with("DA: its move to A was begun"), "{causa}");
    // A gateway went on there, before anybody repeated the command.
    let target = trasloco.target().await;
    let nuova = target
        .register(&[atto("nuova", 1, &[9001])], istante(TRASLOCO))
        .await
        .unwrap();
    assert_eq!(protocollo(&nuova[0]), "INPS-AUF-2022-000000000011");
    let copia = trasloco.done().await;
    assert_eq!((copia.gia_fatta, copia.origine.registrazioni), (true, 20));
    let causa = trasloco.source_refuses().await;
    assert!(
        causa.starts_with("DA: it was moved to A on 2022-03-01"),
        "{causa}"
    );
    assert_eq!(
        target.registrata(&chiave("nuova")).await.unwrap().unwrap(),
        *registrata(&nuova[0])
    );
}

#[tokio::test]
async fn a_database_that_lost_something_since_its_commit_is_not_taken_for_whole() {
    let Some(trasloco) = Trasloco::new(5).await else {
        return;
    };
    trasloco.stop_at(|passo| passo == Passo::Confermata).await;
    trasloco
        .raw_target()
        .await
        .execute("ALTER TABLE chiavi DISABLE TRIGGER USER; DELETE FROM chiavi WHERE id = 2; ALTER TABLE chiavi ENABLE TRIGGER USER")
        .await
        .unwrap();
    let esito = trasloco.copy().await.unwrap();
    let attesa = Esito::Anomalie {
        confermata: true,
        trovate: vec!["chiavi (2): it is not there".to_owned()],
    };
    assert_eq!(esito, attesa);
    let causa = trasloco.source_refuses().await;
    assert!(causa.starts_with("DA: its move to A was begun"), "{causa}");
}

#[tokio::test]
async fn a_database_that_dies_on_the_way_leaves_the_source_whole() {
    let Some(binaries) = binaries() else { return };
    let mut cluster = Cluster::start(binaries, &Opzioni::default()).unwrap();
    let trasloco = Trasloco::of(30, &cluster).await;
    let mut una_volta = true;
    let errore = copy(&trasloco.da, &trasloco.a, &copy_options(), &mut |passo| {
        if matches!(
            passo,
            Passo::Scritte {
                tabella: "domande",
                ..
            }
        ) && std::mem::take(&mut una_volta)
        {
            cluster.crash().unwrap();
        }
    })
    .await
    .unwrap_err();
    assert!(matches!(errore, StoreError::Unavailable(_)), "{errore}");
    cluster.start_again().unwrap();
    trasloco.nothing_happened("ancora").await;

    // Gone at COMMIT, and not back in time: what became of it is not known, and nobody registers in the file.
    let errore = copy(&trasloco.da, &trasloco.a, &copy_options(), &mut |passo| {
        if passo == Passo::Segnata {
            cluster.crash().unwrap();
        }
    })
    .await
    .unwrap_err();
    let detto = trasloco.without_places(&errore.to_string());
    assert!(
        detto.starts_with("store unavailable: A: whether the move was committed is not known (")
            && detto.ends_with("; repeat the same command, which looks and finishes it"),
        "{detto}"
    );
    let causa = trasloco.source_refuses().await;
    assert!(causa.starts_with("DA: its move to A was begun"), "{causa}");
    assert!(matches!(trasloco.copy().await, Err(StoreError::Unavailable(_))));
    cluster.start_again().unwrap();
    assert_eq!(trasloco.done().await.destinazione.registrazioni, 31);

    // Gone at COMMIT and back at once: known to have left nothing, and the source goes on.
    let altro = Trasloco::of(5, &cluster).await;
    let errore = copy(&altro.da, &altro.a, &copy_options(), &mut |passo| {
        if passo == Passo::Segnata {
            cluster.crash().unwrap();
            cluster.start_again().unwrap();
        }
    })
    .await
    .unwrap_err();
    assert!(matches!(errore, StoreError::Unavailable(_)), "{errore}");
    altro.nothing_happened("ancora").await;
    assert_eq!(altro.done().await.destinazione.registrazioni, 6);
}

// ── As the operator does it ──

#[tokio::test]
async fn the_command_can_be_killed_at_any_moment_and_repeated() {
    let Some(trasloco) = Trasloco::new(200).await else {
        return;
    };
    let command = || {
        let mut comando = Command::new(env!("CARGO_BIN_EXE_varco"));
        comando
            .args(["store", "copy"])
            .arg(format!("sqlite:{}", trasloco.da.display()))
            .arg(trasloco.a.as_str());
        comando
    };
    let mut attesa = Duration::from_millis(5);
    let ultima = loop {
        let mut figlio = command()
            .stdout(std::process::Stdio::piped())
            .stderr(std::process::Stdio::null())
            .spawn()
            .unwrap();
        std::thread::sleep(attesa);
        if figlio.try_wait().unwrap().is_some() {
            break figlio.wait_with_output().unwrap();
        }
        figlio.kill().unwrap();
        figlio.wait().unwrap();
        attesa = attesa * 3 / 2;
    };
    let detto = String::from_utf8(ultima.stdout).unwrap();
    assert_eq!(ultima.status.code(), Some(0), "{detto}");
    assert!(
        detto.contains(
            "registro di arrivo    200 registrazioni, nessuna anomalia; ultimo numero: AUF 2022/100\n"
        ),
        "{detto}"
    );
    assert!(
        detto.contains("ora, in varco.toml:  store = \"postgres://"),
        "{detto}"
    );
    let target = trasloco.target().await;
    let nuova = target
        .register(&[atto("nuova", 1, &[9001])], istante(TRASLOCO))
        .await
        .unwrap();
    assert_eq!(protocollo(&nuova[0]), "INPS-AUF-2022-000000000101");
    assert_eq!(target.verify().await.unwrap().anomalie, Vec::<String>::new());
    assert_eq!(
        target
            .schede_vive(PRESTAZIONE.servizio, &[minore(9001)])
            .await
            .unwrap()
            .len(),
        1
    );
    trasloco.source_refuses().await;

    let sbagliato = command().arg("sqlite:altro.db").output().unwrap();
    assert_eq!(sbagliato.status.code(), Some(64));
    let al_contrario = Command::new(env!("CARGO_BIN_EXE_varco"))
        .args(["store", "copy", trasloco.a.as_str(), "sqlite:x.db"])
        .output()
        .unwrap();
    assert_eq!(al_contrario.status.code(), Some(64));
    let detto = String::from_utf8(al_contrario.stderr).unwrap();
    assert!(
        detto.starts_with("varco: si trasferisce da sqlite:FILE a postgres://…"),
        "{detto}"
    );
}

#[test]
fn both_kinds_of_store_have_the_same_versions() {
    let versioni = |cartella: &str| {
        let mut versioni: Vec<String> = std::fs::read_dir(Path::new("migrations").join(cartella))
            .unwrap()
            .map(|voce| {
                let nome = voce.unwrap().file_name().into_string().unwrap();
                nome.split('_').next().unwrap().to_owned()
            })
            .collect();
        versioni.sort();
        versioni
    };
    assert_eq!(versioni("sqlite"), versioni("postgres"));
}

#[tokio::test]
async fn a_lot_that_is_open_goes_on_in_the_database() {
    let Some(trasloco) = Trasloco::new(0).await else {
        return;
    };
    let prima = trasloco.source().await.unwrap();
    lotti::begin_a_lot(&prima).await;
    prima.close().await;

    let copia = trasloco.done().await;
    let righe = |tabella| copia.tabelle.iter().find(|(nome, _)| *nome == tabella).unwrap().1;
    // Two lots, one of which has ended: its bytes stay behind.
    assert_eq!(
        ["lotti", "lotti_esiti", "lotti_pezzi", "chiavi", "registrazioni"].map(righe),
        [2, 4, 3, 4, 2]
    );
    let dopo = trasloco.target().await;
    lotti::end_that_lot(&dopo).await;
    // Looked over again, with the database at work: nothing of it is an anomaly.
    dopo.close().await;
    assert!(trasloco.done().await.gia_fatta);
}

#[tokio::test]
async fn a_lot_whose_spool_is_gone_is_not_moved() {
    let Some(trasloco) = Trasloco::new(0).await else {
        return;
    };
    let prima = trasloco.source().await.unwrap();
    lotti::begin_a_lot(&prima).await;
    prima.close().await;
    let mut spool = trasloco.da.clone().into_os_string();
    spool.push(".lotti");
    std::fs::remove_dir_all(spool).unwrap();
    let errore = trasloco.copy().await.unwrap_err();
    assert_eq!(
        errore.to_string(),
        "inconsistent row in lotti.byte: its spool is not there, or not whole"
    );
    trasloco.nothing_happened("dopo").await;
}
