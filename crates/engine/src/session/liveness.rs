//! What a session does for legs without sound: it asks after silent phones and keeps the way to deaf ones open.

use super::{Datagram, Exit, Output, Session};
use std::time::Instant;

impl Session {
    /// Looks after every leg that is up. `sink` gets what is to be sent.
    pub(super) fn feel_pulses(&mut self, now: Instant, sink: &mut impl FnMut(Datagram<'_>)) {
        let Self { legs, mixer, outputs, by_leg, probe_after, scratch, .. } = self;
        for (participant, leg) in legs.iter_mut().filter(|(_, leg)| by_leg.contains_key(&leg.id)) {
            let participant = *participant;
            if probe_after.is_some_and(|patience| leg.pulse.is_missed(patience, now)) {
                outputs.push_back(Output::Probe { participant });
            }
            let (Some(agreed), Some(destination)) = (leg.agreed(), leg.rtp_destination()) else { continue };
            if leg.pulse.wants_keep_alive(&agreed, now) {
                let id = leg.id;
                mixer.keep_alive(id, &mut |bytes| {
                    let Some(bytes) = leg.protect(false, bytes, scratch) else { return };
                    sink(Datagram { participant, destination, exit: Exit::Rtp, bytes });
                });
            }
        }
    }
}
