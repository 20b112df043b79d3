//! Findings of form: one for each fault, at its place, and nothing that only follows from another.
//!
//! The authority is driven tag by tag. Before a child is handed to it, the outline says whether it fits. If it can
//! come later, what is missing before it is reported, and the authority is fed muted elements in its stead, so that
//! it goes on as if they had been there. If it cannot come at all, it is reported and its subtree is kept from the
//! authority. So what the authority then reports is about one element alone: its value, its attributes, a
//! duplicate.
//!
//! Whatever the authority reports of an element that was really there becomes at least one finding, and a message
//! without findings is valid only if the authority holds its root valid: this module may explain the verdict, it
//! cannot change it.

mod attributes;
mod children;

use std::convert::Infallible;

use super::authority::{Appunto, Udienza};
use super::giudice::{Aperta, Chiusa, Giudice};
use super::is_spazio;
use super::outline::{Elemento, Outline, Semplice, Tipo, etichetta};
use super::parole;
use super::testo::Testo;
use crate::catalogo::Codice;
use crate::domanda::Violazione;
use crate::xml::{Attributi, Cursore, Nome};

/// Findings kept; the rest of a worse message is read, not told.
pub(super) const RILIEVI_MAX: usize = 100;

/// A message on its way past the authority.
pub(super) struct Form<'a> {
    outline: &'a Outline,
    udienza: Udienza<'a>,
    bytes: &'a [u8],
    pila: Vec<Aperto>,
    /// What was seen of the steps of every open element with children, in one stack.
    visti: Vec<Visto>,
    /// Depth below an element that is kept from the authority; 0 outside.
    saltati: usize,
    rilievi: Vec<Rilievo>,
    /// The authority reported something of an element that was there.
    reported: bool,
    radice_valida: bool,
}

/// An element that the authority was told of and that is still open.
#[derive(Debug)]
struct Aperto {
    elemento: usize,
    numero: u32,
    inizio: usize,
    /// Where its steps begin in [`Form::visti`].
    base: usize,
    /// The step that its last child stood in.
    passo: usize,
    /// It has a finding that makes its value or its completeness a consequence: neither is told.
    turbato: bool,
    /// Text in it was reported.
    testo_detto: bool,
}

/// What was seen of one step.
#[derive(Debug, Clone, Copy, Default)]
struct Visto {
    /// Elements that were there, right or wrong.
    veri: u32,
    /// Muted elements.
    muti: u32,
    mancante: Mancante,
    /// Another finding already says that it was expected.
    scusato: bool,
    /// Told as too many.
    troppi: bool,
    /// The first of the alternatives that came.
    primo: Option<usize>,
}

/// Whether a step was told as missing.
#[derive(Debug, Clone, Copy, Default)]
enum Mancante {
    #[default]
    No,
    /// By the finding of this index.
    Detto(usize),
    /// There were enough findings already.
    Taciuto,
}

#[derive(Debug)]
struct Rilievo {
    inizio: usize,
    violazione: Violazione,
}

impl<'a> Form<'a> {
    pub(super) fn new(outline: &'a Outline, udienza: Udienza<'a>, bytes: &'a [u8]) -> Self {
        Self {
            outline,
            udienza,
            bytes,
            pila: Vec::new(),
            visti: Vec::new(),
            saltati: 0,
            rilievi: Vec::new(),
            reported: false,
            radice_valida: false,
        }
    }
}

/// It knows always.
impl Giudice for Form<'_> {
    type Dubbio = Infallible;

    fn start(
        &mut self,
        nome: Nome<'_>,
        attributi: &Attributi<'_>,
        inizio: usize,
        prima: &Testo,
    ) -> Result<Aperta, Infallible> {
        if self.saltati > 0 {
            self.saltati += 1;
            return Ok(Aperta::Saltata);
        }
        let trovato = if self.pila.is_empty() {
            // The operation decided which element it is: the caller looked it up already.
            self.outline
                .globale(nome.namespace, nome.locale)
                .map(|elemento| (elemento, 1))
        } else {
            self.text_between(prima);
            self.child(nome, inizio)
        };
        let Some((elemento, numero)) = trovato else {
            self.saltati = 1;
            return Ok(Aperta::Saltata);
        };
        self.pila.push(Aperto {
            elemento,
            numero,
            inizio,
            base: self.visti.len(),
            passo: 0,
            turbato: false,
            testo_detto: false,
        });
        if let Tipo::Complesso(complesso) = self.outline.tipo_di(elemento) {
            let passi = self.visti.len() + complesso.passi.len();
            self.visti.resize(passi, Visto::default());
        }
        if attributi.is_empty() {
            let appunti = self.udienza.element(elemento);
            self.unexpected(&appunti);
        } else {
            self.attributes(elemento, attributi);
        }
        let appunti = self.udienza.end_of_attributes();
        for appunto in &appunti {
            self.reported = true;
            let quale = appunto.soggetto.clone().unwrap_or_default();
            let violazione = match appunto.vincolo {
                "cvc-complex-type.4" => self.here(Codice::Xsd031).with("attributo", quale),
                _ => self.general(appunto),
            };
            self.keep_here(violazione);
        }
        Ok(Aperta::Presa { elemento, numero })
    }

    fn end(&mut self, testo: &Testo, fine: usize) -> Result<Chiusa, Infallible> {
        if self.saltati > 0 {
            self.saltati -= 1;
            return Ok(Chiusa::Saltata);
        }
        let Some(aperto) = self.pila.last() else {
            return Ok(Chiusa::Saltata);
        };
        let elemento = aperto.elemento;
        let turbato = aperto.turbato;
        let outline = self.outline;
        let chiusa = match outline.tipo_di(elemento) {
            Tipo::Semplice(semplice) => {
                let mut appunti = Vec::new();
                if !testo.as_str().is_empty() && !turbato {
                    appunti = self.udienza.text(testo);
                }
                appunti.extend(self.end_element());
                if !turbato {
                    self.value(semplice, testo.as_str(), &appunti);
                }
                if semplice.is_byte() {
                    Chiusa::Byte
                } else {
                    Chiusa::Foglia
                }
            }
            Tipo::Complesso(complesso) => {
                self.text_between(testo);
                self.complete(complesso, tag_start(self.bytes, fine));
                let appunti = self.end_element();
                self.unexpected(&appunti);
                Chiusa::Ramo
            }
        };
        if let Some(aperto) = self.pila.pop() {
            self.visti.truncate(aperto.base);
        }
        Ok(chiusa)
    }

    fn bytes(&mut self, _testo: &str, _letti: bool) -> Result<(), Infallible> {
        // Text that is no base64 has its finding already.
        Ok(())
    }

    fn in_byte(&self) -> bool {
        let outline = self.outline;
        let innermost = self.pila.last().filter(|_| self.saltati == 0);
        innermost.is_some_and(|aperto| match outline.tipo_di(aperto.elemento) {
            Tipo::Semplice(semplice) => semplice.is_byte(),
            Tipo::Complesso(_) => false,
        })
    }

    fn note(&mut self, inizio: usize, codice: Codice) -> Result<(), Infallible> {
        let violazione = self.here(codice);
        self.keep(inizio, violazione);
        Ok(())
    }

    fn segno(&self, _elemento: usize) -> Option<&[u8]> {
        None
    }

    fn finish(mut self, radice: usize) -> Vec<Violazione> {
        let bytes = self.bytes;
        let ended = self.udienza.close();
        let valid = ended && self.radice_valida && !self.reported;
        if self.rilievi.is_empty() && !valid {
            // The net: an explanation was not found, the verdict stands.
            let elemento = &self.outline.elementi[radice].etichetta;
            self.rilievi.push(Rilievo {
                inizio: 0,
                violazione: Violazione::at(Codice::Xsd099, format!("/{elemento}")).with("vincolo", "cvc-elt"),
            });
        }
        self.rilievi.sort_by_key(|rilievo| rilievo.inizio);
        let mut cursore = Cursore::default();
        self.rilievi
            .into_iter()
            .map(|rilievo| {
                rilievo
                    .violazione
                    .placed(cursore.posizione(bytes, rilievo.inizio))
            })
            .collect()
    }
}

impl Form<'_> {
    /// Text that stands beside child elements, or in an element that holds nothing.
    fn text_between(&mut self, testo: &Testo) {
        if testo.as_str().is_empty() {
            return;
        }
        let outline = self.outline;
        let Some(aperto) = self.pila.last_mut() else {
            return;
        };
        let Tipo::Complesso(complesso) = outline.tipo_di(aperto.elemento) else {
            return;
        };
        let bianco = testo.is_bianco();
        if bianco && !complesso.passi.is_empty() || aperto.testo_detto {
            return;
        }
        if bianco && self.udienza.text(testo).is_empty() {
            // An element without content takes no white space either: the authority decides.
            return;
        }
        aperto.testo_detto = true;
        let elemento = outline.elementi[aperto.elemento].etichetta.clone();
        let violazione = self.here(Codice::Xsd020).with("elemento", elemento);
        let inizio = text_start(self.bytes, testo.inizio());
        self.keep(inizio, violazione);
    }

    /// Tells the authority of the end of the innermost element.
    fn end_element(&mut self) -> Vec<Appunto> {
        let (valid, appunti) = self.udienza.end();
        if self.pila.len() == 1 {
            self.radice_valida = valid;
        }
        appunti
    }

    /// What the authority says of the value of the innermost element: one finding, however many facets it breaks.
    fn value(&mut self, semplice: &Semplice, testo: &str, appunti: &[Appunto]) {
        let Some(primo) = appunti.iter().find(|appunto| !is_unico(appunto)) else {
            self.unexpected(appunti);
            return;
        };
        self.reported = true;
        let Some(aperto) = self.pila.last() else {
            return;
        };
        let elemento = &self.outline.elementi[aperto.elemento];
        let violazione = parole::value(self.here(Codice::Xsd099), elemento, semplice, testo, primo);
        self.keep_here(violazione);
    }

    /// Reports of the authority that the outline did not foresee, and duplicates, of the innermost element.
    fn unexpected(&mut self, appunti: &[Appunto]) {
        for appunto in appunti {
            self.reported = true;
            let violazione = if is_unico(appunto) {
                self.duplicate()
            } else {
                self.general(appunto)
            };
            self.keep_here(violazione);
        }
    }

    /// The innermost element repeats a value that must be unique within an element above it.
    fn duplicate(&self) -> Violazione {
        let dichiarata = |aperto: &Aperto| &self.outline.elementi[aperto.elemento];
        let campo = self
            .pila
            .iter()
            .rev()
            .find_map(|aperto| dichiarata(aperto).campo_unico.clone());
        let elemento = self
            .pila
            .last()
            .map(|aperto| dichiarata(aperto).etichetta.clone());
        self.here(Codice::Xsd040)
            .with("campo", campo.unwrap_or_default())
            .with("elemento", elemento.unwrap_or_default())
    }

    fn general(&self, appunto: &Appunto) -> Violazione {
        self.here(Codice::Xsd099).with("vincolo", appunto.vincolo)
    }

    /// A finding of the innermost element.
    fn here(&self, codice: Codice) -> Violazione {
        Violazione::at(codice, self.path())
    }

    fn keep_here(&mut self, violazione: Violazione) {
        let inizio = self.pila.last().map_or(0, |aperto| aperto.inizio);
        self.keep(inizio, violazione);
    }

    /// Keeps a finding; `None` when there are enough.
    fn keep(&mut self, inizio: usize, violazione: Violazione) -> Option<usize> {
        if self.rilievi.len() == RILIEVI_MAX {
            return None;
        }
        self.rilievi.push(Rilievo { inizio, violazione });
        Some(self.rilievi.len() - 1)
    }

    /// The path of the innermost element, as people are told: from the outermost content element on, when inside it.
    fn path(&self) -> String {
        let contenuto = self.pila.iter().position(|aperto| self.is_contenuto(aperto));
        self.pila[contenuto.unwrap_or(0)..]
            .iter()
            .map(|aperto| step(&self.outline.elementi[aperto.elemento], aperto.numero))
            .collect()
    }

    fn is_contenuto(&self, aperto: &Aperto) -> bool {
        self.outline.elementi[aperto.elemento].contenuto
    }
}

/// Where the tag begins that ends before `fine`: an end tag, or the `<a/>` which is both.
fn tag_start(bytes: &[u8], fine: usize) -> usize {
    bytes[..fine]
        .iter()
        .rposition(|byte| *byte == b'<')
        .unwrap_or(fine)
}

/// Where text really starts that is known to stand behind `offset`: past white space and comments.
fn text_start(bytes: &[u8], offset: usize) -> usize {
    let mut qui = offset;
    while let Some(resto) = bytes.get(qui..) {
        let spazi = resto
            .iter()
            .take_while(|byte| is_spazio(char::from(**byte)))
            .count();
        let Some(commento) = resto[spazi..].strip_prefix(b"<!--") else {
            return qui + spazi;
        };
        let lungo = commento
            .windows(3)
            .position(|tre| tre == b"-->")
            .unwrap_or(commento.len());
        qui += spazi + b"<!--".len() + lungo + b"-->".len();
    }
    offset
}

/// One step of a path: only what may repeat carries its number.
fn step(elemento: &Elemento, numero: u32) -> String {
    if elemento.ripetibile {
        format!("/{}[{numero}]", elemento.etichetta)
    } else {
        format!("/{}", elemento.etichetta)
    }
}

fn is_unico(appunto: &Appunto) -> bool {
    appunto.vincolo.starts_with("cvc-identity-constraint")
}

/// A name that came with the message, as far as it is worth showing.
pub(crate) fn shown(namespace: &str, locale: &str) -> String {
    etichetta(&shortened(namespace), &shortened(locale))
}

/// Without control characters, which a namespace may hold, and not longer than [`MOSTRATI_MAX`].
fn shortened(testo: &str) -> String {
    let mut caratteri = testo.chars().map(|c| if c.is_control() { '\u{FFFD}' } else { c });
    let mut corto: String = caratteri.by_ref().take(MOSTRATI_MAX).collect();
    if caratteri.next().is_some() {
        corto.push('…');
    }
    corto
}

/// Characters shown of a name or namespace that came with the message.
const MOSTRATI_MAX: usize = 80;
