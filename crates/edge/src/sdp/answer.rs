//! The answerer's side: read an offer, write the answer.

use super::agreement::Role;
use super::encryption::{Encryption, Lines};
use super::format::Event;
use super::negotiated::{Negotiated, is_audio, negotiate};
use super::offer::readable;
use super::parse::{Description, Media, parse};
use super::print::{Audio, print_audio, print_rejected, print_session};
use super::streams::Streams;
use super::{Direction, Local, LocalSrtp, SdpError};

/// Answers the offer of an INVITE, in clear.
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
    let answered = answer_in_call(local, &LocalSrtp::off(), None, offer)?;
    Ok((answered.text, answered.negotiated))
}

/// An answer, what it agrees on, and the streams of the session from now on.
pub(super) struct Answered {
    pub(super) text: String,
    pub(super) negotiated: Negotiated,
    pub(super) streams: Streams,
    pub(super) encryption: Option<Encryption>,
    /// The peer has ended its audio; keys were not spoken of.
    pub(super) is_ended: bool,
}

/// Answers an offer in mid-call, where `agreed` was in force so far: a peer that ends its audio with port 0 is answered in
/// kind and may come back (RFC 3264 §8.1, §8.2). At the beginning of a call there would be nothing to come back to.
pub(super) fn answer_in_call(
    local: &Local,
    srtp: &LocalSrtp,
    agreed: Option<Negotiated>,
    offer: &[u8],
) -> Result<Answered, SdpError> {
    let text = readable(offer)?;
    let description = parse(&text)?;
    let chosen = match (choose(local, srtp, &description), agreed) {
        (Ok(chosen), _) => chosen,
        (Err(SdpError::AudioRejected { line }), Some(agreed)) => {
            let ended = description.media.iter().position(|media| media.line == line);
            let index = ended.expect("the error names a line of this description");
            Chosen { index, negotiated: agreed.ended(), direction: Direction::Inactive, encryption: None }
        }
        (Err(error), _) => return Err(error),
    };
    let text = print(local, &description, &chosen);
    let streams = Streams::of(&description, chosen.index);
    let is_ended = description.media[chosen.index].port == 0;
    let encryption = chosen.encryption.map(|(encryption, _)| encryption);
    Ok(Answered { text, negotiated: chosen.negotiated, streams, encryption, is_ended })
}

/// The stream that is taken.
struct Chosen {
    index: usize,
    negotiated: Negotiated,
    direction: Direction,
    /// How it is encrypted, and what the answer says of that.
    encryption: Option<(Encryption, Lines)>,
}

/// Returns the stream that can be accepted with the best encryption, the first of several, else why the first audio
/// stream cannot.
fn choose(local: &Local, srtp: &LocalSrtp, description: &Description<'_>) -> Result<Chosen, SdpError> {
    let (mut acceptable, mut refused) = (Vec::new(), None);
    for (index, media) in description.media.iter().enumerate() {
        if !is_audio(media) {
            continue;
        }
        let negotiated = negotiate(Role::Answerer, local, description, media);
        match negotiated.and_then(|negotiated| Ok((negotiated, srtp.answer(description, media)?))) {
            Ok(((negotiated, direction), encryption)) => {
                acceptable.push(Chosen { index, negotiated, direction, encryption });
            }
            Err(error) => refused = refused.or(Some(error)),
        }
    }
    let rank = |chosen: &Chosen| srtp.rank(chosen.encryption.as_ref().map(|(encryption, _)| encryption));
    acceptable.into_iter().min_by_key(rank).ok_or(refused.unwrap_or(SdpError::NoAudio))
}

fn print(local: &Local, description: &Description<'_>, chosen: &Chosen) -> String {
    let mut text = print_session(local);
    for (index, media) in description.media.iter().enumerate() {
        match index == chosen.index && media.port != 0 {
            true => print_accepted(&mut text, local, media, chosen),
            false => print_rejected(&mut text, media.kind, media.protocol, &media.formats.join(" ")),
        }
    }
    text
}

fn print_accepted(text: &mut String, local: &Local, media: &Media<'_>, chosen: &Chosen) {
    let format = chosen.negotiated.format;
    let event =
        format.telephone_event.map(|payload_type| Event { payload_type, clock_rate_hz: format.telephone_event_clock });
    let encryption = chosen.encryption.as_ref().map_or(&Lines::None, |(_, lines)| lines);
    let audio = Audio {
        port: local.rtp_port,
        protocol: media.protocol,
        codecs: &[(format.payload_type, format.codec)],
        events: event.as_slice(),
        rtcp_mux: chosen.negotiated.rtcp_mux,
        direction: chosen.direction,
        encryption,
    };
    print_audio(text, &audio);
}
