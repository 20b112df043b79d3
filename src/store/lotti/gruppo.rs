//! A group of a lot, whatever the store: which of its acts keep it from being written, and what is written of it.

use std::collections::HashMap;

use jiff::Timestamp;

use super::{Fine, Gruppo, Lavorazione, SorteVoce, StatoLotto, Voce};
use crate::domanda::SchedaViva;
use crate::protocollo::NumeroProtocollo;
use crate::store::codec::{Conservati, pack};
use crate::store::registro::{Chi, Scritte, Sorte, Visto, again, misura};
use crate::store::{Atto, Inconsistency, Registrazione, StoreError};

/// A group, made ready before anything is locked.
pub(in crate::store) struct Preparato<'g> {
    pub(in crate::store) gruppo: &'g Gruppo,
    /// The acts among its items, in order.
    pub(in crate::store) atti: Vec<&'g Atto>,
    /// The errors of each item that was refused, as they are kept.
    errori: Vec<Option<Conservati>>,
}

impl<'g> Preparato<'g> {
    pub(in crate::store) fn of(gruppo: &'g Gruppo) -> Result<Self, StoreError> {
        // Places are counted from here: a group that counts otherwise would leave a hole in the outcome.
        if gruppo.a.elementi != gruppo.da.elementi + gruppo.voci.len() as u64 {
            let conto = "a group does not have as many items as it says";
            return Err(Inconsistency::new("lotti", "fatto_elementi", conto).into());
        }
        Ok(Self {
            gruppo,
            atti: gruppo.voci.iter().filter_map(act).collect(),
            errori: gruppo
                .voci
                .iter()
                .map(|voce| match &voce.sorte {
                    SorteVoce::Rifiutata(errori) => Some(pack(errori)),
                    SorteVoce::Atto(_) | SorteVoce::Ripetuta(_) => None,
                })
                .collect(),
        })
    }

    /// Why nothing of the group can be written; `None` = all of it can.
    ///
    /// A refusal is told only where it holds by what was there before the group: what another act of it would have
    /// brought is not there yet, and its number, if it ever gets one, is not known. What hangs on that is told as
    /// [`Registrazione::Superata`]: to be asked again, once what is before it is written.
    pub(in crate::store) fn refusals(&self, sorti: &[Sorte], visto: &Visto) -> Option<Lavorazione> {
        let mut prima = false;
        let mut respinte = Vec::new();
        for ((posto, atto), sorte) in self.places().zip(sorti) {
            let esito = match sorte {
                Sorte::Accolto => {
                    prima = true;
                    continue;
                }
                Sorte::GiaRegistrato(registrata) => match again(atto, registrata.clone()) {
                    Registrazione::Ripetuta(_) => continue,
                    altro => altro,
                },
                Sorte::CopiaDi(primo) if self.atti[*primo].digest == atto.digest => continue,
                Sorte::SchedaViva(vive) if !prima || were_before(visto, atto, vive) => {
                    Registrazione::SchedaViva(vive.clone())
                }
                Sorte::DomandaViva(Chi::Nota(viva), vive) if !prima || were_before(visto, atto, vive) => {
                    Registrazione::DomandaViva(viva.clone(), vive.clone())
                }
                // An item of a lot comes in no busta of its own.
                Sorte::CopiaDi(_)
                | Sorte::Superata
                | Sorte::SchedaViva(_)
                | Sorte::DomandaViva(..)
                | Sorte::BustaDoppia => Registrazione::Superata,
                Sorte::ChiaveDiLotto(lotto) => Registrazione::ChiaveDiLotto(*lotto),
            };
            respinte.push((posto, esito));
        }
        (!respinte.is_empty()).then_some(Lavorazione::Respinta(respinte))
    }

    /// The acts with their places among the items.
    fn places(&self) -> impl Iterator<Item = (usize, &'g Atto)> {
        let voci = self.gruppo.voci.iter().enumerate();
        voci.filter_map(|(posto, voce)| Some((posto, act(voce)?)))
    }

    /// What is written of each item, once its acts are registered.
    pub(in crate::store) fn outcomes(self, scritte: Scritte) -> Result<Esiti<'g>, StoreError> {
        let mut ids = scritte.ids.into_iter();
        let mut esiti = scritte.esiti.into_iter();
        let mut fatti = Esiti::default();
        let primo = self.gruppo.da.elementi + 1;
        for ((posto, voce), errori) in (primo..).zip(&self.gruppo.voci).zip(self.errori) {
            let (protocollo, id) = match &voce.sorte {
                SorteVoce::Rifiutata(_) => (None, None),
                SorteVoce::Ripetuta(registrata) => (Some(registrata.protocollo.clone()), None),
                SorteVoce::Atto(_) => match esiti.next().ok_or_else(misura)? {
                    Registrazione::Registrata(registrata) => {
                        let id = ids.next().ok_or_else(misura)?;
                        fatti.nuove.insert(registrata.protocollo.clone(), id);
                        (Some(registrata.protocollo), Some(id))
                    }
                    Registrazione::Ripetuta(registrata) => (Some(registrata.protocollo), None),
                    Registrazione::Conflitto(_)
                    | Registrazione::SchedaViva(_)
                    | Registrazione::DomandaViva(..)
                    | Registrazione::Superata
                    | Registrazione::ChiaveDiLotto(_)
                    | Registrazione::BustaDoppia => return Err(misura()),
                },
            };
            match (&protocollo, id) {
                (None, _) => fatti.rifiutate += 1,
                (Some(_), Some(_)) => fatti.registrate += 1,
                (Some(_), None) => fatti.ripetute += 1,
            }
            fatti.righe.push(EsitoVoce {
                posto,
                voce,
                ripetizione: protocollo.is_some() && id.is_none(),
                protocollo,
                errori,
            });
        }
        Ok(fatti)
    }
}

/// Whether these children had a live sheet before the group.
fn were_before(visto: &Visto, atto: &Atto, vive: &[(u32, SchedaViva)]) -> bool {
    vive.iter().all(|(_, viva)| {
        let codice = viva.codice_fiscale.as_str().to_owned();
        visto.vive.contains_key(&(atto.chiave.servizio, codice))
    })
}

fn act(voce: &Voce) -> Option<&Atto> {
    match &voce.sorte {
        SorteVoce::Atto(atto) => Some(atto),
        SorteVoce::Ripetuta(_) | SorteVoce::Rifiutata(_) => None,
    }
}

/// What is written of the items of a group.
#[derive(Default)]
pub(in crate::store) struct Esiti<'g> {
    pub(in crate::store) righe: Vec<EsitoVoce<'g>>,
    pub(in crate::store) registrate: u64,
    pub(in crate::store) ripetute: u64,
    pub(in crate::store) rifiutate: u64,
    /// The store's own ids of what this very group registered.
    nuove: HashMap<NumeroProtocollo, i64>,
}

/// One item.
pub(in crate::store) struct EsitoVoce<'g> {
    pub(in crate::store) posto: u64,
    pub(in crate::store) voce: &'g Voce,
    /// The number that it has; `None` = refused.
    pub(in crate::store) protocollo: Option<NumeroProtocollo>,
    pub(in crate::store) ripetizione: bool,
    pub(in crate::store) errori: Option<Conservati>,
}

impl Esiti<'_> {
    /// The numbers that are not of this group: the store looks their ids up.
    pub(in crate::store) fn of_before(&self) -> Vec<&NumeroProtocollo> {
        self.righe
            .iter()
            .filter_map(|riga| riga.protocollo.as_ref())
            .filter(|protocollo| !self.nuove.contains_key(*protocollo))
            .collect()
    }

    /// Adds what was looked up.
    pub(in crate::store) fn know(&mut self, trovate: impl IntoIterator<Item = (NumeroProtocollo, i64)>) {
        self.nuove.extend(trovate);
    }

    /// The store's own id of an item's registration; `None` = it was refused.
    pub(in crate::store) fn id(&self, riga: &EsitoVoce<'_>) -> Result<Option<i64>, StoreError> {
        riga.protocollo
            .as_ref()
            .map(|protocollo| self.nuove.get(protocollo).copied().ok_or_else(misura))
            .transpose()
    }
}

/// The row of a lot after a group.
pub(in crate::store) struct Dopo<'g> {
    pub(in crate::store) stato: StatoLotto,
    pub(in crate::store) elementi: Option<u64>,
    pub(in crate::store) non_lette: u64,
    pub(in crate::store) preso: Option<(&'g str, Timestamp)>,
    pub(in crate::store) concluso_il: Option<Timestamp>,
    pub(in crate::store) interruzione: Option<&'g [u8]>,
}

impl<'g> Dopo<'g> {
    /// `elementi`: how many the lot was known to have.
    pub(in crate::store) fn of(gruppo: &'g Gruppo, elementi: Option<u64>, ora: Timestamp) -> Self {
        let letti = gruppo.a.elementi;
        let concluso = Self {
            stato: StatoLotto::Concluso,
            elementi,
            non_lette: 0,
            preso: None,
            concluso_il: Some(ora),
            interruzione: None,
        };
        match &gruppo.fine {
            None => Self {
                stato: StatoLotto::InLavorazione,
                preso: Some((&gruppo.chi, gruppo.fino_a)),
                concluso_il: None,
                ..concluso
            },
            Some(Fine::Letto) => Self {
                elementi: Some(letti),
                ..concluso
            },
            Some(Fine::Interrotto(errori)) => Self {
                non_lette: elementi.map_or(0, |elementi| elementi.saturating_sub(letti)),
                interruzione: Some(errori),
                ..concluso
            },
        }
    }
}

/// Whether a lot stands where a group would have left it: told of a COMMIT that did not answer.
pub(in crate::store) fn was_written(gruppo: &Gruppo, lotto: &super::Lotto) -> bool {
    let avanzato = gruppo.a.elementi > gruppo.da.elementi && lotto.fatto.elementi == gruppo.a.elementi;
    let finito = lotto.stato == StatoLotto::Concluso;
    if gruppo.fine.is_some() {
        finito && lotto.fatto.elementi == gruppo.a.elementi
    } else {
        avanzato
    }
}
