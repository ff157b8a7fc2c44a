//! From a name to the addresses that are connected to, each of them checked.

use std::net::SocketAddr;
use std::sync::Arc;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use thiserror::Error;

use super::destination::plain_name;
use super::rule::{LOOPBACK, Rule, is_localhost};
use super::uri::UriError;

/// Resolves names for requests to one port that an entry of the rule names, or to all that none names: names do not come
/// with the port that is meant.
pub(super) struct Resolver {
    pub(super) rule: Arc<Rule>,
    pub(super) port: Option<u16>,
}

/// Says why a name has no address to connect to.
#[derive(Clone, Debug, Error)]
pub(super) enum ResolveError {
    #[error("the name has no address")]
    Unknown,
    #[error("it {0}")]
    Forbidden(UriError),
}

impl Resolve for Resolver {
    fn resolve(&self, name: Name) -> Resolving {
        let (rule, port) = (Arc::clone(&self.rule), self.port);
        Box::pin(async move {
            let addresses = look_up(&rule, name.as_str()).await?;
            // One bad address spoils the name: nothing honest resolves to both sides of a firewall.
            for address in &addresses {
                rule.check_address(name.as_str(), port, address.ip()).map_err(ResolveError::Forbidden)?;
            }
            Ok(Box::new(addresses.into_iter()) as Addrs)
        })
    }
}

/// The port is 0: the client puts in the one that the URI means.
async fn look_up(rule: &Rule, name: &str) -> Result<Vec<SocketAddr>, ResolveError> {
    let fixed = if is_localhost(name) {
        Some(LOOPBACK.as_slice())
    } else {
        rule.hosts.get(plain_name(name)).map(Vec::as_slice)
    };
    let addresses: Vec<SocketAddr> = match fixed {
        Some(fixed) => fixed.iter().map(|address| SocketAddr::new(*address, 0)).collect(),
        None => tokio::net::lookup_host((name, 0)).await.map_err(|_| ResolveError::Unknown)?.collect(),
    };
    if addresses.is_empty() { Err(ResolveError::Unknown) } else { Ok(addresses) }
}
