//! SDES: the keys of SRTP in a description, `a=crypto` (RFC 4568).

use base64::Engine as _;
use base64::alphabet::STANDARD;
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig};

use crate::srtp::{MasterKey, Suite};

/// Reads keys with their padding and without: phones do it both ways.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// An `a=crypto` line that we can use, or one of ours.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Crypto {
    pub(super) tag: u32,
    pub(super) key: MasterKey,
}

impl Crypto {
    /// Reads `1 AES_CM_128_HMAC_SHA1_80 inline:<key and salt>|2^20 WSH=64` (RFC 4568 §9.1). `None` for what we cannot
    /// do: unknown suites, several keys, keys with an identifier (MKI), and parameters that change how packets look.
    ///
    /// The lifetime is how many packets the peer will send with the key: that is the peer's to keep.
    pub(super) fn parse(value: &str) -> Option<Crypto> {
        let mut words = value.split_ascii_whitespace();
        let tag = words.next()?.parse().ok()?;
        let suite = Suite::named(words.next()?)?;
        let mut key = words.next()?.strip_prefix("inline:")?.split('|');
        let bytes = zeroize::Zeroizing::new(BASE64.decode(key.next()?).ok()?);
        let has_identifier = key.any(|part| part.contains(':'));
        let is_harmless = |parameter: &str| parameter.starts_with("WSH=") || parameter == "KDR=0";
        match !has_identifier && words.all(is_harmless) {
            true => Some(Crypto { tag, key: MasterKey::new(suite, &bytes)? }),
            false => None,
        }
    }

    /// Reads the keys of a description of ours.
    pub(super) fn all_of(description: &str) -> Vec<Crypto> {
        description.lines().filter_map(|line| Crypto::parse(line.strip_prefix("a=crypto:")?)).collect()
    }

    pub(super) fn print(&self, text: &mut String) {
        let key = BASE64.encode(self.key.expose());
        text.push_str(&format!("a=crypto:{} {} inline:{key}\r\n", self.tag, self.key.suite().name()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "inline:d0RmdmcmVCspeEc3QGZiNWpVLFJhQX1cfHAwJSoj";

    #[test]
    fn lines_as_phones_write_them() {
        for rest in ["", "|2^20|", "|2^48", "|1048576", " WSH=64", "|2^20 WSH=128 KDR=0"] {
            assert!(Crypto::parse(&format!("1 AES_CM_128_HMAC_SHA1_80 {KEY}{rest}")).is_some(), "{rest}");
        }
        assert_eq!(Crypto::parse(&format!("7 aes_cm_128_hmac_sha1_32 {KEY}")).map(|crypto| crypto.tag), Some(7));
    }

    #[test]
    fn lines_that_we_cannot_do_are_passed_over() {
        let lines = [
            "",
            "1",
            "x AES_CM_128_HMAC_SHA1_80 inline:AAAA",
            &format!("1 F8_128_HMAC_SHA1_80 {KEY}"),
            &format!("1 AES_256_CM_HMAC_SHA1_80 {KEY}"),
            &format!("1 AES_CM_128_HMAC_SHA1_80 {KEY}|2^20|1:4"),
            &format!("1 AES_CM_128_HMAC_SHA1_80 {KEY}|1:4"),
            &format!("1 AES_CM_128_HMAC_SHA1_80 {KEY};{KEY}"),
            &format!("1 AES_CM_128_HMAC_SHA1_80 {KEY} UNENCRYPTED_SRTP"),
            &format!("1 AES_CM_128_HMAC_SHA1_80 {KEY} UNAUTHENTICATED_SRTP"),
            &format!("1 AES_CM_128_HMAC_SHA1_80 {KEY} KDR=1"),
            "1 AES_CM_128_HMAC_SHA1_80 inline:!!!",
        ];
        for line in lines {
            assert_eq!(Crypto::parse(line), None, "{line}");
        }
    }
}
