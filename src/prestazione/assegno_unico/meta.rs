//! The half of the second parent of the assegno unico, as `CompletaSecondoGenitore` tells it (circ. INPS 23/2022 §7;
//! spec/domain.md §4 AU-1 to AU-4). A is the whole to the richiedente; B and C are half each: here with the payment of the
//! half, whose owner speaks.

use super::domanda::{Affidamento, Ripartizione, Ruolo, SituazioneGenitori};
use super::lettore::LettoreAssegnoUnico;
use super::pagamento::{Modalita, PagamentoAltroInviato};
use super::regole::pagamenti;
use crate::catalogo::Codice;
use crate::domanda::atto::completamento::{LettoreConPagamento, LettoreMeta, Meta, pagamento_con_la_meta};
use crate::domanda::persona::CodiceInviato;
use crate::domanda::quadro::Quadro;
use crate::domanda::regole::{self as comuni, letto_option, same};
use crate::domanda::{Contesto, Dettagli, PagamentoAltroGenitore, Violazione};

/// Split and payment, as sent.
struct MetaDellUnico {
    ripartizione: Ripartizione,
    pagamento: Option<PagamentoAltroInviato>,
}

impl Meta for MetaDellUnico {
    fn ripartizione(&self) -> &'static str {
        self.ripartizione.as_str()
    }

    fn is_divisa(&self) -> bool {
        self.ripartizione != Ripartizione::Intero
    }

    fn was_divisa(&self, ripartizione: &str) -> bool {
        ripartizione != Ripartizione::Intero.as_str()
    }

    fn pagamento(&self) -> Option<PagamentoAltroGenitore> {
        let pagamento = &self.pagamento.as_ref()?.pagamento;
        Some(PagamentoAltroGenitore {
            modalita: pagamento.modalita.as_str(),
            iban: letto_option(pagamento.conto_da_usare().map(|conto| &conto.iban))?,
        })
    }

    fn dettagli(&self) -> Dettagli {
        let conto = self
            .pagamento
            .as_ref()
            .and_then(|altro| altro.pagamento.conto_da_usare());
        Dettagli::default().with_option(
            "pagamento_altro_genitore_strumento",
            conto.map(|conto| conto.strumento.as_str()),
        )
    }

    /// AU-2 → AU-002, AU-021, AU-023, AU-024, AU-029, IBN-001 to IBN-006, ALL-101.
    fn esamina(
        &self,
        secondo: &CodiceInviato,
        scheda: Option<(&Quadro, u32)>,
        contesto: &Contesto<'_>,
        dove: &dyn Fn(&[&str]) -> String,
    ) -> Vec<Violazione> {
        let al_pagamento = |campi: &[&str]| dove(&[&["PagamentoAltroGenitore"], campi].concat());
        let mut trovate = Vec::new();
        trovate.extend(pagamento_con_la_meta(
            self.is_divisa(),
            self.pagamento.is_some(),
            self.ripartizione(),
            dove(&["Ripartizione"]),
            al_pagamento(&[]),
        ));
        if let Some(altro) = &self.pagamento {
            let al_codice = al_pagamento(&["CodiceFiscale"]);
            if altro.codice_fiscale.is_err() {
                trovate.extend(comuni::codice_illeggibile(&altro.codice_fiscale, al_codice));
            } else if secondo.is_ok() && !same(secondo, &altro.codice_fiscale) {
                trovate.push(Violazione::at(Codice::Au021, al_codice));
            }
            trovate.extend(pagamenti::altro_genitore(altro, contesto, al_pagamento));
            let all_iban = al_pagamento(&["Conto", "Iban"]);
            trovate.extend(pagamenti::conto_estero(&altro.pagamento, all_iban, contesto));
        }
        if let Some((quadro, posto)) = scheda
            && self.is_divisa()
        {
            trovate.extend(self.divisibile(quadro, posto, dove(&["Ripartizione"])));
            let in_contante = Some(Modalita::ContantePoste.as_str());
            let altro_in_contante = self.pagamento().map(|altro| altro.modalita) == in_contante;
            if altro_in_contante && quadro.domanda.testo("modalita") == in_contante {
                trovate.push(Violazione::at(Codice::Au023, al_pagamento(&["Modalita"])));
            }
        }
        trovate
    }
}

impl MetaDellUnico {
    /// AU-2 → AU-002: nobody shares the sum with a tutor, a custodian, an only parent, or an adult child who asks for
    /// itself.
    fn divisibile(&self, quadro: &Quadro, posto: u32, dove: String) -> Option<Violazione> {
        let valori = &quadro.scheda(posto)?.valori;
        let is_one_of =
            |nome: &str, parole: &[&str]| valori.testo(nome).is_some_and(|parola| parole.contains(&parola));
        let da_solo = [Ruolo::Tutore, Ruolo::Affidatario, Ruolo::FiglioMaggiorenne].map(Ruolo::as_str);
        let affidato = [Affidamento::Esclusivo, Affidamento::TutoreAffidatario].map(Affidamento::as_str);
        let senza_altro = [
            SituazioneGenitori::GenitoreUnico,
            SituazioneGenitori::OrfanoEntrambi,
        ]
        .map(SituazioneGenitori::as_str);
        let per_intero = is_one_of("qualita", &da_solo)
            || is_one_of("affidamento", &affidato)
            || is_one_of("situazione_genitori", &senza_altro);
        per_intero.then(|| Violazione::at(Codice::Au002, dove).with("ripartizione", self.ripartizione()))
    }
}

/// A fresh reader of it.
#[must_use]
pub fn lettore() -> Box<dyn LettoreMeta> {
    Box::new(LettoreConPagamento::new(
        |ripartizione, pagamento: Option<LettoreAssegnoUnico>| {
            let pagamento = match pagamento {
                Some(lettore) => Some(lettore.altra_meta()?),
                None => None,
            };
            Some(Box::new(MetaDellUnico {
                ripartizione: Ripartizione::parse(ripartizione)?,
                pagamento,
            }))
        },
    ))
}
