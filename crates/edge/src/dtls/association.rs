//! One association: the handshake, and the SRTP that it keys (RFC 5764).
//!
//! ```text
//!          expire(), receive()            keys, and the right certificate
//!  waiting ───────────────────► shaking ──────────────────────────────────► keyed
//!                                  │ wrong certificate, no keys, too long
//!                                  ▼
//!                                failed
//! ```
//!
//! Before it is keyed it lets nothing through, in neither direction.

use std::collections::VecDeque;
use std::fmt;
use std::time::{Duration, Instant};

use dimpl::{Dtls, KeyingMaterial, Output, SrtpProfile};

use super::{Fingerprint, Role, Terms, are_of};
use crate::srtp::{Keys, MasterKey, Protection, SrtpError, Suite};

/// How long a handshake may take. It is two or three round trips and some milliseconds of work; the rest is room for five
/// repetitions. Less fails on bad networks, more keeps people waiting who will hear nothing.
pub const HANDSHAKE_MAX: Duration = Duration::from_secs(10);

/// The largest record or certificate that is taken out of the library. Records keep to 1150 bytes; certificates of phones
/// have up to 2 KiB. Less would refuse honest chains, more lets a peer make us allocate.
const OUTPUT_MAX_BYTES: usize = 16 * 1024;

/// What records and most certificates fit into.
const OUTPUT_BYTES: usize = 2048;

/// A handshake and what it gives. Bytes and time come in, bytes go out by [`Association::poll_transmit`].
pub struct Association {
    role: Role,
    fingerprints: Vec<Fingerprint>,
    state: State,
    /// `None` once nothing is to be said any more.
    dtls: Option<Box<Dtls>>,
    /// When the library wants to be woken.
    wake_at: Instant,
    transmits: VecDeque<Vec<u8>>,
}

enum State {
    Waiting,
    Shaking { until: Instant, progress: Progress },
    Keyed(Box<Protection>),
    Failed(HandshakeError),
}

/// What the library has said so far.
#[derive(Default)]
struct Progress {
    /// The peer has shown the certificate that its description has told.
    is_verified: bool,
    is_connected: bool,
    keys: Option<Keys>,
}

/// How far an association has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// It has no keys yet.
    Pending,
    /// It has keys, from the right peer.
    Keyed,
    /// It will have none.
    Failed(HandshakeError),
}

/// Why a handshake has failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum HandshakeError {
    /// The peer's certificate is not the one that its description tells.
    #[error("the certificate is not the one that was described")]
    WrongCertificate,
    /// The peer agrees on no profile of SRTP.
    #[error("no profile of SRTP in common")]
    NoProfile,
    /// What the peer sends cannot be part of this handshake: no cipher in common, a certificate of another kind than ECDSA,
    /// a wrong signature.
    #[error("the handshake cannot go on")]
    Protocol,
    /// It took longer than [`HANDSHAKE_MAX`].
    #[error("no handshake in time")]
    TimedOut,
}

impl HandshakeError {
    /// Returns a short name, for counting.
    pub fn name(self) -> &'static str {
        match self {
            HandshakeError::WrongCertificate => "wrong-certificate",
            HandshakeError::NoProfile => "no-profile",
            HandshakeError::Protocol => "protocol",
            HandshakeError::TimedOut => "timed-out",
        }
    }
}

impl Association {
    /// Prepares an association. It begins, and its time runs, from the first [`Association::expire`] or
    /// [`Association::receive`] on.
    pub fn new(terms: &Terms, now: Instant) -> Association {
        let mut dtls = Dtls::new_auto(terms.certificate.settings(), terms.certificate.for_library(), now);
        dtls.set_active(terms.role == Role::Client);
        Association {
            role: terms.role,
            fingerprints: terms.fingerprints.clone(),
            state: State::Waiting,
            dtls: Some(Box::new(dtls)),
            wake_at: now,
            transmits: VecDeque::new(),
        }
    }

    /// Returns how far it has come.
    pub fn status(&self) -> Status {
        match &self.state {
            State::Waiting | State::Shaking { .. } => Status::Pending,
            State::Keyed(_) => Status::Keyed,
            State::Failed(error) => Status::Failed(*error),
        }
    }

    /// Returns what packets are encrypted with, once it is keyed.
    pub fn suite(&self) -> Option<Suite> {
        match &self.state {
            State::Keyed(protection) => Some(protection.suite()),
            State::Waiting | State::Shaking { .. } | State::Failed(_) => None,
        }
    }

    /// Returns when [`Association::expire`] is to be called next.
    pub fn deadline(&self) -> Option<Instant> {
        self.dtls.as_ref()?;
        match &self.state {
            State::Shaking { until, .. } => Some(self.wake_at.min(*until)),
            State::Waiting | State::Keyed(_) | State::Failed(_) => Some(self.wake_at),
        }
    }

    /// Lets time pass: begins, repeats what was lost, or gives up.
    pub fn expire(&mut self, now: Instant) {
        self.begin(now);
        if let State::Shaking { until, .. } = &self.state
            && now >= *until
        {
            return self.fail(HandshakeError::TimedOut);
        }
        self.drive(|dtls| dtls.handle_timeout(now));
    }

    /// Takes a datagram in that claims to be DTLS.
    pub fn receive(&mut self, datagram: &[u8], now: Instant) {
        self.begin(now);
        if self.is_out_of_place(datagram) {
            return;
        }
        self.drive(|dtls| {
            dtls.handle_timeout(now)?;
            dtls.handle_packet(datagram)
        });
    }

    /// Returns the next datagram to be sent.
    pub fn poll_transmit(&mut self) -> Option<Vec<u8>> {
        self.transmits.pop_front()
    }

    /// Encrypts an RTP or RTCP packet, see [`Protection::protect`].
    ///
    /// # Errors
    ///
    /// [`SrtpError::NoKey`] before it is keyed, and what [`Protection::protect`] says.
    pub fn protect(&mut self, packet: &[u8], out: &mut Vec<u8>) -> Result<(), SrtpError> {
        self.protection()?.protect(packet, out)
    }

    /// Checks and decrypts an RTP or RTCP packet, see [`Protection::unprotect`].
    ///
    /// # Errors
    ///
    /// [`SrtpError::NoKey`] before it is keyed, and what [`Protection::unprotect`] says.
    pub fn unprotect(&mut self, packet: &[u8], out: &mut Vec<u8>) -> Result<(), SrtpError> {
        self.protection()?.unprotect(packet, out)
    }

    fn protection(&mut self) -> Result<&mut Protection, SrtpError> {
        match &mut self.state {
            State::Keyed(protection) => Ok(protection),
            State::Waiting | State::Shaking { .. } | State::Failed(_) => Err(SrtpError::NoKey),
        }
    }

    fn begin(&mut self, now: Instant) {
        if let State::Waiting = self.state {
            self.state = State::Shaking { until: now + HANDSHAKE_MAX, progress: Progress::default() };
        }
    }

    /// A side that has heard nothing yet would take anything but the first message for the end of the handshake, and
    /// anybody can send that.
    fn is_out_of_place(&self, datagram: &[u8]) -> bool {
        let is_undecided = self.dtls.as_ref().is_some_and(|dtls| dtls.protocol_version().is_none());
        is_undecided && !is_first_message(self.role, datagram)
    }

    /// Every error of the library is final. Before there are keys that is the end; after it only nothing more is answered.
    fn drive(&mut self, step: impl FnOnce(&mut Dtls) -> Result<(), dimpl::Error>) {
        let Some(dtls) = &mut self.dtls else { return };
        let result = step(dtls);
        // What was to be sent before the error may tell the peer why.
        self.drain();
        match (result, &self.state) {
            (Ok(()), _) | (Err(_), State::Failed(_)) => {}
            (Err(_), State::Keyed(_)) => self.dtls = None,
            (Err(error), State::Waiting | State::Shaking { .. }) => self.fail(meaning(&error)),
        }
    }

    fn drain(&mut self) {
        let mut buffer = vec![0; OUTPUT_BYTES];
        while let Some(dtls) = &mut self.dtls {
            match dtls.poll_output(&mut buffer) {
                Output::Packet(record) => self.transmits.push_back(record.to_vec()),
                Output::BufferTooSmall { needed } if needed <= OUTPUT_MAX_BYTES => buffer.resize(needed, 0),
                Output::BufferTooSmall { .. } => return self.fail(HandshakeError::Protocol),
                Output::Timeout(wake_at) => {
                    self.wake_at = wake_at;
                    return self.conclude();
                }
                Output::PeerCert(certificate) => {
                    if !are_of(&self.fingerprints, certificate) {
                        return self.fail(HandshakeError::WrongCertificate);
                    }
                    self.note(|progress| progress.is_verified = true);
                }
                Output::Connected => self.note(|progress| progress.is_connected = true),
                Output::KeyingMaterial(material, profile) => {
                    let keys = keys(self.role, &material, profile);
                    self.note(|progress| progress.keys = keys);
                }
                // Nothing but keys is wanted of the association, and SIP says when the call is over. The library may have
                // more to tell one day.
                Output::ApplicationData(_) | Output::CloseNotify | _ => {}
            }
        }
    }

    fn note(&mut self, note: impl FnOnce(&mut Progress)) {
        if let State::Shaking { progress, .. } = &mut self.state {
            note(progress);
        }
    }

    fn conclude(&mut self) {
        let State::Shaking { progress: Progress { is_verified, is_connected: true, keys }, .. } = &self.state else {
            return;
        };
        match keys {
            _ if !is_verified => self.fail(HandshakeError::WrongCertificate),
            Some(keys) => self.state = State::Keyed(Box::new(Protection::new(keys))),
            None => self.fail(HandshakeError::NoProfile),
        }
    }

    fn fail(&mut self, error: HandshakeError) {
        self.state = State::Failed(error);
        self.dtls = None;
    }
}

/// Whether a datagram begins with what a peer says first: a `ClientHello`; a `ServerHello` or a `HelloVerifyRequest`
/// (RFC 6347 §4.1, §4.2.2).
fn is_first_message(role: Role, datagram: &[u8]) -> bool {
    const HANDSHAKE: u8 = 22;
    const RECORD_HEADER_BYTES: usize = 13;
    let first: &[u8] = match role {
        Role::Server => &[1],
        Role::Client => &[2, 3],
    };
    let message = datagram.get(RECORD_HEADER_BYTES);
    datagram.first() == Some(&HANDSHAKE) && message.is_some_and(|message| first.contains(message))
}

fn meaning(error: &dimpl::Error) -> HandshakeError {
    match error {
        dimpl::Error::Timeout(_) => HandshakeError::TimedOut,
        _ => HandshakeError::Protocol,
    }
}

/// Cuts the exported bytes up: the client's key, the server's, the client's salt, the server's (RFC 5764 §4.2).
fn keys(role: Role, material: &KeyingMaterial, profile: SrtpProfile) -> Option<Keys> {
    let suite = suite(profile)?;
    let (keys, salts) = material.split_at_checked(2 * suite.key_bytes())?;
    let (client_key, server_key) = keys.split_at(suite.key_bytes());
    let (client_salt, server_salt) = salts.split_at_checked(suite.salt_bytes())?;
    let client = MasterKey::of_parts(suite, client_key, client_salt)?;
    let server = MasterKey::of_parts(suite, server_key, server_salt)?;
    Some(match role {
        Role::Client => Keys { ours: client, theirs: server },
        Role::Server => Keys { ours: server, theirs: client },
    })
}

fn suite(profile: SrtpProfile) -> Option<Suite> {
    match profile {
        SrtpProfile::AES128_CM_SHA1_80 => Some(Suite::AesCm128HmacSha1Tag80),
        SrtpProfile::AEAD_AES_128_GCM => Some(Suite::AeadAes128Gcm),
        SrtpProfile::AEAD_AES_256_GCM => Some(Suite::AeadAes256Gcm),
        _ => None,
    }
}

/// Prints how far it is, and no keys.
impl fmt::Debug for Association {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let status = self.status();
        f.debug_struct("Association").field("role", &self.role).field("status", &status).finish_non_exhaustive()
    }
}
