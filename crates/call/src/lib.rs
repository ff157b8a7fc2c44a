//! The rules of a conversation: who is in it, who is on hold, which operations run and how they end.
//!
//! No I/O, no clock, no randomness, no async: time and ids come in as arguments, orders go out as values. A
//! [`Conversation`] is driven by five verbs:
//!
//! | verb | meaning |
//! |---|---|
//! | [`Conversation::execute`] | a wish of an application; it can be refused, and a refusal changes nothing |
//! | [`Conversation::observe`] | a fact about the world; it cannot be refused |
//! | [`Conversation::expire`] | time has come to a deadline |
//! | [`Conversation::deadline`] | when to call `expire` next |
//! | [`Conversation::poll_effect`] | the next order; drained after each of the three verbs that change something |
//!
//! ```
//! use call::*;
//! use std::time::Instant;
//!
//! let (call, bot, alice) = (CallId::new(1), ParticipantId::new(2), ParticipantId::new(3));
//! let now = Instant::now();
//! let mut conversation = Conversation::create(ConversationId::new(9), Policy::default(), NewCall {
//!     id: call,
//!     participant: bot,
//!     application: Identity::application("app", None),
//!     kind: CallKind::Group,
//!     targets: vec![Invitation::new(alice, Identity::user("alice", None))],
//! }, now);
//! while conversation.poll_effect().is_some() {}
//!
//! conversation.observe(Event::Answered { participant: alice }, now);
//! let accepted = conversation.execute(call, Command::StartHoldMusic {
//!     operation: OperationId::new(4),
//!     client_context: ClientContext::new("ctx").expect("short"),
//!     participant: alice,
//!     prompt: Prompt::BuiltIn,
//! }, now);
//! assert!(matches!(accepted, Ok(Accepted::Operation(_))));
//! ```

mod command;
mod conversation;
mod effect;
mod event;
mod hold_music;
mod id;
mod identity;
mod incoming;
mod invite;
mod layers;
mod lifecycle;
mod mute;
mod notice;
mod operation;
mod policy;
mod presence;
mod prompt;
mod redirect;
mod refusal;
mod remove;
mod repeat;
mod replacement;
mod roster;
mod timer;
mod tone;
mod transfer;
mod withdraw;

pub use command::{Accepted, Command, IncomingCall, Invitation, NewCall, RejectReason};
pub use conversation::Conversation;
pub use effect::{Effect, HangUpCause, ReferProgress};
pub use event::{Event, LeaveCause, Unreached};
pub use hold_music::{HoldPhase, MUSIC_START_TIMEOUT, MUSIC_STOP_TIMEOUT, PROMPT_LOAD_TIMEOUT};
pub use id::{CallId, ConversationId, OperationId, ParticipantId};
pub use identity::Identity;
pub use incoming::DECISION_TIMEOUT;
pub use invite::{INVITEES_MAX, RING_TIMEOUT};
pub use layers::{Direction, Hears, Layers, Route};
pub use lifecycle::{CallKind, CallState, KEEP_ALIVE_TIMEOUT};
pub use notice::{Change, Notice, RosterEntry};
pub use operation::{ClientContext, ClientContextTooLong, Operation, OperationKind, OperationStatus, ResultInfo};
pub use policy::{Holds, OnPromptFailure, Peer, Policy};
pub use presence::{CallPresence, HoldPresence, Presence};
pub use prompt::{Prompt, PromptFailure, PromptFailureKind};
pub use redirect::REDIRECT_TARGETS_MAX;
pub use refusal::Refusal;
pub use roster::Role;
pub use tone::{TONE_DURATION, TONES_MAX, Tone};
