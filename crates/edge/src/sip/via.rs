//! The Via header field: the way back of a response (RFC 3261 §18.2, §20.42, RFC 3581).

use std::fmt;
use std::net::SocketAddr;
use std::str::FromStr;

use super::flow::{Destination, Flow, Transport};
use super::text::{Parameters, is_token};
use super::uri::{DEFAULT_PORT, Host, HostPort};

/// What a branch made by RFC 3261 begins with (§8.1.1.7).
pub(super) const MAGIC_COOKIE: &str = "z9hG4bK";

/// One Via value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Via {
    /// The transport's name as written: `UDP`, `TCP`, `TLS`.
    pub transport: String,
    /// Where the sender wants its responses.
    pub sent_by: HostPort,
    /// `branch`, `received`, `rport` and others.
    pub parameters: Parameters,
}

/// Says that a Via value can't be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the Via header field can't be read")]
pub struct ViaError;

impl Via {
    /// Makes the Via of a request of ours. It asks for the response at the source port (RFC 3581 §3).
    pub(super) fn new(transport: Transport, sent_by: HostPort, branch: &str) -> Via {
        let mut parameters = Parameters::default();
        parameters.set("branch", Some(branch));
        parameters.set("rport", None);
        Via { transport: transport.via_name().to_owned(), sent_by, parameters }
    }

    /// Returns the `branch` parameter, empty when it is missing.
    pub(super) fn branch(&self) -> &str {
        self.parameters.value("branch").unwrap_or("")
    }

    /// Notes the true source of the request (RFC 3261 §18.2.1, RFC 3581 §4).
    pub(super) fn stamp(&mut self, source: SocketAddr) {
        let wants_port = self.parameters.contains("rport");
        self.parameters.remove("received");
        if wants_port || self.sent_by.host != Host::Ip(source.ip()) {
            self.parameters.set("received", Some(&source.ip().to_string()));
        }
        if wants_port {
            self.parameters.set("rport", Some(&source.port().to_string()));
        }
    }

    /// Tells whether the request came from another address than its sender believes to have.
    pub(super) fn is_behind_nat(&self, source: SocketAddr) -> bool {
        self.sent_by.address() != Some(source)
    }

    /// Returns where the response goes (RFC 3261 §18.2.2, RFC 3581 §4).
    ///
    /// The address is always the packet's source, never `maddr` or `sent-by`: a forged Via must not turn us into a
    /// reflector towards somebody else.
    pub(super) fn response_destination(&self, flow: Flow) -> Destination {
        let mut flow = flow;
        if flow.transport == Transport::Udp && !self.parameters.contains("rport") {
            flow.remote.set_port(self.sent_by.port.unwrap_or(DEFAULT_PORT));
        }
        Destination::Flow(flow)
    }
}

impl FromStr for Via {
    type Err = ViaError;

    fn from_str(text: &str) -> Result<Via, ViaError> {
        let (head, parameters) = text.split_once(';').unwrap_or((text, ""));
        let (protocol, sent_by) = head.trim().rsplit_once([' ', '\t']).ok_or(ViaError)?;
        let mut protocol = protocol.split('/').map(str::trim);
        let (name, version) = (protocol.next(), protocol.next());
        let transport = protocol.next().filter(|transport| is_token(transport)).ok_or(ViaError)?;
        if !name.is_some_and(|name| name.eq_ignore_ascii_case("SIP")) || version != Some("2.0") {
            return Err(ViaError);
        }
        Ok(Via {
            transport: transport.to_owned(),
            sent_by: sent_by.parse().map_err(|_| ViaError)?,
            parameters: Parameters::parse(parameters),
        })
    }
}

impl fmt::Display for Via {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SIP/2.0/{} {}{}", self.transport, self.sent_by, self.parameters)
    }
}
