//! One of everything that a gateway, the engine and the keeper of the register write after a copy was taken, and the copy put
//! back: all of it comes back out of the store that was set aside, row by row.

use std::process::Command;

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

/// A lot of five, until it was worked.
fn send_lot(gateway: &Gateway) {
    let lotto = sample(700, &["--lotto", "5"]);
    let (_, elementi) = lotto.split_once("?>").unwrap();
    let busta = format!(
        "<env:Envelope xmlns:env=\"http://www.w3.org/2003/05/soap-envelope\"><env:Header>\
         <inps:Identity xmlns:inps=\"http://inps.it/\"><UserId>operatore</UserId><CodiceUfficio>001</CodiceUfficio>\
         </inps:Identity></env:Header><env:Body><at:InviaLotto xmlns:at=\"http://inps.it/AssegnoTemporaneo/v1\">\
         <at:ChiaveInvio>lotto-1</at:ChiaveInvio>{elementi}</at:InviaLotto></env:Body></env:Envelope>"
    );
    let risposta = gateway.client("pat01").post(busta.as_bytes());
    assert_eq!(risposta.status, 200, "{}", risposta.text());
    let url = url_of(gateway.dir());
    gateway.block_on(async {
        let mut raw = Raw::open(&url).await;
        while raw
            .number("SELECT count(*) AS n FROM lotti WHERE stato = 'done'")
            .await
            == 0
        {
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
    });
}

fn url_of(dir: &std::path::Path) -> StoreUrl {
    let testo = std::fs::read_to_string(dir.join("store.txt")).unwrap();
    match testo.strip_prefix("sqlite:") {
        Some(file) => StoreUrl::Sqlite(dir.join(file)),
        None => StoreUrl::Postgres(testo.parse().unwrap()),
    }
}

/// Runs the engine once over all that waits for it.
fn engine(url: &StoreUrl) {
    let url = match url {
        StoreUrl::Sqlite(file) => format!("sqlite:{}", file.display()),
        StoreUrl::Postgres(url) => url.as_str().to_owned(),
    };
    well(&run(&[
        "engine",
        &url,
        "--una-volta",
        "--adesso",
        "2021-09-30T12:00:00Z",
    ]));
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

fn one_of_everything_comes_back_as_it_was(archivio: Archivio) {
    let setting = Setting {
        ambiente: Some("collaudo".to_owned()),
        ..Setting::on(archivio)
    };
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
        let annulla = [
            "annul",
            &protocollo(n),
            "--motivo",
            "prova",
            "--operatore",
            "m.verdi",
        ];
        well(&register(&config, &[&annulla[..], &AUTORITA].concat()));
    }
    for n in [2, 6] {
        let uno = protocollo(n);
        well(&register(
            &config,
            &[
                "assign",
                &uno,
                "--ufficio",
                "sede di Terni",
                "--operatore",
                "m.verdi",
            ],
        ));
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
        let tornate = bring_back(&copia.url, &url, 12, false).await.unwrap();
        assert_eq!((tornate.tornate.len(), tornate.lacune.len()), (1, 0));
        all_is_well(&copia.url, 12).await;
        for (tabella, senza, almeno) in [
            ("registrazioni", "", 12),
            ("ricevute", "", 12),
            ("payload", "", 12),
            ("domande", "", 12),
            ("schede", "", 12),
            ("elenco", "", 12),
            ("variazioni", "", 24),
            ("decisioni", "", 12),
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
        let ancora = bring_back(&copia.url, &url, 12, false).await.unwrap();
        assert!(ancora.tornate.is_empty());
    });
}

fn what_both_stores_wrote_about_a_domanda_stops_it_or_stays_ours(archivio: Archivio) {
    let setting = Setting {
        ambiente: Some("collaudo".to_owned()),
        ..Setting::on(archivio)
    };
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
    let ours = runtime.block_on(rows_of(&copia.url, "decisioni", ""));
    runtime.block_on(async {
        bring_back(&copia.url, &url, 3, true).await.unwrap();
    });
    // But an annulment of there changes what was decided here: people have to look.
    let annulla = [
        "annul",
        &protocollo(1),
        "--motivo",
        "prova",
        "--operatore",
        "m.verdi",
    ];
    well(&register(&config, &[&annulla[..], &AUTORITA].concat()));
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
