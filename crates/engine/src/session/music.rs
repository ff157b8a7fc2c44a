//! The music of held participants: loaded, ordered to play, playing, about to end.
//!
//! ```text
//!             ordered to play          first packet out            ordered to stop
//!  Loading ───────────────────► Starting ────────────► Playing ─────────────────► Stopping ──► (gone)
//!  silence                      silence or music       music                      conversation
//! ```
//!
//! Music is encoded for one codec. When the phone changes its codec the music is asked for once more, and until it is
//! there the phone gets silence, never the others.

use super::{Output, Session};
use crate::prompts::PromptFailure;
use call::{Event, OperationId, ParticipantId, Prompt};
use media::{Codec, Loop};
use std::sync::Arc;
use std::time::Instant;

/// The music of one held participant.
pub(super) struct Music {
    operation: OperationId,
    prompt: Prompt,
    track: Option<(Codec, Arc<Loop>)>,
    stage: Stage,
}

/// How far the music is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    /// Being loaded; silence until it is ordered to play.
    Loading,
    /// Ordered; its first packet is still to come.
    Starting,
    /// Its first packet is out.
    Playing,
    /// To end with the next tick, for this operation.
    Stopping(OperationId),
}

impl Music {
    pub(super) fn loading(operation: OperationId, prompt: Prompt) -> Self {
        Self { operation, prompt, track: None, stage: Stage::Loading }
    }

    /// Where it comes from; `None` of the built-in music.
    pub(super) fn uri(&self) -> Option<&str> {
        match &self.prompt {
            Prompt::BuiltIn => None,
            Prompt::Media { uri, .. } => Some(uri),
        }
    }

    pub(super) fn is_stopping(&self, by: OperationId) -> bool {
        self.stage == Stage::Stopping(by)
    }

    /// The track, if it has been ordered to play.
    pub(super) fn playing(&self) -> Option<&Arc<Loop>> {
        let track = self.track.as_ref().map(|(_, track)| track);
        match self.stage {
            Stage::Starting | Stage::Playing | Stage::Stopping(_) => track,
            Stage::Loading => None,
        }
    }

    /// Whether its first packet is out, and it is there in the phone's codec.
    pub(super) fn is_heard(&self) -> bool {
        match self.stage {
            Stage::Playing | Stage::Stopping(_) => self.track.is_some(),
            Stage::Loading | Stage::Starting => false,
        }
    }

    pub(super) fn started(&mut self) -> Option<Event> {
        if self.stage != Stage::Starting {
            return None;
        }
        self.stage = Stage::Playing;
        Some(Event::MusicStarted { operation: self.operation })
    }

    pub(super) fn stopped(&self) -> Option<Event> {
        match self.stage {
            Stage::Stopping(operation) => Some(Event::MusicStopped { operation }),
            Stage::Loading | Stage::Starting | Stage::Playing => None,
        }
    }
}

impl Session {
    /// A prompt is ready for a leg, or cannot be had.
    pub(crate) fn prompt_loaded(
        &mut self,
        participant: ParticipantId,
        operation: OperationId,
        track: Result<(Codec, Arc<Loop>), PromptFailure>,
        now: Instant,
    ) {
        let Some(music) = self.music.get_mut(&participant).filter(|m| m.operation == operation) else { return };
        match track {
            Ok(track) => {
                music.track = Some(track);
                if music.stage == Stage::Loading {
                    self.observe(Event::PromptLoaded { operation }, now);
                }
                self.fit_music_to_codec(participant);
            }
            Err(failure) if music.stage == Stage::Loading => {
                let failure = failure.into();
                self.observe(Event::PromptFailed { operation, failure }, now);
            }
            // The phone has changed its codec and the prompt cannot be had a second time: silence, never the others.
            // The log names the kind only: the sentence holds the prompt's origin.
            Err(failure) => {
                let call::PromptFailure { kind, .. } = failure.into();
                tracing::warn!(%participant, ?kind, "no music after a change of codec");
            }
        }
    }

    pub(super) fn play(&mut self, participant: ParticipantId) {
        if let Some(music) = self.music.get_mut(&participant) {
            music.stage = Stage::Starting;
        }
        self.apply_route(participant);
    }

    pub(super) fn stop(&mut self, participant: ParticipantId, operation: OperationId) {
        if let Some(music) = self.music.get_mut(&participant) {
            music.stage = Stage::Stopping(operation);
        }
        self.apply_route(participant);
    }

    /// Asks for the music once more if the phone has changed its codec; silence until it is there.
    pub(super) fn fit_music_to_codec(&mut self, participant: ParticipantId) {
        let codec = self.codec(participant);
        let Some(music) = self.music.get_mut(&participant) else { return };
        if music.track.as_ref().is_some_and(|(of_track, _)| Some(*of_track) != codec) {
            music.track = None;
            let (operation, prompt) = (music.operation, music.prompt.clone());
            self.want_prompt(participant, operation, prompt);
        }
        self.apply_route(participant);
    }

    pub(super) fn want_prompt(&mut self, participant: ParticipantId, operation: OperationId, prompt: Prompt) {
        let codec = self.codec(participant);
        let codec = codec.expect("only who has answered is held, and an answer names a codec");
        self.outputs.push_back(Output::LoadPrompt { participant, operation, prompt, codec });
    }
}
