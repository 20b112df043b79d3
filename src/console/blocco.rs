//! Who tries too often waits, and each time longer: counted by the name that is tried, whether somebody has it or not, and by
//! the address that tries. In memory: a stranger's tries write nothing into the store, and a restart forgives them, which
//! helps nobody who has to guess a hundred bits (ADR 20). An attempt counts before it is made, so that many at once are many.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use crate::domanda::sha256::Sha256;

/// Tries that are remembered at once; past it those that are no longer held back are forgotten.
const RICORDATI_MAX: usize = 10_000;
/// An address may be that of many people: it is held back later than a name, by so many times.
const DI_UN_INDIRIZZO: u32 = 4;

/// How long one waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Pazienza {
    /// So many tries are free.
    pub(super) tentativi: u32,
    /// The first wait; the next is twice as long.
    pub(super) primo: Duration,
    /// The longest wait.
    pub(super) massimo: Duration,
}

/// What was tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Che {
    /// A name; its hash, since people type passwords where names go.
    Nome([u8; 32]),
    Indirizzo(IpAddr),
}

#[derive(Debug, Clone, Copy)]
struct Conto {
    tentativi: u32,
    fino_a: Timestamp,
}

/// The tries of late.
#[derive(Debug)]
pub(super) struct Blocco {
    pazienza: Pazienza,
    conti: Mutex<HashMap<Che, Conto>>,
}

/// Held back until then.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Bloccato(pub(super) Timestamp);

impl Blocco {
    /// Nobody has tried yet.
    #[must_use]
    pub(super) fn new(pazienza: Pazienza) -> Self {
        Self {
            pazienza,
            conti: Mutex::default(),
        }
    }

    /// Counts a try, or says until when none is made.
    pub(super) fn begin(&self, nome: &str, indirizzo: IpAddr, adesso: Timestamp) -> Result<(), Bloccato> {
        let mut conti = self.conti.lock().unwrap_or_else(PoisonError::into_inner);
        if conti.len() >= RICORDATI_MAX {
            conti.retain(|_, conto| conto.fino_a > adesso);
        }
        let che = [
            (Che::Nome(Sha256::of(nome.as_bytes())), self.pazienza.tentativi),
            (
                Che::Indirizzo(indirizzo),
                self.pazienza.tentativi.saturating_mul(DI_UN_INDIRIZZO),
            ),
        ];
        let blocchi = che.iter().filter_map(|(che, _)| conti.get(che));
        if let Some(fino_a) = blocchi
            .map(|conto| conto.fino_a)
            .filter(|fino_a| *fino_a > adesso)
            .max()
        {
            return Err(Bloccato(fino_a));
        }
        for (che, liberi) in che {
            let conto = conti.entry(che).or_insert(Conto {
                tentativi: 0,
                fino_a: adesso,
            });
            // Who was quiet for as long as the longest wait begins anew.
            if adesso.duration_since(conto.fino_a) > signed(self.pazienza.massimo) {
                conto.tentativi = 0;
            }
            conto.tentativi += 1;
            conto.fino_a = match conto.tentativi.checked_sub(liberi) {
                Some(oltre) => adesso + signed(self.wait(oltre)),
                None => adesso,
            };
        }
        Ok(())
    }

    /// The name was signed in with: its tries are forgiven. Those of the address are not: one good account would free it.
    pub(super) fn succeeded(&self, nome: &str) {
        let mut conti = self.conti.lock().unwrap_or_else(PoisonError::into_inner);
        conti.remove(&Che::Nome(Sha256::of(nome.as_bytes())));
    }

    fn wait(&self, oltre: u32) -> Duration {
        let volte = 1_u32.checked_shl(oltre).unwrap_or(u32::MAX);
        self.pazienza
            .primo
            .saturating_mul(volte)
            .min(self.pazienza.massimo)
    }
}

fn signed(durata: Duration) -> SignedDuration {
    SignedDuration::try_from(durata).unwrap_or(SignedDuration::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const QUI: IpAddr = IpAddr::V4(std::net::Ipv4Addr::LOCALHOST);

    fn blocco() -> Blocco {
        Blocco::new(Pazienza {
            tentativi: 3,
            primo: Duration::from_secs(2),
            massimo: Duration::from_mins(5),
        })
    }

    fn at(secondi: i64) -> Timestamp {
        Timestamp::from_second(1_000_000 + secondi).unwrap()
    }

    #[test]
    fn waits_grow_and_a_name_that_nobody_has_waits_too() {
        let blocco = blocco();
        for _ in 0..3 {
            assert_eq!(blocco.begin("nessuno", QUI, at(0)), Ok(()));
        }
        let fino_a = |secondi| Err(Bloccato(at(secondi)));
        assert_eq!(blocco.begin("nessuno", QUI, at(1)), fino_a(2));
        assert_eq!(blocco.begin("nessuno", QUI, at(2)), Ok(()));
        assert_eq!(blocco.begin("nessuno", QUI, at(5)), fino_a(6));
        // Another name is free, and the one that was quiet long enough is so again.
        assert_eq!(blocco.begin("anna", QUI, at(5)), Ok(()));
        assert_eq!(blocco.begin("nessuno", QUI, at(400)), Ok(()));
        assert_eq!(blocco.begin("nessuno", QUI, at(400)), Ok(()));
    }

    #[test]
    fn a_sign_in_forgives_the_name_and_not_the_address() {
        let blocco = blocco();
        for numero in 0..12 {
            assert_eq!(blocco.begin(&format!("nome{numero}"), QUI, at(0)), Ok(()));
            blocco.succeeded(&format!("nome{numero}"));
        }
        assert!(blocco.begin("anna", QUI, at(1)).is_err());
        let altrove = IpAddr::from([192, 0, 2, 1]);
        assert_eq!(blocco.begin("anna", altrove, at(1)), Ok(()));
    }

    #[test]
    fn the_longest_wait_is_the_longest() {
        let blocco = blocco();
        assert_eq!(blocco.wait(0), Duration::from_secs(2));
        assert_eq!(blocco.wait(40), Duration::from_mins(5));
    }
}
