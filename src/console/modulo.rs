//! What a form or an address brings: names and values, read once, by people's own spelling.

use actix_web::web;

/// Names and values in their order. A name that is asked for once gives its first value.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Modulo(Vec<(String, String)>);

impl Modulo {
    /// Of `application/x-www-form-urlencoded` text; what cannot be read brings nothing.
    pub(super) fn parse(testo: &str) -> Self {
        web::Query::<Vec<(String, String)>>::from_query(testo)
            .map(|letto| Self(letto.into_inner()))
            .unwrap_or_default()
    }

    /// A value without the blanks around it; `None` where there is none.
    pub(super) fn get(&self, nome: &str) -> Option<&str> {
        let trovato = self.0.iter().find(|(altro, _)| altro == nome)?;
        Some(trovato.1.trim()).filter(|valore| !valore.is_empty())
    }

    /// A value as it was typed, blanks and all.
    pub(super) fn raw(&self, nome: &str) -> &str {
        let trovato = self.0.iter().find(|(altro, _)| altro == nome);
        trovato.map_or("", |(_, valore)| valore)
    }

    /// A number.
    pub(super) fn number(&self, nome: &str) -> Option<u64> {
        self.get(nome)?.parse().ok()
    }
}

/// Names and values as a query, what is empty left out.
pub(super) fn query<'a>(coppie: impl IntoIterator<Item = (&'a str, &'a str)>) -> String {
    let mut testo = String::new();
    for (nome, valore) in coppie.into_iter().filter(|(_, valore)| !valore.is_empty()) {
        testo.push(if testo.is_empty() { '?' } else { '&' });
        encode(nome, &mut testo);
        testo.push('=');
        encode(valore, &mut testo);
    }
    testo
}

fn encode(valore: &str, testo: &mut String) {
    for byte in valore.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            testo.push(char::from(byte));
        } else {
            testo.push('%');
            testo.push_str(&crate::domanda::sha256::hex(&[byte]));
        }
    }
}

/// A path of ours to go to, out of what came with a request: nothing that leads to another host.
pub(super) fn local_path(percorso: &str) -> Option<&str> {
    let nostro = percorso.starts_with('/')
        && !percorso.starts_with("//")
        && !percorso.contains(['\\', '\r', '\n', '#'])
        && percorso.bytes().all(|byte| (0x21..0x7f).contains(&byte))
        && percorso.len() <= 2048;
    nostro.then_some(percorso)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn only_a_path_of_ours_is_gone_back_to() {
        assert_eq!(local_path("/messaggi?ente=PAT01"), Some("/messaggi?ente=PAT01"));
        for altrove in [
            "//male.example/",
            "https://male.example/",
            "/\\male",
            "",
            "x",
            "/a\r\nSet-Cookie: x",
            "/è",
        ] {
            assert_eq!(local_path(altrove), None, "{altrove}");
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back(nome in "[a-z]{1,8}", valore in "\\PC{1,40}") {
            let scritto = query([(nome.as_str(), valore.as_str())]);
            let letto = Modulo::parse(scritto.strip_prefix('?').unwrap());
            prop_assert_eq!(letto.raw(&nome), valore.as_str());
        }
    }
}
