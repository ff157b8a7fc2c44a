//! Many light phones in one thread, for load: they answer, speak and count what they hear.
//!
//! A [`Phone`](crate::Phone) is a thread that decodes and remembers everything. A member of a crowd sends payloads that
//! were encoded once for all, counts what arrives and throws it away; only a member that is watched decodes. So one core
//! carries hundreds of them, and the load weighs on the measured server as little as it can.

mod agent;
mod deviations;
mod member;
mod schedule;
mod watch;

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use edge::sdp::SrtpPolicy;
use media::Codec;
use mio::Waker;

use crate::config::Speech;
use agent::Agent;
pub use deviations::Deviations;
pub use watch::Watch;

/// What the phones of a crowd are and say.
#[derive(Debug, Clone)]
pub struct CrowdConfig {
    /// The address they listen on. The ports are free ones that the system chooses.
    pub listen: IpAddr,
    /// How many there are.
    pub phones: usize,
    /// The one codec they can do.
    pub codec: Codec,
    /// What they say: the n-th phone says the n-th of these, and it begins again behind the last. At least one.
    pub says: Vec<Speech>,
    /// What watched phones listen for.
    pub watch: Watch,
    /// Whether their sound is encrypted, with keys in their descriptions.
    pub srtp: SrtpPolicy,
}

/// Many phones, switched on. Dropping it switches them off; calls that are up are left without a word.
#[derive(Debug)]
pub struct Crowd {
    sip: SocketAddr,
    shared: Arc<Shared>,
    waker: Waker,
    thread: Option<JoinHandle<()>>,
}

/// What is seen of a crowd.
#[derive(Debug, Clone, Default)]
pub struct CrowdObservation {
    /// How many phones are in a call in which sound has arrived.
    pub reached: usize,
    /// What went to and fro since it was last taken with [`Crowd::take_traffic`].
    pub traffic: Traffic,
    watched: Vec<watch::Watched>,
}

/// Counts of packets of sound, over all phones.
#[derive(Debug, Clone, Default)]
pub struct Traffic {
    /// How many the phones sent.
    pub sent: u64,
    /// How many arrived.
    pub received: u64,
    /// How many never came: gaps in the sequence numbers (RFC 3550 §A.3).
    pub lost: u64,
    /// How far from 20 ms after its predecessor each one arrived.
    pub deviations: Deviations,
}

/// A condition did not come true in time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not within {waited:?}; sound has reached {reached} phones")]
pub struct CrowdTimedOut {
    /// How long was waited.
    pub waited: Duration,
    /// How many phones were in a call with sound then.
    pub reached: usize,
}

/// What the thread and the handle both see.
#[derive(Debug, Default)]
pub(crate) struct Shared {
    state: Mutex<SharedState>,
    changed: Condvar,
}

#[derive(Debug, Default)]
pub(crate) struct SharedState {
    observation: CrowdObservation,
    /// Who is to hang up.
    hanging_up: Vec<usize>,
    is_off: bool,
}

impl Crowd {
    /// Switches the phones on.
    ///
    /// # Errors
    ///
    /// What the system says when it has no sockets or thread to give: one socket for each phone and a few more.
    ///
    /// # Panics
    ///
    /// If there is nothing to say, not even silence.
    pub fn start(config: CrowdConfig) -> io::Result<Crowd> {
        assert!(!config.says.is_empty(), "a crowd says something, and be it silence");
        let shared = Arc::new(Shared::default());
        shared.lock().observation.watched.resize_with(config.phones, Default::default);
        let (agent, waker) = Agent::new(config, Arc::clone(&shared))?;
        let sip = agent.sip();
        let thread = std::thread::Builder::new().name("crowd".to_owned()).spawn(move || agent.run())?;
        Ok(Crowd { sip, shared, waker, thread: Some(thread) })
    }

    /// Returns the address at which the n-th phone is called, counted from 0.
    pub fn uri(&self, n: usize) -> String {
        format!("sip:{}@{}", agent::user(n), self.sip)
    }

    /// Lets the n-th phone hang up. Without a call nothing happens.
    pub fn hang_up(&self, n: usize) {
        self.shared.lock().hanging_up.push(n);
        // The thread ends only with the crowd.
        let _ = self.waker.wake();
    }

    /// Returns what went to and fro since the last time, and counts anew.
    pub fn take_traffic(&self) -> Traffic {
        std::mem::take(&mut self.shared.lock().observation.traffic)
    }

    /// Watches these phones for the tone, and no others.
    pub fn watch(&self, phones: &[usize]) {
        let mut state = self.shared.lock();
        for (n, watched) in state.observation.watched.iter_mut().enumerate() {
            watched.switch(phones.contains(&n));
        }
    }

    /// Waits until a condition holds. It is looked at whenever a phone has been reached and whenever the tone begins or
    /// ends at a watched one.
    ///
    /// # Errors
    ///
    /// [`CrowdTimedOut`] if it does not hold within `timeout`.
    pub fn wait_until(
        &self,
        timeout: Duration,
        mut condition: impl FnMut(&CrowdObservation) -> bool,
    ) -> Result<(), CrowdTimedOut> {
        let guard = self.shared.lock();
        let waiting = self.shared.changed.wait_timeout_while(guard, timeout, |state| !condition(&state.observation));
        let (state, outcome) = waiting.unwrap_or_else(PoisonError::into_inner);
        match outcome.timed_out() {
            true => Err(CrowdTimedOut { waited: timeout, reached: state.observation.reached }),
            false => Ok(()),
        }
    }

    /// Looks at everything there is to see, at one moment. The phones stand still meanwhile, so be quick.
    pub fn observe<T>(&self, look: impl FnOnce(&CrowdObservation) -> T) -> T {
        look(&self.shared.lock().observation)
    }
}

impl CrowdObservation {
    /// Returns since when the n-th phone hears the tone without a break: when its first packet with it arrived. `None`
    /// while it does not hear it, and for a phone that is not watched.
    pub fn tone_since(&self, n: usize) -> Option<Instant> {
        self.watched.get(n)?.since()
    }
}

impl Drop for Crowd {
    fn drop(&mut self) {
        self.shared.lock().is_off = true;
        let _ = self.waker.wake();
        if let Some(thread) = self.thread.take() {
            // A panic of the thread has been printed; there is nobody here to give it to.
            let _ = thread.join();
        }
    }
}

impl Shared {
    /// A panic of a condition under the lock changed nothing, so the state stays good.
    fn lock(&self) -> MutexGuard<'_, SharedState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
