//! Which addresses are public: a table of IANA's special-purpose registries.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::{IpNet, Ipv4Net, Ipv6Net};

/// Says whether an address is a unicast address of the public Internet.
///
/// After IANA's special-purpose registries (RFC 6890), as of 2026. Also what they call globally reachable is not public
/// here where whoever is nearest answers: AS112, AMT, PCP and TURN may well be answered inside the operator's network.
/// IPv6 addresses that carry an IPv4 address inside are public when that one is (IPv4-mapped, NAT64), or never (6to4,
/// Teredo, IPv4-compatible).
#[must_use]
pub fn is_public(address: IpAddr) -> bool {
    match embedded(address) {
        IpAddr::V4(address) => !NOT_PUBLIC_V4.iter().any(|block| block.contains(&address)),
        IpAddr::V6(address) => {
            PUBLIC_V6.contains(&address) && !NOT_PUBLIC_V6.iter().any(|block| block.contains(&address))
        }
    }
}

/// The address that is asked in the end: the IPv4 address inside an IPv4-mapped or a NAT64 one, else itself.
pub(super) fn embedded(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) if NAT64.contains(&address) => Ipv4Addr::from_bits(address.to_bits() as u32).into(),
        canonical => canonical,
    }
}

/// Where clouds serve secrets to the machine itself, at the addresses that lie in blocks which an operator may have a
/// reason to allow: a block must not open them along with the rest.
pub(super) const METADATA: [IpAddr; 6] = [
    IpAddr::V4(Ipv4Addr::new(100, 100, 100, 200)), // Alibaba Cloud
    IpAddr::V4(Ipv4Addr::new(168, 63, 129, 16)),   // Azure's host agent: a public number, answered inside the cloud
    IpAddr::V4(Ipv4Addr::new(169, 254, 169, 254)), // Amazon, Azure, Google and most others
    IpAddr::V4(Ipv4Addr::new(192, 0, 0, 192)),     // Oracle Cloud, first generation
    IpAddr::V6(Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254)), // Amazon
    IpAddr::V6(Ipv6Addr::new(0xfd20, 0xce, 0, 0, 0, 0, 0, 0x254)), // Google
];

/// The blocks of IPv4 that are not public.
const NOT_PUBLIC_V4: [Ipv4Net; 19] = [
    v4([0, 0, 0, 0], 8),        // this network, RFC 791
    v4([10, 0, 0, 0], 8),       // private, RFC 1918
    v4([100, 64, 0, 0], 10),    // behind a carrier's NAT, RFC 6598
    v4([127, 0, 0, 0], 8),      // loopback, RFC 1122
    v4([168, 63, 129, 16], 32), // Azure's host agent, in no registry
    v4([169, 254, 0, 0], 16),   // link-local, RFC 3927
    v4([172, 16, 0, 0], 12),    // private, RFC 1918
    v4([192, 0, 0, 0], 24),     // protocol assignments, RFC 6890; with PCP and TURN, RFC 7723, RFC 8155
    v4([192, 0, 2, 0], 24),     // documentation, RFC 5737
    v4([192, 31, 196, 0], 24),  // AS112, RFC 7535
    v4([192, 52, 193, 0], 24),  // AMT, RFC 7450
    v4([192, 88, 99, 0], 24),   // 6to4 relays, RFC 7526; with 6a44, RFC 6751
    v4([192, 168, 0, 0], 16),   // private, RFC 1918
    v4([192, 175, 48, 0], 24),  // AS112, RFC 7534
    v4([198, 18, 0, 0], 15),    // benchmarks, RFC 2544
    v4([198, 51, 100, 0], 24),  // documentation, RFC 5737
    v4([203, 0, 113, 0], 24),   // documentation, RFC 5737
    v4([224, 0, 0, 0], 4),      // multicast, RFC 5771
    v4([240, 0, 0, 0], 4),      // reserved and broadcast, RFC 1112, RFC 919
];

/// The only block of IPv6 that holds public unicast addresses (RFC 4291, section 2.4). Outside lie: unspecified, loopback,
/// IPv4-compatible, 64:ff9b:1::/48 (RFC 8215), 100::/64 (RFC 6666), 100:0:0:1::/64 (RFC 9780), 5f00::/16 (RFC 9602),
/// unique-local, link-local, site-local and multicast.
const PUBLIC_V6: Ipv6Net = v6([0x2000, 0, 0], 3);

/// The blocks within it that are not public.
const NOT_PUBLIC_V6: [Ipv6Net; 5] = [
    v6([0x2001, 0, 0], 23), // protocol assignments: Teredo, ORCHID, AMT, AS112, PCP, TURN …, RFC 2928
    v6([0x2001, 0xdb8, 0], 32), // documentation, RFC 3849
    v6([0x2002, 0, 0], 16), // 6to4, RFC 3056
    v6([0x2620, 0x4f, 0x8000], 48), // AS112, RFC 7534
    v6([0x3fff, 0, 0], 20), // documentation, RFC 9637
];

/// NAT64's well-known prefix (RFC 6052): where there is no IPv4, names of IPv4 hosts resolve into it.
const NAT64: Ipv6Net = v6([0x64, 0xff9b, 0], 96);

const fn v4([a, b, c, d]: [u8; 4], bits: u8) -> Ipv4Net {
    Ipv4Net::new_assert(Ipv4Addr::new(a, b, c, d), bits)
}

const fn v6([a, b, c]: [u16; 3], bits: u8) -> Ipv6Net {
    Ipv6Net::new_assert(Ipv6Addr::new(a, b, c, 0, 0, 0, 0, 0), bits)
}

/// Says whether a block covers an address: a cloud's metadata service only if the block is that one address.
pub(super) fn covers(block: &IpNet, address: IpAddr) -> bool {
    let address = embedded(address);
    block.contains(&address) && (block.prefix_len() == block.max_prefix_len() || !METADATA.contains(&address))
}
