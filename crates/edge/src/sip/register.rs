//! REGISTER as a registrar answers it (RFC 3261 §10.3): who asks, may they, what changed.

use std::time::Instant;

use super::authenticator::Verdict;
use super::endpoint::Endpoint;
use super::event::Event;
use super::flow::Flow;
use super::header::Name;
use super::received::Received;
use super::registrar::{Change, RegisterError};
use super::status::Status;
use super::transaction::ServerId;

impl Endpoint {
    pub(super) fn receive_register(&mut self, server: ServerId, received: &Received, now: Instant) {
        let request = &received.request;
        match self.authenticator.check(request, &self.config.users, received.flow, now) {
            Verdict::Granted(user) => self.serve_register(server, user, received, now),
            Verdict::Denied => self.challenge(server, received.flow, false, now),
            Verdict::Wrong { is_proven } => {
                self.guard.fail(received.flow, is_proven, now);
                self.challenge(server, received.flow, false, now);
            }
            Verdict::Stale => self.challenge(server, received.flow, true, now),
        }
    }

    /// Asks who it is (401).
    pub(super) fn challenge(&mut self, server: ServerId, flow: Flow, stale: bool, now: Instant) {
        let challenges = self.authenticator.challenges(flow, stale, now);
        self.respond_with(server, Status::UNAUTHORIZED, now, |response| {
            for challenge in challenges {
                response.headers.push(Name::WwwAuthenticate, challenge);
            }
        });
    }

    fn serve_register(&mut self, server: ServerId, user: usize, received: &Received, now: Instant) {
        let is_own = received.to.uri.user().as_deref() == Some(self.registrar.user(user));
        if !is_own {
            return self.respond_warning(server, Status::FORBIDDEN, "users register only themselves", now);
        }
        match self.registrar.register(user, received, now) {
            Ok(change) => {
                self.respond_bindings(server, user, now);
                self.tell_change(user, change);
            }
            Err(error) => self.refuse_register(server, error, now),
        }
    }

    fn respond_bindings(&mut self, server: ServerId, user: usize, now: Instant) {
        let bindings = self.registrar.bindings(self.registrar.user(user), now);
        let contacts: Vec<_> = bindings.map(|binding| binding.contact_value(now)).collect();
        self.respond_with(server, Status::OK, now, |response| {
            for contact in contacts {
                response.headers.push(Name::Contact, contact);
            }
        });
    }

    fn tell_change(&mut self, user: usize, change: Change) {
        let user = self.registrar.user(user).to_owned();
        match change {
            Change::Added => self.events.push_back(Event::Registered { user }),
            Change::Emptied => self.events.push_back(Event::Unregistered { user }),
            Change::Same => {}
        }
    }

    fn refuse_register(&mut self, server: ServerId, error: RegisterError, now: Instant) {
        let status = match error {
            RegisterError::Contact => Status::BAD_REQUEST,
            RegisterError::TooBrief => Status::INTERVAL_TOO_BRIEF,
            RegisterError::OutOfOrder => Status::SERVER_INTERNAL_ERROR,
            RegisterError::TooMany => Status::FORBIDDEN,
        };
        let warning = format!("399 {} \"{error}\"", self.config.udp);
        let min_s = self.config.registrar.expires_min.as_secs();
        self.respond_with(server, status, now, |response| {
            response.headers.push(Name::Warning, warning);
            if error == RegisterError::TooBrief {
                response.headers.push(Name::MinExpires, min_s);
            }
        });
    }
}
