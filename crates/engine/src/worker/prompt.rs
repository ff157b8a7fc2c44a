//! Getting the music of a hold: at once if it is there, else in the background.

use super::{Fact, Running};
use crate::prompts::{CallScope, PromptFailure, PromptSource, Prompts};
use call::{ConversationId, OperationId, ParticipantId, Prompt};
use media::{Codec, Loop};
use std::sync::Arc;

impl Running {
    pub(super) fn load_prompt(
        &mut self,
        conversation: ConversationId,
        participant: ParticipantId,
        operation: OperationId,
        prompt: Prompt,
        codec: Codec,
    ) {
        let (prompts, handle) = (self.worker.prompts.clone(), self.handle.clone());
        let scope = CallScope::new(conversation.as_u128());
        if let Some(track) = cached(&prompts, scope, &prompt, codec) {
            handle.tell(Fact::Prompt { conversation, participant, operation, track: Ok((codec, track)) });
            return;
        }
        self.worker.runtime.spawn(async move {
            let track = load(&prompts, scope, &prompt, codec).await.map(|track| (codec, track));
            handle.tell(Fact::Prompt { conversation, participant, operation, track });
        });
    }
}

fn cached(prompts: &Prompts, scope: CallScope, prompt: &Prompt, codec: Codec) -> Option<Arc<Loop>> {
    match prompt {
        Prompt::BuiltIn => prompts.default_music_cached(codec),
        Prompt::Media { uri, resource_id } => prompts.cached(scope, &source(uri, resource_id), codec),
    }
}

async fn load(prompts: &Prompts, scope: CallScope, prompt: &Prompt, codec: Codec) -> Result<Arc<Loop>, PromptFailure> {
    match prompt {
        Prompt::BuiltIn => Ok(prompts.default_music(codec).await),
        Prompt::Media { uri, resource_id } => prompts.load(scope, &source(uri, resource_id), codec).await,
    }
}

fn source(uri: &str, resource_id: &Option<String>) -> PromptSource {
    PromptSource { uri: uri.to_owned(), resource_id: resource_id.clone() }
}
