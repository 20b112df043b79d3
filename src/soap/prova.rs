//! What the tests of this layer share: envelopes to read, and a second opinion on what is written.

use std::io::Write as _;
use std::process::{Command, Stdio};

use super::SoapVersion;
use super::envelope::{Apertura, Envelope, EnvelopeError};
use crate::xml::Limits;

/// An envelope with these header blocks and this body. `env`, `inps` and `at` are bound.
pub(super) fn busta(versione: SoapVersion, header: &str, body: &str) -> String {
    format!(
        "<env:Envelope xmlns:env=\"{}\" xmlns:inps=\"http://inps.it/\" \
         xmlns:at=\"http://inps.it/AssegnoTemporaneo/v1\">\n<env:Header>{header}</env:Header>\n\
         <env:Body>{body}</env:Body></env:Envelope>",
        versione.namespace()
    )
}

/// Opens a whole message.
pub(super) fn apri(xml: &str) -> Result<Envelope, EnvelopeError> {
    match Envelope::open(xml.as_bytes(), true, &Limits::default())? {
        Apertura::Aperta(envelope) => Ok(*envelope),
        Apertura::ServeAltro => panic!("a whole message needs no more: {xml}"),
    }
}

/// Validates `xml` against `xsd/{xsd}` with xmllint. Where there is none, says so, and lets pass.
#[track_caller]
pub(crate) fn valida(xsd: &str, xml: &str) {
    let schema = format!("{}/xsd/{xsd}", env!("CARGO_MANIFEST_DIR"));
    let figlio = Command::new("xmllint")
        .args(["--noout", "--nonet", "--schema", &schema, "-"])
        .stdin(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn();
    let Ok(mut figlio) = figlio else {
        eprintln!("SKIPPED: no xmllint (package libxml2-utils), {xsd} was not consulted");
        return;
    };
    figlio.stdin.take().unwrap().write_all(xml.as_bytes()).unwrap();
    let esito = figlio.wait_with_output().unwrap();
    assert!(
        esito.status.success(),
        "{}\n{xml}",
        String::from_utf8_lossy(&esito.stderr)
    );
}

/// From the start of the first `<nome` to the end of the last `</nome>`.
pub(super) fn estratto<'a>(xml: &'a str, nome: &str) -> &'a str {
    let inizio = xml.find(&format!("<{nome}")).unwrap();
    let chiusura = format!("</{nome}>");
    let fine = xml.rfind(&chiusura).unwrap() + chiusura.len();
    &xml[inizio..fine]
}
