//! Which browsers are open, and for whom they ring.
//!
//! A browser is open for a user while somebody reads its news. It is told of everybody who calls the user, also of those
//! who did so before it was opened, and of the calls that the user is in: a page that was reloaded goes on.

use crate::sip_loop::LegAddress;
use call::{CallId, Identity, ParticipantId};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard};
use tokio::sync::mpsc;

/// How many browsers of one user are open at a time: more pages than anybody looks at. Each costs a connection.
const BROWSERS_PER_USER_MAX: usize = 16;

/// News that wait for a browser. One that reads so slowly is closed; when it opens again it is told how things are.
const NEWS_WAITING_MAX: usize = 64;

/// Something that an open browser is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BrowserEvent {
    /// Somebody calls the user.
    Called {
        /// The roster entry that the user gets by answering, which is also the name of this call in requests.
        participant: ParticipantId,
        /// The call that it is in.
        call: CallId,
        /// Who is in it now.
        present: Vec<Identity>,
    },
    /// The user is in this call by a browser, which may be this one before its page was reloaded.
    InCall {
        /// As in [`BrowserEvent::Called`].
        participant: ParticipantId,
        /// As in [`BrowserEvent::Called`].
        call: CallId,
    },
    /// It rings no more.
    Over {
        /// What [`BrowserEvent::Called`] named.
        participant: ParticipantId,
        /// Why.
        end: RingEnd,
    },
}

/// Why it rings no more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RingEnd {
    /// The user has answered: at a phone, or in another browser.
    AnsweredElsewhere,
    /// The user has declined, in a browser.
    Declined,
    /// Nobody has answered in time, or the call is over.
    Over,
}

/// A browser that is open, until it is dropped.
#[derive(Debug)]
pub struct OpenBrowser(mpsc::Receiver<BrowserEvent>);

impl OpenBrowser {
    /// The next piece of news; `None` when the browser was too slow, or the server stops.
    pub async fn next(&mut self) -> Option<BrowserEvent> {
        self.0.recv().await
    }
}

/// A user has too many browsers open.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{BROWSERS_PER_USER_MAX} browsers of the user are open already")]
pub struct TooManyBrowsers;

/// A call that rings, or is answered, in a user's browsers.
#[derive(Clone, Debug)]
pub(crate) struct Call {
    /// The object id of the user.
    pub(crate) user: String,
    pub(crate) leg: LegAddress,
    pub(crate) call: CallId,
    pub(crate) present: Vec<Identity>,
}

/// All of it. The lock is held for a few lookups, by workers too, but only when a call begins to ring, is answered or ends.
#[derive(Clone, Debug, Default)]
pub(crate) struct Bells(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    open: HashMap<String, Vec<mpsc::Sender<BrowserEvent>>>,
    ringing: HashMap<ParticipantId, Call>,
    answered: HashMap<ParticipantId, Call>,
}

impl Bells {
    /// Opens a browser of a user.
    pub(crate) fn open(&self, user: &str) -> Result<OpenBrowser, TooManyBrowsers> {
        let (sender, receiver) = mpsc::channel(NEWS_WAITING_MAX);
        let mut state = self.state();
        let user = key(user);
        let in_call = |call: &Call| BrowserEvent::InCall { participant: call.leg.participant, call: call.call };
        let ringing = state.ringing.values().filter(|call| call.user == user).map(called);
        let in_calls = state.answered.values().filter(|call| call.user == user).map(in_call);
        let now: Vec<_> = ringing.chain(in_calls).collect();
        let open = state.open.entry(user).or_default();
        open.retain(|sender| !sender.is_closed());
        if open.len() >= BROWSERS_PER_USER_MAX {
            return Err(TooManyBrowsers);
        }
        now.into_iter().for_each(|event| drop(sender.try_send(event)));
        open.push(sender);
        Ok(OpenBrowser(receiver))
    }

    /// Rings for a user. Returns whether any browser is open.
    pub(crate) fn ring(&self, call: Call) -> bool {
        let call = Call { user: key(&call.user), ..call };
        let mut state = self.state();
        let is_heard = state.tell(&call.user, &called(&call));
        if is_heard {
            state.ringing.insert(call.leg.participant, call);
        }
        is_heard
    }

    /// It rings no more.
    pub(crate) fn stop(&self, participant: ParticipantId, end: RingEnd) {
        let mut state = self.state();
        if let Some(call) = state.ringing.remove(&participant) {
            state.tell(&call.user, &BrowserEvent::Over { participant, end });
        }
    }

    /// The call has been answered in one of the browsers.
    pub(crate) fn answered(&self, call: Call) {
        self.state().answered.insert(call.leg.participant, call);
    }

    /// A leg has ended, in whatever state it was.
    pub(crate) fn forget(&self, participant: ParticipantId) {
        self.stop(participant, RingEnd::Over);
        self.state().answered.remove(&participant);
    }

    /// Finds a call that rings for a user.
    pub(crate) fn ringing(&self, user: &str, participant: ParticipantId) -> Option<Call> {
        self.state().ringing.get(&participant).filter(|call| call.user == key(user)).cloned()
    }

    /// Finds a call that a user has answered in a browser.
    pub(crate) fn leg(&self, user: &str, participant: ParticipantId) -> Option<LegAddress> {
        self.state().answered.get(&participant).filter(|call| call.user == key(user)).map(|call| call.leg)
    }

    /// Closes every browser: the server stops.
    pub(crate) fn close(&self) {
        self.state().open.clear();
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().expect("nothing panics while it holds the bells")
    }
}

impl State {
    /// Tells every open browser of a user. Those that do not keep up are closed. Returns whether there is one.
    fn tell(&mut self, user: &str, event: &BrowserEvent) -> bool {
        let Some(open) = self.open.get_mut(user) else { return false };
        open.retain(|browser| browser.try_send(event.clone()).is_ok());
        let is_told = !open.is_empty();
        if !is_told {
            self.open.remove(user);
        }
        is_told
    }
}

fn called(call: &Call) -> BrowserEvent {
    let Call { leg, call, present, .. } = call;
    BrowserEvent::Called { participant: leg.participant, call: *call, present: present.clone() }
}

/// Object ids are compared without regard to case, as the directory does.
fn key(user: &str) -> String {
    user.to_ascii_lowercase()
}
