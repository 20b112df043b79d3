//! A multipart while it comes, for a message that is too long to be held: heads as they end, bytes as soon as they
//! certainly are no delimiter. It keeps the same rules as [`super::Tipo::parts`], and no more bytes than a head may have.

use bytes::{Buf as _, Bytes, BytesMut};

use super::{Codifica, Cursore, FineRiga, Intoppo, MtomError, SPAZI_MAX, Tipo};
use crate::catalogo::Codice;

/// The head of a part that is coming.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parte {
    /// Its place in the message, from 1.
    pub numero: usize,
    /// Without its angle brackets.
    pub content_id: Option<String>,
    /// Its bytes come in base64.
    pub in_base64: bool,
    /// It is the envelope.
    pub radice: bool,
}

/// What is found next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Evento {
    /// A part begins.
    Parte(Parte),
    /// Bytes of it.
    Byte(Bytes),
    /// It ended.
    FineParte,
    /// The last part ended, and nothing stands behind it.
    Fine,
    /// More bytes are needed.
    ServeAltro,
}

/// A multipart that is coming.
#[derive(Debug)]
pub struct Flusso {
    tipo: Tipo,
    byte: BytesMut,
    stato: Stato,
    fine_riga: FineRiga,
    numero: usize,
    vista_radice: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stato {
    /// Before a delimiter.
    Testa,
    /// In a part; so many of the first bytes are the end of its head.
    Corpo {
        salta: usize,
    },
    Coda,
}

impl Flusso {
    /// At the first byte.
    #[must_use]
    pub fn new(tipo: Tipo) -> Self {
        Self {
            tipo,
            byte: BytesMut::new(),
            stato: Stato::Testa,
            fine_riga: FineRiga::CrLf,
            numero: 0,
            vista_radice: false,
        }
    }

    /// More bytes.
    pub fn push(&mut self, byte: &[u8]) {
        self.byte.extend_from_slice(byte);
    }

    /// What comes next. `finito`: no more bytes will come.
    pub fn next(&mut self, finito: bool) -> Result<Evento, MtomError> {
        let evento = match self.stato {
            Stato::Testa => self.head()?,
            Stato::Corpo { salta } => self.body(salta)?,
            Stato::Coda => self.coda(finito)?,
        };
        if evento == Evento::ServeAltro && finito {
            return Err(MtomError::new(Codice::Mtm003));
        }
        Ok(evento)
    }

    fn head(&mut self) -> Result<Evento, MtomError> {
        let mut cursore = Cursore {
            tipo: &self.tipo,
            bytes: &self.byte,
            qui: 0,
            fine_riga: self.fine_riga,
            numero: self.numero,
        };
        let testa = match cursore.head() {
            Ok(testa) => testa,
            Err(Intoppo::Incompleto) => return Ok(Evento::ServeAltro),
            Err(Intoppo::Errore(errore)) => return Err(errore),
        };
        let (qui, fine_riga, numero) = (cursore.qui, cursore.fine_riga, cursore.numero);
        let Some(testa) = testa else {
            self.byte.advance(qui);
            self.stato = Stato::Coda;
            if !self.vista_radice {
                return Err(MtomError::new(Codice::Mtm009));
            }
            return Ok(Evento::ServeAltro);
        };
        let radice = !self.vista_radice && self.tipo.is_root(&testa, numero);
        if radice {
            self.tipo.check_root(&testa, numero)?;
            self.vista_radice = true;
        }
        // The empty line after the head may itself be the one that a delimiter begins with.
        let salta = fine_riga.as_bytes().len();
        self.byte.advance(qui - salta);
        (self.fine_riga, self.numero, self.stato) = (fine_riga, numero, Stato::Corpo { salta });
        Ok(Evento::Parte(Parte {
            numero,
            content_id: testa.content_id,
            in_base64: testa.codifica == Codifica::Base64,
            radice,
        }))
    }

    fn body(&mut self, salta: usize) -> Result<Evento, MtomError> {
        let delimitatore = &self.tipo.delimitatore[..];
        let trovato = memchr::memmem::find_iter(&self.byte, delimitatore)
            .find(|qui| *qui > 0 && self.byte[qui - 1] == b'\n');
        let Some(qui) = trovato else {
            let trattenuti = self.tipo.held_back().max(salta);
            let Some(certi) = self
                .byte
                .len()
                .checked_sub(trattenuti)
                .filter(|certi| *certi > salta)
            else {
                return Ok(Evento::ServeAltro);
            };
            let mut byte = self.byte.split_to(certi);
            byte.advance(salta);
            self.stato = Stato::Corpo { salta: 0 };
            return Ok(Evento::Byte(byte.freeze()));
        };
        let a_capo = qui - 1;
        let fine = match self.fine_riga {
            FineRiga::Lf => a_capo,
            FineRiga::CrLf if a_capo > 0 && self.byte[a_capo - 1] == b'\r' => a_capo - 1,
            // A lone line feed ends no line here: what looks like a delimiter is content, or somebody's trick.
            FineRiga::CrLf => return Err(MtomError::new(Codice::Mtm005).of_part(self.numero + 1)),
        };
        if fine > salta {
            let mut byte = self.byte.split_to(fine);
            byte.advance(salta);
            self.stato = Stato::Corpo { salta: 0 };
            return Ok(Evento::Byte(byte.freeze()));
        }
        self.byte.advance(qui);
        self.stato = Stato::Testa;
        Ok(Evento::FineParte)
    }

    /// Nothing but space may stand behind the last delimiter.
    fn coda(&mut self, finito: bool) -> Result<Evento, MtomError> {
        if self.byte.len() > SPAZI_MAX || !self.byte.iter().all(|byte| b"\r\n \t".contains(byte)) {
            return Err(MtomError::new(Codice::Mtm004));
        }
        Ok(if finito { Evento::Fine } else { Evento::ServeAltro })
    }
}
