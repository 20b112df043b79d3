//! The caller's place in its own trace: the header `traceparent` (W3C Trace Context 1, §3.2). What is not in its form
//! counts as not sent.

use opentelemetry::{SpanId, TraceId};

/// Which span of which trace sent the message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Chiamante {
    /// The trace.
    pub trace_id: TraceId,
    /// The span in it that is the parent of ours.
    pub span_id: SpanId,
    /// Whether the caller keeps this trace.
    pub campionato: bool,
}

impl Chiamante {
    /// From the header's text: `00-` trace `-` span `-` flags, in lower-case hex. A later version may say more behind it.
    #[must_use]
    pub fn parse(testo: &str) -> Option<Self> {
        let (versione, resto) = testo.split_at_checked(2)?;
        let versione = hex(versione, 2)?;
        let (campi, dopo) = resto.split_at_checked(53)?;
        let finito = match versione {
            0 => dopo.is_empty(),
            0xff => false,
            _ => dopo.is_empty() || dopo.starts_with('-'),
        };
        let mut campi = campi.strip_prefix('-')?.split('-');
        let (traccia, span, flags) = (campi.next()?, campi.next()?, campi.next()?);
        let trace_id = TraceId::from(hex(traccia, 32)?);
        let span_id = SpanId::from(u64::try_from(hex(span, 16)?).ok()?);
        let campionato = hex(flags, 2)? & 1 == 1;
        let valido =
            finito && campi.next().is_none() && trace_id != TraceId::INVALID && span_id != SpanId::INVALID;
        valido.then_some(Self {
            trace_id,
            span_id,
            campionato,
        })
    }
}

/// So many lower-case hex digits.
fn hex(testo: &str, cifre: usize) -> Option<u128> {
    let in_form = testo.len() == cifre
        && testo
            .bytes()
            .all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    in_form.then(|| u128::from_str_radix(testo, 16).ok())?
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const TRACCIA: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
    const SPAN: &str = "00f067aa0ba902b7";

    #[test]
    fn the_sample_of_the_recommendation_is_read() {
        let letto = Chiamante::parse(&format!("00-{TRACCIA}-{SPAN}-01")).unwrap();
        assert_eq!(letto.trace_id.to_string(), TRACCIA);
        assert_eq!(letto.span_id.to_string(), SPAN);
        assert!(letto.campionato);
        assert!(
            !Chiamante::parse(&format!("00-{TRACCIA}-{SPAN}-00"))
                .unwrap()
                .campionato
        );
    }

    #[test]
    fn what_is_not_in_form_counts_as_not_sent() {
        for testo in [
            String::new(),
            "00".to_owned(),
            format!("00-{TRACCIA}-{SPAN}-1"),
            format!("00-{TRACCIA}-{SPAN}-01-"),
            format!("00-{TRACCIA}-{SPAN}-01-altro"),
            format!("ff-{TRACCIA}-{SPAN}-01"),
            format!("00-{}-{SPAN}-01", TRACCIA.to_uppercase()),
            format!("00-{}-{SPAN}-01", "0".repeat(32)),
            format!("00-{TRACCIA}-{}-01", "0".repeat(16)),
            format!("00_{TRACCIA}-{SPAN}-01"),
            format!("00-{TRACCIA}{SPAN}--01"),
            format!("00-+{}-{SPAN}-01", &TRACCIA[1..]),
        ] {
            assert_eq!(Chiamante::parse(&testo), None, "{testo}");
        }
        // A version of later is read as far as we know it.
        assert!(Chiamante::parse(&format!("01-{TRACCIA}-{SPAN}-01")).is_some());
        assert!(Chiamante::parse(&format!("01-{TRACCIA}-{SPAN}-01-altro")).is_some());
        assert_eq!(Chiamante::parse(&format!("01-{TRACCIA}-{SPAN}-01altro")), None);
    }

    proptest! {
        #[test]
        fn no_text_breaks_it(testo in ".{0,80}") {
            let _ = Chiamante::parse(&testo);
        }

        #[test]
        fn what_is_in_form_comes_back(traccia in 1_u128.., span in 1_u64.., flags in 0_u8..) {
            let letto = Chiamante::parse(&format!("00-{traccia:032x}-{span:016x}-{flags:02x}")).unwrap();
            prop_assert_eq!(letto.trace_id, TraceId::from(traccia));
            prop_assert_eq!(letto.span_id, SpanId::from(span));
            prop_assert_eq!(letto.campionato, flags & 1 == 1);
        }
    }
}
