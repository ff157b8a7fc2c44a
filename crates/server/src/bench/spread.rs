//! Three figures that say how times are spread.

use phone::Deviations;
use serde::Serialize;
use std::fmt;
use std::time::Duration;

/// The median, the times that one in a hundred and one in a thousand exceed, and the longest, in microseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub(super) struct Spread {
    pub(super) p50_us: u64,
    pub(super) p99_us: u64,
    pub(super) p999_us: u64,
    pub(super) max_us: u64,
}

impl Spread {
    /// Sums times up; zeros if there are none.
    pub(super) fn of(mut times: Vec<Duration>) -> Self {
        times.sort_unstable();
        // The nearest rank: of a hundred times the 99th is the p99.
        let rank = |permille: usize| (times.len() * permille).div_ceil(1000).saturating_sub(1);
        let at = |rank: usize| times.get(rank).copied().map_or(0, micros);
        Self {
            p50_us: at(rank(500)),
            p99_us: at(rank(990)),
            p999_us: at(rank(999)),
            max_us: at(times.len().saturating_sub(1)),
        }
    }
}

impl fmt::Display for Spread {
    /// Writes `p50 / p99 / max`, in milliseconds.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ms = |us: u64| us as f64 / 1000.0;
        write!(f, "{:.1} / {:.1} / {:.1} ms", ms(self.p50_us), ms(self.p99_us), ms(self.max_us))
    }
}

impl From<&Deviations> for Spread {
    fn from(deviations: &Deviations) -> Self {
        Self {
            p50_us: micros(deviations.quantile(0.5)),
            p99_us: micros(deviations.quantile(0.99)),
            p999_us: micros(deviations.quantile(0.999)),
            max_us: micros(deviations.max()),
        }
    }
}

fn micros(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranks_are_the_nearest() {
        let times = (1..=100).rev().map(Duration::from_micros).collect();
        assert_eq!(Spread::of(times), Spread { p50_us: 50, p99_us: 99, p999_us: 100, max_us: 100 });
        let one = vec![Duration::from_micros(7)];
        assert_eq!(Spread::of(one), Spread { p50_us: 7, p99_us: 7, p999_us: 7, max_us: 7 });
        assert_eq!(Spread::of(Vec::new()), Spread::default());
    }
}
