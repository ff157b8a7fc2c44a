//! Payload types and codecs: what we number ours, and what a peer's numbers mean.

use media::{Codec, Format};

use super::attributes::{RtpMap, parse_payload_type};
use super::parse::Media;

/// What we call Opus in an offer: the first dynamic payload type (RFC 3551 §6). It has no static one (RFC 7587 §7).
const OPUS_PAYLOAD_TYPE: u8 = 96;

/// What we call events at 8000 Hz in an offer. Any dynamic number would do; 101 is what phones expect by habit.
const EVENT_8000_PAYLOAD_TYPE: u8 = 101;

/// What we call events at Opus' clock in an offer.
const EVENT_48000_PAYLOAD_TYPE: u8 = 102;

/// The name of RFC 4733 events in `a=rtpmap`.
pub(super) const EVENT_ENCODING: &str = "telephone-event";

/// A payload type for events, and the clock that counts their duration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Event {
    pub(super) payload_type: u8,
    pub(super) clock_rate_hz: u32,
}

/// The first payload type that may mean anything (RFC 3551 §6).
const DYNAMIC_FIRST: u8 = 96;

/// What an offer calls its codecs and events.
pub(super) struct Numbers {
    pub(super) codecs: Vec<(u8, Codec)>,
    pub(super) events: Vec<Event>,
}

/// Numbers our codecs for an offer, with events for each of their clocks, because events share the clock of the audio they
/// interrupt (RFC 4733 §2.5.1).
///
/// The format in use comes first and keeps its numbers, and nothing else gets them: in one session a number never changes
/// its meaning (RFC 3264 §8.3.2).
pub(super) fn number(ours: &[Codec], in_use: Option<Format>) -> Numbers {
    let mut numbers = Numbers { codecs: Vec::new(), events: Vec::new() };
    if let Some(format) = in_use.filter(|format| ours.contains(&format.codec)) {
        numbers.codecs.push((format.payload_type, format.codec));
        let clock_rate_hz = format.telephone_event_clock;
        numbers.events.extend(format.telephone_event.map(|payload_type| Event { payload_type, clock_rate_hz }));
    }
    for codec in ours {
        if !numbers.codecs.iter().any(|(_, known)| known == codec) {
            let payload_type = numbers.free(codec.static_payload_type().unwrap_or(OPUS_PAYLOAD_TYPE));
            numbers.codecs.push((payload_type, *codec));
        }
    }
    for (payload_type, clock_rate_hz) in [(EVENT_8000_PAYLOAD_TYPE, 8_000), (EVENT_48000_PAYLOAD_TYPE, 48_000)] {
        let is_needed = ours.iter().any(|codec| codec.clock_rate() == clock_rate_hz);
        let is_there = numbers.events.iter().any(|event| event.clock_rate_hz == clock_rate_hz);
        if is_needed && !is_there {
            let payload_type = numbers.free(payload_type);
            numbers.events.push(Event { payload_type, clock_rate_hz });
        }
    }
    numbers
}

impl Numbers {
    /// Returns the usual number, or the first dynamic one if that is taken.
    fn free(&self, usual: u8) -> u8 {
        let is_free = |number: &u8| {
            !self.codecs.iter().any(|(taken, _)| taken == number)
                && !self.events.iter().any(|event| event.payload_type == *number)
        };
        let free = [usual].into_iter().chain(DYNAMIC_FIRST..128).find(is_free);
        free.expect("32 dynamic numbers are more than we have formats")
    }
}

/// Returns the first format of the stream whose codec is among `ours`, with the events that go with it.
///
/// The peer's order decides, in an offer as in an answer: it lists what it likes best first (RFC 3264 §6.1, §7).
pub(super) fn first_common(media: &Media<'_>, ours: &[Codec]) -> Option<Format> {
    let (payload_type, codec) = media
        .formats
        .iter()
        .filter_map(|word| parse_payload_type(word))
        .filter_map(|payload_type| Some((payload_type, codec_of(media, payload_type)?)))
        .find(|(_, codec)| ours.contains(codec))?;
    let event = event_beside(media, codec);
    Some(Format {
        codec,
        payload_type,
        telephone_event: event.map(|event| event.payload_type),
        telephone_event_clock: event.map_or(codec.clock_rate(), |event| event.clock_rate_hz),
    })
}

fn codec_of(media: &Media<'_>, payload_type: u8) -> Option<Codec> {
    let codecs = [Codec::Pcmu, Codec::Pcma, Codec::G722, Codec::Opus];
    match rtpmap_of(media, payload_type) {
        Some(map) => codecs.into_iter().find(|codec| names(map, *codec)),
        // A static payload type needs no rtpmap (RFC 8866 §8.2.3).
        None => codecs.into_iter().find(|codec| codec.static_payload_type() == Some(payload_type)),
    }
}

fn rtpmap_of<'m, 'a>(media: &'m Media<'a>, payload_type: u8) -> Option<&'m RtpMap<'a>> {
    media.attributes.rtpmaps.iter().find(|map| map.payload_type == payload_type)
}

/// Opus is always written with two channels whatever it carries (RFC 7587 §7); some phones leave them out.
fn names(map: &RtpMap<'_>, codec: Codec) -> bool {
    let channels_max = match codec {
        Codec::Pcmu | Codec::Pcma | Codec::G722 => 1,
        Codec::Opus => 2,
    };
    map.encoding.eq_ignore_ascii_case(codec.encoding_name())
        && map.clock_rate_hz == codec.clock_rate()
        && (1..=channels_max).contains(&map.channels)
}

/// Returns the events at the codec's clock, else any: a phone that speaks Opus may know events at 8000 Hz only.
fn event_beside(media: &Media<'_>, codec: Codec) -> Option<Event> {
    let mut events = media.formats.iter().filter_map(|word| event_of(media, parse_payload_type(word)?));
    let first = events.next()?;
    let at_clock = |event: &Event| event.clock_rate_hz == codec.clock_rate();
    Some([first].into_iter().chain(events).find(at_clock).unwrap_or(first))
}

fn event_of(media: &Media<'_>, payload_type: u8) -> Option<Event> {
    let map = rtpmap_of(media, payload_type)?;
    let is_event = map.encoding.eq_ignore_ascii_case(EVENT_ENCODING) && map.clock_rate_hz > 0;
    is_event.then_some(Event { payload_type, clock_rate_hz: map.clock_rate_hz })
}
