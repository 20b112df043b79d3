//! The pass: every token of a request goes at once to the digest, to the form and to the reader of its content.

use std::sync::Arc;

use bytes::Bytes;

use super::digest::{Digester, is_canonico};
use super::form::RILIEVI_MAX;
use super::giudice::{Aperta, Chiusa, Giudice};
use super::outline::Outline;
use super::testo::Testo;
use super::{Lettura, Posizioni, collapsed};
use crate::catalogo::Codice;
use crate::domanda::lettura::base64;
use crate::domanda::sha256::Sha256;
use crate::domanda::{Lettore, Originale, Violazione};
use crate::patronato::ChiaveInvio;
use crate::prestazione::{Operazione, Prestazione};
use crate::soap::mtom::{Parti, XOP};
use crate::xml::{Attributi, Nome, Reader, Token, XmlError};

/// The sender's key, in the namespace of its service.
const CHIAVE_INVIO: &str = "ChiaveInvio";

/// One pass over a request element: every token goes to the digest, to the form and to the reader of its content.
pub(super) struct Passata<'a, G> {
    outline: &'a Arc<Outline>,
    prestazione: &'static Prestazione,
    operazione: Operazione,
    bytes: &'a [u8],
    giudice: G,
    digester: Digester,
    chiave: Chiave,
    /// Open elements, the request element included.
    profondita: usize,
    /// Depth of the content element while inside one.
    contenuto_a: Option<usize>,
    /// Where that one began.
    contenuto_inizio: usize,
    /// First byte and the one after the last of the first content element, or of the whole request element.
    estensione: Option<(usize, usize)>,
    lettore: Option<Box<dyn Lettore>>,
    campi: Vec<(String, String)>,
    /// Local names below the request element, of an operation without content.
    percorso: Vec<String>,
    posizioni: Posizioni,
    /// Nodes of the open elements of the content.
    nodi: Vec<usize>,
    /// Text since the last tag.
    testo: Testo,
    inclusioni: Inclusioni,
}

/// What stands for bytes, in a message whose bytes lie beside the envelope.
#[derive(Debug, Default)]
struct Inclusioni {
    /// `None`: nothing lies beside this envelope, and `xop:Include` is an element like any other.
    parti: Option<Parti>,
    /// Elements open from an `xop:Include` on.
    aperti: usize,
    /// Where the last one began.
    inizio: usize,
    /// One was seen in the innermost element.
    vista: bool,
    /// The bytes that it stands for.
    byte: Option<Bytes>,
    /// What is wrong with it was told.
    detta: bool,
}

/// The sender's key, while it is looked for.
#[derive(Debug)]
enum Chiave {
    NonVista,
    Letta(Option<ChiaveInvio>),
    /// It came twice: which one is meant cannot be told.
    Ambigua,
}

/// A pass that did not come to its end.
pub(super) enum Interrotta<D> {
    /// The message cannot be read.
    Xml(XmlError),
    /// The judge does not know.
    Dubbio(D),
}

impl<D> From<XmlError> for Interrotta<D> {
    fn from(errore: XmlError) -> Self {
        Self::Xml(errore)
    }
}

impl<'a, G: Giudice> Passata<'a, G> {
    pub(super) fn new(
        outline: &'a Arc<Outline>,
        (prestazione, operazione): (&'static Prestazione, Operazione),
        giudice: G,
        bytes: &'a [u8],
    ) -> Self {
        Self {
            outline,
            prestazione,
            operazione,
            bytes,
            giudice,
            digester: Digester::new(),
            chiave: Chiave::NonVista,
            profondita: 0,
            contenuto_a: None,
            contenuto_inizio: 0,
            estensione: None,
            lettore: None,
            campi: Vec::new(),
            percorso: Vec::new(),
            posizioni: Posizioni::new(Arc::clone(outline)),
            nodi: Vec::new(),
            testo: Testo::default(),
            inclusioni: Inclusioni::default(),
        }
    }

    /// The same, with parts beside the envelope.
    pub(super) fn beside(mut self, parti: Option<Parti>) -> Self {
        self.inclusioni.parti = parti;
        self
    }

    pub(super) fn run(mut self, reader: &mut Reader<'_>) -> Result<Lettura, Interrotta<G::Dubbio>> {
        let mut radice = None;
        loop {
            let offset = reader.end_offset();
            let mut allegato = false;
            match reader.next()? {
                Token::Start {
                    nome,
                    attributi,
                    inizio,
                    ..
                } => {
                    radice = radice.or_else(|| self.outline.globale(nome.namespace, nome.locale));
                    self.start(nome, &attributi, inizio).map_err(Interrotta::Dubbio)?;
                    allegato = self.digester.in_attachment();
                }
                Token::Text(pezzo) => self.testo.push(&pezzo, offset),
                Token::End { nome, fine } => {
                    self.end(nome, fine).map_err(Interrotta::Dubbio)?;
                    if self.profondita == 0 {
                        break;
                    }
                }
                // Comes only after the outermost element ended, and then we no longer ask.
                Token::Eof => break,
            }
            if allegato {
                reader.lift_text_bound();
            }
        }
        Ok(self.finish(radice.unwrap_or_default()))
    }

    fn start(&mut self, nome: Nome<'_>, attributi: &Attributi<'_>, inizio: usize) -> Result<(), G::Dubbio> {
        if self.inclusioni.aperti > 0
            || (self.inclusioni.parti.is_some() && nome.is(XOP, "Include") && self.giudice.in_byte())
        {
            return self.include(attributi, inizio);
        }
        self.profondita += 1;
        let aperta = self.giudice.start(nome, attributi, inizio, &self.testo)?;
        if self.digester.depth() > 0 {
            self.digester.text(self.testo.trimmed());
        }
        self.testo.clear();
        let comincia = match self.operazione.elemento() {
            Some(elemento) => {
                self.profondita <= 2
                    && self.contenuto_a.is_none()
                    && nome.is(self.prestazione.namespace, elemento)
            }
            None => self.profondita == 1,
        };
        if comincia {
            self.contenuto_a = Some(self.profondita);
            self.contenuto_inizio = inizio;
        }
        if comincia || self.digester.depth() > 0 {
            self.digest_start(nome, attributi, aperta);
        }
        if let Aperta::Presa { elemento, numero } = aperta {
            self.taken(nome, elemento, numero, inizio, comincia);
        }
        Ok(())
    }

    /// `xop:Include`, or what should not be inside it: alone in its element, it stands for the bytes of a part.
    fn include(&mut self, attributi: &Attributi<'_>, inizio: usize) -> Result<(), G::Dubbio> {
        let dentro = self.inclusioni.aperti > 0;
        self.inclusioni.aperti += 1;
        if dentro || self.inclusioni.vista || !self.testo.is_bianco() {
            self.testo.clear();
            return self.not_alone(inizio);
        }
        self.testo.clear();
        self.inclusioni.vista = true;
        self.inclusioni.inizio = inizio;
        let href = attributi.iter().find(|attributo| attributo.nome.is("", "href"));
        let href = href.map_or_else(String::new, |attributo| attributo.valore.into_owned());
        let chiesta = self.inclusioni.parti.as_mut().map(|parti| parti.take(&href));
        match chiesta {
            Some(Ok(byte)) => self.inclusioni.byte = Some(byte),
            Some(Err(codice)) => self.giudice.note(inizio, codice)?,
            None => {}
        }
        Ok(())
    }

    /// MTM-020, once an element.
    fn not_alone(&mut self, inizio: usize) -> Result<(), G::Dubbio> {
        if std::mem::replace(&mut self.inclusioni.detta, true) {
            return Ok(());
        }
        self.giudice.note(inizio, Codice::Mtm020)
    }

    /// The end of the innermost element, if an `xop:Include` was in it: the bytes it stands for.
    fn included(&mut self) -> Result<Option<Bytes>, G::Dubbio> {
        if self.inclusioni.vista && !self.testo.is_bianco() {
            self.not_alone(self.inclusioni.inizio)?;
        }
        if self.inclusioni.vista {
            // To the authority it is an element without a byte, which is one of the type.
            self.testo.clear();
        }
        self.inclusioni.vista = false;
        self.inclusioni.detta = false;
        Ok(self.inclusioni.byte.take())
    }

    fn digest_start(&mut self, nome: Nome<'_>, attributi: &Attributi<'_>, aperta: Aperta) {
        if attributi.is_empty() {
            let segno = match aperta {
                Aperta::Presa { elemento, .. } => self.giudice.segno(elemento),
                Aperta::Saltata => None,
            };
            match segno {
                Some(segno) => self.digester.start_segno(nome.namespace, nome.locale, segno),
                None => self.digester.start(nome.namespace, nome.locale, &[]),
            }
            return;
        }
        let attributi: Vec<_> = attributi.iter().collect();
        let attributi: Vec<(&str, &str, &str)> = attributi
            .iter()
            .map(|attributo| {
                (
                    attributo.nome.namespace,
                    attributo.nome.locale,
                    attributo.valore.as_ref(),
                )
            })
            .collect();
        self.digester.start(nome.namespace, nome.locale, &attributi);
    }

    /// An element that has its place.
    fn taken(&mut self, nome: Nome<'_>, elemento: usize, numero: u32, inizio: usize, comincia: bool) {
        if !self.has_contenuto() {
            if self.profondita > 1 {
                self.percorso.push(nome.locale.to_owned());
            }
            return;
        }
        if comincia {
            self.lettore = self.prestazione.reader(self.operazione);
        } else if let Some(lettore) = &mut self.lettore {
            lettore.apri(nome.locale);
        }
        if self.contenuto_a.is_some() {
            let nodo = self
                .posizioni
                .push(self.nodi.last().copied(), elemento, numero, inizio);
            self.nodi.push(nodo);
        }
    }

    /// An end tag that ended before `fine`.
    fn end(&mut self, nome: Nome<'_>, fine: usize) -> Result<(), G::Dubbio> {
        if self.inclusioni.aperti > 0 {
            self.inclusioni.aperti -= 1;
            if !self.testo.is_bianco() {
                self.not_alone(self.inclusioni.inizio)?;
            }
            self.testo.clear();
            return Ok(());
        }
        let mut byte = self.included()?;
        let chiusa = self.giudice.end(&self.testo, fine)?;
        let in_linea = byte.is_none();
        if in_linea && chiusa == Chiusa::Byte {
            byte = base64(self.testo.trimmed());
            self.giudice.bytes(self.testo.trimmed(), byte.is_some())?;
        }
        let byte = byte.map(Originale::of);
        match &byte {
            Some(byte)
                if self.digester.in_attachment() && (!in_linea || is_canonico(self.testo.trimmed())) =>
            {
                self.digester.end_document(&byte.impronta);
            }
            _ if self.digester.depth() > 0 => self.digester.end(self.testo.trimmed()),
            _ => {}
        }
        let e_chiave = self.profondita == 2 && self.contenuto_a.is_none();
        if e_chiave && nome.is(self.prestazione.namespace, CHIAVE_INVIO) {
            self.chiave = match self.chiave {
                Chiave::NonVista => Chiave::Letta(collapsed(self.testo.trimmed()).parse().ok()),
                Chiave::Letta(_) | Chiave::Ambigua => Chiave::Ambigua,
            };
        }
        match chiusa {
            Chiusa::Saltata => {}
            presa => self.closed(nome, presa, byte),
        }
        self.testo.clear();
        if self.contenuto_a == Some(self.profondita) {
            self.contenuto_a = None;
            self.estensione.get_or_insert((self.contenuto_inizio, fine));
        }
        self.profondita -= 1;
        Ok(())
    }

    /// The end of an element that had its place.
    fn closed(&mut self, nome: Nome<'_>, chiusa: Chiusa, byte: Option<Originale>) {
        if !self.has_contenuto() {
            if chiusa != Chiusa::Ramo {
                self.campi.push((
                    self.percorso.join("/"),
                    collapsed(self.testo.trimmed()).into_owned(),
                ));
            }
            self.percorso.pop();
            return;
        }
        if self.contenuto_a.is_some() {
            self.nodi.pop();
        }
        let dentro = self
            .contenuto_a
            .is_some_and(|contenuto| self.profondita > contenuto);
        if let Some(lettore) = &mut self.lettore
            && dentro
        {
            match chiusa {
                Chiusa::Foglia => lettore.valore(nome.locale, &collapsed(self.testo.trimmed())),
                Chiusa::Byte => {
                    // Text that is no base64 has its finding of form.
                    if let Some(byte) = byte {
                        lettore.byte(nome.locale, byte);
                    }
                }
                Chiusa::Ramo | Chiusa::Saltata => {}
            }
            lettore.chiudi(nome.locale);
        }
    }

    fn has_contenuto(&self) -> bool {
        self.operazione.elemento().is_some()
    }

    fn finish(self, radice: usize) -> Lettura {
        let mut rilievi = self.giudice.finish(radice);
        if let Some(parti) = &self.inclusioni.parti {
            let avanzate = parti
                .left_over()
                .map(|parte| Violazione::at(Codice::Mtm018, "").with("parte", parte));
            rilievi.extend(avanzate.take(RILIEVI_MAX - rilievi.len()));
        }
        let (inizio, fine) = self.estensione.unwrap_or_default();
        let istanza = if rilievi.is_empty() {
            self.lettore.and_then(<dyn Lettore>::istanza)
        } else {
            None
        };
        Lettura {
            prestazione: self.prestazione,
            operazione: self.operazione,
            chiave: match self.chiave {
                Chiave::Letta(chiave) => chiave,
                Chiave::NonVista | Chiave::Ambigua => None,
            },
            digest: self.digester.finish(),
            impronta: Sha256::of(&self.bytes[inizio..fine]),
            contenuto_in_richiesta: (inizio, fine),
            rilievi,
            istanza,
            campi: self.campi,
            posizioni: self.posizioni,
            provata: true,
        }
    }
}
