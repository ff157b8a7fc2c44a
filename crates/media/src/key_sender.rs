//! Keys that are pressed towards a leg: as RFC 4733 events, or as the tones themselves for who has not agreed to events.
//!
//! While a key is down it takes the place of the sound, as on a telephone. Whatever else the leg is to hear instead of the
//! conversation ends the pressing: see [`crate::Mixer::press_keys`].

use crate::dtmf::{DtmfPress, EventPayload, Key};
use crate::format::Format;
use crate::tone::Sine;
use crate::{TICK, key_detector};
use std::collections::VecDeque;
use std::time::Duration;

/// How long a key is down.
const PRESS: Duration = Duration::from_millis(100);

/// The peak of each of a key's two tones: -16 dBFS, about the -10 dBm0 that events say.
const AMPLITUDE: i16 = 5_000;

/// The keys that are still to be pressed.
#[derive(Debug, Default)]
pub(crate) struct KeySender {
    waiting: VecDeque<Key>,
    pause: Duration,
    stage: Stage,
}

#[derive(Debug, Default)]
enum Stage {
    #[default]
    Idle,
    Event {
        press: DtmfPress,
        timestamp: u32,
    },
    Sound {
        tones: [Sine; 2],
        ticks_left: u32,
    },
    Pause {
        ticks_left: u32,
    },
}

/// What a key makes of one tick.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Pressed {
    /// A packet of its own, under the timestamp of the press; the first has the marker bit.
    Event { payload: EventPayload, timestamp: u32, is_first: bool },
    /// The sound that was written.
    Sound,
}

impl KeySender {
    pub(crate) fn press(&mut self, keys: &[Key], pause: Duration) {
        self.waiting.extend(keys);
        self.pause = pause;
    }

    pub(crate) fn clear(&mut self) {
        self.waiting.clear();
        self.stage = Stage::Idle;
    }

    /// Goes on in another format: the key that is down is let go, the others are pressed in the new one.
    pub(crate) fn change_format(&mut self) {
        self.stage = Stage::Idle;
    }

    /// Tells whether the last key has been let go.
    pub(crate) fn is_done(&self) -> bool {
        self.waiting.is_empty() && matches!(self.stage, Stage::Idle | Stage::Pause { .. })
    }

    /// Returns what is pressed in this tick. Sound of `rate_hz` is appended to `pcm`.
    pub(crate) fn tick(
        &mut self,
        format: &Format,
        timestamp: u32,
        rate_hz: u32,
        pcm: &mut Vec<i16>,
    ) -> Option<Pressed> {
        let mut is_first = false;
        if let Stage::Idle = self.stage {
            let key = self.waiting.pop_front()?;
            self.stage = begin(key, format, timestamp, rate_hz);
            is_first = true;
        }
        match &mut self.stage {
            Stage::Idle => None,
            Stage::Pause { ticks_left } => {
                *ticks_left = ticks_left.saturating_sub(1);
                if *ticks_left == 0 {
                    self.stage = Stage::Idle;
                }
                None
            }
            Stage::Event { press, timestamp } => match press.next() {
                Some(payload) => Some(Pressed::Event { payload, timestamp: *timestamp, is_first }),
                None => self.let_go(),
            },
            Stage::Sound { ticks_left: 0, .. } => self.let_go(),
            Stage::Sound { tones: [row, column], ticks_left } => {
                *ticks_left -= 1;
                let samples = crate::codec::samples_per_tick(rate_hz);
                let (row, column) = (row.take_samples(samples), column.take_samples(samples));
                pcm.extend(row.iter().zip(column).map(|(row, column)| row + column));
                Some(Pressed::Sound)
            }
        }
    }

    fn let_go(&mut self) -> Option<Pressed> {
        self.stage = Stage::Pause { ticks_left: ticks(self.pause) };
        None
    }
}

fn begin(key: Key, format: &Format, timestamp: u32, rate_hz: u32) -> Stage {
    if format.telephone_event.is_some() {
        return Stage::Event { press: DtmfPress::new(key, PRESS, format.telephone_event_clock), timestamp };
    }
    let tones = key_detector::tones_hz(key).map(|hz| Sine::new(f64::from(hz), rate_hz, AMPLITUDE));
    Stage::Sound { tones, ticks_left: ticks(PRESS) }
}

fn ticks(duration: Duration) -> u32 {
    u32::try_from(duration.as_millis() / TICK.as_millis()).unwrap_or(u32::MAX)
}
