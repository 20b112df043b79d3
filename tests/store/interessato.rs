//! What is told to a person of what is held on them: theirs and nobody else's, with who looked at it; and that it was told is
//! itself written down.

use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Command, Stdio};

use bytes::Bytes;
use jiff::SignedDuration;
use varco::domanda::{Originale, Pagamento};
use varco::store::operatori::{NuovoOperatore, Ruolo};
use varco::store::{Atto, OpenOptions, Ricerca, StoreUrl};
use varco::trace::Traccia;
use varco::trace::persona::ChiaveRicerca;

use crate::atti::{LUGLIO, atto, fascicolo, istante, minore, options, protocollo, registrata, traccia};
use crate::banco::Banco;
use crate::tell;

const MADRE: &str = "RSSMRA80A41H501Y";
const PADRE: &str = "VRDLGU82B52F205E";
const IBAN_MADRE: &str = "IT60X0542811101000000123456";
const DOCUMENTO: &str = "%PDF-1.7 della madre";

fn chiave() -> ChiaveRicerca {
    "33".repeat(32).parse().unwrap()
}

fn with_key() -> OpenOptions {
    OpenOptions {
        chiave_ricerca: Some(chiave()),
        ..options()
    }
}

/// What the mother asked for: two children, of the first the father is told.
fn domanda() -> Atto {
    let mut atto = atto("a", 1, &[1, 2]);
    let fascicolo = fascicolo(&mut atto);
    fascicolo.richiedente.codice_fiscale = MADRE.parse().unwrap();
    "NOMEMADRE".clone_into(&mut fascicolo.richiedente.nome);
    "COGNOMEMADRE".clone_into(&mut fascicolo.richiedente.cognome);
    fascicolo.richiedente.email = Some("madre@example.it".to_owned());
    fascicolo.pagamento = Pagamento {
        modalita: "CC",
        iban: Some(IBAN_MADRE.parse().unwrap()),
        intestato_richiedente: Some(true),
    };
    let allegato = &mut fascicolo.allegati[0];
    "documento-madre.pdf".clone_into(&mut allegato.nome_file);
    allegato.originale = Originale::of(Bytes::from_static(DOCUMENTO.as_bytes()));
    allegato.bytes_len = DOCUMENTO.len() as u64;
    for scheda in &mut fascicolo.schede {
        scheda.altro_genitore = None;
        scheda.altro_genitore_assente = Some("IGNOTO");
    }
    fascicolo.schede[0].altro_genitore = Some(PADRE.parse().unwrap());
    fascicolo.schede[0].altro_genitore_assente = None;
    atto
}

/// What is only theirs, by person: mother, father, first and second child.
fn strings() -> [(String, Vec<String>); 4] {
    let testi = |testi: &[&str]| testi.iter().map(|testo| (*testo).to_owned()).collect();
    let figlio = |n| (minore(n).as_str().to_owned(), Vec::new());
    [
        (
            MADRE.to_owned(),
            testi(&[
                "NOMEMADRE",
                "COGNOMEMADRE",
                "madre@example.it",
                "3331234567",
                IBAN_MADRE,
                DOCUMENTO,
                "documento-madre.pdf",
            ]),
        ),
        (PADRE.to_owned(), Vec::new()),
        figlio(1),
        figlio(2),
    ]
}

pub(crate) async fn each_person_is_told_what_is_theirs_and_nothing_of_the_others(banco: &Banco) {
    let cartella = folder();
    let qui = cartella.path();
    let (store, _) = banco.open(&with_key()).await.unwrap();
    registrata(&store.register(&[domanda()], istante(LUGLIO)).await.unwrap()[0]);
    // More than one step of the walk would hold nothing of; and one that is nobody's of these.
    let mut altrui = atto("z", 9, &[9]);
    fascicolo(&mut altrui).schede[0].altro_genitore = None;
    registrata(&store.register(&[altrui], istante(LUGLIO)).await.unwrap()[0]);
    add_operatori(&store).await;

    for (n, (chi, suoi)) in strings().into_iter().enumerate() {
        let file = format!("{n}.zip");
        let (codice, detto, nota) = varco(banco, qui, &arguments("anna.bianchi", &file), &format!("{chi}\n"));
        assert_eq!(codice, 0, "{nota}");
        assert!(detto.contains(": 1 domande, "), "{detto}");
        assert!(!detto.contains(&chi) && !nota.contains(&chi));
        let modo = std::fs::metadata(qui.join(&file)).unwrap().permissions().mode();
        assert_eq!(modo & 0o777, 0o600);
        let Some(dentro) = read_all(qui, &file) else {
            return;
        };
        for testo in suoi.iter().chain([&chi]) {
            assert!(dentro.contains(testo), "{testo} is not in {dentro}");
        }
        for (altri, loro) in strings().into_iter().filter(|(altri, _)| *altri != chi) {
            for testo in loro.iter().chain([&altri]) {
                assert!(!dentro.contains(testo), "{testo}, of another, is in {dentro}");
            }
        }
        // What is there is not written over.
        assert_ne!(
            varco(banco, qui, &arguments("anna.bianchi", &file), &format!("{chi}\n")).0,
            0
        );
    }
}

pub(crate) async fn who_looked_is_told_and_the_telling_is_found_by_the_person(banco: &Banco) {
    let cartella = folder();
    let qui = cartella.path();
    std::fs::write(qui.join("chiave-ricerca.key"), chiave().text()).unwrap();
    let (store, _) = banco.open(&with_key()).await.unwrap();
    let esito = store.register(&[domanda()], istante(LUGLIO)).await.unwrap();
    let numero = protocollo(&esito[0]);
    add_operatori(&store).await;
    // One that was refused, and a look at it and at the domanda: neither has the person in it.
    let rifiutata = Traccia {
        ricevuto_il: istante(LUGLIO),
        richiesta: Some(Bytes::from(format!("<CodiceFiscale>{MADRE}</CodiceFiscale>"))),
        ..traccia("rifiutata")
    };
    let look = |nome: &str, n: i64| Traccia {
        canale: "CONSOLE".to_owned(),
        operazione: Some("console in chiaro".to_owned()),
        user_id: Some("carla.verdi".to_owned()),
        ricevuto_il: istante(LUGLIO) + SignedDuration::from_secs(n),
        esito: "RISPOSTA".to_owned(),
        protocollo: None,
        numero_domanda: None,
        ..traccia(nome)
    };
    let alla_rifiutata = Traccia {
        note: vec![
            format!("di {}", rifiutata.message_id),
            "motivo: reclamo del 3 luglio".to_owned(),
        ],
        ..look("sguardo 1", 1)
    };
    let alla_domanda = Traccia {
        protocollo: Some(numero),
        note: vec!["motivo: verifica di merito".to_owned()],
        ..look("sguardo 2", 2)
    };
    let altrove = Traccia {
        note: vec![
            "di 0197a3c1-0000-7000-8000-00000000ffff".to_owned(),
            "motivo: altra cosa".to_owned(),
        ],
        ..look("sguardo 3", 3)
    };
    store
        .write_tracce(&[rifiutata, alla_rifiutata, alla_domanda, altrove])
        .await
        .unwrap();

    let ingresso = format!("{}\n", MADRE.to_lowercase());
    for (file, accessi) in [("1.zip", 2), ("2.zip", 3)] {
        let (codice, detto, nota) = varco(banco, qui, &arguments("anna.bianchi", file), &ingresso);
        assert_eq!(codice, 0, "{nota}");
        assert_eq!(
            detto,
            format!("{file}: 1 domande, 2 messaggi, {accessi} accessi, 1 documenti\n")
        );
        let Some(dentro) = read_all(qui, file) else {
            continue;
        };
        assert!(dentro.contains("reclamo del 3 luglio") && dentro.contains("verifica di merito"));
        assert!(!dentro.contains("altra cosa"));
        // The second tells of the first.
        assert_eq!(dentro.contains("istanza prot. 123"), file == "2.zip", "{dentro}");
    }
    let di = |chi: &str| Ricerca {
        persona: Some(chi.parse().unwrap()),
        operazione: Some("interessato".to_owned()),
        ..Ricerca::default()
    };
    let fatte = store.tracce(&di(MADRE)).await.unwrap().righe;
    assert_eq!(fatte.len(), 2);
    assert_eq!(fatte[1].user_id.as_deref(), Some("anna.bianchi"));
    assert_eq!(
        fatte[1].note,
        [
            "motivo: istanza prot. 123/2026",
            "esportati: 1 domande, 2 messaggi, 2 accessi, 1 documenti"
        ]
    );
    assert!(fatte.iter().all(|fatta| fatta.richiesta.is_none()));
    assert_eq!(store.tracce(&di(PADRE)).await.unwrap().righe, []);
}

pub(crate) async fn who_may_not_ask_is_refused_and_leaves_no_file(banco: &Banco) {
    let cartella = folder();
    let qui = cartella.path();
    add_operatori(&banco.store).await;
    banco
        .store
        .set_disabilitato("carla.verdi", Some(istante(LUGLIO)))
        .await
        .unwrap();
    for (operatore, attesa) in [
        ("lia.neri", "un lettore non vede dati in chiaro"),
        ("carla.verdi", "operatore disabilitato"),
        ("nessuno", "nessun operatore ha questo nome"),
    ] {
        let (codice, _, nota) = varco(banco, qui, &arguments(operatore, "x.zip"), &format!("{MADRE}\n"));
        assert_eq!(codice, 65, "{nota}");
        assert!(nota.contains(attesa), "{nota}");
    }
    // By its form: a wrong check character, a word, nothing. None of it is told again.
    for errato in ["RSSMRA80A41H501A", "ROSSI", ""] {
        let (codice, _, nota) = varco(banco, qui, &arguments("anna.bianchi", "x.zip"), errato);
        assert_eq!(codice, 64, "{nota}");
        assert!(
            nota.contains("codice fiscale") && (errato.is_empty() || !nota.contains(errato)),
            "{nota}"
        );
    }
    let mut senza = arguments("anna.bianchi", "x.zip");
    senza[2] = "breve";
    let (codice, _, nota) = varco(banco, qui, &senza, &format!("{MADRE}\n"));
    assert!(codice == 64 && nota.contains("--motivo"), "{nota}");
    assert!(!qui.join("x.zip").exists() && !qui.join("x.zip.parte").exists());
    let fatte = Ricerca {
        operazione: Some("interessato".to_owned()),
        ..Ricerca::default()
    };
    assert_eq!(banco.store.tracce(&fatte).await.unwrap().righe, []);
}

fn folder() -> tempfile::TempDir {
    let cartella = tempfile::tempdir().unwrap();
    std::fs::write(cartella.path().join("varco.toml"), "ambiente = \"collaudo\"\n").unwrap();
    cartella
}

async fn add_operatori(store: &varco::store::SharedStore) {
    for (nome, ruolo) in [
        ("anna.bianchi", Ruolo::Indagatore),
        ("carla.verdi", Ruolo::Gestore),
        ("lia.neri", Ruolo::Lettore),
    ] {
        let nuovo = NuovoOperatore {
            nome: nome.to_owned(),
            ruolo,
            password: Some("$argon2id$prova".to_owned()),
            certificato_sha256: None,
        };
        assert!(store.add_operatore(&nuovo, istante(LUGLIO)).await.unwrap());
    }
}

fn arguments<'a>(operatore: &'a str, file: &'a str) -> [&'a str; 8] {
    [
        "-",
        "--motivo",
        "istanza prot. 123/2026",
        "--operatore",
        operatore,
        "-o",
        file,
        "--documenti",
    ]
}

fn varco(banco: &Banco, cartella: &Path, argomenti: &[&str], ingresso: &str) -> (i32, String, String) {
    let url = match banco.url() {
        StoreUrl::Sqlite(path) => format!("sqlite:{}", path.display()),
        StoreUrl::Postgres(url) => url.as_str().to_owned(),
    };
    let mut comando = Command::new(env!("CARGO_BIN_EXE_varco"))
        .arg("interessato")
        .args(argomenti)
        .args(["--config", "varco.toml"])
        .env("VARCO_STORE", url)
        .current_dir(cartella)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // It may have refused before it read.
    let _ = comando.stdin.take().unwrap().write_all(ingresso.as_bytes());
    let esito = comando.wait_with_output().unwrap();
    let testo = |bytes| String::from_utf8(bytes).unwrap();
    (
        esito.status.code().unwrap(),
        testo(esito.stdout),
        testo(esito.stderr),
    )
}

/// Every name and every byte of it, as python reads a ZIP; `None` where there is no python.
fn read_all(cartella: &Path, file: &str) -> Option<String> {
    let programma = "import sys, zipfile\nz = zipfile.ZipFile(sys.argv[1])\nassert z.testzip() is None\n\
                     sys.stdout.buffer.write(b''.join(n.encode() + b'\\n' + z.read(n) for n in z.namelist()))";
    let esito = Command::new("python3")
        .args(["-c", programma, file])
        .current_dir(cartella)
        .output()
        .ok()?;
    assert!(
        esito.status.success(),
        "{}",
        String::from_utf8_lossy(&esito.stderr)
    );
    Some(String::from_utf8(esito.stdout).unwrap())
}

/// The stories, on one kind of bench.
macro_rules! interessati {
    ($banco:path) => {
        tell! {
            interessato, $banco:
            each_person_is_told_what_is_theirs_and_nothing_of_the_others,
            who_looked_is_told_and_the_telling_is_found_by_the_person,
            who_may_not_ask_is_refused_and_leaves_no_file,
        }
    };
}

mod sqlite {
    use super::*;
    interessati!(Banco::sqlite);
}

mod postgres {
    use super::*;
    interessati!(Banco::postgres);
}
