//! The commands that open a store, on a PostgreSQL: what they say of it, what they never say, and the demo.

use std::fs::Permissions;
use std::io::{BufRead, BufReader};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};

use tempfile::TempDir;
use varco::cli::cluster::{Cluster, Opzioni, Rete};
use varco::cli::dev_certs;

use crate::postgres_comune::binaries;

/// In no output of any command.
const SEGRETO: &str = "se'g&reto";

/// `varco`, with this store, and no setting that somebody made for a database of his own.
pub(crate) fn varco(argomenti: &[&str], store: &str) -> Command {
    let mut comando = Command::new(env!("CARGO_BIN_EXE_varco"));
    for nome in ["PGPASSFILE", "PGPASSWORD", "PGUSER", "PGSSLMODE", "PGSSLROOTCERT"] {
        comando.env_remove(nome);
    }
    comando.args(argomenti).env("VARCO_STORE", store);
    comando
}

/// Exit code, and all that it said; no secret of it.
pub(crate) fn run(comando: &mut Command) -> (Option<i32>, String) {
    let esito = comando.output().unwrap();
    let detto = String::from_utf8([esito.stdout, esito.stderr].concat()).unwrap();
    for segreto in [SEGRETO, "reto", "se%27g"] {
        assert!(!detto.contains(segreto), "a password was told: {detto}");
    }
    (esito.status.code(), detto)
}

/// A folder with certificates, adesioni and a varco.toml of produzione; the store comes by the environment.
fn folder() -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    dev_certs::make(
        &dir.path().join("certs"),
        &dev_certs::Opzioni::at("2026-11-22T00:00:00Z".parse().unwrap()),
    )
    .unwrap();
    std::fs::write(
        dir.path().join("adesioni.toml"),
        "[[ente]]\ncodice = \"PAT01\"\ndenominazione = \"Uno\"\ncodice_fiscale = \"80078750587\"\n\
         certificati = [{ file = \"certs/pat01.pem\" }]\nuffici = [\"001\"]\n\
         servizi = { AssegnoTemporaneo = [\"*\"] }\n",
    )
    .unwrap();
    std::fs::write(
        dir.path().join("varco.toml"),
        "ambiente = \"produzione\"\n[tls]\ncrl = \"certs/crl.pem\"\n[database]\nattesa_s = 2\n",
    )
    .unwrap();
    dir
}

#[test]
fn check_says_as_whom_it_speaks_and_how_and_no_command_says_the_password() {
    let Some(binaries) = binaries() else { return };
    let dir = folder();
    let certs = dir.path().join("certs");
    let opzioni = Opzioni {
        rete: Rete::Tls {
            password: SEGRETO.to_owned(),
            certificato: certs.join("server.pem"),
            chiave: certs.join("server.key"),
        },
        ..Opzioni::default()
    };
    let cluster = Cluster::start(binaries, &opzioni).unwrap();
    cluster.create_database("varco").unwrap();
    // The CA's file is found from the folder of varco.toml.
    let padrone = cluster
        .url_tcp("varco", "sslmode=verify-full&sslrootcert=certs/ca.pem")
        .unwrap();
    let padrone = padrone.as_str();
    let file = dir.path().join("varco.toml");
    let config = ["--config", file.to_str().unwrap()];
    let with = |comando: &'static str| [comando, config[0], config[1]];

    let (codice, detto) = run(&mut varco(&with("check"), padrone));
    assert_eq!(codice, Some(64), "{detto}");
    assert!(
        detto.contains("the database is empty; run `varco migrate` as the owner"),
        "{detto}"
    );
    let (codice, detto) = run(&mut varco(&with("migrate"), padrone));
    assert_eq!(
        (codice, detto.as_str()),
        (Some(0), "archivio aggiornato (produzione)\n")
    );

    let (codice, detto) = run(&mut varco(&with("check"), padrone));
    assert_eq!(codice, Some(0), "{detto}");
    for frase in [
        "store = \"postgres://varco:***@localhost:",
        "database.attesa_s = 2   (varco.toml:5)",
        "archivio    PostgreSQL ",
        " (produzione), schema versione ",
        ", synchronous_commit=on, registro in ordine\n",
        "archivio    utente varco, ruolo varco_gateway, TLSv1.3\n",
        "avviso      l'utente varco è proprietario dell'archivio",
    ] {
        assert!(detto.contains(frase), "{frase:?} is not in {detto}");
    }

    // As the gateway, the password in a file of its own.
    cluster
        .sql(
            "varco",
            &format!(
                "ALTER ROLE varco_gateway PASSWORD '{}'",
                SEGRETO.replace('\'', "''")
            ),
        )
        .unwrap();
    let (_, dove) = padrone.rsplit_once('@').unwrap();
    let gateway = format!("postgres://varco_gateway@{dove}");
    let pgpass = dir.path().join("pgpass");
    std::fs::write(&pgpass, format!("localhost:*:varco:varco_gateway:{SEGRETO}\n")).unwrap();
    std::fs::set_permissions(&pgpass, Permissions::from_mode(0o600)).unwrap();
    let (codice, detto) = run(varco(&with("check"), &gateway).env("PGPASSFILE", &pgpass));
    assert_eq!(codice, Some(0), "{detto}");
    assert!(
        detto.contains("archivio    utente varco_gateway, ruolo varco_gateway, TLSv1.3\n"),
        "{detto}"
    );
    assert!(!detto.contains("avviso      l'utente"), "{detto}");
    let (codice, detto) =
        run(varco(&["register", "verify", config[0], config[1]], &gateway).env("PGPASSFILE", &pgpass));
    assert_eq!(
        (codice, detto.as_str()),
        (Some(0), "0 registrazioni, 0 anomalie\n")
    );

    // And when it goes wrong.
    let altrove = padrone.replace(&dove[..dove.find('/').unwrap()], "localhost:1");
    for (store, codice_atteso, frase) in [
        (gateway.as_str(), 64, "user varco_gateway may not log in"),
        (
            &padrone.replace("se%27g", "se%27x"),
            64,
            "password authentication failed",
        ),
        (
            &padrone.replace("sslmode", "sslmod"),
            64,
            "one of its parameters (***) is not known",
        ),
        (
            &padrone.replace("/varco?", "/altro?"),
            64,
            "there is no such database",
        ),
        (&altrove, 75, "it cannot be reached"),
    ] {
        for comando in [
            &with("check")[..],
            &with("trace"),
            &with("migrate"),
            &with("serve"),
        ] {
            let mut comando = varco(comando, store);
            let (codice, detto) = run(comando.env("VARCO_LISTENER__INDIRIZZO", "127.0.0.1:0"));
            assert!(detto.contains(frase), "{frase:?} is not in {detto}");
            assert_eq!(codice, Some(codice_atteso), "{detto}");
        }
    }
}

/// A command that goes on, and its lines up to one that holds a word.
struct Lungo {
    processo: Child,
    righe: BufReader<ChildStdout>,
}

impl Lungo {
    fn start(comando: &mut Command) -> Self {
        let mut processo = comando.stdout(Stdio::piped()).spawn().unwrap();
        let righe = BufReader::new(processo.stdout.take().unwrap());
        Self { processo, righe }
    }

    fn until(&mut self, parola: &str) -> String {
        let mut detto = String::new();
        while !detto.lines().last().unwrap_or_default().contains(parola) {
            let letti = self.righe.read_line(&mut detto).unwrap();
            assert_ne!(letti, 0, "it ended without {parola:?}: {detto}");
        }
        detto
    }

    fn interrupt(&mut self) -> Option<i32> {
        let pid = self.processo.id().to_string();
        assert!(
            Command::new("kill")
                .args(["-INT", &pid])
                .status()
                .unwrap()
                .success()
        );
        self.processo.wait().unwrap().code()
    }
}

impl Drop for Lungo {
    fn drop(&mut self) {
        // It has ended, unless an assertion failed before.
        let _ = self.processo.kill();
        let _ = self.processo.wait();
    }
}

/// As root the server is another user, which must be able to come to its folder.
fn open_to_all(cartella: &Path) {
    std::fs::set_permissions(cartella, Permissions::from_mode(0o755)).unwrap();
}

#[test]
fn the_demo_keeps_its_cluster_and_lets_the_engine_look_but_not_touch() {
    if binaries().is_none() {
        return;
    }
    let sopra = tempfile::tempdir().unwrap();
    open_to_all(sopra.path());
    let dir = sopra.path().join("demo");
    let demo = |oltre: &[&str]| {
        let mut comando = Command::new(env!("CARGO_BIN_EXE_varco"));
        comando
            .args(["demo", "--listen", "127.0.0.1:0", "--dir"])
            .arg(&dir)
            .args(oltre);
        Lungo::start(&mut comando)
    };
    let shell = |riga: &str| {
        let esito = Command::new("sh").args(["-c", riga]).output().unwrap();
        let detto = [esito.stdout, esito.stderr].concat();
        (esito.status.success(), String::from_utf8(detto).unwrap())
    };

    let mut prima = demo(&["--store", "postgres"]);
    let detto = prima.until("Ctrl-C");
    assert!(detto.contains("-000000000001  Ripetizione=true"), "{detto}");
    let psql = detto.lines().find(|riga| riga.contains("/psql ")).unwrap().trim();
    let (fatto, righe) = shell(psql);
    assert!(
        fatto && righe.contains("-000000000001 | PAT01 |") && righe.contains("(1 row)"),
        "{righe}"
    );
    let (psql, _) = psql.split_once(" -c ").unwrap();
    for (vietato, parole) in [
        (
            "UPDATE registrazioni SET ente = 'PAT02'",
            "permission denied for table registrazioni",
        ),
        (
            "DELETE FROM registrazioni",
            "permission denied for table registrazioni",
        ),
        (
            "SELECT * FROM registrazioni",
            "permission denied for table registrazioni",
        ),
        (
            "UPDATE motore_domande_v1 SET ente = 'PAT02'",
            "cannot update view",
        ),
    ] {
        let (fatto, detto) = shell(&format!("{psql} -c \"{vietato}\""));
        assert!(!fatto && detto.contains(parole), "{vietato}: {detto}");
    }
    assert_eq!(prima.interrupt(), Some(0));

    // The store of the run before, without asking for it.
    let mut seconda = demo(&[]);
    let detto = seconda.until("Ctrl-C");
    assert!(detto.contains("-000000000002  Ripetizione=true"), "{detto}");
    let config = dir.join("varco.toml");
    let (codice, elenco) = run(Command::new(env!("CARGO_BIN_EXE_varco"))
        .args(["register", "list", "--config"])
        .arg(&config));
    assert_eq!((codice, elenco.lines().count()), (Some(0), 2), "{elenco}");
    assert_eq!(seconda.interrupt(), Some(0));
    assert!(
        !dir.join("postgres/data/postmaster.pid").exists(),
        "the server stopped with the demo"
    );
}

#[test]
fn a_cluster_for_drills_ends_with_its_pipe_and_keeps_its_folder() {
    if binaries().is_none() {
        return;
    }
    let sopra = tempfile::tempdir().unwrap();
    open_to_all(sopra.path());
    let dir = sopra.path().join("pg");
    let mut comando = Command::new(env!("CARGO_BIN_EXE_varco"));
    comando
        .args(["dev", "postgres", "--dir"])
        .arg(&dir)
        .stdin(Stdio::piped());
    let mut cluster = Lungo::start(&mut comando);
    let detto = cluster.until("Ctrl-C");
    let url = detto
        .lines()
        .next()
        .unwrap()
        .strip_prefix("varco ")
        .unwrap()
        .trim();
    let preparato = folder();
    let file = preparato.path().join("varco.toml");
    let (codice, detto) = run(&mut varco(&["migrate", "--config", file.to_str().unwrap()], url));
    assert_eq!(codice, Some(0), "{detto}");
    drop(cluster.processo.stdin.take());
    assert_eq!(cluster.processo.wait().unwrap().code(), Some(0));
    assert!(dir.join("data/PG_VERSION").is_file());
    assert!(!dir.join("data/postmaster.pid").exists());
}
