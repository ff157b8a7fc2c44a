//! The crypto suites that are spoken (RFC 4568 §6.2, RFC 6188 §4, RFC 7714 §14.2).

/// A cipher, how it authenticates, and how long its keys and tags are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Suite {
    /// AES-128 in counter mode with HMAC-SHA1, tags of 80 bits: what everybody who speaks SRTP speaks.
    AesCm128HmacSha1Tag80,
    /// The same with tags of 32 bits for RTP, six bytes less in each packet.
    AesCm128HmacSha1Tag32,
    /// AES-256 in counter mode with HMAC-SHA1, tags of 80 bits.
    AesCm256HmacSha1Tag80,
    /// The same with tags of 32 bits for RTP.
    AesCm256HmacSha1Tag32,
    /// AES-128 in Galois counter mode.
    AeadAes128Gcm,
    /// AES-256 in Galois counter mode.
    AeadAes256Gcm,
}

impl Suite {
    /// All suites, the strongest first: the order of an offer. A tag of 32 bits lets one forged packet in four thousand
    /// million through, so it comes last.
    pub const ALL: [Suite; 6] = [
        Suite::AeadAes256Gcm,
        Suite::AeadAes128Gcm,
        Suite::AesCm256HmacSha1Tag80,
        Suite::AesCm128HmacSha1Tag80,
        Suite::AesCm256HmacSha1Tag32,
        Suite::AesCm128HmacSha1Tag32,
    ];

    /// Returns the name in `a=crypto`.
    pub fn name(self) -> &'static str {
        match self {
            Suite::AesCm128HmacSha1Tag80 => "AES_CM_128_HMAC_SHA1_80",
            Suite::AesCm128HmacSha1Tag32 => "AES_CM_128_HMAC_SHA1_32",
            Suite::AesCm256HmacSha1Tag80 => "AES_256_CM_HMAC_SHA1_80",
            Suite::AesCm256HmacSha1Tag32 => "AES_256_CM_HMAC_SHA1_32",
            Suite::AeadAes128Gcm => "AEAD_AES_128_GCM",
            Suite::AeadAes256Gcm => "AEAD_AES_256_GCM",
        }
    }

    /// Returns the suite of a name.
    pub fn named(name: &str) -> Option<Suite> {
        Suite::ALL.into_iter().find(|suite| suite.name().eq_ignore_ascii_case(name))
    }

    /// Returns how long the master key is, in bytes.
    pub(crate) fn key_bytes(self) -> usize {
        match self {
            Suite::AesCm128HmacSha1Tag80 | Suite::AesCm128HmacSha1Tag32 | Suite::AeadAes128Gcm => 16,
            Suite::AesCm256HmacSha1Tag80 | Suite::AesCm256HmacSha1Tag32 | Suite::AeadAes256Gcm => 32,
        }
    }

    /// Returns how long the master salt is, in bytes.
    pub(crate) fn salt_bytes(self) -> usize {
        match self {
            Suite::AeadAes128Gcm | Suite::AeadAes256Gcm => 12,
            Suite::AesCm128HmacSha1Tag80
            | Suite::AesCm128HmacSha1Tag32
            | Suite::AesCm256HmacSha1Tag80
            | Suite::AesCm256HmacSha1Tag32 => 14,
        }
    }
}
