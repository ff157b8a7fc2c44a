//! One way to a target: whom to call, where the call is sent, and as whom.

use super::lookup::{Dns, Lookup};
use crate::config::Trunk;
use edge::sdp::Keying;
use edge::sip::{Binding, Credentials, Destination, Host, NameAddr, Transport, Uri};
use fastrand::Rng;
use rustls::pki_types::ServerName;
use std::net::SocketAddr;

/// A phone, or a server that knows the way to one.
#[derive(Clone, Debug)]
pub(super) struct Phone {
    /// Who is called.
    pub(super) target: Uri,
    /// Where that is sent, if not to the target's own host.
    proxy: Option<Uri>,
    destination: Option<Destination>,
    pub(super) credentials: Option<Credentials>,
    /// Who calls, if not the server itself; it vouches for that.
    pub(super) caller: Option<NameAddr>,
    /// How it has said that it cannot encrypt.
    pub(super) refused: Vec<Keying>,
}

impl Phone {
    /// A phone that is called at its own address.
    pub(super) fn at(target: Uri) -> Self {
        Self { target, proxy: None, destination: None, credentials: None, caller: None, refused: Vec::new() }
    }

    /// A phone of a user, called the way it came.
    pub(super) fn registered(binding: &Binding) -> Self {
        Self { destination: Some(binding.destination()), ..Self::at(binding.contact.clone()) }
    }

    /// A number behind a trunk.
    pub(super) fn behind(trunk: &Trunk, number: &str) -> Self {
        Self {
            proxy: Some(trunk.proxy.clone()),
            credentials: trunk.credentials.clone(),
            caller: trunk.caller(),
            ..Self::at(trunk.target(number))
        }
    }

    /// The server of a trunk itself, where we register.
    pub(super) fn server(trunk: &Trunk) -> Self {
        Self { proxy: Some(trunk.proxy.clone()), ..Self::at(Uri::sip(None, trunk.host.clone())) }
    }

    /// The same phone at an address that was found for it.
    pub(super) fn reached_at(&self, destination: Destination) -> Self {
        Self { destination: Some(destination), ..self.clone() }
    }

    fn next_hop(&self) -> &Uri {
        self.proxy.as_ref().unwrap_or(&self.target)
    }

    /// Where it is called; `None` as long as only a name is known.
    pub(super) fn destination(&self) -> Option<Destination> {
        self.destination.or_else(|| self.next_hop().destination())
    }

    /// Whether the operator has said where it is called, not only who may be.
    pub(super) fn is_configured(&self) -> bool {
        self.proxy.is_some()
    }

    /// Whether its name must be looked up before it can be called.
    pub(super) fn is_only_named(&self) -> bool {
        self.lookup().is_some()
    }

    fn lookup(&self) -> Option<Lookup> {
        match self.destination() {
            Some(_) => None,
            None => Lookup::of(self.next_hop()),
        }
    }

    /// Finds where it is called: no more than `max` destinations, in the order in which they are to be tried.
    pub(super) async fn find(&self, dns: &Dns, chance: Rng, max: usize) -> Vec<Destination> {
        match self.lookup() {
            Some(lookup) => lookup.run(dns, chance, max).await,
            None => self.destination().into_iter().collect(),
        }
    }

    /// Whether it is called over TLS.
    pub(super) fn is_secure(&self) -> bool {
        self.destination().is_some_and(|destination| destination.transport().is_secure())
    }

    /// Whom we connect to over TLS must prove the host that the call is sent to (RFC 5922 §7.2); a proxy that is
    /// configured by its address, the host that it serves. A registered phone has connected to us.
    pub(super) fn tls_name(&self) -> Option<(SocketAddr, ServerName<'static>)> {
        let Some(Destination::Address { transport: Transport::Tls, remote }) = self.destination() else { return None };
        let named = [self.next_hop(), &self.target].into_iter().find_map(host_name);
        let name = match named {
            Some(name) => ServerName::try_from(name.to_owned()).ok()?,
            None => ServerName::IpAddress(remote.ip().into()),
        };
        Some((remote, name))
    }
}

fn host_name(uri: &Uri) -> Option<&str> {
    match uri {
        Uri::Sip(uri) => match &uri.host_port.host {
            Host::Name(name) => Some(name),
            Host::Ip(_) => None,
        },
        Uri::Other(_) => None,
    }
}
