//! Every folder of tests/messages is a letter and its reply: `request.xml` as a client would send it, `answer.xml` as it
//! comes back, `case.toml` with what surrounds them. `BLESS=1` writes the answers anew; the review is the diff.

use std::fs;
use std::path::{Path, PathBuf};
use std::thread;

use varco::prestazione::PRESTAZIONI;

use crate::helpers::{Archivio, Gateway, Reply, Setting, on_both_stores};

on_both_stores! {
    every_message_gets_the_answer_beside_it,
}

/// What surrounds a message.
#[derive(Debug, Default, serde::Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Case {
    /// Who sends: the name of a certificate; `pat01` unless told.
    peer: Option<String>,
    /// The Content-Type; SOAP 1.2's unless told.
    content_type: Option<String>,
    /// To which service; the first one unless told.
    servizio: Option<String>,
    /// The case whose message goes in first, from pat01, to that case's service.
    prima: Option<String>,
    #[serde(flatten)]
    setting: Setting,
}

impl Case {
    fn read(folder: &Path) -> Self {
        toml::from_str(&fs::read_to_string(folder.join("case.toml")).unwrap())
            .unwrap_or_else(|error| panic!("{}: {error}", folder.display()))
    }

    fn servizio(&self) -> &str {
        self.servizio.as_deref().unwrap_or(PRESTAZIONI[0].servizio)
    }
}

fn every_message_gets_the_answer_beside_it(archivio: Archivio) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/messages");
    let mut folders: Vec<PathBuf> = fs::read_dir(&root)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.is_dir())
        .collect();
    folders.sort();
    assert!(folders.len() > 60, "the messages are missing: {}", folders.len());
    let bless = std::env::var_os("BLESS").is_some();
    let mut differ = Vec::new();
    for (folder, answer) in folders.iter().zip(answers(&root, &folders, archivio)) {
        let path = folder.join("answer.xml");
        if bless {
            fs::write(&path, &answer).unwrap();
        } else if fs::read_to_string(&path).unwrap_or_default() != answer {
            differ.push(format!(
                "── {}\n{answer}",
                folder.file_name().unwrap().to_string_lossy()
            ));
        }
    }
    assert!(
        differ.is_empty(),
        "{} answers differ (BLESS=1 rewrites):\n{}",
        differ.len(),
        differ.join("\n")
    );
}

/// The replies to all of them. Each has a gateway and a store of its own, which is mostly waiting for the disk: some at
/// once take as long as one.
fn answers(root: &Path, folders: &[PathBuf], archivio: Archivio) -> Vec<String> {
    thread::scope(|scope| {
        let parti: Vec<_> = folders
            .chunks(folders.len().div_ceil(INSIEME))
            .map(|parte| {
                let answers = move || {
                    parte
                        .iter()
                        .map(|folder| answer(root, folder, archivio))
                        .collect()
                };
                scope.spawn::<_, Vec<String>>(answers)
            })
            .collect();
        parti
            .into_iter()
            .flat_map(|parte| parte.join().unwrap())
            .collect()
    })
}

const INSIEME: usize = 6;

/// The reply as a file: status line and head that matter, then the envelope, an element a line.
fn answer(root: &Path, folder: &Path, archivio: Archivio) -> String {
    let mut case = Case::read(folder);
    case.setting.archivio = archivio;
    let gateway = Gateway::spawn(&case.setting);
    if let Some(prima) = &case.prima {
        let request = fs::read(root.join(prima).join("request.xml")).unwrap();
        let client = gateway.client_of(Case::read(&root.join(prima)).servizio(), "pat01");
        let reply = client.post(&request);
        assert_eq!(
            reply.status,
            200,
            "{}: the message before it was refused:\n{}",
            folder.display(),
            reply.text()
        );
    }
    let request = fs::read(folder.join("request.xml")).unwrap();
    let client = gateway.client_of(case.servizio(), case.peer.as_deref().unwrap_or("pat01"));
    let reply = match &case.content_type {
        Some(content_type) => client.post_as(&request, content_type),
        None => client.post(&request),
    };
    as_file(&reply)
}

fn as_file(reply: &Reply) -> String {
    let spread = reply.text().replace("><", ">\n<");
    format!(
        "<!-- {} {} -->\n{}\n",
        reply.status,
        reply.content_type,
        without_serials(&spread)
    )
}

/// The certificates are new in every run, and so are their serial numbers.
fn without_serials(testo: &str) -> String {
    let mut parti = ["seriale ", "serial "]
        .iter()
        .fold(testo.to_owned(), |testo, parola| {
            let mut pezzi = testo.split(parola);
            let mut senza = pezzi.next().unwrap_or_default().to_owned();
            for pezzo in pezzi {
                senza.push_str(parola);
                senza.push('…');
                senza.push_str(pezzo.trim_start_matches(|c: char| c.is_ascii_hexdigit()));
            }
            senza
        });
    parti.truncate(parti.trim_end().len());
    parti
}
