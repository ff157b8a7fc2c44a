//! Where an identity is reached.

use crate::config::{DialRule, SipConfig, Trunk, User};
use crate::trunks;
use call::Identity;
use edge::sdp::LocalSrtp;
use edge::sip::{Host, SipUri, Uri};
use edge::srtp::KeySource;

/// The ways to a target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Destination {
    /// A user of the directory: at every phone that is registered under this name.
    Registered { user: String },
    /// A SIP URI.
    Uri(Uri),
    /// A number, through one of the trunks.
    Trunks { number: String },
    /// Nowhere: the directory does not have it, or no trunk takes it.
    Unknown,
    /// A URI whose transport is not spoken: TLS where it is switched off, or one that nobody knows.
    Unsupported,
    /// An address that may not be called.
    Forbidden,
}

/// The users, the trunks and the dial rule.
#[derive(Clone, Debug)]
pub(crate) struct Directory {
    users: Vec<User>,
    trunks: Vec<Trunk>,
    dial: DialRule,
    has_tls: bool,
}

impl Directory {
    pub(crate) fn new(config: &SipConfig) -> Self {
        Self {
            users: config.users.clone(),
            trunks: config.trunks.clone(),
            dial: config.dial.clone(),
            has_tls: config.tls.is_some(),
        }
    }

    /// Finds where `identity` is reached.
    pub(crate) fn find(&self, identity: &Identity) -> Destination {
        match identity {
            Identity::User { id, .. } => match self.users.iter().find(|user| user.id.eq_ignore_ascii_case(id)) {
                Some(user) => Destination::Registered { user: user.name.clone() },
                None => Destination::Unknown,
            },
            Identity::Phone { id, .. } => self.find_phone(id),
            Identity::Application { .. } => Destination::Unknown,
        }
    }

    /// Finds where a phone with this URI or number is reached.
    pub(crate) fn find_phone(&self, id: &str) -> Destination {
        match id.parse() {
            Ok(Uri::Sip(uri)) if !self.may_dial(&uri.host_port.host) => Destination::Forbidden,
            Ok(Uri::Sip(uri)) if !self.speaks(&uri) => Destination::Unsupported,
            Ok(Uri::Sip(uri)) => Destination::Uri(Uri::Sip(uri)),
            Ok(Uri::Other(_)) => Destination::Unknown,
            Err(_) if is_e164(id) && self.trunks_to(id).next().is_some() => {
                Destination::Trunks { number: id.to_owned() }
            }
            Err(_) => Destination::Unknown,
        }
    }

    fn speaks(&self, uri: &SipUri) -> bool {
        uri.transport().is_some_and(|transport| self.has_tls || !transport.is_secure())
    }

    fn may_dial(&self, host: &Host) -> bool {
        let (name, is_loopback) = match host {
            Host::Ip(ip) => (ip.to_string(), ip.is_loopback()),
            Host::Name(name) => (name.clone(), name == "localhost"),
        };
        (self.dial.loopback && is_loopback) || self.dial.hosts.iter().any(|allowed| allowed.eq_ignore_ascii_case(&name))
    }

    /// Finds the trunks that take a number, in the order in which they are tried.
    pub(crate) fn trunks_to(&self, number: &str) -> impl Iterator<Item = &Trunk> {
        trunks::matching(&self.trunks, number).into_iter()
    }
}

impl SipConfig {
    /// Whether and how the leg of `identity` is encrypted.
    pub(crate) fn srtp_with(&self, identity: &Identity, keys: KeySource) -> LocalSrtp {
        let policy = match identity {
            Identity::Phone { id, .. } if is_e164(id) => self.srtp.trunk,
            Identity::Phone { .. } | Identity::User { .. } | Identity::Application { .. } => self.srtp.phones,
        };
        LocalSrtp::new(policy, keys).with_suites(self.srtp.suites.clone())
    }
}

/// A `+` and up to 15 digits (ITU-T E.164).
fn is_e164(number: &str) -> bool {
    let digits = number.strip_prefix('+').unwrap_or_default();
    (2..=15).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(id: &str, hosts: &[&str], expected: &Destination) {
        let dial = DialRule { loopback: true, hosts: hosts.iter().map(ToString::to_string).collect() };
        let directory = Directory { users: Vec::new(), trunks: Vec::new(), dial, has_tls: false };
        assert_eq!(directory.find(&Identity::phone(id, None)), *expected, "{id}");
    }

    #[test]
    fn only_loopback_and_allowed_hosts_are_called() {
        let uri = |id: &str| Destination::Uri(id.parse().expect("a URI"));
        check("sip:p0@127.0.0.1:15060", &[], &uri("sip:p0@127.0.0.1:15060"));
        check("sip:p0@[::1]:15060;transport=tcp", &[], &uri("sip:p0@[::1]:15060;transport=tcp"));
        check("sip:p0@192.0.2.1", &[], &Destination::Forbidden);
        check("sip:127.0.0.1@192.0.2.1", &[], &Destination::Forbidden);
        check("sip:p0@pbx.example", &["PBX.example"], &uri("sip:p0@pbx.example"));
        check("sip:p0@pbx.example.org", &["pbx.example"], &Destination::Forbidden);
        check("sips:p0@127.0.0.1", &[], &Destination::Unsupported);
        check("sips:p0@192.0.2.1", &[], &Destination::Forbidden);
        check("sip:p0@localhost", &[], &uri("sip:p0@localhost"));
        check("+4912345", &[], &Destination::Unknown);
        check("tel:+4912345", &[], &Destination::Unknown);
    }
}
