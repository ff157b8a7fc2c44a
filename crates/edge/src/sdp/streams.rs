//! The streams of a session and their places: an `m=` line that was there once stays (RFC 3264 §8).

use super::parse::Description;

/// All streams that were ever negotiated, in their order. One of them is our audio.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Streams {
    streams: Vec<Stream>,
    audio_index: usize,
}

/// What is written of a stream that is not taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Stream {
    pub(super) kind: String,
    pub(super) protocol: String,
    pub(super) formats: String,
}

impl Streams {
    /// Returns what we begin with: one audio stream.
    pub(super) fn audio() -> Streams {
        let audio = Stream { kind: "audio".to_owned(), protocol: "RTP/AVP".to_owned(), formats: String::new() };
        Streams { streams: vec![audio], audio_index: 0 }
    }

    /// Returns the streams of the peer's description, of which one is our audio.
    pub(super) fn of(description: &Description<'_>, audio_index: usize) -> Streams {
        let streams = description.media.iter().map(|media| Stream {
            kind: media.kind.to_owned(),
            protocol: media.protocol.to_owned(),
            formats: media.formats.join(" "),
        });
        Streams { streams: streams.collect(), audio_index }
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Stream> {
        self.streams.iter()
    }

    pub(super) fn audio_index(&self) -> usize {
        self.audio_index
    }

    pub(super) fn set_audio_protocol(&mut self, protocol: String) {
        self.streams[self.audio_index].protocol = protocol;
    }

    pub(super) fn audio_protocol(&self) -> &str {
        &self.streams[self.audio_index].protocol
    }
}
