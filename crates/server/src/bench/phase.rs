//! A span of time in which nothing changes, and what the server does in it.

use super::scrape::TickCounts;
use super::server::Server;
use super::spread::Spread;
use phone::Crowd;
use serde::Serialize;
use std::time::{Duration, Instant};

/// How long what was changed before may go on in the server: notifications, the database.
const SETTLE: Duration = Duration::from_millis(500);

/// What a phase was like.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Phase {
    /// The server's CPU time per leg and second, in microseconds.
    pub(super) cpu_us_per_leg_second: f64,
    /// Which part of it the threads that mix took.
    pub(super) media_cpu_us_per_leg_second: f64,
    /// Packets of sound from the phones.
    pub(super) packets_sent: u64,
    /// Packets of sound to the phones.
    pub(super) packets_received: u64,
    /// Packets that did not arrive at the phones.
    pub(super) packets_lost: u64,
    /// How far from 20 ms after its predecessor a packet arrived.
    pub(super) arrival_deviation: Spread,
    /// How punctual the server's ticks were.
    pub(super) ticks: TickCounts,
}

/// Measures for a while.
///
/// # Errors
///
/// If the server ends meanwhile.
pub(super) async fn measure(length: Duration, legs: usize, lab: Lab<'_>) -> anyhow::Result<Phase> {
    let Lab { server, crowd } = lab;
    tokio::time::sleep(SETTLE).await;
    let ticks = server.tick_counts().await?;
    crowd.take_traffic();
    let (began, before) = (Instant::now(), server.usage()?);
    tokio::time::sleep(length).await;
    let (elapsed, after) = (began.elapsed(), server.usage()?);
    let (traffic, cpu) = (crowd.take_traffic(), after.cpu_since(&before));
    let per_leg = |cpu: Duration| cpu.as_secs_f64() * 1e6 / elapsed.as_secs_f64() / legs as f64;
    Ok(Phase {
        cpu_us_per_leg_second: per_leg(cpu.all),
        media_cpu_us_per_leg_second: per_leg(cpu.media),
        packets_sent: traffic.sent,
        packets_received: traffic.received,
        packets_lost: traffic.lost,
        arrival_deviation: Spread::from(&traffic.deviations),
        ticks: server.tick_counts().await? - ticks,
    })
}

/// Everything that takes part in a measurement.
#[derive(Clone, Copy)]
pub(super) struct Lab<'a> {
    pub(super) server: &'a Server,
    pub(super) crowd: &'a Crowd,
}
