//! Writes a WAV file: 16 bit PCM. The caller brings the writer.

use std::io::{self, Write};

/// What follows the length of the file before the sound begins.
const HEADERS_BYTES: u32 = 36;

/// Writes sound as a WAV file, 16 bit PCM. Samples of all channels are interleaved.
///
/// # Errors
///
/// What the writer says, and [`io::ErrorKind::InvalidInput`] for more than the 4 GiB a WAV file can hold.
pub fn write_wav(mut file: impl Write, rate_hz: u32, channels: u16, samples: &[i16]) -> io::Result<()> {
    let too_long = || io::Error::new(io::ErrorKind::InvalidInput, "too long for a WAV file");
    let data_bytes = u32::try_from(samples.len() * 2).map_err(|_| too_long())?;
    let riff_bytes = data_bytes.checked_add(HEADERS_BYTES).ok_or_else(too_long)?;
    file.write_all(b"RIFF")?;
    file.write_all(&riff_bytes.to_le_bytes())?;
    file.write_all(b"WAVEfmt ")?;
    file.write_all(&16u32.to_le_bytes())?;
    file.write_all(&format(rate_hz, channels))?;
    file.write_all(b"data")?;
    file.write_all(&data_bytes.to_le_bytes())?;
    let bytes: Vec<u8> = samples.iter().flat_map(|sample| sample.to_le_bytes()).collect();
    file.write_all(&bytes)
}

/// Returns the body of the `fmt ` chunk: PCM, channels, the rate, bytes per second, bytes of a sample of all channels,
/// bits.
fn format(rate_hz: u32, channels: u16) -> [u8; 16] {
    let block_bytes = channels * 2;
    let mut format = [0; 16];
    format[0..2].copy_from_slice(&1u16.to_le_bytes());
    format[2..4].copy_from_slice(&channels.to_le_bytes());
    format[4..8].copy_from_slice(&rate_hz.to_le_bytes());
    format[8..12].copy_from_slice(&(rate_hz * u32::from(block_bytes)).to_le_bytes());
    format[12..14].copy_from_slice(&block_bytes.to_le_bytes());
    format[14..16].copy_from_slice(&16u16.to_le_bytes());
    format
}
