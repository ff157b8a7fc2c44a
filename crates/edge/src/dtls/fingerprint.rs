//! Fingerprints of certificates, as they stand in descriptions: `a=fingerprint` (RFC 8122 §5).

use std::fmt;

use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::digest::{Algorithm, SHA256, SHA384, SHA512, digest};

/// A hash function that proves a certificate. SHA-1 and older ones prove nothing any more (RFC 8122 §5.1 has SHA-256 as
/// what everybody knows).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum HashFunction {
    /// SHA-256.
    Sha256,
    /// SHA-384.
    Sha384,
    /// SHA-512.
    Sha512,
}

/// The hash of a certificate, and by which function.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Fingerprint {
    hash: HashFunction,
    digest: Vec<u8>,
}

impl HashFunction {
    const ALL: [HashFunction; 3] = [HashFunction::Sha256, HashFunction::Sha384, HashFunction::Sha512];

    /// Returns the name of IANA's registry of hash functions.
    pub fn name(self) -> &'static str {
        match self {
            HashFunction::Sha256 => "sha-256",
            HashFunction::Sha384 => "sha-384",
            HashFunction::Sha512 => "sha-512",
        }
    }

    fn named(name: &str) -> Option<HashFunction> {
        HashFunction::ALL.into_iter().find(|hash| hash.name().eq_ignore_ascii_case(name))
    }

    fn algorithm(self) -> &'static Algorithm {
        match self {
            HashFunction::Sha256 => &SHA256,
            HashFunction::Sha384 => &SHA384,
            HashFunction::Sha512 => &SHA512,
        }
    }
}

impl Fingerprint {
    /// Returns the fingerprint of a certificate (DER).
    pub fn of(hash: HashFunction, certificate: &[u8]) -> Fingerprint {
        Fingerprint { hash, digest: digest(hash.algorithm(), certificate).as_ref().to_vec() }
    }

    /// Reads `sha-256 4A:AD:B9:...`, in upper or lower case; `None` for other hash functions and other lengths.
    pub fn parse(value: &str) -> Option<Fingerprint> {
        let mut words = value.split_ascii_whitespace();
        let hash = HashFunction::named(words.next()?)?;
        let digest = words.next()?.split(':').map(parse_byte).collect::<Option<Vec<u8>>>()?;
        let is_whole = digest.len() == hash.algorithm().output_len() && words.next().is_none();
        is_whole.then_some(Fingerprint { hash, digest })
    }

    /// Compares in constant time: how far a forged certificate is right must not show.
    fn is_of(&self, certificate: &[u8]) -> bool {
        let computed = digest(self.hash.algorithm(), certificate);
        verify_slices_are_equal(computed.as_ref(), &self.digest).is_ok()
    }
}

/// Whether these are fingerprints of this certificate (DER): for each hash function that is told there is one that fits
/// (RFC 8122 §5.1), and there is one at all. A peer with several certificates tells several fingerprints by the same
/// function.
pub fn are_of(fingerprints: &[Fingerprint], certificate: &[u8]) -> bool {
    let fits = |told: &Fingerprint| {
        let mut by_same = fingerprints.iter().filter(|fingerprint| fingerprint.hash == told.hash);
        by_same.any(|fingerprint| fingerprint.is_of(certificate))
    };
    !fingerprints.is_empty() && fingerprints.iter().all(fits)
}

fn parse_byte(digits: &str) -> Option<u8> {
    let is_pair = digits.len() == 2 && digits.bytes().all(|digit| digit.is_ascii_hexdigit());
    is_pair.then(|| u8::from_str_radix(digits, 16).ok()).flatten()
}

/// Writes it as `a=fingerprint` has it, in upper case (RFC 8122 §5).
impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.hash.name())?;
        let mut separator = ' ';
        for byte in &self.digest {
            write!(f, "{separator}{byte:02X}")?;
            separator = ':';
        }
        Ok(())
    }
}
