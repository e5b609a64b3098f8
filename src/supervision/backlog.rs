//! Admission to a queue before workers: a burst may wait, a queue that stands may not.
//!
//! A long queue is good for a burst: everything in it is answered, a little later. It is of no use once requests keep coming
//! faster than they can be worked off: just as many are answered as with a short one, only each of them late. So whatever
//! comes is admitted up to the bound at first; when there has been a queue all the time for longer than a burst takes, only a few
//! per worker are, until the queue has been empty once.

use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::{Duration, Instant},
};

use super::{Permit, Permits};

/// Messages per worker, at work or waiting, while a queue stands: enough that no worker ever waits for work.
const STANDING_PER_WORKER: usize = 4;

/// The bound of one queue.
#[derive(Debug)]
pub struct Backlog {
    permits: Permits,
    workers: usize,
    burst: Duration,
    started: Instant,
    /// Since when there has been a queue, in nanoseconds from the start; 0 where there is none.
    queued_since: AtomicU64,
}

impl Backlog {
    /// At most `most` messages at work or waiting, before `workers` workers; a queue that lasts for longer than `burst` stands.
    pub fn new(most: usize, workers: usize, burst: Duration) -> Self {
        let started = Instant::now();
        Self { permits: Permits::new(most), workers, burst, started, queued_since: AtomicU64::new(0) }
    }

    /// Admits a message, or refuses it at once.
    pub fn admit(&self) -> Option<Permit> {
        self.admit_at(Instant::now())
    }

    fn admit_at(&self, now: Instant) -> Option<Permit> {
        let taken = self.permits.taken();
        if taken < self.workers {
            self.queued_since.store(0, Ordering::Release);
            return self.permits.take();
        }
        let now =
            u64::try_from(now.saturating_duration_since(self.started).as_nanos()).unwrap_or(u64::MAX).max(1);
        let began = self.queued_since.compare_exchange(0, now, Ordering::AcqRel, Ordering::Acquire);
        let stands = began.is_err_and(|since| Duration::from_nanos(now.saturating_sub(since)) > self.burst);
        if stands && taken >= self.workers.saturating_mul(STANDING_PER_WORKER) {
            return None;
        }
        self.permits.take()
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

#[cfg(test)]
mod tests {
    use super::*;

    const BURST: Duration = Duration::from_millis(100);

    fn admit(backlog: &Backlog, after: Duration, times: usize) -> Vec<Permit> {
        let now = backlog.started + after;
        (0..times).map_while(|_| backlog.admit_at(now)).collect()
    }

    #[test]
    fn a_burst_waits_up_to_the_bound() {
        let backlog = Backlog::new(10, 2, BURST);
        assert_eq!(admit(&backlog, Duration::ZERO, 20).len(), 10);
    }

    #[test]
    fn a_queue_that_stands_is_short_until_it_was_empty_once() {
        let backlog = Backlog::new(100, 2, BURST);
        let mut held = admit(&backlog, Duration::ZERO, 20);
        assert_eq!((held.len(), admit(&backlog, BURST, 1).len()), (20, 1), "still a burst");
        // Messages come and go, and the queue stays: it stands.
        held.truncate(7);
        let late = BURST * 2;
        assert_eq!(admit(&backlog, late, 20).len(), 1, "up to four for each worker");
        // A worker without work: what comes now is a burst again.
        held.truncate(1);
        held.extend(admit(&backlog, late, 1));
        assert_eq!(admit(&backlog, late + BURST, 200).len(), 98);
    }
}
