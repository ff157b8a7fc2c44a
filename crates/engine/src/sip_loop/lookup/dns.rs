//! Questions to the name servers. What they answer is kept as long as they say.

use edge::sip::Transport;
use hickory_resolver::TokioResolver;
use hickory_resolver::config::{ConnectionConfig, LookupIpStrategy, NameServerConfig, ResolverConfig};
use hickory_resolver::net::NetError;
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use hickory_resolver::proto::rr::rdata::{NAPTR, SRV};
use hickory_resolver::proto::rr::{Name, RData, RecordType};
use hickory_resolver::{Resolver, ResolverBuilder};
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;
use tokio::time::timeout;

/// How long one question may take. A look-up asks three at most, one after the other. Less gives up on name servers that
/// must ask others first, more keeps a caller waiting for those that are gone, or that drop what they do not understand.
const QUESTION_TIMEOUT: Duration = Duration::from_secs(2);

/// How long one name server may take, before it or the next one is asked again.
const TRY_TIMEOUT: Duration = Duration::from_millis(900);

/// How many answers are kept, some KiB each at most. More names than that are asked for again.
const ANSWERS_KEPT_MAX: u64 = 1_024;

/// The way to the name servers. A clone is the same way, with the same answers.
#[derive(Clone, Debug)]
pub(in super::super) struct Dns {
    resolver: TokioResolver,
    /// Whether we speak TLS.
    pub(super) has_tls: bool,
}

impl Dns {
    /// Asks these name servers, or without any those of the system. `/etc/hosts` comes first, as it is now. Only addresses
    /// of the family of `local` are found: one socket speaks one.
    ///
    /// # Errors
    ///
    /// If the resolver cannot be made of the configuration.
    pub(in super::super) fn new(name_servers: &[SocketAddr], local: SocketAddr, has_tls: bool) -> io::Result<Self> {
        let mut builder = match name_servers {
            [] => of_system(),
            given => Resolver::builder_with_config(only(given), TokioRuntimeProvider::default()),
        };
        let options = builder.options_mut();
        options.timeout = TRY_TIMEOUT;
        options.attempts = 2;
        options.cache_size = ANSWERS_KEPT_MAX;
        options.ip_strategy = match local {
            SocketAddr::V4(_) => LookupIpStrategy::Ipv4Only,
            SocketAddr::V6(_) => LookupIpStrategy::Ipv6Only,
        };
        Ok(Self { resolver: builder.build().map_err(io::Error::other)?, has_tls })
    }

    /// Asks for the transports that a domain prefers. No answer is as none.
    pub(super) async fn naptr(&self, domain: &Name) -> Vec<NAPTR> {
        let found = self.ask(domain.clone(), RecordType::NAPTR).await.into_iter();
        found.filter_map(|data| if let RData::NAPTR(record) = data { Some(record) } else { None }).collect()
    }

    /// Asks for the servers of a service. No answer is as none.
    pub(super) async fn servers(self, transport: Transport, service: Name) -> (Transport, Vec<SRV>) {
        let found = self.ask(service, RecordType::SRV).await.into_iter();
        let records = found.filter_map(|data| if let RData::SRV(record) = data { Some(record) } else { None });
        (transport, records.collect())
    }

    /// Asks for the addresses of a host. No answer is as none.
    pub(super) async fn addresses(&self, host: Name) -> Vec<IpAddr> {
        match timeout(QUESTION_TIMEOUT, self.resolver.lookup_ip(host)).await {
            Ok(Ok(found)) => found.iter().collect(),
            Ok(Err(_)) | Err(_) => Vec::new(),
        }
    }

    /// Domains are asked for as they are written: the system's search list is for hosts.
    async fn ask(&self, mut name: Name, record_type: RecordType) -> Vec<RData> {
        name.set_fqdn(true);
        match timeout(QUESTION_TIMEOUT, self.resolver.lookup(name, record_type)).await {
            Ok(Ok(found)) => found.answers().iter().map(|record| record.data.clone()).collect(),
            Ok(Err(_)) | Err(_) => Vec::new(),
        }
    }
}

fn only(name_servers: &[SocketAddr]) -> ResolverConfig {
    let at = |mut connection: ConnectionConfig, port| {
        connection.port = port;
        connection
    };
    let server = |address: &SocketAddr| {
        let connections = [ConnectionConfig::udp(), ConnectionConfig::tcp()];
        let connections = connections.map(|connection| at(connection, address.port())).into();
        NameServerConfig::new(address.ip(), true, connections)
    };
    ResolverConfig::from_name_servers(name_servers.iter().map(server).collect())
}

/// Without name servers `/etc/hosts` and localhost are left.
fn of_system() -> ResolverBuilder<TokioRuntimeProvider> {
    TokioResolver::builder_tokio().unwrap_or_else(|error: NetError| {
        tracing::warn!(%error, "the system names no name server: SIP reaches addresses and the names in /etc/hosts");
        Resolver::builder_with_config(only(&[]), TokioRuntimeProvider::default())
    })
}
