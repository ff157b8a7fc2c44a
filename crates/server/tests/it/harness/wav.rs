//! WAV files to be played, and what others recorded.

use std::f64::consts::TAU;

use super::ears::{TONES_HZ, UNHEARD_BESIDE_ONSET_DBFS, UNHEARD_DBFS};

/// How many windows of 100 ms in a row make a turn; fewer are a transition.
const SHORTEST_TURN: usize = 3;

/// How loud each of the tones is in a window, in dBFS.
type Levels = [f32; TONES_HZ.len()];

/// 16 bit PCM, samples of all channels interleaved.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Wav {
    pub(crate) rate_hz: u32,
    pub(crate) channels: u16,
    pub(crate) samples: Vec<i16>,
}

/// Makes two seconds of a tone in the one format that Graph documents: 16 kHz, mono. A multiple of 50 Hz has no seam
/// where the file begins again.
pub(crate) fn tone_wav(hz: u32) -> Wav {
    Wav::tone(hz, 16_000, 1)
}

impl Wav {
    /// Makes two seconds of a tone, the same on all channels, with a level of -20 dBFS.
    pub(crate) fn tone(hz: u32, rate_hz: u32, channels: u16) -> Wav {
        // An amplitude of A has a level of 20 log10(A / 32768) - 3.
        const AMPLITUDE: f64 = 4634.0;
        let sample = |at: u32| (AMPLITUDE * (TAU * f64::from(hz * at) / f64::from(rate_hz)).sin()) as i16;
        let samples = (0..2 * rate_hz).flat_map(|at| vec![sample(at); channels.into()]).collect();
        Wav { rate_hz, channels, samples }
    }

    /// Reads a file.
    pub(crate) fn from_bytes(file: &[u8]) -> Wav {
        let (format, data) = (chunk(file, b"fmt "), chunk(file, b"data"));
        let samples = data.chunks_exact(2).map(|sample| i16::from_le_bytes([sample[0], sample[1]]));
        Wav {
            channels: u16::from_le_bytes([format[2], format[3]]),
            rate_hz: u32::from_le_bytes([format[4], format[5], format[6], format[7]]),
            samples: samples.collect(),
        }
    }

    /// Returns what was heard one after the other, each as a list of the tones that were there for at least 300 ms.
    ///
    /// # Panics
    ///
    /// If something else was heard in the middle of one of them, however short.
    #[track_caller]
    pub(crate) fn heard_in_turn(&self) -> Vec<Vec<u32>> {
        let windows = self.windows();
        let mut turns: Vec<Vec<u32>> = Vec::new();
        for turn in windows.chunk_by(sound_alike).filter(|turn| turn.len() >= SHORTEST_TURN) {
            let heard = tones_above(UNHEARD_DBFS, &turn[0]);
            assert_ne!(turns.last(), Some(&heard), "it was interrupted: {windows:?}");
            turns.push(heard);
        }
        turns.retain(|turn| !turn.is_empty());
        turns
    }

    /// Returns the same of a phone that records nothing while it holds. Where it goes on there is a seam, in which for a
    /// moment anything of what is heard before or after it may be missing; if it is the same, it is one turn.
    ///
    /// # Panics
    ///
    /// If something was heard that is heard neither before nor after, however short.
    #[track_caller]
    pub(crate) fn heard_between_holds(&self) -> Vec<Vec<u32>> {
        let windows = self.windows();
        let mut turns: Vec<Vec<u32>> = Vec::new();
        let mut seam: Vec<u32> = Vec::new();
        for turn in windows.chunk_by(sound_alike) {
            if turn.len() < SHORTEST_TURN {
                // Where sound begins or breaks off there is a little of every frequency.
                seam.extend(turn.iter().flat_map(|levels| tones_above(UNHEARD_BESIDE_ONSET_DBFS, levels)));
                continue;
            }
            let heard = tones_above(UNHEARD_DBFS, &turn[0]);
            let is_known = |hz: &u32| heard.contains(hz) || turns.last().is_some_and(|last| last.contains(hz));
            assert!(seam.iter().all(is_known), "{seam:?} was heard before {heard:?}: {windows:?}");
            seam.clear();
            turns.push(heard);
        }
        turns.retain(|turn| !turn.is_empty());
        turns.dedup();
        turns
    }

    /// Returns the levels of all tones in every 100 ms.
    fn windows(&self) -> Vec<Levels> {
        let channel: Vec<i16> = self.samples.iter().step_by(self.channels.into()).copied().collect();
        let levels = |window| TONES_HZ.map(|hz| media::tone_dbfs(window, f64::from(hz), self.rate_hz));
        channel.chunks_exact(self.rate_hz as usize / 10).map(levels).collect()
    }

    /// Writes the file.
    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        let mut file = Vec::new();
        phone::write_wav(&mut file, self.rate_hz, self.channels, &self.samples).expect("the tests' files are small");
        file
    }
}

/// Returns the content of a file's first chunk with this name.
fn chunk<'file>(file: &'file [u8], name: &[u8; 4]) -> &'file [u8] {
    let mut rest = &file[12..];
    loop {
        let (header, content) = rest.split_at(8);
        let length = u32::from_le_bytes([header[4], header[5], header[6], header[7]]) as usize;
        if header.starts_with(name) {
            return &content[..length.min(content.len())];
        }
        rest = &content[length..];
    }
}

fn tones_above(level_dbfs: f32, levels: &Levels) -> Vec<u32> {
    let heard = TONES_HZ.into_iter().zip(levels).filter(|(_, level)| **level > level_dbfs);
    heard.map(|(hz, _)| hz).collect()
}

fn sound_alike(one: &Levels, other: &Levels) -> bool {
    tones_above(UNHEARD_DBFS, one) == tones_above(UNHEARD_DBFS, other)
}
