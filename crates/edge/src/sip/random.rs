//! Branches, tags, Call-IDs and cnonces from one seed.
//!
//! HMAC-SHA256 in counter mode: nobody who sees some of the outputs can guess the next, and a test with the same seed
//! sees the same conversation, byte for byte.

use hmac::{Hmac, Mac};
use sha2::Sha256;

/// A deterministic generator.
#[derive(Clone)]
pub(super) struct Random {
    key: [u8; 32],
    counter: u64,
}

impl Random {
    /// Starts a generator. The label keeps two generators with one seed apart.
    pub(super) fn new(seed: &[u8; 32], label: &str) -> Random {
        Random { key: hmac_sha256(seed, &[label.as_bytes()]), counter: 0 }
    }

    /// Starts another generator that is independent of this one.
    pub(super) fn fork(&mut self) -> Random {
        Random { key: self.block(), counter: 0 }
    }

    /// Returns 128 random bits as hexadecimal digits: a token that is legal everywhere in SIP.
    ///
    /// RFC 3261 §19.3 wants 32 bits in a tag; 128 also make a Call-ID and a branch unique.
    pub(super) fn token(&mut self) -> String {
        hex(&self.block()[..16])
    }

    /// Returns a number in `0..bound`.
    pub(super) fn below(&mut self, bound: u64) -> u64 {
        let block = self.block();
        let number = block[..8].iter().fold(0, |number, byte| (number << 8) | u64::from(*byte));
        number % bound.max(1)
    }

    fn block(&mut self) -> [u8; 32] {
        self.counter += 1;
        hmac_sha256(&self.key, &[&self.counter.to_be_bytes()])
    }
}

/// Returns HMAC-SHA256 over the parts, one after the other.
pub(super) fn hmac_sha256(key: &[u8; 32], parts: &[&[u8]]) -> [u8; 32] {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes a key of any length");
    for part in parts {
        mac.update(part);
    }
    mac.finalize().into_bytes().into()
}

/// Returns lower-case hexadecimal digits.
pub(super) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        write!(text, "{byte:02x}").expect("writing to a string cannot fail");
        text
    })
}
