//! How bytes are kept: compressed, with the codec beside them. The key that would encrypt them has its column from the
//! start; a row with a key that this version cannot use is refused, not guessed at.

use std::cell::RefCell;

use bytes::Bytes;
use zstd::bulk::Compressor;

use super::Inconsistency;
use crate::trace::Traccia;

/// The codec of a stored column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Codec {
    /// As they are.
    Identity,
    /// Zstandard.
    Zstd,
}

impl Codec {
    /// As the column spells it.
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Identity => "IDENTITY",
            Self::Zstd => "ZSTD",
        }
    }

    fn parse(text: &str) -> Option<Self> {
        [Self::Identity, Self::Zstd]
            .into_iter()
            .find(|codec| codec.as_str() == text)
    }
}

/// Bytes as they are kept.
#[derive(Debug)]
pub(super) struct Conservati {
    pub(super) codec: Codec,
    /// Length before compression.
    pub(super) bytes_len: usize,
    pub(super) bytes: Vec<u8>,
}

/// A trace with its bytes as they are kept.
pub(super) struct Conservata<'a> {
    pub(super) traccia: &'a Traccia,
    pub(super) richiesta: Option<Conservati>,
    pub(super) risposta: Option<Conservati>,
}

impl<'a> Conservata<'a> {
    /// Compresses: before any lock, for it takes longer than the writing.
    pub(super) fn pack(traccia: &'a Traccia) -> Self {
        Self {
            traccia,
            richiesta: traccia.richiesta.as_deref().map(pack),
            risposta: traccia.risposta.as_deref().map(pack),
        }
    }
}

/// Compresses; bytes that would not become fewer (or cannot be compressed) are kept as they are.
pub(super) fn pack(bytes: &[u8]) -> Conservati {
    let compressi = COMPRESSORE.with_borrow_mut(|compressore| match compressore {
        Ok(compressore) => compressore.compress(bytes).ok(),
        Err(_) => None,
    });
    let (codec, conservati) = match compressi {
        Some(compressi) if compressi.len() < bytes.len() => (Codec::Zstd, compressi),
        Some(_) | None => (Codec::Identity, bytes.to_vec()),
    };
    Conservati {
        codec,
        bytes_len: bytes.len(),
        bytes: conservati,
    }
}

thread_local! {
    /// Its tables are worth keeping: to lay them out takes longer than to compress one domanda.
    static COMPRESSORE: RefCell<std::io::Result<Compressor<'static>>> = RefCell::new(Compressor::new(LIVELLO));
}

/// The bytes that [`pack`] was given: exactly `bytes_len` of them, or an inconsistency of that table's `bytes`.
pub(super) fn unpack(
    table: &'static str,
    codec: &str,
    chiave_id: Option<&str>,
    bytes_len: usize,
    conservati: Vec<u8>,
) -> Result<Bytes, Inconsistency> {
    if chiave_id.is_some() {
        return Err(Inconsistency::new(
            table,
            "chiave_id",
            "encrypted with a key that is not known here",
        ));
    }
    let codec = Codec::parse(codec).ok_or_else(|| Inconsistency::new(table, "codec", "unknown codec"))?;
    let letti = match codec {
        Codec::Identity => conservati,
        // The length bounds the memory: a frame that unfolds to more is an error, not an allocation.
        Codec::Zstd => zstd::bulk::decompress(&conservati, bytes_len)
            .map_err(|source| Inconsistency::new(table, "bytes", source))?,
    };
    if letti.len() == bytes_len {
        Ok(Bytes::from(letti))
    } else {
        Err(Inconsistency::new(table, "bytes_len", "length differs"))
    }
}

/// Fast rather than small: the disk holds years of requests at this level, and the commit waits for it.
const LIVELLO: i32 = 1;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_packed_is_unpacked_whole() {
        for bytes in [&b""[..], b"x", &[b'a'; 5000], "àèì<Domanda/>".as_bytes()] {
            let conservati = pack(bytes);
            assert_eq!(conservati.bytes_len, bytes.len());
            let letti = unpack(
                "payload",
                conservati.codec.as_str(),
                None,
                bytes.len(),
                conservati.bytes,
            )
            .unwrap();
            assert_eq!(letti, bytes);
        }
    }

    #[test]
    fn a_row_that_lies_is_told_by_table_and_column() {
        let conservati = pack(&[b'a'; 5000]);
        assert_eq!(conservati.codec, Codec::Zstd);
        for (codec, chiave_id, bytes_len, colonna) in [
            ("ZSTD", None, 4999, "bytes"),
            ("ZSTD", None, 5001, "bytes_len"),
            ("LZ4", None, 5000, "codec"),
            ("ZSTD", Some("k1"), 5000, "chiave_id"),
        ] {
            let errore =
                unpack("payload", codec, chiave_id, bytes_len, conservati.bytes.clone()).unwrap_err();
            assert_eq!((errore.table, errore.column), ("payload", colonna));
        }
    }
}
