//! The documents that come with a domanda or with an act: their types and formats, and what is known of each once it was
//! read.

use std::fmt;

use bytes::Bytes;

use super::Allegato;
use super::codelista::codelista;
use super::formato::Formato;
use super::sha256::Sha256;

/// A document, as sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AllegatoInviato {
    /// Its type.
    pub tipo: TipoAllegato,
    /// The file name.
    pub nome_file: String,
    /// The MIME type.
    pub tipo_mime: TipoMime,
    /// The imprint that the sender tells, 64 hexadecimal digits.
    pub impronta_dichiarata: Option<String>,
    /// SHA-256 of the decoded bytes.
    pub impronta: [u8; 32],
    /// Length of the decoded bytes.
    pub bytes_len: u64,
    /// What they look like.
    pub formato: Formato,
    /// They themselves.
    pub originale: Originale,
}

/// The decoded bytes of a document: shared, never copied, and never shown by a careless log line.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Originale {
    /// The bytes.
    pub byte: Bytes,
    /// Their SHA-256, taken once.
    pub impronta: [u8; 32],
}

impl Originale {
    /// These bytes with their imprint.
    #[must_use]
    pub fn of(byte: Bytes) -> Self {
        Self {
            impronta: Sha256::of(&byte),
            byte,
        }
    }
}

impl fmt::Debug for Originale {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Originale({} byte)", self.byte.len())
    }
}

/// Bytes of one document, unless the configuration says otherwise (`limits.allegato_bytes_max`).
pub const ALLEGATO_BYTES_MAX: u64 = 5 * 1024 * 1024;

codelista! {
    /// What a document is.
    TipoAllegato {
        /// Bank's form for accounts abroad.
        FinancialIdentificationSepa = "FINANCIAL_IDENTIFICATION_SEPA",
        /// Decision of a court.
        ProvvedimentoGiudice = "PROVVEDIMENTO_GIUDICE",
        /// Permit of stay.
        TitoloSoggiorno = "TITOLO_SOGGIORNO",
        /// Certificate of disability.
        CertDisabilita = "CERT_DISABILITA",
        /// Certificate of attendance.
        CertFrequenza = "CERT_FREQUENZA",
        /// Identity document.
        DocumentoIdentita = "DOCUMENTO_IDENTITA",
        /// The mandate.
        MandatoPatronato = "MANDATO_PATRONATO",
        /// Something else.
        Altro = "ALTRO",
    }
}

codelista! {
    /// In which format a document is.
    TipoMime {
        /// PDF.
        Pdf = "application/pdf",
        /// JPEG.
        Jpeg = "image/jpeg",
        /// TIFF.
        Tiff = "image/tiff",
        /// P7M.
        Pkcs7 = "application/pkcs7-mime",
    }
}

impl TipoMime {
    /// How the name of a file of this format may end, in lower case; the first is the usual one.
    #[must_use]
    pub fn estensioni(self) -> &'static [&'static str] {
        match self {
            Self::Pdf => &["pdf"],
            Self::Jpeg => &["jpg", "jpeg"],
            Self::Tiff => &["tif", "tiff"],
            Self::Pkcs7 => &["p7m"],
        }
    }
}

impl AllegatoInviato {
    /// The values to register.
    #[must_use]
    pub fn registrato(&self) -> Allegato {
        Allegato {
            tipo: self.tipo.as_str(),
            nome_file: self.nome_file.clone(),
            tipo_mime: self.tipo_mime.as_str(),
            impronta: self.impronta,
            bytes_len: self.bytes_len,
            originale: self.originale.clone(),
        }
    }
}

/// Why a file name is refused, for a sentence; `None`: it is as it should be. A name ends as the format asks; before that
/// it does not pretend to be anything else (`modulo.exe.pdf`), but for what a signature is around (`modulo.pdf.p7m`).
#[must_use]
pub fn nome_file_errato(nome: &str, tipo: TipoMime) -> Option<&'static str> {
    if nome
        .chars()
        .any(|c| c.is_control() || matches!(c, '/' | '\\' | ':' | '*' | '?' | '"' | '<' | '>' | '|'))
    {
        return Some("contiene un carattere che un nome di file non può avere");
    }
    // Characters that turn the direction of writing make `fdp.exe` out of `exe.pdf`.
    if nome
        .chars()
        .any(|c| matches!(c, '\u{200E}' | '\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}'))
    {
        return Some("contiene un carattere che inverte la direzione del testo");
    }
    let minuscolo = nome.to_lowercase();
    let Some((prima, estensione)) = minuscolo.rsplit_once('.') else {
        return Some("non ha estensione");
    };
    if !tipo.estensioni().contains(&estensione) {
        return Some("ha un'estensione che non è quella del tipo");
    }
    if prima.trim_matches(['.', ' ']).is_empty() {
        return Some("non ha un nome prima dell'estensione");
    }
    let interna = prima.rsplit_once('.').map_or("", |(_, interna)| interna.trim());
    let di_firmato = tipo == TipoMime::Pkcs7 && DOCUMENTI.contains(&interna);
    (!di_firmato && (DOCUMENTI.contains(&interna) || ESEGUIBILI.contains(&interna)))
        .then_some("ha due estensioni")
}

/// Extensions of documents, which a name bears once; a signed one bears them before its `p7m`.
const DOCUMENTI: &[&str] = &[
    "pdf", "jpg", "jpeg", "tif", "tiff", "p7m", "doc", "docx", "xls", "xlsx", "odt", "rtf", "txt", "xml",
    "png", "gif",
];

/// Extensions of what a double click starts, unpacks or shows in a browser.
const ESEGUIBILI: &[&str] = &[
    "exe", "com", "bat", "cmd", "msi", "scr", "pif", "js", "jse", "vbs", "vbe", "wsf", "ps1", "jar", "sh",
    "lnk", "hta", "htm", "html", "svg", "zip", "rar", "7z", "gz", "iso", "docm", "xlsm", "php", "asp",
    "aspx", "jsp",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_ends_once_and_as_its_format_asks() {
        use TipoMime::{Jpeg, Pdf, Pkcs7, Tiff};
        for (nome, tipo) in [
            ("modulo.pdf", Pdf),
            ("Modulo SEPA (2).PDF", Pdf),
            ("rossi.mario.jpg", Jpeg),
            ("foto.jpeg", Jpeg),
            ("v1.2.tif", Tiff),
            ("modulo.pdf.p7m", Pkcs7),
            ("modulo.p7m", Pkcs7),
        ] {
            assert_eq!(nome_file_errato(nome, tipo), None, "{nome}");
        }
        for (nome, tipo, motivo) in [
            ("modulo", Pdf, "non ha estensione"),
            ("modulo.exe", Pdf, "ha un'estensione che non è quella del tipo"),
            ("modulo.pdf", Jpeg, "ha un'estensione che non è quella del tipo"),
            (
                "modulo.pdf.exe",
                Pdf,
                "ha un'estensione che non è quella del tipo",
            ),
            ("modulo.exe.pdf", Pdf, "ha due estensioni"),
            ("modulo.exe .pdf", Pdf, "ha due estensioni"),
            ("modulo.pdf.jpg", Jpeg, "ha due estensioni"),
            ("modulo.exe.p7m", Pkcs7, "ha due estensioni"),
            (".pdf", Pdf, "non ha un nome prima dell'estensione"),
            ("..pdf", Pdf, "non ha un nome prima dell'estensione"),
            (
                "../modulo.pdf",
                Pdf,
                "contiene un carattere che un nome di file non può avere",
            ),
            (
                "c:modulo.pdf",
                Pdf,
                "contiene un carattere che un nome di file non può avere",
            ),
            (
                "mod\u{202E}fdp.pdf",
                Pdf,
                "contiene un carattere che inverte la direzione del testo",
            ),
        ] {
            assert_eq!(nome_file_errato(nome, tipo), Some(motivo), "{nome}");
        }
    }

    #[test]
    fn no_byte_of_a_document_is_shown() {
        let originale = Originale::of(Bytes::from_static(b"%PDF-1.7"));
        assert_eq!(format!("{originale:?}"), "Originale(8 byte)");
    }
}
