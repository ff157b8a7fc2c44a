//! How punctual the ticks are, from the server's `/metrics` (Prometheus' text format).

use serde::Serialize;
use std::ops::Sub;

/// Counts since the server's start, over all media workers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub(super) struct TickCounts {
    /// How many ticks of conversations were served.
    pub(super) ticks: u64,
    /// How many began more than 1 ms after they were due.
    pub(super) late_1_ms: u64,
    /// How many began more than 5 ms after they were due.
    pub(super) late_5_ms: u64,
    /// How many began more than a whole tick after they were due.
    pub(super) late_20_ms: u64,
    /// The sum of all lateness, in microseconds.
    pub(super) late_sum_us: u64,
}

impl TickCounts {
    /// Reads what Fermata says of its ticks; what is not there counts as 0.
    pub(super) fn parse(metrics: &str) -> Self {
        let total = |name: &str| samples(metrics, name).sum::<f64>() as u64;
        Self {
            ticks: total("fermata_ticks_total"),
            late_1_ms: total("fermata_ticks_late_1_ms_total"),
            late_5_ms: total("fermata_ticks_late_5_ms_total"),
            late_20_ms: total("fermata_ticks_late_20_ms_total"),
            late_sum_us: total("fermata_tick_late_microseconds_total"),
        }
    }
}

impl Sub for TickCounts {
    type Output = Self;

    fn sub(self, before: Self) -> Self {
        Self {
            ticks: self.ticks - before.ticks,
            late_1_ms: self.late_1_ms - before.late_1_ms,
            late_5_ms: self.late_5_ms - before.late_5_ms,
            late_20_ms: self.late_20_ms - before.late_20_ms,
            late_sum_us: self.late_sum_us - before.late_sum_us,
        }
    }
}

/// Finds the values of one metric, whatever its labels.
fn samples<'a>(metrics: &'a str, name: &'a str) -> impl Iterator<Item = f64> + 'a {
    let value = |rest: &str| rest.rsplit_once(' ')?.1.parse().ok();
    let of_name = metrics.lines().filter_map(move |line| line.strip_prefix(name));
    of_name.filter(|rest| rest.starts_with(['{', ' '])).filter_map(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn workers_are_added_and_other_metrics_left_alone() {
        let metrics = "# TYPE fermata_ticks_total counter\nfermata_ticks_total{worker=\"0\"} 40\n\
                       fermata_ticks_total{worker=\"1\"} 2\nfermata_ticks_total_of_others 7\n\
                       fermata_ticks_late_5_ms_total{worker=\"0\"} 3\n";
        let counts = TickCounts::parse(metrics);
        assert_eq!(counts, TickCounts { ticks: 42, late_5_ms: 3, ..TickCounts::default() });
        assert_eq!((counts - counts).ticks, 0);
    }
}
