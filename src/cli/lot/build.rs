//! `varco lot build`: a lot out of single messages. Each request goes into the lot with its bytes as they were; what its
//! prefixes meant in its own file they mean in the lot as well.

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail, ensure};

use super::Foglio;
use crate::cli::send::busta::chiave_del_file;
use crate::cli::send::risposta::Errore;
use crate::cli::send::xml_files;
use crate::cli::{BARRA, Uscita, progress_bar};
use crate::intake::lotto::taglio::LOTTO;
use crate::prestazione::{Operazione, PRESTAZIONI, Prestazione};
use crate::xml::{Limits, Reader, Token};

/// Out of what.
#[derive(Debug, clap::Args)]
pub(super) struct Build {
    /// File, o cartelle: i loro *.xml in ordine di nome
    #[arg(value_name = "PERCORSO", required = true)]
    percorsi: Vec<PathBuf>,
    /// File in cui scrivere il lotto
    #[arg(short = 'o', value_name = "LOTTO")]
    output: PathBuf,
}

impl Build {
    pub(super) fn run(self) -> Result<Uscita> {
        let mut files = Vec::new();
        for percorso in &self.percorsi {
            if percorso.is_dir() {
                files.extend(xml_files(percorso)?);
            } else {
                files.push(percorso.clone());
            }
        }
        ensure!(!files.is_empty(), "nessun file .xml");
        let mut lotto: Option<&'static Prestazione> = None;
        let mut foglio = Foglio::create(Some(&self.output))?;
        let barra = progress_bar(files.len() as u64, BARRA);
        for file in &files {
            let bytes =
                std::fs::read(file).with_context(|| format!("impossibile leggere {}", file.display()))?;
            let richiesta = Richiesta::of(&bytes, file)?;
            match lotto {
                None => {
                    let (p, namespace) = (richiesta.prestazione.prefisso, richiesta.prestazione.namespace);
                    write!(
                        foglio,
                        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<{p}:{LOTTO} xmlns:{p}=\"{namespace}\">\n"
                    )?;
                    lotto = Some(richiesta.prestazione);
                }
                Some(prestazione) => ensure!(
                    prestazione.servizio == richiesta.prestazione.servizio,
                    "{}: è una domanda di {}; il lotto è di {}",
                    file.display(),
                    richiesta.prestazione.servizio,
                    prestazione.servizio
                ),
            }
            foglio.write_all(&richiesta.bytes)?;
            foglio.write_all(b"\n")?;
            barra.inc(1);
        }
        barra.finish_and_clear();
        if let Some(prestazione) = lotto {
            writeln!(foglio, "</{}:{LOTTO}>", prestazione.prefisso)?;
        }
        foglio.finish()?;
        outln!("{} domande in {}", files.len(), self.output.display());
        Ok(Uscita::Fatto)
    }
}

/// A request as it stands in a lot.
#[derive(Debug)]
struct Richiesta {
    prestazione: &'static Prestazione,
    bytes: Vec<u8>,
}

impl Richiesta {
    /// The first `InviaDomanda` of a file, or its bare Domanda with a key from the file's name.
    fn of(bytes: &[u8], file: &Path) -> Result<Self> {
        let limits = Limits::default();
        let mut reader = Reader::new(bytes, &limits);
        let (prestazione, nuda, da) = loop {
            match reader.next() {
                Ok(Token::Start { nome, inizio, .. }) => {
                    let prestazione = PRESTAZIONI
                        .iter()
                        .copied()
                        .find(|prestazione| prestazione.namespace == nome.namespace);
                    match prestazione {
                        Some(prestazione) if nome.locale == Operazione::InviaDomanda.nome() => {
                            break (prestazione, false, inizio);
                        }
                        Some(prestazione) if nome.locale == "Domanda" => break (prestazione, true, inizio),
                        Some(_) => bail!("{}: {} non può stare in un lotto", file.display(), nome.locale),
                        None => {}
                    }
                }
                Ok(Token::Eof) => bail!("{}: nessuna InviaDomanda nel file", file.display()),
                Ok(_) => {}
                Err(errore) => bail!("{}:{}", file.display(), Errore::from(&errore.violazione())),
            }
        };
        let profondita = reader.depth();
        let legami: Vec<(String, String)> = reader
            .checkpoint()
            .namespaces()
            .filter(|(prefisso, namespace)| *prefisso != "xml" && !namespace.is_empty())
            .map(|(prefisso, namespace)| (prefisso.to_owned(), namespace.to_owned()))
            .collect();
        let tag = da..reader.end_offset();
        let fine = loop {
            match reader.next() {
                Ok(Token::End { fine, .. }) => {
                    if reader.depth() < profondita {
                        break fine;
                    }
                }
                Ok(_) => {}
                Err(errore) => bail!("{}:{}", file.display(), Errore::from(&errore.violazione())),
            }
        };
        let elemento = declaring(&bytes[da..fine], tag.len(), &legami);
        if !nuda {
            return Ok(Self {
                prestazione,
                bytes: elemento,
            });
        }
        let (p, invia) = (prestazione.prefisso, Operazione::InviaDomanda.nome());
        let (namespace, chiave) = (prestazione.namespace, chiave_del_file(file));
        let apre =
            format!("<{p}:{invia} xmlns:{p}=\"{namespace}\"><{p}:ChiaveInvio>{chiave}</{p}:ChiaveInvio>");
        let chiude = format!("</{p}:{invia}>");
        Ok(Self {
            prestazione,
            bytes: [apre.as_bytes(), &elemento, chiude.as_bytes()].concat(),
        })
    }
}

/// An element whose start tag is so long, with the declarations that it used and does not make itself.
fn declaring(elemento: &[u8], tag: usize, legami: &[(String, String)]) -> Vec<u8> {
    let start = &elemento[..tag];
    let nome = start
        .iter()
        .position(|byte| byte.is_ascii_whitespace() || matches!(byte, b'/' | b'>'))
        .unwrap_or(tag);
    let mut dichiarazioni = String::new();
    for (prefisso, namespace) in legami {
        let (attributo, usato) = if prefisso.is_empty() {
            ("xmlns".to_owned(), true)
        } else {
            // A prefix may stand in a value too (xsi:type): found anywhere, it counts as used.
            let cerca = format!("{prefisso}:");
            (
                format!("xmlns:{prefisso}"),
                memchr::memmem::find(elemento, cerca.as_bytes()).is_some(),
            )
        };
        if usato && !declares(start, &attributo) {
            let valore = namespace
                .replace('&', "&amp;")
                .replace('<', "&lt;")
                .replace('"', "&quot;");
            let _ = write!(dichiarazioni, " {attributo}=\"{valore}\"");
        }
    }
    [&elemento[..nome], dichiarazioni.as_bytes(), &elemento[nome..]].concat()
}

/// Whether a start tag has this attribute.
fn declares(start: &[u8], attributo: &str) -> bool {
    memchr::memmem::find_iter(start, attributo.as_bytes()).any(|qui| {
        let prima = qui.checked_sub(1).map(|qui| start[qui]);
        let dopo = start[qui + attributo.len()..]
            .iter()
            .find(|byte| !byte.is_ascii_whitespace());
        prima.is_some_and(|byte| byte.is_ascii_whitespace()) && dopo == Some(&b'=')
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const AT: &str = "http://inps.it/AssegnoTemporaneo/v1";

    fn richiesta(testo: &str) -> String {
        let richiesta = Richiesta::of(testo.as_bytes(), Path::new("pratica-7.xml")).unwrap();
        String::from_utf8(richiesta.bytes).unwrap()
    }

    #[test]
    fn a_request_keeps_its_bytes_and_gets_the_declarations_of_its_envelope() {
        let dentro = "<a:InviaDomanda x=\"1\"><a:ChiaveInvio>k</a:ChiaveInvio></a:InviaDomanda>";
        let busta = format!(
            "<e:Envelope xmlns:e=\"http://www.w3.org/2003/05/soap-envelope\" xmlns:a=\"{AT}\"><e:Body>\n{dentro}\n</e:Body></e:Envelope>"
        );
        assert_eq!(
            richiesta(&busta),
            dentro.replace("<a:InviaDomanda ", &format!("<a:InviaDomanda xmlns:a=\"{AT}\" "))
        );
        let propria = format!("<InviaDomanda xmlns=\"{AT}\"><ChiaveInvio>k</ChiaveInvio></InviaDomanda>");
        assert_eq!(
            richiesta(&format!("<?xml version=\"1.0\"?>\n{propria}\n")),
            propria
        );
    }

    #[test]
    fn a_bare_domanda_gets_the_key_of_its_file() {
        let nuda = format!("<at:Domanda xmlns:at=\"{AT}\"/>");
        assert_eq!(
            richiesta(&nuda),
            format!(
                "<at:InviaDomanda xmlns:at=\"{AT}\"><at:ChiaveInvio>pratica-7</at:ChiaveInvio>{nuda}</at:InviaDomanda>"
            )
        );
    }

    #[test]
    fn what_cannot_stand_in_a_lot_is_named() {
        let errore = |testo: String| {
            Richiesta::of(testo.as_bytes(), Path::new("x.xml"))
                .unwrap_err()
                .to_string()
        };
        assert_eq!(
            errore(format!("<at:Limiti xmlns:at=\"{AT}\"/>")),
            "x.xml: Limiti non può stare in un lotto"
        );
        assert_eq!(errore("<a/>".to_owned()), "x.xml: nessuna InviaDomanda nel file");
        assert!(errore("<a>".to_owned()).starts_with("x.xml:1:"));
    }
}
