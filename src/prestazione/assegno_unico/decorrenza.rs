//! The expected first month of a sheet (D.lgs 230/2021 art. 6; circ. INPS 23/2022 §3; spec/domain.md §8.2). Expected,
//! since the engine decides: the gateway tells it so that the family knows what to wait for.

use jiff::ToSpan;
use jiff::civil::Date;

use super::dati::{
    MESI_DI_GRAVIDANZA_PAGATI, NASCITA_COMUNICATA_GIORNI, PRIMO_MESE, ULTIMO_MESE_DI_ARRETRATI,
};
use crate::domanda::Mese;

/// The expected first month for a domanda presented on a day (Europe/Rome): March for who comes by the end of June, the
/// next month after that. A birth told in time (`nuova_nascita`) counts from the seventh month of pregnancy, one told
/// late from the next month; without that flag, never before the month of birth. Never before the measure began.
#[must_use]
pub fn decorrenza_presunta(presentazione: Date, nascita: Option<Date>, nuova_nascita: bool) -> Mese {
    let mese = match nascita {
        Some(nascita) if nuova_nascita && is_comunicata_in_tempo(nascita, presentazione) => {
            mese_di(nascita.saturating_sub(MESI_DI_GRAVIDANZA_PAGATI.months()))
        }
        Some(_) if nuova_nascita => mese_successivo(presentazione),
        Some(nascita) => ordinaria(presentazione).max(mese_di(nascita)),
        None => ordinaria(presentazione),
    };
    mese.max(PRIMO_MESE)
}

/// Whether a birth was told within the days that the circolare gives.
#[must_use]
pub fn is_comunicata_in_tempo(nascita: Date, presentazione: Date) -> bool {
    nascita.saturating_add(NASCITA_COMUNICATA_GIORNI.days()) >= presentazione
}

/// The month after a day: also that of the second parent's half, counted from the day it was told (AU-4).
#[must_use]
pub fn mese_successivo(giorno: Date) -> Mese {
    mese_di(giorno.first_of_month().saturating_add(1.month()))
}

fn ordinaria(presentazione: Date) -> Mese {
    if presentazione.month() <= ULTIMO_MESE_DI_ARRETRATI {
        Mese {
            anno: presentazione.year(),
            mese: PRIMO_MESE.mese,
        }
    } else {
        mese_successivo(presentazione)
    }
}

fn mese_di(giorno: Date) -> Mese {
    Mese {
        anno: giorno.year(),
        mese: giorno.month(),
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use jiff::civil::date;

    use super::*;
    use crate::protocollo::data_a_roma;

    #[test]
    fn the_vectors_of_the_circolare() {
        for (presentazione, attesa) in [
            (date(2022, 1, 1), "2022-03"),
            (date(2022, 6, 30), "2022-03"),
            (date(2022, 7, 1), "2022-08"),
            (date(2022, 12, 31), "2023-01"),
            (date(2023, 2, 10), "2023-03"),
            // In sandbox clocks may stand before the measure.
            (date(2021, 7, 15), "2022-03"),
        ] {
            let decorrenza = decorrenza_presunta(presentazione, Some(date(2014, 1, 1)), false);
            assert_eq!(decorrenza.to_string(), attesa, "{presentazione}");
        }
    }

    #[test]
    fn the_other_half_runs_from_the_month_after_it_was_told() {
        assert_eq!(mese_successivo(date(2022, 5, 15)).to_string(), "2022-06");
        assert_eq!(mese_successivo(date(2022, 1, 31)).to_string(), "2022-02");
        assert_eq!(mese_successivo(date(2022, 12, 31)).to_string(), "2023-01");
    }

    #[test]
    fn the_day_is_that_of_rome() {
        for (istante, attesa) in [
            // 30 June 23:59:59 and 1 July 00:00:00 in Rome: summer time.
            ("2022-06-30T21:59:59Z", "2022-03"),
            ("2022-06-30T22:00:00Z", "2022-08"),
        ] {
            let giorno = data_a_roma(istante.parse::<Timestamp>().unwrap());
            assert_eq!(
                decorrenza_presunta(giorno, None, false).to_string(),
                attesa,
                "{istante}"
            );
        }
    }

    #[test]
    fn a_birth_counts_from_the_seventh_month_when_it_is_told_in_time() {
        let nata = date(2022, 9, 10);
        for (presentazione, nuova_nascita, attesa) in [
            (date(2022, 10, 20), true, "2022-07"),
            // The hundred-and-twentieth day, and the day after it.
            (date(2023, 1, 8), true, "2022-07"),
            (date(2023, 1, 9), true, "2023-02"),
            (date(2022, 10, 20), false, "2022-11"),
            (date(2023, 2, 1), false, "2023-03"),
        ] {
            let decorrenza = decorrenza_presunta(presentazione, Some(nata), nuova_nascita);
            assert_eq!(decorrenza.to_string(), attesa, "{presentazione} {nuova_nascita}");
        }
        // Before the measure there is nothing to count from.
        let marzo = decorrenza_presunta(date(2022, 4, 1), Some(date(2022, 3, 15)), true);
        assert_eq!(marzo, PRIMO_MESE);
        // No month before the birth is told to who does not ask for it.
        let maggio = decorrenza_presunta(date(2022, 5, 20), Some(date(2022, 5, 5)), false);
        assert_eq!(maggio.to_string(), "2022-05");
    }
}
