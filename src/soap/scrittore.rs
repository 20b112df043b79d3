//! Writes XML: elements that always close, text that is always escaped. What XML does not allow in a text cannot get
//! in, so that an answer is well-formed whatever a message said.

/// A document in the making.
#[derive(Debug, Default)]
pub(crate) struct Scrittore {
    testo: String,
}

impl Scrittore {
    /// An empty document, without an XML declaration.
    pub(crate) fn new() -> Self {
        Self::default()
    }

    /// A document with its XML declaration.
    pub(crate) fn documento() -> Self {
        let mut documento = Self::long(SOLITO);
        documento.grezzo("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
        documento
    }

    /// An empty document that will be about so long.
    pub(crate) fn long(byte: usize) -> Self {
        Self {
            testo: String::with_capacity(byte),
        }
    }

    /// An element, with what `dentro` writes inside.
    pub(crate) fn elemento(
        &mut self,
        nome: &str,
        attributi: &[(&str, &str)],
        dentro: impl FnOnce(&mut Self),
    ) {
        self.testo.push('<');
        self.testo.push_str(nome);
        for (attributo, valore) in attributi {
            self.attributo(attributo, valore);
        }
        self.testo.push('>');
        dentro(self);
        self.testo.push_str("</");
        self.testo.push_str(nome);
        self.testo.push('>');
    }

    /// An attribute, with the space before it: for who keeps attributes without their element.
    pub(crate) fn attributo(&mut self, nome: &str, valore: &str) {
        self.testo.push(' ');
        self.testo.push_str(nome);
        self.testo.push_str("=\"");
        self.scrivi(valore, true);
        self.testo.push('"');
    }

    /// An element with text.
    pub(crate) fn campo(&mut self, nome: &str, valore: impl AsRef<str>) {
        self.elemento(nome, &[], |w| w.testo(valore.as_ref()));
    }

    /// An element with text, when there is one.
    pub(crate) fn campo_se(&mut self, nome: &str, valore: Option<impl AsRef<str>>) {
        if let Some(valore) = valore {
            self.campo(nome, valore);
        }
    }

    /// Text.
    pub(crate) fn testo(&mut self, testo: &str) {
        self.scrivi(testo, false);
    }

    /// XML that was written before: only ours, and only as a whole element.
    pub(crate) fn grezzo(&mut self, xml: &str) {
        self.testo.push_str(xml);
    }

    /// The same as the bytes that were kept of it. What was written here is UTF-8, and is looked at by the block.
    pub(crate) fn conservato(&mut self, xml: &[u8]) {
        match std::str::from_utf8(xml) {
            Ok(xml) => self.grezzo(xml),
            Err(_) => self.grezzo(&String::from_utf8_lossy(xml)),
        }
    }

    /// What was written, as text.
    pub(crate) fn into_string(self) -> String {
        self.testo
    }

    /// The document.
    pub(crate) fn finish(self) -> Vec<u8> {
        self.testo.into_bytes()
    }

    fn scrivi(&mut self, testo: &str, attributo: bool) {
        if testo.bytes().all(|byte| PIANI[usize::from(byte)]) {
            self.testo.push_str(testo);
            return;
        }
        for c in testo.chars() {
            match c {
                '&' => self.testo.push_str("&amp;"),
                '<' => self.testo.push_str("&lt;"),
                '>' => self.testo.push_str("&gt;"),
                '"' if attributo => self.testo.push_str("&quot;"),
                // A reader would make `\n` of it.
                '\r' => self.testo.push_str("&#13;"),
                '\n' if attributo => self.testo.push_str("&#10;"),
                '\t' if attributo => self.testo.push_str("&#9;"),
                '\t' | '\n' => self.testo.push(c),
                '\u{0}'..='\u{1F}' | '\u{FFFE}' | '\u{FFFF}' => self.testo.push('\u{FFFD}'),
                _ => self.testo.push(c),
            }
        }
    }
}

/// Bytes of an answer as most are.
const SOLITO: usize = 2048;

/// Bytes that are written as they are, in text and in values: what most texts are made of.
const PIANI: [bool; 256] = {
    let mut piani = [true; 256];
    let mut byte = 0;
    while byte < 0x20 {
        piani[byte] = false;
        byte += 1;
    }
    piani[b'&' as usize] = false;
    piani[b'<' as usize] = false;
    piani[b'>' as usize] = false;
    piani[b'"' as usize] = false;
    // What U+FFFE and U+FFFF begin with.
    piani[0xEF] = false;
    piani
};

#[cfg(test)]
mod tests {
    use super::*;
    use crate::xml::{Limits, Reader, Token};

    #[test]
    fn what_is_written_is_read_back() {
        let tutti: String = (0..0x300u32)
            .chain(0xD7F0..0xE010)
            .chain(0xFFF0..0x1_0010)
            .filter_map(char::from_u32)
            .collect();
        let mut scrittore = Scrittore::documento();
        scrittore.elemento("a", &[("b", &tutti)], |w| w.testo(&format!("{tutti}]]>")));
        let scritto = scrittore.finish();
        let limiti = Limits {
            attribute_value_bytes_max: 1 << 20,
            ..Limits::default()
        };
        let mut reader = Reader::new(&scritto, &limiti);
        let mut testo = String::new();
        let mut attributo = String::new();
        loop {
            match reader.next().unwrap() {
                Token::Start { attributi, .. } => {
                    attributi.valore("", "b").unwrap().clone_into(&mut attributo);
                }
                Token::Text(pezzo) => testo.push_str(&pezzo),
                Token::End { .. } => {}
                Token::Eof => break,
            }
        }
        let atteso: String = tutti
            .chars()
            .map(|c| match c {
                '\t' | '\n' | '\r' => c,
                '\u{0}'..='\u{1F}' | '\u{FFFE}' | '\u{FFFF}' => '\u{FFFD}',
                _ => c,
            })
            .collect();
        assert_eq!(attributo, atteso);
        assert_eq!(testo, format!("{atteso}]]>"));
    }
}
