//! The body of a message while it comes: read only as far as each step needs, within limits of bytes
//! and of memory in all.

use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use futures_util::StreamExt;
use futures_util::stream::LocalBoxStream;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::catalogo::Codice;
use crate::domanda::Violazione;
use crate::rifiuto::{Failure, Guasto, Rifiuto};
use crate::soap::envelope::{Apertura, Envelope};
use crate::soap::mtom::{Messaggio, Tipo};
use crate::xml;

/// Bounds on one body. How long it may take is the listener's to say.
#[derive(Debug, Clone)]
pub struct CorpoLimits {
    /// Bytes of a message.
    pub messaggio_bytes_max: usize,
    /// KiB of all bodies that are in memory at once; shared by all connections.
    pub memoria: Arc<Semaphore>,
}

/// A body that is still coming.
pub struct Corpo {
    stream: LocalBoxStream<'static, Result<Bytes, CorpoInterrotto>>,
    letti: BytesMut,
    finito: bool,
    limits: CorpoLimits,
    /// The multipart that it was announced as.
    multiparte: Option<Tipo>,
    /// The length that it was announced with.
    annunciati: Option<u64>,
    memoria: Option<OwnedSemaphorePermit>,
}

/// The sender went away, or what came is no body as HTTP knows it.
#[derive(Debug, thiserror::Error)]
#[error("corpo interrotto")]
pub struct CorpoInterrotto;

impl std::fmt::Debug for Corpo {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Corpo")
            .field("letti", &self.letti.len())
            .field("finito", &self.finito)
            .finish_non_exhaustive()
    }
}

impl Corpo {
    /// The body that `stream` brings.
    #[must_use]
    pub fn new(stream: LocalBoxStream<'static, Result<Bytes, CorpoInterrotto>>, limits: CorpoLimits) -> Self {
        Self {
            stream,
            letti: BytesMut::new(),
            finito: false,
            limits,
            multiparte: None,
            annunciati: None,
            memoria: None,
        }
    }

    /// The same, announced as a multipart.
    #[must_use]
    pub fn in_parts(self, multiparte: Option<Tipo>) -> Self {
        Self { multiparte, ..self }
    }

    /// The same, announced with this length.
    #[must_use]
    pub fn announced(self, annunciati: Option<u64>) -> Self {
        Self { annunciati, ..self }
    }

    /// The body of a request that has none.
    #[must_use]
    pub fn empty(limits: CorpoLimits) -> Self {
        Self::new(futures_util::stream::empty().boxed_local(), limits)
    }

    /// Bytes that have come so far.
    #[must_use]
    pub fn len(&self) -> usize {
        self.letti.len()
    }

    /// Whether nothing has come yet.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.letti.is_empty()
    }

    /// What has come so far, for the trace of a message that was refused half way.
    #[must_use]
    pub fn so_far(&self) -> Bytes {
        Bytes::copy_from_slice(&self.letti)
    }

    /// Reads until the envelope is open: to the end of the body child's start tag and, but for what came in the same
    /// chunk, no further.
    pub async fn envelope(&mut self, limits: &xml::Limits) -> Result<Envelope, Failure> {
        // A head that comes byte by byte is not parsed again for every byte: only after it has grown by half.
        let mut try_at = 1;
        loop {
            if self.finito || self.letti.len() >= try_at {
                match self.open(limits)? {
                    Apertura::Aperta(envelope) => return Ok(*envelope),
                    Apertura::ServeAltro => try_at = self.letti.len() + self.letti.len() / 2 + 1,
                }
            }
            self.more().await?;
        }
    }

    fn open(&self, limits: &xml::Limits) -> Result<Apertura, Failure> {
        let Some(tipo) = &self.multiparte else {
            return Ok(Envelope::open(&self.letti, self.finito, limits)?);
        };
        Ok(match tipo.radice(&self.letti, self.finito)? {
            Some(radice) => Envelope::open(&self.letti[radice.byte], radice.intera, limits)?,
            None => Apertura::ServeAltro,
        })
    }

    /// The envelope as far as it has come.
    pub fn testa(&self) -> Result<&[u8], Failure> {
        let Some(tipo) = &self.multiparte else {
            return Ok(&self.letti);
        };
        let radice = tipo.radice(&self.letti, self.finito)?;
        Ok(radice.map_or(&[], |radice| &self.letti[radice.byte]))
    }

    /// The whole message, parted into its envelope and what lies beside it.
    pub fn parted(&self, intero: &Bytes) -> Result<Messaggio, Failure> {
        Ok(match &self.multiparte {
            None => Messaggio::plain(intero.clone()),
            Some(tipo) => tipo.parts(intero)?,
        })
    }

    /// Reads the rest and hands over the whole message.
    pub async fn whole(&mut self) -> Result<Bytes, Failure> {
        let massimo = self.limits.messaggio_bytes_max;
        if self
            .annunciati
            .is_some_and(|annunciati| annunciati > massimo as u64)
        {
            return Err(http(
                413,
                Violazione::at(Codice::Htp005, "").with("limite", massimo),
            ));
        }
        while !self.finito {
            self.more().await?;
        }
        Ok(self.letti.split().freeze())
    }

    /// What has come so far, handed over: the rest comes by [`Corpo::chunk`].
    pub fn take(&mut self) -> Bytes {
        self.letti.split().freeze()
    }

    /// Puts what was handed over back, when nothing was asked for since.
    pub fn put_back(&mut self, letti: &[u8]) {
        self.letti.extend_from_slice(letti);
    }

    /// Bytes that a message may have that is no lot.
    #[must_use]
    pub fn messaggio_bytes_max(&self) -> usize {
        self.limits.messaggio_bytes_max
    }

    /// The multipart that it was announced as.
    #[must_use]
    pub fn multiparte(&self) -> Option<&Tipo> {
        self.multiparte.as_ref()
    }

    /// The next chunk, not kept: for who holds a bound of his own. `None` at the end.
    pub async fn chunk(&mut self) -> Result<Option<Bytes>, Failure> {
        if self.finito {
            return Ok(None);
        }
        match self.stream.next().await {
            None => {
                self.finito = true;
                Ok(None)
            }
            Some(Err(CorpoInterrotto)) => Err(http(400, Violazione::at(Codice::Htp001, ""))),
            Some(Ok(chunk)) => Ok(Some(chunk)),
        }
    }

    /// Waits for the next chunk.
    async fn more(&mut self) -> Result<(), Failure> {
        let Some(chunk) = self.chunk().await? else {
            return Ok(());
        };
        let len = self.letti.len() + chunk.len();
        if len > self.limits.messaggio_bytes_max {
            let violazione =
                Violazione::at(Codice::Htp005, "").with("limite", self.limits.messaggio_bytes_max);
            return Err(http(413, violazione));
        }
        self.reserve(len)?;
        self.letti.extend_from_slice(&chunk);
        Ok(())
    }

    /// Takes memory from the common budget as the body grows; it is given back when the body is dropped.
    fn reserve(&mut self, len: usize) -> Result<(), Failure> {
        let held = self.memoria.as_ref().map_or(0, OwnedSemaphorePermit::num_permits);
        let wanted = len.div_ceil(1024);
        if wanted <= held {
            return Ok(());
        }
        let more = u32::try_from(wanted - held).unwrap_or(u32::MAX);
        let Ok(permit) = Arc::clone(&self.limits.memoria).try_acquire_many_owned(more) else {
            return Err(Guasto::MemoriaEsaurita.into());
        };
        match &mut self.memoria {
            Some(held) => held.merge(permit),
            None => self.memoria = Some(permit),
        }
        Ok(())
    }
}

fn http(status: u16, violazione: Violazione) -> Failure {
    Rifiuto::Http { violazione, status }.into()
}
