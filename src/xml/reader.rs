//! The pull reader: document order, one token at a time, nothing kept but the open elements and their namespaces.
//!
//! What most of a message is made of (a tag with plain attributes or none, the end tag that belongs to it, text without anything
//! to resolve or to look twice at) is read by [`Reader::corto`], and all else, as soon as one byte of it is seen, by
//! the delimiter with its checks. The two read the same: the messages of `schema::compiled::tests` are cut both ways.

use std::borrow::Cow;

use quick_xml::Reader as Delimiter;
use quick_xml::errors::{Error, IllFormedError};
use quick_xml::events::Event;

use super::corto;
use super::lessico::{
    Guasto, altra_codifica, check_caratteri, check_dichiarazione, dopo_bom, fine_riga, is_ncname, is_spazio,
    mostra, risolvi,
};
use super::stato::{Aperto, Checkpoint, Stato};
use super::tag::{self, Apertura, Attributi, Grezzo};
use super::{Limits, Nome, Token, XmlError};
use crate::catalogo::Codice;
use crate::domanda::Posizione;

/// Reads a message, or the beginning of one.
#[derive(Debug)]
pub struct Reader<'a> {
    bytes: &'a [u8],
    /// `bytes` as far as they are UTF-8.
    testo: &'a str,
    /// Whether the byte after `testo` can never become UTF-8 (else the message may be cut inside a character).
    guasto_utf8: bool,
    delimiter: Delimiter<&'a [u8]>,
    /// Where the delimiter began to read.
    base: usize,
    limiti: Limits,
    inizio: usize,
    fine: usize,
    stato: Stato,
    attributi: Vec<Grezzo<'a>>,
    guasto: Option<XmlError>,
    /// All is read by the delimiter.
    #[cfg(test)]
    lento: bool,
}

/// A token without the reader's own data.
enum Passo<'a> {
    Start(Apertura<'a>),
    End(Aperto),
    Text(Cow<'a, str>),
    Eof,
}

impl<'a> Reader<'a> {
    /// A reader at the start of a message.
    #[must_use]
    pub fn new(bytes: &'a [u8], limiti: &Limits) -> Self {
        let mut reader = Self::at(bytes, dopo_bom(bytes), Stato::new(), limiti);
        if let Some(codifica) = altra_codifica(bytes) {
            reader.fail(Guasto::new(Codice::Env003, 0).with("codifica", codifica));
        }
        reader
    }

    /// A reader that goes on where another stopped. `bytes` are the same message, at least as far as the checkpoint
    /// was taken and unchanged up to there.
    #[must_use]
    pub fn resume(bytes: &'a [u8], checkpoint: &Checkpoint, limiti: &Limits) -> Self {
        Self::at(
            bytes,
            checkpoint.offset.min(bytes.len()),
            checkpoint.stato.clone(),
            limiti,
        )
    }

    fn at(bytes: &'a [u8], offset: usize, stato: Stato, limiti: &Limits) -> Self {
        let (testo, guasto_utf8) = match std::str::from_utf8(bytes) {
            Ok(testo) => (testo, false),
            Err(errore) => {
                let testo = std::str::from_utf8(&bytes[..errore.valid_up_to()]).unwrap_or_default();
                (testo, errore.error_len().is_some())
            }
        };
        // A checkpoint taken in other bytes could stand inside a character: then nothing is read, and refused.
        let testo = if testo.is_char_boundary(offset) { testo } else { "" };
        let base = offset.min(testo.len());
        let mut stato = stato;
        stato.aperti.reserve(ANNIDATI_SOLITI);
        Self {
            bytes,
            testo,
            guasto_utf8,
            delimiter: delimit(testo, base),
            base,
            limiti: limiti.clone(),
            inizio: offset,
            fine: offset,
            stato,
            attributi: Vec::new(),
            guasto: None,
            #[cfg(test)]
            lento: false,
        }
    }

    /// The same, with nothing read but by the delimiter: what the short way is held to.
    #[cfg(test)]
    pub(crate) fn lento(self) -> Self {
        Self { lento: true, ..self }
    }

    /// Goes back to where a checkpoint of this same reader was taken, whatever came since.
    pub fn rewind(&mut self, checkpoint: &Checkpoint) {
        *self = Self::resume(self.bytes, checkpoint, &self.limiti.clone());
    }

    /// The next token. After an error the same error comes again.
    #[expect(
        clippy::should_implement_trait,
        reason = "a token lends from the reader, an Iterator's item cannot"
    )]
    #[inline]
    pub fn next(&mut self) -> Result<Token<'_>, XmlError> {
        if let Some(guasto) = &self.guasto {
            return Err(guasto.clone());
        }
        self.stato.legami.truncate(self.stato.legami_in_vigore);
        let passo = match self.passo() {
            Ok(passo) => passo,
            Err(guasto) => return Err(self.fail(guasto)),
        };
        Ok(match passo {
            Passo::Start(apertura) => Token::Start {
                nome: Nome {
                    namespace: self.stato.legami.namespace(apertura.legame),
                    locale: apertura.locale,
                },
                attributi: Attributi {
                    grezzi: &self.attributi,
                    legami: &self.stato.legami,
                },
                vuoto: apertura.vuoto,
                inizio: self.inizio,
            },
            Passo::End(aperto) => Token::End {
                nome: Nome {
                    namespace: self.stato.legami.namespace(aperto.legame),
                    locale: &self.testo[aperto.locale..aperto.nome.1],
                },
                fine: self.fine,
            },
            Passo::Text(testo) => Token::Text(testo),
            Passo::Eof => Token::Eof,
        })
    }

    /// Offset of the last token's first byte.
    #[must_use]
    pub fn offset(&self) -> usize {
        self.inizio
    }

    /// Offset after the last token's last byte.
    #[must_use]
    pub fn end_offset(&self) -> usize {
        self.fine
    }

    /// Line and column of the last token's start. Asked in document order, the whole message is counted once.
    pub fn posizione(&mut self) -> Posizione {
        self.stato.cursore.posizione(self.bytes, self.inizio)
    }

    /// Line and column of the last token's first byte that is no space: where a text that should not be there hurts.
    pub fn posizione_testo(&mut self) -> Posizione {
        let token = &self.bytes[self.inizio..self.fine];
        let spazi = token.iter().position(|&b| !is_spazio(b)).unwrap_or(0);
        self.stato.cursore.posizione(self.bytes, self.inizio + spazi)
    }

    /// Line and column of the byte after the last token.
    pub fn posizione_dopo(&mut self) -> Posizione {
        self.stato.cursore.posizione(self.bytes, self.fine)
    }

    /// How many elements are open.
    #[must_use]
    pub fn depth(&self) -> usize {
        self.stato.aperti.len()
    }

    /// Lets the text of the element that is open be longer than `text_bytes_max`: the base64 content of an
    /// attachment, which only the bound of the whole message holds.
    pub fn lift_text_bound(&mut self) {
        if let Some(aperto) = self.stato.aperti.last_mut() {
            aperto.testo_lungo = true;
        }
    }

    /// The place before the next token.
    #[must_use]
    pub fn checkpoint(&self) -> Checkpoint {
        let mut stato = self.stato.clone();
        stato.legami.truncate(stato.legami_in_vigore);
        Checkpoint {
            offset: self.fine,
            stato,
        }
    }

    #[cold]
    fn fail(&mut self, guasto: Guasto) -> XmlError {
        let guasto = XmlError {
            codice: guasto.codice,
            posizione: self.stato.cursore.posizione(self.bytes, guasto.offset),
            argomenti: guasto.argomenti,
            incompleto: guasto.incompleto,
        };
        self.guasto = Some(guasto.clone());
        guasto
    }

    #[inline]
    fn passo(&mut self) -> Result<Passo<'a>, Guasto> {
        loop {
            self.inizio = self.fine;
            if std::mem::take(&mut self.stato.vuoto) {
                return self.chiudi();
            }
            if let Some(passo) = self.corto() {
                return Ok(passo);
            }
            if let Some(passo) = self.lungo()? {
                return Ok(passo);
            }
        }
    }

    /// What comes next, by the delimiter; `None` of what is left out.
    #[cold]
    #[inline(never)]
    fn lungo(&mut self) -> Result<Option<Passo<'a>>, Guasto> {
        let resto = &self.testo[self.inizio..];
        match resto.as_bytes() {
            [] => return self.esaurito().map(Some),
            [b'<', ..] => self.check_markup(resto)?,
            [b'&', ..] => {}
            // Never the delimiter's: where it begins to read it swallows every U+FEFF.
            _ => return self.testo_lungo(resto),
        }
        if self.posto_del_delimiter() != self.inizio {
            (self.delimiter, self.base) = (delimit(self.testo, self.inizio), self.inizio);
        }
        let evento = self.delimiter.read_event();
        self.fine = self.posto_del_delimiter();
        let tutto = || &self.testo[self.inizio..self.fine];
        match evento {
            Ok(Event::Start(_) | Event::Empty(_)) => {
                return self.apri(tutto()).map(|apertura| Some(Passo::Start(apertura)));
            }
            Ok(Event::End(_)) => {
                self.check_fine(tutto())?;
                return self.chiudi().map(Some);
            }
            Ok(Event::CData(_)) => {
                let testo = tutto();
                let dentro = &testo["<![CDATA[".len()..testo.len() - "]]>".len()];
                self.check_in_radice()?;
                check_caratteri(dentro, self.inizio + "<![CDATA[".len())?;
                self.conta_testo(dentro.len())?;
                return Ok(Some(Passo::Text(fine_riga(dentro))));
            }
            Ok(Event::GeneralRef(_)) => {
                self.check_in_radice()?;
                let (c, lungo) = risolvi(tutto(), self.inizio)?;
                self.conta_testo(lungo)?;
                return Ok(Some(Passo::Text(Cow::Owned(c.to_string()))));
            }
            Ok(Event::Comment(_)) => self.check_commento(tutto())?,
            Ok(Event::Decl(_)) => check_dichiarazione(tutto(), self.inizio)?,
            Ok(Event::Eof) => return self.esaurito().map(Some),
            // Looked for before the delimiter reads; here, so that no change of it lets them pass.
            Ok(Event::DocType(_)) => return Err(Guasto::new(Codice::Env006, self.inizio)),
            Ok(Event::PI(_)) => return Err(Guasto::new(Codice::Env007, self.inizio)),
            Err(Error::Syntax(_)) => return Err(self.markup_aperto(resto)),
            Err(Error::IllFormed(IllFormedError::UnclosedReference)) => {
                return Err(self.riferimento_aperto(resto));
            }
            Ok(Event::Text(_)) | Err(_) => {
                return Err(Guasto::new(Codice::Env009, self.inizio).with("motivo", "markup errato"));
            }
        }
        Ok(None)
    }

    /// Text up to the next tag or reference; `None` of what lies outside the root.
    fn testo_lungo(&mut self, resto: &'a str) -> Result<Option<Passo<'a>>, Guasto> {
        let lungo = memchr::memchr2(b'<', b'&', resto.as_bytes()).unwrap_or(resto.len());
        self.fine = self.inizio + lungo;
        let in_radice = !self.stato.aperti.is_empty();
        let letto = self.testo(&resto[..lungo])?;
        if in_radice && lungo == resto.len() {
            return Err(self.troncato());
        }
        Ok(in_radice.then_some(Passo::Text(letto)))
    }

    /// The next token, if it is of the plainest kind and there is nothing wrong with it.
    #[inline]
    fn corto(&mut self) -> Option<Passo<'a>> {
        #[cfg(test)]
        if self.lento {
            return None;
        }
        match &self.testo.as_bytes()[self.inizio..] {
            [b'<', b'/', dopo @ ..] => self.fine_corta(dopo),
            [b'<', dopo @ ..] => self.tag_corto(dopo),
            resto => self.testo_corto(resto),
        }
    }

    /// The end tag of the open element, without a space.
    #[inline]
    fn fine_corta(&mut self, dopo: &[u8]) -> Option<Passo<'a>> {
        let (da, a) = self.stato.aperti.last()?.nome;
        let nome = &self.testo.as_bytes()[da..a];
        if dopo.strip_prefix(nome)?.first() != Some(&b'>') {
            return None;
        }
        self.fine = self.inizio + nome.len() + b"</>".len();
        self.chiudi().ok()
    }

    /// A start tag inside an element, with plain attributes or none, that binds no prefix.
    #[inline]
    fn tag_corto(&mut self, dopo: &[u8]) -> Option<Passo<'a>> {
        let (lungo, locale) = corto::nome(dopo)?;
        self.attributi.clear();
        let mut fine = lungo;
        if dopo.get(lungo) == Some(&b' ') {
            fine = corto::attributi(
                &self.testo[self.inizio + 1..],
                lungo,
                self.inizio + 1,
                &self.stato.legami,
                &mut self.attributi,
                &self.limiti,
            )?;
        }
        let vuoto = match &dopo[fine..] {
            [b'>', ..] => false,
            [b'/', b'>', ..] => true,
            _ => return None,
        };
        let nome = self.inizio + 1;
        let qname = &self.testo[nome..nome + lungo];
        let (prefisso, locale) = corto::parti(qname, locale);
        let legame = self.stato.legami.cerca(prefisso)?;
        let aperti = self.stato.aperti.len();
        if lungo > self.limiti.name_bytes_max
            || aperti == 0
            || aperti >= self.limiti.depth_max
            || self.stato.elementi >= self.limiti.elements_max
            || prefisso == "xmlns"
        {
            return None;
        }
        self.fine = nome + fine + if vuoto { 2 } else { 1 };
        let apertura = Apertura {
            qname,
            locale,
            legame,
            vuoto,
        };
        self.aperto(&apertura, self.stato.legami.len());
        Some(Passo::Start(apertura))
    }

    /// Text with nothing in it to look at twice, up to the next tag.
    #[inline]
    fn testo_corto(&mut self, resto: &[u8]) -> Option<Passo<'a>> {
        let aperto = self.stato.aperti.last_mut()?;
        let lungo = resto.iter().position(|byte| !corto::LISCI[usize::from(*byte)])?;
        let testo_bytes = aperto.testo_bytes + lungo;
        if lungo == 0
            || resto[lungo] != b'<'
            || testo_bytes > self.limiti.text_bytes_max && !aperto.testo_lungo
        {
            return None;
        }
        aperto.testo_bytes = testo_bytes;
        self.fine = self.inizio + lungo;
        Some(Passo::Text(Cow::Borrowed(&self.testo[self.inizio..self.fine])))
    }

    fn posto_del_delimiter(&self) -> usize {
        // The offset fits: it is one of a slice in memory.
        self.base + usize::try_from(self.delimiter.buffer_position()).unwrap_or(usize::MAX)
    }

    /// Looks at markup of which perhaps only the beginning is there: what is refused is refused at once.
    fn check_markup(&self, resto: &str) -> Result<(), Guasto> {
        let errato = |codice| Err(Guasto::new(codice, self.inizio));
        match resto.as_bytes() {
            [_] => Err(self.troncato()),
            [_, b'?', ..] => {
                let al_principio = self.inizio == dopo_bom(self.bytes) && self.stato.elementi == 0;
                match resto
                    .strip_prefix("<?xml")
                    .map(|dopo| dopo.as_bytes().first().copied())
                {
                    Some(None) if al_principio => Err(self.troncato()),
                    Some(Some(b)) if is_spazio(b) || b == b'?' => {
                        if al_principio {
                            Ok(())
                        } else {
                            errato(Codice::Env008)
                        }
                    }
                    None if al_principio && "<?xml".starts_with(resto) => Err(self.troncato()),
                    _ => errato(Codice::Env007),
                }
            }
            [_, b'!', ..] => {
                const AMMESSI: [&str; 2] = ["<!--", "<![CDATA["];
                if AMMESSI.iter().any(|ammesso| resto.starts_with(ammesso)) {
                    Ok(())
                } else if AMMESSI.iter().any(|ammesso| ammesso.starts_with(resto)) {
                    Err(self.troncato())
                } else if matches!(resto.as_bytes()[2], b'D' | b'd') {
                    errato(Codice::Env006)
                } else {
                    Err(Guasto::new(Codice::Env009, self.inizio).with("motivo", "markup <! sconosciuto"))
                }
            }
            [_, b'/', ..] => Ok(()),
            _ => {
                let inizia = resto[1..]
                    .chars()
                    .next()
                    .is_some_and(|c| c == ':' || is_ncname(c.encode_utf8(&mut [0; 4])));
                if inizia {
                    Ok(())
                } else {
                    Err(Guasto::new(Codice::Env009, self.inizio).with("motivo", "dopo < manca un nome"))
                }
            }
        }
    }

    fn apri(&mut self, tutto: &'a str) -> Result<Apertura<'a>, Guasto> {
        if self.stato.aperti.is_empty() && self.stato.elementi > 0 {
            return Err(Guasto::new(Codice::Env019, self.inizio));
        }
        if self.stato.aperti.len() >= self.limiti.depth_max {
            return Err(Guasto::new(Codice::Env020, self.inizio).with("limite", self.limiti.depth_max));
        }
        if self.stato.elementi >= self.limiti.elements_max {
            return Err(Guasto::new(Codice::Env026, self.inizio).with("limite", self.limiti.elements_max));
        }
        let legami_prima = self.stato.legami.len();
        let apertura = tag::leggi(
            tutto,
            self.inizio,
            &mut self.stato.legami,
            &mut self.attributi,
            &self.limiti,
        )?;
        self.aperto(&apertura, legami_prima);
        Ok(apertura)
    }

    /// Takes up an element that begins here, before whose own bindings there were so many.
    #[inline]
    fn aperto(&mut self, apertura: &Apertura<'_>, legami_prima: usize) {
        let nome = self.inizio + 1;
        let fine_nome = nome + apertura.qname.len();
        self.stato.elementi += 1;
        self.stato.legami_in_vigore = self.stato.legami.len();
        self.stato.vuoto = apertura.vuoto;
        self.stato.aperti.push(Aperto {
            nome: (nome, fine_nome),
            locale: fine_nome - apertura.locale.len(),
            legame: apertura.legame,
            legami_prima,
            testo_bytes: 0,
            testo_lungo: false,
        });
    }

    #[inline]
    fn chiudi(&mut self) -> Result<Passo<'a>, Guasto> {
        let aperto = self
            .stato
            .aperti
            .pop()
            .ok_or_else(|| Guasto::new(Codice::Env019, self.inizio))?;
        self.stato.legami_in_vigore = aperto.legami_prima;
        Ok(Passo::End(aperto))
    }

    fn check_fine(&self, tutto: &str) -> Result<(), Guasto> {
        let Some(aperto) = self.stato.aperti.last() else {
            return Err(Guasto::new(Codice::Env019, self.inizio));
        };
        let trovato = tutto[2..tutto.len() - 1].trim_end_matches([' ', '\t', '\r', '\n']);
        let atteso = self.nome(aperto);
        if trovato == atteso {
            Ok(())
        } else {
            Err(Guasto::new(Codice::Env010, self.inizio)
                .with("atteso", mostra(atteso))
                .with("trovato", mostra(trovato)))
        }
    }

    fn check_commento(&self, tutto: &str) -> Result<(), Guasto> {
        let errato = |i: usize| Guasto::new(Codice::Env018, self.inizio + i);
        let dentro = tutto.get(4..tutto.len() - 3).ok_or_else(|| errato(0))?;
        check_caratteri(dentro, self.inizio + 4)?;
        match dentro.find("--") {
            Some(i) => Err(errato(4 + i)),
            None if dentro.ends_with('-') => Err(errato(3 + dentro.len())),
            None => Ok(()),
        }
    }

    /// Takes up text that stands at `inizio`.
    fn testo(&mut self, testo: &'a str) -> Result<Cow<'a, str>, Guasto> {
        if self.stato.aperti.is_empty() {
            return match testo.bytes().position(|b| !is_spazio(b)) {
                None => Ok(Cow::Borrowed("")),
                Some(i) => Err(Guasto::new(Codice::Env019, self.inizio + i)),
            };
        }
        check_caratteri(testo, self.inizio)?;
        if let Some(i) = testo.as_bytes().windows(3).position(|tre| tre == b"]]>") {
            return Err(Guasto::new(Codice::Env017, self.inizio + i));
        }
        self.conta_testo(testo.len())?;
        Ok(fine_riga(testo))
    }

    fn conta_testo(&mut self, bytes: usize) -> Result<(), Guasto> {
        let Some(aperto) = self.stato.aperti.last_mut() else {
            return Ok(());
        };
        aperto.testo_bytes = aperto.testo_bytes.saturating_add(bytes);
        if aperto.testo_lungo || aperto.testo_bytes <= self.limiti.text_bytes_max {
            return Ok(());
        }
        let aperto = *aperto;
        Err(Guasto::new(Codice::Env025, self.inizio)
            .with("elemento", mostra(self.nome(&aperto)))
            .with("limite", self.limiti.text_bytes_max))
    }

    fn check_in_radice(&self) -> Result<(), Guasto> {
        if self.stato.aperti.is_empty() {
            Err(Guasto::new(Codice::Env019, self.inizio))
        } else {
            Ok(())
        }
    }

    fn nome(&self, aperto: &Aperto) -> &'a str {
        &self.testo[aperto.nome.0..aperto.nome.1]
    }

    /// No more text to read.
    fn esaurito(&self) -> Result<Passo<'a>, Guasto> {
        let intero = self.stato.aperti.is_empty() && self.stato.elementi > 0;
        if intero && self.testo.len() == self.bytes.len() {
            Ok(Passo::Eof)
        } else {
            Err(self.troncato())
        }
    }

    /// The text ends inside something: because a byte is no UTF-8, or because more of the message is to come.
    fn troncato(&self) -> Guasto {
        if self.guasto_utf8 {
            let byte = self.bytes.get(self.testo.len()).copied().unwrap_or_default();
            return Guasto::new(Codice::Env004, self.testo.len()).with("byte", format!("{byte:02X}"));
        }
        let vuoto = self.stato.elementi == 0 && self.testo[self.inizio..].bytes().all(is_spazio);
        let guasto = match self.stato.aperti.last() {
            _ if vuoto => Guasto::new(Codice::Env001, self.testo.len()),
            None => Guasto::new(Codice::Env002, self.testo.len()).with("dove", "prima della fine di un tag"),
            Some(aperto) => Guasto::new(Codice::Env002, self.testo.len())
                .with("dove", format!("dentro l'elemento {}", mostra(self.nome(aperto)))),
        };
        Guasto {
            incompleto: true,
            ..guasto
        }
    }

    /// Markup at `inizio` that does not end: refused if more bytes cannot mend it.
    fn markup_aperto(&self, resto: &str) -> Guasto {
        // Comments and CDATA may hold anything; a tag holds no further `<`, which tells of a forgotten `>` or quote.
        let di_tag = !resto.starts_with("<!") && !resto.starts_with("<?");
        match resto[1..].find('<') {
            Some(i) if di_tag => Guasto::new(Codice::Env015, self.inizio + 1 + i)
                .with("motivo", "carattere < dentro un tag: manca > o una virgoletta"),
            _ => self.troncato(),
        }
    }

    /// A reference at `inizio` without its `;`.
    fn riferimento_aperto(&self, resto: &'a str) -> Guasto {
        let nome = &resto[1..];
        let possibile = nome.len() <= self.limiti.name_bytes_max
            && (nome.is_empty()
                || is_ncname(nome)
                || nome
                    .strip_prefix('#')
                    .is_some_and(|cifre| cifre.bytes().all(|b| b.is_ascii_alphanumeric())));
        if possibile && !self.stato.aperti.is_empty() {
            self.troncato()
        } else {
            Guasto::new(Codice::Env016, self.inizio).with("riferimento", "&")
        }
    }
}

/// A delimiter that begins to read at `offset`.
fn delimit(testo: &str, offset: usize) -> Delimiter<&[u8]> {
    let mut delimiter = Delimiter::from_reader(&testo.as_bytes()[offset..]);
    let config = delimiter.config_mut();
    // Ends are matched here, over checkpoints too; comments are looked at here.
    config.check_end_names = false;
    config.allow_unmatched_ends = true;
    config.trim_markup_names_in_closing_tags = false;
    delimiter
}

/// Elements that are inside each other in most messages.
const ANNIDATI_SOLITI: usize = 8;
