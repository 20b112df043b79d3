//! `varco operator`, as somebody types it.

use std::io::Write as _;
use std::process::{Command, Output, Stdio};

use super::ospite::Ospite;
use super::{PASSWORD, spawn};
use crate::helpers::{Archivio, Gateway, on_both_stores};

on_both_stores! {
    an_operator_is_added_by_a_password_that_is_never_on_the_command_line,
}

fn operator(gateway: &Gateway, argomenti: &[&str], ingresso: &str) -> Output {
    let mut figlio = Command::new(env!("CARGO_BIN_EXE_varco"))
        .arg("operator")
        .args(argomenti)
        .args(["--config", "varco.toml"])
        .current_dir(gateway.dir.path())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let _ = figlio.stdin.take().unwrap().write_all(ingresso.as_bytes());
    figlio.wait_with_output().unwrap()
}

fn an_operator_is_added_by_a_password_that_is_never_on_the_command_line(archivio: Archivio) {
    let gateway = spawn(archivio);
    let said = |uscita: &Output| String::from_utf8_lossy(&uscita.stdout).into_owned();
    let riga = format!("{PASSWORD}\n");
    let anna = operator(&gateway, &["add", "anna", "--ruolo", "gestore"], &riga);
    assert_eq!(
        (anna.status.code(), said(&anna).as_str()),
        (Some(0), "anna: aggiunto, ruolo gestore\n")
    );
    Ospite::come_in(&gateway, "anna");

    let ancora = operator(&gateway, &["add", "anna", "--ruolo", "lettore"], &riga);
    assert_eq!(ancora.status.code(), Some(65));
    let corta = operator(&gateway, &["add", "bruno", "--ruolo", "lettore"], "corta\n");
    assert_eq!(corta.status.code(), Some(64));
    assert!(String::from_utf8_lossy(&corta.stderr).contains("almeno 12 caratteri"));
    assert_eq!(
        operator(&gateway, &["add", "Bruno", "--ruolo", "lettore"], &riga)
            .status
            .code(),
        Some(64)
    );
    assert_eq!(
        operator(&gateway, &["add", "bruno", "--ruolo", "capo"], &riga)
            .status
            .code(),
        Some(64)
    );

    let generata = operator(&gateway, &["passwd", "anna", "--genera"], "");
    let detta = said(&generata);
    let nuova = detta
        .split("password: ")
        .nth(1)
        .unwrap()
        .split(' ')
        .next()
        .unwrap();
    assert_eq!(Ospite::new(&gateway).sign_in("anna", PASSWORD).status, 401);
    assert_eq!(Ospite::new(&gateway).sign_in("anna", nuova).status, 303);

    assert_eq!(
        operator(&gateway, &["disable", "anna"], "").status.code(),
        Some(0)
    );
    assert_eq!(Ospite::new(&gateway).sign_in("anna", nuova).status, 401);
    let elenco = said(&operator(&gateway, &["list"], ""));
    assert!(
        elenco.contains("anna") && elenco.contains("gestore") && elenco.contains("disabilitato dal"),
        "{elenco}"
    );
    assert!(!elenco.contains("argon2"));
    assert_eq!(operator(&gateway, &["enable", "anna"], "").status.code(), Some(0));
    assert_eq!(
        operator(&gateway, &["disable", "nessuno"], "").status.code(),
        Some(65)
    );
}
