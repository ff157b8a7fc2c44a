//! Sound: RTP in, RTP out, a tick every 20 ms.
//!
//! The promise: no I/O, no clock, no async. Packets and times come in as arguments, packets go out through a closure, so
//! that a whole conversation runs in a test with virtual time and every run is the same. A tick in a steady state
//! allocates nothing, but for three short-lived buffers inside the Opus encoder.
//!
//! Start at [`Mixer`]: it is one conversation. Each leg of it has a way in and a way out:
//!
//! ```text
//! receive ─► rtp ─► reception ─► jitter ─► codec ─► resample ─┬─► key_detector, if somebody wants to know
//!                      dtmf ◄┘                                ▼
//!                                                        mixer (N-1)
//!                                                             │
//!    sink ◄─ rtp ◄─ codec ◄─ transition ◄─ resample ◄─────────┤  key_sender in its place while a key is pressed
//!                                                 music ◄─────┘ held: ready payloads, nothing to compute
//! ```
//!
//! What each leg was given may be written down: [`HeardLedger`].
//!
//! [`decode_file`] makes a [`Recording`] of a file that somebody gave us, [`Loop`] makes it music, [`hold_music`] is the
//! music we bring along.

mod codec;
pub mod dtmf;
mod fade;
mod file;
mod format;
mod heard;
mod hold_music;
mod jitter;
mod key_detector;
mod key_sender;
mod level;
mod mixer;
mod music;
mod playout;
mod receiver;
mod reception;
mod report;
mod resample;
mod ring;
mod route;
pub mod rtcp;
pub mod rtp;
mod statistics;
mod tone;
mod transition;
mod transmitter;
mod wav;

pub use codec::{Codec, DecodeError, Decoder, Encoder, PAYLOAD_BYTES_MAX};
pub use dtmf::{DtmfEvent, Key};
pub use file::{Container, DecodedFile, Description, FileCodec, FileError, Limits, decode_file};
pub use format::Format;
pub use heard::{HeardLedger, Interval, LedgerLimits, Sound, Tape};
pub use hold_music::hold_music;
pub use level::{SILENCE_DBFS, level_dbfs, peak_dbfs};
pub use mixer::{DetachedLeg, LegId, Mixer, Outgoing, OutgoingKind};
pub use music::{Loop, Recording};
pub use receiver::{Ignored, Received};
pub use route::{Hears, Route};
pub use rtcp::{NtpTime, RtcpError};
pub use rtp::RtpError;
pub use statistics::{PlayoutCounts, Statistics};
pub use tone::{Sine, tone_dbfs};
pub use transmitter::TransmitStart;
pub use wav::write_wav;

use std::time::Duration;

/// The beat of everything: one frame of sound. 20 ms is what phones send (RFC 3551 section 4.2); shorter doubles packets
/// and headers, longer doubles the delay.
pub const TICK: Duration = Duration::from_millis(20);

/// The rate at which conversations are mixed, in hertz: wideband speech. 8 kHz would take the sound from G.722 and Opus,
/// 48 kHz triples the work for what microphones of phones don't pick up.
pub(crate) const MIX_RATE_HZ: u32 = 16_000;

/// One tick at the mixer's rate, in samples.
pub(crate) const MIX_FRAME_SAMPLES: usize = codec::samples_per_tick(MIX_RATE_HZ);
