//! Telephone events (RFC 4733): the keys a person presses, carried beside the sound.
//!
//! A key press is a run of packets with one timestamp; the last one comes three times with the end bit. Any of them may
//! be lost or late, so a press is known by its timestamp, begins with whatever packet comes first and ends with the
//! first end packet, the next press, or a silence.

use std::time::{Duration, Instant};

/// The highest event that is a key: 0-9, *, #, A-D (RFC 4733 section 3.2). Others are line signals and ignored.
const KEY_MAX: u8 = 15;

/// How long after its last packet a press without an end is taken as over. Packets come every 20 to 50 ms, so shorter
/// would split a press at three lost packets; longer delays the next decision.
const END_TIMEOUT: Duration = Duration::from_millis(200);

/// How often the end of a press is sent (RFC 4733 section 2.5.1.4).
const END_PACKETS: u8 = 3;

/// What happened on the keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DtmfEvent {
    /// A key went down.
    Pressed {
        /// Which one.
        key: Key,
    },
    /// A key was heard as sound, without packets that tell of it: it was pressed for a while, and may still be.
    Heard {
        /// Which one.
        key: Key,
    },
    /// The key came up again.
    Released {
        /// Which one.
        key: Key,
        /// How long it was down.
        duration: Duration,
    },
}

/// A key of a telephone: 0 to 9, `*`, `#`, A to D.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Key(u8);

impl Key {
    /// Returns the key with the event code of RFC 4733 section 3.2, or `None` above 15.
    pub fn from_event(event: u8) -> Option<Key> {
        (event <= KEY_MAX).then_some(Key(event))
    }

    /// Returns the key with this character, in either case.
    pub fn from_char(char: char) -> Option<Key> {
        let position = KEYS.iter().position(|&key| char::from(key) == char.to_ascii_uppercase())?;
        Some(Key(position as u8))
    }

    /// Returns its event code, 0 to 15.
    pub fn event(self) -> u8 {
        self.0
    }

    /// Returns its character.
    pub fn as_char(self) -> char {
        char::from(KEYS[usize::from(self.0)])
    }
}

const KEYS: &[u8; 16] = b"0123456789*#ABCD";

/// The payload of one telephone-event packet (RFC 4733 section 2.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EventPayload {
    /// The event code; 0 to 15 are keys.
    pub event: u8,
    /// Whether the press has ended.
    pub end: bool,
    /// The level of the tone, in dB below 0 dBm0; 0 to 63.
    pub volume: u8,
    /// The time since the press began, in units of the RTP clock.
    pub duration: u16,
}

impl EventPayload {
    /// Parses a payload; bytes after the first event are a second one nobody sends and are left alone.
    pub fn parse(bytes: &[u8]) -> Option<EventPayload> {
        let &[event, flags, high, low] = bytes.first_chunk::<4>()?;
        Some(EventPayload {
            event,
            end: flags & 0x80 != 0,
            volume: flags & 0x3F,
            duration: u16::from_be_bytes([high, low]),
        })
    }

    /// Returns it as it goes on the wire.
    pub fn to_bytes(self) -> [u8; 4] {
        let [high, low] = self.duration.to_be_bytes();
        [self.event, u8::from(self.end) << 7 | self.volume & 0x3F, high, low]
    }
}

/// Puts the packets of one leg together to key presses.
#[derive(Debug, Default)]
pub(crate) struct DtmfReceiver {
    press: Option<Press>,
    /// The timestamp of the last press that has ended, so that its repeated ends start no new one.
    ended: Option<u32>,
}

#[derive(Debug, Clone, Copy)]
struct Press {
    key: Key,
    timestamp: u32,
    duration: Duration,
    heard: Instant,
}

/// What one packet or one tick has brought: the end of the press before, and news of the present one.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct News {
    /// The end of a press whose end packets were all lost.
    pub(crate) overdue: Option<DtmfEvent>,
    /// What the packet itself says, unless it only repeats.
    pub(crate) event: Option<DtmfEvent>,
}

impl DtmfReceiver {
    /// Takes one packet with its RTP timestamp; `clock_hz` is the rate of the timestamp.
    pub(crate) fn receive(&mut self, payload: EventPayload, timestamp: u32, clock_hz: u32, arrival: Instant) -> News {
        let Some(key) = Key::from_event(payload.event) else { return News::default() };
        // Late packets of an older press are repetitions too: timestamps only go forward.
        if self.ended.is_some_and(|ended| timestamp.wrapping_sub(ended) as i32 <= 0) {
            return News::default();
        }
        let duration = Duration::from_secs(1) * u32::from(payload.duration) / clock_hz;
        let overdue = self.press.filter(|press| press.timestamp != timestamp).map(|press| self.finish(press));
        let begun = self.press.is_none();
        let press = Press { key, timestamp, duration, heard: arrival };
        self.press = Some(press);
        // A press of which only the end arrived is told at its end: it was pressed all the same.
        let event = match (begun, payload.end) {
            (true, false) => Some(DtmfEvent::Pressed { key }),
            (false, true) => Some(self.finish(press)),
            (true, true) => return News { overdue: Some(self.finish(press)), event: Some(DtmfEvent::Pressed { key }) },
            (false, false) => None,
        };
        News { overdue, event }
    }

    /// Ends a press that nothing was heard of for a while.
    pub(crate) fn expire(&mut self, now: Instant) -> Option<DtmfEvent> {
        let press = self.press?;
        let is_over = now.saturating_duration_since(press.heard) >= END_TIMEOUT;
        is_over.then(|| self.finish(press))
    }

    fn finish(&mut self, press: Press) -> DtmfEvent {
        self.press = None;
        self.ended = Some(press.timestamp);
        DtmfEvent::Released { key: press.key, duration: press.duration }
    }
}

/// One key press to be sent: a payload every tick, then the end three times.
///
/// All its packets carry the RTP timestamp of the first one, and the first one the marker bit.
#[derive(Debug, Clone)]
pub struct DtmfPress {
    key: Key,
    step: u16,
    length: u16,
    elapsed: u16,
    ends: u8,
}

/// The level keys are sent at, in dB below 0 dBm0: what telephones use.
const VOLUME_DBM0: u8 = 10;

impl DtmfPress {
    /// Creates the press of a key; `clock_hz` is the rate of the RTP timestamp.
    ///
    /// A press longer than 65535 units of the clock is cut there (1.4 s at 48 kHz, 8 s at 8 kHz).
    pub fn new(key: Key, duration: Duration, clock_hz: u32) -> DtmfPress {
        let units = |duration: Duration| (duration.as_secs_f64() * f64::from(clock_hz)) as u16;
        DtmfPress { key, step: units(crate::TICK), length: units(duration), elapsed: 0, ends: 0 }
    }
}

impl Iterator for DtmfPress {
    type Item = EventPayload;

    /// Returns the payload to send in the next tick; `None` when the press is over.
    fn next(&mut self) -> Option<EventPayload> {
        self.elapsed = self.elapsed.saturating_add(self.step).min(self.length);
        let end = self.elapsed == self.length;
        self.ends += u8::from(end);
        (self.ends <= END_PACKETS).then_some(EventPayload {
            event: self.key.0,
            end,
            volume: VOLUME_DBM0,
            duration: self.elapsed,
        })
    }
}
