use std::fs;

use tempfile::TempDir;

use super::*;
use crate::cli::dev_certs::{self, Opzioni};

/// A register of one ente, with words of its own.
const REGISTRO: &str = r#"# Le adesioni di prova.

[[ente]]
codice = "PAT01"   # il primo
denominazione = "Uno"
codice_fiscale = "97049620582"
certificati = [
  # fino a novembre
  { file = "pat01.pem" },
]
uffici = ["001", "002"]
indirizzi = ["192.0.2.0/24"]
servizi = { AssegnoTemporaneo = ["*"] }

[[ente.pdd]]
mittente = "PatronatoUno"

# In fondo, una nota.
"#;

const MODULO_BUONO: &str = r#"[[ente]]
codice = "PAT02"
denominazione = "Due"
codice_fiscale = "80078750587"
certificati = [{ file = "pat02.pem" }]
uffici = ["001"]
indirizzi = ["198.51.100.7"]
servizi = { AssegnoTemporaneo = ["InviaDomanda", "ConsultaDomanda"] }
quota_al_minuto = 60
[[ente.pdd]]
mittente = "PatronatoDue"
user_id = "pdd"
codice_ufficio = "001"
"#;

/// A folder with certificates, a configuration and a register.
struct Banco(TempDir);

impl Banco {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        dev_certs::make(dir.path(), &Opzioni::at(WallClock::default().wall())).unwrap();
        let banco = Self(dir);
        banco.put("adesioni.toml", REGISTRO);
        banco.put(
            "varco.toml",
            "[tls]\ncertificato = \"server.pem\"\nchiave = \"server.key\"\nca = \"ca.pem\"\ncrl = \"crl.pem\"\n",
        );
        banco
    }

    fn put(&self, nome: &str, testo: &str) -> PathBuf {
        let file = self.0.path().join(nome);
        fs::write(&file, testo).unwrap();
        file
    }

    fn text(&self, nome: &str) -> String {
        fs::read_to_string(self.0.path().join(nome)).unwrap()
    }

    fn quale(&self, modulo: &str, sostituisci: bool) -> Quale {
        Quale {
            dove: DoveConfig {
                config: self.0.path().join("varco.toml"),
            },
            modulo: self.put("modulo.toml", modulo),
            sostituisci,
        }
    }

    fn add(&self, modulo: &str, sostituisci: bool) -> Uscita {
        add(&Registra {
            quale: self.quale(modulo, sostituisci),
            chi: "ufficio accordi".to_owned(),
            perche: "prot. 12/2026".to_owned(),
        })
        .unwrap()
    }

    fn notes(&self) -> Vec<Modifica> {
        let testo = self.text("adesioni.log");
        testo
            .lines()
            .map(|riga| serde_json::from_str(riga).unwrap())
            .collect()
    }

    fn errors(&self, modulo: &str, sostituisci: bool) -> Vec<(usize, String)> {
        let pratica = Pratica::open(&self.quale(modulo, sostituisci)).unwrap();
        let errori = pratica.modulo.errori.iter();
        errori.map(|errore| (errore.riga, errore.testo.clone())).collect()
    }

    fn warnings(&self, modulo: &str) -> Vec<(usize, String)> {
        let pratica = Pratica::open(&self.quale(modulo, false)).unwrap();
        assert_eq!(pratica.modulo.errori, []);
        let avvisi = pratica.modulo.avvisi.iter();
        avvisi.map(|avviso| (avviso.riga, avviso.testo.clone())).collect()
    }
}

#[test]
fn a_form_joins_at_the_end_and_leaves_every_word_before_it() {
    let banco = Banco::new();
    assert_eq!(banco.add(MODULO_BUONO, false), Uscita::Fatto);
    let dopo = banco.text("adesioni.toml");
    let nota = "\n# In fondo, una nota.\n";
    let prima = REGISTRO.strip_suffix(nota).unwrap();
    assert!(dopo.starts_with(prima), "{dopo}");
    assert_eq!(dopo.matches("# In fondo, una nota.").count(), 1, "{dopo}");
    let registro = Adesioni::load(&banco.0.path().join("adesioni.toml")).unwrap();
    let due = &registro.enti()[1];
    assert_eq!(due.codice.as_str(), "PAT02");
    assert_eq!(due.quota_al_minuto, Some(60));
    assert_eq!(due.indirizzi, ["198.51.100.7/32".parse().unwrap()]);
    assert!(
        due.scadenza().is_some(),
        "its end is written with its fingerprint"
    );
    assert!(due.pdd[0].operatore.is_some());
    assert!(dopo.contains("\n  # CN=pat02"), "{dopo}");
    let [nota] = &banco.notes()[..] else {
        panic!("one note");
    };
    assert_eq!(
        (
            nota.operazione.as_str(),
            nota.ente.as_str(),
            nota.chi.as_str(),
            nota.perche.as_str()
        ),
        ("aggiunta", "PAT02", "ufficio accordi", "prot. 12/2026")
    );
    assert_eq!(nota.prima_sha256, impronta(REGISTRO));
    assert_eq!(nota.dopo_sha256, impronta(&dopo));
    assert_eq!(nota.precedente_sha256, "");
    assert!(nota.differenze.contains(&"+ uffici: 001".to_owned()));
    let copia = fs::read_dir(banco.0.path())
        .unwrap()
        .map(|voce| voce.unwrap().path())
        .find(|file| file.extension().is_some_and(|coda| coda == "bak"))
        .unwrap();
    assert_eq!(fs::read_to_string(copia).unwrap(), REGISTRO);
}

#[test]
fn a_replacement_touches_what_changes_and_is_chained_to_the_note_before() {
    let banco = Banco::new();
    banco.add(MODULO_BUONO, false);
    let prima = banco.text("adesioni.toml");
    let uno = r#"[[ente]]
codice = "PAT01"
denominazione = "Uno"
codice_fiscale = "97049620582"
certificati = [{ file = "pat01.pem" }]
uffici = ["001", "003"]
servizi = { AssegnoTemporaneo = ["*"] }
[[ente.pdd]]
mittente = "PatronatoUno"
"#;
    assert_eq!(banco.add(uno, true), Uscita::Fatto);
    let dopo = banco.text("adesioni.toml");
    assert!(dopo.contains("codice = \"PAT01\"   # il primo\n"), "{dopo}");
    assert!(dopo.contains("uffici = [\"001\", \"003\"]"), "{dopo}");
    assert!(!dopo.contains("192.0.2.0/24"), "{dopo}");
    let (_, coda) = dopo.split_once("codice = \"PAT02\"").unwrap();
    assert_eq!(
        Some(coda),
        prima.split_once("codice = \"PAT02\"").map(|(_, coda)| coda)
    );
    let note = banco.notes();
    assert_eq!(note[1].operazione, "sostituzione");
    let tranne_il_certificato: Vec<&str> = note[1]
        .differenze
        .iter()
        .map(String::as_str)
        .filter(|riga| !riga.contains("certificati"))
        .collect();
    assert_eq!(
        tranne_il_certificato,
        [
            "- uffici: 002",
            "+ uffici: 003",
            "- indirizzi: 192.0.2.0/24",
            "+ indirizzi: da ovunque"
        ]
    );
    let prima_riga = banco.text("adesioni.log").lines().next().map(impronta);
    assert_eq!(Some(note[1].precedente_sha256.clone()), prima_riga);
    // The same once more changes nothing, and is no change to be noted.
    assert_eq!(banco.add(uno, true), Uscita::Fatto);
    assert_eq!(banco.notes().len(), 2);
    assert_eq!(banco.text("adesioni.toml"), dopo);
}

#[test]
fn everything_that_is_wrong_is_told_at_once_and_nothing_is_written() {
    let banco = Banco::new();
    let modulo = r#"[[ente]]
codice = "PAT01"
denominazione = "Falso"
codice_fiscale = "80078750587"
certificati = [
  { file = "expired.pem" },
  { file = "revoked.pem" },
  { file = "manca.pem" },
]
uffici = ["001"]
indirizzi = ["10.0.0.0/33"]
servizi = { AssegnoTemporaneo = ["InviaDomande"] }
"#;
    let errori = banco.errors(modulo, false);
    let attesi = [
        (2, "codice «PAT01»: l'ente è già fra le adesioni".to_owned()),
        (
            6,
            "certificato: TLS-003 il certificato client è scaduto".to_owned(),
        ),
        (
            7,
            "certificato: TLS-005 il certificato client è revocato".to_owned(),
        ),
        (8, format!("certificato {}/manca.pem: ", banco.0.path().display())),
        (11, "indirizzi: «10.0.0.0/33» non è né un indirizzo".to_owned()),
        (12, "operazione «InviaDomande» sconosciuto".to_owned()),
    ];
    assert_eq!(errori.len(), attesi.len(), "{errori:#?}");
    for ((riga, testo), (atteso, inizio)) in errori.iter().zip(&attesi) {
        assert_eq!(riga, atteso, "{testo}");
        assert!(testo.starts_with(inizio), "{testo}");
    }
    assert_eq!(banco.add(modulo, false), Uscita::Rifiutato);
    assert_eq!(banco.text("adesioni.toml"), REGISTRO);
    assert!(!banco.0.path().join("adesioni.log").exists());
}

#[test]
fn what_belongs_to_another_ente_is_refused_whoever_writes_it() {
    let banco = Banco::new();
    let suo = MODULO_BUONO
        .replace("pat02.pem", "pat01.pem")
        .replace("PatronatoDue", "PatronatoUno");
    let errori = banco.errors(&suo, false);
    assert_eq!(
        errori,
        [
            (
                5,
                "certificato già dell'ente PAT01: un certificato parla per un ente solo; chiederne un altro".to_owned()
            ),
            (
                11,
                "pdd.mittente «PatronatoUno»: è già dell'ente PAT01; il Mittente di una busta dice di un ente solo"
                    .to_owned()
            ),
        ]
    );
    assert_eq!(
        banco.errors(MODULO_BUONO, true),
        [(
            2,
            "codice «PAT02»: non è fra le adesioni; se è un ente nuovo, togliere --sostituisci".to_owned()
        )]
    );
    let vicino = MODULO_BUONO.replace("198.51.100.7", "192.0.2.9");
    assert_eq!(
        banco.warnings(&vicino),
        [(
            7,
            "indirizzi: 192.0.2.9 si sovrappone a 192.0.2.0/24 dell'ente PAT01".to_owned()
        )]
    );
}

#[test]
fn a_certificate_of_another_ca_is_told_in_the_words_of_the_door() {
    let banco = Banco::new();
    let altrove = tempfile::tempdir().unwrap();
    dev_certs::make(altrove.path(), &Opzioni::at(WallClock::default().wall())).unwrap();
    let pem = fs::read_to_string(altrove.path().join("pat02.pem")).unwrap();
    let modulo = MODULO_BUONO.replace(
        "{ file = \"pat02.pem\" }",
        &format!("{{ pem = \"\"\"\n{pem}\"\"\" }}"),
    );
    let errori = banco.errors(&modulo, false);
    assert_eq!(errori.len(), 1, "{errori:?}");
    assert_eq!(errori[0].0, 5);
    assert!(errori[0].1.starts_with("certificato: TLS-002"), "{errori:?}");
}

#[test]
fn the_form_that_is_handed_out_lacks_only_its_certificate() {
    let banco = Banco::new();
    let errori = banco.errors(MODULO, false);
    assert_eq!(errori.len(), 1, "{errori:?}");
    assert!(errori[0].1.contains("pat99.pem"), "{errori:?}");
    fs::copy(banco.0.path().join("pat02.pem"), banco.0.path().join("pat99.pem")).unwrap();
    assert_eq!(banco.errors(MODULO, false), []);
}

#[test]
fn the_sample_register_replaced_by_itself_is_the_same_text() {
    let testo = include_str!("../../../docs/adesioni.sample.toml");
    let file = Path::new("adesioni.toml");
    let registro = Adesioni::parse(testo, file).unwrap();
    for ente in registro.enti() {
        assert_eq!(compose(testo, file, ente).unwrap(), testo);
    }
}

#[test]
fn who_was_faster_is_not_overwritten() {
    let banco = Banco::new();
    let pratica = Pratica::open(&banco.quale(MODULO_BUONO, false)).unwrap();
    let dopo = compose(REGISTRO, &pratica.file, pratica.ente().unwrap()).unwrap();
    banco.put("adesioni.toml", &REGISTRO.replace("Uno", "Primo"));
    let modifica = Modifica {
        istante: WallClock::default().wall(),
        operazione: "aggiunta".into(),
        ente: "PAT02".into(),
        chi: "x".into(),
        perche: "y".into(),
        differenze: Vec::new(),
        modulo_sha256: String::new(),
        prima_sha256: String::new(),
        dopo_sha256: String::new(),
        precedente_sha256: String::new(),
    };
    let errore = commit(&pratica.file, pratica.testo.as_deref(), &dopo, modifica).unwrap_err();
    assert_eq!(
        errore.to_string(),
        "il file è cambiato nel frattempo: ripetere il comando"
    );
    assert_eq!(banco.text("adesioni.log"), "");
}
