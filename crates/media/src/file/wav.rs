//! WAV files that were written to a pipe: their lengths were not known when the header was written.
//!
//! Speech synthesisers and `ffmpeg … -f wav -` make such. They put 0 or a huge number for the length of the sound, which
//! any decoder takes for a file that was cut off. It goes on to the end of the file.

use std::borrow::Cow;

/// From here on a length is a mark, not a length: ffmpeg writes 2^32 - 1, sox and espeak-ng about 2^31. A true one is
/// far beyond what is fetched.
const UNKNOWN_LENGTH_MIN: u32 = 0x7FFF_0000;

/// The length of a chunk's name and length, in bytes.
const CHUNK_HEADER_BYTES: usize = 8;

/// Writes the lengths into a WAV file that has none; others stay as they are.
pub(super) fn with_lengths(bytes: &[u8]) -> Cow<'_, [u8]> {
    let Some(start) = sound_of_unknown_length(bytes) else { return Cow::Borrowed(bytes) };
    let mut bytes = bytes.to_vec();
    // A length of 32 bits: what is fetched is far shorter.
    let (whole, sound) = (bytes.len() - CHUNK_HEADER_BYTES, bytes.len() - start);
    bytes[4..8].copy_from_slice(&(whole as u32).to_le_bytes());
    bytes[start - 4..start].copy_from_slice(&(sound as u32).to_le_bytes());
    Cow::Owned(bytes)
}

/// Finds where the sound begins, if its length is not known.
fn sound_of_unknown_length(bytes: &[u8]) -> Option<usize> {
    // After "RIFF", a length and "WAVE".
    let mut at = 12;
    loop {
        let header = bytes.get(at..at + CHUNK_HEADER_BYTES)?;
        let length = u32::from_le_bytes([header[4], header[5], header[6], header[7]]);
        let start = at + CHUNK_HEADER_BYTES;
        if &header[..4] == b"data" {
            let is_unknown = length >= UNKNOWN_LENGTH_MIN || (length == 0 && start < bytes.len());
            return is_unknown.then_some(start);
        }
        // Chunks begin at even places.
        at = start.checked_add((length as usize).checked_next_multiple_of(2)?)?;
    }
}
