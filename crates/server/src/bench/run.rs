//! One codec, from the server's start to its end.

use super::conversation::{Conversation, LEGS_PER_CONVERSATION, Leg};
use super::holds::{self, Holds};
use super::music::{self, TONE_HZ};
use super::phase::{self, Lab, Phase};
use super::server::{self, Server};
use crate::bot::{Bot, Callback};
use crate::config::Settings;
use anyhow::Context;
use phone::{Codec, Crowd, CrowdConfig, Speech, SrtpPolicy, Watch};
use serde::Serialize;
use std::net::Ipv4Addr;
use std::sync::Arc;
use std::time::Duration;

/// What the three phones of a conversation say. All 500 Hz and more away from the hold music.
const VOICES_HZ: [u32; LEGS_PER_CONVERSATION] = [300, 400, 500];

/// How loud they say it.
const VOICES_DBFS: f32 = -26.0;

/// How loud the hold music must be in a packet to count as heard: above what any switching of voices leaves at its
/// frequency, below its first packet, whose beginning is faded in.
const MUSIC_MIN_DBFS: f32 = -32.0;

/// How many phones are watched at once for music. They decode meanwhile, all in one thread.
const WATCHED_MAX: usize = 30;

/// What is measured.
#[derive(Clone, Copy, Debug)]
pub(super) struct Run {
    pub(super) codec: Codec,
    pub(super) legs: usize,
    /// How long a phase takes.
    pub(super) phase: Duration,
    /// How many holds are timed.
    pub(super) holds: u32,
    pub(super) is_pinned: bool,
    /// Whether all legs are SRTP.
    pub(super) is_encrypted: bool,
}

/// What was found.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Figures {
    /// The codec, as SDP names it.
    pub(super) codec: &'static str,
    /// From the server's start until it is ready, in milliseconds.
    pub(super) start_ms: u64,
    /// What the server takes before the first call, in KiB.
    pub(super) idle_rss_kib: u64,
    /// By how much that grows with each leg, after the first conversation, in KiB.
    pub(super) memory_per_leg_kib: f64,
    /// Everybody hears everybody.
    pub(super) mixed: Phase,
    /// How soon music starts, while all others talk on.
    pub(super) hold: Holds,
    /// One of each three hears music, the two others each other.
    pub(super) one_of_three_held: Phase,
    /// Everybody hears music.
    pub(super) all_held: Phase,
}

impl Run {
    /// Measures.
    ///
    /// # Errors
    ///
    /// What kept it from measuring.
    pub(super) async fn measure(self, settings: &Settings) -> anyhow::Result<Figures> {
        self.tell("starting the server");
        let server = Server::start(self.is_pinned, self.settings(), &std::env::temp_dir()).await?;
        let idle = server.rest().await?;
        // What happens is known from the phones.
        let callback = Callback::open(&music::recording(), |_| true).await?;
        let bot = Bot::sign_in(server.http(), settings, callback.music_url(), |_| ()).await?;
        let notifications = callback.notifications_url();
        let crowd = Arc::new(crowd(self.codec, self.legs, self.is_encrypted)?);
        self.tell("calling everybody");
        let mut conversations = vec![Conversation::begin(&bot, &notifications, &crowd, LEGS_PER_CONVERSATION).await?];
        let first = server.usage()?;
        while conversations.len() * LEGS_PER_CONVERSATION < self.legs {
            conversations.push(Conversation::begin(&bot, &notifications, &crowd, LEGS_PER_CONVERSATION).await?);
        }
        let lab = Lab { server: &server, crowd: &crowd };
        self.tell("everybody is mixed");
        let mixed = self.phase(lab).await?;
        let grown_kib = server.usage()?.rss_kib.saturating_sub(first.rss_kib);
        self.tell("timing holds");
        let hold = holds::time(self.holds, &conversations, &bot, &crowd).await?;
        self.tell("one of three is held");
        hold_all(conversations.iter().flat_map(|each| &each.legs()[..1]), &bot, &crowd).await?;
        let one_of_three_held = self.phase(lab).await?;
        self.tell("everybody is held");
        hold_all(conversations.iter().flat_map(|each| &each.legs()[1..]), &bot, &crowd).await?;
        let all_held = self.phase(lab).await?;
        for conversation in &conversations {
            conversation.end(&bot).await?;
        }
        Ok(Figures {
            codec: self.codec.encoding_name(),
            start_ms: u64::try_from(server.start_time().as_millis()).unwrap_or(u64::MAX),
            idle_rss_kib: idle.rss_kib,
            memory_per_leg_kib: grown_kib as f64 / (self.legs - LEGS_PER_CONVERSATION) as f64,
            mixed,
            hold,
            one_of_three_held,
            all_held,
        })
    }

    fn settings(self) -> &'static [(&'static str, &'static str)] {
        match self.is_encrypted {
            true => &server::ENCRYPTED,
            false => &[],
        }
    }

    async fn phase(self, lab: Lab<'_>) -> anyhow::Result<Phase> {
        phase::measure(self.phase, self.legs, lab).await
    }

    #[expect(clippy::print_stderr, reason = "a benchmark takes a minute, and somebody waits for it")]
    fn tell(self, what: &str) {
        eprintln!("{}, {} legs: {what}", self.codec.encoding_name(), self.legs);
    }
}

/// Switches phones on that say what no hold music is.
///
/// # Errors
///
/// What the system says when it has no sockets to give.
pub(super) fn crowd(codec: Codec, phones: usize, is_encrypted: bool) -> anyhow::Result<Crowd> {
    crowd_that_says(voices(), codec, phones, is_encrypted)
}

/// Returns what the three phones of a conversation say, none of it like the hold music.
pub(super) fn voices() -> Vec<Speech> {
    VOICES_HZ.map(|hz| Speech::Tone { hz, level_dbfs: VOICES_DBFS }).to_vec()
}

/// Switches phones on, the n-th of which says the n-th of `says`, and so on in turn.
///
/// # Errors
///
/// What the system says when it has no sockets to give.
pub(super) fn crowd_that_says(
    says: Vec<Speech>,
    codec: Codec,
    phones: usize,
    is_encrypted: bool,
) -> anyhow::Result<Crowd> {
    let config = CrowdConfig {
        listen: Ipv4Addr::LOCALHOST.into(),
        phones,
        codec,
        says,
        watch: Watch { tone_hz: TONE_HZ, level_min_dbfs: MUSIC_MIN_DBFS },
        srtp: if is_encrypted { SrtpPolicy::Required } else { SrtpPolicy::Off },
    };
    Crowd::start(config).context("the phones cannot be switched on")
}

/// Puts people on hold and waits until each of them hears music.
///
/// # Errors
///
/// What went wrong, such as music that does not come.
pub(super) async fn hold_all(legs: impl Iterator<Item = &Leg>, bot: &Bot, crowd: &Arc<Crowd>) -> anyhow::Result<()> {
    let legs: Vec<&Leg> = legs.collect();
    for group in legs.chunks(WATCHED_MAX) {
        crowd.watch(&group.iter().map(|leg| leg.phone).collect::<Vec<_>>());
        for leg in group {
            bot.start_hold_music(&leg.participant).await?;
            holds::music_at(leg.phone, crowd).await?;
        }
    }
    crowd.watch(&[]);
    Ok(())
}
