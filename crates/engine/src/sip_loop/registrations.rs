//! The trunks at which we register, so that they find us.
//!
//! The endpoint keeps a registration up and tries again where a registrar was away. What it cannot do is done here: the
//! registrar's name is looked up, its other addresses are tried, it is looked up again when all of them have failed, and a
//! refusal is not taken for the last word, since only somebody at the provider can change it and nobody here is told.

use super::phone::Phone;
use crate::config::Trunk;
use edge::sip::{Credentials, Destination, Endpoint, Registration, RegistrationKey, RegistrationState, Uri};
use rustls::pki_types::ServerName;
use std::collections::VecDeque;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

/// How long a registration is to live. More leaves us unreachable for longer after the provider has lost it, less is
/// traffic.
const EXPIRES: Duration = Duration::from_secs(600);

/// How long we wait after a refusal, and after a name that led nowhere. Less may get us banned for a wrong password.
const REFUSED_DELAY: Duration = Duration::from_secs(300);

/// Every registration of ours.
#[derive(Debug)]
pub(super) struct Registrations {
    trunks: Vec<Registering>,
    /// What is to be looked up after how long; then [`Registrations::found`].
    lookups: Vec<(RegistrationKey, Duration)>,
}

#[derive(Debug)]
struct Registering {
    name: String,
    registrar: Phone,
    address_of_record: Uri,
    credentials: Credentials,
    /// Where it is tried next.
    next: VecDeque<Destination>,
    is_registered: bool,
    is_looked_up: bool,
}

impl Registrations {
    /// Wants to be registered at every trunk that wants it.
    pub(super) fn new(trunks: &[Trunk]) -> Self {
        let trunks: Vec<_> = trunks.iter().filter(|trunk| trunk.registers).filter_map(Registering::at).collect();
        let lookups = (0..).map(RegistrationKey).zip(std::iter::repeat(Duration::ZERO)).take(trunks.len()).collect();
        Self { trunks, lookups }
    }

    /// Takes out which registrars are to be looked up, after how long.
    pub(super) fn take_lookups(&mut self) -> Vec<(RegistrationKey, Duration, Phone)> {
        let lookups = std::mem::take(&mut self.lookups).into_iter();
        lookups.filter_map(|(key, delay)| Some((key, delay, self.of(key)?.registrar.clone()))).collect()
    }

    /// A registrar is at these addresses, or nowhere. Returns who must be there.
    pub(super) fn found(
        &mut self,
        endpoint: &mut Endpoint,
        key: RegistrationKey,
        destinations: Vec<Destination>,
        now: Instant,
    ) -> Option<(SocketAddr, ServerName<'static>)> {
        let registering = self.of(key)?;
        registering.is_looked_up = false;
        registering.next = destinations.into();
        if registering.is_registered {
            return None;
        }
        if registering.next.is_empty() {
            tracing::warn!(trunk = registering.name, "the registrar of a trunk is not found");
            self.look_up(key, REFUSED_DELAY);
            return None;
        }
        self.register(endpoint, key, now)
    }

    fn register(
        &mut self,
        endpoint: &mut Endpoint,
        key: RegistrationKey,
        now: Instant,
    ) -> Option<(SocketAddr, ServerName<'static>)> {
        let registering = self.of(key)?;
        let destination = registering.next.pop_front()?;
        let registration = Registration {
            registrar: registering.registrar.target.clone(),
            destination: Some(destination),
            address_of_record: registering.address_of_record.clone(),
            credentials: Some(registering.credentials.clone()),
            expires: EXPIRES,
        };
        if !endpoint.register_elsewhere(key, destination, now) {
            endpoint.register(key, registration, now);
        }
        registering.registrar.reached_at(destination).tls_name()
    }

    /// Takes in what became of a registration. Returns who must be at the address that is tried next.
    pub(super) fn changed(
        &mut self,
        endpoint: &mut Endpoint,
        key: RegistrationKey,
        state: RegistrationState,
        now: Instant,
    ) -> Option<(SocketAddr, ServerName<'static>)> {
        let registering = self.of(key)?;
        registering.tell(state);
        registering.is_registered = matches!(state, RegistrationState::Registered { .. });
        let RegistrationState::Failed { retry, .. } = state else { return None };
        if !registering.next.is_empty() {
            return self.register(endpoint, key, now);
        }
        // Before the endpoint tries the last address again: RFC 5626 §4.5 wants half to all of the time.
        self.look_up(key, retry.map_or(REFUSED_DELAY, |retry| retry * 3 / 4));
        None
    }

    fn look_up(&mut self, key: RegistrationKey, delay: Duration) {
        if let Some(registering) = self.of(key).filter(|registering| !registering.is_looked_up) {
            registering.is_looked_up = true;
            self.lookups.push((key, delay));
        }
    }

    /// Takes all registrations back; nobody waits for the answers.
    pub(super) fn leave(&self, endpoint: &mut Endpoint, now: Instant) {
        (0..).map(RegistrationKey).take(self.trunks.len()).for_each(|key| endpoint.unregister(key, now));
    }

    fn of(&mut self, key: RegistrationKey) -> Option<&mut Registering> {
        self.trunks.get_mut(usize::try_from(key.0).ok()?)
    }
}

impl Registering {
    /// `None` for a trunk that knows us by our address.
    fn at(trunk: &Trunk) -> Option<Self> {
        let credentials = trunk.credentials.clone()?;
        Some(Self {
            name: trunk.name.clone(),
            registrar: Phone::server(trunk),
            address_of_record: Uri::sip(Some(&credentials.user), trunk.host.clone()),
            credentials,
            next: VecDeque::new(),
            is_registered: false,
            is_looked_up: true,
        })
    }

    fn tell(&self, state: RegistrationState) {
        let is_registered = matches!(state, RegistrationState::Registered { .. });
        metrics::gauge!("fermata_sip_trunk_registered", "trunk" => self.name.clone()).set(if is_registered {
            1.0
        } else {
            0.0
        });
        match state {
            RegistrationState::Registered { expires } => {
                tracing::debug!(trunk = self.name, ?expires, "registered at a trunk");
            }
            RegistrationState::Unregistered => tracing::debug!(trunk = self.name, "no more registered at a trunk"),
            RegistrationState::Failed { status, retry } => {
                tracing::warn!(trunk = self.name, %status, ?retry, "not registered at a trunk");
            }
        }
    }
}
