//! The documents that come with a domanda: their types and formats, and what is known of each once it was read. The
//! bytes stay in the message.

use super::Allegato;
use super::codelista::codelista;

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
}

/// Bytes of one document.
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
        }
    }
}
