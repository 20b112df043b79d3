//! `esiti.csv`: one row a file that was registered, one row an error of a file that was not. The columns are a
//! promise to the scripts of patronati: they are only ever added to, at the end.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;

use super::risposta::{Errore, Esito};

/// The first row.
pub const INTESTAZIONE: &str = "file;chiave;esito;protocollo;ripetizione;codice;riga;colonna;percorso;testo";

/// The file of outcomes while it is being written: every file's rows are on disk as soon as they are known, so that
/// an interrupted run leaves what it had learnt.
#[derive(Debug)]
pub struct Esiti<W: Write> {
    uscita: W,
}

impl Esiti<BufWriter<File>> {
    /// Begins the file anew.
    pub fn create(file: &Path) -> io::Result<Self> {
        Self::new(BufWriter::new(File::create(file)?))
    }
}

impl<W: Write> Esiti<W> {
    /// Writes the first row.
    pub fn new(mut uscita: W) -> io::Result<Self> {
        writeln!(uscita, "{INTESTAZIONE}")?;
        Ok(Self { uscita })
    }

    /// Writes the rows of one file.
    pub fn write(&mut self, file: &str, chiave: &str, esito: &Esito) -> io::Result<()> {
        let vuoto = String::new();
        match esito {
            Esito::Registrata(registrata) => self.row(&[
                file,
                chiave,
                esito.nome(),
                registrata.ricevuta.testo("Protocollo"),
                if registrata.ripetizione { "true" } else { "false" },
                "",
                "",
                "",
                "",
                "",
            ])?,
            Esito::Ammissibile { .. } | Esito::Altro(_) => {
                self.row(&[file, chiave, esito.nome(), "", "", "", "", "", "", ""])?;
            }
            Esito::Rifiutata { errori } | Esito::Sospesa { errori } => {
                let anonimo = [Errore::default()];
                let errori = if errori.is_empty() { &anonimo[..] } else { errori };
                for errore in errori {
                    let numero =
                        |valore: Option<u32>| valore.map_or_else(|| vuoto.clone(), |n| n.to_string());
                    self.row(&[
                        file,
                        chiave,
                        esito.nome(),
                        "",
                        "",
                        &errore.codice,
                        &numero(errore.riga),
                        &numero(errore.colonna),
                        &errore.percorso,
                        &errore.testo,
                    ])?;
                }
            }
            Esito::NonInviata { causa } => {
                self.row(&[file, chiave, esito.nome(), "", "", "", "", "", "", causa])?;
            }
        }
        self.uscita.flush()
    }

    fn row(&mut self, campi: &[&str; 10]) -> io::Result<()> {
        let riga: Vec<_> = campi.iter().map(|campo| field(campo)).collect();
        writeln!(self.uscita, "{}", riga.join(";"))
    }
}

/// A field as RFC 4180 quotes it, with our separator.
fn field(testo: &str) -> std::borrow::Cow<'_, str> {
    if testo.contains([';', '"', '\n', '\r']) {
        format!("\"{}\"", testo.replace('"', "\"\"")).into()
    } else {
        testo.into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::send::risposta::Esito;

    fn csv(esito: &Esito) -> String {
        let mut uscita = Vec::new();
        let mut scritti = Esiti::new(&mut uscita).unwrap();
        scritti.write("a.xml", "a-1", esito).unwrap();
        let testo = String::from_utf8(uscita).unwrap();
        testo
            .strip_prefix(&format!("{INTESTAZIONE}\n"))
            .expect("the first row")
            .to_owned()
    }

    #[test]
    fn every_error_has_its_row() {
        let errore = |codice: &str, riga: u32| Errore {
            codice: codice.to_owned(),
            riga: Some(riga),
            colonna: Some(7),
            percorso: "/at:Domanda/at:Minori/at:Minore[2]".to_owned(),
            testo: "manca «Disabile»; \"subito\"".to_owned(),
            ..Errore::default()
        };
        let rifiutata = Esito::Rifiutata {
            errori: vec![errore("XSD-003", 12), errore("CF-002", 30)],
        };
        assert_eq!(
            csv(&rifiutata),
            "a.xml;a-1;RIFIUTATA;;;XSD-003;12;7;/at:Domanda/at:Minori/at:Minore[2];\"manca «Disabile»; \"\"subito\"\"\"\n\
             a.xml;a-1;RIFIUTATA;;;CF-002;30;7;/at:Domanda/at:Minori/at:Minore[2];\"manca «Disabile»; \"\"subito\"\"\"\n"
        );
    }

    #[test]
    fn what_was_not_sent_says_why() {
        let non_inviata = Esito::NonInviata {
            causa: "il varco non risponde".to_owned(),
        };
        assert_eq!(
            csv(&non_inviata),
            "a.xml;a-1;NON_INVIATA;;;;;;;il varco non risponde\n"
        );
    }
}
