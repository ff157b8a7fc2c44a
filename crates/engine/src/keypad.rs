//! The keys of one leg, told once each, however many ways they come.
//!
//! A phone may send a key as an RFC 4733 event, as sound, and as SIP INFO, and some send two of them for one press. Each
//! way by itself tells every press once; so what comes another way is the same press if there is one with this key that has
//! not come this way yet.

use media::Key;
use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// How a key came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    /// As RTP events (RFC 4733).
    Event,
    /// As sound.
    Sound,
    /// As SIP INFO.
    Info,
}

/// How long after a press the same press may come another way: a key that is held down, whose INFO comes when it is let
/// go. Longer takes a press that a phone sends another way for one before it, shorter tells long presses twice.
const ECHO_MAX: Duration = Duration::from_secs(2);

/// The most presses that are remembered. Nobody presses more in [`ECHO_MAX`]; beyond it the oldest is forgotten.
const PRESSES_MAX: usize = 64;

/// What was pressed of late.
#[derive(Debug, Default)]
pub(crate) struct Keypad {
    presses: VecDeque<Press>,
}

#[derive(Debug)]
struct Press {
    key: Key,
    at: Instant,
    ways: Vec<Way>,
}

impl Keypad {
    /// Takes a key in. Returns whether it is a new press.
    pub(crate) fn press(&mut self, key: Key, way: Way, now: Instant) -> bool {
        self.presses.retain(|press| now.saturating_duration_since(press.at) < ECHO_MAX);
        let known = self.presses.iter_mut().find(|press| press.key == key && !press.ways.contains(&way));
        if let Some(press) = known {
            press.ways.push(way);
            return false;
        }
        if self.presses.len() == PRESSES_MAX {
            self.presses.pop_front();
        }
        self.presses.push_back(Press { key, at: now, ways: vec![way] });
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Keys as they come, each with its way and its time in milliseconds; returns those that are told.
    fn told(keys: &[(char, Way, u64)]) -> String {
        let (start, mut keypad) = (Instant::now(), Keypad::default());
        let key = |char| Key::from_char(char).expect("a key");
        let told =
            keys.iter().filter(|(char, way, ms)| keypad.press(key(*char), *way, start + Duration::from_millis(*ms)));
        told.map(|(char, ..)| *char).collect()
    }

    #[test]
    fn one_way_tells_every_press() {
        assert_eq!(told(&[('5', Way::Event, 0), ('5', Way::Event, 150), ('6', Way::Event, 300)]), "556");
    }

    #[test]
    fn another_way_tells_nothing_new_in_whatever_order_it_comes() {
        use Way::{Event, Info, Sound};
        assert_eq!(told(&[('5', Event, 0), ('5', Sound, 50), ('5', Info, 160)]), "5");
        assert_eq!(told(&[('5', Event, 0), ('5', Event, 150), ('5', Sound, 160), ('5', Sound, 200)]), "55");
        assert_eq!(told(&[('5', Sound, 0), ('6', Sound, 100), ('5', Info, 110), ('6', Info, 210)]), "56");
    }

    #[test]
    fn a_later_press_is_another_one() {
        assert_eq!(told(&[('5', Way::Event, 0), ('5', Way::Info, 2_500)]), "55");
    }
}
