//! The outline of the schemas: which children each element has, in which order and how often, and what its simple
//! types ask for. It is read off the authority's own compiled schema set, so that there is one source; it tells us
//! what is missing and what is out of place, and how to repair it so that the authority can go on. The verdict
//! stays the authority's.
//!
//! It knows the XSD of our contract: sequences of elements and of choices between elements, extension, simple
//! types. An XSD that needs more (wildcards, `xs:all`, nested choices, nillable, mixed content) is refused at load,
//! by name, rather than half understood.

use std::collections::{BTreeSet, HashMap};

use xsd_schema::arenas::{ComplexTypeDefData, ElementDeclData};
use xsd_schema::parser::frames::{
    ComplexContentResult, Compositor, DerivationMethod, ParticleResult, ParticleTerm,
};
use xsd_schema::{ElementKey, NameId, SchemaSet, TypeKey};

use super::SchemaError;
use crate::prestazione::PRESTAZIONI;

/// Elements and types that a request may hold.
#[derive(Debug)]
pub(super) struct Outline {
    pub(super) elementi: Vec<Elemento>,
    pub(super) tipi: Vec<Tipo>,
    /// The elements that may begin a document: indices into `elementi`.
    pub(super) globali: Vec<usize>,
}

/// An element declaration.
#[derive(Debug)]
pub(super) struct Elemento {
    /// Its place in the authority's set.
    pub(super) chiave: ElementKey,
    pub(super) namespace: String,
    pub(super) locale: String,
    /// With the documented prefix, as people are told: `at:Minore`.
    pub(super) etichetta: String,
    /// Index into `tipi`.
    pub(super) tipo: usize,
    /// More than one may stand in its place: its path carries a number.
    pub(super) ripetibile: bool,
    /// The content of an operation (`Operazione::elemento`): the paths inside it begin with it, or with one around it.
    pub(super) contenuto: bool,
    /// The field of the `xs:unique` or `xs:key` that this element declares, as people are told: `at:Codice`.
    pub(super) campo_unico: Option<String>,
}

#[derive(Debug)]
pub(super) enum Tipo {
    Semplice(Semplice),
    Complesso(Complesso),
}

/// A type with children, or with nothing at all.
#[derive(Debug, Default)]
pub(super) struct Complesso {
    pub(super) passi: Vec<Passo>,
    /// Namespace and local name of each attribute it knows.
    pub(super) attributi: Vec<(String, String)>,
}

/// A step of a sequence: one element, or one of several.
#[derive(Debug)]
pub(super) struct Passo {
    pub(super) min: u32,
    /// `None` without a bound.
    pub(super) max: Option<u32>,
    /// Indices into `elementi`.
    pub(super) alternative: Vec<usize>,
}

/// What a simple type asks for.
#[derive(Debug, Default)]
pub(super) struct Semplice {
    /// Its name, or that of the nearest named type of ours above it.
    pub(super) nome: Option<String>,
    /// The XML Schema type it comes from: `date`.
    pub(super) base: String,
    /// In alphabetical order; empty when any value of the type may stand.
    pub(super) valori: Vec<String>,
    pub(super) pattern: Option<String>,
    pub(super) lunghezza: Option<u64>,
    pub(super) lunghezza_min: Option<u64>,
    pub(super) lunghezza_max: Option<u64>,
    pub(super) minimo: Option<String>,
    pub(super) massimo: Option<String>,
}

impl Semplice {
    /// Whether its text is base64: bytes, which may also come as a part of their own.
    pub(super) fn is_byte(&self) -> bool {
        self.base == "base64Binary"
    }
}

impl Outline {
    /// Reads the outline of every operation of every prestazione, and of their contents.
    pub(super) fn read(set: &SchemaSet) -> Result<Self, SchemaError> {
        let mut lettura = Lettura {
            set,
            outline: Self {
                elementi: Vec::new(),
                tipi: Vec::new(),
                globali: Vec::new(),
            },
            elementi: HashMap::new(),
            tipi: HashMap::new(),
        };
        for prestazione in PRESTAZIONI {
            let richieste = prestazione
                .operazioni()
                .map(|operazione| (operazione.nome(), false));
            let contenuti: BTreeSet<_> = prestazione
                .operazioni()
                .filter_map(|operazione| Some((operazione.elemento()?, true)))
                .collect();
            for (nome, contenuto) in richieste.chain(contenuti) {
                let chiave =
                    lettura
                        .lookup(prestazione.namespace, nome)
                        .ok_or_else(|| SchemaError::Missing {
                            nome: nome.to_owned(),
                            xsd: prestazione.xsd,
                        })?;
                let elemento = lettura.elemento(chiave)?;
                lettura.outline.elementi[elemento].contenuto = contenuto;
                lettura.outline.globali.push(elemento);
            }
        }
        Ok(lettura.outline)
    }

    /// The element that may begin a document, by name.
    pub(super) fn globale(&self, namespace: &str, locale: &str) -> Option<usize> {
        self.globali.iter().copied().find(|indice| {
            let elemento = &self.elementi[*indice];
            elemento.locale == locale && elemento.namespace == namespace
        })
    }

    pub(super) fn tipo_di(&self, elemento: usize) -> &Tipo {
        &self.tipi[self.elementi[elemento].tipo]
    }

    /// The names of a step's alternatives: `at:A, at:B`.
    pub(super) fn nomi(&self, passo: &Passo) -> String {
        let nomi: Vec<&str> = passo
            .alternative
            .iter()
            .map(|elemento| self.elementi[*elemento].etichetta.as_str())
            .collect();
        nomi.join(", ")
    }
}

/// A name as people are told: with the documented prefix where there is one.
pub(super) fn etichetta(namespace: &str, locale: &str) -> String {
    match prefisso(namespace) {
        Some(prefisso) => format!("{prefisso}:{locale}"),
        None if namespace.is_empty() => locale.to_owned(),
        None => format!("Q{{{namespace}}}{locale}"),
    }
}

fn prefisso(namespace: &str) -> Option<&'static str> {
    match namespace {
        COOPERAZIONE => Some("coop"),
        super::digest::XSI => Some("xsi"),
        "http://www.w3.org/XML/1998/namespace" => Some("xml"),
        _ => PRESTAZIONI
            .iter()
            .find(|prestazione| prestazione.namespace == namespace)
            .map(|prestazione| prestazione.prefisso),
    }
}

/// The namespace of what the services share.
const COOPERAZIONE: &str = "http://inps.it/cooperazione/v1";
/// The namespace of XML Schema itself.
const XS: &str = "http://www.w3.org/2001/XMLSchema";

/// The outline while it is being read.
struct Lettura<'s> {
    set: &'s SchemaSet,
    outline: Outline,
    elementi: HashMap<ElementKey, usize>,
    tipi: HashMap<TypeKey, usize>,
}

impl Lettura<'_> {
    fn lookup(&self, namespace: &str, locale: &str) -> Option<ElementKey> {
        let nomi = &self.set.name_table;
        self.set
            .lookup_element(Some(nomi.get(namespace)?), nomi.get(locale)?)
    }

    fn text(&self, nome: Option<NameId>) -> String {
        nome.map(|nome| self.set.name_table.resolve(nome))
            .unwrap_or_default()
    }

    fn elemento(&mut self, chiave: ElementKey) -> Result<usize, SchemaError> {
        if let Some(indice) = self.elementi.get(&chiave) {
            return Ok(*indice);
        }
        let dati: &ElementDeclData = &self.set.arenas.elements[chiave];
        let namespace = self.text(dati.target_namespace);
        let locale = self.text(dati.name);
        let etichetta = etichetta(&namespace, &locale);
        let ignoto = |cosa| SchemaError::Unsupported {
            dove: etichetta.clone(),
            cosa,
        };
        if dati.nillable {
            return Err(ignoto("nillable"));
        }
        if dati.is_abstract || !dati.substitution_group.is_empty() {
            return Err(ignoto("abstract element or substitution group"));
        }
        if dati.default_value.is_some() || dati.fixed_value.is_some() {
            return Err(ignoto("default or fixed value"));
        }
        let campo_unico = dati.identity_constraints.first().and_then(|vincolo| {
            let vincolo = &self.set.arenas.identity_constraints[*vincolo];
            vincolo.fields.first().map(|campo| campo.xpath.clone())
        });
        let tipo = dati
            .resolved_type
            .ok_or_else(|| ignoto("element without a type"))?;
        let indice = self.outline.elementi.len();
        self.elementi.insert(chiave, indice);
        self.outline.elementi.push(Elemento {
            chiave,
            namespace,
            locale,
            etichetta,
            tipo: 0,
            ripetibile: false,
            contenuto: false,
            campo_unico,
        });
        let tipo = self.tipo(tipo)?;
        self.outline.elementi[indice].tipo = tipo;
        Ok(indice)
    }

    fn tipo(&mut self, chiave: TypeKey) -> Result<usize, SchemaError> {
        if let Some(indice) = self.tipi.get(&chiave) {
            return Ok(*indice);
        }
        // The place is taken before the children are read: a type may hold itself.
        let indice = self.outline.tipi.len();
        self.tipi.insert(chiave, indice);
        self.outline.tipi.push(Tipo::Complesso(Complesso::default()));
        self.outline.tipi[indice] = match chiave {
            TypeKey::Simple(_) => Tipo::Semplice(self.semplice(chiave)),
            TypeKey::Complex(complesso) => {
                let set = self.set;
                Tipo::Complesso(self.complesso(&set.arenas.complex_types[complesso])?)
            }
        };
        Ok(indice)
    }

    fn complesso(&mut self, dati: &ComplexTypeDefData) -> Result<Complesso, SchemaError> {
        let nome = self.text(dati.name);
        let ignoto = |cosa| SchemaError::Unsupported {
            dove: nome.clone(),
            cosa,
        };
        if dati.mixed || dati.is_abstract {
            return Err(ignoto("mixed content or abstract type"));
        }
        if dati.attribute_wildcard.is_some() || !dati.attribute_groups.is_empty() {
            return Err(ignoto("attribute wildcard or group"));
        }
        let mut complesso = Complesso::default();
        let contenuto = match &dati.content {
            ComplexContentResult::Empty => None,
            ComplexContentResult::Simple(_) => return Err(ignoto("simpleContent")),
            ComplexContentResult::Complex(contenuto) => Some(contenuto),
        };
        if let (Some(DerivationMethod::Extension), Some(TypeKey::Complex(base))) =
            (dati.derivation_method, dati.resolved_base_type)
            && dati.resolved_base_type != Some(TypeKey::Complex(self.set.any_type_key()))
        {
            let set = self.set;
            complesso = self.complesso(&set.arenas.complex_types[base])?;
        }
        if let Some(particella) = contenuto.and_then(|contenuto| contenuto.particle.as_ref()) {
            // Local declarations are kept beside the particles, counted depth first.
            let mut contati = 0;
            self.passi(particella, dati, &mut contati, &mut complesso.passi)?;
        }
        for uso in &dati.attributes {
            complesso.attributi.push((
                self.text(uso.attribute.target_namespace),
                self.text(uso.attribute.name),
            ));
        }
        Ok(complesso)
    }

    fn passi(
        &mut self,
        particella: &ParticleResult,
        dati: &ComplexTypeDefData,
        contati: &mut usize,
        passi: &mut Vec<Passo>,
    ) -> Result<(), SchemaError> {
        let nome = self.text(dati.name);
        let ignoto = |cosa| SchemaError::Unsupported {
            dove: nome.clone(),
            cosa,
        };
        match &particella.term {
            ParticleTerm::Any(_) => Err(ignoto("xs:any")),
            ParticleTerm::Element(elemento) => {
                let dichiarato = dati.resolved_content_particle_elements.get(*contati).copied();
                *contati += 1;
                let chiave = match &elemento.ref_name {
                    Some(nome) => self.set.lookup_element(nome.namespace, nome.local_name),
                    None => dichiarato.flatten(),
                };
                let elemento = self.elemento(chiave.ok_or_else(|| ignoto("unresolved element"))?)?;
                // What may begin a document stands alone there: only inside a lot it repeats, and a lot tells its items by itself.
                if particella.max_occurs != Some(1) && !self.outline.globali.contains(&elemento) {
                    self.outline.elementi[elemento].ripetibile = true;
                }
                passi.push(Passo {
                    min: particella.min_occurs,
                    max: particella.max_occurs,
                    alternative: vec![elemento],
                });
                Ok(())
            }
            ParticleTerm::Group(gruppo) => match gruppo.compositor {
                Some(Compositor::Sequence) => {
                    if (particella.min_occurs, particella.max_occurs) != (1, Some(1)) {
                        return Err(ignoto("repeated or optional sequence"));
                    }
                    for interna in &gruppo.particles {
                        self.passi(interna, dati, contati, passi)?;
                    }
                    Ok(())
                }
                Some(Compositor::Choice) => {
                    let mut scelte = Vec::new();
                    for interna in &gruppo.particles {
                        let ParticleTerm::Element(_) = interna.term else {
                            return Err(ignoto("choice between groups"));
                        };
                        if (interna.min_occurs, interna.max_occurs) != (1, Some(1)) {
                            return Err(ignoto("choice between repeated or optional elements"));
                        }
                        self.passi(interna, dati, contati, &mut scelte)?;
                    }
                    let alternative: Vec<usize> =
                        scelte.into_iter().flat_map(|passo| passo.alternative).collect();
                    if particella.max_occurs != Some(1) {
                        for elemento in &alternative {
                            self.outline.elementi[*elemento].ripetibile = true;
                        }
                    }
                    passi.push(Passo {
                        min: particella.min_occurs,
                        max: particella.max_occurs,
                        alternative,
                    });
                    Ok(())
                }
                Some(Compositor::All) | None => Err(ignoto("xs:all or group reference")),
            },
        }
    }

    /// Gathers what a simple type asks for, from the type itself up to the XML Schema type it comes from: the
    /// nearest facet of a kind is the narrowest.
    fn semplice(&self, chiave: TypeKey) -> Semplice {
        let mut semplice = Semplice::default();
        let mut prossimo = Some(chiave);
        while let Some(TypeKey::Simple(questo)) = prossimo {
            let dati = &self.set.arenas.simple_types[questo];
            let nome = self.text(dati.name);
            if self.text(dati.target_namespace) == XS || self.set.builtin_types().is_builtin(questo) {
                semplice.base = nome;
                break;
            }
            if semplice.nome.is_none() && !nome.is_empty() {
                semplice.nome = Some(nome);
            }
            let facets = &dati.facets;
            if semplice.valori.is_empty()
                && let Some(valori) = &facets.enumeration
            {
                semplice.valori = valori.values.iter().cloned().collect();
                semplice.valori.sort_unstable();
            }
            if semplice.pattern.is_none() {
                semplice.pattern = facets
                    .patterns
                    .last()
                    .and_then(|passo| passo.first())
                    .map(|pattern| pattern.value.clone());
            }
            let lunghezza = facets.length.as_ref().map(|facet| facet.value);
            let lunghezza_min = facets.min_length.as_ref().map(|facet| facet.value);
            let lunghezza_max = facets.max_length.as_ref().map(|facet| facet.value);
            let minimo = facets.min_inclusive.as_ref().map(|facet| facet.value.clone());
            let massimo = facets.max_inclusive.as_ref().map(|facet| facet.value.clone());
            semplice.lunghezza = semplice.lunghezza.or(lunghezza);
            semplice.lunghezza_min = semplice.lunghezza_min.or(lunghezza_min);
            semplice.lunghezza_max = semplice.lunghezza_max.or(lunghezza_max);
            semplice.minimo = semplice.minimo.take().or(minimo);
            semplice.massimo = semplice.massimo.take().or(massimo);
            prossimo = dati.resolved_base_type;
        }
        semplice
    }
}
