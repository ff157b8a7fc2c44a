//! Fermata: a self-hosted calling server that speaks Microsoft Graph's calls API.
//!
//! This crate configures, starts and stops it all; what it does is in `graph` (the API) and `engine` (the calls).

mod bench;
mod bot;
mod config;
mod console;
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
    /// Reads an application's secret from standard input and prints its hash for `secret_hash` in the configuration.
    HashSecret,
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
        Command::HashSecret => print_secret_hash().map(|()| ExitCode::SUCCESS),
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

/// The secret is not an argument, because other users of the machine see those.
#[expect(clippy::print_stdout, reason = "printing is what the command is for")]
fn print_secret_hash() -> anyhow::Result<()> {
    let secret = std::io::read_to_string(std::io::stdin()).context("the secret cannot be read")?;
    let secret = secret.trim_end_matches(['\r', '\n']);
    anyhow::ensure!(!secret.is_empty(), "there is no secret on standard input");
    println!("{}", graph::SecretHash::to_phc(secret)?);
    Ok(())
}

#[expect(clippy::print_stderr, reason = "the last word to the person at the terminal")]
fn report(error: &anyhow::Error) {
    eprintln!("fermata: {error:#}");
}
