//! What an offer and its answer agree on.

use std::net::{IpAddr, SocketAddr};

use media::Format;

use super::format::first_common;
use super::parse::{Description, Media};
use super::{Direction, Local, PTIME_MS, SdpError};

/// What an offer and its answer agree on, seen from our side.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Negotiated {
    /// The codec in both directions, and the payload types that mean it and its events.
    pub format: Format,
    /// Where the peer says it receives RTP. Unspecified (`0.0.0.0`) while it holds us as RFC 2543 did: nothing may be
    /// sent there, and [`Negotiated::remote_listens`] is false.
    pub remote_rtp: SocketAddr,
    /// Where it receives RTCP: RTP's own port with `rtcp_mux`, what `a=rtcp` says, else the next port (RFC 3550 §11).
    /// `None` if there is no such port.
    pub remote_rtcp: Option<SocketAddr>,
    /// Whether RTP and RTCP share one port, in both directions (RFC 5761).
    pub rtcp_mux: bool,
    /// How much sound the peer wants in a packet, in milliseconds. It is a wish (RFC 8866 §6.4); we send 20.
    pub ptime_ms: u8,
    /// The peer's direction as it said it.
    pub remote: Direction,
    /// Whether the peer plays what we send: it receives, we offered to send, and it gave an address. While it does
    /// not listen, it holds us (RFC 3264 §8.4).
    pub remote_listens: bool,
    /// Whether the peer may send. Packets may come in spite of it, and are to be ignored then: some phones go on
    /// sending while they hold.
    pub remote_sends: bool,
}

/// Returns whether a stream is one we can take part in: audio over plain RTP.
///
/// `RTP/AVPF` differs only in feedback we need not send (RFC 4585 §3.1).
pub(super) fn is_plain_audio(media: &Media<'_>) -> bool {
    let protocols = ["RTP/AVP", "RTP/AVPF"];
    media.kind.eq_ignore_ascii_case("audio")
        && protocols.iter().any(|protocol| media.protocol.eq_ignore_ascii_case(protocol))
}

/// Puts together what our description and one stream of the peer's agree on.
pub(super) fn negotiate(
    local: &Local,
    description: &Description<'_>,
    media: &Media<'_>,
) -> Result<Negotiated, SdpError> {
    let line = media.line;
    if media.port == 0 {
        return Err(SdpError::AudioRejected { line });
    }
    let format = first_common(media, &local.codecs).ok_or(SdpError::NoCommonCodec { line })?;
    let remote_rtp = SocketAddr::new(address_of(description, media)?, media.port);
    let remote = media.attributes.direction.or(description.attributes.direction).unwrap_or_default();
    let in_force = local.direction.facing(remote);
    let ptime_ms = media.attributes.ptime_ms.or(description.attributes.ptime_ms);
    Ok(Negotiated {
        format,
        remote_rtp,
        remote_rtcp: rtcp_of(media, remote_rtp),
        rtcp_mux: media.attributes.rtcp_mux,
        ptime_ms: ptime_ms.unwrap_or(PTIME_MS),
        remote,
        remote_listens: in_force.sends() && !remote_rtp.ip().is_unspecified(),
        remote_sends: in_force.receives(),
    })
}

fn address_of(description: &Description<'_>, media: &Media<'_>) -> Result<IpAddr, SdpError> {
    let connection = media.connection.or(description.connection);
    let connection = connection.ok_or(SdpError::NoConnection { line: media.line })?;
    connection.address.ok_or(SdpError::Connection { line: connection.line })
}

fn rtcp_of(media: &Media<'_>, rtp: SocketAddr) -> Option<SocketAddr> {
    if media.attributes.rtcp_mux {
        return Some(rtp);
    }
    match media.attributes.rtcp {
        Some(rtcp) if rtcp.port == 0 => None,
        Some(rtcp) => Some(SocketAddr::new(rtcp.address.unwrap_or(rtp.ip()), rtcp.port)),
        None => Some(SocketAddr::new(rtp.ip(), rtp.port().checked_add(1)?)),
    }
}
