//! Line and column of a byte. Nobody counts lines while reading: whoever needs a place asks for it, and a cursor
//! makes asking in document order linear over the whole message.

use memchr::memchr2_iter;

use crate::domanda::Posizione;

/// The byte order mark of UTF-8, which has no column.
pub(super) const BOM: &[u8] = b"\xEF\xBB\xBF";

/// Line and column of the byte at `offset`. Lines end at `\n`, `\r\n` or `\r`; columns count characters.
#[must_use]
pub fn posizione(bytes: &[u8], offset: usize) -> Posizione {
    Cursore::default().posizione(bytes, offset)
}

/// A place already counted to: asked for offsets that do not go back, it looks at each byte once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cursore {
    offset: usize,
    riga: u32,
    colonna: u32,
}

impl Default for Cursore {
    fn default() -> Self {
        Self {
            offset: 0,
            riga: 1,
            colonna: 1,
        }
    }
}

impl Cursore {
    /// A cursor that stands on the byte at `offset`, which has this line and column.
    #[must_use]
    pub fn at(offset: usize, posizione: Posizione) -> Self {
        Self {
            offset,
            riga: posizione.riga,
            colonna: posizione.colonna,
        }
    }

    /// Line and column of the byte at `offset` of the same `bytes` (or of more of them). Going back is right too,
    /// but counts from the start again.
    pub fn posizione(&mut self, bytes: &[u8], offset: usize) -> Posizione {
        if offset < self.offset {
            *self = Self::default();
        }
        if self.offset == 0 && offset >= BOM.len() && bytes.starts_with(BOM) {
            self.offset = BOM.len();
        }
        let offset = offset.min(bytes.len());
        let passati = &bytes[self.offset..offset];
        let mut ultima_riga = passati;
        for fine in memchr2_iter(b'\n', b'\r', passati) {
            // The `\n` of a `\r\n` ends the line, when it is counted.
            if passati[fine] == b'\r' && bytes.get(self.offset + fine + 1) == Some(&b'\n') {
                continue;
            }
            self.riga = self.riga.saturating_add(1);
            self.colonna = 1;
            ultima_riga = &passati[fine + 1..];
        }
        // Neither the further bytes of a character, nor the `\r` whose `\n` is still to come.
        let caratteri = ultima_riga
            .iter()
            .filter(|byte| !matches!(byte, 0x80..=0xBF | b'\r'))
            .count();
        self.colonna = self
            .colonna
            .saturating_add(u32::try_from(caratteri).unwrap_or(u32::MAX));
        self.offset = offset;
        Posizione {
            riga: self.riga,
            colonna: self.colonna,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_count_characters_and_lines_end_three_ways() {
        let testo = "\u{FEFF}à€😀x\r\ny\rz\nw".as_bytes();
        let luogo = |cerca: u8| {
            let offset = testo.iter().rposition(|&b| b == cerca).unwrap();
            let Posizione { riga, colonna } = posizione(testo, offset);
            (riga, colonna)
        };
        assert_eq!(luogo(b'x'), (1, 4));
        assert_eq!(luogo(b'y'), (2, 1));
        assert_eq!(luogo(b'z'), (3, 1));
        assert_eq!(luogo(b'w'), (4, 1));
        let mut cursore = Cursore::default();
        for offset in [12, testo.len(), 3] {
            assert_eq!(cursore.posizione(testo, offset), posizione(testo, offset));
        }
    }
}
