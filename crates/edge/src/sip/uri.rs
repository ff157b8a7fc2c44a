//! SIP URIs (RFC 3261 §19.1), hosts and ports.

use std::fmt;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::str::FromStr;

use super::flow::{Destination, Transport};
use super::text::Parameters;

/// The port of SIP over UDP and TCP when none is named (RFC 3261 §19.1.2).
pub(super) const DEFAULT_PORT: u16 = 5060;

/// A host: an address, or a name that somebody else has to resolve.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Host {
    /// An IPv4 or IPv6 address.
    Ip(IpAddr),
    /// A domain name, in lower case.
    Name(String),
}

/// A host with an optional port, such as `192.0.2.1:5060` or `[2001:db8::1]`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct HostPort {
    /// The host.
    pub host: Host,
    /// The port; 5060 when absent.
    pub port: Option<u16>,
}

impl HostPort {
    /// Returns the socket address, or `None` when the host is a name.
    pub fn address(&self) -> Option<SocketAddr> {
        match &self.host {
            Host::Ip(ip) => Some(SocketAddr::new(*ip, self.port.unwrap_or(DEFAULT_PORT))),
            Host::Name(_) => None,
        }
    }
}

impl From<SocketAddr> for HostPort {
    fn from(address: SocketAddr) -> HostPort {
        HostPort { host: Host::Ip(address.ip()), port: Some(address.port()) }
    }
}

impl FromStr for HostPort {
    type Err = UriError;

    fn from_str(text: &str) -> Result<HostPort, UriError> {
        if let Some(rest) = text.strip_prefix('[') {
            let (literal, rest) = rest.split_once(']').ok_or(UriError::Host)?;
            let ip: Ipv6Addr = literal.parse().map_err(|_| UriError::Host)?;
            return Ok(HostPort { host: Host::Ip(ip.into()), port: parse_port(rest)? });
        }
        let end = text.find(':').unwrap_or(text.len());
        Ok(HostPort { host: parse_host(&text[..end])?, port: parse_port(&text[end..])? })
    }
}

fn parse_host(text: &str) -> Result<Host, UriError> {
    if let Ok(ip) = text.parse::<std::net::Ipv4Addr>() {
        return Ok(Host::Ip(ip.into()));
    }
    let is_name = |byte: u8| byte.is_ascii_alphanumeric() || b"-._".contains(&byte);
    match !text.is_empty() && text.bytes().all(is_name) {
        true => Ok(Host::Name(text.to_ascii_lowercase())),
        false => Err(UriError::Host),
    }
}

fn parse_port(text: &str) -> Result<Option<u16>, UriError> {
    match text.strip_prefix(':') {
        Some(port) => port.trim().parse().map(Some).map_err(|_| UriError::Port),
        None if text.is_empty() => Ok(None),
        None => Err(UriError::Host),
    }
}

impl fmt::Display for HostPort {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.host {
            Host::Ip(IpAddr::V6(ip)) => write!(f, "[{ip}]")?,
            Host::Ip(IpAddr::V4(ip)) => write!(f, "{ip}")?,
            Host::Name(name) => f.write_str(name)?,
        }
        match self.port {
            Some(port) => write!(f, ":{port}"),
            None => Ok(()),
        }
    }
}

/// The parts of a `sip:` or `sips:` URI.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct SipUri {
    /// True for `sips:`.
    pub is_secure: bool,
    /// The user part as written, with its percent escapes.
    pub user: Option<String>,
    /// Host and port.
    pub host_port: HostPort,
    /// Parameters, such as `transport` and `lr`.
    pub parameters: Parameters,
    /// The header part after `?`, as written. We never act on it.
    pub headers: Option<String>,
}

/// A URI: one that we can call, or any other that only has to be carried (`tel:`, `urn:`).
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Uri {
    /// `sip:` and `sips:`.
    Sip(SipUri),
    /// Everything else, as written.
    Other(String),
}

/// Says what is wrong with a URI.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum UriError {
    /// There is no scheme, or a character that no URI may hold.
    #[error("the URI has no scheme or holds a character that no URI may hold")]
    Syntax,
    /// The host is empty or not a host.
    #[error("the host of the URI is not a host")]
    Host,
    /// The port is not a number from 0 to 65535.
    #[error("the port of the URI is not a port")]
    Port,
}

impl Uri {
    /// Makes `sip:user@host`, or `sip:host` without a user. What needs an escape in the user part gets one.
    pub fn sip(user: Option<&str>, host_port: HostPort) -> Uri {
        Uri::Sip(SipUri {
            is_secure: false,
            user: user.map(escape_user),
            host_port,
            parameters: Parameters::default(),
            headers: None,
        })
    }

    /// Returns the user part without escapes; `None` when there is none.
    pub fn user(&self) -> Option<String> {
        match self {
            Uri::Sip(uri) => uri.user.as_deref().map(unescape),
            Uri::Other(_) => None,
        }
    }

    /// Tells whether the first route's owner keeps the Request-URI (RFC 3261 §16.12, `lr`).
    pub(super) fn is_loose_router(&self) -> bool {
        matches!(self, Uri::Sip(uri) if uri.parameters.contains("lr"))
    }

    /// Tells whether the URI demands TLS all the way (RFC 3261 §26.2.2).
    pub fn is_sips(&self) -> bool {
        matches!(self, Uri::Sip(uri) if uri.is_secure)
    }

    /// Returns where a request to this URI goes, when its host is an address. Names are the caller's to resolve.
    pub fn destination(&self) -> Option<Destination> {
        let Uri::Sip(uri) = self else { return None };
        let transport = uri.transport()?;
        let Host::Ip(ip) = uri.host_port.host else { return None };
        let port = uri.host_port.port.unwrap_or(transport.default_port());
        Some(Destination::Address { transport, remote: SocketAddr::new(ip, port) })
    }
}

impl SipUri {
    /// Returns the transport that the URI asks for (RFC 3263 §4.1); `None` for one that we do not speak, and for `sips`
    /// over datagrams.
    pub fn transport(&self) -> Option<Transport> {
        let asked = self.parameters.value("transport").map(Transport::from_parameter);
        match (self.is_secure, asked) {
            (true, None | Some(Some(Transport::Tcp | Transport::Tls))) => Some(Transport::Tls),
            (true, Some(Some(Transport::Udp))) => None,
            (false, None) => Some(Transport::Udp),
            (_, Some(asked)) => asked,
        }
    }
}

impl FromStr for Uri {
    type Err = UriError;

    fn from_str(text: &str) -> Result<Uri, UriError> {
        let (scheme, rest) = text.split_once(':').ok_or(UriError::Syntax)?;
        let is_scheme = |byte: u8| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte);
        let is_forbidden = |c: char| c.is_whitespace() || c.is_control() || matches!(c, '<' | '>' | '"');
        if scheme.is_empty() || !scheme.bytes().all(is_scheme) || rest.contains(is_forbidden) {
            return Err(UriError::Syntax);
        }
        match scheme.to_ascii_lowercase().as_str() {
            "sip" => parse_sip(false, rest),
            "sips" => parse_sip(true, rest),
            _ => Ok(Uri::Other(text.to_owned())),
        }
    }
}

fn parse_sip(is_secure: bool, rest: &str) -> Result<Uri, UriError> {
    // A user part may hold `;` and `?` (RFC 3261 §25.1, user-unreserved), so the `@` is looked for first.
    let (user, rest) = match rest.rsplit_once('@') {
        Some(("", _)) => return Err(UriError::Host),
        Some((user, rest)) => (Some(user.to_owned()), rest),
        None => (None, rest),
    };
    let (rest, headers) = match rest.split_once('?') {
        Some((rest, headers)) => (rest, Some(headers.to_owned())),
        None => (rest, None),
    };
    let (host_port, parameters) = rest.split_once(';').unwrap_or((rest, ""));
    Ok(Uri::Sip(SipUri {
        is_secure,
        user,
        host_port: host_port.parse()?,
        parameters: Parameters::parse(parameters),
        headers,
    }))
}

impl fmt::Display for Uri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let uri = match self {
            Uri::Sip(uri) => uri,
            Uri::Other(text) => return f.write_str(text),
        };
        f.write_str(if uri.is_secure { "sips:" } else { "sip:" })?;
        if let Some(user) = &uri.user {
            write!(f, "{user}@")?;
        }
        write!(f, "{}{}", uri.host_port, uri.parameters)?;
        match &uri.headers {
            Some(headers) => write!(f, "?{headers}"),
            None => Ok(()),
        }
    }
}

fn escape_user(user: &str) -> String {
    escape(user, b"-_.!~*'()&=+$,;?/")
}

/// Escapes all that is neither a letter, a digit nor one of `plain`.
pub(super) fn escape(text: &str, plain: &[u8]) -> String {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || plain.contains(&byte);
    let mut escaped = String::with_capacity(text.len());
    for byte in text.bytes() {
        match is_plain(byte) {
            true => escaped.push(char::from(byte)),
            false => escaped.push_str(&format!("%{byte:02X}")),
        }
    }
    escaped
}

/// Replaces `%41` by `A`. An escape that is none stays as it is.
pub(super) fn unescape(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut plain = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        match (bytes[at], hex_byte(bytes.get(at + 1..at + 3))) {
            (b'%', Some(byte)) => {
                plain.push(byte);
                at += 3;
            }
            (byte, _) => {
                plain.push(byte);
                at += 1;
            }
        }
    }
    String::from_utf8_lossy(&plain).into_owned()
}

fn hex_byte(digits: Option<&[u8]>) -> Option<u8> {
    let digits = digits.filter(|digits| digits.iter().all(u8::is_ascii_hexdigit))?;
    u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()
}
