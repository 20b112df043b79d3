//! The Content-Type of a multipart: RFC 2045 and RFC 9110 for its grammar, RFC 2387 and XOP 1.0 for what it must say.

use super::MtomError;
use crate::catalogo::Codice;
use crate::soap::SoapVersion;

/// Bounds on a multipart, each a named number of the configuration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Parts of a message, the envelope included.
    pub parti_max: usize,
    /// Bytes of the head of one part.
    pub parte_testata_bytes_max: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            parti_max: 32,
            parte_testata_bytes_max: 4096,
        }
    }
}

/// A multipart that was announced.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tipo {
    /// Which SOAP it says it brings; the envelope decides.
    pub versione: SoapVersion,
    /// `--` and the boundary.
    pub(super) delimitatore: Vec<u8>,
    /// The Content-ID of the root part, without angle brackets.
    pub(super) start: Option<String>,
    /// The media type of the root part.
    pub(super) radice: &'static str,
    pub(super) limits: Limits,
}

/// Why a Content-Type is not taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TipoErrato {
    /// It is none of ours: 415.
    NonAmmesso,
    /// It is MTOM's, and cannot be read.
    Errato(MtomError),
}

impl Tipo {
    /// Reads a Content-Type whose media type is `multipart/related`, of MTOM.
    pub fn parse(content_type: &str, limits: Limits) -> Result<Self, TipoErrato> {
        Self::parse_of(XOP_XML, content_type, limits)
    }

    /// The same of SOAP with Attachments (W3C note of 2000), whose root part is the envelope as it is. The other parts hang
    /// on nothing in it: they are kept with the message, and nobody reads them.
    pub fn with_attachments(content_type: &str, limits: Limits) -> Result<Self, TipoErrato> {
        Self::parse_of(TEXT_XML, content_type, limits)
    }

    fn parse_of(radice: &'static str, content_type: &str, limits: Limits) -> Result<Self, TipoErrato> {
        let errato = |motivo| TipoErrato::Errato(MtomError::new(Codice::Mtm001).with("motivo", motivo));
        let (tipo, parametri) = media_type(content_type).map_err(errato)?;
        let parametro = |cercato| {
            let mut trovati = parametri.iter().filter(|(nome, _)| nome == cercato);
            let valore = trovati.next().map(|(_, valore)| valore.as_str());
            if trovati.next().is_some() {
                Err(errato("un parametro è ripetuto"))
            } else {
                Ok(valore)
            }
        };
        // SOAP with attachments is no MTOM: its parts hang on nothing that the XSD knows.
        let quello = parametro("type")?.is_some_and(|tipo| tipo.eq_ignore_ascii_case(radice));
        if tipo != MULTIPART_RELATED || !quello {
            return Err(TipoErrato::NonAmmesso);
        }
        let versione = match parametro("start-info")? {
            _ if radice == TEXT_XML => SoapVersion::V11,
            None => SoapVersion::V12,
            // Some write the action of the request behind it.
            Some(info) => match info.split(';').next().unwrap_or_default().trim() {
                soap if soap.eq_ignore_ascii_case("application/soap+xml") => SoapVersion::V12,
                soap if soap.eq_ignore_ascii_case("text/xml") => SoapVersion::V11,
                _ => return Err(TipoErrato::NonAmmesso),
            },
        };
        let boundary = parametro("boundary")?.ok_or_else(|| errato("manca boundary"))?;
        if !is_boundary(boundary) {
            return Err(errato("boundary non è di 1-70 caratteri ammessi (RFC 2046)"));
        }
        let start = parametro("start")?.map(|start| {
            let dentro = start.strip_prefix('<').and_then(|id| id.strip_suffix('>'));
            dentro.unwrap_or(start).to_owned()
        });
        Ok(Self {
            versione,
            delimitatore: format!("--{boundary}").into_bytes(),
            start,
            radice,
            limits,
        })
    }
}

/// The media type of the root part, and what `type` says.
pub(super) const XOP_XML: &str = "application/xop+xml";
/// The same in SOAP with Attachments.
pub(super) const TEXT_XML: &str = "text/xml";
const MULTIPART_RELATED: &str = "multipart/related";

/// A media type in lower case, and its parameters by name in lower case.
pub(super) type TipoConParametri = (String, Vec<(String, String)>);

/// Reads a media type; else what is wrong with it.
pub(super) fn media_type(testo: &str) -> Result<TipoConParametri, &'static str> {
    let (tipo, mut resto) = testo.split_at(testo.find(';').unwrap_or(testo.len()));
    let tipo = tipo.trim();
    if !tipo
        .split_once('/')
        .is_some_and(|(tipo, sotto)| is_token(tipo) && is_token(sotto))
    {
        return Err("non è tipo/sottotipo");
    }
    let mut parametri = Vec::new();
    while let Some(dopo) = resto.trim_start().strip_prefix(';') {
        let dopo = dopo.trim_start();
        if dopo.is_empty() {
            // A semicolon that ends the field.
            return Ok((tipo.to_ascii_lowercase(), parametri));
        }
        let (nome, valore) = dopo.split_once('=').ok_or("un parametro non ha valore")?;
        if !is_token(nome.trim_end()) {
            return Err("il nome di un parametro è errato");
        }
        let valore = valore.trim_start();
        let (valore, dopo) = if let Some(dentro) = valore.strip_prefix('"') {
            quoted(dentro).ok_or("una virgoletta non è chiusa")?
        } else {
            let (valore, dopo) = valore.split_at(valore.find([';', ' ', '\t']).unwrap_or(valore.len()));
            // RFC 2045 asks for quotes around `/`, `=`, `:` and their like; many leave them out.
            if valore.is_empty() || valore.contains(['"', '\\']) {
                return Err("il valore di un parametro è errato");
            }
            (valore.to_owned(), dopo)
        };
        parametri.push((nome.trim_end().to_ascii_lowercase(), valore));
        resto = dopo;
    }
    if resto.trim().is_empty() {
        Ok((tipo.to_ascii_lowercase(), parametri))
    } else {
        Err("dopo il valore di un parametro c'è altro")
    }
}

/// A quoted string whose first quote was read, and what follows its last one.
fn quoted(testo: &str) -> Option<(String, &str)> {
    let mut valore = String::new();
    let mut caratteri = testo.char_indices();
    while let Some((i, c)) = caratteri.next() {
        match c {
            '"' => return Some((valore, &testo[i + 1..])),
            '\\' => valore.push(caratteri.next()?.1),
            c if c.is_control() => return None,
            c => valore.push(c),
        }
    }
    None
}

/// RFC 9110, 5.6.2.
pub(super) fn is_token(testo: &str) -> bool {
    !testo.is_empty()
        && testo
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b))
}

/// RFC 2046, 5.1.1; and what clients write beside it (`.NET`: `uuid:…+id=1`; SAAJ: `----=_Part_1_2.3`; CXF: `uuid:…`).
fn is_boundary(testo: &str) -> bool {
    (1..=70).contains(&testo.len())
        && !testo.ends_with(' ')
        && testo
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"'()+_,-./:=? @".contains(&b))
}
