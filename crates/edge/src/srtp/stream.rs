//! What is remembered of each stream: how often its sequence numbers went round, and which packets came already.

use super::SrtpError;

/// How many streams one direction keeps apart. A phone has one; some take a new SSRC with each hold. More lets whoever
/// has the key make us remember more, less forgets a stream that may come back.
const STREAMS_MAX: usize = 8;

/// How far a packet may lie behind the newest one: 1.3 s of 20 ms packets, and RFC 3711 §3.3.2 wants 64 at least. Less
/// throws away what comes late, more keeps what no jitter buffer takes any more.
const WINDOW: u64 = 64;

/// One SSRC: the highest index, and a bit for each of those just below it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Stream {
    ssrc: u32,
    highest: u64,
    seen: u64,
}

/// The streams of one direction, the one that was used last first.
#[derive(Debug, Default)]
pub(super) struct Streams(Vec<Stream>);

impl Streams {
    /// Returns the stream of an SSRC.
    pub(super) fn of(&self, ssrc: u32) -> Option<&Stream> {
        self.0.iter().find(|stream| stream.ssrc == ssrc)
    }

    /// Enters a packet that is good. A new stream may push the one out that was unused for longest.
    pub(super) fn accept(&mut self, ssrc: u32, index: u64) {
        match self.0.iter().position(|stream| stream.ssrc == ssrc) {
            Some(at) => {
                self.0[at].accept(index);
                self.0[..=at].rotate_right(1);
            }
            None => {
                self.0.truncate(STREAMS_MAX - 1);
                self.0.insert(0, Stream { ssrc, highest: index, seen: 1 });
            }
        }
    }

    /// Tells whether a new stream would push another one out.
    pub(super) fn is_full(&self) -> bool {
        self.0.len() >= STREAMS_MAX
    }
}

impl Stream {
    /// Guesses the index of a packet: the sequence number with the rounds before it, as near as possible to the highest
    /// one (RFC 3711 §3.3.1). `None` for one that would lie before the first round.
    pub(super) fn index_of(&self, sequence: u16) -> Option<u64> {
        let near = (self.highest & !0xFFFF) | u64::from(sequence);
        match near.abs_diff(self.highest) <= 0x8000 {
            true => Some(near),
            false if near < self.highest => Some(near + 0x1_0000),
            false => near.checked_sub(0x1_0000),
        }
    }

    /// Checks that a packet did not come before and is not too old to tell (RFC 3711 §3.3.2).
    pub(super) fn check(&self, index: u64) -> Result<(), SrtpError> {
        match self.highest.checked_sub(index) {
            Some(behind) if behind >= WINDOW || self.seen & (1 << behind) != 0 => Err(SrtpError::Replayed),
            Some(_) | None => Ok(()),
        }
    }

    fn accept(&mut self, index: u64) {
        match index.checked_sub(self.highest) {
            Some(ahead) => {
                let ahead = u32::try_from(ahead).unwrap_or(u32::MAX);
                self.seen = self.seen.checked_shl(ahead).unwrap_or(0) | 1;
                self.highest = index;
            }
            None => self.seen |= 1_u64.checked_shl((self.highest - index) as u32).unwrap_or(0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stream(highest: u64) -> Stream {
        Stream { ssrc: 1, highest, seen: 1 }
    }

    #[test]
    fn the_nearest_round_is_guessed() {
        assert_eq!(stream(65_530).index_of(2), Some(65_538));
        assert_eq!(stream(65_538).index_of(65_530), Some(65_530));
        assert_eq!(stream(65_538).index_of(3), Some(65_539));
        assert_eq!(stream(5).index_of(65_000), None, "before the first round there is none");
        assert_eq!(stream(0x3_8000).index_of(0x7FFF), Some(0x3_7FFF));
    }

    #[test]
    fn a_packet_is_good_once_and_not_too_late() {
        let mut stream = stream(100);
        assert_eq!(stream.check(100), Err(SrtpError::Replayed));
        assert_eq!(stream.check(99), Ok(()));
        stream.accept(99);
        assert_eq!(stream.check(99), Err(SrtpError::Replayed));
        stream.accept(163);
        assert_eq!(stream.check(100), Err(SrtpError::Replayed));
        assert_eq!(stream.check(101), Ok(()));
        assert_eq!(stream.check(99), Err(SrtpError::Replayed), "it is too old to tell");
        stream.accept(1_000_000);
        assert_eq!(stream.check(1_000_000 - 63), Ok(()));
    }

    #[test]
    fn streams_are_bounded() {
        let mut streams = Streams::default();
        for ssrc in 0..100 {
            streams.accept(ssrc, 1);
            streams.accept(0, u64::from(ssrc) + 2);
        }
        assert!(streams.0.len() <= STREAMS_MAX && streams.of(0).is_some() && streams.of(50).is_none());
    }
}
