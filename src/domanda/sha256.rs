//! SHA-256, from the one implementation in the house that uses what the processor offers (`ring`, which TLS brings
//! anyway). Every message is hashed twice: for its digest and for its imprint.

use std::fmt;

use ring::digest::{Context, SHA256, digest};

/// A hash in the making.
#[derive(Clone)]
pub struct Sha256(Context);

impl Sha256 {
    /// Of nothing yet.
    #[must_use]
    #[expect(
        clippy::new_without_default,
        reason = "a hash of nothing is no default of anything"
    )]
    pub fn new() -> Self {
        Self(Context::new(&SHA256))
    }

    /// Takes more bytes in.
    pub fn update(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    /// The hash of all that was taken in.
    #[must_use]
    pub fn finish(self) -> [u8; 32] {
        array(self.0.finish().as_ref())
    }

    /// The hash of `bytes`.
    #[must_use]
    pub fn of(bytes: &[u8]) -> [u8; 32] {
        array(digest(&SHA256, bytes).as_ref())
    }
}

impl fmt::Debug for Sha256 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sha256").finish_non_exhaustive()
    }
}

fn array(hash: &[u8]) -> [u8; 32] {
    let mut array = [0; 32];
    array.copy_from_slice(hash);
    array
}

/// `bytes` in lower-case hex, as hashes are shown.
#[must_use]
pub fn hex(bytes: &[u8]) -> String {
    const CIFRE: &[u8; 16] = b"0123456789abcdef";
    let mut hex = String::with_capacity(2 * bytes.len());
    for byte in bytes {
        hex.push(char::from(CIFRE[usize::from(byte >> 4)]));
        hex.push(char::from(CIFRE[usize::from(byte & 15)]));
    }
    hex
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_examples_of_the_standard_come_out() {
        let abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(hex(&Sha256::of(b"abc")), abc);
        let mut a_pezzi = Sha256::new();
        a_pezzi.update(b"a");
        a_pezzi.update(b"bc");
        assert_eq!(hex(&a_pezzi.finish()), abc);
    }
}
