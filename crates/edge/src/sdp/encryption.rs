//! Whether a stream is encrypted, and where its keys come from: told in the descriptions (SDES, RFC 4568), or made by a
//! handshake whose certificates the descriptions tell (DTLS, RFC 5763).

use std::fmt;

use super::SdpError;
use super::crypto::Crypto;
use super::handshake::{HandshakeLines, Setup, Told};
use super::parse::{Description, Media};
use crate::dtls::{Certificate, Role, Terms};
use crate::srtp::{KeySource, Keys, Suite};

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

/// How both sides of a stream come to their keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Keying {
    /// They stand in the descriptions, which must be secret therefore.
    Sdes,
    /// They are made by a handshake over the path of the sound.
    Dtls,
}

/// What an encrypted stream is encrypted with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Encryption {
    /// Keys that both sides have told.
    Keys(Keys),
    /// Keys of a handshake on these terms.
    Handshake(Terms),
}

impl Encryption {
    fn keying(&self) -> Keying {
        match self {
            Encryption::Keys(_) => Keying::Sdes,
            Encryption::Handshake(_) => Keying::Dtls,
        }
    }
}

/// What one side says about encryption through a call.
#[derive(Clone)]
pub struct LocalSrtp {
    policy: SrtpPolicy,
    /// What is offered with keys, in this order, and taken. The library for handshakes chooses by itself.
    suites: Vec<Suite>,
    /// What is taken, the best first.
    accepts: Vec<Keying>,
    /// What is offered first, and what to those who refuse it.
    offers: Vec<Keying>,
    /// Who we are in a handshake; without it there is none.
    certificate: Option<Certificate>,
    may_tell_keys: bool,
    keys: KeySource,
    agreed: Option<Agreed>,
}

/// What the last offer and answer made of it.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Agreed {
    Plain,
    Encrypted(Encryption),
}

/// What a description of ours says of a stream's encryption.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Lines {
    None,
    Keys(Vec<Crypto>),
    Handshake(HandshakeLines),
}

impl Lines {
    pub(super) fn print(&self, text: &mut String) {
        match self {
            Lines::None => {}
            Lines::Keys(keys) => keys.iter().for_each(|crypto| crypto.print(text)),
            Lines::Handshake(lines) => lines.print(text),
        }
    }
}

impl LocalSrtp {
    /// Never encrypts.
    pub fn off() -> LocalSrtp {
        LocalSrtp::new(SrtpPolicy::Off, KeySource::new([0; 32]))
    }

    /// Encrypts as `policy` says, with keys from `keys`, once they may be told.
    pub fn new(policy: SrtpPolicy, keys: KeySource) -> LocalSrtp {
        let suites = Suite::ALL.to_vec();
        let (accepts, offers) = (vec![Keying::Sdes], vec![Keying::Sdes]);
        LocalSrtp { policy, suites, accepts, offers, certificate: None, may_tell_keys: false, keys, agreed: None }
    }

    /// Offers these suites in this order, and takes no others.
    #[must_use]
    pub fn with_suites(self, suites: Vec<Suite>) -> LocalSrtp {
        LocalSrtp { suites, ..self }
    }

    /// Is `certificate` in handshakes. Takes what is in `accepts`, the first where a peer offers several, and offers what
    /// is in `offers`, the second to those who refuse the first.
    #[must_use]
    pub fn with_handshakes(self, certificate: Certificate, accepts: Vec<Keying>, offers: Vec<Keying>) -> LocalSrtp {
        LocalSrtp { certificate: Some(certificate), accepts, offers, ..self }
    }

    /// Sets whether keys may be told: the descriptions go over TLS, or the operator does not mind (RFC 4568 §8.2).
    pub(super) fn let_keys_be_told(&mut self, may_tell_keys: bool) {
        self.may_tell_keys = may_tell_keys;
    }

    /// Notes what was agreed on, so that later descriptions say the same: a key or an association that is told once more
    /// goes on, another one begins anew.
    pub(super) fn agree(&mut self, encryption: Option<&Encryption>) {
        let agreed = encryption.map_or(Agreed::Plain, |encryption| Agreed::Encrypted(encryption.clone()));
        let begins_anew = match (&agreed, &self.agreed) {
            (Agreed::Plain, _) => false,
            (Agreed::Encrypted(Encryption::Keys(keys)), Some(Agreed::Encrypted(Encryption::Keys(before)))) => {
                keys.ours != before.ours
            }
            (Agreed::Encrypted(_), before) => before.as_ref() != Some(&agreed),
        };
        if begins_anew {
            self.keys.advance();
        }
        self.agreed = Some(agreed);
    }

    /// Returns the ways in which a first offer may be written, the best first; `None` is in clear.
    pub(super) fn first_keyings(&self) -> Vec<Option<Keying>> {
        let encrypted = self.offers.iter().copied().filter(|keying| self.knows(*keying)).map(Some);
        let clear = (self.policy != SrtpPolicy::Required).then_some(None);
        encrypted.chain(clear).collect()
    }

    /// Returns how a first offer is written that can be sent in one way only.
    pub(super) fn first_keying(&self) -> Option<Keying> {
        self.offers.iter().copied().find(|keying| self.may_use(*keying))
    }

    /// Returns what a first offer says that is keyed so.
    pub(super) fn first_lines(&self, keying: Option<Keying>) -> Lines {
        match (keying, &self.certificate) {
            (Some(Keying::Sdes), _) => {
                let keys = self.suites.iter().map(|suite| self.keys.key(*suite));
                Lines::Keys((1..).zip(keys).map(|(tag, key)| Crypto { tag, key }).collect())
            }
            (Some(Keying::Dtls), Some(certificate)) => Lines::Handshake(HandshakeLines {
                setup: Setup::ActPass,
                fingerprint: certificate.fingerprint().clone(),
                tls_id: Some(self.keys.tls_id()),
            }),
            (Some(Keying::Dtls) | None, _) => Lines::None,
        }
    }

    /// Returns what a later offer says; `None` as long as nothing has been agreed on. Our part in a handshake stays.
    pub(super) fn later_lines(&self) -> Option<Lines> {
        Some(match self.agreed.as_ref()? {
            Agreed::Plain => Lines::None,
            Agreed::Encrypted(Encryption::Keys(keys)) => Lines::Keys(vec![Crypto { tag: 1, key: keys.ours.clone() }]),
            Agreed::Encrypted(Encryption::Handshake(terms)) => {
                Lines::Handshake(HandshakeLines::of(terms, Some(terms.tls_id.clone())))
            }
        })
    }

    /// Reads the answer to an offer of ours, `sent` (RFC 4568 §7.1.3, RFC 8842 §5.4).
    pub(super) fn accept(
        &self,
        sent: &str,
        description: &Description<'_>,
        media: &Media<'_>,
    ) -> Result<Option<Encryption>, SdpError> {
        let told = Told::in_answer(description, media);
        let chosen = match HandshakeLines::are_in(sent) && told.has_fingerprints() {
            true => Some(Encryption::Handshake(self.accept_handshake(&told, sent, media.line)?)),
            false => accept_keys(&Crypto::all_of(sent), media).map(Encryption::Keys),
        };
        match chosen {
            Some(encryption) => Ok(Some(encryption)),
            None if is_over_dtls(media) => Err(SdpError::NoFingerprint { line: media.line }),
            None if is_secure(media) => Err(SdpError::NoCrypto { line: media.line }),
            None => self.in_clear(media.line).map(|()| None),
        }
    }

    fn accept_handshake(&self, told: &Told<'_>, sent: &str, line: usize) -> Result<Terms, SdpError> {
        let no_setup = SdpError::Setup { line };
        let role = match told.setup.ok_or(no_setup)? {
            Setup::Active => Role::Server,
            Setup::Passive => Role::Client,
            Setup::ActPass => return Err(no_setup),
        };
        let tls_id = HandshakeLines::tls_id_in(sent).unwrap_or_else(|| self.keys.tls_id());
        self.terms(role, told, tls_id).ok_or(SdpError::NoFingerprint { line })
    }

    /// Answers an offer: with what goes on, else with the first that we can use of the best that there is, with none, or not
    /// at all (RFC 4568 §7.1.2). Keys or fingerprints beside a profile in clear are for those who can (RFC 8643).
    pub(super) fn answer(
        &self,
        description: &Description<'_>,
        media: &Media<'_>,
    ) -> Result<Option<(Encryption, Lines)>, SdpError> {
        let told = Told::in_offer(description, media);
        let in_use = match &self.agreed {
            Some(Agreed::Encrypted(encryption)) => Some(encryption.keying()),
            Some(Agreed::Plain) | None => None,
        };
        let usable = in_use.into_iter().chain(self.accepts.iter().copied()).filter(|keying| self.may_use(*keying));
        let mut answers = usable.filter_map(|keying| match keying {
            Keying::Sdes => self.answer_keys(media),
            Keying::Dtls => self.answer_handshake(&told),
        });
        let line = media.line;
        match answers.next() {
            Some(answer) => Ok(Some(answer)),
            None if is_over_dtls(media) && told.setup.is_none() => Err(SdpError::Setup { line }),
            None if is_over_dtls(media) && self.takes(Keying::Dtls) => Err(SdpError::NoFingerprint { line }),
            None if is_over_dtls(media) => Err(SdpError::EncryptionRefused { line }),
            None if is_secure(media) && self.takes(Keying::Sdes) => Err(SdpError::NoCrypto { line }),
            None if is_secure(media) => Err(SdpError::EncryptionRefused { line }),
            None => self.in_clear(line).map(|()| None),
        }
    }

    fn answer_keys(&self, media: &Media<'_>) -> Option<(Encryption, Lines)> {
        if is_over_dtls(media) {
            return None;
        }
        let theirs = media.attributes.crypto.iter().find(|theirs| self.suites.contains(&theirs.key.suite()))?;
        let keys = self.answer_key(theirs);
        let lines = Lines::Keys(vec![Crypto { tag: theirs.tag, key: keys.ours.clone() }]);
        Some((Encryption::Keys(keys), lines))
    }

    /// The key in force goes on if it is of the suite that is wanted.
    fn answer_key(&self, theirs: &Crypto) -> Keys {
        let suite = theirs.key.suite();
        let ours = match &self.agreed {
            Some(Agreed::Encrypted(Encryption::Keys(keys))) if keys.ours.suite() == suite => keys.ours.clone(),
            Some(Agreed::Encrypted(_) | Agreed::Plain) | None => self.keys.key(suite),
        };
        Keys { ours, theirs: theirs.key.clone() }
    }

    /// Who may choose keeps its part; at the beginning it leaves the first word to the peer. RFC 5763 §5 would have the
    /// answerer begin, but a phone behind a NAT is not reached at the address it tells, and reaches us.
    fn answer_handshake(&self, told: &Told<'_>) -> Option<(Encryption, Lines)> {
        let role = match (told.setup?, &self.agreed) {
            (Setup::Active, _) => Role::Server,
            (Setup::Passive, _) => Role::Client,
            (Setup::ActPass, Some(Agreed::Encrypted(Encryption::Handshake(terms)))) => terms.role,
            (Setup::ActPass, _) => Role::Server,
        };
        let terms = self.terms(role, told, self.keys.tls_id())?;
        let tls_id = told.tls_id.map(|_| terms.tls_id.clone());
        let lines = Lines::Handshake(HandshakeLines::of(&terms, tls_id));
        Some((Encryption::Handshake(terms), lines))
    }

    /// The terms in force go on if the peer says the same.
    fn terms(&self, role: Role, told: &Told<'_>, tls_id: String) -> Option<Terms> {
        if let Some(Agreed::Encrypted(Encryption::Handshake(terms))) = &self.agreed
            && terms.go_on(role, told.fingerprints, told.tls_id)
        {
            return Some(terms.clone());
        }
        let fingerprints = told.fingerprints.to_vec();
        let certificate = self.certificate.clone().filter(|_| told.has_fingerprints())?;
        Some(Terms { certificate, role, fingerprints, tls_id, remote_tls_id: told.tls_id.map(str::to_owned) })
    }

    fn in_clear(&self, line: usize) -> Result<(), SdpError> {
        match self.policy {
            SrtpPolicy::Required => Err(SdpError::Unencrypted { line }),
            SrtpPolicy::Off | SrtpPolicy::Optional => Ok(()),
        }
    }

    /// Whether streams can be keyed so, whatever the descriptions go over.
    fn knows(&self, keying: Keying) -> bool {
        let is_possible = match keying {
            Keying::Sdes => true,
            Keying::Dtls => self.certificate.is_some(),
        };
        is_possible && self.policy != SrtpPolicy::Off
    }

    fn may_use(&self, keying: Keying) -> bool {
        let may_be_told = match keying {
            Keying::Sdes => self.may_tell_keys,
            Keying::Dtls => true,
        };
        may_be_told && self.knows(keying)
    }

    fn takes(&self, keying: Keying) -> bool {
        self.accepts.contains(&keying) && self.may_use(keying)
    }

    /// How good it is to have a stream keyed so; less is better.
    pub(super) fn rank(&self, encryption: Option<&Encryption>) -> usize {
        let accepted = |encryption: &Encryption| self.accepts.iter().position(|keying| *keying == encryption.keying());
        encryption.and_then(accepted).unwrap_or(self.accepts.len())
    }
}

/// Prints no keys.
impl fmt::Debug for LocalSrtp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let LocalSrtp { policy, accepts, offers, agreed, .. } = self;
        let mut shown = f.debug_struct("LocalSrtp");
        shown.field("policy", policy).field("accepts", accepts).field("offers", offers).field("agreed", agreed);
        shown.finish_non_exhaustive()
    }
}

/// The key of ours that an answer names, and its own.
fn accept_keys(offered: &[Crypto], media: &Media<'_>) -> Option<Keys> {
    media.attributes.crypto.iter().find_map(|theirs| {
        let is_theirs = |ours: &&Crypto| ours.tag == theirs.tag && ours.key.suite() == theirs.key.suite();
        Some(Keys { ours: offered.iter().find(is_theirs)?.key.clone(), theirs: theirs.key.clone() })
    })
}

/// Whether the stream's profile demands encryption.
fn is_secure(media: &Media<'_>) -> bool {
    is_one_of(media, &["RTP/SAVP", "RTP/SAVPF"]) || is_over_dtls(media)
}

/// Whether the stream's profile demands a handshake (RFC 5764 §8).
fn is_over_dtls(media: &Media<'_>) -> bool {
    is_one_of(media, &["UDP/TLS/RTP/SAVP", "UDP/TLS/RTP/SAVPF"])
}

fn is_one_of(media: &Media<'_>, protocols: &[&str]) -> bool {
    protocols.iter().any(|protocol| media.protocol.eq_ignore_ascii_case(protocol))
}
