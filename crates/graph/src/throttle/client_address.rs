//! Where a request comes from.

use std::convert::Infallible;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use axum::extract::{ConnectInfo, FromRequestParts};
use http::request::Parts;
use http::{HeaderMap, HeaderName};

use crate::api::Api;

const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// Is the address that a request counts for: of IPv6 the first 64 bits, since whoever has one has them all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct ClientAddress(IpAddr);

impl ClientAddress {
    pub(crate) fn new(address: IpAddr) -> ClientAddress {
        ClientAddress(match address.to_canonical() {
            IpAddr::V4(v4) => v4.into(),
            IpAddr::V6(v6) => Ipv6Addr::from_bits(v6.to_bits() & !u128::from(u64::MAX)).into(),
        })
    }
}

impl FromRequestParts<Api> for ClientAddress {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, api: &Api) -> Result<ClientAddress, Infallible> {
        let connected = parts.extensions.get::<ConnectInfo<SocketAddr>>();
        let connected = connected.map_or(Ipv4Addr::UNSPECIFIED.into(), |info| info.0.ip().to_canonical());
        Ok(ClientAddress::new(origin(connected, &parts.headers, &api.throttle.proxies)))
    }
}

/// Follows `X-Forwarded-For` from its end as long as it was written by a proxy of ours. What stands before that may have
/// been written by anybody.
fn origin(connected: IpAddr, headers: &HeaderMap, proxies: &[IpAddr]) -> IpAddr {
    let values = headers.get_all(X_FORWARDED_FOR).into_iter().filter_map(|value| value.to_str().ok());
    let hops: Vec<_> = values.flat_map(|value| value.split(',')).map(|hop| hop.trim().parse().ok()).collect();
    let mut from = connected;
    for hop in hops.into_iter().rev() {
        match hop {
            Some(hop) if proxies.contains(&from) => from = hop,
            Some(_) | None => break,
        }
    }
    from
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(connected: &str, forwarded: &[&'static str], expected: &str) {
        let proxies = ["10.0.0.1", "10.0.0.2"].map(|proxy| proxy.parse().expect("an address"));
        let mut headers = HeaderMap::new();
        for value in forwarded {
            headers.append(X_FORWARDED_FOR, http::HeaderValue::from_static(value));
        }
        let found = origin(connected.parse().expect("an address"), &headers, &proxies);
        assert_eq!(found.to_string(), expected);
    }

    #[test]
    fn only_our_proxies_are_believed() {
        check("192.0.2.9", &["198.51.100.7"], "192.0.2.9");
        check("10.0.0.1", &["198.51.100.7"], "198.51.100.7");
        check("10.0.0.1", &["203.0.113.5, 198.51.100.7, 10.0.0.2"], "198.51.100.7");
        check("10.0.0.1", &["203.0.113.5", "198.51.100.7"], "198.51.100.7");
        check("10.0.0.1", &["198.51.100.7, unknown"], "10.0.0.1");
        check("10.0.0.1", &[], "10.0.0.1");
    }

    #[test]
    fn a_network_of_ipv6_is_one_stranger() {
        let client = |text: &str| ClientAddress::new(text.parse().expect("an address"));
        assert_eq!(client("2001:db8::1"), client("2001:db8::ffff:2"));
        assert_ne!(client("2001:db8::1"), client("2001:db8:0:1::1"));
        assert_eq!(client("::ffff:192.0.2.1"), client("192.0.2.1"));
    }
}
