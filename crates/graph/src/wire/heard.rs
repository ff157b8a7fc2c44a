//! What a participant was given to hear. Ours, not Graph's.

use engine::TICK;
use engine::live::{HeardInterval, HeardSound};
use serde::Serialize;

use super::live::date_time;

/// Is what one participant was given to hear.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Heard {
    pub(crate) participant_id: String,
    pub(crate) tick_milliseconds: u128,
    pub(crate) dropped_intervals: u64,
    pub(crate) audio_seconds: f64,
    pub(crate) intervals: Vec<Interval>,
}

/// Is a while in which the same sound went on.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Interval {
    pub(crate) from: String,
    pub(crate) tick: u64,
    pub(crate) ticks: u64,
    #[serde(flatten)]
    pub(crate) sound: Sound,
    pub(crate) operation_id: Option<String>,
    pub(crate) fading_out: Option<Sound>,
    pub(crate) level: Level,
}

/// Is what was to be heard.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Sound {
    pub(crate) source: &'static str,
    pub(crate) participants: Vec<String>,
}

/// Is how loud it was, in dBFS: the quietest tick, all of it, the loudest tick.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Level {
    pub(crate) min: f64,
    pub(crate) mean: f64,
    pub(crate) max: f64,
}

impl Heard {
    /// Shows what was written down of a participant.
    pub(crate) fn new(participant: call::ParticipantId, heard: engine::live::Heard) -> Heard {
        Heard {
            participant_id: participant.to_string(),
            tick_milliseconds: TICK.as_millis(),
            dropped_intervals: heard.dropped_intervals,
            audio_seconds: heard.audio.as_secs_f64(),
            intervals: heard.intervals.into_iter().map(Interval::from).collect(),
        }
    }
}

impl From<HeardInterval> for Interval {
    fn from(interval: HeardInterval) -> Interval {
        let [min, mean, max] = interval.levels_dbfs.map(|dbfs| (f64::from(dbfs) * 10.0).round() / 10.0);
        Interval {
            from: date_time(interval.from),
            tick: interval.tick,
            ticks: interval.ticks,
            sound: Sound::from(interval.sound),
            operation_id: interval.operation.map(|operation| operation.to_string()),
            fading_out: interval.fading_out.map(Sound::from),
            level: Level { min, mean, max },
        }
    }
}

impl From<HeardSound> for Sound {
    fn from(sound: HeardSound) -> Sound {
        let (source, participants) = match sound {
            HeardSound::Nothing => ("nothing", Vec::new()),
            HeardSound::Silence => ("silence", Vec::new()),
            HeardSound::Mix(people) => ("mix", people),
            HeardSound::Music => ("music", Vec::new()),
            HeardSound::Key => ("key", Vec::new()),
        };
        Sound { source, participants: participants.iter().map(ToString::to_string).collect() }
    }
}
