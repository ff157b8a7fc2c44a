//! Which addresses the server connects to for a prompt.
//!
//! A bot names the URI, and the server stands inside somebody's network: without a rule, a prompt would be a way to
//! ask the machines behind the firewall (server-side request forgery). The resolver checks the very addresses that are
//! then connected to, so a name that changes its address in between gains nothing.

use std::error::Error;
use std::fmt::{self, Display, Formatter};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use reqwest::dns::{Addrs, Name, Resolve, Resolving};

/// Which hosts may be asked for a prompt.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum AddressRule {
    /// Only hosts all of whose addresses are public: for production.
    #[default]
    PublicOnly,
    /// Public hosts, and these addresses besides: production with a file server of its own.
    PublicAnd(Vec<IpAddr>),
    /// Any host, this machine included: for development.
    Any,
}

impl AddressRule {
    /// Whether the server may connect to this address.
    pub(super) fn allows(&self, address: IpAddr) -> bool {
        match self {
            Self::PublicOnly => is_public(address),
            Self::PublicAnd(others) => is_public(address) || others.contains(&address),
            Self::Any => true,
        }
    }
}

/// Whether an address is a unicast address of the public Internet.
///
/// After IANA's special-purpose registries (RFC 6890). IPv6 addresses that carry an IPv4 address inside are public when
/// that one is (IPv4-mapped, NAT64), or never (6to4, Teredo, which nobody serves files from).
pub fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => match embedded_v4(address) {
            Some(embedded) => is_public_v4(embedded),
            None => is_public_v6(address),
        },
    }
}

/// The blocks of IPv4 that are not public, with the length of their prefix in bits.
const NOT_PUBLIC_V4: [(Ipv4Addr, u32); 16] = [
    (Ipv4Addr::new(0, 0, 0, 0), 8),        // this network, RFC 791
    (Ipv4Addr::new(10, 0, 0, 0), 8),       // private, RFC 1918
    (Ipv4Addr::new(100, 64, 0, 0), 10),    // behind a carrier's NAT, RFC 6598
    (Ipv4Addr::new(127, 0, 0, 0), 8),      // loopback, RFC 1122
    (Ipv4Addr::new(168, 63, 129, 16), 32), // Azure's host agent: a public number, answered inside the cloud
    (Ipv4Addr::new(169, 254, 0, 0), 16),   // link-local, RFC 3927; clouds serve their metadata at 169.254.169.254
    (Ipv4Addr::new(172, 16, 0, 0), 12),    // private, RFC 1918
    (Ipv4Addr::new(192, 0, 0, 0), 24),     // protocol assignments, RFC 6890
    (Ipv4Addr::new(192, 0, 2, 0), 24),     // documentation, RFC 5737
    (Ipv4Addr::new(192, 88, 99, 0), 24),   // 6to4 relays, RFC 7526
    (Ipv4Addr::new(192, 168, 0, 0), 16),   // private, RFC 1918
    (Ipv4Addr::new(198, 18, 0, 0), 15),    // benchmarks, RFC 2544
    (Ipv4Addr::new(198, 51, 100, 0), 24),  // documentation, RFC 5737
    (Ipv4Addr::new(203, 0, 113, 0), 24),   // documentation, RFC 5737
    (Ipv4Addr::new(224, 0, 0, 0), 4),      // multicast, RFC 5771
    (Ipv4Addr::new(240, 0, 0, 0), 4),      // reserved and broadcast, RFC 1112, RFC 919
];

/// The only block of IPv6 that holds public unicast addresses (RFC 4291 §2.4). Loopback, unspecified, link-local,
/// unique-local (with clouds' fd00:ec2::254) and multicast lie outside.
const PUBLIC_V6: (Ipv6Addr, u32) = (Ipv6Addr::new(0x2000, 0, 0, 0, 0, 0, 0, 0), 3);

/// The blocks within it that are not public.
const NOT_PUBLIC_V6: [(Ipv6Addr, u32); 4] = [
    (Ipv6Addr::new(0x2001, 0, 0, 0, 0, 0, 0, 0), 23), // protocol assignments with Teredo, RFC 2928, RFC 4380
    (Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 0), 32), // documentation, RFC 3849
    (Ipv6Addr::new(0x2002, 0, 0, 0, 0, 0, 0, 0), 16), // 6to4, RFC 3056
    (Ipv6Addr::new(0x3fff, 0, 0, 0, 0, 0, 0, 0), 20), // documentation, RFC 9637
];

/// NAT64's well-known prefix (RFC 6052): where there is no IPv4, names of IPv4 hosts resolve into it.
const NAT64: (Ipv6Addr, u32) = (Ipv6Addr::new(0x64, 0xff9b, 0, 0, 0, 0, 0, 0), 96);

fn is_public_v4(address: Ipv4Addr) -> bool {
    let within = |(network, bits): &(Ipv4Addr, u32)| (address.to_bits() ^ network.to_bits()).leading_zeros() >= *bits;
    !NOT_PUBLIC_V4.iter().any(within)
}

fn is_public_v6(address: Ipv6Addr) -> bool {
    is_within(address, &PUBLIC_V6) && !NOT_PUBLIC_V6.iter().any(|block| is_within(address, block))
}

fn embedded_v4(address: Ipv6Addr) -> Option<Ipv4Addr> {
    if is_within(address, &NAT64) {
        return Some(Ipv4Addr::from_bits(address.to_bits() as u32));
    }
    address.to_ipv4_mapped()
}

fn is_within(address: Ipv6Addr, (network, bits): &(Ipv6Addr, u32)) -> bool {
    (address.to_bits() ^ network.to_bits()).leading_zeros() >= *bits
}

/// Resolves the names of hosts, and refuses those that the rule does not allow.
pub(super) struct Resolver {
    pub(super) rule: AddressRule,
}

/// Why a name has no address to connect to.
#[derive(Clone, Copy, Debug)]
pub(super) enum ResolveError {
    Unknown,
    NotPublic,
}

impl Resolve for Resolver {
    fn resolve(&self, name: Name) -> Resolving {
        let rule = self.rule.clone();
        Box::pin(async move {
            let addresses = tokio::net::lookup_host((name.as_str(), 0)).await.map_err(|_| ResolveError::Unknown)?;
            Ok(Box::new(allowed(&rule, addresses.collect())?.into_iter()) as Addrs)
        })
    }
}

/// One address that is not public spoils the name: nothing honest resolves to both sides of a firewall.
fn allowed(rule: &AddressRule, addresses: Vec<SocketAddr>) -> Result<Vec<SocketAddr>, ResolveError> {
    if addresses.is_empty() {
        return Err(ResolveError::Unknown);
    }
    match addresses.iter().all(|address| rule.allows(address.ip())) {
        true => Ok(addresses),
        false => Err(ResolveError::NotPublic),
    }
}

impl Error for ResolveError {}

impl Display for ResolveError {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unknown => f.write_str("the name has no address"),
            Self::NotPublic => f.write_str("the name has an address that is not public"),
        }
    }
}
