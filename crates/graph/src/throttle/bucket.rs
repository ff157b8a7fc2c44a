//! A token bucket in one word: the generic cell rate algorithm (ITU-T I.371, annex A). Instead of a count and a clock it
//! keeps the time at which the bucket will be full again.

use std::num::NonZeroU32;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// Says how large a bucket is, and how fast it fills.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Rate {
    token_ns: u64,
    size_ns: u64,
}

/// Holds tokens. Times are counted from any moment, the same for one bucket.
#[derive(Debug, Default)]
pub(crate) struct Bucket {
    full_at_ns: AtomicU64,
}

impl Rate {
    /// A bucket of `count` tokens that fills in `time`.
    pub(crate) fn new(count: NonZeroU32, time: Duration) -> Rate {
        let token_ns = (ns(time) / u64::from(count.get())).max(1);
        Rate { token_ns, size_ns: token_ns * u64::from(count.get()) }
    }

    /// When the bucket will be full again, if a token is taken now.
    fn after_one(self, full_at_ns: u64, now_ns: u64) -> u64 {
        full_at_ns.max(now_ns).saturating_add(self.token_ns)
    }
}

impl Bucket {
    /// Takes a token.
    ///
    /// # Errors
    ///
    /// How long it takes until there is one.
    pub(crate) fn take(&self, rate: Rate, now: Duration) -> Result<(), Duration> {
        let now_ns = ns(now);
        let take = |full_at_ns| {
            let next_ns = rate.after_one(full_at_ns, now_ns);
            (next_ns <= now_ns + rate.size_ns).then_some(next_ns)
        };
        // One word, and nothing else is published by it.
        let taken = self.full_at_ns.fetch_update(Ordering::Relaxed, Ordering::Relaxed, take);
        taken.map(drop).map_err(|full_at_ns| missing(rate, full_at_ns, now_ns))
    }

    /// Returns how long it takes until there is a token; nothing if there is one.
    pub(crate) fn wait(&self, rate: Rate, now: Duration) -> Option<Duration> {
        let (full_at_ns, now_ns) = (self.full_at_ns.load(Ordering::Relaxed), ns(now));
        let wait = missing(rate, full_at_ns, now_ns);
        (!wait.is_zero()).then_some(wait)
    }

    /// Takes a token also if there is none: the next one comes later then.
    pub(crate) fn charge(&self, rate: Rate, now: Duration) {
        let now_ns = ns(now);
        let charge = |full_at_ns| Some(rate.after_one(full_at_ns, now_ns));
        self.full_at_ns.fetch_update(Ordering::Relaxed, Ordering::Relaxed, charge).expect("it is always charged");
    }
}

fn missing(rate: Rate, full_at_ns: u64, now_ns: u64) -> Duration {
    Duration::from_nanos(rate.after_one(full_at_ns, now_ns).saturating_sub(now_ns + rate.size_ns))
}

fn ns(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).expect("a process does not run for 500 years")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rate(count: u32) -> Rate {
        Rate::new(NonZeroU32::new(count).expect("some"), Duration::from_secs(1))
    }

    const fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    #[test]
    fn a_bucket_holds_a_burst_and_fills_steadily() {
        let (bucket, rate) = (Bucket::default(), rate(4));
        let taken = |at| bucket.take(rate, at);
        assert_eq!([taken(ms(0)), taken(ms(0)), taken(ms(0)), taken(ms(0))], [Ok(()); 4]);
        assert_eq!(taken(ms(0)), Err(ms(250)));
        assert_eq!(taken(ms(100)), Err(ms(150)), "being refused costs nothing");
        assert_eq!([taken(ms(250)), taken(ms(499)), taken(ms(500))], [Ok(()), Err(ms(1)), Ok(())]);
        assert_eq!([taken(ms(9_000)), taken(ms(9_000))], [Ok(()), Ok(())]);
        assert_eq!([taken(ms(9_000)), taken(ms(9_000))], [Ok(()), Ok(())]);
        assert_eq!(taken(ms(9_000)), Err(ms(250)), "it holds no more than it holds");
    }

    #[test]
    fn a_charge_can_be_owed() {
        let (bucket, rate) = (Bucket::default(), rate(2));
        assert_eq!(bucket.wait(rate, ms(0)), None);
        (0..4).for_each(|_| bucket.charge(rate, ms(0)));
        assert_eq!(bucket.wait(rate, ms(0)), Some(ms(1_500)));
        assert_eq!(bucket.wait(rate, ms(1_499)), Some(ms(1)));
        assert_eq!(bucket.wait(rate, ms(1_500)), None);
    }

    #[test]
    fn many_threads_take_no_more_than_there_is() {
        let (bucket, rate) = (Bucket::default(), rate(1_000));
        let take = || (0..1_000).filter(|_| bucket.take(rate, ms(0)).is_ok()).count();
        let taken: usize = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..4).map(|_| scope.spawn(take)).collect();
            threads.into_iter().map(|thread| thread.join().expect("a count")).sum()
        });
        assert_eq!(taken, 1_000);
    }
}
