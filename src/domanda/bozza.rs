//! The parts of a domanda that every prestazione has, while they are read: each takes fields by their name and gives
//! the whole part once all that the XSD demands was there. A field that is not readable is a field that is not there.

use base64::Engine as _;
use base64::engine::{GeneralPurpose, GeneralPurposeConfig};
use jiff::civil::Date;

use super::Assistenza;
use super::allegato::{AllegatoInviato, TipoAllegato, TipoMime};
use super::codelista::Parola;
use super::dichiarazione::Inviata;
use super::lettura::{booleano, data};
use super::persona::{CodiceInviato, RichiedenteInviato};
use super::sha256::Sha256;

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
    contenuto: Option<([u8; 32], u64)>,
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
            "Contenuto" => self.contenuto = impronta(testo),
            _ => {}
        }
    }

    /// The whole document, its bytes left out.
    #[must_use]
    pub fn allegato(self) -> Option<AllegatoInviato> {
        let (impronta, bytes_len) = self.contenuto?;
        Some(AllegatoInviato {
            tipo: self.tipo?,
            nome_file: self.nome_file?,
            tipo_mime: self.tipo_mime?,
            impronta_dichiarata: self.impronta_dichiarata,
            impronta,
            bytes_len,
        })
    }
}

/// `xs:base64Binary` pads, and lets spaces stand anywhere; the bits that padding leaves over mean nothing.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &base64::alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_allow_trailing_bits(true),
);

/// Characters decoded at a time: whole groups of four.
const BLOCCO: usize = 4096;

/// SHA-256 and length of what base64 text holds, block by block: a document is not held twice in memory.
fn impronta(testo: &str) -> Option<([u8; 32], u64)> {
    let mut caratteri = testo
        .bytes()
        .filter(|carattere| !carattere.is_ascii_whitespace())
        .peekable();
    let (mut sha, mut bytes_len) = (Sha256::new(), 0_u64);
    let (mut blocco, mut decodificato) = (Vec::with_capacity(BLOCCO), [0; BLOCCO / 4 * 3]);
    while caratteri.peek().is_some() {
        blocco.clear();
        blocco.extend(caratteri.by_ref().take(BLOCCO));
        // Padding ends the document: a block that has it must be the last one.
        if blocco.ends_with(b"=") && caratteri.peek().is_some() {
            return None;
        }
        let scritti = BASE64.decode_slice(&blocco, &mut decodificato).ok()?;
        sha.update(&decodificato[..scritti]);
        bytes_len += u64::try_from(scritti).ok()?;
    }
    Some((sha.finish(), bytes_len))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_document_is_known_by_the_imprint_of_its_bytes() {
        let (abc, bytes_len) = impronta("YWJj").unwrap();
        assert_eq!(bytes_len, 3);
        assert_eq!(abc[..4], [0xba, 0x78, 0x16, 0xbf], "SHA-256 of abc");
        for (contenuto, bytes_len) in [("YWJj ZGU=", 5), ("Y Q = =", 1), ("YR==", 1), ("", 0)] {
            assert_eq!(
                impronta(contenuto).map(|(_, bytes_len)| bytes_len),
                Some(bytes_len),
                "{contenuto}"
            );
        }
        for errato in ["YWJ", "YQ==YQ==", "Y*==", "=", "YWJj="] {
            assert_eq!(impronta(errato), None, "{errato}");
        }
    }

    #[test]
    fn a_large_document_is_read_block_by_block() {
        use base64::engine::general_purpose::STANDARD;
        for bytes_len in [BLOCCO / 4 * 3 - 1, BLOCCO / 4 * 3, BLOCCO / 4 * 3 + 1, 100_000] {
            let byte: Vec<u8> = (0..=250).cycle().take(bytes_len).collect();
            let attesa: [u8; 32] = Sha256::of(&byte);
            let letta = impronta(&STANDARD.encode(&byte));
            assert_eq!(
                letta,
                Some((attesa, u64::try_from(bytes_len).unwrap())),
                "{bytes_len}"
            );
        }
    }
}
