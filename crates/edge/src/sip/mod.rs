//! SIP: an endpoint that calls, is called, registers, and lets phones register, fed with datagrams.
//!
//! RFC 3261 (transactions, dialogs, registrar) with RFC 6026 (corrected INVITE transactions), RFC 3581 (`rport`),
//! RFC 7616 and 8760 (digest with MD5 and SHA-256), RFC 6086 (INFO), RFC 3311 (UPDATE), RFC 3262 (reliable provisional
//! responses), RFC 4028 (session timers), RFC 3515 (REFER), RFC 3891 (Replaces) and the keep-alives of RFC 5626. SDP is
//! carried, not read: see [`sdp`](crate::sdp).
//!
//! Layers, each using only those below it:
//!
//! ```text
//!   endpoint                    state, and what comes in is sorted
//!   outgoing incoming ending requests probe       one rule each: calls out, calls in, ends, the rest, who is there
//!   offering offered expiry                       and: changes of ours, of the peer's, session timers
//!   prack reliable early_offer                    and: provisional responses that are confirmed, by us and to us
//!   refer replaces                                and: calls that are handed on
//!   register registration       a registrar; a client of one
//!   session dialog              what is remembered of a call
//!   transaction                 retransmissions, timers A to M
//!   guard authenticator authorizer digest         who is answered; who asks; who we are
//!   message parse stream header via uri …         bytes to values and back
//! ```
//!
//! The owner of an [`Endpoint`] has the sockets and the clock:
//!
//! ```
//! use std::time::{Duration, Instant};
//! use edge::sip::{Config, Destination, DialogKey, Endpoint, Event, Flow, Invite, NameAddr, Transport, Uri};
//!
//! let address = "127.0.0.1:5060".parse()?;
//! let mut endpoint = Endpoint::new(Config::new(address), [7; 32]);
//! let target: Uri = "sip:bob@127.0.0.1:5062".parse()?;
//! let invite = Invite {
//!     target,
//!     destination: None,
//!     from: NameAddr::new("sip:fermata@127.0.0.1".parse()?),
//!     to: None,
//!     asserted: None,
//!     offer: b"v=0\r\n".to_vec(),
//!     credentials: None,
//!     ring_timeout: Duration::from_secs(60),
//!     silence_max: None,
//!     replaces: None,
//! };
//! endpoint.invite(DialogKey(1), invite, Instant::now());
//! while let Some(transmit) = endpoint.poll_transmit() {
//!     assert_eq!(transmit.destination.transport(), Transport::Udp); // to a socket: send_to(transmit.destination.remote())
//! }
//! while let Some(event) = endpoint.poll_event() {
//!     match event {
//!         Event::Answered { dialog, body } => println!("{dialog:?} {body:?}"),
//!         other => println!("{other:?}"),
//!     }
//! }
//! // Sleep until `deadline` or until bytes come; then `receive(flow, bytes, now)` or `expire(now)`.
//! assert!(endpoint.deadline().is_some());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod authenticator;
mod authorizer;
mod body;
mod config;
mod dialog;
mod digest;
mod dtmf_info;
mod early_offer;
mod ending;
mod endpoint;
mod event;
mod expiry;
mod flow;
mod guard;
mod header;
mod incoming;
mod message;
mod method;
mod name_addr;
mod offered;
mod offering;
mod outgoing;
mod parse;
mod prack;
mod probe;
mod random;
mod received;
mod refer;
mod register;
mod registrar;
mod registration;
mod reliable;
mod replaces;
mod requests;
mod session;
mod status;
mod stream;
mod text;
mod timers;
mod transaction;
mod unreadable;
mod uri;
mod via;

pub use config::{Config, Incoming, Limits, Reach, RegistrarLimits, Timing};
pub use digest::{Algorithm, Credentials};
pub use dtmf_info::key_of_info;
pub use endpoint::Endpoint;
pub use event::{DialogKey, EndCause, Event, RegistrationKey, RegistrationState};
pub use flow::{Destination, Flow, Transmit, Transport};
pub use guard::{Ban, GuardLimits};
pub use header::{Headers, Name};
pub use message::{CSeq, CSeqError, Message, Request, Response};
pub use method::Method;
pub use name_addr::NameAddr;
pub use offering::ReinviteError;
pub use outgoing::Invite;
pub use parse::{HEADER_BYTES_MAX, HEADERS_MAX, MESSAGE_BYTES_MAX, ParseError};
pub use registrar::Binding;
pub use registration::Registration;
pub use replaces::{Replaces, ReplacesError};
pub use status::Status;
pub use text::Parameters;
pub use uri::{Host, HostPort, SipUri, Uri, UriError};
pub use via::{Via, ViaError};
