//! Leaves a failing dependency alone, so that requests do not pay for its time-outs.

use std::sync::atomic::{AtomicBool, Ordering};

/// Open while Redis is believed away. The request that meets the first failure opens it; a probe in the background closes it.
#[derive(Debug, Default)]
pub struct Breaker {
    open: AtomicBool,
}

impl Breaker {
    /// Whether Redis may be asked.
    pub fn allows(&self) -> bool {
        !self.open.load(Ordering::Acquire)
    }

    /// Notes a failure; true for the one caller that must start the probe.
    pub fn trip(&self) -> bool {
        !self.open.swap(true, Ordering::AcqRel)
    }

    /// Redis answers again.
    pub fn close(&self) {
        self.open.store(false, Ordering::Release);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_failure_opens_it_and_starts_one_probe() {
        let breaker = Breaker::default();
        assert!(breaker.allows());
        assert!(breaker.trip());
        assert!(!breaker.trip());
        assert!(!breaker.allows());
        breaker.close();
        assert!(breaker.allows());
    }
}
