//! What a prompt file is, in words.

use std::fmt;

/// What the outer format of a file is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Container {
    /// RIFF/WAVE.
    Wav,
    /// A bare MPEG audio stream, layer III.
    Mp3,
    /// Native FLAC.
    Flac,
    /// Ogg with Vorbis.
    OggVorbis,
    /// Ogg with Opus (RFC 7845).
    OggOpus,
}

/// How the sound in a file is coded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FileCodec {
    /// Whole numbers, as they are.
    Pcm,
    /// Floating point numbers, as they are.
    Float,
    /// G.711 A-law.
    Pcma,
    /// G.711 µ-law.
    Pcmu,
    /// MPEG-1 or MPEG-2 layer III.
    Mp3,
    /// FLAC.
    Flac,
    /// Vorbis.
    Vorbis,
    /// Opus.
    Opus,
}

/// What a file is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Description {
    /// Its outer format.
    pub container: Container,
    /// How its sound is coded.
    pub codec: FileCodec,
    /// How many channels it has.
    pub channels: u16,
    /// How many bits a sample has, where that means something.
    pub bits_per_sample: Option<u32>,
    /// Samples per second and channel.
    pub rate_hz: u32,
}

impl Description {
    /// Says whether it is what Graph documents for prompts: WAV, PCM, mono, 16 bit, 16 kHz
    /// (`resourceType: mediaInfo`, property `uri`).
    pub fn is_graph_prompt(&self) -> bool {
        self.container == Container::Wav
            && self.codec == FileCodec::Pcm
            && self.channels == 1
            && self.bits_per_sample == Some(16)
            && self.rate_hz == 16_000
    }
}

impl fmt::Display for Description {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let channels = if self.channels == 1 { "channel" } else { "channels" };
        write!(f, "{}, {} {channels}", self.container, self.channels)?;
        if let Some(bits) = self.bits_per_sample {
            write!(f, ", {bits} bit")?;
        }
        write!(f, ", {} Hz", self.rate_hz)?;
        match self.container {
            Container::Wav => write!(f, ", {}", self.codec),
            // The name of the others says the codec.
            Container::Mp3 | Container::Flac | Container::OggVorbis | Container::OggOpus => Ok(()),
        }
    }
}

impl fmt::Display for Container {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Container::Wav => "WAV",
            Container::Mp3 => "MP3",
            Container::Flac => "FLAC",
            Container::OggVorbis => "Ogg Vorbis",
            Container::OggOpus => "Ogg Opus",
        })
    }
}

impl fmt::Display for FileCodec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            FileCodec::Pcm => "PCM",
            FileCodec::Float => "float",
            FileCodec::Pcma => "A-law",
            FileCodec::Pcmu => "µ-law",
            FileCodec::Mp3 => "MP3",
            FileCodec::Flac => "FLAC",
            FileCodec::Vorbis => "Vorbis",
            FileCodec::Opus => "Opus",
        })
    }
}
