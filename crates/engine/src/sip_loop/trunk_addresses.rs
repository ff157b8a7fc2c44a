//! Where the trunks are, also those that are configured by name: their calls need no password, nobody shuts them out, and
//! calls may go on there.

use super::phone::Phone;
use super::{SipCommand, SipLoop};
use crate::config::Trunk;
use edge::sip::Destination;
use std::collections::{HashMap, HashSet};
use std::net::IpAddr;
use std::time::{Duration, Instant};

/// How often the names of trunks are looked up; name servers are asked only when what they said may be kept no longer. More
/// shuts out a trunk that has moved for longer, less is work for nothing.
const REFRESH_INTERVAL: Duration = Duration::from_secs(10);

/// The most addresses of one trunk at a time. The greatest providers have some dozens; more would let a name server fill
/// memory, or trust half of the Internet.
const ADDRESSES_MAX: usize = 64;

/// How long an address is known after its name has led there last. Some name servers tell a few of many addresses at a
/// time, so less would shut out the others; more trusts longer whoever has the address after the trunk.
const KNOWN_FOR: Duration = Duration::from_secs(3600);

impl SipLoop {
    /// Looks up where the trunks are that are configured by name.
    pub(super) fn find_trunks(&mut self) {
        for (trunk, server) in self.trunk_addresses.named() {
            self.find_trunk(trunk, server, Duration::ZERO);
        }
    }

    fn find_trunk(&mut self, trunk: usize, server: Phone, delay: Duration) {
        let found = move |destinations| SipCommand::FoundTrunk { trunk, destinations };
        self.find(server, delay, ADDRESSES_MAX, found);
    }

    /// Takes in where a trunk is, and looks it up again after a while.
    pub(super) fn found_trunk(&mut self, trunk: usize, destinations: &[Destination], now: Instant) {
        let server = self.trunk_addresses.found(trunk, destinations, now);
        self.endpoint.set_trunks(self.trunk_addresses.all());
        self.find_trunk(trunk, server, REFRESH_INTERVAL);
    }
}

/// The addresses of every trunk.
#[derive(Debug)]
pub(super) struct TrunkAddresses {
    /// Those that are configured by address.
    fixed: HashSet<IpAddr>,
    named: Vec<Named>,
}

/// A trunk that is configured by name.
#[derive(Debug)]
struct Named {
    name: String,
    server: Phone,
    /// When its name has led there last.
    addresses: HashMap<IpAddr, Instant>,
    /// Whether its name leads nowhere, as the log says.
    is_lost: bool,
}

impl TrunkAddresses {
    pub(super) fn new(trunks: &[Trunk]) -> Self {
        let servers = || trunks.iter().map(|trunk| (trunk, Phone::server(trunk)));
        let fixed = servers().filter_map(|(_, server)| Some(server.destination()?.remote().ip())).collect();
        let named = servers().filter(|(_, server)| server.is_only_named());
        Self { fixed, named: named.map(|(trunk, server)| Named::new(trunk, server)).collect() }
    }

    /// Every address that is known.
    pub(super) fn all(&self) -> HashSet<IpAddr> {
        let named = self.named.iter().flat_map(|trunk| trunk.addresses.keys());
        self.fixed.iter().chain(named).copied().collect()
    }

    /// The trunks that are to be looked up, each with the number by which [`TrunkAddresses::found`] knows it.
    fn named(&self) -> Vec<(usize, Phone)> {
        self.named.iter().map(|trunk| trunk.server.clone()).enumerate().collect()
    }

    /// Takes in where the name of a trunk leads now. Returns what is to be looked up again.
    fn found(&mut self, trunk: usize, destinations: &[Destination], now: Instant) -> Phone {
        let trunk = &mut self.named[trunk];
        trunk.found(destinations, now);
        trunk.server.clone()
    }
}

impl Named {
    fn new(trunk: &Trunk, server: Phone) -> Self {
        Self { name: trunk.name.clone(), server, addresses: HashMap::new(), is_lost: false }
    }

    /// Where a name leads nowhere, nothing is forgotten: name servers fail more often than trunks go.
    fn found(&mut self, destinations: &[Destination], now: Instant) {
        let was_lost = std::mem::replace(&mut self.is_lost, destinations.is_empty());
        if self.is_lost {
            if !was_lost {
                tracing::warn!(trunk = self.name, "the name of a trunk leads nowhere");
            }
            return;
        }
        self.addresses.retain(|_, seen| now.saturating_duration_since(*seen) < KNOWN_FOR);
        for destination in destinations {
            if self.addresses.insert(destination.remote().ip(), now).is_none() {
                tracing::info!(trunk = self.name, address = %destination.remote().ip(), "a trunk is known by an address");
            }
        }
        metrics::gauge!("fermata_sip_trunk_addresses", "trunk" => self.name.clone()).set(self.addresses.len() as f64);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use edge::sip::Transport;

    fn trunks() -> TrunkAddresses {
        let trunk = |proxy: &str| Trunk {
            name: proxy.to_owned(),
            proxy: proxy.parse().expect("a URI"),
            host: "trunk.example".parse().expect("a host"),
            credentials: None,
            prefixes: Vec::new(),
            strip: 0,
            prepend: String::new(),
            registers: false,
            caller_id: None,
        };
        TrunkAddresses::new(&[trunk("sip:192.0.2.1:5080"), trunk("sip:trunk.example")])
    }

    #[track_caller]
    fn check(trunks: &TrunkAddresses, expected: &[&str]) {
        let expected = expected.iter().map(|address| address.parse().expect("an address")).collect();
        assert_eq!(trunks.all(), expected);
    }

    fn at(addresses: &[&str]) -> Vec<Destination> {
        let remote = |address: &&str| format!("{address}:5060").parse().expect("an address");
        let destination = |remote| Destination::Address { transport: Transport::Udp, remote };
        addresses.iter().map(remote).map(destination).collect()
    }

    #[test]
    fn names_are_looked_up_and_addresses_are_known() {
        let trunks = trunks();
        assert_eq!(trunks.named().len(), 1);
        check(&trunks, &["192.0.2.1"]);
    }

    #[test]
    fn an_address_is_known_for_an_hour_after_the_name_has_led_there() {
        let (mut trunks, start) = (trunks(), Instant::now());
        trunks.found(0, &at(&["192.0.2.2", "192.0.2.3"]), start);
        check(&trunks, &["192.0.2.1", "192.0.2.2", "192.0.2.3"]);
        trunks.found(0, &at(&["192.0.2.3", "192.0.2.4"]), start + KNOWN_FOR / 2);
        check(&trunks, &["192.0.2.1", "192.0.2.2", "192.0.2.3", "192.0.2.4"]);
        trunks.found(0, &at(&["192.0.2.4"]), start + KNOWN_FOR);
        check(&trunks, &["192.0.2.1", "192.0.2.3", "192.0.2.4"]);
    }

    #[test]
    fn nothing_is_forgotten_while_name_servers_fail() {
        let (mut trunks, start) = (trunks(), Instant::now());
        trunks.found(0, &at(&["192.0.2.2"]), start);
        trunks.found(0, &[], start + KNOWN_FOR * 2);
        check(&trunks, &["192.0.2.1", "192.0.2.2"]);
    }
}
