//! Form: the rest of a message in one pass. It promises well-formedness and bounds (through [`crate::xml`]), the
//! digest and the imprint of its content, the key, what is handed in as a value, and every finding of form against the
//! XSDs of the contract, each placed. Findings are kept, not told: whether the message came before is decided
//! first (design.md §1).
//!
//! It refuses only what cannot be read. The XSDs are XSD 1.0, compiled in; the verdict is that of the crate
//! `xsd-schema`, the explanation is ours.

mod authority;
mod compiled;
mod digest;
mod form;
mod giudice;
mod outline;
mod parole;
mod passata;
mod posizioni;
mod testo;
#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

pub(crate) use form::shown;
pub use posizioni::Posizioni;

use crate::catalogo::Codice;
use crate::domanda::{Istanza, Violazione};
use crate::patronato::ChiaveInvio;
use crate::prestazione::{Operazione, PRESTAZIONI, Prestazione};
use crate::ricevuta::Digest;
use crate::soap::envelope::{Apertura, Envelope, EnvelopeError};
use crate::soap::mtom::Parti;
use crate::xml::{Checkpoint, Limits, Nome, Reader, Token, XmlError};
use authority::{Appunti, Udienza, with_authority};
use compiled::{Corsa, Tavole};
use form::Form;
use outline::Outline;
use passata::{Interrotta, Passata};

/// The XSDs of the contract, loaded.
#[derive(Debug, Clone)]
pub struct Schema {
    outline: Arc<Outline>,
    /// The same, compiled; `None` to ask the authority about every message.
    tavole: Option<Arc<Tavole>>,
}

/// The XSDs that were compiled in are not usable: a fault of this release.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SchemaError {
    /// `xsd-schema` refuses them.
    #[error("the XSDs are refused: {causa}")]
    Refused {
        /// In its words.
        causa: String,
    },
    /// An operation has no element.
    #[error("{xsd} declares no element {nome}")]
    Missing {
        /// The element.
        nome: String,
        /// The file.
        xsd: &'static str,
    },
    /// They use a part of XSD that the outline does not know.
    #[error("{dove}: {cosa} is not supported by schema::outline")]
    Unsupported {
        /// The element or type.
        dove: String,
        /// Which part.
        cosa: &'static str,
    },
}

/// A message that has been read to its end.
pub struct Lettura {
    /// Which service.
    pub prestazione: &'static Prestazione,
    /// Which operation. A file with bare content is read as the first operation that carries it: `VerificaDomanda` for
    /// a Domanda.
    pub operazione: Operazione,
    /// The sender's key, when there is one and it is right; a wrong one is among the findings.
    pub chiave: Option<ChiaveInvio>,
    /// Digest v1 of the content ([`Operazione::elemento`]), or of the request element of an operation without any.
    pub digest: Digest,
    /// SHA-256 of that element's bytes as received.
    pub impronta: [u8; 32],
    /// That element's bytes in the message: first one, and the one after the last.
    pub contenuto_in_richiesta: (usize, usize),
    /// All findings of form, at most a hundred, placed, in document order.
    pub rilievi: Vec<Violazione>,
    /// What is handed in, of a message that carries it and has no findings.
    pub istanza: Option<Istanza>,
    /// The values of an operation without content: path of local names below the request element
    /// (`Riferimento/Protocollo`) and collapsed text.
    pub campi: Vec<(String, String)>,
    /// Where the elements of the content began.
    pub posizioni: Posizioni,
    /// The tables alone found it valid: the authority was not asked.
    pub provata: bool,
}

/// A message that cannot be read to its end.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LetturaError {
    /// Not well-formed, or over a bound.
    #[error(transparent)]
    Xml(#[from] XmlError),
    /// What stands around the request is no envelope.
    #[error(transparent)]
    Busta(#[from] EnvelopeError),
    /// A file that begins with none of our elements.
    #[error("{codice} at line {}", .violazione.posizione.unwrap_or_default().riga, codice = .violazione.codice)]
    Radice {
        /// The finding.
        violazione: Box<Violazione>,
    },
    /// Ours: the XSDs could not be loaded for this thread.
    #[error(transparent)]
    Schema(#[from] SchemaError),
}

impl LetturaError {
    /// What the sender is told; `None` when the fault is ours.
    #[must_use]
    pub fn violazione(&self) -> Option<Violazione> {
        match self {
            Self::Xml(error) => Some(error.violazione()),
            Self::Busta(error) => Some(error.violazione()),
            Self::Radice { violazione } => Some((**violazione).clone()),
            Self::Schema(_) => None,
        }
    }
}

impl Schema {
    /// Loads the XSDs and checks that both the authority and the outline take them.
    pub fn load() -> Result<Self, SchemaError> {
        let set = authority::load()?;
        let outline = Outline::read(&set)?;
        with_authority(&outline, |_| ())?;
        let dichiarazioni = outline.elementi.iter().map(|elemento| elemento.chiave);
        let tavole = Tavole::compile(&set, dichiarazioni, &outline.globali);
        Ok(Self {
            outline: Arc::new(outline),
            tavole: Some(Arc::new(tavole)),
        })
    }

    /// The same schemas without their tables: every message goes before the authority. What the tables are held to.
    #[must_use]
    pub fn by_authority(&self) -> Self {
        Self {
            outline: Arc::clone(&self.outline),
            tavole: None,
        }
    }

    /// Loads this thread's authority now, so that its first message does not wait for it.
    pub fn warm(&self) -> Result<(), SchemaError> {
        with_authority(&self.outline, |_| ())
    }

    /// Reads the rest of a message, from the body child's start tag to the end of the envelope.
    pub fn read(
        &self,
        prestazione: &'static Prestazione,
        operazione: Operazione,
        envelope: &Envelope,
        bytes: &[u8],
        limits: &Limits,
    ) -> Result<Lettura, LetturaError> {
        self.read_parted((prestazione, operazione), envelope, bytes, None, limits)
    }

    /// The same of an envelope that lies beside parts (MTOM): an `xop:Include` is taken where the XSD says
    /// `base64Binary`, and nowhere else.
    pub fn read_parted(
        &self,
        (prestazione, operazione): (&'static Prestazione, Operazione),
        envelope: &Envelope,
        bytes: &[u8],
        parti: Option<Parti>,
        limits: &Limits,
    ) -> Result<Lettura, LetturaError> {
        let mut reader = Reader::resume(bytes, &envelope.corpo, limits);
        let lettura = self.pass(
            (prestazione, operazione),
            &envelope.corpo,
            &mut reader,
            bytes,
            parti,
        )?;
        envelope.close(&mut reader)?;
        Ok(lettura)
    }

    /// Reads a request element alone, behind `da` in `bytes`: what is before it is context, what follows it is not looked
    /// at.
    pub fn read_element(
        &self,
        richiesta: (&'static Prestazione, Operazione),
        da: &Checkpoint,
        bytes: &[u8],
        limits: &Limits,
    ) -> Result<Lettura, LetturaError> {
        let mut reader = Reader::resume(bytes, da, limits);
        self.pass(richiesta, da, &mut reader, bytes, None)
    }

    /// Reads a file: an envelope (whose header is not looked at), a request element of a service, or its bare content.
    pub fn read_file(&self, bytes: &[u8], limits: &Limits) -> Result<Lettura, LetturaError> {
        let mut reader = Reader::new(bytes, limits);
        let principio = reader.checkpoint();
        let (trovata, inizio, elemento) = match reader.next()? {
            Token::Start { nome, inizio, .. } => {
                (Radice::of(nome), inizio, shown(nome.namespace, nome.locale))
            }
            // Before the outermost element the reader tells of nothing else.
            Token::Text(_) | Token::End { .. } | Token::Eof => (None, 0, String::new()),
        };
        match trovata {
            Some(Radice::Busta) => self.read_envelope(bytes, limits),
            Some(Radice::Richiesta(prestazione, operazione)) => {
                let mut reader = Reader::resume(bytes, &principio, limits);
                let lettura = self.pass((prestazione, operazione), &principio, &mut reader, bytes, None)?;
                // What follows the outermost element is looked at too: the reader refuses all but comments.
                reader.next()?;
                Ok(lettura)
            }
            None => Err(radice_ignota(bytes, inizio, &elemento)),
        }
    }

    fn read_envelope(&self, bytes: &[u8], limits: &Limits) -> Result<Lettura, LetturaError> {
        let Apertura::Aperta(envelope) = Envelope::open(bytes, true, limits)? else {
            // A finished message either opens or is refused; were it otherwise, there is nothing in it for us.
            return Err(radice_ignota(bytes, 0, "env:Envelope"));
        };
        let prestazione = PRESTAZIONI
            .iter()
            .copied()
            .find(|prestazione| prestazione.namespace == envelope.namespace);
        let Some(prestazione) = prestazione else {
            let elemento = shown(&envelope.namespace, &envelope.operazione);
            let mut errore = radice_ignota(bytes, 0, &elemento);
            if let LetturaError::Radice { violazione } = &mut errore {
                violazione.posizione = Some(envelope.posizione);
            }
            return Err(errore);
        };
        let operazione = envelope.operazione_di(prestazione)?;
        self.read(prestazione, operazione, &envelope, bytes, limits)
    }

    /// Reads a request element with `reader`, which stands at `principio`.
    fn pass(
        &self,
        (prestazione, operazione): (&'static Prestazione, Operazione),
        principio: &Checkpoint,
        reader: &mut Reader<'_>,
        bytes: &[u8],
        parti: Option<Parti>,
    ) -> Result<Lettura, LetturaError> {
        if let Some(tavole) = &self.tavole {
            let corsa = Corsa::new(tavole);
            let letta = Passata::new(&self.outline, (prestazione, operazione), corsa, bytes)
                .beside(parti.clone())
                .run(reader);
            match letta {
                Ok(lettura) if lettura.rilievi.is_empty() => return Ok(lettura),
                // Whatever it is, it is worded below.
                Ok(_) | Err(_) => reader.rewind(principio),
            }
        }
        let letta = with_authority(&self.outline, |authority| {
            let appunti = Appunti::default();
            let form = Form::new(&self.outline, Udienza::open(authority, &appunti), bytes);
            Passata::new(&self.outline, (prestazione, operazione), form, bytes)
                .beside(parti)
                .run(reader)
        })?;
        match letta {
            Ok(lettura) => Ok(Lettura {
                provata: false,
                ..lettura
            }),
            Err(Interrotta::Xml(errore)) => Err(errore.into()),
            Err(Interrotta::Dubbio(mai)) => match mai {},
        }
    }
}

impl fmt::Debug for Lettura {
    /// Without values: they are somebody's data.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lettura")
            .field("servizio", &self.prestazione.servizio)
            .field("operazione", &self.operazione)
            .field("digest", &self.digest)
            .field("contenuto_in_richiesta", &self.contenuto_in_richiesta)
            .field("rilievi", &self.rilievi)
            .finish_non_exhaustive()
    }
}

/// What a file begins with.
enum Radice {
    Busta,
    Richiesta(&'static Prestazione, Operazione),
}

impl Radice {
    fn of(nome: Nome<'_>) -> Option<Self> {
        // Of whatever version: the envelope's own reading knows what to say of it.
        if nome.locale == "Envelope" {
            return Some(Self::Busta);
        }
        let prestazione = PRESTAZIONI
            .iter()
            .copied()
            .find(|prestazione| prestazione.namespace == nome.namespace)?;
        let operazione = prestazione
            .by_elemento(nome.locale)
            .or_else(|| prestazione.by_nome(nome.locale))?;
        Some(Self::Richiesta(prestazione, operazione))
    }
}

fn radice_ignota(bytes: &[u8], inizio: usize, elemento: &str) -> LetturaError {
    let violazione = Violazione::at(Codice::Xsd050, format!("/{elemento}"))
        .with("elemento", elemento)
        .placed(crate::xml::posizione(bytes, inizio));
    LetturaError::Radice {
        violazione: Box::new(violazione),
    }
}

/// White space of XML.
fn is_spazio(carattere: char) -> bool {
    matches!(carattere, ' ' | '\t' | '\r' | '\n')
}

/// `testo` as `whiteSpace="collapse"` makes it, which all our simple types ask for.
fn collapsed(testo: &str) -> Cow<'_, str> {
    // One word, as most values are.
    if testo.bytes().all(|byte| byte > b' ') {
        return Cow::Borrowed(testo);
    }
    let testo = testo.trim_matches(is_spazio);
    let mut prima = b'.';
    let liscio = testo.bytes().all(|byte| {
        let tolto = is_spazio(char::from(byte)) && (byte != b' ' || prima == b' ');
        prima = byte;
        !tolto
    });
    if liscio {
        return Cow::Borrowed(testo);
    }
    let parole: Vec<&str> = testo
        .split(is_spazio)
        .filter(|parola| !parola.is_empty())
        .collect();
    Cow::Owned(parole.join(" "))
}
