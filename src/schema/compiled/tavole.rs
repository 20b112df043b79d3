//! From the authority's schema set to flat tables.
//!
//! A content model becomes states: one before the first child, and one behind each element particle, with a counter
//! for how often in a row it stood there. Each state lists what may come next; names are unique in every list, so
//! that there is never a choice to make. A type in which something else is found is [`Tipo::Ignoto`], by a word that
//! says what: a message that meets it goes to the authority.

use std::collections::{HashMap, HashSet};
use std::ops::Range;

use xsd_schema::arenas::{ComplexTypeDefData, ElementDeclData};
use xsd_schema::parser::frames::{
    AttributeUseKind, ComplexContentResult, Compositor, DerivationMethod, FieldResult, IdentityKind,
    ParticleResult, ParticleTerm, SelectorResult,
};
use xsd_schema::{ElementKey, NameId, SchemaSet, TypeKey};

use super::semplice::Semplice;
use crate::schema::digest;
use crate::xml::Nome;

/// The schemas as tables.
#[derive(Debug)]
pub(in crate::schema) struct Tavole {
    pub(super) elementi: Vec<Elemento>,
    pub(super) tipi: Vec<Tipo>,
    /// What may come next, the list of one state behind that of another.
    pub(super) mosse: Vec<Mossa>,
    /// The elements that may begin a document.
    pub(super) globali: Vec<usize>,
}

/// An element declaration.
#[derive(Debug)]
pub(super) struct Elemento {
    pub(super) namespace: Box<str>,
    pub(super) locale: Box<str>,
    pub(super) tipo: usize,
    /// Its start tag in the digest, without attributes.
    pub(super) segno: Box<[u8]>,
    pub(super) unici: Vec<Unico>,
    /// Its value is the field of somebody's `xs:unique`.
    pub(super) campo_unico: bool,
}

/// A declaration and its type, as it stands in the tables; what a type is not known for.
#[derive(Debug)]
pub(super) enum Tipo {
    Ignoto(&'static str),
    Semplice(NomeTipo, Semplice),
    Complesso(NomeTipo, Complesso),
}

/// Namespace and local name of a type; the latter empty when it has none.
pub(super) type NomeTipo = (Box<str>, Box<str>);

/// A type with children, or with nothing at all.
#[derive(Debug, Default)]
pub(super) struct Complesso {
    /// The first one is that before the first child.
    pub(super) stati: Vec<Stato>,
    pub(super) attributi: Vec<Attributo>,
    /// The attributes that must be there, a bit for each.
    pub(super) obbligatori: u64,
}

#[derive(Debug)]
pub(super) struct Stato {
    /// Children in a row that must and may bring here; the first state has none.
    pub(super) min: u32,
    pub(super) max: u32,
    /// The element that brings here.
    pub(super) elemento: Option<usize>,
    /// Its part of [`Tavole::mosse`].
    pub(super) mosse: Range<usize>,
    /// Nothing more need come.
    pub(super) finale: bool,
}

/// A child that may come, and the state behind it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Mossa {
    pub(super) elemento: usize,
    pub(super) stato: usize,
}

#[derive(Debug)]
pub(super) struct Attributo {
    pub(super) namespace: Box<str>,
    pub(super) locale: Box<str>,
    pub(super) tipo: Semplice,
}

/// An `xs:unique` or `xs:key` over one field of one kind of child.
#[derive(Debug)]
pub(super) struct Unico {
    pub(super) figlio: usize,
    pub(super) campo: usize,
    /// `xs:key`: the field must be there.
    pub(super) chiave: bool,
}

impl Tavole {
    /// Compiles the declarations, which keep their order and come before all others, and whatever they lead to.
    pub(in crate::schema) fn compile(
        set: &SchemaSet,
        dichiarazioni: impl Iterator<Item = ElementKey>,
        globali: &[usize],
    ) -> Self {
        let mut compilatore = Compilatore {
            set,
            tavole: Self {
                elementi: Vec::new(),
                tipi: Vec::new(),
                mosse: Vec::new(),
                globali: globali.to_vec(),
            },
            elementi: HashMap::new(),
            da_tipare: Vec::new(),
            tipi: HashMap::new(),
        };
        for chiave in dichiarazioni {
            compilatore.elemento(chiave);
        }
        while let Some((elemento, chiave)) = compilatore.da_tipare.pop() {
            compilatore.complete(elemento, &set.arenas.elements[chiave]);
        }
        compilatore.identities();
        for tipo in &compilatore.tavole.tipi {
            if let Tipo::Ignoto(cosa) = tipo {
                tracing::warn!("{cosa}: messages with it go before the authority");
            }
        }
        compilatore.tavole
    }

    /// The element that may begin a document, by name.
    pub(super) fn globale(&self, nome: Nome<'_>) -> Option<usize> {
        self.globali.iter().copied().find(|indice| {
            let elemento = &self.elementi[*indice];
            nome.is(&elemento.namespace, &elemento.locale)
        })
    }

    /// What is not known, by its words: to look at in tests.
    #[cfg(test)]
    pub(super) fn ignoti(&self) -> Vec<&'static str> {
        self.tipi
            .iter()
            .filter_map(|tipo| match tipo {
                Tipo::Ignoto(cosa) => Some(*cosa),
                Tipo::Semplice(..) | Tipo::Complesso(..) => None,
            })
            .collect()
    }
}

struct Compilatore<'s> {
    set: &'s SchemaSet,
    tavole: Tavole,
    elementi: HashMap<ElementKey, usize>,
    da_tipare: Vec<(usize, ElementKey)>,
    tipi: HashMap<TypeKey, usize>,
}

/// A part of a content model: where it begins, where it ends, whether it may be nothing.
#[derive(Default)]
struct Tratto {
    primi: Vec<usize>,
    ultimi: Vec<usize>,
    annullabile: bool,
}

/// The element particles of a content model, and which follow which.
#[derive(Default)]
struct Posti {
    posti: Vec<(usize, u32, u32)>,
    seguono: Vec<Vec<usize>>,
}

impl Compilatore<'_> {
    fn text(&self, nome: Option<NameId>) -> Box<str> {
        nome.map(|nome| self.set.name_table.resolve(nome))
            .unwrap_or_default()
            .into()
    }

    /// The place of a declaration in the tables; its type is looked at later.
    fn elemento(&mut self, chiave: ElementKey) -> usize {
        if let Some(indice) = self.elementi.get(&chiave) {
            return *indice;
        }
        let dati = &self.set.arenas.elements[chiave];
        let (namespace, locale) = (self.text(dati.target_namespace), self.text(dati.name));
        let indice = self.tavole.elementi.len();
        self.elementi.insert(chiave, indice);
        self.da_tipare.push((indice, chiave));
        self.tavole.elementi.push(Elemento {
            segno: digest::segno(&namespace, &locale),
            namespace,
            locale,
            tipo: 0,
            unici: Vec::new(),
            campo_unico: false,
        });
        indice
    }

    fn complete(&mut self, elemento: usize, dati: &ElementDeclData) {
        let ignoto = if dati.is_abstract {
            Some("abstract element")
        } else if dati.default_value.is_some() || dati.fixed_value.is_some() {
            Some("default or fixed value")
        } else if !dati.alternatives.is_empty() || !dati.pending_ic_refs.is_empty() {
            Some("type alternatives or references to identity constraints")
        } else {
            None
        };
        self.tavole.elementi[elemento].tipo = match (ignoto, dati.resolved_type) {
            (Some(cosa), _) => self.push(Tipo::Ignoto(cosa)),
            (None, None) => self.push(Tipo::Ignoto("element without a type")),
            (None, Some(tipo)) => self.tipo(tipo),
        };
    }

    fn push(&mut self, tipo: Tipo) -> usize {
        self.tavole.tipi.push(tipo);
        self.tavole.tipi.len() - 1
    }

    fn tipo(&mut self, chiave: TypeKey) -> usize {
        if let Some(indice) = self.tipi.get(&chiave) {
            return *indice;
        }
        let set = self.set;
        let tipo = match chiave {
            TypeKey::Simple(semplice) => {
                let dati = &set.arenas.simple_types[semplice];
                let nome = (self.text(dati.target_namespace), self.text(dati.name));
                Semplice::compile(set, semplice).map(|semplice| Tipo::Semplice(nome, semplice))
            }
            TypeKey::Complex(complesso) => {
                let dati = &set.arenas.complex_types[complesso];
                let nome = (self.text(dati.target_namespace), self.text(dati.name));
                self.complesso(dati)
                    .map(|complesso| Tipo::Complesso(nome, complesso))
            }
        };
        let indice = self.push(tipo.unwrap_or_else(Tipo::Ignoto));
        self.tipi.insert(chiave, indice);
        indice
    }

    fn complesso(&mut self, dati: &ComplexTypeDefData) -> Result<Complesso, &'static str> {
        let mut posti = Posti::default();
        let mut complesso = Complesso::default();
        let tratto = self.content(dati, &mut posti, &mut complesso, 0)?;
        let seguono = std::iter::once(&tratto.primi).chain(&posti.seguono);
        let posti = std::iter::once((None, 0, 0)).chain(
            posti
                .posti
                .iter()
                .map(|(elemento, min, max)| (Some(*elemento), *min, *max)),
        );
        let elementi: Vec<Option<usize>> = posti.clone().map(|(elemento, ..)| elemento).collect();
        for (stato, ((elemento, min, max), seguono)) in posti.zip(seguono).enumerate() {
            let da = self.tavole.mosse.len();
            let mosse = seguono.iter().filter_map(|posto| {
                Some(Mossa {
                    elemento: elementi[posto + 1]?,
                    stato: posto + 1,
                })
            });
            self.tavole.mosse.extend(mosse);
            let mosse = da..self.tavole.mosse.len();
            let mut nomi = HashSet::new();
            let ancora = elemento.filter(|_| max > 1);
            let unici = self.tavole.mosse[mosse.clone()]
                .iter()
                .map(|mossa| mossa.elemento)
                .chain(ancora)
                .all(|elemento| {
                    let elemento = &self.tavole.elementi[elemento];
                    nomi.insert((elemento.namespace.clone(), elemento.locale.clone()))
                });
            if !unici {
                return Err("one name in two places of a content model");
            }
            complesso.stati.push(Stato {
                min,
                max,
                elemento,
                mosse,
                finale: if stato == 0 {
                    tratto.annullabile
                } else {
                    tratto.ultimi.contains(&(stato - 1))
                },
            });
        }
        Ok(complesso)
    }

    /// The content model and the attributes of a type, those that it extends before its own.
    fn content(
        &mut self,
        dati: &ComplexTypeDefData,
        posti: &mut Posti,
        complesso: &mut Complesso,
        profondita: usize,
    ) -> Result<Tratto, &'static str> {
        let set = self.set;
        if dati.mixed || dati.is_abstract || dati.open_content.is_some() {
            return Err("mixed, open or abstract type");
        }
        if dati.attribute_wildcard.is_some() || !dati.attribute_groups.is_empty() {
            return Err("attribute wildcard or group");
        }
        let mut tratto = Tratto {
            annullabile: true,
            ..Tratto::default()
        };
        let any_type = TypeKey::Complex(set.any_type_key());
        match (dati.derivation_method, dati.resolved_base_type) {
            (_, None) => {}
            (_, Some(base)) if base == any_type => {}
            (Some(DerivationMethod::Extension), Some(TypeKey::Complex(base))) => {
                // A circle is the authority's to refuse; here it only must come to an end.
                if profondita == PROFONDITA_MAX || dati.redefine_original.is_some() {
                    return Err("extension without an end, or redefined");
                }
                tratto = self.content(&set.arenas.complex_types[base], posti, complesso, profondita + 1)?;
            }
            _ => return Err("restriction, or extension of a simple type"),
        }
        match &dati.content {
            ComplexContentResult::Empty => {}
            ComplexContentResult::Simple(_) => return Err("simpleContent"),
            ComplexContentResult::Complex(contenuto) => {
                if let Some(particella) = &contenuto.particle {
                    // Local declarations are kept beside the particles, counted depth first.
                    let mut contati = 0;
                    let proprio = self.particle(particella, dati, &mut contati, posti)?;
                    tratto = posti.sequence([tratto, proprio]);
                }
            }
        }
        self.attributes(dati, complesso)?;
        Ok(tratto)
    }

    fn particle(
        &mut self,
        particella: &ParticleResult,
        dati: &ComplexTypeDefData,
        contati: &mut usize,
        posti: &mut Posti,
    ) -> Result<Tratto, &'static str> {
        match &particella.term {
            ParticleTerm::Any(_) => Err("xs:any"),
            ParticleTerm::Element(elemento) => {
                let dichiarato = dati.resolved_content_particle_elements.get(*contati).copied();
                *contati += 1;
                let chiave = match &elemento.ref_name {
                    Some(nome) => self.set.lookup_element(nome.namespace, nome.local_name),
                    None => dichiarato.flatten(),
                };
                let elemento = self.elemento(chiave.ok_or("unresolved element")?);
                let (min, max) = (particella.min_occurs, particella.max_occurs.unwrap_or(u32::MAX));
                Ok(posti.push(elemento, min, max))
            }
            ParticleTerm::Group(gruppo) => {
                // A group that repeats would need a count of its own, and its children are numbered across the rounds.
                let facoltativo = match (particella.min_occurs, particella.max_occurs) {
                    (1, Some(1)) => false,
                    (0, Some(1)) => true,
                    _ => return Err("repeated group"),
                };
                let interne = |compilatore: &mut Self, posti: &mut Posti, contati: &mut usize| {
                    gruppo
                        .particles
                        .iter()
                        .map(|interna| compilatore.particle(interna, dati, contati, posti))
                        .collect::<Result<Vec<_>, _>>()
                };
                let mut tratto = match gruppo.compositor {
                    Some(Compositor::Sequence) => {
                        let interne = interne(self, posti, contati)?;
                        posti.sequence(interne)
                    }
                    Some(Compositor::Choice) => {
                        let mut interne = interne(self, posti, contati)?;
                        // What may never come is no alternative: not even that nothing comes.
                        let mut particelle = gruppo.particles.iter();
                        interne.retain(|_| particelle.next().is_some_and(|p| p.max_occurs != Some(0)));
                        if interne.is_empty() {
                            return Err("choice between nothing");
                        }
                        choice(interne)
                    }
                    Some(Compositor::All) | None => return Err("xs:all or group reference"),
                };
                tratto.annullabile |= facoltativo;
                Ok(tratto)
            }
        }
    }

    fn attributes(
        &mut self,
        dati: &ComplexTypeDefData,
        complesso: &mut Complesso,
    ) -> Result<(), &'static str> {
        for (uso, risolto) in dati.attributes.iter().zip(&dati.resolved_attributes) {
            let attributo = &uso.attribute;
            if attributo.ref_name.is_some()
                || attributo.default_value.is_some()
                || attributo.fixed_value.is_some()
                || uso.use_kind == AttributeUseKind::Prohibited
            {
                return Err("attribute by reference, prohibited, or with a value of its own");
            }
            let Some(TypeKey::Simple(tipo)) = risolto.resolved_type else {
                return Err("attribute without a type");
            };
            let quale = complesso.attributi.len();
            if quale == ATTRIBUTI_MAX {
                return Err("more attributes than bits");
            }
            if uso.use_kind == AttributeUseKind::Required {
                complesso.obbligatori |= 1 << quale;
            }
            let namespace = self.set.effective_local_attribute_namespace(
                attributo.target_namespace,
                attributo.form.as_deref(),
                attributo.source.as_ref(),
                dati.target_namespace,
            );
            complesso.attributi.push(Attributo {
                namespace: self.text(namespace),
                locale: self.text(attributo.name),
                tipo: Semplice::compile(self.set, tipo).and_then(|tipo| {
                    // Nobody decodes an attribute.
                    if tipo.is_byte() {
                        Err("attribute of bytes")
                    } else {
                        Ok(tipo)
                    }
                })?,
            });
        }
        if dati.attributes.len() == dati.resolved_attributes.len() {
            Ok(())
        } else {
            Err("attribute that is not resolved")
        }
    }

    /// Identity constraints, once all types are known; an element that has another kind of them gets a type that is not.
    fn identities(&mut self) {
        let set = self.set;
        let elementi: Vec<(ElementKey, usize)> =
            self.elementi.iter().map(|(chiave, i)| (*chiave, *i)).collect();
        for (chiave, elemento) in elementi {
            let vincoli = &set.arenas.elements[chiave].identity_constraints;
            let unici: Option<Vec<Unico>> = vincoli
                .iter()
                .map(|vincolo| {
                    let vincolo = &set.arenas.identity_constraints[*vincolo];
                    let [campo] = vincolo.fields.as_slice() else {
                        return None;
                    };
                    let chiave = match vincolo.kind {
                        IdentityKind::Unique => false,
                        IdentityKind::Key => true,
                        IdentityKind::Keyref => return None,
                    };
                    let figlio = self.only_child(elemento, &vincolo.selector.step())?;
                    let campo = self.only_child(figlio, &campo.step())?;
                    let di_testo = matches!(
                        &self.tavole.tipi[self.tavole.elementi[campo].tipo],
                        Tipo::Semplice(_, semplice) if semplice.is_testo()
                    );
                    di_testo.then_some(Unico {
                        figlio,
                        campo,
                        chiave,
                    })
                })
                .collect();
            match unici {
                Some(unici) => {
                    for unico in &unici {
                        self.tavole.elementi[unico.campo].campo_unico = true;
                    }
                    self.tavole.elementi[elemento].unici = unici;
                }
                None => self.tavole.elementi[elemento].tipo = self.push(Tipo::Ignoto("identity constraint")),
            }
        }
    }

    /// The one child of that name that an element may have; its path is a name and nothing else.
    fn only_child(&self, elemento: usize, passo: &Passo<'_>) -> Option<usize> {
        let Tipo::Complesso(_, complesso) = &self.tavole.tipi[self.tavole.elementi[elemento].tipo] else {
            return None;
        };
        let (prefisso, locale) = passo.xpath.split_once(':')?;
        let nome = |nome: &str| {
            nome.bytes()
                .all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-')
        };
        if !nome(prefisso) || !nome(locale) {
            return None;
        }
        let nomi = &self.set.name_table;
        let prefisso = nomi.get(prefisso)?;
        let (_, namespace) = passo.legami.iter().find(|(noto, _)| *noto == prefisso)?;
        let namespace = self.text(Some(*namespace));
        let mut figli: Vec<usize> = complesso
            .stati
            .iter()
            .filter_map(|stato| stato.elemento)
            .filter(|figlio| {
                let figlio = &self.tavole.elementi[*figlio];
                *figlio.locale == *locale && figlio.namespace == namespace
            })
            .collect();
        figli.sort_unstable();
        figli.dedup();
        <[usize; 1]>::try_from(figli).ok().map(|[figlio]| figlio)
    }
}

impl Posti {
    /// A particle of one element.
    fn push(&mut self, elemento: usize, min: u32, max: u32) -> Tratto {
        if max == 0 {
            return Tratto {
                annullabile: true,
                ..Tratto::default()
            };
        }
        let posto = self.posti.len();
        self.posti.push((elemento, min, max));
        self.seguono.push(Vec::new());
        Tratto {
            primi: vec![posto],
            ultimi: vec![posto],
            annullabile: min == 0,
        }
    }

    fn sequence(&mut self, tratti: impl IntoIterator<Item = Tratto>) -> Tratto {
        let mut intero = Tratto {
            annullabile: true,
            ..Tratto::default()
        };
        for tratto in tratti {
            for ultimo in &intero.ultimi {
                self.seguono[*ultimo].extend(&tratto.primi);
            }
            if intero.annullabile {
                intero.primi.extend(&tratto.primi);
            }
            if !tratto.annullabile {
                intero.ultimi.clear();
            }
            intero.ultimi.extend(tratto.ultimi);
            intero.annullabile &= tratto.annullabile;
        }
        intero
    }
}

fn choice(tratti: Vec<Tratto>) -> Tratto {
    let mut scelta = Tratto::default();
    for tratto in tratti {
        scelta.primi.extend(tratto.primi);
        scelta.ultimi.extend(tratto.ultimi);
        scelta.annullabile |= tratto.annullabile;
    }
    scelta
}

/// The path of a selector or a field, with the prefixes in scope where it was written.
struct Passo<'s> {
    xpath: &'s str,
    legami: &'s [(NameId, NameId)],
}

trait Percorso {
    fn step(&self) -> Passo<'_>;
}

impl Percorso for SelectorResult {
    fn step(&self) -> Passo<'_> {
        Passo {
            xpath: &self.xpath,
            legami: &self.ns_snapshot.bindings,
        }
    }
}

impl Percorso for FieldResult {
    fn step(&self) -> Passo<'_> {
        Passo {
            xpath: &self.xpath,
            legami: &self.ns_snapshot.bindings,
        }
    }
}

/// Types that extend each other.
const PROFONDITA_MAX: usize = 32;
/// Attributes of a type: bits of a word.
const ATTRIBUTI_MAX: usize = 64;
