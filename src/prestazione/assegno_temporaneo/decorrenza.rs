//! The expected first month of a sheet (DL 79/2021 art. 3; spec/domain.md §8.1). Expected, since the engine decides:
//! the gateway tells it so that the family knows what to wait for.

use jiff::civil::Date;

use super::dati::{FINE_ARRETRATI, FINE_MISURA, PRIMO_MESE};
use crate::domanda::Mese;

/// The expected first month for a domanda presented on a day (Europe/Rome): the first month of the measure for
/// whoever comes in time for the arrears, the month of presentation after that, none once the measure is over.
/// Never before the month of the child's birth: there is no right to an assegno for a child to come.
#[must_use]
pub fn decorrenza_presunta(presentazione: Date, nascita: Option<Date>) -> Option<Mese> {
    if presentazione > FINE_MISURA {
        return None;
    }
    let mese = if presentazione <= FINE_ARRETRATI {
        PRIMO_MESE
    } else {
        mese_di(presentazione)
    };
    Some(nascita.map_or(mese, |nascita| mese.max(mese_di(nascita))))
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
    fn the_vectors_of_the_decree() {
        for (presentazione, attesa) in [
            (date(2021, 6, 18), Some("2021-07")),
            (date(2021, 7, 1), Some("2021-07")),
            (date(2021, 9, 30), Some("2021-07")),
            (date(2021, 10, 31), Some("2021-07")),
            (date(2021, 11, 1), Some("2021-11")),
            (date(2021, 12, 31), Some("2021-12")),
            (date(2022, 1, 1), Some("2022-01")),
            (date(2022, 2, 28), Some("2022-02")),
            (date(2022, 3, 1), None),
        ] {
            let decorrenza = decorrenza_presunta(presentazione, Some(date(2014, 1, 1)));
            assert_eq!(
                decorrenza.map(|mese| mese.to_string()).as_deref(),
                attesa,
                "{presentazione}"
            );
        }
    }

    #[test]
    fn the_day_is_that_of_rome() {
        for (istante, attesa) in [
            // 31 October 23:59:59 in Rome, already winter time.
            ("2021-10-31T22:59:59Z", "2021-07"),
            ("2021-10-31T23:00:00Z", "2021-11"),
            ("2021-11-30T22:59:59Z", "2021-11"),
            ("2021-11-30T23:00:00Z", "2021-12"),
            // 1 July 00:00:00 in Rome is summer time: 22:00 the day before in UTC.
            ("2021-06-30T22:00:00Z", "2021-07"),
        ] {
            let giorno = data_a_roma(istante.parse::<Timestamp>().unwrap());
            let decorrenza = decorrenza_presunta(giorno, None).map(|mese| mese.to_string());
            assert_eq!(decorrenza.as_deref(), Some(attesa), "{istante}");
        }
    }

    #[test]
    fn no_month_before_the_birth_is_told() {
        let nata_a_settembre = Some(date(2021, 9, 20));
        let decorrenza = decorrenza_presunta(date(2021, 10, 5), nata_a_settembre);
        assert_eq!(decorrenza, Some(Mese { anno: 2021, mese: 9 }));
        let decorrenza = decorrenza_presunta(date(2021, 12, 5), nata_a_settembre);
        assert_eq!(decorrenza, Some(Mese { anno: 2021, mese: 12 }));
    }
}
