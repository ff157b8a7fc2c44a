//! WAV files to be played, and what others recorded.

use std::f64::consts::TAU;

use super::ears::{TONES_HZ, UNHEARD_DBFS};

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
        const SHORTEST_TURN: usize = 3;
        let channel: Vec<i16> = self.samples.iter().step_by(self.channels.into()).copied().collect();
        let windows: Vec<Vec<u32>> =
            channel.chunks_exact(self.rate_hz as usize / 10).map(|window| tones_in(window, self.rate_hz)).collect();
        let mut turns: Vec<Vec<u32>> = Vec::new();
        for turn in windows.chunk_by(|a, b| a == b).filter(|turn| turn.len() >= SHORTEST_TURN) {
            assert_ne!(turns.last(), Some(&turn[0]), "it was interrupted: {windows:?}");
            turns.push(turn[0].clone());
        }
        turns.retain(|turn| !turn.is_empty());
        turns
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

fn tones_in(window: &[i16], rate_hz: u32) -> Vec<u32> {
    let is_in = |hz: &u32| media::tone_dbfs(window, f64::from(*hz), rate_hz) > UNHEARD_DBFS;
    TONES_HZ.into_iter().filter(is_in).collect()
}
