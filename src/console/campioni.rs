//! What the charts are drawn from: how the counters stood every few seconds of the last hour, and how full the disk was over
//! the last day. In memory, of this process alone.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::sessione::durata;
use crate::catalogo::{CODICI, Codice};
use crate::clock::Clock;
use crate::metriche::TEMPI_US;
use crate::store::SharedStore;
use crate::trace::conti::{ESITI, QuadroMessaggi};
use crate::trace::writer::Tracciati;

/// The longest window that is drawn.
const ORA: Duration = Duration::from_hours(1);
/// Points of a chart, at most: more are no clearer.
const PUNTI_MAX: usize = 60;
/// The disk is looked at so often, and remembered so long.
const DISCO_OGNI: SignedDuration = SignedDuration::from_secs(60);
const DISCO_MAX: usize = 24 * 60;
/// A forecast of less than this would be a guess.
const PREVISIONE_DA: SignedDuration = SignedDuration::from_mins(10);

/// The groups in which outcomes are drawn.
pub(super) const GRUPPI: usize = 4;

/// The samples.
#[derive(Debug)]
pub struct Campioni {
    ogni: Duration,
    messaggi: Mutex<VecDeque<Campione>>,
    disco: Mutex<VecDeque<(Timestamp, u64)>>,
}

#[derive(Debug, Clone)]
struct Campione {
    quando: Timestamp,
    quadro: QuadroMessaggi,
}

/// What went on in a window.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Finestra {
    pub(super) punti: Vec<Punto>,
    /// Messages by group, over the whole window.
    pub(super) totali: [u64; GRUPPI],
    /// Median, 95th and 99th percentile over the whole window, in milliseconds.
    pub(super) percentili: Option<[f64; 3]>,
    /// What refused messages, most often first.
    pub(super) codici: Vec<(Codice, u64)>,
    /// How long it is, in seconds.
    pub(super) secondi: f64,
}

/// What went on between two samples.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Punto {
    pub(super) quando: Timestamp,
    /// Messages a second, by group.
    pub(super) al_secondo: [f64; GRUPPI],
    pub(super) percentili: Option<[f64; 3]>,
}

/// When the disk is full.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Previsione {
    /// It was not looked at for long enough.
    Presto,
    /// Not at this pace.
    Mai,
    /// In so many days.
    Giorni(f64),
}

impl Campioni {
    /// None yet; one every so often.
    #[must_use]
    pub fn new(ogni: Duration) -> Self {
        Self {
            ogni,
            messaggi: Mutex::default(),
            disco: Mutex::default(),
        }
    }

    /// Looks at the counters again and again.
    pub async fn count(self: Arc<Self>, tracce: Tracciati, store: SharedStore, clock: Arc<dyn Clock>) {
        loop {
            let quando = clock.wall();
            self.note(quando, tracce.quadro());
            if self.disk_is_due(quando)
                && let Some(libero) = store.misure().file.and_then(|file| file.disco_libero)
            {
                self.note_disk(quando, libero);
            }
            tokio::time::sleep(self.ogni).await;
        }
    }

    fn note(&self, quando: Timestamp, quadro: QuadroMessaggi) {
        let quanti = ORA.as_millis() / self.ogni.as_millis().max(1);
        let mut messaggi = self.messaggi.lock().unwrap_or_else(PoisonError::into_inner);
        messaggi.push_back(Campione { quando, quadro });
        while messaggi.len() as u128 > quanti + 1 {
            messaggi.pop_front();
        }
    }

    fn disk_is_due(&self, quando: Timestamp) -> bool {
        let disco = self.disco.lock().unwrap_or_else(PoisonError::into_inner);
        disco
            .back()
            .is_none_or(|(ultimo, _)| quando.duration_since(*ultimo) >= DISCO_OGNI)
    }

    fn note_disk(&self, quando: Timestamp, libero: u64) {
        let mut disco = self.disco.lock().unwrap_or_else(PoisonError::into_inner);
        disco.push_back((quando, libero));
        while disco.len() > DISCO_MAX {
            disco.pop_front();
        }
    }

    /// What went on since so long.
    pub(super) fn window(&self, lunga: Duration, adesso: Timestamp) -> Finestra {
        let dal = adesso - durata(lunga) - durata(self.ogni);
        let messaggi = self.messaggi.lock().unwrap_or_else(PoisonError::into_inner);
        let presi: Vec<&Campione> = messaggi
            .iter()
            .filter(|campione| campione.quando >= dal)
            .collect();
        let passo = presi.len().saturating_sub(1).div_ceil(PUNTI_MAX).max(1);
        // Counted from the newest, so that it is always among them.
        let mut scelti: Vec<&Campione> = presi.iter().rev().step_by(passo).copied().collect();
        scelti.reverse();
        let (Some(primo), Some(ultimo)) = (scelti.first(), scelti.last()) else {
            return Finestra::default();
        };
        let secondi = seconds(primo.quando, ultimo.quando);
        let mut codici: Vec<(Codice, u64)> = CODICI
            .iter()
            .copied()
            .zip(grown(&primo.quadro.rifiuti, &ultimo.quadro.rifiuti))
            .filter(|(_, quanti)| *quanti > 0)
            .collect();
        codici.sort_by_key(|(codice, quanti)| (std::cmp::Reverse(*quanti), *codice));
        Finestra {
            punti: scelti
                .windows(2)
                .map(|due| Punto::between(due[0], due[1]))
                .collect(),
            totali: groups(&grown(&primo.quadro.conclusi, &ultimo.quadro.conclusi)),
            percentili: percentiles(&grown(&primo.quadro.durata, &ultimo.quadro.durata)),
            codici,
            secondi,
        }
    }

    /// When the disk is full, if it goes on as it went: the line through what was free (least squares).
    pub(super) fn forecast(&self) -> Previsione {
        self.days_left().unwrap_or(Previsione::Presto)
    }

    fn days_left(&self) -> Option<Previsione> {
        let disco = self.disco.lock().unwrap_or_else(PoisonError::into_inner);
        let ((primo, _), (ultimo, libero)) = (disco.front()?, disco.back()?);
        if ultimo.duration_since(*primo) < PREVISIONE_DA {
            return None;
        }
        let punti: Vec<(f64, f64)> = disco
            .iter()
            .map(|(quando, libero)| (seconds(*primo, *quando), float(*libero)))
            .collect();
        let quanti = float(punti.len() as u64);
        let media = |di: fn(&(f64, f64)) -> f64| punti.iter().map(di).sum::<f64>() / quanti;
        let (x, y) = (media(|punto| punto.0), media(|punto| punto.1));
        let sopra: f64 = punti.iter().map(|punto| (punto.0 - x) * (punto.1 - y)).sum();
        let sotto: f64 = punti.iter().map(|punto| (punto.0 - x).powi(2)).sum();
        let al_secondo = sopra / sotto;
        let giorni = float(*libero) / -al_secondo / 86_400.0;
        // Slower than ten years is not filling.
        Some(if al_secondo < 0.0 && giorni < 3650.0 {
            Previsione::Giorni(giorni)
        } else {
            Previsione::Mai
        })
    }
}

impl Punto {
    fn between(prima: &Campione, dopo: &Campione) -> Self {
        let secondi = seconds(prima.quando, dopo.quando).max(0.001);
        let quanti = groups(&grown(&prima.quadro.conclusi, &dopo.quadro.conclusi));
        Self {
            quando: dopo.quando,
            al_secondo: quanti.map(|quanti| float(quanti) / secondi),
            percentili: percentiles(&grown(&prima.quadro.durata, &dopo.quadro.durata)),
        }
    }
}

fn grown(prima: &[u64], dopo: &[u64]) -> Vec<u64> {
    prima
        .iter()
        .zip(dopo)
        .map(|(prima, dopo)| dopo.saturating_sub(*prima))
        .collect()
}

/// Taken in, answered otherwise, refused, cut off.
fn groups(conclusi: &[u64]) -> [u64; GRUPPI] {
    let mut gruppi = [0; GRUPPI];
    for (posto, quanti) in conclusi.iter().enumerate() {
        gruppi[group_of(ESITI.get(posto).copied().unwrap_or_default())] += quanti;
    }
    gruppi
}

/// The group of an outcome.
pub(super) fn group_of(esito: &str) -> usize {
    match esito {
        "REGISTRATA" | "ACCOLTO" => 0,
        "RIPETUTA" | "AMMISSIBILE" | "RISPOSTA" => 1,
        "RIFIUTATA" | "FAULT" | "RIFIUTATA_HTTP" => 2,
        _ => 3,
    }
}

/// Out of how many took no longer than each bound: within the bound where a percentile falls, as if they lay evenly.
fn percentiles(durata: &[u64]) -> Option<[f64; 3]> {
    let quanti = *durata.last().filter(|quanti| **quanti > 0)?;
    Some([0.50, 0.95, 0.99].map(|parte| {
        let meta = float(quanti) * parte;
        let mut sotto = (0.0, 0.0);
        for (soglia, fino_a) in TEMPI_US.iter().zip(durata) {
            let (soglia, fino_a) = (float(*soglia), float(*fino_a));
            if fino_a >= meta {
                let dentro = (meta - sotto.1) / (fino_a - sotto.1).max(1e-9);
                return (sotto.0 + (soglia - sotto.0) * dentro) / 1000.0;
            }
            sotto = (soglia, fino_a);
        }
        // Longer than the last bound: that is all that is known.
        sotto.0 / 1000.0
    }))
}

fn seconds(da: Timestamp, a: Timestamp) -> f64 {
    a.duration_since(da).as_secs_f64()
}

#[expect(clippy::cast_precision_loss, reason = "a count that is drawn")]
pub(super) fn float(valore: u64) -> f64 {
    valore as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(secondi: i64) -> Timestamp {
        Timestamp::from_second(1_700_000_000 + secondi).unwrap()
    }

    fn quadro(registrate: u64, rifiutate: u64, entro_un_ms: u64) -> QuadroMessaggi {
        let mut quadro = QuadroMessaggi {
            conclusi: vec![0; ESITI.len() + 1],
            durata: vec![0; TEMPI_US.len() + 1],
            rifiuti: vec![0; CODICI.len()],
        };
        quadro.conclusi[0] = registrate;
        quadro.conclusi[2] = rifiutate;
        quadro.rifiuti[Codice::Acc001 as usize] = rifiutate;
        for (posto, quanti) in quadro.durata.iter_mut().enumerate() {
            *quanti = if posto >= 3 { entro_un_ms } else { 0 };
        }
        quadro
    }

    #[test]
    fn a_window_tells_what_grew_in_it() {
        let campioni = Campioni::new(Duration::from_secs(5));
        for passo in 0..=10_i64 {
            let quanti = 100 + passo.unsigned_abs();
            campioni.note(at(passo * 5), quadro(quanti * 10, quanti, quanti * 11));
        }
        let finestra = campioni.window(Duration::from_secs(50), at(50));
        assert_eq!(finestra.punti.len(), 10);
        assert_eq!(finestra.totali, [100, 0, 10, 0]);
        assert_eq!(finestra.codici, [(Codice::Acc001, 10)]);
        let al_secondo = finestra.punti[3].al_secondo.map(|quanti| format!("{quanti:.3}"));
        assert_eq!(al_secondo, ["2.000", "0.000", "0.200", "0.000"]);
        // All of them between half a millisecond and one.
        let [mediana, p95, p99] = finestra.percentili.unwrap();
        assert!(
            (mediana - 0.75).abs() < 1e-6 && p95 < p99 && p99 < 1.0,
            "{mediana} {p95} {p99}"
        );
    }

    #[test]
    fn a_chart_has_few_points_and_the_newest_is_among_them() {
        let campioni = Campioni::new(Duration::from_secs(5));
        for passo in 0..2000_i64 {
            campioni.note(at(passo * 5), quadro(passo.unsigned_abs(), 0, 0));
        }
        assert_eq!(campioni.messaggi.lock().unwrap().len(), 721);
        let finestra = campioni.window(Duration::from_hours(1), at(1999 * 5));
        assert_eq!(finestra.punti.len(), 60);
        assert_eq!(finestra.punti.last().unwrap().quando, at(1999 * 5));
        assert_eq!(finestra.percentili, None);
    }

    #[test]
    fn an_empty_window_is_empty() {
        let campioni = Campioni::new(Duration::from_secs(5));
        assert_eq!(
            campioni.window(Duration::from_mins(5), at(0)),
            Finestra::default()
        );
        campioni.note(at(0), quadro(5, 5, 5));
        assert_eq!(campioni.window(Duration::from_mins(5), at(0)).totali, [0; 4]);
    }

    #[test]
    fn the_disk_is_full_when_the_line_says_so() {
        let campioni = Campioni::new(Duration::from_secs(5));
        let giga = 1 << 30;
        campioni.note_disk(at(0), 100 * giga);
        assert_eq!(campioni.forecast(), Previsione::Presto);
        for ora in 1..=24_i64 {
            campioni.note_disk(at(ora * 3600), (100 - ora.unsigned_abs()) * giga);
        }
        // A gigabyte an hour, and 76 are left.
        let Previsione::Giorni(giorni) = campioni.forecast() else {
            panic!("it fills")
        };
        assert!((giorni - 76.0 / 24.0).abs() < 1e-6, "{giorni}");

        let fermi = Campioni::new(Duration::from_secs(5));
        (0..20).for_each(|minuto| fermi.note_disk(at(minuto * 60), giga));
        assert_eq!(fermi.forecast(), Previsione::Mai);
    }
}
