//! `fermata bench`: what legs cost and how soon music starts, measured from outside; `fermata bench api`: how soon the API
//! answers under load; `fermata bench engine`: what a leg costs as there are more of them, up to what a core can do.
//!
//! The server is a child process of its own, so that its CPU time and memory are its alone; the phones are real SIP
//! phones over UDP, the calls are made over the public API. Nothing is taken from the server's own word but how punctual
//! its ticks are (`/metrics`).
//!
//! ```text
//! start ─► idle ─► one conversation ─► all ─► everybody mixed ─► holds, timed ─► one of three held ─► all held
//! ```

mod affinity;
mod api;
mod callbacks;
mod conversation;
mod disk;
mod engine;
mod holds;
mod music;
mod pace;
mod phase;
mod process;
mod promise;
mod report;
mod run;
mod scrape;
mod server;
mod spread;
mod table;

use crate::config;
use anyhow::Context;
use clap::ValueEnum;
use conversation::LEGS_PER_CONVERSATION;
use phone::Codec;
use report::Report;
use run::Run;
use serde::Serialize;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

/// How the command is told what to do.
#[derive(Debug, clap::Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct Options {
    #[command(subcommand)]
    other: Option<Other>,
    /// How many phones are called; a multiple of 3, at least 6.
    #[arg(long, value_name = "N", default_value = "60", value_parser = parse_legs)]
    legs: usize,
    /// What the phones speak.
    #[arg(long, value_enum, default_value_t = Codecs::Both)]
    codec: Codecs,
    /// How long each phase is measured, in seconds.
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u64).range(1..=3600))]
    seconds: u64,
    /// How many holds are timed.
    #[arg(long, value_name = "N", default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    holds: u32,
    /// Keeps the server on the first core and the phones on the second, so that neither takes time from the other.
    #[arg(long)]
    pin: bool,
    /// Encrypts the sound of all phones (SRTP).
    #[arg(long)]
    srtp: bool,
    /// Makes the exit status say whether all promises were kept.
    #[arg(long)]
    check: bool,
    /// Where the figures are written as JSON, too.
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
}

/// What else can be measured.
#[derive(Debug, Clone, clap::Subcommand)]
enum Other {
    /// Measures how soon startHoldMusic and stopHoldMusic are answered under a steady load.
    Api(api::Options),
    /// Measures how soon notifications are there while other callbacks are dead.
    Callbacks(callbacks::Options),
    /// Measures what sound costs, with more and more legs, until a core has no more to give.
    Engine(engine::Options),
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Codecs {
    G711,
    Opus,
    Both,
}

/// Runs the benchmark and prints what it found. The exit status may say whether it is as promised.
///
/// # Errors
///
/// What kept it from measuring.
pub(crate) fn run(options: Options) -> anyhow::Result<ExitCode> {
    let settings = config::load(None)?;
    match &options.other {
        Some(Other::Api(options)) => until_stopped(api::run(options, &settings)),
        Some(Other::Callbacks(options)) => until_stopped(callbacks::run(options, &settings)),
        Some(Other::Engine(options)) => run_engine(options, &settings),
        None => run_legs(&options, &settings),
    }
}

fn run_legs(options: &Options, settings: &config::Settings) -> anyhow::Result<ExitCode> {
    if options.pin {
        affinity::pin(affinity::LOAD_CORE)?;
    }
    let report = until_stopped(measure(options, settings))?;
    table::print(&report);
    let is_kept = promise::print(&report.runs);
    write_json(&report, options.json.as_deref())?;
    Ok(if is_kept || !options.check { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// The threads of the runtime stay on the core of the load, with all that they start.
fn run_engine(options: &engine::Options, settings: &config::Settings) -> anyhow::Result<ExitCode> {
    affinity::pin(affinity::LOAD_CORE)?;
    until_stopped(engine::run(options, settings))
}

/// Measures until it is done or somebody has enough of it.
fn until_stopped<T>(measurement: impl Future<Output = anyhow::Result<T>>) -> anyhow::Result<T> {
    let runtime = runtime()?;
    let outcome = runtime.block_on(async {
        tokio::select! {
            outcome = measurement => outcome,
            _ = tokio::signal::ctrl_c() => anyhow::bail!("stopped"),
        }
    });
    // Somebody may still be waiting for a phone; there is nothing to wait for any more.
    runtime.shutdown_background();
    outcome
}

async fn measure(options: &Options, settings: &config::Settings) -> anyhow::Result<Report> {
    let mut report = Report::new(options);
    for codec in options.codec.list() {
        let run = Run {
            codec: *codec,
            legs: options.legs,
            phase: Duration::from_secs(options.seconds),
            holds: options.holds,
            is_pinned: options.pin,
            is_encrypted: options.srtp,
        };
        report.runs.push(run.measure(settings).await?);
    }
    Ok(report)
}

/// One thread is enough for the requests, and leaves the other cores to the server and the phones.
fn runtime() -> anyhow::Result<tokio::runtime::Runtime> {
    let mut builder = tokio::runtime::Builder::new_multi_thread();
    builder.worker_threads(1).enable_all().build().context("the runtime cannot be started")
}

fn write_json(report: &impl Serialize, file: Option<&Path>) -> anyhow::Result<()> {
    let Some(file) = file else { return Ok(()) };
    let json = serde_json::to_string_pretty(report).context("the figures cannot be written as JSON")?;
    std::fs::write(file, json + "\n").with_context(|| format!("{} cannot be written", file.display()))
}

fn parse_legs(text: &str) -> Result<usize, String> {
    let legs: usize = text.parse().map_err(|_| "not a number".to_owned())?;
    match legs >= 2 * LEGS_PER_CONVERSATION && legs.is_multiple_of(LEGS_PER_CONVERSATION) {
        true => Ok(legs),
        false => Err("conversations have 3 legs, and two conversations are needed: 6, 9, 12, …".to_owned()),
    }
}

impl Codecs {
    fn list(self) -> &'static [Codec] {
        match self {
            Codecs::G711 => &[Codec::Pcmu],
            Codecs::Opus => &[Codec::Opus],
            Codecs::Both => &[Codec::Pcmu, Codec::Opus],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn legs_come_in_threes() {
        assert_eq!(parse_legs("60"), Ok(60));
        for wrong in ["", "-3", "3", "7", "61"] {
            assert!(parse_legs(wrong).is_err(), "{wrong}");
        }
    }
}
