//! How unevenly packets arrive, in bounded memory.

use std::time::Duration;

/// The width of a bucket, 10 µs. Finer shows nothing that a clock read by a busy thread could know.
const BUCKET: Duration = Duration::from_micros(10);

/// How many buckets there are: 200 ms. What is beyond counts in the last one; the longest is kept beside them.
const BUCKETS: usize = 20_000;

/// How far packets arrived from when they should, sorted into buckets of 10 µs.
#[derive(Debug, Clone, Default)]
pub struct Deviations {
    buckets: Vec<u32>,
    count: u64,
    max: Duration,
}

impl Deviations {
    /// Enters one.
    pub(crate) fn enter(&mut self, deviation: Duration) {
        self.buckets.resize(BUCKETS, 0);
        let bucket = (deviation.as_nanos() / BUCKET.as_nanos()) as usize;
        self.buckets[bucket.min(BUCKETS - 1)] += 1;
        self.count += 1;
        self.max = self.max.max(deviation);
    }

    /// Returns how many were entered.
    pub fn count(&self) -> u64 {
        self.count
    }

    /// Returns the longest.
    pub fn max(&self) -> Duration {
        self.max
    }

    /// Returns the value that this share of all does not exceed, 0.5 for the median, to 10 µs. Zero if there is none.
    pub fn quantile(&self, share: f64) -> Duration {
        let wanted = (self.count as f64 * share).ceil() as u64;
        let mut below = 0;
        let bucket = self.buckets.iter().position(|count| {
            below += u64::from(*count);
            below >= wanted
        });
        bucket.map_or(Duration::ZERO, |bucket| (BUCKET * bucket as u32).min(self.max))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_found_to_a_bucket() {
        let mut deviations = Deviations::default();
        (1..=1000).for_each(|n| deviations.enter(Duration::from_micros(n * 100)));
        assert_eq!(deviations.quantile(0.5), Duration::from_millis(50));
        assert_eq!(deviations.quantile(0.99), Duration::from_millis(99));
        assert_eq!((deviations.count(), deviations.max()), (1000, Duration::from_millis(100)));
    }

    #[test]
    fn what_is_beyond_all_buckets_is_the_longest() {
        let mut deviations = Deviations::default();
        deviations.enter(Duration::from_secs(3));
        assert_eq!(deviations.max(), Duration::from_secs(3));
        assert_eq!(Deviations::default().quantile(0.5), Duration::ZERO);
    }
}
