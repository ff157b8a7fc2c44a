//! The offerer's side: write an offer, read the answer.

use super::format::{offered_events, offered_payload_type};
use super::negotiated::{Negotiated, is_plain_audio, negotiate};
use super::parse::{LENGTH_MAX_BYTES, parse};
use super::print::{Audio, print_audio, print_session};
use super::{Local, SdpError};

/// Writes an offer of one audio stream: all our codecs in our order, events for each of their clocks, packets of 20 ms,
/// RTCP on the same port if the peer can.
pub fn offer(local: &Local) -> String {
    let mut text = print_session(local);
    let codecs: Vec<_> = local.codecs.iter().map(|codec| (offered_payload_type(*codec), *codec)).collect();
    let audio = Audio {
        port: local.rtp_port,
        protocol: "RTP/AVP",
        codecs: &codecs,
        events: &offered_events(&local.codecs),
        rtcp_mux: true,
        direction: local.direction,
    };
    print_audio(&mut text, &audio);
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
    let text = readable(answer)?;
    let description = parse(&text)?;
    // One stream was offered, so the first of the answer is about it, whatever follows (RFC 3264 §6).
    let media = description.media.first().filter(|media| is_plain_audio(media)).ok_or(SdpError::NoAudio)?;
    negotiate(offer_local, &description, media)
}

/// Bounds a peer's description and makes text of it.
pub(super) fn readable(bytes: &[u8]) -> Result<std::borrow::Cow<'_, str>, SdpError> {
    if bytes.len() > LENGTH_MAX_BYTES {
        return Err(SdpError::TooLong { length_bytes: bytes.len() });
    }
    Ok(String::from_utf8_lossy(bytes))
}
