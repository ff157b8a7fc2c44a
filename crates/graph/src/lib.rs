//! Speaks Microsoft Graph both ways: routes, wire types, tokens, notifications, database.
//!
//! A request comes down once and its answer goes up once:
//!
//! ```text
//!  listen ─► path ─► request ─► routes ─► participants/start_hold_music ─► engine
//!  (sockets) (spelling) (ids,    (the API   (token, wire request            │ Change
//!                       errors)  on one      → command)                     ▼
//!  callback ◄─ notify ◄─ outbox ◄─ store ◄──────────────────────────── recorder
//!              (signed   (in order,  (SQLite, one                  (a change → one
//!               POST)     retried)    writer, group commit)         transaction)
//! ```
//!
//! **No request is answered with success before what it changed is on the disk**, and nobody is told of a change that is
//! not. Rules live in `call`, sound in `media`; here is only how both are spelled for Graph's clients.

mod api;
mod auth;
mod authority;
mod backoff;
mod body;
mod browsers;
mod callback;
mod calls;
mod connections;
mod console;
mod contract;
mod directory;
mod error;
mod health;
mod json;
mod linger;
mod listen;
mod notifications;
mod notify;
mod operations;
mod outbox;
mod participants;
mod path;
mod public_url;
mod query;
mod recorder;
mod request;
mod retention;
mod routes;
mod service;
mod signed_in;
mod site;
mod store;
mod throttle;
mod tls;
mod turnstile;
mod webhook;
mod wire;

pub use authority::{
    ClientKey, ClientKeyError, Cloud, ForeignIssuer, KeySource, RoleSource, SecretHash, SecretHashError, TenantClaim,
};
pub use browsers::{BadIceServer, IceCredentials, IceServer};
pub use callback::CallbackUri;
pub use directory::{
    App, AppId, Credentials, Directory, Role, TenantId, UnknownRole, UnknownUserRole, User, UserId, UserRole,
};
pub use listen::Timeouts;
pub use public_url::PublicUrl;
pub use service::{AuthoritySettings, NotificationSettings, Service, Settings, StartError};
pub use site::{Site, SiteError};
pub use throttle::Throttling;
pub use tls::{LocalCertificate, TlsError, local_certificate};
pub use webhook::{WebhookSecret, WebhookSecretError};
