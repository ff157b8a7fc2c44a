//! Scripted SIP phones: real user agents on real sockets with real codecs, for the demo, the benchmark and the tests.
//!
//! A [`Phone`] rings, answers, calls, holds and hangs up as it is told, says something only it says, and measures what
//! it hears. It knows nothing of the server's state: everything it reports comes from the packets that arrived, each
//! decoded by itself at its time of arrival, with no jitter buffer that would smooth what is to be measured.
//!
//! ```no_run
//! use std::time::Duration;
//! use phone::{Config, Phone, Speech, State};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let loopback = std::net::Ipv4Addr::LOCALHOST.into();
//! let alice = Phone::start(Config::new("alice", loopback))?;
//! let bob = Phone::start(Config {
//!     speaks: Speech::Tone { hz: 440, level_dbfs: -20.0 },
//!     ..Config::new("bob", loopback)
//! })?;
//! alice.call(bob.uri())?;
//! alice.wait_for(State::Established, Duration::from_secs(5))?;
//! alice.wait_until(Duration::from_secs(5), |phone| phone.hearing.statistics().packets > 20)?;
//! assert!(alice.heard(Duration::from_millis(200)).level_at(440.0) > -23.0);
//! # Ok(())
//! # }
//! ```
//!
//! Each phone is one thread that sleeps until a packet, a deadline or a command comes. A [`Crowd`] is many light phones in
//! one thread, for load.

mod agent;
mod call;
mod config;
mod crowd;
mod hearing;
mod manner;
mod news;
mod phone;
mod random;
mod recording;
mod sequence;
mod sockets;
mod speaker;
mod state;
mod stream;
mod tls;
mod voice;
mod window;

pub use config::{Answer, Config, REMEMBERED_DEFAULT, Register, Speech};
pub use crowd::{Crowd, CrowdConfig, CrowdObservation, CrowdTimedOut, Deviations, Traffic, Watch};
pub use hearing::{HeardKey, Hearing, Packet, Statistics};
pub use manner::{Level, Manner, Offers};
pub use media::write_wav;
pub use phone::{NotCallable, Phone, TimedOut};
pub use state::{Hold, Observation, State};
pub use tls::trusting;
pub use window::Window;

// What the interface speaks of, so that whoever has phones needs nothing else.
pub use edge::sdp::{Direction, Keying, SrtpPolicy};
pub use edge::sip::{RegistrationState, Replaces, Status, Transport};
pub use edge::srtp::Suite;
pub use media::{Codec, Key, Recording};
