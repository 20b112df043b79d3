//! Where the bytes of a lot go while they come: decoded, counted, digested, and into the spool by pieces. Bounds hold on
//! the way: what expands without end is given up after its first mebibyte, not after the last.

use std::io::Write as _;

use bytes::{Bytes, BytesMut};
use flate2::write::MultiGzDecoder;
use uuid::Uuid;

use super::LottiConfig;
use crate::catalogo::Codice;
use crate::domanda::Violazione;
use crate::domanda::lettura::Decodifica;
use crate::domanda::sha256::Sha256;
use crate::rifiuto::{Failure, Rifiuto};
use crate::store::SharedStore;
use crate::store::lotti::PEZZO_BYTES;

/// A spool that is being written.
pub(super) struct Spool<'a> {
    store: &'a SharedStore,
    config: &'a LottiConfig,
    lotto: Uuid,
    pezzo: BytesMut,
    scritti: u32,
    byte: u64,
    /// The bytes are counted, and not kept.
    a_vuoto: bool,
}

impl<'a> Spool<'a> {
    pub(super) fn new(store: &'a SharedStore, config: &'a LottiConfig, lotto: Uuid) -> Self {
        Self {
            store,
            config,
            lotto,
            pezzo: BytesMut::new(),
            scritti: 0,
            byte: 0,
            a_vuoto: false,
        }
    }

    /// For a lot whose key is known already: whatever it says, its bytes are needed by nobody.
    pub(super) fn keep_nothing(&mut self) {
        self.a_vuoto = true;
    }

    /// More bytes.
    pub(super) async fn push(&mut self, byte: &[u8]) -> Result<(), Failure> {
        self.byte += byte.len() as u64;
        if self.byte > self.config.byte_max as u64 {
            return Err(too_many_bytes(self.config));
        }
        let mut resto = byte;
        while !resto.is_empty() {
            let (ora, poi) = resto.split_at(resto.len().min(PEZZO_BYTES - self.pezzo.len()));
            self.pezzo.extend_from_slice(ora);
            if self.pezzo.len() == PEZZO_BYTES {
                self.flush().await?;
            }
            resto = poi;
        }
        Ok(())
    }

    /// The last piece; how many bytes there are in all.
    pub(super) async fn finish(mut self) -> Result<u64, Failure> {
        if !self.pezzo.is_empty() || self.scritti == 0 {
            self.flush().await?;
        }
        Ok(self.byte)
    }

    async fn flush(&mut self) -> Result<(), Failure> {
        let pezzo = self.pezzo.split().freeze();
        if self.a_vuoto {
            self.scritti += 1;
            return Ok(());
        }
        self.store.spool_append(self.lotto, self.scritti, pezzo).await?;
        self.scritti += 1;
        Ok(())
    }
}

/// LOT-007.
pub(super) fn too_many_bytes(config: &LottiConfig) -> Failure {
    Rifiuto::Lettura(Violazione::at(Codice::Lot007, "").with("limite", config.byte_max)).into()
}

/// A file on its way into a spool: out of base64 where it comes so, out of gzip where it is that.
pub(super) struct FileInArrivo<'a> {
    spool: Spool<'a>,
    base64: Option<Decodifica>,
    compressione: Compressione,
    impronta: Sha256,
    /// Before and after gzip.
    arrivati: u64,
    espansi: u64,
}

/// What its first two bytes say: XML never begins like gzip.
enum Compressione {
    NonSoAncora(Vec<u8>),
    Nessuna,
    Gzip(Box<MultiGzDecoder<Vec<u8>>>),
}

impl<'a> FileInArrivo<'a> {
    pub(super) fn new(spool: Spool<'a>, in_base64: bool) -> Self {
        Self {
            spool,
            base64: in_base64.then(Decodifica::default),
            compressione: Compressione::NonSoAncora(Vec::new()),
            impronta: Sha256::new(),
            arrivati: 0,
            espansi: 0,
        }
    }

    /// More bytes as they come; `None` where they say that they are base64 and are not.
    pub(super) async fn push(&mut self, byte: &[u8]) -> Result<Option<()>, Failure> {
        let Some(base64) = &mut self.base64 else {
            self.decoded(byte).await?;
            return Ok(Some(()));
        };
        if base64.push(byte).is_none() {
            return Ok(None);
        }
        let byte = base64.take();
        self.decoded(&byte).await?;
        Ok(Some(()))
    }

    async fn decoded(&mut self, byte: &[u8]) -> Result<(), Failure> {
        if let Compressione::NonSoAncora(primi) = &mut self.compressione {
            primi.extend_from_slice(byte);
            if primi.len() < GZIP.len() {
                return Ok(());
            }
            let primi = std::mem::take(primi);
            self.decide(&primi);
            return self.through(&primi).await;
        }
        self.through(byte).await
    }

    fn decide(&mut self, primi: &[u8]) {
        self.compressione = if primi.starts_with(GZIP) {
            Compressione::Gzip(Box::new(MultiGzDecoder::new(Vec::new())))
        } else {
            Compressione::Nessuna
        };
    }

    async fn through(&mut self, byte: &[u8]) -> Result<(), Failure> {
        let Compressione::Gzip(_) = self.compressione else {
            self.impronta.update(byte);
            return self.spool.push(byte).await;
        };
        // By small bits, of which each expands to a mebibyte at most.
        for tratto in byte.chunks(GZIP_TRATTO) {
            let Compressione::Gzip(gzip) = &mut self.compressione else {
                break;
            };
            gzip.write_all(tratto).map_err(|_| damaged(DANNEGGIATO))?;
            let espansi = std::mem::take(gzip.get_mut());
            self.arrivati += tratto.len() as u64;
            self.espanded(espansi).await?;
        }
        Ok(())
    }

    async fn espanded(&mut self, byte: Vec<u8>) -> Result<(), Failure> {
        self.espansi += byte.len() as u64;
        let rapporto = self.spool.config.gzip_rapporto_max as u64;
        if self.espansi > GZIP_LIBERO && self.espansi > self.arrivati * rapporto {
            let violazione = Violazione::at(Codice::Lot012, "").with("limite", rapporto);
            return Err(Rifiuto::Lettura(violazione).into());
        }
        self.impronta.update(&byte);
        self.spool.push(&byte).await
    }

    /// The end of what comes: how many bytes the file has, and their digest. `None`: the base64 is cut.
    pub(super) async fn finish(mut self) -> Result<Option<(u64, [u8; 32])>, Failure> {
        if let Some(base64) = self.base64.take() {
            let Some(resto) = base64.finish() else {
                return Ok(None);
            };
            self.decoded(&resto).await?;
        }
        if let Compressione::NonSoAncora(primi) = &mut self.compressione {
            let primi = std::mem::take(primi);
            self.compressione = Compressione::Nessuna;
            self.through(&primi).await?;
        }
        if let Compressione::Gzip(mut gzip) = std::mem::replace(&mut self.compressione, Compressione::Nessuna)
        {
            gzip.try_finish().map_err(|_| damaged(TRONCATO))?;
            let resto = std::mem::take(gzip.get_mut());
            self.espanded(resto).await?;
        }
        Ok(Some((self.spool.finish().await?, self.impronta.finish())))
    }
}

/// LOT-011.
fn damaged((motivo, reason): (&str, &str)) -> Failure {
    let violazione = Violazione::at(Codice::Lot011, "")
        .with("motivo", motivo)
        .with("reason", reason);
    Rifiuto::Lettura(violazione).into()
}

const DANNEGGIATO: (&str, &str) = (
    "è danneggiato, o dietro la sua fine c'è altro",
    "it is damaged, or something stands behind its end",
);
const TRONCATO: (&str, &str) = ("finisce prima del tempo", "it ends too early");

/// The first bytes of every gzip file (RFC 1952).
const GZIP: &[u8] = &[0x1f, 0x8b];
/// Deflate expands a thousandfold at most.
const GZIP_TRATTO: usize = 1024;
/// Bytes that may come out before their ratio says something.
const GZIP_LIBERO: u64 = 1024 * 1024;

/// Bytes that are coming, as text in an element: up to its end tag.
pub(super) struct TestoInArrivo {
    /// A reference that is not whole yet.
    riferimento: Vec<u8>,
}

impl TestoInArrivo {
    pub(super) fn new() -> Self {
        Self {
            riferimento: Vec::new(),
        }
    }

    /// The text at the beginning of these bytes, and where the next tag begins, if it does.
    pub(super) fn text(&mut self, byte: &Bytes) -> (Vec<u8>, Option<usize>) {
        let fine = memchr::memchr(b'<', byte);
        let mut testo = Vec::with_capacity(byte.len());
        for b in &byte[..fine.unwrap_or(byte.len())] {
            if self.riferimento.is_empty() && *b != b'&' {
                testo.push(*b);
                continue;
            }
            self.riferimento.push(*b);
            if *b == b';' || self.riferimento.len() > RIFERIMENTO_MAX {
                let riferimento = std::mem::take(&mut self.riferimento);
                // Some stacks write their line ends so; anything else is no base64, and is seen to be none.
                match &riferimento[..] {
                    b"&#13;" | b"&#xD;" | b"&#xd;" | b"&#10;" | b"&#xA;" | b"&#xa;" => testo.push(b'\n'),
                    altro => testo.extend_from_slice(altro),
                }
            }
        }
        (testo, fine)
    }
}

const RIFERIMENTO_MAX: usize = 8;
