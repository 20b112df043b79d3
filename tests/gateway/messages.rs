//! Every folder of tests/messages is a letter and its reply: `request.xml` as a client would send it, `answer.xml` as it
//! comes back, `case.toml` with what surrounds them. `BLESS=1` writes the answers anew; the review is the diff.

use std::fs;
use std::path::{Path, PathBuf};
use std::thread;

use varco::prestazione::PRESTAZIONI;

use jiff::SignedDuration;

use crate::helpers::{Archivio, Gateway, Reply, Setting, on_both_stores};
use crate::pdd::busta::{fa, ora};

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
    /// `pdd`: it comes by a porta di dominio. Its dates are those of the folder, and a busta that is old is none: they are
    /// moved to today, and those of the answer back.
    canale: Option<String>,
    /// The case whose message goes in first, from pat01, to that case's service; before it the one that goes first
    /// there.
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

/// The message before this one, and the one before that.
fn send_what_goes_first(root: &Path, case: &Case, gateway: &Gateway) {
    let Some(prima) = &case.prima else { return };
    let folder = root.join(prima);
    let before = Case::read(&folder);
    send_what_goes_first(root, &before, gateway);
    let request = fs::read(folder.join("request.xml")).unwrap();
    let reply = gateway.client_of(before.servizio(), "pat01").post(&request);
    assert_eq!(
        reply.status,
        200,
        "{prima} goes first, and was refused:\n{}",
        reply.text()
    );
}

/// The reply as a file: status line and head that matter, then the envelope, an element a line.
fn answer(root: &Path, folder: &Path, archivio: Archivio) -> String {
    let mut case = Case::read(folder);
    case.setting.archivio = archivio;
    let gateway = Gateway::spawn(&case.setting);
    send_what_goes_first(root, &case, &gateway);
    if case.canale.as_deref() == Some("pdd") {
        let (peer, content_type) = (case.peer.as_deref(), case.content_type.as_deref());
        return Giorni::now().as_file(&send_busta(folder, &gateway, peer, content_type));
    }
    let request = fs::read(folder.join("request.xml")).unwrap();
    let client = gateway.client_of(case.servizio(), case.peer.as_deref().unwrap_or("pat01"));
    let reply = match &case.content_type {
        Some(content_type) => client.post_as(&request, content_type),
        None => client.post(&request),
    };
    as_file(&reply)
}

/// Sends the busta of a folder, as of today.
pub(crate) fn send_busta(
    folder: &Path,
    gateway: &Gateway,
    peer: Option<&str>,
    content_type: Option<&str>,
) -> Reply {
    let request = fs::read_to_string(folder.join("request.xml")).unwrap();
    let request = Giorni::now().moved(&request);
    gateway.porta(peer.unwrap_or("pat01")).post_busta_as(
        request.as_bytes(),
        content_type.unwrap_or("text/xml; charset=UTF-8"),
    )
}

/// The days of the buste in tests/messages, and what they are when they are sent.
struct Giorni(Vec<(&'static str, String)>);

impl Giorni {
    fn now() -> Self {
        let giorno = |ore| ora(fa(SignedDuration::from_hours(ore)))[..10].to_owned();
        Self(vec![("2021-07-14", giorno(24)), ("2021-07-16", giorno(-24))])
    }

    fn moved(&self, testo: &str) -> String {
        let giorni = self.0.iter();
        giorni.fold(testo.to_owned(), |testo, (loro, nostro)| {
            testo.replace(loro, nostro)
        })
    }

    /// What is ours and of the moment is left out: the minute of our Identificatore, our OraRegistrazione.
    fn as_file(&self, reply: &Reply) -> String {
        let mut testo = as_file(reply);
        for (prima, lungo) in [
            ("<eGov_IT:Identificatore>INPS_INPSSPCoopIT_0000001_", 16),
            ("<eGov_IT:OraRegistrazione tempo=\"EGOV_IT_SPC\">", 19),
        ] {
            if let Some(da) = testo.find(prima).map(|da| da + prima.len()) {
                testo.replace_range(da..da + lungo, "…");
            }
        }
        let giorni = self.0.iter();
        giorni.fold(testo, |testo, (loro, nostro)| testo.replace(nostro, loro))
    }
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
