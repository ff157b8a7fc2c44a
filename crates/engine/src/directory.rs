//! Where an identity is reached, and who it is that calls or is called.

use crate::config::{Application, DialRule, SipConfig, SrtpConfig, Trunk, User};
use crate::trunks;
use call::Identity;
use edge::dtls::Certificate;
use edge::sdp::LocalSrtp;
use edge::sip::{Host, NameAddr, SipUri, Uri};
use edge::srtp::KeySource;
use std::net::IpAddr;

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

/// The users, the applications, the trunks and the dial rule.
#[derive(Clone, Debug)]
pub(crate) struct Directory {
    users: Vec<User>,
    applications: Vec<Application>,
    trunks: Vec<Trunk>,
    dial: DialRule,
    has_tls: bool,
}

impl Directory {
    pub(crate) fn new(config: &SipConfig) -> Self {
        Self {
            users: config.users.clone(),
            applications: config.applications.clone(),
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

    /// Tells whether a name that may be called may lead to this address: anywhere but to this machine itself, which has to
    /// be allowed as such. Who has a name may make it lead anywhere.
    pub(crate) fn may_lead_to(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        let is_here = address.is_loopback() || address.is_unspecified();
        !is_here || self.may_dial(&Host::Ip(address))
    }

    /// Finds the trunks that take a number, in the order in which they are tried.
    pub(crate) fn trunks_to(&self, number: &str) -> impl Iterator<Item = &Trunk> {
        trunks::matching(&self.trunks, number).into_iter()
    }

    /// Finds the application that is called under this address.
    pub(crate) fn application(&self, called: &Uri) -> Option<Identity> {
        let user = called.user()?;
        let found =
            self.applications.iter().find(|application| application.addresses.iter().any(|a| is_same(a, &user)));
        found.map(|application| Identity::application(&application.id, Some(application.display_name.clone())))
    }

    /// Says who it is that somebody means by `name` at this server: a user, or a number that a trunk knows.
    pub(crate) fn here(&self, name: &str) -> Identity {
        match self.users.iter().find(|user| user.name == name) {
            Some(user) => Identity::user(&user.id, Some(user.display_name.clone())),
            None if is_e164(name) => Identity::phone(name, None),
            // Nobody: not found when it is called.
            None => Identity::user(name, None),
        }
    }

    /// Says who it is that is reached at another host.
    pub(crate) fn elsewhere(&self, uri: SipUri) -> Identity {
        Identity::phone(Uri::Sip(uri).to_string(), None)
    }

    /// Says who calls: the user it has proved to be, else a phone.
    pub(crate) fn caller(&self, user: Option<&str>, from: &NameAddr) -> Identity {
        if let Some(user) = self.users.iter().find(|known| Some(known.name.as_str()) == user) {
            return Identity::user(&user.id, Some(user.display_name.clone()));
        }
        let number = from.uri.user().filter(|user| is_e164(user));
        let id = number.unwrap_or_else(|| address_only(&from.uri));
        Identity::phone(id, from.display.clone())
    }
}

impl SrtpConfig {
    /// Whether and how the leg of `identity` is encrypted.
    pub(crate) fn with(&self, identity: &Identity, certificate: &Certificate, keys: KeySource) -> LocalSrtp {
        let policy = match identity {
            Identity::Phone { id, .. } if is_e164(id) => self.trunk,
            Identity::Phone { .. } | Identity::User { .. } | Identity::Application { .. } => self.phones,
        };
        LocalSrtp::new(policy, keys).with_suites(self.suites.clone()).with_handshakes(
            certificate.clone(),
            self.accepts.clone(),
            self.offers.clone(),
        )
    }
}

/// Compares a user part with an address of the configuration. Providers leave the `+` of a number out.
fn is_same(address: &str, user: &str) -> bool {
    let is_number = is_e164(address) && !user.starts_with('+');
    address.eq_ignore_ascii_case(user) || (is_number && address[1..] == *user)
}

/// Returns a URI without what is not part of who it names: parameters and headers.
fn address_only(uri: &Uri) -> String {
    match uri {
        Uri::Sip(uri) => Uri::sip(Uri::Sip(uri.clone()).user().as_deref(), uri.host_port.clone()).to_string(),
        Uri::Other(text) => text.clone(),
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
        let directory =
            Directory { users: Vec::new(), applications: Vec::new(), trunks: Vec::new(), dial, has_tls: false };
        assert_eq!(directory.find(&Identity::phone(id, None)), *expected, "{id}");
    }

    #[test]
    fn an_application_is_called_by_name_or_number() {
        let addresses = vec!["bot".to_owned(), "+4930123456".to_owned()];
        let application = Application { id: "app".to_owned(), display_name: "Bot".to_owned(), addresses };
        let (users, applications) = (Vec::new(), vec![application]);
        let directory =
            Directory { users, applications, trunks: Vec::new(), dial: DialRule::default(), has_tls: false };
        let is_called = |uri: &str| directory.application(&uri.parse().expect("a URI")).is_some();
        for uri in ["sip:bot@127.0.0.1", "sip:BOT@x.example;transport=tcp", "sip:+4930123456@x", "sip:4930123456@x"] {
            assert!(is_called(uri), "{uri}");
        }
        for uri in ["sip:127.0.0.1", "sip:bots@127.0.0.1", "sip:30123456@x", "tel:+4930123456"] {
            assert!(!is_called(uri), "{uri}");
        }
    }

    #[test]
    fn a_caller_is_a_user_by_proof_only() {
        let user = |name: &str| User {
            id: format!("id of {name}"),
            name: name.to_owned(),
            display_name: name.to_owned(),
            password: String::new(),
        };
        let users = vec![user("alice")];
        let directory = Directory {
            users,
            applications: Vec::new(),
            trunks: Vec::new(),
            dial: DialRule::default(),
            has_tls: false,
        };
        let caller = |user, from: &str| directory.caller(user, &from.parse().expect("an address"));
        assert_eq!(caller(Some("alice"), "<sip:x@y>"), Identity::user("id of alice", None));
        assert_eq!(caller(None, "<sip:alice@127.0.0.1:5062;x=y>"), Identity::phone("sip:alice@127.0.0.1:5062", None));
        assert_eq!(caller(None, "<sip:+4930123456@gateway>;tag=1"), Identity::phone("+4930123456", None));
    }

    #[test]
    fn a_name_leads_to_this_machine_only_if_that_may_be_called() {
        let leads = |loopback, hosts: &[&str], address: &str| {
            let dial = DialRule { loopback, hosts: hosts.iter().map(ToString::to_string).collect() };
            let (users, applications, trunks) = Default::default();
            let directory = Directory { users, applications, trunks, dial, has_tls: false };
            directory.may_lead_to(address.parse().expect("an address"))
        };
        for here in ["127.0.0.1", "127.8.8.8", "::1", "::ffff:127.0.0.1"] {
            assert!(leads(true, &[], here) && !leads(false, &["pbx.example"], here), "{here}");
        }
        assert!(leads(false, &["127.0.0.1"], "127.0.0.1"));
        assert!(!leads(true, &[], "0.0.0.0") && !leads(true, &[], "::"));
        assert!(leads(false, &[], "192.0.2.1") && leads(false, &[], "10.0.0.1"));
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
