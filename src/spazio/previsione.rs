//! When it will be full: the slope through the samples of the last weeks, told in bytes a day and in days that are left.
//!
//! The slope is the median of the slopes between every two samples (Theil-Sen): a copy that lay on the disk for a night, a
//! purge, a Monday in January move it little, a growth that lasts moves it wholly.

use jiff::{SignedDuration, Timestamp};

use crate::store::spazio::Campione;

/// What the samples say.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Previsione {
    /// How much more the store takes up a day; `None` = not enough samples.
    pub byte_al_giorno: Option<i64>,
    /// Days until so little is free that no domanda is taken; `None` = not known, or it does not get less.
    pub giorni: Option<u64>,
}

impl Previsione {
    /// From samples, oldest first; `soglia` is how many bytes must stay free.
    #[must_use]
    pub fn of(campioni: &[Campione], soglia: u64) -> Self {
        let occupati = campioni.iter().map(|campione| (campione.ora, campione.occupati));
        let liberi: Vec<_> = campioni
            .iter()
            .filter_map(|campione| Some((campione.ora, campione.liberi?)))
            .collect();
        let ora_liberi = liberi.last().map(|(_, liberi)| *liberi);
        let calo = slope(&liberi).map(|al_giorno| -al_giorno);
        Self {
            byte_al_giorno: slope(&occupati.collect::<Vec<_>>()),
            giorni: calo
                .and_then(|al_giorno| u64::try_from(al_giorno).ok())
                .filter(|al_giorno| *al_giorno > 0)
                .zip(ora_liberi)
                .map(|(al_giorno, liberi)| liberi.saturating_sub(soglia) / al_giorno),
        }
    }
}

/// Bytes a day; `None` where the samples are few, or of less than a day.
fn slope(campioni: &[(Timestamp, u64)]) -> Option<i64> {
    let (prima, ultima) = (campioni.first()?.0, campioni.last()?.0);
    if campioni.len() < CAMPIONI_MIN || ultima.duration_since(prima) < DURATA_MIN {
        return None;
    }
    let mut pendenze = Vec::with_capacity(campioni.len() * campioni.len() / 2);
    for (posto, (quando, byte)) in campioni.iter().enumerate() {
        for (prima, byte_prima) in &campioni[..posto] {
            let secondi = quando.duration_since(*prima).as_secs();
            if secondi > 0 {
                let differenza = i128::from(*byte) - i128::from(*byte_prima);
                pendenze.push(differenza * SECONDI_DEL_GIORNO / i128::from(secondi));
            }
        }
    }
    let mezzo = pendenze.len() / 2;
    if pendenze.is_empty() {
        return None;
    }
    let (_, mediana, _) = pendenze.select_nth_unstable(mezzo);
    i64::try_from(*mediana).ok()
}

/// How long samples are kept: four whole weeks, so that each day of the week counts alike.
pub(super) const MEMORIA: SignedDuration = SignedDuration::from_hours(28 * 24);
/// With fewer samples nothing is said.
const CAMPIONI_MIN: usize = 12;
/// Nor of a shorter time: a day has its own ups and downs.
const DURATA_MIN: SignedDuration = SignedDuration::from_hours(24);
const SECONDI_DEL_GIORNO: i128 = 86_400;

#[cfg(test)]
mod tests {
    use super::*;

    const GIB: u64 = 1 << 30;

    /// A sample an hour; the free bytes fall by as much as the taken ones grow.
    fn campioni(ore: i64, occupati: impl Fn(i64) -> u64) -> Vec<Campione> {
        let inizio: Timestamp = "2021-07-01T00:00:00Z".parse().unwrap();
        (0..ore)
            .map(|ora| Campione {
                ora: inizio + SignedDuration::from_hours(ora),
                occupati: occupati(ora),
                liberi: Some(100 * GIB - occupati(ora)),
            })
            .collect()
    }

    #[test]
    fn a_steady_growth_is_told_as_it_is() {
        let campioni = campioni(48, |ora| 10 * GIB + ora.unsigned_abs() * GIB / 24);
        let previsione = Previsione::of(&campioni, GIB);
        let al_giorno = previsione.byte_al_giorno.unwrap();
        assert!(al_giorno.abs_diff(1 << 30) < 100, "{al_giorno}");
        // 88 GiB are left after the second day, one of which must stay.
        assert_eq!(previsione.giorni, Some(87));
    }

    #[test]
    fn a_night_on_which_somebody_left_a_copy_on_the_disk_changes_little() {
        let piano = |ora: i64| 10 * GIB + ora.unsigned_abs() * GIB / 24;
        let campioni = campioni(14 * 24, |ora| {
            piano(ora) + if (100..110).contains(&ora) { 50 * GIB } else { 0 }
        });
        let al_giorno = Previsione::of(&campioni, 0).byte_al_giorno.unwrap();
        assert!(al_giorno.abs_diff(1 << 30) < GIB / 20, "{al_giorno}");
    }

    #[test]
    fn a_purge_is_no_shrinking() {
        let campioni = campioni(14 * 24, |ora| {
            let tolti = if ora >= 200 { 5 * GIB } else { 0 };
            20 * GIB + ora.unsigned_abs() * GIB / 24 - tolti
        });
        let al_giorno = Previsione::of(&campioni, 0).byte_al_giorno.unwrap();
        assert!(al_giorno > 1 << 29, "{al_giorno}");
    }

    #[test]
    fn of_a_store_that_does_not_grow_or_was_seen_for_an_hour_nothing_is_foretold() {
        assert_eq!(
            Previsione::of(&campioni(100, |_| GIB), 0),
            Previsione {
                byte_al_giorno: Some(0),
                giorni: None
            }
        );
        assert_eq!(
            Previsione::of(&campioni(24, |ora| ora.unsigned_abs() * GIB), 0),
            Previsione::default()
        );
        assert_eq!(Previsione::of(&[], 0), Previsione::default());
    }

    #[test]
    fn where_nobody_knows_what_is_free_the_growth_is_told_alone() {
        let mut campioni = campioni(48, |ora| ora.unsigned_abs() * 24);
        for campione in &mut campioni {
            campione.liberi = None;
        }
        let previsione = Previsione::of(&campioni, 0);
        assert_eq!((previsione.byte_al_giorno, previsione.giorni), (Some(576), None));
    }
}
