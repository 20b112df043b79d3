//! Classification and office: what may change of a registration, and how it stays readable.

use crate::annul::annulla;
use crate::atti::{LUGLIO, atto};
use crate::banco::Banco;
use crate::comando::{Detto, config_of, keeper, register, set_clock};
use crate::daily::{daily, valida};
use crate::tell;

tell! {
    each_change_stands_beside_those_before_it,
    an_unknown_or_annulled_registration_is_assigned_to_nobody,
}

const UNO: &str = "INPS-AUF-2021-000000000001";

/// An assignment by `m.verdi`.
fn assign(config: &std::path::Path, protocollo: &str, che: &[&str]) -> Detto {
    let argomenti = [&["assign", protocollo, "--operatore", "m.verdi"], che].concat();
    register(config, &argomenti)
}

async fn each_change_stands_beside_those_before_it(banco: &Banco) {
    banco.one(atto("a", 7, &[1]), LUGLIO).await;
    set_clock(banco, "2021-07-02T10:00:00Z").await;
    let cartella = config_of(banco);
    let config = cartella.path().join("varco.toml");
    let altro =
        "[registro]\ncodice_amministrazione = \"inps\"\ncodice_aoo = \"INPS-DG\"\nclassifica = \"5.2.1\"\n";
    let testo = std::fs::read_to_string(&config).unwrap();
    std::fs::write(&config, format!("{testo}{altro}")).unwrap();

    assert_eq!(assign(&config, UNO, &[]).codice, 64, "nothing to set");
    let prima = assign(&config, UNO, &["--ufficio", "sede di Terni"]);
    assert_eq!((prima.codice, prima.errori.as_str()), (0, ""));
    assert!(
        prima
            .fuori
            .starts_with(&format!("{UNO}: in vigore dal 2021-07-02T12:00:")),
        "{}",
        prima.fuori
    );
    let uguale = assign(&config, UNO, &["--ufficio", "sede di Terni"]);
    assert_eq!((uguale.codice, uguale.fuori), (0, format!("{UNO}: è già così\n")));
    assert_eq!(assign(&config, UNO, &["--classifica", "5.2.7"]).codice, 0);

    let mostra = register(&config, &["show", UNO]).fuori;
    let assegnate: Vec<_> = mostra
        .lines()
        .filter(|riga| riga.starts_with("assegnata "))
        .collect();
    assert_eq!(assegnate.len(), 2, "{mostra}");
    assert!(
        assegnate[0].ends_with(", ufficio sede di Terni (m.verdi)"),
        "{mostra}"
    );
    assert!(assegnate[1].ends_with(", classifica 5.2.7 (m.verdi)"), "{mostra}");
    let segnatura = register(&config, &["segnatura", UNO]).fuori;
    assert!(
        segnatura.contains("<prot:CodiceFlat>5.2.7</prot:CodiceFlat>"),
        "{segnatura}"
    );

    let giornaliero = daily(&*keeper(banco).await, "2021-07-02", "2021-07-03T05:00:00Z").await;
    valida(&giornaliero.documento);
    let documento = String::from_utf8(giornaliero.documento.clone()).unwrap();
    assert!(documento.contains("<Modifiche>2</Modifiche>"), "{documento}");
    assert!(
        documento.contains("<Assegnazione>sede di Terni</Assegnazione>"),
        "{documento}"
    );
    banco.all_is_well(1).await;
}

async fn an_unknown_or_annulled_registration_is_assigned_to_nobody(banco: &Banco) {
    banco.one(atto("a", 7, &[1]), LUGLIO).await;
    let cartella = config_of(banco);
    let config = cartella.path().join("varco.toml");
    let ignota = assign(&config, "INPS-AUF-2021-000000000009", &["--ufficio", "Terni"]);
    assert_eq!(
        (ignota.codice, ignota.errori.as_str()),
        (
            65,
            "varco: INPS-AUF-2021-000000000009: nessuna registrazione ha questo numero\n"
        )
    );
    annulla(&*keeper(banco).await, UNO, None, "2021-07-02T08:00:00Z").await;
    let annullata = assign(&config, UNO, &["--ufficio", "Terni"]);
    assert_eq!(
        (annullata.codice, annullata.errori),
        (
            65,
            format!("varco: {UNO}: ANNULLATA il 2021-07-02T10:00:00.000+02:00\n")
        )
    );
}
