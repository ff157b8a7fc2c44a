//! Fermata: a self-hosted calling server that speaks Microsoft Graph's calls API.
//!
//! This crate configures, starts and stops it all; what it does is in `graph` (the API) and `engine` (the calls).

mod bench;
mod config;
mod demo;
mod run;
mod translate;

use anyhow::Context;
use clap::{Parser, Subcommand};
use std::path::PathBuf;
use std::process::ExitCode;

/// A self-hosted calling server that speaks Microsoft Graph's calls API.
#[derive(Debug, Parser)]
#[command(version, about)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Runs the server until it is told to stop (Ctrl-C, SIGTERM).
    Serve(run::Options),
    /// Shows the main job: three phones in a call, one of them hears music.
    Demo(demo::Options),
    /// Measures what legs cost and how soon music starts.
    Bench(bench::Options),
    /// Prints the configuration that is in force, secrets left out.
    Config {
        /// A TOML file.
        #[arg(long)]
        config: Option<PathBuf>,
    },
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    rustls::crypto::aws_lc_rs::default_provider()
        .install_default()
        .expect("nothing else has installed a crypto provider before main");
    match execute(arguments.command) {
        Ok(code) => code,
        Err(error) => {
            report(&error);
            ExitCode::FAILURE
        }
    }
}

fn execute(command: Command) -> anyhow::Result<ExitCode> {
    match command {
        Command::Serve(options) => runtime()?.block_on(run::serve(options)).map(|()| ExitCode::SUCCESS),
        Command::Demo(options) => demo::run(options),
        Command::Bench(options) => bench::run(options),
        Command::Config { config } => print_settings(&config::load(config.as_deref())?).map(|()| ExitCode::SUCCESS),
    }
}

fn runtime() -> anyhow::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_multi_thread().enable_all().build().context("the runtime cannot be started")
}

#[expect(clippy::print_stdout, reason = "printing is what the command is for")]
fn print_settings(settings: &config::Settings) -> anyhow::Result<()> {
    println!("{}", settings.without_secrets()?);
    Ok(())
}

#[expect(clippy::print_stderr, reason = "the last word to the person at the terminal")]
fn report(error: &anyhow::Error) {
    eprintln!("fermata: {error:#}");
}
