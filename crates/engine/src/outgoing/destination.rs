//! What an operator names in a list of hosts that may, or must not, be asked.

use std::net::IpAddr;
use std::str::FromStr;

use ipnet::IpNet;
use thiserror::Error;
use url::Host;

use super::public::covers;

/// Is a host, an address or a network, at one port or at all: `bot.internal`, `10.0.0.7:8443`, `10.0.0.0/8`,
/// `[fd00::/8]:8443`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Destination {
    hosts: Hosts,
    /// Nothing means every port that the rule opens anyway.
    pub(super) port: Option<u16>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Hosts {
    /// Whatever addresses this name has. In lower case, without a dot at its end.
    Named(String),
    /// Whatever names lead there.
    Within(IpNet),
}

/// Says why a text names no destination.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum DestinationError {
    /// Neither a name nor an address nor a network.
    #[error("is no host name, address or network, such as \"bot.internal\", \"10.0.0.7:8443\" or \"[fd00::/8]:8443\"")]
    Unknown,
    /// Bits of the address lie beyond the network's prefix: a network and an address were mixed up.
    #[error("is no network: its address has bits beyond the prefix")]
    HostBits,
}

impl Destination {
    /// Says whether a host with this address is meant.
    pub(super) fn covers(&self, host: &str, address: IpAddr) -> bool {
        match &self.hosts {
            Hosts::Named(name) => name == host,
            Hosts::Within(network) => covers(network, address),
        }
    }
}

impl FromStr for Destination {
    type Err = DestinationError;

    fn from_str(text: &str) -> Result<Destination, DestinationError> {
        let (hosts, port) = split_port(text).ok_or(DestinationError::Unknown)?;
        let port = port.map(|port| port.parse().map_err(|_| DestinationError::Unknown)).transpose()?;
        Ok(Destination { hosts: hosts.parse()?, port })
    }
}

/// Colons part a port off, and the words of an IPv6 address, which then stands in brackets (RFC 3986, section 3.2.2).
fn split_port(text: &str) -> Option<(&str, Option<&str>)> {
    if let Some(rest) = text.strip_prefix('[') {
        let (host, rest) = rest.split_once(']')?;
        return match rest {
            "" => Some((host, None)),
            rest => Some((host, Some(rest.strip_prefix(':')?))),
        };
    }
    match text.split_once(':') {
        Some((host, port)) if !port.contains(':') => Some((host, Some(port))),
        Some(_) | None => Some((text, None)),
    }
}

impl FromStr for Hosts {
    type Err = DestinationError;

    fn from_str(text: &str) -> Result<Hosts, DestinationError> {
        if let Ok(network) = text.parse::<IpNet>() {
            return match network.trunc() == network {
                true => Ok(Hosts::Within(network)),
                false => Err(DestinationError::HostBits),
            };
        }
        if let Ok(address) = text.parse::<IpAddr>() {
            return Ok(Hosts::Within(address.into()));
        }
        match Host::parse(text) {
            Ok(Host::Domain(name)) => Ok(Hosts::Named(plain_name(&name).to_owned())),
            // An odd notation, which is as likely a mistake.
            Ok(Host::Ipv4(_) | Host::Ipv6(_)) | Err(_) => Err(DestinationError::Unknown),
        }
    }
}

/// Takes off the dot that makes a name absolute: `bot.internal.` is `bot.internal`.
pub(super) fn plain_name(name: &str) -> &str {
    name.strip_suffix('.').unwrap_or(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, hosts: Hosts, port: Option<u16>) {
        assert_eq!(text.parse(), Ok(Destination { hosts, port }), "{text}");
    }

    fn within(network: &str) -> Hosts {
        Hosts::Within(network.parse().expect("a network"))
    }

    #[test]
    fn names_addresses_and_networks_are_told_apart() {
        check("bot.internal", Hosts::Named("bot.internal".to_owned()), None);
        check("Bot.Internal.:8443", Hosts::Named("bot.internal".to_owned()), Some(8443));
        check("10.0.0.7", within("10.0.0.7/32"), None);
        check("10.0.0.0/8:8443", within("10.0.0.0/8"), Some(8443));
        check("::1", within("::1/128"), None);
        check("fd00::/8", within("fd00::/8"), None);
        check("[fd00::/8]:8443", within("fd00::/8"), Some(8443));
        check("[::1]", within("::1/128"), None);
    }

    #[test]
    fn what_is_none_of_them_is_refused() {
        for text in [
            "",
            ":80",
            "10.0.0.0/33",
            "0x7f.1",
            "10.1",
            "a b",
            "bot:port",
            "bot:70000",
            "[::1",
            "[::1]80",
            "https://bot",
        ] {
            assert_eq!(text.parse::<Destination>(), Err(DestinationError::Unknown), "{text}");
        }
        assert_eq!("10.0.0.7/8".parse::<Destination>(), Err(DestinationError::HostBits));
    }
}
