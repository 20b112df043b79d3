//! The one gate of a diagnosis: what names a person, or whom a machine belongs to, is covered.

use crate::trace::redact::mask;

/// The text with codici fiscali, IBANs, users of URLs and homes covered.
pub(super) fn veil(testo: &str) -> String {
    homes(&users(&mask(testo)))
}

/// Who logs in, and by what: `postgres://mario:x@db` is `postgres://***@db`, `user=mario` is `user=***`.
fn users(testo: &str) -> String {
    let mut coperto = String::with_capacity(testo.len());
    let mut resto = testo;
    while let Some(dove) = resto.find("://") {
        let (prima, dopo) = resto.split_at(dove + 3);
        coperto.push_str(prima);
        let fine = dopo
            .find(|c: char| c.is_whitespace() || matches!(c, '/' | '"' | '\'' | '?'))
            .unwrap_or(dopo.len());
        resto = match dopo[..fine].rfind('@') {
            Some(chiocciola) => {
                coperto.push_str("***");
                &dopo[chiocciola..]
            }
            None => dopo,
        };
    }
    coperto.push_str(resto);
    after(&coperto, "user=")
}

/// Whose folder it is.
fn homes(testo: &str) -> String {
    after(testo, "/home/")
}

/// Covers the word after each of these signs.
fn after(testo: &str, segno: &str) -> String {
    let mut coperto = String::with_capacity(testo.len());
    let mut resto = testo;
    while let Some(dove) = resto.find(segno) {
        let (prima, dopo) = resto.split_at(dove + segno.len());
        coperto.push_str(prima);
        coperto.push_str("***");
        let fine = dopo.find(|c: char| c.is_whitespace() || matches!(c, '/' | '"' | '\'' | '&' | ',' | ';'));
        resto = &dopo[fine.unwrap_or(dopo.len())..];
    }
    coperto.push_str(resto);
    coperto
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_is_named_is_covered_and_the_rest_stays() {
        for (scritto, detto) in [
            (
                "store = \"postgres://mario:rossi@db.it/varco\"",
                "store = \"postgres://***@db.it/varco\"",
            ),
            (
                "postgres:///varco?host=/tmp&user=mario.rossi&port=1",
                "postgres:///varco?host=/tmp&user=***&port=1",
            ),
            ("http://127.0.0.1:4318", "http://127.0.0.1:4318"),
            ("sqlite:/home/mario.rossi/store.db", "sqlite:/home/***/store.db"),
        ] {
            assert_eq!(veil(scritto), detto);
        }
        let coperto = veil("di RSSMRA85T10A562S, IT60X0542811101000000123456");
        assert!(
            !coperto.contains("85T10") && !coperto.contains("05428"),
            "{coperto}"
        );
    }
}
