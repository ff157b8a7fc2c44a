//! The addresses behind a name (A and AAAA).

use edge::sip::{Destination, Host, Transport, Uri};
use std::net::SocketAddr;
use std::time::Duration;
use tokio::net::lookup_host;
use tokio::time::timeout;

/// How long the look-up of a host name may take.
const LOOKUP_TIMEOUT: Duration = Duration::from_secs(5);

/// The most addresses of one name that are tried. With more, a name would keep a caller waiting for servers that are gone.
const ADDRESSES_MAX: usize = 8;

/// A name that must be looked up before a call can be sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Lookup {
    name: String,
    port: u16,
    transport: Transport,
}

impl Lookup {
    /// What must be looked up to send something to `uri`; `None` if its host is no name, or nothing we speak leads there.
    pub(super) fn of(uri: &Uri) -> Option<Self> {
        let Uri::Sip(uri) = uri else { return None };
        let Host::Name(name) = &uri.host_port.host else { return None };
        let transport = uri.transport()?;
        let port = uri.host_port.port.unwrap_or(transport.default_port());
        Some(Self { name: name.clone(), port, transport })
    }

    /// Finds where to send, in the order in which it is to be tried. Only addresses of the family of `local`: one socket
    /// speaks one.
    pub(super) async fn run(self, local: SocketAddr) -> Vec<Destination> {
        let Self { name, port, transport } = self;
        let found = timeout(LOOKUP_TIMEOUT, lookup_host((name, port))).await;
        let addresses = found.ok().and_then(Result::ok).into_iter().flatten();
        let speakable = addresses.filter(|address| address.is_ipv4() == local.is_ipv4());
        speakable.map(|remote| Destination::Address { transport, remote }).take(ADDRESSES_MAX).collect()
    }
}
