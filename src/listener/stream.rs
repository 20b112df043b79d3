//! The stream under the HTTP dispatcher: it lets nobody be slow for ever. The dispatcher bounds only the first head
//! of a connection; here every head has a deadline and a size, an idle connection an end, and an answer that is not
//! read is given up.
//!
//! Two refusals are written here as bytes, because the dispatcher has no request to answer yet: a head that does not
//! end in time (`HTP-004`) and one that is too big (`HTP-007`).

use std::io;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::{Instant, Sleep, sleep_until};
use tokio_rustls::server::TlsStream;

use super::answer;
use super::limits::Bounds;
use super::peer::{Connessione, Fase};
use super::refusal::refusal;
use crate::catalogo::Codice;
use crate::domanda::Violazione;

/// How long the door listens on after its last word, so that the word is not lost to a reset.
pub(super) const COMMIATO: Duration = Duration::from_secs(1);

/// A TLS stream that is watched.
pub(super) struct Flusso {
    tls: TlsStream<TcpStream>,
    connessione: Rc<Connessione>,
    bounds: Rc<Bounds>,
    /// Head bytes of this request so far, and how much of the blank line that ends it was seen.
    testata: usize,
    fine: FineTestata,
    /// Wakes the reader at the deadline of the phase.
    sveglia: Pin<Box<Sleep>>,
    /// When the writer gives up; set while something waits to be written.
    resa: Option<Pin<Box<Sleep>>>,
    /// The door has said its last word: nothing more is read for the dispatcher.
    chiuso: bool,
}

/// How much of the end of a head was seen: a line break and then another, each with or without CR.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum FineTestata {
    No,
    Riga,
    RigaCr,
    Vista,
}

impl FineTestata {
    fn after(self, byte: u8) -> Self {
        match (self, byte) {
            (Self::Vista, _) | (Self::Riga | Self::RigaCr, b'\n') => Self::Vista,
            (Self::No, b'\n') => Self::Riga,
            (Self::Riga, b'\r') => Self::RigaCr,
            (Self::No | Self::Riga | Self::RigaCr, _) => Self::No,
        }
    }
}

impl Flusso {
    pub(super) fn new(tls: TlsStream<TcpStream>, connessione: Rc<Connessione>, bounds: Rc<Bounds>) -> Self {
        Self {
            tls,
            connessione,
            bounds,
            testata: 0,
            fine: FineTestata::No,
            sveglia: Box::pin(sleep_until(Instant::now())),
            resa: None,
            chiuso: false,
        }
    }

    pub(super) fn connessione(&self) -> &Rc<Connessione> {
        &self.connessione
    }

    /// Looks at what came: counts a head, and refuses one that is too big.
    fn look(&mut self, cx: &mut Context<'_>, nuovi: &[u8]) -> bool {
        match self.connessione.fase.get() {
            Fase::Occupata => return true,
            Fase::Commiato(_) => return false,
            Fase::Attesa(_) => {
                self.testata = 0;
                self.fine = FineTestata::No;
                self.connessione
                    .fase
                    .set(Fase::Testata(Instant::now() + self.bounds.testata));
            }
            Fase::Testata(_) => {}
        }
        for byte in nuovi {
            if self.fine == FineTestata::Vista {
                return true;
            }
            self.fine = self.fine.after(*byte);
            self.testata += 1;
            if self.testata > self.bounds.testata_bytes_max {
                self.dismiss(cx, &too_large(&self.bounds));
                return false;
            }
        }
        true
    }

    /// Says the last word on this connection, where no request is being answered.
    fn dismiss(&mut self, cx: &mut Context<'_>, violazione: &Violazione) {
        self.connessione.refuse(violazione);
        // Nothing else waits to be written here, so TLS takes these few bytes at once; if not, the word is lost and
        // the connection ends all the same.
        let _ = Pin::new(&mut self.tls).poll_write(cx, &answer::raw(violazione));
        self.close();
    }

    fn close(&mut self) {
        self.chiuso = true;
        self.connessione
            .fase
            .set(Fase::Commiato(Instant::now() + COMMIATO));
    }

    /// Whether the phase's deadline has passed; if not, the task is woken when it does.
    fn poll_deadline(&mut self, cx: &mut Context<'_>) -> bool {
        let (Fase::Attesa(entro) | Fase::Testata(entro) | Fase::Commiato(entro)) =
            self.connessione.fase.get()
        else {
            return false;
        };
        if self.sveglia.deadline() != entro {
            self.sveglia.as_mut().reset(entro);
        }
        self.sveglia.as_mut().poll(cx).is_ready()
    }

    /// A write that waits: given up once it has waited too long.
    fn poll_resa(&mut self, cx: &mut Context<'_>) -> Poll<io::Error> {
        let entro = self.bounds.scrittura;
        let resa = self
            .resa
            .get_or_insert_with(|| Box::pin(sleep_until(Instant::now() + entro)));
        resa.as_mut().poll(cx).map(|()| {
            self.connessione
                .refuse(&refusal(Codice::Htp009).with("secondi", entro.as_secs()));
            io::Error::new(io::ErrorKind::TimedOut, "the client does not read its answer")
        })
    }

    fn written<T>(&mut self, cx: &mut Context<'_>, esito: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        match esito {
            Poll::Ready(esito) => {
                self.resa = None;
                Poll::Ready(esito)
            }
            Poll::Pending => self.poll_resa(cx).map(Err),
        }
    }
}

/// `HTP-007` with the bounds in force.
pub(super) fn too_large(bounds: &Bounds) -> Violazione {
    refusal(Codice::Htp007)
        .with("campi", bounds.testata_campi_max)
        .with("byte", bounds.testata_bytes_max)
}

impl AsyncRead for Flusso {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if this.chiuso {
            return Poll::Ready(Ok(()));
        }
        let prima = buf.filled().len();
        match Pin::new(&mut this.tls).poll_read(cx, buf) {
            Poll::Ready(Ok(())) => {
                let nuovi = buf.filled().len() - prima;
                if nuovi > 0 && !this.look(cx, &buf.filled()[prima..]) {
                    buf.set_filled(prima);
                    if !this.chiuso {
                        // Thrown away: read on until the other end or the deadline ends it.
                        cx.waker().wake_by_ref();
                        return if this.poll_deadline(cx) {
                            Poll::Ready(Ok(()))
                        } else {
                            Poll::Pending
                        };
                    }
                }
                Poll::Ready(Ok(()))
            }
            Poll::Ready(Err(errore)) => Poll::Ready(Err(errore)),
            Poll::Pending => {
                // While an answer waits to be written, the writer's deadline counts, not the reader's.
                if this.resa.is_some() || !this.poll_deadline(cx) {
                    return Poll::Pending;
                }
                if let Fase::Testata(_) = this.connessione.fase.get() {
                    let secondi = this.bounds.testata.as_secs();
                    this.dismiss(cx, &refusal(Codice::Htp004).with("secondi", secondi));
                } else {
                    this.close();
                }
                Poll::Ready(Ok(()))
            }
        }
    }
}

impl AsyncWrite for Flusso {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        // The dispatcher answers what is no HTTP by itself, with an empty 400: the door log must have it too.
        let senza_richiesta = !matches!(this.connessione.fase.get(), Fase::Occupata | Fase::Commiato(_));
        if senza_richiesta && buf.starts_with(b"HTTP/1.1 400 ") && this.testata > 0 {
            this.connessione.refuse(&refusal(Codice::Htp001));
        }
        let esito = Pin::new(&mut this.tls).poll_write(cx, buf);
        this.written(cx, esito)
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let esito = Pin::new(&mut this.tls).poll_flush(cx);
        let esito = this.written(cx, esito);
        // The dispatcher flushes last of all before it goes to sleep: the deadline that the answer just set must
        // wake it, though nobody read since.
        if esito.is_ready() && this.poll_deadline(cx) {
            cx.waker().wake_by_ref();
        }
        esito
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let esito = Pin::new(&mut this.tls).poll_shutdown(cx);
        match this.written(cx, esito) {
            Poll::Ready(Ok(())) if this.chiuso => this.poll_commiato(cx).map(Ok),
            altro => altro,
        }
    }
}

impl Flusso {
    /// Reads and throws away until the client has closed too, or a moment has passed: closing a socket with unread
    /// bytes resets it, and the client would never see why.
    fn poll_commiato(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let mut cestino = [0; 4096];
        loop {
            if self.poll_deadline(cx) {
                return Poll::Ready(());
            }
            let mut buf = ReadBuf::new(&mut cestino);
            // The raw socket: TLS is over, and what still comes is read by nobody.
            match Pin::new(self.tls.get_mut().0).poll_read(cx, &mut buf) {
                Poll::Ready(Ok(())) if buf.filled().is_empty() => return Poll::Ready(()),
                Poll::Ready(Ok(())) => {}
                Poll::Ready(Err(_)) => return Poll::Ready(()),
                Poll::Pending => return Poll::Pending,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_of_a_head_is_a_blank_line_with_or_without_cr() {
        for (testo, attesa) in [
            ("GET / HTTP/1.1\r\nHost: a\r\n\r\n", true),
            ("GET / HTTP/1.1\nHost: a\n\n", true),
            ("GET / HTTP/1.1\r\nHost: a\r\n", false),
            ("GET / HTTP/1.1\r\nHost: a\r\n\r", false),
        ] {
            let fine = testo.bytes().fold(FineTestata::No, FineTestata::after);
            assert_eq!(fine == FineTestata::Vista, attesa, "{testo:?}");
        }
    }
}
