//! Waiting longer after each failure, up to a bound, and never all at once: what a whole fleet lost at one moment is not asked
//! for by all of it at the next.

use std::{
    collections::hash_map::RandomState,
    hash::BuildHasher,
    time::{Duration, Instant},
};

/// First wait.
const MIN: Duration = Duration::from_millis(50);

/// Longest wait.
const MAX: Duration = Duration::from_secs(2);

/// When to try again.
#[derive(Debug, Clone, Copy)]
pub struct Backoff {
    next: Duration,
    over_at: Option<Instant>,
}

impl Default for Backoff {
    fn default() -> Self {
        Self { next: MIN, over_at: None }
    }
}

impl Backoff {
    /// Whether it is time to try.
    pub fn is_over(&self) -> bool {
        self.over_at.is_none_or(|at| Instant::now() >= at)
    }

    /// Notes a failure; gives the wait that begins with it, by chance between half of what is due and all of it.
    pub fn failed(&mut self) -> Duration {
        let half = self.next / 2;
        let wait = half + half * chance() / u32::from(u16::MAX);
        self.over_at = Some(Instant::now() + wait);
        self.next = (self.next * 2).min(MAX);
        wait
    }

    /// Notes a success: the next failure waits the first wait again.
    pub fn succeeded(&mut self) {
        *self = Self::default();
    }
}

/// A random number below 2^16, of the seed that every hash map gets.
fn chance() -> u32 {
    u32::try_from(RandomState::new().hash_one(()) >> 48).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_until_something_succeeds() {
        let mut backoff = Backoff::default();
        assert!(backoff.is_over());
        for due in [50, 100, 200, 400, 800, 1600, 2000, 2000] {
            let wait = backoff.failed();
            assert!(
                wait >= Duration::from_millis(due / 2) && wait <= Duration::from_millis(due),
                "{wait:?} of {due}"
            );
        }
        assert!(!backoff.is_over());
        backoff.succeeded();
        assert!(backoff.is_over());
        assert!(backoff.failed() <= MIN);
    }

    #[test]
    fn many_do_not_wait_alike() {
        let waits: std::collections::HashSet<Duration> =
            (0..50).map(|_| Backoff::default().failed()).collect();
        assert!(waits.len() > 25, "{waits:?}");
    }
}
