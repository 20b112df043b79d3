//! `varco register emergency import`: the emergency numbers become ordinary ones, in their order.

use std::fmt::Write as _;
use std::path::Path;

use varco::cli::sample;
use varco::domanda::campione::{Ampiezza, Mittente, Spunto};
use varco::prestazione::assegno_temporaneo::PRESTAZIONE;
use varco::soap::SoapVersion;

use crate::atti::LUGLIO;
use crate::banco::Banco;
use crate::comando::{Detto, config_of, register, set_clock};
use crate::tell;
use crate::verify::vero;

tell! {
    what_was_taken_in_the_emergency_gets_its_numbers_in_order,
    a_list_with_one_mistake_imports_nothing,
    nothing_is_imported_outside_an_emergency,
}

const ADESIONI: &str = r#"
[[ente]]
codice = "PAT01"
denominazione = "Patronato Uno"
codice_fiscale = "80078750587"
certificati = [{ sha256 = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff" }]
uffici = ["001"]
servizi = { AssegnoTemporaneo = ["*"] }
"#;

const RINUNCIA: &str = include_str!("../../docs/messaggi/RinunciaDomanda.xml");

/// The folder of an emergency's list: two domande, and the first one's renunciation.
fn tre(cartella: &Path) {
    std::fs::write(cartella.join("adesioni.toml"), ADESIONI).unwrap();
    for n in [1, 2] {
        let spunto = Spunto {
            contatore: n,
            presentazione: "2021-07-02".parse().unwrap(),
            mittente: Mittente {
                ente: "PAT01",
                ufficio: "001",
                user_id: "op.rossi",
            },
            ampiezza: Ampiezza::Intera,
        };
        let busta = sample::envelope(&PRESTAZIONE, &spunto, &format!("emg-{n}"), SoapVersion::V12);
        std::fs::write(cartella.join(format!("{n}.xml")), busta).unwrap();
    }
    let rinuncia = RINUNCIA
        .replace("2021-004512-2", "emg-3")
        .replace("2021-004512-1", "emg-1");
    std::fs::write(cartella.join("3.xml"), rinuncia).unwrap();
    list(
        cartella,
        &[
            (1, "2021-07-02T09:10:00+02:00"),
            (2, "2021-07-02T09:20:00+02:00"),
            (4, "2021-07-02T09:30:00+02:00"),
        ],
    );
}

/// The list itself: each emergency number with its instant; the third request is the renunciation.
fn list(cartella: &Path, righe: &[(u64, &str)]) {
    let mut elenco = String::new();
    for (file, (numero, istante)) in (1..).zip(righe) {
        let _ = writeln!(
            elenco,
            "[[registrazione]]\nnumero = {numero}\nistante = \"{istante}\"\nente = \"PAT01\"\nufficio = \"001\"\n\
             operatore = \"op.rossi\"\nrichiesta = \"{file}.xml\"\n"
        );
    }
    std::fs::write(cartella.join("elenco.toml"), elenco).unwrap();
}

/// An interruption from nine to noon in Rome; the folder with its configuration and its list.
async fn interruption(banco: &Banco) -> tempfile::TempDir {
    banco.one(vero("a", &[1]), LUGLIO).await;
    set_clock(banco, "2021-07-02T07:00:00Z").await;
    let cartella = config_of(banco);
    tre(cartella.path());
    let aperta = emergency(
        cartella.path(),
        &[
            "open",
            "--causa",
            "guasto",
            "--provvedimento",
            "7/2021",
            "--provvedimento-data",
            "2021-07-02",
            "--operatore",
            "m.verdi",
        ],
    );
    assert_eq!(aperta.codice, 0, "{}", aperta.errori);
    set_clock(banco, "2021-07-02T10:00:00Z").await;
    cartella
}

fn emergency(cartella: &Path, argomenti: &[&str]) -> Detto {
    let tutti: Vec<&str> = ["emergency"].iter().chain(argomenti).copied().collect();
    register(&cartella.join("varco.toml"), &tutti)
}

fn import(cartella: &Path, altri: &[&str]) -> Detto {
    let elenco = cartella.join("elenco.toml");
    let argomenti: Vec<&str> = ["import", elenco.to_str().unwrap()]
        .iter()
        .chain(altri)
        .copied()
        .collect();
    emergency(cartella, &argomenti)
}

async fn what_was_taken_in_the_emergency_gets_its_numbers_in_order(banco: &Banco) {
    let cartella = interruption(banco).await;
    let verificato = import(cartella.path(), &["--solo-verifica"]);
    assert_eq!(
        (
            verificato.codice,
            verificato.fuori.as_str(),
            verificato.errori.as_str()
        ),
        (0, "3 registrazioni verificate, nessuna importata\n", "")
    );
    let fatto = "EMG-AUF/1  INPS-AUF-2021-000000000002\n\
                 EMG-AUF/2  INPS-AUF-2021-000000000003\n\
                 EMG-AUF/4  INPS-AUF-2021-000000000004\n\
                 3 registrazioni importate; il registro riprende con: varco register emergency close\n";
    let importato = import(cartella.path(), &[]);
    assert_eq!(
        (
            importato.codice,
            importato.fuori.as_str(),
            importato.errori.as_str()
        ),
        (0, fatto, "")
    );
    // Whoever is not sure sends the list again: the same numbers, nothing twice.
    let ancora = import(cartella.path(), &[]);
    assert_eq!(
        (ancora.codice, ancora.fuori.as_str()),
        (0, fatto),
        "{}",
        ancora.errori
    );

    // A number of before is a number of before.
    list(cartella.path(), &[(3, "2021-07-02T09:25:00+02:00")]);
    let altro = std::fs::read_to_string(cartella.path().join("1.xml")).unwrap();
    std::fs::write(cartella.path().join("1.xml"), altro.replace(">emg-1<", ">emg-9<")).unwrap();
    let tardi = import(cartella.path(), &[]);
    assert_eq!(
        (tardi.codice, tardi.errori.as_str()),
        (
            65,
            "EMG-AUF/3  EMG-AUF/4 è già stata importata come INPS-AUF-2021-000000000004: i numeri ordinari seguono \
             l'ordine dell'emergenza\nvarco: registrazioni da correggere: 1; non ne è stata importata nessuna\n"
        )
    );

    let chiusa = emergency(cartella.path(), &["close", "--operatore", "m.verdi"]);
    assert_eq!(chiusa.codice, 0, "{}", chiusa.errori);
    let elenco = emergency(cartella.path(), &["list"]).fuori;
    assert!(
        elenco.contains("  EMG-AUF/1  2021-07-02T09:10:00.000+02:00  INPS-AUF-2021-000000000002\n"),
        "{elenco}"
    );
    // Handed in then, registered now, by the emergency's channel; the renunciation holds.
    let mostrata = register(
        &cartella.path().join("varco.toml"),
        &["show", "INPS-AUF-2021-000000000003"],
    );
    for atteso in ["2021-07-02T09:20:00.000+02:00", "2021-07-02T12:00:0", "EMERGENZA"] {
        assert!(mostrata.fuori.contains(atteso), "{atteso}: {}", mostrata.fuori);
    }
    let verificato = register(&cartella.path().join("varco.toml"), &["verify"]);
    assert_eq!(verificato.fuori, "4 registrazioni, 0 anomalie\n");
    banco.all_is_well(4).await;
}

async fn a_list_with_one_mistake_imports_nothing(banco: &Banco) {
    let cartella = interruption(banco).await;
    // A date before the opening; an ufficio that is not the ente's; a codice fiscale with another check character.
    let elenco = std::fs::read_to_string(cartella.path().join("elenco.toml")).unwrap();
    let storto = elenco
        .replacen("2021-07-02T09:10:00", "2021-07-02T08:10:00", 1)
        .replace(
            "ufficio = \"001\"\noperatore = \"op.rossi\"\nrichiesta = \"2.xml\"",
            "ufficio = \"009\"\noperatore = \"op.rossi\"\nrichiesta = \"2.xml\"",
        );
    std::fs::write(cartella.path().join("elenco.toml"), storto).unwrap();
    let rinuncia = std::fs::read_to_string(cartella.path().join("3.xml")).unwrap();
    std::fs::write(
        cartella.path().join("3.xml"),
        rinuncia.replace("<coop:Data>2021-06-25<", "<coop:Data>2021-07-25<"),
    )
    .unwrap();
    let rifiutato = import(cartella.path(), &[]);
    assert_eq!((rifiutato.codice, rifiutato.fuori.as_str()), (65, ""));
    let righe: Vec<&str> = rifiutato.errori.lines().collect();
    assert_eq!(
        righe[0],
        "EMG-AUF/1  l'istante non è fra l'apertura del registro di emergenza e adesso"
    );
    assert_eq!(righe[1], "EMG-AUF/2  l'ufficio 009 non è dell'ente PAT01");
    assert!(
        righe[2].starts_with("EMG-AUF/4  ")
            && righe[2].contains("3.xml:29:11 ")
            && righe[2].contains("PAT-004"),
        "{}",
        righe[2]
    );
    assert_eq!(
        righe.last(),
        Some(&"varco: registrazioni da correggere: 3; non ne è stata importata nessuna")
    );
    banco.all_is_well(1).await;
}

async fn nothing_is_imported_outside_an_emergency(banco: &Banco) {
    banco.one(vero("a", &[1]), LUGLIO).await;
    set_clock(banco, "2021-07-02T10:00:00Z").await;
    let cartella = config_of(banco);
    tre(cartella.path());
    let chiuso = import(cartella.path(), &[]);
    assert_eq!(
        (chiuso.codice, chiuso.errori.as_str()),
        (
            65,
            "varco: EMG-AUF: il registro di emergenza non è aperto; si importa prima di chiuderlo\n"
        )
    );
    banco.all_is_well(1).await;
}
