//! What a phone heard as one piece of sound, to be listened to.

use std::time::Duration;

use crate::hearing::{Hearing, Packet};

/// Packets this late are laid where they belong in time, with silence before them; smaller differences are jitter, and
/// following them would make clicks.
const SILENCE_AFTER: Duration = Duration::from_millis(100);

/// Lays the sound of all remembered packets out in time and returns it with its rate in hertz, the newest codec's.
pub(crate) fn lay_out(hearing: &Hearing) -> (Vec<i16>, u32) {
    let mut laid_out = Vec::new();
    let Some((first, last)) = hearing.packets().next().zip(hearing.packets().next_back()) else {
        return (laid_out, 8_000);
    };
    let rate_hz = last.rate_hz;
    for packet in hearing.packets() {
        let due = samples_in(packet.arrival.saturating_duration_since(first.arrival), rate_hz);
        if due > laid_out.len() + samples_in(SILENCE_AFTER, rate_hz) {
            laid_out.resize(due, 0);
        }
        append(&mut laid_out, hearing, packet, rate_hz);
    }
    (laid_out, rate_hz)
}

fn samples_in(duration: Duration, rate_hz: u32) -> usize {
    (duration.as_secs_f64() * f64::from(rate_hz)) as usize
}

/// Appends a packet. Sound from before a change of codec is brought to the new rate by repeating or leaving out samples:
/// good enough to be recognised, and no measurement is made on it.
fn append(laid_out: &mut Vec<i16>, hearing: &Hearing, packet: &Packet, rate_hz: u32) {
    let sound: Vec<i16> = hearing.sound_of(packet).copied().collect();
    let length = sound.len() * rate_hz as usize / packet.rate_hz as usize;
    laid_out.extend((0..length).map(|at| sound[at * sound.len() / length]));
}
