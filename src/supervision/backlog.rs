//! Admission to a queue before workers: a burst may wait, an overload may not.
//!
//! A long queue is good for a burst: everything in it is answered, a little later. It is of no use once requests keep coming
//! faster than they can be worked off: just as many are answered as with a short one, only each of them late. So whatever comes
//! is admitted up to a bound. When that was too few, and for as long as a message was refused a moment ago, only as many are as
//! can be begun within a short time. Clients that are fewer than the bound and wait for their answers never get there.

use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::{Duration, Instant},
};

use super::{Permit, Permits};

/// Messages per worker, at work or waiting, that are admitted always: enough that no worker ever waits for work.
const PER_WORKER_MIN: u64 = 4;

/// The last message's share in the mean.
const MEAN_OF: u64 = 32;

/// An overload is over when nothing was refused for so long.
const OVERLOAD: Duration = Duration::from_secs(1);

/// The bound of one queue.
#[derive(Debug)]
pub struct Backlog {
    permits: Permits,
    workers: usize,
    /// Under overload nothing is admitted that would probably wait for longer.
    wait: Duration,
    started: Instant,
    /// When a message was refused last, in nanoseconds from the start; 0 where none was.
    refused: AtomicU64,
    /// How long a message takes at work: running mean, in nanoseconds.
    mean: AtomicU64,
}

impl Backlog {
    /// At most `most` messages at work or waiting, before `workers` workers; under overload as many as wait for `wait` at most.
    pub fn new(most: usize, workers: usize, wait: Duration) -> Self {
        let (started, zero) = (Instant::now(), || AtomicU64::new(0));
        Self { permits: Permits::new(most), workers, wait, started, refused: zero(), mean: zero() }
    }

    /// A message was at work for so long.
    pub fn worked(&self, took: Duration) {
        let mean = self.mean.load(Ordering::Relaxed);
        // Two at once may count as one: it is a mean.
        self.mean.store(mean - mean / MEAN_OF + nanoseconds(took) / MEAN_OF, Ordering::Relaxed);
    }

    /// Admits a message, or refuses it at once.
    pub fn admit(&self) -> Option<Permit> {
        self.admit_at(Instant::now())
    }

    fn admit_at(&self, now: Instant) -> Option<Permit> {
        let now = nanoseconds(now.saturating_duration_since(self.started)).max(1);
        let refused = self.refused.load(Ordering::Relaxed);
        let is_overloaded = refused > 0 && now.saturating_sub(refused) < nanoseconds(OVERLOAD);
        let fits = !is_overloaded || self.permits.taken() < self.soon();
        let permit = if fits { self.permits.take() } else { None };
        if permit.is_none() {
            self.refused.store(now, Ordering::Relaxed);
        }
        permit
    }

    /// How many at work or waiting are all begun in time.
    fn soon(&self) -> usize {
        let mean = self.mean.load(Ordering::Relaxed).max(1);
        let per_worker = (nanoseconds(self.wait) / mean).max(PER_WORKER_MIN);
        self.workers.saturating_mul(usize::try_from(per_worker).unwrap_or(usize::MAX))
    }

    /// How many more may come at the most.
    pub fn left(&self) -> usize {
        self.permits.left()
    }

    /// How many are at work or waiting.
    pub fn taken(&self) -> usize {
        self.permits.taken()
    }
}

fn nanoseconds(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A backlog of twenty before two workers whose messages take so long.
    fn backlog(message: Duration) -> Backlog {
        let backlog = Backlog::new(20, 2, Duration::from_millis(10));
        (0..1000).for_each(|_| backlog.worked(message));
        backlog
    }

    fn admit(backlog: &Backlog, after: Duration, times: usize) -> Vec<Permit> {
        let now = backlog.started + after;
        (0..times).filter_map(|_| backlog.admit_at(now)).collect()
    }

    #[test]
    fn a_burst_waits_up_to_the_bound() {
        assert_eq!(admit(&backlog(OVERLOAD), Duration::ZERO, 25).len(), 20);
    }

    #[test]
    fn under_overload_few_wait_until_nothing_was_refused_for_a_while() {
        let backlog = backlog(OVERLOAD);
        let mut held = admit(&backlog, Duration::ZERO, 21);
        assert_eq!(held.len(), 20);
        // Messages come and go: up to four for each worker, however often the queue is empty in between.
        held.truncate(7);
        assert_eq!(admit(&backlog, OVERLOAD / 2, 20).len(), 1);
        held.clear();
        assert_eq!(admit(&backlog, OVERLOAD, 20).len(), 8);
        assert_eq!(admit(&backlog, OVERLOAD * 3 / 2, 20).len(), 8, "refused half a second ago");
        assert_eq!(admit(&backlog, OVERLOAD * 3, 25).len(), 20, "a burst again");
    }

    #[test]
    fn who_waits_for_answers_is_not_refused_however_long_it_takes() {
        let backlog = backlog(OVERLOAD);
        let _held = admit(&backlog, Duration::ZERO, 15);
        assert_eq!(admit(&backlog, OVERLOAD * 50, 5).len(), 5, "the bound was never too few");
    }

    #[test]
    fn as_many_wait_as_are_begun_in_time() {
        let backlog = backlog(Duration::from_micros(1500));
        drop(admit(&backlog, Duration::ZERO, 21));
        // Six of one and a half milliseconds before each worker.
        assert_eq!(admit(&backlog, OVERLOAD / 2, 20).len(), 12);
    }
}
