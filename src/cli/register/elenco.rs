//! What was taken into the emergency register (DPR 445/2000 art. 63): the list that its office kept by hand, read whole,
//! every mistake told at its line.
//!
//! ```toml
//! [[registrazione]]
//! numero    = 1                             # EMG-AUF/1
//! istante   = "2021-07-02T09:10:00+02:00"   # when it was handed in: the date of presentation
//! ente      = "PAT01"
//! ufficio   = "001"
//! operatore = "mrossi"
//! richiesta = "0001.xml"                    # beside this file: an InviaDomanda or an act, or its SOAP envelope
//! ```

use std::path::{Path, PathBuf};
use std::str::FromStr;

use jiff::Timestamp;
use toml::de::{DeTable, DeValue};

use crate::adesione::documento::{Documento, FileErrato, specie};
use crate::patronato::{CodiceEnte, CodiceUfficio, UserId};

/// One line of the emergency register.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Voce {
    /// The emergency number.
    pub(super) numero: u64,
    /// When it was handed in.
    pub(super) istante: Timestamp,
    /// By which ente.
    pub(super) ente: CodiceEnte,
    /// By which ufficio of it.
    pub(super) ufficio: CodiceUfficio,
    /// By whom.
    pub(super) operatore: UserId,
    /// The file that holds the request.
    pub(super) richiesta: PathBuf,
}

/// Reads the list from its file; requests are looked for beside it. The numbers grow from line to line.
pub(super) fn load(file: &Path) -> Result<Vec<Voce>, FileErrato> {
    let testo = std::fs::read_to_string(file).map_err(|causa| FileErrato::unreadable(file, &causa))?;
    parse(&testo, file)
}

/// Reads the list from its text; `file` names it in errors and is where relative paths start.
pub(super) fn parse(testo: &str, file: &Path) -> Result<Vec<Voce>, FileErrato> {
    let (documento, tabella) = Documento::open(testo);
    let mut lettura = Lettura {
        documento,
        cartella: file.parent().unwrap_or_else(|| Path::new("")),
        ultimo: 0,
    };
    let mut voci = Vec::new();
    if lettura.documento.errori.is_empty() {
        voci = lettura.voci(tabella.get_ref());
    }
    if lettura.documento.errori.is_empty() {
        Ok(voci)
    } else {
        Err(FileErrato::new(file, lettura.documento.errori))
    }
}

const CHIAVI: &[&str] = &["numero", "istante", "ente", "ufficio", "operatore", "richiesta"];

struct Lettura<'a> {
    documento: Documento<'a>,
    cartella: &'a Path,
    /// The number of the line before.
    ultimo: u64,
}

impl<'a> Lettura<'a> {
    fn voci(&mut self, radice: &DeTable<'a>) -> Vec<Voce> {
        self.documento.refuse_unknown("", radice, &["registrazione"]);
        let lista = radice
            .get("registrazione")
            .and_then(|valore| valore.get_ref().as_array());
        let Some(lista) = lista.filter(|lista| !lista.is_empty()) else {
            self.documento.tell(
                0,
                "nessuna registrazione: ognuna si scrive in un blocco che comincia con [[registrazione]]",
            );
            return Vec::new();
        };
        let mut voci = Vec::new();
        for voce in lista {
            let riga = self.documento.riga(voce.span().start);
            match voce.get_ref().as_table() {
                Some(tabella) => voci.extend(self.voce(riga, tabella)),
                None => self
                    .documento
                    .tell(riga, "registrazione: atteso un blocco [[registrazione]]"),
            }
        }
        voci
    }

    /// One line; `None` when something of it is missing or wrong (and was told).
    fn voce(&mut self, riga: usize, tabella: &DeTable<'a>) -> Option<Voce> {
        self.documento.refuse_unknown("registrazione.", tabella, CHIAVI);
        let numero = self.numero(riga, tabella);
        let istante = self.parsed(
            riga,
            tabella,
            "istante",
            "un istante come 2021-07-02T09:10:00+02:00",
        );
        let ente = self.parsed(riga, tabella, "ente", "il codice di un ente");
        let ufficio = self.parsed(riga, tabella, "ufficio", "il codice di un ufficio");
        let operatore = self.parsed(riga, tabella, "operatore", "lo UserId di un operatore");
        let richiesta = self.parsed::<PathBuf>(riga, tabella, "richiesta", "il nome di un file");
        Some(Voce {
            numero: numero?,
            istante: istante?,
            ente: ente?,
            ufficio: ufficio?,
            operatore: operatore?,
            richiesta: self.cartella.join(richiesta?),
        })
    }

    /// Numbers were given one after the other: a list that says otherwise was not copied well.
    fn numero(&mut self, riga: usize, tabella: &DeTable<'a>) -> Option<u64> {
        let Some(valore) = tabella.get("numero") else {
            self.documento.tell(riga, "manca «numero»");
            return None;
        };
        let riga = self.documento.riga(valore.span().start);
        let numero = match valore.get_ref() {
            DeValue::Integer(intero) => u64::from_str(intero.as_str()).ok(),
            altro => {
                let trovato = specie(altro);
                self.documento.tell(
                    riga,
                    format!("numero: atteso un numero intero, trovato {trovato}"),
                );
                return None;
            }
        };
        let Some(numero) = numero.filter(|numero| *numero > self.ultimo) else {
            let ultimo = self.ultimo;
            self.documento.tell(
                riga,
                format!("numero: i numeri di emergenza crescono di riga in riga; qui serve più di {ultimo}"),
            );
            return None;
        };
        self.ultimo = numero;
        Some(numero)
    }

    fn parsed<T: FromStr>(
        &mut self,
        riga: usize,
        tabella: &DeTable<'a>,
        chiave: &str,
        atteso: &str,
    ) -> Option<T> {
        if tabella.get(chiave).is_none() {
            self.documento.tell(riga, format!("manca «{chiave}»"));
            return None;
        }
        let (testo, riga) = self.documento.text(tabella, chiave)?;
        let valore = testo.parse().ok();
        if valore.is_none() {
            self.documento
                .tell(riga, format!("{chiave}: atteso {atteso}, trovato «{testo}»"));
        }
        valore
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DUE: &str = r#"
[[registrazione]]
numero = 1
istante = "2021-07-02T09:10:00+02:00"
ente = "PAT01"
ufficio = "001"
operatore = "mrossi"
richiesta = "0001.xml"

[[registrazione]]
numero = 3
istante = "2021-07-02T09:20:00+02:00"
ente = "PAT02"
ufficio = "A/1"
operatore = "l.bianchi"
richiesta = "due/0003.xml"
"#;

    fn told(testo: &str) -> Vec<(usize, String)> {
        let errori = parse(testo, Path::new("emg/elenco.toml")).unwrap_err().errori;
        errori
            .into_iter()
            .map(|errore| (errore.riga, errore.testo))
            .collect()
    }

    #[test]
    fn requests_are_looked_for_beside_the_list() {
        let voci = parse(DUE, Path::new("emg/elenco.toml")).unwrap();
        assert_eq!(voci.len(), 2);
        assert_eq!(voci[1].numero, 3);
        assert_eq!(voci[1].istante, "2021-07-02T07:20:00Z".parse().unwrap());
        assert_eq!(voci[1].richiesta, Path::new("emg/due/0003.xml"));
    }

    #[test]
    fn every_mistake_is_told_at_its_line() {
        let storto = DUE
            .replace("numero = 3", "numero = 1")
            .replace("ente = \"PAT01\"", "ente = 1")
            .replace("operatore = \"mrossi\"\n", "oprtatore = \"mrossi\"\n")
            .replace("2021-07-02T09:20:00+02:00", "ieri");
        assert_eq!(
            told(&storto),
            [
                (2, "manca «operatore»".to_owned()),
                (
                    5,
                    "ente: atteso un testo fra virgolette, trovato un numero intero".to_owned()
                ),
                (
                    7,
                    "chiave «registrazione.oprtatore» sconosciuta: forse «operatore»?".to_owned()
                ),
                (
                    11,
                    "numero: i numeri di emergenza crescono di riga in riga; qui serve più di 1".to_owned()
                ),
                (
                    12,
                    "istante: atteso un istante come 2021-07-02T09:10:00+02:00, trovato «ieri»".to_owned()
                ),
            ]
        );
    }

    #[test]
    fn an_empty_list_is_none() {
        assert_eq!(
            told(""),
            [(
                0,
                "nessuna registrazione: ognuna si scrive in un blocco che comincia con [[registrazione]]"
                    .to_owned()
            )]
        );
    }
}
