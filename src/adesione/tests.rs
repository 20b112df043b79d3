use std::path::Path;

use super::documento::FileErrato;
use super::*;
use crate::egov::RegoleBusta;

fn parse(testo: &str) -> Result<Adesioni, FileErrato> {
    Adesioni::parse(testo, Path::new("adesioni.toml"))
}

fn certificato(sha256: &str) -> Certificato {
    Certificato {
        soggetto: "CN=prova".into(),
        emittente: "CN=CA".into(),
        seriale: "A1".into(),
        sha256: sha256.into(),
        scadenza: Timestamp::MAX,
    }
}

#[test]
fn the_sample_file_is_a_good_file() {
    let adesioni = parse(include_str!("../../docs/adesioni.sample.toml")).unwrap();
    let [primo, secondo] = adesioni.enti() else {
        panic!("two enti");
    };
    assert_eq!(primo.codice.as_str(), "PAT01");
    assert_eq!(primo.stato, StatoEnte::Attivo);
    assert_eq!(primo.certificati.len(), 2);
    assert_eq!(primo.indirizzi.last(), Some(&"127.0.0.1/32".parse().unwrap()));
    assert_eq!(
        primo.servizi,
        [("AssegnoTemporaneo".to_owned(), vec!["*".to_owned()])]
    );
    assert_eq!(primo.quota_al_minuto, Some(600));
    assert_eq!((secondo.quota_al_minuto, secondo.identity_strict), (None, None));
    let [porta] = &primo.pdd[..] else {
        panic!("one porta");
    };
    assert_eq!(
        (porta.parte.nome.as_str(), porta.porta.as_deref(), porta.regole),
        (
            "PatronatoUno",
            Some("PatronatoUnoSPCoopIT"),
            RegoleBusta::LineeGuida11
        )
    );
    assert!(porta.operatore.is_some() && secondo.pdd.is_empty());
    assert_eq!(adesioni.porta(&Parte::spc("PatronatoUno")), Some(porta));
    assert_eq!(adesioni.porta(&Parte::spc("patronatouno")), None);
    let noto = certificato("00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff");
    assert_eq!(
        adesioni.ente(&noto).map(|ente| ente.codice.as_str()),
        Some("PAT02")
    );
    assert!(adesioni.ente(&certificato(&"ff".repeat(32))).is_none());
}

#[test]
fn every_mistake_is_told_at_once_and_at_its_line() {
    let sha = "ab".repeat(32);
    let testo = format!(
        r#"[[ente]]
codice = "PAT01"
denominazione = "Uno"
codice_fiscale = "8007875058"
certificati = [{{ sha256 = "{sha}" }}]
uffici = ["001", "0 1"]
servizi = {{ AssegnoTemporanio = ["*"] }}
quota = 5

[[ente]]
codice = "PAT01"
denominazione = "Due"
codice_fiscale = "97049620582"
stato = "chiuso"
certificati = [
  {{ sha256 = "{sha}" }},
  {{ seriale = "01" }},
]
uffici = ["001"]
indirizzi = ["10.0.0.0/33"]
servizi = {{ AssegnoTemporaneo = ["InviaDomande"] }}

[[ente]]
codice = "PAT03"
denominazione = "Tre"
codice_fiscale = "97049620582"
certificati = []
uffici = 7
servizi = {{ AssegnoTemporaneo = ["*"] }}
quota_al_minuto = 0
"#
    );
    let errato = parse(&testo).unwrap_err();
    let trovati: Vec<(usize, &str)> = errato
        .errori
        .iter()
        .map(|errore| (errore.riga, errore.testo.split(':').next().unwrap()))
        .collect();
    assert_eq!(
        trovati,
        [
            (4, "codice_fiscale"),
            (6, "uffici"),
            (7, "servizio «AssegnoTemporanio» sconosciuto"),
            (8, "chiave «ente.quota» sconosciuta"),
            (11, "codice «PAT01» già usato alla riga 2"),
            (14, "stato «chiuso»"),
            (16, "ente PAT01"),
            (17, "certificati"),
            (20, "indirizzi"),
            (21, "operazione «InviaDomande» sconosciuto"),
            (23, "ente PAT03"),
            (28, "uffici"),
            (30, "quota_al_minuto"),
        ]
    );
    assert!(
        errato
            .to_string()
            .contains("adesioni.toml:21: operazione «InviaDomande» sconosciuto: forse «InviaDomanda»?")
    );
}

#[test]
fn a_mistake_about_a_porta_is_told_at_its_line() {
    let testo = r#"[[ente]]
codice = "PAT01"
denominazione = "Uno"
codice_fiscale = "97049620582"
certificati = [{ sha256 = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff" }]
uffici = ["001"]
servizi = { AssegnoTemporaneo = ["*"] }
[[ente.pdd]]
mittente = "Patronato_Uno"
[[ente.pdd]]
mittente = "PatronatoUno"
porta = "Porta-1"
[[ente.pdd]]
mittente = "PatronatoUno"
regole = "lineeguida1.1"
[[ente.pdd]]
mittente = "PatronatoUno"
user_id = "porta"
[[ente.pdd]]
mittente = "PatronatoDue"
user_id = "porta"
codice_ufficio = "002"
ufficio = "001"
[[ente.pdd]]
porta = "Porta"
"#;
    let errato = parse(testo).unwrap_err();
    let trovati: Vec<(usize, &str)> = errato
        .errori
        .iter()
        .map(|errore| (errore.riga, errore.testo.split(':').next().unwrap()))
        .collect();
    assert_eq!(
        trovati,
        [
            (9, "pdd.mittente"),
            (12, "pdd.porta"),
            (15, "pdd.regole «lineeguida1.1»"),
            (16, "pdd"),
            (17, "pdd.mittente «PatronatoUno» già usato alla riga 14"),
            (22, "pdd.codice_ufficio «002»"),
            (23, "chiave «ente.pdd.ufficio» sconosciuta"),
            (24, "ente PAT01"),
        ]
    );
}

#[test]
fn a_file_without_enti_is_a_mistake_and_not_an_empty_register() {
    assert_eq!(parse("").unwrap_err().errori.len(), 1);
}

#[test]
fn a_certificate_file_that_is_missing_is_told_with_its_path() {
    let testo = r#"[[ente]]
codice = "PAT01"
denominazione = "Uno"
codice_fiscale = "97049620582"
certificati = [{ file = "manca.pem" }]
uffici = ["001"]
servizi = { AssegnoTemporaneo = ["*"] }
"#;
    let errato = Adesioni::parse(testo, Path::new("/etc/varco/adesioni.toml")).unwrap_err();
    assert_eq!(errato.errori[0].riga, 5);
    assert!(
        errato.errori[0].testo.contains("/etc/varco/manca.pem"),
        "{errato}"
    );
}
