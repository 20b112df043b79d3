//! MTOM (W3C 2005): an envelope whose bytes lie beside it, in the parts of a `multipart/related` (RFC 2387) with XOP
//! packaging. It promises that a message has one reading: what MIME leaves open (a preamble, nested multiparts, two parts
//! of one name, line ends mixed) is refused by name, not guessed at. It looks at each byte once, copies none but those of a
//! part in base64, and holds its bounds while reading.
//!
//! The root part is the envelope, and is read as any other. Where the XSD says `base64Binary` an `xop:Include` stands for
//! the bytes of a part (`schema`); each part is asked for once, and none is left over.

mod flusso;
#[cfg(test)]
mod tests;
mod tipo;

use std::ops::Range;

use bytes::Bytes;

pub use flusso::{Evento, Flusso, Parte as ParteInArrivo};
pub use tipo::{Limits, Tipo, TipoErrato};

use crate::catalogo::Codice;
use crate::domanda::Violazione;
use crate::domanda::lettura::base64;

/// The namespace of `xop:Include`.
pub const XOP: &str = "http://www.w3.org/2004/08/xop/include";

/// A message as it is read: its envelope, and the parts beside it.
#[derive(Debug, Clone)]
pub struct Messaggio {
    /// The bytes of the envelope.
    pub busta: Bytes,
    /// Where the envelope begins in what was received.
    pub busta_da: usize,
    /// The other parts; `None` of a message that is no multipart.
    pub parti: Option<Parti>,
}

impl Messaggio {
    /// A message that is nothing but an envelope.
    #[must_use]
    pub fn plain(busta: Bytes) -> Self {
        Self {
            busta,
            busta_da: 0,
            parti: None,
        }
    }
}

/// The parts beside the envelope, while the envelope is read.
#[derive(Debug, Clone, Default)]
pub struct Parti(Vec<Parte>);

/// One part beside the envelope.
#[derive(Debug, Clone)]
struct Parte {
    /// Its place in the message, from 1: the root part counts.
    numero: usize,
    /// Without its angle brackets.
    content_id: String,
    byte: Bytes,
    chiesta: bool,
}

impl Parti {
    /// None.
    #[must_use]
    pub fn none() -> Self {
        Self::default()
    }

    /// One that is still coming: to who reads the envelope it has no byte.
    #[must_use]
    pub fn coming(numero: usize, content_id: String) -> Self {
        Self(vec![Parte {
            numero,
            content_id,
            byte: Bytes::new(),
            chiesta: false,
        }])
    }

    /// The bytes that an `xop:Include` stands for: those of the part that `href` names, once.
    pub fn take(&mut self, href: &str) -> Result<Bytes, Codice> {
        let id = href
            .get(..4)
            .filter(|schema| schema.eq_ignore_ascii_case("cid:"))
            .map(|_| &href[4..])
            .ok_or(Codice::Mtm019)?;
        // RFC 2392: the Content-ID with what a URL does not let stand as %XX; who writes it as it is, is understood too.
        let parte = match self.by_id(id.as_bytes()) {
            Some(quale) => quale,
            None => self
                .by_id(&unescaped(id).ok_or(Codice::Mtm019)?)
                .ok_or(Codice::Mtm016)?,
        };
        let parte = &mut self.0[parte];
        if std::mem::replace(&mut parte.chiesta, true) {
            return Err(Codice::Mtm017);
        }
        Ok(parte.byte.clone())
    }

    /// The places of the parts that nobody asked for.
    pub fn left_over(&self) -> impl Iterator<Item = usize> {
        self.0
            .iter()
            .filter(|parte| !parte.chiesta)
            .map(|parte| parte.numero)
    }

    fn by_id(&self, id: &[u8]) -> Option<usize> {
        self.0.iter().position(|parte| parte.content_id.as_bytes() == id)
    }
}

/// `%XX` resolved; `None` where a `%` is not followed by two hexadecimal digits.
fn unescaped(testo: &str) -> Option<Vec<u8>> {
    let mut byte = Vec::with_capacity(testo.len());
    let mut resto = testo.as_bytes();
    while let Some((primo, dopo)) = resto.split_first() {
        if *primo == b'%' {
            let (cifre, dopo) = dopo.split_at_checked(2)?;
            let cifre = std::str::from_utf8(cifre)
                .ok()
                .filter(|cifre| !cifre.starts_with('+'))?;
            byte.push(u8::from_str_radix(cifre, 16).ok()?);
            resto = dopo;
        } else {
            byte.push(*primo);
            resto = dopo;
        }
    }
    Some(byte)
}

/// Why a multipart is not read. The same message will never do better.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("multipart refused: {}", .0.codice)]
pub struct MtomError(pub Box<Violazione>);

impl MtomError {
    /// What is wrong with a part.
    #[must_use]
    pub fn of(codice: Codice, numero: usize) -> Self {
        Self::new(codice).of_part(numero)
    }

    fn new(codice: Codice) -> Self {
        Self(Box::new(Violazione::at(codice, "")))
    }

    fn with(mut self, nome: &'static str, valore: impl ToString) -> Self {
        *self.0 = self.0.with(nome, valore);
        self
    }

    fn of_part(self, numero: usize) -> Self {
        self.with("parte", numero)
    }
}

/// What stops the reading of bytes that may still be coming.
#[derive(Debug)]
enum Intoppo {
    /// They end too early: with more of them reading may go on.
    Incompleto,
    Errore(MtomError),
}

impl From<MtomError> for Intoppo {
    fn from(errore: MtomError) -> Self {
        Self::Errore(errore)
    }
}

/// The root part, as far as it has come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Radice {
    /// Its bytes. Where its end has not come yet, those that certainly belong to it.
    pub byte: Range<usize>,
    /// Whether its end has come.
    pub intera: bool,
}

impl Tipo {
    /// Finds the root part at the beginning of a message; `None`: more bytes are needed.
    pub fn radice(&self, bytes: &[u8], finito: bool) -> Result<Option<Radice>, MtomError> {
        let mut cursore = Cursore::new(self, bytes);
        let trovata = loop {
            match cursore.head() {
                Ok(Some(testa)) if self.is_root(&testa, cursore.numero) => {
                    self.check_root(&testa, cursore.numero)?;
                    let da = cursore.qui;
                    break match cursore.body() {
                        Ok(byte) => Radice { byte, intera: true },
                        Err(Intoppo::Incompleto) => Radice {
                            byte: da..da.max(bytes.len().saturating_sub(self.held_back())),
                            intera: false,
                        },
                        Err(Intoppo::Errore(errore)) => return Err(errore),
                    };
                }
                Ok(Some(_)) => match cursore.body() {
                    Ok(_) => {}
                    Err(Intoppo::Incompleto) => return Self::cut(finito),
                    Err(Intoppo::Errore(errore)) => return Err(errore),
                },
                Ok(None) => return Err(MtomError::new(Codice::Mtm009)),
                Err(Intoppo::Incompleto) => return Self::cut(finito),
                Err(Intoppo::Errore(errore)) => return Err(errore),
            }
        };
        if finito && !trovata.intera {
            return Err(MtomError::new(Codice::Mtm003));
        }
        Ok(Some(trovata))
    }

    /// Parts a whole message.
    pub fn parts(&self, bytes: &Bytes) -> Result<Messaggio, MtomError> {
        match self.all_parts(bytes) {
            Ok(messaggio) => Ok(messaggio),
            Err(Intoppo::Incompleto) => Err(MtomError::new(Codice::Mtm003)),
            Err(Intoppo::Errore(errore)) => Err(errore),
        }
    }

    fn all_parts(&self, bytes: &Bytes) -> Result<Messaggio, Intoppo> {
        let mut cursore = Cursore::new(self, bytes);
        let mut radice: Option<(Range<usize>, Option<String>)> = None;
        let mut parti: Vec<Parte> = Vec::new();
        while let Some(testa) = cursore.head()? {
            let numero = cursore.numero;
            let byte = cursore.body()?;
            if radice.is_none() && self.is_root(&testa, numero) {
                self.check_root(&testa, numero)?;
                radice = Some((byte, testa.content_id));
                continue;
            }
            if self.radice == tipo::TEXT_XML {
                continue;
            }
            let content_id = testa
                .content_id
                .ok_or_else(|| MtomError::new(Codice::Mtm014).of_part(numero))?;
            let e_la_radice = radice
                .as_ref()
                .is_some_and(|(_, id)| id.as_ref() == Some(&content_id));
            if e_la_radice || parti.iter().any(|parte| parte.content_id == content_id) {
                return Err(MtomError::new(Codice::Mtm015).of_part(numero).into());
            }
            let byte = match testa.codifica {
                Codifica::ComeSono => bytes.slice(byte),
                Codifica::Base64 => std::str::from_utf8(&bytes[byte])
                    .ok()
                    .and_then(base64)
                    .ok_or_else(|| MtomError::new(Codice::Mtm012).of_part(numero))?,
            };
            parti.push(Parte {
                numero,
                content_id,
                byte,
                chiesta: false,
            });
        }
        cursore.end()?;
        let (radice, _) = radice.ok_or_else(|| MtomError::new(Codice::Mtm009))?;
        Ok(Messaggio {
            busta_da: radice.start,
            busta: bytes.slice(radice),
            parti: (self.radice == tipo::XOP_XML).then_some(Parti(parti)),
        })
    }

    fn cut(finito: bool) -> Result<Option<Radice>, MtomError> {
        if finito {
            Err(MtomError::new(Codice::Mtm003))
        } else {
            Ok(None)
        }
    }

    /// RFC 2387, 3.2: the part that `start` names, or the first.
    fn is_root(&self, testa: &Testa, numero: usize) -> bool {
        match &self.start {
            Some(start) => testa.content_id.as_ref() == Some(start),
            None => numero == 1,
        }
    }

    /// XOP 1.0, 4.1: the root part is of the type that was announced, and what is in it is the envelope as it is.
    fn check_root(&self, testa: &Testa, numero: usize) -> Result<(), MtomError> {
        let motivo = if !testa.tipo.eq_ignore_ascii_case(self.radice) {
            match self.radice {
                tipo::TEXT_XML => "il suo Content-Type non è text/xml",
                _ => "il suo Content-Type non è application/xop+xml",
            }
        } else if testa.codifica != Codifica::ComeSono {
            "la sua Content-Transfer-Encoding non è binary, 8bit o 7bit"
        } else if !testa.utf8 {
            "il suo charset non è UTF-8"
        } else {
            return Ok(());
        };
        Err(MtomError::new(Codice::Mtm010)
            .of_part(numero)
            .with("motivo", motivo))
    }

    /// So many of the last bytes may be the beginning of a delimiter.
    fn held_back(&self) -> usize {
        self.delimitatore.len() + "\r\n--\r\n".len()
    }
}

/// The envelope in a message that was taken in, by a place inside it: of a message in parts the part that holds the place,
/// else all of it.
#[must_use]
pub fn envelope_around(bytes: &[u8], dentro: usize) -> Range<usize> {
    let principio = bytes.len() - bytes.trim_ascii_start().len();
    let (prima, dopo) = bytes.split_at(dentro.min(bytes.len()));
    let Some(fine_riga) = bytes[principio..].iter().position(|byte| *byte == b'\n') else {
        return 0..bytes.len();
    };
    let delimitatore = bytes[principio..principio + fine_riga].trim_ascii_end();
    // No XML begins so.
    if !delimitatore.starts_with(b"--") {
        return 0..bytes.len();
    }
    let vuota = [&b"\r\n\r\n"[..], b"\n\n"]
        .iter()
        .filter_map(|vuota| {
            let testa = last_line(prima, delimitatore)?;
            let qui = prima[testa..]
                .windows(vuota.len())
                .position(|qui| qui == *vuota)?;
            Some(testa + qui + vuota.len())
        })
        .min();
    let fine = dopo
        .windows(delimitatore.len() + 1)
        .position(|qui| qui[0] == b'\n' && qui[1..] == *delimitatore);
    vuota.unwrap_or(0)..fine.map_or(bytes.len(), |fine| prima.len() + fine)
}

/// Where the last line begins that starts with the delimiter.
fn last_line(bytes: &[u8], delimitatore: &[u8]) -> Option<usize> {
    bytes
        .windows(delimitatore.len())
        .enumerate()
        .rev()
        .find(|(qui, parte)| *parte == delimitatore && (*qui == 0 || bytes[qui - 1].is_ascii_whitespace()))
        .map(|(qui, _)| qui)
}

/// What the head of a part says.
#[derive(Debug)]
struct Testa {
    /// Without its angle brackets.
    content_id: Option<String>,
    /// The media type, without parameters; empty where there is none.
    tipo: String,
    /// Its charset is UTF-8, or it tells none.
    utf8: bool,
    codifica: Codifica,
}

/// How the bytes of a part are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Codifica {
    /// `binary`, `8bit`, `7bit`.
    ComeSono,
    Base64,
}

/// How lines end: as the first one does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum FineRiga {
    CrLf,
    Lf,
}

impl FineRiga {
    fn as_bytes(self) -> &'static [u8] {
        match self {
            Self::CrLf => b"\r\n",
            Self::Lf => b"\n",
        }
    }
}

/// Walks a multipart, head and body by turns.
struct Cursore<'a> {
    tipo: &'a Tipo,
    bytes: &'a [u8],
    qui: usize,
    fine_riga: FineRiga,
    /// The part whose head was read last, from 1.
    numero: usize,
}

impl<'a> Cursore<'a> {
    fn new(tipo: &'a Tipo, bytes: &'a [u8]) -> Self {
        Self {
            tipo,
            bytes,
            qui: 0,
            fine_riga: FineRiga::CrLf,
            numero: 0,
        }
    }

    /// From a delimiter over the head of the part behind it; `None`: it was the last one.
    fn head(&mut self) -> Result<Option<Testa>, Intoppo> {
        if self.numero == 0 {
            self.preamble()?;
        }
        if !self.delimiter()? {
            return Ok(None);
        }
        self.numero += 1;
        if self.numero > self.tipo.limits.parti_max {
            let troppe = MtomError::new(Codice::Mtm008).with("limite", self.tipo.limits.parti_max);
            return Err(troppe.into());
        }
        Ok(Some(self.fields()?))
    }

    /// Nothing but space may stand before the first delimiter.
    fn preamble(&mut self) -> Result<(), Intoppo> {
        let spazi = self
            .rest()
            .iter()
            .take_while(|byte| b"\r\n \t".contains(byte))
            .count();
        self.qui += spazi;
        let delimitatore = &self.tipo.delimitatore[..];
        let comincia = &self.rest()[..self.rest().len().min(delimitatore.len())];
        if spazi > SPAZI_MAX || !delimitatore.starts_with(comincia) {
            return Err(MtomError::new(Codice::Mtm002).into());
        }
        Ok(())
    }

    /// Over the delimiter that stands here, to the end of its line; whether a part follows.
    fn delimiter(&mut self) -> Result<bool, Intoppo> {
        let lungo = self.tipo.delimitatore.len();
        let dopo = self.rest().get(lungo..).ok_or(Intoppo::Incompleto)?;
        let (riga, ultimo) = match dopo {
            [] | [b'-'] => return Err(Intoppo::Incompleto),
            [b'-', b'-', riga @ ..] => (riga, true),
            riga => (riga, false),
        };
        if ultimo {
            self.qui += lungo + 2;
            return Ok(false);
        }
        // RFC 2046, 5.1.1: transport padding.
        let spazi = riga.iter().take_while(|byte| b" \t".contains(byte)).count();
        let (fine_riga, lunga) = match &riga[spazi..] {
            [] | [b'\r'] if spazi <= SPAZI_MAX => return Err(Intoppo::Incompleto),
            [b'\r', b'\n', ..] => (FineRiga::CrLf, 2),
            [b'\n', ..] => (FineRiga::Lf, 1),
            _ => return Err(MtomError::new(Codice::Mtm005).of_part(self.numero + 1).into()),
        };
        if self.numero == 0 {
            self.fine_riga = fine_riga;
        }
        self.qui += lungo + spazi + lunga;
        Ok(true)
    }

    /// The fields of a head, to the empty line behind them.
    fn fields(&mut self) -> Result<Testa, Intoppo> {
        let limite = self.tipo.limits.parte_testata_bytes_max;
        let resto = self.rest();
        let mut righe: Vec<String> = Vec::new();
        let mut letti = 0;
        loop {
            let riga = resto[letti..]
                .iter()
                .take(limite + 1 - letti.min(limite))
                .position(|byte| *byte == b'\n');
            let Some(lunga) = riga else {
                if resto.len() > limite {
                    let troppo = MtomError::new(Codice::Mtm007).of_part(self.numero);
                    return Err(troppo.with("limite", limite).into());
                }
                return Err(Intoppo::Incompleto);
            };
            let riga = &resto[letti..letti + lunga];
            letti += lunga + 1;
            let riga = riga.strip_suffix(b"\r").unwrap_or(riga);
            if riga.is_empty() {
                break;
            }
            let testo = std::str::from_utf8(riga)
                .ok()
                .filter(|testo| !testo.contains('\r'))
                .ok_or_else(|| self.bad_head("contiene byte che un'intestazione non può avere"))?;
            match righe.last_mut() {
                // RFC 822 folding.
                Some(prima) if testo.starts_with([' ', '\t']) => prima.push_str(testo),
                _ => righe.push(testo.to_owned()),
            }
        }
        self.qui += letti;
        self.head_of(&righe)
    }

    fn head_of(&self, righe: &[String]) -> Result<Testa, Intoppo> {
        let (mut content_id, mut content_type, mut codifica) = (None, None, None);
        for riga in righe {
            let Some((nome, valore)) = riga.split_once(':').filter(|(nome, _)| tipo::is_token(nome)) else {
                return Err(self.bad_head("ha una riga che non è Nome: valore").into());
            };
            let campo = match nome.to_ascii_lowercase().as_str() {
                "content-id" => &mut content_id,
                "content-type" => &mut content_type,
                "content-transfer-encoding" => &mut codifica,
                _ => continue,
            };
            if campo.replace(valore.trim()).is_some() {
                return Err(self.bad_head("ripete un'intestazione").into());
            }
        }
        let content_id = content_id
            .map(|id| {
                let dentro = id.strip_prefix('<').and_then(|id| id.strip_suffix('>'));
                dentro
                    .filter(|id| !id.is_empty() && !id.contains(['<', '>', ' ']))
                    .map(str::to_owned)
                    .ok_or_else(|| self.bad_head("ha un Content-ID che non è <identificativo>"))
            })
            .transpose()?;
        let codifica = match codifica.unwrap_or("7bit").to_ascii_lowercase().as_str() {
            "binary" | "8bit" | "7bit" => Codifica::ComeSono,
            "base64" => Codifica::Base64,
            _ => return Err(MtomError::new(Codice::Mtm011).of_part(self.numero).into()),
        };
        let (tipo, utf8) = match content_type {
            None => (String::new(), true),
            Some(valore) => {
                let (tipo, parametri) = tipo::media_type(valore)
                    .map_err(|_| self.bad_head("ha un Content-Type che non si può leggere"))?;
                let charset = parametri.iter().find(|(nome, _)| nome == "charset");
                let utf8 = charset.is_none_or(|(_, valore)| valore.eq_ignore_ascii_case("utf-8"));
                (tipo, utf8)
            }
        };
        if tipo.starts_with("multipart/") {
            return Err(MtomError::new(Codice::Mtm013).of_part(self.numero).into());
        }
        Ok(Testa {
            content_id,
            tipo,
            utf8,
            codifica,
        })
    }

    /// The body of the part whose head was just read, up to the line of the next delimiter.
    fn body(&mut self) -> Result<Range<usize>, Intoppo> {
        let (da, fine_riga) = (self.qui, self.fine_riga.as_bytes());
        // The empty line after the head may itself be the one that a delimiter begins with: a part without a byte.
        let mut cerca = da - fine_riga.len();
        while let Some(a_capo) = self.bytes[cerca..].iter().position(|byte| *byte == b'\n') {
            let dopo = cerca + a_capo + 1;
            cerca = dopo;
            let resto = &self.bytes[dopo..];
            if !resto.starts_with(&self.tipo.delimitatore) {
                // Its beginning, at the end of what has come: it may be one.
                continue;
            }
            let prima = dopo - 1;
            let fine = match self.fine_riga {
                FineRiga::Lf => prima,
                FineRiga::CrLf if prima > 0 && self.bytes[prima - 1] == b'\r' => prima - 1,
                // A lone line feed ends no line here: what looks like a delimiter is content, or somebody's trick.
                FineRiga::CrLf => return Err(MtomError::new(Codice::Mtm005).of_part(self.numero + 1).into()),
            };
            self.qui = dopo;
            return Ok(da..fine.max(da));
        }
        Err(Intoppo::Incompleto)
    }

    /// Nothing but space may stand behind the last delimiter.
    fn end(&self) -> Result<(), MtomError> {
        if self.rest().iter().all(|byte| b"\r\n \t".contains(byte)) {
            Ok(())
        } else {
            Err(MtomError::new(Codice::Mtm004))
        }
    }

    fn bad_head(&self, motivo: &'static str) -> MtomError {
        MtomError::new(Codice::Mtm006)
            .of_part(self.numero)
            .with("motivo", motivo)
    }

    fn rest(&self) -> &'a [u8] {
        &self.bytes[self.qui..]
    }
}

/// Spaces that may stand where none is needed.
const SPAZI_MAX: usize = 64;
