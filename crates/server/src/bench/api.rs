//! `fermata bench api`: how soon the API answers under a steady load of holds, each stored on the disk before its answer.

use super::conversation::{Conversation, LEGS_PER_CONVERSATION, Leg};
use super::disk;
use super::music;
use super::pace;
use super::run::crowd;
use super::server::Server;
use super::spread::Spread;
use crate::bot::{Bot, Callback, News, Notification, Operation};
use crate::config::Settings;
use anyhow::{Context, bail};
use phone::{Codec, Crowd};
use std::collections::HashMap;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tokio::runtime::Handle;

/// How many phones are called. Each is held again after 0.6 s at 200 requests a second.
const LEGS: usize = 60;

/// How many holds begin before the first of them ends: half of the phones are held.
const HELD: usize = LEGS / 2;

/// How long the last answers and notifications may take after the last request.
const PATIENCE: Duration = Duration::from_secs(20);

/// The pause before it is looked again whether everything has come.
const LOOK_AGAIN: Duration = Duration::from_millis(20);

/// How wide the column of names is.
const NAME_WIDTH: usize = 26;

/// How the command is told what to do.
#[derive(Debug, Clone, clap::Args)]
pub(super) struct Options {
    /// How many requests a second are sent, startHoldMusic and stopHoldMusic in turn.
    #[arg(long, value_name = "N", default_value_t = 200, value_parser = clap::value_parser!(u32).range(2..=10_000))]
    rate: u32,
    /// How long, in seconds.
    #[arg(long, default_value_t = 30, value_parser = clap::value_parser!(u32).range(1..=3600))]
    seconds: u32,
    /// Below which folder the database is. It should be on the disk that is meant.
    #[arg(long, value_name = "DIR", default_value_os_t = std::env::temp_dir())]
    data: PathBuf,
    /// The p99 of the answers above which the exit status is 1, in milliseconds.
    #[arg(long, value_name = "MS", default_value_t = 10)]
    p99_max_ms: u64,
}

/// Which of the two requests.
#[derive(Debug, Clone, Copy)]
enum Asked {
    Start,
    Stop,
}

/// What was measured.
#[derive(Debug)]
struct Figures {
    is_on_disk: bool,
    disk: Spread,
    answers: Spread,
    notices: Spread,
    refused: Vec<String>,
}

/// What is known of the operations, by their ids. A notification may be here before its 202 is.
#[derive(Debug, Default)]
struct Desk {
    answers: Vec<Duration>,
    accepted: HashMap<String, Instant>,
    told: HashMap<String, Instant>,
    refused: Vec<String>,
}

/// Measures, prints what it found, and says by the exit status whether the promise was kept.
///
/// # Errors
///
/// What kept it from measuring.
pub(super) async fn run(options: &Options, settings: &Settings) -> anyhow::Result<ExitCode> {
    let figures = measure(options, settings).await?;
    print(options, &figures);
    let is_kept = figures.refused.is_empty() && figures.answers.p99_us <= options.p99_max_ms * 1000;
    Ok(if is_kept { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

async fn measure(options: &Options, settings: &Settings) -> anyhow::Result<Figures> {
    let server = Server::start(false, &[], &options.data).await?;
    let desk = Arc::<Mutex<Desk>>::default();
    let told = Arc::clone(&desk);
    let listen = move |notification: Notification| {
        note(&told, &notification);
        true
    };
    let callback = Callback::open(&music::recording(), listen).await?;
    let bot = Arc::new(Bot::sign_in(server.http(), settings, callback.music_url(), |_| ()).await?);
    let crowd = Arc::new(crowd(Codec::Pcmu, LEGS, false)?);
    let legs = call_everybody(&bot, &callback, &crowd).await?;
    server.rest().await?;
    let disk = disk::waits(server.data())?;
    hold_half(&bot, &legs, &desk).await?;
    send_all(options, &bot, legs, &desk).await?;
    wait_for_all(&desk, options.requests() as usize).await?;
    let is_on_disk = disk::is_on_disk(server.data())?;
    let desk = std::mem::take(&mut *lock(&desk));
    let told_after =
        |(id, accepted): (&String, &Instant)| Some(desk.told.get(id)?.saturating_duration_since(*accepted));
    let notices = desk.accepted.iter().filter_map(told_after).collect();
    Ok(Figures {
        is_on_disk,
        disk: Spread::of(disk),
        answers: Spread::of(desk.answers),
        notices: Spread::of(notices),
        refused: desk.refused,
    })
}

async fn call_everybody(bot: &Bot, callback: &Callback, crowd: &Arc<Crowd>) -> anyhow::Result<Vec<Leg>> {
    let notifications = callback.notifications_url();
    let mut legs = Vec::with_capacity(LEGS);
    for _ in 0..LEGS / LEGS_PER_CONVERSATION {
        legs.extend_from_slice(Conversation::begin(bot, &notifications, crowd, LEGS_PER_CONVERSATION).await?.legs());
    }
    Ok(legs)
}

/// Holds the first half of the phones, so that there is somebody to be taken off hold from the beginning on.
async fn hold_half(bot: &Arc<Bot>, legs: &[Leg], desk: &Arc<Mutex<Desk>>) -> anyhow::Result<()> {
    for leg in &legs[..HELD] {
        ask(Arc::clone(bot), leg.clone(), Asked::Start, Instant::now(), Arc::clone(desk)).await;
    }
    wait_for_all(desk, HELD).await?;
    let Desk { refused, .. } = std::mem::take(&mut *lock(desk));
    refused.first().map_or(Ok(()), |refused| bail!("{refused}"))
}

/// Holds one phone after the other, and takes each off hold when half of the others have been held after it.
async fn send_all(options: &Options, bot: &Arc<Bot>, legs: Vec<Leg>, desk: &Arc<Mutex<Desk>>) -> anyhow::Result<()> {
    let (rate, count) = (options.rate, options.requests());
    let (bot, desk, runtime) = (Arc::clone(bot), Arc::clone(desk), Handle::current());
    let begin = move |n: u32, due: Instant| {
        let turn = n as usize / 2;
        let (at, asked) = if n.is_multiple_of(2) { (turn + HELD, Asked::Start) } else { (turn, Asked::Stop) };
        let leg = legs[at % legs.len()].clone();
        runtime.spawn(ask(Arc::clone(&bot), leg, asked, due, Arc::clone(&desk)));
    };
    tokio::task::spawn_blocking(move || pace::keep(rate, count, begin)).await.context("the load broke off")
}

async fn ask(bot: Arc<Bot>, leg: Leg, asked: Asked, due: Instant, desk: Arc<Mutex<Desk>>) {
    let answer = match asked {
        Asked::Start => bot.start_hold_music(&leg.participant).await,
        Asked::Stop => bot.stop_hold_music(&leg.participant).await,
    };
    let mut desk = lock(&desk);
    match answer {
        Ok(Operation { id, answered }) => {
            desk.answers.push(answered.accepted.saturating_duration_since(due));
            desk.accepted.insert(id, answered.accepted);
        }
        Err(error) => desk.refused.push(format!("{error:#}")),
    }
}

fn note(desk: &Mutex<Desk>, notification: &Notification) {
    match notification.news() {
        Some(News::Operation { id, .. }) => {
            lock(desk).told.insert(id.to_owned(), notification.arrived);
        }
        Some(News::Call { .. } | News::Roster(_)) | None => {}
    }
}

/// Waits until so many requests are answered and everything that was accepted is told.
async fn wait_for_all(desk: &Mutex<Desk>, requests: usize) -> anyhow::Result<()> {
    let is_complete = || {
        let desk = lock(desk);
        let answered = desk.accepted.len() + desk.refused.len();
        answered == requests && desk.accepted.keys().all(|id| desk.told.contains_key(id))
    };
    let deadline = Instant::now() + PATIENCE;
    while !is_complete() {
        if Instant::now() > deadline {
            let Desk { accepted, told, refused, .. } = &*lock(desk);
            let (accepted, told, refused) = (accepted.len(), told.len(), refused.len());
            bail!(
                "of {requests} requests {accepted} were accepted and {refused} refused; {told} operations have ended"
            );
        }
        tokio::time::sleep(LOOK_AGAIN).await;
    }
    Ok(())
}

fn lock(desk: &Mutex<Desk>) -> MutexGuard<'_, Desk> {
    desk.lock().unwrap_or_else(PoisonError::into_inner)
}

#[expect(clippy::print_stdout, reason = "printing is what the command is for")]
fn print(options: &Options, figures: &Figures) {
    let Options { rate, seconds, data, p99_max_ms } = options;
    let Figures { is_on_disk, disk, answers, notices, refused } = figures;
    let place = if *is_on_disk { "" } else { ", which is no disk but memory" };
    println!("\nstartHoldMusic and stopHoldMusic in turn, {rate} requests a second for {seconds} s");
    println!("{LEGS} phones, music in the cache, SQLite in {}{place}\n", data.display());
    println!("{:<NAME_WIDTH$}{:>10}{:>10}{:>10}{:>10}", "ms", "p50", "p99", "p99.9", "max");
    for (name, spread) in
        [("due to answer", answers), ("answer to notification", notices), ("a wait for the disk", disk)]
    {
        let [p50, p99, p999, max] = [spread.p50_us, spread.p99_us, spread.p999_us, spread.max_us].map(ms);
        println!("{name:<NAME_WIDTH$}{p50:>10.1}{p99:>10.1}{p999:>10.1}{max:>10.1}");
    }
    println!("\nrefused: {}{}", refused.len(), refused.first().map(|it| format!(", as: {it}")).unwrap_or_default());
    let verdict = if figures.answers.p99_us <= p99_max_ms * 1000 { "kept" } else { "broken" };
    println!("promised: answers within {p99_max_ms} ms, 99 of 100: {verdict}");
}

fn ms(us: u64) -> f64 {
    us as f64 / 1000.0
}

impl Options {
    fn requests(&self) -> u32 {
        self.rate * self.seconds
    }
}
