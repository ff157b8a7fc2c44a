//! Whether a phone is still there, and whether the way to it stays open, while no sound flows.
//!
//! A phone that is on hold, or whose speaker is silent, sends nothing for minutes and is not dead. So silence ends no
//! call: it only makes us ask over SIP, and SIP ends what does not answer. And while the phone does not listen, our RTP
//! stops; what is left must keep the NATs on the way open (RFC 6263).

use edge::sdp::Negotiated;
use std::time::{Duration, Instant};

/// How often something is sent over a path that has no sound: 15 s, as RFC 6263 §7 has it. NATs forget after 30 s and more.
const KEEP_ALIVE_INTERVAL: Duration = Duration::from_secs(15);

/// When a leg's phone was last heard of, and when it last got something for the sake of the path.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Pulse {
    felt: Option<Instant>,
    kept_alive: Option<Instant>,
}

impl Pulse {
    /// Something has come from the phone: sound, a key or a report.
    pub(crate) fn felt(&mut self, now: Instant) {
        self.felt = Some(now);
    }

    /// Whether the phone is to be asked if it is there: nothing has come for `patience`, nor has it been asked.
    pub(crate) fn is_missed(&mut self, patience: Duration, now: Instant) -> bool {
        let since = *self.felt.get_or_insert(now);
        let is_missed = now.saturating_duration_since(since) >= patience;
        if is_missed {
            self.felt = Some(now);
        }
        is_missed
    }

    /// Whether a packet without sound is due. Where reports share the port with sound, they do (RFC 6263 §4.3).
    pub(crate) fn wants_keep_alive(&mut self, agreed: &Negotiated, now: Instant) -> bool {
        if agreed.remote_listens || agreed.rtcp_mux {
            self.kept_alive = None;
            return false;
        }
        let since = *self.kept_alive.get_or_insert(now);
        let is_due = now.saturating_duration_since(since) >= KEEP_ALIVE_INTERVAL;
        if is_due {
            self.kept_alive = Some(now);
        }
        is_due
    }
}
