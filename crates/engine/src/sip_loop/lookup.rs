//! Where a request is sent: from the name in a URI to transports, addresses and ports (RFC 3263 §4).
//!
//! ```text
//!  the URI has           the transport is            hosts and ports come from
//!  an address            the URI's, else UDP         the URI: nothing is looked up
//!  a port                the URI's, else UDP         the URI
//!  a transport           the URI's                   SRV
//!  neither               what NAPTR prefers          SRV, at the names that NAPTR has
//!  neither, no NAPTR     each that has SRV records   SRV
//!  no SRV either         the URI's, else UDP         the URI, with the default port
//! ```
//!
//! Hosts then become addresses (A, AAAA). All of that is one list, in the order in which it is to be tried: where one is
//! out of order, the next one is (RFC 3263 §4.3).

mod dns;
mod naptr;
mod srv;

pub(super) use dns::Dns;

use edge::sip::{Destination, Host, Transport, Uri};
use fastrand::Rng;
use hickory_resolver::proto::rr::Name;
use hickory_resolver::proto::rr::rdata::SRV;
use std::collections::HashSet;
use std::net::SocketAddr;

/// The most addresses that are tried. With more, a name would keep a caller waiting for servers that are gone.
pub(super) const TRIED_MAX: usize = 8;

/// The most services of a domain whose servers are asked for. Two of each transport are more than anybody has; more would
/// let whoever answers make us ask.
const SERVICES_MAX: usize = 6;

/// A name that must be looked up before something can be sent to a URI.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Lookup {
    host: Name,
    port: Option<u16>,
    /// Over what it goes if DNS says nothing else.
    transport: Transport,
    /// Whether that is what the URI says itself.
    is_transport_given: bool,
    is_sips: bool,
}

/// A host at which SIP is spoken.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Server {
    transport: Transport,
    host: Name,
    port: u16,
}

impl Lookup {
    /// What must be looked up to send something to `uri`; `None` if its host is no name, or nothing we speak leads there.
    pub(super) fn of(uri: &Uri) -> Option<Self> {
        let Uri::Sip(sip) = uri else { return None };
        let Host::Name(host) = &sip.host_port.host else { return None };
        Some(Self {
            host: Name::from_ascii(host).ok()?,
            port: sip.host_port.port,
            transport: sip.transport()?,
            is_transport_given: sip.parameters.value("transport").is_some(),
            is_sips: sip.is_secure,
        })
    }

    /// Finds where to send, in the order in which it is to be tried, and no more than `max` addresses. Chance decides
    /// between servers of equal priority.
    pub(super) async fn run(self, dns: &Dns, mut chance: Rng, max: usize) -> Vec<Destination> {
        let mut servers = self.servers(dns, &mut chance).await;
        servers.truncate(max);
        let found = all(servers.into_iter().map(|server| server.addresses(dns.clone()))).await;
        let mut seen = HashSet::new();
        found.into_iter().flatten().filter(|destination| seen.insert(*destination)).take(max).collect()
    }

    async fn servers(&self, dns: &Dns, chance: &mut Rng) -> Vec<Server> {
        let own = Server {
            transport: self.transport,
            host: self.host.clone(),
            port: self.port.unwrap_or(self.transport.default_port()),
        };
        if self.port.is_some() {
            return vec![own];
        }
        let services = self.services(dns).await;
        let found = all(services.into_iter().map(|(transport, name)| dns.clone().servers(transport, name))).await;
        // A record that names no host says that there is no such service (RFC 2782, "Target"), so it counts as found.
        if found.iter().all(|(_, records)| records.is_empty()) {
            return vec![own];
        }
        let in_order = |(transport, records)| Server::in_order(transport, records, chance);
        found.into_iter().flat_map(in_order).collect()
    }

    /// Over what the domain is reached, and under which names its servers are listed, the best first.
    async fn services(&self, dns: &Dns) -> Vec<(Transport, Name)> {
        if self.is_transport_given {
            return srv::service(self.transport, &self.host).into_iter().collect();
        }
        let can_speak = |transport: Transport| if transport.is_secure() { dns.has_tls } else { !self.is_sips };
        let mut preferred = naptr::services(dns.naptr(&self.host).await, can_speak);
        if !preferred.is_empty() {
            preferred.truncate(SERVICES_MAX);
            return preferred;
        }
        let spoken = srv::TRANSPORTS.into_iter().filter(|transport| can_speak(*transport));
        spoken.filter_map(|transport| srv::service(transport, &self.host)).collect()
    }
}

impl Server {
    fn in_order(transport: Transport, records: Vec<SRV>, chance: &mut Rng) -> Vec<Self> {
        let present = srv::in_order(records, chance).into_iter().filter(|record| !record.target.is_root());
        present.map(|record| Self { transport, host: record.target, port: record.port }).collect()
    }

    async fn addresses(self, dns: Dns) -> Vec<Destination> {
        let Self { transport, host, port } = self;
        let addresses = dns.addresses(host).await.into_iter();
        addresses.map(|ip| Destination::Address { transport, remote: SocketAddr::new(ip, port) }).collect()
    }
}

/// Asks all questions at once; the answers come in the order of the questions.
async fn all<T: Send + 'static>(questions: impl Iterator<Item: Future<Output = T> + Send + 'static>) -> Vec<T> {
    let asked: Vec<_> = questions.map(tokio::spawn).collect();
    let mut answers = Vec::with_capacity(asked.len());
    for question in asked {
        // One without an answer was given up because the program ends.
        answers.extend(question.await.ok());
    }
    answers
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(uri: &str, expected: Option<(&str, Option<u16>, Transport, bool)>) {
        let lookup = Lookup::of(&uri.parse().expect("a URI"));
        let found = lookup.map(|found| (found.host.to_string(), found.port, found.transport, found.is_transport_given));
        assert_eq!(found, expected.map(|(host, port, transport, given)| (host.to_owned(), port, transport, given)));
    }

    #[test]
    fn only_names_that_something_we_speak_leads_to_are_looked_up() {
        use Transport::{Tcp, Tls, Udp};
        check("sip:bob@pbx.example", Some(("pbx.example", None, Udp, false)));
        check("sip:bob@pbx.example:5080", Some(("pbx.example", Some(5080), Udp, false)));
        check("sip:bob@pbx.example;transport=tcp", Some(("pbx.example", None, Tcp, true)));
        check("sip:bob@pbx.example:5080;transport=TCP", Some(("pbx.example", Some(5080), Tcp, true)));
        check("sips:bob@pbx.example", Some(("pbx.example", None, Tls, false)));
        check("sips:bob@pbx.example;transport=tcp", Some(("pbx.example", None, Tls, true)));
        check("sip:bob@192.0.2.1", None);
        check("sip:bob@[2001:db8::1];transport=tcp", None);
        check("sip:bob@pbx.example;transport=sctp", None);
        check("sip:bob@pbx..example", None);
        check("tel:+4930123456", None);
    }
}
