//! A prompt is tried before anybody is on hold: fetched and decoded as it would be, and then let go.
//!
//! What would be wrong here is what a hold would fail with. What would be wrong at Graph is what Graph documents for prompts
//! (`resourceType: mediaInfo`): a file that it cannot have, and anything but WAV, PCM, mono, 16 bit, 16 kHz.

use std::sync::Arc;

use media::{Container, Description, FileCodec};

use super::fetch::Fetched;
use super::prompt::{About, FormatRule};
use super::{DownloadError, FormatError, Inner, PromptFailure, Prompts};
use crate::outgoing::HttpUri;

/// What was found.
#[derive(Clone, Debug, Default)]
pub struct Preflight {
    /// What its origin answered, if it did.
    pub status: Option<u16>,
    /// How large the file is, in bytes, if it came whole.
    pub bytes: Option<usize>,
    /// What it is, if it can be decoded.
    pub about: Option<About>,
    /// Why it would not be played here, in sentences; none if it would.
    pub problems: Vec<String>,
    /// Why Graph would not play it.
    pub graph_problems: Vec<String>,
}

impl Prompts {
    /// Fetches and decodes a prompt, and says what would fail. Nothing is kept.
    pub async fn preflight(&self, uri: &str) -> Preflight {
        let mut found = Preflight::default();
        match self.inner.try_out(uri, &mut found).await {
            Ok(about) => {
                let Some((description, _)) = about.file else { return found };
                if self.inner.policy.format == FormatRule::Strict && !description.is_graph_prompt() {
                    found.problems.push(PromptFailure::from(FormatError::NotGraph(description)).to_string());
                }
                found.graph_problems = differences(description);
                found.about = Some(about);
            }
            Err(failure) => {
                let sentence = failure.to_string();
                found.problems.push(sentence.clone());
                found.graph_problems.push(sentence);
            }
        }
        found
    }
}

impl Inner {
    async fn try_out(self: &Arc<Self>, uri: &str, found: &mut Preflight) -> Result<About, PromptFailure> {
        let uri = HttpUri::parse(uri).map_err(DownloadError::from)?;
        let _turn = self.turn().await?;
        let fetched = self.fetcher.fetch(&uri, None).await;
        found.status = status(&fetched);
        let Fetched::File { bytes, .. } = fetched? else { return Err(DownloadError::Abandoned.into()) };
        found.bytes = Some(bytes.len());
        let limits = media::Limits { max_duration: self.policy.limits.audio };
        let decode = move || {
            let file = media::decode_file(&bytes, limits)?;
            Ok::<_, FormatError>(About::new(&file.recording, Some((file.description, bytes.len()))))
        };
        Ok(self.coding.run(decode).await??)
    }
}

fn status(fetched: &Result<Fetched, DownloadError>) -> Option<u16> {
    match fetched {
        Ok(Fetched::File { .. }) => Some(200),
        Ok(Fetched::NotModified { .. }) => Some(304),
        Err(DownloadError::Status { status, .. } | DownloadError::Redirect { status, .. }) => Some(status.as_u16()),
        Err(
            DownloadError::Request(_)
            | DownloadError::Timeout { .. }
            | DownloadError::TooManyRedirects { .. }
            | DownloadError::TooLarge { .. }
            | DownloadError::Busy { .. }
            | DownloadError::Abandoned,
        ) => None,
    }
}

/// What of a file is not as Graph documents it.
fn differences(Description { container, codec, channels, bits_per_sample, rate_hz }: Description) -> Vec<String> {
    let mut differences = Vec::new();
    if container != Container::Wav {
        differences.push(format!("It is {container}; Graph wants WAV."));
    } else if codec != FileCodec::Pcm {
        differences.push(format!("Its sound is coded as {codec}; Graph wants PCM."));
    }
    if channels != 1 {
        differences.push(format!("It has {channels} channels; Graph wants mono."));
    }
    if let Some(bits) = bits_per_sample.filter(|bits| *bits != 16) {
        differences.push(format!("Its samples have {bits} bits; Graph wants 16."));
    }
    if rate_hz != 16_000 {
        differences.push(format!("Its sample rate is {rate_hz} Hz; Graph wants 16000 Hz."));
    }
    differences
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_that_differs_is_named() {
        let stereo_mp3 = Description {
            container: Container::Mp3,
            codec: FileCodec::Mp3,
            channels: 2,
            bits_per_sample: None,
            rate_hz: 44_100,
        };
        let expected = [
            "It is MP3; Graph wants WAV.",
            "It has 2 channels; Graph wants mono.",
            "Its sample rate is 44100 Hz; Graph wants 16000 Hz.",
        ];
        assert_eq!(differences(stereo_mp3), expected);
    }

    #[test]
    fn what_graph_takes_has_no_differences_and_nothing_else() {
        let rates = [8_000, 16_000];
        for (rate_hz, bits, codec) in rates
            .into_iter()
            .flat_map(|rate| [(rate, 16, FileCodec::Pcm), (rate, 24, FileCodec::Pcm), (rate, 8, FileCodec::Pcma)])
        {
            let bits_per_sample = Some(bits);
            let file = Description { container: Container::Wav, codec, channels: 1, bits_per_sample, rate_hz };
            assert_eq!(differences(file).is_empty(), file.is_graph_prompt(), "{file}");
        }
    }
}
