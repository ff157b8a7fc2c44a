//! The `a=` lines a negotiation needs. A malformed one is as if it were not there: the defaults then hold.

use std::net::IpAddr;

use super::Direction;
use super::crypto::Crypto;
use super::parse::typed_address;
use crate::dtls::Fingerprint;

/// The most `a=rtpmap` lines kept of one stream; a payload type has 128 values.
const RTPMAPS_MAX: usize = 128;

/// The most keys kept of one stream. Phones offer one for each suite they know, six at most.
const CRYPTO_MAX: usize = 16;

/// The most fingerprints kept of one stream: one for each certificate and hash function.
const FINGERPRINTS_MAX: usize = 16;

/// The longest packet a phone may ask for. RFC 3551 §4.2 has receivers accept up to 200 ms; above 120 ms nobody asks.
const PTIME_MAX_MS: u8 = 120;

/// The attributes of a session or of one stream.
#[derive(Debug, Default)]
pub(super) struct Attributes<'a> {
    pub(super) direction: Option<Direction>,
    pub(super) ptime_ms: Option<u8>,
    pub(super) rtcp_mux: bool,
    pub(super) rtcp: Option<Rtcp>,
    pub(super) rtpmaps: Vec<RtpMap<'a>>,
    pub(super) crypto: Vec<Crypto>,
    pub(super) fingerprints: Vec<Fingerprint>,
    pub(super) setup: Option<&'a str>,
    pub(super) tls_id: Option<&'a str>,
}

/// `a=rtcp:53020 IN IP4 192.0.2.1`: RTCP at another port or address than RTP's next one (RFC 3605).
#[derive(Debug, Clone, Copy)]
pub(super) struct Rtcp {
    pub(super) port: u16,
    pub(super) address: Option<IpAddr>,
}

/// `a=rtpmap:96 opus/48000/2`: what a payload type means (RFC 8866 §6.6).
#[derive(Debug, Clone, Copy)]
pub(super) struct RtpMap<'a> {
    pub(super) payload_type: u8,
    pub(super) encoding: &'a str,
    pub(super) clock_rate_hz: u32,
    pub(super) channels: u8,
}

impl<'a> Attributes<'a> {
    /// Takes one attribute in: `name` or `name:value`.
    pub(super) fn read(&mut self, attribute: &'a str) {
        let (name, value) = attribute.split_once(':').unwrap_or((attribute, ""));
        match name.trim() {
            "rtpmap" if self.rtpmaps.len() < RTPMAPS_MAX => self.rtpmaps.extend(RtpMap::parse(value)),
            "crypto" if self.crypto.len() < CRYPTO_MAX => self.crypto.extend(Crypto::parse(value)),
            "fingerprint" if self.fingerprints.len() < FINGERPRINTS_MAX => {
                self.fingerprints.extend(Fingerprint::parse(value));
            }
            "setup" => self.setup = Some(value),
            "tls-id" => self.tls_id = Some(value.trim()),
            "ptime" => self.ptime_ms = parse_ptime(value).or(self.ptime_ms),
            "rtcp" => self.rtcp = Rtcp::parse(value).or(self.rtcp),
            "rtcp-mux" => self.rtcp_mux = true,
            name => self.direction = Direction::named(name).or(self.direction),
        }
    }
}

impl Rtcp {
    fn parse(value: &str) -> Option<Rtcp> {
        let mut words = value.split_ascii_whitespace();
        let port = words.next()?.parse().ok()?;
        let _network = words.next();
        let address = words.next().zip(words.next());
        Some(Rtcp { port, address: address.and_then(|(family, address)| typed_address(family, address)) })
    }
}

impl<'a> RtpMap<'a> {
    fn parse(value: &'a str) -> Option<RtpMap<'a>> {
        let (payload_type, encoding) = value.trim().split_once(' ')?;
        let payload_type = parse_payload_type(payload_type)?;
        let mut parts = encoding.trim().split('/');
        let encoding = parts.next()?;
        let clock_rate_hz = parts.next()?.parse().ok()?;
        let channels = parts.next().map_or(Some(1), |channels| channels.parse().ok())?;
        Some(RtpMap { payload_type, encoding, clock_rate_hz, channels })
    }
}

/// Reads a payload type: 7 bits in the RTP header (RFC 3550 §5.1).
pub(super) fn parse_payload_type(word: &str) -> Option<u8> {
    word.parse().ok().filter(|payload_type| *payload_type < 128)
}

fn parse_ptime(value: &str) -> Option<u8> {
    value.trim().parse().ok().filter(|ptime_ms| (1..=PTIME_MAX_MS).contains(ptime_ms))
}
