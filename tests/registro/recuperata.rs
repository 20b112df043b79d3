//! One of everything that a gateway, the engine and the keeper of the register write after a copy was taken, and the copy put
//! back: all of it comes back out of the store that was set aside, row by row.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use varco::config::Config;
use varco::store::StoreUrl;

use crate::banco::Raw;
use crate::comando::{AUTORITA, Detto, register, run};
use crate::helpers::{Archivio, Client, Gateway, Setting, on_both_stores};
use crate::ritorno::{all_is_well, bring_back, copy_of};

on_both_stores! {
    one_of_everything_comes_back_as_it_was,
    what_both_stores_wrote_about_a_domanda_stops_it_or_stays_ours,
}

/// A sample of `varco sample`, another one for every seed.
fn sample(seme: u64, altro: &[&str]) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_varco"))
        .args(["sample", "--data", "2021-07-15", "--seme", &seme.to_string()])
        .args(altro)
        .output()
        .unwrap();
    assert!(output.status.success());
    String::from_utf8(output.stdout).unwrap()
}

/// Sends so many domande, each of a seed of its own.
fn send(client: &Client, semi: impl Iterator<Item = u64>) {
    for seme in semi {
        let risposta = client.post(sample(seme, &[]).as_bytes());
        assert_eq!(
            risposta.value("Esito").as_deref(),
            Some("REGISTRATA"),
            "{}",
            risposta.text()
        );
    }
}

/// A lot of two, until it was worked.
fn send_lot(gateway: &Gateway) {
    let risposta = gateway
        .client("pat01")
        .post(sample(700, &["InviaLotto"]).as_bytes());
    assert_eq!(risposta.status, 200, "{}", risposta.text());
    let url = url_of(gateway.dir());
    gateway.block_on(async {
        let mut raw = Raw::open(&url).await;
        let finiti = "SELECT count(*) AS n FROM lotti WHERE stato = 'done'";
        while raw.number(finiti).await == 0 {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    });
}

fn url_of(dir: &Path) -> StoreUrl {
    Config::load(&dir.join("varco.toml"), &Vec::new())
        .unwrap()
        .config
        .store
}

/// Runs the engine once over all that waits for it.
fn engine(url: &StoreUrl) {
    let adesso = "2021-09-30T12:00:00Z";
    well(&run(&[
        "engine",
        &url.to_string(),
        "--una-volta",
        "--adesso",
        adesso,
    ]));
}

fn annul(config: &Path, n: u64) {
    let annulla = [
        "annul",
        &protocollo(n),
        "--motivo",
        "prova",
        "--operatore",
        "m.verdi",
    ];
    well(&register(config, &[&annulla[..], &AUTORITA].concat()));
}

fn well(detto: &Detto) {
    assert_eq!(detto.codice, 0, "{}", detto.errori);
}

fn protocollo(n: u64) -> String {
    format!("INPS-AUF-2021-{n:012}")
}

/// All rows of a table, as text.
async fn rows_of(url: &StoreUrl, tabella: &str, senza: &str) -> Vec<String> {
    let mut raw = Raw::open(url).await;
    let colonne = match url {
        StoreUrl::Sqlite(_) => {
            format!("SELECT name FROM pragma_table_info('{tabella}') WHERE name <> '{senza}'")
        }
        StoreUrl::Postgres(_) => format!(
            "SELECT attname AS name FROM pg_attribute WHERE attrelid = '{tabella}'::regclass AND attnum > 0
             AND NOT attisdropped AND attname <> '{senza}'"
        ),
    };
    let colonne: Vec<String> = raw
        .rows(&colonne)
        .await
        .iter()
        .map(|riga| match url {
            StoreUrl::Sqlite(_) => format!("quote({})", riga["name"].as_str().unwrap()),
            StoreUrl::Postgres(_) => format!("quote_nullable({}::text)", riga["name"].as_str().unwrap()),
        })
        .collect();
    let righe = raw
        .rows(&format!(
            "SELECT {} AS riga FROM {tabella} ORDER BY 1",
            colonne.join(" || ' ' || ")
        ))
        .await;
    righe
        .iter()
        .map(|riga| riga["riga"].as_str().unwrap().to_owned())
        .collect()
}

/// A gateway of a database that is no sandbox.
fn setting(archivio: Archivio) -> Setting {
    Setting {
        ambiente: Some("collaudo".to_owned()),
        ..Setting::on(archivio)
    }
}

fn one_of_everything_comes_back_as_it_was(archivio: Archivio) {
    let setting = setting(archivio);
    let gateway = Gateway::spawn(&setting);
    send(&gateway.client("pat01"), 1..=2);
    let url = url_of(gateway.dir());
    engine(&url);
    // Two that wait for the engine when the copy is taken.
    send(&gateway.client("pat01"), 3..=4);
    let dir = gateway.stop();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let copia = runtime.block_on(copy_of(&url));

    let gateway = Gateway::spawn_in(dir, &setting);
    send(&gateway.client("pat01"), 5..=7);
    send_lot(&gateway);
    engine(&url);
    let config = gateway.dir().join("varco.toml");
    // Of what the copy knows and of what it does not, one each.
    for n in [1, 5] {
        annul(&config, n);
    }
    for n in [2, 6] {
        let assegna = [
            "assign",
            &protocollo(n),
            "--ufficio",
            "sede di Terni",
            "--operatore",
            "m.verdi",
        ];
        well(&register(&config, &assegna));
        let numero = n.to_string();
        let vincola = [
            "space",
            "hold",
            &numero,
            "--motivo",
            "causa",
            "--operatore",
            "m.verdi",
            "--config",
        ];
        well(&run(&[&vincola[..], &[config.to_str().unwrap()]].concat()));
    }
    let _dir = gateway.stop();
    runtime.block_on(async {
        let mut raw = Raw::open(&url).await;
        raw.execute("INSERT INTO buste (giorno, identificatore) VALUES ('2021-07-15', 'PatronatoUno_P_0000001_2021-07-15_12:00')")
            .await
            .unwrap();
    });

    runtime.block_on(async {
        let tornate = bring_back(&copia.url, &url, 9, false).await.unwrap();
        assert_eq!((tornate.tornate.len(), tornate.lacune.len()), (1, 0));
        all_is_well(&copia.url, 9).await;
        for (tabella, senza, almeno) in [
            ("registrazioni", "", 9),
            ("ricevute", "", 9),
            ("payload", "", 9),
            ("domande", "", 9),
            ("schede", "", 9),
            ("elenco", "", 9),
            ("variazioni", "", 18),
            ("decisioni", "", 9),
            ("pagamenti", "", 1),
            ("annullamenti", "id", 2),
            ("assegnazioni", "id", 2),
            ("vincoli", "id", 2),
            ("lotti", "", 1),
            ("lotti_esiti", "", 1),
            ("buste", "", 1),
        ] {
            let dette = rows_of(&url, tabella, senza).await;
            assert!(dette.len() >= almeno, "{tabella}: {} rows", dette.len());
            assert_eq!(rows_of(&copia.url, tabella, senza).await, dette, "{tabella}");
        }
        // A second time there is nothing.
        let ancora = bring_back(&copia.url, &url, 9, false).await.unwrap();
        assert!(ancora.tornate.is_empty());
    });
}

fn what_both_stores_wrote_about_a_domanda_stops_it_or_stays_ours(archivio: Archivio) {
    let setting = setting(archivio);
    let gateway = Gateway::spawn(&setting);
    send(&gateway.client("pat01"), 1..=2);
    let url = url_of(gateway.dir());
    let dir = gateway.stop();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let copia = runtime.block_on(copy_of(&url));
    let gateway = Gateway::spawn_in(dir, &setting);
    send(&gateway.client("pat01"), 3..=3);
    let config = gateway.dir().join("varco.toml");
    // The engine decides both, there and here: the decisions of here stay.
    engine(&url);
    engine(&copia.url);
    let ours = runtime.block_on(async {
        let ours = rows_of(&copia.url, "decisioni", "").await;
        let altra = copy_of(&copia.url).await;
        bring_back(&altra.url, &url, 3, false).await.unwrap();
        all_is_well(&altra.url, 3).await;
        let dopo = rows_of(&altra.url, "decisioni", "").await;
        assert!(ours.iter().all(|nostra| dopo.contains(nostra)));
        // Those that came are of the one that came.
        let sue = "SELECT count(*) AS n FROM decisioni WHERE numero_domanda = 3";
        let sue = Raw::open(&altra.url).await.number(sue).await;
        assert_eq!(
            (sue > 0, dopo.len()),
            (true, ours.len() + usize::try_from(sue).unwrap())
        );
        ours
    });
    // But an annulment of there changes what was decided here: people have to look.
    annul(&config, 1);
    let _dir = gateway.stop();
    runtime.block_on(async {
        let errore = bring_back(&copia.url, &url, 3, false).await.unwrap_err();
        assert_eq!(
            errore,
            "store refused: nothing comes back from that store: domanda 1: something was written about it here since, and \
             acts about it would come back"
        );
        assert_eq!(rows_of(&copia.url, "decisioni", "").await, ours);
        all_is_well(&copia.url, 2).await;
    });
}
