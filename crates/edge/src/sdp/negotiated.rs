//! What an offer and its answer agree on.

use std::net::{IpAddr, SocketAddr};

use media::Format;

use super::agreement::{Agreement, Role, Said, agree};
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
    /// Whether the peer plays what we send: it receives, we offered to send, and it gave an address.
    pub remote_listens: bool,
    /// Whether the peer may send. Packets may come in spite of it, and are to be ignored then: some phones go on
    /// sending while they hold.
    pub remote_sends: bool,
    /// Whether the peer holds us: it has stopped listening by its own wish (RFC 3264 §8.4).
    pub remote_hold: bool,
}

impl Negotiated {
    /// Returns the same agreement for a stream that the peer has ended with port 0: nobody sends, nobody listens, and
    /// what was agreed is there for when it comes back.
    pub(super) fn ended(self) -> Negotiated {
        let said = Said { is_port_zero: true, ..Said::default() };
        let Agreement { remote_listens, remote_sends, remote_hold, .. } =
            agree(Role::Answerer, Direction::SendRecv, said);
        Negotiated { remote: Direction::Inactive, remote_listens, remote_sends, remote_hold, ..self }
    }
}

/// Returns whether a stream is one we can take part in: audio over RTP or SRTP.
///
/// The profiles with feedback (`AVPF`, `SAVPF`) differ only in what we need not send (RFC 4585 §3.1).
pub(super) fn is_audio(media: &Media<'_>) -> bool {
    let protocols = ["RTP/AVP", "RTP/AVPF", "RTP/SAVP", "RTP/SAVPF", "UDP/TLS/RTP/SAVP", "UDP/TLS/RTP/SAVPF"];
    media.kind.eq_ignore_ascii_case("audio")
        && protocols.iter().any(|protocol| media.protocol.eq_ignore_ascii_case(protocol))
}

/// Puts together what our description and one stream of the peer's agree on, with our direction.
pub(super) fn negotiate(
    role: Role,
    local: &Local,
    description: &Description<'_>,
    media: &Media<'_>,
) -> Result<(Negotiated, Direction), SdpError> {
    let line = media.line;
    if media.port == 0 {
        return Err(SdpError::AudioRejected { line });
    }
    let format = first_common(media, &local.codecs).ok_or(SdpError::NoCommonCodec { line })?;
    let remote_rtp = SocketAddr::new(address_of(local, description, media)?, media.port);
    let said = said_of(description, media, remote_rtp.ip());
    let Agreement { direction, remote_listens, remote_sends, remote_hold } = agree(role, local.direction, said);
    let ptime_ms = media.attributes.ptime_ms.or(description.attributes.ptime_ms);
    let negotiated = Negotiated {
        format,
        remote_rtp,
        remote_rtcp: rtcp_of(media, remote_rtp),
        rtcp_mux: media.attributes.rtcp_mux,
        ptime_ms: ptime_ms.unwrap_or(PTIME_MS),
        remote: said.direction(),
        remote_listens,
        remote_sends,
        remote_hold,
    };
    Ok((negotiated, direction))
}

fn said_of(description: &Description<'_>, media: &Media<'_>, address: IpAddr) -> Said {
    Said {
        session: description.attributes.direction,
        stream: media.attributes.direction,
        is_zero_address: address.is_unspecified(),
        is_port_zero: media.port == 0,
    }
}

/// Returns the stream's address. One of the other family cannot be reached by our socket, except an IPv4 address that is
/// written as an IPv6 one; the zero address is never sent to, so its family does not matter.
fn address_of(local: &Local, description: &Description<'_>, media: &Media<'_>) -> Result<IpAddr, SdpError> {
    let connection = media.connection.or(description.connection);
    let connection = connection.ok_or(SdpError::NoConnection { line: media.line })?;
    let address = connection.address.ok_or(SdpError::Connection { line: connection.line })?;
    let address = if local.address.is_ipv4() { address.to_canonical() } else { address };
    let is_reachable = address.is_unspecified() || address.is_ipv4() == local.address.is_ipv4();
    if is_reachable { Ok(address) } else { Err(SdpError::AddressFamily { line: connection.line }) }
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
