//! Three phones that speak different things. It is always bob who is held.

use std::time::{Duration, Instant};

use phone::{Codec, Phone};

use super::ears::{ALICE_HZ, BOB_HZ, CAROL_HZ, assert_hears, listen, speaking};

/// How long what was before an answer or a notification may still arrive after it: the tick that was under way, the
/// codec's memory, and what a busy machine adds.
pub(crate) const SETTLING: Duration = Duration::from_millis(60);

/// What is listened to each time: 260 ms, of which 200 ms are judged. More would only make the tests longer.
const LISTENING_PACKETS: u64 = 13;

/// Alice on G.711, bob on G.722, carol on Opus.
#[derive(Debug)]
pub(crate) struct Trio {
    pub(crate) alice: Phone,
    pub(crate) bob: Phone,
    pub(crate) carol: Phone,
}

impl Trio {
    pub(crate) fn start() -> Trio {
        Trio {
            alice: speaking("alice", Codec::Pcmu, ALICE_HZ),
            bob: speaking("bob", Codec::G722, BOB_HZ),
            carol: speaking("carol", Codec::Opus, CAROL_HZ),
        }
    }

    pub(crate) fn uris(&self) -> [&str; 3] {
        self.phones().map(Phone::uri)
    }

    pub(crate) fn phones(&self) -> [&Phone; 3] {
        [&self.alice, &self.bob, &self.carol]
    }

    /// Checks that since a moment, and for a while from now on, each has heard exactly the two others.
    #[track_caller]
    pub(crate) fn assert_together(&self, since: Instant) {
        let (from, to) = (since + SETTLING, listen(&self.phones(), LISTENING_PACKETS));
        assert_hears(&self.alice, &[BOB_HZ, CAROL_HZ], from, to);
        assert_hears(&self.bob, &[ALICE_HZ, CAROL_HZ], from, to);
        assert_hears(&self.carol, &[ALICE_HZ, BOB_HZ], from, to);
    }

    /// Checks that since a moment, and for a while from now on, bob has heard exactly these tones, and the others exactly
    /// each other.
    #[track_caller]
    pub(crate) fn assert_bob_apart(&self, bob_hears_hz: &[u32], since: Instant) {
        let (from, to) = (since + SETTLING, listen(&self.phones(), LISTENING_PACKETS));
        assert_hears(&self.bob, bob_hears_hz, from, to);
        self.assert_others_together(from, to);
    }

    /// Checks the same of the others, whatever bob hears; he may hear nothing at all.
    #[track_caller]
    pub(crate) fn assert_bob_unheard(&self, since: Instant) {
        let (from, to) = (since + SETTLING, listen(&[&self.alice, &self.carol], LISTENING_PACKETS));
        self.assert_others_together(from, to);
    }

    #[track_caller]
    fn assert_others_together(&self, from: Instant, to: Instant) {
        assert_hears(&self.alice, &[CAROL_HZ], from, to);
        assert_hears(&self.carol, &[ALICE_HZ], from, to);
    }
}
