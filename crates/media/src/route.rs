//! Who hears what: the only thing about a leg that changes with holds and mutes.

use crate::music::Loop;
use std::sync::Arc;

/// What a leg hears.
#[derive(Clone)]
pub enum Hears {
    /// Nothing: no RTP is sent, and its timestamp goes on.
    Nothing,
    /// Packets of silence.
    Silence,
    /// All who are heard, minus itself.
    Conversation,
    /// A loop, which must be of the leg's codec: of another, it is silence.
    Music(Arc<Loop>),
}

/// What a leg hears, and whether the others hear it.
#[derive(Clone)]
pub struct Route {
    /// What the leg hears.
    pub hears: Hears,
    /// Whether those who hear the conversation hear the leg.
    pub heard: bool,
}
