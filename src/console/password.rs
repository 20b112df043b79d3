//! Passwords: argon2id, slow on purpose, never more at once than the machine shall spare for strangers. Whoever names an
//! operator that is not there waits as long as for one that is.

use std::time::Duration;

use argon2::password_hash::phc::PasswordHash;
use argon2::{Algorithm, Argon2, Params, PasswordHasher as _, PasswordVerifier as _, Version};
use ring::rand::{SecureRandom as _, SystemRandom};
use tokio::sync::Semaphore;

/// Characters that a password has at least.
pub const CARATTERI_MIN: usize = 12;
/// Bytes that a password has at most.
pub const BYTE_MAX: usize = 256;

/// What one try costs (OWASP's second choice for argon2id): memory in KiB, passes over it, lanes.
const MEMORIA_KIB: u32 = 19 * 1024;
const PASSATE: u32 = 2;
const CORSIE: u32 = 1;

/// How long a sign-in waits for its turn.
const ATTESA: Duration = Duration::from_secs(5);

/// Why a password cannot be kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PasswordErrata {
    /// Too short to withstand.
    #[error("la password deve avere almeno {CARATTERI_MIN} caratteri")]
    Corta,
    /// Longer than anybody types.
    #[error("la password può avere al più {BYTE_MAX} byte")]
    Lunga,
    /// One sign repeated, or what it protects.
    #[error(
        "la password è troppo semplice: non può ripetere pochi caratteri né contenere il nome dell'operatore"
    )]
    Semplice,
    /// The machine gave no randomness, or the parameters are wrong: nothing that a person can mend.
    #[error("la password non si può conservare")]
    Guasto,
}

/// What is kept of a password, in PHC form.
pub fn keep(password: &str, operatore: &str) -> Result<String, PasswordErrata> {
    if password.chars().count() < CARATTERI_MIN {
        return Err(PasswordErrata::Corta);
    }
    if password.len() > BYTE_MAX {
        return Err(PasswordErrata::Lunga);
    }
    let diversi: std::collections::BTreeSet<char> = password.chars().collect();
    if diversi.len() < 5 || password.to_lowercase().contains(&operatore.to_lowercase()) {
        return Err(PasswordErrata::Semplice);
    }
    hash(password)
}

fn hash(password: &str) -> Result<String, PasswordErrata> {
    let mut sale = [0; 16];
    SystemRandom::new()
        .fill(&mut sale)
        .map_err(|_| PasswordErrata::Guasto)?;
    let conservata = argon2()?
        .hash_password_with_salt(password.as_bytes(), &sale)
        .map_err(|_| PasswordErrata::Guasto)?;
    Ok(conservata.to_string())
}

fn argon2() -> Result<Argon2<'static>, PasswordErrata> {
    let costo = Params::new(MEMORIA_KIB, PASSATE, CORSIE, None).map_err(|_| PasswordErrata::Guasto)?;
    Ok(Argon2::new(Algorithm::Argon2id, Version::V0x13, costo))
}

/// A password that nobody has to think of: 20 signs of 32, a hundred bits.
pub fn generate() -> Result<String, PasswordErrata> {
    // No sign that is taken for another.
    const SEGNI: &[u8; 32] = b"abcdefghjkmnpqrstuvwxyz23456789=";
    let mut caso = [0; 20];
    SystemRandom::new()
        .fill(&mut caso)
        .map_err(|_| PasswordErrata::Guasto)?;
    let segni: Vec<char> = caso
        .iter()
        .map(|byte| char::from(SEGNI[usize::from(byte & 31)]))
        .collect();
    Ok(segni
        .chunks(5)
        .map(String::from_iter)
        .collect::<Vec<_>>()
        .join("-"))
}

/// Where passwords are tried: so many at once, others wait a little.
#[derive(Debug)]
pub struct Setaccio {
    posti: Semaphore,
    /// What the password of nobody left: tried for whoever is not there.
    nessuno: String,
}

/// Too many try at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Occupato;

impl Setaccio {
    /// So many at once.
    pub fn new(insieme: usize) -> Result<Self, PasswordErrata> {
        Ok(Self {
            posti: Semaphore::new(insieme.max(1)),
            nessuno: hash(&generate()?)?,
        })
    }

    /// Whether this is the password of which `conservata` is kept; of nobody's, never, and it takes as long.
    pub async fn try_password(&self, password: String, conservata: Option<String>) -> Result<bool, Occupato> {
        let posto = tokio::time::timeout(ATTESA, self.posti.acquire()).await;
        let _posto = posto.map_err(|_| Occupato)?.map_err(|_| Occupato)?;
        let qualcuno = conservata.is_some();
        let conservata = conservata.unwrap_or_else(|| self.nessuno.clone());
        let giusta = tokio::task::spawn_blocking(move || matches(&password, &conservata)).await;
        Ok(giusta.unwrap_or(false) && qualcuno)
    }
}

fn matches(password: &str, conservata: &str) -> bool {
    let (Ok(argon2), Ok(conservata)) = (argon2(), PasswordHash::new(conservata)) else {
        return false;
    };
    password.len() <= BYTE_MAX && argon2.verify_password(password.as_bytes(), &conservata).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_is_argon2id_with_its_cost_and_never_the_password() {
        let conservata = keep("cavallo batteria graffetta", "anna").unwrap();
        assert!(
            conservata.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"),
            "{conservata}"
        );
        assert!(!conservata.contains("cavallo"));
        assert_ne!(conservata, keep("cavallo batteria graffetta", "anna").unwrap());
        assert!(matches("cavallo batteria graffetta", &conservata));
        assert!(!matches("cavallo batteria graffette", &conservata));
        assert!(!matches("x", "no hash at all"));
    }

    #[test]
    fn a_password_that_would_be_guessed_is_refused_with_the_reason() {
        for (password, errata) in [
            ("undici caratt"[..11].to_owned(), PasswordErrata::Corta),
            ("abababababababab".to_owned(), PasswordErrata::Semplice),
            ("Sono-ANNA-e-basta".to_owned(), PasswordErrata::Semplice),
            ("lungo ".repeat(50), PasswordErrata::Lunga),
        ] {
            assert_eq!(keep(&password, "anna"), Err(errata), "{password}");
        }
    }

    #[test]
    fn a_generated_password_is_good_and_never_the_same() {
        let (una, altra) = (generate().unwrap(), generate().unwrap());
        assert_eq!(una.len(), 23);
        assert_ne!(una, altra);
        keep(&una, "demo").unwrap();
    }

    #[tokio::test]
    async fn nobody_has_no_password() {
        let setaccio = Setaccio::new(2).unwrap();
        let conservata = keep("cavallo batteria graffetta", "anna").unwrap();
        let giusta = "cavallo batteria graffetta".to_owned();
        assert_eq!(
            setaccio.try_password(giusta.clone(), Some(conservata)).await,
            Ok(true)
        );
        assert_eq!(setaccio.try_password(giusta, None).await, Ok(false));
    }
}
