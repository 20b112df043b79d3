//! The authority: the crate `xsd-schema` behind our own names. It alone says whether a message is valid against the
//! XSDs, which are compiled in.
//!
//! Its schema set interns names through a `RefCell`, so it belongs to one thread: each thread that reads messages
//! loads its own, once, and keeps it for good. A thread past [`THREADS_MAX`] (a pool that keeps making new ones)
//! loads one for each message instead: slower, but memory stays bounded. Names that no schema knows are never
//! interned: a hostile sender cannot make the table grow.

use std::cell::{Cell, RefCell};
use std::sync::atomic::{AtomicUsize, Ordering};

use xsd_schema::namespace::context::NamespaceContextSnapshot;
use xsd_schema::validation::{
    SchemaValidator, SchemaValidity, ValidationError, ValidationFlags, ValidationRuntime, ValidationSink,
    ValidationWarning,
};
use xsd_schema::{NameId, SchemaSet, parse_schema_only, process_loaded_schemas};

use super::SchemaError;
use super::digest::XSI;
use super::outline::Outline;
use super::testo::Testo;
use crate::contratto::XSDS_DEL_CORPO;

/// Loads the XSDs as one set.
pub(super) fn load() -> Result<SchemaSet, SchemaError> {
    let refused = |source: xsd_schema::SchemaError| SchemaError::Refused {
        causa: source.to_string(),
    };
    let mut set = SchemaSet::new();
    for (nome, testo) in XSDS_DEL_CORPO {
        parse_schema_only(testo.as_bytes(), nome, &mut set).map_err(refused)?;
    }
    process_loaded_schemas(&mut set).map_err(refused)?;
    Ok(set)
}

/// One thread's authority.
pub(super) struct Authority<'s> {
    set: &'s SchemaSet,
    validator: SchemaValidator<'s>,
    /// Namespace and local name of each element of the outline, in its order.
    nomi: Vec<(NameId, Option<NameId>)>,
    /// A name of ours: the prefix of the one `QName` that is handed over (`xsi:type`), and the stand-in for names that
    /// no schema knows.
    prefisso: NameId,
}

impl<'s> Authority<'s> {
    fn new(set: &'s SchemaSet, outline: &Outline) -> Result<Self, SchemaError> {
        let validator = SchemaValidator::new(set, ValidationFlags::empty());
        if let Some((_, causa)) = validator.content_model_failures().first() {
            return Err(SchemaError::Refused {
                causa: (*causa).to_owned(),
            });
        }
        let nomi = outline
            .elementi
            .iter()
            .map(|elemento| {
                let namespace =
                    (!elemento.namespace.is_empty()).then(|| set.name_table.add(&elemento.namespace));
                (set.name_table.add(&elemento.locale), namespace)
            })
            .collect();
        Ok(Self {
            set,
            validator,
            nomi,
            prefisso: set.name_table.add(PREFISSO),
        })
    }
}

#[cfg(test)]
impl Authority<'_> {
    /// How many names are interned.
    pub(super) fn nomi_noti(&self) -> usize {
        self.set.name_table.len()
    }
}

/// Runs `work` with this thread's authority.
pub(super) fn with_authority<T>(
    outline: &Outline,
    work: impl FnOnce(&Authority<'_>) -> T,
) -> Result<T, SchemaError> {
    if let Some(authority) = AUTHORITY.get() {
        return Ok(work(authority));
    }
    if THREADS.fetch_add(1, Ordering::Relaxed) < THREADS_MAX {
        // Kept for the life of the thread and a little memory for good: bounded by THREADS_MAX, and the only way to
        // hold a validator beside the set that it borrows.
        let set: &'static SchemaSet = Box::leak(Box::new(load()?));
        let authority: &'static Authority<'static> = Box::leak(Box::new(Authority::new(set, outline)?));
        AUTHORITY.set(Some(authority));
        return Ok(work(authority));
    }
    THREADS.fetch_sub(1, Ordering::Relaxed);
    let set = load()?;
    let authority = Authority::new(&set, outline)?;
    Ok(work(&authority))
}

thread_local! {
    static AUTHORITY: Cell<Option<&'static Authority<'static>>> = const { Cell::new(None) };
}

/// Authorities kept so far.
static THREADS: AtomicUsize = AtomicUsize::new(0);

/// Threads that keep an authority of their own.
const THREADS_MAX: usize = 64;

/// What the authority reported about one event.
#[derive(Debug, Clone)]
pub(super) struct Appunto {
    /// Its `cvc-…` code.
    pub(super) vincolo: &'static str,
    /// The local name of the attribute or element meant.
    pub(super) soggetto: Option<String>,
}

/// Where a run's reports arrive.
#[derive(Debug, Default)]
pub(super) struct Appunti(RefCell<Vec<Appunto>>);

impl ValidationSink for &Appunti {
    fn on_error(&mut self, error: ValidationError) {
        // The message may quote a value: it goes no further than this line.
        self.0.borrow_mut().push(Appunto {
            vincolo: error.constraint,
            soggetto: error
                .subject()
                .map(|soggetto| soggetto.name().local_name().to_owned()),
        });
    }

    fn on_warning(&mut self, _warning: ValidationWarning) {}
}

/// One message before the authority. Every call returns what was reported meanwhile.
pub(super) struct Udienza<'a> {
    authority: &'a Authority<'a>,
    runtime: ValidationRuntime<'a, &'a Appunti>,
    appunti: &'a Appunti,
    senza_prefissi: NamespaceContextSnapshot,
}

impl<'a> Udienza<'a> {
    pub(super) fn open(authority: &'a Authority<'a>, appunti: &'a Appunti) -> Self {
        Self {
            authority,
            runtime: authority.validator.start_run(appunti),
            appunti,
            senza_prefissi: NamespaceContextSnapshot {
                default_ns: None,
                bindings: Vec::new(),
            },
        }
    }

    /// A start tag of an element of the outline, without `xsi:type` and `xsi:nil`.
    pub(super) fn element(&mut self, elemento: usize) -> Vec<Appunto> {
        let (locale, namespace) = self.authority.nomi[elemento];
        self.runtime
            .validate_element_by_id_novalue(locale, namespace, None, None, &self.senza_prefissi);
        self.reported()
    }

    /// The same with `xsi:type` (namespace and local name of the type, once resolved) and `xsi:nil`. `None`: no
    /// schema knows a type of that name, and the authority was told of the element without it.
    pub(super) fn element_xsi(
        &mut self,
        elemento: usize,
        tipo: Option<(&str, &str)>,
        nil: Option<&str>,
    ) -> Option<Vec<Appunto>> {
        let nomi = &self.authority.set.name_table;
        let mut prefissi = self.senza_prefissi.clone();
        let mut qname = None;
        let mut ignoto = false;
        if let Some((namespace, locale)) = tipo {
            let noto = nomi.get(locale).and_then(|_| nomi.get(namespace));
            match noto {
                Some(namespace) => {
                    prefissi.bindings.push((self.authority.prefisso, namespace));
                    qname = Some(format!("{PREFISSO}:{locale}"));
                }
                None => ignoto = true,
            }
        }
        let (locale, namespace) = self.authority.nomi[elemento];
        self.runtime
            .validate_element_by_id_novalue(locale, namespace, qname.as_deref(), nil, &prefissi);
        let appunti = self.reported();
        (!ignoto).then_some(appunti)
    }

    /// An attribute that the outline or XML Schema itself knows.
    pub(super) fn attribute(&mut self, namespace: &str, locale: &str, valore: &str) -> Vec<Appunto> {
        let nomi = &self.authority.set.name_table;
        let luoghi;
        let valore = match (namespace, locale) {
            // Taken in with the element; its value was rewritten there.
            (XSI, "type") => return Vec::new(),
            (XSI, "schemaLocation") => {
                luoghi = self.known_places(valore);
                &luoghi
            }
            _ => valore,
        };
        // An attribute that no schema knows is one like the other: its name is not interned.
        let noto = |nome| nomi.get(nome).unwrap_or(self.authority.prefisso);
        let namespace_id = (!namespace.is_empty()).then(|| noto(namespace));
        let locale = noto(locale);
        self.runtime
            .validate_attribute_by_id(locale, namespace_id, valore);
        self.reported()
    }

    /// Where schemas lie, in pairs: the authority keeps every namespace that it meets here, so those that no schema knows
    /// become one.
    fn known_places(&self, valore: &str) -> String {
        let nomi = &self.authority.set.name_table;
        let parole: Vec<&str> = valore
            .split_whitespace()
            .enumerate()
            .map(|(posto, parola)| {
                if posto % 2 == 0 && nomi.get(parola).is_none() {
                    PREFISSO
                } else {
                    parola
                }
            })
            .collect();
        parole.join(" ")
    }

    pub(super) fn end_of_attributes(&mut self) -> Vec<Appunto> {
        self.runtime.validate_end_of_attributes_novalue();
        self.reported()
    }

    /// The whole text of an element.
    pub(super) fn text(&mut self, testo: &Testo) -> Vec<Appunto> {
        if testo.is_bianco() {
            self.runtime.validate_whitespace(testo.as_str());
        } else {
            self.runtime.validate_text(testo.as_str());
        }
        self.reported()
    }

    /// An end tag: whether the authority holds the element valid, and what it reported.
    pub(super) fn end(&mut self) -> (bool, Vec<Appunto>) {
        let validity = self.runtime.validate_end_element_novalue();
        (validity == SchemaValidity::Valid, self.reported())
    }

    /// An element that is not in the message: it carries the content model past a missing one, unheard.
    pub(super) fn muted(&mut self, elemento: usize) {
        self.element(elemento);
        self.runtime.validate_end_of_attributes_novalue();
        self.runtime.validate_end_element_novalue();
        self.reported();
    }

    /// The end of the message: whether the run ended as it should.
    pub(super) fn close(mut self) -> bool {
        let ended = self.runtime.end_validation().is_ok();
        ended && self.reported().is_empty()
    }

    fn reported(&self) -> Vec<Appunto> {
        // An empty vector costs nothing, and there mostly is nothing.
        std::mem::take(&mut *self.appunti.0.borrow_mut())
    }
}

/// See [`Authority::prefisso`].
const PREFISSO: &str = "varco-xsi-type";
