//! Runs conversations: threads, sockets, clocks, ids, fetching of prompts.
//!
//! ```text
//!  Engine (handle) ──jobs──► worker thread ──owns──► Session = call::Conversation + media::Mixer + legs
//!        ▲                    │      ▲ │
//!        │ Change             │RTP   │ └─dial, answer──► SIP loop (edge::sip::Endpoint, UDP and TCP sockets)
//!        └────────────────────┘      └───leg events─────┘
//! ```
//!
//! One conversation has one owner thread. What the rules decided reaches the outside as a stream of [`Change`]s, in
//! order per conversation; whoever records them says when a change is safe, and only then is the request answered.
//! This crate knows neither HTTP routes nor JSON.

mod alarm;
mod browsers;
mod change;
mod chronicle;
mod config;
mod directory;
mod early;
mod engine;
mod keypad;
mod leg;
pub mod live;
pub mod outgoing;
mod priority;
pub mod prompts;
mod pulse;
mod rtp_ports;
mod security;
mod session;
mod sip_loop;
mod tick;
mod trunks;
mod watch;
mod worker;

pub use browsers::{BrowserError, BrowserEvent, OpenBrowser, RingEnd, TooManyBrowsers};
pub use call::{Holds, OnPromptFailure, Peer, Policy};
pub use change::{Attachment, Change, NotRecorded};
pub use chronicle::{EntryKind, Operator, Owner, Phase, TimelineOutcome};
pub use config::{Application, Config, DialRule, RtpConfig, SipConfig, SipTls, SrtpConfig, Trunk, User, WebRtcConfig};
pub use edge::sdp::{Keying, SrtpPolicy};
pub use edge::sip::{Algorithm, Credentials, GuardLimits, HostPort, Transport, Uri};
pub use edge::srtp::Suite;
pub use edge::webrtc::OfferError;
pub use engine::{CreateError, Engine, ExecuteError, Started};
pub use media::{Codec, LedgerLimits, Recording, Statistics, TICK, write_wav};
pub use tick::TickStatistics;
