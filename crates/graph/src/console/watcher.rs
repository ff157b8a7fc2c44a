//! Looks at all conversations for everybody who watches, and only while somebody does.
//!
//! ```text
//!  workers ◄── 5 times a second ── watcher ──── events ────► every stream
//!          ──── what has changed ─►   │                        │ too slow: what it missed is dropped,
//!                                     └──── snapshot ◄─────────┘ and it begins anew with a snapshot
//! ```
//!
//! Asking for what has changed is cheaper than being told each step, and cannot pile up: whoever asks late gets the newest
//! state once. An event is written out once, however many read it.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use axum::body::Bytes;
use call::{CallId, CallState, ConversationId, ParticipantId};
use engine::Engine;
use engine::live::{LiveCall, LiveMedia, Watched};
use serde_json::json;
use tokio::sync::{broadcast, mpsc, oneshot};
use tokio::task::JoinHandle;
use tokio::time::{Instant, MissedTickBehavior, interval};

use crate::wire::live::{Call, Media, date_time, level};

/// How often is looked: a level meter that moves five times a second is read as steady motion, and a hold is seen within
/// a quarter of a second. More often costs the workers more.
const LOOK_INTERVAL: Duration = Duration::from_millis(200);

/// How often connections are told: loss and jitter mean nothing over shorter times.
const MEDIA_INTERVAL: Duration = Duration::from_secs(1);

/// Events that wait for the slowest reader. A reader that is further behind gets a snapshot instead: about 5 s.
const EVENTS_WAITING_MAX: usize = 32;

/// Readers that wait to begin. They wait for milliseconds.
const JOINS_WAITING_MAX: usize = 16;

/// Lets readers begin. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Watcher(mpsc::Sender<Join>);

type Join = oneshot::Sender<Watching>;

/// The task behind it. When it is dropped every stream ends.
#[derive(Debug)]
pub(crate) struct WatcherTask(JoinHandle<()>);

/// What a reader begins with: everything, and then what changes.
#[derive(Debug)]
pub(super) struct Watching {
    pub(super) snapshot: Bytes,
    pub(super) events: broadcast::Receiver<Bytes>,
}

impl Watcher {
    /// Starts the task.
    pub(crate) fn start(engine: Engine) -> (Watcher, WatcherTask) {
        let (joins, waiting) = mpsc::channel(JOINS_WAITING_MAX);
        let (events, _) = broadcast::channel(EVENTS_WAITING_MAX);
        let watch =
            Watch { engine, events, number: 0, known: Arc::default(), calls: BTreeMap::new(), legs: HashMap::new() };
        (Watcher(joins), WatcherTask(tokio::spawn(watch.run(waiting))))
    }

    /// Begins to watch; `None` when the program is ending.
    pub(super) async fn join(&self) -> Option<Watching> {
        let (join, watching) = oneshot::channel();
        self.0.send(join).await.ok()?;
        watching.await.ok()
    }
}

impl Drop for WatcherTask {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// The state of the task: what the streams have been told.
struct Watch {
    engine: Engine,
    events: broadcast::Sender<Bytes>,
    number: u64,
    known: Arc<HashMap<ConversationId, u64>>,
    /// The live calls as they were told, in JSON, with their conversations.
    calls: BTreeMap<CallId, (ConversationId, String)>,
    /// The levels as they were told.
    legs: HashMap<ParticipantId, i32>,
}

impl Watch {
    async fn run(mut self, mut waiting: mpsc::Receiver<Join>) {
        let mut beat = interval(LOOK_INTERVAL);
        beat.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut media_told = Instant::now();
        loop {
            let is_watched = self.events.receiver_count() > 0;
            tokio::select! {
                join = waiting.recv() => match join {
                    Some(join) => self.admit(join, is_watched).await,
                    None => return,
                },
                _ = beat.tick(), if is_watched => {
                    let tells_media = media_told.elapsed() >= MEDIA_INTERVAL;
                    if tells_media {
                        media_told = Instant::now();
                    }
                    self.look(tells_media).await;
                }
            }
        }
    }

    /// Lets a reader begin. If nobody has watched for a while, what is known is old, and what has ended since is no news.
    async fn admit(&mut self, join: Join, is_watched: bool) {
        if !is_watched {
            (self.known, self.calls) = Default::default();
            self.look(false).await;
        }
        // The next look tells it all levels.
        self.legs.clear();
        let calls: Vec<&str> = self.calls.values().map(|(_, call)| call.as_str()).collect();
        let now = date_time(SystemTime::now());
        let snapshot = format!(r#"{{"dateTime":"{now}","calls":[{}]}}"#, calls.join(","));
        let watching = Watching { snapshot: self.event("snapshot", &snapshot), events: self.events.subscribe() };
        // It may have gone away.
        drop(join.send(watching));
    }

    async fn look(&mut self, tells_media: bool) {
        let Watched { revisions, changed, legs, is_whole } = self.engine.watch(&self.known).await;
        for call in changed {
            self.tell_call(call);
        }
        if is_whole {
            self.known = Arc::new(revisions.into_iter().collect());
            self.tell_ended().await;
        }
        self.tell_levels(&legs);
        if tells_media {
            self.tell_media(&legs);
        }
    }

    fn tell_call(&mut self, call: LiveCall) {
        let (id, conversation, is_over) = (call.id, call.conversation, call.state == CallState::Terminated);
        let shown = json!(Call::from(call)).to_string();
        if is_over {
            // Others go on in its conversation.
            if self.calls.remove(&id).is_some() {
                self.tell("ended", &format!(r#"{{"id":"{id}","call":{shown}}}"#));
            }
            return;
        }
        self.tell("call", &shown);
        self.calls.insert(id, (conversation, shown));
    }

    async fn tell_ended(&mut self) {
        let known = Arc::clone(&self.known);
        let ended: Vec<CallId> = self
            .calls
            .extract_if(.., |_, (conversation, _)| !known.contains_key(conversation))
            .map(|(id, _)| id)
            .collect();
        for id in ended {
            let last = self.engine.look_at(id).await.map(Call::from);
            self.tell("ended", &json!({ "id": id.to_string(), "call": last }).to_string());
        }
    }

    fn tell_levels(&mut self, legs: &[(ParticipantId, LiveMedia)]) {
        let now = legs.iter().map(|(participant, media)| (*participant, level(media.statistics.meter_dbfs)));
        let now: HashMap<ParticipantId, i32> = now.collect();
        let before = std::mem::replace(&mut self.legs, now);
        let changed = self.legs.iter().filter(|(participant, level)| before.get(*participant) != Some(level));
        let members: Vec<String> = changed.map(|(participant, level)| format!(r#""{participant}":{level}"#)).collect();
        if !members.is_empty() {
            self.tell("levels", &format!("{{{}}}", members.join(",")));
        }
    }

    fn tell_media(&mut self, legs: &[(ParticipantId, LiveMedia)]) {
        if legs.is_empty() {
            return;
        }
        let shown: HashMap<String, Media> =
            legs.iter().map(|(participant, media)| (participant.to_string(), Media::from(media))).collect();
        self.tell("media", &json!(shown).to_string());
    }

    fn tell(&mut self, name: &str, data: &str) {
        let event = self.event(name, data);
        // Without readers it is not wanted.
        let _ = self.events.send(event);
    }

    /// Writes an event out (HTML, section 9.2.5). JSON of ours has no line breaks.
    fn event(&mut self, name: &str, data: &str) -> Bytes {
        self.number += 1;
        Bytes::from(format!("id: {}\nevent: {name}\ndata: {data}\n\n", self.number))
    }
}
