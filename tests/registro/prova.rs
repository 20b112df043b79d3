//! The chain of proof by the command line: exported, checked without the store, signed, proved.

use std::fs;
use std::path::Path;
use std::process::Command;

use varco::sigilli::firma::Firma;
use varco::store::sigilli::sigilla;
use varco::trace::sigillatore::Bacheca;

use crate::atti::{LUGLIO, atto, istante, protocollo, registrata, traccia};
use crate::banco::{Banco, Raw};
use crate::comando::{Detto, config_of, register};
use crate::tell;

tell! {
    a_day_is_exported_checked_and_proved_by_commands_alone,
    an_anchor_that_was_changed_or_signed_by_another_is_refused,
}

fn trace(dir: &Path, argomenti: &[&str]) -> Detto {
    let output = Command::new(env!("CARGO_BIN_EXE_varco"))
        .arg("trace")
        .args(argomenti)
        .current_dir(dir)
        .output()
        .unwrap();
    Detto {
        codice: output.status.code().unwrap(),
        fuori: String::from_utf8(output.stdout).unwrap(),
        errori: String::from_utf8(output.stderr).unwrap(),
    }
}

async fn seal(banco: &Banco, adesso: &str) {
    // Other tests share the cluster: what they write elsewhere is waited for.
    for _ in 0..1000 {
        sigilla(banco.store.as_ref(), istante(adesso), [3; 32], 100)
            .await
            .unwrap();
        let segni = banco.store.coda().await.unwrap().segni();
        if banco.store.attesa(&segni).await.unwrap().is_none() {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
}

/// A folder with a configuration, a key, and the end of 1 July among the anchors.
async fn closed_day(banco: &Banco) -> (tempfile::TempDir, String) {
    let esito = banco.one(atto("a", 1, &[1]), LUGLIO).await;
    banco.store.write_tracce(&[traccia("b")]).await.unwrap();
    seal(banco, LUGLIO).await;
    seal(banco, "2021-07-02T08:00:00Z").await;
    let config = config_of(banco);
    let dir = config.path();
    assert_eq!(trace(dir, &["key"]).codice, 0);
    // A key is never written over.
    assert_eq!(trace(dir, &["key"]).codice, 64);
    let bacheca = Bacheca {
        cartella: dir.join("ancore"),
        nodo: "varco".to_owned(),
        firma: Some(Firma::from_pem(&fs::read_to_string(dir.join("firma.pem")).unwrap()).unwrap()),
    };
    for (giorno, documento) in banco.store.giornate(None, 9).await.unwrap() {
        bacheca.put(giorno, &documento).unwrap();
    }
    fs::write(dir.join("ricevuta"), &registrata(&esito).ricevuta).unwrap();
    (config, protocollo(&esito))
}

const ANCORA: [&str; 4] = [
    "--ancora",
    "ancore/prova-2021-07-01.json",
    "--chiave",
    "firma.pem.pub",
];

async fn a_day_is_exported_checked_and_proved_by_commands_alone(banco: &Banco) {
    let (config, numero) = closed_day(banco).await;
    let dir = config.path();
    let detto = trace(dir, &["export", "--giorno", "2021-07-01", "-o", "catena.txt"]);
    assert_eq!(
        (detto.codice, detto.fuori.starts_with("2021-07-01: 3 righe in ")),
        (0, true),
        "{detto:?}"
    );
    let mai = trace(dir, &["export", "--giorno", "2021-06-01", "-o", "niente.txt"]);
    assert_eq!(
        (mai.codice, dir.join("niente.txt").exists()),
        (65, false),
        "{mai:?}"
    );

    // Without the store, and without its configuration.
    fs::rename(dir.join("varco.toml"), dir.join("via.toml")).unwrap();
    let detto = trace(dir, &[&["verify", "catena.txt"], &ANCORA[..]].concat());
    assert_eq!(detto.codice, 0, "{detto:?}");
    assert!(
        detto.fuori.contains("tutte come furono sigillate") && detto.fuori.contains("con la sua firma"),
        "{detto:?}"
    );
    let intatta = fs::read_to_string(dir.join("catena.txt")).unwrap();
    fs::write(
        dir.join("alterata.txt"),
        intatta.replacen("RISPOSTA", "RISPOSTo", 1),
    )
    .unwrap();
    let detto = trace(dir, &["verify", "alterata.txt"]);
    let attesa = format!(
        "tracce {}: la riga non è quella che fu sigillata",
        traccia("b").message_id
    );
    assert_eq!(
        (detto.codice, detto.fuori.contains(&attesa)),
        (65, true),
        "{detto:?}"
    );
    fs::rename(dir.join("via.toml"), dir.join("varco.toml")).unwrap();

    let toml = dir.join("varco.toml");
    let detto = register(
        &toml,
        &["proof", &numero, "-o", dir.join("prova.json").to_str().unwrap()],
    );
    assert_eq!(detto.codice, 0, "{detto:?}");
    let verify = |prova: &str, ricevuta: &str| {
        let dove = |nome: &str| dir.join(nome).to_str().unwrap().to_owned();
        register(
            &toml,
            &[
                "proof",
                "--verify",
                &dove(prova),
                "--ancora",
                &dove(ANCORA[1]),
                "--chiave",
                &dove(ANCORA[3]),
                "--ricevuta",
                &dove(ricevuta),
            ],
        )
    };
    let detto = verify("prova.json", "ricevuta");
    assert_eq!(
        (detto.codice, detto.fuori.contains("la ricevuta è la sua")),
        (0, true),
        "{detto:?}"
    );
    assert_eq!(verify("prova.json", "catena.txt").codice, 65);
    let altra = fs::read_to_string(dir.join("prova.json"))
        .unwrap()
        .replace("PAT01", "PAT02");
    fs::write(dir.join("altra.json"), altra).unwrap();
    let detto = verify("altra.json", "ricevuta");
    assert_eq!(
        (detto.codice, detto.fuori.contains("non sta nel blocco")),
        (65, true),
        "{detto:?}"
    );

    let detto = trace(dir, &["verify", "--chiave", "firma.pem.pub"]);
    assert_eq!(detto.codice, 0, "{detto:?}");
    assert!(
        detto
            .fuori
            .contains("1 giorni chiusi, 1 chiusure fra le ancore, firmate"),
        "{detto:?}"
    );
    let mut raw = banco.raw().await;
    let guardie = match raw {
        Raw::Sqlite(_) => "DROP TRIGGER tracce_a_termine; DROP TRIGGER tracce_l_ultima_resta",
        Raw::Postgres(_) => "SET session_replication_role = replica",
    };
    raw.execute(guardie).await.unwrap();
    raw.execute("DELETE FROM tracce WHERE esito = 'RISPOSTA'")
        .await
        .unwrap();
    let detto = trace(dir, &["verify"]);
    let attesa = format!(
        "tracce {}: la riga fu sigillata e non c'è più",
        traccia("b").message_id
    );
    assert_eq!(
        (detto.codice, detto.fuori.contains(&attesa)),
        (65, true),
        "{detto:?}"
    );
}

async fn an_anchor_that_was_changed_or_signed_by_another_is_refused(banco: &Banco) {
    let (config, _) = closed_day(banco).await;
    let dir = config.path();
    trace(dir, &["export", "--giorno", "2021-07-01", "-o", "catena.txt"]);
    assert_eq!(trace(dir, &["key", "-o", "altra.pem"]).codice, 0);
    let detto = trace(
        dir,
        &[
            "verify",
            "catena.txt",
            "--ancora",
            ANCORA[1],
            "--chiave",
            "altra.pem.pub",
        ],
    );
    assert_eq!(
        (detto.codice, detto.fuori.contains("la firma dell'ancora")),
        (65, true),
        "{detto:?}"
    );
    // As others check it.
    let openssl = Command::new("openssl")
        .args([
            "pkeyutl",
            "-verify",
            "-pubin",
            "-inkey",
            "firma.pem.pub",
            "-rawin",
            "-in",
            ANCORA[1],
            "-sigfile",
        ])
        .arg(format!("{}.sig", ANCORA[1]))
        .current_dir(dir)
        .output();
    if let Ok(output) = openssl {
        assert!(output.status.success(), "{output:?}");
    }
    let ancora = fs::read_to_string(dir.join(ANCORA[1])).unwrap();
    fs::write(
        dir.join(ANCORA[1]),
        ancora.replace("\"righe\": 3", "\"righe\": 2"),
    )
    .unwrap();
    for argomenti in [
        &["verify", "catena.txt", "--ancora", ANCORA[1]][..],
        &["verify", "--chiave", "firma.pem.pub"],
        &["verify"],
    ] {
        let detto = trace(dir, argomenti);
        assert_eq!(
            (detto.codice, detto.fuori.starts_with("anomalia: 2021-07-01")),
            (65, true),
            "{detto:?}"
        );
    }
}
