//! `fermata bench callbacks`: how soon bots that work are told, while others are dead.
//!
//! Each bot has a call of two phones and holds one of them once in a while. All calls go on at the same pace, whatever
//! becomes of their notifications; what is measured is the time from the 202 of an operation to its notification, at the
//! bots that work. It must stay below a promise, and nothing may be missing.

mod dead;
mod told;

use super::conversation::Conversation;
use super::music;
use super::run::crowd;
use super::server::Server;
use super::spread::Spread;
use super::write_json;
use crate::bot::{Answered, Bot, Callback, Operation};
use crate::config::Settings;
use anyhow::Context;
use dead::{DeadCallback, Death};
use phone::Codec;
use serde::Serialize;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until};
use told::Told;

/// The promise: 99 of 100 notifications are there in this time.
const P99_MAX: Duration = Duration::from_millis(250);

/// How long the last notifications are waited for. One that has not come then is missing.
const LAST_WAIT: Duration = Duration::from_secs(10);

/// Phones in a call. With two there is a roster to be told as well, and somebody is left when one is held.
const LEGS: usize = 2;

/// How the command is told what to do.
#[derive(Debug, Clone, clap::Args)]
pub(super) struct Options {
    /// How many callbacks take what they are told.
    #[arg(long, value_name = "N", default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=1000))]
    live: u32,
    /// How many do not: they refuse connections, never answer, answer 500, or answer a byte at a time.
    #[arg(long, value_name = "N", default_value_t = 50, value_parser = clap::value_parser!(u32).range(0..=1000))]
    dead: u32,
    /// Holds a second, over all calls. Each is ended half way to the next.
    #[arg(long, value_name = "N", default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    rate: u32,
    /// How long it goes on, in seconds.
    #[arg(long, default_value_t = 30, value_parser = clap::value_parser!(u64).range(1..=3600))]
    seconds: u64,
    /// Where the figures are written as JSON, too.
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
}

/// What was found.
#[derive(Debug, Serialize)]
struct Report {
    live: u32,
    dead: u32,
    holds_per_second: u32,
    seconds: u64,
    /// Operations of the bots that work.
    operations: usize,
    /// How many of them were never told.
    missing: usize,
    /// What was not accepted in any of the calls, and why: a server that is slow is asked before it is ready.
    refused: Vec<String>,
    request_to_answer: Spread,
    answer_to_notification: Spread,
}

/// Measures, prints what it found, and fails if the promise is not kept.
///
/// # Errors
///
/// What kept it from measuring.
pub(super) async fn run(options: &Options, settings: &Settings) -> anyhow::Result<ExitCode> {
    let report = measure(options, settings).await?;
    print(&report);
    write_json(&report, options.json.as_deref())?;
    Ok(if report.is_as_promised() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

async fn measure(options: &Options, settings: &Settings) -> anyhow::Result<Report> {
    tell("starting the server");
    let server = Server::start(false, &[], &std::env::temp_dir()).await?;
    let told = Arc::new(Told::default());
    let live = live_callbacks(options.live, &told).await?;
    let deaths = Death::ALL.iter().cycle().take(options.dead as usize);
    let dead = deaths.map(|death| DeadCallback::open(*death)).collect::<anyhow::Result<Vec<_>>>()?;
    let music_url = live.first().context("a bot that works is needed for the music")?.music_url();
    let bot = Arc::new(Bot::sign_in(server.http(), settings, music_url, |_| ()).await?);
    let crowd = Arc::new(crowd(Codec::Pcmu, (options.live + options.dead) as usize * LEGS, false)?);
    tell("calling everybody");
    let mut calls = Vec::new();
    for url in live.iter().map(Callback::notifications_url).chain(dead.iter().map(|dead| dead.url().to_owned())) {
        calls.push(Conversation::begin(&bot, &url, &crowd, LEGS).await?);
    }
    tell("holding");
    let holds = hold_everywhere(options, &bot, calls).await?;
    told.wait_for(&holds.accepted, LAST_WAIT).await;
    Ok(Report::new(options, holds, &told))
}

async fn live_callbacks(count: u32, told: &Arc<Told>) -> anyhow::Result<Vec<Callback>> {
    let mut callbacks = Vec::new();
    for _ in 0..count {
        let told = Arc::clone(told);
        let take = move |notification| {
            told.take(&notification);
            true
        };
        callbacks.push(Callback::open(&music::recording(), take).await?);
    }
    Ok(callbacks)
}

/// When a call's holds begin.
#[derive(Clone, Copy, Debug)]
struct Pace {
    first: Instant,
    period: Duration,
    end: Instant,
}

/// What became of the requests.
#[derive(Debug, Default)]
struct Holds {
    accepted: Vec<Operation>,
    refused: Vec<String>,
}

/// Holds and releases in every call at its own time, and returns the operations of the bots that work: their calls come
/// first.
async fn hold_everywhere(options: &Options, bot: &Arc<Bot>, calls: Vec<Conversation>) -> anyhow::Result<Holds> {
    let turn = Duration::from_secs(1) / options.rate;
    let period = turn * (options.live + options.dead);
    let begin = Instant::now();
    let end = begin + Duration::from_secs(options.seconds);
    let mut tasks = JoinSet::new();
    for (n, call) in (0..).zip(calls) {
        let (bot, pace) = (Arc::clone(bot), Pace { first: begin + turn * n, period, end });
        let is_live = n < options.live;
        tasks.spawn(async move {
            let holds = hold_often(&bot, &call, pace).await;
            if is_live { holds } else { Holds { accepted: Vec::new(), ..holds } }
        });
    }
    let mut all = Holds::default();
    while let Some(done) = tasks.join_next().await {
        let holds = done?;
        all.accepted.extend(holds.accepted);
        all.refused.extend(holds.refused);
    }
    Ok(all)
}

/// Goes by the clock and not by what it is told, as no bot should: so nobody waits for a server that is slow, and its
/// slowness is measured.
async fn hold_often(bot: &Bot, call: &Conversation, pace: Pace) -> Holds {
    let held = &call.legs()[0].participant;
    let (mut holds, mut at) = (Holds::default(), pace.first);
    while at < pace.end {
        sleep_until(at).await;
        holds.note(bot.start_hold_music(held).await);
        sleep_until(at + pace.period / 2).await;
        holds.note(bot.stop_hold_music(held).await);
        at += pace.period;
    }
    holds
}

impl Holds {
    fn note(&mut self, answer: anyhow::Result<Operation>) {
        match answer {
            Ok(operation) => self.accepted.push(operation),
            Err(error) => self.refused.push(format!("{error:#}")),
        }
    }
}

impl Report {
    fn new(options: &Options, Holds { accepted: operations, refused }: Holds, told: &Told) -> Report {
        let waited = |operation: &Operation| {
            // The news may be faster than the answer.
            Some(told.arrival(&operation.id)?.saturating_duration_since(operation.answered.accepted))
        };
        let to_notification: Vec<Duration> = operations.iter().filter_map(waited).collect();
        let to_answer = |Answered { requested, accepted }: Answered| accepted.saturating_duration_since(requested);
        Report {
            live: options.live,
            dead: options.dead,
            holds_per_second: options.rate,
            seconds: options.seconds,
            operations: operations.len(),
            missing: operations.len() - to_notification.len(),
            refused,
            request_to_answer: Spread::of(operations.iter().map(|operation| to_answer(operation.answered)).collect()),
            answer_to_notification: Spread::of(to_notification),
        }
    }

    fn is_as_promised(&self) -> bool {
        self.missing == 0
            && self.refused.is_empty()
            && Duration::from_micros(self.answer_to_notification.p99_us) <= P99_MAX
    }
}

#[expect(clippy::print_stdout, reason = "printing is what the command is for")]
fn print(report: &Report) {
    let Report { live, dead, holds_per_second, seconds, operations, missing, .. } = report;
    println!(
        "\n{live} callbacks that work and {dead} that are dead, {holds_per_second} holds a second for {seconds} s"
    );
    println!("operations of the bots that work              {operations}, {missing} of them never told");
    if let [first, ..] = report.refused.as_slice() {
        println!("requests refused, in all calls                {}, the first: {first}", report.refused.len());
    }
    println!("request to answer (p50 / p99 / max)           {}", report.request_to_answer);
    println!("answer to notification (p50 / p99 / max)      {}", report.answer_to_notification);
    let verdict = if report.is_as_promised() { "kept" } else { "BROKEN" };
    println!("promise: p99 within {} ms, nothing missing    {verdict}", P99_MAX.as_millis());
}

#[expect(clippy::print_stderr, reason = "a benchmark takes a minute, and somebody waits for it")]
fn tell(what: &str) {
    eprintln!("callbacks: {what}");
}
