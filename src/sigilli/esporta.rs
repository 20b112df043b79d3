//! A day of the chain as a text file, one thing a line, to be checked without the store (`varco trace verify`). No request,
//! no answer, no person is in it: personal values are told by what binds to them ([`super::impegno`]).
//!
//! ```text
//! varco-prova {"versione":1,…}      what it is of, and what the first block is chained to
//! blocco {"numero":1,…}             a block as its seal has it
//! voci BASE64                       what it sealed, in order
//! riga T CHIAVE - - "canale=4:MODI,…"   a row: kind, name, SHA-256 of request and answer, its columns
//! sostituita CHIAVE BLOCCO          a trace whose place another has taken since
//! pulizia TRACCE/12 BLOCCO "id=2:12,…"       a purge that took rows of the day: the block that sealed it, its columns
//! scartata P CHIAVE TRACCE/12       a row that it took: kind, name, purge
//! sigillo HEX                       the block's seal
//! chiusura "…"                      the document of the day; `chiusura -` while the day is not closed
//! fine {"blocchi":1,"righe":1}
//! ```

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::{Corpi, Genere, Impronta, Riga, Testata, Voce, to_json, write_voci};

/// What a file is of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Inizio {
    /// Of the form of the file.
    pub versione: u8,
    /// Of which ambiente.
    pub ambiente: String,
    /// The day.
    pub giorno: Date,
    /// Number of the last block of before it.
    pub dopo_blocco: u64,
    /// What its first block is chained to.
    pub precedente: Impronta,
    /// SHA-256 of the document of the day before; zeroes where there is none.
    pub giorno_precedente_sha256: Impronta,
}

/// How much a file holds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fine {
    /// Blocks.
    pub blocchi: u64,
    /// Rows that were sealed in them.
    pub righe: u64,
}

/// One line of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Linea {
    /// The first.
    Inizio(Inizio),
    /// A block begins.
    Blocco(Testata),
    /// Its entries.
    Voci(Vec<Voce>),
    /// One of its rows.
    Riga(Riga),
    /// A trace that is not there any more, and the block of the one in its place, if that was sealed.
    Sostituita {
        /// Message id.
        chiave: String,
        /// The block.
        blocco: Option<u64>,
    },
    /// A purge that took some of the rows that follow, and the block that sealed it, if it was yet.
    Pulizia {
        /// Its row.
        riga: Riga,
        /// The block.
        blocco: Option<u64>,
    },
    /// A row that retention took.
    Scartata {
        /// What it is.
        genere: Genere,
        /// What it is called.
        chiave: String,
        /// The purge.
        pulizia: String,
    },
    /// A block ends.
    Sigillo(Impronta),
    /// The day ends, with its document; `None` = it is not closed.
    Chiusura(Option<String>),
    /// The last.
    Fine(Fine),
}

impl Linea {
    /// The line, with its end.
    #[must_use]
    pub fn write(&self) -> String {
        match self {
            Self::Inizio(inizio) => format!("varco-prova {}\n", to_json(inizio)),
            Self::Blocco(testata) => format!("blocco {}\n", to_json(testata)),
            Self::Voci(voci) => format!("voci {}\n", STANDARD.encode(write_voci(voci))),
            Self::Riga(riga) => {
                let [richiesta, risposta] = riga.corpi.map(|corpo| or_dash(corpo.as_ref()));
                let testo = String::from_utf8_lossy(&riga.testo);
                format!(
                    "riga {} {} {richiesta} {risposta} {}\n",
                    riga.genere.lettera(),
                    riga.chiave,
                    to_json(&testo)
                )
            }
            Self::Sostituita { chiave, blocco } => {
                format!("sostituita {chiave} {}\n", or_dash(blocco.as_ref()))
            }
            Self::Pulizia { riga, blocco } => {
                let testo = String::from_utf8_lossy(&riga.testo);
                format!(
                    "pulizia {} {} {}\n",
                    riga.chiave,
                    or_dash(blocco.as_ref()),
                    to_json(&testo)
                )
            }
            Self::Scartata {
                genere,
                chiave,
                pulizia,
            } => format!("scartata {} {chiave} {pulizia}\n", genere.lettera()),
            Self::Sigillo(sigillo) => format!("sigillo {sigillo}\n"),
            Self::Chiusura(None) => "chiusura -\n".to_owned(),
            Self::Chiusura(Some(documento)) => format!("chiusura {}\n", to_json(documento)),
            Self::Fine(fine) => format!("fine {}\n", to_json(fine)),
        }
    }

    /// The line that is written so, its end included; `None` for any other spelling of it, too.
    #[must_use]
    pub fn parse(testo: &str) -> Option<Self> {
        let linea = Self::parse_any(testo.strip_suffix('\n')?)?;
        (linea.write() == testo).then_some(linea)
    }

    fn parse_any(testo: &str) -> Option<Self> {
        let (che, resto) = testo.split_once(' ')?;
        Some(match che {
            "varco-prova" => Self::Inizio(serde_json::from_str(resto).ok()?),
            "blocco" => Self::Blocco(serde_json::from_str(resto).ok()?),
            "voci" => Self::Voci(super::read_voci(&STANDARD.decode(resto).ok()?)?),
            "riga" => {
                let mut parti = resto.splitn(5, ' ');
                let genere = parti.next()?;
                let chiave = parti.next()?.to_owned();
                let corpi: Corpi = [of_dash(parti.next()?).ok()?, of_dash(parti.next()?).ok()?];
                let testo: String = serde_json::from_str(parti.next()?).ok()?;
                Self::Riga(Riga {
                    genere: Genere::parse(genere.parse().ok()?)?,
                    chiave,
                    testo: testo.into_bytes(),
                    corpi,
                })
            }
            "sostituita" => {
                let (chiave, blocco) = resto.split_once(' ')?;
                Self::Sostituita {
                    chiave: chiave.to_owned(),
                    blocco: of_dash(blocco).ok()?,
                }
            }
            "pulizia" => {
                let mut parti = resto.splitn(3, ' ');
                let chiave = parti.next()?.to_owned();
                let blocco = of_dash(parti.next()?).ok()?;
                let testo: String = serde_json::from_str(parti.next()?).ok()?;
                let riga = Riga {
                    genere: Genere::Pulizia,
                    chiave,
                    testo: testo.into_bytes(),
                    corpi: [None; 2],
                };
                Self::Pulizia { riga, blocco }
            }
            "scartata" => {
                let mut parti = resto.splitn(3, ' ');
                Self::Scartata {
                    genere: Genere::parse(parti.next()?.parse().ok()?)?,
                    chiave: parti.next()?.to_owned(),
                    pulizia: parti.next()?.to_owned(),
                }
            }
            "sigillo" => Self::Sigillo(resto.parse().ok()?),
            "chiusura" if resto == "-" => Self::Chiusura(None),
            "chiusura" => Self::Chiusura(Some(serde_json::from_str(resto).ok()?)),
            "fine" => Self::Fine(serde_json::from_str(resto).ok()?),
            _ => return None,
        })
    }
}

fn or_dash(valore: Option<&impl ToString>) -> String {
    valore.map_or_else(|| "-".to_owned(), ToString::to_string)
}

/// Fails where it is neither a dash nor such a value.
fn of_dash<V: std::str::FromStr>(testo: &str) -> Result<Option<V>, V::Err> {
    if testo == "-" {
        return Ok(None);
    }
    testo.parse().map(Some)
}
