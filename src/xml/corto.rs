//! The plainest kind of markup, which most of a message is made of, read in a few looks. Whatever is not plain, or over a
//! bound, or wrong, is `None` here, and read once more by those who know all of XML and word its faults.

use std::borrow::Cow;

use super::Limits;
use super::tag::{Grezzo, Legami};

/// Length of the name of ASCII letters that `bytes` begin with, and where the part behind its colon begins: at 0, if it
/// has none.
#[inline]
pub(super) fn nome(bytes: &[u8]) -> Option<(usize, usize)> {
    let parte = |da: usize| {
        let parte = bytes.get(da..)?;
        let lunga = parte
            .iter()
            .position(|byte| !NOMI[usize::from(*byte)])
            .unwrap_or(parte.len());
        // What may stand in a name, but not begin it.
        let inizia = !matches!(parte.first()?, b'0'..=b'9' | b'-' | b'.');
        (lunga > 0 && inizia).then_some(da + lunga)
    };
    let prima = parte(0)?;
    if bytes.get(prima) == Some(&b':') {
        Some((parte(prima + 1)?, prima + 1))
    } else {
        Some((prima, 0))
    }
}

/// Prefix and local name of a name whose local part begins at that place.
#[inline]
pub(super) fn parti(qname: &str, locale: usize) -> (&str, &str) {
    match locale {
        0 => ("", qname),
        locale => (&qname[..locale - 1], &qname[locale..]),
    }
}

/// The bytes of a name of ASCII letters.
const NOMI: [bool; 256] = {
    let mut nomi = [false; 256];
    let mut byte = 0_u8;
    while byte < 0x80 {
        nomi[byte as usize] = byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.');
        byte += 1;
    }
    nomi
};

/// Bytes of text that stand for themselves: not a reference, not the end of CDATA, no carriage return, no control
/// character, and not what U+FEFF, U+FFFE and U+FFFF begin with.
pub(super) const LISCI: [bool; 256] = {
    let mut lisci = [true; 256];
    let mut byte = 0;
    while byte < 0x20 {
        lisci[byte] = byte == 0x09 || byte == 0x0A;
        byte += 1;
    }
    lisci[b'<' as usize] = false;
    lisci[b'&' as usize] = false;
    lisci[b']' as usize] = false;
    lisci[0xEF] = false;
    lisci
};

/// Attributes that are looked at here: more are compared with each other in a better way.
const ATTRIBUTI_MAX: usize = 8;

/// Reads ` nome="valore"` as often as it stands behind place `da` of `tag`, which itself stands at `offset`: pushes them onto
/// `attributi`, and tells the place behind the last. Namespace declarations are not plain.
#[inline]
pub(super) fn attributi<'a>(
    tag: &'a str,
    da: usize,
    offset: usize,
    legami: &Legami,
    attributi: &mut Vec<Grezzo<'a>>,
    limiti: &Limits,
) -> Option<usize> {
    let bytes = tag.as_bytes();
    let mut qui = da;
    while bytes.get(qui) == Some(&b' ') {
        let inizio = qui + 1;
        let (lungo, locale) = nome(bytes.get(inizio..)?)?;
        let fine_nome = inizio + lungo;
        let (prefisso, locale) = parti(&tag[inizio..fine_nome], locale);
        if prefisso == "xmlns" || prefisso.is_empty() && locale == "xmlns" {
            return None;
        }
        let valore = bytes.get(fine_nome..)?.strip_prefix(b"=\"")?;
        let lunga = valore.iter().position(|byte| !LISCI_IN_TAG[usize::from(*byte)])?;
        let da = fine_nome + 2;
        // An attribute without a prefix is in no namespace, whatever the default one is.
        let legame = if prefisso.is_empty() {
            0
        } else {
            legami.cerca(prefisso)?
        };
        let attributo = Grezzo {
            legame,
            prefisso,
            locale,
            valore: Cow::Borrowed(&tag[da..da + lunga]),
            offset: offset + inizio,
        };
        if valore[lunga] != b'"'
            || lungo > limiti.name_bytes_max
            || lunga > limiti.attribute_value_bytes_max
            || attributi.len() >= limiti.attributes_max.min(ATTRIBUTI_MAX)
            || attributi.iter().any(|altro| altro.is_same(&attributo, legami))
        {
            return None;
        }
        attributi.push(attributo);
        qui = da + lunga + 1;
    }
    Some(qui)
}

/// Bytes of an attribute's value that stand for themselves, between double quotes: no white space but the space.
const LISCI_IN_TAG: [bool; 256] = {
    let mut lisci = LISCI;
    lisci[b'\t' as usize] = false;
    lisci[b'\n' as usize] = false;
    lisci[b'"' as usize] = false;
    lisci[b']' as usize] = true;
    lisci
};
