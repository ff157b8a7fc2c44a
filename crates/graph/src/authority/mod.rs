//! The authority: issues tokens in Entra ID's shape, so that MSAL and azure-identity work unmodified.
//!
//! The same keys sign access tokens and the tokens of notifications; both publish them. Neither can pass for the other: an
//! access token's audience is Graph, a notification's the application (RFC 8725, section 3.12).

pub(crate) mod access_token;
pub(crate) mod discovery;
pub(crate) mod sign_in;
pub(crate) mod signing_key;
pub(crate) mod token;

mod assertion;
mod client_key;
mod cloud;
mod error;
mod foreign_issuer;
mod form;
mod key_cache;
mod key_ring;
mod remote_keys;
mod replay;
mod secret;

pub(crate) use access_token::{AccessToken, Verifier};
pub use client_key::{ClientKey, ClientKeyError};
pub use cloud::Cloud;
pub use foreign_issuer::{ForeignIssuer, KeySource, RoleSource, TenantClaim};
pub(crate) use key_ring::{KeyRing, KeyRingError, turn_in_time};
pub(crate) use replay::Replays;
pub(crate) use secret::SecretCheck;
pub use secret::{SecretHash, SecretHashError};
pub(crate) use sign_in::{Scope, SignIn};
