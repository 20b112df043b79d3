//! Between the dispatcher and the application: a head over its bounds is refused, a compressed body is refused, a
//! body that does not come in time is cut, and the stream is told when a request begins and ends.

use std::cell::Cell;
use std::io;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

use actix_http::body::BoxBody;
use actix_http::error::PayloadError;
use actix_http::header::{CONTENT_ENCODING, CONTENT_LENGTH};
use actix_http::{
    BoxedPayloadStream, ConnectionType, HttpMessage as _, Payload, Request, RequestHead, Response,
};
use bytes::Bytes;
use futures_util::Stream;
use tokio::time::{Instant, Sleep, sleep_until};

use super::answer;
use super::limits::Bounds;
use super::peer::{Connessione, Fase};
use super::refusal::refusal;
use super::stream::{COMMIATO, too_large};
use crate::catalogo::Codice;
use crate::domanda::Violazione;

/// A request under watch: what is needed to end it well.
pub(super) struct Guardia {
    connessione: Option<Rc<Connessione>>,
    corpo: Rc<Corpo>,
    bounds: Rc<Bounds>,
}

/// Looks at a head; gives the request on, with its body timed, or says why not.
pub(super) fn begin(mut richiesta: Request, bounds: &Rc<Bounds>) -> (Guardia, Result<Request, Violazione>) {
    let guardia = Guardia {
        connessione: richiesta.conn_data::<Rc<Connessione>>().cloned(),
        corpo: Rc::new(Corpo::of(&mut richiesta)),
        bounds: Rc::clone(bounds),
    };
    if let Some(connessione) = &guardia.connessione {
        connessione.fase.set(Fase::Occupata);
    }
    if let Some(violazione) = refuses(richiesta.head(), bounds) {
        return (guardia, Err(violazione));
    }
    if !guardia.corpo.letto.get() {
        let cronometrato = Cronometrato {
            payload: richiesta.take_payload(),
            stato: Rc::clone(&guardia.corpo),
            entro: Instant::now() + bounds.richiesta,
            sveglia: None,
        };
        let payload: BoxedPayloadStream = Box::pin(cronometrato);
        *richiesta.payload() = Payload::Stream { payload };
    }
    (guardia, Ok(richiesta))
}

impl Guardia {
    /// The answer: the application's, or the door's own where it refused or the body came too late.
    pub(super) async fn finish<F, R, E>(self, chiamata: Result<F, Violazione>) -> Result<Response<BoxBody>, E>
    where
        F: Future<Output = Result<R, E>>,
        R: Into<Response<BoxBody>>,
    {
        let risposta =
            match chiamata {
                Ok(futuro) => {
                    let risposta = futuro.await;
                    if self.corpo.tardi.get() {
                        // Whatever the application made of half a body: it was half a body.
                        Ok(self.refuse(
                            &refusal(Codice::Htp004).with("secondi", self.bounds.richiesta.as_secs()),
                        ))
                    } else {
                        risposta.map(Into::into)
                    }
                }
                Err(violazione) => Ok(self.refuse(&violazione)),
            };
        let letto = self.corpo.letto.get();
        if let Some(connessione) = &self.connessione {
            // A body left unread would be taken for the next head.
            connessione.fase.set(if letto {
                Fase::Attesa(Instant::now() + self.bounds.keep_alive)
            } else {
                Fase::Commiato(Instant::now() + COMMIATO)
            });
        }
        risposta.map(|mut risposta| {
            if !letto {
                risposta.head_mut().set_connection_type(ConnectionType::Close);
            }
            risposta
        })
    }

    fn refuse(&self, violazione: &Violazione) -> Response<BoxBody> {
        if let Some(connessione) = &self.connessione {
            connessione.refuse(violazione);
        }
        answer::plain(violazione)
    }
}

/// What the door refuses of a head, whatever is asked for.
fn refuses(head: &RequestHead, bounds: &Bounds) -> Option<Violazione> {
    let campi = head.headers.len();
    let bytes: usize = head
        .headers
        .iter()
        .map(|(nome, valore)| nome.as_str().len() + valore.len() + ": \r\n".len())
        .sum();
    let riga = head
        .uri
        .path_and_query()
        .map_or(0, |percorso| percorso.as_str().len());
    if campi > bounds.testata_campi_max || bytes + riga > bounds.testata_bytes_max {
        return Some(too_large(bounds));
    }
    let codifica = head
        .headers
        .get_all(CONTENT_ENCODING)
        .find(|codifica| !codifica.as_bytes().trim_ascii().eq_ignore_ascii_case(b"identity"))?;
    let codifica = String::from_utf8_lossy(codifica.as_bytes());
    let codifica: String = codifica.chars().filter(|c| !c.is_control()).take(32).collect();
    Some(refusal(Codice::Htp006).with("codifica", codifica))
}

/// How much of a body has come.
struct Corpo {
    /// What Content-Length says is still to come.
    manca: Cell<Option<u64>>,
    /// All of it has been read.
    letto: Cell<bool>,
    /// It did not come in time.
    tardi: Cell<bool>,
}

impl Corpo {
    fn of(richiesta: &mut Request) -> Self {
        let lunghezza = richiesta.headers().get(CONTENT_LENGTH);
        let lunghezza = lunghezza
            .and_then(|valore| valore.to_str().ok())
            .and_then(|testo| testo.parse().ok());
        Self {
            manca: Cell::new(lunghezza),
            letto: Cell::new(matches!(richiesta.payload(), Payload::None)),
            tardi: Cell::new(false),
        }
    }

    fn came(&self, quanti: usize) {
        if let Some(manca) = self.manca.get() {
            let manca = manca.saturating_sub(quanti as u64);
            self.manca.set(Some(manca));
            if manca == 0 {
                self.letto.set(true);
            }
        }
    }
}

/// A body with a deadline.
struct Cronometrato {
    payload: Payload,
    stato: Rc<Corpo>,
    entro: Instant,
    /// Made only when the body has to be waited for.
    sveglia: Option<Pin<Box<Sleep>>>,
}

impl Stream for Cronometrato {
    type Item = Result<Bytes, PayloadError>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = self.get_mut();
        if this.stato.tardi.get() {
            return Poll::Ready(None);
        }
        match Pin::new(&mut this.payload).poll_next(cx) {
            Poll::Ready(Some(Ok(pezzo))) => {
                this.stato.came(pezzo.len());
                Poll::Ready(Some(Ok(pezzo)))
            }
            Poll::Ready(None) => {
                this.stato.letto.set(true);
                Poll::Ready(None)
            }
            Poll::Ready(errore) => Poll::Ready(errore),
            Poll::Pending => {
                let entro = this.entro;
                let sveglia = this.sveglia.get_or_insert_with(|| Box::pin(sleep_until(entro)));
                sveglia.as_mut().poll(cx).map(|()| {
                    this.stato.tardi.set(true);
                    Some(Err(PayloadError::Io(io::ErrorKind::TimedOut.into())))
                })
            }
        }
    }
}
