//! The rules, told as stories and tried by a simulation.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]
#![expect(clippy::disallowed_methods, reason = "virtual time begins somewhere; it is read once and then counted on")]

mod hold_music;
mod incoming;
mod invite;
mod layers;
mod lifecycle;
mod mute;
mod repeat;
mod replacement;
mod simulation;
mod story;
mod tone;
mod transfer;
mod withdraw;
