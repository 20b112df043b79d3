//! Digest v1 (design.md §2.7): equal for equal content, whatever its spelling. What it covers is the element that
//! carries the request's meaning: the Domanda, or the whole request element of an operation without one.
//!
//! The digest is the SHA-256 of a sequence of tokens. `n(x)` is the length of `x` in bytes as eight bytes, most
//! significant first; all text is UTF-8.
//!
//! | token | bytes |
//! |---|---|
//! | start tag | `S`, `n(namespace)`, namespace, `n(local name)`, local name, number of attributes as eight bytes, then of each attribute: `n(namespace)`, namespace, `n(local name)`, local name, `n(value)`, value |
//! | text | `T`, `n(text)`, text |
//! | content of an attachment | `B`, the 32 bytes of the SHA-256 of the decoded document |
//! | end tag | `E` |
//!
//! - Attributes are sorted by namespace, then local name (byte order); namespace declarations,
//!   `xsi:schemaLocation` and `xsi:noNamespaceSchemaLocation` are left out; values are as XML 1.0 normalises them.
//! - Text is what stands between two tags, references and CDATA resolved, line ends normalised, comments and
//!   processing instructions taken out (text split by one is one text), space, tab, CR and LF cut off at both
//!   ends; empty text is no token.
//! - The content of an attachment is the text of an element `Contenuto` without child elements whose parent is an
//!   `Allegato`, both in the namespace of the covered element: space, tab, CR and LF are taken out of it, the rest
//!   is base64 (RFC 4648 §4, padded, unused bits zero). Text that is none counts as text. Bytes that lie beside the
//!   envelope (MTOM) count as if they stood there: the `xop:Include` in their place is no token.
//!
//! None of this depends on an XSD, a rule or a release. It is stored with its version and must never change: the
//! test vectors below hold it.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::is_spazio;
use crate::domanda::sha256::Sha256;
use crate::ricevuta::Digest;

/// The namespace of `xsi:type` and its like.
pub(super) const XSI: &str = "http://www.w3.org/2001/XMLSchema-instance";

/// What an open element is to the digest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Aperto {
    Altro,
    Allegato,
    Contenuto,
}

/// Takes the tokens in; [`Digester::finish`] gives the digest.
#[derive(Debug)]
pub(super) struct Digester {
    sha: Sha256,
    /// Small pieces are gathered here, so that the hash takes them in blocks.
    attesa: Vec<u8>,
    aperti: Vec<Aperto>,
    /// Namespace of the covered element.
    namespace: String,
}

impl Digester {
    pub(super) fn new() -> Self {
        Self {
            sha: Sha256::new(),
            attesa: Vec::with_capacity(ATTESA_MAX),
            aperti: Vec::new(),
            namespace: String::new(),
        }
    }

    /// Elements open within the covered one, itself included.
    pub(super) fn depth(&self) -> usize {
        self.aperti.len()
    }

    /// Whether the innermost element holds an attachment, so far without a child element.
    pub(super) fn in_attachment(&self) -> bool {
        self.aperti.last() == Some(&Aperto::Contenuto)
    }

    /// A start tag. `attributi` are those of the tag, in any order, without namespace declarations:
    /// namespace, local name, value.
    pub(super) fn start(&mut self, namespace: &str, locale: &str, attributi: &[(&str, &str, &str)]) {
        self.enter(namespace, locale);
        self.put(b"S");
        self.put_lungo(namespace.as_bytes());
        self.put_lungo(locale.as_bytes());
        let mut contano: Vec<&(&str, &str, &str)> = attributi
            .iter()
            .filter(|(ns, nome, _)| {
                !(*ns == XSI && matches!(*nome, "schemaLocation" | "noNamespaceSchemaLocation"))
            })
            .collect();
        contano.sort_unstable();
        self.put(&(contano.len() as u64).to_be_bytes());
        for (ns, nome, valore) in contano {
            self.put_lungo(ns.as_bytes());
            self.put_lungo(nome.as_bytes());
            self.put_lungo(valore.as_bytes());
        }
    }

    /// A start tag without attributes, whose token is at hand: the [`segno`] of its name.
    pub(super) fn start_segno(&mut self, namespace: &str, locale: &str, segno: &[u8]) {
        self.enter(namespace, locale);
        self.put(segno);
    }

    fn enter(&mut self, namespace: &str, locale: &str) {
        if self.aperti.is_empty() {
            self.namespace.clear();
            self.namespace.push_str(namespace);
        }
        let padre = self.aperti.last_mut();
        let in_allegato = padre.as_deref() == Some(&Aperto::Allegato);
        if let Some(padre @ Aperto::Contenuto) = padre {
            // With a child element it is no attachment: its text counts as text.
            *padre = Aperto::Altro;
        }
        let aperto = match locale {
            "Contenuto" if in_allegato && self.namespace == namespace => Aperto::Contenuto,
            "Allegato" if self.namespace == namespace => Aperto::Allegato,
            _ => Aperto::Altro,
        };
        self.aperti.push(aperto);
    }

    /// The whole text before a start tag.
    pub(super) fn text(&mut self, testo: &str) {
        if testo.is_empty() {
            return;
        }
        let testo = testo.trim_matches(is_spazio);
        if !testo.is_empty() {
            self.put(b"T");
            self.put_lungo(testo.as_bytes());
        }
    }

    /// An end tag and the whole text before it.
    pub(super) fn end(&mut self, testo: &str) {
        let contenuto = match self.aperti.pop() {
            Some(Aperto::Contenuto) => decoded_sha256(testo),
            Some(Aperto::Altro | Aperto::Allegato) | None => None,
        };
        match contenuto {
            Some(impronta) => {
                self.put(b"B");
                self.put(&impronta);
            }
            None => self.text(testo),
        }
        self.put(b"E");
    }

    /// The end tag of an attachment whose bytes were decoded elsewhere, or came as they are.
    pub(super) fn end_document(&mut self, impronta: &[u8; 32]) {
        self.aperti.pop();
        self.put(b"B");
        self.put(impronta);
        self.put(b"E");
    }

    pub(super) fn finish(mut self) -> Digest {
        self.sha.update(&self.attesa);
        Digest(self.sha.finish())
    }

    fn put(&mut self, bytes: &[u8]) {
        if self.attesa.len() + bytes.len() > ATTESA_MAX {
            self.sha.update(&self.attesa);
            self.attesa.clear();
        }
        if bytes.len() > ATTESA_MAX {
            self.sha.update(bytes);
        } else {
            self.attesa.extend_from_slice(bytes);
        }
    }

    fn put_lungo(&mut self, bytes: &[u8]) {
        self.put(&(bytes.len() as u64).to_be_bytes());
        self.put(bytes);
    }
}

/// The token of a start tag without attributes.
pub(super) fn segno(namespace: &str, locale: &str) -> Box<[u8]> {
    let mut segno = vec![b'S'];
    for nome in [namespace, locale] {
        segno.extend_from_slice(&(nome.len() as u64).to_be_bytes());
        segno.extend_from_slice(nome.as_bytes());
    }
    segno.extend_from_slice(&0_u64.to_be_bytes());
    segno.into()
}

/// Whether base64 text that can be decoded is what digest v1 takes for it: the bits that padding leaves over are zero.
pub(super) fn is_canonico(testo: &str) -> bool {
    let cifre = testo.bytes().rev().filter(|b| !is_spazio(char::from(*b)));
    let mut ultime: Vec<u8> = cifre.take(4).collect();
    ultime.reverse();
    STANDARD.decode(ultime).is_ok()
}

/// SHA-256 of the bytes that `testo` encodes; `None` when it is no base64. Works in blocks, so that an attachment
/// is not held a second time.
fn decoded_sha256(testo: &str) -> Option<[u8; 32]> {
    let mut sha = Sha256::new();
    let mut blocco = [0_u8; BLOCCO];
    let mut pieni = 0;
    let mut decodificati = [0_u8; BLOCCO];
    let mut finito = false;
    let mut cifre = testo.bytes().filter(|b| !is_spazio(char::from(*b))).peekable();
    while let Some(cifra) = cifre.next() {
        blocco[pieni] = cifra;
        pieni += 1;
        if pieni == BLOCCO || cifre.peek().is_none() {
            // Padding ends the text: a block after a padded one is no base64.
            if finito {
                return None;
            }
            let lunghi = STANDARD.decode_slice(&blocco[..pieni], &mut decodificati).ok()?;
            finito = blocco[pieni - 1] == b'=';
            sha.update(&decodificati[..lunghi]);
            pieni = 0;
        }
    }
    Some(sha.finish())
}

/// Bytes gathered before they are hashed.
const ATTESA_MAX: usize = 1024;
/// Base64 digits decoded at once: a multiple of four.
const BLOCCO: usize = 4096;
