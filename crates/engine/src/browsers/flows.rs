//! Whose a datagram is that comes to the port of all browsers.
//!
//! A connectivity check names its session by the user fragment (RFC 8445 §7.3). What else comes from an address belongs to
//! the session that has last said "yes" to a check from there: that it does only when the check carries its password, so
//! nobody can take the flow of another, not even with a forged address.

use crate::sip_loop::LegAddress;
use edge::demux::{self, Datagram};
use edge::webrtc::{Transport, connectivity_check_of};
use std::collections::HashMap;
use std::net::SocketAddr;

/// How many addresses one browser may be heard from; beyond it the oldest is forgotten, and comes back with its next check.
/// A browser has one for each of its networks and ICE restarts; more lets one page make us remember more.
const FLOWS_PER_LEG_MAX: usize = 16;

/// Where a datagram came from.
pub(crate) type Source = (Transport, SocketAddr);

/// Who is heard from where.
#[derive(Debug, Default)]
pub(super) struct Flows {
    by_fragment: HashMap<String, LegAddress>,
    /// With the order in which they were learnt.
    by_source: HashMap<Source, (LegAddress, u64)>,
    learnt: u64,
}

impl Flows {
    /// A leg's checks will carry this user fragment from now on, and no other.
    pub(super) fn expect(&mut self, fragment: String, leg: LegAddress) {
        self.by_fragment.retain(|_, known| *known != leg);
        self.by_fragment.insert(fragment, leg);
    }

    /// A leg has found a check from there to be good.
    pub(super) fn learn(&mut self, source: Source, leg: LegAddress) {
        self.learnt += 1;
        self.by_source.insert(source, (leg, self.learnt));
        let known = self.by_source.iter().filter(|(_, (known, _))| *known == leg);
        let (count, oldest) = (known.clone().count(), known.min_by_key(|(_, (_, order))| *order));
        if let Some(source) = oldest.map(|(source, _)| *source).filter(|_| count > FLOWS_PER_LEG_MAX) {
            self.by_source.remove(&source);
        }
    }

    /// A leg has ended.
    pub(super) fn forget(&mut self, leg: LegAddress) {
        self.by_fragment.retain(|_, known| *known != leg);
        self.by_source.retain(|_, (known, _)| *known != leg);
    }

    /// Finds the leg that is to look at a datagram.
    pub(super) fn leg_of(&self, source: Source, datagram: &[u8]) -> Option<LegAddress> {
        match demux::claims(datagram) {
            Datagram::Stun => match connectivity_check_of(datagram) {
                Some(fragment) => self.by_fragment.get(fragment).copied(),
                // Answers to our own checks.
                None => self.leg_at(source),
            },
            Datagram::Dtls | Datagram::Media => self.leg_at(source),
            Datagram::Unknown => None,
        }
    }

    /// Finds the leg that has found a check from there to be good.
    pub(super) fn leg_at(&self, source: Source) -> Option<LegAddress> {
        self.by_source.get(&source).map(|(leg, _)| *leg)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use call::{ConversationId, ParticipantId};

    fn leg(number: u128) -> LegAddress {
        let (conversation, participant) = (ConversationId::new(number), ParticipantId::new(number));
        LegAddress { worker: 0, conversation, participant }
    }

    fn source(port: u16) -> Source {
        (Transport::Udp, SocketAddr::from(([127, 0, 0, 1], port)))
    }

    /// A Binding request with this USERNAME and nothing else (RFC 8489 §5, §14.3).
    fn check_of(fragment: &str) -> Vec<u8> {
        let name = format!("{fragment}:them");
        let padded = name.len().next_multiple_of(4);
        let mut attribute = [&[0, 6], &(name.len() as u16).to_be_bytes()[..], name.as_bytes()].concat();
        attribute.resize(4 + padded, 0);
        let length = (attribute.len() as u16).to_be_bytes();
        [&[0, 1], &length[..], &[0x21, 0x12, 0xA4, 0x42], &[7; 12], &attribute].concat()
    }

    const RTP: &[u8] = &[128, 111, 0, 1];

    #[test]
    fn a_check_goes_to_whom_it_names_and_the_rest_to_whom_has_found_one_good() {
        let mut flows = Flows::default();
        flows.expect("ours".to_owned(), leg(1));
        assert_eq!(flows.leg_of(source(1), &check_of("ours")), Some(leg(1)));
        assert_eq!(flows.leg_of(source(1), &check_of("else")), None);
        assert_eq!(flows.leg_of(source(1), RTP), None, "nobody has said that this is a browser");
        flows.learn(source(1), leg(1));
        assert_eq!(flows.leg_of(source(1), RTP), Some(leg(1)));
        assert_eq!(flows.leg_of(source(2), RTP), None);
        assert_eq!(flows.leg_of(source(1), &[7, 7]), None, "this is nothing of ours");
    }

    #[test]
    fn after_a_restart_the_old_fragment_means_nothing() {
        let mut flows = Flows::default();
        flows.expect("old".to_owned(), leg(1));
        flows.expect("new".to_owned(), leg(1));
        assert_eq!(flows.leg_of(source(1), &check_of("old")), None);
        assert_eq!(flows.leg_of(source(1), &check_of("new")), Some(leg(1)));
    }

    #[test]
    fn what_is_over_is_forgotten() {
        let mut flows = Flows::default();
        flows.expect("ours".to_owned(), leg(1));
        flows.learn(source(1), leg(1));
        flows.forget(leg(1));
        assert_eq!(flows.leg_of(source(1), &check_of("ours")).or(flows.leg_of(source(1), RTP)), None);
        assert!(flows.by_fragment.is_empty() && flows.by_source.is_empty());
    }

    #[test]
    fn one_browser_has_a_bounded_number_of_addresses_the_newest_ones() {
        let mut flows = Flows::default();
        (0..100).for_each(|port| flows.learn(source(port), leg(1)));
        assert_eq!(flows.by_source.len(), FLOWS_PER_LEG_MAX);
        assert_eq!((flows.leg_at(source(0)), flows.leg_at(source(99))), (None, Some(leg(1))));
        flows.learn(source(99), leg(2));
        assert_eq!(flows.leg_at(source(99)), Some(leg(2)), "an address belongs to who was heard from there last");
    }
}
