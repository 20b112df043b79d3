//! `varco engine` as a process of its own, and the examples of docs/contratto-motore.md as they stand there.

use std::collections::BTreeSet;
use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Command, Stdio};

use varco::store::StoreUrl;

use crate::atti::{LUGLIO, atto, fascicolo};
use crate::banco::Banco;
use crate::motore::nothing_was_lost;

const CONTRATTO: &str = include_str!("../../docs/contratto-motore.md");
const MIGRAZIONI: [&str; 2] = [
    concat!(
        include_str!("../../migrations/sqlite/0005_motore.sql"),
        include_str!("../../migrations/sqlite/0008_documenti_riesami.sql"),
    ),
    concat!(
        include_str!("../../migrations/postgres/0005_motore.sql"),
        include_str!("../../migrations/postgres/0008_documenti_riesami.sql"),
    ),
];

/// Makes a test of each story, on a bench of this kind.
macro_rules! stories {
    ($banco:path) => {
        $crate::tell! { motore_processo, $banco:
            the_examples_of_the_contract_do_what_they_say,
            an_engine_works_what_there_is_and_ends,
            engines_run_on_until_they_are_told_to_stop,
            the_clock_of_an_engine_is_moved,
            in_produzione_no_clock_is_moved,
        }
    };
}

mod sqlite {
    stories!(crate::banco::Banco::sqlite);
}

mod postgres {
    stories!(crate::banco::Banco::postgres);
}

/// Where an engine finds the store of a bench.
fn store_for_engines(banco: &Banco) -> String {
    match banco.url() {
        StoreUrl::Sqlite(file) => format!("sqlite:{}", file.display()),
        StoreUrl::Postgres(_) => banco.url_as("varco_motore").as_str().to_owned(),
    }
}

fn varco_engine(banco: &Banco, argomenti: &[&str]) -> Command {
    let mut comando = Command::new(env!("CARGO_BIN_EXE_varco"));
    comando
        .args(["engine", &store_for_engines(banco)])
        .args(argomenti)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    comando
}

/// Runs an engine to its end; what it said.
fn engine(banco: &Banco, argomenti: &[&str]) -> String {
    let esito = varco_engine(banco, argomenti).output().unwrap();
    let detto = String::from_utf8(esito.stdout).unwrap();
    let errori = String::from_utf8(esito.stderr).unwrap();
    assert_eq!(esito.status.code(), Some(0), "{detto}{errori}");
    detto
}

/// How the sheets stand, one line each.
async fn sheets(banco: &Banco) -> Vec<String> {
    let righe = banco
        .raw()
        .await
        .rows("SELECT numero_domanda, posto, stato, azione_richiesta FROM schede ORDER BY numero_domanda, posto")
        .await;
    righe
        .iter()
        .map(|riga| {
            format!(
                "{}/{} {} {}",
                riga["numero_domanda"],
                riga["posto"],
                riga["stato"].as_str().unwrap(),
                riga["azione_richiesta"].as_str().unwrap()
            )
        })
        .collect()
}

/// The blocks of SQL of the document, in their order.
fn examples() -> String {
    let blocchi: Vec<&str> = CONTRATTO
        .split("```sql\n")
        .skip(1)
        .map(|dopo| dopo.split("```").next().unwrap())
        .collect();
    assert!(blocchi.len() > 8, "{}", blocchi.len());
    blocchi.concat()
}

pub(crate) async fn the_examples_of_the_contract_do_what_they_say(banco: &Banco) {
    banco.one(atto("a", 1, &[1, 2]), LUGLIO).await;
    let store = store_for_engines(banco);
    let mut programma = if let Some(file) = store.strip_prefix("sqlite:") {
        let mut sqlite3 = Command::new("sqlite3");
        sqlite3.args(["-bail", "-cmd", ".timeout 10000", file]);
        sqlite3
    } else {
        let mut psql = Command::new("psql");
        psql.args(["--no-psqlrc", "-v", "ON_ERROR_STOP=1", &store]);
        psql
    };
    programma
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    match programma.spawn() {
        Ok(mut processo) => {
            processo
                .stdin
                .take()
                .unwrap()
                .write_all(examples().as_bytes())
                .unwrap();
            let esito = processo.wait_with_output().unwrap();
            let errori = String::from_utf8(esito.stderr).unwrap();
            assert!(esito.status.success() && errori.is_empty(), "{errori}");
        }
        // The words are tried all the same; only the program of this machine is not.
        Err(errore) => {
            let _ = writeln!(
                std::io::stderr(),
                "not by its program ({errore}), but by the driver"
            );
            banco
                .raw_as("varco_motore")
                .await
                .execute(&examples())
                .await
                .unwrap();
        }
    }
    assert_eq!(
        sheets(banco).await,
        ["1/1 ACCOLTA AGGIORNARE_IBAN", "1/2 PRESENTATA NESSUNA"]
    );
    let mut raw = banco.raw().await;
    let feed = raw
        .rows("SELECT tipo, motivo FROM variazioni WHERE posto = 1 ORDER BY cursore")
        .await;
    assert_eq!(
        feed.iter()
            .map(|riga| format!(
                "{} {}",
                riga["tipo"].as_str().unwrap(),
                riga["motivo"].as_str().unwrap_or("-")
            ))
            .collect::<Vec<_>>(),
        [
            "STATO -",
            "STATO -",
            "STATO IBAN_NON_ABBINATO: il conto non risulta intestato al richiedente",
            "PAGAMENTO PAGATO 2021-07 RICHIEDENTE",
            "PAGAMENTO RESTITUITO 2021-07 RICHIEDENTE: conto chiuso",
            "RINNOVO RINNOVATA 2022",
        ]
    );
    for vista in ["motore_da_lavorare_v1", "motore_prese_v1"] {
        assert_eq!(raw.number(&format!("SELECT count(*) AS n FROM {vista}")).await, 0);
    }
}

#[test]
fn the_document_and_both_stores_have_the_same_refusals() {
    let nel_documento: BTreeSet<String> = CONTRATTO
        .lines()
        .filter_map(|riga| riga.strip_prefix("| `MOT-")?.split('`').next())
        .map(|testo| format!("MOT-{testo}"))
        .collect();
    for migrazione in MIGRAZIONI {
        let nella_migrazione: BTreeSet<String> = migrazione
            .replace("''", "\u{1}")
            .split("'MOT-")
            .skip(1)
            .map(|dopo| format!("MOT-{}", dopo.split('\'').next().unwrap()).replace('\u{1}', "'"))
            .collect();
        // SQLite has one writer at a time: nobody waits there in a circle.
        let mut attesi = nel_documento.clone();
        attesi.retain(|testo| !testo.starts_with("MOT-017") || migrazione.contains("MOT-017"));
        assert_eq!(nella_migrazione, attesi);
    }
}

pub(crate) async fn an_engine_works_what_there_is_and_ends(banco: &Banco) {
    let mut prima = atto("a", 1, &[1, 2]);
    fascicolo(&mut prima).schede[1].ripartizione = "INTERO_RICHIEDENTE";
    banco.one(prima, LUGLIO).await;
    let mut estera = atto("b", 2, &[3]);
    fascicolo(&mut estera).pagamento.modalita = "ES";
    fascicolo(&mut estera).pagamento.iban = Some("DE89370400440532013000".parse().unwrap());
    banco.one(estera, LUGLIO).await;
    let detto = engine(
        banco,
        &[
            "--nome",
            "motore-7",
            "--una-volta",
            "--adesso",
            "2021-07-15T08:00:00Z",
        ],
    );
    assert_eq!(
        sheets(banco).await,
        [
            "1/1 ACCOLTA INTEGRARE_ALTRO_GENITORE",
            "1/2 ACCOLTA NESSUNA",
            "2/1 IN_EVIDENZA_CITTADINO ALLEGARE_DOCUMENTI",
        ]
    );
    let righe: Vec<&str> = detto
        .lines()
        .map(|riga| riga.split_once(' ').map_or(riga, |(_, dopo)| dopo))
        .collect();
    assert_eq!(
        righe,
        [
            "motore-7 domanda 1 scheda 1: PRESENTATA -> IN_ISTRUTTORIA",
            "motore-7 domanda 1 scheda 1: IN_ISTRUTTORIA -> ACCOLTA, INTEGRARE_ALTRO_GENITORE (importo diviso a metà: mancano i dati di pagamento dell'altro genitore)",
            "motore-7 domanda 1 scheda 2: PRESENTATA -> IN_ISTRUTTORIA",
            "motore-7 domanda 1 scheda 2: IN_ISTRUTTORIA -> ACCOLTA",
            "motore-7 domanda 2 scheda 1: PRESENTATA -> IN_ISTRUTTORIA",
            "motore-7 domanda 2 scheda 1: IN_ISTRUTTORIA -> IN_EVIDENZA_CITTADINO, ALLEGARE_DOCUMENTI (conto estero: allegare il modulo Financial Identification SEPA)",
            "2 domande lavorate, 6 decisioni",
        ]
    );
    assert!(detto.starts_with("2021-07-15T08:00:0"), "{detto}");
    // Once more: nothing is new, and nothing is due.
    let detto = engine(banco, &["--una-volta", "--adesso", "2021-07-15T09:00:00Z"]);
    assert_eq!(detto, "motore-di-prova: 0 domande lavorate, 0 decisioni\n");
}

pub(crate) async fn engines_run_on_until_they_are_told_to_stop(banco: &Banco) {
    let mut motori: Vec<_> = ["motore-1", "motore-2"]
        .iter()
        .map(|nome| {
            varco_engine(banco, &["--nome", nome, "--adesso", "2021-07-15T08:00:00Z"])
                .spawn()
                .unwrap()
        })
        .collect();
    let atti: Vec<_> = (0..40).map(|n| atto(&format!("k{n}"), 1, &[n])).collect();
    banco.register(&atti, LUGLIO).await;
    let mut raw = banco.raw().await;
    let accolte = "SELECT count(*) AS n FROM schede WHERE stato = 'ACCOLTA'";
    for _ in 0..600 {
        if raw.number(accolte).await == 40 {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    assert_eq!(raw.number(accolte).await, 40);
    for motore in &mut motori {
        let termina = Command::new("kill")
            .args(["-TERM", &motore.id().to_string()])
            .status()
            .unwrap();
        assert!(termina.success());
        let ultima = BufReader::new(motore.stdout.take().unwrap())
            .lines()
            .map_while(Result::ok)
            .last()
            .unwrap();
        assert!(ultima.ends_with(" decisioni"), "{ultima}");
        assert_eq!(motore.wait().unwrap().code(), Some(0));
    }
    nothing_was_lost(banco).await;
    assert_eq!(
        raw.number("SELECT count(*) AS n FROM prese WHERE lasciata_il IS NULL")
            .await,
        0,
        "who stops gives back what it holds"
    );
}

pub(crate) async fn the_clock_of_an_engine_is_moved(banco: &Banco) {
    let mut domanda = atto("a", 1, &[1]);
    let scheda = &mut fascicolo(&mut domanda).schede[0];
    scheda.ripartizione = "INTERO_RICHIEDENTE";
    scheda.data_nascita = Some("2003-10-10".parse().unwrap());
    banco.one(domanda, LUGLIO).await;
    let pagati = async || {
        let righe = banco
            .raw_as("varco_motore")
            .await
            .rows("SELECT mese, beneficiario, importo_cent FROM motore_pagamenti_v1 ORDER BY mese")
            .await;
        righe
            .iter()
            .map(|riga| {
                format!(
                    "{} {} {}",
                    riga["mese"].as_str().unwrap(),
                    riga["beneficiario"].as_str().unwrap(),
                    riga["importo_cent"]
                )
            })
            .collect::<Vec<_>>()
    };
    for (adesso, stato, mesi) in [
        ("2021-07-31T21:59:00Z", "ACCOLTA", 0),
        // Midnight in Rome: July is over.
        ("2021-07-31T22:00:00Z", "ACCOLTA", 1),
        ("2021-09-15T08:00:00Z", "ACCOLTA", 2),
        // Eighteen: nothing more is paid.
        ("2021-10-10T08:00:00Z", "DECADUTA", 2),
        ("2022-01-10T08:00:00Z", "DECADUTA", 2),
    ] {
        engine(banco, &["--una-volta", "--adesso", adesso]);
        assert_eq!(sheets(banco).await, [format!("1/1 {stato} NESSUNA")], "{adesso}");
        let attesi = ["2021-07 RICHIEDENTE 16750", "2021-08 RICHIEDENTE 16750"];
        assert_eq!(pagati().await, attesi[..mesi], "{adesso}");
    }
}

pub(crate) async fn in_produzione_no_clock_is_moved(banco: &Banco) {
    banco.one(atto("a", 1, &[1]), LUGLIO).await;
    let mut raw = banco.raw().await;
    raw.execute(banco.says(
        "",
        "ALTER TABLE impostazioni DISABLE TRIGGER impostazioni_restano",
    ))
    .await
    .unwrap();
    raw.execute("UPDATE impostazioni SET valore = 'produzione' WHERE nome = 'ambiente'")
        .await
        .unwrap();
    let mossa = varco_engine(banco, &["--una-volta", "--adesso", "2021-07-15T08:00:00Z"])
        .output()
        .unwrap();
    assert_eq!(mossa.status.code(), Some(64));
    let errori = String::from_utf8(mossa.stderr).unwrap();
    assert!(
        errori.contains("in produzione l'orologio è quello dell'archivio: --adesso non si usa"),
        "{errori}"
    );
    assert_eq!(sheets(banco).await, ["1/1 PRESENTATA NESSUNA"]);
    engine(banco, &["--una-volta"]);
    assert_eq!(sheets(banco).await, ["1/1 ACCOLTA INTEGRARE_ALTRO_GENITORE"]);
}

#[test]
fn what_is_no_store_of_the_contract_is_said_at_once() {
    let cartella = tempfile::tempdir().unwrap();
    let vuoto = cartella.path().join("vuoto.db");
    std::fs::write(&vuoto, "").unwrap();
    let assente = cartella.path().join("assente.db");
    for (file, atteso) in [
        (&assente, "unable to open database file"),
        (&vuoto, "no such table: motore_contratto_v1"),
    ] {
        // Without --una-volta: it does not try for ever.
        let esito = Command::new(env!("CARGO_BIN_EXE_varco"))
            .args(["engine", &format!("sqlite:{}", file.display())])
            .output()
            .unwrap();
        let errori = String::from_utf8(esito.stderr).unwrap();
        assert!(errori.contains(atteso), "{errori}");
        assert_eq!(esito.status.code(), Some(64));
    }
}
