//! Where clients reach us: what `Location` and token issuers are built from.
//!
//! With a configured `public_url` there is one answer. Without one we are on loopback, and a client may have used any of
//! its names over http or https; it gets the name back that it used, because SDKs compare host names (clients.md 4). A
//! `Host` that is none of ours is never echoed.

use std::net::SocketAddr;

/// Is the scheme, host and port that clients use, without a trailing slash: `http://127.0.0.1:8080`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublicUrl(String);

impl PublicUrl {
    /// Takes a configured URL; a trailing slash is dropped.
    pub fn new(url: &str) -> PublicUrl {
        PublicUrl(url.trim_end_matches('/').to_owned())
    }

    /// Returns the URL without a trailing slash.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Lists every URL under which this server may be asked. The first of a listener is its default.
#[derive(Debug, Clone)]
pub(crate) struct PublicUrls {
    configured: Option<PublicUrl>,
    http: Vec<PublicUrl>,
    https: Vec<PublicUrl>,
}

/// Says which listener took a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Listener {
    Http,
    Https,
}

impl PublicUrls {
    /// Names the listeners' addresses.
    pub(crate) fn new(configured: Option<PublicUrl>, http: SocketAddr, https: Option<SocketAddr>) -> PublicUrls {
        PublicUrls {
            configured,
            http: names("http", http),
            https: https.map(|address| names("https", address)).unwrap_or_default(),
        }
    }

    /// Chooses the URL for an answer to a request that `listener` took for `host`.
    pub(crate) fn of_request(&self, listener: Listener, host: Option<&str>) -> &PublicUrl {
        if let Some(configured) = &self.configured {
            return configured;
        }
        let names = match listener {
            Listener::Http => &self.http,
            Listener::Https => &self.https,
        };
        let asked = host.and_then(|host| names.iter().find(|name| authority(name).eq_ignore_ascii_case(host)));
        asked.or(names.first()).unwrap_or(&self.http[0])
    }

    /// Returns the URL by which the server calls itself where no request tells which to use.
    pub(crate) fn main(&self) -> &PublicUrl {
        self.configured.as_ref().unwrap_or(&self.http[0])
    }

    /// Returns the host of the configured URL, without its port.
    pub(crate) fn configured_host(&self) -> Option<&str> {
        let authority = authority(self.configured.as_ref()?);
        let authority = authority.split('/').next().unwrap_or(authority);
        match authority.strip_prefix('[') {
            Some(v6) => v6.split(']').next(),
            None => authority.split(':').next(),
        }
    }

    /// Lists the URLs that tokens may name as their issuer's.
    pub(crate) fn all(&self) -> impl Iterator<Item = &PublicUrl> {
        self.configured.iter().chain(&self.http).chain(&self.https)
    }
}

/// Lists what a listener is called. Loopback has three names.
fn names(scheme: &str, address: SocketAddr) -> Vec<PublicUrl> {
    let own = PublicUrl(format!("{scheme}://{address}"));
    if !address.ip().is_loopback() {
        return vec![own];
    }
    let port = address.port();
    let mut names = vec![own];
    for host in ["localhost", "127.0.0.1", "[::1]"] {
        let name = PublicUrl(format!("{scheme}://{host}:{port}"));
        if !names.contains(&name) {
            names.push(name);
        }
    }
    names
}

fn authority(url: &PublicUrl) -> &str {
    url.0.split_once("://").map_or(url.0.as_str(), |(_, authority)| authority)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn urls(configured: Option<&str>) -> PublicUrls {
        let http = "127.0.0.1:8080".parse().expect("an address");
        let https = "127.0.0.1:8443".parse().expect("an address");
        PublicUrls::new(configured.map(PublicUrl::new), http, Some(https))
    }

    #[test]
    fn a_client_on_loopback_gets_back_the_name_it_used() {
        let urls = urls(None);
        assert_eq!(urls.of_request(Listener::Https, Some("localhost:8443")).as_str(), "https://localhost:8443");
        assert_eq!(urls.of_request(Listener::Http, Some("[::1]:8080")).as_str(), "http://[::1]:8080");
    }

    #[test]
    fn a_strange_host_is_never_echoed() {
        let urls = urls(None);
        for host in [None, Some("evil.example"), Some("localhost:8443")] {
            assert_eq!(urls.of_request(Listener::Http, host).as_str(), "http://127.0.0.1:8080");
        }
    }

    #[test]
    fn a_configured_url_is_always_used() {
        let urls = urls(Some("https://calls.example/"));
        assert_eq!(urls.of_request(Listener::Http, Some("127.0.0.1:8080")).as_str(), "https://calls.example");
    }
}
