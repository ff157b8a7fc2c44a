//! Looking at conversations from outside: what there is, what has changed, what has happened.

use crate::engine::Engine;
use crate::live::{Heard, HeardAudio, LiveCall, LiveTimeline, Watched};
use crate::worker::{Job, Question};
use call::{CallId, ConversationId, ParticipantId};
use std::collections::HashMap;
use std::sync::Arc;
use tokio::sync::oneshot;

impl Engine {
    /// Looks at all conversations. Calls are returned of those whose revision is not the one that is `known`.
    ///
    /// A worker that is too busy to be asked is left out; whoever watches asks again soon.
    pub async fn watch(&self, known: &Arc<HashMap<ConversationId, u64>>) -> Watched {
        let asked = self.ask_all(|reply| Question::Watch { known: Arc::clone(known), reply });
        let answers = answers(asked).await;
        let mut all = Watched { is_whole: answers.len() == self.worker_count(), ..Watched::default() };
        for Watched { revisions, changed, legs, is_whole: _ } in answers {
            all.revisions.extend(revisions);
            all.changed.extend(changed);
            all.legs.extend(legs);
        }
        all.changed.sort_by_key(|call| call.created);
        all
    }

    /// Lists the calls that are over and still remembered, the oldest first.
    pub async fn ended_calls(&self) -> Vec<LiveCall> {
        let asked = self.ask_all(|reply| Question::Ended { reply });
        let mut calls: Vec<LiveCall> = answers(asked).await.into_iter().flatten().collect();
        calls.sort_by_key(|call| call.created);
        calls
    }

    /// Looks at one call, also when it is over, as long as it is remembered.
    pub async fn look_at(&self, call: CallId) -> Option<LiveCall> {
        self.first(call, |reply| Question::Call { call, reply }).await
    }

    /// Returns what has happened in the conversation of a call.
    pub async fn timeline(&self, call: CallId) -> Option<LiveTimeline> {
        self.first(call, |reply| Question::Timeline { call, reply }).await
    }

    /// Returns what a participant was given to hear; `None` also if that is not written down.
    pub async fn heard(&self, call: CallId, participant: ParticipantId) -> Option<Heard> {
        self.first(call, |reply| Question::Heard { call, participant, reply }).await
    }

    /// Returns the sound that a participant was given; `None` also if that is not kept.
    pub async fn heard_audio(&self, call: CallId, participant: ParticipantId) -> Option<HeardAudio> {
        self.first(call, |reply| Question::HeardAudio { call, participant, reply }).await
    }

    /// Asks the worker that owns a call; of one that is over, all.
    async fn first<T>(&self, call: CallId, ask: impl Fn(oneshot::Sender<Option<T>>) -> Question) -> Option<T> {
        let asked = match self.owner(call) {
            Some(owner) => vec![self.ask(owner, &ask)],
            None => self.ask_all(ask),
        };
        answers(asked).await.into_iter().flatten().next()
    }

    fn ask_all<T>(&self, ask: impl Fn(oneshot::Sender<T>) -> Question) -> Vec<oneshot::Receiver<T>> {
        (0..self.worker_count()).map(|worker| self.ask(worker, &ask)).collect()
    }

    /// A question that a full queue refuses is dropped, and its answer with it.
    fn ask<T>(&self, worker: usize, ask: impl Fn(oneshot::Sender<T>) -> Question) -> oneshot::Receiver<T> {
        let (reply, answer) = oneshot::channel();
        drop(self.send(worker, Job::Look(ask(reply))));
        answer
    }
}

async fn answers<T>(asked: Vec<oneshot::Receiver<T>>) -> Vec<T> {
    let mut answers = Vec::with_capacity(asked.len());
    for answer in asked {
        answers.extend(answer.await.ok());
    }
    answers
}
