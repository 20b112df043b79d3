//! The search among the traces: whatever is asked, the pages together are what a plain look at every trace finds, in the
//! order of time, each once. Traces and searches are drawn at random, from few values, so that everything meets everything.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use bytes::Bytes;
use jiff::{SignedDuration, Timestamp};
use uuid::Uuid;
use varco::domanda::sha256::hex;
use varco::store::filtri::{FiltroErrato, FiltroSalvato};
use varco::store::{OpenOptions, Ricerca, SharedStore, StoreError, StoreUrl};
use varco::trace::Traccia;
use varco::trace::persona::ChiaveRicerca;

use crate::atti::{LUGLIO, atto, istante, options, protocollo, registrata, traccia};
use crate::banco::Banco;
use crate::tell;

/// Numbers that follow from a seed (xorshift64*): a failure is the same every time.
struct Sorte(u64);

impl Sorte {
    fn below(&mut self, limite: u64) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 33) % limite
    }

    fn of<'v>(&mut self, valori: &[&'v str]) -> &'v str {
        valori[usize::try_from(self.below(valori.len() as u64)).unwrap()]
    }

    fn maybe<'v>(&mut self, valori: &[&'v str]) -> Option<&'v str> {
        (self.below(3) > 0).then(|| self.of(valori))
    }
}

const ENTI: [&str; 3] = ["PAT01", "PAT02", "PAT03"];
const UFFICI: [&str; 3] = ["001", "002", "RM042"];
const UTENTI: [&str; 3] = ["mrossi", "O'Neill; DROP TABLE tracce", "lverdi"];
const CANALI: [&str; 3] = ["MODI", "PDD", "CLI"];
const OPERAZIONI: [&str; 3] = ["InviaDomanda", "ConsultaDomanda", "echo"];
const SERVIZI: [&str; 2] = ["AssegnoTemporaneo", "AssegnoUnicoUniversale"];
const ESITI: [&str; 4] = ["FAULT", "RIFIUTATA", "RISPOSTA", "RIPETUTA"];
const CODICI: [&str; 4] = ["XSD-001", "XSD-004", "CF-002", "ACC-003"];
const INDIRIZZI: [&str; 4] = ["192.0.2.7", "192.0.2.130", "198.51.100.1", "2001:db8::1"];
const SOGGETTI: [&str; 2] = ["CN=pat01, O=Patronato di prova uno", "CN=pat02, O=100%_sicuro"];
const SERIALI: [&str; 2] = ["0A1B", "FF"];
const PERSONE: [&str; 3] = ["VRDGPP80A01H501A", "BBBRRR14A01A001X", "80000000002"];
const NUMERI: [&str; 2] = ["INPS-AUF-2021-000000000900", "INPS-AUF-2021-000000000901"];
const IDS: [&str; 2] = ["urn:uuid:a", "gw-1"];

fn maybe(sorte: &mut Sorte, valori: &[&str]) -> Option<String> {
    sorte.maybe(valori).map(str::to_owned)
}

/// A trace of a message that was not registered.
fn una_traccia(sorte: &mut Sorte, n: u128) -> Traccia {
    let codici: Vec<String> = (0..sorte.below(4))
        .map(|_| sorte.of(&CODICI).to_owned())
        .collect();
    let chi = sorte.maybe(&PERSONE);
    Traccia {
        message_id: Uuid::from_u128(n << 64 | u128::from(sorte.below(1 << 30))),
        // Few instants, so that many traces share one.
        ricevuto_il: istante(LUGLIO) + SignedDuration::from_millis(sorte.below(40).cast_signed()),
        canale: sorte.of(&CANALI).to_owned(),
        indirizzo: sorte
            .maybe(&INDIRIZZI)
            .map(|indirizzo| indirizzo.parse().unwrap()),
        certificato_soggetto: sorte.of(&SOGGETTI).to_owned(),
        certificato_seriale: sorte.of(&SERIALI).to_owned(),
        ente: maybe(sorte, &ENTI),
        user_id: maybe(sorte, &UTENTI),
        codice_ufficio: maybe(sorte, &UFFICI),
        servizio: maybe(sorte, &SERVIZI),
        operazione: maybe(sorte, &OPERAZIONI),
        id_mittente: maybe(sorte, &IDS),
        id_transazione: maybe(sorte, &IDS),
        chiave_invio: maybe(sorte, &["k-1", "k-2"]),
        esito: sorte.of(&ESITI).to_owned(),
        codice: codici.first().cloned(),
        codici,
        protocollo: maybe(sorte, &NUMERI),
        numero_domanda: sorte.maybe(&["900", "901"]).map(|numero| numero.parse().unwrap()),
        richiesta: chi.map(|chi| Bytes::from(format!("<CodiceFiscale>{chi}</CodiceFiscale>"))),
        ..Traccia::default()
    }
}

/// A search by some criteria, none of them impossible.
fn una_ricerca(sorte: &mut Sorte, tracce: &[Traccia]) -> Ricerca {
    let mut ricerca = Ricerca::default();
    let una = &tracce[usize::try_from(sorte.below(tracce.len() as u64)).unwrap()];
    let message_id = una.message_id.to_string();
    let (dal, al) = (
        una.ricevuto_il.to_string(),
        (una.ricevuto_il + SignedDuration::from_millis(9)).to_string(),
    );
    let criteri: [(&str, &[&str]); 19] = [
        ("protocollo", &["900", "2021-0000901", NUMERI[0]]),
        ("numero_domanda", &["900", "901"]),
        ("message_id", &[&message_id]),
        ("id_mittente", &IDS),
        ("chiave_invio", &["k-1", "k-2", "k-3"]),
        ("persona", &PERSONE),
        ("ente", &ENTI),
        ("codice_ufficio", &UFFICI),
        ("user_id", &UTENTI),
        ("canale", &CANALI),
        ("servizio", &SERVIZI),
        ("operazione", &OPERAZIONI),
        (
            "esito",
            &["FAULT", "RIFIUTATA", "RISPOSTA", "RIPETUTA", "REGISTRATA"],
        ),
        ("codice", &CODICI),
        ("certificato", &["0a:1b", "ff", "prova UNO", "100%_s", "%"]),
        (
            "indirizzo",
            &["192.0.2.7", "192.0.2.0/25", "0.0.0.0/0", "2001:db8::/32"],
        ),
        ("dal", &[&dal]),
        ("al", &[&al]),
        ("al", &[&dal]),
    ];
    for _ in 0..sorte.below(4) {
        let (nome, valori) = criteri[usize::try_from(sorte.below(criteri.len() as u64)).unwrap()];
        ricerca.set(nome, sorte.of(valori)).unwrap();
    }
    ricerca
}

/// What a plain look finds.
fn matches(ricerca: &Ricerca, traccia: &Traccia) -> bool {
    let is =
        |cercato: &Option<String>, valore: Option<&str>| cercato.is_none() || cercato.as_deref() == valore;
    let protocollo = |traccia: &Traccia| {
        let numero = traccia
            .protocollo
            .as_deref()?
            .parse::<varco::protocollo::NumeroProtocollo>()
            .ok()?;
        let cercato = ricerca.protocollo.as_ref()?;
        cercato
            .candidati([("AUF", 2021, 2021)])
            .contains(&numero)
            .then_some(())
    };
    let testo = traccia
        .richiesta
        .as_deref()
        .map(|bytes| String::from_utf8_lossy(bytes).into_owned());
    (ricerca.protocollo.is_none() || protocollo(traccia).is_some())
        && (ricerca.numero_domanda.is_none() || ricerca.numero_domanda == traccia.numero_domanda)
        && ricerca.message_id.is_none_or(|id| id == traccia.message_id)
        && (is(&ricerca.id_mittente, traccia.id_mittente.as_deref())
            || is(&ricerca.id_mittente, traccia.id_transazione.as_deref()))
        && is(&ricerca.chiave_invio, traccia.chiave_invio.as_deref())
        && ricerca.persona.as_ref().is_none_or(|persona| {
            testo
                .as_ref()
                .is_some_and(|testo| testo.contains(persona.as_str()))
        })
        && is(&ricerca.ente, traccia.ente.as_deref())
        && is(&ricerca.codice_ufficio, traccia.codice_ufficio.as_deref())
        && is(&ricerca.user_id, traccia.user_id.as_deref())
        && is(&ricerca.canale, Some(&traccia.canale))
        && is(&ricerca.servizio, traccia.servizio.as_deref())
        && is(&ricerca.operazione, traccia.operazione.as_deref())
        && is(&ricerca.esito, Some(&traccia.esito))
        && ricerca
            .codice
            .as_ref()
            .is_none_or(|codice| traccia.codici.contains(codice))
        && ricerca.certificato.as_ref().is_none_or(|certificato| {
            let seriale = certificato.replace(':', "").to_uppercase();
            let soggetto = traccia.certificato_soggetto.to_lowercase();
            traccia.certificato_seriale.trim_start_matches('0') == seriale.trim_start_matches('0')
                || soggetto.contains(&certificato.to_lowercase())
        })
        && ricerca.indirizzo.is_none_or(|rete| {
            traccia
                .indirizzo
                .is_some_and(|indirizzo| rete.contains(&indirizzo))
        })
        && ricerca.dal.is_none_or(|dal| traccia.ricevuto_il >= dal)
        && ricerca.al.is_none_or(|al| traccia.ricevuto_il < al)
}

/// Every trace that the pages tell, page after page, each cursor by its text.
async fn all_pages(store: &SharedStore, ricerca: &Ricerca, limite: u32) -> Vec<Traccia> {
    let mut ricerca = Ricerca {
        limite,
        ..ricerca.clone()
    };
    let mut tutte = Vec::new();
    loop {
        let pagina = store.tracce(&ricerca).await.unwrap();
        assert!(pagina.righe.len() <= limite as usize);
        tutte.extend(pagina.righe);
        if !pagina.altre {
            return tutte;
        }
        let cursore = ricerca.cursore(pagina.posizione.unwrap());
        ricerca.dopo = ricerca.posto(&cursore);
        assert!(ricerca.dopo.is_some(), "{cursore}");
    }
}

fn chiave() -> ChiaveRicerca {
    "11".repeat(32).parse().unwrap()
}

fn with_key(chiave: ChiaveRicerca) -> OpenOptions {
    OpenOptions {
        chiave_ricerca: Some(chiave),
        ..options()
    }
}

pub(crate) async fn the_pages_of_a_search_are_what_a_plain_look_finds(banco: &Banco) {
    let (store, _) = banco.open(&with_key(chiave())).await.unwrap();
    // A register, or no number means anything.
    banco.one(atto("a", 1, &[1]), LUGLIO).await;
    let registrate = store.tracce(&Ricerca::default()).await.unwrap().righe;
    let mut sorte = Sorte(0x5EED);
    let mut tracce: Vec<_> = (1..400).map(|n| una_traccia(&mut sorte, n)).collect();
    for parte in tracce.chunks(64) {
        store.write_tracce(parte).await.unwrap();
    }
    // Once more, as after a commit whose answer was lost.
    store.write_tracce(&tracce[..64]).await.unwrap();
    tracce.extend(registrate);
    for _ in 0..300 {
        let ricerca = una_ricerca(&mut sorte, &tracce);
        let limite = u32::try_from(1 + sorte.below(60)).unwrap();
        let pagine = all_pages(&store, &ricerca, limite).await;
        let ids = |tracce: &[Traccia]| {
            tracce
                .iter()
                .map(|traccia| traccia.message_id)
                .collect::<Vec<_>>()
        };
        let insieme = all_pages(&store, &ricerca, 10_000).await;
        assert_eq!(ids(&pagine), ids(&insieme), "page by page: {ricerca:?}");
        assert!(
            insieme
                .windows(2)
                .all(|due| due[0].ricevuto_il >= due[1].ricevuto_il),
            "newest first: {ricerca:?}"
        );
        let trovate: BTreeMap<_, _> = insieme
            .iter()
            .map(|traccia| (traccia.message_id, traccia))
            .collect();
        assert_eq!(trovate.len(), insieme.len(), "each once: {ricerca:?}");
        let attese: BTreeMap<_, _> = tracce
            .iter()
            .filter(|traccia| matches(&ricerca, traccia))
            .map(|traccia| (traccia.message_id, traccia))
            .collect();
        assert_eq!(trovate, attese, "{ricerca:?}");
    }
}

pub(crate) async fn what_is_rare_within_what_is_frequent_is_found_page_by_page(banco: &Banco) {
    // More than a page looks at, between two that are searched for.
    let eco = |n: u64| Traccia {
        message_id: Uuid::from_u128(u128::from(n) + 1),
        ricevuto_il: istante(LUGLIO) + SignedDuration::from_millis(n.cast_signed()),
        id_mittente: Some("sempre lo stesso".to_owned()),
        user_id: Some("raro".to_owned()),
        ..traccia("eco")
    };
    banco.store.write_tracce(&[eco(0), eco(30_000)]).await.unwrap();
    let resto = "uri, id_mittente, richiesta_len, risposta_len, http_status, esito, tempi_us";
    let colonne = format!("canale, certificato_soggetto, certificato_seriale, tls, ente, user_id, {resto}");
    let valori = format!("canale, certificato_soggetto, certificato_seriale, tls, ente, 'solito', {resto}");
    let molte = banco.says(
        format!(
            "INSERT INTO tracce (message_id, ricevuto_il, {colonne})
             WITH RECURSIVE g (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM g WHERE n < 25000)
             SELECT printf('00000000-0000-0000-0001-%012x', n), ricevuto_il + n, {valori}
             FROM tracce CROSS JOIN g WHERE message_id = '00000000-0000-0000-0000-000000000001'"
        ),
        format!(
            "INSERT INTO tracce (message_id, ricevuto_il, {colonne})
             SELECT ('00000000-0000-0000-0001-' || lpad(to_hex(n), 12, '0'))::uuid,
                    ricevuto_il + n * interval '1 millisecond', {valori}
             FROM tracce CROSS JOIN generate_series(1, 25000) AS g (n)
             WHERE message_id = '00000000-0000-0000-0000-000000000001'"
        ),
    );
    banco.raw().await.execute(&molte).await.unwrap();
    for criterio in [
        None,
        Some(("ente", "PAT01")),
        Some(("id_mittente", "sempre lo stesso")),
    ] {
        let mut ricerca = Ricerca {
            user_id: Some("raro".to_owned()),
            senza_byte: true,
            ..Ricerca::default()
        };
        if let Some((nome, valore)) = criterio {
            ricerca.set(nome, valore).unwrap();
        }
        let prima = banco.store.tracce(&ricerca).await.unwrap();
        assert_eq!((prima.righe.len(), prima.altre), (1, true), "{criterio:?}");
        let ids: Vec<_> = all_pages(&banco.store, &ricerca, 10)
            .await
            .iter()
            .map(|traccia| traccia.message_id.as_u128())
            .collect();
        assert_eq!(ids, [30_001, 1], "{criterio:?}");
    }
}

pub(crate) async fn somebody_is_found_in_what_was_registered_and_in_what_was_refused(banco: &Banco) {
    let (store, _) = banco.open(&with_key(chiave())).await.unwrap();
    let invio = atto("a", 1, &[1]);
    let fascicolo = invio.contenuto.fascicolo().unwrap().clone();
    let registrato = invio.traccia.message_id;
    let esito = banco.one(invio, LUGLIO).await;
    let chi = fascicolo.richiedente.codice_fiscale.as_str().to_owned();
    let rifiutata = Traccia {
        esito: "FAULT".to_owned(),
        richiesta: Some(Bytes::from(format!("<a>{}</a>", chi.to_lowercase()))),
        ..traccia("rifiutata")
    };
    let ripetuta = Traccia {
        esito: "RIPETUTA".to_owned(),
        protocollo: Some(protocollo(&esito)),
        numero_domanda: Some(registrata(&esito).numero_domanda.0),
        ..traccia("ripetuta")
    };
    let altrui = Traccia {
        richiesta: Some(Bytes::from_static(b"<a>VRDGPP80A01H501A</a>")),
        ..traccia("altrui")
    };
    store
        .write_tracce(&[rifiutata.clone(), ripetuta.clone(), altrui])
        .await
        .unwrap();
    let find = async |store: &SharedStore, chi: &str| {
        let ricerca = Ricerca {
            persona: Some(chi.parse().unwrap()),
            ..Ricerca::default()
        };
        let mut trovate: Vec<_> = all_pages(store, &ricerca, 10)
            .await
            .into_iter()
            .map(|traccia| traccia.message_id)
            .collect();
        trovate.sort();
        trovate
    };
    let in_ordine = |mut ids: Vec<Uuid>| {
        ids.sort();
        ids
    };
    let tutte = in_ordine(vec![registrato, rifiutata.message_id, ripetuta.message_id]);
    assert_eq!(find(&store, &chi).await, tutte);
    let minore = fascicolo.schede[0].codice_fiscale.as_str();
    let della_domanda = in_ordine(vec![registrato, ripetuta.message_id]);
    assert_eq!(find(&store, minore).await, della_domanda);
    assert_eq!(find(&store, "80000000002").await, Vec::<Uuid>::new());
    // Without the key what was refused stays unknown, and whoever asks is told that it does.
    assert!(store.trova_persone() && !banco.store.trova_persone());
    assert_eq!(find(&banco.store, &chi).await, della_domanda);
    // By number, too, everything that was about the domanda.
    let numero = Ricerca {
        numero_domanda: Some(registrata(&esito).numero_domanda.0),
        ..Ricerca::default()
    };
    assert_eq!(all_pages(&store, &numero, 10).await.len(), 2);
}

pub(crate) async fn nobodys_codice_fiscale_lies_in_the_search_index(banco: &Banco) {
    let (store, _) = banco.open(&with_key(chiave())).await.unwrap();
    let rifiutata = Traccia {
        richiesta: Some(Bytes::from_static(b"<a>RSSMRA80A01H501U</a>")),
        ..traccia("a")
    };
    store.write_tracce(&[rifiutata]).await.unwrap();
    let righe = banco
        .raw()
        .await
        .rows(banco.says(
            "SELECT hex(indizio) AS indizio FROM tracce_indizi",
            "SELECT upper(encode(indizio, 'hex')) AS indizio FROM tracce_indizi",
        ))
        .await;
    let ombra = chiave().ombra(&"RSSMRA80A01H501U".parse().unwrap());
    let atteso = hex(&ombra).to_uppercase();
    assert_eq!(righe, [serde_json::json!({ "indizio": format!("50{atteso}") })]);
}

pub(crate) async fn two_gateways_with_different_keys_are_told_so(banco: &Banco) {
    banco.open(&with_key(chiave())).await.unwrap();
    banco.open(&with_key(chiave())).await.unwrap();
    let altra = banco.open(&with_key("22".repeat(32).parse().unwrap())).await;
    let Err(StoreError::Refused(causa)) = altra else {
        panic!("{altra:?}")
    };
    assert!(
        causa.contains("trace.chiave_ricerca") && !causa.contains(&"22".repeat(32)),
        "{causa}"
    );
    // Without one it opens: a look at the register needs none.
    banco.another().await;
}

pub(crate) async fn a_search_is_kept_under_a_name_and_forgotten(banco: &Banco) {
    let mut ricerca = Ricerca::default();
    for (nome, valore) in [
        ("ente", "PAT01"),
        ("esito", "FAULT"),
        ("user_id", "'\"\\; DROP TABLE tracce_filtri; --"),
    ] {
        ricerca.set(nome, valore).unwrap();
    }
    let adesso: Timestamp = istante(LUGLIO);
    let di_tutti = FiltroSalvato::new("rifiuti di PAT01", None, &ricerca, adesso).unwrap();
    let mio = FiltroSalvato::new("rifiuti di PAT01", Some("anna"), &ricerca, adesso).unwrap();
    for filtro in [&di_tutti, &mio, &mio] {
        banco.store.keep_filtro(filtro).await.unwrap();
    }
    assert_eq!(
        banco.store.filtri(None).await.unwrap(),
        std::slice::from_ref(&di_tutti)
    );
    assert_eq!(
        banco.store.filtri(Some("anna")).await.unwrap(),
        [di_tutti.clone(), mio]
    );
    ricerca.set("esito", "RIFIUTATA").unwrap();
    let nuovo = FiltroSalvato::new("rifiuti di PAT01", None, &ricerca, adesso).unwrap();
    banco.store.keep_filtro(&nuovo).await.unwrap();
    assert_eq!(banco.store.filtri(Some("bruno")).await.unwrap(), [nuovo]);
    assert!(banco.store.forget_filtro(None, "rifiuti di PAT01").await.unwrap());
    assert!(!banco.store.forget_filtro(None, "rifiuti di PAT01").await.unwrap());
    assert_eq!(banco.store.filtri(None).await.unwrap(), []);

    ricerca.set("persona", "RSSMRA80A01H501U").unwrap();
    let errato = |nome: &str, ricerca: &Ricerca| FiltroSalvato::new(nome, None, ricerca, adesso).unwrap_err();
    assert_eq!(errato("x", &ricerca), FiltroErrato::Persona);
    assert_eq!(errato(" ", &ricerca), FiltroErrato::Nome);
    assert_eq!(errato("a\nb", &ricerca), FiltroErrato::Nome);
    assert_eq!(errato("x", &Ricerca::default()), FiltroErrato::Vuoto);
}

/// `varco trace` on this store: exit code, what it said, what it noted beside.
fn varco_trace(banco: &Banco, cartella: &Path, argomenti: &[&str], ingresso: &str) -> (i32, String, String) {
    let url = match banco.url() {
        StoreUrl::Sqlite(path) => format!("sqlite:{}", path.display()),
        StoreUrl::Postgres(url) => url.as_str().to_owned(),
    };
    let mut comando = Command::new(env!("CARGO_BIN_EXE_varco"))
        .arg("trace")
        .args(argomenti)
        .args(["--config", "varco.toml"])
        .env("VARCO_STORE", url)
        .current_dir(cartella)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    comando
        .stdin
        .take()
        .unwrap()
        .write_all(ingresso.as_bytes())
        .unwrap();
    let esito = comando.wait_with_output().unwrap();
    let testo = |bytes| String::from_utf8(bytes).unwrap();
    (
        esito.status.code().unwrap(),
        testo(esito.stdout),
        testo(esito.stderr),
    )
}

pub(crate) async fn the_command_finds_tells_and_exports_and_names_nobody(banco: &Banco) {
    let cartella = tempfile::tempdir().unwrap();
    let qui = cartella.path();
    std::fs::write(qui.join("varco.toml"), "ambiente = \"collaudo\"\n").unwrap();
    std::fs::write(qui.join("chiave-ricerca.key"), chiave().text()).unwrap();
    let (store, _) = banco.open(&with_key(chiave())).await.unwrap();
    let ostili = [
        "=HYPERLINK(\"http://x\")",
        "+1",
        "@SUM(A1)",
        "a\r\n;=1,\"b\"",
        "<script>alert(1)</script>",
        "RSSMRA80A01H501U",
    ];
    let tracce: Vec<_> = (0..)
        .zip(ostili)
        .map(|(n, ostile)| Traccia {
            ricevuto_il: istante(LUGLIO) + SignedDuration::from_millis(n),
            user_id: Some(ostile.to_owned()),
            chiave_invio: Some(ostile.to_owned()),
            richiesta: Some(Bytes::from(format!(
                "<at:CodiceFiscale>BBBRRR14A01A001X</at:CodiceFiscale>{n}"
            ))),
            ..traccia(&format!("n{n}"))
        })
        .collect();
    store.write_tracce(&tracce).await.unwrap();
    let trace = |argomenti: &[&str]| varco_trace(banco, qui, argomenti, "");

    // Page by page, by the cursor that it tells.
    let (codice, prime, nota) = trace(&["--limite", "4", "--json"]);
    assert_eq!((codice, prime.lines().count()), (0, 4), "{nota}");
    let cursore = nota.trim().rsplit(' ').next().unwrap().to_owned();
    let (_, altre, nota) = trace(&["--limite", "4", "--json", "--dopo", &cursore]);
    assert_eq!((altre.lines().count(), nota.as_str()), (2, ""));
    let (codice, _, nota) = trace(&["--ente", "PAT01", "--dopo", &cursore]);
    assert!(
        codice != 0 && nota.contains("il cursore non è di questa ricerca"),
        "{nota}"
    );

    // A person, asked for where no shell remembers it.
    let (_, trovate, nota) = varco_trace(banco, qui, &["--persona", "--json"], "bbbrrr14a01a001x\n");
    assert_eq!((trovate.lines().count(), nota.as_str()), (6, ""));
    std::fs::remove_file(qui.join("chiave-ricerca.key")).unwrap();
    let (_, trovate, nota) = varco_trace(banco, qui, &["--persona", "--json"], "BBBRRR14A01A001X\n");
    assert!(
        trovate.is_empty() && nota.contains("trace.chiave_ricerca"),
        "{nota}"
    );

    // Under a name.
    assert_eq!(trace(&["--ente", "PAT01", "--salva", "di PAT01"]).0, 0);
    assert_eq!(trace(&["--filtro", "di PAT01", "--json"]).1.lines().count(), 6);
    assert_eq!(trace(&["filtri"]).1, "di PAT01: ente=PAT01\n");
    assert_eq!(trace(&["filtri", "--dimentica", "di PAT01"]).0, 0);
    assert_ne!(trace(&["--filtro", "di PAT01"]).0, 0);

    let (_, csv, _) = trace(&["--csv"]);
    std::fs::write(qui.join("tracce.csv"), &csv).unwrap();
    let (codice, detto, nota) = trace(&["--ente", "PAT01", "--esporta", "tracce.zip"]);
    assert_eq!(
        (codice, detto.as_str()),
        (0, "tracce.zip: 6 messaggi\n"),
        "{nota}"
    );
    assert_ne!(
        trace(&["--esporta", "tracce.zip"]).0,
        0,
        "what is there is not written over"
    );
    let esportata = Ricerca {
        operazione: Some("trace esporta".to_owned()),
        ..Ricerca::default()
    };
    let note = &store.tracce(&esportata).await.unwrap().righe[0].note;
    assert_eq!(note, &["criteri: ente=PAT01"]);
    if let Some(letto) = read_by_others(qui) {
        assert_eq!(letto["righe"], 7);
        assert_eq!(letto["formule"], serde_json::json!([]));
        assert_eq!(letto["voci"], 8);
        assert_eq!(letto["sha256"], true);
        assert_eq!(letto["criteri"], serde_json::json!({ "ente": "PAT01" }));
        assert_eq!(letto["indice"], true);
        assert_eq!(letto["persone"], 0);
    }
}

/// What python's own readers of CSV and ZIP make of them; `None` where there is no python.
fn read_by_others(cartella: &Path) -> Option<serde_json::Value> {
    let programma = r#"
import csv, hashlib, io, json, zipfile
righe = list(csv.reader(open("tracce.csv", newline="", encoding="utf-8"), strict=True))
assert len({len(riga) for riga in righe}) == 1
z = zipfile.ZipFile("tracce.zip")
assert z.testzip() is None
m = json.loads(z.read("manifesto.json"))
indice = list(csv.reader(io.StringIO(z.read("indice.csv").decode(), newline=""), strict=True))
tutto = "".join(z.read(n).decode() for n in z.namelist()) + open("tracce.csv", encoding="utf-8").read()
print(json.dumps({
    "righe": len(righe),
    "formule": [c for r in righe for c in r if c.lstrip()[:1] in tuple("=+-@") and c.strip()],
    "voci": len(z.namelist()),
    "sha256": all(hashlib.sha256(z.read(v["nome"])).hexdigest() == v["sha256"] for v in m["voci"]) and len(m["voci"]) == 7,
    "criteri": m["criteri"],
    "indice": indice == righe,
    "persone": tutto.count("BBBRRR14A01A001X") + tutto.count("RSSMRA80A01H501U"),
}))
"#;
    let esito = Command::new("python3")
        .args(["-c", programma])
        .current_dir(cartella)
        .output()
        .ok()?;
    assert!(
        esito.status.success(),
        "{}",
        String::from_utf8_lossy(&esito.stderr)
    );
    Some(serde_json::from_slice(&esito.stdout).unwrap())
}

macro_rules! stories {
    ($banco:path) => {
        tell! {
            ricerca, $banco:
            the_pages_of_a_search_are_what_a_plain_look_finds,
            what_is_rare_within_what_is_frequent_is_found_page_by_page,
            somebody_is_found_in_what_was_registered_and_in_what_was_refused,
            nobodys_codice_fiscale_lies_in_the_search_index,
            two_gateways_with_different_keys_are_told_so,
            a_search_is_kept_under_a_name_and_forgotten,
            the_command_finds_tells_and_exports_and_names_nobody,
        }
    };
}

mod sqlite {
    use super::*;
    stories!(Banco::sqlite);
}

mod postgres {
    use super::*;
    stories!(Banco::postgres);
}
