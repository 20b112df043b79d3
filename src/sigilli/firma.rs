//! The key that signs the document of a day: Ed25519 (RFC 8032), in the files that OpenSSL writes and reads (PKCS#8 and
//! `SubjectPublicKeyInfo`, RFC 8410). Whoever has the public key checks a signature without us:
//! `openssl pkeyutl -verify -pubin -inkey chiave.pub.pem -rawin -sigfile prova-….json.sig -in prova-….json`.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ring::rand::{SecureRandom, SystemRandom};
use ring::signature::{ED25519, Ed25519KeyPair, KeyPair as _, UnparsedPublicKey};

/// What stands before the 32 bytes of a private key (RFC 8410 §7).
const PKCS8: &[u8] = &[
    0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20,
];
/// What stands before those of a public key (RFC 8410 §4).
const SPKI: &[u8] = &[
    0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00,
];

/// Why a key cannot be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ChiaveErrata {
    /// It is no PEM of that kind.
    #[error("non è un file PEM con «{0}»")]
    NonPem(&'static str),
    /// It is no Ed25519 key.
    #[error("non è una chiave Ed25519")]
    NonEd25519,
    /// The system gave no random bytes.
    #[error("il sistema non dà byte casuali")]
    Caso,
}

/// The key that signs.
pub struct Firma {
    coppia: Ed25519KeyPair,
}

impl fmt::Debug for Firma {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Firma").finish_non_exhaustive()
    }
}

impl Firma {
    /// A new private key, as a PEM file.
    pub fn generate() -> Result<String, ChiaveErrata> {
        Ok(write_pem("PRIVATE KEY", &[PKCS8, &casuali()?[..]].concat()))
    }

    /// The one of a PEM file.
    pub fn from_pem(testo: &str) -> Result<Self, ChiaveErrata> {
        let der = read_pem("PRIVATE KEY", testo)?;
        let coppia =
            Ed25519KeyPair::from_pkcs8_maybe_unchecked(&der).map_err(|_| ChiaveErrata::NonEd25519)?;
        Ok(Self { coppia })
    }

    /// Signs: 64 bytes, the same for the same bytes.
    #[must_use]
    pub fn sign(&self, bytes: &[u8]) -> Vec<u8> {
        self.coppia.sign(bytes).as_ref().to_vec()
    }

    /// The key that checks what this one signs.
    #[must_use]
    pub fn pubblica(&self) -> Pubblica {
        Pubblica(self.coppia.public_key().as_ref().to_vec())
    }
}

/// The key that checks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pubblica(Vec<u8>);

impl Pubblica {
    /// The one of a PEM file.
    pub fn from_pem(testo: &str) -> Result<Self, ChiaveErrata> {
        let der = read_pem("PUBLIC KEY", testo)?;
        let chiave = der.strip_prefix(SPKI).filter(|chiave| chiave.len() == 32);
        chiave
            .map(|chiave| Self(chiave.to_vec()))
            .ok_or(ChiaveErrata::NonEd25519)
    }

    /// As a PEM file.
    #[must_use]
    pub fn to_pem(&self) -> String {
        write_pem("PUBLIC KEY", &[SPKI, &self.0].concat())
    }

    /// Whether its private key signed these bytes.
    #[must_use]
    pub fn verify(&self, bytes: &[u8], firma: &[u8]) -> bool {
        UnparsedPublicKey::new(&ED25519, &self.0)
            .verify(bytes, firma)
            .is_ok()
    }
}

/// Thirty-two random bytes: a key, the salt of a block.
pub fn casuali() -> Result<[u8; 32], ChiaveErrata> {
    let mut bytes = [0; 32];
    SystemRandom::new()
        .fill(&mut bytes)
        .map_err(|_| ChiaveErrata::Caso)?;
    Ok(bytes)
}

fn write_pem(nome: &str, der: &[u8]) -> String {
    format!(
        "-----BEGIN {nome}-----\n{}\n-----END {nome}-----\n",
        STANDARD.encode(der)
    )
}

fn read_pem(nome: &'static str, testo: &str) -> Result<Vec<u8>, ChiaveErrata> {
    let (_, dopo) = testo
        .split_once(&format!("-----BEGIN {nome}-----"))
        .ok_or(ChiaveErrata::NonPem(nome))?;
    let (base64, _) = dopo
        .split_once(&format!("-----END {nome}-----"))
        .ok_or(ChiaveErrata::NonPem(nome))?;
    let base64: String = base64.split_whitespace().collect();
    STANDARD.decode(base64).map_err(|_| ChiaveErrata::NonPem(nome))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_signed_is_checked_with_the_public_key_alone() {
        let firma = Firma::from_pem(&Firma::generate().unwrap()).unwrap();
        let firmata = firma.sign(b"documento");
        let pubblica = Pubblica::from_pem(&firma.pubblica().to_pem()).unwrap();
        assert!(pubblica.verify(b"documento", &firmata));
        assert!(!pubblica.verify(b"documentO", &firmata));
        let altra = Firma::from_pem(&Firma::generate().unwrap()).unwrap().pubblica();
        assert!(!altra.verify(b"documento", &firmata));
    }

    #[test]
    fn the_signature_is_that_of_rfc_8032() {
        // Test 2 of §7.1.
        let seme = "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb";
        let seme: crate::sigilli::Impronta = seme.parse().unwrap();
        let pem = write_pem("PRIVATE KEY", &[PKCS8, &seme.0[..]].concat());
        let firmata = Firma::from_pem(&pem).unwrap().sign(&[0x72]);
        assert_eq!(
            crate::domanda::sha256::hex(&firmata),
            "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da\
             085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"
        );
    }

    #[test]
    fn other_files_are_refused() {
        let pubblica = Firma::from_pem(&Firma::generate().unwrap())
            .unwrap()
            .pubblica()
            .to_pem();
        assert_eq!(
            Firma::from_pem(&pubblica).unwrap_err(),
            ChiaveErrata::NonPem("PRIVATE KEY")
        );
        let corta = write_pem("PUBLIC KEY", &[SPKI, &[1, 2]].concat());
        assert_eq!(Pubblica::from_pem(&corta).unwrap_err(), ChiaveErrata::NonEd25519);
    }
}
