//! Three phones that speak different things. It is always bob who is held.

use std::time::Instant;

use phone::{Codec, Phone};

use super::ears::{ALICE_HZ, BOB_HZ, CAROL_HZ, assert_hears, assert_hears_again, listen, speaking};

/// What is listened to each time: 260 ms, of which 200 ms are judged. More would only make the tests longer.
const APART_PACKETS: u64 = 13;

/// The same where somebody has come back, whose jitter buffer may have to be filled first: 400 ms.
const TOGETHER_PACKETS: u64 = 20;

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
        let to = listen(&self.phones(), TOGETHER_PACKETS);
        assert_hears_again(&self.alice, &[BOB_HZ, CAROL_HZ], since, to);
        assert_hears_again(&self.bob, &[ALICE_HZ, CAROL_HZ], since, to);
        assert_hears_again(&self.carol, &[ALICE_HZ, BOB_HZ], since, to);
    }

    /// Checks that since a moment, and for a while from now on, bob has heard exactly these tones, and the others exactly
    /// each other.
    #[track_caller]
    pub(crate) fn assert_bob_apart(&self, bob_hears_hz: &[u32], since: Instant) {
        let to = listen(&self.phones(), APART_PACKETS);
        assert_hears(&self.bob, bob_hears_hz, since, to);
        self.assert_others_together(since, to);
    }

    /// Checks the same of the others, whatever bob hears; he may hear nothing at all.
    #[track_caller]
    pub(crate) fn assert_bob_unheard(&self, since: Instant) {
        let to = listen(&[&self.alice, &self.carol], APART_PACKETS);
        self.assert_others_together(since, to);
    }

    #[track_caller]
    fn assert_others_together(&self, since: Instant, to: Instant) {
        assert_hears(&self.alice, &[CAROL_HZ], since, to);
        assert_hears(&self.carol, &[ALICE_HZ], since, to);
    }
}
