//! Characters, names, references, the XML declaration and the encoding: XML 1.0, fifth edition, sections 2.2 to 2.4,
//! 2.8, 2.11, 3.3.3, 4.1, 4.3.3.

use std::borrow::Cow;

use super::luogo::BOM;
use crate::catalogo::Codice;

/// A fault at an offset of the message; the reader gives it its line and column.
#[derive(Debug)]
pub(super) struct Guasto {
    pub(super) codice: Codice,
    pub(super) offset: usize,
    pub(super) argomenti: Vec<(&'static str, String)>,
    pub(super) incompleto: bool,
}

impl Guasto {
    pub(super) fn new(codice: Codice, offset: usize) -> Self {
        Self {
            codice,
            offset,
            argomenti: Vec::new(),
            incompleto: false,
        }
    }

    #[expect(
        clippy::needless_pass_by_value,
        reason = "callers hand over what they just made"
    )]
    pub(super) fn with(mut self, nome: &'static str, valore: impl ToString) -> Self {
        self.argomenti.push((nome, valore.to_string()));
        self
    }
}

/// A name as it may stand in a sentence: not longer than a line, and nothing in it that moves a terminal.
pub(super) fn mostra(nome: &str) -> String {
    const CARATTERI_MAX: usize = 64;
    let mut mostrato: String = nome
        .chars()
        .take(CARATTERI_MAX)
        .map(|c| if c.is_control() { '\u{FFFD}' } else { c })
        .collect();
    if nome.chars().nth(CARATTERI_MAX).is_some() {
        mostrato.push('…');
    }
    mostrato
}

pub(super) fn is_spazio(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\r' | b'\n')
}

/// The encoding that the first bytes betray, when it is not UTF-8.
pub(super) fn altra_codifica(bytes: &[u8]) -> Option<&'static str> {
    match bytes {
        [0x00, 0x00, 0xFE, 0xFF, ..]
        | [0xFF, 0xFE, 0x00, 0x00, ..]
        | [0x00, 0x00, 0x00, b'<', ..]
        | [b'<', 0x00, 0x00, 0x00, ..] => Some("UTF-32"),
        [0xFE, 0xFF, ..] | [0xFF, 0xFE, ..] | [0x00, b'<', ..] | [b'<', 0x00, ..] => Some("UTF-16"),
        _ => None,
    }
}

/// The offset at which the document begins: after a byte order mark.
pub(super) fn dopo_bom(bytes: &[u8]) -> usize {
    if bytes.starts_with(BOM) { BOM.len() } else { 0 }
}

/// The first character that XML does not allow, and its offset in `testo`.
pub(super) fn illecito(testo: &str) -> Option<(usize, char)> {
    let bytes = testo.as_bytes();
    // Looked at without a branch first, many bytes at once: there mostly is nothing.
    let sospetto = bytes.iter().fold(false, |sospetto, &byte| {
        sospetto | (byte < 0x20 && !matches!(byte, b'\t' | b'\n' | b'\r')) || (byte == 0xEF)
    });
    if !sospetto {
        return None;
    }
    let offset = bytes.iter().enumerate().position(|(i, &byte)| match byte {
        b'\t' | b'\n' | b'\r' => false,
        0..0x20 => true,
        // U+FFFE and U+FFFF; `testo` is UTF-8, so two more bytes are there.
        0xEF => bytes[i + 1] == 0xBF && bytes[i + 2] >= 0xBE,
        _ => false,
    })?;
    testo[offset..].chars().next().map(|c| (offset, c))
}

/// Refuses `testo`, which stands at `offset`, for a character that XML does not allow.
pub(super) fn check_caratteri(testo: &str, offset: usize) -> Result<(), Guasto> {
    match illecito(testo) {
        None => Ok(()),
        Some((i, c)) => {
            Err(Guasto::new(Codice::Env005, offset + i).with("carattere", format!("U+{:04X}", u32::from(c))))
        }
    }
}

fn is_lecito(c: char) -> bool {
    !matches!(c, '\u{0}'..='\u{8}' | '\u{B}' | '\u{C}' | '\u{E}'..='\u{1F}' | '\u{FFFE}' | '\u{FFFF}')
}

fn inizia_nome(c: char) -> bool {
    matches!(c,
        'A'..='Z' | 'a'..='z' | '_'
        | '\u{C0}'..='\u{D6}' | '\u{D8}'..='\u{F6}' | '\u{F8}'..='\u{2FF}' | '\u{370}'..='\u{37D}'
        | '\u{37F}'..='\u{1FFF}' | '\u{200C}'..='\u{200D}' | '\u{2070}'..='\u{218F}' | '\u{2C00}'..='\u{2FEF}'
        | '\u{3001}'..='\u{D7FF}' | '\u{F900}'..='\u{FDCF}' | '\u{FDF0}'..='\u{FFFD}' | '\u{10000}'..='\u{EFFFF}')
}

fn segue_in_nome(c: char) -> bool {
    inizia_nome(c)
        || matches!(c, '-' | '.' | '0'..='9' | '\u{B7}' | '\u{300}'..='\u{36F}' | '\u{203F}'..='\u{2040}')
}

/// Whether this is a name without a colon.
pub(super) fn is_ncname(nome: &str) -> bool {
    let mut caratteri = nome.chars();
    caratteri.next().is_some_and(inizia_nome) && caratteri.all(segue_in_nome)
}

/// A qualified name as prefix and local name; `None` when it is none.
pub(super) fn qname(nome: &str) -> Option<(&str, &str)> {
    match nome.split_once(':') {
        None => is_ncname(nome).then_some(("", nome)),
        Some((prefisso, locale)) => (is_ncname(prefisso) && is_ncname(locale)).then_some((prefisso, locale)),
    }
}

/// The character that `&riferimento;` stands for, without the `&` and the `;`.
pub(super) fn riferimento(riferimento: &str) -> Option<char> {
    match riferimento {
        "amp" => return Some('&'),
        "lt" => return Some('<'),
        "gt" => return Some('>'),
        "apos" => return Some('\''),
        "quot" => return Some('"'),
        _ => {}
    }
    let cifre = riferimento.strip_prefix('#')?;
    let (cifre, base) = match cifre.strip_prefix('x') {
        Some(cifre) => (cifre, 16),
        None => (cifre, 10),
    };
    // `from_str_radix` would take a sign.
    if !cifre.chars().all(|c| c.is_digit(base)) {
        return None;
    }
    // Leading zeros may be many: they are no reason to overflow.
    let cifre = match cifre.trim_start_matches('0') {
        "" => return None,
        cifre => cifre,
    };
    let codice = u32::from_str_radix(cifre, base).ok()?;
    char::from_u32(codice).filter(|&c| is_lecito(c))
}

/// The reference at the start of `testo` (a `&`), which stands at `offset`: the character and the reference's length.
pub(super) fn risolvi(testo: &str, offset: usize) -> Result<(char, usize), Guasto> {
    let fine = testo.bytes().position(|b| b == b';');
    let nome = fine.and_then(|fine| testo.get(1..fine)).unwrap_or_default();
    if let (Some(c), Some(fine)) = (riferimento(nome), fine) {
        return Ok((c, fine + 1));
    }
    // Only what may be meant as a reference is shown: after a lone `&` comes content.
    let mostrato = if nome.len() <= 64 && (is_ncname(nome) || nome.starts_with('#')) {
        format!("&{};", mostra(nome))
    } else {
        "&".to_owned()
    };
    Err(Guasto::new(Codice::Env016, offset).with("riferimento", mostrato))
}

/// Line ends as `\n` (2.11).
pub(super) fn fine_riga(testo: &str) -> Cow<'_, str> {
    if testo.contains('\r') {
        Cow::Owned(testo.replace("\r\n", "\n").replace('\r', "\n"))
    } else {
        Cow::Borrowed(testo)
    }
}

/// An attribute's value, which stands at `offset`, normalised (3.3.3, as of type CDATA).
pub(super) fn valore_attributo(grezzo: &str, offset: usize) -> Result<Cow<'_, str>, Guasto> {
    let speciale = |b: u8| matches!(b, b'&' | b'\t' | b'\n' | b'\r');
    if !grezzo.bytes().any(speciale) {
        return Ok(Cow::Borrowed(grezzo));
    }
    let mut valore = String::with_capacity(grezzo.len());
    let mut letti = 0;
    while let Some(passo) = grezzo.as_bytes()[letti..].iter().position(|&b| speciale(b)) {
        let qui = letti + passo;
        valore.push_str(&grezzo[letti..qui]);
        letti = if grezzo.as_bytes()[qui] == b'&' {
            let (c, lungo) = risolvi(&grezzo[qui..], offset + qui)?;
            valore.push(c);
            qui + lungo
        } else {
            valore.push(' ');
            let coppia = grezzo[qui..].starts_with("\r\n");
            qui + if coppia { 2 } else { 1 }
        };
    }
    valore.push_str(&grezzo[letti..]);
    Ok(Cow::Owned(valore))
}

/// Checks the XML declaration `<?xml …?>`, which stands at `offset`.
pub(super) fn check_dichiarazione(testo: &str, offset: usize) -> Result<(), Guasto> {
    let errata = || Guasto::new(Codice::Env008, offset);
    let mut resto = testo
        .strip_prefix("<?xml")
        .and_then(|resto| resto.strip_suffix("?>"))
        .ok_or_else(errata)?;
    // The three pseudo-attributes, in this order; only the first must be there.
    let mut posto = 0;
    while !resto.trim_matches([' ', '\t', '\r', '\n']).is_empty() {
        let dopo = resto.trim_start_matches([' ', '\t', '\r', '\n']);
        if dopo.len() == resto.len() {
            return Err(errata());
        }
        let (nome, valore, avanzo) = pseudo_attributo(dopo).ok_or_else(errata)?;
        posto = match (posto, nome) {
            (0, "version") if valore == "1.0" => 1,
            (1, "encoding") if valore.eq_ignore_ascii_case("UTF-8") => 2,
            (1, "encoding") => {
                return Err(Guasto::new(Codice::Env003, offset).with("codifica", mostra(valore)));
            }
            (1 | 2, "standalone") if matches!(valore, "yes" | "no") => 3,
            _ => return Err(errata()),
        };
        resto = avanzo;
    }
    if posto == 0 { Err(errata()) } else { Ok(()) }
}

fn pseudo_attributo(testo: &str) -> Option<(&str, &str, &str)> {
    const SPAZI: [char; 4] = [' ', '\t', '\r', '\n'];
    let (nome, resto) = testo.split_once('=')?;
    let resto = resto.trim_start_matches(SPAZI);
    let virgoletta = resto.chars().next().filter(|c| matches!(c, '"' | '\''))?;
    let (valore, avanzo) = resto[1..].split_once(virgoletta)?;
    Some((nome.trim_end_matches(SPAZI), valore, avanzo))
}
