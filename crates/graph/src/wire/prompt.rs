//! Prompts as the console sees them. Ours, not Graph's. Levels are in dBFS: of the whole recording (RMS), and of its loudest
//! sample.

use engine::prompts::{About, KeptPrompt};
use serde::{Deserialize, Serialize};

use super::live::date_time;

/// Is a prompt that is kept.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Prompt {
    pub(crate) uri: Option<String>,
    #[serde(flatten)]
    pub(crate) sound: Sound,
    pub(crate) bytes: Option<usize>,
    pub(crate) memory_bytes: usize,
    pub(crate) codecs_ready: Vec<&'static str>,
    pub(crate) fetched_date_time: Option<String>,
    pub(crate) fresh_until_date_time: Option<String>,
    pub(crate) is_graph_prompt: bool,
    pub(crate) calls: Vec<String>,
}

/// Is what is known of a recording; everything is null of what could not be decoded.
#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Sound {
    pub(crate) duration_seconds: Option<f64>,
    pub(crate) sample_rate_hz: Option<u32>,
    pub(crate) channels: Option<u16>,
    pub(crate) container: Option<String>,
    pub(crate) codec: Option<String>,
    pub(crate) rms_dbfs: Option<f64>,
    pub(crate) peak_dbfs: Option<f64>,
}

/// Is what a preflight has found.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Preflight {
    pub(crate) uri: String,
    pub(crate) status: Option<u16>,
    pub(crate) bytes: Option<usize>,
    #[serde(flatten)]
    pub(crate) sound: Sound,
    pub(crate) fermata: Verdict,
    pub(crate) graph: Verdict,
}

/// Is whether a prompt would be played, and if not, why.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Verdict {
    pub(crate) is_accepted: bool,
    pub(crate) problems: Vec<String>,
}

/// Is the body that asks for a preflight.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct PreflightRequest {
    #[serde(default)]
    pub(crate) uri: Option<String>,
}

impl Prompt {
    /// Shows a prompt that is kept, and in which calls it is played now.
    pub(crate) fn new(kept: KeptPrompt, calls: Vec<String>) -> Prompt {
        let file = kept.about.file;
        Prompt {
            uri: kept.uri,
            sound: Sound::from(&kept.about),
            bytes: file.map(|(_, bytes)| bytes),
            memory_bytes: kept.memory_bytes,
            codecs_ready: kept.ready.into_iter().map(engine::Codec::encoding_name).collect(),
            fetched_date_time: kept.fetched.map(date_time),
            fresh_until_date_time: kept.fresh_until.map(date_time),
            is_graph_prompt: file.is_some_and(|(description, _)| description.is_graph_prompt()),
            calls,
        }
    }
}

impl From<&About> for Sound {
    fn from(about: &About) -> Sound {
        let file = about.file.map(|(description, _)| description);
        let tenths = |dbfs: f32| (f64::from(dbfs) * 10.0).round() / 10.0;
        Sound {
            duration_seconds: Some(about.duration.as_secs_f64()),
            sample_rate_hz: Some(about.rate_hz),
            channels: Some(file.map_or(1, |file| file.channels)),
            container: file.map(|file| file.container.to_string()),
            codec: file.map(|file| file.codec.to_string()),
            rms_dbfs: Some(tenths(about.rms_dbfs)),
            peak_dbfs: Some(tenths(about.peak_dbfs)),
        }
    }
}

impl Preflight {
    /// Shows what was found.
    pub(crate) fn new(uri: String, found: engine::prompts::Preflight) -> Preflight {
        Preflight {
            uri,
            status: found.status,
            bytes: found.bytes,
            sound: found.about.as_ref().map(Sound::from).unwrap_or_default(),
            fermata: Verdict::of(found.problems),
            graph: Verdict::of(found.graph_problems),
        }
    }
}

impl Verdict {
    fn of(problems: Vec<String>) -> Verdict {
        Verdict { is_accepted: problems.is_empty(), problems }
    }
}
