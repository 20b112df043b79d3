//! The half of the second parent of the assegno temporaneo, as `CompletaSecondoGenitore` tells it (spec/domain.md §3
//! AT-1, AT-3, AT-4).

use super::domanda::{Qualita, Ripartizione};
use super::lettore::LettoreAssegnoTemporaneo;
use crate::catalogo::Codice;
use crate::domanda::atto::completamento::{LettoreConPagamento, LettoreMeta, Meta, pagamento_con_la_meta};
use crate::domanda::dettagli::Valore;
use crate::domanda::pagamento::PagamentoInviato;
use crate::domanda::persona::CodiceInviato;
use crate::domanda::quadro::Quadro;
use crate::domanda::regole::{self as comuni, letto_option};
use crate::domanda::{Contesto, Dettagli, PagamentoAltroGenitore, Violazione};

/// Split and payment, as sent.
struct MetaDelTemporaneo {
    ripartizione: Ripartizione,
    pagamento: Option<PagamentoInviato>,
}

impl Meta for MetaDelTemporaneo {
    fn ripartizione(&self) -> &'static str {
        self.ripartizione.as_str()
    }

    fn is_divisa(&self) -> bool {
        self.ripartizione == Ripartizione::MetaEntrambi
    }

    fn was_divisa(&self, ripartizione: &str) -> bool {
        ripartizione == Ripartizione::MetaEntrambi.as_str()
    }

    fn pagamento(&self) -> Option<PagamentoAltroGenitore> {
        let pagamento = self.pagamento.as_ref()?;
        Some(PagamentoAltroGenitore {
            modalita: pagamento.modalita.as_str(),
            iban: letto_option(pagamento.iban.as_ref())?,
        })
    }

    fn dettagli(&self) -> Dettagli {
        Dettagli::default()
    }

    /// AT-1 → AT-001, AT-3 → AT-003: half only in shared custody, and never beside a tutor; IBN-001 to IBN-009 of the
    /// account, which is the second parent's.
    fn esamina(
        &self,
        _: &CodiceInviato,
        scheda: Option<(&Quadro, u32)>,
        contesto: &Contesto<'_>,
        dove: &dyn Fn(&[&str]) -> String,
    ) -> Vec<Violazione> {
        let mut trovate = Vec::new();
        trovate.extend(pagamento_con_la_meta(
            self.is_divisa(),
            self.pagamento.is_some(),
            self.ripartizione(),
            dove(&["Ripartizione"]),
            dove(&["Pagamento"]),
        ));
        if let Some(pagamento) = &self.pagamento {
            trovate.extend(comuni::pagamento_al(pagamento, dove, false, contesto.oggi()));
        }
        let valori = scheda.and_then(|(quadro, posto)| quadro.scheda(posto));
        if let Some(valori) = valori.map(|scheda| &scheda.valori)
            && self.is_divisa()
        {
            let tutore = valori.testo("qualita") == Some(Qualita::TutoreMinore.as_str());
            let condiviso = valori.get("affido_condiviso") == Some(&Valore::Booleano(true));
            let codice = match (tutore, condiviso) {
                (true, _) => Some(Codice::At003),
                (false, false) => Some(Codice::At001),
                (false, true) => None,
            };
            trovate.extend(codice.map(|codice| Violazione::at(codice, dove(&["Ripartizione"]))));
        }
        trovate
    }
}

/// A fresh reader of it.
#[must_use]
pub fn lettore() -> Box<dyn LettoreMeta> {
    Box::new(LettoreConPagamento::new(
        |ripartizione, pagamento: Option<LettoreAssegnoTemporaneo>| {
            let pagamento = match pagamento {
                Some(lettore) => Some(lettore.pagamento()?),
                None => None,
            };
            Some(Box::new(MetaDelTemporaneo {
                ripartizione: Ripartizione::parse(ripartizione)?,
                pagamento,
            }))
        },
    ))
}
