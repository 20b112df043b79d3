use super::*;

fn parse(testo: &str, ambiente: &[(&str, &str)]) -> Result<Effective, FileErrato> {
    let ambiente: Vec<(String, String)> = ambiente
        .iter()
        .map(|(nome, valore)| ((*nome).to_owned(), (*valore).to_owned()))
        .collect();
    Config::parse(testo, Path::new("varco.toml"), &ambiente)
}

fn errori(testo: &str, ambiente: &[(&str, &str)]) -> Vec<(usize, String)> {
    let errato = parse(testo, ambiente).unwrap_err();
    errato
        .errori
        .into_iter()
        .map(|errore| (errore.riga, errore.testo))
        .collect()
}

#[test]
fn the_sample_has_every_key_with_its_default() {
    let sample = parse(include_str!("../../docs/varco.sample.toml"), &[]).unwrap();
    assert_eq!(sample.config, parse("", &[]).unwrap().config);
    for voce in &sample.voci {
        assert_ne!(
            voce.fonte,
            Fonte::Predefinito,
            "{} manca nel file di esempio",
            voce.chiave
        );
    }
    assert_eq!(sample.voci.len(), CHIAVI.len());
}

#[test]
fn of_every_value_it_is_known_where_it_comes_from() {
    let letta = parse(
        "[listener]\nindirizzo = \"0.0.0.0:9443\"\nworkers = 2\n",
        &[
            ("VARCO_LISTENER__WORKERS", "4"),
            ("PATH", "/bin"),
            ("VARCO_SITO", "roma"),
        ],
    )
    .unwrap();
    assert_eq!(letta.config.listener.workers, 4);
    let detta = |chiave: &str| {
        letta
            .voci
            .iter()
            .find(|voce| voce.chiave == chiave)
            .unwrap()
            .to_string()
    };
    assert_eq!(
        detta("listener.indirizzo"),
        "listener.indirizzo = \"0.0.0.0:9443\"   (varco.toml:2)"
    );
    assert_eq!(
        detta("listener.workers"),
        "listener.workers = 4   (VARCO_LISTENER__WORKERS)"
    );
    assert_eq!(detta("tls.crl"), "tls.crl = \"\"   (predefinito)");
}

#[test]
fn relative_paths_start_at_the_file() {
    let testo = "store = \"sqlite:dati/store.db\"\n[tls]\nca = \"/etc/ssl/ca.pem\"\ncrl = \"crl.pem\"\n";
    let letta = Config::parse(testo, Path::new("/srv/varco/varco.toml"), &Vec::new()).unwrap();
    let config = letta.config;
    assert_eq!(config.store, StoreUrl::Sqlite("/srv/varco/dati/store.db".into()));
    assert_eq!(config.tls.ca, Path::new("/etc/ssl/ca.pem"));
    assert_eq!(config.tls.crl.as_deref(), Some(Path::new("/srv/varco/crl.pem")));
    assert_eq!(config.tls.certificato, Path::new("/srv/varco/certs/server.pem"));
    assert_eq!(config.adesioni, Path::new("/srv/varco/adesioni.toml"));
    assert_eq!(
        config.chiave_ricerca.as_deref(),
        Some(Path::new("/srv/varco/chiave-ricerca.key"))
    );
}

#[test]
fn every_mistake_is_told_at_once_with_the_nearest_key() {
    let testo = "ambiente = \"prod\"\nlistner = 1\n[listener]\nindirizo = \"x\"\nworkers = \"due\"\n\
                 [limits]\nhandshake_s = 0\n[limits.xml]\ndepht_max = 3\n[tls]\nca = 5\nstore = []\n";
    let errori = errori(
        testo,
        &[("VARCO_LISTENER__INDIRIZO", "x"), ("VARCO_WRITER__CODA", "-1")],
    );
    let trovati: Vec<(usize, &str)> = errori
        .iter()
        .map(|(riga, testo)| (*riga, testo.as_str()))
        .collect();
    assert_eq!(
        trovati,
        [
            (
                0,
                "variabile VARCO_WRITER__CODA: atteso un numero intero fra 0 e 4294967295, senza virgolette"
            ),
            (
                0,
                "variabile «VARCO_LISTENER__INDIRIZO» sconosciuta: forse «VARCO_LISTENER__INDIRIZZO»?"
            ),
            (1, "ambiente: atteso \"sandbox\", \"collaudo\" o \"produzione\""),
            (2, "chiave «listner» sconosciuta: forse «listener»?"),
            (4, "chiave «listener.indirizo» sconosciuta: forse «indirizzo»?"),
            (
                5,
                "listener.workers: atteso un numero intero fra 0 e 4294967295, senza virgolette"
            ),
            (
                7,
                "limits.handshake_s: atteso un numero di secondi maggiore di 0 e non oltre 86400, senza virgolette"
            ),
            (9, "chiave «limits.xml.depht_max» sconosciuta: forse «depth_max»?"),
            (11, "tls.ca: atteso il percorso di un file, fra virgolette"),
            (
                12,
                "chiave «tls.store» sconosciuta: qui si possono usare certificato, chiave, ca, crl, crl_scaduta, crl_assente"
            ),
        ]
    );
}

#[test]
fn the_clock_is_not_moved_in_produzione() {
    let testo = "ambiente = \"produzione\"\n[orologio]\ninizio = 2021-07-01T09:00:00+02:00\n";
    assert_eq!(
        errori(testo, &[]),
        [(
            3,
            "orologio.inizio: in produzione l'orologio non si sposta: togliere la riga".to_owned()
        )]
    );
    let letta = parse(&testo.replace("produzione", "sandbox"), &[]).unwrap();
    assert_eq!(
        letta.config.orologio.inizio,
        Some("2021-07-01T07:00:00Z".parse().unwrap())
    );
}

#[test]
fn bounds_that_contradict_each_other_are_refused() {
    let testo = "[limits]\nmessaggi_in_memoria_bytes_max = 1_000\nconnessioni_max = 8\n[listener]\nindirizzo_pubblico = \"http://x\"\n";
    let righe: Vec<usize> = errori(testo, &[]).into_iter().map(|(riga, _)| riga).collect();
    assert_eq!(righe, [0, 2, 5]);
}

#[test]
fn a_section_written_as_a_value_is_said() {
    assert_eq!(
        errori("tls = \"certs\"\n", &[]),
        [(1, "tls: è una sezione, si scrive [tls]".to_owned())]
    );
}

#[test]
fn a_file_that_is_not_there_is_named() {
    let errato = Config::load(Path::new("/nessuno/varco.toml"), &Vec::new()).unwrap_err();
    assert!(
        errato
            .to_string()
            .starts_with("/nessuno/varco.toml: il file non si legge"),
        "{errato}"
    );
}

#[test]
fn the_password_of_the_database_is_shown_nowhere() {
    let url = "postgres://gw:segreto@db.example/varco?sslmode=verify-full&sslrootcert=ca.pem";
    let letta = Config::parse(
        &format!("store = \"{url}\"\n"),
        Path::new("/srv/varco.toml"),
        &Vec::new(),
    )
    .unwrap();
    assert_eq!(
        letta.voci[1].to_string(),
        "store = \"postgres://gw:***@db.example/varco?sslmode=verify-full&sslrootcert=/srv/ca.pem\"   (varco.toml:1)"
    );
    let altrove = parse("", &[("VARCO_STORE", url)]).unwrap();
    assert_eq!(altrove.voci[1].fonte, Fonte::Variabile("VARCO_STORE".to_owned()));
    for effettiva in [letta, altrove] {
        assert!(!format!("{effettiva:?}").contains("segreto"));
    }
    // Nor where the line is refused.
    for testo in [
        format!("store = \"{url}\n"),
        format!("store = {url}\n"),
        format!("store = [\"{url}\"]\n"),
        format!("store = \"{}\"\n", url.replace("postgres:", "mysql:")),
    ] {
        let errato = parse(&testo, &[]).unwrap_err();
        assert!(!format!("{errato} {errato:?}").contains("segreto"), "{errato}");
    }
    let errato = parse("", &[("VARCO_STORE", "gw:segreto@db")]).unwrap_err();
    assert!(
        errato.to_string().contains("VARCO_STORE: atteso \"sqlite:"),
        "{errato}"
    );
    assert!(!errato.to_string().contains("segreto"));
}

#[test]
fn a_store_has_at_least_one_connection_to_read() {
    assert_eq!(
        errori("[database]\nconnessioni = 0\n", &[]),
        [(2, "database.connessioni: da 1 a 256".to_owned())]
    );
    let letta = parse("[database]\nconnessioni = 12\nattesa_s = 0.5\n", &[]).unwrap();
    let options =
        crate::store::OpenOptions::new(Ambiente::Sandbox, Timestamp::UNIX_EPOCH).with(letta.config.database);
    assert_eq!(
        (
            options.lettori,
            options.attesa.as_millis(),
            options.istruzione.as_secs()
        ),
        (12, 500, 10)
    );
}
