//! Days, months and instants as people write them in Italian, by the clock of Rome.

use jiff::Timestamp;
use jiff::civil::Date;

use crate::domanda::Mese;
use crate::protocollo::roma;

const MESI: [&str; 12] = [
    "gennaio",
    "febbraio",
    "marzo",
    "aprile",
    "maggio",
    "giugno",
    "luglio",
    "agosto",
    "settembre",
    "ottobre",
    "novembre",
    "dicembre",
];

fn nome(mese: i8) -> &'static str {
    let posto = usize::try_from(mese).unwrap_or_default();
    MESI.get(posto.wrapping_sub(1)).copied().unwrap_or_default()
}

/// `luglio 2021`.
#[must_use]
pub fn mese(mese: Mese) -> String {
    format!("{} {}", nome(mese.mese), mese.anno)
}

/// `1° luglio 2021`, `18 giugno 2021`.
#[must_use]
pub fn data(data: Date) -> String {
    let giorno = match data.day() {
        1 => "1°".to_owned(),
        altro => altro.to_string(),
    };
    format!("{giorno} {} {}", nome(data.month()), data.year())
}

/// `18 giugno 2021, ore 12:30:05`, in Rome.
#[must_use]
pub fn istante(istante: Timestamp) -> String {
    let a_roma = istante.to_zoned(roma());
    format!("{}, ore {}", data(a_roma.date()), a_roma.strftime("%H:%M:%S"))
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    #[test]
    fn instants_are_told_by_the_clock_of_rome() {
        let estate = "2021-06-18T10:30:05.123Z".parse().unwrap();
        assert_eq!(istante(estate), "18 giugno 2021, ore 12:30:05");
        let capodanno = "2021-12-31T23:00:00Z".parse().unwrap();
        assert_eq!(istante(capodanno), "1° gennaio 2022, ore 00:00:00");
    }

    #[test]
    fn months_and_days_have_names() {
        assert_eq!(mese(Mese { anno: 2021, mese: 7 }), "luglio 2021");
        assert_eq!(mese(Mese { anno: 2023, mese: 12 }), "dicembre 2023");
        assert_eq!(data(date(2022, 8, 1)), "1° agosto 2022");
    }
}
