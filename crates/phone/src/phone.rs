//! The handle of a phone. The phone itself is a thread, see `agent.rs`.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::net::SocketAddr;
use std::path::Path;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use edge::sdp::Direction;
use edge::sip::{Replaces, SipUri, Transport, Uri};
use media::{Codec, Key};
use mio::Waker;

use crate::agent::Agent;
use crate::config::Config;
use crate::hearing::{Hearing, Packet, Statistics};
use crate::manner::Manner;
use crate::recording::lay_out;
use crate::state::{Hold, Observation, State};
use crate::window::Window;
use media::write_wav;

/// A SIP phone, switched on. Dropping it hangs up, switches it off and waits until it is off.
#[derive(Debug)]
pub struct Phone {
    uri: String,
    rtp: SocketAddr,
    transport: Transport,
    shared: Arc<Shared>,
    commands: Sender<Command>,
    waker: Arc<Waker>,
    thread: Option<JoinHandle<()>>,
}

/// What its thread and its handle both see.
#[derive(Debug)]
pub(crate) struct Shared {
    observation: Mutex<Observation>,
    changed: Condvar,
}

/// What a person does with the phone.
#[derive(Debug)]
pub(crate) enum Command {
    Call(Uri, Option<Replaces>),
    Refer(SipUri, Option<Replaces>),
    HangUp,
    Hold(Hold),
    Renegotiate(Manner),
    Speak(Vec<Codec>),
    Move,
    Vanish,
    Press(Key),
    PressByInfo(Key),
    Unregister,
    SwitchOff,
}

/// A condition did not come true in time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not within {waited:?}; the phone is {state:?}")]
pub struct TimedOut {
    /// How long was waited.
    pub waited: Duration,
    /// Where the phone's call stood then.
    pub state: State,
}

/// A number that cannot be called.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{uri:?} is not a SIP URI with a numeric address and the phone's transport")]
pub struct NotCallable {
    /// What was to be called.
    pub uri: String,
}

impl Phone {
    /// Switches a phone on: it listens, and registers if it is to.
    ///
    /// # Errors
    ///
    /// What the system says when it has no socket or thread to give.
    pub fn start(config: Config) -> io::Result<Phone> {
        let shared = Arc::new(Shared::new(config.remembers));
        let (commands, orders): (_, Receiver<Command>) = channel();
        let (name, transport) = (config.name.clone(), config.transport);
        let (agent, waker) = Agent::new(config, Arc::clone(&shared), orders)?;
        let uri = uri_of(&name, agent.local(), transport);
        let rtp = agent.rtp_address();
        let thread = std::thread::Builder::new().name(format!("phone {name}")).spawn(move || agent.run())?;
        Ok(Phone { uri, rtp, transport, shared, commands, waker, thread: Some(thread) })
    }

    /// Returns the address at which the phone is called directly, without a registrar.
    pub fn uri(&self) -> &str {
        &self.uri
    }

    /// Returns the address at which the phone receives RTP, until it moves.
    pub fn rtp(&self) -> SocketAddr {
        self.rtp
    }

    /// Calls somebody. A call that is up goes on, and this one is not made.
    ///
    /// # Errors
    ///
    /// [`NotCallable`] for what is no SIP URI, one whose host is a name (a phone looks nothing up), and one of another
    /// transport than the phone's.
    pub fn call(&self, uri: &str) -> Result<(), NotCallable> {
        self.call_in_place_of(uri, None)
    }

    /// Calls somebody to take the place of a dialog that it has with another phone (`Replaces`, RFC 3891).
    ///
    /// # Errors
    ///
    /// As [`Phone::call`].
    pub fn call_in_place_of(&self, uri: &str, replaces: Option<Replaces>) -> Result<(), NotCallable> {
        let not_callable = || NotCallable { uri: uri.to_owned() };
        let target: Uri = uri.parse().map_err(|_| not_callable())?;
        let destination = target.destination().ok_or_else(not_callable)?;
        if destination.transport() != self.transport {
            return Err(not_callable());
        }
        self.command(Command::Call(target, replaces));
        Ok(())
    }

    /// Asks its peer to call somebody instead (REFER, RFC 3515), in the place of a dialog of theirs if there is one. How
    /// that goes on is [`Observation::refer_status`]. Nothing happens without a call.
    ///
    /// # Errors
    ///
    /// [`NotCallable`] for what is no SIP URI.
    pub fn refer(&self, uri: &str, replaces: Option<Replaces>) -> Result<(), NotCallable> {
        let Ok(Uri::Sip(target)) = uri.parse() else { return Err(NotCallable { uri: uri.to_owned() }) };
        self.command(Command::Refer(target, replaces));
        Ok(())
    }

    /// Hangs up, gives up calling, or refuses the call that rings.
    pub fn hang_up(&self) {
        self.command(Command::HangUp);
    }

    /// Presses hold: a re-INVITE with `a=sendonly`. It has happened once [`Observation::hold`] says so.
    pub fn hold(&self) {
        self.hold_by(Hold::SendOnly);
    }

    /// Presses hold on a phone that has another way to say it. Without a call nothing happens.
    pub fn hold_by(&self, hold: Hold) {
        self.command(Command::Hold(hold));
    }

    /// Resumes: a re-INVITE with `a=sendrecv`.
    pub fn resume(&self) {
        self.hold_by(Hold::Off);
    }

    /// Renegotiates in this manner from now on, and calls so.
    pub fn set_manner(&self, manner: Manner) {
        self.command(Command::Renegotiate(manner));
    }

    /// Offers other codecs, best first.
    pub fn speak(&self, codecs: &[Codec]) {
        self.command(Command::Speak(codecs.to_vec()));
    }

    /// Takes another port for RTP, and offers it.
    pub fn move_rtp(&self) {
        self.command(Command::Move);
    }

    /// Is gone at once, without a word, as when its battery is taken out.
    pub fn vanish(&self) {
        self.command(Command::Vanish);
    }

    /// Presses a key for 100 ms (RFC 4733). Nothing happens without a call or if the peer takes no events.
    pub fn send_dtmf(&self, key: Key) {
        self.command(Command::Press(key));
    }

    /// Presses a key on a phone that tells of it by SIP INFO (`application/dtmf-relay`). Nothing happens without a call.
    pub fn send_dtmf_info(&self, key: Key) {
        self.command(Command::PressByInfo(key));
    }

    /// Takes itself out of the registrar.
    pub fn unregister(&self) {
        self.command(Command::Unregister);
    }

    /// Hangs up, takes itself out of the registrar and goes off, without waiting for it: dropping the phone waits. So
    /// many phones go off together rather than one after the other.
    pub fn switch_off(&self) {
        self.command(Command::SwitchOff);
    }

    /// Returns where the call stands.
    pub fn state(&self) -> State {
        self.observe(|observation| observation.state)
    }

    /// Waits until the call stands so.
    ///
    /// # Errors
    ///
    /// [`TimedOut`] if it does not within `timeout`.
    pub fn wait_for(&self, state: State, timeout: Duration) -> Result<(), TimedOut> {
        self.wait_until(timeout, |observation| observation.state == state)
    }

    /// Waits until a condition holds. It is looked at after every change and every packet.
    ///
    /// # Errors
    ///
    /// [`TimedOut`] if it does not hold within `timeout`.
    pub fn wait_until(
        &self,
        timeout: Duration,
        mut condition: impl FnMut(&Observation) -> bool,
    ) -> Result<(), TimedOut> {
        let guard = self.shared.lock();
        let waiting = self.shared.changed.wait_timeout_while(guard, timeout, |observation| !condition(observation));
        let (observation, outcome) = waiting.unwrap_or_else(PoisonError::into_inner);
        match outcome.timed_out() {
            true => Err(TimedOut { waited: timeout, state: observation.state }),
            false => Ok(()),
        }
    }

    /// Looks at everything there is to see, at one moment. The phone stands still meanwhile, so be quick.
    pub fn observe<T>(&self, look: impl FnOnce(&Observation) -> T) -> T {
        look(&self.shared.lock())
    }

    /// Returns what was heard in the last `length` until now.
    pub fn heard(&self, length: Duration) -> Window {
        let now = Instant::now();
        self.heard_between(now.checked_sub(length).unwrap_or(now), now)
    }

    /// Returns what arrived in a span of time.
    pub fn heard_between(&self, from: Instant, to: Instant) -> Window {
        self.observe(|observation| observation.hearing.between(from, to))
    }

    /// Returns what arrived in a span of time, cut into windows of one length.
    ///
    /// # Panics
    ///
    /// If the length is zero.
    pub fn heard_windows(&self, from: Instant, to: Instant, length: Duration) -> Vec<Window> {
        self.observe(|observation| observation.hearing.windows(from, to, length))
    }

    /// Returns the first packet of sound that arrived at or after `since` and is as wished, which is asked with the
    /// packet and its sound.
    pub fn first_packet_matching(
        &self,
        since: Instant,
        mut is_wished: impl FnMut(&Packet, &[i16]) -> bool,
    ) -> Option<Packet> {
        self.observe(|observation| {
            let hearing: &Hearing = &observation.hearing;
            let mut later = hearing.packets().filter(|packet| packet.arrival >= since);
            later.find(|packet| is_wished(packet, &hearing.sound_of(packet).copied().collect::<Vec<_>>())).copied()
        })
    }

    /// Returns the counts of what came to its RTP port.
    pub fn statistics(&self) -> Statistics {
        self.observe(|observation| observation.hearing.statistics())
    }

    /// Returns everything it remembers to have heard, laid out in time, and its rate in hertz.
    pub fn recording(&self) -> (Vec<i16>, u32) {
        self.observe(|observation| lay_out(&observation.hearing))
    }

    /// Writes [`Phone::recording`] as a WAV file.
    ///
    /// # Errors
    ///
    /// What the file system says.
    pub fn write_wav(&self, path: &Path) -> io::Result<()> {
        let (samples, rate_hz) = self.recording();
        let mut file = BufWriter::new(File::create(path)?);
        write_wav(&mut file, rate_hz, 1, &samples)?;
        file.flush()
    }

    fn command(&self, command: Command) {
        // The thread ends only after `SwitchOff`, so it is there to take this.
        let _ = self.commands.send(command);
        let _ = self.waker.wake();
    }
}

impl Drop for Phone {
    fn drop(&mut self) {
        self.switch_off();
        if let Some(thread) = self.thread.take() {
            // A panic of the thread has been printed; there is nobody here to give it to.
            let _ = thread.join();
        }
    }
}

impl Shared {
    fn new(remembers: Duration) -> Shared {
        let observation = Observation {
            state: State::Idle,
            registration: None,
            established_at: None,
            codec: None,
            hold: Hold::Off,
            is_held: false,
            is_encrypted: false,
            remote: Direction::SendRecv,
            sent: 0,
            dialog: None,
            refer_status: None,
            hearing: Hearing::new(remembers),
        };
        Shared { observation: Mutex::new(observation), changed: Condvar::new() }
    }

    /// Changes what is seen and wakes all who wait for it.
    pub(crate) fn change<T>(&self, change: impl FnOnce(&mut Observation) -> T) -> T {
        let result = change(&mut self.lock());
        self.changed.notify_all();
        result
    }

    /// A panic of a condition under the lock changed nothing, so the observation stays good.
    pub(crate) fn lock(&self) -> MutexGuard<'_, Observation> {
        self.observation.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn uri_of(name: &str, local: SocketAddr, transport: Transport) -> String {
    match transport {
        Transport::Udp => format!("sip:{name}@{local}"),
        Transport::Tcp => format!("sip:{name}@{local};transport=tcp"),
        Transport::Tls => format!("sip:{name}@{local};transport=tls"),
    }
}
