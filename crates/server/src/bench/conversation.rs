//! A conversation of phones of the crowd.

use crate::bot::{Bot, Call, Participant};
use anyhow::bail;
use phone::{Crowd, CrowdObservation};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How many phones talk to each other where mixing is measured.
pub(super) const LEGS_PER_CONVERSATION: usize = 3;

/// How long anything may take that takes milliseconds when all is well.
const PATIENCE: Duration = Duration::from_secs(20);

/// The pause before the roster is asked for once more. Shorter only makes work for the server.
const ASK_AGAIN: Duration = Duration::from_millis(10);

/// How many people a request may call; more are invited by further ones.
const CALLED_AT_ONCE_MAX: usize = 5;

/// Phones in one call.
#[derive(Debug)]
pub(super) struct Conversation {
    call: Call,
    legs: Vec<Leg>,
}

/// One phone in a call.
#[derive(Clone, Debug)]
pub(super) struct Leg {
    /// The phone's number in the crowd.
    pub(super) phone: usize,
    pub(super) participant: Participant,
}

impl Conversation {
    /// Calls the next `legs` phones of the crowd and waits until sound has reached them. What becomes of the call is told
    /// at `callback`.
    ///
    /// # Errors
    ///
    /// What went wrong.
    pub(super) async fn begin(bot: &Bot, callback: &str, crowd: &Arc<Crowd>, legs: usize) -> anyhow::Result<Self> {
        let first = crowd.observe(|crowd| crowd.reached);
        let phones: Vec<usize> = (first..first + legs).collect();
        let uris: Vec<String> = phones.iter().map(|phone| crowd.uri(*phone)).collect();
        let uris: Vec<&str> = uris.iter().map(String::as_str).collect();
        let mut groups = uris.chunks(CALLED_AT_ONCE_MAX);
        let call = bot.call(groups.next().unwrap_or_default(), callback).await?;
        wait_for_sound(crowd, first + legs.min(CALLED_AT_ONCE_MAX)).await?;
        for group in groups {
            let reached = crowd.observe(|crowd| crowd.reached);
            bot.invite(&call, group).await?;
            wait_for_sound(crowd, reached + group.len()).await?;
        }
        let legs = roster(bot, &call, &phones, crowd).await?;
        Ok(Self { call, legs })
    }

    /// Who is in it.
    pub(super) fn legs(&self) -> &[Leg] {
        &self.legs
    }

    /// Ends it.
    ///
    /// # Errors
    ///
    /// What the server answers when it refuses.
    pub(super) async fn end(&self, bot: &Bot) -> anyhow::Result<()> {
        bot.hang_up(&self.call).await
    }
}

async fn wait_for_sound(crowd: &Arc<Crowd>, phones: usize) -> anyhow::Result<()> {
    wait(crowd, "sound at every phone", move |crowd| crowd.reached >= phones).await
}

/// Asks who is in the call until all the phones are: sound may reach a phone before the news of it is stored.
async fn roster(bot: &Bot, call: &Call, phones: &[usize], crowd: &Crowd) -> anyhow::Result<Vec<Leg>> {
    let began = Instant::now();
    while began.elapsed() < PATIENCE {
        let participants = bot.participants(call).await?;
        let leg = |phone: &usize| {
            let uri = crowd.uri(*phone);
            let participant = participants.iter().find(|participant| participant.uri.as_ref() == Some(&uri))?;
            Some(Leg { phone: *phone, participant: participant.clone() })
        };
        if let Some(legs) = phones.iter().map(leg).collect() {
            return Ok(legs);
        }
        tokio::time::sleep(ASK_AGAIN).await;
    }
    bail!("a phone that hears sound is missing in the roster")
}

/// Waits until a condition of the crowd holds, without keeping this thread from its other work.
///
/// # Errors
///
/// If it does not hold in time.
pub(super) async fn wait(
    crowd: &Arc<Crowd>,
    what: &str,
    condition: impl FnMut(&CrowdObservation) -> bool + Send + 'static,
) -> anyhow::Result<()> {
    let crowd = Arc::clone(crowd);
    match tokio::task::spawn_blocking(move || crowd.wait_until(PATIENCE, condition)).await? {
        Ok(()) => Ok(()),
        Err(timed_out) => bail!("{what}: {timed_out}"),
    }
}
