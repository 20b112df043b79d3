//! What a document's bytes are, whatever it is said to be: the four formats that are taken, told by the beginning and the
//! end that their standards ask for, and the ones that are mostly sent in their stead, so that a refusal can say what it
//! saw. Nothing is opened or run; a constant part of the bytes is looked at, however long the document is.

use super::allegato::TipoMime;

/// What the bytes look like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Formato {
    /// Whole, as far as its two ends tell.
    Intero(TipoMime),
    /// It begins as one, and does not end as one: cut off on the way, or something else behind a borrowed beginning.
    Troncato(TipoMime),
    /// Something that is known and not taken, in words.
    Altro(&'static str),
    /// Nothing that is known here.
    Ignoto,
}

impl Formato {
    /// Looks at both ends of a document.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Self {
        if bytes.starts_with(b"%PDF-") {
            // ISO 32000-1, 7.5.2 and 7.5.5; readers look for the end in the last 1024 bytes (annex H, note 18).
            return Self::ending(
                TipoMime::Pdf,
                tail(bytes).windows(5).any(|cinque| cinque == b"%%EOF"),
            );
        }
        if bytes.starts_with(&[0xFF, 0xD8, 0xFF]) {
            // ITU-T T.81, B.1.1.3: SOI and EOI. Cameras pad after the EOI.
            return Self::ending(
                TipoMime::Jpeg,
                tail(bytes).windows(2).any(|due| due == [0xFF, 0xD9]),
            );
        }
        if let Some(intera) = tiff(bytes) {
            return Self::ending(TipoMime::Tiff, intera);
        }
        if let Some(contenuto) = signed_data(bytes) {
            return Self::ending(TipoMime::Pkcs7, contenuto);
        }
        ALTRI
            .iter()
            .find(|(inizio, _)| bytes.starts_with(inizio))
            .map_or(Self::Ignoto, |(_, nome)| Self::Altro(nome))
    }

    /// Whether it is what it is said to be.
    #[must_use]
    pub fn is(self, tipo: TipoMime) -> bool {
        self == Self::Intero(tipo)
    }

    /// For a sentence: `i byte sono …`.
    #[must_use]
    pub fn detto(self) -> &'static str {
        match self {
            Self::Intero(TipoMime::Pdf) => "un PDF",
            Self::Intero(TipoMime::Jpeg) => "un'immagine JPEG",
            Self::Intero(TipoMime::Tiff) => "un'immagine TIFF",
            Self::Intero(TipoMime::Pkcs7) => "una busta P7M",
            Self::Troncato(TipoMime::Pdf) => "l'inizio di un PDF senza la sua fine (%%EOF)",
            Self::Troncato(TipoMime::Jpeg) => "l'inizio di una JPEG senza la sua fine (EOI)",
            Self::Troncato(TipoMime::Tiff) => "l'inizio di una TIFF senza la sua prima directory",
            Self::Troncato(TipoMime::Pkcs7) => "l'inizio di una busta P7M, di un'altra lunghezza",
            Self::Altro(nome) => nome,
            Self::Ignoto => "di un formato che il varco non conosce",
        }
    }

    fn ending(tipo: TipoMime, intero: bool) -> Self {
        if intero {
            Self::Intero(tipo)
        } else {
            Self::Troncato(tipo)
        }
    }
}

/// The end of a document, where its mark must stand.
fn tail(bytes: &[u8]) -> &[u8] {
    &bytes[bytes.len().saturating_sub(CODA_BYTES)..]
}

const CODA_BYTES: usize = 1024;

/// TIFF 6.0, section 2: byte order, 42, and the offset of the first directory, which lies behind the head and within the
/// file. `None`: no TIFF; else whether that directory is there.
fn tiff(bytes: &[u8]) -> Option<bool> {
    let (ordine, resto) = bytes.split_first_chunk::<4>()?;
    let offset = resto.first_chunk::<4>();
    let offset = match ordine {
        b"II*\0" => offset.map(|quattro| u32::from_le_bytes(*quattro)),
        b"MM\0*" => offset.map(|quattro| u32::from_be_bytes(*quattro)),
        _ => return None,
    };
    let dentro = |offset: u32| {
        offset >= 8 && usize::try_from(offset).is_ok_and(|offset| offset.saturating_add(2) <= bytes.len())
    };
    Some(offset.is_some_and(dentro))
}

/// RFC 5652, section 3: `ContentInfo ::= SEQUENCE { contentType, content [0] EXPLICIT }` with signedData. What signs a
/// document writes either DER or BER of indefinite length; both are taken. `None`: no such thing; else whether its length
/// is that of the document.
fn signed_data(bytes: &[u8]) -> Option<bool> {
    let resto = bytes.strip_prefix(&[0x30])?;
    let (lungo, resto) = der_length(resto)?;
    let contenuto = resto.strip_prefix(SIGNED_DATA)?;
    if contenuto.first() != Some(&0xA0) {
        return None;
    }
    Some(match lungo {
        Some(lungo) => lungo == resto.len(),
        // The end-of-contents octets of the sequence itself.
        None => bytes.ends_with(&[0, 0]),
    })
}

/// The object identifier 1.2.840.113549.1.7.2.
const SIGNED_DATA: &[u8] = &[0x06, 0x09, 0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x01, 0x07, 0x02];

/// X.690, 8.1.3: a length, `None` for the indefinite one, and what follows it.
fn der_length(bytes: &[u8]) -> Option<(Option<usize>, &[u8])> {
    let (primo, resto) = bytes.split_first()?;
    match primo {
        0x80 => Some((None, resto)),
        0..0x80 => Some((Some(usize::from(*primo)), resto)),
        _ => {
            let (cifre, resto) = resto.split_at_checked(usize::from(primo & 0x7F))?;
            if cifre.len() > size_of::<u32>() {
                return None;
            }
            let lungo = cifre
                .iter()
                .fold(0, |lungo: usize, cifra| (lungo << 8) | usize::from(*cifra));
            Some((Some(lungo), resto))
        }
    }
}

/// What is sent instead, by its first bytes.
const ALTRI: &[(&[u8], &str)] = &[
    (b"PK\x03\x04", "un archivio ZIP (o un documento Office)"),
    (b"MZ", "un programma eseguibile"),
    (b"\x7FELF", "un programma eseguibile"),
    (b"#!", "uno script"),
    (b"\x89PNG\r\n\x1A\n", "un'immagine PNG"),
    (b"GIF8", "un'immagine GIF"),
    (b"RIFF", "un'immagine WebP o un filmato"),
    (b"BM", "un'immagine BMP"),
    (b"\xD0\xCF\x11\xE0", "un documento Office di vecchio formato"),
    (b"{\\rtf", "un documento RTF"),
    (b"\x1F\x8B", "un file compresso GZIP"),
    (b"7z\xBC\xAF\x27\x1C", "un archivio 7z"),
    (b"Rar!", "un archivio RAR"),
    (b"-----BEGIN", "testo PEM: la busta va inviata in DER"),
    (b"II+\0", "un'immagine BigTIFF"),
    (b"MM\0+", "un'immagine BigTIFF"),
    (b"<", "un documento HTML o XML"),
    (b"\xEF\xBB\xBF<", "un documento HTML o XML"),
    (b"JVBERi0", "un PDF codificato in base64 due volte"),
    (b"/9j/", "una JPEG codificata in base64 due volte"),
];

#[cfg(test)]
mod tests {
    use super::*;

    fn long(parti: &[&[u8]]) -> Vec<u8> {
        parti.concat()
    }

    #[test]
    fn each_format_is_known_by_both_its_ends() {
        use TipoMime::{Jpeg, Pdf, Pkcs7, Tiff};
        let lungo = [b'x'; 5000];
        let tiff_intera = long(&[b"II*\0\x08\0\0\0", &[0; 20]]);
        let p7m = long(&[&[0x30, 0x0F], SIGNED_DATA, &[0xA0, 0x02, 0x30, 0x00]]);
        let p7m_lungo = long(&[&[0x30, 0x82, 0x01, 0x0D], SIGNED_DATA, &[0xA0; 258]]);
        let p7m_ber = long(&[&[0x30, 0x80], SIGNED_DATA, &[0xA0, 0x80, 0, 0, 0, 0]]);
        for (bytes, atteso) in [
            (
                long(&[b"%PDF-1.7\n", &lungo, b"\n%%EOF\r\n"]),
                Formato::Intero(Pdf),
            ),
            (long(&[b"%PDF-1.7\n%%EOF", &lungo]), Formato::Troncato(Pdf)),
            (b"%PDF-1.4\n".to_vec(), Formato::Troncato(Pdf)),
            (long(&[b"\n%PDF-1.7\n%%EOF"]), Formato::Ignoto),
            (
                long(&[&[0xFF, 0xD8, 0xFF, 0xE0], &lungo, &[0xFF, 0xD9]]),
                Formato::Intero(Jpeg),
            ),
            (
                long(&[&[0xFF, 0xD8, 0xFF, 0xE0], &lungo]),
                Formato::Troncato(Jpeg),
            ),
            (tiff_intera.clone(), Formato::Intero(Tiff)),
            (long(&[b"MM\0*\0\0\0\x08", &[0; 2]]), Formato::Intero(Tiff)),
            (tiff_intera[..9].to_vec(), Formato::Troncato(Tiff)),
            (b"II*\0".to_vec(), Formato::Troncato(Tiff)),
            (
                long(&[b"II*\0\xFF\xFF\xFF\xFF", &[0; 20]]),
                Formato::Troncato(Tiff),
            ),
            (p7m.clone(), Formato::Intero(Pkcs7)),
            (p7m_lungo.clone(), Formato::Intero(Pkcs7)),
            (p7m_lungo[..100].to_vec(), Formato::Troncato(Pkcs7)),
            (p7m_ber, Formato::Intero(Pkcs7)),
            (p7m[..13].to_vec(), Formato::Ignoto),
            (vec![0x30, 0x85, 1, 1, 1, 1, 1], Formato::Ignoto),
            (vec![0x30], Formato::Ignoto),
            (Vec::new(), Formato::Ignoto),
        ] {
            let inizio = &bytes[..bytes.len().min(16)];
            assert_eq!(Formato::of(&bytes), atteso, "{inizio:?}");
        }
    }

    #[test]
    fn what_is_sent_instead_is_named() {
        for (bytes, atteso) in [
            (&b"PK\x03\x04rest"[..], "un archivio ZIP (o un documento Office)"),
            (b"MZ\x90", "un programma eseguibile"),
            (b"<html>", "un documento HTML o XML"),
            (b"-----BEGIN PKCS7-----", "testo PEM: la busta va inviata in DER"),
            (b"JVBERi0xLjQK", "un PDF codificato in base64 due volte"),
        ] {
            assert_eq!(Formato::of(bytes), Formato::Altro(atteso));
            assert_eq!(Formato::of(bytes).detto(), atteso);
        }
    }

    #[test]
    fn no_beginning_of_anything_is_more_than_looked_at() {
        for inizio in [
            &b"%PDF-"[..],
            &[0xFF, 0xD8, 0xFF],
            b"II*\0",
            b"MM\0*",
            &[0x30, 0x82],
            &[0x30, 0x84, 0xFF],
        ] {
            for lungo in 0..40 {
                let mut bytes = inizio.to_vec();
                bytes.resize(lungo.min(inizio.len()).max(lungo), 0xFF);
                let _ = Formato::of(&bytes);
            }
        }
    }
}
