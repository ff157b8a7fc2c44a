//! Keys heard as sound: the two tones of a key (ITU-T Q.23), told from speech (ITU-T Q.24).
//!
//! Every 10 ms the last 25 ms are looked at: one tone of the rows, one of the columns, and next to nothing else. Speech
//! may look so for a moment, so a key counts when it was there three times running, at least once clearly, and is over
//! when it was not four times.

use crate::MIX_RATE_HZ;
use crate::dtmf::Key;

/// The tones of the rows and the columns of a keypad, in hertz (Q.23 section 3).
const ROWS_HZ: [f32; 4] = [697.0, 770.0, 852.0, 941.0];
const COLUMNS_HZ: [f32; 4] = [1209.0, 1336.0, 1477.0, 1633.0];
const KEYPAD: [&[u8; 4]; 4] = [b"123A", b"456B", b"789C", b"*0#D"];

/// What is looked at, in samples: 25 ms. Less cannot tell the rows apart, which are 73 Hz from each other; more misses
/// the shortest presses of 40 ms (Q.24 table A.1).
const BLOCK_SAMPLES: usize = (MIX_RATE_HZ / 40) as usize;

/// How often, in samples: 10 ms.
const HOP_SAMPLES: usize = (MIX_RATE_HZ / 100) as usize;

/// How often in a row a key is there before it is pressed. Less takes syllables for keys, more misses short presses.
const HITS: u8 = 3;

/// How often in a row it is not there before it is released. Less makes two presses of one that lost a packet, more makes
/// one of two that are 40 ms apart.
const MISSES: u8 = 4;

/// A key is at least so loud: -40 dBFS in all, as power of samples. Q.24 asks for -27 dBm at the exchange; quieter is
/// an echo.
const POWER_MIN: f32 = 32_768.0 * 32_768.0 / 2.0 / 10_000.0;

/// The least share of the power that is in the two tones, at the edges of a press and once within it. Whistling and vowels
/// have one tone, or many. Less takes more of them for keys; more does not see short presses, nor any through noise.
const SHARE_MIN: f32 = 0.6;
const CLEAR_SHARE_MIN: f32 = 0.85;

/// How much louder than another tone of its group the loudest must be, as power: 6 dB.
const LEAD_MIN: f32 = 4.0;

/// How much louder the column may be than the row, and the row than the column, as power: 7 and 10 dB. Q.24 allows 4 and 8;
/// the rest is for how exactly it is measured.
const COLUMN_LEAD_MAX: f32 = 5.0;
const ROW_LEAD_MAX: f32 = 10.0;

/// How much of a tone's power may be in its second harmonic: -10 dB. A voice has more.
const HARMONIC_MAX: f32 = 0.1;

/// How far the tones may be off: 1.5 % are to be taken, 3.5 % are not (Q.24 table A.1). Each is looked for in the middle,
/// so far off and twice so far; what is loudest there is another tone.
const DETUNING: f32 = 0.012;

/// Listens to one leg.
#[derive(Debug)]
pub(crate) struct KeyDetector {
    /// The last [`BLOCK_SAMPLES`], the oldest first.
    block: Vec<f32>,
    /// How many samples of the next hop are there.
    fresh: usize,
    candidate: Option<Key>,
    hits: u8,
    /// Whether one of the hits was clear.
    is_clear: bool,
    pressed: Option<Key>,
    misses: u8,
}

impl KeyDetector {
    pub(crate) fn new() -> KeyDetector {
        KeyDetector {
            block: vec![0.0; BLOCK_SAMPLES],
            fresh: 0,
            candidate: None,
            hits: 0,
            is_clear: false,
            pressed: None,
            misses: 0,
        }
    }

    /// Listens to what comes next, at the mixer's rate. Returns the key that is found to be pressed, once for each press.
    pub(crate) fn listen(&mut self, samples: &[i16]) -> Option<Key> {
        let mut found = None;
        for sample in samples {
            self.block.push(f32::from(*sample));
            self.fresh += 1;
            if self.fresh == HOP_SAMPLES {
                self.fresh = 0;
                self.block.drain(..HOP_SAMPLES);
                // A second key needs longer than one tick to be found.
                found = self.judge(key_in(&self.block)).or(found);
            }
        }
        found
    }

    fn judge(&mut self, seen: Option<(Key, f32)>) -> Option<Key> {
        let key = seen.map(|(key, _)| key);
        if key != self.candidate {
            (self.candidate, self.hits, self.is_clear) = (key, 0, false);
        }
        self.hits = self.hits.saturating_add(1);
        self.is_clear |= seen.is_some_and(|(_, share)| share >= CLEAR_SHARE_MIN);
        if key.is_some() && key == self.pressed {
            self.misses = 0;
            return None;
        }
        self.misses = self.misses.saturating_add(1);
        if self.misses >= MISSES {
            self.pressed = None;
        }
        if key.is_none() || self.hits < HITS || !self.is_clear {
            return None;
        }
        (self.pressed, self.misses) = (key, 0);
        key
    }
}

/// Finds the key whose tones make up a block, and their share of it.
fn key_in(block: &[f32]) -> Option<(Key, f32)> {
    let energy: f32 = block.iter().map(|sample| sample * sample).sum();
    if energy < POWER_MIN * block.len() as f32 {
        return None;
    }
    let share = |hz: f32| share(block, hz, energy);
    let (row, row_share) = loudest(&ROWS_HZ, share)?;
    let (column, column_share) = loudest(&COLUMNS_HZ, share)?;
    let is_key = row_share + column_share >= SHARE_MIN
        && column_share <= row_share * COLUMN_LEAD_MAX
        && row_share <= column_share * ROW_LEAD_MAX
        && share(2.0 * ROWS_HZ[row]) <= row_share * HARMONIC_MAX
        && share(2.0 * COLUMNS_HZ[column]) <= column_share * HARMONIC_MAX;
    if !is_key {
        return None;
    }
    Some((Key::from_char(char::from(KEYPAD[row][column]))?, row_share + column_share))
}

/// Returns the tones of a key, that of its row first, in hertz.
pub(crate) fn tones_hz(key: Key) -> [f32; 2] {
    let find = |row: usize| {
        let column = KEYPAD[row].iter().position(|known| char::from(*known) == key.as_char())?;
        Some([ROWS_HZ[row], COLUMNS_HZ[column]])
    };
    (0..ROWS_HZ.len()).find_map(find).expect("every key is on the keypad")
}

/// Finds the tone of a group that is clearly louder than the others and in tune, and its share of the power.
fn loudest(group: &[f32; 4], share: impl Fn(f32) -> f32) -> Option<(usize, f32)> {
    let shares = group.map(&share);
    let at = (0..group.len()).max_by(|a, b| shares[*a].total_cmp(&shares[*b]))?;
    let is_clear = (0..group.len()).all(|other| other == at || shares[other] * LEAD_MIN <= shares[at]);
    let best_of = |detuning: f32| share(group[at] * (1.0 - detuning)).max(share(group[at] * (1.0 + detuning)));
    let (near, far) = (shares[at].max(best_of(DETUNING)), best_of(2.0 * DETUNING));
    (is_clear && far < near).then_some((at, near))
}

/// Measures how much of a block's energy is in one tone (Goertzel's algorithm): 1 for nothing but this tone.
fn share(block: &[f32], hz: f32, energy: f32) -> f32 {
    let coefficient = 2.0 * (std::f32::consts::TAU * hz / MIX_RATE_HZ as f32).cos();
    let (mut before, mut last) = (0.0, 0.0);
    for sample in block {
        (before, last) = (last, sample + coefficient * last - before);
    }
    let power = last * last + before * before - coefficient * last * before;
    2.0 * power / (block.len() as f32 * energy)
}

#[cfg(test)]
mod tests {
    use super::*;

    const FRAME: usize = (MIX_RATE_HZ / 50) as usize;

    /// The two tones of a key, each at its level.
    fn tones(key: char, length_ms: u32, level: [f32; 2], detuning: f32) -> Vec<i16> {
        let hz = tones_hz(Key::from_char(key).expect("a key")).map(|hz| hz * (1.0 + detuning));
        let sample = |n: u32| {
            let phase = |hz: f32| (std::f32::consts::TAU * hz * n as f32 / MIX_RATE_HZ as f32).sin();
            (level[0] * phase(hz[0]) + level[1] * phase(hz[1])) as i16
        };
        (0..length_ms * MIX_RATE_HZ / 1000).map(sample).collect()
    }

    fn heard(samples: &[i16]) -> String {
        let mut detector = KeyDetector::new();
        samples.chunks(FRAME).filter_map(|frame| detector.listen(frame)).map(Key::as_char).collect()
    }

    fn press(key: char) -> Vec<i16> {
        [tones(key, 80, [3000.0, 3000.0], 0.0), vec![0; FRAME * 4]].concat()
    }

    #[test]
    fn every_key_is_heard_once_for_each_press() {
        let all: Vec<i16> = "1234567890*#ABCD".chars().flat_map(press).collect();
        assert_eq!(heard(&all), "1234567890*#ABCD");
        let twice: Vec<i16> = "5599".chars().flat_map(press).collect();
        assert_eq!(heard(&twice), "5599");
        assert_eq!(heard(&tones('7', 3000, [3000.0, 3000.0], 0.0)), "7");
    }

    #[test]
    fn presses_at_the_limits_of_q_24_are_heard() {
        for (offset, length_ms) in (0..FRAME).step_by(40).zip([40, 41, 43, 45, 50, 60, 40, 40]) {
            let samples = [vec![0; offset], tones('6', length_ms, [3000.0, 3000.0], 0.0), vec![0; FRAME * 3]].concat();
            assert_eq!(heard(&samples), "6", "{length_ms} ms after {offset} samples");
        }
        for detuning in [-0.015, 0.015] {
            assert_eq!(heard(&tones('D', 80, [3000.0, 3000.0], detuning)), "D", "{detuning}");
            assert_eq!(heard(&tones('1', 80, [3000.0, 3000.0], detuning)), "1", "{detuning}");
        }
        for level in [[1000.0, 1580.0], [2500.0, 1000.0], [400.0, 400.0]] {
            assert_eq!(heard(&tones('3', 80, level, 0.0)), "3", "{level:?}");
        }
        // Two presses 40 ms apart, and one that was interrupted for 10 ms.
        let part = tones('8', 60, [3000.0, 3000.0], 0.0);
        assert_eq!(heard(&[part.clone(), vec![0; FRAME * 2], part.clone()].concat()), "88");
        assert_eq!(heard(&[part.clone(), vec![0; FRAME / 2], part].concat()), "8");
    }

    #[test]
    fn what_is_no_key_is_not_heard() {
        assert_eq!(heard(&tones('5', 20, [3000.0, 3000.0], 0.0)), "", "too short");
        assert_eq!(heard(&tones('5', 200, [100.0, 100.0], 0.0)), "", "too quiet");
        assert_eq!(heard(&tones('5', 200, [3000.0, 0.0], 0.0)), "", "one tone");
        assert_eq!(heard(&tones('5', 200, [3000.0, 100.0], 0.0)), "", "a column that is far too quiet");
        for detuning in [-0.06, -0.035, 0.035, 0.06] {
            assert_eq!(heard(&tones('5', 200, [3000.0, 3000.0], detuning)), "", "out of tune by {detuning}");
        }
    }

    #[test]
    fn keys_are_heard_through_noise() {
        let mut voice = Voice::new(7);
        let keys: Vec<i16> = "258".chars().flat_map(press).collect();
        let noisy: Vec<i16> = keys.iter().map(|sample| sample + (voice.noise() * 350.0) as i16).collect();
        assert_eq!(heard(&noisy), "258");
    }

    #[test]
    fn ten_minutes_of_something_like_speech_press_no_key() {
        let mut voice = Voice::new(1);
        let mut detector = KeyDetector::new();
        for second in 0..600 {
            let spoken: Vec<i16> = (0..MIX_RATE_HZ).map(|_| voice.next()).collect();
            let heard: Vec<_> = spoken.chunks(FRAME).filter_map(|frame| detector.listen(frame)).collect();
            assert!(heard.is_empty(), "{heard:?} in second {second}");
        }
    }

    /// Syllables: a gliding pitch with harmonics under three formants, at times a hiss, at times a whistle, at times a
    /// pause. Worse than speech: nothing in it is kept from falling on the tones of keys.
    struct Voice {
        random: u64,
        left: u32,
        phase: f32,
        pitch_hz: f32,
        glide: f32,
        formants_hz: [f32; 3],
        level: f32,
        hiss: f32,
    }

    impl Voice {
        fn new(seed: u64) -> Voice {
            let (random, formants_hz) = (seed, [500.0, 1500.0, 2500.0]);
            Voice { random, left: 0, phase: 0.0, pitch_hz: 120.0, glide: 0.0, formants_hz, level: 0.0, hiss: 0.0 }
        }

        fn uniform(&mut self) -> f32 {
            self.random = self.random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (self.random >> 40) as f32 / (1 << 24) as f32
        }

        fn between(&mut self, low: f32, high: f32) -> f32 {
            low + (high - low) * self.uniform()
        }

        fn noise(&mut self) -> f32 {
            self.between(-1.0, 1.0)
        }

        fn next(&mut self) -> i16 {
            if self.left == 0 {
                self.begin_syllable();
            }
            self.left -= 1;
            self.pitch_hz = (self.pitch_hz + self.glide).clamp(70.0, 1100.0);
            self.phase = (self.phase + self.pitch_hz / MIX_RATE_HZ as f32).fract();
            let mut sum = 0.0;
            for harmonic in 1..=16 {
                let hz = self.pitch_hz * harmonic as f32;
                let gain = |formant: f32| 1.0 / (1.0 + ((hz - formant) / 120.0).powi(2));
                let gain: f32 = self.formants_hz.iter().map(|formant| gain(*formant)).sum();
                sum += gain * (std::f32::consts::TAU * self.phase * harmonic as f32).sin();
            }
            (self.level * sum + self.hiss * self.noise()) as i16
        }

        fn begin_syllable(&mut self) {
            self.left = self.between(0.04, 0.25).mul_add(MIX_RATE_HZ as f32, 1.0) as u32;
            // One in ten is as high as a child's shout or a whistle.
            self.pitch_hz = if self.uniform() < 0.1 { self.between(300.0, 1000.0) } else { self.between(80.0, 280.0) };
            self.glide = self.between(-0.01, 0.01);
            self.formants_hz = [self.between(250.0, 950.0), self.between(800.0, 2300.0), self.between(2000.0, 3300.0)];
            self.level = if self.uniform() < 0.2 { 0.0 } else { self.between(1000.0, 8000.0) };
            self.hiss = if self.uniform() < 0.3 { self.between(0.0, 4000.0) } else { 50.0 };
        }
    }
}
