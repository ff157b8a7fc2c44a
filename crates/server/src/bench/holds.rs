//! How soon music starts: from the request to the first packet of it at the phone, music in the cache.

use super::conversation::{Conversation, Leg, wait};
use super::spread::Spread;
use crate::bot::{Answered, Bot};
use phone::Crowd;
use serde::Serialize;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// In how many conversations people are held, in turn. They tick at different times; more shows nothing new and makes
/// the phones decode more.
const CONVERSATIONS_MAX: usize = 10;

/// Requests must come at all times of a tick alike, or the figure is about the pauses of the benchmark. Multiples of the
/// golden ratio are as even as numbers can be, whenever one stops.
const GOLDEN_RATIO: f64 = 0.618_033_988_749_895;

/// A tick of the server.
const TICK: Duration = Duration::from_millis(20);

/// How soon holds came about.
#[derive(Clone, Copy, Debug, Serialize)]
pub(super) struct Holds {
    /// How many were timed.
    pub(super) holds: u32,
    /// From the request to the arrival of the first packet with music.
    pub(super) request_to_music: Spread,
    /// From the answer to the arrival of the first packet with music; zero if the music was faster.
    pub(super) answer_to_music: Spread,
    /// From the request to the answer.
    pub(super) request_to_answer: Spread,
}

/// Holds somebody and takes them off hold again, many times.
///
/// # Errors
///
/// What went wrong, such as music that does not come.
pub(super) async fn time(
    holds: u32,
    conversations: &[Conversation],
    bot: &Bot,
    crowd: &Arc<Crowd>,
) -> anyhow::Result<Holds> {
    let held: Vec<&Leg> = conversations.iter().take(CONVERSATIONS_MAX).map(|each| &each.legs()[0]).collect();
    crowd.watch(&held.iter().map(|leg| leg.phone).collect::<Vec<_>>());
    let (mut to_music, mut after_answer, mut to_answer) = (Vec::new(), Vec::new(), Vec::new());
    for (n, leg) in (0..holds).zip(held.iter().cycle()) {
        tokio::time::sleep(TICK.mul_f64((f64::from(n) * GOLDEN_RATIO).fract())).await;
        let Answered { requested, accepted } = bot.start_hold_music(&leg.participant).await?.answered;
        let music = music_at(leg.phone, crowd).await?;
        to_music.push(music.saturating_duration_since(requested));
        after_answer.push(music.saturating_duration_since(accepted));
        to_answer.push(accepted.saturating_duration_since(requested));
        bot.stop_hold_music(&leg.participant).await?;
        silence_at(leg.phone, crowd).await?;
    }
    crowd.watch(&[]);
    Ok(Holds {
        holds,
        request_to_music: Spread::of(to_music),
        answer_to_music: Spread::of(after_answer),
        request_to_answer: Spread::of(to_answer),
    })
}

/// Waits for music at a phone that is watched, and returns when its first packet arrived.
pub(super) async fn music_at(phone: usize, crowd: &Arc<Crowd>) -> anyhow::Result<Instant> {
    wait(crowd, "music at a held phone", move |crowd| crowd.tone_since(phone).is_some()).await?;
    Ok(crowd.observe(|crowd| crowd.tone_since(phone)).unwrap_or_else(Instant::now))
}

async fn silence_at(phone: usize, crowd: &Arc<Crowd>) -> anyhow::Result<()> {
    wait(crowd, "the end of the music", move |crowd| crowd.tone_since(phone).is_none()).await
}
