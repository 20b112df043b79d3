//! How bytes are kept: compressed, with the codec beside them. The key that would encrypt them has its column from the
//! start; a row with a key that this version cannot use is refused, not guessed at.
//!
//! What is kept is short and all alike: envelopes of our operations, receipts. So it is compressed against a dictionary
//! of such messages, to about a third of what it takes without, in half the time (ADR 12); the headers of an exchange with
//! a porta against one of their own (ADR 17).

use std::cell::RefCell;
use std::io;
use std::sync::LazyLock;
use std::thread::LocalKey;

use bytes::Bytes;
use zstd::bulk::{Compressor, Decompressor};
use zstd::dict::{DecoderDictionary, EncoderDictionary};

use super::Inconsistency;
use crate::trace::Traccia;

/// The codec of a stored column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Codec {
    /// As they are.
    Identity,
    /// Zstandard.
    Zstd,
    /// Zstandard, against the dictionary of version 1.
    ZstdD1,
    /// Zstandard, against the dictionary of version 2: headers of buste, as they were kept once (ADR 17).
    ZstdD2,
    /// Zstandard, against the dictionary of version 3: messages in a busta, and their headers.
    ZstdD3,
}

impl Codec {
    /// As the column spells it.
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Identity => "IDENTITY",
            Self::Zstd => "ZSTD",
            Self::ZstdD1 => "ZSTD_D1",
            Self::ZstdD2 => "ZSTD_D2",
            Self::ZstdD3 => "ZSTD_D3",
        }
    }

    fn parse(text: &str) -> Option<Self> {
        [
            Self::Identity,
            Self::Zstd,
            Self::ZstdD1,
            Self::ZstdD2,
            Self::ZstdD3,
        ]
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
        let pack = packer(traccia);
        Self {
            traccia,
            richiesta: traccia.richiesta.as_deref().map(pack),
            risposta: traccia.risposta.as_deref().map(pack),
        }
    }
}

/// Compresses; bytes that would not become fewer (or cannot be compressed) are kept as they are.
pub(super) fn pack(bytes: &[u8]) -> Conservati {
    pack_short(bytes, Codec::ZstdD1, &CON_DIZIONARIO)
}

/// The same for what is kept of a message in a busta: the message, the answer, its headers.
pub(super) fn pack_busta(bytes: &[u8]) -> Conservati {
    pack_short(bytes, Codec::ZstdD3, &PER_BUSTE)
}

/// Which of the two is for the bytes of a message.
pub(super) fn packer(traccia: &Traccia) -> fn(&[u8]) -> Conservati {
    if traccia.egov.is_some() { pack_busta } else { pack }
}

fn pack_short(bytes: &[u8], codec: Codec, compressore: &'static LocalKey<Compressore>) -> Conservati {
    if bytes.len() <= CON_DIZIONARIO_MAX {
        pack_with(bytes, codec, compressore)
    } else {
        pack_with(bytes, Codec::Zstd, &SENZA_DIZIONARIO)
    }
}

fn pack_with(bytes: &[u8], codec: Codec, compressore: &'static LocalKey<Compressore>) -> Conservati {
    let compressi = compressore.with_borrow_mut(|compressore| match compressore {
        Ok(compressore) => compressore.compress(bytes).ok(),
        Err(_) => None,
    });
    let (codec, conservati) = match compressi {
        Some(compressi) if compressi.len() < bytes.len() => (codec, compressi),
        Some(_) | None => (Codec::Identity, bytes.to_vec()),
    };
    Conservati {
        codec,
        bytes_len: bytes.len(),
        bytes: conservati,
    }
}

type Compressore = RefCell<io::Result<Compressor<'static>>>;
type Lettore = RefCell<io::Result<Decompressor<'static>>>;

thread_local! {
    // Their tables are worth keeping: to lay them out takes longer than to compress one domanda.
    static CON_DIZIONARIO: Compressore = RefCell::new(Compressor::with_prepared_dictionary(&SCRIVE_D1));
    static PER_BUSTE: Compressore = RefCell::new(Compressor::with_prepared_dictionary(&SCRIVE_D3));
    static SENZA_DIZIONARIO: Compressore = RefCell::new(Compressor::new(LIVELLO));
    static LEGGE_CON_DIZIONARIO: Lettore = RefCell::new(Decompressor::with_prepared_dictionary(&LEGGE_D1));
    static LEGGE_INTESTAZIONI: Lettore = RefCell::new(Decompressor::with_prepared_dictionary(&LEGGE_D2));
    static LEGGE_BUSTE: Lettore = RefCell::new(Decompressor::with_prepared_dictionary(&LEGGE_D3));
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
        Codec::ZstdD1 => unpack_with(&LEGGE_CON_DIZIONARIO, &conservati, bytes_len)
            .map_err(|source| Inconsistency::new(table, "bytes", source))?,
        Codec::ZstdD2 => unpack_with(&LEGGE_INTESTAZIONI, &conservati, bytes_len)
            .map_err(|source| Inconsistency::new(table, "bytes", source))?,
        Codec::ZstdD3 => unpack_with(&LEGGE_BUSTE, &conservati, bytes_len)
            .map_err(|source| Inconsistency::new(table, "bytes", source))?,
    };
    if letti.len() == bytes_len {
        Ok(Bytes::from(letti))
    } else {
        Err(Inconsistency::new(table, "bytes_len", "length differs"))
    }
}

fn unpack_with(
    lettore: &'static LocalKey<Lettore>,
    conservati: &[u8],
    bytes_len: usize,
) -> io::Result<Vec<u8>> {
    lettore.with_borrow_mut(|lettore| match lettore {
        Ok(lettore) => lettore.decompress(conservati, bytes_len),
        Err(errore) => Err(io::Error::other(errore.to_string())),
    })
}

/// The dictionary of version 1. What was written against it is never readable without: these bytes never change, a
/// better dictionary is another one, with a codec of its own.
const DIZIONARIO_1: &[u8] = include_bytes!("codec/dizionario-1.zdict");

/// That of version 2, for headers of buste: the same promise.
const DIZIONARIO_2: &[u8] = include_bytes!("codec/dizionario-2.zdict");

/// That of version 3, for messages in a busta: the same promise.
const DIZIONARIO_3: &[u8] = include_bytes!("codec/dizionario-3.zdict");

static SCRIVE_D1: LazyLock<EncoderDictionary<'static>> =
    LazyLock::new(|| EncoderDictionary::copy(DIZIONARIO_1, LIVELLO_CON_DIZIONARIO));
static LEGGE_D1: LazyLock<DecoderDictionary<'static>> =
    LazyLock::new(|| DecoderDictionary::copy(DIZIONARIO_1));
static LEGGE_D2: LazyLock<DecoderDictionary<'static>> =
    LazyLock::new(|| DecoderDictionary::copy(DIZIONARIO_2));
static SCRIVE_D3: LazyLock<EncoderDictionary<'static>> =
    LazyLock::new(|| EncoderDictionary::copy(DIZIONARIO_3, LIVELLO_CON_DIZIONARIO));
static LEGGE_D3: LazyLock<DecoderDictionary<'static>> =
    LazyLock::new(|| DecoderDictionary::copy(DIZIONARIO_3));

/// What is longer is a document more than a message, and brings enough likeness of its own.
const CON_DIZIONARIO_MAX: usize = 64 * 1024;
/// Short messages take no longer than at level 1, and a sixth less room.
const LIVELLO_CON_DIZIONARIO: i32 = 3;
/// Fast rather than small: the commit waits for it.
const LIVELLO: i32 = 1;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domanda::sha256::{Sha256, hex};

    #[test]
    fn what_is_packed_is_unpacked_whole() {
        let lunghi = vec![b'a'; CON_DIZIONARIO_MAX + 1];
        for (bytes, codec) in [
            (&b""[..], Codec::Identity),
            (b"x", Codec::Identity),
            (&[b'a'; 5000], Codec::ZstdD1),
            (&lunghi, Codec::Zstd),
            ("àèì<Domanda/>".as_bytes(), Codec::Identity),
        ] {
            let conservati = pack(bytes);
            assert_eq!((conservati.codec, conservati.bytes_len), (codec, bytes.len()));
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

    /// Every release must read what those before it wrote.
    #[test]
    fn the_dictionaries_are_the_ones_that_were_shipped() {
        for (dizionario, impronta) in [
            (
                DIZIONARIO_1,
                "f78b643b03d5514b39d2d85317c352537ce9614f09e544def18b312e1d1de9e7",
            ),
            (
                DIZIONARIO_2,
                "56935ed104f3a29a529e03ddac3d86b2b3d278b81c98a4a517b1451193226f1d",
            ),
            (
                DIZIONARIO_3,
                "6902cd5c73a197f12b9fd1ea426cb8a20b2d8c924e23cf2cc62b5ee773e83ce2",
            ),
        ] {
            assert_eq!(hex(&Sha256::of(dizionario)), impronta);
        }
    }

    #[test]
    fn the_header_of_a_busta_takes_less_than_a_fifth_of_its_length() {
        let pagina = include_str!("../../docs/spcoop.md");
        let (_, dopo) = pagina
            .split_once("<!-- campione: risposta -->\n```xml\n")
            .unwrap();
        let (intestazione, _) = dopo.split_once("```").unwrap();
        let conservati = pack_busta(intestazione.as_bytes());
        assert_eq!(conservati.codec, Codec::ZstdD3);
        assert!(
            conservati.bytes.len() * 5 < intestazione.len(),
            "{} of {}",
            conservati.bytes.len(),
            intestazione.len()
        );
        let letti = unpack("egov", "ZSTD_D3", None, intestazione.len(), conservati.bytes).unwrap();
        assert_eq!(letti, intestazione.as_bytes());
    }

    /// What was written against the second one, which nobody writes against any more.
    #[test]
    fn headers_of_before_are_read() {
        let intestazione = b"<eGov_IT:Intestazione><eGov_IT:IntestazioneMessaggio/></eGov_IT:Intestazione>";
        let seconda = EncoderDictionary::copy(DIZIONARIO_2, LIVELLO_CON_DIZIONARIO);
        let di_prima = Compressor::with_prepared_dictionary(&seconda)
            .unwrap()
            .compress(intestazione)
            .unwrap();
        assert!(di_prima.len() * 2 < intestazione.len(), "{}", di_prima.len());
        let letta = unpack("egov", "ZSTD_D2", None, intestazione.len(), di_prima).unwrap();
        assert_eq!(letta, &intestazione[..]);
    }

    #[test]
    fn a_message_in_a_busta_takes_half_of_what_the_first_dictionary_makes_of_it() {
        let messaggio = include_bytes!("../../tests/messages/busta-00-good/request.xml");
        let (con, senza) = (pack_busta(messaggio), pack(messaggio));
        assert_eq!((con.codec, senza.codec), (Codec::ZstdD3, Codec::ZstdD1));
        assert!(
            con.bytes.len() * 2 < senza.bytes.len(),
            "{} and {}",
            con.bytes.len(),
            senza.bytes.len()
        );
        let letto = unpack("payload", "ZSTD_D3", None, messaggio.len(), con.bytes).unwrap();
        assert_eq!(letto, &messaggio[..]);
    }

    #[test]
    fn a_request_takes_less_than_half_of_what_it_would_take_without_the_dictionary() {
        let richiesta = include_bytes!("../../docs/messaggi/InviaDomanda.xml");
        let senza = zstd::bulk::compress(richiesta, LIVELLO).unwrap();
        let con = pack(richiesta);
        assert!(
            con.bytes.len() * 2 < senza.len(),
            "{} and {}",
            con.bytes.len(),
            senza.len()
        );
    }

    #[test]
    fn a_row_that_lies_is_told_by_table_and_column() {
        let corti = pack(&[b'a'; 5000]);
        let lunghi = pack(&vec![b'a'; 100_000]);
        for (conservati, codec, chiave_id, bytes_len, colonna) in [
            (&corti, "ZSTD_D1", None, 4999, "bytes"),
            (&corti, "ZSTD_D1", None, 5001, "bytes_len"),
            (&corti, "ZSTD", None, 5000, "bytes"),
            (&corti, "LZ4", None, 5000, "codec"),
            (&corti, "ZSTD_D1", Some("k1"), 5000, "chiave_id"),
            (&lunghi, "ZSTD", None, 99_999, "bytes"),
            (&lunghi, "ZSTD", None, 100_001, "bytes_len"),
        ] {
            let errore =
                unpack("payload", codec, chiave_id, bytes_len, conservati.bytes.clone()).unwrap_err();
            assert_eq!((errore.table, errore.column), ("payload", colonna));
        }
    }
}
