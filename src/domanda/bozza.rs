//! The parts of a domanda that every prestazione has, while they are read: each takes fields by their name and gives
//! the whole part once all that the XSD demands was there. A field that is not readable is a field that is not there.

use jiff::civil::Date;

use super::Assistenza;
use super::allegato::{AllegatoInviato, Originale, TipoAllegato, TipoMime};
use super::codelista::Parola;
use super::dichiarazione::Inviata;
use super::formato::Formato;
use super::lettura::{booleano, data};
use super::persona::{CodiceInviato, RichiedenteInviato};

/// The patronato's block: fields of `Domanda` itself, of `Patronato` and of `Mandato`.
#[derive(Debug, Default)]
pub struct BozzaAssistenza {
    data_pratica: Option<Date>,
    codice_patronato: Option<String>,
    codice_ufficio: Option<String>,
    operatore: Option<String>,
    mandato_numero: Option<String>,
    mandato_data: Option<Date>,
}

/// `Richiedente` and its `Contatti`.
#[derive(Default)]
pub struct BozzaRichiedente {
    codice_fiscale: Option<CodiceInviato>,
    nome: Option<String>,
    cognome: Option<String>,
    email: Option<String>,
    cellulare: Option<String>,
    indirizzo: Option<String>,
}

/// One `Dichiarazione`.
#[derive(Debug)]
pub struct BozzaDichiarazione<C, S> {
    codice: Option<C>,
    valore: Option<bool>,
    scelta: Option<S>,
}

/// One `Allegato`.
#[derive(Debug, Default)]
pub struct BozzaAllegato {
    tipo: Option<TipoAllegato>,
    nome_file: Option<String>,
    tipo_mime: Option<TipoMime>,
    impronta_dichiarata: Option<String>,
    contenuto: Option<Originale>,
}

impl BozzaAssistenza {
    /// A field that stands under `Domanda` itself.
    pub fn valore(&mut self, campo: &str, testo: &str) {
        match campo {
            "DataPratica" => self.data_pratica = data(testo),
            "Operatore" => self.operatore = Some(testo.to_owned()),
            _ => {}
        }
    }

    /// A field of `Patronato`.
    pub fn patronato(&mut self, campo: &str, testo: &str) {
        match campo {
            "Codice" => self.codice_patronato = Some(testo.to_owned()),
            "Ufficio" => self.codice_ufficio = Some(testo.to_owned()),
            _ => {}
        }
    }

    /// A field of `Mandato`.
    pub fn mandato(&mut self, campo: &str, testo: &str) {
        match campo {
            "Numero" => self.mandato_numero = Some(testo.to_owned()),
            "Data" => self.mandato_data = data(testo),
            _ => {}
        }
    }

    /// The whole block.
    #[must_use]
    pub fn assistenza(self) -> Option<Assistenza> {
        Some(Assistenza {
            data_pratica: self.data_pratica,
            codice_patronato: self.codice_patronato?,
            codice_ufficio: self.codice_ufficio?,
            operatore: self.operatore?,
            mandato_numero: self.mandato_numero?,
            mandato_data: self.mandato_data?,
        })
    }
}

impl BozzaRichiedente {
    /// A field.
    pub fn valore(&mut self, campo: &str, testo: &str) {
        let parola = || Some(testo.to_owned());
        match campo {
            "CodiceFiscale" => self.codice_fiscale = Some(testo.parse()),
            "Nome" => self.nome = parola(),
            "Cognome" => self.cognome = parola(),
            "Email" => self.email = parola(),
            "Cellulare" => self.cellulare = parola(),
            "Indirizzo" => self.indirizzo = parola(),
            _ => {}
        }
    }

    /// The whole person.
    #[must_use]
    pub fn richiedente(self) -> Option<RichiedenteInviato> {
        Some(RichiedenteInviato {
            codice_fiscale: self.codice_fiscale?,
            nome: self.nome?,
            cognome: self.cognome?,
            email: self.email,
            cellulare: self.cellulare,
            indirizzo: self.indirizzo,
        })
    }
}

impl<C, S> Default for BozzaDichiarazione<C, S> {
    fn default() -> Self {
        Self {
            codice: None,
            valore: None,
            scelta: None,
        }
    }
}

impl<C: Parola, S: Parola> BozzaDichiarazione<C, S> {
    /// A field.
    pub fn valore(&mut self, campo: &str, testo: &str) {
        match campo {
            "Codice" => self.codice = C::parse(testo),
            "Valore" => self.valore = booleano(testo),
            "Scelta" => self.scelta = S::parse(testo),
            _ => {}
        }
    }

    /// The whole declaration.
    #[must_use]
    pub fn dichiarazione(self) -> Option<Inviata<C, S>> {
        Some(Inviata {
            codice: self.codice?,
            valore: self.valore?,
            scelta: self.scelta,
        })
    }
}

impl BozzaAllegato {
    /// A field.
    pub fn valore(&mut self, campo: &str, testo: &str) {
        match campo {
            "Tipo" => self.tipo = TipoAllegato::parse(testo),
            "NomeFile" => self.nome_file = Some(testo.to_owned()),
            "TipoMime" => self.tipo_mime = TipoMime::parse(testo),
            "Impronta" => self.impronta_dichiarata = Some(testo.to_owned()),
            _ => {}
        }
    }

    /// Its bytes, decoded.
    pub fn byte(&mut self, campo: &str, byte: Originale) {
        if campo == "Contenuto" {
            self.contenuto = Some(byte);
        }
    }

    /// The whole document.
    #[must_use]
    pub fn allegato(self) -> Option<AllegatoInviato> {
        let contenuto = self.contenuto?;
        Some(AllegatoInviato {
            tipo: self.tipo?,
            nome_file: self.nome_file?,
            tipo_mime: self.tipo_mime?,
            impronta_dichiarata: self.impronta_dichiarata,
            impronta: contenuto.impronta,
            bytes_len: contenuto.byte.len() as u64,
            formato: Formato::of(&contenuto.byte),
            originale: contenuto,
        })
    }
}
