//! The envelope's beginning: which SOAP, which header blocks, which operation. It promises to decide from the bytes
//! up to the body child's start tag, however they come in, and never to look at more than `envelope_head_bytes_max`
//! of them. It refuses what is no envelope of SOAP 1.2 (W3C, part 1, section 5) or SOAP 1.1 (section 4), and
//! header blocks that must be understood and are not. [`Envelope::close`] holds the other end.

use std::fmt;

use super::SoapVersion;
use super::blocco::{Blocco, Elemento, leggi_blocco};
use crate::catalogo::Codice;
use crate::domanda::{Posizione, Violazione};
use crate::prestazione::{Operazione, PRESTAZIONI, Prestazione};
use crate::xml::{Checkpoint, Limits, Nome, Reader, Token, XmlError, is_bianco};

/// WS-Addressing 1.0.
pub const WSA: &str = "http://www.w3.org/2005/08/addressing";
/// The header block that ties the operations on a lot together, in the namespace of its service (ModI,
/// `NONBLOCK_PULL_SOAP`).
pub const CORRELAZIONE: &str = "X-Correlation-ID";
/// The namespace of the header block Identity.
pub const INPS: &str = "http://inps.it/";
/// The namespace of the header block Intestazione.
pub const EGOV: &str = "http://www.cnipa.it/schemas/2003/eGovIT/Busta1_0/";

/// What the beginning of a stream turned out to be.
#[derive(Debug)]
pub enum Apertura {
    /// All that is needed to decide was there.
    Aperta(Box<Envelope>),
    /// Right so far, but the body child's start tag is not wholly there yet.
    ServeAltro,
}

/// An envelope up to its body child's start tag.
#[derive(Debug, Clone, PartialEq)]
pub struct Envelope {
    /// As the envelope's namespace tells.
    pub versione: SoapVersion,
    /// The header blocks, in document order, those for others included.
    pub blocchi: Vec<Blocco>,
    /// Namespace of the body child.
    pub namespace: String,
    /// Local name of the body child.
    pub operazione: String,
    /// Just before the body child's start tag.
    pub corpo: Checkpoint,
    /// Where the body child begins.
    pub posizione: Posizione,
    /// Where the Header begins; the Envelope, when there is none.
    pub posizione_header: Posizione,
    /// Just behind the Header's start tag: what its blocks stand in. Of SOAP 1.1 only, whose blocks are kept byte by byte.
    pub ambito: Option<Checkpoint>,
}

/// The expanded name of a header block that must be understood and is not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NonCompreso {
    /// Its namespace, perhaps empty.
    pub namespace: String,
    /// Its local name.
    pub locale: String,
}

/// Why an envelope is refused. The same message will never do better.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("envelope refused: {}", violazione.codice)]
pub struct EnvelopeError {
    violazione: Violazione,
    versione: Option<SoapVersion>,
    non_compresi: Vec<NonCompreso>,
}

impl EnvelopeError {
    /// The finding, placed.
    #[must_use]
    pub fn violazione(&self) -> Violazione {
        self.violazione.clone()
    }

    /// The version in which to answer, once it is known.
    #[must_use]
    pub fn versione(&self) -> Option<SoapVersion> {
        self.versione
    }

    /// The refusal of an envelope that could be opened but not read on.
    #[must_use]
    pub fn illeggibile(errore: &XmlError, versione: SoapVersion) -> Self {
        Self {
            violazione: errore.violazione(),
            versione: Some(versione),
            non_compresi: Vec::new(),
        }
    }

    /// What the fault's header must name.
    #[must_use]
    pub fn non_compresi(&self) -> &[NonCompreso] {
        &self.non_compresi
    }
}

impl Envelope {
    /// Opens an envelope over the beginning of a message. `finito` says that nothing follows `bytes`.
    ///
    /// A caller that reads a stream asks again with all bytes so far; better not for each byte, since every call
    /// starts over.
    pub fn open(bytes: &[u8], finito: bool, limits: &Limits) -> Result<Apertura, EnvelopeError> {
        let testa = &bytes[..bytes.len().min(limits.envelope_head_bytes_max)];
        let mut apritore = Apritore {
            reader: Reader::new(testa, limits),
            versione: None,
            limits,
        };
        match apritore.apri() {
            Ok(envelope) => Ok(Apertura::Aperta(Box::new(envelope))),
            Err(Intoppo::Busta(errore)) => Err(*errore),
            Err(Intoppo::Xml(errore)) if errore.is_incomplete() && testa.len() < bytes.len() => {
                let violazione = Violazione::at(Codice::Env028, "")
                    .with("limite", limits.envelope_head_bytes_max)
                    .placed(errore.posizione);
                Err(apritore.errore(violazione))
            }
            Err(Intoppo::Xml(errore)) if errore.is_incomplete() && !finito => Ok(Apertura::ServeAltro),
            Err(Intoppo::Xml(errore)) => Err(apritore.errore(errore.violazione())),
        }
    }

    /// Reads what follows the body child, whose end tag `reader` has just read, to the end of the message: nothing
    /// but the ends of Body and Envelope may be there.
    pub fn close(&self, reader: &mut Reader<'_>) -> Result<(), EnvelopeError> {
        match chiudi(reader, self.versione) {
            Ok(()) => Ok(()),
            Err(Intoppo::Busta(errore)) => Err(*errore),
            Err(Intoppo::Xml(errore)) => Err(EnvelopeError::illeggibile(&errore, self.versione)),
        }
    }

    /// The operation of a service that the body child names.
    pub fn operazione_di(&self, prestazione: &Prestazione) -> Result<Operazione, EnvelopeError> {
        let nome = Nome {
            namespace: &self.namespace,
            locale: &self.operazione,
        };
        let codice = match prestazione.by_nome(&self.operazione) {
            Some(operazione) if self.namespace == prestazione.namespace => return Ok(operazione),
            Some(_) => Codice::Env051,
            None => Codice::Env052,
        };
        let operazioni: Vec<_> = prestazione.operazioni().map(Operazione::nome).collect();
        let violazione = Violazione::at(codice, BODY)
            .with("atteso", atteso(prestazione.namespace, &self.operazione))
            .with("trovato", mostra(nome))
            .with("namespace", prestazione.namespace)
            .with("operazioni", operazioni.join(", "))
            .placed(self.posizione);
        Err(EnvelopeError {
            violazione,
            versione: Some(self.versione),
            non_compresi: Vec::new(),
        })
    }

    /// The first header block of a name, among those for us.
    #[must_use]
    pub fn blocco(&self, namespace: &str, locale: &str) -> Option<&Elemento> {
        self.blocchi_per_noi()
            .find(|elemento| elemento.is(namespace, locale))
    }

    /// The header blocks that are for us.
    pub fn blocchi_per_noi(&self) -> impl Iterator<Item = &Elemento> {
        self.blocchi
            .iter()
            .filter(|blocco| blocco.per_noi)
            .map(|blocco| &blocco.elemento)
    }

    /// `wsa:MessageID`, trimmed; a bare UUID and `urn:uuid:` are both seen.
    #[must_use]
    pub fn wsa_message_id(&self) -> Option<&str> {
        self.wsa("MessageID")
    }

    /// `wsa:Action`, trimmed.
    #[must_use]
    pub fn wsa_action(&self) -> Option<&str> {
        self.wsa("Action")
    }

    /// `wsa:To`, trimmed.
    #[must_use]
    pub fn wsa_to(&self) -> Option<&str> {
        self.wsa("To")
    }

    fn wsa(&self, locale: &str) -> Option<&str> {
        self.blocco(WSA, locale)
            .map(|elemento| elemento.testo.trim())
            .filter(|testo| !testo.is_empty())
    }
}

const ENVELOPE: &str = "/env:Envelope";
const HEADER: &str = "/env:Envelope/env:Header";
const BODY: &str = "/env:Envelope/env:Body";

/// What stops the reading: the XML, or what it says.
enum Intoppo {
    Xml(XmlError),
    Busta(Box<EnvelopeError>),
}

impl From<XmlError> for Intoppo {
    fn from(errore: XmlError) -> Self {
        Self::Xml(errore)
    }
}

struct Apritore<'a> {
    reader: Reader<'a>,
    versione: Option<SoapVersion>,
    limits: &'a Limits,
}

impl Apritore<'_> {
    /// From the first byte to the body child.
    fn apri(&mut self) -> Result<Envelope, Intoppo> {
        let versione = self.envelope()?;
        self.versione = Some(versione);
        let mut posizione_header = self.reader.posizione();
        let mut blocchi = Vec::new();
        let mut header = false;
        let mut ambito = None;
        loop {
            let figlio = match self.reader.next()? {
                Token::Start { nome, .. } if nome.is(versione.namespace(), "Body") => Figlio::Body,
                Token::Start { nome, .. } if nome.is(versione.namespace(), "Header") => Figlio::Header,
                Token::Start { nome, .. } => Figlio::Altro(mostra(nome)),
                Token::Text(testo) if is_bianco(&testo) => continue,
                Token::Text(_) => return Err(self.rifiuta(Violazione::at(Codice::Env046, ENVELOPE))),
                Token::End { .. } | Token::Eof => {
                    return Err(self.rifiuta(Violazione::at(Codice::Env044, ENVELOPE)));
                }
            };
            match figlio {
                Figlio::Body => break,
                Figlio::Header if header => {
                    return Err(self.rifiuta(Violazione::at(Codice::Env042, HEADER)));
                }
                Figlio::Header => {
                    header = true;
                    posizione_header = self.reader.posizione();
                    ambito = (versione == SoapVersion::V11).then(|| self.reader.checkpoint());
                    blocchi = self.header(versione)?;
                    self.check_compresi(&blocchi, posizione_header)?;
                }
                Figlio::Altro(trovato) => {
                    let violazione = Violazione::at(Codice::Env043, ENVELOPE)
                        .with("atteso", atteso(versione.namespace(), "Body"))
                        .with("trovato", trovato);
                    return Err(self.rifiuta(violazione));
                }
            }
        }
        let mut envelope = self.body(versione, blocchi, posizione_header)?;
        envelope.ambito = ambito;
        Ok(envelope)
    }

    /// The root's start tag.
    fn envelope(&mut self) -> Result<SoapVersion, Intoppo> {
        let radice = loop {
            match self.reader.next()? {
                Token::Start { nome, .. } => break Radice::of(nome),
                // Before the root the reader tells of nothing else.
                Token::Text(_) | Token::End { .. } | Token::Eof => {}
            }
        };
        match radice {
            Radice::Envelope(versione) => Ok(versione),
            Radice::AltraVersione(trovato) => {
                Err(self.rifiuta(Violazione::at(Codice::Env040, "").with("trovato", trovato)))
            }
            Radice::Altro(trovato) => {
                let violazione = Violazione::at(Codice::Env041, "")
                    .with("atteso", atteso(SoapVersion::V12.namespace(), "Envelope"))
                    .with("trovato", trovato);
                Err(self.rifiuta(violazione))
            }
        }
    }

    /// The blocks of the Header whose start tag was just read.
    fn header(&mut self, versione: SoapVersion) -> Result<Vec<Blocco>, Intoppo> {
        let mut blocchi = Vec::new();
        loop {
            let mut elemento = match self.reader.next()? {
                Token::Start { nome, attributi, .. } => Elemento::new(nome, attributi),
                Token::End { .. } | Token::Eof => return Ok(blocchi),
                Token::Text(testo) if is_bianco(&testo) => continue,
                Token::Text(_) => return Err(self.rifiuta(Violazione::at(Codice::Env046, HEADER))),
            };
            elemento.posizione = self.reader.posizione();
            let inizio = self.reader.offset();
            if blocchi.len() >= self.limits.header_blocks_max {
                let violazione =
                    Violazione::at(Codice::Env027, HEADER).with("limite", self.limits.header_blocks_max);
                return Err(self.rifiuta(violazione));
            }
            let elemento = leggi_blocco(&mut self.reader, elemento)?;
            match Blocco::of(elemento, inizio..self.reader.end_offset(), versione) {
                Ok(blocco) => blocchi.push(blocco),
                Err(errato) => {
                    let violazione = Violazione::at(Codice::Env050, HEADER)
                        .with("blocco", mostra(errato.elemento.nome()))
                        .with("valore", errato.valore)
                        .placed(errato.elemento.posizione);
                    return Err(self.rifiuta(violazione));
                }
            }
        }
    }

    /// Every block for us that must be understood is looked at before anything is done (SOAP 1.2, 2.6).
    fn check_compresi(&self, blocchi: &[Blocco], posizione_header: Posizione) -> Result<(), Intoppo> {
        let ignoti: Vec<_> = blocchi
            .iter()
            .filter(|blocco| blocco.per_noi && blocco.must_understand && !is_compreso(&blocco.elemento))
            .map(|blocco| &blocco.elemento)
            .collect();
        if ignoti.is_empty() {
            return Ok(());
        }
        let nomi: Vec<_> = ignoti.iter().map(|elemento| mostra(elemento.nome())).collect();
        let posizione = ignoti
            .first()
            .map_or(posizione_header, |elemento| elemento.posizione);
        let violazione = Violazione::at(Codice::Env049, HEADER)
            .with("blocchi", nomi.join(", "))
            .placed(posizione);
        let mut errore = self.errore(violazione);
        errore.non_compresi = ignoti
            .iter()
            .map(|elemento| NonCompreso {
                namespace: elemento.namespace.to_string(),
                locale: elemento.locale.to_string(),
            })
            .collect();
        Err(Intoppo::Busta(Box::new(errore)))
    }

    /// The Body, whose start tag was just read, up to its child.
    fn body(
        &mut self,
        versione: SoapVersion,
        blocchi: Vec<Blocco>,
        posizione_header: Posizione,
    ) -> Result<Envelope, Intoppo> {
        loop {
            let corpo = self.reader.checkpoint();
            let (namespace, operazione, inizio) = match self.reader.next()? {
                Token::Start { nome, inizio, .. } => {
                    (nome.namespace.to_owned(), nome.locale.to_owned(), inizio)
                }
                Token::Text(testo) if is_bianco(&testo) => continue,
                Token::Text(_) => return Err(self.rifiuta(Violazione::at(Codice::Env046, BODY))),
                Token::End { .. } | Token::Eof => {
                    return Err(self.rifiuta(Violazione::at(Codice::Env045, BODY)));
                }
            };
            // A comment may stand between the checkpoint and the tag: it is read again, and skipped again.
            debug_assert!(corpo.offset() <= inizio);
            return Ok(Envelope {
                versione,
                blocchi,
                namespace,
                operazione,
                corpo,
                posizione: self.reader.posizione(),
                posizione_header,
                ambito: None,
            });
        }
    }

    /// Refuses at the last token (a text: where it is no space), unless the finding is placed already.
    fn rifiuta(&mut self, violazione: Violazione) -> Intoppo {
        let violazione = match violazione.posizione {
            Some(_) => violazione,
            None => violazione.placed(self.reader.posizione_testo()),
        };
        Intoppo::Busta(Box::new(self.errore(violazione)))
    }

    fn errore(&self, violazione: Violazione) -> EnvelopeError {
        EnvelopeError {
            violazione,
            versione: self.versione,
            non_compresi: Vec::new(),
        }
    }
}

/// A child of the Envelope.
enum Figlio {
    Header,
    Body,
    Altro(String),
}

/// What the root is.
enum Radice {
    Envelope(SoapVersion),
    AltraVersione(String),
    Altro(String),
}

impl Radice {
    fn of(nome: Nome<'_>) -> Self {
        let versione = [SoapVersion::V12, SoapVersion::V11]
            .into_iter()
            .find(|versione| versione.namespace() == nome.namespace);
        match (nome.locale, versione) {
            ("Envelope", Some(versione)) => Self::Envelope(versione),
            ("Envelope", None) => Self::AltraVersione(mostra(nome)),
            _ => Self::Altro(mostra(nome)),
        }
    }
}

/// Whether we act upon a header block as its specification says. WS-Security is not among them as long as no
/// signature is verified: who says that it must be understood is told that it is not.
fn is_compreso(elemento: &Elemento) -> bool {
    const ANONIMO: &str = "http://www.w3.org/2005/08/addressing/anonymous";
    const NESSUNO: &str = "http://www.w3.org/2005/08/addressing/none";
    match (&*elemento.namespace, &*elemento.locale) {
        // The answer goes back by the same connection, and nowhere else.
        (WSA, "ReplyTo" | "FaultTo") => elemento
            .figlio(WSA, "Address")
            .is_some_and(|indirizzo| matches!(indirizzo.testo.trim(), ANONIMO | NESSUNO)),
        // Identity, also in two blocks (`soap::identity`).
        (INPS, "Identity")
        | (INPS | "", "UserId" | "Userid" | "CodiceUfficio")
        | (WSA, "MessageID" | "Action" | "To" | "From" | "RelatesTo") => true,
        (namespace, CORRELAZIONE) => PRESTAZIONI
            .iter()
            .any(|prestazione| prestazione.namespace == namespace),
        _ => false,
    }
}

fn chiudi(reader: &mut Reader<'_>, versione: SoapVersion) -> Result<(), Intoppo> {
    let mut in_body = true;
    loop {
        let dove = if in_body { BODY } else { ENVELOPE };
        let trovato = match reader.next()? {
            Token::End { .. } => {
                in_body = false;
                continue;
            }
            Token::Eof => return Ok(()),
            Token::Text(testo) if is_bianco(&testo) => continue,
            Token::Text(_) => Violazione::at(Codice::Env046, dove),
            Token::Start { nome, .. } if in_body => {
                Violazione::at(Codice::Env047, dove).with("trovato", mostra(nome))
            }
            Token::Start { nome, .. } if nome.is(versione.namespace(), "Header") => {
                Violazione::at(Codice::Env042, dove)
            }
            Token::Start { nome, .. } => Violazione::at(Codice::Env048, dove).with("trovato", mostra(nome)),
        };
        return Err(Intoppo::Busta(Box::new(EnvelopeError {
            violazione: trovato.placed(reader.posizione_testo()),
            versione: Some(versione),
            non_compresi: Vec::new(),
        })));
    }
}

fn atteso(namespace: &str, locale: &str) -> String {
    mostra(Nome { namespace, locale })
}

/// A name as it may stand in a sentence: `{namespace}locale`, not too long, without control characters.
fn mostra(nome: impl fmt::Display) -> String {
    const CARATTERI_MAX: usize = 200;
    nome.to_string()
        .chars()
        .take(CARATTERI_MAX)
        .map(|c| if c.is_control() { '\u{FFFD}' } else { c })
        .collect()
}

#[cfg(test)]
mod tests;
