//! A store that was put back from a copy of before: it gives nobody a number that was told, and goes on behind a hole
//! that is declared.

use std::fs;
use std::path::Path;

use varco::catalogo::Codice;
use varco::registro::Provvedimento;
use varco::store::OpenOptions;
use varco::store::ancore::{AncoreConfig, told};
use varco::store::lacune::Dichiarazione;
use varco::store::legale::RegistroLegale;

use crate::atti::{LUGLIO, atto, istante, options, protocollo, ripetuta};
use crate::banco::Banco;
use crate::comando::{config_of, keeper, recover};
use crate::daily::{daily, valida};
use crate::tell;

tell! {
    a_store_behind_what_was_told_draws_no_number_until_the_hole_is_declared,
    what_is_registered_is_anchored_before_it_is_told,
    a_declared_hole_stands_in_the_register_of_its_day_and_cannot_be_changed,
    the_command_says_which_numbers_are_lost,
}

const DOPO: &str = "2021-07-02T09:30:00Z";

/// An anchor as a gateway of that store has written it: so far went the register and the domande.
fn anchor(cartella: &Path, creato_il: &str, numero: u64, picco: u64, domanda: u64) {
    let testo = format!(
        "varco ancora 1\nserie 1\nambiente collaudo\narchivio {creato_il}\ndomanda {domanda}\nregistro AUF 2021 {numero} {picco}\n"
    );
    let mut somma = flate2::Crc::new();
    somma.update(testo.as_bytes());
    let testo = format!("{testo}somma {:08x}\n", somma.sum());
    fs::create_dir_all(cartella).unwrap();
    fs::write(cartella.join("perduto.ancora"), format!("{testo:<4096}")).unwrap();
}

/// The bench's store with three registrations, in a world in which five were told.
async fn put_back(banco: &Banco, cartella: &Path) -> OpenOptions {
    for n in 1..=3 {
        banco.one(atto(&format!("k{n}"), 1, &[n]), LUGLIO).await;
    }
    let mut raw = banco.raw().await;
    let creato_il = raw
        .rows("SELECT valore FROM impostazioni WHERE nome = 'creato_il'")
        .await;
    anchor(cartella, creato_il[0]["valore"].as_str().unwrap(), 5, 4, 5);
    OpenOptions {
        ancore: Some(AncoreConfig {
            cartella: cartella.to_owned(),
            nodo: "nuovo".to_owned(),
            ..AncoreConfig::default()
        }),
        ..options()
    }
}

fn provvedimento() -> Provvedimento {
    Provvedimento {
        numero: "12/2021".to_owned(),
        data: "2021-07-01".parse().unwrap(),
    }
}

async fn declare(
    store: &dyn RegistroLegale,
    cartella: &Path,
) -> Result<Vec<(u64, u64, Option<(u64, u64)>)>, String> {
    let detti = told(cartella).unwrap();
    let dichiarazione = Dichiarazione {
        detti: &detti,
        operatore: "m.verdi",
        motivo: "ripristino",
        provvedimento: &provvedimento(),
    };
    match store.dichiara(&dichiarazione, istante(DOPO)).await {
        Ok(lacune) => Ok(lacune
            .iter()
            .map(|lacuna| (lacuna.da, lacuna.a, lacuna.domande))
            .collect()),
        Err(errore) => Err(errore.to_string()),
    }
}

async fn a_store_behind_what_was_told_draws_no_number_until_the_hole_is_declared(banco: &Banco) {
    let cartella = tempfile::tempdir().unwrap();
    let options = put_back(banco, cartella.path()).await;
    let (store, _) = banco.open(&options).await.unwrap();
    let errore = store
        .register(&[atto("k4", 1, &[4])], istante(DOPO))
        .await
        .unwrap_err();
    assert_eq!(errore.codice(), Codice::Sto004);
    // A domanda's number is drawn beside that of the register: whichever is asked first refuses.
    assert!(
        errore.to_string().ends_with("(`varco register recover`)"),
        "{errore}"
    );
    // And readiness is red: a gateway whose store is not behind is the better one.
    assert_eq!(store.probe().await.unwrap_err().codice(), Codice::Sto004);
    // What it knows it still tells.
    let ancora = store
        .register(&[atto("k1", 1, &[1])], istante(DOPO))
        .await
        .unwrap();
    ripetuta(&ancora[0]);

    // Five were told, four of them within a second: so eight more can have been.
    let registro = keeper(banco).await;
    assert_eq!(
        declare(&*registro, cartella.path()).await,
        Ok(vec![(4, 13, Some((4, 13)))])
    );
    store.probe().await.unwrap();
    let nuova = store
        .register(&[atto("k4", 1, &[4])], istante(DOPO))
        .await
        .unwrap();
    assert_eq!(protocollo(&nuova[0]), "INPS-AUF-2021-000000000014");
    store.close().await;
    let (store, _) = banco.open(&options).await.unwrap();
    let nuova = store
        .register(&[atto("k5", 1, &[5])], istante(DOPO))
        .await
        .unwrap();
    assert_eq!(protocollo(&nuova[0]), "INPS-AUF-2021-000000000015");
    banco.all_is_well(5).await;
    assert_eq!(
        declare(&*registro, cartella.path()).await,
        Err(
            "store refused: nothing was told beyond what this store knows: there is no hole to declare"
                .to_owned()
        )
    );
}

async fn what_is_registered_is_anchored_before_it_is_told(banco: &Banco) {
    let cartella = tempfile::tempdir().unwrap();
    let options = put_back(banco, cartella.path()).await;
    fs::remove_file(cartella.path().join("perduto.ancora")).unwrap();
    let (store, _) = banco.open(&options).await.unwrap();
    for n in 4..=6 {
        store
            .register(&[atto(&format!("k{n}"), 1, &[n])], istante(DOPO))
            .await
            .unwrap();
        let detti = told(cartella.path()).unwrap();
        assert_eq!(detti.ultimo("AUF"), Some((2021, n)));
        assert_eq!(detti.domanda, n);
    }
    // Three within one second of the clock.
    let detti = told(cartella.path()).unwrap();
    assert_eq!(detti.registri[&("AUF".to_owned(), 2021)].picco, 3);
}

async fn a_declared_hole_stands_in_the_register_of_its_day_and_cannot_be_changed(banco: &Banco) {
    let cartella = tempfile::tempdir().unwrap();
    put_back(banco, cartella.path()).await;
    let registro = keeper(banco).await;
    declare(&*registro, cartella.path()).await.unwrap();
    banco.one(atto("k4", 1, &[4]), DOPO).await;
    let giornaliero = daily(&*registro, "2021-07-02", "2021-07-03T05:00:00Z").await;
    valida(&giornaliero.documento);
    let testo = std::str::from_utf8(&giornaliero.documento).unwrap();
    assert!(
        testo.contains(
            "<Lacune>\n<Lacuna progressivo=\"1\"><Anno>2021</Anno><Da>4</Da><A>13</A><DomandaDa>4</DomandaDa>\
             <DomandaA>13</DomandaA><DichiarataIl>2021-07-02T11:30:00.000+02:00</DichiarataIl>\
             <Operatore>m.verdi</Operatore><Motivo>ripristino</Motivo><Provvedimento><Numero>12/2021</Numero>\
             <Data>2021-07-01</Data></Provvedimento></Lacuna>\n</Lacune>\n"
        ),
        "{testo}"
    );
    let mut verifica = varco::store::esame::esamina(&*registro, &|_, _| ())
        .await
        .unwrap();
    // What these tests hand in is no message: its imprint is not what is looked at here.
    verifica
        .anomalie
        .retain(|frase| !frase.ends_with("its imprint is not that of the Domanda in its request"));
    assert_eq!(verifica.anomalie, Vec::<String>::new());

    let mut raw = banco.raw().await;
    for (sql, causa) in [
        ("UPDATE lacune SET a = 14", "una lacuna non si modifica"),
        ("DELETE FROM lacune", "una lacuna non si cancella"),
        (
            "INSERT INTO lacune (registro, anno, da, a, dichiarata_il, operatore, motivo, provvedimento_numero, provvedimento_data)
             SELECT registro, anno, 3, 3, dichiarata_il, operatore, motivo, provvedimento_numero, provvedimento_data FROM lacune",
            "vi sono registrazioni con quei numeri",
        ),
    ] {
        let errore = raw.refused(sql).await;
        assert!(errore.contains(causa), "{sql}: {errore}");
    }
}

async fn the_command_says_which_numbers_are_lost(banco: &Banco) {
    for n in 1..=3 {
        banco.one(atto(&format!("k{n}"), 1, &[n]), LUGLIO).await;
    }
    crate::comando::set_clock(banco, DOPO).await;
    let cartella = config_of(banco);
    anchor(&cartella.path().join("ancore"), "un altro archivio", 5, 4, 5);
    let config = cartella.path().join("varco.toml");
    let detto = recover(&config, &[]);
    assert_eq!((detto.codice, detto.errori.as_str()), (0, ""));
    let prima = "lacuna 1: INPS-AUF-2021-000000000004 - INPS-AUF-2021-000000000013 (10 numeri); numeri di domanda 4 - 13; \
                 dichiarata il 2021-07-02T11:30:";
    assert!(detto.fuori.starts_with(prima), "{}", detto.fuori);
    let ancora = recover(&config, &[]);
    assert_eq!(
        (ancora.codice, ancora.errori.as_str()),
        (
            65,
            "varco: l'archivio conosce tutti i numeri che le ancore dicono: non c'è nulla da dichiarare\n"
        )
    );
    // A receipt of later than the anchors.
    let detto = recover(&config, &["--ultimo", "INPS-AUF-2021-000000000020"]);
    let prima = "lacuna 2: INPS-AUF-2021-000000000014 - INPS-AUF-2021-000000000028 (15 numeri); numeri di domanda 14 - 28; ";
    assert!(detto.fuori.starts_with(prima), "{}", detto.fuori);
    banco.all_is_well(3).await;
}
