//! How one tick leads from what a leg heard to what it hears now.
//!
//! ```text
//! from the conversation:  ╲____            2.5 ms, and not one sample of the others after it
//!                              ╱‾‾‾‾‾‾     5 ms
//!
//! from music:             ‾╲____           gone by the middle of the tick,
//!                                ╱‾‾‾      before the first sample of the others is heard
//! ```

/// How long the conversation takes to fade out, in µs. It is the only sound of the others that a held one hears after the
/// hold is in force. Shorter clicks, longer lets a syllable through.
pub(crate) const CONVERSATION_FADE_OUT_US: u32 = 2_500;

/// How long music takes to fade out, in µs: half a tick.
const MUSIC_FADE_OUT_US: u32 = 10_000;

/// How long anything takes to fade in, in µs: long enough not to click.
const FADE_IN_US: u32 = 5_000;

/// What fades out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Leaving {
    /// The others' voices, quickly.
    Conversation,
    /// Music, gently.
    Music,
    /// Nothing to fade.
    Silence,
}

/// Leads from `old` to `new`, both one tick long at `rate_hz`; the result is in `old`.
pub(crate) fn blend(old: &mut [i16], new: &[i16], leaving: Leaving, rate_hz: u32) {
    let samples = |us: u32| (rate_hz / 1000 * us / 1000) as usize;
    let out = match leaving {
        Leaving::Conversation => samples(CONVERSATION_FADE_OUT_US),
        Leaving::Music => samples(MUSIC_FADE_OUT_US),
        Leaving::Silence => 0,
    };
    crate::fade::fade_out(old, out);
    old[out..].copy_from_slice(&new[out..]);
    crate::fade::fade_in(&mut old[out..], samples(FADE_IN_US));
}
