//! What must hold, whatever fails: what was told is written down here and held against the database, the anchors, and
//! all that was told before.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::banca::{ChiaveDi, Stato};
use super::nodo::Messaggio;
use super::scena::Scena;
use crate::protocollo::{NumeroProtocollo, data_a_roma};
use crate::store::ancore;

/// All that was told.
#[derive(Debug, Default)]
pub(super) struct Promesse(Mutex<Dentro>);

#[derive(Debug, Default)]
struct Dentro {
    dette: BTreeMap<ChiaveDi, Detta>,
    numeri: BTreeMap<NumeroProtocollo, ChiaveDi>,
}

/// A receipt that a sender has.
#[derive(Debug, Clone)]
pub(super) struct Detta {
    pub(super) protocollo: NumeroProtocollo,
    pub(super) numero_domanda: u64,
    pub(super) ricevuta: String,
}

/// The key of a message, as the database knows it.
pub(super) fn chiave(messaggio: &Messaggio) -> ChiaveDi {
    (
        messaggio.chiave.clone(),
        messaggio.ente.clone(),
        messaggio.prestazione.servizio,
    )
}

impl Promesse {
    /// A receipt has reached its sender.
    pub(super) fn told(&self, scena: &Scena, messaggio: &Messaggio, detta: &Detta) {
        let chiave = chiave(messaggio);
        let broken = |cosa: &str| {
            let (nome, ente, servizio) = &chiave;
            let numero = &detta.protocollo;
            scena.cronaca.violate(format_args!(
                "{numero} told for {nome} of {ente} ({servizio}): {cosa}"
            ));
        };
        let registrata = scena.banca.look(|stato| {
            let id = stato.chiavi.get(&chiave)?;
            stato.registrazioni.get(id).cloned()
        });
        match registrata {
            None => broken("it is not registered"),
            Some(riga) if riga.registrata.protocollo != detta.protocollo => {
                broken("another number is registered");
            }
            Some(riga) if riga.registrata.ricevuta != detta.ricevuta.as_bytes() => {
                broken("the receipt is not the one that is registered");
            }
            Some(riga) if riga.richiesta != messaggio.bytes => broken("its content is not what was sent"),
            Some(_) => {}
        }
        let mut dentro = self.dentro();
        let prima = dentro
            .dette
            .entry(chiave.clone())
            .or_insert_with(|| detta.clone());
        if prima.protocollo != detta.protocollo {
            broken(&format!("{} was told before", prima.protocollo));
        } else if prima.ricevuta != detta.ricevuta {
            broken("its receipt is not the one of before, byte for byte");
        }
        if *dentro
            .numeri
            .entry(detta.protocollo.clone())
            .or_insert_with(|| chiave.clone())
            != chiave
        {
            broken("another key has it already");
        }
        drop(dentro);
        Self::anchored(scena, &detta.protocollo, detta.numero_domanda);
    }

    /// A number was told: by then an anchor says so.
    pub(super) fn anchored(scena: &Scena, protocollo: &NumeroProtocollo, numero_domanda: u64) {
        let detti = ancore::told(&scena.cartella).unwrap();
        let fin_qui = detti.ultimo(protocollo.registro()).unwrap_or_default();
        if fin_qui < (protocollo.anno(), protocollo.numero()) || detti.domanda < numero_domanda {
            scena
                .cronaca
                .violate(format_args!("{protocollo} was told and stands in no anchor"));
        }
    }

    /// What was told for a key.
    pub(super) fn of(&self, messaggio: &Messaggio) -> Option<Detta> {
        self.dentro().dette.get(&chiave(messaggio)).cloned()
    }

    /// Whether more was told of a register than a state knows of.
    pub(super) fn beyond(&self, stato: &Stato, registro: &str) -> bool {
        let dentro = self.dentro();
        let mut numeri = dentro
            .numeri
            .keys()
            .filter(|numero| numero.registro() == registro);
        let riga = stato.registri.get(registro);
        let contatore = riga.map_or((0, 0), |riga| (riga.0, riga.1.unsigned_abs()));
        numeri.any(|numero| (numero.anno(), numero.numero()) > contatore)
            || dentro
                .dette
                .values()
                .any(|detta| detta.numero_domanda > stato.ultima_domanda)
    }

    /// At the end: nothing that was told is lost, and the register is as the law wants it.
    pub(super) fn hold(&self, scena: &Scena) {
        let broken = |cosa: String| scena.cronaca.violate(format_args!("at the end: {cosa}"));
        scena.banca.look(|stato| {
            scena
                .cronaca
                .count(|conto| conto.registrazioni += stato.registrazioni.len() as u64);
            for (chiave, detta) in &self.dentro().dette {
                let ancora = stato.registrata(chiave);
                if ancora.is_none_or(|registrata| registrata.ricevuta != detta.ricevuta.as_bytes()) {
                    broken(format!(
                        "{} was told for {} and is lost",
                        detta.protocollo, chiave.0
                    ));
                }
            }
            for cosa in register_gaps(stato) {
                broken(cosa);
            }
            for riga in stato.registrazioni.values() {
                if stato.chiavi.get(&riga.chiave) != Some(&riga.id) {
                    let numero = &riga.registrata.protocollo;
                    broken(format!(
                        "{numero} is registered and its key {} says otherwise",
                        riga.chiave.0
                    ));
                }
            }
            for ((servizio, _), quante) in stato.live_sheets() {
                if quante > 1 {
                    broken(format!("a child has {quante} live sheets of {servizio}"));
                }
            }
            let domande: Vec<u64> = stato.domande.keys().copied().collect();
            if domande != (1..=stato.ultima_domanda).collect::<Vec<_>>() {
                let (quante, ultima) = (domande.len(), stato.ultima_domanda);
                broken(format!("there are {quante} domande and the last one is {ultima}"));
            }
        });
    }

    fn dentro(&self) -> MutexGuard<'_, Dentro> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// By register and year: numbers from 1 on without a gap, instants that do not go back, each in its year in Rome.
fn register_gaps(stato: &Stato) -> Vec<String> {
    let mut trovate = Vec::new();
    let mut righe: Vec<_> = stato.registrazioni.values().collect();
    righe.sort_by_key(|riga| riga.registrata.protocollo.clone());
    let mut prima: Option<&NumeroProtocollo> = None;
    let mut istante = None;
    for riga in righe {
        let numero = &riga.registrata.protocollo;
        let stesso_registro = prima.is_some_and(|prima| prima.registro() == numero.registro());
        let stesso_anno = stesso_registro && prima.is_some_and(|prima| prima.anno() == numero.anno());
        let atteso = if stesso_anno {
            prima.map_or(1, |prima| prima.numero() + 1)
        } else {
            1
        };
        if numero.numero() != atteso {
            trovate.push(format!(
                "{numero} stands where number {atteso} of its year should"
            ));
        }
        if stesso_registro && istante.is_some_and(|prima| prima > riga.istante) {
            trovate.push(format!("{numero} was registered before the number before it"));
        }
        if data_a_roma(riga.istante).year() != numero.anno() {
            trovate.push(format!(
                "{numero} was registered in another year: {}",
                riga.istante
            ));
        }
        prima = Some(numero);
        istante = Some(riga.istante);
    }
    trovate
}
