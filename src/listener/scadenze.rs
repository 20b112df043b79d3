//! What ends some day, and who is told in time: the thresholds of `tls.avviso_giorni`, the sentence for each end that has
//! come within one, and the watch that says it in the log once a day, and at once when a threshold is passed.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use tokio::task::JoinHandle;

use super::tls::Porta;
use crate::clock::Clock;

/// Days before an end at which it is spoken of, the farthest first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Soglie(Vec<i64>);

impl Default for Soglie {
    fn default() -> Self {
        Self(vec![60, 30, 7])
    }
}

impl Soglie {
    /// `60,30,7`; none of them, or one that is no number of days, is nothing.
    #[must_use]
    pub fn parse(testo: &str) -> Option<Self> {
        let mut giorni: Vec<i64> = testo
            .split(',')
            .map(|giorni| {
                giorni
                    .trim()
                    .parse()
                    .ok()
                    .filter(|giorni| (1..=36_500).contains(giorni))
            })
            .collect::<Option<_>>()?;
        giorni.sort_unstable_by(|uno, altro| altro.cmp(uno));
        giorni.dedup();
        Some(Self(giorni))
    }

    /// The farthest.
    #[must_use]
    pub fn first(&self) -> i64 {
        self.0.first().copied().unwrap_or(0)
    }
}

impl fmt::Display for Soglie {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let giorni: Vec<String> = self.0.iter().map(ToString::to_string).collect();
        f.write_str(&giorni.join(","))
    }
}

/// Something that ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scadenza {
    /// What, for people.
    pub cosa: String,
    /// When.
    pub fine: Timestamp,
    /// Seconds before its end at which it is spoken of, the farthest first.
    soglie_s: Vec<i64>,
}

/// An end that has come near.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Avviso {
    /// The nearest threshold that it has passed, in seconds; 0 = it has ended.
    pub soglia_s: i64,
    /// The sentence.
    pub frase: String,
}

const GIORNO_S: i64 = 86_400;

impl Scadenza {
    /// A certificate.
    pub(super) fn new(cosa: String, fine: Timestamp, soglie: &Soglie) -> Self {
        let soglie_s = soglie.0.iter().map(|giorni| giorni * GIORNO_S).collect();
        Self { cosa, fine, soglie_s }
    }

    /// A revocation list, which is made anew every few days: it is late when it is nearly over.
    pub(super) fn of_list(cosa: String, prossima: Timestamp, prima: Duration) -> Self {
        let prima = i64::try_from(prima.as_secs()).unwrap_or(i64::MAX);
        Self {
            cosa,
            fine: prossima,
            soglie_s: vec![prima],
        }
    }

    /// What is to be said of it now.
    #[must_use]
    pub fn avviso(&self, adesso: Timestamp) -> Option<Avviso> {
        let Self { cosa, fine, .. } = self;
        let resta_s = fine.duration_since(adesso).as_secs();
        if *fine <= adesso {
            return Some(Avviso {
                soglia_s: 0,
                frase: format!("{cosa}: scaduto il {fine:.0}"),
            });
        }
        let soglia_s = self.soglie_s.iter().rev().find(|soglia| resta_s <= **soglia)?;
        let quanto = match resta_s / GIORNO_S {
            0 => format!("{} ore", resta_s / 3600),
            1 => "1 giorno".to_owned(),
            giorni => format!("{giorni} giorni"),
        };
        Some(Avviso {
            soglia_s: *soglia_s,
            frase: format!("{cosa}: scade il {fine:.0}, fra {quanto}"),
        })
    }
}

/// What was said of each end: which day, at which threshold. Once a day is enough, and a nearer threshold does not wait.
#[derive(Debug, Default)]
struct Detto(HashMap<String, (Date, i64)>);

impl Detto {
    /// The sentences that are due.
    fn due(&mut self, scadenze: &[Scadenza], adesso: Timestamp) -> Vec<String> {
        let oggi = adesso.to_zoned(TimeZone::UTC).date();
        // What is no more (a certificate that was replaced) is forgotten.
        self.0
            .retain(|cosa, _| scadenze.iter().any(|scadenza| scadenza.cosa == *cosa));
        let mut frasi = Vec::new();
        for scadenza in scadenze {
            let Some(avviso) = scadenza.avviso(adesso) else {
                self.0.remove(&scadenza.cosa);
                continue;
            };
            let nuovo = (oggi, avviso.soglia_s);
            if self.0.insert(scadenza.cosa.clone(), nuovo) != Some(nuovo) {
                frasi.push(avviso.frase);
            }
        }
        frasi
    }
}

/// The watch at work.
#[derive(Debug)]
pub struct Sorveglianza(JoinHandle<()>);

impl Sorveglianza {
    /// Looks now and then every hour, on the runtime of the caller.
    #[must_use]
    pub fn spawn(porta: Arc<Porta>, clock: Arc<dyn Clock>) -> Self {
        const INTERVALLO: Duration = Duration::from_hours(1);
        Self(tokio::spawn(async move {
            let mut detto = Detto::default();
            loop {
                for frase in detto.due(&porta.scadenze(), clock.wall()) {
                    tracing::warn!("{frase}");
                }
                tokio::time::sleep(INTERVALLO).await;
            }
        }))
    }

    /// Ends it.
    pub fn close(&self) {
        self.0.abort();
    }
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;

    use super::*;

    fn giorno(giorni: i64) -> Timestamp {
        Timestamp::UNIX_EPOCH + SignedDuration::from_hours(24 * giorni)
    }

    #[test]
    fn an_end_is_told_once_a_day_and_at_once_at_a_nearer_threshold() {
        let scadenza = Scadenza::new("certificato".to_owned(), giorno(100), &Soglie::default());
        let scadenze = [scadenza];
        let mut detto = Detto::default();
        let mut due = |adesso| detto.due(&scadenze, adesso);
        let ora = SignedDuration::from_hours(1);
        assert!(due(giorno(39)).is_empty(), "61 days are far");
        assert_eq!(
            due(giorno(40)),
            ["certificato: scade il 1970-04-11T00:00:00Z, fra 60 giorni"]
        );
        assert!(due(giorno(40) + ora).is_empty(), "told today");
        assert_eq!(due(giorno(41)).len(), 1, "the next day");
        assert!(due(giorno(69) + ora * 23).len() == 1, "still the first threshold");
        assert_eq!(
            due(giorno(70)),
            ["certificato: scade il 1970-04-11T00:00:00Z, fra 30 giorni"]
        );
        assert_eq!(
            due(giorno(99) + ora),
            ["certificato: scade il 1970-04-11T00:00:00Z, fra 23 ore"]
        );
        assert_eq!(due(giorno(100)), ["certificato: scaduto il 1970-04-11T00:00:00Z"]);
        assert!(due(giorno(100) + ora).is_empty());
    }

    #[test]
    fn a_certificate_that_was_replaced_is_no_more_spoken_of() {
        let vecchia = Scadenza::new("server".to_owned(), giorno(10), &Soglie::default());
        let nuova = Scadenza::new("server".to_owned(), giorno(700), &Soglie::default());
        let mut detto = Detto::default();
        assert_eq!(detto.due(std::slice::from_ref(&vecchia), giorno(1)).len(), 1);
        assert!(detto.due(&[nuova], giorno(1)).is_empty());
        assert_eq!(
            detto.due(&[vecchia], giorno(1)).len(),
            1,
            "put back, it is told again"
        );
    }

    #[test]
    fn a_list_is_late_only_when_it_is_nearly_over() {
        let lista = Scadenza::of_list("CRL".to_owned(), giorno(10), Duration::from_hours(24));
        assert_eq!(lista.avviso(giorno(8)), None);
        assert_eq!(
            lista.avviso(giorno(9)).map(|avviso| avviso.soglia_s),
            Some(GIORNO_S)
        );
        assert_eq!(lista.avviso(giorno(10)).map(|avviso| avviso.soglia_s), Some(0));
    }

    #[test]
    fn thresholds_are_days_in_any_order() {
        assert_eq!(Soglie::parse("7, 60,30"), Some(Soglie::default()));
        assert_eq!(Soglie::default().to_string(), "60,30,7");
        for errata in ["", "0", "-1", "7;30", "sessanta", "40000"] {
            assert_eq!(Soglie::parse(errata), None, "{errata}");
        }
    }
}
