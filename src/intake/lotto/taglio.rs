//! A lot cut into its items while its bytes come. It promises to keep no more than one item and what came with it, to
//! look at each byte a bounded number of times, and to say of every item where it stands in the sender's file. It refuses
//! what is not well-formed (through [`crate::xml`]) and an item that is longer than its bound; what is in an item is not
//! its business.

use std::collections::VecDeque;
use std::ops::Range;

use crate::catalogo::Codice;
use crate::domanda::sha256::Sha256;
use crate::domanda::{Posizione, Violazione};
use crate::prestazione::{Operazione, Prestazione};
use crate::soap::SoapVersion;
use crate::xml::{Checkpoint, Limits, Nome, Reader, Token, XmlError, is_bianco, posizione};

/// The element of a lot, in the namespace of its service.
pub const LOTTO: &str = "Lotto";

/// The child of `InviaLotto` that holds a lot as a file.
const FILE: &str = "File";

/// The beginning of a lot: all bytes up to its first item, with every prefix that its items may use.
#[derive(Debug, Clone)]
pub struct Testa {
    /// From the first byte of the message or file to the end of the start tag of `Lotto`.
    byte: Vec<u8>,
    /// Where that start tag begins.
    lotto_da: usize,
    /// Where the start tag of `InviaLotto` begins; 0 in a file.
    richiesta_da: usize,
    /// Behind that start tag.
    dopo: Checkpoint,
    /// Line and column there.
    luogo: Posizione,
    prestazione: &'static Prestazione,
}

/// The beginning of a request that brings a file.
#[derive(Debug, Clone, Copy)]
pub struct TestaFile {
    /// Behind the start tag of `File`.
    pub dopo: usize,
    file_da: usize,
    richiesta_da: usize,
}

impl TestaFile {
    /// The request as it would be with an empty file (see [`Testa::emptied`]).
    #[must_use]
    pub fn emptied(self, bytes: &[u8]) -> Vec<u8> {
        closed(&bytes[..self.dopo], [self.file_da, self.richiesta_da])
    }
}

/// What the beginning of a request `InviaLotto` turned out to be.
#[derive(Debug)]
pub enum Principio {
    /// Right so far; more bytes are needed.
    ServeAltro,
    /// The lot stands in the message.
    Lotto(Testa),
    /// The lot is a file.
    File(TestaFile),
    /// Neither: read as any other request, it says what is wrong with it.
    Altro,
}

impl Testa {
    /// Looks into a message whose body child is `InviaLotto` and begins at `corpo`.
    pub fn in_busta(
        bytes: &[u8],
        corpo: &Checkpoint,
        prestazione: &'static Prestazione,
        limits: &Limits,
    ) -> Result<Principio, XmlError> {
        let mut reader = Reader::resume(bytes, corpo, limits);
        let mut profondita = 0;
        let mut richiesta_da = 0;
        loop {
            match reader.next() {
                Ok(Token::Start { nome, inizio, .. }) => {
                    let figlio = profondita == 1 && nome.namespace == prestazione.namespace;
                    match nome.locale {
                        LOTTO if figlio => {
                            let testa = Self::ending(bytes, inizio, &reader, prestazione);
                            return Ok(Principio::Lotto(Self {
                                richiesta_da,
                                ..testa
                            }));
                        }
                        FILE if figlio => {
                            return Ok(Principio::File(TestaFile {
                                dopo: reader.end_offset(),
                                file_da: inizio,
                                richiesta_da,
                            }));
                        }
                        "ChiaveInvio" if figlio => {}
                        _ if profondita == 0 => richiesta_da = inizio,
                        _ => return Ok(Principio::Altro),
                    }
                    profondita += 1;
                }
                Ok(Token::End { .. }) if profondita <= 1 => return Ok(Principio::Altro),
                Ok(Token::End { .. }) => profondita -= 1,
                Ok(Token::Text(_)) => {}
                Ok(Token::Eof) => return Ok(Principio::Altro),
                Err(errore) if errore.is_incomplete() => return Ok(Principio::ServeAltro),
                Err(errore) => return Err(errore),
            }
        }
    }

    /// Looks at the beginning of what is kept of a lot: a file with the root `Lotto`, or a message that was taken in.
    /// `None`: more bytes are needed.
    pub fn find(
        bytes: &[u8],
        finito: bool,
        prestazione: &'static Prestazione,
        limits: &Limits,
    ) -> Result<Option<Self>, Box<Violazione>> {
        let mut reader = Reader::new(bytes, limits);
        let mut busta = false;
        loop {
            match reader.next() {
                Ok(Token::Start {
                    nome,
                    attributi,
                    inizio,
                    ..
                }) => {
                    if nome.is(prestazione.namespace, LOTTO) {
                        // The XSD knows none here; those of XML Schema itself mean nothing to us.
                        let straneo = attributi
                            .iter()
                            .find(|attributo| attributo.nome.namespace != XSI)
                            .map(|attributo| attributo.nome.to_string());
                        if let Some(attributo) = straneo {
                            let violazione = Violazione::at(Codice::Xsd030, percorso(prestazione))
                                .with("attributo", attributo)
                                .with("elemento", etichetta(prestazione, LOTTO));
                            return Err(Box::new(violazione.placed(posizione(bytes, inizio))));
                        }
                        return Ok(Some(Self::ending(bytes, inizio, &reader, prestazione)));
                    }
                    let e_busta = [SoapVersion::V12, SoapVersion::V11]
                        .into_iter()
                        .any(|versione| nome.is(versione.namespace(), "Envelope"));
                    if !busta && !e_busta {
                        let violazione = Violazione::at(Codice::Lot014, "")
                            .with("trovato", mostra(nome))
                            .with("atteso", etichetta(prestazione, LOTTO));
                        return Err(Box::new(violazione.placed(posizione(bytes, inizio))));
                    }
                    busta = true;
                }
                Ok(Token::End { .. } | Token::Text(_)) => {}
                Ok(Token::Eof) => {
                    let violazione = Violazione::at(Codice::Lot014, "")
                        .with("trovato", "una busta senza lotto")
                        .with("atteso", etichetta(prestazione, LOTTO));
                    return Err(Box::new(violazione));
                }
                Err(errore) if errore.is_incomplete() && !finito => return Ok(None),
                Err(errore) => return Err(Box::new(errore.violazione())),
            }
        }
    }

    fn ending(bytes: &[u8], lotto_da: usize, reader: &Reader<'_>, prestazione: &'static Prestazione) -> Self {
        let dopo = reader.checkpoint();
        let fine = dopo.offset();
        Self {
            byte: bytes[..fine].to_vec(),
            lotto_da,
            richiesta_da: 0,
            luogo: posizione(bytes, fine),
            dopo,
            prestazione,
        }
    }

    /// How many bytes it has.
    #[must_use]
    pub fn len(&self) -> usize {
        self.byte.len()
    }

    /// It never is: a start tag is in it.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.byte.is_empty()
    }

    /// Where the start tag of `Lotto` begins.
    #[must_use]
    pub fn lotto_da(&self) -> usize {
        self.lotto_da
    }

    /// Whether it stands in a message, not in a file.
    #[must_use]
    pub fn in_message(&self) -> bool {
        self.dopo.depth() > 1
    }

    /// Line and column behind it.
    #[must_use]
    pub fn luogo(&self) -> Posizione {
        self.luogo
    }

    /// The request as it would be with an empty lot, for who reads its beginning against the XSD: the bytes are the
    /// sender's own up to the start tag of `Lotto`, so every place is right.
    #[must_use]
    pub fn emptied(&self) -> Vec<u8> {
        closed(&self.byte, [self.lotto_da, self.richiesta_da])
    }
}

/// These bytes, with the elements closed whose start tags begin there.
fn closed(bytes: &[u8], aperti: [usize; 2]) -> Vec<u8> {
    let mut chiusi = bytes.to_vec();
    // A start tag that is an end tag as well wants no other.
    let gia_chiuso = bytes.ends_with(b"/>");
    for inizio in aperti.into_iter().skip(usize::from(gia_chiuso)) {
        chiusi.extend_from_slice(b"</");
        chiusi.extend_from_slice(nome_del_tag(&bytes[inizio..]));
        chiusi.push(b'>');
    }
    chiusi
}

/// The qualified name of the start tag that begins `bytes`.
fn nome_del_tag(bytes: &[u8]) -> &[u8] {
    let nome = &bytes[1..];
    let fine = nome
        .iter()
        .position(|byte| matches!(byte, b' ' | b'\t' | b'\r' | b'\n' | b'/' | b'>'));
    &nome[..fine.unwrap_or(nome.len())]
}

/// Prefixes of a lot around one item: a document of its own, a lot of one, in which every prefix means what it means in
/// the whole.
#[derive(Debug, Clone)]
pub struct Involucro {
    apre: Vec<u8>,
    chiude: Vec<u8>,
    dopo: Checkpoint,
    /// Line and column of an item.
    luogo: Posizione,
}

impl Involucro {
    /// Of the items behind this beginning.
    #[must_use]
    pub fn of(testa: &Testa) -> Self {
        let legami: Vec<_> = testa.dopo.namespaces().collect();
        // A name that no item can have meant.
        let mut prefisso = "lotto".to_owned();
        while legami.iter().any(|(altro, _)| *altro == prefisso) {
            prefisso.push('o');
        }
        let mut apre = format!(
            "<{prefisso}:{LOTTO} xmlns:{prefisso}=\"{}\"",
            testa.prestazione.namespace
        );
        for (prefisso, namespace) in legami {
            match prefisso {
                "xml" => continue,
                "" if namespace.is_empty() => continue,
                "" => apre.push_str(" xmlns=\""),
                _ => {
                    apre.push_str(" xmlns:");
                    apre.push_str(prefisso);
                    apre.push_str("=\"");
                }
            }
            for c in namespace.chars() {
                match c {
                    '&' => apre.push_str("&amp;"),
                    '<' => apre.push_str("&lt;"),
                    '"' => apre.push_str("&quot;"),
                    '\t' => apre.push_str("&#9;"),
                    '\n' => apre.push_str("&#10;"),
                    '\r' => apre.push_str("&#13;"),
                    _ => apre.push(c),
                }
            }
            apre.push('"');
        }
        apre.push('>');
        let limits = Limits {
            attributes_max: usize::MAX,
            bindings_max: usize::MAX,
            attribute_value_bytes_max: usize::MAX,
            ..Limits::default()
        };
        let mut reader = Reader::new(apre.as_bytes(), &limits);
        // What was just written is one start tag.
        let _ = reader.next();
        Self {
            dopo: reader.checkpoint(),
            chiude: format!("</{prefisso}:{LOTTO}>").into_bytes(),
            luogo: posizione(apre.as_bytes(), apre.len()),
            apre: apre.into_bytes(),
        }
    }

    /// The lot of one.
    #[must_use]
    pub fn around(&self, elemento: &[u8]) -> Vec<u8> {
        [&self.apre[..], elemento, &self.chiude[..]].concat()
    }

    /// Before the item.
    #[must_use]
    pub fn dopo(&self) -> &Checkpoint {
        &self.dopo
    }

    /// From places in the lot of one to places in the sender's file, of an item that begins there.
    #[must_use]
    pub fn shift(&self, luogo: Posizione) -> Spostamento {
        Spostamento {
            da: self.luogo,
            a: luogo,
        }
    }
}

/// From places in one text to places in another, of which the one is a cut.
#[derive(Debug, Clone, Copy)]
pub struct Spostamento {
    da: Posizione,
    a: Posizione,
}

impl Spostamento {
    /// Where a place of the cut stands in the whole.
    #[must_use]
    pub fn of(self, posizione: Posizione) -> Posizione {
        if posizione.riga <= self.da.riga {
            Posizione {
                riga: self.a.riga,
                colonna: (self.a.colonna + posizione.colonna)
                    .saturating_sub(self.da.colonna)
                    .max(1),
            }
        } else {
            Posizione {
                riga: self.a.riga + (posizione.riga - self.da.riga),
                colonna: posizione.colonna,
            }
        }
    }
}

/// An item, as it was cut out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Elemento {
    /// Its bytes, in [`Taglio::slice`].
    byte: Range<usize>,
    /// Where it begins in the sender's file.
    pub luogo: Posizione,
    /// The name of an element that cannot stand in a lot.
    pub straniero: Option<String>,
    /// Offset behind it, in the whole.
    pub dopo_byte: u64,
    /// Line and column behind it.
    pub dopo: Posizione,
}

/// What came of looking for the next item.
#[derive(Debug)]
pub enum Prossimo {
    /// One.
    Elemento(Elemento),
    /// More bytes are needed.
    ServeAltro,
    /// The lot has ended; what follows its end tag is behind this many bytes of [`Taglio::coda`].
    Fine,
}

/// Cuts a lot into its items.
#[derive(Debug)]
pub struct Taglio {
    testa: Testa,
    limits: Limits,
    elemento_bytes_max: usize,
    /// The beginning, and behind it what came and was not given up yet.
    byte: Vec<u8>,
    /// Offset in the whole of what is behind the beginning.
    da_byte: u64,
    /// Its line and column.
    da: Posizione,
    /// Cut out and not asked for yet.
    pronti: VecDeque<Elemento>,
    /// So many bytes are cut: what is behind them was looked at and is not whole.
    tagliati: usize,
    /// Line and column there.
    luogo_tagliati: Posizione,
    /// The scan is worth its while from this length on.
    riprova_a: usize,
    /// Behind the end tag of `Lotto`.
    chiuso: Option<usize>,
    guasto: Option<Box<Violazione>>,
    finito: bool,
    /// Of the element `Lotto`, as far as it was given up.
    impronta: Option<Sha256>,
}

impl Taglio {
    /// At the first byte behind the beginning.
    #[must_use]
    pub fn new(testa: Testa, limits: &Limits, elemento_bytes_max: usize) -> Self {
        let (da_byte, da) = (testa.len() as u64, testa.luogo());
        Self::at(testa, limits, elemento_bytes_max, da_byte, da)
    }

    /// At a byte between two items, with its line and column.
    #[must_use]
    pub fn at(testa: Testa, limits: &Limits, elemento_bytes_max: usize, da_byte: u64, da: Posizione) -> Self {
        Self {
            // What is in an item is bounded by its bytes here, and by the true limits when it is read.
            limits: Limits {
                text_bytes_max: elemento_bytes_max,
                elements_max: usize::MAX,
                ..limits.clone()
            },
            elemento_bytes_max,
            tagliati: testa.len(),
            luogo_tagliati: da,
            riprova_a: 0,
            byte: testa.byte.clone(),
            testa,
            da_byte,
            da,
            pronti: VecDeque::new(),
            chiuso: None,
            guasto: None,
            finito: false,
            impronta: None,
        }
    }

    /// The same, with the digest of the element `Lotto` taken on the way.
    #[must_use]
    pub fn digesting(mut self) -> Self {
        let mut impronta = Sha256::new();
        impronta.update(&self.testa.byte[self.testa.lotto_da..]);
        self.impronta = Some(impronta);
        self
    }

    /// More bytes.
    pub fn push(&mut self, byte: &[u8]) {
        self.byte.extend_from_slice(byte);
    }

    /// No more bytes will come.
    pub fn finish(&mut self) {
        self.finito = true;
        self.riprova_a = 0;
    }

    /// The next item.
    pub fn prossimo(&mut self) -> Result<Prossimo, Box<Violazione>> {
        if let Some(elemento) = self.pronti.pop_front() {
            return Ok(Prossimo::Elemento(elemento));
        }
        self.give_up();
        if self.chiuso.is_none() && self.guasto.is_none() && self.byte.len() >= self.riprova_a {
            self.scan();
            if let Some(elemento) = self.pronti.pop_front() {
                return Ok(Prossimo::Elemento(elemento));
            }
        }
        match &self.guasto {
            Some(guasto) => Err(guasto.clone()),
            None if self.chiuso.is_some() => Ok(Prossimo::Fine),
            None => Ok(Prossimo::ServeAltro),
        }
    }

    /// The bytes of an item: until the next one is asked for.
    #[must_use]
    pub fn slice(&self, elemento: &Elemento) -> &[u8] {
        &self.byte[elemento.byte.clone()]
    }

    /// Behind the end tag of `Lotto`: a reader that goes on there, once it has ended.
    #[must_use]
    pub fn coda(&self) -> Option<Reader<'_>> {
        let chiuso = self.chiuso?;
        let mut reader = Reader::resume(&self.byte, &self.testa.dopo.at(self.da), &self.limits);
        while reader.end_offset() < chiuso {
            reader.next().ok()?;
        }
        Some(reader)
    }

    /// Offset in the whole behind the end tag of `Lotto`, once it has ended.
    #[must_use]
    pub fn fine_byte(&self) -> Option<u64> {
        Some(self.da_byte + (self.chiuso? - self.testa.len()) as u64)
    }

    /// The digest of the element `Lotto`, once it has ended.
    #[must_use]
    pub fn impronta(&self) -> Option<[u8; 32]> {
        let mut impronta = self.impronta.clone()?;
        impronta.update(&self.byte[self.testa.len()..self.chiuso?]);
        Some(impronta.finish())
    }

    /// Forgets what was given out.
    fn give_up(&mut self) {
        if !self.pronti.is_empty() || self.chiuso.is_some() {
            return;
        }
        let testa = self.testa.len();
        let via = testa..self.tagliati;
        if via.is_empty() {
            return;
        }
        if let Some(impronta) = &mut self.impronta {
            impronta.update(&self.byte[via.clone()]);
        }
        self.da = self.luogo_tagliati;
        self.da_byte += via.len() as u64;
        self.riprova_a = self.riprova_a.saturating_sub(via.len());
        self.byte.drain(via);
        self.tagliati = testa;
    }

    /// Cuts out all items that are wholly there.
    fn scan(&mut self) {
        let testa = self.testa.len();
        let mut reader = Reader::resume(&self.byte, &self.testa.dopo.at(self.da), &self.limits);
        let namespace = self.testa.prestazione.namespace;
        let (mut profondita, mut inizio, mut luogo, mut straniero) = (0_usize, 0, self.da, None);
        let guasto = loop {
            match reader.next() {
                Ok(Token::Start { nome, inizio: da, .. }) => {
                    if profondita == 0 {
                        inizio = da;
                        straniero =
                            (!nome.is(namespace, Operazione::InviaDomanda.nome())).then(|| mostra(nome));
                        luogo = reader.posizione();
                    }
                    profondita += 1;
                }
                Ok(Token::End { fine, .. }) if profondita == 0 => {
                    self.chiuso = Some(fine);
                    break None;
                }
                Ok(Token::End { fine, .. }) => {
                    profondita -= 1;
                    if profondita == 0 {
                        if fine - self.tagliati > self.elemento_bytes_max {
                            break None;
                        }
                        let dopo = reader.posizione_dopo();
                        self.pronti.push_back(Elemento {
                            byte: inizio..fine,
                            luogo,
                            straniero: straniero.take(),
                            dopo_byte: self.da_byte + (fine - testa) as u64,
                            dopo,
                        });
                        self.tagliati = fine;
                        self.luogo_tagliati = dopo;
                    }
                }
                Ok(Token::Text(testo)) if profondita == 0 && !is_bianco(&testo) => {
                    let violazione = Violazione::at(Codice::Xsd020, percorso(self.testa.prestazione))
                        .with("elemento", etichetta(self.testa.prestazione, LOTTO));
                    break Some(violazione.placed(reader.posizione_testo()));
                }
                Ok(Token::Text(_)) => {}
                // The root is open as long as `Lotto` is.
                Ok(Token::Eof) => break None,
                Err(errore) if errore.is_incomplete() && !self.finito => break None,
                Err(errore) => break Some(errore.violazione()),
            }
        };
        self.guasto = guasto.map(Box::new);
        let rimasti = self.byte.len() - self.tagliati;
        if self.guasto.is_none() && self.chiuso.is_none() && rimasti > self.elemento_bytes_max {
            let violazione = Violazione::at(Codice::Lot009, percorso(self.testa.prestazione))
                .with("limite", self.elemento_bytes_max)
                .placed(self.luogo_tagliati);
            self.guasto = Some(Box::new(violazione));
        }
        // What is not whole is not looked at again for every byte: only after it has grown by half.
        self.riprova_a = self.byte.len() + rimasti / 2 + 1;
    }
}

/// `/at:Lotto`.
pub(super) fn percorso(prestazione: &Prestazione) -> String {
    format!("/{}", etichetta(prestazione, LOTTO))
}

/// `at:Lotto`.
pub(super) fn etichetta(prestazione: &Prestazione, locale: &str) -> String {
    format!("{}:{locale}", prestazione.prefisso)
}

/// A name that came with the message, as far as it is worth showing.
fn mostra(nome: Nome<'_>) -> String {
    crate::schema::shown(nome.namespace, nome.locale)
}

/// Attributes of XML Schema itself.
const XSI: &str = "http://www.w3.org/2001/XMLSchema-instance";
