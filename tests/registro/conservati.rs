//! Daily registers that are kept outside the store are anchors: a store that stands before the last of them draws no number.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use varco::catalogo::Codice;
use varco::domanda::Ambiente;
use varco::store::ancore::{AncoreConfig, GiornalieriConfig};
use varco::store::{OpenOptions, StoreError};

use crate::atti::{LUGLIO, atto, istante, options, protocollo};
use crate::banco::Banco;
use crate::comando::{config_of, recover, register, set_clock};
use crate::tell;

tell! {
    a_store_behind_the_last_daily_register_draws_no_number_until_the_hole_is_declared,
    a_daily_register_that_is_not_as_it_was_written_is_no_anchor,
    across_new_year_the_old_year_s_last_number_is_known_too,
}

const DOPO: &str = "2021-07-05T09:30:00Z";

/// What was kept of a store that had told five numbers: two signed days, of which the second has no registration.
struct Conservati {
    dir: tempfile::TempDir,
}

impl Conservati {
    async fn of_five_numbers() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let chiave = Command::new(env!("CARGO_BIN_EXE_varco"))
            .args(["trace", "key", "-o"])
            .arg(dir.path().join("firma.pem"))
            .output()
            .unwrap();
        assert!(chiave.status.success(), "{chiave:?}");
        fs::create_dir(dir.path().join("giornalieri")).unwrap();
        let altro = Banco::sqlite().await.unwrap();
        for n in 1..=5 {
            altro.one(atto(&format!("k{n}"), 1, &[n]), LUGLIO).await;
        }
        set_clock(&altro, DOPO).await;
        let suo = config_of(&altro);
        let conservati = Self { dir };
        for giorno in ["2021-07-01", "2021-07-02"] {
            let file = conservati.documento(giorno);
            let firma = conservati.dir.path().join("firma.pem");
            let [file, firma] = [&file, &firma].map(|path| path.to_str().unwrap());
            let argomenti = ["daily", giorno, "--out", file, "--firma", firma];
            let detto = register(&suo.path().join("varco.toml"), &argomenti);
            assert_eq!(detto.codice, 0, "{}", detto.errori);
        }
        conservati
    }

    fn documento(&self, giorno: &str) -> PathBuf {
        self.config()
            .cartella
            .unwrap()
            .join(format!("registro-{giorno}.xml"))
    }

    fn config(&self) -> GiornalieriConfig {
        GiornalieriConfig {
            cartella: Some(self.dir.path().join("giornalieri")),
            chiave: Some(self.dir.path().join("firma.pem.pub")),
        }
    }

    fn options(&self, ancore: &Path) -> OpenOptions {
        OpenOptions {
            ancore: Some(AncoreConfig {
                cartella: ancore.to_owned(),
                giornalieri: self.config(),
                ..AncoreConfig::default()
            }),
            ..options()
        }
    }
}

async fn a_store_behind_the_last_daily_register_draws_no_number_until_the_hole_is_declared(banco: &Banco) {
    let conservati = Conservati::of_five_numbers().await;
    for n in 1..=3 {
        banco.one(atto(&format!("k{n}"), 1, &[n]), LUGLIO).await;
    }
    set_clock(banco, DOPO).await;
    let dove = config_of(banco);
    let aperto = conservati.options(&dove.path().join("ancore"));
    let (store, _) = banco.open(&aperto).await.unwrap();
    let quarto = [atto("k4", 1, &[4])];
    let errore = store.register(&quarto, istante(DOPO)).await.unwrap_err();
    assert_eq!(errore.codice(), Codice::Sto004);
    assert_eq!(store.probe().await.unwrap_err().codice(), Codice::Sto004);
    store.close().await;

    let config = dove.path().join("varco.toml");
    let giornalieri = conservati.config().cartella.unwrap();
    let prima = fs::read_to_string(&config).unwrap();
    let giornalieri = giornalieri.display();
    fs::write(
        &config,
        format!("{prima}[registro]\ngiornalieri = \"{giornalieri}\"\n"),
    )
    .unwrap();
    let detto = recover(&config, &[]);
    let prima = "lacuna 1: INPS-AUF-2021-000000000004 - INPS-AUF-2021-000000000007 (4 numeri); numeri di domanda 4 - 7; ";
    assert!(detto.fuori.starts_with(prima), "{}{}", detto.fuori, detto.errori);

    let (store, _) = banco.open(&aperto).await.unwrap();
    store.probe().await.unwrap();
    let nuova = store.register(&quarto, istante(DOPO)).await.unwrap();
    assert_eq!(protocollo(&nuova[0]), "INPS-AUF-2021-000000000008");
    store.close().await;
    banco.all_is_well(4).await;
}

async fn a_daily_register_that_is_not_as_it_was_written_is_no_anchor(banco: &Banco) {
    banco.one(atto("k1", 1, &[1]), LUGLIO).await;
    let conservati = Conservati::of_five_numbers().await;
    let ancore = tempfile::tempdir().unwrap();
    let opens = async || match banco.open(&conservati.options(ancore.path())).await {
        Ok((store, _)) => {
            store.close().await;
            String::new()
        }
        Err(StoreError::Refused(causa)) => causa.replace(&conservati.dir.path().display().to_string(), "DIR"),
        Err(altro) => panic!("{altro:?}"),
    };
    assert_eq!(opens().await, "");

    // The newest is read first, and the one before it because it tells no number.
    for giorno in ["2021-07-01", "2021-07-02"] {
        let path = conservati.documento(giorno);
        let detto = |causa: &str| {
            format!("DIR/giornalieri/registro-{giorno}.xml{causa}")
                .replace(" used:", ": a daily register cannot be used as an anchor:")
        };
        let intero = fs::read(&path).unwrap();
        let falso = String::from_utf8(intero.clone())
            .unwrap()
            .replace("collaudo</Ambiente>", "collaudo</Ambiente> ");
        fs::write(&path, &falso).unwrap();
        assert_eq!(
            opens().await,
            detto(" used: it is not the document of its .sha256")
        );

        // Who changes both is found by the signature.
        let impronta = path.with_extension("xml.sha256");
        let giusta = fs::read(&impronta).unwrap();
        let sua = varco::domanda::sha256::hex(&varco::domanda::sha256::Sha256::of(falso.as_bytes()));
        fs::write(&impronta, sua).unwrap();
        assert_eq!(
            opens().await,
            detto(" used: its signature is not of the key in registro.giornalieri_chiave")
        );
        fs::write(&impronta, &giusta).unwrap();
        fs::write(&path, &intero).unwrap();

        fs::rename(&impronta, path.with_extension("via")).unwrap();
        assert_eq!(
            opens().await,
            detto(".sha256 used: No such file or directory (os error 2)")
        );
        fs::rename(path.with_extension("via"), &impronta).unwrap();
        assert_eq!(opens().await, "");
    }
    // What is no daily register lies there for itself.
    fs::write(conservati.documento("altro"), "<altro/>").unwrap();
    assert_eq!(opens().await, "");
}

async fn across_new_year_the_old_year_s_last_number_is_known_too(banco: &Banco) {
    for (n, quando) in [
        (1, "2021-12-31T09:00:00Z"),
        (2, "2021-12-31T22:59:59Z"),
        (3, "2021-12-31T23:00:00Z"),
    ] {
        banco.one(atto(&format!("k{n}"), 1, &[n]), quando).await;
    }
    set_clock(banco, "2022-01-03T09:30:00Z").await;
    let dove = config_of(banco);
    let conservati = tempfile::tempdir().unwrap();
    for giorno in ["2021-12-31", "2022-01-01", "2022-01-02"] {
        let file = conservati.path().join(format!("{giorno}.xml"));
        let argomenti = ["daily", giorno, "--out", file.to_str().unwrap()];
        let detto = register(&dove.path().join("varco.toml"), &argomenti);
        assert_eq!(detto.codice, 0, "{}", detto.errori);
    }
    let config = GiornalieriConfig {
        cartella: Some(conservati.path().to_owned()),
        chiave: None,
    };
    let detti = config.told(Ambiente::Collaudo).unwrap();
    let numeri: Vec<_> = detti
        .registri
        .iter()
        .map(|((registro, anno), detto)| (registro.as_str(), *anno, detto.numero))
        .collect();
    assert_eq!(numeri, [("AUF", 2021, 2), ("AUF", 2022, 1)]);
    assert_eq!(detti.domanda, 3);
}
