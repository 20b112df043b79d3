//! The summary: all that was sent, in words for people. It is read again from the request as it was received, so that it
//! lacks no field that a reader of values would pass over; what stands in it twice, or only for programs, is told once.

use std::fmt::Write as _;

use jiff::civil::Date;

use super::parole::{self, Genere, SEZIONI};
use super::{CartaError, RicevutaDati};
use crate::domanda::dichiarazione::TestoFirmato;
use crate::domanda::sha256::hex;
use crate::protocollo::data_a_roma;
use crate::soap::mtom;
use crate::xml::{Elemento, Limits};

/// What a summary is made of, as the store keeps it.
#[derive(Clone)]
pub struct Originale {
    /// The receipt as it was told.
    pub ricevuta: bytes::Bytes,
    /// By which operation.
    pub operazione: String,
    /// The whole request as it was received.
    pub richiesta: bytes::Bytes,
    /// Where its content begins.
    pub contenuto_da: usize,
    /// The documents that came with it.
    pub allegati: Vec<AllegatoElencato>,
}

/// The values of a summary. Masked in `Debug`.
#[derive(Clone, PartialEq, Eq)]
pub struct Riepilogo {
    /// The receipt of the same registration.
    pub ricevuta: RicevutaDati,
    /// The fields, section by section.
    pub sezioni: Vec<Sezione>,
    /// The declarations, with their texts.
    pub dichiarazioni: Vec<Resa>,
    /// The documents.
    pub allegati: Vec<AllegatoElencato>,
}

/// Fields that belong together.
#[derive(Clone, PartialEq, Eq)]
pub struct Sezione {
    /// Its title.
    pub titolo: String,
    /// The fields.
    pub voci: Vec<Voce>,
}

/// A field.
#[derive(Clone, PartialEq, Eq)]
pub struct Voce {
    /// Its path under the content element: `Minori/Minore[1]/CodiceFiscale`.
    pub campo: String,
    /// What people call it.
    pub etichetta: String,
    /// The kind of its value.
    pub genere: Genere,
    /// As it was sent.
    pub valore: String,
    /// As people write it, where that is something else.
    pub a_voce: Option<String>,
}

/// A declaration that was sent.
#[derive(Clone, PartialEq, Eq)]
pub struct Resa {
    /// `D1`.
    pub codice: String,
    /// The text that was signed, in the version in force on the day of presentation.
    pub testo: Option<TestoFirmato>,
    /// Whether it was made.
    pub valore: bool,
    /// The title by which it was made.
    pub scelta: Option<String>,
    /// What that word means.
    pub scelta_a_voce: Option<&'static str>,
}

/// A document that was sent: its bytes are not repeated.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AllegatoElencato {
    /// The word of the codelist.
    pub tipo: String,
    /// The file name, as sent.
    pub nome_file: String,
    /// Its format.
    pub tipo_mime: String,
    /// SHA-256 of its bytes.
    pub impronta: [u8; 32],
    /// How many they are.
    pub bytes_len: u64,
}

impl AllegatoElencato {
    /// What its type means.
    #[must_use]
    pub fn tipo_a_voce(&self) -> &str {
        parole::significato("Tipo", &self.tipo).unwrap_or(&self.tipo)
    }

    /// What its format is called.
    #[must_use]
    pub fn formato_a_voce(&self) -> &str {
        parole::significato("TipoMime", &self.tipo_mime).unwrap_or(&self.tipo_mime)
    }

    /// The imprint in hex.
    #[must_use]
    pub fn impronta_hex(&self) -> String {
        hex(&self.impronta)
    }
}

impl Riepilogo {
    /// Reads what was sent. `testo_firmato` tells the text of a declaration on a day.
    pub fn read(
        originale: &Originale,
        testo_firmato: fn(&str, Date) -> Option<TestoFirmato>,
    ) -> Result<Self, CartaError> {
        let ricevuta = RicevutaDati::read(&originale.ricevuta, &originale.operazione)?;
        // Of a message in parts only the envelope is XML.
        let busta = mtom::envelope_around(&originale.richiesta, originale.contenuto_da);
        let contenuto = Elemento::at(
            &originale.richiesta[busta.clone()],
            originale.contenuto_da - busta.start,
            CONTENUTO,
            &senza_limiti(),
        )
        .ok()
        .flatten()
        .ok_or(CartaError::Illeggibile { cosa: "the request" })?;
        let mut lettura = Lettura {
            oggi: data_a_roma(ricevuta.presentata_il),
            testo_firmato,
            sezioni: Vec::new(),
            padri: Vec::new(),
            dichiarazioni: Vec::new(),
        };
        let radice = lettura
            .sezione(&contenuto.nome, 1, "")
            .unwrap_or_else(|| lettura.apri(parole::campo("", &contenuto.nome).0, ""));
        lettura.elemento(&contenuto, "", radice);
        let mut sezioni = lettura.sezioni;
        sezioni.retain(|sezione| !sezione.voci.is_empty());
        Ok(Self {
            ricevuta,
            sezioni,
            dichiarazioni: lettura.dichiarazioni,
            allegati: originale.allegati.clone(),
        })
    }
}

impl std::fmt::Debug for Riepilogo {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Riepilogo")
            .field("ricevuta", &self.ricevuta)
            .field("sezioni", &self.sezioni.len())
            .finish_non_exhaustive()
    }
}

/// The bytes of a document, which a summary names by their imprint.
const CONTENUTO: &str = "Contenuto";

/// What was taken in was within the bounds of its day; they may have become narrower since.
fn senza_limiti() -> Limits {
    Limits {
        depth_max: usize::MAX,
        attributes_max: usize::MAX,
        bindings_max: usize::MAX,
        name_bytes_max: usize::MAX,
        attribute_value_bytes_max: usize::MAX,
        text_bytes_max: usize::MAX,
        elements_max: usize::MAX,
        header_blocks_max: usize::MAX,
        envelope_head_bytes_max: usize::MAX,
    }
}

struct Lettura {
    oggi: Date,
    testo_firmato: fn(&str, Date) -> Option<TestoFirmato>,
    sezioni: Vec<Sezione>,
    /// The path of the element that each section's element stands in.
    padri: Vec<String>,
    dichiarazioni: Vec<Resa>,
}

impl Lettura {
    /// What an element holds, into the section that is open around it.
    fn elemento(&mut self, elemento: &Elemento, percorso: &str, sezione: usize) {
        for (posto, figlio) in elemento.figli.iter().enumerate() {
            let nome = figlio.nome.as_str();
            let omonimi = |altri: &[Elemento]| altri.iter().filter(|altro| altro.nome == nome).count();
            let numero = omonimi(&elemento.figli[..posto]) + 1;
            let mut dove = if percorso.is_empty() {
                nome.to_owned()
            } else {
                format!("{percorso}/{nome}")
            };
            if omonimi(&elemento.figli) > 1 {
                let _ = write!(dove, "[{numero}]");
            }
            match nome {
                // The documents are told with their imprints, as the store has counted them.
                CONTENUTO | "Allegati" => {}
                "Dichiarazione" => self.dichiarazione(figlio),
                _ if figlio.figli.is_empty() => {
                    let (etichetta, genere) = parole::campo(&elemento.nome, nome);
                    self.sezioni[sezione].voci.push(Voce {
                        campo: dove,
                        etichetta,
                        genere,
                        a_voce: parole::a_voce(nome, genere, &figlio.testo),
                        valore: figlio.testo.clone(),
                    });
                }
                _ => {
                    let propria = self.sezione(nome, numero, percorso).unwrap_or(sezione);
                    self.elemento(figlio, &dove, propria);
                }
            }
        }
    }

    /// The section of an element, where it has one; brothers may share it.
    fn sezione(&mut self, nome: &str, numero: usize, padre: &str) -> Option<usize> {
        let (_, titolo) = SEZIONI.iter().find(|(altro, _)| *altro == nome)?;
        let condivisa = SEZIONI.iter().filter(|(_, altro)| altro == titolo).count() > 1;
        let titolo = titolo.replace('#', &numero.to_string());
        let gia = self
            .sezioni
            .iter()
            .zip(&self.padri)
            .position(|(sezione, altro)| condivisa && sezione.titolo == titolo && altro == padre);
        Some(gia.unwrap_or_else(|| self.apri(titolo, padre)))
    }

    fn apri(&mut self, titolo: String, padre: &str) -> usize {
        let voci = Vec::new();
        self.sezioni.push(Sezione { titolo, voci });
        self.padri.push(padre.to_owned());
        self.sezioni.len() - 1
    }

    fn dichiarazione(&mut self, dichiarazione: &Elemento) {
        let codice = dichiarazione.testo_di(&["Codice"]).to_owned();
        let scelta = dichiarazione.figlio("Scelta").map(|scelta| scelta.testo.clone());
        self.dichiarazioni.push(Resa {
            testo: (self.testo_firmato)(&codice, self.oggi),
            valore: matches!(dichiarazione.testo_di(&["Valore"]), "true" | "1"),
            scelta_a_voce: scelta
                .as_deref()
                .and_then(|scelta| parole::significato("Scelta", scelta)),
            codice,
            scelta,
        });
    }
}
