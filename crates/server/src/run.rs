//! Starts and stops the server.

use crate::config::{self, Settings};
use crate::translate;
use anyhow::Context;
use engine::Engine;
use graph::Service;
use rustix::process::Signal;
use std::io::IsTerminal;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::OnceLock;
use std::time::Duration;
use tokio::signal::unix::SignalKind;
use tracing::Level;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

/// How often the metrics are folded. More often costs more, more rarely takes more memory.
const METRICS_UPKEEP: Duration = Duration::from_secs(5);

/// How `fermata serve` is told what to do.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// A TOML file with settings.
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// Where the database, keys and the local CA are kept; the same as the key `data`.
    #[arg(long, value_name = "DIR")]
    pub(crate) data: Option<PathBuf>,
}

/// Runs the server until it is told to stop.
///
/// # Errors
///
/// What keeps it from starting, with the key or the address that is wrong.
pub(crate) async fn serve(options: Options) -> anyhow::Result<()> {
    start_log();
    survive_file_size_limit()?;
    let mut settings = config::load(options.config.as_deref())?;
    if let Some(data) = options.data {
        settings.data = data;
    }
    let server = Server::start(&settings).await?;
    server.announce();
    stop_signal().await?;
    tracing::info!("stopping");
    server.stop().await;
    Ok(())
}

/// A server that runs.
#[derive(Debug)]
pub(crate) struct Server {
    engine: Engine,
    service: Service,
}

impl Server {
    /// Starts everything. To be called within a tokio runtime.
    ///
    /// # Errors
    ///
    /// What keeps it from starting.
    pub(crate) async fn start(settings: &Settings) -> anyhow::Result<Self> {
        let metrics = metrics_handle()?;
        tokio::spawn(keep_up(metrics.clone()));
        let started = Engine::start(translate::engine(settings)?).await.with_context(|| {
            let Settings { sip, rtp, webrtc, .. } = settings;
            let tls = sip.tls_listen.map(|tls| format!(", sip.tls_listen {tls}")).unwrap_or_default();
            let webrtc = webrtc.listen.map(|webrtc| format!(", webrtc.listen {webrtc}")).unwrap_or_default();
            format!("sip.listen {}{tls}{webrtc} or rtp.address {} cannot be used", sip.listen, rtp.address)
        })?;
        let engine = started.engine.clone();
        let service = Service::start(translate::graph(settings, metrics)?, started).await?;
        Ok(Self { engine, service })
    }

    /// Where the API is.
    pub(crate) fn http_address(&self) -> SocketAddr {
        self.service.http_address()
    }

    /// Where SIP is spoken.
    pub(crate) fn sip_address(&self) -> SocketAddr {
        self.engine.sip_address()
    }

    /// Says where everything is.
    pub(crate) fn announce(&self) {
        tracing::info!(
            http = %self.service.http_address(),
            https = %self.service.https_address().map_or("off".to_owned(), |address| address.to_string()),
            sip = %self.engine.sip_address(),
            sips = %self.engine.sip_tls_address().map_or("off".to_owned(), |address| address.to_string()),
            webrtc = %self.engine.browser_address().map_or("off".to_owned(), |address| address.to_string()),
            "Fermata is ready"
        );
    }

    /// Ends every call, tells the applications so, and stops.
    pub(crate) async fn stop(self) {
        self.engine.shutdown().await;
        self.service.shutdown().await;
    }
}

/// The crates that keep what is private out of the log at every level. A test checks it.
const DISCREET: [&str; 6] = ["call", "edge", "engine", "fermata", "graph", "media"];

/// Writes a log to standard error. `FERMATA_LOG` says how much, as a filter of tracing; "info" without it.
pub(crate) fn start_log() {
    let wanted = EnvFilter::try_from_env("FERMATA_LOG").unwrap_or_else(|_| "info".into());
    // Libraries write out whom they connect to, for a prompt or a callback, and none promises to leave headers out.
    // Whatever is wanted, they are heard when something is wrong only.
    let discreet = Targets::new().with_default(Level::WARN).with_targets(DISCREET.map(|name| (name, Level::TRACE)));
    let color = std::io::stderr().is_terminal();
    let lines = tracing_subscriber::fmt::layer().with_writer(std::io::stderr).with_ansi(color);
    // A second server in the same process writes to the first one's log.
    let filter = wanted.to_string();
    let _ = tracing_subscriber::registry().with(wanted).with(discreet).with(lines).try_init();
    tracing::debug!(filter, "the log is on");
}

/// The recorder of metrics is one for the process; a second server shares it.
fn metrics_handle() -> anyhow::Result<metrics_exporter_prometheus::PrometheusHandle> {
    static HANDLE: OnceLock<metrics_exporter_prometheus::PrometheusHandle> = OnceLock::new();
    if let Some(handle) = HANDLE.get() {
        return Ok(handle.clone());
    }
    let handle = metrics_exporter_prometheus::PrometheusBuilder::new()
        .install_recorder()
        .context("metrics cannot be recorded")?;
    Ok(HANDLE.get_or_init(|| handle).clone())
}

/// Folds what the histograms have collected, so that they do not grow while nobody asks for the metrics.
async fn keep_up(metrics: metrics_exporter_prometheus::PrometheusHandle) {
    let mut interval = tokio::time::interval(METRICS_UPKEEP);
    loop {
        interval.tick().await;
        metrics.run_upkeep();
    }
}

/// Has a write beyond the limit of a file's size (`ulimit -f`, systemd's `LimitFSIZE=`) fail as on a full disk. Without it
/// the system ends the process, and every call with it.
fn survive_file_size_limit() -> anyhow::Result<()> {
    let signal = SignalKind::from_raw(Signal::XFSZ.as_raw());
    // Once a signal is handled it stays so; that it has come tells nothing that the failed write does not.
    tokio::signal::unix::signal(signal).map(drop).context("SIGXFSZ cannot be handled")
}

/// Waits until somebody wants the program to stop.
///
/// # Errors
///
/// If the system does not let signals be waited for.
pub(crate) async fn stop_signal() -> anyhow::Result<()> {
    let mut terminate = tokio::signal::unix::signal(SignalKind::terminate()).context("SIGTERM cannot be waited for")?;
    tokio::select! {
        interrupted = tokio::signal::ctrl_c() => interrupted.context("Ctrl-C cannot be waited for"),
        _ = terminate.recv() => Ok(()),
    }
}
