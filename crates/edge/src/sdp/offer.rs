//! The offerer's side: write an offer, read the answer.

use media::Format;

use super::agreement::Role;
use super::encryption::{Encryption, Keying, Lines};
use super::format::{Numbers, number};
use super::negotiated::{Negotiated, is_audio, negotiate};
use super::parse::{LENGTH_MAX_BYTES, parse};
use super::print::{Audio, print_audio, print_rejected, print_session};
use super::streams::Streams;
use super::{Local, LocalSrtp, SdpError};

/// Writes an offer of one audio stream: all our codecs in our order, events for each of their clocks, packets of 20 ms,
/// RTCP on the same port if the peer can; in clear.
pub fn offer(local: &Local) -> String {
    print(local, &Lines::None, "RTP/AVP", None, &Streams::audio())
}

/// Writes the first offer of a call, keyed so. Whether the peer can is not known before its first answer, so the protocol
/// demands it; who cannot says so with 488.
pub(super) fn first_offer(local: &Local, srtp: &LocalSrtp, keying: Option<Keying>, streams: &Streams) -> String {
    let protocol = match keying {
        Some(Keying::Sdes) => "RTP/SAVP",
        Some(Keying::Dtls) => "UDP/TLS/RTP/SAVP",
        None => streams.audio_protocol(),
    };
    print(local, &srtp.first_lines(keying), protocol, None, streams)
}

/// Writes an offer in mid-call. It is as full as the first one, so that a peer who asks for it can take up whatever it
/// likes (RFC 3261 §14.2, RFC 6337 §5.3). The format in use comes first, so that nobody changes it without need, and keeps
/// its numbers; each stream keeps its place (RFC 3264 §8).
pub(super) fn offer_in_call(local: &Local, srtp: &LocalSrtp, in_use: Option<Format>, streams: &Streams) -> String {
    match srtp.later_lines() {
        Some(lines) => print(local, &lines, streams.audio_protocol(), in_use, streams),
        None => first_offer(local, srtp, srtp.first_keying(), streams),
    }
}

fn print(local: &Local, encryption: &Lines, protocol: &str, in_use: Option<Format>, streams: &Streams) -> String {
    let mut text = print_session(local);
    let Numbers { codecs, events } = number(&local.codecs, in_use);
    let audio = Audio {
        port: local.rtp_port,
        protocol,
        codecs: &codecs,
        events: &events,
        rtcp_mux: true,
        direction: local.direction,
        encryption,
    };
    for (index, stream) in streams.iter().enumerate() {
        match index == streams.audio_index() {
            true => print_audio(&mut text, &audio),
            false => print_rejected(&mut text, &stream.kind, &stream.protocol, &stream.formats),
        }
    }
    text
}

/// Reads the answer to the offer that `offer_local` made.
///
/// The answer may list several codecs; the first that we offered is taken in both directions (RFC 3264 §7).
///
/// # Errors
///
/// [`SdpError::AudioRejected`] and [`SdpError::NoCommonCodec`] if the peer did not take the stream, every other variant
/// if the answer cannot be read. The session's former state stays in force then (RFC 3264 §8).
pub fn accept_answer(offer_local: &Local, answer: &[u8]) -> Result<Negotiated, SdpError> {
    let accepted = accept_answer_in_call(offer_local, &LocalSrtp::off(), "", &Streams::audio(), answer);
    accepted.map(|accepted| accepted.negotiated)
}

/// What an answer agrees on, and how the peer wrote our stream's protocol.
pub(super) struct Accepted {
    pub(super) negotiated: Negotiated,
    pub(super) encryption: Option<Encryption>,
    pub(super) protocol: String,
}

/// Reads the answer to an offer of these streams: ours is in its place, whatever follows (RFC 3264 §6). `sent` is the
/// offer as it was sent; the answer names one of its keys, or takes its
/// handshake up.
pub(super) fn accept_answer_in_call(
    offer_local: &Local,
    srtp: &LocalSrtp,
    sent: &str,
    streams: &Streams,
    answer: &[u8],
) -> Result<Accepted, SdpError> {
    let text = readable(answer)?;
    let description = parse(&text)?;
    let media = description.media.get(streams.audio_index());
    let media = media.filter(|media| is_audio(media)).ok_or(SdpError::NoAudio)?;
    let (negotiated, _) = negotiate(Role::Offerer, offer_local, &description, media)?;
    let encryption = srtp.accept(sent, &description, media)?;
    Ok(Accepted { negotiated, encryption, protocol: media.protocol.to_owned() })
}

/// Bounds a peer's description and makes text of it.
pub(super) fn readable(bytes: &[u8]) -> Result<std::borrow::Cow<'_, str>, SdpError> {
    if bytes.len() > LENGTH_MAX_BYTES {
        return Err(SdpError::TooLong { length_bytes: bytes.len() });
    }
    Ok(String::from_utf8_lossy(bytes))
}
