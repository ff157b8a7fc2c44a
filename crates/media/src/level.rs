//! How loud sound is.

/// The level of silence, in dBFS: below the smallest step of 16 bit sound, so that no logarithm of zero is ever shown.
pub const SILENCE_DBFS: f32 = -100.0;

/// Returns the level of `pcm` in dBFS: 0 is a full scale square wave, -3 a full scale sine.
pub fn level_dbfs(pcm: &[i16]) -> f32 {
    power_to_dbfs(mean_square(pcm))
}

/// Returns the level of the largest sample in dBFS: 0 is full scale.
pub fn peak_dbfs(pcm: &[i16]) -> f32 {
    let largest = pcm.iter().map(|sample| i32::from(*sample).abs()).max().unwrap_or_default();
    power_to_dbfs(f64::from(largest).powi(2))
}

/// Returns the mean square of samples; 0 of none.
pub(crate) fn mean_square(pcm: &[i16]) -> f64 {
    // i16 squared times any frame we hold fits 64 bits; integers vectorise and are exact.
    let energy: i64 = pcm.iter().map(|&s| i64::from(i32::from(s) * i32::from(s))).sum();
    energy as f64 / pcm.len().max(1) as f64
}

/// Returns the level of a mean square of samples, in dBFS.
pub(crate) fn power_to_dbfs(mean_square: f64) -> f32 {
    let full_scale = 32_768.0_f64 * 32_768.0;
    ((10.0 * (mean_square / full_scale).log10()) as f32).max(SILENCE_DBFS)
}
