//! Requests that the server makes: for prompts, to callbacks, for the keys of other issuers.
//!
//! Somebody else names the URI, and the server stands inside somebody's network: without a rule, a request would be a
//! way to ask the machines behind the firewall (server-side request forgery, OWASP API7:2023). There is one rule and one
//! client for all purposes; nothing else in the server makes requests.
//!
//! ```text
//!  text ─► HttpUri ─► Rule: scheme, port, address in digits ─► Resolver: every address of a name ─► connection
//!          (shape)    (before each request, redirects too)     (the very ones that are connected to)
//! ```
//!
//! The resolver hands on what it has checked and the connection is made to that, so a name that changes its address in
//! between gains nothing. A connection that is kept for the next request leads where it led when it was made.

mod client;
mod destination;
mod public;
mod resolver;
mod rule;
mod uri;

pub use client::{Client, RequestError};
pub use destination::{Destination, DestinationError};
pub use public::is_public;
pub use rule::{PlainHttp, Rule};
pub use uri::{HttpUri, UriError};
