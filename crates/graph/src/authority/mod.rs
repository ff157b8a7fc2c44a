//! The dev authority: issues tokens in Entra ID's shape, so that MSAL and azure-identity work unmodified.
//!
//! The same key signs access tokens and the tokens of notifications; both publish it.

pub(crate) mod discovery;
pub(crate) mod error;
pub(crate) mod signing_key;
pub(crate) mod token;

pub(crate) use signing_key::{SigningKey, SigningKeyError};
