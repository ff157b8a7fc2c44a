//! `fermata bench engine`: what sound costs, from a few legs up to all that one core can carry.
//!
//! The server has the first core, the phones and the bot the second. Each kind of work has a server of its own, which is
//! given more and more legs; after each step everything is measured for a while. It ends when the core is full, when
//! packets are lost, or when the phones themselves have no time left, which is said.
//!
//! ```text
//! for each work:  start ─► 60 legs ─► holds, timed ─► measured ─► 150 legs ─► measured ─► … ─► saturated
//! ```

mod goal;
mod plot;
mod step;
mod table;
mod work;

use super::conversation::Conversation;
use super::holds::{self, Holds};
use super::music;
use super::process::{Process, Usage};
use super::run::{crowd_that_says, hold_all};
use super::server::{self, Server};
use super::write_json;
use crate::bot::{Bot, Callback};
use crate::config::Settings;
use anyhow::Context;
use phone::Crowd;
use serde::Serialize;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;
use step::Step;
use work::{LEGS_MULTIPLE, Work};

/// How the command is told what to do.
#[derive(Debug, Clone, clap::Args)]
pub(super) struct Options {
    /// What is measured; everything if nothing is named.
    #[arg(long, value_enum, value_delimiter = ',', value_name = "WORK")]
    work: Vec<Work>,
    /// With how many legs, step by step; multiples of 30.
    #[arg(long, value_delimiter = ',', value_name = "N", default_value = "60,150,300,600,900,1200,1500", value_parser = parse_legs)]
    legs: Vec<usize>,
    /// How long each step is measured, in seconds.
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u64).range(1..=3600))]
    seconds: u64,
    /// How many holds are timed.
    #[arg(long, value_name = "N", default_value_t = 110, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    holds: u32,
    /// Makes the exit status say whether all goals were reached.
    #[arg(long)]
    check: bool,
    /// Where the figures are written as JSON, too.
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Where CPU time and deviations against legs are drawn, as SVG.
    #[arg(long, value_name = "FILE")]
    plot: Option<PathBuf>,
}

/// What was found.
#[derive(Debug, Serialize)]
struct Report {
    fermata_version: &'static str,
    /// How long each step was measured, in seconds.
    step_seconds: u64,
    works: Vec<Findings>,
}

/// What was found in one kind of work.
#[derive(Debug, Serialize)]
struct Findings {
    work: Work,
    /// Where people talk to each other: how soon music starts, with the legs of the first step.
    hold: Option<Holds>,
    /// With more and more legs.
    steps: Vec<Step>,
}

/// Measures, prints what it found, and says by the exit status whether the goals were reached, if that is asked.
///
/// # Errors
///
/// What kept it from measuring.
pub(super) async fn run(options: &Options, settings: &Settings) -> anyhow::Result<ExitCode> {
    let report = measure(options, settings).await?;
    table::print(&report);
    let are_reached = goal::print(&report.works);
    write_json(&report, options.json.as_deref())?;
    if let Some(file) = &options.plot {
        std::fs::write(file, plot::svg(&report.works))
            .with_context(|| format!("{} cannot be written", file.display()))?;
    }
    Ok(if are_reached || !options.check { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

async fn measure(options: &Options, settings: &Settings) -> anyhow::Result<Report> {
    let works = if options.work.is_empty() { Work::ALL } else { &options.work };
    let mut found = Vec::new();
    for work in works {
        found.push(climb(*work, options, settings).await?);
    }
    Ok(Report { fermata_version: env!("CARGO_PKG_VERSION"), step_seconds: options.seconds, works: found })
}

/// Measures one kind of work with more and more legs.
async fn climb(work: Work, options: &Options, settings: &Settings) -> anyhow::Result<Findings> {
    let mut stand = Stand::begin(work, options.legs.iter().copied().max().unwrap_or(0), settings).await?;
    let mut findings = Findings { work, hold: None, steps: Vec::new() };
    for legs in &options.legs {
        stand.grow(*legs).await?;
        if work == Work::Threes && findings.hold.is_none() {
            tell(work, "timing holds");
            findings.hold = Some(holds::time(options.holds, &stand.conversations, &stand.bot, &stand.crowd).await?);
        }
        tell(work, &format!("{legs} legs"));
        let step = stand.measure(Duration::from_secs(options.seconds)).await?;
        let is_last = step.is_saturated();
        findings.steps.push(step);
        if is_last {
            break;
        }
    }
    Ok(findings)
}

/// A server with its load.
struct Stand {
    work: Work,
    server: Server,
    bot: Bot,
    notifications: String,
    crowd: Arc<Crowd>,
    conversations: Vec<Conversation>,
    /// What the server has used with its first conversation, which is what legs are compared with.
    first: Option<Usage>,
    /// This process, which is the load.
    load: Process,
    /// Answers the server as long as it lives.
    _callback: Callback,
}

impl Stand {
    async fn begin(work: Work, legs: usize, settings: &Settings) -> anyhow::Result<Self> {
        tell(work, "starting the server");
        let settings_of_server = if work.is_encrypted() { &server::ENCRYPTED[..] } else { &[] };
        let server = Server::start(true, settings_of_server, &std::env::temp_dir()).await?;
        server.rest().await?;
        // What happens is known from the phones.
        let callback = Callback::open(&music::recording(), |_| true).await?;
        let bot = Bot::sign_in(server.http(), settings, callback.music_url(), |_| ()).await?;
        let crowd = crowd_that_says(work.voices(), work.codec(), legs, work.is_encrypted())?;
        Ok(Self {
            work,
            server,
            bot,
            notifications: callback.notifications_url(),
            crowd: Arc::new(crowd),
            conversations: Vec::new(),
            first: None,
            load: Process::new(std::process::id()),
            _callback: callback,
        })
    }

    fn legs(&self) -> usize {
        self.conversations.len() * self.work.legs_per_conversation()
    }

    /// Begins conversations until there are so many legs.
    async fn grow(&mut self, legs: usize) -> anyhow::Result<()> {
        let before = self.conversations.len();
        while self.legs() < legs {
            let each = self.work.legs_per_conversation();
            let begun = Conversation::begin(&self.bot, &self.notifications, &self.crowd, each).await?;
            self.conversations.push(begun);
            if self.first.is_none() {
                self.first = Some(self.server.usage()?);
            }
        }
        if self.work.is_held() {
            let new = self.conversations[before..].iter().flat_map(Conversation::legs);
            hold_all(new, &self.bot, &self.crowd).await?;
        }
        Ok(())
    }

    async fn measure(&self, length: Duration) -> anyhow::Result<Step> {
        let first_rss_kib = self.first.as_ref().map_or(0, |usage| usage.rss_kib);
        let baseline = step::Baseline { legs: self.work.legs_per_conversation(), rss_kib: first_rss_kib };
        step::measure(
            length,
            self.legs(),
            baseline,
            &self.load,
            super::phase::Lab { server: &self.server, crowd: &self.crowd },
        )
        .await
    }
}

#[expect(clippy::print_stderr, reason = "a benchmark takes minutes, and somebody waits for it")]
fn tell(work: Work, what: &str) {
    eprintln!("{}: {what}", work.title());
}

fn parse_legs(text: &str) -> Result<usize, String> {
    let legs: usize = text.parse().map_err(|_| "not a number".to_owned())?;
    match legs > 0 && legs.is_multiple_of(LEGS_MULTIPLE) {
        true => Ok(legs),
        false => Err(format!("conversations have 3 or {LEGS_MULTIPLE} legs: 30, 60, 90, …")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn legs_fill_conversations_of_every_size() {
        assert_eq!(parse_legs("1500"), Ok(1500));
        for wrong in ["", "0", "-30", "45"] {
            assert!(parse_legs(wrong).is_err(), "{wrong}");
        }
        assert!(Work::ALL.iter().all(|work| LEGS_MULTIPLE.is_multiple_of(work.legs_per_conversation())));
    }
}
