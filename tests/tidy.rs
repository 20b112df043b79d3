//! The shape of the code itself: which layer may look at which, where each crate lives, and that documents, contract
//! and catalogue say the same. It reads sources, so it also sees what the compiler lets pass.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use varco::catalogo::{CODICI, GRUPPI, markdown, xml};
use varco::metriche::{METRICHE, Tipo, markdown as pagina_delle_metriche};
use varco::prestazione::{Operazione, PRESTAZIONI};
use varco::trace::conti::PASSI;
use xsd_schema::SchemaSetBuilder;
use xsd_schema::validation::{CollectingValidationSink, SchemaValidator, ValidationFlags, drive_quick_xml};

/// The layers, top first (docs/ARCHITECTURE.md): a module may use its own layer and those below.
const STRATI: &[(&str, &[&str])] = &[
    ("shell", &["telemetry", "main", "cli", "config"]),
    ("edge", &["listener", "channel", "console"]),
    (
        "flow",
        &["access", "engine", "intake", "manutenzione", "replay", "spazio"],
    ),
    ("ports", &["store", "trace", "adesione"]),
    ("verdict", &["rifiuto"]),
    (
        "wire",
        &[
            "carte",
            "contratto",
            "egov",
            "registro",
            "sigilli",
            "xml",
            "soap",
            "schema",
        ],
    ),
    (
        "domain",
        &["prestazione", "domanda", "protocollo", "ricevuta", "patronato"],
    ),
    ("base", &["catalogo", "clock", "metriche"]),
];

/// The only modules in which a crate may be named.
const CASE: &[(&str, &[&str])] = &[
    ("actix_web", &["listener", "channel", "console"]),
    ("actix_http", &["listener", "channel"]),
    ("actix_server", &["listener", "channel"]),
    ("actix_tls", &["listener"]),
    ("askama", &["console"]),
    ("argon2", &["console"]),
    ("sqlx", &["store", "engine"]),
    ("quick_xml", &["xml", "soap", "schema"]),
    ("xsd_schema", &["schema"]),
    ("rustls", &["listener", "cli"]),
    ("tokio_rustls", &["listener", "cli"]),
    ("ureq", &["cli", "trace"]),
    ("opentelemetry", &["trace"]),
    ("opentelemetry_http", &["trace"]),
    ("opentelemetry_otlp", &["trace"]),
    ("opentelemetry_sdk", &["trace"]),
    ("clap", &["cli", "main"]),
    ("openssl", &["adesione", "listener", "cli"]),
    ("krilla", &["carte"]),
    ("skrifa", &["carte"]),
    ("qrcodegen", &["carte"]),
    ("toml_edit", &["adesione"]),
];

/// A line of the library's sources, without comments.
struct Riga {
    posto: String,
    modulo: String,
    testo: String,
}

fn radice() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn files(sotto: &str, estensione: &str) -> Vec<PathBuf> {
    fn walk(cartella: &Path, estensione: &str, trovati: &mut Vec<PathBuf>) {
        let Ok(voci) = fs::read_dir(cartella) else { return };
        for percorso in voci.map(|voce| voce.unwrap().path()) {
            if percorso.is_dir() {
                if percorso.file_name().is_some_and(|nome| nome != "node_modules") {
                    walk(&percorso, estensione, trovati);
                }
            } else if percorso.extension().is_some_and(|trovata| trovata == estensione) {
                trovati.push(percorso);
            }
        }
    }
    let mut trovati = Vec::new();
    walk(&radice().join(sotto), estensione, &mut trovati);
    trovati.sort();
    trovati
}

fn righe_di_src() -> Vec<Riga> {
    let mut righe = Vec::new();
    for file in files("src", "rs") {
        let relativo = file.strip_prefix(radice().join("src")).unwrap().to_owned();
        let modulo = relativo
            .iter()
            .next()
            .unwrap()
            .to_str()
            .unwrap()
            .trim_end_matches(".rs")
            .to_owned();
        // Tests stand at the bottom and may look anywhere: `mod tests` closes the reading of a file.
        if relativo.ends_with("tests.rs") || relativo.iter().any(|parte| parte == "tests") {
            continue;
        }
        for (numero, riga) in (1..).zip(fs::read_to_string(&file).unwrap().lines()) {
            if riga.trim_start().starts_with("mod tests") {
                break;
            }
            righe.push(Riga {
                posto: format!("src/{}:{numero}", relativo.display()),
                modulo: modulo.clone(),
                testo: senza_commento(riga).to_owned(),
            });
        }
    }
    assert!(righe.len() > 500, "the sources were not found");
    righe
}

fn senza_commento(riga: &str) -> &str {
    // `://` inside a string is no comment.
    let mut dal = 0;
    while let Some(dove) = riga[dal..].find("//") {
        let assoluto = dal + dove;
        if !riga[..assoluto].ends_with(':') {
            return &riga[..assoluto];
        }
        dal = assoluto + 2;
    }
    riga
}

fn parola(testo: &str) -> &str {
    let fine = testo
        .find(|carattere: char| !carattere.is_ascii_alphanumeric() && carattere != '_')
        .unwrap_or(testo.len());
    &testo[..fine]
}

/// Rank of a module's layer, 0 at the top.
fn strato(modulo: &str) -> Option<usize> {
    STRATI.iter().position(|(_, moduli)| moduli.contains(&modulo))
}

#[test]
fn use_goes_downwards_only() {
    let mut trovati = Vec::new();
    for riga in righe_di_src() {
        if riga.modulo == "lib" {
            continue;
        }
        let Some(proprio) = strato(&riga.modulo) else {
            trovati.push(format!("{}: module {} has no layer", riga.posto, riga.modulo));
            continue;
        };
        let radice_crate = if riga.modulo == "main" {
            "varco::"
        } else {
            "crate::"
        };
        for usato in riga.testo.split(radice_crate).skip(1) {
            // `use crate::{a, b::C};` on one line; rustfmt leaves longer lists to one name a line, which habit forbids.
            let nomi: Vec<&str> = match usato.strip_prefix('{') {
                Some(elenco) => elenco
                    .split(',')
                    .map(|nome| parola(nome.trim()))
                    .filter(|nome| !nome.is_empty())
                    .collect(),
                None => vec![parola(usato)],
            };
            for nome in nomi {
                if strato(nome).is_some_and(|altro| altro < proprio) {
                    trovati.push(format!("{}: {} uses {nome}", riga.posto, riga.modulo));
                }
            }
        }
    }
    assert_eq!(trovati, Vec::<String>::new());
}

#[test]
fn every_crate_has_its_home() {
    let mut trovati = Vec::new();
    for riga in righe_di_src() {
        for (nome, case) in CASE {
            let nominato = riga.testo.match_indices(nome).any(|(dove, _)| {
                let prima = riga.testo[..dove].chars().next_back();
                let dopo = &riga.testo[dove + nome.len()..];
                let intero = !prima.is_some_and(|c| c.is_ascii_alphanumeric() || c == '_' || c == ':');
                intero
                    && (dopo.starts_with("::") || riga.testo.trim_start().starts_with(&format!("use {nome}")))
            });
            if nominato && !case.contains(&riga.modulo.as_str()) {
                trovati.push(format!("{}: {nome} lives in {case:?}", riga.posto));
            }
        }
    }
    assert_eq!(trovati, Vec::<String>::new());
}

#[test]
fn the_domain_knows_no_async() {
    let dominio = STRATI.iter().find(|(nome, _)| *nome == "domain").unwrap().1;
    let trovati: Vec<String> = righe_di_src()
        .into_iter()
        .filter(|riga| dominio.contains(&riga.modulo.as_str()))
        .filter(|riga| riga.testo.contains("async ") || riga.testo.contains("tokio::"))
        .map(|riga| riga.posto)
        .collect();
    assert_eq!(trovati, Vec::<String>::new());
}

#[test]
fn codes_stand_in_order_and_are_never_twice() {
    let mut visti = BTreeSet::new();
    let mut ultimo = (0, 0);
    for voce in CODICI.iter().map(|codice| codice.voce()) {
        let (prefisso, numero) = voce.codice.split_once('-').expect(voce.codice);
        let gruppo = GRUPPI
            .iter()
            .position(|(nome, _)| *nome == prefisso)
            .unwrap_or_else(|| panic!("{} has a prefix without a group", voce.codice));
        assert_eq!(numero.len(), 3, "{}", voce.codice);
        let posto = (gruppo, numero.parse::<u32>().expect(voce.codice));
        assert!(posto > ultimo, "{} is out of order", voce.codice);
        ultimo = posto;
        assert!(visti.insert(voce.codice), "{} twice", voce.codice);
    }
}

/// Arguments that are phrases, and so have a value in each language: the English name and its Italian partner.
const TRADOTTI: &[(&str, &str)] = &[
    ("place", "posto"),
    ("expected", "atteso"),
    ("form", "forma"),
    ("found", "trovato"),
    ("reason", "motivo"),
    ("period", "periodo"),
];

#[test]
fn every_text_of_the_catalogue_is_whole() {
    for voce in CODICI.iter().map(|codice| codice.voce()) {
        for (quale, testo) in [
            ("it", voce.it),
            ("en", voce.en),
            ("suggerimento", voce.suggerimento),
        ] {
            assert!(!testo.trim().is_empty(), "{} {quale}: empty", voce.codice);
            assert_eq!(testo, testo.trim(), "{} {quale}: spaces around", voce.codice);
            assert!(posti(testo).is_some(), "{} {quale}: braces: {testo}", voce.codice);
        }
        let it = posti(voce.it).unwrap();
        let en: BTreeSet<&str> = posti(voce.en)
            .unwrap()
            .into_iter()
            .map(|nome| {
                TRADOTTI
                    .iter()
                    .find(|(inglese, _)| *inglese == nome)
                    .map_or(nome, |(_, italiano)| italiano)
            })
            .collect();
        assert_eq!(
            en.difference(&it).collect::<Vec<_>>(),
            Vec::<&&str>::new(),
            "{}",
            voce.codice
        );
    }
}

/// The `{nome}` places of a template; `None` when a brace is left open, closed twice or holds no name.
fn posti(testo: &str) -> Option<BTreeSet<&str>> {
    let mut trovati = BTreeSet::new();
    let mut resto = testo;
    while let Some(aperta) = resto.find(['{', '}']) {
        let dentro = resto[aperta..].strip_prefix('{')?;
        let chiusa = dentro.find('}')?;
        let nome = &dentro[..chiusa];
        if nome.is_empty() || parola(nome) != nome {
            return None;
        }
        trovati.insert(nome);
        resto = &dentro[chiusa + 1..];
    }
    Some(trovati)
}

#[test]
fn the_page_of_errors_is_the_catalogue() {
    let file = radice().join("docs/errori.md");
    if std::env::var_os("BLESS").is_some() {
        fs::write(&file, markdown()).unwrap();
    }
    let pagina = fs::read_to_string(&file).unwrap();
    let nella_pagina: Vec<&str> = pagina
        .lines()
        .filter_map(|riga| riga.strip_prefix("### "))
        .collect();
    let nel_catalogo: Vec<&str> = CODICI.iter().map(|codice| codice.as_str()).collect();
    assert_eq!(
        nella_pagina, nel_catalogo,
        "BLESS=1 cargo test --test tidy writes it anew"
    );
    assert_eq!(
        pagina,
        markdown(),
        "BLESS=1 cargo test --test tidy writes it anew"
    );
}

#[test]
fn the_page_of_metrics_is_their_table() {
    let file = radice().join("docs/metriche.md");
    if std::env::var_os("BLESS").is_some() {
        fs::write(&file, pagina_delle_metriche()).unwrap();
    }
    assert_eq!(
        fs::read_to_string(&file).unwrap(),
        pagina_delle_metriche(),
        "BLESS=1 cargo test --test tidy writes it anew"
    );
    let nomi: BTreeSet<_> = METRICHE.iter().map(|metrica| metrica.nome).collect();
    assert_eq!(nomi.len(), METRICHE.len(), "a name twice");
    for metrica in METRICHE {
        let conta = metrica.nome.ends_with("_total");
        assert_eq!(conta, metrica.tipo == Tipo::Contatore, "{}", metrica.nome);
        assert!(
            metrica.aiuto.ends_with('.') && !metrica.aiuto.contains(['\n', '\\', '|']),
            "{}",
            metrica.nome
        );
    }
}

/// The metrics that a text names, without what a histogram adds to its name.
fn metriche_di(testo: &str) -> Vec<String> {
    let parole = testo.split(|lettera: char| !(lettera.is_ascii_alphanumeric() || lettera == '_'));
    parole
        .filter(|parola| parola.starts_with("varco_") || parola.starts_with("process_"))
        .map(|parola| {
            let senza = ["_bucket", "_sum", "_count"]
                .iter()
                .find_map(|suffisso| parola.strip_suffix(suffisso));
            let istogramma = senza.filter(|nome| {
                METRICHE
                    .iter()
                    .any(|metrica| metrica.nome == *nome && metrica.tipo == Tipo::Istogramma)
            });
            istogramma.unwrap_or(parola).to_owned()
        })
        .collect()
}

#[test]
fn rules_dashboard_and_manual_name_metrics_that_exist() {
    for file in [
        "deploy/prometheus/regole.yml",
        "deploy/grafana/varco.json",
        "docs/esercizio.md",
    ] {
        let testo = fs::read_to_string(radice().join(file)).unwrap();
        // Of the manual, the chapter about them: databases and roles elsewhere have names of that kind.
        let testo = testo
            .split("\n## ")
            .find(|capitolo| capitolo.starts_with("Sorvegliare"))
            .unwrap_or(&testo);
        let nomi = metriche_di(testo);
        assert!(nomi.len() >= 10, "{file} names no metrics");
        for nome in nomi {
            assert!(
                METRICHE.iter().any(|metrica| metrica.nome == nome),
                "{file}: {nome}"
            );
        }
    }
    let cruscotto = fs::read_to_string(radice().join("deploy/grafana/varco.json")).unwrap();
    let cruscotto: serde_json::Value = serde_json::from_str(&cruscotto).unwrap();
    assert!(
        cruscotto["panels"]
            .as_array()
            .is_some_and(|pannelli| pannelli.len() >= 10)
    );
}

#[test]
fn every_step_that_is_timed_is_counted() {
    let mut cronometrati = BTreeSet::new();
    for riga in righe_di_src() {
        for dopo in riga.testo.split("passo(\"").skip(1) {
            cronometrati.insert(dopo.split('"').next().unwrap_or_default().to_owned());
        }
    }
    let contati: BTreeSet<String> = PASSI.iter().map(|passo| (*passo).to_owned()).collect();
    assert_eq!(cronometrati, contati);
}

#[test]
fn the_catalogue_for_programs_has_every_code() {
    let testo = xml();
    for codice in CODICI {
        assert_eq!(
            testo.matches(&format!("<Codice>{codice}</Codice>")).count(),
            1,
            "{codice}"
        );
    }
    assert_eq!(testo.matches("<Voce>").count(), CODICI.len());
}

#[test]
fn a_code_told_in_a_document_exists() {
    let noti: BTreeSet<&str> = CODICI.iter().map(|codice| codice.as_str()).collect();
    let mut trovati = Vec::new();
    for file in [files("docs", "md"), files("xsd", "xsd"), files("wsdl", "wsdl")].concat() {
        let testo = fs::read_to_string(&file).unwrap();
        for (prefisso, _) in GRUPPI {
            for (dove, _) in testo.match_indices(&format!("{prefisso}-")) {
                let da_solo = !testo[..dove]
                    .chars()
                    .next_back()
                    .is_some_and(char::is_alphanumeric);
                let codice = testo.get(dove..dove + prefisso.len() + 4).unwrap_or_default();
                let e_un_codice =
                    codice.len() > 4 && codice[prefisso.len() + 1..].bytes().all(|b| b.is_ascii_digit());
                if da_solo && e_un_codice && !noti.contains(codice) {
                    trovati.push(format!(
                        "{}: {codice}",
                        file.strip_prefix(radice()).unwrap().display()
                    ));
                }
            }
        }
    }
    assert_eq!(trovati, Vec::<String>::new());
}

/// The values of `attributo` in the elements called `elemento`, in order. Our own contract files write one element a
/// line or attributes on one line, so no XML reader is needed to hold them to the code.
fn valori<'a>(testo: &'a str, elemento: &str, attributo: &str) -> Vec<&'a str> {
    testo
        .split(&format!("<{elemento} "))
        .skip(1)
        .filter_map(|resto| {
            let tag = &resto[..resto.find('>')?];
            let dopo = tag.split(&format!("{attributo}=\"")).nth(1)?;
            dopo.split('"').next()
        })
        .collect()
}

#[test]
fn the_wsdl_has_the_operations_of_the_code() {
    for prestazione in PRESTAZIONI {
        let nomi: Vec<&str> = prestazione.operazioni().map(Operazione::nome).collect();
        let wsdl = fs::read_to_string(radice().join(format!("wsdl/{}.wsdl", prestazione.servizio))).unwrap();
        let (port_type, binding) = wsdl.split_once("</wsdl:portType>").unwrap();
        assert_eq!(valori(port_type, "wsdl:operation", "name"), nomi);
        assert_eq!(
            valori(binding, "wsdl:operation", "name"),
            [nomi.clone(), nomi.clone()].concat()
        );
        assert_eq!(
            valori(&wsdl, "wsdl:port", "binding"),
            ["Soap12", "Soap11"]
                .map(|versione| format!("{}:{}{versione}", prestazione.prefisso, prestazione.servizio))
        );
        let azioni: Vec<String> = nomi
            .iter()
            .map(|nome| format!("{}/{nome}", prestazione.namespace))
            .collect();
        for prefisso in ["soap12", "soap"] {
            assert_eq!(
                valori(binding, &format!("{prefisso}:operation"), "soapAction"),
                azioni
            );
            let intestazioni = valori(binding, &format!("{prefisso}:header"), "part");
            let (identita, correlazioni): (Vec<_>, Vec<_>) =
                intestazioni.into_iter().partition(|parte| *parte == "Identity");
            assert_eq!(identita.len(), nomi.len());
            // The answer of InviaLotto gives it; StatoLotto and EsitoLotto give it back.
            assert_eq!(correlazioni, ["X-Correlation-ID"; 3]);
            assert_eq!(
                valori(binding, &format!("{prefisso}:fault"), "name"),
                vec!["Errori"; nomi.len()]
            );
        }
        assert_eq!(
            valori(&wsdl, "xs:import", "schemaLocation"),
            [prestazione.xsd, "cooperazione-v1.xsd", "identity.xsd"]
        );
        let xsd = fs::read_to_string(radice().join("xsd").join(prestazione.xsd)).unwrap();
        let elementi = valori(&xsd, "xs:element", "name");
        let parti = valori(&wsdl, "wsdl:part", "element");
        for nome in &nomi {
            // A part that names no element is a warning at most, until someone calls its operation.
            for elemento in [(*nome).to_owned(), format!("{nome}Response")] {
                let parte = format!("{}:{elemento}", prestazione.prefisso);
                assert!(parti.contains(&parte.as_str()), "{parte} in {parti:?}");
            }
            assert!(elementi.contains(nome), "{nome} in {}", prestazione.xsd);
            assert!(
                elementi.contains(&format!("{nome}Response").as_str()),
                "{nome}Response"
            );
        }
        assert!(wsdl.contains(&format!("targetNamespace=\"{}\"", prestazione.namespace)));
    }
}

#[test]
fn every_operation_has_a_sample_request() {
    for (indice, prestazione) in PRESTAZIONI.iter().enumerate() {
        // Those of the first service lie in the folder itself, those of each other in one of its name.
        let cartella =
            radice()
                .join("docs/messaggi")
                .join(if indice == 0 { "" } else { prestazione.servizio });
        for operazione in prestazione.operazioni() {
            let file = cartella.join(format!("{}.xml", operazione.nome()));
            let messaggio = fs::read_to_string(&file).unwrap();
            assert!(
                messaggio.contains(&format!("<{}:{}", prestazione.prefisso, operazione.nome())),
                "{}",
                file.display()
            );
            assert!(messaggio.contains("<inps:Identity>"), "{}", file.display());
        }
    }
}

/// The samples against the published XSDs, by the same authority that the gateway asks.
#[test]
fn the_sample_requests_are_valid() {
    let xsd = radice().join("xsd");
    let di_ognuna = PRESTAZIONI
        .iter()
        .fold(SchemaSetBuilder::new(), |schemi, prestazione| {
            let file = xsd.join(prestazione.xsd);
            schemi.add(prestazione.namespace, file.to_str().unwrap()).unwrap()
        });
    let schemi = di_ognuna
        .add("http://inps.it/", xsd.join("identity.xsd").to_str().unwrap())
        .unwrap()
        .compile()
        .unwrap();
    assert!(schemi.directive_failures().is_empty());
    let schemi = schemi.schema_set();
    let validatore = SchemaValidator::new(schemi, ValidationFlags::default());
    let mut provati = 0;
    for file in files("docs/messaggi", "xml") {
        let messaggio = fs::read_to_string(&file).unwrap();
        for parte in ["Header", "Body"] {
            let documento = contenuto(&messaggio, parte);
            let (mut errors, mut warnings) = (Vec::new(), Vec::new());
            let mut corsa = validatore.start_run(CollectingValidationSink {
                errors: &mut errors,
                warnings: &mut warnings,
            });
            drive_quick_xml(documento.as_bytes(), &mut corsa, schemi).unwrap();
            drop(corsa);
            let detti: Vec<String> = errors.iter().map(ToString::to_string).collect();
            assert_eq!(detti, Vec::<String>::new(), "{} {parte}", file.display());
        }
        provati += 1;
    }
    assert!(
        provati
            > PRESTAZIONI
                .iter()
                .map(|prestazione| prestazione.operazioni().count())
                .sum::<usize>(),
        "one an operation of each service, and InviaDomanda in SOAP 1.1"
    );
}

/// The one element inside `env:Header` or `env:Body`, as a document of its own: with the envelope's declarations.
fn contenuto(messaggio: &str, parte: &str) -> String {
    let dopo = messaggio.split(&format!("<env:{parte}>")).nth(1).unwrap();
    let dentro = dopo.split(&format!("</env:{parte}>")).next().unwrap();
    // A comment may stand before the element.
    let dentro = dentro
        .rsplit("-->")
        .next()
        .filter(|_| parte == "Header")
        .unwrap_or(dentro);
    let elemento = dentro.trim().strip_prefix('<').unwrap();
    let nome = elemento
        .find(|carattere: char| carattere.is_whitespace() || carattere == '>' || carattere == '/')
        .unwrap();
    let busta = messaggio.split("<env:Envelope").nth(1).unwrap();
    let dichiarazioni = &busta[..busta.find('>').unwrap()];
    format!("<{}{dichiarazioni}{}", &elemento[..nome], &elemento[nome..])
}

/// The two halves of one promise: the same content and key, so that the second receives the first one's receipt.
#[test]
fn the_samples_of_both_soap_versions_say_the_same() {
    let corpo = |nome: &str| {
        let messaggio = fs::read_to_string(radice().join("docs/messaggi").join(nome)).unwrap();
        messaggio.split("<env:Body>").nth(1).unwrap().to_owned()
    };
    for cartella in ["", "AssegnoUnicoUniversale/"] {
        let [v12, v11] =
            ["InviaDomanda", "InviaDomanda-soap11"].map(|nome| corpo(&format!("{cartella}{nome}.xml")));
        assert_eq!(v12, v11, "{cartella}");
    }
}

/// The house is built anywhere: no lock file or script may pin where packages come from.
#[test]
fn no_file_names_the_host_of_a_registry() {
    // Spelt in pieces, so that this file does not name them either.
    let ospiti = [
        ["registry.", "npmjs", ".org"].concat(),
        ["pypi", ".org"].concat(),
        ["files.", "pythonhosted", ".org"].concat(),
        ["static.", "crates", ".io"].concat(),
        ["index.", "crates", ".io"].concat(),
    ];
    let mut da_leggere = [
        files("docs", "md"),
        files("tests", "json"),
        files("tests", "txt"),
        files("tests", "sh"),
        files("tests", "rs"),
        files("src", "rs"),
        files("examples", "rs"),
    ]
    .concat();
    da_leggere.extend(
        [
            "README.md",
            "Cargo.toml",
            "deny.toml",
            "justfile",
            ".ci/run",
            "certs-dev/README.md",
        ]
        .map(|nome| radice().join(nome)),
    );
    let mut trovati = Vec::new();
    for file in da_leggere {
        let testo = fs::read_to_string(&file).unwrap();
        for ospite in &ospiti {
            if testo.contains(ospite) {
                trovati.push(format!(
                    "{}: {ospite}",
                    file.strip_prefix(radice()).unwrap().display()
                ));
            }
        }
    }
    assert_eq!(trovati, Vec::<String>::new());
}

/// A document that points to a file of the tree points to one that is there.
#[test]
fn links_between_documents_lead_somewhere() {
    let mut trovati = Vec::new();
    let mut pagine = files("docs", "md");
    pagine.push(radice().join("README.md"));
    for pagina in pagine {
        let testo = fs::read_to_string(&pagina).unwrap();
        for resto in testo.split("](").skip(1) {
            let meta = resto.split([')', '#']).next().unwrap();
            if meta.is_empty() || meta.contains("://") {
                continue;
            }
            if !pagina.parent().unwrap().join(meta).exists() {
                trovati.push(format!(
                    "{}: {meta}",
                    pagina.strip_prefix(radice()).unwrap().display()
                ));
            }
        }
    }
    assert_eq!(trovati, Vec::<String>::new());
}

/// The programs that integrazione.md shows are those that CI runs: every line of an excerpt stands in its file.
#[test]
fn the_programs_shown_to_integrators_are_the_ones_that_run() {
    let pagina = fs::read_to_string(radice().join("docs/integrazione.md")).unwrap();
    let mut mostrati = BTreeSet::new();
    for resto in pagina.split("<!-- da ").skip(1) {
        let (file, resto) = resto.split_once(" -->").unwrap();
        let estratto = resto.split("```").nth(1).unwrap();
        let programma = fs::read_to_string(radice().join(file)).unwrap();
        let righe: BTreeSet<&str> = programma.lines().map(str::trim).collect();
        for riga in estratto
            .lines()
            .skip(1)
            .map(str::trim)
            .filter(|riga| !riga.is_empty())
        {
            assert!(righe.contains(riga), "{file} has no line: {riga}");
        }
        mostrati.insert(file.to_owned());
    }
    assert_eq!(mostrati.len(), 3, "zeep, node-soap, PHP");
}
