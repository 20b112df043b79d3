//! One message past the tables: the state of every open element, one step a tag. It never finds fault; where a step
//! is not in the tables it says [`Dubbio`], and the message is read again before the authority.

use super::tavole::{Complesso, Tavole, Tipo};
use crate::domanda::Violazione;
use crate::schema::digest::{XSI, is_canonico};
use crate::schema::giudice::{Aperta, Chiusa, Giudice};
use crate::schema::testo::Testo;
use crate::schema::{collapsed, is_spazio};
use crate::xml::{Attributi, Nome};

/// The tables do not know: the authority does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::schema) struct Dubbio;

/// A message on its way past the tables.
pub(in crate::schema) struct Corsa<'t> {
    tavole: &'t Tavole,
    pila: Vec<Aperto>,
    /// The values of all `xs:unique` in scope: whose, and where each ends in `valori_unici`, one behind the other.
    unici: Vec<(Ambito, usize)>,
    valori_unici: String,
}

/// An open element.
#[derive(Debug, Clone, Copy)]
struct Aperto {
    elemento: usize,
    /// Of its content model; where it stands, and how many of the same element in a row brought it there.
    stato: usize,
    contati: u32,
    /// It has had the field of an `xs:unique` that selects it.
    campo: bool,
}

/// One constraint of one open element: its depth, and the constraint's place in its declaration.
type Ambito = (usize, usize);

impl<'t> Corsa<'t> {
    pub(in crate::schema) fn new(tavole: &'t Tavole) -> Self {
        Self {
            tavole,
            pila: Vec::with_capacity(16),
            unici: Vec::new(),
            valori_unici: String::new(),
        }
    }

    fn complesso(&self, elemento: usize) -> Result<&'t Complesso, Dubbio> {
        match &self.tavole.tipi[self.tavole.elementi[elemento].tipo] {
            Tipo::Complesso(_, complesso) => Ok(complesso),
            Tipo::Ignoto(_) | Tipo::Semplice(..) => Err(Dubbio),
        }
    }

    /// The child that may come next by this name, and how many in a row it makes.
    fn step(&mut self, nome: Nome<'_>) -> Result<(usize, u32), Dubbio> {
        let tavole = self.tavole;
        let aperto = self.pila.last().copied().ok_or(Dubbio)?;
        let complesso = self.complesso(aperto.elemento)?;
        let stato = complesso.stati.get(aperto.stato).ok_or(Dubbio)?;
        let is = |elemento: usize| {
            let elemento = &tavole.elementi[elemento];
            nome.is(&elemento.namespace, &elemento.locale)
        };
        let (elemento, stato, contati) = match stato.elemento {
            Some(elemento) if aperto.contati < stato.max && is(elemento) => {
                (elemento, aperto.stato, aperto.contati + 1)
            }
            _ if aperto.contati < stato.min => return Err(Dubbio),
            _ => {
                let mosse = &tavole.mosse[stato.mosse.clone()];
                let mossa = mosse.iter().find(|mossa| is(mossa.elemento)).ok_or(Dubbio)?;
                (mossa.elemento, mossa.stato, 1)
            }
        };
        let aperto = self.pila.last_mut().ok_or(Dubbio)?;
        aperto.stato = stato;
        aperto.contati = contati;
        Ok((elemento, contati))
    }

    /// Declared attributes, and of XML Schema's own those that change nothing: a type named that is the declared one,
    /// and, of the outermost element, where schemas may lie. Further in, one that is announced for a namespace that was met
    /// already comes too late (XML Schema 1.0, part 1, 4.3.2): who met what is the authority's to know.
    fn attributes(&self, elemento: usize, attributi: &Attributi<'_>) -> Result<(), Dubbio> {
        let tipo = &self.tavole.tipi[self.tavole.elementi[elemento].tipo];
        let (nome_tipo, dichiarati) = match tipo {
            Tipo::Ignoto(_) => return Err(Dubbio),
            Tipo::Semplice(nome, _) => (nome, &[][..]),
            Tipo::Complesso(nome, complesso) => (nome, complesso.attributi.as_slice()),
        };
        let esterno = self.pila.is_empty();
        let mut visti = 0_u64;
        for attributo in attributi.iter() {
            let Nome { namespace, locale } = attributo.nome;
            let giusto = match (namespace, locale) {
                (XSI, "type") => is_nome(attributi, &attributo.valore, nome_tipo),
                (XSI, "schemaLocation") => esterno && are_uri(&attributo.valore, true),
                (XSI, "noNamespaceSchemaLocation") => esterno && are_uri(&attributo.valore, false),
                _ => {
                    let quale = dichiarati
                        .iter()
                        .position(|noto| *noto.namespace == *namespace && *noto.locale == *locale)
                        .ok_or(Dubbio)?;
                    visti |= 1 << quale;
                    let valore = &attributo.valore;
                    dichiarati[quale].tipo.takes(valore, &collapsed(valore))
                }
            };
            if !giusto {
                return Err(Dubbio);
            }
        }
        let obbligatori = match tipo {
            Tipo::Complesso(_, complesso) => complesso.obbligatori,
            Tipo::Ignoto(_) | Tipo::Semplice(..) => 0,
        };
        if obbligatori & !visti == 0 {
            Ok(())
        } else {
            Err(Dubbio)
        }
    }

    /// White space between the children of an element that may have some.
    fn between(&self, testo: &Testo) -> Result<(), Dubbio> {
        if testo.as_str().is_empty() {
            return Ok(());
        }
        let aperto = self.pila.last().ok_or(Dubbio)?;
        let ha_figli = self.complesso(aperto.elemento)?.stati.len() > 1;
        if ha_figli && testo.is_bianco() {
            Ok(())
        } else {
            Err(Dubbio)
        }
    }

    /// The value of a field of somebody's `xs:unique`: it is one of a kind.
    fn unique(&mut self, campo: usize, valore: &str) -> Result<(), Dubbio> {
        let [.., sopra, figlio, _] = self.pila.as_slice() else {
            return Ok(());
        };
        let profondita = self.pila.len() - 3;
        let unici = &self.tavole.elementi[sopra.elemento].unici;
        let (figlio_di, gia) = (figlio.elemento, figlio.campo);
        for (quale, unico) in unici.iter().enumerate() {
            if (unico.figlio, unico.campo) != (figlio_di, campo) {
                continue;
            }
            let ambito = (profondita, quale);
            // A second field of one child, two constraints, a long list: rare enough to ask.
            let mut inizio = 0;
            let doppio = self.unici.iter().any(|(suo, fine)| {
                let noto = &self.valori_unici[std::mem::replace(&mut inizio, *fine)..*fine];
                *suo == ambito && noto == valore
            });
            if gia || doppio || unici.len() > 1 || self.unici.len() == UNICI_MAX {
                return Err(Dubbio);
            }
            self.valori_unici.push_str(valore);
            self.unici.push((ambito, self.valori_unici.len()));
        }
        let posto = self.pila.len() - 2;
        self.pila[posto].campo = true;
        Ok(())
    }

    /// An element ends that an `xs:key` above it selects: its field was there.
    fn keyed(&self, aperto: &Aperto) -> Result<(), Dubbio> {
        let [.., sopra, _] = self.pila.as_slice() else {
            return Ok(());
        };
        let unici = &self.tavole.elementi[sopra.elemento].unici;
        let manca = unici
            .iter()
            .any(|unico| unico.chiave && unico.figlio == aperto.elemento && !aperto.campo);
        if manca { Err(Dubbio) } else { Ok(()) }
    }
}

impl Giudice for Corsa<'_> {
    type Dubbio = Dubbio;

    fn start(
        &mut self,
        nome: Nome<'_>,
        attributi: &Attributi<'_>,
        _inizio: usize,
        prima: &Testo,
    ) -> Result<Aperta, Dubbio> {
        let (elemento, numero) = if self.pila.is_empty() {
            (self.tavole.globale(nome).ok_or(Dubbio)?, 1)
        } else {
            self.between(prima)?;
            self.step(nome)?
        };
        let obbligatori = match &self.tavole.tipi[self.tavole.elementi[elemento].tipo] {
            Tipo::Ignoto(_) => return Err(Dubbio),
            Tipo::Semplice(..) => 0,
            Tipo::Complesso(_, complesso) => complesso.obbligatori,
        };
        if !attributi.is_empty() || obbligatori != 0 {
            self.attributes(elemento, attributi)?;
        }
        self.pila.push(Aperto {
            elemento,
            stato: 0,
            contati: 0,
            campo: false,
        });
        Ok(Aperta::Presa { elemento, numero })
    }

    fn end(&mut self, testo: &Testo, _fine: usize) -> Result<Chiusa, Dubbio> {
        let aperto = self.pila.last().copied().ok_or(Dubbio)?;
        let elemento = &self.tavole.elementi[aperto.elemento];
        let chiusa = match &self.tavole.tipi[elemento.tipo] {
            Tipo::Ignoto(_) => return Err(Dubbio),
            Tipo::Semplice(_, semplice) => {
                let liscio = collapsed(testo.trimmed());
                if !semplice.takes(testo.as_str(), &liscio) {
                    return Err(Dubbio);
                }
                if elemento.campo_unico {
                    self.unique(aperto.elemento, &liscio)?;
                }
                if semplice.is_byte() {
                    Chiusa::Byte
                } else {
                    Chiusa::Foglia
                }
            }
            Tipo::Complesso(_, complesso) => {
                self.between(testo)?;
                let stato = complesso.stati.get(aperto.stato).ok_or(Dubbio)?;
                if !stato.finale || aperto.contati < stato.min {
                    return Err(Dubbio);
                }
                self.keyed(&aperto)?;
                let qui = self.pila.len() - 1;
                while self.unici.last().is_some_and(|((di, _), _)| *di >= qui) {
                    self.unici.pop();
                }
                self.valori_unici
                    .truncate(self.unici.last().map_or(0, |(_, fine)| *fine));
                Chiusa::Ramo
            }
        };
        self.pila.pop();
        Ok(chiusa)
    }

    fn bytes(&mut self, testo: &str, letti: bool) -> Result<(), Dubbio> {
        // The authority takes no white space among the digits, and no bits that mean nothing.
        let severo = letti && !testo.contains(is_spazio) && is_canonico(testo);
        if severo { Ok(()) } else { Err(Dubbio) }
    }

    fn in_byte(&self) -> bool {
        self.pila.last().is_some_and(|aperto| {
            matches!(
                &self.tavole.tipi[self.tavole.elementi[aperto.elemento].tipo],
                Tipo::Semplice(_, semplice) if semplice.is_byte()
            )
        })
    }

    fn note(&mut self, _inizio: usize, _codice: crate::catalogo::Codice) -> Result<(), Dubbio> {
        Err(Dubbio)
    }

    fn segno(&self, elemento: usize) -> Option<&[u8]> {
        Some(&self.tavole.elementi[elemento].segno)
    }

    fn finish(self, _radice: usize) -> Vec<Violazione> {
        Vec::new()
    }
}

/// Values of `xs:unique` in scope: each is held against all others.
const UNICI_MAX: usize = 256;

/// Whether `xsi:type` names the type that the element has anyway.
fn is_nome(attributi: &Attributi<'_>, valore: &str, (namespace, locale): &super::tavole::NomeTipo) -> bool {
    !namespace.is_empty()
        && !locale.is_empty()
        && attributi
            .nome_detto(valore)
            .is_some_and(|detto| detto.is(namespace, locale))
}

/// Whether these are addresses of the plainest kind: in pairs, or a single one.
fn are_uri(valore: &str, coppie: bool) -> bool {
    let semplice = |b: u8| {
        b.is_ascii_alphanumeric() || matches!(b, b':' | b'/' | b'.' | b'_' | b'-' | b' ' | b'\n' | b'\t')
    };
    let quanti = valore.split_ascii_whitespace().count();
    valore.bytes().all(semplice)
        && if coppie {
            quanti > 0 && quanti.is_multiple_of(2)
        } else {
            quanti == 1
        }
}
