//! The registrar's table: which contacts a user has, and over which flow each is reached (RFC 3261 §10.3, RFC 5626 §5).

use std::time::{Duration, Instant};

use super::config::RegistrarLimits;
use super::digest::Credentials;
use super::flow::{Destination, Flow, Transport};
use super::header::Name;
use super::name_addr::NameAddr;
use super::received::Received;
use super::timers::Timers;
use super::uri::Uri;

/// One contact of a user.
#[derive(Debug, Clone)]
pub struct Binding {
    /// Where the phone says it is: the target of an INVITE.
    pub contact: Uri,
    /// Where its REGISTER came from: the way an INVITE takes.
    pub flow: Flow,
    /// When the binding ends.
    pub expires: Instant,
    /// The phone's product name.
    pub user_agent: Option<String>,
    /// `+sip.instance`: the same phone after a restart (RFC 5626 §4.1).
    instance: Option<String>,
    call_id: String,
    cseq: u32,
}

impl Binding {
    /// Returns where an INVITE to this contact is sent.
    pub fn destination(&self) -> Destination {
        Destination::Flow(self.flow)
    }
}

/// Says why a REGISTER is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum RegisterError {
    #[error("a Contact can't be read, or * stands beside another or without Expires 0")]
    Contact,
    #[error("the wish is shorter than the registrar allows")]
    TooBrief,
    #[error("the REGISTER is older than one that was served")]
    OutOfOrder,
    #[error("the user has too many contacts")]
    TooMany,
}

/// What a REGISTER changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Change {
    /// A contact was added.
    Added,
    /// The last contact was removed.
    Emptied,
    /// Nothing that anybody has to know.
    Same,
}

/// A Contact of a REGISTER and how long it wants to live.
struct Wish {
    contact: NameAddr,
    expires: Duration,
}

/// The bindings of all users.
pub(super) struct Registrar {
    limits: RegistrarLimits,
    users: Vec<String>,
    /// By the user's index, each list from the oldest to the newest.
    bindings: Vec<Vec<Binding>>,
    timers: Timers<usize>,
}

impl Registrar {
    pub(super) fn new(users: &[Credentials], limits: RegistrarLimits) -> Registrar {
        Registrar {
            limits,
            users: users.iter().map(|user| user.user.clone()).collect(),
            bindings: vec![Vec::new(); users.len()],
            timers: Timers::new(),
        }
    }

    pub(super) fn bindings(&self, user: &str, now: Instant) -> impl Iterator<Item = &Binding> {
        let index = self.users.iter().position(|known| known == user);
        let bindings = index.map_or(&[][..], |index| &self.bindings[index]);
        bindings.iter().rev().filter(move |binding| binding.expires > now)
    }

    /// Returns whose phone is registered over a flow.
    pub(super) fn user_of(&self, flow: Flow, now: Instant) -> Option<&str> {
        let is_over =
            |bindings: &Vec<Binding>| bindings.iter().any(|binding| binding.flow == flow && binding.expires > now);
        self.bindings.iter().position(is_over).map(|user| self.users[user].as_str())
    }

    /// Returns the name of a user.
    pub(super) fn user(&self, index: usize) -> &str {
        &self.users[index]
    }

    /// Serves a REGISTER: all of it, or nothing (RFC 3261 §10.3).
    pub(super) fn register(&mut self, user: usize, received: &Received, now: Instant) -> Result<Change, RegisterError> {
        let is_empty = self.bindings[user].is_empty();
        let change = match is_for_all(received)? {
            true => self.remove_all(user, received)?,
            false => self.update(user, received, now)?,
        };
        self.set_timer(user);
        match self.bindings[user].is_empty() && !is_empty {
            true => Ok(Change::Emptied),
            false => Ok(change),
        }
    }

    fn remove_all(&mut self, user: usize, received: &Received) -> Result<Change, RegisterError> {
        if self.bindings[user].iter().any(|binding| binding.is_newer_than(received)) {
            return Err(RegisterError::OutOfOrder);
        }
        self.bindings[user].clear();
        Ok(Change::Same)
    }

    fn update(&mut self, user: usize, received: &Received, now: Instant) -> Result<Change, RegisterError> {
        let wishes = self.wishes(received)?;
        let mut bindings = self.bindings[user].clone();
        bindings.retain(|binding| binding.expires > now);
        let count_before = bindings.len();
        for wish in wishes {
            let found = bindings.iter().position(|binding| binding.is_same(&wish.contact));
            let old = found.map(|at| bindings.remove(at));
            if old.is_some_and(|old| old.is_newer_than(received)) {
                return Err(RegisterError::OutOfOrder);
            }
            if !wish.expires.is_zero() {
                bindings.push(Binding::new(wish, received, now));
            }
        }
        if bindings.len() > self.limits.contacts_max {
            return Err(RegisterError::TooMany);
        }
        let is_more = bindings.len() > count_before;
        self.bindings[user] = bindings;
        Ok(if is_more { Change::Added } else { Change::Same })
    }

    fn wishes(&self, received: &Received) -> Result<Vec<Wish>, RegisterError> {
        let headers = &received.request.headers;
        let common_s = headers.number(&Name::Expires);
        let wish = |contact: &str| {
            let contact: NameAddr = contact.parse().map_err(|_| RegisterError::Contact)?;
            let own_s = contact.parameters.value("expires").and_then(|expires| expires.parse::<u32>().ok());
            let expires = own_s.or(common_s).map(|seconds| Duration::from_secs(seconds.into()));
            let expires = expires.unwrap_or(self.limits.expires_default).min(self.limits.expires_max);
            match !expires.is_zero() && expires < self.limits.expires_min {
                true => Err(RegisterError::TooBrief),
                false => Ok(Wish { contact, expires }),
            }
        };
        headers.list(&Name::Contact).map(wish).collect()
    }

    /// Forgets the contacts that registered over a TCP connection. Returns the users that have none left.
    pub(super) fn forget_flow(&mut self, flow: Flow) -> Vec<String> {
        match flow.transport {
            Transport::Tcp | Transport::Tls => self.forget(|binding| binding.flow == flow),
            Transport::Udp => Vec::new(),
        }
    }

    /// Forgets the contacts whose time is over. Returns the users that have none left.
    pub(super) fn expire(&mut self, now: Instant) -> Vec<String> {
        let mut is_due = false;
        while self.timers.pop_due(now).is_some() {
            is_due = true;
        }
        match is_due {
            true => self.forget(|binding| binding.expires <= now),
            false => Vec::new(),
        }
    }

    fn forget(&mut self, is_gone: impl Fn(&Binding) -> bool) -> Vec<String> {
        let mut emptied = Vec::new();
        for user in 0..self.users.len() {
            let was_empty = self.bindings[user].is_empty();
            self.bindings[user].retain(|binding| !is_gone(binding));
            self.set_timer(user);
            if self.bindings[user].is_empty() && !was_empty {
                emptied.push(self.users[user].clone());
            }
        }
        emptied
    }

    pub(super) fn deadline(&self) -> Option<Instant> {
        self.timers.next()
    }

    fn set_timer(&mut self, user: usize) {
        match self.bindings[user].iter().map(|binding| binding.expires).min() {
            Some(expires) => self.timers.set(user, expires),
            None => self.timers.clear(user),
        }
    }
}

impl Binding {
    fn new(wish: Wish, received: &Received, now: Instant) -> Binding {
        let user_agent = received.request.headers.first(&Name::UserAgent);
        Binding {
            instance: wish.contact.parameters.value("+sip.instance").map(str::to_owned),
            contact: wish.contact.uri,
            flow: received.flow,
            expires: now + wish.expires,
            user_agent: user_agent.map(str::to_owned),
            call_id: received.call_id.clone(),
            cseq: received.cseq.number,
        }
    }

    fn is_same(&self, contact: &NameAddr) -> bool {
        let instance = contact.parameters.value("+sip.instance");
        self.contact == contact.uri || instance.is_some_and(|instance| self.instance.as_deref() == Some(instance))
    }

    /// Tells whether the REGISTER was overtaken by one of the same phone (RFC 3261 §10.3, step 7).
    fn is_newer_than(&self, received: &Received) -> bool {
        self.call_id == received.call_id && self.cseq >= received.cseq.number
    }

    /// Writes the binding for a 200 (RFC 3261 §10.3, step 8).
    pub(super) fn contact_value(&self, now: Instant) -> NameAddr {
        let mut contact = NameAddr::new(self.contact.clone());
        // Rounded up: what is alive must not look dead.
        let seconds = self.expires.saturating_duration_since(now).as_millis().div_ceil(1000);
        contact.parameters.set("expires", Some(&seconds.to_string()));
        if let Some(instance) = &self.instance {
            contact.parameters.set("+sip.instance", Some(instance));
        }
        contact
    }
}

/// Tells whether the REGISTER removes all contacts: `Contact: *` with `Expires: 0`.
fn is_for_all(received: &Received) -> Result<bool, RegisterError> {
    let headers = &received.request.headers;
    let contacts: Vec<&str> = headers.list(&Name::Contact).collect();
    if !contacts.contains(&"*") {
        return Ok(false);
    }
    match contacts.len() == 1 && headers.number(&Name::Expires) == Some(0) {
        true => Ok(true),
        false => Err(RegisterError::Contact),
    }
}
