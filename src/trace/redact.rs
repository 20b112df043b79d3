//! What may be shown of a payload: codici fiscali, IBANs and the elements that hold a person's data are masked. Looks at
//! the text, not at the XML, so that a message nobody could read is masked all the same; lengths and lines stay, so
//! that a position told in an error still points to its place.

use std::borrow::Cow;
use std::fmt::Write as _;

/// The text with every personal value masked: a codice fiscale keeps its first three characters, an IBAN its country
/// and its last four, the personal elements of the contract nothing.
#[must_use]
pub fn mask(testo: &str) -> String {
    let mut coperto = String::with_capacity(testo.len());
    let mut resto = testo;
    while let Some(apertura) = resto.find('<') {
        mask_words(&resto[..apertura], &mut coperto);
        let dal_tag = &resto[apertura..];
        // A tag that never ends is the end of a truncated message: mask it as text.
        let Some(fine) = dal_tag.find('>') else {
            mask_words(dal_tag, &mut coperto);
            return coperto;
        };
        let (tag, dopo) = dal_tag.split_at(fine + 1);
        mask_words(tag, &mut coperto);
        resto = dopo;
        if is_personal(tag) {
            let contenuto = resto.find('<').unwrap_or(resto.len());
            blank(&resto[..contenuto], &mut coperto);
            resto = &resto[contenuto..];
        }
    }
    mask_words(resto, &mut coperto);
    coperto
}

/// The text of a message. Where it came in parts (MTOM) its envelope is shown, and each document beside it by its head and
/// its length: bytes are nothing to read, and somebody's data.
#[must_use]
pub fn text_of(bytes: &[u8]) -> Cow<'_, str> {
    let (Some(fine), true) = (
        bytes.iter().position(|byte| *byte == b'\n'),
        bytes.starts_with(b"--"),
    ) else {
        return String::from_utf8_lossy(bytes);
    };
    let delimitatore = bytes[..fine].trim_ascii_end();
    let mut testo = String::new();
    let mut resto = bytes;
    while !resto.is_empty() {
        let fine = after(resto, delimitatore).unwrap_or(resto.len());
        let (parte, dopo) = resto.split_at(fine);
        resto = dopo;
        let testa = [&b"\r\n\r\n"[..], b"\n\n"]
            .iter()
            .filter_map(|vuota| Some(parte.windows(vuota.len()).position(|qui| qui == *vuota)? + vuota.len()))
            .min();
        let (testa, corpo) = parte.split_at(testa.unwrap_or(parte.len()));
        let testa = String::from_utf8_lossy(testa);
        testo.push_str(&testa);
        if testa.to_ascii_lowercase().contains("application/xop+xml") {
            testo.push_str(&String::from_utf8_lossy(corpo));
        } else if !corpo.is_empty() {
            // Writing to a String cannot fail.
            let _ = writeln!(testo, "[{} byte]", corpo.trim_ascii_end().len());
        }
    }
    Cow::Owned(testo)
}

/// Where the next line begins that starts with the delimiter.
fn after(bytes: &[u8], delimitatore: &[u8]) -> Option<usize> {
    let mut da = 0;
    while let Some(a_capo) = bytes[da..].iter().position(|byte| *byte == b'\n') {
        da += a_capo + 1;
        if bytes[da..].starts_with(delimitatore) {
            return Some(da);
        }
    }
    None
}

/// Local names of the elements whose whole text is a person's.
const PERSONALI: [&str; 11] = [
    "CodiceFiscale",
    "Nome",
    "Cognome",
    "Email",
    "Cellulare",
    "Indirizzo",
    "Iban",
    "DataNascita",
    "NomeFile",
    "Contenuto",
    "Motivazione",
];

/// Whether this start tag opens a personal element, whatever its prefix.
fn is_personal(tag: &str) -> bool {
    let nome = tag
        .trim_start_matches('<')
        .split(|c: char| c.is_whitespace() || c == '>' || c == '/')
        .next()
        .unwrap_or_default();
    let locale = nome.rsplit(':').next().unwrap_or_default();
    !tag.ends_with("/>") && PERSONALI.contains(&locale)
}

/// Masks the words that have the shape of an identifier, wherever they stand (attributes and comments included).
fn mask_words(testo: &str, coperto: &mut String) {
    let mut resto = testo;
    while let Some(inizio) = resto.find(|c: char| c.is_ascii_alphanumeric()) {
        coperto.push_str(&resto[..inizio]);
        let dalla_parola = &resto[inizio..];
        let fine = dalla_parola
            .find(|c: char| !c.is_ascii_alphanumeric())
            .unwrap_or(dalla_parola.len());
        let (parola, dopo) = dalla_parola.split_at(fine);
        if is_codice_fiscale(parola) {
            coperto.push_str(&parola[..3]);
            blank(&parola[3..], coperto);
        } else if is_iban(parola) {
            let ultime = parola.len() - 4;
            coperto.push_str(&parola[..2]);
            blank(&parola[2..ultime], coperto);
            coperto.push_str(&parola[ultime..]);
        } else {
            coperto.push_str(parola);
        }
        resto = dopo;
    }
    coperto.push_str(resto);
}

/// Sixteen characters in the pattern of a codice fiscale (omocodia included, check character not looked at: a wrong
/// one is a person's all the same), or eleven digits.
pub(super) fn is_codice_fiscale(parola: &str) -> bool {
    let bytes = parola.as_bytes();
    match bytes.len() {
        11 => bytes.iter().all(u8::is_ascii_digit),
        16 => bytes.iter().enumerate().all(|(posto, byte)| match posto {
            0..=5 | 8 | 11 | 15 => byte.is_ascii_alphabetic(),
            _ => byte.is_ascii_digit() || b"LMNPQRSTUV".contains(&byte.to_ascii_uppercase()),
        }),
        _ => false,
    }
}

/// Two letters, two digits, and eleven to thirty more.
fn is_iban(parola: &str) -> bool {
    let bytes = parola.as_bytes();
    (15..=34).contains(&bytes.len())
        && bytes[..2].iter().all(u8::is_ascii_alphabetic)
        && bytes[2..4].iter().all(u8::is_ascii_digit)
        // A word of letters alone after that would be no account.
        && bytes[4..].iter().filter(|byte| byte.is_ascii_digit()).count() >= 5
}

/// A star a character; white space stays, so that lines do.
fn blank(testo: &str, coperto: &mut String) {
    coperto.extend(testo.chars().map(|c| if c.is_whitespace() { c } else { '*' }));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_parts_of_a_message_are_told_by_their_lengths() {
        let messaggio =
            b"--x\r\nContent-Type: application/xop+xml\r\n\r\n<at:Nome>MARIO</at:Nome>\r\n--x\r\n\
            Content-ID: <uno>\r\n\r\n%PDF MARIO ROSSI\xFF\r\n--x--\r\n";
        let testo = text_of(messaggio);
        assert!(
            testo.contains("<at:Nome>MARIO<") && testo.contains("Content-ID: <uno>\r\n\r\n[17 byte]\n--x--")
        );
        assert!(!mask(&testo).contains("MARIO"));
        for tagliato in 0..messaggio.len() {
            let _ = text_of(&messaggio[..tagliato]);
        }
        assert_eq!(text_of("<à/>".as_bytes()), "<à/>");
        assert!(!mask("<at:Contenuto>JVBERi0xLjQK</at:Contenuto>").contains("JVBE"));
    }

    #[test]
    fn identifiers_are_masked_wherever_they_stand() {
        for (testo, coperto) in [
            ("RSSMRA80A01H501U", "RSS*************"),
            ("rssmraqrcmnfnlrg!", "rss*************!"),
            ("il codice 80000000002.", "il codice 800********."),
            ("IT60X0542811101000000123456", "IT*********************3456"),
            ("<a b='BBBRRR14A01A001X'/>", "<a b='BBB*************'/>"),
            ("<!-- BBBRRR14A01A001X", "<!-- BBB*************"),
            ("INPS-AUF-2021-000000010797", "INPS-AUF-2021-000000010797"),
            ("PAT01-2021/000123", "PAT01-2021/000123"),
            (
                "01890c5c-6f1e-7b3a-9d2f-0123456789ab",
                "01890c5c-6f1e-7b3a-9d2f-0123456789ab",
            ),
        ] {
            assert_eq!(mask(testo), coperto);
        }
    }

    #[test]
    fn personal_elements_are_masked_whatever_they_hold() {
        assert_eq!(
            mask(
                "<at:Richiedente><at:Nome>MARIA</at:Nome>\n<Cognome a='1'>D'AMICO\nÈ</Cognome></at:Richiedente>"
            ),
            "<at:Richiedente><at:Nome>*****</at:Nome>\n<Cognome a='1'>*******\n*</Cognome></at:Richiedente>"
        );
        assert_eq!(mask("<Iban>IT60 X054 28"), "<Iban>**** **** **");
        assert_eq!(mask("<Nome/>PAT01"), "<Nome/>PAT01");
    }

    #[test]
    fn lines_and_columns_stay() {
        let testo = "<D>\n <CodiceFiscale>\n  RSSMRA80A01H501U</CodiceFiscale><Ufficio>001</Ufficio>";
        let coperto = mask(testo);
        assert_eq!(coperto.chars().count(), testo.chars().count());
        assert_eq!(coperto.find("<Ufficio>001"), testo.find("<Ufficio>001"));
    }
}
