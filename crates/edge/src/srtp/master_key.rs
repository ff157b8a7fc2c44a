//! Master keys: where ours come from, and the keys of a session that are made of one (RFC 3711 §4.3).

use std::fmt;

use aws_lc_rs::cipher::{AES_128, AES_256, Algorithm, EncryptingKey, EncryptionContext, UnboundCipherKey};
use aws_lc_rs::hkdf;
use aws_lc_rs::iv::FixedLength;
use zeroize::Zeroizing;

use super::Suite;

/// A master key with its salt. It is wiped when it is dropped, and never printed.
#[derive(Clone, PartialEq, Eq)]
pub struct MasterKey {
    suite: Suite,
    /// The key, then the salt.
    bytes: Zeroizing<Vec<u8>>,
}

impl MasterKey {
    /// Takes key and salt, one behind the other as `a=crypto` has them; `None` if the length is not the suite's.
    pub fn new(suite: Suite, bytes: &[u8]) -> Option<MasterKey> {
        let is_whole = bytes.len() == suite.key_bytes() + suite.salt_bytes();
        is_whole.then(|| MasterKey { suite, bytes: Zeroizing::new(bytes.to_vec()) })
    }

    /// Takes key and salt that were made apart; `None` if a length is not the suite's.
    pub(crate) fn of_parts(suite: Suite, key: &[u8], salt: &[u8]) -> Option<MasterKey> {
        let is_whole = key.len() == suite.key_bytes() && salt.len() == suite.salt_bytes();
        is_whole.then(|| MasterKey { suite, bytes: Zeroizing::new([key, salt].concat()) })
    }

    /// Returns the suite it is for.
    pub fn suite(&self) -> Suite {
        self.suite
    }

    /// Returns key and salt, as they stand in `a=crypto`.
    pub(crate) fn expose(&self) -> &[u8] {
        &self.bytes
    }

    /// Makes the key of a session with this label, as long as `key` is (RFC 3711 §4.3.1, RFC 6188 §3, RFC 7714 §11).
    ///
    /// It is the keystream of counter mode, whose counter begins with the salt and the label.
    pub(super) fn derive(&self, label: u8, key: &mut [u8]) {
        let (master, salt) = self.bytes.split_at(self.suite.key_bytes());
        let mut counter = [0; 16];
        counter[..salt.len()].copy_from_slice(salt);
        counter[7] ^= label;
        key.fill(0);
        apply_keystream(&counter_key(master), counter, key);
    }
}

impl fmt::Debug for MasterKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MasterKey").field("suite", &self.suite).finish_non_exhaustive()
    }
}

/// Where the master keys of one leg come from: a secret of its own, and a count. Keys of different suites or counts have
/// nothing in common, so a stream that begins anew never repeats a keystream.
#[derive(Clone, PartialEq, Eq)]
pub struct KeySource {
    secret: Zeroizing<[u8; 32]>,
    count: u32,
}

impl KeySource {
    /// Makes the source of one leg. The secret must be random and nobody else's.
    pub fn new(secret: [u8; 32]) -> KeySource {
        KeySource { secret: Zeroizing::new(secret), count: 0 }
    }

    /// Returns the key to be told next, the same until [`KeySource::advance`].
    pub fn key(&self, suite: Suite) -> MasterKey {
        let mut bytes = Zeroizing::new(vec![0; suite.key_bytes() + suite.salt_bytes()]);
        self.expand(suite.name(), &mut bytes);
        MasterKey { suite, bytes }
    }

    /// Returns a name for the association whose keys a handshake makes, the same until [`KeySource::advance`] (RFC 8842
    /// §4.1: random, of 120 bits at least). It is public, and tells nothing of the keys.
    pub(crate) fn tls_id(&self) -> String {
        let mut bytes = [0; 16];
        self.expand("tls-id", &mut bytes);
        format!("{:032x}", u128::from_be_bytes(bytes))
    }

    fn expand(&self, purpose: &str, bytes: &mut [u8]) {
        let info = [purpose.as_bytes(), &self.count.to_be_bytes()];
        let key = hkdf::Prk::new_less_safe(hkdf::HKDF_SHA256, &*self.secret);
        let okm = key.expand(&info, OutputBytes(bytes.len())).expect("it is shorter than HKDF's longest output");
        okm.fill(bytes).expect("the length is the one that was asked for");
    }

    /// Makes all further keys new ones.
    pub fn advance(&mut self) {
        self.count += 1;
    }
}

impl fmt::Debug for KeySource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeySource").field("count", &self.count).finish_non_exhaustive()
    }
}

struct OutputBytes(usize);

impl hkdf::KeyType for OutputBytes {
    fn len(&self) -> usize {
        self.0
    }
}

/// Makes an AES key for counter mode of 16 or 32 bytes.
///
/// # Panics
///
/// If the key has another length.
pub(super) fn counter_key(key: &[u8]) -> EncryptingKey {
    let algorithm: &Algorithm = if key.len() == 32 { &AES_256 } else { &AES_128 };
    let key = UnboundCipherKey::new(algorithm, key).expect("session keys are as long as their cipher's");
    EncryptingKey::ctr(key).expect("AES has a counter mode")
}

/// Encrypts or decrypts in place.
pub(super) fn apply_keystream(key: &EncryptingKey, counter: [u8; 16], bytes: &mut [u8]) {
    let counter = EncryptionContext::Iv128(FixedLength::from(counter));
    key.less_safe_encrypt(bytes, counter).expect("counter mode takes any length");
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes(hex: &str) -> Vec<u8> {
        let digits = hex.as_bytes().chunks(2);
        digits.map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap()).collect()
    }

    #[test]
    fn session_keys_agree_with_rfc_3711() {
        let master = bytes("E1F97A0D3E018BE0D64FA32C06DE41390EC675AD498AFEEBB6960B3AABE6");
        let master = MasterKey::new(Suite::AesCm128HmacSha1Tag80, &master).expect("30 bytes");
        let derived = |label: u8, length: usize| {
            let mut key = vec![0xFF; length];
            master.derive(label, &mut key);
            key
        };
        assert_eq!(derived(0, 16), bytes("C61E7A93744F39EE10734AFE3FF7A087"));
        assert_eq!(derived(2, 14), bytes("30CBBC08863D8C85D49DB34A9AE1"));
        assert_eq!(derived(1, 20), bytes("CEBE321F6FF7716B6FD4AB49AF256A156D38BAA4"));
    }

    #[test]
    fn session_keys_of_256_bits_agree_with_rfc_6188() {
        let master = "f0f04914b513f2763a1b1fa130f10e2998f6f6e43e4309d1e622a0e332b9f1b6";
        let salt = "3b04803de51ee7c96423ab5b78d2";
        let master =
            MasterKey::new(Suite::AesCm256HmacSha1Tag80, &bytes(&format!("{master}{salt}"))).expect("46 bytes");
        let mut key = [0; 32];
        master.derive(0, &mut key);
        assert_eq!(key.to_vec(), bytes("5ba1064e30ec51613cad926c5a28ef731ec7fb397f70a960653caf06554cd8c4"));
    }

    #[test]
    fn keys_of_a_source_differ_by_suite_and_count_and_are_not_printed() {
        let mut source = KeySource::new([7; 32]);
        let first = source.key(Suite::AesCm128HmacSha1Tag80);
        assert_eq!(source.key(Suite::AesCm128HmacSha1Tag80), first);
        assert_ne!(source.key(Suite::AesCm128HmacSha1Tag32).expose(), first.expose());
        source.advance();
        assert_ne!(source.key(Suite::AesCm128HmacSha1Tag80), first);
        assert_eq!(
            format!("{first:?} {source:?}"),
            "MasterKey { suite: AesCm128HmacSha1Tag80, .. } KeySource { count: 1, .. }"
        );
    }
}
