//! How the trace finds a person without knowing one: each codice fiscale of a request that is kept is written beside its
//! record as a keyed hash. Whoever has the store and not the key learns nothing of it, not even by trying every codice
//! fiscale there is (there are few enough); so the key lies outside the store.

use std::fmt;
use std::str::FromStr;

use ring::hmac;
use ring::rand::{SecureRandom, SystemRandom};

use super::redact::is_codice_fiscale;
use crate::domanda::sha256::hex;

/// Who is looked for: a text in the shape of a codice fiscale. Its check character is not looked at, for a message that was
/// refused because of it is looked for all the same. Masked in `Debug`.
#[derive(Clone, PartialEq, Eq)]
pub struct Persona(String);

/// A text that has not the shape of a codice fiscale.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("serve un codice fiscale: sedici caratteri, oppure undici cifre")]
pub struct PersonaErrata;

impl Persona {
    /// The codice fiscale, upper case.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Persona {
    type Err = PersonaErrata;

    fn from_str(testo: &str) -> Result<Self, PersonaErrata> {
        let testo = testo.trim();
        if is_codice_fiscale(testo) {
            Ok(Self(testo.to_ascii_uppercase()))
        } else {
            Err(PersonaErrata)
        }
    }
}

impl fmt::Debug for Persona {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Persona(…)")
    }
}

/// What stands for a person in the store.
pub type Ombra = [u8; OMBRA_BYTES];

/// Of the hash as much as tells everybody in Italy apart.
pub const OMBRA_BYTES: usize = 16;

/// The key of the hashes. Masked in `Debug`.
#[derive(Clone, PartialEq, Eq)]
pub struct ChiaveRicerca([u8; CHIAVE_BYTES]);

const CHIAVE_BYTES: usize = 32;

/// A text that is no key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("servono 64 cifre esadecimali in una riga")]
pub struct ChiaveErrata;

impl ChiaveRicerca {
    /// A new one, of the system's randomness; `None` where it has none.
    #[must_use]
    pub fn generate() -> Option<Self> {
        let mut chiave = [0; CHIAVE_BYTES];
        SystemRandom::new().fill(&mut chiave).ok()?;
        Some(Self(chiave))
    }

    /// As its file holds it.
    #[must_use]
    pub fn text(&self) -> String {
        hex(&self.0) + "\n"
    }

    /// What two gateways compare: tells one key from another, and nothing of either.
    #[must_use]
    pub fn impronta(&self) -> String {
        hex(&self.sign(b"varco: impronta della chiave di ricerca")[..8])
    }

    /// What stands for a person.
    #[must_use]
    pub fn ombra(&self, persona: &Persona) -> Ombra {
        let mut ombra = [0; OMBRA_BYTES];
        ombra.copy_from_slice(&self.sign(persona.0.as_bytes())[..OMBRA_BYTES]);
        ombra
    }

    /// What stands for those who are named in a message.
    #[must_use]
    pub fn ombre(&self, messaggio: &[u8]) -> Vec<Ombra> {
        persone_in(messaggio)
            .iter()
            .map(|persona| self.ombra(persona))
            .collect()
    }

    fn sign(&self, bytes: &[u8]) -> [u8; 32] {
        let firma = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, &self.0), bytes);
        let mut intera = [0; 32];
        intera.copy_from_slice(firma.as_ref());
        intera
    }
}

impl FromStr for ChiaveRicerca {
    type Err = ChiaveErrata;

    fn from_str(testo: &str) -> Result<Self, ChiaveErrata> {
        let cifre = testo.trim_end();
        if cifre.len() != CHIAVE_BYTES * 2 || !cifre.bytes().all(|cifra| cifra.is_ascii_hexdigit()) {
            return Err(ChiaveErrata);
        }
        let mut chiave = [0; CHIAVE_BYTES];
        for (byte, posto) in chiave.iter_mut().zip((0..).step_by(2)) {
            *byte = u8::from_str_radix(&cifre[posto..posto + 2], 16).map_err(|_| ChiaveErrata)?;
        }
        Ok(Self(chiave))
    }
}

impl fmt::Debug for ChiaveRicerca {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ChiaveRicerca(…)")
    }
}

/// How many persons of one message can be found: a domanda names some ten at most.
pub const PERSONE_MAX: usize = 32;

/// Those who are named in a message, each once, in their order, the first [`PERSONE_MAX`]. One pass over the bytes as they
/// are, so that a message that nobody could read is found too.
fn persone_in(messaggio: &[u8]) -> Vec<Persona> {
    let mut persone: Vec<Persona> = Vec::new();
    for parola in messaggio.split(|byte| !byte.is_ascii_alphanumeric()) {
        if let Ok(parola) = std::str::from_utf8(parola)
            && is_codice_fiscale(parola)
        {
            let persona = Persona(parola.to_ascii_uppercase());
            if !persone.contains(&persona) {
                persone.push(persona);
            }
            if persone.len() == PERSONE_MAX {
                break;
            }
        }
    }
    persone
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chiave() -> ChiaveRicerca {
        "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"
            .parse()
            .unwrap()
    }

    #[test]
    fn whoever_is_named_in_a_message_is_found_once() {
        let messaggio = b"<a>RSSMRA80A01H501U</a><b c='rssmra80a01h501u'/>IT60X0542811101000000123456 \
                          \xff80000000002, BBBRRR14A01A001XY";
        let persone = persone_in(messaggio);
        assert_eq!(
            persone.iter().map(Persona::as_str).collect::<Vec<_>>(),
            ["RSSMRA80A01H501U", "80000000002"]
        );
        assert_eq!(
            chiave().ombre(messaggio),
            [
                chiave().ombra(&" rssmra80a01h501u ".parse().unwrap()),
                chiave().ombra(&"80000000002".parse().unwrap()),
            ]
        );
        let molte: Vec<_> = (0..100).map(|n| format!("{n:011}")).collect();
        assert_eq!(persone_in(molte.join(" ").as_bytes()).len(), PERSONE_MAX);
    }

    #[test]
    fn a_hash_is_hmac_sha256_and_says_nothing_without_the_key() {
        // python3: hmac.new(bytes(range(32)), b"RSSMRA80A01H501U", "sha256").hexdigest()[:32]
        let persona: Persona = "RSSMRA80A01H501U".parse().unwrap();
        let ombra = hex(&chiave().ombra(&persona));
        assert_eq!(ombra, "75f9fbbda7e6315808b4f09f1d0e5a55");
        let altra = ChiaveRicerca::generate().unwrap();
        assert_ne!(altra.ombra(&persona), chiave().ombra(&persona));
        assert_ne!(altra.impronta(), chiave().impronta());
        assert_eq!(format!("{persona:?} {altra:?}"), "Persona(…) ChiaveRicerca(…)");
    }

    #[test]
    fn a_key_is_read_as_it_was_written_or_not_at_all() {
        let nuova = ChiaveRicerca::generate().unwrap();
        assert_eq!(nuova.text().parse(), Ok(nuova.clone()));
        for errata in [
            "",
            "00",
            &nuova.text()[1..],
            &nuova.text().replace('\n', "00"),
            &"é".repeat(32),
        ] {
            assert_eq!(errata.parse::<ChiaveRicerca>(), Err(ChiaveErrata));
        }
        assert!("ROSSI".parse::<Persona>().is_err());
    }
}
