//! The answerer's side: read an offer, write the answer.

use super::format::Event;
use super::negotiated::{Negotiated, is_plain_audio, negotiate};
use super::offer::readable;
use super::parse::{Description, Media, parse};
use super::print::{Audio, print_audio, print_rejected, print_session};
use super::{Local, SdpError};

/// Answers the offer of an INVITE or a re-INVITE.
///
/// The first audio stream we have a codec for is accepted, with one codec, so that the peer never changes it in the
/// middle of the call, and with the payload type numbers of the offer. All other streams are rejected with port 0. The
/// direction is what `local.direction` and the offer both allow (RFC 3264 §6.1).
///
/// # Errors
///
/// [`SdpError::NoAudio`], [`SdpError::AudioRejected`] or [`SdpError::NoCommonCodec`] if no stream can be accepted (SIP:
/// 488 Not Acceptable Here), every other variant if the offer cannot be read. A session that is up goes on as it was.
pub fn answer(local: &Local, offer: &[u8]) -> Result<(String, Negotiated), SdpError> {
    let text = readable(offer)?;
    let description = parse(&text)?;
    let (accepted, negotiated) = choose(local, &description)?;
    let mut answer = print_session(local);
    for (index, media) in description.media.iter().enumerate() {
        match index == accepted {
            true => print_accepted(&mut answer, local, media, &negotiated),
            false => print_rejected(&mut answer, media.kind, media.protocol, &media.formats),
        }
    }
    Ok((answer, negotiated))
}

/// Returns the first stream that can be accepted, else why the first audio stream cannot.
fn choose(local: &Local, description: &Description<'_>) -> Result<(usize, Negotiated), SdpError> {
    let mut refused = None;
    for (index, media) in description.media.iter().enumerate() {
        if !is_plain_audio(media) {
            continue;
        }
        match negotiate(local, description, media) {
            Ok(negotiated) => return Ok((index, negotiated)),
            Err(error) => refused = refused.or(Some(error)),
        }
    }
    Err(refused.unwrap_or(SdpError::NoAudio))
}

fn print_accepted(text: &mut String, local: &Local, media: &Media<'_>, negotiated: &Negotiated) {
    let format = negotiated.format;
    let event =
        format.telephone_event.map(|payload_type| Event { payload_type, clock_rate_hz: format.telephone_event_clock });
    let audio = Audio {
        port: local.rtp_port,
        protocol: media.protocol,
        codecs: &[(format.payload_type, format.codec)],
        events: event.as_slice(),
        rtcp_mux: negotiated.rtcp_mux,
        direction: local.direction.facing(heard_as(negotiated)),
    };
    print_audio(text, &audio);
}

/// A peer that said `c=0.0.0.0` does not receive, whatever direction it wrote beside it (RFC 3264 §8.4).
fn heard_as(negotiated: &Negotiated) -> super::Direction {
    match negotiated.remote_rtp.ip().is_unspecified() {
        true => super::Direction::new(negotiated.remote.sends(), false),
        false => negotiated.remote,
    }
}
