//! What is kept: prompts in memory, found by their URI or by the name a call gave them.
//!
//! Memory is bounded: the prompts stand in a row, least recently used first, and those in front go when there are too
//! many. The two ways to find them hold no prompt alive by themselves.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Weak};
use std::time::Duration;

use tokio::time::Instant;

use super::freshness::{Freshness, Validators};
use super::prompt::Prompt;
use super::{CallScope, Limits};
use crate::outgoing::HttpUri;

pub(super) struct Shelf {
    row: VecDeque<Arc<Prompt>>,
    by_uri: HashMap<HttpUri, Known>,
    by_resource: HashMap<CallScope, HashMap<String, Resource>>,
    /// The calls in `by_resource`, oldest first.
    calls: VecDeque<CallScope>,
    calls_max: usize,
    kept_bytes_max: usize,
    kept_count_max: usize,
    resources_per_call_max: usize,
}

/// What a URI last answered.
pub(super) struct Known {
    prompt: Weak<Prompt>,
    fresh_until: Instant,
    freshness: Freshness,
    validators: Option<Validators>,
}

/// What a `resourceId` stands for within its call.
struct Resource {
    uri: HttpUri,
    prompt: Weak<Prompt>,
}

/// Where a prompt came from, and until when and for how long it is fresh.
pub(super) type Source<'a> = (&'a HttpUri, Option<(Instant, Duration)>);

/// What a call's name for a prompt leads to.
pub(super) enum Claim {
    /// The prompt itself.
    Kept(Arc<Prompt>),
    /// The URI to fetch it from: the first that came with the name.
    From(HttpUri),
}

/// A prompt that is no longer fresh, and how to ask whether it still holds.
pub(super) struct Stale {
    pub(super) prompt: Arc<Prompt>,
    pub(super) freshness: Freshness,
    pub(super) validators: Validators,
}

impl Shelf {
    pub(super) fn new(limits: &Limits) -> Self {
        Self {
            row: VecDeque::new(),
            by_uri: HashMap::new(),
            by_resource: HashMap::new(),
            calls: VecDeque::new(),
            calls_max: limits.calls,
            kept_bytes_max: limits.kept_bytes,
            kept_count_max: limits.kept_count,
            resources_per_call_max: limits.resources_per_call,
        }
    }

    /// Ties a name to a URI for as long as the call lives, unless it is tied already.
    pub(super) fn claim(&mut self, scope: CallScope, id: &str, uri: HttpUri) -> Claim {
        if let Some(prompt) = self.by_resource(scope, id) {
            return Claim::Kept(prompt);
        }
        if let Some(resource) = self.resource(scope, id) {
            return Claim::From(resource.uri.clone());
        }
        let resources_max = self.resources_per_call_max;
        let resources = self.resources_of(scope);
        if resources.len() < resources_max {
            resources.insert(id.to_owned(), Resource { uri: uri.clone(), prompt: Weak::new() });
        }
        Claim::From(uri)
    }

    /// Ends what a claim of this URI began: the name now stands for the prompt, or, where there is none, for nothing.
    ///
    /// Changes nothing when the call has been forgotten meanwhile, or the name stands for another URI.
    pub(super) fn settle(&mut self, scope: CallScope, id: &str, uri: &HttpUri, prompt: Option<&Arc<Prompt>>) {
        let Some(resources) = self.by_resource.get_mut(&scope) else { return };
        let Some(resource) = resources.get_mut(id).filter(|resource| resource.uri == *uri) else { return };
        match prompt {
            Some(prompt) => {
                resource.prompt = Arc::downgrade(prompt);
                self.touch(prompt);
            }
            None => drop(resources.remove(id)),
        }
    }

    /// What can be played without asking anybody: what the call keeps under the name, however old, else what the name's
    /// URI last answered, if that is fresh.
    pub(super) fn find(
        &mut self,
        scope: CallScope,
        id: Option<&str>,
        uri: &HttpUri,
        now: Instant,
    ) -> Option<Arc<Prompt>> {
        let Some(id) = id else { return self.fresh(uri, now) };
        match self.resource(scope, id).map(|resource| resource.uri.clone()) {
            Some(claimed) => self.by_resource(scope, id).or_else(|| self.fresh(&claimed, now)),
            None => self.fresh(uri, now),
        }
    }

    fn by_resource(&mut self, scope: CallScope, id: &str) -> Option<Arc<Prompt>> {
        let prompt = self.resource(scope, id)?.prompt.upgrade()?;
        self.touch(&prompt);
        Some(prompt)
    }

    fn resource(&self, scope: CallScope, id: &str) -> Option<&Resource> {
        self.by_resource.get(&scope)?.get(id)
    }

    /// What a URI last answered, if that may be used without asking again.
    pub(super) fn fresh(&mut self, uri: &HttpUri, now: Instant) -> Option<Arc<Prompt>> {
        let known = self.by_uri.get(uri).filter(|known| now < known.fresh_until)?;
        let prompt = known.prompt.upgrade()?;
        self.touch(&prompt);
        Some(prompt)
    }

    /// What a URI last answered, if the origin can be asked whether that still holds.
    pub(super) fn stale(&self, uri: &HttpUri) -> Option<Stale> {
        let known = self.by_uri.get(uri)?;
        Some(Stale {
            prompt: known.prompt.upgrade()?,
            freshness: known.freshness,
            validators: known.validators.clone()?,
        })
    }

    /// Keeps what a URI answered, as far as its origin allows.
    pub(super) fn keep(
        &mut self,
        uri: &HttpUri,
        prompt: &Arc<Prompt>,
        freshness: Freshness,
        validators: Option<Validators>,
        now: Instant,
    ) {
        if !freshness.storable {
            self.by_uri.remove(uri);
            return;
        }
        let fresh_until = now + freshness.lifetime;
        let known = Known { prompt: Arc::downgrade(prompt), fresh_until, freshness, validators };
        self.by_uri.insert(uri.clone(), known);
        self.touch(prompt);
    }

    /// Lists what is kept, last used first, each with the URIs that it was fetched from and until when they are fresh. One
    /// that only a call's name leads to has that name's URI, and is good as long as the call.
    pub(super) fn list(&self) -> Vec<(&Arc<Prompt>, Vec<Source<'_>>)> {
        let mut sources: HashMap<*const Prompt, Vec<Source<'_>>> = HashMap::new();
        for (uri, known) in &self.by_uri {
            let freshness = Some((known.fresh_until, known.freshness.lifetime));
            sources.entry(known.prompt.as_ptr()).or_default().push((uri, freshness));
        }
        for resource in self.by_resource.values().flat_map(HashMap::values) {
            let known = sources.entry(resource.prompt.as_ptr()).or_default();
            if known.is_empty() {
                known.push((&resource.uri, None));
            }
        }
        let listed = |prompt| (prompt, sources.remove(&Arc::as_ptr(prompt)).unwrap_or_default());
        self.row.iter().rev().map(listed).collect()
    }

    /// Forgets a call's names.
    pub(super) fn forget(&mut self, scope: CallScope) {
        if self.by_resource.remove(&scope).is_some() {
            self.calls.retain(|call| *call != scope);
        }
    }

    fn resources_of(&mut self, scope: CallScope) -> &mut HashMap<String, Resource> {
        if !self.by_resource.contains_key(&scope) {
            self.calls.push_back(scope);
        }
        if self.calls.len() > self.calls_max {
            let oldest = self.calls.pop_front().expect("there are more than the limit");
            self.by_resource.remove(&oldest);
        }
        self.by_resource.entry(scope).or_default()
    }

    /// Moves a prompt to the end of the row and makes room for it.
    fn touch(&mut self, prompt: &Arc<Prompt>) {
        self.row.retain(|kept| !Arc::ptr_eq(kept, prompt));
        self.row.push_back(Arc::clone(prompt));
        while self.is_overfull() {
            self.row.pop_front();
            self.by_uri.retain(|_, known| known.prompt.strong_count() > 0);
        }
    }

    fn is_overfull(&self) -> bool {
        let bytes: usize = self.row.iter().map(|prompt| prompt.size_bytes()).sum();
        self.row.len() > self.kept_count_max || bytes > self.kept_bytes_max
    }
}
