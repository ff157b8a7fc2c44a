//! Header fields: names, compact forms, and an ordered list of values (RFC 3261 §7.3, §20).

use std::fmt;

use super::text::{is_token, split};

macro_rules! names {
    ($($variant:ident $text:literal $($compact:literal)?;)*) => {
        /// The name of a header field. Names compare without regard to case; compact forms are the long ones.
        #[derive(Debug, Clone, PartialEq, Eq, Hash)]
        pub enum Name {
            $(#[doc = concat!("`", $text, "`")] $variant,)*
            /// Any other token, in lower case.
            Other(String),
        }

        impl Name {
            /// Reads a name, or `None` when it is not a token.
            pub(super) fn from_token(token: &str) -> Option<Name> {
                $(if token.eq_ignore_ascii_case($text) $(|| token.eq_ignore_ascii_case($compact))? {
                    return Some(Name::$variant);
                })*
                is_token(token).then(|| Name::Other(token.to_ascii_lowercase()))
            }

            /// Returns the name as we write it.
            pub fn as_str(&self) -> &str {
                match self {
                    $(Name::$variant => $text,)*
                    Name::Other(name) => name,
                }
            }
        }
    };
}

names! {
    Via "Via" "v";
    MaxForwards "Max-Forwards";
    Route "Route";
    RecordRoute "Record-Route";
    From "From" "f";
    To "To" "t";
    CallId "Call-ID" "i";
    CSeq "CSeq";
    Contact "Contact" "m";
    Allow "Allow";
    Accept "Accept";
    Supported "Supported" "k";
    Require "Require";
    RSeq "RSeq";
    RAck "RAck";
    ProxyRequire "Proxy-Require";
    Unsupported "Unsupported";
    Expires "Expires";
    MinExpires "Min-Expires";
    RetryAfter "Retry-After";
    Warning "Warning";
    Reason "Reason";
    PAssertedIdentity "P-Asserted-Identity";
    WwwAuthenticate "WWW-Authenticate";
    Authorization "Authorization";
    ProxyAuthenticate "Proxy-Authenticate";
    ProxyAuthorization "Proxy-Authorization";
    UserAgent "User-Agent";
    Server "Server";
    Subject "Subject" "s";
    ReferTo "Refer-To" "r";
    ReferredBy "Referred-By" "b";
    ReferSub "Refer-Sub";
    Replaces "Replaces";
    SubscriptionState "Subscription-State";
    Event "Event" "o";
    AllowEvents "Allow-Events" "u";
    SessionExpires "Session-Expires" "x";
    MinSe "Min-SE";
    ContentEncoding "Content-Encoding" "e";
    ContentType "Content-Type" "c";
    ContentLength "Content-Length" "l";
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The header fields of a message, in their order. `Content-Length` is not kept: the body says it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Headers(Vec<(Name, String)>);

impl Headers {
    /// Adds a field as the last.
    pub fn push(&mut self, name: Name, value: impl fmt::Display) {
        self.0.push((name, value.to_string()));
    }

    /// Adds a field as the first.
    pub fn push_first(&mut self, name: Name, value: impl fmt::Display) {
        self.0.insert(0, (name, value.to_string()));
    }

    /// Replaces all fields of this name by one.
    pub fn set(&mut self, name: Name, value: impl fmt::Display) {
        self.remove(&name);
        self.push(name, value);
    }

    /// Takes all fields of this name away.
    pub fn remove(&mut self, name: &Name) {
        self.0.retain(|(known, _)| known != name);
    }

    /// Returns the first value of this name.
    pub fn first(&self, name: &Name) -> Option<&str> {
        self.0.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// Returns the values of this name, one for each line.
    pub fn all<'a>(&'a self, name: &'a Name) -> impl Iterator<Item = &'a str> {
        self.0.iter().filter(move |(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// Returns the values of this name, with lists split at their commas (RFC 3261 §7.3.1).
    pub fn list<'a>(&'a self, name: &'a Name) -> impl Iterator<Item = &'a str> {
        self.all(name).flat_map(|value| split(value, ','))
    }

    /// Returns a number of seconds or a count; anything after the digits is ignored.
    pub(super) fn number(&self, name: &Name) -> Option<u32> {
        let value = self.first(name)?;
        let end = value.find(|c: char| !c.is_ascii_digit()).unwrap_or(value.len());
        value[..end].parse().ok()
    }

    /// Returns how many fields there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Tells whether there is no field.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns all fields in their order.
    pub fn iter(&self) -> impl Iterator<Item = (&Name, &str)> {
        self.0.iter().map(|(name, value)| (name, value.as_str()))
    }
}
