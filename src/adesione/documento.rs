//! A TOML file written by people: read whole, every mistake told at its line, a misspelt key answered with the
//! nearest that is known. The register of adesioni and `varco.toml` are both read through it.

use std::fmt;
use std::path::{Path, PathBuf};

use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// One mistake of a file.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Errore {
    /// Line, from 1; 0 when the file as a whole is meant.
    pub riga: usize,
    /// What is wrong and what was expected, one Italian sentence.
    pub testo: String,
}

/// A file that was not taken, with everything that is wrong with it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct FileErrato {
    /// Which file.
    pub file: PathBuf,
    /// Its mistakes, in order of line.
    pub errori: Vec<Errore>,
}

impl FileErrato {
    /// The file's mistakes, put in order.
    #[must_use]
    pub fn new(file: &Path, mut errori: Vec<Errore>) -> Self {
        errori.sort();
        Self {
            file: file.to_owned(),
            errori,
        }
    }

    /// A file with one thing wrong: that it cannot be read.
    #[must_use]
    pub fn unreadable(file: &Path, causa: &std::io::Error) -> Self {
        Self::new(
            file,
            vec![Errore {
                riga: 0,
                testo: format!("il file non si legge: {causa}"),
            }],
        )
    }
}

impl fmt::Display for FileErrato {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (posto, errore) in self.errori.iter().enumerate() {
            if posto > 0 {
                writeln!(f)?;
            }
            match errore.riga {
                0 => write!(f, "{}: {}", self.file.display(), errore.testo)?,
                riga => write!(f, "{}:{riga}: {}", self.file.display(), errore.testo)?,
            }
        }
        Ok(())
    }
}

/// A file being read: its text, and the mistakes found so far.
#[derive(Debug)]
pub(crate) struct Documento<'a> {
    testo: &'a str,
    pub(crate) errori: Vec<Errore>,
}

impl<'a> Documento<'a> {
    /// The text's tables; what TOML itself refuses is already among the mistakes.
    pub(crate) fn open(testo: &'a str) -> (Self, Spanned<DeTable<'a>>) {
        let (tabella, errori) = DeTable::parse_recoverable(testo);
        let mut documento = Self {
            testo,
            errori: Vec::new(),
        };
        for errore in errori {
            let riga = errore.span().map_or(0, |span| documento.riga(span.start));
            documento.tell(riga, format!("TOML non valido: {}", errore.message()));
        }
        (documento, tabella)
    }

    /// The line of a byte offset, from 1.
    pub(crate) fn riga(&self, offset: usize) -> usize {
        let prima = self.testo.as_bytes().iter().take(offset);
        prima.filter(|byte| **byte == b'\n').count() + 1
    }

    /// Notes a mistake.
    pub(crate) fn tell(&mut self, riga: usize, testo: impl Into<String>) {
        self.errori.push(Errore {
            riga,
            testo: testo.into(),
        });
    }

    /// Notes every key of `tabella` that is not among `note`.
    pub(crate) fn refuse_unknown(&mut self, dove: &str, tabella: &DeTable<'_>, ammesse: &[&str]) {
        for chiave in tabella.keys() {
            let nome: &str = chiave.get_ref();
            if !ammesse.contains(&nome) {
                let riga = self.riga(chiave.span().start);
                self.tell(riga, sconosciuta(&format!("{dove}{nome}"), nome, ammesse));
            }
        }
    }

    /// The text of a key, when it is there; notes it when it is of another kind.
    pub(crate) fn text(&mut self, tabella: &DeTable<'a>, chiave: &str) -> Option<(String, usize)> {
        let valore = tabella.get(chiave)?;
        let riga = self.riga(valore.span().start);
        if let Some(testo) = valore.get_ref().as_str() {
            return Some((testo.to_owned(), riga));
        }
        self.tell(
            riga,
            format!(
                "{chiave}: atteso un testo fra virgolette, trovato {}",
                specie(valore.get_ref())
            ),
        );
        None
    }

    /// The texts of a list, when it is there, each with its line.
    pub(crate) fn texts(&mut self, tabella: &DeTable<'a>, chiave: &str) -> Vec<(String, usize)> {
        let Some(valore) = tabella.get(chiave) else {
            return Vec::new();
        };
        self.texts_of(chiave, valore)
    }

    /// The texts of a value that must be a list of texts.
    pub(crate) fn texts_of(&mut self, nome: &str, valore: &Spanned<DeValue<'a>>) -> Vec<(String, usize)> {
        let riga = self.riga(valore.span().start);
        let Some(lista) = valore.get_ref().as_array() else {
            self.tell(
                riga,
                format!(
                    "{nome}: attesa una lista di testi, trovato {}",
                    specie(valore.get_ref())
                ),
            );
            return Vec::new();
        };
        let mut trovati = Vec::new();
        for voce in lista {
            let riga = self.riga(voce.span().start);
            match voce.get_ref().as_str() {
                Some(testo) => trovati.push((testo.to_owned(), riga)),
                None => self.tell(
                    riga,
                    format!(
                        "{nome}: atteso un testo fra virgolette, trovato {}",
                        specie(voce.get_ref())
                    ),
                ),
            }
        }
        trovati
    }
}

/// What a value is, for a sentence.
pub(crate) fn specie(valore: &DeValue<'_>) -> &'static str {
    match valore {
        DeValue::String(_) => "un testo",
        DeValue::Integer(_) => "un numero intero",
        DeValue::Float(_) => "un numero con decimali",
        DeValue::Boolean(_) => "true o false",
        DeValue::Datetime(_) => "una data",
        DeValue::Array(_) => "una lista",
        DeValue::Table(_) => "una tabella",
    }
}

/// The sentence for a key that nobody knows.
pub(crate) fn sconosciuta(completa: &str, nome: &str, ammesse: &[&str]) -> String {
    match nearest(nome, ammesse) {
        Some(vicina) => format!("chiave «{completa}» sconosciuta: forse «{vicina}»?"),
        None => format!(
            "chiave «{completa}» sconosciuta: qui si possono usare {}",
            ammesse.join(", ")
        ),
    }
}

/// The known word nearest to `parola`, when one is near enough to be meant.
pub(crate) fn nearest<'k>(parola: &str, note: &[&'k str]) -> Option<&'k str> {
    note.iter()
        .map(|nota| (distance(parola, nota), *nota))
        .filter(|(distanza, nota)| *distanza <= 1 + nota.len() / 4)
        .min()
        .map(|(_, nota)| nota)
}

/// How many letters must be added, dropped or changed to make one word of the other.
fn distance(una: &str, altra: &str) -> usize {
    let altra: Vec<char> = altra.chars().collect();
    let mut riga: Vec<usize> = (0..=altra.len()).collect();
    for (i, lettera) in una.chars().enumerate() {
        let mut diagonale = riga[0];
        riga[0] = i + 1;
        for (j, altra) in altra.iter().enumerate() {
            let cambio = diagonale + usize::from(lettera != *altra);
            diagonale = riga[j + 1];
            riga[j + 1] = cambio.min(riga[j] + 1).min(diagonale + 1);
        }
    }
    riga[altra.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_misspelt_key_is_answered_with_the_nearest() {
        let note = ["certificato", "chiave", "crl", "crl_scaduta"];
        assert_eq!(nearest("certficato", &note), Some("certificato"));
        assert_eq!(nearest("crl_scadura", &note), Some("crl_scaduta"));
        assert_eq!(nearest("zzz", &note), None);
    }

    #[test]
    fn what_toml_refuses_is_told_at_its_line() {
        let (documento, _) = Documento::open("a = 1\nb = = 2\n");
        assert_eq!(documento.errori.first().map(|errore| errore.riga), Some(2));
    }
}
