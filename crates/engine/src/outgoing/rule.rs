//! Who may be asked.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::ops::RangeInclusive;

use url::Host;

use super::destination::{Destination, plain_name};
use super::public::{embedded, is_public};
use super::uri::{HttpUri, UriError};

/// Says which hosts may be asked, and how. The default is what is safe among strangers: public hosts, by https.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    /// Where a request may go without TLS.
    pub plain_http: PlainHttp,
    /// The ports that are open, without those of other protocols (below).
    pub ports: Vec<RangeInclusive<u16>>,
    /// What may be asked although it is not public, and, where an entry names a port, although that port is not open.
    pub allow: Vec<Destination>,
    /// What must not be asked although it is public. It beats `allow`.
    pub deny: Vec<Destination>,
    /// The addresses of names that DNS does not know, or that it should not be asked for; names in lower case. They are
    /// checked like those that DNS knows.
    pub hosts: HashMap<String, Vec<IpAddr>>,
}

/// Says where a request may go without TLS.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PlainHttp {
    /// Wherever one may go with it.
    Anywhere,
    /// To this machine itself, where nobody listens in.
    ToLoopback,
    /// Nowhere.
    Nowhere,
}

/// Ports at which another protocol may take the lines of an HTTP request for its own: those that browsers do not ask
/// (Fetch Standard, "Port blocking"), and Redis (6379) and memcached (11211), which skip what they do not understand.
/// SIP's own are among them. Of those below 1024, [`Rule::ports`] opens 80 and 443 unless the operator wants more.
const FOREIGN_PORTS: [u16; 22] = [
    0, 1719, 1720, 1723, 2049, 3659, 4045, 4190, 5060, 5061, 6000, 6379, 6566, 6665, 6666, 6667, 6668, 6669, 6679,
    6697, 10080, 11211,
];

impl Default for Rule {
    fn default() -> Rule {
        Rule {
            plain_http: PlainHttp::Nowhere,
            ports: vec![80..=80, 443..=443, 1024..=u16::MAX],
            allow: Vec::new(),
            deny: Vec::new(),
            hosts: HashMap::new(),
        }
    }
}

impl Rule {
    /// Reads a URI and checks it.
    ///
    /// # Errors
    ///
    /// As [`HttpUri::parse`] and [`Rule::check`].
    pub fn parse(&self, text: &str) -> Result<HttpUri, UriError> {
        let uri = HttpUri::parse(text).map_err(|error| match error {
            UriError::NotHttp if self.plain_http != PlainHttp::Anywhere => self.not_https(),
            other => other,
        })?;
        self.check(&uri)?;
        Ok(uri)
    }

    /// Checks a URI before anything is sent: all but the addresses of a name, which are found out when it is asked.
    ///
    /// # Errors
    ///
    /// [`UriError`], of those that need a rule.
    pub fn check(&self, uri: &HttpUri) -> Result<(), UriError> {
        let addresses = known_addresses(&uri.host());
        self.check_scheme(uri, &addresses)?;
        let port = uri.port();
        if !self.is_open(port) && !self.allow.iter().any(|entry| entry.port == Some(port)) {
            return Err(UriError::Port { port });
        }
        let host = uri.host().to_string();
        addresses.into_iter().try_for_each(|address| self.check_address(&host, self.named_port(port), address))
    }

    fn check_scheme(&self, uri: &HttpUri, addresses: &[IpAddr]) -> Result<(), UriError> {
        let to_loopback = !addresses.is_empty() && addresses.iter().all(|address| embedded(*address).is_loopback());
        let is_safe = uri.is_https()
            || match self.plain_http {
                PlainHttp::Anywhere => true,
                PlainHttp::ToLoopback => to_loopback,
                PlainHttp::Nowhere => false,
            };
        if is_safe { Ok(()) } else { Err(self.not_https()) }
    }

    fn not_https(&self) -> UriError {
        UriError::NotHttps { plain_http: self.plain_http }
    }

    /// Checks an address to which a host leads. `port` is nothing if no entry names it; then it is open.
    pub(super) fn check_address(&self, host: &str, port: Option<u16>, address: IpAddr) -> Result<(), UriError> {
        let name = plain_name(host);
        let is_in =
            |list: &[Destination], port| list.iter().any(|entry| entry.port == port && entry.covers(name, address));
        let host = host.to_owned();
        if is_in(&self.deny, None) || is_in(&self.deny, port) {
            return Err(UriError::Denied { host });
        }
        if is_in(&self.allow, port) {
            return Ok(());
        }
        if let Some(port) = port.filter(|port| !self.is_open(*port)) {
            return Err(UriError::Port { port });
        }
        match is_public(address) || is_in(&self.allow, None) {
            true => Ok(()),
            false => Err(UriError::NotPublic { host }),
        }
    }

    fn is_open(&self, port: u16) -> bool {
        self.ports.iter().any(|range| range.contains(&port)) && !FOREIGN_PORTS.contains(&port)
    }

    /// The port, if an entry names it.
    pub(super) fn named_port(&self, port: u16) -> Option<u16> {
        self.named_ports().find(|named| *named == port)
    }

    /// The ports that entries name.
    pub(super) fn named_ports(&self) -> impl Iterator<Item = u16> {
        self.allow.iter().chain(&self.deny).filter_map(|entry| entry.port)
    }
}

/// The addresses of a host for which nobody needs to be asked: digits, and names of this machine (RFC 6761, section 6.3).
fn known_addresses(host: &Host<&str>) -> Vec<IpAddr> {
    match host {
        Host::Ipv4(address) => vec![(*address).into()],
        Host::Ipv6(address) => vec![(*address).into()],
        Host::Domain(name) if is_localhost(name) => LOOPBACK.to_vec(),
        Host::Domain(_) => Vec::new(),
    }
}

/// What a name of this machine leads to, whatever DNS says.
pub(super) const LOOPBACK: [IpAddr; 2] = [IpAddr::V4(Ipv4Addr::LOCALHOST), IpAddr::V6(Ipv6Addr::LOCALHOST)];

/// Says whether a name in lower case is `localhost` or ends in it.
pub(super) fn is_localhost(name: &str) -> bool {
    let name = plain_name(name);
    name == "localhost" || name.ends_with(".localhost")
}
