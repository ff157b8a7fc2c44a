//! SDES: the keys of SRTP in a description, `a=crypto` (RFC 4568).

use base64::Engine as _;
use base64::alphabet::STANDARD;
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig};

use super::SdpError;
use super::parse::Media;
use crate::srtp::{KeySource, Keys, MasterKey, Suite};

/// Reads keys with their padding and without: phones do it both ways.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// Whether streams are encrypted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum SrtpPolicy {
    /// Never: keys are neither told nor used.
    Off,
    /// If both sides can and the keys may be told.
    #[default]
    Optional,
    /// Always: a stream in clear is refused.
    Required,
}

/// What one side says about encryption through a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LocalSrtp {
    policy: SrtpPolicy,
    /// What is offered, in this order, and taken.
    suites: Vec<Suite>,
    may_tell_keys: bool,
    keys: KeySource,
    agreed: Option<Agreed>,
}

/// What the last offer and answer made of it.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Agreed {
    Plain,
    Encrypted { ours: MasterKey },
}

/// An `a=crypto` line that we can use, or one of ours.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Crypto {
    pub(super) tag: u32,
    pub(super) key: MasterKey,
}

impl LocalSrtp {
    /// Never encrypts.
    pub fn off() -> LocalSrtp {
        LocalSrtp::new(SrtpPolicy::Off, KeySource::new([0; 32]))
    }

    /// Encrypts as `policy` says, with keys from `keys`, once they may be told.
    pub fn new(policy: SrtpPolicy, keys: KeySource) -> LocalSrtp {
        LocalSrtp { policy, suites: Suite::ALL.to_vec(), may_tell_keys: false, keys, agreed: None }
    }

    /// Offers these suites in this order, and takes no others.
    #[must_use]
    pub fn with_suites(self, suites: Vec<Suite>) -> LocalSrtp {
        LocalSrtp { suites, ..self }
    }

    /// Sets whether keys may be told: the descriptions go over TLS, or the operator does not mind (RFC 4568 §8.2).
    pub(super) fn let_keys_be_told(&mut self, may_tell_keys: bool) {
        self.may_tell_keys = may_tell_keys;
    }

    pub(super) fn policy(&self) -> SrtpPolicy {
        self.policy
    }

    /// Notes what was agreed on, so that later descriptions say the same: a key that is told once more goes on, another
    /// one begins a stream anew.
    pub(super) fn agree(&mut self, keys: Option<&Keys>) {
        let agreed = keys.map_or(Agreed::Plain, |keys| Agreed::Encrypted { ours: keys.ours.clone() });
        if agreed != Agreed::Plain && self.agreed.as_ref() != Some(&agreed) {
            self.keys.advance();
        }
        self.agreed = Some(agreed);
    }

    /// Returns the keys of an offer; none: it is in clear.
    pub(super) fn offer(&self) -> Vec<Crypto> {
        match &self.agreed {
            Some(Agreed::Encrypted { ours }) => vec![Crypto { tag: 1, key: ours.clone() }],
            None if self.may_encrypt() => {
                let keys = self.suites.iter().map(|suite| self.keys.key(*suite));
                (1..).zip(keys).map(|(tag, key)| Crypto { tag, key }).collect()
            }
            Some(Agreed::Plain) | None => Vec::new(),
        }
    }

    /// Returns the protocol of an offer with these keys, where the stream had this one so far. Whether the peer can is
    /// not known before its first answer, so the first offer demands it; who cannot says so with 488.
    pub(super) fn protocol<'a>(&self, crypto: &[Crypto], so_far: &'a str) -> &'a str {
        match self.agreed.is_none() && !crypto.is_empty() {
            true => "RTP/SAVP",
            false => so_far,
        }
    }

    /// Reads the answer to an offer of these keys (RFC 4568 §7.1.3).
    pub(super) fn accept(&self, offered: &[Crypto], media: &Media<'_>) -> Result<Option<Keys>, SdpError> {
        let chosen = media.attributes.crypto.iter().find_map(|theirs| {
            let is_theirs = |ours: &&Crypto| ours.tag == theirs.tag && ours.key.suite() == theirs.key.suite();
            Some(Keys { ours: offered.iter().find(is_theirs)?.key.clone(), theirs: theirs.key.clone() })
        });
        match chosen {
            Some(keys) => Ok(Some(keys)),
            None if is_secure(media) => Err(SdpError::NoCrypto { line: media.line }),
            None => self.in_clear(media.line).map(|()| None),
        }
    }

    /// Answers an offer: with the first key that we can use, with none, or not at all (RFC 4568 §7.1.2). Keys beside a
    /// profile in clear are for those who can (RFC 8643).
    pub(super) fn answer(&self, media: &Media<'_>) -> Result<Option<(u32, Keys)>, SdpError> {
        let is_ours = |theirs: &&Crypto| self.may_encrypt() && self.suites.contains(&theirs.key.suite());
        let theirs = media.attributes.crypto.iter().find(is_ours);
        match theirs {
            Some(theirs) => Ok(Some((theirs.tag, self.answer_key(theirs)))),
            None if is_secure(media) && self.may_encrypt() => Err(SdpError::NoCrypto { line: media.line }),
            None if is_secure(media) => Err(SdpError::EncryptionRefused { line: media.line }),
            None => self.in_clear(media.line).map(|()| None),
        }
    }

    /// The key in force goes on if it is of the suite that is wanted.
    fn answer_key(&self, theirs: &Crypto) -> Keys {
        let suite = theirs.key.suite();
        let ours = match &self.agreed {
            Some(Agreed::Encrypted { ours }) if ours.suite() == suite => ours.clone(),
            Some(Agreed::Encrypted { .. } | Agreed::Plain) | None => self.keys.key(suite),
        };
        Keys { ours, theirs: theirs.key.clone() }
    }

    fn in_clear(&self, line: usize) -> Result<(), SdpError> {
        match self.policy {
            SrtpPolicy::Required => Err(SdpError::Unencrypted { line }),
            SrtpPolicy::Off | SrtpPolicy::Optional => Ok(()),
        }
    }

    fn may_encrypt(&self) -> bool {
        self.may_tell_keys && self.policy != SrtpPolicy::Off
    }
}

/// Whether the stream's profile demands encryption.
fn is_secure(media: &Media<'_>) -> bool {
    let protocols = ["RTP/SAVP", "RTP/SAVPF"];
    protocols.iter().any(|protocol| media.protocol.eq_ignore_ascii_case(protocol))
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
