//! Being written.

/// How the command is told what to do.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {}

/// Runs it.
pub(crate) fn run(_options: Options) -> anyhow::Result<std::process::ExitCode> {
    anyhow::bail!("being written")
}
