//! Attributes. Our elements have none; XML Schema's own (`xsi:type`, `xsi:nil`, `xsi:schemaLocation`) are the
//! authority's to judge.

use super::{Form, shown};
use crate::catalogo::Codice;
use crate::domanda::Violazione;
use crate::schema::digest::XSI;
use crate::schema::outline::Tipo;
use crate::xml::{Attributi, Nome};

impl Form<'_> {
    pub(super) fn attributes(&mut self, elemento: usize, attributi: &Attributi<'_>) {
        let outline = self.outline;
        let nil = attributi.valore(XSI, "nil");
        let tipo = attributi.valore(XSI, "type").map(|tipo| {
            // What is no name, or has a prefix without a namespace, names no type.
            let detto = attributi.nome_detto(tipo);
            detto.map_or(("", ""), |detto| (detto.namespace, detto.locale))
        });
        let mut xsi_detti = false;
        match self.udienza.element_xsi(elemento, tipo, nil) {
            Some(appunti) if appunti.is_empty() => {}
            appunti => {
                xsi_detti = true;
                self.reported = true;
                let nil_detto = appunti
                    .iter()
                    .flatten()
                    .any(|appunto| appunto.vincolo.starts_with("cvc-elt.3"));
                let quale = if nil_detto { "nil" } else { "type" };
                let violazione = self
                    .attribute_at(Codice::Xsd033, XSI, quale)
                    .with("elemento", &outline.elementi[elemento].etichetta);
                self.keep_here(violazione);
                if let Some(aperto) = self.pila.last_mut() {
                    // A nilled element is empty on purpose: what it lacks follows from that.
                    let nullo = matches!(nil.map(str::trim), Some("true" | "1"));
                    aperto.turbato = nil_detto && nullo;
                }
            }
        }
        let dichiarati = match outline.tipo_di(elemento) {
            Tipo::Semplice(_) => &[],
            Tipo::Complesso(complesso) => complesso.attributi.as_slice(),
        };
        for attributo in attributi.iter() {
            let Nome { namespace, locale } = attributo.nome;
            // XML Schema's own attributes are the authority's to judge.
            let di_schema = namespace == XSI;
            let noto = di_schema
                || dichiarati
                    .iter()
                    .any(|(ns, nome)| ns == namespace && nome == locale);
            if !noto {
                let violazione = self
                    .attribute_at(Codice::Xsd030, namespace, locale)
                    .with("elemento", &outline.elementi[elemento].etichetta);
                self.keep_here(violazione);
                continue;
            }
            let appunti = self.udienza.attribute(namespace, locale, &attributo.valore);
            let gia_detto = xsi_detti && matches!(locale, "nil" | "type") && namespace == XSI;
            if !appunti.is_empty() {
                self.reported = true;
            }
            if !appunti.is_empty() && !gia_detto {
                let violazione = self
                    .attribute_at(Codice::Xsd032, namespace, locale)
                    .with("elemento", &outline.elementi[elemento].etichetta);
                self.keep_here(violazione);
            }
        }
    }

    fn attribute_at(&self, codice: Codice, namespace: &str, locale: &str) -> Violazione {
        let nome = shown(namespace, locale);
        Violazione::at(codice, format!("{}/@{nome}", self.path())).with("attributo", nome)
    }
}
