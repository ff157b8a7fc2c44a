//! A prompt at hand: decoded once, encoded at most once per codec.

use std::sync::Arc;
use std::time::Duration;

use media::{Codec, Description, Loop, Recording};
use tokio::sync::OnceCell;

use super::coding::CodingSlots;
use super::{ALL_CODECS, FormatError, Limits};

/// Which audio files are played.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum FormatRule {
    /// What Microsoft Graph documents: WAV, mono, 16 bit, 16 kHz, PCM. A bot that passes here passes there.
    #[default]
    Strict,
    /// Everything the server can decode.
    Extended,
}

/// What is known of a prompt besides its sound.
#[derive(Clone, Debug)]
pub struct About {
    /// What the file is; `None` of the built-in music, which comes from none.
    pub file: Option<(Description, usize)>,
    /// Samples per second.
    pub rate_hz: u32,
    /// How long one round is.
    pub duration: Duration,
    /// How loud it is as a whole (RMS), in dBFS.
    pub rms_dbfs: f32,
    /// How loud its loudest sample is, in dBFS.
    pub peak_dbfs: f32,
}

impl About {
    /// Listens to all of it: call it in a coding slot.
    pub(super) fn new(recording: &Recording, file: Option<(Description, usize)>) -> Self {
        let Recording { rate_hz, samples } = recording;
        let (rms_dbfs, peak_dbfs) = (media::level_dbfs(samples), media::peak_dbfs(samples));
        Self { file, rate_hz: *rate_hz, duration: recording.duration(), rms_dbfs, peak_dbfs }
    }
}

/// A prompt at hand.
pub(super) struct Prompt {
    pub(super) about: About,
    recording: Recording,
    pcmu: OnceCell<Arc<Loop>>,
    pcma: OnceCell<Arc<Loop>>,
    g722: OnceCell<Arc<Loop>>,
    opus: OnceCell<Arc<Loop>>,
}

impl Prompt {
    /// Keeps a recording. It is listened to: call it in a coding slot.
    pub(super) fn new(recording: Recording, file: Option<(Description, usize)>) -> Self {
        let about = About::new(&recording, file);
        Self {
            about,
            recording,
            pcmu: OnceCell::new(),
            pcma: OnceCell::new(),
            g722: OnceCell::new(),
            opus: OnceCell::new(),
        }
    }

    /// Decodes a file. Takes as long as it takes: call it in a coding slot.
    ///
    /// # Errors
    ///
    /// [`FormatError::File`] when it is not audio, [`FormatError::NotGraph`] when the rule is strict and it is other
    /// audio than Graph's.
    pub(super) fn decode(bytes: &[u8], rule: FormatRule, limits: &Limits) -> Result<Self, FormatError> {
        let limits = media::Limits { max_duration: limits.audio };
        let file = media::decode_file(bytes, limits)?;
        match rule {
            FormatRule::Strict if !file.description.is_graph_prompt() => Err(FormatError::NotGraph(file.description)),
            FormatRule::Strict | FormatRule::Extended => {
                Ok(Self::new(file.recording, Some((file.description, bytes.len()))))
            }
        }
    }

    /// The prompt in a codec, if it has been encoded already.
    pub(super) fn ready(&self, codec: Codec) -> Option<Arc<Loop>> {
        self.cell(codec).get().cloned()
    }

    /// The codecs in which it has been encoded already.
    pub(super) fn ready_codecs(&self) -> Vec<Codec> {
        ALL_CODECS.into_iter().filter(|codec| self.cell(*codec).initialized()).collect()
    }

    /// The prompt in a codec. Those who ask at the same time wait for one encoding.
    pub(super) async fn encoded(&self, codec: Codec, coding: &CodingSlots) -> Result<Arc<Loop>, FormatError> {
        let encode = async || {
            let recording = self.recording.clone();
            coding.run(move || Arc::new(Loop::encode(&recording, codec))).await
        };
        self.cell(codec).get_or_try_init(encode).await.cloned()
    }

    /// What it takes in memory by now: the recording, and the loops that have been asked for.
    pub(super) fn size_bytes(&self) -> usize {
        let loops = [&self.pcmu, &self.pcma, &self.g722, &self.opus];
        let encoded: usize = loops.into_iter().filter_map(OnceCell::get).map(|encoded| encoded.bytes()).sum();
        size_of_val(&*self.recording.samples) + encoded
    }

    fn cell(&self, codec: Codec) -> &OnceCell<Arc<Loop>> {
        match codec {
            Codec::Pcmu => &self.pcmu,
            Codec::Pcma => &self.pcma,
            Codec::G722 => &self.g722,
            Codec::Opus => &self.opus,
        }
    }
}
