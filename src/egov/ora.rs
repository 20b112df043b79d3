//! Instants as the busta writes them: local time of Italy, mostly without a zone.

use jiff::civil::DateTime;
use jiff::tz::{Offset, TimeZone};
use jiff::{SignedDuration, Timestamp};

use crate::protocollo::roma;

/// Reads `yyyy-MM-ddTHH:mm:ss`, with or without a fraction of a second, with or without a zone. What has no zone is of
/// Europe/Rome. A date alone is none.
#[must_use]
pub fn leggi(testo: &str) -> Option<Timestamp> {
    let (giorno, ora) = testo.split_once('T')?;
    let secondi = ora.get(..8)?;
    let locale = minuto_locale(giorno, secondi.get(..5)?)?;
    let secondo = secondi.get(5..)?.strip_prefix(':').and_then(|s| numero(s, 2))?;
    if secondo > 59 {
        return None;
    }
    let (frazione, zona) = frazione(&ora[8..])?;
    let locale = locale
        .checked_add(SignedDuration::new(i64::from(secondo), frazione))
        .ok()?;
    match zona {
        "" => a_roma(locale),
        zona => TimeZone::fixed(offset(zona)?).to_timestamp(locale).ok(),
    }
}

/// An instant in local time, to the second, as official samples have it.
#[must_use]
pub fn scrivi(istante: Timestamp) -> String {
    locale(istante).strftime("%Y-%m-%dT%H:%M:%S").to_string()
}

/// The same with milliseconds: when a porta recorded something.
#[must_use]
pub fn scrivi_ms(istante: Timestamp) -> String {
    locale(istante).strftime("%Y-%m-%dT%H:%M:%S.%3f").to_string()
}

/// The local date and time of an instant.
pub(super) fn locale(istante: Timestamp) -> DateTime {
    roma().to_datetime(istante)
}

/// The instant of a local time. In the hour that comes twice it is the later one, and in the one that is skipped too:
/// nothing expires earlier than its sender may have meant.
pub(super) fn a_roma(locale: DateTime) -> Option<Timestamp> {
    roma().to_ambiguous_timestamp(locale).later().ok()
}

/// `yyyy-MM-dd` and `HH:mm`, each digit in its place.
pub(super) fn minuto_locale(giorno: &str, minuto: &str) -> Option<DateTime> {
    let [anno, mese, giorno] = parti(giorno, '-')?;
    let (ore, minuti) = minuto.split_once(':')?;
    DateTime::new(
        numero(anno, 4)?,
        i8::try_from(numero(mese, 2)?).ok()?,
        i8::try_from(numero(giorno, 2)?).ok()?,
        i8::try_from(numero(ore, 2)?).ok()?,
        i8::try_from(numero(minuti, 2)?).ok()?,
        0,
        0,
    )
    .ok()
}

fn parti(testo: &str, segno: char) -> Option<[&str; 3]> {
    let mut parti = testo.split(segno);
    let tre = [parti.next()?, parti.next()?, parti.next()?];
    parti.next().is_none().then_some(tre)
}

/// So many digits, and nothing else.
fn numero(testo: &str, cifre: usize) -> Option<i16> {
    (testo.len() == cifre && testo.bytes().all(|byte| byte.is_ascii_digit()))
        .then(|| testo.parse().ok())
        .flatten()
}

/// Nanoseconds of `.123…`, and what follows.
fn frazione(testo: &str) -> Option<(i32, &str)> {
    let Some(dopo) = testo.strip_prefix('.') else {
        return Some((0, testo));
    };
    let lunga = dopo.bytes().take_while(u8::is_ascii_digit).count();
    if lunga == 0 {
        return None;
    }
    let mut nanosecondi = 0;
    for posto in 0..9 {
        let cifra = dopo.as_bytes()[..lunga].get(posto).map_or(0, |byte| byte - b'0');
        nanosecondi = nanosecondi * 10 + i32::from(cifra);
    }
    Some((nanosecondi, &dopo[lunga..]))
}

/// `Z` or `±HH:mm`, at most fourteen hours as XML Schema has it.
fn offset(zona: &str) -> Option<Offset> {
    if zona == "Z" {
        return Some(Offset::UTC);
    }
    let (segno, ore, minuti) = match zona.as_bytes().first()? {
        b'+' => (1, zona.get(1..3)?, zona.get(3..)?),
        b'-' => (-1, zona.get(1..3)?, zona.get(3..)?),
        _ => return None,
    };
    let (ore, minuti) = (numero(ore, 2)?, numero(minuti.strip_prefix(':')?, 2)?);
    if minuti > 59 || i32::from(ore) * 60 + i32::from(minuti) > 14 * 60 {
        return None;
    }
    Offset::from_seconds(segno * (i32::from(ore) * 60 + i32::from(minuti)) * 60).ok()
}
