//! What can be wrong with a peer's description.

use super::parse::{LENGTH_MAX_BYTES, MEDIA_MAX};

/// Why a peer's description is of no use. Lines are counted from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SdpError {
    /// The description is longer than we read.
    #[error("the description has {length_bytes} bytes, more than {LENGTH_MAX_BYTES}")]
    TooLong {
        /// How long it is.
        length_bytes: usize,
    },
    /// The description does not begin with `v=0` (RFC 8866 §5.1).
    #[error("line {line}: a description begins with v=0")]
    Version {
        /// Where it should be.
        line: usize,
    },
    /// A line is not a letter, an equals sign and a value.
    #[error("line {line}: not of the form x=value")]
    Line {
        /// Which line.
        line: usize,
    },
    /// An `m=` line lacks its media, port, protocol or formats, or one of them is malformed.
    #[error("line {line}: m= needs media, port, protocol and formats")]
    Media {
        /// Which line.
        line: usize,
    },
    /// There are more streams than we read.
    #[error("line {line}: more than {MEDIA_MAX} media streams")]
    TooManyMedia {
        /// The first line too many.
        line: usize,
    },
    /// A `c=` line has no IPv4 or IPv6 address. Host names are not looked up, multicast is not for calls.
    #[error("line {line}: c= needs one unicast IPv4 or IPv6 address")]
    Connection {
        /// Which line.
        line: usize,
    },
    /// The stream has no address: there is no `c=` line for it.
    #[error("line {line}: no c= line tells the address of this stream")]
    NoConnection {
        /// The `m=` line of the stream.
        line: usize,
    },
    /// The stream is at an IPv4 address while we are at an IPv6 one, or the other way round.
    #[error("line {line}: the address is not of the family that the other side has offered")]
    AddressFamily {
        /// Which line.
        line: usize,
    },
    /// An answer came, and nothing was offered.
    #[error("nothing was offered that could be answered")]
    NotOffered,
    /// There is no audio stream over RTP.
    #[error("no m= line offers audio over RTP")]
    NoAudio,
    /// The audio stream has port 0: it is rejected or ended (RFC 3264 §6, §8.2).
    #[error("line {line}: the audio stream has port 0")]
    AudioRejected {
        /// Its `m=` line.
        line: usize,
    },
    /// No codec of the stream is one of ours.
    #[error("line {line}: no codec in common")]
    NoCommonCodec {
        /// The `m=` line of the stream.
        line: usize,
    },
    /// The stream is in clear, and that is refused.
    #[error("line {line}: the stream is not encrypted, and has to be")]
    Unencrypted {
        /// The `m=` line of the stream.
        line: usize,
    },
    /// The stream is to be encrypted, and no `a=crypto` line says how we can.
    #[error("line {line}: no a=crypto line that can be used")]
    NoCrypto {
        /// The `m=` line of the stream.
        line: usize,
    },
    /// The stream is to be encrypted with keys of a handshake, and no `a=fingerprint` line that we can check says with whom.
    #[error("line {line}: no a=fingerprint line that can be used")]
    NoFingerprint {
        /// The `m=` line of the stream.
        line: usize,
    },
    /// The stream is to be encrypted with keys of a handshake, and `a=setup` does not say who begins it.
    #[error("line {line}: a=setup does not say who begins")]
    Setup {
        /// The `m=` line of the stream.
        line: usize,
    },
    /// The stream is to be encrypted, and that is switched off, or its keys would have to be told in clear.
    #[error("line {line}: the stream is not to be encrypted here, or not without TLS")]
    EncryptionRefused {
        /// The `m=` line of the stream.
        line: usize,
    },
}
