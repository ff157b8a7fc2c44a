//! What a phone hears, measured from the packets it received: how loud each voice is.

use std::time::{Duration, Instant};

use phone::{Phone, Window};

use super::voice::{Person, UNPLAYED_HZ, Voice};

/// A voice above this level is heard, in dBFS. Voices arrive between -20 and -30, and the promise for those that must not
/// be heard is -60: in between neither a loud codec nor a soft note can be mistaken.
pub(super) const AUDIBLE_DBFS: f32 = -45.0;

/// The level of silence, in dBFS, as `phone::Window` measures it.
pub(super) const SILENCE_DBFS: f32 = -100.0;

/// What "now" is: the longest it takes a motif to show a note at full level. Longer makes the table lazy.
const NOW: Duration = Duration::from_millis(200);

/// The window in which the promise is measured has this many packets of 20 ms: 100 ms. Windows of packets rather than
/// of time, so that a packet that this machine delivered late does not make one window short and blur it.
pub(super) const WINDOW_PACKETS: usize = 5;

/// How loud each voice is in one window.
#[derive(Debug, Clone, Copy)]
pub(super) struct Levels {
    voices_dbfs: [f32; Voice::ALL.len()],
    /// The loudest of the notes that nobody plays.
    pub(super) floor_dbfs: f32,
}

impl Levels {
    /// Makes up a measurement: these voices at these levels, and nothing else.
    #[cfg(test)]
    pub(super) fn made_up(heard: &[(Voice, f32)], floor_dbfs: f32) -> Levels {
        let level = |voice| heard.iter().find(|(heard, _)| *heard == voice).map_or(SILENCE_DBFS, |(_, dbfs)| *dbfs);
        Levels { voices_dbfs: Voice::ALL.map(level), floor_dbfs }
    }

    /// Measures one window.
    pub(super) fn of(window: &Window) -> Levels {
        Levels {
            voices_dbfs: Voice::ALL.map(|voice| loudest(window, voice.notes_hz())),
            floor_dbfs: loudest(window, &UNPLAYED_HZ),
        }
    }

    /// Measures what a phone hears now.
    pub(super) fn now(phone: &Phone) -> Levels {
        Levels::of(&phone.heard(NOW))
    }

    /// Returns how loud a voice is, in dBFS.
    pub(super) fn dbfs(&self, voice: Voice) -> f32 {
        let place = match voice {
            Voice::Of(Person::Alice) => 0,
            Voice::Of(Person::Bob) => 1,
            Voice::Of(Person::Carol) => 2,
            Voice::Music => 3,
        };
        self.voices_dbfs[place]
    }

    /// Returns whether a voice is heard.
    pub(super) fn hears(&self, voice: Voice) -> bool {
        self.dbfs(voice) > AUDIBLE_DBFS
    }
}

/// Measures every 100 ms that a phone heard in a span of time, beginning with every packet.
pub(super) fn every_window(phone: &Phone, from: Instant, to: Instant) -> Vec<Levels> {
    let arrivals: Vec<Instant> = phone.observe(|observation| {
        let arrivals = observation.hearing.packets().map(|packet| packet.arrival);
        arrivals.filter(|arrival| (from..to).contains(arrival)).collect()
    });
    let spans = arrivals.windows(WINDOW_PACKETS + 1).map(|span| (span[0], span[WINDOW_PACKETS]));
    spans.map(|(from, to)| Levels::of(&phone.heard_between(from, to))).collect()
}

/// Returns when the first packet with music arrived at or after `since`.
pub(super) fn first_music(phone: &Phone, since: Instant) -> Option<Instant> {
    phone.observe(|observation| {
        let hearing = &observation.hearing;
        let packets = hearing.packets().map(|packet| packet.arrival).filter(|&arrival| arrival >= since);
        let alone = |arrival| hearing.between(arrival, arrival + Duration::from_nanos(1));
        packets.into_iter().find(|&arrival| Levels::of(&alone(arrival)).hears(Voice::Music))
    })
}

fn loudest(window: &Window, notes_hz: &[f64]) -> f32 {
    notes_hz.iter().map(|&hz| window.level_at(hz)).fold(SILENCE_DBFS, f32::max)
}
