//! People sign in: the authorization code flow for the pages of our own (RFC 6749, section 4.1; RFC 7636; RFC 9700).
//!
//! ```text
//!  page ── authorize (challenge) ──► form ── name, password ──► session (a cookie of the authority's own)
//!   ▲                                 ▲                            │
//!   │                                 └── no session ──┐           ▼
//!   └── token ◄── code, verifier ◄─────────────────────┴── code, once, for a minute
//! ```
//!
//! There are no refresh tokens: who has a session gets a new code without a form, so a page renews its token by asking
//! again (`prompt=none`), and a token that was stolen ends by itself. The session is good at the authority only: its cookie
//! is sent to no other path, and no script can read it. All of it is in memory; after a restart people sign in again.

mod client;
mod code;
mod cookie;
mod form;
mod page;
mod person_token;
mod request;
mod ticket;

mod authorize;
mod logout;

pub(crate) use authorize::{show, submit};
pub(crate) use client::Scope;
pub(crate) use code::Redemption;
pub(crate) use logout::logout;
pub(crate) use person_token::{LIFETIME_S, issue};

use crate::directory::UserId;
use code::Grant;
use ticket::Tickets;

/// How long a session lasts, in seconds: a shift. Less would ask people for their password at work, more would leave a
/// browser open to whoever finds it.
const SESSION_LIFETIME_S: i64 = 12 * 3600;

/// How long a code may take from the redirect to the token endpoint, in seconds. RFC 6749, section 4.1.2, allows ten
/// minutes; a page needs a second.
const CODE_LIFETIME_S: i64 = 60;

/// Sessions at a time, some 100 bytes each. Only who has signed in takes a place; beyond it the oldest ends.
const SESSIONS_MAX: usize = 10_000;

/// Codes at a time, some 300 bytes each. Only who has a session takes a place; beyond it the oldest is void.
const CODES_MAX: usize = 10_000;

/// Is who has signed in, and the codes that are under way.
#[derive(Debug)]
pub(crate) struct SignIn {
    sessions: Tickets<UserId>,
    codes: Tickets<Grant>,
    /// What the page tells a newcomer.
    hint: Option<String>,
}

impl SignIn {
    pub(crate) fn new(hint: Option<String>) -> SignIn {
        SignIn {
            sessions: Tickets::new(SESSION_LIFETIME_S, SESSIONS_MAX),
            codes: Tickets::new(CODE_LIFETIME_S, CODES_MAX),
            hint,
        }
    }
}
