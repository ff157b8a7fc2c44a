//! Writes descriptions, line by line in the order of RFC 8866 §5.

use std::net::IpAddr;

use media::Codec;

use super::encryption::Lines;
use super::format::{EVENT_ENCODING, Event};
use super::{Direction, Local, PTIME_MS};

/// An audio stream to be written.
pub(super) struct Audio<'a> {
    pub(super) port: u16,
    pub(super) protocol: &'a str,
    pub(super) codecs: &'a [(u8, Codec)],
    pub(super) events: &'a [Event],
    pub(super) rtcp_mux: bool,
    pub(super) direction: Direction,
    pub(super) encryption: &'a Lines,
}

/// Writes the lines of the session. Names and times that mean nothing in a call are `-` and `0 0` (RFC 3264 §5).
pub(super) fn print_session(local: &Local) -> String {
    let Local { session_id, version, .. } = local;
    let address = print_address(local.address);
    format!("v=0\r\no=- {session_id} {version} {address}\r\ns=-\r\nc={address}\r\nt=0 0\r\n")
}

fn print_address(address: IpAddr) -> String {
    match address {
        IpAddr::V4(address) => format!("IN IP4 {address}"),
        IpAddr::V6(address) => format!("IN IP6 {address}"),
    }
}

/// Writes one audio stream.
pub(super) fn print_audio(text: &mut String, audio: &Audio<'_>) {
    let codecs = audio.codecs.iter().map(|(payload_type, _)| *payload_type);
    let payload_types = codecs.chain(audio.events.iter().map(|event| event.payload_type));
    let formats: Vec<String> = payload_types.map(|payload_type| payload_type.to_string()).collect();
    text.push_str(&format!("m=audio {} {} {}\r\n", audio.port, audio.protocol, formats.join(" ")));
    for (payload_type, codec) in audio.codecs {
        print_codec(text, *payload_type, *codec);
    }
    for event in audio.events {
        print_event(text, *event);
    }
    audio.encryption.print(text);
    text.push_str(&format!("a=ptime:{PTIME_MS}\r\n"));
    if audio.rtcp_mux {
        text.push_str("a=rtcp-mux\r\n");
    }
    text.push_str(&format!("a={}\r\n", audio.direction.name()));
}

/// Writes a stream we do not take: port 0, everything else as offered (RFC 3264 §6).
pub(super) fn print_rejected(text: &mut String, kind: &str, protocol: &str, formats: &str) {
    text.push_str(&format!("m={kind} 0 {protocol} {formats}\r\n"));
}

fn print_codec(text: &mut String, payload_type: u8, codec: Codec) {
    let (name, clock_rate_hz) = (codec.encoding_name(), codec.clock_rate());
    match codec {
        Codec::Pcmu | Codec::Pcma | Codec::G722 => {
            text.push_str(&format!("a=rtpmap:{payload_type} {name}/{clock_rate_hz}\r\n"));
        }
        // Two channels in the name whatever it carries (RFC 7587 §7). We can use the redundancy against loss.
        Codec::Opus => {
            text.push_str(&format!("a=rtpmap:{payload_type} {name}/{clock_rate_hz}/2\r\n"));
            text.push_str(&format!("a=fmtp:{payload_type} useinbandfec=1\r\n"));
        }
    }
}

/// Writes events 0 to 16: the digits, star, hash, A to D and flash (RFC 4733 §3.2).
fn print_event(text: &mut String, event: Event) {
    let Event { payload_type, clock_rate_hz } = event;
    text.push_str(&format!("a=rtpmap:{payload_type} {EVENT_ENCODING}/{clock_rate_hz}\r\n"));
    text.push_str(&format!("a=fmtp:{payload_type} 0-16\r\n"));
}
