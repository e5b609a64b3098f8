//! Waiting longer after each failure, up to a bound.

use std::time::{Duration, Instant};

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

    /// Notes a failure; gives the wait that begins with it.
    pub fn failed(&mut self) -> Duration {
        let wait = self.next;
        self.over_at = Some(Instant::now() + wait);
        self.next = (wait * 2).min(MAX);
        wait
    }

    /// Notes a success: the next failure waits the first wait again.
    pub fn succeeded(&mut self) {
        *self = Self::default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_until_something_succeeds() {
        let mut backoff = Backoff::default();
        assert!(backoff.is_over());
        let waits: Vec<u128> = (0..8).map(|_| backoff.failed().as_millis()).collect();
        assert_eq!(waits, [50, 100, 200, 400, 800, 1600, 2000, 2000]);
        assert!(!backoff.is_over());
        backoff.succeeded();
        assert!(backoff.is_over());
        assert_eq!(backoff.failed(), MIN);
    }
}
