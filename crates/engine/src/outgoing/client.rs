//! The one client for outgoing requests.

use std::collections::HashMap;
use std::error::Error as _;
use std::sync::Arc;
use std::time::Duration;

use reqwest::{ClientBuilder, Method, RequestBuilder, redirect, retry};
use thiserror::Error;

use super::resolver::{ResolveError, Resolver};
use super::rule::Rule;
use super::uri::{HttpUri, UriError};

/// Makes requests that the rule allows. Cheap to clone; the clones share their connections.
#[derive(Clone)]
pub struct Client {
    rule: Arc<Rule>,
    /// For the ports that entries of the rule name. Connections are not shared with other ports.
    at_named_port: HashMap<u16, reqwest::Client>,
    at_other_port: reqwest::Client,
}

/// Says why there is no answer. Of the URI its text holds the origin at most.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum RequestError {
    /// The rule does not allow the URI, or an address of its host.
    #[error("its uri {0}")]
    Uri(#[from] UriError),
    /// The host's name has no address.
    #[error("the name of the host '{host}' cannot be resolved")]
    Unresolved {
        /// The host's name.
        host: String,
    },
    /// No connection in time.
    #[error("{origin} did not accept a connection in time")]
    ConnectTimeout {
        /// Scheme, host and port.
        origin: String,
    },
    /// No connection: refused, unreachable, or an untrusted certificate.
    #[error("no connection to {origin}: {cause}")]
    Connect {
        /// Scheme, host and port.
        origin: String,
        /// The system's or TLS's own words.
        cause: String,
    },
    /// No answer in time, or not the whole of it.
    #[error("{origin} did not answer in time")]
    Timeout {
        /// Scheme, host and port.
        origin: String,
    },
    /// The connection broke, or the answer was no HTTP.
    #[error("{origin} broke off its answer: {cause}")]
    Interrupted {
        /// Scheme, host and port.
        origin: String,
        /// The HTTP library's own words.
        cause: String,
    },
}

impl Client {
    /// Makes a client. `connect` is how long a connection may take, name and TLS included.
    #[must_use]
    pub fn new(rule: Rule, connect: Duration) -> Client {
        let rule = Arc::new(rule);
        let client = |port| build(&rule, port, connect);
        let at_named_port = rule.named_ports().map(|port| (port, client(Some(port)))).collect();
        Client { at_named_port, at_other_port: client(None), rule }
    }

    /// Begins a request, if the rule allows it. Redirects are not followed: whoever wants to, asks again.
    ///
    /// # Errors
    ///
    /// [`UriError`] from [`Rule::check`]. What is wrong with the addresses of a name comes when it is sent:
    /// [`RequestError::of`].
    pub fn request(&self, method: Method, uri: &HttpUri) -> Result<RequestBuilder, UriError> {
        self.rule.check(uri)?;
        let client = self.at_named_port.get(&uri.port()).unwrap_or(&self.at_other_port);
        Ok(client.request(method, uri.url().clone()))
    }
}

impl RequestError {
    /// Says what an error of the HTTP library means for a request to `uri`.
    #[must_use]
    pub fn of(uri: &HttpUri, error: &reqwest::Error) -> RequestError {
        let origin = uri.origin();
        match causes(error).find_map(|cause| cause.downcast_ref::<ResolveError>()) {
            Some(ResolveError::Unknown) => return RequestError::Unresolved { host: uri.host().to_string() },
            Some(ResolveError::Forbidden(forbidden)) => return RequestError::Uri(forbidden.clone()),
            None => {}
        }
        // The innermost cause: the outer ones repeat the whole URI.
        let cause = causes(error).last().map_or_else(String::new, ToString::to_string);
        match (error.is_connect(), error.is_timeout()) {
            (true, true) => RequestError::ConnectTimeout { origin },
            (true, false) => RequestError::Connect { origin, cause },
            (false, true) => RequestError::Timeout { origin },
            (false, false) => RequestError::Interrupted { origin, cause },
        }
    }
}

/// A client without proxies: behind one, the address that is checked would not be the one that is asked. It asks for no
/// compression and undoes none, so nothing grows on the way. The head of an answer is bounded by the HTTP library: 100
/// lines, 400 KB.
fn build(rule: &Arc<Rule>, port: Option<u16>, connect: Duration) -> reqwest::Client {
    let builder = || -> ClientBuilder {
        reqwest::Client::builder()
            .no_proxy()
            .redirect(redirect::Policy::none())
            .retry(retry::never())
            .referer(false)
            .dns_resolver(Resolver { rule: Arc::clone(rule), port })
            .connect_timeout(connect)
            .user_agent("Fermata")
    };
    builder().build().unwrap_or_else(|error| {
        tracing::warn!(%error, "this machine has no CA certificates: others can be asked over http, not over https");
        builder().tls_certs_only([]).build().expect("a client that trusts nobody needs nothing of the machine")
    })
}

fn causes(error: &reqwest::Error) -> impl Iterator<Item = &(dyn std::error::Error + 'static)> {
    std::iter::successors(error.source(), |&cause| cause.source())
}
