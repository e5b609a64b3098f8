//! Admission to a queue before workers: a burst may wait, a queue that stands may not.
//!
//! A long queue is good for a burst: everything in it is answered, a little later. It is of no use once requests keep coming
//! faster than they can be worked off: just as many are answered as with a short one, only each of them late. So whatever
//! comes is admitted up to the bound at first; when the bound was reached and there has been a queue ever since for longer than a
//! burst takes, only as many are as can be begun within a short time, until the queue has been empty once. Clients that are
//! fewer than the bound and wait for their answers never get there.

use std::{
    sync::atomic::{AtomicBool, AtomicU64, Ordering},
    time::{Duration, Instant},
};

use super::{Permit, Permits};

/// Messages per worker, at work or waiting, that are admitted always: enough that no worker ever waits for work.
const PER_WORKER_MIN: u64 = 4;

/// The last message's share in the mean.
const MEAN_OF: u64 = 32;

/// What a queue may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Patience {
    /// A queue that has reached its bound and lasts for longer stands.
    pub burst: Duration,
    /// While it stands, nothing is admitted that would probably wait for longer.
    pub wait: Duration,
}

/// The bound of one queue.
#[derive(Debug)]
pub struct Backlog {
    permits: Permits,
    workers: usize,
    patience: Patience,
    started: Instant,
    /// Since when there has been a queue, in nanoseconds from the start; 0 where there is none.
    queued_since: AtomicU64,
    /// Whether it has reached its bound since then.
    was_full: AtomicBool,
    /// How long a message takes at work: running mean, in nanoseconds.
    mean: AtomicU64,
}

impl Backlog {
    /// At most `most` messages at work or waiting, before `workers` workers.
    pub fn new(most: usize, workers: usize, patience: Patience) -> Self {
        Self {
            permits: Permits::new(most),
            workers,
            patience,
            started: Instant::now(),
            queued_since: AtomicU64::new(0),
            was_full: AtomicBool::new(false),
            mean: AtomicU64::new(0),
        }
    }

    /// A message was at work for so long.
    pub fn worked(&self, took: Duration) {
        let mean = self.mean.load(Ordering::Relaxed);
        // Two at once may count as one: it is a mean.
        self.mean.store(mean - mean / MEAN_OF + nanoseconds(took) / MEAN_OF, Ordering::Relaxed);
    }

    /// How many may be at work or waiting while a queue stands.
    fn standing_most(&self) -> usize {
        let mean = self.mean.load(Ordering::Relaxed).max(1);
        let per_worker = (nanoseconds(self.patience.wait) / mean).max(PER_WORKER_MIN);
        self.workers.saturating_mul(usize::try_from(per_worker).unwrap_or(usize::MAX))
    }

    /// Admits a message, or refuses it at once.
    pub fn admit(&self) -> Option<Permit> {
        self.admit_at(Instant::now())
    }

    fn admit_at(&self, now: Instant) -> Option<Permit> {
        let taken = self.permits.taken();
        if taken < self.workers {
            self.queued_since.store(0, Ordering::Release);
            self.was_full.store(false, Ordering::Release);
            return self.permits.take();
        }
        let now = nanoseconds(now.saturating_duration_since(self.started)).max(1);
        let began = self.queued_since.compare_exchange(0, now, Ordering::AcqRel, Ordering::Acquire);
        let lasts =
            began.is_err_and(|since| Duration::from_nanos(now.saturating_sub(since)) > self.patience.burst);
        let stands = lasts && self.was_full.load(Ordering::Acquire);
        if stands && taken >= self.standing_most() {
            return None;
        }
        let permit = self.permits.take();
        if permit.is_none() {
            self.was_full.store(true, Ordering::Release);
        }
        permit
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

    const BURST: Duration = Duration::from_millis(100);
    const PATIENCE: Patience = Patience { burst: BURST, wait: Duration::from_millis(10) };

    /// A backlog before two workers whose messages take so long.
    fn backlog(most: usize, message: Duration) -> Backlog {
        let backlog = Backlog::new(most, 2, PATIENCE);
        (0..1000).for_each(|_| backlog.worked(message));
        backlog
    }

    fn admit(backlog: &Backlog, after: Duration, times: usize) -> Vec<Permit> {
        let now = backlog.started + after;
        (0..times).map_while(|_| backlog.admit_at(now)).collect()
    }

    #[test]
    fn a_burst_waits_up_to_the_bound() {
        let backlog = backlog(10, BURST);
        assert_eq!(admit(&backlog, Duration::ZERO, 20).len(), 10);
    }

    #[test]
    fn a_queue_that_stands_is_short_until_it_was_empty_once() {
        let backlog = backlog(20, BURST);
        let mut held = admit(&backlog, Duration::ZERO, 25);
        assert_eq!(held.len(), 20);
        held.truncate(19);
        assert_eq!(admit(&backlog, BURST, 1).len(), 1, "still a burst");
        // Messages come and go, and the queue stays: it stands.
        held.truncate(7);
        let late = BURST * 2;
        assert_eq!(admit(&backlog, late, 20).len(), 1, "up to four for each worker");
        // A worker without work: what comes now is a burst again.
        held.truncate(1);
        held.extend(admit(&backlog, late, 1));
        assert_eq!(admit(&backlog, late + BURST, 200).len(), 18);
    }

    #[test]
    fn who_waits_for_answers_is_not_refused_however_long_it_takes() {
        let backlog = backlog(20, BURST);
        let _held = admit(&backlog, Duration::ZERO, 15);
        assert_eq!(admit(&backlog, BURST * 50, 5).len(), 5, "the bound was never reached");
    }

    #[test]
    fn as_many_may_stand_as_are_begun_in_time() {
        let backlog = backlog(100, Duration::from_millis(1));
        let mut held = admit(&backlog, Duration::ZERO, 101);
        held.truncate(15);
        // Ten of a millisecond each wait ten before one of the two: about twenty.
        let more = admit(&backlog, BURST * 2, 100).len();
        assert!((4..=6).contains(&more), "{} and {more}", held.len());
    }
}
