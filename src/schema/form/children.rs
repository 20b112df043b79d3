//! Which child may stand where: what is missing before it, what is one too many, what has no place at all; and how
//! the authority is carried past each of these.

use super::{Form, Mancante, Rilievo, Visto, shortened, shown, step};
use crate::catalogo::Codice;
use crate::domanda::Violazione;
use crate::schema::outline::{Complesso, Passo, Tipo};
use crate::xml::Nome;

impl Form<'_> {
    /// Decides on a child of the innermost element: its declaration and number if it is to be handed on.
    pub(super) fn child(&mut self, nome: Nome<'_>, inizio: usize) -> Option<(usize, u32)> {
        let outline = self.outline;
        let aperto = self.pila.last()?;
        let (padre, base, qui) = (aperto.elemento, aperto.base, aperto.passo);
        let complesso = match outline.tipo_di(padre) {
            Tipo::Semplice(_) => {
                self.child_in_simple(nome, inizio);
                return None;
            }
            Tipo::Complesso(complesso) => complesso,
        };
        let giusto = |elemento: usize| {
            let elemento = &outline.elementi[elemento];
            nome.is(&elemento.namespace, &elemento.locale)
        };
        let Some((passo, elemento)) = self.find(complesso, base, qui, giusto) else {
            self.unknown(complesso, nome, inizio);
            return None;
        };
        let visto = self.visti[base + passo];
        let massimo = complesso.passi[passo].max;
        let pieno = massimo.is_some_and(|massimo| visto.veri >= massimo);
        self.visti[base + passo].veri = visto.veri.saturating_add(1);
        if !pieno && passo >= qui {
            self.missing_before(complesso, passo, inizio);
            self.pila.last_mut()?.passo = passo;
            let visto = &mut self.visti[base + passo];
            visto.primo.get_or_insert(elemento);
            return Some((elemento, visto.veri));
        }
        let violazione = if pieno {
            if visto.troppi {
                return None;
            }
            self.visti[base + passo].troppi = true;
            self.too_many(&complesso.passi[passo], elemento, visto)
        } else {
            self.out_of_place(complesso, passo, elemento, visto)
        };
        match visto.mancante {
            // It was told as missing, and now it is there, late: one fault, the later place.
            Mancante::Detto(rilievo) if !pieno => self.rilievi[rilievo] = Rilievo { inizio, violazione },
            Mancante::Detto(_) | Mancante::Taciuto | Mancante::No => {
                self.keep(inizio, violazione);
            }
        }
        None
    }

    /// The step for a child: one that can still take it, from the present one on; else one that could have.
    fn find(
        &self,
        complesso: &Complesso,
        base: usize,
        qui: usize,
        fits: impl Fn(usize) -> bool,
    ) -> Option<(usize, usize)> {
        let mut ripiego = None;
        let passi = complesso.passi.iter().enumerate();
        // The present step and those after it first: they are where the child mostly belongs.
        for (indice, passo) in passi.clone().skip(qui).chain(passi.take(qui)) {
            if let Some(elemento) = passo.alternative.iter().copied().find(|elemento| fits(*elemento)) {
                let visto = self.visti[base + indice];
                if indice >= qui && passo.max.is_none_or(|massimo| visto.veri < massimo) {
                    return Some((indice, elemento));
                }
                ripiego = ripiego.or(Some((indice, elemento)));
            }
        }
        ripiego
    }

    /// Reports the steps before `passo` that lack something, and carries the authority past them.
    fn missing_before(&mut self, complesso: &Complesso, passo: usize, inizio: usize) {
        let Some(aperto) = self.pila.last() else {
            return;
        };
        let (base, qui) = (aperto.base, aperto.passo);
        for indice in qui..passo {
            self.missing(complesso, base, indice, passo, inizio);
        }
    }

    /// Reports what an element that ends lacks, and completes it for the authority.
    pub(super) fn complete(&mut self, complesso: &Complesso, inizio: usize) {
        let Some(aperto) = self.pila.last() else {
            return;
        };
        let (base, qui) = (aperto.base, aperto.passo);
        for indice in qui..complesso.passi.len() {
            self.missing(complesso, base, indice, complesso.passi.len(), inizio);
        }
    }

    /// Reports step `indice` if it lacks something; `prossimo` is the step of the element found instead.
    fn missing(&mut self, complesso: &Complesso, base: usize, indice: usize, prossimo: usize, inizio: usize) {
        let passo = &complesso.passi[indice];
        let visto = self.visti[base + indice];
        let mancano = passo.min.saturating_sub(visto.veri.saturating_add(visto.muti));
        let Some(primo) = passo.alternative.first().copied() else {
            return;
        };
        if mancano == 0 {
            return;
        }
        for _ in 0..mancano {
            self.udienza.muted(primo);
        }
        self.visti[base + indice].muti += mancano;
        let turbato = self.pila.last().is_some_and(|aperto| aperto.turbato);
        if visto.scusato || turbato {
            return;
        }
        let elemento = &self.outline.elementi[primo];
        let (posto, place) = self.where_it_goes(complesso, prossimo);
        let violazione = if passo.alternative.len() == 1 {
            let numero = visto.veri.saturating_add(visto.muti).saturating_add(1);
            Violazione::at(Codice::Xsd001, self.child_path(primo, numero))
                .with("elemento", &elemento.etichetta)
        } else {
            Violazione::at(Codice::Xsd006, self.path()).with("alternative", self.outline.nomi(passo))
        };
        let violazione = violazione.with("posto", posto).with("place", place);
        let rilievo = self.keep(inizio, violazione);
        self.visti[base + indice].mancante = rilievo.map_or(Mancante::Taciuto, Mancante::Detto);
    }

    /// Where an element of a step before `prossimo` belongs, in words.
    fn where_it_goes(&self, complesso: &Complesso, prossimo: usize) -> (String, String) {
        let padre = self
            .pila
            .last()
            .map(|aperto| self.outline.elementi[aperto.elemento].etichetta.as_str())
            .unwrap_or_default();
        match complesso.passi.get(prossimo) {
            Some(passo) => {
                let nomi = self.outline.nomi(passo);
                (format!("prima di {nomi}"), format!("before {nomi}"))
            }
            None => (format!("in fondo a {padre}"), format!("at the end of {padre}")),
        }
    }

    fn out_of_place(&self, complesso: &Complesso, passo: usize, elemento: usize, visto: Visto) -> Violazione {
        let (posto, place) = self.where_it_goes(complesso, passo + 1);
        let percorso = self.child_path(elemento, visto.veri.saturating_add(1));
        let elemento = &self.outline.elementi[elemento];
        Violazione::at(Codice::Xsd004, percorso)
            .with("elemento", &elemento.etichetta)
            .with("posto", posto)
            .with("place", place)
    }

    fn too_many(&self, passo: &Passo, elemento: usize, visto: Visto) -> Violazione {
        let nome = |indice: usize| self.outline.elementi[indice].etichetta.as_str();
        let percorso = self.child_path(elemento, visto.veri.saturating_add(1));
        match visto.primo {
            Some(primo) if primo != elemento => Violazione::at(Codice::Xsd007, percorso)
                .with("elemento", nome(elemento))
                .with("altro", nome(primo))
                .with("alternative", self.outline.nomi(passo)),
            _ => Violazione::at(Codice::Xsd005, percorso)
                .with("elemento", nome(elemento))
                .with("massimo", passo.max.unwrap_or(u32::MAX)),
        }
    }

    /// A child that has no place in its parent by this name.
    fn unknown(&mut self, complesso: &Complesso, nome: Nome<'_>, inizio: usize) {
        let outline = self.outline;
        let Some(aperto) = self.pila.last() else {
            return;
        };
        let (base, qui) = (aperto.base, aperto.passo);
        // The right name in another namespace, or in other letters: it is told as what it was meant to be, and
        // stands in its place.
        let simile = |elemento: usize| {
            outline.elementi[elemento]
                .locale
                .eq_ignore_ascii_case(nome.locale)
        };
        let mut violazione = Violazione::at(
            Codice::Xsd002,
            format!("{}/{}", self.path(), shown(nome.namespace, nome.locale)),
        );
        let mut atteso = None;
        if let Some((passo, elemento)) = self.find(complesso, base, qui, simile) {
            let visto = self.visti[base + passo];
            let inteso = &outline.elementi[elemento];
            if inteso.locale == nome.locale {
                violazione.codice = Codice::Xsd003;
                violazione = violazione
                    .with("atteso_namespace", &inteso.namespace)
                    .with("trovato_namespace", shortened(nome.namespace));
            }
            atteso = Some(inteso.etichetta.clone());
            let pieno = complesso.passi[passo]
                .max
                .is_some_and(|massimo| visto.veri >= massimo);
            if passo >= qui && !pieno {
                self.missing_before(complesso, passo, inizio);
                self.udienza.muted(elemento);
                let visto = &mut self.visti[base + passo];
                visto.veri = visto.veri.saturating_add(1);
                visto.primo.get_or_insert(elemento);
                if let Some(aperto) = self.pila.last_mut() {
                    aperto.passo = passo;
                }
            }
        } else if let Some(indice) = (qui..complesso.passi.len()).find(|indice| {
            let visto = self.visti[base + indice];
            visto.veri.saturating_add(visto.muti) < complesso.passi[*indice].min
        }) {
            // Perhaps the next element that is due, misspelt: the sentence names it, so that it is not told as
            // missing too.
            self.visti[base + indice].scusato = true;
            atteso = Some(outline.nomi(&complesso.passi[indice]));
        }
        let atteso = atteso.unwrap_or_else(|| self.still_allowed(complesso, base, qui));
        let nessuno = atteso.is_empty();
        let violazione = violazione
            .with("elemento", shown(nome.namespace, nome.locale))
            .with("atteso", if nessuno { "nessun elemento" } else { &atteso })
            .with("expected", if nessuno { "no element" } else { &atteso });
        self.keep(inizio, violazione);
    }

    /// The names that may still come in the innermost element; empty when none may.
    fn still_allowed(&self, complesso: &Complesso, base: usize, qui: usize) -> String {
        let nomi: Vec<String> = complesso
            .passi
            .iter()
            .enumerate()
            .skip(qui)
            .filter(|(indice, passo)| {
                passo
                    .max
                    .is_none_or(|massimo| self.visti[base + indice].veri < massimo)
            })
            .map(|(_, passo)| self.outline.nomi(passo))
            .collect();
        nomi.join(", ")
    }

    fn child_in_simple(&mut self, nome: Nome<'_>, inizio: usize) {
        let Some(aperto) = self.pila.last_mut() else {
            return;
        };
        if std::mem::replace(&mut aperto.turbato, true) {
            return;
        }
        let elemento = &self.outline.elementi[aperto.elemento].etichetta;
        let violazione = Violazione::at(
            Codice::Xsd021,
            format!("{}/{}", self.path(), shown(nome.namespace, nome.locale)),
        )
        .with("elemento", elemento)
        .with("figlio", shown(nome.namespace, nome.locale));
        self.keep(inizio, violazione);
    }

    /// The path that a child of the innermost element has, or would have.
    fn child_path(&self, elemento: usize, numero: u32) -> String {
        let elemento = &self.outline.elementi[elemento];
        let comincia = elemento.contenuto && !self.pila.iter().any(|aperto| self.is_contenuto(aperto));
        let mut percorso = if comincia { String::new() } else { self.path() };
        percorso.push_str(&step(elemento, numero));
        percorso
    }
}
