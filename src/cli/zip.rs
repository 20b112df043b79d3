//! A ZIP file, written entry by entry: deflate, names in UTF-8, nothing older or newer (APPNOTE 6.3.10, without ZIP64). What
//! has been written is not held: only the names are, for the directory at the end.

use std::io::{self, Write};

use flate2::{Compression, Crc, write::DeflateEncoder};
use jiff::Timestamp;

use crate::domanda::sha256::{Sha256, hex};
use crate::protocollo::roma;

/// A file being written.
pub(super) struct Zip<W> {
    file: W,
    scritti: u64,
    voci: Vec<Voce>,
    /// All entries are of this moment, as MS-DOS tells it.
    quando: [u8; 4],
}

/// An entry that was written.
pub(super) struct Voce {
    /// Its name.
    pub(super) nome: String,
    /// Its length.
    pub(super) byte: u64,
    /// SHA-256 of its content, hex.
    pub(super) sha256: String,
    /// What both headers say of it: from the version to the lengths.
    campi: Vec<u8>,
    inizio: u32,
}

/// What a file without ZIP64 holds: one byte more, or one entry, and it is no ZIP that everybody reads.
const BYTE_MAX: u64 = u32::MAX as u64;
const VOCI_MAX: usize = u16::MAX as usize;

/// Room for the directory and the last entries.
const RISERVA: u64 = 64 << 20;

impl<W: Write> Zip<W> {
    pub(super) fn new(file: W, adesso: Timestamp) -> Self {
        Self {
            file,
            scritti: 0,
            voci: Vec::new(),
            quando: msdos(adesso),
        }
    }

    /// Whether there is room for an entry of so many bytes, and for what comes after it.
    pub(super) fn has_room(&self, byte: usize) -> bool {
        self.voci.len() + 8 < VOCI_MAX && self.scritti + byte as u64 + RISERVA < BYTE_MAX
    }

    /// Writes an entry.
    pub(super) fn add(&mut self, nome: &str, contenuto: &[u8]) -> io::Result<()> {
        let mut compressore = DeflateEncoder::new(Vec::new(), Compression::default());
        compressore.write_all(contenuto)?;
        let compresso = compressore.finish()?;
        let mut crc = Crc::new();
        crc.update(contenuto);
        let mut campi = Vec::with_capacity(26);
        // Needs 2.0 (deflate); names in UTF-8; deflate.
        for campo in [20_u16, 1 << 11, 8] {
            campi.extend(campo.to_le_bytes());
        }
        campi.extend(self.quando);
        campi.extend(crc.sum().to_le_bytes());
        campi.extend(small(compresso.len())?.to_le_bytes());
        campi.extend(small(contenuto.len())?.to_le_bytes());
        let nome_len = u16::try_from(nome.len()).map_err(io::Error::other)?;
        campi.extend(nome_len.to_le_bytes());
        // No extra field.
        campi.extend(0_u16.to_le_bytes());
        let inizio = u32::try_from(self.scritti).map_err(io::Error::other)?;
        self.put(b"PK\x03\x04")?;
        self.put(&campi)?;
        self.put(nome.as_bytes())?;
        self.put(&compresso)?;
        self.voci.push(Voce {
            nome: nome.to_owned(),
            byte: contenuto.len() as u64,
            sha256: hex(&Sha256::of(contenuto)),
            campi,
            inizio,
        });
        Ok(())
    }

    /// What was written so far.
    pub(super) fn voci(&self) -> &[Voce] {
        &self.voci
    }

    /// Writes the directory, and gives the file back.
    pub(super) fn finish(mut self) -> io::Result<W> {
        let inizio = self.scritti;
        let voci = std::mem::take(&mut self.voci);
        for voce in &voci {
            self.put(b"PK\x01\x02")?;
            // Made by 2.0 on Unix.
            self.put(&(3_u16 << 8 | 0x14).to_le_bytes())?;
            self.put(&voce.campi)?;
            // No comment, first disk, bytes; a file that its owner alone may read.
            self.put(&[0; 6])?;
            self.put(&(0o100_600_u32 << 16).to_le_bytes())?;
            self.put(&voce.inizio.to_le_bytes())?;
            self.put(voce.nome.as_bytes())?;
        }
        let quante = u16::try_from(voci.len()).map_err(io::Error::other)?.to_le_bytes();
        let lunghezza = u32::try_from(self.scritti - inizio).map_err(io::Error::other)?;
        let inizio = u32::try_from(inizio).map_err(io::Error::other)?;
        self.put(b"PK\x05\x06\0\0\0\0")?;
        self.put(&quante)?;
        self.put(&quante)?;
        self.put(&lunghezza.to_le_bytes())?;
        self.put(&inizio.to_le_bytes())?;
        self.put(&[0; 2])?;
        self.file.flush()?;
        Ok(self.file)
    }

    fn put(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.scritti += bytes.len() as u64;
        self.file.write_all(bytes)
    }
}

fn small(lunghezza: usize) -> io::Result<u32> {
    u32::try_from(lunghezza).map_err(io::Error::other)
}

/// Time and date as MS-DOS tells them, in Rome.
fn msdos(adesso: Timestamp) -> [u8; 4] {
    let qui = adesso.to_zoned(roma());
    let unsigned = |valore: i8| u16::from(valore.unsigned_abs());
    let ora = unsigned(qui.hour()) << 11 | unsigned(qui.minute()) << 5 | (unsigned(qui.second()) / 2);
    let anno = u16::try_from((qui.year() - 1980).clamp(0, 127)).unwrap_or(0);
    let data = anno << 9 | unsigned(qui.month()) << 5 | unsigned(qui.day());
    let [a, b] = ora.to_le_bytes();
    let [c, d] = data.to_le_bytes();
    [a, b, c, d]
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use flate2::read::DeflateDecoder;

    use super::*;

    #[test]
    fn what_was_added_is_found_through_the_directory() {
        let mut zip = Zip::new(Vec::new(), "2021-07-15T10:00:06Z".parse().unwrap());
        let contenuti: [(&str, &[u8]); 3] = [
            ("a.txt", b"ciao"),
            ("messaggi/perché.txt", &[b'x'; 5000]),
            ("vuoto", b""),
        ];
        for (nome, contenuto) in contenuti {
            zip.add(nome, contenuto).unwrap();
        }
        assert_eq!(zip.voci()[0].sha256, hex(&Sha256::of(b"ciao")));
        let file = zip.finish().unwrap();
        let u16_at = |dove: usize| usize::from(u16::from_le_bytes([file[dove], file[dove + 1]]));
        let u32_at = |dove: usize| u16_at(dove) | u16_at(dove + 2) << 16;
        let fine = file.len() - 22;
        assert_eq!(&file[fine..fine + 4], b"PK\x05\x06");
        assert_eq!(
            (u16_at(fine + 10), u32_at(fine + 12) + u32_at(fine + 16)),
            (3, fine)
        );
        let mut qui = u32_at(fine + 16);
        for (nome, contenuto) in contenuti {
            assert_eq!(&file[qui..qui + 4], b"PK\x01\x02");
            // 12:00:06 in Rome, on the fifteenth of July 2021.
            assert_eq!(
                (u16_at(qui + 12), u16_at(qui + 14)),
                (12 << 11 | 3, 41 << 9 | 7 << 5 | 15)
            );
            let (compressi, lunghezza, nome_len) = (u32_at(qui + 20), u32_at(qui + 24), u16_at(qui + 28));
            assert_eq!(
                (&file[qui + 46..qui + 46 + nome_len], lunghezza),
                (nome.as_bytes(), contenuto.len())
            );
            let locale = u32_at(qui + 42);
            assert_eq!(&file[locale..locale + 4], b"PK\x03\x04");
            assert_eq!(
                file[locale + 4..locale + 30],
                file[qui + 6..qui + 32],
                "both headers say the same"
            );
            let dal = locale + 30 + nome_len;
            let mut letto = Vec::new();
            DeflateDecoder::new(&file[dal..dal + compressi])
                .read_to_end(&mut letto)
                .unwrap();
            assert_eq!(letto, contenuto);
            qui += 46 + nome_len;
        }
    }
}
